"""Two servers, a call manager and phones on real sockets: the main job, inside one process."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from company import media_port, phone, route_point
from loopback import HOST, NETWORK

from pa_telephony import callmanager, cti, failover, rtp, sccp
from pa_telephony.callmanager import CallManagerConfig, User
from pa_telephony.callmanager.calls.model import LegState
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import JtapiProvider, holder, links, world as keys
from pa_telephony.failover.actions import Close
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.links import tls_context
from pa_telephony.failover.registration import State
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Outcome, Snapshot, Transaction
from pa_telephony.sccp.enums import DCallState
from pa_telephony.sccp.station.style import StationConfig
from pa_telephony.trace import Record

NUMBERS = ("6001", "6002", "5XXX", "6000")
CALL_MANAGER = CallManagerConfig(
    devices=(
        route_point("RP", "6000"),
        route_point(
            "IC",
            "5XXX",
            partition="PA",
            search_space="extensions",
            forward_failure="5XXX",
            forward_search_space="extensions",
        ),
        *(media_port(f"VI{index}", f"600{index}", max_calls=1) for index in (1, 2)),
        *(phone(f"SEP{number}", number, search_space="phones") for number in ("1001", "1002")),
        # Where callers see it, the exact number would win over 5XXX (callmanager/dialplan.py).
        phone("SEP5123", "5123", partition="PAManaged", search_space="phones"),
    ),
    search_spaces={"phones": ("PA", ""), "extensions": ("PAManaged", "")},
    users=(User(name="pa", password="secret"),),
)


SKINNY = (failover.SkinnyProvider("skinny", ("127.0.0.1:2000",), "VI"),)
MANY_PORTS = (
    failover.ServerConfig(
        server_name="PA1",
        hostname_or_ip_address=f"{NETWORK}.11",
        media_port_provider="skinny",
        media_port_beginning_address="6001",
        number_of_media_ports=600,
        fail_over_server_names=("PA2",),
    ),
    failover.ServerConfig(server_name="PA2", hostname_or_ip_address=f"{NETWORK}.12"),
)


class Echo(failover.Application):
    """Answers, and stays on the line until the caller hangs up or presses 1 for 1002."""

    def __init__(self) -> None:
        self.served: list[str] = []

    async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
        self.served.append(identity.number)
        async with call.answer() as media:
            if await media.ask(rtp.tones.sine(600.0, 60.0), digits=1) == "1":
                await call.transfer("1002")


class House:
    """A call manager, a store, servers that come and go, and phones."""

    def __init__(self, cluster: failover.Cluster, manager: callmanager.CallManager) -> None:
        self.cluster = cluster
        self.manager = manager
        self.store = MemoryStore()
        self.servers: dict[str, failover.Server] = {}
        self.applications: dict[str, failover.Application] = {}
        self._scopes: dict[str, trio.CancelScope] = {}
        self._gone: dict[str, trio.Event] = {}

    async def start(self, nursery: trio.Nursery, *names: str) -> None:
        for name in names:
            await nursery.start(self._run, name)

    async def _run(self, name: str, task_status: trio.TaskStatus[None]) -> None:
        self._gone[name] = trio.Event()
        application = self.applications.setdefault(name, Echo())
        with trio.CancelScope() as self._scopes[name]:
            async with failover.open_server(
                self.cluster,
                name,
                application=application,
                store=self.store,
                clock=trio.current_time,
            ) as server:
                self.servers[name] = server
                task_status.started()
                await server.run()
        self._gone[name].set()

    async def stop(self, name: str) -> None:
        self._scopes[name].cancel()
        await self._gone[name].wait()

    async def holds(self, name: str, *numbers: str) -> None:
        """Wait until ``name`` serves exactly these of PA1's identities."""
        await until(
            lambda: {i.number for i in self.servers[name].holds} == set(numbers),
            lambda: f"{name} holds {self.servers[name].holds}",
        )


async def until(
    condition: Callable[[], bool], otherwise: Callable[[], str] = lambda: "", seconds: float = 8.0
) -> None:
    with trio.move_on_after(seconds):
        while not condition():  # noqa: ASYNC110 - many parties, none of which tells us
            await trio.sleep(0.01)
        return
    raise AssertionError(f"not within {seconds} s: {otherwise()}")


