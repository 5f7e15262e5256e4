"""Requests of all kinds, drawn from the description: nothing breaks, answers are as described."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from programs import Served
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Mount
from studios import Prepared

from assent.apps.access.permissions import Role
from assent.apps.api.app import PREFIX, describe
from assent.apps.api.calls import CALLS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 8
CALLERS = ("holder", "holder", "nobody", *(role.value for role in Role))
OPERATIONS = [(method, path) for path, known in describe()["paths"].items() for method in known]


@pytest.fixture(scope="module")
def served(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Served:
    scene = prepared.open_copy(tmp_path_factory.mktemp("schema") / "studio")
    return Served(scene.studio, origin="http://testserver")


@pytest.fixture(scope="module")
def secrets(served: Served) -> dict[str, str]:
    """A token for each kind of caller."""
    roles = {role.value: served.member(role).secret for role in Role}
    return {"holder": served.program().secret, "nobody": "", **roles}


@pytest.fixture(scope="module")
def schema(served: Served) -> Any:  # noqa: ANN401 - of no public type
    app = Starlette(routes=[Mount(PREFIX, served.app)])
    return schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)


@pytest.mark.parametrize("mode", [*GenerationMode], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_breaks(
    method: str,
    path: str,
    mode: GenerationMode,
    schema: Any,  # noqa: ANN401 - of no public type
    secrets: dict[str, str],
) -> None:
    operation = schema[path][method]
    cases = operation.as_strategy(generation_mode=mode)

    @given(case=cases, caller=st.sampled_from(CALLERS))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    def ask(case: Any, caller: str) -> None:  # noqa: ANN401 - of no public type
        if path == "/jobs/events":
            case.query = {**(case.query or {}), "wait": 0}
        for name, drawn in (case.path_parameters or {}).items():
            # What is in the studio is asked for, too.
            if mode is GenerationMode.POSITIVE and len(str(drawn)) % 2:
                case.path_parameters[name] = KNOWN.get(name, drawn)
        # No mount takes a line's end; what serves the API answers then.
        assume("%0A" not in case.formatted_path.upper() and "\n" not in case.formatted_path)
        headers = {"Authorization": f"Bearer {secrets[caller]}"} if secrets[caller] else {}
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
        if caller == "nobody":
            assert response.status_code in (UNSIGNED if path == CALLS else REFUSED)

    ask()


KNOWN = {"project": "a-lesson-in-two-faces", "person": "ada", "index": 0}
REFUSED = (400, 401, 404, 405, 413, 415, 422)
UNSIGNED = (400, 403, 404, 405, 413, 415, 422, 429)
"""How a platform's call is refused: a token is nothing there."""
