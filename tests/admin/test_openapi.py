"""The description of the API is OpenAPI 3.1, says what the declaration says, and is what is given.

Every answer of the other tests is held against the same declaration (tests/stage/api_program.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_program import opened

from pa_telephony.admin.api.description import description
from pa_telephony.admin.api.operations import BASE, OPERATIONS, Operation, find
from pa_telephony.admin.roles import Role

ROOT = Path(__file__).parents[2]
DESCRIBED = [
    (path, method, described)
    for path, methods in description()["paths"].items()
    for method, described in methods.items()
]


async def test_what_is_given_out_is_what_is_written_in_the_reference(tmp_path: Path) -> None:
    """If this fails: make docs."""
    written = json.loads((ROOT / "docs/reference/openapi.json").read_text())
    assert written == description()
    async with opened(tmp_path) as (programs, _, __):
        assert (await programs[Role.READER].ask("GET", "/openapi.json"))[1] == written


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_is_described_and_found_by_its_path(operation: Operation) -> None:
    (described,) = [each for _, __, each in DESCRIBED if each["operationId"] == operation.name]
    found = description()["paths"][f"{BASE}{operation.path}"][operation.method.lower()]
    assert found is described
    methods, given = find(BASE + operation.path.replace("{name}", "anna"))
    assert methods[operation.method] is operation
    assert given == ({"name": "anna"} if "{" in operation.path else {})


def test_every_path_that_is_described_is_answered_and_no_other_is_declared() -> None:
    assert len(DESCRIBED) == len(OPERATIONS)
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)
    for path, method, described in DESCRIBED:
        assert method.upper() in find(path.replace("{name}", "x"))[0]
        named = re.findall(r"{(\w+)}", path)
        parameters = described.get("parameters", [])
        assert [each["name"] for each in parameters if each["in"] == "path"] == named
        assert {"401", "403", "409"} <= described["responses"].keys()
        assert ("requestBody" in described) <= (method in ("post", "put", "patch"))
        assert described["summary"].count(".") == 1


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON Schema in a part of the description."""
    if isinstance(value, list):
        for each in value:
            yield from schemas(each)
    elif isinstance(value, dict):
        if "type" in value and isinstance(value["type"], str | list):
            yield value
        for each in value.values():
            yield from schemas(each)


def test_every_schema_has_the_words_of_json_schema_and_every_reference_leads_somewhere() -> None:
    known = {"object", "array", "string", "integer", "number", "boolean", "null", "http", "apiKey"}
    count = 0
    for schema in schemas(description()):
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert {*kinds} <= known, schema
        assert {*schema.get("required", ())} <= schema.get("properties", {}).keys()
        assert "nullable" not in schema
        count += 1
    assert count > 200
    text = json.dumps(description())
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', text):
        place: Any = description()
        for part in reference.split("/"):
            place = place[part]
        assert place
