import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from assent.kit.errors import InputError, IntegrityError, NotFoundError, StorageError
from assent.kit.vault.secrets import SCRYPT_COST, SecretStore

FailingDisk = Any
PASSPHRASE = b"correct horse battery staple"


def sealed(folder: Path, passphrase: bytes | None = PASSPHRASE, cost: int = 10) -> SecretStore:
    """A store with a cheap scrypt."""
    return SecretStore(folder, passphrase=passphrase, cost=cost)


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_put_and_get(tmp_path: Path, passphrase: bytes | None) -> None:
    folder = tmp_path / "secrets"
    store = sealed(folder, passphrase)
    assert store.names() == []
    store.put("log", b"key of the log")
    store.put("master", b"")
    store.put("log", b"newer key of the log")
    assert store.protected == (passphrase is not None)
    again = sealed(folder, passphrase)
    assert again.get("log") == b"newer key of the log"
    assert again.get("master") == b""
    assert again.names() == ["log", "master"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    clear = any(b"key of" in each.read_bytes() for each in folder.iterdir())
    assert clear == (passphrase is None)


def test_the_layout_is_that_of_the_specification(tmp_path: Path) -> None:
    """Opened by hand."""
    sealed(tmp_path, cost=11).put("log", b"secret")
    data = (tmp_path / "log.secret").read_bytes()
    start, nonce, rest = data[:33], data[33:45], data[45:]
    assert start[:17] == b"assent-sealed-1\n" + bytes([11])
    key = Scrypt(salt=start[17:], length=32, n=2**11, r=8, p=1).derive(PASSPHRASE)
    assert AESGCM(key).decrypt(nonce, rest, start + b"log") == b"secret"
    sealed(tmp_path, None).put("clear", b"secret")
    assert (tmp_path / "clear.secret").read_bytes() == b"assent-clear-1\nsecret"


def test_the_cost_by_default(tmp_path: Path) -> None:
    SecretStore(tmp_path, passphrase=PASSPHRASE).put("log", b"secret")
    assert (tmp_path / "log.secret").read_bytes()[16] == SCRYPT_COST == 17
    assert sealed(tmp_path).get("log") == b"secret"


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    sealed(tmp_path).put("log", b"secret")
    with pytest.raises(InputError, match="doesn't open") as caught:
        sealed(tmp_path, b"wrong").get("log")
    assert "Type it again" in caught.value.advice
    with pytest.raises(InputError, match="is sealed") as caught:
        sealed(tmp_path, None).get("log")
    assert "Give the studio's passphrase" in caught.value.advice
    with pytest.raises(InputError, match="empty"):
        sealed(tmp_path, b"")


def test_a_clear_secret_isnt_taken_for_a_sealed_one(tmp_path: Path) -> None:
    sealed(tmp_path, None).put("log", b"slipped in")
    with pytest.raises(InputError, match="isn't sealed"):
        sealed(tmp_path).get("log")


def test_swapped_files_are_found(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    store.put("log", b"a")
    store.put("certificate", b"b")
    (tmp_path / "log.secret").write_bytes((tmp_path / "certificate.secret").read_bytes())
    with pytest.raises(InputError):
        store.get("log")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"noise",
        b"assent-sealed-1\n",
        b"assent-sealed-1\n" + bytes([10]) + bytes(27),
        b"assent-sealed-1\n" + bytes([40]) + bytes(60),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    """Not even a cost that would take all memory does any harm."""
    (tmp_path / "log.secret").write_bytes(content)
    with pytest.raises(IntegrityError, match="log was changed"):
        sealed(tmp_path).get("log")


def test_names(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    with pytest.raises(NotFoundError, match="no secret log"):
        store.get("log")
    for call in (lambda: store.get("../log"), lambda: store.put("../log", b"")):
        with pytest.raises(InputError):
            call()
    (tmp_path / "README").write_bytes(b"")
    assert store.names() == []


def test_it_doesnt_show_its_secrets(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    store.put("log", b"secret")
    assert "correct" not in repr(store)


def test_one_derivation_opens_all_of_a_store(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    for name in ("log", "master", "signing"):
        store.put(name, b"secret")
    again = sealed(tmp_path)
    for name in again.names():
        again.get(name)
    assert len(again._keys) == 1  # noqa: SLF001 - the cost itself is what is tested


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(7))
def test_every_step_of_put_may_fail(
    tmp_path: Path,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """After any failure the store has the older secret or the newer, whole."""
    sealed(tmp_path).put("log", b"older")
    disk = failing_disk(fail_at, cut=cut)
    try:
        SecretStore(tmp_path, passphrase=PASSPHRASE, disk=disk, cost=10).put("log", b"newer")
        failed = False
    except (StorageError, power_cut):
        failed = True
    # The steps: make folder; create, write, sync, rename, sync folder.
    assert failed == (fail_at < 6)
    assert sealed(tmp_path).get("log") == (b"newer" if fail_at >= 5 else b"older")
    assert sealed(tmp_path).names() == ["log"]
