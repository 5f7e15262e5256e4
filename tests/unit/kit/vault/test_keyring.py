import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assent.kit.errors import (
    InputError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    StorageError,
)
from assent.kit.vault.keyring import Keyring

FailingDisk = Any


def test_a_keys_life(tmp_path: Path, master: bytes) -> None:
    ring = Keyring(tmp_path / "keys", master=master)
    assert not ring.has("ada")
    assert not ring.was_destroyed("ada")
    ring.create("ada")
    assert ring.has("ada")
    key = ring.unlock("ada")
    assert len(key) == 32
    assert Keyring(tmp_path / "keys", master=master).unlock("ada") == key
    ring.destroy("ada")
    assert not ring.has("ada")
    assert ring.was_destroyed("ada")
    with pytest.raises(NotClearedError, match="destroyed") as caught:
        ring.unlock("ada")
    assert "withdrawn" in caught.value.advice
    with pytest.raises(NotClearedError, match="destroyed"):
        ring.create("ada")


def test_keys_differ(keyring: Keyring) -> None:
    assert keyring.unlock("ada") != keyring.unlock("ben")


def test_never_existed_is_not_destroyed(keyring: Keyring) -> None:
    with pytest.raises(NotFoundError, match="cleo has no key"):
        keyring.unlock("cleo")


def test_a_key_is_made_once(keyring: Keyring) -> None:
    key = keyring.unlock("ada")
    with pytest.raises(InputError, match="already has a key"):
        keyring.create("ada")
    assert keyring.unlock("ada") == key


def test_files_are_the_owners_alone(tmp_path: Path, keyring: Keyring) -> None:
    keyring.destroy("ben")
    folder = tmp_path / "keys"
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "ada.key", "ben.gone"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_nothing_of_the_key_is_left(tmp_path: Path, keyring: Keyring) -> None:
    """The very file that held the key is overwritten, not only unlinked."""
    path = tmp_path / "keys" / "ada.key"
    held = path.read_bytes()
    with path.open("rb") as file:
        keyring.destroy("ada")
        left = file.read()
    assert len(left) == len(held)
    assert left[16:] != held[16:]
    assert (tmp_path / "keys" / "ada.gone").read_bytes() == left


def test_destroying_is_idempotent(keyring: Keyring) -> None:
    keyring.destroy("ada")
    keyring.destroy("ada")
    assert keyring.was_destroyed("ada")
    assert keyring.has("ben")


def test_an_id_without_a_key_can_be_closed(keyring: Keyring) -> None:
    keyring.destroy("cleo")
    with pytest.raises(NotClearedError):
        keyring.create("cleo")


def test_a_key_put_back_from_a_backup_stays_destroyed(tmp_path: Path, keyring: Keyring) -> None:
    path = tmp_path / "keys" / "ada.key"
    held = path.read_bytes()
    keyring.destroy("ada")
    path.write_bytes(held)
    assert not keyring.has("ada")
    with pytest.raises(NotClearedError):
        keyring.unlock("ada")
    keyring.destroy("ada")
    assert not path.exists()


def test_swapped_key_files_are_found(tmp_path: Path, keyring: Keyring) -> None:
    folder = tmp_path / "keys"
    (folder / "ada.key").write_bytes((folder / "ben.key").read_bytes())
    with pytest.raises(IntegrityError, match=r"ada\.key was changed"):
        keyring.unlock("ada")


@pytest.mark.parametrize(
    "content", [b"", b"assent-key-live\n", b"assent-key-live\nshort", b"x" * 56]
)
def test_damaged_key_files(tmp_path: Path, keyring: Keyring, content: bytes) -> None:
    (tmp_path / "keys" / "ada.key").write_bytes(content)
    with pytest.raises(IntegrityError):
        keyring.unlock("ada")


def test_another_master(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(IntegrityError, match="another master key"):
        Keyring(tmp_path / "keys", master=bytes(32)).unlock("ada")
    with pytest.raises(InputError, match="32 bytes"):
        Keyring(tmp_path / "keys", master=bytes(16))


@pytest.mark.parametrize("method", ["create", "has", "was_destroyed", "unlock", "destroy"])
def test_ids_are_checked(keyring: Keyring, method: str) -> None:
    with pytest.raises(InputError):
        getattr(keyring, method)("../ada")


def test_it_doesnt_show_its_keys(keyring: Keyring, master: bytes) -> None:
    assert master.hex() not in repr(keyring)
    assert repr(master) not in repr(vars(keyring).keys())


def test_only_one_of_many_creates(tmp_path: Path, master: bytes) -> None:
    ring = Keyring(tmp_path, master=master)
    made, refused = list[int](), list[int]()

    def work(number: int) -> None:
        try:
            ring.create("ada")
            made.append(number)
        except InputError:
            refused.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 5)


