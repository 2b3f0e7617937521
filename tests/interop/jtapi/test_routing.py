"""Route points of Cisco's client."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from jtapi import Driver
from jtapi_house import open_house, ringing

pytestmark = pytest.mark.real_time


async def test_a_route_point_routes_past_a_destination_that_refuses(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path, complaints=False) as client:
        one, two = await house.phone("P1"), await house.phone("P2")
        await client.log_in()
        await client.say("routes 9999 1002")
        await client.say("register RP1 none 6000")
        async with one.call("6000"):
            assert "calling=1001 current=6000" in await client.expect("routeEvent")
            assert "1002" in await client.expect("routeUsedEvent")
            await client.expect("routeEndEvent")
            assert (await ringing(two)).last_redirecting == "6000"


async def test_when_every_destination_refuses_the_client_re_routes_and_the_call_alerts(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path, complaints=False) as client:
        one = await house.phone("P1")
        await client.log_in()
        await client.say("routes 9999")
        await client.say("register RP1 none 6000")
        async with one.call("6000") as call:
            await client.expect("routeEvent")
            await client.expect("reRouteEvent cause=103")
            await client.expect("routeEndEvent")
            assert not call.ended


async def test_a_route_that_is_not_selected_in_time_ends_with_the_call_alerting(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one = await house.phone("P1")
        await client.log_in()
        await client.say("register RP1 none 6000")
        async with one.call("6000") as call:
            await client.expect("routeEvent")
            await client.expect("routeEndEvent cause=101")
            assert not call.ended


async def test_a_caller_who_hangs_up_ends_the_route(driver: Driver, tmp_path: Path) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one = await house.phone("P1")
        await client.log_in()
        await client.say("register RP1 none 6000")
        async with one.call("6000"):
            await client.expect("routeEvent")
        await client.expect("routeEndEvent")


async def test_two_applications_share_a_route_point_and_the_first_redirect_wins(
    driver: Driver, tmp_path: Path
) -> None:
    async with (
        open_house() as house,
        driver.run(tmp_path / "a", complaints=False) as first,
        driver.run(tmp_path / "b", complaints=False) as second,
    ):
        one, two = await house.phone("P1"), await house.phone("P2")
        for client in (first, second):
            await client.log_in()
            await client.say("routes 1002")
            await client.say("register RP1 none 6000")
        async with one.call("6000"):
            ended = [await client.expect("routeEndEvent") for client in (first, second)]
            used = [any("routeUsedEvent 1002" in line for line in c.seen) for c in (first, second)]
            assert sorted(used) == [False, True]
            assert "cause=104" in ended[used.index(False)]
            assert len(two.calls) == 1


async def test_a_second_registration_of_another_type_is_refused_by_name(
    driver: Driver, tmp_path: Path
) -> None:
    async with (
        open_house(),
        driver.run(tmp_path / "a") as first,
        driver.run(tmp_path / "b", complaints=False) as second,
    ):
        await first.log_in()
        await second.log_in()
        await first.say("register RP1 none 6000")
        refused = await second.say("register RP1 dynamic 6000", "error ")
        assert "CiscoRegistrationException" in refused
        assert "8ccc00a2" in refused
        await first.say("port CTIP1 127.0.0.1 40000 5001")
        refused = await second.say("port CTIP1 127.0.0.1 40002 5001", "error ")
        assert "8ccc00a3" in refused


async def test_a_route_point_with_media_is_answered(driver: Driver, tmp_path: Path) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one = await house.phone("P1")
        await client.log_in()
        await client.say("media 127.0.0.1 41000")
        await client.say("register RP1 dynamic 6000")
        await client.say("observe 6000")
        async with one.call("6000") as call:
            await client.expect("CallCtlConnOfferedEv", "6000:")
            await client.say("accept 6000")
            await client.expect("CallCtlTermConnRingingEv")
            await client.say("answer 6000")
            await client.expect("RTPInput 127.0.0.1:41000")
            with trio.fail_after(5):
                await call.wait_connected()
            await client.say("drop 6000")
