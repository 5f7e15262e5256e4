"""Documents are bounded whole numbers, and say where they are wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.create.repair.document import LARGEST, Repairs, parse_repairs, read_repairs
from assent.kit.errors import InputError

CLIP = "ab" * 32
KEY: dict[str, Any] = {"frame": 3, "x": 10, "points": {"57": [0, 20]}}
STROKE: dict[str, Any] = {"mode": "paint", "points": [[5000, 5000]]}


def shape(**changes: object) -> dict[str, Any]:
    return {"clip": CLIP, "shapes": [{"first": 0, "last": 9, "keys": [KEY], **changes}]}


def mask(**changes: object) -> dict[str, Any]:
    key = {"frame": 3, "strokes": [{**STROKE, **changes}]}
    return {"clip": CLIP, "masks": [{"first": 0, "last": 9, "keys": [key]}]}


def test_a_document_survives_its_bytes_and_has_one_hash() -> None:
    repairs = read_repairs({**shape(), **mask(), "skips": [{"first": 4, "last": 4}]})
    again = parse_repairs(repairs.to_bytes())
    assert again == repairs
    assert again.sha256 == repairs.sha256 != Repairs(clip=CLIP).sha256 == ""
    other = read_repairs({**shape(ease=1), **mask(), "skips": [{"first": 4, "last": 4}]})
    assert other.sha256 != repairs.sha256


HOSTILE: list[Any] = [
    [],
    None,
    {},
    {"clip": "../../etc/passwd"},
    {"clip": CLIP, "label": {"size": 0}},
    {"clip": CLIP, "label": None},
    {"clip": CLIP, "settings": {"colour": "transparent"}},
    {"clip": CLIP, "settings": {"strength": float("nan")}},
    # The label is moved to another corner, and no more.
    *({"clip": CLIP, "settings": {"label": label}} for label in
      ("off", "", "none", None, False, "centre", "TOP_RIGHT", ["top-left"], {"x": 5000})),
    {"clip": CLIP, "settings": {"label": "top-left", "label_size": 1}},
    {"clip": CLIP, "settings": {"feather": 1e9}},
    {"clip": CLIP, "settings": {"grow": True}},
    {"clip": CLIP, "skips": [{"first": 5, "last": 4}]},
    {"clip": CLIP, "skips": [{"first": -1, "last": 4}]},
    {"clip": CLIP, "skips": [{"first": 0, "last": 10**9}]},
    {"clip": CLIP, "owners": [{"first": 0, "last": 1, "track": -1, "person": "ada"}]},
    {"clip": CLIP, "owners": [{"first": 0, "last": 1, "track": 0, "person": ""}]},
    shape(keys=[]),
    shape(keys=[{**KEY, "frame": 30}]),
    shape(keys=[KEY, KEY]),
    shape(keys=[{**KEY, "x": float("inf")}]),
    shape(keys=[{**KEY, "x": 1001}]),
    shape(keys=[{**KEY, "scale": 0}]),
    shape(keys=[{**KEY, "points": {"68": [0, 0]}}]),
    shape(keys=[{**KEY, "points": {"-1": [0, 0]}}]),
    shape(keys=[{**KEY, "points": {"07": [0, 0]}}]),
    shape(keys=[{**KEY, "points": {"7": [0]}}]),
    shape(blend="teleport"),
    shape(ease=10_000),
    mask(points=[]),
    mask(points=[[0, 0]] * 501),
    mask(points=[[0, 50_000]]),
    mask(size=0),
    mask(mode="hide"),
    {"clip": CLIP, "masks": [{"first": 0, "last": 9, "keys": [
        {"frame": 3, "strokes": [STROKE] * 201}]}]},
    {"clip": CLIP, "skips": [{"first": 0, "last": 1}] * 501},
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_senseless_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InputError, match="can't be used"):
        read_repairs(value)


def test_strokes_are_bounded_all_together() -> None:
    key = {"frame": 0, "strokes": [{"mode": "erase", "points": [[1, 1]] * 500}] * 200}
    keys = [{**key, "frame": n} for n in range(2)]
    with pytest.raises(InputError, match="100000 points"):
        read_repairs({"clip": CLIP, "masks": [{"first": 0, "last": 9, "keys": keys}]})


def test_a_million_strokes_are_refused_before_they_are_read() -> None:
    data = json.dumps(mask(points=[[1, 1]] * 1_000_000)).encode()
    assert len(data) > LARGEST
    with pytest.raises(InputError, match="larger than 4 MiB"):
        parse_repairs(data)


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{", b"\xff", b'{"clip": NaN}', b"[" * 100_000, b'{"clip": "a", "clip": 1e999}'],
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_repairs(data)


WORDS = st.sampled_from(["first", "last", "keys", "frame", "colour", "", "own"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner),
    max_leaves=8,
)
PARTS = ("shapes", "masks", "skips", "owners", "settings")


@given(st.dictionaries(st.sampled_from(PARTS), JSON))
def test_anything_else_is_read_or_refused(parts: dict[str, object]) -> None:
    try:
        repairs = read_repairs({"clip": CLIP, **parts})
    except InputError:
        return
    assert parse_repairs(repairs.to_bytes()) == repairs
