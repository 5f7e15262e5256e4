"""Anchoring on a chain: paid for once, whatever goes away in between."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from anchoring import LyingNode, Node, anvil, lying

from assent.kit.anchors.chain import Chain, load_account, log_id
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.canonical import parse_object
from assent.kit.errors import AssentError, FaultError, FetchError, InputError, RewrittenError
from assent.kit.store.studio import Studio, open_studio
from assent.monitor.anchoring import Outcome, State, anchor
from assent.monitor.on_chain import Patience, deploy
from assent.monitor.places import ChainPlace, find_place, make_chain_place, save_place

pytestmark = pytest.mark.enable_socket

MOST = 10**17


@pytest.fixture
def between(node: Node) -> Iterator[LyingNode]:
    with lying(node) as running:
        yield running


def patience(seconds: float = 20.0) -> Patience:
    return Patience(seconds=seconds, clock=time.monotonic, sleep=lambda _: time.sleep(0.02))


def chain_place(studio: Studio, node: Node, url: str | None = None, **more: Any) -> ChainPlace:  # noqa: ANN401 - fields
    place = ChainPlace(
        name="main", url=url or node.url, chain_id=node.chain_id, sender="", contract=None,
        confirmations=1, most=MOST, key_file=None,
    )  # fmt: skip
    return make_chain_place(studio, replace(place, **more), key=node.key.encode())


def deployed(studio: Studio, node: Node, url: str | None = None, **more: Any) -> ChainPlace:  # noqa: ANN401 - fields
    place = chain_place(studio, node, **more)
    made = deploy(studio, place, key_of=lambda _: node.key.encode(), most=MOST, patience=patience())
    made = replace(made, url=url or node.url)
    save_place(studio, made)
    return made


def run(studio: Studio, node: Node, seconds: float = 20.0) -> Outcome:
    """Anchor in the studio's one place, as it is kept now."""
    place = find_place(studio, "main")
    (outcome,) = anchor(
        studio, [place], key_of=lambda _: node.key.encode(), patience=patience(seconds)
    )
    return outcome


def listed(studio: Studio, node: Node, place: ChainPlace) -> list[tuple[int, bytes]]:
    chain = Chain(node.url, chain_id=node.chain_id)
    log = log_id(studio.log_verifier.vkey)
    return [(e.size, e.root) for e in chain.anchors(str(place.contract), place.sender, log)]


def test_the_root_is_on_the_chain_and_is_told_of(own: Studio, node: Node) -> None:
    place = deployed(own, node)
    outcome = run(own, node)
    assert outcome.state is State.ANCHORED, outcome.says
    state = own.log.reader().state
    assert listed(own, node, place) == [(state.size, state.root)]
    data = AnchorFolder(own.log_folder).proof(state.size, "main", "json") or b""
    fields = parse_object(data, name="anchor")
    assert (fields["size"], fields["root"], fields["index"]) == (state.size, state.root.hex(), 0)
    assert (fields["chain"], fields["sender"]) == (31337, place.sender)


def test_nothing_is_paid_for_twice(own: Studio, node: Node) -> None:
    place = deployed(own, node)
    run(own, node)
    spent = node.transactions(place.sender)
    for _ in range(2):
        assert run(own, node).state is State.ANCHORED
    assert node.transactions(place.sender) == spent
    own.log.append([b'{"kind":"more"}'])
    assert run(own, node).state is State.ANCHORED
    assert node.transactions(place.sender) == spent + 1
    assert len(listed(own, node, place)) == 2


def test_a_contract_is_deployed_once(own: Studio, node: Node) -> None:
    place = deployed(own, node)
    with pytest.raises(InputError, match="has its contract at"):
        deploy(own, place, key_of=lambda _: b"", most=MOST, patience=patience())
    entries = [data for _, data in own.log.reader().entries() if b"anchor.place" in data]
    assert len(entries) == 1
    assert str(place.contract).encode() in entries[0]


