"""An agent, its servers and a store in virtual time: whatever dies when, it ends as asked."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import trio
from worlds import CLUSTER

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import Command, intents
from pa_telephony.failover.agent import Agent, Child, open_agent
from pa_telephony.failover.agents import Health, agents
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.intent import answer
from pa_telephony.failover.keeping import State
from pa_telephony.failover.status import cluster_status
from pa_telephony.failover.stored import stored
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Delete, Outcome, Put, Snapshot, Transaction
from pa_telephony.failover.world import World, session, stop

NAMES = [server.server_name for server in CLUSTER.servers]


class Unsteady(MemoryStore):
    """A store that can be gone for a while."""

    gone = False

    async def snapshot(self) -> Snapshot:
        if self.gone:
            await trio.lowlevel.checkpoint()
            raise ConnectionLost("gone")
        return await super().snapshot()

    async def transact(self, transaction: Transaction) -> Outcome:
        if self.gone:
            await trio.lowlevel.checkpoint()
            raise ConnectionLost("gone")
        return await super().transact(transaction)


class Process:
    """A server's process: has the name after a while, and a session unless it is to stop."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        self.scope = trio.CancelScope()
        self.ended = trio.Event()
        self.why = "exit status 0"
        self.hangs = machine.hangs

    async def run(self) -> None:
        store, name = self.machine.store, self.name
        try:
            with self.scope:
                await trio.sleep(0.4)
                if name in self.machine.broken:
                    self.why = "exit status 1"
                    return
                async with store.alive(name):
                    await self._serve()
        except ConfigurationError:
            self.why = "exit status 1"
        finally:
            self.machine.processes.remove(self)
            self.ended.set()

    async def _serve(self) -> None:
        machine, name = self.machine, self.name
        while True:
            await trio.sleep(0.1)
            entries = machine.store._entries
            wanted = stop(name) not in entries or machine.drains
            if wanted is (session(name) in entries) or machine.store.gone:
                continue
            put = Put(session(name), Beat(name, configuration="x").encode())
            operation = put if wanted else Delete(session(name))
            await MemoryStore.transact(machine.store, Transaction((), (operation,)))

    async def wait(self) -> str:
        await self.ended.wait()
        return self.why

    def terminate(self) -> None:
        if not self.hangs:
            self.scope.cancel()

    def kill(self) -> None:
        self.why = "signal SIGKILL"
        self.scope.cancel()


