"""What is noted of a frame, and that a note comes back as it was."""

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from assent.create.patches import Patch, pack, unpack, unpack_notes
from assent.create.quality import FrameNote, FrameQuality, Measures, pose_of
from assent.kit.errors import IntegrityError
from assent.kit.likeness.focus import Filmed
from assent.kit.likeness.performance import Face

FACE = Face(
    texture=np.zeros((4, 4, 3), np.float32),
    share=np.zeros((4, 4), np.float32),
    mesh=np.zeros((478, 3)),
    turn=np.radians([5.0, -30.0, 2.0]),
    away=math.radians(5),
    hidden=0.0,
    strangeness=0.1,
    filmed=Filmed(-0.8, np.eye(2), np.zeros(2), np.eye(2, 3), 4),
)


def quality(face: Face = FACE, relit: float = 0.0) -> FrameQuality:
    return FrameQuality.of(
        3, face, nearest=np.radians([4.0, -26.0, 0.0]), scale=0.81234, relit=relit
    )


def test_a_face_is_judged() -> None:
    found = quality()
    assert (found.number, found.yaw, found.pitch) == (3, 30.0, 5.0)
    assert (found.near_yaw, found.near_pitch, found.away) == (26.0, 4.0, 5.0)
    assert (found.scale, found.confidence) == (0.812, 0.8)


@pytest.mark.parametrize("worse", [{"away": 0.4}, {"hidden": 0.5}, {"strangeness": 0.6}], ids=str)
def test_each_doubt_lowers_confidence(worse: dict[str, Any]) -> None:
    doubtful = quality(replace(FACE, **worse)).confidence
    assert 0 <= doubtful < 0.6 < quality().confidence


def test_light_unlike_the_donors_lowers_confidence() -> None:
    assert quality(relit=3.0).confidence < quality(relit=1.0).confidence == 0.8
    assert quality(relit=9.0).confidence == 0


def test_right_of_the_picture_and_lowered_are_above_0() -> None:
    # A rotation about the axis that points down takes a nose, which points towards the camera
    # (away from it is above 0), to the left if the angle is above 0.
    assert pose_of(np.radians([10.0, -20.0, 5.0])) == (20.0, 10.0)


@pytest.mark.parametrize("known", [True, False])
def test_a_note_comes_back(known: bool) -> None:
    note = FrameNote(
        seconds=1.25,
        painted=known,
        quality=quality() if known else None,
        measures=Measures(sharpness=0.5),
    )
    assert FrameNote.from_dict(json.loads(json.dumps(note.as_dict()))) == note


@pytest.mark.parametrize(
    "damage", [{"quality": {"yaw": 3}}, {"measures": {"shine": 1}}, {"seconds": "soon"}], ids=str
)
def test_a_damaged_note_is_refused(damage: dict[str, object]) -> None:
    note = FrameNote(seconds=0, painted=False, quality=None, measures=Measures())
    with pytest.raises(IntegrityError):
        FrameNote.from_dict(asdict(note) | damage)
    with pytest.raises(IntegrityError):
        FrameNote.from_dict({})


def test_a_note_lies_with_its_patch_and_is_held_to_its_form() -> None:
    note = FrameNote(seconds=0, painted=False, quality=quality(), measures=Measures())
    packed = b"".join(pack([Patch(pts=0, note=note), Patch(pts=1)]))
    assert list(unpack_notes(packed)) == [note, None]
    assert [patch.note for patch in unpack(packed)] == [note, None]
    other = packed.replace(b'"strangeness"', b'"strangemess"')
    for read in (unpack, unpack_notes):
        with pytest.raises(IntegrityError):
            list(read(other))
