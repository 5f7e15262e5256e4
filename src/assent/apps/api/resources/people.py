"""People, invitations, and the states of consent; nobody signs by the API in anybody's stead.

A person who is added here has no key: they make their own in the ceremony, which an invitation
leads to. Reviewers and members of staff, whose keys decide, are added at the studio's machine.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select

from assent.apps.access.permissions import Action
from assent.apps.access.subjects import projects_of
from assent.apps.api.call import Asked, Call, get, post
from assent.apps.api.paging import Cursor, Limit, make_cursor, page_of, read_cursor
from assent.apps.api.shapes import Day, Handle, Line, Received, Told, Words, example
from assent.consent.clearance import Act, Modality
from assent.consent.invitations import invite, list_invitations
from assent.consent.people import Person, add_person, find_person, list_people
from assent.consent.record import Forbidden
from assent.consent.register import Listed, list_records
from assent.consent.terms import Terms
from assent.kit.errors import NotFoundError
from assent.kit.store.tables import InvitationRow, PersonRow

__all__ = ["OPERATIONS"]


class NewPerson(Received):
    """Somebody to be asked for consent."""

    model_config = example(handle="ada", name="Ada")
    handle: Handle
    name: Line


class PersonTold(Told):
    """Somebody whom the studio knows; `key` is the thumbprint of their own public key."""

    id: str
    handle: str
    name: str
    key: str | None
    staff: bool


class People(Told):
    """A page of people, by handle."""

    items: list[PersonTold]
    next: str | None


class TermsIn(Received):
    """What is asked for; what is left out is taken from the brief."""

    acts: list[Act] = Field(min_length=1, max_length=5)
    modalities: list[Modality] = Field(default=[Modality.FACE], min_length=1, max_length=2)
    use: Words | None = None
    channels: list[Line] | None = Field(default=None, min_length=1, max_length=50)
    territory: Line = "worldwide"
    starts: Day | None = None
    ends: Day | None = None
    most_releases: int = Field(default=10, ge=1, le=10_000, strict=True)
    compensation: Line = "as agreed"
    forbidden: list[Forbidden] = Field(default=[], max_length=5)
    language: Literal["en", "de", "es"] = "en"
    final_approval: bool = Field(default=False, strict=True)


class NewInvitation(Received):
    """An offer to somebody, with what is asked for; `adult` attests that they are 18 or older."""

    model_config = example(
        person="ada", adult=True, hours=48, terms={"acts": ["ingest", "train", "perform"]}
    )
    person: Handle
    adult: Literal[True]
    terms: TermsIn
    hours: int = Field(default=48, ge=1, le=720, strict=True)


class InvitationMade(Told):
    """A one-time link, told this once: send it by a way that only the person reads."""

    person: str
    link: str
    expires_in_hours: int


class InvitationTold(Told):
    """A link that was made, never the link itself."""

    id: str
    person: str
    state: str
    created: str
    expires: str


class Invitations(Told):
    """A page of invitations."""

    items: list[InvitationTold]
    next: str | None


class ConsentTold(Told):
    """One version of one person's consent."""

    id: str
    version: int
    person: str
    state: str
    starts: str
    ends: str
    acts: list[str]


class Consents(Told):
    """A page of consents, oldest first."""

    items: list[ConsentTold]
    next: str | None


def list_everyone(call: Asked, cursor: Cursor = None, limit: Limit = 50) -> People:
    """Those whom the studio knows, by handle."""
    after = read_cursor(cursor, "people", 1)[0] if cursor else None
    found = list_people(call.studio, limit=limit + 1, after=after)
    more = len(found) > limit
    return People(
        items=[_person(each) for each in found[:limit]],
        next=make_cursor("people", [found[limit - 1].handle]) if more else None,
    )


def add_someone(call: Asked, new: NewPerson, response: Response) -> PersonTold:
    """Make somebody known who is to be asked; again, it changes nothing."""
    added = add_person(call.studio, handle=new.handle, name=new.name, key=None)
    response.headers["Location"] = f"/api/v1/people/{added.handle}"
    return _person(added)


def show_person(call: Asked, person: str) -> PersonTold:
    """Somebody whom the studio knows."""
    return _person(find_person(call.studio, person))


