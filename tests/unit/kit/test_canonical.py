import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.canonical import canonical, digest, parse_object
from assent.kit.errors import InputError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@given(values)
def test_it_is_json_of_the_same_value(value: object) -> None:
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), values))
def test_order_doesnt_matter(value: dict[str, object]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": [1, {"d": 2, "c": None}], "a": "ü"}, '{"a":"ü","b":[1,{"c":null,"d":2}]}'),
        ((1, 2), "[1,2]"),
        ('"\\\n\u20ac/', '"\\"\\\\\\n\u20ac/"'),
        (2**70, str(2**70)),
    ],
)
def test_its_one_spelling(value: object, expected: str) -> None:
    assert canonical(value) == expected.encode()


def test_the_digest_is_of_that_spelling() -> None:
    assert digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


@pytest.mark.parametrize("value", [1.0, [1.5], {"a": {"b": [float("nan")]}}, (0.0,)])
def test_floats_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="floats have no single spelling"):
        canonical(value)


def test_an_object_is_read() -> None:
    assert parse_object(b'{"a": [1]}', name="x") == {"a": [1]}
    assert parse_object('{"a": "\\u00e9\\ud83d\\ude00"}', name="x") == {"a": "é😀"}


HALVES = ['{"a": "\\ud800"}', '{"\\udfff": 1}', b'{"a": "\xed\xa0\x80"}']


@pytest.mark.parametrize(
    "text",
    ["", "{", b"\xff", "[" * 100_000, '{"a": }', '{"a": NaN}', '{"a": -Infinity}',
     '{"a": 1}'.encode("utf-16"), *HALVES],
)  # fmt: skip
def test_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(InputError, match=r"^offer\.json is not JSON"):
        parse_object(text, name="offer.json")


@pytest.mark.parametrize("text", ["[]", "3", '"a"', "null"])
def test_what_is_no_object(text: str) -> None:
    with pytest.raises(InputError, match=r"^offer\.json does not hold a JSON object"):
        parse_object(text, name="offer.json")
