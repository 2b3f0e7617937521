"""The house: one call manager, the servers of a cluster, callers, and everything between them."""

from __future__ import annotations

import functools
import logging
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import trio
import trio.testing
from limits import Exchanges, Limits

from pa_telephony import callmanager, failover, sccp
from pa_telephony.callmanager import manager
from pa_telephony.cti.login import make_certificate
from pa_telephony.failover import Cluster, Command, Identity, intents
from pa_telephony.failover.configuring import propose
from pa_telephony.failover.intent import keeping_away, moving, returning, unreturnable
from pa_telephony.failover.transaction import Delete, Transaction
from pa_telephony.failover.world import World, session
from pa_telephony.trace import EventRecord
from whole.callers import Callers
from whole.clusters import CALL_MANAGER, CALLERS, call_manager_config, device_of
from whole.engine import SilentEngine
from whole.network import Network, Socket
from whole.processes import Process, Processes
from whole.store import SharedStore, StoreClient

__all__ = ["House", "run_in_virtual_time"]


@functools.cache
def _certificate() -> Any:
    import datetime

    valid_from = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return make_certificate("house", valid_from=valid_from, days=36500)


class Stay(failover.Application):
    """Answers, and stays until the caller hangs up."""

    async def media_call(self, call: sccp.Call, identity: Identity) -> None:
        async with call.answer():
            await call.wait_ended()


