"""Step 8, the log: let others vouch for it, and check all of it."""

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, progress_bar, show_json, show_table
from assent.apps.cli.files import read_bytes, read_text
from assent.apps.cli.log import log
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.anchors.authority import load_roots
from assent.kit.anchors.bitcoin import read_headers
from assent.kit.errors import FaultError, FetchError, InputError, IntegrityError, RewrittenError
from assent.kit.store.studio import Studio
from assent.kit.tlog.note import NoteVerifier
from assent.monitor.anchoring import Outcome, State, anchor
from assent.monitor.audit.audit import audit, trust_of
from assent.monitor.audit.report import Report, Standing, Trust
from assent.monitor.on_chain import Patience, deploy
from assent.monitor.places import (
    AuthorityPlace,
    CalendarPlace,
    ChainPlace,
    Place,
    account_key,
    announce,
    find_place,
    load_places,
    make_chain_place,
    remove_place,
    save_place,
)

__all__ = ["register"]

PANEL = "8 · Monitor and respond"
HERE = Path()
WEI = 10**18

place = typer.Typer(no_args_is_help=True, help="Where the log is anchored.")

Name = Annotated[str, typer.Argument(help="What to call the place.", metavar="NAME")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to give a chain.", metavar="SECONDS")]
MostCost = Annotated[
    str, typer.Option(help="What one transaction may cost, in the chain's coin.", metavar="COINS")
]


def register(_app: typer.Typer) -> None:
    """Add these commands to those of the log."""
    log.command("anchor")(anchor_)
    log.command("audit")(audit_)
    log.add_typer(place, name="place")


@place.command("rfc3161")
def rfc3161(
    name: Name,
    url: Annotated[str, typer.Option(help="The authority's address.", metavar="URL")],
    root: Annotated[
        Path, typer.Option(help="The root certificate that it publishes, PEM.", metavar="FILE")
    ],
    studio: StudioFolder = HERE,
) -> None:
    """Anchor with a time-stamping authority (RFC 3161)."""
    roots = read_text(root)
    save_place(the_studio(studio), AuthorityPlace(name=name, url=url, roots=roots))
    out.print(f"{name}: a time-stamping authority.")


@place.command("opentimestamps")
def opentimestamps(
    name: Name,
    url: Annotated[str, typer.Option(help="The calendar's address.", metavar="URL")],
    studio: StudioFolder = HERE,
) -> None:
    """Anchor in Bitcoin by a calendar of OpenTimestamps."""
    save_place(the_studio(studio), CalendarPlace(name=name, url=url))
    out.print(f"{name}: a calendar.")


@place.command("evm")
def evm(
    name: Name,
    url: Annotated[str, typer.Option(help="A node of the chain (JSON-RPC).", metavar="URL")],
    chain: Annotated[int, typer.Option(min=1, help="The chain's id.", metavar="NUMBER")],
    contract: Annotated[
        str | None, typer.Option(help="Where the contract is, if it is there.", metavar="ADDRESS")
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="The account's key; without one, one is made.", metavar="FILE"),
    ] = None,
    confirmations: Annotated[
        int, typer.Option(min=1, help="Blocks until an anchor counts.", metavar="NUMBER")
    ] = 12,
    most_cost: MostCost = "0.01",
    studio: StudioFolder = HERE,
) -> None:
    """Anchor on an EVM chain.

    Without --key-file a key is made that stays in the studio's secret store. Each transaction costs
    some of the chain's coin, which the account must have.
    """
    opened = the_studio(studio)
    made = make_chain_place(
        opened,
        ChainPlace(
            name=name, url=url, chain_id=chain, sender="", contract=contract,
            confirmations=confirmations, most=_wei(most_cost),
            key_file=None if key_file is None else str(key_file.absolute()),
        ),
        key=None if key_file is None else read_bytes(key_file),
    )  # fmt: skip
    if made.contract is not None:
        announce(opened, made)
    out.print(f"{name}: chain {chain}, anchored by {made.sender}.", soft_wrap=True)
    if made.contract is None:
        out.print(f"Send it some coin, then run `assent log place deploy {name}`.")


@place.command("deploy")
def deploy_(
    name: Name, wait: Wait = 120.0, most_cost: MostCost = "0.05", studio: StudioFolder = HERE
) -> None:
    """Put the anchoring contract onto a place's chain, once."""
    opened = the_studio(studio)
    found = find_place(opened, name)
    if not isinstance(found, ChainPlace):
        raise InputError(f"{name} is no chain", advice="Only chains need a contract.")
    made = deploy(
        opened, found, key_of=lambda each: _key(opened, each), most=_wei(most_cost),
        patience=Patience.of(wait),
    )  # fmt: skip
    out.print(f"{name}: the contract is at {made.contract}.", soft_wrap=True)


@place.command("list")
def list_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List where the log is anchored; addresses, which may hold keys, are not shown."""
    listed = [_described(each) for each in load_places(the_studio(studio))]
    if as_json:
        show_json(listed)
        return
    columns = ("name", "kind", "chain", "contract", "sender")
    show_table(columns, [[each.get(column) or "" for column in columns] for each in listed])


@place.command("remove")
def remove(name: Name, studio: StudioFolder = HERE) -> None:
    """Forget a place and the key that was made for it; its anchors stay."""
    remove_place(the_studio(studio), name)
    out.print(f"{name} is forgotten.")


def anchor_(
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="A place; repeat for more. Without: all.", metavar="NAME"),
    ] = None,
    wait: Wait = 60.0,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Let others say that the log's checkpoint of now was there, and complete what was pending.

    Run it from time to time; what is anchored already is not anchored again.
    """
    opened = the_studio(studio)
    places = [find_place(opened, name) for name in to] if to else load_places(opened)
    if not places:
        raise InputError(
            "there is no place to anchor in",
            advice="Add one: `assent log place rfc3161`, `opentimestamps` or `evm`.",
        )
    outcomes = []
    with progress_bar() as progress:
        going = anchor(
            opened, places, key_of=lambda each: _key(opened, each), patience=Patience.of(wait)
        )
        for number, outcome in enumerate(going, start=1):
            progress("anchoring", number, len(places))
            outcomes.append(outcome)
    if as_json:
        show_json([each.to_json() for each in outcomes])
    else:
        columns = ("place", "kind", "entries", "", "what it says")
        show_table(columns, [(e.place, e.kind, e.size, e.state, escape(e.says)) for e in outcomes])
    _raise_problems(outcomes)


