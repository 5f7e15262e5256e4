"""Assent's own detector is one among others: it states its terms, its error and why it abstains."""

import numpy as np
import pytest

from assent.kit.faces.models import find_model
from assent.verify.detectors import Shots, forensic_layers
from assent.verify.second_opinion import SecondOpinion


@pytest.fixture(scope="module")
def second() -> SecondOpinion:
    return SecondOpinion()


def test_it_states_what_it_is(second: SecondOpinion) -> None:
    model = find_model("assent-forensics")
    assert model.sha256 is not None
    assert model.sha256.startswith(second.version)
    assert (second.licence, model.licence) == ("Apache-2.0", "Apache-2.0")
    assert "%" in second.error


def test_its_whole_error_is_shown(second: SecondOpinion) -> None:
    shots = Shots(frames=1, taken=[np.full((96, 96, 3), 80, np.uint8)] * 5)
    (layer,) = forensic_layers([second], shots)
    assert layer.rests_on.endswith(second.error)
    assert layer.says == "Assent's second opinion abstains: there is no face from the front."
    assert (layer.facts["score"], layer.facts["where"]) == (None, None)
