"""Put the log's size and root onto an EVM chain, and the contract before the first.

The chain itself says what is there; a transaction is kept before it is sent. So a run that was
interrupted, or a node that went away, costs at worst a second look: a transaction is sent again
as it was, or replaced under its own number, and never one beside it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assent.kit.anchors.chain import Anchored, Attempt, Chain, Fee, load_account, log_id, wait_for
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import FaultError, InputError, RewrittenError
from assent.kit.fetch.wire import Fetch
from assent.kit.store.studio import Studio
from assent.kit.tlog.checkpoint import Checkpoint
from assent.monitor.places import ChainPlace, Waiting, announce, save_place

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["Found", "KeyOf", "Patience", "anchor_on_chain", "deploy"]

KeyOf = Callable[[ChainPlace], bytes]
"""Returns the private key of a place's account."""

# What nodes ask of a transaction that shall take another one's place.
_MORE = 9, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a chain is waited for, and how."""

    seconds: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    @classmethod
    def of(cls, seconds: float) -> "Patience":
        """Wait by this machine's clock."""
        return cls(seconds=seconds, clock=time.monotonic, sleep=time.sleep)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the chain says of an anchor; `final` once enough blocks stand on it."""

    final: bool
    says: str


def deploy(
    studio: Studio, place: ChainPlace, *, key_of: KeyOf, most: int, patience: Patience,
    how: Fetch | None = None,
) -> ChainPlace:  # fmt: skip
    """Put the anchoring contract onto the chain for `most` wei; return the place with its address.

    Raises `InputError` if the place has one, `FaultError` if it isn't in a block yet: run it again.
    """
    if place.contract is not None:
        raise InputError(
            f"{place.name} has its contract at {place.contract}",
            advice="Use it: it never wears out.",
        )
    chain = Chain(place.url, chain_id=place.chain_id, how=how)
    chain.check()
    place = _send(studio, chain, place, key_of, most=most)
    attempt = _sent(place)
    if not _wait(patience, lambda: chain.succeeded(attempt) is not None):
        raise FaultError(
            f"transaction {attempt.hash} is in no block yet", advice="Run the command again later."
        )
    contract = chain.contract_of(place.sender, attempt.nonce)
    done = chain.succeeded(attempt)
    place = replace(place, waiting=None, contract=contract if done else None)
    save_place(studio, place)
    if not done:
        raise FaultError(f"transaction {attempt.hash} failed", advice="Run the command again.")
    chain.check(contract)
    announce(studio, place)
    return place


def anchor_on_chain(
    studio: Studio, place: ChainPlace, folder: AnchorFolder, state: Checkpoint, *, key_of: KeyOf,
    patience: Patience, how: Fetch | None = None,
) -> Found:  # fmt: skip
    """Anchor a state of the log on a chain, unless it is there, and say how it stands.

    Raises `RewrittenError` if the chain holds another history of this log.
    """
    if place.contract is None:
        raise InputError(
            f"{place.name} has no contract yet",
            advice=f"Run `assent log place deploy {place.name}` first.",
        )
    contract = place.contract
    chain = Chain(place.url, chain_id=place.chain_id, how=how)
    chain.check(contract)
    log = log_id(studio.log_verifier.vkey)
    found = _look(chain, contract, place.sender, log, state)
    if found is None:
        place = _send(studio, chain, place, key_of, most=place.most, state=state, log=log)
    _wait(patience, lambda: _is_final(chain, contract, place, log, state))
    found = _look(chain, contract, place.sender, log, state)
    if found is None:
        attempt = _sent(place)
        return Found(final=False, says=f"transaction {attempt.hash} is in no block yet")
    return _record(studio, chain, place, folder, found, log)


def _look(
    chain: Chain, contract: str, sender: str, log: bytes, state: Checkpoint
) -> Anchored | None:
    """Return where the state stands in the contract's list; `RewrittenError` if it is another."""
    end = chain.count(contract, sender, log)
    newest = chain.anchors(contract, sender, log, start=max(0, end - 1))
    if not newest or newest[-1].size < state.size:
        return None
    found = chain.find(contract, sender, log, state.size)
    if found is None or found.root != state.root:
        raise RewrittenError(
            f"the chain holds this log with {newest[-1].size} entries, anchored at "
            f"{stamp(newest[-1].time)}: another history than this folder's {state.size}",
            advice="Run `assent log audit`: the log was rewritten, rolled back or copied.",
        )
    return found


