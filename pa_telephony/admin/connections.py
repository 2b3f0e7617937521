"""The connections of browsers and programs: how many there may be, and hypercorn for each."""

from __future__ import annotations

import contextlib
import logging
from typing import Any, cast

import trio
from hypercorn import utils
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from starlette.types import ASGIApp

from pa_telephony.admission import Lobby
from pa_telephony.descriptors import prepare
from pa_telephony.serving import Door, PeerCounters, serve_connections

__all__ = ["MOST_CONNECTIONS", "Connections"]

MOST_CONNECTIONS = 2000
"""How many connections there may be at once, unless another number is given."""
_LOG = logging.getLogger("pa_telephony.admin")
_WHY = b"There are too many connections to this administration. Try again in a minute.\n"
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 60\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b" % (len(_WHY), _WHY)
)


class Connections:
    """Serves an application to whoever connects, ``most`` of them at once.

    When all places are taken a newcomer gets that of the oldest of the address that has most, if
    its own has fewer; another one is told so with status 503, or with TLS closed without a word.
    """

    def __init__(self, app: ASGIApp, config: Config, most: int = MOST_CONNECTIONS) -> None:
        self.counters = PeerCounters()
        # Its types want an application of its own kind; a Starlette one is as good.
        self._app = cast("Any", utils).wrap_app(app, config.wsgi_max_body_size, "asgi")
        self._config = config
        self._context = WorkerContext(None)
        self._tls = config.create_ssl_context()
        self._places = Lobby(most, most + 1)
        self._streams: set[trio.SocketStream] = set()
        files = prepare(most, "the administration")
        self._door = Door(self._places, most, self.counters, files, _LOG, "ended")

    async def serve(self, listener: trio.SocketListener) -> None:
        """Serve those who come, until cancelled; then nobody is waited for."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_connections, [listener], self._handle, _LOG)
            try:
                await trio.sleep_forever()
            finally:
                # hypercorn sends to the end, also to one who does not read.
                for each in self._streams:
                    each.socket.close()

    async def _handle(self, stream: trio.SocketStream) -> None:
        try:
            address = stream.socket.getpeername()[0]
            if not self._door.lets_in(stream, len(self._streams)):
                await self._refuse(stream)
                return
        except OSError:
            return  # it has gone already
        self.counters.connections += 1

        def turn_out() -> None:
            self._door.tell_turned_out(address)
            stream.socket.close()

        self._places.enter(stream, address, turn_out)
        self._streams.add(stream)
        try:
            await self._talk(stream)
        finally:
            self._places.leave(stream)
            self._streams.discard(stream)

    async def _talk(self, stream: trio.SocketStream) -> None:
        talks: Any = stream
        if self._tls is not None:
            talks = trio.SSLStream(stream, self._tls, server_side=True, https_compatible=True)
        with contextlib.suppress(trio.ClosedResourceError):
            await TCPServer(self._app, self._config, self._context, {}, talks).run()

    async def _refuse(self, stream: trio.SocketStream) -> None:
        if self._tls is None:
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.send_all(_TOO_MANY)
                await stream.send_eof()
