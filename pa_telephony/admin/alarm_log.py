"""The alarms that there are, since when, and those that came and went of late. Pure.

An alarm is a fact of the present state; when it came and went is known only to who looked. So this
begins when the program does, and ends with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
from pa_telephony.failover.alarms import AlarmBook
from pa_telephony.failover.sight import Sight

__all__ = ["AlarmLog", "NotedAlarm", "by_kind", "counted"]

KEPT = 200
"""How many alarms are remembered that are over."""


@dataclass(frozen=True)
class NotedAlarm:
    """An alarm, and when it was seen; ``seconds`` is how long it lasted, None while it lasts."""

    alarm: Alarm
    since: float
    """When it was first seen: Unix time."""
    seconds: float | None = None

    @property
    def subject(self) -> str:
        """What it is about: a number with its home, a server, or nothing."""
        home, _, number = self.alarm.identity.partition("/")
        if not number:
            return self.alarm.server
        return f"{number.rpartition('/')[2]} of {home}"


class AlarmLog:
    """What is told of alarms; :meth:`look` is given the cluster again and again."""

    def __init__(self) -> None:
        self._book = AlarmBook()
        self._since: dict[tuple[AlarmKind, str, str], float] = {}
        self.began: float | None = None
        """When the cluster was looked at first: Unix time; None before."""
        self.present: tuple[NotedAlarm, ...] = ()
        self._past: deque[NotedAlarm] = deque(maxlen=KEPT)

    def look(self, sight: Sight) -> None:
        """Note what has come and gone."""
        if self.began is None:
            self.began = sight.at
        for change in self._book.look(sight.alarms, sight.at):
            key = change.alarm.key
            if change.seconds is None:
                self._since[key] = sight.at
            else:
                since = self._since.pop(key)
                self._past.appendleft(NotedAlarm(change.alarm, since, change.seconds))
        self.present = tuple(NotedAlarm(each, self._since[each.key]) for each in sight.alarms)

    @property
    def past(self) -> tuple[NotedAlarm, ...]:
        """Those that are over, the last one first."""
        return tuple(self._past)

    @property
    def count(self) -> int | None:
        """How many there are; None before anybody has looked."""
        return None if self.began is None else len(self.present)


def by_kind(alarms: Iterable[NotedAlarm]) -> dict[AlarmKind, tuple[NotedAlarm, ...]]:
    """The alarms of each kind that has some, in the order of the kinds."""
    found = tuple(alarms)
    return {
        kind: of_kind
        for kind in AlarmKind
        if (of_kind := tuple(each for each in found if each.alarm.kind is kind))
    }


def counted(count: int) -> str:
    """So many alarms, in words."""
    return "no alarms" if not count else "1 alarm" if count == 1 else f"{count} alarms"
