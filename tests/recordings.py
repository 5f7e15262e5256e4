"""Recorded statements that follow a challenge, made of the sample performers' footage.

    clip = perform("ada", challenge, reading=4.0)
    recording = clip.write(tmp_path / "statement.webm")    # what MediaRecorder would upload
    findings = check_recording(recording.path, challenge=challenge, prompts=recording.prompts, ...)

The performers' clips hold turns of the head at other times than a challenge asks for. So the film
is wound to and fro between the middle, a turn to the left and one to the right, at a speed that
varies, while the camera in the hand sways a little.

For a browser's fake camera, write the same as MJPEG and start Chromium with it:

    clip = perform("ada", challenge, reading=9.0)
    clip.write_camera(tmp_path / "camera.mjpeg", width=640, height=480)
    # --use-fake-ui-for-media-stream --use-fake-device-for-media-stream
    # --use-file-for-fake-video-capture=/.../camera.mjpeg
    # --use-file-for-fake-audio-capture=/.../voice.wav      (write_voice)

Chromium plays the file from its beginning when the page opens the camera, and again and again after
its end. The head turns at `clip.prompts` (milliseconds since the camera was opened), so the page's
first prompt must come then: begin the recording as soon as the camera shows a picture, and press
"I have read it" `reading` seconds after the camera was opened, within half a second or so. The
challenge must be known before the browser starts: draw it with `ask`, or give the server an entropy
that the test knows (`known_entropy`).
"""

import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from assent.consent.challenge import Challenge, Turn

__all__ = [
    "Film", "Performed", "Recording", "bent_to", "known_entropy", "perform", "still_of",
    "tilted_to", "uneven", "voice", "with_film",
]  # fmt: skip

SAMPLES = Path(__file__).parents[1] / "samples"
RGB = NDArray[np.uint8]
Film = Callable[[float], RGB]
"""The picture at a second of a recording."""

_TAIL = 0.4
_VOICE_RATE = 16000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """Frames of a training clip: where reading begins, and where the head is where."""

    begin: int
    middle: int
    left: int
    right: int


