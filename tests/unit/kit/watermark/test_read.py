from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.read import read_mark

Luma = NDArray[np.uint8]
Reencode = Callable[[Iterable[Luma], int], list[Luma]]
Change = Callable[[Luma], Luma]


def resize(plane: Luma, width: int, height: int) -> Luma:
    how = cv2.INTER_AREA if width < plane.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), np.uint8)


def turn(plane: Luma) -> Luma:
    height, width = plane.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return np.asarray(cv2.warpAffine(plane, matrix, (width, height)), np.uint8)


def test_two_generations_of_encoding(
    marked: list[Luma], reencode: Reencode, key: ReadingKey, asset_id: int
) -> None:
    search = read_mark(reencode(reencode(marked, 18), 28), key=key)
    assert search.mark is not None
    assert search.mark.asset_id == asset_id
    assert search.mark.geometry == "whole frame"
    assert search.searched == ("whole frame",)
    assert search.mark.confidence > 0.9999
    assert search.mark.segment == 0
    assert search.mark.frames == search.frames <= 48


STRANGERS = tuple(int(n) for n in np.random.default_rng(1).integers(0, 1 << 63, 3000))


def test_a_faint_mark_is_told_from_a_list_where_it_cannot_be_read_bit_by_bit(
    marked: list[Luma], reencode: Reencode, key: ReadingKey, asset_id: int
) -> None:
    faint = reencode(marked, 34)
    assert read_mark(faint, key=key).mark is None
    mark = read_mark(faint, key=key, known=Known([*STRANGERS, asset_id])).mark
    assert mark is not None
    assert (mark.asset_id, mark.listed) == (asset_id, 3001)
    assert read_mark(faint, key=key, known=Known(STRANGERS)).mark is None


def test_a_list_hides_no_mark_that_is_not_on_it(
    marked: list[Luma], key: ReadingKey, asset_id: int
) -> None:
    mark = read_mark(marked[:4], key=key, known=Known(STRANGERS)).mark
    assert mark is not None
    assert (mark.asset_id, mark.listed) == (asset_id, None)


def test_a_list_finds_nothing_in_footage_without_a_mark(
    footage: list[Luma], key: ReadingKey
) -> None:
    assert read_mark(footage[::4], key=key, known=Known(STRANGERS)).mark is None


CHANGES: list[tuple[str, Change]] = [
    ("whole frame", lambda p: resize(p, 192, 192)),
    ("whole frame", lambda p: resize(p, 576, 576)),
    ("whole frame, mirrored", lambda p: p[:, ::-1]),
    ("whole frame, colours inverted", lambda p: 255 - p),
    ("whole frame, upside down, colours inverted", lambda p: 255 - p[::-1, ::-1]),
    ("scaled 1.11", lambda p: p[19:-19, 19:-19]),
    ("scaled 1.00, rotated -5.0 degrees", turn),
    ("scaled 1.15, aspect ratio 1.33", lambda p: resize(p, 512, 384)),
    (
        "scaled 0.50",
        lambda p: np.pad(resize(p, 192, 192), ((0, 192), (192, 0)), constant_values=40),
    ),
]


@pytest.mark.parametrize(("geometry", "change"), CHANGES)
def test_changed_pictures_are_read(
    marked: list[Luma], key: ReadingKey, asset_id: int, geometry: str, change: Change
) -> None:
    search = read_mark((change(plane) for plane in marked[::4]), key=key)
    assert search.mark is not None
    assert search.mark.asset_id == asset_id
    assert search.mark.geometry == geometry


def test_half_size_encoded(
    marked: list[Luma], reencode: Reencode, key: ReadingKey, asset_id: int
) -> None:
    small = reencode([resize(plane, 192, 192) for plane in marked], 23)
    search = read_mark(small, key=key)
    assert search.mark is not None
    assert search.mark.asset_id == asset_id


def test_one_still_as_jpeg(marked: list[Luma], key: ReadingKey, asset_id: int) -> None:
    _, file = cv2.imencode(".jpg", marked[30], [cv2.IMWRITE_JPEG_QUALITY, 80])
    still = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
    search = read_mark([still], key=key)
    assert search.mark is not None
    assert (search.mark.asset_id, search.mark.frames) == (asset_id, 1)


def test_a_window_of_a_collage_is_read(marked: list[Luma], key: ReadingKey, asset_id: int) -> None:
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 255, (240, 240)), np.ones((4, 4))).astype(np.uint8)

    def collage(plane: Luma, number: int) -> Luma:
        whole = np.roll(texture, number * 12, axis=1)
        whole[288:672, 288:672] = plane
        return whole

    search = read_mark((collage(p, i) for i, p in enumerate(marked[::4])), key=key)
    assert search.mark is not None
    assert search.mark.asset_id == asset_id


