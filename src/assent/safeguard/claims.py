"""Fact check: each claim of a brief carries its source, and a reviewer ticks it off.

A tick is the reviewer's signature over the claim and its source: a claim that is worded anew, or a
tick that was copied, counts for nothing. What the level of risk asks is asked at review and again
before a draft is sealed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from assent.consent.people import Person, find_person, person_by_id
from assent.kit.canonical import digest
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError, NotFoundError, SignOffError
from assent.kit.said import hold_said
from assent.kit.signing import SigningKey, public_of, sign, signing_input, thumbprint, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import TickRow
from assent.purpose.brief import Brief, Claim

__all__ = [
    "CheckedClaim",
    "check_claims",
    "keep_tick",
    "list_claims",
    "reviewers_of",
    "tick",
    "tick_to_sign",
]

_TICK = "assent-claim+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClaim:
    """A claim, counted from 1, and the handles of those who have ticked it off."""

    number: int
    claim: Claim
    ticked_by: tuple[str, ...]
    people: tuple[str, ...]


def reviewers_of(brief: Brief) -> tuple[str, ...]:
    """Return the handles of those whom `brief` names as reviewers."""
    return tuple(name for name in (brief.reviewer, brief.second_reviewer) if name is not None)


def list_claims(studio: Studio, project_id: str, brief: Brief) -> tuple[CheckedClaim, ...]:
    """Return the claims of `brief` with their ticks, each verified; raises `IntegrityError`."""
    found = []
    for number, claim in enumerate(brief.claims, start=1):
        people = _ticked_by(studio, project_id, brief, claim)
        found.append(
            CheckedClaim(
                number=number,
                claim=claim,
                ticked_by=tuple(person.handle for person in people),
                people=tuple(person.id for person in people),
            )
        )
    return tuple(found)


def tick(
    studio: Studio, project_id: str, brief: Brief, number: int, *, reviewer: str, key: SigningKey
) -> CheckedClaim:
    """Record the reviewer's tick at claim `number`, counted from 1.

    Raises `NotFoundError` if there is no such claim, `SignOffError` if the brief names no such
    reviewer, `IntegrityError` if the key is not theirs.
    """
    person = find_person(studio, reviewer)
    statement = _statement(studio, project_id, brief, number, reviewer)
    if thumbprint(public_of(key)) != person.key_id:
        raise IntegrityError(
            f"this key is not {reviewer}'s", advice="Only the reviewer ticks, with their own key."
        )
    token = sign(statement, key, kind=_TICK)
    return keep_tick(studio, project_id, brief, number, reviewer=person, token=token)


def tick_to_sign(
    studio: Studio, project_id: str, brief: Brief, number: int, *, reviewer: Person
) -> str:
    """Return what the reviewer signs in a browser to tick claim `number` off; raises as `tick`."""
    statement = _statement(studio, project_id, brief, number, reviewer.handle)
    return signing_input(statement, reviewer.key, kind=_TICK)


def keep_tick(
    studio: Studio, project_id: str, brief: Brief, number: int, *, reviewer: Person, token: str
) -> CheckedClaim:
    """Keep what the reviewer signed; raises as `tick`, and if it isn't what they were to."""
    asked = _statement(studio, project_id, brief, number, reviewer.handle)
    claim = asked["claim"]
    said = _check_tick(token, reviewer, project_id, claim)
    hold_said(said, asked, now=studio.clock(), about=f"claim {number}")
    row = TickRow(
        project_id=project_id,
        claim=claim,
        person_id=reviewer.id,
        token=token,
        created=stamp(studio.clock()),
    )
    with studio.database.session() as session:
        session.merge(row)
    return list_claims(studio, project_id, brief)[number - 1]


def _statement(
    studio: Studio, project_id: str, brief: Brief, number: int, reviewer: str
) -> dict[str, str]:
    if not 1 <= number <= len(brief.claims):
        raise NotFoundError(
            f"there is no claim {number}", advice="See `assent project claims list`."
        )
    if reviewer not in reviewers_of(brief):
        raise SignOffError(
            f"{reviewer} is not a reviewer of this brief",
            advice="Make the project with --reviewer, naming a person of the studio.",
        )
    claim, now = _hash_of(brief.claims[number - 1]), stamp(studio.clock())
    return {"project": project_id, "claim": claim, "decision": "checked", "time": now}


def check_claims(studio: Studio, project_id: str, brief: Brief, *, shown: Collection[str]) -> None:
    """Raise `SignOffError` unless each claim has the tick of a reviewer who isn't `shown`."""
    for claim in list_claims(studio, project_id, brief):
        if not set(claim.people) - set(shown):
            raise SignOffError(
                f"claim {claim.number} has not been ticked off by a reviewer outside the video",
                advice=f"Let them check its source: `assent project claims tick {claim.number}`.",
            )


def _ticked_by(studio: Studio, project_id: str, brief: Brief, claim: Claim) -> list[Person]:
    hashed = _hash_of(claim)
    with studio.database.session() as session:
        rows = session.scalars(
            select(TickRow)
            .where(TickRow.project_id == project_id, TickRow.claim == hashed)
            .order_by(TickRow.created, TickRow.person_id)
        ).all()
    found = []
    for row in rows:
        person = person_by_id(studio, row.person_id)
        _check_tick(row.token, person, project_id, hashed)
        if person.handle in reviewers_of(brief):
            found.append(person)
    return found


def _check_tick(token: str, person: Person, project_id: str, claim: str) -> dict[str, Any]:
    try:
        statement = verify(token, person.key, kind=_TICK)
    except AssentError as error:
        raise IntegrityError(f"a tick at a claim was altered: {error}") from error
    said = (statement.get("project"), statement.get("claim"), statement.get("decision"))
    if said != (project_id, claim, "checked"):
        raise IntegrityError("a tick belongs to another claim")
    return statement


def _hash_of(claim: Claim) -> str:
    return digest(claim.model_dump(mode="json"))
