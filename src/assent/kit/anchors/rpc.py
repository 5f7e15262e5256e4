"""How a chain's node is asked: JSON-RPC through the guarded door, each answer held to its form.

Web3 believes whatever a node sends. Here an answer that isn't what its method returns never gets
there: it must be a number, bytes or a few known fields, of bounded size.
"""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from assent.kit.anchors._web3 import web3
from assent.kit.errors import FetchError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse

__all__ = ["NodeError", "Provider"]

_LIMITS = Limits(size=1 << 20, seconds=20.0, silence=15.0, redirects=0)
_QUANTITY = re.compile(r"0x[0-9a-f]{1,32}")
_BYTES = re.compile(r"0x(?:[0-9a-f]{2})*")
_HASH = re.compile(r"0x[0-9a-f]{64}")

Check = Callable[[Any], Any]


class NodeError(FetchError):
    """The node understood, and answered with an error of its own."""


class Provider(web3.providers.base.JSONBaseProvider):
    """Web3's way to a node.

    Args:
        url: the node's address, which may hold a key of the service; it is never shown.
        how: how requests are made.
    """

    # A contract's answer can name an address to ask; nobody follows it from here.
    global_ccip_read_enabled = False

    def __init__(self, url: str, *, how: Fetch | None = None) -> None:
        super().__init__()
        self._url = url
        self._how = how

    def make_request(self, method: "RPCEndpoint", params: Any) -> "RPCResponse":  # noqa: ANN401 - JSON
        """Ask, and return what web3 expects; raises `FetchError`, `NodeError`."""
        post = Post(body=self.encode_rpc_request(method, params), content_type="application/json")
        answer, data = fetch_bytes(self._url, post=post, own=True, how=self._how, limits=_LIMITS)
        reply = _parse(data)
        if reply is None:
            raise FetchError(
                f"the chain's node answers {method} with HTTP {answer.status}, not with JSON-RPC",
                advice="Check the node's address, or try again later.",
            )
        if reply.get("error") is not None:
            raise NodeError(f"the chain's node refuses {method}: {_message(reply['error'])}")
        try:
            result = _FORMS[method](reply.get("result"))
        except (TypeError, ValueError, KeyError) as error:
            raise FetchError(
                f"the chain's node answers {method} with what is no answer to it",
                advice="Use another node.",
            ) from error
        return {"jsonrpc": "2.0", "id": 0, "result": result}


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _message(error: object) -> str:
    """Return a node's words: a stranger's, so short and printable."""
    said = error.get("message", "") if isinstance(error, dict) else error
    return "".join(each if each.isprintable() else " " for each in str(said)[:160])


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(value: Any) -> Any:  # noqa: ANN401 - JSON
        if not pattern.fullmatch(value):
            raise ValueError("not of the form")
        return value

    return check


_quantity = _matching(_QUANTITY)
_bytes = _matching(_BYTES)
_hash = _matching(_HASH)


def _block(value: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    found = {
        "number": _quantity(value["number"]),
        "hash": _hash(value["hash"]),
        "timestamp": _quantity(value["timestamp"]),
    }
    if value.get("baseFeePerGas") is not None:
        found["baseFeePerGas"] = _quantity(value["baseFeePerGas"])
    return found


def _receipt(value: Any) -> dict[str, str] | None:  # noqa: ANN401 - JSON
    if value is None:
        return None
    return {
        "status": _quantity(value["status"]),
        "blockNumber": _quantity(value["blockNumber"]),
        "blockHash": _hash(value["blockHash"]),
        "transactionHash": _hash(value["transactionHash"]),
    }


_FORMS: dict[str, Check] = {
    "eth_chainId": _quantity,
    "eth_blockNumber": _quantity,
    "eth_gasPrice": _quantity,
    "eth_maxPriorityFeePerGas": _quantity,
    "eth_getTransactionCount": _quantity,
    "eth_getBalance": _quantity,
    "eth_getCode": _bytes,
    "eth_estimateGas": _quantity,
    "eth_call": _bytes,
    "eth_sendRawTransaction": _hash,
    "eth_getBlockByNumber": _block,
    "eth_getTransactionReceipt": _receipt,
}
