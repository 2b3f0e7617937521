"""One connected application at the CTI Manager: its login, and what the events of its core mean.

What it asks for is answered by :mod:`~pa_telephony.cti.server.session`, which does no I/O.
"""

from __future__ import annotations

import functools
import itertools
import secrets
from collections.abc import Callable
from typing import Protocol

import trio

from pa_telephony.admission import Lobby
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.keyed import KEYED, without_keyed
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.messages import ProviderOpenRequest
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CallControl, Event
from pa_telephony.cti.server.core import (
    Answered,
    ApplicationCore,
    CoreEvent,
    LoginAsked,
    ProviderClosed,
    SessionEnded,
)
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import told_refusal
from pa_telephony.guesses import Attempt, Guesses
from pa_telephony.peer import Dialect, PeerServer, ServedPeer
from pa_telephony.serving import PeerCounters

__all__ = ["ApplicationSession", "Counters", "SessionOwner"]

_NONCE_BYTES = 8


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


class SessionOwner(PeerServer, Protocol):
    """What a session needs of the CTI Manager that accepted it."""

    backend: CallControl
    certificate: Certificate
    config: CtiManagerConfig
    guesses: Guesses
    handles: itertools.count[int]
    lobby: Lobby

    @property
    def counters(self) -> Counters:
        """What the CTI Manager has seen."""
        ...

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


class ApplicationSession(ServedPeer[SessionOwner, ApplicationCore]):
    """One connected application."""

    dialect = Dialect(
        protocol="cti",
        peer="user",
        id_at=16,
        spelling="{}",
        kinds=CtiMessage.registry,
        keyed=KEYED,
        public=without_keyed,
    )
    read_size = 8192
    """The connection passes over heartbeats and unknown messages without coming back to us: 256 of
    the smallest take 3 ms, the 2,000 in 64 KiB took 25 ms (bench/flood.py)."""
    writes_at_once = False
    """A call makes many events: they go out in one go."""

    def __init__(
        self, manager: SessionOwner, stream: trio.abc.Stream, transport: trio.SocketStream
    ) -> None:
        core = ApplicationCore(
            manager.backend,
            manager.config,
            manager.certificate,
            secrets.token_hex(_NONCE_BYTES),
            manager.handles,
            trio.current_time(),
            observer=self,
            sessions_of=manager.sessions_of,
        )
        super().__init__(manager, stream, transport, core)
        self._transport = transport
        self.since: float | None = None
        """When it was logged in, on trio's clock; None before that."""

    @property
    def name(self) -> str:
        """The user who is logged in; "" before the login."""
        return self._core.session.user

    @property
    def open_lines(self) -> int:
        """How many lines the application has open."""
        return self._core.session.open_lines

    @property
    def registered_devices(self) -> tuple[str, ...]:
        """The names of the devices that the application has registered."""
        return self._core.session.registered_devices

    def takes_calls(self, device: str) -> bool:
        """Whether new calls at a line of ``device`` are told to the application."""
        return self._core.session.takes_calls(device)

    def notify(self, event: Event) -> None:
        """Tell the application of something that happened at the call manager."""
        self._tell(lambda: self._core.notify(event))

    def turn_out(self) -> None:
        """End the session at once: it has not logged in, and another has its place."""
        self._abandon("made room: it has not logged in, and most such come from its address")

    def _handle_event(self, event: CoreEvent) -> None:
        match event:
            case Answered():
                pass
            case LoginAsked(request):
                self._consider(request)
            case ProviderClosed():
                self._linger()
            case SessionEnded(reason):
                self._end(reason)

    def _consider(self, request: ProviderOpenRequest) -> None:
        """Look at a login now or later, or not at all, by how much was guessed there."""
        password = functools.partial(self._core.session.password_in, request)
        attempt = self._server.attempt(self.address[0], request.login, password)
        if attempt is None:
            self._core.reject(request, CTIFAILURE.DIRECTORY_TEMPORARY_UNAVAILABLE)
        elif attempt.wait:
            self._put_off_for(attempt.wait, lambda: self._decide(request, attempt))
        else:
            self._decide(request, attempt)

    def _decide(self, request: ProviderOpenRequest, attempt: Attempt) -> None:
        core, manager, now = self._core, self._server, trio.current_time()
        code = core.session.check_login(request)
        if code:
            manager.guesses.wrong(attempt, now)
            manager.counters.refused_logins += 1
            manager.tell_refused(self.address[0], request.login, told_refusal(code))
            # Who guesses waits for each answer.
            delay = manager.config.wrong_password_delay
            self._put_off_for(delay, lambda: core.reject(request, code))
            return
        core.accept(request, now)
        self._look_sooner()
        manager.guesses.right(attempt, now)
        manager.counters.logins += 1
        manager.logged_in(self)
        self.turns.known()
        manager.lobby.leave(self._transport)
        if self._stream is self._transport:
            manager.tell_plain(self.name, self.address[0])

    def _leave(self) -> None:
        self._core.leave()

    def _most_unsent(self) -> int:
        config = self._server.config
        return config.max_unsent if self.name else config.max_unsent_before_login

    def _note_slow(self) -> None:
        self._server.counters.slow_applications += 1
