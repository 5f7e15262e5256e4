"""Step 2: people and their consents. Asking, by a link; how far each is; ending; the studio's own
people, who sign for it."""

from datetime import date, timedelta
from typing import get_args

import segno
from markupsafe import Markup
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from assent.apps.access.accounts import link_person
from assent.apps.access.permissions import Action
from assent.apps.access.subjects import may_lead_home
from assent.apps.studio.page import Visit, get, post
from assent.apps.studio.people import asked_in
from assent.apps.web.keys import read_public_key
from assent.consent.clearance import Act, Modality
from assent.consent.invitations import OFFER_LIFETIME, invite, invite_home
from assent.consent.notice import LANGUAGES, wording
from assent.consent.people import Person, add_person, find_person, list_people
from assent.consent.record import Forbidden
from assent.consent.register import list_records
from assent.consent.terms import Terms
from assent.consent.withdrawal import withdraw
from assent.kit.errors import AssentError, InputError, NotClearedError, NotFoundError
from assent.purpose.brief import describe_problems
from assent.purpose.projects import list_projects, look_up

__all__ = ["PAGES"]

_MOST_RELEASES = 10


def people_page(visit: Visit) -> Response:
    """Show everyone who was asked, and how far they are."""
    return visit.show("people.html", asked=asked_in(visit.studio, visit.project))


# Asking


def ask_page(visit: Visit) -> Response:
    """Ask whom to ask, and for what."""
    return _ask(visit, "")


