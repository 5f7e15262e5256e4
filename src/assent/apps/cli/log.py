"""The studio's log: publish it, let witnesses cosign it, prove what it holds, watch others'."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import typer
from rich.markup import escape

from assent.apps.cli import witness
from assent.apps.cli.console import err, out, progress_bar, show_json, show_table
from assent.apps.cli.files import read_text, write_document
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.apps.web.log_site import serve_log
from assent.disclose.witnessing import cosign_log, policy_of, renew_receipts, set_policy
from assent.kit.clock import stamp, system
from assent.kit.errors import AssentError, FaultError, NotFoundError, RewrittenError, SealError
from assent.kit.fetch.urls import is_url
from assent.kit.progress import Progress
from assent.kit.tlog.files import Files, Folder, Site
from assent.kit.tlog.monitor import Monitor, Sight
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.receipt import make_receipt
from assent.kit.tlog.wire import get
from assent.kit.tlog.witnessed import Witnessed, open_witnessed

__all__ = ["log", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()
# A copy on the way may be as old as the log lets caches keep its checkpoint.
_SECOND_LOOK_S = 10.0

log = typer.Typer(no_args_is_help=True, help="Publish, witness, prove and watch the log.")
log.add_typer(witness.witness, name="witness")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(log, name="log", rich_help_panel=PANEL)


@log.command("show")
def show(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Show the log's key, how large it is, and who has seen it."""
    opened = the_studio(studio)
    reader, policy, note = opened.log.reader(), policy_of(opened), opened.log.cosigned()
    seen = None
    if note is not None:
        seen = open_witnessed(note, log=reader.verifier, policy=policy, now=opened.clock())
    if as_json:
        show_json(
            {
                "origin": reader.state.origin,
                "key": reader.verifier.vkey,
                "size": reader.size,
                "root": reader.state.root.hex(),
                "quorum": policy.quorum,
                "cosigned": seen and _seen_json(seen),
            }
        )
        return
    out.print(f"[bold]{escape(reader.state.origin)}[/bold]: {reader.size} entries", soft_wrap=True)
    out.print(f"Key: {reader.verifier.vkey}", soft_wrap=True, markup=False)
    out.print(_seen_words(seen, policy), soft_wrap=True, markup=False)


