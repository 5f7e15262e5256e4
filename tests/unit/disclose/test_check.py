import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.disclose.check import check_label, check_mark, check_media
from assent.disclose.entry import SealEntry
from assent.kit.errors import SealError
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def pictures_of(path: Path) -> Iterator[Picture]:
    return read_pictures(path, name=path.name)


def test_each_check_returns_what_it_verified(stage: Stage) -> None:
    made = stage.released()
    assert check_label(pictures_of(made.path)) == 40
    key = stage.studio.reading_key
    mark = check_mark(pictures_of(made.path), key=key, asset_id=made.asset_id)
    assert f"{mark.asset_id:016x}" == made.asset_id


def test_one_picture_without_the_label_is_found(stage: Stage) -> None:
    pictures = list(pictures_of(stage.clips / "scene.mp4"))[:6]
    label = draw_label(256, 256)
    labelled = [burn(picture, label) for picture in pictures]
    assert check_label(labelled) == 6
    for number in range(6):
        some = [*labelled[:number], pictures[number], *labelled[number + 1 :]]
        with pytest.raises(SealError, match=f"frame {number}"):
            check_label(some)


def test_no_picture_at_all(stage: Stage) -> None:
    with pytest.raises(SealError, match="no picture"):
        check_label([])
    with pytest.raises(SealError, match="can't be read back"):
        check_mark([], key=stage.studio.reading_key, asset_id="0" * 16)


def test_a_file_that_breaks_off_is_no_sealed_video(stage: Stage) -> None:
    made = stage.released()
    entry = SealEntry.parse(stage.studio.log.reader().entry(made.log_index))
    data = made.path.read_bytes()
    for length in (0, 8, 1000, len(data) // 2, len(data) - 1):
        media = io.BytesIO(data[:length])
        with pytest.raises(SealError):
            check_media(media, entry, chain=stage.studio.chain, key=stage.studio.reading_key)
