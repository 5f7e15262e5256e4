import io
import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from assent.kit.disk import Disk
from assent.kit.errors import IntegrityError, NotFoundError, StorageError
from assent.kit.vault.growing import PIECE, Growing

KEY = bytes(range(32))
SEALED = PIECE + 28


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def growing(path: Path, size: int, disk: Disk | None = None, context: bytes = b"7f") -> Growing:
    return Growing(path, KEY, size=size, context=context, disk=disk)


def filled(path: Path, data: bytes, context: bytes = b"7f") -> Growing:
    file = growing(path, len(data), context=context)
    for start in range(0, len(data), PIECE):
        file.append(data[start : start + PIECE])
    file.sync()
    return file


@pytest.mark.parametrize("size", [1, 1000, PIECE, PIECE + 1, 2 * PIECE, 6 * PIECE + 77])
def test_what_came_can_be_read_in_any_order(path: Path, size: int) -> None:
    data = os.urandom(size)
    file = filled(path, data)
    assert file.offset == size
    with file.open(name="clip.mp4") as reader:
        assert reader.read() == data
        assert reader.read(1) == b""
        for place in (size // 2, 0, size - 1):
            reader.seek(place)
            assert reader.read(9) == data[place : place + 9]
        assert reader.seek(-1, io.SEEK_END) == size - 1
        raw: Any = reader.raw
        raw.seek(0)
        assert raw.seek(1, io.SEEK_CUR) == 1
        with pytest.raises(ValueError, match="before the start"):
            raw.seek(-2, io.SEEK_CUR)


def test_nothing_of_it_lies_there_in_clear(path: Path) -> None:
    filled(path, b"a secret film " * 9000)
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_process_goes_on_where_it_stopped(path: Path) -> None:
    data = os.urandom(2 * PIECE + 5)
    growing(path, len(data)).append(data[:PIECE])
    again = growing(path, len(data))
    assert again.offset == PIECE
    again.append(data[PIECE : 2 * PIECE])
    growing(path, len(data)).append(data[2 * PIECE :])
    with again.open(name="x") as reader:
        assert reader.read() == data


def test_a_piece_that_was_cut_off_is_written_anew_with_another_nonce(path: Path) -> None:
    data = os.urandom(2 * PIECE)
    file = filled(path, data)
    first = path.read_bytes()
    path.write_bytes(first[: SEALED + 1000])
    assert file.offset == PIECE
    file.append(data[PIECE:])
    assert path.read_bytes()[:SEALED] == first[:SEALED]
    assert path.read_bytes()[SEALED : SEALED + 12] != first[SEALED : SEALED + 12]
    with file.open(name="x") as reader:
        assert reader.read() == data


def test_it_is_not_read_before_it_is_whole(path: Path) -> None:
    file = growing(path, PIECE + 1)
    assert file.offset == 0
    with pytest.raises(NotFoundError, match="has not arrived"):
        file.open(name="clip.mp4")
    file.append(bytes(PIECE))
    with pytest.raises(NotFoundError, match="has not arrived"):
        file.open(name="clip.mp4")
    file.remove()
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE + 1])
def test_pieces_have_one_length(path: Path, length: int) -> None:
    file = growing(path, 2 * PIECE)
    with pytest.raises(ValueError, match="was to come"):
        file.append(bytes(length))
    assert file.offset == 0


@pytest.mark.parametrize("place", [3, 12 + 9, SEALED - 1, SEALED + 40])
def test_a_changed_byte_is_seen(path: Path, place: int) -> None:
    file = filled(path, os.urandom(2 * PIECE))
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with file.open(name="clip.mp4") as reader, pytest.raises(IntegrityError, match="changed"):
        reader.read()


def test_pieces_can_not_be_swapped_nor_taken_from_elsewhere(path: Path, tmp_path: Path) -> None:
    file = filled(path, os.urandom(2 * PIECE))
    data = path.read_bytes()
    other = filled(tmp_path / "other", os.urandom(2 * PIECE), context=b"80")
    for forged in (data[SEALED:] + data[:SEALED], (tmp_path / "other").read_bytes()):
        path.write_bytes(forged)
        with file.open(name="x") as reader, pytest.raises(IntegrityError):
            reader.read()
    assert other.offset == 2 * PIECE


class FullDisk(Disk):
    """Takes half of what is written, and no more."""

    full = True

    def write_at(self, file: BinaryIO, offset: int, data: bytes) -> None:
        if self.full:
            super().write_at(file, offset, data[: len(data) // 2])
            raise StorageError("No space left on device")
        super().write_at(file, offset, data)


def test_a_full_disk_leaves_what_was_there(path: Path) -> None:
    data = os.urandom(2 * PIECE)
    growing(path, len(data)).append(data[:PIECE])
    disk = FullDisk()
    file = growing(path, len(data), disk)
    with pytest.raises(StorageError):
        file.append(data[PIECE:])
    assert path.stat().st_size == SEALED
    assert file.offset == PIECE
    disk.full = False
    file.append(data[PIECE:])
    with file.open(name="x") as reader:
        assert reader.read() == data
