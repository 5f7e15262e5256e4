"""The recorded statement, judged: does it show one living person who does what was asked?

    findings = check_recording(file, challenge=challenge, prompts=(5200, 8310, ...), name="it")
    findings.verdict            # PASSED, LOOK (a person at the studio decides) or FAILED
    for finding in findings.findings:
        print(finding.tell("en"))

What this can't tell: whether the words were the right ones (nobody's speech is recognised; where
the record asks for it, somebody at the studio listens), and whether a fake made in real time, or in
the minutes that a challenge lives, stood before the camera. `docs/recording.md` says what was
measured.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from assent.consent._measures import Measured, measure
from assent.consent.challenge import TURNS, Challenge, advice_on
from assent.kit.errors import MediaError
from assent.kit.faces.calibration import SAME_PERSON
from assent.kit.faces.watch import Tools

__all__ = [
    "LARGEST",
    "LONGEST",
    "LONGEST_READING",
    "SHORTEST_READING",
    "Check",
    "Finding",
    "RecordingFindings",
    "Verdict",
    "check_recording",
    "judge",
]

LARGEST: Final = 200 << 20
"""Bytes of a recording; browsers make 20 MB a minute."""
LONGEST: Final = 120.0
"""Seconds of a recording."""
SHORTEST_READING: Final = 3.0
LONGEST_READING: Final = 90.0
"""Seconds from the beginning to the first prompt."""

_PROMPT_SLACK: Final = 250
"""Milliseconds by which the time between two prompts may differ from the challenge's pause."""
_END_SLACK: Final = 0.8
"""Seconds by which a recording may end too early."""


class Verdict(Enum):
    """What to do with a recording, or with one finding of it."""

    PASSED = "passed"
    LOOK = "look"
    """A person at the studio must look at it and decide."""
    FAILED = "failed"


