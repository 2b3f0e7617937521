"""The agent of a machine: it keeps its servers' processes as the store says.

The decisions are in :mod:`keeping` (pure). Here the store is looked at, processes are started,
watched and ended, and what is so is told (:mod:`agents`). Servers are not children that die with
their agent: it may end, be started anew, or lose the store, and they go on; an agent that starts
finds them by their locks. While the store cannot be read nothing is started and nothing is ended.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import agents, rolling
from pa_telephony.failover.beat import PROTOCOL
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.keeping import Effect, Input, Keeper, Limits, State
from pa_telephony.failover.machines import elsewhere
from pa_telephony.failover.status import Ages, cluster_status
from pa_telephony.failover.stored import CONFIGURATION, current
from pa_telephony.failover.stores import Store
from pa_telephony.failover.transaction import Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import Stop, World, session
from pa_telephony.faults import NEWS
from pa_telephony.tasks import Background, background

__all__ = ["Agent", "Child", "Launcher", "open_agent"]

_LOG = logging.getLogger("pa_telephony.failover")
_LOOK = 1.0
"""Seconds after which the store is looked at although nothing has changed."""
_TELL = 10.0
"""Seconds between two reports in which nothing but the machine's health is new."""
_STORE_RETRY = 0.5
_BEGUN = frozenset({State.STARTING, State.RUNNING, State.LEAVING, State.ENDING, State.KILLED})
"""States in which there is a process."""


class Child(Protocol):
    """A process of a server, started by this agent or found."""

    async def wait(self) -> str:
        """Wait for its end; gives how it ended, for people."""
        ...

    def terminate(self) -> None:
        """Ask it to end (SIGTERM); nothing happens when it has."""
        ...

    def kill(self) -> None:
        """End it (SIGKILL); nothing happens when it has ended."""
        ...


class Launcher(Protocol):
    """Starts and finds processes, and looks at the machine; see :mod:`local_processes`."""

    async def start(self, name: str) -> Child:
        """Start a process of the server; raises OSError."""
        ...

    def find(self, name: str) -> Child | None:
        """The process that is the server on this machine; None when it cannot be told."""
        ...

    def health(self) -> agents.Health:
        """How the machine is."""
        ...


@dataclass
class _Watched:
    child: Child
    ours: bool
    """Whether it was started here, so that its end is certain to be heard of."""


