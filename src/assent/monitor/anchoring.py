"""Anchor the log: let others say that its checkpoint of now was there.

    for outcome in anchor(studio, load_places(studio), key_of=key_of, patience=Patience.of(60)):
        print(outcome.place, outcome.says)

Each place is on its own: one that is down, slow or lying is told of and keeps no other from being
used. Run again, it goes on where it stopped, pays for nothing twice, and completes what was
pending.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from assent.kit.anchors.authority import ask_authority, load_roots, verify_stamp
from assent.kit.anchors.calendars import read_proof, submit, upgrade
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError
from assent.kit.fetch.wire import Fetch
from assent.kit.store.studio import Studio
from assent.kit.tlog.checkpoint import Checkpoint
from assent.monitor.on_chain import KeyOf, Patience, anchor_on_chain
from assent.monitor.places import AuthorityPlace, CalendarPlace, ChainPlace, Place

__all__ = ["Outcome", "State", "anchor"]

_MOST_PENDING = 50
# After that the rest waits for the next run: a calendar may answer each just in time.
_PENDING_SECONDS = 120.0


class State(StrEnum):
    """What came of anchoring in a place."""

    ANCHORED = "anchored"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of anchoring a checkpoint of `size` in a place; `problem` if it failed."""

    place: str
    kind: str
    size: int
    state: State
    says: str
    problem: AssentError | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the outcome as JSON values."""
        return {
            "place": self.place, "kind": self.kind, "size": self.size, "state": self.state.value,
            "says": self.says,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchoring:
    studio: Studio
    folder: AnchorFolder
    note: bytes
    state: Checkpoint
    key_of: KeyOf
    patience: Patience
    how: Fetch | None


def anchor(
    studio: Studio,
    places: Sequence[Place],
    *,
    key_of: KeyOf,
    patience: Patience,
    how: Fetch | None = None,
) -> Iterator[Outcome]:
    """Anchor the log's checkpoint of now in each place, and yield what came of it.

    `key_of` returns the key of a chain's place; `patience` is what a chain is given to take a
    transaction into enough blocks; the other counterparts have limits of their own.

    Raises `RewrittenError` if an anchored checkpoint of this size is of another history: then
    nothing more is anchored.
    """
    folder = AnchorFolder(studio.log_folder, disk=studio.disk)
    with folder.lock():
        note, state = folder.keep(studio.log.checkpoint(), studio.log_verifier)
        work = _Anchoring(
            studio=studio, folder=folder, note=note, state=state, key_of=key_of, how=how,
            patience=patience,
        )  # fmt: skip
        for place in places:
            try:
                outcome = _anchor_in(work, place)
            except AssentError as error:
                outcome = _outcome(work, place, State.FAILED, str(error), error)
            yield outcome


def _anchor_in(work: _Anchoring, place: Place) -> Outcome:
    if isinstance(place, AuthorityPlace):
        return _stamp(work, place)
    if isinstance(place, CalendarPlace):
        return _submit(work, place)
    return _on_chain(work, place)


def _stamp(work: _Anchoring, place: AuthorityPlace) -> Outcome:
    roots = load_roots(place.roots.encode())
    known = work.folder.proof(work.state.size, place.name, "tsr")
    if known is not None:
        found = verify_stamp(known, work.note, roots)
        says = f"stamped before, at {stamp(found.time)}, by {found.authority}"
        return _outcome(work, place, State.ANCHORED, says)
    data = ask_authority(work.note, place.url, roots=roots, clock=work.studio.clock, how=work.how)
    work.folder.write(work.state.size, place.name, "tsr", data)
    found = verify_stamp(data, work.note, roots)
    says = f"stamped at {stamp(found.time)} by {found.authority}"
    return _outcome(work, place, State.ANCHORED, says)


def _submit(work: _Anchoring, place: CalendarPlace) -> Outcome:
    size = work.state.size
    if work.folder.proof(size, place.name, "ots") is None:
        proof = submit(work.note, place.url, how=work.how)
        work.folder.write(size, place.name, "ots", proof)
    completed = _complete(work, place)
    claims = read_proof(work.folder.proof(size, place.name, "ots") or b"", work.note)
    also = f"; {completed} earlier proof(s) completed" if completed else ""
    if claims.blocks:
        says = f"in Bitcoin's block {claims.blocks[0].height}, says the calendar{also}"
        return _outcome(work, place, State.ANCHORED, says)
    says = f"promised by the calendar: run this again in some hours{also}"
    return _outcome(work, place, State.PENDING, says)


def _complete(work: _Anchoring, place: CalendarPlace) -> int:
    """Ask for what was pending, newest first; return how many earlier proofs are complete now."""
    completed, ends = 0, work.patience.clock() + _PENDING_SECONDS
    for size in _pending_sizes(work.folder, place.name)[:_MOST_PENDING]:
        if work.patience.clock() > ends:
            break
        kept = work.folder.kept(size)
        proof = work.folder.proof(size, place.name, "ots")
        if kept is None or proof is None:
            continue
        more = upgrade(proof, kept.note, place.url, how=work.how)
        if more is not None:
            work.folder.write(size, place.name, "ots", more)
            completed += size != work.state.size
    return completed


def _pending_sizes(folder: AnchorFolder, name: str) -> list[int]:
    pending = []
    for size in reversed(folder.sizes()):
        kept, proof = folder.kept(size), folder.proof(size, name, "ots")
        if kept is not None and proof is not None:
            try:
                if not read_proof(proof, kept.note).blocks:
                    pending.append(size)
            except IntegrityError:
                # The audit tells of it; here it mustn't stand in the way of the others.
                continue
    return pending


def _on_chain(work: _Anchoring, place: ChainPlace) -> Outcome:
    found = anchor_on_chain(
        work.studio, place, work.folder, work.state, key_of=work.key_of, how=work.how,
        patience=work.patience,
    )  # fmt: skip
    return _outcome(work, place, State.ANCHORED if found.final else State.PENDING, found.says)


def _outcome(
    work: _Anchoring, place: Place, state: State, says: str, problem: AssentError | None = None
) -> Outcome:
    return Outcome(
        place=place.name, kind=place.kind, size=work.state.size, state=state, says=says,
        problem=problem,
    )  # fmt: skip
