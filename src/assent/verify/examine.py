"""Examine a file against a studio's public log, offline, and say what it is.

    findings = examine(Path("clip.mp4"), open_log(Path("log")))

Everything rests on the file's own bytes and the log. What was not found proves nothing, and the
findings say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assent.disclose.wording import BYSTANDERS_HIDDEN
from assent.kit.c2pa.read import Credential, read
from assent.kit.errors import MediaError, NotFoundError
from assent.kit.fingerprint.code import parse_iscc
from assent.kit.fingerprint.video import RELATED, SAME, Fingerprint, VideoFingerprint, distance
from assent.kit.hashing import hash_file
from assent.kit.media.convert import from_rgb
from assent.kit.media.listen import holds_only_sound
from assent.kit.media.picture import luma8
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import read_pictures
from assent.kit.media.still import read_still, still_type
from assent.kit.progress import Progress, nothing
from assent.kit.watermark.carriers import SEGMENT_S, VARIANTS
from assent.kit.watermark.read import STRETCH_S, Mark, Search, read_mark
from assent.verify.findings import Findings, Layer, Status, Verdict
from assent.verify.public import PublicLog, Record
from assent.verify.sound import Heard, hear, sound_layer

__all__ = ["examine"]

# Pictures that the watermark reader gets of each stretch of a clip, and how many stretches.
_MARK_LOOKS = 64
_STRETCHES = 3
# Seconds that a search may take in the first stretch, and in the others.
_FIRST_BUDGET_S, _BUDGET_S = 12.0, 4.0
# Fingerprints of unrelated clips differ in about half of 256 bits; those of a crop or a part in
# fewer. A mark on a picture as far from its record's as this was copied there.
UNRELATED = 104
_UNSEEN = Search(mark=None, frames=0, seconds=0.0, searched=())
# Share by which a clip's length may differ from the release's for pictures to be comparable.
_LENGTHS_ALIKE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What the bytes gave, before the log is asked."""

    sha256: str
    credential: Credential
    search: Search
    fingerprint: Fingerprint | None
    frames: int
    heard: Heard | None = None

    @property
    def marked(self) -> bool:
        """Whether anything in the file that can't be there by chance names an asset."""
        return self.search.mark is not None or self.credential.state == "trusted"


