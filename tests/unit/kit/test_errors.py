import re

import pytest

from assent.kit import errors
from assent.kit.errors import (
    AssentError,
    FaultError,
    InputError,
    RefusedError,
    RewrittenError,
)


def family(root: type[AssentError]) -> list[type[AssentError]]:
    return [root, *(each for child in root.__subclasses__() for each in family(child))]


EVERY = [each for each in family(AssentError) if each.__module__ == errors.__name__]


def test_every_error_is_offered_to_importers() -> None:
    assert sorted(errors.__all__) == sorted(each.__name__ for each in EVERY)


@pytest.mark.parametrize("error", EVERY)
def test_its_exit_code_tells_whose_turn_it_is(error: type[AssentError]) -> None:
    codes: list[tuple[type[AssentError], int]] = [
        (RewrittenError, 4),
        (InputError, 2),
        (RefusedError, 3),
        (FaultError, 1),
    ]
    expected = [code for root, code in codes if error in family(root)]
    assert error.exit_code == [*expected, 1][0]


@pytest.mark.parametrize("error", EVERY)
def test_it_says_what_happened_and_what_to_do(error: type[AssentError]) -> None:
    raised = error("x happened")
    assert str(raised) == "x happened"
    assert raised.advice.endswith(".")
    assert error("x", advice="Do y.").advice == "Do y."
    # Other errors of that kind keep theirs.
    assert error("x").advice == raised.advice


def test_the_tree_is_drawn_in_full() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w+Error\b", (errors.__doc__ or "").split(">>>")[0]))
    assert drawn == {each.__name__ for each in EVERY}
