"""A wire to a member of an etcd that loses requests or answers, holds them back, or is cut."""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import AsyncGenerator

import trio

__all__ = ["Trouble", "Wire", "wires"]

_LARGEST = 1 << 16


class Trouble(enum.Enum):
    """What becomes of a request for a transaction, and of its answer."""

    NONE = "all is well"
    ANSWER_LOST = "it is done, and the answer is lost"
    REQUEST_LOST = "it is not done"
    REQUEST_HELD = "it is done late, when nobody waits for it any more"


class Wire:
    """A port of loopback behind which a member is; ``trouble`` is what happens next, once."""

    def __init__(self, listener: trio.SocketListener, member: int) -> None:
        self.port: int = listener.socket.getsockname()[1]
        self.trouble = Trouble.NONE
        self.cut = False
        """Whether nothing gets through, and nobody is told."""
        self.requests = 0
        self.held: list[bytes] = []
        self._listener = listener
        self._member = member
        self._connections: set[trio.CancelScope] = set()

    async def serve(self) -> None:
        """Serve without end."""
        await trio.serve_listeners(self._connection, [self._listener])

    def break_all(self) -> None:
        """Break every connection that is there."""
        for scope in tuple(self._connections):
            scope.cancel()

    async def deliver(self) -> None:
        """Let the member have what was held back, and wait until it has done it."""
        for request in self.held:
            stream = await trio.open_tcp_stream("127.0.0.1", self._member)
            async with stream:
                await stream.send_all(request)
                with trio.move_on_after(10):
                    await stream.receive_some()
        self.held.clear()

    async def _connection(self, near: trio.SocketStream) -> None:
        with contextlib.suppress(OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            async with await trio.open_tcp_stream("127.0.0.1", self._member) as far, near:
                with trio.CancelScope() as scope:
                    self._connections.add(scope)
                    deaf = trio.Event()
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._there, near, far, scope, deaf)
                        nursery.start_soon(self._back, near, far, scope, deaf)
                self._connections.discard(scope)

    async def _there(
        self,
        near: trio.SocketStream,
        far: trio.SocketStream,
        scope: trio.CancelScope,
        deaf: trio.Event,
    ) -> None:
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while request := await _request(near):
                if self.cut:
                    await trio.sleep_forever()
                if b"/v3/kv/txn" in request:
                    self.requests += 1
                    trouble, self.trouble = self.trouble, Trouble.NONE
                    if trouble is Trouble.REQUEST_HELD:
                        self.held.append(request)
                    if trouble in (Trouble.REQUEST_LOST, Trouble.REQUEST_HELD):
                        await trio.sleep_forever()
                    if trouble is Trouble.ANSWER_LOST:
                        deaf.set()
                await far.send_all(request)
        scope.cancel()

    async def _back(
        self,
        near: trio.SocketStream,
        far: trio.SocketStream,
        scope: trio.CancelScope,
        deaf: trio.Event,
    ) -> None:
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await far.receive_some(_LARGEST):
                if self.cut or deaf.is_set():
                    await trio.sleep_forever()
                await near.send_all(data)
        scope.cancel()


async def _request(stream: trio.SocketStream) -> bytes:
    """One whole request with its length in its head; empty when there are no more."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = await stream.receive_some(_LARGEST)
        if not more:
            return b""
        found += more
    head, _, body = found.partition(b"\r\n\r\n")
    match = re.search(rb"(?i)content-length: *([0-9]+)", head)
    missing = (int(match[1]) if match else 0) - len(body)
    while missing > 0:
        more = await stream.receive_some(missing)
        if not more:
            return b""
        found, missing = found + more, missing - len(more)
    return found


@contextlib.asynccontextmanager
async def wires(members: list[int]) -> AsyncGenerator[list[Wire]]:
    """A wire to each member, whose ports for clients are given."""
    async with trio.open_nursery() as nursery:
        found: list[Wire] = []
        for member in members:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            found.append(Wire(listener, member))
            nursery.start_soon(found[-1].serve)
        try:
            yield found
        finally:
            nursery.cancel_scope.cancel()
