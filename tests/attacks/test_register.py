"""The studio's database, edited by hand or put back to what it was."""

import shutil
from pathlib import Path

from attempts import ask, edit, refused, row_of
from studios import Scene, agree, draw_up

from assent.consent.ceremony import Accepted
from assent.consent.clearance import Act
from assent.consent.locker import Locker
from assent.consent.withdrawal import withdraw
from assent.kit.signing import new_key, public_of, to_jwk
from assent.kit.store.tables import ConsentRow, PersonRow


def narrowed(scene: Scene) -> tuple[ConsentRow, Accepted]:
    """Ada's first version, and the second one, in which she allows less."""
    first = row_of(scene, scene.ada)
    return first, agree(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))


def put_back(scene: Scene, copy: Path) -> Scene:
    """Put a copy of the database back, and open the studio again."""
    scene.studio.database.close()
    for name in ("studio.db", "studio.db-wal", "studio.db-shm"):
        (scene.studio.folder / name).unlink(missing_ok=True)
        if (copy / name).exists():
            shutil.copy(copy / name, scene.studio.folder / name)
    return Scene(
        studio=scene.reopened(), clock=scene.clock, purpose=scene.purpose,
        ada=scene.ada, ben=scene.ben, cleo=scene.cleo,
    )  # fmt: skip


def copied(scene: Scene, folder: Path) -> Path:
    """Copy the database as it is now."""
    folder.mkdir()
    for path in scene.studio.folder.glob("studio.db*"):
        shutil.copy(path, folder / path.name)
    return folder


def test_offered_made_live(scene: Scene) -> None:
    """An offer that nobody signed is made live."""
    draw_up(scene.studio, scene.purpose, scene.cleo)
    edit(scene, row_of(scene, scene.cleo), state="live")
    with refused("cleo's key was destroyed"):
        ask(scene, scene.cleo)


def test_offered_made_live_with_a_key(scene: Scene) -> None:
    """An offer that nobody signed is made live, and a key made for it."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    scene.studio.keyring.create(record.record_id)
    edit(scene, row_of(scene, scene.cleo), state="live")
    with refused("cleo's consent record was altered"):
        ask(scene, scene.cleo)


def test_withdrawn_made_live(scene: Scene) -> None:
    """A consent that was withdrawn is made live again."""
    row = row_of(scene, scene.ada)
    withdraw(scene.studio, row.record_id)
    edit(scene, row, state="live", withdrawn=None, withdrawal_log_index=None)
    with refused("ada's key was destroyed; consent was withdrawn"):
        ask(scene, scene.ada)


def test_withdrawn_under_a_living_key(scene: Scene) -> None:
    """A withdrawn consent is made live under the id of another record, whose key there is."""
    row = row_of(scene, scene.ada)
    withdraw(scene.studio, row.record_id)
    edit(scene, row, state="live", record_id=row_of(scene, scene.ben).record_id, version=2)
    with refused("ada's receipt belongs to another record"):
        ask(scene, scene.ada)


def test_database_put_back_to_before_a_withdrawal(scene: Scene, tmp_path: Path) -> None:
    """The database is put back to before a withdrawal."""
    before = copied(scene, tmp_path / "before")
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    with refused("ada's key was destroyed; consent was withdrawn"):
        ask(put_back(scene, before), scene.ada)


def test_key_made_anew_after_a_withdrawal(scene: Scene) -> None:
    """A destroyed key is made anew under the same id."""
    row = row_of(scene, scene.ada)
    withdraw(scene.studio, row.record_id)
    with refused("was destroyed"):
        scene.studio.keyring.create(row.record_id)


def test_older_version_made_live(scene: Scene) -> None:
    """The wider version of a record, which the subject replaced, is made live again."""
    first, second = narrowed(scene)
    edit(scene, row_of(scene, scene.ada), state="superseded")
    edit(scene, first, state="live")
    assert second.record.version == 2
    with refused("a newer version of ada's record took this one's place"):
        ask(scene, scene.ada)


def test_newer_version_struck_out(scene: Scene) -> None:
    """The narrower version of a record is struck out of the database."""
    first, _ = narrowed(scene)
    newest = row_of(scene, scene.ada)
    with scene.studio.database.session() as session:
        session.delete(session.get_one(ConsentRow, newest.id))
    edit(scene, first, state="live")
    with refused("a newer version of ada's record took this one's place"):
        ask(scene, scene.ada)


def test_database_put_back_to_before_a_narrowing(scene: Scene, tmp_path: Path) -> None:
    """The database is put back to before the subject narrowed their consent."""
    before = copied(scene, tmp_path / "before")
    narrowed(scene)
    with refused("a newer version of ada's record took this one's place"):
        ask(put_back(scene, before), scene.ada)


def test_acts_added(scene: Scene) -> None:
    """Acts are added to a signed record in the database."""
    agree(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    row = row_of(scene, scene.cleo)
    scope = {**row.document["scope"], "acts": [act.value for act in Act]}
    edit(scene, row, document={**row.document, "scope": scope})
    with refused("cleo has not agreed to: train"):
        ask(scene, scene.cleo)


def test_public_key_exchanged(scene: Scene) -> None:
    """A person's public key is exchanged for one whose private half the attacker has."""
    with scene.studio.database.session() as session:
        person = session.get_one(PersonRow, scene.ada.id)
        person.public_key = to_jwk(public_of(new_key()))
    with refused("ada's consent record was altered: the signature does not match"):
        ask(scene, scene.ada)


def test_enrolment_exchanged(scene: Scene) -> None:
    """Ada's enrolled face is exchanged for Ben's, so that his footage passes for hers."""
    other = str(row_of(scene, scene.ben).enrolment_blob)
    edit(scene, row_of(scene, scene.ada), enrolment_blob=other)
    with refused("not everyone whom this concerns has been cleared"):
        Locker(scene.studio).read(
            str(row_of(scene, scene.ada).enrolment_blob), [ask(scene, scene.ada)]
        )


def test_receipt_hash_exchanged(scene: Scene) -> None:
    """A row is given another salt, so that the log and the releases name it no more."""
    edit(scene, row_of(scene, scene.ada), salt="0" * 64)
    with refused("ada's receipt is not the one in the log"):
        ask(scene, scene.ada)


def test_another_place_in_the_log(scene: Scene) -> None:
    """A row points at another entry of the log than its own."""
    edit(scene, row_of(scene, scene.ada), log_index=row_of(scene, scene.ben).log_index)
    with refused("the log does not hold ada's consent where it should"):
        ask(scene, scene.ada)
    edit(scene, row_of(scene, scene.ada), log_index=None)
    with refused("the log does not hold ada's consent"):
        ask(scene, scene.ada)
