"""The decision: which rule speaks when, where, on which day, of which act."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studios import brief_with

from assent.kit.errors import ForbiddenPurposeError
from assent.purpose.brief import Category
from assent.purpose.levels import LEVELS
from assent.purpose.pack import EFFECTS, Pack, Rule, load_packs, parse_pack
from assent.purpose.rules import Decision, RecordTerms, Ruling, assess, concerned, decide

PACKS = load_packs()
DAY = date(2026, 11, 22)
CLAIM = {"text": "It rained in May.", "source": "https://example.org/rain"}
TAME: dict[str, Any] = {"risk": {"realistic": False}, "jurisdictions": ["NZ"]}


def terms(**changes: Any) -> RecordTerms:  # noqa: ANN401 - fields of many kinds
    fields: dict[str, Any] = {
        "use": "A lesson for schools",
        "territory": "worldwide",
        "starts": date(2026, 11, 1),
        "ends": date(2027, 10, 31),
        "acts": frozenset({"ingest", "train", "portray", "perform", "release"}),
        "modalities": frozenset({"face"}),
    }
    return RecordTerms(**{**fields, **changes})


def ids(decision: Decision) -> set[str]:
    return {ruling.rule for ruling in decision.rulings}


def every_rule() -> Iterator[Any]:
    for pack in PACKS:
        for rule in pack.rules:
            yield pytest.param(pack, rule, id=rule.id)


def ask_for(pack: Pack, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return fields of a brief and arguments of `decide` of which `rule` speaks."""
    fields: dict[str, Any] = {"risk": {"realistic": False, **rule.when.risk}}
    fields["jurisdictions"] = ["NZ" if "*" in pack.jurisdictions else pack.jurisdictions[-1]]
    if rule.when.category:
        fields["category"] = rule.when.category[0].value
    if rule.when.claims == "some":
        fields["claims"] = [CLAIM]
    if rule.words:
        fields["audience"] = f"Whoever likes {rule.words[0].replace('*', 'ing')} today"
    record = terms()
    if rule.when.longer_than_days:
        record = terms(ends=record.starts + timedelta(days=rule.when.longer_than_days + 1))
    if rule.when.use_words:
        record = terms(use=f"For {rule.when.use_words[0].replace('*', '')} of it")
    return fields, {"terms": record, "day": rule.begins or DAY}


@pytest.mark.parametrize(("pack", "rule"), list(every_rule()))
def test_every_rule_can_fire_from_its_first_day_on(pack: Pack, rule: Rule) -> None:
    fields, arguments = ask_for(pack, rule)
    brief = brief_with(**fields)
    decision = decide(brief, PACKS, **arguments)
    assert rule.id in ids(decision)
    (ruling,) = (each for each in decision.rulings if each.rule == rule.id)
    assert (ruling.pack, ruling.effect, ruling.text) == (pack.name, rule.effect, rule.text)
    assert ruling.because or pack.name == "base"
    if rule.effect == "refuse":
        assert decision.refusal is not None
        with pytest.raises(ForbiddenPurposeError, match="refused by rule '"):
            decision.require()
    if rule.begins is not None:
        before = {**arguments, "day": rule.begins - timedelta(days=1)}
        assert rule.id not in ids(decide(brief, PACKS, **before))


@pytest.mark.parametrize(("pack", "rule"), list(every_rule()))
def test_every_rule_can_be_silent(pack: Pack, rule: Rule) -> None:
    tame = decide(brief_with(**TAME), PACKS, day=date(2030, 1, 1), terms=terms())
    assert rule.id not in ids(tame)


@pytest.mark.parametrize(("pack", "rule"), list(every_rule()))
def test_each_condition_counts(pack: Pack, rule: Rule) -> None:
    """Without any one of its conditions a rule says nothing."""
    fields, arguments = ask_for(pack, rule)
    for name, wanted in rule.when.risk.items():
        other = {**fields, "risk": {**fields["risk"], name: not wanted}}
        assert rule.id not in ids(decide(brief_with(**other), PACKS, **arguments))
    if rule.when.category:
        kind = next(each for each in Category if each not in rule.when.category)
        other = {**fields, "category": kind.value}
        assert rule.id not in ids(decide(brief_with(**other), PACKS, **arguments))
    if rule.when.claims == "none":
        other = {**fields, "claims": [CLAIM]}
        assert rule.id not in ids(decide(brief_with(**other), PACKS, **arguments))
    if rule.when.of_record:
        for record in (None, terms()):
            asked = {**arguments, "terms": record}
            assert rule.id not in ids(decide(brief_with(**fields), PACKS, **asked))


