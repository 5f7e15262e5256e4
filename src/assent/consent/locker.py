"""The vault, opened by clearances alone. Nothing else in Assent holds a vault.

What is put away under a set of clearances is encrypted under the keys of all their records: it
opens only while every one of those people still agrees.
"""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta

from assent.consent.binding import Bound, Facts, bind, hold
from assent.consent.clearance import AskAgain, Clearance, check_issued
from assent.kit.errors import AssentError, IntegrityError, NotClearedError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.kit.vault.vault import Vault

__all__ = ["Locker"]

_BUFFER = 1 << 16
_LEFT_BEHIND = timedelta(days=1)
# Segments of 32 frames: about 40 seconds of film to an entry of the log.
_NOTED_TOGETHER = 32


class Locker:
    """Puts away and opens what belongs to people, for those whom the desk cleared."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._vault = Vault(studio.vault_folder, studio.keyring, disk=studio.disk)

    def put(self, chunks: Iterable[bytes], clearances: Collection[Clearance]) -> str:
        """Encrypt `chunks` under the records of `clearances`; returns the blob's id."""
        self._check_time(clearances)
        return self._vault.put(chunks, key_ids={c.record_id for c in clearances})

    def deposit(self, chunks: Iterable[bytes], record_id: str) -> str:
        """Encrypt `chunks` under one record's key; whoever wants to read them needs a clearance."""
        return self._vault.put(chunks, key_ids={record_id})

    def open(self, blob: str, clearances: Collection[Clearance]) -> io.BufferedReader:
        """Open a blob for reading; the log notes it before anything is read.

        Raises `NotClearedError` unless each person under whose record it lies is cleared now.
        """
        self._check_cleared(blob, clearances)
        return self._opened(blob, _context(clearances))

    def read(self, blob: str, clearances: Collection[Clearance]) -> bytes:
        """Return a small blob whole; raises as `open`."""
        with self.open(blob, clearances) as reader:
            return reader.read()

    def read_all(self, blobs: Sequence[str], ask_again: AskAgain) -> Iterator[bytes]:
        """Yield blobs whole, in order, asking before each; raises as `open`.

        They are noted in the log many at a time, which keeps a long film's segments from waiting.
        """
        for start in range(0, len(blobs), _NOTED_TOGETHER):
            batch, clearances = blobs[start : start + _NOTED_TOGETHER], ask_again()
            for blob in batch:
                self._check_cleared(blob, clearances)
            self._note(batch, _context(clearances))
            for blob in batch:
                yield self.read(blob, ask_again())

    def announce(self, blobs: Collection[str], clearances: Collection[Clearance]) -> None:
        """Note in one entry of the log that blobs are opened, for who reads them out of order.

        Reading one of them in the next minutes, for the same people and acts, is covered by it.
        Raises as `open`.
        """
        for blob in blobs:
            self._check_cleared(blob, clearances)
        self._note(blobs, _context(clearances))

    def statement(self, row: ConsentRow) -> io.BufferedReader:
        """Open the statement of a record that isn't live yet, to check it or to decide about it.

        Once the record is live, its subject must be cleared like anywhere else. Raises
        `NotClearedError` otherwise, `NotFoundError` if there is none.
        """
        blob = str(row.statement_blob)
        if row.state not in ("offered", "waiting"):
            raise NotClearedError("this record's statement isn't waiting for anyone")
        if self._vault.key_ids(blob) != (row.record_id,):
            raise NotClearedError("this statement belongs to another record")
        context = {"acts": ["decide"], "projects": [row.project_id], "records": [row.record_id]}
        return self._opened(blob, context)

    def bind(self, kind: str, facts: Facts, clearances: Collection[Clearance]) -> str:
        """Sign what a row says of an object, and the records that it rests on (see `binding`)."""
        self._check_time(clearances)
        return bind(self._studio, kind, facts, clearances)

    def hold(self, bound: Bound, clearances: Collection[Clearance]) -> None:
        """Hold a row to what was signed and to who is cleared now; raises as `binding.hold`."""
        self._check_time(clearances)
        hold(self._studio, bound, clearances)

    def owners(self, blob: str) -> tuple[str, ...]:
        """Return the ids of the records whose keys a blob takes; none if it is gone or spoilt."""
        try:
            return self._vault.key_ids(blob)
        except (NotFoundError, IntegrityError):
            return ()

    def ids(self) -> Iterator[str]:
        """Yield the id of every blob, sorted."""
        yield from self._vault.ids()

    def test(self, blob: str) -> str | None:
        """Open a blob, keep nothing of it, and return what is wrong with it, if anything."""
        try:
            self._vault.test(blob)
        except AssentError as error:
            return str(error)
        return None

    def forget(self, blob: str) -> None:
        """Remove a blob that nothing refers to any more."""
        self._vault.delete(blob)

    def sweep(self, keep: Collection[str]) -> int:
        """Remove what killed processes left behind; returns how many files went.

        Only what was last written a day ago or earlier: work in progress must have the time to
        record what it has put away.
        """
        return self._vault.sweep(keep, before=self._studio.clock() - _LEFT_BEHIND)

    def _opened(self, blob: str, context: dict[str, list[str]]) -> io.BufferedReader:
        reader = self._vault.open(blob)
        try:
            self._note([blob], context)
        except BaseException:
            reader.close()
            raise
        return io.BufferedReader(reader, _BUFFER)

    def _note(self, blobs: Collection[str], context: dict[str, list[str]]) -> None:
        studio = self._studio
        studio.openings.note(studio.database, studio.log, blobs, context, now=studio.clock())

    def _check_cleared(self, blob: str, clearances: Collection[Clearance]) -> None:
        self._check_time(clearances)
        if set(self._vault.key_ids(blob)) - {c.record_id for c in clearances}:
            raise NotClearedError("not everyone whom this concerns has been cleared")

    def _check_time(self, clearances: Collection[Clearance]) -> None:
        if not clearances:
            raise NotClearedError("nobody was cleared")
        check_issued(clearances)
        now = self._studio.clock()
        if any(now >= clearance.expires for clearance in clearances):
            raise NotClearedError(
                "a clearance has run out", advice="Run the command again; it asks the desk anew."
            )


def _context(clearances: Collection[Clearance]) -> dict[str, list[str]]:
    """Return for whom and for what something is opened."""
    return {
        "acts": sorted({act.value for each in clearances for act in each.acts}),
        "projects": sorted({each.project_id for each in clearances}),
        "records": sorted({each.record_id for each in clearances}),
    }
