"""A witness of other people's logs: it cosigns what follows what it has seen, and nothing else.

A witness is a folder:

    key.pem                       its own key
    name                          its name, which stands in its cosignatures
    logs/HASH/keys                the public keys of one log, a line each; HASH is of its origin
    logs/HASH/state               time and checkpoint that were cosigned last
    evidence/                     signed checkpoints that contradict each other

What is to be cosigned is written down, durably and under a lock, before it is signed. A log whose
state is missing or can't be read is answered no more: a witness that forgets would sign a fork.

>>> answer = Witness.open(folder, clock=system).add_checkpoint(body)  # doctest: +SKIP
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from assent.kit.clock import Clock
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import AssentError, InputError, IntegrityError, NotFoundError
from assent.kit.tlog.checkpoint import Checkpoint, parse_decimal, read_body
from assent.kit.tlog.cosignature import Cosigner
from assent.kit.tlog.files import NOTE_LIMIT
from assent.kit.tlog.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from assent.kit.tlog.note import NoteVerifier, check_name, decode_base64, open_note, split_note

__all__ = ["SIZE_TYPE", "Answer", "Kept", "Witness"]

SIZE_TYPE = "text/x.tlog.size"
"""What a witness answers with when it has seen another size."""

_TEXT = "text/plain; charset=utf-8"
_NO_REQUEST = "this is no request to add a checkpoint\n"
_PROOF_LINES = 63
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EVIDENCE = 200
"""Files of evidence that are kept at most, so that nobody can fill the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    content_type: str = _TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a witness has of a log: its keys, and what it cosigned last and when."""

    origin: str
    keys: tuple[NoteVerifier, ...]
    state: Checkpoint
    time: datetime | None
    note: str


class _RefusalError(Exception):
    """Why a request isn't cosigned, as the answer to it."""

    def __init__(self, status: int, body: str, content_type: str = _TEXT) -> None:
        super().__init__(body)
        self.answer = Answer(status=status, body=body, content_type=content_type)


