"""Hostile peers over real sockets: call managers at our station, stations at our call manager.

In each case: one typed error, at most that connection closed, a counter, all else goes on.
"""

from __future__ import annotations

import contextlib
import datetime
import struct

import pytest
import trio
import trio.testing
from company import ALICE, BOB, CAROL
from hypothesis import given, strategies as st
from loopback import HOST
from middleman import open_middleman, says
from whole_house import QUICK_STATION, a_manager, until

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.errors import (
    CallEnded,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
)
from pa_telephony.rtp import EngineConfig
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceUnregisterStatus,
    MediaPayloadType,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.registrar import Registrar, RegistrarConfig
from pa_telephony.sccp.server.server import local_time
from pa_telephony.sccp.station.core import CallChanged, ScreenChanged, StationCore
from pa_telephony.sccp.station.style import StationConfig
from pa_telephony.testing.strategies import sccp_messages

RING = messages.CallState(call_state=DCallState.RING_IN, line_instance=1, call_reference=7)


def assert_same_error(again: Exception, error: Exception) -> None:
    """It says the same; only its traceback is its own."""
    assert type(again) is type(error)
    assert (again.args, vars(again)) == (error.args, vars(error))


def frame(message: SccpMessage, version: int = 20) -> bytes:
    return messages.encode(message, version)


def frames(*what: SccpMessage) -> bytes:
    return b"".join(frame(each) for each in what)


async def calls_work(manager: CallManager) -> None:
    """A call from Alice reaches Bob, and both are answered all along."""
    async with (
        sccp.open_station(ALICE, manager.sccp_address) as alice,
        sccp.open_station(BOB, manager.sccp_address) as bob,
        alice.call("1002"),
    ):
        await until(lambda: bob.calls)


# What breaks the protocol, whoever says it; ``True`` for an end of the stream behind it.
BROKEN = {
    "garbage": (b"\xff" * 64, False),
    "text": (b"GET / HTTP/1.1\r\n\r\n", False),
    "no length": (bytes(12), False),
    "oversize": (struct.pack("<III", 0x7FFFFFFF, 0, 0x81) + bytes(100), False),
    "truncated header": (b"\x04\0\0", True),
    "truncated body": (frame(messages.KeepAliveAck())[:-1] + b"", True),
}
FROM_MANAGER = {
    **BROKEN,
    "behind a good one": (frame(RING) + b"\xff" * 12, False),
    "count beyond all limits": (
        struct.pack("<IIIIII", 304, 0, 0x97, 0, 99, 0x7FFFFFFF) + bytes(288),
        False,
    ),
}
FROM_STATION = {
    **BROKEN,
    "behind a good one": (frame(messages.KeepAliveReq()) + b"\xff" * 12, False),
    "count beyond all limits": (struct.pack("<IIII", 292, 0, 0x10, 0xFFFFFFFF) + bytes(284), False),
}


@pytest.mark.parametrize("kind", FROM_MANAGER)
async def test_a_station_survives_a_call_manager_that_breaks_the_protocol(kind: str) -> None:
    data, end = FROM_MANAGER[kind]
    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        middleman.tricks = [says(data, end=end)]
        async with sccp.open_station(ALICE, middleman.address, config=QUICK_STATION) as station:
            assert (station.protocol_errors, station.registrations) == (1, 1)
            await middleman.inject(data, end=end)
            await until(lambda: station.registrations == 2)
            assert station.protocol_errors == 2
            assert station.last_error
        await calls_work(manager)


# What breaks nothing, for its framing is sound.
SOUND = {
    "body too short": struct.pack("<IIIB", 5, 0, 0x111, 1),
    "no body": struct.pack("<III", 4, 0, 0x8A),
    "for the call manager": frame(messages.OffHook()),
    "for the station": frame(RING),
    "nobody's": struct.pack("<IIII", 8, 0, 0x7777, 1),
}


