"""Look at a draft before it may be sealed.

The content gate sees the draft's looks, small frames that show all of it; the seal holds each to
its frame. What the project's level of risk asks (a cap on the resolution, a person's signature) is
applied. The decision is kept as a JWS over the draft's digest, so that an approval found in the
database is worth only what its signature is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.locker import Locker
from assent.consent.people import Person, find_person, person_by_id
from assent.create._frames import looks_of
from assent.create.draft import Draft
from assent.create.looks import LONGEST_GAP
from assent.kit.clock import stamp
from assent.kit.content.gate import ContentGate, is_explicit
from assent.kit.errors import AssentError, ContentError, IntegrityError, SignOffError
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.progress import Progress, nothing
from assent.kit.signing import SigningKey, VerifyKey, public_of, sign, thumbprint, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReviewRow
from assent.purpose.projects import Purpose
from assent.safeguard._key import KEY
from assent.safeguard.approved import Approved

__all__ = ["Reviewed", "recall", "review", "sign_off"]

_DECISION = "assent-review+jws"
_SIGN_OFF = "assent-sign-off+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a review found; `approved` is None while a signature is missing."""

    looked_at: int
    level: str
    shortest_side: int
    reviewer: str | None
    approved: Approved | None


def review(
    studio: Studio,
    purpose: Purpose,
    draft: Draft,
    clearances: Sequence[Clearance],
    *,
    ask_again: AskAgain,
    gate: ContentGate,
    progress: Progress = nothing,
) -> Reviewed:
    """Look at `draft` and decide.

    Raises `ContentError` if anything is explicit, `NotClearedError` without live clearances.
    """
    _require(studio, purpose, draft, clearances)
    looked_at = _look(studio, draft, ask_again, gate, progress)
    # The looks are read ahead: someone may have withdrawn since the last of them was opened.
    _require(studio, purpose, draft, ask_again())
    level = purpose.assessment.level
    decision = sign(
        {
            "draft": draft.digest,
            "project": purpose.project_id,
            "looked_at": looked_at,
            "level": level.name,
            "shortest_side": level.shortest_side,
            "time": stamp(studio.clock()),
        },
        studio.signing_key,
        kind=_DECISION,
    )
    with studio.database.session() as session:
        row = session.get(ReviewRow, draft.id)
        if row is None:
            session.add(
                ReviewRow(draft_id=draft.id, created=stamp(studio.clock()), decision=decision)
            )
        else:
            row.decision = decision
    return Reviewed(
        looked_at=looked_at,
        level=level.name,
        shortest_side=level.shortest_side,
        reviewer=purpose.brief.reviewer if level.sign_off else None,
        approved=_approve(studio, purpose, draft),
    )


def sign_off(
    studio: Studio, purpose: Purpose, draft: Draft, *, reviewer: str, key: SigningKey
) -> None:
    """Record the named reviewer's signature for `draft`.

    Raises `SignOffError` if the brief names someone else or the reviewer is in the draft,
    `IntegrityError` if the key is not theirs.
    """
    person = find_person(studio, reviewer)
    _check_reviewer(purpose, draft, person)
    if thumbprint(public_of(key)) != person.key_id:
        raise IntegrityError(
            f"this key is not {reviewer}'s", advice="Only the reviewer signs, with their own key."
        )
    token = sign(
        {
            "draft": draft.digest,
            "project": purpose.project_id,
            "decision": "release",
            "time": stamp(studio.clock()),
        },
        key,
        kind=_SIGN_OFF,
    )
    with studio.database.session() as session:
        row = session.get(ReviewRow, draft.id)
        if row is None:
            row = ReviewRow(draft_id=draft.id, created=stamp(studio.clock()))
            session.add(row)
        row.sign_off = token
        row.signed_by = person.id


def recall(
    studio: Studio, purpose: Purpose, draft: Draft, clearances: Sequence[Clearance]
) -> Approved:
    """Return the approval of a draft reviewed before.

    Raises `SignOffError` if there was no review or a signature is missing, `NotClearedError`
    without live clearances, `IntegrityError` if the decision was altered.
    """
    _require(studio, purpose, draft, clearances)
    approved = _approve(studio, purpose, draft)
    if approved is None:
        who = purpose.brief.reviewer or "a reviewer"
        raise SignOffError(f"draft {draft.id[:8]} still needs the signature of {who}")
    return approved


