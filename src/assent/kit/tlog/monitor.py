"""A monitor: what a log shows now must continue what it has shown before, to everyone.

The state is a folder: `checkpoint`, the largest state that was ever seen and verified, and
`evidence/`, what contradicts it. Sources are the log itself, mirrors of it, and the checkpoints
that witnesses cosigned.

>>> sight = Monitor(folder, log=verifier, clock=system).look([Site(url, get)])  # doctest: +SKIP
>>> sight.size, sight.grown
(12, 5)
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path

from assent.kit.clock import Clock, stamp
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import AssentError, IntegrityError, RewrittenError
from assent.kit.progress import Progress, nothing
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.files import NOTE_LIMIT, Files
from assent.kit.tlog.log import COSIGNED
from assent.kit.tlog.merkle import verify_consistency
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.reader import LogReader, read_note
from assent.kit.tlog.witnessed import Witnessed, open_witnessed

__all__ = ["Monitor", "Sight"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look at a log found: nothing that contradicts what was seen before.

    Attributes:
        size: entries now.
        grown: how many more than at the last look; `size` at the first one.
        first: whether there was nothing to compare with.
        witnessed: the newest cosigned checkpoint, if there is one.
        problems: what is wrong besides, in words: a source that is down or behind, cosignatures
            that are missing or old.
    """

    size: int
    grown: int
    first: bool
    witnessed: Witnessed | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """A checkpoint as somebody showed it; `reader` if the entries are there too."""

    source: str
    note: str
    state: Checkpoint
    reader: LogReader | None = None


