"""How a face model is trained: every knob in one place, with the values that measured best."""

from dataclasses import dataclass, field

from assent.train.augment import AugmentConfig
from assent.train.losses import LossWeights
from assent.train.network import NetworkConfig

__all__ = ["TrainConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How a face model is trained.

    Attributes:
        network: what shapes the network.
        augment: how looks at a face vary.
        losses: how much each part of the loss counts.
        coverage: share of a crop's side that the mean face takes up (see `align`).
        batch: faces of each person that are looked at together.
        accumulate: how many such batches a step learns from, for batches that memory doesn't hold.
        rate: highest learning rate.
        warm_up: steps until the highest rate is reached.
        calm: share of the warp that is gone at the end of the run.
        average: how slowly the weights that paint follow those that learn, 0 (not at all) to
            just below 1: each step they keep that share of what they were.
        half: compute in bfloat16 where the processor does so fast; weights stay float32.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    coverage: float = 0.8
    batch: int = 8
    accumulate: int = 1
    rate: float = 1e-3
    warm_up: int = 20
    calm: float = 0.8
    average: float = 0.0
    half: bool = True
