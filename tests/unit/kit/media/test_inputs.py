"""Footage as cameras and phones make it comes out with the colours that a player showed before.

Clips are made and shown by ffmpeg's own program, which shares nothing with the code under test.
"""

import io
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media._encode import encode
from assent.kit.media.picture import Picture, to_rgb, with_luma
from assent.kit.media.probe import Clip, probe, require_sdr
from assent.kit.media.read import read_pictures
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey

Colour = tuple[str, str, str, str]  # pixel format, matrix, range, transfer
BARS = "smptehdbars=size=640x360:rate=25:duration=0.4"
KINDS: dict[str, Colour] = {
    "eight_bit": ("yuv420p", "bt709", "tv", "bt709"),
    "ten_bit": ("yuv420p10le", "bt709", "tv", "bt709"),
    "full_range": ("yuv420p", "bt709", "pc", "bt709"),
    "standard_definition": ("yuv420p", "smpte170m", "tv", "smpte170m"),
    "bt2020": ("yuv420p10le", "bt2020nc", "tv", "bt2020-10"),
    "bt2020_full_range": ("yuv420p10le", "bt2020nc", "pc", "bt2020-10"),
    "chroma_422": ("yuv422p10le", "bt709", "tv", "bt709"),
}


def ffmpeg(*arguments: str) -> bytes:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    done = subprocess.run(
        [program, "-v", "error", "-y", *arguments], check=True, capture_output=True
    )
    return done.stdout


def film(path: Path, colour: Colour, *filters: str, options: tuple[str, ...] = ()) -> Path:
    """Write colour bars in a camera's coding."""
    pix_fmt, matrix, reach, transfer = colour
    primaries = {"bt2020nc": "bt2020"}.get(matrix, matrix)
    into = {"bt2020nc": "bt2020"}.get(matrix, matrix)
    chain = [*filters, f"scale=out_color_matrix={into}:out_range={reach}", f"format={pix_fmt}"]
    ffmpeg(
        "-f", "lavfi", "-i", BARS, "-vf", ",".join(chain), "-c:v", "libx264", "-crf", "8",
        "-colorspace", matrix, "-color_primaries", primaries, "-color_trc", transfer,
        "-color_range", reach, *options, str(path),
    )  # fmt: skip
    return path


