"""The receiving half of the engine: arrays over ports, not objects over packets.

A port is a row. A plain packet of the stream that is being heard (12-octet header, 160 samples of
the negotiated codec, sequence number and timestamp where they are expected) is checked, decoded
and put into the playout ring together with those of all other rows. Everything else takes the
careful way, one packet at a time, by the same rules as :class:`~pa_telephony.rtp.session.Source`,
:class:`~pa_telephony.rtp.session.SourceFollower` and
:class:`~pa_telephony.rtp.jitter.JitterBuffer`, which a test holds this module equal to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pa_telephony.errors import DecodeError
from pa_telephony.rtp.dtmf import EventReceiver
from pa_telephony.rtp.g711 import ALAW_TO_LINEAR, ULAW_TO_LINEAR, Samples
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import CLOCK_RATE, HEADER_SIZE, Codec, Packet
from pa_telephony.rtp.session import MAX_DROPOUT, MAX_MISORDER, silent_after

__all__ = ["DATAGRAM", "Inbound"]

DATAGRAM = 2048
"""Octets of a receive buffer; a G.711 packet of 120 ms has 972.

A packet that fills it may have been cut short, and counts as garbage.
"""

_PLAIN = HEADER_SIZE + FRAME
_COMFORT_NOISE = (13, 19)
"""Payload types of comfort noise: RFC 3389's, and the one that Cisco's devices used before it."""
_MASK32 = 0xFFFFFFFF
_NONE = -1
_DECODE = np.stack((ULAW_TO_LINEAR, ALAW_TO_LINEAR))


class Inbound:
    """Receive state of ``rows`` ports, each with a ring of ``slots`` frames (a power of two)."""

    def __init__(self, rows: int, *, slots: int = 16, delay: int = 3, late_limit: int = 5) -> None:
        if slots & (slots - 1) or not 0 <= delay < slots:
            raise ValueError(f"{slots} slots must be a power of two above the delay {delay}")
        self._slots = slots
        self._delay = delay
        self._late_limit = late_limit
        self._buffer = np.zeros((rows, DATAGRAM), np.uint8)
        self._words = self._buffer.view(">u4")
        self.views = [row.data for row in self._buffer]
        """The buffer of each row that the engine receives into."""

        def integers(fill: int = 0) -> NDArray[np.int64]:
            return np.full(rows, fill, np.int64)

        self._law = integers()
        self._type = integers(_NONE)
        self._event_type = integers(_NONE)
        self.ssrc = integers(_NONE)
        """The SSRC that each row follows; -1 before the first packet."""
        self.base = integers()
        self.maximum = integers()
        self.cycles = integers()
        self.received = integers()
        """Packets of the present source, as the report blocks count them."""
        self._bad = integers(_NONE)
        self._transit = integers(_NONE)
        self.jitter = np.zeros(rows)
        self._candidate = integers(_NONE)
        """SSRC and sequence number of the packet with which another source may take over."""
        self._left = np.zeros(rows, np.bool_)
        """Whether the present source said goodbye."""
        self._longest: dict[int, int] = {}
        """The octets of the longest packet of a row's source, where that is more than 20 ms."""
        self._events: dict[int, EventReceiver] = {}
        self._pressed: dict[int, tuple[int, EventReceiver]] = {}
        """The source of a row's closed stream and what took its digits: the packets of a press may
        still come."""
        self._cursor = integers(_NONE)
        self._head = integers()
        self._late_run = integers()
        # One more row of stamps than needed keeps the flat index simple.
        self._ring = np.zeros((rows * slots, FRAME), np.int16)
        self._stamps = np.full(rows * slots, _NONE, np.int64)
        self.frame = np.zeros((rows, FRAME), np.int16)
        """The samples that each row plays out in this tick; zeros where none came."""
        self.heard_at = np.zeros(rows)
        """When the last good packet arrived (the engine's clock)."""
        self.packets = integers()
        """Good packets since the port opened; never goes back."""
        self.octets = integers()
        self.garbage = integers()
        self.unexpected = integers()
        self.late = integers()
        self.duplicates = integers()
        self.restarts = integers()
        self.source_changes = integers()
        self.rivals = integers()
        """Packets of another source than the one that was heard."""
        self._earlier_expected = integers()

    # ------------------------------------------------------------------ set-up

    def open(self, row: int) -> None:
        """Make a row ready for a new port: all counters at zero, no stream."""
        for counter in (
            self.packets,
            self.octets,
            self.garbage,
            self.unexpected,
            self.late,
            self.duplicates,
            self.restarts,
            self.source_changes,
            self.rivals,
            self._earlier_expected,
        ):
            counter[row] = 0
        self.ssrc[row] = _NONE
        self.heard_at[row] = 0.0
        self.forget(row)
        self._pressed.pop(row, None)

    def listen(self, row: int, codec: Codec, event_type: int | None, now: float) -> None:
        """Expect a stream on a row; the stream before it is forgotten."""
        self.forget(row)
        self._law[row] = 0 if codec is Codec.PCMU else 1
        self._type[row] = codec
        self._event_type[row] = _NONE if event_type is None else event_type
        self.heard_at[row] = now

    def forget(self, row: int) -> None:
        """Drop the source and all sound that waits to be played."""
        receiver = self._events.pop(row, None)
        if receiver is not None:
            self._pressed[row] = int(self.ssrc[row]), receiver
        if self.ssrc[row] != _NONE:
            self._earlier_expected[row] = self.expected(row)
        self.ssrc[row] = _NONE
        self.received[row] = self.base[row] = self.maximum[row] = self.cycles[row] = 0
        self._bad[row] = _NONE
        self.jitter[row] = 0.0
        self._candidate[row] = _NONE
        self._left[row] = False
        self._longest.pop(row, None)
        self._empty(row)
        self.frame[row] = 0

    def _empty(self, row: int) -> None:
        self._cursor[row] = self._transit[row] = _NONE
        self._late_run[row] = 0
        span = slice(row * self._slots, (row + 1) * self._slots)
        self._ring[span] = 0
        self._stamps[span] = _NONE

    def expected(self, row: int) -> int:
        """How many packets were sent, by the sequence numbers of all sources so far."""
        before = int(self._earlier_expected[row])
        if self.ssrc[row] == _NONE:
            return before
        return before + int(self.cycles[row] + self.maximum[row] - self.base[row]) + 1

    # ------------------------------------------------------------------ packets

    def accept(
        self, rows: Sequence[int], lengths: Sequence[int], now: float
    ) -> list[tuple[int, int]]:
        """Take one packet for each of ``rows`` (distinct), as it lies in ``views[row]``.

        Answers ``(row, event)`` for each telephone event that begins.
        """
        r = np.asarray(rows, np.int64)
        head = self._words[r, :3].astype(np.int64)
        word, timestamp, ssrc = head[:, 0], head[:, 1], head[:, 2]
        sequence = word & 0xFFFF
        maximum = self.maximum[r]
        step = sequence - maximum & 0xFFFF
        offset = (timestamp - self._cursor[r] + 0x80000000 & _MASK32) - 0x80000000
        frames = offset // FRAME
        slot = r * self._slots + (self._head[r] + frames & self._slots - 1)
        # The marker bit may be either way.
        plain = word >> 16 & 0xFF7F == (0x8000 | self._type[r])
        plain &= np.asarray(lengths, np.int64) == _PLAIN
        plain &= ssrc == self.ssrc[r]
        plain &= (step < MAX_DROPOUT) | (step > 0x10000 - MAX_MISORDER)
        plain &= (self._cursor[r] != _NONE) & (offset >= 0) & (offset % FRAME == 0)
        plain &= (frames < self._slots) & (self._stamps[slot] != timestamp)
        if not plain.all():
            careful = [(rows[at], lengths[at]) for at in np.flatnonzero(~plain).tolist()]
            r, slot, timestamp = r[plain], slot[plain], timestamp[plain]
            sequence, maximum, step = sequence[plain], maximum[plain], step[plain]
        else:
            careful = []
        if len(r):
            ahead = step < MAX_DROPOUT
            self.cycles[r] += np.where(ahead & (sequence < maximum), 0x10000, 0)
            self.maximum[r] = np.where(ahead, sequence, maximum)
            self.received[r] += 1
            self.packets[r] += 1
            self.octets[r] += FRAME
            self.heard_at[r] = now
            transit = int(now * CLOCK_RATE) - timestamp & _MASK32
            change = (transit - self._transit[r] + 0x80000000 & _MASK32) - 0x80000000
            self.jitter[r] += (np.abs(change) - self.jitter[r]) / 16
            self._transit[r] = transit
            # RFC 3550 A.1 never clears bad_seq; the candidate SSRC must be consecutive.
            self._candidate[r] = _NONE
            self._left[r] = False
            self._late_run[r] = 0
            self._stamps[slot] = timestamp
            self._ring[slot] = self._decoded(r)
        begun: list[tuple[int, int]] = []
        for row, length in careful:
            begun += [(row, event) for event in self._accept_one(row, length, now)]
        return begun

    def _decoded(self, r: NDArray[np.int64]) -> Samples:
        payload = self._buffer[r, HEADER_SIZE:_PLAIN]
        law = self._law[r]
        if not law.any():
            return ULAW_TO_LINEAR.take(payload)
        return _DECODE[law[:, None], payload]

    def _accept_one(self, row: int, length: int, now: float) -> list[int]:
        """Take any packet; answer the telephone events that begin in it."""
        if length >= DATAGRAM:
            self.garbage[row] += 1
            return []
        try:
            packet = Packet.parse(self.views[row][:length])
        except DecodeError:
            self.garbage[row] += 1
            return []
        kind = packet.payload_type
        if kind not in (self._type[row], self._event_type[row], *_COMFORT_NOISE):
            self.unexpected[row] += 1
            return []
        if not self._follow(row, packet.ssrc, packet.sequence_number, now):
            return []
        self._left[row] = False
        self.packets[row] += 1
        self.octets[row] += len(packet.payload)
        self.heard_at[row] = now
        if kind == self._event_type[row]:
            try:
                return self._events_of(row, packet.ssrc).receive(
                    packet.payload,
                    packet.timestamp,
                    now,
                    marker=packet.marker,
                    sequence_number=packet.sequence_number,
                )
            except DecodeError:
                self.garbage[row] += 1
        elif kind == self._type[row] and packet.payload:
            if len(packet.payload) > FRAME:
                self._longest[row] = max(self._longest.get(row, 0), len(packet.payload))
            self._arrived(row, packet.timestamp, now)
            self._insert(row, packet.timestamp, packet.payload)
        return []

    def _events_of(self, row: int, ssrc: int) -> EventReceiver:
        receiver = self._events.get(row)
        if receiver is None:
            before, known = self._pressed.pop(row, (_NONE, None))
            receiver = known if known is not None and before == ssrc else EventReceiver()
            receiver.reopen()
            self._events[row] = receiver
        return receiver

    def _follow(self, row: int, ssrc: int, sequence: int, now: float) -> bool:
        """Do what :meth:`SourceFollower.update` and :meth:`Source.update` do, on a row."""
        if self.ssrc[row] == _NONE:
            self._start(row, ssrc, sequence)
        elif ssrc != self.ssrc[row]:
            if not self._may_follow(row, ssrc, sequence, now):
                self.rivals[row] += 1
                return False
            self.source_changes[row] += 1
            self._earlier_expected[row] = self.expected(row)
            self._start(row, ssrc, sequence)
        else:
            self._candidate[row] = _NONE
        maximum = int(self.maximum[row])
        step = sequence - maximum & 0xFFFF
        if step < MAX_DROPOUT:
            if sequence < maximum:
                self.cycles[row] += 0x10000
            self.maximum[row] = sequence
        elif step <= 0x10000 - MAX_MISORDER:
            if sequence != self._bad[row]:
                self._bad[row] = sequence + 1 & 0xFFFF
                return False
            self._earlier_expected[row] = self.expected(row)
            self._start(row, ssrc, sequence)
        self.received[row] += 1
        return True

    def _may_follow(self, row: int, ssrc: int, sequence: int, now: float) -> bool:
        if now - self.heard_at[row] < silent_after(self._longest.get(row, 0)):
            self._candidate[row] = _NONE
            return False
        if self._left[row] or self._candidate[row] == ssrc << 16 | sequence:
            return True
        self._candidate[row] = ssrc << 16 | sequence + 1 & 0xFFFF
        return False

    def _start(self, row: int, ssrc: int, sequence: int) -> None:
        if ssrc != self.ssrc[row]:
            self._events.pop(row, None)
            self._longest.pop(row, None)
            self._empty(row)
            self.jitter[row] = 0.0
        self.ssrc[row] = ssrc
        self.base[row] = self.maximum[row] = sequence
        self.cycles[row] = self.received[row] = 0
        self._bad[row] = self._transit[row] = _NONE
        self._candidate[row] = _NONE

    def _arrived(self, row: int, timestamp: int, now: float) -> None:
        transit = int(now * CLOCK_RATE) - timestamp & _MASK32
        if self._transit[row] != _NONE:
            change = (transit - int(self._transit[row]) + 0x80000000 & _MASK32) - 0x80000000
            self.jitter[row] += (abs(change) - self.jitter[row]) / 16
        self._transit[row] = transit

    def _insert(self, row: int, timestamp: int, payload: bytes) -> None:
        """Do what :meth:`JitterBuffer.insert` does, on a row."""
        size = self._slots * FRAME
        if self._cursor[row] == _NONE:
            self._restart(row, timestamp)
        offset = (timestamp - int(self._cursor[row]) + 0x80000000 & _MASK32) - 0x80000000
        restart = False
        if offset < 0:
            self._late_run[row] += 1
            if self._late_run[row] < self._late_limit:
                self.late[row] += 1
                return
            restart = True
        elif offset + len(payload) > size:
            restart = True
        elif self._stamps[self._slot(row, offset)] == timestamp:
            self._late_run[row] = 0
            self.duplicates[row] += 1
            return
        if restart:
            self.restarts[row] += 1
            self._restart(row, timestamp)
            offset = self._delay * FRAME
        self._late_run[row] = 0
        self._stamps[self._slot(row, offset)] = timestamp
        samples = _DECODE[self._law[row]].take(np.frombuffer(payload, np.uint8)[: size - offset])
        ring = self._ring[row * self._slots : (row + 1) * self._slots].reshape(-1)
        start = (int(self._head[row]) * FRAME + offset) % size
        first = min(len(samples), size - start)
        ring[start : start + first] = samples[:first]
        ring[: len(samples) - first] = samples[first:]

    def _slot(self, row: int, offset: int) -> int:
        return row * self._slots + (int(self._head[row]) + offset // FRAME & self._slots - 1)

    def _restart(self, row: int, timestamp: int) -> None:
        transit = self._transit[row]
        self._empty(row)
        self._transit[row] = transit
        self._cursor[row] = timestamp - self._delay * FRAME & _MASK32

    def bye(self, row: int, ssrc: int) -> None:
        """Note that the source said goodbye: once it is silent, the next needs no probation."""
        if self.ssrc[row] == ssrc:
            self._left[row] = True

    # ------------------------------------------------------------------ playout

    def take(self, rows: NDArray[np.int64]) -> None:
        """Move every row's next frame to :attr:`frame`."""
        heads = self._head[rows]
        slots = rows * self._slots + heads
        self.frame[rows] = self._ring[slots]
        self._ring[slots] = 0
        self._stamps[slots] = _NONE
        self._head[rows] = heads + 1 & self._slots - 1
        cursor = self._cursor[rows]
        self._cursor[rows] = np.where(cursor == _NONE, _NONE, cursor + FRAME & _MASK32)
