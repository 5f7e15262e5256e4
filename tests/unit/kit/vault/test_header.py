import io

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from assent.kit.errors import InputError, IntegrityError
from assent.kit.vault.header import Header, read_header, unwrap, wrap

KEYS = [b"a" * 32, b"b" * 32]
IDS = ("ada", "ben")
DATA_KEY = b"d" * 32


def test_the_layout_is_that_of_the_specification() -> None:
    info = b"assent vault v1\0ada\0ben"
    combined = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(b"".join(KEYS))
    wrapped = aes_key_wrap(combined, DATA_KEY)
    header = wrap(DATA_KEY, IDS, KEYS)
    text = f'{{"key_ids":["ada","ben"],"wrapped":"{wrapped.hex()}"}}'.encode()
    assert header.encode() == b"assent-vault-1\n" + len(text).to_bytes(2, "big") + text


def test_round_trip() -> None:
    header = wrap(DATA_KEY, IDS, KEYS)
    source = io.BytesIO(header.encode() + b"ciphertext")
    assert read_header(source, "x") == (header, header.encode())
    assert source.read() == b"ciphertext"
    assert unwrap(header, KEYS, "x") == DATA_KEY


@pytest.mark.parametrize(
    "keys", [[b"a" * 32, b"c" * 32], [b"c" * 32, b"b" * 32], KEYS[::-1], KEYS[:1]]
)
def test_it_takes_every_key(keys: list[bytes]) -> None:
    with pytest.raises(IntegrityError, match="x has a damaged header"):
        unwrap(wrap(DATA_KEY, IDS, KEYS), keys, "x")


def test_the_ids_are_bound() -> None:
    wrapped = wrap(DATA_KEY, IDS, KEYS).wrapped
    with pytest.raises(IntegrityError):
        unwrap(Header(key_ids=("ada", "bob"), wrapped=wrapped), KEYS, "x")
    with pytest.raises(IntegrityError):
        unwrap(Header(key_ids=IDS, wrapped=b""), KEYS, "x")


GOOD = Header(key_ids=("ada",), wrapped=bytes(40)).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        GOOD[:10],
        GOOD[:20],
        GOOD[:-1],
        GOOD.replace(b"vault-1", b"vault-2"),
        GOOD.replace(b'["ada"]', b'"adaxx"'),
        GOOD.replace(b'["ada"]', b"[12345]"),
        GOOD.replace(b'["ada"]', b'["/a/"]'),
        GOOD.replace(b'"00', b'"0x'),
        GOOD.replace(b'"0000', b'"00\xff0'),
        GOOD.replace(b'"wrapped"', b'"Wrapped"'),
        GOOD.replace(b'"0', b'" '),
        GOOD[:17] + b"[" + b" " * (len(GOOD) - 19) + b"]",
        GOOD[:17] + b"1" * (len(GOOD) - 17),
    ],
)
def test_damaged_headers(raw: bytes) -> None:
    with pytest.raises(IntegrityError, match="x has a damaged header"):
        read_header(io.BytesIO(raw), "x")


def test_too_many_people() -> None:
    with pytest.raises(InputError, match="too many"):
        Header(key_ids=("x" * 80,) * 800, wrapped=bytes(40)).encode()