class House:
    """Everything that runs. ``log`` says what happened, with the virtual second."""

    def __init__(
        self, cluster: Cluster, seed: int, nursery: trio.Nursery, processes: Processes
    ) -> None:
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.log: list[str] = []
        self.bugs: list[str] = []
        """Exceptions where none belongs."""
        self.processes = processes
        self.network = processes.network = Network(random.Random(seed + 1), processes.current)
        trio.socket.set_custom_socket_factory(self.network)
        self.store = SharedStore(proves_death=True)
        self.configurations = [cluster]
        """Every configuration that the store has had."""
        self.devices = device_of(cluster)
        self.manager: callmanager.CallManager | None = None
        """The call manager that runs, if one does."""
        self.call_manager: Process | None = None
        self.servers: dict[str, failover.Server] = {}
        self.running: dict[str, Process] = {}
        self.clients: dict[str, StoreClient] = {}
        self.drift: dict[str, float] = {}
        self.lives: dict[str, int] = {}
        self.names = [server.server_name for server in cluster.servers]
        self.address = {
            server.server_name: server.hostname_or_ip_address for server in cluster.servers
        }
        self.moved: dict[str, float] = {}
        """When a route point's owner last changed, by the label of the route point."""
        self.limits = Limits()
        self.exchanges = Exchanges()
        self.ended: list[tuple[float, str]] = []
        """The calls that servers have ended by order: when, and the label of the port."""
        self._said: dict[str, str] = {}
        """What each server's trace said last; it repeats itself while the store is away."""
        self._config = call_manager_config(cluster)
        self._nursery = nursery
        numbers = [
            number
            for server in cluster.servers
            for number in (server.route_address, server.aa_route_address)
            if number
        ]
        phones = [
            device.lines[0].number
            for device in self._config.devices
            if device.name.startswith("SEP1")
        ]
        extensions = [
            device.lines[0].number
            for device in self._config.devices
            if device.name.startswith("SEP5")
        ]
        self.callers = Callers(
            phones, numbers, extensions, self._server_of, CALLERS, random.Random(seed + 2)
        )

    def note(self, what: str) -> None:
        """Write an observation down."""
        self.log.append(f"{trio.current_time():9.3f} {what}")

    def _failed(self, why: str) -> None:
        self.note(why)
        self.bugs.append(why)

    # The call manager and the callers.

    def start_call_manager(self) -> None:
        """It comes up and knows of no call."""
        process = Process(self.processes, "call manager", CALL_MANAGER, 0.0)
        self.call_manager = process

        async def body(_: Process) -> None:
            async with callmanager.open_call_manager(
                self._config, host=CALL_MANAGER, certificate=_certificate()
            ) as manager:
                manager.calls.use_media(None)
                self.manager = manager
                await trio.sleep_forever()

        self._nursery.start_soon(process.run, body, self._failed)

    def kill_call_manager(self) -> None:
        """It goes down, and its connections with it."""
        assert self.call_manager is not None
        self.call_manager.kill()
        self.manager = None

    def start_callers(self) -> None:
        """Let the callers begin to call."""
        process = Process(self.processes, "callers", CALLERS, 0.0)
        self._nursery.start_soon(process.run, self.callers.run, self._failed)

    # Servers.

    def start(self, name: str) -> None:
        """A process of the server ``name``, unless there is one."""
        if self.runs(name):
            return
        life = self.lives[name] = self.lives.get(name, 0) + 1
        self.note(f"{name} starts, life {life}")
        process = Process(self.processes, name, self.address[name], self.drift.get(name, 0.0))
        self.running[name] = process
        self.servers.pop(name, None)
        client = StoreClient(self.store, process, random.Random(self.chance.random()))
        old = self.clients.get(name)
        if old is not None:
            client.weather = old.weather
        self.clients[name] = client
        body = functools.partial(self._serve, name, client)
        self._nursery.start_soon(process.run, body, self._failed)

    async def _serve(self, name: str, client: StoreClient, process: Process) -> None:
        async with failover.open_server(
            self.cluster,
            name,
            application=Stay(),
            store=client,
            engine=SilentEngine(process.address),
            clock=process.clock,
            trace=functools.partial(self._traced, process),
        ) as server:
            self.servers[name] = server
            await server.run()

    def _traced(self, process: Process, record: object) -> None:
        if isinstance(record, EventRecord) and process.alive:
            fields = {key: value for key, value in record.fields.items() if key != "server"}
            kind = record.kind.removeprefix("failover.")
            words = " ".join(f"{key}={value}" for key, value in fields.items())
            said = f"{process.name} {kind} {words}"
            if kind == "application.error":
                self.bugs.append(said)
            if kind == "call.ended":
                self.ended.append((trio.current_time(), record.fields["identity"]))
            if kind in ("hand_back", "hand_over"):
                home = record.fields["identities"][0].partition("/")[0]
                if self.exchanges.too_many(home, trio.current_time()):
                    self.bugs.append(f"what is of {home} goes back and forth")
            if kind == "hand_back":
                for label in record.fields["identities"]:
                    self.moved[label] = trio.current_time()
            if kind != "store.lost" or said != self._said.get(process.name):
                self.note(said)
            self._said[process.name] = said

    def runs(self, name: str) -> bool:
        """Whether there is a process of that name, stopped or not."""
        return name in self.running and self.running[name].alive

    def kill(self, name: str, *, silently: bool = False) -> None:
        """SIGKILL, or its machine loses power."""
        self.note(f"{name} is killed" + (" with its machine" if silently else ""))
        self.running[name].kill(silently=silently)
        self.servers.pop(name, None)
        self.store.changed()
        if self.store.machine_each and not silently:
            self.store.later(self.chance.uniform(0.02, 0.2), lambda: self._depose(name))

    def _depose(self, name: str) -> None:
        """The agent of a machine ends the session of its server, whose process is gone."""
        snapshot = self.store.snapshot()
        if not self.runs(name) and session(name) in snapshot.entries:
            unchanged = World(self.cluster, snapshot).unchanged(session(name))
            self.store.commit(Transaction((unchanged,), (Delete(session(name)),)))
            self.note(f"the agent of {name} ends its session")

    def command(self, command: Command, *names: str) -> None:
        """What an operator asks for."""
        self.note(f"operator: {command.value} {' '.join(names)}")
        self.store.commit(intents(self.cluster, command, names))

    def move(self, home: str, to: str | None, seconds: int | None = None) -> None:
        """An operator wants a home at a stand-in, or at home again; calls have so many seconds."""
        within = "" if seconds is None else f", calls have {seconds} s"
        self.note(f"operator: {home} shall be at {to or 'home'}{within}")
        self._ordered(moving(self.cluster, home, to, deadline=seconds), seconds)

    def order_home(self, home: str, seconds: int) -> None:
        """An operator has a home return now, if it runs; calls have so many seconds."""
        snapshot = self.store.snapshot()
        if why := unreturnable(self.cluster, snapshot, home):
            self.note(f"operator: {why}")
            return
        self.note(f"operator: {home} shall return, calls have {seconds} s")
        self._ordered(returning(self.cluster, snapshot, home, deadline=seconds), seconds)

    def hold(self, home: str, keep: bool) -> None:
        """An operator holds a home where it is, or no more."""
        self.note(f"operator: {home} is held{'' if keep else ' no more'}")
        self._ordered(keeping_away(self.cluster, home, keep=keep), None)

    def _ordered(self, order: Transaction, seconds: float | None) -> None:
        if self.store.commit(order).committed:
            self.limits.ordered(order, seconds, trio.current_time())

    def save(self, cluster: Cluster) -> bool:
        """Import a configuration, as an operator does; False when it is refused for now."""
        proposal = propose(cluster, self.store.snapshot())
        if proposal.effect.refused:
            self.note(f"operator: refused: {proposal.effect.refused[0]}")
            return False
        if proposal.transaction is not None:
            assert self.store.commit(proposal.transaction).committed
            self.configurations.append(cluster)
            self.note(f"operator saves: {'; '.join(map(str, proposal.changes))}")
        return True

    # Looking on, from inside the call manager.

    def holders(self, identity: Identity) -> list[str]:
        """The servers that the call manager has ``identity`` from."""
        return [
            self.server_at(end.there[0]) for end in self._ends(identity) if end.peer is not None
        ]

    def has_ghost(self, identity: Identity) -> bool:
        """Whether the call manager has it from a process that is dead, and does not know."""
        return any(end.peer.dead for end in self._ends(identity) if end.peer is not None)

    def _ends(self, identity: Identity) -> list[Socket]:
        """The call manager's ends of the connections that ``identity`` is registered over."""
        manager, device = self.manager, self.devices[identity]
        if manager is None:
            return []
        station = manager._line_side.sessions.get(device)
        if station is not None:
            return [station._stream.socket]
        applications = manager._cti_manager.sessions if manager._cti_manager is not None else ()
        found = [each._transport.socket for each in applications if each.takes_calls(device)]
        return sorted(found, key=lambda end: end.there)

    def _server_of(self, number: str) -> str:
        """The server that has a port, by its number; "" for a number that is no port."""
        for identity in self.devices:
            if identity.number == number:
                return next(iter(self.holders(identity)), "")
        return ""

    def owners_at_call_manager(self, identity: Identity) -> int:
        """How many applications have a route point registered, whether they take calls or not."""
        assert self.manager is not None
        return self.manager._cti_side._registrations.owners(self.devices[identity])

    def server_at(self, address: str) -> str:
        """Which server is at an address."""
        return next(name for name, known in self.address.items() if known == address)

    def home_again(self) -> bool:
        """Whether the call manager has everything from its home, and from no other server."""
        return self.manager is not None and all(
            self.holders(identity) == [identity.home] and not self.has_ghost(identity)
            for identity in self.devices
        )


