"""Bystanders are hidden for good, through turns and moments in which nobody sees their face."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from casts import RIGHTS, Cast, Stage, clear_traces, cut_clip
from numpy.typing import NDArray
from scenes import pictures, write_clip

from assent.consent.enrolment import enrol_from_statement
from assent.consent.locker import Locker
from assent.data.bystanders import find_bystanders, plan_hiding
from assent.data.doubts import Ruling
from assent.data.ingest import Bystanders, Ingested, ingest
from assent.data.look import Glimpse, Tools
from assent.kit.errors import MediaError, NotClearedError, UnlistedFaceError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.geometry import box_of_landmarks
from assent.kit.faces.mesh import Mesh, landmarks_of
from assent.kit.faces.packed import PackedMesh
from assent.kit.faces.tracks import Track, TrackPoint
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import nothing

RATE = 25.0


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada on the left, Ben on the right."""
    path = tmp_path_factory.mktemp("pair") / "pair.mp4"
    return cut_clip(path, "two_people.mp4", frames=10, width=480, height=320)


def mesh_at(x: float, y: float, size: float = 40.0) -> Mesh:
    """Some mesh with its eyes level."""
    angles = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    mesh = np.stack([np.cos(angles), 1.3 * np.sin(angles), 0 * angles], axis=1)
    eyes = {"right": (33, 133, 159, 145, 160, 144), "left": (362, 263, 386, 374, 385, 380)}
    for sign, side in ((-1, "right"), (1, "left")):
        mesh[list(eyes[side]), :2] = (0.4 * sign, -0.3)
    return np.asarray(mesh * size + (x, y, 0), np.float32)


def track(frames: Sequence[int], x: float = 100.0, step: float = 0.0, run: int = 0) -> Track:
    points = []
    for frame in frames:
        mesh = mesh_at(x + step * (frame - frames[0]), 100.0)
        points.append(
            TrackPoint(
                index=frame,
                run=run,
                pts=frame,
                seconds=frame / RATE,
                box=box_of_landmarks(landmarks_of(mesh)),
                packed=PackedMesh.of(mesh),
                score=1.0,
            )
        )
    embeddings = np.zeros((1, 128), np.float32)
    return Track(id=run, points=tuple(points), embeddings=embeddings, embedded_at=(0.0,))


def frames_hidden(plan: object) -> list[int]:
    return sorted(getattr(plan, "hidden"))  # noqa: B009 - a plan of any kind


def test_it_begins_before_and_ends_after_a_face_was_seen() -> None:
    plan = plan_hiding([track(range(40, 60))], [], [], cuts=[], frames=200, rate=RATE)
    assert frames_hidden(plan) == list(range(25, 75))
    assert plan.people == 1
    sizes = [plan.hidden[frame][0].oval.across for frame in range(40, 24, -1)]
    assert sizes == sorted(sizes)
    # The head is larger than the face.
    (seen,) = plan.hidden[50]
    assert seen.face is not None
    assert seen.oval.across > 1.2 * seen.face.across
    assert seen.oval.down > 1.2 * seen.face.down
    assert seen.oval.y < seen.face.y
    assert plan.hidden[30][0].face is None


def test_it_goes_on_through_frames_in_which_nobody_sees_the_face() -> None:
    runs = [track(range(10, 20)), track(range(45, 60), x=150.0)]
    plan = plan_hiding(runs, [], [], cuts=[], frames=200, rate=RATE)
    assert frames_hidden(plan) == list(range(75))
    assert plan.people == 1
    before, during, after = (plan.hidden[frame][0].oval for frame in (19, 32, 45))
    assert before.x < during.x < after.x
    assert during.across > max(before.across, after.across) + 5
    # Wherever it was on its way, it was inside.
    for share in np.linspace(0, 1, 26):
        oval = plan.hidden[20 + round(24 * share)][0].oval
        for place in (100.0, 150.0):
            slack = abs(oval.x - place) if share in (0, 1) else 0
            assert slack < 60


def test_a_gap_in_a_track_is_bridged() -> None:
    plan = plan_hiding(
        [track([*range(10, 20), *range(26, 30)])], [], [], cuts=[], frames=40, rate=RATE
    )
    assert frames_hidden(plan) == list(range(40))


def test_a_cut_ends_it() -> None:
    runs = [track(range(10, 20)), track(range(24, 30))]
    plan = plan_hiding(runs, [], [], cuts=[5, 20, 24], frames=40, rate=RATE)
    assert frames_hidden(plan) == [*range(5, 20), *range(24, 40)]
    assert plan.people == 2


def test_two_faces_are_two() -> None:
    runs = [track(range(10, 20)), track(range(14, 30), x=400.0)]
    plan = plan_hiding(runs, [], [], cuts=[], frames=60, rate=RATE)
    assert plan.people == 2
    assert len(plan.hidden[16]) == 2
    # One that comes back far away, or much later, is another.
    for later in (track(range(30, 40), x=900.0), track(range(90, 95))):
        plan = plan_hiding([track(range(10, 20)), later], [], [], cuts=[], frames=120, rate=RATE)
        assert plan.people == 2


def test_trembling_is_steadied_without_uncovering_anything() -> None:
    rng = np.random.default_rng(2)
    shaken = [track([frame], x=100 + float(rng.normal(0, 6))) for frame in range(30)]
    points = tuple(point for each in shaken for point in each.points)
    plan = plan_hiding([replace(shaken[0], points=points)], [], [], cuts=[], frames=30, rate=RATE)
    middles = [plan.hidden[frame][0].oval.x for frame in range(30)]
    assert (
        np.abs(np.diff(middles)).max()
        < 0.5 * np.abs(np.diff([point.mesh[:, 0].mean() for point in points])).max()
    )
    for frame, point in enumerate(points):
        oval = plan.hidden[frame][0].oval
        assert oval.covers(point.mesh[:, 0], point.mesh[:, 1]).all()


