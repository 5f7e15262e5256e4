"""Fixtures that every test may use: made clips, the sample performers, studios with footage."""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from casts import Cast
    from clips import Clips
    from studios import Prepared, Scene
    from tokens import SoftToken

HERE = Path(__file__).parent


def _load(name: str, folder: Path = HERE) -> None:
    """Make a module that lies beside this file, or in `folder`, importable by its name."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load("asgi")
_load("clips")
_load("commands")
_load("footage")
_load("passkeys")
_load("recordings")
_load("studios")
_load("attempts")
_load("requests_to")
_load("servers")
_load("anchoring")
_load("served")
_load("authorities")
_load("_changes", HERE.parent / "benchmarks")
_load("_disguises", HERE.parent / "benchmarks")
_load("scenes")


def _load_when_used(path: Path) -> None:
    """Make a module importable by its name; it runs at its first use, since it imports much."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)


_load_when_used(HERE / "casts.py")
_load_when_used(HERE / "tokens.py")
_load_when_used(HERE / "forging.py")
_load_when_used(HERE / "fuzz_targets.py")
_load("twists")


@pytest.fixture
def clips(tmp_path: Path) -> "Clips":
    """A factory of clips with flaws; they lie in a folder of their own under tmp_path."""
    from clips import Clips

    folder = tmp_path / "clips"
    folder.mkdir()
    return Clips(folder)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of computer-generated sample performers."""
    return HERE.parent / "samples"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> "Prepared":
    """A studio with a project and consent that is live, to be copied."""
    from studios import prepare

    return prepare(tmp_path_factory.mktemp("prepared") / "studio")


@pytest.fixture
def scene(prepared: "Prepared", tmp_path: Path) -> "Scene":
    """A copy of the prepared studio, open."""
    return prepared.open_copy(tmp_path / "studio")


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> "SoftToken":
    """A token made of software, the same for all tests of a process."""
    from tokens import soft_token

    return soft_token(tmp_path_factory.mktemp("token"))


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the browser's tests keep what they see."""
    parser.addoption(
        "--pictures", action="store_true", help="take the pictures of docs/pictures/consent anew"
    )
    parser.addoption(
        "--tables", action="store_true", help="write the verifiers' table in docs anew"
    )
