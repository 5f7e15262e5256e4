"""The log itself, entry by entry, and every state of it that was kept somewhere.

A log that was rewritten agrees with itself: its owner has the key. An older state that was kept
doesn't agree with it; signed by the log's key, the two together prove the rewriting to anyone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assent.kit.canonical import parse_object
from assent.kit.errors import AssentError, IntegrityError
from assent.kit.progress import Progress
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.merkle import EMPTY_ROOT
from assent.kit.tlog.reader import LogReader
from assent.monitor.audit.report import Item, Standing, Trust
from assent.monitor.places import PLACE_KIND

__all__ = ["History", "OnChain", "check_notes", "open_note_of", "walk"]

_EVERY = 1000


@dataclass(frozen=True, slots=True)
class OnChain:
    """Where the log says that it is anchored."""

    chain: int
    contract: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A log that was read from its first entry to its last; without `whole` it couldn't be."""

    reader: LogReader
    item: Item
    places: tuple[OnChain, ...]
    whole: bool

    def compare(self, what: str, size: int, root: bytes) -> Item | None:
        """Return what is wrong with a state that the log had, or None if it goes on from it."""
        now = self.reader.size
        if size > now:
            return _rewritten(what, f"the log was rolled back: it had {size} entries and has {now}")
        if not self.whole:
            says = "can't be compared with entries that can't be read"
            return Item(what=what, standing=Standing.UNPROVEN, says=says, rests_on="")
        found = self.reader.tree.range_root(0, size) if size else EMPTY_ROOT
        if found != root:
            return _rewritten(
                what,
                f"the log was rewritten: at {size} entries it had the root {root.hex()[:16]}…, its "
                f"entries now give {found.hex()[:16]}…",
            )
        return None


def walk(reader: LogReader, *, progress: Progress) -> History:
    """Read every entry of a log and check each against the signed root."""
    places: list[OnChain] = []
    try:
        for index, data in reader.entries():
            fields = parse_object(data, name=f"entry {index}")
            if (index == 0) != (fields.get("kind") == "studio"):
                raise IntegrityError(f"entry {index} is not what begins a log, or begins it again")
            places += _place_in(fields)
            if index % _EVERY == 0:
                progress("reading the log", index, reader.size)
    except AssentError as error:
        item = _bad("entries", str(error))
        return History(reader=reader, item=item, places=tuple(places), whole=False)
    says = f"all {reader.size} are under the signed root, each in its place"
    rests = "the log's own key: a log that was rewritten as a whole agrees with itself"
    item = Item(what="entries", standing=Standing.GOOD, says=says, rests_on=rests)
    return History(reader=reader, item=item, places=tuple(dict.fromkeys(places)), whole=True)


def check_notes(history: History, trust: Trust) -> Iterator[Item]:
    """Compare checkpoints that were kept somewhere with the log."""
    for name, note in trust.kept.items():
        yield _check_note(history, f"checkpoint {name}", note, "the log's owner, who kept it", 0)
    for name, note in trust.checkpoints.items():
        yield _check_note(history, f"checkpoint {name}", note, "you, who kept it", 1)


def _check_note(history: History, what: str, note: bytes, rests_on: str, weight: int) -> Item:
    try:
        state = open_note_of(note, history.reader)
    except AssentError as error:
        return _bad(what, str(error))
    return history.compare(what, state.size, state.root) or Item(
        what=what, standing=Standing.GOOD, says=f"the log goes on from its {state.size} entries",
        rests_on=rests_on, size=weight * state.size,
    )  # fmt: skip


def open_note_of(note: bytes, reader: LogReader) -> Checkpoint:
    """Return the state in a note of the log; raises `IntegrityError` if it is none."""
    try:
        text = note.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError("it is not text") from error
    return open_checkpoint(text, reader.verifier)


def _place_in(fields: Mapping[str, Any]) -> list[OnChain]:
    if fields.get("kind") != PLACE_KIND:
        return []
    chain, contract, sender = (fields.get(part) for part in ("chain", "contract", "sender"))
    if type(chain) is not int or not isinstance(contract, str) or not isinstance(sender, str):
        raise IntegrityError("an entry about where the log is anchored lacks its parts")
    return [OnChain(chain, contract, sender)]


def _bad(what: str, says: str) -> Item:
    return Item(what=what, standing=Standing.BAD, says=says, rests_on="what lies before you")


def _rewritten(what: str, says: str) -> Item:
    return replace(_bad(what, says), rewritten=True)
