"""Every opening of the vault is noted in the log before anything is read; else nothing is read.

The log holds a salted hash and how many objects were opened, never whose. The studio's database
holds what the hash is over, so that it can show what it opened, when and for whom; and it can't
leave anything out, since the log counts.

An entry covers what one process opens of the same objects for the same people in five minutes.
"""

import hashlib
import secrets
import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.store.database import Database
from assent.kit.store.tables import OpeningRow
from assent.kit.tlog.log import Log

__all__ = ["COVERS", "Openings", "hash_opening"]

COVERS = timedelta(minutes=5)
"""How long an entry stands for further openings of the same objects by the same process."""


class Openings:
    """Remembers what this process has noted; safe for several threads."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()

    def note(
        self,
        database: Database,
        log: Log,
        objects: Collection[str],
        context: Mapping[str, Any],
        *,
        now: datetime,
    ) -> None:
        """Note that `objects` (ids) are opened; nothing may be read of them if this raises.

        Args:
            database: keeps the details.
            log: gets their hash.
            objects: ids of the objects.
            context: for whom and for what, as JSON values without floats.
            now: the time.

        Raises:
            StorageError: database or log can't be written.
            IntegrityError: the log was changed.
        """
        why = hashlib.sha256(canonical(context)).hexdigest()
        with self._lock:
            self._noted = {key: at for key, at in self._noted.items() if now - at < COVERS}
            new = sorted({each for each in objects if (each, why) not in self._noted})
            if new:
                details = {**context, "objects": new, "time": stamp(now)}
                _write(database, log, details)
                self._noted.update({(each, why): now for each in new})


def hash_opening(details: Mapping[str, Any], salt: str) -> str:
    """Return the salted SHA-256 (hex) by which the log names an opening."""
    return hashlib.sha256(salt.encode() + b"." + canonical(details)).hexdigest()


def _write(database: Database, log: Log, details: dict[str, Any]) -> None:
    """Keep the details, then tell the log: if that fails the details stand for no opening."""
    salt = secrets.token_hex(32)
    row = OpeningRow(id=hash_opening(details, salt), salt=salt, details=details)
    with database.session() as session:
        session.add(row)
    entry = {
        "kind": "vault.opened",
        "objects": len(details["objects"]),
        "opening": row.id,
        "time": details["time"],
    }
    log.append([canonical(entry)])
