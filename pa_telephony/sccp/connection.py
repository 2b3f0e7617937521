"""One SCCP connection without I/O: bytes in, messages out, in either role.

The connection knows framing and the protocol version, and nothing of registration or calls::

    connection = Connection(Role.STATION)
    connection.send(messages.RegisterReq(device_name="SEP001122334455", ...))
    stream.send_all(connection.data_to_send())
    connection.receive_data(data)
    while (message := connection.next_event()) is not None: ...

Framing that is broken, and what is beyond a limit, raises :class:`RemoteProtocolError`; after that
the stream cannot be resynchronised, and every later call raises the same error again. Nothing in a
whole frame does: a body that ends early says less (:mod:`pa_telephony.wire.sequential.types`), and
a message that is for the other side to receive is passed over like one that nobody declared.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pa_telephony.errors import DecodeError, LocalProtocolError
from pa_telephony.sccp import messages
from pa_telephony.sccp.messages import SccpMessage, Sender, UnknownMessage
from pa_telephony.sccp.messages.codec import HEADER
from pa_telephony.wire.framing import PREFIX, ConnectionClosed, FramedConnection

__all__ = [
    "NEWEST_VERSION",
    "OF_REGISTRATIONS",
    "Connection",
    "ConnectionClosed",
    "Limits",
    "Role",
    "announced_by",
    "negotiate",
]

NEWEST_VERSION = 22
"""The highest session version of real equipment that is known (offered by a 7962)."""

_OLDEST_LAYOUT = 3
_ANNOUNCED_AT = 28
"""Offset of maxProtocolVer in the frame of a RegisterAck."""
_SENDERS = {
    number: kind.sender
    for number, kind in SccpMessage.registry.items()
    if issubclass(kind, SccpMessage)
}
_AGREEING = frozenset({messages.RegisterReq.id, messages.RegisterAck.id})
"""The numbers of the messages in which a session version is offered and announced."""
OF_REGISTRATIONS = frozenset(
    kind.id
    for kind in (
        messages.KeepAliveReq,
        messages.RegisterReq,
        messages.RegisterTokenReq,
        messages.SPCPRegisterTokenReq,
        messages.UnregisterReq,
        # Alarms come first, and gateways send IpPort together with RegisterReq (captured).
        messages.Alarm,
        messages.EnhancedAlarm,
        messages.IpPort,
    )
)
"""The numbers of the messages that are decoded before a station has registered."""


class Role(enum.Enum):
    """The side of a connection that this end speaks for."""

    STATION = Sender.STATION
    CALL_MANAGER = Sender.CALL_MANAGER


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a peer may make a connection hold, in bytes."""

    frame: int = 4096
    """The largest data_length in bytes. Real frames reach 2,012; peers close above 1,988 to
    3,072."""
    buffered: int = 131072
    """Bytes that may wait for :meth:`Connection.next_event`: a whole read (64 KiB) behind the
    part of a frame that the read before it left."""
    before_registration: int = 4096
    """Largest data_length of a station that has not registered: RegisterReq takes some 200 bytes,
    EnhancedAlarm up to 2,012 (captured), LocationInfo 2,405. Twice that may wait to be read."""


def negotiate(offered: int, announced: int | None) -> int:
    """The session version of a RegisterReq that offers and a RegisterAck that announces.

    The lower of the two (captured, eight pairs). An ack that announces 0 means the old fixed
    layouts (FreeSWITCH), and one above all known versions means nothing (Asterisk writes 48). One
    that ends before its version is of CallManager 2.x, whose dialect is called 0 here (captured).
    """
    if announced is None:
        return 0
    if not announced:
        return _OLDEST_LAYOUT
    return max(min(offered, announced, NEWEST_VERSION), _OLDEST_LAYOUT)


def announced_by(frame: bytes) -> int | None:
    """The version in the frame of a RegisterAck; None for an old ack that ends before it."""
    return frame[_ANNOUNCED_AT] if len(frame) > _ANNOUNCED_AT else None


