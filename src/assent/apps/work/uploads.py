"""Files on their way into the studio: in pieces, encrypted, and resumed after any kind of cut.

    uploads = Uploads(studio)
    upload = uploads.create("scene.mp4", size=2 << 30, project_id=project)
    with uploads.receive(upload.id, offset=0) as receiver:
        receiver.write(data)                       # as often as something comes
    uploads.find(upload.id).offset                 # go on from there

What has come lies in `uploads/`, each file under a key of its own, which is destroyed with it.
Whole pieces of 1 MiB are kept: of what was cut off in the middle of one, the piece is sent again.
Nobody needs more memory than a piece, whatever the size.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from sqlalchemy import func, select, update

from assent.consent.challenge import Entropy
from assent.kit.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    NotFoundError,
    StorageError,
)
from assent.kit.hashing import chunks_of
from assent.kit.jobs.job import State
from assent.kit.jobs.queue import Queue, finely
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.work_tables import UploadRow
from assent.kit.vault.growing import PIECE, Growing

__all__ = ["Limits", "Receiver", "Upload", "UploadedFile", "Uploads"]

_SYNC_EVERY = 16
_UNFINISHED = tuple(state for state in State if not state.over)
_ALL = 1_000_000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may lie there.

    Attributes:
        largest: bytes of one file.
        each: files of one account that haven't been used yet.
        all: files of everybody.
        spare: bytes of the disk that stay free, whatever comes.
        lifetime: after which a file that nothing came for is removed.
    """

    largest: int = 64 << 30
    each: int = 20
    all: int = 200
    spare: int = 1 << 30
    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that is on its way or has arrived; `offset` bytes of `size` are there for good."""

    id: str
    project_id: str | None
    account: str | None
    name: str
    size: int
    sha256: str | None
    offset: int
    expires: str

    @property
    def complete(self) -> bool:
        """Whether all of it is there."""
        return self.offset == self.size


class Uploads:
    """All files on their way into one studio."""

    def __init__(
        self, studio: Studio, limits: Limits | None = None, *, entropy: Entropy = os.urandom
    ) -> None:
        self._studio = studio
        self.limits = limits or Limits()
        self._entropy = entropy

    @property
    def folder(self) -> Path:
        """Where the ciphertext lies."""
        return self._studio.folder / "uploads"

    def create(
        self,
        name: str,
        *,
        size: int,
        project_id: str | None = None,
        account: str | None = None,
        sha256: str | None = None,
    ) -> Upload:
        """Make room for a file; with `sha256` (hex) what comes is held to it in the end.

        Raises `InputError` for a size or name that can't be, `ConflictError` if too many files
        haven't been used yet, `StorageError` if the disk has no room for it.
        """
        _check(name, size, sha256, self.limits.largest)
        self.sweep()
        self._studio.disk.make_folder(self.folder)
        self._check_room(size, account)
        now = finely(self._studio.clock())
        row = UploadRow(
            id=uuid.uuid4().hex,
            project_id=project_id,
            account=account,
            name=name.strip(),
            size=size,
            sha256=sha256.lower() if sha256 else None,
            created=now,
            touched=now,
        )
        # The key first: without it the row is nothing, and a key that nobody has is swept.
        self._studio.secrets.put(_key_name(row.id), self._entropy(32))
        with self._studio.database.session() as session:
            session.add(row)
        return self._upload(row)

    def find(self, upload_id: str) -> Upload:
        """Return an upload; raises `NotFoundError`."""
        return self._upload(self._row(upload_id))

    def list(self, project_id: str | None = None) -> tuple[Upload, ...]:
        """Return the uploads of a project, or all, oldest first."""
        wanted = select(UploadRow).order_by(UploadRow.created, UploadRow.id)
        if project_id is not None:
            wanted = wanted.where(UploadRow.project_id == project_id)
        with self._studio.database.session() as session:
            rows = session.scalars(wanted).all()
        return tuple(self._upload(row) for row in rows)

    @contextmanager
    def receive(self, upload_id: str, *, offset: int) -> Iterator["Receiver"]:
        """Give what takes bytes from `offset` on; what came is kept also if the block fails.

        Raises `ConflictError` if it has another offset, or somebody else is sending to it.
        """
        row = self._row(upload_id)
        growing = self._growing(row)
        with self._studio.disk.try_lock(self.folder / f"{row.id}.lock") as mine:
            if not mine:
                raise ConflictError(
                    f"{row.name} is being sent already", advice="Wait until that has ended."
                )
            if offset != growing.offset:
                raise ConflictError(
                    f"{row.name} goes on at byte {growing.offset}, not at {offset}",
                    advice="Ask for the offset, and send from there.",
                )
            receiver = Receiver(growing, row.name)
            try:
                yield receiver
            finally:
                receiver.keep()
                self._touch(row.id)

    def file(self, upload_id: str) -> "UploadedFile":
        """Return an upload as a file to be opened; raises `NotFoundError` if it isn't complete."""
        row = self._row(upload_id)
        growing = self._growing(row)
        growing.open(name=row.name).close()
        return UploadedFile(name=row.name, sha256=row.sha256, growing=growing)

    def discard(self, upload_id: str) -> None:
        """Destroy an upload's key and remove its bytes, if it is there."""
        with self._studio.database.session() as session:
            row = session.get(UploadRow, upload_id)
            if row is not None:
                session.delete(row)
        self._remove(upload_id)

    def keep(self, upload_id: str) -> None:
        """Let an upload's time begin anew: it is still wanted."""
        self._touch(upload_id)

    def sweep(self) -> int:
        """Remove what nothing came for in its lifetime; returns how many.

        What is just being sent, and what a job is still to work on, is left alone.
        """
        limit = finely(self._studio.clock() - self.limits.lifetime)
        with self._studio.database.session() as session:
            old = set(session.scalars(select(UploadRow.id).where(UploadRow.touched < limit)))
        if old:
            jobs = Queue(self._studio.database, self._studio.clock).list(
                states=_UNFINISHED, limit=_ALL
            )
            old -= {str(job.arguments.get("upload")) for job in jobs}
        gone = 0
        for upload_id in old:
            with self._studio.disk.try_lock(self.folder / f"{upload_id}.lock") as mine:
                if mine:
                    self.discard(upload_id)
                    gone += 1
        return gone

    def _row(self, upload_id: str) -> UploadRow:
        with self._studio.database.session() as session:
            row = session.get(UploadRow, upload_id)
        if row is None:
            raise NotFoundError(
                "there is no such upload", advice="It was used, or is too old: send the file anew."
            )
        return row

    def _upload(self, row: UploadRow) -> Upload:
        expires = datetime.fromisoformat(row.touched) + self.limits.lifetime
        return Upload(
            id=row.id,
            project_id=row.project_id,
            account=row.account,
            name=row.name,
            size=row.size,
            sha256=row.sha256,
            offset=self._offset(row),
            expires=finely(expires),
        )

    def _offset(self, row: UploadRow) -> int:
        # No key is needed for that.
        path = self.folder / row.id
        return Growing(path, bytes(32), size=row.size, context=b"", disk=self._studio.disk).offset

    def _growing(self, row: UploadRow) -> Growing:
        return Growing(
            self.folder / row.id,
            self._studio.secrets.get(_key_name(row.id)),
            size=row.size,
            context=f"assent-upload-1 {row.id}".encode(),
            disk=self._studio.disk,
            entropy=self._entropy,
        )

    def _touch(self, upload_id: str) -> None:
        now = finely(self._studio.clock())
        with self._studio.database.session() as session:
            session.execute(update(UploadRow).where(UploadRow.id == upload_id).values(touched=now))

    def _remove(self, upload_id: str) -> None:
        disk = self._studio.disk
        self._studio.secrets.forget(_key_name(upload_id))
        disk.remove(self.folder / upload_id)
        disk.remove(self.folder / f"{upload_id}.lock")

    def _check_room(self, size: int, account: str | None) -> None:
        with self._studio.database.session() as session:
            rows = session.scalars(select(UploadRow)).all()
            own = session.scalar(
                select(func.count()).select_from(UploadRow).where(UploadRow.account == account)
            )
        if len(rows) >= self.limits.all or (own or 0) >= self.limits.each:
            raise ConflictError(
                "too many files were sent that nobody has used yet",
                advice="Take those in or discard them; what is left lying goes after a day.",
            )
        coming = sum(row.size - self._offset(row) for row in rows)
        if self._studio.disk.free(self.folder) < coming + size + self.limits.spare:
            raise StorageError(
                "the studio's disk has no room for a file of that size",
                advice="Free some space on that disk, then send it again.",
            )


