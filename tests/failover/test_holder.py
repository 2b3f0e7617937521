"""What a holder reports, and when: with a call manager that is slow, silent or gone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace

import pytest
import trio
import trio.testing
from company import MEDIA_PORT, PASSWORD
from loopback import HOST, NETWORK
from middleman import Middleman, open_middleman
from whole_house import a_manager, log_in, until

from pa_telephony import cti, failover, rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
)
from pa_telephony.failover import holder as holder_module, links, server as server_module
from pa_telephony.failover.holder import Holder, PortHolder, RoutePointHolder
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.intent import Command, intents
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.trace import EventRecord, Record

ROUTE_POINT = Identity("PA1", Kind.ROUTE_POINT, "6000")
PORT = Identity("PA1", Kind.PORT, "6001", device=MEDIA_PORT)
LONG = 3600.0


class Told:
    """Everything that a holder reports, in order."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda identity, why="": self.all.append((name, str(why)))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.all]

    async def media_call(self, identity: Identity, call: sccp.Call) -> None:
        raise AssertionError

    async def routed_call(self, identity: Identity, session: cti.RouteSession) -> None:
        raise AssertionError


def deaf(middleman: Middleman) -> trio.Event:
    """The call manager hears nothing more until the event is set."""
    middleman.hears = trio.Event()
    return middleman.hears


def owners(manager: CallManager) -> int:
    return manager._cti_side.owners("RP1")


@contextlib.asynccontextmanager
async def held(config: cti.ProviderConfig) -> AsyncGenerator[SimpleNamespace]:
    """A route point, registered, at a call manager that can be made deaf."""
    async with (
        a_manager() as manager,
        open_middleman(manager.cti_address) as middleman,
        log_in(middleman.address, config=config) as provider,
        trio.open_nursery() as nursery,
    ):
        told = Told()
        holder = RoutePointHolder(ROUTE_POINT, told, provider)
        nursery.start_soon(holder.run)
        await until(lambda: told.names == ["registered"])
        yield SimpleNamespace(
            manager=manager,
            middleman=middleman,
            provider=provider,
            nursery=nursery,
            told=told,
            holder=holder,
        )


async def test_a_route_point_is_unregistered_when_the_call_manager_has_said_so() -> None:
    async with held(cti.ProviderConfig(release_within=LONG)) as it:
        hears = deaf(it.middleman)
        it.nursery.start_soon(it.holder.unregister)
        await trio.testing.wait_all_tasks_blocked()
        assert it.told.names == ["registered"]
        hears.set()
        await it.holder.ended.wait()
        assert owners(it.manager) == 0
        assert it.told.all[1:] == [("unregistered", ""), ("closed", "")]
        assert it.provider.sessions == 1


async def test_without_its_word_a_route_point_is_unregistered_when_the_session_is_dropped() -> None:
    async with held(cti.ProviderConfig(release_within=0.05)) as it:
        hears = deaf(it.middleman)
        await it.holder.unregister()
        await it.holder.ended.wait()
        assert not it.provider.in_service
        assert it.told.names == ["registered", "unregistered", "closed"]
        assert "does not confirm" in it.told.all[-1][1]
        hears.set()
        await until(lambda: owners(it.manager) == 0)


async def test_a_fence_waits_for_nobody() -> None:
    async with held(cti.ProviderConfig(release_within=LONG)) as it:
        deaf(it.middleman)
        it.holder.close(at_once=True)
        await it.holder.ended.wait()
        assert it.told.all[1:] == [("closed", "the connection was cut")]
        it.middleman.hears.set()
        await until(lambda: owners(it.manager) == 0)


async def test_a_polite_end_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder_module, "LEAVE_WITHIN", 0.05)
    async with held(cti.ProviderConfig(release_within=LONG)) as it:
        deaf(it.middleman)
        await it.holder.leave()
        await it.holder.ended.wait()
        assert it.told.all[1:] == [("closed", "the connection was cut")]


async def run(holder: Holder, ended: trio.Event) -> None:
    await holder.run()
    ended.set()


