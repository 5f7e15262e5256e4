"""Faces of which no distance says surely whose they are: a person at the studio decides.

When a clip comes in with such a face, nothing of it is kept but what is needed to decide: a few
crops of the face, encrypted under the records of the people who were named. Who decides signs with
their own key and gives a reason, and the log gets a hash of that. The crops go then. The same clip,
added again, is taken in or refused as was decided.
"""

import hashlib
import io
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.binding import Bound, check
from assent.consent.clearance import Act, Clearance
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.consent.logged import find_entry
from assent.consent.people import Person, person_by_id
from assent.data.faces import CROP_SIZE, FaceCutter
from assent.data.spans import Ruling, Span
from assent.kit.canonical import canonical, digest
from assent.kit.clock import stamp
from assent.kit.errors import InputError, IntegrityError, NotFoundError, RefusedError
from assent.kit.faces.identity import TrackIdentity
from assent.kit.faces.tracks import Track
from assent.kit.said import hold_said
from assent.kit.signing import SigningKey, public_of, sign, signing_input, thumbprint, verify
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, DoubtRow
from assent.purpose.projects import Purpose

__all__ = [
    "PICTURES",
    "Doubt",
    "Ruling",
    "Span",
    "ask",
    "decide",
    "decision_to_sign",
    "find_doubt",
    "keep_decision",
    "list_doubts",
    "raise_doubt",
    "read_decision",
    "rule",
]

_KIND = "assent-face+jws"
_LONGEST_REASON = 2000
PICTURES = 4
"""Crops of each face that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A clip that waits, or waited, for a person to look at some of its faces."""

    id: str
    name: str
    sha256: str
    people: tuple[str, ...]
    spans: tuple[Span, ...]
    state: str
    created: str
    blob: str | None
    bound: Bound

    def needs(self) -> tuple[Need, ...]:
        """Return what must be asked before anybody looks: whether its people still agree."""
        acts = frozenset({Act.INGEST})
        return tuple(Need(person_id=person, acts=acts) for person in self.people)

    def pictures(self, locker: Locker, clearances: Collection[Clearance]) -> NDArray[np.uint8]:
        """Return crops of each span's face: RGB uint8 [spans, n, S, S, 3].

        Raises `NotClearedError` unless all who were named are cleared, `NotFoundError` if it is
        decided.
        """
        if self.blob is None:
            raise NotFoundError(f"{self.name} is decided; its pictures are gone")
        locker.hold(self.bound, clearances)
        data = io.BytesIO(locker.read(self.blob, clearances))
        return np.asarray(np.lib.format.read_array(data, allow_pickle=False), np.uint8)


def raise_doubt(
    studio: Studio,
    purpose: Purpose,
    unsure: Sequence[tuple[TrackIdentity, Track]],
    cutter: FaceCutter,
    clearances: Sequence[Clearance],
    *,
    name: str,
    sha256: str,
) -> Doubt:
    """Put away what is needed to decide about `unsure` faces; the same again changes nothing."""
    spans = [Span.of(identity, track) for identity, track in unsure]
    known = _asked(studio, purpose, sha256, spans)
    if known is not None:
        return known
    pictures = _pictures([track for _, track in unsure], cutter)
    return ask(studio, purpose, spans, pictures, clearances, name=name, sha256=sha256)


def ask(
    studio: Studio,
    purpose: Purpose,
    spans: Sequence[Span],
    pictures: NDArray[np.uint8],
    clearances: Sequence[Clearance],
    *,
    name: str,
    sha256: str,
) -> Doubt:
    """Put a question away, with crops of each span's face; asked again it changes nothing.

    Args:
        studio: where.
        purpose: the project's.
        spans: each says whose a face may be, and when.
        pictures: RGB uint8 [spans, n, S, S, 3].
        clearances: of everybody in the clip.
        name: the clip's.
        sha256: the clip's.
    """
    known = _asked(studio, purpose, sha256, spans)
    if known is not None:
        return known
    sink = io.BytesIO()
    np.save(sink, pictures, allow_pickle=False)
    locker = Locker(studio)
    row = DoubtRow(
        id=uuid.uuid4().hex,
        project_id=purpose.project_id,
        name=name,
        sha256=sha256,
        people=[clearance.person_id for clearance in clearances],
        receipts=sorted(clearance.receipt_hash for clearance in clearances),
        spans={"spans": [asdict(span) for span in spans]},
        state="waiting",
        created=stamp(studio.clock()),
        salt=secrets.token_hex(32),
        sheet_blob=locker.put([sink.getvalue()], clearances),
        binding="",
    )
    bound = _bound(row)
    row.binding = locker.bind(bound.kind, bound.facts, clearances)
    with studio.database.session() as session:
        session.add(row)
    return _doubt_of(row)


