"""Viewings: every picture is cleared, gated, labelled, marked and signed, and there is an end."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from threading import Thread
from typing import Protocol

import numpy as np
import pytest
from casts import Cast, Stage, agree_to, clear_traces
from numpy.typing import NDArray
from studios import KilledError, count_entries, dying

from assent.consent.clearance import Act
from assent.consent.locker import Locker
from assent.create._frames import pairs_of
from assent.data.clips import ClearedClip, list_clips
from assent.disclose.check import LABEL_SEEN
from assent.disclose.viewing.noting import hash_viewing
from assent.disclose.viewing.of_clip import Indices, OfClip
from assent.disclose.viewing.of_draft import OfDraft
from assent.disclose.viewing.opened import Opened
from assent.disclose.viewing.rationing import Ration, Rations
from assent.disclose.viewing.showing import LARGEST_SIDE, size_for
from assent.disclose.viewing.viewings import LASTS, MOST_PICTURES, NotYet, Side, Viewing, Viewings
from assent.kit.c2pa.read import read
from assent.kit.content.gate import ContentGate, Finding
from assent.kit.errors import (
    ContentError,
    InputError,
    IntegrityError,
    MediaError,
    NotClearedError,
    NotFoundError,
    SealError,
    TooOftenError,
)
from assent.kit.imaging.label import draw_label, draw_notice, label_present
from assent.kit.media.convert import from_rgb, scale
from assent.kit.media.picture import luma8, to_rgb
from assent.kit.media.seek import ClipIndex
from assent.kit.media.still import read_still
from assent.kit.store.tables import ModelRow, SegmentRow
from assent.kit.store.viewing_tables import ViewingRow
from assent.kit.watermark.read import read_mark
from assent.train.models import list_models

KIM = "account-of-kim"
LONG = 60.0


class Open(Protocol):
    """Opens a viewing of something."""

    def __call__(self, viewings: Viewings, stage: Stage, by: str = KIM) -> Viewing:
        """Open it."""


class Ticks:
    """A clock in seconds that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Blushing(ContentGate):
    """A gate that finds something explicit everywhere."""

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        return (Finding(label="BUTTOCKS_EXPOSED", score=0.9, box=(0, 0, 9, 9)),)


class Counting(ContentGate):
    """A gate that counts."""

    seen = 0

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        self.seen += 1
        return super().check(rgb)


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


@pytest.fixture
def viewings(stage: Stage) -> Iterator[Viewings]:
    viewings = Viewings(stage.studio)
    yield viewings
    viewings.close()


def of_draft(viewings: Viewings, stage: Stage, by: str = KIM) -> Viewing:
    return viewings.open_draft(stage.purpose, stage.draft, by=by)


def of_clip(viewings: Viewings, stage: Stage, by: str = KIM) -> Viewing:
    return viewings.open_clip(stage.purpose, stage.scene, by=by)


def of_model(viewings: Viewings, stage: Stage, by: str = KIM) -> Viewing:
    (row,) = list_models(stage.studio, stage.purpose)
    return viewings.open_model(stage.purpose, row, by=by)


every_kind = pytest.mark.parametrize("open_it", [of_draft, of_clip, of_model])


def seen(jpeg: bytes) -> NDArray[np.uint8]:
    return read_still(jpeg, name="picture")


@every_kind
def test_every_picture_carries_all_layers(stage: Stage, viewings: Viewings, open_it: Open) -> None:
    viewing = open_it(viewings, stage)
    jpeg = viewings.picture(viewing.id, 0, by=KIM, width=640)
    picture = from_rgb(seen(jpeg))
    size = (picture.width, picture.height)
    label = draw_notice(*size) if viewing.kind == "clip" else draw_label(*size)
    assert label_present(picture, label) > 0.7
    mark = read_mark(iter([luma8(picture)]), key=stage.studio.reading_key).mark
    assert mark is not None
    assert mark.asset_id == int(viewing.id, 16)
    credential = read(io.BytesIO(jpeg), mime="image/jpeg", anchors_pem=stage.studio.chain.root_pem)
    assert credential.state == "trusted"
    assert credential.asset_id == viewing.id
    made = b"compositeWithTrainedAlgorithmicMedia" in jpeg
    assert made == (viewing.kind != "clip")


