"""What operators have ordered that may end calls, and from when to when: what judges go by.

Nothing of the product is asked: only what was ordered, and when it was taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Limits"]

_CLOCKS = 0.98
"""Clocks differ by so much."""
_SEES_WITHIN = 15.0
"""Seconds within which a server that acts has seen that an order was taken back."""


@dataclass
class Limit:
    """An order that gives calls so many seconds."""

    given: float
    seconds: float
    taken_back: float = float("inf")


@dataclass
class Limits:
    """The orders about the calls of each home."""

    of: dict[str, list[Limit]] = field(default_factory=dict[str, list[Limit]])

    def ordered(self, home: str, seconds: float | None, now: float) -> None:
        """Note an order for a home; ``seconds`` is what its calls have, None for all their time."""
        limits = self.of.setdefault(home, [])
        for limit in limits:
            limit.taken_back = min(limit.taken_back, now)
        if seconds is not None:
            limits.append(Limit(now, seconds))

    def allow(self, home: str, now: float) -> bool:
        """Whether a server may end a call on a port of the home now."""
        return any(
            limit.given + _CLOCKS * limit.seconds <= now <= limit.taken_back + _SEES_WITHIN
            for limit in self.of.get(home, ())
        )
