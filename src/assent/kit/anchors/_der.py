"""One repair of time stamps: their certificates put into the order that DER asks for.

Authorities built on OpenSSL send them in the order of their configuration. They are no part of what
is signed, and the library that reads time stamps takes the right order only.
"""

from collections.abc import Iterator

__all__ = ["sort_certificates"]

_SEQUENCE, _CONTEXT_0 = 0x30, 0xA0


def sort_certificates(data: bytes) -> bytes:
    """Return a time-stamp response (DER) with its certificates sorted; `ValueError` if it is none.

    RFC 3161, section 2.4.2, and RFC 5652, section 5.1: response, token, signed data, and there the
    first part that is tagged 0.
    """
    try:
        token = _parts(data, *_inside(data, 0, _SEQUENCE))[1]
        content = _parts(data, *_inside(data, token[0], _SEQUENCE))[1]
        signed, _ = _inside(data, content[0], _CONTEXT_0)
        fields = _parts(data, *_inside(data, signed, _SEQUENCE))
        place = next((start for start, _ in fields if data[start] == _CONTEXT_0), None)
        if place is None:
            return data
        start, end = _inside(data, place, _CONTEXT_0)
        certificates = sorted(data[a:b] for a, b in _parts(data, start, end))
    except IndexError:
        # A refusal has no token; and whatever else it may be, the library will say so.
        return data
    return data[:start] + b"".join(certificates) + data[end:]


def _inside(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends."""
    start, end = _extent(data, at)
    if data[at] != tag:
        raise ValueError("another element was expected")
    return start, end


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return where each element of a content begins and ends."""
    return list(_elements(data, start, end))


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        _, after = _extent(data, start)
        if after > end:
            raise ValueError("an element goes beyond what holds it")
        yield start, after
        start = after


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Return where an element's content begins and ends."""
    length = data[at + 1]
    start = at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length that no time stamp has")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise ValueError("it is cut off")
    return start, start + length
