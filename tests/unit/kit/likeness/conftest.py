"""Two people followed in real footage, and a portrait of one for the other, made once."""

from pathlib import Path

import numpy as np
import pytest
from footage import COVERAGE, Footage, footage

from assent.kit.likeness.focus import look_at
from assent.kit.likeness.light import colours
from assent.kit.likeness.motion import Learner, sharpened
from assent.kit.likeness.portrait import Portrait, Sitter, make_portrait


def sitter(taken: Footage) -> Sitter:
    learner = Learner([sharpened(crop) for crop in taken.crops], taken.meshes)
    while not learner.done:
        learner.advance()
    mover, motion = learner.learned()
    meshes = mover.meshes(motion)
    seen = np.stack([colours(c, m) for c, m in zip(taken.crops, meshes, strict=True)])
    fine = np.array([look_at(c, m).fineness for c, m in zip(taken.crops, meshes, strict=True)])
    return Sitter(mover=mover, motion=motion, seen=seen, fineness=fine)


@pytest.fixture(scope="session")
def ada(samples: Path) -> Footage:
    return footage(samples / "ada_train.mp4", first=0, count=60, step=6)


@pytest.fixture(scope="session")
def ben(samples: Path) -> Footage:
    return footage(samples / "ben_train.mp4", first=0, count=40, step=8)


@pytest.fixture(scope="session")
def scene(samples: Path) -> Footage:
    """Twenty frames in a row of ada, in another clip."""
    return footage(samples / "scene1_ada.mp4", first=40, count=20)


@pytest.fixture(scope="session")
def ada_sitter(ada: Footage) -> Sitter:
    return sitter(ada)


@pytest.fixture(scope="session")
def portrait(ada: Footage, ada_sitter: Sitter, ben: Footage) -> Portrait:
    """Ben's face for ada's performance."""
    return make_portrait(sitter(ben), ada_sitter, ben.crops, ada.crops, coverage=COVERAGE)
