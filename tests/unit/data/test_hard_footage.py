"""Footage that is worn, dark, crowded, hidden or cut: everyone is told apart, or it is refused."""

import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from _changes import blurred, dark
from casts import RIGHTS, Cast, Stage
from numpy.typing import NDArray
from scenes import (
    CHANGES,
    back_and_forth,
    carried_past,
    changed,
    crowd,
    hand_before,
    leaves_and_returns,
    microphone_before,
    pictures,
    sized,
    write_clip,
)
from studios import Member

from assent.consent.locker import Locker
from assent.data.clips import list_clips
from assent.data.ingest import ingest
from assent.data.tracks import PersonTrack
from assent.kit.errors import AssentError, UnlistedFaceError

Rgb = NDArray[np.uint8]


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


def take_in(
    stage: Stage, frames: Iterable[Rgb], *people: Member, quality: int = 12, rotation: int = 0
) -> tuple[PersonTrack, ...]:
    """Film `frames`, take the clip in, and return who is where."""
    path = stage.studio.folder.with_name(f"footage-{rotation}.mp4")
    write_clip(path, frames, quality=quality, rotation=rotation)
    persons = [member.person for member in people]
    made = ingest(stage.studio, stage.purpose, path, persons, rights=RIGHTS)
    return made.clip.tracks(Locker(stage.studio), stage.asking(made.clip.needs())())


def who(tracks: Iterable[PersonTrack], stage: Stage) -> dict[int, str]:
    """Return who is in each frame, those who are there at once from left to right."""
    names = {stage.ada.id: "ada", stage.ben.id: "ben"}
    seen: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for track in tracks:
        for index, landmarks in zip(track.index, track.landmarks, strict=True):
            seen[int(index)].append((float(landmarks[:, 0].mean()), names[track.person_id]))
    return {index: " ".join(name for _, name in sorted(faces)) for index, faces in seen.items()}


def test_one_face_in_seven_lights_is_one_person(stage: Stage) -> None:
    frames = [rgb for change in CHANGES for rgb in changed(change, 20, 4)]
    assert who(take_in(stage, frames, stage.ada), stage) == dict.fromkeys(range(len(frames)), "ada")


def test_a_bad_stream_is_still_her(stage: Stage) -> None:
    tracks = take_in(stage, pictures("scene1_ada", 30, 10), stage.ada, quality=40)
    assert who(tracks, stage) == dict.fromkeys(range(10), "ada")


@pytest.mark.parametrize(("side", "frame"), [(48, (360, 640)), (640, (1080, 1920))])
def test_small_and_large_faces_are_found_throughout(
    stage: Stage, side: int, frame: tuple[int, int]
) -> None:
    tracks = take_in(stage, sized(side, 8, frame=frame), stage.ada)
    assert who(tracks, stage) == dict.fromkeys(range(8), "ada")
    width = np.ptp(tracks[0].landmarks[:, :17, 0], axis=1)
    assert 0.75 * side < width.mean() < 1.25 * side


def test_a_small_face_in_a_large_frame_is_followed_throughout(stage: Stage) -> None:
    tracks = take_in(stage, sized(80, 16, frame=(1080, 1920)), stage.ada)
    assert who(tracks, stage) == dict.fromkeys(range(16), "ada")


@pytest.mark.parametrize("hidden", [hand_before, microphone_before])
def test_who_talks_behind_a_hand_or_a_microphone_stays_herself(
    stage: Stage, hidden: Callable[[int], Iterator[Rgb]]
) -> None:
    tracks = take_in(stage, hidden(30), stage.ada)
    assert who(tracks, stage) == dict.fromkeys(range(30), "ada")


@pytest.mark.parametrize("flaw", ["blurred", "dark"])
def test_footage_too_bad_to_see_anyone_is_refused_with_advice(stage: Stage, flaw: str) -> None:
    frames = [ruined(rgb, flaw) for rgb in pictures("ada_train", 0, 8)]
    with pytest.raises(AssentError, match=r"footage-0\.mp4 shows no face") as refused:
        take_in(stage, frames, stage.ada)
    assert "face" in refused.value.advice
    assert list_clips(stage.studio, stage.purpose) == ()


def ruined(rgb: Rgb, flaw: str) -> Rgb:
    return blurred(rgb, 14) if flaw == "blurred" else dark(rgb, light=0.0003)


def test_a_face_that_leaves_and_returns_is_the_same_person(stage: Stage) -> None:
    stays, away, returns = 8, 14, 12
    seen = who(take_in(stage, leaves_and_returns(stays, away, returns), stage.ada), stage)
    assert set(seen.values()) == {"ada"}
    back = stays + 2 * 12 + away
    # It is found again once it has come in and turned to the camera.
    assert {*range(stays), *range(back + 2, back + returns)} <= set(seen)
    assert not set(range(stays + 12, stays + 12 + away)) & set(seen)


@pytest.mark.parametrize("quality", [12, 20])
def test_a_parcel_that_crosses_the_face_leaves_the_same_person(stage: Stage, quality: int) -> None:
    seen = who(take_in(stage, carried_past(40), stage.ada, quality=quality), stage)
    assert set(seen.values()) == {"ada"}
    # Free before and after.
    assert {*range(8), *range(30, 40)} <= set(seen)


def test_cuts_back_and_forth_never_mix_two_people_up(stage: Stage) -> None:
    spans = [(0, 9), (0, 8), (40, 47), (60, 61), (80, 86), (90, 92)]
    expected = [
        ("ada", "ben")[number % 2]
        for number, (first, end) in enumerate(spans)
        for _ in range(first, end)
    ]
    tracks = take_in(stage, back_and_forth(*spans), stage.ada, stage.ben)
    assert who(tracks, stage) == dict(enumerate(expected))


def test_two_people_side_by_side_keep_their_names(stage: Stage) -> None:
    tracks = take_in(stage, pictures("two_people", 0, 40), stage.ada, stage.ben)
    assert who(tracks, stage) == dict.fromkeys(range(40), "ada ben")
    assert len(tracks) == 2


def test_ten_people_of_whom_one_agreed_are_refused(stage: Stage) -> None:
    with pytest.raises(UnlistedFaceError, match=r"footage-0\.mp4 .*at 0:00\.0") as refused:
        take_in(stage, crowd(3), stage.ada)
    assert "at 0:00.0 to 0:00.1 (9 faces);" in str(refused.value)
    assert "consent" in refused.value.advice
    assert list_clips(stage.studio, stage.purpose) == ()


def test_ten_people_are_not_ten_copies_of_each_picture(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "crowd.mp4"
    peaks = []
    for frames in (1, 1, 6):  # the first also loads what is loaded once
        write_clip(path, crowd(frames))
        tracemalloc.start()
        with pytest.raises(UnlistedFaceError):
            ingest(stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A few pictures are decoded ahead, and a crop of each face may be kept.
    picture, crop = 1440 * 576 * 3, 256 * 256 * 3
    assert peaks[2] - peaks[1] < 5 * (picture + 10 * 1.2 * crop)


def test_a_phone_on_its_side_films_the_same_face(stage: Stage) -> None:
    frames = [rgb[:, 40:360] for rgb in pictures("ada_train", 0, 5)]
    (level,) = take_in(stage, frames, stage.ada)
    for rotation in (90, 180, 270):
        (turned,) = take_in(stage, frames, stage.ada, rotation=rotation)
        assert turned.index.tolist() == level.index.tolist() == list(range(5))
        apart = np.abs(turned.landmarks - level.landmarks)
        assert (apart.mean() < 1, apart.max() < 6) == (True, True)
