"""The register of models: what each weight file is, on what terms, and where it lies.

>>> model = find_model("dlib-face-embedding")
>>> model.year, model.licence
(2017, 'CC0-1.0')

`weights(model)` gives the path of the file after its SHA-256 was compared with the register, once a
process: a weight file that was exchanged would quietly change who counts as the same person.
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from assent.kit.errors import InputError, IntegrityError, NotFoundError

__all__ = ["Model", "find_model", "load", "read_register", "weights"]

Network = TypeVar("Network")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model: whose it is, on what terms, what for, and the file that holds its weights."""

    name: str
    title: str
    vendor: str
    licence: str
    year: int
    source: str
    purpose: str
    limits: str
    package: str
    path: str | None = None
    """Inside the package's folder; None where the weights are compiled into the package."""
    sha256: str | None = None


def read_register(text: str | None = None) -> Mapping[str, Model]:
    """Read a register (TOML, one table a model); without `text`, the one that Assent carries."""
    if text is None:
        text = files("assent.kit.faces").joinpath("models.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return MappingProxyType({name: Model(name=name, **fields) for name, fields in tables.items()})


def find_model(name: str) -> Model:
    """Look a model up in Assent's own register; raises NotFoundError if there is none."""
    register = read_register()
    if name not in register:
        raise NotFoundError(
            f"No model is called {name}.", advice=f"Known models: {', '.join(register)}."
        )
    return register[name]


@cache
def weights(model: Model) -> Path:
    """Path of the model's weight file, its SHA-256 checked (the first time in this process).

    Raises NotFoundError if the package or the file is absent, IntegrityError if the bytes differ
    from the register.
    """
    path = _locate(model)
    if hashlib.sha256(path.read_bytes()).hexdigest() != model.sha256:
        raise IntegrityError(
            f"The weights of {model.title} ({path.name}) differ from the register.",
            advice=f"Install the package {model.package} again.",
        )
    return path


def load(
    read: Callable[[str], Network],
    own: Path | None,
    name: str,
    failures: tuple[type[Exception], ...] = (RuntimeError,),
) -> Network:
    """Read a network with `read` from a studio's `own` file or, without one, the register's `name`.

    Raises NotFoundError if the file is absent and InputError if it can't be read, which `read`
    tells by raising one of `failures`.
    """
    path = own or weights(find_model(name))
    if not path.is_file():
        raise NotFoundError(
            f"There is no weight file {path.name}.", advice=f"Looked for it at {path}."
        )
    try:
        return read(str(path))
    except failures as error:
        raise InputError(
            f"{path.name} can't be read as weights in place of {name}.",
            advice="Use a file in the format that docs/models.md tells for this model.",
        ) from error


def _locate(model: Model) -> Path:
    # find_spec reads no code of the package: some packages of weights fail on import.
    spec = find_spec(model.package)
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder, model.path or "")
        if path.is_file():
            return path
    raise NotFoundError(
        f"The weights of {model.title} are not installed.",
        advice=f"Install the package {model.package}.",
    )
