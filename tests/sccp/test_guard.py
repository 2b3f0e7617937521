"""A bug that one station brings out ends its session, is counted and told, and ends nothing else.

And so many connections that have not registered, in all and of one address.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import pytest
import trio
from company import ALICE, BOB, CAROL, COMPANY
from loopback import HOST
from whole_house import QUICK_STATION, a_manager, until

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    Timing,
)
from pa_telephony.callmanager.calls.verbs import Leg, LegState, Watcher
from pa_telephony.errors import DecodeError
from pa_telephony.faults import MOST_BUGS
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import KeyPadButton
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import RegistrarConfig
from pa_telephony.sccp.server.server import StationServer, StationSession, serve_stations
from pa_telephony.trace import EventRecord, FrameRecord, Record

pytestmark = pytest.mark.makes_bugs


def frames(*what: SccpMessage) -> bytes:
    return b"".join(messages.encode(each, 20) for each in what)


async def heard(stream: trio.SocketStream, kind: type[SccpMessage], version: int = 20) -> None:
    """Read until a message of this kind has come."""
    station = Connection(Role.STATION)
    station.version = version
    while True:
        station.receive_data(await stream.receive_some(1 << 16))
        while (event := station.next_event()) is not None:
            assert isinstance(event, SccpMessage), "closed"
            if isinstance(event, kind):
                return


async def closes(stream: trio.SocketStream) -> None:
    """Read until the other side has had enough."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass
    await stream.aclose()


# ------------------------------------------------------------------------------ a call manager


class Faulty(Watcher):
    """A watcher of the calls that fails at some legs."""

    def __init__(self, fails: Callable[[Leg], bool], times: int) -> None:
        self.times = times
        self._fails = fails

    def leg_changed(self, leg: Leg) -> None:
        if self.times and self._fails(leg):
            self.times -= 1
            raise ZeroDivisionError("nobody thought of that")


@contextlib.asynccontextmanager
async def a_call(manager: CallManager) -> AsyncGenerator[tuple[sccp.Station, sccp.Station]]:
    """Alice and Bob are talking, and are when the block ends, on the connections they had."""
    async with (
        rtp.open_engine(
            address=HOST, first_port=43000, config=rtp.EngineConfig(max_ports=4)
        ) as engine,
        sccp.open_station(
            ALICE, manager.sccp_address, config=QUICK_STATION, engine=engine
        ) as alice,
        sccp.open_station(BOB, manager.sccp_address, config=QUICK_STATION, engine=engine) as bob,
        alice.call("1002") as call,
    ):
        await until(lambda: bob.calls)
        [offered] = bob.calls.values()
        async with offered.answer():
            await call.wait_connected()
            yield alice, bob
            assert call.connected
            assert (alice.registrations, bob.registrations) == (1, 1)


async def register(manager: CallManager) -> trio.SocketStream:
    host, _, port = manager.sccp_address.rpartition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    await stream.send_all(frames(messages.RegisterReq(device_name=CAROL, protocol_ver=20)))
    await heard(stream, messages.CapabilitiesReq)
    return stream


MOMENTS: dict[str, Callable[[Leg], bool]] = {
    "its own leg begins": lambda leg: leg.device == CAROL and leg.state is LegState.DIAL_TONE,
    "its own leg rings": lambda leg: leg.device == CAROL and leg.state is LegState.RINGING_OUT,
    "the other's leg rings": lambda leg: leg.state is LegState.OFFERED,
    "its own leg ends": lambda leg: leg.device == CAROL and leg.state is LegState.IDLE,
    "whatever becomes of its own leg": lambda leg: leg.device == CAROL,
}


