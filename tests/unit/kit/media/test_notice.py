import stat
from pathlib import Path

import numpy as np
import pytest

from assent.kit.errors import BriefError, FaultError
from assent.kit.media.notice import find_speaker, speak

needs_speaker = pytest.mark.skipif(find_speaker() is None, reason="espeak-ng is not installed")
HEADER = (
    b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00"
)


def program(folder: Path, *, output: bytes = b"", error: str = "", status: int = 0) -> str:
    """Return a stand-in for the speech program that also keeps the arguments it was given."""
    (folder / "output").write_bytes(output)
    path = folder / "speaker"
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/arguments"\n'
        f'cat "{folder}/output"\necho "{error}" >&2\nexit {status}\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def wav(*samples: int) -> bytes:
    # The length of the data is left wrong, as a program that streams leaves it.
    body = np.array(samples, "<i2").tobytes()
    return HEADER + b"\x02\x00\x10\x00LIST\x02\x00\x00\x00abdata\x00\xf0\xff\x7f" + body


@needs_speaker
def test_a_notice_is_spoken() -> None:
    spoken = speak("This video was modified with AI.", language="en")
    assert spoken is not None
    assert spoken.samples.dtype == np.float32
    assert spoken.samples.ndim == 1
    assert 1.0 < len(spoken.samples) / spoken.rate < 6.0
    assert 0.1 < np.abs(spoken.samples).max() <= 1.0


@needs_speaker
def test_language_and_rate_matter() -> None:
    text = "Video mit KI"
    voices = [speak(text, language="de"), speak(text, language="en"), speak(text, rate=100)]
    lengths = {len(voice.samples) for voice in voices if voice is not None}
    assert len(lengths) == 3


@needs_speaker
def test_unknown_languages_are_refused() -> None:
    with pytest.raises(BriefError, match="xx-yy"):
        speak("Hello", language="xx-yy")


def test_samples_are_read_from_the_output(tmp_path: Path) -> None:
    spoken = speak("Hi", program=program(tmp_path, output=wav(0, 16384, -32768)))
    assert spoken is not None
    assert spoken.rate == 8000
    assert spoken.samples.tolist() == [0.0, 0.5, -1.0]


def test_text_is_one_argument_and_never_an_option(tmp_path: Path) -> None:
    speaker = program(tmp_path, output=wav(1))
    speak("-w /tmp/x; $(touch y) `z`", language="pt-br", rate=120, program=speaker)
    assert (tmp_path / "arguments").read_text().splitlines() == [
        "--stdout",
        "-v",
        "pt-br",
        "-s",
        "120",
        "--",
        "-w /tmp/x; $(touch y) `z`",
    ]


def test_without_the_program_there_is_no_speech(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert speak("Hello", program=str(tmp_path / "none")) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_speaker() is None
    assert speak("Hello") is None


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "nul\0", "x" * 501])
def test_texts_that_cannot_be_spoken_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BriefError, match="notice"):
        speak(text, program=program(tmp_path))


@pytest.mark.parametrize("language", ["", "-v", "en;ls", "../en", "english language"])
def test_what_is_no_language_is_refused(language: str, tmp_path: Path) -> None:
    with pytest.raises(BriefError, match="language"):
        speak("Hello", language=language, program=program(tmp_path))


@pytest.mark.parametrize("rate", [79, 451])
def test_rates_nobody_can_follow_are_refused(rate: int, tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=str(rate)):
        speak("Hello", rate=rate, program=program(tmp_path))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "not WAV"),
        (b"RIFF\0\0\0\0WAVE", "no sound"),
        (HEADER + b"\x02\x00\x08\x00data\x02\x00\x00\x00\x01\x01", "16-bit"),
        (wav(0, 0, 0), "silent"),
        (wav(), "silent"),
        (b"RIFF\0\0\0\0WAVEdata\x02\x00\x00\x00\x01\x01", "silent"),
    ],
)
def test_output_that_is_no_speech_is_a_fault(output: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match=reason):
        speak("Hello", program=program(tmp_path, output=output))


def test_a_failing_program_is_a_fault_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="no sound card"):
        speak("Hello", program=program(tmp_path, error="no sound card", status=1))
    with pytest.raises(FaultError, match="spoken"):
        speak("Hello", program=str(tmp_path))
