from pathlib import Path

import pytest
from studios import Scene, add_draft

from assent.consent.desk import clear
from assent.disclose.made import made_with, read_preview, read_sheet, sheets_of
from assent.disclose.still import _seal
from assent.kit.errors import NotFoundError, SealError
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures
from assent.kit.store.tables import DraftRow, ReleaseRow


def preview_of(scene: Scene, draft_id: str, samples: Path) -> Path:
    """Seal a picture as if it were the draft's sheet."""
    clip = samples / "ben_statement.mp4"
    picture = to_rgb(next(iter(read_pictures(clip, name=clip.name))))
    cleared = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[])
    return _seal(
        scene.studio, scene.purpose, picture, [cleared], f"lesson-{draft_id[:8]}", draft_id=draft_id
    )


def test_people_see_what_shows_them(scene: Scene) -> None:
    draft_id = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    for who in (scene.ada, scene.ben):
        (made,) = made_with(scene.studio, who.person)
        assert (made.draft_id, made.digest, made.previews) == (draft_id, "1" * 64, ())
        assert made.asset_id is None
    assert made_with(scene.studio, scene.cleo.person) == ()


def test_only_what_is_complete(scene: Scene) -> None:
    draft_id = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    with scene.studio.database.session() as session:
        session.get_one(DraftRow, draft_id).state = "rendering"
    assert made_with(scene.studio, scene.ada.person) == ()


def test_releases_are_told(scene: Scene) -> None:
    draft_id = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    row = ReleaseRow(asset_id="a" * 16, draft_id=draft_id, state="sealing", created="now")
    with scene.studio.database.session() as session:
        session.add(row)
    assert made_with(scene.studio, scene.ada.person)[0].asset_id is None
    with scene.studio.database.session() as session:
        session.get_one(ReleaseRow, row.asset_id).state = "released"
        session.get_one(ReleaseRow, row.asset_id).name = "lesson.mp4"
    (made,) = made_with(scene.studio, scene.ada.person)
    assert (made.asset_id, made.file) == ("a" * 16, "lesson.mp4")


def test_previews_are_for_those_whom_they_show(scene: Scene, samples: Path) -> None:
    draft_id = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    path = preview_of(scene, draft_id, samples)
    (made,) = made_with(scene.studio, scene.ada.person)
    (preview,) = made.previews
    assert preview.name == path.name
    assert read_preview(scene.studio, scene.ada.person, path.name) == path.read_bytes()
    for name in (path.name, "../studio.db", ""):
        with pytest.raises(NotFoundError, match="no such preview"):
            read_preview(scene.studio, scene.cleo.person, name)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(SealError, match="not of these bytes"):
        read_preview(scene.studio, scene.ada.person, path.name)
    path.unlink()
    with pytest.raises(NotFoundError, match="no such preview"):
        read_preview(scene.studio, scene.ada.person, path.name)


def test_sheets_are_read_by_their_draft(scene: Scene, samples: Path) -> None:
    draft_id = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    path = preview_of(scene, draft_id, samples)
    (sheet,) = sheets_of(scene.studio, draft_id)
    assert sheet.name == path.name
    assert read_sheet(scene.studio, draft_id, sheet.name) == path.read_bytes()
    assert sheets_of(scene.studio, "another") == ()
    for draft, name in (("another", sheet.name), (draft_id, "../studio.db"), (draft_id, "")):
        with pytest.raises(NotFoundError, match="no such preview"):
            read_sheet(scene.studio, draft, name)
