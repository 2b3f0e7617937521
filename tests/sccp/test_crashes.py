"""What crashed, hung or confused SCCP servers of other makers, sent to ours.

chan_skinny (Asterisk 20), chan-sccp-b 4.3.5 and pyskinny were run and probed
(docs/protocol/sccp.md §10); each test says who fell over it. Whatever comes, at most that
connection is closed, and a bug is none: tests/conftest.py fails a test in which one shows.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import AsyncGenerator
from typing import TypeVar

import pytest
import trio
from company import ALICE, BOB, CAROL
from whole_house import a_manager, until

from pa_telephony import sccp
from pa_telephony.callmanager import CallManager, CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.errors import DecodeError
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    DeviceUnregisterStatus,
    KeyPadButton,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage, Sender
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import RegistrarConfig
from pa_telephony.sccp.server.server import StationServer, StationSession, serve_stations

T = TypeVar("T", bound=SccpMessage)


def raw(number: int, body: bytes, word: int = 0) -> bytes:
    """A frame as the peer lays it out."""
    return struct.pack("<III", len(body) + 4, word, number) + body


class Scripted:
    """A station of bytes at our call manager."""

    def __init__(self, stream: trio.SocketStream, version: int) -> None:
        self.stream = stream
        self.version = version
        self.connection = Connection(Role.STATION)
        self.seen: list[SccpMessage] = []

    async def says(self, *what: SccpMessage | bytes) -> None:
        data = b"".join(
            each if isinstance(each, bytes) else messages.encode(each, self.version)
            for each in what
        )
        await self.stream.send_all(data)

    async def hears(self, kind: type[T], count: int = 1) -> T:
        """Read until so many of a kind have come since the last time; the last of them."""
        while sum(isinstance(each, kind) for each in self.seen) < count:
            data = await self.stream.receive_some(1 << 16)
            assert data, "closed"
            self.connection.receive_data(data)
            while (message := self.connection.next_event()) is not None:
                assert isinstance(message, SccpMessage)
                self.seen.append(message)
        *_, last = (each for each in self.seen if isinstance(each, kind))
        self.seen.clear()
        return last


@contextlib.asynccontextmanager
async def a_station(
    manager: CallManager, name: str = CAROL, version: int = 20
) -> AsyncGenerator[Scripted]:
    """A station that is registered and has asked nothing."""
    host, _, port = manager.sccp_address.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        station = Scripted(stream, version)
        request = messages.RegisterReq(device_name=name, protocol_ver=version)
        station.connection.send(request)
        await station.says(station.connection.data_to_send())
        await station.hears(messages.CapabilitiesReq)
        yield station


async def calls_work(manager: CallManager) -> None:
    async with (
        sccp.open_station(ALICE, manager.sccp_address) as alice,
        sccp.open_station(BOB, manager.sccp_address) as bob,
        alice.call("1002"),
    ):
        await until(lambda: bob.calls)


NO_SUCH_LINE: dict[str, SccpMessage] = {
    "OffHook": messages.OffHook(line_instance=99),
    "OnHook": messages.OnHook(line_instance=99),
    "SoftKeyEvent": messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.NEW_CALL, line_instance=99),
    "Stimulus": messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=99),
    "KeypadButton": messages.KeypadButton(kp_button=KeyPadButton.ONE, line_instance=99),
    "EnblocCall": messages.EnblocCall(called_party="1002", line_instance=99),
    "a digit before any question": messages.KeypadButton(kp_button=KeyPadButton.ONE),
    "a digit of a call that is not": messages.KeypadButton(
        kp_button=KeyPadButton.ONE, line_instance=1, call_reference=0xFFFFFFFF
    ),
}


@pytest.mark.parametrize("kind", NO_SUCH_LINE)
async def test_a_line_or_a_call_that_does_not_exist_harms_nobody(kind: str) -> None:
    """OffHook for line 99 crashed chan_skinny; a digit before ButtonTemplateReq, chan-sccp-b."""
    async with a_manager() as manager:
        async with a_station(manager) as station:
            await station.says(NO_SUCH_LINE[kind], messages.KeepAliveReq())
            await station.hears(messages.KeepAliveAck)
            await station.says(messages.OnHook(), messages.KeepAliveReq())
            await station.hears(messages.KeepAliveAck)
        await calls_work(manager)
        assert manager.sccp_counters.protocol_errors == 0


async def test_half_a_frame_and_an_end_of_the_stream_block_no_registration() -> None:
    """chan_skinny's thread span on it, holding the lock that every registration needs."""
    async with a_manager() as manager:
        async with a_station(manager) as station:
            await station.says(raw(0x6, bytes(8))[:-3])
            await calls_work(manager)
            await station.stream.send_eof()
            await until(lambda: manager.sccp_counters.protocol_errors)
        async with a_station(manager):
            pass


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4097, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
async def test_a_length_that_can_not_be_is_not_waited_for(length: int) -> None:
    """chan-sccp-b waits for the rest of 2 GB; pyskinny's simulator for ever."""
    async with a_manager() as manager, a_station(manager) as station:
        await station.says(struct.pack("<III", length, 0, 0))
        with pytest.raises(AssertionError, match="closed"):
            await station.hears(messages.KeepAliveAck)


