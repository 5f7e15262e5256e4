"""Fact check: each claim of a brief carries its source, and a reviewer ticks it off.

A tick is the reviewer's signature over the claim and its source: a claim that is worded anew, or a
tick that was copied, counts for nothing. What the level of risk asks is asked at review and again
before a draft is sealed.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from assent.consent.people import Person, find_person, person_by_id
from assent.kit.canonical import digest
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError, NotFoundError, SignOffError
from assent.kit.signing import SigningKey, public_of, sign, thumbprint, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import TickRow
from assent.purpose.brief import Brief, Claim

__all__ = ["CheckedClaim", "check_claims", "list_claims", "reviewers_of", "tick"]

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
    if not 1 <= number <= len(brief.claims):
        raise NotFoundError(
            f"there is no claim {number}", advice="See `assent project claims list`."
        )
    person = find_person(studio, reviewer)
    if reviewer not in reviewers_of(brief):
        raise SignOffError(
            f"{reviewer} is not a reviewer of this brief",
            advice="Make the project with --reviewer, naming a person of the studio.",
        )
    if thumbprint(public_of(key)) != person.key_id:
        raise IntegrityError(
            f"this key is not {reviewer}'s", advice="Only the reviewer ticks, with their own key."
        )
    claim = _hash_of(brief.claims[number - 1])
    now = stamp(studio.clock())
    statement = {"project": project_id, "claim": claim, "decision": "checked", "time": now}
    row = TickRow(
        project_id=project_id,
        claim=claim,
        person_id=person.id,
        token=sign(statement, key, kind=_TICK),
        created=now,
    )
    with studio.database.session() as session:
        session.merge(row)
    return list_claims(studio, project_id, brief)[number - 1]


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
        try:
            statement = verify(row.token, person.key, kind=_TICK)
        except AssentError as error:
            raise IntegrityError(f"a tick at a claim was altered: {error}") from error
        said = (statement.get("project"), statement.get("claim"), statement.get("decision"))
        if said != (project_id, hashed, "checked"):
            raise IntegrityError("a tick belongs to another claim")
        if person.handle in reviewers_of(brief):
            found.append(person)
    return found


def _hash_of(claim: Claim) -> str:
    return digest(claim.model_dump(mode="json"))