async def test_silence_is_no_refusal() -> None:
    async with held(cti.ProviderConfig()) as it:
        it.holder.close()
        await it.holder.ended.wait()
        deaf(it.middleman)
        it.provider.config = cti.ProviderConfig(request_within=0.05, release_within=0.05)
        told = Told()
        await RoutePointHolder(ROUTE_POINT, told, it.provider).run()
        assert told.names == ["lost", "closed"]
        assert "no answer" in told.all[0][1]
        it.middleman.hears.set()
        await until(lambda: owners(it.manager) == 0)


def port(told: Told, engine: rtp.Engine, address: str) -> PortHolder:
    return PortHolder(
        PORT,
        told,
        call_manager=address,
        place=0,
        engine=engine,
        port_index=0,
        local_address="127.0.0.1",
        media_at_signalling_host=False,
        longest_back_off=0.1,
        trace=None,
    )


async def test_a_registration_that_does_not_come_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder_module, "_REGISTER_WITHIN", 0.01)
    told = Told()
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    number = listener.socket.getsockname()[1]
    await listener.aclose()
    with trio.fail_after(10):
        async with (
            rtp.open_engine(address=HOST, first_port=36000) as engine,
            trio.open_nursery() as nursery,
        ):
            holder = port(told, engine, f"127.0.0.1:{number}")
            nursery.start_soon(holder.run)
            await until(lambda: holder._trouble)
            await holder.again()
            holder.close()
    assert told.names == ["lost", "closed"]
    assert "Connection refused" in told.all[0][1]


async def test_a_port_without_an_answer_is_lost_and_not_unregistered() -> None:
    told = Told()
    async with (
        a_manager() as manager,
        open_middleman(manager.sccp_address) as middleman,
        rtp.open_engine(address=HOST, first_port=36000) as engine,
        trio.open_nursery() as nursery,
    ):
        holder = port(told, engine, middleman.address)
        nursery.start_soon(holder.run)
        await until(lambda: told.names == ["registered"])
        deaf(middleman)
        await holder.unregister()
        await holder.ended.wait()
        middleman.hears.set()
    assert told.names == ["registered", "lost", "closed"]
    assert "no call manager confirms" in told.all[-1][1]


# The whole server.


def cluster(cti_address: str, sccp_address: str, ports: int = 0) -> failover.Cluster:
    return failover.Cluster(
        servers=(
            failover.ServerConfig(
                server_name="PA1",
                hostname_or_ip_address=f"{NETWORK}.11",
                route_address="6000",
                media_port_provider="skinny" if ports else "",
                media_port_beginning_address="6001" if ports else "",
                number_of_media_ports=ports,
            ),
        ),
        providers=(
            failover.JtapiProvider("jtapi", (cti_address,), "app", PASSWORD),
            failover.SkinnyProvider("skinny", (sccp_address,), "VI"),
        ),
    )


@contextlib.asynccontextmanager
async def serving(ports: int = 0, sccp_address: str = "") -> AsyncGenerator[SimpleNamespace]:
    """A server that runs until ``scope`` is cancelled, at a call manager that can be deaf."""
    records: list[Record] = []
    store = MemoryStore()
    it = SimpleNamespace(store=store, scope=trio.CancelScope(), gone=trio.Event(), records=records)

    async def serve() -> None:
        with it.scope:
            async with failover.open_server(
                it.cluster,
                "PA1",
                application=failover.Application(),
                store=store,
                trace=records.append,
            ) as it.server:
                await it.server.run()
        it.gone.set()

    async with (
        a_manager() as it.manager,
        open_middleman(it.manager.cti_address) as it.middleman,
        trio.open_nursery() as nursery,
    ):
        it.cluster = cluster(it.middleman.address, sccp_address or it.manager.sccp_address, ports)
        nursery.start_soon(serve)
        await until(lambda: owners(it.manager) == 1)
        yield it
        nursery.cancel_scope.cancel()


def events(records: list[Record], kind: str) -> list[dict[str, object]]:
    found = [each for each in records if isinstance(each, EventRecord)]
    return [dict(each.fields) for each in found if each.kind == f"failover.{kind}"]


