"""The eight steps, in order; each needs what the step before it made.

This is the whole of Assent on one page. Everything else is detail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assent.consent.clearance import AskAgain
from assent.consent.desk import Need, clear_all
from assent.consent.people import Person
from assent.create.draft import Draft
from assent.create.render import render, rendering_needs
from assent.data.ingest import ingest
from assent.disclose.release import Released, release, released_already
from assent.disclose.seal import seal
from assent.kit.content.gate import ContentGate
from assent.kit.errors import SignOffError
from assent.kit.media.notice import Speech
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.purpose.brief import Brief
from assent.purpose.projects import Purpose, create_project
from assent.safeguard.review import review
from assent.train.fit import fit
from assent.train.models import training_needs
from assent.train.run import Progress as Training
from assent.verify.examine import examine
from assent.verify.findings import Findings
from assent.verify.public import OWN, open_log

__all__ = ["Cast", "Ending", "tell"]

Agree = Callable[[Purpose], None]
"""Asks one person for their consent to a purpose, and returns once they have signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays which part, with their footage."""

    donor: Person
    performer: Person
    agree: Mapping[str, Agree]
    donor_footage: Path
    performer_footage: Path
    performance: Path
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came out."""

    purpose: Purpose
    draft: Draft
    released: Released
    findings: Findings
    iterations: int
    training_seconds: float


def tell(
    studio: Studio,
    brief: Brief,
    cast: Cast,
    *,
    minutes: float,
    notice: Speech | None = None,
    progress: Progress = nothing,
    on_training: Callable[[Training], None] = lambda state: None,
) -> Ending:
    """Walk from a brief to a verified release; told again after a stop, it goes on."""
    # 1. Define the purpose: a brief that a rule refuses goes no further.
    purpose = create_project(studio, brief)

    # 2. Obtain consent: each person signs for themselves.
    for person in (cast.donor, cast.performer):
        cast.agree[person.handle](purpose)

    # 3. Gather data: a face that nobody answers for is refused.
    ingest(studio, purpose, cast.donor_footage, [cast.donor], rights=cast.rights, progress=progress)
    ingest(
        studio, purpose, cast.performer_footage, [cast.performer], rights=cast.rights,
        progress=progress,
    )  # fmt: skip
    scene = ingest(
        studio, purpose, cast.performance, [cast.performer], rights=cast.rights, progress=progress
    ).clip

    # 4. Train the model: the desk is asked again while it learns.
    needs = training_needs(cast.donor.id, cast.performer.id)
    model = fit(
        studio,
        purpose,
        cast.donor,
        cast.performer,
        clear_all(studio, purpose, needs),
        ask_again=_asking(studio, purpose, needs),
        name=f"{cast.donor.handle}-for-{cast.performer.handle}",
        seconds=minutes * 60,
        iterations=None,
        on_progress=on_training,
    )

    # 5. Create the video: a draft, which stays in the vault.
    needs = rendering_needs(model, scene)
    draft = render(
        studio,
        purpose,
        model,
        scene,
        clear_all(studio, purpose, needs),
        ask_again=_asking(studio, purpose, needs),
        progress=progress,
    )

    # 6. Implement safeguards: look before it may leave.
    needs = draft.needs(to_release=True)
    released = released_already(studio, draft)
    if released is None:
        asking = _asking(studio, purpose, needs)
        reviewed = review(
            studio, purpose, draft, asking(), ask_again=asking, gate=ContentGate(),
            progress=progress,
        )  # fmt: skip
        if reviewed.approved is None:
            raise SignOffError(f"{reviewed.reviewer or 'a reviewer'} must sign the draft first")

        # 7. Disclose: label, mark, sign, log; then the bytes are checked again.
        video = seal(
            studio, purpose, reviewed.approved, asking(), ask_again=asking, notice=notice,
            progress=progress,
        )  # fmt: skip
        released = release(studio, purpose, video)

    # 8. Monitor and respond: anyone can ask what the file is.
    log = open_log(studio.log_folder, vkey=studio.log_verifier.vkey, key_from=OWN)
    findings = examine(released.path, log, secret=studio.secret_key, progress=progress)
    return Ending(
        purpose=purpose,
        draft=draft,
        released=released,
        findings=findings,
        iterations=model.iterations,
        training_seconds=model.seconds,
    )


def _asking(studio: Studio, purpose: Purpose, needs: tuple[Need, ...]) -> AskAgain:
    return lambda: clear_all(studio, purpose, needs)
