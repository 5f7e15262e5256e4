"""What the log says of a release: hashes and codes, and nothing about people.

>>> entry = SealEntry(
...     media="video", asset_id="00" * 8, sha256="11" * 32, fingerprint="ISCC:X",
...     frames=9, receipts=("22" * 32,), time="2026-11-22T00:00:00Z",
... )
>>> SealEntry.parse(entry.to_bytes()) == entry
True
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assent.kit.canonical import canonical, parse_object
from assent.kit.errors import IntegrityError

__all__ = ["SealEntry"]

_ASSET_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealEntry:
    """The log entry of one sealed file.

    `receipts` are salted hashes of the consent receipts that it rests on; `fingerprint` is an ISCC
    for a video and empty for a still; `frames` is a video's length, 1 for a still.
    """

    media: str
    asset_id: str
    sha256: str
    fingerprint: str
    frames: int
    receipts: tuple[str, ...]
    time: str

    def to_bytes(self) -> bytes:
        """Return the entry as canonical JSON."""
        return canonical(
            {
                "kind": "seal",
                "media": self.media,
                "asset": self.asset_id,
                "sha256": self.sha256,
                "fingerprint": self.fingerprint,
                "frames": self.frames,
                "receipts": sorted(self.receipts),
                "time": self.time,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> "SealEntry":
        """Read an entry; raises `IntegrityError` if it is not a seal."""
        fields: dict[str, Any] = parse_object(data, name="the log entry")
        if fields.get("kind") != "seal":
            raise IntegrityError("this log entry is not a seal")
        try:
            receipts: Sequence[str] = fields["receipts"]
            return cls(
                media=str(fields["media"]),
                asset_id=_identifier(str(fields["asset"])),
                sha256=str(fields["sha256"]),
                fingerprint=str(fields["fingerprint"]),
                frames=_whole(fields["frames"]),
                receipts=tuple(str(receipt) for receipt in receipts),
                time=str(fields["time"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("this seal lacks its parts") from error


def _identifier(text: str) -> str:
    if not _ASSET_ID.fullmatch(text):
        raise ValueError(f"{text[:20]} is no identifier of 64 bits")
    return text


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value
