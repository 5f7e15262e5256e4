"""What a file's own bytes give, before the log's records are held against them.

The file is decoded once: the watermark's reader sees some pictures, the label's search others, the
fingerprint five a second. Meanwhile a second thread hashes the file, checks its credential and
listens to its sound.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from assent.kit.c2pa.read import BESIDE, LARGEST_STORE, Credential, read, type_of
from assent.kit.errors import MediaError
from assent.kit.fingerprint.video import Fingerprint, VideoFingerprint
from assent.kit.hashing import hash_file
from assent.kit.media.convert import from_rgb
from assent.kit.media.listen import holds_only_sound
from assent.kit.media.picture import Picture, luma8, to_rgb
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import Shown, read_shown
from assent.kit.media.still import LARGEST_FILE, read_still, still_type
from assent.kit.progress import Progress
from assent.kit.watermark.key import SecretKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.mark import Search
from assent.kit.watermark.read import STRETCH_S, read_mark
from assent.verify.detectors import Shots
from assent.verify.label import LabelSeen, LabelWatch
from assent.verify.public import PublicLog
from assent.verify.sound import Heard, hear

__all__ = ["UNSEEN", "Evidence", "Stretch", "gather"]

# Pictures that the watermark reader gets of each stretch of a clip, and how many stretches.
_MARK_LOOKS = 64
_STRETCHES = 12
# Seconds that a search may take in the first stretch, in the middle and the last one, and where it
# only glances: in the others, and everywhere once a mark was found.
_FIRST_BUDGET_S, _BUDGET_S, _GLANCE_S = 12.0, 4.0, 0.25
ReadStretch = Callable[..., Search]
UNSEEN = Search(mark=None, frames=0, seconds=0.0, searched=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a film in which a mark was looked for, in seconds, and the identifier read."""

    begin: float
    end: float
    asset_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the bytes gave, before the log is asked.

    `search` is that of the first stretch with a mark, or all of them together if there is none.
    """

    sha256: str
    size: int
    credential: Credential
    search: Search = UNSEEN
    stretches: tuple[Stretch, ...] = ()
    fingerprint: Fingerprint | None = None
    frames: int = 0
    label: LabelSeen | None = None
    shots: Shots = field(default_factory=lambda: Shots(frames=0))
    heard: Heard | None = None

    @property
    def marked(self) -> bool:
        """Whether anything in the file that can't be there by chance names an asset."""
        return self.search.mark is not None or self.credential.state == "trusted"

    @property
    def assets(self) -> frozenset[str]:
        """The assets that the marks in the picture name."""
        return frozenset(f"{s.asset_id:016x}" for s in self.stretches if s.asset_id is not None)


