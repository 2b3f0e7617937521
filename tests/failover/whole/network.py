"""TCP between machines that are not there: delays, cuts in one direction, half-open links, resets.

trio makes its sockets through :func:`trio.socket.set_custom_socket_factory`, so the servers, the
call manager and the clients run as they are. A socket belongs to the process in whose tasks it was
made; a kernel outlives its processes: what arrives for one that is stopped waits here.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
from collections import deque
from collections.abc import Hashable
from typing import Any, Self

import trio

__all__ = ["Network", "Socket"]

_NEVER = float("inf")
_SYN_AGAIN = 1.0
"""Seconds after which a connection attempt that got no answer is repeated (Linux)."""


class _End:
    """What ends a direction: the other side's FIN, or a reset."""

    def __init__(self, error: int | None) -> None:
        self.error = error


_FIN, _RESET = _End(None), _End(errno.ECONNRESET)


class Network(trio.abc.SocketFactory):
    """Wires between machines, by their addresses.

    ``delay`` is how long a segment takes, drawn evenly from it; ``slow`` adds seconds to what a
    machine sends. A cut holds everything back until it is healed, as TCP does.
    """

    def __init__(self, chance: random.Random, machine: Any) -> None:
        self.delay = (0.0003, 0.002)
        self.slow: dict[str, float] = {}
        self.sockets: dict[Hashable, set[Socket]] = {}
        self.listeners: dict[tuple[str, int], Socket] = {}
        self._chance = chance
        self._machine = machine
        """Gives the process whose task runs: it has an ``address``."""
        self.refused: set[tuple[str, int]] = set()
        """Whose connections to which service a firewall refuses."""
        self._cuts: set[tuple[str, str, int]] = set()
        self._held: set[_Pipe] = set()
        self._ports = itertools.count(40000)
        self._numbers = itertools.count()

    def socket(self, family: int = 0, type: int = 0, proto: int = 0) -> Socket:
        """A socket of the process that runs."""
        made = Socket(self, self._machine(), family, type)
        self.sockets.setdefault(made.process, set()).add(made)
        return made

    # ------------------------------------------------------------------------------- faults

    def cut(self, source: str, target: str, service: int = 0) -> None:
        """Nothing gets from ``source`` to ``target``; ``service`` is a server's port, 0 for all."""
        self._cuts.add((source, target, service))

    def heal(self, source: str, target: str, service: int = 0) -> None:
        """It gets through again, first of all what was sent meanwhile."""
        self._cuts.discard((source, target, service))
        for pipe in sorted(self._held, key=lambda pipe: pipe.number):
            if not self.is_cut(pipe.source, pipe.target, pipe.service):
                self._held.discard(pipe)
                pipe.release()

    def heal_all(self) -> None:
        """Mend all cuts; no connection is slow or refused any more."""
        self.slow.clear()
        self.refused.clear()
        for cut in sorted(self._cuts):
            self.heal(*cut)

    def is_cut(self, source: str, target: str, service: int) -> bool:
        """Whether a segment of a connection to ``service`` is lost between the two."""
        cuts = self._cuts
        return bool(cuts) and ((source, target, 0) in cuts or (source, target, service) in cuts)

    def reset(self, one: str, other: str, service: int = 0) -> None:
        """End every connection between two machines for both of them, as a firewall does."""
        for found in list(self._of({one, other})):
            if found.peer is not None and service in (0, found.service):
                found.take_reset()

    def drop(self, process: Hashable, *, silently: bool = False) -> None:
        """The kernel closes what a process had open; ``silently``: its machine is gone as well."""
        for found in sorted(self.sockets.pop(process, ()), key=lambda each: each.number):
            if silently:
                found.vanish()
            else:
                found.close()
            found.dead = True

    def _of(self, pair: set[str]) -> list[Socket]:
        every = (each for sockets in self.sockets.values() for each in sockets)
        found = [
            each
            for each in every
            if each.peer is not None and {each.here[0], each.there[0]} == pair
        ]
        return sorted(found, key=lambda each: each.number)

    # -------------------------------------------------------------------------------- inside

    def travel(self, source: str, chance: random.Random) -> float:
        """How long the next segment from ``source`` takes."""
        return chance.uniform(*self.delay) + self.slow.get(source, 0.0)

    def own_chance(self) -> random.Random:
        """The luck of one connection: in which order others send does not change it.

        The call manager tells its sessions in the order of a set, which differs from run to run.
        """
        return random.Random(self._chance.getrandbits(32))

    def hold(self, pipe: _Pipe) -> None:
        """Remember a direction that has something to send after a cut."""
        self._held.add(pipe)

    def free_number(self) -> int:
        """The next number of a socket or a direction, for an order that is always the same."""
        return next(self._numbers)

    def free_port(self) -> int:
        """The next client port."""
        return next(self._ports)


