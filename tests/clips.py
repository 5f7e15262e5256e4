"""Small clips made on the fly, each named after its flaw or its oddity.

    def test_something(clips):
        path = clips.rotated(90)

Every method writes one file into the factory's folder and returns its path. The picture is a
colour gradient with a bright square that moves right by a twelfth of the width a frame, and a
small white patch in the upper left corner as coded; the sound is a 440 Hz tone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["Clips", "Recipe", "draw", "tone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a made clip holds; the defaults are an everyday clip of one second."""

    width: int = 96
    height: int = 64
    frames: int = 25
    rate: Fraction = Fraction(25)
    times: Sequence[int] | None = None  # presentation times in 1/rate; None: 0, 1, 2, ...
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "18", "g": "10"})
    colour: tuple[int, int, int, int] = (2, 2, 2, 1)  # primaries, transfer, matrix, range
    rotation: int = 0  # clockwise degrees that a player must turn the picture by
    sound: str | None = "aac"
    sound_rate: int = 44100
    sound_layout: str = "stereo"
    sound_delay: float = 0.0
    sound_length: float | None = None
    pixel_aspect: Fraction | None = None
    container: dict[str, str] = field(default_factory=dict)


class Clips:
    """Makes clips in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str, recipe: Recipe = Recipe()) -> Path:
        """Any clip; the container follows from the name's suffix."""
        path = self.folder / name
        _write(path, recipe)
        return path

    def plain(self, name: str = "plain.mp4", **changes: Any) -> Path:  # noqa: ANN401 (fields)
        """Nothing wrong with it: 96x64, 25 pictures, 25/s, stereo tone. Takes Recipe's fields."""
        return self.make(name, Recipe(**changes))

    def missing(self) -> Path:
        """No such file."""
        return self.folder / "missing.mp4"

    def empty(self) -> Path:
        """A file of no bytes."""
        return self._bytes("empty.mp4", b"")

    def text(self) -> Path:
        """Words named .mp4."""
        return self._bytes("text.mp4", b"This is a letter, not a film.\n" * 40)

    def truncated(self) -> Path:
        """A copy that stopped before the index (moov) was written."""
        whole = self.plain("whole.mp4").read_bytes()
        return self._bytes("truncated.mp4", whole[: len(whole) // 2])

    def cut_short(self, name: str = "cut_short.mp4") -> Path:
        """The index comes first and promises two seconds; the second one is missing."""
        whole = self.plain("long.mp4", frames=50, container={"movflags": "faststart"}).read_bytes()
        media = whole.index(b"mdat") + 4
        return self._bytes(name, whole[: media + (len(whole) - media) // 2])

    def damaged(self, name: str = "damaged.mp4") -> Path:
        """Bytes overwritten half way through the pictures."""
        options = {"crf": "18", "g": "10", "bf": "0"}
        whole = self.plain("good.mp4", frames=50, sound=None, options=options).read_bytes()
        with av.open(str(self.folder / "good.mp4")) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        hit = packets[25]
        assert hit.pos is not None
        junk = b"\xa5" * (hit.size - 8)
        return self._bytes(name, whole[: hit.pos + 8] + junk + whole[hit.pos + hit.size :])

    def sound_only(self) -> Path:
        """A tone and no picture."""
        path = self.folder / "sound_only.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=44100)
            container.mux(stream.encode(_sound_frame(tone(1.0, 44100, 2), 44100, 0)))
            container.mux(stream.encode(None))
        return path

    def picture_only(self) -> Path:
        """A PNG picture named .mp4."""
        head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0"
        return self._bytes("picture.mp4", head + b"\x90wS\xde" + bytes(64))

    def playlist(self) -> Path:
        """An HLS playlist named .mp4 that points at another local file."""
        target = self.plain("target.ts")
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\n{target}\n#EXT-X-ENDLIST\n"
        return self._bytes("playlist.mp4", text.encode())

    def script(self) -> Path:
        """A concat script named .mp4 that points at another local file."""
        target = self.plain("target.mp4")
        return self._bytes("script.mp4", f"ffconcat version 1.0\nfile '{target}'\n".encode())

    def encrypted(self) -> Path:
        """Common encryption, the key not given."""
        container = {
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
            "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
        }
        return self.plain("encrypted.mp4", container=container)

    def no_pictures(self) -> Path:
        """A picture track without a single sample."""
        whole = bytearray(self.plain("one.mp4", frames=1, sound=None).read_bytes())
        for box, at in ((b"stsz", 12), (b"stts", 8), (b"stsc", 8), (b"stco", 8), (b"stss", 8)):
            start = whole.find(box)
            if start >= 0:
                whole[start + at - 0 : start + at + 4] = bytes(4)
        return self._bytes("no_pictures.mp4", bytes(whole))

    def interlaced(self) -> Path:
        """Two fields a picture."""
        options = {"crf": "18", "flags": "+ildct+ilme"}
        return self.plain("interlaced.mp4", options=options)

    def variable_rate(self, name: str = "variable_rate.mp4") -> Path:
        """Gaps of one to five thirtieths of a second between pictures."""
        gaps = np.random.default_rng(7).integers(1, 6, size=24)
        times = [0, *np.cumsum(gaps).tolist()]
        return self.plain(name, rate=Fraction(30), times=times)

    def rotated(self, degrees: int, **changes: Any) -> Path:  # noqa: ANN401 (fields)
        """To be shown turned clockwise by 90, 180 or 270 degrees."""
        return self.plain(f"rotated_{degrees}.mp4", rotation=degrees, **changes)

    def odd(self) -> Path:
        """97x65 pixels, in 4:2:0 as VP9 allows."""
        options = {"crf": "10", "cpu-used": "8", "deadline": "realtime"}
        return self.plain(
            "odd.webm", width=97, height=65, codec="libvpx-vp9", options=options, sound="libopus",
            sound_rate=48000,
        )  # fmt: skip

    def ten_bit(self) -> Path:
        """10 bits a sample, HLG in BT.2020."""
        return self.plain("ten_bit.mp4", pix_fmt="yuv420p10le", colour=(9, 18, 9, 1))

    def full_range(self) -> Path:
        """Black is 0, white is 255, BT.709."""
        return self.plain("full_range.mp4", colour=(1, 1, 1, 2))

    def silent(self) -> Path:
        """No sound track."""
        return self.plain("silent.mp4", sound=None)

    def sixty(self) -> Path:
        """60 pictures a second."""
        return self.plain("sixty.mp4", rate=Fraction(60), frames=60)

    def one_frame(self) -> Path:
        """A single picture and no sound."""
        return self.plain("one_frame.mp4", frames=1, sound=None)

    def late_sound(self) -> Path:
        """The sound begins 0.4 s after the picture."""
        return self.plain("late_sound.mp4", sound_delay=0.4)

    def _bytes(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


def draw(width: int, height: int, index: int) -> NDArray[np.uint8]:
    """The picture number `index` of a made clip as coded: RGB uint8 `[height, width, 3]`."""
    across = np.linspace(40, 200, width)[None, :]
    down = np.linspace(200, 40, height)[:, None]
    rgb = np.empty((height, width, 3), np.float64)
    rgb[..., 0], rgb[..., 1], rgb[..., 2] = across, down, (across + down) / 2
    side = max(height // 4, 2)
    left = index * width // 12 % max(width - side, 1)
    rgb[height // 2 : height // 2 + side, left : left + side] = (230, 120, 60)
    rgb[: height // 4, : width // 4] = 235
    return rgb.astype(np.uint8)


def tone(seconds: float, rate: int, channels: int) -> NDArray[np.float32]:
    """A 440 Hz sine at a quarter of full scale: float32 `[channels, samples]`."""
    time = np.arange(round(seconds * rate)) / rate
    return np.tile(0.25 * np.sin(2 * np.pi * 440 * time), (channels, 1)).astype(np.float32)


def _write(path: Path, recipe: Recipe) -> None:
    with av.open(str(path), "w", container_options=recipe.container) as container:
        video = container.add_stream(recipe.codec, rate=recipe.rate, options=dict(recipe.options))
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = recipe.width, recipe.height, recipe.pix_fmt
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = (
            recipe.colour
        )
        context.thread_count = 1
        if recipe.pixel_aspect:
            context.sample_aspect_ratio = recipe.pixel_aspect
        if recipe.rotation:
            # FFmpeg counts counter-clockwise.
            video.set_display_rotation(-recipe.rotation)
        sound = None
        if recipe.sound:
            sound = container.add_stream(
                recipe.sound, rate=recipe.sound_rate, layout=recipe.sound_layout
            )
        _write_pictures(container, video, recipe)
        if sound is not None:
            assert isinstance(sound, av.AudioStream)
            _write_sound(container, sound, recipe)


def _write_pictures(
    container: av.container.OutputContainer, stream: av.VideoStream, recipe: Recipe
) -> None:
    times = range(recipe.frames) if recipe.times is None else recipe.times
    for index, time in enumerate(times):
        rgb = av.VideoFrame.from_ndarray(draw(recipe.width, recipe.height, index), format="rgb24")
        matrix = 5 if recipe.colour[2] == 2 else recipe.colour[2]
        frame = rgb.reformat(
            format=recipe.pix_fmt, dst_colorspace=matrix, dst_color_range=recipe.colour[3]
        )
        frame.pts, frame.time_base = time, 1 / recipe.rate
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, recipe: Recipe
) -> None:
    last = recipe.frames if recipe.times is None else recipe.times[-1] + 1
    length = recipe.sound_length or float(last / recipe.rate)
    samples = tone(length, recipe.sound_rate, stream.codec_context.channels)
    delay = round(recipe.sound_delay * recipe.sound_rate)
    frame = _sound_frame(samples, recipe.sound_rate, delay, recipe.sound_layout)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _sound_frame(
    samples: NDArray[np.float32], rate: int, pts: int, layout: str = "stereo"
) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
    return frame