def audit_(
    folder: Annotated[
        Path | None,
        typer.Option("--log", help="A copy of a studio's log; no studio needed.", metavar="DIR"),
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="The studio's log key as it published it.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that you kept; repeat for more.", metavar="FILE"),
    ] = None,
    tsa_root: Annotated[
        list[Path] | None,
        typer.Option(help="Root of a time-stamping authority, PEM; repeat.", metavar="FILE"),
    ] = None,
    bitcoin_headers: Annotated[
        Path | None,
        typer.Option(help="Lines of a height and a header in hexadecimal.", metavar="FILE"),
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option(help="A node of a chain, by the chain's id; repeat.", metavar="ID=URL"),
    ] = None,
    confirmations: Annotated[
        int, typer.Option(min=1, help="Blocks until an anchor counts.", metavar="NUMBER")
    ] = 12,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Check a log from its first entry, every checkpoint that was kept, and all its anchors.

    Of the studio itself, or with --log of a copy of anybody's log: then time stamps need --tsa-root
    and chains --rpc. Ends with 4 if the log was rewritten, with 1 if anything else is wrong or
    couldn't be asked.
    """
    trust = Trust(
        roots=[each for path in tsa_root or [] for each in load_roots(read_bytes(path))],
        nodes=_nodes(rpc or []),
        headers={} if bitcoin_headers is None else read_headers(read_text(bitcoin_headers)),
        checkpoints={str(path): read_bytes(path) for path in checkpoint or []},
        confirmations=confirmations,
    )
    if folder is None:
        opened = the_studio(studio)
        folder, verifier = opened.log_folder, opened.log_verifier
        trust = trust_of(opened, trust)
    elif log_key is None:
        raise InputError(
            "a copy of a log is checked with the log's key", advice="Give it with --log-key."
        )
    else:
        verifier = NoteVerifier.parse(log_key)
    with progress_bar() as progress:
        report = audit(folder, verifier, trust, progress=progress)
    if as_json:
        show_json(report.to_json())
    else:
        _show(report)
    _raise_report(report)


def _show(report: Report) -> None:
    sign = {
        Standing.GOOD: "[green]good[/green]",
        Standing.PENDING: "[yellow]pending[/yellow]",
        Standing.UNPROVEN: "[yellow]unproven[/yellow]",
        Standing.UNREACHABLE: "[red]unreachable[/red]",
        Standing.BAD: "[red]bad[/red]",
    }
    out.print(
        f"{report.size} entries of {escape(report.origin)}; others vouch for the first "
        f"{report.covered}.",
        soft_wrap=True,
    )
    rows = [
        (escape(e.what), sign[e.standing], f"{escape(e.says)}\n[dim]{escape(e.rests_on)}[/dim]")
        for e in report.items
    ]
    show_table(("what", "", "what was found, and on whose word"), rows)


def _raise_problems(outcomes: list[Outcome]) -> None:
    problems = [each.problem for each in outcomes if each.problem is not None]
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise FaultError(
            f"{len(problems)} of {len(outcomes)} places failed",
            advice="See above for each; run the command again, it goes on where it stopped.",
        )
    if any(each.state is State.PENDING for each in outcomes):
        err.print("Not all is settled yet: run the command again later.")


def _raise_report(report: Report) -> None:
    if report.rewritten:
        raise RewrittenError("the log contradicts a state that it had")
    if not report.holds:
        raise IntegrityError(
            "the audit found what must not be",
            advice="Keep this folder and the output as they are: they are the evidence.",
        )
    if not report.complete:
        raise FetchError(
            "not everybody could be asked", advice="Run the audit again when they can be reached."
        )


def _described(each: Place) -> dict[str, object]:
    if not isinstance(each, ChainPlace):
        return {"name": each.name, "kind": each.kind}
    return {
        "name": each.name, "kind": each.kind, "chain": each.chain_id, "contract": each.contract,
        "sender": each.sender, "confirmations": each.confirmations,
        "waiting": each.waiting and each.waiting.attempt.hash,
    }  # fmt: skip


def _key(studio: Studio, each: ChainPlace) -> bytes:
    if each.key_file is not None:
        return read_bytes(Path(each.key_file))
    return account_key(studio, each)


def _nodes(given: list[str]) -> dict[int, list[str]]:
    nodes: dict[int, list[str]] = {}
    for each in given:
        match = re.fullmatch(r"([1-9][0-9]{0,17})=(https?://.+)", each)
        if match is None:
            raise InputError(
                "--rpc takes a chain's id, = and a node's address", advice="As in --rpc 1=https://…"
            )
        nodes.setdefault(int(match[1]), []).append(match[2])
    return nodes


def _wei(coins: str) -> int:
    try:
        wei = int(Decimal(coins) * WEI)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise InputError(f"{coins!r} is no amount", advice="Write it as in 0.01.") from error
    if not 0 < wei < WEI * 10**6:
        raise InputError(f"{coins} is no amount to spend", advice="Write it as in 0.01.")
    return wei
