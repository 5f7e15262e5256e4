"""Fixtures that every test may use: made clips, the sample performers, studios with footage."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from casts import Cast
    from clips import Clips
    from repairing import Desk
    from studios import Prepared, Scene
    from tokens import SoftToken

HERE = Path(__file__).parent


BENCHMARKS = HERE.parent / "benchmarks"
PLACES = {
    path.stem: path
    for path in [*HERE.glob("*.py"), *BENCHMARKS.glob("_*.py")]
    if path.stem != "conftest" and not path.stem.startswith("test_")
}


class _Beside(MetaPathFinder):
    """Finds the modules that lie beside this file, and some of the benchmarks', by their names.

    They run when a test imports them, not before: what was imported before coverage is measured
    seems never to have run.
    """

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module lies; None if it is none of ours."""
        if name == "marks":
            return PathFinder.find_spec(name, [str(BENCHMARKS)])
        place = PLACES.get(name)
        return importlib.util.spec_from_file_location(name, place) if place else None


sys.meta_path.append(_Beside())


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
def to_repair(filmed: "Cast", tmp_path_factory: pytest.TempPathFactory) -> "Cast":
    """The same as `filmed`, with a longer performance and a portrait for it."""
    from repairing import portrayed

    return portrayed(filmed, tmp_path_factory.mktemp("clips"))


@pytest.fixture
def desk(to_repair: "Cast", tmp_path: Path) -> "Desk":
    """That, open."""
    from repairing import Desk

    return Desk(to_repair.open_copy(tmp_path / "studio"))


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
