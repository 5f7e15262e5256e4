"""Rule packs: data files, one a jurisdiction, read against a brief.

A rule applies when every key of its `when` matches the brief and, if it lists `words`, one of them
occurs in the brief's own words (`*` at the end of a word stands for any ending; case, look-alike
forms of letters and what stands between words don't matter). Its effect is `refuse`, a level of
risk (`medium`, `high`), or `note`.

>>> from assent.purpose.brief import EXAMPLE, Brief
>>> assess(Brief.from_mapping(EXAMPLE), load_packs()).level.name
'medium'
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from assent.kit.errors import ForbiddenPurposeError
from assent.purpose.brief import Brief

__all__ = ["Assessment", "Level", "Pack", "Rule", "assess", "load_packs"]

_ORDER = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack."""

    id: str
    effect: str
    text: str
    source: str
    when: Mapping[str, Any]
    words: tuple[str, ...]

    def applies(self, brief: Brief) -> bool:
        """Tell whether this rule speaks of `brief`."""
        fields = brief.to_json()
        if not all(_matches(_look_up(fields, key), wanted) for key, wanted in self.when.items()):
            return False
        return not self.words or _occurs(self.words, _words_of(brief))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What a level of risk asks of the review."""

    name: str
    shortest_side: int
    sign_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A rule pack with its origin."""

    name: str
    title: str
    version: str
    date: str
    source: str
    jurisdictions: tuple[str, ...]
    rules: tuple[Rule, ...]
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the rules say of a brief that they allow."""

    level: Level
    applied: tuple[Rule, ...]
    packs: tuple[str, ...]


def load_packs() -> tuple[Pack, ...]:
    """Read every pack that ships with Assent, the base pack first."""
    folder = resources.files("assent.purpose") / "packs"
    files = sorted(folder.iterdir(), key=lambda file: (file.name != "base.toml", file.name))
    return tuple(
        _parse_pack(file.read_text("utf-8")) for file in files if file.name.endswith(".toml")
    )


def assess(brief: Brief, packs: Iterable[Pack]) -> Assessment:
    """Hold `brief` against `packs`.

    Raises `ForbiddenPurposeError` with the rule's name if a rule refuses it.
    """
    relevant = [pack for pack in packs if _concerns(pack, brief)]
    applied = tuple(rule for pack in relevant for rule in pack.rules if rule.applies(brief))
    for rule in applied:
        if rule.effect == "refuse":
            raise ForbiddenPurposeError(
                f"refused by rule '{rule.id}': {rule.text}",
                advice=f"This purpose can't be worked on in Assent (source: {rule.source}).",
            )
    levels = {name: level for pack in relevant for name, level in pack.levels.items()}
    highest = max((_ORDER.index(r.effect) for r in applied if r.effect in _ORDER), default=0)
    return Assessment(
        level=levels[_ORDER[highest]],
        applied=applied,
        packs=tuple(f"{pack.name} {pack.version}" for pack in relevant),
    )


def _parse_pack(text: str) -> Pack:
    data = tomllib.loads(text)
    return Pack(
        name=data["name"],
        title=data["title"],
        version=data["version"],
        date=str(data["date"]),
        source=data["source"],
        jurisdictions=tuple(data["jurisdictions"]),
        rules=tuple(
            Rule(
                id=rule["id"],
                effect=rule["effect"],
                text=rule["text"],
                source=rule["source"],
                when=rule.get("when", {}),
                words=tuple(rule.get("words", ())),
            )
            for rule in data["rule"]
        ),
        levels={name: Level(name=name, **level) for name, level in data.get("level", {}).items()},
    )


def _concerns(pack: Pack, brief: Brief) -> bool:
    return "*" in pack.jurisdictions or bool(
        {place.upper() for place in brief.jurisdictions} & set(pack.jurisdictions)
    )


def _look_up(fields: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - JSON values
    value: Any = fields
    for part in key.split("."):
        value = value[part]
    return value


def _matches(value: object, wanted: object) -> bool:
    if wanted == "none":
        return not value
    return value in wanted if isinstance(wanted, list) else value == wanted


def _words_of(brief: Brief) -> str:
    claims = " ".join(claim.text for claim in brief.claims)
    text = f"{brief.title} {brief.purpose} {brief.audience} {claims}"
    # Compatible forms (full width, ligatures) are the same letters; format characters (category
    # Cf: zero-width spaces, soft hyphens) can't be seen.
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if unicodedata.category(c) != "Cf").casefold()


def _occurs(words: Iterable[str], text: str) -> bool:
    return any(re.search(_pattern_of(word), text) for word in words)


def _pattern_of(word: str) -> str:
    parts = re.split(r"[ -]", word.casefold())
    between = r"[\W_]+".join(re.escape(part).replace(r"\*", r"[^\W_]*") for part in parts)
    return rf"(?<![^\W_]){between}(?![^\W_])"
