"""Changes that keep the form of what they change: JSON stays JSON, notes stay lines.

A fuzzer that changes bytes alone seldom gets past the first bracket. The same seed makes the same
change.
"""

import json
from random import Random
from typing import Any

__all__ = ["twist"]

NUMBERS = ["1e999", "-1e999", "-1", "0", "1.5", "9" * 25, "9" * 5000, "1e-999", "-0.0"]
OTHERS = [
    "null", "true", '""', "[]", "{}", "[[]]", '[{"":[]}]', '"\\ud800"', '"\\u0000"', '"[red]"',
    '"' + "A" * 3000 + '"', "[" * 60 + "]" * 60,
]  # fmt: skip
MARK = "\ue000"
LONGEST = 1 << 17


def twist(data: bytes, rng: Random) -> bytes:
    """Return `data` with one to three changes that suit what it is."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice([_twist_json, _twist_lines, _twist_bytes])(data, rng)[:LONGEST]
    return data


def _twist_json(data: bytes, rng: Random) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _twist_lines(data, rng)
    places: list[tuple[Any, Any]] = []
    _collect(value, places)
    if not places:
        return rng.choice([*NUMBERS, *OTHERS]).encode()
    holder, key = rng.choice(places)
    if isinstance(holder, dict) and rng.random() < 0.2:
        del holder[key]
        return json.dumps(value).encode()
    holder[key] = MARK
    put = rng.choice([*NUMBERS, *OTHERS])
    return json.dumps(value, ensure_ascii=False).replace(f'"{MARK}"', put).encode("utf-8", "ignore")


def _collect(value: object, places: list[tuple[Any, Any]]) -> None:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        places.append((value, key))
        _collect(inner, places)


def _twist_lines(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    change = rng.randrange(5)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif change == 2:
        lines[at] = rng.choice([b"", b"0", b"-1", b"9" * 19, b"9" * 5000, b"\xff", b"A" * 44])
    elif change == 3:
        lines *= rng.choice([2, 50])
    else:
        lines[at] = _twist_bytes(lines[at], rng)
    return b"\n".join(lines)


def _twist_bytes(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\0")
    at = rng.randrange(len(changed))
    change = rng.randrange(4)
    if change == 0:
        changed[at] ^= 1 << rng.randrange(8)
    elif change == 1:
        changed[at : at + rng.randrange(9)] = rng.choice([b"", b"\xff" * 4, b"\0" * 8, b"\x7f\xff"])
    elif change == 2:
        del changed[at:]
    else:
        end = min(len(changed), at + rng.randrange(64))
        changed[at:at] = changed[at:end]
    return bytes(changed)
