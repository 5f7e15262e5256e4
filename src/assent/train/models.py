"""Trained models: found by name, opened under clearances."""

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.binding import Bound
from assent.consent.clearance import Act, Clearance
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ModelRow
from assent.purpose.projects import Purpose

__all__ = [
    "TrainedModel",
    "bound_model",
    "find_model",
    "list_models",
    "model_of",
    "preview_of",
    "training_needs",
    "unpack_sheet",
]


_HEAD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A face model in the vault: the donor's face for the performer's performance."""

    id: str
    project_id: str
    name: str
    donor_id: str
    performer_id: str
    iterations: int
    seconds: float
    blob: str
    sheet_blob: str
    bound: Bound

    def open(self, locker: Locker, clearances: Collection[Clearance]) -> bytes:
        """Return the model's bytes.

        Raises `NotClearedError` unless both people are cleared under the records that it was
        trained under, `IntegrityError` if it is another model than was put away under that name.
        """
        return self._read(self.blob, locker, clearances)

    def sheet(self, locker: Locker, clearances: Collection[Clearance]) -> bytes:
        """Return the preview sheet's bytes; raises as `open`."""
        return self._read(self.sheet_blob, locker, clearances)

    def _read(self, blob: str, locker: Locker, clearances: Collection[Clearance]) -> bytes:
        own = [c for c in clearances if c.person_id in (self.donor_id, self.performer_id)]
        locker.hold(self.bound, own)
        return locker.read(blob, own)


def training_needs(donor_id: str, performer_id: str) -> tuple[Need, ...]:
    """Return what must be asked of both people before a model is trained on them."""
    acts = frozenset({Act.TRAIN})
    return Need(person_id=donor_id, acts=acts), Need(person_id=performer_id, acts=acts)


def find_model(studio: Studio, purpose: Purpose, name: str) -> TrainedModel:
    """Return the project's finished model of that name; raises `NotFoundError`, `InputError`."""
    for row in list_models(studio, purpose):
        if name in (row.name, row.id):
            return model_of(row)
    raise NotFoundError(f"no model '{name}' in '{purpose.slug}'", advice="See `assent model list`.")


def list_models(studio: Studio, purpose: Purpose) -> tuple[ModelRow, ...]:
    """Return the project's models, oldest first."""
    with studio.database.session() as session:
        return tuple(
            session.scalars(
                select(ModelRow)
                .where(ModelRow.project_id == purpose.project_id)
                .order_by(ModelRow.created, ModelRow.id)
            )
        )


def model_of(row: ModelRow) -> TrainedModel:
    """Return the model that `row` stands for; raises `InputError` if training isn't over."""
    if row.state != "ready" or row.model_blob is None or row.sheet_blob is None:
        raise InputError(
            f"model '{row.name}' is still being trained",
            advice="Run `assent train` again; it goes on where it stopped.",
        )
    return _told(row)


def preview_of(row: ModelRow) -> TrainedModel:
    """Return the model that `row` stands for, perhaps not learned out: for its preview sheet.

    Raises `InputError` if there is no sheet yet.
    """
    if row.sheet_blob is None:
        raise InputError(
            f"model '{row.name}' has nothing to show yet", advice="Wait until it is trained a bit."
        )
    return _told(row)


def unpack_sheet(data: bytes) -> tuple[NDArray[np.uint8], int]:
    """Return a preview sheet as RGB uint8 [H, W, 3], and its columns; raises `IntegrityError`."""
    height, width, columns = (int.from_bytes(data[i : i + 4], "big") for i in (0, 4, 8))
    if len(data) != _HEAD + height * width * 3 or not 1 <= columns <= width:
        raise IntegrityError("the preview sheet has the wrong size")
    return np.frombuffer(data, np.uint8, offset=_HEAD).reshape(height, width, 3), columns


def _told(row: ModelRow) -> TrainedModel:
    return TrainedModel(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        donor_id=row.donor_id,
        performer_id=row.performer_id,
        iterations=row.iterations,
        seconds=row.seconds,
        blob=row.model_blob or "",
        sheet_blob=row.sheet_blob or "",
        bound=bound_model(row),
    )


def bound_model(row: ModelRow) -> Bound:
    """Return what `row` says of its model, and what was signed of it."""
    return Bound(
        kind="model",
        name=f"model '{row.name}'",
        facts={
            "id": row.id,
            "project": row.project_id,
            "name": row.name,
            "donor": row.donor_id,
            "performer": row.performer_id,
            "state": row.state,
            "config": json.dumps(row.config, sort_keys=True),
            "sources": row.sources,
            "blobs": [row.checkpoint_blob, row.model_blob, row.sheet_blob],
        },
        token=row.binding,
    )
