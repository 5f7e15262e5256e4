"""The key that mints approvals. Only `safeguard.review` may import this."""

from typing import final


@final
class Key:
    """Proof of being the review."""


KEY = Key()
