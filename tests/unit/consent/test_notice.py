import string
from typing import get_args

import pytest

from assent.consent.clearance import Act, Modality
from assent.consent.notice import LANGUAGES, wording, write_notice
from assent.consent.record import Forbidden
from assent.kit.errors import InputError


def notice(language: str = "en", *acts: Act, modalities: frozenset[Modality]) -> str:
    return write_notice(
        language=language,
        studio="Small Films",
        project="Spring",
        use="A short film.",
        acts=frozenset(acts),
        modalities=modalities,
    )


def test_the_notice_says_what_is_asked_and_nothing_else() -> None:
    text = notice("en", Act.INGEST, Act.TRAIN, modalities=frozenset({Modality.FACE}))
    first, *rest = text.splitlines()
    assert first == "Small Films asks to use your face for the project 'Spring': A short film."
    assert "- train a face model on your footage" in rest
    assert not any("release" in line for line in rest if line.startswith("-"))
    assert any("You can say no" in line for line in rest)
    assert wording("en").texts["effect"] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    words, english = wording(language), wording("en")
    assert words.texts.keys() == english.texts.keys()
    assert words.acts.keys() == {act.value for act in Act}
    assert words.modalities.keys() == {modality.value for modality in Modality}
    assert words.forbidden.keys() == set(get_args(Forbidden))
    assert words.handling.keys() == english.handling.keys()
    assert words.biometrics.keys() == english.biometrics.keys()
    for name, text in english.texts.items():
        assert fields(words.texts[name]) == fields(text), name
    text = notice(language, *Act, modalities=frozenset(Modality))
    assert all(f"- {words.acts[act.value]}" in text for act in Act)
    assert f"{words.modalities['face']} {words.texts['and']} {words.modalities['voice']}" in text


def fields(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_what_is_written_into_a_notice_is_not_read_as_a_form() -> None:
    text = write_notice(
        language="en",
        studio="{effect}",
        project="{0}",
        use="{use.__class__}",
        acts=frozenset(),
        modalities=frozenset({Modality.FACE}),
    )
    assert text.startswith("{effect} asks to use your face for the project '{0}': {use.__class__}")


def test_a_language_without_a_notice() -> None:
    with pytest.raises(InputError, match="there is no notice in 'tlh'") as caught:
        wording("tlh")
    assert "en, de, es" in caught.value.advice
