import re
from importlib import resources

import pytest

from assent.apps.public.words import LANGUAGES, words_in
from assent.purpose.brief import Category
from assent.verify.findings import Status, Verdict
from assent.verify.page.result import LAYERS

TEMPLATES = resources.files("assent.apps.public") / "templates"


def test_every_language_has_the_same_words_with_the_same_blanks() -> None:
    blanks = {
        language: {
            name: set(re.findall(r"{\w+}", text)) for name, text in words_in(language).texts.items()
        }
        for language in LANGUAGES
    }
    assert blanks["de"] == blanks["en"] == blanks["es"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_found_has_words(language: str) -> None:
    words = words_in(language).texts
    needed = {f"kind_{each.value.replace('-', '_')}" for each in Category}
    for verdict in Verdict:
        key = verdict.value.replace("-", "_")
        needed |= {f"verdict_{key}_{part}" for part in ("title", "says", "hint")}
    needed |= {f"status_{each.value}" for each in Status}
    needed |= {f"layer_{each}{end}" for each in LAYERS for end in ("", "_about")}
    for state in ("valid", "withdrawn", "revoked", "taken_down", "suspended", "corrected"):
        needed |= {f"state_{state}", f"state_{state}_says"}
    assert needed <= words.keys()


def test_templates_ask_for_words_that_there_are() -> None:
    texts = "".join(each.read_text("utf-8") for each in TEMPLATES.iterdir())
    asked = set(re.findall(r'\bt\("(\w+)"[,)]', texts))
    assert len(asked) > 80
    assert asked <= words_in("en").texts.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_say_that_a_file_is_genuine(language: str) -> None:
    """What the verdicts must never claim, in each language."""
    words = words_in(language).texts
    nothing = {"en": "proves nothing", "de": "beweist nichts", "es": "no prueba nada"}[language]
    for key in ("nothing_found", "resembles"):
        assert nothing in words[f"verdict_{key}_title"] + words[f"verdict_{key}_says"]
    claims = {
        "en": r"\b(file|video|picture) is (real|genuine|authentic|true)\b",
        "de": r"\bist (echt|wahr)\b",
        "es": r"\bes (real|auténtic|verdader)",
    }[language]
    for name, text in words.items():
        if name.startswith(("verdict_", "state_")):
            assert not re.search(claims, text), (name, text)
