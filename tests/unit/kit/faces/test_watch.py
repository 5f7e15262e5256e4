from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from assent.kit.errors import MediaError
from assent.kit.faces.frame import Frame, PictureFrame, RgbFrame
from assent.kit.faces.watch import watch
from assent.kit.media.read import read_pictures


def frames(clip: Path, count: int, step: float = 0.1) -> Iterator[tuple[float, Frame]]:
    pictures = islice(read_pictures(clip, name=clip.name), 0, None, 3)
    for number, picture in enumerate(islice(pictures, count)):
        yield number * step, PictureFrame(picture)


def test_one_face_is_followed(samples: Path) -> None:
    seen = watch(frames(samples / "ada_statement.mp4", 12), name="it", longest=60.0)
    assert (seen.width, seen.height) == (384, 384)
    assert len(seen.seconds) == len(seen.meshes) == len(seen.changes) == 12
    assert seen.seen.all()
    assert seen.others.sum() == seen.perhaps.sum() == 0
    assert seen.cuts == ()
    assert seen.changes[0] == 0
    assert (seen.changes[1:] > 0).all()
    assert len(seen.embeddings) == len(seen.embedded_at) >= 1
    assert len(seen.light) == len(seen.sharpness) == 3
    assert 60 < np.median(seen.light) < 200


def test_a_second_face_is_counted(samples: Path) -> None:
    seen = watch(frames(samples / "two_people.mp4", 6), name="it", longest=60.0)
    assert seen.others.tolist() == [1] * 6
    assert seen.seen.all()


def test_an_empty_room_shows_no_face(samples: Path) -> None:
    seen = watch(frames(samples / "no_face.mp4", 5), name="it", longest=60.0)
    assert not seen.seen.any()
    assert len(seen.light) == len(seen.embeddings) == 0


def test_a_cut_is_noticed(samples: Path) -> None:
    def shown() -> Iterator[tuple[float, Frame]]:
        yield from frames(samples / "ada_statement.mp4", 4)
        for second, frame in frames(samples / "no_face.mp4", 4):
            yield second + 0.4, RgbFrame(255 - frame.shrunk(384, 384))

    seen = watch(shown(), name="it", longest=60.0)
    assert [*seen.cuts] == pytest.approx([0.4])
    assert seen.seen.tolist() == [True] * 4 + [False] * 4


def test_of_a_fast_camera_some_pictures_are_left_out(samples: Path) -> None:
    seen = watch(frames(samples / "no_face.mp4", 10, 1 / 60), name="it", longest=60.0)
    assert len(seen.seconds) == 4


def test_what_is_too_long_or_empty_is_refused(samples: Path) -> None:
    with pytest.raises(MediaError, match="longer than 1 seconds"):
        watch(frames(samples / "no_face.mp4", 5, 0.3), name="it", longest=1.0)
    with pytest.raises(MediaError, match="no pictures"):
        watch(iter(()), name="it", longest=1.0)
