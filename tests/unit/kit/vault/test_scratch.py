import io
import os
from hashlib import shake_256
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from assent.kit.disk import Disk
from assent.kit.errors import StorageError
from assent.kit.vault.scratch import SECTOR, Scratch


class FullDisk(Disk):
    """Has room for `room` bytes and puts half of what no longer fits."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.file: BinaryIO | None = None

    def scratch(self, folder: Path) -> BinaryIO:
        self.file = super().scratch(folder)
        return self.file

    def write_at(self, file: BinaryIO, offset: int, data: bytes) -> None:
        if offset + len(data) > self.room:
            super().write_at(file, offset, data[: len(data) // 2])
            raise StorageError("scratch: No space left on device")
        super().write_at(file, offset, data)

    def stored(self) -> bytes:
        """What lies on the disk."""
        assert self.file is not None
        return os.pread(self.file.fileno(), 1 << 30, 0)


OFFSETS = st.one_of(
    st.integers(0, 5 * SECTOR),
    st.builds(lambda n, d: max(0, n * SECTOR + d), st.integers(0, 5), st.integers(-2, 2)),
)
LENGTHS = st.one_of(
    st.integers(0, 100), st.sampled_from([SECTOR - 1, SECTOR, SECTOR + 1, 3 * SECTOR])
)


class AgainstAFile(RuleBasedStateMachine):
    """Whatever is done to a scratch file, it reads as a plain one does."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = Scratch(Path("/tmp"))  # noqa: S108 - nameless, and holds noise
        self.plain = io.BytesIO()
        self.writes = 0

    def teardown(self) -> None:
        self.scratch.close()

    @rule(offset=OFFSETS, length=LENGTHS)
    def write(self, offset: int, length: int) -> None:
        self.writes += 1
        data = shake_256(bytes([self.writes])).digest(length)
        for file in (self.scratch, self.plain):
            file.seek(offset)
            assert file.write(data) == length

    @rule(offset=OFFSETS, length=LENGTHS)
    def read(self, offset: int, length: int) -> None:
        self.scratch.seek(offset)
        self.plain.seek(offset)
        assert self.scratch.read(length) == self.plain.read(length)
        assert self.scratch.tell() == self.plain.tell()

    @rule(size=OFFSETS)
    def truncate(self, size: int) -> None:
        # BytesIO doesn't extend.
        self.plain.seek(0, io.SEEK_END)
        self.plain.write(bytes(max(0, size - self.plain.tell())))
        assert self.scratch.truncate(size) == self.plain.truncate(size)

    @invariant()
    def same_size(self) -> None:
        assert self.scratch.seek(0, io.SEEK_END) == self.plain.seek(0, io.SEEK_END)

    @rule()
    def read_all(self) -> None:
        self.scratch.seek(0)
        assert self.scratch.read() == self.plain.getvalue()


AgainstAFile.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestAgainstAFile = AgainstAFile.TestCase


def test_nothing_is_in_the_folder_or_in_clear(tmp_path: Path) -> None:
    disk = FullDisk(1 << 30)
    with Scratch(tmp_path, disk=disk) as file:
        file.write(b"private " * 40_000)
        assert list(tmp_path.iterdir()) == []
        assert len(disk.stored()) >= 4 * SECTOR
        assert b"private" not in disk.stored()
        # The same clear text looks different in every sector.
        stored = disk.stored()
        assert stored[:SECTOR] != stored[SECTOR : 2 * SECTOR]


def test_two_files_have_two_keys(tmp_path: Path) -> None:
    stored = []
    for _ in range(2):
        disk = FullDisk(1 << 30)
        with Scratch(tmp_path, disk=disk) as file:
            file.write(bytes(2 * SECTOR))
            stored.append(disk.stored())
    assert stored[0] != stored[1]


