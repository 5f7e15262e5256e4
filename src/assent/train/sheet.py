"""The preview sheet: what a model makes of faces, side by side, to judge it by eye."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assent.kit.faces.align import align, warp
from assent.kit.faces.face_set import FaceSet
from assent.train.loop import Trainer

__all__ = ["preview_sheet"]

_GAP = 2  # light pixels between pictures


def preview_sheet(
    trainer: Trainer, sets: Mapping[str, FaceSet], *, donor: str, columns: int = 8
) -> NDArray[np.uint8]:
    """Three rows: performers' faces, the same painted as themselves, the same painted as the donor.

    Args:
        trainer: holds the model.
        sets: each person's faces; those of everyone but the donor are shown, evenly spread.
        donor: whose face replaces the others'.
        columns: how many faces.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        KeyError: the model doesn't know the donor or someone in `sets`.
    """
    performers = [person for person in sets if person != donor] or [donor]
    rows: list[list[NDArray[np.uint8]]] = [[], [], []]
    for number in range(columns):
        performer = performers[number % len(performers)]
        faces = sets[performer]
        index = (2 * number + 1) * len(faces) // (2 * columns)
        crop = _crop(faces, index, trainer.config.network.size, trainer.config.coverage)
        itself, replaced = (_paint(trainer, crop, who) for who in (performer, donor))
        for row, picture in zip(rows, (crop, itself, replaced), strict=True):
            row.append(picture)
    return np.concatenate([np.concatenate([_framed(p) for p in row], 1) for row in rows])


def _crop(faces: FaceSet, index: int, size: int, coverage: float) -> NDArray[np.uint8]:
    return warp(faces.faces[index], align(faces.landmarks[index], size, coverage), size)


@torch.no_grad()
def _paint(trainer: Trainer, crop: NDArray[np.uint8], person: str) -> NDArray[np.uint8]:
    """The crop with the face that the model paints over it."""
    here = torch.from_numpy(crop).to(trainer.device).permute(2, 0, 1)[None].float() / 255
    painted = trainer.painting({person: here})[person]
    mask: Tensor = painted.masks.sigmoid()
    blend = mask * painted.faces.sigmoid() + (1 - mask) * here
    return np.asarray((blend[0].permute(1, 2, 0) * 255).round().byte().cpu().numpy())


def _framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((_GAP, _GAP), (_GAP, _GAP), (0, 0)), constant_values=235)
