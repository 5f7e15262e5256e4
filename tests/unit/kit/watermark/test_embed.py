import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError, MediaError
from assent.kit.watermark.carriers import Carriers, first_variant
from assent.kit.watermark.embed import Embedder, Profile
from assent.kit.watermark.frontend import detail
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.read import read_mark
from assent.kit.watermark.tile import gains

Luma = NDArray[np.uint8]


def make(key: ReadingKey, width: int = 384, height: int = 384, bits: int = 8) -> Embedder:
    return Embedder(width=width, height=height, bits=bits, asset_id=7, key=key)


def psnr(one: NDArray[np.generic], two: NDArray[np.generic], peak: float) -> float:
    error = float(((one.astype(float) - two.astype(float)) ** 2).mean())
    return float(10 * np.log10(peak**2 / error))


def test_the_aim_in_decibels_is_kept(key: ReadingKey, footage: list[Luma]) -> None:
    marked = make(key).mark(footage[0])
    assert psnr(marked, footage[0], 255) > 43.8


def test_flat_ground_changes_by_less_than_an_eye_finds(key: ReadingKey) -> None:
    plane = np.full((384, 384), 128, np.uint8)
    change = np.subtract(make(key).mark(plane), plane, dtype=np.int64)
    assert change.std() < 1.3
    assert np.abs(change).max() <= 6


def test_the_input_is_never_written_to(key: ReadingKey, footage: list[Luma]) -> None:
    plane = footage[0].copy()
    plane.flags.writeable = False
    before = plane.copy()
    embedder = make(key)
    embedder.prepare([plane])
    marked = embedder.mark(plane)
    assert (plane == before).all()
    assert not np.shares_memory(marked, plane)
    assert marked.dtype == plane.dtype


def test_marking_is_a_function_of_the_picture(key: ReadingKey, footage: list[Luma]) -> None:
    assert (make(key).mark(footage[3]) == make(key).mark(footage[3])).all()


def test_ten_bit_planes_get_the_same_mark(key: ReadingKey, footage: list[Luma]) -> None:
    deep = np.asarray(footage[0].astype(np.uint16) * 4 + 1, np.uint16)
    marked = make(key, bits=10).mark(deep)
    assert marked.dtype == np.uint16
    assert psnr(marked, deep, 1020) > 43.8
    shallow = make(key).mark(footage[0])
    assert np.abs((marked >> 2).astype(int) - shallow).max() <= 1


@pytest.mark.parametrize("level", [0, 1023])
def test_ten_bit_planes_keep_within_their_range(key: ReadingKey, level: int) -> None:
    marked = np.asarray(make(key, bits=10).mark(np.full((384, 384), level, np.uint16)))
    assert marked.max() <= 1023
    assert (marked != level).any()


def test_preparing_makes_the_mark_easier_to_read(
    key: ReadingKey, carriers: Carriers, footage: list[Luma]
) -> None:
    plain, fitted = make(key), make(key)
    sampled = footage[::6]
    fitted.prepare(sampled)

    def error(embedder: Embedder) -> float:
        """Return how far pilots lie beside a multiple of what they should be."""
        seen = sum(detail(np.asarray(embedder.mark(plane), np.uint8)) for plane in sampled)
        pilots = gains(fold(np.asarray(seen), np.eye(2)), carriers)[:128]
        variant = first_variant(key, 7)
        gain = pilots / carriers.pilot_values[variant]
        return float(np.abs(gain.imag).mean() / gain.real.mean())

    assert error(fitted) < 0.7 * error(plain)


def test_preparing_with_nothing_changes_nothing(key: ReadingKey, footage: list[Luma]) -> None:
    embedder = make(key)
    embedder.prepare(iter(()))
    assert (embedder.mark(footage[0]) == make(key).mark(footage[0])).all()


def test_preparing_again_starts_anew(key: ReadingKey, footage: list[Luma]) -> None:
    once, twice = make(key), make(key)
    once.prepare(footage[:2])
    twice.prepare(footage[20:22])
    twice.prepare(footage[:2])
    assert (once.mark(footage[0]) == twice.mark(footage[0])).all()


