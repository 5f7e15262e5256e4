"""Every kind of job: what it is asked with, what it does, what it needs for itself.

A new kind is an entry in `KINDS`. What it does is a function of its `Work` and of its arguments,
which have been checked; it returns ids and figures. A job carries ids: it finds the project anew
and asks the desk when it runs, and again while it does.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assent.apps.hooks.deliver import TELLING, deliver
from assent.apps.work import acts
from assent.apps.work.acts import Desk, Engine
from assent.apps.work.uploads import Upload, Uploads
from assent.consent.people import Person, find_person, person_by_id
from assent.data.ingest import Bystanders
from assent.disclose.forms import Form
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.hashing import chunks_of
from assent.kit.imaging.colour import Colour
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Queue
from assent.kit.progress import Progress
from assent.kit.store.studio import Studio
from assent.purpose.projects import find_project
from assent.verify.apart import Examiner, Lookup
from assent.verify.public import OWN
from assent.verify.result import result_of

__all__ = ["KINDS", "Arguments", "Kind", "Work", "enqueue", "kind_of"]

HEAVY, GPU = "cpu-heavy", "gpu"


class Arguments(BaseModel):
    """What a kind of job is asked with; nothing else is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job that is being done.

    `progress` raises `StoppedError` once it is to stop. Work that can keep what it has is told so
    by `stop` instead, and tells of itself by `tell`.
    """

    studio: Studio
    job: Job
    progress: Progress
    tell: Progress
    stop: Callable[[], bool]
    details: Callable[[dict[str, Any]], None]

    def desk(self, *, stops_itself: bool = False) -> Desk:
        """Return where its project's work is done; raises as `find_project`."""
        if self.job.project_id is None:
            raise InputError(f"a {self.job.kind} job belongs to a project")
        return Desk(
            studio=self.studio,
            purpose=find_project(self.studio, self.job.project_id),
            progress=self.tell if stops_itself else self.progress,
            stop=self.stop,
            details=self.details,
        )

    def person(self, id_or_handle: str) -> Person:
        """Return a person by id or handle; raises `NotFoundError`."""
        try:
            return person_by_id(self.studio, id_or_handle)
        except NotFoundError:
            return find_person(self.studio, id_or_handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job.

    Attributes:
        arguments: what it is asked with.
        does: does it and returns the result.
        title: what it is called on pages.
        devices: kinds of devices, by its arguments, of which it takes a slot: the first that the
            machine has at all. None: it is light enough to run beside anything.
        alone: what no other job may work on meanwhile, by its arguments.
        resumes: whether it goes on where it was paused; else it begins anew.
        stages: names of its stages as `progress` tells them, with the share of the time each takes.
        whole: it is done without a project as well.
    """

    arguments: type[Arguments]
    does: Callable[[Work, Any], Mapping[str, Any]]
    title: str
    devices: Callable[[Any], tuple[str, ...]] = lambda arguments: (HEAVY,)
    alone: Callable[[Any], str | None] = lambda arguments: None
    resumes: bool = False
    stages: tuple[tuple[str, float], ...] = ()
    whole: bool = False


Short = Annotated[str, Field(min_length=1, max_length=200)]


class IngestArguments(Arguments):
    """Take in an upload; `people` are ids or handles of all who are in it."""

    upload: Short
    people: Annotated[list[Short], Field(min_length=1, max_length=50)]
    rights: Annotated[str, Field(min_length=3, max_length=500)]
    bystanders: Bystanders = Bystanders.REFUSE


class TrainArguments(Arguments):
    """Train a model; donor and performer are ids or handles."""

    donor: Short
    performer: Short
    name: Short | None = None
    minutes: Annotated[float, Field(gt=0, le=10_080)] | None = None
    iterations: Annotated[int, Field(gt=0, le=100_000_000)] | None = None
    engine: Engine = Engine.PORTRAIT


class RenderArguments(Arguments):
    """Render footage (id or name) with a model (id or name)."""

    footage: Short
    model: Short
    colour: Colour = Colour.TOUCH


class DraftArguments(Arguments):
    """A draft, by the beginning of its id."""

    draft: Short


class SheetArguments(Arguments):
    """Seal a sheet of a draft or of a model."""

    draft: Short | None = None
    model: Short | None = None
    worst: bool = False

    @model_validator(mode="after")
    def _one(self) -> "SheetArguments":
        if (self.draft is None) == (self.model is None):
            raise ValueError("name a draft or a model")
        return self


class ReleaseArguments(DraftArguments):
    """Seal and release a draft."""

    spoken_notice: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    tsa: Annotated[str, Field(pattern=r"^https?://", max_length=500)] | None = None


class ExportArguments(DraftArguments):
    """Make another form of a draft's release; `at` is a still's second."""

    form: Form
    at: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class VerifyArguments(Arguments):
    """Say what an upload is; it is discarded afterwards."""

    upload: Short


def _ingest(work: Work, wanted: IngestArguments) -> Mapping[str, Any]:
    uploads, desk = Uploads(work.studio), work.desk()
    _upload_of(work.studio, wanted.upload, work.job.project_id)
    file = uploads.file(wanted.upload)
    uploads.keep(wanted.upload)
    file.check(work.progress)
    people = [work.person(each) for each in dict.fromkeys(wanted.people)]
    try:
        taken = acts.take_in(desk, file, people, rights=wanted.rights, bystanders=wanted.bystanders)
    except NotClearedError:
        # Nobody may keep a film of somebody who doesn't agree, not even for a day.
        uploads.discard(wanted.upload)
        raise
    uploads.discard(wanted.upload)
    return taken


def _train(work: Work, wanted: TrainArguments) -> Mapping[str, Any]:
    return acts.train_model(
        work.desk(stops_itself=True),
        work.person(wanted.donor),
        work.person(wanted.performer),
        name=wanted.name,
        minutes=wanted.minutes,
        iterations=wanted.iterations,
        engine=wanted.engine,
    )


def _render(work: Work, wanted: RenderArguments) -> Mapping[str, Any]:
    told, _ = acts.render_draft(work.desk(), wanted.footage, wanted.model, colour=wanted.colour)
    return told


def _review(work: Work, wanted: DraftArguments) -> Mapping[str, Any]:
    return acts.review_draft(work.desk(), wanted.draft)


def _sheet(work: Work, wanted: SheetArguments) -> Mapping[str, Any]:
    return acts.make_sheet(work.desk(), draft=wanted.draft, model=wanted.model, worst=wanted.worst)


def _release(work: Work, wanted: ReleaseArguments) -> Mapping[str, Any]:
    return acts.release_draft(
        work.desk(), wanted.draft, spoken_notice=wanted.spoken_notice, tsa=wanted.tsa
    )


def _export(work: Work, wanted: ExportArguments) -> Mapping[str, Any]:
    return acts.export_form(work.desk(), wanted.draft, wanted.form, at=wanted.at)


def _verify(work: Work, wanted: VerifyArguments) -> Mapping[str, Any]:
    """Examine an upload in a process apart, from a file that has no name and vanishes with us."""
    uploads, studio = Uploads(work.studio), work.studio
    upload = _upload_of(studio, wanted.upload, work.job.project_id)
    lookup = Lookup(
        log=str(studio.log_folder),
        vkey=studio.log_verifier.vkey,
        key_from=OWN,
        secret=studio.secret_key.value.hex(),
    )
    with (
        studio.disk.scratch(uploads.folder) as plain,
        uploads.file(wanted.upload).open() as file,
        Examiner(lookup) as examiner,
    ):
        for chunk in chunks_of(file):
            studio.disk.write(plain, chunk)
        path = Path(f"/proc/{os.getpid()}/fd/{plain.fileno()}")
        found = examiner.examine(path, name=upload.name, progress=work.progress)
    uploads.discard(wanted.upload)
    return result_of(found, now=studio.clock())


class NoArguments(Arguments):
    """Nothing has to be said."""


def _tell_webhooks(work: Work, wanted: NoArguments) -> Mapping[str, Any]:
    return deliver(work.studio)


def _light(wanted: Arguments) -> tuple[str, ...]:
    return ()


KINDS: Mapping[str, Kind] = {
    "ingest": Kind(
        arguments=IngestArguments,
        does=_ingest,
        title="Take in footage",
        alone=lambda wanted: f"upload:{wanted.upload}",
        stages=(("checking what was sent", 1), ("looking for faces", 9), ("hiding", 4)),
    ),
    "train": Kind(
        arguments=TrainArguments,
        does=_train,
        title="Train a model",
        devices=lambda wanted: (GPU, HEAVY) if wanted.engine is Engine.AUTOENCODER else (HEAVY,),
        alone=lambda wanted: f"model:{wanted.name or (wanted.donor, wanted.performer)}",
        resumes=True,
    ),
    "render": Kind(
        arguments=RenderArguments,
        does=_render,
        title="Render",
        alone=lambda wanted: f"render:{wanted.footage}:{wanted.model}:{wanted.colour.value}",
        resumes=True,
    ),
    "review": Kind(
        arguments=DraftArguments,
        does=_review,
        title="Look through a draft",
        alone=lambda wanted: f"draft:{wanted.draft}",
    ),
    "sheet": Kind(arguments=SheetArguments, does=_sheet, title="Make a sheet", devices=_light),
    "release": Kind(
        arguments=ReleaseArguments,
        does=_release,
        title="Seal and release",
        alone=lambda wanted: f"draft:{wanted.draft}",
        stages=(("labelling", 20), ("signing", 1)),
    ),
    "export": Kind(
        arguments=ExportArguments,
        does=_export,
        title="Export",
        devices=_light,
        alone=lambda wanted: f"draft:{wanted.draft}",
    ),
    "verify": Kind(
        arguments=VerifyArguments,
        does=_verify,
        title="Verify a file",
        alone=lambda wanted: f"upload:{wanted.upload}",
        whole=True,
    ),
    TELLING: Kind(
        arguments=NoArguments,
        does=_tell_webhooks,
        title="Tell other programs",
        devices=_light,
        alone=lambda wanted: TELLING,
        whole=True,
    ),
}


def kind_of(job: Job) -> tuple[Kind, Arguments]:
    """Return a job's kind and its arguments, checked; raises `InputError`."""
    kind = KINDS.get(job.kind)
    if kind is None:
        raise InputError(f"there is no kind of job '{job.kind}'", advice="Update Assent.")
    return kind, _checked(kind, job.arguments)


def enqueue(
    studio: Studio,
    kind: str,
    project_id: str | None,
    arguments: Mapping[str, Any],
    by: str | None = None,
    *,
    key: str | None = None,
    priority: int = 0,
) -> Job:
    """Put a job into the queue once its arguments were checked; see `Queue.put`.

    Raises `InputError` that names what is wrong, `NotFoundError` for an upload that isn't there.
    """
    known = KINDS.get(kind)
    if known is None:
        raise InputError(f"there is no kind of job '{kind}'", advice=f"Kinds: {', '.join(KINDS)}.")
    if project_id is None and not known.whole:
        raise InputError(f"a {kind} job belongs to a project", advice="Name the project.")
    checked = _checked(known, arguments)
    upload = getattr(checked, "upload", None)
    if upload is not None and not _upload_of(studio, upload, project_id).complete:
        raise InputError("this upload isn't complete", advice="Send the rest of it first.")
    return Queue(studio.database, studio.clock).put(
        kind,
        project_id,
        checked.model_dump(mode="json", exclude_none=True),
        by,
        key=key,
        priority=priority,
    )


def _upload_of(studio: Studio, upload_id: str, project_id: str | None) -> Upload:
    """Return an upload; raises `NotFoundError` for one of another project."""
    upload = Uploads(studio).find(upload_id)
    if upload.project_id not in (None, project_id):
        raise NotFoundError("there is no such upload in this project", advice="Send the file anew.")
    return upload


def _checked(kind: Kind, arguments: Mapping[str, Any]) -> Arguments:
    try:
        return kind.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise InputError(
            f"this job can't be asked for so: {wrong}", advice="Correct it."
        ) from error
