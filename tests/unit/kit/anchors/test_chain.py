"""A chain of one node (anvil), and a node between that lies."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from anchoring import LyingNode, Node, anvil, lying

from assent.kit.anchors import chain as chain_module
from assent.kit.anchors import rpc
from assent.kit.anchors._web3 import web3
from assent.kit.anchors.chain import (
    Attempt,
    Chain,
    Fee,
    check_address,
    load_account,
    log_id,
    new_key,
    wait_for,
)
from assent.kit.errors import FetchError, InputError, IntegrityError, RefusedError

pytestmark = pytest.mark.enable_socket

MOST = 10**17
LOG = log_id("log+00000000+AQ==")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with anvil() as running:
        yield running


@pytest.fixture
def between(node: Node) -> Iterator[LyingNode]:
    with lying(node) as running:
        yield running


@pytest.fixture(scope="module")
def contract(node: Node) -> str:
    chain = Chain(node.url, chain_id=node.chain_id)
    account = load_account(node.key.encode())
    attempt = chain.sign_deploy(account, nonce=0, fee=chain.fee(), most=MOST)
    chain.push(attempt)
    settle(chain, attempt)
    address = chain.contract_of(account.address, 0)
    chain.check(address)
    return address


def settle(chain: Chain, attempt: Attempt) -> None:
    """Wait until a transaction is in a block, which takes the node a moment."""
    assert wait_for(
        lambda: chain.succeeded(attempt) is not None,
        seconds=20, clock=time.monotonic, sleep=time.sleep, every=0.02,
    )  # fmt: skip
    assert chain.succeeded(attempt)


def anchored(node: Node, contract: str, log: bytes, *sizes: int) -> str:
    """Anchor sizes, each with a root of its own, and return who did."""
    chain, account = Chain(node.url, chain_id=node.chain_id), load_account(node.key.encode())
    for size in sizes:
        nonce = chain.nonce(account.address, pending=True)
        state = (size, bytes([size]) * 32)
        attempt = chain.sign_anchor(
            account, contract, log, state, nonce=nonce, fee=chain.fee(), most=MOST
        )
        chain.push(attempt)
        settle(chain, attempt)
    return str(account.address)


def test_what_was_anchored_is_read_back(node: Node, contract: str) -> None:
    log = log_id("read back")
    sender = anchored(node, contract, log, 3, 8)
    chain = Chain(node.url, chain_id=node.chain_id)
    first, second = chain.anchors(contract, sender, log)
    assert (first.size, second.size, second.index) == (3, 8, 1)
    assert second.root == bytes([8]) * 32
    assert chain.find(contract, sender, log, 3) == first
    assert chain.find(contract, sender, log, 4) is None
    assert chain.anchors(contract, sender, log_id("another")) == ()
    assert chain.find(contract, sender, log_id("another"), 3) is None


def test_another_client_reads_the_same(node: Node, contract: str) -> None:
    log = log_id("another client")
    sender = anchored(node, contract, log, 5)
    provider = web3.HTTPProvider(node.url)
    address = web3.Web3.to_checksum_address(contract)
    abi = json.loads((files("assent.kit.anchors") / "log_anchors.json").read_text())["abi"]
    made: Any = web3.Web3(provider).eth.contract(address, abi=abi)
    ((size, root, number, time),) = made.functions.read(sender, log, 0).call()
    (own,) = Chain(node.url, chain_id=node.chain_id).anchors(contract, sender, log)
    assert (size, root, number, time) == (5, own.root, own.number, own.time.timestamp())
    for session in provider._request_session_manager.session_cache._data.values():  # noqa: SLF001 - web3 leaves it open
        session.close()


def test_an_old_anchor_among_many_is_found(node: Node, contract: str) -> None:
    log = log_id("many")
    sender = anchored(node, contract, log, *range(1, 67))
    chain = Chain(node.url, chain_id=node.chain_id)
    found = chain.find(contract, sender, log, 1)
    assert found is not None
    assert (found.index, found.root) == (0, bytes([1]) * 32)
    assert len(chain.anchors(contract, sender, log)) == 66


def test_a_transaction_is_sent_once_however_often(node: Node, contract: str) -> None:
    chain, account = Chain(node.url, chain_id=node.chain_id), load_account(node.key.encode())
    nonce = chain.nonce(account.address, pending=False)
    attempt = chain.sign_anchor(
        account, contract, log_id("once"), (1, bytes(32)), nonce=nonce, fee=chain.fee(), most=MOST
    )
    assert chain.succeeded(attempt) is None
    for _ in range(3):
        chain.push(attempt)
    settle(chain, attempt)
    chain.push(attempt)
    assert chain.nonce(account.address, pending=False) == nonce + 1
    assert Attempt.from_json(attempt.to_json()) == attempt


def test_no_more_is_spent_than_allowed(node: Node, contract: str) -> None:
    chain, account = Chain(node.url, chain_id=node.chain_id), load_account(node.key.encode())
    with pytest.raises(RefusedError, match="the most that may be spent"):
        chain.sign_deploy(account, nonce=0, fee=chain.fee(), most=1)
    with pytest.raises(RefusedError, match="the most that may be spent"):
        chain.sign_deploy(account, nonce=0, fee=Fee(most=10**15, tip=1), most=MOST)


def test_an_account_without_coins(node: Node) -> None:
    chain = Chain(node.url, chain_id=node.chain_id)
    account = load_account(new_key())
    with pytest.raises(InputError, match=f"{account.address} has 0 of the chain's coin"):
        chain.sign_deploy(account, nonce=0, fee=Fee(most=1, tip=None), most=MOST)


def test_the_contract_s_address_is_known_beforehand(node: Node) -> None:
    """As the addresses that a public example account's first transactions make."""
    chain = Chain(node.url, chain_id=node.chain_id)
    sender = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
    assert [chain.contract_of(sender, nonce).lower() for nonce in range(3)] == [
        "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
        "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
    ]
    assert len({chain.contract_of(sender, nonce) for nonce in (127, 128, 255, 256)}) == 4


