"""The embedded index: faiss in this process.

Up to `_EXACT` codes every one is compared; beyond, codes are gathered around a thousand or more
centres and the nearest few dozen of those are compared. Memory: 32 bytes a code, 8 for its number,
12 for its release and times (52 MB a million codes), and as much again while it is written out.
"""

import json
import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.index import NEIGHBOURS, Hits, no_hits
from assent.kit.fingerprint.picture_code import CODE_BYTES
from assent.kit.fingerprint.track import Track

__all__ = ["EmbeddedIndex"]

_BITS = 8 * CODE_BYTES
_EXACT = 40_000  # codes
_PROBES = 32
_MAGIC = b"AIDX1"
_HEAD = struct.Struct(">32sI")

Ints = NDArray[np.int32]


class EmbeddedIndex:
    """A `CodeIndex` in memory."""

    def __init__(self) -> None:
        # Its threads spin while they wait for each other, which costs more than they spare.
        faiss.omp_set_num_threads(1)
        self._names: list[str] = []
        self._place: dict[str, int] = {}
        # Row by row: release, begin, end; releases that were removed are -1.
        self._facts: Ints = np.zeros((0, 3), np.int32)
        self._codes: Any = faiss.IndexBinaryFlat(_BITS)

    def __len__(self) -> int:
        return int((self._facts[:, 0] >= 0).sum())

    def assets(self) -> frozenset[str]:
        """Return whose codes it holds."""
        return frozenset(self._place)

    def put(self, asset_id: str, track: Track) -> None:
        """Hold a release's track, in the place of an older one."""
        self.remove(asset_id)
        self.put_all([(asset_id, track)])

    def put_all(self, tracks: Iterable[tuple[str, Track]]) -> None:
        """Hold many that it has not held before."""
        codes, facts = [], [self._facts]
        for asset_id, track in tracks:
            self._place[asset_id] = len(self._names)
            self._names.append(asset_id)
            owner = np.full(len(track), self._place[asset_id], np.int32)
            facts.append(np.stack([owner, track.begins, track.ends], 1))
            codes.append(track.codes)
        if not codes:
            return
        self._facts = np.concatenate(facts)
        added = np.ascontiguousarray(np.concatenate(codes))
        exact = isinstance(self._codes, faiss.IndexBinaryFlat)
        if len(self._facts) > _EXACT and exact:
            held = faiss.vector_to_array(self._codes.xb).reshape(-1, CODE_BYTES)
            self._codes = _gathered(np.concatenate([held, added]))
        else:
            self._codes.add(added)

    def remove(self, asset_id: str) -> None:
        """Hold a release's track no longer; an index made anew frees the room of its codes."""
        place = self._place.pop(asset_id, None)
        if place is not None:
            self._facts[self._facts[:, 0] == place, 0] = -1

    def near(self, codes: NDArray[np.uint8], *, within: int) -> Hits:
        """Return the codes nearest to each of `codes`, up to `within` bits away."""
        if not len(self._facts) or not len(codes):
            return no_hits()
        count = min(NEIGHBOURS, len(self._facts))
        away, rows = self._codes.search(np.ascontiguousarray(codes), count)
        query = np.repeat(np.arange(len(codes), dtype=np.int32), count)
        flat, rows = away.ravel(), rows.ravel()
        kept = (rows >= 0) & (flat <= within)
        kept[kept] &= self._facts[rows[kept], 0] >= 0
        facts = self._facts[rows[kept]]
        names = tuple(self._names[owner] for owner in facts[:, 0])
        return Hits(query[kept], names, facts[:, 1], facts[:, 2], flat[kept].astype(np.int32))

    def to_bytes(self, stamp: str) -> bytes:
        """Return it as it lies on disk; `stamp` says what it was made of."""
        head = json.dumps({"stamp": stamp, "names": self._names, "rows": len(self._facts)}).encode()
        kind = faiss.serialize_index_binary(self._codes).tobytes()
        body = head + self._facts.astype(">i4").tobytes() + kind
        return _MAGIC + _HEAD.pack(sha256(body).digest(), len(head)) + body

    @classmethod
    def from_bytes(cls, data: bytes, stamp: str) -> "EmbeddedIndex | None":
        """Read it back; None if it was made of something else; raises `IntegrityError`."""
        start = len(_MAGIC) + _HEAD.size
        if len(data) < start or data[: len(_MAGIC)] != _MAGIC:
            raise IntegrityError("the index of codes is damaged", advice="Make it anew.")
        digest, length = _HEAD.unpack_from(data, len(_MAGIC))
        body = memoryview(data)[start:]
        if sha256(body).digest() != digest:
            raise IntegrityError("the index of codes is damaged", advice="Make it anew.")
        head = json.loads(bytes(body[:length]))
        if head["stamp"] != stamp:
            return None
        made = cls()
        end = length + 12 * head["rows"]
        made._names = head["names"]
        made._facts = np.frombuffer(body[length:end], ">i4").reshape(-1, 3).astype(np.int32)
        made._place = {
            made._names[owner]: int(owner) for owner in np.unique(made._facts[:, 0]) if owner >= 0
        }
        made._codes = faiss.deserialize_index_binary(np.frombuffer(body[end:], np.uint8))
        return made


def _gathered(codes: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - a library without types
    """Return an index of `codes` around some of them, which are taken as centres.

    Fitted centres would spare a third of the comparisons and take minutes to fit.
    """
    centres = int(min(4096, max(256, 2 ** round(np.log2(len(codes) / 1000)))))
    step = len(codes) // centres
    around: Any = faiss.IndexBinaryFlat(_BITS)
    around.add(np.ascontiguousarray(codes[::step][:centres]))
    made = faiss.IndexBinaryIVF(around, _BITS, centres)
    made.is_trained = True
    made.nprobe = _PROBES
    # The centres must live as long as what is gathered around them.
    made.own_fields = True
    around.this.disown()
    made.add(codes)
    return made
