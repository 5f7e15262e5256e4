"""The hard blocks: whatever the packs say, these are refused."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import brief_with

from assent.kit.errors import ForbiddenPurposeError
from assent.purpose.blocks import BLOCKS
from assent.purpose.rules import assess, decide

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"risk": {"intimate": True}}, "no-intimate-content"),
        ({"title": "Deepnudes of a star"}, "no-intimate-content"),
        ({"title": "A deepnude of a star"}, "no-intimate-content"),
        ({"purpose": "An EROTIC film"}, "no-intimate-content"),
        ({"purpose": "Un film \u00e9rotique"}, "no-intimate-content"),
        ({"audience": "Porn\u200bography fans"}, "no-intimate-content"),
        ({"title": "\uff30\uff2f\uff32\uff2e"}, "no-intimate-content"),
        ({"title": "p\u043er\u0438 p\u043ern"}, "no-intimate-content"),
        ({"title": "a sex-tape of someone"}, "no-intimate-content"),
        ({"title": "a sex\n  tape of someone"}, "no-intimate-content"),
        ({"title": "\u5979\u7684\u88f8\u4f53"}, "no-intimate-content"),
        ({"channels": ["onlyfans"]}, "no-intimate-content"),
        ({"claims": [{"text": "It is so.", "source": "a nude model"}]}, "no-intimate-content"),
        ({"risk": {"minors": True}}, "no-minors"),
        ({"audience": "Fans of underage stars"}, "no-minors"),
        ({"purpose": "A copy without a watermark for friends"}, "no-unmarked-copy"),
        ({"purpose": "Then remove the label again"}, "no-unmarked-copy"),
    ],
)
def test_forbidden_whatever_the_packs_say(changes: dict[str, Any], rule: str) -> None:
    brief = brief_with(**changes)
    with pytest.raises(ForbiddenPurposeError, match=f"^refused by rule '{rule}': ") as caught:
        assess(brief, [], day=DAY)
    assert "source: " in caught.value.advice
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "title",
    ["A nuder shade of paint", "Denuded", "Undercover", "A film about labels", "The watermark"],
)
def test_harmless_words_are_allowed(title: str) -> None:
    assert decide(brief_with(title=title), [], day=DAY).refusal is None


def test_each_block_is_cited() -> None:
    for block in BLOCKS:
        assert block.text.endswith(".")
        assert block.source


def test_no_act_without_consent_to_it() -> None:
    refusal = decide(brief_with(), [], day=DAY, act="train").refusal
    assert refusal is not None
    assert (refusal.rule, refusal.because) == ("no-consent", ("no consent to 'train'",))


@given(st.text(min_size=3, max_size=60).filter(lambda text: len(text.strip()) >= 3))
def test_any_words_are_judged(text: str) -> None:
    brief = brief_with(purpose=f"{text} | nudity | {text}")
    with pytest.raises(ForbiddenPurposeError):
        assess(brief, [], day=DAY)