def _asked(studio: Studio, purpose: Purpose, sha256: str, spans: Sequence[Span]) -> Doubt | None:
    """The same question, if it waits already."""
    for known in list_doubts(studio, purpose):
        if known.sha256 == sha256 and known.state == "waiting" and known.spans == tuple(spans):
            return known
    return None


def _pictures(tracks: Sequence[Track], cutter: FaceCutter) -> NDArray[np.uint8]:
    """Some crops of each track; grey where none was kept of it."""
    sets = cutter.face_sets([(f"{track.id}", track) for track in tracks])
    grey = np.full((1, CROP_SIZE, CROP_SIZE, 3), 90, np.uint8)
    crops = [sets[f"{track.id}"].faces if f"{track.id}" in sets else grey for track in tracks]
    evenly = [np.linspace(0, len(each) - 1, PICTURES).round().astype(int) for each in crops]
    return np.stack([each[picked] for each, picked in zip(crops, evenly, strict=True)])


def list_doubts(studio: Studio, purpose: Purpose) -> tuple[Doubt, ...]:
    """Return the project's doubts, decided ones too, oldest first."""
    return tuple(_doubt_of(row) for row in _rows(studio, purpose))


def find_doubt(studio: Studio, purpose: Purpose, doubt_id: str) -> Doubt:
    """Return the waiting doubt whose id begins with `doubt_id`; raises `NotFoundError`."""
    return _doubt_of(_waiting(studio, purpose, doubt_id))


def decide(
    studio: Studio,
    purpose: Purpose,
    doubt_id: str,
    member: Person,
    key: SigningKey,
    *,
    same: bool,
    reason: str,
) -> Doubt:
    """Record a member's decision that the faces are those of whom they may be, or aren't.

    Raises `RefusedError` unless they work for the studio and are no subject of the project,
    `IntegrityError` if the key is not theirs or the doubt was altered, `InputError` without reason.
    """
    row = _waiting(studio, purpose, doubt_id)
    _check_member(studio, purpose, row, member)
    if thumbprint(public_of(key)) != member.key_id:
        raise IntegrityError(
            f"this key is not {member.handle}'s", advice="Who decides signs with their own key."
        )
    statement = _statement(studio, row, member, same=same, reason=reason)
    resumed = row.decision is not None
    token = row.decision or sign(statement, key, kind=_KIND)
    wanted = "same" if same else "other"
    return _conclude(studio, row, member, token, resumed=resumed, wanted=wanted)


def decision_to_sign(
    studio: Studio, purpose: Purpose, doubt_id: str, member: Person, *, same: bool, reason: str
) -> str:
    """Return what a member signs in a browser to decide; raises as `decide`."""
    row = _waiting(studio, purpose, doubt_id)
    _check_member(studio, purpose, row, member)
    statement = _statement(studio, row, member, same=same, reason=reason)
    return signing_input(statement, member.key, kind=_KIND)


def keep_decision(
    studio: Studio, purpose: Purpose, doubt_id: str, member: Person, token: str
) -> Doubt:
    """Keep what a member signed; raises as `decide`, and if it isn't what they were to sign."""
    row = _waiting(studio, purpose, doubt_id)
    _check_member(studio, purpose, row, member)
    said = verify(token, member.key, kind=_KIND)
    told = (said.get("doubt"), said.get("by"), said.get("outcome") in ("same", "other"))
    if told != (digest(dict(_bound(row).facts)), member.id, True):
        raise IntegrityError(f"this signature is not about {row.name}")
    asked = _statement(
        studio, row, member, same=said["outcome"] == "same", reason=str(said.get("reason", ""))
    )
    hold_said(said, asked, now=studio.clock(), about=row.name)
    # A decision that was signed before, and not finished, stands.
    resumed = row.decision is not None
    wanted = str(said["outcome"])
    return _conclude(studio, row, member, row.decision or token, resumed=resumed, wanted=wanted)


def _conclude(
    studio: Studio, row: DoubtRow, member: Person, token: str, *, resumed: bool, wanted: str
) -> Doubt:
    check(studio, _bound(row))
    if not resumed:
        # Kept first: who repeats a command that was killed finishes what they signed.
        row.decision, row.decided_by = token, member.id
        _keep(studio, row)
    said = verify(token, person_by_id(studio, str(row.decided_by)).key, kind=_KIND)
    if said["outcome"] != wanted:
        raise InputError(
            f"{row.name} was decided the other way", advice="Repeat that, and add the clip again."
        )
    hashed = hashlib.sha256(f"{row.salt}.{token}".encode()).hexdigest()
    entry = {"kind": "face.decided", "decision": hashed, "time": said["time"]}
    told = find_entry(studio, "face.decided", decision=hashed) if resumed else None
    row.log_index = studio.log.append([canonical(entry)])[0] if told is None else told
    gone, row.sheet_blob = row.sheet_blob, None
    row.state = "approved" if said["outcome"] == "same" else "rejected"
    _keep(studio, row)
    if gone is not None:
        Locker(studio).forget(gone)
    return _doubt_of(row)


