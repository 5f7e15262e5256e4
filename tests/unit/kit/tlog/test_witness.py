"""The witness's side of c2sp.org/tlog-witness, with the requests of another implementation too."""

import base64
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from assent.kit.clock import fixed
from assent.kit.disk import Disk
from assent.kit.errors import InputError, IntegrityError, NotFoundError, StorageError
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.cosignature import WitnessKey, cosigned_at
from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import EMPTY_ROOT
from assent.kit.tlog.note import NoteSigner, VerifierKey, signatures_of, split_note
from assent.kit.tlog.witness import SIZE_TYPE, Answer, Witness

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Signers = Callable[..., NoteSigner]

# Requests that the witness of github.com/FiloSottile/torchwood is tested with.
SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"
ONE = f"""old 0

{SIGSUM}
1
KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

\u2014 {SIGSUM} UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=
"""  # noqa: E501 - a signature
THREE = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

\u2014 {SIGSUM} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
"""  # noqa: E501 - a signature
FIVE = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

\u2014 {SIGSUM} UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
"""  # noqa: E501 - a signature


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness.create(tmp_path / "witness", name="w.example/1", clock=fixed(NOON))


@pytest.fixture
def log(tmp_path: Path, signer: NoteSigner) -> Log:
    return Log.create(tmp_path / "log", signer=signer)


def request(log: Log, old: int, *, note: str | None = None, proof: Sequence[bytes] = ()) -> bytes:
    hashes = list(proof) or log.reader().consistency_proof(old)
    lines = [base64.b64encode(each).decode() for each in hashes]
    return "\n".join([f"old {old}", *lines, "", note or log.checkpoint()]).encode()


def assert_cosigned(answer: Answer, note: str, witness: Witness, time: datetime = NOON) -> None:
    assert answer.status == 200
    key = WitnessKey.parse(witness.vkey)
    ((_, signature),) = signatures_of(f"{split_note(note)[0]}\n{answer.body}", [key])
    assert cosigned_at(signature.data) == time


def evidence(tmp_path: Path) -> list[str]:
    return [each.read_text() for each in (tmp_path / "witness/evidence").iterdir()]


def test_it_goes_along_with_a_growing_log(tmp_path: Path, witness: Witness, log: Log) -> None:
    witness.accept(log.reader().verifier.vkey)
    assert_cosigned(witness.add_checkpoint(request(log, 0)), log.checkpoint(), witness)
    sizes = [0]
    for count in (1, 1, 300, 5):
        log.append([b"x"] * count)
        answer = witness.add_checkpoint(request(log, sizes[-1]))
        assert_cosigned(answer, log.checkpoint(), witness)
        sizes.append(log.size)
    # The same once more, after a restart.
    again = Witness.open(tmp_path / "witness", clock=fixed(NOON))
    assert_cosigned(again.add_checkpoint(request(log, 307)), log.checkpoint(), witness)
    (kept,) = again.logs()
    assert (kept.origin, kept.state, kept.time) == (
        "assent.local/studio/test",
        log.reader().state,
        NOON,
    )
    assert kept.note == log.checkpoint()
    assert evidence(tmp_path) == []


def test_another_implementations_requests(witness: Witness) -> None:
    vkey = VerifierKey(SIGSUM, 1, bytes.fromhex(SIGSUM_KEY)).text
    witness.accept(vkey)
    assert_cosigned(witness.add_checkpoint(ONE.encode()), ONE.partition("\n\n")[2], witness)
    # Of two that both go on from one, the second is told what was cosigned.
    assert_cosigned(witness.add_checkpoint(FIVE.encode()), FIVE.partition("\n\n")[2], witness)
    assert witness.add_checkpoint(THREE.encode()) == Answer(
        status=409, body="5\n", content_type=SIZE_TYPE
    )
    assert witness.kept(SIGSUM).state.root.hex() == (
        "42bb57ad06420afa4882c4a63ac6a1ec77480b330b2f20dfc53a0caa5f564e36"
    )
    hashes = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    for count, status in ((63, 409), (64, 400)):
        body = ONE.replace("old 0\n", "old 0\n" + hashes * count)
        assert witness.add_checkpoint(body.encode()).status == status


