import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import known_entropy

from assent.consent._measures import follow
from assent.consent.challenge import Challenge, Turn, draw
from assent.kit.clock import system

RATE = 12.0
BEGIN = 4.0
PLANE = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 291, 70, 300)

Floats = NDArray[np.float64]


def challenge() -> Challenge:
    return draw("a-record", language="en", now=system(), entropy=known_entropy("2"))


def prompts(asked: Challenge) -> list[int]:
    return [round(1000 * BEGIN) + sum(asked.pauses[:number]) for number in range(5)]


def seen_at(yaw: float) -> Floats:
    """A head [478, 2] whose nose stands before the plane of its eyes and mouth."""
    points = np.zeros((478, 3))
    points[list(PLANE), :2] = np.random.default_rng(0).uniform((-50, -30), (50, 60), (16, 2))
    points[33], points[263] = (-50, -20, 0), (50, -20, 0)
    points[61], points[291] = (-25, 55, 0), (25, 55, 0)
    points[[1, 4]] = (0, 20, -45)
    a = np.radians(yaw)
    x, z = points[:, 0] * np.cos(a) - points[:, 2] * np.sin(a), points[:, 2] * np.cos(a)
    scale = 900 / (900 + points[:, 0] * np.sin(a) + z)
    return np.stack([x * scale, points[:, 1] * scale], axis=1)


def moved(asked: Challenge, turns: tuple[float, ...], late: float = 0.0) -> tuple[Floats, Floats]:
    """Times and meshes of a head that turns by degrees after each prompt and comes back."""
    times = np.arange(0, BEGIN + sum(asked.pauses) / 1000 + 0.3, 1 / RATE)
    yaw = np.zeros(len(times))
    for start, pause, angle in zip(prompts(asked), asked.pauses, turns, strict=True):
        part = (times - start / 1000 - late) / (pause / 1000)
        yaw += angle * np.where((part > 0.1) & (part < 0.8), np.sin((part - 0.1) / 0.7 * np.pi), 0)
    return times, np.stack([seen_at(each) for each in yaw])


def angles(asked: Challenge, size: float = 25.0) -> tuple[float, ...]:
    """A turn to the subject's left is one to the picture's right."""
    return tuple(size if turn is Turn.LEFT else -size for turn in asked.turns)


@pytest.mark.parametrize("late", [0.0, 0.5, 0.9])
def test_turns_are_seen_where_they_were_made(late: float) -> None:
    asked = challenge()
    found = follow(*moved(asked, angles(asked), late), asked, prompts(asked))
    assert found.seen == asked.turns
    assert found.depth == pytest.approx(0.45, rel=0.3)


def test_turns_that_are_too_small_or_too_late_are_not_seen() -> None:
    asked = challenge()
    assert follow(*moved(asked, angles(asked, 8.0)), asked, prompts(asked)).seen == (None,) * 5
    late = follow(*moved(asked, angles(asked), 1.7), asked, prompts(asked))
    assert late.seen != asked.turns
    assert None in late.seen


def test_a_head_that_is_shaken_all_the_time_follows_nothing() -> None:
    asked = challenge()
    times, _ = moved(asked, angles(asked))
    meshes = np.stack([seen_at(28 * np.sin(2 * np.pi * 0.8 * time)) for time in times])
    assert follow(times, meshes, asked, prompts(asked)).seen == (None,) * 5
    # At rest while the sentence is read, too.
    meshes[times < BEGIN] = seen_at(0.0)
    assert follow(times, meshes, asked, prompts(asked)).seen == (None,) * 5


def test_a_head_that_does_not_come_back_is_not_counted() -> None:
    asked = challenge()
    times, meshes = moved(asked, angles(asked))
    stays = times > prompts(asked)[4] / 1000 + 0.8
    meshes[stays] = seen_at(angles(asked)[4])
    found = follow(times, meshes, asked, prompts(asked))
    assert found.seen[:4] == asked.turns[:4]
    assert found.seen[4] is None


def test_a_face_that_is_lost_at_the_side_is_still_seen_turning() -> None:
    asked = challenge()
    times, meshes = moved(asked, angles(asked, 60.0))
    yaw_seen = [float(np.linalg.norm(mesh[263] - mesh[33])) for mesh in meshes]
    meshes[np.array(yaw_seen) < 75] = np.nan
    assert np.isnan(meshes[:, 0, 0]).any()
    assert follow(times, meshes, asked, prompts(asked)).seen == asked.turns


def test_where_no_face_was_nothing_was_followed() -> None:
    asked = challenge()
    times, meshes = moved(asked, angles(asked))
    found = follow(times, np.full_like(meshes, np.nan), asked, prompts(asked))
    assert found.seen == (None,) * 5
    assert np.isnan(found.depth)
    meshes[times > BEGIN + 0.3] = np.nan
    assert follow(times, meshes, asked, prompts(asked)).seen[1:] == (None,) * 4