class Receiver:
    """Takes the bytes of one upload in the order in which they come."""

    def __init__(self, growing: Growing, name: str) -> None:
        self._growing = growing
        self._name = name
        self._offset = growing.offset
        self._piece = bytearray()
        self._unsynced = 0

    @property
    def offset(self) -> int:
        """Bytes that are kept."""
        return self._offset

    def write(self, data: bytes) -> None:
        """Take bytes; raises `InputError` for more than was announced, `StorageError`."""
        room = self._growing.size - self._offset - len(self._piece)
        if len(data) > room:
            raise InputError(
                f"more of {self._name} comes than was announced",
                advice="Send the file anew with its right size.",
            )
        self._piece += data
        while self._piece and len(self._piece) >= min(PIECE, self._growing.size - self._offset):
            wanted = min(PIECE, self._growing.size - self._offset)
            self._growing.append(memoryview(self._piece)[:wanted].toreadonly().tobytes())
            del self._piece[:wanted]
            self._offset += wanted
            self._unsynced += 1
            if self._unsynced >= _SYNC_EVERY:
                self.keep()

    def keep(self) -> None:
        """Make what came durable; of a piece that isn't whole, nothing is kept."""
        if self._unsynced:
            self._growing.sync()
            self._unsynced = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """An upload that is complete, as `data.ingest` takes it."""

    name: str
    sha256: str | None
    growing: Growing

    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO:
        """Return its clear data, seekable."""
        return self.growing.open(name=self.name)

    def check(self, progress: Progress = nothing) -> str:
        """Read all of it and return its SHA-256; raises `IntegrityError` if it isn't what was sent.

        Every piece is checked on the way.
        """
        digest, done = hashlib.sha256(), 0
        with self.open() as file:
            for chunk in chunks_of(file):
                digest.update(chunk)
                done += len(chunk)
                progress("checking what was sent (MB)", done >> 20, self.growing.size >> 20)
        if self.sha256 not in (None, digest.hexdigest()):
            raise IntegrityError(
                f"{self.name} is not the file that was to be sent", advice="Send the file again."
            )
        return digest.hexdigest()


def _key_name(upload_id: str) -> str:
    return f"upload-{upload_id}"


def _check(name: str, size: int, sha256: str | None, largest: int) -> None:
    if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable() or "/" in name:
        raise InputError("a file needs a name, without a folder", advice="Rename the file.")
    if not 0 < size <= largest:
        raise InputError(
            f"a file of {size} bytes can't be taken",
            advice=f"It must hold something, and at most {largest >> 30} GiB.",
        )
    if sha256 is not None and (len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef")):
        raise InputError("that is no SHA-256 digest", advice="Give 64 hexadecimal digits.")
