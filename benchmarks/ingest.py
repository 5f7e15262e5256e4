"""How fast footage is looked through: decoded, faces found, followed and cut out; and how well.

    python benchmarks/ingest.py
    python benchmarks/ingest.py --truth FOLDER

The sample scene is played to and fro, once as it is and once in 1920x1080 with a face of about 400
pixels, and looked through as `assent footage add` does it. Printed for each: frames a second, and
what each stage costs in processor time a frame; stages run in four threads, so that the frames a
second depend on how many processors are free. Beside it stands decoding alone, in the same run.

With `--truth` clips are looked through whose faces are known, and what was followed is held against
that. FOLDER holds CLIP.mp4 and truth/CLIP.npz with `landmarks68` [T, people, 68, 2] in pixels and
`cast` [people, 2], whose head and whose face each is. Clips named PERFORMER_train lend the faces
that names are given by.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import av
import cv2
import numpy as np
from _followed import Report, Sight, follow_up
from numpy.typing import NDArray

from assent.data.faces import FaceCutter
from assent.data.look import Tools, look
from assent.kit.content.gate import ContentGate
from assent.kit.faces.identity import Gallery, assign
from assent.kit.faces.tracks import Track
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import nothing

CLIP = Path(__file__).parents[1] / "samples" / "scene1_ada.mp4"
TIMES = 4
"""How often the scene is played, to and fro in turn."""

Result = TypeVar("Result")


def main() -> None:
    """Print a table for each size, or of the clips whose truth is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truth", type=Path, metavar="FOLDER")
    folder = parser.parse_args().truth
    cv2.setNumThreads(1)
    if folder is None:
        measure_speed()
    else:
        measure_truth(folder)


def measure_speed() -> None:
    """Print a table for each size."""
    with tempfile.TemporaryDirectory() as folder:
        for name, change in (("384x384", as_it_is), ("1920x1080", full_hd)):
            path = Path(folder, f"{name}.mp4")
            write(path, change)
            report(name, path)


def report(name: str, path: Path) -> None:
    """Look through a clip and print what it took."""
    decoding = time_of(lambda: sum(1 for _ in read_pictures(path, name=name)))
    stages: dict[str, float] = defaultdict(float)
    tools = warm(Tools())
    timed = Tools(
        detector=Timed(tools.detector, "finding", stages),
        searcher=Timed(tools.searcher, "searching for small faces", stages),
        fitter=Timed(tools.fitter, "following the mesh", stages),
        embedder=Timed(tools.embedder, "telling who it is", stages),
        gate=cast(ContentGate, Timed(tools.gate, "content gate", stages)),
    )
    cutter = cast(FaceCutter, Timed(FaceCutter(), "cutting out", stages))
    clip = probe(path, name=name)
    processor = time.process_time()
    frames = 0

    def count() -> Iterator[Any]:
        nonlocal frames
        for picture in read_pictures(path, name=name):
            frames += 1
            yield picture

    wall = time_of(lambda: look(count(), clip, timed, cutter, nothing))
    stages["decoding and all else"] = time.process_time() - processor - sum(stages.values())
    print(f"\n{name}, {frames} frames")
    print(f"{'frames a second':<28}{frames / wall:>8.1f}")
    print(f"{'decoding alone':<28}{frames / decoding:>8.1f}")
    total = sum(stages.values())
    for stage, seconds in sorted(stages.items(), key=lambda item: -item[1]):
        print(f"{stage:<28}{1000 * seconds / frames:>8.2f} ms{seconds / total:>7.0%}")
    print(f"{'all, of the processors':<28}{1000 * total / frames:>8.2f} ms")


def measure_truth(folder: Path) -> None:
    """Print a row for each clip in a folder whose truth is known."""
    tools = warm(Tools())
    seen: dict[str, tuple[Track, ...]] = {}
    frames: dict[str, int] = {}
    for path in sorted(folder.glob("*.mp4")):
        clip = probe(path, name=path.name)
        pictures = read_pictures(path, name=path.name)
        found = look(pictures, clip, tools, FaceCutter(), nothing)
        seen[path.stem], frames[path.stem] = found.tracks, found.frames
    gallery = {
        name.removesuffix("_train"): np.concatenate([track.embeddings for track in tracks])
        for name, tracks in seen.items()
        if name.endswith("_train") and tracks
    }
    titles = ["faces", "found", "strangers", "box", "error px", "of eyes", "spread px"]
    titles += ["tracks", "switches", "misnamed"]
    print(f"{'clip':<26}" + "".join(f"{title:>10}" for title in titles))
    for name, tracks in seen.items():
        with np.load(folder / "truth" / f"{name}.npz") as truth:
            cast = [str(face) for _, face in truth["cast"]] if truth["cast"].size else []
            marks = truth["landmarks68"] if cast else np.empty((frames[name], 0, 68, 2))
        print(f"{name:<26}" + row(follow_up(sights(tracks, gallery), marks, cast)))


def sights(tracks: Sequence[Track], gallery: Gallery) -> list[Sight]:
    """Every point of the tracks, with the name that its track is given."""
    names = assign(tracks, gallery).names
    return [
        Sight(frame=point.index, track=track.id, name=names[track.id], landmarks=point.landmarks)
        for track in tracks
        for point in track.points
    ]


def row(report: Report) -> str:
    """The report's figures in the order of the table's titles; a clip without faces has few."""
    if not report.faces:
        return f"{0:>10}{'-':>10}{report.strangers:>10}"
    return (
        f"{report.faces:>10}{report.found:>10.1%}{report.strangers:>10}{report.box:>10.2f}"
        f"{report.error:>10.2f}{report.relative:>10.3f}{report.spread:>10.2f}"
        f"{report.tracks:>10}{report.switches:>10}{report.misnamed:>10}"
    )


class Timed:
    """Hands every call on and notes what it costs the thread that it runs in."""

    def __init__(self, part: object, stage: str, stages: dict[str, float]) -> None:
        self._part, self._stage, self._stages = part, stage, stages

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._part, name)

        def timed(*arguments: object, **options: object) -> object:
            before = time.thread_time()
            try:
                return call(*arguments, **options)
            finally:
                self._stages[self._stage] += time.thread_time() - before

        return timed


def warm(tools: Tools) -> Tools:
    """Load every network, so that a short clip doesn't pay for it."""
    rgb = np.zeros((96, 96, 3), np.uint8)
    for detector in (tools.detector, tools.searcher):
        detector.find(rgb)
    tools.fitter.fit(rgb, (10.0, 10.0, 50.0, 50.0))
    tools.embedder.embed_chip(np.zeros((150, 150, 3), np.uint8))
    tools.gate.check(rgb)
    return tools


def time_of(work: Callable[[], Result]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def as_it_is(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame unchanged."""
    return rgb


def full_hd(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frame at 960 lines in the middle of 1920x1080, its borders going on."""
    large = cv2.resize(rgb, (960, 960), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.copyMakeBorder(large, 60, 60, 480, 480, cv2.BORDER_REPLICATE), np.uint8)


def write(path: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    """Write the scene, played to and fro, every frame changed."""
    with av.open(str(CLIP)) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    played = [frames[:: 1 - 2 * (n % 2)] for n in range(TIMES)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.height, stream.width = change(np.asarray(frames[0], np.uint8)).shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in (rgb for once in played for rgb in once):
            made = change(np.asarray(rgb, np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(made, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
