import io
import socket
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assent.kit.errors import IntegrityError, MediaError, StorageError
from assent.kit.media.probe import Clip, probe

if TYPE_CHECKING:
    from clips import Clips


def look(path: Path) -> Clip:
    return probe(path, name=path.name)


def test_everyday_clip(clips: "Clips") -> None:
    clip = look(clips.plain())
    assert (clip.width, clip.height, clip.rotation) == (96, 64, 0)
    assert (clip.frame_rate, clip.frames, clip.duration) == (Fraction(25), 25, 1.0)
    assert (clip.bits, clip.subsampling, clip.codec) == (8, (2, 2), "h264")
    assert not clip.variable_rate
    assert clip.sound is not None
    assert (clip.sound.codec, clip.sound.rate, clip.sound.channels) == ("aac", 44100, 2)
    assert clip.sound.duration == pytest.approx(1.0, abs=0.05)


def test_samples(samples: Path) -> None:
    clip = look(samples / "scene1_ada.mp4")
    assert (clip.width, clip.height, clip.frames) == (384, 384, 120)
    assert clip.frame_rate == 25


def test_a_file_object_needs_only_read_seek_and_tell(clips: "Clips") -> None:
    class Bare:
        def __init__(self, data: bytes) -> None:
            file = io.BytesIO(data)
            self.read, self.seek, self.tell = file.read, file.seek, file.tell

    path = clips.plain()
    bare = Bare(path.read_bytes())
    bare.seek(100)  # it is read from its beginning all the same
    assert probe(bare, name=path.name) == look(path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ("missing", "missing.mp4 does not exist"),
        ("empty", "empty.mp4 is empty"),
        ("text", "text.mp4 holds text"),
        ("truncated", "truncated.mp4 is cut off: its index"),
        ("sound_only", "sound_only.mp4 holds sound and no picture"),
        ("picture_only", "picture.mp4 is a PNG picture"),
        ("playlist", "playlist.mp4 is a playlist"),
        ("script", "script.mp4 is a playlist"),
        ("encrypted", r"encrypted.mp4 is encrypted"),
        ("no_pictures", "no_pictures.mp4 holds no picture"),
        ("interlaced", "interlaced.mp4 is interlaced"),
    ],
)
def test_flaws_are_named_and_advised_on(clips: "Clips", flaw: str, says: str) -> None:
    path = getattr(clips, flaw)()
    with pytest.raises(MediaError, match=says) as caught:
        look(path)
    assert caught.value.advice


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="not a file"):
        look(tmp_path)


@pytest.mark.parametrize("head", [b"\x1aE\xdf\xa3", b"\0\0\0\x18ftypisom", b"RIFF\xff\0\0\0AVI "])
def test_junk_behind_a_good_head_is_refused(head: bytes) -> None:
    with pytest.raises(MediaError, match=r"junk\.mp4"):
        probe(io.BytesIO(head + bytes(range(256)) * 40), name="junk.mp4")


@pytest.mark.parametrize(
    "sound", [b"ID3\x04\0\0\0\0\0\0" + bytes(900), b"RIFF\x24\0\0\0WAVEfmt " + bytes(900)]
)
def test_a_sound_file_is_named_as_such(sound: bytes) -> None:
    with pytest.raises(MediaError, match="sound and no picture"):
        probe(io.BytesIO(sound), name="song.mp4")


def test_playlists_disguised_by_leading_space_open_nothing(
    clips: "Clips", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "create_connection")
    target = clips.plain("target.ts")
    text = f"\n\n  ffconcat version 1.0\nfile 'file:{target}'\n"
    with pytest.raises(MediaError):
        probe(io.BytesIO(text.encode()), name="list.ts")


def test_other_demuxers_are_closed_even_for_binary_heads(clips: "Clips") -> None:
    # An HLS list whose first line is preceded by a byte that is no text.
    target = clips.plain("target.ts")
    text = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\n" + str(target).encode() + b"\xff\n"
    with pytest.raises(MediaError):
        probe(io.BytesIO(b"\xef\xbb\xbf" + text), name="list.m3u8")


def test_an_absurd_size_is_refused(clips: "Clips") -> None:
    data = clips.plain(sound=None).read_bytes()
    entry = data.index(b"avc1", data.index(b"stsd"))
    at = entry + 4 + 24
    assert data[at : at + 4] == bytes([0, 96, 0, 64])
    huge = data[:at] + bytes([0x4E, 0x20, 0x4E, 0x20]) + data[at + 4 :]
    # The stream's own headers say 96x64 and win, or the container's 20000x20000 is refused:
    # what may not happen is a picture of that size.
    try:
        clip = probe(io.BytesIO(huge), name="huge.mp4")
    except MediaError:
        return
    assert (clip.width, clip.height) == (96, 64)


