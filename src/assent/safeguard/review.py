"""Look at a draft before it may be sealed.

The content gate sees the draft's looks, small frames that show all of it; the seal holds each to
its frame. What the project's level of risk asks (a cap on the resolution, a person's signature) is
applied, and what people must sign: the draft, and each claim of the brief. The decision is kept as
a JWS over the draft's digest, so that an approval found in the database is worth only what its
signature is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.finals import require_finals
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
from assent.kit.said import hold_said
from assent.kit.signing import (
    SigningKey,
    VerifyKey,
    public_of,
    sign,
    signing_input,
    thumbprint,
    verify,
)
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReviewRow, SignOffRow
from assent.purpose.library import check_set
from assent.purpose.projects import Purpose
from assent.safeguard._key import KEY
from assent.safeguard.approved import Approved
from assent.safeguard.claims import check_claims, reviewers_of

__all__ = [
    "Reviewed",
    "Signed",
    "decision_on",
    "keep_sign_off",
    "missing_signature",
    "recall",
    "review",
    "sign_off",
    "sign_off_to_sign",
    "sign_offs_of",
]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who has signed a draft off, verified, and when."""

    handle: str
    time: str


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
    row = ReviewRow(draft_id=draft.id, created=stamp(studio.clock()), decision=decision)
    with studio.database.session() as session:
        session.merge(row)
    missing = missing_signature(studio, purpose, draft)
    return Reviewed(
        looked_at=looked_at,
        level=level.name,
        shortest_side=level.shortest_side,
        reviewer=missing or (purpose.brief.reviewer if level.sign_off else None),
        approved=None if missing else _approve(studio, purpose, draft),
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
    token = sign(_yes(studio, purpose, draft), key, kind=_SIGN_OFF)
    keep_sign_off(studio, purpose, draft, person, token)


def sign_off_to_sign(studio: Studio, purpose: Purpose, draft: Draft, reviewer: Person) -> str:
    """Return what the reviewer signs in a browser to let `draft` go; raises as `sign_off`."""
    _check_reviewer(purpose, draft, reviewer)
    return signing_input(_yes(studio, purpose, draft), reviewer.key, kind=_SIGN_OFF)


def keep_sign_off(
    studio: Studio, purpose: Purpose, draft: Draft, reviewer: Person, token: str
) -> None:
    """Keep what the reviewer signed; raises as `sign_off`, and if it isn't what they were to."""
    _check_reviewer(purpose, draft, reviewer)
    said = _verified(token, reviewer.key, _SIGN_OFF, draft)
    now = studio.clock()
    hold_said(said, _yes(studio, purpose, draft), now=now, about=f"draft {draft.id[:8]}")
    row = SignOffRow(draft_id=draft.id, person_id=reviewer.id, token=token, created=stamp(now))
    with studio.database.session() as session:
        session.merge(row)


def _yes(studio: Studio, purpose: Purpose, draft: Draft) -> dict[str, str]:
    return {
        "draft": draft.digest,
        "project": purpose.project_id,
        "decision": "release",
        "time": stamp(studio.clock()),
    }


def sign_offs_of(studio: Studio, purpose: Purpose, draft: Draft) -> tuple[Signed, ...]:
    """Return who has signed `draft` off; raises `IntegrityError` if a signature was altered."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(SignOffRow).where(SignOffRow.draft_id == draft.id).order_by(SignOffRow.created)
        ).all()
    found = []
    for row in rows:
        person = person_by_id(studio, row.person_id)
        _check_reviewer(purpose, draft, person)
        statement = _verified(row.token, person.key, _SIGN_OFF, draft)
        if statement.get("decision") == "release":
            found.append(Signed(handle=person.handle, time=str(statement.get("time"))))
    return tuple(found)


def decision_on(studio: Studio, draft: Draft) -> dict[str, Any] | None:
    """Return the decision of the last review of `draft`; raises `IntegrityError` if altered."""
    with studio.database.session() as session:
        row = session.get(ReviewRow, draft.id)
    return None if row is None else _verified(row.decision, studio.signing_key, _DECISION, draft)


def recall(
    studio: Studio, purpose: Purpose, draft: Draft, clearances: Sequence[Clearance]
) -> Approved:
    """Return the approval of a draft reviewed before.

    Raises `SignOffError` if there was no review or a signature is missing, `NotClearedError`
    without live clearances, `IntegrityError` if the decision was altered.
    """
    _require(studio, purpose, draft, clearances)
    missing = missing_signature(studio, purpose, draft)
    if missing is not None:
        raise SignOffError(f"draft {draft.id[:8]} still needs the signature of {missing}")
    return _approve(studio, purpose, draft)


def _require(
    studio: Studio, purpose: Purpose, draft: Draft, clearances: Sequence[Clearance]
) -> None:
    people = _people_in(draft)
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


def _approve(studio: Studio, purpose: Purpose, draft: Draft) -> Approved:
    """Mint the approval: a verified review, and claims and rule packs as they must be."""
    decision = decision_on(studio, draft)
    if decision is None:
        raise _unreviewed(draft)
    check_set(studio)
    # The brief of today counts too: a rule that has become stricter lowers the cap.
    level = purpose.assessment.level
    if level.ticks:
        check_claims(studio, purpose.project_id, purpose.brief, shown=_people_in(draft))
    require_finals(studio, purpose, _people_in(draft), draft_id=draft.id, draft=draft.digest)
    return Approved(
        draft=draft,
        shortest_side=min(int(decision["shortest_side"]), level.shortest_side),
        strong_mark=level.strong_mark,
        key=KEY,
    )


def missing_signature(studio: Studio, purpose: Purpose, draft: Draft) -> str | None:
    """Return whose signature the level of risk still asks for, or None.

    Raises `SignOffError` before the first review, `IntegrityError` if anything was altered.
    """
    level = purpose.assessment.level
    if not level.sign_off:
        return None
    if decision_on(studio, draft) is None:
        raise _unreviewed(draft)
    signed = {each.handle for each in sign_offs_of(studio, purpose, draft)}
    asked = [purpose.brief.reviewer or "a reviewer"]
    if level.second_reviewer:
        asked.append(purpose.brief.second_reviewer or "a second reviewer")
    return next((who for who in asked if who not in signed), None)


def _unreviewed(draft: Draft) -> SignOffError:
    return SignOffError(
        f"draft {draft.id[:8]} has not been reviewed", advice="Run `assent review` first."
    )


def _people_in(draft: Draft) -> set[str]:
    return {draft.donor_id, *draft.clip.people}


def _check_reviewer(purpose: Purpose, draft: Draft, person: Person) -> None:
    named = reviewers_of(purpose.brief)
    if not named:
        raise SignOffError(
            "the brief names no reviewer",
            advice="Make the project with --reviewer, naming a person of the studio.",
        )
    if person.handle not in named:
        raise SignOffError(f"the brief names {' and '.join(named)} as reviewer")
    if person.id in _people_in(draft):
        raise SignOffError("the reviewer must not be someone in the video")


def _verified(token: str, key: VerifyKey, kind: str, draft: Draft) -> dict[str, Any]:
    try:
        statement = verify(token, key, kind=kind)
    except AssentError as error:
        raise IntegrityError(f"the review of draft {draft.id[:8]} was altered: {error}") from error
    if statement.get("draft") != draft.digest:
        raise IntegrityError(f"the review is not of draft {draft.id[:8]}")
    return statement
