"""The key that mints sealed videos. Only `disclose.seal` and `disclose.reopen` may import this."""

from typing import final


@final
class Key:
    """Proof of being the seal."""


KEY = Key()
