"""Serve stations over TCP: one session per connection, one registration per device name.

The owner of the stations (a call manager) implements :class:`Directory`; everything a station
needs to register is answered here. What a station sends wrong closes its own connection, is
counted, and touches nobody else; and so does a bug, of ours or of the owner's, that it brings out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import logging
import math
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import trio

from pa_telephony.admission import Lobby
from pa_telephony.descriptors import Descriptors, prepare
from pa_telephony.errors import ConnectionLost, InternalError, RemoteProtocolError
from pa_telephony.faults import MOST_BUGS, Seldom, report_fault, told_of
from pa_telephony.guesses import Attempt
from pa_telephony.printable import printable
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceResetType, DeviceType, PhoneFeatures
from pa_telephony.sccp.keyed import KEYED, without_keyed
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import names
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
from pa_telephony.sccp.server.tokens import Tokens
from pa_telephony.serving import Door, DoorCounters, serve_connections
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import Direction, EventRecord, FrameRecord, Trace, guarded
from pa_telephony.turns import Turns

__all__ = [
    "Counters",
    "Directory",
    "StationServer",
    "StationSession",
    "local_time",
    "serve_stations",
]

_READ = 256
"""Bytes taken at a time, some 20 messages at most; they are answered in turns
(:mod:`~pa_telephony.fairness`), and no more is read before they are."""
_LINGER = 1.0
_HARDLY_A_GUESS = 0.9
"""The part of a guess's price that is given back where the name is known."""
_LONGEST_PROBE = 32_767
"""The most seconds that Linux takes between two probes."""
_MOST_CHANGES = 20
"""Changes of address that the log has within a minute: a takeover brings all at once, and two who
take a name in turns bring them without end. The trace has all, and the newest can be asked for."""
_LOG = logging.getLogger("pa_telephony.sccp")


class Counters(DoorCounters):
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
        self.protocol_errors = 0
        self.timeouts = 0
        self.slow_stations = 0
        self.internal_errors = 0
        """Connections closed for a bug, of ours or of the directory's; the log has tracebacks."""


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


