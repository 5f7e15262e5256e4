"""Files that are broken, odd or hostile: a result or a clear refusal, and a studio left whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from commands import Cli

if TYPE_CHECKING:
    from clips import Clips

SAMPLES = Path(__file__).parents[2] / "samples"
ADD = ("--person", "ada", "--rights", "computer-generated")


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ("missing", "missing"),
        ("empty", "empty"),
        ("text", "text.mp4"),
        ("truncated", "truncated"),
        ("cut_short", "cut off"),
        ("sound_only", "sound"),
        ("playlist", "playlist"),
        ("script", "script"),
        ("encrypted", "encrypted"),
        ("no_pictures", "no_pictures"),
        ("interlaced", "interlaced"),
        ("one_frame", "shows no face"),
        ("silent", "shows no face"),
    ],
)
def test_flawed_clips_are_refused_in_two_lines(
    begun: Cli, clips: "Clips", flaw: str, says: str
) -> None:
    said = begun.refused("footage", "add", getattr(clips, flaw)(), *ADD, code=2)
    assert says in said
    assert begun.json("footage", "list") == []


def test_a_clip_without_faces_is_refused(begun: Cli) -> None:
    said = begun.refused("footage", "add", SAMPLES / "no_face.mp4", *ADD, code=2)
    assert "shows no face" in said


def remake(
    target: Path, *, frames: int = 30, rotate: int = 0, crop: int = 0, vfr: bool = False
) -> None:
    """Remake the start of ada's statement: turned by metadata, of odd size, or in uneven time."""
    with av.open(str(SAMPLES / "ada_statement.mp4")) as old, av.open(str(target), "w") as new:
        out = new.add_stream("libx264", rate=25, options={"crf": "20"})
        size = 384 - crop
        out.width = out.height = size
        out.pix_fmt = "yuv444p" if crop % 2 else "yuv420p"
        out.set_display_rotation(-rotate)
        for index, frame in enumerate(old.decode(video=0)):
            if index == frames:
                break
            rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)[:size, :size]
            upright = np.ascontiguousarray(np.rot90(rgb, rotate // 90))
            picture = av.VideoFrame.from_ndarray(upright, "rgb24")
            picture.pts = index * (2 if vfr and index > 10 else 1)
            new.mux(out.encode(picture))
        new.mux(out.encode(None))


@pytest.mark.parametrize(
    "oddity", [{"vfr": True}, {"crop": 1}, {"rotate": 90}], ids=["uneven", "odd size", "turned"]
)
def test_odd_clips_go_the_whole_way(filmed: Cli, tmp_path: Path, oddity: dict[str, Any]) -> None:
    clip = tmp_path / "odd.mp4"
    remake(clip, **oddity)
    filmed.run("footage", "add", clip, *ADD)
    filmed.run("train", "--donor", "ben", "--performer", "ada", "--iterations", "2")
    filmed.run("render", clip.name, "--model", "ben-for-ada")
    draft = filmed.draft()
    filmed.run("review", draft)
    video = Path(filmed.json("release", draft)["file"])
    assert filmed.json("verify", video)["verdict"] == "sealed"
    with av.open(str(video)) as made, av.open(str(clip)) as shot:
        times = [f.time for f in made.decode(video=0)]
        assert times == pytest.approx([f.time for f in shot.decode(video=0)])


@pytest.mark.parametrize("name", ["empty.bin", "text.mp4", "half.mp4"])
def test_verify_refuses_what_is_no_media(begun: Cli, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    whole = (SAMPLES / "scene1_ada.mp4").read_bytes()
    path.write_bytes({"empty.bin": b"", "text.mp4": b"hello", "half.mp4": whole[:5000]}[name])
    said = begun.refused("verify", path, code=2)
    assert name in said


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("project", "show", "nothing"), 2),
        (("person", "add", "Ada!", "--name", "x", "--key", "nokey"), 2),
        (("consent", "withdraw", "nothing", "--yes"), 2),
        (("train", "--donor", "ben", "--performer", "nobody"), 2),
        (("train", "--donor", "ben", "--performer", "ada"), 2),
        (("render", "nothing", "--model", "nothing"), 2),
        (("review", "nothing"), 2),
        (("release", "nothing"), 2),
        (("model", "sheet", "nothing"), 2),
        (("verify", "nothing.mp4"), 2),
        (("monitor", "scan", "nothing"), 2),
        (("consent", "sign", "nothing", "--key", "nothing", "--out", "nothing", "--yes"), 2),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_said(begun: Cli, args: tuple[str, ...], code: int) -> None:
    said = begun.refused(*args, code=code)
    assert len(said.splitlines()) == 2


def test_a_folder_that_is_no_studio(begun: Cli, tmp_path: Path) -> None:
    begun.env["ASSENT_STUDIO"] = str(tmp_path)
    assert "not an Assent studio" in begun.refused("project", "list", code=2)


def test_a_full_disk_leaves_the_studio_whole(rendered: Cli) -> None:
    """The file size limit stands in for a full disk: the kernel refuses to write on."""
    import resource

    draft = rendered.draft()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        said = rendered.refused("release", draft, code=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "too large" in said or "full" in said
    assert list((rendered.studio / "releases").glob("*.mp4")) == []
    rendered.run("release", draft)
