"""A store that answers late, loses answers, stands still or is gone; each process has its own view.

The truth is committed at one moment in between; what a client is told of it, and when, is drawn.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.transaction import Entry, Outcome, Snapshot, Transaction, apply
from whole.processes import Process

__all__ = ["SharedStore", "StoreClient"]


class SharedStore:
    """What is committed, and who is alive."""

    def __init__(self, *, proves_death: bool) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision = 0
        self.proves_death = proves_death
        self._alive: dict[str, Process] = {}
        self._known: set[str] = set()
        self._changed = trio.Event()

    def snapshot(self) -> Snapshot:
        """All entries as they are now."""
        alive = frozenset(name for name, process in self._alive.items() if process.alive)
        dead = frozenset(self._known - alive) if self.proves_death else frozenset[str]()
        return Snapshot(self.revision, dict(self.entries), dead, alive)

    def commit(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not."""
        outcome = apply(self.entries, transaction, self.revision)
        self.revision = outcome.revision
        if outcome.committed:
            self.changed()
        return outcome

    def changed(self) -> None:
        """Something is different: an entry, or who is alive."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self, seen: Snapshot) -> None:
        """Wait until it is not as in ``seen``."""
        while seen.revision == self.revision and seen.dead == self.snapshot().dead:
            await self._changed.wait()

    def enter(self, name: str, process: Process) -> None:
        """``process`` is the server ``name``."""
        other = self._alive.get(name)
        if other is not None and other.alive:
            raise ConfigurationError(f"{name} runs already", field="server_name")
        self._alive[name] = process
        self._known.add(name)
        self.changed()

    def leave(self, name: str, process: Process) -> None:
        """Note that a server's process is gone."""
        if self._alive.get(name) is process:
            del self._alive[name]
        self.changed()


@dataclass
class Weather:
    """How the store is for one process. Seconds; probabilities."""

    delay: tuple[float, float] = (0.0003, 0.002)
    """Before and after the moment of truth, each."""
    look: tuple[float, float] = (0.001, 0.011)
    """Until a change is noticed."""
    lost_before: float = 0.0
    lost_after: float = 0.0
    """How many answers are lost: of what is then not committed, of what is."""
    gone: bool = False
    """Everything fails at once."""
    stands: bool = False
    """Nothing is answered until this ends."""
    deaf: bool = False
    """It can be written and not be read (a process without descriptors)."""


class StoreClient:
    """A :class:`~pa_telephony.failover.stores.Store` for one process."""

    def __init__(self, shared: SharedStore, process: Process, chance: random.Random) -> None:
        self.weather = Weather()
        self._shared = shared
        self._process = process
        self._chance = chance

    async def snapshot(self) -> Snapshot:
        """As it was when the question arrived; older when the answer takes long."""
        await self._reach(reading=True)
        seen = self._shared.snapshot()
        await self._reach(reading=True)
        return seen

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit it or not; the answer may be lost either way."""
        with trio.CancelScope(shield=self._process.alive):
            await self._reach()
            if self._chance.random() < self.weather.lost_before:
                raise ConnectionLost("store: no answer")
            outcome = self._shared.commit(transaction)
            if self._chance.random() < self.weather.lost_after:
                raise ConnectionLost("store: no answer")
            await self._reach()
        return outcome

    async def watch(self, seen: Snapshot) -> None:
        """Return once something has changed, and that was noticed."""
        await trio.lowlevel.checkpoint()
        self._check(reading=True)
        await self._shared.wait_changed(seen)
        await trio.sleep(self._chance.uniform(*self.weather.look))
        self._check(reading=True)

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Be the server ``name`` until the process ends."""
        await trio.lowlevel.checkpoint()
        self._shared.enter(name, self._process)
        try:
            yield
        finally:
            self._shared.leave(name, self._process)

    async def _reach(self, *, reading: bool = False) -> None:
        self._check(reading=reading)
        await trio.sleep(self._chance.uniform(*self.weather.delay))
        while self.weather.stands and self._process.alive:  # noqa: ASYNC110 - a fault ends it, which tells nobody
            await trio.sleep(0.05)
        self._check(reading=reading)

    def _check(self, *, reading: bool = False) -> None:
        if self.weather.gone or not self._process.alive or (reading and self.weather.deaf):
            raise ConnectionLost("store: unreachable")