def _keep(studio: Studio, row: DoubtRow) -> None:
    with studio.database.session() as session:
        session.merge(row)


def _statement(
    studio: Studio, row: DoubtRow, member: Person, *, same: bool, reason: str
) -> dict[str, str]:
    if not 3 <= len(reason.strip()) <= _LONGEST_REASON:
        raise InputError("a decision needs a reason", advice="Say in a sentence what you saw.")
    return {
        "doubt": digest(dict(_bound(row).facts)),
        "by": member.id,
        "outcome": "same" if same else "other",
        "reason": reason.strip(),
        "time": stamp(studio.clock()),
    }


def rule(
    studio: Studio, purpose: Purpose, sha256: str, clearances: Collection[Clearance]
) -> Ruling:
    """Return what was decided about the clip with that hash, for these very consents.

    Every signature is verified: what the database says of a decision is never enough. Raises
    `IntegrityError` if a decision was altered, `RefusedError` if who decided may not any more.
    """
    receipts = sorted(clearance.receipt_hash for clearance in clearances)
    same: list[Span] = []
    other: list[Span] = []
    for row in _rows(studio, purpose):
        if row.sha256 != sha256 or row.receipts != receipts or row.state == "waiting":
            continue
        (same if _outcome(studio, purpose, row) == "same" else other).extend(_doubt_of(row).spans)
    return Ruling(same=tuple(same), other=tuple(other))


def read_decision(studio: Studio, row: DoubtRow) -> Mapping[str, Any] | None:
    """Return what was decided about a doubt, verified; None if it waits.

    Raises `IntegrityError` if it was altered.
    """
    if row.decision is None:
        return None
    return verify(row.decision, person_by_id(studio, str(row.decided_by)).key, kind=_KIND)


def _outcome(studio: Studio, purpose: Purpose, row: DoubtRow) -> str:
    bound = _bound(row)
    check(studio, bound)
    member = person_by_id(studio, str(row.decided_by))
    _check_member(studio, purpose, row, member)
    said = verify(str(row.decision), member.key, kind=_KIND)
    if (said.get("doubt"), said.get("by")) != (digest(dict(bound.facts)), member.id):
        raise IntegrityError(f"what was decided about {row.name} is about something else")
    return str(said["outcome"])


def _check_member(studio: Studio, purpose: Purpose, row: DoubtRow, member: Person) -> None:
    if not member.staff:
        raise RefusedError(
            f"{member.handle} does not decide for the studio",
            advice="Add who decides with `assent person add --staff`.",
        )
    with studio.database.session() as session:
        subject = session.scalars(
            select(ConsentRow.id).where(
                ConsentRow.project_id == purpose.project_id, ConsentRow.person_id == member.id
            )
        ).first()
    if subject is not None or member.id in row.people:
        raise RefusedError(
            f"{member.handle} is a subject of this project and can't decide about its faces",
            advice="Ask somebody else at the studio.",
        )


def _rows(studio: Studio, purpose: Purpose) -> Sequence[DoubtRow]:
    with studio.database.session() as session:
        return session.scalars(
            select(DoubtRow)
            .where(DoubtRow.project_id == purpose.project_id)
            .order_by(DoubtRow.created, DoubtRow.id)
        ).all()


def _waiting(studio: Studio, purpose: Purpose, doubt_id: str) -> DoubtRow:
    found = [
        row
        for row in _rows(studio, purpose)
        if row.state == "waiting" and doubt_id and row.id.startswith(doubt_id)
    ]
    if len(found) != 1:
        raise NotFoundError(
            f"no face of a clip '{doubt_id}' waits for a decision",
            advice="See `assent footage review`.",
        )
    return found[0]


def _doubt_of(row: DoubtRow) -> Doubt:
    return Doubt(
        id=row.id,
        name=row.name,
        sha256=row.sha256,
        people=tuple(row.people),
        spans=tuple(Span(**span) for span in row.spans["spans"]),
        state=row.state,
        created=row.created,
        blob=row.sheet_blob,
        bound=_bound(row),
    )


def _bound(row: DoubtRow) -> Bound:
    facts: Mapping[str, Any] = {
        "id": row.id,
        "project": row.project_id,
        "name": row.name,
        "sha256": row.sha256,
        "people": sorted(row.people),
        "receipts": row.receipts,
        "spans": row.spans["spans"],
    }
    return Bound(
        kind="doubt", name=f"the question about {row.name}", facts=facts, token=row.binding
    )
