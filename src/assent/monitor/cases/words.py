"""The words of a case's letters, one file a language; what is filled in is never read as a form.

>>> say("en", "due_left", hours=3)
'3 h left'
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from string import Template

__all__ = ["say"]


def say(language: str, name: str, **values: object) -> str:
    """Return a text with `values` filled in; each that it names must be given."""
    return Template(_texts(language)[name]).substitute(values).strip()


@cache
def _texts(language: str) -> Mapping[str, str]:
    file = resources.files("assent.monitor.cases") / "data" / f"mail-{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))
