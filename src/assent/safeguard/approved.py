"""A draft that passed review."""

from dataclasses import InitVar, dataclass
from typing import NoReturn, final

from assent.create.draft import Draft
from assent.safeguard._key import KEY, Key

__all__ = ["Approved"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Made by `safeguard.review`.

    `shortest_side` is the largest that it may leave with; `strong_mark` if its watermark must be
    louder than usual.
    """

    draft: Draft
    shortest_side: int
    strong_mark: bool
    key: InitVar[Key]

    def __post_init__(self, key: Key) -> None:
        if key is not KEY:
            raise TypeError("Approved is made by safeguard.review")

    def __reduce__(self) -> NoReturn:
        raise TypeError("an approval stays in its process; ask safeguard.review again")
