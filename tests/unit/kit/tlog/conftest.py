"""A log to test with, and a disk that fails where it's told to."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.errors import StorageError
from assent.kit.tlog._disk import Disk
from assent.kit.tlog.note import NoteSigner


class PowerCut(BaseException):
    """The machine stops here: nothing after this step is done."""


class FailingDisk(Disk):
    """A disk whose step number `fail_at` fails.

    With `cut=False` that one step fails as a full disk does. With `cut=True` the power goes: the
    step is half done, no later step is done, files that weren't synced are empty, and new names
    that weren't synced are gone if `forget` says so.
    """

    def __init__(self, fail_at: int = -1, *, cut: bool = False, forget: bool = False) -> None:
        self.fail_at = fail_at
        self.cut = cut
        self.forget = forget
        self.steps: list[str] = []
        self.before_step: Callable[[], None] = lambda: None
        self._unsynced: set[Path] = set()
        self._renamed: list[tuple[Path, Path, bytes, bytes | None]] = []

    def _step(self, step: str) -> bool:
        """Count a step; raise or return True if it is to fail half done."""
        number = len(self.steps)
        if self.cut and number > self.fail_at >= 0:
            raise PowerCut
        self.before_step()
        self.steps.append(step)
        return number == self.fail_at

    def _fail(self, path: Path) -> None:
        if not self.cut:
            raise StorageError(f"{path}: No space left on device")
        for old, new, data, before in reversed(self._renamed if self.forget else []):
            old.write_bytes(data)
            new.unlink() if before is None else new.write_bytes(before)
        for each in self._unsynced:
            if each.exists():
                each.write_bytes(b"")
        raise PowerCut

    def make_folder(self, folder: Path) -> None:
        if self._step(f"make {folder.name}"):
            self._fail(folder)
        super().make_folder(folder)

    def write(self, path: Path, data: bytes) -> None:
        failing = self._step(f"write {path.name}")
        self._unsynced.add(path)
        super().write(path, data[: len(data) // 2] if failing else data)
        if failing:
            self._fail(path)

    def sync(self, path: Path) -> None:
        if self._step(f"sync {path.name}"):
            self._fail(path)
        # The loss of what wasn't synced is played above; waiting for a real disk adds nothing.
        self._unsynced.discard(path)
        self._renamed = [each for each in self._renamed if each[1].parent != path]

    def sync_all(self, paths: Sequence[Path]) -> None:
        for path in paths:
            self.sync(path)

    def rename(self, old: Path, new: Path) -> None:
        if self._step(f"rename {new.name}"):
            self._fail(new)
        before = new.read_bytes() if new.exists() else None
        self._renamed.append((old, new, old.read_bytes(), before))
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        if self._step(f"remove {path.name}"):
            self._fail(path)
        super().remove(path)

    def remove_folder(self, folder: Path) -> None:
        if self._step(f"remove {folder.name}"):
            self._fail(folder)
        super().remove_folder(folder)


@pytest.fixture
def failing_disk() -> type[FailingDisk]:
    return FailingDisk


@pytest.fixture
def power_cut() -> type[PowerCut]:
    return PowerCut


@pytest.fixture
def make_signer() -> Callable[..., NoteSigner]:
    def make(seed: int = 1, name: str = "assent.local/studio/test") -> NoteSigner:
        return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))

    return make


@pytest.fixture
def signer(make_signer: Callable[..., NoteSigner]) -> NoteSigner:
    return make_signer()
