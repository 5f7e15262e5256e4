"""A release of 60 s at 1080p with sound, in the log of a studio of its own, for benchmarks.

It is labelled, marked, encoded, signed and logged by the same functions as a real one; only the
face was not replaced, which no reader could tell.
"""

import hashlib
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from assent.disclose.entry import SealEntry
from assent.disclose.seal import plan_credential
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.fingerprint.video import VideoFingerprint
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media._encode import encode
from assent.kit.media._sound import SoundMark
from assent.kit.media.picture import Picture, luma8, to_rgb, with_luma
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import read_pictures
from assent.kit.store.studio import Studio, create_studio
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.sound.code import short_number
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.pattern import Pattern

__all__ = ["make_release"]

CLIP = Path(__file__).parents[1] / "samples" / "scene1_ada.mp4"
ASSET = "5eed5eed5eed5eed"
RATE, SOUND_RATE = 25, 48_000
WIDTH, HEIGHT = 1920, 1080
_LOOKS = 60


def make_release(folder: Path, *, seconds: int) -> tuple[Path, Path]:
    """Make the release and its studio in `folder`; return the file's path and the log's."""
    studio = create_studio(folder / "studio", name="Bench", contact="bench@example.org")
    receipt = hashlib.sha256(b"a receipt").hexdigest()
    granted = {"kind": "consent.granted", "receipt": receipt, "time": stamp(studio.clock())}
    studio.log.append([canonical(granted)])
    plain, sealed = io.BytesIO(), io.BytesIO()
    fingerprint = _film(studio, seconds, plain)
    sign(
        plain,
        sealed,
        mime="video/mp4",
        plan=plan_credential(ASSET, (receipt,), fingerprint, studio),
        chain=studio.chain,
        ingredient=Ingredient(title="source footage", mime="video/mp4", sha256="0" * 64),
        tsa_url=None,
    )
    path = folder / "release.mp4"
    path.write_bytes(sealed.getvalue())
    entry = SealEntry(
        media="video",
        asset_id=ASSET,
        sha256=hashlib.sha256(sealed.getvalue()).hexdigest(),
        fingerprint=fingerprint,
        frames=seconds * RATE,
        receipts=(receipt,),
        time=stamp(studio.clock()),
    )
    studio.log.append([entry.to_bytes()])
    studio.database.close()
    return path, studio.log_folder


def _film(studio: Studio, seconds: int, sink: io.BytesIO) -> str:
    """Write the film, labelled and marked; return its fingerprint."""
    like = probe(CLIP, name=CLIP.name)
    embedder = Embedder(
        width=WIDTH,
        height=HEIGHT,
        bits=8,
        asset_id=int(ASSET, 16),
        key=studio.reading_key,
        secret=studio.secret_key,
    )
    some = [luma8(picture) for n, picture in enumerate(_pictures(like, 8)) if n % 20 == 0]
    embedder.prepare(iter(some), seconds=(n * 20 / RATE for n in range(len(some))))
    fingerprint = VideoFingerprint()
    number = short_number(int(ASSET, 16))

    def marked() -> Iterator[Picture]:
        for picture in _pictures(like, seconds):
            at = picture.pts * like.time_base
            made = with_luma(picture, embedder.mark(picture.y, seconds=float(at)))
            fingerprint.add(luma8(made), at)
            yield made

    def mark(blocks: Iterator[np.ndarray], *, rate: int) -> Iterator[np.ndarray]:
        pattern = Pattern.derive(studio.reading_key)
        return SoundMarker(rate=rate, number=number, pattern=pattern).mark(blocks)

    sound: SoundMark = mark
    encode(marked(), sink, like=like, sound_from=_sound(seconds), mark=sound)
    sink.seek(0)
    return fingerprint.finish().iscc


def _pictures(like: Clip, seconds: int) -> Iterator[Picture]:
    """Yield the sample, larger, with a camera that moves, a little grain and the label."""
    looks = [_enlarged(to_rgb(look)) for look in read_pictures(CLIP, name=CLIP.name)][:_LOOKS]
    ticks = round(Fraction(1, RATE) / like.time_base)
    label = draw_label(WIDTH, HEIGHT)
    noise = np.random.default_rng(7).normal(0, 1.2, (HEIGHT, WIDTH + 512))
    lighter, darker = (np.maximum(each, 0).astype(np.uint8) for each in (noise, -noise))
    for number in range(seconds * RATE):
        # Forwards and backwards, so that no cut stands out.
        place = number % (2 * len(looks) - 2)
        y, u, v = looks[min(place, 2 * len(looks) - 2 - place)]
        top = 2 * (220 + round(150 * np.sin(number / 90)))
        left = 2 * (20 + round(20 * np.cos(number / 70)))
        grain = np.s_[:, (number * 37) % 512 :][1]
        shot = y[top : top + HEIGHT, left : left + WIDTH]
        light, dark = (np.ascontiguousarray(g[:, grain][:, :WIDTH]) for g in (lighter, darker))
        luma = np.asarray(cv2.subtract(cv2.add(shot, light), dark), np.uint8)
        half = np.s_[top // 2 : (top + HEIGHT) // 2, left // 2 : (left + WIDTH) // 2]
        yield burn(
            Picture(
                pts=number * ticks,
                y=luma,
                u=u[half],
                v=v[half],
                bits=8,
                full_range=False,
                matrix="bt709",
            ),
            label,
        )


def _enlarged(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return the planes of a picture at 2000x2000."""
    large = cv2.resize(rgb, (2000, 2000), interpolation=cv2.INTER_CUBIC)
    planes = np.asarray(cv2.cvtColor(large, cv2.COLOR_RGB2YUV_I420), np.uint8)
    return [
        planes[:2000],
        planes[2000:2500].reshape(1000, 1000),
        planes[2500:].reshape(1000, 1000),
    ]


def _sound(seconds: int) -> io.BytesIO:
    """Return noise that swells like speech, under a small black picture."""
    times = np.arange(seconds * SOUND_RATE) / SOUND_RATE
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3.1 * times) * np.sin(2 * np.pi * 0.7 * times)
    noise = np.random.default_rng(9).normal(0, 1, len(times))
    voice = np.convolve(noise, np.hanning(24) / 12, "same") * swell
    samples = (voice / np.abs(voice).max() * 20_000).astype(np.int16)
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as file:
        picture = file.add_stream("libx264", rate=RATE)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        track = file.add_stream("aac", rate=SOUND_RATE)
        black = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p")
        for number in range(seconds * RATE):
            black.pts = number
            file.mux(picture.encode(black))
        file.mux(picture.encode())
        sound = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        sound.sample_rate = SOUND_RATE
        file.mux(track.encode(sound))
        file.mux(track.encode())
    made.seek(0)
    return made
