"""A home that is held, or ordered home, at a call manager: which call ends, and which goes on."""

from __future__ import annotations

from typing import Any

import trio
from test_server import NUMBERS, house

from pa_telephony import failover
from pa_telephony.sccp.enums import DCallState


async def away(it: Any) -> None:
    """PA1 is back after a crash; PA2 has all of it and does not give back by itself for now."""
    await failover.hold_and_see(it.house.cluster, "PA1", it.house.store)
    await it.house.stop("PA1")
    await it.house.holds("PA2", *NUMBERS)
    await it.house.start(it.nursery, "PA1")
    await trio.sleep(5.0)
    assert len(it.house.servers["PA2"].holds) == len(NUMBERS)


async def test_an_ordered_return_ends_the_call_that_delays_it_and_no_other() -> None:
    async with house() as it:
        await away(it)
        trace: list[Any] = []
        it.house.servers["PA2"]._trace = trace.append
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            found = await failover.return_and_see(it.house.cluster, "PA1", it.house.store)
            assert found.words == "PA1 serves all of its own"
            await call.wait_ended()
        (ended,) = [each.fields for each in trace if each.kind == "failover.call.ended"]
        assert ended["why"] == "an operator has PA1 return"
        await it.house.holds("PA1", *NUMBERS)
        assert not {each for each in it.house.store._entries if each.startswith("return/")}


async def test_calls_have_their_seconds_before_an_ordered_return_ends_them() -> None:
    async with house() as it:
        await away(it)
        place = it.house.cluster, "PA1", it.house.store
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            found = await failover.return_and_see(*place, deadline=10, within=4.0)
            assert found.words == "PA1 runs; PA2 still has 3 of its numbers, 1 of them in a call"
            assert call.state is DCallState.CONNECTED
            found = await failover.return_and_see(*place, undo=True)
            assert found.obeyed
            assert found.words.startswith("PA1: no return is ordered")
            await trio.sleep(8.0)
            assert call.state is DCallState.CONNECTED
        await it.house.holds("PA1", *NUMBERS)


async def test_a_home_that_does_not_run_cannot_be_ordered_home() -> None:
    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        found = await failover.return_and_see(it.house.cluster, "PA1", it.house.store)
        assert (found.final, found.obeyed) == (True, False)
        assert found.words == "PA1 does not run: there is nobody to return to"


async def test_a_home_that_is_held_stays_where_it_is_until_the_order_is_taken_back() -> None:
    async with house() as it:
        await away(it)
        place = it.house.cluster, "PA1", it.house.store
        found = await failover.hold_and_see(*place)
        assert found.words == "PA1: PA2 keeps 4 of its 4 numbers"
        found = await failover.hold_and_see(*place, undo=True, within=30.0)
        assert found.words == "PA1 serves all of its own"
        await it.house.holds("PA1", *NUMBERS)