def gather(
    path: Path,
    log: PublicLog,
    *,
    name: str,
    secret: SecretKey | None,
    shots: bool,
    progress: Progress,
) -> Evidence:
    """Read the file's credential, marks, label and fingerprint.

    `log` gives the keys and what it lists, `name` is what messages call the file. With the studio's
    own `secret`, the mark's second layer is looked for as well. With `shots`, some pictures are
    kept for detectors.

    Raises `MediaError` if the file is no video, still or sound that can be read, unless it carries
    a credential, which is told all the same.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise MediaError(f"{name} is empty")
    with ThreadPoolExecutor(max_workers=1) as pool:
        if still_type(head):
            signed = _read_signed(path, head, log)
            return _see_still(path, name, signed, _reader(log, secret), shots=shots)
        beside = pool.submit(_read_beside, path, name, head, log)
        if _only_sound(path, name):
            return beside.result()
        return _see(path, name, beside, _reader(log, secret), shots=shots, progress=progress)


def _read_beside(path: Path, name: str, head: bytes, log: PublicLog) -> Evidence:
    """Return what is not in the pictures: hash, credential, sound."""
    signed = _read_signed(path, head, log)
    return replace(signed, heard=hear(path, log, sha256=signed.sha256, name=name))


def _read_signed(path: Path, head: bytes, log: PublicLog) -> Evidence:
    with path.open("rb") as file:
        sha256, size = hash_file(file), file.tell()
        credential = log.judge(_credential(path, file, head, log), sha256)
    return Evidence(sha256=sha256, size=size, credential=credential)


def _credential(path: Path, file: BinaryIO, head: bytes, log: PublicLog) -> Credential:
    """Return the credential in the file, or the one that lies beside it as NAME.c2pa."""
    mime = type_of(head)
    if mime is None:
        return Credential(state="missing")
    beside = path.with_name(f"{path.name}.c2pa")
    store = None
    if mime in BESIDE and beside.is_file():
        with beside.open("rb") as other:
            store = other.read(LARGEST_STORE + 1)
    return read(
        file,
        mime=mime,
        anchors_pem=log.root_pem,
        serials=log.certificates.keys(),
        beside=store,
    )


def _only_sound(path: Path, name: str) -> bool:
    try:
        return holds_only_sound(path, name=name)
    except MediaError:
        # Whether it can be read as pictures is told where that is tried.
        return False


def _see_still(
    path: Path, name: str, signed: Evidence, read_stretch: ReadStretch, *, shots: bool
) -> Evidence:
    with path.open("rb") as file:
        rgb = read_still(file.read(LARGEST_FILE + 1), name=name)
    picture = from_rgb(rgb)
    search = read_stretch(iter([luma8(picture)]))
    label = LabelWatch(duration=0)
    label.look(picture, 0)
    return replace(
        signed,
        search=search,
        stretches=(Stretch(begin=0, end=0, asset_id=_id(search)),),
        frames=1,
        label=label.result(),
        shots=Shots(frames=1, taken=[rgb] if shots else []),
    )


def _see(
    path: Path,
    name: str,
    beside: Future[Evidence],
    read_stretch: ReadStretch,
    *,
    shots: bool,
    progress: Progress,
) -> Evidence:
    clip = probe(path, name=name)
    watch = _Watch(clip, read_stretch, shots=shots)
    try:
        watch.run(read_shown(path, name=name), progress)
    except MediaError as error:
        known = beside.result()
        if known.credential.state == "missing":
            raise
        # What the credential says of a damaged file is worth telling all the same.
        return replace(known, search=replace(UNSEEN, searched=(f"unreadable: {error}",)))
    return watch.complete(beside.result())


class _Watch:
    """One pass through a film's pictures."""

    def __init__(self, clip: Clip, read_stretch: ReadStretch, *, shots: bool) -> None:
        self._clip = clip
        self._read_stretch = read_stretch
        self._stretches = _stretches(clip)
        self._fingerprint = VideoFingerprint()
        self._label = LabelWatch(duration=clip.duration)
        self._shots = Shots(frames=clip.frames if shots else 0)
        self._wants_shots = shots
        self._searches: list[Search] = []
        self._found: list[Stretch] = []
        self._frames = 0

    def run(self, pictures: Iterator[Shown], progress: Progress) -> None:
        """Look at all pictures once."""
        watched = self._watched(pictures, progress)
        for number, part in groupby(watched, key=lambda look: look[0]):
            search = self._read_stretch((luma for _, luma in part), budget_s=self._budget(number))
            self._searches.append(search)
            span = self._stretches[number]
            rate = float(self._clip.frame_rate)
            self._found.append(
                Stretch(
                    begin=span.start / rate,
                    end=min(span.stop, self._clip.frames) / rate,
                    asset_id=_id(search),
                )
            )

    def complete(self, known: Evidence) -> Evidence:
        """Return `known` with what was seen."""
        return replace(
            known,
            search=_together(self._searches),
            stretches=tuple(self._found),
            fingerprint=self._fingerprint.finish(),
            frames=self._frames,
            label=self._label.result(),
            shots=self._shots,
        )

    def _watched(
        self, pictures: Iterator[Shown], progress: Progress
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Show each picture to whom it concerns; yield those that a mark is looked for in."""
        for index, shown in enumerate(pictures):
            self._frames = index + 1
            at = shown.pts * self._clip.time_base
            self._fingerprint.add_later(partial(_luma_of, shown), at)
            if self._label.wants(float(at)):
                self._label.look(shown.take(), float(at))
            if self._wants_shots and self._shots.wants(index):
                self._shots.taken.append(to_rgb(shown.take()))
            progress("examining", index + 1, self._clip.frames)
            for number, stretch in enumerate(self._stretches):
                if index in stretch:
                    yield number, _luma_of(shown)

    def _budget(self, number: int) -> float:
        last = len(self._stretches) - 1
        if any(search.mark for search in self._searches):
            return _GLANCE_S
        if number == 0:
            return _FIRST_BUDGET_S
        return _BUDGET_S if number in (round(last / 2), last) else _GLANCE_S


def _luma_of(shown: Shown) -> NDArray[np.uint8]:
    picture: Picture = shown.take()
    return luma8(picture)


def _id(search: Search) -> int | None:
    return search.mark.asset_id if search.mark else None


def _reader(log: PublicLog, secret: SecretKey | None) -> ReadStretch:
    known = Known(int(record.entry.asset_id, 16) for record in log.records)
    return partial(read_mark, key=log.reading_key, known=known, secret=secret)


def _stretches(clip: Clip) -> list[range]:
    """Return the numbers of the pictures to look for a mark in, spread over the film.

    One after the other, none in two of them; each spans no more than a reader adds up.
    """
    length = max(1, int(STRETCH_S * float(clip.frame_rate)))
    count = min(_STRETCHES, max(1, round(clip.frames / length)))
    step = max(1, round(min(clip.frames, length) / _MARK_LOOKS))
    stretches: list[range] = []
    for number in range(count):
        start = number * max(0, clip.frames - length) // max(1, count - 1)
        free = stretches[-1].stop if stretches else 0
        stretches.append(range(max(start, free), start + length, step))
    return stretches


def _together(searches: list[Search]) -> Search:
    """Return the first search that found a mark, or all of them as one."""
    found = next((search for search in searches if search.mark), None)
    if found is not None or not searches:
        return found or UNSEEN
    return Search(
        mark=None,
        frames=sum(search.frames for search in searches),
        seconds=sum(search.seconds for search in searches),
        searched=tuple(dict.fromkeys(step for search in searches for step in search.searched)),
    )
