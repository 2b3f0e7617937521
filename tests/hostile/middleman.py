"""TCP in the middle: hands connections on to the real server, or plays a trick on the client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio

Trick = Callable[[trio.SocketStream], Awaitable[None]]
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class Middleman:
    """``tricks`` are played on the next connections, one each; the others reach the server."""

    def __init__(self, server: str) -> None:
        self.address = ""
        self.tricks: list[Trick] = []
        self.connections = 0
        self.piece = 1 << 16
        """Bytes that reach the client at a time."""
        self.hears = trio.Event()
        """Replace it by a fresh one, and nothing more of what clients say is read."""
        self.hears.set()
        self._server = server
        self._speaking = trio.Lock()
        self._client: trio.SocketStream | None = None

    async def handle(self, client: trio.SocketStream) -> None:
        self.connections += 1
        with suppress(*_GONE):
            async with client:
                if self.tricks:
                    await self.tricks.pop(0)(client)
                else:
                    await self._relay(client)

    async def inject(self, data: bytes, *, end: bool = False) -> None:
        """Say something to the client in the server's name; ``end``: and no more."""
        assert self._client is not None
        with suppress(*_GONE):
            async with self._speaking:
                await self._client.send_all(data)
            if end:
                await self._client.send_eof()

    async def _relay(self, client: trio.SocketStream) -> None:
        host, _, port = self._server.rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as server:
            self._client = client
            async with trio.open_nursery() as nursery:

                async def hear() -> None:
                    with suppress(*_GONE):
                        while data := await client.receive_some(1 << 16):
                            await self.hears.wait()
                            await server.send_all(data)
                    nursery.cancel_scope.cancel()

                nursery.start_soon(hear)
                with suppress(*_GONE):
                    while data := await server.receive_some(1 << 16):
                        for start in range(0, len(data), self.piece):
                            async with self._speaking:
                                await client.send_all(data[start : start + self.piece])
                nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_middleman(server: str) -> AsyncGenerator[Middleman]:
    """A middleman before the server at ``server`` (host:port)."""
    middleman = Middleman(server)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    host, port = listener.socket.getsockname()
    middleman.address = f"{host}:{port}"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, middleman.handle, [listener])
        yield middleman
        nursery.cancel_scope.cancel()


def says(data: bytes, *, end: bool = False) -> Trick:
    """Read a little, say this, and wait for the client to go (or go first)."""

    async def trick(client: trio.SocketStream) -> None:
        await client.receive_some(1 << 16)
        await client.send_all(data)
        if end:
            await client.send_eof()
        while await client.receive_some(1 << 16):
            pass

    return trick