@pytest.mark.parametrize("kind", SOUND)
async def test_what_is_short_or_for_the_other_side_ends_nothing(kind: str) -> None:
    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        async with sccp.open_station(ALICE, middleman.address, config=QUICK_STATION) as station:
            await middleman.inject(SOUND[kind] + frame(RING))
            await until(lambda: station.calls)
            assert (station.registrations, station.protocol_errors) == (1, 0)
        stream, scripted = await register(manager)
        await stream.send_all(SOUND[kind] + frame(messages.KeepAliveReq()))
        heard: list[object] = []
        while messages.KeepAliveAck() not in heard:
            data = await stream.receive_some(1 << 16)
            assert data, "the connection ended"
            scripted.receive_data(data)
            while (event := scripted.next_event()) is not None:
                heard.append(event)
        assert manager.sccp_counters.protocol_errors == 0
        assert manager.sccp_counters.passed_over == (kind != "for the call manager")
        await stream.aclose()
        await calls_work(manager)


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
async def test_a_station_registers_and_calls_however_the_stream_is_cut(piece: int) -> None:
    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        middleman.piece = piece
        async with (
            sccp.open_station(ALICE, middleman.address) as alice,
            sccp.open_station(BOB, middleman.address) as bob,
            alice.call("1002"),
        ):
            await until(lambda: bob.calls)
            assert (alice.protocol_errors, bob.protocol_errors) == (0, 0)


async def test_what_comes_in_the_wrong_state_changes_nothing_and_many_frames_may_come_at_once() -> (
    None
):
    late = frames(
        messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=22),
        messages.ButtonTemplateRes(button_offset=0),
        messages.TimeDateRes(w_year=2026),
        messages.CloseReceiveChannel(conference_id=9, pass_through_party_id=99),
        messages.StopMediaTransmission(conference_id=9, pass_through_party_id=99),
        messages.CallState(call_state=DCallState.ON_HOOK, call_reference=99),
        messages.CallState(call_state=DCallState(0xFFFFFFFF), call_reference=98),
        messages.CallState(call_state=DCallState.ON_HOOK, call_reference=98),
    )
    unknown = struct.pack("<IIII", 8, 0, 0x7777, 1)
    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        async with sccp.open_station(ALICE, middleman.address, config=QUICK_STATION) as station:
            # More than one read, so that a frame is cut at the end of each.
            await middleman.inject((late + unknown) * 2000 + frame(RING))
            await until(lambda: station.calls)
            assert (station.registrations, station.protocol_errors) == (1, 0)
        await calls_work(manager)


async def test_a_call_manager_that_always_lets_go_is_not_asked_without_a_pause() -> None:
    """It used to be: a reconnect as fast as TCP allows."""
    patient = StationConfig(first_back_off=1000.0, longest_back_off=1000.0)
    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        middleman.tricks = [
            says(frame(messages.UnregisterAck(status=DeviceUnregisterStatus.OK)))
        ] * 50
        with trio.move_on_after(0.3):
            async with sccp.open_station(ALICE, middleman.address, config=patient):
                pytest.fail("registered")
        assert middleman.connections == 1


async def test_a_call_manager_that_asks_and_never_reads_is_left_and_counted() -> None:
    async def flood(client: trio.SocketStream) -> None:
        hello = messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20)
        await client.send_all(frame(hello))
        while True:
            await client.send_all(frame(messages.CapabilitiesReq()) * 5000)

    async with a_manager() as manager, open_middleman(manager.sccp_address) as middleman:
        middleman.tricks = [flood]
        async with sccp.open_station(ALICE, middleman.address, config=QUICK_STATION) as station:
            assert station.slow_call_managers == 1
        await calls_work(manager)


async def test_a_handler_hears_that_the_call_is_over_when_its_call_manager_breaks_down() -> None:
    """A key pressed between the failure and the end of the session reached the user as an error."""
    async with (
        a_manager() as manager,
        open_middleman(manager.sccp_address) as middleman,
        sccp.open_station(ALICE, middleman.address, config=QUICK_STATION) as station,
        trio.open_nursery() as nursery,
    ):
        begun, ended = trio.Event(), trio.Event()

        async def handler(call: sccp.Call) -> None:
            begun.set()
            while not call.ended:
                call.press("1")
                await trio.lowlevel.checkpoint()
            ended.set()

        nursery.start_soon(station.serve, handler)
        await middleman.inject(frame(RING))
        await begun.wait()
        await middleman.inject(b"\xff" * 64)
        await ended.wait()
        await until(lambda: station.registrations == 2)
        nursery.cancel_scope.cancel()


