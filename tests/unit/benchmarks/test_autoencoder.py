from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")


def test_pictures_are_made_anew_at_their_size_and_alike(film: Path) -> None:
    from marks import autoencoder
    from marks.handlings import read_film

    coder = autoencoder.learn([film], iterations=6)
    rgb = next(read_film(film))[:130, :201]
    made = autoencoder.renew(coder, rgb)
    assert made.shape == rgb.shape
    assert made.dtype == np.uint8
    far = np.abs(made.astype(float) - rgb).mean()
    assert 0 < far < 90