_MARKS = {
    "ada": _Marks(begin=20, middle=69, left=103, right=45),
    "ben": _Marks(begin=25, middle=132, left=152, right=108),
    "cleo": _Marks(begin=5, middle=73, left=55, right=92),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A file as the page would upload it, and what the page would say of it."""

    path: Path
    prompts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """Somebody before the camera; change `film` or anything else with `dataclasses.replace`."""

    film: Film
    seconds: float
    prompts: tuple[int, ...]
    """Milliseconds from the beginning."""
    sound: NDArray[np.int16] | None
    """Mono, 16 kHz."""
    rate: float = 15.0
    times: Sequence[float] | None = None
    """When pictures are taken; None: `rate` a second, a little unevenly, as cameras do."""
    options: dict[str, str] = field(default_factory=dict)

    def pictures(self) -> Iterator[tuple[float, RGB]]:
        """Yield (seconds, RGB)."""
        for second in self.times if self.times is not None else uneven(self.seconds, self.rate):
            yield second, self.film(second)

    def write(self, path: Path) -> Recording:
        """Write what MediaRecorder makes: `.webm` (VP8, no duration) or `.mp4` (fragments)."""
        webm = path.suffix == ".webm"
        container = {"live": "1"} if webm else {"movflags": "frag_keyframe+empty_moov"}
        speed = {"deadline": "realtime", "cpu-used": "8"} if webm else {"preset": "ultrafast"}
        with av.open(str(path), "w", container_options=container) as target:
            picture = target.add_stream(
                "libvpx" if webm else "libx264", rate=30, options={**speed, **self.options}
            )
            picture.pix_fmt, picture.bit_rate = "yuv420p", 1_000_000
            picture.time_base = picture.codec_context.time_base = Fraction(1, 1000)
            track = None
            if self.sound is not None:
                track = target.add_stream("libopus" if webm else "aac", rate=48000, layout="mono")
            for number, (second, rgb) in enumerate(self.pictures()):
                if number == 0:
                    picture.height, picture.width = rgb.shape[:2]
                frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
                frame.pts, frame.time_base = round(second * 1000), Fraction(1, 1000)
                target.mux(picture.encode(frame))
            target.mux(picture.encode())
            if track is not None and self.sound is not None:
                sound = AudioFrame.from_ndarray(self.sound[None], format="s16", layout="mono")
                sound.sample_rate, sound.pts = _VOICE_RATE, 0
                resampler = av.AudioResampler(track.codec_context.format, "mono", 48000, 960)
                for part in (*resampler.resample(sound), *resampler.resample(None)):
                    target.mux(track.encode(part))
                target.mux(track.encode())
        return Recording(path=path, prompts=self.prompts)

    def write_camera(self, path: Path, *, width: int = 640, height: int = 480) -> Path:
        """Write a file for Chromium's fake camera: MJPEG, which it plays at 30 a second."""
        with av.open(str(path), "w", format="mjpeg") as target:
            stream = target.add_stream("mjpeg", rate=30, options={"q": "3"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
            for number in range(round(self.seconds * 30)):
                frame = VideoFrame.from_ndarray(
                    _framed(self.film(number / 30), width, height), format="rgb24"
                )
                frame.pts = number
                target.mux(stream.encode(frame))
            target.mux(stream.encode())
        return path

    def write_voice(self, path: Path) -> Path:
        """Write the voice as WAV for `--use-file-for-fake-audio-capture`."""
        assert self.sound is not None
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_VOICE_RATE)
            file.writeframes(self.sound.tobytes())
        return path


def perform(
    person: str,
    challenge: Challenge,
    *,
    reading: float = 4.0,
    seed: int = 0,
    turns: Sequence[Turn] | None = None,
    late: float = 0.0,
    mirrored: bool = False,
    rate: float = 15.0,
) -> Performed:
    """Let `person` (ada, ben or cleo) read for `reading` seconds and then follow the challenge.

    `turns` are others than those asked for, `late` is how many seconds too late they come;
    `mirrored` shows the person's mirror image (as another person would look), turning rightly.
    """
    starts = [reading, *(reading + sum(challenge.pauses[: n + 1]) / 1000 for n in range(5))]
    seconds = starts[-1] + _TAIL
    random = np.random.default_rng(seed)
    asked = [_mirrored(turn) if mirrored else turn for turn in turns or challenge.turns]
    head = _playhead(_MARKS[person], asked, [start + late for start in starts], random)
    sway = _sway(random)

    def film(second: float) -> RGB:
        shown = sway(_frame_at(person, head(second)), second)
        return np.ascontiguousarray(shown[:, ::-1]) if mirrored else shown

    return Performed(
        film=film,
        seconds=seconds,
        prompts=tuple(round(start * 1000) for start in starts[:-1]),
        sound=voice(person, seconds),
        rate=rate,
    )


def still_of(person: str, *, wave_about: float = 0.0, seed: int = 0) -> Film:
    """Film a photograph of `person`, tilted and moved before the camera if `wave_about` > 0.

    At 1 it turns by up to 45 degrees about an upright axis, and by less about a level one.
    """
    photograph = _frame_at(person, float(_MARKS[person].middle))
    random = np.random.default_rng(seed)
    axes = [_smooth(random, least=0.15, most=0.45) for _ in range(4)]

    def film(second: float) -> RGB:
        yaw, pitch, x, y = (wave_about * axis(second) for axis in axes)
        return _tilted(photograph, 0.8 * yaw, 0.35 * pitch, 0.06 * x, 0.06 * y, 0.9)

    return film


def tilted_to(person: str, challenge: Challenge, *, reading: float, degrees: float) -> Film:
    """Film a photograph that is tilted as the challenge asks, by somebody who sees the prompts."""
    photograph = _frame_at(person, float(_MARKS[person].middle))
    tilt = _turning(challenge, reading, degrees)
    random = np.random.default_rng(5)
    sway = [_smooth(random, least=0.2, most=0.6) for _ in range(3)]

    def film(second: float) -> RGB:
        shake = [0.03 * axis(second) for axis in sway]
        return _tilted(photograph, tilt(second) + shake[0], shake[1], shake[2], 0.0, 0.9)

    return film


def bent_to(
    person: str, challenge: Challenge, *, reading: float, degrees: float, radius: float
) -> Film:
    """Film a photograph that is bent round an upright cylinder and turned as the challenge asks.

    `radius` is in widths of the photograph.
    """
    photograph = _frame_at(person, float(_MARKS[person].middle))
    turn = _turning(challenge, reading, degrees)
    return lambda second: _bent(photograph, radius, turn(second))


def _turning(challenge: Challenge, reading: float, degrees: float) -> Callable[[float], float]:
    """Radians by which something is turned to follow a challenge; > 0: to the picture's right."""
    starts = [reading + sum(challenge.pauses[:n]) / 1000 for n in range(6)]

    def turn(second: float) -> float:
        for begin, end, asked in zip(starts, starts[1:], challenge.turns, strict=False):
            if begin <= second < end:
                side = 1 if asked is Turn.LEFT else -1
                there = _there_and_back((second - begin) / (end - begin))
                return side * float(np.radians(degrees)) * there
        return 0.0

    return turn


def voice(person: str, seconds: float) -> NDArray[np.int16]:
    """Return the voice of `person`'s clip, again and again for as long as asked, 16 kHz mono."""
    samples = _voice(person)
    times = -(-round(seconds * _VOICE_RATE) // len(samples))
    return np.tile(samples, times)[: round(seconds * _VOICE_RATE)]


def known_entropy(seed: str) -> Callable[[int], bytes]:
    """Return entropy that is the same for the same seed: a server's challenges can be foreseen."""
    count = [0]

    def entropy(size: int) -> bytes:
        count[0] += 1
        stream = b"".join(
            sha256(f"{seed}:{count[0]}:{part}".encode()).digest() for part in range(size // 32 + 1)
        )
        return stream[:size]

    return entropy


def uneven(seconds: float, rate: float, *, seed: int = 7) -> list[float]:
    """Return moments `rate` a second, with a tenth of jitter and now and then a lost picture."""
    random = np.random.default_rng(seed)
    even = np.arange(0.0, seconds, 1 / rate)
    jittered = even + random.uniform(0, 0.1 / rate, len(even))
    kept = random.random(len(even)) > 0.02
    kept[0] = True
    return [float(each) for each in jittered[kept]]


def with_film(performed: Performed, film: Film) -> Performed:
    """Return the same statement with other pictures."""
    return replace(performed, film=film)


def _playhead(
    marks: _Marks, turns: Sequence[Turn], starts: Sequence[float], random: np.random.Generator
) -> Callable[[float], float]:
    """Which frame of the clip is shown when."""
    plan = [
        (
            begin + float(random.uniform(0.1, 0.4)),
            end,
            marks.left if turn is Turn.LEFT else marks.right,
            float(random.uniform(0.85, 1.0)),
        )
        for begin, end, turn in zip(starts, starts[1:], turns, strict=False)
    ]
    drift = _smooth(random, least=0.3, most=0.9)

    def head(second: float) -> float:
        if second < starts[0]:
            ahead = float((second / starts[0]) ** 0.8)
            return marks.begin + (marks.middle - marks.begin) * ahead + drift(second)
        for begin, end, peak, reach in plan:
            if begin <= second < end:
                there = _there_and_back((second - begin) / (end - begin))
                return marks.middle + (peak - marks.middle) * reach * there + drift(second)
        return marks.middle + drift(second)

    return head


def _there_and_back(part: float) -> float:
    """Rise to 1 within a third of the time, and come back when it is half over."""
    rising, falling = min(part / 0.3, 1.0), min(max((0.85 - part) / 0.3, 0.0), 1.0)
    return float(np.sin(np.pi / 2 * rising) ** 2 * np.sin(np.pi / 2 * falling) ** 2)


def _mirrored(turn: Turn) -> Turn:
    return Turn.RIGHT if turn is Turn.LEFT else Turn.LEFT


def _smooth(random: np.random.Generator, *, least: float, most: float) -> Callable[[float], float]:
    """A smooth wandering about 0 within -1 and 1, of frequencies between two (hertz)."""
    speeds = random.uniform(least, most, 3) * 2 * np.pi
    phases = random.uniform(0, 2 * np.pi, 3)
    return lambda second: float(np.mean(np.sin(speeds * second + phases)))


def _sway(random: np.random.Generator) -> Callable[[RGB, float], RGB]:
    """A camera in somebody's hand: it moves, turns and comes nearer by a little, with noise."""
    ways = [_smooth(random, least=0.1, most=0.8) for _ in range(4)]

    def sway(picture: RGB, second: float) -> RGB:
        height, width = picture.shape[:2]
        x, y, turn, zoom = (way(second) for way in ways)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.5 * turn, 1.03 + 0.02 * zoom)
        matrix[:, 2] += np.array([0.015 * width * x, 0.015 * height * y])
        moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noise = random.normal(0, 2.0, (height, width, 1))
        return np.clip(moved + noise, 0, 255).astype(np.uint8)

    return sway


def _tilted(photograph: RGB, yaw: float, pitch: float, x: float, y: float, zoom: float) -> RGB:
    """A photograph seen by a pinhole camera two widths away, turned by radians."""
    height, width = photograph.shape[:2]
    turn, _ = cv2.Rodrigues(np.array([pitch, yaw, 0.0]))
    corners = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]]) @ turn.T
    depth = 2.0 + corners[:, 2]
    seen = corners[:, :2] / depth[:, None] * 2.0 * zoom + np.array([0.5 + x, 0.5 + y])
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (width, height)
    target = (seen * (width, height)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target)
    out = cv2.warpPerspective(
        photograph, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(90,) * 3
    )
    return np.asarray(out, np.uint8)