def test_who_is_unknown(witness: Witness, log: Log, make_signer: Signers) -> None:
    log.append([b"a"])
    # Nobody's log, another key under the same name, and the right key under another name.
    assert witness.add_checkpoint(request(log, 0)).status == 404
    witness.accept(make_signer(2).vkey)
    assert witness.add_checkpoint(request(log, 0)).status == 403
    witness.accept(make_signer(1, "another/name").vkey)
    other = log.checkpoint().replace("assent.local/studio/test\n", "another/name\n")
    assert witness.add_checkpoint(request(log, 0, note=other)).status == 403
    # A log may have two keys; but nobody takes the place of one that is known by its name alone.
    with pytest.raises(InputError, match="is accepted with another key") as caught:
        witness.accept(log.reader().verifier.vkey)
    assert "by a way that you trust" in caught.value.advice
    assert witness.add_checkpoint(request(log, 0)).status == 403
    witness.accept(log.reader().verifier.vkey, another=True)
    assert_cosigned(witness.add_checkpoint(request(log, 0)), log.checkpoint(), witness)
    forged = log.checkpoint()[:-8] + "AAAAAA=\n"
    assert witness.add_checkpoint(request(log, 1, note=forged)).status == 403


def test_the_size_it_knows_is_told(witness: Witness, log: Log) -> None:
    witness.accept(log.reader().verifier.vkey)
    log.append([b"a", b"b"])
    first = log.checkpoint()
    witness.add_checkpoint(request(log, 0))
    log.append([b"c"])
    for old in (0, 1, 3):
        answer = witness.add_checkpoint(request(log, old))
        assert answer == Answer(status=409, body="2\n", content_type=SIZE_TYPE)
    assert witness.add_checkpoint(request(log, 2)).status == 200
    # A rolled-back log: what was cosigned is not unsaid.
    old_state = b"old 3\n\n" + first.encode()
    assert witness.add_checkpoint(old_state).status == 400
    assert witness.add_checkpoint(b"old 2\n\n" + first.encode()).status == 409
    assert witness.kept(log.reader().state.origin).state.size == 3


def test_a_fork_is_refused_and_kept(
    tmp_path: Path, witness: Witness, log: Log, signer: NoteSigner
) -> None:
    witness.accept(signer.vkey)
    log.append([b"a", b"b"])
    witness.add_checkpoint(request(log, 0))
    fork = Log.create(tmp_path / "fork", signer=signer)
    fork.append([b"a", b"B"])
    # The same size with another root, asked for in every way.
    for old in (0, 2):
        assert witness.add_checkpoint(request(fork, old)).status == 409
    (found,) = evidence(tmp_path)
    assert log.checkpoint() in found
    assert fork.checkpoint() in found
    # Grown on, with its own honest proof, none, or that of the true log.
    fork.append([b"c"])
    log.append([b"c"])
    assert witness.add_checkpoint(request(fork, 2)).status == 422
    bare = f"old 2\n\n{fork.checkpoint()}".encode()
    assert witness.add_checkpoint(bare).status == 422
    true = log.reader().consistency_proof(2)
    assert witness.add_checkpoint(request(fork, 2, proof=true)).status == 422
    assert len(evidence(tmp_path)) == 2
    assert_cosigned(witness.add_checkpoint(request(log, 2)), log.checkpoint(), witness)


def test_evidence_is_bounded(tmp_path: Path, witness: Witness, signer: NoteSigner) -> None:
    witness.accept(signer.vkey)
    for number in range(200):
        (tmp_path / f"witness/evidence/{number}.txt").write_text("")
    state = Checkpoint(origin=signer.name, size=1, root=bytes(32))
    note = signer.sign(state.body())
    assert witness.add_checkpoint(f"old 0\n\n{note}".encode()).status == 200
    other = signer.sign(Checkpoint(origin=signer.name, size=1, root=b"x" * 32).body())
    assert witness.add_checkpoint(f"old 1\n\n{other}".encode()).status == 409
    assert len(evidence(tmp_path)) == 200


