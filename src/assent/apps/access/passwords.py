"""Passwords: argon2id, and nothing that tells whether an account exists.

The costs are those of RFC 9106's second choice: 64 MiB, three passes, four lanes.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from assent.kit.errors import InputError

__all__ = ["LONGEST", "SHORTEST", "Passwords"]

SHORTEST = 12
LONGEST = 256
_COMMON = frozenset(
    """
    123456789012 1234567890123 password1234 passwordpassword qwertyuiop12 qwertyuiopas
    administrator letmeinletmein iloveyouiloveyou correcthorsebatterystaple
    """.split()  # noqa: SIM905 - easier to read than a list
)


class Passwords:
    """Makes and checks hashes of passwords.

    Args:
        hasher: with which costs; one for all, so that old hashes show by their costs.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        # Checked where there is no account, so that it takes as long as where there is one.
        self._nobodys = self._hasher.hash("nobody has this password")

    def hash(self, password: str, *, handle: str) -> str:
        """Return the hash of a new password; raises `InputError` for one that is soon guessed."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise InputError(
                f"a password has {SHORTEST} to {LONGEST} characters",
                advice="Use four random words, or let your password manager make one.",
            )
        plain = password.casefold().replace(" ", "")
        if plain in _COMMON or len(set(plain)) < 5 or plain.strip("0123456789!") == handle:
            raise InputError(
                "this password is among the first that are guessed",
                advice="Use four random words, or let your password manager make one.",
            )
        return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` is the one of the hash; without a hash, no, in the same time."""
        try:
            self._hasher.verify(stored or self._nobodys, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
