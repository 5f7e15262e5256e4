"""The log, as anybody could read it: entries in words, searched, each with its proof."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get
from assent.disclose.witnessing import policy_of
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, InputError, NotFoundError
from assent.kit.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.receipt import make_receipt
from assent.kit.tlog.witnessed import open_witnessed

__all__ = ["KINDS", "PAGES", "Line"]

_PAGE = 40
_MOST_FOUND = 200
KINDS: Mapping[str, str] = {
    "case.changed": "A case went on",
    "case.opened": "A case was opened",
    "consent.decided": "Somebody decided about a recording",
    "consent.deleted": "A key was destroyed",
    "consent.granted": "A consent was given",
    "consent.withdrawn": "A consent was withdrawn",
    "credentials.changed": "The studio signs with another certificate",
    "credentials.clock": "A time-stamping service was chosen",
    "credentials.revoked": "A certificate was revoked",
    "face.decided": "Somebody decided about a face",
    "keys.rotated": "Keys were wrapped anew",
    "release.ended": "A release was taken back",
    "release.restored": "A release was put back",
    "seal": "A file was sealed",
    "status.list": "A status list was published",
    "studio": "The studio began",
    "vault.checked": "The vault was checked",
    "vault.exported": "A backup was made",
    "vault.opened": "Objects of the vault were opened",
    "viewing.opened": "Pictures were looked at",
}
"""What each kind of entry says."""
_NOTED = ("asset", "media", "how", "receipt", "sha256", "decision", "list", "objects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry in a line."""

    index: int
    words: str
    time: str
    about: str


def log_page(visit: Visit) -> Response:
    """Show the log's state, and its entries, newest first or those that were searched."""
    reader = visit.studio.log.reader()
    asked = visit.request.query_params.get("find", "").strip()[:200]
    page = _number(visit.request.query_params.get("page", "1"), least=1)
    found = _search(reader, asked) if asked else _some(reader, page)
    return visit.show(
        "log.html",
        state=reader.state,
        vkey=reader.verifier.vkey,
        lines=found,
        asked=asked,
        page=page,
        pages=max(1, -(-reader.size // _PAGE)),
        most=_MOST_FOUND,
        witnesses=_witnesses(visit),
        anchors=_anchors(visit),
    )


def entry_page(visit: Visit) -> Response:
    """Show one entry, and that the log holds it."""
    reader = visit.studio.log.reader()
    index = _number(visit.path("index"), least=0)
    data = reader.entry(index)
    proof = reader.inclusion_proof(index)
    verify_inclusion(
        leaf_hash(data), index=index, size=reader.size, proof=proof, root=reader.state.root
    )
    fields = json.loads(data)
    return visit.show(
        "log_entry.html",
        line=_line(index, fields),
        text=json.dumps(fields, indent=2, ensure_ascii=False),
        leaf=leaf_hash(data).hex(),
        proof=[each.hex() for each in proof],
        state=reader.state,
    )


def proof_file(visit: Visit) -> Response:
    """Send an entry's proof."""
    index = _number(visit.path("index"), least=0)
    text = make_receipt(visit.studio.log.reader(), index)
    return Response(
        text,
        media_type="text/plain",
        headers={"Content-Disposition": f'attachment; filename="entry-{index}.tlog-proof"'},
    )


def compare_page(visit: Visit) -> Response:
    """Show that the log continues an earlier state of itself."""
    reader = visit.studio.log.reader()
    asked = visit.request.query_params.get("from", "")
    old = _number(asked, least=1) if asked else max(1, reader.size - 1)
    if old > reader.size:
        raise NotFoundError(
            f"the log has {reader.size} entries", advice="Compare it with an earlier state."
        )
    proof = reader.consistency_proof(old)
    root = reader.tree.range_root(0, old)
    claimed = visit.request.query_params.get("root", "").strip()
    problem = ""
    try:
        verify_consistency(
            old_size=old,
            old_root=_root(claimed) if claimed else root,
            new_size=reader.size,
            new_root=reader.state.root,
            proof=proof,
        )
    except AssentError as error:
        problem = str(error)
    return visit.show(
        "log_compare.html",
        old=old,
        old_root=root.hex(),
        claimed=claimed,
        problem=problem,
        proof=[each.hex() for each in proof],
        state=reader.state,
    )


def _root(text: str) -> bytes:
    """Return a root hash that somebody gave, in hexadecimal or as checkpoints write it."""
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InputError("this is no root hash", advice="Copy it from a checkpoint.") from error


def _number(text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least):
        raise NotFoundError("there is no such entry or page", advice="Go back to the log.")
    return int(text)


def _some(reader: LogReader, page: int) -> list[Line]:
    """Return a page of entries, newest first."""
    end = max(0, reader.size - (page - 1) * _PAGE)
    lines = []
    for index, data in reader.entries(max(0, end - _PAGE)):
        if index >= end:
            break
        lines.append(_line(index, json.loads(data)))
    return lines[::-1]


def _search(reader: LogReader, asked: str) -> list[Line]:
    """Return entries that name an asset, a hash or an index."""
    text = asked.lower().removeprefix("0x")
    lines = []
    for index, data in reader.entries():
        if text == str(index) or (len(text) >= 8 and text.encode() in data):
            lines.append(_line(index, json.loads(data)))
            if len(lines) == _MOST_FOUND:
                break
    return lines[::-1]


def _line(index: int, fields: Mapping[str, Any]) -> Line:
    kind = str(fields.get("kind"))
    noted = [f"{name} {str(fields[name])[:24]}" for name in _NOTED if fields.get(name)]
    return Line(
        index=index,
        words=KINDS.get(kind, kind),
        time=str(fields.get("time") or fields.get("created") or ""),
        about=" · ".join(noted[:3]),
    )


def _witnesses(visit: Visit) -> list[tuple[str, str]]:
    """Return who cosigned which state of the log, and when."""
    studio = visit.studio
    note = studio.log.cosigned()
    if note is None:
        return []
    seen = open_witnessed(
        note, log=studio.log_verifier, policy=policy_of(studio), now=studio.clock()
    )
    return [
        (each.name, f"{seen.state.size} entries, {stamp(each.time)}") for each in seen.cosignatures
    ]


def _anchors(visit: Visit) -> list[tuple[int, str]]:
    """Return the states that others vouch for, and by what files."""
    folder = visit.studio.log_folder / "anchors"
    sizes = [name for name in visit.studio.disk.names(folder) if name.isdigit()]
    return [
        (
            int(size),
            ", ".join(n for n in visit.studio.disk.names(folder / size) if n != "checkpoint"),
        )
        for size in sorted(sizes, key=int, reverse=True)[:20]
    ]


PAGES = (
    get("/log", log_page, Action.READ_LOG),
    get("/log/compare", compare_page, Action.READ_LOG),
    get("/log/{index}", entry_page, Action.READ_LOG),
    get("/log/{index}/proof", proof_file, Action.READ_LOG, shows=False),
)
