"""Each ignored line must stay a type error: mypy reports the ignores that are no longer needed.

Nothing here is ever run. What is left out or put in the wrong place is what the flow through the
eight steps rests on: a person's clearance, a review, a seal.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from assent.consent.clearance import Act, AskAgain, Clearance, Modality
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.create.draft import Draft
from assent.create.render import render
from assent.data.clips import ClearedClip
from assent.data.ingest import ingest
from assent.disclose.release import release
from assent.disclose.seal import seal
from assent.disclose.sealed import SealedVideo
from assent.kit.content.gate import ContentGate
from assent.kit.store.studio import Studio
from assent.purpose.brief import Brief
from assent.purpose.projects import Purpose
from assent.safeguard.approved import Approved
from assent.safeguard.review import review
from assent.train.fit import fit
from assent.train.models import TrainedModel


def work_without_people(
    studio: Studio, purpose: Purpose, brief: Brief, ada: Person, ben: Person, asking: AskAgain
) -> None:
    """Footage is of someone, and a model is trained on those who are cleared."""
    clip = Path("clip.mp4")
    ingest(studio, purpose, clip, rights="own")  # type: ignore[call-arg]
    ingest(studio, purpose, clip, ["ada"], rights="own")  # type: ignore[list-item]
    ingest(studio, brief, clip, [ada], rights="own")  # type: ignore[arg-type]
    ingest(studio, purpose, clip, [ada])  # type: ignore[call-arg]
    fit(studio, purpose, ada, ben, ask_again=asking, name="m", seconds=1, iterations=None)  # type: ignore[call-arg]
    fit(studio, purpose, ada, ben, asking(), name="m", seconds=1, iterations=None)  # type: ignore[call-arg]
    fit(studio, purpose, ada, ben, [ada], ask_again=asking, name="m", seconds=1, iterations=None)  # type: ignore[list-item]
    fit(studio, purpose, asking(), ask_again=asking, name="m", seconds=1, iterations=None)  # type: ignore[call-arg, arg-type]


def open_without_clearances(locker: Locker, model: TrainedModel, clip: ClearedClip) -> None:
    """Nothing comes out of the vault, or goes in, for nobody."""
    locker.open("blob")  # type: ignore[call-arg]
    locker.read("blob")  # type: ignore[call-arg]
    locker.put([b"film"])  # type: ignore[call-arg]
    locker.open("blob", ["ada"])  # type: ignore[list-item]
    model.open(locker)  # type: ignore[call-arg]
    clip.open(locker)  # type: ignore[call-arg]


def render_without_clearances(
    studio: Studio, purpose: Purpose, model: TrainedModel, clip: ClearedClip, asking: AskAgain
) -> None:
    """No face is put onto anything without both people's leave, asked again on the way."""
    render(studio, purpose, model, clip, ask_again=asking)  # type: ignore[call-arg]
    render(studio, purpose, model, clip, asking())  # type: ignore[call-arg]
    render(studio, purpose, model, Path("clip.mp4"), asking(), ask_again=asking)  # type: ignore[arg-type]
    render(studio, model, clip, asking(), ask_again=asking)  # type: ignore[call-arg, arg-type]
    render(studio, purpose, model, clip, None, ask_again=asking)  # type: ignore[arg-type]


def skip_a_step(
    studio: Studio, purpose: Purpose, draft: Draft, approved: Approved, asking: AskAgain
) -> None:
    """A draft is reviewed, what is approved is sealed, and only what is sealed leaves."""
    review(studio, purpose, draft, asking(), ask_again=asking)  # type: ignore[call-arg]
    review(studio, purpose, draft, ask_again=asking, gate=ContentGate())  # type: ignore[call-arg]
    seal(studio, purpose, draft, asking(), ask_again=asking)  # type: ignore[arg-type]
    seal(studio, purpose, approved, ask_again=asking)  # type: ignore[call-arg]
    seal(studio, purpose, approved, asking())  # type: ignore[call-arg]
    release(studio, purpose, draft)  # type: ignore[arg-type]
    release(studio, purpose, approved)  # type: ignore[arg-type]
    release(studio, purpose, Path("film.mp4"))  # type: ignore[arg-type]


def make_by_hand(draft: Draft, moment: datetime, video: SealedVideo, key: object) -> None:
    """Proof is issued by those who checked, and can't be changed afterwards."""
    Clearance(  # type: ignore[call-arg]
        person_id="ada",
        project_id="film",
        record_id="r",
        receipt_hash="h",
        modalities=frozenset({Modality.FACE}),
        acts=frozenset(Act),
        expires=moment,
    )
    Clearance(
        person_id="ada",
        project_id="film",
        record_id="r",
        receipt_hash="h",
        modalities=frozenset({Modality.FACE}),
        acts=frozenset(Act),
        expires=moment,
        key=key,  # type: ignore[arg-type]
    )
    Approved(draft=draft, shortest_side=720, strong_mark=False)  # type: ignore[call-arg]
    Approved(draft=draft, shortest_side=720, strong_mark=False, key=key)  # type: ignore[arg-type]
    SealedVideo(  # type: ignore[call-arg]
        asset_id="0",
        draft_id="d",
        media=video.media,
        sha256="0",
        entry=b"",
        log_index=0,
        receipt="",
    )
    video.sha256 = "0"  # type: ignore[misc]
    draft.digest = "0"  # type: ignore[misc]


def change_a_clearance(clearance: Clearance, clearances: Sequence[Clearance]) -> None:
    """What was agreed to stays what it was."""
    clearance.acts = frozenset(Act)  # type: ignore[misc]
    clearance.acts.add(Act.RELEASE)  # type: ignore[attr-defined]
    clearances[0].expires = datetime.max  # type: ignore[misc] # noqa: DTZ901 - never run


class AnyClearance(Clearance):  # type: ignore[misc]
    """Nobody else's kind of clearance."""


class AnyApproved(Approved):  # type: ignore[misc]
    """Nobody else's kind of approval."""


class AnySealed(SealedVideo):  # type: ignore[misc]
    """Nobody else's kind of seal."""


class AnyDraft(Draft):  # type: ignore[misc]
    """Nobody else's kind of draft."""
