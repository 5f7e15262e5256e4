"""Fit the projections that pictures' codes are made of, and say how well they tell copies.

    python benchmarks/fit_codes.py [--write]

Fitted on films of the kinds in `FITTED`; judged on films of all kinds, half of them of kinds that
nothing was fitted on, against the MPEG-7 frame signature and PDQ. With --write the product's file
is replaced; then every release has to be taken in anew.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pdqhash
from _changed import CHANGES
from _footage import FITTED, UNSEEN, make_film
from numpy.typing import NDArray

from assent.kit.fingerprint import picture_code
from assent.kit.fingerprint.frame import frame_signature
from assent.kit.fingerprint.picture_code import even_out, thumb_of

FILE = Path(picture_code.__file__).with_name("projections.npy")
BITS, KEPT = 256, 96  # bits of a code, discriminants that they are turned from
_RIDGE = 0.02
_VIEWS = 6

Grey = NDArray[np.uint8]
Table = NDArray[Any]


def pictures(seeds: Iterable[int], kinds: tuple[str, ...], each: int) -> list[tuple[int, Grey]]:
    """Return some pictures of each seed's film, with the seed."""
    found = []
    for seed in seeds:
        film = make_film(seed, kinds=kinds)
        for at in np.random.default_rng(seed).uniform(0, film.seconds, each):
            rgb = film.picture(float(at), width=320)
            found.append((seed, np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)))
    return found


def fit(shown: list[tuple[int, Grey]]) -> NDArray[np.int8]:
    """Return the table of mean and projections, int8 [257, 576]."""
    rng = np.random.default_rng(5)
    names = list(CHANGES)
    between, within = [], []
    for _, grey in shown:
        plain = even_out(thumb_of(grey))
        between += [plain, even_out(thumb_of(grey), mirrored=True)]
        for view in range(_VIEWS):
            changed = CHANGES[names[view % len(names)]](grey, rng)
            within.append(even_out(thumb_of(changed)) - plain)
    mean = np.mean(between, 0)
    spread = np.cov((np.array(between) - mean).T)
    noise = np.array(within).T @ np.array(within) / len(within)
    noise += _RIDGE * np.trace(noise) / len(noise) * np.eye(len(noise))
    inverse = np.linalg.inv(np.linalg.cholesky(noise))
    _, vectors = np.linalg.eigh(inverse @ spread @ inverse.T)
    best = inverse.T @ vectors[:, ::-1][:, :KEPT]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(BITS, KEPT)))[0]
    weights = (best @ turn.T).T
    weights /= np.abs(weights).max(1, keepdims=True) / 127
    table = np.vstack([mean * 60, weights])
    return np.clip(np.round(table), -127, 127).astype(np.int8)


def _own(table: NDArray[np.int8]) -> Callable[[Grey], Table]:
    mean, weights = table[0].astype(np.float32) / 60, table[1:].T.astype(np.float32)
    return lambda grey: (even_out(thumb_of(grey)) - mean) @ weights > 0


def _pdq(grey: Grey) -> Table:
    return np.asarray(pdqhash.compute(np.repeat(grey[..., None], 3, 2))[0], bool)


def judge(name: str, code: Callable[[Grey], Table], shown: list[tuple[int, Grey]]) -> None:
    """Print which share of copies is nearer than all but 1e-5 and 1e-4 of other films' pictures."""
    rng = np.random.default_rng(9)
    codes = np.array([code(grey) for _, grey in shown]).astype(np.int16)
    seeds = np.array([seed for seed, _ in shown])
    apart = np.stack([np.abs(codes - one).sum(1) for one in codes])
    others = np.sort(apart[seeds[:, None] != seeds[None]])
    limits = [int(others[int(len(others) * share)]) for share in (1e-5, 1e-4)]
    print(f"{name}: others are {others.mean():.0f} +- {others.std():.1f} away; limits {limits}")
    for change, make in CHANGES.items():
        copies = (code(make(grey, rng)).astype(np.int16) for _, grey in shown)
        away = np.array([np.abs(c - one).sum() for c, one in zip(copies, codes, strict=True)])
        found = " ".join(f"{(away < limit).mean():6.1%}" for limit in limits)
        print(f"  {change:12s} median {np.median(away):4.0f}  nearer: {found}")


def main() -> None:
    """Fit, judge, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the product's file")
    asked = parser.parse_args()
    table = fit(pictures(range(100_000, 101_000), FITTED, 2))
    if asked.write:
        np.save(FILE, table)
    shown = pictures(range(200_000, 200_200), UNSEEN, 2)
    shown += pictures(range(210_000, 210_200), FITTED, 2)
    judge("own", _own(table), shown)
    judge("PDQ", _pdq, shown)
    judge("MPEG-7", frame_signature, shown)


if __name__ == "__main__":
    main()
