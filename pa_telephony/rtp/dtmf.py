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
from pa_telephony.rtp.packet import CLOCK_RATE
from pa_telephony.rtp.session import MAX_MISORDER

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
_FORGOTTEN = 60.0
"""Seconds after which the sequence number of a press says nothing of the next one's: within 22
minutes of sound it comes round."""
_OLD = 5 * CLOCK_RATE
"""Timestamps up to this far behind the newest event are late packets, not new events."""
_LOST = 5 * 160
"""How much of a long event may be lost in front of its next segment."""
_MASK32 = 0xFFFFFFFF
_NO_EVENT = -1
_FAR = 0x8000
"""The step between sequence numbers that have nothing to do with each other."""


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

    def cut(self) -> list[tuple[EventPayload, int, bool]]:
        """End the event that goes out, with the length that it has; the packets that say so.

        What waits goes on to wait.
        """
        if self._event < 0:
            return []
        end = EventPayload(self._event, self._sent, end=True)
        self._event = -1
        self._pause = self._pause if self._waiting else 0
        return [(end, self._start, False)] * (_END_PACKETS - self._ends)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


class EventReceiver:
    """Turns packets of one source into digits: each press once, however its packets are numbered.

    A digit is reported when its first packet arrives, so a lost start or a lost end costs nothing.
    ``held`` is the event that is being pressed now, or None.

    By RFC 4733 one press has one timestamp. Many senders give it several: with every packet, for
    the ends, for each of the ends. So another timestamp is a sign of another press only where
    nothing shows that the press before goes on: the next sequence number within 100 ms with no end
    heard, or a duration that reaches back to its beginning.
    """

    def __init__(self) -> None:
        self.held: int | None = None
        self._event = _NO_EVENT
        """The event of the last press."""
        self._timestamp = 0
        self._duration = 0
        self._began = 0.0
        self._heard: dict[int, float] = {}
        """When each event's last packet came."""
        self._ended = False
        """Whether the end of the last press was heard."""
        self._marked = False
        """Whether the last packet had the marker bit."""
        self._kept = self._moved = False
        """Whether a further packet of the press had the timestamp before it, or another."""
        self._sequence = 0
        self._stride = 1
        """How far the sequence numbers of the press's packets are apart: sound may be sent between
        them."""
        self._reopened = False

    def reopen(self) -> None:
        """Note that the stream was closed and is opened again.

        Packets of the last press may still be on their way, and are no second press.
        """
        self._reopened = True

    def receive(
        self,
        data: bytes | bytearray | memoryview,
        timestamp: int,
        now: float,
        *,
        marker: bool = False,
        sequence_number: int | None = None,
    ) -> list[int]:
        """Take one packet's payload; answer the events that begin in it.

        Without a ``sequence_number`` packets count as received in their order, except those whose
        timestamp is behind. Raises :class:`DecodeError` when the payload is not made of four-octet
        blocks.
        """
        blocks = parse_payload(data)
        step = 1
        if sequence_number is not None:
            step = self._step(sequence_number, now)
            if step <= 0:
                return []
            self._sequence = sequence_number
        # The ends of several presses in one packet are repeated under further sequence numbers.
        ordered = sequence_number is not None and len(blocks) == 1
        begun: list[int] = []
        for block in blocks:
            if self._take(block, timestamp, now, marker, step, ordered=ordered):
                begun.append(block.event)
            # RFC 4733 section 2.5.1.5: a further block starts where the one before it ended.
            timestamp = timestamp + block.duration & _MASK32
            step = _FAR
        return begun

    def _step(self, sequence_number: int, now: float) -> int:
        """How far a packet is behind the newest one (negative), or before it."""
        if self._event == _NO_EVENT or (self._reopened and not self._soon(now)):
            # A stream that was opened anew may count from anywhere.
            return _FAR
        if now - self._heard[self._event] > _FORGOTTEN:
            # So much sound has come since then that its numbers may stand right behind again.
            return _FAR
        step = sequence_number - self._sequence & 0xFFFF
        return step - 0x10000 if step > 0x10000 - MAX_MISORDER else step

    def _take(
        self,
        block: EventPayload,
        timestamp: int,
        now: float,
        marker: bool,
        step: int,
        *,
        ordered: bool,
    ) -> bool:
        behind = self._timestamp - timestamp & _MASK32
        same = block.event == self._event
        if self._event == _NO_EVENT:
            begins = True
        elif same and behind == 0:
            # A clock that stands still: what was sent behind the end is a press of its own.
            begins = ordered and self._ended and not block.end
            if self._ended and not block.end and not begins:
                return False
        elif (block.end or not ordered) and (
            0 < behind <= _OLD or (behind == 0 and not marker) or self._repeats(block, now)
        ):
            # Late, or the end of the press before, which is repeated in the midst of this one.
            return False
        else:
            begins = not (same and self._goes_on(block, timestamp, now, marker, step))
        if begins:
            self._began = now
            self._duration = 0
            self._kept = self._moved = False
            self._stride = 1
        else:
            first = not (self._kept or self._moved)
            self._stride = step if first else min(self._stride, step)
            self._kept |= behind == 0
            self._moved |= behind != 0
            if behind:
                self._duration = 0
        self._event, self._timestamp = block.event, timestamp
        self._duration = max(self._duration, block.duration)
        self._heard[block.event] = now
        self._marked = marker
        self._ended = block.end
        self._reopened = False
        self.held = None if block.end else block.event
        return begins

    def _soon(self, now: float) -> bool:
        return now - self._heard[self._event] < _SILENT_AFTER

    def _repeats(self, block: EventPayload, now: float) -> bool:
        """Whether this may be the end of an earlier press of another key."""
        heard = self._heard.get(block.event)
        return block.event != self._event and heard is not None and now - heard < _SILENT_AFTER

    def _goes_on(
        self, block: EventPayload, timestamp: int, now: float, marker: bool, step: int
    ) -> bool:
        """Whether a packet of the last event with another timestamp is of the same press."""
        soon = self._soon(now)
        if self._ended and self._kept and not self._moved:
            # All of that press had one timestamp, as is right: another one is another press.
            return False
        if self._ended:
            # An end behind an end repeats it; one of the three may be lost.
            return block.end and soon and step < _END_PACKETS * self._stride
        if block.end:
            return True
        steady = self._kept and not self._moved
        if self._reopened and steady:
            return False
        directly = step <= self._stride
        full = soon and self._duration > MAXIMUM_DURATION - _LOST
        segment = directly and timestamp == self._timestamp + self._duration & _MASK32
        if not marker and (full or segment):
            # Section 2.5.1.3: a long event goes on as a new segment.
            return True
        if block.duration < self._duration or (marker and not self._marked):
            return False
        if block.duration >= (now - self._began) * CLOCK_RATE:
            return True
        if directly and block.duration > self._duration:
            return True
        # Three ends at least lie between the packets of two presses.
        return soon and (not steady or step <= self._stride * _END_PACKETS)

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None while no event is held."""
        return None if self.held is None else self._heard[self.held] + _SILENT_AFTER

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
