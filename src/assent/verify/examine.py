"""Examine a file against a studio's public log, offline, and say what it is.

    findings = examine(Path("clip.mp4"), open_log(Path("log")))

Everything rests on the file's own bytes and the log. What was not found proves nothing, and the
findings say so. Nothing of the file is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assent.kit.clock import Clock, system
from assent.kit.errors import NotFoundError
from assent.kit.progress import Progress, nothing
from assent.kit.tlog.policy import Policy
from assent.kit.watermark.key import SecretKey
from assent.verify.detectors import Detector, forensic_layers
from assent.verify.ended import Ended
from assent.verify.findings import Findings, Layer, Source, Verdict
from assent.verify.label import label_layer
from assent.verify.layers import (
    consent_layer,
    credential_layer,
    fingerprint_layer,
    log_layer,
    nearest,
)
from assent.verify.picture import is_foreign, mark_layer, was_moved
from assent.verify.public import PublicLog, Record
from assent.verify.sound import sound_layer
from assent.verify.watch import UNSEEN, Evidence, gather

__all__ = ["examine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leads:
    """The records that the layers lead to. `away` is the nearest picture's distance in bits."""

    by_hash: Record | None
    by_credential: Record | None
    by_mark: Record | None
    by_sound: Record | None
    by_picture: Record | None
    away: int
    foreign: bool
    """Whether the mark in the picture was put there by somebody else."""
    viewed: bool
    """Whether all that it names are viewings, of which nothing was released."""

    @property
    def proven(self) -> Record | None:
        """The record that the file is of, as far as anything says that can't be by chance."""
        by_mark = None if self.foreign else self.by_mark
        return self.by_hash or self.by_credential or by_mark or self.by_sound


def examine(
    path: Path,
    log: PublicLog,
    *,
    name: str | None = None,
    secret: SecretKey | None = None,
    policy: Policy | None = None,
    detectors: Sequence[Detector] = (),
    clock: Clock = system,
    progress: Progress = nothing,
) -> Findings:
    """Return what the file at `path` is, as far as `log` can tell.

    `name` is what to call it instead of the path's own name. A studio that gives its own `secret`
    learns besides whether a mark was put there by itself. `policy` names the witnesses of the log
    that the caller trusts. What `detectors` say is told, and decides nothing.

    Raises `NotFoundError` if there is no such file, `MediaError` if it is no video, still or sound.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no file {name or path}", advice="Check the path.")
    name = name or path.name
    evidence = gather(path, log, name=name, secret=secret, shots=bool(detectors), progress=progress)
    leads = _leads(evidence, log)
    verdict = _verdict(evidence, leads)
    proven, record = leads.proven, leads.proven or leads.by_picture
    if verdict is Verdict.VIEWING:
        record = None
    if verdict is Verdict.COPIED_MARK:
        # Whoever is in this picture is not who agreed to the release.
        proven, record = None, leads.by_mark
    withdrawn = proven is not None and any(r in log.withdrawn for r in proven.entry.receipts)
    ended = log.ended.get(proven.entry.asset_id) if proven else None
    return Findings(
        file=name,
        sha256=evidence.sha256,
        size=evidence.size,
        verdict=verdict,
        summary=_summary(verdict, log, record, withdrawn=withdrawn) + _taken_back(ended, log),
        asset_id=record.entry.asset_id if record else None,
        consent_withdrawn=withdrawn,
        ended=ended.how if ended else None,
        layers=(
            *_layers(evidence, leads, proven, log),
            log_layer(evidence, proven, log, policy=policy or Policy(), now=clock()),
            consent_layer(proven, log),
            *forensic_layers(detectors, evidence.shots),
        ),
        source=Source(
            studio=log.studio,
            origin=log.origin,
            size=log.size,
            key_from=log.key_from,
            as_of=log.issued,
        ),
    )


def _leads(evidence: Evidence, log: PublicLog) -> _Leads:
    by_mark = _record_of_mark(evidence, log)
    by_picture, away = nearest(evidence, log)
    return _Leads(
        by_hash=log.by_hash(evidence.sha256),
        by_credential=_record_of_credential(evidence, log),
        by_mark=by_mark,
        by_sound=evidence.heard.record if evidence.heard else None,
        by_picture=by_picture,
        away=away,
        foreign=was_moved(evidence, by_mark) or is_foreign(evidence.search.mark),
        viewed=_is_viewed(evidence, log),
    )


def _is_viewed(evidence: Evidence, log: PublicLog) -> bool:
    credential, heard = evidence.credential, evidence.heard
    named = set(evidence.assets)
    if credential.state == "trusted" and credential.asset_id is not None:
        named.add(credential.asset_id)
    if heard is not None and heard.marks:
        return False
    return bool(named) and named <= log.viewings.keys()


def _layers(
    evidence: Evidence, leads: _Leads, proven: Record | None, log: PublicLog
) -> list[Layer]:
    """Return what the file itself shows, layer by layer."""
    layers = [credential_layer(evidence.credential, log, leads.by_credential)]
    if evidence.search is not UNSEEN:
        layers.append(mark_layer(evidence, leads.by_mark, log))
        layers.append(fingerprint_layer(evidence, leads.by_picture, leads.away))
    if evidence.label:
        layers.append(label_layer(evidence.label, ours=proven is not None))
    if evidence.heard:
        layers.append(sound_layer(evidence.heard, log))
    return layers


def _record_of_credential(evidence: Evidence, log: PublicLog) -> Record | None:
    credential = evidence.credential
    if credential.state != "trusted" or credential.asset_id is None:
        return None
    return log.by_asset(credential.asset_id, evidence.sha256)


def _record_of_mark(evidence: Evidence, log: PublicLog) -> Record | None:
    mark = evidence.search.mark
    return log.by_asset(f"{mark.asset_id:016x}", evidence.sha256) if mark else None


def _verdict(evidence: Evidence, leads: _Leads) -> Verdict:
    """Return what the layers say together."""
    heard = evidence.heard is not None and bool(evidence.heard.marks)
    if _named(evidence, leads) > 1:
        return Verdict.CONTRADICTION
    if leads.foreign:
        return Verdict.COPIED_MARK
    if leads.viewed:
        return Verdict.VIEWING
    record = leads.proven or leads.by_picture
    if record is None:
        return Verdict.CONTRADICTION if evidence.marked or heard else Verdict.NOTHING_FOUND
    if record.entry.sha256 == evidence.sha256 and evidence.credential.state == "trusted":
        return Verdict.SEALED
    if evidence.marked or (heard and _same_asset(record, leads.by_picture)):
        return Verdict.COPY
    return Verdict.SOUND if heard else Verdict.RESEMBLES


def _named(evidence: Evidence, leads: _Leads) -> int:
    """Return how many assets the layers name that can't be by chance."""
    named = set(evidence.assets)
    if leads.by_credential is not None:
        named.add(leads.by_credential.entry.asset_id)
    if evidence.heard is not None:
        named |= evidence.heard.assets
    return len(named)


