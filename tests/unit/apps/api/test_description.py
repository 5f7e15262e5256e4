"""The description, the page about it, and the table of permissions say the same as the program."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from assent.apps.access.permissions import Action
from assent.apps.api.app import OPERATIONS, describe
from assent.apps.api.calls import CALLS
from assent.apps.api.problems import KNOWN, code_of, status_of
from assent.apps.hooks.webhooks import SEES
from assent.kit import errors
from assent.kit.errors import AssentError
from assent.kit.store.events import KINDS
from assent.monitor.watch.called import SIGNATURE

DOCS = Path(__file__).parents[4] / "docs"
DESCRIPTION = describe()
PAGE = (DOCS / "api.md").read_text("utf-8")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, known in DESCRIPTION["paths"].items()
        for method, operation in known.items()
        if path != CALLS
    ]


def test_the_kept_description_is_the_apis() -> None:
    place = DOCS / "make_api_reference.py"
    specification = importlib.util.spec_from_file_location("_make_api_reference", place)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    kept = (DOCS / "reference" / "openapi.json").read_text("utf-8")
    assert kept == module.text(), "run docs/make_api_reference.py"


def test_it_is_openapi_3_1_and_every_operation_is_in_it() -> None:
    assert DESCRIPTION["openapi"] == "3.1.0"
    listed = {(method.upper(), path) for method, path, _ in operations()}
    assert listed == {(each.method, each.path) for each in OPERATIONS}
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_what_platforms_call_takes_a_signature_in_the_place_of_a_token() -> None:
    (operation,) = DESCRIPTION["paths"][CALLS].values()
    assert operation["security"] == [{"signature": []}]
    scheme = DESCRIPTION["components"]["securitySchemes"]["signature"]
    assert (scheme["in"], scheme["name"]) == ("header", SIGNATURE)
    assert DESCRIPTION["security"] == [{"token": []}]


@pytest.mark.parametrize(("method", "path", "operation"), operations())
def test_every_operation_says_what_it_does_and_takes(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"][0].isupper()
    assert operation["description"].strip()
    assert operation["tags"]
    assert operation["x-action"] in {action.value for action in Action}
    assert set(operation["responses"]) >= {"4XX"}
    named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", path))
    keyed = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
    assert ("Idempotency-Key" in keyed) == (method == "post")


def test_what_is_received_takes_no_other_fields() -> None:
    taken = set()
    for _, _, operation in operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            taken.add(body["schema"]["$ref"].rsplit("/", 1)[1])
    assert len(taken) > 10
    for name in taken:
        schema = DESCRIPTION["components"]["schemas"][name]
        assert schema["additionalProperties"] is False, name


def test_every_example_is_as_described() -> None:
    seen = 0
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            known = {"components": DESCRIPTION["components"]}
            whole = {"$ref": f"#/components/schemas/{name}", **known}
            # What is null isn't shown in an example.
            nothing = dict.fromkeys(schema.get("required", ()))
            jsonschema_rs.validator_for(whole).validate({**nothing, **example})
            seen += 1
    assert seen >= 10


def test_codes_are_stable_and_told() -> None:
    assert set(KNOWN) == {
        "assent", "brief", "conflict", "content", "fault", "fetch", "forbidden-purpose",
        "idempotency-key-busy", "idempotency-key-reused", "input", "integrity", "invalid", "media",
        "method", "not-cleared", "not-found", "not-permitted", "refused",
        "rewritten", "seal", "sign-off", "stopped", "storage", "too-large", "too-often", "too-slow",
        "type-of-body", "unauthenticated", "unlisted-face", "unsafe-address",
    }  # fmt: skip
    for code in set(KNOWN) - {"assent", "rewritten", "stopped"}:
        assert f"`{code}`" in PAGE, code


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_code_and_a_status(name: str) -> None:
    kind: type[AssentError] = getattr(errors, name)
    assert issubclass(KNOWN[code_of(kind("what happened"))], kind)
    assert 400 <= status_of(kind("what happened")) < 600

    class Special(kind):  # type: ignore[valid-type,misc]
        """One of a part of the program."""

    assert code_of(Special("what happened")) == code_of(kind("what happened"))


def test_every_kind_of_event_can_be_told_and_is_on_the_page() -> None:
    assert set(KINDS) == set(SEES)
    for kind in KINDS:
        assert f"`{kind}`" in PAGE, kind


def test_no_name_of_the_page_is_made_up() -> None:
    used = set(re.findall(r"studio\.(\w+)\(", PAGE))
    from assent.apps.api.client import Client

    assert used
    assert all(hasattr(Client, name) for name in used), used
    assert json.loads((DOCS / "reference" / "openapi.json").read_text("utf-8"))["info"]
