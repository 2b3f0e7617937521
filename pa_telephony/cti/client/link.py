"""The link of a provider to its CTI manager: login, requests and answers, heartbeats, renewal."""

from __future__ import annotations

import abc
import contextlib
import itertools
import logging
import os
import random
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import trio

from pa_telephony.backoff import BackOff
from pa_telephony.cti import messages
from pa_telephony.cti.connection import ConnectionClosed, Role, WireConnection
from pa_telephony.cti.enums import APPLICATIONPRIORITY, CTIFAILURE, PROVIDERUSERNOTIFYTYPE
from pa_telephony.cti.errors import refused
from pa_telephony.cti.keyed import without_keyed
from pa_telephony.cti.login import seal_password
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import ProviderEventFilter
from pa_telephony.errors import (
    ConnectionLost,
    RemoteProtocolError,
    RequestFailed,
    TelephonyError,
)
from pa_telephony.faults import Troubles
from pa_telephony.tasks import background, map_os_errors
from pa_telephony.trace import EventRecord, FrameTrace, Trace, guarded

__all__ = ["Answer", "ProviderConfig", "ProviderLink"]

_LOG = logging.getLogger("pa_telephony.cti.client")
_FAILURE = messages.FailureResponse
_READ = 65536
_PATIENCE = 4
"""How many server heartbeats may be missed; Cisco's client gives up after 2 to 4 (measured)."""
_LONGEST_SILENCE = 3600.0
"""Seconds of silence, whatever heartbeat the server announces (guessed; 30 is observed)."""
_NAME_COST = 128
"""About how many bytes a kept name takes besides its characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderConfig:
    """How a provider behaves; times are in seconds."""

    connect_within: float = 5.0
    request_within: float = 30.0
    """How long a response may take (JTAPI's CtiRequestTimeout)."""
    release_within: float = 2.0
    """How long the CTI manager has to confirm that a line and its device are closed. Without an
    answer the whole session is dropped, which releases them for certain."""
    route_select_within: float = 5.0
    """How long a handler may take to select a route (JTAPI's RouteSelectTimeout). CUCM and our call
    manager send the call on before that, after 4 s, unless they are configured otherwise."""
    media_at_signalling_host: bool = False
    """Send the sound of CTI ports to the host of the CTI manager only, and hang up on a call whose
    sound is to go elsewhere.

    Right where that host carries all sound itself; a call manager connects phones directly.
    """
    desired_heartbeat: int = 30
    first_back_off: float = 0.1
    longest_back_off: float = 10.0
    max_events: int = 10_000
    """How many events may wait for one subscriber."""
    max_calls: int = 1000
    """How many calls may be at one route point, and how many handlers may run there or at a
    line."""
    max_directory: int = 16 << 20
    """How many bytes the devices and lines of the user may take."""
    max_unsent: int = 1 << 20
    """How many bytes may wait for a CTI manager that does not read."""
    client_version: str = "pa-telephony"


class ProviderLink(abc.ABC):
    """A session with a CTI manager, renewed until it is left."""

    def __init__(
        self,
        managers: list[tuple[str, int]],
        user: str,
        password: str,
        config: ProviderConfig,
        trace: Trace | None,
        local_address: str | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.user = user
        self.config = config
        self.sessions = 0
        """How often the provider came in service."""
        self.devices: dict[str, tuple[str, ...]] = {}
        """The user's devices and the numbers of their lines, as last enumerated."""
        self.protocol_errors = 0
        """How many connections were closed because a CTI manager broke the protocol."""
        self.slow_managers = 0
        """How many connections were closed because the CTI manager did not read what we sent."""
        self.last_error = ""
        """Why the provider was out of service, or no CTI manager was reached, the last time."""
        self.on_trouble: Callable[[str], object] | None = None
        """A function that is told each such reason; without one the log has it
        (``pa_telephony.cti.client``), each reason once a minute."""
        self._troubles = Troubles(_LOG, "not in service")
        self._refusals: list[str] = []
        """Refusals of the first login that are not told yet: the error says it, if all refuse."""
        self._directory_size = 0
        self._password = password
        self._managers = managers
        self._trace = guarded(trace)
        self._source = local_address
        self._tls = tls
        self._connection: WireConnection | None = None
        self._addresses = (("0.0.0.0", 0), ("0.0.0.0", 0))
        self._in_service = False
        self._news = trio.Event()
        self._to_send = trio.Event()
        self._sequence = itertools.count()
        self._waiting: dict[int, Answer] = {}
        self._opened: Answer | None = None
        self._enumerated: Answer | None = None
        self._scope: trio.CancelScope | None = None
        """The cancel scope of the session; None without a connection."""
        self._dropped = ""
        """Why the session was dropped, "" if it was not."""
        self._over = trio.Event()
        """Set when the session has ended, and without a connection."""
        self._over.set()

    @abc.abstractmethod
    async def restore(self) -> None:
        """Open again in a new session what was open, whichever CTI manager it is with."""

    @abc.abstractmethod
    def handle_event(self, event: CtiMessage) -> None:
        """Take an event of devices, lines or calls."""

    @abc.abstractmethod
    def session_lost(self) -> None:
        """Note that the session is over, and with it all handles."""

    @property
    def in_service(self) -> bool:
        """Whether the login is done and the devices of the user are known."""
        return self._in_service

    @property
    def manager(self) -> tuple[str, int]:
        """Address and port of the CTI manager we are connected to."""
        return self._addresses[1]

    @property
    def local_address(self) -> tuple[str, int]:
        """The address and port of our end of that connection."""
        return self._addresses[0]

    async def wait_in_service(self) -> None:
        """Wait until the provider is in service."""
        while not self._in_service:
            await self._news.wait()

    async def wait_out_of_service(self) -> None:
        """Wait until the provider is out of service."""
        while self._in_service:
            await self._news.wait()

    def drop(self, why: str) -> trio.Event:
        """End the session without a message; it is renewed at once, as after any loss.

        The CTI manager releases whatever it had of the session as soon as it sees the end of the
        connection; the event is set when that is closed at this end. :attr:`last_error` will say
        ``why``. Without a session nothing is done.
        """
        if self._scope is not None and not self._scope.cancel_called:
            self._dropped = why
            self._scope.cancel()
        return self._over

    def post(self, message: CtiMessage) -> None:
        """Send a request whose answer is not waited for; dropped without a session."""
        with contextlib.suppress(ConnectionLost):
            self._send(replace(message, sequence_number=next(self._sequence)))  # type: ignore[call-arg]  # every request has one

    async def request(
        self,
        message: CtiMessage,
        at_once: Callable[[Any], None] | None = None,
        too_late: Callable[[Any], None] | None = None,
    ) -> Any:
        """Send a request and wait for its response; ``sequence_number`` is filled in.

        ``at_once`` gets the response before anything that follows it on the wire is looked at: the
        events of a handle come right behind it. ``too_late`` gets it in place of ``at_once`` when
        the waiting was given up, to undo what was done.

        Raises :class:`RequestFailed` with a :class:`~pa_telephony.cti.enums.CTIFAILURE` code
        when it is refused or not answered in time, :class:`ConnectionLost` without a session.
        Cancelling gives up waiting; the server may have done it, or do it yet.
        """
        answer = self.ask(message, at_once)
        try:
            return await self.wait(answer)
        finally:
            answer.at_once = too_late
            if too_late is None:
                self._waiting.pop(answer.sequence, None)

    def ask(self, message: CtiMessage, at_once: Callable[[Any], None] | None = None) -> Answer:
        """Send a request; gives the answer, whether or not it is waited for.

        ``at_once`` gets the response in any case. Raises :class:`ConnectionLost` without a session.
        """
        if not self._in_service:
            # A server ends a connection that asks before it has logged in.
            raise ConnectionLost(f"not in service: {self.last_error or 'not yet logged in'}")
        return self._ask(message, at_once)

    async def wait(self, answer: Answer) -> Any:
        """Wait for a response; raises as :meth:`request` does.

        Not longer than :attr:`ProviderConfig.request_within`; then :class:`RequestFailed` is
        raised.
        """
        with trio.move_on_after(self.config.request_within):
            return await answer.wait()
        raise RequestFailed(CTIFAILURE.TIMEOUT, f"{answer.to}: no answer")

    def _ask(self, message: CtiMessage, at_once: Callable[[Any], None] | None = None) -> Answer:
        sequence = next(self._sequence)
        to = type(message).__name__
        answer = Answer(to, at_once, getattr(messages, to.removesuffix("Request") + "Response"))
        answer.sequence = sequence
        self._send(replace(message, sequence_number=sequence))  # type: ignore[call-arg]  # every request has one
        self._waiting[sequence] = answer
        return answer

    async def _get(self, message: CtiMessage) -> Any:
        return await self.wait(self._ask(message))

    def wake_waiters(self) -> None:
        """Wake all tasks that wait for a state."""
        self._news.set()
        self._news = trio.Event()

    async def changed(self) -> None:
        """Wait for the next change of any state."""
        await self._news.wait()

    def _send(self, message: CtiMessage) -> None:
        if self._connection is None:
            raise ConnectionLost(f"no CTI manager: {self.last_error or 'not yet connected'}")
        try:
            self._connection.send(message)
        except RemoteProtocolError as error:
            # The connection has just failed, and the session is about to be forgotten.
            raise ConnectionLost(str(error)) from error
        self._to_send.set()

    async def run(self) -> None:
        """Stay in service until cancelled.

        Raises :class:`RequestFailed` when every CTI manager refuses the login from the first.
        """
        config = self.config
        back_off = BackOff(config.first_back_off, config.longest_back_off, random.random)
        while True:
            refused: RequestFailed | None = None
            sessions = self.sessions
            for host, port in self._managers:
                try:
                    await self._session(host, port)
                except RequestFailed as failed:
                    self._note(host, port, failed)
                    # Silence is no refusal: the server may answer later.
                    if failed.code != CTIFAILURE.TIMEOUT and not self.sessions:
                        refused = failed
                        self._refusals.append(self.last_error)
                    else:
                        self._tell(self.last_error)
                except RemoteProtocolError as error:
                    self.protocol_errors += 1
                    self._note(host, port, error)
                    self._tell(self.last_error)
                except ConnectionLost as lost:
                    self._note(host, port, lost)
                    self._tell(self.last_error)
                if self.sessions != sessions:
                    break
            if self.sessions != sessions:
                back_off.reset()
            elif refused is not None:
                raise type(refused)(refused.code, "; ".join(self._refusals)) from refused
            await trio.sleep(back_off.pause())

    def _note(self, host: str, port: int, error: TelephonyError) -> None:
        """Remember why there is no session, with the CTI manager and the user it is about."""
        peer = f"{host}:{port}"
        self.last_error = f"{peer}, user {self.user}: {str(error).removeprefix(peer).lstrip(': ')}"

    def _tell(self, why: str) -> None:
        if self.on_trouble is not None:
            self.on_trouble(why)
        else:
            self._troubles.tell(why, trio.current_time())

    async def _session(self, host: str, port: int) -> None:
        peer = f"{host}:{port}"
        stream: trio.abc.Stream | None = None
        why = ""
        try:
            with trio.move_on_after(self.config.connect_within), map_os_errors(peer):
                stream = await self._connect(host, port)
            if stream is None:
                raise ConnectionLost(f"{peer} does not answer")
            self._over = trio.Event()
            with trio.CancelScope() as self._scope:
                await self._speak(stream, host, peer)
            raise ConnectionLost(f"{peer}: {self._dropped}")
        except TelephonyError as error:
            why = str(error)
            raise
        finally:
            # The connection is closed by now: nothing of the session is left at the other end.
            self._forget(ConnectionLost(f"{peer}: connection lost"))
            if self._trace is not None and stream is not None:
                local, remote = self._addresses
                fields = {"user": self.user, "local": local, "remote": remote, "reason": why}
                self._trace(EventRecord(time.time(), "cti.connection_closed", fields))

    async def _speak(self, stream: trio.abc.Stream, host: str, peer: str) -> None:
        self._connection = WireConnection(Role.CLIENT)
        if self._trace is not None:
            frames = FrameTrace(self._trace, time.time, "cti", *self._addresses, without_keyed)
            self._connection.on_frame, self._connection.on_sent = frames.received, frames.sent
        async with stream, background() as tasks:
            tasks.start_soon(self._read, stream, self._connection, peer)
            tasks.start_soon(self._write, stream, self._connection, peer)
            tasks.start_soon(self._keep_time, self._connection)
            await self._log_in(host, self._connection)
            await self.restore()
            await trio.sleep_forever()

    async def _connect(self, host: str, port: int) -> trio.abc.Stream:
        transport = await trio.open_tcp_stream(host, port, local_address=self._source)
        local, remote = transport.socket.getsockname(), transport.socket.getpeername()
        self._addresses = (local[:2], remote[:2])
        if self._tls is None:
            return transport
        stream = trio.SSLStream(transport, self._tls, server_hostname=host, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException as error:
            await trio.aclose_forcefully(stream)
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                code = CTIFAILURE.CTIERR_INVALID_CERTIFICATE_USED
                raise RequestFailed(code, error.__cause__.verify_message) from error
            raise
        return stream

    async def _read(self, stream: trio.abc.Stream, connection: WireConnection, peer: str) -> None:
        while True:
            with map_os_errors(peer):
                data = await stream.receive_some(_READ)
            if data:
                connection.receive_data(bytes(data), trio.current_time())
            else:
                connection.receive_eof(trio.current_time())
            while (event := connection.next_event()) is not None:
                if isinstance(event, ConnectionClosed):
                    raise ConnectionLost(f"{peer}: connection closed")
                self._handle_message(event)

    async def _write(self, stream: trio.abc.Stream, connection: WireConnection, peer: str) -> None:
        while True:
            self._to_send = trio.Event()
            if data := connection.data_to_send():
                with map_os_errors(peer):
                    await stream.send_all(data)
            else:
                await self._to_send.wait()

    async def _keep_time(self, connection: WireConnection) -> None:
        while True:
            deadline = connection.next_deadline()
            nap = 0.5 if deadline is None else deadline - trio.current_time()
            await trio.sleep(min(max(nap, 0.0), 0.5))
            try:
                connection.handle_deadline(trio.current_time())
            except RemoteProtocolError as silent:
                raise ConnectionLost(str(silent)) from silent
            if connection.unsent > self.config.max_unsent:
                self.slow_managers += 1
                raise ConnectionLost("the CTI manager does not read what it is sent")
            self._to_send.set()

    async def _log_in(self, host: str, connection: WireConnection) -> None:
        application = f"pa-telephony[{os.getpid()}]@{socket.gethostname()}"
        init = await self._get(
            messages.ProviderInitRequest(
                provider=host,
                qbe_client_verion=self.config.client_version,
                application_id=application,
                plugin_name="pa-telephony",
            )
        )
        sealed, key = seal_password(
            self._password,
            certificate=init.certificate,
            nonce=init.nonce,
            key=secrets.token_hex(8),
        )
        self._opened = Answer("ProviderOpenRequest")
        await self._get(
            messages.ProviderOpenRequest(
                provider=host,
                qbe_client_version=self.config.client_version,
                login=self.user,
                password=sealed,
                encrypted_key_data=key,
                filter=ProviderEventFilter(
                    device_registered=True,
                    device_unregistered=True,
                    directory_change_notify=True,
                    device_config_change_notify=True,
                    device_em_login_status_change_notify=True,
                    device_multi_media_capability_changed_notify=True,
                ),
                application_id=application,
                desired_server_heartbeat_time=self.config.desired_heartbeat,
                plugin_name="pa-telephony",
                application_priority=APPLICATIONPRIORITY(2),
            )
        )
        opened: Any = None
        with trio.move_on_after(self.config.request_within):
            opened = await self._opened.wait()
        if opened is None:
            raise ConnectionLost("the CTI manager does not complete the login")
        connection.start_heartbeats(
            float(opened.client_heartbeat or 30),
            min(float(max(opened.server_heartbeat, 1) * _PATIENCE), _LONGEST_SILENCE),
            trio.current_time(),
        )
        await self._get(messages.ProviderGetCapabilitiesRequest())
        self.devices = {}
        self._directory_size = 0
        self._enumerated = Answer("ProviderGetAllDevicesAndLinesRequest")
        await self._get(messages.ProviderGetAllDevicesAndLinesRequest())
        await self._enumeration_ends(self._enumerated)
        self._in_service = True
        self.sessions += 1
        while self._refusals:
            self._tell(self._refusals.pop(0))
        if self.on_trouble is None:
            _LOG.info("user %s is in service at %s:%s", self.user, *self.manager)
        self.wake_waiters()

    async def _enumeration_ends(self, enumerated: Answer) -> None:
        # As long as devices come, however many there are, the server is at work.
        while True:
            known = self._directory_size
            with trio.move_on_after(self.config.request_within):
                await enumerated.wait()
                return
            if self._directory_size == known:
                raise ConnectionLost("the CTI manager does not complete the list of devices")

    def _handle_message(self, message: CtiMessage) -> None:
        if message.kind is Kind.RESPONSE:
            self._answered(message)
            return
        match message:
            case messages.ProviderOpenCompletedEvent():
                if message.reason and not self._in_service:
                    # At once: the connection's end may be read before the login's task runs.
                    raise _refused_login(message)
                if self._opened is not None:
                    self._opened.set(message)
            case messages.DeviceLineInfoEvent():
                self._list(message.device_name, [line.name for line in message.line_info])
            case messages.ProviderUserChangedEvent():
                self._user_changed(message)
            case messages.ProviderGetAllDevicesAndLinesCompletedEvent():
                if self._enumerated is not None:
                    self._enumerated.set(message)
            case messages.ProviderClosedEvent() if self._in_service:
                raise ConnectionLost(f"the CTI manager ends the session, {message.reason!r}")
            case _:
                self.handle_event(message)

    def _user_changed(self, message: messages.ProviderUserChangedEvent) -> None:
        """Take a change of the user's devices; the lines of a new one are asked for."""
        name = message.device_info.name
        for number in self.devices.pop(name, ()):
            self._directory_size -= _NAME_COST + len(number)
        if message.type_of_notification is PROVIDERUSERNOTIFYTYPE.DEVICEADD:
            self.post(messages.ProviderGetSingleDeviceAndLinesRequest(device_name=name))
        self.wake_waiters()

    def _list(self, device: str, lines: list[str]) -> None:
        self._directory_size += sum(_NAME_COST + len(name) for name in (device, *lines))
        if self._directory_size > self.config.max_directory:
            raise RemoteProtocolError(f"devices and lines of {self._directory_size} bytes")
        self.devices[device] = (*self.devices.get(device, ()), *lines)

    def _answered(self, message: CtiMessage) -> None:
        response: Any = message  # each has these two, and its own fields
        answer = self._waiting.get(response.sequence_number)
        if answer is None:
            return
        kind = type(message)
        if kind is not answer.expected and not (response.result and kind is _FAILURE):
            raise RemoteProtocolError(f"{kind.__name__} where {answer.expected.__name__} belongs")
        del self._waiting[response.sequence_number]
        # The event of a refused login says more than the response.
        if response.result:
            description = getattr(response, "description", "") or ""
            answer.fail(refused(response.result, description))
        else:
            answer.set(response)

    def _forget(self, lost: ConnectionLost) -> None:
        self._connection = None
        self._scope = None
        self._in_service = False
        for answer in [*self._waiting.values(), self._opened, self._enumerated]:
            if answer is not None:
                answer.fail(lost)
        self._waiting.clear()
        self.session_lost()
        self._over.set()
        self.wake_waiters()

    async def leave(self) -> None:
        """Close the provider at the CTI manager; wait for the answer for at most a second."""
        with (
            trio.move_on_after(1.0, shield=True),
            contextlib.suppress(ConnectionLost, RequestFailed),
        ):
            await self.request(messages.ProviderCloseRequest())


def _refused_login(message: messages.ProviderOpenCompletedEvent) -> RequestFailed:
    why = message.failure_description or ""
    if message.reason == CTIFAILURE.DIRECTORY_LOGIN_FAILED:
        # What a real server says of both (observed); it does not tell which.
        why = f"{why or 'login failed'} (no such user, or another password)"
    return RequestFailed(message.reason, why)


class Answer:
    """The answer of the CTI manager to a request, once it is known, or that none will come."""

    def __init__(
        self,
        to: str,
        at_once: Callable[[Any], None] | None = None,
        expected: type[CtiMessage] = CtiMessage,
    ) -> None:
        self.to = to
        """The name of the request that is answered."""
        self.sequence = -1
        self.expected = expected
        self.at_once = at_once
        self.error: Exception | None = None
        """The refusal, or the loss of the session; None for a response."""
        self._event = trio.Event()
        self._value: Any = None

    @property
    def known(self) -> bool:
        """Whether the answer, or that none will come, is known."""
        return self._event.is_set()

    def set(self, value: Any) -> None:
        """Set the response, and pass it to ``at_once``."""
        self._value = value
        if self.at_once is not None:
            self.at_once(value)
        self._event.set()

    def fail(self, error: Exception) -> None:
        """Set the error that stands in place of a response."""
        if not self._event.is_set():
            self.error = error
            self._event.set()

    async def settled(self) -> None:
        """Wait until the answer, or that none will come, is known."""
        await self._event.wait()

    async def wait(self) -> Any:
        """Wait for the response; raises the error that there is in its place."""
        await self._event.wait()
        if self.error is not None:
            raise self.error
        return self._value
