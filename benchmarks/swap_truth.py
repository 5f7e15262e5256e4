"""How near a face replacement of ours comes to the truth, by the product's own path.

    python benchmarks/swap_truth.py
    python benchmarks/swap_truth.py --source ben_train.mp4 --target scene1_ada.mp4 \\
        --truth scene1_ada_with_ben_face.mp4 --landmarks scene1_ada_with_ben_face.npz --minutes 5

A studio is made in a temporary folder; source and target are taken in, a model is trained, the
target rendered, reviewed, sealed and released. The released file, with its label, mark and
encoding, is then held against the truth, in crops aligned by the truth's landmarks, inside the
face. The floor is the untouched target held against the truth in the same way.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
from _truth import compare
from numpy.typing import NDArray

from assent.consent.ceremony import Terms, accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.ground import vouch
from assent.consent.people import Person, add_person
from assent.consent.receipt import sign_record
from assent.kit.clock import system
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.landmarks import LandmarkFinder
from assent.kit.hashing import hash_file
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.signing import SigningKey, new_key, public_of
from assent.kit.store.studio import Studio, create_studio
from assent.purpose.brief import EXAMPLE, Brief
from assent.purpose.projects import Purpose
from assent.story import Cast, Ending, tell

SAMPLES = Path(__file__).parents[1] / "samples"


def main() -> None:
    """Train, render, release, measure, print."""
    options = read_options()
    began = cpu_seconds()
    with tempfile.TemporaryDirectory() as folder:
        ending = make(options, Path(folder))
        spent = cpu_seconds() - began
        if options.out is not None:
            options.out.write_bytes(ending.released.path.read_bytes())
        landmarks = np.load(options.landmarks)["landmarks68"][:, 0]
        released = ending.released.path
        if options.sheet is not None:
            draw_sheet(options.sheet, (options.target, released, options.truth))
        report = compare(frames(released), frames(options.target), frames(options.truth), landmarks)
        distances = identities(released, options)
    # Each iteration goes over all pictures of one of the two people.
    pictures = [
        probe(path, name=path.name).frames for path in (options.source, performing(options))
    ]
    faces = ending.iterations * sum(pictures) / 2
    figures = {
        **{name: round(value, 4) for name, value in asdict(report).items()},
        **distances,
        "train_s": round(ending.training_seconds, 1),
        "iterations": ending.iterations,
        "faces_per_s": round(faces / max(ending.training_seconds, 1e-9), 1),
        "cpu_s": round(spent, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:>22}: {value}" for name, value in figures.items()))


def read_options() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--source", type=Path, default=SAMPLES / "ben_train.mp4")
    parser.add_argument("--performer", type=Path, help="more footage of the target's person")
    parser.add_argument("--target", type=Path, default=SAMPLES / "scene1_ada.mp4")
    parser.add_argument("--truth", type=Path, default=SAMPLES / "scene1_ada_with_ben_face.mp4")
    parser.add_argument("--landmarks", type=Path, default=SAMPLES / "scene1_ada_with_ben_face.npz")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--out", type=Path, help="keep the released film here")
    parser.add_argument("--sheet", type=Path, help="draw every tenth frame: before, after, truth")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def draw_sheet(path: Path, films: Sequence[Path], *, columns: int = 6, width: int = 224) -> None:
    """Draw every tenth frame of some films, one under the other, as a JPEG file."""
    rows = [[thumbnail(f, width) for f in frames(film, every=10)] for film in films]
    blocks = [
        np.concatenate([np.concatenate(row[start : start + columns], 1) for row in rows])
        for start in range(0, len(rows[0]) - columns + 1, columns)
    ]
    cv2.imwrite(str(path), np.concatenate(blocks)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def thumbnail(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return a picture made that wide."""
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def performing(options: argparse.Namespace) -> Path:
    """Return the footage that the performer is learned from: by default the target itself."""
    path: Path = options.performer or options.target
    return path


def make(options: argparse.Namespace, folder: Path) -> Ending:
    """Walk the story; the clips' own subjects sign with keys made here."""
    studio, brief, cast = begin(options, folder)
    return tell(studio, brief, cast, minutes=options.minutes, progress=Shown(time.monotonic()))


