"""Where footage comes from: a file on a disk, or one that lies encrypted in the studio."""

from typing import BinaryIO, Literal, Protocol

__all__ = ["Openable"]


class Openable(Protocol):
    """Something that can be opened for reading as often as is wanted; a `Path` is one."""

    @property
    def name(self) -> str:
        """What it is called, without a folder."""
        ...

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Return it opened, seekable."""
        ...
