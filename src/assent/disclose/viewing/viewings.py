"""Look at footage, drafts and models, frame by frame: the door through which pages get pictures.

    viewings = Viewings(studio)
    viewing = viewings.open_draft(purpose, draft, by=account)
    jpeg = viewings.picture(viewing.id, 4711, by=account, width=960, side=Side.AFTER)

A *viewing* is opened under the clearances that its content needs, by a known account, and is noted
in the log once, by hashes. It lives for a quarter of an hour. The desk is asked before each frame:
a withdrawal ends it at once. Every picture passes the content gate, carries a label, the viewing's
number as watermark, and a content credential; it is never written to a disk. How many pictures a
viewing gives, how fast and how large, is bounded: it is for looking, not for taking a film away.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import cast

from assent.consent.clearance import Act, AskAgain, Clearance
from assent.consent.desk import Need, clear_all
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.repair.document import Repairs
from assent.create.repair.store import Shot
from assent.data.clips import ClearedClip
from assent.data.doubts import Doubt
from assent.disclose.viewing.developing import Darkroom
from assent.disclose.viewing.noting import Kind, note, plans_of
from assent.disclose.viewing.of_clip import Indices, OfClip
from assent.disclose.viewing.of_draft import OfDraft
from assent.disclose.viewing.of_faces import OfDoubt, OfModel
from assent.disclose.viewing.of_repair import OfRepair, Traced, needs_of
from assent.disclose.viewing.opened import NotYet, Opened, Turns, Viewing
from assent.disclose.viewing.rationing import Rations
from assent.disclose.viewing.refusing import check_project, gone
from assent.disclose.viewing.showing import Screen
from assent.disclose.viewing.subject import Named, Shown, Side
from assent.kit.content.gate import ContentGate
from assent.kit.errors import AssentError, InputError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ModelRow
from assent.purpose.projects import Purpose
from assent.train.models import preview_of, training_needs

__all__ = ["LASTS", "MOST_PICTURES", "NotYet", "Side", "Viewing", "Viewings"]

LASTS = timedelta(minutes=15)
"""How long a viewing lives."""

MOST_PICTURES = 4000
"""Pictures of one thing that one account gets in that time, however often it opens it."""

_RENEWED = timedelta(minutes=3)
"""A viewing that has less to live isn't given again to who opens the same."""
_MOST_OPEN, _MOST_OF_ONE = 64, 8
_WARM = 6
"""Viewings that keep decoder and decoded pictures: at most 64 MB each."""


