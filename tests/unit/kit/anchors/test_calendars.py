"""OpenTimestamps with a calendar of the tests' own, which also lies and goes away."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from anchoring import Calendar, Mood, calendar
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, UnknownAttestation
from opentimestamps.core.op import OpAppend, OpReverse, OpSHA1, OpSHA256
from opentimestamps.core.serialize import (
    BytesDeserializationContext,
    BytesSerializationContext,
)
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from assent.kit.anchors import calendars as module
from assent.kit.anchors.calendars import read_proof, submit, upgrade
from assent.kit.errors import FetchError, IntegrityError, UnsafeAddressError

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def running() -> Iterator[Calendar]:
    with calendar() as made:
        yield made


def written(proof: DetachedTimestampFile) -> bytes:
    context = BytesSerializationContext()
    proof.serialize(context)
    return bytes(context.getbytes())


def test_a_proof_is_pending_until_the_calendar_is_in_a_block(
    running: Calendar, note: bytes
) -> None:
    proof = submit(note, running.url)
    claims = read_proof(proof, note)
    assert (claims.blocks, claims.calendars) == ((), (running.url,))
    assert upgrade(proof, note, running.url) is None
    submit(b"somebody else's", running.url)
    root = running.confirm(height=900_000)
    complete = upgrade(proof, note, running.url)
    assert complete is not None
    (block,) = read_proof(complete, note).blocks
    assert (block.height, block.merkle_root) == (900_000, root)
    # It goes on saying who promised it, and is not asked for again.
    assert read_proof(complete, note).calendars == (running.url,)


def test_the_library_itself_reads_it(running: Calendar, note: bytes) -> None:
    proof = submit(note, running.url)
    running.confirm(height=5)
    complete = upgrade(proof, note, running.url) or b""
    read = DetachedTimestampFile.deserialize(BytesDeserializationContext(complete))
    assert read.file_digest == sha256(note).digest()
    assert any(
        isinstance(each, BitcoinBlockHeaderAttestation)
        for _, each in read.timestamp.all_attestations()
    )


def test_the_calendar_sees_a_salted_hash(running: Calendar, note: bytes) -> None:
    submit(note, running.url)
    submit(note, running.url)
    seen = set(running.given.values())
    assert len(seen) == 2
    assert sha256(note).digest() not in seen


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("failing", "HTTP 500"),
        ("garbled", "is no proof"),
        ("endless", "more than 16384 bytes"),
    ],
)
def test_a_calendar_that_does_not_do_its_work(
    running: Calendar, note: bytes, mood: Mood, says: str
) -> None:
    proof = submit(note, running.url)
    running.mood = mood
    with pytest.raises(FetchError, match=says):
        submit(note, running.url)
    with pytest.raises(FetchError, match=says):
        upgrade(proof, note, running.url)
    running.mood = "well"
    running.confirm(height=1)
    assert upgrade(proof, note, running.url) is not None


def test_one_that_lies_promises_something_about_other_bytes(running: Calendar, note: bytes) -> None:
    """The proof is well-formed, and leads from our bytes; only the calendar can't complete it."""
    running.mood = "lying"
    proof = submit(note, running.url)
    running.mood = "well"
    running.confirm(height=1)
    assert upgrade(proof, note, running.url) is None


def test_one_that_is_slow(running: Calendar, note: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    running.mood, running.patience_s = "slow", 1.0
    monkeypatch.setattr(module, "_LIMITS", replace(module._LIMITS, silence=0.2))  # noqa: SLF001
    with pytest.raises(FetchError, match="too slowly"):
        submit(note, running.url)


def test_one_that_is_down(note: bytes) -> None:
    with pytest.raises(FetchError, match="can't be reached"):
        submit(note, "http://127.0.0.1:1")


def test_it_leads_nobody_into_their_own_network(running: Calendar, note: bytes) -> None:
    running.name = "http://127.0.0.1:9"
    proof = submit(note, running.url)
    with pytest.raises(UnsafeAddressError, match="127"):
        upgrade(proof, note, running.url)


def test_a_proof_of_other_bytes(running: Calendar, note: bytes) -> None:
    proof = submit(note, running.url)
    with pytest.raises(IntegrityError, match="about other bytes"):
        read_proof(proof, note + b"x")
    other = DetachedTimestampFile(OpSHA1(), Timestamp(b"x" * 20))
    other.timestamp.attestations.add(BitcoinBlockHeaderAttestation(1))
    with pytest.raises(IntegrityError, match="about other bytes"):
        read_proof(written(other), note)


def test_claims_of_kinds_that_are_not_known_count_for_nothing(note: bytes) -> None:
    proof = DetachedTimestampFile(OpSHA256(), Timestamp(sha256(note).digest()))
    proof.timestamp.attestations.add(UnknownAttestation(b"whatever", b"payload"))
    # A Merkle root has 32 bytes, and no chain has ten thousand million blocks.
    long = proof.timestamp.ops.add(OpAppend(b"more"))
    long.attestations.add(BitcoinBlockHeaderAttestation(7))
    proof.timestamp.attestations.add(BitcoinBlockHeaderAttestation(10**10))
    claims = read_proof(written(proof), note)
    assert (claims.blocks, claims.calendars, claims.unknown) == ((), (), 3)


def test_an_operation_that_the_library_warns_of(note: bytes) -> None:
    proof = DetachedTimestampFile(OpSHA256(), Timestamp(sha256(note).digest()))
    with pytest.warns(PendingDeprecationWarning):
        back = proof.timestamp.ops.add(OpReverse())
    back.attestations.add(BitcoinBlockHeaderAttestation(7))
    (block,) = read_proof(written(proof), note).blocks
    assert block.merkle_root == sha256(note).digest()[::-1]


@pytest.mark.parametrize("data", [b"", b"x", bytes(70_000)])
def test_what_is_no_proof(data: bytes, note: bytes) -> None:
    with pytest.raises(IntegrityError):
        read_proof(data, note)


def test_a_cut_proof(running: Calendar, note: bytes) -> None:
    proof = submit(note, running.url)
    for length in range(0, len(proof), 5):
        with pytest.raises(IntegrityError):
            read_proof(proof[:length], note)
