"""Accept connections for as long as a server runs, whatever happens to one of them.

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

from pa_telephony.descriptors import Descriptors
from pa_telephony.faults import Seldom

__all__ = ["Reserve", "serve_connections"]

_AT_ONCE = 16
"""Connections that are accepted before others have their turns."""
_PAUSE = 0.1
"""Seconds until the next try when a connection could not be accepted."""


class Reserve:
    """Takes no connection whose descriptor the process keeps for itself, and says so in ``log``.

    Without ``descriptors`` every connection is taken.
    """

    def __init__(self, descriptors: Descriptors | None, log: logging.Logger) -> None:
        self._descriptors = descriptors
        self._log = log
        self._told = Seldom()

    def leaves(self, stream: trio.SocketStream) -> bool:
        """Whether a connection that was just accepted may be kept."""
        if self._descriptors is None:
            return True
        descriptor = stream.socket.fileno()
        if self._descriptors.are_left(descriptor):
            return True
        if self._told.due(trio.current_time()):
            self._log.warning(
                "no connection is taken%s: %d of the %d files that this process may open are in "
                "use, and the others are kept for itself",
                *(self._told.times(), descriptor, self._descriptors.limit),
            )
        return False


async def serve_connections(
    listeners: Sequence[trio.abc.Listener[Any]],
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    log: logging.Logger,
) -> None:
    """Run ``handle`` for each connection, in a task of its own, until cancelled.

    The connection is closed when it returns. What it raises is a bug: it is logged.
    """
    # Before anybody is served: a task that fails to begin would end the others.
    told = Seldom()
    async with trio.open_nursery() as nursery:
        for listener in listeners:
            nursery.start_soon(_accept, listener, _More(listener), handle, nursery, log, told)


async def _accept(
    listener: trio.abc.Listener[Any],
    more: _More,
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    nursery: trio.Nursery,
    log: logging.Logger,
    told: Seldom,
) -> None:
    async with listener:
        while True:
            try:
                stream: trio.SocketStream | None = await listener.accept()
                while stream is not None:
                    try:
                        nursery.start_soon(_serve, stream, handle, log)
                    except Exception:
                        await trio.aclose_forcefully(stream)
                        raise
                    stream = more.accept()
            except trio.ClosedResourceError:
                raise
            except Exception as error:  # noqa: BLE001  # logged, and the next one may be had
                # Where there is no memory to say so, nothing is said.
                with contextlib.suppress(Exception):
                    if told.due(trio.current_time()):
                        why = f"{type(error).__name__}: {error}"
                        log.warning("a connection could not be accepted%s: %s", told.times(), why)
                await trio.sleep(_PAUSE)


class _More:
    """Accepts those who wait behind the first, a few at a time, without waiting for them.

    One for each turn of trio's loop would let thousands that come and are closed again keep one
    who comes after them waiting for seconds.
    """

    def __init__(self, listener: trio.abc.Listener[Any]) -> None:
        self._listener: trio.SocketListener | None = None
        # A socket that somebody else's factory made may be none of the kernel's.
        if isinstance(listener, trio.SocketListener) and listener.socket.fileno() >= 0:
            self._listener = listener
        self._left = _AT_ONCE

    def accept(self) -> trio.SocketStream | None:
        """The next one that is there already; None when it is time to wait."""
        self._left -= 1
        if self._listener is None or not self._left:
            self._left = _AT_ONCE
            return None
        # Of trio's own sockets nothing is taken without a wait: the same one, as others see it.
        known = self._listener.socket
        family, kind, protocol = known.family, known.type, known.proto
        same = socket.socket(family, kind, protocol, fileno=known.fileno())
        try:
            accepted, _ = same.accept()
        except OSError:
            # Nobody there; anything else is met again by who waits.
            self._left = _AT_ONCE
            return None
        finally:
            same.detach()
        return trio.SocketStream(trio.socket.from_stdlib_socket(accepted))


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
