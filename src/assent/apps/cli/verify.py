"""Step 8: what is this file? Asked of one, or of many."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, progress_bar, show_json, show_table
from assent.apps.cli.files import grown_document, read_bytes, read_text, write_document
from assent.apps.cli.monitor import LogFolder, LogKey
from assent.apps.cli.options import AsJson, StudioFolder, the_studio
from assent.kit.canonical import parse_object
from assent.kit.clock import Clock, system
from assent.kit.disk import Disk
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.fetch.urls import is_url
from assent.kit.hashing import hash_file
from assent.kit.signing import SigningKey, from_jwk, from_pem
from assent.verify.apart import Bounds, Examiner, Lookup
from assent.verify.findings import Status, Verdict
from assent.verify.many import (
    Job,
    csv_line,
    done_before,
    examine_many,
    find_files,
    json_line,
)  # fmt: skip
from assent.verify.page.result import state_of, to_page, tone_of
from assent.verify.public import GIVEN, OWN
from assent.verify.remote import fetched_bundle
from assent.verify.result import open_result, result_of, sign_result

__all__ = ["PANEL", "Trust", "register", "show_document"]

PANEL = "8 · Monitor and respond"
HERE = Path()

Trust = Annotated[
    str | None,
    typer.Option("--trust", help="A studio's trust bundle; no studio needed.", metavar="FILE|URL"),
]
OwnNetwork = Annotated[
    bool,
    typer.Option("--own-network", help="Addresses may lead into your own network."),
]
EXIT_CODES = {
    Verdict.SEALED: 0,
    Verdict.COPY: 10,
    Verdict.SOUND: 11,
    Verdict.RESEMBLES: 12,
    Verdict.NOTHING_FOUND: 13,
    Verdict.VIEWING: 14,
    Verdict.COPIED_MARK: 20,
    Verdict.CONTRADICTION: 21,
}
"""With --exit-code; `WITHDRAWN` and `TAKEN_BACK` come before any of these."""
WITHDRAWN, TAKEN_BACK = 30, 31


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("verify", rich_help_panel=PANEL)(verify)
    app.command("verify-result", rich_help_panel=PANEL)(verify_result)


def verify(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Videos, stills or sound; folders; addresses.", metavar="FILE|URL..."),
    ] = None,
    trust: Trust = None,
    log: LogFolder = None,
    log_key: LogKey = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Witnesses of logs that you trust, a tlog-policy.", metavar="FILE"),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the result as a page.", metavar="FILE")
    ] = None,
    result: Annotated[
        Path | None, typer.Option(help="Write the result, signed.", metavar="FILE")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Sign with this key; else the studio's.", metavar="PEM")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Of many files: add a line for each to this .jsonl or .csv, and go on with it.",
            metavar="FILE",
        ),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option("--from", help="Read what to verify from a file, a line each; - for input."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Files at once.", min=1, max=256)] = 2,
    timeout: Annotated[int, typer.Option(help="Seconds for a file.", min=1)] = 600,
    own_network: OwnNetwork = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Let the exit code tell the verdict.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what a file is, layer by layer, from its bytes and a log or trust bundle alone."""
    work = find_files([*(targets or []), *_listed(listed)], own=own_network)
    bounds = Bounds(seconds=timeout)
    with _lookup(studio, log, trust, log_key, own_network=own_network) as (found, own_key):
        lookup = replace(found, policy=read_text(policy)) if policy else found
        if len(work) != 1 or to is not None:
            _refuse([("--html", html), ("--result", result), ("--exit-code", exit_code or None)])
            _verify_many(work, lookup, bounds, to=to, jobs=jobs)
            return
        document = _verify_one(work[0], lookup, bounds)
        signer = _signer(key, own_key)
    _write(document, signer, html=html, result=result)
    if as_json:
        show_json(document)
    else:
        show_document(document)
    if exit_code:
        raise typer.Exit(_code_of(document))


