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
from collections.abc import Iterator

KEY = bytes(range(32))
ASSET_ID = 0x0123456789ABCDEF
VARIANT = 3

Pair = tuple[int, int]


def words(label: str) -> Iterator[int]:
    """Yield the 32-bit words of the stream `label` (section 3)."""
    counter = 0
    while True:
        message = b"assent-watermark-2/" + label.encode() + b"\0" + counter.to_bytes(8, "big")
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


def bits(stream: Iterator[int], n: int) -> list[int]:
    """Take n bits (section 3)."""
    text = "".join(f"{next(stream):032b}" for _ in range(-(-n // 32)))
    return [int(bit) for bit in text[:n]]


def information_places() -> list[int]:
    """Return the 64 heaviest places (section 2)."""

    def weight(place: int) -> float:
        return sum(2 ** (j / 4) for j in range(9) if place >> j & 1)

    return sorted(sorted(range(512), key=weight)[-64:])


def codeword() -> list[int]:
    """Return the 512 code bits: bit i is the sum of u[j] over j with i & j == i (section 2)."""
    message = f"{ASSET_ID:064b}"
    ones = [j for j, bit in zip(information_places(), message, strict=True) if bit == "1"]
    return [sum(i & j == i for j in ones) % 2 for i in range(512)]


def square(k: Pair) -> int:
    """Return the squared length of a carrier."""
    return k[0] ** 2 + k[1] ** 2


def lattice() -> list[Pair]:
    """Return all carriers, by squared length, then ky, then kx (section 4)."""
    span = range(-44, 45)
    half = [(kx, ky) for ky in span for kx in span if abs(kx) >= 2 and ky >= 2]
    return sorted((k for k in half if 36 <= square(k) <= 1936), key=square)


def gain(k: Pair) -> float:
    """Return the relative amplitude (section 4)."""
    return math.hypot(math.exp(-math.sqrt(square(k)) / 9.5), 0.1)


def pilots(band: list[Pair]) -> list[int]:
    """Return the entries of the lattice that are pilots (section 4)."""
    stream = words("pilots")
    low = [i for i, k in enumerate(band) if square(k) <= 400]
    high = [i for i, k in enumerate(band) if 400 < square(k) <= 1600]
    chosen: list[int] = []
    for part in (low, high):
        chosen += [part[i] for i in permutation(stream, len(part))[:64]]
    return chosen


def coefficients() -> tuple[list[Pair], list[complex], list[int], list[int]]:
    """Return carriers, their coefficients, and the data components' places and signs."""
    band = lattice()
    chosen = pilots(band)
    data = [k for i, k in enumerate(band) if i not in set(chosen)]
    carriers = [band[i] for i in chosen] + data
    phase, place = words(f"phase/{VARIANT}"), words("place")
    signs = [1 - 2 * bit for bit in bits(words(f"sign/{VARIANT}"), 2 * len(data))]
    places: list[int] = []
    while len(places) < 2 * len(data):
        places += permutation(place, 512)
    places = places[: 2 * len(data)]
    code = codeword()
    values = [
        (1.25 if number < 64 else 2.5)
        * math.sqrt(2)
        * gain(band[i])
        * cmath.exp(1j * math.pi * (0.25 + below(phase, 4) / 2))
        for number, i in enumerate(chosen)
    ]
    part = [(1 - 2 * code[p]) * s for p, s in zip(places, signs, strict=True)]
    values += [complex(part[2 * i], part[2 * i + 1]) * gain(k) for i, k in enumerate(data)]
    unit = math.sqrt(sum(abs(value) ** 2 for value in values) / 2)
    return carriers, [value / unit for value in values], places, signs


def pattern(carriers: list[Pair], values: list[complex], x: float, y: float) -> float:
    """Evaluate the pattern at a point of its own plane (section 5)."""
    waves = (
        value * cmath.exp(2j * math.pi * (kx * x + ky * y) / 256)
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
    points = [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (64.0, 32.0), (255.5, 255.5), (300.25, 40.75)]
    return {
        "version": 2,
        "key": KEY.hex(),
        "asset_id": f"{ASSET_ID:016x}",
        "variant": VARIANT,
        "streams": {
            label: [next(stream) for _ in range(10)]
            for label in ("pilots", "phase/3", "sign/3", "place")
            for stream in [words(label)]
        },
        "permutation_of_10_in_stream_place": permutation(words("place"), 10),
        "bits_of_stream_sign_3": bits(words("sign/3"), 40),
        "first_variant": below(words(f"start/{ASSET_ID:016x}"), 8),
        "information_places": information_places(),
        "codeword": f"{int(''.join(map(str, code)), 2):0128x}",
        "carriers": len(carriers),
        "first_carriers": carriers[:8],
        "carriers_sha256": digest(flat),
        "places_sha256": digest(places),
        "signs_sha256": digest(signs),
        "first_coefficients": [[round(v.real, 9), round(v.imag, 9)] for v in values[:4]],
        "coefficients_128_to_131": [[round(v.real, 9), round(v.imag, 9)] for v in values[128:132]],
        "pattern": [[x, y, round(pattern(carriers, values, x, y), 9)] for x, y in points],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1) + "\n")
