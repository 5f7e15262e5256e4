import re
from pathlib import Path

import pytest

from assent.kit.errors import IntegrityError, NotFoundError
from assent.kit.faces.models import Model, find_model, read_register, weights

PAGE = Path(__file__).parents[4] / "docs" / "models.md"


def made_up(**changes: str | None) -> Model:
    fields: dict[str, str | int | None] = {
        "title": "T",
        "vendor": "V",
        "licence": "L",
        "year": 2020,
        "source": "S",
        "purpose": "P",
        "limits": "none",
        "package": "nudenet",
        "path": "320n.onnx",
        "sha256": "0" * 64,
    }
    return Model(name="made-up", **(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name, model in read_register().items() if model.path])
def test_carried_weights_are_those_of_the_register(name: str) -> None:
    path = weights(find_model(name))
    assert path.name == Path(find_model(name).path or "").name


def test_changed_weights_are_refused() -> None:
    with pytest.raises(IntegrityError, match=r"320n\.onnx") as caught:
        weights(made_up())
    assert "nudenet" in caught.value.advice


@pytest.mark.parametrize("change", [{"package": "no_such_package"}, {"path": "absent.onnx"}])
def test_absent_weights_are_named(change: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="not installed"):
        weights(made_up(**change))


def test_a_model_without_a_file_has_no_weights_to_give() -> None:
    with pytest.raises(NotFoundError):
        weights(made_up(path=None, sha256=None))


def test_a_register_of_ones_own_is_read_in_its_order() -> None:
    fields = "title = 'T'\nvendor = 'V'\nlicence = 'L'\nyear = 2020\nsource = 'S'\npurpose = 'P'"
    table = fields + "\nlimits = 'none'\npackage = 'p'\n"
    register = read_register(f"[second]\n{table}\n[first]\n{table}")
    assert [(model.name, model.path) for model in register.values()] == [
        ("second", None),
        ("first", None),
    ]


def test_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError) as caught:
        find_model("nothing")
    assert "mediapipe-face-mesh" in caught.value.advice


def test_every_model_is_documented_with_all_its_facts() -> None:
    text = re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8"))
    for model in read_register().values():
        facts = (model.name, model.title, model.vendor, model.licence, str(model.year))
        more = (model.source, model.purpose, model.limits, model.sha256 or "")
        for fact in facts + more:
            assert fact in text, f"{model.name}: {fact!r} is missing from docs/models.md"


def test_no_licence_excludes_commercial_use() -> None:
    for model in read_register().values():
        terms = model.licence.lower()
        assert not any(word in terms for word in ("commercial", "research", "-nc"))
