import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import face_of

from assent.consent.enrolment import enrol_from_statement, pack_templates, unpack_templates
from assent.kit.errors import IntegrityError

PACKED = pack_templates(face_of("ada"))


def test_templates_are_kept_as_they_are() -> None:
    assert (unpack_templates(PACKED) == face_of("ada").embeddings).all()


def test_a_statement_is_read_at_few_moments(statement: bytes) -> None:
    enrolment = enrol_from_statement(io.BytesIO(statement), name="statement.mp4")
    assert enrolment.frames_seen == 1
    assert unpack_templates(pack_templates(enrolment)).shape == (1, 128)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 127), np.float32),
        np.zeros(128, np.float32),
        np.zeros((3, 128), np.float64),
        np.zeros((3, 128, 1), np.float32),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    sink = io.BytesIO()
    np.save(sink, array)
    with pytest.raises(IntegrityError, match="the enrolment has the wrong shape"):
        unpack_templates(sink.getvalue())


def test_archives_and_pickles_are_refused() -> None:
    archive, pickled = io.BytesIO(), io.BytesIO()
    np.savez(archive, face_of("ada").embeddings)
    np.save(pickled, np.array([object()]), allow_pickle=True)
    for data in (archive.getvalue(), pickled.getvalue()):
        with pytest.raises(IntegrityError, match="the enrolment can't be read"):
            unpack_templates(data)


@given(st.binary(max_size=200) | st.integers(0, len(PACKED) - 1).map(lambda end: PACKED[:end]))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        unpack_templates(data)
