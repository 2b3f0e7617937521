"""When alarms came and went. Pure.

An alarm is a fact of the present state (:mod:`status`) and nothing that somebody has to
acknowledge: it clears when the state is well again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
from pa_telephony.failover.chronicle import Episode, EpisodeKind

__all__ = ["AlarmBook", "AlarmChange", "flapping"]

_FLAPS = 3
_FLAPPING_WITHIN = 600.0


@dataclass(frozen=True)
class AlarmChange:
    """An alarm that came, or went after ``seconds``."""

    alarm: Alarm
    seconds: float | None = None
    """How long it lasted; None when it has just come."""


class AlarmBook:
    """The alarms of a cluster over time; ``look`` is given all that there are, again and again."""

    def __init__(self) -> None:
        self._since: dict[tuple[AlarmKind, str, str], tuple[float, Alarm]] = {}

    def look(self, alarms: Iterable[Alarm], now: float) -> tuple[AlarmChange, ...]:
        """What came and what went since the look before; ``now`` is any clock in seconds."""
        present = {alarm.key: alarm for alarm in alarms}
        changes = [AlarmChange(each) for key, each in present.items() if key not in self._since]
        for key, (since, alarm) in list(self._since.items()):
            if key not in present:
                del self._since[key]
                changes.append(AlarmChange(alarm, now - since))
        for key, alarm in present.items():
            since, _ = self._since.get(key, (now, alarm))
            self._since[key] = since, alarm
        return tuple(changes)


def flapping(episodes: Iterable[Episode], now: float) -> tuple[Alarm, ...]:
    """The homes that were taken over again and again of late; ``now`` is Unix time in seconds."""
    recent = Counter(
        each.home
        for each in episodes
        if each.kind is EpisodeKind.TAKEOVER and 0 <= now - each.began <= _FLAPPING_WITHIN
    )
    return tuple(
        Alarm(AlarmKind.FLAPPING, home, f"taken over {times} times within ten minutes")
        for home, times in sorted(recent.items())
        if times >= _FLAPS
    )
