"""Fixtures that every test may use: made clips and the sample performers."""

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clips import Clips

HERE = Path(__file__).parent


def _load_clips() -> None:
    """Make `clips.py`, which lies beside this file, importable as `clips`."""
    spec = importlib.util.spec_from_file_location("clips", HERE / "clips.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["clips"] = module
    spec.loader.exec_module(module)


_load_clips()


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
