"""The styles of a station: what each says and leaves out. test_replay.py has the captured ones."""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

import pytest
import trio
from company import MEDIA_PORT
from whole_house import a_manager

from pa_telephony import rtp, sccp
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceResetType,
    DeviceTone,
    DeviceType,
    MediaPayloadType,
    MediaStatus,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.server import StationSession, serve_stations
from pa_telephony.sccp.station.call import Call
from pa_telephony.sccp.station.call_media import CallMedia
from pa_telephony.sccp.station.call_view import CallView
from pa_telephony.sccp.station.core import CallChanged, StationCore
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import (
    HABITS,
    StationConfig,
    Style,
    most_calls,
    register_request,
)

M = TypeVar("M")
NAME = "ANC288093711081"

WITH_A_LINE = (Style.PHONE, Style.PORT, Style.ANALOG_PORT, Style.GATEWAY)


@pytest.mark.parametrize("style", Style)
async def test_each_style_registers_with_our_call_manager(style: Style) -> None:
    config = StationConfig(style=style, device_type=DeviceType.ANALOG_PHONE)
    async with (
        a_manager() as manager,
        sccp.open_station(MEDIA_PORT, manager.sccp_address, config=config) as station,
    ):
        assert station.number == ("6001" if style in WITH_A_LINE else "")
        assert bool(station.screen.soft_keys()) is (style is Style.PHONE)
        assert await station.unregister()


@pytest.mark.parametrize("style", Style)
def test_a_transmission_is_confirmed_by_the_styles_that_do_so(style: Style) -> None:
    """Phones and media resources do, FXS ports were seen not to (captured)."""
    sent: list[SccpMessage] = []

    class Owner:
        config = StationConfig(style=style)
        version = 20
        call_manager_host = "127.0.0.1"
        send = staticmethod(sent.append)

        def open_port(self) -> None:
            return None

    owner: Any = Owner()
    order = messages.StartMediaTransmission(
        conference_id=1,
        pass_through_party_id=1,
        remote_ip_addr="127.0.0.1",
        compression_type=MediaPayloadType.G711_ULAW64K,
    )
    view = CallView(1, 1, DCallState.CONNECTED)
    view.media.transmit = order
    Call(owner, view).changed(order)
    assert bool(sent) is HABITS[style].confirms_transmission


class _Sender:
    """A station with one port, which notes where it was told to send."""

    version = 20
    call_manager_host = "127.0.0.9"

    def __init__(self, **config: Any) -> None:
        self.config = StationConfig(**config)
        self.answers: list[Any] = []
        self.remotes: list[tuple[str, int]] = []
        self.local_address = ("127.0.0.1", 32000)
        self.on_digit = None
        self.listeners: list[Any] = []

    def send(self, message: Any) -> None:
        self.answers.append(message)

    def open_port(self) -> Any:
        return self

    def start_sending(self, remote: tuple[str, int], codec: object, **_: object) -> None:
        self.remotes.append(remote)

    def stop_sending(self) -> None:
        self.remotes.clear()


def _send_to(host: str) -> messages.StartMediaTransmission:
    return messages.StartMediaTransmission(
        conference_id=1,
        call_reference=1,
        pass_through_party_id=1,
        remote_ip_addr=host,
        remote_port_number=4000,
        compression_type=MediaPayloadType.G711_ULAW64K,
    )


def test_nothing_is_sent_before_there_is_a_call_and_an_early_order_waits_for_it() -> None:
    owner: Any = _Sender()
    view = CallView(1, 1)
    media = CallMedia(owner, view)
    media.handle_message(_send_to("127.0.0.2"))
    assert not owner.remotes
    assert not owner.answers
    view.state = DCallState.CONNECTED
    media.handle_message(messages.CallState(call_state=DCallState.CONNECTED, call_reference=1))
    assert owner.remotes == [("127.0.0.2", 4000)]


def test_an_early_order_that_is_taken_back_is_forgotten() -> None:
    owner: Any = _Sender()
    view = CallView(1, 1)
    media = CallMedia(owner, view)
    media.handle_message(_send_to("127.0.0.2"))
    media.handle_message(messages.StopMediaTransmission(conference_id=1, pass_through_party_id=1))
    view.state = DCallState.CONNECTED
    media.handle_message(messages.CallState(call_state=DCallState.CONNECTED, call_reference=1))
    assert not owner.remotes


def test_a_media_resource_which_is_shown_no_calls_sends_at_once() -> None:
    owner: Any = _Sender(style=Style.MEDIA_RESOURCE)
    CallMedia(owner, CallView(1, 1)).handle_message(_send_to("127.0.0.2"))
    assert owner.remotes == [("127.0.0.2", 4000)]


