"""How many calls a server is about to have: those that ring, and those that are on their way. Pure.

A call above the capacity is refused where it is routed, for there the caller can be told that all
are busy (F10); a media port that rings can only be hung up. So a call counts from the moment that a
port is being chosen for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

__all__ = ["Coming", "calls", "exceeds"]

_RINGS_WITHIN = 2.0
"""How many seconds after the call manager took a call to a port the port rings at the latest."""


def calls(number: int) -> str:
    """A number of calls for people: ``1 call``, ``2 calls``."""
    return f"{number} call" if number == 1 else f"{number} calls"


def exceeds(present: int, capacity: int) -> str:
    """Why there may be no further call beside those that are ``present``; "" when there may."""
    return f"{calls(present)}, of {capacity} at most" if present >= capacity else ""


class Coming:
    """Calls that a port is being chosen for, or that were sent to one that does not ring yet."""

    def __init__(self) -> None:
        self._choosing = 0
        self._sent: dict[str, float] = {}
        self._chosen: dict[str, float] = {}
        self._ringing: set[str] = set()

    @contextlib.contextmanager
    def choosing(self) -> Generator[None]:
        """Count one call, for which a port is being chosen, until the block is left."""
        self._choosing += 1
        try:
            yield
        finally:
            self._choosing -= 1

    def sent(self, number: str, now: float) -> None:
        """Count a call that the call manager has taken to ``number``, a port of this server."""
        self._chosen[number] = now + _RINGS_WITHIN
        if number not in self._ringing:
            self._sent[number] = now + _RINGS_WITHIN

    def busy(self, number: str, busy: bool) -> None:
        """Note whether ``number`` has a call; it may ring before :meth:`sent` is called."""
        self._sent.pop(number, None)
        (self._ringing.add if busy else self._ringing.discard)(number)

    def expects(self, number: str, now: float) -> bool:
        """Whether a call that rings at ``number`` may be one that was sent there from here."""
        return self._choosing > 0 or self._chosen.get(number, now) > now

    def count(self, now: float) -> int:
        """How many calls are coming, without the one that asks, which :meth:`choosing` counts."""
        on_their_way = sum(until > now for until in self._sent.values())
        return max(0, self._choosing - 1) + on_their_way