def test_a_wide_picture_whose_working_size_is_capped_is_read_straight(
    footage: list[Luma], key: ReadingKey
) -> None:
    wide = np.ascontiguousarray(np.hstack([footage[0], footage[10], footage[20]])[:300])
    embedder = Embedder(width=1152, height=300, bits=8, asset_id=9, key=key)
    embedder.prepare([wide])
    search = read_mark([np.asarray(embedder.mark(wide), np.uint8)], key=key)
    assert search.mark is not None
    assert (search.mark.asset_id, search.mark.geometry) == (9, "whole frame")


@pytest.mark.parametrize(("seconds", "segment"), [(16.0, 2), (30.2, 3)])
def test_a_cut_is_located_in_time(
    footage: list[Luma], key: ReadingKey, asset_id: int, seconds: float, segment: int
) -> None:
    """The second piece runs over from one segment to the next."""
    embedder = Embedder(width=384, height=384, bits=8, asset_id=asset_id, key=key)
    times = [seconds + 0.1 * number for number in range(32)]
    embedder.prepare(footage[:32], seconds=times)
    planes = [embedder.mark(p, seconds=s) for p, s in zip(footage, times, strict=False)]
    search = read_mark([np.asarray(plane, np.uint8) for plane in planes], key=key)
    assert search.mark is not None
    assert (search.mark.asset_id, search.mark.segment) == (asset_id, segment)


def test_another_key_reads_nothing(marked: list[Luma]) -> None:
    other = ReadingKey.from_bytes(bytes(32))
    assert read_mark(marked[::8], key=other, budget_s=0.5).mark is None


UNMARKED = [
    "ada_train.mp4",
    "ben_train.mp4",
    "cleo_train.mp4",
    "no_face.mp4",
    "scene1_ada.mp4",
    "scene1_ada_with_ben_face.mp4",
    "two_people.mp4",
]


@pytest.mark.parametrize("name", UNMARKED)
def test_unmarked_footage_yields_no_mark(
    sample_luma: Callable[[str, int], list[Luma]], key: ReadingKey, name: str
) -> None:
    search = read_mark(sample_luma(name, 20), key=key, budget_s=60)
    assert search.mark is None
    assert len(search.searched) == 13


def test_noise_yields_no_mark(key: ReadingKey) -> None:
    rng = np.random.default_rng(1)
    planes = [rng.integers(0, 256, (256, 256)).astype(np.uint8) for _ in range(3)]
    assert read_mark(planes, key=key).mark is None


def test_blank_pictures_are_reported_as_such(key: ReadingKey) -> None:
    search = read_mark([np.full((240, 320), 90, np.uint8)] * 5, key=key)
    assert (search.mark, search.frames) == (None, 5)
    assert search.searched == ("nothing: the pictures are blank",)


@pytest.mark.parametrize("shape", [(0, 0), (32, 32), (63, 500), (100, 2000)])
def test_tiny_and_narrow_pictures_are_refused_honestly(
    key: ReadingKey, shape: tuple[int, int]
) -> None:
    search = read_mark([np.zeros(shape, np.uint8)], key=key)
    assert search.mark is None
    assert "too small" in search.searched[0]


def test_no_frames_at_all(key: ReadingKey) -> None:
    assert read_mark(iter(()), key=key).searched == ("nothing: there are no frames",)


@pytest.mark.parametrize(
    "plane", [np.zeros((300, 300), np.uint16), np.zeros((300, 300, 3), np.uint8)]
)
def test_planes_of_another_kind_are_refused(key: ReadingKey, plane: Luma) -> None:
    with pytest.raises(InputError, match="uint8"):
        read_mark([plane], key=key)


def test_no_more_frames_are_taken_than_allowed(key: ReadingKey) -> None:
    taken = 0

    def endless() -> Iterator[Luma]:
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros((200, 200), np.uint8)

    assert read_mark(endless(), key=key, max_frames=7).frames == taken == 7


def test_the_search_stops_when_time_is_up_and_says_so(key: ReadingKey, footage: list[Luma]) -> None:
    ticks = iter(range(1000))
    search = read_mark(
        footage, key=key, budget_s=10, max_frames=4, clock=lambda: float(next(ticks))
    )
    assert search.mark is None
    assert search.searched[0] == "whole frame"
    assert search.searched[-1] == "stopped: the time was used up"
    assert 2 < len(search.searched) < 13
