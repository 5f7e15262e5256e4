"""Where the public pages read: a studio's log and its published records. No key, no database.

    source = Source(Path("studio"))
    state = source.now()
    state.release("00" * 8)

A state is read whole and checked, then shared by all who ask until the log has grown.
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from assent.disclose.public_record import PublicRecord, open_record
from assent.kit.disk import Disk
from assent.kit.errors import AssentError, NotFoundError
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.receipt import make_receipt
from assent.verify.ended import Ended
from assent.verify.public import OWN, PublicLog, Record, open_log

__all__ = ["ASSET_ID", "PUBLIC", "RECORDS", "Release", "Source", "State"]

ASSET_ID = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SOUND = re.compile(r"[0-9a-f]{8}")
PUBLIC, RECORDS = "public", "records"
"""The folder in a studio for what is published, and in it that of the records."""
_LOOK_EVERY_S = 1.0
_LONGEST_TYPED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is known of an asset: its seals (of film, stills and sound), oldest first.

    `told` is what the studio says of it in public words, if it does; `withdrawn` is when the first
    of the consents behind it ended, if one has.
    """

    asset_id: str
    seals: tuple[Record, ...]
    told: PublicRecord | None
    withdrawn: str | None
    ended: Ended | None

    @property
    def main(self) -> Record:
        """Return the newest film's seal, else the newest."""
        films = [seal for seal in self.seals if seal.entry.media == "video"]
        return (films or list(self.seals))[-1]

    @property
    def state(self) -> str:
        """Return how it stands: valid, withdrawn, or how it was taken back."""
        if self.ended is not None and self.ended.how == "revoked":
            return self.ended.how
        if self.withdrawn:
            return "withdrawn"
        return self.ended.how if self.ended else "valid"

    @property
    def since(self) -> str | None:
        """Return since when it doesn't stand; None if it does."""
        if self.state == "withdrawn":
            return self.withdrawn
        return self.ended.time if self.ended else None


class State:
    """The log at one checkpoint, proven, with its releases by asset id."""

    def __init__(self, log: PublicLog, reader: LogReader, folder: Path, disk: Disk) -> None:
        self.log = log
        self.reader = reader
        self._folder = folder
        self._disk = disk
        self._seals: dict[str, list[Record]] = {}
        for record in log.records:
            self._seals.setdefault(record.entry.asset_id, []).append(record)

    @property
    def assets(self) -> tuple[str, ...]:
        """Return every asset id, oldest first."""
        return tuple(self._seals)

    @cached_property
    def tag(self) -> str:
        """Return what names this state."""
        return hashlib.sha256(self.reader.checkpoint.encode()).hexdigest()[:16]

    def release(self, asset_id: str) -> Release | None:
        """Return what is known of an asset; None if the log knows none of that id."""
        seals = self._seals.get(asset_id)
        if seals is None:
            return None
        receipts = {receipt for seal in seals for receipt in seal.entry.receipts}
        ended = sorted(self.log.withdrawn[each] for each in receipts if each in self.log.withdrawn)
        return Release(
            asset_id=asset_id,
            seals=tuple(seals),
            told=self._told(asset_id),
            withdrawn=ended[0] if ended else None,
            ended=self.log.ended.get(asset_id),
        )

    def find(self, typed: str) -> str | None:
        """Return the asset id that somebody typed or scanned: an id, a link, a hash of a file."""
        text = typed.strip().lower()[:_LONGEST_TYPED]
        if "/r/" in text:
            text = text.partition("/r/")[2].partition("/")[0].partition("?")[0].partition("#")[0]
        text = re.sub(r"[\s:.-]", "", text)
        if _HASH.fullmatch(text):
            found = self.log.by_hash(text)
            return found.entry.asset_id if found else None
        if _SOUND.fullmatch(text):
            found = self.log.by_sound(int(text, 16))
            return found.entry.asset_id if found else None
        return text if text in self._seals else None

    def proof(self, index: int) -> str:
        """Return the proof that the log holds an entry; `NotFoundError` if it holds none there."""
        return make_receipt(self.reader, index)

    def _told(self, asset_id: str) -> PublicRecord | None:
        """Return the published record; one that isn't the studio's is as good as none."""
        data = self._disk.read(self._folder / PUBLIC / RECORDS / f"{asset_id}.jws")
        try:
            token = (data or b"").decode("ascii")
            return open_record(token, asset_id, key=self.log.signing_key) if token else None
        except (AssentError, UnicodeDecodeError):
            return None


class Source:
    """Reads a studio's public folders, anew when the log has changed.

    Args:
        folder: the studio's folder, or one that holds copies of its `log` and `public`.
        vkey: the log's key, if it is known otherwise than from beside the log.
        disk: what reads.
        changed: called with the new state before it is shown, to publish what it lacks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        vkey: str | None = None,
        disk: Disk | None = None,
        changed: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.vkey = vkey
        self._disk = disk or Disk()
        self._changed = changed
        self._monotonic = monotonic
        self._lock = Lock()
        self._state: State | None = None
        self._note = b""
        self._looked = 0.0

    @property
    def log_folder(self) -> Path:
        """Where the log lies."""
        return self.folder / "log"

    def now(self) -> State:
        """Return the newest state; while it is being read, others get the one before.

        Raises `NotFoundError` if there is no log, `IntegrityError` if it was changed.
        """
        state = self._state
        if state is None:
            with self._lock:
                return self._state or self._read()
        if self._monotonic() - self._looked > _LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self._looked = self._monotonic()
                if self._checkpoint() != self._note:
                    return self._read()
            finally:
                self._lock.release()
        return self._state or state

    def _checkpoint(self) -> bytes:
        data = self._disk.read(self.log_folder / "checkpoint")
        if data is None:
            raise NotFoundError(
                f"there is no log in {self.folder}", advice="Name the studio: --studio."
            )
        return data

    def _read(self) -> State:
        note = self._checkpoint()
        self._changed()
        log = open_log(self.log_folder, vkey=self.vkey, key_from=OWN)
        reader = LogReader(self.log_folder, verifier=NoteVerifier.parse(log.vkey))
        self._state = State(log, reader, self.folder, self._disk)
        self._note, self._looked = note, self._monotonic()
        return self._state
