"""Footage: uploaded piece by piece, then taken in by a job that makes sure of every face."""

from typing import Annotated

from fastapi import Header, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, delete, get, patch, post
from assent.apps.api.guard import BYTES
from assent.apps.api.paging import Cursor, Limit, paged
from assent.apps.api.problems import TypeOfBodyError
from assent.apps.api.resources.jobs import JobTold, started
from assent.apps.api.shapes import Handle, Id, Received, Told, Words, example
from assent.apps.work.uploads import Upload, Uploads
from assent.consent.people import find_person, handles_of
from assent.data.clips import ClearedClip, list_clips
from assent.data.ingest import Bystanders
from assent.kit.errors import NotFoundError

__all__ = ["OPERATIONS"]

FileName = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]{1,120}$")]


class NewUpload(Received):
    """A file to come: its name and size, and its SHA-256 if that is to be checked at the end."""

    model_config = example(name="scene1_ada.mp4", size=1382144)
    name: FileName
    size: int = Field(ge=1, le=1 << 40, strict=True)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class UploadTold(Told):
    """A file on its way: `offset` bytes are there and safe, so go on with the next."""

    id: str
    name: str
    size: int
    offset: int
    complete: bool
    expires: str


class UploadsTold(Told):
    """The uploads of a project that aren't used up."""

    items: list[UploadTold]


class NewFootage(Received):
    """A clip to be taken in: everybody in it is named, and on what rights it is used."""

    model_config = example(
        upload="7f3c9e5a2b1d4c6f8a0b1c2d3e4f5a6b",
        people=["ada"],
        rights="contract of 1 November",
        bystanders="refuse",
    )
    upload: Id
    people: list[Handle] = Field(min_length=1, max_length=50)
    rights: Words
    bystanders: Bystanders = Bystanders.REFUSE


class ClipTold(Told):
    """A clip in the vault, whose every face is accounted for."""

    id: str
    name: str
    sha256: str
    people: list[str]
    frames: int
    sound: bool
    hidden: int


class Clips(Told):
    """A page of clips, oldest first."""

    items: list[ClipTold]
    next: str | None


def begin_upload(call: Asked, project: str, new: NewUpload, response: Response) -> UploadTold:
    """Begin to send a file; its pieces go to the address in `Location`, with PATCH."""
    upload = Uploads(call.studio).create(
        new.name,
        size=new.size,
        project_id=call.of.id,
        account=call.who.account_id,
        sha256=new.sha256,
    )
    response.headers["Location"] = f"/api/v1/projects/{call.of.slug}/uploads/{upload.id}"
    return _upload(upload)


def list_uploads(call: Asked, project: str) -> UploadsTold:
    """The files that are on their way, or there and not used yet."""
    found = Uploads(call.studio).list(call.of.id)
    return UploadsTold(items=[_upload(each) for each in found])


def show_upload(call: Asked, project: str, upload: str) -> UploadTold:
    """How far a file has come: where to go on after a cut."""
    return _upload(_find(call, upload))


Offset = Annotated[
    str,
    Header(
        alias="Upload-Offset",
        pattern=r"^[0-9]{1,15}$",
        description="Where the piece belongs: the offset that the upload has.",
    ),
]


async def send_piece(
    call: Asked, project: str, upload: str, request: Request, offset: Offset
) -> UploadTold:
    """Send the next piece, up to 64 MiB as application/octet-stream, at the offset that it has.

    After a cut, ask how far it came and go on from there.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != BYTES:
        raise TypeOfBodyError("a piece is sent as application/octet-stream")
    found = await run_in_threadpool(_find, call, upload)
    receiving = Uploads(call.studio).receive(found.id, offset=int(offset))
    async with contextmanager_in_threadpool(receiving) as receiver:
        async for data in request.stream():
            await run_in_threadpool(receiver.write, data)
    return _upload(await run_in_threadpool(_find, call, upload))


def drop_upload(call: Asked, project: str, upload: str) -> None:
    """Throw a file away that isn't used yet."""
    Uploads(call.studio).discard(_find(call, upload).id)


def add_footage(call: Asked, project: str, new: NewFootage) -> JobTold:
    """Take an uploaded clip in: find every face, make sure of each, encrypt it into the vault."""
    people = [find_person(call.studio, handle).id for handle in dict.fromkeys(new.people)]
    upload = _find(call, new.upload)
    arguments = {
        "upload": upload.id,
        "people": people,
        "rights": new.rights,
        "bystanders": new.bystanders.value,
    }
    return started(call, "ingest", arguments, project_id=call.of.id)


def list_footage(call: Asked, project: str, cursor: Cursor = None, limit: Limit = 50) -> Clips:
    """The clips of a project, oldest first."""
    clips = list_clips(call.studio, call.purpose)
    page, more = paged(clips, lambda c: c.id, kind="footage", cursor=cursor, limit=limit)
    return Clips(items=_clips(call, page), next=more)


def show_clip(call: Asked, project: str, clip: str) -> ClipTold:
    """A clip: who is in it, and how long."""
    found = [each for each in list_clips(call.studio, call.purpose) if each.id == clip]
    if not found:
        raise NotFoundError(f"no footage '{clip}' in '{call.of.slug}'")
    return _clips(call, found)[0]


def _find(call: Call, upload_id: str) -> Upload:
    """Return an upload of the path's project; raises `NotFoundError` for any other."""
    upload = Uploads(call.studio).find(upload_id)
    if upload.project_id != call.of.id:
        raise NotFoundError(f"there is no upload '{upload_id}'")
    return upload


def _upload(upload: Upload) -> UploadTold:
    return UploadTold(
        id=upload.id,
        name=upload.name,
        size=upload.size,
        offset=upload.offset,
        complete=upload.complete,
        expires=upload.expires,
    )


def _clips(call: Call, clips: list[ClearedClip]) -> list[ClipTold]:
    handles = handles_of(call.studio, {person for clip in clips for person in clip.people})
    return [
        ClipTold(
            id=clip.id,
            name=clip.name,
            sha256=clip.sha256,
            people=[handles[each] for each in clip.people],
            frames=clip.frames,
            sound=clip.sound,
            hidden=clip.hidden,
        )
        for clip in clips
    ]


_P = "/projects/{project}"
_PIECE = {
    "requestBody": {
        "required": True,
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    }
}
OPERATIONS = (
    get(f"{_P}/uploads", list_uploads, Action.CHANGE_FOOTAGE, tags=["footage"]),
    post(f"{_P}/uploads", begin_upload, Action.CHANGE_FOOTAGE, tags=["footage"]),
    get(f"{_P}/uploads/{{upload}}", show_upload, Action.CHANGE_FOOTAGE, tags=["footage"]),
    patch(
        f"{_P}/uploads/{{upload}}",
        send_piece,
        Action.CHANGE_FOOTAGE,
        tags=["footage"],
        openapi_extra=_PIECE,
    ),
    delete(f"{_P}/uploads/{{upload}}", drop_upload, Action.CHANGE_FOOTAGE, tags=["footage"]),
    get(f"{_P}/footage", list_footage, Action.READ_FOOTAGE, tags=["footage"]),
    post(f"{_P}/footage", add_footage, Action.CHANGE_FOOTAGE, status=202, tags=["footage"]),
    get(f"{_P}/footage/{{clip}}", show_clip, Action.READ_FOOTAGE, tags=["footage"]),
)
