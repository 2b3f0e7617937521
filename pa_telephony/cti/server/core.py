"""The CTI Manager's side of one application's session, without I/O: bytes in, bytes out.

An :class:`ApplicationCore` reads what one application sends and answers it by its
:class:`~pa_telephony.cti.server.session.ProviderSession`. Whether a login is looked at, and how
fast a wrong one is refused, is its owner's to say (:class:`LoginAsked` →
:meth:`ApplicationCore.accept`, :meth:`ApplicationCore.reject`), because only the owner sees the
other sessions. While that question is open, nothing is read.
"""

from __future__ import annotations

import enum
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pa_telephony.cti import messages
from pa_telephony.cti.connection import ConnectionClosed, Role, WireConnection
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.enums import CTIFAILURE
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CallControl, Event, Observer
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import ProviderSession, told_refusal
from pa_telephony.errors import RemoteProtocolError
from pa_telephony.tables import state_table

__all__ = [
    "TABLE",
    "Answered",
    "ApplicationCore",
    "CoreEvent",
    "Effect",
    "Input",
    "LoginAsked",
    "ProviderClosed",
    "SessionEnded",
    "State",
]

_MISSED_HEARTBEATS = 3


class State(enum.Enum):
    """Which stage an application's session has reached."""

    CONNECTED = "connected"
    ASKING = "asking"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Input(enum.Enum):
    """What can happen to a session."""

    INIT = "ProviderInitRequest"
    LOGIN = "ProviderOpenRequest"
    REQUEST = "any other request"
    CLOSE = "ProviderCloseRequest"
    ACCEPT = "the owner accepts"
    REJECT = "the owner rejects"
    DEADLINE = "no login, or silent for too long"
    LOST = "the connection is gone"


class Effect(enum.Enum):
    """What a session does after an input."""

    NOTHING = "nothing"
    ANSWER = "answer"
    ASK = "ask the owner whether to open"
    CONFIRM = "ProviderOpenCompletedEvent"
    REFUSE = "ProviderOpenCompletedEvent with the reason, close"
    CLOSE = "answer, and let the application close the connection"
    END = "end"


_S, _I, _E = State, Input, Effect
_OWNERS = {_I.ACCEPT, _I.REJECT}
_ENDS = {_I.DEADLINE, _I.LOST}
_READ = {_I.INIT, _I.LOGIN, _I.REQUEST, _I.CLOSE}

TABLE = state_table(
    State,
    Input,
    {
        **{
            (state, step): (_S.CLOSED, _E.END)
            for state in (_S.CONNECTED, _S.ASKING, _S.OPEN, _S.CLOSING)
            for step in _ENDS
        },
        (_S.CONNECTED, _I.INIT): (_S.CONNECTED, _E.ANSWER),
        (_S.CONNECTED, _I.LOGIN): (_S.ASKING, _E.ASK),
        (_S.ASKING, _I.ACCEPT): (_S.OPEN, _E.CONFIRM),
        (_S.ASKING, _I.REJECT): (_S.CLOSED, _E.REFUSE),
        (_S.OPEN, _I.INIT): (_S.OPEN, _E.ANSWER),
        (_S.OPEN, _I.LOGIN): (_S.OPEN, _E.ANSWER),
        (_S.OPEN, _I.REQUEST): (_S.OPEN, _E.ANSWER),
        (_S.OPEN, _I.CLOSE): (_S.CLOSING, _E.CLOSE),
    },
    nothing=Effect.NOTHING,
    # The registrations are gone with the answer; what comes behind that is for nobody.
    ignored={_S.CLOSING: _READ},
    impossible={
        # The connection reads nothing else before the login.
        _S.CONNECTED: {_I.REQUEST, _I.CLOSE, *_OWNERS},
        _S.ASKING: _READ,
        _S.OPEN: _OWNERS,
        _S.CLOSING: _OWNERS,
        _S.CLOSED: {*Input},
    },
)
"""Everything that can happen to a session."""

_INPUTS: dict[type[CtiMessage], Input] = {
    messages.ProviderInitRequest: Input.INIT,
    messages.ProviderOpenRequest: Input.LOGIN,
    messages.ProviderCloseRequest: Input.CLOSE,
}


@dataclass(frozen=True, slots=True)
class LoginAsked:
    """An application wants to log in; answer with accept() or reject()."""

    request: messages.ProviderOpenRequest


@dataclass(frozen=True, slots=True)
class Answered:
    """A request is answered, or a piece of a long answer is queued; there may be more to do."""


