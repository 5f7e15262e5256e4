"""The receipt of a report: a number and a PIN, with which its reporter looks in without an account.

Of the PIN only a slow hash is kept (Argon2id). Wrong ones lock the case for a while, each time
longer, and are forgiven one by one with time, so that nobody keeps a reporter out for good. A
number that doesn't exist takes as long as one that does.

>>> number = make_number(lambda n: bytes(range(n)))
>>> read_number(number.lower().replace("-", " ")) == number
True
"""

import os
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError
from assent.kit.store.case_tables import CaseRow
from assent.kit.store.studio import Studio
from assent.kit.vault.stream import Entropy

__all__ = ["find_by_receipt", "hash_pin", "make_number", "make_pin", "read_number"]

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: none that is taken for another."""
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_PIN_GROUPS = 3
_FREE_TRIES = 5
_LOCK = timedelta(minutes=1)
_FORGIVEN_EVERY = timedelta(minutes=10)
_MOST_DOUBLED = 6
# OWASP's second choice of parameters: 19 MiB, two passes.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_WRONG = "this number and this PIN don't belong together"


def make_number(entropy: Entropy = os.urandom) -> str:
    """Return a new number: 40 random bits and a check letter, `K7Q2-M9TX-4`."""
    value = int.from_bytes(entropy(5), "big")
    letters = "".join(_LETTERS[value >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}-{_check_letter(letters)}"


def read_number(text: str) -> str:
    """Return a number as it is kept, however it was typed; raises `InputError`."""
    plain = "".join(text.upper().split()).replace("-", "").translate(_ALIKE)
    known = len(plain) == 9 and all(each in _LETTERS for each in plain)
    if not known or _check_letter(plain[:8]) != plain[8]:
        raise InputError(
            "this is not the number of a report", advice="Type it as it is on the receipt."
        )
    return f"{plain[:4]}-{plain[4:8]}-{plain[8]}"


def _check_letter(letters: str) -> str:
    """Return a letter that no single wrong one fits: odd weights have inverses modulo 32."""
    return _LETTERS[sum((2 * at + 1) * _LETTERS.index(c) for at, c in enumerate(letters)) % 32]


def make_pin(entropy: Entropy = os.urandom) -> str:
    """Return a new PIN: twelve digits in three groups."""
    value = int.from_bytes(entropy(16), "big") % 10 ** (4 * _PIN_GROUPS)
    digits = f"{value:012d}"
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def hash_pin(pin: str) -> str:
    """Return what is kept of a PIN."""
    return _HASHER.hash(_digits(pin))


def find_by_receipt(studio: Studio, number: str, pin: str) -> CaseRow:
    """Return the case of a receipt; raises `NotClearedError` if the two don't go together."""
    try:
        known = read_number(number)
    except InputError:
        known = ""
    now = studio.clock()
    with studio.database.session() as session:
        row = session.scalar(select(CaseRow).where(CaseRow.number == known))
    if row is not None and row.locked_until is not None and stamp(now) < row.locked_until:
        raise NotClearedError(
            "there were too many wrong PINs for this report",
            advice="Wait a while and try again; the report itself is safe.",
        )
    # As dear for a number that doesn't exist.
    right = _matches(row.pin_hash if row is not None else _nobodys(), pin)
    if row is None or not right:
        if row is not None:
            _count_wrong(studio, row.id, now)
        raise NotClearedError(_WRONG, advice="Look at the receipt; both are on it.")
    if row.tries:
        with studio.database.session() as session:
            kept = session.get_one(CaseRow, row.id)
            kept.tries, kept.locked_until = 0, None
    return row


def _count_wrong(studio: Studio, case_id: str, now: datetime) -> None:
    with studio.database.session() as session:
        row = session.get_one(CaseRow, case_id)
        last = datetime.fromisoformat(row.tried) if row.tried else now
        row.tries = max(0, row.tries - (now - last) // _FORGIVEN_EVERY) + 1
        row.tried = stamp(now)
        over = row.tries - _FREE_TRIES
        if over >= 0:
            row.locked_until = stamp(now + _LOCK * 2 ** min(over, _MOST_DOUBLED))


def _matches(kept: str, pin: str) -> bool:
    try:
        return _HASHER.verify(kept, _digits(pin))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's")


def _digits(pin: str) -> str:
    return "".join(each for each in pin[:64] if each.isdigit() and each.isascii())
