"""Attempts to get a face past its owner's consent: each must end in a refusal."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from _disguises import morph
from casts import RIGHTS, Cast, Stage
from numpy.typing import NDArray
from scenes import pictures, write_clip
from studios import Member

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import Need
from assent.consent.enrolment import unpack_templates
from assent.consent.locker import Locker
from assent.data.clips import find_clip, list_clips
from assent.data.doubts import list_doubts
from assent.data.ingest import Bystanders, Ingested, ingest
from assent.kit.errors import (
    IntegrityError,
    MediaError,
    NotClearedError,
    SignOffError,
    UnlistedFaceError,
)
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.mesh import MeshFinder, landmarks_of
from assent.kit.store.tables import ConsentRow, FaceSetRow, FootageRow, ModelRow, SegmentRow
from assent.train.models import find_model, training_needs

Rgb = NDArray[np.uint8]
Change = Callable[[Stage], None]


def ada(number: int) -> Rgb:
    return pictures("ada_train", 0, 50)[number]


def ben(number: int, side: int = 384) -> Rgb:
    rgb = pictures("ben_train", 0, 50)[number]
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def beside(number: int, other: Rgb | None, x: int = 620, y: int = 140) -> Rgb:
    """Ada in a wide frame, and something else at that place of it."""
    frame = np.full((480, 960, 3), (118, 122, 126), np.uint8)
    frame[48:432, 60:444] = ada(number)
    if other is not None:
        frame[y : y + other.shape[0], x : x + other.shape[1]] = other
    return frame


def second_half() -> Iterator[Rgb]:
    yield from (ada(number) if number < 14 else ben(number) for number in range(28))


def three_frames() -> Iterator[Rgb]:
    yield from (ben(number) if 12 <= number < 15 else ada(number) for number in range(26))


def three_frames_in_a_corner(first: int) -> Callable[[], Iterator[Rgb]]:
    def play() -> Iterator[Rgb]:
        for number in range(30):
            shown = ben(number, 220) if first <= number < first + 3 else None
            yield beside(number, shown)

    return play


def printed_photo() -> Iterator[Rgb]:
    yield from (beside(number, ben(5, 110), x=800, y=40) for number in range(26))


def upside_down() -> Iterator[Rgb]:
    yield from (beside(number, ben(number, 300)[::-1]) for number in range(30))


def lying() -> Iterator[Rgb]:
    yield from (beside(number, np.rot90(ben(number, 300))) for number in range(26))


def tiny() -> Iterator[Rgb]:
    yield from (beside(number, ben(number, 84)) for number in range(26))


def half_out_of_the_frame() -> Iterator[Rgb]:
    yield from (beside(number, ben(number, 300)[:, :160], x=800) for number in range(26))


def swapped_places() -> Iterator[Rgb]:
    """Ada's and Ben's heads change places in the middle of the shot."""
    for number in range(28):
        left, right = (ada(number), ben(number)) if number < 14 else (ben(number), ada(number))
        yield np.concatenate([left, right], axis=1)


def fading() -> Iterator[Rgb]:
    """Ada's picture turns into Ben's, without a cut."""
    for number in range(28):
        share = np.clip((number - 10) / 8, 0, 1)
        yield np.round(ada(number) * (1 - share) + ben(number) * share).astype(np.uint8)


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


def try_footage(stage: Stage, path: Path, *handles: str, **more: Any) -> Ingested:  # noqa: ANN401 - arguments of `ingest`
    people = [getattr(stage, handle).person for handle in handles]
    return ingest(stage.studio, stage.purpose, path, people, rights=RIGHTS, **more)


@pytest.mark.parametrize(
    "play",
    [
        second_half,
        three_frames,
        three_frames_in_a_corner(9),
        three_frames_in_a_corner(12),
        printed_photo,
        upside_down,
        lying,
        tiny,
        half_out_of_the_frame,
        swapped_places,
        fading,
    ],
    ids=lambda play: str(play.__qualname__).split(".")[0],
)
def test_someone_who_was_not_named_is_found(
    stage: Stage, tmp_path: Path, play: Callable[[], Iterator[Rgb]]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", play())
    with pytest.raises(UnlistedFaceError, match=r"at 0:0\d\.\d"):
        try_footage(stage, path, "ada")
    with stage.studio.database.session() as session:
        assert session.query(FootageRow).count() == 0


def test_two_who_agreed_may_change_places(stage: Stage, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", swapped_places())
    made = try_footage(stage, path, "ada", "ben")
    assert set(made.faces) == {"ada", "ben"}
    tracks = made.clip.tracks(Locker(stage.studio), stage.asking(made.clip.needs())())
    for track in tracks:
        middles = track.landmarks[..., 0].mean(axis=1)
        left = (middles < 384) == (track.index < 14)
        assert left.all() if track.person_id == stage.ada.id else not left.any()


def mixed(share: float) -> Iterator[Rgb]:
    detector, finder = DlibDetector(), MeshFinder()

    def points(rgb: Rgb) -> NDArray[np.float32]:
        return landmarks_of(finder.fit(rgb, detector.find(rgb)[0].box).points)

    for number in range(8):
        one, other = ada(number), ben(number)
        yield morph(one, points(one), other, points(other), share)


def test_a_face_mixed_of_two_people_is_for_a_person_to_decide(stage: Stage, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", mixed(0.5))
    for handles in (("ada",), ("ben",), ("ada", "ben")):
        with pytest.raises((SignOffError, UnlistedFaceError), match=r"distance 0\.[45]"):
            try_footage(stage, path, *handles)
    with stage.studio.database.session() as session:
        assert session.query(FootageRow).count() == 0
    assert list_doubts(stage.studio, stage.purpose)


def test_footage_of_one_under_the_name_of_another(stage: Stage) -> None:
    with pytest.raises(UnlistedFaceError, match=r"distance 0\.[678]"):
        try_footage(stage, stage.clips / "ben.mp4", "ada")


def test_hiding_bystanders_does_not_hide_who_is_who(stage: Stage) -> None:
    """Naming Ada for Ben's footage and hiding "the other" leaves nobody."""
    with pytest.raises(MediaError, match="shows no face"):
        try_footage(stage, stage.clips / "ben.mp4", "ada", bystanders=Bystanders.BLUR)


