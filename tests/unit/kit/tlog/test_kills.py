"""A small run of the benchmark that kills writers; its large one is `benchmarks/log_kills.py`."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[4] / "benchmarks" / "log_kills.py"


def test_writers_that_are_killed(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "25", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = re.fullmatch(r"25 kills, (\d+) entries; .*: nothing torn, forked or lost\n", run.stdout)
    assert found is not None
    assert int(found[1]) > 0
    assert list(tmp_path.iterdir()) == []
