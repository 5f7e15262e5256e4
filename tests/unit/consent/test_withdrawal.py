import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from studios import (
    CutDatabase,
    CutLog,
    FailingDisk,
    Member,
    PowerCut,
    Prepared,
    Scene,
    agree,
    brief_with,
    draw_up,
    statement_of,
)

from assent.consent.ceremony import accept
from assent.consent.certificate import hash_certificate, read_certificate
from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.consent.receipt import sign_record
from assent.consent.retention import end_expired
from assent.consent.status_list import read_list
from assent.consent.withdrawal import find_ending, withdraw
from assent.kit.canonical import canonical
from assent.kit.errors import NotClearedError
from assent.kit.store.escrow import add_escrow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DraftRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    ReleaseRow,
    SegmentRow,
    SightingRow,
)
from assent.purpose.projects import create_project


def cleared(scene: Scene, who: Member, act: Act = Act.TRAIN) -> bool:
    """Ask the desk as a process started just now would."""
    try:
        clear(scene.reopened(), scene.purpose, person_id=who.id, acts=[act])
    except NotClearedError:
        return False
    return True


def row_of(scene: Scene, who: Member) -> ConsentRow:
    with scene.studio.database.session() as session:
        rows = session.query(ConsentRow).filter_by(person_id=who.id)
        return rows.order_by(ConsentRow.created, ConsentRow.version).all()[-1]


def entries(scene: Scene) -> list[dict[str, Any]]:
    reader = scene.studio.log.reader()
    return [json.loads(reader.entry(index)) for index in range(reader.size)]


def consents(scene: Scene) -> list[dict[str, Any]]:
    """What the log says of consents."""
    kinds = ("consent.granted", "consent.withdrawn", "consent.expired")
    return [entry for entry in entries(scene) if entry["kind"] in kinds]


Break = Callable[[Scene], Studio]


def disk_fails(step: int, *, done: bool = False) -> Break:
    def apply(scene: Scene) -> Studio:
        disk = FailingDisk(cut=True, done=done)
        studio = scene.reopened(disk)
        disk.fail_at = len(disk.steps) + step
        return studio

    return apply


def database_fails(session: int, *, done: bool) -> Break:
    return lambda scene: replace(
        scene.studio, database=CutDatabase(scene.studio, session, done=done)
    )


def holds(scene: Scene) -> None:
    """Check what must be true once a withdrawal is complete."""
    row = row_of(scene, scene.ada)
    studio = scene.reopened()
    assert not cleared(scene, scene.ada)
    assert cleared(scene, scene.ben)
    assert studio.keyring.was_destroyed(row.record_id)
    assert entries(scene)[int(row.withdrawal_log_index or 0)] == {
        "kind": "consent.withdrawn",
        "receipt": row.receipt_hash,
        "time": "2026-11-20T12:00:00Z",
    }
    told = {entry["receipt"] for entry in consents(scene) if entry["kind"] == "consent.withdrawn"}
    assert told == {row.receipt_hash}
    listed = read_list(studio.log_folder, 1, studio_id=studio.id, key=studio.signing_key)
    assert listed is not None
    assert listed.has_ended(row.status_index or 0)
    ending = find_ending(studio, row.record_id)
    assert ending.certificate is not None
    named = [entry for entry in entries(scene) if entry["kind"] == "consent.deleted"]
    assert {entry["certificate"] for entry in named} == {hash_certificate(ending.certificate)}
    fields = read_certificate(ending.certificate, studio.signing_key)
    assert fields["ended"]["log_entries"] == ending.log_entries
    assert len(fields["destroyed"][0]["sha256"]) == 64
    assert {held["what"] for held in fields["closed"]} == {"face templates"}


