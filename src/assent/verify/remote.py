"""A file at an address: fetched by the guarded door into a file without a name, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from assent.kit.disk import Disk
from assent.kit.errors import FetchError, InputError
from assent.kit.fetch.fetch import fetch
from assent.kit.fetch.wire import Fetch, Limits
from assent.kit.progress import Progress, nothing
from assent.verify.bundle import LARGEST
from assent.verify.findings import plain

__all__ = ["fetched", "fetched_bundle", "name_in"]

_MEDIA = Limits(size=4 << 30, seconds=1800.0, silence=20.0, slowest=20_000.0, redirects=5)
_BUNDLE = Limits(size=LARGEST, seconds=120.0, silence=20.0, redirects=3)
_OK = 200


class _Counted:
    """Passes on what is written and tells how much there is by now, in megabytes."""

    def __init__(self, sink: BinaryIO, progress: Progress) -> None:
        self._sink, self._progress, self._done = sink, progress, 0

    def write(self, data: bytes) -> int:
        written = self._sink.write(data)
        self._done += written
        self._progress("fetching (MB)", self._done >> 20, 0)
        return written


@contextmanager
def fetched(
    url: str, *, own: bool = False, progress: Progress = nothing, how: Fetch | None = None
) -> Iterator[Path]:
    """Fetch `url` and yield a path that leads to its bytes until the block ends.

    The file never has a name, so that a process that is killed leaves nothing. Raises as `fetch`,
    and `FetchError` for an answer that isn't the file.
    """
    with Disk().scratch(Path(tempfile.gettempdir())) as file:
        sink: BinaryIO = _Counted(file, progress)  # type: ignore[assignment]
        answer = fetch(url, sink, own=own, how=how, limits=how.limits if how else _MEDIA)
        if answer.status != _OK:
            raise FetchError(f"{urlsplit(url).hostname} answers {answer.status}")
        # By way of this process, so that the one that examines can open it too.
        yield Path(f"/proc/{_own_id()}/fd/{file.fileno()}")


@contextmanager
def fetched_bundle(url: str, *, own: bool = False) -> Iterator[Path]:
    """Fetch the trust bundle at `url`; yields and raises as `fetched`."""
    with fetched(url, own=own, how=Fetch(limits=_BUNDLE)) as path:
        yield path


def name_in(url: str) -> str:
    """Return what to call the file at `url`: the last part of its path, or its host."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError("the address can't be read", advice="Copy it again.") from error
    return plain(unquote(parts.path.rsplit("/", 1)[-1])) or plain(parts.hostname or url)


def _own_id() -> str:
    return Path("/proc/self").readlink().name
