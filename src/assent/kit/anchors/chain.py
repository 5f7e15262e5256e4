"""An EVM chain that keeps anchors in a contract (`log_anchors.vy`), asked through one node.

    chain = Chain("https://node.example", chain_id=1)
    listed = chain.anchors(contract, sender, log_id)

Everything read here is the node's word. It shows something only as far as the node is one's own, or
several agree, and the chain is kept by others: a chain that one runs oneself adds nothing.

Web3 comes with the extra `evm`.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from assent.kit.errors import FetchError, InputError, IntegrityError, RefusedError
from assent.kit.fetch.wire import Fetch

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = [
    "Anchored",
    "Attempt",
    "Chain",
    "Fee",
    "check_address",
    "load_account",
    "log_id",
    "new_key",
    "wait_for",
]

_KEY = re.compile(rb"[0-9a-fA-F]{64}")
# Nothing of this needs a tenth of it anywhere; some chains count their data in as well.
_MOST_GAS = 10_000_000
_SENT_BEFORE = ("known", "already", "nonce too low")
_MOST_ANCHORS = 100_000
# For all pages of a list together: a node that answers each just in time could take hours.
_LIST_SECONDS = 120.0
_NEVER = datetime.max.replace(tzinfo=UTC)
GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """An anchor in the contract: at `index` of the sender's list, in block `number` of `time`."""

    index: int
    size: int
    root: bytes
    number: int
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """Wei for a unit of gas: at most, and of that to the block's maker (None on older chains)."""

    most: int
    tip: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A signed transaction, kept before it is sent so that it is never signed twice."""

    nonce: int
    fee: int
    hash: str
    raw: str

    def to_json(self) -> dict[str, object]:
        """Return the attempt as JSON values."""
        return {"nonce": self.nonce, "fee": self.fee, "hash": self.hash, "raw": self.raw}

    @classmethod
    def from_json(cls, value: Any) -> "Attempt":  # noqa: ANN401 - JSON values
        """Read an attempt; `ValueError` or another of Python's own if it is none."""
        return cls(
            nonce=int(value["nonce"]), fee=int(value["fee"]), hash=str(value["hash"]),
            raw=bytes.fromhex(value["raw"]).hex(),
        )  # fmt: skip


def log_id(vkey: str) -> bytes:
    """Return what the contract calls a log: SHA-256 of its public key line."""
    return sha256(vkey.strip().encode()).digest()


def new_key() -> bytes:
    """Return a new private key."""
    _need_web3()
    from eth_account import Account

    return bytes(Account.create().key)


def load_account(text: bytes) -> "LocalAccount":
    """Return the account of a private key of 32 bytes, or of 64 hexadecimal digits.

    Raises `InputError`, which never shows what it was given.
    """
    _need_web3()
    from eth_account import Account

    digits = text.hex().encode() if len(text) == 32 else text.strip().removeprefix(b"0x")
    try:
        account: LocalAccount = Account.from_key(_KEY.fullmatch(digits)[0].decode())  # type: ignore[index]
    except Exception:  # noqa: BLE001 - what the library says may hold the key
        raise InputError(
            "this is no private key of an EVM account",
            advice="A key file holds 64 hexadecimal digits and nothing else.",
        ) from None
    return account


def check_address(text: str) -> str:
    """Return an account's or contract's address in its checked spelling, or `InputError`."""
    _need_web3()
    from web3 import Web3

    if not Web3.is_address(text):
        raise InputError(f"{text[:60]!r} is no address", advice="It is 0x and 40 digits; copy it.")
    return str(Web3.to_checksum_address(text))


