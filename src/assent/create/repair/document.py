"""What a person corrected in a clip, as a document of whole numbers.

>>> repairs = parse_repairs(b'{"clip": "%s", "skips": [{"first": 3, "last": 5}]}' % (b"0" * 64))
>>> repairs.skips[0].covers(4), repairs.empty
(True, False)

Whole numbers have one spelling, so that equal repairs have equal hashes, and none of them is NaN.
Lengths are thousandths of the face (chin to brow), so that a correction moves with the head; places
of strokes are ten-thousandths of the face's chart (`chart`). Everything is bounded.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assent.kit.canonical import canonical, digest, parse_object
from assent.kit.errors import InputError
from assent.kit.imaging.colour import Colour
from assent.kit.imaging.label import Corner

__all__ = [
    "LARGEST", "Blend", "MaskKey", "MaskRepair", "Mode", "Owner", "Repairs",
    "Settings", "ShapeKey", "ShapeRepair", "Span", "Stroke", "parse_repairs",
    "read_repairs",
]  # fmt: skip

LARGEST = 4 << 20
"""Bytes of a document, at most."""

_FRAMES = 10_000_000
_LANDMARKS = 68
_MOST_REPAIRS, _MOST_KEYS, _MOST_STROKES, _MOST_POINTS = 500, 1000, 200, 500
_MOST_ALL = 100_000  # points of strokes in a document

Frame = Annotated[int, Field(ge=0, lt=_FRAMES)]
_Share = Annotated[int, Field(ge=0, le=1000)]
_Move = Annotated[int, Field(ge=-1000, le=1000)]
_Place = Annotated[int, Field(ge=-2000, le=12000)]


class Blend(StrEnum):
    """How values go from one keyframe to the next."""

    LINEAR = "linear"
    SMOOTH = "smooth"
    HOLD = "hold"


class Mode(StrEnum):
    """What a stroke does to the mask."""

    PAINT = "paint"
    """The donor's face is shown there."""
    ERASE = "erase"
    """What was filmed is shown there."""
    CLEAR = "clear"
    """Strokes below it count no more."""


