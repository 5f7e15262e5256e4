"""The studio in a browser: start it, and say who may come in."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.access.accounts import (
    WELCOME_LIFETIME,
    add_account,
    count_accounts,
    disable_account,
    enable_account,
    list_accounts,
    remove_account,
    reset_account,
    set_roles,
)
from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.jobs import Heavy, Processes, open_with, workers_of
from assent.apps.cli.options import LOCAL, AsJson, PublicUrl, StudioFolder, keeper_of, the_studio
from assent.apps.web.guard import place_at
from assent.consent.people import find_person
from assent.kit.errors import InputError
from assent.kit.store.studio import Studio
from assent.purpose.projects import look_up

__all__ = ["PANEL", "register"]

PANEL = "The studio in a browser"
HERE = Path()

Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="producer, reviewer, subject or auditor; with a project's name only there: "
        "reviewer:lesson. May be repeated.",
        metavar="ROLE[:PROJECT]",
    ),
]
AccountName = Annotated[str, typer.Argument(help="The account's name.", metavar="ACCOUNT")]

account = typer.Typer(no_args_is_help=True, help="Who signs in, and what they may do.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("studio", rich_help_panel=PANEL)(studio_)
    account.command("add")(add)
    account.command("list")(list_)
    account.command("roles")(roles_)
    account.command("reset")(reset)
    account.command("disable")(disable)
    account.command("enable")(enable)
    account.command("remove")(remove)
    app.add_typer(account, name="account", rich_help_panel=PANEL)


def studio_(
    team: Annotated[
        bool, typer.Option("--team", help="Let people sign in with accounts: `assent account`.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="The address to listen at; another than loopback needs --team.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)] = 8765,
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="ASSENT_PUBLIC_URL",
            help="Where browsers reach it, through a proxy with HTTPS.",
            metavar="URL",
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    workers: Processes = None,
    heavy: Heavy = None,
    studio: StudioFolder = HERE,
) -> None:
    """Open the studio in a browser, for you alone or for a team.

    Without --team it listens on this machine alone, and who holds the link that it prints is the
    producer. Subjects' pages are served beside it, and the jobs of its queue are done.
    """
    from assent.apps.studio.server import house_of, serve

    if not team and host not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(
            f"without accounts the studio does not listen at {host}",
            advice="Give --team, and make accounts: `assent account add`.",
        )
    guard = keeper_of(studio)
    opened = open_with(studio, guard)
    if team and not count_accounts(opened):
        raise InputError(
            "there are no accounts yet",
            advice="Make the first: `assent account add NAME --name ... --role producer`.",
        )
    place = place_at(public_url or f"http://localhost:{port}")
    house = house_of(opened, place, team=team)
    out.print("The studio is open. Stop it with Ctrl-C.")
    out.print(house.link, soft_wrap=True, markup=False)
    if not team:
        out.print("[dim]Whoever has this link is the producer: don't pass it on.[/dim]")
    if open_:
        typer.launch(house.link)
    # The server ends by the signal that stopped it: the workers shall be stopped first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with workers_of(opened, guard, workers=workers, heavy=heavy):
        serve(house, host=host, port=port)


def add(
    name_of: AccountName,
    name: Annotated[str, typer.Option(help="The person's name, as others see it.")],
    role: Roles,
    person: Annotated[
        str | None,
        typer.Option(help="Who they are among the people of the studio.", metavar="PERSON"),
    ] = None,
    public_url: PublicUrl = LOCAL,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make an account, and print the link with which its owner sets a password."""
    opened = the_studio(studio)
    person_id = None if person is None else find_person(opened, person).id
    made, secret = add_account(
        opened,
        handle=name_of,
        name=name,
        memberships=_memberships(opened, role),
        person_id=person_id,
    )
    _show_link(public_url, made.handle, secret, as_json=as_json)


def list_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List the accounts."""
    opened = the_studio(studio)
    accounts = list_accounts(opened)
    if as_json:
        show_json(
            [
                {
                    "account": each.handle,
                    "name": each.name,
                    "roles": _told(opened, each.memberships),
                    "password": each.password,
                    "passkeys": each.passkeys,
                    "disabled": each.disabled,
                }
                for each in accounts
            ]
        )
        return
    show_table(
        ("account", "name", "roles", "signs in with"),
        [
            (
                each.handle,
                each.name,
                ", ".join(_told(opened, each.memberships)),
                _ways(password=each.password, passkeys=each.passkeys)
                if each.disabled is None
                else "disabled",
            )
            for each in accounts
        ],
    )


def roles_(name_of: AccountName, role: Roles, studio: StudioFolder = HERE) -> None:
    """Give an account these roles and no others; they hold at once."""
    opened = the_studio(studio)
    changed = set_roles(opened, name_of, _memberships(opened, role))
    out.print(f"{changed.handle}: {', '.join(_told(opened, changed.memberships))}.")


def reset(
    name_of: AccountName,
    public_url: PublicUrl = LOCAL,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Forget an account's password and passkeys, sign it out, and print a new first link.

    Its tokens are revoked.
    """
    secret = reset_account(the_studio(studio), name_of)
    _show_link(public_url, name_of, secret, as_json=as_json)


def disable(name_of: AccountName, studio: StudioFolder = HERE) -> None:
    """Let nobody in with an account: it is signed out, its tokens are revoked, its roles kept."""
    disable_account(the_studio(studio), name_of)
    out.print(f"Nobody gets in as {name_of} now. Undo it with `assent account enable`.")


def enable(name_of: AccountName, studio: StudioFolder = HERE) -> None:
    """Let who has an account in again."""
    enable_account(the_studio(studio), name_of)
    out.print(f"{name_of} may sign in again.")


def remove(name_of: AccountName, studio: StudioFolder = HERE) -> None:
    """Remove an account; whoever is signed in with it is signed out."""
    remove_account(the_studio(studio), name_of)
    out.print(f"The account {name_of} is gone.")


def _memberships(studio: Studio, roles: list[str]) -> list[Membership]:
    found = []
    for text in roles:
        role, _, project = text.partition(":")
        if role not in [each.value for each in Role]:
            raise InputError(
                f"'{role}' is no role", advice="Give producer, reviewer, subject or auditor."
            )
        project_id = look_up(studio, project).id if project else None
        found.append(Membership(Role(role), project_id))
    return found


def _told(studio: Studio, memberships: tuple[Membership, ...]) -> list[str]:
    return [
        each.role.value
        + (f":{look_up(studio, each.project_id).slug}" if each.project_id is not None else "")
        for each in memberships
    ]


def _ways(*, password: bool, passkeys: int) -> str:
    ways = [*(["password"] if password else []), *([f"{passkeys} passkeys"] if passkeys else [])]
    return ", ".join(ways) or "nothing yet"


def _show_link(public_url: str, handle: str, secret: str, *, as_json: bool) -> None:
    link = f"{place_at(public_url).origin}/studio/welcome/{secret}"
    if as_json:
        show_json({"account": handle, "link": link, "days": WELCOME_LIFETIME.days})
        return
    out.print(f"For {handle} alone, for {WELCOME_LIFETIME.days} days, once:")
    out.print(link, soft_wrap=True, markup=False)
    err.print("[dim]Send it by a way that only they read. `assent studio --team` answers it.[/dim]")
