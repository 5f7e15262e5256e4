"""Asking witnesses to cosign a log's checkpoint (c2sp.org/tlog-witness, the log's side).

All witnesses are asked at once, so that one that is down or slow delays nobody by more than its own
time limit. Nothing that a witness answers is believed but its signature.

>>> result = cosign(log, policy, send=send, clock=system)  # doctest: +SKIP
>>> result.enough
True
"""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from assent.kit.clock import Clock
from assent.kit.errors import AssentError, IntegrityError
from assent.kit.tlog.checkpoint import parse_decimal
from assent.kit.tlog.cosignature import FUTURE, cosigned_at
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import signature_line, signatures_of, split_note
from assent.kit.tlog.policy import Policy, PolicyWitness
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.witnessed import open_witnessed

__all__ = ["ANSWER_LIMIT", "Asked", "Cosigned", "Send", "cosign"]

ANSWER_LIMIT = 64 << 10
"""Bytes in the longest answer of a witness that is read."""

Send = Callable[[str, bytes], tuple[int, bytes]]
"""Posts bytes to an address; returns status and body, or raises `AssentError`."""

_LATE = timedelta(minutes=10)
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking one witness.

    Attributes:
        witness: what the policy calls it.
        line: its signature line, verified, or None.
        says: what happened, for people.
        alarming: whether it says that it has seen another history of the log.
    """

    witness: str
    line: str | None
    says: str
    alarming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A checkpoint with the cosignatures that it has now; `enough` is what the policy says."""

    note: str
    asked: tuple[Asked, ...]
    enough: bool


def cosign(log: Log, policy: Policy, *, send: Send, clock: Clock) -> Cosigned:
    """Ask the policy's witnesses to cosign the log's newest checkpoint, and publish their lines.

    A witness without an address can't be asked, one that refuses or doesn't answer is reported;
    neither is an error.

    Raises:
        StorageError: the log's disk failed.
    """
    note = log.checkpoint()
    earlier = log.cosigned()
    asked: list[Asked] = []
    if policy.witnesses:
        asking = [_Asking(log, note, earlier, each, send, clock) for each in policy.witnesses]
        with ThreadPoolExecutor(min(_AT_ONCE, len(asking))) as threads:
            asked = list(threads.map(_Asking.ask, asking))
    lines = [each.line for each in asked if each.line is not None]
    if lines:
        note = log.add_cosignatures(note, lines)
    seen = open_witnessed(note, log=log.reader().verifier, policy=policy, now=clock())
    return Cosigned(note=note, asked=tuple(asked), enough=seen.enough)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One witness that is being asked to cosign `note`."""

    log: Log
    note: str
    earlier: str | None
    witness: PolicyWitness
    send: Send
    clock: Clock

    def ask(self) -> Asked:
        """Ask, and a second time if the witness has seen another size than we thought."""
        if self.witness.url is None:
            return self._no("the policy names no address to ask it at")
        try:
            reader = self.log.reader(self.note)
            known = self._known()
            status, body = self._post(reader, known)
            remark = ""
            if status == 409:
                size = _size_in(body)
                if size > reader.size or (size == known == reader.size):
                    return self._alarm(size, reader.size)
                if size < known:
                    remark = f"; it cosigned {known} entries before and remembers {size}"
                status, body = self._post(reader, size)
            return self._judge(status, body, reader.size, remark)
        except AssentError as error:
            return self._no(str(error))

    def _known(self) -> int:
        """Return the size that the witness cosigned last, as far as we know."""
        if self.earlier is None or not signatures_of(self.earlier, [self.witness.key]):
            return 0
        return self.log.reader(self.earlier).size

    def _post(self, reader: LogReader, old: int) -> tuple[int, bytes]:
        proof = [base64.b64encode(each).decode() for each in reader.consistency_proof(old)]
        text = "\n".join([f"old {old}", *proof, "", self.note])
        return self.send(f"{self.witness.url}/add-checkpoint", text.encode())

    def _judge(self, status: int, body: bytes, size: int, remark: str) -> Asked:
        if status == 200:
            line, time = self._line_in(body)
            return Asked(
                witness=self.witness.name,
                line=line,
                says=f"cosigned {size} entries at {time:%Y-%m-%d %H:%M:%S} UTC{remark}",
                alarming=bool(remark),
            )
        if status in (409, 422):
            return self._alarm(None, size)
        words = {403: "it has another key of this log", 404: "it doesn't accept this log"}
        return self._no(words.get(status, f"it answers {status}"))

    def _line_in(self, body: bytes) -> tuple[str, object]:
        """Return the witness's own line in its answer, verified and fresh, and its time."""
        try:
            text = split_note(self.note)[0]
            found = signatures_of(f"{text}\n{body.decode()}", [self.witness.key])
        except UnicodeDecodeError as error:
            raise IntegrityError("its answer is no text") from error
        if not found:
            raise IntegrityError("its answer isn't signed with its key")
        _, signature = found[-1]
        time, now = cosigned_at(signature.data), self.clock()
        if not now - _LATE <= time <= now + FUTURE:
            raise IntegrityError(f"its cosignature is of {time:%Y-%m-%d %H:%M} UTC, not of now")
        return signature_line(self.witness.key, signature.data), time

    def _alarm(self, seen: int | None, size: int) -> Asked:
        what = "another history" if seen in (None, size) else f"{seen} entries"
        return Asked(
            witness=self.witness.name,
            line=None,
            says=f"it has seen {what} of this log, which holds {size}: the log was rolled back or "
            "rewritten, or its key is used elsewhere, or the witness errs",
            alarming=True,
        )

    def _no(self, why: str) -> Asked:
        return Asked(witness=self.witness.name, line=None, says=why)


def _size_in(body: bytes) -> int:
    """Return the size in an answer 409."""
    try:
        return parse_decimal(body.decode().removesuffix("\n"))
    except ValueError as error:
        raise IntegrityError("it answers 409 without a size") from error
