import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from casts import Cast, Stage

from assent.disclose.check import check_label, check_mark, check_media, check_sound
from assent.disclose.entry import SealEntry
from assent.kit.errors import SealError
from assent.kit.imaging.label import Corner, burn, draw_label
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def pictures_of(path: Path) -> Iterator[Picture]:
    return read_pictures(path, name=path.name)


def test_each_check_returns_what_it_verified(stage: Stage) -> None:
    made = stage.released()
    assert check_label(pictures_of(made.path), corner=Corner.TOP_RIGHT) == 40
    key = stage.studio.reading_key
    mark = check_mark(pictures_of(made.path), key=key, asset_id=made.asset_id)
    assert f"{mark.asset_id:016x}" == made.asset_id


def test_one_picture_without_the_label_is_found(stage: Stage) -> None:
    pictures = list(pictures_of(stage.clips / "scene.mp4"))[:6]
    label = draw_label(256, 256)
    labelled = [burn(picture, label) for picture in pictures]
    assert check_label(labelled, corner=Corner.TOP_RIGHT) == 6
    for number in range(6):
        some = [*labelled[:number], pictures[number], *labelled[number + 1 :]]
        with pytest.raises(SealError, match=f"frame {number}"):
            check_label(some, corner=Corner.TOP_RIGHT)


def test_no_picture_at_all(stage: Stage) -> None:
    with pytest.raises(SealError, match="no picture"):
        check_label([], corner=Corner.TOP_RIGHT)
    with pytest.raises(SealError, match="can't be read back"):
        check_mark([], key=stage.studio.reading_key, asset_id="0" * 16)


def test_the_mark_in_the_sound(stage: Stage) -> None:
    made, key = stage.released(), stage.studio.reading_key
    number = int(made.asset_id[-8:], 16)
    noise = np.random.default_rng(1).normal(size=(1, 16000 * 14)).astype(np.float32) * 0.1
    for carried, asset_id, problem in (
        (number, made.asset_id, None),
        (number ^ 1, made.asset_id, "another asset id"),
        (None, made.asset_id, "can't be read back"),
    ):
        sound = noise
        if carried is not None:
            marker = SoundMarker(rate=16000, number=carried, pattern=Pattern.derive(key))
            sound = np.concatenate(list(marker.mark([noise])), axis=1)
        if problem is None:
            found = check_sound([sound[0]], rate=16000, key=key, asset_id=asset_id)
            assert [mark.number for mark in found.marks] == [number]
            continue
        with pytest.raises(SealError, match=problem):
            check_sound([sound[0]], rate=16000, key=key, asset_id=asset_id)


def test_what_is_read_in_too_short_a_sound_decides_nothing(stage: Stage) -> None:
    key = stage.studio.reading_key
    noise = np.random.default_rng(1).normal(size=(1, 16000 * 14)).astype(np.float32) * 0.1
    marker = SoundMarker(rate=16000, number=12, pattern=Pattern.derive(key))
    sound = np.concatenate(list(marker.mark([noise])), axis=1)[0]
    found = check_sound([sound[: 16000 * 5 // 2]], rate=16000, key=key, asset_id="0" * 16)
    assert [mark.number for mark in found.marks] == [12]
    with pytest.raises(SealError, match="another asset id"):
        check_sound([sound[: 16000 * 4]], rate=16000, key=key, asset_id="0" * 16)


def test_sound_that_can_hold_no_mark_is_let_through(stage: Stage) -> None:
    tone = np.sin(np.arange(16000 * 14) * 0.2).astype(np.float32)
    for sound in (tone, tone * 0, tone[:0]):
        key = stage.studio.reading_key
        assert not check_sound([sound], rate=16000, key=key, asset_id="0" * 16).marks


def test_a_file_that_breaks_off_is_no_sealed_video(stage: Stage) -> None:
    made = stage.released()
    entry = SealEntry.parse(stage.studio.log.reader().entry(made.log_index))
    data = made.path.read_bytes()
    for length in (0, 8, 1000, len(data) // 2, len(data) - 1):
        media = io.BytesIO(data[:length])
        with pytest.raises(SealError):
            check_media(
                media, entry, chain=stage.studio.chain, key=stage.studio.reading_key,
                corner=Corner.TOP_RIGHT,
            )  # fmt: skip
