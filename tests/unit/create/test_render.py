"""A render stays in the vault, goes on where it stopped, and stops where consent does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from casts import BLANK, SCENE_FRAMES, Cast, Stage, clear_traces, resign
from numpy.typing import NDArray

from assent.consent.locker import Locker
from assent.create._frames import pairs_of
from assent.create.draft import Draft, list_drafts
from assent.create.render import render, rendering_needs
from assent.data.clips import find_clip
from assent.data.tracks import of_person
from assent.kit.errors import InputError, IntegrityError, NotClearedError, UnlistedFaceError
from assent.kit.media.picture import Picture
from assent.kit.store.tables import FootageRow, SegmentRow


class Killed(BaseException):
    """The process stops here."""


@pytest.fixture
def stage(trained: Cast, tmp_path: Path) -> Stage:
    return trained.open_copy(tmp_path / "studio")


def pairs(stage: Stage, draft: Draft) -> Iterator[tuple[Picture, Picture]]:
    asking = stage.asking(draft.needs(to_release=False))
    return pairs_of(draft, Locker(stage.studio), asking)


def planes(stage: Stage, draft: Draft) -> list[bytes]:
    return [p.y.tobytes() + p.u.tobytes() + p.v.tobytes() for _, p in pairs(stage, draft)]


def test_only_the_face_changes(stage: Stage) -> None:
    draft = stage.render()
    assert (draft.frames, draft.replaced) == (SCENE_FRAMES, SCENE_FRAMES - len(BLANK))
    clearances = stage.asking(draft.needs(to_release=False))()
    tracks = of_person(stage.scene.tracks(Locker(stage.studio), clearances), stage.ada.id)
    spots = {
        int(index): points
        for track in tracks
        for index, points in zip(track.index, track.landmarks, strict=True)
    }
    for number, (shot, rendered) in enumerate(pairs(stage, draft)):
        if number in BLANK:
            assert rendered is shot
            continue
        changed = np.argwhere(shot.y != rendered.y)
        assert len(changed) > 500
        assert outside(changed, spots[number]) == 0
        same = shot.y == rendered.y
        assert np.array_equal(shot.y[same], rendered.y[same])


def outside(changed: NDArray[np.int64], points: NDArray[np.float32]) -> int:
    """How many changed samples lie further from the landmarks than a soft edge reaches."""
    margin = 0.25 * float(np.ptp(points, axis=0).max())
    low, high = points.min(axis=0)[::-1] - margin, points.max(axis=0)[::-1] + margin
    return int(((changed < low) | (changed > high)).any(axis=1).sum())


def test_nothing_lies_in_clear(stage: Stage) -> None:
    seen: list[list[str]] = []
    secret = (stage.clips / "scene.mp4").read_bytes()
    draft = stage.render(progress=lambda *_: seen.append(clear_traces(stage.studio.folder, secret)))
    assert seen == [[], []]
    shown = next(pairs(stage, draft))[1]
    assert clear_traces(stage.studio.folder, secret, shown.y.tobytes()) == []


def test_a_complete_draft_is_returned_as_it_is(stage: Stage) -> None:
    first = stage.render()
    told: list[int] = []
    assert stage.render(progress=lambda *_: told.append(1)) == first
    assert told == []


def test_a_killed_render_goes_on_and_ends_the_same(stage: Stage) -> None:
    def kill(what: str, done: int, total: int) -> None:
        assert (what, done, total) == ("rendering", 32, SCENE_FRAMES)
        raise Killed

    with pytest.raises(Killed):
        stage.render(progress=kill)
    (row,) = list_drafts(stage.studio, stage.purpose)
    assert row.state == "rendering"
    again = stage.reopened()
    told: list[int] = []
    resumed = again.render(progress=lambda what, done, total: told.append(done))
    assert told == [SCENE_FRAMES]
    assert (resumed.id, resumed.frames, resumed.replaced) == (row.id, SCENE_FRAMES, 34)
    frames = planes(again, resumed)
    with again.studio.database.session() as session:
        session.query(SegmentRow).delete()
        session.delete(session.merge(row))
    whole = again.render()
    assert whole.id != resumed.id
    assert planes(again, whole) == frames


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_withdrawal_stops_it(stage: Stage, who: str) -> None:
    def withdraw(what: str, done: int, total: int) -> None:
        stage.withdraw(getattr(stage, who))

    with pytest.raises(NotClearedError):
        stage.render(progress=withdraw)
    (row,) = list_drafts(stage.studio, stage.purpose)
    assert row.state == "rendering"
    with stage.studio.database.session() as session:
        assert session.query(SegmentRow).count() == 1
    with pytest.raises(NotClearedError):
        stage.render()


def test_clearances_must_cover_donor_and_everyone_in_the_clip(stage: Stage) -> None:
    asking = stage.asking(rendering_needs(stage.model, stage.scene))
    full = asking()
    for wrong in ([], full[:1], full[1:]):
        with pytest.raises(NotClearedError):
            render(
                stage.studio, stage.purpose, stage.model, stage.scene, wrong, ask_again=asking
            )  # fmt: skip
        with pytest.raises(NotClearedError):
            stage.render(ask_again=lambda given=wrong: given)
    with stage.studio.database.session() as session:
        assert session.query(SegmentRow).count() == 0


def test_a_model_that_does_not_fit_the_clip_is_refused(stage: Stage) -> None:
    ben = find_clip(stage.studio, stage.purpose, "ben.mp4")
    both = replace(stage.scene, people=(stage.ada.id, stage.ben.id))
    for clip in (ben, both):
        asking = stage.asking(rendering_needs(stage.model, clip))
        with pytest.raises(InputError, match="doesn't fit"):
            render(
                stage.studio, stage.purpose, stage.model, clip, asking(), ask_again=asking
            )  # fmt: skip
    assert list_drafts(stage.studio, stage.purpose) == ()


def test_a_clip_with_the_tracks_of_another_is_refused(stage: Stage) -> None:
    with stage.studio.database.session() as session:
        scene = session.query(FootageRow).filter_by(name="scene.mp4").one()
        ben = session.query(FootageRow).filter_by(name="ben.mp4").one()
        # Ben's tracks in the place of Ada's.
        scene.tracks_blob = ben.tracks_blob
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        stage.render()
    resign(stage)
    with pytest.raises(UnlistedFaceError, match="doesn't show ben"):
        stage.render()
