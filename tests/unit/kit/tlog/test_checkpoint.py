from collections.abc import Callable

import pytest

from assent.kit.errors import IntegrityError
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint, parse_decimal
from assent.kit.tlog.merkle import EMPTY_ROOT
from assent.kit.tlog.note import NoteSigner

ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
ORIGIN = "assent.local/studio/test"


@pytest.mark.parametrize("extension", ["", "an extension line\n"])
def test_round_trip(signer: NoteSigner, extension: str) -> None:
    state = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    assert state.body() == f"{ORIGIN}\n0\n{ROOT}\n"
    assert open_checkpoint(signer.sign(state.body() + extension), signer.verifier) == state


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n01\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n\u0661\n{ROOT}\n",
        f"{ORIGIN}\n1{'0' * 19}\n{ROOT}\n",
        f"{ORIGIN}\n1\n{ROOT}=\n",
        f"{ORIGIN}\n1\nAAAA\n",
        f"{ORIGIN}\n0\n{'A' * 43}=\n",
        f"another\n0\n{ROOT}\n",
    ],
)
def test_signed_nonsense(signer: NoteSigner, body: str) -> None:
    with pytest.raises(IntegrityError):
        open_checkpoint(signer.sign(body), signer.verifier)


def test_of_another_key(signer: NoteSigner, make_signer: Callable[..., NoteSigner]) -> None:
    note = make_signer(2).sign(f"{ORIGIN}\n0\n{ROOT}\n")
    with pytest.raises(IntegrityError):
        open_checkpoint(note, signer.verifier)


def test_decimals() -> None:
    assert parse_decimal("0") == 0
    assert parse_decimal("9" * 19) == 10**19 - 1
