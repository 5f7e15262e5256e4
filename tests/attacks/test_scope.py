"""A consent that is good, used for what it doesn't cover."""

from datetime import timedelta

import pytest
from attempts import ask, edit, refused, row_of
from studios import Scene, agree, brief_with, terms_for

from assent.consent.ceremony import offer
from assent.consent.clearance import Act, Modality
from assent.consent.desk import Need, clear_all
from assent.consent.retention import end_expired
from assent.kit.store.tables import ProjectRow
from assent.purpose.projects import create_project, find_project


@pytest.mark.parametrize("act", [Act.TRAIN, Act.PORTRAY, Act.PERFORM, Act.RELEASE])
def test_another_act(scene: Scene, act: Act) -> None:
    """Who agreed to having footage kept is trained on, portrayed, made to perform or released."""
    agree(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    with refused("cleo has not agreed to"):
        ask(scene, scene.cleo, act)


def test_another_modality(scene: Scene) -> None:
    """Who agreed with their face has their voice used."""
    with refused("ada has not agreed to: voice"):
        ask(scene, scene.ada, modality=Modality.VOICE)


def test_another_project(scene: Scene) -> None:
    """A consent for one film is used for another."""
    other = create_project(scene.studio, brief_with(title="Another film"))
    with refused("ada has given no consent for"):
        ask(scene, scene.ada, purpose=other)


def test_row_moved_to_another_project(scene: Scene) -> None:
    """The row of a consent is moved to another project in the database."""
    other = create_project(scene.studio, brief_with(title="Another film"))
    edit(scene, row_of(scene, scene.ada), project_id=other.project_id)
    with refused("ada consented to another project"):
        ask(scene, scene.ada, purpose=other)


def test_another_person(scene: Scene) -> None:
    """Somebody who was never asked is used along with those who agreed."""
    needs = [
        Need(person_id=member.id, acts=frozenset({Act.TRAIN}))
        for member in (scene.ada, scene.ben, scene.cleo)
    ]
    with refused("cleo has given no consent"):
        clear_all(scene.studio, scene.purpose, needs)


def test_row_moved_to_another_person(scene: Scene) -> None:
    """The row of Ada's consent is made Cleo's in the database."""
    edit(scene, row_of(scene, scene.ada), person_id=scene.cleo.id)
    with refused("cleo's consent record was altered"):
        ask(scene, scene.cleo)


def test_brief_rewritten(scene: Scene) -> None:
    """The project's brief is rewritten after people agreed to it."""
    with scene.studio.database.session() as session:
        row = session.get_one(ProjectRow, scene.purpose.project_id)
        row.brief = {**row.brief, "purpose": f"{row.brief['purpose']} And something else besides."}
    with refused("the brief has changed since ada agreed to it"):
        ask(scene, scene.ada, purpose=find_project(scene.studio, scene.purpose.slug))


def test_another_channel(scene: Scene) -> None:
    """What may be shown in one place is released in others."""
    few = frozenset(sorted(scene.purpose.brief.channels)[:1])
    agree(scene.studio, scene.purpose, scene.cleo, channels=frozenset({"intranet"}) - few)
    with refused("cleo has not agreed to the channels"):
        ask(scene, scene.cleo, Act.RELEASE)


def test_forbidden_content(scene: Scene) -> None:
    """Who allows no satire is used in one."""
    purpose = create_project(
        scene.studio, brief_with(title="A satire", category="satire", risk={"satire": True})
    )
    agree(scene.studio, purpose, scene.cleo, forbidden=frozenset({"satire"}))
    with refused("cleo does not allow satire content"):
        ask(scene, scene.cleo, purpose=purpose)


def test_terms_beyond_the_project(scene: Scene) -> None:
    """Somebody is asked for longer than the project lasts."""
    ends = scene.purpose.brief.ends + timedelta(days=1)
    terms = terms_for(scene.purpose, ends=ends)
    with refused("the project ends on"):
        offer(scene.studio, scene.purpose, scene.cleo.person, terms, statement_sha256="0" * 64)


def test_terms_beyond_ten_years(scene: Scene) -> None:
    """A project asks for more than ten years."""
    with refused("ten years"):
        brief_with(ends=str(scene.purpose.brief.starts + timedelta(days=3700)))


def test_before_the_term(scene: Scene) -> None:
    """Work begins before the first day that was agreed to."""
    starts = scene.purpose.brief.starts
    agree(scene.studio, scene.purpose, scene.cleo, starts=starts + timedelta(days=300))
    with refused("cleo's consent begins on"):
        ask(scene, scene.cleo)


def test_after_the_term(scene: Scene) -> None:
    """Work goes on after the last day."""
    scene.clock.to(str(scene.purpose.brief.ends + timedelta(days=1)))
    with refused("ada's consent expired on"):
        ask(scene, scene.ada)


def test_clock_set_back(scene: Scene) -> None:
    """The machine's clock is set back to within a term that was over."""
    within = scene.clock.now
    scene.clock.to(str(scene.purpose.brief.ends + timedelta(days=1)))
    end_expired(scene.studio)
    scene.clock.now = within
    with refused("ada's consent for"):
        ask(scene, scene.ada)


def test_clock_and_row_set_back(scene: Scene) -> None:
    """The clock is set back, and the expired row made live again in the database."""
    within = scene.clock.now
    scene.clock.to(str(scene.purpose.brief.ends + timedelta(days=1)))
    end_expired(scene.studio)
    scene.clock.now = within
    edit(scene, row_of(scene, scene.ada), state="live")
    with refused("ada's key was destroyed"):
        ask(scene, scene.ada)


def test_term_lengthened_in_the_database(scene: Scene) -> None:
    """The last day is moved in the database."""
    row = row_of(scene, scene.ada)
    scope = {**row.document["scope"], "ends": "2030-01-01"}
    edit(scene, row, document={**row.document, "scope": scope})
    scene.clock.to(str(scene.purpose.brief.ends + timedelta(days=1)))
    with refused("ada's consent expired on"):
        ask(scene, scene.ada)
