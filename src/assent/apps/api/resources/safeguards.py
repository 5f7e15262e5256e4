"""Reviews and signatures: a reviewer signs where their key is, and only the token comes here."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import StringConstraints

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, get, post
from assent.apps.api.resources.jobs import JobTold, started
from assent.apps.api.resources.making import draft_row
from assent.apps.api.shapes import Handle, Id, Received, Told, example
from assent.consent.people import find_person
from assent.create.draft import Draft, load
from assent.kit.signing import peek
from assent.safeguard.claims import CheckedClaim, keep_tick, list_claims, tick_to_sign
from assent.safeguard.review import (
    decision_on,
    keep_sign_off,
    missing_signature,
    sign_off_to_sign,
    sign_offs_of,
)

__all__ = ["OPERATIONS"]

Jws = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
                           max_length=20_000)
]  # fmt: skip
Reviewer = Annotated[Handle, Query(description="Whose signature it is to be.")]
Number = Annotated[int, Path(ge=1, le=200)]


class SignOffTold(Told):
    """Who has signed a draft off, verified, and when."""

    reviewer: str
    time: str


class ReviewTold(Told):
    """What the last review of a draft found, and what it still waits for."""

    draft: str
    looked_at: int
    risk: str
    shortest_side: int
    time: str
    signed: list[SignOffTold]
    waits_for: str | None


class Statement(Told):
    """What is to be signed: the first two parts of a compact JWS, and the payload in them to read.

    The client's `sign_statement` adds the signature; the key never leaves its owner's machine.
    """

    signing_input: str
    payload: dict[str, Any]


class Signature(Received):
    """A reviewer's signed token: never a key."""

    model_config = example(
        reviewer="kim",
        token="eyJhbGciOiJFZDI1NTE5In0.eyJkcmFmdCI6IuKApiJ9.c2lnbmVk",  # noqa: S106 - none
    )
    reviewer: Handle
    token: Jws


class ClaimTold(Told):
    """A claim of the brief, its source, and who ticked it off."""

    number: int
    text: str
    source: str
    ticked_by: list[str]


class Claims(Told):
    """The claims of a brief."""

    items: list[ClaimTold]


def add_review(call: Asked, project: str, draft: Id) -> JobTold:
    """Look through a draft: content gate, resolution cap, whether a person must sign."""
    row = draft_row(call, draft)
    return started(call, "review", {"draft": row.id}, project_id=call.of.id)


def show_review(call: Asked, project: str, draft: Id) -> ReviewTold:
    """What the last review found, who has signed, and whose signature is missing."""
    return _review(call, _draft(call, draft))


def show_sign_off(call: Asked, project: str, draft: Id, reviewer: Reviewer) -> Statement:
    """What a reviewer signs to let a draft be released."""
    person = find_person(call.studio, reviewer)
    text = sign_off_to_sign(call.studio, call.purpose, _draft(call, draft), person)
    return Statement(signing_input=text, payload=peek(text))


def add_sign_off(call: Asked, project: str, draft: Id, signature: Signature) -> ReviewTold:
    """Hand in the token of a reviewer whom the brief names and who is not in the draft."""
    found = _draft(call, draft)
    person = find_person(call.studio, signature.reviewer)
    keep_sign_off(call.studio, call.purpose, found, person, signature.token)
    return _review(call, found)


def list_all_claims(call: Asked, project: str) -> Claims:
    """The claims of the brief, each with its source and its ticks."""
    found = list_claims(call.studio, call.of.id, call.of.brief)
    return Claims(items=[_claim(each) for each in found])


def show_tick(call: Asked, project: str, number: Number, reviewer: Reviewer) -> Statement:
    """What a reviewer signs to tick a claim off."""
    person = find_person(call.studio, reviewer)
    text = tick_to_sign(call.studio, call.of.id, call.of.brief, number, reviewer=person)
    return Statement(signing_input=text, payload=peek(text))


def add_tick(call: Asked, project: str, number: Number, signature: Signature) -> ClaimTold:
    """Hand in the token of a reviewer who has checked a claim's source."""
    return _claim(
        keep_tick(
            call.studio,
            call.of.id,
            call.of.brief,
            number,
            reviewer=find_person(call.studio, signature.reviewer),
            token=signature.token,
        )
    )


def _draft(call: Call, draft_id: str) -> Draft:
    return load(call.studio, draft_row(call, draft_id))


def _review(call: Call, draft: Draft) -> ReviewTold:
    missing = missing_signature(call.studio, call.purpose, draft)
    decision = decision_on(call.studio, draft) or {}
    signed = sign_offs_of(call.studio, call.purpose, draft)
    return ReviewTold(
        draft=draft.id,
        looked_at=int(decision.get("looked_at", 0)),
        risk=str(decision.get("level", call.purpose.assessment.level.name)),
        shortest_side=int(decision.get("shortest_side", 0)),
        time=str(decision.get("time", "")),
        signed=[SignOffTold(reviewer=each.handle, time=each.time) for each in signed],
        waits_for=missing,
    )


def _claim(checked: CheckedClaim) -> ClaimTold:
    return ClaimTold(
        number=checked.number,
        text=checked.claim.text,
        source=checked.claim.source,
        ticked_by=list(checked.ticked_by),
    )


_P = "/projects/{project}"
_D = f"{_P}/drafts/{{draft}}"
OPERATIONS = (
    get(f"{_D}/review", show_review, Action.READ_DRAFTS, tags=["safeguards"]),
    post(f"{_D}/review", add_review, Action.REVIEW, status=202, tags=["safeguards"]),
    get(f"{_D}/sign-off", show_sign_off, Action.SIGN_OFF, tags=["safeguards"]),
    post(f"{_D}/sign-off", add_sign_off, Action.SIGN_OFF, tags=["safeguards"]),
    get(f"{_P}/claims", list_all_claims, Action.READ_PROJECT, tags=["safeguards"]),
    get(f"{_P}/claims/{{number}}/tick", show_tick, Action.SIGN_OFF, tags=["safeguards"]),
    post(f"{_P}/claims/{{number}}/tick", add_tick, Action.SIGN_OFF, tags=["safeguards"]),
)
