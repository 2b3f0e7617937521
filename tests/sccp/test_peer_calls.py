"""Calls of a station of ours at call managers of other makers, scripted, over real sockets.

Each scripted one says what the real one was seen to say (docs/interop.md).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import TypeVar

import pytest
import trio
from loopback import HOST

from pa_telephony import rtp, sccp
from pa_telephony.errors import CallEnded
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceTone,
    DeviceUnregisterStatus,
    MediaPayloadType,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage

T = TypeVar("T", bound=SccpMessage)

NAME = "SEP020000000001"
QUICK = sccp.StationConfig(first_back_off=0.01, longest_back_off=0.01)


class Scripted:
    """A call manager that lets a station register, and answers its keys as its maker's does."""

    def __init__(self) -> None:
        self.heard: list[SccpMessage] = []
        self.address = ""
        self._stream: trio.SocketStream | None = None
        self._connection = Connection(Role.CALL_MANAGER)

    def press(self, key: SccpMessage) -> None:
        raise NotImplementedError

    def say(self, *what: SccpMessage) -> None:
        for each in what:
            self._connection.send(each)

    def show(self, state: DCallState, call: int) -> None:
        self.say(messages.CallState(call_state=state, line_instance=1, call_reference=call))

    def all_heard(self, kind: type[T]) -> list[T]:
        return [each for each in self.heard if isinstance(each, kind)]

    async def drop(self) -> None:
        assert self._stream is not None
        await self._stream.aclose()

    async def serve(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._connection = connection = Connection(Role.CALL_MANAGER)
        with contextlib.suppress(trio.ClosedResourceError, trio.BrokenResourceError):
            while data := await stream.receive_some(1 << 16):
                connection.receive_data(data)
                while (message := connection.next_event()) is not None:
                    assert isinstance(message, SccpMessage)
                    self._take(message)
                await stream.send_all(connection.data_to_send())
            await stream.aclose()

    def _take(self, message: SccpMessage) -> None:
        match message:
            case messages.RegisterReq():
                self.say(messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
            case messages.ButtonTemplateReq():
                self.say(messages.ButtonTemplateRes(button_offset=0))
            case messages.TimeDateReq():
                self.say(messages.TimeDateRes(w_year=2026))
            case messages.UnregisterReq():
                self.say(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
            case (
                messages.OffHook()
                | messages.OnHook()
                | messages.KeypadButton()
                | messages.SoftKeyEvent()
                | messages.OpenReceiveChannelAck()
            ):
                self.heard.append(message)
                self.press(message)
            case _:
                pass


S = TypeVar("S", bound=Scripted)


@contextlib.asynccontextmanager
async def served(manager: S) -> AsyncGenerator[S]:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, manager.serve, listeners)
            host, port = listeners[0].socket.getsockname()
            manager.address = f"{host}:{port}"
            yield manager
            nursery.cancel_scope.cancel()


def channel(party: int) -> messages.OpenReceiveChannel:
    return messages.OpenReceiveChannel(
        conference_id=party,
        pass_through_party_id=party,
        milli_second_packet_size=20,
        compression_type=MediaPayloadType.G711_ULAW64K,
        call_reference=0,
    )


def transmission(party: int, port: int) -> messages.StartMediaTransmission:
    return messages.StartMediaTransmission(
        conference_id=party,
        pass_through_party_id=party,
        remote_ip_addr="127.0.0.1",
        remote_port_number=port,
        milli_second_packet_size=20,
        compression_type=MediaPayloadType.G711_ULAW64K,
        call_reference=0,
    )


class ChanSkinny(Scripted):
    """Keeps a call and the hook of a connection that is lost; off hook is off hook."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.off_hook = False
        self.sound_to = 9

    def press(self, key: SccpMessage) -> None:
        match key:
            case messages.OffHook() if not self.off_hook:
                self.off_hook = True
                self.calls += 1
                self.show(DCallState.OFF_HOOK, self.calls)
            case messages.KeypadButton():
                self.show(DCallState.OFF_HOOK, self.calls)
                self.show(DCallState.CONNECTED, self.calls)
                # No call reference in either, and only an ack brings the second one.
                self.say(messages.ClearDisplay(), channel(self.calls))
            case messages.OpenReceiveChannelAck(media_reception_status=MediaStatus.OK):
                self.say(transmission(self.calls, self.sound_to))
            case messages.OnHook() if key.call_reference in (0, self.calls):
                self._hang_up()
            case messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.END_CALL):
                self._hang_up()
            case _:
                pass

    def _hang_up(self) -> None:
        if self.off_hook:
            self.off_hook = False
            self.show(DCallState.ON_HOOK, self.calls)


async def test_the_next_call_works_at_a_call_manager_that_keeps_the_hook_of_a_lost_connection() -> (
    None
):
    async with (
        served(ChanSkinny()) as manager,
        sccp.open_station(NAME, manager.address, config=QUICK) as station,
    ):
        async with station.call("5") as call:
            await call.wait_connected()
            await manager.drop()
            assert await call.wait_ended() == 41
        await station.wait_registered()
        async with station.call("5") as call:
            await call.wait_connected()
            assert call.call_reference == 2
        # Of the call that was lost, so that no other call can be meant.
        (on_hook,) = manager.all_heard(messages.OnHook)
        assert (on_hook.line_instance, on_hook.call_reference) == (1, 1)


async def test_a_connection_that_is_lost_without_a_call_says_nothing_of_hooks() -> None:
    async with (
        served(ChanSkinny()) as manager,
        sccp.open_station(NAME, manager.address, config=QUICK) as station,
    ):
        await manager.drop()
        await station.wait_unregistered()
        await station.wait_registered()
        async with station.call("5") as call:
            await call.wait_connected()
        assert not manager.all_heard(messages.OnHook)


async def test_another_call_manager_is_not_told_of_a_call_that_the_first_one_has() -> None:
    async with served(ChanSkinny()) as first, served(ChanSkinny()) as second:
        config = sccp.StationConfig(first_back_off=0.01, fall_back=False)
        addresses = [first.address, second.address]
        async with sccp.open_station(NAME, addresses, config=config) as station:
            async with station.call("5") as call:
                await call.wait_connected()
                while not station.standing_by:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                await first.drop()
                await call.wait_ended()
            await station.wait_registered()
            async with station.call("5") as call:
                await call.wait_connected()
            assert not second.all_heard(messages.OnHook)


@contextlib.asynccontextmanager
async def an_echo() -> AsyncGenerator[int]:
    """A UDP port that sends back whatever comes."""
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as udp:
        await udp.bind(("127.0.0.1", 0))

        async def answer() -> None:
            while True:
                await udp.sendto(*await udp.recvfrom(2048))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            yield udp.getsockname()[1]
            nursery.cancel_scope.cancel()


async def test_a_call_that_is_connected_before_its_media_has_sound_when_they_come() -> None:
    async with (
        an_echo() as echo,
        served(ChanSkinny()) as manager,
        rtp.open_engine(address=HOST, first_port=41000) as engine,
        sccp.open_station(NAME, manager.address, engine=engine) as station,
    ):
        manager.sound_to = echo
        async with station.call("5") as call:
            media = await call.wait_media()
            with media.record() as recording:
                await media.play(rtp.Tone((600.0,), seconds=0.3))
            assert len(recording.samples)
            assert media.port.stats.received
        (ack,) = manager.all_heard(messages.OpenReceiveChannelAck)
        assert ack.pass_through_party_id == 1


async def test_a_line_that_the_station_does_not_have_is_refused_before_anything_is_said() -> None:
    """Asterisk goes down over an OffHook with such a line."""
    async with (
        served(ChanSkinny()) as manager,
        sccp.open_station(NAME, manager.address) as station,
    ):
        with pytest.raises(ValueError, match="has no line 99"):
            async with station.call("5", line=99):
                pytest.fail("called")
        assert not manager.heard


class Simulator(Scripted):
    """pyskinny's: digits of a transfer go to the first call, and the second one begins ringing.

    ``exists``: whether anybody has the number 12.
    """

    def __init__(self, exists: bool = True) -> None:
        super().__init__()
        self.exists = exists
        self.digits = ""
        self.transfers = False

    def press(self, key: SccpMessage) -> None:
        match key:
            case messages.OffHook():
                self.show(DCallState.OFF_HOOK, 1)
                self.show(DCallState.PROCEED, 1)
            case messages.KeypadButton():
                self.digits += str(int(key.kp_button))
                if self.digits == "11":
                    self.show(DCallState.CONNECTED, 1)
                elif self.digits == "1112" and self.exists:
                    self.show(DCallState.HOLD, 1)
                    self.show(DCallState.RING_OUT, 2)
            case messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.TRANSFER):
                if self.transfers:
                    self.show(DCallState.ON_HOOK, 2)
                    self.show(DCallState.ON_HOOK, 1)
                else:
                    self.transfers = True
                    self.show(DCallState.CALL_TRANSFER, 1)
                    tone = DeviceTone.INSIDE_DIAL_TONE
                    self.say(messages.StartTone(tone=tone, line_instance=1, call_reference=1))
            case messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.END_CALL):
                self.show(DCallState.ON_HOOK, key.call_reference)
            case _:
                pass


async def test_a_transfer_whose_digits_are_wanted_on_the_first_call() -> None:
    async with (
        served(Simulator()) as manager,
        sccp.open_station(NAME, manager.address) as station,
        station.call("11") as call,
    ):
        await call.wait_connected()
        await call.transfer("12")
        assert call.ended
        assert not station.calls
        assert {key.call_reference for key in manager.all_heard(messages.KeypadButton)} == {1}
        assert [key.call_reference for key in manager.all_heard(messages.SoftKeyEvent)] == [1, 2]


async def test_giving_up_a_transfer_that_gets_nowhere_leaves_the_call_as_it_is() -> None:
    """The simulator passes over a number that no device has."""
    async with (
        served(Simulator(exists=False)) as manager,
        sccp.open_station(NAME, manager.address) as station,
        station.call("11") as call,
    ):
        await call.wait_connected()
        with trio.move_on_after(0.1) as scope:
            await call.transfer("12")
        assert scope.cancelled_caught
        assert not call.ended
        assert call.state is DCallState.CALL_TRANSFER


class ChanSccp(Scripted):
    """CallTransfer on the first call, as some call managers say it, and a second one off hook."""

    def press(self, key: SccpMessage) -> None:
        match key:
            case messages.OffHook():
                self.show(DCallState.OFF_HOOK, 1)
            case messages.KeypadButton():
                self.show(DCallState.CONNECTED, key.call_reference)
            case messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.TRANSFER, call_reference=1):
                self.show(DCallState.CALL_TRANSFER, 1)
                self.show(DCallState.OFF_HOOK, 2)
            case messages.SoftKeyEvent():
                self.show(DCallState.ON_HOOK, key.call_reference)
                self.show(DCallState.ON_HOOK, 3 - key.call_reference)
            case _:
                pass


async def test_a_call_in_transfer_gets_no_digits_while_another_one_asks_for_them() -> None:
    async with (
        served(ChanSccp()) as manager,
        sccp.open_station(NAME, manager.address) as station,
        station.call("5") as call,
    ):
        await call.wait_connected()
        await call.transfer("6")
        with pytest.raises(CallEnded):
            await call.wait_for(DCallState.CONNECTED)
        assert [key.call_reference for key in manager.all_heard(messages.KeypadButton)] == [1, 2]
