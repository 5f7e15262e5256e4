from datetime import date

import pytest
from studios import brief_with

from assent.kit.errors import BriefError
from assent.purpose.brief import EXAMPLE, RiskAnswers
from assent.purpose.pack import load_packs
from assent.purpose.questionnaire import QUESTIONS, judge, set_off

DAY = date(2026, 11, 22)
FIELDS = {name: value for name, value in EXAMPLE.items() if name != "risk"}


def told(answer: str, **before: bool) -> list[str]:
    packs = load_packs()
    first = judge(FIELDS, before, packs, day=DAY)
    return [r.rule for r in set_off(first, judge(FIELDS, {**before, answer: True}, packs, day=DAY))]


def test_every_answer_is_asked_for() -> None:
    assert [question.name for question in QUESTIONS] == list(RiskAnswers.model_fields)
    assert all(question.text.endswith("?") for question in QUESTIONS)


@pytest.mark.parametrize(
    ("answer", "before", "rules"),
    [
        ("intimate", {}, ["no-intimate-content", "eu-intimate-imagery"]),
        ("realistic", {}, ["risk-realistic"]),
        ("public_figure", {}, []),
        ("public_figure", {"realistic": True}, ["risk-public-figure"]),
        ("election", {}, ["risk-election"]),
        (
            "crime",
            {"realistic": True, "private_person": True},
            ["crime-of-a-private-person", "risk-crime"],
        ),
        ("real_world_claims", {}, ["claims-without-sources"]),
    ],
)
def test_an_answer_tells_what_it_sets_off(
    answer: str, before: dict[str, bool], rules: list[str]
) -> None:
    assert told(answer, **before) == rules


def test_every_answer_alone_sets_something_off_or_raises_what_is_told_later() -> None:
    silent = {question.name for question in QUESTIONS if not told(question.name)}
    # These count together with others only.
    assert silent == {"public_figure", "shows_real_event"}


def test_the_other_fields_must_make_a_brief() -> None:
    with pytest.raises(BriefError, match="title"):
        judge({**FIELDS, "title": ""}, {}, load_packs(), day=DAY)


def test_what_is_not_answered_is_no() -> None:
    tame = judge(FIELDS, {}, load_packs(), day=DAY)
    assert tame.level.name == "low"
    assert judge(FIELDS, {"realistic": True}, load_packs(), day=DAY) == judge(
        {**brief_with().to_json(), "risk": None}, {"realistic": True}, load_packs(), day=DAY
    )