async def test_a_stopped_server_leaves_the_store_when_nothing_of_it_is_left() -> None:
    async with serving() as it:
        await until(lambda: it.server.holds)
        hears = deaf(it.middleman)
        await it.store.transact(intents(it.cluster, Command.STOP, ["PA1"]))
        await until(lambda: not it.server.holds)
        await trio.testing.wait_all_tasks_blocked()
        assert "srv/PA1" in (await it.store.snapshot()).entries
        hears.set()
        while "srv/PA1" in (snapshot := await it.store.snapshot()).entries:
            await it.store.watch(snapshot)
        assert owners(it.manager) == 0
        assert events(it.records, "closed")[-1].get("why") is None


async def test_the_end_of_a_server_is_bounded_and_names_what_is_not_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "LEAVE_WITHIN", 0.05)
    async with serving() as it:
        await until(lambda: it.server.holds)
        deaf(it.middleman)
        it.scope.cancel()
        await it.gone.wait()
        assert list(it.server.unconfirmed) == ["PA1/route/6000"]
        (left,) = events(it.records, "left")
        assert left["unconfirmed"] == it.server.unconfirmed
        it.middleman.hears.set()
        await until(lambda: owners(it.manager) == 0)


async def test_each_provider_has_its_own_link_and_reason() -> None:
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]

        async def turn_away(stream: trio.SocketStream) -> None:
            await stream.aclose()

        nursery.start_soon(trio.serve_listeners, turn_away, [listener])
        address = f"127.0.0.1:{listener.socket.getsockname()[1]}"
        async with serving(ports=1, sccp_address=address) as it:
            await until(lambda: len(events(it.records, "link")) == 2)
            links = {each["provider"]: each for each in events(it.records, "link")}
            assert links["jtapi"]["reachable"] is True
            assert links["skinny"]["reachable"] is False
            assert links["skinny"]["why"] == f"{address} closes connections at once"
        nursery.cancel_scope.cancel()


async def test_a_call_manager_for_media_ports_is_one_that_lets_a_connection_stand() -> None:
    missing = links._missing
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        there = f"127.0.0.1:{listener.socket.getsockname()[1]}"
        gone = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        nobody = f"127.0.0.1:{gone.socket.getsockname()[1]}"
        await gone.aclose()

        async def stay(stream: trio.SocketStream) -> None:
            await stream.receive_some()

        nursery.start_soon(trio.serve_listeners, stay, [listener])
        assert await missing([there], "127.0.0.1") == ""
        assert await missing([nobody, there], "127.0.0.1") == ""
        assert "Connection refused" in await missing([nobody], "127.0.0.1")
        nursery.cancel_scope.cancel()


# In virtual time, without a call manager.


class Stuck(Holder):
    """Registered at once, and then nothing it says is answered until its connection is cut."""

    _trouble = "nobody answers"
    _unconfirmed = "nobody has confirmed it"

    def __init__(self, told: Told) -> None:
        super().__init__(ROUTE_POINT, told)
        self.connection = trio.CancelScope()

    async def _hold(self) -> None:
        self._has_it()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True), self.connection:
                await trio.sleep_forever()

    def _cut_off(self) -> None:
        self.connection.cancel()


async def test_leaving_ends_within_its_bound_whatever_the_call_manager_does(
    autojump_clock: object,
) -> None:
    told = Told()
    holder = Stuck(told)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holder.run)
        await trio.sleep(1.0)
        began = trio.current_time()
        await holder.leave()
        await holder.ended.wait()
        assert trio.current_time() - began == holder_module.LEAVE_WITHIN
    assert told.names == ["registered", "closed"]


class Unheard(Stuck):
    async def _hold(self) -> None:
        with self.connection:
            await trio.sleep_forever()


async def test_each_wait_for_a_registration_ends_with_a_report(autojump_clock: object) -> None:
    told = Told()
    holder = Unheard(told)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holder.run)
        await holder.again()
        assert told.all == [("lost", "nobody answers")]
        await holder.again()
        assert told.names == ["lost", "lost"]
        holder.close()
        await holder.ended.wait()
        await holder.again()
        assert told.names == ["lost", "lost", "closed"]
