from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.consent.clearance import Act, Modality
from assent.create.draft import digest_of, find_draft, list_drafts, load
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.store.tables import DraftRow


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def test_a_draft_is_found_by_the_beginning_of_its_id(stage: Stage) -> None:
    draft = stage.draft
    for part in (draft.id, draft.id[:8], draft.id[:1]):
        assert find_draft(stage.studio, stage.purpose, part) == draft
    for part in ("", "x", draft.id + "0"):
        with pytest.raises(NotFoundError):
            find_draft(stage.studio, stage.purpose, part)
    assert (draft.donor_id, draft.performer_id) == (stage.ben.id, stage.ada.id)


def test_one_of_several_must_be_meant(stage: Stage) -> None:
    (row,) = list_drafts(stage.studio, stage.purpose)
    with stage.studio.database.session() as session:
        session.add(
            DraftRow(
                id=row.id[:4] + "x" * 28, project_id=row.project_id, model_id=row.model_id,
                footage_id=row.footage_id, model_blob=row.model_blob, state="rendering",
                created=row.created,
            )
        )  # fmt: skip
    with pytest.raises(NotFoundError):
        find_draft(stage.studio, stage.purpose, row.id[:4])
    with pytest.raises(InputError, match="not complete"):
        find_draft(stage.studio, stage.purpose, row.id[:4] + "x")


@pytest.mark.parametrize(("column", "value"), [("state", "rendering"), ("digest", None)])
def test_an_unfinished_draft_does_not_load(stage: Stage, column: str, value: object) -> None:
    (row,) = list_drafts(stage.studio, stage.purpose)
    setattr(row, column, value)
    with pytest.raises(InputError, match="not complete"):
        load(stage.studio, row)


def test_the_digest_binds_whose_and_of_what(stage: Stage) -> None:
    (row,) = list_drafts(stage.studio, stage.purpose)
    clip, own = stage.scene, stage.draft.digest
    assert digest_of(row, stage.ada.id, clip, ["a"]) != digest_of(row, stage.ben.id, clip, ["a"])
    assert digest_of(row, stage.ben.id, clip, ["a", "b"]) != digest_of(
        row, stage.ben.id, clip, ["b", "a"]
    )
    row.digest = own[::-1]
    with pytest.raises(IntegrityError, match="not what was rendered"):
        load(stage.studio, row)


def test_what_must_be_asked_before_it_is_looked_at_or_released(stage: Stage) -> None:
    for to_release in (False, True):
        donor, performer = stage.draft.needs(to_release=to_release)
        assert (donor.person_id, performer.person_id) == (stage.ben.id, stage.ada.id)
        assert {Act.PORTRAY} <= donor.acts
        assert {Act.PERFORM} <= performer.acts
        assert (Act.RELEASE in donor.acts) == (Act.RELEASE in performer.acts) == to_release
        # The scene has ada's voice.
        assert Modality.VOICE in performer.modalities
        assert Modality.VOICE not in donor.modalities
