"""Moments that broke something once, each played by itself, with the judge of all schedules.

What an operator sees of them stands in docs/failover.md; the same with real processes is played
by ``make faults``.
"""

from __future__ import annotations

import trio
from whole.house import House
from whole.stage import Script, Stage, perform

from pa_telephony.failover import Command, Kind


def kept(shape: str, script: Script) -> House:
    """Play it; every promise that the judge of the schedules knows is kept."""
    house, said = perform(shape, script)
    assert not said, "\n".join([*said, *house.log[-150:]])
    return house


def test_a_route_point_closed_while_the_call_manager_is_slow_has_one_owner_after() -> None:
    async def script(stage: Stage) -> None:
        house, (route,) = stage.house, stage.of("PA1", Kind.ROUTE_POINT)
        stage.trouble.kill("PA1")
        await stage.until(lambda: stage.has("PA2", "PA1"), 10.0)
        house.start("PA1")
        await stage.until(lambda: house.holders(route) == ["PA1", "PA2"], 40.0)
        await stage.trouble.pause_call_manager(3.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 20.0)
        await trio.sleep(5.0)
        await stage.answered(10.0)
        stage.trouble.kill("PA1")
        await stage.until(lambda: stage.has("PA2", "PA1"), 10.0)

    kept("aa", script)


def test_stop_and_start_while_the_call_manager_is_slow_bring_the_number_home() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.pause_call_manager, 4.0)
        stage.trouble.command(Command.STOP, "PA1")
        await stage.until(lambda: stage.has("PA2", "PA1"), 25.0)
        stage.trouble.command(Command.START, "PA1")
        await stage.until(lambda: stage.has("PA1", "PA1"), 40.0)
        await trio.sleep(5.0)
        await stage.answered(10.0)

    kept("aa", script)


def steps(house: House, *kinds: str) -> list[str]:
    return [line for line in house.log if any(f" {kind} " in line for kind in kinds)]


def test_a_call_manager_that_is_away_for_five_seconds_moves_nobody() -> None:
    async def script(stage: Stage) -> None:
        await stage.trouble.no_call_manager(5.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 10.0)

    house = kept("aa", script)
    assert not steps(house, "take_home", "leave", "hand_back")


def test_six_outages_longer_than_a_server_may_act_alone_move_nobody() -> None:
    async def script(stage: Stage) -> None:
        for outage in range(6):
            await stage.trouble.no_call_manager(4.5 + 0.7 * outage)
            await stage.until(lambda: stage.has("PA1", "PA1"), 15.0)
            await trio.sleep(3.5)

    house = kept("aa", script)
    assert not steps(house, "take_home", "leave", "hand_back")


def test_a_server_that_has_lost_one_provider_of_two_is_stood_in_for() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.refuse, "PA1", 2000, 40.0)
        await stage.until(lambda: stage.has("PA2", "PA1"), 15.0)
        await trio.sleep(5.0)
        await stage.answered(10.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 60.0)

    house = kept("aa", script)
    assert any("closes connections at once" in line or "refused" in line for line in house.log)


def test_a_first_heir_that_cannot_read_the_store_is_passed_over() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(lambda: stage.trouble.store("PA2", "cannot be read", 40.0, deaf=True))
        await trio.sleep(6.0)
        stage.trouble.kill("PA1")
        await stage.until(lambda: stage.has("PA3", "PA1"), 12.0)

    kept("two spares", script)


def test_an_owner_that_cannot_read_the_store_is_stood_in_for() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(lambda: stage.trouble.store("PA1", "cannot be read", 40.0, deaf=True))
        await stage.until(lambda: stage.has("PA2", "PA1"), 15.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 60.0)

    kept("aa", script)


def test_a_stopped_owner_costs_what_the_table_says() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.pause, "PA1", 45.0)
        await stage.until(lambda: stage.has("PA2", "PA1", Kind.PORT), 20.0)
        await trio.sleep(45.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 30.0)

    kept("aa", script)