def begin(options: argparse.Namespace, folder: Path) -> tuple[Studio, Brief, Cast]:
    """Make a studio, and the cast of a film in it."""
    studio = create_studio(folder / "studio", name="Benchmark", contact="none needed")
    donor, donor_key = add(studio, "donor")
    performer, performer_key = add(studio, "performer")
    today = system().date()
    brief = Brief.from_mapping({**EXAMPLE, "starts": today, "ends": today + timedelta(days=30)})
    cast = Cast(
        donor=donor,
        performer=performer,
        agree={
            "donor": lambda purpose: agree(studio, purpose, donor, donor_key, options.source),
            "performer": lambda purpose: agree(
                studio, purpose, performer, performer_key, performing(options)
            ),
        },
        donor_footage=options.source,
        performer_footage=performing(options),
        performance=options.target,
        rights="computer-generated",
    )
    return studio, brief, cast


def frames(path: Path, every: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Yield every n-th frame of a clip as RGB."""
    for index, picture in enumerate(read_pictures(path, name=path.name)):
        if index % every == 0:
            yield to_rgb(picture)


def identities(released: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return distances of face embeddings: of the result, and of the untouched target.

    The means over every tenth frame; `identity` is the result's distance to the donor.
    """
    faces = Faces()
    donor = np.mean(faces.embed(options.source, every=25), axis=0)
    performer = np.mean(faces.embed(performing(options), every=25), axis=0)
    result = faces.embed(released, every=10)
    target = faces.embed(options.target, every=10)
    return {
        "identity": away(result, donor),
        "identity_to_performer": away(result, performer),
        "identity_untouched": away(target, donor),
    }


class Faces:
    """Finds and embeds the largest face of each frame."""

    def __init__(self) -> None:
        self._detector = DlibDetector()
        self._landmarks = LandmarkFinder()
        self._embedder = FaceEmbedder()

    def embed(self, path: Path, every: int) -> NDArray[np.float32]:
        """Return float32 [n, 128] of every n-th frame that shows a face."""
        found = []
        for rgb in frames(path, every):
            faces = self._detector.find(rgb)
            if faces:
                box = max(faces, key=lambda face: face.box[2] - face.box[0]).box
                found.append(self._embedder.embed(rgb, self._landmarks.fit(rgb, box)))
        return np.stack(found)


def away(embeddings: NDArray[np.float32], person: NDArray[np.float32]) -> float:
    """Return the mean distance of embeddings to a person's mean."""
    return round(float(np.linalg.norm(embeddings - person, axis=1).mean()), 3)


class Shown:
    """Says on standard error which stage has begun, and when."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report as `assent.kit.progress.Progress`."""
        if stage != self._stage:
            self._stage = stage
            print(f"{time.monotonic() - self._began:6.1f} s  {stage}", file=sys.stderr)


def add(studio: Studio, handle: str, *, staff: bool = False) -> tuple[Person, SigningKey]:
    """Register a person with a key made here."""
    key = new_key()
    return add_person(studio, handle=handle, name=handle, key=public_of(key), staff=staff), key


def agree(studio: Studio, purpose: Purpose, person: Person, key: SigningKey, clip: Path) -> None:
    """Sign for the computer-generated subject of `clip`, which serves as the statement too."""
    brief = purpose.brief
    terms = Terms(
        acts=frozenset(Act),
        modalities=frozenset(Modality),
        use=brief.purpose,
        channels=frozenset(brief.channels),
        starts=brief.starts,
        ends=brief.ends,
        most_releases=100,
    )
    with clip.open("rb") as file:
        record = offer(studio, purpose, person, terms, statement_sha256=hash_file(file))
        producer, signing = add(studio, f"producer-{person.handle}", staff=True)
        ground = vouch(studio, record, producer, signing, reason="computer-generated")
        accept(studio, sign_record(record, key), statement=file, name=clip.name, ground=ground)


def cpu_seconds() -> float:
    """Return the processor time of this process and its children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
