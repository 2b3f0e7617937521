"""A server that is drained or moved, at a call manager: calls go on, and callers are answered."""

from __future__ import annotations

from typing import Any

import trio
from test_server import NUMBERS, house, registered_from, until

from pa_telephony import failover
from pa_telephony.failover import Command
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Snapshot
from pa_telephony.failover.world import stop
from pa_telephony.sccp.enums import DCallState


async def drain(it: Any, deadline: int = 3600) -> None:
    order = failover.intents(it.house.cluster, Command.DRAIN, ["PA1"], deadline=deadline)
    await it.house.store.transact(order)


async def test_a_drained_server_keeps_its_call_and_the_stand_in_answers_meanwhile() -> None:
    async with house() as it:
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            await drain(it)
            server = it.house.servers["PA1"]
            await until(lambda: len(server.holds) == 1)
            (kept,) = server.holds
            await it.house.holds("PA2", *(each for each in NUMBERS if each != kept.number))
            async with it.phones["1002"].call("6000") as other:
                await other.wait_media()
                assert it.house.applications["PA2"].served
            async with it.phones["1002"].call("5123") as intercepted:
                await intercepted.wait_for(DCallState.RING_OUT)
            await trio.sleep(5.0)
            assert call.state is DCallState.CONNECTED
        await it.house.holds("PA2", *NUMBERS)
        await until(lambda: server._member.world.session("PA1") is None)
        await failover.control(it.house.cluster, Command.START, ["PA1"], it.house.store)
        await it.house.holds("PA1", *NUMBERS)
        assert stop("PA1") not in it.house.store._entries
        assert registered_from(it.house.manager, "VI1") is not None


class Late(MemoryStore):
    """A store that tells everything 0.3 s late."""

    async def snapshot(self) -> Snapshot:
        seen = await super().snapshot()
        await trio.sleep(0.3)
        return seen


async def test_who_calls_when_a_call_has_just_ended_at_a_drained_server_is_answered() -> None:
    """What the stand-in knows of the port is a heartbeat old: a call that is over."""
    async with house() as it, it.phones["1002"].call("6000") as other:
        await other.wait_media()
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            await drain(it)
            await it.house.holds("PA2", "6000", "5XXX")
            late = Late()
            late.__dict__ = it.house.store.__dict__  # the same contents
            it.house.servers["PA2"]._store = late
            await trio.sleep(1.0)
        async with it.phones["5123"].call("6000") as caller:
            await caller.wait_media()
        assert it.house.applications["PA2"].served


async def test_who_calls_while_all_ports_have_calls_at_a_drained_server_hears_busy_soon() -> None:
    async with (
        house() as it,
        it.phones["1002"].call("6000") as other,
        it.phones["1001"].call("6000") as call,
    ):
        await other.wait_media()
        await call.wait_media()
        await drain(it)
        await it.house.holds("PA2", "6000", "5XXX")
        dialled = trio.current_time()
        async with it.phones["5123"].call("6000") as late:
            await late.wait_for(DCallState.BUSY)
        assert trio.current_time() < dialled + 3.0


async def test_a_call_that_goes_on_beyond_the_deadline_is_ended() -> None:
    async with house() as it:
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            await drain(it, deadline=2)
            await call.wait_ended()
        await it.house.holds("PA2", *NUMBERS)


async def test_drain_says_what_is_so_until_it_is_done() -> None:
    async with house() as it:
        words: list[str] = []
        async with trio.open_nursery() as nursery, it.phones["1001"].call("6000") as call:
            await call.wait_media()
            server = it.house.servers["PA1"]
            await until(lambda: server.status()[0].media_ports_in_use == 1)

            async def see() -> None:
                (answer,) = await failover.control_and_see(
                    it.house.cluster,
                    Command.DRAIN,
                    ["PA1"],
                    it.house.store,
                    within=30.0,
                    told=lambda each: words.append(each.words),
                )
                words.append(answer.words)

            nursery.start_soon(see)
            await until(lambda: any("PA2 has 3 of its 4 numbers" in each for each in words))
        # Ages of the first look are by the clock of the machine, which is not the one here.
        assert "PA1 takes no new calls; calls that go on: 1" in " ".join(words)
        assert words[-1].startswith("PA1 is stopped")
        assert "PA2 serves 4 of its 4 numbers" in words[-1]


async def test_a_call_that_delays_a_move_beyond_its_deadline_is_hung_up() -> None:
    async with house() as it:
        place = it.house.cluster, "PA1", "PA2", it.house.store
        trace: list[Any] = []
        it.house.servers["PA1"]._trace = trace.append
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            found = await failover.move_and_see(*place, deadline=3, within=2.0)
            assert "PA2 serves 3 of its 4 numbers; calls that go on elsewhere: 1" in found.words
            assert call.state is DCallState.CONNECTED
            found = await failover.move_and_see(*place, deadline=1, within=5.0)
            assert found.words == "PA1: PA2 serves 4 of its 4 numbers"
            await call.wait_ended()
        (ended,) = [each.fields for each in trace if each.kind == "failover.call.ended"]
        assert ended["why"] == "an operator moves PA1 to PA2"
        await it.house.holds("PA2", *NUMBERS)


async def test_a_home_is_moved_with_a_call_up_and_moved_back() -> None:
    async with house() as it:
        place = it.house.cluster, "PA1"
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            found = await failover.move_and_see(*place, "PA2", it.house.store, within=5.0)
            assert not found.obeyed
            assert "PA2 serves 3 of its 4 numbers" in found.words
            assert call.state is DCallState.CONNECTED
        await it.house.holds("PA2", *NUMBERS)
        found = await failover.move_and_see(*place, "PA2", it.house.store)
        assert found.words == "PA1: PA2 serves 4 of its 4 numbers"
        found = await failover.move_and_see(*place, None, it.house.store)
        assert found.words == "PA1 serves all of its own"
        await it.house.holds("PA1", *NUMBERS)
