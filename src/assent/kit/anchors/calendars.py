"""OpenTimestamps: calendars gather hashes, and put one root over all of them into Bitcoin.

    proof = submit(note, "https://alice.btc.calendar.opentimestamps.org")   # pending
    proof = upgrade(proof, note, url) or proof                              # hours later
    claims = read_proof(proof, note)

A pending proof shows nothing yet but where to ask again. A complete one names a block whose Merkle
root its operations lead to; whether that block has this root, its header tells (see `bitcoin`).
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import (
    BytesDeserializationContext,
    BytesSerializationContext,
    DeserializationError,
)
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from assent.kit.errors import AssentError, FetchError, IntegrityError
from assent.kit.fetch.exchange import Answer, Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

__all__ = ["Block", "Claims", "read_proof", "submit", "upgrade"]

_LIMITS = Limits(size=1 << 14, seconds=30.0, silence=15.0, redirects=0)
_LARGEST = 1 << 16
_MOST_ASKED = 8
_ACCEPT = "application/vnd.opentimestamps.v1"
_NONCE = 16
_HIGHEST = 10**8


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A claim: the Bitcoin block at `height` has this Merkle root (32 bytes, header's order)."""

    height: int
    merkle_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a proof claims.

    Attributes:
        blocks: the blocks, lowest first.
        calendars: addresses of calendars that promised to go on.
        unknown: how many claims are of kinds that aren't known here.
    """

    blocks: tuple[Block, ...]
    calendars: tuple[str, ...]
    unknown: int


def submit(
    note: bytes,
    url: str,
    *,
    how: Fetch | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Give the hash of `note` to a calendar and return the proof, which is pending for hours.

    The calendar sees a salted hash only.

    Raises:
        FetchError: it can't be reached, is slow, or answers what is no proof.
    """
    proof = DetachedTimestampFile(OpSHA256(), Timestamp(sha256(note).digest()))
    salted = proof.timestamp.ops.add(OpAppend(entropy(_NONCE))).ops.add(OpSHA256())
    post = Post(body=salted.msg, content_type="application/x-www-form-urlencoded")
    answer, data = fetch_bytes(
        f"{url.rstrip('/')}/digest", post=post, own=True, accept=_ACCEPT, how=how, limits=_LIMITS
    )
    _merge(salted, _answered(answer, data, salted.msg))
    return _serialize(proof)


def upgrade(data: bytes, note: bytes, url: str, *, how: Fetch | None = None) -> bytes | None:
    """Ask the calendars of a pending proof again; return the complete proof, or None for not yet.

    `url` is the calendar that the owner named, which may lie in their own network; others that the
    proof names are asked at public addresses only.

    Raises:
        FetchError: no calendar gave a useful answer.
        IntegrityError: `data` is no proof of `note`.
    """
    proof = _parse(data, note)
    problem: AssentError | None = None
    waiting = list(_pending(proof.timestamp))[:_MOST_ASKED]
    for stamp, uri in waiting:
        own = _host(uri) == _host(url)
        try:
            answer, body = fetch_bytes(
                f"{uri.rstrip('/')}/timestamp/{stamp.msg.hex()}",
                own=own, accept=_ACCEPT, how=how, limits=_LIMITS,
            )  # fmt: skip
            if answer.status == 404:
                continue
            more = _answered(answer, body, stamp.msg)
        except AssentError as error:
            problem = error
            continue
        if any(isinstance(each, BitcoinBlockHeaderAttestation) for _, each in _all(more)):
            _merge(stamp, more)
            return _serialize(proof)
    if problem is not None:
        raise problem
    return None


def read_proof(data: bytes, note: bytes) -> Claims:
    """Return what a proof of `note` claims; raises `IntegrityError` if it is none."""
    blocks, calendars, unknown = set(), set(), 0
    for message, each in _all(_parse(data, note).timestamp):
        if isinstance(each, BitcoinBlockHeaderAttestation) and _is_block(each.height, message):
            blocks.add((int(each.height), message))
        elif isinstance(each, PendingAttestation):
            calendars.add(str(each.uri))
        else:
            unknown += 1
    return Claims(
        blocks=tuple(Block(height=height, merkle_root=root) for height, root in sorted(blocks)),
        calendars=tuple(sorted(calendars)),
        unknown=unknown,
    )


def _is_block(height: int, message: bytes) -> bool:
    return height < _HIGHEST and len(message) == 32


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Turn whatever the library raises on senseless bytes into an `IntegrityError`."""
    try:
        with warnings.catch_warnings():
            # It warns of operations that its authors may drop one day.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            yield
    except (DeserializationError, ValueError, TypeError, AssertionError, OverflowError) as error:
        raise IntegrityError(f"{what} is no proof of OpenTimestamps") from error


def _parse(data: bytes, note: bytes) -> DetachedTimestampFile:
    if len(data) > _LARGEST:
        raise IntegrityError("the proof is larger than any of OpenTimestamps")
    with _reading("the file"):
        proof = DetachedTimestampFile.deserialize(BytesDeserializationContext(data))
    if not isinstance(proof.file_hash_op, OpSHA256) or proof.file_digest != sha256(note).digest():
        raise IntegrityError("the proof of OpenTimestamps is about other bytes")
    return proof


def _answered(answer: Answer, data: bytes, message: bytes) -> Timestamp:
    """Return the proof in a calendar's answer about `message`."""
    if answer.status != 200:
        raise FetchError(f"the calendar answers with HTTP {answer.status}")
    try:
        with _reading("the answer"):
            context = BytesDeserializationContext(data)
            found = Timestamp.deserialize(context, message)
            context.assert_eof()
    except IntegrityError as error:
        raise FetchError("what the calendar answers is no proof") from error
    return found


def _merge(stamp: Timestamp, more: Timestamp) -> None:
    with _reading("the answer"):
        stamp.merge(more)


def _serialize(proof: DetachedTimestampFile) -> bytes:
    context = BytesSerializationContext()
    with _reading("the answer"):
        proof.serialize(context)
    data = bytes(context.getbytes())
    if len(data) > _LARGEST:
        raise FetchError("the calendar's proof is larger than any of OpenTimestamps")
    return data


def _all(stamp: Timestamp) -> Iterator[tuple[bytes, object]]:
    """Yield each claim with the message that it is about."""
    yield from stamp.all_attestations()


def _pending(stamp: Timestamp) -> Iterator[tuple[Timestamp, str]]:
    """Yield each node that a calendar promised to go on from, with the calendar's address."""
    for each in stamp.attestations:
        if isinstance(each, PendingAttestation):
            yield stamp, each.uri
    for after in stamp.ops.values():
        yield from _pending(after)


def _host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc
