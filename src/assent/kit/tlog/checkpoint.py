"""Checkpoints: how large the log is and what its root is, signed (c2sp.org/tlog-checkpoint).

>>> print(Checkpoint(origin="assent.local/studio/1", size=0, root=EMPTY_ROOT).body())
assent.local/studio/1
0
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
<BLANKLINE>
"""

import base64
import re
from dataclasses import dataclass

from assent.kit.errors import IntegrityError
from assent.kit.tlog.merkle import EMPTY_ROOT, HASH_SIZE
from assent.kit.tlog.note import NoteVerifier, decode_base64, open_note

__all__ = ["Checkpoint", "open_checkpoint", "parse_decimal"]

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log: its `origin`, its `size` in entries and its `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_decimal(text: str) -> int:
    """Return a number of at most 19 digits, without sign or leading zeroes; else `ValueError`."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text!r} is not a plain number")
    return int(text)


def open_checkpoint(note: str, verifier: NoteVerifier) -> Checkpoint:
    """Return the checkpoint in a note that `verifier` signed under its own name as origin.

    Raises:
        IntegrityError: the note isn't such a checkpoint, or its signature is wrong.
    """
    lines = open_note(note, [verifier]).split("\n")
    try:
        origin, size, root = lines[0], parse_decimal(lines[1]), decode_base64(lines[2])
    except (IndexError, ValueError) as error:
        raise IntegrityError(f"the note is no checkpoint: {error}") from error
    if origin != verifier.name:
        raise IntegrityError(f"the checkpoint is of {origin}, not of {verifier.name}")
    if len(root) != HASH_SIZE or (size == 0 and root != EMPTY_ROOT):
        raise IntegrityError(f"the checkpoint of {origin} has an impossible root")
    return Checkpoint(origin=origin, size=size, root=root)
