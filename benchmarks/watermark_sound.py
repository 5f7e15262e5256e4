"""How much of the mark in the sound survives, how loud it is, and what it costs.

    python benchmarks/watermark_sound.py
    python benchmarks/watermark_sound.py --clips DIR --crops 10 --json
    python benchmarks/watermark_sound.py --decodings 100000

Sounds of many kinds are marked, handled as sound is handled, and cut to three seconds at random
places; printed is the share of the cuts from which the number is read, for each handling and each
kind, with the median confidence. Then how far the change lies below the sound and below what the
sound masks (Johnston, IEEE J. Sel. Areas Commun. 6, 1988, a model that the embedder doesn't use),
and seconds of sound a second of processor time. Voices by espeak-ng join if it is installed.
"""

import argparse
import io
import json
import math
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from assent.kit.media.listen import listen
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.code import CODE
from assent.kit.watermark.sound.embed import SoundMarker
from assent.kit.watermark.sound.levels import HOP_SECONDS, power_spectra
from assent.kit.watermark.sound.pattern import PILOT, Pattern
from assent.kit.watermark.sound.read import read_sound
from assent.kit.watermark.sound.statistics import FALSE_PER_FILE, log10_chance, log10_trials
from assent.kit.watermark.sound.synchronise import (
    PERIOD_HOPS,
    Candidate,
    Playing,
    Stretch,
    candidates,
    correlate,
    fold,
    steps,
)

SAMPLES = Path(__file__).parents[1] / "samples"
KEY = ReadingKey.from_bytes(bytes(range(32)))
NUMBER = 0x89ABCDEF
RATE = 44100
READ_AT = 16000
SECONDS = 14
WORDS = (
    "The studio takes footage and the consent of everyone in it. It replaces the face, and lets "
    "the result leave only when it is labelled. Afterwards anyone may ask: what is this file, "
    "and who agreed to it? Seven hundred people walked along the river yesterday evening."
)

Sound = NDArray[np.float32]
Handling = Callable[[Sound], Sound]


def main() -> None:
    """Run the benchmark and print its figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--clips", type=Path, help="folder of clips or sounds to use as well")
    options.add_argument("--crops", type=int, default=4, help="cuts of each sound and handling")
    options.add_argument("--seconds", type=float, default=3.0, help="length of the cuts")
    options.add_argument("--decodings", type=int, default=0, help="of unmarked sound, alone")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    given = dict(sounds(chosen.clips))
    if chosen.decodings:
        sys.stdout.write(json.dumps(tail(given, chosen.decodings), indent=1) + "\n")
        return
    report = measure(given, chosen.crops, chosen.seconds)
    if chosen.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        show(report)


def measure(given: dict[str, Sound], crops: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Return all figures by group and name."""
    pattern = Pattern.derive(KEY)
    read: dict[str, dict[str, list[float | None]]] = {name: {} for name in HANDLINGS}
    quality: dict[str, Any] = {}
    spent = {"mark": 0.0, "read": 0.0, "reject": 0.0}
    total = false = 0.0
    for kind, sound in given.items():
        begin = time.process_time()
        marker = SoundMarker(rate=RATE, number=NUMBER, pattern=pattern)
        marked = np.concatenate(list(marker.mark(blocks(sound))), axis=1)
        spent["mark"] += time.process_time() - begin
        total += sound.shape[1] / RATE
        quality[kind] = compare(sound, marked)
        for name, handling in HANDLINGS.items():
            heard = as_read(handling(marked))
            for number in range(crops):
                begin = time.process_time()
                read[name].setdefault(kind, []).append(confidence(cut(heard, seconds, number)))
                spent["read"] += time.process_time() - begin
        begin = time.process_time()
        false += confidence(as_read(sound), any_number=True) is not None
        spent["reject"] += time.process_time() - begin
    cuts = len(HANDLINGS) * len(given) * crops
    return {
        "recovered": {
            n: share([c for of in kinds.values() for c in of]) for n, kinds in read.items()
        },
        "by_kind": {k: share([c for of in read.values() for c in of[k]]) for k in given},
        "confidence": {
            n: middle([c for of in kinds.values() for c in of]) for n, kinds in read.items()
        },
        "quality": quality,
        "speed": {
            "marked_seconds_a_second": round(total / spent["mark"], 1),
            "read_s_a_cut": round(spent["read"] / cuts, 3),
            "rejected_seconds_a_second": round(total / spent["reject"], 1),
        },
        "false": {"unmarked_sounds": len(given), "reported": int(false)},
    }


