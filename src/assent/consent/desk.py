"""The only place that issues a `Clearance`: it looks the live record up and reads what was signed.

The signatures are verified at every call. What the database says of a record is never enough: the
terms are taken from the document that the subject signed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select

from assent.consent._key import KEY
from assent.consent.clearance import Act, Clearance, Modality
from assent.consent.holds import require_free
from assent.consent.people import Person, person_by_id
from assent.consent.receipt import hash_receipt, read_receipt
from assent.consent.record import ConsentRecord
from assent.consent.versions import newest_version
from assent.kit.canonical import digest, parse_object
from assent.kit.errors import (
    AssentError,
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
)
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, DraftRow, FootageRow, ModelRow, ReleaseRow
from assent.purpose.library import packs_of
from assent.purpose.places import read_places
from assent.purpose.projects import Purpose
from assent.purpose.rules import RecordTerms, decide

__all__ = ["Need", "clear", "clear_all", "live_record"]

# Long enough for one piece of work (a segment, a checkpoint), short enough that a withdrawal
# stops a job that asks again.
GOOD_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is asked of one person."""

    person_id: str
    acts: frozenset[Act]
    modalities: frozenset[Modality] = field(default=frozenset({Modality.FACE}))


def clear_all(studio: Studio, purpose: Purpose, needs: Collection[Need]) -> tuple[Clearance, ...]:
    """Clear every need or raise `NotClearedError` for the first that isn't covered."""
    return tuple(
        clear(studio, purpose, person_id=need.person_id, acts=need.acts, modalities=need.modalities)
        for need in needs
    )


def clear(
    studio: Studio,
    purpose: Purpose,
    *,
    person_id: str,
    acts: Collection[Act],
    modalities: Collection[Modality] = (Modality.FACE,),
) -> Clearance:
    """Issue a clearance for `acts` on `modalities` of one person, good for five minutes.

    Raises `NotClearedError` unless a live record of this project, with both signatures intact and
    today within its term, covers all of it, and no case has stopped work on the project.
    """
    require_free(studio, purpose.project_id, slug=purpose.slug)
    person = person_by_id(studio, person_id)
    row, record = live_record(studio, purpose, person)
    _check_references(record, studio, purpose, person)
    _check_newest(studio, row, person)
    _check_logged(studio, row, person)
    _check_term(studio, record, person)
    _check_scope(record, person, acts, modalities)
    _check_limits(record, purpose, person)
    _check_rules(studio, record, purpose, acts, modalities)
    if Act.RELEASE in acts:
        _check_release(studio, record, purpose, person)
    return Clearance(
        person_id=person.id,
        project_id=purpose.project_id,
        record_id=record.record_id,
        receipt_hash=str(row.receipt_hash),
        modalities=frozenset(modalities),
        acts=frozenset(acts),
        expires=studio.clock() + GOOD_FOR,
        key=KEY,
    )


def live_record(
    studio: Studio, purpose: Purpose, person: Person
) -> tuple[ConsentRow, ConsentRecord]:
    """Return the live record of a person for a project, with both signatures intact, and its row.

    Raises `NotClearedError` if there is none. It is no permission to do anything.
    """
    row = _live_row(studio, purpose, person)
    return row, _signed_record(studio, row, person)


def _live_row(studio: Studio, purpose: Purpose, person: Person) -> ConsentRow:
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow)
            .where(
                ConsentRow.project_id == purpose.project_id,
                ConsentRow.person_id == person.id,
            )
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    live = [row for row in rows if row.state == "live"]
    if live:
        # A database put back to before a withdrawal must not bring the consent back.
        if not studio.keyring.has(live[-1].record_id):
            raise NotClearedError(f"{person.handle}'s key was destroyed; consent was withdrawn")
        return live[-1]
    if any(row.state == "withdrawn" for row in rows):
        raise NotClearedError(f"{person.handle} withdrew consent for '{purpose.slug}'")
    if any(row.state == "expired" for row in rows):
        raise NotClearedError(f"{person.handle}'s consent for '{purpose.slug}' expired")
    if rows:
        raise NotClearedError(
            f"{person.handle} has not signed the consent record for '{purpose.slug}' yet",
            advice="Let them sign the offer, then run `assent consent accept`.",
        )
    raise NotClearedError(f"{person.handle} has given no consent for '{purpose.slug}'")


def _signed_record(studio: Studio, row: ConsentRow, person: Person) -> ConsentRecord:
    try:
        receipt = read_receipt(str(row.receipt), subject=person.key, studio=studio.signing_key)
    except AssentError as error:
        raise NotClearedError(
            f"{person.handle}'s consent record was altered: {error}",
            advice="Restore the studio folder from a backup, or ask for consent again.",
        ) from error
    record = receipt.record
    # Else the receipt of a record whose key is gone could lie under one whose key is there.
    if (record.record_id, record.version) != (row.record_id, row.version):
        raise NotClearedError(f"{person.handle}'s receipt belongs to another record")
    if hash_receipt(str(row.receipt), row.salt) != row.receipt_hash:
        raise NotClearedError(f"{person.handle}'s receipt is not the one in the log")
    return record