def _is_final(
    chain: Chain, contract: str, place: ChainPlace, log: bytes, state: Checkpoint
) -> bool:
    found = _look(chain, contract, place.sender, log, state)
    return found is not None and _depth(chain, found) >= place.confirmations


def _record(
    studio: Studio, chain: Chain, place: ChainPlace, folder: AnchorFolder, found: Anchored,
    log: bytes,
) -> Found:  # fmt: skip
    """Write down where the anchor stands, and forget the transaction that put it there."""
    fields = {
        "kind": place.kind, "chain": place.chain_id, "contract": place.contract,
        "sender": place.sender, "log": log.hex(), "index": found.index, "size": found.size,
        "root": found.root.hex(), "block": found.number, "time": stamp(found.time),
    }  # fmt: skip
    folder.write(found.size, place.name, "json", canonical(fields))
    if place.waiting is not None:
        save_place(studio, replace(place, waiting=None))
    depth = _depth(chain, found)
    where = f"block {found.number} of chain {place.chain_id}, {stamp(found.time)}"
    if depth >= place.confirmations:
        return Found(final=True, says=f"in {where}")
    return Found(final=False, says=f"in {where}: {depth} of {place.confirmations} confirmations")


def _depth(chain: Chain, found: Anchored) -> int:
    return max(0, chain.height() - found.number + 1)


def _send(
    studio: Studio, chain: Chain, place: ChainPlace, key_of: KeyOf, *, most: int,
    state: Checkpoint | None = None, log: bytes = b"",
) -> ChainPlace:  # fmt: skip
    """Send what anchors a state, or deploys; return the place as it was kept before that."""
    waiting, size = place.waiting, 0 if state is None else state.size
    if waiting is not None and chain.nonce(place.sender, pending=False) > waiting.attempt.nonce:
        if size == 0 and chain.succeeded(waiting.attempt):
            return place
        # Its number is used up, by it or by another, and what was to be done is not.
        waiting = None
    fee = chain.fee()
    if waiting is not None and waiting.size == size and waiting.attempt.fee >= fee.most // 2:
        chain.push(waiting.attempt)
        return place
    if waiting is None:
        nonce = chain.nonce(place.sender, pending=True)
    else:
        nonce, fee = waiting.attempt.nonce, _dearer(fee, waiting.attempt.fee)
    account = _account(place, key_of)
    if state is None:
        attempt = chain.sign_deploy(account, nonce=nonce, fee=fee, most=most)
    else:
        attempt = chain.sign_anchor(
            account, str(place.contract), log, (size, state.root), nonce=nonce, fee=fee, most=most
        )
    place = replace(place, waiting=Waiting(size=size, attempt=attempt))
    # Kept before it is sent: what is lost then is a reply, never a payment.
    save_place(studio, place)
    chain.push(attempt)
    return place


def _dearer(fee: Fee, before: int) -> Fee:
    least = before * _MORE[0] // _MORE[1] + 1
    most = max(fee.most, least)
    return Fee(most=most, tip=None if fee.tip is None else max(fee.tip, most // 2))


def _account(place: ChainPlace, key_of: KeyOf) -> "LocalAccount":
    account = load_account(key_of(place))
    if str(account.address) != place.sender:
        raise InputError(
            f"the key of {place.name} is of another account than before",
            advice="Set the place up again with this key, or give the old one back.",
        )
    return account


def _sent(place: ChainPlace) -> Attempt:
    if place.waiting is None:
        raise FaultError("no transaction was sent")
    return place.waiting.attempt


def _wait(patience: Patience, done: Callable[[], bool]) -> bool:
    return wait_for(done, seconds=patience.seconds, clock=patience.clock, sleep=patience.sleep)