def _same_asset(one: Record, other: Record | None) -> bool:
    return other is not None and one.entry.asset_id == other.entry.asset_id


def _summary(verdict: Verdict, log: PublicLog, record: Record | None, *, withdrawn: bool) -> str:
    asset = record.entry.asset_id if record else "unknown to its log"
    text = {
        Verdict.SEALED: f"A release of {log.studio}, unaltered (asset {asset}). "
        "It shows a face replaced with AI, with the consent of the people in it.",
        Verdict.COPY: f"A changed copy of a release of {log.studio} (asset {asset}): a face was "
        "replaced with AI.",
        Verdict.SOUND: f"Its sound is from a release of {log.studio} (asset {asset}), in which a "
        "face was replaced with AI. That a picture here is from it, nothing says.",
        Verdict.COPIED_MARK: f"It carries the mark of a release of {log.studio} (asset {asset}), "
        f"but it is not that release: somebody put the mark on another picture. {log.studio} "
        "doesn't vouch for this file, and nothing says that the people in it agreed.",
        Verdict.VIEWING: f"A picture from the own pages of {log.studio}, saved there while "
        "something was made. It is not a release.",
        Verdict.CONTRADICTION: "The layers contradict each other: trust none of them, and ask "
        f"{log.studio}.",
        Verdict.RESEMBLES: f"No mark of this studio found ({log.studio}). The picture resembles "
        f"release {asset}: it may be a copy that lost its mark, or the footage it was made from. "
        "That proves nothing.",
        Verdict.NOTHING_FOUND: f"No mark of this studio found ({log.studio}). That proves "
        "nothing: the file may be genuine, or made or altered by others.",
    }[verdict]
    return f"{text} Consent has since been withdrawn." if withdrawn else text


def _taken_back(ended: Ended | None, log: PublicLog) -> str:
    """Return what is to be said of a release that the studio has taken back."""
    if ended is None:
        return ""
    says = {
        "revoked": f"{log.studio} has revoked this release and no longer vouches for it",
        "taken-down": f"{log.studio} has taken this release down",
        "suspended": f"{log.studio} has suspended this release while a report is looked into",
        "corrected": f"{log.studio} has put a corrected release in its place",
    }[ended.how]
    instead = f" (asset {ended.successor})" if ended.successor else ""
    return f" {says}{instead}, on {ended.time}."
