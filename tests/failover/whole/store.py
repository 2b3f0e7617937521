"""A store that answers late, loses answers, stands still or is gone; each process has its own view.

The truth is committed at one moment in between; what a client is told of it, and when, is drawn.
Where each server has a machine of its own the store stands on others still, and a request may
commit long after its client has given it up: see :mod:`replicated`.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.transaction import (
    Entry,
    Outcome,
    Put,
    Snapshot,
    Transaction,
    apply,
)
from pa_telephony.failover.world import session
from whole.processes import Process

__all__ = ["SharedStore", "StoreClient"]

_BOUND = 1.0
"""Seconds after which a client of a store on other machines gives a request up."""
_LONGEST_AGO = 5.0
"""Seconds that a member of such a store may be behind, at most."""


class SharedStore:
    """What is committed, and who is alive."""

    def __init__(self, *, proves_death: bool) -> None:
        self.entries: dict[str, Entry] = {}
        self.revision = 0
        self.proves_death = proves_death
        self.machine_each = False
        """Whether each server has a machine of its own, and the store stands on others."""
        self.elects_until = 0.0
        """The time until which nothing commits and nothing is read."""
        self._alive: dict[str, Process] = {}
        self._known: set[str] = set()
        self._changed = trio.Event()
        self._past: deque[tuple[float, int, dict[str, Entry]]] = deque([(0.0, 0, {})])
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._sooner = trio.Event()

    def snapshot(self, process: Process | None = None, *, behind: float = 0.0) -> Snapshot:
        """All entries as they are now, or some seconds ago, and the deaths that ``process`` sees.

        On a machine of its own it sees that of nobody else.
        """
        alive = frozenset(name for name, found in self._alive.items() if found.alive)
        dead = frozenset(self._known - alive) if self.proves_death else frozenset[str]()
        if self.machine_each and process is not None:
            dead &= {process.name}
        if not behind:
            return Snapshot(self.revision, dict(self.entries), dead, alive)
        when = trio.current_time() - behind
        _, revision, entries = next(
            (past for past in reversed(self._past) if past[0] <= when), self._past[0]
        )
        return Snapshot(revision, entries, dead, alive)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Have something done at a later time."""
        heapq.heappush(self._later, (trio.current_time() + seconds, next(self._order), act))
        self._sooner.set()

    async def run(self) -> None:
        """Do what is to be done later, until cancelled."""
        while True:
            self._sooner = trio.Event()
            until = self._later[0][0] if self._later else math.inf
            with trio.move_on_at(until):
                await self._sooner.wait()
            while self._later and self._later[0][0] <= trio.current_time():
                heapq.heappop(self._later)[2]()

    def commit(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not."""
        outcome = apply(self.entries, transaction, self.revision)
        self.revision = outcome.revision
        if outcome.committed:
            self._remember()
            self.changed()
        return outcome

    def _remember(self) -> None:
        now = trio.current_time()
        self._past.append((now, self.revision, dict(self.entries)))
        while self._past[1][0] < now - _LONGEST_AGO:
            self._past.popleft()

    def is_followed(self, process: Process) -> bool:
        """Whether another process has the name of this one now."""
        return self._alive.get(process.name, process) is not process

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
    stuck: float = 0.0
    """How many requests are given up by their client and commit some seconds later, or never."""
    behind: float = 0.0
    """How old what is read is."""


class StoreClient:
    """A :class:`~pa_telephony.failover.stores.Store` for one process."""

    def __init__(self, shared: SharedStore, process: Process, chance: random.Random) -> None:
        self.weather = Weather()
        self._shared = shared
        self._process = process
        self._chance = chance
        self._seen = 0
        self._unknown: set[object] = set()

    async def snapshot(self) -> Snapshot:
        """As it was when the question arrived; older when the answer takes long."""
        await self._reach(reading=True)
        await self._elected()
        seen = self._looked()
        await self._reach(reading=True)
        self._seen = max(self._seen, seen.revision)
        return seen

    def _looked(self) -> Snapshot:
        """What the member that it asks has; a client never goes back."""
        found = self._shared.snapshot(self._process, behind=self.weather.behind)
        return found if found.revision >= self._seen else self._shared.snapshot(self._process)

    async def _elected(self) -> None:
        """Wait for the end of an election, but not for too long."""
        left = self._shared.elects_until - trio.current_time()
        if left > 0.0:
            await trio.sleep(min(left, _BOUND))
            if left > _BOUND:
                raise ConnectionLost("store: no leader")

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit it or not; the answer may be lost either way."""
        with trio.CancelScope(shield=self._process.alive):
            await self._reach()
            await self._find_out()
            await self._may_be_stuck(transaction)
            if self._chance.random() < self.weather.lost_before:
                raise ConnectionLost("store: no answer")
            outcome = self._shared.commit(transaction)
            if self._chance.random() < self.weather.lost_after:
                raise ConnectionLost("store: no answer")
            await self._reach()
        return outcome

    async def _find_out(self) -> None:
        """What is given up and has not committed by now never will."""
        if self._unknown:
            await self._elected()
            self._unknown.clear()

    async def _may_be_stuck(self, transaction: Transaction) -> None:
        """Give a request up, which commits later, or never, or twice, if it may be repeated."""
        left = self._shared.elects_until - trio.current_time()
        if left <= 0.0 and self._chance.random() >= self.weather.stuck:
            return
        request = object()
        repeatable = _is_beat(transaction, self._process.name)
        if not repeatable:
            self._unknown.add(request)

        def commit() -> None:
            followed = self._shared.is_followed(self._process)
            if repeatable or (request in self._unknown and not followed):
                self._shared.commit(transaction)

        if left > 0.0:
            self._shared.later(left + self._chance.uniform(0.0, 0.05), commit)
        else:
            for _ in range(self._chance.choice([0, 1, 1, 2])):
                self._shared.later(self._chance.choice([1.5, 4.0, 12.0, 25.0]), commit)
        await trio.sleep(_BOUND)
        raise ConnectionLost("store: no answer")

    async def watch(self, seen: Snapshot) -> None:
        """Return once something has changed, and that was noticed."""
        await trio.lowlevel.checkpoint()
        self._check(reading=True)
        while self.weather.behind and self._looked().revision == seen.revision:  # noqa: ASYNC110 - what was tells nobody
            await trio.sleep(0.05)
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


def _is_beat(transaction: Transaction, name: str) -> bool:
    """Whether it may be repeated without finding out first: a heartbeat is as good twice."""
    return all(
        isinstance(each, Put) and each.key == session(name) for each in transaction.operations
    ) and all(each.created for each in transaction.compares)
