"""How many calls a server is about to have: those that ring, and those that are on their way. Pure.

A call above the capacity is refused where it is routed, for there the caller can be told that all
are busy (F10); a media port that rings can only be hung up. So a call counts from the moment that
somebody chooses a port for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

__all__ = ["Coming", "exceeds"]

_RINGS_WITHIN = 2.0
"""Seconds in which a port rings that the call manager has sent a call to."""


def exceeds(calls: int, capacity: int) -> str:
    """Why there may be no other call beside ``calls``; "" when there may."""
    return f"{calls} calls, of {capacity} at most" if calls >= capacity else ""


class Coming:
    """Calls that a port is being chosen for, and that have been sent to one and not rung yet."""

    def __init__(self) -> None:
        self._choosing = 0
        self._sent: dict[str, float] = {}
        self._ringing: set[str] = set()

    @contextlib.contextmanager
    def choosing(self) -> Generator[None]:
        """A port is chosen for a call while inside."""
        self._choosing += 1
        try:
            yield
        finally:
            self._choosing -= 1

    def sent(self, number: str, now: float) -> None:
        """The call manager has taken the call to ``number``, a port of this server."""
        if number not in self._ringing:
            self._sent[number] = now + _RINGS_WITHIN

    def busy(self, number: str, busy: bool) -> None:
        """``number`` has a call, or none any more; it may ring before :meth:`sent` is told."""
        self._sent.pop(number, None)
        (self._ringing.add if busy else self._ringing.discard)(number)

    def count(self, now: float) -> int:
        """How many calls come, the one that asks not counted; it is inside :meth:`choosing`."""
        on_their_way = sum(until > now for until in self._sent.values())
        return max(0, self._choosing - 1) + on_their_way
