"""For how long calls have gone on since an operator's order gave them so many seconds. Pure.

The time begins when the order can be obeyed, at this server's clock, and anew when it could not be
for a while: an old order never ends a call at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pa_telephony.failover.orders import stop
from pa_telephony.failover.world import World

__all__ = ["Deadlines"]


@dataclass
class Deadline:
    """An order by its revision, and until when calls may go on for it."""

    order: int
    at: float


@dataclass
class Deadlines:
    """The memory of one server; times are seconds of its clock."""

    drained: Deadline = field(default_factory=lambda: Deadline(0, 0.0))
    """For all calls of a server that is to be drained."""
    homes: dict[str, Deadline] = field(default_factory=dict[str, Deadline])
    """For the calls on ports of a home, which is to be moved or to return."""

    def observe(self, world: World, me: str, now: float) -> None:
        """Remember the orders that are new in ``world``, as the server ``me`` sees it."""
        order = world.snapshot.modified(stop(me))
        if order != self.drained.order:
            self.drained = Deadline(order, now + world.drains_within(me))
        for home in world.names:
            found, known = world.calls_end_within(home, me), self.homes.get(home)
            if found is None:
                self.homes.pop(home, None)
            elif known is None or known.order != found[0]:
                self.homes[home] = Deadline(found[0], now + found[1])

    def over(self, now: float) -> frozenset[str]:
        """The homes whose calls have had their time."""
        return frozenset(home for home, deadline in self.homes.items() if deadline.at <= now)

    def times(self) -> Iterator[float]:
        """When calls have had their time; some have passed."""
        yield self.drained.at
        for deadline in self.homes.values():
            yield deadline.at