def _ask(visit: Visit, problem: str, status: int = 200) -> Response:
    words = wording("en")
    known = _known(visit)
    return visit.show(
        "ask.html",
        status=status,
        problem=problem,
        brief=visit.project.brief,
        people=known,
        choices=[(each.handle, f"{each.name} ({each.handle})") for each in known],
        chosen=visit.field("person") or visit.request.query_params.get("person", ""),
        acts=[(each.value, words.acts[each.value]) for each in Act],
        modalities=[(each.value, words.modalities[each.value]) for each in Modality],
        forbidden=[(each, words.forbidden[each]) for each in get_args(Forbidden)],
        languages=[(code, wording(code).name) for code in LANGUAGES],
        form=visit.form,
        hours=int(OFFER_LIFETIME.total_seconds() // 3600),
    )


def _known(visit: Visit) -> list[Person]:
    """Return whom the visitor may know of: everybody, or those asked in their own projects."""
    people = [each for each in list_people(visit.studio) if not each.staff]
    if visit.who.may(Action.ADD_PERSON):
        return people
    handles = {
        asked.handle
        for name, _ in list_projects(visit.studio)
        if visit.may(Action.CHANGE_PEOPLE, project := look_up(visit.studio, name))
        for asked in asked_in(visit.studio, project)
    }
    return [each for each in people if each.handle in handles]


def ask(visit: Visit) -> Response:
    """Make the link, and show it this once."""
    try:
        terms = _terms(visit)
        person = _person(visit)
        secret = invite(visit.studio, visit.purpose, person, terms, lifetime=_lifetime(visit))
    except AssentError as error:
        return _ask(visit, f"{error}. {error.advice}", 422)
    return _show_link(visit, person, secret, "to the ceremony")


def _person(visit: Visit) -> Person:
    """Return who is asked: somebody known, or somebody new, who is added."""
    chosen = visit.field("person")
    for each in _known(visit):
        if each.handle == chosen:
            return each
    handle, name = visit.field("handle").strip(), visit.field("name").strip()
    if chosen or not handle or not name:
        raise InputError(
            "nobody is named", advice="Choose somebody, or give a name and a short name."
        )
    if handle in [each.handle for each in list_people(visit.studio)]:
        # Who it is isn't told: it may be somebody of a project that isn't the visitor's.
        raise InputError(f"the short name '{handle}' is taken", advice="Choose another.")
    return add_person(visit.studio, handle=handle, name=name[:200], key=None)


def _terms(visit: Visit) -> Terms:
    if visit.field("adult") != "yes":
        raise InputError("minors can't be asked", advice="Attest that they are 18 or older.")
    brief = visit.purpose.brief
    try:
        return Terms(
            acts=frozenset(Act(each) for each in visit.fields("acts")),
            modalities=frozenset(Modality(each) for each in visit.fields("modalities")),
            use=visit.field("use").strip() or brief.purpose,
            channels=frozenset(visit.fields("channels")) or frozenset(brief.channels),
            territory=visit.field("territory").strip() or "worldwide",
            starts=date.fromisoformat(visit.field("starts") or brief.starts.isoformat()),
            ends=date.fromisoformat(visit.field("ends") or brief.ends.isoformat()),
            most_releases=int(visit.field("most_releases") or _MOST_RELEASES),
            compensation=visit.field("compensation").strip() or "as agreed",
            forbidden=frozenset(visit.fields("forbidden")),  # type: ignore[arg-type] # the record validates them
            language=visit.field("language") if visit.field("language") in LANGUAGES else "en",
            final_approval="final_approval" in visit.form,
        )
    except ValidationError as error:
        raise InputError(f"the terms make no sense: {describe_problems(error)}") from error
    except ValueError as error:
        raise InputError(
            "a day or a number can't be read", advice="Correct what you wrote."
        ) from error


def _lifetime(visit: Visit) -> timedelta:
    hours = visit.field("hours")
    if not (hours.isascii() and hours.isdigit() and len(hours) < 5):
        raise InputError("the hours are no number", advice="Write how many hours the link works.")
    return timedelta(hours=int(hours))


def _show_link(visit: Visit, person: Person, secret: str, leads: str) -> Response:
    link = f"{visit.house.place.origin}/c/{secret}"
    drawn = segno.make(link, error="m").svg_inline(scale=5, border=3, light="#ffffff")
    return visit.show(
        "link.html",
        person=person,
        link=link,
        leads=leads,
        drawn=Markup(drawn),  # noqa: S704 - drawn by segno of an address of our own
    )


def place(visit: Visit) -> Response:
    """Make a link to somebody's own place, and show it this once."""
    person = _asked_person(visit)
    if not may_lead_home(visit.studio, visit.who, Action.CHANGE_PEOPLE, person.id):
        raise NotClearedError(
            "their own place shows projects that aren't yours",
            advice="Ask a producer of the whole studio for the link.",
        )
    secret = invite_home(visit.studio, person)
    return _show_link(visit, person, secret, "to their own place, for an hour")


def _asked_person(visit: Visit) -> Person:
    """Return the person of the path, if they were asked in this project."""
    handle = visit.path("handle")
    if handle not in [each.handle for each in asked_in(visit.studio, visit.project)]:
        raise NotFoundError("nobody of that name was asked here", advice="Go back.")
    return find_person(visit.studio, handle)


def person_page(visit: Visit) -> Response:
    """Show one person's consents to this project, each version of them."""
    person = _asked_person(visit)
    records = [
        each
        for each in list_records(visit.studio)
        if (each.handle, each.project) == (person.handle, visit.project.slug)
    ]
    (asked,) = [
        each for each in asked_in(visit.studio, visit.project) if each.handle == person.handle
    ]
    return visit.show("person.html", person=person, asked=asked, records=records)


def end(visit: Visit) -> Response:
    """End a consent, because the person asked for it."""
    person = _asked_person(visit)
    (asked,) = [
        each for each in asked_in(visit.studio, visit.project) if each.handle == person.handle
    ]
    if asked.record_id is None or asked.state not in ("live", "ending", "waiting"):
        raise InputError("there is no consent in force", advice="Load the page again.")
    if visit.field("sure") != person.handle:
        raise InputError(
            "what you wrote is not their short name", advice="Write it to say that you are sure."
        )
    ending = withdraw(visit.studio, asked.record_id)
    left = " An escrow couldn't be reached; run it again." if ending.pending else ""
    return visit.see(
        f"/p/{visit.project.slug}/people",
        notice=f"The consent of {person.name} has ended and its key is destroyed.{left}",
    )


# The studio's own people


def staff_page(visit: Visit) -> Response:
    """Show who decides for the studio, and let somebody make their key."""
    people = list_people(visit.studio)
    return visit.show("staff.html", staff=[each for each in people if each.staff])


def add_staff(visit: Visit) -> Response:
    """Add somebody who decides for the studio, with the key that their browser has made."""
    if visit.who.person_id is not None:
        raise InputError("you have a key already", advice="Sign with the one that you made.")
    key, account = read_public_key(visit.data), visit.who.account_id
    added = add_person(
        visit.studio,
        handle=str(visit.data.get("handle", "")).strip(),
        name=str(visit.data.get("name", "")).strip()[:200],
        key=key,
        staff=True,
        also=None if account is None else lambda session, new: link_person(session, account, new),
    )
    visit.house.sessions.leave(visit.session, f"{added.name} can sign for the studio now.")  # type: ignore[arg-type] # who may ask has a session
    return JSONResponse({"next": "/studio/staff"})


PAGES = (
    get("/p/{project}/people", people_page, Action.READ_PEOPLE),
    get("/p/{project}/people/ask", ask_page, Action.CHANGE_PEOPLE),
    post("/p/{project}/people/ask", ask, Action.CHANGE_PEOPLE),
    get("/p/{project}/people/{handle}", person_page, Action.READ_PEOPLE),
    post("/p/{project}/people/{handle}/place", place, Action.CHANGE_PEOPLE),
    post("/p/{project}/people/{handle}/end", end, Action.CHANGE_PEOPLE),
    get("/staff", staff_page, Action.SIGN_UP),
    post("/staff", add_staff, Action.SIGN_UP),
)
