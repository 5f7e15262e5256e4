"""The training loop: pick faces, look at them anew, step; stop, save and go on, bit by bit.

    trainer = Trainer({"ada": ada_faces, "ben": ben_faces}, TrainConfig(), seed=7)
    trainer.run(seconds=240, on_progress=print)
    later = Trainer.resume(trainer.state(), {"ada": ada_faces, "ben": ben_faces})

With the same seed, sets, threads and kind of processor two runs of the same number of iterations
give the same weights, stopped in between or not. Where `torch.distributed` is initialised, each
rank looks at its own faces and gradients are averaged, so that all ranks keep the same weights;
they go by the clock of the first, and all must ask for the state together.
"""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor, distributed

from assent.kit.errors import IntegrityError
from assent.kit.faces.align import align, hull_mask, invert, transform
from assent.kit.faces.face_set import FaceSet
from assent.train.appearance import analyse
from assent.train.augment import Views, look, pixels, places_in_crop
from assent.train.checkpoint import Snapshot, pack, unpack
from assent.train.config import TrainConfig
from assent.train.losses import face_loss
from assent.train.network import Decoder, FaceNetwork
from assent.train.run import Losses, Run

__all__ = ["Trainer", "choose_device"]

_MOST_ANALYSED = 256  # crops to learn a person's looks from before training
_MOVING_PARTS = (slice(36, 42), slice(42, 48), slice(48, 68))  # eyes and mouth


@dataclass(frozen=True, slots=True)
class _Material:
    """One person's faces.

    Attributes:
        crops: uint8 [N, 5, H, W]: red, green, blue, mask, emphasis.
        matrices: float32 [N, 2, 3], pixels of a plain view to pixels of the crop.
        landmarks: float32 [N, 68, 2], pixels of a plain view.
    """

    crops: Tensor
    matrices: Tensor
    landmarks: Tensor


def choose_device() -> torch.device:
    """The first GPU that CUDA offers, or the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Trainer(Run):
    """Trains one face model on the face sets of its people.

    Args:
        sets: each person's faces; the order of people is the model's.
        config: how to train.
        seed: of every random number.
        device: where to train; by default where `choose_device` says.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        sets: Mapping[str, FaceSet],
        config: TrainConfig,
        seed: int,
        *,
        device: torch.device | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self.config = config
        self.device = device or choose_device()
        self._generator = Generator(self.device).manual_seed(seed + _rank())
        self._material = {
            name: _prepare(faces, config, self.device) for name, faces in sets.items()
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = FaceNetwork(config.network, list(sets))
        for name, material in self._material.items():
            _start(network.decoder(name), material, config)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub knows no memory_format here
        self._painting: FaceNetwork | None = None
        if config.average > 0:
            self._painting = copy.deepcopy(self.network)
        self._optimiser = torch.optim.Adam(
            self.network.parameters(), lr=config.rate, betas=(0.9, 0.99), fused=True
        )

    @property
    def people(self) -> tuple[str, ...]:
        """The people whose faces the model paints."""
        people: tuple[str, ...] = self.network.people
        return people

    @property
    def painting(self) -> FaceNetwork:
        """The network that paints: its weights are the mean over the latest steps."""
        return self._painting or self.network

    def step(self, share: float = 0.0) -> Losses:
        """Learn from one batch, or from several if they are accumulated.

        Args:
            share: 0..1, how much of the run is over; the learning rate falls to 0 towards 1.
        """
        self._set_rate(share)
        self._now = share
        self._optimiser.zero_grad(set_to_none=True)
        parts = [self._look_and_learn() for _ in range(self.config.accumulate)]
        _average_gradients(self.network)
        self._optimiser.step()
        self.iteration += 1
        self._follow()
        people = {name: sum(part[name] for part in parts) / len(parts) for name in self.people}
        self.history.append(sum(people.values()) / len(people))
        return Losses(self.history[-1], people)

    def _look_and_learn(self) -> dict[str, float]:
        """Add one batch's gradients to those that are there; each person's loss."""
        views = {name: self._look(name) for name in self.people}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half()):
            painted = self.network({name: view.sight for name, view in views.items()})
        losses = {
            name: face_loss(
                painted[name], view, self.network.decoder(name).shape, self.config.losses
            )
            for name, view in views.items()
        }
        total = torch.stack(list(losses.values())).mean() / self.config.accumulate
        total.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return {name: float(loss.detach()) for name, loss in losses.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the weights that paint follow, faster at first, when there is little to average."""
        if self._painting is None:
            return
        kept = min(self.config.average, (1 + self.iteration) / (10 + self.iteration))
        for mean, latest in zip(
            self._painting.parameters(), self.network.parameters(), strict=True
        ):
            mean.lerp_(latest, 1 - kept)

    def agree(self, number: float) -> float:
        """The number as the first process has it."""
        if not _distributed():
            return number
        told = torch.tensor([number], dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return float(told)

    def state(self) -> bytes:
        """Everything that `resume` needs, the sets apart, as safetensors."""
        return pack(
            Snapshot(
                config=self.config,
                people=self.people,
                iteration=self.iteration,
                seconds=self.seconds,
                history=self.history,
                random=_of_all(self._generator.get_state(), self.device),
                weights=self.network.state_dict(),
                painting={} if self._painting is None else self._painting.state_dict(),
                moments=self._optimiser.state_dict()["state"],
            )
        )

    @classmethod
    def resume(
        cls,
        state: bytes,
        sets: Mapping[str, FaceSet],
        *,
        device: torch.device | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Go on where `state` was taken.

        Args:
            state: bytes of `state()`.
            sets: the faces that the model learned from, or more of the same people.
            device: where to train; random numbers go on only on the same kind of device.
            clock: monotonic seconds.

        Raises:
            IntegrityError: the bytes aren't a training state, or other people's.
        """
        snapshot = unpack(state)
        if set(snapshot.people) != set(sets):
            raise IntegrityError(
                f"this state is of {', '.join(snapshot.people)}, not of {', '.join(sets)}"
            )
        ordered = {name: sets[name] for name in snapshot.people}
        trainer = cls(ordered, snapshot.config, 0, device=device, clock=clock)
        trainer._restore(snapshot)
        return trainer

    def _restore(self, snapshot: Snapshot) -> None:
        self.iteration, self.seconds = snapshot.iteration, snapshot.seconds
        self.history = list(snapshot.history)
        try:
            self.network.load_state_dict(snapshot.weights)
            if self._painting is not None:
                self._painting.load_state_dict(snapshot.painting)
            if _rank() < len(snapshot.random):
                self._generator.set_state(snapshot.random[_rank()].clone())
            else:  # there are more processes now
                self._generator.manual_seed(snapshot.iteration + _rank())
            own = self._optimiser.state_dict()
            self._optimiser.load_state_dict({**own, "state": self._laid_out(snapshot)})
        except (RuntimeError, ValueError, LookupError) as error:
            raise IntegrityError(f"this training state doesn't fit its model: {error}") from error

    def _laid_out(self, snapshot: Snapshot) -> dict[int, dict[str, Tensor]]:
        """Adam's moments in their parameters' memory layout, on which the fused step counts."""
        parameters = list(self.network.parameters())
        return {
            number: {
                name: torch.empty_like(parameters[number]).copy_(moment) if moment.dim() else moment
                for name, moment in moments.items()
            }
            for number, moments in snapshot.moments.items()
        }

    def _half(self) -> bool:
        return self.config.half and _fast_in_half(self.device)

    def _set_rate(self, share: float) -> None:
        """Warm up, then a half cosine down to a hundredth of the rate."""
        warm = min(1.0, (self.iteration + 1) / self.config.warm_up)
        fall = 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, share))) / 2
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.rate * warm * fall

    def _look(self, person: str) -> Views:
        material = self._material[person]
        picked = torch.randint(
            len(material.crops),
            (self.config.batch,),
            generator=self._generator,
            device=self.device,
        )
        return look(
            material.crops[picked],
            material.matrices[picked],
            material.landmarks[picked],
            self.config.network.size,
            replace(
                self.config.augment,
                warp=self.config.augment.warp * (1 - self.config.calm * self._now),
            ),
            self._generator,
        )


