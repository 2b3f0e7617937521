"""The API as OpenAPI 3.1, written from the operations. Pure."""

from __future__ import annotations

import functools
import re
from typing import Any

from pa_telephony import __version__
from pa_telephony.admin.api.operations import BASE, OPERATIONS, PROBLEM, Operation
from pa_telephony.admin.roles import TABLE, Role

__all__ = ["description"]

_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "Nobody is known by this cookie or token.",
    "403": "The role may not do this, or X-CSRF-Token is not the session's.",
    "404": "There is no such thing.",
    "408": "The body took too long to come.",
    "409": "It cannot be done as things are: another has saved meanwhile, or a server runs.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
    "422": "A field breaks a rule.",
    "503": "The store cannot be read or written, or the call manager is not reached.",
}


@functools.cache
def description() -> dict[str, Any]:
    """The whole description; not to be changed."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(f"{BASE}{each.path}", {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pa-telephony administration",
            "version": __version__,
            "description": "Who asks is known by a token (Bearer), or by the cookie of a session;"
            " with the cookie what changes something carries X-CSRF-Token. Errors are RFC 9457.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM.schema()},
            "responses": {
                status: {
                    "description": what,
                    "content": {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    },
                }
                for status, what in _REFUSALS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "pa_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    roles = ", ".join(each.value for each in Role if TABLE[each, operation.act])
    session: dict[str, list[str]] = {"session": []}
    if operation.method != "GET":
        session["csrf"] = []
    # A body is read, to be refused, also where none is taken.
    never = {"408", "413"} if operation.method == "GET" else set[str]()
    if operation.body is None:
        never.add("415")
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.what.partition(".")[0].partition(";")[0] + ".",
        "description": f"{operation.what} Roles: {roles}.",
        "security": [{"token": []}, session],
        "responses": {
            str(operation.status): {
                "description": "Done.",
                "content": {
                    kind: {"schema": operation.answer.schema()} for kind in _answers(operation)
                },
            },
            **{
                status: {"$ref": f"#/components/responses/{status}"}
                for status in _REFUSALS
                if status not in never
            },
        },
    }
    parameters = [_given(name) for name in re.findall(r"{(\w+)}", operation.path)]
    parameters += [
        {"name": each.name, "in": "query", "required": each.mandatory, "schema": described}
        for each in operation.query.parts
        for described in (operation.query.schema()["properties"][each.name],)
    ]
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        kinds = ["application/json", *(["application/toml"] if operation.toml else [])]
        schema = operation.body.schema()
        content = {kind: {"schema": schema} for kind in kinds}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _given(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _answers(operation: Operation) -> list[str]:
    if operation.stream:
        return ["text/event-stream"]
    kinds = ["application/json"]
    if operation.events:
        kinds.append("text/event-stream")
    if operation.toml and operation.method == "GET":
        kinds.append("application/toml")
    return kinds
