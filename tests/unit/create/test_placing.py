from pathlib import Path

import numpy as np
import pytest
from casts import Cast

from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.placing import placings, placings_in
from assent.create.render import rendering_needs
from assent.data.tracks import PersonTrack
from assent.kit.imaging.label import Corner, draw_label


def at(x: float, y: float, side: float, frames: int = 3, first: int = 7) -> PersonTrack:
    """Somebody whose face is a square that stays where it is."""
    points = np.array([[x, y, 0], [x + side, y + side, 0]], np.float32)
    return PersonTrack(
        person_id="1",
        index=np.arange(first, first + frames),
        pts=np.arange(frames),
        seconds=np.arange(frames) / 25,
        landmarks=np.zeros((frames, 68, 2), np.float32),
        meshes=np.broadcast_to(points, (frames, 2, 3)).copy(),
    )


def test_nothing_speaks_against_the_usual_corner_of_an_upright_film() -> None:
    places = {each.corner: each for each in placings((), 1080, 1920)}
    assert list(places) == list(Corner)
    assert all((each.over, each.cut[1:]) == ((), ()) for each in places.values())
    assert places[Corner.TOP_RIGHT].covered == ()
    (asked,) = places[Corner.TOP_LEFT].warnings[len(places[Corner.TOP_LEFT].cut) :]
    assert "Code of Practice" in asked
    assert places[Corner.BOTTOM_RIGHT].covered == ("9:16",)


def test_a_face_under_a_corner_is_told_frame_by_frame() -> None:
    label = draw_label(640, 480, corner=Corner.BOTTOM_LEFT)
    under = at(label.x + 2.0, label.y + 2.0, 4)
    beside = at(label.x + label.alpha.shape[1] + 60.0, label.y, 4, first=0)
    places = {each.corner: each for each in placings([under, under, beside], 640, 480)}
    lower = places[Corner.BOTTOM_LEFT]
    assert lower.over == (7, 8, 9)
    assert lower.warnings[0] == "It lies over a face in 3 frames, first in frame 7."
    told = lower.to_json()
    assert (told["corner"], told["over_face"], told["first_over_face"]) == ("bottom-left", 3, 7)
    assert places[Corner.TOP_RIGHT].over == ()
    assert places[Corner.TOP_RIGHT].to_json()["first_over_face"] is None
    (once,) = (e for e in placings([at(label.x, label.y, 4, 1)], 640, 480) if e.over == (7,))
    assert "in 1 frame, first in frame 7" in once.warnings[0]


def test_crops_and_players_are_named() -> None:
    (usual, *_, lower) = placings((), 640, 480)
    # Of an older television's picture a crop to a wide one cuts the upper edge.
    assert usual.warnings == (
        "A crop to 16:9 cuts it.",
        "In 9:16, players lay their own buttons over it.",
    )
    assert "In 16:9 and 9:16, players" in lower.warnings[0]


def test_a_real_clip(trained: Cast, tmp_path: Path) -> None:
    stage = trained.open_copy(tmp_path / "studio")
    needs = rendering_needs(stage.model, stage.scene)
    locker, clearances = Locker(stage.studio), clear_all(stage.studio, stage.purpose, needs)
    tracks = stage.scene.tracks(locker, clearances)
    for each in placings_in(stage.scene, locker, clearances):
        label = draw_label(256, 256, corner=each.corner)
        high, wide = label.alpha.shape
        assert each.box == (label.x, label.y, label.x + wide, label.y + high)
        assert set(each.over) <= {int(n) for track in tracks for n in track.index}


@pytest.mark.parametrize("names", [("a", "b", "c")])
def test_many_crops_are_listed(names: tuple[str, ...]) -> None:
    (place, *_) = placings((), 640, 480)
    shown = type(place)(
        corner=place.corner, box=place.box, over=(), cut=names, covered=()
    ).warnings  # fmt: skip
    assert shown == ("A crop to a, b and c cuts it.",)