class Witness:
    """A witness that this process runs; make one with `create` or `open`."""

    def __init__(self, folder: Path, *, cosigner: Cosigner, clock: Clock, disk: Disk) -> None:
        self._folder = folder
        self._clock = clock
        self._disk = disk
        self._cosigner = cosigner

    @classmethod
    def create(
        cls, folder: Path, *, name: str, clock: Clock, disk: Disk | None = None
    ) -> "Witness":
        """Make a witness with a new key in `folder`.

        Raises:
            InputError: there is one already, or the name can't name a key.
        """
        disk = disk or Disk()
        check_name(name)
        if disk.read(folder / "key.pem") is not None:
            raise InputError(f"{folder} is a witness already", advice="Choose another folder.")
        for part in ("", "logs", "evidence"):
            disk.make_folder(folder / part)
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        replace_file(disk, folder / "name", f"{name}\n".encode())
        # The key last: a folder with a key is a whole witness.
        replace_file(disk, folder / "key.pem", pem)
        return cls.open(folder, clock=clock, disk=disk)

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, disk: Disk | None = None) -> "Witness":
        """Open the witness in `folder`; `NotFoundError` if there is none."""
        disk = disk or Disk()
        pem, name = disk.read(folder / "key.pem"), disk.read(folder / "name")
        if pem is None or name is None:
            raise NotFoundError(
                f"{folder} holds no witness", advice="Make one: `assent log witness init`."
            )
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise IntegrityError(f"{folder / 'key.pem'} is not an Ed25519 key")
        cosigner = Cosigner(name.decode().strip(), key)
        return cls(folder, cosigner=cosigner, clock=clock, disk=disk)

    @property
    def vkey(self) -> str:
        """The public key of its cosignatures, as a line of text to publish."""
        return self._cosigner.verifier.vkey

    def accept(self, vkey: str, *, another: bool = False) -> Kept:
        """Go along with a log from now on; with `another` this is one more key of a known one.

        Raises:
            InputError: it is no log's key; or one that is accepted already; or, unless `another`
                says so, one of a log that has another key: whoever names their own log like it
                must not be taken for it.
        """
        key = NoteVerifier.parse(vkey)
        place = self._place(key.name)
        self._disk.make_folder(place)
        with self._disk.lock(place / ".lock"):
            old = self._disk.read(place / "keys")
            lines = [] if old is None else old.decode().split()
            if key.vkey in lines:
                raise InputError(f"{key.name} is accepted already", advice="Nothing is to be done.")
            if lines and not another:
                raise InputError(
                    f"{key.name} is accepted with another key",
                    advice="Ask the owner of the log that you know, by a way that you trust. If "
                    "this is their new key: --another-key.",
                )
            if old is None and self._disk.read(place / "state") is None:
                # The state first: keys without a state mean that the state was lost.
                empty = Checkpoint(origin=key.name, size=0, root=EMPTY_ROOT)
                replace_file(self._disk, place / "state", _state_text(None, empty.body()))
            replace_file(
                self._disk, place / "keys", "".join(f"{x}\n" for x in [*lines, key.vkey]).encode()
            )
        return self.kept(key.name)

    def logs(self) -> list[Kept]:
        """Return what is kept of every log, by origin; `IntegrityError` if a state was lost."""
        places = [self._folder / "logs" / each for each in self._disk.names(self._folder / "logs")]
        # One without keys was never accepted: the process stopped before.
        accepted = [each for each in places if self._disk.read(each / "keys") is not None]
        return sorted(map(self._read, accepted), key=lambda kept: kept.origin)

    def kept(self, origin: str) -> Kept:
        """Return what is kept of one log; `NotFoundError` if it isn't accepted."""
        return self._read(self._place(origin))

    def latest(self, origin_hash: str) -> str | None:
        """Return the checkpoint of a log that was cosigned last, or None if none was yet.

        `origin_hash` is the SHA-256 of the log's origin in hexadecimal; `NotFoundError` if that log
        isn't accepted.
        """
        if not _HASH.fullmatch(origin_hash):
            return None
        kept = self._read(self._folder / "logs" / origin_hash)
        return kept.note if kept.time is not None else None

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request `add-checkpoint` of c2sp.org/tlog-witness."""
        try:
            return self._answer(body)
        except _RefusalError as refusal:
            return refusal.answer
        except AssentError:
            # Why is for the owner's eyes; whoever asks can't help.
            return Answer(status=500, body="this witness can't answer for that log now\n")

    def _answer(self, body: bytes) -> Answer:
        """Cosign, or raise `_RefusalError`."""
        old, proof, note = _parse_request(body)
        place = self._place(note.split("\n", 1)[0])
        if self._disk.read(place / "keys") is None:
            raise _RefusalError(404, "this log is not accepted here\n")
        with self._disk.lock(place / ".lock"):
            return self._judge(place, old, proof, note)

    def _judge(self, place: Path, old: int, proof: list[bytes], note: str) -> Answer:
        """Cosign, or raise `_RefusalError`; the caller holds the log's lock."""
        kept = self._read(place)
        text = _signed_text(kept, note)
        state = _state_of(text)
        if old > state.size:
            raise _RefusalError(400, "the old size is larger than the checkpoint's\n")
        if old != kept.state.size:
            self._note_contradiction(kept, state, note)
            raise _RefusalError(409, f"{kept.state.size}\n", SIZE_TYPE)
        if old == state.size and state.root != kept.state.root:
            self._note_contradiction(kept, state, note)
            raise _RefusalError(409, f"{kept.state.size}\n", SIZE_TYPE)
        try:
            _check_follows(kept.state, state, proof)
        except IntegrityError as error:
            self._keep_evidence(kept.note, note)
            raise _RefusalError(422, "the proof doesn't fit\n") from error
        now = self._clock()
        if kept.time is not None and now < kept.time:
            raise _RefusalError(503, "this witness's clock went back\n")
        replace_file(self._disk, place / "state", _state_text(now, note))
        return Answer(status=200, body=self._cosigner.cosign(text, time=int(now.timestamp())))

    def _note_contradiction(self, kept: Kept, state: Checkpoint, note: str) -> None:
        """Keep two signed checkpoints of one size and different roots: nothing excuses those."""
        if state.size == kept.state.size and state.root != kept.state.root:
            self._keep_evidence(kept.note, note)

    def _keep_evidence(self, known: str, given: str) -> None:
        data = f"{known}\n{'-' * 16}\n{given}".encode()
        path = self._folder / "evidence" / f"{sha256(data).hexdigest()[:32]}.txt"
        kept = self._disk.names(path.parent)
        if path.name not in kept and len(kept) < _EVIDENCE:
            replace_file(self._disk, path, data)

    def _place(self, origin: str) -> Path:
        return self._folder / "logs" / sha256(origin.encode("utf-8", "replace")).hexdigest()

    def _read(self, place: Path) -> Kept:
        """Return what is kept of a log."""
        keys, state = self._disk.read(place / "keys"), self._disk.read(place / "state")
        if keys is None:
            raise NotFoundError(f"{place} is of no log that is accepted here")
        if state is None:
            raise IntegrityError(
                f"{place} has lost what it cosigned last",
                advice="This witness must sign no more: it may sign a fork. Make a new one, with a "
                "new key, and tell the log's owner and everyone who trusts the old key.",
            )
        try:
            verifiers = tuple(NoteVerifier.parse(line) for line in keys.decode().split())
            head, _, note = state.decode().partition("\n")
            seconds = parse_decimal(head.removeprefix("time "))
            checkpoint, _ = read_body(split_note(note)[0] if "\n\n" in note else note)
        except (ValueError, InputError, IntegrityError) as error:
            raise IntegrityError(f"{place} is damaged: {error}") from error
        return Kept(
            origin=verifiers[0].name,
            keys=verifiers,
            state=checkpoint,
            time=datetime.fromtimestamp(seconds, UTC) if seconds else None,
            note=note,
        )