def test_skipped_sectors_take_no_space_and_read_as_zeros(tmp_path: Path) -> None:
    with Scratch(tmp_path) as file:
        file.seek(1 << 40)
        file.write(b"end")
        file.seek((1 << 40) - 5)
        assert file.read() == bytes(5) + b"end"
        file.seek(0)
        assert file.read(3 * SECTOR) == bytes(3 * SECTOR)


def test_seeking(tmp_path: Path) -> None:
    with Scratch(tmp_path) as file:
        assert file.readable()
        assert file.writable()
        assert file.seekable()
        file.write(b"0123456789")
        assert file.seek(-3, io.SEEK_END) == 7
        assert file.seek(-1, io.SEEK_CUR) == 6
        assert file.truncate() == 6
        assert file.read() == b""
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)
        with pytest.raises(ValueError, match="isn't negative"):
            file.truncate(-1)


def test_arrays_can_be_written_and_read_into(tmp_path: Path) -> None:
    numbers = np.arange(50_000, dtype=np.int32)
    back = np.empty_like(numbers)
    with Scratch(tmp_path) as file:
        assert file.write(numbers.data) == numbers.nbytes
        file.seek(0)
        assert file.readinto(back.data) == numbers.nbytes
    assert np.array_equal(numbers, back)


def test_a_closed_file(tmp_path: Path) -> None:
    file = Scratch(tmp_path)
    file.write(b"data")
    file.close()
    file.close()
    for call in (file.read, lambda: file.write(b"x"), lambda: file.truncate(0)):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_a_folder_that_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        Scratch(tmp_path / "missing")


@pytest.mark.parametrize("aligned", [False, True])
def test_a_full_disk(tmp_path: Path, aligned: bool) -> None:
    """What was written before is unharmed, and what failed leaves no noise."""
    disk = FullDisk(4 * SECTOR)
    before = shake_256(b"").digest(3 * SECTOR)
    with Scratch(tmp_path, disk=disk) as file:
        file.write(before)
        file.seek(4 * SECTOR + (0 if aligned else 7))
        with pytest.raises(StorageError, match="No space left"):
            file.write(bytes([1]) * 3 * SECTOR)
        disk.room = 1 << 30
        file.truncate(3 * SECTOR)
        file.seek(0)
        assert file.read() == before
        file.seek(9 * SECTOR)
        file.write(b"later")
        file.seek(3 * SECTOR)
        assert file.read() == bytes(6 * SECTOR) + b"later"


def test_a_disk_that_fails_altogether_reports_the_first_failure(tmp_path: Path) -> None:
    class Dead(FullDisk):
        def truncate(self, file: BinaryIO, size: int) -> None:
            raise StorageError("scratch: Input/output error")

    with (
        Scratch(tmp_path, disk=Dead(0)) as file,
        pytest.raises(StorageError, match="No space left"),
    ):
        file.write(bytes(3 * SECTOR))


def test_a_failed_page_can_be_put_away_later(tmp_path: Path) -> None:
    disk = FullDisk(0)
    with Scratch(tmp_path, disk=disk) as file:
        file.write(b"kept in memory")
        with pytest.raises(StorageError):
            file.write(bytes(SECTOR))
        disk.room = 1 << 30
        file.seek(2 * SECTOR)
        file.write(b"x")
        file.seek(0)
        assert file.read(14) == b"kept in memory"


def test_media_is_made_in_it(tmp_path: Path) -> None:
    with Scratch(tmp_path) as file:
        with av.open(file, mode="w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            for i in range(30):
                picture = np.full((240, 320, 3), i * 8, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        file.seek(0)
        with av.open(file, mode="r") as container:
            assert sum(1 for _ in container.decode(video=0)) == 30


@given(st.binary(min_size=1, max_size=300))
def test_it_doesnt_show_what_it_holds(data: bytes) -> None:
    with Scratch(Path("/tmp")) as file:  # noqa: S108 - nameless
        file.write(data)
        assert repr(file).startswith("<assent.kit.vault.scratch.Scratch object at")
