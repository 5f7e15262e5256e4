"""Train a face model under clearances, and keep it in the vault.

The desk is asked again every few seconds: a withdrawal stops training in flight. What training has
learned is saved now and then, encrypted, so that a killed process goes on where it stopped.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
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
from assent.kit.errors import InputError
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
) -> TrainedModel:
    """Train `donor`'s face for `performer`'s performances, or go on training.

    The kind of `config` says by which engine: a portrait is looked up in the donor's own pictures
    and is learned in a minute or two, an autoencoder paints from memory and learns for as long as
    it is given.

    `seconds` and `iterations` count from the model's beginning, whichever is reached first; a
    model that has had its share is returned as it is. What it has learned is saved every
    `save_every_s` seconds and at the end.

    Raises `NotClearedError` as soon as one of the two is not cleared, `NotFoundError` without
    footage of both, `UnlistedFaceError` if someone's pictures don't match their enrolment (any
    more), `IntegrityError` if faces or model were altered, `InputError` if the name is another
    pair's.
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
    row = _row(studio, purpose, donor, performer, name)
    if row.checkpoint_blob or row.model_blob:
        locker.hold(bound_model(row), clearances)
    trainer = _trainer(locker, row, sets, clearances, config or PortraitConfig())
    learned_from = sources(studio, purpose, people)
    keeper = _Keeper(studio, purpose, row, learned_from, ask_again)
    moved = trainer.run(
        seconds=seconds,
        iterations=iterations,
        on_progress=on_progress,
        should_stop=keeper.asks,
        checkpoint_every_s=save_every_s,
        save=lambda state: keeper.save(state, trainer),
    )
    if trainer.iteration == 0 and trainer.total is None:
        raise InputError("no time to train", advice="Give --minutes or --iterations above 0.")
    if moved is None and row.state == "ready":
        return model_of(row)
    return keeper.finish(trainer, sets)


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


class _Keeper:
    """Keeps what a run has learned, and keeps asking whether it may go on."""

    def __init__(
        self,
        studio: Studio,
        purpose: Purpose,
        row: ModelRow,
        learned_from: list[str],
        ask_again: AskAgain,
    ) -> None:
        self._studio = studio
        self._purpose = purpose
        self._row = row
        self._people = (row.donor_id, row.performer_id)
        self._learned_from = learned_from
        self._ask_again = ask_again
        self._asked = studio.clock()
        self._locker = Locker(studio)

    def asks(self) -> bool:
        """Ask the desk if it is time to; never says stop, but raises."""
        now = self._studio.clock()
        if (now - self._asked).total_seconds() >= _ASK_EVERY_S:
            self._clearances()
            self._asked = now
        return False

    def save(self, state: bytes, trainer: Run) -> None:
        """Put the state away; the one before is removed once the database knows the new one."""
        old = self._row.checkpoint_blob
        clearances = self._clearances()
        self._row.checkpoint_blob = self._put(state, clearances)
        self._record(trainer, clearances)
        if old is not None:
            self._locker.forget(old)

    def finish(self, trainer: Run, sets: Mapping[str, FaceSet]) -> TrainedModel:
        """Export the model and its preview sheet into the vault."""
        old = [self._row.model_blob, self._row.sheet_blob]
        model, sheet = _finished(trainer, sets, self._row.donor_id)
        clearances = self._clearances()
        self._row.model_blob = self._put(model, clearances)
        self._row.sheet_blob = self._put(pack_sheet(sheet), clearances)
        self._row.state = "ready"
        self._record(trainer, clearances)
        for blob in old:
            if blob is not None:
                self._locker.forget(blob)
        return model_of(self._row)

    def _record(self, trainer: Run, clearances: Sequence[Clearance]) -> None:
        self._row.iterations = trainer.iteration
        self._row.seconds = trainer.seconds
        self._row.losses = [round(loss, 5) for loss in trainer.history]
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


def pack_sheet(sheet: NDArray[np.uint8]) -> bytes:
    """Return an RGB sheet, uint8 [H, W, 3], with its size in front."""
    height, width = sheet.shape[:2]
    return b"".join([height.to_bytes(4, "big"), width.to_bytes(4, "big"), sheet.tobytes()])


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


def _finished(
    trainer: Run, sets: Mapping[str, FaceSet], donor: str
) -> tuple[bytes, NDArray[np.uint8]]:
    """The model's bytes, and its preview sheet."""
    if isinstance(trainer, PortraitTrainer):
        portrait = trainer.portrait()
        return portrait.to_bytes(), trainer.sheet(portrait)
    from assent.train.export import export_onnx
    from assent.train.loop import Trainer
    from assent.train.sheet import preview_sheet

    if not isinstance(trainer, Trainer):
        raise TypeError(f"no engine is called {type(trainer).__name__}")
    model = export_onnx(trainer.painting, donor, coverage=trainer.config.coverage)
    return model, preview_sheet(trainer, sets, donor=donor)
