"""One application's session on the CTI Manager side, without I/O.

Requests come in with :meth:`ProviderSession.take`; what goes back, answers and events alike, is
queued on the connection in order. What Cisco's client needs stands in the protocol notes §2-§7
and §10.1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from pa_telephony.cti import enums, messages
from pa_telephony.cti.control import CTI_PORT, ROUTE_POINT, CallControl, DeviceInfo, LegInfo
from pa_telephony.cti.enums import CALLSTATE, CTIFAILURE
from pa_telephony.cti.login import Certificate, open_password
from pa_telephony.cti.messages import structs
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import RemoteProtocolError, RequestFailed

__all__ = ["CtiManagerConfig", "ProviderSession"]

CALL_MANAGER = 1
"""Our node's number in every handle."""

_EVERYTHING = 31
_LONGEST_DESCRIPTION = 255
_STATUS = {True: 1, False: 2}
_OUT_OF_SERVICE = 5
"""DEVICE_UNREGISTERED, shown by JTAPI as cause 1005 (observed)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CtiManagerConfig:
    """How the CTI Manager treats applications. Times in seconds."""

    heartbeat: int = 30
    """Both ways, at least 1: with 0 Cisco's client sends heartbeats without a pause (observed)."""
    login_within: float = 30.0
    wrong_password_delay: float = 1.0
    max_connections: int = 500
    max_handles: int = 5000
    max_unsent: int = 8 << 20
    """Bytes that may wait for an application that does not read."""
    max_unsent_before_login: int = 1 << 16
    version: str = "15.0.1.10000-1"
    cluster: str = "StandAloneCluster"


@dataclass(slots=True)
class _Line:
    handle: int
    device: DeviceInfo
    index: int
    filter: structs.LineEventFilter


