"""Two people for what can't be taken back: each signs the same act with their own key.

    token = sign_approval(studio, proposed, person, key)     # or a passkey in the browser
    approve(studio, proposed.id, person, token)              # the second one does it

Both work for the studio or review the project, neither is shown in the release, and their
signatures are at most three days apart.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from assent.consent.people import Person, person_by_id
from assent.kit.canonical import digest
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError, RefusedError, SignOffError
from assent.kit.signing import (
    SigningKey,
    VerifyKey,
    public_of,
    sign,
    signing_input,
    thumbprint,
    verify,
)
from assent.kit.store.case_tables import ActRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, FootageRow, ModelRow, ReleaseRow
from assent.monitor.cases.acts import Done, find_act, perform
from assent.monitor.cases.case import add_event, find_case
from assent.purpose.projects import look_up
from assent.safeguard.claims import reviewers_of

__all__ = ["approval_to_sign", "approve", "approvers_of", "sign_approval"]

_KIND = "assent-case-act+jws"
_APART = timedelta(days=3)
_PEOPLE = 2


def approval_to_sign(studio: Studio, proposed: Done, key: VerifyKey) -> str:
    """Return what a person signs in a browser to approve an act."""
    return signing_input(_statement(studio, proposed), key, kind=_KIND)


def sign_approval(studio: Studio, proposed: Done, person: Person, key: SigningKey) -> str:
    """Return a person's approval; raises `IntegrityError` if the key is not theirs."""
    if thumbprint(public_of(key)) != person.key_id:
        raise IntegrityError(
            f"this key is not {person.handle}'s", advice="Each signs with their own key."
        )
    return sign(_statement(studio, proposed), key, kind=_KIND)


def approve(studio: Studio, act_id: str, person: Person, token: str) -> Done:
    """Take a person's approval; with the second one the act is done.

    Raises `SignOffError` if the person may not approve it or did so already, `IntegrityError` if
    the token is not their signature for this act, `RefusedError` if the act is not waiting.
    """
    proposed = find_act(studio, act_id)
    if proposed.state != "proposed" or proposed.rule.reversal != "final":
        raise RefusedError("this act is not waiting for anybody")
    _check_person(studio, proposed, person)
    _check(studio, proposed, person, token)
    kept = _still_good(studio, proposed)
    if person.key_id in {other.key_id for other, _ in kept}:
        raise SignOffError(
            f"{person.handle} has signed this already", advice="A second person must sign it."
        )
    tokens = [f"{other.id} {each}" for other, each in (*kept, (person, token))]
    with studio.database.session() as session:
        row = session.get_one(ActRow, proposed.id)
        row.approvals = tokens
        details = {"act": proposed.act, "id": proposed.id, "signatures": len(tokens)}
        add_event(
            session, proposed.case_id, "approved", by=person.handle, now=studio.clock(),
            details=details,
        )  # fmt: skip
    if len(tokens) < _PEOPLE:
        return find_act(studio, act_id)
    return perform(studio, find_act(studio, act_id), by=person.handle)


def approvers_of(studio: Studio, proposed: Done) -> tuple[str, ...]:
    """Return the handles of those whose signatures count today; raises `IntegrityError`."""
    return tuple(person.handle for person, _ in _still_good(studio, proposed))


def _statement(studio: Studio, proposed: Done) -> dict[str, Any]:
    case = find_case(studio, proposed.case_id)
    return {
        "studio": studio.id,
        "case": case.number,
        "act": proposed.act,
        "id": proposed.id,
        "asset": case.asset_id,
        "arguments": digest(dict(proposed.arguments)),
        "time": stamp(studio.clock()),
    }


def _check(studio: Studio, proposed: Done, person: Person, token: str) -> None:
    try:
        said = verify(token, person.key, kind=_KIND)
    except AssentError as error:
        raise IntegrityError(f"this is not {person.handle}'s signature: {error}") from error
    wanted = _statement(studio, proposed)
    if {name: said.get(name) for name in wanted if name != "time"} != {
        name: value for name, value in wanted.items() if name != "time"
    }:
        raise IntegrityError("this signature is for another act")
    moment = datetime.fromisoformat(str(said.get("time")))
    if not abs(studio.clock() - moment) <= _APART:
        raise SignOffError("this signature is too old", advice="Sign again.")


def _still_good(studio: Studio, proposed: Done) -> list[tuple[Person, str]]:
    """Return the kept approvals that count today, each with its signer."""
    found = []
    for kept in proposed.approvals:
        person_id, _, token = kept.partition(" ")
        person = person_by_id(studio, person_id)
        try:
            # Somebody may have left the studio since, or be known to be in the release.
            _check_person(studio, proposed, person)
            _check(studio, proposed, person, token)
        except SignOffError:
            continue
        found.append((person, token))
    return found


def _check_person(studio: Studio, proposed: Done, person: Person) -> None:
    case = find_case(studio, proposed.case_id)
    shown: set[str] = set()
    reviewers: tuple[str, ...] = ()
    if case.project_id is not None:
        reviewers = reviewers_of(look_up(studio, case.project_id).brief)
    if case.asset_id is not None:
        shown = _shown_in(studio, case.asset_id)
    if not (person.staff or person.handle in reviewers):
        raise SignOffError(
            f"{person.handle} neither works for the studio nor reviews this project",
            advice="Let two who do sign: `assent person add --staff`.",
        )
    if person.id in shown:
        raise SignOffError(f"{person.handle} is shown in this release and can't decide about it")


def _shown_in(studio: Studio, asset_id: str) -> set[str]:
    with studio.database.session() as session:
        found = session.execute(
            select(ModelRow.donor_id, FootageRow.people)
            .join(DraftRow, DraftRow.model_id == ModelRow.id)
            .join(FootageRow, FootageRow.id == DraftRow.footage_id)
            .join(ReleaseRow, ReleaseRow.draft_id == DraftRow.id)
            .where(ReleaseRow.asset_id == asset_id)
        ).all()
    return {person for donor, people in found for person in (donor, *people)}