def _bent(photograph: RGB, radius: float, turn: float) -> RGB:
    """A photograph round an upright cylinder, its front two widths from a pinhole camera."""
    height, width = photograph.shape[:2]
    far = 2.0 + radius
    x, y = np.meshgrid(
        (np.arange(width) + 0.5) / width - 0.5, (np.arange(height) + 0.5) / height - 0.5
    )
    ray = np.stack([x / 2.0, y / 2.0])
    a, b, c = ray[0] ** 2 + 1, -2 * far, far**2 - radius**2
    root = b * b - 4 * a * c
    reach = (-b - np.sqrt(np.maximum(root, 0))) / (2 * a)
    angle = np.arctan2(reach * ray[0], far - reach) - turn
    across = np.where(root > 0, (angle * radius + 0.5) * width, -1).astype(np.float32)
    down = ((reach * ray[1] + 0.5) * height).astype(np.float32)
    out = cv2.remap(
        photograph, across, down, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(90,) * 3,
    )  # fmt: skip
    return np.asarray(out, np.uint8)


def _framed(picture: RGB, width: int, height: int) -> RGB:
    """The picture as high as the frame, its edges drawn out to the sides."""
    scale = height / picture.shape[0]
    high = cv2.resize(picture, (round(picture.shape[1] * scale), height))
    side = width - high.shape[1]
    return np.asarray(
        cv2.copyMakeBorder(high, 0, 0, side // 2, side - side // 2, cv2.BORDER_REPLICATE), np.uint8
    )


def _frame_at(person: str, place: float) -> RGB:
    """The clip's picture at a place between two frames: the nearer one."""
    frames = _frames(person)
    return frames[min(max(round(place), 0), len(frames) - 1)]


@cache
def _frames(person: str) -> list[RGB]:
    last = max(_MARKS[person].left, _MARKS[person].right, _MARKS[person].middle) + 6
    with av.open(str(SAMPLES / f"{person}_train.mp4")) as clip:
        frames = (frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0))
        return [np.asarray(frame, np.uint8) for frame, _ in zip(frames, range(last), strict=False)]


@cache
def _voice(person: str) -> NDArray[np.int16]:
    with av.open(str(SAMPLES / f"{person}_train.mp4")) as clip:
        resampler = av.AudioResampler("s16", "mono", _VOICE_RATE)
        parts = [
            part.to_ndarray()[0]
            for frame in clip.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts).astype(np.int16)
