"""The quality of a draft is told before it is released, and not after consent is withdrawn."""

from commands import Cli


def test_quality_is_told_before_release(rendered: Cli) -> None:
    draft = rendered.draft()
    told = rendered.json("draft", "quality", draft)
    assert told["frames"] == told["judged"] == 120
    assert told["verdict"]
    drawing = rendered.folder / "quality.svg"
    shown = rendered.run("draft", "quality", draft, "--out", drawing).stdout
    assert told["verdict"] in shown
    assert drawing.read_text().startswith("<svg")
    # A complete render is told again, in the same words.
    again = rendered.json("render", "scene1_ada.mp4", "--model", "ben-for-ada")
    assert (again["verdict"], again["advice"]) == (told["verdict"], told["advice"])

    assert told["worst"]
    rendered.run("draft", "sheet", draft, "--worst")
    (sheet,) = (rendered.studio / "previews").glob("*-worst-*.jpg")
    assert rendered.json("verify", sheet)["verdict"] == "sealed"

    record = rendered.json("consent", "list")[1]["record_id"]
    rendered.run("consent", "withdraw", record, "--yes")
    assert "withdrew" in rendered.refused("draft", "quality", draft)
    assert "withdrew" in rendered.refused("draft", "sheet", draft, "--worst")
