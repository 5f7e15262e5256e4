"""What is frozen for a case: the hash for the log, and an encrypted copy under the case's own key.

A copy is kept as long as the case's rules say, or an authority asked; then the key goes. Every look
at one is noted in the case.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from assent.disclose.standing import list_files
from assent.kit.clock import stamp
from assent.kit.disk import naming, replace_file
from assent.kit.errors import InputError, NotFoundError
from assent.kit.hashing import chunks_of
from assent.kit.store.case_tables import EvidenceRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.vault.stream import DecryptingReader
from assent.monitor.cases.case import Case, add_event, key_of
from assent.monitor.cases.notice import clean
from assent.monitor.cases.sealing import evidence_path

__all__ = ["Evidence", "freeze", "freeze_release", "list_evidence", "open_evidence"]

_LARGEST = 16 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something that was frozen; without a `name` once the case's key was destroyed."""

    id: str
    name: str | None
    sha256: str
    size: int
    created: str
    by: str
    destroyed: str | None


def freeze(studio: Studio, case: Case, pieces: Iterable[bytes], *, name: str, by: str) -> Evidence:
    """Keep an encrypted copy of what comes in `pieces`; the same bytes again change nothing."""
    key, evidence_id = key_of(studio, case.id), uuid.uuid4().hex
    hashed = _Hashed(pieces)
    path = evidence_path(studio, evidence_id)
    studio.disk.make_folder(path.parent)
    replace_file(studio.disk, path, key.encrypt(evidence_id, hashed))
    known = [each for each in list_evidence(studio, case) if each.sha256 == hashed.sha256]
    if known:
        studio.disk.remove(path)
        return known[0]
    row = EvidenceRow(
        id=evidence_id, case_id=case.id, created=stamp(studio.clock()), by=by,
        sha256=hashed.sha256, size=hashed.size,
        sealed=key.seal("evidence", {"name": clean(name)[:200]}),
    )  # fmt: skip
    with studio.database.session() as session:
        session.add(row)
        add_event(
            session, case.id, "frozen", by=by, now=studio.clock(),
            details={"evidence": row.id, "sha256": row.sha256, "size": row.size},
        )  # fmt: skip
    return _told(studio, case, row)


def freeze_release(studio: Studio, case: Case, *, by: str, files: bool = True) -> tuple[str, ...]:
    """Freeze what the studio has of the release: its record, and with `files` the files too.

    Raises `InputError` if the case is of no release.
    """
    if case.asset_id is None:
        raise InputError("this case names no release", advice="Say which it is: `assent case set`.")
    frozen = [freeze(studio, case, [_record(studio, case.asset_id)], name="release.json", by=by).id]
    for name in list_files(studio, case.asset_id) if files else ():
        with naming(name), (studio.releases_folder / name).open("rb") as file:
            frozen.append(freeze(studio, case, chunks_of(file), name=name, by=by).id)
    return tuple(frozen)


def list_evidence(studio: Studio, case: Case) -> tuple[Evidence, ...]:
    """Return what was frozen for a case, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(EvidenceRow)
            .where(EvidenceRow.case_id == case.id)
            .order_by(EvidenceRow.created, EvidenceRow.id)
        ).all()
    return tuple(_told(studio, case, row) for row in rows)


def open_evidence(studio: Studio, case: Case, evidence_id: str, *, by: str) -> DecryptingReader:
    """Open a copy in clear, once that is noted; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.get(EvidenceRow, evidence_id)
    if row is None or row.case_id != case.id or row.destroyed is not None:
        raise NotFoundError("there is no such evidence in this case")
    reader = key_of(studio, case.id).reader(studio, evidence_id)
    with studio.database.session() as session:
        details = {"evidence": evidence_id, "sha256": row.sha256}
        add_event(session, case.id, "read", by=by, now=studio.clock(), details=details)
    return reader


class _Hashed:
    """Pieces on their way, hashed and counted."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            if self.size > _LARGEST:
                raise InputError("this is larger than what a case keeps (16 GiB)")
            self._digest.update(piece)
            yield piece

    @property
    def sha256(self) -> str:
        """The hash of all that has passed."""
        return self._digest.hexdigest()


def _record(studio: Studio, asset_id: str) -> bytes:
    """Return what the studio knows of a release, as JSON."""
    with studio.database.session() as session:
        row = session.get(ReleaseRow, asset_id)
    if row is None:
        raise NotFoundError(f"no release {asset_id}", advice="See `assent monitor releases`.")
    entry = None if row.log_index is None else studio.log.reader().entry(row.log_index).decode()
    known = {
        "asset": row.asset_id, "state": row.state, "file": row.name, "sha256": row.sha256,
        "fingerprint": row.fingerprint, "log_index": row.log_index, "log_entry": entry,
        "receipts": row.receipts, "created": row.created, "frozen": stamp(studio.clock()),
    }  # fmt: skip
    return json.dumps(known, indent=2, sort_keys=True).encode()


def _told(studio: Studio, case: Case, row: EvidenceRow) -> Evidence:
    name = None
    if row.sealed is not None and row.destroyed is None:
        name = str(key_of(studio, case.id).open("evidence", row.sealed)["name"])
    return Evidence(
        id=row.id, name=name, sha256=row.sha256, size=row.size, created=row.created, by=row.by,
        destroyed=row.destroyed,
    )  # fmt: skip
