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
"""The samples of 20 ms."""
_PART = 10 * FRAME
_LONGEST_PAUSE = 50
"""The longest pause in frames."""
_SAME, _THE_VERY_SAME = 0.5, 0.98
"""Correlation of a frame where it is expected, and of one that is looked for elsewhere.

Neighbouring frames of a chord can be alike to 0.92; companding leaves 0.9998.
"""

Samples: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which the expected sound is missing, in seconds of the recording."""

    start: float
    end: float

    @property
    def frames(self) -> int:
        """How many 20 ms frames are missing in the gap."""
        return round((self.end - self.start) * RATE / FRAME)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a reference was found in a recording, and how well it matches.

    ``correlation`` is 1.0 for the same sound at any volume and about 0 for something else, the gaps
    aside; ``start`` is in seconds of the recording; ``gaps`` are frames of the reference that carry
    sound and do not stand in the recording, and pauses in which it did not go on.
    """

    correlation: float
    start: float
    gaps: tuple[Gap, ...]

    @property
    def missing(self) -> int:
        """How many 20 ms frames of sound are missing, or of pause are too many."""
        return sum(gap.frames for gap in self.gaps)


def find(reference: Samples, recording: Samples) -> Match:
    """Find ``reference`` in ``recording``: by cross-correlation, and then frame by frame.

    The recording may begin before the reference and end before it is over; what is missing at the
    end counts as a gap. A player that stood still goes on where it was, so the sound behind it may
    be later by whole frames, a second at most.
    """
    wanted = reference.astype(np.float64)
    heard = recording.astype(np.float64)
    if not wanted.any() or not heard.any():
        return Match(0.0, 0.0, ())
    lag = _best_lag(wanted, heard)
    return _follow(wanted, heard, max(lag % FRAME, lag - _LONGEST_PAUSE * FRAME), lag)


def _best_lag(wanted: NDArray[Any], heard: NDArray[Any]) -> int:
    """The lag at which that part of the reference stands in the recording which is heard best.

    Of the whole, a cross-correlation would find a place between those that a pause has parted.
    """
    size = 1 << (len(heard) + _PART - 1).bit_length()
    spectrum = np.fft.rfft(heard, size)
    best, where = -1.0, 0
    for at in range(0, len(wanted), _PART):
        part = wanted[at : at + _PART]
        if not part.any():
            continue
        found = np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, size)), size)[: len(heard)]
        place = int(np.argmax(found))
        alike = _correlation(part[: len(heard) - place], heard[place : place + len(part)])
        if alike > best and place >= at:
            best, where = alike, place - at
        if best > _THE_VERY_SAME:
            break
    return where


def _follow(wanted: NDArray[Any], heard: NDArray[Any], begins: int, lag: int) -> Match:
    """Go through the reference frame by frame; ``lag`` is where most of it stands."""
    loud = 0.1 * float(np.sqrt((wanted**2).mean()))
    gaps: list[Gap] = []
    present: list[tuple[NDArray[Any], NDArray[Any]]] = []
    start = expected = lag
    earliest = begins
    lost = False
    for at in range(0, len(wanted) - FRAME + 1, FRAME):
        frame = wanted[at : at + FRAME]
        # Quiet frames are left out: companding noise decides there, not transport.
        if np.sqrt((frame**2).mean()) <= loud:
            continue
        found = _where(frame, heard, at, expected, earliest)
        if found is None:
            if lost:
                gaps[-1] = Gap(gaps[-1].start, (expected + at + FRAME) / RATE)
            else:
                gaps.append(Gap((expected + at) / RATE, (expected + at + FRAME) / RATE))
            lost = True
            continue
        if present and found > expected:
            gaps.append(Gap((expected + at) / RATE, (found + at) / RATE))
        if not present:
            start = found
        lost = False
        expected = earliest = found
        present.append((frame, heard[found + at : found + at + FRAME]))
    if not present:
        piece = np.zeros(len(wanted))
        there = heard[lag : lag + len(wanted)]
        piece[: len(there)] = there
        return Match(_correlation(wanted, piece), lag / RATE, tuple(gaps))
    one, other = (np.concatenate(each) for each in zip(*present, strict=True))
    return Match(_correlation(one, other), start / RATE, tuple(gaps))


def _where(
    frame: NDArray[Any], heard: NDArray[Any], at: int, expected: int, earliest: int
) -> int | None:
    """The first lag, from ``earliest`` on, at which a frame of the reference is heard."""
    last = max(expected, earliest + _LONGEST_PAUSE * FRAME)
    for lag in (expected, *range(earliest, last + 1, FRAME)):
        piece = heard[lag + at : lag + at + FRAME]
        same = _SAME if lag == expected and earliest == expected else _THE_VERY_SAME
        if len(piece) == FRAME and _correlation(frame, piece) > same:
            return int(lag)
    return None


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


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / norm) if norm else 0.0


def _runs(missing: NDArray[np.bool_], start: float) -> tuple[Gap, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    return tuple(
        Gap(start + begin * FRAME / RATE, start + end * FRAME / RATE)
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    )
