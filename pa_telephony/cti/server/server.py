"""Serve applications over TCP: the CTI Manager, one session per connection.

The call manager behind it implements :class:`~pa_telephony.cti.server.backend.CallControl`. What an
application sends wrong closes its own connection, is counted, and touches nobody else; and so does
a bug, of ours or of the call manager's, that it brings out.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from pa_telephony.admission import Lobby
from pa_telephony.cti.connection import ConnectionClosed, Role, WireConnection
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.keyed import KEYED, without_keyed
from pa_telephony.cti.login import Certificate, load_cryptography
from pa_telephony.cti.messages import ProviderOpenRequest
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CallControl, Event
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import ProviderSession
from pa_telephony.descriptors import Descriptors, prepare
from pa_telephony.errors import ConnectionLost, RemoteProtocolError
from pa_telephony.faults import MOST_BUGS, Seldom, report_fault, told_of
from pa_telephony.guesses import Attempt
from pa_telephony.printable import printable
from pa_telephony.secrecy import warn_of_plain_login
from pa_telephony.serving import Door, DoorCounters, serve_connections
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import Direction, EventRecord, FrameRecord, Trace, guarded
from pa_telephony.turns import Turns

if TYPE_CHECKING:
    import ssl

__all__ = ["ApplicationSession", "Counters", "CtiManager", "serve_providers"]

_READ = 8192
"""Bytes taken at a time. The connection passes over heartbeats and unknown messages without coming
back to us: 256 of the smallest take 3 ms, the 2,000 in 64 KiB took 25 ms (bench/flood.py)."""
_LINGER = 1.0
_LOG = logging.getLogger("pa_telephony.cti")
_NONCE_BYTES = 8
_MISSED_HEARTBEATS = 3


class Counters(DoorCounters):
    """What a CTI Manager has seen; plain numbers, for status pages and tests."""

    def __init__(self) -> None:
        super().__init__()
        self.logins = 0
        self.refused_logins = 0
        self.delayed_logins = 0
        """Logins that waited because of wrong passwords from their address."""
        self.logins_refused_unseen = 0
        """Logins that would have waited too long for that."""
        self.protocol_errors = 0
        self.slow_applications = 0
        self.timeouts = 0
        self.internal_errors = 0
        """Connections closed for a bug, of ours or of the backend's; the log has tracebacks."""


