"""The log's side of c2sp.org/tlog-witness, against real witnesses and bad ones."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.clock import fixed
from assent.kit.errors import FetchError, IntegrityError
from assent.kit.tlog.asking import Asked, Cosigned, Send, cosign
from assent.kit.tlog.cosignature import Cosigner, WitnessKey
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner, signatures_of, split_note
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.receipt import make_receipt, verify_receipt
from assent.kit.tlog.witness import Witness
from assent.kit.tlog.witnessed import open_witnessed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Network:
    """Carries requests to witnesses by their addresses; counts them."""

    def __init__(self, places: Mapping[str, Witness | Send]) -> None:
        self.places = dict(places)
        self.sent: list[str] = []

    def send(self, url: str, body: bytes) -> tuple[int, bytes]:
        self.sent.append(body.decode().split("\n")[0])
        place = self.places[url.removesuffix("/add-checkpoint")]
        if isinstance(place, Witness):
            answer = place.add_checkpoint(body)
            return answer.status, answer.body.encode()
        return place(url, body)


@pytest.fixture
def log(tmp_path: Path, signer: NoteSigner) -> Log:
    log = Log.create(tmp_path / "log", signer=signer)
    log.append([b"a", b"b"])
    return log


@pytest.fixture
def make_witness(tmp_path: Path, signer: NoteSigner) -> Callable[[str], Witness]:
    def make(name: str) -> Witness:
        witness = Witness.create(tmp_path / name, name=f"{name}.example", clock=fixed(NOON))
        witness.accept(signer.vkey)
        return witness

    return make


def policy_of(witnesses: Mapping[str, str], quorum: str = "all") -> Policy:
    lines = [f"witness {name} {vkey} https://{name}" for name, vkey in witnesses.items()]
    group = f"group g {quorum} {' '.join(witnesses)}\nquorum g\n"
    return Policy.parse("\n".join([*lines, group]))


def ask(log: Log, policy: Policy, network: Network, now: datetime = NOON) -> Cosigned:
    return cosign(log, policy, send=network.send, clock=fixed(now))


def only(result: Cosigned) -> Asked:
    (asked,) = result.asked
    return asked


def test_two_witnesses_and_a_receipt(
    log: Log, make_witness: Callable[[str], Witness], signer: NoteSigner
) -> None:
    one, two = make_witness("one"), make_witness("two")
    network = Network({"https://one": one, "https://two": two})
    policy = policy_of({"one": one.vkey, "two": two.vkey})
    result = ask(log, policy, network)
    assert result.enough
    assert [(each.witness, each.alarming) for each in result.asked] == [
        ("one", False),
        ("two", False),
    ]
    assert result.asked[0].says == "cosigned 2 entries at 2026-11-20 12:00:00 UTC"
    assert log.cosigned() == log.checkpoint() == result.note
    receipt = make_receipt(log.reader(result.note), 1)
    found = verify_receipt(receipt, b"b", signer.verifier, policy=policy, now=NOON)
    assert found.enough
    assert [(each.name, each.time) for each in found.cosignatures] == [
        ("one", NOON),
        ("two", NOON),
    ]
    # Whoever knows no witness reads it all the same.
    assert verify_receipt(receipt, b"b", signer.verifier).cosignatures == ()
    # The log goes on: the older cosigned state stays where it is until the next.
    log.append([b"c"])
    assert log.cosigned() == result.note
    assert not open_witnessed(log.checkpoint(), log=signer.verifier, policy=policy).enough
    network.sent.clear()
    assert ask(log, policy, network).enough
    # They are asked from where they stood.
    assert network.sent == ["old 2", "old 2"]


def test_a_first_request_may_not_know_where_the_witness_stands(
    log: Log, make_witness: Callable[[str], Witness], tmp_path: Path
) -> None:
    one = make_witness("one")
    network = Network({"https://one": one})
    policy = policy_of({"one": one.vkey})
    ask(log, policy, network)
    (tmp_path / "log/cosigned").unlink()
    log.append([b"c"] * 500)
    network.sent.clear()
    assert ask(log, policy, network).enough
    assert network.sent == ["old 0", "old 2"]


def test_some_are_down(log: Log, make_witness: Callable[[str], Witness]) -> None:
    def down(url: str, body: bytes) -> tuple[int, bytes]:
        raise FetchError(f"{url} can't be reached")

    one, two = make_witness("one"), make_witness("two")
    network = Network({"https://one": one, "https://two": down})
    keys = {"one": one.vkey, "two": two.vkey}
    result = ask(log, policy_of(keys), network)
    assert not result.enough
    assert "can't be reached" in result.asked[1].says
    assert ask(log, policy_of(keys, "any"), network).enough
    # What one has signed stays when the other signs later.
    network.places["https://two"] = two
    only_two = Policy.parse(f"witness two {two.vkey} https://two\nquorum two\n")
    assert cosign(log, only_two, send=network.send, clock=fixed(NOON)).enough
    both = open_witnessed(log.cosigned() or "", log=log.reader().verifier, policy=policy_of(keys))
    assert both.enough


def test_nobody_to_ask(log: Log, make_witness: Callable[[str], Witness]) -> None:
    network = Network({})
    assert ask(log, Policy(), network) == Cosigned(note=log.checkpoint(), asked=(), enough=True)
    assert log.cosigned() is None
    silent = Policy.parse(f"witness one {make_witness('one').vkey}\nquorum one\n")
    result = ask(log, silent, network)
    assert "no address" in only(result).says
    assert not result.enough


def test_a_log_that_was_rolled_back_is_told(
    tmp_path: Path, log: Log, make_witness: Callable[[str], Witness], signer: NoteSigner
) -> None:
    one = make_witness("one")
    network = Network({"https://one": one})
    policy = policy_of({"one": one.vkey})
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    log.append([b"c"])
    assert ask(log, policy, network).enough
    restored = Log.open(tmp_path / "backup", signer=signer)
    result = ask(restored, policy, network)
    assert only(result).alarming
    assert "has seen 3 entries of this log, which holds 2" in only(result).says
    assert not result.enough
    # It is appended to, as if nothing had been lost.
    restored.append([b"C"])
    for _ in range(2):
        result = ask(restored, policy, network)
        assert only(result).alarming
        assert "has seen another history" in only(result).says
        restored.append([b"d"])
    assert restored.cosigned() is None


def test_a_forked_log_that_kept_its_cosigned_checkpoint_is_told(
    tmp_path: Path, log: Log, make_witness: Callable[[str], Witness], signer: NoteSigner
) -> None:
    one = make_witness("one")
    network = Network({"https://one": one})
    policy = policy_of({"one": one.vkey})
    ask(log, policy, network)
    fork = Log.create(tmp_path / "fork", signer=signer)
    fork.append([b"a", b"B"])
    shutil.copy(tmp_path / "log/cosigned", tmp_path / "fork/cosigned")
    assert "has seen another history" in only(ask(fork, policy, network)).says


def test_a_witness_that_lost_its_memory_is_told(
    tmp_path: Path, log: Log, make_witness: Callable[[str], Witness]
) -> None:
    one = make_witness("one")
    policy = policy_of({"one": one.vkey})
    network = Network({"https://one": one})
    shutil.copytree(tmp_path / "one", tmp_path / "older")
    assert ask(log, policy, network).enough
    log.append([b"c"])
    network.places["https://one"] = Witness.open(tmp_path / "older", clock=fixed(NOON))
    asked = only(ask(log, policy, network))
    assert asked.alarming
    assert asked.says.endswith("it cosigned 2 entries before and remembers 0")


def answering(status: int, body: str | bytes) -> Send:
    data = body.encode() if isinstance(body, str) else body
    return lambda url, sent: (status, data)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (answering(404, ""), "it doesn't accept this log"),
        (answering(403, ""), "it has another key of this log"),
        (answering(500, "an error of ours"), "it answers 500"),
        (answering(302, ""), "it answers 302"),
        (answering(200, ""), "not a signed note"),
        (answering(200, b"\xff"), "no text"),
        (answering(200, "\u2014 x AAAA\n"), "malformed"),
        (answering(200, "nothing like it\n"), "malformed"),
        (answering(200, "\u2014 one.example AAAAAAAAAAAA\n"), "isn't signed with its key"),
        (answering(409, "many\n"), "409 without a size"),
        (answering(409, "-1\n"), "409 without a size"),
        (answering(409, b"\xff"), "409 without a size"),
        (answering(409, "1" * 60_000), "409 without a size"),
    ],
)
def test_useless_answers(
    log: Log, make_witness: Callable[[str], Witness], answer: Send, says: str
) -> None:
    before = log.checkpoint()
    policy = policy_of({"one": make_witness("one").vkey})
    result = ask(log, policy, Network({"https://one": answer}))
    assert says in only(result).says
    assert not only(result).alarming
    assert not result.enough
    assert log.checkpoint() == before
    assert log.cosigned() is None


@pytest.mark.parametrize("size", [3, 10**18])
def test_a_witness_that_claims_more_is_told_as_that(
    log: Log, make_witness: Callable[[str], Witness], size: int
) -> None:
    policy = policy_of({"one": make_witness("one").vkey})
    asked = only(ask(log, policy, Network({"https://one": answering(409, f"{size}\n")})))
    assert asked.alarming
    assert asked.says.endswith("or the witness errs")


def test_a_witness_that_never_agrees_is_told(
    log: Log, make_witness: Callable[[str], Witness]
) -> None:
    policy = policy_of({"one": make_witness("one").vkey})
    network = Network({"https://one": answering(409, "1\n")})
    assert only(ask(log, policy, network)).alarming
    assert network.sent == ["old 0", "old 1"]


def cosigner_of(seed: int, name: str = "one.example") -> Cosigner:
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def signing(cosigner: Cosigner, time: datetime, change: Callable[[str], str] = str) -> Send:
    """A witness that signs whatever it gets, as of `time`."""

    def send(url: str, sent: bytes) -> tuple[int, bytes]:
        body = split_note(sent.decode().partition("\n\n")[2])[0]
        line = cosigner.cosign(change(body), time=int(time.timestamp()))
        return 200, f"{cosigner_of(9, 'stranger').cosign(body, time=1)}{line}".encode()

    return send


def test_replayed_and_foreign_cosignatures(log: Log) -> None:
    cosigner = cosigner_of(7)
    policy = policy_of({"one": cosigner.verifier.vkey})

    def result_of(send: Send) -> Cosigned:
        return ask(log, policy, Network({"https://one": send}))

    # One of yesterday, and one of tomorrow.
    for hours in (-24, 24):
        asked = only(result_of(signing(cosigner, NOON + timedelta(hours=hours))))
        assert "not of now" in asked.says
    # One of another size, of another log, and by another key under the same name.
    for send in (
        signing(cosigner, NOON, lambda body: body.replace("\n2\n", "\n1\n")),
        signing(cosigner, NOON, lambda body: body.replace("assent.local", "other.local")),
        signing(cosigner_of(8), NOON),
    ):
        assert only(result_of(send)).line is None
    assert log.cosigned() is None
    # And a good one; lines of strangers beside it are not taken over.
    result = result_of(signing(cosigner, NOON))
    assert result.enough
    assert "stranger" not in result.note
    ((key, _),) = signatures_of(result.note, [cosigner.verifier])
    assert key.name == "one.example"


def test_a_cosignature_of_the_future_counts_for_nothing(log: Log, signer: NoteSigner) -> None:
    cosigner = cosigner_of(7)
    policy = policy_of({"one": cosigner.verifier.vkey})
    body = split_note(log.checkpoint())[0]
    line = cosigner.cosign(body, time=int((NOON + timedelta(days=1)).timestamp()))
    note = log.add_cosignatures(log.checkpoint(), [line])
    assert not open_witnessed(note, log=signer.verifier, policy=policy, now=NOON).enough
    # Without a clock it's taken as it is.
    assert open_witnessed(note, log=signer.verifier, policy=policy).enough


def test_two_names_of_one_witness_dont_make_a_quorum(log: Log) -> None:
    """One signature line each is needed of different keys."""
    cosigner = cosigner_of(7)
    keys = {"one": cosigner.verifier.vkey, "two": cosigner_of(8, "two.example").verifier.vkey}
    send = signing(cosigner, NOON)
    result = ask(log, policy_of(keys), Network({"https://one": send, "https://two": send}))
    assert not result.enough


def test_cosignatures_are_for_states_of_this_log(
    tmp_path: Path, log: Log, signer: NoteSigner
) -> None:
    cosigner = cosigner_of(7)
    fork = Log.create(tmp_path / "fork", signer=signer)
    fork.append([b"x"])
    line = cosigner.cosign(split_note(fork.checkpoint())[0], time=1)
    with pytest.raises(IntegrityError):
        log.add_cosignatures(fork.checkpoint(), [line])
    assert log.cosigned() is None
    # One that comes late, of an older state than one that was cosigned since.
    older = log.checkpoint()
    log.append([b"c"])
    newer = log.add_cosignatures(
        log.checkpoint(), [cosigner.cosign(split_note(log.checkpoint())[0], time=2)]
    )
    late = log.add_cosignatures(older, [cosigner.cosign(split_note(older)[0], time=3)])
    assert log.cosigned() == log.checkpoint() == newer
    assert signatures_of(late, [WitnessKey.parse(cosigner.verifier.vkey)])
    # And one of an older state while the log has grown on.
    log.append([b"d"])
    again = log.add_cosignatures(newer, [cosigner_of(8).cosign(split_note(newer)[0], time=4)])
    assert log.cosigned() == again
    assert log.checkpoint() not in (newer, again)
    assert len(split_note(again)[1]) == 3