def test_the_enrolment_of_one_for_another(stage: Stage) -> None:
    """Ben's templates under Ada's record, as only a thief of her key could put them there."""
    with stage.studio.database.session() as session:
        rows = {row.person_id: row for row in session.query(ConsentRow)}
        blob = rows[stage.ben.id].enrolment_blob
        rows[stage.ada.id].enrolment_blob = blob
    with pytest.raises(NotClearedError):
        try_footage(stage, stage.clips / "ada.mp4", "ada")
    (clearance,) = stage.asking(needs_of(stage.ben))()
    templates = unpack_templates(Locker(stage.studio).read(str(blob), [clearance]))
    (own,) = stage.asking(needs_of(stage.ada))()
    stolen = io.BytesIO()
    np.save(stolen, templates)
    forged = Locker(stage.studio).put([stolen.getvalue()], [own])
    with stage.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=stage.ada.id).one().enrolment_blob = forged
    # Her own footage is refused then: it doesn't match any more.
    with pytest.raises(UnlistedFaceError):
        try_footage(stage, stage.clips / "ada.mp4", "ada")


def needs_of(member: Member) -> list[Need]:
    return [Need(person_id=member.id, acts=frozenset({Act.INGEST}))]


def to_train(stage: Stage) -> Sequence[Clearance]:
    return stage.asking(training_needs(stage.ben.id, stage.ada.id))()


@pytest.fixture
def made(trained: Cast, tmp_path: Path) -> Stage:
    return trained.open_copy(tmp_path / "made")


def edit(stage: Stage, table: Any, change: Callable[[Any], None], **where: Any) -> None:  # noqa: ANN401 - rows
    with stage.studio.database.session() as session:
        change(session.query(table).filter_by(**where).first())


def setting(**values: Any) -> Callable[[Any], None]:  # noqa: ANN401 - columns
    def change(row: Any) -> None:  # noqa: ANN401 - a row
        for name, value in values.items():
            setattr(row, name, value)

    return change


