"""What commands and jobs do alike: ask the desk, call a step of the story, tell what came of it.

The result is a dictionary of ids and figures: what a command prints as JSON, and a job keeps.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assent.apps.public.publish import publish
from assent.consent.clearance import Act, AskAgain, Clearance
from assent.consent.desk import Need, clear_all
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.create.composite import CompositeConfig
from assent.create.draft import Draft, find_draft
from assent.create.render import render, rendering_needs
from assent.create.report import QualityReport, quality_of
from assent.data.clips import find_clip
from assent.data.ingest import Bystanders, ingest
from assent.data.openable import Openable
from assent.disclose.forms import Form, make_form
from assent.disclose.release import release, released_already
from assent.disclose.seal import seal
from assent.disclose.still import seal_draft_sheet, seal_model_sheet
from assent.disclose.wording import spoken_notice as words_in
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError, NotFoundError
from assent.kit.imaging.colour import Colour
from assent.kit.media.notice import Speech, find_speaker, speak
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose
from assent.safeguard.review import recall, review
from assent.train.models import find_model, training_needs
from assent.train.run import Progress as Training

if TYPE_CHECKING:
    from assent.train.config import TrainConfig
    from assent.train.portraits import PortraitConfig

__all__ = [
    "Desk",
    "Engine",
    "export_form",
    "make_sheet",
    "release_draft",
    "render_draft",
    "report_on",
    "review_draft",
    "take_in",
    "train_model",
]

_ASK_EVERY_S = 5.0


class Engine(StrEnum):
    """How a face is made."""

    PORTRAIT = "portrait"
    AUTOENCODER = "autoencoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """For whom work is done: a studio and a purpose, how it tells of itself, what stops it.

    Attributes:
        progress: told how far it is; what it raises ends the work.
        stop: asked between the steps of work that keeps what it has; see `train.fit`.
        details: told what else is worth showing meanwhile, such as losses.
    """

    studio: Studio
    purpose: Purpose
    progress: Progress = nothing
    stop: Callable[[], bool] = lambda: False
    details: Callable[[dict[str, Any]], None] = field(default=lambda told: None)

    def clear(self, needs: Sequence[Need]) -> Sequence[Clearance]:
        """Ask the desk; raises `NotClearedError`."""
        return clear_all(self.studio, self.purpose, needs)

    def asking(self, needs: Sequence[Need]) -> AskAgain:
        """Return what asks the desk for the same again."""
        return lambda: self.clear(needs)

    def watched(self, needs: Sequence[Need]) -> Progress:
        """Return `progress` that asks the desk every few seconds, for work that doesn't itself."""
        asked = time.monotonic()

        def told(stage: str, done: int, total: int) -> None:
            nonlocal asked
            self.progress(stage, done, total)
            if time.monotonic() - asked >= _ASK_EVERY_S:
                self.clear(needs)
                asked = time.monotonic()

        return told


def take_in(
    desk: Desk,
    source: Openable,
    people: Sequence[Person],
    *,
    rights: str,
    bystanders: Bystanders = Bystanders.REFUSE,
) -> dict[str, Any]:
    """Take footage in; raises as `ingest`, also while it looks if somebody withdraws."""
    needs = [Need(person_id=person.id, acts=frozenset({Act.INGEST})) for person in people]
    taken = ingest(
        desk.studio, desk.purpose, source, people, rights=rights, bystanders=bystanders,
        progress=desk.watched(needs),
    )  # fmt: skip
    return {
        "id": taken.clip.id,
        "name": taken.clip.name,
        "sha256": taken.clip.sha256,
        "faces": dict(taken.faces),
        "already": taken.already,
        "hidden": taken.clip.hidden,
    }


def train_model(
    desk: Desk,
    donor: Person,
    performer: Person,
    *,
    name: str | None = None,
    minutes: float | None = None,
    iterations: int | None = None,
    engine: Engine = Engine.PORTRAIT,
    save_every_s: float = 30.0,
) -> dict[str, Any]:
    """Train a model, or go on training; five minutes unless told otherwise. Raises as `fit`."""
    # Only who trains pays for it.
    from assent.train.fit import fit

    if minutes is None and iterations is None:
        minutes = 5.0
    needs = training_needs(donor.id, performer.id)
    trained = fit(
        desk.studio,
        desk.purpose,
        donor,
        performer,
        desk.clear(needs),
        ask_again=desk.asking(needs),
        name=name or f"{donor.handle}-for-{performer.handle}",
        seconds=None if minutes is None else minutes * 60,
        iterations=iterations,
        config=_config(engine),
        save_every_s=save_every_s,
        on_progress=lambda state: _tell_training(desk, state, minutes, iterations),
        on_save=lambda: desk.details({"saved": desk.studio.clock().isoformat()}),
        stop=desk.stop,
    )
    return {
        "id": trained.id,
        "name": trained.name,
        "iterations": trained.iterations,
        "seconds": round(trained.seconds, 1),
    }


def _tell_training(
    desk: Desk, state: Training, minutes: float | None, iterations: int | None
) -> None:
    loss = state.losses.total
    desk.details(
        {
            "iteration": state.iteration,
            "seconds": round(state.seconds, 1),
            "loss": round(loss, 5) if math.isfinite(loss) else None,
        }
    )
    if state.total is not None:
        desk.progress(f"training|unlikeness {loss:.3f}", state.iteration, state.total)
        return
    speed = state.iteration / max(state.seconds, 1e-6)
    note = f"loss {loss:.3f}, {speed:.1f} iterations/s"
    if iterations is not None:
        desk.progress(f"training|{note}", state.iteration, iterations)
        return
    note = f"iteration {state.iteration}, {note}"
    desk.progress(f"training|{note}", round(state.seconds), round((minutes or 0) * 60))


