"""The words of the pages, one file a language; every language has all of them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from assent.consent.notice import LANGUAGES
from assent.kit.errors import AssentError

__all__ = ["Words", "language_of", "words_in"]

# What subjects may well meet, by how the program's own message begins; the rest is told in English.
_KNOWN_ERRORS = {
    "this link does not work": "error_link",
    "you are not signed in": "error_session",
    "you are not in a ceremony": "error_session",
    "this page is too old": "error_old",
    "the request came from elsewhere": "error_old",
    "minors can't be asked": "error_minor",
    "without matching faces": "error_matching",
    "nothing is ticked": "error_nothing",
    "the last day must lie": "error_day",
    "the studio has made another offer": "error_link",
    "there is no certificate of deletion": "error_certificate",
    "too many tries": "error_tries",
    "what was sent is too large": "error_large",
}


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words; calling it fills in what varies."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, name: str, **values: object) -> str:
        """Return a text; what is filled in is escaped by the page, like the text itself."""
        return self.texts[name].format(**values)

    def day(self, value: date) -> str:
        """Return a day as people write it."""
        months = self.texts["months"].split()
        return self.texts["day"].format(
            day=value.day, month=months[value.month - 1], year=value.year
        )

    def of_error(self, error: AssentError) -> str | None:
        """Return what to tell a subject of an error, if there is something to tell."""
        for begins, name in _KNOWN_ERRORS.items():
            if str(error).startswith(begins):
                return self.texts[name]
        return None


@cache
def words_in(language: str) -> Words:
    """Return the words of one of the languages that there are notices in."""
    file = resources.files("assent.apps.web") / "words" / f"{language}.toml"
    return Words(language, tomllib.loads(file.read_text("utf-8")))


def language_of(accepted: str) -> str:
    """Return the first language of an Accept-Language header that there are words in."""
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]
