"""Step 2, its end: consent that is withdrawn or has run out, and what proves it."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from assent.apps.cli.consent import PANEL, consent
from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_text, write_document
from assent.apps.cli.monitor import LogFolder, LogKey, public_log
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.consent.certificate import read_certificate, render_page
from assent.consent.retention import end_expired, sweep
from assent.consent.withdrawal import Ending, find_ending, withdraw
from assent.kit.canonical import parse_object
from assent.kit.clock import system
from assent.kit.errors import NotFoundError, StorageError
from assent.kit.store.studio import Studio
from assent.verify.receipts import look_up

__all__ = ["PANEL", "register"]

HERE = Path()

RecordId = Annotated[
    str, typer.Argument(help="The record's id or its beginning.", metavar="RECORD")
]


def register(app: typer.Typer) -> None:
    """Add this step's commands to those on consent."""
    consent.command("withdraw")(withdraw_)
    consent.command("expire")(expire)
    consent.command("certificate")(certificate)
    consent.command("status")(status)


def withdraw_(
    record_id: RecordId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask again.")] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """End a consent at once: no more use, and the key of its data is destroyed for good.

    Shows what was closed, and what remains elsewhere and why; the certificate for the subject is
    put into the studio's folder.
    """
    opened = the_studio(studio)
    if not yes:
        typer.confirm(
            "The key is destroyed: footage, faces and models under it can never be opened again. "
            "Withdraw?",
            abort=True,
            err=True,
        )
    ending = withdraw(opened, record_id)
    page = _write(opened, ending)
    if as_json:
        show_json(_as_json(ending, page))
    else:
        out.print(f"Consent {ending.record_id} is withdrawn and its key destroyed.")
        _show(ending, page)
    _check_complete([ending])


def expire(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Keep the promise of retention: destroy the keys of records whose term has run out.

    Left-overs of killed commands go, and so does ciphertext that nobody can open any more.
    """
    opened = the_studio(studio)
    ended = end_expired(opened)
    pages = [_write(opened, each) for each in ended]
    removed = sweep(opened)
    if as_json:
        show_json({"ended": [each.record_id for each in ended], "removed": removed})
    else:
        out.print(f"{len(ended)} record(s) ended, {removed} file(s) removed.")
        for page in pages:
            if page is not None:
                out.print(f"Certificate: {page}", soft_wrap=True)
    _check_complete(ended)


def certificate(
    record_id: RecordId,
    to: Annotated[
        Path,
        typer.Option("--out", help="The certificate; FILE.html is a page.", metavar="FILE"),
    ],
    studio: StudioFolder = HERE,
) -> None:
    """Write the certificate of a deletion again, for its subject."""
    opened = the_studio(studio)
    ending = find_ending(opened, record_id)
    if ending.certificate is None:
        raise NotFoundError(
            f"the record {ending.record_id} has no certificate of deletion",
            advice="It gets one when it is withdrawn or has run out.",
        )
    _write_to(opened, ending, to)
    out.print(f"{to} and {to}.html", soft_wrap=True)


def status(
    receipt: Annotated[
        Path, typer.Argument(help="A receipt, as its subject got it.", metavar="RECEIPT")
    ],
    log: LogFolder = None,
    log_key: LogKey = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """For anyone with a receipt: does it still stand? Needs a copy of the log, and no studio."""
    text = read_text(receipt).strip()
    if text.startswith("{"):
        text = str(parse_object(text, name=receipt.name).get("receipt"))
    found = look_up(public_log(studio, log, log_key), text, today=system().date())
    if as_json:
        show_json(asdict(found))
        return
    out.print(
        f"{found.says[0].upper()}{found.says[1:]} (list {found.number}, version {found.version})."
    )


def _write(studio: Studio, ending: Ending) -> Path | None:
    """Put the certificate into the studio's folder and return the page's path."""
    if ending.certificate is None:
        return None
    folder = studio.folder / "certificates"
    studio.disk.make_folder(folder)
    return _write_to(studio, ending, folder / f"{ending.record_id}.jws")


def _write_to(studio: Studio, ending: Ending, path: Path) -> Path:
    """Write the certificate, and the page in the language in which the subject agreed."""
    token, page = str(ending.certificate), path.with_name(f"{path.name}.html")
    fields = read_certificate(token, studio.signing_key)
    language = ending.rows[-1].document["notice"]["language"]
    write_document(path, f"{token}\n")
    write_document(page, render_page(fields, token, language=language))
    return page


def _as_json(ending: Ending, page: Path | None) -> dict[str, Any]:
    return {
        "record": ending.record_id,
        "log_index": ending.log_entries,
        "receipts": sorted(ending.receipts),
        "releases": [
            copy.what.removeprefix("release ")
            for copy in ending.copies
            if copy.what.startswith("release ")
        ],
        "objects": list(ending.objects),
        "copies": [copy.to_json() for copy in ending.copies],
        "pending": list(ending.pending),
        "certificate": None if page is None else str(page),
    }


def _show(ending: Ending, page: Path | None) -> None:
    kinds = Counter(held["what"] for held in ending.objects)
    if kinds:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        out.print(f"Closed for good: {told}.")
    if any(held["shared"] for held in ending.objects):
        out.print(
            "Some of it showed others too. What was made of them alone stays open as long as they "
            "agree."
        )
    if ending.copies:
        out.print("What remains elsewhere; take down what you can:")
        show_table(("what", "where", "why"), [(c.what, c.where, c.why) for c in ending.copies])
    if page is not None:
        out.print(f"Certificate for the subject: {page}", soft_wrap=True)


def _check_complete(endings: tuple[Ending, ...] | list[Ending]) -> None:
    """Raise `StorageError` if a copy of a key couldn't be reached."""
    places = sorted({place for each in endings for place in each.pending})
    if places:
        err.print("[yellow]The consent has ended and the studio's key is destroyed.[/yellow]")
        raise StorageError(
            f"escrow keys could not be reached in {', '.join(places)}",
            advice="Attach that medium and run the command again; then there is a certificate.",
        )