@every_kind
def test_it_is_noted_once_and_by_hashes_alone(
    stage: Stage, viewings: Viewings, open_it: Open
) -> None:
    viewing = open_it(viewings, stage)
    for _ in range(3):
        viewings.picture(viewing.id, 0, by=KIM, width=320)
    assert open_it(viewings, stage) == viewing
    entries = [json.loads(entry) for _, entry in stage.studio.log.reader().entries()]
    (entry,) = [each for each in entries if each["kind"] == "viewing.opened"]
    assert set(entry) == {"kind", "viewing", "what", "receipts", "time"}
    assert entry["viewing"] == viewing.id
    with stage.studio.database.session() as session:
        row = session.query(ViewingRow).one()
        assert (row.account, row.of, row.kind) == (KIM, viewing.of, viewing.kind)
        assert entries[row.log_index or 0] == entry
        assert entry["what"] == hash_viewing(row)
    # Each receipt is one that the log knows as granted.
    granted = {each["receipt"] for each in entries if each["kind"] == "consent.granted"}
    assert entry["receipts"]
    assert set(entry["receipts"]) <= granted


def test_nothing_is_written_in_the_clear(stage: Stage, viewings: Viewings) -> None:
    viewing = of_draft(viewings, stage)
    before = set(clear_traces(stage.studio.folder))
    jpegs = [
        viewings.picture(viewing.id, n, by=KIM, width=384, side=s)
        for n in (0, 20, 39)
        for s in Side
    ]
    # What is at their end is the picture alone, without the receipts that the log holds too.
    assert set(clear_traces(stage.studio.folder, *(each[-4000:] for each in jpegs))) == before


def test_the_frames_are_those_of_the_draft(stage: Stage, viewings: Viewings) -> None:
    viewing = of_draft(viewings, stage)
    asking = stage.asking(stage.draft.needs(to_release=False))
    pairs = list(pairs_of(stage.draft, Locker(stage.studio), asking))
    assert viewing.frames == len(pairs)
    for number in (39, 0, 17, 16, 31, 32, 33, 5):
        for side, picture in zip((Side.BEFORE, Side.AFTER), pairs[number], strict=True):
            got = seen(viewings.picture(viewing.id, number, by=KIM, width=256, side=side))
            wanted = to_rgb(scale(picture, got.shape[1], got.shape[0]))
            # All but label, mark and JPEG.
            off = np.abs(got[100:].astype(int) - wanted[100:])
            assert off.mean() < 3, (number, side)
    seconds = viewings.seconds(viewing.id, by=KIM)
    assert len(seconds) == 40
    assert seconds[25] == pytest.approx(1.0)


def test_a_mask_shows_what_was_changed(stage: Stage, viewings: Viewings) -> None:
    viewing = of_draft(viewings, stage)
    before, after, mask = (
        seen(viewings.picture(viewing.id, 4, by=KIM, width=256, side=side)).astype(int)
        for side in (Side.BEFORE, Side.AFTER, Side.MASK)
    )
    colour = mask.max(2) - mask.min(2)
    changed = np.abs(after - before).mean(2) > 25
    changed[:60] = False  # where the labels are
    assert changed.sum() > 100
    assert np.median(colour[changed]) > 40
    assert np.median(colour[200:, :60]) < 12


@every_kind
@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("who", ["ada", "ben"])
def test_withdrawal_ends_it_at_once(
    stage: Stage, viewings: Viewings, open_it: Open, when: str, who: str
) -> None:
    concerned = who == "ada" or open_it is not of_clip
    viewing = open_it(viewings, stage) if when == "meanwhile" else None
    if viewing is not None:
        viewings.picture(viewing.id, 0, by=KIM, width=320)
    stage.withdraw(getattr(stage, who))
    if not concerned:
        assert open_it(viewings, stage, KIM).frames == 40
        return
    refused = (NotFoundError, NotClearedError) if viewing else NotClearedError
    with pytest.raises(refused):
        viewings.picture(viewing.id, 0, by=KIM, width=320) if viewing else open_it(viewings, stage)
    if viewing is not None:
        with pytest.raises(NotFoundError, match="over"):
            viewings.picture(viewing.id, 0, by=KIM, width=320)


def test_what_a_withdrawal_closes_is_let_go_though_nobody_asks(
    stage: Stage, viewings: Viewings
) -> None:
    viewing = of_clip(viewings, stage)
    found = inside(viewings, viewing)
    viewings.tend()
    assert not is_closed(found)
    stage.withdraw(stage.ada)
    viewings.tend()
    assert is_closed(found)


