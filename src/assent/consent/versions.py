"""Which version of a record is the newest that was ever live, told outside the database.

A subject who allows less makes the version before worthless. Its signatures stay good, though; so
whoever could edit the database, or put an old one back, could make it live again. Beside each
record's key lies a note, signed by the studio, of the newest version, and it only ever rises.
"""

from pathlib import Path

from assent.kit.disk import replace_file
from assent.kit.errors import IntegrityError
from assent.kit.signing import public_of, sign, verify
from assent.kit.store.studio import Studio
from assent.kit.vault.names import check_name

__all__ = ["newest_version", "note_version"]

_KIND = "assent-version+jws"


def note_version(studio: Studio, record_id: str, version: int) -> None:
    """Note that `version` of a record becomes live; one older than the newest changes nothing."""
    if version <= newest_version(studio, record_id):
        return
    token = sign({"record": record_id, "version": version}, studio.signing_key, kind=_KIND)
    replace_file(studio.disk, _path(studio, record_id), token.encode())


def newest_version(studio: Studio, record_id: str) -> int:
    """Return the newest version of a record that was ever live, 0 if none was noted.

    Raises `IntegrityError` if the note was changed.
    """
    data = studio.disk.read(_path(studio, record_id))
    if data is None:
        return 0
    said = verify(data.decode("ascii", "replace"), public_of(studio.signing_key), kind=_KIND)
    if said.get("record") != record_id:
        raise IntegrityError("a note of a record's version is another record's")
    return int(said["version"])


def _path(studio: Studio, record_id: str) -> Path:
    return studio.folder / "keys" / "records" / f"{check_name(record_id)}.version"
