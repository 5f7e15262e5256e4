"""What a render changes: a rectangle of each frame, in the frame's own planes.

A draft keeps these and no whole frames, so that a release is decoded once and encoded once and
everything outside the face stays as it was shot.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.media.picture import Picture

__all__ = ["Patch", "apply", "cut", "pack", "unpack"]

_HEAD = struct.Struct(">II")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """The changed rectangle of one frame; `planes` is None where nothing changed.

    `x`, `y` are the luma position of its corner, both even. Planes are uint8 or uint16.
    """

    pts: int
    x: int = 0
    y: int = 0
    planes: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None


def cut(picture: Picture, box: tuple[int, int, int, int]) -> Patch:
    """Return the part of `picture` inside `box` (x0, y0, x1, y1 pixels), grown to even edges."""
    x0, y0 = max(0, box[0] // 2 * 2), max(0, box[1] // 2 * 2)
    x1 = min(picture.width, -(-box[2] // 2) * 2)
    y1 = min(picture.height, -(-box[3] // 2) * 2)
    if x0 >= x1 or y0 >= y1:
        return Patch(pts=picture.pts)
    sx, sy = picture.subsampling
    chroma = np.s_[y0 // sy : -(-y1 // sy), x0 // sx : -(-x1 // sx)]
    planes = (
        picture.y[y0:y1, x0:x1].copy(),
        picture.u[chroma].copy(),
        picture.v[chroma].copy(),
    )
    return Patch(pts=picture.pts, x=x0, y=y0, planes=planes)


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
    """Yield each patch as a length-prefixed header and compressed planes."""
    for patch in patches:
        planes = patch.planes or ()
        head = {
            "pts": patch.pts,
            "x": patch.x,
            "y": patch.y,
            "planes": [[str(plane.dtype), *plane.shape] for plane in planes],
        }
        header = json.dumps(head).encode()
        # Level 1: pictures compress little more at higher levels, and rendering waits for it.
        body = zlib.compress(b"".join(plane.tobytes() for plane in planes), 1)
        yield _HEAD.pack(len(header), len(body)) + header + body


def unpack(data: bytes) -> Iterator[Patch]:
    """Yield what `pack` wrote; raises `IntegrityError`."""
    position = 0
    try:
        while position < len(data):
            header_size, body_size = _HEAD.unpack_from(data, position)
            position += _HEAD.size
            head = json.loads(data[position : position + header_size])
            position += header_size
            body = zlib.decompress(data[position : position + body_size])
            position += body_size
            yield _patch_of(head, body)
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise IntegrityError("a segment of the draft can't be read") from error


def _patch_of(head: dict[str, Any], body: bytes) -> Patch:
    planes = []
    offset = 0
    for kind, height, width in head["planes"]:
        if kind not in ("uint8", "uint16"):
            raise ValueError(kind)
        dtype = np.dtype(kind)
        count = height * width
        plane = np.frombuffer(body, dtype, count, offset).reshape(height, width)
        offset += count * dtype.itemsize
        planes.append(plane)
    whole = (planes[0], planes[1], planes[2]) if planes else None
    return Patch(pts=head["pts"], x=head["x"], y=head["y"], planes=whole)


def _put(plane: NDArray[Any], part: NDArray[Any], x: int, y: int) -> NDArray[Any]:
    height, width = part.shape
    if y + height > plane.shape[0] or x + width > plane.shape[1] or part.dtype != plane.dtype:
        raise IntegrityError("a patch of the draft doesn't fit its frame")
    changed = plane.copy()
    changed[y : y + height, x : x + width] = part
    return changed
