"""The receiving half of the engine: arrays over ports, not objects over packets.

A port is a row. A plain packet of the stream that is being heard (12-octet header, 160 samples of
the negotiated codec, the next sequence number, the timestamp that continues the one before) is
checked and put into the playout ring together with those of all other rows. Everything
else takes the careful way, one packet at a time, by the same rules as
:class:`~pa_telephony.rtp.session.Source`, :class:`~pa_telephony.rtp.session.SourceFollower` and
:class:`~pa_telephony.rtp.jitter.JitterBuffer`, which a test holds this module equal to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pa_telephony.errors import DecodeError
from pa_telephony.rtp.dtmf import EventReceiver
from pa_telephony.rtp.g711 import ALAW_TO_LINEAR, ULAW_TO_LINEAR, Samples
from pa_telephony.rtp.jitter import FRAME, PATIENCE, Inserted, patience, place
from pa_telephony.rtp.packet import CLOCK_RATE, HEADER_SIZE, Codec, Packet
from pa_telephony.rtp.rings import Rings
from pa_telephony.rtp.rows import NOBODY, Rows, addresses_of, holds, numbers
from pa_telephony.rtp.session import MAX_DROPOUT, MAX_MISORDER, Reception, silent_after

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
_DECODE = np.stack([ULAW_TO_LINEAR, ALAW_TO_LINEAR])


def _signed(difference: int) -> int:
    """A difference of timestamps, negative when the first is behind the second."""
    return (difference + 0x80000000 & _MASK32) - 0x80000000


class Inbound:
    """Receive state of ``rows`` ports, each with a ring of ``slots`` frames (a power of two)."""

    def __init__(self, rows: int, *, slots: int = 16, delay: int = 3) -> None:
        if not 0 <= delay < slots:
            raise ValueError(f"{slots} slots must be more than the delay {delay}")
        self._rings = Rings(rows, slots)
        self.delay = delay
        """Frames of 20 ms between arrival and playout."""
        self._size = self._rings.size
        self._buffer = np.zeros((rows, DATAGRAM), np.uint8)
        self.views = [row.data for row in self._buffer]
        """The buffer of each row that the engine receives into."""
        self.addresses = addresses_of(self._buffer)
        """Where these lie in memory."""
        self.odd: list[int] = []
        """The rows whose last packets were not simply the next ones of their streams."""

        def integers(fill: int = 0) -> NDArray[np.int64]:
            return np.full(rows, fill, np.int64)

        self._law = integers()
        self._alaw: set[int] = set()
        """The rows whose codec is A-law."""
        self._type = integers(_NONE)
        self._event_type = integers(_NONE)
        self.ssrc = integers(_NONE)
        """The SSRC that each row follows; -1 before the first packet."""
        # What each plain packet makes greater by one stands side by side.
        self._counts = np.zeros((rows, 3), np.int64)
        self.packets = self._counts[:, 0]
        """Good packets since the port opened; never goes back."""
        self.extended = self._counts[:, 1]
        """The highest sequence number of the present source, with the count of wraps above 16
        bits."""
        self._awaited = self._counts[:, 2]
        """One more; kept by _expect and _accept_plain."""
        self._next = np.zeros(rows, np.uint32)
        """The timestamp behind the newest packet, if any sound has come."""
        self._flows = np.zeros(rows, np.bool_)
        """Whether sound has come, and the next packet's place in the ring is known."""
        self._regular = np.zeros(rows, np.bool_)
        """Whether the next packet may be a plain one."""
        # The header of the plain packet that comes next; kept by _expect and _accept_plain. Only
        # whether it is the same is asked, so eight octets are compared at once.
        wanted = np.zeros((rows, 16), np.uint8)
        self._wanted_halves = wanted.view(">u2")
        self._wanted_words = wanted.view(">u4")
        self._wanted_ssrc = wanted.view(np.uint32)[:, 2]
        self._wanted_start = wanted.view(np.uint64)[:, 0]
        self._came_start = self._buffer.view(np.uint64)[:, 0]
        self._came_ssrc = self._buffer.view(np.uint32)[:, 2]
        self._came_sound = self._buffer[:, HEADER_SIZE:_PLAIN]
        self._first = integers()
        """The sequence number with which the present source began."""
        self._before = integers()
        """Packets that had come before it did."""
        self._passed_over = integers()
        """Packets that came of it and were of no type that was agreed on."""
        self._bad = integers(_NONE)
        self._transit = np.zeros(rows, np.uint32)
        self._timed = np.zeros(rows, np.bool_)
        """Whether the transit time is known of the packet before."""
        self.jitter = np.zeros(rows)
        self._last_heard: dict[int, Reception] = {}
        """What was heard of the source before, where there is none now."""
        self._candidate: dict[int, int] = {}
        """SSRC and sequence number of the packet with which another source may take over."""
        self._left: set[int] = set()
        """The rows whose present source said goodbye."""
        self._longest: dict[int, int] = {}
        """The octets of the longest packet of a row's source, where that is more than 20 ms."""
        self._events: dict[int, EventReceiver] = {}
        self._pressed: dict[int, tuple[int, EventReceiver]] = {}
        """The source of a row's closed stream and what took its digits: the packets of a press may
        still come."""
        self._missing: dict[int, dict[int, bool]] = {}
        """The sequence numbers that have not come of a row's source, up to :data:`MAX_MISORDER`,
        and whether each counts as lost."""
        self._cursor = np.zeros(rows, np.uint32)
        """The timestamp of the frame that each row plays next, if anything has come."""
        self._coming = self._rings.playing.copy()
        """The slot where the next packet of a row belongs, if that is a plain one."""
        self._watched: set[int] = set()
        """The rows where more may wait than the delay."""
        self._patience = integers()
        """For these rows: frames until one is left out."""
        self._least = integers()
        """The least that has waited meanwhile, in samples."""
        self.frame = np.zeros((rows, FRAME), np.int16)
        """The samples that each row which is heard plays out in this tick; zeros where none
        came."""
        self.heard_at = np.zeros(rows)
        """When the last good packet arrived (the engine's clock)."""
        self._odd_octets = integers()
        """By how much these had more than 160 octets each."""
        self.garbage = integers()
        self.unexpected = integers()
        self.unexpected_type = integers(_NONE)
        """The payload type of the last of these; -1 before the first."""
        self.lost = integers()
        """Sequence numbers that never came."""
        self.late = integers()
        self.duplicates = integers()
        self.reordered = integers()
        self.restarts = integers()
        """Jumps of a sender's clock."""
        self.skipped = integers()
        """Frames that were left out because too many waited."""
        self.source_changes = integers()
        self.rivals = integers()
        """Packets of another source than the one that was heard."""

    # ------------------------------------------------------------------ set-up

    def open(self, row: int) -> None:
        """Make a row ready for a new port: all counters at zero, no stream."""
        for counter in (
            self.packets,
            self._odd_octets,
            self.garbage,
            self.unexpected,
            self.lost,
            self.late,
            self.duplicates,
            self.reordered,
            self.restarts,
            self.skipped,
            self.source_changes,
            self.rivals,
        ):
            counter[row] = 0
        self.ssrc[row] = self.unexpected_type[row] = _NONE
        self.heard_at[row] = 0.0
        self.forget(row)
        self._last_heard.pop(row, None)
        self._pressed.pop(row, None)

    def listen(self, row: int, codec: Codec, event_type: int | None, now: float) -> None:
        """Expect a stream on a row; the stream before it is forgotten."""
        self.forget(row)
        self._law[row] = 0 if codec is Codec.PCMU else 1
        (self._alaw.discard if codec is Codec.PCMU else self._alaw.add)(row)
        self._type[row] = codec
        self._event_type[row] = _NONE if event_type is None else event_type
        self.heard_at[row] = now
        self._expect(row)

    def forget(self, row: int) -> None:
        """Drop the source and all sound that waits to be played."""
        if (heard := self.reception(row)) is not None:
            self._last_heard[row] = heard
        receiver = self._events.pop(row, None)
        if receiver is not None:
            self._pressed[row] = int(self.ssrc[row]), receiver
        self.ssrc[row] = _NONE
        self.extended[row] = 0
        self._before[row] = self.packets[row]
        self._bad[row] = _NONE
        self.jitter[row] = 0.0
        self._candidate.pop(row, None)
        self._left.discard(row)
        self._longest.pop(row, None)
        self._missing.pop(row, None)
        self._empty(row)
        self.frame[row] = 0
        self._expect(row)

    def _empty(self, row: int) -> None:
        self._flows[row] = False
        self._timed[row] = False
        self._patience[row] = 0
        self._watched.discard(row)
        self._rings.empty(row)

    def octets(self, row: int) -> int:
        """The octets of sound and digits that came since the port opened."""
        return int(self.packets[row]) * FRAME + int(self._odd_octets[row])

    def reception(self, row: int) -> Reception | None:
        """What was heard of the present source, or of the last one since the port was opened."""
        if self.ssrc[row] == _NONE:
            return self._last_heard.get(row)
        return Reception(
            ssrc=int(self.ssrc[row]),
            first=int(self._first[row]),
            highest=int(self.extended[row]),
            received=int(self.packets[row] - self._before[row] + self._passed_over[row]),
            jitter=float(self.jitter[row]),
        )

    def _expect(self, row: int) -> None:
        """Write down which packet would be a plain one now."""
        waits = int(self._next[row]) - int(self._cursor[row])
        self._regular[row] = self._flows[row] and self._timed[row] and waits % FRAME == 0
        self._coming[row] = self._rings.slot(row, waits // FRAME)
        self._awaited[row] = self.extended[row] + 1
        self._wanted_halves[row, 0] = 0x8000 | max(int(self._type[row]), 0)
        self._wanted_halves[row, 1] = self._awaited[row] & 0xFFFF
        self._wanted_words[row, 1] = self._next[row]
        self._wanted_words[row, 2] = int(self.ssrc[row]) & _MASK32

    # ------------------------------------------------------------------ packets

    def accept(self, rows: Rows, lengths: list[int], now: float) -> list[tuple[int, int]]:
        """Take one packet for each of ``rows``, as it lies in ``views[row]``.

        Answers ``(row, event)`` for each telephone event that begins.
        """
        plain = self._next[rows] - self._cursor[rows] <= self._size - FRAME
        plain &= self._regular[rows]
        plain &= self._came_start[rows] == self._wanted_start[rows]
        plain &= self._came_ssrc[rows] == self._wanted_ssrc[rows]
        if lengths.count(_PLAIN) < len(lengths):
            plain &= np.array(lengths) == _PLAIN
        if plain.all():
            self.odd = []
            self._accept_plain(rows, now)
            return []
        each, odd = numbers(rows), np.flatnonzero(~plain).tolist()
        self.odd = each[odd].tolist()
        if len(odd) < len(each):
            self._accept_plain(each[plain], now)
        return self.accept_each(self.odd, [lengths[at] for at in odd], now)

    def accept_each(self, rows: list[int], lengths: list[int], now: float) -> list[tuple[int, int]]:
        """Do the same the careful way, which costs less for a few packets."""
        begun: list[tuple[int, int]] = []
        for row, length in zip(rows, lengths, strict=True):
            begun += [(row, event) for event in self._accept_one(row, length, now)]
            self._expect(row)
        return begun

    def _accept_plain(self, rows: Rows, now: float) -> None:
        """Take packets that are just what was expected."""
        slots = self._coming[rows]
        self._rings.put(slots, self._came_sound[rows])
        self._coming[rows] = self._rings.after[slots]
        self._counts[rows] += 1
        self._wanted_halves[rows, 1] = self._awaited[rows]
        self.heard_at[rows] = now
        transit = np.uint32(int(now * CLOCK_RATE) & _MASK32) - self._next[rows]
        self._next[rows] += FRAME
        self._wanted_words[rows, 1] = self._next[rows]
        change = np.abs((transit - self._transit[rows]).view(np.int32))
        self._transit[rows] = transit
        self.jitter[rows] += (change - self.jitter[rows]) * 0.0625
        # RFC 3550 A.1 never clears bad_seq; the candidate SSRC must be consecutive.
        if self._candidate or self._left:
            for row in [each for each in (*self._candidate, *self._left) if holds(rows, each)]:
                self._candidate.pop(row, None)
                self._left.discard(row)

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
            self._pass_over(row, packet, now)
            return []
        step = self._follow(row, packet.ssrc, packet.sequence_number, now)
        if step is None:
            return []
        self._left.discard(row)
        self.packets[row] += 1
        self._odd_octets[row] += len(packet.payload) - FRAME
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
            if step:
                self._insert(row, packet.timestamp, packet.payload[: self._size], step)
            self._arrived(row, packet.timestamp, now)
        return []

    def _pass_over(self, row: int, packet: Packet, now: float) -> None:
        """Count a packet of a type that nobody agreed on; of the source that is heard, it came."""
        self.unexpected[row] += 1
        self.unexpected_type[row] = packet.payload_type
        known = packet.ssrc == self.ssrc[row]
        if known and self._follow(row, packet.ssrc, packet.sequence_number, now) is not None:
            self._passed_over[row] += 1

    def _events_of(self, row: int, ssrc: int) -> EventReceiver:
        receiver = self._events.get(row)
        if receiver is None:
            before, known = self._pressed.pop(row, (_NONE, None))
            receiver = known if known is not None and before == ssrc else EventReceiver()
            receiver.reopen()
            self._events[row] = receiver
        return receiver

    def _follow(self, row: int, ssrc: int, sequence: int, now: float) -> int | None:
        """Do what :meth:`SourceFollower.update` and :meth:`Source.update` do, on a row.

        Answers how far a good packet is ahead of the newest one: 0 for one that has come already.
        """
        begins = self.ssrc[row] == _NONE
        if not begins and ssrc != self.ssrc[row]:
            if not self._may_follow(row, ssrc, sequence, now):
                self.rivals[row] += 1
                return None
            self.source_changes[row] += 1
            begins = True
        self._candidate.pop(row, None)
        step = sequence - int(self.extended[row]) & 0xFFFF
        if not begins and MAX_DROPOUT <= step <= 0x10000 - MAX_MISORDER:
            if sequence != self._bad[row]:
                self._bad[row] = sequence + 1 & 0xFFFF
                return None
            begins = True
        if begins:
            self._start(row, ssrc, sequence)
            step = 1
        elif step < MAX_DROPOUT:
            self.extended[row] += step
        else:
            step -= 0x10000
        return self._count(row, sequence, step)

    def _count(self, row: int, sequence: int, step: int) -> int:
        """Count what is lost, reordered and doubled; 0 for what has come already."""
        missing = self._missing[row]
        if step > 1:
            self.lost[row] += step - 1
            for back in range(min(step, MAX_MISORDER) - 1, 0, -1):
                missing[sequence - back & 0xFFFF] = True
            for old in list(missing)[:-MAX_MISORDER]:
                del missing[old]
        elif step <= 0:
            counted = missing.pop(sequence, None)
            if counted is None:
                self.duplicates[row] += 1
                return 0
            self.lost[row] -= counted
            self.reordered[row] += 1
        return step

    def _may_follow(self, row: int, ssrc: int, sequence: int, now: float) -> bool:
        if now - self.heard_at[row] < silent_after(self._longest.get(row, 0)):
            self._candidate.pop(row, None)
            return False
        if row in self._left or self._candidate.get(row) == ssrc << 16 | sequence:
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
        self._first[row] = self.extended[row] = sequence
        # What the network has put behind the first packet.
        self._missing[row] = {sequence - back & 0xFFFF: False for back in range(self.delay, 0, -1)}
        self._before[row] = self.packets[row]
        self._passed_over[row] = 0
        self._bad[row] = _NONE
        self._timed[row] = False
        self._candidate.pop(row, None)

    def _arrived(self, row: int, timestamp: int, now: float) -> None:
        transit = int(now * CLOCK_RATE) - timestamp & _MASK32
        if self._timed[row]:
            change = _signed(transit - int(self._transit[row]))
            self.jitter[row] += (abs(change) - self.jitter[row]) / 16
        self._timed[row] = True
        self._transit[row] = transit

    def _insert(self, row: int, timestamp: int, payload: bytes, step: int) -> None:
        """Do what :meth:`JitterBuffer.insert` does, on a row."""
        delay, length = self.delay * FRAME, len(payload)
        if not self._flows[row]:
            self._flows[row] = True
            self._cursor[row] = timestamp - delay & _MASK32
            self._next[row] = timestamp
        offset = _signed(timestamp - int(self._cursor[row]))
        end = self._waits(row)
        if step < 0:
            if 0 <= offset <= end - length:
                self._rings.write(row, offset, payload)
            else:
                self.late[row] += 1
            return
        at, result = place(offset, end, length, step, delay=delay, size=self._size)
        full = at + length - self._size
        for _ in range(0, full, FRAME):
            self._leave_out(row)
            at -= FRAME
        if full > 0 or result is Inserted.FOLLOWED:
            self._watch(row)
        if result is Inserted.FOLLOWED:
            self.late[row] += 1
        elif result is Inserted.RESTARTED:
            self.restarts[row] += 1
            self._timed[row] = False
        self._rings.write(row, at, payload)
        self._cursor[row] = timestamp - at & _MASK32
        self._next[row] = timestamp + length & _MASK32

    def _waits(self, row: int) -> int:
        """How many samples wait, or how long nothing has (negative)."""
        end = _signed(int(self._next[row]) - int(self._cursor[row]))
        # Three days of silence look like a future.
        return end if end <= self._size else -self._size

    def _leave_out(self, row: int) -> None:
        """Drop the frame that is played next."""
        self._rings.advance(slice(row, row + 1))
        self._cursor[row] = int(self._cursor[row]) + FRAME & _MASK32
        self.skipped[row] += 1

    def _watch(self, row: int, frames: int = PATIENCE) -> None:
        if self._patience[row] == 0:
            self._watched.add(row)
            self._patience[row] = frames
            self._least[row] = self._size

    def _catch_up(self, rows: NDArray[np.int64]) -> None:
        rows = rows[self._patience[rows] > 0]
        waits = (self._next[rows] - self._cursor[rows]).view(np.int32)
        self._least[rows] = np.minimum(self._least[rows], waits)
        self._patience[rows] -= 1
        for row in rows[self._patience[rows] == 0].tolist():
            self._watched.discard(row)
            excess = int(self._least[row]) - self.delay * FRAME
            if excess > 0:
                self._leave_out(row)
                self._watch(row, patience(excess - FRAME))

    def bye(self, row: int, ssrc: int) -> None:
        """Note that the source said goodbye: once it is silent, the next needs no probation."""
        if self.ssrc[row] == ssrc:
            self._left.add(row)

    # ------------------------------------------------------------------ playout

    def take(self, rows: Rows, heard: Rows | None = None) -> None:
        """Play every row's next frame: those of ``heard`` (None: all) are in :attr:`frame` then."""
        heard = rows if heard is None else heard
        if heard is not NOBODY:
            self.frame[heard] = self._decoded(heard)
        self._rings.advance(rows)
        self._cursor[rows] += FRAME
        if self._watched:
            self._catch_up(numbers(rows))

    def _decoded(self, rows: Rows) -> Samples:
        octets, came = self._rings.frames(rows)
        if self._alaw:
            samples: Samples = _DECODE[self._law[rows, None], octets]
        else:
            # No octet is outside of the table; not to check that takes two thirds of the time.
            samples = _DECODE[0].take(octets, mode="wrap")
        if came is not None:
            samples[~came] = 0
        return samples