async def test_no_more_handlers_run_than_calls_are_allowed() -> None:
    """Calls that come and go cost the call manager nothing, and each had a task of ours."""
    running = 0

    async def handler(call: sccp.Call) -> None:
        nonlocal running
        running += 1
        await trio.sleep_forever()

    config = StationConfig(first_back_off=0.01, max_calls=3)
    gone = messages.CallState(call_state=DCallState.ON_HOOK, line_instance=1, call_reference=7)
    async with (
        a_manager() as manager,
        open_middleman(manager.sccp_address) as middleman,
        sccp.open_station(ALICE, middleman.address, config=config) as station,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(station.serve, handler)
        for _ in range(10):
            await middleman.inject(frame(RING))
            await until(lambda: station.calls)
            await trio.testing.wait_all_tasks_blocked()
            await middleman.inject(frame(gone))
            await until(lambda: not station.calls)
        assert running == 3
        nursery.cancel_scope.cancel()


def order(**fields: object) -> messages.OpenReceiveChannel:
    return messages.OpenReceiveChannel(
        **{  # type: ignore[arg-type]
            "conference_id": 7,
            "pass_through_party_id": 1,
            "call_reference": 7,
            "milli_second_packet_size": 20,
            "compression_type": MediaPayloadType.G711_ULAW64K,
            **fields,
        }
    )


def transmission(**fields: object) -> messages.StartMediaTransmission:
    return messages.StartMediaTransmission(
        **{  # type: ignore[arg-type]
            "conference_id": 7,
            "pass_through_party_id": 1,
            "call_reference": 7,
            "remote_ip_addr": "127.0.0.1",
            "remote_port_number": 4000,
            "milli_second_packet_size": 20,
            "compression_type": MediaPayloadType.G711_ULAW64K,
            **fields,
        }
    )


@pytest.mark.parametrize(
    "impossible",
    [
        order(milli_second_packet_size=7),
        order(milli_second_packet_size=0xFFFFFFFF),
        order(rfc2833_payload_type=0xFFFFFFFF),
        transmission(remote_port_number=70000),
        transmission(remote_port_number=0),
        transmission(remote_ip_addr="::1"),
        transmission(milli_second_packet_size=1),
        transmission(rfc2833_payload_type=300),
    ],
    ids=str,
)
async def test_media_that_can_not_be_is_refused_and_the_engine_goes_on(
    impossible: SccpMessage,
) -> None:
    """Each of these ended the engine, or the program, when it was believed."""
    answered: list[SccpMessage] = []

    async def script(client: trio.SocketStream) -> None:
        manager = Connection(Role.CALL_MANAGER)
        while data := await client.receive_some(1 << 16):
            manager.receive_data(data)
            while (message := manager.next_event()) is not None:
                if isinstance(message, messages.RegisterReq):
                    for each in (
                        messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20),
                        messages.ButtonTemplateRes(button_offset=0),
                        messages.TimeDateRes(w_year=2026),
                        RING,
                        impossible,
                    ):
                        manager.send(each)
                    await client.send_all(manager.data_to_send())
                elif isinstance(
                    message, messages.OpenReceiveChannelAck | messages.StartMediaTransmissionAck
                ):
                    answered.append(message)

    config = EngineConfig(max_ports=2)
    async with (
        a_manager() as manager,
        open_middleman(manager.sccp_address) as middleman,
        rtp.open_engine(address=HOST, first_port=43000, config=config) as engine,
    ):
        middleman.tricks = [script]
        async with sccp.open_station(ALICE, middleman.address, engine=engine) as station:
            await until(lambda: answered)
            (answer,) = answered
            if isinstance(answer, messages.OpenReceiveChannelAck):
                assert answer.media_reception_status != MediaStatus.OK
            else:
                assert isinstance(answer, messages.StartMediaTransmissionAck)
                assert answer.media_transmission_status != MediaStatus.OK
            ticks = engine.statistics.ticks
            await until(lambda: engine.statistics.ticks > ticks + 2)
            assert station.registered
            station.abandon()


