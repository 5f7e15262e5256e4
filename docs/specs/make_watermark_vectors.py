"""Compute docs/specs/watermark-vectors.json from the specification alone.

    python docs/specs/make_watermark_vectors.py > docs/specs/watermark-vectors.json

Written against watermark.md with the standard library only and without the product's code, so
that agreement between the two means something. Section numbers are the specification's.
"""

import cmath
import hashlib
import hmac
import json
import math
import sys
import zlib
from collections.abc import Iterator

KEY = bytes(range(32))
ASSET_ID = 0x0123456789ABCDEF

Pair = tuple[int, int]


def words(label: str) -> Iterator[int]:
    """Yield the 32-bit words of the stream `label` (section 3)."""
    counter = 0
    while True:
        message = b"assent-watermark-1/" + label.encode() + b"\0" + counter.to_bytes(8, "big")
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


def payload() -> bytes:
    """Return identifier and CRC (section 1)."""
    body = ASSET_ID.to_bytes(8, "big")
    return body + zlib.crc32(b"AW1" + body).to_bytes(4, "big")


def information_places() -> list[int]:
    """Return the 96 heaviest places (section 2)."""

    def weight(place: int) -> float:
        return sum(2 ** (j / 4) for j in range(10) if place >> j & 1)

    return sorted(sorted(range(1024), key=weight)[-96:])


def codeword() -> list[int]:
    """Return the 1024 code bits: bit i is the sum of u[j] over j with i & j == i (section 2)."""
    bits = f"{int.from_bytes(payload(), 'big'):096b}"
    ones = [j for j, bit in zip(information_places(), bits, strict=True) if bit == "1"]
    return [sum(i & j == i for j in ones) % 2 for i in range(1024)]


def lattice() -> list[Pair]:
    """Return all carriers, by ky and then kx (section 4)."""
    span = range(-23, 24)
    square = [(kx, ky) for ky in span for kx in span if 16 <= kx * kx + ky * ky <= 529]
    return [(kx, ky) for kx, ky in square if abs(kx) >= 2 and ky >= 2]


def gain(k: Pair) -> float:
    """Return the roll-off (section 4)."""
    return 1 / (1 + (k[0] ** 2 + k[1] ** 2) / 400)


def coefficients() -> tuple[list[Pair], list[complex], list[int], list[int]]:
    """Return carriers, their coefficients, and the data components' places and signs."""
    band = lattice()
    carriers = [band[i] for i in permutation(words("order"), len(band))]
    pilots, data = carriers[:104], carriers[104:]
    phase, sign_bits, place = words("phase"), words("sign"), words("place")
    signs = [1 - 2 * below(sign_bits, 2) for _ in range(2 * len(data))]
    places: list[int] = []
    while len(places) < 2 * len(data):
        places += permutation(place, 1024)
    places = places[: 2 * len(data)]
    code = codeword()
    values = [
        1.45 * math.sqrt(2) * gain(k) * cmath.exp(1j * math.pi * (0.25 + below(phase, 4) / 2))
        for k in pilots
    ]
    part = [(1 - 2 * code[p]) * s for p, s in zip(places, signs, strict=True)]
    values += [complex(part[2 * i], part[2 * i + 1]) * gain(k) for i, k in enumerate(data)]
    unit = math.sqrt(sum(abs(value) ** 2 for value in values) / 2)
    return carriers, [value / unit for value in values], places, signs


def pattern(carriers: list[Pair], values: list[complex], x: float, y: float) -> float:
    """Evaluate the pattern at a point of its own plane (section 5)."""
    waves = (
        value * cmath.exp(2j * math.pi * (kx * x + ky * y) / 128)
        for (kx, ky), value in zip(carriers, values, strict=True)
    )
    return sum(wave.real for wave in waves)


def digest(numbers: list[int]) -> str:
    """Return SHA-256 over the decimal numbers joined by commas, as hex."""
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def vectors() -> dict[str, object]:
    """Compute all vectors."""
    carriers, values, places, signs = coefficients()
    flat = [number for k in carriers for number in k]
    code = codeword()
    points = [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (64.0, 32.0), (127.5, 127.5), (300.25, 40.75)]
    return {
        "version": 1,
        "key": KEY.hex(),
        "asset_id": f"{ASSET_ID:016x}",
        "payload": payload().hex(),
        "streams": {
            label: [next(stream) for _ in range(10)]
            for label in ("order", "phase", "sign", "place")
            for stream in [words(label)]
        },
        "permutation_of_10_in_stream_order": permutation(words("order"), 10),
        "information_places": information_places(),
        "codeword": f"{int(''.join(map(str, code)), 2):0256x}",
        "carriers": len(carriers),
        "first_carriers": carriers[:8],
        "carriers_sha256": digest(flat),
        "places_sha256": digest(places),
        "signs_sha256": digest(signs),
        "first_coefficients": [[round(v.real, 9), round(v.imag, 9)] for v in values[:4]],
        "coefficients_104_to_107": [[round(v.real, 9), round(v.imag, 9)] for v in values[104:108]],
        "pattern": [[x, y, round(pattern(carriers, values, x, y), 9)] for x, y in points],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1) + "\n")
