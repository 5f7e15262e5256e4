import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import brief_with

from assent.kit.errors import ForbiddenPurposeError
from assent.purpose.brief import Brief
from assent.purpose.rules import Level, Pack, Rule, assess, load_packs

PACKS = load_packs()
CLAIM = {"text": "It rained in May.", "source": "https://example.org/rain"}


def rules() -> list[Any]:
    return list(_rules())


def _rules() -> Iterator[Any]:
    for pack in PACKS:
        for number, rule in enumerate(pack.rules):
            yield pytest.param(pack, rule, id=f"{pack.name}-{number}-{rule.id}")


def fields_for(pack: Pack, rule: Rule) -> dict[str, Any]:
    """Return fields of a brief that `rule` speaks of, and the tamest in all else."""
    fields: dict[str, Any] = {"risk": {"realistic": False}}
    if "*" not in pack.jurisdictions:
        fields["jurisdictions"] = [pack.jurisdictions[-1]]
    for key, wanted in rule.when.items():
        value = wanted[0] if isinstance(wanted, list) else wanted
        if key.startswith("risk."):
            fields["risk"][key.removeprefix("risk.")] = value
        elif value != "none":
            fields[key] = value
    return fields


@pytest.mark.parametrize(("pack", "rule"), rules())
def test_every_rule_can_fire_and_is_cited(pack: Pack, rule: Rule) -> None:
    for words in rule.words or ("",):
        spoken = words.replace("*", "ing")
        brief = brief_with(**fields_for(pack, rule), audience=f"Whoever likes {spoken} today")
        assert rule.applies(brief)
        if rule.effect == "refuse":
            with pytest.raises(ForbiddenPurposeError) as caught:
                assess(brief, [pack])
            assert f"refused by rule '{rule.id}'" in str(caught.value)
            assert rule.text in str(caught.value) or len(rule.when) + len(rule.words) > 1
            assert "source: " in caught.value.advice
            assert caught.value.exit_code == 3
        else:
            assert rule in assess(brief, PACKS).applied


@pytest.mark.parametrize(("pack", "rule"), rules())
def test_every_rule_can_be_silent(pack: Pack, rule: Rule) -> None:
    tame = brief_with(risk={"realistic": False}, jurisdictions=["NZ"])
    unconditional = not rule.when and not rule.words
    assert rule.applies(tame) == unconditional
    assert rule not in assess(tame, PACKS).applied


@pytest.mark.parametrize(("pack", "rule"), rules())
def test_each_part_of_a_rule_counts(pack: Pack, rule: Rule) -> None:
    """Without any one of its conditions a rule with several says nothing."""
    fields = fields_for(pack, rule)
    for key in rule.when:
        other = {**fields, "risk": dict(fields["risk"])}
        if key == "category":
            listed = rule.when[key]
            other["category"] = "film" if "film" not in listed else "identity-protection"
        elif key == "claims":
            other["claims"] = [CLAIM]
        else:
            name = key.removeprefix("risk.")
            other["risk"][name] = not other["risk"][name]
        assert not rule.applies(brief_with(**other))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"risk": {"intimate": True}}, "no-intimate-content"),
        ({"title": "Deepnudes of a star"}, "no-intimate-content"),
        ({"title": "A deepnude of a star"}, "no-intimate-content"),
        ({"purpose": "An EROTIC film"}, "no-intimate-content"),
        ({"audience": "Porn\u200bography fans"}, "no-intimate-content"),
        ({"title": "\uff30\uff2f\uff32\uff2e"}, "no-intimate-content"),
        ({"title": "a sex-tape of someone"}, "no-intimate-content"),
        ({"title": "a sex\n  tape of someone"}, "no-intimate-content"),
        ({"risk": {"minors": True}}, "no-minors"),
        ({"risk": {"meant_to_be_believed": True}}, "no-deception"),
        ({"purpose": "Blackmailing a neighbour"}, "no-deception"),
        ({"purpose": "To bypass face verification"}, "no-deception"),
        ({"purpose": "Show them without their knowledge."}, "no-deception"),
        ({"claims": [{"text": "We defrauded them", "source": "own"}]}, "no-deception"),
        ({"purpose": "Swap faces in a video-call"}, "no-live-swap"),
        ({"purpose": "A real time swap"}, "no-live-swap"),
        ({"purpose": "A _live_camera_ trick"}, "no-live-swap"),
        ({"category": "news", "risk": {"shows_real_event": True}}, "fabricated-news"),
    ],
)
def test_forbidden_purposes(changes: dict[str, Any], rule: str) -> None:
    brief = brief_with(**changes)
    with pytest.raises(ForbiddenPurposeError, match=f"^refused by rule '{rule}': ") as caught:
        assess(brief, PACKS)
    assert caught.value.advice.startswith("This purpose can't be worked on in Assent (source: ")