def test_an_empty_log(witness: Witness, log: Log, signer: NoteSigner) -> None:
    witness.accept(signer.vkey)
    for root in (bytes(32), b"x" * 32):
        state = Checkpoint(origin=signer.name, size=0, root=root)
        body = f"old 0\n\n{signer.sign(state.body())}".encode()
        assert witness.add_checkpoint(body).status == 422
    assert witness.add_checkpoint(request(log, 0, proof=[EMPTY_ROOT])).status == 422
    assert witness.add_checkpoint(request(log, 0)).status == 200
    log.append([b"a"])
    assert witness.add_checkpoint(request(log, 0, proof=[bytes(32)])).status == 422
    assert witness.add_checkpoint(request(log, 0)).status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: b"\xff" + body,
        lambda body: body.replace(b"old 2", b"old 02"),
        lambda body: body.replace(b"old 2", b"old -2"),
        lambda body: body.replace(b"old 2", b"Old 2"),
        lambda body: body.replace(b"old 2", b"2"),
        lambda body: body.replace(b"old 2", b"old 2 "),
        lambda body: body.replace(b"old 2\n", b"old 2\nAAAA\n"),
        lambda body: body.replace(b"old 2\n", b"old 2\nA*\n"),
        lambda body: body.partition(b"\n\n")[0],
        lambda body: body.partition(b"\n\n")[0] + b"\n\n",
    ],
)
def test_what_is_no_request(witness: Witness, log: Log, change: Callable[[bytes], bytes]) -> None:
    witness.accept(log.reader().verifier.vkey)
    log.append([b"a", b"b"])
    witness.add_checkpoint(request(log, 0))
    assert witness.add_checkpoint(change(request(log, 2))).status == 400


def test_what_is_no_checkpoint(witness: Witness, signer: NoteSigner) -> None:
    witness.accept(signer.vkey)
    note = signer.sign(f"{signer.name}\nmany\n")
    assert witness.add_checkpoint(f"old 0\n\n{note}".encode()).status == 400
    assert witness.add_checkpoint(b"x" * (129 << 10)).status == 413


def test_a_witness_that_forgot_signs_no_more(tmp_path: Path, witness: Witness, log: Log) -> None:
    vkey = log.reader().verifier.vkey
    witness.accept(vkey)
    log.append([b"a"])
    witness.add_checkpoint(request(log, 0))
    (place,) = (tmp_path / "witness/logs").iterdir()
    saved = (place / "state").read_bytes()
    for lost in (None, b"", b"time 1\nnothing\n", saved.replace(b"time ", b"x"), b"\xff"):
        if lost is None:
            (place / "state").unlink()
        else:
            (place / "state").write_bytes(lost)
        for old in (0, 1):
            answer = witness.add_checkpoint(request(log, old))
            assert answer.status == 500
            assert "\u2014" not in answer.body
        with pytest.raises(IntegrityError):
            witness.logs()
    (place / "state").unlink()
    with pytest.raises(InputError, match="accepted already"):
        witness.accept(vkey)
    with pytest.raises(IntegrityError, match="has lost what it cosigned last") as caught:
        witness.logs()
    assert "Make a new one" in caught.value.advice
    (place / "state").write_bytes(saved)
    (place / "keys").write_bytes(b"no key\n")
    assert witness.add_checkpoint(request(log, 1)).status == 500


def test_accepting_anew_forgets_nothing(tmp_path: Path, witness: Witness, log: Log) -> None:
    vkey = log.reader().verifier.vkey
    witness.accept(vkey)
    log.append([b"a"])
    witness.add_checkpoint(request(log, 0))
    (place,) = (tmp_path / "witness/logs").iterdir()
    (place / "keys").unlink()
    with pytest.raises(NotFoundError):
        witness.kept(log.reader().state.origin)
    assert witness.accept(vkey).state.size == 1


