"""Step 8, watching: where copies of releases are looked for, what was seen, who is told."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import out, progress_bar, show_json, show_table
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.errors import AssentError, InputError
from assent.kit.fetch.wire import Fetch
from assent.kit.store.studio import Studio
from assent.monitor.watch.codes import DATABASE, open_indexes, take_missing
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.reach import dashboard
from assent.monitor.watch.rounds import Problem, Result, open_round
from assent.monitor.watch.seen import list_seen
from assent.monitor.watch.sources import (
    KINDS,
    add_source,
    list_sources,
    remove_source,
    set_paused,
)
from assent.monitor.watch.standing import Standing
from assent.monitor.watch.telling import load_readers, open_cases, save_readers, tell
from assent.verify.apart import Bounds

__all__ = ["register"]

HERE = Path()

source = typer.Typer(no_args_is_help=True, help="Places where copies are looked for.")

Name = Annotated[str, typer.Argument(help="The source's name.", metavar="NAME")]


def register(monitor: typer.Typer) -> None:
    """Add the commands to `assent monitor`."""
    monitor.add_typer(source, name="source")
    monitor.command("run")(run)
    monitor.command("sightings")(sightings)
    monitor.command("status")(status)
    monitor.command("index")(index)
    monitor.command("alerts")(alerts)


@source.command("add")
def add(
    name: Name,
    address: Annotated[str, typer.Argument(help="Where it is.", metavar="ADDRESS")],
    kind: Annotated[str, typer.Option(help=f"What it is: {', '.join(KINDS)}.")],
    channel: Annotated[
        str, typer.Option(help="What a release must be allowed for to be shown there.")
    ] = "",
    territory: Annotated[str, typer.Option(help="Likewise, where.")] = "",
    every: Annotated[float, typer.Option(help="Hours from one look to the next.")] = 6.0,
    own: Annotated[
        bool, typer.Option("--own", help="The host is yours: it may be in a private network.")
    ] = False,
    permission: Annotated[
        str, typer.Option(help="For a site: what gives you the right to download there.")
    ] = "",
    secret_file: Annotated[
        Path | None, typer.Option(help="A mail box's password, or what a platform signs with.")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Look somewhere from now on."""
    settings = {"own": own, "permission": permission}
    add_source(
        the_studio(studio),
        name=name,
        kind=kind,
        address=address,
        channel=channel,
        territory=territory,
        every=timedelta(hours=every),
        settings={key: value for key, value in settings.items() if value},
        secret=read_bytes(secret_file) if secret_file else None,
    )
    out.print(f"{escape(name)} is looked at every {every:g} hours, by `assent monitor run`.")


@source.command("list")
def list_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List where is looked, how it went, and when it is due."""
    listed = list_sources(the_studio(studio))
    if as_json:
        show_json([each.to_json() for each in listed])
        return
    show_table(
        ("name", "kind", "address", "channel", "next", "last"),
        [
            (
                e.name, e.kind, e.address, e.channel or "none", "paused" if e.paused else e.next,
                e.problem or e.looked or "",
            )
            for e in listed
        ],
    )  # fmt: skip


@source.command("remove")
def remove(name: Name, studio: StudioFolder = HERE) -> None:
    """Look there no longer; what was seen there stays known."""
    remove_source(the_studio(studio), name)


@source.command("pause")
def pause(name: Name, studio: StudioFolder = HERE) -> None:
    """Let a source wait."""
    set_paused(the_studio(studio), name, paused=True)


@source.command("resume")
def resume(name: Name, studio: StudioFolder = HERE) -> None:
    """Let a source go on, at once."""
    set_paused(the_studio(studio), name, paused=False)


def run(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sources to look at now; all that are due.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(help="Go on for ever: minutes from one round to the next.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Examine only what its codes lead to a release.")
    ] = False,
    cases: Annotated[
        bool, typer.Option("--cases/--no-cases", help="Open a case for what is wrong.")
    ] = True,
    timeout: Annotated[float, typer.Option(help="Seconds that one file may take.")] = 600.0,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Look for copies of releases at the sources that are due."""
    opened = the_studio(studio)
    polite = Polite(clock=opened.clock, how=Fetch())
    while True:
        with (
            progress_bar() as progress,
            open_round(
                opened, polite, quick=quick, bounds=Bounds(seconds=timeout), progress=progress
            ) as rounds,
        ):
            result = rounds.run(names or ())
        told = _follow_up(opened, result, cases=cases)
        _show(result, told, as_json=as_json)
        if every is None:
            return
        time.sleep(max(60.0, every * 60))


