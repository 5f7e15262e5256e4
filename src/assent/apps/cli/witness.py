"""Being a witness of other people's logs: a folder, a key, and one small server."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.web.witness_site import serve_witness
from assent.kit.clock import stamp, system
from assent.kit.tlog.witness import Witness

__all__ = ["witness"]

WitnessFolder = Annotated[Path, typer.Argument(help="The witness's folder.", metavar="DIR")]

witness = typer.Typer(no_args_is_help=True, help="Be a witness of other people's logs.")


@witness.command("init")
def init(
    folder: WitnessFolder,
    name: Annotated[str, typer.Option(help="A name that is yours, such as witness.example.org/1.")],
) -> None:
    """Make a witness with a key of its own; it needs no studio."""
    made = Witness.create(folder, name=name, clock=system)
    out.print("Hand this key out; logs name it in their policies:")
    out.print(made.vkey, soft_wrap=True, markup=False)


@witness.command("accept")
def accept(
    folder: WitnessFolder,
    log_key: Annotated[str, typer.Argument(help="The log's key.", metavar="KEY")],
    another_key: Annotated[
        bool, typer.Option("--another-key", help="It is one more key of a log that you know.")
    ] = False,
) -> None:
    """Go along with a log from now on."""
    kept = Witness.open(folder, clock=system).accept(log_key, another=another_key)
    out.print(f"Accepted {escape(kept.origin)}, {len(kept.keys)} key(s).", soft_wrap=True)


@witness.command("show")
def show(
    folder: WitnessFolder,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show the witness's key, and what it cosigned last of every log."""
    opened = Witness.open(folder, clock=system)
    logs = opened.logs()
    if as_json:
        show_json(
            {
                "key": opened.vkey,
                "logs": [
                    {
                        "origin": kept.origin,
                        "size": kept.state.size,
                        "root": kept.state.root.hex(),
                        "time": kept.time and stamp(kept.time),
                    }
                    for kept in logs
                ],
            }
        )
        return
    out.print(opened.vkey, soft_wrap=True, markup=False)
    show_table(
        ("log", "entries", "cosigned last"),
        [(escape(k.origin), k.state.size, stamp(k.time) if k.time else "never") for k in logs],
    )


@witness.command("serve")
def serve_(
    folder: WitnessFolder,
    port: Annotated[int, typer.Option(help="Where to listen.", min=1, max=65535)] = 8767,
    host: Annotated[
        str, typer.Option(help="Whom to listen to; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
) -> None:
    """Answer logs that ask for cosignatures (c2sp.org/tlog-witness)."""
    opened = Witness.open(folder, clock=system)
    # A state that was lost is told now, not to whoever asks.
    opened.logs()
    err.print(f"Witness at http://{host}:{port}. Ctrl-C ends it.")
    serve_witness(opened, host=host, port=port)
