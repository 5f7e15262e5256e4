from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.content.gate import (
    EXPLICIT,
    FACE_LABELS,
    LABELS,
    ContentGate,
    Finding,
    decode,
    is_explicit,
)
from assent.kit.errors import InputError, NotFoundError

NUMBER = {label: number for number, label in enumerate(LABELS)}


@pytest.fixture(scope="module")
def gate() -> ContentGate:
    return ContentGate()


def frames(path: Path, step: int) -> list[NDArray[np.uint8]]:
    """Every `step`-th of the first hundred frames."""
    with av.open(path) as container:
        decoded = list(islice(container.decode(video=0), 0, 100, step))
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in decoded]


def answer(*found: tuple[str, float, tuple[float, float, float, float]]) -> NDArray[np.float32]:
    """What the network would answer: (label, score, centre x, centre y, width, height)."""
    output = np.zeros((4 + len(LABELS), 2100), np.float32)
    for anchor, (label, score, box) in enumerate(found):
        output[:4, anchor] = box
        output[4 + NUMBER[label], anchor] = score
    return output


BOX = (160.0, 80.0, 40.0, 20.0)


def test_a_body_part_is_decoded_into_pixels_of_the_picture() -> None:
    (finding,) = decode(answer(("FEMALE_BREAST_EXPOSED", 0.8, BOX)), (720, 1280))
    assert finding.label == "FEMALE_BREAST_EXPOSED"
    assert finding.score == pytest.approx(0.8)
    assert finding.box == pytest.approx((560.0, 280.0, 720.0, 360.0))
    assert is_explicit([finding])


@pytest.mark.parametrize("label", sorted(EXPLICIT))
def test_every_explicit_label_counts_from_its_limit_on(label: str) -> None:
    limit = EXPLICIT[label]
    at = decode(answer((label, limit + 0.01, BOX)), (320, 320))
    below = decode(answer((label, limit - 0.01, BOX)), (320, 320))
    assert is_explicit(at)
    assert below
    assert not is_explicit(below)


@pytest.mark.parametrize("label", sorted(set(LABELS) - set(EXPLICIT)))
def test_no_other_label_is_explicit(label: str) -> None:
    assert not is_explicit(decode(answer((label, 0.99, BOX)), (320, 320)))


def test_the_rule_is_the_callers() -> None:
    found = decode(answer(("BELLY_EXPOSED", 0.6, BOX)), (320, 320))
    assert is_explicit(found, {"BELLY_EXPOSED": 0.5})
    assert not is_explicit(found, {"BELLY_EXPOSED": 0.7})


def test_the_default_rule_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        EXPLICIT["BELLY_EXPOSED"] = 0.1  # type: ignore[index]


def test_of_overlapping_boxes_of_one_class_the_best_stays() -> None:
    near, far = (162.0, 81.0, 40.0, 20.0), (30.0, 30.0, 20.0, 20.0)
    label = "BUTTOCKS_EXPOSED"
    found = decode(answer((label, 0.5, near), (label, 0.9, BOX), (label, 0.6, far)), (320, 320))
    assert [round(finding.score, 2) for finding in found] == [0.9, 0.6]


def test_a_harmless_class_never_hides_an_explicit_one() -> None:
    output = answer(("ARMPITS_EXPOSED", 0.95, BOX))
    output[4 + NUMBER["FEMALE_BREAST_EXPOSED"], 0] = 0.6
    assert is_explicit(decode(output, (320, 320)))


def test_boxes_end_at_the_edge_of_the_picture() -> None:
    (finding,) = decode(answer(("FACE_MALE", 0.5, (5.0, 315.0, 40.0, 40.0))), (320, 320))
    assert finding.box == (0.0, 295.0, 25.0, 320.0)


def test_the_labels_are_those_of_the_network(gate: ContentGate) -> None:
    import onnxruntime

    from assent.kit.faces.models import find_model, weights

    session = onnxruntime.InferenceSession(str(weights(find_model("nudenet-320n"))))
    names = session.get_modelmeta().custom_metadata_map["names"]
    assert names == str(dict(enumerate(LABELS)))


@pytest.mark.parametrize(
    "name", ["ada_train", "ben_train", "cleo_train", "scene1_ada_with_ben_face", "two_people"]
)
def test_the_performers_are_not_explicit_and_their_faces_are_seen(
    gate: ContentGate, samples: Path, name: str
) -> None:
    for rgb in frames(samples / f"{name}.mp4", 30):
        findings = gate.check(rgb)
        assert not is_explicit(findings)
        faces = [finding for finding in findings if finding.label in FACE_LABELS]
        assert len(faces) == (2 if name == "two_people" else 1)


def test_an_empty_set_holds_nothing(gate: ContentGate, samples: Path) -> None:
    assert all(gate.check(rgb) == () for rgb in frames(samples / "no_face.mp4", 10))


def test_boxes_lie_in_pixels_of_the_picture_whatever_its_shape(
    gate: ContentGate, samples: Path
) -> None:
    face = frames(samples / "ben_train.mp4", 1000)[0]
    tall = np.zeros((1536, 768, 3), np.uint8)
    tall[1152:, 384:] = face
    (finding,) = (one for one in gate.check(tall) if one.label in FACE_LABELS)
    x0, y0, x1, y1 = finding.box
    assert 384 < x0 < x1 <= 768
    assert 1152 < y0 < y1 <= 1536


def test_findings_come_best_first(gate: ContentGate, samples: Path) -> None:
    found = gate.check(frames(samples / "two_people.mp4", 1000)[0])
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(isinstance(one, Finding) for one in found)


def test_nothing_is_written(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ContentGate().check(frames(samples / "ben_train.mp4", 1000)[0])
    assert list(tmp_path.rglob("*")) == []


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"nothing of the kind")
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(InputError, match=r"wrong\.onnx"):
        ContentGate(wrong).check(picture)
    with pytest.raises(NotFoundError, match=r"absent\.onnx"):
        ContentGate(tmp_path / "absent.onnx").check(picture)
