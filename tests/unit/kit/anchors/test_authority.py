"""Time stamps by an authority of the tests' own, which also lies, refuses and goes away."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import Mood, TimeStampingAuthority, time_stamping

from assent.kit.anchors import authority as module
from assent.kit.anchors.authority import ask_authority, load_roots, verify_stamp
from assent.kit.clock import fixed, system
from assent.kit.errors import AssentError, FetchError, InputError, IntegrityError
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampingAuthority]:
    with time_stamping(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture
def tsa(running: TimeStampingAuthority) -> TimeStampingAuthority:
    running.mood = "well"
    return running


def ask(tsa: TimeStampingAuthority, note: bytes, how: Fetch | None = None) -> bytes:
    return ask_authority(note, tsa.url, roots=load_roots(tsa.root_pem), clock=system, how=how)


def test_a_stamp_says_when_and_who(tsa: TimeStampingAuthority, note: bytes) -> None:
    data = ask(tsa, note)
    found = verify_stamp(data, note, load_roots(tsa.root_pem))
    assert abs(found.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert found.authority == "CN=A,O=Clock"


def test_another_program_agrees(tsa: TimeStampingAuthority, note: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(note)
    (tmp_path / "a.tsr").write_bytes(ask(tsa, note))
    (tmp_path / "root.pem").write_bytes(tsa.root_pem)
    check = ["openssl", "ts", "-verify", "-data", "checkpoint", "-in", "a.tsr"]
    done = subprocess.run(
        [*check, "-CAfile", "root.pem"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Verification: OK" in done.stdout + done.stderr


def test_it_is_of_these_very_bytes(tsa: TimeStampingAuthority, note: bytes) -> None:
    data, roots = ask(tsa, note), load_roots(tsa.root_pem)
    with pytest.raises(IntegrityError, match="the time stamp doesn't hold"):
        verify_stamp(data, note + b"x", roots)


def test_it_counts_under_its_own_root_only(
    tsa: TimeStampingAuthority, note: bytes, tmp_path: Path
) -> None:
    with time_stamping(tmp_path / "other") as other:
        data = ask(tsa, note)
        with pytest.raises(IntegrityError, match="the time stamp doesn't hold"):
            verify_stamp(data, note, load_roots(other.root_pem))
        with pytest.raises(IntegrityError, match="the time stamp doesn't hold"):
            ask_authority(note, other.url, roots=load_roots(tsa.root_pem), clock=system)


def test_every_changed_byte_is_noticed(tsa: TimeStampingAuthority, note: bytes) -> None:
    data, roots = ask(tsa, note), load_roots(tsa.root_pem)
    whole = verify_stamp(data, note, roots)
    for place in range(0, len(data), 23):
        changed = data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]
        try:
            found = verify_stamp(changed, note, roots)
        except IntegrityError:
            continue
        # What isn't signed can't say another time or name.
        assert found == whole


def test_a_certificate_that_no_library_reads(tsa: TimeStampingAuthority, note: bytes) -> None:
    """Of another version than certificates have: the field that says so, set to 67."""
    data = ask(tsa, note)
    version = bytes.fromhex("a003020102")
    assert version in data
    changed = data.replace(version, bytes.fromhex("a003020143"))
    with pytest.raises(IntegrityError, match="doesn't hold"):
        verify_stamp(changed, note, load_roots(tsa.root_pem))


@pytest.mark.parametrize(
    ("mood", "error", "says"),
    [
        ("failing", FetchError, "HTTP 500"),
        ("garbled", FetchError, "is no time stamp"),
        ("refusing", FetchError, "refuses"),
        ("lying", IntegrityError, "doesn't hold"),
    ],
)
def test_an_authority_that_does_not_do_its_work(
    tsa: TimeStampingAuthority, note: bytes, mood: Mood, error: type[AssentError], says: str
) -> None:
    tsa.mood = mood
    with pytest.raises(error, match=says):
        ask(tsa, note)


def test_an_old_answer_played_again_is_refused(
    tsa: TimeStampingAuthority, note: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ask(tsa, note)
    monkeypatch.setattr(
        module, "fetch_bytes", lambda *args, **more: (fetch_bytes(*args, **more)[0], old)
    )
    with pytest.raises(IntegrityError, match="Nonce mismatch"):
        ask(tsa, note)


def test_a_slow_authority_is_left(
    tsa: TimeStampingAuthority, note: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tsa.mood, tsa.patience_s = "slow", 1.0
    monkeypatch.setattr(module, "_LIMITS", replace(module._LIMITS, silence=0.2))  # noqa: SLF001
    with pytest.raises(FetchError, match="too slowly"):
        ask(tsa, note)
    assert isinstance(module._LIMITS, Limits)  # noqa: SLF001


def test_one_that_is_down(note: bytes, tsa: TimeStampingAuthority) -> None:
    with pytest.raises(FetchError, match="can't be reached"):
        ask_authority(note, "http://127.0.0.1:1/", roots=load_roots(tsa.root_pem), clock=system)


def test_a_clock_that_is_wrong(tsa: TimeStampingAuthority, note: bytes) -> None:
    roots, late = load_roots(tsa.root_pem), fixed(datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(IntegrityError, match="this machine"):
        ask_authority(note, tsa.url, roots=roots, clock=late)


def test_what_is_no_certificate() -> None:
    with pytest.raises(InputError, match="no PEM file of certificates"):
        load_roots(b"-----BEGIN NOTHING-----")


def test_too_many_certificates(tsa: TimeStampingAuthority) -> None:
    with pytest.raises(InputError, match="too many certificates"):
        load_roots(tsa.root_pem * 101)


def test_what_is_no_stamp(note: bytes, tsa: TimeStampingAuthority) -> None:
    with pytest.raises(IntegrityError, match="this is no time stamp"):
        verify_stamp(b"nothing", note, load_roots(tsa.root_pem))