# What is refused (R), warned of (W) and at which level, by place, act and day. One line a case.
TABLE: list[tuple[list[str], dict[str, Any], dict[str, Any], str | None, str | None, str, str]] = [
    # places, brief, terms, act, refused by, level, day
    (["NZ"], {}, {}, None, None, "low", "2026-11-22"),
    (["NZ"], {}, {}, "release", None, "low", "2026-11-22"),
    (["EU"], {}, {}, "release", None, "low", "2026-12-02"),
    (["EU"], {"meant_to_be_believed": True}, {}, None, "no-deception", "low", "2026-11-22"),
    (
        ["US-CA"],
        {},
        {"use": "in any and all media"},
        "train",
        "us-ca-vague-clause",
        "low",
        "2026-11-22",
    ),
    (
        ["US"],
        {},
        {"use": "in any and all media"},
        "train",
        "us-ca-vague-clause",
        "low",
        "2026-11-22",
    ),
    (["US-NY"], {}, {"use": "in any and all media"}, "train", None, "low", "2026-11-22"),
    (["EU"], {}, {"use": "in any and all media"}, "train", None, "low", "2026-11-22"),
    # The record's territory names California: its rules count, whatever the brief says.
    (
        ["EU"],
        {},
        {"use": "for any purpose", "territory": "EU, California"},
        "portray",
        "us-ca-vague-clause",
        "low",
        "2026-11-22",
    ),
    (
        ["EU"],
        {},
        {"use": "for any purpose", "territory": "worldwide"},
        "portray",
        None,
        "low",
        "2026-11-22",
    ),
    (["US-WA"], {}, {"ends": date(2037, 1, 1)}, "release", "us-long-licence", "low", "2026-11-22"),
    (["CN"], {}, {"ends": date(2037, 1, 1)}, "release", None, "low", "2026-11-22"),
    (["US-NY"], {"deceased": True}, {}, None, None, "high", "2026-06-08"),
    (["NZ"], {"election": True}, {}, None, None, "severe", "2026-11-22"),
    (["NZ"], {"political": True}, {}, None, None, "high", "2026-11-22"),
    (["NZ"], {"crime": True, "private_person": True}, {}, None, None, "high", "2026-11-22"),
    (
        ["NZ"],
        {"crime": True, "private_person": True, "realistic": True},
        {},
        None,
        "crime-of-a-private-person",
        "high",
        "2026-11-22",
    ),
    (["NZ"], {"real_world_claims": True}, {}, None, "claims-without-sources", "low", "2026-11-22"),
    (
        ["NZ"],
        {"public_figure": True, "advertising": True, "finance": True},
        {},
        None,
        None,
        "severe",
        "2026-11-22",
    ),
    (["NZ"], {"satire": True}, {}, None, None, "medium", "2026-11-22"),
    (["NZ"], {}, {"acts": frozenset({"ingest"})}, "release", "no-consent", "low", "2026-11-22"),
    (["NZ"], {}, {"acts": frozenset({"ingest"})}, "ingest", None, "low", "2026-11-22"),
]


@pytest.mark.parametrize(("places", "risk", "record", "act", "refused", "level", "day"), TABLE)
def test_the_truth_table(
    places: list[str],
    risk: dict[str, bool],
    record: dict[str, Any],
    act: str | None,
    refused: str | None,
    level: str,
    day: str,
) -> None:
    brief = brief_with(jurisdictions=places, risk={"realistic": False, **risk})
    decision = decide(
        brief, PACKS, day=date.fromisoformat(day), terms=terms(**record), act=act
    )  # fmt: skip
    assert (decision.refusal.rule if decision.refusal else None) == refused
    assert decision.level == LEVELS[level]


@pytest.mark.parametrize(
    ("places", "packs"),
    [
        (["NZ"], ["base"]),
        (["EU"], ["base", "dk", "eu"]),
        (["DK"], ["base", "dk", "eu"]),
        (["de", "us-ca"], ["base", "eu", "us", "us-ca"]),
        (["CN", "FR", "US"], ["base", "cn", "eu", "us", "us-ca", "us-ny", "us-tn"]),
        (["United Kingdom"], ["base", "uk"]),
        (["South Korea", "IN"], ["base", "in", "kr"]),
        (["worldwide"], [pack.name for pack in PACKS]),
    ],
)
def test_packs_speak_for_their_places(places: list[str], packs: list[str]) -> None:
    decision = decide(brief_with(jurisdictions=places), PACKS, day=DAY)
    assert [name.split()[0] for name in decision.packs] == packs
    assert all(name.split()[1].startswith("2026.11") for name in decision.packs)


