"""How rulings are shown: the same table wherever rules are spoken of."""

from collections.abc import Iterable
from typing import Any

from rich.markup import escape

from assent.apps.cli.console import out, show_table
from assent.purpose.rules import Ruling

__all__ = ["ruling_as_json", "show_rulings", "tell_ruling"]

_COLOUR = {
    "refuse": "bold red",
    "severe": "red",
    "high": "red",
    "medium": "yellow",
    "warn": "yellow",
    "note": "dim",
}


def show_rulings(rulings: Iterable[Ruling]) -> None:
    """Print a table of rulings: what each asks, and what set it off."""
    show_table(
        ("rule", "effect", "what it says", "because"),
        [
            (
                escape(ruling.rule),
                f"[{_COLOUR[ruling.effect]}]{ruling.effect}[/]",
                escape(ruling.text),
                escape("; ".join(ruling.because) or "always"),
            )
            for ruling in rulings
        ],
    )


def tell_ruling(ruling: Ruling) -> None:
    """Print one ruling in a line, as an answer sets it off."""
    since = f" (from {ruling.begins})" if ruling.begins else ""
    out.print(
        f"  [{_COLOUR[ruling.effect]}]{ruling.effect}[/] {escape(ruling.rule)}: "
        f"{escape(ruling.text)}{since}",
        soft_wrap=True,
    )


def ruling_as_json(ruling: Ruling) -> dict[str, Any]:
    """Return a ruling as plain JSON values."""
    return {
        "id": ruling.rule,
        "pack": ruling.pack,
        "effect": ruling.effect,
        "text": ruling.text,
        "source": ruling.source,
        "weak_source": ruling.weak,
        "status": ruling.status,
        "because": list(ruling.because),
        "from": ruling.begins.isoformat() if ruling.begins else None,
        "met": ruling.met,
        "how": ruling.how,
    }
