"""The anchoring contract: what the package carries is what its source gives, and it only grows."""

import importlib.util
import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from assent.kit.anchors._web3 import web3

LIMIT = sys.getrecursionlimit()
# It lets Python call deeper, for all tests after it.
from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]  # noqa: E402
from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped]  # noqa: E402

sys.setrecursionlimit(LIMIT)

ROOT = Path(__file__).parents[4]
PACKAGE = json.loads((files("assent.kit.anchors") / "log_anchors.json").read_text("utf-8"))
LOG = bytes(range(32))


class Deployed:
    """The contract on a chain in memory (py-evm)."""

    def __init__(self) -> None:
        tester: Any = EthereumTester(PyEVMBackend())
        self.web3 = web3.Web3(web3.EthereumTesterProvider(tester))
        accounts: Any = self.web3.eth.accounts
        self.ada, self.ben = accounts[:2]
        made = self.web3.eth.contract(abi=PACKAGE["abi"], bytecode=PACKAGE["bytecode"])
        sent = made.constructor().transact({"from": self.ada})
        receipt = self.web3.eth.get_transaction_receipt(sent)
        assert receipt["contractAddress"] is not None
        self.contract: Any = self.web3.eth.contract(receipt["contractAddress"], abi=PACKAGE["abi"])

    def anchor(self, sender: Any, size: int, root: bytes, log: bytes = LOG) -> Any:  # noqa: ANN401 - web3's
        sent = self.contract.functions.anchor(log, size, root).transact({"from": sender})
        return self.web3.eth.get_transaction_receipt(sent)

    def read(self, sender: Any, start: int = 0, log: bytes = LOG) -> list[tuple[int, bytes]]:  # noqa: ANN401 - web3's
        rows = self.contract.functions.read(sender, log, start).call()
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def root(number: int) -> bytes:
    return bytes([number]) * 32


def test_the_package_carries_what_the_source_gives() -> None:
    path = ROOT / "tools" / "compile_anchors.py"
    specification = importlib.util.spec_from_file_location("compile_anchors", path)
    assert specification is not None
    assert specification.loader is not None
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    if not tool.COMPILER.exists():
        pytest.skip("the compiler is not installed: `make test` does that")
    assert tool.compile_contract() == PACKAGE


def test_a_list_grows(deployed: Deployed) -> None:
    for size in (1, 5, 2**64 - 1):
        deployed.anchor(deployed.ada, size, root(size % 251))
    expected = [(size, root(size % 251)) for size in (1, 5, 2**64 - 1)]
    assert deployed.read(deployed.ada) == expected
    assert deployed.contract.functions.count(deployed.ada, LOG).call() == 3


def test_block_and_time_are_the_chain_s(deployed: Deployed) -> None:
    receipt = deployed.anchor(deployed.ada, 7, root(1))
    block = deployed.web3.eth.get_block(receipt["blockNumber"])
    (row,) = deployed.contract.functions.read(deployed.ada, LOG, 0).call()
    assert list(row[2:]) == [block["number"], block["timestamp"]]
    (event,) = deployed.contract.events.Anchored().process_receipt(receipt)
    assert event["args"]["sender"] == deployed.ada
    assert (event["args"]["size"], event["args"]["root"]) == (7, root(1))


@pytest.mark.parametrize("size", [0, 4, 5])
def test_nothing_is_taken_back_or_replaced(deployed: Deployed, size: int) -> None:
    deployed.anchor(deployed.ada, 5, root(1))
    with pytest.raises(TransactionFailed, match="not newer"):
        deployed.anchor(deployed.ada, size, root(2))
    assert deployed.read(deployed.ada) == [(5, root(1))]


def test_an_empty_log_is_not_anchored(deployed: Deployed) -> None:
    with pytest.raises(TransactionFailed, match="not newer"):
        deployed.anchor(deployed.ada, 0, root(1))


def test_nobody_writes_into_another_s_list(deployed: Deployed) -> None:
    deployed.anchor(deployed.ada, 5, root(1))
    deployed.anchor(deployed.ben, 3, root(2))
    deployed.anchor(deployed.ada, 2, root(3), log=bytes(32))
    assert deployed.read(deployed.ada) == [(5, root(1))]
    assert deployed.read(deployed.ben) == [(3, root(2))]
    assert deployed.read(deployed.ada, log=bytes(32)) == [(2, root(3))]


def test_it_is_read_from_anywhere(deployed: Deployed) -> None:
    """How long pages are divided, a test against a faster chain shows (`test_chain`)."""
    for size in (1, 2, 3):
        deployed.anchor(deployed.ada, size, root(size))
    assert [size for size, _ in deployed.read(deployed.ada, 1)] == [2, 3]
    assert deployed.read(deployed.ada, 3) == []
    assert deployed.read(deployed.ada, 2**255) == []


def test_it_takes_no_coins(deployed: Deployed) -> None:
    coins: Any = {"from": deployed.ada, "to": deployed.contract.address, "value": 1}
    with pytest.raises(TransactionFailed):
        deployed.web3.eth.send_transaction(coins)


def test_what_an_anchor_costs(deployed: Deployed) -> None:
    """The documentation names 95,000 units of gas for the first, 80,000 for each after it."""
    gas = [deployed.anchor(deployed.ada, size, root(size))["gasUsed"] for size in (9, 10, 11)]
    assert gas[0] < 95_000
    assert max(gas[1:]) < 80_000
