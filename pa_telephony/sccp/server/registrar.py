"""The call manager's side of one station's session: registration as a table, without I/O.

A :class:`Registrar` reads what one station sends, answers everything that needs no call model,
and hands the rest on as events. Whether a name may register is its owner's to say
(:class:`RegistrationAsked` → :meth:`Registrar.accept` or :meth:`Registrar.reject`), because only
the owner sees the other sessions.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pa_telephony.descriptors import Descriptors
from pa_telephony.errors import LocalProtocolError
from pa_telephony.guesses import Guesses, Pace
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, ConnectionClosed, Limits, Role
from pa_telephony.sccp.enums import DeviceType, DeviceUnregisterStatus, PhoneFeatures
from pa_telephony.sccp.messages import SccpMessage, UnknownMessage
from pa_telephony.sccp.server.device import QUESTIONS, Device, answer
from pa_telephony.tables import state_table

__all__ = [
    "TABLE",
    "Effect",
    "Input",
    "Received",
    "Registrar",
    "RegistrarConfig",
    "RegistrarEvent",
    "RegistrationAsked",
    "SessionEnded",
    "StandbyAsked",
    "State",
    "TokenAsked",
    "UnregistrationAsked",
]


_SPA_FEATURES = 0xFFFF
"""What SPCPRegisterTokenAck lets a phone of the SPA family do: everything (observed: chan-sccp)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrarConfig:
    """How the call manager treats its stations; times are in seconds."""

    keep_alive_interval: int = 30
    """Announced in RegisterAck; CUCM's default (captured). A device may have its own
    (:attr:`~pa_telephony.sccp.server.device.Device.keep_alive_interval`)."""
    secondary_keep_alive_interval: int = 60
    missed_keep_alives: int = 3
    """How many intervals a station may be silent before it is gone (documented)."""
    silent_after: float = 1.5
    """How many intervals without a message let another connection register the name (or
    ``missed_keep_alives``, if that is less). More than 1: a station that keeps its interval is
    heard a little later than that; real ones take up to 1.2 (captured, IOS)."""
    max_unknown_names_of_one_address: int = 100
    """How many unknown names one IP address (of IPv6: one /64) may try within
    ``unknown_names_within``, to register or for a token; then it is told to try later, whatever
    name it gives, but for those that registered from there within a day. The same name again, and
    one that is rejected for another reason, count as a tenth."""
    unknown_names_within: float = 10.0
    register_within: float = 30.0
    """How long a connection may stay without registering, whatever it sends; one that stands by has
    as many intervals of the secondary keepalive as a registered one has of the first."""
    max_unregistered: int = 500
    """Connections that may be open and neither have registered nor stand by."""
    max_unregistered_of_one_address: int = 250
    """How many of these one IP address (of IPv6: one /64) may have, so that one site cannot keep
    all others out. A site behind one address has as many phones that connect at the same moment."""
    max_standing_by: int = 5_000
    """Connections of stations that have another call manager before this one: they have sent
    KeepAliveReq and not registered. One more is closed, and may still come to register: less than
    ``max_connections``, for that must find room."""
    max_standing_by_of_one_address: int = 2_500
    """How many of these one IP address (of IPv6: one /64) may have."""
    max_tokens: int = 50
    """How many stations may be on their way back at once: with a token, and not registered yet."""
    max_tokens_of_one_address: int = 25
    """How many of these one IP address (of IPv6: one /64) may have."""
    token_wait: int = 10
    """Seconds after which a station that got no token may ask again (chan-sccp: 10 to 60), and
    after which the place of one that got a token and has not come goes to another."""
    max_connections: int = 10_000
    max_unsent: int = 1 << 20
    """How many bytes may wait for a station that does not read."""
    max_protocol_version: int = 22
    date_template: str = "M/D/Y"
    limits: Limits = field(default_factory=Limits)

    def guesses(self) -> Guesses:
        """The pace at which an address may try names that there are not."""
        most = self.max_unknown_names_of_one_address
        return Guesses(
            Pace(at_once=most, every=self.unknown_names_within / most),
            longest_wait=0.0,
            most=self.max_connections,
        )

    def fitted(self, descriptors: Descriptors) -> RegistrarConfig:
        """A copy with no more connections than there are descriptors, in the same proportions.

        Half of them can stand by, a quarter can be unregistered, and half of each of one address.
        """
        share = descriptors.share
        return replace(
            self,
            max_connections=share(self.max_connections, 1),
            max_standing_by=share(self.max_standing_by, 2),
            max_standing_by_of_one_address=share(self.max_standing_by_of_one_address, 4),
            max_unregistered=share(self.max_unregistered, 4),
            max_unregistered_of_one_address=share(self.max_unregistered_of_one_address, 8),
        )


