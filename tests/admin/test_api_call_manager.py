"""The call manager through the API: what is shown is so, and what is done happens there."""

from __future__ import annotations

import contextlib
import json
import math
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
import trio
from api_program import Program, opened
from company import ALICE, BOB, COMPANY
from hypothesis import HealthCheck, given, settings, strategies as st
from loopback import HOST
from trio.testing import MockClock
from whole_house import a_manager, pick_up, ringing, until

from pa_telephony import rtp, sccp
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.declaring import shape_of
from pa_telephony.admin.api.operations import OPERATIONS, Operation
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import Tokens
from pa_telephony.callmanager import CallManager, offer_control
from pa_telephony.callmanager.control.rows import TOPICS

TOPIC_PATHS = {each: f"/callmanager/{each.replace('_', '-')}" for each in TOPICS}


@pytest.fixture
def directory() -> Generator[Path]:
    """One whose path is short enough for a socket."""
    made = tempfile.mkdtemp(prefix="pa-")
    yield Path(made)
    shutil.rmtree(made)


@contextlib.asynccontextmanager
async def beside_a_call_manager(
    directory: Path,
) -> AsyncGenerator[tuple[dict[Role, Program], Administration, CallManager]]:
    async with (
        a_manager(within=math.inf) as manager,
        offer_control(manager, directory / "c"),
        opened(directory / secrets.token_hex(4), control=directory / "c") as (programs, all_, _),
    ):
        yield programs, all_, manager


async def test_every_topic_is_shown_as_it_is_declared(directory: Path) -> None:
    async with beside_a_call_manager(directory) as (programs, _, manager):
        reader = programs[Role.READER]
        status, about = await reader.ask("GET", "/callmanager")
        assert (status, about["sccp"]) == (200, manager.sccp_address)
        found = {}
        for topic, path in TOPIC_PATHS.items():
            status, answer = await reader.ask("GET", path)
            assert status == 200
            found[topic] = answer[topic]
        assert [each["name"] for each in found["devices"]] == [d.name for d in COMPANY.devices]
        assert found["calls"] == found["applications"] == []
        assert {"device": "RP1", "number": "6000"}.items() <= found["route_points"][0].items()


async def test_events_tell_of_everything_but_counters_whenever_it_changes(directory: Path) -> None:
    async with beside_a_call_manager(directory) as (programs, everything, manager):
        operation = next(each for each in OPERATIONS if each.name == "call-manager-events")
        say, heard = trio.open_memory_channel[dict[str, Any]](10)
        app = programs[Role.READER].client._transport.app  # type: ignore[attr-defined]
        secret = Tokens(everything.records).make("watcher", Role.READER, "test")

        async def receive() -> dict[str, Any]:
            await trio.sleep_forever()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            body = message.get("body", b"").decode()
            if body.startswith("event: update\ndata: "):
                found = json.loads(body.partition("data: ")[2])
                assert [*operation.answer.problems(found)] == []
                say.send_nowait(found)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/callmanager/events",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {secret}".encode())],
            "client": ("192.0.2.7", 1),
            "scheme": "http",
        }
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app, scope, receive, send)
            with trio.fail_after(60):
                first = await heard.receive()
                assert first["about"]["sccp"] == manager.sccp_address
                assert (first["unreached"], "counters" in first) == ("", False)
                assert not any(each["registered"] for each in first["devices"])
                async with sccp.open_station(ALICE, manager.sccp_address):
                    while True:
                        found = await heard.receive()
                        if any(each["registered"] for each in found["devices"]):
                            break
            nursery.cancel_scope.cancel()


async def test_the_devices_that_it_lacks_have_the_lines_to_paste(directory: Path) -> None:
    async with beside_a_call_manager(directory) as (programs, _, __):
        _, found = await programs[Role.READER].ask("GET", "/callmanager/missing")
        names = [each["name"] for each in found["missing"]]
        assert names == ["PA-VI1", "PA-VI2", "PA1-RP-5XXX"]
        assert found["missing"][0]["server"] == "PA1"
        assert found["missing"][0]["toml"].startswith('[[device]]\nname = "PA-VI1"\n')


