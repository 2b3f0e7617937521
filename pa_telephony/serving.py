"""Accept connections for as long as a server runs, whatever happens to one of them.

:class:`Door` decides which of them are let in.

What goes wrong with one connection ends that connection; what goes wrong with accepting (no
descriptor, no memory) is logged, and accepting goes on. Only what is meant to end the program does.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from pa_telephony.admission import Lobby
from pa_telephony.descriptors import Descriptors
from pa_telephony.faults import Seldom

__all__ = ["Door", "PeerCounters", "serve_connections"]

_AT_ONCE = 16
"""Connections that are accepted before others have their turns."""
_PAUSE = 0.1
"""Seconds until the next try when a connection could not be accepted."""


class PeerCounters:
    """What every server counts of its peers; plain numbers, for status pages and tests."""

    def __init__(self) -> None:
        self.connections = 0
        self.refused_connections = 0
        self.refused_by_address = 0
        """Of those: because too many of their address had not said what they are."""
        self.refused_for_descriptors = 0
        """Of those: because the process has no descriptors that it could spare."""
        self.turned_out = 0
        """Connections of strangers that made room for one of another address."""
        self.protocol_errors = 0
        self.timeouts = 0
        self.internal_errors = 0
        """Connections closed for a bug, ours or the call manager's; the log has tracebacks."""


class Door:
    """Lets connections in while there are places, and says in ``log`` which were refused and why.

    ``strangers`` are the places of those that have not ``introduced`` themselves ("registered" or
    "logged in", as the log is to say it); ``most`` is how many connections there may be in all.
    Descriptors that the process keeps for itself are left alone; without ``descriptors`` none are.
    """

    def __init__(
        self,
        strangers: Lobby,
        most: int,
        counters: PeerCounters,
        descriptors: Descriptors | None,
        log: logging.Logger,
        introduced: str,
    ) -> None:
        self.strangers = strangers
        self._most = most
        self._counters = counters
        self._descriptors = descriptors
        self._log = log
        self._introduced = introduced
        self._told_descriptors, self._told_refused = Seldom(), Seldom()
        self._told_turned_out = Seldom()

    def lets_in(self, stream: trio.SocketStream, inside: int) -> bool:
        """Whether a connection that was just accepted is kept; ``inside`` is how many there are.

        Raises :class:`OSError` when its peer has gone already.
        """
        address = stream.socket.getpeername()[0]
        lets_in = self._spares(stream.socket.fileno()) and self._has_place(address, inside)
        self._counters.refused_connections += not lets_in
        return lets_in

    def _spares(self, descriptor: int) -> bool:
        if self._descriptors is None or self._descriptors.are_left(descriptor):
            return True
        self._counters.refused_for_descriptors += 1
        if (times := self._told_descriptors.told(trio.current_time())) is not None:
            self._log.warning(
                "no connection is taken%s: %d of the %d files that this process may open are in "
                "use, and the others are kept for itself",
                *(times, descriptor, self._descriptors.limit),
            )
        return False

    def _has_place(self, address: str, inside: int) -> bool:
        crowded = self.strangers.crowded(address)
        full = self.strangers.full or inside >= self._most
        if full and not crowded and self.strangers.make_room(address):
            self._counters.turned_out += 1
            return True
        if not (full or crowded):
            return True
        self._counters.refused_by_address += crowded
        if (times := self._told_refused.told(trio.current_time())) is not None:
            of = f" of its address that have not {self._introduced}" if crowded else ""
            self._log.warning(
                "a connection from %s is closed%s: too many connections%s", address, times, of
            )
        return False

    def tell_turned_out(self, address: str) -> None:
        """Say that a stranger from ``address`` was closed for another one."""
        if (times := self._told_turned_out.told(trio.current_time())) is not None:
            self._log.warning(
                "a connection from %s that has not %s is closed%s: all places for such are taken, "
                "most of them from there, and somebody else came",
                *(address, self._introduced, times),
            )


async def serve_connections(
    listeners: Sequence[trio.abc.Listener[Any]],
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    log: logging.Logger,
) -> None:
    """Run ``handle`` for each connection, in a task of its own, until cancelled.

    The connection is closed when it returns. What it raises is a bug: it is logged.
    """
    with contextlib.ExitStack() as closing:
        # Before anybody is served: a task that fails to begin would end the others.
        told = Seldom()
        entrances: list[_Entrance] = []
        for listener in listeners:
            entrances.append(_Entrance(listener))
            closing.callback(entrances[-1].close)
        async with trio.open_nursery() as nursery:
            for entrance in entrances:
                nursery.start_soon(_accept, entrance, handle, nursery, log, told)


async def _accept(
    entrance: _Entrance,
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    nursery: trio.Nursery,
    log: logging.Logger,
    told: Seldom,
) -> None:
    async with entrance.listener:
        while True:
            try:
                streams = await entrance.accept()
                for at, stream in enumerate(streams):
                    try:
                        nursery.start_soon(_serve, stream, handle, log)
                    except Exception:
                        for each in streams[at:]:
                            await trio.aclose_forcefully(each)
                        raise
            except trio.ClosedResourceError:
                raise
            except Exception as error:  # noqa: BLE001  # logged, and the next one may be had
                # Where there is no memory to say so, nothing is said.
                with contextlib.suppress(Exception):
                    if told.due(trio.current_time()):
                        why = f"{type(error).__name__}: {error}"
                        log.warning("a connection could not be accepted%s: %s", told.times(), why)
                await trio.sleep(_PAUSE)


class _Entrance:
    """Accepts whoever has connected to a listener, a few at a time; waits for the first.

    One for each turn of trio's loop would let thousands that come and are closed again keep one
    who comes after them waiting for seconds.
    """

    def __init__(self, listener: trio.abc.Listener[Any]) -> None:
        self.listener = listener
        self._same: socket.socket | None = None
        """Of trio's own sockets nothing is taken without a wait: the same, as others see it."""
        # A socket that somebody else's factory made may be none of the kernel's.
        if isinstance(listener, trio.SocketListener) and listener.socket.fileno() >= 0:
            known = listener.socket
            self._same = socket.socket(known.family, known.type, known.proto, known.fileno())

    def close(self) -> None:
        """Leave the socket to the listener that it is of."""
        if self._same is not None:
            self._same.detach()

    async def accept(self) -> list[trio.SocketStream]:
        """The connections that are there, in the order in which they came."""
        streams: list[trio.SocketStream] = []
        if self._same is not None:
            await trio.lowlevel.wait_readable(self._same)
            # Nobody there, or anything else, is met again by trio's own way.
            with contextlib.suppress(OSError):
                while len(streams) < _AT_ONCE:
                    accepted, _ = self._same.accept()
                    streams.append(trio.SocketStream(trio.socket.from_stdlib_socket(accepted)))
        return streams or [await self.listener.accept()]


async def _serve(
    stream: trio.SocketStream,
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    log: logging.Logger,
) -> None:
    try:
        await handle(stream)
    except* Exception as bugs:  # logged, and this connection closed
        with contextlib.suppress(Exception):
            log.error("internal error; a connection is closed", exc_info=bugs)
    finally:
        await trio.aclose_forcefully(stream)
