"""What the manifest, the fingerprint, the log and the consents say, each with what it rests on."""

from datetime import datetime
from typing import Any

from assent.disclose.wording import BYSTANDERS_HIDDEN
from assent.kit.c2pa.read import REVOKED, Credential
from assent.kit.clock import stamp
from assent.kit.fingerprint.video import RELATED, SAME
from assent.kit.tlog.cosignature import Cosignature
from assent.kit.tlog.note import NoteVerifier
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.witnessed import open_witnessed
from assent.verify.findings import Layer, Status
from assent.verify.picture import bits_away
from assent.verify.public import PublicLog, Record
from assent.verify.watch import Evidence

__all__ = ["consent_layer", "credential_layer", "fingerprint_layer", "log_layer", "nearest"]


def credential_layer(credential: Credential, log: PublicLog, record: Record | None) -> Layer:
    """Return the layer `manifest`; `record` is what a trusted one leads to."""
    status, says = _credential_told(credential, log, record)
    return Layer(
        name="manifest",
        status=status,
        says=says,
        rests_on="signatures in the file (C2PA), checked with the root named in the studio's log",
        facts=_credential_facts(credential),
    )


def _credential_told(
    credential: Credential, log: PublicLog, record: Record | None
) -> tuple[Status, str]:
    if credential.state == "missing":
        return Status.MISSING, "No content credential in the file; many platforms remove it."
    if credential.state == "valid":
        who = credential.issuer or "somebody unnamed"
        return Status.UNKNOWN, (
            f"Signed by someone else, who calls themselves {who}, and unaltered since. Whether "
            "that is true can't be told here."
        )
    if credential.state == "invalid":
        return Status.BAD, _why_invalid(credential)
    signer = log.certificates.get(credential.serial or "")
    own = "with a certificate of its own making, on no public trust list"
    with_what = "with its organisation's certificate" if signer and not signer.local else own
    says = (
        f"Signed by {log.studio} {with_what}; unaltered since. Asset {credential.asset_id}"
        + _known_as(credential.asset_id, log, record)
        + (f" {BYSTANDERS_HIDDEN}." if BYSTANDERS_HIDDEN in credential.descriptions else "")
    )
    known = record is not None or credential.asset_id in log.viewings
    return (Status.GOOD if known else Status.BAD), says


def _known_as(asset_id: str | None, log: PublicLog, record: Record | None) -> str:
    if record is not None:
        return "."
    opened = log.viewings.get(asset_id or "")
    if opened is not None:
        return f", a viewing of {opened}, not a release."
    return ", of which the log knows nothing."


def _why_invalid(credential: Credential) -> str:
    problem = (credential.problems or ("damaged",))[0]
    if problem.startswith(REVOKED):
        return "Signed with a certificate that the studio revoked, and not in the log before that."
    if credential.expired:
        return "Its certificate has expired, and no time stamp shows that it was signed before."
    return f"The file was altered after signing: {problem}"


def _credential_facts(credential: Credential) -> dict[str, Any]:
    return {
        "state": credential.state,
        "asset_id": credential.asset_id,
        "issuer": credential.issuer,
        "generator": credential.claim_generator,
        "digital_source_type": credential.digital_source_type,
        "actions": list(credential.actions),
        "signed_at": stamp(credential.signed_at) if credential.signed_at else None,
        "problems": list(credential.problems),
    }


def nearest(evidence: Evidence, log: PublicLog) -> tuple[Record | None, int]:
    """Return the record that looks most alike if it is near enough, and its distance in bits."""
    videos = [record for record in log.records if record.entry.media == "video"]
    if evidence.fingerprint is None or not videos:
        return None, 256
    away = [bits_away(evidence.fingerprint, record) for record in videos]
    least = min(away)
    # Of equals the newest: a draft sealed twice has two records.
    best = [record for record, d in zip(videos, away, strict=True) if d == least][-1]
    return (best if least <= RELATED else None), least


def fingerprint_layer(evidence: Evidence, record: Record | None, away: int) -> Layer:
    """Return the layer `fingerprint`, for the nearest record and its distance."""
    if evidence.fingerprint is None:
        status, says = Status.UNKNOWN, "There is no video to take a fingerprint of."
    elif record is None:
        status = Status.MISSING
        says = f"Looks like no release of this studio (nearest: {away} bits away)."
    else:
        status = Status.GOOD
        says = (
            f"Looks like release {record.entry.asset_id} ({away} bits away), as does the footage "
            "that it was made from."
        )
    return Layer(
        name="fingerprint",
        status=status,
        says=says,
        rests_on=f"ISCC Video-Code (ISO 24138), same up to {SAME} of 256 bits, alike up to "
        f"{RELATED}",
        facts={
            "code": evidence.fingerprint.iscc if evidence.fingerprint else None,
            "asset_id": record.entry.asset_id if record else None,
            "bits_away": away if evidence.fingerprint else None,
        },
    )


