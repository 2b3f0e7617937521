"""Rolling restarts through the API: begun, followed, ended, refused, and noted before the wait."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import trio
from api_program import Program, opened
from form_browser import serve

from pa_telephony.admin.administration import WAITED, Administration
from pa_telephony.admin.roles import Role
from pa_telephony.failover.agents import AgentReport, Kept, key, process_name
from pa_telephony.failover.keeping import State as Process
from pa_telephony.failover.rolling import ROLLING, Roll, State
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Put, Transaction


@contextlib.asynccontextmanager
async def kept(
    directory: Path, *, agent: bool = True
) -> AsyncGenerator[tuple[dict[Role, Program], Administration, MemoryStore]]:
    """A cluster whose servers have an agent, which does nothing."""
    async with opened(directory) as (programs, everything, store):
        await serve(store, "PA1", "PA2")
        report = AgentReport("m", 0.0, {n: Kept(Process.RUNNING) for n in ("PA1", "PA2", "PA3")})
        await store.transact(Transaction((), (Put(key("m"), report.encode()),)))
        async with store.alive(process_name("m")) if agent else contextlib.nullcontext():
            yield programs, everything, store


async def put(store: MemoryStore, roll: Roll) -> None:
    await store.transact(Transaction((), (Put(ROLLING, roll.encode()),)))


async def test_a_restart_is_begun_its_progress_seen_and_ended(tmp_path: Path) -> None:
    async with kept(tmp_path) as (programs, everything, store):
        operator, reader = programs[Role.OPERATOR], programs[Role.READER]
        assert await reader.ask("GET", "/restart") == (200, {"restart": None})
        body: dict[str, Any] = {"servers": ["PA2", "PA3"], "deadline": 60, "within": 0.5}
        status, found = await operator.ask("POST", "/restart", body)
        assert status == 200
        assert (found["restart"]["state"], found["restart"]["left"]) == ("next", ["PA2", "PA3"])
        assert found["restart"]["deadline"] == 60
        await put(store, Roll(("PA3",), 60, State.STARTED, done=("PA2",)))
        _, found = await reader.ask("GET", "/restart")
        assert (found["restart"]["done"], found["restart"]["left"]) == (["PA2"], ["PA3"])
        status, found = await operator.ask("DELETE", "/restart")
        assert (status, found["restart"]["state"]) == (200, "undone")
        ended, begun = everything.records.deeds(2)
        assert (begun.what, begun.result) == ("API: restart PA2, PA3", "PA2 is next")
        assert ended.what == "API: end-restart"
        assert ended.result.startswith("ended by an operator")


async def test_who_accepts_events_hears_how_far_it_is_until_it_has_ended(tmp_path: Path) -> None:
    async with kept(tmp_path) as (programs, _, store):

        async def agent() -> None:
            await trio.sleep(2)
            await put(store, Roll((), 60, State.DONE, done=("PA2",)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent)
            body = {"servers": ["PA2"], "within": 60}
            _, text = await programs[Role.OPERATOR].ask(
                "POST", "/restart", body, accept="text/event-stream"
            )
    events = [each.split("\ndata: ") for each in text.strip().split("\n\n")]
    assert [name for name, _ in events] == ["event: progress", "event: done"]
    assert json.loads(events[0][1]) == {"words": "PA2 is next"}
    assert json.loads(events[1][1])["restart"]["state"] == "done"


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"all": True}, 409, "no agent keeps PA1: start pa-telephony agent there"),
        ({"servers": ["PA9"]}, 422, "there is no server 'PA9'"),
        ({}, 422, "name the servers, or say all: true"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason_and_noted(
    tmp_path: Path, body: dict[str, Any], status: int, why: str
) -> None:
    async with kept(tmp_path, agent=False) as (programs, everything, _):
        found = await programs[Role.OPERATOR].ask("POST", "/restart", body)
        assert (found[0], why in found[1]["detail"]) == (status, True)
        assert why in everything.records.deeds(1)[0].result


async def test_an_order_stands_in_the_audit_log_while_it_is_waited_for(tmp_path: Path) -> None:
    async with kept(tmp_path) as (programs, everything, _):
        operator = programs[Role.OPERATOR]
        async with trio.open_nursery() as nursery:
            body = {"servers": ["PA1"], "within": 100}
            nursery.start_soon(operator.ask, "POST", "/orders/stop", body)
            await trio.sleep(5)
            (deed,) = everything.records.deeds(1)
            assert (deed.what, deed.result) == ("API: stop PA1", WAITED)
            nursery.cancel_scope.cancel()
        # As when the program ends in order meanwhile.
        (deed,) = everything.records.deeds(1)
        assert deed.what == "API: stop PA1"
