"""Models and drafts: asked for as jobs, told with what they are made of; no picture leaves."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, get, post
from assent.apps.api.paging import Cursor, Limit, paged
from assent.apps.api.resources.jobs import JobTold, started
from assent.apps.api.shapes import Handle, Id, Received, Told, example
from assent.consent.people import find_person, handles_of
from assent.create.draft import list_drafts
from assent.data.clips import find_clip
from assent.kit.errors import NotFoundError
from assent.kit.imaging.colour import Colour
from assent.kit.imaging.label import Corner
from assent.kit.store.tables import DraftRow, ModelRow
from assent.train.models import find_model, list_models

__all__ = ["OPERATIONS", "draft_row"]

ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class Engine(StrEnum):
    """How a face is made: looked up in the donor's pictures, or painted by a network."""

    PORTRAIT = "portrait"
    AUTOENCODER = "autoencoder"


class NewModel(Received):
    """A model of one person's face for another's performances; again, it is trained on."""

    model_config = example(donor="ben", performer="ada", minutes=3.0)
    donor: Handle
    performer: Handle
    name: ModelName | None = None
    minutes: float | None = Field(default=None, gt=0, le=60 * 24 * 30, strict=True)
    iterations: int | None = Field(default=None, ge=1, le=10**9, strict=True)
    engine: Engine = Engine.PORTRAIT


class ModelTold(Told):
    """A face model; `loss` is the last one of its training."""

    id: str
    name: str
    donor: str
    performer: str
    state: str
    iterations: int
    seconds: float
    loss: float | None
    created: str


class Models(Told):
    """A page of models, oldest first."""

    items: list[ModelTold]
    next: str | None


class NewDraft(Received):
    """A render to be made: a model's face onto a clip."""

    model_config = example(model="ben-for-ada", footage="scene1_ada.mp4", colour="touch")
    model: ModelName
    footage: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    colour: Colour = Colour.TOUCH


class DraftTold(Told):
    """A rendered video that may not leave yet."""

    id: str
    model: str
    footage: str
    state: str
    frames: int
    replaced: int
    label: Corner
    created: str


class Drafts(Told):
    """A page of drafts, oldest first."""

    items: list[DraftTold]
    next: str | None


def add_model(call: Asked, project: str, new: NewModel) -> JobTold:
    """Train a model of the donor's face for the performer's performances."""
    arguments = {
        "donor": find_person(call.studio, new.donor).id,
        "performer": find_person(call.studio, new.performer).id,
        "name": new.name,
        "minutes": new.minutes,
        "iterations": new.iterations,
        "engine": new.engine.value,
    }
    return started(call, "train", arguments, project_id=call.of.id)


def list_all_models(call: Asked, project: str, cursor: Cursor = None, limit: Limit = 50) -> Models:
    """The models of a project, oldest first."""
    rows = list_models(call.studio, call.purpose)
    page, more = paged(rows, lambda row: row.id, kind="models", cursor=cursor, limit=limit)
    return Models(items=_models(call, page), next=more)


def show_model(call: Asked, project: str, model: str) -> ModelTold:
    """A model, by its id or its name."""
    found = [row for row in list_models(call.studio, call.purpose) if model in (row.id, row.name)]
    if not found:
        raise NotFoundError(f"no model '{model}' in '{call.of.slug}'")
    return _models(call, found)[0]


def add_draft(call: Asked, project: str, new: NewDraft) -> JobTold:
    """Put a model's face onto a clip; the draft stays encrypted in the vault."""
    purpose = call.purpose
    arguments = {
        "model": find_model(call.studio, purpose, new.model).id,
        "footage": find_clip(call.studio, purpose, new.footage).id,
        "colour": new.colour.value,
    }
    return started(call, "render", arguments, project_id=call.of.id)


def list_all_drafts(call: Asked, project: str, cursor: Cursor = None, limit: Limit = 50) -> Drafts:
    """The drafts of a project, oldest first."""
    rows = list_drafts(call.studio, call.purpose)
    page, more = paged(rows, lambda row: row.id, kind="drafts", cursor=cursor, limit=limit)
    return Drafts(items=[_draft(row) for row in page], next=more)


def show_draft(call: Asked, project: str, draft: Id) -> DraftTold:
    """A draft: of which clip, how long, how far."""
    return _draft(draft_row(call, draft))


def draft_row(call: Call, draft_id: str) -> DraftRow:
    """Return a draft of the path's project; raises `NotFoundError` for any other."""
    for row in list_drafts(call.studio, call.purpose):
        if row.id == draft_id:
            return row
    raise NotFoundError(f"no draft '{draft_id}' in '{call.of.slug}'")


def _models(call: Call, rows: list[ModelRow]) -> list[ModelTold]:
    people = {each for row in rows for each in (row.donor_id, row.performer_id)}
    handles = handles_of(call.studio, people)
    return [
        ModelTold(
            id=row.id,
            name=row.name,
            donor=handles[row.donor_id],
            performer=handles[row.performer_id],
            state=row.state,
            iterations=row.iterations,
            seconds=round(row.seconds, 1),
            loss=row.losses[-1] if row.losses else None,
            created=row.created,
        )
        for row in rows
    ]


def _draft(row: DraftRow) -> DraftTold:
    return DraftTold(
        id=row.id,
        model=row.model_id,
        footage=row.footage_id,
        state=row.state,
        frames=row.frames,
        replaced=row.replaced,
        label=Corner(row.label),
        created=row.created,
    )


_P = "/projects/{project}"
OPERATIONS = (
    get(f"{_P}/models", list_all_models, Action.READ_MODELS, tags=["models"]),
    post(f"{_P}/models", add_model, Action.TRAIN, status=202, tags=["models"]),
    get(f"{_P}/models/{{model}}", show_model, Action.READ_MODELS, tags=["models"]),
    get(f"{_P}/drafts", list_all_drafts, Action.READ_DRAFTS, tags=["drafts"]),
    post(f"{_P}/drafts", add_draft, Action.RENDER, status=202, tags=["drafts"]),
    get(f"{_P}/drafts/{{draft}}", show_draft, Action.READ_DRAFTS, tags=["drafts"]),
)
