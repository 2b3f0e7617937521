"""A list of call managers: one to be registered with, one that stands by, and the way back."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

import pytest
import trio
import trio.testing
from company import ALICE
from whole_house import a_manager

from pa_telephony import sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import DCallState
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import Registrar, RegistrarConfig, StandbyAsked
from pa_telephony.sccp.server.server import (
    StationServer,
    StationSession,
    local_time,
    serve_stations,
)

QUICK = sccp.StationConfig(first_back_off=0.05, longest_back_off=0.2, token_within=0.3)


class Cluster:
    """Two call managers that can die and come back at their addresses."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.managers: list[CallManager | None] = [None, None]
        self.ports = [0, 0]
        self._scopes: list[trio.CancelScope] = [trio.CancelScope(), trio.CancelScope()]
        self._nursery = nursery

    async def start(self, which: int) -> CallManager:
        manager, self._scopes[which] = await self._nursery.start(_run, self.ports[which])
        self.ports[which] = int(manager.sccp_address.rpartition(":")[2])
        self.managers[which] = manager
        return manager

    def stop(self, which: int) -> None:
        self._scopes[which].cancel()

    @property
    def addresses(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self.ports]

    def at(self, which: int) -> Callable[[sccp.Station], bool]:
        return lambda station: station.registered and station.call_manager[1] == self.ports[which]


async def _run(
    port: int, *, task_status: trio.TaskStatus[tuple[CallManager, trio.CancelScope]]
) -> None:
    with trio.CancelScope() as scope:
        async with a_manager(sccp_port=port) as manager:
            task_status.started((manager, scope))
            await trio.sleep_forever()


@contextlib.asynccontextmanager
async def a_cluster() -> AsyncGenerator[Cluster]:
    with trio.fail_after(15):
        async with trio.open_nursery() as nursery:
            cluster = Cluster(nursery)
            await cluster.start(0)
            await cluster.start(1)
            yield cluster
            nursery.cancel_scope.cancel()


def station(
    cluster: Cluster, name: str = ALICE, config: sccp.StationConfig = QUICK
) -> contextlib.AbstractAsyncContextManager[sccp.Station]:
    return sccp.open_station(name, cluster.addresses, config=config)


async def until(station: sccp.Station, condition: Callable[[sccp.Station], bool]) -> None:
    with trio.fail_after(8):
        while not condition(station):  # noqa: ASYNC110
            await trio.sleep(0.02)


async def stands_by(station: sccp.Station) -> None:
    await until(station, lambda station: bool(station.standing_by))


async def test_when_the_first_dies_the_station_registers_on_the_connection_that_stands_by() -> None:
    async with a_cluster() as cluster, station(cluster) as alice:
        await stands_by(alice)
        assert alice.standing_by == [("127.0.0.1", cluster.ports[1])]
        second = cluster.managers[1]
        assert second is not None
        assert (second.sccp_counters.connections, second.sccp_counters.registrations) == (1, 0)
        async with alice.call("1002") as call:
            await call.wait_for(DCallState.CONGESTION)
            cluster.stop(0)
            assert await call.wait_ended() == 41
        await until(alice, cluster.at(1))
        assert (second.sccp_counters.connections, second.sccp_counters.registrations) == (1, 1)


async def test_the_station_returns_when_the_first_is_there_again_but_not_during_a_call() -> None:
    async with a_cluster() as cluster, station(cluster) as alice:
        await stands_by(alice)
        cluster.stop(0)
        await until(alice, cluster.at(1))
        async with alice.call("1002") as call:
            await call.wait_for(DCallState.CONGESTION)
            await cluster.start(0)
            await stands_by(alice)
            await trio.sleep(0.6)
            assert cluster.at(1)(alice)
        await until(alice, cluster.at(0))
        await stands_by(alice)
        assert alice.standing_by == [("127.0.0.1", cluster.ports[1])]
        assert alice.registrations == 3


