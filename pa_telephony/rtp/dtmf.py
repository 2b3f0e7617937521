"""Digits as RTP telephone events (RFC 4733), in and out.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |     event     |E|R| volume    |          duration             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

An event is sent as a row of packets with one RTP timestamp (its start), growing duration, the
marker bit on the first and the end bit on the last, which goes out three times.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from pa_telephony.errors import DecodeError, LocalProtocolError

__all__ = [
    "DIGITS",
    "MAXIMUM_DURATION",
    "DigitMerger",
    "EventPayload",
    "EventReceiver",
    "EventSender",
    "digit_of",
    "event_of",
    "parse_payload",
]

DIGITS: Final = "0123456789*#ABCD"
"""The digit of events 0 to 15 (RFC 4733 table 3)."""

MAXIMUM_DURATION: Final = 0xFFFF
"""The longest event in timestamp units: 8.19 s at 8000 per second."""

_BLOCK = struct.Struct(">BBH")
_END_PACKETS = 3
_SILENT_AFTER = 0.1
"""Seconds without a packet after which an event counts as ended (RFC 4733 section 2.5.2.2 leaves
the figure open; five packet intervals)."""
_OLD = 5 * 8000
"""Timestamps up to this far behind the newest event are late packets, not new events."""


def digit_of(event: int) -> str | None:
    """The digit of an event code, None for flash, tones and the rest."""
    return DIGITS[event] if 0 <= event < len(DIGITS) else None


def event_of(digit: str) -> int:
    """The event code of ``0-9 * # A-D``; raises :class:`LocalProtocolError` for another."""
    event = DIGITS.find(digit.upper())
    if len(digit) != 1 or event < 0:
        raise LocalProtocolError(f"{digit!r} is not a DTMF digit")
    return event


@dataclass(frozen=True, slots=True)
class EventPayload:
    """One four-octet block. ``volume`` in -dBm0 (0 to 63), ``duration`` in timestamp units."""

    event: int
    duration: int
    end: bool = False
    volume: int = 10

    def __bytes__(self) -> bytes:
        if not (0 <= self.event <= 255 and 0 <= self.volume <= 63 and 0 <= self.duration <= 0xFFFF):
            raise LocalProtocolError(f"{self} is out of range")
        return _BLOCK.pack(self.event, self.end << 7 | self.volume, self.duration)


def parse_payload(data: bytes | bytearray | memoryview) -> list[EventPayload]:
    """The blocks of one packet, at least one. Raises :class:`DecodeError`."""
    if len(data) < 4 or len(data) % 4:
        raise DecodeError(f"{len(data)} octets, not blocks of 4", path="telephone-event")
    return [
        EventPayload(event, duration, bool(flags & 0x80), flags & 0x3F)
        for event, flags, duration in _BLOCK.iter_unpack(data)
    ]


class EventSender:
    """The packets of a row of digits, one for each packet interval.

    ``interval`` is the packet interval in timestamp units. Ask :meth:`next_packet` once per
    interval; None means that the interval is free for audio.
    """

    def __init__(self, interval: int = 160) -> None:
        self._interval = interval
        self._waiting: deque[tuple[int, int, int]] = deque()
        self._event = -1
        self._start = 0
        self._sent = 0
        self._length = 0
        self._ends = 0
        self._pause = 0

    def add(self, digit: str, *, duration: int = 800, pause: int = 800) -> None:
        """Queue one digit; ``duration`` and the silence after it in timestamp units."""
        if not 1 <= duration <= MAXIMUM_DURATION or pause < 0:
            raise LocalProtocolError(f"duration {duration} is not 1 to {MAXIMUM_DURATION}")
        self._waiting.append((event_of(digit), duration, pause))

    @property
    def busy(self) -> bool:
        """Whether anything is being sent, waits, or is followed by a pause."""
        return bool(self._waiting) or self._event >= 0 or self._pause > 0

    def next_packet(self, timestamp: int) -> tuple[EventPayload, int, bool] | None:
        """Payload, RTP timestamp and marker of this interval's packet.

        ``timestamp`` is that of the audio packet which would be sent now.
        """
        if self._event < 0:
            if self._pause > 0:
                self._pause -= self._interval
                return None
            if not self._waiting:
                return None
            self._event, self._length, self._pause = self._waiting.popleft()
            self._start, self._sent, self._ends = timestamp, 0, 0
        marker = self._sent == 0
        self._sent = min(self._sent + self._interval, self._length)
        end = self._sent == self._length
        payload = EventPayload(self._event, self._sent, end)
        if end:
            self._ends += 1
            if self._ends == _END_PACKETS:
                self._event = -1
                # The repeated ends went out in the pause.
                self._pause -= self._interval * (_END_PACKETS - 1)
        return payload, self._start, marker


