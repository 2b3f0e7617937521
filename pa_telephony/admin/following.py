"""The events of a page that follows the cluster, with the count of alarms in its header."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar, cast

import trio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pa_telephony.admin.actors import still
from pa_telephony.admin.administration import Administration, session_of
from pa_telephony.admin.alarm_log import counted
from pa_telephony.admin.live import Followed, TooManyFollow, encoded
from pa_telephony.admin.rendering import fragment
from pa_telephony.failover.sight import Sight

__all__ = ["EventStream", "drawing", "events_of", "following", "streaming"]

T = TypeVar("T")


class EventStream(StreamingResponse):
    """A stream that ends when whoever reads it has left, and is ended in full otherwise.

    Starlette's own listens until its very end for somebody who leaves; hypercorn says that of every
    request that is done, and the end of the stream was cancelled with it: the connection was
    neither closed nor taken for another request.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and all parts, and the end unless whoever reads has left."""
        left = True
        # Who leaves while a part is sent to him leaves the generator in its middle.
        parts = cast("AsyncGenerator[bytes]", self.body_iterator)
        async with contextlib.aclosing(parts), trio.open_nursery() as nursery:
            nursery.start_soon(self._until_left, receive, nursery.cancel_scope)
            head = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **head})
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            left = False
            nursery.cancel_scope.cancel()
        if not left:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_left(self, receive: Receive, scope: trio.CancelScope) -> None:
        await self.listen_for_disconnect(receive)
        scope.cancel()


def drawing(administration: Administration, draw: Callable[[Sight], str]) -> Callable[[Sight], str]:
    """What ``draw`` makes of the cluster, behind a line with its alarms."""

    def drawn(sight: Sight) -> str:
        log = administration.alarms.log
        log.look(sight)
        text = (
            fragment("unreadable.html", why=sight.unreadable) if sight.unreadable else draw(sight)
        )
        return f"{counted(len(log.present))}\n{text}" if text else ""

    return drawn


def events_of(text: str) -> bytes:
    """The events of what :func:`drawing` has made."""
    alarms, _, shown = text.partition("\n")
    return (
        b"event: alarms\ndata: %b\n\n%b" % (alarms.encode(), encoded(shown))
        if text
        else encoded("")
    )


def following(
    administration: Administration, request: Request, page: str, draw: Callable[[Sight], str]
) -> Response:
    """What ``draw`` makes of the cluster, whenever it changes, for as long as the session lasts.

    Drawn once for all who follow the same ``page``.
    """
    drawn = drawing(administration, draw)
    return streaming(administration, request, administration.live, page, drawn)


def streaming(
    administration: Administration,
    request: Request,
    followed: Followed[T],
    page: str,
    drawn: Callable[[T], str],
) -> Response:
    """What ``drawn`` makes of something that is followed: a line with the alarms, then the rest."""
    kind = "text/event-stream"
    if request.method == "HEAD":
        return Response(media_type=kind)
    goes_on = still(administration, session_of(request))

    async def events() -> AsyncGenerator[bytes]:
        try:
            async with contextlib.aclosing(followed.follow(page, drawn, goes_on)) as told:
                async for text in told:
                    yield events_of(text)
        except TooManyFollow:
            yield b"event: full\ndata: too many pages follow the cluster\n\n"

    return EventStream(events(), media_type=kind)
