"""The corner of the label, chosen without a browser."""

from pathlib import Path

from commands import Cli
from repairing import Desk

from assent.kit.imaging.label import Corner

HERE = ("repair", "label", "long.mp4", "--model", "portrait")


def test_a_corner_is_chosen_and_what_speaks_against_each_is_told(
    desk: Desk, tmp_path: Path
) -> None:
    cli = Cli(tmp_path, project=desk.stage.purpose.slug)
    told = {each["corner"]: each for each in cli.json(*HERE)}
    assert [each for each, place in told.items() if place["chosen"]] == ["top-right"]
    assert list(told) == [each.value for each in Corner]
    shown = cli.run(*HERE).stdout
    assert "Code of Practice" in shown
    chosen = cli.run(*HERE, "--corner", "bottom-left").stdout
    assert "Version 1 holds." in chosen
    assert "Code of Practice" in chosen
    told = {each["corner"]: each for each in cli.json(*HERE)}
    assert [each for each, place in told.items() if place["chosen"]] == ["bottom-left"]
    assert "label: bottom-left" in cli.run("repair", "show", *HERE[2:]).stdout
    assert cli.json(*HERE, "--corner", "top-left")["version"] == 2
    # There is no way to have none.
    assert "off" in cli.run(*HERE, "--corner", "off", code=2).stderr
    assert desk.render().label is Corner.TOP_LEFT
