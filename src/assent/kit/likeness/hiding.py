"""What stands before a face: a hand, a microphone, hair. It stays where it is.

The performer's own pictures tell how their face usually looks (`usual`). A small network looks at
how a frame differs from that and says where something else is seen: a hand may have the colour of
the face behind it, but has edges where a face has none and lacks the features that belong there. It
was taught with drawn hands, strands and things before computer-generated faces, and knows no
person (`tools/train_hiding.py`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from assent.kit.faces.models import load
from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.layout import Layout
from assent.kit.likeness.usual import Difference, Look, Usual

__all__ = ["CHANNELS", "Hiding", "unwrapped", "views"]

Field = NDArray[np.float32]

CHANNELS: Final = 8
"""What the network sees of each pixel (`views`)."""

_MODEL: Final = "assent-hiding"
_SIDE: Final = 128  # of what the network sees
_ODD: Final = 6.0  # deviations: more than that is told apart less and less
_SCALES: Final = np.array([2, 6, 6], np.float32)  # logarithms of brightness and colours to about 1
_FARTHEST: Final = 1.5
_AROUND: Final = 9  # px that brightness is held against
_CONTRAST: Final = 4.0
_TURNED: Final = (0.1, 0.3)
_LEAST: Final = 0.004  # share of the texture: less that is hidden is nothing
_SURE: Final = 0.55  # how much a pixel must face the camera to be judged by itself
_AROUND_UNSURE: Final = 0.2  # share of the texture's side: how far the others look around
_EDGE: Final = (0.15, 0.55)  # how likely something must be to show at all, and to show wholly


@dataclass(frozen=True, eq=False)
class Hiding:
    """Tells what hides a person's face.

    Attributes:
        layout: of the textures.
        look: what the person usually looks like.
    """

    layout: Layout
    look: Look

    def covering(self, texture: NDArray[np.uint8], facing: Floats) -> Field | None:
        """How much something covers each pixel of the layout: float32 [S, S], 0..1; None: nothing.

        Args:
            texture: what is seen (`unwrapped`).
            facing: [P, 3], normals.
        """
        difference = self._usual.difference(texture, facing)
        likely = self._spread_out(self._likely(difference), difference.ahead)
        if (likely > 0.5).sum() < _LEAST * likely.size:
            return None
        whole = (self.layout.size, self.layout.size)
        wide = cv2.resize(likely, whole, interpolation=cv2.INTER_LINEAR)
        low, high = _EDGE
        return np.asarray(np.clip((np.asarray(wide) - low) / (high - low), 0, 1), np.float32)

    def _likely(self, difference: Difference) -> Field:
        """How likely something else is seen: float32 [S / 2, S / 2], 0..1."""
        seen = views(difference, self._usual.where)
        half = len(seen[0])
        if half != _SIDE:
            seen = np.stack([cv2.resize(each, (_SIDE, _SIDE)) for each in seen])
        (logits,) = self._network.run(None, {"seen": seen[None]})
        share = 1 / (1 + np.exp(-np.asarray(logits, np.float32)[0, 0]))
        if half != _SIDE:
            share = np.asarray(cv2.resize(share, (half, half)), np.float32)
        return np.asarray(share, np.float32)

    def _spread_out(self, likely: Field, ahead: Field) -> Field:
        """The same, where it can't be judged as most of what is around.

        That is beyond the rim, and where the face turns away: there background and nose come into
        view, which hide nothing that would be painted.
        """
        sure = np.zeros(likely.shape, np.float32)
        sure[self._usual.where] = ahead > _SURE
        side = round(_AROUND_UNSURE * len(likely)) | 1
        sums, counts = (cv2.blur(each, (side, side)) for each in (likely * sure, sure))
        around = np.asarray(sums) / (np.asarray(counts) + np.float32(1e-3))
        return np.where(sure > 0, likely, around).astype(np.float32)

    @cached_property
    def _network(self) -> onnxruntime.InferenceSession:
        return load(_read, None, _MODEL, (Exception,))

    @cached_property
    def _usual(self) -> Usual:
        return Usual(self.layout, self.look)


def unwrapped(layout: Layout, crop: NDArray[np.uint8], mesh: Floats) -> NDArray[np.uint8]:
    """The face in a crop, in half the layout's size: uint8 [S / 2, S / 2, 3]."""
    right, down = cv2.split(layout.half.places(mesh))
    texture = cv2.remap(crop, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(texture, np.uint8)


def views(difference: Difference, where: NDArray[np.bool_]) -> Field:
    """What the network sees: float32 [CHANNELS, S / 2, S / 2].

    How odd brightness and the two colours are; by how much they differ; how the pixel stands out
    from its surroundings; how much it faces the camera.
    """
    found = np.zeros((CHANNELS, *where.shape), np.float32)
    found[0:3, where] = np.tanh(difference.sizes / _ODD).T
    found[3:6, where] = np.clip(difference.rest * _SCALES, -_FARTHEST, _FARTHEST).T
    bright = np.zeros(where.shape, np.float32)
    bright[where] = difference.told[:, 0]
    wide = (_AROUND, _AROUND)
    near = cv2.blur(bright, wide) / (cv2.blur(where.astype(np.float32), wide) + np.float32(1e-3))
    found[6, where] = np.clip((bright - near)[where] * _CONTRAST, -_FARTHEST, _FARTHEST)
    found[7, where] = np.clip((difference.ahead - _TURNED[0]) / _TURNED[1], 0, 1)
    return found


def _read(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        Path(path).read_bytes(), options, providers=["CPUExecutionProvider"]
    )