class Monitor:
    """Keeps watch over one log from one folder.

    Args:
        folder: the monitor's own, made where missing.
        log: the log's public key; its name is the origin.
        policy: which witnesses are to have seen the log.
        fresh: how old the newest cosignature may be.
        most: how many new entries are read at one look.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log: NoteVerifier,
        clock: Clock,
        policy: Policy | None = None,
        fresh: timedelta | None = None,
        most: int = 1_000_000,
        disk: Disk | None = None,
    ) -> None:
        self._folder = folder
        self._log = log
        self._clock = clock
        self._policy = policy or Policy()
        self._fresh = fresh
        self._most = most
        self._disk = disk or Disk()

    def look(
        self,
        sources: Sequence[Files],
        *,
        witnesses: Sequence[Files] = (),
        wait: Callable[[], None] | None = None,
        progress: Progress = nothing,
    ) -> Sight:
        """Look at every source, compare all views with each other and with what was seen before.

        `witnesses` show, as their only file `checkpoint`, what they cosigned last of this log. New
        entries are read and checked, up to `most`. Only what continues the log is kept.
        `wait` is called, and the sources are read once more, if they show less than before: a copy
        may be some seconds old.

        Raises:
            RewrittenError: the log was rolled back or forked. Both checkpoints lie in `evidence/`,
                named in the message; the next look raises again.
            IntegrityError: no source could be read, or the largest one's files are damaged.
        """
        self._disk.make_folder(self._folder / "evidence")
        with self._disk.lock(self._folder / ".lock"):
            kept = self._kept()
            views, problems = self._views(sources, witnesses)
            if wait is not None and _shows_less(kept, views):
                wait()
                views, problems = self._views(sources, witnesses)
            largest = self._compare([*([kept] if kept else []), *views])
            known = kept.state.size if kept else 0
            problems += [
                f"{view.source} is behind: {view.state.size} of {largest.state.size} entries"
                for view in views
                if view.reader is not None and view.state.size < largest.state.size
            ]
            problems += self._read_entries(largest, known, progress)
            replace_file(self._disk, self._folder / "checkpoint", largest.note.encode())
        witnessed, wrong = self._witnessed(views)
        return Sight(
            size=largest.state.size,
            grown=largest.state.size - known,
            first=kept is None,
            witnessed=witnessed,
            problems=(*problems, *wrong, *self._doubts(witnessed)),
        )

    def _kept(self) -> _View | None:
        """Return what was seen at the last look."""
        data = self._disk.read(self._folder / "checkpoint")
        if data is None:
            return None
        note = data.decode("utf-8", "replace")
        return _View("an earlier look", note, open_checkpoint(note, self._log))

    def _views(
        self, sources: Sequence[Files], witnesses: Sequence[Files]
    ) -> tuple[list[_View], list[str]]:
        """Return what sources and witnesses show, and which of them show nothing."""
        views: list[_View] = []
        problems: list[str] = []
        # Witnesses first, since the log may grow, and be cosigned, while it's being read.
        asked = [(self._note_of, each) for each in witnesses]
        for read, files in [*asked, *((self._views_of, each) for each in sources)]:
            try:
                views += read(files)
            except AssentError as error:
                problems.append(f"{files.name()}: {error}")
        if not any(view.reader for view in views):
            raise IntegrityError(
                f"no source of {self._log.name} can be read: {'; '.join(problems)}",
                advice="Look again; if it stays so, ask the log's owner. Nothing is known of it.",
            )
        return views, problems

    def _note_of(self, files: Files, name: str = "checkpoint") -> list[_View]:
        note = read_note(files, name)
        return [_View(files.name(name), note, open_checkpoint(note, self._log))]

    def _views_of(self, files: Files) -> list[_View]:
        held = files.read(COSIGNED, NOTE_LIMIT) is not None
        views = self._note_of(files, COSIGNED) if held else []
        reader = LogReader(files, verifier=self._log)
        return [*views, _View(files.name(), reader.checkpoint, reader.state, reader)]

    def _compare(self, views: list[_View]) -> _View:
        """Return the largest view once it's proven to continue all the others."""
        largest = max(views, key=lambda view: (view.state.size, view.reader is not None))
        for view in views:
            if view.state.size == largest.state.size and view.state.root != largest.state.root:
                self._shout("the log shows two histories", view, largest, [])
        if largest.reader is None:
            shown = max((v for v in views if v.reader), key=lambda view: view.state.size)
            self._shout(
                f"the log was rolled back to {shown.state.size} entries", largest, shown, []
            )
        for view in views:
            self._check_continues(view, largest)
        return largest

    def _check_continues(self, old: _View, new: _View) -> None:
        assert new.reader is not None  # noqa: S101 - as chosen
        # What the proof consists of was checked against the new root: that it doesn't give the old
        # one is the log's doing.
        proof = new.reader.consistency_proof(old.state.size)
        try:
            verify_consistency(
                old_size=old.state.size,
                old_root=old.state.root,
                new_size=new.state.size,
                new_root=new.state.root,
                proof=proof,
            )
        except IntegrityError:
            self._shout("the log was rewritten", old, new, proof)

    def _read_entries(self, view: _View, known: int, progress: Progress) -> list[str]:
        """Read what is new, so that the log can't show hashes of what nobody may read.

        Returns what is left to say if that's too much.
        """
        assert view.reader is not None  # noqa: S101 - as chosen
        count = view.state.size - known
        for index, _ in islice(view.reader.entries(known), self._most):
            progress("reading entries", index + 1 - known, min(count, self._most))
        unread = count - self._most
        return [f"the newest {unread} entries were not read"] if unread > 0 else []

    def _witnessed(self, views: Sequence[_View]) -> tuple[Witnessed | None, list[str]]:
        """Return the newest view with cosignatures of the policy's witnesses, and wrong ones."""
        seen, wrong = [], []
        for view in views:
            try:
                seen.append(
                    open_witnessed(view.note, log=self._log, policy=self._policy, now=self._clock())
                )
            except IntegrityError as error:
                wrong.append(f"{view.source}: {error}")
        cosigned = [each for each in seen if each.cosignatures]
        return max(cosigned, key=lambda each: each.cosignatures[-1].time, default=None), wrong

    def _doubts(self, witnessed: Witnessed | None) -> list[str]:
        """Return what the policy finds wrong."""
        doubts = []
        if self._policy.needs_witnesses and (witnessed is None or not witnessed.enough):
            doubts.append("not as many witnesses have seen it as the policy asks for")
        newest = witnessed.cosignatures[-1].time if witnessed else None
        if self._fresh is not None and (newest is None or self._clock() - newest > self._fresh):
            doubts.append(f"no witness has seen it since {_when(newest)}")
        return doubts

    def _shout(self, what: str, old: _View, new: _View, proof: list[bytes]) -> None:
        """Keep the evidence and raise `RewrittenError`."""
        lines = [
            f"{self._log.name}: {what}",
            f"-- {old.source}, as of {stamp(self._clock())}, signed with {self._log.vkey}",
            old.note,
            f"-- {new.source}",
            new.note,
            f"-- consistency proof from {old.state.size} to {new.state.size}",
            *(base64.b64encode(each).decode() for each in proof),
        ]
        name = sha256((old.note + new.note).encode()).hexdigest()[:16]
        path = self._folder / "evidence" / f"{name}.txt"
        if self._disk.read(path) is None:
            replace_file(self._disk, path, "\n".join([*lines, ""]).encode())
        raise RewrittenError(
            f"{self._log.name}: {what}. {old.source} shows {old.state.size} entries, {new.source} "
            f"{new.state.size}. Both signed checkpoints are in {path}"
        )


def _shows_less(kept: _View | None, views: Sequence[_View]) -> bool:
    """Tell whether no source shows as much as was seen before, or as was cosigned."""
    shown = max(view.state.size for view in views if view.reader)
    return any(view.state.size > shown for view in [*([kept] if kept else []), *views])


def _when(time: datetime | None) -> str:
    return "ever" if time is None else stamp(time)
