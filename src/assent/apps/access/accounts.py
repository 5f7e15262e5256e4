"""Accounts: who signs in to a studio of several people, and with which roles.

Nobody sets another's password: an account begins with a link that is good for once, and whoever it
was given to sets a password or makes a passkey.
"""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership, Who
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.access_tables import AccountPasskeyRow, AccountRow, MembershipRow, SessionRow
from assent.kit.store.api_tables import TokenRow
from assent.kit.store.studio import Studio

__all__ = [
    "WELCOME_LIFETIME",
    "Account",
    "account_by_welcome",
    "add_account",
    "count_accounts",
    "disable_account",
    "enable_account",
    "find_account",
    "link_person",
    "list_accounts",
    "remove_account",
    "reset_account",
    "set_password",
    "set_roles",
    "who_is",
]

WELCOME_LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as it is shown: never with what opens it."""

    id: str
    handle: str
    name: str
    created: str
    person_id: str | None
    memberships: tuple[Membership, ...]
    password: bool
    passkeys: int
    disabled: str | None = None

    @property
    def who(self) -> Who:
        """Return them as the table of permissions knows them."""
        return Who(
            account_id=self.id,
            handle=self.handle,
            name=self.name,
            person_id=self.person_id,
            memberships=self.memberships,
        )


def add_account(
    studio: Studio,
    *,
    handle: str,
    name: str,
    memberships: Sequence[Membership],
    person_id: str | None = None,
) -> tuple[Account, str]:
    """Make an account and return it with the secret of its first link.

    Raises `InputError` if the handle is unusable or taken, or there is no role.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", handle):
        raise InputError(
            f"'{handle}' can't be an account's name",
            advice="Use up to 40 lower-case letters, digits, hyphens and underscores.",
        )
    if not name.strip():
        raise InputError("an account needs a name", advice="Give it with --name.")
    _check_roles(memberships, person_id)
    with studio.database.session() as session:
        if session.scalar(select(AccountRow).where(AccountRow.handle == handle)) is not None:
            raise InputError(
                f"there is already an account '{handle}'", advice="Choose another name."
            )
        row = AccountRow(
            id=uuid.uuid4().hex,
            handle=handle,
            name=name.strip()[:200],
            created=stamp(studio.clock()),
            person_id=person_id,
        )
        session.add(row)
        session.flush()
        _put_roles(session, row.id, memberships)
        secret = _welcome(studio, row)
        return _account_of(session, row), secret


def list_accounts(studio: Studio) -> tuple[Account, ...]:
    """Return every account by its handle."""
    with studio.database.session() as session:
        rows = session.scalars(select(AccountRow).order_by(AccountRow.handle)).all()
        return tuple(_account_of(session, row) for row in rows)


def count_accounts(studio: Studio) -> int:
    """Return how many accounts there are."""
    with studio.database.session() as session:
        return session.scalar(select(func.count()).select_from(AccountRow)) or 0


def find_account(studio: Studio, handle: str) -> Account:
    """Return the account called `handle`; raises `NotFoundError`."""
    with studio.database.session() as session:
        return _account_of(session, _row(session, handle))


def who_is(studio: Studio, account_id: str) -> Who:
    """Return whose account this is, with the roles of now.

    Raises `NotFoundError`, also if it is disabled.
    """
    with studio.database.session() as session:
        row = session.get(AccountRow, account_id)
        if row is None or row.disabled is not None:
            raise NotFoundError("there is no such account")
        return _account_of(session, row).who


def set_roles(studio: Studio, handle: str, memberships: Sequence[Membership]) -> Account:
    """Give an account these roles and no others; they hold at its next request."""
    with studio.database.session() as session:
        row = _row(session, handle)
        _check_roles(memberships, row.person_id)
        session.execute(delete(MembershipRow).where(MembershipRow.account_id == row.id))
        _put_roles(session, row.id, memberships)
        session.flush()
        return _account_of(session, row)


def reset_account(studio: Studio, handle: str) -> str:
    """Forget password, passkeys, sessions and tokens; return the secret of a new first link."""
    with studio.database.session() as session:
        row = _row(session, handle)
        row.password = None
        _forget(studio, session, row.id)
        return _welcome(studio, row)


def disable_account(studio: Studio, handle: str) -> None:
    """Let nobody in with an account: its sessions and tokens end, its roles are kept."""
    with studio.database.session() as session:
        row = _row(session, handle)
        row.disabled = row.disabled or stamp(studio.clock())
        row.welcome = row.welcome_expires = None
        _end(studio, session, row.id)