def tail(given: dict[str, Sound], decodings: int) -> dict[str, Any]:
    """Return what decoding unmarked sound in spite of the gate comes to, each under many keys.

    `most_striking` is the least bound on chance for one codeword at one place, as log10, and
    `needed` what the gate asks for where it asks for least: in a first stretch of three seconds.
    """
    rng = np.random.default_rng(1)
    unmarked = [steps_of(as_read(sound)[0]) for sound in given.values()]
    needed = math.log10(FALSE_PER_FILE) - log10_trials(0, PERIOD_HOPS)
    deviations, shifts = {2: 0, 3: 0, 4: 0, 5: 0}, 0
    chances: list[float] = []
    pattern = Pattern.derive(KEY)
    while len(chances) < decodings:
        if len(chances) % 100 == 0:
            pattern = Pattern.derive(ReadingKey.from_bytes(rng.bytes(32)))
        seen = unmarked[rng.integers(len(unmarked))]
        begin = rng.integers(max(len(seen) - 2 * PERIOD_HOPS, 1))
        folded = fold(seen[begin : begin + 2 * PERIOD_HOPS])
        z = correlate(folded, pattern.pilots())
        shifts += len(z)
        deviations = {limit: n + int((z >= limit).sum()) for limit, n in deviations.items()}
        chances += [
            chance(found, pattern) for found in candidates(folded, pattern, Playing(), most=2)
        ]
    return {
        "decodings": len(chances),
        "passed": sum(c <= needed for c in chances),
        "most_striking": round(min(chances), 2),
        "needed": round(needed, 2),
        "share_of_shifts_with_pilots_above": {k: n / shifts for k, n in deviations.items()},
    }


