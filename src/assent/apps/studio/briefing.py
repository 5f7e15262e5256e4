"""From the wizard's form to a brief, and what the rules say of it while it is being written."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from assent.kit.errors import AssentError, BriefError
from assent.kit.store.studio import Studio
from assent.purpose.brief import Brief
from assent.purpose.library import packs_of
from assent.purpose.questionnaire import QUESTIONS, judge
from assent.purpose.rules import Decision, Ruling

__all__ = ["EFFECT_WORDS", "brief_from", "fields_of", "judged", "tell"]

EFFECT_WORDS = {
    "refuse": "Refused",
    "severe": "Severe risk",
    "high": "High risk",
    "medium": "Medium risk",
    "warn": "Mind",
    "note": "Applies",
}
"""How an effect of a rule is written."""

_MOST_CLAIMS = 200
_PLACEHOLDERS = {
    "title": "not written yet",
    "purpose": "not written yet",
    "category": "film",
    "audience": "not written yet",
}
_NEED_CLAIMS = ("claims-without-sources", "fabricated-news")
"""Refusals that go away once claims and their sources are given."""


def fields_of(form: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the fields of a brief as the form gives them, not validated; what's empty is left."""

    def one(name: str) -> str:
        return next(iter(form.get(name, ())), "").strip()

    def several(name: str) -> list[str]:
        parts = [part for value in form.get(name, ()) for part in value.split(",")]
        return [part.strip() for part in parts if part.strip()]

    texts = {
        name: one(name)
        for name in (
            "title", "purpose", "category", "audience", "starts", "ends",
            "reviewer", "second_reviewer",
        )
    }  # fmt: skip
    lists = {name: several(name) for name in ("channels", "jurisdictions", "languages")}
    answers = {
        question.name: one(question.name) == "yes"
        for question in QUESTIONS
        if one(question.name) in ("yes", "no")
    }
    fields = {name: value for name, value in {**texts, **lists}.items() if value}
    claims = list(_claims(form))
    return {**fields, "risk": answers, **({"claims": claims} if claims else {})}


def _claims(form: Mapping[str, list[str]]) -> Iterable[dict[str, str]]:
    pairs = zip(form.get("claim", ()), form.get("claim_source", ()), strict=False)
    for text, source in list(pairs)[:_MOST_CLAIMS]:
        if text.strip() or source.strip():
            yield {"text": text.strip(), "source": source.strip()}


def brief_from(fields: Mapping[str, Any]) -> Brief:
    """Return the brief; raises `BriefError` that names what is missing."""
    unanswered = [each.text for each in QUESTIONS if each.name not in fields["risk"]]
    if unanswered:
        raise BriefError(
            f"not answered yet: {' '.join(unanswered)}", advice="Answer each question."
        )
    return Brief.from_mapping(fields)


def judged(studio: Studio, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the rules say so far, as plain JSON values for the page.

    What isn't written yet is taken as empty, and what isn't answered as no.
    """
    today = studio.clock().date()
    whole = {
        **_PLACEHOLDERS,
        "channels": ["any"],
        "jurisdictions": ["worldwide"],
        "starts": today.isoformat(),
        "ends": (today + timedelta(days=365)).isoformat(),
        **{name: value for name, value in fields.items() if name != "risk"},
    }
    try:
        decision = judge(whole, fields.get("risk", {}), packs_of(studio), day=today)
    except AssentError as error:
        nothing: dict[str, Any] = {"rulings": [], "demands": [], "level": None, "refusal": None}
        return {"problem": str(error), **nothing}
    return {"problem": None, **_told(decision)}


def _told(decision: Decision) -> dict[str, Any]:
    refusal = decision.refusal
    return {
        "level": decision.level.name,
        "demands": list(decision.level.demands()),
        "refusal": None if refusal is None else refusal.text,
        "curable": refusal is not None and refusal.rule in _NEED_CLAIMS,
        "rulings": [
            *(tell(ruling) for ruling in decision.rulings),
            *(tell(ruling) for ruling in decision.upcoming),
        ],
        "packs": list(decision.packs),
        "without": list(decision.without_pack),
    }


def tell(ruling: Ruling) -> dict[str, Any]:
    """Return a ruling as the page shows it, with the questions that set it off."""
    known = {question.name for question in QUESTIONS}
    answers = [because.partition(" = ")[0] for because in ruling.because]
    return {
        "rule": ruling.rule,
        "pack": ruling.pack,
        "effect": ruling.effect,
        "word": EFFECT_WORDS[ruling.effect],
        "text": ruling.text,
        "source": ruling.source,
        "because": "; ".join(_plainly(each) for each in ruling.because) or "always",
        "begins": _day(ruling.begins),
        "status": ruling.status,
        "answers": [name for name in answers if name in known],
    }


def _plainly(because: str) -> str:
    """Return what set a rule off in the words of the form."""
    name, equals, answer = because.partition(" = ")
    text = next((each.text for each in QUESTIONS if each.name == name), None)
    return f"{text} {answer.capitalize()}." if equals and text else because


def _day(moment: date | None) -> str | None:
    return None if moment is None else moment.isoformat()
