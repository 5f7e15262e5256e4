"""Studios for tests: people with keys, a project, consent that is live, and a clock to set.

What takes long is prepared once a session and its folder copied for each test.
"""

import io
import shutil
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL
from sqlalchemy.orm import Session

from assent.consent.ceremony import Accepted, Terms, accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.enrolment import pack_templates
from assent.consent.ground import vouch
from assent.consent.locker import Locker
from assent.consent.people import Person, add_person
from assent.consent.receipt import countersign, hash_receipt, sign_record
from assent.consent.record import ConsentRecord
from assent.consent.status_list import Place, credential_status
from assent.kit.clock import stamp
from assent.kit.disk import Disk
from assent.kit.errors import StorageError
from assent.kit.faces.enrol import Enrolment
from assent.kit.hashing import hash_file
from assent.kit.signing import SigningKey, new_key, public_of
from assent.kit.store.database import Database
from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.kit.store.tables import ConsentRow, DraftRow, FootageRow, ModelRow
from assent.kit.tlog._disk import Disk as LogDisk
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.purpose.brief import EXAMPLE, Brief
from assent.purpose.projects import Purpose, create_project, find_project

PRODUCER = new_key()
"""Of the member of the studio who vouches for statements in tests."""

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A moment within the example brief's term."""


class SetClock:
    """A clock that shows what it was last set to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def to(self, day: str) -> None:
        """Set it to noon, UTC, of an ISO day."""
        self.now = datetime.fromisoformat(f"{day}T12:00:00+00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person together with the private key that only they would have."""

    person: Person
    key: SigningKey

    @property
    def id(self) -> str:
        """The person's id."""
        return self.person.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An open studio in which Ada and Ben have agreed to everything and Cleo to nothing."""

    studio: Studio
    clock: SetClock
    purpose: Purpose
    ada: Member
    ben: Member
    cleo: Member

    def reopened(self, disk: Disk | None = None) -> Studio:
        """Return the same studio as another process would open it."""
        return open_studio(self.studio.folder, clock=self.clock, disk=disk)


def brief_with(**changes: Any) -> Brief:  # noqa: ANN401 - fields of a brief
    """Return the example brief with other fields; `risk` changes single answers."""
    risk = {**_mapping(EXAMPLE["risk"]), **changes.pop("risk", {})}
    return Brief.from_mapping({**EXAMPLE, **changes, "risk": risk})


def terms_for(purpose: Purpose, **changes: Any) -> Terms:  # noqa: ANN401 - fields of terms
    """Return terms that cover all of `purpose`, with `changes`."""
    everything = Terms(
        acts=frozenset(Act),
        modalities=frozenset({Modality.FACE}),
        use=purpose.brief.purpose,
        channels=frozenset(purpose.brief.channels),
        starts=purpose.brief.starts,
        ends=purpose.brief.ends,
    )
    return replace(everything, **changes)


def add_member(studio: Studio, handle: str, key: SigningKey | None = None) -> Member:
    """Register a person with a key of their own."""
    key = key or new_key()
    person = add_person(studio, handle=handle, name=handle.title(), key=public_of(key))
    return Member(person=person, key=key)


def statement_of(member: Member) -> io.BytesIO:
    """Return bytes that stand for the member's recorded statement."""
    return io.BytesIO(f"I am {member.person.name} and I agree.".encode())


def draw_up(studio: Studio, purpose: Purpose, member: Member, **changes: Any) -> ConsentRecord:  # noqa: ANN401 - fields of terms
    """Offer `member` terms that cover `purpose`, with `changes`."""
    terms = terms_for(purpose, **changes)
    statement = hash_file(statement_of(member))
    return offer(studio, purpose, member.person, terms, statement_sha256=statement)


