"""Both engines paint where the performer's face is, and a painter that begins later agrees."""

from pathlib import Path

import numpy as np
import pytest
from casts import Cast, Stage, cut_clip

from assent.consent.desk import Need
from assent.consent.enrolment import enrol_from_statement, pack_templates
from assent.consent.locker import Locker
from assent.create.composite import CompositeConfig
from assent.create.draft import Draft, list_drafts
from assent.create.lit import LightSeen
from assent.create.painters import PortraitPainter, is_portrait, painter_for
from assent.create.patches import unpack, unpack_notes
from assent.create.quality import FrameNote
from assent.create.render import SEGMENT, render, rendering_needs
from assent.create.report import donor_poses, quality_of
from assent.data.clips import find_clip
from assent.data.ingest import ingest
from assent.data.tracks import PersonTrack
from assent.kit.errors import IntegrityError, UnlistedFaceError
from assent.kit.likeness.performance import AFRESH, AHEAD
from assent.kit.likeness.portrait import Portrait
from assent.kit.media.picture import Picture
from assent.kit.progress import Progress, nothing
from assent.kit.store.tables import ConsentRow, SegmentRow
from assent.train.models import find_model
from assent.train.portraits import PortraitConfig

FRAMES = 2 * SEGMENT + 8
BLANK = (40, 41, 42)


class Killed(BaseException):
    """The process stops here."""


@pytest.fixture(scope="module")
def portrayed(filmed: Cast, tmp_path_factory: pytest.TempPathFactory) -> Cast:
    """A performance of three segments, and a portrait of Ben from footage in the same poses."""
    folder = tmp_path_factory.mktemp("clips")
    cut_clip(folder / "long.mp4", "scene1_ada.mp4", frames=FRAMES, blank=BLANK)
    cut_clip(folder / "alike.mp4", "scene1_ada_with_ben_face.mp4", frames=FRAMES)

    def act(stage: Stage) -> None:
        for name, member in (("long", stage.ada), ("alike", stage.ben)):
            ingest(
                stage.studio, stage.purpose, folder / f"{name}.mp4", [member.person],
                rights="computer-generated",
            )  # fmt: skip
        stage.fit(name="portrait", config=PortraitConfig(exemplars=24, studied=40), iterations=1)

    return filmed.then("portrayed", act)


@pytest.fixture
def stage(portrayed: Cast, tmp_path: Path) -> Stage:
    return portrayed.open_copy(tmp_path / "studio")


def rendered(stage: Stage, progress: Progress = nothing) -> Draft:
    model = find_model(stage.studio, stage.purpose, "portrait")
    clip = find_clip(stage.studio, stage.purpose, "long.mp4")
    asking = stage.asking(rendering_needs(model, clip))
    return render(
        stage.studio, stage.purpose, model, clip, asking(), ask_again=asking, progress=progress
    )


def segments(stage: Stage, draft: Draft) -> list[bytes]:
    clearances = stage.asking(draft.needs(to_release=False))()
    with stage.studio.database.session() as session:
        rows = session.query(SegmentRow).filter_by(draft_id=draft.id).order_by("number").all()
    return [Locker(stage.studio).read(row.blob, clearances) for row in rows]


def notes_of(stage: Stage, draft: Draft) -> list[FrameNote]:
    notes = [note for data in segments(stage, draft) for note in unpack_notes(data)]
    assert None not in notes
    return [note for note in notes if note is not None]


def everything(stage: Stage, draft: Draft) -> list[list[object]]:
    return [
        [
            (patch.pts, patch.x, patch.y, patch.note, [p.tobytes() for p in patch.planes or ()])
            for patch in unpack(data)
        ]
        for data in segments(stage, draft)
    ]


def test_segments_begin_where_a_painter_may() -> None:
    assert SEGMENT % AFRESH == 0
    assert SEGMENT >= AHEAD


def test_a_portrait_killed_after_each_segment_ends_as_one_never_stopped(stage: Stage) -> None:
    whole = rendered(stage)
    before = everything(stage, whole)
    with stage.studio.database.session() as session:
        session.query(SegmentRow).delete()
        for row in list_drafts(stage.studio, stage.purpose):
            session.delete(session.merge(row))

    def kill(what: str, done: int, total: int) -> None:
        raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            rendered(stage, kill)
        stage = stage.reopened()
    resumed = rendered(stage)
    assert (resumed.id != whole.id, len(before)) == (True, 3)
    assert everything(stage, resumed) == before