def _config(engine: Engine) -> "PortraitConfig | TrainConfig":
    """How to train, by the engine's defaults."""
    if engine is Engine.PORTRAIT:
        from assent.train.portraits import PortraitConfig

        return PortraitConfig()
    try:
        from assent.train.config import TrainConfig
    except ImportError as error:
        raise InputError(
            "the autoencoder needs PyTorch, which is not installed",
            advice="Install it with `pip install 'assent[autoencoder]'`, or use --engine portrait.",
        ) from error
    return TrainConfig()


def render_draft(
    desk: Desk, footage: str, model: str, *, colour: Colour = Colour.TOUCH
) -> tuple[dict[str, Any], QualityReport]:
    """Render footage with a model, or go on rendering; raises as `render`."""
    trained = find_model(desk.studio, desk.purpose, model)
    clip = find_clip(desk.studio, desk.purpose, footage)
    needs = rendering_needs(trained, clip)
    made = render(
        desk.studio,
        desk.purpose,
        trained,
        clip,
        desk.clear(needs),
        ask_again=desk.asking(needs),
        config=CompositeConfig(colour=colour),
        progress=desk.progress,
    )
    report = report_on(desk, made)
    told = {
        "draft": made.id,
        "frames": made.frames,
        "replaced": made.replaced,
        "verdict": report.verdict,
        "advice": list(report.advice),
    }
    return told, report


def report_on(desk: Desk, draft: Draft) -> QualityReport:
    """Tell how good a draft is."""
    needs = draft.needs(to_release=False)
    return quality_of(draft, Locker(desk.studio), desk.asking(needs))


def review_draft(desk: Desk, draft: str) -> dict[str, Any]:
    """Look through a draft; raises as `review`."""
    found = find_draft(desk.studio, desk.purpose, draft)
    needs = found.needs(to_release=True)
    reviewed = review(
        desk.studio,
        desk.purpose,
        found,
        desk.clear(needs),
        ask_again=desk.asking(needs),
        gate=ContentGate(),
        progress=desk.progress,
    )
    approved = reviewed.approved is not None
    return {
        "draft": found.id,
        "looked_at": reviewed.looked_at,
        "risk": reviewed.level,
        "shortest_side": reviewed.shortest_side,
        "approved": approved,
        "waits_for": None if approved else reviewed.reviewer,
    }


def make_sheet(
    desk: Desk, *, draft: str | None = None, model: str | None = None, worst: bool = False
) -> dict[str, Any]:
    """Seal a sheet of a draft, of its worst frames, or of a model into previews/."""
    if model is not None:
        sealed = seal_model_sheet(desk.studio, desk.purpose, model, gate=ContentGate())
        return {"sheet": sealed.name}
    found = find_draft(desk.studio, desk.purpose, draft or "")
    frames = [each.number for each in report_on(desk, found).worst] if worst else []
    if worst and not frames:
        raise InputError(
            f"no frame of draft {found.id[:8]} stands out", advice="Leave --worst away."
        )
    sealed = seal_draft_sheet(desk.studio, desk.purpose, found, gate=ContentGate(), frames=frames)
    return {"sheet": sealed.name, "draft": found.id}


def release_draft(
    desk: Desk, draft: str, *, spoken_notice: str | None = None, tsa: str | None = None
) -> dict[str, Any]:
    """Seal a draft and put it into releases/, or tell of the release that there is.

    `said` is False if a spoken notice was asked for and can't be made here. Raises as `seal`.
    """
    found = find_draft(desk.studio, desk.purpose, draft)
    # One that exists is named again, but not after someone has withdrawn.
    desk.clear(found.needs(to_release=False))
    made = released_already(desk.studio, found)
    said = spoken_notice is None or find_speaker() is not None
    if made is None:
        needs = found.needs(to_release=True)
        clearances = desk.clear(needs)
        approved = recall(desk.studio, desk.purpose, found, clearances)
        notice = _notice(spoken_notice)
        sealed = seal(
            desk.studio,
            desk.purpose,
            approved,
            clearances,
            ask_again=desk.asking(needs),
            notice=notice,
            tsa_url=tsa,
            progress=desk.progress,
        )
        made = release(desk.studio, desk.purpose, sealed)
        publish(desk.studio)
    return {
        "asset_id": made.asset_id,
        "draft": found.id,
        "file": made.path.name,
        "proof": made.proof.name,
        "sha256": made.sha256,
        "fingerprint": made.fingerprint,
        "log_index": made.log_index,
        "said": said,
    }


def _notice(language: str | None) -> Speech | None:
    return None if language is None else speak(words_in(language), language=language)


def export_form(desk: Desk, draft: str, form: Form, *, at: float = 0.0) -> dict[str, Any]:
    """Make another form of a release; raises as `make_form`."""
    found = find_draft(desk.studio, desk.purpose, draft)
    needs = found.needs(to_release=True)
    clearances = desk.clear(needs)
    released = released_already(desk.studio, found)
    if released is None:
        raise NotFoundError("this draft has no release", advice="Release it: `assent release`.")
    made = make_form(
        desk.studio, desk.purpose, found, released.asset_id, form, clearances, at_s=at,
        ask_again=desk.asking(needs),
    )  # fmt: skip
    return {
        "asset_id": released.asset_id,
        "file": made.path.name,
        "proof": made.proof.name,
        "beside": made.beside and made.beside.name,
        "sha256": made.sha256,
        "log_index": made.log_index,
    }
