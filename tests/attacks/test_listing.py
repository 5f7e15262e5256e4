import importlib.util
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("_attacks", DOCS / "make_attacks.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_lists_every_attempt() -> None:
    made = script()
    assert made.PAGE.read_text("utf-8") == made.page(), "run python docs/make_attacks.py"


def test_every_attempt_says_what_is_tried_and_what_it_is_told() -> None:
    found = list(script().attempts())
    assert len(found) >= 60
    for theme, name, tried, refusal in found:
        assert theme, name
        assert tried, name
        assert refusal, name