class _Value(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, strict=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return self.model_dump(mode="json")


class Span(_Value):
    """Frames from `first` to `last`, both included."""

    first: Frame
    last: Frame

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("a span ends before it begins")
        return self

    def covers(self, frame: int) -> bool:
        """Tell whether a frame is in it."""
        return self.first <= frame <= self.last


class ShapeKey(_Value):
    """A face moved, turned (hundredths of a degree), scaled, and single landmarks moved."""

    frame: Frame
    x: _Move = 0
    y: _Move = 0
    turn: Annotated[int, Field(ge=-9000, le=9000)] = 0
    scale: Annotated[int, Field(ge=500, le=2000)] = 1000
    points: dict[
        Annotated[str, Field(pattern=r"^(0|[1-9][0-9]?)$")],
        Annotated[list[_Move], Field(min_length=2, max_length=2)],
    ] = Field(default_factory=dict, max_length=_LANDMARKS)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if any(int(number) >= _LANDMARKS for number in self.points):
            raise ValueError("landmarks are numbered from 0 to 67")
        return self


class Stroke(_Value):
    """A line that is painted or erased along, or an area inside it.

    `size` is half its width and `soft` the share of that over which it fades, in thousandths of the
    chart and of the size.
    """

    mode: Mode = Field(strict=False)
    points: Annotated[
        list[Annotated[list[_Place], Field(min_length=2, max_length=2)]],
        Field(min_length=1, max_length=_MOST_POINTS),
    ]
    size: Annotated[int, Field(ge=1, le=500)] = 30
    soft: _Share = 500
    fill: bool = False

    def like(self, other: "Stroke") -> bool:
        """Tell whether it can turn into another stroke, point by point."""
        return (self.mode, self.fill, len(self.points)) == (
            other.mode,
            other.fill,
            len(other.points),
        )


class MaskKey(_Value):
    """What is painted and erased in one frame."""

    frame: Frame
    strokes: Annotated[list[Stroke], Field(max_length=_MOST_STROKES)] = Field(default_factory=list)


class _Keyed(Span):
    """A span with keyframes in it: `ease` frames at its ends fade in and out."""

    ease: Annotated[int, Field(ge=0, le=250)] = 0
    blend: Blend = Field(default=Blend.LINEAR, strict=False)

    def frames(self) -> list[int]:
        """Return the frames of its keys."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _keys_inside(self) -> Self:
        frames = self.frames()
        if frames != sorted(set(frames)) or not frames:
            raise ValueError("keyframes must be in order, each frame once, and at least one")
        if not (self.covers(frames[0]) and self.covers(frames[-1])):
            raise ValueError("a keyframe lies outside of its span")
        return self


class ShapeRepair(_Keyed):
    """Landmarks moved over a span."""

    keys: Annotated[list[ShapeKey], Field(min_length=1, max_length=_MOST_KEYS)]

    def frames(self) -> list[int]:
        """Return the frames of its keys."""
        return [key.frame for key in self.keys]


class MaskRepair(_Keyed):
    """Mask changed over a span."""

    keys: Annotated[list[MaskKey], Field(min_length=1, max_length=_MOST_KEYS)]

    def frames(self) -> list[int]:
        """Return the frames of its keys."""
        return [key.frame for key in self.keys]


class Owner(Span):
    """Whose the face of track number `track` is, over a span: a person's handle."""

    track: Annotated[int, Field(ge=0, lt=100_000)]
    person: Annotated[str, Field(min_length=1, max_length=100)]


class Settings(_Value):
    """How the whole clip is painted.

    `grow` is added to the mask, in thousandths of the face; `feather`, `strength` (of the colours)
    and `sharpen` are thousandths of the usual, of all, and of doubling. `label` is the corner that
    the label lies in; there is always one.
    """

    grow: Annotated[int, Field(ge=-150, le=60)] = 0
    feather: Annotated[int, Field(ge=100, le=3000)] = 1000
    colour: Colour | None = Field(default=None, strict=False)
    strength: _Share = 1000
    sharpen: _Share = 0
    label: Corner = Field(default=Corner.TOP_RIGHT, strict=False)


class Repairs(_Value):
    """All that was corrected in a clip (named by its hash)."""

    clip: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    shapes: Annotated[list[ShapeRepair], Field(max_length=_MOST_REPAIRS)] = Field(
        default_factory=list
    )
    masks: Annotated[list[MaskRepair], Field(max_length=_MOST_REPAIRS)] = Field(
        default_factory=list
    )
    skips: Annotated[list[Span], Field(max_length=_MOST_REPAIRS)] = Field(default_factory=list)
    owners: Annotated[list[Owner], Field(max_length=_MOST_REPAIRS)] = Field(default_factory=list)
    settings: Settings = Field(default_factory=Settings)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        strokes = (s for mask in self.masks for key in mask.keys for s in key.strokes)
        if sum(len(stroke.points) for stroke in strokes) > _MOST_ALL:
            raise ValueError(f"strokes have more than {_MOST_ALL} points together")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing was corrected."""
        return self == Repairs(clip=self.clip)

    def spans(self) -> Iterator[Span]:
        """Yield every span of frames that something is corrected in."""
        yield from (*self.shapes, *self.masks, *self.skips, *self.owners)

    def to_bytes(self) -> bytes:
        """Return it as canonical JSON."""
        return canonical(self.to_json())

    @property
    def sha256(self) -> str:
        """The hash that stands for it; none if nothing was corrected."""
        return "" if self.empty else digest(self.to_json())


def parse_repairs(data: bytes | str, *, name: str = "the repairs") -> Repairs:
    """Read a document; raises `InputError` that says where it is wrong."""
    if len(data) > LARGEST:
        raise InputError(
            f"{name} are larger than {LARGEST >> 20} MiB",
            advice="Use fewer strokes and points, or several clips.",
        )
    return read_repairs(parse_object(data, name=name), name=name)


def read_repairs(value: object, *, name: str = "the repairs") -> Repairs:
    """Read a document from plain JSON values; raises as `parse_repairs`."""
    try:
        return Repairs.model_validate(value)
    except (ValidationError, RecursionError) as error:
        raise InputError(
            f"{name} can't be used: {_told(error)}", advice="See docs/repair.md for what they hold."
        ) from error


def _told(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "all of it"
    return f"{place[:100]}: {first['msg'][:200]}"
