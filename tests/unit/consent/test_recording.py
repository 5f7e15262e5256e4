import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import Clips
from recordings import Recording, known_entropy, perform

from assent.consent._measures import Followed, Measured, measure
from assent.consent.challenge import Turn, draw, languages
from assent.consent.recording import (
    LONGEST_READING,
    Check,
    Finding,
    RecordingFindings,
    Verdict,
    check_recording,
    judge,
)
from assent.kit.errors import MediaError

CHALLENGE = draw(
    "a-record", language="de", now=datetime(2026, 11, 20, tzinfo=UTC), entropy=known_entropy("3")
)
PROMPTS = tuple(4000 + sum(CHALLENGE.pauses[:number]) for number in range(5))

GOOD = Measured(
    seconds=(PROMPTS[-1] + CHALLENGE.pauses[-1]) / 1000,
    rate=30.0,
    longest_gap=0.1,
    untimed=0.0,
    seen=1.0,
    others=0.0,
    perhaps=0.0,
    spread=0.4,
    followed=Followed(seen=CHALLENGE.turns, depth=0.45),
    mouth=4.0,
    cuts=0,
    leap=0.01,
    repeated=0.0,
    frozen=0.0,
    light=120.0,
    sharpness=150.0,
    size=200.0,
    voice=3.0,
    embeddings=np.zeros((3, 128), np.float32),
)
"""What a good recording measures."""


def verdict_of(check: Check, measured: Measured, **options: Any) -> Verdict:  # noqa: ANN401 - judge's
    options = {"listen": False, **options}
    found = judge(measured, CHALLENGE, PROMPTS, **options)
    others = {each.check for each in found if each.verdict is not Verdict.PASSED} - {check}
    assert not others
    return next(each.verdict for each in found if each.check is check)


def following(*seen: Turn | None) -> Followed:
    return Followed(seen=seen, depth=0.45)


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    performed = perform("ada", CHALLENGE, rate=10.0)
    return performed.write(tmp_path_factory.mktemp("recordings") / "ada.webm")


@pytest.fixture(scope="module")
def seen_of_genuine(genuine: Recording) -> RecordingFindings:
    with genuine.path.open("rb") as file:
        return check_recording(
            file, challenge=CHALLENGE, prompts=genuine.prompts, name="it", listen=True
        )


def test_a_good_recording_passes_but_for_the_words(seen_of_genuine: RecordingFindings) -> None:
    found = {each.check: each for each in seen_of_genuine.findings}
    assert set(found) == set(Check) - {Check.READABLE}
    words = found.pop(Check.WORDS)
    assert {each.verdict for each in found.values()} == {Verdict.PASSED}
    assert words.verdict is seen_of_genuine.verdict is Verdict.LOOK
    assert words.value == ", ".join(CHALLENGE.words)


def test_the_face_is_kept_apart_from_what_is_told(seen_of_genuine: RecordingFindings) -> None:
    assert seen_of_genuine.templates.shape[1] == 128
    assert len(seen_of_genuine.templates) >= 10
    told = seen_of_genuine.to_json()
    assert told["verdict"] == "look"
    assert set(told["findings"][0]) == {"check", "verdict", "value", "limit"}
    assert len(str(told)) < 3000


def test_good_measures_pass() -> None:
    found = judge(GOOD, CHALLENGE, PROMPTS, listen=False)
    assert {each.verdict for each in found} == {Verdict.PASSED}


@pytest.mark.parametrize(
    ("check", "change", "verdict"),
    [
        (Check.LENGTH, {"seconds": GOOD.seconds - 0.7}, Verdict.PASSED),
        (Check.LENGTH, {"seconds": GOOD.seconds - 1.0}, Verdict.FAILED),
        (Check.RATE, {"rate": 6.0}, Verdict.LOOK),
        (Check.RATE, {"rate": 4.0}, Verdict.FAILED),
        (Check.GAPS, {"longest_gap": 1.0}, Verdict.LOOK),
        (Check.GAPS, {"longest_gap": 3.0}, Verdict.FAILED),
        (Check.STAMPS, {"untimed": 1.0}, Verdict.LOOK),
        (Check.STAMPS, {"untimed": 5.0}, Verdict.FAILED),
        (Check.SEEN, {"seen": 0.8}, Verdict.LOOK),
        (Check.SEEN, {"seen": 0.5}, Verdict.FAILED),
        (Check.ALONE, {"others": 0.005}, Verdict.LOOK),
        (Check.ALONE, {"others": 0.1}, Verdict.FAILED),
        (Check.BESIDE, {"perhaps": 0.3}, Verdict.LOOK),
        (Check.SAME, {"spread": 0.63}, Verdict.LOOK),
        (Check.SAME, {"spread": 0.78}, Verdict.FAILED),
        (Check.SAME, {"spread": float("nan")}, Verdict.FAILED),
        (Check.DEPTH, {"followed": Followed(seen=CHALLENGE.turns, depth=0.27)}, Verdict.LOOK),
        (Check.DEPTH, {"followed": Followed(seen=CHALLENGE.turns, depth=0.15)}, Verdict.FAILED),
        (Check.MOUTH, {"mouth": 0.7}, Verdict.LOOK),
        (Check.MOUTH, {"mouth": 0.1}, Verdict.FAILED),
        (Check.CUTS, {"cuts": 1}, Verdict.FAILED),
        (Check.LEAPS, {"leap": 0.15}, Verdict.LOOK),
        (Check.LEAPS, {"leap": 0.3}, Verdict.FAILED),
        (Check.REPEATS, {"repeated": 1.3}, Verdict.FAILED),
        (Check.FROZEN, {"frozen": 1.5}, Verdict.LOOK),
        (Check.FROZEN, {"frozen": 5.0}, Verdict.FAILED),
        (Check.DARK, {"light": 40.0}, Verdict.LOOK),
        (Check.DARK, {"light": 15.0}, Verdict.FAILED),
        (Check.BRIGHT, {"light": 225.0}, Verdict.LOOK),
        (Check.BRIGHT, {"light": 250.0}, Verdict.FAILED),
        (Check.SHARP, {"sharpness": 15.0}, Verdict.LOOK),
        (Check.SHARP, {"sharpness": 3.0}, Verdict.FAILED),
        (Check.SIZE, {"size": 70.0}, Verdict.LOOK),
        (Check.SIZE, {"size": 30.0}, Verdict.FAILED),
        (Check.VOICE, {"voice": 0.0}, Verdict.LOOK),
    ],
)
def test_each_thing_is_judged_by_itself(
    check: Check, change: dict[str, Any], verdict: Verdict
) -> None:
    assert verdict_of(check, replace(GOOD, **change)) is verdict