@contextlib.asynccontextmanager
async def house(**timing: float) -> AsyncGenerator[SimpleNamespace]:
    """The house with both servers up and three phones; everything is served by PA1."""
    async with (
        callmanager.open_call_manager(CALL_MANAGER, sccp_port=0, cti_port=0) as manager,
        rtp.open_engine(address=HOST, first_port=40000) as engine,
    ):
        here = House(cluster(manager, **timing), manager)
        async with trio.open_nursery() as nursery, contextlib.AsyncExitStack() as stack:
            phones = {}
            for number in ("1001", "1002", "5123"):
                phones[number] = await stack.enter_async_context(
                    sccp.open_station(f"SEP{number}", manager.sccp_address, engine=engine)
                )
            await here.start(nursery, "PA1", "PA2")
            await here.holds("PA1", *NUMBERS)
            with trio.fail_after(30):
                yield SimpleNamespace(house=here, nursery=nursery, phones=phones)
            nursery.cancel_scope.cancel()


def cluster(manager: callmanager.CallManager, **timing: float) -> failover.Cluster:
    return failover.Cluster(
        servers=(
            failover.ServerConfig(
                server_name="PA1",
                hostname_or_ip_address=f"{NETWORK}.11",
                route_address="6000",
                media_port_provider="skinny",
                media_port_beginning_address="6001",
                number_of_media_ports=2,
                interceptor_port_provider="jtapi",
                interceptor_ports=("5XXX",),
                fail_over_server_names=("PA2",),
            ),
            failover.ServerConfig(server_name="PA2", hostname_or_ip_address=f"{NETWORK}.12"),
        ),
        providers=(
            failover.JtapiProvider("jtapi", (manager.cti_address,), "pa", "secret"),
            failover.SkinnyProvider("skinny", (manager.sccp_address,), "VI"),
        ),
        timing=replace(failover.Timing(), hold=0.2, grace=0.2, **timing),
    )


async def have_capacity(it: SimpleNamespace, capacity: int) -> None:
    """From now on no server may have more calls than this."""
    servers = (replace(each, capacity=capacity) for each in it.house.cluster.servers)
    await save_configuration(replace(it.house.cluster, servers=tuple(servers)), it.house.store)
    running = it.house.servers.values()
    await until(lambda: all(each.cluster.servers[0].capacity == capacity for each in running))


def registered_from(manager: callmanager.CallManager, name: str) -> str | None:
    address = registered_at(manager, name)
    return address[0] if address is not None else None


def registered_at(manager: callmanager.CallManager, name: str) -> tuple[str, int] | None:
    (device,) = (each for each in manager.devices() if each.name == name)
    return device.address


async def answered(call: sccp.Call) -> None:
    async with call.answer():
        await call.wait_ended()


async def test_a_taken_port_registers_under_its_owner_s_name_from_the_stand_in_s_address() -> None:
    async with house() as it:
        assert registered_from(it.house.manager, "VI1") == f"{NETWORK}.11"
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        assert registered_from(it.house.manager, "VI1") == f"{NETWORK}.12"


async def test_the_call_on_a_media_port_drops_and_the_transferred_one_lives() -> None:
    async with house() as it:
        it.nursery.start_soon(it.phones["1002"].serve, answered)
        async with it.phones["1001"].call("6000") as moved, it.phones["5123"].call("6000") as left:
            await moved.wait_media()
            await left.wait_media()
            await trio.sleep(0.1)
            await moved.send_digits("1")
            await until(lambda: moved.connected_to == "1002", lambda: repr(moved))
            await it.house.stop("PA1")
            await left.wait_ended()
            await it.house.holds("PA2", *NUMBERS)
            assert moved.connected


async def test_the_stand_in_answers_and_gives_back_without_dropping_its_call() -> None:
    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            (busy,) = it.house.applications["PA2"].served
            (idle,) = {"6001", "6002"} - {busy}
            await it.house.start(it.nursery, "PA1")
            await it.house.holds("PA1", idle)
            await it.house.holds("PA2", busy, "5XXX", "6000")
            async with it.phones["1002"].call("6000") as second:  # Q11
                await second.wait_media()
                assert it.house.applications["PA1"].served == [idle]
            assert call.connected
        await it.house.holds("PA1", *NUMBERS)
        await it.house.holds("PA2")


