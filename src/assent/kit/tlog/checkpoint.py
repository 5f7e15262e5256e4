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
from assent.kit.tlog.note import Verifier, decode_base64, open_note

__all__ = ["Checkpoint", "open_checkpoint", "parse_decimal", "read_body"]

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


def read_body(body: str) -> tuple[Checkpoint, list[str]]:
    """Return the state that a note's text tells of, unchecked, and its extension lines.

    Raises:
        ValueError: the text isn't a checkpoint's.
    """
    lines = body.split("\n")
    if len(lines) < 4 or lines.pop() != "" or not all(lines):
        raise ValueError("it has not three lines or more, all of them filled")
    root = decode_base64(lines[2])
    if len(root) != HASH_SIZE:
        raise ValueError("its root is no hash")
    return Checkpoint(origin=lines[0], size=parse_decimal(lines[1]), root=root), lines[3:]


def open_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Return the checkpoint in a note that `verifier` signed under its own name as origin.

    Raises:
        IntegrityError: the note isn't such a checkpoint, or its signature is wrong.
    """
    try:
        state, _ = read_body(open_note(note, [verifier]))
    except ValueError as error:
        raise IntegrityError(f"the note is no checkpoint: {error}") from error
    if state.origin != verifier.name:
        raise IntegrityError(f"the checkpoint is of {state.origin}, not of {verifier.name}")
    if state.size == 0 and state.root != EMPTY_ROOT:
        raise IntegrityError(f"the checkpoint of {state.origin} has an impossible root")
    return state
