from pathlib import Path
from types import ModuleType

import pytest
from marks.trials import Job, attack, load_attacks, run_jobs


def module_of(tmp_path: Path, body: str) -> Path:
    path = tmp_path / f"attacks_{abs(hash(body))}.py"
    path.write_text(f"from pathlib import Path\nATTACKS = ['copy']\n{body}\n")
    return path


def made_by(tmp_path: Path, body: str) -> Path:
    module: ModuleType = load_attacks(module_of(tmp_path, body))
    (tmp_path / "film.mp4").write_bytes(b"film")
    folder = tmp_path / "out"
    folder.mkdir()
    return attack(module, "copy", tmp_path / "film.mp4", folder)


def test_a_returned_path_is_taken(tmp_path: Path) -> None:
    body = """
def run_attack(name, src, outdir):
    (outdir / "other.txt").write_text("log")
    (outdir / "copy.mp4").write_bytes(src.read_bytes())
    return outdir / "copy.mp4"
"""
    assert made_by(tmp_path, body).name == "copy.mp4"


def test_a_returned_name_is_looked_for_in_the_folder(tmp_path: Path) -> None:
    body = """
def run_attack(name, src, outdir):
    Path(outdir, "copy.mp4").write_bytes(b"")
    Path(outdir, "log").write_bytes(b"")
    return "copy.mp4"
"""
    assert made_by(tmp_path, body).name == "copy.mp4"


def test_without_a_returned_path_the_file_that_was_made_is_taken(tmp_path: Path) -> None:
    body = "def run_attack(name, src, outdir): Path(outdir, 'copy.mkv').write_bytes(b'')"
    assert made_by(tmp_path, body).name == "copy.mkv"


def test_a_module_that_wants_text_gets_text(tmp_path: Path) -> None:
    body = """
def run_attack(name, src, outdir):
    target = outdir + "/" + name + ".mp4"
    Path(target).write_bytes(Path(src).read_bytes())
    return target
"""
    copy = made_by(tmp_path, body)
    assert copy.read_bytes() == b"film"


def test_an_attack_that_makes_nothing_is_broken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        made_by(tmp_path, "def run_attack(name, src, outdir): return None")


def test_the_first_failure_of_an_attack_is_told(tmp_path: Path) -> None:
    body = "def run_attack(name, src, outdir): raise ValueError(type(src).__name__)"
    job = Job(
        scheme="assent",
        film=tmp_path / "film.mp4",
        asset_id=1,
        attack="copy",
        module=module_of(tmp_path, body),
    )
    (trial,) = run_jobs([job], 1)
    assert trial.broken.startswith("ValueError: ")
    assert "str" not in trial.broken
    assert not trial.recovered
    assert not trial.wrong
