"""Permissions that were copied, kept, changed or made by hand."""

import copy
import dataclasses
import pickle  # noqa: TID251 - to show that it fails

from attempts import ask, refused
from studios import Scene, brief_with

from assent.consent._key import Key
from assent.consent.clearance import Act, Clearance, require_all
from assent.consent.desk import GOOD_FOR
from assent.consent.locker import Locker
from assent.kit.errors import NotClearedError
from assent.purpose.projects import create_project


def fields_of(clearance: Clearance) -> dict[str, object]:
    fields = {each.name: getattr(clearance, each.name) for each in dataclasses.fields(clearance)}
    return {name: value for name, value in fields.items() if name != "mark"}


def shown(scene: Scene, clearance: Clearance) -> None:
    """Show a clearance where work on a person begins."""
    require_all(
        [clearance],
        [clearance.person_id],
        Act.TRAIN,
        project_id=scene.purpose.project_id,
        now=scene.clock(),
    )


def test_pickled(scene: Scene) -> None:
    """A clearance is stored for later."""
    with refused("a Clearance stays in its process", TypeError):
        pickle.dumps(ask(scene, scene.ada))


def test_copied(scene: Scene) -> None:
    """A clearance is copied."""
    for copying in (copy.copy, copy.deepcopy):
        with refused("a Clearance stays in its process", TypeError):
            copying(ask(scene, scene.ada))


def test_changed(scene: Scene) -> None:
    """A clearance is given other acts."""
    clearance = ask(scene, scene.ada)
    with refused("acts", AttributeError):
        clearance.acts = frozenset(Act)  # type: ignore[misc]
    with refused("key", (TypeError, ValueError)):  # type: ignore[arg-type]
        dataclasses.replace(clearance, acts=frozenset(Act))  # type: ignore[call-arg]


def test_made_by_hand(scene: Scene) -> None:
    """A clearance is made without the desk, with a key of one's own."""
    fields = fields_of(ask(scene, scene.ada))
    with refused("a Clearance is issued by consent.desk", TypeError):
        Clearance(**fields, key=Key())  # type: ignore[arg-type]


def test_subclassed(scene: Scene) -> None:
    """A class is derived that needs no key."""
    with refused("a Clearance can't be derived from", TypeError):

        class Mine(Clearance):  # type: ignore[misc]
            def __post_init__(self, key: Key) -> None:
                pass


def test_look_alike(scene: Scene) -> None:
    """An object that only looks like a clearance is shown."""

    @dataclasses.dataclass
    class LookAlike:
        person_id: str
        project_id: str
        record_id: str
        receipt_hash: str
        modalities: object
        acts: object
        expires: object

        def require(self, *_: object, **__: object) -> None:
            pass

    mine = LookAlike(**fields_of(ask(scene, scene.ada)))  # type: ignore[arg-type]
    with refused("this clearance was not issued by the desk"):
        shown(scene, mine)  # type: ignore[arg-type]
    with refused("this clearance was not issued by the desk"):
        Locker(scene.studio).put([b"data"], [mine])  # type: ignore[list-item]


def test_filled_in_behind_its_back(scene: Scene) -> None:
    """An empty clearance is filled in past its checks, or one that was issued is lengthened."""
    issued = ask(scene, scene.ada, Act.INGEST)
    made = object.__new__(Clearance)
    for name, value in {**fields_of(issued), "acts": frozenset(Act), "mark": issued.mark}.items():
        object.__setattr__(made, name, value)
    with refused("this clearance was not issued by the desk"):
        shown(scene, made)
    object.__setattr__(issued, "acts", frozenset(Act))
    with refused("this clearance was not issued by the desk"):
        shown(scene, issued)


def test_kept_too_long(scene: Scene) -> None:
    """A clearance is used after its five minutes."""
    clearance = ask(scene, scene.ada)
    scene.clock.now += GOOD_FOR
    with refused("a clearance has run out"):
        shown(scene, clearance)
    with refused("a clearance has run out"):
        Locker(scene.studio).put([b"data"], [clearance])


def test_of_another_project(scene: Scene) -> None:
    """A clearance for one film is shown for another."""
    other = create_project(scene.studio, brief_with(title="Another film"))
    clearance = ask(scene, scene.ada)
    with refused("a clearance of another project was shown"):
        require_all(
            [clearance], [scene.ada.id], Act.TRAIN, project_id=other.project_id, now=scene.clock()
        )


def test_of_another_person(scene: Scene) -> None:
    """Ben's clearance is shown for Ada's data."""
    blob = Locker(scene.studio).put([b"hers"], [ask(scene, scene.ada)])
    with refused("not everyone whom this concerns has been cleared"):
        Locker(scene.studio).read(blob, [ask(scene, scene.ben)])


def test_none_at_all(scene: Scene) -> None:
    """The vault is asked without anybody having been cleared."""
    blob = Locker(scene.studio).put([b"hers"], [ask(scene, scene.ada)])
    with refused("nobody was cleared", NotClearedError):
        Locker(scene.studio).read(blob, [])