def test_pictures_above_the_limit_are_refused(clips: "Clips") -> None:
    path = clips.plain(
        "wide.mkv", width=8448, height=16, frames=1, codec="ffv1", options={}, sound=None
    )
    with pytest.raises(MediaError, match="8448x16"):
        look(path)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_read(clips: "Clips", degrees: int) -> None:
    clip = look(clips.rotated(degrees))
    assert clip.rotation == degrees
    assert (clip.width, clip.height) == ((64, 96) if degrees != 180 else (96, 64))


def test_variable_rate_is_told_from_constant(clips: "Clips") -> None:
    assert look(clips.variable_rate()).variable_rate
    assert look(clips.variable_rate("variable_rate.mkv")).variable_rate
    assert not look(clips.sixty()).variable_rate
    # 29.97 pictures a second in whole milliseconds: 33, 34, 33 ...
    rounded = clips.plain("rounded.mkv", rate=Fraction(30000, 1001), frames=60)
    assert not look(rounded).variable_rate


def test_colour_tags(clips: "Clips") -> None:
    full = look(clips.full_range())
    assert (full.full_range, full.matrix, full.primaries, full.transfer) == (
        True,
        "bt709",
        "bt709",
        "bt709",
    )
    hlg = look(clips.ten_bit())
    assert (hlg.bits, hlg.full_range) == (10, False)
    assert (hlg.matrix, hlg.primaries, hlg.transfer) == ("bt2020", "bt2020", "arib-std-b67")


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(96, 64, "bt601"), (720, 576, "bt601"), (960, 720, "bt709"), (1280, 544, "bt709")],
)
def test_untagged_colour_follows_from_the_size(
    clips: "Clips", width: int, height: int, matrix: str
) -> None:
    options = {"preset": "ultrafast"}
    path = clips.plain(width=width, height=height, frames=2, sound=None, options=options)
    clip = look(path)
    assert (clip.matrix, clip.full_range) == (matrix, False)


def test_a_colour_coding_that_pictures_cannot_have_is_refused(clips: "Clips") -> None:
    options = {"x264-params": "colormatrix=YCgCo"}
    path = clips.plain(frames=2, sound=None, options=options)
    with pytest.raises(MediaError, match="colour coding"):
        look(path)


def test_pixel_aspect_turns_with_the_picture(clips: "Clips") -> None:
    flat = look(clips.plain("flat.mp4", pixel_aspect=Fraction(4, 3)))
    turned = look(clips.rotated(90, pixel_aspect=Fraction(4, 3)))
    assert (flat.pixel_aspect, turned.pixel_aspect) == (Fraction(4, 3), Fraction(3, 4))


@pytest.mark.parametrize(
    ("name", "changes", "bits", "subsampling"),
    [
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0", "options": {}}, 8, (1, 1)),
        ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray", "options": {}}, 8, (2, 2)),
        ("deep.mkv", {"codec": "ffv1", "pix_fmt": "yuv422p12le", "options": {}}, 10, (2, 1)),
        ("mpeg4.avi", {"codec": "mpeg4", "options": {}, "sound": "pcm_s16le"}, 8, (2, 2)),
        ("broadcast.ts", {}, 8, (2, 2)),
        ("odd.webm", None, 8, (2, 2)),
    ],
)
def test_other_formats(
    clips: "Clips",
    name: str,
    changes: dict[str, object] | None,
    bits: int,
    subsampling: tuple[int, int],
) -> None:
    path = clips.odd() if changes is None else clips.plain(name, **changes)
    clip = look(path)
    assert (clip.bits, clip.subsampling) == (bits, subsampling)
    assert clip.frame_rate == 25
    assert clip.sound is not None


def test_silent_and_single(clips: "Clips") -> None:
    assert look(clips.silent()).sound is None
    single = look(clips.one_frame())
    assert (single.frames, single.variable_rate) == (1, False)


class Failing(io.BytesIO):
    """Raises when it is to be read beyond a place."""

    def __init__(self, data: bytes, beyond: int, error: Exception) -> None:
        super().__init__(data)
        self.beyond, self.error = beyond, error

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() + (size or 0) > self.beyond:
            raise self.error
        return super().read(size)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (IntegrityError("chunk 3 was changed"), IntegrityError),
        (OSError(5, "I/O error"), StorageError),
    ],
)
def test_failures_of_the_source_are_not_mistaken_for_bad_media(
    clips: "Clips", error: Exception, wanted: type[Exception]
) -> None:
    data = clips.plain().read_bytes()
    with pytest.raises(wanted):
        probe(Failing(data, 1000, error), name="clip.mp4")
