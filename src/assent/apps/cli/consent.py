"""Step 2: people, and their consent."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from assent.apps.cli.authority import authority_of, hash_of
from assent.apps.cli.ceremony import add_to, show_link
from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_bytes, read_text, write_document, write_secret
from assent.apps.cli.options import (
    LOCAL,
    AsJson,
    Limit,
    ProjectName,
    PublicUrl,
    StudioFolder,
    the_studio,
)
from assent.apps.web.guard import place_at
from assent.consent.ceremony import Accepted, Terms, accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.ground import vouch
from assent.consent.invitations import invite
from assent.consent.people import Person, add_person, find_person, list_people
from assent.consent.receipt import sign_record
from assent.consent.record import parse_record
from assent.consent.register import list_records
from assent.kit.canonical import canonical, parse_object
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import (
    VerifyKey,
    from_jwk,
    from_pem,
    new_key,
    peek,
    public_of,
    thumbprint,
    to_jwk,
    to_pem,
)
from assent.purpose.projects import find_project

__all__ = ["register"]

PANEL = "2 · Obtain consent"
HERE = Path()
PAGE = 1000

_Item = TypeVar("_Item")

person = typer.Typer(no_args_is_help=True, help="People who are asked, or who review.")
consent = typer.Typer(no_args_is_help=True, help="Offer, sign, accept, withdraw.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    add_to(consent)
    app.add_typer(person, name="person", rich_help_panel=PANEL)
    app.add_typer(consent, name="consent", rich_help_panel=PANEL)


@person.command("add")
def person_add(
    handle: Annotated[str, typer.Argument(help="A short name for commands.")],
    name: Annotated[str, typer.Option(help="The person's name; stays in the studio.")],
    key: Annotated[
        Path | None,
        typer.Option(
            help="Their public key, from `assent consent keygen`; without, they make one in the "
            "ceremony.",
            metavar="FILE",
        ),
    ] = None,
    staff: Annotated[
        bool, typer.Option("--staff", help="Decides about statements for the studio.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Register a person, with the public key that is theirs alone if they have one."""
    public = None if key is None else _public_key(key)
    added = add_person(the_studio(studio), handle=handle, name=name, key=public, staff=staff)
    if as_json:
        show_json({"handle": added.handle, "id": added.id, "key": _key_of(added)})
        return
    with_key = "without a key yet" if added.known_key is None else f"with key {added.key_id}"
    out.print(f"[bold]{added.handle}[/bold] is known, {with_key}.")


def _public_key(path: Path) -> VerifyKey:
    jwk = parse_object(read_bytes(path), name=path.name)
    if "d" in jwk:
        raise InputError(
            f"{path.name} holds a private key",
            advice="The subject keeps that; ask for the .pub file.",
        )
    if "passkey" in jwk:
        raise InputError(
            f"{path.name} is a passkey", advice="Passkeys are bound in the ceremony alone."
        )
    return from_jwk(jwk, name=path.name)


def _key_of(person: Person) -> str | None:
    return None if person.known_key is None else person.key_id