def test_without_a_contract_there_is_nothing_to_anchor_in(own: Studio, node: Node) -> None:
    chain_place(own, node)
    outcome = run(own, node)
    assert outcome.state is State.FAILED
    assert outcome.says == "main has no contract yet"


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt"])
def test_a_node_that_goes_away_while_deploying(
    own: Studio, node: Node, between: LyingNode, method: str
) -> None:
    place = chain_place(own, node, between.url)
    before = node.transactions(place.sender)
    between.lies[method] = b"the cable was cut"
    with pytest.raises(FetchError):
        deploy(own, place, key_of=lambda _: node.key.encode(), most=MOST, patience=patience())
    kept = find_place(own, "main")
    assert isinstance(kept, ChainPlace)
    assert kept.waiting is not None
    between.lies.clear()
    made = deploy(own, kept, key_of=lambda _: node.key.encode(), most=MOST, patience=patience())
    assert made.contract is not None
    assert made.waiting is None
    assert node.transactions(place.sender) == before + 1


@pytest.mark.parametrize("done", [False, True], ids=["not sent", "sent, answer lost"])
def test_a_reply_that_is_lost_costs_nothing(
    own: Studio, node: Node, between: LyingNode, done: bool
) -> None:
    place = deployed(own, node, between.url)
    before = node.transactions(place.sender)

    def cut(method: str) -> None:
        if method == "eth_sendRawTransaction" and done:
            kept = find_place(own, "main")
            assert isinstance(kept, ChainPlace)
            assert kept.waiting is not None
            Chain(node.url, chain_id=node.chain_id).push(kept.waiting.attempt)

    between.before = cut
    between.lies["eth_sendRawTransaction"] = b""
    assert run(own, node).state is State.FAILED
    between.lies.clear()
    between.before = lambda method: None
    assert run(own, node).state is State.ANCHORED
    assert node.transactions(place.sender) == before + 1
    kept = find_place(own, "main")
    assert isinstance(kept, ChainPlace)
    assert kept.waiting is None


def test_whatever_question_goes_unanswered_the_next_run_goes_on(
    own: Studio, node: Node, between: LyingNode
) -> None:
    """The connection breaks at the first, the second, the third question and so on."""
    place = deployed(own, node, between.url)
    before = node.transactions(place.sender)
    count = 0

    def breaks(at: int) -> None:
        nonlocal count
        count = 0

        def before_each(method: str) -> None:
            nonlocal count
            count += 1
            between.lies = {method: b"gone"} if count == at else {}

        between.before = before_each

    outcomes = []
    for at in range(1, 60):
        breaks(at)
        outcomes.append(run(own, node).state)
        if count < at:
            break
    assert outcomes[-1] is State.ANCHORED
    assert State.FAILED in outcomes
    assert node.transactions(place.sender) == before + 1
    assert len(listed(own, node, place)) == 1


def test_confirmations_are_waited_for(own: Studio, node: Node) -> None:
    place = deployed(own, node, confirmations=4)
    outcome = run(own, node, 0.5)
    assert outcome.state is State.PENDING
    assert outcome.says.endswith("1 of 4 confirmations")
    node.mine(3)
    assert run(own, node).state is State.ANCHORED
    assert len(listed(own, node, place)) == 1


def test_the_chain_holds_another_history(own: Studio, node: Node) -> None:
    place = deployed(own, node)
    chain = Chain(node.url, chain_id=node.chain_id)
    account = load_account(node.key.encode())
    log = log_id(own.log_verifier.vkey)
    attempt = chain.sign_anchor(
        account, str(place.contract), log, (own.log.size, bytes(32)),
        nonce=chain.nonce(account.address, pending=True), fee=chain.fee(), most=MOST,
    )  # fmt: skip
    chain.push(attempt)
    deadline = time.monotonic() + 20
    while chain.succeeded(attempt) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    outcome = run(own, node)
    assert isinstance(outcome.problem, RewrittenError)
    assert "another history" in outcome.says