def test_flat_footage_can_be_prepared_for(key: ReadingKey) -> None:
    plane = np.full((384, 384), 16, np.uint8)
    embedder = make(key)
    embedder.prepare([plane])
    assert np.abs(embedder.mark(plane).astype(int) - plane).max() <= 6


@pytest.mark.parametrize("size", [(127, 400), (400, 127), (0, 0)])
def test_small_pictures_are_refused(key: ReadingKey, size: tuple[int, int]) -> None:
    with pytest.raises(MediaError, match="too small"):
        make(key, *size)


def test_other_depths_are_refused(key: ReadingKey) -> None:
    with pytest.raises(MediaError, match="12-bit"):
        make(key, bits=12)


@pytest.mark.parametrize("psnr_db", [0.0, 29.0, 61.0, float("nan")])
def test_senseless_aims_are_refused(key: ReadingKey, psnr_db: float) -> None:
    with pytest.raises(InputError, match="dB"):
        Embedder(width=384, height=384, bits=8, asset_id=7, key=key, psnr_db=psnr_db)


def test_a_plane_of_another_size_or_depth_is_refused(key: ReadingKey) -> None:
    embedder = make(key)
    with pytest.raises(MediaError, match="384"):
        embedder.mark(np.zeros((384, 380), np.uint8))
    with pytest.raises(MediaError, match="uint16"):
        embedder.mark(np.zeros((384, 384), np.uint16))


def test_the_pattern_changes_with_each_segment_and_comes_back(
    key: ReadingKey, footage: list[Luma]
) -> None:
    embedder = make(key)
    plane = footage[0]
    changes = [
        embedder.mark(plane, seconds=seconds).astype(int) - plane
        for seconds in (0.0, 7.99, 8.0, 64.0)
    ]
    first, still, second, again = (change.ravel() for change in changes)
    assert (first == still).all()
    assert (first == again).all()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3


def test_each_segment_is_fitted_to_its_own_footage(key: ReadingKey, footage: list[Luma]) -> None:
    both, one = make(key), make(key)
    both.prepare([footage[0], footage[40]], seconds=[0.0, 8.0])
    one.prepare([footage[0]])
    assert (both.mark(footage[0]) == one.mark(footage[0])).all()
    assert (both.mark(footage[40], seconds=9) != one.mark(footage[40], seconds=9)).any()


def test_a_stronger_mark_changes_more(key: ReadingKey, footage: list[Luma]) -> None:
    loud = Embedder(
        width=384, height=384, bits=8, asset_id=7, key=key, profile=Profile.stronger()
    ).mark(footage[0])
    assert psnr(loud, footage[0], 255) < psnr(make(key).mark(footage[0]), footage[0], 255) - 1


@pytest.mark.parametrize("loudness", [0.0, 5.0, float("nan")])
def test_senseless_loudness_is_refused(loudness: float) -> None:
    with pytest.raises(InputError, match="grey levels"):
        Profile(loudness=loudness)


def test_footage_too_loud_to_be_taken_back_is_left_as_it_is(
    key: ReadingKey, footage: list[Luma]
) -> None:
    # A contact sheet: frames much alike, whose white rims are louder than what may be added.
    cells = [np.pad(plane[60:316, 64:320], 2, constant_values=235) for plane in footage[::3]]
    sheet = np.vstack([np.hstack(cells[:8]), np.hstack(cells[8:])])
    sheet = np.pad(sheet, ((120, 14), (8, 8)), constant_values=250)
    height, width = sheet.shape
    plain, fitted = make(key, width, height), make(key, width, height)
    fitted.prepare([sheet])
    first, second = (
        read_mark([np.asarray(one.mark(sheet), np.uint8)], key=key).mark for one in (plain, fitted)
    )
    assert first is not None
    assert second is not None
    assert second.z > 0.95 * first.z
