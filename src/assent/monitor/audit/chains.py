"""What chains hold of a log: all that its sender ever anchored, whatever is hidden here.

Chains are the one kind of anchor that can be asked what there is. The log itself says where it is
anchored; a list there that doesn't fit is found even if all anchors were removed beside the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from assent.kit.anchors.chain import Anchored, Chain, log_id
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.canonical import parse_object
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, FetchError
from assent.kit.fetch.wire import Fetch
from assent.monitor.audit.history import History, OnChain
from assent.monitor.audit.report import Item, Standing, Trust

__all__ = ["check_chains"]

_RESTS = (
    "the node that was asked, and the chain's being kept by others than the log's owner: one that "
    "they run themselves adds nothing"
)
_Records = Mapping[OnChain, Sequence[Mapping[str, Any]]]


def check_chains(
    history: History, folder: AnchorFolder, trust: Trust, *, how: Fetch | None
) -> Iterator[Item]:
    """Yield what is found on each chain that the log or its anchors name."""
    records: dict[OnChain, list[Mapping[str, Any]]] = {each: [] for each in history.places}
    for size in folder.sizes():
        for proof in folder.proofs(size):
            if proof.kind == "json":
                try:
                    where, fields = _record(proof.data)
                except (AssentError, KeyError, ValueError):
                    yield _item(f"anchors/{size}/{proof.place}.json", Standing.BAD, "is no record")
                    continue
                records.setdefault(where, []).append(fields)
    for where, known in records.items():
        yield from _check(history, where, known, trust, how)


def _check(
    history: History, where: OnChain, known: Sequence[Mapping[str, Any]], trust: Trust,
    how: Fetch | None,
) -> Iterator[Item]:  # fmt: skip
    what = f"chain {where.chain}, {where.contract}"
    nodes = trust.nodes.get(where.chain, ())
    if not nodes:
        says = f"no node of the chain was given (--rpc); {len(known)} anchor(s) say they are there"
        yield _item(what, Standing.UNPROVEN, says)
        return
    found: list[tuple[tuple[Anchored, ...], int]] = []
    for url in nodes:
        try:
            found.append(_ask(history, where, url, how))
        except FetchError as error:
            yield _item(what, Standing.UNREACHABLE, str(error))
        except AssentError as error:
            yield _item(what, Standing.BAD, str(error))
    if len({_settled(listed, height, trust) for listed, height in found}) > 1:
        yield _item(what, Standing.BAD, "the nodes that were asked don't agree: one of them lies")
    for listed, height in found[:1]:
        yield from _compare(history, what, listed, height, trust)
        yield from _compare_records(what, listed, known)


def _ask(
    history: History, where: OnChain, url: str, how: Fetch | None
) -> tuple[tuple[Anchored, ...], int]:
    chain = Chain(url, chain_id=where.chain, how=how)
    chain.check(where.contract)
    log = log_id(history.reader.verifier.vkey)
    # The height first: what comes into a block meanwhile then counts as too young, not as too old.
    height = chain.height()
    return chain.anchors(where.contract, where.sender, log), height


def _settled(listed: Sequence[Anchored], height: int, trust: Trust) -> tuple[Anchored, ...]:
    return tuple(each for each in listed if _depth(each, height) >= trust.confirmations)


def _compare(
    history: History, what: str, listed: Sequence[Anchored], height: int, trust: Trust
) -> Iterator[Item]:
    wrong = 0
    for each in listed:
        name = f"{what}, anchor {each.index}"
        problem = history.compare(name, each.size, each.root)
        if problem is not None:
            wrong += 1
            says = f"{problem.says}; in block {each.number} of {stamp(each.time)}"
            yield replace(problem, says=says, rests_on=_RESTS)
    if wrong:
        return
    settled = _settled(listed, height, trust)
    if not settled:
        says = "holds no anchor of this log yet" if not listed else (
            f"its newest anchor has {_depth(listed[-1], height)} of {trust.confirmations} "
            "confirmations"
        )  # fmt: skip
        yield _item(what, Standing.PENDING, says)
        return
    newest = settled[-1]
    says = (
        f"{len(settled)} anchor(s), all of this log's own past; the newest of {newest.size} "
        f"entries in block {newest.number}, {stamp(newest.time)}"
    )
    yield Item(what=what, standing=Standing.GOOD, says=says, rests_on=_RESTS, size=newest.size)


def _compare_records(
    what: str, listed: Sequence[Anchored], known: Sequence[Mapping[str, Any]]
) -> Iterator[Item]:
    """Yield the anchors that lie beside the log and are not on the chain."""
    there = {(each.size, each.root.hex()): each for each in listed}
    for fields in known:
        if (fields["size"], fields["root"]) not in there:
            says = (
                f"the anchor of {fields['size']} entries that lies beside the log is not on the "
                "chain: it was made up, or its block was replaced (anchor again)"
            )
            yield _item(what, Standing.BAD, says)


def _record(data: bytes) -> tuple[OnChain, Mapping[str, Any]]:
    fields: dict[str, Any] = parse_object(data, name="an anchor")
    if type(fields["chain"]) is not int or type(fields["size"]) is not int:
        raise ValueError("not a number")
    where = OnChain(fields["chain"], str(fields["contract"]), str(fields["sender"]))
    return where, {"size": fields["size"], "root": str(fields["root"])}


def _depth(each: Anchored, height: int) -> int:
    return max(0, height - each.number + 1)


def _item(what: str, standing: Standing, says: str) -> Item:
    return Item(what=what, standing=standing, says=says, rests_on=_RESTS)
