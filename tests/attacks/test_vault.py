"""Files in the vault, exchanged, altered or read without leave; releases after the fact."""

from pathlib import Path

import pytest
from attempts import refused
from casts import RIGHTS, Cast, Stage, cut_clip

from assent.data.ingest import ingest
from assent.disclose.entry import SealEntry
from assent.kit.store.tables import (
    ConsentRow,
    DraftRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    SegmentRow,
)


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def blob_file(stage: Stage, blob: str) -> Path:
    (path,) = (path for path in stage.studio.vault_folder.rglob("*") if path.name == blob)
    return path


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def model_row(stage: Stage) -> ModelRow:
    with stage.studio.database.session() as session:
        return session.query(ModelRow).one()


def test_model_file_exchanged(trained: Cast, tmp_path: Path) -> None:
    """The model's file in the vault is exchanged for another one of the same people."""
    stage = trained.open_copy(tmp_path / "exchanged")
    row = model_row(stage)
    other = blob_file(stage, str(row.checkpoint_blob)).read_bytes()
    overwrite(blob_file(stage, str(row.model_blob)), other)
    with refused("was changed, or is another file under that name"):
        stage.render()


def test_model_exchanged_in_the_database(stage: Stage) -> None:
    """The model's row points at another file of the same people."""
    row = model_row(stage)
    with stage.studio.database.session() as session:
        kept = session.get_one(ModelRow, row.id)
        kept.model_blob = kept.sheet_blob
    with refused("is not what it was when it was put away"):
        stage.render()


def test_donor_exchanged_in_the_database(stage: Stage) -> None:
    """The model is said to be of somebody else, who agreed."""
    with stage.studio.database.session() as session:
        row = session.query(ModelRow).one()
        row.donor_id, row.performer_id = row.performer_id, row.donor_id
    with refused("doesn't fit scene.mp4: the clip must show its performer"):
        stage.render()


def test_footage_edited_after_acceptance(stage: Stage) -> None:
    """A byte of footage is changed in the vault after it was taken in."""
    path = blob_file(stage, stage.scene.blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))
    with refused("was changed"):
        stage.finish()


def test_footage_exchanged_in_the_database(stage: Stage) -> None:
    """The scene's row points at other footage of the same person."""
    with stage.studio.database.session() as session:
        rows = {row.name: row for row in session.query(FootageRow)}
        rows["scene.mp4"].blob = rows["ada.mp4"].blob
    with refused("is not what was rendered"):
        stage.finish()


def test_person_struck_out_of_footage(stage: Stage) -> None:
    """Somebody is struck off the list of those who are in the footage."""
    with stage.studio.database.session() as session:
        session.query(FootageRow).filter_by(name="scene.mp4").one().people = [stage.ben.id]
    with refused("is not what it was when it was put away"):
        stage.finish()


def test_face_set_given_to_another(stage: Stage) -> None:
    """Ada's face set is made Ben's in the database, to train his model on her."""
    with stage.studio.database.session() as session:
        session.query(FaceSetRow).filter_by(person_id=stage.ada.id).first().person_id = (  # type: ignore[union-attr]
            stage.ben.id
        )
    with refused("is not what it was when it was put away"):
        stage.fit(name="another", iterations=2)


def test_rendered_frames_exchanged(stage: Stage) -> None:
    """The frames of a draft that passed review are exchanged for others."""
    with stage.studio.database.session() as session:
        segment = session.query(SegmentRow).first()
        assert segment is not None
        segment.blob = str(session.query(ModelRow).one().sheet_blob)
    with refused("is not what was rendered"):
        stage.finish()


def test_draft_of_other_footage(stage: Stage) -> None:
    """A reviewed draft is laid over other footage than it was made of."""
    with stage.studio.database.session() as session:
        other = session.query(FootageRow).filter_by(name="ben.mp4").one().id
        session.query(DraftRow).one().footage_id = other
    with refused("draft"):
        stage.finish()


def test_footage_of_somebody_else(stage: Stage) -> None:
    """Cleo's footage is handed in as Ada's."""
    clip = cut_clip(stage.clips.parent / "cleo.mp4", "cleo_train.mp4", frames=12)
    with refused("cleo.mp4"):
        ingest(stage.studio, stage.purpose, clip, [stage.ada.person], rights=RIGHTS)


def test_footage_with_somebody_beside(stage: Stage) -> None:
    """Footage of Ada in which Ben is too is handed in as Ada's alone."""
    clip = cut_clip(
        stage.clips.parent / "both.mp4", "two_people.mp4", frames=12, width=576, height=384
    )
    with refused("both.mp4 shows"):
        ingest(stage.studio, stage.purpose, clip, [stage.ada.person], rights=RIGHTS)


def test_released_bytes_changed(released: Cast, tmp_path: Path) -> None:
    """A sealed file is changed, and then released again."""
    stage = released.open_copy(tmp_path / "released")
    path = stage.released().path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))
    with refused("or its proof is not what was released"):
        stage.released()


def test_releases_struck_out(rendered: Cast, tmp_path: Path) -> None:
    """Releases are struck out of the database, so that they don't count against the limit."""
    stage = rendered.open_copy(tmp_path / "spent")
    with stage.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=stage.ada.id).one()
    for number in range(row.document["scope"]["most_releases"]):
        entry = SealEntry(
            media="video",
            asset_id=f"{number:016x}",
            sha256="11" * 32,
            fingerprint="ISCC:X",
            frames=9,
            receipts=(str(row.receipt_hash),),
            time="2026-11-22T00:00:00Z",
        )
        stage.studio.log.append([entry.to_bytes()])
    with refused("release(s), and the log holds as many"):
        stage.finish()