class Agent:
    """The agent of one machine, made by :func:`open_agent`; ``run`` it."""

    def __init__(
        self,
        machine: str,
        cluster: Cluster,
        store: Store,
        launcher: Launcher,
        chance: Callable[[], float],
        clock: Callable[[], float],
        wall: Callable[[], float],
        limits: Limits,
    ) -> None:
        self.machine = machine
        self.cluster = cluster
        self._store = store
        self._launcher = launcher
        self._chance = chance
        self._clock = clock
        self._wall = wall
        self._limits = limits
        self._keepers: dict[str, Keeper] = {}
        self._watched: dict[str, _Watched] = {}
        self._starting: set[str] = set()
        """The servers of which a process is being made."""
        self._here: tuple[Cluster | None, frozenset[str]] = None, frozenset()
        self._reads = False
        self._trouble = ""
        self._wake = trio.Event()
        self._told = agents.AgentReport("")
        self._told_at = float("-inf")
        self._ages = Ages()
        self._restart = rolling.Watch()

    @property
    def servers(self) -> Mapping[str, agents.Kept]:
        """What there is of each server of this machine."""
        return {name: agents.Kept.of(keeper) for name, keeper in self._keepers.items()}

    async def run(self) -> None:
        """Keep the servers until cancelled; they go on then."""
        async with background() as tasks:
            tasks.start_soon(self._observe, tasks)
            while True:
                self._wake = trio.Event()
                now = self._clock()
                for keeper in list(self._keepers.values()):
                    if self._reads:
                        self._step(tasks, keeper, Input.DUE)
                due = min((each.due for each in self._keepers.values()), default=float("inf"))
                wait = max(due - now, 0.0) if self._reads else float("inf")
                with trio.move_on_after(min(wait, _TELL)):
                    await self._wake.wait()

    async def _observe(self, tasks: Background) -> None:
        told: Snapshot | None = None
        while True:
            try:
                snapshot, told = told or await self._store.snapshot(), None
                self._store_works()
                await self._look(tasks, snapshot)
                await self._tell()
                with trio.move_on_after(_LOOK):
                    told = await self._store.watch(snapshot)
            except ConnectionLost as lost:
                self._store_fails(str(lost))
                await trio.sleep(_STORE_RETRY)

    # --------------------------------------------------------------------------- the store

    async def _look(self, tasks: Background, snapshot: Snapshot) -> None:
        try:
            self.cluster = current(self.cluster, snapshot)
        except ConfigurationError as error:
            # The servers have what they have, too.
            self._complain(str(error))
        here = await self._of_this_machine()
        world = World(self.cluster, snapshot)
        if CONFIGURATION not in snapshot.entries and not world.sessions:
            await self._bring_configuration()
        await self._depose(world, here)
        running = snapshot.running or frozenset()
        for name in sorted(here | self._keepers.keys()):
            keeper = self._keepers.get(name)
            if keeper is None:
                keeper = Keeper(name, self._limits, self._chance)
                self._keepers[name] = keeper
            # Where no lock tells of a process, its session does.
            told = snapshot.running is None and world.session(name) is not None
            if name in running or told:
                self._find(tasks, name)
                self._step(tasks, keeper, Input.SEEN)
            elif keeper.state in _BEGUN and name not in self._watched.keys() | self._starting:
                self._step(tasks, keeper, Input.GONE, "its process has ended")
            # A server that is drained leaves by itself, when its calls have ended.
            drains = world.stopped(name) is Stop.DRAIN and world.session(name) is not None
            shall_run = name in here and (world.stopped(name) is None or drains)
            self._step(tasks, keeper, Input.WANTED if shall_run else Input.UNWANTED)
            if world.session(name) is None:
                self._step(tasks, keeper, Input.LEFT)
            if name not in here and keeper.state is State.ABSENT:
                del self._keepers[name]
        await self._restart_in_turn(world, here)

    async def _bring_configuration(self) -> None:
        """Put what is known into a store that has nothing: a new one, also after one was removed.

        Servers that are started by the store alone cannot begin without it.
        """
        by = agents.process_name(self.machine)
        with contextlib.suppress(ConfigurationError):
            # Another was quicker.
            await save_configuration(self.cluster, self._store, at=self._wall(), by=by)

    async def _of_this_machine(self) -> frozenset[str]:
        """The servers that the configuration has on this machine."""
        cluster, here = self._here
        if cluster is not self.cluster:
            away = await elsewhere(self.cluster)
            here = frozenset(
                each.server_name for each in self.cluster.servers if each.server_name not in away
            )
            self._here = self.cluster, here
        return here

    async def _depose(self, world: World, here: frozenset[str]) -> None:
        """End the sessions of servers of this machine whose processes are proven gone."""
        for name in here & world.snapshot.dead & world.sessions.keys():
            where = session(name)
            ends = Transaction((world.unchanged(where),), (Delete(where),))
            if (await self._store.transact(ends)).committed:
                self._log(logging.WARNING, f"{name} is gone; its session is ended")

    async def _restart_in_turn(self, world: World, here: frozenset[str]) -> None:
        """Do the next step of a rolling restart, when a server of this machine is at hand."""
        roll = rolling.rolling(world.snapshot)
        if roll is None or not roll.goes_on:
            self._ages = Ages()
            return
        name = roll.servers[0]
        if name not in here and name in world.names:
            return
        now = self._clock()
        ages = self._ages.look(world.cluster, world.snapshot, now)
        view = self._restart.look(
            world,
            cluster_status(world.cluster, world.snapshot, ages),
            runs=self._has_process(name, world),
            now=now,
            at=self._wall(),
        )
        next_step = None if view is None else rolling.step(view)
        if next_step is not None and (await self._store.transact(next_step)).committed:
            after = rolling.rolling(await self._store.snapshot())
            self._log(logging.INFO, f"rolling restart: {after}")

    def _has_process(self, name: str, world: World) -> bool:
        keeper, running = self._keepers.get(name), world.snapshot.running or frozenset()
        kept = keeper is not None and keeper.state is not State.ABSENT
        return kept or name in running or world.session(name) is not None

    async def _tell(self) -> None:
        """Write down what is so, when it is new, or has not been told for a while."""
        now = self._clock()
        report = agents.AgentReport(self.machine, now, dict(self.servers), protocol=PROTOCOL)
        if report.still == self._told.still and now < self._told_at + _TELL:
            return
        report = replace(report, health=self._launcher.health(), told=self._wall())
        await self._store.transact(
            Transaction((), (Put(agents.key(self.machine), report.encode()),))
        )
        self._told, self._told_at = report, now

    def _store_fails(self, why: str) -> None:
        self._reads = False
        self._complain(f"the store cannot be used, and nothing is started or ended: {why}")

    def _store_works(self) -> None:
        if not self._reads:
            self._reads = True
            self._wake.set()
        if self._trouble:
            self._trouble = ""
            self._log(logging.INFO, "the store can be used again")

    def _complain(self, why: str) -> None:
        """Say what is wrong, once."""
        if why != self._trouble:
            self._trouble = why
            self._log(logging.WARNING, why)

    # ------------------------------------------------------------------------- the processes

    def _step(self, tasks: Background, keeper: Keeper, input: Input, why: str = "") -> None:
        before = keeper.state
        effect = keeper.step(input, self._clock(), why)
        if keeper.state is not before:
            level = logging.WARNING if keeper.state is State.RESTING else logging.INFO
            self._log(level, f"{keeper.name} is {agents.Kept.of(keeper)}")
            self._wake.set()
        watched = self._watched.get(keeper.name)
        match effect:
            case Effect.START:
                self._starting.add(keeper.name)
                tasks.start_soon(self._start, tasks, keeper)
            case Effect.TERMINATE if watched is not None:
                watched.child.terminate()
            case Effect.KILL if watched is not None:
                watched.child.kill()
            case _:
                pass

    async def _start(self, tasks: Background, keeper: Keeper) -> None:
        try:
            child = await self._launcher.start(keeper.name)
        except OSError as error:
            self._step(tasks, keeper, Input.GONE, str(error))
            return
        finally:
            self._starting.discard(keeper.name)
        if keeper.state is not State.STARTING:
            # It was told to end before it was there.
            child.terminate()
        await self._watch(tasks, keeper, _Watched(child, ours=True))

    def _find(self, tasks: Background, name: str) -> None:
        """Watch a process that was not started here."""
        if name not in self._watched.keys() | self._starting:
            child = self._launcher.find(name)
            if child is not None:
                keeper = self._keepers[name]
                watched = self._watched[name] = _Watched(child, ours=False)
                tasks.start_soon(self._watch, tasks, keeper, watched)

    async def _watch(self, tasks: Background, keeper: Keeper, watched: _Watched) -> None:
        self._watched[keeper.name] = watched
        why = await watched.child.wait()
        if self._watched.get(keeper.name) is watched:
            del self._watched[keeper.name]
            self._step(tasks, keeper, Input.GONE, why)

    def _log(self, level: int, text: str) -> None:
        _LOG.log(level, "%s: %s", agents.process_name(self.machine), text, extra=NEWS)


@contextlib.asynccontextmanager
async def open_agent(
    machine: str,
    cluster: Cluster,
    store: Store,
    launcher: Launcher,
    *,
    chance: Callable[[], float],
    clock: Callable[[], float],
    wall: Callable[[], float] = time.time,
    limits: Limits | None = None,
) -> AsyncGenerator[Agent]:
    """The agent of ``machine``; entered means that there is no other one of that name.

    ``cluster`` is followed while the store has no configuration. ``chance`` gives numbers from 0 to
    1 for the pauses; ``wall`` is the time of day, for people. Raises ConfigurationError when that
    agent runs already.
    """
    async with store.alive(agents.process_name(machine)):
        yield Agent(machine, cluster, store, launcher, chance, clock, wall, limits or Limits())