class ApplicationSession:
    """One connected application."""

    def __init__(
        self, manager: CtiManager, stream: trio.abc.Stream, transport: trio.SocketStream
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


class CtiManager:
    """The sessions of one listener."""

    def __init__(
        self,
        backend: CallControl,
        certificate: Certificate,
        config: CtiManagerConfig,
        trace: Trace | None,
        descriptors: Descriptors | None = None,
        turns: Turns | None = None,
    ) -> None:
        if descriptors is not None:
            config = config.fitted(descriptors)
        self.backend = backend
        self.turns = turns or Turns()
        self.certificate = certificate
        self.config = config
        self.trace = guarded(trace)
        self.counters = Counters()
        self.handles = itertools.count(1001)
        self.sessions: set[ApplicationSession] = set()
        self.connections = 0
        """Those that are still agreeing on keys included."""
        self.tls: ssl.SSLContext | None = None
        self.tls_addresses: Sequence[tuple[str, int]] = ()
        self.lobby = Lobby(config.max_connections, config.max_before_login_of_one_address)
        self._door = Door(
            self.lobby, config.max_connections, self.counters, descriptors, _LOG, "logged in"
        )
        self._sessions_of: Counter[str] = Counter()
        self.guesses = config.guesses()
        self._key = secrets.token_bytes(32)
        """Under which a password is remembered that was wrong."""
        self._came_plain: set[str] = set()
        self._told_paced, self._told_refused = Seldom(), Seldom()
        self.told_bugs = Seldom(at_once=MOST_BUGS)

    def sessions_of(self, user: str) -> int:
        """How many applications are logged in as ``user``."""
        return self._sessions_of[user]

    def logged_in(self, session: ApplicationSession) -> None:
        """Count a session among those of its user, until it is over."""
        self._sessions_of[session.user] += 1

    def attempt(
        self, address: str, user: str, password: Callable[[], str | None]
    ) -> Attempt | None:
        """When a login may be looked at; None: not now (:mod:`pa_telephony.guesses`)."""
        now = trio.current_time()
        attempt = None
        if not self.guesses.would_wait_too_long(address, user, now):
            said = (password() or "").encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(said, key=self._key, digest_size=16).digest()
            attempt = self.guesses.ask(address, user, digest, now)
        if attempt is None:
            self.counters.logins_refused_unseen += 1
        elif attempt.wait:
            self.counters.delayed_logins += 1
        if (attempt is None or attempt.wait) and self._told_paced.due(now):
            what = "are refused unseen" if attempt is None else f"wait {attempt.wait:.1f} s"
            _LOG.warning(
                "too many wrong passwords from %s: logins there that may be guesses, now as user "
                "%s, %s%s; who logged in there within a day does not wait for other users",
                *(address, printable(user), what, self._told_paced.times()),
            )
        return attempt

    def tell_refused(self, address: str, user: str, why: str) -> None:
        """Say that a login was refused, seldom: a stranger can have that at will."""
        if self._told_refused.due(trio.current_time()):
            times = self._told_refused.times()
            _LOG.info("%s from %s is not logged in%s: %s", printable(user), address, times, why)

    def tell_plain(self, user: str, address: str) -> None:
        """Say once of each user that its password came in on a plain link."""
        if user not in self._came_plain:
            self._came_plain.add(user)
            known = self.tls_addresses
            warn_of_plain_login(user, address, known[0][1] if known else None)

    async def handle(self, transport: trio.SocketStream) -> None:
        """Serve one connection until it ends."""
        await self._handle(transport, None)

    async def handle_tls(self, transport: trio.SocketStream) -> None:
        """Serve one connection that begins with a TLS handshake."""
        await self._handle(transport, self.tls)

    async def _handle(self, transport: trio.SocketStream, tls: ssl.SSLContext | None) -> None:
        try:
            lets_in = self._door.lets_in(transport, self.connections)
            address = transport.socket.getpeername()[0]
        except OSError:
            # Cisco's client tests a server by a connection that it closes at once (observed).
            await trio.aclose_forcefully(transport)
            return
        if not lets_in:
            await trio.aclose_forcefully(transport)
            return
        stream: trio.abc.Stream = transport
        session: ApplicationSession | None = None
        keys = trio.CancelScope()

        def turn_out() -> None:
            self._door.tell_turned_out(address)
            keys.cancel()
            if session is not None:
                session.turn_out()

        self.connections += 1
        try:
            self.lobby.enter(transport, address, turn_out)
            if tls is not None:
                with keys:
                    stream = await self._encrypt(transport, tls)
            if not keys.cancel_called:
                session = ApplicationSession(self, stream, transport)
        except (OSError, ConnectionLost):
            pass  # gone before it was listened to
        else:
            if session is not None:
                await self._run(session)
        finally:
            # Whatever fails of it, all of it is done: what nobody gives back is gone for ever.
            self.connections -= 1
            try:
                self.lobby.leave(transport)
            finally:
                await trio.aclose_forcefully(stream)

    async def _run(self, session: ApplicationSession) -> None:
        self.counters.connections += 1
        self.sessions.add(session)
        try:
            await session.run()
        finally:
            self.sessions.discard(session)
            if session.user:
                self._sessions_of[session.user] -= 1
                if not self._sessions_of[session.user]:
                    del self._sessions_of[session.user]
            if self.trace is not None:
                fields = session.told_at_end()
                self.trace(EventRecord(time.time(), "cti.connection_closed", fields))

    async def _encrypt(self, transport: trio.SocketStream, tls: ssl.SSLContext) -> trio.abc.Stream:
        """Agree on keys, within the time for a login. Raises :class:`ConnectionLost`."""
        # Without a close_notify, as Java and Cisco's client end connections.
        stream = trio.SSLStream(transport, tls, server_side=True, https_compatible=True)
        with trio.move_on_after(self.config.login_within), map_os_errors("TLS"):
            await stream.do_handshake()
            return stream
        self.counters.timeouts += 1
        raise ConnectionLost("no TLS handshake")


async def serve_providers(
    backend: CallControl,
    certificate: Certificate,
    *,
    host: str = "127.0.0.1",
    port: int = 2748,
    tls: ssl.SSLContext | None = None,
    tls_port: int = 2749,
    config: CtiManagerConfig | None = None,
    trace: Trace | None = None,
    turns: Turns | None = None,
    task_status: trio.TaskStatus[
        tuple[CtiManager, Sequence[tuple[str, int]]]
    ] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Be a CTI Manager until cancelled.

    ``certificate`` seals the passwords of applications
    (:func:`~pa_telephony.cti.login.make_certificate`). With an ordinary server-side ``tls`` context
    applications can come in encrypted at ``tls_port`` as well. ``task_status.started`` gets the
    manager and the list of (address, port) that are listened on in the clear
    (:attr:`CtiManager.tls_addresses` has the others); port 0 chooses a free one. Two servers of one
    process share ``turns``, so that neither makes the other wait.

    Raises :class:`ConnectionLost` when the address cannot be had.
    """
    await trio.to_thread.run_sync(load_cryptography)
    config = config or CtiManagerConfig()
    descriptors = prepare(config.max_connections, f"applications at {host}:{port}")
    manager = CtiManager(backend, certificate, config, trace, descriptors, turns)
    with map_os_errors(f"{host}:{port}"):
        plain = await trio.open_tcp_listeners(port, host=host, backlog=1024)
    encrypted: list[trio.SocketListener] = []
    if tls is not None:
        with map_os_errors(f"{host}:{tls_port}"):
            encrypted = await trio.open_tcp_listeners(tls_port, host=host, backlog=1024)
    manager.tls = tls
    manager.tls_addresses = [each.socket.getsockname()[:2] for each in encrypted]
    addresses = [each.socket.getsockname()[:2] for each in plain]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_connections, plain, manager.handle, _LOG)
        if encrypted:
            nursery.start_soon(serve_connections, encrypted, manager.handle_tls, _LOG)
        task_status.started((manager, addresses))
