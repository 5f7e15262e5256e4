from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.kit.errors import InputError
from assent.monitor.scan import scan
from assent.verify.findings import Verdict


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def test_a_folder_with_copies_and_other_things(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    (folder / "deep" / "er").mkdir(parents=True)
    release = stage.released().path.read_bytes()
    (folder / "deep" / "er" / "COPY.MP4").write_bytes(release)
    (folder / "other.mp4").write_bytes((stage.clips / "ben.mp4").read_bytes())
    (folder / "broken.mov").write_bytes(release[:200])
    (folder / "text.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_bytes(release)
    (folder / "folder.mp4").mkdir()
    (folder / "link.mp4").symlink_to(stage.released().path)
    told: list[tuple[str, int, int]] = []
    seen = {
        sighting.path.name: sighting
        for sighting in scan(folder, stage.log, progress=lambda *state: told.append(state))
    }
    assert set(seen) == {"COPY.MP4", "other.mp4", "broken.mov", "text.jpg"}
    verdicts = {name: s.findings.verdict for name, s in seen.items() if s.findings}
    assert verdicts == {"COPY.MP4": Verdict.SEALED, "other.mp4": Verdict.NOTHING_FOUND}
    for name in ("broken.mov", "text.jpg"):
        assert name in str(seen[name].problem)
    assert told == [("scanning", number, 4) for number in range(1, 5)]


def test_an_empty_folder(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert list(scan(tmp_path / "empty", stage.log)) == []


def test_what_is_no_folder(stage: Stage, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", stage.released().path):
        with pytest.raises(InputError, match="not a folder"):
            list(scan(path, stage.log))