async def test_who_calls_while_the_only_idle_port_moves_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    between = trio.Event()
    register = sccp.open_media_port

    @contextlib.asynccontextmanager
    async def slow_to_register(*args: Any, **more: Any) -> AsyncGenerator[sccp.Station]:
        if more["local_address"] == f"{NETWORK}.11":
            between.set()
            await trio.sleep(0.4)
        async with register(*args, **more) as station:
            yield station

    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        monkeypatch.setattr(holder.sccp, "open_media_port", slow_to_register)
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            await it.house.start(it.nursery, "PA1")
            await between.wait()
            async with it.phones["1002"].call("6000") as second:
                await second.wait_media()
            assert call.connected


async def test_a_call_that_meets_the_unregistration_of_its_port_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F28: the call manager has offered the call when the unregistration comes, and says NAK."""
    unregister = holder.PortHolder.unregister
    meets = trio.Event()

    async def unregister_late(self: holder.PortHolder) -> None:
        # The call manager's bytes are on their way here, ours are on their way there.
        if not meets.is_set():
            it.house.manager.calls.originate("SEP1002", 1, self.identity.number)
            meets.set()
        await unregister(self)

    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        monkeypatch.setattr(holder.PortHolder, "unregister", unregister_late)
        await it.house.start(it.nursery, "PA1")
        await meets.wait()
        stand_in = it.house.applications["PA2"]
        assert isinstance(stand_in, Echo)
        await until(lambda: len(stand_in.served) == 1)
        (leg,) = it.house.manager.calls.legs_of("SEP1002")
        await until(lambda: leg.state is LegState.CONNECTED)
        it.house.manager.calls.release(leg)
        await it.house.holds("PA1", *NUMBERS)


async def test_the_trace_says_what_became_of_a_caller_and_why() -> None:
    trace: list[Any] = []
    async with house() as it:
        home = it.house.servers["PA1"]
        home._trace = lambda each: trace.append(each) if "calling" in each.fields else None
        # Which port is asked first hangs on what the heartbeats have told so far.
        await until(lambda: all(row.up for row in home.status()[0].resources))
        async with it.phones["1001"].call("6000") as first:
            await first.wait_media()
            # More than one is up: the second caller is one too many.
            await have_capacity(it, 1)
            async with it.phones["5123"].call("6000") as second:
                await second.wait_for(DCallState.BUSY)
            async with it.phones["1002"].call("6002") as third:
                await third.wait_ended()
        (identity,) = (i for i in home.holds if i.number == "6000")
        home._member._guard = 0.0
        session: Any = SimpleNamespace(calling="1002", called="6000", call_id=7)
        await home.routed_call(identity, session)
    said = {
        (each.kind.removeprefix("failover."), each.fields["calling"]): each.fields for each in trace
    }
    assert said["routed", "1001"]["tried"] == ["6001 taken"]
    assert said["turned_away", "5123"]["why"] == "1 call, of 1 at most"
    assert said["turned_away", "5123"]["identity"] == "PA1/route/6000"
    assert said["turned_away", "1002"]["identity"] == "PA1/port/6002"
    assert said["turned_away", "1002"]["why"] == "1 call, of 1 at most"
    assert said["not_routed", "5123"]["why"] == "it was refused"
    assert said["not_routed", "1002"]["why"] == "the guard is over"


async def test_an_intercepted_call_reaches_its_extension_served_or_not() -> None:
    intercepted: list[str] = []

    class Counts(Echo):
        def __init__(self, name: str) -> None:
            super().__init__()
            self._name = name

        async def intercepted_call(self, session: cti.RouteSession) -> None:
            intercepted.append(self._name)
            await super().intercepted_call(session)

    async with house() as it:
        it.nursery.start_soon(it.phones["5123"].serve, answered)
        for name in ("PA1", "PA2"):
            it.house.servers[name]._calls.application = Counts(name)

        async def reaches_it() -> None:
            async with it.phones["1001"].call("5123") as call:
                await call.wait_media()
                assert call.connected_to == "5123"

        await reaches_it()
        assert intercepted == ["PA1"]
        await it.house.stop("PA1")
        await reaches_it()
        await it.house.holds("PA2", *NUMBERS)
        intercepted.clear()
        await reaches_it()
        assert intercepted == ["PA2"]
        await it.house.stop("PA2")
        await reaches_it()
        assert intercepted == ["PA2"]


async def test_a_decision_pending_at_an_interceptor_is_not_cut_short_by_the_return() -> None:
    """Q19: the home has the interceptor already, and who was asked first may still decide."""
    asked, decide = trio.Event(), trio.Event()

    class Slow(Echo):
        async def intercepted_call(self, session: cti.RouteSession) -> None:
            asked.set()
            await decide.wait()
            await super().intercepted_call(session)

    class Silent(Echo):
        async def intercepted_call(self, session: cti.RouteSession) -> None:
            await trio.sleep_forever()

    async with house(linger=10.0) as it:
        it.nursery.start_soon(it.phones["5123"].serve, answered)
        it.house.applications["PA1"] = Silent()
        it.house.servers["PA2"]._calls.application = Slow()
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        async with it.phones["1001"].call("5123") as call:
            await asked.wait()
            await it.house.start(it.nursery, "PA1")
            await it.house.holds("PA1", *NUMBERS)
            decide.set()
            await call.wait_media()
            assert call.connected_to == "5123"


async def test_an_exception_of_the_application_ends_its_call_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(failover.Application):
        async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
            async with call.answer():
                raise RuntimeError("a bug")

    async with house() as it:
        it.house.servers["PA1"]._calls.application = Broken()
        async with it.phones["1001"].call("6000") as call:
            await call.wait_ended()
        server = it.house.servers["PA1"]
        await until(lambda: server.application_errors == 1)
        assert isinstance(server.last_application_error, RuntimeError)
        await it.house.holds("PA1", *NUMBERS)
    assert "in media_call" in caplog.text  # the traceback


async def test_an_application_that_loses_a_connection_of_its_own_keeps_the_port() -> None:
    class Broken(failover.Application):
        async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
            async with call.answer():
                raise ConnectionLost("the database is gone")

    async with house() as it:
        server = it.house.servers["PA1"]
        server._calls.application = Broken()
        registrations = {name: registered_at(it.house.manager, name) for name in ("VI1", "VI2")}
        async with it.phones["1001"].call("6000") as call:
            await call.wait_ended()
        await until(lambda: server.application_errors == 1)
        await it.house.holds("PA1", *NUMBERS)
        for name, before in registrations.items():
            assert registered_at(it.house.manager, name) == before


async def test_a_route_point_application_may_choose_for_itself() -> None:
    class ToPhone(Echo):
        async def route_call(self, session: cti.RouteSession, ports: object) -> None:
            await session.select_route("1002")

    async with house() as it:
        it.nursery.start_soon(it.phones["1002"].serve, answered)
        it.house.servers["PA1"]._calls.application = ToPhone()
        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            assert call.connected_to == "1002"


async def test_a_server_that_ends_in_order_ends_its_session_when_it_has_closed_everything() -> None:
    async with house() as it:
        await it.house.stop("PA2")
        await it.house.stop("PA1")
        # Nobody lives who could have found a process gone.
        entries = (await it.house.store.snapshot()).entries
        assert not {keys.session("PA1"), keys.session("PA2")} & entries.keys()
        assert it.house.servers["PA1"].unconfirmed == {}


async def test_a_server_whose_store_is_gone_ends_without_a_word_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_answer(transaction: Transaction) -> Outcome:
        raise ConnectionLost("the store is gone")

    async with house() as it:
        await it.house.stop("PA2")
        monkeypatch.setattr(it.house.store, "transact", no_answer)
        await it.house.stop("PA1")
        assert it.house.servers["PA1"].holds == ()
        assert keys.session("PA1") in (await it.house.store.snapshot()).entries


async def test_stop_all_leaves_nobody_in_charge_and_start_all_brings_everything_back() -> None:
    async with house() as it:
        control = it.house.store, it.house.cluster
        await failover.control(control[1], failover.Command.STOP, store=control[0])
        await it.house.holds("PA1")
        await trio.sleep(0.5)
        await it.house.holds("PA2")
        states = {p.name: p.state for p in await failover.read_status(control[1], control[0])}
        assert states == {"PA1": "down, nobody stands in", "PA2": "down"}
        await failover.control(control[1], failover.Command.START, store=control[0])
        await it.house.holds("PA1", *NUMBERS)


async def test_what_has_happened_stands_in_the_store() -> None:
    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        await it.house.start(it.nursery, "PA1")
        await it.house.holds("PA1", *NUMBERS)

        async def written() -> list[tuple[str, str, str]]:
            read = await failover.read_history(it.house.cluster, it.house.store)
            done = [each for each in read if each.seconds is not None]
            return [(each.kind.value, each.home, each.cause) for each in done]

        with trio.fail_after(8):
            while len(await written()) < 2:
                await it.house.store.watch(await it.house.store.snapshot())
        assert await written() == [
            ("takeover", "PA1", "it gave up its session"),
            ("return", "PA1", "PA1 asked for its own"),
        ]


async def test_a_call_that_is_not_heard_is_reported_ended_and_counted() -> None:
    trace: list[Any] = []
    async with house(media_silence=0.5) as it:
        home = it.house.servers["PA1"]
        home._trace = trace.append
        async with it.phones["1001"].call("6000") as call:
            media = await call.wait_media()
            await trio.sleep(1.0)
            assert call.connected  # a phone that says nothing sends silence
            media.port.stop_sending()
            await call.wait_ended()
        assert home.silent_calls == 1
        await until(lambda: not home._member.calls)
        await it.house.holds("PA1", *NUMBERS)
    kinds = [each.kind for each in trace if each.kind.startswith("failover.call.")]
    assert kinds == ["failover.call.silent", "failover.call.given_up"]


async def test_a_call_of_hours_is_an_alarm_and_goes_on() -> None:
    async with house(long_call=0.3) as it:
        home = it.house.servers["PA1"]

        def notes() -> list[str]:
            return [note for note in home.status()[0].notes if "lasts longer" in note]

        async with it.phones["1001"].call("6000") as call:
            await call.wait_media()
            await until(lambda: len(notes()) == 1)
            assert call.connected
            assert notes() == ["a call at PA1/port/6001 lasts longer than 300 ms"]
        await until(lambda: not notes())


@pytest.mark.parametrize("capacity", [1, 2], ids=["above capacity", "all ports busy"])
async def test_the_caller_above_the_limit_hears_busy(capacity: int) -> None:
    async with house() as it, contextlib.AsyncExitStack() as calls:
        await have_capacity(it, capacity)
        home = it.house.servers["PA1"]
        for phone in ("1001", "1002")[:capacity]:
            call = await calls.enter_async_context(it.phones[phone].call("6000"))
            await call.wait_media()
        async with it.phones["5123"].call("6000") as call:
            await call.wait_for(DCallState.BUSY)
            assert call.prompt == "Busy"
        assert len(home._calls.application.served) == capacity


async def test_of_two_callers_at_once_and_one_call_to_be_had_one_hears_busy() -> None:
    async with house() as it:
        await have_capacity(it, 1)
        ends: list[DCallState] = []

        async def calls(phone: str) -> None:
            async with it.phones[phone].call("6000") as call:
                ends.append(await call.wait_for(DCallState.BUSY, DCallState.CONNECTED))
                await until(lambda: len(ends) == 2)

        async with trio.open_nursery() as both:
            both.start_soon(calls, "1001")
            both.start_soon(calls, "1002")
        assert sorted(ends) == sorted([DCallState.BUSY, DCallState.CONNECTED])


async def test_a_port_without_udp_is_down_with_its_reason_and_gets_no_call() -> None:
    async with house() as it:
        await it.house.stop("PA1")
        await it.house.holds("PA2", *NUMBERS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((f"{NETWORK}.11", 32002))
            await it.house.start(it.nursery, "PA1")
            await it.house.holds("PA1", "6001", "5XXX", "6000")
            async with it.phones["1001"].call("6000") as call:
                await call.wait_media()
                assert it.house.applications["PA1"].served == ["6001"]

                def down() -> list[tuple[str, str]]:
                    (page, _) = it.house.servers["PA1"].status()
                    return [(e.identity.number, e.why) for e in page.resources if not e.up]

                why = f"UDP {NETWORK}.11:32002: Address already in use"
                await until(lambda: down() == [("6002", why)], lambda: repr(down()))
        await it.house.holds("PA1", *NUMBERS)


async def test_a_stand_in_passes_over_udp_ports_that_others_have() -> None:
    async with house() as it:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((f"{NETWORK}.12", 32000))
            await it.house.stop("PA1")
            await it.house.holds("PA2", *NUMBERS)
            async with it.phones["1001"].call("6000") as call:
                await call.wait_media()


async def test_a_call_manager_that_restarts_is_no_server_failure() -> None:
    """Q9: no server takes over; the holder registers again."""
    async with house() as it:
        it.house.manager.drop_connections()
        await until(lambda: not it.house.servers["PA1"].holds)
        await it.house.holds("PA1", *NUMBERS)
        await it.house.holds("PA2")


async def test_without_cti_the_call_manager_is_looked_for_twice_a_second(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    """Each look is a TCP connection."""
    looks = 0

    async def missing(hosts: object, local_address: str) -> str:
        nonlocal looks
        looks += 1
        await trio.lowlevel.checkpoint()
        return "nobody is there"

    monkeypatch.setattr(links, "_missing", missing)
    config = failover.Cluster(servers=MANY_PORTS, providers=SKINNY)
    async with failover.open_server(
        config, "PA1", application=Echo(), store=MemoryStore(), clock=trio.current_time
    ) as running:
        with trio.move_on_after(10):
            await running.run()
    assert 10 <= looks <= 21


@pytest.mark.parametrize("at_signalling_host", [False, True])
async def test_a_media_port_knows_the_call_manager_of_the_cluster_alone(
    monkeypatch: pytest.MonkeyPatch, at_signalling_host: bool, autojump_clock: object
) -> None:
    seen: set[tuple[str, bool]] = set()

    @contextlib.asynccontextmanager
    async def register(
        name: str, call_manager: str, *, config: StationConfig, **more: Any
    ) -> AsyncGenerator[Any]:
        seen.add((call_manager, config.media_at_signalling_host))
        await trio.sleep_forever()
        yield

    async def missing(hosts: object, local_address: str) -> str:
        await trio.lowlevel.checkpoint()
        return ""

    monkeypatch.setattr(holder.sccp, "open_media_port", register)
    monkeypatch.setattr(links, "_missing", missing)
    hosts = ("127.0.0.1:2000", "127.0.0.2:2000")
    provider = replace(SKINNY[0], hosts=hosts, media_at_signalling_host=at_signalling_host)
    config = failover.Cluster(servers=MANY_PORTS, providers=(provider,))
    async with failover.open_server(
        config, "PA1", application=Echo(), store=MemoryStore(), clock=trio.current_time
    ) as running:
        with trio.move_on_after(2):
            await running.run()
    assert seen == {("127.0.0.1:2000", at_signalling_host)}


async def test_every_media_port_that_a_server_may_have_has_its_place_in_the_engine() -> None:
    config = failover.Cluster(servers=MANY_PORTS, providers=SKINNY)
    async with failover.open_server(
        config, "PA2", application=Echo(), store=MemoryStore()
    ) as running:
        running._engine.open_port(599)


async def test_callers_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    config = failover.Cluster(servers=MANY_PORTS, providers=SKINNY)
    records: list[Record] = []
    now = 100.0
    async with failover.open_server(
        config,
        "PA2",
        application=Echo(),
        store=MemoryStore(),
        trace=records.append,
        clock=lambda: now,
    ) as running:
        for moment in (100.0, 160.0):
            now = moment
            for number in range(25):
                running._event("turned_away", calling=f"{number}", identity="6000", why="busy")
    told = [each.getMessage() for each in caplog.records if "turned away" in each.getMessage()]
    assert len(told) == 40
    assert told[20].endswith("busy (5 times more since the last time this was told)")
    assert len(records) == 50


async def test_a_name_that_runs_already_is_refused(tmp_path: Path) -> None:
    config = replace(
        failover.load(Path(__file__).parents[2] / "examples" / "cluster.toml"),
        file=str(tmp_path / "cluster.toml"),
    )
    async with failover.open_server(config, "PA2", application=Echo()):
        with pytest.raises(ConfigurationError, match="PA2 runs already"):
            async with failover.open_server(config, "PA2", application=Echo()):
                raise AssertionError


async def test_a_name_that_is_no_server_is_refused() -> None:
    config = failover.load(Path(__file__).parents[2] / "examples" / "cluster.toml")
    with pytest.raises(ConfigurationError, match="no server 'PA7'"):
        async with failover.open_server(config, "PA7", application=Echo()):
            raise AssertionError


async def test_authorities_that_cannot_be_read_are_named_with_their_provider(
    tmp_path: Path,
) -> None:
    provider = JtapiProvider(
        name="jtapi", hosts=("10.0.0.1",), user="pa", tls=True, tls_authorities="absent.pem"
    )
    with pytest.raises(ConfigurationError, match=r"jtapi.*tls_authorities.*absent\.pem"):
        await tls_context(provider, tmp_path)
    trusted = await tls_context(replace(provider, tls_authorities=""), tmp_path)
    assert trusted is not None
    assert trusted.check_hostname
    assert await tls_context(replace(provider, tls=False, tls_authorities=""), tmp_path) is None


async def test_a_server_logs_in_over_tls_and_trusts_nobody_else(
    pem: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = callmanager.TlsFiles(certificate=str(pem), key=str(pem))
    config = replace(CALL_MANAGER, cti_tls=files)
    with trio.fail_after(20):
        async with callmanager.open_call_manager(
            config, sccp_port=0, cti_port=0, cti_tls_port=0
        ) as manager:
            house = House(cluster(manager), manager)
            skinny = house.cluster.providers[1]
            for authorities in ("", str(pem)):
                jtapi = JtapiProvider(
                    name="jtapi",
                    hosts=(manager.cti_tls_address,),
                    user="pa",
                    password="secret",
                    tls=True,
                    tls_authorities=authorities,
                )
                house.cluster = replace(house.cluster, providers=(jtapi, skinny))
                house.store = MemoryStore()
                async with trio.open_nursery() as nursery:
                    await house.start(nursery, "PA1")
                    if authorities:
                        await house.holds("PA1", *NUMBERS)
                        assert manager.applications == ["pa"]
                    else:
                        await until(
                            lambda: (
                                f"jtapi refuses us: {manager.cti_tls_address}, user pa: "
                                "self-signed certificate" in caplog.text
                            )
                        )
                        assert not manager.applications
                    nursery.cancel_scope.cancel()


async def test_an_owner_that_cannot_read_the_store_closes_everything_and_another_serves() -> None:
    """Its heartbeats are written all the same: no other server would find out (deafowner)."""

    class Unreadable(MemoryStore):
        async def snapshot(self) -> Snapshot:
            await trio.lowlevel.checkpoint()
            raise ConnectionLost("too many open files")

    async with house(heartbeat=0.1, own=1.0, take=1.2) as it:
        deaf = Unreadable()
        deaf.__dict__ = it.house.store.__dict__  # the same contents
        it.house.servers["PA1"]._store = deaf
        await it.house.holds("PA2", *NUMBERS)
        await it.house.holds("PA1")
        it.house.servers["PA1"]._store = it.house.store
        await it.house.holds("PA1", *NUMBERS)


async def test_a_server_that_nothing_is_heard_in_looks_at_the_store_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A watch that never returns is no proof that the store can be read."""
    looks = 0

    async def mute(seen: Snapshot) -> None:
        nonlocal looks
        looks += 1
        await trio.sleep_forever()

    async with house(heartbeat=0.1, own=1.0, take=1.2) as it:
        monkeypatch.setattr(it.house.store, "watch", mute)
        await until(lambda: looks >= 8)
        await it.house.holds("PA1", *NUMBERS)
        session = it.house.servers["PA1"]._member.world.session("PA1")
        assert session is not None
        assert session.beat.reads


async def test_what_no_holder_has_any_more_counts_as_closed() -> None:
    """Lost without an answer, its holder is gone; who drops it must not wait for ever."""
    config = failover.Cluster(servers=MANY_PORTS, providers=SKINNY)
    async with failover.open_server(
        config, "PA1", application=Echo(), store=MemoryStore()
    ) as running:
        identity = config.identities("PA1")[0]
        running._member._ledger.registrations[identity].state = State.CLOSING
        tasks: Any = None
        running._perform(tasks, Close(identity))
        assert running._member.state(identity) is State.IDLE


OPENS = """
import sys, trio
from pa_telephony import failover
from pa_telephony.failover.stores import MemoryStore
async def main():
    cluster = failover.load(sys.argv[1])
    application = failover.Application()
    async with failover.open_server(cluster, "PA1", application=application, store=MemoryStore()):
        print("pa_telephony.rtp.sound" in sys.modules)
trio.run(main)
"""


def test_what_the_sound_of_a_call_needs_is_imported_before_there_is_one() -> None:
    """Later there may be no file descriptor for it: the first call then cost its port."""
    example = Path(__file__).parents[2] / "examples" / "cluster.toml"
    command = [sys.executable, "-c", OPENS, str(example)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