class State(enum.Enum):
    """Which stage a station's session has reached."""

    CONNECTED = "connected"
    STANDING_BY = "standing by"
    ASKING = "asking"
    REGISTERED = "registered"
    LEAVING = "leaving"
    CLOSED = "closed"


class Input(enum.Enum):
    """What can happen to a session."""

    KEEP_ALIVE = "KeepAliveReq"
    REGISTER = "RegisterReq"
    TOKEN = "RegisterTokenReq, SPCPRegisterTokenReq"
    UNREGISTER = "UnregisterReq"
    QUESTION = "a question about the configuration"
    OTHER = "any other message"
    ACCEPT = "the owner accepts"
    REJECT = "the owner rejects"
    DEADLINE = "silent for too long"
    LOST = "the connection is gone"


class Effect(enum.Enum):
    """What a session does after an input."""

    NOTHING = "nothing"
    ACKNOWLEDGE = "KeepAliveAck"
    ASK_TO_STAND_BY = "ask the owner whether it may stand by"
    ASK_FOR_TOKEN = "ask the owner whether it may come"
    ASK_TO_REGISTER = "ask the owner whether to register"
    ASK_TO_LEAVE = "ask the owner whether to let go"
    CONFIRM = "RegisterAck, CapabilitiesReq"
    REFUSE = "RegisterReject, close"
    CONFIRM_LEAVING = "UnregisterAck, close"
    REFUSE_LEAVING = "UnregisterAck with NAK"
    ANSWER = "answer"
    HAND_ON = "hand on"
    END = "end"


_S, _I, _E = State, Input, Effect

_OWNERS = {_I.ACCEPT, _I.REJECT}
_READ = {*_I} - {*_OWNERS, _I.DEADLINE, _I.LOST}
"""What a session that reads hears of its station."""

