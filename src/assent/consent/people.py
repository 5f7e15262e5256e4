"""People who can be asked, or who review: a handle, a name, and the key that is theirs alone."""

import re
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import VerifyKey, from_jwk, thumbprint, to_jwk
from assent.kit.store.studio import Studio
from assent.kit.store.tables import PersonRow

__all__ = ["Person", "add_person", "find_person", "list_people", "person_by_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone known to the studio."""

    id: str
    handle: str
    name: str
    key: VerifyKey

    @property
    def key_id(self) -> str:
        """Thumbprint of the person's public key."""
        return thumbprint(self.key)


def add_person(studio: Studio, *, handle: str, name: str, key: VerifyKey) -> Person:
    """Register a person with their public key; the same call again changes nothing.

    Raises `InputError` if the handle is unusable or taken, or the key is another person's or the
    studio's own.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", handle):
        raise InputError(
            f"'{handle}' can't be a handle",
            advice="Use up to 40 lower-case letters, digits, hyphens and underscores.",
        )
    if not name.strip():
        raise InputError("a person needs a name", advice="Give it with --name.")
    if thumbprint(key) == thumbprint(studio.signing_key):
        raise InputError("this is the studio's own key; a person's key is theirs alone")
    with studio.database.session() as session:
        for row in session.scalars(select(PersonRow)):
            same_key = thumbprint(from_jwk(row.public_key, name=row.handle)) == thumbprint(key)
            if row.handle == handle and same_key:
                return _person_of(row)
            if row.handle == handle:
                raise InputError(
                    f"there is already a person '{handle}' with another key",
                    advice="Give this person another handle.",
                )
            if same_key:
                raise InputError(
                    f"this key is already {row.handle}'s",
                    advice="Each person makes their own key: `assent consent keygen`.",
                )
        row = PersonRow(
            id=uuid.uuid4().hex,
            handle=handle,
            name=name.strip(),
            public_key=to_jwk(key),
            created=stamp(studio.clock()),
        )
        session.add(row)
    return _person_of(row)


def find_person(studio: Studio, handle: str) -> Person:
    """Return the person called `handle`; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.handle == handle))
    if row is None:
        raise NotFoundError(f"no person '{handle}'", advice="See `assent person list`.")
    return _person_of(row)


def person_by_id(studio: Studio, person_id: str) -> Person:
    """Return the person with that id; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.get(PersonRow, person_id)
    if row is None:
        raise NotFoundError("no such person")
    return _person_of(row)


def list_people(studio: Studio) -> tuple[Person, ...]:
    """Return everyone, by handle."""
    with studio.database.session() as session:
        rows = session.scalars(select(PersonRow).order_by(PersonRow.handle)).all()
    return tuple(_person_of(row) for row in rows)


def _person_of(row: PersonRow) -> Person:
    return Person(
        id=row.id,
        handle=row.handle,
        name=row.name,
        key=from_jwk(row.public_key, name=f"{row.handle}'s key"),
    )