@given(st.lists(sccp_messages(), max_size=8), st.integers(1, 40))
def test_any_valid_messages_in_any_state_give_events_or_one_typed_error(
    said: list[tuple[SccpMessage, int]], piece: int
) -> None:
    data = b"".join(messages.encode(message, version) for message, version in said)
    core = StationCore(ALICE, StationConfig())
    core.connected(0.0)
    try:
        for start in range(0, len(data), piece):
            core.receive_data(data[start : start + piece], 0.0)
            while core.next_event() is not None:
                pass
    except RemoteProtocolError as error:
        with pytest.raises(RemoteProtocolError) as again:
            core.next_event()
        assert_same_error(again.value, error)
    else:
        # All that the station answers can be read.
        manager = Connection(Role.CALL_MANAGER)
        manager.receive_data(core.data_to_send())
        while manager.next_event() is not None:
            pass


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF)), max_size=400))
def test_what_a_station_keeps_of_a_call_manager_has_limits(
    numbers: list[tuple[int, int]],
) -> None:
    core = StationCore(ALICE, StationConfig(max_calls=5))
    manager = Connection(Role.CALL_MANAGER)
    core.connected(0.0)
    manager.receive_data(core.data_to_send())
    manager.next_event()
    manager.send(messages.RegisterAck(keep_alive_interval=0xFFFFFFFF, max_protocol_ver=20))
    for one, other in numbers:
        manager.send(messages.SetLamp(stimulus=one, stimulus_instance=other))  # type: ignore[arg-type]
        manager.send(messages.LineStatV2Res(line_number=one, line_dir_number=str(other)))
        manager.send(order(call_reference=other, pass_through_party_id=one))
    core.receive_data(manager.data_to_send(), 0.0)
    while (event := core.next_event()) is not None:
        assert isinstance(event, CallChanged | ScreenChanged)
    assert len(core.calls) <= 5
    assert len(core.screen.lamps) <= 256
    assert len(core.lines) <= 42
    # However long a call manager wants not to be asked, its death is noticed.
    core.handle_deadline(4.9)
    assert (core.next_deadline() or 0.0) <= 3600.0


# ------------------------------------------------------------------ stations at our call manager


async def connect(manager: CallManager) -> trio.SocketStream:
    host, _, port = manager.sccp_address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def register(
    manager: CallManager, name: str = CAROL, version: int = 20
) -> tuple[trio.SocketStream, Connection]:
    """A scripted station."""
    stream, station = await connect(manager), Connection(Role.STATION)
    station.send(messages.RegisterReq(device_name=name, protocol_ver=version))
    await stream.send_all(station.data_to_send())
    while True:
        station.receive_data(await stream.receive_some(1 << 16))
        while (event := station.next_event()) is not None:
            if isinstance(event, messages.RegisterAck):
                return stream, station


async def closes(stream: trio.SocketStream) -> None:
    """Read until the other side has had enough."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass
    await stream.aclose()


@pytest.mark.parametrize(
    ("kind", "registered"),
    [
        *[(kind, True) for kind in FROM_STATION],
        # What is not decoded before a registration cannot be wrong, either.
        *[(kind, False) for kind in FROM_STATION if kind != "count beyond all limits"],
    ],
)
async def test_a_station_that_breaks_the_protocol_ends_alone(kind: str, registered: bool) -> None:
    data, end = FROM_STATION[kind]
    async with a_manager() as manager:
        stream = (await register(manager))[0] if registered else await connect(manager)
        await stream.send_all(data)
        if end:
            await stream.send_eof()
        await closes(stream)
        assert manager.sccp_counters.protocol_errors == 1
        await calls_work(manager)
        # The name is free again.
        async with sccp.open_station(CAROL, manager.sccp_address):
            pass
        assert manager.sccp_counters.protocol_errors == 1


async def test_what_is_sent_to_a_station_that_fails_is_no_error_of_the_sender() -> None:
    """The connection's own error came out in the task of the caller of the station."""
    async with a_manager() as manager:
        stream, _ = await register(manager)
        [session] = manager._line_side.sessions.values()
        await stream.send_all(b"\xff" * 64)
        while session in manager._line_side.sessions.values():
            session.send(RING)
            await trio.lowlevel.checkpoint()
        await stream.aclose()