_ROWS = {
    (_S.CONNECTED, _I.KEEP_ALIVE): (_S.STANDING_BY, _E.ASK_TO_STAND_BY),
    (_S.CONNECTED, _I.REGISTER): (_S.ASKING, _E.ASK_TO_REGISTER),
    (_S.CONNECTED, _I.TOKEN): (_S.CONNECTED, _E.ASK_FOR_TOKEN),
    (_S.CONNECTED, _I.UNREGISTER): (_S.CLOSED, _E.CONFIRM_LEAVING),
    # Alarms, and a gateway's IpPort: the connection decodes nothing else yet, no question either.
    (_S.CONNECTED, _I.OTHER): (_S.CONNECTED, _E.NOTHING),
    (_S.CONNECTED, _I.DEADLINE): (_S.CLOSED, _E.END),
    (_S.CONNECTED, _I.LOST): (_S.CLOSED, _E.END),
    (_S.STANDING_BY, _I.KEEP_ALIVE): (_S.STANDING_BY, _E.ACKNOWLEDGE),
    (_S.STANDING_BY, _I.REGISTER): (_S.ASKING, _E.ASK_TO_REGISTER),
    (_S.STANDING_BY, _I.TOKEN): (_S.STANDING_BY, _E.ASK_FOR_TOKEN),
    (_S.STANDING_BY, _I.UNREGISTER): (_S.CLOSED, _E.CONFIRM_LEAVING),
    (_S.STANDING_BY, _I.OTHER): (_S.STANDING_BY, _E.NOTHING),
    (_S.STANDING_BY, _I.DEADLINE): (_S.CLOSED, _E.END),
    (_S.STANDING_BY, _I.LOST): (_S.CLOSED, _E.END),
    (_S.ASKING, _I.ACCEPT): (_S.REGISTERED, _E.CONFIRM),
    (_S.ASKING, _I.REJECT): (_S.CLOSED, _E.REFUSE),
    (_S.ASKING, _I.LOST): (_S.CLOSED, _E.END),
    (_S.REGISTERED, _I.KEEP_ALIVE): (_S.REGISTERED, _E.ACKNOWLEDGE),
    # A station that lost our ack asks again (IOS does, three times): it keeps the name.
    (_S.REGISTERED, _I.REGISTER): (_S.ASKING, _E.ASK_TO_REGISTER),
    (_S.REGISTERED, _I.TOKEN): (_S.REGISTERED, _E.ASK_FOR_TOKEN),
    (_S.REGISTERED, _I.UNREGISTER): (_S.LEAVING, _E.ASK_TO_LEAVE),
    (_S.REGISTERED, _I.QUESTION): (_S.REGISTERED, _E.ANSWER),
    (_S.REGISTERED, _I.OTHER): (_S.REGISTERED, _E.HAND_ON),
    (_S.REGISTERED, _I.DEADLINE): (_S.CLOSED, _E.END),
    (_S.REGISTERED, _I.LOST): (_S.CLOSED, _E.END),
    (_S.LEAVING, _I.ACCEPT): (_S.CLOSED, _E.CONFIRM_LEAVING),
    (_S.LEAVING, _I.REJECT): (_S.REGISTERED, _E.REFUSE_LEAVING),
    (_S.LEAVING, _I.LOST): (_S.CLOSED, _E.END),
}

TABLE = state_table(
    State,
    Input,
    _ROWS,
    nothing=Effect.NOTHING,
    # While a question of ours is open nothing else is read, and a closed session reads nothing.
    # Questions are not decoded before the registration.
    impossible={
        _S.CONNECTED: {*_OWNERS, _I.QUESTION},
        _S.STANDING_BY: {*_OWNERS, _I.QUESTION},
        _S.ASKING: {*_READ, _I.DEADLINE},
        _S.REGISTERED: _OWNERS,
        _S.LEAVING: {*_READ, _I.DEADLINE},
        _S.CLOSED: {*_I},
    },
)
"""Everything that can happen to a session."""

_INPUTS: dict[type[SccpMessage], Input] = {
    messages.KeepAliveReq: Input.KEEP_ALIVE,
    messages.RegisterReq: Input.REGISTER,
    messages.RegisterTokenReq: Input.TOKEN,
    messages.SPCPRegisterTokenReq: Input.TOKEN,
    messages.UnregisterReq: Input.UNREGISTER,
    **dict.fromkeys(QUESTIONS, Input.QUESTION),
}


@dataclass(frozen=True, slots=True)
class RegistrationAsked:
    """A station wants to register a name; answer with accept() or reject()."""

    request: messages.RegisterReq


@dataclass(frozen=True, slots=True)
class StandbyAsked:
    """A station of another call manager wants to stand by; answer with stand_by() or lost()."""


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """A station wants to come back from another call manager; answer with answer_token()."""

    request: messages.RegisterTokenReq | messages.SPCPRegisterTokenReq


