"""Scenarios of Cisco's client (tests/interop/jtapi) that no other test plays with ours.

Where a call is routed, answered or heard our own client takes part over real sockets; what it never
asks for (a fixed address, a route point with sound, device states) is asked for by an application
without sockets. ``test_twins.py`` says which scenario is held by which test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from bare_house import House
from company import ALICE, BOB, COMPANY
from cti_application import Application
from whole_house import a_manager, log_in, until

from pa_telephony import failover, sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import LegState
from pa_telephony.cti import RegistrationError, messages
from pa_telephony.cti.enums import CTIFAILURE, CTIMEDIAREGISTRATION, MEDIAPAYLOAD
from pa_telephony.cti.messages.structs import DeviceEventFilter, MediaCapability
from pa_telephony.cti.rtp_address import ip_number
from pa_telephony.errors import CallEnded
from pa_telephony.failover.stores import MemoryStore

STATIC = CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_STATIC
DYNAMIC = CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_DYNAMIC
SOUND = DeviceEventFilter(
    open_logical_channel=True,
    start_reception=True,
    stop_reception=True,
    start_transmission=True,
    stop_transmission=True,
)
G711 = (MediaCapability(payload_capability=MEDIAPAYLOAD.G711ULAW64K, max_frames_per_packet=20),)
ADDRESS = {"ip_addr": ip_number("10.0.0.9"), "rtp_port_number": 40000}


class Desk:
    """A house without sockets, and an application with one device and its line."""

    def __init__(self, device: str, number: str, register: messages.CtiMessage) -> None:
        self.house = House(COMPANY)
        self.side = CtiSide(self.house.config, self.house.calls)
        self.application = Application(self.side)
        self.device = self.application.ask(register).device_id
        self.line = self.application.open_line(device, number)
        self.said = self.application.said
        self.number = number

    def rings(self) -> int:
        """A phone calls; the leg that is offered here."""
        self.house.call(ALICE, self.number)
        return self.told(messages.NewCallEvent)[-1].call_leg_id

    def ask(self, kind: Callable[..., messages.CtiMessage], leg: int, **fields: Any) -> Any:
        place = {"line_call_manager_id": 1, "line_id": self.line, "call_leg_id": leg}
        return self.application.ask(kind(call_leg_call_manager_id=1, **place, **fields))

    def told(self, *kinds: type[Any]) -> list[Any]:
        """The events of these kinds since the last time, which are taken."""
        found = [each for each in self.said if isinstance(each, kinds)]
        self.said[:] = [each for each in self.said if not isinstance(each, kinds)]
        return found

    def sound_starts(self, leg: int) -> None:
        """Sound starts at the one address, for a dynamic device as soon as it has said it."""
        for wanted in self.told(messages.DeviceCallOpenLogicalChannelEvent):
            assert wanted.call_leg_id == leg
            given = self.application.ask(
                messages.DeviceSetRTPForCallRequest(
                    call_manager_id=1,
                    device_id=self.device,
                    call_call_manager_id=1,
                    call_leg_id=leg,
                    ip_address=ADDRESS["ip_addr"],
                    rtp_port_number=ADDRESS["rtp_port_number"],
                )
            )
            assert given.result == 0
        (here,) = self.told(messages.StartReceptionEvent)
        assert {"ip_addr": here.ip_addr, "rtp_port_number": here.rtp_port_number} == ADDRESS
        (there,) = self.told(messages.StartTransmissionEvent)
        assert there.ip_addr == ip_number("10.0.0.1")

    def sound_stops(self) -> None:
        assert len(self.told(messages.StopReceptionEvent)) == 1
        assert len(self.told(messages.StopTransmissionEvent)) == 1


def registration(device: str, media: CTIMEDIAREGISTRATION) -> messages.CtiMessage:
    where = ADDRESS if media is STATIC else {}
    return messages.DeviceRegisterDeviceRequest(
        device_name=device, media_registration_type=media, filter=SOUND, media_caps=G711, **where
    )


@pytest.mark.parametrize("media", [STATIC, DYNAMIC])
def test_a_port_answers_holds_retrieves_and_hears_keys_with_sound_where_it_said(
    media: CTIMEDIAREGISTRATION,
) -> None:
    desk = Desk("CTIP1", "5001", registration("CTIP1", media))
    leg = desk.rings()
    desk.ask(messages.CallAcceptRequest, leg)
    desk.ask(messages.CallAnswerRequest, leg)
    desk.sound_starts(leg)
    desk.ask(messages.CallHoldRequest, leg)
    desk.sound_stops()
    desk.ask(messages.CallRetrieveRequest, leg)
    desk.sound_starts(leg)
    caller = desk.house.leg(ALICE)
    for key in "5*":
        desk.house.calls.digit(caller, key)
    assert [each.digit for each in desk.told(messages.DtmfEvent)] == [5, 14]
    desk.ask(messages.CallPlayDtmfRequest, leg, dtmf_digits=(1, 2, 14, 15))
    assert desk.house.devices[ALICE].digits == ["1", "2", "*", "#"]
    desk.ask(messages.CallDisconnectRequest, leg)
    desk.sound_stops()
    assert not desk.house.calls.legs
    desk.application.ask(messages.DeviceCloseRequest(call_manager_id=1, device_id=desk.device))
    assert not desk.house.calls.is_registered("CTIP1")


def test_a_route_point_with_sound_is_answered() -> None:
    desk = Desk("RP1", "6000", registration("RP1", DYNAMIC))
    leg = desk.rings()
    desk.ask(messages.CallAcceptRequest, leg)
    desk.ask(messages.CallAnswerRequest, leg)
    desk.sound_starts(leg)
    assert desk.house.leg(ALICE).state is LegState.CONNECTED
    desk.ask(messages.CallDisconnectRequest, leg)
    desk.sound_stops()


def test_the_states_of_a_device_are_told_as_its_calls_change_them() -> None:
    watched = DeviceEventFilter(
        device_idle_state=True,
        device_active_state=True,
        device_alerting_state=True,
        device_hold_state=True,
    )
    desk = Desk(BOB, "1002", messages.DeviceOpenRequest(device_name=BOB, filter=watched))
    states = {
        messages.DeviceStateAlertingEvent: "alerting",
        messages.DeviceStateActiveEvent: "active",
        messages.DeviceStateHeldEvent: "held",
        messages.DeviceStateIdleEvent: "idle",
    }
    leg = desk.rings()
    desk.ask(messages.CallAnswerRequest, leg)
    desk.ask(messages.CallHoldRequest, leg)
    desk.ask(messages.CallDisconnectRequest, leg)
    seen = [states[type(each)] for each in desk.told(*states)]
    assert seen == ["alerting", "active", "held", "idle"]


@pytest.mark.parametrize(
    ("first", "device", "second", "code"),
    [
        (DYNAMIC, "RP1", CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE, 0xA4),
        (CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE, "RP1", DYNAMIC, 0xA2),
        (STATIC, "CTIP1", STATIC, 0xA3),
    ],
)
def test_a_second_registration_of_another_type_is_refused_by_name(
    first: CTIMEDIAREGISTRATION, device: str, second: CTIMEDIAREGISTRATION, code: int
) -> None:
    """The code says how the device is registered already."""
    number = {"RP1": "6000", "CTIP1": "5001"}[device]
    desk = Desk(device, number, registration(device, first))
    refused = Application(desk.side).ask(registration(device, second))
    assert refused.result & 0xFFFF == code


async def test_a_port_that_another_application_has_is_refused_to_our_client() -> None:
    async with (
        a_manager() as manager,
        log_in(manager) as first,
        log_in(manager, "other") as second,
    ):
        await first.request(registration("RP1", DYNAMIC))
        with pytest.raises(RegistrationError) as refused:
            async with second.open_route_point("6000"):
                pytest.fail("registered")
        assert refused.value.code == CTIFAILURE.CTIERR_MEDIA_ALREADY_TERMINATED_DYNAMIC


async def test_a_super_provider_opens_a_device_that_is_not_its_users() -> None:
    async with (
        a_manager() as manager,
        sccp.open_station("P2", manager.sccp_address),
        log_in(manager, "super") as provider,
    ):
        assert set(provider.devices) == {"P1"}
        await provider.request(messages.ProviderDeviceAcquireRequest(device_name="P2"))
        await provider.request(messages.ProviderGetSingleDeviceAndLinesRequest(device_name="P2"))
        await until(lambda: "P2" in provider.devices)
        async with provider.open_address("1002") as address:
            await address.wait_in_service()


async def test_a_phone_that_comes_and_goes_takes_its_address_in_and_out_of_service() -> None:
    async with (
        a_manager() as manager,
        log_in(manager) as provider,
        provider.open_address("1001") as address,
    ):
        assert not address.in_service
        async with sccp.open_station("P1", manager.sccp_address):
            await address.wait_in_service()
        await address.wait_out_of_service()


async def test_a_caller_who_hangs_up_ends_the_route() -> None:
    async with (
        a_manager() as manager,
        log_in(manager) as provider,
        provider.open_route_point("6000") as route_point,
        sccp.open_station("P1", manager.sccp_address) as one,
    ):
        async with one.call("6000"):
            await until(lambda: route_point.calls)
            (session,) = route_point.calls
            assert not session.ended
        await until(lambda: session.ended)
        with pytest.raises(CallEnded):
            await session.select_route("1002")


class _Answering(failover.Application):
    """Answers at media ports, and says which server did."""

    def __init__(self, name: str, served: list[str]) -> None:
        self._name = name
        self._served = served

    async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
        self._served.append(self._name)
        async with call.answer():
            await call.wait_ended()


def _cluster(manager: CallManager) -> failover.Cluster:
    return failover.Cluster(
        servers=(
            failover.ServerConfig(
                server_name="PA1",
                hostname_or_ip_address="127.0.0.1",
                route_address="6000",
                media_port_provider="skinny",
                media_port_beginning_address="6001",
                number_of_media_ports=1,
                interceptor_port_provider="jtapi",
                fail_over_server_names=("PA2",),
            ),
            failover.ServerConfig(server_name="PA2", hostname_or_ip_address="127.0.0.2"),
        ),
        providers=(
            failover.JtapiProvider("jtapi", (manager.cti_address,), "other", "secret"),
            failover.SkinnyProvider("skinny", (manager.sccp_address,), "PA1-VI"),
        ),
    )


async def test_a_route_point_is_watched_while_another_server_takes_it_over() -> None:
    """Out of service when PA1 dies, in service when PA2 has it; the calls before and after."""
    served: list[str] = []
    store = MemoryStore()
    async with (
        a_manager(within=600) as manager,
        trio.open_nursery() as nursery,
        log_in(manager) as provider,
        sccp.open_station("P1", manager.sccp_address),
    ):
        scopes: dict[str, trio.CancelScope] = {}

        async def serve(name: str, *, task_status: trio.TaskStatus[None]) -> None:
            with trio.CancelScope() as scopes[name]:
                async with failover.open_server(
                    _cluster(manager),
                    name,
                    application=_Answering(name, served),
                    store=store,
                    clock=trio.current_time,
                ) as server:
                    task_status.started()
                    await server.run()

        for name in ("PA1", "PA2"):
            await nursery.start(serve, name)
        async with (
            provider.open_address("6000") as watched,
            provider.open_address("1001") as address,
        ):
            await watched.wait_in_service()
            async with address.call("6000") as call:
                await call.wait_connected()
                assert call.connected_to == "6001"
            scopes["PA1"].cancel()
            await watched.wait_out_of_service()
            await watched.wait_in_service()
            async with address.call("6000") as call:
                await call.wait_connected()
        assert served == ["PA1", "PA2"]
        nursery.cancel_scope.cancel()