class Chain:
    """A chain, through one node.

    Args:
        url: where the node is.
        chain_id: which chain it must be.
        how: how requests are made.

    Methods raise `FetchError` when the node is down, slow or senseless, `IntegrityError` when it
    is of another chain or holds another contract, and `InputError` without web3.
    """

    def __init__(self, url: str, *, chain_id: int, how: Fetch | None = None) -> None:
        _need_web3()
        from web3 import Web3

        from assent.kit.anchors.rpc import Provider

        self._web3 = Web3(Provider(url, how=how), middleware=[])
        self.chain_id = chain_id
        self._clock = (how or Fetch()).clock

    def check(self, contract: str | None = None) -> None:
        """Look whether it is the chain that was named, and its contract the one of this package."""
        with _asking():
            found = int(self._web3.eth.chain_id)
            if found != self.chain_id:
                raise IntegrityError(
                    f"the node is of chain {found}, not of chain {self.chain_id}",
                    advice="Give the address of a node of that chain.",
                )
            if contract is None:
                return
            code = bytes(self._web3.eth.get_code(_address(contract)))
        if code != _code("runtime"):
            raise IntegrityError(
                f"{contract} doesn't hold the anchoring contract" if code else
                f"there is no contract at {contract}",
                advice="Deploy it with `assent log place deploy`, or name the right address.",
            )  # fmt: skip

    def contract_of(self, sender: str, nonce: int) -> str:
        """Return the address of the contract that an account's transaction deploys."""
        number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
        # RLP of a list: the address of 20 bytes, and the number, by itself if it is 1 to 127.
        short = number if 0 < nonce < 0x80 else bytes([0x80 + len(number)]) + number
        items = b"\x94" + bytes.fromhex(sender.removeprefix("0x")) + short
        made = self._web3.keccak(bytes([0xC0 + len(items)]) + items)[12:]
        return check_address(f"0x{bytes(made).hex()}")

    def count(self, contract: str, sender: str, log: bytes) -> int:
        """Return how many anchors `sender` has put for a log."""
        with _asking():
            found = int(self._contract(contract).functions.count(_address(sender), log).call())
        if found > _MOST_ANCHORS:
            raise FetchError(f"the node tells of {found} anchors", advice="Use another node.")
        return found

    def anchors(
        self, contract: str, sender: str, log: bytes, *, start: int = 0
    ) -> tuple[Anchored, ...]:
        """Return the list of `sender` for a log from `start` on, oldest first."""
        end, ends = self.count(contract, sender, log), self._clock() + _LIST_SECONDS
        found: list[Anchored] = []
        while start + len(found) < end:
            if self._clock() > ends:
                raise FetchError("the node's list takes too long", advice="Ask another node.")
            at = start + len(found)
            with _asking():
                call = self._contract(contract).functions.read(_address(sender), log, at)
                page = list(call.call())
            found += [_anchored(at + offset, row) for offset, row in enumerate(page)]
            if not page or len(found) > end:
                raise FetchError("the node's list of anchors is cut off", advice="Ask another one.")
        sizes = [each.size for each in found]
        if sizes != sorted(set(sizes)):
            raise FetchError("the node's list of anchors isn't one", advice="Use another node.")
        return tuple(found)

    def find(self, contract: str, sender: str, log: bytes, size: int) -> Anchored | None:
        """Return the anchor of a size, if there is one, looking from the newest on."""
        end = self.count(contract, sender, log)
        newest = self.anchors(contract, sender, log, start=max(0, end - 64))
        if newest and newest[0].size > size:
            newest = self.anchors(contract, sender, log)
        return next((each for each in newest if each.size == size), None)

    def height(self) -> int:
        """Return the number of the newest block."""
        with _asking():
            return int(self._web3.eth.block_number)

    def nonce(self, sender: str, *, pending: bool) -> int:
        """Return how many transactions an account has sent."""
        with _asking():
            which: Any = "pending" if pending else "latest"
            return int(self._web3.eth.get_transaction_count(_address(sender), which))

    def fee(self) -> Fee:
        """Return what gets a transaction into one of the next blocks."""
        from assent.kit.anchors.rpc import NodeError

        with _asking():
            base = self._web3.eth.get_block("latest").get("baseFeePerGas")
            if base is None:
                return Fee(most=int(self._web3.eth.gas_price), tip=None)
            try:
                tip = int(self._web3.eth.max_priority_fee)
            except NodeError:
                # Not every node offers that method.
                tip = GWEI
            return Fee(most=2 * int(base) + tip, tip=tip)

    def sign_anchor(
        self, account: "LocalAccount", contract: str, log: bytes, state: tuple[int, bytes], *,
        nonce: int, fee: Fee, most: int,
    ) -> Attempt:  # fmt: skip
        """Return a signed, unsent transaction that anchors a size and root for `most` wei."""
        data = self._contract(contract).encode_abi("anchor", args=[log, *state])
        return self._sign(account, {"to": _address(contract), "data": data}, nonce, fee, most)

    def sign_deploy(self, account: "LocalAccount", *, nonce: int, fee: Fee, most: int) -> Attempt:
        """Return a signed, unsent transaction that puts the contract onto the chain."""
        return self._sign(account, {"data": f"0x{_code('bytecode').hex()}"}, nonce, fee, most)

    def push(self, attempt: Attempt) -> None:
        """Send a signed transaction; one that is known already is fine.

        Raises `NodeError` (a `FetchError`) if the node won't have it.
        """
        from assent.kit.anchors.rpc import NodeError

        with _asking():
            try:
                self._web3.eth.send_raw_transaction(bytes.fromhex(attempt.raw))
            except NodeError as error:
                # It is waiting or mined already: the chain itself is looked at for what came of it.
                if not any(word in str(error).lower() for word in _SENT_BEFORE):
                    raise

    def succeeded(self, attempt: Attempt) -> bool | None:
        """Tell whether a transaction did what it should; None if it is in no block yet."""
        from web3.exceptions import TransactionNotFound

        with _asking():
            try:
                receipt: Any = self._web3.eth.get_transaction_receipt(_typed(attempt.hash))
            except TransactionNotFound:
                return None
            return int(receipt["status"]) == 1

    def _sign(
        self, account: "LocalAccount", call: dict[str, Any], nonce: int, fee: Fee, most: int
    ) -> Attempt:
        """Sign a transaction for this very chain (EIP-155) that can't cost more than `most` wei."""
        with _asking():
            estimate: Any = {"from": account.address, **call}
            gas = int(self._web3.eth.estimate_gas(estimate)) * 5 // 4
        if gas > _MOST_GAS or gas * fee.most > most:
            raise RefusedError(
                f"the chain asks for up to {_coins(gas * fee.most)} of its coin, and "
                f"{_coins(most)} is the most that may be spent",
                advice="Wait until it is cheaper, or allow more with --most-cost.",
            )
        self._check_funds(account, gas * fee.most)
        fields = {"chainId": self.chain_id, "nonce": nonce, "gas": gas, "value": 0, **call}
        signed = account.sign_transaction({**fields, **_fee_fields(fee)})
        return Attempt(
            nonce=nonce,
            fee=fee.most,
            hash=f"0x{signed.hash.hex()}",
            raw=bytes(signed.raw_transaction).hex(),
        )

    def _check_funds(self, account: "LocalAccount", needed: int) -> None:
        with _asking():
            has = int(self._web3.eth.get_balance(account.address))
        if has < needed:
            raise InputError(
                f"{account.address} has {_coins(has)} of the chain's coin; it may need "
                f"{_coins(needed)}",
                advice="Send some to that address, then run the command again.",
            )

    def _contract(self, address: str) -> Any:  # noqa: ANN401 - made by web3 from the interface
        return self._web3.eth.contract(address=_address(address), abi=_package()["abi"])


