from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.create.patches import Patch, apply, cut, pack, unpack, unpack_looks
from assent.kit.errors import IntegrityError
from assent.kit.media.picture import Picture

Kind = tuple[int, tuple[int, int]]
KINDS: list[Kind] = [(8, (2, 2)), (8, (2, 1)), (8, (1, 1)), (10, (2, 2)), (10, (1, 1))]


def picture(
    kind: Kind = (8, (2, 2)), *, seed: int = 1, width: int = 31, height: int = 23
) -> Picture:
    bits, (sx, sy) = kind
    random = np.random.default_rng(seed)

    def plane(w: int, h: int) -> NDArray[np.generic]:
        return random.integers(0, 1 << bits, (h, w)).astype(np.uint8 if bits == 8 else np.uint16)

    chroma = (-(-width // sx), -(-height // sy))
    return Picture(
        pts=7, y=plane(width, height), u=plane(*chroma), v=plane(*chroma), bits=bits,
        full_range=False, matrix="bt709",
    )  # fmt: skip


def same(a: Picture, b: Picture) -> bool:
    return all(np.array_equal(getattr(a, plane), getattr(b, plane)) for plane in "yuv")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("box", [(5, 3, 14, 12), (-4, -4, 40, 40), (20, 11, 31, 23), (0, 0, 1, 1)])
def test_only_the_box_travels(kind: Kind, box: tuple[int, int, int, int]) -> None:
    shot, painted = picture(kind, seed=1), picture(kind, seed=2)
    (patch,) = unpack(b"".join(pack([cut(painted, box)])))
    result = apply(patch, shot)
    x0, y0 = max(0, box[0] // 2 * 2), max(0, box[1] // 2 * 2)
    x1, y1 = min(31, -(-box[2] // 2) * 2), min(23, -(-box[3] // 2) * 2)
    inside = np.zeros(shot.y.shape, bool)
    inside[y0:y1, x0:x1] = True
    assert np.array_equal(result.y, np.where(inside, painted.y, shot.y))
    assert result.y.dtype == shot.y.dtype
    sx, sy = kind[1]
    chroma = np.zeros(shot.u.shape, bool)
    chroma[y0 // sy : -(-y1 // sy), x0 // sx : -(-x1 // sx)] = True
    for plane in "uv":
        before, after = getattr(shot, plane), getattr(painted, plane)
        assert np.array_equal(getattr(result, plane), np.where(chroma, after, before))


@pytest.mark.parametrize("box", [(40, 3, 50, 9), (-9, 0, -1, 9), (3, 3, 3, 3), (9, 9, 3, 3)])
def test_a_box_beyond_the_picture_changes_nothing(box: tuple[int, int, int, int]) -> None:
    shot = picture()
    patch = cut(picture(seed=2), box)
    if patch.planes is None:
        assert apply(patch, shot) is shot
    else:
        assert box == (3, 3, 3, 3)  # grown to even edges


def test_frames_without_a_patch_pass_as_they_are() -> None:
    shot = picture()
    (patch,) = unpack(b"".join(pack([Patch(pts=7)])))
    assert apply(patch, shot) is shot


def test_the_picture_itself_is_not_written_to() -> None:
    shot = picture()
    before = shot.y.copy()
    apply(cut(picture(seed=2), (0, 0, 20, 20)), shot)
    assert np.array_equal(shot.y, before)


def test_many_patches_in_order() -> None:
    patches = [cut(picture(seed=seed), (0, 0, seed, seed)) for seed in range(1, 6)]
    again = list(unpack(b"".join(pack(patches))))
    assert len(again) == 5
    for old, new in zip(patches, again, strict=True):
        assert (old.pts, old.x, old.y) == (new.pts, new.x, new.y)
        assert old.planes is not None
        assert new.planes is not None
        assert all(np.array_equal(a, b) for a, b in zip(old.planes, new.planes, strict=True))
    assert list(unpack(b"")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_looks_travel_with_their_patches(kind: Kind) -> None:
    look = picture(kind, seed=3, width=9, height=5)
    patches = [replace(cut(picture(kind), (0, 0, 9, 9)), look=look), Patch(pts=8)]
    data = b"".join(pack(patches))
    for read in (unpack, unpack_looks):
        first, second = read(data)
        assert first.look is not None
        assert same(first.look, look)
        assert (first.look.bits, first.look.matrix, first.look.pts) == (kind[0], "bt709", 7)
        assert (first.pts, second.pts, second.look) == (7, 8, None)
    assert next(unpack_looks(data)).planes is None
    assert next(unpack(data)).planes is not None


def test_a_patch_of_another_frame_is_refused() -> None:
    with pytest.raises(IntegrityError, match="not those of its footage"):
        apply(Patch(pts=8), picture())


@pytest.mark.parametrize(("dx", "dy"), [(20, 0), (0, 20)])
def test_a_patch_that_does_not_fit_is_refused(dx: int, dy: int) -> None:
    patch = cut(picture(seed=2), (0, 0, 20, 20))
    moved = Patch(pts=7, x=dx, y=dy, planes=patch.planes)
    with pytest.raises(IntegrityError, match="doesn't fit"):
        apply(moved, picture())


def test_a_patch_of_another_depth_is_refused() -> None:
    with pytest.raises(IntegrityError, match="doesn't fit"):
        apply(cut(picture((10, (2, 2))), (0, 0, 9, 9)), picture())


def test_damaged_segments_are_refused() -> None:
    look = picture(width=9, height=5)
    data = b"".join(pack([replace(cut(picture(), (0, 0, 20, 20)), look=look)]))
    for end in range(1, len(data), 17):
        with pytest.raises(IntegrityError, match="can't be read"):
            list(unpack(data[:end]))
        with pytest.raises(IntegrityError, match="can't be read"):
            list(unpack_looks(data[:end]))
    for spoilt in (
        b"\xff" * 40,
        data.replace(b"uint8", b"int64"),
        data.replace(b'"pts"', b'"xxx"'),
        data.replace(b'"planes"', b'"plants"'),
        data.replace(b", 20, 20]", b", 99, 99]"),
        data.replace(b'"bits": 8', b'"bits": 9'),
        data.replace(b'"y": 0', b'"z": 0'),
    ):
        assert spoilt != data
        with pytest.raises(IntegrityError, match="can't be read"):
            list(unpack(spoilt))
