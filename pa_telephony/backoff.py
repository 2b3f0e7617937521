"""How long to wait before something that failed is tried again: longer each time, up to a limit."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["BackOff"]

_LEAST = 0.05
"""The pause that is doubled when the first one is to be none, in seconds."""


class BackOff:
    """The pauses between tries: ``first`` seconds, twice as long each time, at most ``longest``.

    ``chance`` gives numbers from 0 to 1 (:func:`random.random`). Half of each pause is left to it,
    so that a thousand clients of a server that restarts do not come back as one.
    """

    def __init__(self, first: float, longest: float, chance: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._chance = chance
        self._next = first

    def pause(self) -> float:
        """The seconds until the next try; the pause after that one is twice as long."""
        pause = self._next * (0.5 + self._chance() / 2)
        self._next = min(max(self._next, _LEAST) * 2, self._longest)
        return pause

    def reset(self) -> None:
        """Begin with the first pause again, since something has succeeded."""
        self._next = self._first