def take_in(studio: Studio, member: Member, record: ConsentRecord, signed: str) -> Accepted:
    """Accept a signed record without looking for a face in the statement.

    It leaves the studio as an `accept` would that was interrupted once the face was enrolled, and
    lets `accept` finish.
    """
    if not studio.keyring.has(record.record_id):
        studio.keyring.create(record.record_id)
    blob = Locker(studio).deposit([pack_templates(face_of(member.person.handle))], record.record_id)
    moment = stamp(studio.clock())
    with studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(
            record_id=record.record_id, version=record.version
        ).one()  # fmt: skip
        place = Place(number=int(row.status_list or 0), index=int(row.status_index or 0))
        status = credential_status(studio.id, place)
        receipt = countersign(signed, record, studio.signing_key, moment=moment, status=status)
        row.receipt = receipt
        row.receipt_hash = hash_receipt(receipt, row.salt)
        row.enrolment_blob = blob
    return accept(studio, signed, statement=statement_of(member), name="statement.mp4")


def vouch_for(studio: Studio, record: ConsentRecord) -> str:
    """Return the producer's word that a record's statement is its subject's own."""
    producer = add_person(
        studio, handle="producer", name="Producer", key=public_of(PRODUCER), staff=True
    )
    return vouch(studio, record, producer, PRODUCER, reason="filmed by us in our studio")


def agree(studio: Studio, purpose: Purpose, member: Member, **changes: Any) -> Accepted:  # noqa: ANN401 - fields of terms
    """Let `member` agree to terms that cover `purpose`, with `changes`."""
    record = draw_up(studio, purpose, member, **changes)
    return take_in(studio, member, record, sign_record(record, member.key))


