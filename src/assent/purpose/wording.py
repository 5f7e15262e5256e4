"""Finding words in what people write, however they spell them.

A phrase is found where its words stand one after the other: case, accents, forms of letters,
letters that look alike, and what stands between words don't matter. `*` at the end of a word
stands for any ending. A phrase in a script that puts no spaces between words is found anywhere.

No pattern is ever compiled from a phrase: whoever writes phrases can't make the search slow.

>>> text = Wording.of("The N\u0443de \u2014 a  study, p.o.r.n")
>>> text.find(["nude"]), text.find(["nud"]), text.find(["porn*"]), text.find(["a study"])
('nude', None, 'porn*', 'a study')
"""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

__all__ = ["Wording", "is_phrase"]

_WORD = re.compile(r"[^\W_]+")
# Cyrillic and Greek letters that can't be told from Latin ones at a glance (Unicode UTS 39).
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u04bb\u0501\u051b\u051d\u03b1"
    "\u03b5\u03bf\u03c1\u03bd\u03b9\u0131\u0251\u0261",
    "aeopcyxisjhdqwaeopviiag",
)
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PHRASE = re.compile(r"[^\W_]+\*?(?:[ -][^\W_]+\*?){0,7}")
_LONGEST = 80


class Wording:
    """A text made ready to be searched: its words in each of their readings."""

    def __init__(self, plain: str, readings: Iterable[tuple[str, ...]]) -> None:
        self._plain = plain
        self._readings = [_Reading(words) for words in dict.fromkeys(readings)]
        self._found: dict[tuple[str, ...], str | None] = {}

    @classmethod
    def of(cls, text: str) -> "Wording":
        """Prepare `text`."""
        # Compatible forms (full width, ligatures) are the same letters; format characters
        # (category Cf: zero-width spaces, soft hyphens) can't be seen.
        compatible = unicodedata.normalize("NFKC", text)
        plain = "".join(c for c in compatible if unicodedata.category(c) != "Cf").casefold()
        words = tuple(_WORD.findall(plain))
        bare = tuple(_WORD.findall(_without_marks(plain)))
        alike = tuple(word.translate(_ALIKE) for word in bare)
        return cls(plain, [words, bare, alike, _joined(alike)])

    def find(self, phrases: Iterable[str]) -> str | None:
        """Return the first of `phrases` that occurs, or None."""
        wanted = tuple(phrases)
        # The desk asks the same of the same brief again and again.
        if wanted not in self._found:
            self._found[wanted] = next((each for each in wanted if self._holds(each)), None)
        return self._found[wanted]

    def _holds(self, phrase: str) -> bool:
        folded = phrase.casefold()
        if _UNSPACED.search(folded):
            return folded in self._plain
        parts = re.split("[ -]", folded)
        return any(reading.holds(parts) for reading in self._readings)


class _Reading:
    """The words of a text in their order, and where each stands."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(words):
            self._places[word].append(place)
        self._sorted = sorted(self._places)

    def holds(self, parts: list[str]) -> bool:
        return any(
            all(map(_is, parts, self._words[at : at + len(parts)]))
            for at in self._starts(parts[0])
            if at + len(parts) <= len(self._words)
        )

    def _starts(self, part: str) -> Iterator[int]:
        if not part.endswith("*"):
            yield from self._places.get(part, ())
            return
        stem = part[:-1]
        for word in self._sorted[bisect_left(self._sorted, stem) :]:
            if not word.startswith(stem):
                return
            yield from self._places[word]


def is_phrase(text: str) -> bool:
    """Tell whether `text` is a phrase to look for: up to eight words, `*` at their ends alone."""
    return len(text) <= _LONGEST and _PHRASE.fullmatch(text) is not None


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _joined(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words with runs of single letters (p o r n) read as one word."""
    joined: list[str] = []
    run = ""
    for word in (*words, ""):
        if len(word) == 1:
            run += word
            continue
        joined += [run, word] if run else [word]
        run = ""
    return tuple(joined[:-1])


def _is(part: str, word: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part
