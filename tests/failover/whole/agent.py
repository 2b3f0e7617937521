"""The part of the agents in a rolling restart, played for all servers of a house."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from pa_telephony.failover.roll_orders import undoing
from pa_telephony.failover.rolling import ROLLING, Roll, State, Watch, rolling, step
from pa_telephony.failover.status import Ages, cluster_status
from pa_telephony.failover.stored import current
from pa_telephony.failover.transaction import Compare, Put, Transaction
from pa_telephony.failover.world import World
from whole.house import House

__all__ = ["Agent"]

_LOOK = 0.1


class Agent:
    """Ends and starts what a roll has drained, and writes its steps; ``run`` it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._watch = Watch()
        self._ages = Ages()

    @property
    def roll(self) -> Roll | None:
        """The roll as the store has it."""
        return rolling(self._house.store.snapshot())

    def restart(self, names: Sequence[str], deadline: int = 3600) -> None:
        """An operator wants these servers to be restarted, unless such an order is carried out."""
        roll, store = self.roll, self._house.store
        if roll is None or not roll.goes_on:
            self._house.note(f"operator: restart {' '.join(names)}")
            unchanged = Compare(ROLLING, modified=store.snapshot().modified(ROLLING))
            put = Put(ROLLING, Roll(tuple(names), deadline).encode())
            store.commit(Transaction((unchanged,), (put,)))

    def undo(self) -> None:
        """An operator ends it."""
        undo = undoing(self._house.store.snapshot(), 0.0)
        if undo is not None:
            self._house.note("operator: no restart any more")
            self._house.store.commit(undo)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await trio.sleep(_LOOK)
            roll = self.roll
            if roll is not None and roll.goes_on:
                self._look(roll)

    def _look(self, roll: Roll) -> None:
        house, snapshot, now = self._house, self._house.store.snapshot(), trio.current_time()
        cluster, name = current(house.cluster, snapshot), roll.servers[0]
        world = World(cluster, snapshot)
        if roll.state is State.DRAINED and house.runs(name) and world.session(name) is None:
            house.kill(name)
        elif roll.state is State.STARTED:
            house.start(name)
        ages = self._ages.look(cluster, snapshot, 1000.0 + now)
        pages = cluster_status(cluster, snapshot, ages)
        view = self._watch.look(world, pages, runs=house.runs(name), now=now, at=now)
        transaction = None if view is None else step(view)
        if transaction is not None and house.store.commit(transaction).committed:
            house.note(f"rolling restart: {self.roll}")
