"""Pages that follow the cluster or a call manager without a reload: server-sent events.

One look serves all who follow, and nobody looks while nobody follows.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

import trio

from pa_telephony import failover
from pa_telephony.admin.call_manager import CallManagerLink
from pa_telephony.admin.call_manager_view import Seen
from pa_telephony.admin.managed import ManagedCluster, NoServers
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.sight import Sight

__all__ = ["Followed", "Live", "LiveCallManager", "TooManyFollow", "encoded"]

T = TypeVar("T")

MOST = 200
"""How many may follow at once; a page without events still shows what is so when it is opened."""
_RETRY = 2.0
_ALIVE = 15.0
"""Seconds after which something is sent in any case, so that nobody takes the stream for dead."""


class TooManyFollow(Exception):
    """There are as many who follow as there may be."""


class Followed(Generic[T]):
    """What all who follow something are told of it; a subclass looks at it for them."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.followers = 0
        """How many follow now."""
        self._wanted = trio.Event()
        self._idle = trio.Event()
        self._news = trio.Event()
        self._seen: T | None = None
        self._drawn: dict[str, str] = {}

    def _tell(self, seen: T | None) -> None:
        self._seen = seen
        self._drawn.clear()
        self._news.set()
        self._news = trio.Event()

    async def follow(
        self, page: str, draw: Callable[[T], str], goes_on: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[str]:
        """What ``draw`` makes of what is seen, whenever that changes; "" when nothing has for long.

        It is drawn once for all who follow the same ``page``. Ends when ``goes_on``, which is asked
        now and then, says no. Raises :class:`TooManyFollow`.
        """
        if self.followers >= self.most:
            raise TooManyFollow
        self.followers += 1
        self._wanted.set()
        try:
            before, ask_at = "", trio.current_time() + _ALIVE
            while True:
                news = self._news
                text = self._draw(page, draw) or before
                if text != before:
                    yield text
                    before = text
                with trio.move_on_at(ask_at):
                    await news.wait()
                if trio.current_time() >= ask_at:
                    ask_at = trio.current_time() + _ALIVE
                    if not await goes_on():
                        return
                    yield ""
        finally:
            self.followers -= 1
            if not self.followers:
                self._wanted = trio.Event()
                self._idle.set()
                self._idle = trio.Event()
                self._seen = None
                self._drawn.clear()

    def _draw(self, page: str, draw: Callable[[T], str]) -> str:
        if self._seen is None:
            return ""
        if page not in self._drawn:
            self._drawn[page] = draw(self._seen)
        return self._drawn[page]


class Live(Followed[Sight]):
    """What all who follow a cluster are told; :meth:`run` looks for them."""

    def __init__(self, managed: ManagedCluster, most: int = MOST) -> None:
        super().__init__(most)
        self._managed = managed

    async def run(self) -> None:
        """Look at the cluster for as long as somebody follows it; until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                cluster = (await self._managed.present()).cluster
            except (ConnectionLost, ConfigurationError) as error:
                why = "" if isinstance(error, NoServers) else str(error)
                self._tell(Sight(0.0, unreadable=why) if why else None)
                await trio.sleep(_RETRY)
                continue
            looks = failover.watch_cluster(cluster, self._managed.store)
            async with contextlib.aclosing(looks):
                async for sight in looks:
                    self._tell(sight)
                    if not self.followers:
                        break


class LiveCallManager(Followed[Seen]):
    """What all who follow a call manager are told; :meth:`run` looks for them."""

    def __init__(self, link: CallManagerLink, most: int = MOST) -> None:
        super().__init__(most)
        self._link = link

    async def run(self) -> None:
        """Watch the call manager for as long as somebody follows it; until cancelled."""
        while True:
            await self._wanted.wait()
            idle = self._idle
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                await idle.wait()
                nursery.cancel_scope.cancel()

    async def _watch(self) -> None:
        while True:
            await self._link.watch(self._tell)
            await trio.sleep(_RETRY)


def encoded(text: str) -> bytes:
    """An event for a browser; a comment, which it passes over, for no text."""
    if not text:
        return b": still here\n\n"
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: update\n{lines}\n".encode()
