"""Accounts: who signs in, with which roles where; to invite, reset and disable."""

from collections.abc import Callable, Sequence

from starlette.responses import Response

from assent.apps.access.accounts import (
    WELCOME_LIFETIME,
    Account,
    add_account,
    disable_account,
    enable_account,
    list_accounts,
    reset_account,
    set_roles,
)
from assent.apps.access.permissions import Action, Role
from assent.apps.access.who import Membership
from assent.apps.studio.page import ROOT, Visit, get, post
from assent.consent.people import find_person, list_people
from assent.kit.errors import AssentError, InputError, NotFoundError
from assent.purpose.projects import list_projects, look_up

__all__ = ["PAGES"]

_ROLES = {
    Role.PRODUCER: "producer: makes",
    Role.REVIEWER: "reviewer: decides and signs",
    Role.AUDITOR: "auditor: reads, sees no pictures",
    Role.SUBJECT: "subject: is depicted",
}


def accounts_page(visit: Visit) -> Response:
    """Show who signs in."""
    return _show(visit)


def _show(
    visit: Visit, problem: str = "", *, link: str = "", of: str = "", status: int = 200
) -> Response:
    projects = list_projects(visit.studio)
    titles = {look_up(visit.studio, slug).id: brief.title for slug, brief in projects}
    return visit.show(
        "accounts.html",
        status=status,
        accounts=list_accounts(visit.studio),
        titles=titles,
        problem=problem,
        link=link,
        of=of,
        days=WELCOME_LIFETIME.days,
        changes=visit.who.may(Action.CHANGE_ACCOUNTS),
        roles=[(role.value, told) for role, told in _ROLES.items()],
        places=[("", "the whole studio"), *((slug, brief.title) for slug, brief in projects)],
        people=[
            ("", "nobody yet"),
            *((each.handle, each.name) for each in list_people(visit.studio)),
        ],
        form=visit.form,
    )


def invite(visit: Visit) -> Response:
    """Make an account, and show its first link this once."""
    person = visit.field("person")
    try:
        made, secret = add_account(
            visit.studio,
            handle=visit.field("handle").strip(),
            name=visit.field("name"),
            memberships=[_membership(visit)],
            person_id=find_person(visit.studio, person).id if person else None,
        )
    except AssentError as error:
        return _show(visit, f"{error}. {error.advice}", status=422)
    return _show(visit, link=_link(visit, secret), of=made.name)


def reset(visit: Visit) -> Response:
    """Forget what opens an account, and show a new first link this once."""
    account = _other(visit)
    secret = reset_account(visit.studio, account.handle)
    return _show(visit, link=_link(visit, secret), of=account.name)


def add_role(visit: Visit) -> Response:
    """Give an account one role more."""
    return _with_roles(visit, lambda held, role: [*held, role], "has a role more")


def drop_role(visit: Visit) -> Response:
    """Take one of an account's roles away."""
    return _with_roles(
        visit, lambda held, role: [each for each in held if each != role], "has a role less"
    )


def _with_roles(
    visit: Visit,
    change: Callable[[Sequence[Membership], Membership], list[Membership]],
    told: str,
) -> Response:
    account = _other(visit)
    set_roles(visit.studio, account.handle, change(account.memberships, _membership(visit)))
    return visit.see("/accounts", notice=f"{account.name} {told}.")


def disable(visit: Visit) -> Response:
    """Let nobody in with an account."""
    account = _other(visit)
    disable_account(visit.studio, account.handle)
    return visit.see("/accounts", notice=f"Nobody gets in as {account.name} now.")


def enable(visit: Visit) -> Response:
    """Let who has an account in again."""
    account = _other(visit)
    enable_account(visit.studio, account.handle)
    return visit.see("/accounts", notice=f"{account.name} may sign in again.")


def _membership(visit: Visit) -> Membership:
    role, place = visit.field("role"), visit.field("place")
    if role not in [each.value for each in Role]:
        raise InputError("there is no such role", advice="Choose one of the list.")
    return Membership(Role(role), look_up(visit.studio, place).id if place else None)


def _other(visit: Visit) -> Account:
    """Return the account of the path; nobody changes their own here."""
    wanted = visit.path("account")
    for account in list_accounts(visit.studio):
        if account.id == wanted:
            if account.id == visit.who.account_id:
                raise InputError("this is your own account", advice="Another producer changes it.")
            return account
    raise NotFoundError("there is no such account", advice="Go back to the accounts.")


def _link(visit: Visit, secret: str) -> str:
    return f"{visit.house.place.origin}{ROOT}/welcome/{secret}"


_ONE = "/accounts/{account}"

PAGES = (
    get("/accounts", accounts_page, Action.READ_ACCOUNTS),
    post("/accounts", invite, Action.CHANGE_ACCOUNTS),
    post(f"{_ONE}/reset", reset, Action.CHANGE_ACCOUNTS),
    post(f"{_ONE}/role", add_role, Action.CHANGE_ACCOUNTS),
    post(f"{_ONE}/role/drop", drop_role, Action.CHANGE_ACCOUNTS),
    post(f"{_ONE}/disable", disable, Action.CHANGE_ACCOUNTS),
    post(f"{_ONE}/enable", enable, Action.CHANGE_ACCOUNTS),
)
