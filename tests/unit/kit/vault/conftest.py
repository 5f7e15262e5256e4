"""Keys to test with, and a disk that fails where it's told to."""

from pathlib import Path
from typing import BinaryIO

import pytest

from assent.kit.disk import Disk
from assent.kit.errors import StorageError
from assent.kit.vault.keyring import Keyring

MASTER = bytes(range(32))


class PowerCut(BaseException):
    """The machine stops here: nothing after this step is done."""


class FailingDisk(Disk):
    """A disk whose step number `fail_at` fails.

    With `cut=False` that one step fails as a full disk does. With `cut=True` the power goes: the
    step is half done, no later step is done, and new files that weren't synced are empty.
    """

    def __init__(self, fail_at: int = -1, *, cut: bool = False) -> None:
        self.fail_at = fail_at
        self.cut = cut
        self.steps: list[str] = []
        self._unsynced: set[Path] = set()

    def _step(self, step: str) -> bool:
        """Count a step; raise or return True if it is to fail half done."""
        self.steps.append(step)
        number = len(self.steps) - 1
        if self.cut and number > self.fail_at >= 0:
            raise PowerCut
        return number == self.fail_at

    def _fail(self, path: Path) -> None:
        if not self.cut:
            raise StorageError(f"{path}: No space left on device")
        for each in self._unsynced:
            if each.exists():
                each.write_bytes(b"")
        raise PowerCut

    def make_folder(self, folder: Path) -> None:
        if self._step("make folder"):
            self._fail(folder)
        super().make_folder(folder)

    def writer(self, path: Path) -> BinaryIO:
        if self._step("create"):
            self._fail(path)
        self._unsynced.add(path)
        return super().writer(path)

    def patcher(self, path: Path) -> BinaryIO:
        if self._step("patch"):
            self._fail(path)
        return super().patcher(path)

    def write(self, file: BinaryIO, data: bytes | memoryview) -> None:
        failing = self._step("write")
        super().write(file, data[: len(data) // 2] if failing else data)
        if failing:
            self._fail(Path(file.name))

    def sync(self, file: BinaryIO) -> None:
        if self._step("sync"):
            self._fail(Path(file.name))
        # The loss of what wasn't synced is played above; waiting for a real disk adds nothing.
        self._unsynced.discard(Path(file.name))

    def sync_folder(self, folder: Path) -> None:
        if self._step("sync folder"):
            self._fail(folder)

    def rename(self, old: Path, new: Path) -> None:
        if self._step("rename"):
            self._fail(new)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        if self._step("remove"):
            self._fail(path)
        super().remove(path)


@pytest.fixture
def failing_disk() -> type[FailingDisk]:
    return FailingDisk


@pytest.fixture
def power_cut() -> type[PowerCut]:
    return PowerCut


@pytest.fixture
def master() -> bytes:
    return MASTER


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """A keyring with keys of ada and ben."""
    ring = Keyring(tmp_path / "keys", master=MASTER)
    ring.create("ada")
    ring.create("ben")
    return ring
