"""Only segments that a change reaches are rendered anew."""

from typing import Any

import pytest

from assent.create.repair.changes import Reach, changed_segments
from assent.create.repair.document import Repairs, read_repairs

REACH = Reach(segment=32, ahead=12, afresh=32)
CLIP = "ab" * 32


def doc(**parts: object) -> Repairs:
    return read_repairs({"clip": CLIP, **parts})


def mask(first: int, last: int, mode: str = "erase", **changes: object) -> dict[str, Any]:
    stroke = {"mode": mode, "points": [[5000, 5000]]}
    keys = [{"frame": first, "strokes": [stroke]}]
    return {"first": first, "last": last, "keys": keys, **changes}


def shape(first: int, last: int, **key: object) -> dict[str, Any]:
    return {"first": first, "last": last, "keys": [{"frame": first, **key}]}


CASES: list[tuple[Repairs, Repairs, set[int]]] = [
    (doc(), doc(), set()),
    (doc(), doc(masks=[mask(40, 50)]), {1}),
    (doc(), doc(masks=[mask(60, 70)]), {1, 2}),
    (doc(), doc(skips=[{"first": 0, "last": 0}]), {0}),
    (doc(skips=[{"first": 0, "last": 40}]), doc(skips=[{"first": 0, "last": 39}]), {1}),
    (doc(), doc(settings={"sharpen": 10}), set(range(8))),
    # The label is in no segment.
    (doc(), doc(settings={"label": "bottom-left"}), set()),
    (doc(), doc(settings={"label": "bottom-left", "grow": 5}), set(range(8))),
    # What is seen otherwise reaches the frames that light and expression are steadied over.
    (doc(), doc(shapes=[shape(70, 72, x=5)]), {1, 2, 3}),
    (doc(), doc(shapes=[shape(80, 82, x=5)]), {2, 3}),
    (doc(), doc(shapes=[shape(80, 82)]), set()),
    (doc(masks=[mask(40, 50)]), doc(masks=[mask(40, 50, blend="smooth")]), set()),
    (doc(masks=[mask(40, 50)]), doc(masks=[mask(40, 200)]), {1, 2, 3, 4, 5, 6}),
    (
        doc(masks=[mask(40, 50), mask(40, 50, "paint")]),
        doc(masks=[mask(40, 50, "paint"), mask(40, 50)]),
        {1},
    ),
    (doc(masks=[mask(40, 50), mask(140, 150)]), doc(masks=[mask(40, 50)]), {4}),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_the_segments_that_a_change_reaches(old: Repairs, new: Repairs, expected: set[int]) -> None:
    assert changed_segments(old, new, (), REACH, segments=8) == expected
    assert changed_segments(new, old, (), REACH, segments=8) == expected


def test_what_would_take_long_to_compare_counts_as_changed() -> None:
    old = doc(masks=[mask(0, 60_000) for _ in range(10)])
    new = doc(masks=[mask(0, 60_000) for _ in range(11)])
    assert changed_segments(old, new, (), REACH, segments=2000) >= set(range(1800))
