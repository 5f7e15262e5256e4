"""Copies of people's keys for backups, kept on another medium, destroyed with the originals.

A backup must be of use when the studio's disk is lost, and of none once someone has withdrawn. So
it holds each person's key wrapped under an escrow key, of which there is one for each record, and
the escrow keys lie elsewhere: in a folder on another medium that is at hand when someone withdraws.
Backup or escrow alone open nothing. The studio remembers its escrow folders; ending a consent
destroys the escrow key in each of them, and isn't done before it could.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assent.kit.canonical import canonical
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError, IntegrityError, StorageError
from assent.kit.store.studio import Studio
from assent.kit.vault.keyring import Keyring
from assent.kit.vault.secrets import SecretStore

__all__ = ["Escrow", "add_escrow", "destroy_everywhere", "known_escrows", "open_escrow"]

_SECRET = "escrow"  # noqa: S105 - the name of a secret
_LIST = "escrows"
_MARK = "assent-escrow.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escrow:
    """An escrow folder; `ring` is None while its medium isn't there."""

    place: str
    ring: Keyring | None


def add_escrow(studio: Studio, folder: Path) -> Keyring:
    """Make `folder` an escrow of the studio, or open it if it is one.

    It is remembered before anything lies in it. Raises `InputError` if it is inside the studio,
    where it would be lost and found together with what it is for.
    """
    place = folder.resolve()
    if studio.folder.resolve() in (place, *place.parents):
        raise InputError(f"{folder} lies in the studio", advice="Name a folder on another medium.")
    places = _places(studio)
    if str(place) not in places:
        # Sealed like a key, so that nobody can make the studio forget where copies are.
        studio.secrets.put(_LIST, canonical(sorted({*places, str(place)})))
    if _SECRET not in studio.secrets.names():
        studio.secrets.put(_SECRET, secrets.token_bytes(32))
    own = place / studio.id
    studio.disk.make_folder(own)
    replace_file(studio.disk, own / _MARK, canonical({"studio": studio.id}))
    ring = open_escrow(place, studio.id, studio.secrets, studio.disk)
    if ring is None:
        raise StorageError(f"{folder} doesn't keep what is written to it")
    return ring


def known_escrows(studio: Studio) -> Iterator[Escrow]:
    """Yield every folder that holds, or may hold, copies of the studio's keys."""
    for place in _places(studio):
        # A medium that can't be read is one that isn't there.
        ring = None
        with suppress(StorageError):
            ring = open_escrow(Path(place), studio.id, studio.secrets, studio.disk)
        yield Escrow(place=place, ring=ring)


def open_escrow(folder: Path, studio_id: str, store: SecretStore, disk: Disk) -> Keyring | None:
    """Return the escrow keys in a folder, or None if it holds none of that studio."""
    own = folder / studio_id
    # Without its mark it is the empty place where the medium belongs: nothing may be written there.
    if disk.read(own / _MARK) is None:
        return None
    return Keyring(own, master=store.get(_SECRET), disk=disk)


def destroy_everywhere(studio: Studio, key_id: str) -> tuple[str, ...]:
    """Destroy a key and its escrow keys; return the places that couldn't be reached.

    It must be repeated until there are none. Raises `StorageError` if the studio's own disk fails.
    """
    studio.keyring.destroy(key_id)
    pending = []
    for escrow in known_escrows(studio):
        try:
            if escrow.ring is not None:
                escrow.ring.destroy(key_id)
                continue
        except StorageError:
            pass
        pending.append(escrow.place)
    return tuple(pending)


def _places(studio: Studio) -> list[str]:
    names = studio.secrets.names()
    if _LIST in names:
        return [str(place) for place in json.loads(studio.secrets.get(_LIST))]
    if _SECRET in names:
        raise IntegrityError("the list of the studio's escrows is gone")
    return []
