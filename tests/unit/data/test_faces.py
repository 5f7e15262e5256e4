import numpy as np
import pytest
from clips import Clips

from assent.data.faces import CROP_SIZE, MOST_FACES, collect_faces
from assent.data.tracks import PersonTrack
from assent.kit.faces.align import MEAN_FACE
from assent.kit.media.probe import probe


def track(person: str, index: "np.typing.ArrayLike", left: int = 10) -> PersonTrack:
    frames = np.asarray(index, np.int64)
    marks = (MEAN_FACE * 40 + (left, 10)).astype(np.float32)
    return PersonTrack(
        person_id=person,
        index=frames,
        pts=frames,
        seconds=frames / 25,
        landmarks=np.repeat(marks[None], len(frames), axis=0),
    )


def test_each_person_has_a_set_of_aligned_crops(clips: Clips) -> None:
    path = clips.plain(frames=6)
    told: list[tuple[str, int, int]] = []
    tracks = [track("ada", [0, 1, 2]), track("ben", [2, 4], left=45), track("ada", [3])]
    sets = collect_faces(path, probe(path, name="c"), tracks, lambda *s: told.append(s))
    assert {name: len(faces) for name, faces in sets.items()} == {"ada": 4, "ben": 2}
    ada = sets["ada"]
    assert ada.size == CROP_SIZE
    assert ada.seconds.tolist() == [0, 0.04, 0.08, 0.12]
    # Landmarks lie in the crop as the mean face does, and the mask covers them.
    assert np.ptp(ada.landmarks[0], axis=0).max() == pytest.approx(CROP_SIZE * 0.8, rel=0.35)
    x, y = ada.landmarks[0][30].round().astype(int)
    assert ada.masks[0][y, x] == 255
    assert ada.masks[0][0, 0] == 0
    # What comes after the last face isn't read.
    assert told[-1] == ("cutting out faces", 5, 6)


def test_a_long_clip_is_thinned_evenly(clips: Clips) -> None:
    path = clips.plain(frames=4)
    index = np.sort(np.arange(MOST_FACES + 500) % 4)
    faces = collect_faces(path, probe(path, name="c"), [track("ada", index)], lambda *_: None)
    assert len(faces["ada"]) == MOST_FACES
    counts = np.unique(faces["ada"].seconds, return_counts=True)[1]
    assert counts.max() - counts.min() <= 2


def test_a_clip_that_is_shorter_than_its_tracks(clips: Clips) -> None:
    path = clips.plain(frames=3)
    faces = collect_faces(
        path, probe(path, name="c"), [track("ada", [1, 7])], lambda *_: None
    )  # fmt: skip
    assert len(faces["ada"]) == 1
