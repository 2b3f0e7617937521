"""A small playout ring for one stream, in timestamp units.

Time is cut into frames of 160 samples. :meth:`JitterBuffer.take` gives one frame per call and moves
on; :meth:`JitterBuffer.insert` puts a payload where its timestamp belongs. Samples that never came
stay empty. The engine's vectorised version (:mod:`pa_telephony.rtp.inbound`) follows the same
rules, and a test holds the two equal.

Rules, all in samples relative to the cursor (the timestamp of the next frame to be taken):

* the first packet sets the cursor ``delay`` frames before itself;
* offset below 0: late, dropped; ``late_limit`` of them in a row restart the ring at the last;
* beyond the ring: the clock of the source jumped, restart at once;
* the frame already holds a packet with this timestamp: duplicate, dropped.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["FRAME", "Inserted", "JitterBuffer"]

FRAME = 160
"""Samples per frame: 20 ms."""


class Inserted(IntEnum):
    """What became of an inserted packet."""

    PLACED = 0
    LATE = 1
    DUPLICATE = 2
    RESTARTED = 3
    """Placed, after the ring was emptied and the cursor set anew."""


class JitterBuffer:
    """``slots`` frames of 160 one-octet samples; ``delay`` of them between arrival and playout."""

    def __init__(self, *, slots: int = 16, delay: int = 3, late_limit: int = 5) -> None:
        if not 0 <= delay < slots:
            raise ValueError(f"a delay of {delay} frames does not fit into {slots}")
        self._size = slots * FRAME
        self._delay = delay * FRAME
        self._late_limit = late_limit
        self._late_run = 0
        self._cursor: int | None = None
        self._samples: list[int | None] = [None] * self._size
        self._stamps: dict[int, int] = {}

    def insert(self, timestamp: int, payload: bytes) -> Inserted:
        """Place one packet's samples; ``timestamp`` is that of the first."""
        result = Inserted.PLACED
        if self._cursor is None:
            self._restart(timestamp)
        assert self._cursor is not None
        offset = (timestamp - self._cursor + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if offset < 0:
            self._late_run += 1
            if self._late_run < self._late_limit:
                return Inserted.LATE
            result = Inserted.RESTARTED
        elif offset + len(payload) > self._size:
            result = Inserted.RESTARTED
        elif self._stamps.get(offset // FRAME) == timestamp:
            self._late_run = 0
            return Inserted.DUPLICATE
        if result is Inserted.RESTARTED:
            self._restart(timestamp)
            offset = self._delay
        self._late_run = 0
        self._stamps[offset // FRAME] = timestamp
        kept = payload[: self._size - offset]
        self._samples[offset : offset + len(kept)] = kept
        return result

    def take(self) -> list[int | None]:
        """The next 160 samples, None for each that never came."""
        frame = self._samples[:FRAME]
        if self._cursor is not None:
            self._samples = [*self._samples[FRAME:], *[None] * FRAME]
            self._stamps = {slot - 1: stamp for slot, stamp in self._stamps.items() if slot}
            self._cursor = self._cursor + FRAME & 0xFFFFFFFF
        return frame

    def _restart(self, timestamp: int) -> None:
        self._cursor = timestamp - self._delay & 0xFFFFFFFF
        self._samples = [None] * self._size
        self._stamps = {}
        self._late_run = 0
