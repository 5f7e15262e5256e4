import os
import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from assent.kit.errors import AssentError, FaultError, InputError, IntegrityError
from assent.kit.vault.guard import (
    Cost,
    Guard,
    KeyCommand,
    Passphrase,
    Unguarded,
    takes_passphrase,
)

ROOT = bytes(range(32))
PHRASE = b"correct horse battery staple"
CHEAP = Cost(mebibytes=8, passes=1, lanes=1)
ROT13 = "tr 'A-Za-z' 'N-ZA-Mn-za-m'"


def program(folder: Path, body: str) -> KeyCommand:
    path = folder / "keeper"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return KeyCommand(path)


def sealed(guard: Guard) -> bytes:
    return guard.seal(ROOT, entropy=os.urandom)


def test_a_passphrase_opens_what_it_sealed() -> None:
    data = sealed(Passphrase(PHRASE, cost=CHEAP))
    assert Passphrase(PHRASE).open(data) == ROOT
    assert ROOT not in data
    assert takes_passphrase(data)
    assert Passphrase(PHRASE).protects


def test_the_layout_is_that_of_the_specification() -> None:
    """Opened by hand."""
    data = sealed(Passphrase(PHRASE, cost=CHEAP))
    mark = b"assent-root-argon2id-1\n"
    assert data.startswith(mark + bytes([0, 8, 1, 1]))
    start, nonce, rest = data[:43], data[43:55], data[55:]
    kdf = Argon2id(salt=start[27:], length=32, iterations=1, lanes=1, memory_cost=8 * 1024)
    assert AESGCM(kdf.derive(PHRASE)).decrypt(nonce, rest, start) == ROOT
    assert sealed(Unguarded()) == b"assent-root-clear-1\n" + ROOT


def test_the_cost_by_default_is_that_of_rfc_9106() -> None:
    data = sealed(Passphrase(PHRASE))
    assert data[23:27] == bytes([0, 64, 3, 4])
    assert Passphrase(PHRASE).open(data) == ROOT


def test_a_wrong_passphrase() -> None:
    with pytest.raises(InputError, match="doesn't open the studio's root key") as caught:
        Passphrase(b"wrong").open(sealed(Passphrase(PHRASE, cost=CHEAP)))
    assert "Type it again" in caught.value.advice
    with pytest.raises(InputError, match="empty"):
        Passphrase(b"")


@pytest.mark.parametrize(
    "costs", [bytes([255, 255, 1, 1]), bytes([0, 7, 1, 1]), bytes([0, 8, 0, 1]),
              bytes([0, 8, 255, 1]), bytes([0, 8, 1, 0]), bytes([0, 8, 1, 255])]
)  # fmt: skip
def test_costs_that_nobody_chose_are_not_computed(costs: bytes) -> None:
    """A file made to take all memory, or to be cheap to guess, is refused before any work."""
    data = sealed(Passphrase(PHRASE, cost=CHEAP))
    began = time.process_time()
    with pytest.raises(IntegrityError, match="root key was changed"):
        Passphrase(PHRASE).open(data[:23] + costs + data[27:])
    assert time.process_time() - began < 5


def test_every_byte_counts() -> None:
    data = sealed(Passphrase(PHRASE, cost=CHEAP))
    guard = Passphrase(PHRASE)
    for place in range(27, len(data), 5):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(AssentError):
            guard.open(changed)
    for length in (0, 10, 30, 54, len(data) - 1):
        with pytest.raises(AssentError):
            guard.open(data[:length])


def test_a_guard_opens_only_its_own(tmp_path: Path) -> None:
    guards: list[tuple[Guard, str]] = [
        (Unguarded(), "by nothing but the rights of its file"),
        (Passphrase(PHRASE, cost=CHEAP), "by a passphrase"),
        (program(tmp_path, ROT13), "by a key program"),
    ]
    for keeper, how in guards:
        data = sealed(keeper)
        for other, _ in guards:
            if other is keeper:
                assert other.open(data) == ROOT
            else:
                with pytest.raises(InputError, match=f"root key is kept {how}"):
                    other.open(data)
    assert [guard.protects for guard, _ in guards] == [False, True, True]


@pytest.mark.parametrize("data", [b"", b"noise", b"assent-root-clear-1\n", b"assent-root-clear-1"])
def test_what_no_guard_wrote(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="root key was changed"):
        Unguarded().open(data)


def test_a_program_wraps_and_unwraps(tmp_path: Path) -> None:
    guard = program(tmp_path, f'echo "$@" >> {tmp_path}/said; {ROT13}')
    data = sealed(guard)
    assert guard.open(data) == ROOT
    assert (tmp_path / "said").read_text() == "wrap\nunwrap\nunwrap\n"
    assert data.startswith(b"assent-root-command-1\n")


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        ("cat", InputError, "didn't wrap the key"),
        ("echo same", FaultError, "unwrap wrote no key"),
        (f'[ "$1" = wrap ] && {ROT13} || echo AAAA', FaultError, "unwrap wrote no key"),
        (f'[ "$1" = wrap ] && {ROT13} || echo "?"', FaultError, "unwrap wrote no key"),
        (
            '[ "$1" = wrap ] && echo token || head -c 32 /dev/zero | base64',
            InputError,
            "doesn't unwrap what it wrapped",
        ),
        ("exit 3", FaultError, "wrap failed with status 3"),
        ("head -c 100000 /dev/zero", FaultError, "wrote more than a wrapped key"),
    ],
)
def test_programs_that_keep_no_key(
    tmp_path: Path, body: str, error: type[AssentError], told: str
) -> None:
    with pytest.raises(error, match=told):
        sealed(program(tmp_path, body))


def test_a_program_that_hangs(tmp_path: Path) -> None:
    slow = KeyCommand(program(tmp_path, "exec sleep 60").program, seconds=0.2)
    with pytest.raises(FaultError, match=r"took longer than 0\.2 seconds") as caught:
        slow.open(b"assent-root-command-1\ntoken")
    assert "key service" in caught.value.advice


def test_a_program_that_isnt_there(tmp_path: Path) -> None:
    path = tmp_path / "keeper"
    path.write_text("no program")
    path.chmod(stat.S_IRUSR)
    for missing in (path, tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="can't be run") as caught:
            sealed(KeyCommand(missing))
        assert "ASSENT_KEY_COMMAND" in caught.value.advice


def test_no_shell_reads_the_programs_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be run"):
        sealed(KeyCommand(Path(f"/bin/sh -c 'touch {tmp_path}/ran'")))
    assert list(tmp_path.iterdir()) == []


def test_what_fails_says_nothing_of_the_key(tmp_path: Path) -> None:
    """Neither what a program was given nor what it answered is in any message."""
    guard = program(tmp_path, '[ "$1" = wrap ] && exit 1; echo c2VjcmV0IQ==')
    told = []
    with pytest.raises(AssentError) as caught:
        sealed(guard)
    told += [str(caught.value), caught.value.advice, repr(caught.value.__cause__)]
    with pytest.raises(AssentError) as caught:
        guard.open(b"assent-root-command-1\ntoken")
    told += [str(caught.value), caught.value.advice, repr(caught.value.__cause__)]
    assert not any("c2Vj" in text or "token" in text or "AAECAw" in text for text in told)
    assert PHRASE.decode() not in repr(Passphrase(PHRASE))


def test_a_passphrase_is_told_to_who_starts_a_process_of_ours() -> None:
    assert Passphrase(b"a few random words").phrase == b"a few random words"
