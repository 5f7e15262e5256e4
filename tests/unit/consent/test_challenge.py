import math
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assent.consent.challenge import (
    LIFETIME,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    TURNS,
    WORDS,
    Challenge,
    Turn,
    challenge_from_json,
    draw,
    languages,
    words_of,
)
from assent.kit.errors import InputError, NotClearedError

NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)


def drawn(language: str = "en") -> Challenge:
    return draw("a-record", language=language, now=NOW, entropy=os.urandom)


@pytest.mark.parametrize("language", ["de", "en", "es"])
def test_words_are_many_enough_for_forty_bits(language: str) -> None:
    words = words_of(language)
    assert len(set(words)) == len(words)
    assert math.log2(math.perm(len(words), WORDS)) >= 40
    assert all(word.isalpha() and 2 < len(word) < 13 for word in words)


def test_there_are_three_languages() -> None:
    assert languages() == ("de", "en", "es")


@pytest.mark.parametrize("language", ["de", "en", "es"])
def test_the_sentence_names_the_studio_the_project_and_the_words(language: str) -> None:
    challenge = drawn(language)
    sentence = challenge.sentence(studio="Studio {words}\n\u202eNorth", project="The <b>film</b>")
    assert "Studio {words} North" in sentence
    assert "The <b>film</b>" in sentence
    assert sentence.endswith(": " + ", ".join(challenge.words) + ".")
    assert len(challenge.sentence(studio="x" * 5000, project="y" * 5000)) < 600


def test_two_challenges_have_little_in_common() -> None:
    many = [drawn() for _ in range(300)]
    assert len({challenge.nonce for challenge in many}) == 300
    assert len({challenge.words for challenge in many}) == 300
    assert len({challenge.turns for challenge in many}) == 2**TURNS - 2
    assert len({challenge.pauses for challenge in many}) == 300


def test_turns_go_to_both_sides_and_are_equally_likely() -> None:
    many = [draw("r", language="en", now=NOW) for _ in range(3000)]
    orders = Counter(challenge.turns for challenge in many)
    assert all(set(order) == set(Turn) for order in orders)
    assert max(orders.values()) < 2 * min(orders.values())


def test_pauses_lie_between_their_bounds() -> None:
    pauses = [pause for _ in range(200) for pause in drawn().pauses]
    assert min(pauses) >= SHORTEST_PAUSE
    assert max(pauses) <= LONGEST_PAUSE
    assert len(set(pauses)) > 50


def test_no_word_is_favoured() -> None:
    said = Counter(word for _ in range(3000) for word in drawn().words)
    # 91 are expected of each; six standard deviations are 57.
    assert len(said) == len(words_of("en"))
    assert max(said.values()) < 150
    assert min(said.values()) > 34


def test_it_comes_back_from_json_as_it_was() -> None:
    challenge = drawn("es")
    again = challenge_from_json(challenge.to_json())
    assert again == challenge
    assert again.digest() == challenge.digest()
    assert again.digest() != drawn("es").digest()


@pytest.mark.parametrize(
    "change",
    [
        {"words": ["apple"] * WORDS},
        {"words": ["apple"]},
        {"words": ["abracadabra", "almond", "anchor", "apple", "apron", "arrow"]},
        {"turns": ["left"] * TURNS},
        {"turns": ["left", "right"]},
        {"turns": ["up"] * TURNS},
        {"turns": None},
        {"pauses": [0] * TURNS},
        {"pauses": [3000.0] * TURNS},
        {"pauses": [3000]},
        {"nonce": "0" * 63},
        {"language": "xx"},
        {"issued": "yesterday"},
        {"expires": "2036-01-01T00:00:00Z"},
        {"expires": 5},
        {"more": 1},
    ],
)
def test_what_could_not_have_been_drawn_is_no_challenge(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not a challenge"):
        challenge_from_json({**drawn().to_json(), **change})


@pytest.mark.parametrize("document", [None, [], "challenge", {}, 5])
def test_other_json_is_no_challenge(document: object) -> None:
    with pytest.raises(InputError, match="not a challenge"):
        challenge_from_json(document)


def test_it_is_good_for_ten_minutes_and_its_own_record() -> None:
    challenge = drawn()
    challenge.check(record_id="a-record", now=NOW)
    challenge.check(record_id="a-record", now=challenge.issued + LIFETIME - timedelta(seconds=1))
    with pytest.raises(NotClearedError, match="expired"):
        challenge.check(record_id="a-record", now=challenge.issued + LIFETIME)
    with pytest.raises(NotClearedError, match="in the future"):
        challenge.check(record_id="a-record", now=challenge.issued - timedelta(seconds=1))
    with pytest.raises(NotClearedError, match="another consent record"):
        challenge.check(record_id="another", now=NOW)


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(InputError, match="'fr'") as refused:
        drawn("fr")
    assert refused.value.advice == "Choose one of: de, en, es."
