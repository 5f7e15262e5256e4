"""Fixtures of whole studios with footage, from `tests/casts.py`."""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from casts import Cast


def _load_when_used(path: Path) -> None:
    """Make a module importable by its name; it runs at its first use, since it imports torch."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)


_load_when_used(Path(__file__).parents[1] / "casts.py")


@pytest.fixture(scope="session")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> "Cast":
    """Ada and Ben have agreed, with their real statements; there is no footage yet."""
    from casts import agree

    return agree(tmp_path_factory.mktemp("cast"))


@pytest.fixture(scope="session")
def filmed(agreed: "Cast") -> "Cast":
    """The same with footage: Ben and Ada to learn from, Ada's scene to render."""
    from casts import film

    return agreed.then("filmed", film)


@pytest.fixture(scope="session")
def trained(filmed: "Cast") -> "Cast":
    """The same with a small model."""
    from casts import Stage

    return filmed.then("trained", Stage.fit)


@pytest.fixture(scope="session")
def rendered(trained: "Cast") -> "Cast":
    """The same with a draft that has passed review."""
    from casts import render_and_review

    return trained.then("rendered", render_and_review)


@pytest.fixture(scope="session")
def released(rendered: "Cast") -> "Cast":
    """The same with the draft released."""
    from casts import Stage

    return rendered.then("released", Stage.finish)
