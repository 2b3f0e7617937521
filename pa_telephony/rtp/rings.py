"""The sound that waits to be played, of many ports at once.

Each row has as many frames of 160 octets as a power of two, in a circle. What came is noted beside
the octets: a frame that was played is marked, and not written once more.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.rows import Rows

__all__ = ["Octets", "Rings", "Slots"]

Octets: TypeAlias = NDArray[np.uint8]
Slots: TypeAlias = NDArray[np.int64]
"""The numbers of frames, counted over all rows."""

_WHOLE: Final = np.ones(FRAME, np.bool_)


class Rings:
    """Rings of ``slots`` frames each for ``rows`` ports."""

    def __init__(self, rows: int, slots: int) -> None:
        if slots & (slots - 1) or not slots:
            raise ValueError(f"{slots} slots must be a power of two")
        self._slots = slots
        self.size = slots * FRAME
        """The samples that a ring holds."""
        number = np.arange(rows * slots)
        self.after: Slots = number // slots * slots + (number + 1) % slots
        """The slot that is played after each."""
        self.playing: Slots = number[::slots].copy()
        """The slot that each row plays next."""
        self._octets = np.zeros((rows * slots, FRAME), np.uint8)
        self._came = np.zeros(rows * slots, np.bool_)
        """Whether anything has come for each slot."""
        self._parts: dict[int, NDArray[np.bool_]] = {}
        """Which samples have come, for the slots of which a part has."""

    def slot(self, row: int, frames: int) -> int:
        """The slot that the row plays after so many ``frames``."""
        first = row * self._slots
        return first + (int(self.playing[row]) - first + frames) % self._slots

    def put(self, slots: Slots, sound: Octets) -> None:
        """Write a whole frame into each of ``slots``, for which nothing has come yet."""
        self._octets[slots] = sound
        self._came[slots] = True

    def write(self, row: int, at: int, payload: bytes) -> None:
        """Write octets to ``at`` samples behind what the row plays next; at most a ring full."""
        octets = np.frombuffer(payload, np.uint8)
        done = 0
        while done < len(octets):
            frames, begin = divmod(at + done, FRAME)
            piece = octets[done : done + FRAME - begin]
            self._write_into(self.slot(row, frames), slice(begin, begin + len(piece)), piece)
            done += len(piece)

    def _write_into(self, slot: int, where: slice, piece: Octets) -> None:
        came = self._parts.pop(slot, _WHOLE if self._came[slot] else ~_WHOLE).copy()
        came[where] = True
        if not came.all():
            self._parts[slot] = came
        self._octets[slot, where] = piece
        self._came[slot] = True

    def frames(self, rows: Rows) -> tuple[Octets, NDArray[np.bool_] | None]:
        """What ``rows`` play next, and which samples of it have come; None: all have."""
        slots = self.playing[rows]
        octets, came = self._octets[slots], self._came[slots]
        if not self._parts and came.all():
            return octets, None
        each = np.repeat(came[:, None], FRAME, axis=1)
        for at, slot in enumerate(slots.tolist()) if self._parts else ():
            each[at] = self._parts.get(slot, each[at])
        return octets, each

    def advance(self, rows: Rows) -> None:
        """Let ``rows`` move on by a frame, whatever came for it."""
        slots = self.playing[rows]
        for slot in slots.tolist() if self._parts else ():
            self._parts.pop(slot, None)
        self._came[slots] = False
        self.playing[rows] = self.after[slots]

    def empty(self, row: int) -> None:
        """Drop all that waits in a row."""
        slots = range(row * self._slots, (row + 1) * self._slots)
        self._came[slots.start : slots.stop] = False
        for slot in slots:
            self._parts.pop(slot, None)
