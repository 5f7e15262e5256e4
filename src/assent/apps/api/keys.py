"""Idempotency keys: a request that is sent again is answered again, and done once.

Who sends `Idempotency-Key` with a POST may send the same request as often as needed, after a lost
connection or at once from several places: one of them does the work and the others get its answer.
The key belongs to the token, and to that one request: with another body it is refused.

What is being done is leased. Should the process die, the next request of the key takes it up, under
the same operation id, and what is made is named by that id: so even then it is made once. Errors
aren't kept: nothing was done. Answers are sealed, since some hold a secret, and go after a day.
"""

import base64
import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError as AlreadyThere
from sqlalchemy.orm import Session

from assent.apps.api.problems import BusyError, ClashError
from assent.kit.clock import stamp
from assent.kit.errors import NotFoundError
from assent.kit.store.api_tables import AnswerRow
from assent.kit.store.studio import Studio

__all__ = ["KEPT_FOR", "Answer", "Keys", "Operation", "hash_request"]

KEPT_FOR = timedelta(hours=24)
_LEASE = timedelta(seconds=60)
_SECRET = "api-answers"  # noqa: S105 - the name of a secret
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered before."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Operation:
    """A request that is being done: what it makes is named by `id`."""

    id: str
    owner: str
    key: str
    lease: str


def hash_request(method: str, target: str, body: bytes) -> str:
    """Return the SHA-256 by which two requests are the same."""
    parts = (method.encode(), target.encode(), body)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


class Keys:
    """The requests with a key that were done within the last day."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def begin(self, owner: str, key: str, request: str) -> Operation | Answer:
        """Take a request up, or return what was answered to it.

        Raises `ClashError` if the key was used for another one, `BusyError` while it is being done.
        """
        now = self._studio.clock()
        lease = secrets.token_hex(16)
        row = {
            "owner": owner,
            "key": key,
            "request": request,
            "operation": uuid.uuid4().hex,
            "leased": stamp(now + _LEASE),
            "lease": lease,
            "expires": stamp(now + KEPT_FOR),
        }
        mine = (AnswerRow.owner == owner, AnswerRow.key == key)
        with self._studio.database.session() as session:
            session.execute(delete(AnswerRow).where(AnswerRow.expires <= stamp(now)))
            _put(session, row)
            session.execute(
                update(AnswerRow)
                .where(*mine, AnswerRow.answer.is_(None), AnswerRow.leased <= stamp(now))
                .values(lease=lease, leased=row["leased"])
            )
            kept = session.scalars(
                select(AnswerRow).where(*mine).execution_options(populate_existing=True)
            ).one()
        if kept.request != request:
            raise ClashError("this idempotency key was used for another request")
        if kept.answer is not None:
            return self._opened(kept.answer, owner, key)
        if kept.lease != lease:
            raise BusyError("the same request is being done")
        return Operation(id=kept.operation, owner=owner, key=key, lease=lease)

    def finish(self, operation: Operation, answer: Answer) -> None:
        """Keep what was answered, unless somebody else has taken the request up meanwhile."""
        told = {
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": base64.b64encode(answer.body).decode(),
        }
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + AESGCM(self._sealing_key()).encrypt(
            nonce, json.dumps(told).encode(), _bound(operation.owner, operation.key)
        )
        self._change(operation, base64.b64encode(sealed).decode())

    def give_up(self, operation: Operation) -> None:
        """Forget a request that came to nothing, so that it can be sent again."""
        with self._studio.database.session() as session:
            session.execute(delete(AnswerRow).where(*_held(operation)))

    def _change(self, operation: Operation, answer: str) -> None:
        with self._studio.database.session() as session:
            session.execute(update(AnswerRow).where(*_held(operation)).values(answer=answer))

    def _opened(self, sealed: str, owner: str, key: str) -> Answer:
        data = base64.b64decode(sealed)
        try:
            plain = AESGCM(self._sealing_key()).decrypt(
                data[:_NONCE], data[_NONCE:], _bound(owner, key)
            )
        except InvalidTag as error:
            raise ClashError("what was answered to this key can't be read any more") from error
        told = json.loads(plain)
        return Answer(told["status"], told["headers"], base64.b64decode(told["body"]))

    def _sealing_key(self) -> bytes:
        try:
            return self._studio.secrets.get(_SECRET)
        except NotFoundError:
            self._studio.secrets.put(_SECRET, secrets.token_bytes(32))
            return self._studio.secrets.get(_SECRET)


def _put(session: Session, row: Mapping[str, object]) -> None:
    """Put the row there, unless it is: of several that try at once, one does."""
    try:
        with session.begin_nested():
            session.execute(insert(AnswerRow).values(row))
    except AlreadyThere:
        return


def _held(operation: Operation) -> tuple[ColumnElement[bool], ...]:
    return (
        AnswerRow.owner == operation.owner,
        AnswerRow.key == operation.key,
        AnswerRow.lease == operation.lease,
    )  # fmt: skip


def _bound(owner: str, key: str) -> bytes:
    return f"{owner}\n{key}".encode()
