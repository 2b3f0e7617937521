"""Where a call to a number goes: targets of the dial plan, and the forwards of lines.

Forwards in a ring are found by the lines a call has passed, a long chain by its hops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from pa_telephony.callmanager.calls.dialplan import DialPlan, Found, translate
from pa_telephony.callmanager.calls.model import (
    Appearance,
    DoNotDisturb,
    Forward,
    Line,
    Party,
    Reason,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind
from pa_telephony.digits import Pattern, plain
from pa_telephony.q850 import Cause

__all__ = ["REASONS", "ParkNumbers", "PickupGroup", "Route", "Router", "Target"]

REASONS = {
    Forward.ALL: Reason.FORWARD_ALL,
    Forward.BUSY: Reason.FORWARD_BUSY,
    Forward.NO_ANSWER: Reason.FORWARD_NO_ANSWER,
    Forward.FAILURE: Reason.FORWARD_FAILURE,
}


@dataclass(frozen=True, slots=True)
class ParkNumbers:
    """Numbers at which calls can be parked, and from which they are retrieved by dialling."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class PickupGroup:
    """A number that picks up a call which rings in a group of lines."""

    number: str


Target: TypeAlias = Line | ParkNumbers | PickupGroup


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """What a number leads to; ``cause`` is NORMAL if it can be called, else the reason why not.

    ``appearances`` ring; or ``target`` is a feature, and they are empty. ``redirecting`` is the
    line that forwarded last.
    """

    number: str
    cause: Cause = Cause.NORMAL
    appearances: tuple[Appearance, ...] = ()
    target: Target | None = None
    redirecting: Party = field(default_factory=Party)
    reason: Reason = Reason.DIRECT
    hops: int = 0
    passed: frozenset[Line] = frozenset()


