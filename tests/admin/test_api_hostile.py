"""Whatever is sent to the API is answered with a problem of one shape; nothing is half saved."""

from __future__ import annotations

import json
import secrets
import tomllib
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from api_program import SECRET, Program, call_manager_socket, opened, session_of, with_secret
from form_browser import administration
from hypothesis import HealthCheck, example, given, settings, strategies as st
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.bodies import read_json
from pa_telephony.admin.api.operations import BASE, OPERATIONS, Operation, find
from pa_telephony.admin.api.problems import Refused
from pa_telephony.admin.api.shapes import (
    Flag,
    Items,
    Names,
    Number,
    Part,
    Shape,
    Text,
    Thing,
    Whole,
)
from pa_telephony.admin.app import make_app
from pa_telephony.admin.roles import Role
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import text
from pa_telephony.failover.stores import MemoryStore

WRITING = [each for each in OPERATIONS if each.method != "GET"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


def document(changes: list[tuple[str, int, str, Any]]) -> dict[str, Any]:
    """The configuration of the tests as JSON has it, with these fields changed."""
    found = tomllib.loads(text.write(CLUSTER))
    for table, place, name, value in changes:
        found[table][place % len(found[table])][name] = value
    return found


def like(shape: Shape | None) -> st.SearchStrategy[Any]:
    """What is mostly as declared, so that rules behind the shape are reached, too."""
    match shape:
        case Text(choices=(_, *_)):
            return st.sampled_from(shape.choices)
        case Text():
            return st.sampled_from(["PA1", "pa2", "PA9", "anna"]) | st.text(max_size=30)
        case Whole():
            return st.integers(shape.least, min(shape.most, 5))
        case Number():
            return st.sampled_from([0, 0.0, 1, 0.5])
        case Flag():
            return st.booleans()
        case Items():
            return st.lists(like(shape.of), max_size=2)
        case Thing():
            must = {each.name: like(each.shape) for each in shape.parts if each.mandatory}
            may = {each.name: like(each.shape) for each in shape.parts if not each.mandatory}
            return st.fixed_dictionaries(must, optional=may)
        case _:
            return configurations()


def configurations() -> st.SearchStrategy[Any]:
    """The configuration of the tests, with fields changed to anything."""
    field = st.tuples(
        st.sampled_from(["servers", "providers"]),
        st.integers(0, 1),
        st.sampled_from(
            [
                "server_name",
                "name",
                "hosts",
                "number_of_media_ports",
                "fail_over_server_names",
                "interceptor_ports",
                "type",
                "password",
                "devices",
                "greeting",
            ]
        ),
        _JSON,
    )
    return st.lists(field, max_size=3).map(document)


async def send_all(
    program: Program, everything: Administration, asked: list[tuple[Operation, str, Any]]
) -> None:
    for operation, name, body in asked:
        path = operation.path.replace("{name}", name)
        if operation.name == "save":
            number = (await everything.managed.present()).number
            path += f"?base={number}"
        before = await everything.managed.present()
        status, found = await program.ask(operation.method, path, body)
        assert status in (200, 201, 400, 404, 409, 415, 422), (operation.name, body, found)
        assert SECRET not in json.dumps(found)
        after = await everything.managed.present()
        assert after.cluster.servers
        assert after == before or (operation.name, status) == ("save", 200)
        accounts = (await program.ask("GET", "/accounts"))[1]["accounts"]
        assert "administrator" in [each["role"] for each in accounts]


_BODIES = st.sampled_from(WRITING).flatmap(
    lambda each: st.tuples(
        st.just(each),
        st.sampled_from(["anna", "administrator", "x"]),
        like(each.body) | _JSON,
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(_BODIES, max_size=4))
@example([(next(each for each in WRITING if each.name == "save"), "x", document([]))])
def test_whatever_a_body_says_is_answered_and_the_configuration_keeps_every_rule(
    tmp_path: Path, asked: list[tuple[Operation, str, Any]]
) -> None:
    async def main() -> None:
        async with (
            call_manager_socket() as control,
            opened(tmp_path / secrets.token_hex(8), with_secret(), control=control) as (
                programs,
                all_,
                _,
            ),
        ):
            await send_all(programs[Role.ADMINISTRATOR], all_, asked)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.001))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(OPERATIONS),
            st.binary(max_size=60) | st.text(max_size=40).map(str.encode),
            st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
            st.sampled_from(["application/json", "application/toml", "text/plain", ""]),
        ),
        max_size=4,
    )
)
def test_whatever_bytes_come_as_body_and_query_are_answered(
    tmp_path: Path, asked: list[tuple[Operation, bytes, str, str]]
) -> None:
    async def main() -> None:
        async with (
            call_manager_socket() as control,
            opened(tmp_path / secrets.token_hex(8), control=control) as (programs, everything, _),
        ):
            for operation, body, query, kind in asked:
                if operation.stream:
                    continue
                path = operation.path.replace("{name}", "x")
                path += "?" + query.replace("#", "")
                headers = {"content-type": kind}
                program = programs[Role.ADMINISTRATOR]
                status, _ = await program.ask(operation.method, path, body, **headers)
                assert status in (200, 400, 404, 409, 415, 422)
            assert (await everything.managed.present()).number == 1

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.001))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'"\\ud800"',
        b"[" * 100_000,
        b"1" * 5000,
        b'{"a": 1} x',
    ],
)
def test_what_two_readers_would_read_differently_is_not_json(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_json(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("shape", "value", "problems"),
    [
        (Text(), 1, [("", "must be a text")]),
        (Text(choices=("a",)), "b", [("", "must be one of a")]),
        (Text(null=True), None, []),
        (Text(least=1), "", [("", "must have 1 to 1000 characters")]),
        (Whole(), True, [("", "must be a whole number")]),
        (Whole(), 1.0, [("", "must be a whole number")]),
        (Number(), float("nan"), [("", "must be a number")]),
        (Number(), -1, [("", "must be 0 to 1e+12")]),
        (Flag(), 1, [("", "must be true or false")]),
        (Items(of=Flag()), {}, [("", "must be a list")]),
        (Items(of=Flag(), most=1), [True, True], [("", "must have at most 1 entries")]),
        (Items(of=Flag()), [True, 1], [("[1]", "must be true or false")]),
        (Names(of=Flag()), [], [("", "must be an object")]),
        (Names(of=Flag()), {"a": 1}, [("a", "must be true or false")]),
        (Thing(parts=(Part("a", Flag()),)), {}, [("a", "is mandatory")]),
        (Thing(parts=(Part("a", Flag(), False),)), {"b": 1}, [("b", "unknown; known are a")]),
    ],
)
def test_a_shape_says_which_field_breaks_which_rule(
    shape: Shape, value: object, problems: list[tuple[str, str]]
) -> None:
    assert [(each.field, each.rule) for each in shape.problems(value)] == problems


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/../../PAsystemadmin/server-status",
        "/api/v1/accounts/..%2f..%2fdeeds",
        "/api/v1//status",
        "/api/v1/status/",
        "/api/v1/STATUS",
        "/api/v1/accounts/",
        "/api/v1/accounts//password",
        "/api/v1",
        "/api/v2/status",
        "/api/",
        "/api/v1/status%00",
        "/api/v1/status;x",
    ],
)
async def test_a_path_that_is_not_declared_leads_nowhere(tmp_path: Path, path: str) -> None:
    async with opened(tmp_path) as (programs, _, __):
        client = programs[Role.ADMINISTRATOR].client
        answer = await client.get(path)
        assert answer.status_code in (303, 401, 404), path
        if path.startswith("/api/v1/accounts/..%2f"):
            assert find("/api/v1/accounts/../../deeds") == ({}, {})


