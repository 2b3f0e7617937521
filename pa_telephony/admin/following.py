"""The events of a page that follows the cluster, with the count of alarms in its header."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

import trio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pa_telephony.admin.administration import Administration, session_of
from pa_telephony.admin.alarm_log import counted
from pa_telephony.admin.live import Followed, TooManyFollow, encoded
from pa_telephony.admin.rendering import fragment
from pa_telephony.failover.sight import Sight

__all__ = ["drawing", "events_of", "following", "streaming"]

T = TypeVar("T")


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
    session, records = session_of(request), administration.records

    async def goes_on() -> bool:
        find = functools.partial(records.find, session.token, seen=False)
        return await trio.to_thread.run_sync(find) is not None

    async def events() -> AsyncGenerator[bytes]:
        try:
            async with contextlib.aclosing(followed.follow(page, drawn, goes_on)) as told:
                async for text in told:
                    yield events_of(text)
        except TooManyFollow:
            yield b"event: full\ndata: too many pages follow the cluster\n\n"

    return StreamingResponse(events(), media_type=kind)
