"""A piece of sound: linear samples and their rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp.g711 import Samples, encode
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import CLOCK_RATE, Codec

__all__ = ["Audio", "resample"]

_MOST_READY = 15_000
_TAPS_PER_PHASE = 24
"""Half the length of the polyphase filter per input sample; 48 taps at the lower rate."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """One channel of 16-bit samples at ``rate`` samples per second.

    What has been played once is encoded once: the samples are not to be changed afterwards.
    """

    samples: Samples
    rate: int = CLOCK_RATE
    _encoded: dict[Codec, list[bytes]] = field(
        default_factory=dict[Codec, list[bytes]], init=False, repr=False
    )

    @property
    def seconds(self) -> float:
        """The duration of the sound in seconds."""
        return len(self.samples) / self.rate

    def at_rate(self, rate: int) -> Audio:
        """The same sound at another rate.

        Only whole multiples and fractions are converted (16000 or 48000 to 8000 and back);
        anything else raises :class:`LocalProtocolError`, because a bad resampler is worse than
        none.
        """
        if rate == self.rate:
            return self
        return Audio(resample(self.samples, self.rate, rate), rate)

    @property
    def whole_frames(self) -> int:
        """How many frames of 160 samples lie ready as payloads; none of a sound above 5 minutes.

        Longer ones would keep everything waiting while they are encoded.
        """
        frames = len(self.samples) // FRAME
        return frames if frames <= _MOST_READY else 0

    def payloads(self, codec: Codec, numbers: Iterable[int]) -> Iterator[bytes]:
        """The frames of these numbers in ``codec``, which has to be that of 8000 samples a second.

        The frames are encoded when they are asked for first.
        """
        ready = self._encoded.get(codec)
        if ready is None:
            whole = encode(self.samples[: self.whole_frames * FRAME], codec)
            ready = [whole[at : at + FRAME] for at in range(0, len(whole), FRAME)]
            self._encoded[codec] = ready
        return map(ready.__getitem__, numbers)


def resample(samples: Samples, rate: int, new_rate: int) -> Samples:
    """Convert between rates of which one is a whole multiple of the other.

    A windowed-sinc low-pass (Hann, 48 taps at the lower rate, cut at 0.45 of it) does the work.
    """
    if rate <= 0 or new_rate <= 0:
        raise LocalProtocolError(f"sample rates {rate} and {new_rate} must be positive")
    if rate == new_rate:
        return samples
    factor, remainder = divmod(max(rate, new_rate), min(rate, new_rate))
    if remainder:
        raise LocalProtocolError(
            f"cannot convert {rate} to {new_rate} samples per second: not a whole multiple; "
            "convert the file (sox, ffmpeg) to 8000, 16000 or 48000"
        )
    reach = _TAPS_PER_PHASE * factor
    at = np.arange(-reach, reach + 1, dtype=np.float64)
    taps = 0.9 * np.sinc(0.9 * at / factor) * np.hanning(len(at))
    if len(samples) == 0:
        return np.zeros(0, np.int16)
    if new_rate > rate:
        spread = np.zeros(len(samples) * factor)
        spread[::factor] = samples
        # Each output phase sees every factor-th tap; their sum must be one.
        filtered = np.convolve(spread, taps * factor / taps.sum())[reach:-reach]
    else:
        filtered = np.convolve(samples.astype(np.float64), taps / taps.sum())[reach:-reach]
        filtered = filtered[::factor]
    clipped: Samples = np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)
    return clipped