class Viewings:
    """The viewings of one process; for any number of threads.

    Args:
        studio: whose they are.
        gate: what every picture must pass.
        clock: monotonic seconds, by which pictures are rationed.
    """

    def __init__(
        self,
        studio: Studio,
        *,
        gate: ContentGate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._studio = studio
        self._gate = gate or ContentGate()
        self._locker = Locker(studio)
        self._indices = Indices()
        self._rations = Rations(most=MOST_PICTURES, lasts=LASTS.total_seconds(), clock=clock)
        self._darkroom = Darkroom()
        self._opening = Turns()
        self._open: dict[str, Opened] = {}
        self._warm: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def open_draft(self, purpose: Purpose, draft: Draft, *, by: str) -> Viewing:
        """Open a draft of the project.

        Raises `NotClearedError` unless the donor and everyone in the frame are cleared,
        `NotFoundError` if it is another project's.
        """
        check_project(purpose, draft.project_id)

        def show(clearances: tuple[Clearance, ...]) -> Shown:
            return OfDraft(self._studio, draft, self._locker, clearances, self._indices)

        return self._opened(purpose, "draft", draft.id, by, draft.needs(to_release=False), show)

    def open_clip(self, purpose: Purpose, clip: ClearedClip, *, by: str) -> Viewing:
        """Open a clip of the project as it was filmed; raises as `open_draft`."""
        check_project(purpose, clip.project_id)

        def show(clearances: tuple[Clearance, ...]) -> Shown:
            return OfClip(clip, self._locker, clearances, self._indices)

        return self._opened(purpose, "clip", clip.id, by, clip.needs(Act.INGEST), show)

    def open_model(self, purpose: Purpose, row: ModelRow, *, by: str) -> Viewing:
        """Open the preview sheet of a model, also of one in training; raises as `open_draft`.

        Both people must be cleared for training. Raises `InputError` if there is no sheet yet.
        """
        check_project(purpose, row.project_id)
        preview_of(row)

        def show(_: tuple[Clearance, ...]) -> Shown:
            return OfModel(self._studio, row.id, self._locker)

        needs = training_needs(row.donor_id, row.performer_id)
        return self._opened(purpose, "model", row.id, by, needs, show)

    def open_doubt(self, purpose: Purpose, doubt: Doubt, *, by: str) -> Viewing:
        """Open the faces of a clip that somebody must decide about; raises as `open_draft`.

        Everyone who was named must be cleared.
        """
        check_project(purpose, str(doubt.bound.facts["project"]))

        def show(_: tuple[Clearance, ...]) -> Shown:
            return OfDoubt(self._studio, purpose, doubt)

        return self._opened(purpose, "doubt", doubt.id, by, doubt.needs(), show)

    def open_repair(self, purpose: Purpose, shot: Shot, *, by: str) -> Viewing:
        """Open a clip with a model, to see what repairs make of it; raises as `open_draft`."""
        check_project(purpose, shot.project_id)

        def show(_: tuple[Clearance, ...]) -> Shown:
            return OfRepair(self._studio, purpose, shot)

        return self._opened(purpose, "repair", shot.id, by, needs_of(shot), show)

    @contextmanager
    def repairing(self, viewing_id: str, repairs: Repairs, *, by: str) -> Iterator[Traced]:
        """Give the lines of what is repaired, no picture, to one at a time; raises as `picture`."""
        with self._repairing(viewing_id, repairs, by) as shown:
            yield Traced(shown)

    @contextmanager
    def _repairing(self, viewing_id: str, repairs: Repairs, by: str) -> Iterator[OfRepair]:
        found = self._find(viewing_id, by, counted=False)
        if not isinstance(found.shown, OfRepair):
            raise InputError("this viewing isn't of something that is repaired")
        try:
            with found.lock:
                self._ask(found)
                found.shown.repairs = repairs
                yield found.shown
        finally:
            self._cool(viewing_id)
            self._let_go(found)

    def repaired(
        self, viewing_id: str, number: int, repairs: Repairs, *, by: str, width: int, side: Side
    ) -> bytes:
        """Return a frame with these repairs as JPEG; raises as `picture`, and as `Bench.frame`."""
        found = self._find(viewing_id, by, counted=True)
        with self._repairing(viewing_id, repairs, by) as shown:
            frame = shown.frame(number, side, ())
            whole = Named(of=found.told.id, name=frame.name, made=frame.made)
            return found.finish(whole, frame.picture, width)

    def picture(
        self, viewing_id: str, number: int, *, by: str, width: int, side: Side | None = None
    ) -> bytes:
        """Return a frame as JPEG, about `width` pixels wide; without `side` what there is to see.

        Raises `NotFoundError` unless the viewing is open and `by` opened it, `NotClearedError` if
        somebody is not cleared any more (it is ended then), `TooOftenError` if more was asked for
        than is given, `InputError` if there is no such frame, `ContentError` if it is explicit.
        """
        found = self._find(viewing_id, by, counted=True)
        shown = self._shown(found, number, side or Side.of(found.told.kind), width, math.inf)
        # There is time without end.
        return cast("bytes", shown)

    def _shown(
        self, found: Opened, number: int, side: Side, width: int, within: float
    ) -> bytes | NotYet:
        try:
            named = found.shown.named(number, side, self._ask(found))
            if named is not None:
                known = self._darkroom.develop(found, self._ask, named, number, side, width, within)
                if known is None:
                    self._give_back(found)
                    return NotYet(near=self._darkroom.nearest(found, named, number, width))
                return found.finish(named, known, width)
            with found.lock:
                frame = found.shown.frame(number, side, self._ask(found))
                named = Named(of=found.told.id, name=frame.name, made=frame.made)
                return found.finish(named, frame.picture, width)
        finally:
            self._cool(found.told.id)
            self._let_go(found)

    def soon(
        self,
        viewing_id: str,
        number: int,
        *,
        by: str,
        width: int,
        side: Side | None = None,
        within: float,
    ) -> bytes | NotYet:
        """Return a frame as `picture` does if it can be had `within` seconds.

        In no time what is there already can be. Who asks again gets it sooner: what was decoded on
        the way isn't decoded again. Raises as `picture`.
        """
        found = self._find(viewing_id, by, counted=True)
        return self._shown(found, number, side or Side.of(found.told.kind), width, within)

    def seconds(self, viewing_id: str, *, by: str) -> tuple[float, ...]:
        """Return when each frame is shown, from the first on; raises as `picture`."""
        return self._find(viewing_id, by, counted=False).shown.seconds()

    def find(self, viewing_id: str, *, by: str) -> Viewing:
        """Return a viewing that `by` opened; raises `NotFoundError` if it is over."""
        return self._find(viewing_id, by, counted=False).told

    def end(self, viewing_id: str, *, by: str) -> None:
        """End a viewing; nothing happens if there is no such of that account."""
        with self._lock:
            found = self._open.get(viewing_id)
            if found is not None and found.told.by == by:
                self._end(viewing_id)

    def tend(self) -> None:
        """Let go of what is over: called now and then, for nobody may ask for a picture again."""
        with self._lock:
            self._sweep()

    def close(self) -> None:
        """End every viewing, as when the server stops."""
        with self._lock:
            for viewing_id in list(self._open):
                self._end(viewing_id)
        self._darkroom.close()

    @property
    def count(self) -> int:
        """How many viewings are open."""
        with self._lock:
            self._sweep()
            return len(self._open)

    def _opened(
        self,
        purpose: Purpose,
        kind: Kind,
        of: str,
        by: str,
        needs: tuple[Need, ...],
        show: Callable[[tuple[Clearance, ...]], Shown],
    ) -> Viewing:
        if not by.strip():
            raise InputError("nobody is named who opens this", advice="Sign in.")

        def ask() -> tuple[Clearance, ...]:
            return clear_all(self._studio, purpose, needs)

        # Who asks twice at a time, in two windows or by a click too many, gets one.
        with self._opening.turn((kind, of, by)):
            clearances = ask()
            known = self._again(kind, of, by)
            if known is None:
                known = self._begin(purpose, kind, of, by, ask, show(clearances), clearances)
        return known

    def _begin(
        self,
        purpose: Purpose,
        kind: Kind,
        of: str,
        by: str,
        ask: AskAgain,
        shown: Shown,
        clearances: tuple[Clearance, ...],
    ) -> Viewing:
        """Note a viewing and keep it; what it shows is closed if that fails."""
        try:
            picture = shown.frame(0, Side.of(kind), clearances).picture
            row = note(self._studio, purpose, kind, of, by, clearances)
        except BaseException:
            shown.close()
            raise
        told = Viewing(
            id=row.id,
            kind=kind,
            of=of,
            project_id=purpose.project_id,
            by=by,
            ends=self._studio.clock() + LASTS,
            frames=shown.frames,
            width=picture.width,
            height=picture.height,
        )
        screen = Screen(
            studio=self._studio,
            gate=self._gate,
            asset_id=row.id,
            plans=plans_of(self._studio, purpose, row.id, clearances),
            footage=shown.footage,
            prints=self._darkroom.prints,
        )
        records = tuple(each.record_id for each in clearances)
        opened = Opened(told=told, shown=shown, screen=screen, ask=ask, records=records)
        self._darkroom.use(opened.sources)
        with self._lock:
            self._make_room(by)
            self._open[told.id] = opened
        self._cool(told.id)
        return told

    def _again(self, kind: Kind, of: str, by: str) -> Viewing | None:
        """Return the viewing of the same by the same, if it has some time to live."""
        with self._lock:
            self._sweep()
            soon = self._studio.clock() + _RENEWED
            for each in self._open.values():
                told = each.told
                if (told.kind, told.of, told.by) == (kind, of, by) and told.ends > soon:
                    return told
        return None

    def _find(self, viewing_id: str, by: str, *, counted: bool) -> Opened:
        with self._lock:
            self._sweep()
            found = self._open.get(viewing_id)
            if found is None or found.told.by != by:
                raise gone()
            if counted:
                self._rations.take(found.told.kind, found.told.of, by)
        return found

    def _give_back(self, found: Opened) -> None:
        with self._lock:
            self._rations.give_back(found.told.kind, found.told.of, found.told.by)

    def _ask(self, found: Opened) -> tuple[Clearance, ...]:
        if found.over:
            raise gone()
        try:
            return tuple(found.ask())
        except AssentError:
            # It lets go once this thread is no longer at it.
            found.over = True
            with self._lock:
                self._open.pop(found.told.id, None)
                self._warm.pop(found.told.id, None)
            raise

    def _sweep(self) -> None:
        """End what has lived long enough, and what somebody's withdrawal has taken the key of."""
        now = self._studio.clock()
        for viewing_id, each in list(self._open.items()):
            if now >= each.told.ends or not all(map(self._studio.keyring.has, each.records)):
                self._end(viewing_id)

    def _make_room(self, by: str) -> None:
        own = [key for key, each in self._open.items() if each.told.by == by]
        for viewing_id in own[: max(0, len(own) - _MOST_OF_ONE + 1)]:
            self._end(viewing_id)
        if len(self._open) >= _MOST_OPEN:
            self._end(next(iter(self._open)))

    def _end(self, viewing_id: str) -> None:
        """Take a viewing out; who is at it lets go of what it holds."""
        found = self._open.pop(viewing_id)
        self._warm.pop(viewing_id, None)
        found.over = True
        self._let_go(found)

    def _cool(self, viewing_id: str) -> None:
        """Remember who was at it last; of the others, let decoders and pictures go."""
        with self._lock:
            if viewing_id in self._open:
                self._warm[viewing_id] = None
                self._warm.move_to_end(viewing_id)
            while len(self._warm) > _WARM:
                oldest = self._open[self._warm.popitem(last=False)[0]]
                if oldest.lock.acquire(blocking=False):
                    try:
                        oldest.shown.rest()
                    finally:
                        oldest.lock.release()

    def _let_go(self, found: Opened) -> None:
        """Close what a viewing that is over holds, unless somebody is at it: they will do it."""
        if not found.over or not found.lock.acquire(blocking=False):
            return
        try:
            found.shown.close()
            sources, found.sources = found.sources, ()
        finally:
            found.lock.release()
        self._darkroom.leave(sources)
