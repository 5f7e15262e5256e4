"""Step 7: what is missing, how the label will look on platforms, the release, and its files."""

from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

from starlette.responses import JSONResponse, Response, StreamingResponse

from assent.apps.access.permissions import Action
from assent.apps.public.place import kept_place
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.reviewing import Progress, progress_of
from assent.apps.work.kinds import enqueue
from assent.consent.desk import clear_all
from assent.create.draft import Draft, list_drafts, load
from assent.disclose.forms import Form
from assent.disclose.hand_out import files_of, open_file
from assent.disclose.public_record import describe, described
from assent.disclose.standing import state_of
from assent.disclose.wording import SPOKEN
from assent.kit.errors import InputError, NotFoundError, RefusedError
from assent.kit.hashing import chunks_of
from assent.kit.imaging.framing import frame_label
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Queue
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.verify.public import OWN, open_log

__all__ = ["PAGES"]

_KINDS = {"mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska",
          "jpg": "image/jpeg", "png": "image/png", "wav": "audio/wav"}  # fmt: skip


_FORMS = {
    Form.JPEG: "A still (JPEG)",
    Form.PNG: "A still (PNG)",
    Form.WAV: "Its sound (WAV)",
    Form.MOV: "The film as MOV",
    Form.MKV: "The film as MKV",
    Form.MATTE: "The film with a matte (ProRes 4444)",
}


def list_page(visit: Visit) -> Response:
    """Show drafts on their way out, and releases."""
    drafts = [
        progress_of(visit.studio, visit.purpose, load(visit.studio, row))
        for row in reversed(list_drafts(visit.studio, visit.purpose))
        if row.state == "complete"
    ]
    return visit.show(
        "release.html",
        waiting=[each for each in drafts if each.asset_id is None],
        out=[each for each in drafts if each.asset_id is not None],
        words=described(visit.studio, visit.project.id),
    )


def keep_words(visit: Visit) -> Response:
    """Keep what the project's public records say it is for."""
    for language in ("en", "de", "es"):
        describe(visit.studio, visit.project.id, language, visit.field(f"words-{language}"))
    return visit.see(f"/p/{visit.project.slug}/release", notice="The public words are kept.")


def draft_page(visit: Visit) -> Response:
    """Show what is missing before a draft may leave, and how its label will look."""
    progress = progress_of(visit.studio, visit.purpose, _draft(visit))
    if progress.asset_id is not None:
        return visit.see(f"/p/{visit.project.slug}/releases/{progress.asset_id}")
    job = _job(visit, "release", progress.draft.id)
    return visit.show(
        "release_draft.html",
        progress=progress,
        points=_points(visit, progress),
        job=job,
        languages=[(code, code) for code in sorted(SPOKEN)],
    )


def framing(visit: Visit) -> Response:
    """Say where the label lies in frames of a size, and in every crop."""
    draft = _draft(visit)
    size = [visit.request.query_params.get(name, "") for name in ("w", "h")]
    if not all(each.isascii() and each.isdigit() and len(each) < 6 for each in size):
        raise InputError("these are no sizes")
    label, framings = frame_label(int(size[0]), int(size[1]), corner=draft.label)
    return JSONResponse({"label": list(label), "framings": [each.to_json() for each in framings]})


def release_now(visit: Visit) -> Response:
    """Put the release into the queue; the desk is asked again when its turn comes."""
    draft = _draft(visit)
    spoken = visit.field("spoken_notice")
    if spoken and spoken not in SPOKEN:
        raise InputError("there is no spoken notice in that language", advice="Choose another.")
    arguments = {"draft": draft.id, **({"spoken_notice": spoken} if spoken else {})}
    enqueue(visit.studio, "release", visit.project.id, arguments, visit.who.account_id)
    return visit.see(f"/p/{visit.project.slug}/release/{draft.id}", notice="The release has begun.")


def asset_page(visit: Visit) -> Response:
    """Show a release: its record, its code, its files."""
    asset = _asset(visit)
    studio = visit.studio
    log = open_log(studio.log_folder, vkey=studio.log_verifier.vkey, key_from=OWN)
    seals = [record for record in log.records if record.entry.asset_id == asset.asset_id]
    ended = log.ended.get(asset.asset_id)
    receipts = {receipt for seal in seals for receipt in seal.entry.receipts}
    place = kept_place(studio.folder, studio.disk)
    return visit.show(
        "release_asset.html",
        asset=asset,
        seals=seals,
        ended=ended,
        withdrawn=sorted(log.withdrawn[each] for each in receipts if each in log.withdrawn),
        files=(files := files_of(studio, asset.asset_id)),
        state=state_of(studio, asset.asset_id),
        place=place,
        has_code=any(each.name.endswith(".qr.svg") for each in files),
        forms=[(each.value, _FORMS[each]) for each in Form],
        job=_job(visit, "export", asset.draft_id),
        log_size=log.size,
    )