class Connection(FramedConnection):
    """Framing and version of one connection.

    ``version`` is the negotiated session version: 0 until a RegisterAck has gone over the wire,
    and with CallManager 2.x.
    ``header_version`` is the second word of the newest frame that the peer sent.
    """

    def __init__(
        self, role: Role, limits: Limits | None = None, *, registered: bool = True
    ) -> None:
        super().__init__()
        self.role = role
        self._sender = role.value
        self.limits = limits or Limits()
        self.registered = registered
        """Whether the station has registered. Before that only the messages of a registration are
        decoded, others come as :class:`UnknownMessage`, and long ones are an error."""
        self.version = 0
        self.header_version = 0
        self.misdirected = 0
        """How many messages came that are for the other side to receive."""
        self.offered = 0
        self._agreed = False

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer; raises :class:`RemoteProtocolError` when too many wait."""
        limits = self.limits
        most = limits.buffered if self.registered else 2 * limits.before_registration
        self._take_data(data, most)

    def receive_eof(self) -> None:
        """Note that the peer has closed its side."""
        self._take_eof()

    def next_event(self) -> SccpMessage | UnknownMessage | ConnectionClosed | None:
        """The next whole message, :class:`ConnectionClosed` at the end, None for "not yet".

        One that is for the other side to receive comes as :class:`UnknownMessage`. A length or a
        count beyond its limit, and an end inside a frame, raise :class:`DecodeError`.
        """
        self._check()
        if len(self._received) - self._start < HEADER.size:
            return self._end()
        length, header_version, number = HEADER.unpack_from(self._received, self._start)
        longest = self.limits.frame if self.registered else self.limits.before_registration
        if not 4 <= length <= longest:
            raise self._fail(DecodeError(f"data length {length}, must be 4 to {longest}"))
        frame = self._take_frame(PREFIX + length)
        if frame is None:
            return self._end()
        self.header_version = header_version
        if self.on_frame is not None:
            self.on_frame(frame)
        if _SENDERS.get(number) is self._sender:
            self.misdirected += 1
            return UnknownMessage(id=number, body=frame[HEADER.size :])
        if not self.registered and number not in OF_REGISTRATIONS:
            return UnknownMessage(id=number, body=frame[HEADER.size :])
        try:
            message = messages.decode(number, frame[HEADER.size :], self._layout())
        except DecodeError as error:
            raise self._fail(error) from None
        if number in _AGREEING:
            self._follow(message, frame)
        return message

    def send(self, message: SccpMessage | UnknownMessage, longest: int | None = None) -> None:
        """Queue a message; raises :class:`LocalProtocolError` for one of the other side.

        A body longer than ``longest`` bytes, a multiple of 4, ends there: real senders leave away
        what only newer peers know, and every reader takes defaults for it.
        """
        self._check()
        if isinstance(message, SccpMessage):
            if message.sender is not self._sender and message.sender is not Sender.EITHER:
                raise LocalProtocolError(f"{type(message).__name__} comes from the other side")
            frame = messages.encode(message, self._layout())
            if longest is not None and len(frame) > HEADER.size + longest:
                length = (HEADER.size - PREFIX + longest).to_bytes(4, "little")
                frame = length + frame[4 : HEADER.size + longest]
            if message.id in _AGREEING:
                self._follow(message, frame)
        else:
            frame = messages.encode(message, self._layout())
        self._queue(frame)

    def _layout(self) -> int:
        # Before registration only messages without versions, and the old dialect's, are spoken.
        return self.version or (0 if self._agreed else self.offered)

    def _follow(self, message: SccpMessage | UnknownMessage, frame: bytes) -> None:
        if isinstance(message, messages.RegisterReq):
            self.offered = min(message.protocol_ver, NEWEST_VERSION)
            self.version, self._agreed = 0, False
        elif isinstance(message, messages.RegisterAck):
            self.version, self._agreed = negotiate(self.offered, announced_by(frame)), True