def _require(
    studio: Studio, purpose: Purpose, draft: Draft, clearances: Sequence[Clearance]
) -> None:
    people = {draft.donor_id, *draft.clip.people}
    require_all(clearances, people, Act.RELEASE, project_id=purpose.project_id, now=studio.clock())


def _look(
    studio: Studio,
    draft: Draft,
    ask_again: AskAgain,
    gate: ContentGate,
    progress: Progress,
) -> int:
    """Return how many looks the gate saw; raises `IntegrityError` unless they show all the film."""
    locker = Locker(studio)
    with draft.clip.open(locker, ask_again()) as footage:
        time_base = probe(footage, name=draft.clip.name).time_base
    looked_at = frames = 0
    # Frames that no look has shown yet are seen by the next one, if it comes soon enough.
    since, unseen = float("-inf"), False
    for pts, look in looks_of(draft, locker, ask_again):
        seconds = float(pts * time_base)
        if unseen and seconds - since > LONGEST_GAP:
            raise _unseen(draft)
        if look is not None:
            if is_explicit(gate.check(to_rgb(look))):
                raise ContentError(f"the draft shows explicit content at {seconds:.1f} s")
            looked_at += 1
            since = seconds
        elif looked_at == 0:
            raise _unseen(draft)
        unseen = look is None
        frames += 1
        progress("reviewing", frames, draft.frames)
    if unseen or frames != draft.frames:
        raise _unseen(draft)
    return looked_at


def _unseen(draft: Draft) -> IntegrityError:
    return IntegrityError(
        f"draft {draft.id[:8]} does not show all of its frames to a review",
        advice="Render it again.",
    )


def _approve(studio: Studio, purpose: Purpose, draft: Draft) -> Approved | None:
    """Mint the approval if every signature that is needed is there and intact."""
    with studio.database.session() as session:
        row = session.get(ReviewRow, draft.id)
    if row is None or row.decision is None:
        raise SignOffError(
            f"draft {draft.id[:8]} has not been reviewed", advice="Run `assent review` first."
        )
    decision = _verified(row.decision, studio.signing_key, _DECISION, draft)
    # The brief of today counts too: a rule that has become stricter lowers the cap.
    level = purpose.assessment.level
    if level.sign_off and not _is_signed(studio, purpose, draft, row):
        return None
    return Approved(
        draft=draft,
        shortest_side=min(int(decision["shortest_side"]), level.shortest_side),
        key=KEY,
    )


def _is_signed(studio: Studio, purpose: Purpose, draft: Draft, row: ReviewRow) -> bool:
    if row.sign_off is None or row.signed_by is None:
        return False
    person = person_by_id(studio, row.signed_by)
    _check_reviewer(purpose, draft, person)
    statement = _verified(row.sign_off, person.key, _SIGN_OFF, draft)
    return bool(statement.get("decision") == "release")


def _check_reviewer(purpose: Purpose, draft: Draft, person: Person) -> None:
    if purpose.brief.reviewer is None:
        raise SignOffError(
            "the brief names no reviewer",
            advice="Make the project with --reviewer, naming a person of the studio.",
        )
    if person.handle != purpose.brief.reviewer:
        raise SignOffError(f"the brief names {purpose.brief.reviewer} as reviewer")
    if person.id in {draft.donor_id, *draft.clip.people}:
        raise SignOffError("the reviewer must not be someone in the video")


def _verified(token: str, key: VerifyKey, kind: str, draft: Draft) -> dict[str, Any]:
    try:
        statement = verify(token, key, kind=kind)
    except AssentError as error:
        raise IntegrityError(f"the review of draft {draft.id[:8]} was altered: {error}") from error
    if statement.get("draft") != draft.digest:
        raise IntegrityError(f"the review is not of draft {draft.id[:8]}")
    return statement