@pytest.mark.parametrize("number", [0x7777, 0x80000000, 0xFFFFFFFF])
async def test_a_message_that_nobody_knows_is_passed_over(number: int) -> None:
    async with a_manager() as manager, a_station(manager) as station:
        await station.says(raw(number, bytes(64)), messages.KeepAliveReq())
        await station.hears(messages.KeepAliveAck)


async def test_five_thousand_keepalives_in_one_write_have_as_many_answers() -> None:
    async with (
        a_manager() as manager,
        a_station(manager) as station,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(station.says, messages.encode(messages.KeepAliveReq(), 20) * 5000)
        await station.hears(messages.KeepAliveAck, 5000)


async def test_a_flood_does_not_make_the_others_wait_for_its_end() -> None:
    """bench/flood.py measures how long they wait: one read of the flood."""
    async with (
        a_manager() as manager,
        a_station(manager) as loud,
        a_station(manager, BOB) as quiet,
        trio.open_nursery() as nursery,
    ):
        answered = 0
        begun = trio.Event()

        async def count() -> None:
            nonlocal answered
            while True:
                answered += len(await loud.stream.receive_some(1 << 16)) // 12
                begun.set()

        nursery.start_soon(count)
        nursery.start_soon(loud.says, messages.encode(messages.KeepAliveReq(), 20) * 100_000)
        await begun.wait()
        await quiet.says(messages.KeepAliveReq())
        await quiet.hears(messages.KeepAliveAck)
        assert answered < 100_000
        nursery.cancel_scope.cancel()


async def test_thirty_six_phones_at_once_are_all_registered() -> None:
    """chan_skinny listens with a backlog of 2, and loses them to the timers of TCP."""
    devices = tuple(
        DeviceConfig(name=f"SEP02{index:010X}", lines=(LineConfig(number=str(6000 + index)),))
        for index in range(1, 37)
    )
    registered = 0
    config = CallManagerConfig(devices=devices)

    async def register(manager: CallManager, name: str) -> None:
        nonlocal registered
        async with a_station(manager, name):
            registered += 1
            await until(lambda: registered == len(devices))

    async with a_manager(config) as manager:
        async with trio.open_nursery() as nursery:
            for device in devices:
                nursery.start_soon(register, manager, device.name)
        assert manager.sccp_counters.refused_connections == 0


async def test_a_station_that_drops_in_a_call_finds_its_line_free_when_it_is_back() -> None:
    """chan_skinny keeps the call and the hook, and ignores OffHook from then on."""
    async with a_manager() as manager:
        async with a_station(manager) as station:
            await station.says(messages.OffHook(line_instance=1))
            await station.hears(messages.StartTone)
        await until(lambda: not manager.calls.legs)
        async with a_station(manager) as station:
            await station.says(messages.OffHook(line_instance=1))
            await station.hears(messages.StartTone)


@pytest.mark.parametrize("status", [MediaStatus.UNKNOWN, MediaStatus.NOT_ENOUGH_CHANNELS])
async def test_a_channel_that_a_station_can_not_open_ends_the_call_in_words(
    status: MediaStatus,
) -> None:
    """chan_skinny leaves the call up and silent."""
    async with a_manager() as manager, a_station(manager) as one, a_station(manager, BOB) as two:
        await one.says(messages.EnblocCall(called_party="1002", line_instance=1))
        await two.hears(messages.SetRinger)
        await two.says(messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.ANSWER))
        order = await two.hears(messages.OpenReceiveChannel)
        await two.says(
            messages.OpenReceiveChannelAck(
                media_reception_status=status, pass_through_party_id=order.pass_through_party_id
            )
        )
        await until(lambda: not manager.calls.legs)


