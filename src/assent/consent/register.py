"""The consent records that the studio holds, as lists for people."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, PersonRow, ProjectRow

__all__ = ["Listed", "list_records"]


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


def list_records(studio: Studio) -> tuple[Listed, ...]:
    """Return every version of every record, oldest first."""
    today = studio.clock().date().isoformat()
    with studio.database.session() as session:
        rows = session.execute(
            select(ConsentRow, PersonRow.handle, ProjectRow.slug)
            .join(PersonRow, PersonRow.id == ConsentRow.person_id)
            .join(ProjectRow, ProjectRow.id == ConsentRow.project_id)
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
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


def _state(row: ConsentRow, today: str) -> str:
    expired = row.state == "live" and row.document["scope"]["ends"] < today
    return "expired" if expired else row.state