class _Pipe:
    """One direction of a connection. What is in it arrives in order, each part at its time."""

    def __init__(self, network: Network, source: str, target: str, service: int) -> None:
        self.number = network.free_number()
        self._chance = network.own_chance()
        self.source, self.target, self.service = source, target, service
        self.reader: trio.CancelScope | None = None
        self.gone = False
        """Nobody is there any more at the far end: what arrives is answered by a reset."""
        self.back: _Pipe | None = None
        self._network = network
        self._coming: deque[tuple[float, bytes | _End]] = deque()
        self._waiting: list[bytes | _End] = []
        self._last = 0.0

    def put(self, what: bytes | _End) -> None:
        """Send data over the connection."""
        if self._waiting or self._network.is_cut(self.source, self.target, self.service):
            self._waiting.append(what)
            self._network.hold(self)
            return
        self._send(what)

    def release(self) -> None:
        """The cut is healed: what was held back goes out."""
        waiting, self._waiting = self._waiting, []
        for what in waiting:
            self._send(what)

    def _send(self, what: bytes | _End) -> None:
        if self.gone:
            if what is not _RESET and self.back is not None and not self.back.gone:
                self.back.put(_RESET)
            return
        now = trio.current_time()
        self._last = max(self._last, now + self._network.travel(self.source, self._chance))
        self._coming.append((self._last, what))
        if self.reader is not None:
            self.reader.deadline = min(self.reader.deadline, self._coming[0][0])

    def take(self, size: int) -> bytes | None:
        """What has arrived; b"" at the end, None for nothing yet. Raises OSError for a reset."""
        now, taken = trio.current_time(), b""
        while self._coming and self._coming[0][0] <= now:
            what = self._coming[0][1]
            if isinstance(what, _End):
                if not taken and what.error is not None:
                    raise OSError(what.error, os.strerror(what.error))
                return taken
            if taken and len(taken) + len(what) > size:
                break
            self._coming.popleft()
            taken += what
        return taken or None

    @property
    def unread(self) -> bool:
        """Whether data has arrived that was not read."""
        first = self._coming[0] if self._coming else None
        return first is not None and isinstance(first[1], bytes) and first[0] <= trio.current_time()

    async def arrival(self) -> None:
        """Wait for the next part to arrive, or for the socket to be closed."""
        deadline = self._coming[0][0] if self._coming else _NEVER
        with trio.CancelScope(deadline=deadline) as self.reader:
            await trio.sleep_forever()
        self.reader = None

    def wake(self) -> None:
        """Let the reader look again."""
        if self.reader is not None:
            self.reader.cancel()