async def test_a_client_of_version_5_with_the_old_register_request_makes_a_call() -> None:
    """pyskinny: 64 bytes of RegisterReq, and fixed sizes of what it reads."""
    request = messages.encode(messages.RegisterReq(device_name=CAROL, protocol_ver=5), 5)[12:76]
    async with a_manager() as manager, sccp.open_station(BOB, manager.sccp_address):
        host, _, port = manager.sccp_address.rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            station = Scripted(stream, 5)
            station.connection.send(messages.RegisterReq(device_name=CAROL, protocol_ver=5))
            station.connection.data_to_send()
            sizes: dict[int, int] = {}

            def note(frame: bytes) -> None:
                sizes[int.from_bytes(frame[8:12], "little")] = len(frame) - 12

            station.connection.on_frame = note
            await station.says(raw(0x1, request))
            await station.hears(messages.CapabilitiesReq)
            await station.says(messages.TimeDateReq())
            await station.hears(messages.TimeDateRes)
            await station.says(messages.EnblocCall(called_party="1002", line_instance=1))
            await station.hears(messages.DialedNumber)
            assert (sizes[0x11D], sizes[0x94]) == (32, 36)


# ------------------------------------------------------------------------------------- framing


async def connect(manager: CallManager) -> trio.SocketStream:
    host, _, port = manager.sccp_address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


async def closes(stream: trio.SocketStream) -> None:
    """Read until the other side has had enough."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass
    await stream.aclose()


async def test_a_header_in_two_segments_is_a_header_wherever_it_is_cut() -> None:
    """chan_skinny wants it in one read, and closes the connection otherwise."""
    request = messages.encode(messages.RegisterReq(device_name=CAROL, protocol_ver=20), 20)
    alive = messages.encode(messages.KeepAliveReq(), 20)
    async with a_manager() as manager:
        for cut in range(1, 12):
            async with await connect(manager) as stream:
                station = Scripted(stream, 20)
                station.connection.send(messages.RegisterReq(device_name=CAROL, protocol_ver=20))
                for frame, answer in (
                    (request, messages.CapabilitiesReq),
                    (alive, messages.KeepAliveAck),
                ):
                    await station.says(frame[:cut])
                    # The first part has arrived by the time that another is answered.
                    async with a_station(manager, BOB):
                        pass
                    await station.says(frame[cut:])
                    await station.hears(answer)
        assert manager.sccp_counters.protocol_errors == 0


@pytest.mark.parametrize("word", [0, 1, 17, 22, 99, 0xFFFFFFFF])
async def test_the_version_word_of_a_header_means_nothing(word: int) -> None:
    """chan-sccp-b drops a message with a word that it does not know, and answers another."""
    async with a_manager() as manager, a_station(manager) as station:
        await station.says(messages.encode(messages.TimeDateReq(), 20, word))
        await station.hears(messages.TimeDateRes)
        await station.says(messages.encode(messages.KeepAliveReq(), 20, word))
        await station.hears(messages.KeepAliveAck)


STATION_MESSAGES = sorted(
    number
    for number, kind in SccpMessage.registry.items()
    if issubclass(kind, SccpMessage) and kind.sender in (Sender.STATION, Sender.EITHER)
)
ENDING = {messages.RegisterReq.id, messages.UnregisterReq.id}


@pytest.mark.parametrize("fill", [0x00, 0x01, 0x7F, 0xFF])
@pytest.mark.parametrize("size", [0, 1, 4, 7, 36, 2000])
async def test_any_message_of_any_size_right_after_the_ack_harms_nobody(
    size: int, fill: int
) -> None:
    """A digit before ButtonTemplateReq crashed chan-sccp-b: nothing of the start-up was asked."""
    async with a_manager() as manager:
        for number in STATION_MESSAGES:
            async with a_station(manager) as station:
                # A count beyond its limit ends the session; everything else does not.
                with contextlib.suppress(trio.BrokenResourceError, AssertionError):
                    await station.says(raw(number, bytes([fill]) * size), messages.KeepAliveReq())
                    await station.hears(messages.KeepAliveAck)
            await until(lambda: not manager._line_side.sessions)
        await calls_work(manager)


# ------------------------------------------------------------------------------- registrations


def an_empty_body(number: int) -> bytes:
    """Zeros, as many as the message needs."""
    for size in (36, 400, 2000, 4000):
        with contextlib.suppress(DecodeError):
            messages.decode(number, bytes(size), 0)
            return bytes(size)
    raise AssertionError(number)


@pytest.mark.parametrize("number", [*sorted(set(STATION_MESSAGES) - ENDING), 0x7777, 0x80000000])
async def test_a_message_before_the_registration_is_passed_over(number: int) -> None:
    """chan-sccp-b closes the connection; alarms come first from real phones."""
    async with a_manager() as manager:
        async with await connect(manager) as stream:
            await stream.send_all(raw(number, an_empty_body(number)))
            request = messages.RegisterReq(device_name=CAROL, protocol_ver=20)
            await stream.send_all(messages.encode(request, 20))
            await until(lambda: manager.calls.is_registered(CAROL))
        assert manager.sccp_counters.protocol_errors == 0


async def test_who_leaves_before_it_has_come_is_let_go() -> None:
    async with a_manager() as manager, await connect(manager) as stream:
        station = Scripted(stream, 20)
        await station.says(messages.UnregisterReq())
        ack = await station.hears(messages.UnregisterAck)
        assert ack.status == DeviceUnregisterStatus.OK
        await closes(stream)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        CAROL.encode(),
        CAROL.encode() + b"\0",
        b"X" * 16,
        b"\xff" * 35,
        b"\xff" * 36,
        b"\xff" * 128,
    ],
    ids=repr,
)
async def test_a_registration_request_of_any_size_is_answered_by_what_is_there(body: bytes) -> None:
    """chan_skinny takes fifteen bytes of it; pyskinny's simulator closes below 36."""
    async with a_manager() as manager:
        async with await connect(manager) as stream:
            await stream.send_all(raw(0x1, body))
            await until(
                lambda: manager.sccp_counters.rejections or manager.sccp_counters.registrations
            )
            assert manager.sccp_counters.protocol_errors == 0
            # By what is there of it: who gives no name is refused, and Carol is let in.
            registered = manager.sccp_counters.registrations
            assert registered == body.startswith(CAROL.encode())
        await until(lambda: not manager._line_side.sessions)
        async with a_station(manager):
            pass


