"""The phones of the demo: they call, listen, speak a tone, and remember what they heard."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import trio

from pa_telephony import sccp
from pa_telephony.cli.demo.checks import FRAME, RATE, Gap, Samples
from pa_telephony.cli.demo.excuses import Hole
from pa_telephony.errors import CallEnded
from pa_telephony.rtp import Media, Recording
from pa_telephony.rtp.tones import Tone

__all__ = ["Conversation", "Phone"]


class Conversation:
    """One call as one phone saw it; times are wall clock, 0.0 until something has happened."""

    def __init__(self, phone: str, other: str) -> None:
        self.phone = phone
        self.other = other
        self.started = time.time()
        self.connected = 0.0
        self.ended = 0.0
        self.call: sccp.Call | None = None
        self.media: Media | None = None
        self.recording = Recording()
        self.played: list[float] = []
        """When each frame of the recording was played."""
        self.expects = 0.0
        """The tone (Hz) that should be heard all the time; 0.0 when something else is."""

    def hear(self, frame: Samples, *, deaf: bool) -> None:
        """Add 20 ms to the recording; as silence, when the phone shall be ``deaf`` to it."""
        self.recording.add(np.zeros_like(frame) if deaf else frame)
        self.played.append(time.time())

    def hole(self, gap: Gap) -> Hole:
        """The hole in the sound for a gap of the recording: when that gap was played."""
        if not self.played:
            return Hole(self.started, self.started, gap.frames)
        last = len(self.played) - 1
        first = min(round(gap.start * RATE / FRAME), last)
        end = min(first + gap.frames, last)
        return Hole(self.played[first], self.played[end], gap.frames)

    @property
    def up(self) -> bool:
        """Whether the two sides can talk now."""
        return self.call is not None and self.call.connected


class Phone:
    """A phone that answers every call and speaks a tone of its own, ``hertz``.

    It does not hear one frame in ``drop_every``, so that the demo can be seen to notice that.
    """

    def __init__(self, station: sccp.Station, hertz: float, *, drop_every: int = 0) -> None:
        self.station = station
        self.number = station.number
        self.hertz = hertz
        self.answered: list[Conversation] = []
        self._news = trio.Event()
        self._drop_every = drop_every
        self._heard = 0

    async def serve(self) -> None:
        """Answer every call that rings, until cancelled."""
        await self.station.serve(self._answer)

    async def wait_answered(self, count: int) -> Conversation:
        """Wait until ``count`` calls have been answered; gives the last of them."""
        while len(self.answered) < count:
            await self._news.wait()
        return self.answered[count - 1]

    async def _answer(self, call: sccp.Call) -> None:
        conversation = Conversation(self.number, call.calling)
        async with call.answer() as media:
            self._begun(conversation, call, media)
            self.answered.append(conversation)
            self._news.set()
            self._news = trio.Event()
            await self._talk(conversation, media)

    @asynccontextmanager
    async def calls(self, number: str) -> AsyncGenerator[Conversation]:
        """Call ``number``, in the background; leaving hangs up."""
        conversation = Conversation(self.number, number)
        async with self.station.call(number) as call:
            media = await call.wait_media()
            self._begun(conversation, call, media)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._talk, conversation, media)
                yield conversation
                nursery.cancel_scope.cancel()
        conversation.ended = conversation.ended or time.time()

    def _begun(self, conversation: Conversation, call: sccp.Call, media: Media) -> None:
        conversation.call, conversation.media = call, media
        conversation.connected = time.time()

    async def _talk(self, conversation: Conversation, media: Media) -> None:
        def listen(frame: Samples) -> None:
            self._heard += 1
            deaf = bool(self._drop_every) and self._heard % self._drop_every == 0
            conversation.hear(frame, deaf=deaf)

        media.port.listeners.append(listen)
        try:
            with contextlib.suppress(CallEnded):
                await media.play(Tone((self.hertz,), -13.0))
        finally:
            conversation.ended = time.time()
            if listen in media.port.listeners:
                media.port.listeners.remove(listen)
