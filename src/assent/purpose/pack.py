"""Rule packs: data, one a jurisdiction, read strictly; a pack can ask for more, never for less.

A rule speaks of a brief when everything in its `when` holds and, if it lists `words`, one of them
occurs in the brief's own words (or in the use that a consent record states: `use_words`). Its
effect is `refuse`, a level of risk (`medium`, `high`, `severe`), `warn`, or `note`. There is no
effect that allows anything, and levels and hard blocks are code.
"""

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validates

from assent.kit.canonical import digest
from assent.kit.errors import InputError
from assent.purpose.brief import Category, RiskAnswers, describe_problems
from assent.purpose.wording import is_phrase

__all__ = [
    "BASE",
    "CODE",
    "EFFECTS",
    "LARGEST",
    "Pack",
    "Rule",
    "load_packs",
    "parse_pack",
    "read_toml",
]

BASE = "base"
"""The pack of Assent's own rules; it ships with the program and nothing takes its place."""
CODE = "assent"
"""What stands in a pack's place where a hard block speaks."""
LARGEST = 256 << 10
"""Bytes of a pack at most."""

EFFECTS = ("note", "warn", "medium", "high", "severe", "refuse")
"""What a rule can do, the mildest first."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=1000)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,8}(-[a-z]{2,8})?$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Version = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}\.[0-9]{1,2}(\.[0-9]{1,3})?$")]
Place = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$")]
Phrase = Annotated[str, StringConstraints(min_length=2, max_length=80)]

_ANSWERS = frozenset(RiskAnswers.model_fields)
_ACTS = frozenset({"ingest", "train", "portray", "perform", "release"})
_MODALITIES = frozenset({"face", "voice"})
_MOST_PHRASES = 2000


def _check_known(what: str, given: object, known: frozenset[str]) -> None:
    unknown = sorted(set(given) - known)  # type: ignore[call-overload] # any iterable of strings
    if unknown:
        raise ValueError(f"there is no {what} '{unknown[0]}'")


def _check_phrases(phrases: tuple[str, ...]) -> None:
    for phrase in phrases:
        if not is_phrase(phrase):
            raise ValueError("words may hold letters, spaces, hyphens, and * at the end of a word")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class When(_Frozen):
    """What must hold for a rule to speak; what isn't given always holds."""

    risk: dict[str, bool] = Field(default={}, max_length=20)
    """Answers, each as it must be."""
    category: tuple[Category, ...] = ()
    """Kinds of work, of which it must be one."""
    claims: Literal["none", "some"] | None = None
    act: tuple[str, ...] = ()
    """What is about to be done, of which it must be one."""
    modality: tuple[str, ...] = ()
    """What of a person is used, of which there must be one."""
    longer_than_days: int | None = Field(default=None, ge=1, le=40_000)
    """The term of the consent record."""
    use_words: tuple[Phrase, ...] = Field(default=(), max_length=200)
    """Phrases, of which one must occur in the use that the consent record states."""

    @validates(mode="after")
    def _check_names(self) -> "When":
        _check_known("question", self.risk, _ANSWERS)
        _check_known("act", self.act, _ACTS)
        _check_known("modality", self.modality, _MODALITIES)
        _check_phrases(self.use_words)
        return self

    @property
    def of_record(self) -> bool:
        """Tell whether it asks about a consent record."""
        return bool(self.modality or self.longer_than_days or self.use_words)


class Rule(_Frozen):
    """One rule of a pack."""

    id: RuleId
    effect: Literal["refuse", "severe", "high", "medium", "warn", "note"]
    text: Line
    source: Line
    status: Literal["in force", "draft", "reported", "enjoined", "policy"] = "in force"
    weak: bool = False
    """The source is a secondary one."""
    begins: date | None = Field(default=None, alias="from")
    ends: date | None = Field(default=None, alias="until")
    when: When = When()
    words: tuple[Phrase, ...] = Field(default=(), max_length=200)
    met: Literal["yes", "partly", "no", "you"] = "you"
    """Whether Assent does what is asked, or leaves it to those who use it."""
    how: Line = "This is for the studio to do and to show."
    """How Assent does it, or what remains to be done."""

    @validates(mode="after")
    def _check(self) -> "Rule":
        _check_phrases(self.words)
        if self.begins and self.ends and self.ends < self.begins:
            raise ValueError("until lies before from")
        return self

    def holds_on(self, day: date) -> bool:
        """Tell whether it is in force on `day`."""
        return (self.begins is None or self.begins <= day) and (
            self.ends is None or day <= self.ends
        )


class Pack(_Frozen):
    """A rule pack with its origin."""

    name: Name
    title: Line
    version: Version
    date: date
    source: Line
    jurisdictions: tuple[Place, ...] = Field(min_length=1, max_length=60)
    status: Literal["in force", "draft"] = "in force"
    rule: tuple[Rule, ...] = Field(min_length=1, max_length=300)

    @validates(mode="after")
    def _check(self) -> "Pack":
        ids = [rule.id for rule in self.rule]
        if self.name == CODE:
            raise ValueError(f"{CODE} is no name for a pack")
        if len(set(ids)) < len(ids):
            raise ValueError("two rules have the same id")
        # So that no pack's rule can be taken for one of another pack, or for a hard block.
        foreign = [i for i in ids if self.name != BASE and not i.startswith(f"{self.name}-")]
        if foreign:
            raise ValueError(f"the id {foreign[0]} does not begin with {self.name}-")
        if sum(len(rule.words) + len(rule.when.use_words) for rule in self.rule) > _MOST_PHRASES:
            raise ValueError("it lists too many words")
        for text in _texts(self):
            if not text.isprintable():
                raise ValueError("a text holds characters that can't be printed")
        return self

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in order."""
        return self.rule

    @property
    def order(self) -> tuple[int, ...]:
        """The version as numbers, to be compared."""
        return tuple(int(part) for part in self.version.split("."))

    def to_json(self) -> dict[str, Any]:
        """Return the pack as plain JSON values: what a signature is over."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def digest(self) -> str:
        """Return the SHA-256 of the pack's canonical JSON."""
        return digest(self.to_json())


def parse_pack(fields: object, *, name: str) -> Pack:
    """Validate a pack; raises `InputError` naming `name` and each field that is wrong."""
    try:
        return Pack.model_validate(fields)
    except ValidationError as error:
        raise InputError(
            f"{name} is no rule pack: {describe_problems(error)[:600]}",
            advice="See the format in the documentation, practice/rule-packs.md.",
        ) from error


def read_toml(text: str, *, name: str) -> Pack:
    """Read a pack in TOML; raises `InputError` naming `name`."""
    if len(text.encode()) > LARGEST:
        raise InputError(f"{name} is too large to be a rule pack")
    try:
        fields = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{name} is not valid TOML: {error}") from error
    return parse_pack(fields, name=name)


@cache
def load_packs() -> tuple[Pack, ...]:
    """Read every pack that ships with Assent, the base pack first."""
    folder = resources.files("assent.purpose") / "packs"
    packs = [
        read_toml(file.read_text("utf-8"), name=file.name)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(packs, key=lambda pack: (pack.name != BASE, pack.name)))


def _texts(pack: Pack) -> list[str]:
    texts = [pack.title, pack.source]
    for rule in pack.rule:
        texts += [rule.text, rule.source, rule.how]
    return texts
