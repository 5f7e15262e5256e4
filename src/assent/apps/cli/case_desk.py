"""Step 8, the response desk: clocks and letters, evidence, hand-outs, what was learned."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from assent.apps.cli.cases import By, CaseNumber, case
from assent.apps.cli.console import err, out, show_json
from assent.apps.cli.files import read_text
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.disk import naming
from assent.kit.errors import InputError, NotFoundError
from assent.kit.hashing import chunks_of
from assent.kit.mail import MailServer, Message, load_mail, save_mail, send
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import find_case
from assent.monitor.cases.clocks import tick
from assent.monitor.cases.desk import ResponseDesk, load_desk, save_desk
from assent.monitor.cases.evidence import freeze
from assent.monitor.cases.handout import hand_out
from assent.monitor.cases.outbox import waiting_mails
from assent.monitor.cases.retrospective import Retrospective, keep_retrospective

__all__ = ["register"]

PANEL = "8 · Monitor and respond"
HERE = Path()


def register(_app: typer.Typer) -> None:
    """Add these commands to those of cases."""
    case.command("remind")(remind)
    case.command("freeze")(freeze_)
    case.command("export")(export)
    case.command("learn")(learn)
    case.command("desk")(desk_)
    case.command("mail")(mail)


def remind(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Send what is due: reminders, letters; destroy what is kept no longer. Run it from a timer."""
    opened = the_studio(studio)
    done = tick(opened)
    if as_json:
        show_json(
            {
                "settled": done.settled,
                "reminded": [
                    {"case": each.case.number, "step": each.step, "late": each.late}
                    for each in done.reminded
                ],
                "sent": done.sent,
                "waiting": done.waiting,
                "destroyed": done.destroyed,
            }
        )
        return
    for each in done.reminded:
        out.print(f"{each.case.number}: {'OVERDUE' if each.late else 'due'} {each.case.due}")
    out.print(
        f"{len(done.reminded)} reminder(s), {done.sent} letter(s) sent, {done.waiting} wait, "
        f"{done.destroyed} case(s) destroyed."
    )
    _warn(opened)


def _warn(studio: Studio) -> None:
    if not load_desk(studio).responders:
        err.print("[yellow]Nobody is reminded: name responders with `assent case desk`.[/yellow]")
    if load_mail(studio.secrets) is None and waiting_mails(studio):
        err.print("[yellow]Letters wait: name a mail server with `assent case mail`.[/yellow]")


def freeze_(
    number: CaseNumber,
    file: Annotated[Path, typer.Argument(help="What is to be kept.", metavar="FILE")],
    by: By,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Keep an encrypted copy of a file for a case. Never of what is itself a crime to keep."""
    opened = the_studio(studio)
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}", advice="Check the path.")
    with naming(file), file.open("rb") as source:
        kept = freeze(opened, find_case(opened, number), chunks_of(source), name=file.name, by=by)
    if as_json:
        show_json({"id": kept.id, "sha256": kept.sha256, "size": kept.size})
        return
    out.print(f"Frozen {kept.id[:8]}: {kept.size} bytes, SHA-256 {kept.sha256}")


def export(
    number: CaseNumber,
    by: By,
    to: Annotated[list[str], typer.Option(help="An age recipient; can be repeated.")],
    reader: Annotated[str, typer.Option(help="Who gets it, for the record.")],
    path: Annotated[Path, typer.Option("--out", help="A new file.", metavar="FILE")],
    studio: StudioFolder = HERE,
) -> None:
    """Hand a case out whole, encrypted, to those who may read it; noted in the log."""
    opened = the_studio(studio)
    found = find_case(opened, number)
    sha256 = hand_out(opened, found, path, recipients=to, to=reader, by=by)
    out.print(f"Written to {path}; SHA-256 {sha256}")


def learn(
    number: CaseNumber,
    by: By,
    happened: Annotated[str, typer.Option(help="What happened, in a sentence or two.")],
    slow: Annotated[str, typer.Option(help="What took too long, or was missing.")] = "",
    change: Annotated[str, typer.Option(help="What is done differently from now on.")] = "",
    rule: Annotated[str | None, typer.Option(help="A new house rule, in words.")] = None,
    effect: Annotated[
        Literal["note", "warn", "medium", "high", "severe", "refuse"],
        typer.Option(help="What the rule does."),
    ] = "warn",
    word: Annotated[
        list[str] | None, typer.Option(help="A phrase of briefs that it is about; repeatable.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="A kind of work that it is about; repeatable.")
    ] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Look back on a decided case; can add a rule to the studio's own pack."""
    opened = the_studio(studio)
    made = None
    if rule is not None:
        when = {"when": {"category": category}} if category else {}
        made = {"text": rule, "effect": effect, "words": word or (), **when}
    answers = Retrospective(happened=happened, slow=slow, change=change, rule=made)
    pack = keep_retrospective(opened, find_case(opened, number), answers, by=by)
    if as_json:
        show_json({"pack": None if pack is None else [pack.name, pack.version]})
        return
    out.print("Kept." if pack is None else f"Kept; house rules {pack.version} count from now on.")


def desk_(
    responder: Annotated[
        list[str] | None, typer.Option(help="Who is reminded; can be repeated.")
    ] = None,
    escalate: Annotated[
        list[str] | None, typer.Option(help="Who is told besides once it is late; repeatable.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where the public pages are.", metavar="URL")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Say who answers for the studio, or show it."""
    opened = the_studio(studio)
    now = load_desk(opened)
    if responder or escalate or public_url:
        now = ResponseDesk(
            responders=tuple(responder) if responder else now.responders,
            escalation=tuple(escalate) if escalate else now.escalation,
            public_url=public_url or now.public_url,
        )
        save_desk(opened, now)
    out.print(f"Reminded: {', '.join(now.responders) or 'nobody'}")
    out.print(f"Told when it is late: {', '.join(now.escalation) or 'nobody'}")
    out.print(f"Public pages: {now.public_url or 'nowhere'}")


def mail(
    host: Annotated[str | None, typer.Option(help="The mail server.")] = None,
    port: Annotated[int, typer.Option(help="587 for STARTTLS, 465 for TLS.")] = 587,
    security: Annotated[
        Literal["starttls", "tls"], typer.Option(help="How the connection is encrypted.")
    ] = "starttls",
    sender: Annotated[str | None, typer.Option(help="The studio's own address.")] = None,
    user: Annotated[str | None, typer.Option(help="Who signs in.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="A file with their password.", metavar="FILE")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Authorities to believe, as PEM.", metavar="FILE")
    ] = None,
    test: Annotated[
        str | None, typer.Option("--test", help="Send a test message there.", metavar="ADDRESS")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Say through which server e-mail goes, always by TLS; it is kept with the studio's secrets."""
    opened = the_studio(studio)
    if host is not None:
        if sender is None:
            raise InputError("mail needs a sender", advice="Give --sender.")
        password = read_text(password_file).strip() if password_file else None
        pem = read_text(trust) if trust else None
        server = MailServer(
            host=host, port=port, security=security, sender=sender, user=user,
            password=password, trust_pem=pem,
        )  # fmt: skip
        save_mail(opened.secrets, server)
    known = load_mail(opened.secrets)
    if known is None:
        out.print("No mail server yet: letters wait.")
        return
    out.print(f"{known.sender} through {known.host}:{known.port} ({known.security})")
    if test is not None:
        body = f"This is a test of the response desk of {opened.name}."
        message = Message(to=(test,), subject=f"Test of {opened.name}", body=body)
        out.print(f"Sent: {send(known, message, now=opened.clock())}")
