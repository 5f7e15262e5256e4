from pathlib import Path

import pytest
from casts import cut_clip

from assent.data.faces import FaceCutter
from assent.data.look import Seen, Tools, clock_time, look
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import nothing


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools()


def seen(path: Path, tools: Tools, cutter: FaceCutter) -> Seen:
    clip = probe(path, name=path.name)
    return look(read_pictures(path, name=path.name), clip, tools, cutter, nothing)


def test_a_clip_is_followed_and_cut_in_every_frame(tmp_path: Path, tools: Tools) -> None:
    path = cut_clip(tmp_path / "ada.mp4", "scene1_ada.mp4", frames=14)
    cutter = FaceCutter()
    found = seen(path, tools, cutter)
    assert found.frames == 14
    (track,) = found.tracks
    assert [point.index for point in track.points] == list(range(14))
    faces = cutter.face_sets([("ada", track)])["ada"]
    assert len(faces) == 14
    assert faces.seconds.tolist() == [point.seconds for point in track.points]


def test_a_clip_without_faces_has_no_tracks(tmp_path: Path, tools: Tools) -> None:
    path = cut_clip(tmp_path / "empty.mp4", "no_face.mp4", frames=4)
    found = seen(path, tools, FaceCutter())
    assert (found.frames, found.tracks) == (4, ())


def test_clock_time() -> None:
    assert [clock_time(s) for s in (0.0, 59.96, 61.0, 3600.5)] == [
        "0:00.0", "1:00.0", "1:01.0", "60:00.5",
    ]  # fmt: skip
