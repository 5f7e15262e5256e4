"""What an audit of a log finds: one item a check, with how it stands and on whose word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509

from assent.kit.anchors.bitcoin import Header

__all__ = ["Item", "Report", "Standing", "Trust"]


class Standing(StrEnum):
    """How a check came out."""

    GOOD = "good"
    PENDING = "pending"
    UNPROVEN = "unproven"
    UNREACHABLE = "unreachable"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One check: of what, how it stands, in words, and on what that rests.

    `size` is how many entries it covers, from the first; 0 if none. `rewritten` says that the log
    contradicts a state that it had.
    """

    what: str
    standing: Standing
    says: str
    rests_on: str
    size: int = 0
    rewritten: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the item as JSON values."""
        return {
            "what": self.what, "standing": self.standing.value, "says": self.says,
            "rests_on": self.rests_on, "size": self.size,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the auditor brings along.

    Attributes:
        roots: whose time stamps count.
        nodes: addresses of nodes, by the chain that they are to be of.
        headers: Bitcoin headers by height.
        checkpoints: notes that the auditor kept, by what to call them.
        kept: notes that the log's owner kept.
        confirmations: blocks until an anchor on a chain counts.
    """

    roots: Sequence[x509.Certificate] = ()
    nodes: Mapping[int, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[int, Header] = field(default_factory=dict)
    checkpoints: Mapping[str, bytes] = field(default_factory=dict)
    kept: Mapping[str, bytes] = field(default_factory=dict)
    confirmations: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All items, the log itself first."""

    origin: str
    size: int
    items: tuple[Item, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not any(each.standing is Standing.BAD for each in self.items)

    @property
    def rewritten(self) -> bool:
        """Whether the log was rewritten or rolled back."""
        return any(each.rewritten for each in self.items)

    @property
    def complete(self) -> bool:
        """Whether everything that was asked answered."""
        return not any(each.standing is Standing.UNREACHABLE for each in self.items)

    @property
    def covered(self) -> int:
        """How many entries, from the first, somebody else vouches for."""
        return max(
            (each.size for each in self.items if each.standing is Standing.GOOD and each.size),
            default=0,
        )

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return {
            "origin": self.origin, "size": self.size, "holds": self.holds,
            "rewritten": self.rewritten, "complete": self.complete, "covered": self.covered,
            "items": [each.to_json() for each in self.items],
        }  # fmt: skip