async def test_a_station_that_is_not_to_fall_back_stays() -> None:
    config = sccp.StationConfig(first_back_off=0.05, fall_back=False)
    async with a_cluster() as cluster, station(cluster, config=config) as alice:
        await stands_by(alice)
        cluster.stop(0)
        await until(alice, cluster.at(1))
        await cluster.start(0)
        await stands_by(alice)
        await trio.sleep(0.6)
        assert cluster.at(1)(alice)


async def test_without_stand_by_there_is_one_connection_and_the_list_is_followed() -> None:
    config = sccp.StationConfig(first_back_off=0.05, stand_by=False)
    async with a_cluster() as cluster, station(cluster, config=config) as alice:
        await trio.sleep(0.6)
        second = cluster.managers[1]
        assert second is not None
        assert second.sccp_counters.connections == 0
        cluster.stop(0)
        await until(alice, cluster.at(1))


class Steps(trio.abc.Instrument):
    """Notes each time that a task of a station gets to run."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if "Station." in task.name or "Link." in task.name:
            self.names.append(task.name)


async def test_a_station_that_nothing_happens_to_does_nothing() -> None:
    """Four hundred of them, each with a look around four times a second, took a fifth of a core."""
    steps = Steps()
    async with a_cluster() as cluster, station(cluster) as alice:
        await stands_by(alice)
        await trio.sleep(0.3)
        trio.lowlevel.add_instrument(steps)
        await trio.sleep(1.2)
        assert steps.names == []
        assert await alice.unregister()
        assert steps.names
        trio.lowlevel.remove_instrument(steps)


async def returns_to_the_first(cluster: Cluster) -> None:
    """The first comes back; the station finds its way to it."""
    async with station(cluster) as alice:
        await stands_by(alice)
        cluster.stop(0)
        await until(alice, cluster.at(1))
        await cluster.start(0)
        await until(alice, cluster.at(0))


async def test_a_call_manager_that_knows_no_tokens_is_returned_to_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asterisk and wazo ignore the question (docs/protocol/sccp.md §4)."""
    monkeypatch.setattr(Registrar, "answer_token", lambda self, wait=0: None)
    async with a_cluster() as cluster:
        await returns_to_the_first(cluster)


