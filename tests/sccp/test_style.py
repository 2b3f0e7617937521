"""The styles of a station: what each says and leaves out. test_replay.py has the captured ones."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from pa_telephony import callmanager, sccp
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.sccp import messages
from pa_telephony.sccp.call import Call
from pa_telephony.sccp.call_view import CallView
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import DeviceResetType, DeviceType, MediaPayloadType
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.station import CallChanged, State, StationCore
from pa_telephony.sccp.style import HABITS, StationConfig, Style

NAME = "ANC288093711081"

WITH_A_LINE = (Style.PHONE, Style.PORT, Style.ANALOG_PORT, Style.GATEWAY)


@pytest.mark.parametrize("style", Style)
async def test_each_style_registers_with_our_call_manager(style: Style) -> None:
    device = DeviceConfig(name=NAME, lines=(LineConfig(number="6001"),))
    config = StationConfig(style=style, device_type=DeviceType.ANALOG_PHONE)
    with trio.fail_after(10):
        async with (
            callmanager.open_call_manager(
                CallManagerConfig(devices=(device,)), sccp_port=0
            ) as manager,
            sccp.open_station(NAME, manager.sccp_address, config=config) as station,
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
        send = staticmethod(sent.append)

        def open_port(self) -> None:
            return None

    owner: Any = Owner()
    order = messages.StartMediaTransmission(
        conference_id=1, pass_through_party_id=1, compression_type=MediaPayloadType.G711_ULAW64K
    )
    view = CallView(1, 1)
    view.media.transmit = order
    Call(owner, view).changed(order)
    assert bool(sent) is HABITS[style].confirms_transmission


def a_resource() -> tuple[StationCore, Connection]:
    core = StationCore("MTP", StationConfig(style=Style.MEDIA_RESOURCE, streams=20))
    manager = Connection(Role.CALL_MANAGER)
    core.connected(0.0)
    told(core, manager, messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
    return core, manager


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
    assert core.state is State.CONFIGURING
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
            messages.StartMediaTransmission(**stream),
            messages.CloseReceiveChannel(**stream),
            messages.StopMediaTransmission(**stream),
        )
        assert len(events) == 4
        last = events[-1]
        assert isinstance(last, CallChanged)
        assert last.call.ended
        assert core.idle


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
    assert core.state is State.LEAVING