def test_a_term_that_runs_out_ends_it(stage: Stage, viewings: Viewings) -> None:
    # At one minute to midnight of the last day; the keys stay where they are.
    stage.clock.to(stage.purpose.brief.ends.isoformat())
    stage.clock.now += timedelta(hours=11, minutes=59)
    viewing = of_draft(viewings, stage)
    viewings.picture(viewing.id, 0, by=KIM, width=320)
    stage.clock.now += timedelta(minutes=2)
    with pytest.raises(NotClearedError, match="expired"):
        viewings.picture(viewing.id, 0, by=KIM, width=320)
    with pytest.raises(NotFoundError):
        viewings.picture(viewing.id, 0, by=KIM, width=320)


def test_it_lives_for_a_quarter_of_an_hour(stage: Stage, viewings: Viewings) -> None:
    viewing = of_clip(viewings, stage)
    stage.clock.now += LASTS - timedelta(seconds=1)
    viewings.picture(viewing.id, 0, by=KIM, width=320)
    # Too late to begin anew with it.
    assert of_clip(viewings, stage).id != viewing.id
    stage.clock.now += timedelta(seconds=1)
    with pytest.raises(NotFoundError, match="over"):
        viewings.picture(viewing.id, 0, by=KIM, width=320)


def test_it_is_for_whom_opened_it(stage: Stage, viewings: Viewings) -> None:
    viewing = of_draft(viewings, stage)
    for by in ("account-of-lee", "", "account-of-ki"):
        with pytest.raises(NotFoundError):
            viewings.picture(viewing.id, 0, by=by, width=320)
        with pytest.raises(NotFoundError):
            viewings.seconds(viewing.id, by=by)
        viewings.end(viewing.id, by=by)
    assert viewings.find(viewing.id, by=KIM) == viewing
    assert viewings.picture(viewing.id, 0, by=KIM, width=320)
    assert of_draft(viewings, stage, by="account-of-lee").id != viewing.id
    viewings.end(viewing.id, by=KIM)
    viewings.end(viewing.id, by=KIM)
    with pytest.raises(NotFoundError):
        viewings.picture(viewing.id, 0, by=KIM, width=320)


def test_nobody_opens_nothing(stage: Stage, viewings: Viewings) -> None:
    with pytest.raises(InputError, match="nobody is named"):
        of_draft(viewings, stage, by=" ")
    assert count_entries(stage.studio, "viewing.opened") == 0


@pytest.mark.parametrize("number", [-1, 40, 10**9])
@pytest.mark.parametrize("side", list(Side))
def test_numbers_out_of_range(stage: Stage, viewings: Viewings, number: int, side: Side) -> None:
    viewing = of_draft(viewings, stage)
    with pytest.raises(InputError, match="no frame"):
        viewings.picture(viewing.id, number, by=KIM, width=320, side=side)
    assert viewings.picture(viewing.id, 39, by=KIM, width=320, side=side)


def test_a_clip_and_a_model_have_one_side(stage: Stage, viewings: Viewings) -> None:
    clip, model = of_clip(viewings, stage), of_model(viewings, stage)
    with pytest.raises(InputError, match="as it was filmed"):
        viewings.picture(clip.id, 0, by=KIM, width=320, side=Side.AFTER)
    for number, side, why in (
        (model.frames, Side.AFTER, "no such column"),
        (0, Side.BEFORE, "one sheet"),
    ):
        with pytest.raises(InputError, match=why):
            viewings.picture(model.id, number, by=KIM, width=320, side=side)
    assert len(viewings.seconds(model.id, by=KIM)) == model.frames


