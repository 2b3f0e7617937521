"""A TCP proxy that keeps the client's address, and cuts off the clients that are named in a file.

python proxy.py HOST LISTEN TARGET cut.txt
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import trio

LOOK = 0.05


async def pump(source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async for data in source:
            await sink.send_all(data)
    scope.cancel()


async def serve(stream: trio.SocketStream, target: tuple[str, int], cut: Path) -> None:
    client = stream.socket.getpeername()[0]

    def is_cut() -> bool:
        return cut.exists() and client in cut.read_text().split()

    async with stream:
        if is_cut():
            return
        with contextlib.suppress(OSError):
            behind = trio.socket.socket()
            await behind.bind((client, 0))
            await behind.connect(target)
            async with trio.SocketStream(behind) as other, trio.open_nursery() as nursery:
                nursery.start_soon(pump, stream, other, nursery.cancel_scope)
                nursery.start_soon(pump, other, stream, nursery.cancel_scope)
                while not is_cut():  # noqa: ASYNC110 - a file tells nobody
                    await trio.sleep(LOOK)
                nursery.cancel_scope.cancel()


async def main(host: str, listen: int, target: int, cut: Path) -> None:
    async with trio.open_nursery() as nursery:
        handler = lambda stream: serve(stream, (host, target), cut)  # noqa: E731
        listeners = await trio.open_tcp_listeners(listen, host=host)
        nursery.start_soon(trio.serve_listeners, handler, listeners)
        print("up", flush=True)


if __name__ == "__main__":
    host, listen, target, file = sys.argv[1:]
    trio.run(main, host, int(listen), int(target), Path(file))