async def test_one_that_drops_the_connection_over_the_question_is_returned_to_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As FreeSWITCH may (docs/protocol/sccp.md §4)."""
    monkeypatch.setattr(
        Registrar, "answer_token", lambda self, wait=0: self.end_session("what is a token?")
    )
    async with a_cluster() as cluster:
        await returns_to_the_first(cluster)


async def test_a_station_that_is_told_to_wait_asks_again_and_comes_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []

    def token(server: StationServer, session: StationSession, request: object) -> int:
        asked.append(trio.current_time())
        return 1 if len(asked) == 1 else 0

    monkeypatch.setattr(StationServer, "token", token)
    async with a_cluster() as cluster:
        await returns_to_the_first(cluster)
    assert len(asked) == 2
    assert asked[1] - asked[0] == pytest.approx(1.0)


class _Everybody:
    """A directory that lets anybody in."""

    def find_device(self, name: str) -> Device | None:
        return None if name == "nobody" else Device(name=name)

    def registered(self, session: StationSession) -> None: ...

    def unregistered(self, session: StationSession, reason: str) -> None: ...

    def received(self, session: StationSession, message: object) -> None: ...

    def may_unregister(self, session: StationSession) -> bool:
        return True


async def ask(stream: trio.SocketStream, *what: messages.SccpMessage) -> list[str]:
    """Send messages and give the kinds of the answers, one for each."""
    connection = Connection(Role.STATION)
    for message in what:
        connection.send(message)
    await stream.send_all(connection.data_to_send())
    kinds: list[str] = []
    while len(kinds) < len(what):
        connection.receive_data(bytes(await stream.receive_some(4096)))
        while (answer := connection.next_event()) is not None:
            kinds.append(type(answer).__name__)
    return kinds


async def test_tokens_are_given_to_so_many_at_once_and_to_nobody_whose_old_session_lives() -> None:
    config = RegistrarConfig(max_tokens=2)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:

            async def serve(*, task_status: trio.TaskStatus[object]) -> None:
                await serve_stations(_Everybody(), port=0, config=config, task_status=task_status)

            _, addresses = await nursery.start(serve)
            streams = [await trio.open_tcp_stream(*addresses[0]) for _ in range(4)]
            token = [messages.RegisterTokenReq(device_name=f"SEP{n}") for n in range(4)]
            assert await ask(streams[0], token[0]) == ["RegisterTokenAck"]
            assert await ask(streams[1], token[1]) == ["RegisterTokenAck"]
            assert await ask(streams[2], token[2]) == ["RegisterTokenReject"]
            # One registers, one goes away: two places are free.
            await ask(streams[0], messages.RegisterReq(device_name="SEP0"))
            await streams[1].aclose()
            assert await ask(streams[3], messages.RegisterTokenReq(device_name="SEP0")) == [
                "RegisterTokenReject"
            ]
            assert await ask(streams[2], token[2]) == ["RegisterTokenAck"]
            # The end of a connection is seen when its task runs.
            while await ask(streams[3], token[3]) == ["RegisterTokenReject"]:  # noqa: ASYNC110
                await trio.sleep(0.01)
            # Both are on their way again, and whoever is there already needs no token.
            late = await trio.open_tcp_stream(*addresses[0])
            assert await ask(late, messages.RegisterTokenReq(device_name="SEP4")) == [
                "RegisterTokenReject"
            ]
            assert await ask(streams[0], token[0]) == ["RegisterTokenAck"]
            await late.aclose()
            for stream in streams:
                await stream.aclose()
            nursery.cancel_scope.cancel()


async def test_a_registered_station_takes_no_token_and_a_stranger_gets_none(
    mock_clock: trio.testing.MockClock,
) -> None:
    config = RegistrarConfig(max_tokens=1, token_wait=10)
    async with trio.open_nursery() as nursery:

        async def serve(*, task_status: trio.TaskStatus[object]) -> None:
            await serve_stations(_Everybody(), port=0, config=config, task_status=task_status)

        _, addresses = await nursery.start(serve)
        streams = [await trio.open_tcp_stream(*addresses[0]) for _ in range(3)]
        wanted = [messages.RegisterTokenReq(device_name=f"SEP{n}") for n in range(3)]
        await ask(streams[0], messages.RegisterReq(device_name="SEP0"))
        assert await ask(streams[0], wanted[0]) == ["RegisterTokenAck"]
        assert await ask(streams[0], wanted[1]) == ["RegisterTokenReject"]
        nobody = messages.RegisterTokenReq(device_name="nobody")
        assert await ask(streams[1], nobody) == ["RegisterTokenReject"]
        # Nobody has taken the one place so far.
        assert await ask(streams[1], wanted[1]) == ["RegisterTokenAck"]
        assert await ask(streams[2], wanted[2]) == ["RegisterTokenReject"]
        # It stays where it is, and keeps the place for so long.
        mock_clock.jump(10)
        assert await ask(streams[2], wanted[2]) == ["RegisterTokenAck"]
        for stream in streams:
            await stream.aclose()
        nursery.cancel_scope.cancel()


def test_a_connection_that_stands_by_may_be_as_silent_as_its_interval_allows() -> None:
    registrar = Registrar(RegistrarConfig(), 0.0, local_time)
    assert registrar.next_deadline() == 30.0
    station = Connection(Role.STATION)
    station.send(messages.KeepAliveReq())
    registrar.receive_data(station.data_to_send(), 1.0)

    assert registrar.next_event() == StandbyAsked()
    assert registrar.next_deadline() == 181.0