def steps_of(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the reader sees of a whole sound."""
    frames = int(len(sound) / READ_AT / HOP_SECONDS)
    spectra = power_spectra(sound, READ_AT, 0, frames, 0)
    return steps(Stretch(spectra=spectra, rate=READ_AT), Playing())


def chance(found: Candidate, pattern: Pattern) -> float:
    """Return the bound on chance of the best codeword, as log10."""
    sums = pattern.gather(found.tiles)
    pilots = (found.tiles * pattern.signs)[pattern.bits == PILOT]
    best = max(
        float(sums @ (1.0 - 2.0 * CODE.encode(message))) for message in CODE.decode(sums, paths=16)
    )
    return log10_chance(np.abs(np.concatenate([sums, pilots])), best + float(pilots.sum()))


def show(report: dict[str, dict[str, Any]]) -> None:
    """Print the figures as tables."""
    print(f"{'handling':<28}{'read':>7}{'chance, median':>18}")
    for name, value in report["recovered"].items():
        print(f"{name:<28}{value:>7}{'10^' + str(report['confidence'][name]):>18}")
    print(f"\n{'kind':<28}{'read':>7}{'SNR dB':>9}{'NMR dB':>9}{'above mask':>12}")
    for kind, value in report["by_kind"].items():
        told = report["quality"][kind]
        print(f"{kind:<28}{value:>7}{told['snr']:>9}{told['nmr']:>9}{told['above_mask']:>12}")
    print()
    for group in ("speed", "false"):
        for name, value in report[group].items():
            print(f"{name.replace('_', ' '):<28}{value:>7}")


def share(readings: list[float | None]) -> float:
    """Return the share of cuts that were read."""
    return round(sum(c is not None for c in readings) / len(readings), 3)


def middle(readings: list[float | None]) -> int:
    """Return the median exponent of the chances that were reported; 0 if there were none."""
    return round(statistics.median([c for c in readings if c is not None] or [0.0]))


def confidence(heard: Sound, *, any_number: bool = False) -> float | None:
    """Return log10 of the chance of a false report, None if the number isn't read."""
    search = read_sound([heard[0]], rate=READ_AT, key=KEY, budget_s=60)
    found = [m.log10_false for m in search.marks if any_number or m.number == NUMBER]
    return min(found) if found else None


def cut(heard: Sound, seconds: float, number: int) -> Sound:
    """Return a part from a place that depends on the number alone."""
    length = round(seconds * READ_AT)
    place = np.random.default_rng(number).uniform(0, max(heard.shape[1] - length, 0))
    return heard[:, int(place) : int(place) + length]


def compare(sound: Sound, marked: Sound) -> dict[str, float]:
    """Return signal to noise and noise to mask over 46 ms frames that are heard, in dB."""
    size = 2048
    window = np.hanning(size)
    starts = np.arange(0, sound.shape[1] - size, size // 2)
    frames = starts[:, None] + np.arange(size)
    whole, error = (
        np.abs(np.fft.rfft(s.mean(axis=0)[frames] * window)) ** 2 for s in (sound, marked - sound)
    )
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    bark = 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500) ** 2)
    bands = np.eye(25)[np.minimum(bark.astype(int), 24)]
    loud = whole @ bands
    flatness = np.exp(np.log(whole + 1e-12) @ bands / np.maximum(bands.sum(0), 1))
    tonal = np.clip(10 * np.log10(flatness * bands.sum(0) / (loud + 1e-12) + 1e-12) / -25, 0, 1)
    apart = np.arange(25)[:, None] - np.arange(25)[None]
    spread = 10 ** (np.where(apart > 0, -10.0 * apart, 25.0 * apart) / 10)
    offset = tonal * (14.5 + np.arange(25)) + (1 - tonal) * 5.5
    # A full-scale sine is taken for 96 dB; nothing below 20 dB a band is heard.
    quiet = (size / 4) ** 2 * 10 ** (-76 / 10)
    mask = np.maximum(loud @ spread.T * 10 ** (-offset / 10), quiet)
    heard = loud.sum(axis=1) > 25 * quiet
    ratio = 10 * np.log10((error @ bands + 1e-12) / mask)[heard]
    clear = 10 * np.log10(whole.sum(1)[heard] / (error.sum(1)[heard] + 1e-12))
    return {
        "snr": round(float(clear.mean()), 1),
        "nmr": round(float(10 * np.log10((10 ** (ratio / 10)).mean())), 1),
        "above_mask": round(float((ratio > 0).mean()), 4),
    }


def sounds(folder: Path | None) -> Iterator[tuple[str, Sound]]:
    """Yield sounds of many kinds, float32 [channels, n] at 44100."""
    voices = {n: load(SAMPLES / f"{n}_train.mp4") for n in ("ada", "ben")}
    yield from ((f"computed voice ({name})", voice) for name, voice in voices.items())
    if shutil.which("espeak-ng"):
        for name, voice in (("low", "en-us"), ("high", "en-gb+f3"), ("German", "de+m3")):
            yield f"espeak-ng, {name}", say(voice)
    yield "song", song()
    yield "plucked strings", plucked(0.0)
    yield "strings and drums, stereo", plucked(0.5)
    yield "steady chords", chords()
    yield "voice over music", voices["ada"] + 0.3 * plucked(0.5)[:1, : voices["ada"].shape[1]]
    rng = np.random.default_rng(1)
    white = rng.normal(size=(1, SECONDS * RATE)) * 0.1
    yield "white noise", white.astype(np.float32)
    yield "brown noise", filtered(white, lambda f: 300 / np.maximum(f, 60))
    yield "near silence", (filtered(white, lambda f: 200 / np.maximum(f, 60)) * 0.01)
    for path in sorted(folder.iterdir()) if folder else ():
        yield path.name, load(path)