def test_its_clock_never_runs_backwards(tmp_path: Path, log: Log) -> None:
    times = [NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)]
    folder = tmp_path / "witness"
    witness = Witness.create(folder, name="w", clock=lambda: times[0])
    witness.accept(log.reader().verifier.vkey)
    statuses = []
    while times:
        log.append([b"a"])
        old = witness.kept(log.reader().state.origin).state.size
        statuses.append(witness.add_checkpoint(request(log, old)).status)
        times.pop(0)
    assert statuses == [200, 503, 200]


class StoppedDisk(Disk):
    """A disk that is full from the n-th rename on."""

    def __init__(self, left: int) -> None:
        self.left = left

    def rename(self, old: Path, new: Path) -> None:
        if self.left == 0:
            raise StorageError("no space left")
        self.left -= 1
        super().rename(old, new)


def test_nothing_is_signed_that_isnt_written_down(tmp_path: Path, log: Log) -> None:
    folder = tmp_path / "witness"
    Witness.create(folder, name="w", clock=fixed(NOON)).accept(log.reader().verifier.vkey)
    log.append([b"a"])
    full = Witness.open(folder, clock=fixed(NOON), disk=StoppedDisk(0))
    answer = full.add_checkpoint(request(log, 0))
    assert answer.status == 500
    assert "\u2014" not in answer.body
    assert Witness.open(folder, clock=fixed(NOON)).logs()[0].state.size == 0


def test_requests_at_once_take_turns(tmp_path: Path, witness: Witness, log: Log) -> None:
    """Two requests go on from the same state; only one may be cosigned."""
    witness.accept(log.reader().verifier.vkey)
    log.append([b"a"])
    short = request(log, 0)
    log.append([b"b"])
    long = request(log, 0)
    for round_ in range(10):
        folder = tmp_path / f"copy{round_}"
        shutil.copytree(tmp_path / "witness", folder)
        opened = [Witness.open(folder, clock=fixed(NOON)) for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(Witness.add_checkpoint, opened, (short, long)))
        assert sorted(each.status for each in answers) == [200, 409]


def test_its_folder(tmp_path: Path, witness: Witness) -> None:
    folder = tmp_path / "witness"
    assert {each.stat().st_mode & 0o77 for each in folder.rglob("*")} == {0}
    assert Witness.open(folder, clock=fixed(NOON)).vkey == witness.vkey
    with pytest.raises(InputError, match="is a witness already"):
        Witness.create(folder, name="w", clock=fixed(NOON))
    with pytest.raises(InputError, match="can't name a key"):
        Witness.create(tmp_path / "new", name="two words", clock=fixed(NOON))
    with pytest.raises(NotFoundError, match="holds no witness"):
        Witness.open(tmp_path / "new", clock=fixed(NOON))
    with pytest.raises(InputError):
        witness.accept("no key")
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    with pytest.raises(IntegrityError, match="not an Ed25519 key"):
        Witness.open(folder, clock=fixed(NOON))


def test_a_log_that_was_never_quite_accepted(
    tmp_path: Path, witness: Witness, log: Log, signer: NoteSigner
) -> None:
    full = Witness.open(tmp_path / "witness", clock=fixed(NOON), disk=StoppedDisk(1))
    with pytest.raises(StorageError):
        full.accept(signer.vkey)
    assert witness.logs() == []
    assert witness.add_checkpoint(request(log, 0)).status == 404
    witness.accept(signer.vkey)
    assert witness.add_checkpoint(request(log, 0)).status == 200


def test_what_was_cosigned_last(witness: Witness, log: Log, signer: NoteSigner) -> None:
    place = sha256(signer.name.encode()).hexdigest()
    with pytest.raises(NotFoundError):
        witness.latest(place)
    witness.accept(signer.vkey)
    assert witness.latest(place) is None
    witness.add_checkpoint(request(log, 0))
    assert witness.latest(place) == log.checkpoint()
    for other in ("", "..", "../evidence", place.upper(), f"{place}\n"):
        assert witness.latest(other) is None
