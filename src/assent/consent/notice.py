"""The notice: what the subject is told, in plain words and their own language, before signing.

The words are data, one file a language in `notices/`. A language is complete or it isn't offered.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from assent.consent.clearance import Act, Modality
from assent.consent.record import Authority
from assent.kit.errors import InputError

__all__ = ["LANGUAGES", "Wording", "tell_authority", "wording", "write_notice"]

LANGUAGES = ("en", "de", "es")
"""The languages that there are notices in; the first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language's words, each by what it names."""

    language: str
    name: str
    texts: Mapping[str, str]
    acts: Mapping[str, str]
    modalities: Mapping[str, str]
    forbidden: Mapping[str, str]
    handling: Mapping[str, str]
    biometrics: Mapping[str, str]

    def things(self, modalities: Collection[Modality]) -> str:
        """Return the modalities as words, joined."""
        words = [self.modalities[each.value] for each in Modality if each in modalities]
        return f" {self.texts['and']} ".join(words)


@cache
def wording(language: str) -> Wording:
    """Return the words of a language; raises `InputError` if there is no notice in it."""
    if language not in LANGUAGES:
        raise InputError(
            f"there is no notice in '{language[:20]}'",
            advice=f"Choose one of: {', '.join(LANGUAGES)}.",
        )
    file = resources.files("assent.consent") / "notices" / f"{language}.toml"
    data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    return Wording(
        language=language,
        name=data.pop("name"),
        texts={key: value for key, value in data.items() if isinstance(value, str)},
        **{key: value for key, value in data.items() if isinstance(value, dict)},
    )


def write_notice(
    *,
    language: str,
    studio: str,
    project: str,
    use: str,
    acts: frozenset[Act],
    modalities: frozenset[Modality],
    authority: Authority | None = None,
) -> str:
    """Return the notice, one line an item; raises `InputError` for a language that is missing."""
    words = wording(language)
    texts = words.texts
    lines = [
        *([tell_authority(language, authority)] if authority is not None else []),
        texts["asks"].format(
            studio=studio, things=words.things(modalities), project=project, use=use
        ),
        texts["would"],
        *(f"- {words.acts[act.value]}" for act in Act if act in acts),
        texts["marked"],
        texts["free"],
        texts["withdrawing"].format(effect=texts["effect"]),
    ]
    return "\n".join(lines)


def tell_authority(language: str, authority: Authority) -> str:
    """Return in whose place the reader answers, and by what."""
    texts = wording(language).texts
    return texts[f"speaks_{authority.kind}"].format(relation=authority.relation)
