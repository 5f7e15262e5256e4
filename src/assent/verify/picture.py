"""What the mark in a file's pictures says, held against the log's record of that release."""

from collections.abc import Iterator
from typing import Any

from assent.kit.fingerprint.code import parse_iscc
from assent.kit.fingerprint.video import Fingerprint, distance
from assent.kit.watermark.carriers import SEGMENT_S, VARIANTS
from assent.kit.watermark.mark import Mark
from assent.verify.findings import Layer, Status
from assent.verify.public import PublicLog, Record
from assent.verify.watch import Evidence, Stretch

__all__ = ["UNRELATED", "bits_away", "is_foreign", "mark_layer", "was_moved"]

# Fingerprints of unrelated clips differ in about half of 256 bits; those of a crop or a part in
# fewer. A mark on a picture as far from its record's as this was copied there.
UNRELATED = 104
# Nats of evidence that confirm a mark (chance 1e-9); what one without the secret layer stays below;
# and by how many deviations the public pilots stand out where the layer would show fifty nats.
_CONFIRMED, _ABSENT, _CLEAR = 20.7, 3.0, 10.0
# Share by which a clip's length may differ from the release's for pictures to be comparable.
_LENGTHS_ALIKE = 0.2


def mark_layer(evidence: Evidence, record: Record | None, log: PublicLog) -> Layer:
    """Return the layer `watermark`; `record` is what its identifier leads to."""
    search = evidence.search
    status, says = _told(evidence, record, log)
    rests_on = (
        f"{search.frames} pictures, searched {search.seconds:.1f} s ({_places(search.searched)})"
    )
    if search.mark is not None:
        doubt = max(1 - search.mark.confidence, 1e-12)
        rests_on += f"; chance of an error at most {doubt:.0e}, from the carriers' agreement"
        rests_on += "".join(f"; {reason}" for reason in _reasons(search.mark))
    return Layer(
        name="watermark", status=status, says=says, rests_on=rests_on, facts=_facts(evidence)
    )


def _told(evidence: Evidence, record: Record | None, log: PublicLog) -> tuple[Status, str]:
    mark = evidence.search.mark
    if mark is None:
        return Status.MISSING, "No watermark of this studio found in what was searched."
    asset = f"{mark.asset_id:016x}"
    if asset in log.viewings:
        return Status.GOOD, f"It carries {asset}, the number of a viewing at {log.studio}."
    if record is None:
        return Status.BAD, f"It carries {asset}, of which {log.origin} knows nothing."
    if was_moved(evidence, record):
        away = bits_away(evidence.fingerprint, record) if evidence.fingerprint else 256
        return Status.BAD, (
            f"It carries {asset}, but that record's picture is another ({away} of 256 bits "
            "differ): the mark was copied."
        )
    if is_foreign(mark):
        return Status.BAD, (
            f"It carries {asset}, but not the studio's secret layer: somebody else put it there."
        )
    if len(evidence.assets) > 1:
        return Status.BAD, (
            "It carries marks of several releases: parts of them were put together "
            f"({_spans_of_each(evidence)})."
        )
    says = f"It carries {asset} ({mark.geometry}; {_when(mark)}; {_where(evidence)})."
    if not _comparable(evidence, record):
        says += (
            " The frame or the length was changed, so the picture can't be compared with the "
            "record's: a mark copied from the release can't be ruled out."
        )
    return Status.GOOD, says


def _facts(evidence: Evidence) -> dict[str, Any]:
    mark = evidence.search.mark
    marked = [part for part in evidence.stretches if part.asset_id is not None]
    without = [part for part in evidence.stretches if part.asset_id is None]
    return {
        "payload": f"{mark.asset_id:016x}" if mark else None,
        # As text, since what is signed holds no fractions.
        "chance_of_error": f"{max(1 - mark.confidence, 1e-12):.0e}" if mark else None,
        "geometry": mark.geometry if mark else None,
        "confirmed": mark is not None and (mark.secret_nats or 0.0) >= _CONFIRMED,
        "found": [
            {"seconds": _seconds(part), "payload": f"{part.asset_id:016x}"} for part in marked
        ],
        "not_found": [_seconds(part) for part in without],
    }


def _seconds(part: Stretch) -> list[int]:
    return [round(part.begin), round(part.end)]


def _where(evidence: Evidence) -> str:
    """Say in which of the places that were looked at the mark is."""
    parts = evidence.stretches
    without = [part for part in parts if part.asset_id is None]
    if len(parts) == 1:
        return "looked for in one place"
    if not without:
        return f"in all of {len(parts)} places looked at"
    spans = ", ".join(f"{round(part.begin)}-{round(part.end)} s" for part in without)
    return f"in {len(parts) - len(without)} of {len(parts)} places looked at, not seen at {spans}"


def _spans_of_each(evidence: Evidence) -> str:
    return ", ".join(
        f"{part.asset_id:016x} at {round(part.begin)}-{round(part.end)} s"
        for part in evidence.stretches
        if part.asset_id is not None
    )


def _reasons(mark: Mark) -> Iterator[str]:
    """Say what a mark rests on besides the public pattern, spelled out bit by bit."""
    if not mark.public:
        yield "the public pattern was taken off or wore away, the studio's secret layer is there"
    elif (mark.secret_nats or 0.0) >= _CONFIRMED:
        yield "confirmed by the studio's secret layer"
    if mark.listed is not None:
        yield f"too faint to be spelled out, told from the {mark.listed} of the log"


def _when(mark: Mark) -> str:
    """Say which part of the release the first pictures are from."""
    begin = mark.segment * SEGMENT_S
    span = SEGMENT_S * VARIANTS
    return f"from second {begin:.0f} to {begin + SEGMENT_S:.0f} of each {span:.0f} of the release"


def _places(searched: tuple[str, ...]) -> str:
    """Return what was searched, in short: parts of the frame are searched in the same ways."""
    parts = [step for step in searched if "of the frame" in step]
    steps = [step for step in searched if step not in parts]
    if parts:
        steps.append(f"{len(parts)} parts of the frame likewise")
    return "; ".join(steps) or "nothing to search"


def bits_away(fingerprint: Fingerprint, record: Record) -> int:
    """Return how many of 256 bits of fingerprint differ from a record's."""
    return distance(fingerprint, parse_iscc(record.entry.fingerprint))


def was_moved(evidence: Evidence, by_mark: Record | None) -> bool:
    """Tell whether the mark sits on a picture that looks nothing like its record's.

    A part or a crop of the release looks different too, so this is asked only of whole frames, and
    of clips about as long as the release.
    """
    return (
        by_mark is not None
        and evidence.fingerprint is not None
        and _comparable(evidence, by_mark)
        and bits_away(evidence.fingerprint, by_mark) > UNRELATED
    )


def _comparable(evidence: Evidence, record: Record) -> bool:
    mark = evidence.search.mark
    whole = mark is not None and mark.geometry == "whole frame"
    near = abs(evidence.frames - record.entry.frames) <= _LENGTHS_ALIKE * record.entry.frames
    return record.entry.media == "video" and whole and near


def is_foreign(mark: Mark | None) -> bool:
    """Whether a mark this clear lacks the layer that the studio would have added."""
    return (
        mark is not None
        and mark.secret_nats is not None
        and mark.z >= _CLEAR
        and mark.secret_nats < _ABSENT
    )