@log.command("serve")
def serve_(
    port: Annotated[int, typer.Option(help="Where to listen.", min=1, max=65535)] = 8766,
    host: Annotated[
        str, typer.Option(help="Whom to listen to; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    studio: StudioFolder = HERE,
) -> None:
    """Publish the log over HTTP, as any file server could; needs no keys."""
    folder = studio / "log"
    if not (folder / "checkpoint").is_file():
        raise NotFoundError(f"there is no log in {studio}", advice="Name the studio: --studio.")
    err.print(f"The log is at http://{host}:{port}/checkpoint. Ctrl-C ends it.")
    serve_log(folder, host=host, port=port)


@log.command("policy")
def policy_(
    file: Annotated[
        Path | None, typer.Argument(help="The new policy, as c2sp.org/tlog-policy.", metavar="FILE")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Show or set which witnesses are asked, and how many must have cosigned a release."""
    opened = the_studio(studio)
    policy = policy_of(opened) if file is None else set_policy(opened, read_text(file))
    out.print(policy.text(), end="", soft_wrap=True, markup=False)
    if not policy.needs_witnesses:
        err.print("No witness is needed for a release.")


@log.command("cosign")
def cosign_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Ask all witnesses to cosign the log as it is now, and put that into releases' proofs.

    Exit code 4 if a witness has seen another history of the log, 1 if too few cosigned.
    """
    opened = the_studio(studio)
    result = cosign_log(opened)
    renewal = renew_receipts(opened)
    if as_json:
        show_json(
            {
                "enough": result.enough,
                "witnesses": [
                    {"name": a.witness, "cosigned": a.line is not None, "says": a.says}
                    for a in result.asked
                ],
                "renewed": renewal.renewed,
                "lacking": renewal.lacking,
            }
        )
    else:
        show_table(
            ("witness", "", "what it says"),
            [
                (_shown(a.witness), "cosigned" if a.line else "no", _shown(a.says))
                for a in result.asked
            ],
        )
        if renewal.renewed or renewal.lacking:
            out.print(
                f"{renewal.renewed} proof(s) renewed, {renewal.lacking} still lack witnesses."
            )
    alarms = [a.witness for a in result.asked if a.alarming]
    if alarms:
        raise RewrittenError(
            f"what {', '.join(alarms)} saw of this log before contradicts it",
            advice="Compare the log with the checkpoint that the witness keeps, and with backups, "
            "before anything else is released.",
        )
    if not result.enough:
        raise SealError(
            "fewer witnesses than the policy asks for cosigned the log",
            advice="Run the command again when they can be reached.",
        )


@log.command("prove")
def prove(
    index: Annotated[int, typer.Argument(help="Which entry, from 0.", min=0, metavar="INDEX")],
    to: Annotated[
        Path | None, typer.Option("--out", help="Write the proof here.", metavar="FILE")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Print the proof that the log holds an entry (c2sp.org/tlog-proof), cosigned if it can be."""
    opened = the_studio(studio)
    note = opened.log.cosigned()
    reader = opened.log.reader(note)
    if index >= reader.size:
        reader = opened.log.reader()
    text = make_receipt(reader, index)
    if to is None:
        out.print(text, end="", soft_wrap=True, markup=False)
    else:
        write_document(to, text)


@log.command("monitor")
def monitor_(
    sources: Annotated[
        list[str],
        typer.Argument(help="Addresses or folders of one log and its copies.", metavar="SOURCE..."),
    ],
    log_key: Annotated[str, typer.Option("--log-key", help="The log's key, got another way.")],
    state: Annotated[
        Path, typer.Option("--state", help="Where the monitor remembers.", metavar="DIR")
    ],
    policy: Annotated[
        Path | None, typer.Option(help="Which witnesses should see it.", metavar="FILE")
    ] = None,
    witness_at: Annotated[
        list[str] | None,
        typer.Option(help="Ask this witness of Assent's too what it saw last.", metavar="URL"),
    ] = None,
    fresh_hours: Annotated[
        float | None, typer.Option(help="Complain if no witness saw it for so long.", min=0)
    ] = None,
    every: Annotated[
        float | None, typer.Option(help="Look again after so many seconds, for ever.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a log, anybody's, continues what it showed before, to everyone alike.

    Exit code 4, and both signed checkpoints kept in DIR/evidence, if it was rolled back or
    rewritten; 1 if it can't be told now.
    """
    watching = Monitor(
        state,
        log=NoteVerifier.parse(log_key),
        clock=system,
        policy=Policy.parse(read_text(policy)) if policy else None,
        fresh=None if fresh_hours is None else timedelta(hours=fresh_hours),
    )
    places: list[Files] = [Site(x, get) if is_url(x) else Folder(Path(x)) for x in sources]
    name = sha256(NoteVerifier.parse(log_key).name.encode()).hexdigest()
    asked = [Site(f"{each.rstrip('/')}/logs/{name}", get) for each in witness_at or ()]
    wait = (lambda: sleep(_SECOND_LOOK_S)) if any(is_url(each) for each in sources) else None
    while True:
        with progress_bar() as progress:
            sight = _look(watching, places, asked, wait, progress, keep_on=every is not None)
        if sight is not None:
            _tell_sight(sight, as_json=as_json)
        if every is None:
            break
        sleep(every)
    if sight is not None and sight.problems:
        raise FaultError("the log continues what was seen, but not all is well", advice=_SEE_ABOVE)


_SEE_ABOVE = "See above; look again later."


def _look(
    watching: Monitor,
    places: list[Files],
    witnesses: Sequence[Files],
    wait: Callable[[], None] | None,
    progress: Progress,
    *,
    keep_on: bool,
) -> Sight | None:
    """Look once; a monitor that keeps on survives a log that can't be read for a while."""
    try:
        return watching.look(places, witnesses=witnesses, wait=wait, progress=progress)
    except RewrittenError:
        raise
    except AssentError as error:
        if not keep_on:
            # It's somebody else's log: nothing here was damaged.
            error.advice = "Look again; if it stays so, ask the log's owner."
            raise
        err.print(
            f"[yellow]{stamp(datetime.now(UTC))}[/yellow] {_shown(str(error))}", soft_wrap=True
        )
        return None


def _tell_sight(sight: Sight, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "time": stamp(system()),
                "size": sight.size,
                "grown": sight.grown,
                "first": sight.first,
                "cosigned": sight.witnessed and _seen_json(sight.witnessed),
                "problems": list(sight.problems),
            }
        )
        return
    said = (
        "first look; nothing to compare with" if sight.first else f"{sight.grown} more than before"
    )
    out.print(f"{stamp(system())} [green]consistent[/green]: {sight.size} entries, {said}")
    for problem in sight.problems:
        out.print(f"[yellow]{_shown(problem)}[/yellow]", soft_wrap=True)


def _shown(text: str) -> str:
    """Return what somebody else may have written, so that it can't play with the terminal."""
    return escape("".join(each if each.isprintable() else "?" for each in text))


def _seen_json(seen: Witnessed) -> dict[str, Any]:
    return {
        "size": seen.state.size,
        "enough": seen.enough,
        "witnesses": [{"name": c.name, "time": stamp(c.time)} for c in seen.cosignatures],
    }


def _seen_words(seen: Witnessed | None, policy: Policy) -> str:
    if not policy.witnesses:
        return (
            "No witness is asked: only who keeps a copy of its checkpoint would notice a rewrite."
        )
    if seen is None or not seen.cosignatures:
        return "No witness has cosigned it yet: `assent log cosign`."
    names = ", ".join(f"{each.name} ({stamp(each.time)})" for each in seen.cosignatures)
    enough = "enough" if seen.enough else "fewer than the policy asks for"
    return f"Cosigned at {seen.state.size} entries by {names}: {enough}."
