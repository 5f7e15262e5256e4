"""Receipts: one text that proves offline that an entry is in a log (c2sp.org/tlog-proof).

>>> receipt = make_receipt(reader, 7)  # doctest: +SKIP
>>> verify_receipt(receipt, entry, verifier)  # doctest: +SKIP
VerifiedEntry(index=7, size=12, origin='assent.local/studio/1')
"""

import base64
from dataclasses import dataclass

from assent.kit.errors import IntegrityError
from assent.kit.tlog.checkpoint import open_checkpoint, parse_decimal
from assent.kit.tlog.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from assent.kit.tlog.note import NoteVerifier, decode_base64
from assent.kit.tlog.reader import LogReader

__all__ = ["VerifiedEntry", "make_receipt", "verify_receipt"]

_HEADER = "c2sp.org/tlog-proof@v1"
_ADVICE = "Fetch the receipt again from the log; it must be stored byte for byte."


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEntry:
    """An entry that was found at `index` in the log `origin` when it held `size` entries."""

    index: int
    size: int
    origin: str


def make_receipt(reader: LogReader, index: int) -> str:
    """Return the receipt of an entry at the reader's state; `NotFoundError` if there is none."""
    hashes = [base64.b64encode(each).decode() for each in reader.inclusion_proof(index)]
    return "\n".join([_HEADER, f"index {index}", *hashes, "", reader.checkpoint])


def verify_receipt(text: str, entry: bytes, verifier: NoteVerifier) -> VerifiedEntry:
    """Return where the log had `entry`, once signature and proof are verified.

    Extra data in the receipt isn't authenticated and is passed over.

    Raises:
        IntegrityError: the receipt is malformed, of another log or of another entry.
    """
    head, _, note = text.partition("\n\n")
    try:
        index, proof = _parse_head(head.split("\n"))
    except ValueError as error:
        raise IntegrityError(f"this is not a receipt: {error}", advice=_ADVICE) from error
    state = open_checkpoint(note, verifier)
    verify_inclusion(leaf_hash(entry), index=index, size=state.size, proof=proof, root=state.root)
    return VerifiedEntry(index=index, size=state.size, origin=state.origin)


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
