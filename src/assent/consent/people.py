"""People who can be asked, or who review: a handle, a name, and the key that is theirs alone.

A person may be known before they have a key; they make it in the ceremony, and it is bound then.
"""

import re
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.passkey import Passkey
from assent.kit.signing import VerifyKey, from_jwk, thumbprint, to_jwk
from assent.kit.store.studio import Studio
from assent.kit.store.tables import PersonRow

__all__ = [
    "Person",
    "add_person",
    "bind_key",
    "check_key_is_free",
    "find_person",
    "handles_of",
    "list_people",
    "person_by_id",
    "person_by_key",
    "person_by_passkey",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone known to the studio."""

    id: str
    handle: str
    name: str
    known_key: VerifyKey | None
    staff: bool = False
    """Works for the studio: may decide about statements, never about their own."""

    @property
    def key(self) -> VerifyKey:
        """The person's public key; raises `NotClearedError` as long as they have none."""
        if self.known_key is None:
            raise NotClearedError(
                f"{self.handle} has no key yet",
                advice="They make one in the ceremony: `assent consent offer` without a statement.",
            )
        return self.known_key

    @property
    def key_id(self) -> str:
        """Thumbprint of the person's public key."""
        return thumbprint(self.key)


def add_person(
    studio: Studio,
    *,
    handle: str,
    name: str,
    key: VerifyKey | None,
    staff: bool = False,
    also: Callable[[Session, str], None] | None = None,
) -> Person:
    """Register a person, with their public key if they have one; again, it changes nothing.

    `also` is done with the new person's id in the same transaction: if it raises, nobody was added,
    and somebody who is known already is not new.

    Who works for the studio needs a key: decisions are signed. Raises `InputError` if the handle is
    unusable or taken, or the key is another person's or the studio's own.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", handle):
        raise InputError(
            f"'{handle}' can't be a handle",
            advice="Use up to 40 lower-case letters, digits, hyphens and underscores.",
        )
    if not name.strip():
        raise InputError("a person needs a name", advice="Give it with --name.")
    if staff and key is None:
        raise InputError(
            "who decides for the studio needs a key", advice="Make one: `assent consent keygen`."
        )
    with studio.database.session() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.handle == handle))
        if row is not None and also is not None:
            # Whoever shows somebody's public key is not them.
            raise InputError(f"there is already a person '{handle}'", advice="Choose another.")
        if row is not None:
            return _same_again(row, key, staff)
        row = PersonRow(
            id=uuid.uuid4().hex,
            handle=handle,
            name=name.strip(),
            staff=staff,
            created=stamp(studio.clock()),
        )
        if key is not None:
            _give_key(studio, session, row, key)
        session.add(row)
        if also is not None:
            session.flush()
            also(session, row.id)
    return _person_of(row)


def bind_key(studio: Studio, session: Session, person_id: str, key: VerifyKey) -> None:
    """Make `key` the person's, as part of `session`; the one that is theirs changes nothing.

    Raises `InputError` if they have another already, or the key is somebody else's.
    """
    row = session.get_one(PersonRow, person_id)
    if row.key_thumbprint == thumbprint(key):
        return
    if row.key_thumbprint is not None:
        raise InputError(
            f"{row.handle} has another key", advice="Sign with the key that you made before."
        )
    _give_key(studio, session, row, key)


def check_key_is_free(studio: Studio, person: Person, key: VerifyKey) -> None:
    """Raise `InputError` if `key` is the studio's or anyone's but `person`'s."""
    with studio.database.session() as session:
        _check_free(studio, session, key, but=person.id)


def _give_key(studio: Studio, session: Session, row: PersonRow, key: VerifyKey) -> None:
    _check_free(studio, session, key, but=row.id)
    row.public_key = to_jwk(key)
    row.key_thumbprint = thumbprint(key)
    row.credential_id = key.credential_id if isinstance(key, Passkey) else None


def _check_free(studio: Studio, session: Session, key: VerifyKey, *, but: str) -> None:
    if thumbprint(key) == thumbprint(studio.signing_key):
        raise InputError("this is the studio's own key; a person's key is theirs alone")
    owner = session.scalar(select(PersonRow).where(PersonRow.key_thumbprint == thumbprint(key)))
    if owner is not None and owner.id != but:
        raise InputError(
            f"this key is already {owner.handle}'s",
            advice="Each person makes their own key: `assent consent keygen`.",
        )


def _same_again(row: PersonRow, key: VerifyKey | None, staff: bool) -> Person:
    if key is not None and row.key_thumbprint != thumbprint(key):
        raise InputError(
            f"there is already a person '{row.handle}' with another key",
            advice="Give this person another handle.",
        )
    if staff != row.staff:
        raise InputError(
            f"there is already a person '{row.handle}'",
            advice="Give who decides for the studio a handle of their own.",
        )
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


def person_by_key(studio: Studio, *, thumbprint: str) -> Person:
    """Return the person whose key has that thumbprint; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.key_thumbprint == thumbprint))
    if row is None:
        raise NotFoundError("nobody has this key", advice="Use the key that you signed with.")
    return _person_of(row)


def person_by_passkey(studio: Studio, credential_id: str) -> Person:
    """Return the person with that passkey; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.credential_id == credential_id))
    if row is None:
        raise NotFoundError("nobody has this key", advice="Use the key that you signed with.")
    return _person_of(row)


def list_people(
    studio: Studio, *, limit: int | None = None, after: str | None = None
) -> tuple[Person, ...]:
    """Return everyone by handle, or `limit` of those whose handle follows `after`."""
    chosen = select(PersonRow).order_by(PersonRow.handle).limit(limit)
    if after is not None:
        chosen = chosen.where(PersonRow.handle > after)
    with studio.database.session() as session:
        rows = session.scalars(chosen).all()
    return tuple(_person_of(row) for row in rows)


def handles_of(studio: Studio, people: Collection[str]) -> dict[str, str]:
    """Return the handles of the people with these ids, by id."""
    with studio.database.session() as session:
        rows = session.execute(
            select(PersonRow.id, PersonRow.handle).where(PersonRow.id.in_(set(people)))
        )
        return {row.id: row.handle for row in rows}


def _person_of(row: PersonRow) -> Person:
    return Person(
        id=row.id,
        handle=row.handle,
        name=row.name,
        known_key=from_jwk(row.public_key, name=f"{row.handle}'s key") if row.public_key else None,
        staff=row.staff,
    )
