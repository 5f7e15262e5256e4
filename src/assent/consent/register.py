"""The consent records that the studio holds, as lists for people."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, load_only

from assent.consent._rows import rows_of
from assent.consent.people import Person
from assent.consent.record import ConsentRecord, parse_record
from assent.kit.errors import InputError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, PersonRow, ProjectRow

__all__ = ["Listed", "Own", "list_records", "own_records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One version of a record. `state` is offered, live, superseded, withdrawn or expired."""

    record_id: str
    version: int
    handle: str
    project: str
    state: str
    starts: str
    ends: str
    acts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_records(
    studio: Studio,
    *,
    limit: int | None = None,
    after: str | None = None,
    project_id: str | None = None,
) -> tuple[Listed, ...]:
    """Return versions of records, oldest first: all, or `limit` of those that follow `after`.

    With `project_id`, those of that project. `after` names one by its record's id (or how it
    begins) and version: `4fb0e662:1`. Raises `NotFoundError` if there is none, `InputError` if that
    names nothing.
    """
    today = studio.clock().date().isoformat()
    order = (ConsentRow.created, ConsentRow.version, PersonRow.handle, ConsentRow.record_id)
    chosen = (
        select(ConsentRow, PersonRow.handle, ProjectRow.slug)
        .join(PersonRow, PersonRow.id == ConsentRow.person_id)
        .join(ProjectRow, ProjectRow.id == ConsentRow.project_id)
        .order_by(*order)
        .limit(limit)
        # What isn't shown is most of a row.
        .options(load_only(*_SHOWN))
    )
    if project_id is not None:
        chosen = chosen.where(ConsentRow.project_id == project_id)
    with studio.database.session() as session:
        if after is not None:
            chosen = chosen.where(tuple_(*order) > tuple_(*_place(session, after)))
        rows = session.execute(chosen).all()
    return tuple(
        Listed(
            record_id=row.record_id,
            version=row.version,
            handle=handle,
            project=slug,
            state=_state(row, today),
            starts=row.document["scope"]["starts"],
            ends=row.document["scope"]["ends"],
            acts=tuple(row.document["scope"]["acts"]),
        )
        for row, handle, slug in rows
    )


_SHOWN = (
    ConsentRow.record_id,
    ConsentRow.version,
    ConsentRow.state,
    ConsentRow.document,
)


def _place(session: Session, after: str) -> tuple[str, int, str, str]:
    """Return where in the order the version that `after` names is."""
    record_id, _, version = after.partition(":")
    if not version.isdigit():
        raise InputError(
            f"'{after}' names no version of a record", advice="Write it as RECORD:VERSION."
        )
    for row in rows_of(session, record_id):
        if row.version == int(version):
            handle = session.get_one(PersonRow, row.person_id).handle
            return row.created, row.version, handle, row.record_id
    raise NotFoundError(f"no version {version} of record '{record_id}'")


def _state(row: ConsentRow, today: str) -> str:
    expired = row.state == "live" and row.document["scope"]["ends"] < today
    return "expired" if expired else row.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The newest version of one of a person's own records."""

    row_id: str
    record_id: str
    version: int
    project_id: str
    title: str
    state: str
    record: ConsentRecord
    signed: bool
    """There is a receipt."""


def own_records(studio: Studio, person: Person) -> tuple[Own, ...]:
    """Return a person's records that they have signed, newest first, each in its last version."""
    today = studio.clock().date().isoformat()
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow)
            .where(
                ConsentRow.person_id == person.id,
                ConsentRow.receipt.is_not(None) | ConsentRow.signed.is_not(None),
            )
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    newest = {row.record_id: row for row in rows}
    return tuple(
        Own(
            row_id=row.id,
            record_id=row.record_id,
            version=row.version,
            project_id=row.project_id,
            title=str(row.document["project"]["title"]),
            state=_state(row, today),
            record=parse_record(row.document),
            signed=row.receipt is not None,
        )
        for row in reversed(newest.values())
    )