class ProviderSession:
    """One application. ``send`` queues a message; ``nonce`` is fresh random text."""

    def __init__(
        self,
        backend: CallControl,
        config: CtiManagerConfig,
        send: Callable[[CtiMessage], None],
        certificate: Certificate,
        nonce: str,
        handles: itertools.count[int],
    ) -> None:
        self.user = ""
        self.closed = False
        self.refused_login = False
        self.refused_requests = 0
        self._backend = backend
        self._config = config
        self._send = send
        self._certificate = certificate
        self._nonce = nonce
        self._handles = handles
        self._devices: dict[int, str] = {}
        self._registered: dict[int, str] = {}
        self._lines: dict[int, _Line] = {}
        self._watching = False
        self._told: set[tuple[int, int]] = set()

    @property
    def open(self) -> bool:
        """Whether somebody is logged in."""
        return bool(self.user)

    def take(self, request: CtiMessage) -> None:
        """Answer one request. Raises :class:`RemoteProtocolError` for one before the login."""
        sequence = getattr(request, "sequence_number", 0)
        match request:
            case messages.ProviderInitRequest():
                self._init(sequence)
                return
            case messages.ProviderOpenRequest():
                self._login(request)
                return
            case _ if not self.open:
                raise RemoteProtocolError(f"{type(request).__name__} before the login")
            case _:
                pass
        try:
            self._serve(request, sequence)
        except RequestFailed as failed:
            self._refuse(sequence, failed.code, failed.description)

    def end(self) -> None:
        """The connection is gone: drop every registration."""
        self.closed = True
        if self._watching:
            self._watching = False
            self._backend.unwatch(self)
        for name in self._registered.values():
            self._backend.unregister(name, self)
        self._registered.clear()
        self._devices.clear()
        self._lines.clear()

    # Observer

    def leg_changed(self, leg: LegInfo) -> None:
        """Tell the application, on each handle of the line whose filter wants it."""
        for line in self._lines.values():
            if line.device.name == leg.device and line.index == leg.line:
                self._show(line, leg)

    def device_changed(self, device: DeviceInfo) -> None:
        """Tell in or out of service on every handle of the device."""
        for handle, name in list(self._devices.items()):
            if name == device.name:
                self._send(self._device_service(handle, device.registered))
        for line in self._lines.values():
            if line.device.name == device.name:
                self._send(self._line_service(line.handle, device.registered))

    def devices_changed(self) -> None:
        """Nothing is sent; what the application opens or lists from now on is up to date."""

    def _init(self, sequence: int) -> None:
        self._send(
            messages.ProviderInitResponse(
                sequence_number=sequence,
                result=enums.CTIFAILURE(0),
                provider_info="pa-telephony",
                plugin_version=self._config.version,
                plugin_location="",
                provider_id=1,
                nonce=self._nonce,
                certificate=self._certificate.der,
            )
        )

    def _login(self, request: messages.ProviderOpenRequest) -> None:
        if self.open:
            self._refuse(request.sequence_number, CTIFAILURE.PROVIDER_ALREADY_OPEN)
            return
        good = False
        try:
            password = open_password(
                request.password,
                request.encrypted_key_data,
                certificate=self._certificate,
                nonce=self._nonce,
            )
            good = self._backend.authenticate(request.login, password)
        except RemoteProtocolError:
            good = False
        config = self._config
        self._send(
            messages.ProviderOpenResponse(
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
                provider_info_string=config.version,
                client_heartbeat=config.heartbeat,
                server_heartbeat=config.heartbeat,
                request_timer=30,
                provider_id=1,
                plugin_version=config.version,
            )
        )
        # A real server refuses in the event, after a response that says nothing (documented).
        devices = self._backend.devices_of(request.login) if good else ()
        self._send(
            messages.ProviderOpenCompletedEvent(
                reason=CTIFAILURE(0) if good else CTIFAILURE.DIRECTORY_LOGIN_FAILED,
                sequence_number=request.sequence_number,
                provider_info_string=config.version,
                client_heartbeat=config.heartbeat if good else 0,
                server_heartbeat=config.heartbeat if good else 0,
                failure_description="" if good else "Directory login failed",
                provider_id=1,
                login_user_name=request.login if good else "",
                days_until_password_expiry=-1,
                total_controllable_devices=len(devices),
                cluster_id=config.cluster if good else "",
            )
        )
        if good:
            self.user = request.login
            self._backend.watch(self)
            self._watching = True
        else:
            self.refused_login = True
            self._send(messages.ProviderClosedEvent(reason=enums.PROVIDERCLOSEREASON(4)))

    def _serve(self, request: CtiMessage, sequence: int) -> None:
        match request:
            case messages.ProviderGetCapabilitiesRequest():
                self._send(
                    messages.ProviderGetCapabilitiesResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        # All zero makes Cisco's client treat every terminal as restricted.
                        provider_capabilities_info=structs.ProviderCapabilitiesInfo(
                            modify_calling_party=True,
                            provider_capability_mask=enums.PROVIDERCAPABILITYBITMASK(3),
                        ),
                    )
                )
            case messages.ProviderGetAllDevicesAndLinesRequest():
                self._enumerate(sequence)
            case messages.DeviceOpenRequest():
                self._open_device(request)
            case messages.DeviceRegisterDeviceRequest():
                self._register(request)
            case messages.DeviceCloseRequest():
                self._close_device(request.device_id)
                self._send(
                    messages.DeviceCloseResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        call_manager_id=CALL_MANAGER,
                        device_id=request.device_id,
                    )
                )
            case messages.DeviceChangeEventFilterRequest():
                self._send(
                    messages.DeviceChangeEventFilterResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        call_manager_id=CALL_MANAGER,
                        device_id=request.device_id,
                    )
                )
            case messages.LineOpenRequest():
                self._open_line(request)
            case messages.LineChangeEventFilterRequest():
                self._change_filter(request)
            case messages.LineCloseRequest():
                self._close_line(request.line_id)
                self._send(
                    messages.LineCloseResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        line_call_manager_id=CALL_MANAGER,
                        line_id=request.line_id,
                    )
                )
            case messages.ProviderCloseRequest():
                self._send(
                    messages.ProviderCloseResponse(
                        sequence_number=sequence, result=enums.CTIFAILURE(0)
                    )
                )
                self.closed = True
            case _:
                self._serve_call(request, sequence)

    def _serve_call(self, request: CtiMessage, sequence: int) -> None:
        match request:
            case messages.CallRedirectRequest():
                self._backend.redirect(self._leg(request.call_leg_id), request.redirect_address)
                self._send(
                    messages.CallRedirectResponse(
                        sequence_number=sequence, result=enums.CTIFAILURE(0)
                    )
                )
            case messages.CallAcceptRequest():
                self._backend.accept(self._leg(request.call_leg_id))
                self._send(
                    messages.CallAcceptResponse(
                        sequence_number=sequence, result=enums.CTIFAILURE(0)
                    )
                )
            case messages.CallAnswerRequest():
                self._backend.answer(self._leg(request.call_leg_id))
                self._send(
                    messages.CallAnswerResponse(
                        sequence_number=sequence, result=enums.CTIFAILURE(0)
                    )
                )
            case messages.CallDisconnectRequest():
                self._backend.disconnect(self._leg(request.call_leg_id))
                self._send(
                    messages.CallDisconnectResponse(
                        sequence_number=sequence, result=enums.CTIFAILURE(0)
                    )
                )
            case messages.LineCallInitiateRequest():
                line = self._line(request.line_id)
                leg = self._backend.originate(line.device.name, line.index, request.dest_address)
                self._send(
                    messages.LineCallInitiateResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        line_call_manager_id=CALL_MANAGER,
                        line_id=line.handle,
                        call_manager_id=CALL_MANAGER,
                        call_leg_id=leg.leg_id,
                    )
                )
            case messages.ProviderAllocateGlobalCallHandleRequest():
                self._send(
                    messages.ProviderAllocateGlobalCallHandleResponse(
                        sequence_number=sequence,
                        result=enums.CTIFAILURE(0),
                        call_manager_id=CALL_MANAGER,
                        call_id=next(self._handles),
                    )
                )
            case _:
                raise RequestFailed(CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE)

    def _refuse(self, sequence: int, code: int, description: str = "") -> None:
        self.refused_requests += 1
        self._send(
            messages.FailureResponse(
                sequence_number=sequence,
                result=enums.CTIFAILURE(code),
                # It may quote what was asked for.
                description=description[:_LONGEST_DESCRIPTION],
            )
        )

    def _device(self, name: str) -> DeviceInfo:
        for device in self._backend.devices_of(self.user):
            if device.name == name:
                return device
        raise RequestFailed(CTIFAILURE.CTIERR_INVALID_DEVICE_NAME, f"no device {name!r}")

    def _line(self, handle: int) -> _Line:
        try:
            return self._lines[handle]
        except KeyError:
            raise RequestFailed(CTIFAILURE.INVALID_LINE_HANDLE) from None

    def _leg(self, leg_id: int) -> int:
        # An application acts on calls it was told of, and on no others.
        if not any(leg == leg_id for _, leg in self._told):
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE, f"no call leg {leg_id}")
        return leg_id

    def _handle(self) -> int:
        if len(self._devices) + len(self._lines) >= self._config.max_handles:
            raise RequestFailed(CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED)
        return next(self._handles)

    def _enumerate(self, sequence: int) -> None:
        self._send(
            messages.ProviderGetAllDevicesAndLinesResponse(
                sequence_number=sequence, result=enums.CTIFAILURE(0)
            )
        )
        for number, device in enumerate(self._backend.devices_of(self.user), 1):
            self._send(_described(sequence, number, device))
        self._send(
            messages.ProviderGetAllDevicesAndLinesCompletedEvent(
                request_id=sequence, result=enums.CTIFAILURE(0)
            )
        )

    def _open_device(self, request: messages.DeviceOpenRequest) -> None:
        device = self._device(request.device_name)
        handle = self._handle()
        self._devices[handle] = device.name
        self._send(
            messages.DeviceOpenResponse(
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
                call_manager_id=CALL_MANAGER,
                device_id=handle,
            )
        )
        if device.registered:
            self._send(self._device_service(handle, True))

    def _register(self, request: messages.DeviceRegisterDeviceRequest) -> None:
        device = self._device(request.device_name)
        if device.device_type not in (CTI_PORT, ROUTE_POINT):
            raise RequestFailed(CTIFAILURE.DB_ILLEGAL_DEVICE_TYPE)
        handle = self._handle()
        self._send(
            messages.DeviceRegisterDeviceResponse(
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
                call_manager_id=CALL_MANAGER,
                device_id=handle,
                device_info=structs.DeviceInfo(
                    name=device.name,
                    type=enums.DEVICETYPE(device.device_type),
                    allows_registration=True,
                    device_id=handle,
                    locale=enums.CTIUserLocales(1),
                    dev_type_name=_type_name(device),
                    supports_feature=enums.DEVICESUPPORTSFEATUREBITMASK(3),
                ),
            )
        )
        self._registered[handle] = device.name
        self._devices[handle] = device.name
        self._backend.register(device.name, self)
        if device.registered:
            # Somebody else's registration is joined: no change that would tell us.
            self._send(self._device_service(handle, True))

    def _close_device(self, handle: int) -> None:
        name = self._devices.pop(handle, None)
        if self._registered.pop(handle, None) is not None and name is not None:
            self._backend.unregister(name, self)

    def _open_line(self, request: messages.LineOpenRequest) -> None:
        device = self._device(request.device_name)
        numbers = [line.number for line in device.lines]
        if request.line_name not in numbers:
            raise RequestFailed(CTIFAILURE.UNDEFINED_LINE, f"no line {request.line_name!r}")
        index = numbers.index(request.line_name) + 1
        handle = self._handle()
        opened = self._lines[handle] = _Line(handle, device, index, request.filter)
        self._send(
            messages.LineOpenResponse(
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
                line_call_manager_id=CALL_MANAGER,
                line_id=handle,
                auto_accept_status=request.auto_accept_status,
            )
        )
        if device.registered:
            self._send(self._line_service(handle, True))
        self._show_existing(opened)

    def _close_line(self, handle: int) -> None:
        if self._lines.pop(handle, None) is not None:
            self._told = {(line, leg) for line, leg in self._told if line != handle}

    def _change_filter(self, request: messages.LineChangeEventFilterRequest) -> None:
        line = self._line(request.line_id)
        line.filter = request.filter
        self._send(
            messages.LineChangeEventFilterResponse(
                sequence_number=request.sequence_number,
                result=enums.CTIFAILURE(0),
                line_call_manager_id=CALL_MANAGER,
                line_id=line.handle,
            )
        )
        self._show_existing(line)

    def _show_existing(self, line: _Line) -> None:
        for leg in self._backend.legs_of(line.device.name):
            if leg.line == line.index:
                self._show(line, leg)

    def _show(self, line: _Line, leg: LegInfo) -> None:
        known = (line.handle, leg.leg_id) in self._told
        if not known and leg.state is not CALLSTATE.IDLE and line.filter.b_new_call_event:
            self._told.add((line.handle, leg.leg_id))
            self._send(_new_call(line.handle, leg))
            known = True
        if not known:
            return
        if leg.state is CALLSTATE.IDLE:
            self._told.discard((line.handle, leg.leg_id))
        if line.filter.call_state_changed:
            self._send(
                messages.CallStateChangedEventV2(
                    line_call_manager_id=CALL_MANAGER,
                    line_id=line.handle,
                    call_call_manager_id=CALL_MANAGER,
                    call_leg_id=leg.leg_id,
                    state=leg.state,
                    cause=enums.CALLSTATECAUSE(leg.cause),
                    reason=enums.CALLREASON(leg.reason),
                    overall_call_security_status=enums.CALLSECURITYSTATUS(1),
                )
            )

    @staticmethod
    def _device_service(handle: int, in_service: bool) -> CtiMessage:
        if in_service:
            return messages.DeviceInServiceEvent(
                device_call_manager_id=CALL_MANAGER,
                device_id=handle,
                locale=enums.CTIUserLocales(1),
                supported_encoding=enums.CTIENCODINGTYPES(3),
            )
        return messages.DeviceOutOfServiceEvent(
            device_call_manager_id=CALL_MANAGER,
            device_id=handle,
            reason=enums.DEVICEOUTOFSERVICEREASON(_OUT_OF_SERVICE),
        )

    @staticmethod
    def _line_service(handle: int, in_service: bool) -> CtiMessage:
        if in_service:
            return messages.LineInServiceEvent(line_call_manager_id=CALL_MANAGER, line_id=handle)
        return messages.LineOutOfServiceEvent(
            line_call_manager_id=CALL_MANAGER,
            line_id=handle,
            reason=enums.LINEOUTOFSERVICEREASON(_OUT_OF_SERVICE),
        )


