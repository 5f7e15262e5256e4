import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.kit.errors import InputError, IntegrityError, NotFoundError, StorageError
from assent.kit.vault.guard import Cost, Guard, Passphrase, Unguarded
from assent.kit.vault.secrets import SecretStore

FailingDisk = Any
PASSPHRASE = b"correct horse battery staple"
CHEAP = Cost(mebibytes=8, passes=1, lanes=1)


def guarded(passphrase: bytes = PASSPHRASE) -> Guard:
    return Passphrase(passphrase, cost=CHEAP)


def sealed(folder: Path, passphrase: bytes = PASSPHRASE) -> SecretStore:
    """A store with a passphrase that is cheap to derive from."""
    return SecretStore(folder, guard=guarded(passphrase))


@pytest.mark.parametrize("guard", [guarded(), Unguarded(), None])
def test_put_and_get(tmp_path: Path, guard: Guard | None) -> None:
    folder = tmp_path / "secrets"
    store = SecretStore(folder, guard=guard)
    assert store.names() == []
    store.put("log", b"key of the log")
    store.put("master", b"")
    store.put("log", b"newer key of the log")
    assert store.protected == isinstance(guard, Passphrase)
    again = SecretStore(folder, guard=guard)
    assert again.get("log") == b"newer key of the log"
    assert again.get("master") == b""
    assert again.names() == ["log", "master"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert not any(b"key of" in each.read_bytes() for each in folder.iterdir())
    again.forget("log")
    again.forget("log")
    assert store.names() == ["master"]


def test_the_layout_is_that_of_the_specification(tmp_path: Path) -> None:
    """Opened by hand."""
    SecretStore(tmp_path).put("log", b"secret")
    root = (tmp_path / "root.key").read_bytes().removeprefix(b"assent-root-clear-1\n")
    data = (tmp_path / "log.secret").read_bytes()
    mark, nonce, rest = data[:16], data[16:28], data[28:]
    assert mark == b"assent-secret-2\n"
    assert AESGCM(root).decrypt(nonce, rest, mark + b"log") == b"secret"


def test_a_wrong_guard(tmp_path: Path) -> None:
    sealed(tmp_path).put("log", b"secret")
    with pytest.raises(InputError, match="doesn't open"):
        sealed(tmp_path, b"wrong").get("log")
    with pytest.raises(InputError, match="kept by a passphrase") as caught:
        SecretStore(tmp_path).get("log")
    assert "Give the studio's passphrase" in caught.value.advice
    with pytest.raises(InputError, match="kept by a passphrase"):
        SecretStore(tmp_path).put("another", b"secret")


def test_a_clear_root_isnt_taken_for_a_sealed_one(tmp_path: Path) -> None:
    """Who can write the folder could slip in a root key and secrets of their own."""
    SecretStore(tmp_path).put("log", b"slipped in")
    with pytest.raises(InputError, match="kept by nothing but the rights of its file"):
        sealed(tmp_path).get("log")


def test_swapped_files_are_found(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    store.put("log", b"a")
    store.put("certificate", b"b")
    (tmp_path / "log.secret").write_bytes((tmp_path / "certificate.secret").read_bytes())
    with pytest.raises(IntegrityError, match="secret log was changed, or is under another root"):
        store.get("log")


@pytest.mark.parametrize(
    "content", [b"", b"noise", b"assent-secret-2\n", b"assent-secret-2\n" + bytes(40)]
)
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    sealed(tmp_path).put("log", b"secret")
    (tmp_path / "log.secret").write_bytes(content)
    with pytest.raises(IntegrityError, match="log was changed"):
        sealed(tmp_path).get("log")


def test_a_root_key_that_is_gone(tmp_path: Path) -> None:
    """It isn't made anew: that would pass for a store in which everything was changed."""
    sealed(tmp_path).put("log", b"secret")
    (tmp_path / "root.key").unlink()
    for call in (
        lambda: sealed(tmp_path).get("log"),
        lambda: sealed(tmp_path).put("log", b""),
        lambda: sealed(tmp_path).rotate(),
    ):
        with pytest.raises(IntegrityError, match="root key is gone"):
            call()


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


class Counting(Passphrase):
    """Counts how often it was asked."""

    asked = 0

    def open(self, data: bytes) -> bytes:
        self.asked += 1
        return super().open(data)


def test_one_derivation_opens_all_of_a_store(tmp_path: Path) -> None:
    store = sealed(tmp_path)
    for name in ("log", "master", "signing"):
        store.put(name, b"secret")
    guard = Counting(PASSPHRASE)
    again = SecretStore(tmp_path, guard=guard)
    for name in again.names():
        again.get(name)
    assert guard.asked == 1


# Other root keys, other guards


def test_after_a_rotation_nothing_opens_under_the_old_root(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    store.put("log", b"secret")
    old = (tmp_path / "root.key").read_bytes()
    with (tmp_path / "root.key").open("rb") as held:
        store.rotate()
        left = held.read()
    assert len(left) == len(old)
    assert old[-32:] not in left
    assert store.get("log") == SecretStore(tmp_path).get("log") == b"secret"
    store.put("master", b"new")
    assert SecretStore(tmp_path).get("master") == b"new"
    root = old.removeprefix(b"assent-root-clear-1\n")
    for name in ("log", "master"):
        data = (tmp_path / f"{name}.secret").read_bytes()
        with pytest.raises(InvalidTag):
            AESGCM(root).decrypt(data[16:28], data[28:], data[:16] + name.encode())


def test_a_store_that_was_open_meanwhile_goes_on(tmp_path: Path) -> None:
    mine, other = sealed(tmp_path), sealed(tmp_path)
    mine.put("log", b"secret")
    assert other.get("log") == b"secret"
    mine.rotate()
    assert other.get("log") == b"secret"
    other.put("late", b"under the new root")
    assert mine.get("late") == b"under the new root"


def test_another_guard(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    store.put("log", b"secret")
    old = (tmp_path / "root.key").read_bytes()
    with (tmp_path / "root.key").open("rb") as held:
        store.guard_anew(guarded())
        assert old[-32:] not in held.read()
    assert store.protected
    assert store.get("log") == sealed(tmp_path).get("log") == b"secret"
    with pytest.raises(InputError):
        SecretStore(tmp_path).get("log")
    sealed(tmp_path).guard_anew(guarded(b"another one"))
    assert sealed(tmp_path, b"another one").get("log") == b"secret"


def test_no_other_guard_in_the_middle_of_a_rotation(
    tmp_path: Path, failing_disk: FailingDisk, power_cut: type[BaseException]
) -> None:
    SecretStore(tmp_path).put("log", b"secret")
    with pytest.raises(power_cut):
        SecretStore(tmp_path, disk=failing_disk(8, cut=True)).rotate()
    with pytest.raises(IntegrityError, match="is being replaced") as caught:
        SecretStore(tmp_path).guard_anew(guarded())
    assert "assent vault rotate" in caught.value.advice
    SecretStore(tmp_path).rotate()
    SecretStore(tmp_path).guard_anew(guarded())
    assert sealed(tmp_path).get("log") == b"secret"


def interrupted(call: Callable[[], object], power_cut: type[BaseException]) -> bool:
    try:
        call()
    except (StorageError, power_cut):
        return True
    return False


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
    store = SecretStore
    disk = failing_disk(fail_at, cut=cut)
    failed = interrupted(
        lambda: store(tmp_path, guard=guarded(), disk=disk).put("log", b"newer"), power_cut
    )
    # The steps: make folder; create, write, sync, rename, sync folder.
    assert failed == (fail_at < 6)
    assert sealed(tmp_path).get("log") == (b"newer" if fail_at >= 5 else b"older")
    assert sealed(tmp_path).names() == ["log"]


# make folder; new root: 5 steps; two secrets: 5 each; overwrite 3, rename, sync folder.
ROTATING = 1 + 5 + 10 + 5


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(ROTATING + 1))
def test_every_step_of_a_rotation_may_fail(
    tmp_path: Path,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """After any failure every secret opens and can be replaced, and the rotation finishes."""
    store = SecretStore(tmp_path)
    store.put("log", b"a")
    store.put("master", b"b")
    old = (tmp_path / "root.key").read_bytes()
    disk = failing_disk(fail_at, cut=cut)
    failed = interrupted(lambda: SecretStore(tmp_path, disk=disk).rotate(), power_cut)
    assert failed == (fail_at < ROTATING)
    again = SecretStore(tmp_path)
    assert (again.get("log"), again.get("master")) == (b"a", b"b")
    again.put("log", b"c")
    SecretStore(tmp_path).rotate()
    last = SecretStore(tmp_path)
    assert (last.get("log"), last.get("master")) == (b"c", b"b")
    assert (tmp_path / "root.key").read_bytes() != old
    assert not (tmp_path / "root.next").exists()


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(12))
def test_every_step_of_changing_the_guard_may_fail(
    tmp_path: Path,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """One of the two guards opens it, and with that one it can be done again."""
    SecretStore(tmp_path).put("log", b"a")
    disk = failing_disk(fail_at, cut=cut)
    failed = interrupted(lambda: SecretStore(tmp_path, disk=disk).guard_anew(guarded()), power_cut)
    # The steps: make folder; new file 5; overwrite 3, rename, sync folder.
    assert failed == (fail_at < 11)
    opening = [guard for guard in (Unguarded(), guarded()) if opens(tmp_path, guard)]
    assert len(opening) == 1
    store = SecretStore(tmp_path, guard=opening[0])
    assert store.get("log") == b"a"
    store.guard_anew(guarded())
    assert sealed(tmp_path).get("log") == b"a"


def opens(folder: Path, guard: Guard) -> bool:
    try:
        return SecretStore(folder, guard=guard).get("log") == b"a"
    except InputError:
        return False