async def test_a_session_sent_byte_by_byte_or_in_one_segment_is_a_session() -> None:
    said = frames(
        messages.RegisterReq(device_name=CAROL, protocol_ver=20),
        *[messages.KeepAliveReq(), messages.TimeDateReq()] * 5,
        messages.UnregisterReq(),
    )
    async with a_manager() as manager:
        for piece in (1, len(said)):
            stream = await connect(manager)
            for start in range(0, len(said), piece):
                await stream.send_all(said[start : start + piece])
            await closes(stream)
        assert manager.sccp_counters.registrations == 2
        assert manager.sccp_counters.protocol_errors == 0


async def test_a_flood_of_good_frames_is_no_error() -> None:
    """A cut frame in front of a full read used to overflow the buffer."""
    async with a_manager() as manager:
        stream, _ = await register(manager)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(closes, stream)
            await stream.send_all(frame(messages.KeepAliveReq())[:1])
            await stream.send_all(frame(messages.KeepAliveReq())[1:])
            await stream.send_all(frame(messages.KeepAliveReq()) * 50_000)
            await stream.send_all(frame(messages.UnregisterReq()))
        assert manager.sccp_counters.protocol_errors == 0


async def test_a_station_that_asks_and_never_reads_is_dropped_and_its_call_ends() -> None:
    async with (
        a_manager() as manager,
        sccp.open_station(ALICE, manager.sccp_address) as alice,
    ):
        stream, _ = await register(manager)
        async with alice.call("1003") as call:
            await call.wait_for(DCallState.RING_OUT)
            with contextlib.suppress(trio.BrokenResourceError):
                while not manager.sccp_counters.slow_stations:
                    await stream.send_all(frame(messages.SoftKeySetReq()) * 500)
            with pytest.raises(CallEnded):
                await call.wait_connected()
        await stream.aclose()
        assert manager.sccp_counters.slow_stations == 1
        assert not manager.calls.legs
        await trio.testing.wait_all_tasks_blocked()
        assert alice.registered


async def read(stream: trio.abc.Stream, station: Connection) -> list[object]:
    """What the call manager has said since."""
    station.receive_data(bytes(await stream.receive_some(65536)))
    result: list[object] = []
    while (message := station.next_event()) is not None:
        result.append(message)
    return result


async def test_a_station_that_reads_late_gets_every_answer_whole_and_in_order() -> None:
    """What the socket does not take at once is sent by a task, and what comes next goes behind."""
    async with a_manager() as manager:
        stream, station = await register(manager)
        session = manager._line_side.sessions[CAROL]
        asked = 0
        while not session._outgoing:
            await stream.send_all(frame(messages.SoftKeySetReq()) * 200)
            asked += 200
            await trio.testing.wait_all_tasks_blocked()
        await stream.send_all(frame(messages.TimeDateReq()))
        heard: list[object] = []
        while not any(isinstance(each, messages.TimeDateRes) for each in heard):
            heard += await read(stream, station)
        answers = [each for each in heard if isinstance(each, messages.SoftKeySetRes)]
        assert len(answers) == asked
        assert manager.sccp_counters.slow_stations == 0
        await stream.aclose()


async def test_one_station_can_not_use_up_the_calls_of_everybody() -> None:
    async with a_manager() as manager:
        stream, station = await register(manager)
        for _ in range(300):
            station.send(messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.NEW_CALL))
            station.send(messages.OffHook())
            station.send(messages.EnblocCall(called_party="\xff" * 24))
        station.send(messages.TimeDateReq())
        await stream.send_all(station.data_to_send())
        while not any(type(each) is messages.TimeDateRes for each in await read(stream, station)):
            pass
        assert len(manager.calls.legs_of(CAROL)) == 1
        await calls_work(manager)
        await stream.aclose()


async def test_a_station_answers_for_its_own_channels_only() -> None:
    """A forged acknowledgement took another's sound, or ended another's call."""
    async with a_manager() as manager:
        one, _ = await register(manager, ALICE)
        two, _ = await register(manager, BOB)
        hostile, _ = await register(manager, CAROL)
        await one.send_all(frame(messages.EnblocCall(called_party="1002", line_instance=1)))
        await until(lambda: len(manager.calls.legs) == 2)
        await two.send_all(frame(messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.ANSWER)))
        await until(lambda: all(leg.stream for leg in manager.calls.legs.values()))
        for party in range(0x2000001, 0x2000010):
            for status in (MediaStatus.OK, MediaStatus.UNKNOWN):
                ack = messages.OpenReceiveChannelAck(
                    media_reception_status=status,
                    ip_addr="10.6.6.6",
                    port_number=6666,
                    pass_through_party_id=party,
                )
                await hostile.send_all(frame(ack))
        await hostile.send_all(frame(messages.UnregisterReq()))
        await closes(hostile)
        streams = [leg.stream for leg in manager.calls.legs.values()]
        assert [stream and stream.address for stream in streams] == [None, None]
        for stream in (one, two):
            await stream.aclose()


