"""The questionnaire: asked question by question, and what each answer brings is told at once.

It is pure: it takes what has been said so far and says which rules an answer sets off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from assent.purpose.brief import Brief, RiskAnswers
from assent.purpose.pack import Pack
from assent.purpose.rules import Decision, Ruling, decide

__all__ = ["QUESTIONS", "Question", "judge", "set_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One yes-or-no question about risk; `name` is its field in a brief."""

    name: str
    text: str


QUESTIONS = tuple(
    Question(name=name, text=str(field.description))
    for name, field in RiskAnswers.model_fields.items()
)
"""Every question, in the order in which they are asked."""


def judge(
    fields: Mapping[str, Any], answers: Mapping[str, bool], packs: Iterable[Pack], *, day: date
) -> Decision:
    """Say what the rules say of a brief that is answered so far; what isn't is taken as no.

    Raises `BriefError` if the other fields make no brief.
    """
    risk = {question.name: answers.get(question.name, False) for question in QUESTIONS}
    return decide(Brief.from_mapping({**fields, "risk": risk}), packs, day=day)


def set_off(before: Decision, after: Decision) -> tuple[Ruling, ...]:
    """Return the rulings that an answer has set off: those of `after` that `before` lacks."""
    had = {(ruling.pack, ruling.rule) for ruling in (*before.rulings, *before.upcoming)}
    return tuple(
        ruling
        for ruling in (*after.rulings, *after.upcoming)
        if (ruling.pack, ruling.rule) not in had
    )
