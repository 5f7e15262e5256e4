"""What is refused always: no rule pack, option or answer turns any of it off.

These are code, so that data can't loosen them: intimate content, minors, work on somebody without
their consent, and marks left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from assent.purpose.brief import Brief
from assent.purpose.wording import Wording

__all__ = ["BLOCKS", "NO_CONSENT", "Block", "wording_of"]

_INTIMATE = (
    "porn*", "nude", "nudes", "nudity", "naked", "undress*", "deepnude*", "nudif*", "sex tape",
    "erotic*", "erotik*", "erotiq*", "onlyfans", "topless", "striptease*", "nacktbild*",
    "nacktfoto*", "desnud*", "pelada*", "hentai",
    "\u88f8\u4f53", "\u8272\u60c5", "\u88f8", "\u30dd\u30eb\u30ce", "\u30cc\u30fc\u30c9",
    "\ud3ec\ub974\ub178", "\ub204\ub4dc", "\u043f\u043e\u0440\u043d\u043e*",
)  # fmt: skip
_MINORS = ("underage*", "preteen*", "pre-teen*", "minderjaehrig*", "minderjahrig*", "lolita*")
_UNMARKED = (
    "without watermark*", "without a watermark", "without the watermark", "without any watermark*",
    "no watermark*", "without label*", "without a label", "without the label", "without any label*",
    "unlabelled copy", "unlabeled copy", "unmarked copy", "strip the label", "strip the watermark",
    "strip the metadata", "remove the label", "remove the watermark", "remove the metadata",
    "remove content credentials", "without disclosure", "without content credentials",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Something that is never done; `finds` says what in a brief asks for it, or None."""

    id: str
    text: str
    source: str
    finds: Callable[[Brief], str | None]


def wording_of(brief: Brief) -> Wording:
    """Return the words of `brief` that people wrote freely, ready to be searched."""
    claims = (part for claim in brief.claims for part in (claim.text, claim.source))
    return _prepared(
        "\n".join([brief.title, brief.purpose, brief.audience, *brief.channels, *claims])
    )


@lru_cache(maxsize=32)
def _prepared(text: str) -> Wording:
    return Wording.of(text)


def _said(phrases: tuple[str, ...]) -> Callable[[Brief], str | None]:
    def finds(brief: Brief) -> str | None:
        found = wording_of(brief).find(phrases)
        return None if found is None else f"the words '{found}'"

    return finds


NO_CONSENT = Block(
    id="no-consent",
    text="Nothing is done with anybody's likeness without their consent to that very act.",
    source="GDPR Art. 9; Tennessee ELVIS Act; Assent acceptable use",
    finds=lambda brief: None,
)
"""Asked of acts, not of briefs: see `purpose.rules.decide`."""

BLOCKS = (
    Block(
        id="no-intimate-content",
        text="Intimate content of any kind is never made, with or without consent.",
        source="EU AI Act Art. 5(1)(ba); UK Crime and Policing Act 2026",
        finds=lambda brief: "intimate = yes" if brief.risk.intimate else None,
    ),
    Block(
        id="no-intimate-content",
        text="The words of the brief speak of intimate content, which is never made.",
        source="EU AI Act Art. 5(1)(ba); UK Crime and Policing Act 2026",
        finds=_said(_INTIMATE),
    ),
    Block(
        id="no-minors",
        text="Nobody under 18 may be shown, imitated or appear as such.",
        source="EU AI Act Art. 5(1)(bb)",
        finds=lambda brief: "minors = yes" if brief.risk.minors else None,
    ),
    Block(
        id="no-minors",
        text="The words of the brief speak of people under 18, who are never shown.",
        source="EU AI Act Art. 5(1)(bb)",
        finds=_said(_MINORS),
    ),
    Block(
        id="no-unmarked-copy",
        text="Nothing leaves without label, marks, signed manifest and log entry.",
        source="EU AI Act Art. 50; Code of Practice, M1.2",
        finds=_said(_UNMARKED),
    ),
)
"""The hard blocks that a brief can meet."""
