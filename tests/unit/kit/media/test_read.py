import hashlib
import io
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from clips import Recipe

from assent.kit.errors import IntegrityError, MediaError
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures, sample_pictures

if TYPE_CHECKING:
    from clips import Clips


def read(path: Path, start_pts: int | None = None) -> list[Picture]:
    return list(read_pictures(path, name=path.name, start_pts=start_pts))


def digest(picture: Picture) -> str:
    planes = (picture.y, picture.u, picture.v)
    return hashlib.sha256(b"".join(plane.tobytes() for plane in planes)).hexdigest()


def test_samples_are_the_decoders_own(samples: Path) -> None:
    path = samples / "no_face.mp4"
    with av.open(str(path)) as container:
        theirs = [frame.to_ndarray() for frame in container.decode(video=0)]
    ours = read(path)
    assert len(ours) == len(theirs) == 30
    for mine, other in zip(ours, theirs, strict=True):
        height = mine.height
        assert np.array_equal(mine.y, other[:height])
        assert np.array_equal(mine.u.ravel(), other[height : height * 5 // 4].ravel())
        assert np.array_equal(mine.v.ravel(), other[height * 5 // 4 :].ravel())


def test_pictures_own_their_memory(clips: "Clips") -> None:
    path = clips.plain()
    pictures = read_pictures(path, name=path.name)
    kept = list(islice(pictures, 5))
    before = [digest(picture) for picture in kept]
    for picture in pictures:
        picture.y[:] = 0
    assert [digest(picture) for picture in kept] == before
    assert all(picture.y.flags.owndata or picture.y.base is not None for picture in kept)
    assert all(picture.y.flags.writeable for picture in kept)


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))]
)
def test_the_white_corner_is_where_a_player_shows_it(
    clips: "Clips", degrees: int, corner: tuple[int, int]
) -> None:
    path = clips.rotated(degrees) if degrees else clips.plain()
    picture = read(path)[0]
    clip = probe(path, name=path.name)
    assert (picture.width, picture.height) == (clip.width, clip.height)
    rgb = to_rgb(picture).astype(int)
    row, column = corner
    assert rgb[row, column].min() > 220
    others = {(0, 0), (0, -1), (-1, 0), (-1, -1)} - {corner}
    assert all(rgb[other].min() < 220 for other in others)


def test_a_mirrored_clip_is_unmirrored(clips: "Clips") -> None:
    data = bytearray(clips.rotated(180).read_bytes())
    # Turn the 180 degree matrix (-1, -1) of the picture track into a left-right flip (-1, 1).
    minus, one = (-65536).to_bytes(4, "big", signed=True), (65536).to_bytes(4, "big")
    rows = minus + bytes(12) + minus
    at = data.index(rows)
    data[at : at + len(rows)] = minus + bytes(12) + one
    picture = next(read_pictures(io.BytesIO(data), name="mirrored.mp4"))
    rgb = to_rgb(picture)
    assert rgb[0, -1].min() > 220
    assert rgb[0, 0].min() < 220