def _type_name(device: DeviceInfo) -> str:
    return {CTI_PORT: "CTI Port", ROUTE_POINT: "CTI Route Point"}.get(
        device.device_type, "Cisco 7970"
    )


def _described(request_id: int, number: int, device: DeviceInfo) -> CtiMessage:
    lines = tuple(
        structs.LineInfo(
            name=line.number,
            display_name=line.name,
            # Unique over all devices: the client keeps its addresses by it (observed).
            permanent_line_id=number * 1000 + index,
            max_number_of_calls=line.max_calls,
            line_instance=index,
            busy_trigger=2,
            unicode_display_name=line.name,
            partition=line.partition,
            ascii_label=line.number,
            unicode_label=line.number,
        )
        for index, line in enumerate(device.lines, 1)
    )
    controlled_by_cti = device.device_type in (CTI_PORT, ROUTE_POINT)
    return messages.DeviceLineInfoEvent(
        request_id=request_id,
        device_name=device.name,
        device_registration_status=enums.DEVICEREGISTRATIONSTATUS(_STATUS[device.registered]),
        control_mode_bit_map=enums.DEVICECONTROLFLAGBITMASK(1),
        event_content=enums.DEVICELINEINFOCONTENT(_EVERYTHING),
        device_info_static=structs.DeviceInfoStatic(
            device_type=enums.DEVICETYPE(device.device_type),
            device_type_name=_type_name(device),
            device_id=number,
            protocol=enums.DEVICEPROTOCOL(0 if controlled_by_cti else 1),
            special_device_capabilities=enums.DEVICESUPPORTSFEATUREBITMASK(3),
        ),
        device_info_dynamic=structs.DeviceInfoDynamic(locale=enums.CTIUserLocales(1)),
        device_registration_info=structs.DeviceRegistrationInfo(
            encoding_type=enums.CTIENCODINGTYPES(3), cti_controllable=enums.DEVICECONTROLTYPE(1)
        ),
        line_info=lines,
        total_lines=len(lines),
        more_lines=False,
    )


