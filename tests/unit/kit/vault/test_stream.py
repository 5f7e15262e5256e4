import io
from collections.abc import Callable, Iterator
from hashlib import shake_256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.kit.errors import IntegrityError, StorageError
from assent.kit.vault.stream import CHUNK, PREFIX, TAG, DecryptingReader, encrypt_chunks

KEY = bytes(range(32))
AAD = b"header"
SEALED = CHUNK + TAG


def seal(data: bytes, step: int = 300_000) -> bytes:
    pieces = (data[i : i + step] for i in range(0, len(data), step))
    return b"".join(encrypt_chunks(pieces, KEY, AAD))


def reader(sealed: bytes, **changes: bytes) -> DecryptingReader:
    arguments = {"key": KEY, "header_aad": AAD} | changes
    return DecryptingReader(io.BytesIO(sealed), arguments["key"], arguments["header_aad"], name="x")


def noise(size: int) -> bytes:
    return shake_256(size.to_bytes(4)).digest(size)


@pytest.fixture(scope="module")
def three() -> bytes:
    """Three chunks, the last of 100 bytes."""
    return seal(noise(2 * CHUNK + 100))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_round_trip(size: int) -> None:
    data = noise(size)
    sealed = seal(data)
    assert len(sealed) == PREFIX + size + TAG * max(1, -(-size // CHUNK))
    with reader(sealed) as file:
        assert file.size == size
        assert file.read() == data
        assert file.read() == b""


def test_the_layout_is_that_of_the_specification() -> None:
    """Decrypted by hand, chunk by chunk."""
    data = noise(CHUNK + 3)
    sealed = b"".join(encrypt_chunks([data], KEY, AAD, entropy=lambda n: b"P" * n))
    assert sealed[:7] == b"P" * 7
    cipher = AESGCM(KEY)
    first = cipher.decrypt(b"P" * 7 + bytes(4) + b"\0", sealed[7 : 7 + SEALED], AAD)
    last = cipher.decrypt(b"P" * 7 + b"\0\0\0\1" + b"\1", sealed[7 + SEALED :], AAD)
    assert first + last == data


def test_a_known_vector() -> None:
    sealed = b"".join(encrypt_chunks([b"film"], KEY, b"header", entropy=bytes))
    assert sealed.hex() == (
        "00000000000000" + AESGCM(KEY).encrypt(bytes(11) + b"\1", b"film", b"header").hex()
    )


def test_pieces_of_any_size_give_the_same(three: bytes) -> None:
    data = noise(2 * CHUNK + 100)
    for step in (7_777, CHUNK, 3 * CHUNK):
        pieces = [data[i : i + step] for i in range(0, len(data), step)]
        sealed = b"".join(
            encrypt_chunks([b"", *pieces, b""], KEY, AAD, entropy=lambda _: three[:7])
        )
        assert sealed == three


def test_encryption_is_lazy() -> None:
    """Nothing is held but the chunk in the making, however long the data."""
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield bytes(CHUNK)

    stream = encrypt_chunks(endless(), KEY, AAD)
    for _ in range(4):
        next(stream)
    assert drawn == 4


@pytest.mark.parametrize(
    "harm",
    [
        lambda s: s[:-1],
        lambda s: s[: PREFIX + 2 * SEALED],
        lambda s: s[: PREFIX + SEALED],
        lambda s: s[: PREFIX + TAG],
        lambda s: s[: PREFIX + TAG - 1],
        lambda s: s[:PREFIX],
        lambda s: s[:3],
        lambda s: b"",
        lambda s: s + b"x",
        lambda s: s + s[PREFIX : PREFIX + SEALED],
        lambda s: s[:PREFIX] + s[PREFIX + SEALED :],
        lambda s: s[:PREFIX] + s[PREFIX + SEALED : -116] + s[PREFIX : PREFIX + SEALED] + s[-116:],
        lambda s: bytes([s[0] ^ 1]) + s[1:],
        lambda s: s[:-1] + bytes([s[-1] ^ 1]),
        lambda s: s[:500] + bytes([s[500] ^ 1]) + s[501:],
        lambda s: s + s,
    ],
)
def test_any_harm_is_found(three: bytes, harm: Callable[[bytes], bytes]) -> None:
    with pytest.raises(IntegrityError, match="x was changed, cut off or extended"):
        reader(harm(three)).read()


def test_a_cut_is_found_before_anything_is_read(three: bytes) -> None:
    with pytest.raises(IntegrityError):
        reader(three[: PREFIX + 2 * SEALED])


def test_wrong_key_or_header(three: bytes) -> None:
    with pytest.raises(IntegrityError):
        reader(three, key=bytes(32))
    with pytest.raises(IntegrityError):
        reader(three, header_aad=b"other")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_reading_at_random(data: st.DataObject) -> None:
    clear = _CLEAR
    with DecryptingReader(io.BytesIO(_LONG), KEY, AAD, name="x") as file:
        for _ in range(data.draw(st.integers(1, 4))):
            offset = data.draw(st.integers(0, len(clear) + 10))
            length = data.draw(st.sampled_from([0, 1, 4096, CHUNK, 2 * CHUNK + 1]))
            assert file.seek(offset) == offset
            assert file.read(length) == clear[offset : offset + length]
            assert file.tell() == max(offset, min(offset + length, len(clear)))
        assert len(file._cache) <= 4  # noqa: SLF001 - the bound itself is what is tested


_CLEAR = noise(5 * CHUNK + 12_345)
_LONG = seal(_CLEAR)


def test_seeking() -> None:
    with reader(seal(b"0123456789")) as file:
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        assert file.seek(-3, io.SEEK_END) == 7
        assert file.read(2) == b"78"
        assert file.seek(-1, io.SEEK_CUR) == 8
        assert file.read() == b"89"
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)
        assert file.seek(100) == 100
        assert file.read() == b""


def test_a_closed_file_gives_nothing() -> None:
    source = io.BytesIO(seal(b"0123456789"))
    file = DecryptingReader(source, KEY, AAD, name="x")
    file.close()
    file.close()
    assert source.closed
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def test_a_stream_behind_a_header() -> None:
    source = io.BytesIO(b"header" + seal(b"data"))
    assert DecryptingReader(source, KEY, AAD, start=6, name="x").read() == b"data"


def test_a_failing_disk_is_named() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="clip: Input/output error"):
        DecryptingReader(Failing(seal(b"data")), KEY, AAD, name="clip")


def test_it_doesnt_show_its_key() -> None:
    file = reader(seal(b"secret data"))
    assert "secret" not in repr(file)
    assert KEY.hex() not in repr(file)


def test_reading_back_and_forth_over_more_than_is_kept() -> None:
    clear = noise(7 * CHUNK)
    with reader(seal(clear)) as file:
        for place in (0, 6, 1, 5, 2, 4, 3, 0, 6):
            file.seek(place * CHUNK + 5)
            assert file.read(20) == clear[place * CHUNK + 5 : place * CHUNK + 25]