class Socket(trio.socket.SocketType):
    """One end, as trio's streams and listeners use it."""

    def __init__(self, network: Network, process: Any, family: int, type: int) -> None:
        super().__init__()
        self.number = network.free_number()
        self.process = process
        self.here = (process.address, 0)
        self.there = ("", 0)
        self.service = 0
        self.peer: Socket | None = None
        self.dead = False
        """Its process is gone."""
        self._network = network
        self._family, self._type = family, type
        self._in: _Pipe | None = None
        self._out: _Pipe | None = None
        self._closed = False
        self._broken = False
        self._accepted: deque[Socket] = deque()
        self._accepting: trio.CancelScope | None = None

    # What is asked of a socket and has no meaning here.

    @property
    def family(self) -> Any:
        return self._family

    @property
    def type(self) -> Any:
        return self._type

    @property
    def proto(self) -> int:
        return 0

    @property
    def did_shutdown_SHUT_WR(self) -> bool:  # noqa: N802 - trio's name
        return False

    def setsockopt(self, *args: Any) -> None: ...

    def getsockopt(self, *args: Any) -> int:
        return 1

    def fileno(self) -> int:
        # No descriptor: who would write past trio is told so and does it by trio.
        return -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Addresses.

    def getsockname(self) -> tuple[str, int]:
        return self.here

    def getpeername(self) -> tuple[str, int]:
        if self.peer is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self.there

    async def bind(self, address: Any) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        self.here = (address[0], address[1])

    # Listening.

    def listen(self, backlog: int = 0) -> None:
        if self.here in self._network.listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        self._network.listeners[self.here] = self

    async def accept(self) -> tuple[Socket, tuple[str, int]]:
        while True:
            self._check()
            if self._accepted:
                made = self._accepted.popleft()
                await trio.lowlevel.checkpoint()
                return made, made.there
            with trio.CancelScope() as self._accepting:
                await trio.sleep_forever()
            self._accepting = None

    # Connecting.

    async def connect(self, address: Any) -> None:
        target: tuple[str, int] = (address[0], address[1])
        network, (host, _) = self._network, self.here
        chance = network.own_chance()
        self._check()
        while True:
            await trio.sleep(network.travel(host, chance))
            lost = network.is_cut(host, target[0], target[1]) or network.is_cut(
                target[0], host, target[1]
            )
            if not lost:
                break
            await trio.sleep(_SYN_AGAIN)
        refused = (host, target[1]) in network.refused
        listener = None if refused else network.listeners.get(target)
        if listener is not None:
            listener._connected(self, target)
        await trio.sleep(network.travel(target[0], chance))
        self._check()
        if listener is None:
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))

    def _connected(self, client: Socket, target: tuple[str, int]) -> None:
        network = self._network
        client.here = (client.here[0], client.here[1] or network.free_port())
        served = Socket(network, self.process, self._family, self._type)
        network.sockets.setdefault(self.process, set()).add(served)
        served.here, served.there = target, client.here
        client.there = target
        client.peer, served.peer = served, client
        client.service = served.service = target[1]
        there = _Pipe(network, client.here[0], target[0], target[1])
        back = _Pipe(network, target[0], client.here[0], target[1])
        there.back, back.back = back, there
        client._out = served._in = there
        client._in = served._out = back
        self._accepted.append(served)
        if self._accepting is not None:
            self._accepting.cancel()

    # Data.

    async def send(self, data: Any, flags: int = 0) -> int:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check()
        if self._out is None or self._broken:
            raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))
        self._out.put(bytes(data))
        return len(data)

    async def recv(self, size: int, flags: int = 0) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            self._check()
            if self._broken or self._in is None:
                raise OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            try:
                taken = self._in.take(size)
            except OSError:
                self._broken = True
                raise
            if taken is not None:
                return taken
            await self._in.arrival()

    def shutdown(self, flag: int) -> None:
        if self._out is not None:
            self._out.put(_FIN)

    # Ends.

    def _check(self) -> None:
        if self._closed:
            number = errno.ECONNRESET if self.dead else errno.EBADF
            raise OSError(number, os.strerror(number))

    def close(self) -> None:
        """Say FIN, or reset when something was left unread."""
        if self._closed:
            return
        if self._out is not None and not self._broken and self._in is not None:
            self._out.put(_RESET if self._in.unread else _FIN)
        self.vanish()

    def vanish(self) -> None:
        """Be gone without a word."""
        self._closed = True
        self._network.sockets.get(self.process, set()).discard(self)
        if self._network.listeners.get(self.here) is self:
            del self._network.listeners[self.here]
            for waiting in self._accepted:
                waiting.close()
        if self._in is not None:
            self._in.gone = True
            self._in.wake()
        if self._accepting is not None:
            self._accepting.cancel()

    def take_reset(self) -> None:
        """The connection is broken for this end, from now on."""
        self._broken = True
        if self._in is not None:
            self._in.gone = True
            self._in.wake()