def _new_call(line: int, leg: LegInfo) -> CtiMessage:
    calling, called = leg.calling, leg.called
    original, last = leg.original_called, leg.last_redirecting
    return messages.NewCallEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=line,
        line_handle_specified=True,
        device_name=leg.device,
        call_call_manager_id=CALL_MANAGER,
        call_leg_id=leg.leg_id,
        global_call_manager_id=CALL_MANAGER,
        call_id=leg.call_id,
        calling_party=calling.number,
        called_party=called.number,
        original_called_party=original.number,
        state=leg.state,
        origin=enums.CALLORIGIN(1 if leg.incoming else 4),
        far_endpoint_call_manager_id=CALL_MANAGER,
        far_endpoint_type=enums.DESTINATIONTYPE(1),
        reason=enums.CALLREASON(leg.reason),
        calling_party_name=calling.name,
        called_party_name=called.name,
        original_party_name=original.name,
        last_redirecting_party=last.number,
        last_redirecting_party_name=last.name,
        calling_party_device_name=calling.device,
        un_modified_calling_party=calling.number,
        un_modified_called_party=called.number,
        un_modified_original_called_party=original.number,
        un_modified_last_redirecting_party=last.number,
        calling_party_pi=True,
        calling_party_name_pi=True,
        called_party_pi=True,
        called_party_name_pi=True,
        original_called_party_pi=True,
        original_called_party_name_pi=True,
        last_redirecting_party_pi=True,
        last_redirecting_party_name_pi=True,
        unicode_calling_party_name=calling.name,
        unicode_called_party_name=called.name,
        unicode_original_called_party_name=original.name,
        unicodelast_redirecting_party_name=last.name,
        call_presentable=True,
        feature_priority=enums.FEATUREPRIORITY(1),
    )
