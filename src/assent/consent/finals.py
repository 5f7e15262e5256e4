"""The last word: who kept it approves or declines each draft, with their own key.

Their signature is over the draft's digest and over the sealed preview that they were shown. Without
it the draft is not approved, and so can't be released.
"""

from collections.abc import Collection
from typing import Any, Literal

from assent.consent.desk import live_record
from assent.consent.people import Person, person_by_id
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError, SignOffError
from assent.kit.signing import VerifyKey, signing_input, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import FinalRow
from assent.purpose.projects import Purpose

__all__ = ["Decision", "decision_on", "decision_to_sign", "keep_decision", "require_finals"]

Decision = Literal["approve", "decline"]

_KIND = "assent-final+jws"


def decision_to_sign(
    studio: Studio, *, draft: str, decision: Decision, preview: str, key: VerifyKey
) -> str:
    """Return what the subject signs in a browser to decide about the draft with that digest.

    `preview` is the SHA-256 of the sealed sheet that they were shown.
    """
    payload = {
        "draft": draft,
        "decision": decision,
        "preview": preview,
        "time": stamp(studio.clock()),
    }
    return signing_input(payload, key, kind=_KIND)


def keep_decision(
    studio: Studio, person: Person, *, draft_id: str, draft: str, token: str
) -> Decision:
    """Keep what the person signed about a draft; the newest counts.

    Raises `IntegrityError` if it isn't their signature, or about another draft.
    """
    decision = _read(person, token, draft)
    with studio.database.session() as session:
        session.merge(
            FinalRow(
                draft_id=draft_id,
                person_id=person.id,
                token=token,
                created=stamp(studio.clock()),
            )
        )
    return decision


def decision_on(studio: Studio, person: Person, *, draft_id: str, draft: str) -> Decision | None:
    """Return what the person decided about a draft, or None; raises `IntegrityError`."""
    with studio.database.session() as session:
        row = session.get(FinalRow, (draft_id, person.id))
    return None if row is None else _read(person, row.token, draft)


def require_finals(
    studio: Studio, purpose: Purpose, people: Collection[str], *, draft_id: str, draft: str
) -> None:
    """Raise `SignOffError` unless everyone of `people` who kept the last word has approved."""
    for person_id in sorted(people):
        person = person_by_id(studio, person_id)
        _, record = live_record(studio, purpose, person)
        if not record.final_approval:
            continue
        decision = decision_on(studio, person, draft_id=draft_id, draft=draft)
        if decision == "decline":
            raise SignOffError(
                f"{person.handle} declined draft {draft_id[:8]}",
                advice="Change it and render it again; they decide about each draft anew.",
            )
        if decision is None:
            raise SignOffError(
                f"{person.handle} kept the last word and has not approved draft {draft_id[:8]}",
                advice="Make a preview (`assent draft sheet`) and send them a link to their own "
                "place (`assent consent place`).",
            )


def _read(person: Person, token: str, draft: str) -> Decision:
    try:
        told: dict[str, Any] = verify(token, person.key, kind=_KIND)
    except AssentError as error:
        raise IntegrityError(f"{person.handle}'s decision was altered: {error}") from error
    if told.get("draft") != draft:
        raise IntegrityError(f"{person.handle}'s decision is about another draft")
    return "approve" if told.get("decision") == "approve" else "decline"
