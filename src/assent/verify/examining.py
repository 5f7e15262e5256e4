"""The process that `apart` starts: reads what to examine from its input, writes findings as JSON.

What is asked for instead of findings: a file's `codes`, or to `confirm` a part by its watermark.

    python -m assent.verify.examining

Before it opens anything it gives up the right to write files and to hold more memory than it was
told. One line in, one line out, until its input ends.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from assent.kit.clock import system
from assent.kit.errors import AssentError, NotFoundError, StorageError
from assent.kit.tlog.policy import Policy
from assent.kit.watermark.key import SecretKey
from assent.verify.bundle import LARGEST, open_bundle
from assent.verify.confirming import codes_of, confirm_part
from assent.verify.detectors import installed_detectors
from assent.verify.examine import examine
from assent.verify.public import PublicLog, open_log
from assent.verify.second_opinion import SecondOpinion

__all__ = ["main", "open_lookup"]

_PROGRESS_EVERY_S = 0.2
_OPEN_FILES = 128


def main() -> None:
    """Answer each line of the input."""
    # What libraries print must not reach who reads the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines = sys.stdin.buffer
    lookup = json.loads(lines.readline())
    _give_up(int(lookup["memory"]))
    try:
        log = open_lookup(lookup)
        policy = Policy.parse(lookup["policy"]) if lookup["policy"] else Policy()
        detectors = [SecondOpinion(), *installed_detectors()] if lookup["detectors"] else []
    except AssentError as error:
        _say(answers, _told(error))
        return
    _say(answers, {"ready": True})
    options: dict[str, Any] = {"policy": policy, "detectors": detectors}
    if lookup["secret"]:
        options["secret"] = SecretKey.from_bytes(bytes.fromhex(lookup["secret"]))
    for line in lines:
        _say(answers, _examined(json.loads(line), log, options, answers))


def open_lookup(lookup: dict[str, Any]) -> PublicLog:
    """Open the log or the trust bundle that a `Lookup` names; raises as these do."""
    keys: dict[str, str] = {}
    if lookup["vkey"]:
        keys = {"vkey": lookup["vkey"], "key_from": lookup["key_from"]}
    if lookup["log"]:
        return open_log(Path(lookup["log"]), **keys)
    return open_bundle(_read(Path(lookup["bundle"])), now=system(), **keys)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no trust bundle {path}", advice="Check the path.") from error
    except OSError as error:
        raise StorageError(f"{path} can't be read: {error.strerror}") from error


def _examined(
    asked: dict[str, Any], log: PublicLog, options: dict[str, Any], answers: BinaryIO
) -> dict[str, Any]:
    said = 0.0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > _PROGRESS_EVERY_S or done == total:
            said = time.monotonic()
            _say(answers, {"progress": [stage, done, total]})

    path, name = Path(asked["path"]), asked["name"]
    try:
        if "confirm" in asked:
            return {"confirmed": confirm_part(path, log, name=name, part=asked["confirm"])}
        if "codes" in asked:
            return {"codes": codes_of(path, name=name, progress=progress)}
        found = examine(path, log, name=name, progress=progress, **options)
    except AssentError as error:
        return _told(error)
    except MemoryError:
        return {
            "error": "MediaError",
            "message": f"{asked['name']} needs more memory than it may",
            "advice": "The file may be made to do harm. Don't open it elsewhere.",
        }
    return {"findings": found.to_json()}


def _told(error: AssentError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error), "advice": error.advice}


def _give_up(memory: int) -> None:
    """Give up what a decoder has no use for: files to write, cores to dump, memory without end."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # Who presses Ctrl-C means the command, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_DATA, memory),
    ):
        resource.setrlimit(kind, (most, most))


def _say(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