class Machine:
    """The processes of one machine, which outlive its agent."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.store = Unsteady()
        self.processes: list[Process] = []
        self.broken: set[str] = set()
        self.hangs = False
        self.drains = False
        """Whether calls keep a server that is to stop."""
        self.slow = 0.05
        """Seconds until a process is made."""
        self.starts = 0
        self._nursery = nursery
        self._agents: list[trio.CancelScope] = []
        self.agent: Agent | None = None

    async def start(self, name: str) -> Child:
        await trio.sleep(self.slow)
        self.starts += 1
        process = Process(self, name)
        self.processes.append(process)
        self._nursery.start_soon(process.run)
        return process

    def find(self, name: str) -> Child | None:
        found = [each for each in self.processes if each.name == name]
        return found[0] if found and name in self.store._alive else None

    def health(self) -> Health:
        return Health(1.0, 2, 3)

    async def run_agent(self, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope() as scope:
            self._agents.append(scope)
            async with open_agent(
                "here",
                CLUSTER,
                self.store,
                self,
                chance=lambda: 1.0,
                clock=trio.current_time,
            ) as self.agent:
                task_status.started()
                await self.agent.run()
        self.agent = None

    async def agent_begins(self) -> None:
        await self._nursery.start(self.run_agent)

    async def agent_dies(self) -> None:
        for scope in self._agents:
            scope.cancel()
        self._agents.clear()
        while self.agent is not None:  # noqa: ASYNC110 - its last task says nothing
            await trio.sleep(0.01)

    def kill(self, name: str) -> None:
        for process in self.processes:
            if process.name == name:
                process.kill()

    async def order(self, command: Command, *names: str) -> None:
        await MemoryStore.transact(self.store, intents(CLUSTER, command, names))

    @property
    def served(self) -> list[str]:
        """The servers with a process that is one, and a session."""
        alive = self.store._alive
        return [name for name in NAMES if name in alive and session(name) in self.store._entries]

    async def says(self, command: Command, name: str) -> tuple[bool, str]:
        snapshot = await MemoryStore.snapshot(self.store)
        (page,) = (each for each in cluster_status(CLUSTER, snapshot) if each.name == name)
        found = answer(command, page, snapshot)
        return found.final, found.words


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """All servers are of this machine, whoever asks."""

    async def nobody(*_: object) -> dict[str, str]:
        await trio.lowlevel.checkpoint()
        return {}

    monkeypatch.setattr("pa_telephony.failover.agent.elsewhere", nobody)


@contextlib.asynccontextmanager
async def machine(slow: float = 0.05) -> AsyncGenerator[Machine]:
    async with trio.open_nursery() as nursery:
        found = Machine(nursery)
        found.slow = slow
        await found.agent_begins()
        yield found
        nursery.cancel_scope.cancel()


async def until(condition: Callable[[], bool], within: float = 60.0) -> None:
    with trio.fail_after(within):
        while not condition():  # noqa: ASYNC110 - many parties, none of which tells us
            await trio.sleep(0.05)


pytestmark = pytest.mark.usefixtures("here")


async def test_what_shall_run_is_started_and_what_shall_not_is_ended() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        await it.order(Command.STOP, "PA1")
        await until(lambda: it.served == NAMES[1:] and len(it.processes) == 2)
        assert await it.says(Command.STOP, "PA1") == (
            False,
            "PA1 is stopped; no process of it runs; nobody stands in for its 4 numbers",
        )
        assert await it.says(Command.STOP, "PA3") == (False, "PA3 has not stopped yet")
        await it.order(Command.START, "PA1")
        assert (await it.says(Command.START, "PA1"))[1].startswith("PA1 may run, and its agent")
        await until(lambda: it.served == NAMES)


async def test_a_server_that_is_drained_is_ended_when_it_has_left_however_long_that_takes() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        it.drains = True
        await it.order(Command.DRAIN, "PA1")
        await trio.sleep(300.0)
        assert it.served == NAMES
        it.drains = False
        await until(lambda: len(it.processes) == 2)
        assert it.served == NAMES[1:]


async def test_a_spare_that_is_stopped_is_told_so_when_its_process_has_ended() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        it.hangs = True
        it.kill("PA3")
        await until(lambda: it.starts == 4 and it.served == NAMES)
        await it.order(Command.STOP, "PA3")
        await until(lambda: "PA3" not in it.served)
        assert await it.says(Command.STOP, "PA3") == (
            False,
            "PA3 is stopped; its agent ends its process",
        )
        await until(lambda: len(it.processes) == 2)
        assert await it.says(Command.STOP, "PA3") == (
            True,
            "PA3 is stopped; no process of it runs",
        )


async def test_what_is_stopped_before_its_process_is_made_ends_as_soon_as_it_is() -> None:
    async with machine(slow=3.0) as it:
        await trio.sleep(1.0)
        await it.order(Command.STOP)
        await trio.sleep(1.0)
        assert it.agent is not None
        assert {each.state for each in it.agent.servers.values()} == {State.ENDING}
        await until(lambda: it.starts == 3)
        await until(lambda: not it.processes, within=1.0)


async def test_a_dead_server_is_deposed_at_once_and_started_again() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        it.kill("PA1")
        await until(lambda: session("PA1") not in it.store._entries, within=0.3)
        await until(lambda: it.served == NAMES)


async def test_a_server_that_cannot_run_is_tried_ever_more_seldom_and_says_why() -> None:
    async with machine() as it:
        it.broken.add("PA1")
        await trio.sleep(300.0)
        assert it.starts < 20
        (report,) = agents(await it.store.snapshot())
        assert report.servers["PA1"].why == "exit status 1"
        (page,) = (p for p in cluster_status(CLUSTER, await it.store.snapshot()) if p.name == "PA1")
        assert "last: exit status 1" in page.notes[0]
        it.broken.clear()
        await until(lambda: it.served == NAMES, within=70.0)


async def test_an_agent_that_is_started_again_takes_over_what_runs() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        await it.agent_dies()
        await trio.sleep(30.0)
        assert it.served == NAMES
        await it.agent_begins()
        await trio.sleep(30.0)
        assert it.served == NAMES
        assert it.starts == 3
        await it.order(Command.STOP)
        await until(lambda: not it.processes)


async def test_a_store_that_has_nothing_gets_the_configuration_that_is_known() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        for name in NAMES:
            it.kill(name)
        entries = (await it.store.snapshot()).entries
        await it.store.transact(Transaction((), tuple(Delete(key) for key in entries)))
        await until(lambda: it.served == NAMES)
        found = stored(await it.store.snapshot())
        assert found is not None
        assert found.cluster() == CLUSTER
        assert found.by.startswith("agent@")


async def test_without_the_store_nothing_is_started_and_nothing_ended() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        it.store.gone = True
        it.kill("PA1")
        await trio.sleep(120.0)
        assert sorted(each.name for each in it.processes) == ["PA2", "PA3"]
        assert it.starts == 3
        it.store.gone = False
        await until(lambda: it.served == NAMES)


async def test_a_machine_has_one_agent() -> None:
    async with machine() as it:
        with pytest.raises(ConfigurationError, match="runs already"):
            async with open_agent(
                "here", CLUSTER, it.store, it, chance=lambda: 0.0, clock=trio.current_time
            ):
                pass


async def test_a_report_says_how_the_machine_is_and_is_seldom_written() -> None:
    async with machine() as it:
        await until(lambda: it.served == NAMES)
        await trio.sleep(5.0)
        before = it.store._revision
        await trio.sleep(100.0)
        assert it.store._revision - before <= 10
        (report,) = agents(await it.store.snapshot())
        assert report.health == Health(1.0, 2, 3)
        assert {each.state for each in report.servers.values()} == {State.RUNNING}


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_dies_when_no_server_runs_twice_and_it_ends_as_asked(seed: int) -> None:
    """The agent, servers, both, and the store, at any moment of any order."""
    chance = random.Random(seed)
    async with machine() as it:
        wanted = set(NAMES)

        async def agent_is_away() -> None:
            await it.agent_dies()
            await trio.sleep(chance.choice([0.0, 0.3, 5.0]))
            await it.agent_begins()

        async def store_is_away() -> None:
            it.store.gone = True
            await trio.sleep(chance.choice([0.2, 3.0, 20.0]))
            it.store.gone = False

        async def server_dies() -> None:
            await trio.lowlevel.checkpoint()
            it.kill(chance.choice(NAMES))

        async def is_ordered() -> None:
            name = chance.choice(NAMES)
            stops = chance.random() < 0.5
            (wanted.discard if stops else wanted.add)(name)
            await it.order(Command.STOP if stops else Command.START, name)

        async def somebody_starts_one() -> None:
            await it.start(chance.choice(NAMES))

        happens: list[Callable[[], Awaitable[None]]] = [
            agent_is_away,
            store_is_away,
            server_dies,
            is_ordered,
            is_ordered,
            somebody_starts_one,
        ]
        for _ in range(25):
            await chance.choice(happens)()
            it.hangs = chance.random() < 0.2
            await trio.sleep(chance.choice([0.0, 0.1, 0.5, 2.0, 15.0]))
            for name in NAMES:
                # The name itself is held once; who has no name yet finds that out and ends.
                having = [p for p in it.processes if p.name == name]
                assert len(having) <= 3
        await trio.sleep(200.0)
        assert it.served == [name for name in NAMES if name in wanted]
        assert sorted(each.name for each in it.processes) == sorted(wanted)
        world = World(CLUSTER, await it.store.snapshot())
        assert set(world.sessions) == wanted
