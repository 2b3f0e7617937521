"""Agents carry a rolling restart out, in virtual time, whatever dies when.

The servers here are simple ones: they serve, hand over, stop and come back as real ones do, at
once. Real ones are restarted in :mod:`whole`.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator, Callable

import pytest
import trio
import trio.lowlevel
from test_agent import Machine, Process, here, until
from worlds import CLUSTER

from pa_telephony import failover
from pa_telephony.errors import ConnectionLost, LocalProtocolError
from pa_telephony.failover import Command, Roll
from pa_telephony.failover.agent import Child
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.rolling import ROLLING, State, rolling
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Delete, Outcome, Put, Snapshot, Transaction
from pa_telephony.failover.world import Bearer, Stop, World, claim, session, stop

__all__ = ["here"]

NAMES = [server.server_name for server in CLUSTER.servers]
OWN = CLUSTER.identities("PA1")
PROVIDERS = frozenset(CLUSTER.used_providers)
_LOOK = 0.1
_BEAT = 0.5
_RETURNS_AFTER = 1.0

pytestmark = pytest.mark.usefixtures("here")


class Serving(Process):
    """A server that owns, hands over and gives back; calls keep one that is drained."""

    _asked = _said = float("-inf")

    async def _serve(self) -> None:
        self._asked = trio.current_time()
        while True:
            await trio.sleep(_LOOK)
            if not self.machine.store.gone and self.name not in self.machine.deaf:
                await self._look()

    async def _look(self) -> None:
        store, name = self.machine.store, self.name
        world = World(CLUSTER, await MemoryStore.snapshot(store))
        mine, ordered = world.session(name), world.stopped(name)
        if mine is None:
            if ordered is None:
                await self._write(Put(session(name), self._beat(world)))
            return
        having = tuple(each for each in OWN if world.owner(each) == name)
        calls = ordered is Stop.DRAIN and name in self.machine.calls
        if ordered is not None and not calls:
            await self._leave(world, having)
            return
        me = str(Bearer(name, mine.token))
        orphans = [each for each in OWN if world.owner(each) is None]
        others = [each for each in OWN if world.owner(each) not in (None, name)]
        holder = world.claimant("PA1")
        if name == "PA1" and ordered is None:
            if orphans and holder is None:
                await self._write(*(Put(each.key, me) for each in orphans))
            elif others and trio.current_time() >= self._asked + _RETURNS_AFTER:
                puts = [Put(each.key, me) for each in others]
                await self._write(*puts, Delete(claim("PA1")))
        elif name != "PA1" and world.session("PA1") is None and holder is None:
            first = next(each for each in NAMES[1:] if world.session(each) is not None)
            if first == name and world.stopped("PA1") is not Stop.ALONE:
                await self._write(*(Put(each.key, me) for each in OWN), Put(claim("PA1"), me))
        if trio.current_time() >= self._said + _BEAT or having != self._having:
            self._said, self._having = trio.current_time(), having
            now = World(CLUSTER, await MemoryStore.snapshot(store))
            await self._write(Put(session(name), self._beat(now)))

    _having: tuple[failover.Identity, ...] = ()

    def _beat(self, world: World) -> str:
        up = frozenset(each.label for each in OWN if world.owner(each) == self.name)
        return Beat(
            self.name, PROVIDERS, PROVIDERS, up=up, configuration="x", at=trio.current_time()
        ).encode()

    async def _leave(self, world: World, having: tuple[failover.Identity, ...]) -> None:
        others = [each for each in NAMES if each != self.name and world.session(each) is not None]
        if self.name == "PA1" and having and others:
            heir = world.session(others[0])
            assert heir is not None
            puts = [Put(each.key, str(Bearer(others[0], heir.token))) for each in having]
            beat = Beat(
                others[0],
                PROVIDERS,
                PROVIDERS,
                up=frozenset(each.label for each in OWN),
                configuration="x",
                at=trio.current_time(),
            )
            await self._write(
                *puts,
                Put(claim("PA1"), str(Bearer(others[0], heir.token))),
                Put(session(others[0]), beat.encode()),
                Delete(session(self.name)),
            )
        else:
            await self._write(Delete(session(self.name)))

    async def _write(self, *operations: Put | Delete) -> None:
        await MemoryStore.transact(self.machine.store, Transaction((), operations))


class Site(Machine):
    """A machine whose servers serve, and a store that loses things at a step of a roll."""

    def __init__(self, nursery: trio.Nursery) -> None:
        super().__init__(nursery)
        self.calls: set[str] = set()
        """The servers that have a call, which keeps them while they are drained."""
        self.deaf: set[str] = set()
        """The servers that do nothing any more."""
        self.unserved = 0.0
        """The longest time for which a number was served by nobody."""
        self.away: set[frozenset[str]] = set()
        """The servers without a session, at each look of the judge."""

    async def start(self, name: str) -> Child:
        await trio.sleep(self.slow)
        self.starts += 1
        process = Serving(self, name)
        self.processes.append(process)
        self._nursery.start_soon(process.run)
        return process

    @property
    def roll(self) -> Roll | None:
        entry = self.store._entries.get(ROLLING)
        return None if entry is None else Roll.decode(entry.value)

    @property
    def state(self) -> State | None:
        return self.roll.state if self.roll is not None else None

    def rested(self) -> bool:
        """Whether everybody serves what is its own."""
        world = World(CLUSTER, Snapshot(0, self.store._entries))
        return self.served == NAMES and all(world.owner(each) == "PA1" for each in OWN)

    async def judge(self) -> None:
        since = trio.current_time()
        while True:
            world = World(CLUSTER, Snapshot(0, self.store._entries))
            if all(world.owner(each) is not None for each in OWN):
                since = trio.current_time()
            self.unserved = max(self.unserved, trio.current_time() - since)
            self.away.add(frozenset(NAMES) - frozenset(world.sessions))
            await trio.sleep(0.05)

    async def restarts(self, *names: str, deadline: int = 600) -> Roll:
        return await failover.restart_and_see(CLUSTER, names, self.store, deadline=deadline)


@contextlib.asynccontextmanager
async def site() -> AsyncGenerator[Site]:
    async with trio.open_nursery() as nursery:
        it = Site(nursery)
        await it.agent_begins()
        await until(it.rested)
        await trio.sleep(3.0)
        nursery.start_soon(it.judge)
        yield it
        nursery.cancel_scope.cancel()


def judged(it: Site) -> None:
    """Nobody was away while another was, and every number was served throughout."""
    assert all(len(names) <= 1 for names in it.away)
    assert it.unserved < 1.0


async def test_all_servers_are_restarted_one_after_the_other() -> None:
    async with site() as it:
        found = await it.restarts()
        assert str(found) == "restarted: PA1, PA2, PA3"
        assert it.rested()
        assert it.starts == 6
        judged(it)
        assert {name for names in it.away for name in names} == set(NAMES)


async def test_it_goes_on_when_nobody_looks_on_any_more() -> None:
    async with site() as it:
        with trio.move_on_after(1.0):
            await it.restarts()
        assert it.state in (State.NEXT, State.DRAINED)
        await until(lambda: it.state is State.DONE, within=120.0)
        judged(it)


async def test_a_call_is_waited_for_and_the_way_is_told() -> None:
    async with site() as it:
        it.calls.add("PA1")
        told: list[str] = []
        done: list[Roll] = []

        async def restart() -> None:
            done.append(
                await failover.restart_and_see(CLUSTER, ["PA1"], it.store, told=told.append)
            )

        it._nursery.start_soon(restart)
        await trio.sleep(300.0)
        assert it.state is State.DRAINED
        it.calls.clear()
        await until(lambda: bool(done))
        assert done[0].state is State.DONE
        assert told[0] == "PA1 is next"
        assert "PA1 takes no new calls; calls that go on: 0" in told
        assert any(each.startswith("PA1 may run, and its agent starts it") for each in told)


async def test_a_server_whose_process_does_not_come_back_ends_it_with_the_reason() -> None:
    async with site() as it:
        it.broken.add("PA1")
        found = await it.restarts("PA1", "PA2")
        assert found.state is State.FAILED
        assert "PA1 may run, and its agent starts it: resting, ended by itself" in found.why
        assert (found.servers, found.done) == (("PA1", "PA2"), ())
        (alarm,) = (
            each
            for each in failover.Sight(0.0, roll=found).alarms
            if each.kind is failover.AlarmKind.RESTART_GIVEN_UP
        )
        assert alarm.text == str(found)
        assert it.unserved < 1.0
        it.broken.clear()
        await until(it.rested, within=120.0)


async def test_a_server_that_hangs_while_it_is_drained_is_ended_and_started_again() -> None:
    async with site() as it:
        it.deaf.add("PA2")
        it.hangs = True
        begun = trio.current_time()
        it._nursery.start_soon(it.restarts, "PA2")
        await until(lambda: it.state is State.DRAINED)
        # Others would end its session; it does not hear of that either.
        await MemoryStore.transact(it.store, Transaction((), (Delete(session("PA2")),)))
        await until(lambda: it.state is State.STARTED)
        it.deaf.clear()
        await until(lambda: it.state is State.DONE, within=120.0)
        assert trio.current_time() - begun < 90.0
        await until(it.rested)


async def test_without_a_stand_in_nothing_is_drained_and_the_reason_is_told() -> None:
    async with site() as it:
        await it.order(Command.STOP, "PA2", "PA3")
        await until(lambda: it.served == ["PA1"])
        found = await it.restarts("PA1")
        assert str(found) == (
            "given up: nobody could serve the numbers of PA1 meanwhile: PA2 (down, stopped),"
            " PA3 (down, stopped);"
            " restarted: none; not restarted: PA1"
        )
        assert it.served == ["PA1"]
        assert it.unserved == 0.0


async def test_stand_ins_that_die_while_it_is_drained_have_it_serve_again() -> None:
    async with site() as it:
        it.calls.add("PA1")
        it._nursery.start_soon(it.restarts, "PA1")
        await until(lambda: it.state is State.DRAINED)
        it.broken |= {"PA2", "PA3"}
        it.kill("PA2")
        it.kill("PA3")
        await until(lambda: stop("PA1") not in it.store._entries, within=5.0)
        assert it.state is State.NEXT
        await until(lambda: it.state is State.FAILED, within=60.0)
        assert it.served == ["PA1"]
        assert it.unserved < 1.0


async def test_what_an_operator_orders_meanwhile_ends_it_and_the_answer_says_so() -> None:
    async with site() as it:
        it.calls.add("PA1")
        it._nursery.start_soon(it.restarts)
        await until(lambda: it.state is State.DRAINED)
        (answer,) = await failover.control_and_see(CLUSTER, Command.START, ["PA1"], it.store)
        assert answer.words.endswith("; the rolling restart ends with this")
        assert str(it.roll) == (
            "ended by an operator: PA1 was started; restarted: none; not restarted: PA1, PA2, PA3"
        )
        await trio.sleep(60.0)
        assert it.starts == 3


async def test_undo_brings_back_what_is_drained_and_says_how_far_it_was() -> None:
    async with site() as it:
        it.calls.add("PA2")
        it._nursery.start_soon(it.restarts)
        await until(lambda: it.roll is not None and it.roll.servers[0] == "PA2", within=60.0)
        await until(lambda: it.state is State.DRAINED)
        ended = await failover.undo_restart(CLUSTER, it.store)
        assert str(ended) == (
            "ended by an operator: undone; restarted: PA1; not restarted: PA2, PA3"
        )
        assert await failover.undo_restart(CLUSTER, it.store) is None
        await trio.sleep(60.0)
        assert it.rested()
        assert it.starts == 4


async def test_a_second_one_and_one_without_an_agent_are_refused() -> None:
    async with site() as it:
        it.calls.add("PA1")
        it._nursery.start_soon(it.restarts)
        await until(lambda: it.state is State.DRAINED)
        with pytest.raises(LocalProtocolError, match="goes on: PA1 is drained, then PA2, PA3"):
            await it.restarts("PA3")
        await failover.undo_restart(CLUSTER, it.store)
        await it.agent_dies()
        with pytest.raises(LocalProtocolError, match="no agent keeps PA3"):
            await it.restarts("PA3")


async def test_an_agent_leaves_a_server_of_another_machine_to_the_agent_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def some(*_: object) -> dict[str, str]:
        await trio.lowlevel.checkpoint()
        return {"PA1": "127.0.0.11"}

    monkeypatch.setattr("pa_telephony.failover.agent.elsewhere", some)
    async with trio.open_nursery() as nursery:
        it = Site(nursery)
        await it.agent_begins()
        await it.start("PA1")
        await until(it.rested)
        for name, state in (("PA1", State.NEXT), ("PA2", State.DONE), ("PA9", State.FAILED)):
            put = Put(ROLLING, Roll((name,), 60).encode())
            await MemoryStore.transact(it.store, Transaction((), (put,)))
            await trio.sleep(60.0)
            assert it.state is state
        nursery.cancel_scope.cancel()


# ------------------------------------------------------------------------- whatever dies when


def writes_roll(transaction: Transaction) -> bool:
    return any(each.key == ROLLING for each in transaction.operations)


STEPS = 10
"""How often the roll of three servers is written: its beginning, and three times each."""


async def rolled(it: Site, happens: Callable[[int, str], None] | None = None) -> None:
    """Play a whole roll; ``happens`` is told of each writing of it, before and after."""
    count = 0
    usual = it.store.transact

    async def transact(transaction: Transaction) -> Outcome:
        nonlocal count
        if not writes_roll(transaction):
            return await usual(transaction)
        number = count
        if happens is not None:
            happens(number, "before")
        await trio.lowlevel.checkpoint()
        outcome = await usual(transaction)
        count += outcome.committed
        if happens is not None:
            happens(number, "after")
        await trio.lowlevel.checkpoint()
        if it.store.gone:
            raise ConnectionLost("gone")
        return outcome

    it.store.transact = transact  # type: ignore[method-assign]
    it._nursery.start_soon(it.restarts)
    await until(lambda: it.state is State.DONE, within=400.0)
    assert count == STEPS
    await until(it.rested)
    judged(it)


async def test_a_roll_is_written_once_for_each_step() -> None:
    async with site() as it:
        await rolled(it)
        assert it.starts == 6


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, STEPS))
@pytest.mark.parametrize("away", [0.0, 4.0])
async def test_an_agent_that_is_killed_at_a_step_is_followed_by_one_that_goes_on(
    at: int, when: str, away: float
) -> None:
    async with site() as it:
        killed = False

        async def another() -> None:
            await it.agent_dies()
            await trio.sleep(away)
            await it.agent_begins()

        def happens(number: int, moment: str) -> None:
            nonlocal killed
            if not killed and (number, moment) == (at, when):
                killed = True
                for scope in it._agents:
                    scope.cancel()
                it._nursery.start_soon(another)

        await rolled(it, happens)
        assert killed
        assert it.starts == 6


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(1, STEPS))
async def test_a_store_that_is_lost_at_a_step_is_waited_for_and_no_step_is_done_twice(
    at: int, when: str
) -> None:
    async with site() as it:
        lost = False

        async def back() -> None:
            await trio.sleep(3.0)
            it.store.gone = False

        def happens(number: int, moment: str) -> None:
            nonlocal lost
            if not lost and (number, moment) == (at, when):
                lost = it.store.gone = True
                it._nursery.start_soon(back)

        await rolled(it, happens)
        assert lost
        assert it.starts == 6


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_dies_when_only_one_is_restarted_at_a_time_and_it_ends_or_says_why(
    seed: int,
) -> None:
    """The agent, servers, the store, and orders of an operator, at any moment."""
    chance = random.Random(seed)
    async with site() as it:

        async def restart() -> None:
            with contextlib.suppress(ConnectionLost, LocalProtocolError):
                await it.restarts(*chance.sample(NAMES, chance.randint(1, 3)), deadline=20)

        it._nursery.start_soon(restart)
        ordered: set[str] = set()
        for _ in range(12):
            await trio.sleep(chance.choice([0.1, 0.5, 2.0, 6.0]))
            it.hangs = chance.random() < 0.2
            it.calls = set(chance.sample(NAMES, chance.choice([0, 0, 1])))
            match chance.choice(["agent", "server", "store", "order", "undo", "nothing"]):
                case "agent":
                    await it.agent_dies()
                    await trio.sleep(chance.choice([0.0, 0.3, 5.0]))
                    await it.agent_begins()
                case "server":
                    it.kill(chance.choice(NAMES))
                case "store":
                    it.store.gone = True
                    await trio.sleep(chance.choice([0.2, 3.0]))
                    it.store.gone = False
                case "order" if chance.random() < 0.3:
                    name = chance.choice(NAMES)
                    ordered.add(name)
                    await failover.control(CLUSTER, Command.STOP, [name], it.store)
                case "undo" if chance.random() < 0.3:
                    await failover.undo_restart(CLUSTER, it.store)
                case _:
                    pass
            if ordered and chance.random() < 0.5:
                await failover.control(CLUSTER, Command.START, sorted(ordered), it.store)
                ordered.clear()
        it.calls.clear()
        await failover.control(CLUSTER, Command.START, sorted(ordered), it.store)
        await until(lambda: it.roll is None or not it.roll.goes_on, within=400.0)
        await until(it.rested, within=120.0)
        assert sorted(each.name for each in it.processes) == NAMES
        snapshot = await MemoryStore.snapshot(it.store)
        found = rolling(snapshot)
        assert found is None or found.state is State.DONE or found.why
        assert not any(stop(name) in snapshot.entries for name in NAMES)
