"""What the subject is asked to do before the camera: read words drawn for them, and turn the head.

>>> from assent.kit.clock import system
>>> asked = draw("a record's id", language="en", now=system(), entropy=os.urandom)
>>> len(asked.words), len(asked.turns), asked.expires - asked.issued == LIFETIME
(6, 5, True)

A recording that was made before the challenge was drawn can follow it by luck alone: the words are
one of more than 2**44 choices, the turns one of 30. Six words are remembered while they are read.
The texts are data, one file a language in `words/`.
"""

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from assent.kit.canonical import digest
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError

__all__ = [
    "LIFETIME",
    "LONGEST_PAUSE",
    "SHORTEST_PAUSE",
    "TURNS",
    "WORDS",
    "Challenge",
    "Entropy",
    "Turn",
    "advice_on",
    "challenge_from_json",
    "draw",
    "languages",
    "words_of",
]

Entropy = Callable[[int], bytes]
"""Returns as many random bytes as it is asked for; `os.urandom`."""

LIFETIME: Final = timedelta(minutes=10)
"""How long after it was issued a challenge may be answered."""

WORDS: Final = 6
TURNS: Final = 5

SHORTEST_PAUSE: Final = 2600
LONGEST_PAUSE: Final = 3800
"""Milliseconds from one prompt to the next: time to turn, to see it and to come back."""

_STEP = 20
_LONGEST_NAME = 120
_NONCE = re.compile(r"[0-9a-f]{64}")


