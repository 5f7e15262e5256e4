"""A witness's server as its clients meet it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from asgi import Client
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.apps.web.witness_site import build_witness_site
from assent.kit.clock import fixed
from assent.kit.tlog.cosignature import WitnessKey
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner, signatures_of
from assent.kit.tlog.witness import Witness

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = NoteSigner("log.example/1", Ed25519PrivateKey.from_private_bytes(bytes(32)))
PLACE = f"/logs/{sha256(b'log.example/1').hexdigest()}/checkpoint"


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    witness = Witness.create(tmp_path / "witness", name="w.example", clock=fixed(NOON))
    witness.accept(SIGNER.vkey)
    return witness


@pytest.fixture
def client(witness: Witness) -> Client:
    return Client(build_witness_site(witness))


def test_a_request(tmp_path: Path, client: Client, witness: Witness) -> None:
    log = Log.create(tmp_path / "log", signer=SIGNER)
    log.append([b"a"])
    assert client.get(PLACE).status_code == 404
    answer = client.post("/add-checkpoint", content=f"old 0\n\n{log.checkpoint()}")
    assert answer.status_code == 200
    text = log.checkpoint().rpartition("\n\n")[0]
    assert signatures_of(f"{text}\n\n{answer.text}", [WitnessKey.parse(witness.vkey)])
    assert client.get(PLACE).text == log.checkpoint()
    again = client.post("/add-checkpoint", content=f"old 0\n\n{log.checkpoint()}")
    assert (again.status_code, again.text) == (409, "1\n")
    assert again.headers["content-type"] == "text/x.tlog.size"


def test_other_requests(client: Client, witness: Witness) -> None:
    assert client.get("/").text == f"{witness.vkey}\n"
    assert client.get("/add-checkpoint").status_code == 405
    assert client.post("/add-checkpoint", content=b"").status_code == 400
    assert client.get("/logs/nothing/checkpoint").status_code == 404
    assert client.get("/key.pem").status_code == 404


def test_a_body_without_end_is_cut_off(client: Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1 << 16
            yield b"x" * (1 << 16)

    assert client.post("/add-checkpoint", content=endless()).status_code == 413


def test_a_witness_that_forgot_shows_nothing(
    tmp_path: Path, client: Client, witness: Witness
) -> None:
    (place,) = (tmp_path / "witness/logs").iterdir()
    (place / "state").unlink()
    assert client.get(PLACE).status_code == 404
    log = Log.create(tmp_path / "log", signer=SIGNER)
    answer = client.post("/add-checkpoint", content=f"old 0\n\n{log.checkpoint()}")
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text
