"""Tokens: by what a program acts for an account, with less than the account may do.

A token is 256 random bits of which only a hash is kept; it is shown once. It names what it may do
(scopes are the actions of the one table of permissions), for which projects if not for all, and it
ends. What the account may not do any more, its tokens may not do either.

>>> token, secret = issue(studio, None, name="edit suite", scopes=[Action.READ_PROJECT])
... # doctest: +SKIP
>>> secret[:7]  # doctest: +SKIP
'assent_'
"""

import hashlib
import re
import secrets
import uuid
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from assent.apps.access.accounts import who_is
from assent.apps.access.permissions import Action
from assent.apps.access.who import HOLDER, Membership, Who
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.api_tables import TokenRow
from assent.kit.store.studio import Studio

__all__ = ["LONGEST", "USUAL", "Token", "TokenError", "issue", "list_tokens", "revoke", "who_holds"]

USUAL = timedelta(days=90)
LONGEST = timedelta(days=366)

_FORM = re.compile(r"assent_([A-Za-z0-9_-]{43})([0-9a-f]{8})", re.ASCII)
# Its use is written down this coarsely, so that not every request writes.
_USED_EVERY = timedelta(minutes=10)


class TokenError(NotClearedError):
    """A token that is unknown, has ended or was revoked: which of these isn't told."""

    advice = "Make a new one: `assent token create`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is shown: never what it is made of."""

    id: str
    name: str
    account_id: str | None
    scopes: tuple[Action, ...]
    projects: tuple[str, ...] | None
    created: str
    expires: str
    revoked: str | None
    used: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return told | {"scopes": [each.value for each in self.scopes]}


def issue(
    studio: Studio,
    account_id: str | None,
    *,
    name: str,
    scopes: Collection[Action],
    projects: Collection[str] | None = None,
    lifetime: timedelta = USUAL,
) -> tuple[Token, str]:
    """Make a token for an account (None: for who holds the studio) and return it with its secret.

    `projects` are ids. Raises `InputError` if it has no name or scope, or would last too long,
    `NotFoundError` if there is no such account.
    """
    if account_id is not None:
        who_is(studio, account_id)
    if not 2 <= len(name.strip()) <= 80 or not name.isprintable():
        raise InputError("a token needs a name", advice="Say in a few words what it is for.")
    if not scopes or (projects is not None and not projects):
        raise InputError("a token that may do nothing is of no use", advice="Name its scopes.")
    if not timedelta(0) < lifetime <= LONGEST:
        raise InputError(f"a token lasts at most {LONGEST.days} days")
    now = studio.clock()
    secret = _new_secret()
    row = TokenRow(
        id=uuid.uuid4().hex,
        name=name.strip(),
        hash=_hash(secret),
        account_id=account_id,
        scopes=sorted({each.value for each in scopes}),
        projects=None if projects is None else {"ids": sorted(set(projects))},
        created=stamp(now),
        expires=stamp(now + lifetime),
    )
    with studio.database.session() as session:
        session.add(row)
    return _token_of(row), secret


def who_holds(studio: Studio, secret: str) -> tuple[Token, Who]:
    """Return a token and who acts by it, with the rights of now; raises `TokenError`."""
    known = _known_form(secret)
    now = studio.clock()
    with studio.database.session() as session:
        row = session.scalar(select(TokenRow).where(TokenRow.hash == _hash(secret)))
    if not known or row is None or row.revoked is not None or row.expires <= stamp(now):
        raise TokenError("this token is not valid")
    token = _token_of(row)
    try:
        who = HOLDER if row.account_id is None else who_is(studio, row.account_id)
    except NotFoundError as error:
        raise TokenError("this token is not valid") from error
    _note_use(studio, row, now)
    return token, _narrowed(who, token)


def list_tokens(studio: Studio, account_id: str | None = None) -> tuple[Token, ...]:
    """Return every token that hasn't ended, oldest first; with an account, that account's."""
    chosen = select(TokenRow).where(
        TokenRow.revoked.is_(None), TokenRow.expires > stamp(studio.clock())
    )
    if account_id is not None:
        chosen = chosen.where(TokenRow.account_id == account_id)
    with studio.database.session() as session:
        rows = session.scalars(chosen.order_by(TokenRow.created, TokenRow.id)).all()
    return tuple(_token_of(row) for row in rows)


def revoke(studio: Studio, token_id: str) -> Token:
    """End the token whose id begins so, at once; raises `NotFoundError`."""
    with studio.database.session() as session:
        wanted = TokenRow.id.startswith(token_id, autoescape=True)
        rows = session.scalars(select(TokenRow).where(wanted).limit(2)).all()
        if not token_id or len(rows) != 1:
            raise NotFoundError(f"there is no one token '{token_id}'", advice=_SEE)
        row = rows[0]
        row.revoked = row.revoked or stamp(studio.clock())
    return _token_of(row)


_SEE = "See `assent token list`."


def _narrowed(who: Who, token: Token) -> Who:
    """Return who has the token's scopes and projects alone."""
    if token.projects is not None:
        own = [
            Membership(each.role, project)
            for each in who.memberships
            for project in token.projects
            if each.project_id in (None, project)
        ]
        who = replace(who, memberships=tuple(own))
    return who.with_only(frozenset(token.scopes))


def _note_use(studio: Studio, row: TokenRow, now: datetime) -> None:
    if row.used is None or row.used < stamp(now - _USED_EVERY):
        with studio.database.session() as session:
            session.get_one(TokenRow, row.id).used = stamp(now)


def _new_secret() -> str:
    """A token that programs which look for leaked secrets know by its form."""
    body = secrets.token_urlsafe(32)
    return f"assent_{body}{zlib.crc32(body.encode()):08x}"


def _known_form(secret: str) -> bool:
    found = _FORM.fullmatch(secret)
    return found is not None and f"{zlib.crc32(found[1].encode()):08x}" == found[2]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _token_of(row: TokenRow) -> Token:
    known = {action.value: action for action in Action}
    return Token(
        id=row.id,
        name=row.name,
        account_id=row.account_id,
        scopes=tuple(known[each] for each in row.scopes if each in known),
        projects=None if row.projects is None else tuple(row.projects["ids"]),
        created=row.created,
        expires=row.expires,
        revoked=row.revoked,
        used=row.used,
    )