@pytest.mark.parametrize(
    "title", ["A nuder shade of paint", "Denuded", "Calling video shops", "Undercover", "Real time"]
)
def test_words_are_whole_words(title: str) -> None:
    assert assess(brief_with(title=title), PACKS).level.name == "medium"


def test_stars_stand_for_any_ending() -> None:
    """So some harmless words are refused too; their authors choose another."""
    with pytest.raises(ForbiddenPurposeError):
        assess(brief_with(title="The scampi season"), PACKS)


def test_protecting_a_person_may_look_real_but_needs_a_reviewer() -> None:
    brief = brief_with(category="identity-protection", risk={"meant_to_be_believed": True})
    assert assess(brief, PACKS).level == Level(name="high", shortest_side=720, sign_off=True)


def test_news_with_sources_is_allowed() -> None:
    brief = brief_with(category="news", risk={"shows_real_event": True}, claims=[CLAIM])
    assert assess(brief, PACKS).level.sign_off


@pytest.mark.parametrize(
    ("risk", "level", "side", "sign_off"),
    [
        ({"realistic": False}, "low", 2160, False),
        ({"realistic": True}, "medium", 1080, False),
        ({"realistic": False, "advertising": True}, "medium", 1080, False),
        ({"realistic": False, "political": True}, "high", 720, True),
        ({"realistic": True, "public_figure": True}, "high", 720, True),
        ({"realistic": False, "public_figure": True}, "low", 2160, False),
    ],
)
def test_the_highest_level_counts(
    risk: dict[str, bool], level: str, side: int, sign_off: bool
) -> None:
    expected = Level(name=level, shortest_side=side, sign_off=sign_off)
    assert assess(brief_with(risk=risk), PACKS).level == expected


@pytest.mark.parametrize(
    ("places", "packs"),
    [
        (["NZ"], ["base"]),
        (["EU"], ["base", "eu"]),
        (["de", "us-ca"], ["base", "eu", "us"]),
        (["CN", "FR", "US"], ["base", "cn", "eu", "us"]),
    ],
)
def test_packs_speak_for_their_places(places: list[str], packs: list[str]) -> None:
    assessment = assess(brief_with(jurisdictions=places), PACKS)
    assert assessment.packs == tuple(f"{name} 2026.11" for name in packs)


def test_the_base_pack_comes_first_and_holds_everywhere() -> None:
    assert PACKS[0].name == "base"
    assert PACKS[0].jurisdictions == ("*",)
    assert set(PACKS[0].levels) == {"low", "medium", "high"}


def test_packs_name_their_sources() -> None:
    for pack in PACKS:
        assert pack.title
        assert pack.source
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", pack.date)
        for rule in pack.rules:
            assert rule.effect in {"refuse", "low", "medium", "high", "note"}
            assert rule.source
            assert rule.text.endswith(".")


@given(st.text(min_size=3, max_size=60).filter(lambda text: len(text.strip()) >= 3))
def test_any_words_are_judged(text: str) -> None:
    """Whatever surrounds it, a forbidden word is found where it stands by itself."""
    brief = brief_with(purpose=f"{text} | nudity | {text}")
    with pytest.raises(ForbiddenPurposeError):
        assess(brief, PACKS)


def test_a_rule_that_names_no_field_is_a_mistake_of_ours() -> None:
    rule = Rule(
        id="x", effect="note", text="x", source="x", when={"risk.absent": True}, words=()
    )  # fmt: skip
    with pytest.raises(KeyError):
        rule.applies(Brief.model_validate(brief_with().to_json()))