def run_in_virtual_time(cluster: Cluster, seed: int, body: Callable[[House], Any]) -> House:
    """Run ``body`` with a house in which nothing runs yet; everything in it ends with ``body``."""
    kept: list[House] = []
    processes = Processes()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            house = House(cluster, seed, nursery, processes)
            kept.append(house)
            nursery.start_soon(house.store.run)
            try:
                await body(house)
            finally:
                for process in (*house.running.values(), house.call_manager):
                    if process is not None and process.stopped:
                        process.go_on()
                nursery.cancel_scope.cancel()

    # Back-offs draw from the one, the order in which ready tasks run from the other.
    random.seed(seed)
    trio._core._run._r.seed(seed)
    trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True
    with _warnings_in(kept), _threads_at_once(), _turns_in_virtual_time():
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0), instruments=[processes])
    return kept[0]


@contextmanager
def _warnings_in(houses: list[House]) -> Generator[None]:
    """What the product warns of stands in the house's log, and nowhere else."""

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            houses[0].note(record.getMessage())

    notes, logger = Notes(logging.WARNING), logging.getLogger("pa_telephony")
    logger.addHandler(notes)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(notes)
        logger.propagate = propagates


@contextmanager
def _turns_in_virtual_time() -> Generator[None]:
    """Turns are measured by the time of a processor, which is another one in each run."""
    usual = manager.Turns
    manager.Turns = functools.partial(usual, work=trio.current_time)  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        manager.Turns = usual


@contextmanager
def _threads_at_once() -> Generator[None]:
    """What is given to a thread is done at once: virtual time would jump ahead meanwhile."""
    usual = trio.to_thread.run_sync

    async def run_sync(function: Callable[..., Any], *args: Any, **_: object) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    trio.to_thread.run_sync = run_sync
    try:
        yield
    finally:
        trio.to_thread.run_sync = usual
