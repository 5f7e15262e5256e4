"""The transparency log: its checkpoint, its entries, and proofs that it holds them."""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, get
from assent.apps.api.paging import Limit
from assent.apps.api.shapes import Told
from assent.kit.canonical import parse_object
from assent.kit.tlog.receipt import make_receipt

__all__ = ["OPERATIONS"]

Index = Annotated[int, Path(ge=0, le=2**53, description="Counted from 0.")]
From = Annotated[int, Query(ge=0, le=2**53, alias="from", description="The first entry.")]


class LogTold(Told):
    """The state of the log, as its checkpoint signs it."""

    origin: str
    key: str
    size: int
    root: str
    checkpoint: str


class Entry(Told):
    """An entry of the log: hashes, and no name."""

    index: int
    entry: dict[str, Any]


class Entries(Told):
    """Some entries of the log; `next` is where to go on, None at its end."""

    items: list[Entry]
    next: int | None = Field(description="Ask `from` here for the next page.")


def show_log(call: Asked) -> LogTold:
    """The log's origin, public key, size, root and signed checkpoint."""
    reader = call.studio.log.reader()
    return LogTold(
        origin=reader.state.origin,
        key=reader.verifier.vkey,
        size=reader.size,
        root=reader.state.root.hex(),
        checkpoint=reader.checkpoint,
    )


def list_entries(call: Asked, first: From = 0, limit: Limit = 50) -> Entries:
    """Entries of the log, each checked against the signed root."""
    reader = call.studio.log.reader()
    items: list[Entry] = []
    for index, entry in reader.entries(first):
        if len(items) == limit:
            break
        items.append(Entry(index=index, entry=parse_object(entry, name="a log entry")))
    after = first + len(items)
    return Entries(items=items, next=after if items and after < reader.size else None)


def show_entry(call: Asked, index: Index) -> Entry:
    """One entry of the log."""
    entry = call.studio.log.reader().entry(index)
    return Entry(index=index, entry=parse_object(entry, name="a log entry"))


def show_inclusion(call: Asked, index: Index) -> Response:
    """The proof that the log holds an entry (c2sp.org/tlog-proof)."""
    receipt = make_receipt(call.studio.log.reader(), index)
    return Response(receipt.encode(), media_type="text/plain; charset=utf-8")


_TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
OPERATIONS = (
    get("/log", show_log, Action.READ_LOG, tags=["log"]),
    get("/log/entries", list_entries, Action.READ_LOG, tags=["log"]),
    get("/log/entries/{index}", show_entry, Action.READ_LOG, tags=["log"]),
    get(
        "/log/entries/{index}/proof",
        show_inclusion,
        Action.READ_LOG,
        tags=["log"],
        response_class=Response,
        responses=_TEXT,
    ),
)
