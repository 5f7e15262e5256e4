"""Make one picture fit to be looked at: gated, labelled, marked, encoded, signed.

Only viewings import this. There are two kinds of label: what a model changed says so as a release
does; what was only filmed says that, and that it is for its own production alone.
"""

import io
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Literal

from assent.disclose.check import LABEL_SEEN
from assent.disclose.viewing.prints import Prints
from assent.kit.c2pa.manifest import Plan
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.content.gate import ContentGate, is_explicit
from assent.kit.errors import ContentError, SealError
from assent.kit.imaging.label import Corner, Label, burn, draw_label, draw_notice, label_present
from assent.kit.media._encode import encode_still
from assent.kit.media.convert import from_rgb, scale
from assent.kit.media.picture import Picture, to_rgb, with_luma
from assent.kit.media.still import read_still
from assent.kit.store.studio import Studio
from assent.kit.watermark.embed import SMALLEST_SIDE, Embedder, Profile

__all__ = ["GATE_SIDE", "LARGEST_SIDE", "Made", "Screen", "size_for"]

MIME = "image/jpeg"
LARGEST_SIDE = 1280
"""Pixels of the longer side that anything is shown at, at most."""
_SMALLEST = 160
_STEP = 16
GATE_SIDE = 320
"""Pixels of the longer side of what the content gate looks at."""
_QUALITY = 88
_SIZES_KEPT = 3

Made = Literal["filmed", "changed"]
"""Whether a picture is as the camera saw it, or shows what a model made."""


def size_for(width: int, height: int, wanted: int) -> tuple[int, int]:
    """Return the even size at which a picture of `width` x `height` is shown `wanted` wide.

    It is never enlarged, unless a label couldn't be read on it and a mark not be hidden in it.

    >>> size_for(1920, 1080, 960), size_for(1920, 1080, 100), size_for(1080, 1920, 5000)
    ((960, 540), (288, 162), (720, 1280))
    """
    largest = min(1.0, LARGEST_SIDE / max(width, height))
    smallest = min(_SMALLEST / min(width, height), largest)
    factor = max(min(-(-wanted // _STEP) * _STEP / width, largest), smallest)
    factor = max(factor, SMALLEST_SIDE / min(width, height))
    return tuple(max(2 * round(side * factor / 2), SMALLEST_SIDE) for side in (width, height))  # type: ignore[return-value] # of two


@dataclass(frozen=True, slots=True)
class _Size:
    """What pictures of one size are finished with."""

    labels: Mapping[tuple[Made, Corner], Label]
    embedder: Embedder


@dataclass(slots=True, kw_only=True)
class Screen:
    """What one viewing is shown on: its mark and its credentials.

    For one thread at a time, which holds `lock`.

    Attributes:
        studio: whose keys mark and sign.
        gate: looks at each picture once.
        asset_id: what the pictures are marked with, 16 hexadecimal digits.
        plans: what their credentials say.
        footage: SHA-256 of the clip that they are from, which those of what was filmed name.
        prints: which pictures the gate has let pass.
    """

    studio: Studio
    gate: ContentGate
    asset_id: str
    plans: dict[Made, Plan]
    footage: str | None
    prints: Prints
    lock: Lock = field(default_factory=Lock)
    _sizes: "OrderedDict[tuple[int, int, int], _Size]" = field(default_factory=OrderedDict)

    def show(
        self,
        picture: Picture,
        *,
        made: Made,
        corner: Corner,
        size: tuple[int, int],
        of: str,
        name: str,
        fitted: bool = False,
    ) -> bytes:
        """Return a picture as JPEG of that size; `of` and `name` are its content's, as of prints.

        What a model changed has its label at `corner`.
        With `fitted` the mark is fitted to it, which takes a while and makes it surer.

        Raises `ContentError` if it is explicit, `MediaError` if it is too small for a label,
        `SealError` if it can't be signed or its label can't be seen.
        """
        self.pass_gate(picture, of, name)
        tools = self._tools(*size, picture.bits)
        label = tools.labels[(made, corner)]
        burnt = burn(scale(picture, *size), label)
        if fitted:
            tools.embedder.prepare([burnt.y])
        marked = with_luma(burnt, tools.embedder.mark(burnt.y))
        sink = io.BytesIO()
        encode_still(to_rgb(marked), sink, kind="jpeg", quality=_QUALITY)
        shown = from_rgb(read_still(sink.getvalue(), name="the picture"))
        if label_present(shown, label) < LABEL_SEEN:
            raise SealError("the label can't be seen in the picture")
        signed = io.BytesIO()
        plan = replace(self.plans[made], when=self.studio.clock())
        filmed = Ingredient(title="source footage", mime="video/mp4", sha256=self.footage)
        # Never time-stamped: that would ask another machine about every picture.
        sign(
            sink,
            signed,
            mime=MIME,
            plan=plan,
            chain=self.studio.chain,
            ingredient=filmed if made == "filmed" else None,
            tsa_url=None,
        )
        return signed.getvalue()

    def pass_gate(self, picture: Picture, of: str, name: str) -> None:
        """Have the gate look at a picture, once; for any thread. Raises `ContentError`."""
        if self.prints.passed(of, name):
            return
        factor = min(1.0, GATE_SIDE / max(picture.width, picture.height))
        small = (max(2, round(picture.width * factor)), max(2, round(picture.height * factor)))
        if is_explicit(self.gate.check(to_rgb(scale(picture, *small)))):
            raise ContentError("the picture would show explicit content")
        self.prints.note_passed(of, name)

    def _tools(self, width: int, height: int, bits: int) -> _Size:
        key = (width, height, bits)
        if key not in self._sizes:
            self._sizes[key] = _Size(
                labels=_labels(width, height),
                embedder=Embedder(
                    width=width,
                    height=height,
                    bits=bits,
                    asset_id=int(self.asset_id, 16),
                    key=self.studio.reading_key,
                    secret=self.studio.secret_key,
                    profile=Profile.stronger(),
                ),
            )
            if len(self._sizes) > _SIZES_KEPT:
                self._sizes.popitem(last=False)
        self._sizes.move_to_end(key)
        return self._sizes[key]


def _labels(width: int, height: int) -> dict[tuple[Made, Corner], Label]:
    """Return what pictures of a size may bear; a notice lies in one corner alone."""
    notice = draw_notice(width, height)
    labels: dict[tuple[Made, Corner], Label] = {}
    for corner in Corner:
        labels["changed", corner] = draw_label(width, height, corner=corner)
        labels["filmed", corner] = notice
    return labels
