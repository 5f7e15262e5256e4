"""A video that says what it is."""

from dataclasses import InitVar, dataclass
from typing import BinaryIO, NoReturn, final

from assent.disclose._key import KEY, Key
from assent.kit.imaging.label import Corner

__all__ = ["SealedVideo"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SealedVideo:
    """Labelled, watermarked, signed and logged; made by `disclose.seal` or `disclose.reopen`.

    Attributes:
        asset_id: 16 hex digits, the watermark's payload.
        draft_id: the draft that was sealed.
        corner: where its label lies.
        media: the sealed bytes; until the release they lie in an encrypted scratch file.
        sha256: of those bytes, hex.
        entry: the log entry, canonical JSON.
        receipt: proof that the log holds the entry (c2sp.org/tlog-proof@v1).
    """

    asset_id: str
    draft_id: str
    corner: Corner
    media: BinaryIO
    sha256: str
    entry: bytes
    log_index: int
    receipt: str
    key: InitVar[Key]

    def __post_init__(self, key: Key) -> None:
        if key is not KEY:
            raise TypeError("a SealedVideo comes from disclose.seal or disclose.reopen")

    def __reduce__(self) -> NoReturn:
        raise TypeError("store the path; come back through disclose.reopen")
