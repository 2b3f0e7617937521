"""One connected application at the CTI Manager: its bytes, its turns, its login, its end.

What an application sends wrong closes its own connection, is counted, and touches nobody else; and
so does a bug, of ours or of the call manager's, that it brings out. What it asks for is answered by
:mod:`~pa_telephony.cti.server.session`, which does no I/O.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import secrets
import time
from collections.abc import Callable
from typing import Protocol

import trio

from pa_telephony.admission import Lobby
from pa_telephony.cti.connection import ConnectionClosed, Role, WireConnection
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.keyed import KEYED, without_keyed
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.messages import ProviderOpenRequest
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CallControl, Event
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import ProviderSession
from pa_telephony.errors import ConnectionLost, RemoteProtocolError
from pa_telephony.faults import Seldom, report_fault, told_of
from pa_telephony.guesses import Attempt, Guesses
from pa_telephony.serving import PeerCounters
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import Direction, EventRecord, FrameRecord, Trace
from pa_telephony.turns import Turns

__all__ = ["ApplicationSession", "Counters", "SessionOwner"]

_READ = 8192
"""Bytes taken at a time. The connection passes over heartbeats and unknown messages without coming
back to us: 256 of the smallest take 3 ms, the 2,000 in 64 KiB took 25 ms (bench/flood.py)."""
_LINGER = 1.0
_NONCE_BYTES = 8
_MISSED_HEARTBEATS = 3


class Counters(PeerCounters):
    """What a CTI Manager has seen; plain numbers, for status pages and tests."""

    def __init__(self) -> None:
        super().__init__()
        self.logins = 0
        self.refused_logins = 0
        self.delayed_logins = 0
        """Logins that waited because of wrong passwords from their address."""
        self.logins_refused_unseen = 0
        """Logins that would have waited too long for that."""
        self.slow_applications = 0


class SessionOwner(Protocol):
    """What a session needs of the CTI Manager that accepted it."""

    backend: CallControl
    certificate: Certificate
    config: CtiManagerConfig
    counters: Counters
    guesses: Guesses
    handles: itertools.count[int]
    lobby: Lobby
    told_bugs: Seldom
    trace: Trace | None
    turns: Turns

    def sessions_of(self, user: str) -> int:
        """How many applications are logged in as ``user``."""
        ...

    def logged_in(self, session: ApplicationSession) -> None:
        """Count a session among those of its user, until it is over."""
        ...

    def attempt(
        self, address: str, user: str, password: Callable[[], str | None]
    ) -> Attempt | None:
        """When a login may be looked at; None: not now (:mod:`pa_telephony.guesses`)."""
        ...

    def tell_refused(self, address: str, user: str, why: str) -> None:
        """Say that a login was refused, seldom."""
        ...

    def tell_plain(self, user: str, address: str) -> None:
        """Say once of each user that its password came in on a plain link."""
        ...


class ApplicationSession:
    """One connected application."""

    def __init__(
        self, manager: SessionOwner, stream: trio.abc.Stream, transport: trio.SocketStream
    ) -> None:
        local, remote = transport.socket.getsockname(), transport.socket.getpeername()
        self.local_address: tuple[str, int] = (local[0], local[1])
        self.address: tuple[str, int] = (remote[0], remote[1])
        self._manager = manager
        self._transport = transport
        self._stream = stream
        self._connection = WireConnection(Role.SERVER, logged_in=False)
        self._frame = b""
        """What the application said that is being answered."""
        self._connection.on_frame = self._take_frame
        self._session = ProviderSession(
            manager.backend,
            manager.config,
            self._send,
            manager.certificate,
            secrets.token_hex(_NONCE_BYTES),
            manager.handles,
            self,
            manager.sessions_of,
        )
        self._turns = manager.turns.turn(remote[0])
        self._outgoing = bytearray()
        self._writing = False
        """Whether the task that sends is in the middle of it."""
        self._news = trio.Event()
        self._scope = trio.CancelScope()
        self._logged_in = trio.Event()
        self._ending = ""
        self._left = False

    def __repr__(self) -> str:
        return f"<ApplicationSession {self.user or '(not logged in)'} {self.address[0]}>"

    @property
    def user(self) -> str:
        """Who is logged in; "" before the login."""
        return self._session.user

    @property
    def open_lines(self) -> int:
        """How many lines the application has open."""
        return self._session.open_lines

    def takes_calls(self, device: str) -> bool:
        """Whether new calls at a line of ``device`` are told to the application."""
        return self._session.takes_calls(device)

    def told_at_end(self) -> dict[str, object]:
        """What the trace is told when the connection is over."""
        return {
            "user": self.user,
            "local": self.local_address,
            "remote": self.address,
            "reason": self._ending,
        }

    def notify(self, event: Event) -> None:
        """The call manager tells something.

        A bug in telling it ends this session: whoever made it happen is in the middle of a call.
        """
        if self._ending:
            return
        try:
            self._session.notify(event)
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._abandon("internal error")

    def close(self, reason: str) -> None:
        """End the session; what is queued is still sent."""
        self._end(reason)

    def turn_out(self) -> None:
        """End the session at once: it has not logged in, and another has its place."""
        self._abandon("made room: it has not logged in, and most such come from its address")

    async def run(self) -> None:
        """Serve the connection until it ends."""
        peer = f"{self.address[0]}:{self.address[1]}"
        try:
            async with trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                nursery.start_soon(self._write, peer)
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
            # Whatever goes wrong ends this session, before anybody else's turn: what others do is
            # told to us until we stop.
            await self._turns.begin(len(data), last=not data)
            try:
                await self._handle_data(bytes(data))
            except RemoteProtocolError as error:
                self._manager.counters.protocol_errors += 1
                self._record_error(error)
                self._end(f"protocol error: {error}")
            except Exception as error:  # noqa: BLE001  # reported, and this session ended
                self._report(error)
                self._end("internal error")
            self._send_at_once()
            self._turns.end()
            self._frame = b""

    async def _handle_data(self, data: bytes) -> None:
        """Answer what was said; in a turn of ours, as it begins and as it ends."""
        if data:
            self._connection.receive_data(data, trio.current_time())
        else:
            self._connection.receive_eof(trio.current_time())
        while (event := self._connection.next_event()) is not None:
            if isinstance(event, ConnectionClosed):
                self._end("connection closed")
            elif isinstance(event, ProviderOpenRequest):
                await self._log_in(event)
            else:
                self._session.handle_request(event)
                while not self._ending and self._session.go_on():
                    await self._let_others_go()
            if self._ending:
                return
            if self._session.closed:
                # The application closes the connection itself; Cisco's client stumbles
                # when the server is faster (observed). It gets this long.
                deadline = trio.current_time() + _LINGER
                self._scope.deadline = min(self._scope.deadline, deadline)
            await self._let_others_go()

    async def _let_others_go(self) -> None:
        """Go on in the next turn, if this one has been long enough."""
        if self._turns.is_over():
            self._turns.end()
            await self._turns.begin()

    def _report(self, error: Exception) -> None:
        self._manager.counters.internal_errors += 1
        message, frame = told_of(
            self._frame, id_at=16, spelling="{}", kinds=CtiMessage.registry, keyed=KEYED
        )
        report_fault(
            error,
            protocol="cti",
            who=self.user,
            remote=self.address,
            message=message,
            frame=frame,
            trace=self._manager.trace,
            now=time.time(),
            times=self._manager.told_bugs.told(trio.current_time()),
        )

    async def _rest(self, seconds: float) -> None:
        """Wait, while others have their turns."""
        self._turns.end()
        await trio.sleep(seconds)
        await self._turns.begin()

    async def _log_in(self, request: ProviderOpenRequest) -> None:
        session, manager = self._session, self._manager
        if session.open:
            session.handle_request(request)
            return
        open_it = functools.partial(session.password_in, request)
        attempt = manager.attempt(self.address[0], request.login, open_it)
        if attempt is None:
            session.refuse_for_now(request)
            self._flush()
            self._stop("login refused unseen: too many wrong passwords from its address")
            return
        if attempt.wait:
            await self._rest(attempt.wait)
        session.handle_request(request)
        if session.open:
            manager.guesses.right(attempt, trio.current_time())
            manager.counters.logins += 1
            manager.logged_in(self)
            self._connection.logged_in = True
            self._turns.known()
            manager.lobby.leave(self._transport)
            if self._stream is self._transport:
                manager.tell_plain(self.user, self.address[0])
            every = float(manager.config.heartbeat)
            self._connection.start_heartbeats(
                every, every * _MISSED_HEARTBEATS, trio.current_time()
            )
            self._logged_in.set()
        elif session.refused_login:
            manager.guesses.wrong(attempt, trio.current_time())
            manager.counters.refused_logins += 1
            manager.tell_refused(self.address[0], request.login, session.refusal)
            # The refusal is queued and not yet sent: who guesses waits for each answer.
            await self._rest(manager.config.wrong_password_delay)
            self._flush()
            self._stop(f"login refused: {session.refusal}")

    def _send(self, message: CtiMessage | LineEvent) -> None:
        if self._ending:
            return
        self._record("sent", self._connection.send(message))
        if not self._session.refused_login:
            self._flush()

    def _flush(self) -> None:
        self._outgoing += self._connection.data_to_send()
        config = self._manager.config
        most = config.max_unsent if self._session.open else config.max_unsent_before_login
        if len(self._outgoing) > most and not self._ending:
            self._manager.counters.slow_applications += 1
            self._outgoing.clear()
            self._abandon("does not read what it is sent")
        self._news.set()

    def _send_at_once(self) -> None:
        """Give the socket our answers while it is our turn: others may be long before a task is."""
        if self._outgoing and not self._writing and self._stream is self._transport:
            # Full or broken: a task waits, or finds out and ends the session.
            with contextlib.suppress(OSError):
                sent = os.write(self._transport.socket.fileno(), self._outgoing)
                del self._outgoing[:sent]

    async def _write(self, peer: str) -> None:
        while True:
            await self._news.wait()
            self._news = trio.Event()
            if self._outgoing:
                data = bytes(self._outgoing)
                self._outgoing.clear()
                self._writing = True
                with map_os_errors(peer):
                    await self._stream.send_all(data)
                self._writing = False
            if self._ending and not self._outgoing:
                self._scope.cancel()
                return

    async def _watch(self) -> None:
        with trio.move_on_after(self._manager.config.login_within):
            await self._logged_in.wait()
        while self._session.open:
            deadline = self._connection.next_deadline()
            if deadline is None:
                return
            await trio.sleep_until(deadline)
            try:
                self._connection.handle_deadline(trio.current_time())
            except RemoteProtocolError as silent:
                self._manager.counters.timeouts += 1
                self._stop(str(silent))
                return
            self._flush()
        self._manager.counters.timeouts += 1
        self._stop("no login")

    def _take_frame(self, frame: bytes) -> None:
        self._frame = frame
        self._record("received", frame)

    def _record(self, direction: Direction, frame: bytes) -> None:
        if self._manager.trace is not None:
            self._manager.trace(
                FrameRecord(
                    time.time(),
                    "cti",
                    direction,
                    self.local_address,
                    self.address,
                    frame,
                    without_keyed(frame),
                )
            )

    def _record_error(self, error: BaseException) -> None:
        if self._manager.trace is not None:
            fields = {"user": self.user, "remote": self.address, "error": str(error)}
            self._manager.trace(EventRecord(time.time(), "cti.protocol_error", fields))

    def _end(self, reason: str) -> None:
        self._stop(reason)
        if self._left:
            return
        self._left = True
        try:
            self._session.end()
        except Exception as error:  # noqa: BLE001  # reported; the session has ended already
            self._report(error)

    def _abandon(self, reason: str) -> None:
        """End as soon as our own task runs: the sender may be in the middle of a call."""
        self._stop(reason)
        self._scope.cancel()

    def _stop(self, reason: str) -> None:
        if self._ending:
            return
        self._ending = reason
        self._news.set()
        # The last messages get this long to leave.
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + _LINGER)