def _check_follows(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    """Raise `IntegrityError` unless the proof shows that `new` continues `old`."""
    verify_consistency(
        old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, proof=proof
    )


def _state_text(now: datetime | None, note: str) -> bytes:
    return f"time {int(now.timestamp()) if now else 0}\n{note}".encode()


def _parse_request(body: bytes) -> tuple[int, list[bytes], str]:
    """Return old size, proof and checkpoint; raises `_RefusalError`."""
    if len(body) > NOTE_LIMIT:
        raise _RefusalError(413, "the request is too long\n")
    try:
        head, _, note = body.decode().partition("\n\n")
        first, *rest = head.split("\n")
        proof = [decode_base64(line) for line in rest]
        old = parse_decimal(first.removeprefix("old "))
    except ValueError as error:
        raise _RefusalError(400, _NO_REQUEST) from error
    whole = note and first.startswith("old ") and len(proof) <= _PROOF_LINES
    if not whole or any(len(each) != HASH_SIZE for each in proof):
        raise _RefusalError(400, _NO_REQUEST)
    return old, proof, note


def _signed_text(kept: Kept, note: str) -> str:
    """Return the text of a note that one of the log's keys signed."""
    try:
        return open_note(note, kept.keys)
    except IntegrityError as error:
        raise _RefusalError(403, "the checkpoint isn't signed by the log\n") from error


def _state_of(text: str) -> Checkpoint:
    """Return the state that a signed text tells of."""
    try:
        state, _ = read_body(text)
    except ValueError as error:
        raise _RefusalError(400, "this is no checkpoint\n") from error
    if state.size == 0 and state.root != EMPTY_ROOT:
        raise _RefusalError(422, "an empty log has another root\n")
    return state
