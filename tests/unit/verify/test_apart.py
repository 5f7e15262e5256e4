"""A hostile file's decoder dies, hangs or swells in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.kit.errors import IntegrityError, MediaError, NotFoundError
from assent.verify.apart import Bounds, Examiner, Lookup
from assent.verify.bundle import make_bundle

SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.fixture(scope="module")
def shown(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return released.open_copy(tmp_path_factory.mktemp("shown") / "studio")


@pytest.fixture(scope="module")
def lookup(shown: Stage, tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    studio = shown.studio
    text = make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=shown.clock.now
    )
    path = tmp_path_factory.mktemp("bundle") / "studio.trust"
    path.write_text(text)
    return Lookup(bundle=str(path))


@pytest.fixture(scope="module")
def examiner(lookup: Lookup) -> Iterator[Examiner]:
    with Examiner(lookup) as made:
        yield made


def listing(*folders: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}


def test_one_process_examines_file_after_file(shown: Stage, examiner: Examiner) -> None:
    told: list[str] = []
    made = shown.released()
    found = examiner.examine(
        made.path, name="a.mp4", progress=lambda stage, done, total: told.append(stage)
    )
    assert (found["verdict"], found["file"], found["sha256"]) == ("sealed", "a.mp4", made.sha256)
    assert found["source"]["as_of"] is not None
    assert set(told) == {"examining"}
    again = examiner.examine(SAMPLES / "no_face.mp4", name="b.mp4")
    assert again["verdict"] == "nothing-found"


def test_the_second_opinion_comes_last_and_decides_nothing(
    shown: Stage, examiner: Examiner, lookup: Lookup
) -> None:
    found = examiner.examine(SAMPLES / "no_face.mp4", name="b.mp4")
    layer = found["layers"][-1]
    assert (layer["name"], layer["status"]) == ("forensic", "unknown")
    assert layer["says"].startswith("Assent's second opinion abstains: there is no face")
    with Examiner(replace(lookup, detectors=False)) as made:
        without = made.examine(SAMPLES / "no_face.mp4", name="b.mp4")
    assert [each["name"] for each in without["layers"]] == [
        each["name"] for each in found["layers"][:-1]
    ]
    assert (without["verdict"], without["summary"]) == (found["verdict"], found["summary"])


def test_an_error_comes_across_and_the_next_file_is_examined(
    shown: Stage, examiner: Examiner, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no film at all")
    with pytest.raises(MediaError, match=r"clip\.mp4") as told:
        examiner.examine(path, name="clip.mp4")
    assert told.value.advice
    with pytest.raises(NotFoundError):
        examiner.examine(tmp_path / "gone.mp4", name="gone.mp4")
    assert examiner.examine(shown.released().path, name="x")["verdict"] == "sealed"


def test_what_the_log_says_against_it_comes_across(tmp_path: Path, lookup: Lookup) -> None:
    with Examiner(Lookup(log=str(tmp_path))) as made, pytest.raises(NotFoundError):
        made.examine(SAMPLES / "no_face.mp4", name="x")
    broken = tmp_path / "broken.trust"
    text = Path(str(lookup.bundle)).read_text()
    broken.write_text(text[:400] + ("A" if text[400] != "A" else "B") + text[401:])
    with Examiner(Lookup(bundle=str(broken))) as made, pytest.raises((IntegrityError, Exception)):
        made.start()
    with Examiner(Lookup(bundle=str(tmp_path / "none"))) as made, pytest.raises(NotFoundError):
        made.start()


def test_nothing_that_is_checked_is_kept(shown: Stage, lookup: Lookup, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("home", "tmp", "here")]
    for folder in folders:
        folder.mkdir()
    given = tmp_path / "given"
    given.mkdir()
    path = given / "release.mp4"
    path.write_bytes(shown.released().path.read_bytes())
    before = listing(*folders, given)
    code = (
        "import sys; from pathlib import Path; from assent.verify.apart import *\n"
        "e = Examiner(Lookup(bundle=sys.argv[1]))\n"
        "print(e.examine(Path(sys.argv[2]), name='x')['verdict']); e.stop()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(lookup.bundle), str(path)],
        cwd=folders[2],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folders[0]),
            "TMPDIR": str(folders[1]),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "sealed"
    assert listing(*folders, given) == before


def test_the_process_may_write_no_file(lookup: Lookup) -> None:
    with Examiner(lookup) as made:
        made.start()
        limits = Path(f"/proc/{made.pid}/limits").read_text()
    (files,) = (line for line in limits.splitlines() if line.startswith("Max file size"))
    assert files.split()[3:5] == ["0", "0"]


def test_a_file_that_takes_too_long_is_given_up_and_the_next_examined(lookup: Lookup) -> None:
    with Examiner(lookup, bounds=Bounds(seconds=0.05)) as made:
        with pytest.raises(MediaError, match=r"took longer than 0 s") as told:
            made.examine(SAMPLES / "ada_train.mp4", name="ada.mp4")
        assert "--timeout" in told.value.advice
        assert made.pid is None


def test_a_decoder_that_needs_too_much_memory_is_told(lookup: Lookup) -> None:
    # Enough to start, not enough for the frames of a film.
    with Examiner(lookup, bounds=Bounds(memory=130 << 20)) as made:
        with pytest.raises(MediaError, match=r"memory|can't be"):
            made.examine(SAMPLES / "scene1_ada.mp4", name="scene.mp4")
        with pytest.raises(MediaError):
            made.examine(SAMPLES / "scene1_ada.mp4", name="scene.mp4")


def test_a_decoder_that_dies_is_told_and_replaced(shown: Stage, lookup: Lookup) -> None:
    with Examiner(lookup) as made:
        made.start()

        def kill(stage: str, done: int, total: int) -> None:
            made.kill()

        with pytest.raises(MediaError, match="its decoder failed"):
            made.examine(SAMPLES / "ada_train.mp4", name="ada.mp4", progress=kill)
        assert made.examine(shown.released().path, name="x")["verdict"] == "sealed"


def test_an_interrupt_leaves_no_process(lookup: Lookup) -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    made = Examiner(lookup)
    with pytest.raises(KeyboardInterrupt):
        made.examine(SAMPLES / "ada_train.mp4", name="ada.mp4", progress=interrupt)
    assert made.pid is None


def test_the_secret_is_in_no_text_about_the_lookup() -> None:
    assert "5ec3e7" not in repr(Lookup(log="x", secret="5ec3e7" * 8))
