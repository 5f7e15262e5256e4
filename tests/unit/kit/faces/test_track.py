from collections.abc import Callable, Iterable, Mapping

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.detect import Detection, DlibDetector, FaceDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.frame import Image, frame_of
from assent.kit.faces.geometry import Box, box_of_landmarks
from assent.kit.faces.identity import Verdict, assign
from assent.kit.faces.mesh import POINTS, Mesh, MeshFinder, MeshFit, landmarks_of
from assent.kit.faces.track import FaceTracker, Track

Frame = NDArray[np.uint8]
Read = Callable[[str], list[Frame]]
Follow = Callable[..., tuple[Track, ...]]
Gallery = Mapping[str, NDArray[np.float32]]


@pytest.fixture
def follow(detector: DlibDetector, mesh: MeshFinder, embedder: FaceEmbedder) -> Follow:
    def run(frames: Iterable[Frame], **options: object) -> tuple[Track, ...]:
        tracker = FaceTracker(detector, mesh, embedder, **options)  # type: ignore[arg-type]
        for index, rgb in enumerate(frames):
            tracker.add(index, index * 512, index / 25, rgb)
        return tracker.finish()

    return run


def spans(tracks: tuple[Track, ...]) -> list[tuple[int, int]]:
    """First and last frame of each track."""
    return [(track.points[0].index, track.points[-1].index) for track in tracks]


def named(tracks: tuple[Track, ...], gallery: Gallery) -> list[str | None]:
    return list(assign(tracks, gallery).names.values())


