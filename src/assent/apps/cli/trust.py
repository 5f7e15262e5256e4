"""Step 8: what others need to check a studio's releases: a bundle, and a page for everybody."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import err, out, show_json
from assent.apps.cli.files import write_document
from assent.apps.cli.monitor import LogKey
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.clock import system
from assent.kit.disk import Disk
from assent.kit.errors import InputError, NotFoundError
from assent.verify.bundle import LARGEST, make_bundle, open_bundle
from assent.verify.page.site import PACKAGE, find_package, write_site
from assent.verify.public import PublicLog

__all__ = ["PANEL", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()

trust = typer.Typer(no_args_is_help=True, help="What others need to check your releases.")

Bundle = Annotated[Path, typer.Argument(help="A trust bundle.", metavar="BUNDLE")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(trust, name="trust", rich_help_panel=PANEL)
    app.command("verify-page", rich_help_panel=PANEL)(verify_page)


@trust.command("export")
def export_(
    to: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Leave out releases from before this day."),
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Write the trust bundle: log, keys, status lists and fingerprints, for anyone to publish."""
    opened = the_studio(studio)
    text = make_bundle(
        opened.log_folder,
        opened.log_verifier,
        opened.signing_key,
        now=opened.clock(),
        since=since.replace(tzinfo=UTC) if since else None,
    )
    log = open_bundle(text.encode(), now=opened.clock(), vkey=opened.log_verifier.vkey)
    write_document(to, text)
    err.print(f"{len(log.records)} releases in {to}, {len(text) >> 10} KB.", soft_wrap=True)
    err.print("Publish this key elsewhere, so that it can be compared:")
    out.print(log.vkey, soft_wrap=True, markup=False)


@trust.command("show")
def show(bundle: Bundle, log_key: LogKey = None, as_json: AsJson = False) -> None:
    """Check a trust bundle and say whose it is, and as of when."""
    log = _opened(bundle, log_key)
    if as_json:
        show_json(
            {
                "studio": log.studio,
                "id": log.studio_id,
                "key": log.vkey,
                "key_from": log.key_from,
                "issued": log.issued,
                "entries": log.size,
                "left_out": log.unseen,
                "releases": len(log.records),
                "withdrawn": len(log.withdrawn),
            }
        )
        return
    out.print(f"{log.studio}, as of {log.issued}, checked with {log.key_from}", markup=False)
    out.print(f"Key: {log.vkey}", soft_wrap=True, markup=False)
    out.print(
        f"{len(log.records)} releases, {len(log.withdrawn)} receipts withdrawn; {log.size} entries"
        f" in the log, {log.unseen} of them not in the bundle."
    )


def verify_page(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
    trust: Annotated[
        list[Path],
        typer.Option("--trust", help="The bundle of a studio; more than one if need be."),
    ],
    package: Annotated[
        Path | None, typer.Option(help=f"The folder of {PACKAGE}.", metavar="DIR")
    ] = None,
) -> None:
    """Write a page that checks files in the visitor's own browser, for any static web server."""
    found = find_package(package, beside=Path.cwd())
    bundles = []
    for each in trust:
        _opened(each, None)
        bundles.append(_read(each))
    made = write_site(folder, bundles, package=found)
    out.print(f"{made} files in {folder}. Any web server can serve them.", soft_wrap=True)
    err.print(f"To try it: python -m http.server -d {folder}", soft_wrap=True, markup=False)


def _opened(path: Path, log_key: str | None) -> PublicLog:
    return open_bundle(_read(path), now=system(), vkey=log_key)


def _read(path: Path) -> bytes:
    file = Disk().reader(path) if path.is_file() else None
    if file is None:
        raise NotFoundError(f"there is no trust bundle {path}", advice="Check the path.")
    with file:
        data = file.read(LARGEST + 1)
    if not data:
        raise InputError(f"{path} is empty")
    return data
