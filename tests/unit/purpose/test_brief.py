from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import brief_with

from assent.kit.errors import BriefError
from assent.purpose.brief import EXAMPLE, Brief


def test_the_example_is_a_brief() -> None:
    brief = Brief.from_mapping(EXAMPLE)
    assert (brief.starts, brief.ends, brief.term_days) == (
        date(2026, 11, 1),
        date(2027, 10, 31),
        364,
    )
    assert brief.languages == ("en",)
    assert brief.reviewer is None
    assert Brief.from_mapping(brief.to_json()) == brief


@pytest.mark.parametrize("field", list(EXAMPLE))
def test_every_field_must_be_given(field: str) -> None:
    rest = {name: value for name, value in EXAMPLE.items() if name != field}
    with pytest.raises(BriefError, match=f"{field}: Field required") as caught:
        Brief.from_mapping(rest)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("answer", list(dict(EXAMPLE["risk"])))  # type: ignore[call-overload]
def test_every_risk_must_be_answered(answer: str) -> None:
    risk = {name: value for name, value in brief_with().to_json()["risk"].items() if name != answer}
    with pytest.raises(BriefError, match=rf"risk\.{answer}: Field required"):
        Brief.from_mapping({**EXAMPLE, "risk": risk})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": "  x  "}, "title: String should have at least 3 characters"),
        ({"purpose": "x" * 4001}, "purpose: String should have at most 4000 characters"),
        ({"category": "prank"}, "category: Input should be 'film', 'education'"),
        ({"channels": []}, "channels: Tuple should have at least 1 item"),
        ({"jurisdictions": ["E"]}, r"jurisdictions\.0: String should have at least 2"),
        ({"starts": "tomorrow"}, "starts: Input should be a valid date"),
        ({"ends": "2026-11-01"}, "as a whole: Value error, ends must lie after starts"),
        ({"ends": "2026-10-31"}, "ends must lie after starts"),
        ({"ends": "2036-11-02"}, "the term is longer than ten years"),
        ({"risk": {"minors": "perhaps"}}, "risk.minors: Input should be a valid boolean"),
        ({"risk": {"funny": True}}, "risk.funny: Extra inputs are not permitted"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"claims": [{"text": "Rain fell."}]}, r"claims\.0\.source: Field required"),
        ({"reviewer": "Dr No"}, "reviewer: String should match pattern"),
        ({"reviewer": "cleo", "second_reviewer": "cleo"}, "second reviewer must be another person"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BriefError, match=f"^the brief can't be used: .*{told}") as caught:
        brief_with(**changes)
    assert "Correct the fields" in caught.value.advice


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BriefError, match=r"title: .*; channels: "):
        brief_with(title="", channels=[])


def test_ten_years_are_allowed() -> None:
    assert brief_with(ends="2036-11-01").term_days == 3653


def test_a_brief_is_read_from_toml() -> None:
    text = 'title = "A lesson"\nstarts = 2026-11-01\n[risk]\nminors = false\n'
    fields = Brief.parse_toml(text)
    assert fields == {
        "title": "A lesson",
        "starts": date(2026, 11, 1),
        "risk": {"minors": False},
    }


@pytest.mark.parametrize("text", ["title = ", "[" * 20_000, "a = 1\na = 2", "\x00"])
def test_bad_toml_is_refused(text: str) -> None:
    with pytest.raises(BriefError, match="the brief is not valid TOML") as caught:
        Brief.parse_toml(text)
    assert "assent project example" in caught.value.advice


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@given(field=st.sampled_from(list(EXAMPLE)), value=json_values)
def test_any_value_is_taken_or_named(field: str, value: object) -> None:
    try:
        brief = Brief.from_mapping({**EXAMPLE, field: value})
    except BriefError as error:
        assert field in str(error) or "as a whole" in str(error)  # noqa: PT017 - either may happen
    else:
        assert Brief.from_mapping(brief.to_json()) == brief


def test_the_readme_of_fields_is_complete() -> None:
    """Each risk answer explains itself, since the command line asks it in these words."""
    schema = Brief.model_json_schema()["$defs"]["RiskAnswers"]["properties"]
    assert all(field["description"].endswith("?") for field in schema.values())
