"""A portrait: all that is needed to put one person's face onto another's performance.

It holds how the performer moves and what their skin looks like, the donor's shape, and the donor's
exemplars: textures with the pose, expression and light that they were taken in.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass, fields
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.likeness.geometry import Floats, front_area, normals, similarity
from assent.kit.likeness.hiding import unwrapped
from assent.kit.likeness.layout import Layout, layout_of
from assent.kit.likeness.light import Albedo, learn_albedo, shading
from assent.kit.likeness.motion import Motion, Mover
from assent.kit.likeness.usual import Look, learn_usual

__all__ = ["Portrait", "Sitter", "make_portrait"]

_FORMAT: Final = "assent portrait 3"
_QUALITY: Final = 96  # of the textures' JPEG
_LOOKED_AT: Final = 200  # most pictures that tell what is usual


@dataclass(frozen=True, kw_only=True, eq=False)
class Portrait:
    """One donor's face for one performer.

    Attributes:
        performer: how the performer moves and looks.
        skin: the performer's.
        look: what the performer's face usually looks like, in `layout`.
        shape: float64 [P, 3], the donor's, brought onto the performer's.
        layout: of the donor's textures.
        textures: uint8 [N, S, S, 3], RGB, the donor's exemplars.
        turns: float64 [N, 3], rotation vectors of the head in them, radians.
        offsets: float32 [N, P, 3], the donor's expressions in them, beside `shape`.
        shades: float32 [N, P, 3], how brightly each point was lit in them.
        coverage: share of a crop's side that the mean face takes up.
        finer: how much finer the detail of the performer's pictures is than that of the donor's
            (`imaging.focus.fineness`).
    """

    performer: Mover
    skin: Albedo
    look: Look
    shape: Floats
    layout: Layout
    textures: NDArray[np.uint8]
    turns: Floats
    offsets: NDArray[np.float32]
    shades: NDArray[np.float32]
    coverage: float
    finer: float

    def to_bytes(self) -> bytes:
        """The portrait as a NumPy archive in which nothing is pickled; textures as JPEG."""
        pictures = [
            cv2.imencode(".jpg", texture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
            for texture in self.textures
        ]
        arrays = {f"performer_{f.name}": getattr(self.performer, f.name) for f in fields(Mover)}
        sink = io.BytesIO()
        np.savez(
            sink,
            format=np.array(_FORMAT),
            skin=self.skin.colour,
            usual=self.skin.usual,
            look_mean=self.look.mean.astype(np.float16),
            look_ways=self.look.ways.astype(np.float16),
            look_spread=self.look.spread,
            look_deviation=self.look.deviation,
            shape=self.shape,
            points=self.layout.points,
            triangles=self.layout.triangles,
            size=np.array(self.layout.size),
            pictures=np.concatenate(pictures).ravel(),
            ends=np.cumsum([picture.size for picture in pictures]),
            turns=self.turns,
            offsets=self.offsets.astype(np.float16),
            shades=self.shades.astype(np.float16),
            coverage=np.array(self.coverage),
            finer=np.array(self.finer),
            **arrays,
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote; raises `IntegrityError` if it is something else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                if str(archive["format"]) != _FORMAT:
                    raise IntegrityError("this face model is of another version")
                return cls(
                    performer=Mover(
                        **{f.name: archive[f"performer_{f.name}"] for f in fields(Mover)}
                    ),
                    skin=Albedo(archive["skin"], archive["usual"]),
                    look=Look(
                        *(
                            archive[f"look_{name}"].astype(np.float32)
                            for name in ("mean", "ways", "spread", "deviation")
                        )
                    ),
                    shape=archive["shape"],
                    layout=Layout(int(archive["size"]), archive["points"], archive["triangles"]),
                    textures=_decoded(archive["pictures"], archive["ends"]),
                    turns=archive["turns"],
                    offsets=archive["offsets"].astype(np.float32),
                    shades=archive["shades"].astype(np.float32),
                    coverage=float(archive["coverage"]),
                    finer=float(archive["finer"]),
                )
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise IntegrityError(f"this is not a face model: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitter:
    """One person's pictures and what was learned from them.

    Attributes:
        mover: how they move and look.
        motion: in the pictures.
        seen: float64 [N, P, 3], the points' colours in the pictures (`light.colours`).
        fineness: float64 [N], of the pictures' detail (`focus.look_at`).
    """

    mover: Mover
    motion: Motion
    seen: Floats
    fineness: Floats


def make_portrait(
    donor: Sitter,
    performer: Sitter,
    crops: NDArray[np.uint8],
    performed: NDArray[np.uint8],
    *,
    coverage: float,
) -> Portrait:
    """Put together what two people's pictures have taught.

    Args:
        donor: whose face.
        performer: whose performance.
        crops: uint8 [N, S, S, 3], the donor's pictures.
        performed: uint8 [M, S, S, 3], the performer's.
        coverage: share of a crop's side that the mean face takes up.
    """
    layout = layout_of(donor.mover.shape, crops.shape[1])
    triangles = layout.triangles
    # As a whole, seen from the front, the donor's face is to fit where the performer's was.
    weights = front_area(performer.mover.shape, triangles)
    fit = similarity(donor.mover.shape, performer.mover.shape, weights)
    own = donor.mover.meshes(donor.motion)
    _, light = learn_albedo(donor.seen, own, donor.mover.shape, triangles)
    theirs = performer.mover.meshes(performer.motion)
    skin, _ = learn_albedo(performer.seen, theirs, performer.mover.shape, triangles)
    offsets = donor.mover.offsets(donor.motion.expressions)
    turns = [
        cv2.Rodrigues(rotation @ fit.rotation.T)[0][:, 0]
        for rotation in donor.motion.views.rotation
    ]
    return Portrait(
        performer=performer.mover,
        skin=skin,
        look=_look(layout, performed, theirs),
        shape=fit.apply(donor.mover.shape),
        layout=layout,
        textures=np.stack([_unwrapped(c, layout, m) for c, m in zip(crops, own, strict=True)]),
        turns=np.array(turns),
        offsets=(fit.scale * offsets @ fit.rotation.T).astype(np.float32),
        shades=shading(light, own, triangles).astype(np.float32),
        coverage=coverage,
        finer=float(np.median(performer.fineness) - np.median(donor.fineness)),
    )


def _look(layout: Layout, crops: NDArray[np.uint8], meshes: Floats) -> Look:
    kept = range(0, len(crops), -(-len(crops) // _LOOKED_AT))
    return learn_usual(
        layout,
        [unwrapped(layout, crops[n], meshes[n]) for n in kept],
        [normals(meshes[n], layout.triangles) for n in kept],
    )


def _unwrapped(crop: NDArray[np.uint8], layout: Layout, mesh: Floats) -> NDArray[np.uint8]:
    right, down = cv2.split(layout.places(mesh))
    texture = cv2.remap(crop, right, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(texture, np.uint8)


def _decoded(pictures: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    parts = np.split(pictures, ends[:-1])
    decoded = []
    for part in parts:
        picture = cv2.imdecode(part, cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("a texture is broken")
        decoded.append(np.asarray(picture[..., ::-1], np.uint8))
    return np.stack(decoded)
