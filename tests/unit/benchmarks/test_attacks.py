from pathlib import Path

import pytest
from marks.attacks import ATTACKS, classes, run_attack

from assent.kit.media.probe import probe
from assent.kit.media.still import read_still


def test_the_suite_is_large_and_every_name_has_a_class() -> None:
    assert len(ATTACKS) >= 80
    assert len(set(ATTACKS)) == len(ATTACKS)
    assert set(classes()) == set(ATTACKS)
    assert {"codec", "scale", "crop", "turn", "colour", "time", "cover", "hard"} == set(
        classes().values()
    )


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("scale-0.5", (160, 128)),
        ("crop-25", (240, 192)),
        ("crop-50-back", (320, 256)),
        ("turn-90", (256, 320)),
        ("square", (256, 256)),
        ("upright-9x16", (144, 256)),
        ("letterbox", (320, 332)),
        ("to-360-lines-crf28", (450, 360)),
        ("camera-5", (320, 256)),
        ("pip-33", (320, 256)),
        ("bend-6", (320, 256)),
        ("re-share", (216, 172)),
    ],
)
def test_copies_have_the_size_that_their_names_say(
    film: Path, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    copy = run_attack(name, film, tmp_path)
    assert copy.parent == tmp_path
    clip = probe(copy, name=copy.name)
    assert abs(clip.width - size[0]) <= 2
    assert abs(clip.height - size[1]) <= 2
    assert clip.frames == 25


@pytest.mark.parametrize(
    ("name", "frames"), [("every-second", 13), ("cut-0.5s", 13), ("fps-5", 5), ("backwards", 25)]
)
def test_copies_have_the_length_that_their_names_say(
    film: Path, tmp_path: Path, name: str, frames: int
) -> None:
    copy = run_attack(name, film, tmp_path)
    assert abs(probe(copy, name=copy.name).frames - frames) <= 1


def test_a_still_is_one_picture(film: Path, tmp_path: Path) -> None:
    copy = run_attack("still-jpeg-50", str(film), str(tmp_path))
    assert read_still(copy.read_bytes(), name=copy.name).shape == (256, 320, 3)


@pytest.mark.parametrize("name", ["h264-crf30", "noise-20", "drop-30", "camera-5"])
def test_the_same_film_gives_the_same_copy(film: Path, tmp_path: Path, name: str) -> None:
    copies = []
    for folder in (tmp_path / "1", tmp_path / "2"):
        folder.mkdir()
        copies.append(run_attack(name, film, folder).read_bytes())
    assert copies[0] == copies[1]
