import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.purpose.wording import Wording, is_phrase


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("A NUDE study", "nude"),
        ("n\u0443de", "nyde"),
        ("\uff30\uff2f\uff32\uff2e", "porn*"),
        ("p\u043ern", "porn*"),
        ("por\u200bno\u00adgraphy", "porn*"),
        ("p\u00f6rn", "porn*"),
        ("p o r n", "porn*"),
        ("p.o.r.n is spelled", "porn*"),
        ("sex-tape", "sex tape"),
        ("sex\n\t  tape", "sex tape"),
        ("they impersonate to", "impersonat* to"),
        ("\u5979\u7684\u88f8\u4f53\u7167", "\u88f8\u4f53"),
        ("stra\u00dfe", "strasse"),
        ("the end", "end"),
    ],
)
def test_words_are_found_however_they_are_spelled(text: str, phrase: str) -> None:
    assert Wording.of(text).find(["absent", phrase]) == phrase


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("nuder", "nude"),
        ("denuded", "nude*"),
        ("sex and tape", "sex tape"),
        ("tape sex", "sex tape"),
        ("a sex", "sex tape"),
        ("", "nude"),
        ("impersonating", "impersonat* to"),
    ],
)
def test_other_words_are_not(text: str, phrase: str) -> None:
    assert Wording.of(text).find([phrase]) is None


@pytest.mark.parametrize("text", ["a", "any use", "porn*", "pre-teen*", "a b c d e f g h"])
def test_phrases(text: str) -> None:
    assert is_phrase(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "(a+)+$",
        "a*b",
        "a**",
        " a",
        "a ",
        "a  b",
        "a b c d e f g h i",
        "x" * 81,
        "a\nb",
        "^a",
    ],
)
def test_what_is_no_phrase(text: str) -> None:
    assert not is_phrase(text)


def test_many_stars_and_long_texts_take_no_time() -> None:
    """A pattern built of this phrase would never come to an end on this text."""
    text = Wording.of("a" * 4000 + " " + "a " * 4000)
    assert text.find(["a* a* a* a* a* a* a* b"]) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_word_that_stands_by_itself_is_found(before: str, after: str) -> None:
    assert Wording.of(f"{before} | nudity | {after}").find(["nudity"]) == "nudity"
