"""The devices one application has open or registered: service, media, features (§4, §5, §8)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pa_telephony.cti import enums, messages
from pa_telephony.cti.enums import CALLSTATE, CTIFAILURE, DEVICESTATE
from pa_telephony.cti.messages import structs
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.rtp_address import ip_number, ip_text, port_number
from pa_telephony.cti.server import device_events
from pa_telephony.cti.server.backend import (
    CTI_PORT,
    ROUTE_POINT,
    ChannelWanted,
    DataReceived,
    DeviceChanged,
    DeviceInfo,
    DoNotDisturbChanged,
    LegInfo,
    MediaRegistration,
    MediaStopped,
    ReceptionStarted,
    Termination,
    TransmissionStarted,
)
from pa_telephony.cti.server.handles import Session
from pa_telephony.cti.server.responses import CALL_MANAGER, answer
from pa_telephony.errors import RequestFailed

__all__ = ["DeviceHandles"]

_TERMINATIONS = {
    enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE: Termination.NONE,
    enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_STATIC: Termination.STATIC,
    enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_DYNAMIC: Termination.DYNAMIC,
}
_BOTH_WAYS = enums.CTIMEDIACONNECTIONMODE.TRANSMIT_AND_RECEIVE
_MAX_DATA = 2000
"""How many octets an IP phone service object may have; what real phones take (SCCP
UserToDeviceData)."""

_ACTIVE = frozenset(
    {
        CALLSTATE.DIALTONE,
        CALLSTATE.DIALING,
        CALLSTATE.PROCEEDING,
        CALLSTATE.RINGBACK,
        CALLSTATE.CONNECTED,
    }
)
_ALERTING = frozenset({CALLSTATE.OFFERING, CALLSTATE.ACCEPTED})


@dataclass(slots=True)
class _Device:
    handle: int
    name: str
    filter: structs.DeviceEventFilter
    registered: bool = False
    shown_state: DEVICESTATE | None = None


class DeviceHandles:
    """The device handles of one session."""

    def __init__(self, session: Session) -> None:
        self.requests: Mapping[type[CtiMessage], Callable[[Any], CtiMessage]] = {
            messages.DeviceOpenRequest: self._open,
            messages.DeviceRegisterDeviceRequest: self._register,
            messages.DeviceCloseRequest: self._close,
            messages.DeviceChangeEventFilterRequest: self._change_filter,
            messages.DeviceSetRTPForCallRequest: self._set_rtp,
            messages.DeviceGetDeviceStateRequest: self._get_state,
            messages.DeviceGetDNDOptionRequest: self._get_dnd_option,
            messages.DeviceDNDSetRequest: self._set_dnd,
            messages.DeviceDataPassThroughRequest: self._pass_data,
            messages.DeviceUpdateHuntLogStatusRequest: self._accept_silently,
        }
        self._session = session
        self._devices: dict[int, _Device] = {}
        self._by_name: dict[str, list[_Device]] = {}

    @property
    def registered(self) -> tuple[str, ...]:
        """The names of the devices that the application has registered."""
        return tuple(each.name for each in self._devices.values() if each.registered)

    def end(self) -> None:
        """Drop every registration; an error in one does not keep the others."""
        with contextlib.ExitStack() as all_of_them:
            for device in reversed(self._devices.values()):
                all_of_them.callback(self._forget, device)

    def changed(self, event: DeviceChanged) -> None:
        """Tell on every handle of a device whether it is in service."""
        for device in self._by_name.get(event.device.name, ()):
            self._session.send_event(device_events.device_service(device.handle, event.device))

    def removed(self, name: str) -> None:
        """Close all handles of a device that the application may control no more."""
        for device in list(self._by_name.get(name, ())):
            self._forget(device)
            self._session.send_event(
                messages.DeviceClosedEvent(
                    device_call_manager_id=CALL_MANAGER,
                    device_id=device.handle,
                    reason=enums.DEVICECLOSEREASON(0),
                )
            )

    def channel_wanted(self, event: ChannelWanted) -> None:
        """Ask the application where a dynamically registered device receives this call."""
        for device in self._by_name.get(event.leg.device, ()):
            if device.filter.open_logical_channel:
                self._session.send_event(
                    messages.DeviceCallOpenLogicalChannelEvent(
                        **_call(device, event.leg),
                        milli_second_packet_size=event.packet_ms,
                        compression_type=event.codec,
                        media_connection_mode=_BOTH_WAYS,
                        is_rtp_required=True,
                    )
                )

    def reception_started(self, event: ReceptionStarted) -> None:
        """Tell the application that a device receives."""
        for device in self._by_name.get(event.leg.device, ()):
            if device.filter.start_reception:
                self._session.send_event(
                    messages.StartReceptionEvent(
                        **_call(device, event.leg),
                        **_stream(event),
                        media_connection_mode=_BOTH_WAYS,
                    )
                )

    def transmission_started(self, event: TransmissionStarted) -> None:
        """Tell the application that a device sends."""
        for device in self._by_name.get(event.leg.device, ()):
            if device.filter.start_transmission:
                self._session.send_event(
                    messages.StartTransmissionEvent(
                        **_call(device, event.leg),
                        **_stream(event),
                        max_frames_per_packet=1,
                        media_connection_mode=_BOTH_WAYS,
                    )
                )

    def media_stopped(self, event: MediaStopped) -> None:
        """Tell the application that a device neither sends nor receives any more."""
        for device in self._by_name.get(event.leg.device, ()):
            place = _call(device, event.leg)
            if device.filter.stop_reception:
                self._session.send_event(
                    messages.StopReceptionEvent(**place, media_connection_mode=_BOTH_WAYS)
                )
            if device.filter.stop_transmission:
                self._session.send_event(
                    messages.StopTransmissionEvent(**place, media_connection_mode=_BOTH_WAYS)
                )

    def leg_changed(self, leg: LegInfo) -> None:
        """Tell the application when a device has become idle, active, alerting or held."""
        watching = [
            device for device in self._by_name.get(leg.device, ()) if _wants_states(device.filter)
        ]
        if watching:
            state = self._state_of(leg.device)
            for device in watching:
                self._show_state(device, state)

    def do_not_disturb_changed(self, event: DoNotDisturbChanged) -> None:
        """Tell the application that do not disturb was switched on or off."""
        for device in self._by_name.get(event.device, ()):
            if device.filter.b_dnd_changed:
                self._session.send_event(
                    messages.DeviceDNDStatusChangedEvent(
                        device_call_manager_id=CALL_MANAGER,
                        device_id=device.handle,
                        dnd_status=event.on,
                    )
                )

    def data_received(self, event: DataReceived) -> None:
        """Tell the application that a phone sent data to it."""
        for device in self._by_name.get(event.device, ()):
            if device.filter.device_data:
                self._session.send_event(
                    messages.DeviceDataPassThroughEvent(
                        device_call_manager_id=CALL_MANAGER,
                        device_id=device.handle,
                        device_data_obj=event.data,
                    )
                )

    # The requests of the application.

    def _open(self, request: messages.DeviceOpenRequest) -> CtiMessage:
        info = self._session.device(request.device_name)
        device = self._add(info, request.filter)
        if info.registered:
            self._session.send_event(device_events.device_service(device.handle, info))
        return answer(request, call_manager_id=CALL_MANAGER, device_id=device.handle)

    def _register(self, request: messages.DeviceRegisterDeviceRequest) -> CtiMessage:
        info = self._session.device(request.device_name)
        if info.device_type not in (CTI_PORT, ROUTE_POINT):
            raise RequestFailed(CTIFAILURE.DB_ILLEGAL_DEVICE_TYPE, f"{info.name} is a phone")
        media = _registration(request)
        if info.device_type == ROUTE_POINT and media.termination is Termination.STATIC:
            raise RequestFailed(
                CTIFAILURE.CTIERR_DEVICE_REGISTRATION_FAILED_NOT_SUPPORTED_MEDIATYPE,
                "a route point has no address of its own",
            )
        device = self._add(info, request.filter)
        try:
            self._session.backend.register(info.name, self._session, media)
        except RequestFailed:
            self._forget(device)
            raise
        device.registered = True
        if info.registered:
            # Another application's registration is joined: no event will tell of a change.
            self._session.send_event(device_events.device_service(device.handle, info))
        return answer(
            request,
            call_manager_id=CALL_MANAGER,
            device_id=device.handle,
            device_info=device_events.device_info(info),
        )

    def _close(self, request: messages.DeviceCloseRequest) -> CtiMessage:
        device = self._devices.get(request.device_id)
        if device is not None:
            self._forget(device)
        return answer(request)

    def _change_filter(self, request: messages.DeviceChangeEventFilterRequest) -> CtiMessage:
        self._device(request.device_id).filter = request.filter
        return answer(request)

    def _set_rtp(self, request: messages.DeviceSetRTPForCallRequest) -> CtiMessage:
        device = self._device(request.device_id)
        if not device.registered:
            raise RequestFailed(CTIFAILURE.DEVICE_NOT_REGISTERED)
        legs = self._session.backend.legs_of(device.name)
        if all(leg.leg_id != request.call_leg_id for leg in legs):
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE)
        address = (ip_text(request.ip_address), port_number(request.rtp_port_number))
        self._session.backend.receive_at(request.call_leg_id, address)
        return answer(request)

    def _get_state(self, request: messages.DeviceGetDeviceStateRequest) -> CtiMessage:
        device = self._device(request.device_id)
        return answer(request, device_state=self._state_of(device.name))

    def _get_dnd_option(self, request: messages.DeviceGetDNDOptionRequest) -> CtiMessage:
        self._device(request.device_id)
        return answer(request, dnd_option=enums.DNDOPTION.RINGER_OFF)

    def _set_dnd(self, request: messages.DeviceDNDSetRequest) -> CtiMessage:
        device = self._device(request.device_id)
        self._session.backend.set_do_not_disturb(device.name, request.dnd_status)
        return answer(request)

    def _pass_data(self, request: messages.DeviceDataPassThroughRequest) -> CtiMessage:
        device = self._device(request.device_id)
        if len(request.device_data_obj) > _MAX_DATA:
            raise RequestFailed(CTIFAILURE.DATA_SIZE_LIMIT_EXCEEDED)
        self._session.backend.send_data(device.name, request.device_data_obj)
        # An empty field is null to Cisco's client, which then throws (observed).
        return answer(request, device_data_obj=b"\0")

    def _accept_silently(self, request: Any) -> CtiMessage:
        self._device(request.device_id)
        return answer(request)

    def _add(self, info: DeviceInfo, filter: structs.DeviceEventFilter) -> _Device:
        handle = self._session.new_handle(len(self._by_name.get(info.name, ())))
        device = _Device(handle, info.name, filter)
        self._devices[device.handle] = device
        self._by_name.setdefault(info.name, []).append(device)
        self._session.follow(info.name)
        return device

    def _forget(self, device: _Device) -> None:
        del self._devices[device.handle]
        same = self._by_name[device.name]
        same.remove(device)
        if not same:
            del self._by_name[device.name]
        self._session.free_handle()
        self._session.unfollow(device.name)
        if device.registered:
            device.registered = False
            self._session.backend.unregister(device.name, self._session)

    def _device(self, handle: int) -> _Device:
        try:
            return self._devices[handle]
        except KeyError:
            raise RequestFailed(CTIFAILURE.DEVICE_NOT_OPEN) from None

    def _state_of(self, name: str) -> DEVICESTATE:
        states = {leg.state for leg in self._session.backend.legs_of(name)}
        if states & _ALERTING:
            return DEVICESTATE.ALERTING
        if states & _ACTIVE:
            return DEVICESTATE.ACTIVE
        return DEVICESTATE.HELD if CALLSTATE.ONHOLD in states else DEVICESTATE.IDLE

    def _show_state(self, device: _Device, state: DEVICESTATE) -> None:
        if state is device.shown_state:
            return
        device.shown_state = state
        wanted, event = {
            DEVICESTATE.IDLE: (device.filter.device_idle_state, messages.DeviceStateIdleEvent),
            DEVICESTATE.ACTIVE: (
                device.filter.device_active_state,
                messages.DeviceStateActiveEvent,
            ),
            DEVICESTATE.ALERTING: (
                device.filter.device_alerting_state,
                messages.DeviceStateAlertingEvent,
            ),
            DEVICESTATE.HELD: (device.filter.device_hold_state, messages.DeviceStateHeldEvent),
        }[state]
        if wanted:
            self._session.send_event(
                event(device_call_manager_id=CALL_MANAGER, device_id=device.handle)
            )


def _wants_states(filter: structs.DeviceEventFilter) -> bool:
    return (
        filter.device_idle_state
        or filter.device_active_state
        or filter.device_alerting_state
        or filter.device_hold_state
    )


def _registration(request: messages.DeviceRegisterDeviceRequest) -> MediaRegistration:
    termination = _TERMINATIONS.get(request.media_registration_type)
    if termination is None:
        raise RequestFailed(
            CTIFAILURE.CTIERR_DEVICE_REGISTRATION_FAILED_NOT_SUPPORTED_MEDIATYPE,
            f"media registration {request.media_registration_type!r}",
        )
    port = port_number(request.rtp_port_number)
    if termination is Termination.STATIC and not port:
        raise RequestFailed(CTIFAILURE.CTIERR_INVALID_MEDIA_PARAMETER, "no RTP port")
    return MediaRegistration(
        termination,
        (ip_text(request.ip_addr), port) if termination is Termination.STATIC else None,
        tuple(each.payload_capability for each in request.media_caps),
    )


def _call(device: _Device, leg: LegInfo) -> dict[str, Any]:
    return {
        "device_call_manager_id": CALL_MANAGER,
        "device_id": device.handle,
        "call_call_manager_id": CALL_MANAGER,
        "call_leg_id": leg.leg_id,
    }


def _stream(event: ReceptionStarted | TransmissionStarted) -> dict[str, Any]:
    return {
        "ip_addr": ip_number(event.address[0]),
        "rtp_port_number": event.address[1],
        "milli_second_packet_size": event.packet_ms,
        "compression_type": event.codec,
    }