class EventReceiver:
    """Turns packets of one source into digits: each event once, however many packets it has.

    A digit is reported when its first packet arrives, so a lost start or a lost end costs nothing.
    ``held`` is the event that is being pressed now, or None.

    A stream may be closed and opened again while packets of a key press are on their way. They are
    no second press if ``already`` is what :attr:`last` of the stream's previous receiver said.
    """

    def __init__(self, already: tuple[int, int] | None = None) -> None:
        self.held: int | None = None
        self._already = already
        self._timestamp: int | None = None
        self._event = -1
        self._duration = 0
        self._heard = 0.0

    @property
    def last(self) -> tuple[int, int] | None:
        """RTP timestamp and code of the last event received, or None before the first."""
        return self._already if self._timestamp is None else (self._timestamp, self._event)

    def receive(
        self,
        data: bytes | bytearray | memoryview,
        timestamp: int,
        now: float,
        *,
        marker: bool = False,
    ) -> list[int]:
        """Take one packet's payload; answer the events that begin in it.

        Raises :class:`DecodeError` when the payload is not made of four-octet blocks.
        """
        begun: list[int] = []
        for block in parse_payload(data):
            if self._take(block, timestamp, now, marker):
                begun.append(block.event)
            # RFC 4733 section 2.5.1.5: a further block starts where the one before it ended.
            timestamp = timestamp + block.duration & 0xFFFFFFFF
        return begun

    def _take(self, block: EventPayload, timestamp: int, now: float, marker: bool) -> bool:
        if (timestamp, block.event) == self._already:
            return False
        begins = True
        if self._timestamp is not None:
            age = self._timestamp - timestamp & 0xFFFFFFFF
            if age == 0 and block.event == self._event:
                begins = False
            elif 0 < age <= _OLD or (age == 0 and not marker):
                return False
            elif (
                block.event == self.held
                and not marker
                and timestamp == self._timestamp + self._duration & 0xFFFFFFFF
            ):
                # Section 2.5.1.3: a long event goes on as a new segment.
                begins = False
        if begins:
            self._duration = 0
        elif timestamp == self._timestamp and self.held is None:
            # A packet that was overtaken by its end, or a repeated end.
            return False
        if timestamp != self._timestamp:
            self._duration = 0
        self._timestamp = timestamp
        self._event = block.event
        self._duration = max(self._duration, block.duration)
        self._heard = now
        self.held = None if block.end else block.event
        return begins

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None while no event is held."""
        return None if self.held is None else self._heard + _SILENT_AFTER

    def handle_deadline(self, now: float) -> None:
        """End an event whose end was lost."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline:
            self.held = None


class DigitMerger:
    """Passes each key press once when it is reported by several means (signalling, RTP, tones).

    A digit pairs with one earlier equal digit of another source within ``window`` seconds and is
    then its double. Digits of one source never suppress each other: "11" is two presses.
    """

    def __init__(self, window: float = 1.0) -> None:
        self.window = window
        self._unpaired: deque[tuple[float, str, str]] = deque(maxlen=64)

    def offer(self, digit: str, source: str, now: float) -> bool:
        """Whether this report is a new press."""
        while self._unpaired and self._unpaired[0][0] < now - self.window:
            self._unpaired.popleft()
        for entry in self._unpaired:
            if entry[1] == digit and entry[2] != source:
                self._unpaired.remove(entry)
                return False
        self._unpaired.append((now, digit, source))
        return True
