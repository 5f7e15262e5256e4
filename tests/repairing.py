"""A performance of three segments and a portrait for it, to be repaired."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casts import Cast, Stage, cut_clip

from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.patches import Patch, unpack
from assent.create.render import render, rendering_needs
from assent.create.repair.document import Repairs, read_repairs
from assent.create.repair.store import Shot, Version, held, keep
from assent.create.staging import SEGMENT
from assent.data.clips import find_clip
from assent.data.ingest import ingest
from assent.data.tracks import PersonTrack
from assent.kit.store.tables import SegmentRow
from assent.train.models import find_model
from assent.train.portraits import PortraitConfig

__all__ = ["FRAMES", "Desk", "portrayed"]

FRAMES = 3 * SEGMENT + 8
BLANK = (40, 41, 42)


def portrayed(filmed: Cast, folder: Path) -> Cast:
    """Take in a performance, and make a portrait of Ben from footage in the same poses."""
    cut_clip(folder / "long.mp4", "scene1_ada.mp4", frames=FRAMES, blank=BLANK)
    cut_clip(folder / "alike.mp4", "scene1_ada_with_ben_face.mp4", frames=FRAMES)

    def act(stage: Stage) -> None:
        for name, member in (("long", stage.ada), ("alike", stage.ben)):
            ingest(
                stage.studio, stage.purpose, folder / f"{name}.mp4", [member.person],
                rights="computer-generated",
            )  # fmt: skip
        stage.fit(name="portrait", config=PortraitConfig(exemplars=24, studied=40), iterations=1)

    return filmed.then("to-repair", act)


@dataclass(frozen=True)
class Desk:
    """A stage, and what is repaired on it."""

    stage: Stage
    clip_name: str = "long.mp4"
    model_name: str = "portrait"

    @property
    def shot(self) -> Shot:
        """The clip and the model."""
        stage = self.stage
        return Shot(
            project_id=stage.purpose.project_id,
            clip=find_clip(stage.studio, stage.purpose, self.clip_name),
            model=find_model(stage.studio, stage.purpose, self.model_name),
        )

    def cleared(self) -> tuple[Clearance, ...]:
        """Everyone, cleared for a render."""
        shot = self.shot
        needs = rendering_needs(shot.model, shot.clip)
        return clear_all(self.stage.studio, self.stage.purpose, needs)

    def tracks(self) -> tuple[PersonTrack, ...]:
        """Everyone's, as they were found."""
        return self.shot.clip.tracks(Locker(self.stage.studio), self.cleared())

    def document(self, **parts: Any) -> Repairs:  # noqa: ANN401 - JSON
        """Return a document of the clip."""
        return read_repairs({"clip": self.shot.clip.sha256, **parts})

    def save(self, expected: int | None = None, **parts: Any) -> Version:  # noqa: ANN401 - JSON
        """Save a document over what holds."""
        shot = self.shot
        here = held(self.stage.studio, shot).number if expected is None else expected
        return keep(self.stage.studio, shot, self.document(**parts), self.cleared(), expected=here)

    def render(self, **changes: Any) -> Draft:  # noqa: ANN401 - arguments of `render`
        """Render with what holds."""
        shot = self.shot
        return render(
            self.stage.studio, self.stage.purpose, shot.model, shot.clip, self.cleared(),
            **{"ask_again": self.cleared, **changes},
        )  # fmt: skip

    def patches(self, draft: Draft) -> list[Patch]:
        """Return what a draft holds, frame by frame."""
        with self.stage.studio.database.session() as session:
            rows = session.query(SegmentRow).filter_by(draft_id=draft.id).order_by("number").all()
        locker, cleared = Locker(self.stage.studio), self.cleared()
        return [patch for row in rows for patch in unpack(locker.read(row.blob, cleared))]

    def blobs(self, draft: Draft) -> list[str]:
        """Return the segments of a draft."""
        with self.stage.studio.database.session() as session:
            rows = session.query(SegmentRow).filter_by(draft_id=draft.id).order_by("number")
            return [row.blob for row in rows]
