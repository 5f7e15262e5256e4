"""What other programs may do: tokens for the API, and addresses that are told of events."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.access.accounts import find_account
from assent.apps.access.permissions import Action
from assent.apps.access.tokens import USUAL, issue, list_tokens, revoke
from assent.apps.cli.console import out, show_json, show_table
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.apps.hooks.webhooks import (
    add_webhook,
    change_webhook,
    list_webhooks,
    remove_webhook,
    renew_key,
)
from assent.kit.errors import InputError, NotFoundError
from assent.kit.store.studio import Studio
from assent.purpose.projects import look_up

__all__ = ["register"]

PANEL = "Other programs"
HERE = Path()

token = typer.Typer(no_args_is_help=True, help="Tokens by which programs use the API.")
webhook = typer.Typer(no_args_is_help=True, help="Addresses that are told what happens.")

Projects = Annotated[
    list[str] | None,
    typer.Option("--project", help="Only for this project; may be repeated.", metavar="PROJECT"),
]
Hook = Annotated[str, typer.Argument(help="The webhook's id or its beginning.", metavar="WEBHOOK")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    token.command("create")(create)
    token.command("list")(list_)
    token.command("revoke")(revoke_)
    webhook.command("add")(add)
    webhook.command("list")(list_hooks)
    webhook.command("resume")(resume)
    webhook.command("rotate")(rotate)
    webhook.command("remove")(remove)
    app.add_typer(token, name="token", rich_help_panel=PANEL)
    app.add_typer(webhook, name="webhook", rich_help_panel=PANEL)


def create(
    name: Annotated[str, typer.Argument(help="What it is for, in a few words.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do, such as drafts.render; *.read for all that only reads. May be "
            "repeated.",
            metavar="SCOPE",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(help="For whom it acts; without, for you who hold the studio."),
    ] = None,
    project: Projects = None,
    days: Annotated[int, typer.Option(help="After how many days it ends.", min=1, max=366)] = (
        USUAL.days
    ),
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program, and print it this once.

    It may do what its scopes name, of that what its account may do, and nothing after it ends.
    """
    opened = the_studio(studio)
    owner = None if account is None else find_account(opened, account).id
    made, secret = issue(
        opened,
        owner,
        name=name,
        scopes=_scopes(scope or []),
        projects=_ids(opened, project),
        lifetime=timedelta(days=days),
    )
    if as_json:
        show_json({"token": secret, **made.to_json()})
        return
    out.print(f"Token [bold]{escape(made.name)}[/bold] ({made.id[:8]}), until {made.expires}.")
    out.print("It is shown this once; keep it as you would a password:")
    out.print(secret, soft_wrap=True, markup=False)


def list_(
    account: Annotated[str | None, typer.Option(help="Only those of this account.")] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List the tokens that haven't ended: what each may do, and when it was used last."""
    opened = the_studio(studio)
    owner = None if account is None else find_account(opened, account).id
    tokens = list_tokens(opened, owner)
    if as_json:
        show_json([each.to_json() for each in tokens])
        return
    show_table(
        ("token", "name", "until", "used", "scopes"),
        [
            (
                each.id[:8],
                escape(each.name),
                each.expires,
                each.used or "never",
                "all" if len(each.scopes) == len(Action) else ", ".join(each.scopes),
            )
            for each in tokens
        ],
    )


def revoke_(
    name: Annotated[str, typer.Argument(help="The token's id or its beginning.", metavar="TOKEN")],
    studio: StudioFolder = HERE,
) -> None:
    """End a token at once."""
    gone = revoke(the_studio(studio), name)
    out.print(f"Token [bold]{escape(gone.name)}[/bold] ({gone.id[:8]}) is revoked.")


def add(
    url: Annotated[str, typer.Argument(help="The address.", metavar="URL")],
    kind: Annotated[
        list[str], typer.Option(help="What it is told of, such as release.made; may be repeated.")
    ],
    project: Projects = None,
    own: Annotated[
        bool,
        typer.Option("--own", help="It is yours: it may lie in a private network, on any port."),
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Let an address be told what happens, from now on; its key is printed this once.

    Messages hold ids, never names, and are signed (Standard Webhooks).
    """
    opened = the_studio(studio)
    made, key = add_webhook(
        opened, account_id=None, url=url, kinds=kind, projects=_ids(opened, project), own=own
    )
    if as_json:
        show_json({"key": key, **made.to_json()})
        return
    out.print(f"Webhook {made.id[:8]}. Its messages are signed with this key, shown this once:")
    out.print(key, soft_wrap=True, markup=False)


def list_hooks(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List the webhooks, and whether their addresses take what they are told."""
    hooks = list_webhooks(the_studio(studio))
    if as_json:
        show_json([each.to_json() for each in hooks])
        return
    show_table(
        ("webhook", "address", "told of", "state", "why"),
        [
            (each.id[:8], escape(each.url), ", ".join(each.kinds), each.state, each.reason or "")
            for each in hooks
        ],
    )


def resume(name: Hook, studio: StudioFolder = HERE) -> None:
    """Tell an address again that was given up, from now on."""
    opened = the_studio(studio)
    change_webhook(opened, _hook(opened, name), active=True)
    out.print("It is told what happens again.")


def rotate(name: Hook, studio: StudioFolder = HERE) -> None:
    """Give a webhook a new key; for a day, messages are signed with the old one, too."""
    opened = the_studio(studio)
    key = renew_key(opened, _hook(opened, name))
    out.print("Messages are signed with the old key and this one for a day, then with this alone:")
    out.print(key, soft_wrap=True, markup=False)


def remove(name: Hook, studio: StudioFolder = HERE) -> None:
    """Tell an address nothing any more."""
    opened = the_studio(studio)
    remove_webhook(opened, _hook(opened, name))
    out.print("It is told nothing any more.")


def _hook(opened: Studio, name: str) -> str:
    found = [each.id for each in list_webhooks(opened) if name and each.id.startswith(name)]
    if len(found) != 1:
        raise NotFoundError(
            f"there is no one webhook '{name}'", advice="See `assent webhook list`."
        )
    return found[0]


def _ids(opened: Studio, names: list[str] | None) -> list[str] | None:
    return None if names is None else [look_up(opened, name).id for name in names]


def _scopes(names: list[str]) -> set[Action]:
    known = {action.value: action for action in Action}
    reading = {action for name, action in known.items() if name.endswith(".read")}
    chosen = reading | {Action.ENTER} if "*.read" in names else set()
    for name in names:
        if name != "*.read" and name not in known:
            raise InputError(
                f"there is no scope '{name}'", advice=f"There are *.read, {', '.join(known)}."
            )
    return chosen | {known[name] for name in names if name != "*.read"}
