"""Accept connections for as long as a server runs, whatever happens to one of them.

What goes wrong with one connection ends that connection; what goes wrong with accepting (no
descriptor, no memory) is logged, and accepting goes on. Only what is meant to end the program does.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from pa_telephony.descriptors import Descriptors
from pa_telephony.faults import Seldom

__all__ = ["Reserve", "serve_connections"]

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
    told = Seldom()
    async with trio.open_nursery() as nursery:
        for listener in listeners:
            nursery.start_soon(_accept, listener, handle, nursery, log, told)


async def _accept(
    listener: trio.abc.Listener[Any],
    handle: Callable[[trio.SocketStream], Awaitable[None]],
    nursery: trio.Nursery,
    log: logging.Logger,
    told: Seldom,
) -> None:
    async with listener:
        while True:
            try:
                stream = await listener.accept()
                try:
                    nursery.start_soon(_serve, stream, handle, log)
                except Exception:
                    await trio.aclose_forcefully(stream)
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
