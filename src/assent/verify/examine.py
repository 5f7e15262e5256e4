"""Examine a file against a studio's public log, offline, and say what it is.

    findings = examine(Path("clip.mp4"), open_log(Path("log")))

Everything rests on the file's own bytes and the log. What was not found proves nothing, and the
findings say so.
"""

from pathlib import Path

from assent.disclose.wording import BYSTANDERS_HIDDEN
from assent.kit.c2pa.read import REVOKED
from assent.kit.errors import NotFoundError
from assent.kit.fingerprint.video import RELATED, SAME
from assent.kit.progress import Progress, nothing
from assent.kit.watermark.key import SecretKey
from assent.verify.findings import Findings, Layer, Status, Verdict
from assent.verify.picture import bits_away, is_foreign, mark_layer, was_moved
from assent.verify.public import PublicLog, Record
from assent.verify.sound import sound_layer
from assent.verify.watch import UNSEEN, Evidence, gather

__all__ = ["examine"]


def examine(
    path: Path,
    log: PublicLog,
    *,
    secret: SecretKey | None = None,
    progress: Progress = nothing,
) -> Findings:
    """Return what the file at `path` is, as far as `log` can tell.

    A studio that gives its own `secret` learns besides whether a mark was put there by itself.

    Raises `NotFoundError` if there is no such file, `MediaError` if it is no video, still or sound.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    evidence = gather(path, log, secret=secret, progress=progress)
    by_mark = _record_of_mark(evidence, log)
    by_picture, away = _record_of_fingerprint(evidence, log)
    by_credential = _record_of_credential(evidence, log)
    by_sound = evidence.heard.record if evidence.heard else None
    proven = log.by_hash(evidence.sha256) or by_credential or by_mark or by_sound
    record = proven or by_picture
    picture_layers = (
        mark_layer(evidence, by_mark, log),
        _fingerprint_layer(evidence, by_picture, away),
    )
    layers = (
        _credential_layer(evidence, log, by_credential),
        *(picture_layers if evidence.search is not UNSEEN else ()),
        *((sound_layer(evidence.heard, log),) if evidence.heard else ()),
        _log_layer(evidence, proven, log),
        _consent_layer(proven, log),
    )
    found = {r.entry.asset_id for r in (by_credential, by_mark) if r is not None}
    found |= evidence.heard.assets if evidence.heard else set()
    doubtful = was_moved(evidence, by_mark) or is_foreign(evidence.search.mark)
    alike = record is not None and by_picture is not None and _same_asset(record, by_picture)
    verdict = _verdict(evidence, record, contradictory=len(found) > 1 or doubtful, alike=alike)
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


def _record_of_credential(evidence: Evidence, log: PublicLog) -> Record | None:
    credential = evidence.credential
    if credential.state != "trusted" or credential.asset_id is None:
        return None
    return log.by_asset(credential.asset_id, evidence.sha256)


def _record_of_mark(evidence: Evidence, log: PublicLog) -> Record | None:
    mark = evidence.search.mark
    return log.by_asset(f"{mark.asset_id:016x}", evidence.sha256) if mark else None


def _record_of_fingerprint(evidence: Evidence, log: PublicLog) -> tuple[Record | None, int]:
    """Return the record that looks most alike if it is near enough, and its distance."""
    videos = [record for record in log.records if record.entry.media == "video"]
    if evidence.fingerprint is None or not videos:
        return None, 256
    away = [bits_away(evidence.fingerprint, record) for record in videos]
    nearest = min(away)
    # Of equals the newest: a draft sealed twice has two records.
    best = [record for record, d in zip(videos, away, strict=True) if d == nearest][-1]
    return (best if nearest <= RELATED else None), nearest


def _credential_layer(evidence: Evidence, log: PublicLog, record: Record | None) -> Layer:
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
    problem = (credential.problems or ("damaged",))[0]
    says = f"The file was altered after signing: {problem}"
    if problem.startswith(REVOKED):
        says = "Signed with a certificate that the studio revoked, and not in the log before that."
    if credential.expired:
        says = "Its certificate has expired, and no time stamp shows that it was signed before."
    return Layer(name="manifest", status=Status.BAD, says=says, rests_on=rests_on)


def _fingerprint_layer(evidence: Evidence, record: Record | None, away: int) -> Layer:
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


def _log_layer(evidence: Evidence, record: Record | None, log: PublicLog) -> Layer:
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
    evidence: Evidence, record: Record | None, *, contradictory: bool, alike: bool
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