async def test_a_second_connection_of_a_living_device_is_refused_and_the_first_works_on() -> None:
    """chan-sccp-b closes both; chan_skinny makes the second wait for two seconds."""
    async with a_manager() as manager, a_station(manager) as first:
        async with await connect(manager) as stream:
            second = Scripted(stream, 20)
            await second.says(messages.RegisterReq(device_name=CAROL, protocol_ver=20))
            assert (await second.hears(messages.RegisterReject)).text == "Crossover session"
            await closes(stream)
        await first.says(messages.KeepAliveReq(), messages.OffHook(line_instance=1))
        await first.hears(messages.StartTone)
        assert manager.sccp_counters.registrations == 1


async def test_a_second_connection_of_a_silent_device_replaces_the_first() -> None:
    async with a_manager() as manager, a_station(manager) as first:
        await first.says(messages.OffHook(line_instance=1))
        await first.hears(messages.StartTone)
        session = manager._line_side.sessions[CAROL]
        session._core.last_heard -= 46.0
        async with a_station(manager) as second:
            await closes(first.stream)
            assert not manager.calls.legs
            await second.says(messages.OffHook(line_instance=1))
            await second.hears(messages.StartTone)
            assert manager._line_side.sessions[CAROL] is not session


async def test_a_second_request_on_one_connection_is_acknowledged_again() -> None:
    """chan-sccp-b closes; IOS asks again when the first answer does not come in time."""
    async with a_manager() as manager, a_station(manager) as station:
        await station.says(messages.OffHook(line_instance=1))
        await station.hears(messages.StartTone)
        await station.says(messages.RegisterReq(device_name=CAROL, protocol_ver=20))
        await station.hears(messages.RegisterAck)
        assert manager.sccp_counters.registrations == 1
        assert len(manager.calls.legs_of(CAROL)) == 1


async def test_a_second_request_for_another_name_on_one_connection_ends_it_and_frees_both() -> None:
    async with a_manager() as manager:
        async with a_station(manager) as station:
            await station.says(messages.RegisterReq(device_name=ALICE, protocol_ver=20))
            reject = await station.hears(messages.RegisterReject)
            assert reject.text == "Already Registered"
            await closes(station.stream)
        await until(lambda: not manager._line_side.sessions)
        async with a_station(manager), a_station(manager, ALICE):
            pass


class _Everybody:
    """A directory that has every device."""

    def find_device(self, name: str) -> Device | None:
        return Device(name=name)

    def registered(self, session: StationSession) -> None: ...
    def unregistered(self, session: StationSession, reason: str) -> None: ...
    def received(self, session: StationSession, message: SccpMessage) -> None: ...
    def may_unregister(self, session: StationSession) -> bool:
        return True


async def test_eighty_idle_connections_lock_nobody_out_and_are_closed_in_time() -> None:
    """The 51st connection of anybody is closed by chan_skinny while fifty are idle."""

    async def serve(*, task_status: trio.TaskStatus[object]) -> None:
        config = RegistrarConfig(register_within=0.5)
        await serve_stations(_Everybody(), port=0, config=config, task_status=task_status)

    server: StationServer
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            server, addresses = await nursery.start(serve)
            host, port = addresses[0]
            idle = [await trio.open_tcp_stream(host, port) for _ in range(80)]
            async with sccp.open_station(CAROL, f"{host}:{port}") as station:
                for stream in idle:
                    await closes(stream)
                assert station.registered
            assert server.counters.timeouts == 80
            nursery.cancel_scope.cancel()
