"""What a render changes: a rectangle of each frame, in the frame's own planes.

A draft keeps these and no whole frames, so that a release is decoded once and encoded once and
everything outside the face stays as it was shot. Some patches carry a look besides: the whole
rendered frame made small, for whoever must see the film without decoding it; each may carry a note
on how well it was painted.

Nothing is compressed: pictures with grain in them gain a quarter at most, and it takes longer
than painting a face.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assent.create.quality import FrameNote
from assent.kit.errors import IntegrityError
from assent.kit.media.picture import Picture, crop

__all__ = ["Patch", "apply", "cut", "pack", "unpack", "unpack_looks", "unpack_notes"]

_HEAD = struct.Struct(">III")

_Planes: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """The changed rectangle of one frame; `planes` is None where nothing changed.

    `x`, `y` are the luma position of its corner, both even. Planes are uint8 or uint16. `look` is
    the whole rendered frame made small, or None: a draft keeps it for some of its frames. `note` is
    what is known of how well the frame was painted.
    """

    pts: int
    x: int = 0
    y: int = 0
    planes: _Planes | None = None
    look: Picture | None = None
    note: FrameNote | None = None


def cut(picture: Picture, box: tuple[int, int, int, int]) -> Patch:
    """Return the part of `picture` inside `box` (x0, y0, x1, y1 pixels), grown to even edges."""
    found = crop(picture, box)
    if found is None:
        return Patch(pts=picture.pts)
    part, (x, y) = found
    planes = (part.y.copy(), part.u.copy(), part.v.copy())
    return Patch(pts=picture.pts, x=x, y=y, planes=planes)


def apply(patch: Patch, picture: Picture) -> Picture:
    """Return `picture` with `patch` in its place; raises `IntegrityError` if it doesn't fit."""
    if patch.pts != picture.pts:
        raise IntegrityError("the draft's frames are not those of its footage")
    if patch.planes is None:
        return picture
    sx, sy = picture.subsampling
    corners = ((patch.x, patch.y), *(((patch.x // sx, patch.y // sy),) * 2))
    new = [
        _put(plane, part, x, y)
        for plane, part, (x, y) in zip(
            (picture.y, picture.u, picture.v), patch.planes, corners, strict=True
        )
    ]
    return replace(picture, y=new[0], u=new[1], v=new[2])


def pack(patches: Iterable[Patch]) -> Iterator[bytes]:
    """Yield each patch as a length-prefixed header, the look's planes and the patch's planes."""
    for patch in patches:
        head: dict[str, Any] = {"pts": patch.pts, "x": patch.x, "y": patch.y}
        body: Sequence[NDArray[Any]] = patch.planes or ()
        look: Sequence[NDArray[Any]] = ()
        head["planes"] = _shapes(body)
        if patch.note is not None:
            head["note"] = patch.note.as_dict()
        if patch.look is not None:
            look = (patch.look.y, patch.look.u, patch.look.v)
            head["look"] = {
                "planes": _shapes(look),
                "bits": patch.look.bits,
                "full_range": patch.look.full_range,
                "matrix": patch.look.matrix,
            }
        header = json.dumps(head).encode()
        sizes = [sum(plane.nbytes for plane in planes) for planes in (look, body)]
        yield _HEAD.pack(len(header), *sizes) + header
        for plane in (*look, *body):
            yield plane.tobytes()


def unpack(data: bytes) -> Iterator[Patch]:
    """Yield what `pack` wrote; raises `IntegrityError`."""
    for head, look, body in _records(data):
        with _damage_told():
            patch = Patch(
                pts=int(head["pts"]),
                x=int(head["x"]),
                y=int(head["y"]),
                planes=_planes_of(head["planes"], body),
                look=_look_of(head, look),
                note=_note_of(head),
            )
        yield patch


def unpack_looks(data: bytes) -> Iterator[Patch]:
    """Yield what `pack` wrote, the looks alone; raises `IntegrityError`."""
    for head, look, _ in _records(data):
        with _damage_told():
            patch = Patch(pts=int(head["pts"]), look=_look_of(head, look))
        yield patch


def unpack_notes(data: bytes) -> Iterator[FrameNote | None]:
    """Yield what `pack` wrote, each patch's note alone; raises `IntegrityError`."""
    for head, _, _ in _records(data):
        with _damage_told():
            note = _note_of(head)
        yield note


def _records(data: bytes) -> Iterator[tuple[dict[str, Any], memoryview, memoryview]]:
    """Yield each patch's header, look and body."""
    rest = memoryview(data)
    while rest:
        with _damage_told():
            sizes = _HEAD.unpack_from(rest)
            rest = rest[_HEAD.size :]
            if sum(sizes) > len(rest):
                raise ValueError("cut off")
            head, look, body = (rest[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(3))
            rest = rest[sum(sizes) :]
            fields: dict[str, Any] = json.loads(bytes(head))
        yield fields, look, body


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise IntegrityError("a segment of the draft can't be read") from error


def _shapes(planes: Sequence[NDArray[Any]]) -> list[list[Any]]:
    return [[str(plane.dtype), *plane.shape] for plane in planes]


def _note_of(head: dict[str, Any]) -> FrameNote | None:
    return FrameNote.from_dict(head["note"]) if "note" in head else None


def _look_of(head: dict[str, Any], data: memoryview) -> Picture | None:
    if not (look := head.get("look")):
        return None
    planes = _planes_of(look["planes"], data)
    if planes is None:
        return None
    return Picture(
        pts=int(head["pts"]),
        y=planes[0],
        u=planes[1],
        v=planes[2],
        bits=look["bits"],
        full_range=bool(look["full_range"]),
        matrix=look["matrix"],
    )


def _planes_of(shapes: Sequence[tuple[str, int, int]], data: memoryview) -> _Planes | None:
    planes = []
    offset = 0
    for kind, height, width in shapes:
        if kind not in ("uint8", "uint16"):
            raise ValueError(kind)
        dtype = np.dtype(kind)
        plane = np.frombuffer(data, dtype, height * width, offset).reshape(height, width)
        offset += plane.nbytes
        planes.append(plane)
    return (planes[0], planes[1], planes[2]) if planes else None


def _put(plane: NDArray[Any], part: NDArray[Any], x: int, y: int) -> NDArray[Any]:
    height, width = part.shape
    if y + height > plane.shape[0] or x + width > plane.shape[1] or part.dtype != plane.dtype:
        raise IntegrityError("a patch of the draft doesn't fit its frame")
    changed = plane.copy()
    changed[y : y + height, x : x + width] = part
    return changed