def test_further_places_and_places_without_a_pack() -> None:
    decision = decide(brief_with(jurisdictions=["NZ", "Atlantis"]), PACKS, day=DAY, places=["CN"])
    assert decision.without_pack == ("ATLANTIS", "NZ")
    assert "cn-metadata" in ids(decision)


def test_what_begins_before_the_end_is_told_beforehand() -> None:
    decision = decide(brief_with(jurisdictions=["EU"]), PACKS, day=DAY)
    assert [(r.rule, r.begins) for r in decision.upcoming] == [
        ("eu-safeguards", date(2026, 12, 2)),
        ("eu-interoperability", date(2027, 2, 2)),
    ]
    short = brief_with(jurisdictions=["EU"], ends="2026-12-31")
    assert [r.rule for r in decide(short, PACKS, day=DAY).upcoming] == ["eu-safeguards"]


def test_the_strictest_comes_first() -> None:
    decision = decide(brief_with(jurisdictions=["worldwide"]), PACKS, day=DAY)
    order = [EFFECTS.index(ruling.effect) for ruling in decision.rulings]
    assert order == sorted(order, reverse=True)


def test_an_assessment_is_of_what_is_allowed() -> None:
    assessment = assess(brief_with(jurisdictions=["EU"]), PACKS, day=DAY)
    assert assessment.level == LEVELS["medium"]
    assert "eu-label" in {ruling.id for ruling in assessment.applied}
    with pytest.raises(ForbiddenPurposeError, match="no-live-swap") as caught:
        assess(brief_with(purpose="Swap faces in a video-call"), PACKS, day=DAY)
    assert caught.value.advice == (
        "This can't be worked on in Assent (source: Assent acceptable use)."
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"purpose": "Blackmailing a neighbour"}, "no-harm"),
        ({"purpose": "To bypass face verification"}, "no-harm"),
        ({"purpose": "Show them without their knowledge."}, "no-harm"),
        ({"claims": [{"text": "We defrauded them", "source": "own"}]}, "no-harm"),
        ({"purpose": "A real time swap"}, "no-live-swap"),
        ({"purpose": "A _live_camera_ trick"}, "no-live-swap"),
        ({"title": "The scampi season"}, "no-harm"),
        ({"category": "news", "risk": {"shows_real_event": True}}, "fabricated-news"),
    ],
)
def test_forbidden_by_our_own_rules(changes: dict[str, Any], rule: str) -> None:
    refusal = decide(brief_with(**changes), PACKS, day=DAY).refusal
    assert refusal is not None
    assert refusal.rule == rule


def test_protecting_a_person_may_look_real_but_needs_a_reviewer() -> None:
    brief = brief_with(category="identity-protection", risk={"meant_to_be_believed": True})
    assert assess(brief, PACKS, day=DAY).level == LEVELS["high"]


def test_reasons_are_told() -> None:
    brief = brief_with(jurisdictions=["US-CA"], risk={"deceased": True})
    decision = decide(brief, PACKS, day=DAY)
    because = {ruling.rule: ruling.because for ruling in decision.rulings}
    assert because["us-ca-estate"] == ("deceased = yes", "shown in US-CA")
    assert because["risk-deceased"] == ("deceased = yes",)
    world = decide(brief_with(jurisdictions=["worldwide"]), PACKS, day=DAY)
    assert {r.because for r in world.rulings if r.pack == "kr"} == {("shown worldwide",)}