def test_every_frame_with_a_face_is_painted_and_judged(stage: Stage) -> None:
    draft = rendered(stage)
    notes = notes_of(stage, draft)
    assert [note.quality is None for note in notes] == [n in BLANK for n in range(FRAMES)]
    assert [note.painted for note in notes] == [n not in BLANK for n in range(FRAMES)]
    assert [note.quality.number for note in notes if note.quality][-1] == FRAMES - 1
    asking = stage.asking(draft.needs(to_release=False))
    report = quality_of(draft, Locker(stage.studio), asking)
    assert (report.judged, report.far) == (FRAMES - len(BLANK), ())
    assert report.covered == 1.0
    assert report.verdict.startswith("Good")
    # The scene is 256 pixels high, its face some 120, and the model's pictures hold 205.
    assert report.scale is not None
    assert 0.3 < report.scale < 1
    assert report.sharpness is not None
    assert 0.4 < report.sharpness < 1.5
    assert 0 < len(donor_poses(stage.studio, draft, asking())) <= 24


def test_right_of_the_picture_is_above_0(stage: Stage, samples: Path) -> None:
    draft = rendered(stage)
    notes = notes_of(stage, draft)
    with np.load(samples / "scene1_ada_with_ben_face.npz") as truth:
        points = truth["landmarks68"].reshape(-1, 68, 2)[:FRAMES]
    known = [n for n in range(FRAMES) if n not in BLANK]
    middle = points[known][:, [0, 16]].mean(axis=1)
    nose = points[known, 30] - middle
    judged = [quality for n in known if (quality := notes[n].quality) is not None]
    assert len(judged) == len(known)
    found = np.array([(quality.yaw, quality.pitch) for quality in judged])
    assert np.corrcoef(found[:, 0], nose[:, 0])[0, 1] > 0.9
    assert np.corrcoef(found[:, 1], nose[:, 1])[0, 1] > 0.7


@pytest.fixture
def portrait(stage: Stage) -> Portrait:
    model = find_model(stage.studio, stage.purpose, "portrait")
    clip = find_clip(stage.studio, stage.purpose, "long.mp4")
    clearances = stage.asking(rendering_needs(model, clip))()
    data = model.open(Locker(stage.studio), clearances)
    assert is_portrait(data)
    return Portrait.from_bytes(data)


def test_a_frame_without_a_face_is_left(portrait: Portrait, picture: Picture) -> None:
    painter = PortraitPainter(portrait, ())
    painter.see(0, picture)
    patch, quality = painter.paint(0, picture)
    assert (patch.pts, patch.planes, quality) == (picture.pts, None, None)


def test_light_is_told_by_how_bright_and_from_where(portrait: Portrait) -> None:
    light = LightSeen(portrait)
    usual = portrait.textures[0].astype(np.float64)
    assert light.away(portrait.textures[0]) == 0
    # A quarter of the light is two stops less.
    assert light.away(usual * 0.25 ** (1 / 2.2)) == pytest.approx(2, abs=0.5)
    half = usual.copy()
    half[:, : half.shape[1] // 2] *= 0.25 ** (1 / 2.2)
    assert light.away(half) > 1


def track(landmarks: np.ndarray, index: list[int]) -> PersonTrack:
    count = len(index)
    return PersonTrack(
        person_id="ada",
        index=np.array(index),
        pts=np.array(index),
        seconds=np.array(index) / 25,
        landmarks=np.repeat(landmarks[None], count, 0),
        meshes=np.zeros((count, 478, 3), np.float32),
    )


def test_an_autoencoder_paints_inside_its_rectangle(
    model: bytes, landmarks: np.ndarray, picture: Picture
) -> None:
    assert not is_portrait(model)
    painter = painter_for(model, [track(landmarks, [4])], CompositeConfig())
    assert painter.ahead == 0
    painter.see(4, picture)
    patch, quality = painter.paint(4, picture)
    assert quality is None
    assert patch.planes is not None
    height, width = patch.planes[0].shape
    there = picture.y[patch.y : patch.y + height, patch.x : patch.x + width]
    assert (patch.planes[0] != there).mean() > 0.2
    edge = np.ones((height, width), bool)
    edge[1:-1, 1:-1] = False
    assert np.array_equal(patch.planes[0][edge], there[edge])
    nothing_there, _ = painter.paint(5, picture)
    assert (nothing_there.pts, nothing_there.planes) == (picture.pts, None)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not an archive", b"not a network"])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        painter_for(data, (), CompositeConfig())


def test_a_model_of_somebody_else_than_its_donor_is_refused(stage: Stage, samples: Path) -> None:
    """The pictures in it are held to the donor's enrolment, here Cleo's face under Ben's name."""
    with (samples / "cleo_statement.mp4").open("rb") as statement:
        cleo = pack_templates(enrol_from_statement(statement, name="cleo"))
    needs = [Need(person_id=stage.ben.id, acts=frozenset())]
    blob = Locker(stage.studio).put([cleo], stage.asking(needs)())
    with stage.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=stage.ben.id).one().enrolment_blob = blob
    with pytest.raises(UnlistedFaceError, match=r"^model 'portrait', doesn't show ben: .*0\.[678]"):
        rendered(stage)
