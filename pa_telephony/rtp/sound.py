"""What an application does with the sound of a call: play, ask, record, digits."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import TypeAlias

import numpy as np
import trio

from pa_telephony.errors import CallEnded, LocalProtocolError
from pa_telephony.rtp import wav
from pa_telephony.rtp.audio import Audio
from pa_telephony.rtp.dtmf import DigitMerger
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import CLOCK_RATE, Codec
from pa_telephony.rtp.port import Port
from pa_telephony.rtp.tones import Tone

__all__ = ["Media", "Playable", "Recording"]

Playable: TypeAlias = "str | os.PathLike[str] | Audio | Tone"
"""What can be played: the path of a WAV file, a piece of sound, or a tone."""

_MAX_DIGITS = 256
_MAX_RECORDED = CLOCK_RATE * 4 * 3600


class _Player:
    """A sound that is being played, and how far; ``read`` has what is behind the payloads."""

    def __init__(self, sound: Audio | Tone) -> None:
        self.done = trio.Event()
        self._sound = sound
        self._frames = 0 if isinstance(sound, Tone) else sound.whole_frames
        self._numbers = iter(range(self._frames))
        self._at = self._frames * FRAME

    def payloads(self, codec: Codec) -> Iterator[bytes] | None:
        """The whole frames that have not been played; None of a tone."""
        if isinstance(self._sound, Tone):
            return None
        return self._sound.payloads(codec, self._numbers)

    def read(self, count: int) -> Samples:
        if isinstance(self._sound, Tone):
            length = self._sound.length
            left = count if length is None else min(count, length - self._at)
            samples = self._sound.render(self._at, max(left, 0))
        else:
            samples = self._sound.samples[self._at : self._at + count]
        self._at += len(samples)
        if len(samples) < count:
            self.done.set()
        return samples


class Recording:
    """The sound that was heard, at 8000 samples per second, in step with time.

    Samples that never came are zeros.
    """

    def __init__(self) -> None:
        self._frames: list[Samples] = []
        self._length = 0

    def add(self, frame: Samples) -> None:
        """Append a frame (the engine does); four hours are the limit."""
        if self._length < _MAX_RECORDED:
            self._frames.append(frame.copy())
            self._length += len(frame)

    @property
    def samples(self) -> Samples:
        """All samples so far, as one array."""
        return np.concatenate(self._frames) if self._frames else np.zeros(0, np.int16)

    @property
    def seconds(self) -> float:
        """The duration so far, in seconds."""
        return self._length / CLOCK_RATE

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to a WAV file (16-bit PCM)."""
        wav.write(path, Audio(self.samples))


class Media:
    """The sound of one call. Every verb raises :class:`CallEnded` once the call is over."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._cause: int | None = None
        self._news = trio.Event()
        self._digits: deque[str] = deque(maxlen=_MAX_DIGITS)
        self._merger = DigitMerger()
        self._playing = trio.Lock()
        port.on_digit = self._heard

    @property
    def port(self) -> Port:
        """The UDP ports that carry the sound."""
        return self._port

    async def play(self, source: Playable) -> None:
        """Play to the end. One sound at a time: a second one waits for the first.

        Nothing is lost while the call is on hold: the sound waits. Cancelling stops at once.
        """
        player = _Player(_sound_of(source))
        async with self._playing:
            self._check()
            self._port.source = player
            try:
                await self._until(player.done)
            finally:
                if self._port.source is player:
                    self._port.source = None

    async def ask(self, source: Playable, *, digits: int = 1, end: str = "#") -> str:
        """Play a prompt and collect digits; the first key ends the prompt.

        Returns when there are ``digits`` of them or a key of ``end`` was pressed (which is not
        returned). Waits for as long as the caller does: use a cancel scope. Keys pressed
        before count.
        """
        answer = ""
        async with trio.open_nursery() as nursery:

            async def prompt() -> None:
                with contextlib.suppress(CallEnded):
                    await self.play(source)

            if not self._digits:
                nursery.start_soon(prompt)
            try:
                answer = await self.read_digit()
            except CallEnded as ended:
                cause: int | None = ended.cause
            else:
                cause = None
            nursery.cancel_scope.cancel()
        if cause is not None:
            raise CallEnded(cause)
        if answer in end:
            return ""
        while len(answer) < digits:
            digit = await self.read_digit()
            if digit in end:
                break
            answer += digit
        return answer

    @contextlib.contextmanager
    def record(self) -> Generator[Recording]:
        """Record what is heard until the block is left."""
        recording = Recording()
        self._port.listeners.append(recording.add)
        try:
            yield recording
        finally:
            self._port.listeners.remove(recording.add)

    async def read_digit(self) -> str:
        """Wait for the next key that the caller presses; raises :class:`CallEnded`."""
        await trio.lowlevel.checkpoint()
        while not self._digits:
            self._check()
            await self._news.wait()
        return self._digits.popleft()

    async def digits(self) -> AsyncGenerator[str]:
        """The keys as they are pressed; the iteration ends with the call."""
        while True:
            try:
                digit = await self.read_digit()
            except CallEnded:
                return
            yield digit

    async def send_digits(self, digits: str) -> None:
        """Press keys: RFC 4733 events of 100 ms. Returns when the last has gone out.

        A call on hold has them wait. Raises :class:`LocalProtocolError` where events were not
        negotiated, or are not any more.
        """
        self._check()
        for digit in digits:
            self._port.send_digit(digit)
        while self._port.sends_digits:
            self._check()
            if self._port.sending and not self._port.can_send_digits:
                self._port.forget_digits()
                raise LocalProtocolError(
                    "telephone events are not negotiated any more: not all digits were sent"
                )
            await trio.sleep(0.02)

    def feed_digit(self, digit: str) -> None:
        """Take a key that signalling reported; the same key in the audio is then dropped."""
        self._take(digit, "signalling")

    def end(self, cause: int = 16) -> None:
        """Note that the call is over: verbs that wait, and later ones, raise :class:`CallEnded`."""
        if self._cause is None:
            self._cause = cause
            self._port.source = None
            self._tell()

    def _heard(self, digit: str) -> None:
        self._take(digit, "rtp")

    def _take(self, digit: str, source: str) -> None:
        if self._merger.offer(digit, source, trio.current_time()):
            self._digits.append(digit)
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def _check(self) -> None:
        if self._cause is not None:
            raise CallEnded(self._cause)

    async def _until(self, done: trio.Event) -> None:
        async with trio.open_nursery() as nursery:

            async def finish() -> None:
                await done.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(finish)
            while self._cause is None:
                await self._news.wait()
            nursery.cancel_scope.cancel()
        self._check()


def _sound_of(source: Playable) -> Audio | Tone:
    if isinstance(source, Tone):
        return source
    audio = source if isinstance(source, Audio) else wav.read(source)
    return audio.at_rate(CLOCK_RATE)
