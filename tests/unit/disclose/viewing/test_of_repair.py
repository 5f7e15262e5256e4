"""What is being repaired leaves as all pictures do: cleared, gated, labelled, marked and signed."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from repairing import FRAMES, Desk

from assent.create.one_frame import Bench
from assent.disclose.viewing.viewings import Side, Viewing, Viewings
from assent.kit.errors import InputError, NotClearedError, NotFoundError, SignOffError
from assent.kit.imaging.label import draw_label, label_present
from assent.kit.media.convert import from_rgb

ERASED = {"mode": "erase", "points": [[5000, 6500]], "size": 400, "soft": 0}
HOLE: dict[str, Any] = {"masks": [{"first": 0, "last": 20, "keys": [
    {"frame": 0, "strokes": [ERASED]}]}]}  # fmt: skip


class Table:
    """A viewing of what is repaired."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.viewings = Viewings(desk.stage.studio)
        self.viewing: Viewing = self.viewings.open_repair(desk.stage.purpose, desk.shot, by="kim")

    def picture(self, number: int, side: Side = Side.AFTER, **parts: object) -> np.ndarray:
        jpeg = self.viewings.repaired(
            self.viewing.id, number, self.desk.document(**parts), by="kim", width=512, side=side
        )
        return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


@pytest.fixture
def table(desk: Desk) -> Iterator[Table]:
    table = Table(desk)
    yield table
    table.viewings.close()


def test_frames_are_labelled_and_repairs_show_at_once(table: Table) -> None:
    assert table.viewing.frames == FRAMES
    before, after = table.picture(10, Side.BEFORE), table.picture(10)
    hole = table.picture(10, **HOLE)
    for shown in (after, hole):
        height, width = shown.shape[:2]
        assert label_present(from_rgb(shown), draw_label(width, height)) > 0.7
    face = np.s_[70:200, 60:170]
    changed = np.abs(after[face].astype(int) - before[face]).mean()
    assert np.abs(hole[face].astype(int) - before[face]).mean() < 0.6 * changed
    kept = table.viewings.repaired(
        table.viewing.id, 10, table.desk.document(), by="kim", width=512, side=Side.AFTER
    )
    assert b"c2pa" in kept
    assert table.viewings.seconds(table.viewing.id, by="kim")[25] == pytest.approx(1.0, abs=0.05)


def test_without_repairs_it_is_shown_as_any_other(table: Table) -> None:
    expected = table.picture(10)
    jpeg = table.viewings.picture(table.viewing.id, 10, by="kim", width=512, side=Side.AFTER)
    shown = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    assert np.array_equal(shown, expected)


def test_only_who_opened_it_gets_pictures_and_only_before_and_after(table: Table) -> None:
    viewings, document = table.viewings, table.desk.document()
    assert viewings.find(table.viewing.id, by="kim") == table.viewing
    with pytest.raises(NotFoundError):
        viewings.repaired(table.viewing.id, 1, document, by="eve", width=512, side=Side.AFTER)
    for number, side in ((1, Side.MASK), (FRAMES, Side.AFTER), (-1, Side.AFTER)):
        with pytest.raises(InputError):
            table.picture(number, side)
    clip = viewings.open_clip(table.desk.stage.purpose, table.desk.shot.clip, by="kim")
    with pytest.raises(InputError, match="isn't of something"):
        viewings.repaired(clip.id, 1, document, by="kim", width=512, side=Side.AFTER)


def test_a_withdrawal_ends_it_and_takes_all_that_was_warm(table: Table) -> None:
    table.picture(5)
    table.desk.stage.withdraw(table.desk.stage.ben)
    with pytest.raises((NotClearedError, NotFoundError)):
        table.picture(5)
    with pytest.raises(NotFoundError):
        table.viewings.find(table.viewing.id, by="kim")
    with pytest.raises(NotClearedError):
        Table(table.desk)


def test_it_rests_and_goes_on(table: Table) -> None:
    first = table.picture(12)
    with table.viewings.repairing(table.viewing.id, table.desk.document(), by="kim") as shown:
        assert len(shown.tracks) >= 1
        assert shown.mending().own
        # Pictures leave labelled, or not at all.
        assert not {"frame", "repairs", "_bench"} & set(dir(shown))
    inside = table.viewings._open[table.viewing.id].shown  # noqa: SLF001 - as if others were looked at
    assert inside.footage == table.desk.shot.clip.sha256
    inside.rest()
    assert np.array_equal(table.picture(12), first)


def test_a_face_cannot_be_moved_onto_what_is_none(table: Table) -> None:
    away = [{"first": 8, "last": 12, "keys": [{"frame": 10, "x": 700, "y": 700}]}]
    with pytest.raises(SignOffError, match="sure whose face"):
        table.picture(10, shapes=away)


def test_a_bench_that_was_closed_opens_nothing_again(desk: Desk) -> None:
    stage = desk.stage
    bench = Bench(stage.studio, stage.purpose, desk.shot, desk.cleared)
    bench.frame(3, desk.document())
    bench.close()
    for asked in (lambda: bench.frame(3, desk.document()), lambda: bench.mending(desk.document())):
        with pytest.raises(NotClearedError, match="was closed"):
            asked()
