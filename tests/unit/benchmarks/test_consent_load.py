from pathlib import Path

import pytest
from consent_load import NOON, build, measure
from sqlalchemy import func, select

from assent.kit.store.studio import open_studio
from assent.kit.store.tables import ConsentRow


def test_what_is_measured_is_a_studio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each record is one that the desk clears, and ends when it is withdrawn."""
    build(tmp_path / "studio", 12, 2)
    measure(tmp_path / "studio", 4, seed=1)
    told = capsys.readouterr().out
    assert "12 people, 24 records" in told
    for what in ("clear, each somebody else", "withdraw", "look for expired terms", "memory"):
        assert what in told
    studio = open_studio(tmp_path / "studio", clock=lambda: NOON)
    with studio.database.session() as session:
        states = session.execute(
            select(ConsentRow.state, func.count()).group_by(ConsentRow.state)
        ).all()
    assert sorted((row[0], row[1]) for row in states) == [("live", 19), ("withdrawn", 5)]