def test_one_performer_is_one_track_in_every_frame(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    frames = sample("scene1_ada")[:40]
    tracks = follow(frames)
    assert [[point.index for point in track.points] for track in tracks] == [list(range(40))]
    assert named(tracks, gallery) == ["ada"]
    (track,) = tracks
    assert track.embeddings.shape == (len(track.embedded_at), 128)
    assert 2 <= len(track.embeddings) <= 4
    assert all(0 <= seconds < 40 / 25 for seconds in track.embedded_at)
    assert track.points[7].pts == 7 * 512
    assert track.points[7].mesh.shape == (POINTS, 3)
    assert np.array_equal(track.points[7].landmarks, landmarks_of(track.points[7].mesh))


def test_two_people_are_two_tracks_with_the_right_names(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    tracks = follow(sample("two_people")[:20])
    assert spans(tracks) == [(0, 19), (0, 19)]
    assert named(tracks, gallery) == ["ada", "ben"]
    assert tracks[0].points[0].box[2] < tracks[1].points[0].box[0]


def test_an_empty_set_has_no_tracks(sample: Read, follow: Follow) -> None:
    assert follow(sample("no_face")) == ()


def test_a_third_person_is_unlisted(sample: Read, follow: Follow, gallery: Gallery) -> None:
    listed = {name: gallery[name] for name in ("ada", "ben")}
    assert named(follow(sample("cleo_train")[:8]), listed) == [None]


def test_cuts_between_two_people_split_the_tracks(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    ada, ben = sample("ada_train"), sample("ben_train")
    frames = ada[:6] + ben[:5] + ada[40:41] + ben[50:58]
    tracks = follow(frames)
    assert spans(tracks) == [(0, 5), (6, 10), (11, 11), (12, 19)]
    assert named(tracks, gallery) == ["ada", "ben", "ada", "ben"]


@pytest.mark.parametrize("length", [1, 10])
def test_a_face_exchanged_within_the_shot_splits_the_track(
    sample: Read, follow: Follow, gallery: Gallery, length: int
) -> None:
    frames, others = sample("scene1_ada")[40:65], sample("scene1_ada_with_ben_face")[40:65]
    frames[12 : 12 + length] = others[12 : 12 + length]
    tracks = follow(frames)
    assert spans(tracks) == [(0, 11), (12, 11 + length), (12 + length, 24)]
    before, between, after = assign(tracks, gallery).identities
    assert [before.name, after.name] == ["ada", "ada"]
    # A face painted over another's is about as far from its own as may still go unasked.
    assert between.verdict in {Verdict.LISTED, Verdict.UNSURE}
    assert between.nearest is not None
    assert (between.nearest.name, between.name) in {("ben", "ben"), ("ben", None)}


def test_a_face_that_turns_into_another_has_no_name(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    ada, other = sample("scene1_ada")[:60], sample("scene1_ada_with_ben_face")[:60]
    shares = np.clip((np.arange(60) - 10) / 40, 0, 1)
    frames = [
        np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8)
        for a, b, share in zip(ada, other, shares.tolist(), strict=True)
    ]
    assert named(follow(frames, embed_every=0.5), gallery) == [None]


def test_a_hand_before_the_mouth_is_not_another_person(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    frames = [frame.copy() for frame in sample("scene1_ada")[:30]]
    for i, frame in enumerate(frames[8:22]):
        cv2.ellipse(frame, (90 + 5 * i, 225), (45, 28), 20, 0, 360, (196, 150, 125), -1)
    assert set(named(follow(frames), gallery)) == {"ada"}


def test_a_face_shown_for_three_frames_is_seen(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    empty, face = sample("no_face"), sample("ben_train")
    pasted = []
    for i in range(12, 15):
        frame = empty[i].copy()
        frame[100:292, 100:292] = cv2.resize(face[i], (192, 192), interpolation=cv2.INTER_AREA)
        pasted.append(frame)
    tracks = follow(empty[:12] + pasted + empty[15:22])
    assert named(tracks, gallery) == ["ben"]
    assert 12 <= spans(tracks)[0][0] <= spans(tracks)[0][1] <= 14


def test_a_face_that_leaves_ends_its_track_where_it_left(sample: Read, follow: Follow) -> None:
    frames = [frame.copy() for frame in sample("ben_train")[:30]]
    for frame in frames[15:]:
        frame[60:300] = frame[40:41]
    assert [last for _, last in spans(follow(frames))] == [pytest.approx(14, abs=2)]


class Blinking:
    """The real detector, blind at some of its looks."""

    def __init__(self, detector: FaceDetector, blind: range) -> None:
        self._detector = detector
        self._blind = blind
        self.looks = 0

    def find(self, image: Image, *, weakest: float = 0.0) -> list[Detection]:
        self.looks += 1
        return [] if self.looks in self._blind else self._detector.find(image, weakest=weakest)


def test_a_face_missed_for_a_moment_stays_one_track(
    sample: Read,
    detector: DlibDetector,
    mesh: MeshFinder,
    embedder: FaceEmbedder,
    gallery: Gallery,
) -> None:
    blinking = Blinking(detector, range(3, 9))
    tracker = FaceTracker(blinking, mesh, embedder)
    for index, rgb in enumerate(sample("ben_train")[:25]):
        tracker.add(index, index, index / 25, rgb)
    tracks = tracker.finish()
    assert spans(tracks) == [(0, 24)]
    assert len(tracks[0].points) == 25
    assert named(tracks, gallery) == ["ben"]


def test_the_detector_rests_while_the_faces_are_followed(
    sample: Read, detector: DlibDetector, mesh: MeshFinder, embedder: FaceEmbedder
) -> None:
    counting = Blinking(detector, range(0))
    tracker = FaceTracker(counting, mesh, embedder, detect_every=5)
    for index, rgb in enumerate(sample("cleo_train")[:30]):
        tracker.add(index, index, index / 25, rgb)
    tracker.finish()
    assert counting.looks <= 8


def test_a_searcher_finds_small_faces_at_cuts(
    sample: Read, follow: Follow, gallery: Gallery
) -> None:
    frames = []
    for face in sample("ben_train")[:3]:
        scene = np.full((1080, 1920, 3), 80, np.uint8)
        scene[300:492, 900:1092] = cv2.resize(face, (192, 192), interpolation=cv2.INTER_AREA)
        frames.append(scene)
    assert follow(frames) == ()
    found = follow(frames, searcher=DlibDetector(longest=1920))
    assert named(found, gallery) == ["ben"]


def degraded(kind: str, rgb: Frame) -> Frame:
    noise = np.random.default_rng(int(rgb.sum())).normal(0, 20, rgb.shape)
    changed: Mapping[str, Callable[[], object]] = {
        "noise": lambda: rgb + noise,
        "blur": lambda: cv2.GaussianBlur(rgb, (0, 0), 3),
        "jpeg": lambda: cv2.imdecode(cv2.imencode(".jpg", rgb, [1, 10])[1], 1),
        "half": lambda: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "warm": lambda: rgb * np.array([1.25, 1.0, 0.65]),
        "dark": lambda: rgb * 0.3,
    }
    return np.asarray(np.clip(np.asarray(changed[kind]()), 0, 255), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["noise", "blur", "jpeg", "half", "warm", "dark"])
def test_worn_copies_are_followed_and_named(
    sample: Read, follow: Follow, gallery: Gallery, kind: str
) -> None:
    tracks = follow([degraded(kind, rgb) for rgb in sample("scene1_ada")[20:26]])
    assert spans(tracks) == [(0, 5)]
    assert named(tracks, gallery) == ["ada"]


def test_finish_leaves_the_tracker_ready_for_another_clip(
    sample: Read, detector: DlibDetector, mesh: MeshFinder, embedder: FaceEmbedder
) -> None:
    tracker = FaceTracker(detector, mesh, embedder)
    for _ in range(2):
        tracker.add(0, 0, 0.0, sample("ben_train")[0])
        assert spans(tracker.finish()) == [(0, 0)]
    assert tracker.finish() == ()


FACE = np.zeros((68, 2), np.float32)
FACE[:17] = [(50 - 40 * np.cos(a), 40 + 55 * np.sin(a)) for a in np.linspace(0, np.pi, 17)]
FACE[17:] = [(20 + 60 * (i % 6) / 5, 25 + 12 * (i // 9)) for i in range(51)]
FACE[36:42], FACE[42:48] = (30, 35), (70, 35)
_PLACES = landmarks_of(np.repeat(np.arange(POINTS)[:, None], 3, axis=1))[:, 0].astype(int)
MESH = np.tile(np.append(FACE.mean(axis=0), 0).astype(np.float32), (POINTS, 1))
MESH[_PLACES, :2] = FACE


def number_of(image: Image) -> int:
    """The frame's number, which is its grey level in a staged scene."""
    return int(frame_of(image).thumbnail(1, 1)[0, 0, 0])


class Staged:
    """Detector, fitter and embedder of a scripted scene: where each face is in each frame."""

    def __init__(
        self, *scene: list[float], scores: tuple[float, ...] = (1.0,), detect_every: int = 1
    ) -> None:
        self._scene = [list(places) for places in scene]
        self._scores = scores
        self._detect_every = detect_every

    def find(self, image: Image, *, weakest: float = 0.0) -> list[Detection]:
        number = number_of(image)
        score = self._scores[min(number, len(self._scores) - 1)]
        return [
            Detection(box=box_of_landmarks(FACE + np.float32(x)), score=score)
            for x in self._scene[number]
            if score >= weakest
        ]

    def fit(self, image: Image, around: Box | Mesh) -> MeshFit:
        if isinstance(around, tuple):
            middle = around[0] - box_of_landmarks(FACE)[0]
        else:
            middle = float(around[_PLACES[0], 0] - FACE[0, 0])
        places = self._scene[number_of(image)]
        nearest = min(places or [middle], key=lambda x: abs(x - middle))
        there = abs(nearest - middle) <= 25 and bool(places)
        shift = np.array([nearest, nearest, 0], np.float32)
        return MeshFit(points=MESH + shift, score=1.0 if there else 0.1)

    def chip(self, image: object, landmarks: NDArray[np.float32]) -> Frame:
        return np.zeros((150, 150, 3), np.uint8)

    def embed_chip(self, chip: Frame) -> NDArray[np.float32]:
        return np.zeros(128, np.float32)

    def play(self) -> tuple[Track, ...]:
        tracker = FaceTracker(self, self, self, detect_every=self._detect_every)
        for number in range(len(self._scene)):
            rgb = np.full((400, 900, 3), number, np.uint8)
            tracker.add(number, number, number / 25, rgb)
        return tracker.finish()


def test_two_tracks_on_one_face_become_one() -> None:
    meeting = [[100.0, 100.0 + max(0, 200 - 25 * i)] for i in range(16)]
    tracks = Staged(*meeting).play()
    assert len(tracks) == 2
    assert {last for _, last in spans(tracks)} > {15}
    assert min(last for _, last in spans(tracks)) < 10


def test_a_weak_detection_keeps_a_track_but_starts_none() -> None:
    place = [[100.0]] * 20
    assert spans(Staged(*place, scores=(1.0, -0.3)).play()) == [(0, 19)]
    assert Staged(*place, scores=(-0.3,)).play() == ()


def test_a_face_gone_for_long_comes_back_as_another_track() -> None:
    scene = [[100.0]] * 5 + [[]] * 20 + [[100.0]] * 5
    assert spans(Staged(*scene).play()) == [(0, 4), (25, 29)]


def test_a_face_found_between_two_looks_is_followed_back_to_where_it_came_in() -> None:
    scene: list[list[float]] = [[]] * 11 + [[100.0 + 5 * i] for i in range(14)]
    assert spans(Staged(*scene, detect_every=8).play()) == [(11, 24)]


def test_a_face_followed_back_stops_where_another_track_has_it() -> None:
    scene = [[100.0]] * 5 + [[]] * 5 + [[100.0]] * 10
    tracks = Staged(*scene, detect_every=8).play()
    assert sorted(point.index for track in tracks for point in track.points) == [
        *range(5),
        *range(10, 20),
    ]


def test_a_face_that_leaps_is_fitted_where_it_was_found() -> None:
    scene = [[100.0]] * 5 + [[126.0]] * 5
    (track,) = Staged(*scene).play()
    assert [round(point.landmarks[0, 0] - FACE[0, 0]) for point in track.points[4:]] == [
        100,
        *[126] * 5,
    ]


def searched(*scene: list[float], blind: range) -> tuple[Track, ...]:
    """Follow a scene in which the detector sees nothing at the looks `blind`; the searcher does."""
    staged = Staged(*scene)
    tracker = FaceTracker(
        Blinking(staged, blind), staged, staged, detect_every=1, searcher=staged, search_every=6
    )
    for number in range(len(scene)):
        tracker.add(number, number, number / 25, np.full((400, 900, 3), number, np.uint8))
    return tracker.finish()


SLIDING: list[list[float]] = [[]] * 4 + [[100.0 + 12 * i] for i in range(30)]


def test_what_only_the_searcher_sees_is_followed_from_where_it_looked() -> None:
    (track,) = searched(*SLIDING, blind=range(99))
    assert [point.index for point in track.points] == list(range(6, 34))


def test_a_face_that_the_detector_finds_before_the_searcher_tells_is_one_track() -> None:
    (track,) = searched(*SLIDING, blind=range(10))
    assert [point.index for point in track.points] == list(range(4, 34))


def test_what_the_searcher_saw_last_is_told_at_the_end() -> None:
    (track,) = searched(*SLIDING[:8], blind=range(99))
    assert [point.index for point in track.points] == [6, 7]
