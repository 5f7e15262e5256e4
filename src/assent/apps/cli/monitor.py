"""Step 8: what is this file, and where are ours?"""

from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli import watching
from assent.apps.cli.console import progress_bar, show_json, show_table
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.store.studio import Studio
from assent.monitor.releases import list_releases
from assent.monitor.scan import scan
from assent.monitor.sightings import remember
from assent.verify.public import OWN, PublicLog, open_log

__all__ = ["LogFolder", "LogKey", "public_log", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()

LogFolder = Annotated[
    Path | None,
    typer.Option("--log", help="A copy of a studio's log; no studio needed.", metavar="DIR"),
]
LogKey = Annotated[
    str | None, typer.Option("--log-key", help="The studio's log key as it published it.")
]

monitor = typer.Typer(no_args_is_help=True, help="Know what was released and recognise it again.")


def register(app: typer.Typer) -> None:
    """Add this step's commands."""
    watching.register(monitor)
    app.add_typer(monitor, name="monitor", rich_help_panel=PANEL)


@monitor.command("releases")
def releases(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List what was released, and whether everyone in it still agrees."""
    listed = list_releases(the_studio(studio))
    if as_json:
        show_json([each.to_json() for each in listed])
        return
    show_table(
        ("asset", "file", "released", "log entry", "consent"),
        [
            (e.asset_id, e.file, e.created, e.log_index, "withdrawn" if e.withdrawn else "live")
            for e in listed
        ],
    )


@monitor.command("scan")
def scan_(
    folder: Annotated[Path, typer.Argument(help="A folder of videos and stills.", metavar="DIR")],
    log: LogFolder = None,
    log_key: LogKey = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Look through a folder for copies of the studio's releases."""
    own = the_studio(studio) if log is None else None
    public = public_log(studio, log, log_key) if own is None else _log_of(own, log_key)
    with progress_bar() as progress:
        sightings = list(scan(folder, public, progress=progress))
    if own is not None:
        remember(own, sightings)
    if as_json:
        show_json(
            [
                {
                    "path": str(sighting.path),
                    "problem": sighting.problem,
                    **({} if sighting.findings is None else sighting.findings.to_json()),
                }
                for sighting in sightings
            ]
        )
        return
    show_table(
        ("file", "what it is", "asset", "consent"),
        [
            (
                s.path.relative_to(folder),
                s.findings.verdict.value if s.findings else f"unreadable: {s.problem}",
                (s.findings and s.findings.asset_id) or "",
                "withdrawn" if s.findings and s.findings.consent_withdrawn else "",
            )
            for s in sightings
        ],
    )


def public_log(studio: Path, log: Path | None, log_key: str | None) -> PublicLog:
    """Open the log in a folder, or the studio's own."""
    if log is not None:
        return open_log(log, vkey=log_key)
    return _log_of(the_studio(studio), log_key)


def _log_of(own: Studio, log_key: str | None) -> PublicLog:
    # The studio's own log is checked with the key that it signs with, not the one lying beside.
    if log_key is not None:
        return open_log(own.log_folder, vkey=log_key)
    return open_log(own.log_folder, vkey=own.log_verifier.vkey, key_from=OWN)
