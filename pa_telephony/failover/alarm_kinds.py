"""What may be wrong with a cluster: the kinds of alarms, and one alarm. Pure.

docs/operations.md says of each kind what it means and what to do.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Alarm", "AlarmKind"]


class AlarmKind(enum.Enum):
    """What may be wrong; the values are the labels of the metrics."""

    NUMBER_DOWN = "number_down"
    """No server serves the number."""
    NUMBER_REFUSED = "number_refused"
    """The call manager refuses to register the number, as when it does not know the device."""
    NUMBER_TWICE = "number_twice"
    """Two servers have the number, and no return explains it."""
    SERVER_DOWN = "server_down"
    SERVER_LATE = "server_late"
    """The heartbeat is late, or other servers do not hear the server."""
    STORE_UNREACHABLE = "store_unreachable"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    """A server does not reach a call manager that its numbers need."""
    REGISTERED_ELSEWHERE = "registered_elsewhere"
    """The number is still registered at a call manager that the cluster has left."""
    CALL_MANAGER_LEFT = "call_manager_left"
    """The cluster is not at the first of its call managers."""
    REDUNDANCY_LOST = "redundancy_lost"
    """Nobody could stand in for the server if it ended now."""
    CAPACITY_EXCEEDED = "capacity_exceeded"
    """A server holds more media ports than it may have calls."""
    CONFIGURATION_DIFFERS = "configuration_differs"
    CALL_LONG = "call_long"
    FLAPPING = "flapping"
    """A home was taken over three times within ten minutes."""
    RESTART_GIVEN_UP = "restart_given_up"
    """A rolling restart ended before all servers were restarted."""


@dataclass(frozen=True)
class Alarm:
    """One thing that is wrong."""

    kind: AlarmKind
    server: str
    """The server that it is about; of a number the one whose own it is."""
    text: str
    """What is wrong, for people; may change while the alarm lasts."""
    identity: str = ""
    """The label of the number that it is about (``PA1/port/6001``); "" for none."""

    @property
    def key(self) -> tuple[AlarmKind, str, str]:
        """What makes two alarms the same one."""
        return self.kind, self.server, self.identity

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.identity or self.server or 'all'}: {self.text}"
