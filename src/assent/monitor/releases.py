"""What the studio has released, and whether everyone in it still agrees."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, ReleaseRow

__all__ = ["ReleaseStatus", "list_releases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStatus:
    """One release as the studio knows it."""

    asset_id: str
    file: str
    sha256: str
    fingerprint: str
    log_index: int
    created: str
    withdrawn: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_releases(studio: Studio) -> tuple[ReleaseStatus, ...]:
    """Return every release, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ReleaseRow)
            .where(ReleaseRow.state == "released")
            .order_by(ReleaseRow.created, ReleaseRow.asset_id)
        ).all()
        ended = set(
            session.scalars(select(ConsentRow.receipt_hash).where(ConsentRow.state == "withdrawn"))
        )
    return tuple(
        ReleaseStatus(
            asset_id=row.asset_id,
            file=str(row.name),
            sha256=str(row.sha256),
            fingerprint=str(row.fingerprint),
            log_index=int(row.log_index or 0),
            created=row.created,
            withdrawn=bool(ended & set(row.receipts)),
        )
        for row in rows
    )