def load(path: Path) -> Sound:
    """Return the first seconds of a file's sound."""
    return np.concatenate(list(listen(path, name=path.name, rate=RATE)))[None, : SECONDS * RATE]


def say(voice: str) -> Sound:
    """Return words in a voice of espeak-ng."""
    program = shutil.which("espeak-ng") or "espeak-ng"
    spoken = subprocess.run(
        [program, "-v", voice, "--stdout", WORDS], check=True, capture_output=True
    ).stdout
    return np.concatenate(list(listen(io.BytesIO(spoken), name=voice, rate=RATE)))[
        None, : SECONDS * RATE
    ]


def song() -> Sound:
    """Return a sung scale: a buzz with vibrato through the formants of changing vowels."""
    t = np.arange(SECONDS * RATE) / RATE
    notes = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 11, 7, 4, 0, 5, 0]) / 12)
    pitch = np.repeat(notes, RATE) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    vowels = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]])
    formants = np.repeat(vowels[np.arange(2 * SECONDS) % 4], RATE // 2, axis=0)
    sung = np.zeros(len(t))
    for k in range(1, 40):
        close = 1 / (1 + ((pitch[:, None] * k - formants) / 120) ** 2)
        sung += np.sin(k * phase) * (close @ [1.0, 0.6, 0.3]) * (pitch * k < RATE / 2)
    breath = np.random.default_rng(2).normal(size=len(t)) * 0.004
    envelope = np.minimum(1, 8 * (t % 1)) * np.minimum(1, 12 * (1 - t % 1))
    return as_sound(((sung * 0.2 + breath) * envelope)[None])


def plucked(drums: float) -> Sound:
    """Return plucked strings at eight notes in two seconds, in stereo if there are drums."""
    rng = np.random.default_rng(3)
    t = np.arange(2 * RATE) / RATE
    made = np.zeros((2, (SECONDS + 2) * RATE))
    for beat in range(4 * SECONDS):
        pitch = 110 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12, 15, 19, 24]) / 12)
        parts = (
            np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (1.5 + k)) / k for k in range(1, 30)
        )
        note = sum(parts, np.zeros(len(t))) + rng.normal(size=len(t)) * np.exp(-t * 300) * 0.2
        if beat % 2:
            note += drums * rng.normal(size=len(t)) * np.exp(-t * 20)
        else:
            note += 2 * drums * np.sin(2 * np.pi * 55 * t) * np.exp(-t * 12)
        begin = beat * RATE // 4
        made[:, begin : begin + len(t)] += rng.uniform(0.3, 1, (2, 1)) * note
    made = made[: 2 if drums else 1, : SECONDS * RATE]
    return as_sound(0.6 * made / np.abs(made).max())


def chords() -> Sound:
    """Return organ-like chords of two seconds, slightly out of tune."""
    rng = np.random.default_rng(4)
    t = np.arange(2 * RATE) / RATE
    swell = np.minimum(1, np.minimum(t, 2 - t) / 0.2)
    made = []
    for root in rng.choice([98, 110, 131, 147], SECONDS // 2):
        tones = [root * 2 ** (step / 12) * d for step in (0, 7, 12, 16) for d in (0.998, 1.003)]
        chord = [
            np.sin(2 * np.pi * f * k * t + rng.uniform(0, 6)) / k
            for f in tones
            for k in range(1, 20)
        ]
        made.append(np.sum(chord, axis=0) * swell * 0.05)
    return as_sound(np.concatenate(made)[None])


def blocks(sound: Sound) -> Iterator[Sound]:
    """Yield sound as a decoder would."""
    return (sound[:, i : i + 4096] for i in range(0, sound.shape[1], 4096))


def as_sound(samples: NDArray[Any]) -> Sound:
    """Return samples in single precision."""
    return np.asarray(samples, np.float32)


def resampled(sound: Sound, rate: int, wanted: int) -> Sound:
    """Return sound at another rate, channels kept."""
    layout = {1: "mono", 2: "stereo"}[sound.shape[0]]
    return passed(sound, rate, AudioResampler(format="fltp", layout=layout, rate=wanted))


def as_read(sound: Sound) -> Sound:
    """Return sound as the reader gets it: mono at 16000."""
    return passed(sound, RATE, AudioResampler(format="fltp", layout="mono", rate=READ_AT))


def passed(sound: Sound, rate: int, resampler: AudioResampler) -> Sound:
    """Return what a resampler makes of sound."""
    layout = {1: "mono", 2: "stereo"}[sound.shape[0]]
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), "fltp", layout)
    frame.sample_rate = rate
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray() for part in parts], axis=1)


