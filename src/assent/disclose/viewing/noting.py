"""What is told of a viewing: to the studio's database, to the log, in its pictures' credentials.

The log learns that something was looked at, and whose consent that rests on; what it was and who
looked is in the database alone, under a salted hash.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Literal

from assent.consent.clearance import Clearance
from assent.disclose.credential import COMPOSITE, draw_up, scope_of
from assent.disclose.viewing.showing import Made
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.store.studio import Studio
from assent.kit.store.viewing_tables import ViewingRow
from assent.purpose.projects import Purpose

__all__ = ["Kind", "hash_viewing", "note", "plans_of"]

Kind = Literal["draft", "clip", "model", "doubt", "repair"]
"""What can be looked at."""

_CHANGED = "Frame for those who work on it; labelled AI+MODIFIED; not a release"
_FILMED = "Frame as filmed, for its own production alone; not a release"


def note(
    studio: Studio,
    purpose: Purpose,
    kind: Kind,
    of: str,
    by: str,
    clearances: Sequence[Clearance],
) -> ViewingRow:
    """Note that something is looked at; nothing may be shown if this raises."""
    row = ViewingRow(
        id=secrets.token_hex(8),
        project_id=purpose.project_id,
        kind=kind,
        of=of,
        account=by,
        salt=secrets.token_hex(32),
        created=stamp(studio.clock()),
    )
    with studio.database.session() as session:
        session.add(row)
    entry = {
        "kind": "viewing.opened",
        "viewing": row.id,
        "what": hash_viewing(row),
        "receipts": sorted({each.receipt_hash for each in clearances}),
        "time": row.created,
    }
    (row.log_index,) = studio.log.append([canonical(entry)])
    with studio.database.session() as session:
        session.merge(row)
    return row


def hash_viewing(row: ViewingRow) -> str:
    """Return the salted SHA-256 (hex) by which the log names what was looked at, and by whom."""
    told = {"account": row.account, "kind": row.kind, "of": row.of, "project": row.project_id}
    return hashlib.sha256(row.salt.encode() + b"." + canonical(told)).hexdigest()


def plans_of(
    studio: Studio, purpose: Purpose, viewing_id: str, clearances: Sequence[Clearance]
) -> dict[Made, Plan]:
    """Return what the credentials of a viewing's pictures say."""
    receipts = tuple(sorted({each.receipt_hash for each in clearances}))
    scope = scope_of(purpose, clearances)
    words: dict[Made, tuple[Action, str | None]] = {
        "changed": (Action(name="c2pa.created", description=_CHANGED), COMPOSITE),
        "filmed": (Action(name="c2pa.opened", description=_FILMED), None),
    }
    return {
        made: draw_up(
            studio,
            viewing_id,
            receipts,
            (first, Action(name="c2pa.watermarked.bound")),
            scope=scope,
            digital_source_type=source,
        )
        for made, (first, source) in words.items()
    }
