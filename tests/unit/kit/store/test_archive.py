import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.errors import IntegrityError
from assent.kit.store.archive import END, Unpacker, frame


class Kept:
    """Keeps members in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.closed: list[str] = []

    def begin(self, name: str, size: int) -> "Part":
        self.files[name] = bytearray()
        return Part(self, name)


class Part:
    def __init__(self, kept: Kept, name: str) -> None:
        self.kept, self.name = kept, name

    def write(self, data: bytes) -> None:
        self.kept.files[self.name] += data

    def close(self) -> None:
        self.kept.closed.append(self.name)


def archive(files: dict[str, bytes]) -> bytes:
    framed = [frame(name, len(data), [data]) for name, data in files.items()]
    return b"".join([*(piece for part in framed for piece in part), *END])


FILES = {"a": b"", "folder/b": b"x" * 512, "c": b"y" * 1300}


@given(st.integers(1, 4000))
def test_taken_apart_in_pieces_of_any_size(step: int) -> None:
    kept, data = Kept(), archive(FILES)
    unpacker = Unpacker(kept.begin)
    for start in range(0, len(data), step):
        unpacker.feed(data[start : start + step])
    assert unpacker.complete
    assert kept.files == FILES
    assert kept.closed == list(FILES)


def test_tar_reads_it_too() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(FILES))) as tar:
        assert tar.getnames() == list(FILES)
        part = tar.extractfile("c")
        assert part is not None
        assert part.read() == FILES["c"]


def test_a_file_that_changes_its_length_meanwhile() -> None:
    with pytest.raises(IntegrityError, match="a changed while it was read"):
        list(frame("a", 3, [b"four"]))


def test_nothing_counts_after_the_end() -> None:
    kept = Kept()
    unpacker = Unpacker(kept.begin)
    unpacker.feed(archive({"a": b"1"}) + archive({"b": b"2"}))
    assert list(kept.files) == ["a"]


def test_cut_off_it_isnt_complete() -> None:
    unpacker = Unpacker(Kept().begin)
    unpacker.feed(archive(FILES)[:-1024])
    assert not unpacker.complete


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE,
             tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE]
)  # fmt: skip
def test_only_plain_files(kind: bytes) -> None:
    info = tarfile.TarInfo("a")
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(IntegrityError, match="no plain file"):
        Unpacker(Kept().begin).feed(info.tobuf(tarfile.GNU_FORMAT))


@pytest.mark.parametrize("block", [b"x" * 512, b"\xff" * 512])
def test_what_is_no_archive(block: bytes) -> None:
    with pytest.raises(IntegrityError, match="not in the form"):
        Unpacker(Kept().begin).feed(block)
