"""Tones: sine, silence, dual tones for digits, and the call-progress tones of North America.

Levels are in dBm0 as telephony counts them: a sine of +3.17 dBm0 (µ-law) just reaches full scale
(ITU-T G.711 section 4), so -13 dBm0, the usual level of dial tone, is amplitude 4977.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp.audio import Audio
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import CLOCK_RATE

__all__ = [
    "BUSY",
    "CALL_WAITING",
    "DIAL",
    "DTMF_FREQUENCIES",
    "HOWLER",
    "REORDER",
    "RINGBACK",
    "STUTTER_DIAL",
    "Tone",
    "dtmf",
    "silence",
    "sine",
]

_FULL_SCALE = 32124
"""The largest linear value of µ-law."""
_FULL_SCALE_DBM0 = 3.17

DTMF_FREQUENCIES: Final = {
    digit: (row, column)
    for row, digits in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for column, digit in zip((1209, 1336, 1477, 1633), digits, strict=True)
}
"""The low and the high frequency of each digit in Hz (ITU-T Q.23)."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A sum of sines, switched on and off in a cadence, for ever or for ``seconds``.

    ``frequencies`` in Hz below 4000, ``level`` of each in dBm0, ``cadence`` as on, off, on, off …
    in seconds (empty = always on), repeated.
    """

    frequencies: tuple[float, ...]
    level: float = -13.0
    cadence: tuple[float, ...] = ()
    seconds: float | None = None

    def __post_init__(self) -> None:
        if any(not 0 < frequency < CLOCK_RATE / 2 for frequency in self.frequencies):
            raise LocalProtocolError(f"frequencies {self.frequencies} must lie in 0 to 4000 Hz")
        if len(self.cadence) % 2 or any(length < 0 for length in self.cadence):
            raise LocalProtocolError(f"cadence {self.cadence} must be pairs of on and off")
        if self.cadence and sum(self.cadence) * CLOCK_RATE < 1:
            raise LocalProtocolError("a cadence must last for a sample at least")

    @property
    def length(self) -> int | None:
        """How many samples the tone has in all, None when it sounds for ever."""
        return None if self.seconds is None else round(self.seconds * CLOCK_RATE)

    def render(self, start: int, count: int) -> Samples:
        """Samples ``start`` to ``start + count``; pieces join without a click."""
        at = np.arange(start, start + count, dtype=np.int64)
        wave = np.zeros(count)
        for frequency in self.frequencies:
            wave += np.sin((2 * math.pi * frequency / CLOCK_RATE) * at)
        wave *= _amplitude(self.level)
        if self.cadence:
            edges = np.rint(np.cumsum(self.cadence) * CLOCK_RATE).astype(np.int64)
            # An odd number of edges behind us means we are in an off period.
            wave[np.searchsorted(edges, at % edges[-1], side="right") % 2 == 1] = 0.0
        if self.length is not None:
            wave[at >= self.length] = 0.0
        samples: Samples = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
        return samples


# North American call progress: Bellcore GR-506-CORE (LSSGR), as in Cisco's cptone US.
DIAL: Final = Tone((350, 440), -13.0)
STUTTER_DIAL: Final = Tone((350, 440), -13.0, (0.1, 0.1))
RINGBACK: Final = Tone((440, 480), -19.0, (2.0, 4.0))
BUSY: Final = Tone((480, 620), -24.0, (0.5, 0.5))
REORDER: Final = Tone((480, 620), -24.0, (0.25, 0.25))
CALL_WAITING: Final = Tone((440,), -13.0, (0.3, 9.7))
HOWLER: Final = Tone((1400, 2060, 2450, 2600), -10.0, (0.1, 0.1))


def _amplitude(level: float) -> float:
    return float(_FULL_SCALE * 10 ** ((level - _FULL_SCALE_DBM0) / 20))


def sine(frequency: float, seconds: float, level: float = -13.0) -> Audio:
    """One sine wave; ``level`` in dBm0, at most +3.17 without clipping."""
    return Audio(Tone((frequency,), level).render(0, round(seconds * CLOCK_RATE)))


def silence(seconds: float) -> Audio:
    """Silence of ``seconds``, at 8000 samples per second."""
    return Audio(np.zeros(round(seconds * CLOCK_RATE), np.int16))


def dtmf(digits: str, *, on: float = 0.1, off: float = 0.1, level: float = -9.0) -> Audio:
    """Dual tones for ``digits`` (0-9 * # A-D), ``on`` and ``off`` in seconds each.

    ITU-T Q.24 asks receivers for tones of 40 ms and pauses of 40 ms at the shortest.
    """
    pieces: list[Samples] = []
    for digit in digits.upper():
        if digit not in DTMF_FREQUENCIES:
            raise LocalProtocolError(f"{digit!r} is not a DTMF digit")
        pieces.append(Tone(DTMF_FREQUENCIES[digit], level).render(0, round(on * CLOCK_RATE)))
        pieces.append(np.zeros(round(off * CLOCK_RATE), np.int16))
    return Audio(np.concatenate(pieces) if pieces else np.zeros(0, np.int16))