@pytest.mark.parametrize(("host", "sends"), [("127.0.0.9", True), ("127.0.0.2", False)])
def test_sound_goes_only_where_the_signalling_is_when_that_is_asked_for(
    host: str, sends: bool, caplog: pytest.LogCaptureFixture
) -> None:
    owner: Any = _Sender(media_at_signalling_host=True)
    CallMedia(owner, CallView(1, 1, DCallState.CONNECTED)).handle_message(_send_to(host))
    assert bool(owner.remotes) is sends
    assert ("sound to go to 127.0.0.2: refused" in caplog.text) is not sends
    (answer,) = owner.answers
    assert (answer.media_transmission_status == MediaStatus.OK) is sends


def a_resource() -> tuple[StationCore, Connection]:
    core = StationCore("MTP", StationConfig(style=Style.MEDIA_RESOURCE, streams=20))
    manager = Connection(Role.CALL_MANAGER)
    core.connected(0.0)
    told(core, manager, messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
    return core, manager


class Directory:
    """Lets a media resource in, and keeps its answers."""

    def __init__(self) -> None:
        self.sessions: list[StationSession] = []
        self.heard: list[object] = []
        self.news = trio.Event()

    def find_device(self, name: str) -> Device:
        return Device(name=name)

    def registered(self, session: StationSession) -> None:
        self.sessions.append(session)

    def unregistered(self, session: StationSession, reason: str) -> None: ...

    def received(self, session: StationSession, message: object) -> None:
        self.heard.append(message)
        self.news.set()
        self.news = trio.Event()

    async def hears(self, kind: type[M]) -> M:
        """The next message of a kind; the ones before it are dropped."""
        while True:
            while self.heard:
                message = self.heard.pop(0)
                if isinstance(message, kind):
                    return message
            await self.news.wait()

    def may_unregister(self, session: StationSession) -> bool:
        return True


async def serve_on_any_port(directory: Directory, *, task_status: trio.TaskStatus[Any]) -> None:
    await serve_stations(directory, port=0, task_status=task_status)


def mtp_stream(party: int) -> dict[str, Any]:
    return {
        "conference_id": 0x1000C0D,
        "call_reference": 28817772,
        "pass_through_party_id": party,
        "compression_type": MediaPayloadType.G711_ULAW64K,
    }


async def sends_to(call: Call, port: int) -> None:
    """Wait until the engine sends the sound of ``call`` there."""
    while call.media is None or call.media.port.remote_address != ("127.0.0.1", port):  # noqa: ASYNC110
        await trio.sleep(0.005)
    sent = call.media.port.stats.sent
    while call.media.port.stats.sent == sent:  # noqa: ASYNC110
        await trio.sleep(0.005)


def told(core: StationCore, manager: Connection, *what: SccpMessage) -> list[object]:
    manager.receive_data(core.data_to_send())
    while manager.next_event() is not None:
        pass
    for message in what:
        manager.send(message)
    core.receive_data(manager.data_to_send(), 0.0)
    found: list[object] = []
    while (event := core.next_event()) is not None:
        found.append(event)
    return found


def test_a_media_resource_is_registered_when_its_version_is_answered_and_asks_nothing() -> None:
    core, manager = a_resource()
    told(core, manager, messages.ButtonTemplateRes(button_offset=0))
    assert core.state is State.FINISHING
    assert core.data_to_send() == b""
    told(core, manager, messages.VersionRes(version_str=""))
    assert core.state is State.REGISTERED


def test_the_streams_of_a_media_resource_end_with_their_media_and_leave_room_for_others() -> None:
    core, manager = a_resource()
    told(core, manager, messages.VersionRes(version_str=""))
    for number in range(1, 3 * core.config.max_calls):
        stream: dict[str, Any] = {
            "conference_id": number,
            "pass_through_party_id": number,
            "call_reference": number,
        }
        events = told(
            core,
            manager,
            messages.OpenReceiveChannel(**stream),
            messages.StartMediaTransmission(remote_ip_addr="127.0.0.1", **stream),
            messages.CloseReceiveChannel(**stream),
            messages.StopMediaTransmission(**stream),
        )
        assert len(events) == 4
        last = events[-1]
        assert isinstance(last, CallChanged)
        assert last.call.ended
        assert core.idle


def test_a_media_resource_says_and_keeps_the_capacity_that_it_has() -> None:
    for streams, capacity in ((None, 1), (8, 8)):
        config = StationConfig(style=Style.MEDIA_RESOURCE, streams=streams)
        notification = next(
            question
            for question in HABITS[config.style].questions(config)
            if isinstance(question, messages.MediaResourceNotification)
        )
        assert notification.number_of_in_service_streams == capacity
        assert register_request("MTP", "10.0.0.1", config).max_streams == capacity
        assert most_calls(config) == capacity


async def test_both_sides_of_an_mtp_have_a_port_of_their_own() -> None:
    """Two parties with one call reference and one conference (captured: sccp_hw_mtp)."""
    config = StationConfig(
        style=Style.MEDIA_RESOURCE,
        streams=2,
        device_type=DeviceType.SOFTWARE_MTP_DIXIE_LAND,
        unregister_within=0.1,
    )
    directory = Directory()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery, rtp.open_engine(first_port=45000) as engine:
            _, addresses = await nursery.start(serve_on_any_port, directory)
            host, port = addresses[0][:2]
            async with sccp.open_station(
                "MTP", f"{host}:{port}", config=config, engine=engine
            ) as station:
                (session,) = directory.sessions
                for party in (1, 2, 3):
                    session.send(messages.OpenReceiveChannel(**mtp_stream(party)))
                heard = [await directory.hears(messages.OpenReceiveChannelAck) for _ in range(3)]
                acks = {ack.pass_through_party_id: ack for ack in heard}
                assert [acks[party].media_reception_status for party in (1, 2, 3)] == [
                    MediaStatus.OK,
                    MediaStatus.OK,
                    MediaStatus.NOT_ENOUGH_CHANNELS,
                ]
                assert acks[1].port_number != acks[2].port_number
                for party in (1, 2):
                    order = messages.StartMediaTransmission(
                        **mtp_stream(party),
                        remote_ip_addr="127.0.0.1",
                        remote_port_number=46000 + 2 * party,
                    )
                    session.send(order)
                one, two = station.calls.values()
                await sends_to(one, 46002)
                await sends_to(two, 46004)
                stop = mtp_stream(1)
                del stop["compression_type"]
                session.send(messages.CloseReceiveChannel(**stop))
                session.send(messages.StopMediaTransmission(**stop))
                assert await one.wait_ended() == 16
                await sends_to(two, 46004)
                assert list(station.calls.values()) == [two]
            nursery.cancel_scope.cancel()


async def test_a_digit_that_an_mtp_hears_is_told_and_a_port_is_known_before_its_channel() -> None:
    config = StationConfig(style=Style.MEDIA_RESOURCE, streams=2, unregister_within=0.1)
    directory = Directory()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery, rtp.open_engine(first_port=45000) as engine:
            _, addresses = await nursery.start(serve_on_any_port, directory)
            host, port = addresses[0][:2]
            async with sccp.open_station(
                "MTP", f"{host}:{port}", config=config, engine=engine
            ) as station:
                (session,) = directory.sessions
                mtp = {"conference_id": 0x1000C0D, "call_reference": 28817772}
                session.send(messages.PortReq(**mtp, pass_through_party_id=1))
                session.send(messages.OpenReceiveChannel(**mtp_stream(1)))
                reserved = await directory.hears(messages.PortRes)
                opened = await directory.hears(messages.OpenReceiveChannelAck)
                assert reserved.port_number == opened.port_number != 0
                assert reserved.rtcp_port_number == opened.port_number + 1
                session.send(
                    messages.SubscribeDtmfPayloadReq(
                        payload_dtmf=101, conference_id=0x1000C0D, passthru_party_id=1, dtmf_type=1
                    )
                )
                await directory.hears(messages.SubscribeDtmfPayloadRes)
                with contextlib.closing(engine.open_port()) as other:
                    order = messages.StartMediaTransmission(
                        **mtp_stream(1),
                        remote_ip_addr="127.0.0.1",
                        remote_port_number=other.local_address[1],
                    )
                    session.send(order)
                    (call,) = station.calls.values()
                    await sends_to(call, other.local_address[1])
                    other.start_sending(("127.0.0.1", opened.port_number), dtmf_payload_type=101)
                    other.send_digit("5")
                    told = await directory.hears(messages.NotifyDtmfTone)
                    assert (told.tone, told.passthru_party_id) == (DeviceTone.DTMF5, 1)
            nursery.cancel_scope.cancel()


def test_a_media_resource_restarts_when_its_last_stream_has_ended() -> None:
    core, manager = a_resource()
    stream: dict[str, Any] = {
        "conference_id": 1,
        "pass_through_party_id": 2,
        "call_reference": 3,
    }
    told(
        core,
        manager,
        messages.VersionRes(version_str=""),
        messages.OpenReceiveChannel(**stream),
        messages.Reset(reset_type=DeviceResetType.RESTART),
    )
    assert core.state is State.REGISTERED
    told(core, manager, messages.CloseReceiveChannel(**stream))
    assert core.state is State.RESTARTING
