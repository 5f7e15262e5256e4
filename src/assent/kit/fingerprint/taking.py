"""Take a file's codes: to keep them (a release), or to look it up by them (a copy).

    taken = take(Path("release.mp4"), name="release.mp4", keep=True)
    taken.track, taken.sound               # what an index holds
    taken = take(Path("copy.mp4"), name="copy.mp4", keep=False)
    taken.probes, taken.sound_probes       # what is looked up in it

Pictures are decoded lightly, and five a second are looked at, so an hour of 1080p takes a few
minutes of one core.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.fingerprint.probe import Probe, ProbeMaker
from assent.kit.fingerprint.sound_code import RATE, SoundTrackMaker
from assent.kit.fingerprint.track import Track, TrackMaker, no_track
from assent.kit.media.listen import holds_only_sound, listen
from assent.kit.media.picture import luma8
from assent.kit.media.probe import probe
from assent.kit.media.read import skim
from assent.kit.media.still import LARGEST_FILE, read_still, still_type
from assent.kit.progress import Progress, nothing

__all__ = ["LONGEST_S", "Taken", "take"]

LONGEST_S = 4 * 3600.0
"""Seconds of a film of which codes are taken; what comes after is left out."""

_STILL_S = 1.0
_Maker = TrackMaker | ProbeMaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file's codes: tracks to keep, or probes to look it up by. `seconds` is how long it is."""

    seconds: float
    track: Track
    probes: tuple[Probe, ...]
    sound: Track
    sound_probes: tuple[Probe, ...]


def take(path: Path, *, name: str, keep: bool, progress: Progress = nothing) -> Taken:
    """Return the codes of the film, still or sound at `path`; raises `MediaError` if it is none.

    To `keep` them gives tracks, otherwise there are probes.
    """
    with path.open("rb") as file:
        head = file.read(16)
    maker: _Maker = TrackMaker() if keep else ProbeMaker()
    if still_type(head):
        maker.add(_still(path, name), 0.0)
        return _taken(maker, SoundTrackMaker(), _STILL_S)
    heard = _heard(path, name)
    seconds = heard.seconds
    if not _only_sound(path, name):
        seconds = _look(path, name, maker, progress)
    return _taken(maker, heard, seconds)


def _taken(maker: _Maker, heard: SoundTrackMaker, seconds: float) -> Taken:
    sound, sound_probes = heard.finish()
    keeps = isinstance(maker, TrackMaker)
    return Taken(
        seconds=seconds,
        track=maker.finish(seconds) if isinstance(maker, TrackMaker) else no_track(),
        probes=maker.finish(seconds) if isinstance(maker, ProbeMaker) else (),
        sound=sound if keeps else no_track(),
        sound_probes=() if keeps else sound_probes,
    )


def _look(path: Path, name: str, maker: _Maker, progress: Progress) -> float:
    """Give the maker the pictures that it wants; return how long the film is, in seconds."""
    clip = probe(path, name=name)
    first: float | None = None
    at = 0.0
    for shown in skim(path, name=name):
        now = float(shown.pts * clip.time_base)
        first = now if first is None else first
        at = now - first
        if at > LONGEST_S:
            break
        progress("fingerprinting", int(at), int(clip.duration))
        if maker.wants(at):
            maker.add(luma8(shown.take()), at)
    return max(at + float(1 / clip.frame_rate), min(clip.duration, LONGEST_S))


def _still(path: Path, name: str) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        rgb = read_still(file.read(LARGEST_FILE + 1), name=name)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _heard(path: Path, name: str) -> SoundTrackMaker:
    maker = SoundTrackMaker()
    left = int(LONGEST_S * RATE)
    try:
        for block in listen(path, name=name, rate=RATE):
            maker.add(block[:left])
            left -= len(block)
            if left <= 0:
                break
    except MediaError:
        # Whether there are pictures is told where they are read.
        return SoundTrackMaker()
    return maker


def _only_sound(path: Path, name: str) -> bool:
    try:
        return holds_only_sound(path, name=name)
    except MediaError:
        return False
