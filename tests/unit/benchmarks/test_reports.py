"""What was accepted is there after the process was killed; a small run of the benchmark."""

from pathlib import Path

import pytest
from reports_load import measure

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_no_accepted_report_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    figures = measure(tmp_path, reports=12, seconds=2, flood=24)
    assert figures.accepted >= 12
    assert (figures.lost, figures.unlogged) == (0, 0)
