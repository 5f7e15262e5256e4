import json
import sys
from pathlib import Path

import pytest
import watermark

KEYS = {
    "recovered",
    "attacks",
    "psnr_y",
    "vmaf_drop",
    "bitrate_overhead",
    "embed_fps",
    "read_s",
    "failed_search_s",
}


def report_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> dict[str, object]:
    monkeypatch.setattr(sys, "argv", ["watermark.py", "--json", "--jobs", "1", *options])
    watermark.main()
    report: dict[str, object] = json.loads(capsys.readouterr().out)
    return report


def test_the_report_of_a_film_and_a_foreign_module(
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = tmp_path / "mine.py"
    module.write_text(
        "import shutil\n"
        "ATTACKS = ['same', 'gone', 'broken']\n"
        "def run_attack(name, src, outdir):\n"
        "    if name == 'broken': raise OSError('no disk')\n"
        f"    film = {str(film)!r} if name == 'gone' else src\n"
        "    return shutil.copy(film, outdir)\n"
    )
    report = report_of(monkeypatch, capsys, "--clips", str(film.parent), "--attacks", str(module))
    assert set(report) >= KEYS
    attacks = report["attacks"]
    assert isinstance(attacks, dict)
    assert attacks["same"]["share"] == 1
    assert attacks["same"]["confidence"] > 0.999
    assert attacks["gone"]["share"] == 0
    assert report["recovered"] == 0.5
    assert report["wrong"] == 0
    assert report["broken"] == {"broken on film": "OSError: no disk"}
    psnr, vmaf_drop = report["psnr_y"], report["vmaf_drop"]
    assert isinstance(psnr, float)
    assert isinstance(vmaf_drop, float)
    assert 38 < psnr < 60
    assert -5 < vmaf_drop < 30


def test_a_limit_draws_the_same_trials_each_time(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (
        "--clips", str(film.parent), "--no-figures", "--limit", "2", "--only", "scale-*", "crop-1*",
    )  # fmt: skip
    drawn = [set(report_of(monkeypatch, capsys, *options)["attacks"]) for _ in range(2)]  # type: ignore[call-overload]
    assert len(drawn[0]) == 2
    assert drawn[0] == drawn[1]


def test_no_film_and_no_attack_are_told(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in (
        ("--clips", str(tmp_path)),
        ("--clips", str(film.parent), "--only", "nothing-*"),
    ):
        monkeypatch.setattr(sys, "argv", ["watermark.py", *options])
        with pytest.raises(SystemExit):
            watermark.main()


def test_films_that_cannot_be_marked_are_told(
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "good.mp4").write_bytes(film.read_bytes())
    (tmp_path / "torn.mp4").write_bytes(film.read_bytes()[:900])
    options = ("--clips", str(tmp_path), "--no-figures", "--only", "h264-crf18")
    report = report_of(monkeypatch, capsys, *options)
    assert report["recovered"] == 1
    assert list(report["refused"]) == ["torn.mp4"]  # type: ignore[call-overload]