async def test_operators_reset_forward_light_lamps_and_drop_and_it_is_noted(
    directory: Path,
) -> None:
    async with (
        beside_a_call_manager(directory) as (programs, all_, manager),
        rtp.open_engine(address=HOST, first_port=47000) as engine,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine) as alice,
        sccp.open_station(BOB, manager.sccp_address, engine=engine) as bob,
        trio.open_nursery() as nursery,
    ):
        operator = programs[Role.OPERATOR]

        async def do(path: str, **body: Any) -> str:
            status, found = await operator.ask("POST", f"/callmanager/{path}", body)
            assert status == 200, found
            deed = all_.records.deeds(1)[0]
            assert deed.account == "token a-operator"
            assert deed.what.startswith(f"API: call-manager-{path} ")
            assert deed.result == found["told"]
            return str(found["told"])

        assert await do("message-waiting", line="1001", on=True) == (
            "Message waiting of 1001 is on."
        )
        await alice.wait_shown(lambda screen: screen.message_waiting())
        await do("forward", line="1001", partition="", kind="all", number="1003")
        await alice.wait_shown(lambda _: alice.forwarded_to() == "1003")
        assert "not forwarded any more" in await do("forward", line="1001", kind="all")
        await do("restart", device=ALICE)
        await until(lambda: alice.registrations == 2)
        await until(lambda: manager.calls.is_registered(ALICE))
        async with alice.call("1002") as call:
            nursery.start_soon(pick_up, await ringing(bob))
            await call.wait_connected()
            (_, found) = await operator.ask("GET", "/callmanager/calls")
            assert [each["name"] for each in found["calls"][0]["parties"]] == ["Alice", "Bob"]
            await do("drop", call=found["calls"][0]["id"])
            await call.wait_ended()


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("reset", {"device": "P9"}, 404, "there is no device P9"),
        ("restart", {"device": ALICE}, 409, "P1 is not registered"),
        ("reset", {"device": "RP1"}, 409, "only its application can do that"),
        ("message-waiting", {"line": "99", "on": True}, 404, "there is no line 99"),
        ("forward", {"line": "1001", "kind": "night"}, 422, "must be one of all, busy"),
        ("forward", {"line": "1001", "kind": "all", "number": "77"}, 409, "cannot be forwarded"),
        ("drop", {"call": 7}, 404, "there is no call 7"),
        ("drop", {}, 422, "is mandatory"),
    ],
)
async def test_what_is_refused_is_a_problem_with_its_reason(
    directory: Path, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    async with beside_a_call_manager(directory) as (programs, _, __):
        answer = await programs[Role.OPERATOR].ask("POST", f"/callmanager/{path}", body)
        assert answer[0] == status
        assert words in answer[1]["detail"]


async def test_a_reader_does_nothing_there(directory: Path) -> None:
    async with beside_a_call_manager(directory) as (programs, _, __):
        for each in WRITING:
            status, found = await programs[Role.READER].ask("POST", each.path, {"device": ALICE})
            assert (status, found["title"]) == (403, "Forbidden")


async def test_without_a_call_manager_each_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as (programs, all_, _):
        for path in ("", "/devices", "/missing"):
            status, found = await programs[Role.READER].ask("GET", f"/callmanager{path}")
            assert status == 503
            assert "no call manager answers at" in found["detail"]
        status, found = await programs[Role.OPERATOR].ask(
            "POST", "/callmanager/reset", {"device": ALICE}
        )
        assert status == 503
        assert all_.records.deeds(1)[0].result.startswith("refused: no call manager answers")


def test_a_field_of_a_row_that_has_no_shape_is_not_declared_by_accident() -> None:
    with pytest.raises(KeyError):
        shape_of(bytes)


WRITING = [
    each for each in OPERATIONS if each.name.startswith("call-manager") and each.method == "POST"
]
_VALUES = st.one_of(
    st.sampled_from(["P1", "1001", "2000", "RP1", "all", "busy", ""]),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.integers(-1, 2**54),
    st.lists(st.integers(), max_size=2),
)
_BODIES = st.sampled_from(WRITING).flatmap(
    lambda each: st.tuples(
        st.just(each),
        st.dictionaries(
            st.sampled_from(["device", "line", "partition", "on", "kind", "number", "call", "x"]),
            _VALUES,
        ),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(_BODIES, max_size=8))
def test_whatever_a_body_says_is_answered_and_the_call_manager_goes_on(
    directory: Path, asked: list[tuple[Operation, dict[str, Any]]]
) -> None:
    async def main() -> None:
        async with beside_a_call_manager(directory) as (programs, _, manager):
            for operation, body in asked:
                status, found = await programs[Role.OPERATOR].ask("POST", operation.path, body)
                assert status in (200, 404, 409, 422), (operation.name, body, found)
                assert "secret" not in json.dumps(found)
            status, _ = await programs[Role.READER].ask("GET", "/callmanager/devices")
            assert status == 200
            assert manager.calls.legs == {}

    trio.run(main, clock=MockClock(autojump_threshold=0.01))