@person.command("list")
def person_list(
    limit: Limit = PAGE,
    after: Annotated[
        str | None, typer.Option(help="Go on after this person.", metavar="PERSON")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List those whom the studio knows, by handle, a page at a time."""
    people = list_people(the_studio(studio), limit=limit + 1, after=after)
    people = _page(people, limit, lambda last: last.handle)
    if as_json:
        show_json(
            [
                {"handle": p.handle, "name": p.name, "key": _key_of(p), "staff": p.staff}
                for p in people
            ]
        )
        return
    show_table(
        ("handle", "name", "key", ""),
        [(p.handle, p.name, _key_of(p) or "none yet", "staff" if p.staff else "") for p in people],
    )


@consent.command("keygen")
def keygen(
    path: Annotated[Path, typer.Argument(help="Where to put the private key.", metavar="FILE")],
) -> None:
    """For subjects: make a key pair; FILE stays with the subject, FILE.pub goes to the studio."""
    key = new_key()
    write_secret(path, to_pem(key))
    public = path.with_name(path.name + ".pub")
    write_document(public, canonical(to_jwk(public_of(key))).decode() + "\n")
    out.print(f"Private key: {path} (keep it, tell nobody)\nPublic key:  {public} (for the studio)")
    out.print(f"Thumbprint:  {thumbprint(key)}")


@consent.command("offer")
def offer_(
    handle: Annotated[str, typer.Argument(help="Who is asked.", metavar="PERSON")],
    project: ProjectName,
    act: Annotated[list[Act], typer.Option(help="What may be done; repeat for each.")],
    statement: Annotated[
        Path | None,
        typer.Option(
            help="A clip in which the subject alone says that they agree; without, a link is made "
            "by which they record it themselves.",
            metavar="FILE",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="With --statement: the offer, for the subject.", metavar="FILE"),
    ] = None,
    modality: Annotated[
        list[Modality], typer.Option(help="What of the person; repeat for each.")
    ] = [Modality.FACE],  # noqa: B006 - Typer reads the default and never changes it
    use: Annotated[str | None, typer.Option(help="The use, reasonably specific.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Where it may be shown; default: the brief's.")
    ] = None,
    territory: Annotated[str, typer.Option(help="Where in the world.")] = "worldwide",
    starts: Annotated[str | None, typer.Option(help="First day; default: the brief's.")] = None,
    ends: Annotated[str | None, typer.Option(help="Last day; default: the brief's.")] = None,
    most_releases: Annotated[int, typer.Option(help="How many releases at most.")] = 10,
    compensation: Annotated[str, typer.Option(help="What the subject gets.")] = "as agreed",
    forbid: Annotated[
        list[str] | None,
        typer.Option(help="political, advertising, health-or-money, satire or news."),
    ] = None,
    final_approval: Annotated[
        bool,
        typer.Option("--final-approval", help="The subject keeps the last word."),
    ] = False,
    language: Annotated[str, typer.Option(help="Of the notice: en, de or es.")] = "en",
    estate: Annotated[
        Path | None,
        typer.Option(
            help="Somebody answers for a person who has died: the document that lets them.",
            metavar="FILE",
        ),
    ] = None,
    guardian: Annotated[
        Path | None,
        typer.Option(
            help="Somebody answers for an adult who can't: the document that lets them.",
            metavar="FILE",
        ),
    ] = None,
    relation: Annotated[
        str | None, typer.Option(help="What they are to the person: executor, guardian by court.")
    ] = None,
    likeness: Annotated[
        Path | None,
        typer.Option(
            help="With --estate or --guardian, for a link: a clip that shows the person.",
            metavar="FILE",
        ),
    ] = None,
    hours: Annotated[float, typer.Option(help="Without --statement: how long the link works.")] = (
        48.0
    ),
    public_url: PublicUrl = LOCAL,
    adult: Annotated[
        bool, typer.Option("--adult", help="Attest that the subject is 18 or older.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Draw up an offer: a one-time link to the ceremony, or a file with --statement."""
    if not adult:
        raise InputError("minors can't be asked", advice="Attest the subject's age with --adult.")
    opened = the_studio(studio)
    purpose = find_project(opened, project)
    brief = purpose.brief
    terms = Terms(
        acts=frozenset(act),
        modalities=frozenset(modality),
        use=use or brief.purpose,
        channels=frozenset(channel or brief.channels),
        territory=territory,
        starts=_day(starts) or brief.starts,
        ends=_day(ends) or brief.ends,
        most_releases=most_releases,
        compensation=compensation,
        forbidden=frozenset(forbid or ()),  # type: ignore[arg-type] # the record validates them
        language=language,
        final_approval=final_approval,
        authority=authority_of(estate, guardian, relation),
        likeness_sha256=None if likeness is None else hash_of(likeness),
    )
    found = find_person(opened, handle)
    if statement is None:
        place = place_at(public_url)
        secret = invite(opened, purpose, found, terms, lifetime=timedelta(hours=hours))
        show_link(f"{place.origin}/c/{secret}", handle, hours, as_json=as_json)
        return
    if to is None:
        raise InputError("say where to put the offer", advice="Give --out FILE.")
    record = offer(opened, purpose, found, terms, statement_sha256=hash_of(statement))
    write_document(to, canonical(record.to_json()).decode() + "\n")
    if as_json:
        show_json({"record": record.record_id, "version": record.version, "offer": str(to)})
        return
    out.print(f"Offer {record.record_id} (version {record.version}) for {handle}: {to}")
    out.print(record.notice.text, markup=False)
    out.print("[dim]Next, by the subject: assent consent sign[/dim]")


@consent.command("sign")
def sign(
    offered: Annotated[Path, typer.Argument(help="The offer.", metavar="OFFER")],
    key: Annotated[Path, typer.Option(help="The subject's private key.", metavar="FILE")],
    to: Annotated[Path, typer.Option("--out", help="The signed record.", metavar="FILE")],
    yes: Annotated[bool, typer.Option("--yes", help="I have read it and agree.")] = False,
) -> None:
    """For subjects: read the offer and sign it with your own key. Needs no studio."""
    record = parse_record(parse_object(read_bytes(offered), name=offered.name))
    out.print(record.notice.text)
    scope = record.scope
    out.print(
        f"From {scope.starts} to {scope.ends}, {scope.territory}; channels: "
        f"{', '.join(sorted(scope.channels))}; at most {scope.most_releases} release(s)."
    )
    if not yes:
        typer.confirm("Do you agree to all of this?", abort=True, err=True)
    write_document(to, sign_record(record, from_pem(read_bytes(key), name=key.name)) + "\n")
    out.print(f"Signed: {to}. Give it back to the studio.")


@consent.command("accept")
def accept_(
    signed: Annotated[Path, typer.Argument(help="The signed record.", metavar="SIGNED")],
    statement: Annotated[Path, typer.Option(help="The subject's statement.", metavar="FILE")],
    vouched_by: Annotated[
        str, typer.Option(help="Who of the studio vouches that it is the subject's own statement.")
    ],
    key: Annotated[Path, typer.Option(help="The private key of who vouches.", metavar="FILE")],
    reason: Annotated[
        str, typer.Option(help="How they know; kept with the record.")
    ] = "I was there when it was filmed.",
    receipt: Annotated[
        Path | None, typer.Option(help="Where to put the subject's receipt.", metavar="FILE")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Check a signed record, enrol the face of its statement, countersign it, log it."""
    if not statement.is_file():
        raise NotFoundError(f"there is no file {statement}", advice="Check the path.")
    opened, token = the_studio(studio), read_text(signed).strip()
    record = parse_record(peek(token).get("record"))
    ground = vouch(
        opened,
        record,
        find_person(opened, vouched_by),
        from_pem(read_bytes(key), name=key.name),
        reason=reason,
    )
    with statement.open("rb") as file:
        accepted = accept(opened, token, statement=file, name=statement.name, ground=ground)
    if receipt is not None:
        write_document(receipt, json.dumps(_copy_to_keep(accepted), indent=2) + "\n")
    if as_json:
        show_json(
            {
                "record": accepted.record.record_id,
                "version": accepted.record.version,
                "receipt_hash": accepted.receipt_hash,
                "log_index": accepted.log_index,
            }
        )
        return
    out.print(
        f"Consent {accepted.record.record_id} of {accepted.record.principal.handle} is live; "
        f"log entry {accepted.log_index}."
    )


@consent.command("list")
def consent_list(
    limit: Limit = PAGE,
    after: Annotated[
        str | None, typer.Option(help="Go on after this version.", metavar="RECORD:VERSION")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List consent records and their states, oldest first, a page at a time."""
    records = list_records(the_studio(studio), limit=limit + 1, after=after)
    records = _page(records, limit, lambda last: f"{last.record_id}:{last.version}")
    if as_json:
        show_json([record.to_json() for record in records])
        return
    show_table(
        ("record", "version", "person", "project", "state", "until", "acts"),
        [
            (r.record_id[:8], r.version, r.handle, r.project, r.state, r.ends, ", ".join(r.acts))
            for r in records
        ],
    )


def _page(items: tuple[_Item, ...], limit: int, name: Callable[[_Item], str]) -> tuple[_Item, ...]:
    """Return the first `limit` items, and say how to see more if there are."""
    if len(items) > limit:
        err.print(f"[dim]There are more: --after {name(items[limit - 1])}[/dim]", soft_wrap=True)
    return items[:limit]


def _copy_to_keep(accepted: Accepted) -> dict[str, object]:
    """Return what the subject needs to show their consent and to find it in the log."""
    return {
        "receipt": accepted.receipt,
        "salt": accepted.salt,
        "receipt_hash": accepted.receipt_hash,
        "log_index": accepted.log_index,
        "record": accepted.record.to_json(),
    }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(f"'{text}' is no day", advice="Write it as YYYY-MM-DD.") from error