@pytest.mark.parametrize("layout", ["420", "422", "444"])
@pytest.mark.parametrize("deep", ["", "10le"])
def test_bits_and_subsampling_are_kept(clips: "Clips", layout: str, deep: str) -> None:
    path = clips.plain(pix_fmt=f"yuv{layout}p{deep}", frames=3, sound=None)
    picture = read(path)[0]
    assert picture.bits == (10 if deep else 8)
    assert picture.subsampling == {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[layout]
    clip = probe(path, name=path.name)
    assert (clip.bits, clip.subsampling) == (picture.bits, picture.subsampling)


def test_a_quarter_turn_of_422_becomes_420(clips: "Clips") -> None:
    path = clips.rotated(90, pix_fmt="yuv422p")
    assert read(path)[0].subsampling == probe(path, name="x").subsampling == (2, 2)


@pytest.mark.parametrize("pix_fmt", ["bgr0", "gray", "gray10le", "yuv420p12le", "yuv411p"])
def test_other_sample_formats_keep_their_look(clips: "Clips", pix_fmt: str) -> None:
    from clips import draw

    colour = (2, 2, 2, 0 if pix_fmt in ("bgr0",) else 1)
    path = clips.plain(
        "other.mkv", codec="ffv1", pix_fmt=pix_fmt, options={}, frames=2, sound=None, colour=colour
    )
    picture = read(path)[0]
    clip = probe(path, name="x")
    assert (clip.bits, clip.subsampling) == (picture.bits, picture.subsampling)
    wanted = draw(96, 64, 0).astype(float)
    if pix_fmt.startswith("gray"):
        assert (picture.u == 128 << (picture.bits - 8)).all()
        luma = wanted @ (0.299, 0.587, 0.114)
        got = to_rgb(picture)[..., 0].astype(float)
        assert np.corrcoef(got.ravel(), luma.ravel())[0, 1] > 0.999
    else:
        assert np.abs(to_rgb(picture) - wanted).mean() < 4


def test_odd_sides_keep_their_size(clips: "Clips") -> None:
    picture = read(clips.odd())[0]
    assert (picture.y.shape, picture.u.shape) == ((65, 97), (33, 49))


def test_variable_times_are_kept(clips: "Clips") -> None:
    pts = [picture.pts for picture in read(clips.variable_rate())]
    gaps = np.diff(pts) * 30 / 15360
    wanted = np.random.default_rng(7).integers(1, 6, size=24)
    assert gaps.tolist() == wanted.tolist()


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.ts", "long.avi"])
def test_resuming_gives_what_a_whole_reading_gives(clips: "Clips", name: str) -> None:
    avi: dict[str, object] = {"codec": "mpeg4", "options": {"g": "12"}, "sound": None}
    path = clips.plain(name, frames=150, **(avi if name.endswith("avi") else {}))
    whole = read(path)
    assert len(whole) == 150
    for index in (0, 1, 60, 61, 100, 149):
        part = list(islice(read_pictures(path, name=name, start_pts=whole[index].pts), 4))
        wanted = whole[index : index + 4]
        assert [picture.pts for picture in part] == [picture.pts for picture in wanted]
        assert [digest(picture) for picture in part] == [digest(picture) for picture in wanted]
    between = list(islice(read_pictures(path, name=name, start_pts=whole[79].pts + 1), 1))
    assert between[0].pts == whole[80].pts


def test_resuming_beyond_the_end_gives_nothing(clips: "Clips") -> None:
    assert read(clips.plain(), start_pts=10**7) == []


def test_resuming_does_not_decode_the_beginning(clips: "Clips") -> None:
    class Counting(io.BytesIO):
        total = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.total += len(data)
            return data

    path = clips.plain("big.mkv", codec="rawvideo", options={}, frames=300, sound=None)
    data = path.read_bytes()
    file = Counting(data)
    part = list(read_pictures(file, name="big.mkv", start_pts=290 * 40))
    assert len(part) == 10
    assert file.total < len(data) // 2


def test_a_cut_names_the_time_after_giving_what_is_whole(clips: "Clips") -> None:
    path = clips.cut_short()
    assert probe(path, name=path.name).duration == 2.0
    seen: list[int] = []
    with pytest.raises(MediaError, match=r"cut_short.mp4 is cut off: it ends at 0\.\d\d s of 2"):
        seen.extend(picture.pts for picture in read_pictures(path, name=path.name))
    assert 15 < len(seen) < 35
    assert seen == [512 * index for index in range(len(seen))]


def test_a_cut_matroska_file_names_the_time(clips: "Clips") -> None:
    whole = clips.plain("whole.mkv", frames=150).read_bytes()
    with pytest.raises(MediaError, match=r"cut\.mkv is (cut off|damaged)"):
        list(read_pictures(io.BytesIO(whole[: len(whole) // 2]), name="cut.mkv"))


def test_damage_names_the_time(clips: "Clips") -> None:
    path = clips.damaged()
    with pytest.raises(MediaError, match=r"damaged.mp4 is damaged after (0\.9|1\.0)") as caught:
        read(path)
    assert "Copy the file" in caught.value.advice


@pytest.mark.parametrize("flaw", ["interlaced", "encrypted", "no_pictures", "text", "empty"])
def test_flaws_are_refused(clips: "Clips", flaw: str) -> None:
    with pytest.raises(MediaError):
        read(getattr(clips, flaw)())


def test_a_change_of_size_is_refused(clips: "Clips") -> None:
    first = clips.plain("first.ts", sound=None).read_bytes()
    second = clips.plain("second.ts", width=128, sound=None).read_bytes()
    with pytest.raises(MediaError, match="changes its size to 128x64"):
        list(read_pictures(io.BytesIO(first + second), name="two.ts"))


def test_a_recording_that_begins_again_goes_on_in_time(clips: "Clips") -> None:
    part = clips.plain("part.ts", sound=None, frames=50).read_bytes()
    pts = [p.pts for p in read_pictures(io.BytesIO(part + part), name="twice.ts")]
    assert len(pts) >= 99
    assert all(gap > 0 for gap in np.diff(pts))


def test_a_broadcast_joined_in_the_middle_begins_at_a_key_picture(clips: "Clips") -> None:
    whole = clips.plain("whole.ts", sound=None, frames=50).read_bytes()
    packet = 188
    start = len(whole) // packet // 3 * packet
    joined = whole[: 3 * packet] + whole[start:]
    pictures = list(read_pictures(io.BytesIO(joined), name="joined.ts"))
    assert 10 < len(pictures) < 50


def test_errors_of_the_source_pass_through(clips: "Clips") -> None:
    class Changed(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 300_000:
                raise IntegrityError("chunk 9 was changed")
            return super().read(size)

    path = clips.plain("big.mkv", codec="rawvideo", options={}, frames=60, sound=None)
    seen: list[int] = []
    with pytest.raises(IntegrityError):
        seen.extend(p.pts for p in read_pictures(Changed(path.read_bytes()), name="big.mkv"))
    assert len(seen) > 20


def test_a_reading_may_be_given_up(clips: "Clips") -> None:
    path = clips.plain()
    pictures = read_pictures(path, name=path.name)
    next(pictures)
    pictures.close()  # type: ignore[attr-defined]
    path.unlink()


def sampled(path: Path, seconds: float) -> list[int]:
    return [picture.pts for picture in sample_pictures(path, name=path.name, seconds=seconds)]


def test_samples_are_key_frames_where_these_lie_close(clips: "Clips") -> None:
    options = {"crf": "18", "g": "5", "sc_threshold": "0"}
    path = clips.plain(frames=50, options=options)
    whole = read(path)
    found = list(sample_pictures(path, name=path.name, seconds=0.2))
    assert [picture.pts for picture in found] == [picture.pts for picture in whole[::5]]
    assert [digest(picture) for picture in found] == [digest(picture) for picture in whole[::5]]


@pytest.mark.parametrize("name", ["plain.mp4", "plain.mkv"])
def test_samples_are_taken_from_all_where_they_do_not(clips: "Clips", name: str) -> None:
    path = clips.make(name, Recipe(frames=50, options={"crf": "18", "g": "50"}, sound=None))
    times = [picture.pts for picture in read(path)]
    for seconds, step in ((0.2, 5), (0.04, 1), (0.001, 1)):
        assert sampled(path, seconds) == [*times[:-1:step], times[-1]]


def test_samples_of_a_variable_rate_lie_no_further_apart(clips: "Clips") -> None:
    path = clips.variable_rate()
    times = [picture.pts for picture in read(path)]
    unit = probe(path, name=path.name).time_base
    found = sampled(path, 0.2)
    assert (found[0], found[-1]) == (times[0], times[-1])
    for one, two in pairwise(found):
        assert (two - one) * unit <= 0.2 or times.index(two) == times.index(one) + 1


def test_a_single_picture_is_a_sample(clips: "Clips") -> None:
    assert len(sampled(clips.one_frame(), 0.5)) == 1
