"""The log against an oracle: RFC 6962's definitions word for word, and files read from scratch.

Nothing of the oracle is the product's: it knows the RFC's recursions, SHA-256, base64 and Ed25519.
"""

import base64
import random
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import consistency_proof, inclusion_proof, leaf_hash, root
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.receipt import make_receipt
from assent.kit.tlog.tiles import grow, tile_path

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


# RFC 6962, section 2.1: MTH, PATH and PROOF as they are defined there.


def largest_power_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    n = len(d)
    if n == 0:
        return sha256().digest()
    if n == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = largest_power_below(n)
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    n = len(d)
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: list[bytes]) -> list[bytes]:
    return subproof(m, d, True)


def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


# C2SP, read from the files' bytes.


def name_of(n: int) -> str:
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def files_of(d: list[bytes]) -> dict[str, bytes]:
    """Every tile and bundle that a log of these entries has, by the formula of tlog-tiles."""
    files = {}
    level, row = 0, [sha256(b"\x00" + entry).digest() for entry in d]
    while row:
        for n in range(-(-len(row) // 256)):
            part = row[n * 256 : n * 256 + 256]
            suffix = "" if len(part) == 256 else f".p/{len(part)}"
            files[f"tile/{level}/{name_of(n)}{suffix}"] = b"".join(part)
            if level == 0:
                files[f"tile/entries/{name_of(n)}{suffix}"] = b"".join(
                    struct.pack(">H", len(entry)) + entry for entry in d[n * 256 : n * 256 + 256]
                )
        level += 1
        step = 256**level
        row = [mth(d[i * step : (i + 1) * step]) for i in range(len(d) // step)]
    return files


def opened(note: str, origin: str, key: Ed25519PublicKey) -> tuple[int, bytes]:
    """Size and root of a checkpoint, once its signature was verified."""
    text, _, signatures = note.rpartition("\n\n")
    dash, name, encoded = signatures.rstrip("\n").split(" ")
    data = base64.b64decode(encoded)
    key_id = sha256(origin.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
    assert (dash, name, data[:4]) == ("\u2014", origin, key_id)
    key.verify(data[4:], f"{text}\n".encode())
    first, size, root_hash = text.split("\n")
    assert first == origin
    return int(size), base64.b64decode(root_hash)


@given(st.integers(1, 300), st.data())
def test_roots_and_proofs(size: int, data: st.DataObject) -> None:
    entries = [i.to_bytes(2, "big") for i in range(size)]
    hashes = [leaf_hash(entry) for entry in entries]
    m = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    assert root(hashes) == mth(entries)
    assert inclusion_proof(hashes, m) == path(m, entries)
    assert consistency_proof(hashes, old) == proof(old, entries)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_a_log_on_disk(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = Log.create(folder, signer=NoteSigner("oracle.example/log", KEY))
    entries: list[bytes] = []
    for step in steps:
        batch = [f"{len(entries) + i}".encode() for i in range(step)]
        log.append(batch)
        entries += batch
        checkpoint = (folder / "checkpoint").read_text()
        assert opened(checkpoint, "oracle.example/log", KEY.public_key()) == (
            len(entries),
            mth(entries),
        )
    for name, content in files_of(entries).items():
        assert (folder / name).read_bytes() == content, name
    full = {each.removesuffix(".p") for each in _folders_of_partial_tiles(folder)}
    assert not full & {name for name in files_of(entries) if ".p/" not in name}
    _check_proofs(log, entries)


def _folders_of_partial_tiles(folder: Path) -> list[str]:
    return [each.relative_to(folder).as_posix() for each in folder.rglob("*.p")]


def _check_proofs(log: Log, entries: list[bytes]) -> None:
    reader = log.reader()
    chance = random.Random(1)  # noqa: S311 - which entries are tried
    for _ in range(5):
        m, old = chance.randrange(len(entries)), chance.randint(1, len(entries))
        assert reader.inclusion_proof(m) == path(m, entries)
        assert reader.consistency_proof(old) == proof(old, entries)
        head, *rest = make_receipt(reader, m).split("\n\n", 1)
        assert head.split("\n") == [
            "c2sp.org/tlog-proof@v1",
            f"index {m}",
            *(base64.b64encode(each).decode() for each in path(m, entries)),
        ]
        assert rest == [log.checkpoint()]


def test_the_examples_of_tlog_tiles() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067" == f"tile/0/{name_of(1_234_067)}"
    tiles, _ = grow(0, [], [leaf_hash(b"")] * 70_000)
    shape = [(each.level, len(each.hashes)) for each in tiles]
    assert shape == [*[(0, 256)] * 273, (0, 112), (1, 256), (1, 17), (2, 1)]
    tiles, _ = grow(0, [], [leaf_hash(b"")] * 256)
    assert [(each.level, len(each.hashes)) for each in tiles] == [(0, 256), (1, 1)]
