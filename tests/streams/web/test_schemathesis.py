"""The whole document against a real server: no 5xx, and no answer that the document does not name."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.streams.web.client import Served

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW, MANY = 3, 12
"""Examples of each operation and credential."""


def operations(served: Served) -> Any:
    document = json.loads(served.anonymous().get("/openapi.json").raw)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{served.port}")
    return schema


def tried(served: Served, credentials: list[str | None], examples: int) -> int:
    """Ask each operation of the document, with examples that fit it and ones that do not; return how often."""
    return sum(
        asked(found.ok(), {} if credential is None else {"Authorization": f"Bearer {credential}"}, examples)
        for found in operations(served).get_all_operations()
        for credential in credentials
    )


def asked(operation: Any, headers: dict[str, str], examples: int) -> int:
    """Ask one operation so many times, each answer checked; return how often."""
    cases = 0

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        nonlocal cases
        cases += 1
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=40)

    with suppress(Unsatisfiable):  # an operation without anything that could be wrong
        ask()
    return cases


@pytest.mark.servers
def test_a_few_examples_of_every_operation(served: Served) -> None:
    assert tried(served, [served.key], FEW) > 150


@pytest.mark.slow
def test_many_examples_of_every_operation_with_and_without_a_key(served: Served) -> None:
    token = served.client().post("/v1/tokens", {"member": "ada"}).json["token"]
    assert tried(served, [served.key, served.key_of("storefront"), token, None], MANY) > 2000


def test_no_operation_answers_without_its_key(served: Served) -> None:
    for found in operations(served).get_all_operations():
        operation = found.ok()
        if operation.definition.raw.get("security") == []:
            continue
        path = operation.path
        for name in ("{", "}"):
            path = path.replace(name, "")
        assert served.anonymous().ask(operation.method.upper(), path).status == 401, operation.label
