"""One application's session on the CTI Manager side, without I/O.

Requests come in with :meth:`ProviderSession.handle_request`; answers and events alike are queued on
the connection in order. Here: the login, what the user controls, and the way of every other request
and event to :mod:`~pa_telephony.cti.server.devices`, ``lines`` and ``calls``. What Cisco's client
needs stands in docs/protocol/ctiqbe.md §2-§7 and §10.1.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pa_telephony.cti import enums, messages
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.login import Certificate, open_password
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import ProviderEventFilter
from pa_telephony.cti.server import device_events
from pa_telephony.cti.server.backend import (
    CallControl,
    ChannelWanted,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceStarted,
    DataReceived,
    DeviceAdded,
    DeviceChanged,
    DeviceInfo,
    DeviceRemoved,
    DigitHeard,
    DoNotDisturbChanged,
    Event,
    ForwardChanged,
    LegChanged,
    MediaStopped,
    Observer,
    ReceptionStarted,
    TransferEnded,
    TransferStarted,
    TransmissionStarted,
)
from pa_telephony.cti.server.calls import CallRequests
from pa_telephony.cti.server.devices import DeviceHandles
from pa_telephony.cti.server.handles import CtiManagerConfig, Session
from pa_telephony.cti.server.lines import LineHandles
from pa_telephony.cti.server.responses import answer, refusal
from pa_telephony.errors import InternalError, RemoteProtocolError, RequestFailed

__all__ = ["ProviderSession", "told_refusal"]

_REFUSALS = {
    CTIFAILURE.DIRECTORY_LOGIN_FAILED: "Directory login failed",
    CTIFAILURE.DIRECTORY_LOGIN_NOT_ALLOWED: "Directory login failed - the user may not use CTI",
    CTIFAILURE.CTIERR_LOGIN_FAILED_ACCOUNT_LOCKED: "Directory login failed - account locked",
    CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED: "The user has too many sessions",
    CTIFAILURE.INCOMPATIBLE_PROTOCOL_VERSION: (
        "This release of the JTAPI client is not supported: it logs in without ProviderInit, as "
        "8.0 does; 10.5 and newer work"
    ),
    CTIFAILURE.DIRECTORY_TEMPORARY_UNAVAILABLE: (
        "Too many wrong passwords came from this address: try again in a few seconds"
    ),
}


def told_refusal(code: CTIFAILURE) -> str:
    """What an application is told when its login is refused with ``code``; "" for 0."""
    return _REFUSALS.get(code, "Login failed") if code else ""


class ProviderSession:
    """One session of an application; ``send`` queues a message, ``nonce`` is fresh random text.

    ``observer`` hears the events in our place, and passes them on to :meth:`notify`.
    ``sessions_of`` says how many sessions a user has already.
    """

    def __init__(
        self,
        backend: CallControl,
        config: CtiManagerConfig,
        send: Callable[[CtiMessage | LineEvent], None],
        certificate: Certificate,
        nonce: str,
        handles: itertools.count[int],
        observer: Observer | None = None,
        sessions_of: Callable[[str], int] = lambda user: 0,
    ) -> None:
        self.closed = False
        self.refused_requests = 0
        self._backend = backend
        self._config = config
        self._send = send
        self._certificate = certificate
        self._nonce = nonce
        self._initialised = False
        self._observer = observer or self
        self._sessions_of = sessions_of
        self._session = Session(backend, config, send, handles, self._observer)
        self._devices = DeviceHandles(self._session)
        self._lines = LineHandles(self._session)
        self._filter = ProviderEventFilter()
        self._watching = False
        self._rest: Iterator[CtiMessage] = iter(())
        self._opened: tuple[messages.ProviderOpenRequest, str | None] | None = None
        self._requests: dict[type[CtiMessage], Callable[[Any], CtiMessage]] = {
            messages.ProviderGetCapabilitiesRequest: self._get_capabilities,
            messages.ProviderGetAllDevicesAndLinesRequest: self._enumerate,
            messages.ProviderGetSingleDeviceAndLinesRequest: self._describe,
            messages.ProviderDeviceAcquireRequest: self._acquire,
            messages.ProviderDeviceDeAcquireRequest: self._release,
            messages.ProviderChangeEventFilterRequest: self._change_filter,
            messages.ProviderCloseRequest: self._close,
            **self._devices.requests,
            **self._lines.requests,
            **CallRequests(self._session, self._lines).requests,
        }

    @property
    def user(self) -> str:
        """The user who is logged in; "" before the login."""
        return self._session.user

    @property
    def open_lines(self) -> int:
        """How many lines the application has open."""
        return len(self._lines)

    @property
    def registered_devices(self) -> tuple[str, ...]:
        """The names of the devices that the application has registered."""
        return self._devices.registered

    def takes_calls(self, device: str) -> bool:
        """Whether new calls at a line of ``device`` are told to the application."""
        return self._lines.takes_calls(device)

    @property
    def open(self) -> bool:
        """Whether a user is logged in."""
        return bool(self.user)

    def handle_request(self, request: CtiMessage) -> None:
        """Answer one request; raises :class:`RemoteProtocolError` for one before the login.

        The login itself is looked at by the owner (:meth:`check_login`, :meth:`answer_login`). A
        long answer goes on with :meth:`go_on`, and is complete before the next one.
        """
        while self.go_on():
            pass
        match request:
            case _ if self.closed:
                return
            case messages.ProviderInitRequest():
                self._init(request)
                return
            case messages.ProviderOpenRequest() if self.open:
                self._send(refusal(request, CTIFAILURE.PROVIDER_ALREADY_OPEN))
                return
            case _ if not self.open:
                raise RemoteProtocolError(f"{type(request).__name__} before the login")
            case _ if request.kind is not Kind.REQUEST:
                return
            case _:
                pass
        self._session.hold_events()
        try:
            response = self._serve(request)
        except RequestFailed as failed:
            self.refused_requests += 1
            response = refusal(request, failed.code, failed.description)
        except RemoteProtocolError as error:
            raise _not_of_the_application(error) from error
        self._session.release_events(response)

    def go_on(self) -> bool:
        """Send the next piece of a long answer; False when there is none.

        A thousand devices take 50 ms to describe (measured): other sessions have their turn in
        between.
        """
        try:
            event = next(self._rest, None)
        except RemoteProtocolError as error:
            raise _not_of_the_application(error) from error
        if event is not None:
            self._session.send_event(event)
        return event is not None

    def end(self) -> None:
        """Drop every registration, as the connection is gone; an error in one spares the others."""
        self.closed = True
        self._rest = iter(())
        with contextlib.ExitStack() as last:
            last.callback(self._devices.end)
            last.callback(self._lines.end)
            if self._watching:
                self._watching = False
                self._backend.unwatch(self._observer)

    def notify(self, event: Event) -> None:
        """Take an event of the call manager, and pass it to the parts that it concerns."""
        devices, lines = self._devices, self._lines
        match event:
            case LegChanged():
                lines.leg_changed(event)
                devices.leg_changed(event.leg)
            case DigitHeard():
                lines.digit_heard(event)
            case ChannelWanted():
                devices.channel_wanted(event)
            case ReceptionStarted():
                devices.reception_started(event)
            case TransmissionStarted():
                devices.transmission_started(event)
            case MediaStopped():
                devices.media_stopped(event)
            case DeviceChanged():
                self._device_changed(event)
            case DeviceAdded():
                self._user_changed(event.device, added=True)
            case DeviceRemoved():
                self._user_changed(event.device, added=False)
            case ForwardChanged():
                lines.forward_changed(event)
            case DoNotDisturbChanged():
                devices.do_not_disturb_changed(event)
            case DataReceived():
                devices.data_received(event)
            case TransferStarted():
                lines.transfer_started(event)
            case TransferEnded():
                lines.transfer_ended(event)
            case ConferenceStarted():
                lines.conference_started(event)
            case ConferenceEnded():
                lines.conference_ended(event)
            case ConferenceChanged():
                lines.conference_changed(event)

    def _device_changed(self, event: DeviceChanged) -> None:
        device = event.device
        if not device.registered:
            self._lines.device_changed(event)
        if self._session.controls(device.name):
            if device.registered and self._filter.device_registered:
                self._session.send_event(device_events.registered(device))
            elif not device.registered and self._filter.device_unregistered:
                self._session.send_event(device_events.unregistered(device))
        self._devices.changed(event)
        if device.registered:
            self._lines.device_changed(event)

    def _user_changed(self, device: DeviceInfo, *, added: bool) -> None:
        if not self._session.controls(device.name):
            return
        if not added:
            self._session.acquired.discard(device.name)
            self._lines.device_removed(device.name)
            self._devices.removed(device.name)
        self._session.send_event(
            device_events.user_changed(
                device,
                added=added,
                any_device=self._backend.controls_any_device(self.user),
            )
        )

    def _serve(self, request: CtiMessage) -> CtiMessage:
        handler = self._requests.get(type(request))
        if handler is None:
            raise RequestFailed(
                CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE, type(request).__name__
            )
        return handler(request)

    def _init(self, request: messages.ProviderInitRequest) -> None:
        self._initialised = True
        self._send(
            answer(
                request,
                provider_info="pa-telephony",
                plugin_version=self._config.version,
                provider_id=1,
                nonce=self._nonce,
                certificate=self._certificate.der,
            )
        )

    def check_login(self, request: messages.ProviderOpenRequest) -> CTIFAILURE:
        """Why the user may not log in with this password; 0 when the user may."""
        password, self._opened = self.password_in(request), None
        if password is None and not self._initialised:
            return CTIFAILURE.INCOMPATIBLE_PROTOCOL_VERSION
        if password is None:
            return CTIFAILURE.DIRECTORY_LOGIN_FAILED
        code = self._backend.log_in(request.login, password)
        most = self._config.max_sessions_of_one_user
        if not code and self._sessions_of(request.login) >= most:
            return CTIFAILURE.MAX_NUMBER_OF_CTI_CONNECTIONS_REACHED
        return code

    def password_in(self, request: messages.ProviderOpenRequest) -> str | None:
        """The password of a login, opened once; None when it cannot be opened."""
        if self._opened is None or self._opened[0] is not request:
            try:
                password = open_password(
                    request.password,
                    request.encrypted_key_data,
                    certificate=self._certificate,
                    nonce=self._nonce,
                )
            except RemoteProtocolError:
                password = None
            self._opened = request, password
        return self._opened[1]

    def answer_login(self, request: messages.ProviderOpenRequest, code: CTIFAILURE) -> None:
        """Answer a login: open the provider, or refuse it with a code that is not 0."""
        config, good = self._config, not code
        self._send(
            answer(
                request,
                provider_info_string=config.version,
                client_heartbeat=config.heartbeat,
                server_heartbeat=config.heartbeat,
                request_timer=30,
                provider_id=1,
                plugin_version=config.version,
            )
        )
        # A real server refuses in the event, after a response that says nothing (documented).
        devices = self._backend.device_names(request.login) if good else ()
        self._send(
            messages.ProviderOpenCompletedEvent(
                reason=code,
                sequence_number=request.sequence_number,
                provider_info_string=config.version,
                client_heartbeat=config.heartbeat if good else 0,
                server_heartbeat=config.heartbeat if good else 0,
                failure_description=told_refusal(code),
                provider_id=1,
                login_user_name=request.login if good else "",
                days_until_password_expiry=-1,
                total_controllable_devices=len(devices),
                cluster_id=config.cluster if good else "",
            )
        )
        if good:
            self._session.user = request.login
            self._filter = request.filter
            self._backend.watch(self._observer)
            self._watching = True
        else:
            self._send(messages.ProviderClosedEvent(reason=enums.PROVIDERCLOSEREASON(4)))

    def _get_capabilities(self, request: messages.ProviderGetCapabilitiesRequest) -> CtiMessage:
        any_device = self._backend.controls_any_device(self.user)
        return answer(
            request,
            provider_capabilities_info=device_events.capabilities(any_device=any_device),
        )

    def _enumerate(self, request: messages.ProviderGetAllDevicesAndLinesRequest) -> CtiMessage:
        self._rest = self._all_devices(request.sequence_number)
        return answer(request)

    def _all_devices(self, number: int) -> Iterator[CtiMessage]:
        for name in self._backend.device_names(self.user):
            # It may have been removed meanwhile.
            if self._session.controls(name):
                device = self._backend.device(name)
                yield from device_events.described(number, device, device_events.CONTROLLED)
        yield messages.ProviderGetAllDevicesAndLinesCompletedEvent(request_id=number)

    def _describe(self, request: messages.ProviderGetSingleDeviceAndLinesRequest) -> CtiMessage:
        device = self._session.device(request.device_name)
        number = request.sequence_number
        control = device_events.CONTROLLED
        if device.name in self._session.acquired:
            control = device_events.ACQUIRED
        for event in device_events.described(number, device, control):
            self._session.send_event(event)
        self._session.send_event(
            messages.ProviderGetSingleDeviceAndLinesCompletedEvent(request_id=number)
        )
        return answer(request)

    def _acquire(self, request: messages.ProviderDeviceAcquireRequest) -> CtiMessage:
        name = request.device_name
        if not self._session.controls(name) and not self._backend.controls_any_device(self.user):
            raise RequestFailed(CTIFAILURE.CTIERR_INVALID_DEVICE_NAME, f"no device {name!r}")
        self._backend.device(name)
        self._session.acquired.add(name)
        return answer(request)

    def _release(self, request: messages.ProviderDeviceDeAcquireRequest) -> CtiMessage:
        if request.device_name not in self._session.acquired:
            raise RequestFailed(CTIFAILURE.CTIERR_DEVICE_NOT_ACQUIRED)
        self._session.acquired.discard(request.device_name)
        if not self._session.controls(request.device_name):
            self._lines.device_removed(request.device_name)
            self._devices.removed(request.device_name)
        return answer(request)

    def _change_filter(self, request: messages.ProviderChangeEventFilterRequest) -> CtiMessage:
        self._filter = request.filter
        return answer(request)

    def _close(self, request: messages.ProviderCloseRequest) -> CtiMessage:
        self.end()
        return answer(request)


def _not_of_the_application(error: RemoteProtocolError) -> InternalError:
    """The error of a call manager that was asked for something well-formed."""
    return InternalError(f"{type(error).__name__}: {error}")
