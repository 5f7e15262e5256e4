"""The attacks need whole studios: the fixtures of the unit tests serve them too."""

import importlib.util
import sys
from pathlib import Path


def _load(path: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    for fixture in ("agreed", "filmed", "trained", "rendered", "released"):
        globals()[fixture] = getattr(module, fixture)


_load(Path(__file__).parents[1] / "unit" / "conftest.py", "studios_with_footage")
