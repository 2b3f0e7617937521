"""Moments that broke something once, each played by itself, with the judge of all schedules.

What an operator sees of them stands in docs/failover.md; the same with real processes is played
by ``make faults``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from whole.callers import PATIENCE
from whole.clusters import SHAPES
from whole.house import House, run_in_virtual_time
from whole.judge import Judge
from whole.trouble import Trouble

from pa_telephony.failover import Cluster, Command, Identity, Kind

Script = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A house in which everything is home and settled, and its faults."""

    def __init__(self, house: House, trouble: Trouble, judge: Judge, nursery: trio.Nursery) -> None:
        self.house, self.trouble, self._judge = house, trouble, judge
        self._nursery = nursery

    def soon(self, function: Callable[..., Awaitable[None]], *args: object) -> None:
        self._nursery.start_soon(function, *args)

    def of(self, home: str, *kinds: Kind) -> list[Identity]:
        found = self.house.devices
        return [i for i in found if i.home == home and (not kinds or i.kind in kinds)]

    def has(self, name: str, home: str, *kinds: Kind) -> bool:
        """Whether the call manager has all of ``home`` from ``name`` alone."""
        house = self.house
        return house.manager is not None and all(
            house.holders(identity) == [name]
            and (identity.kind is Kind.PORT or house.owners_at_call_manager(identity) == 1)
            for identity in self.of(home, *kinds)
        )

    async def until(self, condition: Callable[[], bool], within: float) -> float:
        """Wait for it; gives the seconds that it took."""
        began = trio.current_time()
        while not condition():
            where = {i.label: self.house.holders(i) for i in self.house.devices}
            assert trio.current_time() < began + within, f"not within {within} s: {where}"
            await trio.sleep(0.001)
        return trio.current_time() - began

    async def answered(self, seconds: float) -> None:
        """Who calls in the next ``seconds`` is answered, or finds all ports busy."""
        began = trio.current_time()
        await trio.sleep(seconds + PATIENCE + 2.0)
        calls = [
            call
            for call in self.house.callers.calls
            if began <= call.began < began + seconds and call.number in ("6000", "6009")
        ]
        assert any(call.up for call in calls)
        for call in calls:
            assert call.up or self._judge.all_busy(call), str(call)


def perform(shape: str | Cluster, script: Script) -> House:
    """Play it; every promise that the judge of the schedules knows is kept."""
    cluster = SHAPES[shape] if isinstance(shape, str) else shape

    async def body(house: House) -> None:
        trouble = Trouble(house)
        judge = Judge(house, trouble)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(judge.run)
            stage = Stage(house, trouble, judge, nursery)
            house.start_call_manager()
            house.start_callers()
            for name in house.names:
                house.start(name)
            await stage.until(house.home_again, 10.0)
            # An heir counts only when it has had its call manager for some time.
            await trio.sleep(house.cluster.timing.steady + 3.0)
            await script(stage)
            nursery.cancel_scope.cancel()
        assert not judge.violations, "\n".join([*judge.violations, *house.log[-150:]])

    return run_in_virtual_time(cluster, 1, body)


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

    perform("aa", script)


def test_stop_and_start_while_the_call_manager_is_slow_bring_the_number_home() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.pause_call_manager, 4.0)
        stage.trouble.command(Command.STOP, "PA1")
        await stage.until(lambda: stage.has("PA2", "PA1"), 25.0)
        stage.trouble.command(Command.START, "PA1")
        await stage.until(lambda: stage.has("PA1", "PA1"), 40.0)
        await trio.sleep(5.0)
        await stage.answered(10.0)

    perform("aa", script)


def steps(house: House, *kinds: str) -> list[str]:
    return [line for line in house.log if any(f" {kind} " in line for kind in kinds)]


def test_a_call_manager_that_is_away_for_five_seconds_moves_nobody() -> None:
    async def script(stage: Stage) -> None:
        await stage.trouble.no_call_manager(5.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 10.0)

    house = perform("aa", script)
    assert not steps(house, "take_home", "leave", "hand_back")


def test_six_outages_longer_than_a_server_may_act_alone_move_nobody() -> None:
    async def script(stage: Stage) -> None:
        for outage in range(6):
            await stage.trouble.no_call_manager(4.5 + 0.7 * outage)
            await stage.until(lambda: stage.has("PA1", "PA1"), 15.0)
            await trio.sleep(3.5)

    house = perform("aa", script)
    assert not steps(house, "take_home", "leave", "hand_back")


def test_a_first_heir_that_cannot_read_the_store_is_passed_over() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(lambda: stage.trouble.store("PA2", "cannot be read", 40.0, deaf=True))
        await trio.sleep(6.0)
        stage.trouble.kill("PA1")
        await stage.until(lambda: stage.has("PA3", "PA1"), 12.0)

    perform("two spares", script)


def test_an_owner_that_cannot_read_the_store_is_stood_in_for() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(lambda: stage.trouble.store("PA1", "cannot be read", 40.0, deaf=True))
        await stage.until(lambda: stage.has("PA2", "PA1"), 15.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 60.0)

    perform("aa", script)


def test_a_stopped_owner_costs_what_the_table_says() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.pause, "PA1", 45.0)
        await stage.until(lambda: stage.has("PA2", "PA1", Kind.PORT), 20.0)
        await trio.sleep(45.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 30.0)

    perform("aa", script)


def test_a_server_that_has_lost_one_provider_of_two_is_stood_in_for() -> None:
    async def script(stage: Stage) -> None:
        stage.soon(stage.trouble.refuse, "PA1", 2000, 40.0)
        await stage.until(lambda: stage.has("PA2", "PA1"), 15.0)
        await trio.sleep(5.0)
        await stage.answered(10.0)
        await stage.until(lambda: stage.has("PA1", "PA1"), 60.0)

    house = perform("aa", script)
    assert any("closes connections at once" in line or "refused" in line for line in house.log)