def test_one_wrong_turn_fails() -> None:
    wrong = [Turn.LEFT if turn is Turn.RIGHT else Turn.RIGHT for turn in CHALLENGE.turns]
    for place in range(5):
        for other in (None, wrong[place]):
            seen: list[Turn | None] = [*CHALLENGE.turns]
            seen[place] = other
            measured = replace(GOOD, followed=following(*seen))
            assert verdict_of(Check.TURNS, measured) is Verdict.FAILED
    # A camera that mirrors: somebody must look.
    mirrored = replace(GOOD, followed=following(*wrong))
    assert verdict_of(Check.TURNS, mirrored) is Verdict.LOOK
    nothing = replace(GOOD, followed=following(*[None] * 5))
    assert verdict_of(Check.TURNS, nothing) is Verdict.FAILED


def nothing_read() -> io.BytesIO:
    return io.BytesIO(b"never read")


@pytest.mark.parametrize(
    "prompts",
    [
        (),
        PROMPTS[:4],
        (*PROMPTS, PROMPTS[-1] + 3000),
        tuple(prompt - 2000 for prompt in PROMPTS),
        tuple(prompt + round(LONGEST_READING * 1000) for prompt in PROMPTS),
        (PROMPTS[0] - 700, *PROMPTS[1:]),
        tuple(reversed(PROMPTS)),
        (5000,) * 5,
    ],
)
def test_prompts_that_do_not_fit_the_challenge_fail(prompts: tuple[int, ...]) -> None:
    found = check_recording(nothing_read(), challenge=CHALLENGE, prompts=prompts, name="it")
    assert [each.check for each in found.findings] == [Check.PROMPTS]
    assert found.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    "make",
    [
        Clips.empty,
        Clips.text,
        Clips.truncated,
        Clips.cut_short,
        Clips.damaged,
        Clips.sound_only,
        Clips.picture_only,
        Clips.playlist,
        Clips.script,
    ],
)
def test_what_cannot_be_read_is_told_and_not_raised(
    clips: Clips, make: Callable[[Clips], Path]
) -> None:
    found = check_recording(
        io.BytesIO(make(clips).read_bytes()), challenge=CHALLENGE, prompts=PROMPTS, name="it"
    )
    assert [(each.check, each.verdict) for each in found.findings] == [
        (Check.READABLE, Verdict.FAILED)
    ]
    assert found.findings[0].value.startswith("it")
    assert found.templates.shape == (0, 128)


def test_a_film_without_anybody_fails(samples: Path) -> None:
    with (samples / "no_face.mp4").open("rb") as file:
        found = check_recording(file, challenge=CHALLENGE, prompts=PROMPTS, name="it")
    failed = {each.check for each in found.findings if each.verdict is Verdict.FAILED}
    assert failed >= {Check.LENGTH, Check.TURNS, Check.SEEN, Check.SAME, Check.SIZE, Check.MOUTH}


def test_a_recording_has_a_largest_size(genuine: Recording) -> None:
    with (
        genuine.path.open("rb") as file,
        pytest.raises(MediaError, match="larger than 0 MB"),
    ):
        measure(file, CHALLENGE, PROMPTS, name="it", largest=1000, longest=60.0, tools=None)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("check", list(Check))
def test_every_finding_can_be_told_in_every_language(check: Check, language: str) -> None:
    bad = Finding(check=check, verdict=Verdict.LOOK, value="17", limit="42")
    good = replace(bad, verdict=Verdict.PASSED)
    assert "17" in bad.tell(language)
    assert len(bad.tell(language)) > len(good.tell(language)) + 15
    assert "{" not in bad.tell(language)