def _prepare(faces: FaceSet, config: TrainConfig, device: torch.device) -> _Material:
    shape = (faces.size, faces.size)
    crops = np.empty((len(faces), 5, *shape), np.uint8)
    crops[:, :3] = faces.faces.transpose(0, 3, 1, 2)
    crops[:, 3] = faces.masks
    matrices = np.empty((len(faces), 2, 3), np.float32)
    landmarks = np.empty((len(faces), 68, 2), np.float32)
    for index, points in enumerate(faces.landmarks):
        parts = [hull_mask(points[part], shape, 0.15) for part in _MOVING_PARTS]
        crops[index, 4] = np.max(parts, axis=0) * 255
        to_view = align(points, config.network.size, config.coverage)
        matrices[index], landmarks[index] = invert(to_view), transform(points, to_view)
    return _Material(*(torch.from_numpy(a).to(device) for a in (crops, matrices, landmarks)))


def _start(decoder: Decoder, material: _Material, config: TrainConfig) -> None:
    """Let a decoder start from its person's looks."""
    size, total = config.network.size, len(material.crops)
    chosen = torch.linspace(0, total - 1, min(total, _MOST_ANALYSED)).long()
    crops, matrices = material.crops[chosen], material.matrices[chosen]
    points = pixels(size, crops.device)
    looks = analyse(
        crops,
        places_in_crop(points, matrices, (crops.shape[2], crops.shape[3])),
        material.landmarks[chosen] * (2 / (size - 1)) - 1,
        config.network.basis,
    )
    decoder.mean.data.copy_(looks.mean)
    decoder.basis.data.copy_(looks.basis)
    decoder.shape.copy_(looks.shape)


def _fast_in_half(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def _rank() -> int:
    return distributed.get_rank() if _distributed() else 0


def _distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _of_all(state: Tensor, device: torch.device) -> Tensor:
    """Each process's random state, uint8 [R, n]."""
    if not _distributed():
        return state[None]
    own = state.to(device)  # as the processes talk
    states = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(states, own)
    return torch.stack(states).cpu()


def _average_gradients(network: FaceNetwork) -> None:
    if not _distributed():
        return
    for parameter in network.parameters():
        distributed.all_reduce(parameter.grad)
        if parameter.grad is not None:
            parameter.grad /= distributed.get_world_size()