def interrupt(scene: Scene, broken: Break) -> bool:
    """Withdraw until something breaks; then withdraw to the end. Tell whether something broke."""
    row = row_of(scene, scene.ada)
    try:
        withdraw(broken(scene), row.record_id)
    except PowerCut:
        ended = row_of(scene, scene.ada).state == "withdrawn"
        assert cleared(scene, scene.ada) == (not ended)
        assert ended or scene.reopened().keyring.has(row.record_id)
        withdraw(scene.reopened(), row.record_id)
        holds(scene)
        return True
    holds(scene)
    return False


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_every_step_on_the_disk_may_fail(prepared: Prepared, tmp_path: Path, done: bool) -> None:
    """From the first thing it does on, the desk refuses; run again, it finishes."""
    steps = count_until_whole(prepared, tmp_path, lambda step: disk_fails(step, done=done))
    # Key: overwrite, rename, sync. List: two folders, write, rename, sync.
    assert steps >= 7


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_every_session_of_the_database_may_fail(
    prepared: Prepared, tmp_path: Path, done: bool
) -> None:
    steps = count_until_whole(prepared, tmp_path, lambda step: database_fails(step, done=done))
    assert steps >= 8


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [0, 1])
def test_every_entry_of_the_log_may_fail(scene: Scene, number: int, done: bool) -> None:
    """At worst the log says the same twice."""
    assert interrupt(scene, lambda scene: replace(
        scene.studio, log=LaterCutLog(scene.studio, number, done=done)
    ))  # fmt: skip


class LaterCutLog(CutLog):
    """The studio's log, of which the append with that number ends in a power cut."""

    def __init__(self, studio: Studio, number: int, *, done: bool) -> None:
        super().__init__(studio, done=done)
        self._left = number
        self._whole = studio.log

    def append(self, entries: Sequence[bytes]) -> tuple[int, ...]:
        """Append, and stop at the one that was named."""
        self._left -= 1
        return super().append(entries) if self._left < 0 else self._whole.append(entries)


def count_until_whole(prepared: Prepared, tmp_path: Path, at: Callable[[int], Break]) -> int:
    """Break a withdrawal at each step in turn until one isn't reached; return how many were."""
    for step in count():
        scene = prepared.open_copy(tmp_path / f"studio{step}")
        if not interrupt(scene, at(step)):
            return step
    raise AssertionError


def test_withdrawing_again_changes_nothing(scene: Scene) -> None:
    record_id = row_of(scene, scene.ada).record_id
    (first,) = withdraw(scene.studio, record_id[:8]).rows
    before = entries(scene)
    scene.clock.now += timedelta(days=1)
    (again,) = withdraw(scene.studio, record_id).rows
    assert again.withdrawn == first.withdrawn == "2026-11-20T12:00:00Z"
    assert entries(scene) == before
    assert cleared(scene, scene.ben)


def test_every_version_that_was_signed_is_withdrawn_in_the_log(scene: Scene) -> None:
    first = row_of(scene, scene.ada)
    second = agree(scene.studio, scene.purpose, scene.ada)
    draw_up(scene.studio, scene.purpose, scene.ada)
    rows = withdraw(scene.studio, first.record_id).rows
    assert [row.version for row in rows] == [1, 2, 3]
    assert {row.state for row in rows} == {"withdrawn"}
    told = [entry["receipt"] for entry in entries(scene) if entry["kind"] == "consent.withdrawn"]
    assert told == [first.receipt_hash, second.receipt_hash]


