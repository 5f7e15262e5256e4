import pytest

from assent.disclose.wording import SPOKEN, spoken_notice
from assent.kit.errors import InputError
from assent.kit.media.notice import find_speaker, speak


@pytest.mark.parametrize("language", SPOKEN)
def test_each_language_has_a_sentence_that_can_be_spoken(language: str) -> None:
    sentence = spoken_notice(language)
    speech = speak(sentence, language=language)
    assert (speech is None) == (find_speaker() is None)
    assert speech is None or len(speech.samples) > speech.rate


def test_regions_share_a_sentence() -> None:
    assert spoken_notice("pt-BR") == SPOKEN["pt"]


def test_another_language_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="tlh") as error:
        spoken_notice("tlh")
    assert "de, en" in error.value.advice
