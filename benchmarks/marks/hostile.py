"""What people who mean harm may try with more than one marked film, or with the reading key.

    for outcome in try_all([Path("a.mp4"), Path("b.mp4")], Path("work")):
        print(outcome)

Removal: averaging copies of one film with several identifiers (collusion); estimating the pattern
from other films of the same studio and subtracting it; marking once more with the opposite sign,
by someone who holds the public key; making the pictures anew by an autoencoder. Forgery: lifting
the pattern off one film onto another (copy attack). What a single copy's holder can do besides is
in the suite of attacks, class "hard".
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.video import Fingerprint, VideoFingerprint, distance
from assent.kit.media._encode import encode
from assent.kit.media.picture import Picture, luma8, with_luma
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from marks import marking
from marks.handlings import remake

__all__ = ["ATTEMPTS", "Outcome", "render", "report", "try_all"]

Luma = NDArray[Any]
Floats = NDArray[np.float32]
_CRF = 18
_THEIRS = 0x5EED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a reader says of the result; `succeeded` if it is what the attacker hoped for."""

    attempt: str
    film: str
    says: str
    succeeded: bool
    psnr_y: float


def report(films: Sequence[Path], work: Path) -> dict[str, Any]:
    """Make every attempt on every film; return what came of it."""
    return {"hostile": [asdict(outcome) for outcome in try_all(films, work)]}


def render(report: dict[str, Any]) -> str:
    """Return a report as a table."""
    lines = [f"{'attempt':<34}{'film':<24}{'succeeded':<11}{'PSNR-Y':>7}  what is read"]
    for row in report["hostile"]:
        done = "yes" if row["succeeded"] else "no"
        place = f"{row['attempt']:<34}{row['film']:<24}{done:<11}{row['psnr_y']:>7.1f}"
        lines.append(f"{place}  {row['says']}")
    return "\n".join(lines)


def try_all(films: Sequence[Path], work: Path) -> Iterator[Outcome]:
    """Make every attempt on every film."""
    for attempt in ATTEMPTS.values():
        for film in films:
            yield attempt(film, films, work)


def _collude(copies: int) -> Callable[[Path, Sequence[Path], Path], Outcome]:
    def attempt(film: Path, _: Sequence[Path], work: Path) -> Outcome:
        marked = []
        for number in range(copies):
            marked.append(work / f"copy{number}.mp4")
            marking.embed(film, marked[-1], asset_id=_THEIRS + number)
        target = work / "averaged.mp4"
        _combine(marked, target, lambda planes: np.mean(planes, axis=0))
        reading = marking.read(target)
        ours = {_THEIRS + number for number in range(copies)}
        if reading.asset_id is None:
            says = "nothing is read"
        elif reading.asset_id in ours:
            says = "one of the copies is named"
        else:
            says = "SOMEONE ELSE'S COPY IS NAMED"
        return Outcome(
            attempt=f"average of {copies} copies",
            film=film.stem,
            says=says,
            succeeded=reading.asset_id not in ours,
            psnr_y=_psnr(target, film),
        )

    return attempt


def _subtract_others(film: Path, films: Sequence[Path], work: Path) -> Outcome:
    """Take what other films of the studio have in common off this one."""
    target, marked = work / "less.mp4", work / "marked.mp4"
    marking.embed(film, marked, asset_id=_THEIRS)
    size = _size(film)
    common = np.zeros(size, np.float32)
    for number, other in enumerate(one for one in films if one != film):
        marking.embed(other, work / "other.mp4", asset_id=_THEIRS + 1 + number)
        # Where the films differ in size, the pattern is brought to this film's.
        pattern = still_detail(work / "other.mp4")
        scale = min(size) / min(pattern.shape)
        matrix = np.array([[scale, 0, 0], [0, scale, 0]])
        common += cv2.warpAffine(pattern, matrix, size[::-1], borderMode=cv2.BORDER_CONSTANT)
    common *= 1.0 / max(len(films) - 1, 1)
    own = still_detail(marked)
    # As much of it as this film's own stillness agrees with.
    share = float((common * own).sum() / max((common * common).sum(), 1e-9))
    _combine([marked], target, lambda planes: planes[0] - share * common)
    return _removal("other films' pattern subtracted", film, target)


def _subtract_known(film: Path, _: Sequence[Path], work: Path) -> Outcome:
    """Read with the public key, mark the result again, and go the other way by as much."""
    marked, again, target = (work / f"{name}.mp4" for name in ("marked", "again", "less"))
    marking.embed(film, marked, asset_id=_THEIRS)
    marking.embed(marked, again, asset_id=_THEIRS)
    _combine([marked, again], target, lambda planes: 2 * planes[0] - planes[1])
    return _removal("unmarked with the public key", film, target)


