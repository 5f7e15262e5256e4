from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from marks.pictures import FILMS, fractal, make_films

from assent.kit.media.probe import probe


@pytest.mark.parametrize("name", sorted(FILMS))
def test_films_move_and_have_even_sides(name: str) -> None:
    first, *_, last = islice(FILMS[name](), 4)
    assert first.dtype == np.uint8
    assert first.shape == last.shape
    assert not any(side % 2 for side in first.shape[:2])
    assert np.any(first != last)


def test_films_are_written(tmp_path: Path) -> None:
    (path,) = make_films(tmp_path / "films", ["cartoon-480p"])
    clip = probe(path, name=path.name)
    assert (clip.width, clip.height, clip.frames) == (854, 480, 150)


def test_noise_is_the_same_for_a_seed() -> None:
    assert np.array_equal(fractal(32, 48, seed=1), fractal(32, 48, seed=1))
    assert not np.array_equal(fractal(32, 48, seed=1), fractal(32, 48, seed=2))
