"""The eight steps with the command line, from a purpose to a withdrawal."""

import json
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from commands import Cli

SAMPLES = Path(__file__).parents[2] / "samples"


def reencode(source: Path, target: Path, crf: int = 28) -> None:
    """Encode again as a platform would: H.264 at `crf`, every bit of metadata gone."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        out = new.add_stream("libx264", rate=stream.average_rate, options={"crf": str(crf)})
        out.width, out.height = stream.width, stream.height
        out.pix_fmt = "yuv420p"
        for frame in old.decode(stream):
            clean = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")
            new.mux(out.encode(clean))
        new.mux(out.encode(None))


def layers(findings: dict[str, Any]) -> dict[str, str]:
    """What each layer found, without the forensic opinion, which never finds for or against."""
    found = {layer["name"]: layer["status"] for layer in findings["layers"]}
    assert found.pop("forensic") == "unknown"
    return found


def test_from_consent_to_withdrawal(rendered: Cli, tmp_path: Path) -> None:
    draft = rendered.draft()
    released = rendered.json("release", draft, "--spoken-notice", "en")
    video = Path(released["file"])
    again = rendered.json("release", draft, "--spoken-notice", "en")
    assert again == released

    sealed = rendered.json("verify", video)
    assert sealed["verdict"] == "sealed"
    assert set(layers(sealed).values()) == {"good"}

    # A stranger has the file and a copy of the log, nothing else.
    log = tmp_path / "mirror"
    shutil.copytree(rendered.studio / "log", log)
    stranger = Cli(tmp_path)
    (tmp_path / "tmp").mkdir()
    copy = tmp_path / "copy.mp4"
    reencode(video, copy)
    found = stranger.json("verify", copy, "--log", log)
    assert found["verdict"] == "copy"
    assert found["asset_id"] == released["asset_id"]
    assert layers(found) == {
        "manifest": "missing",
        "watermark": "good",
        "fingerprint": "good",
        "log": "good",
        "consent": "good",
        "label": "good",
    }
    untouched = stranger.json("verify", SAMPLES / "scene1_ada.mp4", "--log", log)
    assert untouched["summary"].startswith("No mark of this studio found")
    assert "proves nothing" in untouched["summary"]
    assert layers(untouched)["watermark"] == "missing"

    # No name of a person anywhere in what goes out.
    public = [video.read_bytes(), video.with_suffix(".tlog-proof").read_bytes()]
    public += [path.read_bytes() for path in log.rglob("*") if path.is_file()]
    for name in (b"computer-generated", b"ada_", b"ben_", b"scene1", b"handle"):
        assert not any(name in data for data in public), name

    record = rendered.json("consent", "list")[1]["record_id"]
    withdrawn = rendered.json("consent", "withdraw", record, "--yes")
    assert withdrawn["releases"] == [released["asset_id"]]
    for command in (
        ("train", "--donor", "ben", "--performer", "ada", "--iterations", "9"),
        ("render", "scene1_ada.mp4", "--model", "ben-for-ada"),
        ("review", draft),
        ("release", draft),
        ("draft", "sheet", draft),
        ("model", "sheet", "ben-for-ada"),
    ):
        assert "withdrew" in rendered.refused(*command)
    told = rendered.json("verify", copy)
    assert told["consent_withdrawn"]
    assert "withdrawn" in told["summary"]
    assert layers(told)["consent"] == "bad"
    assert rendered.json("monitor", "releases")[0]["withdrawn"]


def test_the_sealed_file_is_an_ordinary_video(rendered: Cli) -> None:
    video = Path(rendered.json("release", rendered.draft())["file"])
    with av.open(str(video)) as made, av.open(str(SAMPLES / "scene1_ada.mp4")) as shot:
        stream, plate = made.streams.video[0], shot.streams.video[0]
        assert (stream.width, stream.height) == (plate.width, plate.height)
        assert stream.codec_context.name == "h264"
        times = [frame.time for frame in made.decode(stream)]
        assert times == [frame.time for frame in shot.decode(plate)]
    with av.open(str(video)) as made, av.open(str(SAMPLES / "scene1_ada.mp4")) as shot:
        marked, heard = (
            np.concatenate([f.to_ndarray()[0] for f in clip.decode(audio=0)])
            for clip in (made, shot)
        )
        # The mark in the sound and one more encoding change it little, and shift it by nothing.
        length = min(len(marked), len(heard))
        assert abs(len(marked) - len(heard)) <= 2048
        error = marked[:length] - heard[:length]
        assert np.sqrt((error**2).mean()) < 0.25 * np.sqrt((heard**2).mean())


def test_sheets_leave_sealed(rendered: Cli) -> None:
    rendered.run("draft", "sheet", rendered.draft())
    rendered.run("model", "sheet", "ben-for-ada")
    sheets = sorted((rendered.studio / "previews").glob("*.jpg"))
    assert len(sheets) == 2
    for sheet in sheets:
        findings = rendered.json("verify", sheet)
        assert findings["verdict"] == "sealed"
        assert layers(findings)["watermark"] == "good"
    rendered.run("model", "curve", "ben-for-ada", "--out", rendered.folder / "curve.svg")
    assert (rendered.folder / "curve.svg").read_text().startswith("<svg")


def test_somebody_else_in_the_frame_is_refused(begun: Cli) -> None:
    add = ("--person", "ada", "--rights", "computer-generated")
    said = begun.refused("footage", "add", SAMPLES / "cleo_train.mp4", *add)
    assert "0:00.0 to 0:04.0" in said
    assert "consent" in said
    said = begun.refused("footage", "add", SAMPLES / "two_people.mp4", *add)
    assert "someone who has not consented" in said
    assert begun.json("footage", "list") == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--starts", "2020-01-01", "--ends", "2020-12-31"), "expired on 2020-12-31"),
        (("--forbid", "satire"), None),
    ],
)
def test_terms_are_kept(begun: Cli, options: tuple[str, ...], why: str | None) -> None:
    begun.add_person("cleo")
    begun.consent("cleo", *options)
    add = ("footage", "add", SAMPLES / "cleo_statement.mp4", "--person", "cleo", "--rights", "own")
    if why is None:
        begun.run(*add)
    else:
        assert why in begun.refused(*add)


def test_an_act_that_was_not_agreed_to_is_refused(begun: Cli) -> None:
    begun.add_person("cleo")
    begun.consent("cleo", acts=("ingest",))
    add = ("footage", "add", "--person", "cleo", "--rights", "own")
    begun.run(*add, SAMPLES / "cleo_statement.mp4")
    begun.add_footage("ben_statement.mp4", "ben")
    said = begun.refused("train", "--donor", "ben", "--performer", "cleo", "--iterations", "1")
    assert "cleo has not agreed to: train" in said


def test_consent_is_for_one_project(begun: Cli) -> None:
    brief = (begun.folder / "brief.toml").read_text()
    other = begun.folder / "other.toml"
    other.write_text(brief.replace("A lesson in two faces", "Another lesson"))
    begun.run("project", "create", "--brief", other, "--name", "other")
    begun.env["ASSENT_PROJECT"] = "other"
    add = ("--person", "ada", "--rights", "computer-generated")
    said = begun.refused("footage", "add", SAMPLES / "scene1_ada.mp4", *add)
    assert "ada has given no consent for 'other'" in said


def test_only_the_subject_can_sign(begun: Cli) -> None:
    begun.add_person("cleo")
    offer = begun.offer("cleo")
    signed = begun.folder / "forged"
    said = begun.refused(
        "consent", "sign", offer, "--key", begun.key("ada"), "--out", signed, "--yes", code=1
    )
    assert "not cleo's" in said


def test_a_changed_offer_is_refused(begun: Cli) -> None:
    begun.add_person("cleo")
    offer = begun.offer("cleo")
    record = json.loads(offer.read_text())
    record["scope"]["most_releases"] = 9999
    offer.write_text(json.dumps(record))
    signed = begun.folder / "cleo.signed"
    begun.run("consent", "sign", offer, "--key", begun.key("cleo"), "--out", signed, "--yes")
    said = begun.refused(*begun.accepting("cleo"))
    assert "not what was offered" in said


def test_forbidden_purposes_are_refused_by_name(begun: Cli) -> None:
    brief = (begun.folder / "brief.toml").read_text()
    bad = begun.folder / "bad.toml"
    bad.write_text(brief.replace("intimate = false", "intimate = true"))
    said = begun.refused("project", "create", "--brief", bad, "--name", "bad")
    assert "no-intimate-content" in said


def test_help_reads_as_the_eight_steps(begun: Cli) -> None:
    text = begun.run("--help").stdout
    panels = [line for line in text.splitlines() if " · " in line]
    assert [line.split("·")[0].strip("╭─ ") for line in panels] == list("12345678")


def test_high_risk_waits_for_the_reviewer(begun: Cli) -> None:
    brief = (begun.folder / "brief.toml").read_text()
    risky = begun.folder / "risky.toml"
    risky.write_text(
        brief.replace("political = false", "political = true")
        .replace("# reviewer =", "reviewer =")
        .replace('"handle"', '"cleo"')
    )
    begun.run("project", "create", "--brief", risky, "--name", "risky")
    begun.env["ASSENT_PROJECT"] = "risky"
    begun.add_person("cleo")
    for person in ("ada", "ben"):
        begun.consent(person)
    begun.add_footage("ben_statement.mp4", "ben")
    begun.add_footage("ada_statement.mp4", "ada")
    begun.run("train", "--donor", "ben", "--performer", "ada", "--iterations", "2")
    begun.run("render", "ada_statement.mp4", "--model", "ben-for-ada")
    draft = begun.draft()
    reviewed = begun.json("review", draft)
    assert (reviewed["risk"], reviewed["approved"]) == ("high", False)
    assert "cleo" in begun.refused("release", draft)
    sign = ("sign-off", draft, "--reviewer", "cleo", "--key")
    assert "not cleo's" in begun.refused(*sign, begun.key("ada"), code=1)
    begun.run(*sign, begun.key("cleo"))
    begun.run("release", draft)


def test_the_demo_says_when_its_clips_are_missing(begun: Cli, tmp_path: Path) -> None:
    said = begun.refused("demo", tmp_path / "d", "--samples", tmp_path, code=2)
    assert "clips are not here" in said
