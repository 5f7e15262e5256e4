"""Hand a case out, whole, to those who may read it: an authority, a lawyer, the archive.

One tar, encrypted to age recipients: what was reported, the timeline, acts, decision, and every
piece of evidence in clear with its hash. Each hand-out is noted in the case and in the log.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.disk import naming, written_file
from assent.kit.errors import InputError
from assent.kit.hashing import hash_file
from assent.kit.store.archive import END, frame
from assent.kit.store.backup import encrypt_pieces, read_recipient
from assent.kit.store.studio import Studio
from assent.kit.vault.stream import DecryptingReader
from assent.monitor.cases.acts import list_acts
from assent.monitor.cases.case import (
    Case,
    add_event,
    case_hash,
    joined_to,
    notice_of,
    read_events,
    row_of,
)
from assent.monitor.cases.decision import statement_of
from assent.monitor.cases.evidence import list_evidence, open_evidence

__all__ = ["hand_out", "whole_case"]

_CHUNK = 1 << 20


def whole_case(studio: Studio, case: Case) -> dict[str, Any]:
    """Return everything that is kept of a case, as plain JSON values."""
    reports = (case, *(each for each in joined_to(studio, case.id) if each.readable))
    return {
        "case": case.to_json(),
        "reports": [
            {"number": each.number, "channel": each.channel, "opened": each.opened,
             "notice": notice_of(studio, each.id).to_json(),
             "timeline": [
                 {"time": event.time, "kind": event.kind, "by": event.by,
                  "details": event.details, "words": event.words}
                 for event in read_events(studio, each.id)
             ],
             "statement": statement_of(studio, each.id)}
            for each in reports
        ],
        "acts": [
            {"id": done.id, "act": done.act, "state": done.state, "by": done.by,
             "done": done.done, "undone": done.undone, "approvals": list(done.approvals),
             "arguments": dict(done.arguments), "result": dict(done.result)}
            for done in list_acts(studio, case)
        ],
        "evidence": [
            {"id": each.id, "name": each.name, "sha256": each.sha256, "size": each.size,
             "created": each.created, "by": each.by}
            for each in list_evidence(studio, case)
        ],
    }  # fmt: skip


def hand_out(
    studio: Studio, case: Case, path: Path, *, recipients: Sequence[str], to: str, by: str
) -> str:
    """Write the encrypted archive to `path`, which mustn't exist; return its SHA-256.

    `to` says who gets it. Raises `InputError` for unusable recipients or an existing file.
    """
    keys = [read_recipient(text) for text in recipients]
    if not keys:
        raise InputError("a hand-out needs a recipient", advice="Give --to age1...")
    if path.exists() or not path.parent.is_dir():
        raise InputError(f"{path} can't be made", advice="Name a new file in an existing folder.")
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    with written_file(studio.disk, temporary) as file:
        encrypt_pieces(_pieces(studio, case, by), studio.disk, file, keys)
    with naming(temporary), temporary.open("rb") as written:
        sha256 = hash_file(written)
    studio.disk.rename(temporary, path)
    now = studio.clock()
    with studio.database.session() as session:
        details = {"to": to, "sha256": sha256}
        add_event(session, case.id, "handed-out", by=by, now=now, details=details)
        salt = row_of(session, case.id).salt
    entry = {
        "kind": "case.acted",
        "case": case_hash(salt, case.id, "case"),
        "content": case_hash(salt, case.id, {"act": "hand-out", **details}),
        "time": stamp(now),
    }
    studio.log.append([canonical(entry)])
    return sha256


def _pieces(studio: Studio, case: Case, by: str) -> Iterator[bytes]:
    told = json.dumps(whole_case(studio, case), indent=2, ensure_ascii=False).encode()
    yield from frame("case.json", len(told), [told])
    for each in list_evidence(studio, case):
        if each.destroyed is None:
            with open_evidence(studio, case, each.id, by=by) as reader:
                yield from frame(f"evidence/{each.id}", each.size, _chunks(reader))
    yield from END


def _chunks(reader: DecryptingReader) -> Iterator[bytes]:
    while chunk := reader.read(_CHUNK):
        yield chunk