def coded(sound: Sound, *, codec: str, bits: int, rate: int = RATE) -> Sound:
    """Return sound after a lossy codec."""
    layout = {1: "mono", 2: "stereo"}[sound.shape[0]]
    kind = {"aac": "mp4", "libmp3lame": "mp3", "libopus": "ogg", "ac3": "ac3"}[codec]
    own = 48000 if codec == "libopus" else rate
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as target:
        track = cast(AudioStream, target.add_stream(codec, rate=own, layout=layout))
        track.codec_context.bit_rate = bits
        wanted = AudioResampler(format=track.codec_context.format, layout=layout, rate=own)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), "fltp", layout)
        frame.sample_rate = RATE
        for part in [*wanted.resample(frame), *wanted.resample(None)]:
            target.mux(track.encode(part))
        target.mux(track.encode(None))
    back = AudioResampler(format="fltp", layout=layout, rate=RATE)
    with av.open(io.BytesIO(file.getvalue()), "r") as source:
        parts = [part for frame in source.decode(audio=0) for part in back.resample(frame)]
    return np.concatenate([p.to_ndarray() for p in [*parts, *back.resample(None)]], axis=1)


def filtered(sound: NDArray[Any], gain: Callable[[NDArray[np.float64]], object]) -> Sound:
    """Return sound with each frequency multiplied by gain(Hz)."""
    hertz = np.arange(sound.shape[1] // 2 + 1) * (RATE / sound.shape[1])
    spectrum = np.fft.rfft(sound, axis=1) * np.asarray(gain(hertz))
    return as_sound(np.fft.irfft(spectrum, sound.shape[1], axis=1))


def noised(sound: Sound, *, snr: float) -> Sound:
    """Return sound in white noise."""
    level = np.sqrt((sound**2).mean()) * 10 ** (-snr / 20)
    noise = np.random.default_rng(7).normal(size=sound.shape) * level
    return as_sound(sound + noise)


def echoed(sound: Sound, *, later: float, gain: float) -> Sound:
    """Return sound with one echo."""
    echo = np.zeros_like(sound)
    shift = round(later * RATE)
    echo[:, shift:] = sound[:, :-shift] * gain
    return sound + echo


def in_a_room(sound: Sound) -> Sound:
    """Return sound as it rings on for 0.3 s (to -60 dB)."""
    t = np.arange(round(0.3 * RATE)) / RATE
    room = np.random.default_rng(8).normal(size=len(t)) * 10 ** (-3 * t / 0.3) * 0.02
    room[0] = 1
    size = sound.shape[1] + len(t)
    spectrum = np.fft.rfft(sound, size, axis=1) * np.fft.rfft(room, size)
    return as_sound(np.fft.irfft(spectrum, size, axis=1)[:, : sound.shape[1]])


def played(sound: Sound, *, speed: float) -> Sound:
    """Return sound played faster and higher, or slower and lower."""
    return resampled(sound, round(RATE * speed), RATE)


def stretched(sound: Sound, *, tempo: float) -> Sound:
    """Return sound faster or slower at its own pitch: pieces of 60 ms that overlap where alike."""
    size, reach = round(0.06 * RATE), round(0.015 * RATE)
    step, fade = size // 2, np.hanning(size + 1)[:-1]
    count = int((sound.shape[1] - size - 2 * reach) / (step * tempo))
    made, place = np.zeros((sound.shape[0], count * step + size)), 0
    for number in range(count):
        if number:
            wanted = sound[0, place + step : place + step + size]
            near = round(number * step * tempo)
            around = sound[0, near : near + size + 2 * reach]
            place = near + int(np.correlate(around, wanted, "valid").argmax())
        piece = sound[:, place : place + size]
        made[:, number * step : number * step + piece.shape[1]] += piece * fade[: piece.shape[1]]
    return made.astype(np.float32)


def squeezed(sound: Sound) -> Sound:
    """Return sound with its loud parts turned down, as broadcasters do."""
    block = RATE // 100
    level = np.sqrt((sound[0, : sound.shape[1] // block * block].reshape(-1, block) ** 2).mean(1))
    smooth = np.convolve(level, np.ones(10) / 10, "same") + 1e-4
    gain = np.repeat((smooth / smooth.max()) ** -0.5, block)
    return as_sound(sound[:, : len(gain)] * gain / gain.max())


def chain(sound: Sound) -> Sound:
    """Return sound after release, editing and two platforms."""
    first = coded(sound, codec="aac", bits=192_000)
    second = coded(first * 0.7, codec="libmp3lame", bits=96_000)
    return coded(second, codec="libopus", bits=64_000)


HANDLINGS: dict[str, Handling] = {
    "as it is": lambda s: s,
    "AAC 64 kbit/s": partial(coded, codec="aac", bits=64_000),
    "MP3 64 kbit/s": partial(coded, codec="libmp3lame", bits=64_000),
    "Opus 64 kbit/s": partial(coded, codec="libopus", bits=64_000),
    "AC-3 96 kbit/s": partial(coded, codec="ac3", bits=96_000),
    "MP3 32 kbit/s": partial(coded, codec="libmp3lame", bits=32_000),
    "Opus 24 kbit/s": partial(coded, codec="libopus", bits=24_000),
    "AAC, MP3 96, Opus 64": chain,
    "48000 and back": lambda s: resampled(resampled(s, RATE, 48000), 48000, RATE),
    "22050 and back": lambda s: resampled(resampled(s, RATE, 22050), 22050, RATE),
    "16000 and back": lambda s: resampled(resampled(s, RATE, 16000), 16000, RATE),
    "8000 and back": lambda s: resampled(resampled(s, RATE, 8000), 8000, RATE),
    "noise, SNR 30 dB": partial(noised, snr=30),
    "noise, SNR 20 dB": partial(noised, snr=20),
    "volume / 10": lambda s: s * 0.1,
    "clipped by 6 dB": lambda s: as_sound(
        np.clip(s, -0.5 * np.abs(s).max(), 0.5 * np.abs(s).max())
    ),
    "squeezed": squeezed,
    "8 bits": lambda s: as_sound(np.round(s * 127) / 127),
    "first channel, negative": lambda s: -s[:1],
    "below 4 kHz": partial(filtered, gain=lambda f: f < 4000),
    "above 500 Hz": partial(filtered, gain=lambda f: f > 500),
    "telephone": partial(filtered, gain=lambda f: (f > 300) & (f < 3400)),
    "echo, 100 ms, -14 dB": partial(echoed, later=0.1, gain=0.2),
    "echo, 60 ms, -10 dB": partial(echoed, later=0.06, gain=0.32),
    "a room": in_a_room,
    "speed + 1 %": partial(played, speed=1.01),
    "speed - 2 %": partial(played, speed=0.98),
    "film at 25 / 24": partial(played, speed=25 / 24),
    "tempo + 2 %": partial(stretched, tempo=1.02),
}
"""What happens to the sound, float32 [channels, n] at 44100."""


if __name__ == "__main__":
    main()
