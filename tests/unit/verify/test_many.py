"""Many files: a line for each, and on again after a stop."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.kit.errors import InputError, NotFoundError
from assent.verify.apart import Bounds, Lookup
from assent.verify.many import (
    COLUMNS,
    Job,
    csv_line,
    done_before,
    examine_many,
    find_files,
    json_line,
)

SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.fixture(scope="module")
def shown(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return released.open_copy(tmp_path_factory.mktemp("shown") / "studio")


@pytest.fixture
def folder(shown: Stage, tmp_path: Path) -> Path:
    made = tmp_path / "files"
    (made / "deep").mkdir(parents=True)
    shutil.copy(shown.released().path, made / "deep" / "release.mp4")
    shutil.copy(SAMPLES / "no_face.mp4", made / "other.MP4")
    (made / "broken.mp4").write_bytes(b"nothing")
    (made / "notes.txt").write_text("not looked at")
    (made / "round").symlink_to(made)
    (made / "link.mp4").symlink_to(made / "other.MP4")
    return made


def test_files_are_found_once_and_links_in_folders_are_not_followed(folder: Path) -> None:
    names = [Path(job.target).name for job in find_files([str(folder), str(folder / "other.MP4")])]
    assert sorted(names) == ["broken.mp4", "other.MP4", "release.mp4"]
    assert [job.target for job in find_files(["https://a.example/x.mp4"], own=True)] == [
        "https://a.example/x.mp4"
    ]
    assert [job.target for job in find_files([str(folder / "link.mp4")])] == [
        str(folder / "link.mp4")
    ]


def test_every_file_gets_its_line(shown: Stage, folder: Path) -> None:
    lookup = Lookup(log=str(shown.studio.log_folder))
    lines = list(
        examine_many(find_files([str(folder)]), lookup, workers=2, describe=lambda found: found)
    )
    by_name = {Path(line["target"]).name: line for line in lines}
    assert by_name["release.mp4"]["result"]["verdict"] == "sealed"
    assert by_name["other.MP4"]["result"]["verdict"] == "nothing-found"
    assert "broken.mp4" in by_name["broken.mp4"]["problem"]
    assert by_name["release.mp4"]["size"] == (folder / "deep" / "release.mp4").stat().st_size


def test_one_file_that_takes_too_long_doesnt_stop_the_others(shown: Stage, folder: Path) -> None:
    lookup = Lookup(log=str(shown.studio.log_folder))
    jobs = [Job(target=str(folder / "other.MP4"))] * 2
    lines = list(
        examine_many(
            jobs, lookup, workers=1, bounds=Bounds(seconds=0.01), describe=lambda found: found
        )
    )
    assert len(lines) == 2
    assert all("took longer" in line["problem"] for line in lines)


def test_a_log_that_cant_be_opened_stops_it_all(tmp_path: Path) -> None:
    lines = examine_many(
        [Job(target="a.mp4")] * 3, Lookup(log=str(tmp_path)), workers=2, describe=lambda f: f
    )
    with pytest.raises(NotFoundError):
        list(lines)


def test_who_stops_listening_stops_the_work(shown: Stage) -> None:
    jobs = [Job(target=str(SAMPLES / "ada_train.mp4"))] * 50
    lines = examine_many(
        jobs, Lookup(log=str(shown.studio.log_folder)), workers=1, describe=lambda f: f
    )
    next(lines)
    lines.close()


def line(target: str, **more: object) -> dict[str, object]:
    return {"target": target, "size": 3, "changed": 7, **more}


@pytest.mark.parametrize("as_csv", [False, True])
def test_what_was_done_is_passed_over_and_a_torn_line_done_again(as_csv: bool) -> None:
    result = {"verdict": "copy", "summary": 'a,\n"b"', "verifier": {"version": "1"}}
    lines = [line("a.mp4", result=result), line("=b.mp4", problem="no")]
    make = csv_line if as_csv else json_line
    text = (csv_line() if as_csv else "") + "".join(make(each) for each in lines)
    assert done_before(text, as_csv=as_csv) == {"a.mp4": (3, 7), "=b.mp4": (3, 7)}
    assert done_before(text[:-5], as_csv=as_csv) == {"a.mp4": (3, 7)}
    assert done_before("", as_csv=as_csv) == {}


@pytest.mark.parametrize(
    ("text", "as_csv"),
    [("x\n", False), ("[]\n", False), ('{"target":1}\n', False), ("a,b\n1,2\n", True)],
)
def test_somebody_elses_file_is_not_gone_on_with(text: str, as_csv: bool) -> None:
    with pytest.raises(InputError, match=r"not one that this command wrote|other columns"):
        done_before(text, as_csv=as_csv)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    row = next(csv.DictReader(io.StringIO(csv_line() + csv_line(line(name, problem=name)))))
    assert not row["target"].startswith(("=", "+", "-", "@"))
    assert set(row) == set(COLUMNS)


def test_a_line_of_json_is_one_line() -> None:
    text = json_line(line("a\nb\u2028.mp4"))
    assert text.count("\n") == 1
    assert json.loads(text)["target"] == "a\nb\u2028.mp4"