def add_draft(studio: Studio, purpose: Purpose, *, donor: Member, performer: Member) -> str:
    """Put the rows of a complete draft into the database, with nothing behind them."""
    now = stamp(studio.clock())
    number = uuid.uuid4().hex
    with studio.database.session() as session:
        session.add(
            FootageRow(
                id=f"f{number}", project_id=purpose.project_id, name="scene.mp4", sha256=number,
                rights="ours", people=[performer.id], keep_sound=False, blob="0", tracks_blob="0",
                frames=1, created=now, binding="",
            )
        )  # fmt: skip
        session.add(
            ModelRow(
                id=f"m{number}", project_id=purpose.project_id, name="model", donor_id=donor.id,
                performer_id=performer.id, state="ready", config={}, created=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            DraftRow(
                id=number, project_id=purpose.project_id, model_id=f"m{number}",
                footage_id=f"f{number}", model_blob="0", state="complete", created=now, frames=1,
                replaced=1, digest="1" * 64,
            )
        )  # fmt: skip
    return number


def face_of(handle: str) -> Enrolment:
    """Return made-up face templates, the same for the same handle."""
    rng = np.random.default_rng(zlib.crc32(handle.encode()))
    # Three pictures of one face: near each other, far from anybody else's.
    templates = rng.normal(size=(1, 128)) + 0.1 * rng.normal(size=(3, 128))
    unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    return Enrolment(
        embeddings=unit.astype(np.float32), frames_seen=3, frames_with_face=3, spread=0.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A closed studio, to be copied."""

    folder: Path
    keys: dict[str, SigningKey]
    slug: str

    def open_copy(self, folder: Path, clock: SetClock | None = None) -> Scene:
        """Copy the studio to `folder` and open it."""
        shutil.copytree(self.folder, folder)
        clock = clock or SetClock()
        studio = open_studio(folder, clock=clock)
        members = {name: add_member(studio, name, key) for name, key in self.keys.items()}
        return Scene(
            studio=studio, clock=clock, purpose=find_project(studio, self.slug), **members
        )  # fmt: skip


def prepare(folder: Path) -> Prepared:
    """Make the studio that tests copy."""
    studio = create_studio(
        folder, name="Test Studio", contact="hello@example.org", clock=SetClock()
    )
    purpose = create_project(studio, Brief.from_mapping(EXAMPLE))
    members = {name: add_member(studio, name) for name in ("ada", "ben", "cleo")}
    for name in ("ada", "ben"):
        agree(studio, purpose, members[name])
    studio.database.close()
    return Prepared(
        folder=folder,
        keys={name: member.key for name, member in members.items()},
        slug=purpose.slug,
    )


class PowerCut(BaseException):
    """The process stops here: nothing after this step is done."""


class KilledError(Exception):
    """Stands for the end of the process."""


class DyingLog:
    """A log that tells what it is asked to, and whose process is killed just before or after."""

    def __init__(self, log: Log, *, after: bool) -> None:
        self._log = log
        self._after = after

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a log has
        return getattr(self._log, name)

    def append(self, entries: Sequence[bytes]) -> tuple[int, ...]:
        """Append if `after`, and die."""
        if self._after:
            self._log.append(entries)
        raise KilledError


def dying(studio: Studio, *, after: bool) -> Studio:
    """Return the studio with a log at whose next entry the process is killed."""
    log: Any = DyingLog(studio.log, after=after)
    return replace(studio, log=log)


def count_entries(studio: Studio, kind: str) -> int:
    """Return how many entries of a kind the log holds."""
    wanted = f'"kind":"{kind}"'.encode()
    return sum(wanted in entry for _, entry in studio.log.reader().entries())


class FailingDisk(Disk):
    """A disk of which one step that changes something fails, and with `cut` all steps after it.

    Steps are counted from 0; `done` says that the failing step takes effect before the failure.
    A failing write that isn't done is half done. Nothing waits for the real disk.
    """

    def __init__(self, fail_at: int = -1, *, cut: bool = False, done: bool = False) -> None:
        self.fail_at = fail_at
        self.cut = cut
        self.done = done
        self.steps: list[str] = []

    def make_folder(self, folder: Path) -> None:
        """Make a folder, or fail."""
        with self._step(f"make {folder.name}") as on:
            if on:
                super().make_folder(folder)

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        """Write, or write half and fail."""
        with self._step("write") as on:
            super().write(file, data if on else data[: len(data) // 2])

    def rename(self, old: Path, new: Path) -> None:
        """Rename, or fail."""
        with self._step(f"rename to {new.name}") as on:
            if on:
                super().rename(old, new)

    def sync_folder(self, folder: Path) -> None:
        """Do nothing, or fail."""
        with self._step(f"sync {folder.name}"):
            pass

    def sync(self, file: BinaryIO) -> None:
        """Do nothing."""

    def remove(self, path: Path) -> None:
        """Remove, unless the power is gone."""
        if self.cut and len(self.steps) > self.fail_at >= 0:
            raise PowerCut
        super().remove(path)

    @contextmanager
    def _step(self, what: str) -> Iterator[bool]:
        """Count a step; yield whether it shall take effect, and fail after it if it must."""
        number = len(self.steps)
        self.steps.append(what)
        if self.cut and number > self.fail_at >= 0:
            raise PowerCut
        failing = number == self.fail_at
        yield self.done or not failing
        if failing:
            raise PowerCut if self.cut else StorageError("No space left on device")


class CutDatabase(Database):
    """The studio's database, of which one session ends in a power cut.

    Sessions are counted from 0; `done` says that the session is committed before.
    """

    def __init__(self, studio: Studio, cut_at: int, *, done: bool) -> None:
        super().__init__(URL.create("sqlite", database=str(studio.folder / "studio.db")))
        self.sessions = 0
        self._cut_at = cut_at
        self._done = done

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session; the one to be cut is rolled back, or committed if `done`."""
        self.sessions += 1
        cut = self.sessions - 1 == self._cut_at
        with super().session() as session:
            yield session
            if cut and not self._done:
                raise PowerCut
        if cut:
            raise PowerCut


class CutLog(Log):
    """The studio's log, of which the first append ends in a power cut, after it if `done`."""

    def __init__(self, studio: Studio, *, done: bool) -> None:
        key = Ed25519PrivateKey.from_private_bytes(studio.secrets.get("log"))
        signer = NoteSigner(studio.log_verifier.name, key)
        super().__init__(studio.log_folder, signer=signer, disk=LogDisk())
        self._done = done

    def append(self, entries: Sequence[bytes]) -> tuple[int, ...]:
        """Append or not, and stop."""
        if self._done:
            super().append(entries)
        raise PowerCut


def _mapping(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
