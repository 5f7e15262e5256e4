"""Examining in a process apart: what a hostile file does to its decoder, it does there.

    with Examiner(Lookup(bundle="studio.trust")) as examiner:
        findings = examiner.examine(Path("clip.mp4"), name="clip.mp4")

The process may hold so much memory and take so long, and may write no file. If it dies or hangs,
that is told of the file, and the next file gets a new one. What it answers is JSON, read by a
parser that runs nothing.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from assent.kit import errors
from assent.kit.canonical import parse_object
from assent.kit.errors import AssentError, FaultError, InputError, MediaError
from assent.kit.progress import Progress, nothing

__all__ = ["Bounds", "Examiner", "Lookup"]

_CHILD = "assent.verify.examining"
_LONGEST_LINE = 24 << 20  # the codes of four hours
_CHUNK = 1 << 16
# A large log or bundle on a busy machine; it is read once, not for each file.
_STARTS_IN_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one file may take: `seconds` of time, `memory` in bytes."""

    seconds: float = 600.0
    memory: int = 6 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What findings rest on: a log's folder or a trust bundle's file, and keys.

    `vkey` is the log's key and `key_from` says where it came from; None for the one beside the log
    or in the bundle. `secret` is the studio's own second key of its marks, in hex; `policy` is the
    text of a tlog-policy that names the witnesses that are trusted. `detectors` says whether those
    that are installed are asked.
    """

    log: str | None = None
    bundle: str | None = None
    vkey: str | None = None
    key_from: str = ""
    secret: str | None = field(default=None, repr=False)
    policy: str = ""
    detectors: bool = True


class Examiner:
    """A process that examines one file after another, and is replaced when it fails."""

    def __init__(self, lookup: Lookup, *, bounds: Bounds | None = None) -> None:
        self._lookup = lookup
        self._bounds = bounds or Bounds()
        self._child: subprocess.Popen[bytes] | None = None
        self._read = b""

    def __enter__(self) -> "Examiner":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def examine(self, path: Path, *, name: str, progress: Progress = nothing) -> dict[str, Any]:
        """Return what `Findings.to_json` gives for the file at `path`, which is called `name`.

        Raises as `examine` and as opening the log does; `MediaError` if the file's decoder died,
        or took more time or memory than allowed.
        """
        return self._asked(path, name, {}, "findings", progress)

    def take_codes(self, path: Path, *, name: str, progress: Progress = nothing) -> dict[str, Any]:
        """Return what `confirming.codes_of` gives for the file; raises as `examine`."""
        return self._asked(path, name, {"codes": True}, "codes", progress)

    def confirm(self, path: Path, *, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `confirming.confirm_part` reads in a part; raises as `examine`."""
        return self._asked(path, name, {"confirm": dict(part)}, "confirmed", nothing)

    def _asked(
        self, path: Path, name: str, what: Mapping[str, Any], answer: str, progress: Progress
    ) -> dict[str, Any]:
        try:
            child = self._started()
            ends = time.monotonic() + self._bounds.seconds
            self._send(child, {"path": str(path.absolute()), "name": name, **what})
            found = self._answer(child, ends, name, progress).get(answer)
        except AssentError:
            raise
        except BaseException:
            self.stop()
            raise
        if not isinstance(found, dict):
            self.stop()
            raise _died(name)
        return found

    def start(self) -> None:
        """Start the process; raises as opening the log or the bundle does."""
        self._started()

    @property
    def pid(self) -> int | None:
        """The process that examines now; None before the first file and after a failure."""
        return None if self._child is None else self._child.pid

    def kill(self) -> None:
        """End the process; another thread that waits for its answer hears that it died."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """End the process, if there is one."""
        child, self._child, self._read = self._child, None, b""
        if child is not None:
            child.kill()
            child.communicate()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child is not None:
            return self._child
        self._child = child = subprocess.Popen(  # noqa: S603 - this Python, this package
            [sys.executable, "-P", "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._send(child, {**asdict(self._lookup), "memory": self._bounds.memory})
        try:
            self._answer(child, time.monotonic() + _STARTS_IN_S, "the log", nothing)
        except AssentError:
            # What it can't look anything up in it won't find for the next file either.
            self.stop()
            raise
        return child

    def _send(self, child: "subprocess.Popen[bytes]", value: Mapping[str, Any]) -> None:
        if child.stdin is None:
            raise FaultError("the process that examines files has no input")
        try:
            child.stdin.write(json.dumps(value).encode() + b"\n")
            child.stdin.flush()
        except BrokenPipeError:
            # It died; reading its answer tells so.
            return

    def _answer(
        self, child: "subprocess.Popen[bytes]", ends: float, name: str, progress: Progress
    ) -> dict[str, Any]:
        while True:
            line = self._line(child, ends, name)
            try:
                value = parse_object(line, name="the answer")
                said = value.get("progress")
                if isinstance(said, list):
                    stage, done, total = said
                    progress(str(stage), int(done), int(total))
                    continue
            except (ValueError, TypeError, InputError) as error:
                self.stop()
                raise _died(name) from error
            if "error" in value:
                raise _error_of(value)
            return value

    def _line(self, child: "subprocess.Popen[bytes]", ends: float, name: str) -> bytes:
        """Return the next line that the process writes; `MediaError` if none comes in time."""
        if child.stdout is None:
            raise FaultError("the process that examines files has no output")
        while b"\n" not in self._read:
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                self.stop()
                raise MediaError(
                    f"{name} took longer than {self._bounds.seconds:.0f} s to examine",
                    advice="Allow it more time with --timeout, or cut the file.",
                )
            chunk = os.read(child.stdout.fileno(), _CHUNK)
            if not chunk or len(self._read) > _LONGEST_LINE:
                self.stop()
                raise _died(name)
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return line


def _environment() -> dict[str, str]:
    """Return where the process finds Python's parts, and nothing that is the user's."""
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "OMP_NUM_THREADS")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _died(name: str) -> MediaError:
    return MediaError(
        f"{name} can't be examined: its decoder failed, or needed more memory than it may",
        advice="The file may be damaged, or made to do harm. Don't open it elsewhere.",
    )


def _error_of(value: Mapping[str, Any]) -> AssentError:
    """Return the error that the process met, as one of the same class."""
    kinds: dict[str, Callable[..., AssentError]] = {
        name: getattr(errors, name) for name in errors.__all__
    }
    made = kinds.get(str(value["error"]), FaultError)
    return made(str(value.get("message")), advice=str(value.get("advice")))
