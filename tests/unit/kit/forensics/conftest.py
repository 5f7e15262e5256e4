"""Some pictures of a genuine film of a performer with whom the network was not taught."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.mesh import landmarks_of
from assent.kit.forensics.crops import Finder
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures

Rgb = NDArray[np.uint8]


@pytest.fixture(scope="session")
def filmed(samples: Path) -> list[Rgb]:
    """Eight pictures, a fifth of a second apart."""
    film = samples / "cleo_train.mp4"
    chosen = islice(read_pictures(film, name=film.name), 0, 40, 5)
    return [to_rgb(picture) for picture in chosen]


@pytest.fixture(scope="session")
def finder() -> Finder:
    """What finds faces, loaded once."""
    return Finder()


@pytest.fixture(scope="session")
def landmarks(filmed: list[Rgb], finder: Finder) -> NDArray[np.float32]:
    """Of the first picture."""
    (found,) = finder.detector.find(filmed[0])
    return np.asarray(landmarks_of(finder.fitter.fit(filmed[0], found.box).points), np.float32)