def invite_someone(call: Asked, project: str, new: NewInvitation) -> InvitationMade:
    """Offer terms to somebody: a one-time link to the ceremony in which they read, record and sign.

    It takes the place of an offer of this project to them that is still open.
    """
    purpose, terms = call.purpose, new.terms
    brief = purpose.brief
    asked = Terms(
        acts=frozenset(terms.acts),
        modalities=frozenset(terms.modalities),
        use=terms.use or brief.purpose,
        channels=frozenset(terms.channels or brief.channels),
        territory=terms.territory,
        starts=terms.starts or brief.starts,
        ends=terms.ends or brief.ends,
        most_releases=terms.most_releases,
        compensation=terms.compensation,
        forbidden=frozenset(terms.forbidden),
        language=terms.language,
        final_approval=terms.final_approval,
    )
    person = _known(call, new.person)
    secret = invite(call.studio, purpose, person, asked, lifetime=timedelta(hours=new.hours))
    return InvitationMade(
        person=person.handle, link=f"{call.api.origin}/c/{secret}", expires_in_hours=new.hours
    )


def _known(call: Call, handle: str) -> Person:
    """Return a person; for who works for some projects alone, one who was asked in them."""
    person = find_person(call.studio, handle)
    whole = bool(call.who.roles_in(None))
    places = projects_of(call.studio, person.id)
    if not whole and not any(call.may_in(Action.CHANGE_PEOPLE, each) for each in places):
        raise NotFoundError(f"no person '{handle}'", advice="See `assent person list`.")
    return person


def list_links(call: Asked, project: str, cursor: Cursor = None, limit: Limit = 50) -> Invitations:
    """The invitations of a project, and how far each is."""
    chosen = select(InvitationRow).where(
        InvitationRow.project_id == call.of.id, InvitationRow.terms.is_not(None)
    )
    order = (InvitationRow.created, InvitationRow.id)
    rows, more = page_of(
        call.studio.database, chosen, order, kind="invitations", cursor=cursor, limit=limit
    )
    with call.studio.database.session() as session:
        handles: Mapping[str, str] = {
            row.id: row.handle
            for row in session.execute(
                select(PersonRow.id, PersonRow.handle).where(
                    PersonRow.id.in_({row.person_id for row in rows})
                )
            )
        }
    states = {each.id: each.state for each in list_invitations(call.studio)}
    return Invitations(
        items=[
            InvitationTold(
                id=row.id,
                person=handles[row.person_id],
                state=states[row.id],
                created=row.created,
                expires=row.expires,
            )
            for row in rows
        ],
        next=more,
    )


State = Annotated[
    Literal["offered", "waiting", "live", "superseded", "rejected", "withdrawn", "expired"] | None,
    Query(description="Only consents in this state."),
]


def list_consents(
    call: Asked,
    project: str,
    person: Annotated[Handle | None, Query(description="Only this person's.")] = None,
    state: State = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Consents:
    """The consents of a project, each version with its state; oldest first."""
    after = read_cursor(cursor, "consents", 1)[0] if cursor else None
    found: list[Listed] = []
    more = True
    # What is filtered out doesn't count, so a page may take several looks.
    while more and len(found) <= limit:
        part = list_records(call.studio, limit=200, after=after, project_id=call.of.id)
        more = len(part) == 200
        after = _name(part[-1]) if part else None
        found += [
            each for each in part if person in (None, each.handle) and state in (None, each.state)
        ]
    return Consents(
        items=[_consent(each) for each in found[:limit]],
        next=make_cursor("consents", [_name(found[limit - 1])]) if len(found) > limit else None,
    )


def _name(listed: Listed) -> str:
    return f"{listed.record_id}:{listed.version}"


def _consent(listed: Listed) -> ConsentTold:
    return ConsentTold(
        id=listed.record_id,
        version=listed.version,
        person=listed.handle,
        state=listed.state,
        starts=listed.starts,
        ends=listed.ends,
        acts=list(listed.acts),
    )


def _person(person: Any) -> PersonTold:  # noqa: ANN401 - a person
    return PersonTold(
        id=person.id,
        handle=person.handle,
        name=person.name,
        key=None if person.known_key is None else person.key_id,
        staff=person.staff,
    )


OPERATIONS = (
    get("/people", list_everyone, Action.READ_PEOPLE, tags=["people"]),
    post("/people", add_someone, Action.ADD_PERSON, tags=["people"]),
    get("/people/{person}", show_person, Action.READ_PEOPLE, tags=["people"]),
    get("/projects/{project}/invitations", list_links, Action.READ_PEOPLE, tags=["consent"]),
    post("/projects/{project}/invitations", invite_someone, Action.CHANGE_PEOPLE, tags=["consent"]),
    get("/projects/{project}/consents", list_consents, Action.READ_PEOPLE, tags=["consent"]),
)
