"""Conferences and endless sounds, as sources of ports.

A tick plays out all ports of its phase before it prepares what they send, so a mix of their frames
goes out in the next tick. Of a port in another phase its newest frame is in the mix.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pa_telephony.rtp.audio import Audio
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import CLOCK_RATE, Codec
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.tones import Tone

__all__ = ["Loop", "Mixer"]


class Loop:
    """A sound that begins again when it ends; an empty one is silence."""

    def __init__(self, sound: Audio | Tone) -> None:
        self._sound = sound if isinstance(sound, Tone) else sound.at_rate(CLOCK_RATE)
        self._at = 0
        self._numbers: Iterator[int] | None = None
        if isinstance(self._sound, Audio) and len(self._sound.samples) % FRAME == 0:
            self._numbers = itertools.cycle(range(self._sound.whole_frames))

    def payloads(self, codec: Codec) -> Iterator[bytes] | None:
        """The sound without an end; None if it does not consist of whole frames."""
        if isinstance(self._sound, Tone) or self._numbers is None:
            return None
        return self._sound.payloads(codec, self._numbers)

    def read(self, count: int) -> Samples:
        """The next ``count`` samples at 8000 per second."""
        start, self._at = self._at, self._at + count
        if isinstance(self._sound, Tone):
            return self._sound.render(start, count)
        if not len(self._sound.samples):
            return np.zeros(count, np.int16)
        return self._sound.samples.take(range(start, start + count), mode="wrap")


class Mixer:
    """Ports that hear each other, but not themselves.

    This costs one addition per port and tick: a port is sent the sum of all frames less its own,
    clipped to 16 bits.
    """

    def __init__(self) -> None:
        self._members: dict[Port, _Member] = {}
        self._total: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, port: Port) -> None:
        """Let a port hear the other members from the next tick on, and be heard by them."""
        member = self._members[port] = _Member(self)
        port.listeners.append(member.hear)
        port.source = member

    def leave(self, port: Port) -> None:
        """Take a port out of the mix; a port that is no member is left alone."""
        member = self._members.pop(port, None)
        if member is not None:
            if member.hear in port.listeners:
                port.listeners.remove(member.hear)
            self._total = None
            if port.source is member:
                port.source = None

    def others(self, frame: NDArray[np.int32]) -> Samples:
        """The sum of this tick's frames without ``frame``, clipped to 16 bits."""
        if self._total is None:
            self._total = np.zeros(FRAME, np.int32)
            for member in self._members.values():
                self._total += member.frame
        mixed: Samples = np.clip(self._total - frame, -32768, 32767).astype(np.int16)
        return mixed

    def changed(self) -> None:
        """Note that a member has a new frame, so that the sum must be made anew."""
        self._total = None


class _Member:
    """One port's part of a mix: its last frame, and the source of what it is sent."""

    def __init__(self, mixer: Mixer) -> None:
        self.frame = np.zeros(FRAME, np.int32)
        self.hear: Callable[[Samples], None] = self._hear
        self._mixer = mixer

    def _hear(self, frame: Samples) -> None:
        self.frame[:] = frame
        self._mixer.changed()

    def read(self, count: int) -> Samples:
        """The mix of the other members' frames in this tick."""
        return self._mixer.others(self.frame)[:count]
