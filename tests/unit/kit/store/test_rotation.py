import json
from itertools import count
from pathlib import Path

import pytest
from studios import FailingDisk, PowerCut, Scene, agree

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.locker import Locker
from assent.kit.errors import IntegrityError
from assent.kit.store.rotation import rotate
from assent.kit.vault.guard import Unguarded


def opens(scene: Scene, blob: str) -> bool:
    """Open a film of Ada's as a process started just now would."""
    studio = scene.reopened()
    ada = clear(studio, scene.purpose, person_id=scene.ada.id, acts=[Act.INGEST])
    return Locker(studio).read(blob, [ada]) == b"a film"


def put(scene: Scene) -> str:
    ada = clear(scene.studio, scene.purpose, person_id=scene.ada.id, acts=[Act.INGEST])
    return Locker(scene.studio).put([b"a film"], [ada])


def secrets_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "keys").rglob("*") if path.is_file()}


def test_everything_opens_and_nothing_is_sealed_as_before(scene: Scene) -> None:
    blob, before = put(scene), secrets_of(scene.studio.folder)
    master = scene.studio.secrets.get("master")
    assert rotate(scene.studio) == 2
    *_, (_, last) = scene.studio.log.reader().entries()
    assert json.loads(last) == {"kind": "keys.rotated", "time": "2026-11-20T12:00:00Z"}
    assert opens(scene, blob)
    after = secrets_of(scene.studio.folder)
    same = [name for name in before if before[name] == after.get(name)]
    assert [name for name in same if not name.startswith(".") and ".version" not in name] == []
    assert scene.reopened().secrets.get("master") != master
    agree(scene.reopened(), scene.purpose, scene.cleo)


def test_an_old_copy_of_the_secrets_opens_nothing_afterwards(scene: Scene) -> None:
    """The people's keys can't be unwrapped with a stolen root and master key."""
    old = scene.studio
    stolen = secrets_of(old.folder)
    rotate(old)
    record = clear(old, scene.purpose, person_id=scene.ada.id, acts=[Act.INGEST]).record_id
    with pytest.raises(IntegrityError, match="wrapped anew meanwhile"):
        old.keyring.unlock(record)
    root = Unguarded().open(stolen["root.key"])
    assert all(root not in data for data in secrets_of(old.folder).values())


def test_interrupted_at_every_step(scene: Scene) -> None:
    """In between the studio works, new consent included; run again, it finishes."""
    blob = put(scene)
    for step in count(0, 3):
        disk = FailingDisk(cut=True, done=step % 2 == 1)
        studio = scene.reopened(disk)
        disk.fail_at = len(disk.steps) + step
        try:
            rotate(studio)
        except PowerCut:
            assert opens(scene, blob)
            agree(scene.reopened(), scene.purpose, scene.cleo)
            assert opens(scene, blob)
        else:
            break
    assert step >= 24
    rotate(scene.reopened())
    assert opens(scene, blob)
    assert "master-next" not in scene.reopened().secrets.names()