def test_an_offer_can_be_taken_back(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    withdraw(scene.studio, record.record_id)
    assert len(consents(scene)) == 2
    signed = sign_record(record, scene.cleo.key)
    with pytest.raises(NotClearedError, match="was withdrawn"):
        accept(scene.studio, signed, statement=statement_of(scene.cleo), name="statement.mp4")


def test_a_withdrawal_ends_one_project_only(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    agree(scene.studio, other, scene.ada)
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    assert cleared(scene, scene.ada)
    with pytest.raises(NotClearedError, match="ada withdrew consent for 'another-film'"):
        clear(scene.studio, other, person_id=scene.ada.id, acts=[Act.TRAIN])


# What was there, and what remains


def put(scene: Scene, *who: Member) -> str:
    clearances = [
        clear(scene.studio, scene.purpose, person_id=each.id, acts=[Act.INGEST]) for each in who
    ]
    return Locker(scene.studio).put([b"a film"], clearances)


def film(scene: Scene, name: str, blob: str, tracks: str) -> None:
    """Let the database know a clip of both."""
    with scene.studio.database.session() as session:
        session.add(
            FootageRow(
                id=name, project_id=scene.purpose.project_id, name=name, sha256=name, rights="own",
                people=[scene.ada.id, scene.ben.id], keep_sound=False, blob=blob,
                tracks_blob=tracks, frames=1, created="2026-11-20T12:00:00Z", binding="",
            )
        )  # fmt: skip


def faces(scene: Scene, number: int, member: Member, blob: str) -> None:
    with scene.studio.database.session() as session:
        session.add(
            FaceSetRow(
                id=f"set{number}",
                footage_id="both.mp4",
                person_id=member.id,
                blob=blob,
                faces=1,
                binding="",
            )
        )


def release_of(scene: Scene, *who: Member) -> None:
    """Let the database know a release that rests on the consent of these."""
    project = scene.purpose.project_id
    receipts = [str(row_of(scene, each).receipt_hash) for each in who]
    with scene.studio.database.session() as session:
        session.add(
            ModelRow(
                id="m", project_id=project, name="m", donor_id=scene.ada.id,
                performer_id=scene.ben.id, state="ready", config={}, created="x",
                model_blob=put(scene, scene.ada, scene.ben),
            )
        )  # fmt: skip
        session.flush()
        session.add(
            DraftRow(
                id="d", project_id=project, model_id="m", footage_id="both.mp4", state="complete",
                model_blob=put(scene, scene.ada, scene.ben), created="x",
            )
        )  # fmt: skip
        session.flush()
        session.add(
            SegmentRow(
                draft_id="d", number=0, blob=put(scene, scene.ada, scene.ben), frames=1,
                replaced=1, last_pts=0, binding="",
            )
        )  # fmt: skip
        session.add(
            ReleaseRow(
                asset_id="00ff", draft_id="d", state="released", created="2026-11-20",
                name="lesson.mp4", sha256="5" * 64, receipts=receipts,
            )
        )  # fmt: skip
        session.add(
            SightingRow(
                asset_id="00ff", place="https://example.org/v", sha256="6" * 64, seen="2026-11-21"
            )
        )


def test_all_that_the_key_opened_is_told_and_others_keep_theirs(scene: Scene) -> None:
    both = put(scene, scene.ada, scene.ben)
    film(scene, "both.mp4", both, put(scene, scene.ada, scene.ben))
    film(scene, "ben.mp4", put(scene, scene.ben), put(scene, scene.ben))
    ada_set, ben_set = put(scene, scene.ada), put(scene, scene.ben)
    faces(scene, 1, scene.ada, ada_set)
    faces(scene, 2, scene.ben, ben_set)
    release_of(scene, scene.ada, scene.ben)
    ending = withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    told = sorted((held["what"], held["shared"]) for held in ending.objects)
    assert told == [
        ("draft", 1), ("face set", 0), ("face templates", 0), ("footage", 1), ("model", 1),
        ("model", 1), ("tracks", 1),
    ]  # fmt: skip
    assert both in {held["sha256"] for held in ending.objects}
    ben = clear(scene.studio, scene.purpose, person_id=scene.ben.id, acts=[Act.INGEST])
    assert Locker(scene.studio).read(ben_set, [ben]) == b"a film"
    for closed in (both, ada_set):
        with pytest.raises(NotClearedError):
            Locker(scene.studio).read(closed, [ben])
    assert [copy.what for copy in ending.copies] == ["release 00ff", "sighting of 00ff"]
    assert ending.copies[0].where == "releases/lesson.mp4"
    fields = read_certificate(str(ending.certificate), scene.studio.signing_key)
    assert [each["what"] for each in fields["remains"]] == [
        "release 00ff", "sighting of 00ff", "record and receipt", "log entries"
    ]  # fmt: skip


def test_other_peoples_releases_are_not_named(scene: Scene) -> None:
    film(scene, "both.mp4", put(scene, scene.ben), put(scene, scene.ben))
    release_of(scene, scene.ben)
    assert withdraw(scene.studio, row_of(scene, scene.ada).record_id).copies == ()


def test_what_is_gone_or_spoilt_is_no_object(scene: Scene) -> None:
    gone, spoilt = put(scene, scene.ada), put(scene, scene.ada)
    film(scene, "gone.mp4", gone, spoilt)
    (scene.studio.vault_folder / gone[:2] / gone).unlink()
    (scene.studio.vault_folder / spoilt[:2] / spoilt).write_bytes(b"noise")
    ending = withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    assert [held["what"] for held in ending.objects] == ["face templates"]


def test_sheets_that_show_the_person_are_removed(scene: Scene) -> None:
    folder = scene.studio.previews_folder
    for name in ("ada.jpg", "ben.jpg", "stray.jpg"):
        (folder / name).write_bytes(name.encode())
        (folder / name).with_suffix(".tlog-proof").write_bytes(b"proof")
    for member in (scene.ada, scene.ben):
        name = f"{member.person.handle}.jpg"
        entry = {
            "kind": "seal",
            "media": "still",
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "receipts": [str(row_of(scene, member).receipt_hash)],
        }
        scene.studio.log.append([canonical(entry)])
    (folder / "dangling").symlink_to(folder / "nowhere")
    ending = withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    left = {path.name for path in folder.iterdir()}
    assert left == {"ben.jpg", "ben.tlog-proof", "stray.jpg", "stray.tlog-proof", "dangling"}
    fields = read_certificate(str(ending.certificate), scene.studio.signing_key)
    assert [each["what"] for each in fields["destroyed"]] == [
        "wrapped key of the record", "sheet ada.jpg"
    ]  # fmt: skip


def test_a_certificate_names_nobody(scene: Scene) -> None:
    ending = withdraw(scene.studio, row_of(scene, scene.ada).record_id)
    told = json.dumps(read_certificate(str(ending.certificate), scene.studio.signing_key))
    assert scene.ada.person.handle not in told.replace("readable", "")
    assert scene.ada.person.name not in told
    assert scene.ada.id not in told


def test_withdrawn_after_its_term(scene: Scene) -> None:
    """A release of a consent that ran out stands; of one that was withdrawn it doesn't."""
    record_id = row_of(scene, scene.ada).record_id
    scene.clock.to("2027-11-01")
    end_expired(scene.studio)
    ending = withdraw(scene.studio, record_id)
    told = [entry["kind"] for entry in consents(scene) if entry["receipt"] in ending.receipts]
    assert told == ["consent.granted", "consent.expired", "consent.withdrawn"]
    fields = read_certificate(str(ending.certificate), scene.studio.signing_key)
    assert fields["ended"]["how"] == "expired"


# Copies of the key


def test_escrow_keys_go_too(scene: Scene, tmp_path: Path) -> None:
    record_id = row_of(scene, scene.ada).record_id
    ring = add_escrow(scene.studio, tmp_path / "stick")
    ring.create(record_id)
    ending = withdraw(scene.studio, record_id)
    assert ring.was_destroyed(record_id)
    fields = read_certificate(str(ending.certificate), scene.studio.signing_key)
    assert [each["what"] for each in fields["destroyed"]] == [
        "wrapped key of the record", f"escrow key in {tmp_path / 'stick'}"
    ]  # fmt: skip


def test_an_escrow_that_isnt_there_is_pending(scene: Scene, tmp_path: Path) -> None:
    """The use has ended; there is no certificate before every copy is destroyed."""
    record_id = row_of(scene, scene.ada).record_id
    ring = add_escrow(scene.studio, tmp_path / "stick")
    ring.create(record_id)
    (tmp_path / "stick").rename(tmp_path / "unplugged")
    (tmp_path / "stick").mkdir()
    ending = withdraw(scene.studio, record_id)
    assert ending.pending == (str(tmp_path / "stick"),)
    assert ending.certificate is None
    assert not cleared(scene, scene.ada)
    assert list((tmp_path / "stick").iterdir()) == []
    (tmp_path / "stick").rmdir()
    (tmp_path / "unplugged").rename(tmp_path / "stick")
    again = withdraw(scene.studio, record_id)
    assert again.pending == ()
    assert again.certificate is not None
    assert ring.was_destroyed(record_id)