def test_a_studio_put_back_from_an_old_copy_is_noticed(own: Studio, node: Node) -> None:
    """The chain has more of the log than the folder."""
    deployed(own, node)
    checkpoint = own.log_folder / "checkpoint"
    old = checkpoint.read_bytes()
    own.log.append([b'{"kind":"more"}'])
    run(own, node)
    checkpoint.write_bytes(old)
    outcome = run(open_studio(own.folder), node)
    assert isinstance(outcome.problem, RewrittenError)
    assert "another history" in outcome.says


def test_the_wrong_key(own: Studio, node: Node) -> None:
    place = deployed(own, node)
    (outcome,) = anchor(own, [place], key_of=lambda _: b"1" * 64, patience=patience())
    assert isinstance(outcome.problem, InputError)
    assert "of another account" in outcome.says


def test_a_transaction_that_fails_is_told_and_made_anew(
    own: Studio, node: Node, between: LyingNode
) -> None:
    place = chain_place(own, node, between.url)
    key_of = lambda _: node.key.encode()  # noqa: E731 - as the command passes it
    receipt = {
        "status": "0x0", "blockNumber": "0x1", "blockHash": "0x" + "11" * 32,
        "transactionHash": "0x" + "22" * 32,
    }  # fmt: skip
    between.lies["eth_getTransactionReceipt"] = receipt
    with pytest.raises(FaultError, match="failed"):
        deploy(own, place, key_of=key_of, most=MOST, patience=patience())
    kept = find_place(own, "main")
    assert isinstance(kept, ChainPlace)
    assert (kept.waiting, kept.contract) == (None, None)
    between.lies.clear()
    assert deploy(own, kept, key_of=key_of, most=MOST, patience=patience()).contract


def test_a_chain_in_which_nothing_moves(own: Studio) -> None:
    """No block comes: what waits is sent as it was, and replaced for a newer state."""
    with anvil("--no-mining") as slow:
        place = chain_place(own, slow)
        key_of = lambda _: slow.key.encode()  # noqa: E731 - as the command passes it
        for _ in range(2):
            with pytest.raises(FaultError, match="is in no block yet"):
                deploy(own, find_place(own, "main"), key_of=key_of, most=MOST,  # type: ignore[arg-type]
                       patience=patience(0))  # fmt: skip
        slow.mine()
        made = deploy(own, find_place(own, "main"), key_of=key_of, most=MOST,  # type: ignore[arg-type]
                      patience=patience())  # fmt: skip
        assert slow.transactions(place.sender) == 1
        first = run(own, slow, 0)
        assert first.state is State.PENDING
        assert run(own, slow, 0).says == first.says
        own.log.append([b'{"kind":"more"}'])
        newer = run(own, slow, 0)
        assert newer.state is State.PENDING
        assert newer.says != first.says
        slow.mine()
        assert run(own, slow).state is State.ANCHORED
        # One transaction took the other's place: the older state was never paid for.
        assert slow.transactions(place.sender) == 2
        assert [size for size, _ in listed(own, slow, made)] == [own.log.size]


def test_a_number_that_another_program_used_up(own: Studio) -> None:
    with anvil("--no-mining") as slow:
        place = chain_place(own, slow)
        key_of = lambda _: slow.key.encode()  # noqa: E731 - as the command passes it
        with pytest.raises(AssentError):
            deploy(own, place, key_of=key_of, most=MOST, patience=patience(0))
        kept = find_place(own, "main")
        assert isinstance(kept, ChainPlace)
        assert kept.waiting is not None
        slow.ask("anvil_dropTransaction", kept.waiting.attempt.hash)
        coin = {"from": place.sender.lower(), "to": "0x" + "11" * 20, "value": "0x1"}
        slow.ask("eth_sendTransaction", coin)
        slow.mine()
        with pytest.raises(FaultError, match="is in no block yet"):
            deploy(own, kept, key_of=key_of, most=MOST, patience=patience(0))
        slow.mine()
        again = find_place(own, "main")
        assert isinstance(again, ChainPlace)
        assert deploy(own, again, key_of=key_of, most=MOST, patience=patience()).contract