def enable_account(studio: Studio, handle: str) -> None:
    """Let who has an account in again; tokens stay revoked."""
    with studio.database.session() as session:
        _row(session, handle).disabled = None


def remove_account(studio: Studio, handle: str) -> None:
    """Remove an account with all that opens it; its sessions and tokens end."""
    with studio.database.session() as session:
        row = _row(session, handle)
        _forget(studio, session, row.id)
        session.execute(delete(MembershipRow).where(MembershipRow.account_id == row.id))
        session.delete(row)


def account_by_welcome(studio: Studio, secret: str) -> Account:
    """Return whose first link this is; raises `NotClearedError` once it is used or too old."""
    now = stamp(studio.clock())
    with studio.database.session() as session:
        row = session.scalar(select(AccountRow).where(AccountRow.welcome == _hash(secret)))
        expires = None if row is None else row.welcome_expires
        if row is None or row.disabled is not None or expires is None or expires <= now:
            raise NotClearedError(
                "this link does not work", advice="Ask for a new one: `assent account reset`."
            )
        return _account_of(session, row)


def set_password(studio: Studio, account_id: str, hashed: str, *, welcome: str | None) -> None:
    """Keep the hash of a new password.

    With the secret of a first link, the link is used up by it; raises `NotClearedError` if it was.
    All sessions and tokens of the account end.
    """
    with studio.database.session() as session:
        row = session.get(AccountRow, account_id)
        if row is None or (welcome is not None and row.welcome != _hash(welcome)):
            raise NotClearedError("this link does not work", advice="Ask for a new one.")
        row.password = hashed
        row.welcome = row.welcome_expires = None
        _end(studio, session, account_id)


def link_person(session: Session, account_id: str, person_id: str) -> None:
    """Say who an account is among the people of the studio; raises `InputError` if it is told.

    Of two at once one alone succeeds.
    """
    told = session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id, AccountRow.person_id.is_(None))
        .values(person_id=person_id)
        .returning(AccountRow.id)
    )
    if told.first() is None:
        raise InputError("the account belongs to a person already", advice="Make another.")


def _check_roles(memberships: Sequence[Membership], person_id: str | None) -> None:
    if not memberships:
        raise InputError("an account needs a role", advice="Give --role producer, or another.")
    if any(each.role is Role.SUBJECT for each in memberships) and person_id is None:
        raise InputError(
            "a subject's account belongs to a person", advice="Name them with --person."
        )


def _put_roles(session: Session, account_id: str, memberships: Sequence[Membership]) -> None:
    for each in dict.fromkeys(memberships):
        session.add(
            MembershipRow(
                id=uuid.uuid4().hex,
                account_id=account_id,
                role=each.role.value,
                project_id=each.project_id,
            )
        )


def _end(studio: Studio, session: Session, account_id: str) -> None:
    """End the sessions and tokens of an account."""
    session.execute(delete(SessionRow).where(SessionRow.account_id == account_id))
    session.execute(
        update(TokenRow)
        .where(TokenRow.account_id == account_id, TokenRow.revoked.is_(None))
        .values(revoked=stamp(studio.clock()))
    )


def _forget(studio: Studio, session: Session, account_id: str) -> None:
    _end(studio, session, account_id)
    session.execute(delete(AccountPasskeyRow).where(AccountPasskeyRow.account_id == account_id))


def _welcome(studio: Studio, row: AccountRow) -> str:
    secret = secrets.token_urlsafe(32)
    row.welcome = _hash(secret)
    row.welcome_expires = stamp(studio.clock() + WELCOME_LIFETIME)
    return secret


def _row(session: Session, handle: str) -> AccountRow:
    row = session.scalar(select(AccountRow).where(AccountRow.handle == handle))
    if row is None:
        raise NotFoundError(f"no account '{handle}'", advice="See `assent account list`.")
    return row


def _account_of(session: Session, row: AccountRow) -> Account:
    held = session.scalars(
        select(MembershipRow).where(MembershipRow.account_id == row.id).order_by(MembershipRow.role)
    )
    passkeys = session.scalar(
        select(func.count())
        .select_from(AccountPasskeyRow)
        .where(AccountPasskeyRow.account_id == row.id)
    )
    return Account(
        id=row.id,
        handle=row.handle,
        name=row.name,
        created=row.created,
        person_id=row.person_id,
        memberships=tuple(Membership(Role(each.role), each.project_id) for each in held),
        password=row.password is not None,
        passkeys=passkeys or 0,
        disabled=row.disabled,
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
