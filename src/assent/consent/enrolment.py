"""The face of the consent statement, which footage must match.

The template is stored under the record's own key, like everything that is the subject's.
"""

import io
import itertools
from collections.abc import Collection
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.enrol import Enrolment, enrol
from assent.kit.faces.landmarks import LandmarkFinder
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.media.stamps import read_stamps
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow

__all__ = [
    "enrol_from_statement",
    "pack_templates",
    "read_enrolments",
    "statement_pictures",
    "unpack_templates",
]

# Templates from about this many moments of a statement; more change the mean by little.
MOMENTS = 12
# Hours of film, so that no header makes this run for ever.
_MOST_PICTURES = 1_000_000


def enrol_from_statement(statement: BinaryIO, *, name: str) -> Enrolment:
    """Return face templates of the one person in `statement`; raises `MediaError`."""
    clip = probe(statement, name=name)
    # What a browser records doesn't say how long it is.
    pictures_in_all = read_stamps(statement, name=name, most=_MOST_PICTURES).pictures
    step = max(1, pictures_in_all // MOMENTS)
    statement.seek(0)
    pictures = (
        (float(picture.pts * clip.time_base), to_rgb(picture))
        for index, picture in enumerate(read_pictures(statement, name=name))
        if index % step == 0
    )
    return enrol(pictures, DlibDetector(), LandmarkFinder(), FaceEmbedder(), name=name)


def pack_templates(enrolment: Enrolment) -> bytes:
    """Return the templates (float32 [n, 128]) as an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, enrolment.embeddings.astype(np.float32), allow_pickle=False)
    return buffer.getvalue()


def unpack_templates(data: bytes) -> NDArray[np.float32]:
    """Return the templates in `data`, float32 [n, 128]; raises `IntegrityError`."""
    try:
        array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise IntegrityError("the enrolment can't be read") from error
    if array.ndim != 2 or array.shape[1] != 128 or array.dtype != np.float32:
        raise IntegrityError("the enrolment has the wrong shape")
    if len(array) == 0 or not np.isfinite(array).all():
        raise IntegrityError("the enrolment holds no face")
    return np.asarray(array, np.float32)


def statement_pictures(
    studio: Studio, clearances: Collection[Clearance], *, count: int = 4
) -> dict[str, list[NDArray[np.uint8]]]:
    """Return some pictures of the recorded statement of everyone who is cleared, by person.

    RGB uint8 [H, W, 3], evenly spread. Who has none because their statement was not recorded in the
    ceremony, or by somebody who answers for them, is left out.
    """
    locker, found = Locker(studio), {}
    for clearance in clearances:
        with studio.database.session() as session:
            row = session.scalar(
                select(ConsentRow).where(ConsentRow.receipt_hash == clearance.receipt_hash)
            )
        if row is None or row.statement_blob is None:
            continue
        if row.document["principal"]["authority"] is None:
            with locker.open(row.statement_blob, [clearance]) as statement:
                found[clearance.person_id] = _evenly(statement, count)
    return found


def _evenly(statement: BinaryIO, count: int) -> list[NDArray[np.uint8]]:
    frames = read_stamps(statement, name="a statement", most=_MOST_PICTURES).pictures
    step = max(1, frames // count)
    statement.seek(0)
    pictures = read_pictures(statement, name="a statement")
    wanted = (p for number, p in enumerate(pictures) if number % step == step // 2)
    return [to_rgb(picture) for picture in itertools.islice(wanted, count)]


def read_enrolments(
    studio: Studio, clearances: Collection[Clearance]
) -> dict[str, NDArray[np.float32]]:
    """Return the face templates of everyone who is cleared, by person: float32 [n, 128] each.

    Raises `NotClearedError` or `IntegrityError` if an enrolment is not that of the very record.
    """
    locker = Locker(studio)
    gallery = {}
    for clearance in clearances:
        with studio.database.session() as session:
            row = session.scalar(
                select(ConsentRow).where(ConsentRow.receipt_hash == clearance.receipt_hash)
            )
        if row is None or row.enrolment_blob is None:
            raise NotClearedError(
                "no face is enrolled for someone whom this concerns",
                advice="Accept their statement again: `assent consent accept`.",
            )
        gallery[clearance.person_id] = unpack_templates(
            locker.read(row.enrolment_blob, [clearance])
        )
    return gallery
