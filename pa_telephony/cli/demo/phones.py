"""The people of the demo: phones that call, listen, speak a tone, and remember what they heard."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from pa_telephony import sccp
from pa_telephony.errors import CallEnded
from pa_telephony.rtp import Media, Recording
from pa_telephony.rtp.tones import Tone

__all__ = ["Conversation", "Phone"]


class Conversation:
    """One call as one phone lived it. Times are wall clock; 0.0 until it happens."""

    def __init__(self, phone: str, other: str) -> None:
        self.phone = phone
        self.other = other
        self.started = time.time()
        self.connected = 0.0
        self.ended = 0.0
        self.call: sccp.Call | None = None
        self.media: Media | None = None
        self.recording = Recording()
        self.expects = 0.0
        """The tone (Hz) that should be heard all the time; 0.0 when something else is."""

    @property
    def up(self) -> bool:
        """Whether the two can talk now."""
        return self.call is not None and self.call.connected


class Phone:
    """A phone that answers every call and speaks a tone of its own, ``hertz``."""

    def __init__(self, station: sccp.Station, hertz: float) -> None:
        self.station = station
        self.number = station.number
        self.hertz = hertz
        self.answered: list[Conversation] = []
        self._news = trio.Event()

    async def serve(self) -> None:
        """Answer whatever rings."""
        await self.station.serve(self._answer)

    async def wait_answered(self, count: int) -> Conversation:
        """Wait until so many calls have been answered; gives the last of them."""
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
        listen = conversation.recording.add
        media.port.listeners.append(listen)
        try:
            with contextlib.suppress(CallEnded):
                await media.play(Tone((self.hertz,), -13.0))
        finally:
            conversation.ended = time.time()
            if listen in media.port.listeners:
                media.port.listeners.remove(listen)
