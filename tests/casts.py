"""Ada and Ben at work, for tests: a studio with real footage, a small model, a draft, a release.

    def test_something(rendered: Cast, tmp_path: Path) -> None:
        stage = rendered.open_copy(tmp_path / "studio")

The fixtures are in `conftest.py`. Each step is made once a session, with clips of a second and
a model that has learned nothing much; every test gets its own copy of the folder and its own clock.
"""

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from studios import Member, SetClock, add_member, brief_with, terms_for, vouch_for

from assent.consent.binding import Bound
from assent.consent.ceremony import accept, offer
from assent.consent.clearance import Act, AskAgain, Clearance, Modality
from assent.consent.desk import Need, clear_all
from assent.consent.locker import Locker
from assent.consent.receipt import sign_record
from assent.consent.withdrawal import withdraw
from assent.create.draft import Draft, bound_draft, bound_segment, list_drafts, load
from assent.create.render import render, rendering_needs
from assent.data.clips import ClearedClip, bound_clip, bound_faces, find_clip
from assent.data.ingest import ingest
from assent.disclose.release import Released, release, released_already
from assent.disclose.seal import seal
from assent.disclose.sealed import SealedVideo
from assent.kit.content.gate import ContentGate
from assent.kit.disk import Disk
from assent.kit.hashing import hash_file
from assent.kit.signing import SigningKey
from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.kit.store.tables import (
    ConsentRow,
    DraftRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    SegmentRow,
)
from assent.purpose.levels import Level
from assent.purpose.projects import Purpose, create_project, find_project
from assent.safeguard.review import recall, review
from assent.train.config import TrainConfig
from assent.train.fit import fit
from assent.train.models import TrainedModel, bound_model, find_model, training_needs
from assent.train.network import NetworkConfig
from assent.verify.public import PublicLog, open_log

__all__ = [
    "BLANK",
    "RIGHTS",
    "SMALL",
    "Cast",
    "Stage",
    "agree",
    "agree_to",
    "clear_traces",
    "cut_clip",
    "film",
    "render_and_review",
    "resign",
]

