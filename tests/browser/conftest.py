"""Chromium, and a studio whose pages it shows."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from assent.kit.store.studio import create_studio

if TYPE_CHECKING:
    from browsing import Served

# A busy machine may take its time; what never comes fails all the same.
expect.set_options(timeout=60_000)
_specification = importlib.util.spec_from_file_location(
    "browsing", Path(__file__).parents[1] / "browsing.py"
)
assert _specification is not None
assert _specification.loader is not None
_browsing = sys.modules["browsing"] = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_browsing)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need loopback; and Chromium, which a machine may lack."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.enable_socket)
            if _browsing.CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="no Chromium here: `apt-get install chromium`")
                )


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, driving the system's Chromium."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def small_films(tmp_path: Path) -> Iterator["Served"]:
    """A studio of today whose pages are served."""
    studio = create_studio(tmp_path / "studio", name="Small Films", contact="consent@example.org")
    with _browsing.served(studio) as running:
        yield running
    studio.database.close()
