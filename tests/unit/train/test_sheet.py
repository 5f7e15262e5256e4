"""The sheet shows crops, themselves painted, and the donor in their place."""

import numpy as np
import torch

from assent.kit.faces.face_set import FaceSet
from assent.train.config import TrainConfig
from assent.train.loop import Trainer
from assent.train.sheet import preview_sheet


def test_rows_and_columns(sets: dict[str, FaceSet], small: TrainConfig) -> None:
    trainer = Trainer(sets, small, 1, device=torch.device("cpu"))
    trainer.run(iterations=30)
    sheet = preview_sheet(trainer, sets, donor="ben", columns=5)
    assert sheet.shape == (3 * 36, 5 * 36, 3)
    assert sheet.dtype == np.uint8
    cheeks = [sheet[36 * n + 18, 10:12].mean() for n in range(3)]
    # The performer is pale and the donor dark.
    assert abs(cheeks[1] - cheeks[0]) < 25
    assert cheeks[2] < cheeks[0] - 40


def test_a_model_of_one_person_shows_that_person(
    sets: dict[str, FaceSet], small: TrainConfig
) -> None:
    alone = {"ben": sets["ben"]}
    trainer = Trainer(alone, small, 1, device=torch.device("cpu"))
    assert preview_sheet(trainer, alone, donor="ben", columns=2).shape == (108, 72, 3)
