"""One CTI connection without I/O: frames, heartbeats, sequence numbers; either role.

A frame that is not what its header says raises :class:`DecodeError` once and for ever. Messages
with undeclared numbers are counted and skipped, as Cisco's client does with those above its table.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pa_telephony.cti import messages
from pa_telephony.cti.encoded import LineEvent
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.codec import HEADER, MAGIC, VERSION_15, decode, encode
from pa_telephony.errors import DecodeError, RemoteProtocolError
from pa_telephony.wire.declaration import UnknownMessage
from pa_telephony.wire.framing import PREFIX, ConnectionClosed, FramedConnection

__all__ = ["ConnectionClosed", "Limits", "Role", "WireConnection"]


_OF_LOGINS = frozenset(
    kind.id
    for kind in (messages.ProviderInitRequest, messages.ProviderOpenRequest, messages.Heartbeat)
)


class Role(enum.Enum):
    """The side of a connection that this end speaks for."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a peer may make a connection hold, in bytes."""

    frame: int = 1 << 20
    """The largest message: a device with hundreds of lines takes some 100 kB."""
    buffered: int = 2 << 20
    before_login: int = 8192
    """The largest message of an application that has not logged in: those of a login take some 1
    kB. Four times that may wait to be read."""


class WireConnection(FramedConnection):
    """Framing and heartbeats of one connection. ``now`` is a monotonic clock in seconds.

    ``on_frame`` and ``on_sent`` are given no heartbeats.
    """

    def __init__(self, role: Role, limits: Limits | None = None, *, logged_in: bool = True) -> None:
        super().__init__()
        self.role = role
        self.limits = limits or Limits()
        self.logged_in = logged_in
        """Whether all messages are read; before the login only those of a login are, and only short
        ones."""
        self.version = VERSION_15
        self.unknown_messages = 0
        self._send_every: float | None = None
        self._expect_within: float | None = None
        self._send_at: float | None = None
        self._heard_at = 0.0

    def start_heartbeats(self, send_every: float, expect_within: float, now: float) -> None:
        """Send a heartbeat every ``send_every`` seconds; expect bytes within ``expect_within``."""
        self._send_every, self._expect_within = max(send_every, 1.0), expect_within
        self._send_at, self._heard_at = now + self._send_every, now

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the peer; raises :class:`RemoteProtocolError` when too many wait."""
        most = self.limits.buffered if self.logged_in else 4 * self.limits.before_login
        self._take_data(data, most)
        self._heard_at = now

    def receive_eof(self, now: float) -> None:
        """Note that the peer has closed its side."""
        self._take_eof()

    def next_event(self) -> CtiMessage | ConnectionClosed | None:
        """The next whole message besides heartbeats; None when more bytes are needed."""
        self._check()
        while True:
            if len(self._received) - self._start < HEADER.size:
                return self._end()
            length, _, magic, version, number, *_ = HEADER.unpack_from(self._received, self._start)
            if magic != MAGIC:
                raise self._fail(DecodeError(f"magic 0x{magic:08x}", offset=8))
            if not self.logged_in and number not in _OF_LOGINS:
                name = CtiMessage.registry[number].__name__ if number in CtiMessage.registry else ""
                what = f"{name or f'message {number}'} before the login"
                raise self._fail(RemoteProtocolError(what))
            longest = self.limits.frame if self.logged_in else self.limits.before_login
            if not HEADER.size - PREFIX <= length <= longest:
                raise self._fail(DecodeError(f"length {length}, at most {longest}"))
            frame = self._take_frame(PREFIX + length)
            if frame is None:
                return self._end()
            if self.role is Role.SERVER:
                # A server answers in the version its client speaks (docs/protocol/ctiqbe.md §1.1).
                self.version = version
            try:
                message = decode(frame)
            except DecodeError as error:
                self._tell(frame)
                raise self._fail(error) from None
            if isinstance(message, messages.Heartbeat):
                continue
            self._tell(frame)
            if isinstance(message, UnknownMessage):
                self.unknown_messages += 1
            elif (message.kind is Kind.REQUEST) is (self.role is Role.SERVER):
                return message
            elif message.kind is not Kind.BOTH:
                name = type(message).__name__
                raise self._fail(RemoteProtocolError(f"{name} is for the other side to receive"))

    def _tell(self, frame: bytes) -> None:
        if self.on_frame is not None:
            self.on_frame(frame)

    def send(self, message: CtiMessage | LineEvent) -> bytes:
        """Queue a message, and give its frame."""
        self._check()
        frame = self._frame_of(message)
        self._queue(frame)
        return frame

    def _frame_of(self, message: CtiMessage | LineEvent) -> bytes:
        if isinstance(message, LineEvent):
            return message.frame(self.version)
        return encode(message, to_server=self.role is Role.CLIENT, version=self.version)

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None before heartbeats begin."""
        if self._send_at is None or self._expect_within is None:
            return None
        return min(self._send_at, self._heard_at + self._expect_within)

    def handle_deadline(self, now: float) -> None:
        """Send a heartbeat that is due; raises :class:`RemoteProtocolError` for a silent peer."""
        if self._send_at is None or self._expect_within is None or self._send_every is None:
            return
        if now >= self._heard_at + self._expect_within:
            raise self._fail(RemoteProtocolError(f"silent for {now - self._heard_at:.0f} s"))
        if now >= self._send_at:
            self._send_at = now + self._send_every
            self._outgoing += self._frame_of(messages.Heartbeat())
