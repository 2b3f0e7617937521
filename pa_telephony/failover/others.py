"""What a member remembers of the other servers between two looks at the store. Pure.

A snapshot says what is; that a server has been silent, or has asked for its own, for some time is
only known from earlier snapshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pa_telephony.failover.config import Timing
from pa_telephony.failover.world import World

__all__ = ["Others"]

# Another server's ``own`` seconds are over for certain after so many times as many of ours.
_DRIFT = 1.05


@dataclass
class Seen:
    """A session, and since when it has not been rewritten."""

    modified: int
    since: float


@dataclass
class Asked:
    """A home that asks for its own, the token of its session, and since when it asks."""

    token: int
    since: float


@dataclass
class Others:
    """The memory of one member; times are seconds of its clock.

    ``steady_since`` is since when our own heartbeats have succeeded without a gap: silence that was
    heard while they did not says nothing of others.
    """

    timing: Timing
    steady_since: float
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    takeovers: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """The times when each home was taken over from here, of late."""
    announced: dict[str, Seen] = field(default_factory=dict[str, Seen])
    """The homes whose new process says that its session is about to begin, and since when."""

    def observe(self, world: World, now: float) -> None:
        """Remember the sessions and wishes that are new in ``world``."""
        for name in self.seen.keys() - world.sessions.keys():
            del self.seen[name]
        for name, session in world.sessions.items():
            seen = self.seen.get(name)
            if seen is None or seen.modified != session.modified:
                self.seen[name] = Seen(session.modified, now)
        for name in world.names:
            announced, coming = self.announced.get(name), world.coming(name)
            if not coming:
                self.announced.pop(name, None)
            elif announced is None or announced.modified != coming:
                self.announced[name] = Seen(coming, now)
            asks = world.asks(name)
            asked = self.asked.get(name)
            if asks is None:
                self.asked.pop(name, None)
            elif asked is None or asked.token != asks.token:
                self.asked[name] = Asked(asks.token, now)

    def forget(self) -> None:
        """Forget all sessions and wishes, since the store is another one."""
        self.seen.clear()
        self.announced.clear()
        self.asked.clear()

    def took(self, home: str, now: float) -> None:
        """Note that a takeover of ``home`` from here has committed."""
        self.takeovers.setdefault(home, []).append(now)

    def unheard(self, seconds: float, now: float) -> frozenset[str]:
        """The servers that have been silent for ``seconds``, while we were heard ourselves."""
        return frozenset(
            name
            for name, seen in self.seen.items()
            if max(seen.since, self.steady_since) + seconds <= now
        )

    def silent(self, world: World, now: float) -> frozenset[str]:
        """The servers that do not act any more, by their own timing as well as by ours."""
        return frozenset(
            name
            for name in self.unheard(self.timing.take, now)
            if max(self.seen[name].since, self.steady_since) + self._patience(world, name) <= now
        )

    def granted(self, now: float) -> frozenset[str]:
        """The homes that have asked for their own for as long as they have to."""
        return frozenset(
            home for home, asked in self.asked.items() if asked.since + self._hold(home, now) <= now
        )

    def coming(self, now: float) -> frozenset[str]:
        """The homes that are about to begin a session, and have not been for too long."""
        take = self.timing.take
        return frozenset(name for name, it in self.announced.items() if now < it.since + take)

    def holds(self, now: float) -> dict[str, float]:
        """The homes that have not asked for long enough yet, with how many seconds they have to."""
        granted = self.granted(now)
        return {home: self._hold(home, now) for home in self.asked if home not in granted}

    def times(self, world: World, now: float) -> Iterator[float]:
        """The times when a server is silent, or waited for no longer, or a home granted."""
        for name, seen in self.seen.items():
            yield max(seen.since, self.steady_since) + self._patience(world, name)
        for announced in self.announced.values():
            yield announced.since + self.timing.take
        for home, asked in self.asked.items():
            yield asked.since + self._hold(home, now)

    def _hold(self, home: str, now: float) -> float:
        """How long ``home`` has to ask; doubled for each takeover of late but the first (Q6)."""
        timing = self.timing
        recent = [t for t in self.takeovers.get(home, ()) if now < t + timing.flap_window]
        self.takeovers[home] = recent
        doubled: float = timing.hold * 2.0 ** min(max(0, len(recent) - 1), 30)
        return min(doubled, timing.hold_longest)

    def _patience(self, world: World, name: str) -> float:
        found = world.configured(name)
        return max(self.timing.take, _DRIFT * found.own if found is not None else 0.0)