def fails(power_cut: type[BaseException], call: Callable[[], object]) -> bool:
    try:
        call()
    except (StorageError, power_cut):
        return True
    return False


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(7))
def test_every_step_of_create_may_fail(
    tmp_path: Path,
    master: bytes,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """After any failure there is no key, and it can be made, or there is a whole one."""
    disk = failing_disk(fail_at, cut=cut)
    failed = fails(power_cut, lambda: Keyring(tmp_path, master=master, disk=disk).create("ada"))
    ring = Keyring(tmp_path, master=master)
    # The steps: make folder; create, write, sync, rename, sync folder.
    assert failed == (fail_at < 6)
    assert ring.has("ada") == (fail_at >= 5)
    if not ring.has("ada"):
        ring.create("ada")
    assert len(ring.unlock("ada")) == 32


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(7))
def test_every_step_of_destroy_may_fail(
    tmp_path: Path,
    master: bytes,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    """After any failure the key works, or is gone for good; never can there be a second one."""
    Keyring(tmp_path, master=master).create("ada")
    disk = failing_disk(fail_at, cut=cut)
    failed = fails(power_cut, lambda: Keyring(tmp_path, master=master, disk=disk).destroy("ada"))
    ring = Keyring(tmp_path, master=master)
    # The steps: make folder; open, write, sync, rename, sync folder.
    assert failed == (fail_at < 6)
    assert ring.was_destroyed("ada") == (fail_at >= 2)
    if not ring.was_destroyed("ada"):
        assert len(ring.unlock("ada")) == 32
    with pytest.raises((InputError, NotClearedError)):
        ring.create("ada")
    ring.destroy("ada")
    assert ring.was_destroyed("ada")
    assert [each.name for each in tmp_path.glob("ada.*")] == ["ada.gone"]


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(8))
def test_every_step_of_closing_an_id_may_fail(
    tmp_path: Path,
    master: bytes,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    disk = failing_disk(fail_at, cut=cut)
    failed = fails(power_cut, lambda: Keyring(tmp_path, master=master, disk=disk).destroy("ada"))
    ring = Keyring(tmp_path, master=master)
    assert failed == (fail_at < 7)
    assert not ring.has("ada")
    ring.destroy("ada")
    assert ring.was_destroyed("ada")


# Wrapped anew under another master key

OTHER = bytes(32)


def test_wrapped_anew_the_keys_are_the_same(
    tmp_path: Path, keyring: Keyring, master: bytes
) -> None:
    keys = {name: keyring.unlock(name) for name in ("ada", "ben")}
    keyring.destroy("cleo")
    seen = list[tuple[str, int, int]]()
    ring = Keyring(tmp_path / "keys", master=OTHER, older=[master])
    assert ring.wrap_anew(lambda *state: seen.append(state)) == 3
    assert seen == [("wrapping keys", done, 3) for done in (1, 2, 3)]
    assert list(ring.ids()) == ["ada", "ben", "cleo"]
    newest = Keyring(tmp_path / "keys", master=OTHER)
    assert {name: newest.unlock(name) for name in keys} == keys
    assert newest.was_destroyed("cleo")


def test_who_has_the_old_master_key_is_told(
    tmp_path: Path, keyring: Keyring, master: bytes
) -> None:
    """A key made under it would be lost."""
    Keyring(tmp_path / "keys", master=OTHER, older=[master]).wrap_anew()
    for call in (lambda: keyring.unlock("ada"), lambda: keyring.create("cleo")):
        with pytest.raises(IntegrityError, match="wrapped anew meanwhile") as caught:
            call()
        assert caught.value.advice == "Run the command again."
    keyring.destroy("ada")
    assert Keyring(tmp_path / "keys", master=OTHER).was_destroyed("ada")


def test_a_key_of_neither_master(tmp_path: Path, keyring: Keyring, master: bytes) -> None:
    assert keyring.has("ada")
    with pytest.raises(IntegrityError, match="another master key"):
        Keyring(tmp_path / "keys", master=OTHER, older=[bytes(31) + b"x"]).wrap_anew()
    Keyring(tmp_path / "keys", master=OTHER, older=[master]).wrap_anew()
    with pytest.raises(InputError, match="32 bytes"):
        Keyring(tmp_path / "keys", master=master, older=[b""])


def test_a_fingerprint_tells_files_apart_and_goes_with_the_key(keyring: Keyring) -> None:
    assert len({keyring.fingerprint("ada"), keyring.fingerprint("ben")}) == 2
    keyring.destroy("ada")
    assert keyring.fingerprint("ada") is None
    assert keyring.fingerprint("nobody") is None


@pytest.mark.parametrize("cut", [False, True], ids=["error", "power cut"])
@pytest.mark.parametrize("fail_at", range(17))
def test_every_step_of_wrapping_anew_may_fail(
    tmp_path: Path,
    master: bytes,
    failing_disk: FailingDisk,
    power_cut: type[BaseException],
    fail_at: int,
    cut: bool,
) -> None:
    first = Keyring(tmp_path, master=master)
    for name in ("ada", "ben"):
        first.create(name)
    keys = {name: first.unlock(name) for name in ("ada", "ben")}
    disk = failing_disk(fail_at, cut=cut)
    failed = fails(
        power_cut,
        lambda: Keyring(tmp_path, master=OTHER, older=[master], disk=disk).wrap_anew(),
    )
    # The steps: make folder; five for the generation and for each key.
    assert failed == (fail_at < 16)
    ring = Keyring(tmp_path, master=OTHER, older=[master])
    assert {name: ring.unlock(name) for name in keys} == keys
    ring.wrap_anew()
    assert {name: Keyring(tmp_path, master=OTHER).unlock(name) for name in keys} == keys
