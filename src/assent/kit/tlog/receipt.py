"""Receipts: one text that proves offline that an entry is in a log (c2sp.org/tlog-proof).

>>> receipt = make_receipt(reader, 7)  # doctest: +SKIP
>>> found = verify_receipt(receipt, entry, verifier)  # doctest: +SKIP
>>> found.index, found.size  # doctest: +SKIP
(7, 12)
"""

import base64
from dataclasses import dataclass
from datetime import datetime

from assent.kit.errors import IntegrityError
from assent.kit.tlog.checkpoint import parse_decimal
from assent.kit.tlog.cosignature import Cosignature
from assent.kit.tlog.files import NOTE_LIMIT
from assent.kit.tlog.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from assent.kit.tlog.note import NoteVerifier, decode_base64
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.witnessed import open_witnessed

__all__ = ["SUFFIX", "VerifiedEntry", "make_receipt", "verify_receipt"]

SUFFIX = ".tlog-proof"
"""How the names of files with receipts end."""

_UNWITNESSED = Policy()
_HEADER = "c2sp.org/tlog-proof@v1"
_ADVICE = "Fetch the receipt again from the log; it must be stored byte for byte."


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEntry:
    """An entry that was found at `index` in the log `origin` when it held `size` entries.

    `cosignatures` are those of the policy's witnesses over that state of the log, and `enough` says
    whether the policy's quorum is met (always, if no policy was given).
    """

    index: int
    size: int
    origin: str
    cosignatures: tuple[Cosignature, ...] = ()
    enough: bool = True


def make_receipt(reader: LogReader, index: int) -> str:
    """Return the receipt of an entry at the reader's state; `NotFoundError` if there is none."""
    hashes = [base64.b64encode(each).decode() for each in reader.inclusion_proof(index)]
    return "\n".join([_HEADER, f"index {index}", *hashes, "", reader.checkpoint])


def verify_receipt(
    text: str,
    entry: bytes,
    verifier: NoteVerifier,
    *,
    policy: Policy = _UNWITNESSED,
    now: datetime | None = None,
) -> VerifiedEntry:
    """Return where the log had `entry`, once signature and proof are verified.

    Whether enough witnesses saw it is for the caller to ask of the result. Extra data in the
    receipt isn't authenticated and is passed over.

    Raises:
        IntegrityError: the receipt is malformed, of another log or of another entry, or a
            cosignature of a known witness is wrong.
    """
    if len(text) > NOTE_LIMIT:
        raise IntegrityError("this is not a receipt: it is too long", advice=_ADVICE)
    head, _, note = text.partition("\n\n")
    try:
        index, proof = _parse_head(head.split("\n"))
    except ValueError as error:
        raise IntegrityError(f"this is not a receipt: {error}", advice=_ADVICE) from error
    seen = open_witnessed(note, log=verifier, policy=policy, now=now)
    state = seen.state
    verify_inclusion(leaf_hash(entry), index=index, size=state.size, proof=proof, root=state.root)
    return VerifiedEntry(
        index=index,
        size=state.size,
        origin=state.origin,
        cosignatures=seen.cosignatures,
        enough=seen.enough,
    )


def _parse_head(lines: list[str]) -> tuple[int, list[bytes]]:
    """Return index and proof; `ValueError` on any line that isn't as specified."""
    if lines.pop(0) != _HEADER:
        raise ValueError("the first line differs")
    if lines and lines[0].startswith("extra "):
        decode_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise ValueError("it has no index")
    index = parse_decimal(lines.pop(0).removeprefix("index "))
    proof = [decode_base64(line) for line in lines]
    if any(len(each) != HASH_SIZE for each in proof):
        raise ValueError("a hash has the wrong length")
    return index, proof
