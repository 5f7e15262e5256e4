"""Faces replaced by methods that the forensic network never saw, and the same films untouched.

    scene = watch(Path("samples/cleo_train.mp4"))
    frames = by_exemplars(scene, watch(Path("samples/ben_train.mp4")))

Made and kept in memory; nothing is written. The people are computer-generated.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.create.composite import CompositeConfig
from assent.create.painters import painter_for
from assent.create.patches import apply
from assent.data.faces import FaceCutter
from assent.data.look import Tools, look
from assent.data.tracks import PersonTrack
from assent.kit.faces.align import hull_mask
from assent.kit.faces.face_set import FaceSet
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import nothing
from assent.train.config import TrainConfig
from assent.train.export import export_onnx
from assent.train.loop import Trainer
from assent.train.portraits import PortraitConfig, PortraitTrainer

__all__ = ["METHODS", "Scene", "by_autoencoder", "by_exemplars", "by_splicing", "watch"]

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A film of one person: its pictures, where the face is, and the face set."""

    name: str
    pictures: Sequence[Picture]
    track: PersonTrack
    faces: FaceSet

    @property
    def frames(self) -> list[Rgb]:
        """The pictures as they were filmed, RGB uint8 [H, W, 3]."""
        return [to_rgb(picture) for picture in self.pictures]


def watch(film: Path) -> Scene:
    """Read a film of one person, and follow the face."""
    cutter = FaceCutter()
    clip = probe(film, name=film.name)
    pictures = list(read_pictures(film, name=film.name))
    seen = look(iter(pictures), clip, Tools(), cutter, nothing)
    longest = max(seen.tracks, key=lambda track: len(track.points))
    faces = cutter.face_sets([("one", longest)])["one"]
    return Scene(film.stem, pictures, PersonTrack.of(longest, "performer"), faces)


def by_exemplars(scene: Scene, donor: Scene) -> list[Rgb]:
    """The donor's face by Assent's own first engine: looked up, warped, relit."""
    sets = {"donor": donor.faces, "performer": scene.faces}
    trainer = PortraitTrainer(sets, "donor", PortraitConfig())
    while not trainer.learned:
        trainer.step()
    return _painted(scene, trainer.portrait().to_bytes())


def by_autoencoder(scene: Scene, donor: Scene, *, minutes: float = 2.0) -> list[Rgb]:
    """The donor's face by the second engine: painted from a network's weights."""
    sets = {"donor": donor.faces, "performer": scene.faces}
    config = TrainConfig()
    trainer = Trainer(sets, config, seed=3)
    until = time.process_time() + 60 * minutes
    while (left := until - time.process_time()) > 0:
        trainer.step(1 - left / (60 * minutes))
    return _painted(scene, export_onnx(trainer.painting, "donor", coverage=config.coverage))


def by_splicing(scene: Scene, donor: Scene) -> list[Rgb]:
    """The donor's most alike picture, laid over each frame and matched in colour: plain cut-out."""
    theirs, their_frames = donor.track.landmarks, donor.frames
    out = scene.frames
    for place, number in enumerate(scene.track.index):
        own = scene.track.landmarks[place]
        alike = int(np.argmin([_unlike(own, other) for other in theirs]))
        out[number] = _laid_over(
            out[number], own, their_frames[donor.track.index[alike]], theirs[alike]
        )
    return out


METHODS: dict[str, Callable[[Scene, Scene], list[Rgb]]] = {
    "exemplars": by_exemplars,
    "autoencoder": by_autoencoder,
    "splicing": by_splicing,
}


def _painted(scene: Scene, model: bytes) -> list[Rgb]:
    painter = painter_for(model, [scene.track], CompositeConfig())
    out: list[Rgb] = []
    for number, picture in enumerate(scene.pictures):
        painter.see(number, picture)
        if number >= painter.ahead:
            out.append(_patched(painter.paint, number - painter.ahead, scene))
    while len(out) < len(scene.pictures):
        out.append(_patched(painter.paint, len(out), scene))
    return out


def _patched(paint: Callable[..., tuple[object, object]], number: int, scene: Scene) -> Rgb:
    picture = scene.pictures[number]
    patch, _ = paint(number, picture)
    return to_rgb(apply(patch, picture))  # type: ignore[arg-type] # painters return patches


def _unlike(own: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    def shape(points: NDArray[np.float32]) -> NDArray[np.float32]:
        middle = points - points.mean(0)
        return np.asarray(middle / np.linalg.norm(middle), np.float32)

    return float(np.linalg.norm(shape(own) - shape(other)))


def _laid_over(
    frame: Rgb, own: NDArray[np.float32], source: Rgb, theirs: NDArray[np.float32]
) -> Rgb:
    height, width = frame.shape[:2]
    matrix, _ = cv2.estimateAffinePartial2D(theirs, own, method=cv2.LMEDS)
    laid = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_CUBIC)
    hard = hull_mask(own[17:], (height, width), 0.03)
    where = hard > 0
    lab = [cv2.cvtColor(each, cv2.COLOR_RGB2LAB).astype(np.float32) for each in (laid, frame)]
    (mean, spread), (goal, width_of_goal) = (
        (each[where].mean(0), each[where].std(0)) for each in lab
    )
    matched = (lab[0] - mean) * (width_of_goal / np.maximum(spread, 1)) + goal
    coloured = cv2.cvtColor(np.clip(matched, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    soft = cv2.GaussianBlur(hard, (0, 0), 0.02 * float(np.ptp(own, axis=0).max()))[..., None]
    return np.asarray(np.round(frame + soft * (coloured.astype(np.float32) - frame)), np.uint8)
