"""A film from a phone that lay on its side is rendered as it is seen, not as it is stored."""

from pathlib import Path

import numpy as np
import pytest
from casts import RIGHTS, Cast, Stage
from numpy.typing import NDArray
from scenes import pictures, write_clip

from assent.consent.locker import Locker
from assent.create._frames import pairs_of
from assent.create.render import render, rendering_needs
from assent.data.ingest import ingest
from assent.kit.media.picture import to_rgb


@pytest.fixture
def stage(trained: Cast, tmp_path: Path) -> Stage:
    return trained.open_copy(tmp_path / "studio")


def rendered(stage: Stage, path: Path) -> list[NDArray[np.uint8]]:
    """Take a clip of ada in, and return it with ben's face."""
    clip = ingest(stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS).clip
    asking = stage.asking(rendering_needs(stage.model, clip))
    draft = render(stage.studio, stage.purpose, stage.model, clip, asking(), ask_again=asking)
    assert draft.replaced == draft.frames == 4
    asking = stage.asking(draft.needs(to_release=False))
    return [to_rgb(made) for _, made in pairs_of(draft, Locker(stage.studio), asking)]


def test_a_turned_clip_is_rendered_upright(stage: Stage, tmp_path: Path) -> None:
    frames = [rgb[:, 40:360] for rgb in pictures("ada_train", 0, 4)]
    level = rendered(stage, write_clip(tmp_path / "level.mp4", frames))
    for rotation in (90, 270):
        path = write_clip(tmp_path / f"turned-{rotation}.mp4", frames, rotation=rotation)
        turned = rendered(stage, path)
        assert [each.shape for each in turned] == [(384, 320, 3)] * 4
        away = np.abs(np.stack(turned).astype(int) - np.stack(level)).mean((1, 2, 3))
        assert (away < 2).all()
        # And it is a render that they agree on, not the film as it was shot.
        changed = np.abs(np.stack(turned).astype(int) - np.stack(frames)).max((1, 2, 3))
        assert (changed > 50).all()
