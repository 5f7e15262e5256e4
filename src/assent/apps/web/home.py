"""The subject's own place: their consents and receipts, what was made, their say, the way out."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from assent.apps.web.reading import see
from assent.apps.web.receipts import kept_receipt, receipt_copy, receipt_facts, receipt_paper
from assent.apps.web.site import Visit
from assent.consent.certificate import read_certificate, render_body
from assent.consent.finals import decision_on
from assent.consent.people import Person
from assent.consent.register import Own, own_records
from assent.consent.withdrawal import find_ending, withdraw
from assent.disclose.made import Made, made_with, read_preview
from assent.kit.errors import NotFoundError
from assent.kit.store.studio import Studio

__all__ = [
    "certificate_file",
    "certificate_page",
    "front",
    "home_page",
    "live_consent",
    "made_one",
    "own_consent",
    "preview",
    "receipt_json",
    "receipt_page",
    "receipt_pdf",
    "sign_out",
    "withdraw_now",
    "withdraw_page",
]


ENDED = ("withdrawn", "expired")
"""How consents end that had begun: their keys are destroyed."""


def front(visit: Visit) -> Response:
    """Lead to where the visitor can do something."""
    session = visit.site.sessions.find_any(visit.request)
    if session is None:
        return see("/signin")
    return see("/home" if session.invitation_id is None else "/consent")


def home_page(visit: Visit) -> Response:
    """Show everything that concerns the person."""
    person = visit.person
    own = own_records(visit.studio, person)
    return visit.show(
        "home.html",
        person=person,
        own=own,
        ended=ENDED,
        made=[_told(visit.studio, person, each, own) for each in made_with(visit.studio, person)],
        new="new" in visit.request.query_params,
        day=lambda moment: visit.words().day(date.fromisoformat(moment[:10])),
    )


def _told(studio: Studio, person: Person, made: Made, own: tuple[Own, ...]) -> Mapping[str, Any]:
    """Return what is to be shown of something that was made: a decision, or one that is due."""
    live = [each for each in own if each.project_id == made.project_id and each.state == "live"]
    reserved = bool(live) and live[0].record.final_approval
    decision = decision_on(studio, person, draft_id=made.draft_id, draft=made.digest)
    return {"made": made, "reserved": reserved, "decision": decision}


def own_consent(visit: Visit) -> Own:
    """Return the person's own record that the path names; raises `NotFoundError`."""
    row = visit.request.path_params["row"]
    for own in own_records(visit.studio, visit.person):
        if own.row_id == row:
            return own
    raise NotFoundError("there is no such consent")


def live_consent(visit: Visit) -> Own:
    """Return the same if it is live; raises `NotFoundError`."""
    own = own_consent(visit)
    if own.state != "live":
        raise NotFoundError("this consent is not in force")
    return own


def made_one(visit: Visit) -> Made:
    """Return what the path names, if it shows the person; raises `NotFoundError`."""
    draft = visit.request.path_params["draft"]
    for made in made_with(visit.studio, visit.person):
        if made.draft_id == draft:
            return made
    raise NotFoundError("there is no such draft")


# Receipts


def receipt_page(visit: Visit) -> Response:
    """Show a receipt."""
    kept = kept_receipt(visit)
    return visit.show("receipt.html", kept=kept, facts=receipt_facts(visit, kept))


def receipt_pdf(visit: Visit) -> Response:
    """Hand the receipt out on paper."""
    kept = kept_receipt(visit)
    return _file(receipt_paper(visit, kept), "application/pdf", f"{_name(kept.record)}.pdf")


def receipt_json(visit: Visit) -> Response:
    """Hand the receipt out for programs."""
    kept = kept_receipt(visit)
    data = json.dumps(receipt_copy(kept), indent=2, ensure_ascii=False).encode()
    return _file(data, "application/json", f"{_name(kept.record)}.json")


def _name(record: Any) -> str:  # noqa: ANN401 - a record
    return f"consent-{record.record_id[:8]}-{record.version}"


def _file(data: bytes, kind: str, name: str) -> Response:
    return Response(
        data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


# What was made


def preview(visit: Visit) -> Response:
    """Show a sealed sheet, once its bytes are checked."""
    data = read_preview(visit.studio, visit.person, visit.request.path_params["name"])
    return Response(data, media_type="image/jpeg")


# The way out


def withdraw_page(visit: Visit) -> Response:
    """Say what withdrawing does, and ask once more."""
    return visit.show("withdraw.html", own=_ending(visit))


def withdraw_now(visit: Visit) -> Response:
    """End the consent at once."""
    visit.changing()
    own = _ending(visit)
    ending = withdraw(visit.studio, own.record_id)
    released = [
        made
        for made in made_with(visit.studio, visit.person)
        if made.project_id == own.project_id and made.asset_id is not None
    ]
    return visit.show(
        "withdrawn.html", own=own, released=released, pending=ending.pending,
        sightings=[each.where for each in ending.copies if each.what.startswith("sighting")],
    )  # fmt: skip


def certificate_page(visit: Visit) -> Response:
    """Show the certificate of the deletion, in the words of the page."""
    own, token = _certificate(visit)
    fields = read_certificate(token, visit.studio.signing_key)
    body = render_body(fields, token, language=visit.language)
    return visit.show("certificate.html", own=own, body=Markup(body))  # noqa: S704 - escaped there


def certificate_file(visit: Visit) -> Response:
    """Hand the certificate out as it was signed."""
    own, token = _certificate(visit)
    return _file(f"{token}\n".encode(), "application/jose", f"deletion-{own.record_id[:8]}.jws")


def _certificate(visit: Visit) -> tuple[Own, str]:
    own = own_consent(visit)
    token = find_ending(visit.studio, own.record_id).certificate if own.state in ENDED else None
    if token is None:
        raise NotFoundError("there is no certificate of deletion")
    return own, token


def _ending(visit: Visit) -> Own:
    """Return a record that can be ended: one that is live, or signed and waiting."""
    own = own_consent(visit)
    if own.state not in ("live", "waiting", "offered"):
        raise NotFoundError("this consent is not in force")
    return own


def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.changing()
    response = see("/signin")
    visit.site.sessions.end(visit.request, response)
    return response
