"""Which logs and witnesses are trusted, and how many of them must have seen a checkpoint.

The text is that of c2sp.org/tlog-policy: a line a log, witness or group, and one with the quorum.

>>> policy = Policy.parse("quorum none\\n")
>>> policy.met_by([])
True
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from assent.kit.errors import InputError
from assent.kit.tlog.checkpoint import parse_decimal
from assent.kit.tlog.cosignature import WitnessKey
from assent.kit.tlog.note import NoteVerifier, Verifier

__all__ = ["NONE", "Group", "Policy", "PolicyLog", "PolicyWitness"]

NONE = "none"
"""The quorum that is always met."""

POLICY_LIMIT = 64 << 10
_MOST = 64
_ADVICE = "Write it as c2sp.org/tlog-policy says; the page about the log has an example."


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLog:
    """A log whose checkpoints are accepted; its key's name is its origin."""

    key: NoteVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWitness:
    """A witness: what the policy calls it, its key, and where it can be asked."""

    name: str
    key: WitnessKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """At least `need` of the `members`, which are witnesses or other groups."""

    name: str
    need: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A trust policy; make one with `parse`."""

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read a policy.

        Raises:
            InputError: a line isn't as specified, a name or key comes twice, or a key is no log's
                or witness's. The message names the line.
        """
        if len(text.encode("utf-8", "replace")) > POLICY_LIMIT:
            raise InputError(f"the policy is longer than {POLICY_LIMIT} bytes", advice=_ADVICE)
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                reading.take(line)
            except InputError as error:
                raise InputError(
                    f"line {number} of the policy: {error}", advice=error.advice
                ) from error
        return reading.result()

    def met_by(self, names: Collection[str]) -> bool:
        """Tell whether the quorum is met when the witnesses of these names have cosigned."""
        met = {witness.name for witness in self.witnesses} & set(names) | {NONE}
        # A group names only what stands before it.
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.need:
                met.add(group.name)
        return self.quorum in met

    @property
    def needs_witnesses(self) -> bool:
        """Whether a checkpoint without cosignatures is not enough."""
        return self.quorum != NONE

    def text(self) -> str:
        """Return the policy as `parse` reads it."""
        lines = [_line("log", log.key.vkey, log.url) for log in self.logs]
        lines += [_line("witness", w.name, w.key.vkey, w.url) for w in self.witnesses]
        lines += [_line("group", g.name, str(g.need), *g.members) for g in self.groups]
        return "\n".join([*lines, _line("quorum", self.quorum), ""])


def _line(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


@dataclass(kw_only=True)
class _Reading:
    """A policy while its lines are read."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)

    def take(self, line: str) -> None:
        """Read one line."""
        if any((each < " " and each != "\t") or each == "\x7f" for each in line):
            raise InputError("it holds control characters", advice=_ADVICE)
        # Only these two characters separate; others may stand in names.
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            return
        kinds: Mapping[str, tuple[Callable[..., None], int, int]] = {
            "log": (self._take_log, 1, 2),
            "witness": (self._take_witness, 2, 3),
            "group": (self._take_group, 3, 2 + 2 * _MOST),
            "quorum": (self._take_quorum, 1, 1),
        }
        take, least, most = kinds.get(words[0], (None, 0, 0))
        if take is None:
            raise InputError(f"'{words[0]}' is no kind of line", advice=_ADVICE)
        if not least <= len(words) - 1 <= most:
            raise InputError(f"a line of '{words[0]}' has other parts", advice=_ADVICE)
        take(*words[1:])

    def result(self) -> Policy:
        """Return the whole policy."""
        if self.quorum is None:
            raise InputError("the policy has no line with its quorum", advice=_ADVICE)
        for what, count in self._counts():
            if count > _MOST:
                raise InputError(f"the policy has more than {_MOST} {what}", advice=_ADVICE)
        self._check_keys()
        return Policy(
            logs=tuple(self.logs),
            witnesses=tuple(self.witnesses),
            groups=tuple(self.groups),
            quorum=self.quorum,
        )

    def _counts(self) -> Iterator[tuple[str, int]]:
        yield "logs", len(self.logs)
        yield "witnesses", len(self.witnesses)
        yield "groups", len(self.groups)

    def _check_keys(self) -> None:
        """Refuse keys that can't be told apart, or one that stands in two places."""
        keys = [log.key for log in self.logs] + [witness.key for witness in self.witnesses]
        for one, other in combinations(keys, 2):
            if one.public == other.public:
                raise InputError(
                    f"{one.name} and {other.name} are one key",
                    advice="Each log and each witness has a key of its own; name it once.",
                )
            if _place(one) == _place(other):
                raise InputError(
                    f"two keys are named {one.name} and have the same id",
                    advice="One of them was made to be taken for the other: ask both owners.",
                )

    def _take_log(self, vkey: str, url: str | None = None) -> None:
        self.logs.append(PolicyLog(key=NoteVerifier.parse(vkey), url=_address(url)))

    def _take_witness(self, name: str, vkey: str, url: str | None = None) -> None:
        self._define(name)
        key = WitnessKey.parse(vkey)
        self.witnesses.append(PolicyWitness(name=name, key=key, url=_address(url)))

    def _take_group(self, name: str, need: str, *members: str) -> None:
        for member in members:
            if member not in self.names or member in self.placed:
                raise InputError(
                    f"'{member}' is defined nowhere above, or is in a group already", advice=_ADVICE
                )
            self.placed.add(member)
        numbers = {"any": 1, "all": len(members)}
        least = numbers.get(need) or _number(need)
        if not 1 <= least <= len(members):
            raise InputError(f"'{need}' of {len(members)} can't be needed", advice=_ADVICE)
        self._define(name)
        self.groups.append(Group(name=name, need=least, members=members))

    def _take_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise InputError("the quorum is given twice", advice=_ADVICE)
        if name not in self.names | {NONE}:
            raise InputError(f"'{name}' is defined nowhere above", advice=_ADVICE)
        self.quorum = name

    def _define(self, name: str) -> None:
        if name in self.names or name == NONE:
            raise InputError(f"'{name}' is taken", advice=_ADVICE)
        self.names.add(name)


def _number(text: str) -> int:
    """Return a plain number, or 0 for anything else."""
    try:
        return parse_decimal(text)
    except ValueError:
        return 0


def _place(key: Verifier) -> tuple[str, bytes]:
    return key.name, key.key_id


def _address(url: str | None) -> str | None:
    """Return an address without its last slash; `InputError` unless it is one of the web."""
    if url is None:
        return None
    if not url.startswith(("https://", "http://")):
        raise InputError(f"'{url}' is no address of the web", advice="Begin it with https://.")
    return url.rstrip("/")
