import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from casts import clear_traces
from studios import Scene

from assent.apps.work.uploads import Limits, Upload, Uploads
from assent.kit.disk import Disk
from assent.kit.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    NotFoundError,
    StorageError,
)
from assent.kit.jobs.queue import Queue
from assent.kit.vault.growing import PIECE


@pytest.fixture
def uploads(scene: Scene) -> Uploads:
    return Uploads(scene.studio)


def send(uploads: Uploads, data: bytes, *, upto: int | None = None, step: int = 70_000) -> Upload:
    upload = uploads.create("scene.mp4", size=len(data))
    go_on(uploads, upload.id, data[:upto], step=step)
    return uploads.find(upload.id)


def go_on(uploads: Uploads, upload_id: str, data: bytes, step: int = 70_000) -> None:
    offset = uploads.find(upload_id).offset
    with uploads.receive(upload_id, offset=offset) as receiver:
        for start in range(offset, len(data), step):
            receiver.write(data[start : start + step])


def read(uploads: Uploads, upload: Upload) -> bytes:
    with uploads.file(upload.id).open() as file:
        return file.read()


def test_what_was_sent_is_there_and_nowhere_in_clear(uploads: Uploads, scene: Scene) -> None:
    data = os.urandom(2 * PIECE + 99)
    upload = send(uploads, data)
    assert (upload.complete, upload.offset, upload.name) == (True, len(data), "scene.mp4")
    assert read(uploads, upload) == data
    assert uploads.file(upload.id).check() == hashlib.sha256(data).hexdigest()
    assert clear_traces(scene.studio.folder, data) == []


def test_after_a_cut_it_goes_on_at_the_last_whole_piece_in_another_process(
    uploads: Uploads, scene: Scene
) -> None:
    data = os.urandom(3 * PIECE + 5)
    upload = send(uploads, data, upto=PIECE + 500_000)
    assert (upload.offset, upload.complete) == (PIECE, False)
    with pytest.raises(NotFoundError, match="has not arrived"):
        uploads.file(upload.id)
    again = Uploads(scene.reopened())
    go_on(again, upload.id, data)
    assert read(again, upload) == data


def test_a_connection_that_fails_keeps_what_came(uploads: Uploads) -> None:
    upload = uploads.create("a.mp4", size=4 * PIECE)

    def cut() -> None:
        with uploads.receive(upload.id, offset=0) as receiver:
            receiver.write(bytes(2 * PIECE + 17))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        cut()
    assert uploads.find(upload.id).offset == 2 * PIECE


def test_only_from_where_it_stopped_and_by_one_at_a_time(uploads: Uploads) -> None:
    upload = uploads.create("a.mp4", size=3 * PIECE)
    with pytest.raises(ConflictError, match="goes on at byte 0"):
        uploads.receive(upload.id, offset=PIECE).__enter__()
    with uploads.receive(upload.id, offset=0), pytest.raises(ConflictError, match="already"):
        uploads.receive(upload.id, offset=0).__enter__()


def test_more_than_was_announced_is_refused(uploads: Uploads) -> None:
    upload = uploads.create("a.mp4", size=10)
    with pytest.raises(InputError, match="than was announced"):
        go_on(uploads, upload.id, bytes(11))
    assert uploads.find(upload.id).offset == 0


def test_another_file_than_announced_is_told(uploads: Uploads) -> None:
    upload = uploads.create("a.mp4", size=4, sha256=hashlib.sha256(b"film").hexdigest().upper())
    go_on(uploads, upload.id, b"fake")
    with pytest.raises(IntegrityError, match="not the file"):
        uploads.file(upload.id).check()


@pytest.mark.parametrize("size", [0, -1, 65 << 30])
def test_sizes_that_can_not_be(uploads: Uploads, size: int) -> None:
    with pytest.raises(InputError, match="can't be taken"):
        uploads.create("a.mp4", size=size)


@pytest.mark.parametrize("name", ["", " ", "a/b.mp4", "../x", "a\nb", "x" * 201, "\x1b[31m"])
def test_names_that_can_not_be(uploads: Uploads, name: str) -> None:
    with pytest.raises(InputError, match="needs a name"):
        uploads.create(name, size=1)


@pytest.mark.parametrize("digest", ["ab", "z" * 64])
def test_digests_that_can_not_be(uploads: Uploads, digest: str) -> None:
    with pytest.raises(InputError, match="no SHA-256"):
        uploads.create("a", size=1, sha256=digest)


def test_not_more_than_may_lie_there(scene: Scene) -> None:
    few = Uploads(scene.studio, Limits(each=2, all=3))
    for _ in range(2):
        few.create("a", size=1, account="kim")
    with pytest.raises(ConflictError, match="too many files"):
        few.create("a", size=1, account="kim")
    few.create("a", size=1, account="lee")
    with pytest.raises(ConflictError, match="too many files"):
        few.create("a", size=1, account="max")


