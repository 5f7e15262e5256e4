"""What witnesses say of a checkpoint, and whether a policy finds it enough.

>>> seen = open_witnessed(note, log=verifier, policy=policy, now=clock())  # doctest: +SKIP
>>> seen.enough
True
"""

from dataclasses import dataclass
from datetime import datetime

from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.cosignature import FUTURE, Cosignature, cosigned_at
from assent.kit.tlog.note import NoteVerifier, signatures_of
from assent.kit.tlog.policy import Policy

__all__ = ["Witnessed", "open_witnessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A checkpoint that the log signed, and who of the policy's witnesses saw it.

    Attributes:
        state: the log's size and root.
        cosignatures: by the policy's witnesses, oldest first; `name` is what the policy calls one.
        enough: whether the policy's quorum is met.
    """

    state: Checkpoint
    cosignatures: tuple[Cosignature, ...]
    enough: bool


def open_witnessed(
    note: str, *, log: NoteVerifier, policy: Policy, now: datetime | None = None
) -> Witnessed:
    """Return the checkpoint in a note with its cosignatures, each verified.

    A cosignature that lies in the future of `now` doesn't count: its witness's clock is wrong.

    Raises:
        IntegrityError: the note isn't signed by the log, or a signature of a known key is wrong.
    """
    state = open_checkpoint(note, log)
    names = {witness.key: witness.name for witness in policy.witnesses}
    found = [
        Cosignature(name=names[key], time=cosigned_at(signature.data))
        for key, signature in signatures_of(note, names)
    ]
    counted = [each for each in found if now is None or each.time <= now + FUTURE]
    return Witnessed(
        state=state,
        cosignatures=tuple(sorted(counted, key=lambda each: (each.time, each.name))),
        enough=policy.met_by({each.name for each in counted}),
    )