class Check(Enum):
    """What is looked at; the texts in `words/` are named after these."""

    READABLE = "readable"
    PROMPTS = "prompts"
    LENGTH = "length"
    TURNS = "turns"
    RATE = "rate"
    GAPS = "gaps"
    STAMPS = "stamps"
    SEEN = "seen"
    ALONE = "alone"
    BESIDE = "beside"
    SAME = "same"
    DEPTH = "depth"
    MOUTH = "mouth"
    CUTS = "cuts"
    LEAPS = "leaps"
    REPEATS = "repeats"
    FROZEN = "frozen"
    DARK = "dark"
    BRIGHT = "bright"
    SHARP = "sharp"
    SIZE = "size"
    VOICE = "voice"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    check: Check
    verdict: Verdict
    value: str
    limit: str

    def tell(self, language: str) -> str:
        """Return what was found and, unless it passed, what to do, in the subject's language."""
        said, advice = advice_on(self.check.value, language)
        text = said.format(value=self.value, limit=self.limit)
        return text if self.verdict is Verdict.PASSED else f"{text} {advice}"

    def to_json(self) -> dict[str, str]:
        """Return it as plain JSON values."""
        return {
            "check": self.check.value,
            "verdict": self.verdict.value,
            "value": self.value,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordingFindings:
    """Everything that was found, and the face."""

    findings: tuple[Finding, ...]
    templates: NDArray[np.float32]
    """Embeddings [n, 128] of the face, about one a second: personal data."""
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings'."""
        found = {finding.verdict for finding in self.findings}
        return next(each for each in reversed(Verdict) if each in found)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, without the face."""
        return {
            "verdict": self.verdict.value,
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_recording(
    source: BinaryIO,
    *,
    challenge: Challenge,
    prompts: Sequence[int],
    name: str,
    listen: bool = False,
    tools: Tools | None = None,
) -> RecordingFindings:
    """Judge a recording from its beginning to its end; memory is bounded.

    Args:
        source: What the browser recorded: WebM or MP4.
        challenge: What the subject was asked to do. Whether it is theirs, in time and unused is
            for `challenges.use` to say.
        prompts: When the page showed each turn, in milliseconds since the recording began.
        name: What to call the recording in messages.
        listen: Whether the record asks that a person listens to the words.
        tools: What to look with.

    Raises `StorageError` if the source can't be read; whatever else is wrong is a finding.
    """
    asked = _judge_prompts(challenge, prompts)
    if asked.verdict is not Verdict.PASSED:
        return _only(asked)
    try:
        measured = measure(
            source, challenge, prompts, name=name, largest=LARGEST, longest=LONGEST, tools=tools
        )
    except MediaError as error:
        return _only(_finding(Check.READABLE, Verdict.FAILED, str(error), name))
    findings = (asked, *judge(measured, challenge, prompts, listen=listen))
    return RecordingFindings(
        findings=findings, templates=measured.embeddings, seconds=measured.seconds
    )


def judge(
    measured: Measured, challenge: Challenge, prompts: Sequence[int], *, listen: bool
) -> tuple[Finding, ...]:
    """Judge what was measured of a recording; see `check_recording`."""
    findings = [_judge_end(challenge, prompts, measured), _judge_turns(challenge, measured)]
    findings += [rule.judge(check, measured) for check, rule in _RULES.items()]
    if listen:
        findings.append(_finding(Check.WORDS, Verdict.LOOK, ", ".join(challenge.words), ""))
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A measure, from where on it is good, and from where on a person may look at it."""

    of: Callable[[Measured], float]
    shown: str
    good: float
    doubtful: float
    at_most: bool = False

    def judge(self, check: Check, measured: Measured) -> Finding:
        value = self.of(measured)
        verdict = Verdict.FAILED
        for limit, better in ((self.doubtful, Verdict.LOOK), (self.good, Verdict.PASSED)):
            # NaN, where nothing could be measured, is on no side of a limit.
            if value <= limit if self.at_most else value >= limit:
                verdict = better
        return _finding(check, verdict, self.shown.format(value), self.shown.format(self.good))


# Chosen on the recordings that benchmarks/recording_checks.py makes, with room for worse cameras.
_RULES: Final = {
    Check.RATE: _Rule(lambda m: m.rate, "{:.0f}", 8.0, 5.0),
    Check.GAPS: _Rule(lambda m: m.longest_gap, "{:.1f}", 0.7, 1.5, at_most=True),
    Check.STAMPS: _Rule(lambda m: m.untimed, "{:.0f}", 0.0, 2.0, at_most=True),
    Check.SEEN: _Rule(lambda m: m.seen, "{:.0%}", 0.9, 0.75),
    Check.ALONE: _Rule(lambda m: m.others, "{:.1%}", 0.0, 0.01, at_most=True),
    Check.BESIDE: _Rule(lambda m: m.perhaps, "{:.0%}", 0.15, 1.0, at_most=True),
    # Turned faces of one person come this near to the threshold.
    Check.SAME: _Rule(lambda m: m.spread, "{:.2f}", SAME_PERSON, 0.68, at_most=True),
    Check.DEPTH: _Rule(lambda m: m.followed.depth, "{:.2f}", 0.3, 0.24),
    Check.MOUTH: _Rule(lambda m: m.mouth, "{:.1f}", 1.0, 0.5),
    Check.CUTS: _Rule(lambda m: m.cuts, "{:.0f}", 0.0, 0.0, at_most=True),
    Check.LEAPS: _Rule(lambda m: m.leap, "{:.2f}", 0.1, 0.18, at_most=True),
    Check.REPEATS: _Rule(lambda m: m.repeated, "{:.1f}", 0.0, 0.0, at_most=True),
    Check.FROZEN: _Rule(lambda m: m.frozen, "{:.1f}", 1.0, 2.0, at_most=True),
    Check.DARK: _Rule(lambda m: m.light, "{:.0f}", 50.0, 30.0),
    Check.BRIGHT: _Rule(lambda m: m.light, "{:.0f}", 215.0, 235.0, at_most=True),
    Check.SHARP: _Rule(lambda m: m.sharpness, "{:.0f}", 20.0, 10.0),
    Check.SIZE: _Rule(lambda m: m.size, "{:.0f}", 80.0, 56.0),
    # Who can't speak must not be shut out: a person decides.
    Check.VOICE: _Rule(lambda m: m.voice, "{:.1f}", 1.5, 0.0),
}


def _judge_turns(challenge: Challenge, measured: Measured) -> Finding:
    seen = measured.followed.seen
    right = sum(turn is asked for turn, asked in zip(seen, challenge.turns, strict=True))
    verdict = Verdict.PASSED if right == len(seen) else Verdict.FAILED
    if right == 0 and None not in seen:
        # All to the other side: some cameras mirror what they record.
        verdict = Verdict.LOOK
    return _finding(Check.TURNS, verdict, str(right), str(len(seen)))


def _judge_prompts(challenge: Challenge, prompts: Sequence[int]) -> Finding:
    """Whether the page asked as the challenge says; else nobody knows what it asked, or when."""
    gaps = [after - before for before, after in itertools.pairwise(prompts)]
    fits = (
        len(prompts) == len(challenge.turns)
        and SHORTEST_READING <= prompts[0] / 1000 <= LONGEST_READING
        and all(
            abs(gap - pause) <= _PROMPT_SLACK
            for gap, pause in zip(gaps, challenge.pauses, strict=False)
        )
    )
    return _finding(
        Check.PROMPTS, Verdict.PASSED if fits else Verdict.FAILED, str(len(prompts)), str(TURNS)
    )


def _judge_end(challenge: Challenge, prompts: Sequence[int], measured: Measured) -> Finding:
    least = (prompts[-1] + challenge.pauses[-1]) / 1000 - _END_SLACK
    verdict = Verdict.PASSED if measured.seconds >= least else Verdict.FAILED
    return _finding(Check.LENGTH, verdict, f"{measured.seconds:.1f}", f"{least:.1f}")


def _finding(check: Check, verdict: Verdict, value: str, limit: str) -> Finding:
    return Finding(check=check, verdict=verdict, value=value, limit=limit)


def _only(finding: Finding) -> RecordingFindings:
    """Findings of a recording that can't be looked at further."""
    empty = np.empty((0, 128), np.float32)
    return RecordingFindings(findings=(finding,), templates=empty, seconds=0.0)
