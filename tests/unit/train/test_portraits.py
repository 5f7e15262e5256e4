"""A portrait is learned pass by pass, and goes on exactly where it was stopped."""

import io
import json
from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest
from casts import Cast

from assent.consent.locker import Locker
from assent.data.clips import load_faces
from assent.kit.errors import InputError, IntegrityError
from assent.kit.faces.face_set import FaceSet
from assent.kit.likeness.portrait import Portrait
from assent.train.models import training_needs
from assent.train.portraits import PortraitConfig, PortraitTrainer, evenly, spread

COUNT = 10
CONFIG = PortraitConfig(exemplars=6, studied=COUNT)

Sets = Mapping[str, FaceSet]


@pytest.fixture(scope="module")
def real(filmed: Cast, tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """A dozen faces of each of two people."""
    stage = filmed.open_copy(tmp_path_factory.mktemp("portraits") / "studio")
    clearances = stage.asking(training_needs(stage.ben.id, stage.ada.id))()
    locker = Locker(stage.studio)
    return {
        name: load_faces(stage.studio, stage.purpose, locker, person.id, clearances)[0]
        for name, person in (("ada", stage.ada), ("ben", stage.ben))
    }


@pytest.fixture(scope="module")
def whole(real: Sets) -> PortraitTrainer:
    """One that was never stopped."""
    trainer = PortraitTrainer(real, "ben", CONFIG, clock=lambda: 0.0)
    trainer.run(iterations=4)
    return trainer


def cut(faces: FaceSet, count: int) -> FaceSet:
    return FaceSet(**{f.name: getattr(faces, f.name)[:count] for f in fields(FaceSet)})


def contents(state: bytes) -> dict[str, bytes]:
    with np.load(io.BytesIO(state)) as archive:
        return {name: archive[name].tobytes() for name in archive}


def damaged(state: bytes, **changes: object) -> bytes:
    """A state with another header."""
    with np.load(io.BytesIO(state)) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays.pop("header"))) | changes
    sink = io.BytesIO()
    np.savez(sink, header=np.array(json.dumps(header)), **arrays)
    return sink.getvalue()


def test_going_on_after_each_pass_is_exact(real: Sets, whole: PortraitTrainer) -> None:
    trainer = PortraitTrainer(real, "ben", CONFIG, clock=lambda: 0.0)
    for passes in (1, 2, 3, 4):
        saved: list[bytes] = []
        trainer.run(iterations=passes, save=saved.append)
        assert trainer.iteration == passes
        trainer = PortraitTrainer.resume(saved[-1], real, clock=lambda: 0.0)
    assert contents(trainer.state()) == contents(whole.state())
    assert trainer.history == whole.history
    assert trainer.portrait().to_bytes() == whole.portrait().to_bytes()


def test_people_take_turns(real: Sets) -> None:
    trainer = PortraitTrainer(real, "ben", CONFIG)
    told: list[set[str]] = []
    trainer.run(iterations=2, on_progress=lambda state: told.append(set(state.losses.people)))
    assert told == [{"ada"}, {"ada", "ben"}]


def test_it_stops_when_told(real: Sets) -> None:
    trainer = PortraitTrainer(real, "ben", CONFIG)
    assert trainer.run(iterations=2, should_stop=lambda: True) is None
    assert trainer.run(seconds=0) is None
    assert trainer.iteration == 0


def test_time_is_kept_and_states_are_saved_now_and_then(real: Sets) -> None:
    ticks = iter(range(0, 1000, 10))
    saved: list[bytes] = []
    trainer = PortraitTrainer(real, "ben", CONFIG, clock=lambda: float(next(ticks)))
    last = trainer.run(seconds=25, checkpoint_every_s=15, save=saved.append)
    assert last is not None
    # Ten seconds a pass: three of them, saved after the second and at the end.
    assert (last.iteration, last.seconds, last.share, len(saved)) == (3, 30.0, 1.0, 2)


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_too_few_faces_are_refused(real: Sets, who: str) -> None:
    with pytest.raises(InputError, match="only 7 pictures"):
        PortraitTrainer(dict(real) | {who: cut(real[who], 7)}, "ben", CONFIG)


def test_new_footage_starts_that_person_anew(real: Sets, whole: PortraitTrainer) -> None:
    fewer = dict(real) | {"ben": cut(real["ben"], COUNT - 1)}
    found = PortraitTrainer.resume(whole.state(), fewer, clock=lambda: 0.0)
    state, before = contents(found.state()), contents(whole.state())
    assert {name for name in state if name.startswith("1/")} == set()
    assert all(state[name] == before[name] for name in before if name.startswith("0/"))
    # Who was studied least comes next.
    found.run(iterations=whole.iteration + 1)
    state = contents(found.state())
    assert state["1/passes"] == np.array(1).tobytes()
    assert state["0/passes"] == before["0/passes"]


def test_states_of_others_are_refused(real: Sets, whole: PortraitTrainer) -> None:
    with pytest.raises(InputError, match="other people"):
        PortraitTrainer.resume(whole.state(), {"ada": real["ada"], "cleo": real["ben"]})


def test_damaged_states_are_refused(real: Sets, whole: PortraitTrainer) -> None:
    state = whole.state()
    middle = len(state) // 2
    flipped = state[:middle] + bytes([state[middle] ^ 0xFF]) + state[middle + 1 :]
    for wrong in (
        b"",
        b"PK\x03\x04",
        state[:middle],
        flipped,
        damaged(state, format="another"),
        damaged(state, config={"depth": 3}),
        damaged(state, people=None),
    ):
        with pytest.raises(IntegrityError):
            PortraitTrainer.resume(wrong, real)


def test_nothing_learned_makes_a_portrait_all_the_same(real: Sets) -> None:
    trainer = PortraitTrainer(real, "ben", CONFIG)
    assert trainer.run(iterations=0) is None
    portrait = Portrait.from_bytes(trainer.portrait().to_bytes())
    assert len(portrait.textures) == CONFIG.exemplars
    assert np.isfinite(portrait.shape).all()


def test_a_tiny_set_makes_a_portrait(real: Sets) -> None:
    eight = {person: cut(faces, 8) for person, faces in real.items()}
    trainer = PortraitTrainer(eight, "ben", CONFIG)
    trainer.run(iterations=2)
    assert len(trainer.portrait().textures) == 6


def test_the_sheet_shows_both(real: Sets) -> None:
    # The same poses, so that there is something to paint everywhere.
    darker = replace(real["ada"], faces=real["ada"].faces // 2)
    trainer = PortraitTrainer(dict(real) | {"ben": darker}, "ben", CONFIG)
    sheet = trainer.sheet(trainer.portrait(), real["ada"], columns=3)
    side = real["ada"].faces.shape[1] + 4
    assert sheet.shape == (2 * side, 3 * side, 3)
    assert sheet.dtype == np.uint8
    for column in range(3):
        across = slice(column * side, (column + 1) * side)
        shown, replaced = sheet[:side, across], sheet[side:, across]
        changed = (shown != replaced).any(axis=2)
        assert 0.1 < changed.mean() < 0.9
        assert any(np.array_equal(shown[2:-2, 2:-2], face) for face in real["ada"].faces)


def test_pictures_are_chosen_evenly(real: Sets) -> None:
    assert evenly(10, 5).tolist() == [1, 3, 5, 7, 9]
    assert evenly(3, 5).tolist() == [0, 1, 2]
    chosen = spread(real["ben"], 4)
    assert chosen.seconds.tolist() == real["ben"].seconds[evenly(len(real["ben"]), 4)].tolist()
    assert spread(real["ben"], 100) is real["ben"]
