from collections.abc import Callable
from pathlib import Path

import pytest

from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.receipt import VerifiedEntry, make_receipt, verify_receipt

ORIGIN = "assent.local/studio/test"


@pytest.fixture
def log(tmp_path: Path, signer: NoteSigner) -> Log:
    log = Log.create(tmp_path, signer=signer)
    log.append([str(i).encode() for i in range(5)])
    return log


def test_a_receipt_of_every_entry(log: Log, signer: NoteSigner) -> None:
    for index in range(5):
        receipt = make_receipt(log.reader(), index)
        assert receipt.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
        assert receipt.endswith(log.checkpoint())
        found = verify_receipt(receipt, str(index).encode(), signer.verifier)
        assert found == VerifiedEntry(index=index, size=5, origin=ORIGIN)


def test_a_log_of_one_needs_no_hashes(tmp_path: Path, signer: NoteSigner) -> None:
    log = Log.create(tmp_path / "one", signer=signer)
    log.append([b"only"])
    receipt = make_receipt(log.reader(), 0)
    assert receipt == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{log.checkpoint()}"
    assert verify_receipt(receipt, b"only", signer.verifier).size == 1


def test_a_receipt_stays_valid_as_the_log_grows(log: Log, signer: NoteSigner) -> None:
    receipt = make_receipt(log.reader(), 3)
    log.append([b"more"] * 300)
    assert verify_receipt(receipt, b"3", signer.verifier).size == 5


def test_no_receipt_of_what_isnt_there(log: Log) -> None:
    with pytest.raises(NotFoundError):
        make_receipt(log.reader(), 5)


def test_extra_data_is_passed_over(log: Log, signer: NoteSigner) -> None:
    receipt = make_receipt(log.reader(), 3).replace("index", "extra AAAA\nindex", 1)
    assert verify_receipt(receipt, b"3", signer.verifier).index == 3


def test_of_another_entry_or_log(
    log: Log, signer: NoteSigner, make_signer: Callable[..., NoteSigner]
) -> None:
    receipt = make_receipt(log.reader(), 3)
    with pytest.raises(IntegrityError, match="not the one"):
        verify_receipt(receipt, b"4", signer.verifier)
    with pytest.raises(IntegrityError, match="isn't signed by"):
        verify_receipt(receipt, b"3", make_signer(2).verifier)
    with pytest.raises(IntegrityError, match="isn't signed by"):
        verify_receipt(receipt, b"3", make_signer(1, "another").verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 3", "index 2"),
        ("index 3", "index 03"),
        ("index 3", "index 7"),
        ("index 3", "Index 3"),
        ("index 3", "extra *\nindex 3"),
        ("index 3\n", "index 3\nAAAA\n"),
        ("index 3\n", "index 3\n*\n"),
        ("index 3\n", f"index 3\n{'A' * 43}=\n"),
        ("index 3\n", ""),
        ("\n5\n", "\n6\n"),
        ("\n\nassent", "\nassent"),
        ("\n\u2014", "\n-"),
        (ORIGIN, "\ud800"),
    ],
)
def test_any_other_text_is_refused(log: Log, signer: NoteSigner, old: str, new: str) -> None:
    receipt = make_receipt(log.reader(), 3)
    assert old in receipt
    with pytest.raises(IntegrityError):
        verify_receipt(receipt.replace(old, new, 1), b"3", signer.verifier)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n\n"]
)
def test_no_receipt_at_all(signer: NoteSigner, text: str) -> None:
    with pytest.raises(IntegrityError, match="not a receipt") as caught:
        verify_receipt(text, b"", signer.verifier)
    assert "Fetch the receipt again" in caught.value.advice


def test_one_that_is_too_long(signer: NoteSigner) -> None:
    with pytest.raises(IntegrityError, match="too long"):
        verify_receipt("x" * (129 << 10), b"", signer.verifier)
