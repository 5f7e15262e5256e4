"""Packs are read strictly: what isn't understood is refused, and nothing can ask for less."""

import re
from datetime import date
from typing import Any

import pytest

from assent.kit.errors import InputError
from assent.purpose.pack import BASE, EFFECTS, LARGEST, Pack, load_packs, parse_pack, read_toml
from assent.purpose.places import EU_MEMBERS

RULE = {"id": "zz-one", "effect": "warn", "text": "Take care.", "source": "Here."}
PACK = {
    "name": "zz",
    "title": "Zz",
    "version": "2026.1",
    "date": "2026-01-01",
    "source": "Here.",
    "jurisdictions": ["ZZ"],
    "rule": [RULE],
}


def pack_with(first: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of many kinds
    return {**PACK, "rule": [{**RULE, **(first or {})}], **changes}


def test_a_pack_is_read_from_toml_and_back() -> None:
    text = """
    name = "zz"
    title = "Zz"
    version = "2026.1"
    date = 2026-01-01
    source = "Here."
    jurisdictions = ["ZZ"]
    [[rule]]
    id = "zz-one"
    effect = "warn"
    text = "Take care."
    source = "Here."
    from = 2026-02-01
    """
    pack = read_toml(text, name="zz.toml")
    assert pack == parse_pack(pack_with({"from": "2026-02-01"}), name="zz")
    assert parse_pack(pack.to_json(), name="zz") == pack
    assert pack.rules[0].begins == date(2026, 2, 1)
    assert pack.order == (2026, 1)
    assert pack.digest() != parse_pack(PACK, name="zz").digest()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (pack_with({"effect": "allow"}), "effect"),
        (pack_with({"effect": "low"}), "effect"),
        (pack_with({"overrides": "no-intimate-content"}), "overrides"),
        (pack_with(level={"high": {"shortest_side": 4320, "sign_off": False}}), "level"),
        (pack_with(allow=["no-minors"]), "allow"),
        (pack_with(name="assent", rule=[{**RULE, "id": "assent-x"}]), "no name for a pack"),
        (pack_with({"id": "no-intimate-content"}), "does not begin with zz-"),
        (pack_with(rule=[RULE, RULE]), "two rules have the same id"),
        (pack_with(rule=[]), "rule"),
        (pack_with(jurisdictions=[]), "jurisdictions"),
        (pack_with(jurisdictions=["Europe"]), "jurisdictions"),
        (pack_with(name="../eu"), "name"),
        (pack_with(version="newest"), "version"),
        (pack_with(version="\u0662\u0660\u0662\u0666.1"), "version"),
        (pack_with({"when": {"risk": {"funny": True}}}), "no question 'funny'"),
        (pack_with({"when": {"act": ["clone"]}}), "no act 'clone'"),
        (pack_with({"when": {"modality": ["soul"]}}), "no modality 'soul'"),
        (pack_with({"when": {"category": ["prank"]}}), "category"),
        (pack_with({"when": {"anything": 1}}), "anything"),
        (pack_with({"words": ["(a+)+$"]}), "words may hold letters"),
        (pack_with({"words": ["a*b*c"]}), "words may hold letters"),
        (pack_with({"when": {"use_words": [".*"]}}), "words may hold letters"),
        (pack_with({"words": ["ab"] * 201}), "words"),
        (
            pack_with(rule=[{**RULE, "id": f"zz-{n}", "words": ["ab"] * 200} for n in range(11)]),
            "too many words",
        ),
        (pack_with(rule=[{**RULE, "id": f"zz-{n}"} for n in range(301)]), "at most 300"),
        (pack_with({"text": "Take\x1b[31m care."}), "can't be printed"),
        (pack_with({"how": "Right\u202eleft."}), "can't be printed"),
        (pack_with({"source": "x" * 1001}), "source"),
        (pack_with({"from": "2026-02-01", "until": "2026-01-01"}), "until lies before from"),
        ({}, "name"),
        (["a", "list"], "valid dictionary"),
        (None, "valid dictionary"),
    ],
)
def test_what_is_no_pack_is_refused(bad: object, told: str) -> None:
    with pytest.raises(
        InputError, match=rf"^p\.toml is no rule pack: .*{re.escape(told)}"
    ) as caught:
        parse_pack(bad, name="p.toml")
    assert len(str(caught.value)) < 700
    assert "practice/rule-packs.md" in caught.value.advice


@pytest.mark.parametrize("text", ["name = ", "[" * 20_000, "a = 1\na = 2", "\x00"])
def test_bad_toml_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not valid TOML"):
        read_toml(text, name="p.toml")


def test_huge_files_are_refused_unread() -> None:
    with pytest.raises(InputError, match="too large"):
        read_toml("#" * (LARGEST + 1), name="p.toml")


def shipped() -> dict[str, Pack]:
    return {pack.name: pack for pack in load_packs()}


def test_the_packs_that_ship() -> None:
    assert list(shipped()) == [
        BASE, "cn", "dk", "eu", "in", "kr", "uk", "us", "us-ca", "us-ny", "us-tn",
    ]  # fmt: skip
    assert shipped()[BASE].jurisdictions == ("*",)
    assert shipped()["dk"].status == "draft"
    assert {name for name, pack in shipped().items() if pack.status == "draft"} == {"dk"}


def test_each_rule_is_written_out() -> None:
    for pack in load_packs():
        assert (pack.title, pack.source) != ("", "")
        assert pack.date <= date(2026, 11, 23)
        for rule in pack.rules:
            assert rule.effect in EFFECTS
            assert rule.text.endswith(".")
            assert rule.how.endswith(".")
            assert rule.source != rule.text
            assert (rule.status == "policy") == (pack.name == BASE)


def test_laws_have_the_dates_that_they_apply_from() -> None:
    begins = {rule.id: str(rule.begins) for pack in load_packs() for rule in pack.rules}
    assert begins["eu-label"] == begins["us-ca-latent-disclosure"] == "2026-08-02"
    assert begins["eu-intimate-imagery"] == begins["eu-child-abuse-material"] == "2026-12-02"
    assert begins["eu-interoperability"] == "2027-02-02"
    assert begins["cn-metadata"] == "2025-09-01"
    assert begins["us-ny-synthetic-performer"] == "2026-06-09"
    assert begins["us-removal-by-platforms"] == "2026-05-19"
    assert begins["kr-notice-and-label"] == "2026-01-22"
    assert begins["in-orders"] == "2026-02-20"


def test_weak_sources_are_marked() -> None:
    weak = {rule.id for pack in load_packs() for rule in pack.rules if rule.weak}
    assert {"cn-sound", "kr-notice-and-label", "dk-likeness"} <= weak


def test_countries_of_the_union_need_no_pack_of_their_own() -> None:
    assert shipped()["eu"].jurisdictions == ("EU",)
    assert "DK" in EU_MEMBERS
