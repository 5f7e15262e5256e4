"""Releases: made by a job, and downloaded through the door that verifies their bytes again."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, BinaryIO

from fastapi import Path, Request, Response
from pydantic import Field
from sqlalchemy import select
from starlette.responses import StreamingResponse

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, get, post
from assent.apps.api.paging import Cursor, Limit, page_of
from assent.apps.api.resources.jobs import JobTold, started
from assent.apps.api.resources.making import draft_row
from assent.apps.api.shapes import Id, Received, Told, example
from assent.consent.desk import clear_all
from assent.create.draft import load
from assent.disclose.forms import Form
from assent.disclose.hand_out import check_handed_out
from assent.disclose.reopen import reopen
from assent.disclose.sealed import SealedVideo
from assent.kit.errors import NotFoundError
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.monitor.releases import list_releases

__all__ = ["OPERATIONS"]

AssetId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{1,15})?", re.ASCII)
_CHUNK = 1 << 18


class Tongue(StrEnum):
    """Languages of the spoken notice."""

    EN = "en"
    DE = "de"
    ES = "es"
    FR = "fr"


class NewRelease(Received):
    """How a draft is to be released; without a language no notice is spoken."""

    model_config = example(spoken_notice="en")
    spoken_notice: Tongue | None = None


class NewForm(Received):
    """Another form of a release: a still at a second, its sound, another container."""

    model_config = example(form="jpeg", at=1.5)
    form: Form
    at: float = Field(default=0.0, ge=0, le=1e6)


class ReleaseTold(Told):
    """A sealed video: labelled, watermarked, signed, logged."""

    id: str
    draft: str
    file: str
    sha256: str
    fingerprint: str
    log_index: int
    created: str
    consent_withdrawn: bool


class Releases(Told):
    """A page of releases, oldest first."""

    items: list[ReleaseTold]
    next: str | None


def add_release(call: Asked, project: str, draft: Id, new: NewRelease) -> JobTold:
    """Label, watermark, sign and log a reviewed draft; the finished bytes are checked again."""
    row = draft_row(call, draft)
    spoken = None if new.spoken_notice is None else new.spoken_notice.value
    arguments = {"draft": row.id, "spoken_notice": spoken}
    return started(call, "release", arguments, project_id=call.of.id)


def add_form(call: Asked, project: str, draft: Id, new: NewForm) -> JobTold:
    """Make another form of a draft's release, signed with the release as its ingredient."""
    row = draft_row(call, draft)
    arguments = {"draft": row.id, "form": new.form.value, "at": new.at}
    return started(call, "export", arguments, project_id=call.of.id)


def list_all_releases(
    call: Asked, project: str, cursor: Cursor = None, limit: Limit = 50
) -> Releases:
    """The releases of a project, and whether everyone in them still agrees."""
    order = (ReleaseRow.created, ReleaseRow.asset_id)
    rows, more = page_of(
        call.studio.database, _of(call), order, kind="releases", cursor=cursor, limit=limit
    )
    return Releases(items=_told(call, rows), next=more)


def show_release(call: Asked, project: str, release: AssetId) -> ReleaseTold:
    """A release: its hash, its fingerprint, its place in the log."""
    return _told(call, [_row(call, release)])[0]


def download(call: Asked, project: str, release: AssetId, request: Request) -> Response:
    """The sealed file, verified before the first byte leaves.

    Not once somebody has withdrawn, nor while the release is suspended or revoked.

    A range of bytes may be asked for, so that a download goes on after a cut.
    """
    row = _row(call, release)
    check_handed_out(call.studio, row.asset_id)
    purpose = call.purpose
    clear_all(call.studio, purpose, load(call.studio, draft_row(call, row.draft_id)).needs(
        to_release=False
    ))  # fmt: skip
    return _streamed(reopen(call.studio, row.asset_id), str(row.name), request)


def show_proof(call: Asked, project: str, release: AssetId) -> Response:
    """The proof that the log holds the release (c2sp.org/tlog-proof), to be kept beside it."""
    video = reopen(call.studio, _row(call, release).asset_id)
    video.media.close()
    return Response(video.receipt.encode(), media_type="text/plain; charset=utf-8")


def _of(call: Call) -> Any:  # noqa: ANN401 - a select
    return (
        select(ReleaseRow)
        .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
        .where(DraftRow.project_id == call.of.id, ReleaseRow.state == "released")
    )


def _row(call: Call, asset_id: str) -> ReleaseRow:
    """Return a release of the path's project; raises `NotFoundError` for any other."""
    with call.studio.database.session() as session:
        row: ReleaseRow | None = session.scalar(_of(call).where(ReleaseRow.asset_id == asset_id))
    if row is None:
        raise NotFoundError(f"no release '{asset_id}' in '{call.of.slug}'")
    return row


def _told(call: Call, rows: list[ReleaseRow]) -> list[ReleaseTold]:
    withdrawn = {each.asset_id: each.withdrawn for each in list_releases(call.studio)}
    return [
        ReleaseTold(
            id=row.asset_id,
            draft=row.draft_id,
            file=str(row.name),
            sha256=str(row.sha256),
            fingerprint=str(row.fingerprint),
            log_index=int(row.log_index or 0),
            created=row.created,
            consent_withdrawn=withdrawn[row.asset_id],
        )
        for row in rows
    ]


def _streamed(video: SealedVideo, name: str, request: Request) -> Response:
    """Return the bytes of a sealed video, or the range that is asked for."""
    size = video.media.seek(0, 2)
    tag = f'"{video.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
        "ETag": tag,
    }
    if request.headers.get("if-none-match") == tag:
        video.media.close()
        return Response(None, 304, {"ETag": tag})
    first, last, partial = _span(request, size, tag)
    if first > last:
        video.media.close()
        return Response(None, 416, {"Content-Range": f"bytes */{size}"})
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    chunks = _chunks(video.media, first, last)
    return StreamingResponse(chunks, 206 if partial else 200, headers, media_type="video/mp4")


def _span(request: Request, size: int, tag: str) -> tuple[int, int, bool]:
    """Return the first and last byte that are asked for, and whether that is a part."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    # A part of another file would be joined to this one.
    if asked is None or request.headers.get("if-range", tag) != tag:
        return 0, size - 1, False
    last = size - 1 if asked[2] is None else min(int(asked[2]), size - 1)
    return int(asked[1]), last, True


def _chunks(media: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    with media:
        media.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := media.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk


_P = "/projects/{project}"
_MP4 = {200: {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}}}
_PART = {206: {"description": "The range that was asked for", **_MP4[200]}}
_OUT = {416: {"description": "There are no such bytes"}}
_TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
OPERATIONS = (
    post(f"{_P}/drafts/{{draft}}/release", add_release, Action.RELEASE, status=202,
         tags=["releases"]),
    post(f"{_P}/drafts/{{draft}}/forms", add_form, Action.RELEASE, status=202, tags=["releases"]),
    get(f"{_P}/releases", list_all_releases, Action.READ_RELEASES, tags=["releases"]),
    get(f"{_P}/releases/{{release}}", show_release, Action.READ_RELEASES, tags=["releases"]),
    get(f"{_P}/releases/{{release}}/file", download, Action.READ_RELEASES, tags=["releases"],
        response_class=StreamingResponse, responses={**_MP4, **_PART, **_OUT}),
    get(f"{_P}/releases/{{release}}/proof", show_proof, Action.READ_RELEASES, tags=["releases"],
        response_class=Response, responses=_TEXT),
)  # fmt: skip
