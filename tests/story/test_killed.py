"""Killed at its worst moment, each step leaves nothing readable and finishes when run again."""

import signal
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import pytest
from av.error import FFmpegError
from commands import Cli

SAMPLES = Path(__file__).parents[2] / "samples"
# How clear media, pictures, arrays and models begin.
MAGIC = {
    "mp4": b"ftyp",
    "jpeg": b"\xff\xd8\xff",
    "png": b"\x89PNG",
    "matroska": b"\x1a\x45\xdf\xa3",
    "zip (npz)": b"PK\x03\x04",
    "npy": b"\x93NUMPY",
    "riff": b"RIFF",
}

# Streams without a header are guessed from a few bits: a frame or two is found in any database.
FRAMES = 8


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def readable_media(cli: Cli, *, but: frozenset[Path] = frozenset()) -> list[str]:
    """Return every file of the studio and of its temporary folder that shows a frame."""
    found = []
    for path in files_below(cli.studio, cli.folder / "tmp"):
        if path in but:
            continue
        head = path.read_bytes()[:64]
        found += [f"{path}: {name}" for name, magic in MAGIC.items() if magic in head[:12]]
        try:
            with av.open(str(path)) as container:
                if len(list(islice(container.decode(video=0), FRAMES))) == FRAMES:
                    found.append(f"{path}: decodes")
        except (FFmpegError, IndexError, ValueError):
            pass
    return found


def kill_at(
    cli: Cli,
    stage: str,
    *args: str | Path,
    after: float = 0.0,
    once: Callable[[], bool] = lambda: True,
) -> None:
    """Start a command, wait for it to say that it is at `stage` and for `once`, and kill it."""
    process = cli.start(*args)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(stage):
            break
    time.sleep(after)
    while not once():
        assert process.poll() is None, "it ended by itself"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, f"finished before it could be killed at {stage}"


@pytest.mark.parametrize("after", [0.0, 0.8])
def test_in_ingest(begun: Cli, after: float) -> None:
    clip = SAMPLES / "scene1_ada.mp4"
    add = ("footage", "add", clip, "--person", "ada", "--rights", "computer-generated")
    kill_at(begun, "looking for faces", *add, after=after)
    assert begun.json("footage", "list") == []
    assert readable_media(begun) == []
    begun.run(*add)
    assert [each["name"] for each in begun.json("footage", "list")] == ["scene1_ada.mp4"]
    assert readable_media(begun) == []


def test_in_training_goes_on_from_what_was_saved(filmed: Cli) -> None:
    # The engine that learns for as long as it is given: it is in the middle whenever it is killed.
    pair = ("--donor", "ben", "--performer", "ada")
    train = ("train", *pair, "--engine", "autoencoder", "--save-every", "1")

    def learned() -> bool:
        return any(each["iterations"] for each in filmed.json("model", "list"))

    kill_at(filmed, "training", *train, "--iterations", "100000", once=learned)
    assert readable_media(filmed) == []
    (saved,) = filmed.json("model", "list")
    assert saved["state"] == "training"
    assert saved["iterations"] > 0
    filmed.refused("render", "scene1_ada.mp4", "--model", "ben-for-ada", code=2)
    done = filmed.json(*train, "--iterations", str(saved["iterations"] + 2))
    assert done["iterations"] == saved["iterations"] + 2
    assert readable_media(filmed) == []


def test_in_rendering_goes_on_with_the_next_segment(filmed: Cli) -> None:
    filmed.run("train", "--donor", "ben", "--performer", "ada", "--iterations", "4")
    render = ("render", "scene1_ada.mp4", "--model", "ben-for-ada")
    kill_at(filmed, "rendering", *render)
    assert readable_media(filmed) == []
    assert filmed.json("draft", "list")[0]["state"] == "rendering"
    made = filmed.json(*render)
    assert (made["frames"], made["replaced"]) == (120, 120)
    assert len(filmed.json("draft", "list")) == 1
    assert readable_media(filmed) == []


@pytest.mark.parametrize("stage", ["labelling", "signing"])
def test_in_sealing(rendered: Cli, stage: str) -> None:
    draft = rendered.draft()
    kill_at(rendered, stage, "release", draft)
    assert readable_media(rendered) == []
    assert list((rendered.studio / "releases").iterdir()) == []
    released = Path(rendered.json("release", draft)["file"])
    assert readable_media(rendered, but=frozenset({released})) == []
    assert rendered.json("verify", released)["verdict"] == "sealed"


def test_interrupted_by_the_user_is_told_in_two_lines(filmed: Cli) -> None:
    process = filmed.start(
        "train", "--donor", "ben", "--performer", "ada", "--minutes", "5", "--engine", "autoencoder"
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("training"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "goes on where it stopped" in err
    assert "Traceback" not in err
