"""Signing in: by password or passkey, not too often, and without a word about who exists."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any

from sqlalchemy import delete, select

from assent.apps.access.accounts import Account, who_is
from assent.apps.access.passwords import Passwords
from assent.apps.web.guard import Place, Turnstile
from assent.apps.web.keys import encode
from assent.apps.web.sessions import SignIn, SignIns
from assent.kit.clock import stamp
from assent.kit.errors import InputError, IntegrityError, NotClearedError, NotFoundError
from assent.kit.passkey import (
    ALGORITHMS,
    Passkey,
    passkey_from_json,
    register_passkey,
    verify_presence,
)
from assent.kit.store.access_tables import AccountPasskeyRow, AccountRow
from assent.kit.store.studio import Studio

__all__ = ["Entrance"]

_LIFETIME = timedelta(minutes=5)
_TIMEOUT_MS = 300_000
_MOST_PASSKEYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where accounts come in.

    Tries are counted by address and by account: one machine can't try many accounts, nor many
    machines one. The second count is wider, so that a stranger can't lock somebody out for long.
    """

    studio: Studio
    place: Place
    passwords: Passwords
    sign_ins: SignIns
    by_address: Turnstile
    by_account: Turnstile
    turn: Lock = field(default_factory=Lock)
    """Passwords are tried one after the other: what is tried at once is counted, too, and a hash
    takes much memory."""

    @classmethod
    def of(cls, studio: Studio, place: Place, *, passwords: Passwords | None = None) -> "Entrance":
        """Return the entrance of a studio."""
        return cls(
            studio=studio,
            place=place,
            passwords=passwords or Passwords(),
            sign_ins=SignIns(studio.clock),
            by_address=Turnstile(tries=10, seconds=600),
            by_account=Turnstile(tries=50, seconds=3600),
        )

    def check_open(self, address: str, handle: str = "") -> None:
        """Raise `NotClearedError` if there were too many tries that came to nothing."""
        if not (self.by_address.is_open(address) and self.by_account.is_open(handle)):
            raise NotClearedError("too many tries", advice="Wait a few minutes.")

    def failed(self, address: str, handle: str = "") -> None:
        """Note a try that came to nothing."""
        self.by_address.failed(address)
        if handle:
            self.by_account.failed(handle)

    def by_password(self, handle: str, password: str, *, address: str) -> str:
        """Return the id of the account; raises `NotClearedError`, in the same words for all."""
        handle = handle.strip().lower()[:40]
        with self.turn:
            self.check_open(address, handle)
            with self.studio.database.session() as session:
                row = session.scalar(select(AccountRow).where(AccountRow.handle == handle))
            matches = self.passwords.matches(row.password if row else None, password)
            if row is None or not matches or row.disabled is not None:
                self.failed(address, handle)
                raise NotClearedError(
                    "name and password don't match", advice="Try again, or ask for a new link."
                )
        return row.id

    # Passkeys

    def ask_for_passkey(self) -> Mapping[str, Any]:
        """Return what `navigator.credentials.get` needs; it names no account."""
        challenge = self._challenge()
        return {
            "nonce": challenge.hex(),
            "options": {
                "challenge": encode(challenge),
                "rpId": self.place.rp_id,
                "userVerification": "required",
                "timeout": _TIMEOUT_MS,
            },
        }

    def by_passkey(self, answer: Mapping[str, Any], *, address: str) -> str:
        """Return the id of the account whose passkey answered; raises `NotClearedError`."""
        self.check_open(address)
        begun = self.sign_ins.take(str(answer.get("nonce", "")))
        try:
            row = self._known(str(answer.get("id", "")))
            who_is(self.studio, row.account_id)
            passkey = passkey_from_json(row.document, name="the passkey")
            verify_presence(answer, passkey, challenge=begun.challenge)
        except (IntegrityError, InputError, NotFoundError) as error:
            self.failed(address)
            raise NotClearedError(
                "no account has this passkey", advice="Sign in with your password."
            ) from error
        return row.account_id

    def _known(self, credential_id: str) -> AccountPasskeyRow:
        with self.studio.database.session() as session:
            row = session.get(AccountPasskeyRow, credential_id)
        if row is None:
            raise NotFoundError("nobody has this passkey")
        return row

    def offer_passkey(self, account: Account) -> Mapping[str, Any]:
        """Return what `navigator.credentials.create` needs for an account's next passkey."""
        challenge = self._challenge()
        return {
            "nonce": challenge.hex(),
            "options": {
                "rp": {"id": self.place.rp_id, "name": self.studio.name},
                "user": {
                    "id": encode(account.id.encode()),
                    "name": account.handle,
                    "displayName": account.name,
                },
                "challenge": encode(challenge),
                "pubKeyCredParams": [
                    {"type": "public-key", "alg": int(each)} for each in ALGORITHMS
                ],
                "authenticatorSelection": {
                    "residentKey": "required",
                    "userVerification": "required",
                },
                "attestation": "none",
                "timeout": _TIMEOUT_MS,
            },
        }

    def keep_passkey(self, account: Account, data: Mapping[str, Any]) -> Passkey:
        """Keep the passkey that the browser made for the account; raises an `AssentError`."""
        begun = self.sign_ins.take(str(data.get("nonce", "")))
        answer = data.get("passkey")
        if not isinstance(answer, dict):
            raise InputError("no passkey was made", advice="Try again.")
        if account.passkeys >= _MOST_PASSKEYS:
            raise InputError("this account has enough passkeys", advice="Remove them first.")
        passkey = register_passkey(
            answer,
            challenge=begun.challenge,
            rp_id=self.place.rp_id,
            origin=self.place.origin,
        )
        with self.studio.database.session() as session:
            if session.get(AccountPasskeyRow, passkey.credential_id) is not None:
                raise InputError("this passkey is known already", advice="Make another.")
            session.add(
                AccountPasskeyRow(
                    credential_id=passkey.credential_id,
                    account_id=account.id,
                    document=passkey.to_json(),
                    created=stamp(self.studio.clock()),
                )
            )
        return passkey

    def forget_passkeys(self, account: Account) -> None:
        """Forget all passkeys of an account."""
        with self.studio.database.session() as session:
            session.execute(
                delete(AccountPasskeyRow).where(AccountPasskeyRow.account_id == account.id)
            )

    def _challenge(self) -> bytes:
        challenge = secrets.token_bytes(32)
        expires = self.studio.clock() + _LIFETIME
        self.sign_ins.begin(SignIn(challenge=challenge, expires=expires))
        return challenge
