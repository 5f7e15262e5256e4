import copy
import multiprocessing.reduction
from pathlib import Path

import pytest
from casts import Cast

from assent.create.draft import Draft
from assent.safeguard._key import KEY, Key
from assent.safeguard.approved import Approved


@pytest.fixture
def draft(rendered: Cast, tmp_path: Path) -> Draft:
    return rendered.open_copy(tmp_path / "studio").draft


@pytest.mark.parametrize("key", [None, Key(), "KEY", object()])
def test_nobody_else_makes_one(draft: Draft, key: object) -> None:
    with pytest.raises(TypeError, match=r"safeguard\.review"):
        Approved(draft=draft, shortest_side=720, strong_mark=False, key=key)  # type: ignore[arg-type] # whatever is tried


def test_it_stays_in_its_process(draft: Draft) -> None:
    approved = Approved(draft=draft, shortest_side=720, strong_mark=False, key=KEY)
    for leave in (multiprocessing.reduction.ForkingPickler.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="ask safeguard"):
            leave(approved)
