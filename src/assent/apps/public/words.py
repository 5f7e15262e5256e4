"""The words of the public pages, one file a language; every language has all of them."""

import tomllib
from functools import cache
from importlib import resources

from assent.apps.web.words import Words, language_of
from assent.consent.notice import LANGUAGES

__all__ = ["LANGUAGES", "Words", "language_of", "words_in"]


@cache
def words_in(language: str) -> Words:
    """Return the words of one of `LANGUAGES`."""
    file = resources.files("assent.apps.public") / "words" / f"{language}.toml"
    return Words(language, tomllib.loads(file.read_text("utf-8")))
