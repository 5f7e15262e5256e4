"""Step 4: train a model: start, watch how it learns, pause and go on; the models that there are."""

from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.pages.jobs import last_failed
from assent.apps.work.acts import Engine
from assent.apps.work.kinds import enqueue
from assent.consent.people import list_people
from assent.kit.errors import InputError, NotFoundError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.store.tables import FaceSetRow, FootageRow
from assent.train.models import list_models

__all__ = ["PAGES"]

_POINTS = 300
_ENOUGH = 100
_UNDER_WAY = (State.WAITING, State.RUNNING, State.PAUSED)


def training_page(visit: Visit) -> Response:
    """Show the models, what is being trained, and offer to train."""
    faces = _faces(visit)
    names = {person.id: person.name for person in list_people(visit.studio)}
    people = [(person, names.get(person, "somebody"), count) for person, count in faces.items()]
    return visit.show(
        "training.html",
        models=list(reversed(list_models(visit.studio, visit.purpose))),
        names=names,
        people=sorted(people, key=lambda each: each[1]),
        few=[name for _, name, count in people if count < _ENOUGH],
        jobs=_jobs(visit),
        failed=last_failed(_queue(visit).list(visit.project.id, kind="train")),
        engines=[each.value for each in Engine],
        state=_state(visit),
    )


def train(visit: Visit) -> Response:
    """Put a training into the queue."""
    try:
        minutes = float(visit.field("minutes"))
    except ValueError as error:
        raise InputError("say for how many minutes", advice="Give a number.") from error
    arguments = {
        "donor": visit.field("donor"),
        "performer": visit.field("performer"),
        "minutes": minutes,
        "engine": visit.field("engine") or Engine.PORTRAIT.value,
    }
    enqueue(visit.studio, "train", visit.project.id, arguments, by=visit.who.account_id)
    return visit.see(f"/p/{visit.project.slug}/training", notice="The training waits to begin.")


def change(visit: Visit) -> Response:
    """Pause, resume or cancel a training."""
    queue = _queue(visit)
    job = queue.get(visit.path("job"))
    visit.must_be_of_project(job.project_id)
    wishes = {"pause": queue.pause, "resume": queue.resume, "cancel": queue.cancel}
    wish = wishes.get(visit.field("wish"))
    if job.kind != "train" or wish is None:
        raise InputError("this can't be done with a training", advice="Pause, resume or cancel it.")
    wish(job.id)
    return visit.see(f"/p/{visit.project.slug}/training")


def state(visit: Visit) -> Response:
    """Tell a script how far everything is."""
    return JSONResponse(_state(visit))


def model_page(visit: Visit) -> Response:
    """Show a model: its preview sheet and how it learned."""
    for row in list_models(visit.studio, visit.purpose):
        if row.id == visit.path("model"):
            names = {person.id: person.name for person in list_people(visit.studio)}
            return visit.show("model.html", model=row, names=names, curve=_thin(row.losses))
    raise NotFoundError("there is no such model", advice="Go back to the models.")


def _state(visit: Visit) -> dict[str, object]:
    return {
        "jobs": [
            {
                "id": job.id,
                "state": job.state.value,
                "message": job.message,
                "share": job.share,
                "left": job.seconds_left,
                "iteration": job.details.get("iteration"),
                "loss": job.details.get("loss"),
            }
            for job in _jobs(visit)
        ],
        "models": [
            {
                "id": row.id,
                "state": row.state,
                "iterations": row.iterations,
                "losses": _thin(row.losses),
                "sheet": row.sheet_blob is not None,
                # Another one for each preview; it tells nothing of the picture.
                "version": (row.sheet_blob or "")[:8],
            }
            for row in list_models(visit.studio, visit.purpose)
        ],
    }


def _jobs(visit: Visit) -> list[Job]:
    return list(_queue(visit).list(visit.project.id, kind="train", states=_UNDER_WAY))


def _queue(visit: Visit) -> Queue:
    return Queue(visit.studio.database, visit.studio.clock)


def _thin(losses: list[float]) -> list[tuple[int, float]]:
    """Return at most 300 of the losses, each with the number of its step."""
    step = max(1, -(-len(losses) // _POINTS))
    return [(n + 1, losses[n]) for n in range(0, len(losses), step)]


def _faces(visit: Visit) -> dict[str, int]:
    """Return how many faces of whom there are to learn from."""
    found: dict[str, int] = {}
    with visit.studio.database.session() as session:
        rows = session.execute(
            select(FaceSetRow.person_id, FaceSetRow.faces)
            .join(FootageRow, FootageRow.id == FaceSetRow.footage_id)
            .where(FootageRow.project_id == visit.project.id)
        )
        for person, count in rows:
            found[person] = found.get(person, 0) + count
    return found


PAGES = (
    get("/p/{project}/training", training_page, Action.READ_MODELS),
    post("/p/{project}/training", train, Action.TRAIN),
    get("/p/{project}/training/state", state, Action.READ_MODELS, shows=False),
    post("/p/{project}/training/{job}/wish", change, Action.TRAIN),
    get("/p/{project}/models/{model}", model_page, Action.READ_MODELS),
)