class Router:
    """The dial plan of a configuration, with the state that routing depends on."""

    def __init__(
        self,
        config: CallManagerConfig,
        is_registered: Callable[[str], bool],
        calls_of: Callable[[Appearance], int],
    ) -> None:
        self.lines: dict[tuple[str, str], Line] = {}
        """The lines, by number or pattern, and partition."""
        self.appearances: dict[tuple[str, int], Appearance] = {}
        """The appearances, by device and line index."""
        self.do_not_disturb: dict[str, DoNotDisturb] = {}
        """The modes by device; devices that are missing are OFF."""
        self._config = config
        self._is_registered = is_registered
        self._calls_of = calls_of
        self._plan: DialPlan[Target] = DialPlan()
        self._groups: dict[str, PickupGroup] = {}
        for device in config.devices:
            self.add_device(device)
        for numbers in config.park_numbers:
            self._plan.add(numbers, "", ParkNumbers(Pattern.parse(numbers)))

    def add_device(self, device: DeviceConfig) -> None:
        """Let the numbers of a device be dialled."""
        for index, each in enumerate(device.lines, 1):
            key = plain(each.number), each.partition
            line = self.lines.get(key)
            if line is None:
                line = self.lines[key] = Line(*key)
                line.forwards = {
                    kind: getattr(each, kind.value) for kind in Forward if getattr(each, kind.value)
                }
                self._plan.add(each.number, each.partition, line)
            appearance = Appearance(device.name, device.kind, index, each, line)
            line.appearances.append(appearance)
            self.appearances[device.name, index] = appearance
            if each.pickup_group and each.pickup_group not in self._groups:
                group = self._groups[each.pickup_group] = PickupGroup(each.pickup_group)
                self._plan.add(group.number, "", group)

    def remove_device(self, device: str) -> None:
        """Forget a device, and the numbers that no other device has."""
        self.do_not_disturb.pop(device, None)
        for key in [key for key in self.appearances if key[0] == device]:
            appearance = self.appearances.pop(key)
            line = appearance.line
            line.appearances.remove(appearance)
            if not line.appearances:
                self._plan.remove(line)
                self.lines = {at: each for at, each in self.lines.items() if each is not line}
        left = {each.config.pickup_group for each in self.appearances.values()}
        for number in self._groups.keys() - left:
            self._plan.remove(self._groups.pop(number))

    def space(self, name: str) -> tuple[str, ...]:
        """The partitions of a calling search space, in order."""
        return self._config.search_spaces.get(name, ())

    def find(self, digits: str, space: str) -> Found[Target]:
        """What ``digits`` reach, and whether more digits could matter."""
        return self._plan.find(digits, self.space(space))

    def route(
        self,
        number: str,
        space: str,
        *,
        caller: Appearance | None = None,
        hops: int = 0,
        passed: Iterable[Line] = (),
    ) -> Route:
        """Where a call to ``number`` from ``caller`` goes, forwards followed.

        ``hops`` and ``passed`` are those of the caller so far. A call never rings at the appearance
        it comes from: a line that calls its own number finds it busy, unless another phone has it,
        too. A phone's other line is a number like any other.
        """
        behind = frozenset(passed)
        redirecting, reason = Party(), Reason.DIRECT
        while True:
            cause, forward = Cause.NORMAL, None
            appearances: tuple[Appearance, ...] = ()
            target = self.find(number, space).target
            if target is None:
                cause = Cause.UNALLOCATED_NUMBER
            elif hops > self._config.max_hops or target in behind:
                cause = Cause.ROUTING_ERROR
            elif isinstance(target, Line):
                cause, forward, appearances = self._look_at(target, caller)
            to = target.forwards.get(forward) if isinstance(target, Line) and forward else None
            if to is None or not isinstance(target, Line):
                return Route(
                    number=number,
                    cause=cause,
                    appearances=appearances,
                    target=target,
                    redirecting=redirecting,
                    reason=reason,
                    hops=hops,
                    passed=behind,
                )
            assert forward is not None
            redirecting, reason = Party(number, target.config.name), REASONS[forward]
            number, space = translate(to, number), target.forward_search_space
            behind |= {target}
            hops += 1

    def why_not_forwarded(self, line: Line, number: str) -> Cause:
        """Why a line cannot be forwarded to a number: none, or it leads back. Else NORMAL."""
        cause = self.route(number, line.forward_search_space, passed={line}).cause
        refused = cause in (Cause.UNALLOCATED_NUMBER, Cause.ROUTING_ERROR)
        return cause if refused else Cause.NORMAL

    def ring_of_forwards(self, line: Line, number: str) -> list[Line]:
        """The lines, ``line`` first, through which its forward to ``number`` comes back to it.

        The others forward all calls: two that forward to each other when busy are no ring. Empty
        where there is none, or one of more hops than a call may take.
        """
        passed = [line]
        target = self.find(number, line.forward_search_space).target
        while isinstance(target, Line) and target not in passed:
            passed.append(target)
            to = target.forwards.get(Forward.ALL)
            if to is None or len(passed) > self._config.max_hops:
                return []
            number = translate(to, number)
            target = self.find(number, target.forward_search_space).target
        return passed if target is line else []

    def _look_at(
        self, line: Line, caller: Appearance | None
    ) -> tuple[Cause, Forward | None, tuple[Appearance, ...]]:
        """The appearances of a line that can ring; or the cause why none can, and its forward."""
        if Forward.ALL in line.forwards:
            return Cause.USER_BUSY, Forward.ALL, ()
        there = [each for each in line.appearances if self._is_registered(each.device)]
        if not there:
            return Cause.OUT_OF_ORDER, Forward.FAILURE, ()
        free = tuple(each for each in there if each is not caller and not self.is_busy(each))
        if not free:
            return Cause.USER_BUSY, Forward.BUSY, ()
        return Cause.NORMAL, None, free

    def is_busy(self, appearance: Appearance) -> bool:
        """Whether an appearance takes no further call now.

        A route point takes any number: its application says when it is busy, which is when it has
        no media port left (Personal Assistant 1.4 guide, page 1-14).
        """
        if appearance.kind is DeviceKind.ROUTE_POINT:
            return False
        if self.do_not_disturb.get(appearance.device) is DoNotDisturb.REJECT:
            return True
        limit = min(appearance.config.busy_trigger, appearance.config.max_calls)
        return self._calls_of(appearance) >= limit