def _follow_up(studio: Studio, result: Result, *, cases: bool) -> int:
    if cases:
        opened = {(each.asset_id, each.place) for each in open_cases(studio, result.seen)}
        numbers = {(s.asset_id, s.place): s.case_number for s in list_seen(studio)}
        for key in opened:
            out.print(f"Case {numbers[key]}: {escape(key[1])}", style="bold", highlight=False)
    try:
        return tell(studio, now=studio.clock(), problems=result.problems)
    except AssentError as error:
        result.problems.append(Problem(place="e-mail", says=str(error), advice=error.advice))
        return 0


def _show(result: Result, told: int, *, as_json: bool) -> None:
    if as_json:
        show_json({**result.to_json(), "told": told})
        return
    show_table(
        ("place", "release", "how it stands", "why"),
        [(s.place, s.asset_id, s.standing.value, "; ".join(s.reasons)) for s in result.seen],
    )
    for problem in result.problems:
        out.print(f"{escape(problem.place)}: {escape(problem.says)}", highlight=False)
    new = sum(each.new for each in result.seen)
    out.print(
        f"{result.looked} looked at, {result.unchanged} unchanged, {len(result.seen)} copies seen, "
        f"{new} of them new; {len(result.problems)} could not be looked at."
    )


def sightings(
    standing: Annotated[str, typer.Option(help=f"Only those: {', '.join(Standing)}.")] = "",
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List the copies that were seen, the newest first."""
    if standing and standing not in set(Standing):
        raise InputError(f"nothing stands {standing!r}", advice=f"One of {', '.join(Standing)}.")
    seen = list_seen(the_studio(studio), standing=Standing(standing) if standing else None)
    if as_json:
        show_json([each.to_json() for each in seen])
        return
    show_table(
        ("place", "release", "first seen", "how it stands", "why", "case"),
        [
            (
                s.place, s.asset_id, s.first[:10], s.standing.value, "; ".join(s.reasons),
                s.case_number or "",
            )
            for s in seen
        ],
    )  # fmt: skip


def status(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Show how far releases reached, and what isn't as it should be."""
    shown = dashboard(the_studio(studio))
    if as_json:
        show_json(shown.to_json())
        return
    out.print(f"{shown.copies} copies, {shown.cases} cases, {shown.waiting} places to look at")
    out.print(f"{shown.reach} views told, by {shown.telling} of the copies")
    show_table(("how it stands", "copies"), list(shown.by_standing.items()))
    show_table(
        ("week of", "copies", "not as they should be"),
        [(week.begins, week.copies, week.wrong) for week in shown.weeks if week.copies],
    )


def index(
    database: Annotated[
        Path | None,
        typer.Option(
            help="A file with the address of a PostgreSQL database with pgvector, to use from now.",
            metavar="FILE",
        ),
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use the studio's own index from now on.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take the codes of releases that have none, and say what the index holds."""
    opened = the_studio(studio)
    if database is not None:
        opened.secrets.put(DATABASE, read_bytes(database).strip())
    if embedded and DATABASE in opened.secrets.names():
        opened.secrets.forget(DATABASE)
    with progress_bar() as progress:
        taken = take_missing(opened, progress=progress)
    with open_indexes(opened) as indexes:
        kind = "postgresql" if DATABASE in opened.secrets.names() else "embedded"
        told = {
            "kind": kind,
            "taken": taken,
            "releases": len(indexes.pictures.assets()),
            "pictures": len(indexes.pictures),
            "sound": len(indexes.sound),
        }
    if as_json:
        show_json(told)
        return
    show_table(("what", "how many"), list(told.items()))


def alerts(
    mail: Annotated[
        list[str] | None,
        typer.Option(help="Write to this address from now on; can be repeated.", metavar="ADDRESS"),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Write to nobody.")] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show or say who gets an e-mail about copies that aren't as they should be."""
    opened = the_studio(studio)
    if mail or none:
        save_readers(opened, mail or [])
    readers = load_readers(opened)
    if as_json:
        show_json(list(readers))
        return
    out.print("Written to: " + (", ".join(readers) or "nobody"))
