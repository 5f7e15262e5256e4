"""Step 3: footage: who is in it and when, how good it is, and what to film next."""

import json
from dataclasses import dataclass

from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.signing import keep_signature, offer_signature, person_named, signers
from assent.apps.studio.summaries import Clips, ClipSummary
from assent.apps.work.again import take_in_again
from assent.apps.work.kinds import enqueue
from assent.consent.people import handles_of, list_people
from assent.data.accounting import read_spans
from assent.data.clips import ClearedClip, find_clip, list_clips
from assent.data.coverage import Coverage, Look, coverage_of, merge_looks
from assent.data.doubts import Doubt, decision_to_sign, find_doubt, keep_decision, list_doubts
from assent.kit.errors import AssentError, InputError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.store.tables import ConsentRow

__all__ = ["PAGES"]

_REFUSED = 3
_UNDER_WAY = (State.WAITING, State.RUNNING, State.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A clip that was not taken in because of who or what it shows, and when it shows that."""

    job: Job
    spans: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        """How much of the clip is drawn."""
        return max((end for _, end in self.spans), default=1.0) * 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What there is of one person in the whole project."""

    name: str
    coverage: Coverage


def footage_page(visit: Visit) -> Response:
    """List the clips, the faces in doubt, and what each person's footage covers."""
    clips = list_clips(visit.studio, visit.purpose)
    names = _names(visit)
    looks: dict[str, list[Look]] = {}
    closed: dict[str, str] = {}
    for clip in clips:
        try:
            summary = _summary(visit, clip)
        except AssentError as error:
            closed[clip.id] = str(error)
            continue
        for look in summary.looks:
            looks.setdefault(look.person_id, []).append(look)
    queue = Queue(visit.studio.database, visit.studio.clock)
    taken = queue.list(visit.project.id, kind="ingest")
    return visit.show(
        "footage.html",
        clips=clips,
        closed=closed,
        names=names,
        people=[
            Person(name=names.get(person, "somebody"), coverage=coverage_of(merge_looks(own)))
            for person, own in looks.items()
        ],
        doubts=[each for each in list_doubts(visit.studio, visit.purpose) if each.blob],
        agreed=_agreed(visit),
        jobs=[job for job in taken if job.state in _UNDER_WAY],
        refused=[
            Refused(job=job, spans=read_spans(job.error or ""))
            for job in taken
            if job.state is State.FAILED
        ],
        uploads="/p/{project}/uploads" in visit.house.paths,
    )


def take_in(visit: Visit) -> Response:
    """Put the taking in of an upload into the queue."""
    arguments = {
        "upload": visit.data.get("upload"),
        "people": visit.data.get("people"),
        "rights": visit.data.get("rights"),
        "bystanders": visit.data.get("bystanders", "refuse"),
    }
    by = visit.who.account_id
    job = enqueue(visit.studio, "ingest", visit.project.id, arguments, by=by)
    return JSONResponse({"job": job.id})


def clip_page(visit: Visit) -> Response:
    """Show a clip: its pictures, and who is in it when."""
    clip = find_clip(visit.studio, visit.purpose, visit.path("clip"))
    names = _names(visit)
    try:
        summary, closed = _summary(visit, clip), ""
    except AssentError as error:
        summary, closed = ClipSummary(lanes=(), looks=(), seconds=0.0), f"{error}. {error.advice}"
    return visit.show(
        "clip.html",
        clip=clip,
        closed=closed,
        seconds=summary.seconds,
        people=[
            (
                names.get(look.person_id, "somebody"),
                [(x.begins, x.ends) for x in summary.lanes if x.person_id == look.person_id],
                coverage_of(look),
            )
            for look in summary.looks
        ],
    )


def doubt_page(visit: Visit) -> Response:
    """Show faces of which it isn't sure whose they are, and take a decision."""
    doubt = find_doubt(visit.studio, visit.purpose, visit.path("doubt"))
    names = _names(visit)
    said = _kept(visit, doubt)
    staff = [person.handle for person in list_people(visit.studio) if person.staff]
    return visit.show(
        "doubt.html",
        doubt=doubt,
        names=names,
        said=said,
        signers=signers(visit, staff) if said else (),
    )


def doubt_say(visit: Visit) -> Response:
    """Keep what is about to be signed."""
    doubt = find_doubt(visit.studio, visit.purpose, visit.path("doubt"))
    outcome, reason = visit.field("outcome"), visit.field("reason").strip()
    if outcome not in ("same", "other") or len(reason) < 3:
        raise InputError("say whose faces these are, and what you saw", advice="Fill in both.")
    _keep(visit, doubt, {"outcome": outcome, "reason": reason[:2000]})
    return visit.see(f"/p/{visit.project.slug}/footage/doubts/{doubt.id}")


def doubt_prepare(visit: Visit) -> Response:
    """Return what whoever decides signs."""
    doubt = find_doubt(visit.studio, visit.purpose, visit.path("doubt"))
    said = _kept(visit, doubt)
    if said is None:
        raise InputError("nothing was said yet", advice="Load the page again.")
    member = person_named(visit, [p.handle for p in list_people(visit.studio) if p.staff])
    text = decision_to_sign(
        visit.studio,
        visit.purpose,
        doubt.id,
        member,
        same=said["outcome"] == "same",
        reason=said["reason"],
    )
    return offer_signature(visit, member, text)


def doubt_sign(visit: Visit) -> Response:
    """Keep the decision; a clip that waited for it is taken in without being sent again."""
    doubt = find_doubt(visit.studio, visit.purpose, visit.path("doubt"))
    member = person_named(visit, [p.handle for p in list_people(visit.studio) if p.staff])
    token = keep_signature(visit, member)
    if keep_decision(visit.studio, visit.purpose, doubt.id, member, token).state == "approved":
        take_in_again(visit.studio, visit.project.id, doubt.name)
    return JSONResponse({"next": f"/studio/p/{visit.project.slug}/footage"})


def _place(visit: Visit, doubt: Doubt) -> tuple[str, ...]:
    return ("doubt", "" if visit.session is None else visit.session.id, doubt.id)


def _keep(visit: Visit, doubt: Doubt, said: dict[str, str]) -> None:
    visit.house.pending.put(_place(visit, doubt), json.dumps(said))


def _kept(visit: Visit, doubt: Doubt) -> dict[str, str] | None:
    """Return what this session is about to decide, and keep it on."""
    text = visit.house.pending.take(_place(visit, doubt))
    if text is None:
        return None
    said: dict[str, str] = json.loads(text)
    _keep(visit, doubt, said)
    return said


def _summary(visit: Visit, clip: ClearedClip) -> ClipSummary:
    clips = visit.house.services.get(Clips, lambda: Clips(visit.studio))
    return clips.of(visit.purpose, clip)


def _names(visit: Visit) -> dict[str, str]:
    """Return everybody's name by id."""
    return {person.id: person.name for person in list_people(visit.studio)}


def _agreed(visit: Visit) -> list[tuple[str, str]]:
    """Return handle and name of those whose consent is live in this project."""
    with visit.studio.database.session() as session:
        ids = session.scalars(
            select(ConsentRow.person_id).where(
                ConsentRow.project_id == visit.project.id, ConsentRow.state == "live"
            )
        ).all()
    names = _names(visit)
    handles = handles_of(visit.studio, set(ids))
    return sorted((handle, names[person]) for person, handle in handles.items())


_DOUBT = "/p/{project}/footage/doubts/{doubt}"

PAGES = (
    get("/p/{project}/footage", footage_page, Action.READ_FOOTAGE),
    post("/p/{project}/footage", take_in, Action.CHANGE_FOOTAGE),
    get("/p/{project}/footage/{clip}", clip_page, Action.READ_FOOTAGE),
    get(_DOUBT, doubt_page, Action.WATCH),
    post(_DOUBT, doubt_say, Action.DECIDE_PEOPLE),
    post(f"{_DOUBT}/key", doubt_prepare, Action.DECIDE_PEOPLE),
    post(f"{_DOUBT}/signature", doubt_sign, Action.DECIDE_PEOPLE),
)
