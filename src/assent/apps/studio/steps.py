"""The path of eight steps of a project: what is done, what is missing, and who must do it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from assent.apps.studio.wording import write_count
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DoubtRow,
    DraftRow,
    FootageRow,
    InvitationRow,
    ModelRow,
    ReleaseRow,
    ReviewRow,
    SightingRow,
    SignOffRow,
)
from assent.purpose.library import packs_of
from assent.purpose.projects import Project
from assent.purpose.rules import Decision, decide

__all__ = ["State", "Step", "steps_of"]

State = Literal["done", "now", "later"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a project."""

    number: int
    name: str
    path: str | None
    """Of its page, as in the table of pages; None if there is none."""
    href: str
    """Of its page, for this project."""
    state: State
    done: str
    """What there is already."""
    missing: str
    """What is needed next, or nothing."""
    who: str
    """Who must do that."""

    def without_page(self) -> "Step":
        """Return the same for a studio that has no page of it."""
        return replace(self, path=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a step's look at the database found."""

    complete: bool
    done: str
    missing: str = ""
    who: str = ""


_STEPS = (
    ("Purpose", "brief"),
    ("Consent", "people"),
    ("Footage", "footage"),
    ("Model", "training"),
    ("Video", "drafts"),
    ("Review", "review"),
    ("Release", "release"),
    ("Afterwards", "after"),
)


def steps_of(studio: Studio, project: Project) -> tuple[Step, ...]:
    """Return the eight steps of a project as they are now."""
    decision = decide(project.brief, packs_of(studio), day=studio.clock().date())
    with studio.database.session() as session:
        found = list(_look(session, project, decision))
    first = next((at for at, each in enumerate(found) if not each.complete), len(found))
    return tuple(
        Step(
            number=number,
            name=name,
            path=f"/p/{{project}}/{page}",
            href=f"/p/{project.slug}/{page}",
            state="done" if each.complete else "now" if number - 1 == first else "later",
            done=each.done,
            missing=each.missing,
            who=each.who,
        )
        for number, ((name, page), each) in enumerate(zip(_STEPS, found, strict=True), start=1)
    )


def _look(session: Session, project: Project, decision: Decision) -> Iterator[_Found]:
    yield _purpose(project, decision)
    yield _consents(session, project.id)
    yield _footage(session, project.id)
    yield _models(session, project.id)
    yield _drafts(session, project.id)
    yield _reviews(session, project, decision)
    yield _releases(session, project.id)
    yield _afterwards(session, project.id)


def _purpose(project: Project, decision: Decision) -> _Found:
    if decision.refusal is not None:
        return _Found(
            complete=False, done="", missing="A rule of today refuses this work.", who="Nobody"
        )
    done = f"The brief is written. Risk: {decision.level.name}."
    brief, level = project.brief, decision.level
    if (level.sign_off and not brief.reviewer) or (
        level.second_reviewer and not brief.second_reviewer
    ):
        missing = "The risk asks for a reviewer, and the brief names none."
        return _Found(complete=False, done=done, missing=missing, who="The producer, anew")
    return _Found(complete=True, done=done)


def _consents(session: Session, project_id: str) -> _Found:
    live = _count(session, ConsentRow.project_id == project_id, ConsentRow.state == "live")
    waiting = _count(session, ConsentRow.project_id == project_id, ConsentRow.state == "waiting")
    asked = _count(session, InvitationRow.project_id == project_id, InvitationRow.state == "open")
    done = f"{write_count(live, 'person', 'people')} agreed." if live else ""
    if waiting:
        missing, who = f"{write_count(waiting, 'recording')} must be looked at.", "A reviewer"
    elif asked and live < 2:
        missing, who = f"{write_count(asked, 'link')} not answered yet.", "Who was asked"
    elif live < 2:
        missing, who = "Ask who lends a face, and who performs.", "The producer"
    else:
        missing, who = "", ""
    return _Found(complete=live >= 2 and not waiting, done=done, missing=missing, who=who)


def _footage(session: Session, project_id: str) -> _Found:
    clips = _count(session, FootageRow.project_id == project_id)
    doubts = _count(session, DoubtRow.project_id == project_id, DoubtRow.state == "waiting")
    done = f"{write_count(clips, 'clip')} in the vault." if clips else ""
    if doubts:
        missing = f"{write_count(doubts, 'clip')} with a face to be looked at."
        return _Found(complete=False, done=done, missing=missing, who="A reviewer")
    if not clips:
        return _Found(complete=False, done="", missing="Add footage.", who="The producer")
    return _Found(complete=True, done=done)


def _models(session: Session, project_id: str) -> _Found:
    ready = _count(session, ModelRow.project_id == project_id, ModelRow.state == "ready")
    if ready:
        return _Found(complete=True, done=f"{write_count(ready, 'model')} ready.")
    begun = _count(session, ModelRow.project_id == project_id)
    missing = "Training has begun." if begun else "Train a model of the face."
    return _Found(complete=False, done="", missing=missing, who="The producer")


def _drafts(session: Session, project_id: str) -> _Found:
    complete = _count(session, DraftRow.project_id == project_id, DraftRow.state == "complete")
    if complete:
        return _Found(complete=True, done=f"{write_count(complete, 'draft')} rendered.")
    return _Found(complete=False, done="", missing="Render a scene.", who="The producer")


def _reviews(session: Session, project: Project, decision: Decision) -> _Found:
    looked = session.scalars(
        select(ReviewRow.draft_id)
        .join(DraftRow, DraftRow.id == ReviewRow.draft_id)
        .where(DraftRow.project_id == project.id)
    ).all()
    if not looked:
        missing = "The content gate looks at a draft."
        return _Found(complete=False, done="", missing=missing, who="The producer")
    done = f"{write_count(len(looked), 'draft')} looked at."
    needed = int(decision.level.sign_off) + int(decision.level.second_reviewer)
    signed = session.execute(
        select(SignOffRow.draft_id, func.count())
        .where(SignOffRow.draft_id.in_(looked))
        .group_by(SignOffRow.draft_id)
    )
    most = max((count for _, count in signed), default=0)
    if most < needed:
        who = project.brief.second_reviewer if most else project.brief.reviewer
        return _Found(
            complete=False, done=done, missing="A signature is missing.", who=who or "A reviewer"
        )
    return _Found(complete=True, done=done)


def _releases(session: Session, project_id: str) -> _Found:
    out = session.scalar(
        select(func.count())
        .select_from(ReleaseRow)
        .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
        .where(DraftRow.project_id == project_id, ReleaseRow.state == "released")
    )
    if out:
        return _Found(complete=True, done=f"{write_count(out, 'release')} out.")
    missing = "Seal the approved draft."
    return _Found(complete=False, done="", missing=missing, who="The producer")


def _afterwards(session: Session, project_id: str) -> _Found:
    ours = (
        select(ReleaseRow.asset_id)
        .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
        .where(DraftRow.project_id == project_id, ReleaseRow.state == "released")
    )
    if session.scalar(ours.limit(1)) is None:
        return _Found(complete=False, done="", missing="Nothing is out yet.")
    seen = _count(session, SightingRow.asset_id.in_(ours))
    done = f"{write_count(seen, 'copy', 'copies')} seen elsewhere."
    return _Found(complete=True, done=done)


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