def _removal(name: str, film: Path, target: Path) -> Outcome:
    reading = marking.read(target)
    gone = reading.asset_id != _THEIRS
    says = "the mark is not read" if gone else "the mark is still read"
    psnr = _psnr(target, film)
    return Outcome(attempt=name, film=film.stem, says=says, succeeded=gone, psnr_y=psnr)


def _copy(film: Path, films: Sequence[Path], work: Path) -> Outcome:
    """Lift the pattern off this film onto the next."""
    marked, target = work / "marked.mp4", work / "forged.mp4"
    other = films[(list(films).index(film) + 1) % len(films)]
    marking.embed(film, marked, asset_id=_THEIRS)
    pattern, size = still_detail(marked), _size(other)
    scale = min(size) / min(pattern.shape)
    matrix = np.array([[scale, 0, 0], [0, scale, 0]])
    border = cv2.BORDER_WRAP
    laid = np.asarray(cv2.warpAffine(pattern, matrix, size[::-1], borderMode=border), np.float32)
    _combine([other], target, lambda planes: planes[0] + 1.5 * laid)
    read = marking.read(target).asset_id == _THEIRS
    away = distance(_fingerprint(marked), _fingerprint(target))
    says = f"read; fingerprint {away} bits from the record's" if read else "not read"
    return Outcome(
        attempt=f"mark copied to {other.stem}",
        film=film.stem,
        says=says,
        succeeded=read,
        psnr_y=_psnr(target, other),
    )


def _regenerate(film: Path, films: Sequence[Path], work: Path) -> Outcome:
    """Make the pictures anew by an autoencoder that learned from the other films, without mark."""
    from marks.autoencoder import learn, renew

    marked, target = work / "marked.mp4", work / "renewed.mp4"
    marking.embed(film, marked, asset_id=_THEIRS)
    coder = learn([one for one in films if one != film] or films)
    remake(marked, target, lambda rgb, _: renew(coder, rgb), crf=_CRF)
    return _removal("made anew by an autoencoder", film, target)


ATTEMPTS: dict[str, Callable[[Path, Sequence[Path], Path], Outcome]] = {
    "collusion-2": _collude(2),
    "collusion-5": _collude(5),
    "subtract-others": _subtract_others,
    "subtract-known": _subtract_known,
    "autoencoder": _regenerate,
    "copy": _copy,
}
"""Each attempt takes a film, all films, and a folder to work in."""


def still_detail(film: Path) -> Floats:
    """Return what stays still in a film's fine detail, [H, W] grey levels."""
    total: Any = 0.0
    count = 0
    for picture in read_pictures(film, name=film.name):
        plane = luma8(picture).astype(np.float32)
        total = total + plane - cv2.bilateralFilter(plane, 7, 12, 2.5)
        count += 1
    return np.asarray(np.clip(total / count, -4, 4), np.float32)


def _combine(films: Sequence[Path], target: Path, make: Callable[[list[Luma]], Luma]) -> None:
    """Make a film's luma from that of several of the same size, and encode it."""
    clip = probe(films[0], name=films[0].name)
    with ExitStack() as stack, target.open("wb+") as sink:
        sources = [stack.enter_context(closing(_pictures(film))) for film in films]
        pictures = (_made(together, make) for together in zip(*sources, strict=True))
        encode(pictures, sink, like=clip, sound_from=None, crf=_CRF)


def _made(together: Sequence[Picture], make: Callable[[list[Luma]], Luma]) -> Picture:
    first = together[0]
    plane = np.round(make([picture.y.astype(np.float32) for picture in together]))
    return with_luma(first, np.clip(plane, 0, (1 << first.bits) - 1).astype(first.y.dtype))


def _pictures(film: Path) -> Generator[Picture, None, None]:
    yield from read_pictures(film, name=film.name)


def _size(film: Path) -> tuple[int, int]:
    clip = probe(film, name=film.name)
    return clip.height, clip.width


def _psnr(film: Path, reference: Path) -> float:
    errors = [
        float(np.mean((luma8(one).astype(np.float32) - luma8(other)) ** 2))
        for one, other in zip(
            read_pictures(film, name=film.name),
            read_pictures(reference, name=reference.name),
            strict=False,
        )
    ]
    return float(10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9)))


def _fingerprint(film: Path) -> Fingerprint:
    clip, taken = probe(film, name=film.name), VideoFingerprint()
    for picture in read_pictures(film, name=film.name):
        taken.add(luma8(picture), picture.pts * clip.time_base)
    return taken.finish()