def some_pack(**rule: Any) -> Pack:  # noqa: ANN401 - fields of many kinds
    fields = {"id": "zz-rule", "effect": "refuse", "text": "No.", "source": "Here.", **rule}
    return parse_pack(
        {
            "name": "zz", "title": "Zz", "version": "2026.1", "date": "2026-01-01",
            "source": "Here.", "jurisdictions": ["NZ"], "rule": [fields],
        },
        name="zz",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "asked", "speaks"),
    [
        ({"act": ["release"]}, {"act": "release", "terms": terms()}, True),
        ({"act": ["release"]}, {"act": "train", "terms": terms()}, False),
        ({"act": ["release"]}, {}, False),
        ({"modality": ["voice"]}, {"terms": terms()}, False),
        ({"modality": ["voice"]}, {"terms": terms(modalities=frozenset({"voice"}))}, True),
        ({"modality": ["voice"]}, {"terms": terms(), "modalities": {"voice"}}, True),
        ({"modality": ["voice"]}, {}, False),
    ],
)
def test_acts_and_modalities(when: dict[str, Any], asked: dict[str, Any], speaks: bool) -> None:
    pack = some_pack(when=when)
    decision = decide(brief_with(**TAME), [pack], day=DAY, **asked)
    assert ("zz-rule" in ids(decision)) == speaks


def test_a_rule_ends() -> None:
    pack = some_pack(until="2026-11-22")
    assert decide(brief_with(**TAME), [pack], day=DAY).refusal is not None
    assert decide(brief_with(**TAME), [pack], day=DAY + timedelta(days=1)).refusal is None


def test_a_draft_is_told_as_one() -> None:
    decision = decide(brief_with(jurisdictions=["DK"]), PACKS, day=DAY)
    (ruling,) = (each for each in decision.rulings if each.pack == "dk")
    assert (ruling.status, ruling.effect, ruling.weak) == ("draft", "warn", True)


def test_packs_concern_places() -> None:
    assert concerned(PACKS[0], ["NZ"])
    assert not concerned(some_pack(), ["EU"])


# --- no pack loosens anything -------------------------------------------------------------------

rules_of_anyone = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(EFFECTS),
        "text": st.just("Anything is allowed from now on."),
        "source": st.just("The wild."),
        "when": st.fixed_dictionaries(
            {},
            optional={
                "risk": st.dictionaries(
                    st.sampled_from(["intimate", "minors", "election", "realistic"]), st.booleans()
                ),
                "claims": st.sampled_from(["none", "some"]),
                "act": st.lists(st.sampled_from(["train", "release"]), max_size=2),
            },
        ),
    },
    optional={
        "words": st.lists(st.sampled_from(["lesson", "porn*", "a*"]), max_size=2),
        "from": st.just("2020-01-01"),
        "until": st.just("2030-01-01"),
        "status": st.sampled_from(["in force", "draft", "enjoined", "policy"]),
    },
)


@settings(max_examples=50, deadline=None)
@given(
    rules=st.lists(rules_of_anyone, min_size=1, max_size=4),
    name=st.sampled_from(["zz", "eu-more"]),
    risk=st.dictionaries(
        st.sampled_from(["intimate", "minors", "election", "realistic", "crime", "political"]),
        st.booleans(),
    ),
    act=st.sampled_from([None, "train", "release"]),
)
def test_no_pack_makes_anything_easier(
    rules: list[dict[str, Any]], name: str, risk: dict[str, bool], act: str | None
) -> None:
    """With any further pack a refusal stays one, no ruling goes, and the level never falls."""
    numbered = [{**rule, "id": f"{name}-{n}"} for n, rule in enumerate(rules)]
    extra = parse_pack(
        {
            "name": name, "title": "Anyone's", "version": "2030.1", "date": "2026-01-01",
            "source": "The wild.", "jurisdictions": ["*"], "rule": numbered,
        },
        name=name,
    )  # fmt: skip
    brief = brief_with(risk=risk)
    without = decide(brief, PACKS, day=DAY, terms=terms(), act=act)
    for packs in ((*PACKS, extra), (extra, *PACKS)):
        with_it = decide(brief, packs, day=DAY, terms=terms(), act=act)
        assert set(with_it.rulings) >= set(without.rulings)
        assert with_it.level.shortest_side <= without.level.shortest_side
        if without.refusal is not None:
            assert with_it.refusal is not None


@given(risk=st.dictionaries(st.sampled_from(["intimate", "minors"]), st.just(True), min_size=1))
def test_without_any_pack_the_hard_blocks_hold(risk: dict[str, bool]) -> None:
    assert decide(brief_with(risk=risk), [], day=DAY).refusal is not None


def test_a_ruling_can_be_compared() -> None:
    one = decide(brief_with(), PACKS, day=DAY).rulings[0]
    assert isinstance(one, Ruling)
    assert one == decide(brief_with(), PACKS, day=DAY).rulings[0]
