"""A studio with a log that grows, and an authority to anchor it with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anchoring import Calendar, Node, anvil, calendar
from servers import TimeStampingAuthority, time_stamping

from assent.kit.store.studio import Studio, create_studio


@pytest.fixture
def own(tmp_path: Path) -> Studio:
    """A new studio, by the real time: authorities stamp by it."""
    return create_studio(tmp_path / "own", name="Own Studio", contact="hello@example.org")


@pytest.fixture(scope="session")
def shared_tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampingAuthority]:
    with time_stamping(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture
def tsa(shared_tsa: TimeStampingAuthority) -> TimeStampingAuthority:
    shared_tsa.mood = "well"
    return shared_tsa


@pytest.fixture
def alice() -> Iterator[Calendar]:
    with calendar() as running:
        yield running


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with anvil() as running:
        yield running
