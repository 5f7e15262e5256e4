from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from studios import Scene, terms_for

from assent.consent.clearance import Act, Modality
from assent.consent.record import Authority
from assent.consent.terms import Choices, Terms, terms_from_json, terms_to_json
from assent.kit.errors import InputError, RefusedError


def chosen(terms: Terms, **changes: Any) -> Choices:  # noqa: ANN401 - fields of choices
    return Choices.model_validate(
        {
            "language": "de",
            "adult": True,
            "face_matching": True,
            "acts": terms.acts,
            "modalities": terms.modalities,
            "channels": terms.channels,
            "ends": terms.ends,
            "most_releases": terms.most_releases,
            **changes,
        }
    )


def test_terms_survive_their_json(scene: Scene) -> None:
    terms = terms_for(
        scene.purpose,
        forbidden=frozenset({"political"}),
        authority=Authority(kind="estate", relation="executor", document_sha256="2" * 64),
        likeness_sha256="1" * 64,
    )
    assert terms_from_json(terms_to_json(terms)) == terms


def test_nothing_is_ticked_for_anyone() -> None:
    untouched = Choices(language="en", ends=date(2027, 1, 1), most_releases=1)
    assert not untouched.adult
    assert not untouched.face_matching
    assert not untouched.final_approval
    assert not (untouched.acts | untouched.modalities | untouched.channels | untouched.forbidden)


def test_less_than_was_asked(scene: Scene) -> None:
    asked = terms_for(scene.purpose, forbidden=frozenset({"political"}))
    terms = chosen(
        asked,
        acts={Act.INGEST, Act.TRAIN},
        forbidden={"satire"},
        ends=date(2027, 1, 1),
        most_releases=2,
        final_approval=True,
    ).take_from(asked)
    assert terms.acts == {Act.INGEST, Act.TRAIN}
    assert terms.forbidden == {"political", "satire"}
    assert (terms.ends, terms.most_releases) == (date(2027, 1, 1), 2)
    assert terms.final_approval
    assert terms.language == "de"
    assert (terms.use, terms.territory, terms.starts) == (asked.use, "worldwide", asked.starts)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"adult": False}, RefusedError, "minors can't be asked"),
        ({"face_matching": False}, RefusedError, "without matching faces"),
        ({"acts": []}, InputError, "nothing is ticked under 'acts'"),
        ({"modalities": []}, InputError, "nothing is ticked under 'modalities'"),
        ({"channels": []}, InputError, "nothing is ticked under 'channels'"),
        ({"acts": list(Act)}, InputError, "more was ticked under 'acts'"),
        ({"modalities": list(Modality)}, InputError, "more was ticked under 'modalities'"),
        ({"channels": ["cinema"]}, InputError, "more was ticked under 'channels'"),
        ({"ends": date(2027, 11, 1)}, InputError, "the last day must lie between"),
        ({"ends": date(2026, 11, 1)}, InputError, "the last day must lie between"),
        ({"most_releases": 0}, InputError, "the releases must be 1 to 10"),
        ({"most_releases": 11}, InputError, "the releases must be 1 to 10"),
    ],
)
def test_never_more_than_was_asked(
    scene: Scene, changes: dict[str, Any], error: type[Exception], told: str
) -> None:
    asked = terms_for(scene.purpose, acts=frozenset({Act.INGEST, Act.TRAIN}))
    with pytest.raises(error, match=told):
        chosen(asked, **changes).take_from(asked)


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "tlh"},
        {"acts": ["own"]},
        {"forbidden": ["mimes"]},
        {"ends": "soon"},
        {"studio": "mine"},
    ],
)
def test_choices_that_make_no_sense(scene: Scene, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        chosen(terms_for(scene.purpose), **changes)


def test_choices_survive_their_json(scene: Scene) -> None:
    choices = chosen(terms_for(scene.purpose), forbidden={"news", "satire"})
    assert Choices.model_validate(choices.to_json()) == choices
    assert choices.to_json()["forbidden"] == ["news", "satire"]
