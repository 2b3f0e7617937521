"""Busy lamps: which phones show what a number does, and what it does now."""

from __future__ import annotations

from pa_telephony.callmanager.calls.model import OFF_HOOK
from pa_telephony.callmanager.calls.verbs import Calls, DoNotDisturb, LegState, Line
from pa_telephony.callmanager.config import DeviceConfig
from pa_telephony.sccp.server.device import BusyLamp

__all__ = ["BusyLamps"]

_IN_USE = OFF_HOOK | {LegState.HELD}


class BusyLamps:
    """The speed dials with a lamp of all phones."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._watchers: dict[str, set[tuple[str, int]]] = {}
        self._shown: dict[str, BusyLamp] = {}

    def add_device(self, device: DeviceConfig) -> None:
        """Let the lamps of a phone follow their numbers."""
        for index, dial in enumerate(device.speed_dials, 1):
            if dial.busy_lamp:
                self._watchers.setdefault(dial.number, set()).add((device.name, index))

    def remove_device(self, device: DeviceConfig) -> None:
        """Forget the lamps of a phone."""
        for index, dial in enumerate(device.speed_dials, 1):
            watchers = self._watchers.get(dial.number, set())
            watchers.discard((device.name, index))
            if not watchers:
                self._watchers.pop(dial.number, None)
                self._shown.pop(dial.number, None)

    def of_device(self, device: DeviceConfig) -> tuple[tuple[int, BusyLamp], ...]:
        """The lamps of a phone, by the index of their speed dial, as they are now."""
        return tuple(
            (index, self.state(dial.number))
            for index, dial in enumerate(device.speed_dials, 1)
            if dial.busy_lamp
        )

    def changed(self, line: Line) -> list[tuple[str, int]]:
        """The phones, and their speed dials, that are to be told of a line that has changed."""
        watchers = self._watchers.get(line.number)
        if not watchers:
            return []
        now = self.state(line.number)
        if self._shown.get(line.number) is now:
            return []
        self._shown[line.number] = now
        return sorted(watchers)

    def state(self, number: str) -> BusyLamp:
        """What the line of a number does; UNKNOWN where no phone of it is there."""
        line = self._calls.line(number) or next(
            (each for each in self._calls.lines() if each.number == number), None
        )
        return BusyLamp.UNKNOWN if line is None else self.state_of(line)

    def state_of(self, line: Line) -> BusyLamp:
        """What a line does; UNKNOWN where no phone of it is there."""
        devices = [at.device for at in line.appearances if self._calls.is_registered(at.device)]
        states = {
            leg.state for name in devices for leg in self._calls.legs_of(name) if leg.line is line
        }
        if not devices:
            return BusyLamp.UNKNOWN
        if LegState.OFFERED in states:
            return BusyLamp.ALERTING
        if states & _IN_USE:
            return BusyLamp.IN_USE
        if all(self._calls.do_not_disturb(name) is not DoNotDisturb.OFF for name in devices):
            return BusyLamp.DO_NOT_DISTURB
        return BusyLamp.IDLE
