"""Serve applications over TCP: the CTI Manager, one session per connection.

The call manager behind it implements :class:`~pa_telephony.cti.server.backend.CallControl`.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from pa_telephony.admission import Lobby
from pa_telephony.cti.login import Certificate, load_cryptography
from pa_telephony.cti.server.backend import CallControl
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.descriptors import Descriptors, prepare
from pa_telephony.errors import ConnectionLost
from pa_telephony.faults import MOST_BUGS, NEWS, Seldom
from pa_telephony.guesses import Attempt
from pa_telephony.printable import printable, printable_reason
from pa_telephony.secrecy import warn_of_plain_login
from pa_telephony.serving import Door, serve_connections
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import EventRecord, Trace, guarded
from pa_telephony.turns import Turns

if TYPE_CHECKING:
    import ssl
from pa_telephony.cti.server.application import ApplicationSession, Counters

__all__ = ["ApplicationSession", "Counters", "CtiManager", "serve_providers"]

_TOLD_OF_ONE = 10
"""How often the log says within a minute that applications of one user come or go."""
_LOG = logging.getLogger("pa_telephony.cti")


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
        self._told_of: dict[str, Seldom] = {}
        """By user; only users that there are come so far."""
        self.told_bugs = Seldom(at_once=MOST_BUGS)

    def sessions_of(self, user: str) -> int:
        """How many applications are logged in as ``user``."""
        return self._sessions_of[user]

    def logged_in(self, session: ApplicationSession) -> None:
        """Count a session among those of its user, until it is over."""
        self._sessions_of[session.name] += 1
        session.since = trio.current_time()
        self._tell(session, "is logged in")

    def _tell(self, session: ApplicationSession, what: str) -> None:
        """Say what became of an application: each user not too often."""
        told = self._told_of.setdefault(session.name, Seldom(at_once=_TOLD_OF_ONE))
        if (times := told.told(trio.current_time())) is not None:
            user, text = printable(session.name), printable_reason(what)
            _LOG.info("user %s from %s %s%s", user, session.address[0], text, times, extra=NEWS)

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
            if session.name:
                self._sessions_of[session.name] -= 1
                if not self._sessions_of[session.name]:
                    del self._sessions_of[session.name]
            fields = session.told_at_end()
            if session.name:
                self._tell(session, f"is logged out: {fields['reason']}")
            if self.trace is not None:
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
