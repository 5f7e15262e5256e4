"""A training state as bytes: everything that a run needs to go on as if it had never stopped.

Tensors (weights, Adam's moments, the random state) are stored as safetensors; configuration and
counters as JSON in its header. Nothing is pickled, so reading a state can't run code.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from assent.kit.errors import IntegrityError
from assent.train.config import TrainConfig

__all__ = ["Snapshot", "pack", "unpack"]

_FORMAT = "assent training state 2"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a state holds.

    Attributes:
        config: how the model is trained.
        people: whose faces, in the model's order.
        iteration: steps taken.
        seconds: time trained.
        history: each step's loss.
        random: uint8 [R, n], state of the random generator of each of R processes.
        weights: of the network, by name.
        painting: averaged weights, by name; none if they aren't averaged.
        moments: of the optimiser, by number of the parameter and name.
    """

    config: TrainConfig
    people: tuple[str, ...]
    iteration: int
    seconds: float
    history: list[float]
    random: Tensor
    weights: Mapping[str, Tensor]
    painting: Mapping[str, Tensor]
    moments: Mapping[int, Mapping[str, Tensor]]


def pack(snapshot: Snapshot) -> bytes:
    """A snapshot as safetensors."""
    tensors = {f"weights/{name}": tensor for name, tensor in snapshot.weights.items()}
    tensors |= {f"painting/{name}": tensor for name, tensor in snapshot.painting.items()}
    for number, moments in snapshot.moments.items():
        tensors |= {f"moments/{number}/{name}": tensor for name, tensor in moments.items()}
    tensors["random"] = snapshot.random
    tensors["history"] = torch.tensor(snapshot.history, dtype=torch.float64)
    header = {
        "format": _FORMAT,
        "config": json.dumps(asdict(snapshot.config)),
        "people": json.dumps(snapshot.people),
        "iteration": str(snapshot.iteration),
        "seconds": repr(snapshot.seconds),
    }
    return bytes(save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, header))


def unpack(data: bytes) -> Snapshot:
    """Read what `pack` wrote.

    Raises:
        IntegrityError: the bytes aren't a training state.
    """
    try:
        header = _header(data)
        if header.get("format") != _FORMAT:
            raise IntegrityError("this is not a training state that this version reads")
        tensors = load(data)
        weights, painting, moments = _sort(tensors)
        return Snapshot(
            config=_read(TrainConfig, json.loads(header["config"])),
            people=tuple(json.loads(header["people"])),
            iteration=int(header["iteration"]),
            seconds=float(header["seconds"]),
            history=tensors["history"].tolist(),
            random=tensors["random"],
            weights=weights,
            painting=painting,
            moments=moments,
        )
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        raise IntegrityError(f"this is not a training state: {error}") from error


def _header(data: bytes) -> dict[str, str]:
    """The metadata of safetensors: JSON after its length in 8 bytes, little end first."""
    (length,) = struct.unpack_from("<Q", data)
    return dict(json.loads(data[8 : 8 + length])["__metadata__"])


def _sort(
    tensors: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[int, dict[str, Tensor]]]:
    weights: dict[str, Tensor] = {}
    painting: dict[str, Tensor] = {}
    moments: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        kind, _, name = path.partition("/")
        if kind == "weights":
            weights[name] = tensor
        elif kind == "painting":
            painting[name] = tensor
        elif kind == "moments":
            number, _, moment = name.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor
    return weights, painting, moments


def _read(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """A frozen dataclass from what `asdict` and JSON made of it."""
    hints = get_type_hints(kind)
    read: dict[str, Any] = {}
    for entry in fields(kind):  # type: ignore[arg-type] # every kind that comes here is a dataclass
        value, hint = values[entry.name], hints[entry.name]
        if is_dataclass(hint):
            value = _read(hint, value)  # type: ignore[arg-type] # a dataclass type, not an instance
        read[entry.name] = tuple(value) if isinstance(value, list) else value
    return kind(**read)