def log_layer(
    evidence: Evidence, record: Record | None, log: PublicLog, *, policy: Policy, now: datetime
) -> Layer:
    """Return the layer `log`: where the release stands in it, and who has seen that state."""
    rests_on = f"checkpoint of {log.origin} over {log.size} entries, checked with {log.key_from}"
    facts: dict[str, Any] = {
        "origin": log.origin, "size": log.size, "index": None, "witnesses": [], "enough": None,
    }  # fmt: skip
    if record is None:
        says = "Nothing proven leads from this file to an entry."
        return Layer(name="log", status=Status.UNKNOWN, says=says, rests_on=rests_on, facts=facts)
    same = record.entry.sha256 == evidence.sha256
    says = f"Entry {record.index}, sealed {record.entry.time}: " + (
        "exactly these bytes." if same else "the original; this file has other bytes."
    )
    facts |= {"index": record.index, "time": record.entry.time, "same_bytes": same}
    seen = _seen(record, log, policy, now)
    status, says = Status.GOOD, f"{says} {_witnesses_told(seen, policy)}"
    if policy.witnesses:
        facts["witnesses"] = [[each.name, stamp(each.time)] for each in seen]
        facts["enough"] = policy.met_by({each.name for each in seen})
        status = Status.GOOD if facts["enough"] else Status.BAD
    return Layer(name="log", status=status, says=says, rests_on=rests_on, facts=facts)


def _seen(record: Record, log: PublicLog, policy: Policy, now: datetime) -> tuple[Cosignature, ...]:
    """Return who of the policy's witnesses saw the log with this record in it."""
    if not policy.witnesses or not log.cosigned:
        return ()
    seen = open_witnessed(log.cosigned, log=NoteVerifier.parse(log.vkey), policy=policy, now=now)
    return seen.cosignatures if record.index < seen.state.size else ()


def _witnesses_told(seen: tuple[Cosignature, ...], policy: Policy) -> str:
    if not policy.witnesses:
        return (
            "Whether others have seen this state of the log wasn't asked: name witnesses that you "
            "trust."
        )
    enough = policy.met_by({each.name for each in seen})
    if not seen:
        return "None of the witnesses that you trust has seen it there" + (
            "." if enough else ", and your policy asks for them."
        )
    names = ", ".join(f"{each.name} ({stamp(each.time)})" for each in seen)
    return f"Seen there by {names}; " + (
        "enough for your policy." if enough else "fewer than your policy asks for."
    )


def consent_layer(record: Record | None, log: PublicLog) -> Layer:
    """Return the layer `consent`: whether what the release rests on still stands."""
    status, says = _consent_told(record, log)
    rests_on = f"consent entries of {log.origin}, named by salted hashes"
    if log.issued:
        rests_on += f", as of the trust bundle of {log.issued}"
    if log.unseen:
        rests_on += f"; {log.unseen} entries are not in the bundle"
    return Layer(
        name="consent",
        status=status,
        says=says,
        rests_on=rests_on,
        facts={
            "receipts": len(record.entry.receipts) if record else 0,
            "withdrawn": _ended(record, log) if record else [],
        },
    )


def _consent_told(record: Record | None, log: PublicLog) -> tuple[Status, str]:
    if record is None:
        return Status.UNKNOWN, "Without a proven record there is no consent to look up."
    ended = _ended(record, log)
    if ended:
        return Status.BAD, (
            f"Consent was withdrawn on {ended[0]}; this video should no longer be shown."
        )
    receipts = record.entry.receipts
    if not receipts or any(receipt not in log.granted for receipt in receipts):
        return Status.BAD, "The log does not hold every consent that the record names."
    return Status.GOOD, (
        f"{len(receipts)} consent receipt(s), none withdrawn as of this copy of the log."
    )


def _ended(record: Record, log: PublicLog) -> list[str]:
    """Return when receipts of the record were withdrawn, first to last."""
    return sorted(log.withdrawn[r] for r in record.entry.receipts if r in log.withdrawn)