def export_now(visit: Visit) -> Response:
    """Put the making of a form into the queue."""
    asset = _asset(visit)
    form, at = visit.field("form"), visit.field("at") or "0"
    if form not in {each.value for each in Form}:
        raise InputError("there is no such form", advice="Choose one of the list.")
    try:
        seconds = float(at)
    except ValueError as error:
        raise InputError("this is no second of the film", advice="Give a number.") from error
    arguments = {"draft": asset.draft_id, "form": form, "at": seconds}
    enqueue(visit.studio, "export", visit.project.id, arguments, visit.who.account_id)
    where = f"/p/{visit.project.slug}/releases/{asset.asset_id}"
    return visit.see(where, notice="It is being made.")


def code(visit: Visit) -> Response:
    """Send the release's QR code as it lies beside it."""
    asset = _asset(visit)
    name = next((e.name for e in files_of(visit.studio, asset.asset_id)
                 if e.name.endswith(".qr.svg")), "")  # fmt: skip
    with open_file(visit.studio, asset.asset_id, name) as file:
        return Response(file.read(), media_type="image/svg+xml")


def file(visit: Visit) -> Response:
    """Send a file of a release, once its bytes are those that were sealed and all still agree."""
    asset, name = _asset(visit), visit.path("name")
    clear_all(visit.studio, visit.purpose, _made_of(visit, asset).needs(to_release=False))
    opened = open_file(visit.studio, asset.asset_id, name)
    handle = opened.__enter__()
    size = handle.seek(0, SEEK_END)
    handle.seek(0)

    def pieces(handle: BinaryIO) -> Iterator[bytes]:
        try:
            yield from chunks_of(handle)
        finally:
            opened.__exit__(None, None, None)

    return StreamingResponse(
        pieces(handle),
        media_type=_KINDS.get(name.rpartition(".")[2], "application/octet-stream"),
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
        },
    )


def _points(visit: Visit, progress: Progress) -> list[tuple[str, str, str]]:
    """Return the check list: what, how it stands (good or bad), and in words."""
    lacking = [need.what + (f" ({need.who})" if need.who else "") for need in progress.missing]

    def point(name: str, *parts: str) -> tuple[str, str, str]:
        found = [each for each in lacking if any(part in each for part in parts)]
        return name, "bad" if found else "good", " ".join(found)

    try:
        clear_all(visit.studio, visit.purpose, progress.draft.needs(to_release=True))
        consent = ("Consent for release", "good", "")
    except RefusedError as error:
        consent = ("Consent for release", "bad", str(error))
    return [
        point("The content gate has looked", "content gate"),
        point("Signed off", "signature", "names nobody"),
        point("Claims ticked off", "Claim"),
        point("The last word of who kept it", "last word", "declined"),
        consent,
    ]


def _draft(visit: Visit) -> Draft:
    """Return the complete draft of the path, if it is one of this project."""
    wanted = visit.path("draft")
    for row in list_drafts(visit.studio, visit.purpose):
        if row.id == wanted and row.state == "complete":
            return load(visit.studio, row)
    raise NotFoundError("there is no such draft", advice="Go back to the release.")


def _made_of(visit: Visit, asset: ReleaseRow) -> Draft:
    """Return the draft that a release was made of."""
    with visit.studio.database.session() as session:
        row = session.get_one(DraftRow, asset.draft_id)
    return load(visit.studio, row)


def _asset(visit: Visit) -> ReleaseRow:
    """Return the release of the path, if it is one of this project."""
    with visit.studio.database.session() as session:
        row = session.get(ReleaseRow, visit.path("asset"))
        draft = session.get(DraftRow, row.draft_id) if row else None
    visit.must_be_of_project(draft.project_id if draft else None)
    if row is None or row.state != "released":
        raise NotFoundError("there is no such release", advice="Go back.")
    return row


def _job(visit: Visit, kind: str, draft_id: str) -> Job | None:
    """Return the newest job of that kind for a draft."""
    jobs = [
        each
        for each in Queue(visit.studio.database, visit.studio.clock).list(
            visit.project.id, kind=kind
        )
        if each.arguments.get("draft") == draft_id
    ]
    return max(jobs, key=lambda each: (each.created, each.id), default=None)


_DRAFT, _ASSET = "/p/{project}/release/{draft}", "/p/{project}/releases/{asset}"

PAGES = (
    get("/p/{project}/release", list_page, Action.READ_RELEASES),
    post("/p/{project}/public-words", keep_words, Action.RELEASE),
    get(_DRAFT, draft_page, Action.READ_RELEASES),
    get(f"{_DRAFT}/framing", framing, Action.READ_RELEASES, shows=False),
    post(_DRAFT, release_now, Action.RELEASE),
    get(_ASSET, asset_page, Action.READ_RELEASES),
    post(f"{_ASSET}/forms", export_now, Action.RELEASE),
    get(f"{_ASSET}/code", code, Action.READ_RELEASES, shows=False),
    get(f"{_ASSET}/file/{{name}}", file, Action.READ_RELEASES, shows=False),
)
