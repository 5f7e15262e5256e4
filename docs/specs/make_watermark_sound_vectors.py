"""Compute docs/specs/watermark-sound-vectors.json from the specification alone.

    python docs/specs/make_watermark_sound_vectors.py > docs/specs/watermark-sound-vectors.json

Written against watermark-sound.md with the standard library only and without the product's code,
so that agreement between the two means something. Section numbers are the specification's.
"""

import hashlib
import hmac
import json
import math
import sys
from collections.abc import Iterator

KEY = bytes(range(32))
ASSET_ID = 0x0123456789ABCDEF


def words(label: str) -> Iterator[int]:
    """Yield the 32-bit words of the stream `label` (section 3)."""
    counter = 0
    while True:
        message = b"assent-sound-1/" + label.encode() + b"\0" + counter.to_bytes(8, "big")
        block = hmac.digest(KEY, message, "sha256")
        yield from (int.from_bytes(block[i : i + 4], "big") for i in range(0, 32, 4))
        counter += 1


def below(stream: Iterator[int], n: int) -> int:
    """Draw from 0..n-1 (section 3)."""
    word = next(stream)
    while word >= (2**32 // n) * n:
        word = next(stream)
    return word % n


def permutation(stream: Iterator[int], n: int) -> list[int]:
    """Shuffle 0..n-1 (section 3)."""
    order = list(range(n))
    for i in reversed(range(1, n)):
        j = below(stream, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def codeword() -> list[int]:
    """Return the 256 code bits (sections 1 and 2)."""

    def weight(place: int) -> float:
        return sum(2 ** (j / 4) for j in range(8) if place >> j & 1)

    places = sorted(sorted(range(256), key=weight)[-32:])
    bits = f"{ASSET_ID % 2**32:032b}"
    ones = [place for place, bit in zip(places, bits, strict=True) if bit == "1"]
    return [sum(p & q == p for q in ones) % 2 for p in range(256)]


def tiles() -> tuple[list[int], list[int]]:
    """Return what each of the 1536 tiles carries (-1: pilot) and its sign (section 4)."""
    order, place, sign = permutation(words("order"), 256), words("place"), words("sign")
    carried: list[int] = []
    for quarter in range(4):
        mine = [-1] * 384
        drawn = permutation(place, 384)
        for i in range(64):
            for tile in drawn[64 + 5 * i : 69 + 5 * i]:
                mine[tile] = order[64 * quarter + i]
        carried += mine
    return carried, [1 - 2 * below(sign, 2) for _ in range(24 * 64)]


def bound(sizes: list[float], total: float) -> float:
    """Return log10 of the least bound over a fine grid of u (section 9)."""
    grid = [10 ** (n / 2000) for n in range(-4000, 4000)]

    def exponent(u: float) -> float:
        # log(cosh(x)) = x + log((1 + exp(-2x)) / 2)
        cosh = sum(u * a + math.log1p(math.exp(-2 * u * a)) - math.log(2) for a in sizes)
        return cosh - u * total

    return min(exponent(u) for u in grid) / math.log(10)


def digest(numbers: list[int]) -> str:
    """Return SHA-256 over the decimal numbers joined by commas, as hex."""
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def vectors() -> dict[str, object]:
    """Compute all vectors."""
    code = codeword()
    carried, signs = tiles()
    directions = [
        sign if bit < 0 or code[bit] == 0 else -sign
        for bit, sign in zip(carried, signs, strict=True)
    ]
    sizes = [1 + (n * 37 % 101) / 50 for n in range(512)]
    return {
        "version": 1,
        "key": KEY.hex(),
        "asset_id": f"{ASSET_ID:016x}",
        "codeword": f"{int(''.join(map(str, code)), 2):064x}",
        "streams": {
            label: [next(stream) for _ in range(10)]
            for label in ("order", "place", "sign")
            for stream in [words(label)]
        },
        "band_edges": [
            round(1350 * (8300 / 1350) ** (j / 64) - 1000, 6) for j in (0, 1, 2, 32, 63, 64)
        ],
        "first_tiles": carried[:16],
        "first_signs": signs[:16],
        "tiles_sha256": digest(carried),
        "signs_sha256": digest(signs),
        "directions_sha256": digest(directions),
        "bounds": {
            "sizes": "1 + (37 n mod 101) / 50 for n from 0 to 511",
            "log10": [[s, round(bound(sizes, s), 3)] for s in (100.0, 300.0, 600.0)],
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1) + "\n")
