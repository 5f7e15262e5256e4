"""A label in another corner: shown, sealed, checked and found there, and nowhere else."""

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from casts import Cast, Stage, render_and_review
from PIL import Image

from assent.consent.clearance import Clearance
from assent.consent.desk import clear_all
from assent.create.draft import load
from assent.create.render import rendering_needs
from assent.create.repair.document import read_repairs
from assent.create.repair.store import Shot, held, keep
from assent.disclose._key import KEY
from assent.disclose.check import LABEL_SEEN
from assent.disclose.forms import Form, make_form
from assent.disclose.release import release
from assent.disclose.reopen import reopen
from assent.disclose.sealed import SealedVideo
from assent.disclose.standing import put_back, take_down
from assent.disclose.viewing.viewings import Side, Viewings
from assent.kit.errors import IntegrityError, SealError
from assent.kit.imaging.label import Corner, draw_label, label_present
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.store.tables import DraftRow
from assent.verify.examine import examine
from assent.verify.findings import Status

LOWER = Corner.BOTTOM_LEFT


def choose(stage: Stage, corner: Corner) -> None:
    """Have the label in that corner from now on."""
    shot = Shot(project_id=stage.purpose.project_id, clip=stage.scene, model=stage.model)
    repairs = read_repairs({"clip": shot.clip.sha256, "settings": {"label": corner.value}})
    needs = rendering_needs(shot.model, shot.clip)
    clearances = clear_all(stage.studio, stage.purpose, needs)
    keep(stage.studio, shot, repairs, clearances, expected=held(stage.studio, shot).number)


@pytest.fixture(scope="session")
def lowered(trained: Cast) -> Cast:
    def act(stage: Stage) -> None:
        choose(stage, LOWER)
        render_and_review(stage)
        stage.finish()

    return trained.then("lowered", act)


@pytest.fixture
def stage(lowered: Cast, tmp_path: Path) -> Stage:
    return lowered.open_copy(tmp_path / "studio")


@pytest.fixture
def video(stage: Stage) -> Iterator[SealedVideo]:
    sealed = reopen(stage.studio, stage.released().asset_id)
    with sealed.media:
        yield sealed


def shows(picture: Picture) -> set[Corner]:
    """Return the corners in which a picture has the label."""
    size = picture.width, picture.height
    return {
        corner
        for corner in Corner
        if label_present(picture, draw_label(*size, corner=corner)) > LABEL_SEEN
    }


def set_label(stage: Stage, value: str) -> None:
    """Do what whoever gets at the database can do."""
    with stage.studio.database.session() as session:
        session.query(DraftRow).one().label = value


def test_every_picture_of_the_release_has_it_there_alone(stage: Stage) -> None:
    made = stage.released()
    assert stage.draft.label is LOWER
    pictures = list(read_pictures(made.path, name="release"))
    assert len(pictures) == stage.draft.frames
    assert [shows(picture) for picture in pictures] == [{LOWER}] * len(pictures)
    found = examine(made.path, stage.log)
    (layer,) = (each for each in found.layers if each.name == "label")
    assert (layer.status, layer.facts["at_home"]) == (Status.GOOD, True)


def test_viewings_of_the_draft_have_it_there(stage: Stage) -> None:
    viewings = Viewings(stage.studio)
    viewing = viewings.open_draft(stage.purpose, stage.draft, by="kim")
    for side, expected in ((Side.AFTER, {LOWER}), (Side.MASK, {LOWER}), (Side.BEFORE, set())):
        for width in (256, 320):
            jpeg = viewings.picture(viewing.id, 3, by="kim", width=width, side=side)
            picture = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
            assert shows(from_rgb(picture)) == expected
    viewings.close()


def clearances_of(stage: Stage) -> tuple[Clearance, ...]:
    return clear_all(stage.studio, stage.purpose, stage.draft.needs(to_release=True))


@pytest.mark.parametrize("form", [Form.PNG, Form.MKV])
def test_forms_of_the_release_are_held_to_it(stage: Stage, form: Form) -> None:
    made = make_form(
        stage.studio, stage.purpose, stage.draft, stage.released().asset_id, form,
        clearances_of(stage), ask_again=lambda: clearances_of(stage),
    )  # fmt: skip
    if form is Form.PNG:
        shown = from_rgb(np.asarray(Image.open(made.path).convert("RGB")))
        assert shows(shown) == {LOWER}
    else:
        assert all(shows(each) == {LOWER} for each in read_pictures(made.path, name="form"))


def test_a_matte_is_opaque_there(stage: Stage) -> None:
    made = make_form(
        stage.studio, stage.purpose, stage.draft, stage.released().asset_id, Form.MATTE,
        clearances_of(stage), ask_again=lambda: clearances_of(stage),
    )  # fmt: skip
    with av.open(str(made.path)) as film:
        frame = next(film.decode(video=0))
    plane = frame.planes[3]
    alpha = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    opaque = alpha[: frame.height, : frame.width] >= alpha.max()

    def share(corner: Corner) -> float:
        label = draw_label(frame.width, frame.height, corner=corner)
        high, wide = label.alpha.shape
        return float(opaque[label.y : label.y + high, label.x : label.x + wide].mean())

    assert share(LOWER) == 1
    assert share(Corner.TOP_RIGHT) < 1


def test_the_corner_cannot_be_changed_behind_a_draft(stage: Stage, video: SealedVideo) -> None:
    asset = stage.released().asset_id
    set_label(stage, Corner.TOP_RIGHT.value)
    with pytest.raises(IntegrityError, match="not what was rendered"):
        load(stage.studio, stage_row(stage))
    with pytest.raises(SealError, match="label is missing"):
        reopen(stage.studio, asset)
    set_label(stage, "nowhere")
    with pytest.raises(IntegrityError, match="not what was rendered"):
        load(stage.studio, stage_row(stage))
    with pytest.raises(IntegrityError, match="not what was rendered"):
        reopen(stage.studio, asset)
    set_label(stage, LOWER.value)
    assert video.corner is LOWER
    fields = {name: getattr(video, name) for name in SealedVideo.__slots__}
    moved = SealedVideo(**{**fields, "corner": Corner.TOP_LEFT}, key=KEY)
    with pytest.raises(SealError, match="label is missing"):
        release(stage.studio, stage.purpose, moved)


def stage_row(stage: Stage) -> DraftRow:
    with stage.studio.database.session() as session:
        return session.query(DraftRow).one()


def test_a_release_is_put_back_with_it_there(stage: Stage) -> None:
    made = stage.released()
    film, proof = made.path.read_bytes(), made.proof.read_text()
    take_down(stage.studio, made.asset_id)
    assert put_back(stage.studio, made.asset_id, io.BytesIO(film), proof).state == "good"


def test_another_corner_is_another_draft_that_nobody_has_approved(stage: Stage) -> None:
    signed = stage.draft
    choose(stage, Corner.TOP_LEFT)
    moved = stage.render()
    assert moved.label is Corner.TOP_LEFT
    assert moved.id != signed.id
    assert moved.digest != signed.digest
    choose(stage, LOWER)
    assert stage.render() == signed
