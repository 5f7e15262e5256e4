import re
import string
from datetime import date
from pathlib import Path

import pytest

import assent.apps.web
from assent.apps.web.words import _KNOWN_ERRORS, language_of, words_in
from assent.consent.notice import LANGUAGES
from assent.kit.errors import NotClearedError

WEB = Path(str(assent.apps.web.__file__)).parent


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    english, words = words_in("en").texts, words_in(language).texts
    assert words.keys() == english.keys()
    for name, text in english.items():
        assert fields(words[name]) == fields(text), name
    assert len(words["months"].split()) == 12


def test_the_templates_use_words_that_there_are() -> None:
    texts = words_in("en").texts
    used = set()
    for template in (WEB / "templates").glob("*.html"):
        used |= set(re.findall(r'\bt\("(\w+)"', template.read_text("utf-8")))
    for module in WEB.glob("*.py"):
        used |= set(re.findall(r'\b(?:t|words)\("(\w+)"', module.read_text("utf-8")))
    assert {name for name in used if not name.endswith("_")} <= texts.keys()
    assert set(_KNOWN_ERRORS.values()) <= texts.keys()


def test_templates_load_nothing_from_elsewhere_and_hold_no_script() -> None:
    for template in (WEB / "templates").glob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"https?:", text), template.name
        assert not re.search(r"\son\w+=|style=|\|safe|<style", text), template.name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script
    for script in (WEB / "static").glob("*.js"):
        assert not re.search(r"innerHTML|eval\(|https?:", script.read_text("utf-8")), script.name


def test_the_recording_has_no_place_for_a_file() -> None:
    text = (WEB / "templates" / "record.html").read_text("utf-8")
    assert 'type="file"' not in text
    assert 'type: "file"' not in (WEB / "static" / "record.js").read_text("utf-8")


def test_days() -> None:
    assert words_in("en").day(date(2026, 11, 3)) == "3 November 2026"
    assert words_in("de").day(date(2026, 3, 1)) == "1. März 2026"
    assert words_in("es").day(date(2026, 1, 31)) == "31 de enero de 2026"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,de;q=0.9", "de"), ("fr, es;q=0.5", "es"), ("", "en"), ("x" * 999, "en")],
)
def test_the_browsers_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_errors_are_told_in_the_subjects_words() -> None:
    words = words_in("de")
    assert "funktioniert nicht" in str(words.of_error(NotClearedError("this link does not work")))
    assert words.of_error(NotClearedError("something else")) is None
