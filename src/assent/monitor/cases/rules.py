"""What kinds of case there are, their clocks and playbooks: data files with source and date.

>>> kind_of("intimate").hours
48
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from assent.kit.errors import InputError

__all__ = [
    "Care",
    "Complaint",
    "Kind",
    "Misuse",
    "Playbook",
    "Rules",
    "Step",
    "care",
    "kind_of",
    "playbook_of",
    "rules",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of case: `severity` 0 is the gravest, `hours` until an answer is due.

    `contact` is `required` or `optional`; `clock` says in words whose term it is.
    """

    id: str
    severity: int
    hours: int
    contact: str
    clock: str
    source: str
    signature: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """For how long a decision can be complained about, and when that is answered."""

    days: int
    hours: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Misuse:
    """From how many manifestly unfounded notices on a reporter's further ones wait."""

    notices: int
    days: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All business rules of cases."""

    version: str
    date: str
    kinds: Mapping[str, Kind]
    keep_days: Mapping[int, int]
    complaint: Complaint
    misuse: Misuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a playbook; `act` can be done from the case itself."""

    id: str
    text: str
    act: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """What to do in cases of one severity, in order."""

    severity: int
    name: str
    care: bool
    step: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What is said to somebody who is hurt, by language, and where they find help."""

    texts: Mapping[str, str]
    contact: tuple[Mapping[str, Any], ...]

    def text(self, language: str) -> str:
        """Return the words with the contacts, as plain text."""
        lines = [
            f"- {each['name']} ({each['address']}): {each['for']}" for each in self.contact
        ]  # fmt: skip
        return "\n".join([self.texts[language], "", *lines])


@cache
def rules() -> Rules:
    """Read the business rules that ship with Assent."""
    data = _read("kinds.toml")
    kinds = {each["id"]: Kind(**each) for each in data["kind"]}
    return Rules(
        version=data["version"],
        date=str(data["date"]),
        kinds=kinds,
        keep_days={int(severity): days for severity, days in data["keep_days"].items()},
        complaint=Complaint(**data["complaint"]),
        misuse=Misuse(**data["misuse"]),
    )


def kind_of(name: str) -> Kind:
    """Return a kind of case; raises `InputError` if there is none of that name."""
    found = rules().kinds.get(name)
    if found is None:
        raise InputError(
            f"there is no kind of case {name[:40]!r}",
            advice=f"It is one of: {', '.join(rules().kinds)}.",
        )
    return found


@cache
def playbook_of(severity: int) -> Playbook:
    """Return the playbook for a severity, 0 to 3."""
    for each in _read("playbooks.toml")["playbook"]:
        if each["severity"] == severity:
            return Playbook(**{**each, "step": tuple(Step(**step) for step in each["step"])})
    raise InputError(f"there is no severity {severity}", advice="It is 0, 1, 2 or 3.")


@cache
def care() -> Care:
    """Return what is said to those who are hurt."""
    data = _read("care.toml")
    return Care(texts=data["texts"], contact=tuple(data["contact"]))


def _read(name: str) -> dict[str, Any]:
    file = resources.files("assent.monitor.cases") / "data" / name
    return tomllib.loads(file.read_text("utf-8"))
