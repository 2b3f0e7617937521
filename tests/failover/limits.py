"""What judges go by: which calls operators have ordered to end, and how often numbers may move.

Nothing of the product is asked: only what was ordered, and when it was taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import move, returning

__all__ = ["Exchanges", "Limits"]

_CLOCKS = 0.95
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
    """By the key of the order."""

    def ordered(self, order: Transaction, seconds: float | None, now: float) -> None:
        """Note what was committed; ``seconds`` is what calls have, None for all their time."""
        for operation in order.operations:
            limits = self.of.setdefault(operation.key, [])
            for limit in limits:
                limit.taken_back = min(limit.taken_back, now)
            if isinstance(operation, Put) and seconds is not None:
                limits.append(Limit(now, seconds))

    def allow(self, home: str, now: float) -> bool:
        """Whether a server may end a call on a port of the home now."""
        return any(
            limit.given + _CLOCKS * limit.seconds <= now <= limit.taken_back + _SEES_WITHIN
            for key in (move(home), returning(home))
            for limit in self.of.get(key, ())
        )


_WITHIN = 10.0
_MOST = 100


@dataclass
class Exchanges:
    """How often what is of a home was given from one server to another."""

    of: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def too_many(self, home: str, now: float) -> bool:
        """Note one more; whether there are so many that it will never end."""
        found = [at for at in self.of.get(home, ()) if at > now - _WITHIN]
        self.of[home] = [*found, now]
        return len(found) > _MOST