SAMPLES = Path(__file__).parent.parent / "samples"
RIGHTS = "computer-generated"
MODEL = "ben-for-ada"
BLANK = range(18, 24)
"""Frames of the scene that show no face."""
SCENE_FRAMES = 40
SMALL = TrainConfig(
    network=NetworkConfig(
        size=64, code=16, encoder=(8, 8, 16, 16), basis=4, correction=(16, 8, 8), knots=5
    ),
    batch=2,
    half=False,
)
"""A model that trains and renders in no time and looks like it."""
_STRICT = Level(name="high", shortest_side=128, sign_off=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An open studio. Ada and Ben agree to everything; Cleo, the brief's reviewer, to nothing."""

    studio: Studio
    clock: SetClock
    purpose: Purpose
    ada: Member
    ben: Member
    cleo: Member
    clips: Path

    @property
    def model(self) -> TrainedModel:
        """Ben's face for Ada's performances."""
        return find_model(self.studio, self.purpose, MODEL)

    @property
    def scene(self) -> ClearedClip:
        """Ada's performance."""
        return find_clip(self.studio, self.purpose, "scene.mp4")

    @property
    def draft(self) -> Draft:
        """The first render of the scene."""
        return load(self.studio, list_drafts(self.studio, self.purpose)[0])

    @property
    def log(self) -> PublicLog:
        """The studio's log, checked with its own key."""
        return open_log(self.studio.log_folder, vkey=self.studio.log_verifier.vkey)

    def on(self, **changes: Any) -> "Stage":  # noqa: ANN401 - fields of a studio
        """Return the same with other parts in the studio."""
        return replace(self, studio=replace(self.studio, **changes))

    def reopened(self, disk: Disk | None = None) -> "Stage":
        """Return the same studio as another process would open it."""
        studio = open_studio(self.studio.folder, clock=self.clock, disk=disk)
        return replace(self, studio=studio)

    def stricter(self, level: Level = _STRICT) -> "Stage":
        """Return the same under rules that have become stricter: someone must sign."""
        assessment = replace(self.purpose.assessment, level=level)
        return replace(self, purpose=replace(self.purpose, assessment=assessment))

    def asking(self, needs: Collection[Need]) -> AskAgain:
        """Return what asks the desk for `needs`."""
        return lambda: clear_all(self.studio, self.purpose, needs)

    def to_release(self) -> Sequence[Clearance]:
        """Clear everyone whom a release of the draft concerns."""
        return clear_all(self.studio, self.purpose, self.draft.needs(to_release=True))

    def fit(self, **changes: Any) -> TrainedModel:  # noqa: ANN401 - arguments of `fit`
        """Train Ben's face for Ada, two steps unless told otherwise."""
        needs = training_needs(self.ben.id, self.ada.id)
        arguments: dict[str, Any] = {
            "ask_again": self.asking(needs),
            "name": MODEL,
            "seconds": None,
            "iterations": 2,
            "config": SMALL,
        }
        return fit(
            self.studio, self.purpose, self.ben.person, self.ada.person,
            clear_all(self.studio, self.purpose, needs), **{**arguments, **changes},
        )  # fmt: skip

    def render(self, **changes: Any) -> Draft:  # noqa: ANN401 - arguments of `render`
        """Render the scene."""
        asking = self.asking(rendering_needs(self.model, self.scene))
        return render(
            self.studio, self.purpose, self.model, self.scene, asking(),
            **{"ask_again": asking, **changes},
        )  # fmt: skip

    def seal(self, **changes: Any) -> SealedVideo:  # noqa: ANN401 - arguments of `seal`
        """Seal the draft under the approval that its review left."""
        clearances = self.to_release()
        approved = recall(self.studio, self.purpose, self.draft, clearances)
        asking = self.asking(self.draft.needs(to_release=True))
        return seal(
            self.studio, self.purpose, approved, clearances, **{"ask_again": asking, **changes}
        )

    def finish(self) -> Released:
        """Seal and release the draft."""
        video = self.seal()
        with video.media:
            return release(self.studio, self.purpose, video)

    def released(self) -> Released:
        """The release of the draft."""
        made = released_already(self.studio, self.draft)
        assert made is not None
        return made

    def seals(self) -> int:
        """How many seals the log holds."""
        entries = self.studio.log.reader().entries()
        return sum(json.loads(entry)["kind"] == "seal" for _, entry in entries)

    def withdraw(self, member: Member) -> None:
        """End a person's consent."""
        with self.studio.database.session() as session:
            row = session.query(ConsentRow).filter_by(person_id=member.id).one()
        withdraw(self.studio, row.record_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A closed studio and its clips, to be copied."""

    folder: Path
    clips: Path
    slug: str
    keys: dict[str, SigningKey]
    now: datetime

    def open_copy(self, folder: Path, disk: Disk | None = None) -> Stage:
        """Copy the studio to `folder` and open it, with a clock of its own."""
        shutil.copytree(self.folder, folder)
        return self._open(folder, disk)

    def then(self, name: str, act: Callable[[Stage], object]) -> "Cast":
        """Return a copy, in a folder of that name beside this one, in which `act` has been done."""
        folder = self.folder.with_name(name)
        stage = self.open_copy(folder)
        act(stage)
        stage.studio.database.close()
        return replace(self, folder=folder)

    def _open(self, folder: Path, disk: Disk | None) -> Stage:
        clock = SetClock(self.now)
        studio = open_studio(folder, clock=clock, disk=disk)
        members = {name: add_member(studio, name, key) for name, key in self.keys.items()}
        purpose = find_project(studio, self.slug)
        return Stage(studio=studio, clock=clock, purpose=purpose, clips=self.clips, **members)


def cut_clip(
    target: Path,
    source: str,
    *,
    frames: int,
    first: int = 0,
    width: int = 256,
    height: int = 256,
    sound: bool = False,
    blank: Collection[int] = (),
) -> Path:
    """Write `frames` frames of a sample to `target`, scaled; those in `blank` show only noise."""
    noise = np.random.default_rng(1)
    with av.open(str(SAMPLES / source)) as old, av.open(str(target), "w") as new:
        video = new.add_stream("libx264", rate=25, options={"crf": "16", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.time_base = Fraction(1, 25)
        heard = new.add_stream_from_template(old.streams.audio[0]) if sound else None
        for number, frame in enumerate(_frames(old, first, frames)):
            picture = frame.reformat(width, height, "rgb24").to_ndarray()
            if number in blank:
                picture = noise.integers(90, 130, picture.shape, np.uint8)
            made = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            made.pts, made.time_base = number, Fraction(1, 25)
            new.mux(video.encode(made))
        new.mux(video.encode())
        if heard is not None:
            _copy_sound(old, heard, new, until=frames / 25)
    return target


def _frames(clip: Any, first: int, count: int) -> Iterator[av.VideoFrame]:  # noqa: ANN401 - PyAV
    for number, frame in enumerate(clip.decode(video=0)):
        if number >= first + count:
            return
        if number >= first:
            yield frame


def _copy_sound(old: Any, heard: Any, new: Any, *, until: float) -> None:  # noqa: ANN401 - PyAV
    old.seek(0)
    for packet in old.demux(audio=0):
        if packet.dts is not None and float(packet.pts * packet.time_base) < until:
            packet.stream = heard
            new.mux(packet)


def resign(stage: Stage) -> None:
    """Sign every row as it is now, as only somebody with the studio's own key could."""
    locker = Locker(stage.studio)
    acts, face = frozenset({Act.INGEST}), frozenset({Modality.FACE})

    def sign(bound: Bound, people: Collection[str]) -> str:
        needs = [Need(person_id=each, acts=acts, modalities=face) for each in people]
        return locker.bind(bound.kind, bound.facts, stage.asking(needs)())

    with stage.studio.database.session() as session:
        for clip in session.query(FootageRow):
            clip.binding = sign(bound_clip(clip), clip.people)
        for faces in session.query(FaceSetRow):
            footage = session.get_one(FootageRow, faces.footage_id)
            faces.binding = sign(bound_faces(faces, footage), [faces.person_id])
        for model in session.query(ModelRow):
            model.binding = sign(bound_model(model), [model.donor_id, model.performer_id])
        for draft in session.query(DraftRow):
            footage = session.get_one(FootageRow, draft.footage_id)
            made = session.get_one(ModelRow, draft.model_id)
            people = {made.donor_id, *footage.people}
            draft.binding = sign(bound_draft(draft), people)
            for segment in session.query(SegmentRow).filter_by(draft_id=draft.id):
                segment.binding = sign(bound_segment(segment), people)


def clear_traces(folder: Path, *secrets: bytes) -> list[str]:
    """Return the files below `folder` that hold media, arrays or a piece of `secrets` in clear."""
    magic = [b"ftypisom", b"ftypmp42", b"JFIF\0", b"\x89PNG\r\n", b"\x93NUMPY"]
    magic += [b"PK\x03\x04\x14\x00", b"PK\x03\x04\x2d\x00"]
    pieces = [
        secret[at : at + 24]
        for secret in secrets
        for at in range(0, len(secret) - 24, max(1, len(secret) // 40))
        if len(set(secret[at : at + 24])) > 12
    ]
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if any(each in data for each in magic + pieces):
            found.append(str(path.relative_to(folder)))
    return found


def agree_to(studio: Studio, purpose: Purpose, member: Member) -> None:
    """Let `member` agree to everything, with the statement that shows their face."""
    path = SAMPLES / f"{member.person.handle}_statement.mp4"
    terms = terms_for(purpose, modalities=frozenset(Modality))
    with path.open("rb") as statement:
        record = offer(studio, purpose, member.person, terms, statement_sha256=hash_file(statement))
        accept(
            studio,
            sign_record(record, member.key),
            statement=statement,
            name=path.name,
            ground=vouch_for(studio, record),
        )


def agree(place: Path) -> Cast:
    """Make clips and a studio in which Ada and Ben have agreed with their real statements."""
    # Today, since certificates are checked against the machine's clock.
    now = datetime.now(UTC).replace(microsecond=0)
    clips = place / "clips"
    clips.mkdir()
    cut_clip(clips / "ada.mp4", "ada_statement.mp4", frames=12)
    cut_clip(clips / "ben.mp4", "ben_statement.mp4", frames=12)
    cut_clip(clips / "scene.mp4", "scene1_ada.mp4", frames=SCENE_FRAMES, sound=True, blank=BLANK)
    studio = create_studio(
        place / "agreed", name="Test Studio", contact="a@b.example", clock=SetClock(now)
    )
    starts = now.date() - timedelta(days=1)
    brief = brief_with(starts=str(starts), ends=str(starts + timedelta(days=364)), reviewer="cleo")
    purpose = create_project(studio, brief)
    members = {name: add_member(studio, name) for name in ("ada", "ben", "cleo")}
    for name in ("ada", "ben"):
        agree_to(studio, purpose, members[name])
    studio.database.close()
    return Cast(
        folder=place / "agreed",
        clips=clips,
        slug=purpose.slug,
        keys={name: member.key for name, member in members.items()},
        now=now,
    )


def film(stage: Stage) -> None:
    """Take in all clips, each a second after the one before."""
    for clip, member in (("ben", stage.ben), ("ada", stage.ada), ("scene", stage.ada)):
        path = stage.clips / f"{clip}.mp4"
        ingest(stage.studio, stage.purpose, path, [member.person], rights=RIGHTS)
        stage.clock.now += timedelta(seconds=1)


def render_and_review(stage: Stage) -> None:
    """Render the scene and let the content gate look."""
    draft = stage.render()
    asking = stage.asking(draft.needs(to_release=True))
    review(stage.studio, stage.purpose, draft, asking(), ask_again=asking, gate=ContentGate())
