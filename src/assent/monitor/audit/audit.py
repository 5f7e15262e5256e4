"""Check a log from its first entry to its last, and everything that others say of it.

    report = audit(log_folder, verifier, Trust(roots=roots))
    report.holds        # False if anything is wrong

Strangers audit a copy of the folder with what they trust themselves; a studio its own log with what
it knows of its places.
"""

from pathlib import Path

from assent.kit.anchors.authority import load_roots
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.fetch.wire import Fetch
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.reader import LogReader
from assent.monitor.audit.chains import check_chains
from assent.monitor.audit.history import check_notes, walk
from assent.monitor.audit.proofs import check_proofs
from assent.monitor.audit.report import Report, Trust
from assent.monitor.places import AuthorityPlace, ChainPlace, load_places

__all__ = ["audit", "trust_of"]


def audit(
    folder: Path,
    verifier: NoteVerifier,
    trust: Trust,
    *,
    how: Fetch | None = None,
    progress: Progress = nothing,
) -> Report:
    """Return what there is to say of the log in `folder` and of its anchors.

    Whatever is wrong is an item of the report, not an error; only a folder without a log, or whose
    checkpoint isn't signed by `verifier`, raises (`NotFoundError`, `IntegrityError`).
    """
    reader = LogReader(folder, verifier=verifier)
    history = walk(reader, progress=progress)
    anchors = AnchorFolder(folder)
    items = [history.item, *check_notes(history, trust)]
    for number, check in enumerate((check_proofs(history, anchors, trust),
                                    check_chains(history, anchors, trust, how=how))):  # fmt: skip
        progress("asking for anchors", number, 2)
        items += check
    return Report(origin=verifier.name, size=reader.size, items=tuple(items))


def trust_of(studio: Studio, given: Trust) -> Trust:
    """Return what was given, and besides what the studio knows of its places.

    A node that was given comes in the place of the studio's own, to ask somebody else.
    """
    roots, nodes = list(given.roots), dict(given.nodes)
    confirmations = given.confirmations
    for place in load_places(studio):
        if isinstance(place, AuthorityPlace):
            roots += load_roots(place.roots.encode())
        elif isinstance(place, ChainPlace):
            nodes.setdefault(place.chain_id, (place.url,))
            confirmations = min(confirmations, place.confirmations)
    return Trust(
        roots=roots, nodes=nodes, headers=given.headers, confirmations=confirmations,
        checkpoints=given.checkpoints, kept=_kept(studio),
    )  # fmt: skip


def _kept(studio: Studio) -> dict[str, bytes]:
    """Return the checkpoints that the studio itself keeps: cosigned ones, and beside releases."""
    notes = {}
    cosigned = studio.disk.read(studio.log_folder / "cosigned")
    if cosigned is not None:
        notes["cosigned"] = cosigned
    for name in studio.disk.names(studio.releases_folder):
        if name.endswith("proof"):
            # A proof ends with the checkpoint of its time, after a blank line.
            proof = studio.disk.read(studio.releases_folder / name) or b""
            notes[f"in {name}"] = proof.partition(b"\n\n")[2]
    return notes
