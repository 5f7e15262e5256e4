"""Learn a portrait: both people followed to part of a pixel, and the donor's exemplars.

Nothing is painted from memory: the donor's own pictures are looked up and relit, so a minute's work
gives what the footage holds. (The other engine, in `loop`, paints from the weights of a network.)
"""

import io
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError, IntegrityError
from assent.kit.faces.face_set import FaceSet
from assent.kit.likeness.focus import look_at
from assent.kit.likeness.geometry import Views
from assent.kit.likeness.light import colours
from assent.kit.likeness.motion import PASSES, Learner, Motion, Mover, Sharpened, sharpened
from assent.kit.likeness.painting import paint
from assent.kit.likeness.performance import Performance
from assent.kit.likeness.portrait import Portrait, Sitter, make_portrait
from assent.train.run import Losses, Run

__all__ = ["PortraitConfig", "PortraitTrainer"]

_FORMAT: Final = "assent portrait in the making 1"
_ENOUGH: Final = 8
"""Fewer pictures than this tell nothing of how a face moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitConfig:
    """How a portrait is learned.

    Attributes:
        coverage: share of a crop's side that the mean face takes up (see `align`).
        exemplars: most pictures of the donor that the portrait keeps.
        studied: most pictures of each person that are studied.
    """

    coverage: float = 0.8
    exemplars: int = 500
    studied: int = 1000


class PortraitTrainer(Run):
    """Learns one donor's portrait for one performer.

    Args:
        sets: each person's faces.
        donor: whose face.
        config: how to learn.
        clock: monotonic seconds.

    Raises:
        InputError: someone has too few faces.
    """

    def __init__(
        self,
        sets: Mapping[str, FaceSet],
        donor: str,
        config: PortraitConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        for faces in sets.values():
            if len(faces) < _ENOUGH:
                raise InputError(
                    f"only {len(faces)} pictures show the face of one of the two people",
                    advice=f"Ingest footage with at least {_ENOUGH}, better some hundreds.",
                )
        self.config = config
        self.donor = donor
        self.people = tuple(sets)
        self.total = len(self.people) * PASSES
        self._sets = {person: spread(faces, config.studied) for person, faces in sets.items()}
        self._learners: dict[str, Learner] = {}
        self._loss: dict[str, float] = {}

    @property
    def learned(self) -> bool:
        """Whether both people's pictures were gone over often enough."""
        return self._next() is None

    def step(self, share: float = 0.0) -> Losses:  # passes are the same throughout
        """Go once over the pictures of the one who was studied least."""
        person = self._next() or self.people[0]
        self._loss[person] = self._learner(person).advance()
        self.iteration += 1
        self.history.append(float(np.mean(list(self._loss.values()))))
        return Losses(self.history[-1], dict(self._loss))

    def portrait(self) -> Portrait:
        """The portrait, as far as it is learned."""
        sitters = {person: self._sitter(person) for person in self.people}
        (performer,) = (person for person in self.people if person != self.donor)
        crops = self._sets[self.donor].faces
        kept = evenly(len(crops), self.config.exemplars)
        return make_portrait(
            _picked(sitters[self.donor], kept),
            sitters[performer],
            crops[kept],
            self._sets[performer].faces,
            coverage=self.config.coverage,
        )

    def state(self) -> bytes:
        """Everything that `resume` needs, the sets apart: a NumPy archive, nothing pickled."""
        arrays: dict[str, NDArray[np.generic]] = {}
        for number, person in enumerate(self.people):
            if person in self._learners:
                arrays |= _packed(f"{number}", self._learners[person])
        header = {
            "format": _FORMAT,
            "config": asdict(self.config),
            "donor": self.donor,
            "people": self.people,
            "iteration": self.iteration,
            "seconds": self.seconds,
            "history": self.history,
            "loss": self._loss,
        }
        sink = io.BytesIO()
        np.savez(sink, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type] # the stub takes the arrays for the flag
        return sink.getvalue()

    @classmethod
    def resume(
        cls,
        data: bytes,
        sets: Mapping[str, FaceSet],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Go on from a state.

        Raises:
            IntegrityError: the bytes aren't a state of this kind.
            InputError: the sets are other people's.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                header = json.loads(str(archive["header"]))
                if header["format"] != _FORMAT:
                    raise IntegrityError("this portrait was begun by another version")
                if set(header["people"]) != set(sets):
                    raise InputError("these faces are of other people than the model's")
                ordered = {person: sets[person] for person in header["people"]}
                found = cls(
                    ordered, header["donor"], PortraitConfig(**header["config"]), clock=clock
                )
                found.iteration, found.seconds = header["iteration"], header["seconds"]
                found.history, found._loss = header["history"], header["loss"]
                for number, person in enumerate(header["people"]):
                    expressions = archive.get(f"{number}/motion/expressions")
                    # With new footage a person is studied from the start.
                    if expressions is not None and len(expressions) == len(found._sets[person]):
                        _restore(found._learner(person), f"{number}", archive)
                return found
        except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
            raise IntegrityError(f"this is not a portrait in the making: {error}") from error
        except (zipfile.BadZipFile, zlib.error) as error:
            raise IntegrityError(f"this is not a portrait in the making: {error}") from error

    def sheet(self, portrait: Portrait, faces: FaceSet, columns: int = 8) -> NDArray[np.uint8]:
        """Two rows: some of the performer's faces, the donor in their place; uint8 [H, W, 3]."""
        rows: list[list[NDArray[np.uint8]]] = [[], []]
        for index in evenly(len(faces), columns):
            crop = faces.faces[index]
            rows[0].append(crop)
            rows[1].append(_replaced(portrait, crop, faces, int(index)))
        return np.concatenate([np.concatenate([_framed(p) for p in row], 1) for row in rows])

    def _next(self) -> str | None:
        """Who is to be studied next: the one who was least, unless all is learned."""
        least = min(self.people, key=lambda person: self._passes(person))
        learner = self._learners.get(least)
        return least if learner is None or not learner.done else None

    def _passes(self, person: str) -> int:
        return self._learners[person].passes if person in self._learners else 0

    def _learner(self, person: str) -> Learner:
        if person not in self._learners:
            faces = self._sets[person]
            self._learners[person] = Learner(_sharpened(faces), faces.meshes.astype(np.float64))
        return self._learners[person]

    def _sitter(self, person: str) -> Sitter:
        mover, motion = self._learner(person).learned()
        crops = self._sets[person].faces
        meshes = mover.meshes(motion)
        seen = np.stack([colours(c, m) for c, m in zip(crops, meshes, strict=True)])
        fine = np.array([look_at(c, m).fineness for c, m in zip(crops, meshes, strict=True)])
        return Sitter(mover=mover, motion=motion, seen=seen, fineness=fine)


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of `count` numbers, evenly spread."""
    kept = min(count, most)
    return np.asarray((2 * np.arange(kept) + 1) * count // (2 * kept), np.int64)


def spread(faces: FaceSet, most: int) -> FaceSet:
    """At most `most` faces of a set, evenly spread."""
    if len(faces) <= most:
        return faces
    kept = evenly(len(faces), most)
    return FaceSet(**{f.name: getattr(faces, f.name)[kept] for f in fields(FaceSet)})


def _sharpened(faces: FaceSet) -> list[Sharpened]:
    return [sharpened(crop) for crop in faces.faces]


def _picked(sitter: Sitter, kept: NDArray[np.int64]) -> Sitter:
    motion = sitter.motion
    views = Views(motion.views.scale[kept], motion.views.rotation[kept], motion.views.shift[kept])
    return Sitter(
        mover=sitter.mover,
        motion=Motion(views, motion.expressions[kept], motion.strangeness[kept]),
        seen=sitter.seen[kept],
        fineness=sitter.fineness[kept],
    )


def _replaced(
    portrait: Portrait, crop: NDArray[np.uint8], faces: FaceSet, index: int
) -> NDArray[np.uint8]:
    performance = Performance(portrait)
    mesh = faces.meshes[index].astype(np.float64)
    performance.see(0, 0, crop, mesh, np.eye(2, 3))
    face = performance.face(0)
    result = crop.copy()
    if face is None:
        return result
    painted = paint(face.texture, face.share, face.mesh, portrait.layout, crop.shape[:2])
    if painted is None:
        return result
    height, width = painted.alpha.shape
    there = result[painted.y : painted.y + height, painted.x : painted.x + width]
    alpha = painted.alpha[..., None]
    there[...] = np.round(painted.rgb * alpha + there * (1 - alpha)).astype(np.uint8)
    return result


_MOVER: Final = [field.name for field in fields(Mover)]
_MOTIONS: Final = ("motion", "anchor")


def _packed(prefix: str, learner: Learner) -> dict[str, NDArray[np.generic]]:
    arrays = {f"{prefix}/mover/{name}": getattr(learner.mover, name) for name in _MOVER}
    for name in _MOTIONS:
        motion: Motion = getattr(learner, name)
        arrays |= {
            f"{prefix}/{name}/scale": motion.views.scale,
            f"{prefix}/{name}/rotation": motion.views.rotation,
            f"{prefix}/{name}/shift": motion.views.shift,
            f"{prefix}/{name}/expressions": motion.expressions,
            f"{prefix}/{name}/strangeness": motion.strangeness,
        }
    arrays[f"{prefix}/passes"] = np.array(learner.passes)
    return arrays


def _restore(learner: Learner, prefix: str, archive: Mapping[str, NDArray[np.generic]]) -> None:
    learner.mover = Mover(**{name: archive[f"{prefix}/mover/{name}"] for name in _MOVER})  # type: ignore[arg-type] # as they were packed
    for name in _MOTIONS:
        part = {
            key: archive[f"{prefix}/{name}/{key}"]
            for key in ("scale", "rotation", "shift", "expressions", "strangeness")
        }
        views = Views(part["scale"], part["rotation"], part["shift"])  # type: ignore[arg-type] # as they were packed
        setattr(learner, name, Motion(views, part["expressions"], part["strangeness"]))  # type: ignore[arg-type] # as they were packed
    learner.passes = int(archive[f"{prefix}/passes"])


def _framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((2, 2), (2, 2), (0, 0)), constant_values=235)
