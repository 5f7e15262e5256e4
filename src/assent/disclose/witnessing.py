"""Witnesses of the studio's log: whom it trusts, and receipts with their cosignatures.

The policy lies beside the log, for everyone to read (c2sp.org/tlog-policy). Without one nobody is
asked. With a quorum, nothing is released that not enough witnesses have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from assent.kit.disk import replace_file
from assent.kit.errors import InputError, RewrittenError, SealError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.asking import Asked, Cosigned, Send, cosign
from assent.kit.tlog.log import COSIGNED
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.receipt import SUFFIX, make_receipt, verify_receipt
from assent.kit.tlog.wire import post

__all__ = [
    "POLICY",
    "Renewal",
    "cosign_log",
    "policy_of",
    "renew_receipts",
    "require_witnesses",
    "set_policy",
    "witnessed_receipt",
]

POLICY = "policy"
"""The name of the policy's file in the log's folder."""


def policy_of(studio: Studio) -> Policy:
    """Return the studio's policy; without a file, that of no witnesses."""
    data = studio.disk.read(studio.log_folder / POLICY)
    return Policy() if data is None else Policy.parse(data.decode("utf-8", "replace"))


def set_policy(studio: Studio, text: str) -> Policy:
    """Let this be the studio's policy from now on, and publish it beside the log.

    Raises `InputError` if it is none, or names logs of which the studio's own is not one, or the
    studio's own key as a witness.
    """
    policy = Policy.parse(text)
    own = studio.log_verifier
    if policy.logs and own.vkey not in {log.key.vkey for log in policy.logs}:
        raise InputError(
            "the policy is for other logs", advice=f"Add a line: log {own.vkey} (or name no log)."
        )
    if own.public in {witness.key.public for witness in policy.witnesses}:
        raise InputError(
            "a log can't be its own witness", advice="Ask somebody else to be a witness."
        )
    replace_file(studio.disk, studio.log_folder / POLICY, policy.text().encode())
    studio.disk.share(studio.log_folder / POLICY)
    return policy


def cosign_log(studio: Studio, *, send: Send = post) -> Cosigned:
    """Ask the policy's witnesses to cosign the log as it is now, and publish what they sign."""
    result = cosign(studio.log, policy_of(studio), send=send, clock=studio.clock)
    if any(each.line for each in result.asked):
        studio.disk.share(studio.log_folder / COSIGNED)
    return result


def require_witnesses(studio: Studio, *, send: Send = post) -> None:
    """Raise `SealError` now if a release would fail for want of witnesses; it asks them.

    Raises `RewrittenError` if it would because one has seen another history of the log.
    """
    if policy_of(studio).needs_witnesses:
        _enough(cosign_log(studio, send=send))


def witnessed_receipt(studio: Studio, index: int, *, send: Send = post) -> str:
    """Return the receipt of a new entry, with the cosignatures that the policy asks for.

    Raises `SealError` if not enough witnesses cosigned; the entry stays in the log.
    """
    policy = policy_of(studio)
    if not policy.witnesses:
        return make_receipt(studio.log.reader(), index)
    result = cosign_log(studio, send=send)
    if policy.needs_witnesses:
        _enough(result)
    return make_receipt(studio.log.reader(result.note), index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How many receipts of releases were made anew, and how many still lack witnesses."""

    renewed: int
    lacking: int


def renew_receipts(studio: Studio) -> Renewal:
    """Give every release whose receipt lacks witnesses one under the newest cosigned checkpoint."""
    policy, note = policy_of(studio), studio.log.cosigned()
    if note is None or not policy.witnesses:
        return Renewal(renewed=0, lacking=0)
    reader, latest = studio.log.reader(note), studio.log.reader()
    with studio.database.session() as session:
        rows = list(session.scalars(select(ReleaseRow).where(ReleaseRow.state == "released")))
    renewed = lacking = 0
    for row in rows:
        assert row.log_index is not None  # noqa: S101 - of every release
        path = (studio.releases_folder / str(row.name)).with_suffix(SUFFIX)
        old = studio.disk.read(path)
        entry = latest.entry(row.log_index)
        if old is None or _witnesses_in(studio, policy, old.decode("utf-8", "replace"), entry):
            continue
        new = make_receipt(reader, row.log_index) if row.log_index < reader.size else ""
        if new and _witnesses_in(studio, policy, new, entry):
            replace_file(studio.disk, path, new.encode())
            studio.disk.share(path)
            renewed += 1
        else:
            lacking += 1
    return Renewal(renewed=renewed, lacking=lacking)


def _witnesses_in(studio: Studio, policy: Policy, receipt: str, entry: bytes) -> bool:
    """Tell whether a receipt has all the witnesses that it should have."""
    found = verify_receipt(receipt, entry, studio.log_verifier, policy=policy, now=studio.clock())
    return bool(found.cosignatures) and found.enough


def _enough(result: Cosigned) -> None:
    """Raise unless the policy is satisfied."""
    if result.enough:
        # One witness that errs or lies mustn't stop the others' studio.
        return
    alarms = [each for each in result.asked if each.alarming and each.line is None]
    if alarms:
        raise RewrittenError(f"not enough witnesses cosigned the log: {_told(alarms)}")
    raise SealError(
        f"not enough witnesses cosigned the log: {_told(result.asked)}",
        advice="Run the command again when they can be reached, or change the policy: "
        "`assent log policy`.",
    )


def _told(asked: Sequence[Asked]) -> str:
    return "; ".join(f"{each.witness}: {each.says}" for each in asked)