def examine(path: Path, log: PublicLog, *, progress: Progress = nothing) -> Findings:
    """Return what the file at `path` is, as far as `log` can tell.

    Raises `NotFoundError` if there is no such file, `MediaError` if it is no video, still or sound.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    evidence = _gather(path, log, progress)
    by_mark = _record_of_mark(evidence, log)
    by_picture, away = _record_of_fingerprint(evidence, log)
    by_credential = _record_of_credential(evidence, log)
    by_sound = evidence.heard.record if evidence.heard else None
    proven = log.by_hash(evidence.sha256) or by_credential or by_mark or by_sound
    record = proven or by_picture
    picture_layers = (
        _mark_layer(evidence, by_mark, log),
        _fingerprint_layer(evidence, by_picture, away),
    )
    layers = (
        _credential_layer(evidence, log, by_credential),
        *(picture_layers if evidence.search is not _UNSEEN else ()),
        *((sound_layer(evidence.heard, log),) if evidence.heard else ()),
        _log_layer(evidence, proven, log),
        _consent_layer(proven, log),
    )
    found = {r.entry.asset_id for r in (by_credential, by_mark) if r is not None}
    found |= evidence.heard.assets if evidence.heard else set()
    moved = _mark_was_moved(evidence, by_mark)
    alike = record is not None and by_picture is not None and _same_asset(record, by_picture)
    verdict = _verdict(evidence, record, contradictory=len(found) > 1 or moved, alike=alike)
    withdrawn = proven is not None and any(r in log.withdrawn for r in proven.entry.receipts)
    return Findings(
        file=path.name,
        sha256=evidence.sha256,
        verdict=verdict,
        summary=_summary(verdict, log, record, withdrawn=withdrawn),
        asset_id=record.entry.asset_id if record else None,
        consent_withdrawn=withdrawn,
        layers=layers,
    )


def _same_asset(one: Record, other: Record) -> bool:
    return one.entry.asset_id == other.entry.asset_id


def _gather(path: Path, log: PublicLog, progress: Progress) -> _Evidence:
    with path.open("rb") as file:
        head = file.read(16)
        sha256 = hash_file(file)
        if not head:
            raise MediaError(f"{path.name} is empty")
        still = still_type(head)
        mime = still or ("video/mp4" if head[4:8] == b"ftyp" else None)
        file.seek(0)
        credential = (
            read(file, mime=mime, anchors_pem=log.root_pem) if mime else Credential(state="missing")
        )
    if still:
        luma = luma8(from_rgb(read_still(path.read_bytes(), name=path.name)))
        search = read_mark(iter([luma]), key=log.reading_key)
        return _Evidence(
            sha256=sha256, credential=credential, search=search, fingerprint=None, frames=1
        )
    heard = hear(path, log, sha256=sha256)
    if heard and holds_only_sound(path, name=path.name):
        search, fingerprint, frames = _UNSEEN, None, 0
    else:
        search, fingerprint, frames = _look(path, log, credential, progress)
    return _Evidence(
        sha256=sha256,
        credential=credential,
        search=search,
        fingerprint=fingerprint,
        frames=frames,
        heard=heard,
    )


def _look(
    path: Path, log: PublicLog, credential: Credential, progress: Progress
) -> tuple[Search, Fingerprint | None, int]:
    clip = probe(path, name=path.name)
    try:
        return _watch(path, clip, log, progress)
    except MediaError as error:
        if credential.state == "missing":
            raise
        # What the credential says of a damaged file is worth telling all the same.
        return replace(_UNSEEN, searched=(f"unreadable: {error}",)), None, 0


def _watch(
    path: Path, clip: Clip, log: PublicLog, progress: Progress
) -> tuple[Search, Fingerprint, int]:
    """Decode once; the watermark reader sees some pictures, the fingerprint all of them."""
    stretches = _stretches(clip)
    fingerprint = VideoFingerprint()
    frames = 0

    def watched() -> Iterator[tuple[int, NDArray[np.uint8]]]:
        nonlocal frames
        for index, picture in enumerate(read_pictures(path, name=path.name)):
            frames = index + 1
            luma = luma8(picture)
            fingerprint.add(luma, picture.pts * clip.time_base)
            progress("examining", index + 1, clip.frames)
            for number, stretch in enumerate(stretches):
                if index in stretch:
                    yield number, luma

    search = _UNSEEN
    for number, part in groupby(watched(), key=lambda look: look[0]):
        if search.mark is None:
            more = read_mark(
                (luma for _, luma in part),
                key=log.reading_key,
                budget_s=_BUDGET_S if number else _FIRST_BUDGET_S,
            )
            search = more if more.mark else _both(search, more)
    return search, fingerprint.finish(), frames


def _stretches(clip: Clip) -> list[range]:
    """Return the numbers of the pictures to look for a mark in: beginning, middle and end.

    One after the other, none in two of them; each spans no more than a reader adds up.
    """
    length = max(1, int(STRETCH_S * float(clip.frame_rate)))
    count = min(_STRETCHES, max(1, round(clip.frames / length)))
    step = max(1, round(min(clip.frames, length) / _MARK_LOOKS))
    stretches: list[range] = []
    for number in range(count):
        start = number * max(0, clip.frames - length) // max(1, count - 1)
        free = stretches[-1].stop if stretches else 0
        stretches.append(range(max(start, free), start + length, step))
    return stretches


def _both(before: Search, after: Search) -> Search:
    return Search(
        mark=None,
        frames=before.frames + after.frames,
        seconds=before.seconds + after.seconds,
        searched=tuple(dict.fromkeys((*before.searched, *after.searched))),
    )


def _record_of_credential(evidence: _Evidence, log: PublicLog) -> Record | None:
    credential = evidence.credential
    if credential.state != "trusted" or credential.asset_id is None:
        return None
    return log.by_asset(credential.asset_id, evidence.sha256)


def _record_of_mark(evidence: _Evidence, log: PublicLog) -> Record | None:
    mark = evidence.search.mark
    return log.by_asset(f"{mark.asset_id:016x}", evidence.sha256) if mark else None


def _record_of_fingerprint(evidence: _Evidence, log: PublicLog) -> tuple[Record | None, int]:
    """Return the record that looks most alike if it is near enough, and its distance."""
    videos = [record for record in log.records if record.entry.media == "video"]
    if evidence.fingerprint is None or not videos:
        return None, 256
    away = [_away(evidence.fingerprint, record) for record in videos]
    nearest = min(away)
    # Of equals the newest: a draft sealed twice has two records.
    best = [record for record, d in zip(videos, away, strict=True) if d == nearest][-1]
    return (best if nearest <= RELATED else None), nearest


def _away(fingerprint: Fingerprint, record: Record) -> int:
    return distance(fingerprint, parse_iscc(record.entry.fingerprint))


def _mark_was_moved(evidence: _Evidence, by_mark: Record | None) -> bool:
    """Tell whether the mark sits on a picture that looks nothing like its record's.

    A part or a crop of the release looks different too, so this is asked only of whole frames, and
    of clips about as long as the release.
    """
    return (
        by_mark is not None
        and evidence.fingerprint is not None
        and _comparable(evidence, by_mark)
        and _away(evidence.fingerprint, by_mark) > UNRELATED
    )


def _comparable(evidence: _Evidence, record: Record) -> bool:
    mark = evidence.search.mark
    whole = mark is not None and mark.geometry == "whole frame"
    near = abs(evidence.frames - record.entry.frames) <= _LENGTHS_ALIKE * record.entry.frames
    return record.entry.media == "video" and whole and near


def _credential_layer(evidence: _Evidence, log: PublicLog, record: Record | None) -> Layer:
    credential = evidence.credential
    rests_on = "signatures in the file (C2PA), checked with the root named in the studio's log"
    if credential.state == "missing":
        says = "No content credential in the file; many platforms remove it."
        return Layer(name="manifest", status=Status.MISSING, says=says, rests_on=rests_on)
    if credential.state == "trusted":
        says = (
            f"Signed by {log.studio}, unaltered since; not on a public trust list. "
            f"Asset {credential.asset_id}"
            + ("." if record else ", of which the log knows nothing.")
            + (f" {BYSTANDERS_HIDDEN}." if BYSTANDERS_HIDDEN in credential.descriptions else "")
        )
        status = Status.GOOD if record else Status.BAD
        return Layer(name="manifest", status=status, says=says, rests_on=rests_on)
    if credential.state == "valid":
        says = f"Signed by someone else: {credential.issuer or 'unknown'}."
        return Layer(name="manifest", status=Status.UNKNOWN, says=says, rests_on=rests_on)
    says = "The file was altered after signing: " + (credential.problems or ("damaged",))[0]
    return Layer(name="manifest", status=Status.BAD, says=says, rests_on=rests_on)


def _mark_layer(evidence: _Evidence, record: Record | None, log: PublicLog) -> Layer:
    search = evidence.search
    rests_on = (
        f"{search.frames} pictures, searched {search.seconds:.1f} s ({_places(search.searched)})"
    )
    if search.mark is None:
        says = "No watermark of this studio found in what was searched."
        return Layer(name="watermark", status=Status.MISSING, says=says, rests_on=rests_on)
    asset = f"{search.mark.asset_id:016x}"
    doubt = max(1 - search.mark.confidence, 1e-12)
    rests_on += f"; chance of an error at most {doubt:.0e}, from the carriers' agreement"
    if record is None:
        says = f"It carries {asset}, of which {log.origin} knows nothing."
        return Layer(name="watermark", status=Status.BAD, says=says, rests_on=rests_on)
    if _mark_was_moved(evidence, record):
        says = f"It carries {asset}, but that record's picture is another: the mark was copied."
        return Layer(name="watermark", status=Status.BAD, says=says, rests_on=rests_on)
    says = f"It carries {asset} ({search.mark.geometry}; {_when(search.mark)})."
    if not _comparable(evidence, record):
        says += (
            " The frame or the length was changed, so the picture can't be compared with the "
            "record's: a mark copied from the release can't be ruled out."
        )
    return Layer(name="watermark", status=Status.GOOD, says=says, rests_on=rests_on)


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


def _fingerprint_layer(evidence: _Evidence, record: Record | None, away: int) -> Layer:
    rests_on = f"ISCC Video-Code (ISO 24138), same up to {SAME} of 256 bits, alike up to {RELATED}"
    if evidence.fingerprint is None:
        says = "There is no video to take a fingerprint of."
        return Layer(name="fingerprint", status=Status.UNKNOWN, says=says, rests_on=rests_on)
    if record is None:
        says = f"Looks like no release of this studio (nearest: {away} bits away)."
        return Layer(name="fingerprint", status=Status.MISSING, says=says, rests_on=rests_on)
    says = (
        f"Looks like release {record.entry.asset_id} ({away} bits away), as does the footage that "
        "it was made from."
    )
    return Layer(name="fingerprint", status=Status.GOOD, says=says, rests_on=rests_on)


def _log_layer(evidence: _Evidence, record: Record | None, log: PublicLog) -> Layer:
    rests_on = f"checkpoint of {log.origin} over {log.size} entries, checked with {log.key_from}"
    if record is None:
        says = "Nothing proven leads from this file to an entry."
        return Layer(name="log", status=Status.UNKNOWN, says=says, rests_on=rests_on)
    same = record.entry.sha256 == evidence.sha256
    says = f"Entry {record.index}, sealed {record.entry.time}: " + (
        "exactly these bytes." if same else "the original; this file has other bytes."
    )
    return Layer(name="log", status=Status.GOOD, says=says, rests_on=rests_on)


def _consent_layer(record: Record | None, log: PublicLog) -> Layer:
    rests_on = f"consent entries of {log.origin}, named by salted hashes"
    if record is None:
        says = "Without a proven record there is no consent to look up."
        return Layer(name="consent", status=Status.UNKNOWN, says=says, rests_on=rests_on)
    receipts = record.entry.receipts
    ended = sorted(log.withdrawn[receipt] for receipt in receipts if receipt in log.withdrawn)
    if ended:
        says = f"Consent was withdrawn on {ended[0]}; this video should no longer be shown."
        return Layer(name="consent", status=Status.BAD, says=says, rests_on=rests_on)
    if not receipts or any(receipt not in log.granted for receipt in receipts):
        says = "The log does not hold every consent that the record names."
        return Layer(name="consent", status=Status.BAD, says=says, rests_on=rests_on)
    says = f"{len(receipts)} consent receipt(s), none withdrawn as of this copy of the log."
    return Layer(name="consent", status=Status.GOOD, says=says, rests_on=rests_on)


def _verdict(
    evidence: _Evidence, record: Record | None, *, contradictory: bool, alike: bool
) -> Verdict:
    """Return what the layers say together; `alike` if the picture resembles that very record."""
    heard = evidence.heard is not None and bool(evidence.heard.marks)
    if contradictory:
        return Verdict.CONTRADICTION
    if record is None:
        return Verdict.CONTRADICTION if evidence.marked or heard else Verdict.NOTHING_FOUND
    if record.entry.sha256 == evidence.sha256 and evidence.credential.state == "trusted":
        return Verdict.SEALED
    if evidence.marked or (heard and alike):
        return Verdict.COPY
    return Verdict.SOUND if heard else Verdict.RESEMBLES


def _summary(verdict: Verdict, log: PublicLog, record: Record | None, *, withdrawn: bool) -> str:
    asset = record.entry.asset_id if record else ""
    text = {
        Verdict.SEALED: f"A release of {log.studio}, unaltered (asset {asset}). "
        "It shows a face replaced with AI, with the consent of the people in it.",
        Verdict.COPY: f"A changed copy of a release of {log.studio} (asset {asset}): a face was "
        "replaced with AI.",
        Verdict.SOUND: f"Its sound is from a release of {log.studio} (asset {asset}), in which a "
        "face was replaced with AI. That a picture here is from it, nothing says.",
        Verdict.CONTRADICTION: "The layers contradict each other: trust none of them, and ask "
        f"{log.studio}.",
        Verdict.RESEMBLES: f"No mark of this studio found ({log.studio}). The picture resembles "
        f"release {asset}: it may be a copy that lost its mark, or the footage it was made from. "
        "That proves nothing.",
        Verdict.NOTHING_FOUND: f"No mark of this studio found ({log.studio}). That proves "
        "nothing: the file may be genuine, or made or altered by others.",
    }[verdict]
    return f"{text} Consent has since been withdrawn." if withdrawn else text
