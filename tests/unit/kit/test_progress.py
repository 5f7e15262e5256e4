import pytest

from assent.kit.progress import Progress, nothing


def test_reports_to_nobody_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    report: Progress = nothing
    for done in range(3):
        report("reading", done, 0)
    assert capsys.readouterr() == ("", "")