class SmallDisk(Disk):
    """A disk with little room, which fills while something is written if told so."""

    room = 10 << 20
    full = False

    def free(self, folder: Path) -> int:
        return self.room

    def write_at(self, file: BinaryIO, offset: int, data: bytes) -> None:
        if self.full:
            super().write_at(file, offset, data[:100])
            raise StorageError("No space left on device")
        super().write_at(file, offset, data)


def test_what_will_not_fit_is_refused_before_it_comes(scene: Scene) -> None:
    studio = scene.reopened(SmallDisk())
    uploads = Uploads(studio, Limits(spare=2 << 20))
    first = uploads.create("a", size=5 << 20)
    # What is still to come of the first is counted.
    with pytest.raises(StorageError, match="no room"):
        uploads.create("b", size=4 << 20)
    uploads.discard(first.id)
    uploads.create("b", size=4 << 20)


def test_a_disk_that_is_full_meanwhile_loses_nothing(scene: Scene) -> None:
    disk = SmallDisk()
    disk.room = 1 << 40
    uploads, data = Uploads(scene.reopened(disk)), os.urandom(3 * PIECE)
    upload = send(uploads, data, upto=PIECE)
    disk.full = True
    with pytest.raises(StorageError):
        go_on(uploads, upload.id, data)
    assert uploads.find(upload.id).offset == PIECE
    disk.full = False
    go_on(uploads, upload.id, data)
    assert read(uploads, upload) == data


def test_what_is_discarded_is_gone_with_its_key(uploads: Uploads, scene: Scene) -> None:
    upload = send(uploads, b"film")
    assert f"upload-{upload.id}" in scene.studio.secrets.names()
    uploads.discard(upload.id)
    uploads.discard(upload.id)
    assert f"upload-{upload.id}" not in scene.studio.secrets.names()
    assert list(uploads.folder.iterdir()) == []
    with pytest.raises(NotFoundError):
        uploads.find(upload.id)


def test_what_nobody_came_for_goes_after_a_day(uploads: Uploads, scene: Scene) -> None:
    old, sending = uploads.create("old", size=9), uploads.create("sending", size=9)
    scene.clock.now += timedelta(hours=23)
    kept = uploads.create("kept", size=9)
    uploads.keep(kept.id)
    scene.clock.now += timedelta(hours=2)
    with uploads.receive(sending.id, offset=0):
        assert uploads.sweep() == 1
    assert {each.id for each in uploads.list()} == {kept.id, sending.id}
    with pytest.raises(NotFoundError, match="no such upload"):
        uploads.find(old.id)


def test_what_a_job_waits_for_stays_however_long(uploads: Uploads, scene: Scene) -> None:
    queue = Queue(scene.studio.database, scene.clock)
    upload = send(uploads, b"film")
    job = queue.put("ingest", scene.purpose.project_id, {"upload": upload.id})
    queue.pause(job.id)
    scene.clock.now += timedelta(hours=25)
    assert uploads.sweep() == 0
    assert read(uploads, upload) == b"film"
    queue.cancel(job.id)
    assert uploads.sweep() == 1


def test_uploads_of_a_project_are_listed(uploads: Uploads, scene: Scene) -> None:
    own = uploads.create("a", size=1, project_id=scene.purpose.project_id)
    uploads.create("b", size=1)
    assert [each.id for each in uploads.list(scene.purpose.project_id)] == [own.id]
    assert len(uploads.list()) == 2


LARGE = """
import resource, sys
from pathlib import Path
from assent.apps.work.uploads import Uploads
from assent.kit.store.studio import open_studio
uploads = Uploads(open_studio(Path(sys.argv[1])))
upload_id, upto = sys.argv[2], int(sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
block = bytes(1 << 18)
offset = uploads.find(upload_id).offset
with uploads.receive(upload_id, offset=offset) as receiver:
    while offset < upto:
        part = block[: min(len(block), upto - offset)]
        receiver.write(part)
        offset += len(part)
if uploads.find(upload_id).complete:
    uploads.file(upload_id).check()
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_two_gibibytes_cut_and_resumed_take_no_more_memory_than_two_mebibytes(
    scene: Scene,
) -> None:
    size = 2 << 30
    upload = Uploads(scene.studio).create("long.mp4", size=size)
    for upto in (700_000_000, size):
        done = subprocess.run(
            [sys.executable, "-c", LARGE, str(scene.studio.folder), upload.id, str(upto)],
            check=True,
            capture_output=True,
            text=True,
        )
        before, after = map(int, done.stdout.split())
        # ru_maxrss is in KiB: a few pieces and what encryption takes.
        assert after - before < 48 << 10
    assert Uploads(scene.studio).find(upload.id).complete
