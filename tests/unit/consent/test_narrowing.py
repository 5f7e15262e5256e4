from datetime import date
from typing import Any

import pytest
from studios import Scene, agree

from assent.consent.ceremony import Accepted
from assent.consent.clearance import Act, Modality
from assent.consent.desk import clear, live_record
from assent.consent.narrowing import choices_of, narrow, take_narrowed, terms_of
from assent.consent.receipt import sign_record
from assent.consent.record import ConsentRecord
from assent.consent.register import own_records
from assent.consent.sitting import finish
from assent.consent.terms import Choices
from assent.consent.withdrawal import withdraw
from assent.kit.errors import InputError, IntegrityError, NotClearedError
from assent.kit.store.tables import ConsentRow


def chosen(scene: Scene, **changes: Any) -> Choices:  # noqa: ANN401 - fields of choices
    _, record = live_record(scene.studio, scene.purpose, scene.ada.person)
    return choices_of(record).model_copy(update=changes)


def narrowed(scene: Scene, **changes: Any) -> ConsentRecord:  # noqa: ANN401 - fields of choices
    return narrow(scene.studio, scene.purpose, scene.ada.person, chosen(scene, **changes))


def take(scene: Scene, record: ConsentRecord) -> Accepted:
    signed = sign_record(record, scene.ada.key)
    return take_narrowed(scene.studio, scene.purpose, record, signed)


def cleared(scene: Scene, act: Act) -> bool:
    try:
        clear(scene.reopened(), scene.purpose, person_id=scene.ada.id, acts=[act])
    except NotClearedError:
        return False
    return True


WITHOUT_RELEASE = frozenset(Act) - {Act.RELEASE}


def test_less_is_allowed_from_then_on(scene: Scene) -> None:
    assert cleared(scene, Act.RELEASE)
    accepted = take(scene, narrowed(scene, acts=WITHOUT_RELEASE, forbidden=frozenset({"satire"})))
    assert accepted.record.version == 2
    assert accepted.record.forbidden == {"satire"}
    assert "- release" not in accepted.record.notice.text
    assert cleared(scene, Act.TRAIN)
    assert not cleared(scene, Act.RELEASE)
    with scene.studio.database.session() as session:
        old, new = (
            session.query(ConsentRow).filter_by(person_id=scene.ada.id).order_by(ConsentRow.version)
        )
    assert (old.state, new.state) == ("superseded", "live")
    assert new.enrolment_blob == old.enrolment_blob
    (own,) = own_records(scene.studio, scene.ada.person)
    assert (own.version, own.state, own.signed) == (2, "live", True)


@pytest.mark.parametrize(
    "changes",
    [
        {"ends": date(2027, 1, 1)},
        {"most_releases": 1},
        {"final_approval": True},
        {"forbidden": frozenset({"news"})},
        {"acts": frozenset({Act.INGEST})},
    ],
)
def test_each_kind_of_less(scene: Scene, changes: dict[str, Any]) -> None:
    before = chosen(scene)
    take(scene, narrowed(scene, **changes))
    assert chosen(scene) == before.model_copy(update=changes)


def test_nothing_less_is_nothing(scene: Scene) -> None:
    for changes in ({}, {"language": "de"}):
        with pytest.raises(InputError, match="nothing was changed"):
            narrowed(scene, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"modalities": frozenset(Modality)},
        {"channels": frozenset({"classroom", "cinema"})},
        {"ends": date(2027, 11, 30)},
        {"most_releases": 99},
    ],
)
def test_more_is_refused(scene: Scene, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        narrowed(scene, **changes)


def test_what_was_forbidden_and_reserved_stays(scene: Scene) -> None:
    take(scene, narrowed(scene, final_approval=True, forbidden=frozenset({"news"})))
    record = narrowed(scene, final_approval=False, forbidden=frozenset(), most_releases=2)
    assert record.final_approval
    assert record.forbidden == {"news"}
    assert terms_of(record).most_releases == 2


def test_only_the_subject_allows_less(scene: Scene) -> None:
    record, other = narrowed(scene, most_releases=1), narrowed(scene, most_releases=2)
    with pytest.raises(IntegrityError, match="not what was shown"):
        take_narrowed(scene.studio, scene.purpose, record, sign_record(other, scene.ada.key))
    forged = record.model_copy(
        update={
            "principal": record.principal.model_copy(
                update={"key_thumbprint": scene.ben.person.key_id}
            )
        }
    )
    with pytest.raises(IntegrityError, match="does not match"):
        take_narrowed(scene.studio, scene.purpose, record, sign_record(forged, scene.ben.key))
    assert chosen(scene).most_releases == 10


def test_the_consent_changed_meanwhile(scene: Scene) -> None:
    record = narrowed(scene, most_releases=1)
    agree(scene.studio, scene.purpose, scene.ada)
    with pytest.raises(NotClearedError, match="has changed since"):
        take(scene, record)


def test_withdrawn_meanwhile(scene: Scene) -> None:
    record = narrowed(scene, most_releases=1)
    withdraw(scene.studio, record.record_id)
    with pytest.raises(NotClearedError, match="withdrew"):
        take(scene, record)
    assert own_records(scene.studio, scene.ada.person)[0].state == "withdrawn"


def test_killed_before_it_is_live(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    import assent.consent.narrowing as module

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    record = narrowed(scene, acts=WITHOUT_RELEASE)
    with monkeypatch.context() as patch:
        patch.setattr(module, "make_live", killed)
        with pytest.raises(KeyboardInterrupt):
            take(scene, record)
    assert cleared(scene, Act.RELEASE)
    assert finish(scene.studio) == 1
    assert not cleared(scene, Act.RELEASE)