def test_faces_that_were_only_glimpsed_are_hidden_too() -> None:
    glimpses = [
        Glimpse(index, index / RATE, (200.0, 100.0, 260.0, 180.0)) for index in (20, 25, 30)
    ]
    plan = plan_hiding([], [], glimpses, cuts=[], frames=80, rate=RATE)
    assert frames_hidden(plan) == list(range(5, 46))
    oval = plan.hidden[25][0].oval
    corners = np.array([(200, 100), (260, 100), (200, 180), (260, 180)], np.float32)
    assert oval.covers(0.92 * corners[:, 0] + 0.08 * 230, 0.92 * corners[:, 1] + 0.08 * 140).all()


def test_those_who_may_be_seen_are_spared() -> None:
    plan = plan_hiding(
        [track(range(5))], [track(range(3, 9), x=150)], [], cuts=[], frames=30, rate=RATE
    )
    assert sorted(plan.spared) == list(range(3, 9))
    assert plan.spared[4][0].x == pytest.approx(150, abs=2)


def taken(stage: Stage, path: Path) -> Ingested:
    return ingest(
        stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS,
        bystanders=Bystanders.BLUR,
    )  # fmt: skip


def kept(stage: Stage, made: Ingested) -> io.BytesIO:
    clearances = stage.asking(made.clip.needs())()
    with made.clip.open(Locker(stage.studio), clearances) as film:
        return io.BytesIO(film.read())


def test_a_bystander_is_gone_from_what_is_kept(stage: Stage, pair: Path) -> None:
    made = taken(stage, pair)
    assert made.faces == {"ada": 10}
    assert (made.clip.hidden, made.clip.people) == (1, (stage.ada.id,))
    film = kept(stage, made)
    before = list(read_pictures(pair, name="pair"))
    after = list(read_pictures(film, name="film"))
    assert [picture.pts for picture in after] == [picture.pts for picture in before]
    for shot, hidden in zip(before, after, strict=True):
        # Ada's half is as it was, bit for bit.
        assert np.array_equal(shot.y[:, :230], hidden.y[:, :230])
        assert (shot.y[60:220, 310:400] != hidden.y[60:220, 310:400]).mean() > 0.9
        assert not [found for found in DlibDetector().find(to_rgb(hidden)) if found.box[0] > 240]
    clear = [picture.y[100:200, 300:420].tobytes() for picture in before]
    assert clear_traces(stage.studio.folder, pair.read_bytes(), *clear) == []
    # The same clip again is the same footage.
    again = taken(stage, pair)
    assert (again.already, again.clip) == (True, made.clip)


def test_without_bystanders_the_clip_is_kept_as_it_is(stage: Stage) -> None:
    path = stage.clips / "ada.mp4"
    made = taken(stage, path)
    assert made.clip.hidden == 0
    assert kept(stage, made).read() == path.read_bytes()


def test_hiding_everyone_leaves_nothing_to_keep(stage: Stage, tmp_path: Path) -> None:
    path = cut_clip(tmp_path / "cleo.mp4", "cleo_train.mp4", frames=6)
    with pytest.raises(MediaError, match="shows no face"):
        taken(stage, path)


def test_consent_is_asked_before_anything_is_hidden(stage: Stage, pair: Path) -> None:
    with pytest.raises(NotClearedError, match="cleo has given no consent"):
        ingest(
            stage.studio, stage.purpose, pair, [stage.cleo.person], rights=RIGHTS,
            bystanders=Bystanders.BLUR,
        )  # fmt: skip


def test_bystanders_are_refused_unless_it_is_asked_for(stage: Stage, pair: Path) -> None:
    with pytest.raises(UnlistedFaceError) as refused:
        ingest(stage.studio, stage.purpose, pair, [stage.ada.person], rights=RIGHTS)
    assert "--bystanders blur" in refused.value.advice


def ghost(number: int) -> NDArray[np.uint8]:
    """Ada on the left; on the right Ben, who is hidden by a board now and then and tips over."""
    left = pictures("ada_train", 0, 50)[number]
    right = pictures("ben_train", 0, 50)[number]
    if 18 <= number < 26:
        right = right.copy()
        right[60:330, 40:340] = (120, 105, 90)
    turn = cv2.getRotationMatrix2D((192, 200), 1.2 * max(0, number - 30), 1.0)
    turned = cv2.warpAffine(right, turn, (384, 384), borderMode=cv2.BORDER_REPLICATE)
    return np.concatenate([left, np.asarray(turned, np.uint8)], axis=1)


def test_he_stays_hidden_behind_a_board_and_tipping_over(tmp_path: Path) -> None:
    path = tmp_path / "ghost.mp4"
    write_clip(path, (ghost(number) for number in range(46)))
    clip = probe(path, name="ghost.mp4")
    with Path(__file__).parents[3].joinpath("samples/ada_statement.mp4").open("rb") as statement:
        gallery = {"ada": enrol_from_statement(statement, name="ada").embeddings}
    plan = find_bystanders(path, clip, gallery, Ruling(), Tools(), nothing)
    for number in range(46):
        turn = cv2.getRotationMatrix2D((192, 200), 1.2 * max(0, number - 30), 1.0)
        face = np.array([[172, 150], [218, 150], [195, 195], [195, 235]], np.float64)
        there = face @ turn[:, :2].T + turn[:, 2] + (384, 0)
        covered = np.zeros(len(there), np.bool_)
        for hidden in plan.hidden[number]:
            covered |= hidden.oval.covers(*there.T.astype(np.float32))
        assert covered.all(), number