@pytest.mark.parametrize(
    "values",
    [
        {"people": []},
        {"rights": "bought"},
        {"sha256": "0" * 64},
        {"name": "holiday.mp4"},
        {"frames": 1},
        {"keep_sound": False},
        {"hidden": 3},
        {"binding": ""},
    ],
    ids=lambda values: str(next(iter(values))),
)
def test_a_footage_row_edited_by_hand(made: Stage, values: dict[str, Any]) -> None:
    clip = made.scene
    needs = clip.needs()
    edit(made, FootageRow, setting(**values), id=clip.id)
    (edited,) = [each for each in list_clips(made.studio, made.purpose) if each.id == clip.id]
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        edited.open(Locker(made.studio), made.asking(needs)())
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        edited.tracks(Locker(made.studio), made.asking(needs)())


def test_the_footage_of_another_clip_in_its_place(made: Stage) -> None:
    with made.studio.database.session() as session:
        rows = {row.name: row for row in session.query(FootageRow)}
        scene, other = rows["scene.mp4"], rows["ada.mp4"]
        scene.blob, other.blob = other.blob, scene.blob
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        made.render()


def test_a_vault_file_edited_after_it_was_accepted(made: Stage) -> None:
    clip = made.scene
    path = made.studio.vault_folder / clip.blob[:2] / clip.blob
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        made.render()


def test_a_vault_file_exchanged_for_another(made: Stage) -> None:
    clip = made.scene
    other = find_clip(made.studio, made.purpose, "ada.mp4")
    source = made.studio.vault_folder / other.blob[:2] / other.blob
    target = made.studio.vault_folder / clip.blob[:2] / clip.blob
    target.chmod(0o600)
    target.write_bytes(source.read_bytes())
    with pytest.raises(IntegrityError):
        made.render()


def test_a_file_that_changes_while_it_is_taken_in(stage: Stage, tmp_path: Path) -> None:
    """Ada's clip is shown, and Ben's lies there when it is stored."""
    path = tmp_path / "clip.mp4"
    path.write_bytes((stage.clips / "ada.mp4").read_bytes())

    def exchange(what: str, done: int, total: int) -> None:
        path.write_bytes((stage.clips / "ben.mp4").read_bytes())

    taken = try_footage(stage, path, "ada", progress=exchange)
    kept = taken.clip.open(Locker(stage.studio), stage.asking(taken.clip.needs())())
    assert kept.read() == (stage.clips / "ada.mp4").read_bytes()


def test_a_model_of_the_same_two_the_other_way_round(made: Stage) -> None:
    """Ben agreed to lend his face; the model's row says that Ada did."""
    edit(made, ModelRow, setting(donor_id=made.ada.id, performer_id=made.ben.id))
    model = find_model(made.studio, made.purpose, "ben-for-ada")
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        model.open(Locker(made.studio), to_train(made))


def test_another_models_bytes_under_its_name(made: Stage) -> None:
    clearances = to_train(made)
    blob = Locker(made.studio).put([b"another model"], clearances)
    edit(made, ModelRow, setting(model_blob=blob))
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        made.render()
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        made.fit(iterations=4)


def test_a_face_set_of_somebody_else(made: Stage) -> None:
    """Ben's model is to learn from Ada's faces."""
    with made.studio.database.session() as session:
        sets = {row.person_id: row for row in session.query(FaceSetRow)}
        sets[made.ben.id].person_id, sets[made.ada.id].person_id = made.ada.id, made.ben.id
    with pytest.raises((IntegrityError, NotClearedError)):
        made.fit(name="another", iterations=1)


def test_a_segment_exchanged_while_a_render_waits(made: Stage) -> None:
    class Killed(BaseException):
        pass

    def kill(what: str, done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        made.render(progress=kill)
    edit(made, SegmentRow, setting(frames=30))
    with pytest.raises(IntegrityError, match="segment 0 of draft"):
        made.render()


def test_a_clearance_of_others_opens_nothing(made: Stage) -> None:
    clip = made.scene
    ben_only = made.asking(needs_of(made.ben))()
    for attempt in (clip.open, clip.tracks):
        with pytest.raises(NotClearedError):
            attempt(Locker(made.studio), ben_only)
    forged = replace(clip, people=(made.ben.id,))
    with pytest.raises(NotClearedError):
        forged.open(Locker(made.studio), ben_only)
