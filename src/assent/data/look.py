"""Look through a clip once: follow and cut out every face, and let the content gate look.

cutter = FaceCutter()
seen = look(read_pictures(path, name=path.name), clip, Tools(), cutter, progress)
sets = cutter.face_sets(...)
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assent.data._beside import beside
from assent.data.faces import FaceCutter
from assent.kit.ahead import ahead
from assent.kit.content.gate import FACE_LABELS, ContentGate, is_explicit
from assent.kit.errors import ContentError, UnlistedFaceError
from assent.kit.faces.detect import DlibDetector, FaceDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.frame import Frame, PictureFrame
from assent.kit.faces.geometry import Box, covered
from assent.kit.faces.mesh import MeshFinder
from assent.kit.faces.track import Embedder, FaceTracker, MeshFitter
from assent.kit.faces.tracks import Track
from assent.kit.media.picture import Picture
from assent.kit.media.probe import Clip
from assent.kit.progress import Progress

__all__ = ["Glimpse", "Seen", "Tools", "clock_time", "look"]

# Longest side that the search for small faces looks at.
_FINE = 1920
# Score from which a face that only the content gate's network saw counts.
_SURE = 0.6
# Frames before and after in which the tracker may have seen the same face.
_NEAR = 6
# Longest side of what the content gate is shown; 640m, the larger of its networks, takes no more.
_GATE_SIDE = 640
# Decoded pictures that wait for the tracker, and behind it for being cut and shown to the content
# gate: 25 and 12 MB at 1920x1080.
_AHEAD = 8
_BEHIND = 4
# Longest side of a frame up to which the usual look is as fine as the search for small faces.
_COARSE = 384
# The content gate looks at this many frames a second of footage; where bystanders are to be hidden,
# it looks for their faces more often.
_LOOKS_PER_SECOND = 1.0
_THOROUGH_LOOKS = 5.0
# Frames from one look of the tracker's detector to the next.
_DETECT_EVERY = 8
_THOROUGH_DETECT = 3


def _searcher() -> DlibDetector:
    return DlibDetector(longest=_FINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a clip is looked at with; loaded at first use, so that making it costs nothing."""

    detector: FaceDetector = field(default_factory=DlibDetector)
    searcher: FaceDetector = field(default_factory=_searcher)
    """Bystanders are small: at cuts and every second this finer search looks for them too."""
    fitter: MeshFitter = field(default_factory=MeshFinder)
    embedder: Embedder = field(default_factory=FaceEmbedder)
    gate: ContentGate = field(default_factory=ContentGate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is in a clip."""

    frames: int
    tracks: tuple[Track, ...]
    strays: "tuple[Glimpse, ...]"
    """Faces that were seen, but couldn't be followed; none unless the look was thorough."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A face that the content gate's network saw."""

    index: int
    seconds: float
    box: Box


def look(
    pictures: Iterator[Picture],
    clip: Clip,
    tools: Tools,
    cutter: FaceCutter,
    progress: Progress,
    *,
    thorough: bool = False,
) -> Seen:
    """Look through `pictures`: decoded ahead, and cut and shown to the gate, in other threads.

    `cutter` then holds the crops of the faces at the tracks' points. A `thorough` look searches
    several times as often, and returns faces that nobody can tell whose they are.

    Raises `ContentError` at explicit content and, unless it is thorough, `UnlistedFaceError` at a
    face that nobody can tell whose it is, both with the time; and what `pictures` raises.
    """
    searcher = tools.searcher if max(clip.width, clip.height) > _COARSE else None
    tracker = FaceTracker(
        tools.detector,
        tools.fitter,
        tools.embedder,
        searcher=searcher,
        detect_every=_THOROUGH_DETECT if thorough else _DETECT_EVERY,
    )
    every = 1 / (_THOROUGH_LOOKS if thorough else _LOOKS_PER_SECOND)
    second = _SecondLook(tools.gate, clip.name, every)
    index = -1
    with ahead(pictures, depth=_AHEAD) as coming, beside(most=_BEHIND) as queue:
        for index, picture in enumerate(coming):
            seconds, frame = float(picture.pts * clip.time_base), PictureFrame(picture)
            if second.is_due(seconds):
                queue.add(second.take, index, seconds, frame)
            queue.add(cutter.add, frame, tracker.add(index, picture.pts, seconds, frame))
            progress("looking for faces", index + 1, clip.frames)
    tracks = tracker.finish()
    strays = tuple(_not_followed(second.glimpses, tracks))
    if strays and not thorough:
        raise UnlistedFaceError(
            f"{clip.name} shows a face that can't be told whose it is, at "
            f"{clock_time(strays[0].seconds)}",
            advice="Use footage in which every face turns to the camera, cut this part, or hide "
            "the faces of others: --bystanders blur.",
        )
    return Seen(frames=index + 1, tracks=tracks, strays=strays)


class _SecondLook:
    """Shows the content gate a frame a second, and keeps the faces that its network saw."""

    def __init__(self, gate: ContentGate, name: str, every: float) -> None:
        self._gate = gate
        self._name = name
        self._every = every
        self._next = 0.0
        self.glimpses: list[Glimpse] = []

    def is_due(self, seconds: float) -> bool:
        """Whether to look at the frame of that time; says so once."""
        due = seconds >= self._next
        if due:
            self._next = seconds + self._every
        return due

    def take(self, index: int, seconds: float, frame: Frame) -> None:
        """Look at a frame; raises `ContentError` at explicit content."""
        boxes = _faces_that_gate_sees(self._gate, frame, seconds, self._name)
        self.glimpses += [Glimpse(index, seconds, box) for box in boxes]


def _faces_that_gate_sees(gate: ContentGate, frame: Frame, seconds: float, name: str) -> list[Box]:
    """Return boxes in pixels of the frame; raises `ContentError` at explicit content."""
    scale = min(1.0, _GATE_SIDE / max(frame.width, frame.height))
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    findings = gate.check(frame.shrunk(width, height))
    if is_explicit(findings):
        raise ContentError(f"{name} shows explicit content at {clock_time(seconds)}")
    across, down = frame.width / width, frame.height / height
    return [
        (x0 * across, y0 * down, x1 * across, y1 * down)
        for x0, y0, x1, y1 in (
            finding.box
            for finding in findings
            if finding.label in FACE_LABELS and finding.score >= _SURE
        )
    ]


def _not_followed(seen: Sequence[Glimpse], tracks: Sequence[Track]) -> Iterator[Glimpse]:
    """Yield the faces that the tracker missed, in profile for example.

    The second network finds turned faces that the first can't; who they are nobody can tell.
    """
    followed: dict[int, list[Box]] = defaultdict(list)
    for track in tracks:
        for point in track.points:
            followed[point.index].append(point.box)
    for glimpse in seen:
        near = [
            box
            for index in range(glimpse.index - _NEAR, glimpse.index + _NEAR + 1)
            for box in followed[index]
        ]
        if not any(max(covered(glimpse.box, box), covered(box, glimpse.box)) > 0.5 for box in near):
            yield glimpse


def clock_time(seconds: float) -> str:
    """Return `seconds` as m:ss.s.

    >>> clock_time(75.25)
    '1:15.2'
    """
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
