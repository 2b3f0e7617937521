"""Where a phone's sound comes from and goes to: WAV files, or a sound card."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pa_telephony.errors import CallEnded, ConfigurationError
from pa_telephony.rtp import Media, Recording
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import CLOCK_RATE
from pa_telephony.tasks import Background

__all__ = ["Files", "SoundCard", "Sounds"]

_FRAME = CLOCK_RATE // 50
_QUEUED = 8
"""How many frames of 20 ms lie between the card's clock and ours; the oldest is dropped when they
drift."""


class Sounds(Protocol):
    """What a phone does with the sound of each of its calls."""

    def attach(self, media: Media, tasks: Background) -> None:
        """Take the sound of a call that has just got it."""
        ...


class Files:
    """Plays a WAV file into each call, once, and records what is heard, call after call."""

    def __init__(self, play: Path | None, record: Path | None) -> None:
        self._play = play
        self._record = record
        self._recording = Recording()

    def attach(self, media: Media, tasks: Background) -> None:
        """Begin to play into a call and to record it."""
        if self._record is not None:
            media.port.listeners.append(self._recording.add)
        if self._play is not None:
            tasks.start_soon(self._say, media, self._play)

    async def _say(self, media: Media, path: Path) -> None:
        with contextlib.suppress(CallEnded):
            await media.play(path)

    def save(self) -> None:
        """Write the recording, if one was wanted."""
        if self._record is not None:
            self._recording.save(self._record)


class _Pipe:
    """Samples on their way between the card's thread and the media engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[Samples] = deque(maxlen=_QUEUED)
        self._rest: Samples = np.zeros(0, np.int16)

    def add(self, frame: Samples) -> None:
        """Append a frame; the oldest one is dropped when there are too many."""
        with self._lock:
            self._frames.append(frame.copy())

    def read(self, count: int) -> Samples:
        """The next ``count`` samples, silence where there are none yet."""
        with self._lock:
            parts = [self._rest]
            have = len(self._rest)
            while have < count and self._frames:
                parts.append(self._frames.popleft())
                have += len(parts[-1])
        samples = np.concatenate(parts)
        self._rest = samples[count:]
        made: Samples = np.zeros(count, np.int16)
        made[: min(have, count)] = samples[:count]
        return made


class SoundCard:
    """Microphone and loudspeaker, through the extra ``softphone`` (sounddevice, PortAudio).

    Raises :class:`ConfigurationError` when there is no such library or no card.
    """

    def __init__(self) -> None:
        try:
            card: Any = importlib.import_module("sounddevice")
        except (ImportError, OSError) as error:
            # Without PortAudio its module raises OSError.
            raise ConfigurationError(
                f"no sound card: {error}. Install it with: pip install 'pa-telephony[softphone]'; "
                "on Linux also libportaudio2; --play and --record work without one"
            ) from error
        self._microphone, self._loudspeaker = _Pipe(), _Pipe()
        form = {"samplerate": CLOCK_RATE, "channels": 1, "dtype": "int16", "blocksize": _FRAME}
        self._streams: list[Any] = []
        try:
            for kind, callback in (
                (card.InputStream, self._heard),
                (card.OutputStream, self._wanted),
            ):
                self._streams.append(kind(callback=callback, **form))
                self._streams[-1].start()
        except card.PortAudioError as error:
            self.close()
            raise ConfigurationError(
                f"no sound card: {error}; --play and --record work without one"
            ) from error

    def attach(self, media: Media, tasks: Background) -> None:
        """Connect the microphone and the loudspeaker to a call."""
        media.port.source = self._microphone
        media.port.listeners.append(self._loudspeaker.add)

    def close(self) -> None:
        """Close the streams of the card."""
        for stream in self._streams:
            stream.close()

    # Called in the card's own thread.

    def _heard(self, data: Any, frames: int, time: object, status: object) -> None:
        self._microphone.add(data[:, 0])

    def _wanted(self, data: Any, frames: int, time: object, status: object) -> None:
        data[:, 0] = self._loudspeaker.read(frames)
