"""The index of releases' codes: one small interface, and what it answers.

    index.put("ae458e06b13e8f75", track)
    hits = index.near(codes, within=70)

Two things stand behind it: `embedded.EmbeddedIndex` (faiss, in this process, on disk) and
`clustered.ClusteredIndex` (PostgreSQL with pgvector). Both answer alike, and both can be made anew
from the tracks, so an index is never what a track is kept in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.track import Track

__all__ = ["NEIGHBOURS", "CodeIndex", "Hits", "no_hits"]

NEIGHBOURS = 40
"""How many of the nearest codes are looked at for each code that is asked about."""


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Codes that are near: for each the number of the code asked about, whose it is, when, how far.

    `query`, `begins`, `ends` (milliseconds) and `away` (bits) are int32 [m]; `assets` are m names.
    """

    query: NDArray[np.int32]
    assets: tuple[str, ...]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]
    away: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.query)


def no_hits() -> Hits:
    """Return what an index answers that knows nothing near."""
    none = np.zeros(0, np.int32)
    return Hits(none, (), none, none, none)


class CodeIndex(Protocol):
    """Where codes of releases are looked up."""

    def __len__(self) -> int:
        """Return how many codes it holds."""
        ...

    def assets(self) -> frozenset[str]:
        """Return whose codes it holds."""
        ...

    def put(self, asset_id: str, track: Track) -> None:
        """Hold a release's track, in the place of an older one."""
        ...

    def put_all(self, tracks: Iterable[tuple[str, Track]]) -> None:
        """Hold many that it has not held before."""
        ...

    def remove(self, asset_id: str) -> None:
        """Hold a release's track no longer; one that it doesn't hold changes nothing."""
        ...

    def near(self, codes: NDArray[np.uint8], *, within: int) -> Hits:
        """Return the codes nearest to each of `codes`, uint8 [n, 32], up to `within` bits away.

        At most `NEIGHBOURS` for each; an index of millions may miss a few of them.
        """
        ...
