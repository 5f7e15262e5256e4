"""On what ground a statement is taken for the subject's own: it was checked, or vouched for.

A recording made in the ceremony that passed its checks is its own ground, and the studio's key says
so. Anything else needs a named member of the studio, who signs for it with their own key and is not
the subject. Each decision goes into the log as a salted hash.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from assent.consent.people import Person, person_by_id
from assent.consent.record import ConsentRecord
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, InputError, IntegrityError, NotClearedError, RefusedError
from assent.kit.said import hold_said
from assent.kit.signing import SigningKey, peek, public_of, sign, signing_input, thumbprint, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow

__all__ = [
    "check_decider",
    "check_ground",
    "check_member",
    "decide",
    "decision_entry",
    "decision_of",
    "decision_to_sign",
    "read_decision",
    "say_passed",
    "take_decision",
    "vouch",
]

_KIND = "assent-ground+jws"
_LONGEST_REASON = 2000


def say_passed(studio: Studio, record: ConsentRecord, findings: Mapping[str, Any]) -> str:
    """Return the studio's word that the recording of `record` passed its checks."""
    said = _said(studio, record, by="studio", outcome="passed", told=findings)
    return sign(said, studio.signing_key, kind=_KIND)


def vouch(
    studio: Studio, record: ConsentRecord, member: Person, key: SigningKey, *, reason: str
) -> str:
    """Return a member's word that the statement of `record` is the subject's own.

    Raises `RefusedError` unless they work for the studio and are not the subject, `IntegrityError`
    if the key is not theirs, `InputError` without a reason.
    """
    return decide(studio, record, member, key, approve=True, reason=reason)


def decide(
    studio: Studio,
    record: ConsentRecord,
    member: Person,
    key: SigningKey,
    *,
    approve: bool,
    reason: str,
) -> str:
    """Return a member's signed decision about the statement of `record`; raises as `vouch`."""
    check_decider(record, member, key)
    said = _statement(studio, record, by=member.id, approve=approve, reason=reason)
    return sign(said, key, kind=_KIND)


def decision_to_sign(
    studio: Studio, record: ConsentRecord, member: Person, *, approve: bool, reason: str
) -> str:
    """Return what a member signs in a browser to decide about `record`; raises as `vouch`."""
    check_member(record, member)
    said = _statement(studio, record, by=member.id, approve=approve, reason=reason)
    return signing_input(said, member.key, kind=_KIND)


def take_decision(
    studio: Studio, record: ConsentRecord, member: Person, token: str, *, approve: bool
) -> str:
    """Return what a member signed in a browser, verified.

    Raises `RefusedError` if they may not decide, `IntegrityError` if it isn't their signature, or
    about another statement, or the other way, or not what `decision_to_sign` gives lately;
    `InputError` without reason.
    """
    check_decider(record, member, token)
    said = verify(token, member.key, kind=_KIND)
    outcome = "approved" if approve else "rejected"
    expected = (member.id, outcome, record.digest(), record.evidence[0].sha256)
    if tuple(said.get(each) for each in ("by", "outcome", "record", "statement")) != expected:
        raise IntegrityError("this decision is about something else", advice="Load the page again.")
    told = said.get("told")
    reason = str(told.get("reason", "")) if isinstance(told, Mapping) else ""
    asked = _statement(studio, record, by=member.id, approve=approve, reason=reason)
    hold_said(said, asked, now=studio.clock(), about="this statement")
    return token


def check_decider(record: ConsentRecord, member: Person, proof: SigningKey | str) -> None:
    """Raise as `vouch` does unless `member` may decide about `record`.

    `proof` is their key, or what they have signed with it in a browser.
    """
    check_member(record, member)
    if isinstance(proof, str):
        verify(proof, member.key, kind=_KIND)
    elif thumbprint(public_of(proof)) != member.key_id:
        raise IntegrityError(
            f"this key is not {member.handle}'s", advice="Who decides signs with their own key."
        )


def check_ground(studio: Studio, record: ConsentRecord, ground: str | None) -> None:
    """Raise `NotClearedError` unless `ground` lets the statement of `record` be taken in."""
    if ground is None:
        raise NotClearedError(
            "nobody has vouched for this statement",
            advice="Let the subject record it in the ceremony, or name who vouches: --vouched-by.",
        )
    try:
        by = peek(ground).get("by")
        if by == "studio":
            said = verify(ground, studio.signing_key, kind=_KIND)
            allowed = "passed"
        else:
            member = person_by_id(studio, str(by))
            check_member(record, member)
            said = verify(ground, member.key, kind=_KIND)
            allowed = "approved"
    except RefusedError:
        raise
    except AssentError as error:
        raise NotClearedError(f"what is said about the statement was altered: {error}") from error
    if (said["record"], said["statement"]) != (record.digest(), record.evidence[0].sha256):
        raise NotClearedError("what is said about the statement is about another one")
    if said["outcome"] != allowed:
        raise NotClearedError("a person at the studio rejected this statement")
    if allowed == "passed":
        _check_alone(record)


def _check_alone(record: ConsentRecord) -> None:
    """Raise `NotClearedError` unless a machine may say that the statement is the subject's."""
    if record.principal.authority is not None:
        raise NotClearedError("only a person can tell whether somebody may answer for another")
    if record.evidence[0].kind != "recording":
        raise NotClearedError("only a recording made in the ceremony can pass by itself")


def decision_entry(studio: Studio, row: ConsentRow) -> tuple[bytes, ...]:
    """Return the log entry of the decision that a member made about `row`; none if none did."""
    if row.ground is None or peek(row.ground).get("by") == "studio":
        return ()
    entry = {
        "kind": "consent.decided",
        "decision": decision_of(row),
        "time": stamp(studio.clock()),
    }
    return (canonical(entry),)


def decision_of(row: ConsentRow) -> str:
    """Return the salted SHA-256 by which the log names the decision about `row`."""
    return hashlib.sha256(f"{row.salt}.{row.ground}".encode()).hexdigest()


def read_decision(studio: Studio, row: ConsentRow) -> Mapping[str, Any] | None:
    """Return what a member decided about `row`, verified; None if nobody had to.

    Raises `IntegrityError` if it was altered, `NotFoundError` if who decided is gone.
    """
    if row.ground is None or peek(row.ground).get("by") == "studio":
        return None
    member = person_by_id(studio, str(peek(row.ground).get("by")))
    return verify(row.ground, member.key, kind=_KIND)


def _statement(
    studio: Studio, record: ConsentRecord, *, by: str, approve: bool, reason: str
) -> dict[str, Any]:
    if not 3 <= len(reason.strip()) <= _LONGEST_REASON:
        raise InputError("a decision needs a reason", advice="Say in a sentence what you saw.")
    outcome = "approved" if approve else "rejected"
    return _said(studio, record, by=by, outcome=outcome, told={"reason": reason.strip()})


def _said(
    studio: Studio, record: ConsentRecord, *, by: str, outcome: str, told: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "by": by,
        "outcome": outcome,
        "record": record.digest(),
        "statement": record.evidence[0].sha256,
        "told": dict(told),
        "time": stamp(studio.clock()),
    }


def check_member(record: ConsentRecord, member: Person) -> None:
    """Raise `RefusedError` unless `member` works for the studio and is not the subject."""
    if not member.staff:
        raise RefusedError(
            f"{member.handle} does not decide for the studio",
            advice="Add who decides with `assent person add --staff`.",
        )
    if member.id == record.principal.id:
        raise RefusedError(
            "nobody decides about their own statement", advice="Ask somebody else at the studio."
        )