@pytest.mark.parametrize("times", [1, 1000])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_bug_in_a_call_closes_the_connection_of_the_caller_and_no_other(
    moment: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it fails: the device is gone, its calls with it, and it may come again."""
    caplog.set_level(logging.CRITICAL, "pa_telephony.sccp")
    async with a_manager() as manager, a_call(manager):
        others = set(manager.calls.legs)
        stream = await register(manager)
        faulty = Faulty(MOMENTS[moment], times)
        manager.calls.watchers.append(faulty)
        # Bob is busy with Alice's call, and a second one may wait.
        await stream.send_all(
            frames(messages.EnblocCall(called_party="1002", line_instance=1), messages.OnHook())
        )
        await closes(stream)
        assert faulty.times < times
        assert manager.sccp_counters.internal_errors >= 1
        assert not manager.calls.is_registered(CAROL)
        assert not manager.calls.legs_of(CAROL)
        manager.calls.watchers.remove(faulty)
        if times == 1:
            assert manager.sccp_counters.internal_errors == 1
        assert set(manager.calls.legs) == others
        # The name is free at once, and calls work.
        async with (
            sccp.open_station(CAROL, manager.sccp_address) as old,
            old.call("1003") as call,
        ):
            await until(lambda: call.ended or call.state is not None)
        assert manager.sccp_counters.protocol_errors == 0


async def test_a_bug_is_logged_and_traced_with_its_traceback_and_the_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    records: list[Record] = []
    async with a_manager(trace=records.append) as manager:
        stream = await register(manager)
        manager.calls.watchers.append(Faulty(lambda leg: True, 1))
        guilty = frames(messages.OffHook(line_instance=1))
        await stream.send_all(frames(messages.KeepAliveReq()) + guilty)
        await closes(stream)
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.sccp"]
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], ZeroDivisionError)
    assert CAROL in logged.getMessage()
    assert guilty.hex() in logged.getMessage()
    event, *others = [each for each in records if isinstance(each, EventRecord)]
    assert all(each.kind.endswith(".connection_closed") for each in others)
    assert event.kind == "sccp.internal_error"
    assert event.error is logged.exc_info[1]
    assert event.fields["frame"] == guilty.hex()
    assert event.fields["error"] == "ZeroDivisionError: nobody thought of that"
    assert "in leg_changed" in str(event.fields["traceback"])
    assert CAROL in str(event.fields["who"])


async def test_a_bug_that_somebody_brings_out_again_and_again_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_manager() as manager:
        faulty = Faulty(lambda leg: True, 1000)
        manager.calls.watchers.append(faulty)
        for _ in range(MOST_BUGS + 5):
            stream = await register(manager)
            await stream.send_all(frames(messages.OffHook(line_instance=1)))
            await closes(stream)
        assert manager.sccp_counters.internal_errors >= MOST_BUGS + 5
    logged = [each for each in caplog.records if each.name == "pa_telephony.sccp"]
    assert len(logged) == MOST_BUGS


SECRET: dict[str, SccpMessage] = {
    "KeypadButton (0x0003)": messages.KeypadButton(kp_button=KeyPadButton(7), line_instance=1),
    "EnblocCall (0x0004)": messages.EnblocCall(called_party="1003", line_instance=1),
    "DeviceToUserData (0x002e)": messages.DeviceToUserData(application_id=1, xmldata=b"PIN"),
}


@pytest.mark.parametrize("message", SECRET)
async def test_what_somebody_keyed_stands_in_no_report(
    message: str, caplog: pytest.LogCaptureFixture
) -> None:
    records: list[Record] = []
    async with a_manager(trace=records.append) as manager:

        def fails(*_: object) -> None:
            raise ZeroDivisionError("nobody thought of that")

        manager._line_side.received = fails  # type: ignore[method-assign]
        stream = await register(manager)
        await stream.send_all(frames(SECRET[message]))
        await closes(stream)
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.sccp"]
    assert logged.getMessage().endswith(f"it said: {message}")
    event, *others = [each for each in records if isinstance(each, EventRecord)]
    assert all(each.kind.endswith(".connection_closed") for each in others)
    assert (event.fields["message"], event.fields["frame"]) == (message, "")


async def test_a_bug_that_shows_when_a_time_is_over_ends_its_leg_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    records: list[Record] = []
    config = replace(COMPANY, timing=Timing(between_digits=0.05))
    async with (
        a_manager(config, trace=records.append) as manager,
        a_call(manager),
    ):
        stream = await register(manager)
        faulty = Faulty(lambda leg: leg.device == CAROL and leg.state is LegState.IDLE, 1)
        manager.calls.watchers.append(faulty)
        await stream.send_all(frames(messages.OffHook(line_instance=1)))
        await heard(stream, messages.StartTone)
        await until(lambda: manager.internal_errors)
        assert not manager.calls.legs_of(CAROL)
        # It is still registered, and may try again.
        await stream.send_all(frames(messages.OffHook(line_instance=1)))
        await heard(stream, messages.StartTone)
        await stream.aclose()
        assert manager.sccp_counters.internal_errors == 0
        assert manager.internal_errors == 1
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.callmanager"]
    event, *others = [each for each in records if isinstance(each, EventRecord)]
    assert all(each.kind.endswith(".connection_closed") for each in others)
    assert event.kind == "callmanager.internal_error"
    assert logged.exc_info is not None
    assert event.error is logged.exc_info[1]


async def test_what_can_not_be_said_to_a_station_ends_its_session_and_not_the_senders(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_manager() as manager, a_call(manager):
        stream = await register(manager)
        session = manager._line_side.sessions[CAROL]
        session.send(messages.SetLamp(stimulus=1 << 40))  # type: ignore[arg-type]
        session.send(messages.KeepAliveAck())
        await closes(stream)
        assert manager.sccp_counters.internal_errors == 1
        assert not manager.calls.is_registered(CAROL)
    [logged] = [each for each in caplog.records if each.name == "pa_telephony.sccp"]
    # No frame of the station's is to blame; who sent stands in the stack.
    assert "test_what_can_not_be_said" in (logged.stack_info or "")


async def test_a_trace_that_fails_is_left_out_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def trace(record: Record) -> None:
        nonlocal failed
        if not isinstance(record, FrameRecord) or record.remote == loud:
            failed += 1
            raise OSError("disk full")

    loud: object = None
    failed = 0
    async with a_manager(trace=trace) as manager, a_call(manager):
        stream = await register(manager)
        loud = stream.socket.getsockname()
        for _ in range(3):
            await stream.send_all(frames(messages.KeepAliveReq()))
            await heard(stream, messages.KeepAliveAck)
        assert manager.sccp_counters.internal_errors == 0
        await stream.aclose()
    assert failed == 1
    (told,) = [each for each in caplog.records if each.name == "pa_telephony.trace"]
    assert "gets no more records" in told.getMessage()
    assert told.exc_info is not None


# -------------------------------------------------------------------- a directory of somebody's own


class Directory:
    """Has every device, and fails where it is told to."""

    def __init__(self, fails: str = "", error: BaseException | None = None) -> None:
        self.fails = fails
        self.error = error or ZeroDivisionError("nobody thought of that")
        self.gone: list[str] = []

    def _may_fail(self, where: str, name: str) -> None:
        if where == self.fails and name != BOB:
            raise self.error

    def find_device(self, name: str) -> Device | None:
        self._may_fail("find_device", name)
        return Device(name=name)

    def registered(self, session: StationSession) -> None:
        self._may_fail("registered", session.name)

    def unregistered(self, session: StationSession, reason: str) -> None:
        self.gone.append(session.name)
        self._may_fail("unregistered", session.name)

    def received(self, session: StationSession, message: SccpMessage) -> None:
        if isinstance(message, messages.OffHook):
            self._may_fail("received", session.name)

    def may_unregister(self, session: StationSession) -> bool:
        self._may_fail("may_unregister", session.name)
        return True


@contextlib.asynccontextmanager
async def a_server(
    directory: Directory, config: RegistrarConfig | None = None
) -> AsyncGenerator[tuple[StationServer, tuple[str, int]]]:
    async def serve(*, task_status: trio.TaskStatus[object]) -> None:
        await serve_stations(directory, port=0, config=config, task_status=task_status)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            server, addresses = await nursery.start(serve)
            yield server, addresses[0]
            nursery.cancel_scope.cancel()


SAID = frames(
    messages.RegisterReq(device_name=ALICE, protocol_ver=20),
    messages.OffHook(),
    messages.UnregisterReq(),
)


@pytest.mark.parametrize(
    "fails", ["find_device", "registered", "received", "may_unregister", "unregistered"]
)
async def test_a_method_of_the_directory_that_raises_ends_the_session_it_was_called_for(
    fails: str,
) -> None:
    directory = Directory(fails)
    async with a_server(directory) as (server, address):
        good = f"{address[0]}:{address[1]}"
        async with sccp.open_station(BOB, good, config=QUICK_STATION) as bob:
            stream = await trio.open_tcp_stream(*address)
            await stream.send_all(SAID)
            await closes(stream)
            await until(lambda: set(server.sessions) == {BOB})
            assert server.counters.internal_errors == 1
            assert server.counters.protocol_errors == 0
            # Whoever was told of it is told that it is gone, once.
            assert directory.gone == ([] if fails == "find_device" else [ALICE])
            directory.fails = ""
            async with sccp.open_station(ALICE, good, config=QUICK_STATION):
                pass
            assert bob.registrations == 1


async def test_a_protocol_error_of_the_directorys_is_none_of_the_stations() -> None:
    async with a_server(Directory("received", DecodeError("elsewhere"))) as (server, address):
        stream = await trio.open_tcp_stream(*address)
        await stream.send_all(SAID)
        await closes(stream)
        assert (server.counters.internal_errors, server.counters.protocol_errors) == (1, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
async def test_what_is_to_end_the_program_ends_it(error: BaseException) -> None:
    directory = Directory("received", error)
    server: StationServer | None = None
    with pytest.raises(BaseExceptionGroup) as caught:
        async with a_server(directory) as (server, address):
            stream = await trio.open_tcp_stream(*address)
            await stream.send_all(SAID)
            async with stream:
                await trio.sleep_forever()
    assert caught.value.subgroup(lambda each: each is error) is not None
    assert server is not None
    assert server.counters.internal_errors == 0
    assert directory.gone == [ALICE]


# ------------------------------------------------------------------- who has not registered yet

FEW = RegistrarConfig(max_unregistered=5, max_unregistered_of_one_address=3)


async def connect(address: tuple[str, int], source: str) -> trio.SocketStream:
    return await trio.open_tcp_stream(*address, local_address=source)


async def is_closed(stream: trio.SocketStream) -> bool:
    """Whether it was not wanted: a good one is answered."""
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(frames(messages.RegisterTokenReq(device_name=ALICE)))
        return not await stream.receive_some(1 << 16)
    return True


async def test_one_address_can_not_keep_the_others_out(caplog: pytest.LogCaptureFixture) -> None:
    async with a_server(Directory(), FEW) as (server, address):
        silent = [await connect(address, "127.0.0.2") for _ in range(3)]
        await until(lambda: server.counters.connections == 3)
        refused = await connect(address, "127.0.0.2")
        assert await is_closed(refused)
        assert server.counters.refused_by_address == 1
        # Another address has its places.
        two = [await connect(address, "127.0.0.3") for _ in range(2)]
        assert not any([await is_closed(each) for each in two])
        # And the limit of all is as it was: the oldest of the most makes room for who comes from
        # where fewer come.
        third = await connect(address, "127.0.0.4")
        assert not await is_closed(third)
        assert await is_closed(silent[0])
        assert server.counters.turned_out == 1
        assert "a connection from 127.0.0.2 that has not registered is closed" in caplog.text
        # Nobody has two more than another now, and nobody is hurried out.
        fourth = await connect(address, "127.0.0.4")
        assert await is_closed(fourth)
        assert server.counters.refused_connections == 2
        assert server.counters.refused_by_address == 1
        # A place is free as soon as somebody goes.
        assert not await is_closed(silent[1])
        await silent[1].aclose()
        await until(lambda: len(server._lobby) == 4)
        again = await connect(address, "127.0.0.2")
        assert not await is_closed(again)
        for stream in (*silent, refused, *two, third, fourth, again):
            await stream.aclose()
        await until(lambda: len(server._lobby) == 0)


async def test_who_has_registered_takes_up_no_place_however_many_of_one_address() -> None:
    async with a_server(Directory(), FEW) as (server, address):
        streams: list[trio.SocketStream] = []
        for number in range(20):
            stream = await connect(address, "127.0.0.2")
            await stream.send_all(frames(messages.RegisterReq(device_name=f"SEP{number}")))
            await heard(stream, messages.RegisterAck, 0)
            streams.append(stream)
        assert len(server.sessions) == 20
        assert server.counters.refused_connections == 0
        for stream in streams:
            await stream.aclose()


async def stand_by(stream: trio.SocketStream) -> bool:
    """Whether the connection may: it is acknowledged then, and closed else."""
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(frames(messages.KeepAliveReq()))
        return bool(await stream.receive_some(1 << 16))
    return False


async def test_stations_that_stand_by_take_up_no_place_of_those_that_come_to_register() -> None:
    config = RegistrarConfig(
        max_unregistered=2, max_standing_by=7, max_standing_by_of_one_address=5
    )
    streams: list[trio.SocketStream] = []

    async def comes(source: str) -> trio.SocketStream:
        streams.append(await connect(address, source))
        return streams[-1]

    async with a_server(Directory(), config) as (server, address):
        for _ in range(5):
            # A second keepalive makes nobody stand by twice.
            stream = await comes("127.0.0.2")
            assert await stand_by(stream)
            assert await stand_by(stream)
        # The newest is closed, and nobody else.
        assert not await stand_by(await comes("127.0.0.2"))
        assert await stand_by(await comes("127.0.0.3"))
        assert await stand_by(await comes("127.0.0.3"))
        assert not await stand_by(await comes("127.0.0.3"))
        assert server.counters.standbys_refused == 2
        # Whoever comes to register gets in, from there as well, and so does who has stood by.
        for number, each in enumerate((await comes("127.0.0.2"), streams[0])):
            await each.send_all(frames(messages.RegisterReq(device_name=f"SEP{number}")))
            await heard(each, messages.RegisterAck, 0)
        # It has left its place to another.
        assert await stand_by(await comes("127.0.0.2"))
        assert not await stand_by(await comes("127.0.0.2"))
        assert server.counters.refused_connections == 0
        for each in streams:
            await each.aclose()


async def test_a_station_that_stood_by_and_is_gone_leaves_its_place() -> None:
    async with a_server(Directory(), RegistrarConfig(max_standing_by=1)) as (_, address):
        for _ in range(3):
            # The end of the one before is seen when its task runs.
            stream = await connect(address, "127.0.0.2")
            while not await stand_by(stream):
                await stream.aclose()
                stream = await connect(address, "127.0.0.2")
            await stream.aclose()


async def test_an_internal_error_gives_the_place_back() -> None:
    async with a_server(Directory("find_device"), FEW) as (server, address):
        for count in range(1, 9):
            stream = await connect(address, "127.0.0.2")
            await stream.send_all(SAID)
            await closes(stream)
            await until(lambda: len(server._lobby) == 0)
            assert server.counters.internal_errors == count
        assert server.counters.refused_connections == 0


async def test_what_fails_at_the_end_of_a_connection_keeps_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There was no memory to say how it ended (found by fuzz_refused.py at the CTI Manager)."""

    def boom(session: StationSession) -> dict[str, object]:
        raise MemoryError

    monkeypatch.setattr(StationSession, "told_at_end", boom)
    async with a_server(Directory("find_device"), FEW) as (server, address):
        for _ in range(8):
            stream = await connect(address, "127.0.0.2")
            await stream.aclose()
            await until(lambda: not server._connections)
            assert len(server._lobby) == 0
        assert server.counters.refused_connections == 0
