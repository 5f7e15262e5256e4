"""Step 8: what everybody may see: serve it, write it as files, say it in public words."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import err, out, progress_bar, show_json
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.public.build import build_folder
from assent.apps.public.checks import Limits
from assent.apps.public.pages import Pages
from assent.apps.public.place import PublicPlace, kept_place, place_of
from assent.apps.public.publish import BUNDLE, publish, publish_facts
from assent.apps.public.server import build, corner_of
from assent.apps.public.server import serve as serve_app
from assent.apps.public.source import PUBLIC, Source
from assent.disclose.public_record import describe
from assent.kit.disk import Disk
from assent.kit.errors import InputError, NotFoundError
from assent.kit.store.studio import Studio
from assent.verify.page.site import find_package, site_files

__all__ = ["PANEL", "register"]

PANEL = "8 · Monitor and respond"
HERE = Path()
LOCAL = "http://localhost:8768"

public = typer.Typer(no_args_is_help=True, help="What everybody may see: releases, log, verifying.")

Url = Annotated[
    str | None, typer.Option("--url", help="Where everybody reaches the pages.", metavar="URL")
]
Contact = Annotated[
    str | None, typer.Option(help="Whom people may write to; else the studio's contact.")
]
Language = Annotated[str, typer.Option(help="The language of the first page.")]
PackageFolder = Annotated[
    Path | None,
    typer.Option("--package", help="The folder of the npm package that checks in browsers."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(public, name="public", rich_help_panel=PANEL)


@public.command("serve")
def serve(
    url: Url = None,
    contact: Contact = None,
    language: Language = "en",
    port: Annotated[int, typer.Option(help="Where to listen.", min=1, max=65535)] = 8768,
    host: Annotated[
        str, typer.Option(help="Whom to listen to; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="Believe a proxy on this machine who asks.")
    ] = False,
    keyless: Annotated[
        bool, typer.Option("--keyless", help="Read log and public folder alone; no reports.")
    ] = False,
    largest: Annotated[
        int, typer.Option(help="Megabytes of a file that is verified.", min=1, max=4096)
    ] = 256,
    jobs: Annotated[int, typer.Option(help="Files examined at once.", min=1, max=64)] = 1,
    package: PackageFolder = None,
    studio: StudioFolder = HERE,
) -> None:
    """Serve the public pages: verify a file, a release's record, status lists and the log."""
    opened = None if keyless else the_studio(studio)
    place = _place(studio, opened, url, contact, language, fallback=LOCAL)
    source = _source(studio, opened)
    source.now()
    limits = Limits(largest=largest << 20, workers=jobs, scratch=max(2 << 30, largest << 21))
    checker = _checker(studio, package)
    corner = corner_of(source, place, limits=limits, studio=opened, in_browser=checker is not None)
    err.print(f"The public pages are at {place.url}/. Ctrl-C ends it.", soft_wrap=True)
    serve_app(build(corner, checker=checker), host=host, port=port, behind_proxy=behind_proxy)


@public.command("build")
def build_(
    folder: Annotated[Path, typer.Argument(help="A new folder, or that of last time.")],
    url: Url = None,
    contact: Contact = None,
    language: Language = "en",
    keyless: Annotated[
        bool, typer.Option("--keyless", help="Read log and public folder alone.")
    ] = False,
    package: PackageFolder = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write everything that is static into a folder, for any web server or CDN."""
    opened = None if keyless else the_studio(studio)
    place = _place(studio, opened, url, contact, language, fallback=None)
    source = _source(studio, opened)
    source.now()
    checker = _checker(studio, package)
    pages = Pages(place=place, source=source, in_browser=checker is not None)
    with progress_bar() as progress:
        files, written = build_folder(
            pages, folder, checker=checker() if checker else None, progress=progress
        )
    releases = len(source.now().assets)
    if as_json:
        show_json({"files": files, "written": written, "releases": releases, "url": place.url})
        return
    out.print(f"{files} files of {releases} assets in {folder}, {written} of them new.")


@public.command("publish")
def publish_(
    url: Url = None,
    contact: Contact = None,
    language: Language = "en",
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write records, trust bundle, and beside each release its QR code and a card to print.

    The address is kept: from then on each new release gets its code by itself.
    """
    opened = the_studio(studio)
    place = _place(studio, opened, url, contact, language, fallback=None) if url else None
    made = publish(opened, place=place)
    if as_json:
        where = made.place.url if made.place else None
        show_json({"releases": made.releases, "written": made.written, "url": where})
        return
    out.print(f"{made.releases} releases published, {made.written} files written.")
    if made.place is None:
        err.print("No codes were made: say where the pages are with --url.")


@public.command("describe")
def describe_(
    words: Annotated[str, typer.Argument(help="What it is for, naming nobody; empty removes it.")],
    project: ProjectName,
    language: Annotated[str, typer.Option(help="The language of the words.")] = "en",
    studio: StudioFolder = HERE,
) -> None:
    """Say in a sentence or two, for everybody, what a project's releases are for."""
    opened = the_studio(studio)
    describe(opened, project, language, words)
    publish(opened)
    out.print("Kept; the public records say so now." if words.strip() else "Removed.")


def _place(
    folder: Path,
    opened: Studio | None,
    url: str | None,
    contact: str | None,
    language: str,
    *,
    fallback: str | None,
) -> PublicPlace:
    kept = kept_place(folder)
    whom = contact or (kept.contact if kept else None) or (opened.contact if opened else "")
    if url is None and kept is not None:
        return replace(kept, contact=whom)
    address = url or fallback
    if address is None:
        raise InputError("where the pages are isn't known", advice="Give their address: --url.")
    return place_of(address, contact=whom, language=language)


def _source(folder: Path, opened: Studio | None) -> Source:
    if opened is None:
        return Source(folder)
    return Source(
        folder, vkey=opened.log_verifier.vkey, changed=lambda: _ignore(publish_facts(opened))
    )


def _ignore(_: object) -> None:
    """Turn a function that returns something into one that doesn't."""


def _checker(folder: Path, package: Path | None) -> Callable[[], dict[str, bytes]] | None:
    """Return what gives the files of the page for browsers; None if the package isn't there."""
    try:
        found = find_package(package, beside=Path(os.curdir).absolute())
    except NotFoundError:
        if package is not None:
            raise
        err.print("No page that checks in browsers: its npm package isn't installed.")
        return None
    known: dict[bytes, dict[str, bytes]] = {}

    def files() -> dict[str, bytes]:
        bundle = Disk().read(folder / PUBLIC / BUNDLE) or b""
        if bundle not in known:
            known.clear()
            known[bundle] = site_files([bundle], package=found) if bundle else {}
        return known[bundle]

    return files