def wait_for(
    done: Callable[[], bool], *, seconds: float, clock: Callable[[], float],
    sleep: Callable[[float], None], every: float = 1.0,
) -> bool:  # fmt: skip
    """Ask `done` until it says so or the seconds are over; return what it said last."""
    ends = clock() + seconds
    while not (answer := done()) and clock() + every <= ends:
        sleep(every)
    return answer


@contextmanager
def _asking() -> Iterator[None]:
    """Turn what web3 raises on a lying node's values into a `FetchError`."""
    from web3.exceptions import Web3Exception

    try:
        yield
    except (Web3Exception, OverflowError) as error:
        raise FetchError(
            "the chain's node answers what makes no sense", advice="Use another node."
        ) from error


def _anchored(index: int, row: Any) -> Anchored:  # noqa: ANN401 - decoded by web3
    size, root, number, time = row
    try:
        moment = datetime.fromtimestamp(int(time), UTC)
    except (ValueError, OverflowError, OSError):
        moment = _NEVER
    return Anchored(index=index, size=int(size), root=bytes(root), number=int(number), time=moment)


def _need_web3() -> None:
    try:
        from assent.kit.anchors import _web3  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise InputError(
            "anchoring on a chain needs web3, which is not installed",
            advice="Install it with `pip install 'assent[evm]'`.",
        ) from error


@cache
def _package() -> dict[str, Any]:
    """Return the contract as the package carries it."""
    text = (files("assent.kit.anchors") / "log_anchors.json").read_text("utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


def _code(part: str) -> bytes:
    return bytes.fromhex(_package()[part].removeprefix("0x"))


def _address(text: str) -> Any:  # noqa: ANN401 - a type of web3's own
    return check_address(text)


def _typed(text: str) -> Any:  # noqa: ANN401 - a type of web3's own
    return text


def _fee_fields(fee: Fee) -> dict[str, int]:
    if fee.tip is None:
        return {"gasPrice": fee.most}
    return {"maxFeePerGas": fee.most, "maxPriorityFeePerGas": fee.tip}


def _coins(wei: int) -> str:
    return f"{wei / 10**18:.6g}"