def _check_newest(studio: Studio, row: ConsentRow, person: Person) -> None:
    """Raise `NotClearedError` if a newer version took this one's place, whatever the row says."""
    try:
        newest = newest_version(studio, row.record_id)
    except IntegrityError as error:
        raise NotClearedError(
            f"the version of {person.handle}'s record was altered: {error}"
        ) from error
    if row.version < newest:
        raise NotClearedError(
            f"a newer version of {person.handle}'s record took this one's place",
            advice="The studio's database was changed or put back: restore the newest backup, or "
            "run `assent consent accept` again if it was interrupted.",
        )


def _check_logged(studio: Studio, row: ConsentRow, person: Person) -> None:
    """Raise `NotClearedError` unless the public log says, where it should, that this was granted.

    A log that was cut short or put back doesn't.
    """
    try:
        entry = parse_object(
            studio.log.reader().entry(-1 if row.log_index is None else row.log_index),
            name="the log entry",
        )
    except (NotFoundError, InputError, IntegrityError) as error:
        raise NotClearedError(
            f"the log does not hold {person.handle}'s consent: {error}",
            advice="Restore the newest copy of the log's folder.",
        ) from error
    if (entry.get("kind"), entry.get("receipt")) != ("consent.granted", row.receipt_hash):
        raise NotClearedError(
            f"the log does not hold {person.handle}'s consent where it should",
            advice="Restore the newest copy of the log's folder.",
        )


def _check_references(
    record: ConsentRecord, studio: Studio, purpose: Purpose, person: Person
) -> None:
    if record.controller.id != studio.id:
        raise NotClearedError(f"{person.handle} consented to work by another studio")
    if record.project.id != purpose.project_id:
        raise NotClearedError(f"{person.handle} consented to another project")
    if record.principal.id != person.id:
        raise NotClearedError(f"the record is not {person.handle}'s")
    if record.project.brief_sha256 != digest(purpose.brief.to_json()):
        raise NotClearedError(f"the brief has changed since {person.handle} agreed to it")


def _check_term(studio: Studio, record: ConsentRecord, person: Person) -> None:
    today = studio.clock().date()
    if today < record.scope.starts:
        raise NotClearedError(
            f"{person.handle}'s consent begins on {record.scope.starts}",
            advice="Wait until then, or ask for consent that begins earlier.",
        )
    if today > record.scope.ends:
        raise NotClearedError(f"{person.handle}'s consent expired on {record.scope.ends}")


def _check_scope(
    record: ConsentRecord,
    person: Person,
    acts: Collection[Act],
    modalities: Collection[Modality],
) -> None:
    wanted = [act.value for act in Act if act in acts and act not in record.scope.acts]
    wanted += [m.value for m in Modality if m in modalities and m not in record.scope.modalities]
    if wanted:
        raise NotClearedError(f"{person.handle} has not agreed to: {', '.join(wanted)}")


def _check_limits(record: ConsentRecord, purpose: Purpose, person: Person) -> None:
    brief = purpose.brief
    shown = {
        "political": brief.risk.political or brief.risk.election,
        "advertising": brief.risk.advertising or brief.category.value == "advertising",
        "health-or-money": brief.risk.health or brief.risk.finance,
        "satire": brief.risk.satire or brief.category.value == "satire",
        "news": brief.risk.news or brief.category.value == "news",
    }
    for content in sorted(record.forbidden):
        if shown[content]:
            raise NotClearedError(f"{person.handle} does not allow {content} content")


def _check_rules(
    studio: Studio,
    record: ConsentRecord,
    purpose: Purpose,
    acts: Collection[Act],
    modalities: Collection[Modality],
) -> None:
    """Raise `ForbiddenPurposeError` if a rule of today refuses one of `acts`."""
    scope = record.scope
    terms = RecordTerms(
        use=scope.use,
        territory=scope.territory,
        starts=scope.starts,
        ends=scope.ends,
        acts=frozenset(act.value for act in scope.acts),
        modalities=frozenset(modality.value for modality in scope.modalities),
    )
    packs, day = packs_of(studio), studio.clock().date()
    used = frozenset(modality.value for modality in modalities)
    for act in Act:
        if act in acts:
            decide(
                purpose.brief, packs, day=day, terms=terms, act=act.value, modalities=used
            ).require()


def _check_release(studio: Studio, record: ConsentRecord, purpose: Purpose, person: Person) -> None:
    missing = sorted(set(purpose.brief.channels) - record.scope.channels)
    if missing:
        raise NotClearedError(
            f"{person.handle} has not agreed to the channels: {', '.join(missing)}"
        )
    places = read_places(record.scope.territory)
    outside = sorted(place for place in purpose.brief.places if not places.cover(place))
    if outside:
        raise NotClearedError(
            f"{person.handle} has not agreed to release in: {', '.join(outside)} "
            f"(only {record.scope.territory})"
        )
    if _releases_with(studio, purpose, person) >= record.scope.most_releases:
        raise NotClearedError(
            f"{person.handle} agreed to {record.scope.most_releases} release(s), all used"
        )


def _releases_with(studio: Studio, purpose: Purpose, person: Person) -> int:
    with studio.database.session() as session:
        return int(
            session.scalar(
                select(func.count())
                .select_from(ReleaseRow)
                .join(DraftRow, DraftRow.id == ReleaseRow.draft_id)
                .join(ModelRow, ModelRow.id == DraftRow.model_id)
                .join(FootageRow, FootageRow.id == DraftRow.footage_id)
                .where(
                    ReleaseRow.state == "released",
                    DraftRow.project_id == purpose.project_id,
                    (ModelRow.donor_id == person.id) | (ModelRow.performer_id == person.id),
                )
            )
            or 0
        )