class StationSession:
    """One connected station. ``send`` never blocks: the messages wait for the socket."""

    def __init__(
        self, server: StationServer, stream: trio.SocketStream, registrar: Registrar
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
        start = 0
        while start < len(data):
            end = start + 8 + int.from_bytes(data[start : start + 4], "little")
            self._server.record("sent", self, data[start:end])
            start = end

    async def _run(self) -> None:
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


def local_time() -> datetime.datetime:
    """What time it is here, for the displays of phones."""
    return datetime.datetime.now().astimezone()


def _go_on() -> None:
    """Nothing new; there was more to do than a turn is long."""


class StationServer:
    """The sessions of one listener, by device name."""

    def __init__(
        self,
        directory: Directory,
        config: RegistrarConfig,
        trace: Trace | None,
        descriptors: Descriptors | None = None,
        turns: Turns | None = None,
    ) -> None:
        if descriptors is not None:
            config = config.fitted(descriptors)
        self.directory = directory
        self.turns = turns or Turns()
        self.config = config
        self.trace = guarded(trace)
        self.counters = Counters()
        self.sessions: dict[str, StationSession] = {}
        self._connections: set[StationSession] = set()
        self._lobby = Lobby(config.max_unregistered, config.max_unregistered_of_one_address)
        self.door = Door(
            self._lobby, config.max_connections, self.counters, descriptors, _LOG, "registered"
        )
        self._standby = Lobby(config.max_standing_by, config.max_standing_by_of_one_address)
        self._tokens = Tokens(
            config.max_tokens, config.max_tokens_of_one_address, config.token_wait
        )
        self._guesses = config.guesses()
        self._told_rejected, self._told_guesses = Seldom(), Seldom()
        self.told_bugs = Seldom(at_once=MOST_BUGS)
        self._told_changes = {
            level: Seldom(at_once=_MOST_CHANGES) for level in (logging.INFO, logging.WARNING)
        }
        self.addresses = names.Addresses(config.max_connections)
        """From where each name came last, and which have changed."""

    def record(self, direction: Direction, session: StationSession, frame: bytes) -> None:
        """Give one frame to the trace."""
        if self.trace is not None:
            self.trace(
                FrameRecord(
                    time.time(),
                    "sccp",
                    direction,
                    session.local_address,
                    session.address,
                    frame,
                    without_keyed(frame),
                )
            )

    def record_error(self, session: StationSession, error: BaseException) -> None:
        """Tell the trace why a connection is closed on a station that broke the protocol."""
        fields = {"device": session.name, "remote": session.address, "error": str(error)}
        self._record_event("sccp.protocol_error", fields)

    def _record_event(self, kind: str, fields: Mapping[str, object]) -> None:
        if self.trace is not None:
            self.trace(EventRecord(time.time(), kind, fields))

    def decide(
        self, session: StationSession, registrar: Registrar, request: messages.RegisterReq
    ) -> None:
        """Say yes or no to a RegisterReq: by what the device is, then by who has the name.

        :data:`~pa_telephony.sccp.server.names.TABLE` has the second part: our answer to a question
        that real call managers answer in four ways (docs/protocol-sccp.md §5).
        """
        name = request.device_name
        attempt = self._attempt(session, name)
        if attempt is None:
            # Nothing was looked up: a name that there is gets the same answer.
            self._reject(session, registrar, name, "Too many names: try later")
            return
        device = self.directory.find_device(name)
        if device is None:
            self._guesses.wrong(attempt, trio.current_time())
            self._reject(session, registrar, name, "Device Unknown")
            return
        # Who looks for names is held up by those that there are not.
        self._guesses.give_back(attempt, _HARDLY_A_GUESS)
        if device.device_type not in (None, request.device_type):
            self._reject(session, registrar, name, "Wrong Device Type")
            return
        if session.name and session.name != name:
            self._reject(session, registrar, name, "Already Registered")
            return
        old = self._holder(name)
        again = old is session
        asked = names.Input.REGISTER_AGAIN if again else names.Input.REGISTER
        effect = self._look_up(old, asked)
        silent_for: float | None = None
        if effect is names.Effect.REFUSE:
            assert old is not None
            old.probe()
            self._reject(session, registrar, name, "Crossover session")
            return
        if effect is names.Effect.REPLACE:
            assert old is not None
            silent_for = trio.current_time() - old.last_heard
            old.close(f"silent for {silent_for:.1f} s, replaced from {session.address[0]}")
        self._guesses.give_back(attempt, 1 - _HARDLY_A_GUESS)
        self._guesses.is_good(attempt, trio.current_time())
        session.confirm(device)
        self._tokens.take_back(session)
        self._lobby.leave(session)
        self._standby.leave(session)
        if not again:
            self.sessions[name] = session
            self.counters.registrations += 1
            self._note_address(session, silent_for)
            self.directory.registered(session)

    def _holder(self, name: str) -> StationSession | None:
        """The session that has a name; one that is over has none, however its end went."""
        session = self.sessions.get(name)
        return None if session is None or session.ended else session

    def _look_up(self, holder: StationSession | None, asked: names.Input) -> names.Effect:
        silent_at = None if holder is None else holder.silent_at
        _, effect = names.step(names.state_of(silent_at, trio.current_time()), asked)
        return effect

    def _note_address(self, session: StationSession, silent_for: float | None) -> None:
        """Say that a name is registered from another address than before, if it is."""
        change = self.addresses.registered(
            session.name, session.address[0], silent_for, time.time()
        )
        if change is None:
            return
        self.counters.address_changes += 1
        # Nothing to worry about when the old connection was over: a phone that moved, a stand-in.
        level = logging.INFO if silent_for is None else logging.WARNING
        told = self._told_changes[level]
        if told.due(trio.current_time()):
            _LOG.log(level, "%s%s", change, told.times())
        self._record_event("sccp.address_changed", dataclasses.asdict(change))

    def stand_by(self, session: StationSession, registrar: Registrar) -> None:
        """Let a station stand by, or close its connection when too many do.

        Whoever stands by already stays, and takes up no place of those who come to register.
        """
        address = session.address[0]
        if self._standby.full or self._standby.crowded(address):
            self.counters.standbys_refused += 1
            registrar.end_session("too many stand by")
            return
        self._lobby.leave(session)
        self._standby.enter(session, address)
        registrar.stand_by()

    def token(self, session: StationSession, request: messages.RegisterTokenReq) -> int:
        """Whether a station may come back now (0), or the seconds after which it may ask again.

        Real call managers pace a mass return with a queue (documented); ours lets so many be on
        their way at once. A name whose old connection is there and not silent waits, as with
        chan-sccp; one that is registered in this session is here already.
        """
        name = request.device_name
        old = self._holder(name)
        asked = names.Input.TOKEN_AGAIN if old is session else names.Input.TOKEN
        effect = self._look_up(old, asked)
        if effect is names.Effect.IS_HERE:
            return 0
        if effect is names.Effect.MUST_WAIT and old is not None:
            old.probe()
        attempt = self._attempt(session, name)
        known = attempt is not None and self.directory.find_device(name) is not None
        if attempt is not None and known:
            self._guesses.give_back(attempt, _HARDLY_A_GUESS)
        elif attempt is not None:
            self._guesses.wrong(attempt, trio.current_time())
        # Registered under another name, it cannot come; nor can one that nobody knows.
        may_come = effect is names.Effect.MAY_COME and known and not session.name
        address = session.address[0]
        if may_come and self._tokens.give(session, name, address, trio.current_time()):
            return 0
        self.counters.tokens_refused += 1
        return self.config.token_wait

    def _reject(
        self, session: StationSession, registrar: Registrar, name: str, reason: str
    ) -> None:
        self.counters.rejections += 1
        address = session.address[0]
        if self._told_rejected.due(trio.current_time()):
            times = self._told_rejected.times()
            _LOG.info("%s from %s is not registered%s: %s", printable(name), address, times, reason)
        self._record_event(
            "sccp.registration_rejected",
            {"device": name, "remote": session.address, "reason": reason},
        )
        registrar.reject(reason)

    def _attempt(self, session: StationSession, name: str) -> Attempt | None:
        """Whether a name may be looked up; None: its address has tried too many."""
        address, now = session.address[0], trio.current_time()
        attempt = self._guesses.ask(address, name, b"", now)
        if attempt is None:
            self.counters.refused_unseen += 1
            if self._told_guesses.due(now):
                most = self.config.max_unknown_names_of_one_address
                _LOG.warning(
                    "%s tried more than %d unknown names within %g s, the last %s%s: no other is "
                    "looked up now but those that registered from there within a day",
                    *(address, most, self.config.unknown_names_within, printable(name)),
                    self._told_guesses.times(),
                )
        return attempt

    def forget(self, session: StationSession, reason: str, was_registered: bool) -> None:
        """A session is over: its name is free at once."""
        # First of all, and by nothing that could fail: else the name stays a dead session's.
        if self.sessions.get(session.name) is session:
            del self.sessions[session.name]
        try:
            self._tokens.take_back(session)
        finally:
            if was_registered:
                self.directory.unregistered(session, reason)

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection until it ends."""
        try:
            if not self.door.lets_in(stream, len(self._connections)):
                await trio.aclose_forcefully(stream)
                return
            registrar = Registrar(self.config, trio.current_time(), local_time)
            session = StationSession(self, stream, registrar)
        except OSError:
            # Gone before it was looked at.
            await trio.aclose_forcefully(stream)
            return
        # All of it, and whatever fails of it: a place that nobody gives back is gone for ever.
        with contextlib.ExitStack() as leaving:
            leaving.callback(self._tell_end, session)
            leaving.callback(self._connections.discard, session)
            leaving.callback(self._standby.leave, session)
            leaving.callback(self._lobby.leave, session)
            self.counters.connections += 1
            self._connections.add(session)
            self._lobby.enter(session, session.address[0], session.turn_out)
            try:
                await session._run()  # pyright: ignore[reportPrivateUsage]
            finally:
                await trio.aclose_forcefully(stream)

    def _tell_end(self, session: StationSession) -> None:
        self._record_event("sccp.connection_closed", session.told_at_end())


async def serve_stations(
    directory: Directory,
    *,
    host: str = "127.0.0.1",
    port: int = 2000,
    config: RegistrarConfig | None = None,
    trace: Trace | None = None,
    turns: Turns | None = None,
    task_status: trio.TaskStatus[
        tuple[StationServer, Sequence[tuple[str, int]]]
    ] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve stations until cancelled.

    ``task_status.started`` gets the server and the list of (address, port) that are listened on;
    port 0 chooses a free one. Two servers of one process share ``turns``, so that neither makes
    the other wait. Raises :class:`ConnectionLost` when the address cannot be had.
    """
    config = config or RegistrarConfig()
    descriptors = prepare(config.max_connections, f"stations at {host}:{port}")
    server = StationServer(directory, config, trace, descriptors, turns)
    with map_os_errors(f"{host}:{port}"):
        # A burst of phones after a power cut must fit into the backlog.
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=4096)
    addresses = [each.socket.getsockname()[:2] for each in listeners]
    task_status.started((server, addresses))
    await serve_connections(listeners, server.handle, _LOG)