def verify_result(
    file: Annotated[Path, typer.Argument(help="A signed result.", metavar="FILE")],
    key: Annotated[
        Path | None, typer.Option(help="The public key of who should have made it.", metavar="PUB")
    ] = None,
    of: Annotated[
        Path | None, typer.Option(help="The file that it should be about.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a signed result: unchanged, signed by whom, about which bytes."""
    public = None if key is None else from_jwk(_object(key), name=str(key))
    document = open_result(read_text(file), key=public)
    if of is not None:
        _check_bytes(of, document)
    if as_json:
        show_json(document)
        return
    whose = "by that key" if key else "by the key in it, which nothing confirms"
    out.print(f"Unchanged since it was signed, {whose}. Checked {document['checked']}.")
    show_document(document)


def _object(path: Path) -> dict[str, Any]:
    return dict(parse_object(read_bytes(path), name=str(path)))


def _check_bytes(path: Path, document: Mapping[str, Any]) -> None:
    file = Disk().reader(path)
    if file is None:
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    with file:
        if hash_file(file) != document["sha256"]:
            raise IntegrityError(
                f"the result is about other bytes than {path.name}",
                advice="Verify the file itself: `assent verify`.",
            )


def _listed(path: Path | None) -> list[str]:
    if path is None:
        return []
    text = sys.stdin.read() if str(path) == "-" else read_text(path)
    return [line for line in text.splitlines() if line.strip()]


def _refuse(given: list[tuple[str, object]]) -> None:
    for name, value in given:
        if value is not None:
            raise InputError(f"{name} is for one file", advice="Verify that file alone.")


@contextmanager
def _lookup(
    studio: Path, log: Path | None, trust: str | None, log_key: str | None, *, own_network: bool
) -> Iterator[tuple[Lookup, SigningKey | None]]:
    """Yield what is looked up in, and the studio's own key if it is one's own studio."""
    given = Lookup(vkey=log_key, key_from=GIVEN)
    if log is not None and trust is not None:
        raise InputError("--log and --trust are both given", advice="Give one of them.")
    if trust is not None:
        with _bundle(trust, own_network=own_network) as path:
            yield replace(given, bundle=path), None
    elif log is not None:
        yield replace(given, log=str(log)), None
    else:
        if not (studio / "studio.toml").is_file():
            raise NotFoundError(
                "there is nothing to look the file up in",
                advice="Give a studio's trust bundle with --trust, a copy of its log with --log, "
                "or your own studio with --studio.",
            )
        opened = the_studio(studio)
        # The studio's own log is checked with the key that it signs with, not the one beside it.
        own = Lookup(vkey=opened.log_verifier.vkey, key_from=OWN)
        lookup = replace(
            given if log_key else own,
            log=str(opened.log_folder),
            secret=opened.secret_key.value.hex(),
        )
        yield lookup, opened.signing_key


@contextmanager
def _bundle(trust: str, *, own_network: bool) -> Iterator[str]:
    if is_url(trust):
        with fetched_bundle(trust, own=own_network) as path:
            yield str(path)
    else:
        yield trust


def _code_of(document: Mapping[str, Any]) -> int:
    if document["consent_withdrawn"]:
        return WITHDRAWN
    return TAKEN_BACK if document["ended"] else EXIT_CODES[Verdict(document["verdict"])]


def _signer(key: Path | None, own: SigningKey | None) -> SigningKey | None:
    return from_pem(read_bytes(key), name=str(key)) if key is not None else own


def _verify_one(job: Job, lookup: Lookup, bounds: Bounds) -> dict[str, Any]:
    with (
        progress_bar() as progress,
        job.opened(progress) as path,
        Examiner(lookup, bounds=bounds) as examiner,
    ):
        if not path.is_file():
            raise NotFoundError(f"there is no file {path}", advice="Check the path.")
        found = examiner.examine(path, name=job.name, progress=progress)
    return result_of(found, now=system())


def _write(
    document: Mapping[str, Any],
    signer: SigningKey | None,
    *,
    html: Path | None,
    result: Path | None,
) -> None:
    token = sign_result(document, signer) if signer else None
    if result is not None:
        if token is None:
            raise InputError(
                "there is no key to sign the result with",
                advice="Give yours with --key; `assent consent keygen` makes one.",
            )
        write_document(result, token + "\n")
        err.print(f"Signed result: {result}", soft_wrap=True, markup=False)
    if html is not None:
        write_document(html, to_page(document, token=token))
        err.print(f"Page: {html}", soft_wrap=True, markup=False)


def _verify_many(
    work: list[Job], lookup: Lookup, bounds: Bounds, *, to: Path | None, jobs: int
) -> None:
    if not work:
        raise InputError("there is nothing to verify", advice="Name files, folders or addresses.")
    if to is None:
        _run(work, lookup, bounds, jobs, lambda line: out.out(json_line(line), end=""))
        return
    as_csv = to.suffix.lower() == ".csv"
    with grown_document(to) as (text, add):
        before = done_before(text, as_csv=as_csv)
        left = [job for job in work if before.get(job.target) != job.mark()]
        if as_csv and not text:
            add(csv_line())
        if len(left) < len(work):
            err.print(f"{len(work) - len(left)} done before; {len(left)} left.")
        if left:
            to_line = csv_line if as_csv else json_line
            _run(left, lookup, bounds, jobs, lambda line: add(to_line(line)))


def _run(
    work: list[Job],
    lookup: Lookup,
    bounds: Bounds,
    jobs: int,
    add: Callable[[Mapping[str, Any]], None],
) -> None:
    counts: Counter[str] = Counter()
    describe = partial(_describe, clock=system)
    lines = examine_many(work, lookup, workers=jobs, bounds=bounds, describe=describe)
    with progress_bar() as progress, closing(lines):
        for done, line in enumerate(lines, start=1):
            add(line)
            result = line.get("result")
            counts[result["verdict"] if result else "unreadable"] += 1
            progress("verifying", done, len(work))
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    err.print(f"{sum(counts.values())} files: {told}.")


def _describe(found: Mapping[str, Any], *, clock: Clock) -> dict[str, Any]:
    return result_of(found, now=clock())


def show_document(document: Mapping[str, Any]) -> None:
    """Print a result for a person; what strangers wrote can't draw on the terminal."""
    tone = tone_of(document)
    colour = {"good": "green", "unsure": "yellow", "bad": "red"}.get(tone, "cyan")
    signs = {
        Status.GOOD.value: "[green]good[/green]",
        Status.MISSING.value: "[yellow]missing[/yellow]",
        Status.BAD.value: "[red]bad[/red]",
        Status.UNKNOWN.value: "[dim]-[/dim]",
        "hint": "[dim]hint[/dim]",
    }
    out.print(f"[bold {colour}]{escape(document['summary'])}[/bold {colour}]")
    rows = [
        (
            escape(layer["name"]),
            signs[state_of(layer)],
            f"{escape(layer['says'])}\n[dim]{escape(layer['rests_on'])}[/dim]",
        )
        for layer in document["layers"]
    ]
    show_table(("layer", "", "what it says, and on what that rests"), rows)
