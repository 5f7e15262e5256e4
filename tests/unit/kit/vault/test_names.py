import pytest

from assent.kit.errors import InputError
from assent.kit.vault.names import check_name


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "..", "x" * 80])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 81, "a/b", "../a", "a\0", "a\n", "\u00e4", "a b"])
def test_bad_names(name: str) -> None:
    with pytest.raises(InputError):
        check_name(name)
