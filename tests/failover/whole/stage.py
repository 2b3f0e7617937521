"""A house in which everything is home, for a script that has one thing go wrong at one moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from pa_telephony.failover import Identity, Kind
from whole.callers import PATIENCE
from whole.clusters import SHAPES
from whole.house import House, run_in_virtual_time
from whole.judge import Judge
from whole.trouble import Trouble

__all__ = ["Script", "Stage", "perform"]

Script = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A house in which everything is home and settled, and its faults."""

    def __init__(self, house: House, trouble: Trouble, judge: Judge, nursery: trio.Nursery) -> None:
        self.house, self.trouble, self._judge = house, trouble, judge
        self._nursery = nursery

    @property
    def violations(self) -> list[str]:
        """What the judge has said so far."""
        return self._judge.violations

    def soon(self, function: Callable[..., Awaitable[None]], *args: object) -> None:
        """Run ``function`` beside the script."""
        self._nursery.start_soon(function, *args)

    def of(self, home: str, *kinds: Kind) -> list[Identity]:
        """What ``home`` owns by configuration, of these kinds or of all."""
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


def perform(shape: str, script: Script) -> tuple[House, list[str]]:
    """Play it; gives what the judge of the schedules says of it, too."""
    said: list[str] = []

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
            said.extend(judge.violations)
            nursery.cancel_scope.cancel()

    return run_in_virtual_time(SHAPES[shape], 1, body), said