def test_the_wrong_chain(between: LyingNode) -> None:
    between.lies["eth_chainId"] = "0x1"
    with pytest.raises(IntegrityError, match="the node is of chain 1, not of chain 31337"):
        Chain(between.url, chain_id=31337).check()


def test_another_contract_or_none(node: Node, contract: str, between: LyingNode) -> None:
    chain = Chain(node.url, chain_id=node.chain_id)
    with pytest.raises(IntegrityError, match="there is no contract at"):
        chain.check("0x" + "12" * 20)
    between.lies["eth_getCode"] = "0x6001"
    with pytest.raises(IntegrityError, match="doesn't hold the anchoring contract"):
        Chain(between.url, chain_id=31337).check(contract)


@pytest.mark.parametrize(
    "lie",
    [
        None, 7, "7", "0x", "0xzz", [], {}, "0x" + "f" * 33, b"", b"[]", b"null", b"{}",
        b'{"result":1e999}', b"[" * 100_000, b"\xff\xfe", b"<html>", RuntimeError("no\x1b[31m"),
        "0x" + "0" * 63, "0x" + "ab" * 32, "0x" + "00" * 31 + "20" + "ff" * 32,
    ],
    ids=repr,
)  # fmt: skip
def test_whatever_a_node_answers_is_an_answer_or_an_error(
    node: Node, contract: str, between: LyingNode, lie: object
) -> None:
    chain, account = Chain(between.url, chain_id=31337), load_account(node.key.encode())
    attempt = Attempt(nonce=0, fee=1, hash="0x" + "11" * 32, raw="00")
    calls: dict[str, Callable[[], object]] = {
        "eth_chainId": chain.check,
        "eth_blockNumber": chain.height,
        "eth_getTransactionCount": lambda: chain.nonce(account.address, pending=True),
        "eth_getCode": lambda: chain.check(contract),
        "eth_call": lambda: chain.anchors(contract, account.address, LOG),
        "eth_getBlockByNumber": chain.fee,
        "eth_maxPriorityFeePerGas": chain.fee,
        "eth_getTransactionReceipt": lambda: chain.succeeded(attempt),
        "eth_sendRawTransaction": lambda: chain.push(attempt),
        "eth_estimateGas": lambda: chain.sign_deploy(
            account, nonce=0, fee=Fee(most=1, tip=None), most=MOST
        ),
        "eth_getBalance": lambda: chain.sign_deploy(
            account, nonce=0, fee=Fee(most=1, tip=None), most=MOST
        ),
    }
    for method, call in calls.items():
        between.lies = {method: lie}
        with suppress(FetchError, IntegrityError, InputError, RefusedError):
            call()


def test_a_list_that_cannot_be(contract: str, node: Node, between: LyingNode) -> None:
    chain, sender = Chain(between.url, chain_id=31337), load_account(node.key.encode()).address
    between.lies["eth_call"] = "0x" + f"{200_000:064x}"
    with pytest.raises(FetchError, match="200000 anchors"):
        chain.count(contract, sender, LOG)
    between.lies["eth_call"] = "0x" + f"{1:064x}"
    with pytest.raises(FetchError, match="makes no sense"):
        chain.anchors(contract, sender, LOG)


