"""The spoken disclosure, made by the `espeak-ng` program where it is installed.

    spoken = speak("This video was modified with AI.", language="en")
    if spoken is not None:
        print(spoken.samples.shape, spoken.rate)

Nothing is written to disk: the program's WAV is read from its output.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import BriefError, FaultError

__all__ = ["Speech", "find_speaker", "speak"]

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", re.IGNORECASE)
_LONGEST = 500
_SLOWEST, _FASTEST = 80, 450
_SECONDS = 60
_PCM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Mono speech: `samples` float32 `[n]`, -1..1, `rate` a second."""

    samples: NDArray[np.float32]
    rate: int


def find_speaker() -> str | None:
    """Return the path of the espeak-ng program, None where it isn't installed."""
    return shutil.which("espeak-ng")


def speak(
    text: str, *, language: str = "en", rate: int = 160, program: str | None = None
) -> Speech | None:
    """Return `text` spoken in `language` at `rate` words a minute, None without the program.

    `language` is a BCP 47 tag such as "en" or "pt-br"; `program` the path of espeak-ng, found
    on the PATH by default. Raises BriefError for a text that is empty, longer than 500
    characters or not printable, for a tag that is none or that the program doesn't speak, and
    for a rate outside 80..450; FaultError when the program fails otherwise.
    """
    _check(text, language, rate)
    found = program or find_speaker()
    if found is None:
        return None
    # "--" ends the options, so that no text is taken for one.
    command = [found, "--stdout", "-v", language, "-s", str(rate), "--", text]
    try:
        result = subprocess.run(  # noqa: S603 # fixed program, no shell, text checked above
            command, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FaultError(f"the notice could not be spoken: {error}") from error
    if result.returncode != 0:
        _refuse(result.stderr.decode("utf-8", "replace").strip(), language)
    return _parse_wav(result.stdout)


def _check(text: str, language: str, rate: int) -> None:
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST:
        raise BriefError(
            "the spoken notice is empty, too long or not printable",
            advice="Give one line of at most 500 characters.",
        )
    if not _LANGUAGE.fullmatch(language):
        raise BriefError(f"{language!r} is no language tag", advice="Write it like en or pt-br.")
    if not _SLOWEST <= rate <= _FASTEST:
        raise BriefError(f"a notice can't be spoken at {rate} words a minute; take 80 to 450")


def _refuse(reason: str, language: str) -> None:
    if "voice does not exist" in reason:
        raise BriefError(
            f"espeak-ng speaks no {language!r}",
            advice="List the languages with `espeak-ng --voices`.",
        )
    raise FaultError(f"the notice could not be spoken: {reason or 'no reason given'}")


def _parse_wav(data: bytes) -> Speech:
    """Return the 16-bit mono PCM in `data`, whose lengths a streaming writer may leave wrong."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise FaultError("the speech program's output is not WAV")
    rate, place = 0, 12
    while place + 8 <= len(data):
        name, length = (
            data[place : place + 4],
            int.from_bytes(data[place + 4 : place + 8], "little"),
        )
        body = data[place + 8 : place + 8 + length]
        if name == b"fmt ":
            rate = _read_format(body)
        if name == b"data":
            return _to_speech(body, rate)
        place += 8 + length + length % 2
    raise FaultError("the speech program's output holds no sound")


def _read_format(body: bytes) -> int:
    coding, channels = (int.from_bytes(body[i : i + 2], "little") for i in (0, 2))
    bits = int.from_bytes(body[14:16], "little")
    if (coding, channels, bits) != (_PCM, 1, 16):
        raise FaultError("the speech program's output is not 16-bit mono PCM")
    return int.from_bytes(body[4:8], "little")


def _to_speech(body: bytes, rate: int) -> Speech:
    samples = np.frombuffer(body[: len(body) // 2 * 2], "<i2")
    if rate == 0 or not samples.any():
        raise FaultError("the speech program's output is silent")
    return Speech(samples=(samples / 32768).astype(np.float32), rate=rate)
