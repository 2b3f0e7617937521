"""The links of a network: what becomes of each frame, decided by a seed and a clock that is given.

A *link* goes one way, from one machine to another. Frames of one link arrive in their order, as on
a cable; what is lost, late or doubled is drawn from a sequence of the link's own, so that traffic
elsewhere changes nothing.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

__all__ = ["ALL", "LONGEST_QUEUE", "Links", "Quality", "address_of", "host_of"]

ALL = 0
"""In place of a machine's number: every machine."""
LONGEST_QUEUE = 20_000
"""Frames that are under way at once; what comes then is lost."""

_NETWORK = bytes.fromhex("020000000a")
_MULTICAST = 0x01


def address_of(host: int) -> str:
    """The Ethernet address of a machine, 1 to 254."""
    return (_NETWORK + bytes([host])).hex(":")


def host_of(frame: bytes) -> int:
    """Where a frame goes: :data:`ALL` for a broadcast, the number of a machine, or -1 for none."""
    if len(frame) < 14:
        return -1
    if frame[0] & _MULTICAST:
        return ALL
    return frame[5] if frame[:5] == _NETWORK else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good a link is. Seconds from 0; parts of 1."""

    delay: float = 0.0
    jitter: float = 0.0
    """A frame takes ``delay`` ± ``jitter``, evenly spread, and never overtakes another."""
    loss: float = 0.0
    duplicates: float = 0.0


@dataclass(slots=True)
class _Link:
    chance: random.Random
    last: float = 0.0
    """When the last frame that is under way arrives."""


@dataclass(slots=True)
class Counts:
    """What has become of the frames so far."""

    carried: int = 0
    lost: int = 0
    doubled: int = 0
    cut: int = 0
    overflowed: int = 0


@dataclass
class Links:
    """Every link of a network, and the frames that are under way."""

    seed: int
    quality: Quality = field(default_factory=Quality)
    """That of links of which nothing else was said."""
    counts: Counts = field(default_factory=Counts)
    _links: dict[tuple[int, int], _Link] = field(default_factory=dict[tuple[int, int], _Link])
    _qualities: dict[tuple[int, int], Quality] = field(
        default_factory=dict[tuple[int, int], Quality]
    )
    _cuts: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _under_way: list[tuple[float, int, int, bytes]] = field(
        default_factory=list[tuple[float, int, int, bytes]]
    )
    _serial: int = 0

    def set_quality(self, quality: Quality, source: int = ALL, target: int = ALL) -> None:
        """Give links this quality from now on; without machines all links have it."""
        if source == target == ALL:
            self.quality = quality
            self._qualities.clear()
        else:
            self._qualities[source, target] = quality

    def cut(self, source: int, target: int) -> None:
        """Let nothing through from ``source`` to ``target``, of which either may be all."""
        self._cuts.add((source, target))

    def join(self, source: int, target: int) -> None:
        """Take back the same :meth:`cut`."""
        self._cuts.discard((source, target))

    def send(self, source: int, target: int, frame: bytes, now: float) -> None:
        """Put a frame on its way from one machine to another."""
        if self._is_cut(source, target):
            self.counts.cut += 1
            return
        link = self._links.get((source, target))
        if link is None:
            chance = random.Random(f"{self.seed} {source} {target}")
            link = self._links[source, target] = _Link(chance)
        quality = self._quality(source, target)
        # Always as many draws, whatever comes of them: another loss shifts no later delay.
        lost, doubled, spread = (link.chance.random() for _ in range(3))
        if lost < quality.loss:
            self.counts.lost += 1
            return
        takes = quality.delay + (2 * spread - 1) * quality.jitter
        link.last = max(link.last, now + max(takes, 0.0))
        copies = 2 if doubled < quality.duplicates else 1
        self.counts.doubled += copies - 1
        for _ in range(copies):
            if len(self._under_way) >= LONGEST_QUEUE:
                self.counts.overflowed += 1
                return
            self._serial += 1
            heapq.heappush(self._under_way, (link.last, self._serial, target, frame))

    def arrived(self, now: float) -> list[tuple[int, bytes]]:
        """The frames that have arrived by now, with their machines, the first one first."""
        found: list[tuple[int, bytes]] = []
        while self._under_way and self._under_way[0][0] <= now:
            _, _, target, frame = heapq.heappop(self._under_way)
            found.append((target, frame))
        self.counts.carried += len(found)
        return found

    def next_arrival(self) -> float | None:
        """When the next frame arrives; None while none is under way."""
        return self._under_way[0][0] if self._under_way else None

    def forget(self, host: int) -> None:
        """Drop what is under way to a machine that is gone."""
        self._under_way = [each for each in self._under_way if each[2] != host]
        heapq.heapify(self._under_way)

    def _is_cut(self, source: int, target: int) -> bool:
        return not self._cuts.isdisjoint(
            ((source, target), (source, ALL), (ALL, target), (ALL, ALL))
        )

    def _quality(self, source: int, target: int) -> Quality:
        for key in ((source, target), (source, ALL), (ALL, target)):
            if key in self._qualities:
                return self._qualities[key]
        return self.quality