async def test_a_method_that_is_not_there_is_told_which_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, _, __):
        client = programs[Role.ADMINISTRATOR].client
        for method in ("DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"):
            answer = await client.request(method, f"{BASE}/configuration")
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, PUT"
            assert "access-control-allow-origin" not in answer.headers


async def test_what_a_name_says_comes_into_no_header_and_no_line_of_the_log(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        program = programs[Role.ADMINISTRATOR]
        name = "a\r\nset-cookie: x=y\x1b[31m"
        status, found = await program.ask("POST", "/accounts", {"name": name, "role": "reader"})
        assert status == 409
        status, found = await program.ask("POST", "/orders/hold", {"server": name, "within": 0})
        assert status == 422
        assert "\n" not in found["detail"]
        assert "\x1b" not in found["detail"]
        answer = await program.client.get(f"{BASE}/deeds?account=%0d%0aset-cookie:%20a=b")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert (await everything.managed.present()).number == 1


async def raw(everything: Administration, token: str, part: bytes, pause: float) -> int:
    """Send a body that never ends; gives the status of the answer."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await trio.sleep(pause)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/api/v1/configuration",
        "query_string": b"base=1",
        "headers": headers,
        "client": ("192.0.2.7", 1),
        "scheme": "http",
    }
    await make_app(everything)(scope, receive, send)  # type: ignore[arg-type]
    status: int = sent[0]["status"]
    return status


async def test_a_body_that_is_too_large_or_comes_too_slowly_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        header = programs[Role.ADMINISTRATOR].client.headers["authorization"]
        token = header.removeprefix("Bearer ")
        assert await raw(everything, token, b"x" * 100_000, 0.0) == 413
        assert await raw(everything, token, b"{", 3.0) == 408
        reader = programs[Role.READER].client.headers["authorization"].removeprefix("Bearer ")
        # Of who may not do it no body is read at all.
        assert await raw(everything, reader, b"x" * 100_000, 0.0) == 403


async def test_a_body_that_would_be_passed_over_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, _, __):
        program = programs[Role.ADMINISTRATOR]
        takes_none = [
            each for each in OPERATIONS if each.body is None and each.method not in ("GET", "HEAD")
        ]
        assert "/restart" in {each.path for each in takes_none}
        for operation in takes_none:
            path = operation.path.replace("{name}", "a-reader")
            status, found = await program.ask(operation.method, path, {"server": "PA1"})
            words = f"{operation.method} {operation.path} takes no body."
            assert (status, found["detail"]) == (400, words)


async def test_a_session_that_has_ended_is_nobody_s_and_another_s_is_not_touched(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, password):
        browser, program = await session_of(everything, password)
        _, other = await session_of(everything, password)
        await browser.press(await browser.get("log-out"), "Log Out")
        assert (await program.ask("GET", "/session"))[0] == 401
        assert (await other.ask("GET", "/session"))[0] == 200


@pytest.mark.makes_bugs
async def test_a_fault_of_an_operation_is_logged_and_told_without_its_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (programs, everything, _):

        async def fail(_: object) -> None:
            raise ZeroDivisionError("secret of the inside")

        monkeypatch.setattr(type(everything.managed), "present", fail)
        status, found = await programs[Role.READER].ask("GET", "/status")
        assert (status, "secret of the inside" in str(found)) == (500, False)


async def test_a_store_that_cannot_be_read_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (programs, _, store):

        async def fail() -> None:
            raise ConnectionLost("the disk is gone")

        monkeypatch.setattr(store, "snapshot", fail)
        program = programs[Role.ADMINISTRATOR]
        body = {"server": "PA1", "within": 0}
        for method, path, sent in (
            ("GET", "/status", None),
            ("GET", "/configuration", None),
            ("PUT", "/configuration?base=1", {}),
            ("POST", "/orders/hold", body),
        ):
            status, found = await program.ask(method, path, sent)
            assert (status, found["detail"]) == (503, "the disk is gone")
        _, text = await program.ask("POST", "/orders/hold", body, accept="text/event-stream")
        assert text.startswith("event: refused\n")
        assert '"status": 503' in text


async def test_who_is_one_too_many_to_follow_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (programs, everything, _):
        monkeypatch.setattr(everything.live, "most", 0)
        assert await programs[Role.READER].ask("GET", "/events") == (200, "retry: 60000\n\n")
