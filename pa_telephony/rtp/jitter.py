"""A small playout ring for one stream, in timestamp units.

Time is cut into frames of 160 samples. :meth:`JitterBuffer.take` gives one frame per call and moves
on; :meth:`JitterBuffer.insert` puts a payload where it belongs. Samples that never came stay empty.
The engine's vectorised version (:mod:`pa_telephony.rtp.inbound`) follows the same rules, and the
fuzzer (``fuzz/fuzz_rtp.py``) holds the two equal.

What is in order is told by sequence numbers, for a sender's clock may jump, stand still or run at
a wrong rate. The timestamp says only how long a pause is. The rules, for the newest packet so far:

* the first packet of all is played ``delay`` frames after it came;
* one whose timestamp fits behind the packets before it (pauses and lost packets counted) lies
  where its timestamp says;
* any other one shows that the clock has jumped: it follows what waits, and the clock is set anew;
* one that comes after its time is played nevertheless, because nothing newer has been;
* where the ring is full, the oldest frames are left out.

A packet older than the newest one is played if its time is still to come. A sender that was behind
leaves more waiting than ``delay``; that is reduced by a frame every few seconds, and the faster the
more it is.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["FRAME", "PATIENCE", "Inserted", "JitterBuffer", "patience", "place"]

FRAME: Final = 160
"""Samples per frame: 20 ms."""

PATIENCE: Final = 250
"""Frames within which always more waited than the delay, before one of them is left out: 5 s."""
_LEAST_PATIENCE = 25
"""Frames between two that are left out, however much waits: sound that is a 25th faster."""

_WOBBLE = FRAME // 4
"""Timestamps that are so little off are no pause and no jump."""
_EARLY = 2 * FRAME
"""How much earlier than by the delay a packet behind a pause may come."""


class Inserted(IntEnum):
    """What became of an inserted packet."""

    PLACED = 0
    LATE = 1
    """Too late to be played."""
    DUPLICATE = 2
    RESTARTED = 3
    """Placed behind what waits, and the clock set anew."""
    FOLLOWED = 4
    """Placed although its time was over."""


def patience(excess: int) -> int:
    """Frames until one is left out, where always ``excess`` samples too much have waited."""
    return max(_LEAST_PATIENCE, PATIENCE * FRAME // max(excess, FRAME))


def place(
    offset: int, end: int, length: int, step: int, *, delay: int, size: int
) -> tuple[int, Inserted]:
    """Where the newest packet belongs, and what that makes of it; all in samples.

    ``offset`` is where its timestamp points and ``end`` where the packets before it end, counted
    from the frame that is played next; negative is past. ``step`` is how far its sequence number is
    ahead of the newest one. Where too little room is left behind the answer, the oldest frames
    have to go.
    """
    lead = end + (step - 1) * length
    result = Inserted.PLACED
    if abs(offset - lead) <= _WOBBLE:
        at = lead
    elif end <= offset <= max(lead, delay + _EARLY):
        at = offset
    else:
        at, result = lead, Inserted.RESTARTED
    if at < 0:
        # The longer nothing waited, the more is to wait from now on.
        return min(-at // FRAME * FRAME, delay), result or Inserted.FOLLOWED
    if at > end and at + length > size:
        return max(end, 0), Inserted.RESTARTED
    return at, result


class JitterBuffer:
    """``slots`` frames of 160 one-octet samples; ``delay`` of them between arrival and playout."""

    def __init__(self, *, slots: int = 16, delay: int = 3) -> None:
        if not 0 <= delay < slots:
            raise ValueError(f"a delay of {delay} frames does not fit into {slots}")
        self._size = slots * FRAME
        self._delay = delay * FRAME
        self._cursor: int | None = None
        """The timestamp of the frame that is taken next."""
        self._end = 0
        """Where the newest packet ends, in samples behind the cursor."""
        self._samples: list[int | None] = [None] * self._size
        self._waiting: dict[int, int] = {}
        """Where the packets that wait begin, by timestamp."""
        self._newest = -1
        self._watch: tuple[int, int] | None = None
        """While more may wait than the delay: frames until one is left out, least that waited."""

    def insert(self, timestamp: int, payload: bytes, step: int | None = None) -> Inserted:
        """Place one packet's samples; ``timestamp`` is that of the first.

        ``step`` is how far its sequence number is ahead of the newest one before it, None where
        that is not known: packets count as received in order then, unless they fit into a gap or
        leave a small one.
        """
        payload = payload[: self._size]
        if step == 0:
            return Inserted.DUPLICATE
        if self._cursor is None:
            self._cursor = timestamp - self._delay & 0xFFFFFFFF
            self._end = self._delay
        offset = (timestamp - self._cursor + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if step is None:
            step = self._guess(timestamp, offset, len(payload))
        if step == 0:
            return Inserted.DUPLICATE
        if step < 0:
            if not 0 <= offset <= self._end - len(payload):
                return Inserted.LATE
            self._write(offset, timestamp, payload)
            return Inserted.PLACED
        at, result = place(
            offset, self._end, len(payload), step, delay=self._delay, size=self._size
        )
        full = at + len(payload) - self._size
        for _ in range(0, full, FRAME):
            self._leave_out()
            at -= FRAME
        if full > 0 or result is Inserted.FOLLOWED:
            self._watch = self._watch or (PATIENCE, self._size)
        self._write(at, timestamp, payload)
        self._newest = timestamp
        self._cursor = timestamp - at & 0xFFFFFFFF
        self._end = at + len(payload)
        return result

    def take(self) -> list[int | None]:
        """The next 160 samples, None for each that never came."""
        frame = self._samples[:FRAME]
        if self._cursor is not None:
            self._leave_out()
            self._catch_up()
        return frame

    def _guess(self, timestamp: int, offset: int, length: int) -> int:
        if timestamp in self._waiting and timestamp != self._newest:
            return 0
        if 0 <= offset < self._end and self._samples[offset] is None:
            return -1
        lost, odd = divmod(offset - self._end, max(length, 1))
        return lost + 1 if not odd and 0 < offset - self._end <= self._delay else 1

    def _write(self, at: int, timestamp: int, payload: bytes) -> None:
        self._samples[at : at + len(payload)] = payload
        self._waiting[timestamp] = at

    def _leave_out(self) -> None:
        """Move on by a frame."""
        assert self._cursor is not None
        self._samples = [*self._samples[FRAME:], *[None] * FRAME]
        self._waiting = {stamp: at - FRAME for stamp, at in self._waiting.items() if at >= FRAME}
        self._cursor = self._cursor + FRAME & 0xFFFFFFFF
        self._end -= FRAME

    def _catch_up(self) -> None:
        if self._watch is None:
            return
        left, least = self._watch
        left, least = left - 1, min(least, self._end)
        self._watch = left, least
        if not left:
            self._watch = None
            excess = least - self._delay
            if excess > 0:
                self._leave_out()
                self._watch = patience(excess - FRAME), self._size
