"""Answers of the API that go on: an event whenever something changes, while one may ask."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from starlette.responses import Response

from pa_telephony.admin.actors import still
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked
from pa_telephony.admin.following import EventStream
from pa_telephony.admin.live import Followed, TooManyFollow, encoded

__all__ = ["streaming"]

T = TypeVar("T")


def streaming(
    everything: Administration, asked: Asked, followed: Followed[T], draw: Callable[[T], str]
) -> Response:
    """What ``draw`` makes of something that is followed, until the session or token has ended."""
    session = asked.request.scope["state"]["session"]
    goes_on = still(everything, session, asked.secret)

    async def events() -> AsyncGenerator[bytes]:
        try:
            following = followed.follow("api", draw, goes_on)
            async with contextlib.aclosing(following):
                async for text in following:
                    yield encoded(text)
        except TooManyFollow:
            yield b"retry: 60000\n\n"

    return EventStream(events(), media_type="text/event-stream")