@dataclass(frozen=True, slots=True)
class UnregistrationAsked:
    """The station wants to leave; answer with accept() or reject() (a call is up)."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from a registered station that the owner has to deal with."""

    message: SccpMessage


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over; queued messages should still be sent."""

    reason: str


RegistrarEvent: TypeAlias = (
    RegistrationAsked | StandbyAsked | TokenAsked | UnregistrationAsked | Received | SessionEnded
)


class Registrar:
    """One station's session, call-manager side: a :class:`~pa_telephony.core.Core`.

    ``now`` is any monotonic clock, in seconds; ``clock`` tells the time of day for displays.
    """

    def __init__(
        self, config: RegistrarConfig, now: float, clock: Callable[[], datetime.datetime]
    ) -> None:
        self.config = config
        self.state = State.CONNECTED
        self._device: Device | None = None
        self._spelt: Device | None = None
        self.device_type = DeviceType(0)
        self._began = self.last_heard = now
        """When the newest whole message came: bytes of an unfinished one prolong nothing."""
        self.unknown_messages = 0
        """How many messages were undeclared, for the other side to receive, or came too early."""
        self.on_passed_over: Callable[[UnknownMessage], None] | None = None
        """Called with each of these."""
        self._now = now
        self._clock = clock
        self._connection = Connection(Role.CALL_MANAGER, config.limits, registered=False)
        self._events: list[RegistrarEvent] = []
        """Hardly ever more than one, as nothing is read while one waits; a deque is 700 bytes."""
        self._request: messages.RegisterReq | None = None
        self._asked_by_spa = False
        self._interval = config.keep_alive_interval

    @property
    def closed(self) -> bool:
        """Whether the session is over: from then on nothing of the station's is looked at."""
        return self.state is State.CLOSED

    @property
    def silent_at(self) -> float:
        """When the station will have sent nothing for longer than a living one does.

        From then on another connection may have its name; the session itself goes on until its
        deadline, which is never earlier.
        """
        intervals = min(self.config.silent_after, self.config.missed_keep_alives)
        return self.last_heard + intervals * self._interval

    @property
    def version(self) -> int:
        """The negotiated session version; 0 before registration."""
        return self._connection.version

    def watch_frames(
        self, received: Callable[[bytes], None], sent: Callable[[bytes], None] | None = None
    ) -> None:
        """Let ``received`` have every whole frame that comes in, ``sent`` those that go out.

        A frame that comes in is told of before it is decoded: this is for traces.
        """
        self._connection.on_frame, self._connection.on_sent = received, sent

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the station; raises :class:`RemoteProtocolError` for what is wrong."""
        self._now = now
        self._connection.receive_data(data)

    def receive_eof(self, now: float) -> None:
        """Note that the station closed its side, or that the link broke."""
        self._now = now
        self._connection.receive_eof()

    def next_event(self) -> RegistrarEvent | None:
        """The next thing the owner has to deal with; None when more bytes are needed.

        While a question (to register, to leave) is open, nothing more is read.
        """
        while not self._events:
            if self.state in (State.ASKING, State.LEAVING, State.CLOSED):
                return None
            message = self._connection.next_event()
            if message is None:
                return None
            if isinstance(message, ConnectionClosed):
                self.end_session("closed by the station")
                continue
            self.last_heard = self._now
            if isinstance(message, UnknownMessage):
                self.unknown_messages += 1
                if self.on_passed_over is not None:
                    self.on_passed_over(message)
            else:
                self._handle_message(message)
        return self._events.pop(0)

    @property
    def device(self) -> Device | None:
        """The configuration that a station's questions are answered from; None before accept()."""
        return self._device

    @device.setter
    def device(self, device: Device) -> None:
        self._device, self._spelt = device, None

    @property
    def features(self) -> PhoneFeatures:
        """The features that the station announced in RegisterReq; none before."""
        return PhoneFeatures(0) if self._request is None else self._request.phone_features

    def send(self, message: SccpMessage) -> None:
        """Queue a message to the station."""
        self._connection.send(message)

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        return self._connection.data_to_send()

    def accept(self, device: Device | None = None) -> None:
        """Allow what was asked: to register (``device`` is what the name stands for), to leave."""
        if self.state is State.ASKING:
            if device is None:
                raise LocalProtocolError("accepting a registration needs a device")
            self.device = device
        self._step(Input.ACCEPT)

    def reject(self, reason: str = "") -> None:
        """Refuse by RegisterReject with ``reason`` (at most 32 characters) or UnregisterAck NAK."""
        self._step(Input.REJECT, reason)

    def stand_by(self) -> None:
        """Let a station stand by: acknowledge its KeepAliveReq."""
        self.send(messages.KeepAliveAck())

    def answer_token(self, wait: int = 0) -> None:
        """Let a station come now (0), or ask again after ``wait`` seconds."""
        if self._asked_by_spa:
            self.send(
                messages.SPCPRegisterTokenReject(wait_time_before_next_req=wait)
                if wait
                else messages.SPCPRegisterTokenAck(features=_SPA_FEATURES)
            )
        elif wait:
            self.send(messages.RegisterTokenReject(wait_time_before_next_req=wait))
        else:
            self.send(messages.RegisterTokenAck())

    def end_session(self, reason: str) -> None:
        """End the session because the connection is gone, or must go."""
        if self.state is not State.CLOSED:
            self._step(Input.LOST, reason)

    def next_deadline(self) -> float | None:
        """When the session ends unless a message comes, or a new connection has registered."""
        if self.state is State.CLOSED:
            return None
        config = self.config
        if self.state is State.CONNECTED:
            return self._began + config.register_within
        interval = self._interval
        if self.state is State.STANDING_BY:
            interval = config.secondary_keep_alive_interval
        return self.last_heard + interval * config.missed_keep_alives

    def handle_deadline(self, now: float) -> None:
        """End the session if its deadline has passed."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline and (self.state, Input.DEADLINE) in TABLE:
            silent = self.state is not State.CONNECTED
            since, what = (self.last_heard, "silent") if silent else (self._began, "unregistered")
            self._step(Input.DEADLINE, f"{what} for {now - since:.0f} s")

    def _handle_message(self, message: SccpMessage) -> None:
        step = _INPUTS.get(type(message), Input.OTHER)
        if isinstance(message, messages.RegisterReq):
            self._request = message
        if step is Input.QUESTION and self.state is State.REGISTERED and self.device is not None:
            if self._spelt is None:
                self._spelt = self.device.spelt(self.features, self.version)
            for reply in answer(message, self._spelt, self.version, self._clock):
                self.send(reply)
        self._step(step, message=message)

    def _step(self, step: Input, reason: str = "", message: SccpMessage | None = None) -> None:
        self.state, effect = TABLE[self.state, step]
        match effect:
            case Effect.ANSWER | Effect.NOTHING:
                pass
            case Effect.ACKNOWLEDGE:
                self.send(messages.KeepAliveAck())
            case Effect.ASK_TO_STAND_BY:
                self._events.append(StandbyAsked())
            case Effect.ASK_FOR_TOKEN:
                assert isinstance(
                    message, messages.RegisterTokenReq | messages.SPCPRegisterTokenReq
                )
                self._asked_by_spa = isinstance(message, messages.SPCPRegisterTokenReq)
                self._events.append(TokenAsked(message))
            case Effect.ASK_TO_REGISTER:
                assert self._request is not None
                self._events.append(RegistrationAsked(self._request))
            case Effect.ASK_TO_LEAVE:
                self._events.append(UnregistrationAsked())
            case Effect.CONFIRM:
                self._confirm()
            case Effect.REFUSE:
                self.send(messages.RegisterReject(text=reason[:32]))
                self._events.append(SessionEnded(f"rejected: {reason}"))
            case Effect.CONFIRM_LEAVING:
                self.send(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
                self._events.append(SessionEnded("unregistered"))
            case Effect.REFUSE_LEAVING:
                self.send(messages.UnregisterAck(status=DeviceUnregisterStatus.NAK))
            case Effect.HAND_ON:
                assert message is not None
                self._events.append(Received(message))
            case Effect.END:
                self._events.append(SessionEnded(reason))

    def _confirm(self) -> None:
        assert self._request is not None
        self._connection.registered = True
        self.device_type = self._request.device_type
        config = self.config
        own = self.device.keep_alive_interval if self.device is not None else None
        self._interval = config.keep_alive_interval if own is None else own
        self.send(
            messages.RegisterAck(
                keep_alive_interval=self._interval,
                date_template=config.date_template,
                secondary_keep_alive_interval=config.secondary_keep_alive_interval,
                max_protocol_ver=config.max_protocol_version,
                # The feature bytes of CUCM 8.6: 20 f1 ff (captured).
                unknown=0x20,
                phone_features=PhoneFeatures(0xFFF1),
            )
        )
        self.send(messages.CapabilitiesReq())