class Turn(StrEnum):
    """Where the subject turns the head, as they see it themselves."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge for one consent record; answered once and in time, or not at all."""

    record_id: str
    nonce: str
    """64 hex digits, never drawn twice."""
    language: str
    words: tuple[str, ...]
    turns: tuple[Turn, ...]
    """Never all to one side: a face is seen from both."""
    pauses: tuple[int, ...]
    """Milliseconds, one a turn: from its prompt to the next, the last one's to the end."""
    issued: datetime
    expires: datetime

    def sentence(self, *, studio: str, project: str, person: str | None = None) -> str:
        """Return what is read aloud; it names the studio, the project and the words.

        And `person`, if whoever reads it answers for somebody else.
        """
        sentence: str = _texts(self.language)["sentence" if person is None else "sentence_for"]
        return sentence.format(
            studio=_plain(studio),
            project=_plain(project),
            words=", ".join(self.words),
            person=_plain(person or ""),
        )

    def check(self, *, record_id: str, now: datetime) -> None:
        """Raise `NotClearedError` unless it was drawn for this record and is good now."""
        if record_id != self.record_id:
            raise NotClearedError(
                "this challenge was drawn for another consent record",
                advice="Open the link again that the studio sent.",
            )
        if now < self.issued:
            raise NotClearedError(
                "this challenge was drawn in the future",
                advice="Correct the clock of the studio's machine, then begin again.",
            )
        if now >= self.expires:
            raise NotClearedError(
                "this challenge has expired", advice="Begin the recording again with new words."
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, as `challenge_from_json` reads them."""
        return {
            "record_id": self.record_id,
            "nonce": self.nonce,
            "language": self.language,
            "words": list(self.words),
            "turns": [turn.value for turn in self.turns],
            "pauses": list(self.pauses),
            "issued": stamp(self.issued),
            "expires": stamp(self.expires),
        }

    def digest(self) -> str:
        """Return the SHA-256 of its canonical JSON, by which evidence names it."""
        return digest(self.to_json())


def draw(
    record_id: str, *, language: str, now: datetime, entropy: Entropy = os.urandom
) -> Challenge:
    """Draw a challenge for a record; raises `InputError` for a language that isn't there."""
    issued = now.replace(microsecond=0)
    return Challenge(
        record_id=record_id,
        nonce=entropy(32).hex(),
        language=language,
        words=_drawn_words(words_of(language), entropy),
        turns=_drawn_turns(entropy),
        pauses=tuple(
            SHORTEST_PAUSE + _STEP * _below((LONGEST_PAUSE - SHORTEST_PAUSE) // _STEP + 1, entropy)
            for _ in range(TURNS)
        ),
        issued=issued,
        expires=issued + LIFETIME,
    )


def languages() -> tuple[str, ...]:
    """Return the languages in which there are words, by ISO 639-1 code."""
    return tuple(_every_text())


def words_of(language: str) -> tuple[str, ...]:
    """Return the words that a challenge draws from; raises `InputError` for another language."""
    return tuple(_texts(language)["words"].split())


def advice_on(check: str, language: str) -> tuple[str, str]:
    """Return what to say of a recording's `check`, with places for value and limit, and advice.

    Raises `InputError` for a language that isn't there.
    """
    found = _texts(language)["found"][check]
    return found["said"], found["advice"]


def challenge_from_json(document: object) -> Challenge:
    """Read what `Challenge.to_json` wrote; raises `InputError` if it is anything else."""
    try:
        found = _read(document)
        same = digest(document) == found.digest()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("this is not a challenge") from error
    if not (same and _sound(found)):
        raise InputError("this is not a challenge")
    return found


def _read(document: Any) -> Challenge:  # noqa: ANN401 - checked by the reading itself
    return Challenge(
        record_id=str(document["record_id"]),
        nonce=str(document["nonce"]),
        language=str(document["language"]),
        words=tuple(str(word) for word in document["words"]),
        turns=tuple(Turn(turn) for turn in document["turns"]),
        pauses=tuple(int(pause) for pause in document["pauses"]),
        issued=datetime.fromisoformat(document["issued"]),
        expires=datetime.fromisoformat(document["expires"]),
    )


def _sound(found: Challenge) -> bool:
    """Whether a challenge is one that could have been drawn."""
    return (
        found.language in languages()
        and _NONCE.fullmatch(found.nonce) is not None
        and len(found.words) == len(set(found.words)) == WORDS
        and set(found.words) <= set(words_of(found.language))
        and len(found.turns) == len(found.pauses) == TURNS
        and len(set(found.turns)) > 1
        and all(SHORTEST_PAUSE <= pause <= LONGEST_PAUSE for pause in found.pauses)
        and found.expires - found.issued == LIFETIME
    )


def _drawn_words(known: Sequence[str], entropy: Entropy) -> tuple[str, ...]:
    left = list(known)
    return tuple(left.pop(_below(len(left), entropy)) for _ in range(WORDS))


def _drawn_turns(entropy: Entropy) -> tuple[Turn, ...]:
    # 0 and the last number would be all to one side.
    number = 1 + _below(2**TURNS - 2, entropy)
    return tuple(Turn.LEFT if number >> place & 1 else Turn.RIGHT for place in range(TURNS))


def _below(limit: int, entropy: Entropy) -> int:
    """Return a number from 0 to `limit` - 1, each as likely: what would favour some is redrawn."""
    size = math.ceil((limit - 1).bit_length() / 8)
    fair = 256**size // limit * limit
    while (number := int.from_bytes(entropy(size))) >= fair:
        pass
    return number % limit


def _plain(name: str) -> str:
    """Return a name as one line of what can be read aloud, no longer than a sentence bears."""
    clean = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(clean.split())[:_LONGEST_NAME]


def _texts(language: str) -> Mapping[str, Any]:
    try:
        return _every_text()[language]
    except KeyError:
        raise InputError(
            f"there are no words in the language '{language}'",
            advice=f"Choose one of: {', '.join(languages())}.",
        ) from None


@cache
def _every_text() -> Mapping[str, Mapping[str, Any]]:
    folder = files("assent.consent") / "words"
    return {
        item.name.removesuffix(".toml"): tomllib.loads(item.read_text("utf-8"))
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".toml")
    }
