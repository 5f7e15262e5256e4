"""Step 2, the ceremony: links, the pages, and decisions about recordings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import LOCAL, AsJson, PublicUrl, StudioFolder, the_studio
from assent.apps.web.guard import place_at
from assent.consent.invitations import WATCH_LIFETIME, invite_home, list_invitations
from assent.consent.people import find_person
from assent.consent.reviewing import (
    approve_statement,
    link_to_watch,
    list_waiting,
    reject_statement,
)
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import from_pem
from assent.kit.store.studio import Studio

__all__ = ["add_to", "show_link"]

HERE = Path()


def add_to(consent: typer.Typer) -> None:
    """Add these commands to `assent consent`."""
    consent.command("serve")(serve_)
    consent.command("links")(links)
    consent.command("review")(review_)
    consent.command("place")(place)


def show_link(link: str, handle: str, hours: float, *, as_json: bool) -> None:
    """Print a one-time link."""
    if as_json:
        show_json({"person": handle, "link": link, "hours": hours})
        return
    out.print(f"For {handle} alone, for {hours:g} hours, once:")
    out.print(link, soft_wrap=True, markup=False)
    out.print("[dim]Send it by a way that only they read. `assent consent serve` answers it.[/dim]")


def place(
    handle: Annotated[str, typer.Argument(help="Whose place.", metavar="PERSON")],
    hours: Annotated[float, typer.Option(help="How long the link works.")] = 1.0,
    public_url: PublicUrl = LOCAL,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Make a one-time link to a subject's own place: what was made, their say, the way out."""
    opened = the_studio(studio)
    where = place_at(public_url)
    secret = invite_home(opened, find_person(opened, handle), lifetime=timedelta(hours=hours))
    show_link(f"{where.origin}/c/{secret}", handle, hours, as_json=as_json)


def serve_(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)] = 8765,
    public_url: PublicUrl = LOCAL,
    studio: StudioFolder = HERE,
) -> None:
    """Serve the subjects' pages until interrupted; they see them at the public URL."""
    from assent.apps.web.server import serve

    where = place_at(public_url)
    err.print(f"Serving {where.origin} from {host}, port {port}. Stop with Ctrl-C.", markup=False)
    serve(the_studio(studio), where, host=host, port=port)


def links(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List the links that were made, how far they are, and what was declined."""
    listed = list_invitations(the_studio(studio))
    if as_json:
        show_json([each.to_json() for each in listed])
        return
    show_table(
        ("person", "project", "state", "until", "declined"),
        [
            (e.handle, e.project or "own place", e.state, e.expires, ", ".join(e.declined))
            for e in listed
        ],
    )


def review_(
    record_id: Annotated[
        str | None,
        typer.Argument(help="The record's id or its beginning; without, list.", metavar="RECORD"),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who decides.", metavar="PERSON")] = None,
    key: Annotated[
        Path | None, typer.Option(help="The private key of who decides.", metavar="FILE")
    ] = None,
    approve: Annotated[bool, typer.Option("--approve", help="It is the subject.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="It is not, or can't be told.")] = False,
    reason: Annotated[str, typer.Option(help="What was seen; kept with the record.")] = "",
    likeness: Annotated[
        Path | None,
        typer.Option(
            help="With --approve, where somebody answers for the person: the clip of that person "
            "that the offer named.",
            metavar="FILE",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Make a one-time link to look at the recording.")
    ] = False,
    public_url: PublicUrl = LOCAL,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Decide about recordings that did not pass their checks; without a record, list them."""
    opened = the_studio(studio)
    if record_id is None:
        _list_waiting(opened, as_json=as_json)
        return
    if [approve, reject, watch].count(True) != 1 or by is None or key is None:
        raise InputError(
            "a decision is one thing, by somebody",
            advice="Give --watch, --approve or --reject; and --by, --key and --reason.",
        )
    member, signing = find_person(opened, by), from_pem(read_bytes(key), name=key.name)
    if watch:
        secret = link_to_watch(opened, record_id, member, signing)
        link = f"{place_at(public_url).origin}/c/{secret}"
        show_link(link, by, WATCH_LIFETIME.total_seconds() / 3600, as_json=as_json)
        return
    if reject:
        row = reject_statement(opened, record_id, member, signing, reason=reason)
        state = row.state
    else:
        with _opened(likeness) as clip:
            accepted = approve_statement(
                opened, record_id, member, signing, reason=reason, likeness=clip
            )
        state = "waiting" if accepted is None else "live"
    if as_json:
        show_json({"record": record_id, "state": state})
        return
    out.print(f"Record {record_id} is {state}.")


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is not None and not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    if path is None:
        yield None
        return
    with path.open("rb") as file:
        yield file


def _list_waiting(studio: Studio, *, as_json: bool) -> None:
    waiting = list_waiting(studio)
    if as_json:
        show_json([each.to_json() for each in waiting])
        return
    show_table(
        ("record", "person", "project", "since", "answered for by", "what was found"),
        [
            (e.record_id[:8], e.handle, e.project, e.since, e.answers or "", _doubts(e.findings))
            for e in waiting
        ],
    )


def _doubts(findings: Mapping[str, Any]) -> str:
    """Return the names of the checks that did not pass."""
    doubts = [
        f"{each['check']} {each['value']}"
        for each in findings.get("findings", ())
        if each["verdict"] != "passed"
    ]
    face = findings.get("face")
    return ", ".join([*doubts, *([f"face: {face}"] if face in ("changed", "other") else [])])
