"""Train a face model under clearances, and keep it in the vault.

The desk is asked again every few seconds: a withdrawal stops training in flight. What training has
learned is saved now and then, encrypted, so that a killed process goes on where it stopped.
"""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.consent.people import Person, person_by_id
from assent.data.clips import load_faces, sources
from assent.data.matching import exemplars_of, match_faces
from assent.kit.clock import stamp
from assent.kit.errors import InputError, StoppedError
from assent.kit.faces.face_set import FaceSet
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ModelRow
from assent.purpose.projects import Purpose
from assent.train.models import TrainedModel, bound_model, model_of
from assent.train.portraits import PortraitConfig, PortraitTrainer
from assent.train.run import Progress, Run

if TYPE_CHECKING:
    from assent.train.config import TrainConfig

__all__ = ["fit"]

_ASK_EVERY_S = 5.0
_CHUNK = 1 << 20
_ASIDE = 8
"""Faces of the performer that previews show and nothing is learned from, at most."""
_LEAST = 8
"""Faces that are left to be learned from, at least."""


def fit(
    studio: Studio,
    purpose: Purpose,
    donor: Person,
    performer: Person,
    clearances: Sequence[Clearance],
    *,
    ask_again: AskAgain,
    name: str,
    seconds: float | None,
    iterations: int | None,
    config: "TrainConfig | PortraitConfig | None" = None,
    save_every_s: float = 30.0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
    on_save: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """Train `donor`'s face for `performer`'s performances, or go on training.

    The kind of `config` says by which engine: a portrait is looked up in the donor's own pictures
    and is learned in a minute or two, an autoencoder paints from memory and learns for as long as
    it is given.

    `seconds` and `iterations` count from the model's beginning, whichever is reached first; a
    model that has had its share is returned as it is. What it has learned is saved every
    `save_every_s` seconds and at the end, also when `stop`, which is asked before each step, says
    that it shall end here.

    Raises `StoppedError` then, `NotClearedError` as soon as one of the two is not cleared,
    `NotFoundError` without footage of both, `UnlistedFaceError` if someone's pictures don't match
    their enrolment (any more), `IntegrityError` if faces or model were altered, `InputError` if the
    name is another pair's.
    """
    people = (performer.id, donor.id)
    _require(studio, purpose, people, clearances)
    if donor.id == performer.id:
        raise InputError("donor and performer are the same person")
    locker = Locker(studio)
    sets = {
        person: merge(load_faces(studio, purpose, locker, person, clearances)) for person in people
    }
    _match(studio, sets, clearances)
    sets[performer.id], held_out = set_aside(sets[performer.id])
    shown = {donor.id: sets[donor.id], performer.id: held_out}
    row = _row(studio, purpose, donor, performer, name)
    if row.checkpoint_blob or row.model_blob:
        locker.hold(bound_model(row), clearances)
    trainer = _trainer(locker, row, sets, clearances, config or PortraitConfig())
    learned_from = sources(studio, purpose, people)
    keeper = _Keeper(studio, purpose, row, learned_from, ask_again, stop, on_save)
    moved = trainer.run(
        seconds=seconds,
        iterations=iterations,
        on_progress=on_progress,
        should_stop=keeper.asks,
        checkpoint_every_s=save_every_s,
        save=lambda state: keeper.save(state, trainer, shown),
    )
    if keeper.stopped:
        raise StoppedError(f"the training of '{name}' was stopped; what it learned is kept")
    if trainer.iteration == 0 and trainer.total is None:
        raise InputError("no time to train", advice="Give --minutes or --iterations above 0.")
    if moved is None and row.state == "ready":
        return model_of(row)
    return keeper.finish(trainer, shown)


def _match(studio: Studio, sets: Mapping[str, FaceSet], clearances: Sequence[Clearance]) -> None:
    gallery = read_enrolments(studio, clearances)
    handles = {person: person_by_id(studio, person).handle for person in gallery}
    for person, faces in sets.items():
        match_faces(exemplars_of(faces), person, gallery, handles, name="the footage to learn from")


def merge(sets: Sequence[FaceSet]) -> FaceSet:
    """Return the faces of several clips as one set."""
    if len(sets) == 1:
        return sets[0]
    return FaceSet(
        faces=np.concatenate([each.faces for each in sets]),
        masks=np.concatenate([each.masks for each in sets]),
        landmarks=np.concatenate([each.landmarks for each in sets]),
        meshes=np.concatenate([each.meshes for each in sets]),
        seconds=np.concatenate([each.seconds for each in sets]),
    )


def set_aside(faces: FaceSet) -> tuple[FaceSet, FaceSet]:
    """Return what is learned from, and a stretch of frames that is not: it is what previews show.

    The stretch is taken from the middle, so that a preview of it moves. Of few faces all are
    learned from, and shown.
    """
    count = min(_ASIDE, len(faces) // 4, len(faces) - _LEAST) // 2 * 2
    if count < 2:
        return faces, faces
    first = (len(faces) - count) // 2
    aside = np.zeros(len(faces), bool)
    aside[first : first + count] = True
    return _those(faces, ~aside), _those(faces, aside)


def finite(history: Sequence[float]) -> list[float]:
    """Return the losses without those of steps that went astray, which JSON has no number for."""
    return [round(loss, 5) for loss in history if math.isfinite(loss)]


def _those(faces: FaceSet, chosen: NDArray[np.bool_]) -> FaceSet:
    return FaceSet(**{each.name: getattr(faces, each.name)[chosen] for each in fields(FaceSet)})


class _Keeper:
    """Keeps what a run has learned, and keeps asking whether it may go on."""

    def __init__(
        self,
        studio: Studio,
        purpose: Purpose,
        row: ModelRow,
        learned_from: list[str],
        ask_again: AskAgain,
        stop: Callable[[], bool],
        on_save: Callable[[], None],
    ) -> None:
        self.stopped = False
        """Whether the run was told to end before its time."""
        self._stop = stop
        self._on_save = on_save
        self._studio = studio
        self._purpose = purpose
        self._row = row
        self._people = (row.donor_id, row.performer_id)
        self._learned_from = learned_from
        self._ask_again = ask_again
        self._asked = studio.clock()
        self._locker = Locker(studio)

    def asks(self) -> bool:
        """Ask the desk if it is time to, which raises; tell whether to stop."""
        now = self._studio.clock()
        if (now - self._asked).total_seconds() >= _ASK_EVERY_S:
            self._clearances()
            self._asked = now
        self.stopped = self._stop()
        return self.stopped

    def save(self, state: bytes, trainer: Run, shown: Mapping[str, FaceSet]) -> None:
        """Put the state away, and a preview of what is learned so far.

        Those before are removed once the database knows the new ones.
        """
        old = [self._row.checkpoint_blob]
        sheet = None if trainer.learned else _preview(trainer, shown, self._row.donor_id)
        clearances = self._clearances()
        self._row.checkpoint_blob = self._put(state, clearances)
        if sheet is not None and self._row.state != "ready":
            old.append(self._row.sheet_blob)
            self._row.sheet_blob = self._put(
                pack_sheet(sheet, _columns(shown, self._row.donor_id)), clearances
            )
        self._record(trainer, clearances)
        for blob in old:
            if blob is not None:
                self._locker.forget(blob)
        self._on_save()

    def finish(self, trainer: Run, shown: Mapping[str, FaceSet]) -> TrainedModel:
        """Export the model and its preview sheet into the vault."""
        old = [self._row.model_blob, self._row.sheet_blob]
        model, sheet = _finished(trainer, shown, self._row.donor_id)
        clearances = self._clearances()
        self._row.model_blob = self._put(model, clearances)
        self._row.sheet_blob = self._put(
            pack_sheet(sheet, _columns(shown, self._row.donor_id)), clearances
        )
        self._row.state = "ready"
        self._record(trainer, clearances)
        for blob in old:
            if blob is not None:
                self._locker.forget(blob)
        return model_of(self._row)

    def _record(self, trainer: Run, clearances: Sequence[Clearance]) -> None:
        self._row.iterations = trainer.iteration
        self._row.seconds = trainer.seconds
        self._row.losses = finite(trainer.history)
        self._row.sources = self._learned_from
        bound = bound_model(self._row)
        self._row.binding = self._locker.bind(bound.kind, bound.facts, clearances)
        with self._studio.database.session() as session:
            session.merge(self._row)

    def _put(self, data: bytes, clearances: Sequence[Clearance]) -> str:
        chunks = (data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK))
        return self._locker.put(chunks, clearances)

    def _clearances(self) -> Sequence[Clearance]:
        clearances = self._ask_again()
        _require(self._studio, self._purpose, self._people, clearances)
        return clearances


def pack_sheet(sheet: NDArray[np.uint8], columns: int) -> bytes:
    """Return an RGB sheet, uint8 [H, W, 3], with its size and the number of columns in front."""
    head = b"".join(number.to_bytes(4, "big") for number in (*sheet.shape[:2], columns))
    return head + sheet.tobytes()


def _require(
    studio: Studio, purpose: Purpose, people: Sequence[str], clearances: Sequence[Clearance]
) -> None:
    require_all(clearances, people, Act.TRAIN, project_id=purpose.project_id, now=studio.clock())


def _row(studio: Studio, purpose: Purpose, donor: Person, performer: Person, name: str) -> ModelRow:
    with studio.database.session() as session:
        row = session.scalar(
            select(ModelRow).where(ModelRow.project_id == purpose.project_id, ModelRow.name == name)
        )
        if row is None:
            row = ModelRow(
                id=uuid.uuid4().hex,
                project_id=purpose.project_id,
                name=name,
                donor_id=donor.id,
                performer_id=performer.id,
                state="training",
                config={},
                created=stamp(studio.clock()),
            )
            session.add(row)
    if (row.donor_id, row.performer_id) != (donor.id, performer.id):
        raise InputError(
            f"model '{name}' is of other people", advice="Give this one another --name."
        )
    return row


def _trainer(
    locker: Locker,
    row: ModelRow,
    sets: Mapping[str, FaceSet],
    clearances: Sequence[Clearance],
    config: "TrainConfig | PortraitConfig",
) -> Run:
    engine = "portrait" if isinstance(config, PortraitConfig) else "autoencoder"
    if row.config.get("engine", engine) != engine:
        raise InputError(
            f"model '{row.name}' was begun with --engine {row.config['engine']}",
            advice="Go on with that engine, or give this model another --name.",
        )
    state = None
    if row.checkpoint_blob is not None:
        state = locker.read(row.checkpoint_blob, clearances)
    else:
        row.config = {"engine": engine, **asdict(config)}
    if isinstance(config, PortraitConfig):
        if state is not None:
            return PortraitTrainer.resume(state, sets)
        return PortraitTrainer(sets, row.donor_id, config)
    # Only this engine needs PyTorch, which not every studio has.
    from assent.train.loop import Trainer

    if state is not None:
        return Trainer.resume(state, sets)
    # Any number does; taken from the model's id so that a restart before the first save agrees.
    return Trainer(sets, config, seed=int(row.id[:8], 16))


def _preview(trainer: Run, shown: Mapping[str, FaceSet], donor: str) -> NDArray[np.uint8] | None:
    """A sheet of what the model makes of some of the footage by now; None if that is nothing."""
    if isinstance(trainer, PortraitTrainer):
        if trainer.iteration < len(trainer.people):
            return None
        return trainer.sheet(trainer.portrait(), _of_performer(shown, donor))
    from assent.train.loop import Trainer
    from assent.train.sheet import preview_sheet

    if not isinstance(trainer, Trainer):
        return None
    return preview_sheet(trainer, shown, donor=donor, columns=_columns(shown, donor))


def _of_performer(shown: Mapping[str, FaceSet], donor: str) -> FaceSet:
    (performer,) = (person for person in shown if person != donor)
    return shown[performer]


def _columns(shown: Mapping[str, FaceSet], donor: str) -> int:
    return min(_ASIDE, len(_of_performer(shown, donor)))


def _finished(
    trainer: Run, shown: Mapping[str, FaceSet], donor: str
) -> tuple[bytes, NDArray[np.uint8]]:
    """The model's bytes, and its preview sheet."""
    if isinstance(trainer, PortraitTrainer):
        portrait = trainer.portrait()
        return portrait.to_bytes(), trainer.sheet(portrait, _of_performer(shown, donor))
    from assent.train.export import export_onnx
    from assent.train.loop import Trainer
    from assent.train.sheet import preview_sheet

    if not isinstance(trainer, Trainer):
        raise TypeError(f"no engine is called {type(trainer).__name__}")
    model = export_onnx(trainer.painting, donor, coverage=trainer.config.coverage)
    return model, preview_sheet(trainer, shown, donor=donor, columns=_columns(shown, donor))
