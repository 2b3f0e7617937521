"""What a phone heard, judged by content: is it the sound that was sent, and where are gaps.

All sound is 8 kHz int16; a frame is 20 ms, 160 samples. A recording is one unbroken timeline, so
a packet that never came is a frame of zeros, and a gap is a frame whose content is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME", "RATE", "Gap", "Match", "find", "tone_gaps"]

RATE = 8000
FRAME = 160
"""Samples in 20 ms."""

Samples: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which the expected sound is missing, in seconds of the recording."""

    start: float
    end: float

    @property
    def frames(self) -> int:
        """How many 20 ms frames are missing."""
        return round((self.end - self.start) * RATE / FRAME)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a reference was found in a recording, and how well.

    ``correlation`` is 1.0 for the same sound at any volume and about 0 for something else;
    ``start`` is in seconds of the recording; ``gaps`` are frames of the reference that carry
    sound but do not stand in the recording.
    """

    correlation: float
    start: float
    gaps: tuple[Gap, ...]


def find(reference: Samples, recording: Samples) -> Match:
    """Find ``reference`` in ``recording`` by normalised cross-correlation.

    The recording may begin before the reference and end before it is over; what is missing at
    the end counts as a gap.
    """
    wanted = reference.astype(np.float64)
    heard = recording.astype(np.float64)
    if not wanted.any() or not heard.any():
        return Match(0.0, 0.0, ())
    size = 1 << (len(wanted) + len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    lag = int(np.argmax(np.fft.irfft(spectrum, size)[: len(heard)]))
    piece = np.zeros(len(wanted))
    there = heard[lag : lag + len(wanted)]
    piece[: len(there)] = there
    return Match(_correlation(wanted, piece), lag / RATE, _missing(wanted, piece, lag / RATE))


def tone_gaps(
    frequency: float, recording: Samples, *, purity: float = 0.8
) -> tuple[Gap, ...] | None:
    """The gaps in a steady tone between its first and its last frame; None if it is never heard.

    A frame counts as the tone when at least ``purity`` of its energy lies at ``frequency`` (Hz).
    """
    present = _tone_frames(frequency, recording, purity)
    where = np.flatnonzero(present)
    if not len(where):
        return None
    first, last = int(where[0]), int(where[-1])
    return _runs(~present[first : last + 1], first * FRAME / RATE)


def _tone_frames(frequency: float, recording: Samples, purity: float) -> NDArray[np.bool_]:
    whole = len(recording) // FRAME
    frames = recording[: whole * FRAME].reshape(whole, FRAME).astype(np.float64)
    energy = (frames**2).sum(axis=1)
    turn = 2j * np.pi * frequency / RATE * np.arange(FRAME)
    # Parseval: a pure real sine has half of FRAME times its energy in this one coefficient.
    at_frequency = 2 / FRAME * np.abs(frames @ np.exp(-turn)) ** 2
    audible = energy > FRAME * 50.0**2
    result: NDArray[np.bool_] = audible & (at_frequency > purity * energy)
    return result


def _missing(wanted: NDArray[Any], heard: NDArray[Any], start: float) -> tuple[Gap, ...]:
    whole = len(wanted) // FRAME
    missing = np.zeros(whole, dtype=np.bool_)
    loud = float(np.sqrt((wanted**2).mean()))
    for number in range(whole):
        part = slice(number * FRAME, (number + 1) * FRAME)
        # Quiet frames are left out: companding noise decides there, not transport.
        if np.sqrt((wanted[part] ** 2).mean()) > 0.1 * loud:
            missing[number] = _correlation(wanted[part], heard[part]) < 0.5
    return _runs(missing, start)


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / norm) if norm else 0.0


def _runs(missing: NDArray[np.bool_], start: float) -> tuple[Gap, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    return tuple(
        Gap(start + begin * FRAME / RATE, start + end * FRAME / RATE)
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    )
