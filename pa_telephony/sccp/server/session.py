"""One connected station at a server: its bytes, its turns, its end, over a :class:`Registrar`.

What a station sends wrong closes its own connection, is counted, and touches nobody else; and so
does a bug, of ours or of the directory's, that it brings out.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import socket
import time
from collections.abc import Callable
from typing import Protocol

import trio

from pa_telephony.errors import ConnectionLost, InternalError, RemoteProtocolError
from pa_telephony.faults import Seldom, report_fault, told_of
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceResetType, DeviceType, PhoneFeatures
from pa_telephony.sccp.keyed import KEYED
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import (
    Received,
    Registrar,
    RegistrarConfig,
    RegistrarEvent,
    RegistrationAsked,
    SessionEnded,
    StandbyAsked,
    State,
    TokenAsked,
    UnregistrationAsked,
)
from pa_telephony.serving import Door, PeerCounters
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import Direction, Trace
from pa_telephony.turns import Turns
from pa_telephony.wire.framing import frames_in

__all__ = ["Counters", "Directory", "SessionOwner", "StationSession"]

_READ = 256
"""Bytes taken at a time, some 20 messages at most; they are answered in turns
(:mod:`~pa_telephony.fairness`), and no more is read before they are."""
_LINGER = 1.0
_LONGEST_PROBE = 32_767
"""The most seconds that Linux takes between two probes."""


class Counters(PeerCounters):
    """What a server has seen; plain numbers, for status pages and tests."""

    def __init__(self) -> None:
        super().__init__()
        self.registrations = 0
        self.rejections = 0
        self.refused_unseen = 0
        """Registrations and tokens of an address that tried too many names that there are not."""
        self.address_changes = 0
        """Registrations from another address than the one that the name had before."""
        self.standbys_refused = 0
        """Stations that were to stand by, and found no place for that."""
        self.tokens_refused = 0
        self.slow_stations = 0


class Directory(Protocol):
    """Who may register, and who is told. All methods are called in order and must not block.

    An exception that one of them raises ends the session it was called for, and is counted in
    :attr:`Counters.internal_errors`.
    """

    def find_device(self, name: str) -> Device | None:
        """The device of this name, None if there is none."""
        ...

    def registered(self, session: StationSession) -> None:
        """A device is registered; its RegisterAck is queued."""
        ...

    def unregistered(self, session: StationSession, reason: str) -> None:
        """A device that was registered is no longer."""
        ...

    def received(self, session: StationSession, message: SccpMessage) -> None:
        """A registered device sent a message that the registrar does not answer."""
        ...

    def may_unregister(self, session: StationSession) -> bool:
        """Whether the device may leave now (not while a call is up)."""
        ...


class SessionOwner(Protocol):
    """What a session needs of the server that accepted it."""

    config: RegistrarConfig
    directory: Directory
    counters: Counters
    turns: Turns
    trace: Trace | None
    door: Door
    told_bugs: Seldom

    def record(self, direction: Direction, session: StationSession, frame: bytes) -> None:
        """Give one frame to the trace."""
        ...

    def record_error(self, session: StationSession, error: BaseException) -> None:
        """Tell the trace why the connection of a station that broke the protocol is closed."""
        ...

    def decide(
        self, session: StationSession, registrar: Registrar, request: messages.RegisterReq
    ) -> None:
        """Accept or reject a RegisterReq."""
        ...

    def stand_by(self, session: StationSession, registrar: Registrar) -> None:
        """Let a station stand by, or close its connection when too many do."""
        ...

    def token(self, session: StationSession, request: messages.RegisterTokenReq) -> int:
        """Whether a station may come back now (0), or the seconds until it may ask again."""
        ...

    def forget(self, session: StationSession, reason: str, was_registered: bool) -> None:
        """Note that a session is over: its name is free at once."""
        ...


class StationSession:
    """One connected station. ``send`` never blocks: the messages wait for the socket."""

    def __init__(
        self, server: SessionOwner, stream: trio.SocketStream, registrar: Registrar
    ) -> None:
        local, remote = stream.socket.getsockname(), stream.socket.getpeername()
        self.local_address: tuple[str, int] = (local[0], local[1])
        self.address: tuple[str, int] = (remote[0], remote[1])
        self.capabilities: tuple[messages.Capability, ...] = ()
        self._server = server
        self._stream = stream
        self._registrar = registrar
        self._turns = server.turns.turn(remote[0])
        self._outgoing = bytearray()
        self._nursery: trio.Nursery | None = None
        self._scope = trio.CancelScope()
        self._alarm = trio.CancelScope()
        """Ends when the session has to be looked at."""
        self._ending = ""
        self._left = False
        self._told_registered = False
        self._frame = b""
        """What the station said that is being answered."""
        registrar.watch_frames(self._take_frame)

    def __repr__(self) -> str:
        return f"<StationSession {self.name or '(unregistered)'} {self.address[0]}>"

    @property
    def device(self) -> Device:
        """What the station registered as."""
        assert self._registrar.device is not None
        return self._registrar.device

    def update(self, device: Device) -> None:
        """Answer the station's questions from ``device`` from now on."""
        self._registrar.device = device

    @property
    def name(self) -> str:
        """The device name; "" before registration."""
        return self._registrar.device.name if self._registrar.device else ""

    @property
    def device_type(self) -> DeviceType:
        """The type the station says it is."""
        return self._registrar.device_type

    @property
    def version(self) -> int:
        """The negotiated session version."""
        return self._registrar.version

    @property
    def features(self) -> PhoneFeatures:
        """What the station announced with its registration."""
        return self._registrar.features

    @property
    def last_heard(self) -> float:
        """When the station last sent anything, on trio's clock."""
        return self._registrar.last_heard

    @property
    def silent_at(self) -> float:
        """When it will have said nothing for so long that another may have its name."""
        return self._registrar.silent_at

    @property
    def ended(self) -> bool:
        """Whether the session is over, and has left or tried to."""
        return self._left

    def told_at_end(self) -> dict[str, object]:
        """What the trace is told when the connection is over."""
        return {
            "device": self.name,
            "local": self.local_address,
            "remote": self.address,
            "reason": self._ending,
        }

    def probe(self) -> None:
        """Let TCP ask the other side whether it still has this connection, where TCP can.

        A host that was started anew says no at once, and the session is over. Nothing is sent that
        a station sees, and silence ends nothing that is not overdue anyhow.
        """
        if not hasattr(socket, "TCP_KEEPIDLE"):
            return
        deadline = self._registrar.next_deadline()
        patience = 1.0 if deadline is None else deadline - trio.current_time()
        options = {
            socket.TCP_KEEPIDLE: 1,
            socket.TCP_KEEPINTVL: min(max(1, math.ceil(patience)), _LONGEST_PROBE),
            socket.TCP_KEEPCNT: 3,
        }
        with contextlib.suppress(OSError):
            for option, value in options.items():
                self._stream.setsockopt(socket.IPPROTO_TCP, option, value)
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def send(self, *what: SccpMessage) -> None:
        """Queue messages; dropped when the session is over. A station that does not read goes.

        What cannot be sent ends this session as a bug does: whoever sends is in the middle of
        something, most often of another station's call.
        """
        if self._ending:
            return
        try:
            for message in what:
                self._registrar.send(message)
            self._flush()
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._abandon("internal error")

    def reset(self, kind: DeviceResetType = DeviceResetType.RESET) -> None:
        """Tell the station to start anew; it unregisters when its calls are over."""
        self.send(messages.Reset(reset_type=kind))

    def close(self, reason: str) -> None:
        """End the session; what is queued is still sent."""
        self._turn(lambda: self._registrar.end_session(reason))

    def turn_out(self) -> None:
        """End the session at once: it has not registered, and another has its place."""
        self._abandon("made room: it has not registered, and most such come from its address")
        self._server.door.tell_turned_out(self.address[0])

    def _flush(self) -> None:
        data = self._registrar.data_to_send()
        if not data:
            return
        self._trace_frames(data)
        data = data[self._sent_at_once(data) :]
        if not data:
            return
        self._outgoing += data
        if len(self._outgoing) > self._server.config.max_unsent and not self._ending:
            self._server.counters.slow_stations += 1
            self._abandon("does not read what it is sent")
        elif len(self._outgoing) == len(data) and not self._scope.cancel_called:
            # A lost link cancels before its task runs and says so; then nobody writes any more.
            assert self._nursery is not None
            self._nursery.start_soon(self._write)

    def _abandon(self, reason: str) -> None:
        """End as soon as our own task runs: the owner may be in the middle of another's call."""
        self._stop(reason)
        self._scope.cancel()

    def _take_frame(self, frame: bytes) -> None:
        self._frame = frame
        if self._server.trace is not None:
            self._server.record("received", self, frame)

    def _sent_at_once(self, data: bytes) -> int:
        """How many bytes the socket takes now: nearly always all, and no task has to be woken."""
        if self._outgoing:
            return 0
        try:
            return os.write(self._stream.socket.fileno(), data)
        except OSError:
            # Full or broken: a task waits, or finds out and ends the session.
            return 0

    def _trace_frames(self, data: bytes) -> None:
        if self._server.trace is None:
            return
        for frame in frames_in(data):
            self._server.record("sent", self, frame)

    async def run(self) -> None:
        """Serve the connection until it ends."""
        peer = f"{self.address[0]}:{self.address[1]}"
        try:
            async with trio.open_nursery() as nursery:
                self._nursery, self._scope = nursery, nursery.cancel_scope
                nursery.start_soon(self._watch)
                await self._read(peer)
                self._end("connection closed")
        except* ConnectionLost as lost:
            self._end(str(lost.exceptions[0]))
        except* Exception as bugs:  # noqa: BLE001  # reported, and this session ended
            self._report(bugs)
            self._end("internal error")
        finally:
            self._end("server closed")

    async def _read(self, peer: str) -> None:
        while not self._ending:
            try:
                with map_os_errors(peer):
                    data = await self._stream.receive_some(_READ)
            except ConnectionLost as lost:
                # When hundreds are gone at once, that is much to do.
                await self._turns.begin(last=True)
                self._end(str(lost))
                self._turns.end()
                return
            step: Callable[[], None] | None = functools.partial(self._receive, bytes(data))
            size = len(data)
            while step is not None and not self._ending:
                await self._turns.begin(size, last=not data)
                step, size = self._turn(step, self._turns.is_over), 0
                self._turns.end()

    def _receive(self, data: bytes) -> None:
        if data:
            self._registrar.receive_data(data, trio.current_time())
        else:
            self._registrar.receive_eof(trio.current_time())

    def _turn(
        self, step: Callable[[], None], is_over: Callable[[], bool] = lambda: False
    ) -> Callable[[], None] | None:
        """Do something to the session, and deal with what comes of it: the guard around it.

        Whatever goes wrong ends this session, before anybody else's turn: others send to us until
        we end. There is nothing to await in here, so no cancellation can come this way.

        Gives the next step, if ``is_over`` says that what is left has to wait for another turn.
        """
        next_step: Callable[[], None] | None = None
        try:
            step()
            while (event := self._registrar.next_event()) is not None:
                self._handle_event(event)
                if is_over():
                    next_step = _go_on
                    break
            self._flush()
        except RemoteProtocolError as error:
            self._server.counters.protocol_errors += 1
            self._server.record_error(self, error)
            self._end(f"protocol error: {error}")
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._end("internal error")
        self._frame = b""
        return next_step

    def _report(self, error: Exception) -> None:
        self._server.counters.internal_errors += 1
        message, frame = told_of(
            self._frame, id_at=8, spelling="0x{:04x}", kinds=SccpMessage.registry, keyed=KEYED
        )
        report_fault(
            error,
            protocol="sccp",
            who=self.name,
            remote=self.address,
            message=message,
            frame=frame,
            trace=self._server.trace,
            now=time.time(),
            times=self._server.told_bugs.told(trio.current_time()),
        )

    async def _write(self) -> None:
        """Send what the socket did not take at once, and what is queued meanwhile."""
        with map_os_errors(f"{self.address[0]}:{self.address[1]}"):
            while self._outgoing:
                data = bytes(self._outgoing)
                await self._stream.send_all(data)
                del self._outgoing[: len(data)]
        if self._ending:
            self._scope.cancel()

    async def _watch(self) -> None:
        while not self._ending:
            deadline = self._registrar.next_deadline()
            if deadline is None:
                return
            with trio.CancelScope(deadline=deadline) as self._alarm:
                await trio.sleep_forever()
            if self._ending:
                return
            await self._turns.begin()
            self._turn(self._look_at_clock)
            self._turns.end()

    def _look_at_clock(self) -> None:
        before = self._registrar.state
        self._registrar.handle_deadline(trio.current_time())
        if self._registrar.state is State.CLOSED and before is not State.CLOSED:
            self._server.counters.timeouts += 1

    def _handle_event(self, event: RegistrarEvent) -> None:
        try:
            match event:
                case RegistrationAsked():
                    self._server.decide(self, self._registrar, event.request)
                case StandbyAsked():
                    self._server.stand_by(self, self._registrar)
                case TokenAsked():
                    self._registrar.answer_token(self._server.token(self, event.request))
                case UnregistrationAsked():
                    if self._server.directory.may_unregister(self):
                        self._registrar.accept()
                    else:
                        self._registrar.reject()
                case Received(message):
                    if isinstance(message, messages.CapabilitiesRes):
                        self.capabilities = message.caps
                    self._server.directory.received(self, message)
                case SessionEnded(reason):
                    self._flush()
                    self._end(reason)
        except RemoteProtocolError as error:
            # The station's frames were whole: this comes from whoever was told of them.
            raise InternalError(f"{type(error).__name__}: {error}") from error

    def _stop(self, reason: str) -> None:
        if self._ending:
            return
        self._ending = reason
        if not self._outgoing:
            self._scope.cancel()
            return
        # The last messages get this long to leave; a peer that does not read loses them.
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + _LINGER)

    def _end(self, reason: str) -> None:
        self._stop(reason)
        if self._left:
            return
        self._left = True
        try:
            self._server.forget(self, self._ending, self._told_registered)
        except Exception as error:  # noqa: BLE001  # reported; the session has ended already
            self._report(error)

    def confirm(self, device: Device) -> None:
        """Accept the registration that was asked for (the server decides)."""
        self._registrar.accept(device)
        self._turns.known()
        # A short keepalive runs out before the time there was to register in.
        self._alarm.deadline = self._registrar.next_deadline() or self._alarm.deadline
        self._flush()
        self._told_registered = True


def _go_on() -> None:
    """Nothing new; there was more to do than a turn is long."""