def test_a_models_preview_moves(stage: Stage, viewings: Viewings) -> None:
    model = of_model(viewings, stage)
    assert model.frames == 9, "the sheet, and a column for each of the frames that were held out"
    pictures = [seen(viewings.picture(model.id, number, by=KIM, width=512)) for number in (1, 2)]
    label = draw_label(*pictures[0].shape[1::-1])
    for picture in pictures:
        assert label_present(from_rgb(picture), label) > LABEL_SEEN
        high, wide = picture.shape[:2]
        before, after = picture[high // 2 :, : wide // 2], picture[high // 2 :, wide // 2 :]
        assert np.abs(before.astype(int) - after).mean() > 1, "side by side: filmed, replaced"
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() > 0.5, "one after the other"


def test_the_gate_looks_at_each_picture_once(stage: Stage) -> None:
    gate = Counting()
    viewings = Viewings(stage.studio, gate=gate)
    viewing = of_draft(viewings, stage)
    for width in (200, 320, 384, 200):
        for side in Side:
            viewings.picture(viewing.id, 7, by=KIM, width=width, side=side)
    assert gate.seen == 3
    viewings.picture(viewing.id, 8, by=KIM, width=320)
    assert gate.seen == 4


@every_kind
def test_explicit_pictures_are_not_shown(stage: Stage, open_it: Open) -> None:
    viewings = Viewings(stage.studio, gate=Blushing())
    viewing = open_it(viewings, stage)
    for _ in range(2):
        with pytest.raises(ContentError):
            viewings.picture(viewing.id, 0, by=KIM, width=320)


def test_pictures_are_rationed(stage: Stage) -> None:
    ticks = Ticks()
    viewings = Viewings(stage.studio, clock=ticks)
    viewing = of_model(viewings, stage)

    def given() -> int:
        # What isn't there counts as well, and is quick to refuse.
        for count in range(MOST_PICTURES + 1):
            try:
                viewings.picture(viewing.id, 99, by=KIM, width=320)
            except InputError:
                continue
            except TooOftenError:
                return count
        return -1

    assert given() == 120
    ticks.now += 2.5
    assert given() == 60
    ticks.now += 3600
    assert given() == 120
    assert viewings.seconds(viewing.id, by=KIM)[0] == 0.0
    # It isn't to be had anew by asking again.
    assert of_model(viewings, stage).id == viewing.id
    assert given() == 0
    # Nor by ending it and opening it anew, until a quarter of an hour has gone.
    viewings.end(viewing.id, by=KIM)
    ticks.now += LASTS.total_seconds() - 1
    viewing = of_model(viewings, stage)
    for _ in range(2):
        assert given() == 120
        viewings.end(viewing.id, by=KIM)
        viewing = of_model(viewings, stage)
        assert given() == 0
        ticks.now += 5
    assert viewings.count == 1


def test_what_was_decoded_is_not_shown_under_another_consent(
    stage: Stage, viewings: Viewings
) -> None:
    viewing = of_draft(viewings, stage)
    shown = inside(viewings, viewing).shown
    cleared = inside(viewings, viewing).ask()
    for side in Side:
        shown.frame(3, side, cleared)
    stage.withdraw(stage.ada)
    agree_to(stage.studio, stage.purpose, stage.ada)
    others = inside(viewings, viewing).ask()
    for side in Side:
        with pytest.raises(NotClearedError, match="has ended since"):
            shown.frame(3, side, others)


def test_there_is_an_end_to_pictures() -> None:
    ticks = Ticks()
    ration = Ration(most=7, burst=5, a_second=1, clock=ticks)
    for _ in range(7):
        ticks.now += 1
        ration.take()
    ticks.now += 100
    with pytest.raises(TooOftenError, match="gives 7 pictures"):
        ration.take()
    assert ration.given == 7


def test_few_viewings_at_a_time(
    stage: Stage, viewings: Viewings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.disclose.viewing.viewings._MOST_OPEN", 5)
    first = of_model(viewings, stage)
    for n in range(6):
        of_model(viewings, stage, by=f"account-{n}")
    assert viewings.count == 5
    with pytest.raises(NotFoundError):
        viewings.picture(first.id, 0, by=KIM, width=320)


def test_one_account_has_few(
    stage: Stage, viewings: Viewings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.disclose.viewing.viewings._MOST_OF_ONE", 2)
    first, second, third = (each(viewings, stage) for each in (of_clip, of_draft, of_model))
    assert viewings.count == 2
    assert viewings.picture(second.id, 0, by=KIM, width=320)
    assert viewings.picture(third.id, 0, by=KIM, width=320)
    with pytest.raises(NotFoundError):
        viewings.picture(first.id, 0, by=KIM, width=320)


@pytest.mark.parametrize("open_it", [of_draft, of_clip])
def test_decoders_of_those_that_nobody_looks_at_are_let_go(
    stage: Stage, viewings: Viewings, open_it: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.disclose.viewing.viewings._WARM", 1)
    first = open_it(viewings, stage)
    expected = viewings.picture(first.id, 9, by=KIM, width=320)
    second = open_it(viewings, stage, "account-of-lee")
    assert held(viewings, first) == 0 < held(viewings, second)
    again = viewings.picture(first.id, 9, by=KIM, width=320)
    assert np.array_equal(seen(again), seen(expected))
    found = inside(viewings, first)
    found.shown.frame(8, Side.of(first.kind), tuple(found.ask()))
    # One at which somebody is is left alone.
    with inside(viewings, first).lock:
        of_model(viewings, stage)
    assert held(viewings, first) > 0
    of_model(viewings, stage, "account-of-lee")


def inside(viewings: Viewings, viewing: Viewing) -> Opened:
    return viewings._open[viewing.id]  # noqa: SLF001 - what must not be seen from outside


def taken(viewings: Viewings) -> int:
    begun = viewings._rations._begun  # noqa: SLF001 - what must not be seen from outside
    return sum(ration.given for _, ration in begun.values())


def held(viewings: Viewings, viewing: Viewing) -> int:
    """How many decoded pictures a viewing of film holds."""
    shown = inside(viewings, viewing).shown
    assert isinstance(shown, (OfClip, OfDraft))
    return shown.scrubber.held


def test_one_that_ends_while_somebody_is_at_it(stage: Stage, viewings: Viewings) -> None:
    viewing = of_clip(viewings, stage)
    found = inside(viewings, viewing)
    with found.lock:
        waiting = Thread(target=_refused, args=(viewings, viewing))
        waiting.start()
        while not taken(viewings):
            time.sleep(0.01)
        viewings.end(viewing.id, by=KIM)
    waiting.join()
    assert is_closed(found)


def test_a_print_is_shown_only_to_who_is_cleared_that_moment(
    stage: Stage, viewings: Viewings
) -> None:
    viewing = of_clip(viewings, stage)
    shown = inside(viewings, viewing).shown
    for number in (3, 4):
        viewings.picture(viewing.id, number, by=KIM, width=320)
    (clip,) = shown.sources
    prints = viewings._darkroom.prints  # noqa: SLF001 - what must not be seen from outside
    assert prints.has(clip, "3", (256, 256))
    stage.withdraw(stage.ada)
    with pytest.raises((NotFoundError, NotClearedError)):
        viewings.picture(viewing.id, 3, by=KIM, width=320)
    viewings.tend()
    assert not prints.has(clip, "3", (256, 256))
    assert prints.held == 0


def test_viewings_of_the_same_share_what_was_decoded_and_no_picture(stage: Stage) -> None:
    gate = Counting()
    viewings = Viewings(stage.studio, gate=gate)
    mine, theirs = (of_clip(viewings, stage, by) for by in (KIM, "account-of-lee"))
    for viewing in (mine, theirs):
        jpeg = viewings.picture(viewing.id, 5, by=viewing.by, width=256)
        credential = read(
            io.BytesIO(jpeg), mime="image/jpeg", anchors_pem=stage.studio.chain.root_pem
        )
        assert credential.asset_id == viewing.id
    assert gate.seen == 1
    prints = viewings._darkroom.prints  # noqa: SLF001 - what must not be seen from outside
    viewings.end(mine.id, by=KIM)
    assert prints.held > 0
    viewings.end(theirs.id, by="account-of-lee")
    assert prints.held == 0


def test_who_waits_while_another_jumps_is_served_on_the_way(
    stage: Stage, viewings: Viewings
) -> None:
    viewing = of_clip(viewings, stage)
    for number in (1, 2):
        viewings.picture(viewing.id, number, by=KIM, width=256)
    film = inside(viewings, viewing).shown
    assert isinstance(film, OfClip)
    cleared = tuple(inside(viewings, viewing).ask())
    darkroom = viewings._darkroom  # noqa: SLF001 - what must not be seen from outside
    filler, (of,) = darkroom._filler, film.sources  # noqa: SLF001 - as above
    clip = filler.wish(film, 2, (256, 256), lambda: film.read_again(cleared))
    while clip.running:
        time.sleep(0.01)
    # All prints are forgotten.
    assert darkroom.prints.leave(of)
    darkroom.prints.use(of)
    with clip.jump, inside(viewings, viewing).lock:
        # Nobody decodes for this viewing alone.
        assert seen(viewings.picture(viewing.id, 38, by=KIM, width=256)).shape[:2] == (256, 256)


def test_what_ends_while_its_picture_is_made_shows_none(stage: Stage, viewings: Viewings) -> None:
    viewing = of_clip(viewings, stage)
    found = inside(viewings, viewing)
    cleared = tuple(found.ask())
    named = found.shown.named(0, Side.BEFORE, cleared)
    assert named is not None
    picture = found.shown.frame(0, Side.BEFORE, cleared).picture
    assert found.finish(named, picture, 256)
    viewings.end(viewing.id, by=KIM)
    with pytest.raises(NotFoundError, match="over"):
        found.finish(named, picture, 256)


def test_who_opens_twice_at_a_time_gets_one_viewing(stage: Stage, viewings: Viewings) -> None:
    opened: list[Viewing] = []
    threads = [Thread(target=lambda: opened.append(of_clip(viewings, stage))) for _ in range(9)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({each.id for each in opened}) == 1
    assert count_entries(stage.studio, "viewing.opened") == 1
    assert viewings.picture(opened[0].id, 0, by=KIM, width=320)


def _refused(viewings: Viewings, viewing: Viewing) -> None:
    with pytest.raises(NotFoundError, match="over"):
        viewings.picture(viewing.id, 0, by=KIM, width=320)


def is_closed(found: Opened) -> bool:
    assert isinstance(found.shown, OfClip)
    return found.shown.closed


def test_one_that_a_refusal_ends_is_let_go(stage: Stage, viewings: Viewings) -> None:
    stage.clock.to(stage.purpose.brief.ends.isoformat())
    stage.clock.now += timedelta(hours=11, minutes=59)
    viewing = of_clip(viewings, stage)
    found = inside(viewings, viewing)
    stage.clock.now += timedelta(minutes=2)
    with pytest.raises(NotClearedError):
        viewings.picture(viewing.id, 0, by=KIM, width=320)
    assert is_closed(found)
    assert viewings.count == 0


def test_footage_that_can_not_be_indexed_is_closed(stage: Stage) -> None:
    class Torn(Indices):
        def of(self, clip: ClearedClip, file: BufferedReader) -> ClipIndex:
            opened.append(file)
            raise MediaError("torn")

    opened: list[BufferedReader] = []
    clearances = tuple(stage.asking(stage.scene.needs(Act.INGEST))())
    with pytest.raises(MediaError):
        OfClip(stage.scene, Locker(stage.studio), clearances, Torn())
    assert opened[0].closed


def test_indices_are_kept_of_some_clips(
    stage: Stage, viewings: Viewings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.disclose.viewing.of_clip._INDICES_KEPT", 1)
    for clip in list_clips(stage.studio, stage.purpose):
        viewing = viewings.open_clip(stage.purpose, clip, by=KIM)
        assert viewing.frames == clip.frames
    assert of_clip(viewings, stage).frames == 40


def test_many_sizes(stage: Stage, viewings: Viewings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.disclose.viewing.showing._SIZES_KEPT", 1)
    viewing = of_clip(viewings, stage)
    for width in (180, 256, 180, 10_000):
        jpeg = viewings.picture(viewing.id, 0, by=KIM, width=width)
        # In steps, and never larger than it is.
        assert seen(jpeg).shape[1] == min(256, -(-width // 16) * 16)


def test_a_label_that_can_not_be_seen(
    stage: Stage, viewings: Viewings, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewing = of_model(viewings, stage)
    monkeypatch.setattr("assent.disclose.viewing.showing.LABEL_SEEN", 1.1)
    with pytest.raises(SealError, match="label can't be seen"):
        viewings.picture(viewing.id, 0, by=KIM, width=640)


def test_another_projects(stage: Stage, viewings: Viewings) -> None:
    other = replace(stage.purpose, project_id="another")
    (row,) = list_models(stage.studio, stage.purpose)
    with pytest.raises(NotFoundError, match="no such thing"):
        viewings.open_draft(other, stage.draft, by=KIM)
    with pytest.raises(NotFoundError, match="no such thing"):
        viewings.open_clip(other, stage.scene, by=KIM)
    with pytest.raises(NotFoundError, match="no such thing"):
        viewings.open_model(other, row, by=KIM)


def test_a_model_that_has_nothing_to_show(stage: Stage, viewings: Viewings) -> None:
    with stage.studio.database.session() as session:
        row = session.query(ModelRow).one()
        row.sheet_blob = None
    with pytest.raises(InputError, match="nothing to show yet"):
        viewings.open_model(stage.purpose, row, by=KIM)


def test_a_changed_count_of_frames(stage: Stage, viewings: Viewings) -> None:
    draft = stage.draft
    with stage.studio.database.session() as session:
        session.query(SegmentRow).filter_by(draft_id=draft.id, number=0).one().frames += 1
    with pytest.raises(IntegrityError, match="another number"):
        viewings.open_draft(stage.purpose, draft, by=KIM)


def test_nothing_is_shown_that_can_not_be_noted(stage: Stage) -> None:
    viewings = Viewings(dying(stage.studio, after=False))
    with pytest.raises(KilledError):
        of_clip(viewings, stage)
    assert viewings.count == 0


def test_a_chain_that_is_revoked_signs_nothing(stage: Stage) -> None:
    chain = replace(stage.studio.chain, revoked=True)
    viewings = Viewings(replace(stage.studio, chain=chain))
    viewing = of_clip(viewings, stage)
    with pytest.raises(SealError, match="revoked"):
        viewings.picture(viewing.id, 0, by=KIM, width=320)


@pytest.mark.parametrize(
    ("width", "height", "wanted", "size"),
    [
        (1920, 1080, 960, (960, 540)),
        (1920, 1080, 100_000, (LARGEST_SIDE, 720)),
        (1920, 1080, 1, (284, 160)),
        (1920, 1080, -5, (284, 160)),
        (1080, 1920, 960, (720, 1280)),
        (256, 256, 960, (256, 256)),
        (96, 128, 50, (128, 170)),
        (7680, 400, 1280, (2458, 128)),
    ],
)
def test_sizes(width: int, height: int, wanted: int, size: tuple[int, int]) -> None:
    assert size_for(width, height, wanted) == size


def test_what_takes_long_is_stood_in_for_and_comes_bit_by_bit(
    stage: Stage, viewings: Viewings
) -> None:
    for open_it, side in ((of_clip, Side.BEFORE), (of_draft, Side.MASK)):
        viewing = open_it(viewings, stage)

        def soon(
            number: int, within: float, viewing: Viewing = viewing, side: Side = side
        ) -> bytes | NotYet:
            return viewings.soon(viewing.id, number, by=KIM, width=320, side=side, within=within)

        assert soon(30, 0.0) == NotYet(near=None)
        assert isinstance(soon(30, LONG), bytes)
        assert soon(36, 0.0) == NotYet(near=30)
        with inside(viewings, viewing).lock:
            assert soon(36, 0.05) == NotYet(near=30)
        inside(viewings, viewing).shown.rest()
        waits = 0
        while isinstance(got := soon(39, 0.0005), NotYet):
            waits += 1
        assert waits
        whole = viewings.picture(viewing.id, 39, by=KIM, width=320, side=side)
        assert np.array_equal(seen(got), seen(whole))
        with pytest.raises(InputError, match="no frame"):
            soon(40, 0.0)


def test_what_comes_not_yet_is_not_counted(stage: Stage) -> None:
    viewings = Viewings(stage.studio, clock=Ticks())
    viewing = of_clip(viewings, stage)
    for _ in range(300):
        told = viewings.soon(viewing.id, 30, by=KIM, width=320, within=0.0)
        assert told == NotYet(near=None)
    assert viewings.picture(viewing.id, 30, by=KIM, width=320)
    viewings.close()


def test_who_jumps_makes_others_wait_no_longer_than_they_do(
    stage: Stage, viewings: Viewings
) -> None:
    viewing = of_clip(viewings, stage)
    viewings.picture(viewing.id, 20, by=KIM, width=256)
    film = inside(viewings, viewing).shown
    assert isinstance(film, OfClip)
    filler = viewings._darkroom._filler  # noqa: SLF001 - what must not be seen from outside
    clip = filler.wish(film, 20, (256, 256), lambda: pytest.fail("it was opened"), begin=False)
    clip.failed = True
    with clip.jump:
        told = viewings.soon(viewing.id, 24, by=KIM, width=256, within=0.05)
    assert told == NotYet(near=20)


def test_what_is_given_back_can_be_had_again_while_its_time_lasts() -> None:
    ticks = Ticks()
    rations = Rations(most=1, lasts=10, clock=ticks)
    for _ in range(3):
        rations.take("clip", "kim")
        rations.give_back("clip", "kim")
    rations.take("clip", "kim")
    with pytest.raises(TooOftenError):
        rations.take("clip", "kim")
    rations.give_back("clip", "lee")
    rations.take("clip", "lee")
    with pytest.raises(TooOftenError):
        rations.take("clip", "lee")