def test_a_list_that_shrinks_or_turns_back(contract: str, node: Node, between: LyingNode) -> None:
    chain, sender = Chain(between.url, chain_id=31337), load_account(node.key.encode()).address
    # A list at 0x20: how many rows, and of each its size, root, block and time.
    rows = {
        "empty": [0x20, 0],
        "turned": [0x20, 2, 5, 0, 1, 1, 4, 0, 1, 1],
        "timeless": [0x20, 1, 5, 0, 1, 2**64 - 1],
    }

    def answers(row: list[int]) -> None:
        told = iter([[row[1] or 2], row])

        def lie(method: str) -> None:
            if method == "eth_call":
                between.lies["eth_call"] = "0x" + "".join(f"{word:064x}" for word in next(told))

        between.before = lie

    answers(rows["empty"])
    with pytest.raises(FetchError, match="cut off"):
        chain.anchors(contract, sender, LOG)
    answers(rows["turned"])
    with pytest.raises(FetchError, match="isn't one"):
        chain.anchors(contract, sender, LOG)
    # A time that no calendar has is the end of all times: no error, and never early.
    answers(rows["timeless"])
    (found,) = chain.anchors(contract, sender, LOG)
    assert found.time.year == 9999


def test_a_list_that_takes_too_long(
    contract: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_id("too long")
    sender = anchored(node, contract, log, 3)
    monkeypatch.setattr(chain_module, "_LIST_SECONDS", -1.0)
    with pytest.raises(FetchError, match="takes too long"):
        Chain(node.url, chain_id=node.chain_id).anchors(contract, sender, log)


def test_an_old_chain_has_one_price(node: Node, between: LyingNode) -> None:
    block = dict(node.ask("eth_getBlockByNumber", "latest", False))  # type: ignore[call-overload]
    del block["baseFeePerGas"]
    between.lies["eth_getBlockByNumber"] = block
    chain = Chain(between.url, chain_id=31337)
    fee = chain.fee()
    assert fee.tip is None
    assert fee.most > 0
    account = load_account(node.key.encode())
    attempt = chain.sign_deploy(account, nonce=0, fee=replace(fee, most=2), most=MOST)
    assert attempt.fee == 2


def test_a_node_without_a_method_for_tips(between: LyingNode) -> None:
    between.lies["eth_maxPriorityFeePerGas"] = RuntimeError("the method is not available")
    assert Chain(between.url, chain_id=31337).fee().tip == 10**9


def test_a_node_that_is_down_or_slow(between: LyingNode, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FetchError, match="can't be reached"):
        Chain("http://127.0.0.1:1", chain_id=1).check()
    monkeypatch.setattr(rpc, "_LIMITS", replace(rpc._LIMITS, silence=0.2))  # noqa: SLF001
    between.before = lambda _method: time.sleep(0.8)
    with pytest.raises(FetchError, match="too slowly"):
        Chain(between.url, chain_id=31337).check()


def test_a_refusal_is_told_in_the_node_s_words(node: Node, between: LyingNode) -> None:
    between.lies["eth_sendRawTransaction"] = RuntimeError("underpriced \x1b[2J" + "x" * 999)
    attempt = Attempt(nonce=0, fee=1, hash="0x" + "11" * 32, raw="00")
    with pytest.raises(FetchError, match="underpriced") as refused:
        Chain(between.url, chain_id=31337).push(attempt)
    assert len(str(refused.value)) < 250
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "text", [b"", b"12", b"g" * 64, b"0x" + b"0" * 64, b"f" * 64, b"\xff" * 33, b"1" * 65]
)
def test_what_is_no_key_is_not_shown(text: bytes) -> None:
    with pytest.raises(InputError, match="no private key") as refused:
        load_account(text)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert text.hex()[:24] not in str(refused.value) or not text


def test_a_key_in_each_of_its_spellings(node: Node) -> None:
    digits = node.key.removeprefix("0x")
    spellings = [digits, f"0x{digits}", f"{digits.upper()}\n"]
    addresses = {load_account(each.encode()).address for each in spellings}
    assert addresses == {load_account(bytes.fromhex(digits)).address}


def test_web3_leaves_the_depth_of_calls_as_it_is() -> None:
    assert "web3" in sys.modules
    assert sys.getrecursionlimit() == 1000


def test_without_web3_what_to_do_is_said() -> None:
    """In a process of its own, in which it can't be imported."""
    program = (
        "import sys; sys.modules['web3'] = None\n"
        "from assent.kit.anchors.chain import new_key\n"
        "from assent.kit.errors import InputError\n"
        "try: new_key()\n"
        "except InputError as error: print(error, error.advice)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "needs web3, which is not installed" in done.stdout
    assert "pip install 'assent[evm]'" in done.stdout


def test_addresses() -> None:
    assert check_address("0x" + "ab" * 20).lower() == "0x" + "ab" * 20
    with pytest.raises(InputError, match="is no address"):
        check_address("0x12")


def test_waiting_ends() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert not wait_for(lambda: False, seconds=3, clock=lambda: now[0], sleep=sleep)
    assert now[0] == 3
    assert wait_for(lambda: now[0] >= 5, seconds=10, clock=lambda: now[0], sleep=sleep)
    assert now[0] == 5