def shown(path: Path, clip: Clip) -> NDArray[np.int64]:
    """What a player shows: int [frames, height, width, 3]."""
    raw = ffmpeg(
        "-i", str(path), "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, clip.height, clip.width, 3).astype(np.int64)


def released(path: Path, clip: Clip) -> Path:
    """Label, mark and encode a clip as a seal does."""
    label = draw_label(clip.width, clip.height)
    key = ReadingKey.from_bytes(bytes(32))
    embedder = Embedder(
        width=clip.width, height=clip.height, bits=clip.bits, asset_id=7, key=key
    )  # fmt: skip

    def marked() -> Iterator[Picture]:
        for picture in read_pictures(path, name=path.name):
            labelled = burn(picture, label)
            yield with_luma(labelled, embedder.mark(labelled.y))

    sink = io.BytesIO()
    encode(marked(), sink, like=clip, sound_from=None)
    target = path.with_name(f"released_{path.stem}.mp4")
    target.write_bytes(sink.getvalue())
    return target


def looks_alike(before: NDArray[np.int64], after: NDArray[np.int64]) -> bool:
    """Whether the lower two thirds, where no label is, have the same colours."""
    assert before.shape == after.shape
    top = before.shape[1] // 3
    away = np.abs(before[:, top:] - after[:, top:])
    # The mark changes a sample by one or two; a wrong matrix or range moves whole bars by ten.
    flat = np.abs((before[:, top:] - after[:, top:]).mean(axis=0))
    blocks = flat[: flat.shape[0] // 16 * 16, : flat.shape[1] // 16 * 16]
    blocks = blocks.reshape(blocks.shape[0] // 16, 16, blocks.shape[1] // 16, 16, 3)
    return bool(away.mean() < 2.0 and np.median(blocks.mean(axis=(1, 3))) < 1.5)


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_that_a_player_showed(tmp_path: Path, kind: str) -> None:
    path = film(tmp_path / f"{kind}.mp4", KINDS[kind])
    clip = probe(path, name=path.name)
    pix_fmt, matrix, reach, transfer = KINDS[kind]
    assert clip.bits == (10 if "10" in pix_fmt else 8)
    assert clip.full_range == (reach == "pc")
    assert clip.matrix == {"bt2020nc": "bt2020", "smpte170m": "bt601"}.get(matrix, matrix)
    assert clip.transfer == transfer
    before = shown(path, clip)
    ours = to_rgb(next(iter(read_pictures(path, name=path.name)))).astype(np.int64)
    # ffmpeg cuts 10 bits down without rounding.
    assert np.abs(ours - before[0]).mean() < 2.5
    target = released(path, clip)
    again = probe(target, name=target.name)
    assert (again.bits, again.full_range, again.matrix, again.primaries, again.transfer) == (
        clip.bits, clip.full_range, clip.matrix, clip.primaries, clip.transfer
    )  # fmt: skip
    assert looks_alike(before, shown(target, again))


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    clips = [
        film(tmp_path / f"{kind}.mp4", KINDS[kind]) for kind in ("eight_bit", "standard_definition")
    ]
    wrong = tmp_path / "wrong.mp4"
    ffmpeg(
        "-i", str(clips[1]), "-c", "copy",
        "-bsf:v", "h264_metadata=matrix_coefficients=1", str(wrong),
    )  # fmt: skip
    clip = probe(clips[0], name="clip")
    assert not looks_alike(shown(clips[1], clip), shown(wrong, clip))


@pytest.mark.parametrize("degrees", [90, 270])
def test_a_phone_held_upright(tmp_path: Path, degrees: int) -> None:
    lying = film(tmp_path / "lying.mp4", KINDS["eight_bit"])
    path = tmp_path / "upright.mp4"
    ffmpeg("-display_rotation", str(degrees), "-i", str(lying), "-c", "copy", str(path))
    clip = probe(path, name=path.name)
    assert (clip.width, clip.height) == (360, 640)
    target = released(path, clip)
    again = probe(target, name=target.name)
    assert (again.rotation, again.width, again.height) == (0, 360, 640)
    assert looks_alike(shown(path, clip), shown(target, again))


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    path = film(
        tmp_path / "variable.mp4", KINDS["eight_bit"], "select='not(mod(n,4)*mod(n,3))'",
        options=("-fps_mode", "vfr"),
    )  # fmt: skip
    clip = probe(path, name=path.name)
    assert clip.variable_rate
    target = released(path, clip)
    again = probe(target, name=target.name)

    def times(source: Path, base: Fraction) -> list[Fraction]:
        return [picture.pts * base for picture in read_pictures(source, name=source.name)]

    assert times(path, clip.time_base) == times(target, again.time_base)
    assert looks_alike(shown(path, clip), shown(target, again))


@pytest.mark.parametrize("order", ["interleave_top", "interleave_bottom"])
def test_interlaced_footage_is_refused_with_advice(tmp_path: Path, order: str) -> None:
    path = film(
        tmp_path / "interlaced.mp4", KINDS["eight_bit"], f"tinterlace={order}",
        options=("-flags", "+ildct+ilme"),
    )  # fmt: skip
    with pytest.raises(MediaError, match="interlaced") as caught:
        probe(path, name=path.name)
    assert "bwdif" in caught.value.advice


@pytest.mark.parametrize(("kind", "number"), [("PQ", 16), ("HLG", 18)])
def test_hdr_is_told_and_the_advice_makes_it_sdr(tmp_path: Path, kind: str, number: int) -> None:
    tags = f"h264_metadata=transfer_characteristics={number}:colour_primaries=9"
    path = film(tmp_path / "hdr.mp4", KINDS["bt2020"], options=("-bsf:v", tags))
    with pytest.raises(MediaError, match=rf"hdr\.mp4 is in HDR \({kind}\)") as caught:
        require_sdr(probe(path, name=path.name))
    command = caught.value.advice.split("`")[1].split()
    assert (command[0], command[-1]) == ("ffmpeg", "OUT")
    target = tmp_path / "sdr.mp4"
    ffmpeg(*[{"IN": str(path), "OUT": str(target)}.get(word, word) for word in command[1:]])
    clip = probe(target, name=target.name)
    require_sdr(clip)
    assert (clip.matrix, clip.transfer, clip.bits) == ("bt709", "bt709", 8)


@pytest.mark.parametrize("kind", KINDS)
def test_wide_colours_and_ten_bits_alone_are_not_hdr(tmp_path: Path, kind: str) -> None:
    path = film(tmp_path / f"{kind}.mp4", KINDS[kind])
    require_sdr(probe(path, name=path.name))