@dataclass(frozen=True, slots=True)
class ProviderClosed:
    """The application has closed its provider, and is about to close the connection.

    It does that itself: Cisco's client stumbles when the server is faster (observed).
    """


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over; queued messages should still be sent."""

    reason: str


CoreEvent: TypeAlias = LoginAsked | Answered | ProviderClosed | SessionEnded


class ApplicationCore:
    """One application's session, CTI Manager side: a :class:`~pa_telephony.core.Core`.

    ``nonce`` is fresh random text, ``handles`` numbers that no other session has. ``observer``
    hears the events of the call manager in our place and passes them on to :meth:`notify`.
    ``sessions_of`` says how many sessions a user has. ``now`` is any monotonic clock, in seconds.
    """

    def __init__(
        self,
        backend: CallControl,
        config: CtiManagerConfig,
        certificate: Certificate,
        nonce: str,
        handles: itertools.count[int],
        now: float,
        observer: Observer | None = None,
        sessions_of: Callable[[str], int] = lambda user: 0,
    ) -> None:
        self.state = State.CONNECTED
        self._config = config
        self._began = now
        self._connection = WireConnection(Role.SERVER, logged_in=False)
        self.session = ProviderSession(
            backend,
            config,
            self.send,
            certificate,
            nonce,
            handles,
            observer or self,
            sessions_of,
        )
        self._events: deque[CoreEvent] = deque()

    @property
    def closed(self) -> bool:
        """Whether the session is over: from then on nothing of the application's is looked at."""
        return self.state is State.CLOSED

    def watch_frames(
        self, received: Callable[[bytes], None], sent: Callable[[bytes], None] | None = None
    ) -> None:
        """Let ``received`` have every whole frame that comes in, ``sent`` those that go out.

        Heartbeats are left out: this is for traces.
        """
        self._connection.on_frame, self._connection.on_sent = received, sent

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the application; raises :class:`RemoteProtocolError` for wrong ones."""
        self._connection.receive_data(data, now)

    def receive_eof(self, now: float) -> None:
        """Note that the application closed its side, or that the link broke."""
        self._connection.receive_eof(now)

    def next_event(self) -> CoreEvent | None:
        """The next thing the owner has to deal with; None when more bytes are needed.

        While a login is looked at, nothing more is read.
        """
        while not self._events:
            if self.state in (State.ASKING, State.CLOSED):
                return None
            if self.session.go_on():
                return Answered()
            message = self._connection.next_event()
            if message is None:
                return None
            if isinstance(message, ConnectionClosed):
                self.end_session("connection closed")
            else:
                self._step(_INPUTS.get(type(message), Input.REQUEST), message)
        return self._events.popleft()

    def notify(self, event: Event) -> None:
        """Tell the application of something that happened at the call manager."""
        self.session.notify(event)

    def send(self, message: CtiMessage | LineEvent) -> None:
        """Queue a message; one that comes after the end is dropped."""
        if self.state is not State.CLOSED:
            self._connection.send(message)

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        return self._connection.data_to_send()

    def accept(self, request: messages.ProviderOpenRequest, now: float) -> None:
        """Open the provider for the user of a login."""
        self.session.answer_login(request, CTIFAILURE(0))
        self._connection.logged_in = True
        every = float(self._config.heartbeat)
        self._connection.start_heartbeats(every, every * _MISSED_HEARTBEATS, now)
        self._step(Input.ACCEPT)

    def reject(self, request: messages.ProviderOpenRequest, code: CTIFAILURE) -> None:
        """Refuse a login, and end the session."""
        self.session.answer_login(request, code)
        self._step(Input.REJECT, reason=f"login refused: {told_refusal(code)}")

    def end_session(self, reason: str) -> None:
        """End the session because the connection is gone, or must go."""
        if self.state is not State.CLOSED:
            self._step(Input.LOST, reason=reason)

    def leave(self) -> None:
        """Drop every registration, since the connection is gone."""
        self.state = State.CLOSED
        self.session.end()

    def next_deadline(self) -> float | None:
        """When a heartbeat is due, or the session ends unless something comes."""
        if self.state is State.CLOSED:
            return None
        if self.state in (State.CONNECTED, State.ASKING):
            return self._began + self._config.login_within
        return self._connection.next_deadline()

    def handle_deadline(self, now: float) -> None:
        """Send a heartbeat that is due; end a session without a login, or a silent one."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return
        if self.state in (State.CONNECTED, State.ASKING):
            self._step(Input.DEADLINE, reason="no login")
            return
        try:
            self._connection.handle_deadline(now)
        except RemoteProtocolError as silent:
            self._step(Input.DEADLINE, reason=str(silent))

    def _step(self, step: Input, message: CtiMessage | None = None, reason: str = "") -> None:
        self.state, effect = TABLE[self.state, step]
        match effect:
            case Effect.NOTHING | Effect.CONFIRM:
                pass
            case Effect.ASK:
                assert isinstance(message, messages.ProviderOpenRequest)
                self._events.append(LoginAsked(message))
            case Effect.ANSWER:
                assert message is not None
                self.session.handle_request(message)
                self._events.append(Answered())
            case Effect.CLOSE:
                assert message is not None
                self.session.handle_request(message)
                self._events.append(ProviderClosed())
            case Effect.REFUSE | Effect.END:
                self._events.append(SessionEnded(reason))
