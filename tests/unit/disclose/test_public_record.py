from pathlib import Path

import pytest
from casts import Cast, Stage
from studios import Scene

from assent.disclose.public_record import describe, described, open_record, sign_record
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.signing import new_key, public_of, sign

KIND = "assent-release-record+jwt"


def test_words_are_kept_by_language_and_replaced(scene: Scene) -> None:
    studio, slug = scene.studio, scene.purpose.slug
    describe(studio, slug, "en", "  A lesson\n about faces. ")
    describe(studio, slug, "de", "Unterricht.")
    describe(studio, slug, "en", "A better lesson.")
    assert described(studio, scene.purpose.project_id) == {
        "en": "A better lesson.",
        "de": "Unterricht.",
    }
    describe(studio, slug, "de", " ")
    describe(studio, slug, "es", "")
    assert described(studio, scene.purpose.project_id) == {"en": "A better lesson."}


@pytest.mark.parametrize(
    ("language", "words", "says"),
    [
        ("en", "With Ada in the lead.", "name somebody: ada"),
        ("en", "ADA's lesson", "name somebody: ada"),
        ("en", "x" * 601, "601 characters"),
        ("../x", "A lesson.", "names no language"),
        ("", "A lesson.", "names no language"),
    ],
)
def test_words_that_name_somebody_or_are_too_long_are_refused(
    scene: Scene, language: str, words: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        describe(scene.studio, scene.purpose.slug, language, words)
    assert described(scene.studio, scene.purpose.project_id) == {}


def test_words_for_no_project(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        describe(scene.studio, "nothing", "en", "A lesson.")


def test_a_release_has_a_signed_record(released: Cast, tmp_path: Path) -> None:
    stage: Stage = released.open_copy(tmp_path / "studio")
    asset, key = stage.released().asset_id, public_of(stage.studio.signing_key)
    describe(stage.studio, stage.purpose.slug, "en", "A lesson.")
    token = sign_record(stage.studio, asset)
    record = open_record(f"{token}\n", asset, key=key)
    assert (record.category, record.label) == ("education", "AI + MODIFIED")
    assert record.words == {"en": "A lesson."}
    assert sign_record(stage.studio, asset) == token
    for name in ("Ada", "Ben", "ada", stage.ada.id):
        assert name not in str(record)
    with pytest.raises(IntegrityError, match="another release"):
        open_record(token, "0" * 16, key=key)
    with pytest.raises(IntegrityError):
        open_record(token, asset, key=public_of(new_key()))


def test_what_was_never_released_has_none(rendered: Cast, tmp_path: Path) -> None:
    stage: Stage = rendered.open_copy(tmp_path / "studio")
    with pytest.raises(NotFoundError, match="no release"):
        sign_record(stage.studio, "0" * 16)
    video = stage.seal()
    with video.media, pytest.raises(NotFoundError, match="no release"):
        sign_record(stage.studio, video.asset_id)


def test_a_record_of_another_version_is_refused() -> None:
    key = new_key()
    payload = {"format": "assent-release-record", "version": 1, "asset": "ab" * 8}
    token = sign(payload, key, kind=KIND)
    assert open_record(token, "ab" * 8, key=public_of(key)).words == {}
    for changes in ({"version": 2}, {"format": "other"}):
        with pytest.raises(IntegrityError, match="another version"):
            open_record(sign({**payload, **changes}, key, kind=KIND), "ab" * 8, key=public_of(key))