@pytest.mark.parametrize(("address", "port"), [("::1", 4000), ("10.0.0.1", 0), ("10.0.0.1", 70000)])
async def test_an_address_that_the_other_phone_can_not_have_ends_the_call_and_nothing_else(
    address: str, port: int
) -> None:
    """IPv6 for a phone of version 6 ended the whole call manager."""
    async with a_manager() as manager:
        old, _ = await register(manager, CAROL, version=6)
        new, _ = await register(manager, BOB)
        await new.send_all(frame(messages.EnblocCall(called_party="1003", line_instance=1)))
        await until(lambda: len(manager.calls.legs) == 2)
        answer = messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.ANSWER)
        await old.send_all(frame(answer, 6))
        await until(lambda: all(leg.stream for leg in manager.calls.legs.values()))
        for party in range(0x2000001, 0x2000004):
            ack = messages.OpenReceiveChannelAck(
                media_reception_status=MediaStatus.OK,
                ip_addr=address,
                port_number=port,
                pass_through_party_id=party,
            )
            await new.send_all(frame(ack))
        await until(lambda: not manager.calls.legs)
        for stream in (old, new):
            await stream.aclose()
        await until(lambda: not any(each.registered for each in manager.devices()))
        await calls_work(manager)


def test_dripping_bytes_do_not_prolong_a_session() -> None:
    registrar = Registrar(RegistrarConfig(register_within=30.0), 0.0, local_time)
    now = 0.0
    for byte in frame(messages.RegisterReq(device_name=CAROL))[:-1]:
        now += 1.0
        registrar.receive_data(bytes([byte]), now)
    assert registrar.next_deadline() == 30.0


@given(st.integers(0, 22), st.lists(sccp_messages(), max_size=8), st.integers(1, 40))
def test_any_valid_messages_give_a_registrar_events_or_one_typed_error(
    version: int, said: list[tuple[SccpMessage, int]], piece: int
) -> None:
    clock = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
    hello = messages.RegisterReq(device_name=CAROL, protocol_ver=version)
    data = frame(hello, 0) + b"".join(messages.encode(each, layout) for each, layout in said)
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: clock)
    device = sccp.Device(name=CAROL)
    try:
        for start in range(0, len(data), piece):
            registrar.receive_data(data[start : start + piece], 0.0)
            while registrar.next_event() is not None:
                with contextlib.suppress(LocalProtocolError):
                    registrar.accept(device)
    except RemoteProtocolError as error:
        with pytest.raises(RemoteProtocolError) as again:
            registrar.receive_data(b"", 0.0)
        assert_same_error(again.value, error)


async def test_an_unregistration_that_nobody_answers_is_no_success() -> None:
    """A call may still hang on it: who gives a media port on must know (failover, F26)."""
    async with (
        a_manager() as manager,
        open_middleman(manager.sccp_address) as middleman,
        sccp.open_station(
            ALICE, middleman.address, config=StationConfig(unregister_within=0.1)
        ) as alice,
    ):
        middleman.hears = trio.Event()
        with pytest.raises(ConnectionLost, match="no call manager confirms"):
            await alice.unregister()
        assert not alice.registered


async def test_an_abandoned_station_is_gone_at_once_and_says_nothing() -> None:
    async with (
        a_manager() as manager,
        sccp.open_station(ALICE, manager.sccp_address, config=QUICK_STATION) as alice,
        sccp.open_station(BOB, manager.sccp_address) as bob,
    ):
        async with alice.call("1002") as call:
            await until(lambda: bob.calls)
            alice.abandon()
            assert call.ended
            assert not alice.registered
        await until(lambda: not bob.calls)
        await trio.sleep(0.1)
        assert not alice.registered
