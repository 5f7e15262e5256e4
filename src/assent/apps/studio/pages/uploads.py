"""Files on their way into a project, piece by piece; see `static/upload.js` for the other end."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.work.kinds import enqueue
from assent.apps.work.receiving import LARGEST_PIECE, TooSlowError, read_piece
from assent.apps.work.uploads import Upload, Uploads
from assent.kit.errors import AssentError, ConflictError, InputError, IntegrityError

__all__ = ["PAGES"]

_SLACK = 1 << 10


def begin(visit: Visit) -> Response:
    """Make room for a file: `name`, `size` and perhaps `sha256`."""
    name, size, sha256 = (visit.data.get(each) for each in ("name", "size", "sha256"))
    if not isinstance(name, str) or type(size) is not int:
        raise InputError("an upload has a name and a size", advice="Send the file again.")
    if not (sha256 is None or isinstance(sha256, str)):
        raise InputError("that is no SHA-256 digest", advice="Give 64 hexadecimal digits.")
    upload = Uploads(visit.studio).create(
        name,
        size=size,
        project_id=visit.project.id,
        account=visit.who.account_id,
        sha256=sha256,
    )
    return JSONResponse(_told(upload), 201)


def look(visit: Visit) -> Response:
    """Tell how far an upload is."""
    return JSONResponse(_told(_own(visit)))


async def take(visit: Visit) -> Response:
    """Take the piece that begins at `offset`; `X-SHA256` is its digest."""
    headers, given = visit.request.headers, visit.request.query_params.get("offset", "")
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise InputError("a piece begins somewhere", advice="Give its offset.")
    upload = await run_in_threadpool(_own, visit)
    try:
        piece = await read_piece(
            aiter(visit.request.stream()), sha256=headers.get("x-sha256"), patience=None
        )
        offset = await run_in_threadpool(_keep, visit, upload, int(given), piece)
    except TooSlowError as error:
        return _refused(error, 408)
    except ConflictError as error:
        return _refused(error, 409)
    except IntegrityError as error:
        return _refused(error, 422)
    return JSONResponse({"offset": offset})


def use(visit: Visit) -> Response:
    """Have an upload taken in: `people`, `rights` and `bystanders`; returns the job."""
    upload = _own(visit)
    wanted = {name: visit.data[name] for name in ("people", "rights", "bystanders")
              if name in visit.data}  # fmt: skip
    job = enqueue(
        visit.studio,
        "ingest",
        visit.project.id,
        {**wanted, "upload": upload.id},
        by=visit.who.account_id,
    )
    return JSONResponse(job.to_json(), 202)


def discard(visit: Visit) -> Response:
    """Destroy an upload."""
    Uploads(visit.studio).discard(_own(visit).id)
    return JSONResponse({})


def _own(visit: Visit) -> Upload:
    upload = Uploads(visit.studio).find(visit.path("upload"))
    visit.must_be_of_project(upload.project_id)
    return upload


def _keep(visit: Visit, upload: Upload, offset: int, piece: bytes) -> int:
    with Uploads(visit.studio).receive(upload.id, offset=offset) as receiver:
        receiver.write(piece)
    return receiver.offset


def _told(upload: Upload) -> dict[str, object]:
    return {
        "id": upload.id,
        "name": upload.name,
        "size": upload.size,
        "offset": upload.offset,
        "expires": upload.expires,
    }


def _refused(error: AssentError, status: int) -> Response:
    return JSONResponse({"error": str(error), "advice": error.advice}, status)


PAGES = (
    post("/p/{project}/uploads", begin, Action.CHANGE_FOOTAGE),
    get("/p/{project}/uploads/{upload}", look, Action.CHANGE_FOOTAGE, shows=False),
    post(
        "/p/{project}/uploads/{upload}/piece",
        take,
        Action.CHANGE_FOOTAGE,
        raw=True,
        largest=LARGEST_PIECE + _SLACK,
    ),
    post("/p/{project}/uploads/{upload}/ingest", use, Action.CHANGE_FOOTAGE),
    post("/p/{project}/uploads/{upload}/discard", discard, Action.CHANGE_FOOTAGE),
)
