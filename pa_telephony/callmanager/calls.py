"""The calls of a call manager, without I/O: legs, routing, forwards, hold, transfer, redirect.

A :class:`Leg` is one line's part in a call; a call has two at most. Devices act on legs through
the methods of :class:`Calls`; what a device has to be told goes to its :class:`Side`. Which
protocol a side speaks is not known here, so phones and CTI devices meet in one model.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pa_telephony.callmanager.config import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
)
from pa_telephony.callmanager.dialplan import DialPlan, translate
from pa_telephony.errors import RequestFailed

__all__ = [
    "ACTIONS",
    "Action",
    "Calls",
    "Cause",
    "Leg",
    "LegState",
    "MediaAddress",
    "Party",
    "Side",
    "Watcher",
]

MediaAddress: TypeAlias = tuple[str, int]


class Cause(enum.IntEnum):
    """Why a call ends (Q.850)."""

    UNALLOCATED_NUMBER = 1
    NORMAL = 16
    USER_BUSY = 17
    NO_ANSWER = 19
    CALL_REJECTED = 21
    OUT_OF_ORDER = 27
    NO_CIRCUIT = 34
    TEMPORARY_FAILURE = 41
    RESOURCE_UNAVAILABLE = 47


class LegState(enum.Enum):
    """What one party of a call sees."""

    DIAL_TONE = "dial tone"
    DIALLING = "dialling"
    PROCEEDING = "proceeding"
    RINGING_OUT = "ringing out"
    OFFERED = "offered"
    CONNECTED = "connected"
    HELD = "held"
    FAILED = "failed"
    IDLE = "idle"


class Action(enum.Enum):
    """What a party can ask for."""

    DIGIT = "digit"
    ANSWER = "answer"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    REDIRECT = "redirect"
    RELEASE = "release"


_MAX_DIGITS = 24
"""What SCCP's fields hold."""

_ALIVE = frozenset(LegState) - {LegState.IDLE}
ACTIONS: dict[Action, frozenset[LegState]] = {
    Action.DIGIT: _ALIVE - {LegState.OFFERED},
    Action.ANSWER: frozenset({LegState.OFFERED}),
    Action.HOLD: frozenset({LegState.CONNECTED}),
    Action.RESUME: frozenset({LegState.HELD}),
    Action.TRANSFER: frozenset({LegState.CONNECTED, LegState.RINGING_OUT, LegState.HELD}),
    Action.REDIRECT: frozenset({LegState.OFFERED, LegState.CONNECTED}),
    Action.RELEASE: _ALIVE,
}
"""In which states an action is allowed; elsewhere it is refused and changes nothing."""


@dataclass(frozen=True, slots=True)
class Party:
    """A number and the name that goes with it."""

    number: str = ""
    name: str = ""


class Side(Protocol):
    """A registered device, told what becomes of its legs. Must not block, and not call back."""

    def show(self, leg: Leg) -> None:
        """The leg's state or parties changed."""
        ...

    def open_media(self, leg: Leg) -> None:
        """Open a receive channel, and tell :meth:`Calls.receiving` where."""
        ...

    def send_media(self, leg: Leg, address: MediaAddress) -> None:
        """Send to ``address`` from now on."""
        ...

    def close_media(self, leg: Leg) -> None:
        """Stop both directions."""
        ...

    def digit(self, leg: Leg, digit: str) -> None:
        """The other side pressed a key."""
        ...


class Watcher(Protocol):
    """Told of every leg and device, whatever its side. Must not block, and not call back."""

    def leg_changed(self, leg: Leg) -> None:
        """A leg is new, changed, or gone (IDLE)."""
        ...

    def device_changed(self, device: str) -> None:
        """A device can be called from now on, or no more."""
        ...


@dataclass(eq=False, slots=True)
class Leg:
    """One line's part in a call."""

    id: int
    call_id: int
    device: str
    line_index: int
    line: LineConfig
    incoming: bool
    state: LegState = LegState.IDLE
    cause: Cause = Cause.NORMAL
    digits: str = ""
    calling: Party = field(default_factory=Party)
    called: Party = field(default_factory=Party)
    original_called: Party = field(default_factory=Party)
    last_redirecting: Party = field(default_factory=Party)
    peer: Leg | None = None
    transfer_of: Leg | None = None
    media_open: bool = False
    receive_address: MediaAddress | None = None
    hops: int = 0
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    device: str
    kind: DeviceKind
    index: int
    config: LineConfig


class Calls:
    """All calls. ``now`` is a monotonic clock in seconds."""

    def __init__(self, config: CallManagerConfig, now: Callable[[], float]) -> None:
        self.legs: dict[int, Leg] = {}
        self.refused = 0
        self.watchers: list[Watcher] = []
        self.do_not_disturb: set[str] = set()
        """Devices that are busy to every caller."""
        self._config = config
        self._now = now
        self._sides: dict[str, Side] = {}
        self._plan: DialPlan[_Line] = DialPlan()
        self._lines: dict[tuple[str, int], _Line] = {}
        self._ids = itertools.count(0x1000001)
        for device in config.devices:
            self.add_device(device)

    def add_device(self, device: DeviceConfig) -> None:
        """Let the numbers of a device be dialled."""
        for index, line in enumerate(device.lines, 1):
            entry = _Line(device.name, device.kind, index, line)
            self._lines[device.name, index] = entry
            self._plan.add(line.number, line.partition, entry)

    def remove_device(self, device: str) -> None:
        """Forget a device and its numbers; its calls end."""
        self.unregister(device)
        for key in [key for key in self._lines if key[0] == device]:
            self._plan.remove(self._lines.pop(key))

    def register(self, device: str, side: Side) -> None:
        """A device can be called from now on."""
        self._sides[device] = side
        self._device_changed(device)

    def unregister(self, device: str) -> None:
        """A device is gone; its calls end."""
        for leg in self.legs_of(device):
            self._end(leg, Cause.OUT_OF_ORDER)
        if self._sides.pop(device, None) is not None:
            self._device_changed(device)

    def is_registered(self, device: str) -> bool:
        """Whether the device can be called."""
        return device in self._sides

    def legs_of(self, device: str) -> list[Leg]:
        """The live legs of a device, oldest first."""
        return [leg for leg in self.legs.values() if leg.device == device]

    def originate(self, device: str, line_index: int = 1, digits: str = "") -> Leg | None:
        """Take a line off hook, and dial ``digits``; None when there is no such line or room."""
        line = self._lines.get((device, line_index))
        if line is None or len(self.legs) >= self._config.max_calls or self._is_full(line):
            self.refused += 1
            return None
        leg = self._new_leg(line, next(self._ids), incoming=False)
        leg.calling = Party(line.config.number, line.config.name)
        leg.state = LegState.DIAL_TONE
        leg.deadline = self._now() + self._config.timing.between_digits * 4
        self._show(leg)
        if len(digits) > _MAX_DIGITS:
            self._fail(leg, Cause.UNALLOCATED_NUMBER)
        elif digits:
            # En bloc: the number is whole, whatever shorter one it begins with.
            leg.digits, leg.state = digits, LegState.DIALLING
            self._show(leg)
            self._route(leg)
        return leg

    def digit(self, leg: Leg, digit: str) -> None:
        """A key: part of the number while dialling, for the other side afterwards."""
        if not self._allowed(leg, Action.DIGIT):
            return
        if leg.state not in (LegState.DIAL_TONE, LegState.DIALLING):
            if leg.peer is not None and leg.state is LegState.CONNECTED:
                self._side(leg.peer).digit(leg.peer, digit)
            return
        if len(leg.digits) >= _MAX_DIGITS:
            self._fail(leg, Cause.UNALLOCATED_NUMBER)
            return
        found = self._plan.find(leg.digits + digit, self._space(leg.line.search_space))
        if digit == "#" and found.target is None and not found.more and leg.digits:
            self._route(leg)
            return
        first = not leg.digits
        leg.digits += digit
        leg.state = LegState.DIALLING
        if found.more:
            leg.deadline = self._now() + self._config.timing.between_digits
            if first:
                self._show(leg)
        else:
            self._route(leg)

    def answer(self, leg: Leg) -> None:
        """Pick up an offered call."""
        if not self._allowed(leg, Action.ANSWER) or leg.peer is None:
            return
        leg.state = leg.peer.state = LegState.CONNECTED
        leg.deadline = None
        leg.peer.called = Party(leg.line.number, leg.line.name)
        self._show(leg.peer)
        self._show(leg)
        self._connect_media(leg)

    def release(self, leg: Leg, cause: Cause = Cause.NORMAL) -> None:
        """Hang up; a transfer that was begun from the leg is abandoned."""
        if self._allowed(leg, Action.RELEASE):
            self._end(leg, cause)

    def hold(self, leg: Leg) -> None:
        """Stop talking without hanging up."""
        if not self._allowed(leg, Action.HOLD):
            return
        self._stop_media(leg)
        leg.state = LegState.HELD
        self._show(leg)

    def resume(self, leg: Leg) -> None:
        """Talk again. Another connected leg of the device is put on hold first."""
        if not self._allowed(leg, Action.RESUME) or leg.peer is None:
            return
        for other in self.legs_of(leg.device):
            if other.state is LegState.CONNECTED:
                self.hold(other)
        leg.state = LegState.CONNECTED
        self._show(leg)
        if leg.peer.state is LegState.CONNECTED:
            self._connect_media(leg)

    def transfer(self, leg: Leg) -> None:
        """The Transfer key: hold and consult the first time, connect the others the second."""
        if not self._allowed(leg, Action.TRANSFER):
            return
        consult = leg if leg.transfer_of is not None else self._consult_of(leg)
        if consult is not None:
            self._complete_transfer(consult)
        elif leg.state is LegState.CONNECTED:
            self.hold(leg)
            consult = self.originate(leg.device, leg.line_index)
            if consult is None:
                self.resume(leg)
            else:
                consult.transfer_of = leg
        else:
            self.refused += 1

    def redirect(self, leg: Leg, number: str, search_space: str | None = None) -> None:
        """Send the other party to ``number`` and leave the call.

        Raises :class:`RequestFailed` with a :class:`Cause` when the number can not take the
        call; nothing has changed then, and another number can be tried.
        """
        if not self._allowed(leg, Action.REDIRECT) or leg.peer is None:
            raise RequestFailed(Cause.CALL_REJECTED, "no call to redirect")
        caller = leg.peer
        space = self._space(leg.line.search_space if search_space is None else search_space)
        target, dialled, cause = self._target(number, space, caller.hops + 1, number)
        if target is None:
            raise RequestFailed(cause, f"{number}: {cause.name.lower().replace('_', ' ')}")
        self._stop_media(leg)
        leg.peer, caller.peer = None, None
        leg.state = LegState.IDLE
        redirecting = Party(leg.line.number, leg.line.name)
        self._drop(leg)
        caller.hops += 1
        caller.called = Party(dialled)
        self._offer(caller, target, dialled, redirecting)

    def receiving(self, leg: Leg, address: MediaAddress | None) -> None:
        """A side opened its receive channel at ``address``; None: it could not."""
        if leg.state is not LegState.CONNECTED or not leg.media_open or leg.peer is None:
            return
        if address is None:
            self._end(leg, Cause.RESOURCE_UNAVAILABLE)
            return
        leg.receive_address = address
        if leg.peer.media_open:
            self._side(leg.peer).send_media(leg.peer, address)

    def next_deadline(self) -> float | None:
        """When :meth:`handle_deadline` wants to be called."""
        return min(
            (leg.deadline for leg in self.legs.values() if leg.deadline is not None), default=None
        )

    def handle_deadline(self, now: float) -> None:
        """End the dialling, or the ringing, that took too long."""
        for leg in list(self.legs.values()):
            if leg.deadline is None or now < leg.deadline or leg.state is LegState.IDLE:
                continue
            leg.deadline = None
            if leg.state is LegState.DIALLING:
                self._route(leg)
            elif leg.state is LegState.DIAL_TONE:
                self._end(leg, Cause.NORMAL)
            elif leg.state is LegState.OFFERED:
                self._not_answered(leg)

    def _allowed(self, leg: Leg, action: Action) -> bool:
        if leg.state in ACTIONS[action]:
            return True
        self.refused += 1
        return False

    def _space(self, name: str) -> tuple[str, ...]:
        return self._config.search_spaces.get(name, ())

    def _side(self, leg: Leg) -> Side:
        return self._sides.get(leg.device, _NOBODY)

    def _show(self, leg: Leg) -> None:
        self._side(leg).show(leg)
        for watcher in self.watchers:
            watcher.leg_changed(leg)

    def _device_changed(self, device: str) -> None:
        for watcher in self.watchers:
            watcher.device_changed(device)

    def _new_leg(self, line: _Line, call_id: int, *, incoming: bool) -> Leg:
        leg = Leg(next(self._ids), call_id, line.device, line.index, line.config, incoming)
        self.legs[leg.id] = leg
        return leg

    def _route(self, leg: Leg) -> None:
        leg.deadline = None
        leg.called = leg.original_called = Party(leg.digits)
        leg.state = LegState.PROCEEDING
        self._show(leg)
        space = self._space(leg.line.search_space)
        target, dialled, cause = self._target(leg.digits, space, 0, leg.digits)
        if target is None:
            self._fail(leg, cause)
        else:
            redirecting = Party(leg.digits) if dialled != leg.digits else Party()
            self._offer(leg, target, dialled, redirecting)

    def _target(
        self, number: str, space: tuple[str, ...], hops: int, dialled: str
    ) -> tuple[_Line | None, str, Cause]:
        """The line that will take a call to ``number``, forwards followed; or why there is none."""
        while hops <= self._config.max_hops:
            line = self._plan.find(number, space).target
            if line is None:
                return None, number, Cause.UNALLOCATED_NUMBER
            config = line.config
            if config.forward_all:
                forward, cause = config.forward_all, Cause.USER_BUSY
            elif line.device not in self._sides:
                forward, cause = config.forward_failure, Cause.OUT_OF_ORDER
            elif self._is_busy(line):
                forward, cause = config.forward_busy, Cause.USER_BUSY
            else:
                return line, number, Cause.NORMAL
            if not forward:
                return None, number, cause
            number = translate(forward, number)
            space = self._space(config.forward_search_space or config.search_space)
            hops += 1
        return None, number, Cause.NO_CIRCUIT

    def _is_busy(self, line: _Line) -> bool:
        if line.kind is DeviceKind.ROUTE_POINT:
            return False
        busy = line.device in self.do_not_disturb
        return busy or self._legs_on(line) >= line.config.max_calls

    def _is_full(self, line: _Line) -> bool:
        # One more than it takes: the consultation of a transfer. Without an end one station
        # could go off hook until nobody else gets a call.
        return self._legs_on(line) > line.config.max_calls

    def _legs_on(self, line: _Line) -> int:
        return sum(leg.line_index == line.index for leg in self.legs_of(line.device))

    def _offer(self, caller: Leg, target: _Line, dialled: str, redirecting: Party) -> None:
        leg = self._new_leg(target, caller.call_id, incoming=True)
        leg.calling = caller.calling if not caller.incoming else _own(caller)
        leg.called = Party(dialled, target.config.name)
        leg.original_called = caller.original_called if not caller.incoming else Party(dialled)
        leg.last_redirecting = redirecting
        leg.peer, caller.peer = caller, leg
        leg.hops = caller.hops
        leg.deadline = self._now() + self._config.timing.no_answer
        if not target.config.forward_no_answer:
            leg.deadline = None
        leg.state = LegState.OFFERED
        caller.state = LegState.RINGING_OUT
        if caller.called.number == dialled:
            caller.called = leg.called
        self._show(caller)
        self._show(leg)

    def _not_answered(self, leg: Leg) -> None:
        caller = leg.peer
        if caller is None:
            return
        number = translate(leg.line.forward_no_answer, leg.called.number)
        try:
            self.redirect(leg, number, leg.line.forward_search_space or leg.line.search_space)
        except RequestFailed as failed:
            self._end(leg, Cause(failed.code))

    def _fail(self, leg: Leg, cause: Cause) -> None:
        leg.state, leg.cause, leg.deadline = LegState.FAILED, cause, None
        self._show(leg)

    def _end(self, leg: Leg, cause: Cause) -> None:
        if leg.state is LegState.IDLE:
            return
        peer = leg.peer
        self._stop_media(leg)
        leg.peer = None
        leg.cause, leg.state = cause, LegState.IDLE
        self._drop(leg)
        if leg.transfer_of is not None:
            leg.transfer_of = None
        if peer is not None and peer.state is not LegState.IDLE:
            peer.peer = None
            if peer.state is LegState.RINGING_OUT and cause is not Cause.NORMAL:
                self._fail(peer, cause)
            else:
                peer.cause, peer.state = cause, LegState.IDLE
                self._drop(peer)

    def _drop(self, leg: Leg) -> None:
        self.legs.pop(leg.id, None)
        leg.deadline = None
        for other in self.legs.values():
            if other.transfer_of is leg:
                other.transfer_of = None
        self._show(leg)

    def _consult_of(self, leg: Leg) -> Leg | None:
        return next((each for each in self.legs.values() if each.transfer_of is leg), None)

    def _complete_transfer(self, consult: Leg) -> None:
        held = consult.transfer_of
        if held is None or held.peer is None or consult.peer is None:
            self.refused += 1
            return
        if consult.state not in ACTIONS[Action.TRANSFER]:
            self.refused += 1
            return
        stays, target = held.peer, consult.peer
        self._stop_media(consult)
        held.peer = consult.peer = None
        redirecting = Party(held.line.number, held.line.name)
        for leg in (held, consult):
            leg.state, leg.cause = LegState.IDLE, Cause.NORMAL
            self._drop(leg)
        stays.peer, target.peer = target, stays
        stays.call_id = target.call_id
        other = Party(target.line.number, target.line.name)
        if stays.incoming:
            stays.calling = other
        else:
            stays.called = other
        mine = _own(stays)
        if target.incoming:
            target.calling = mine
            target.last_redirecting = redirecting
        else:
            target.called = mine
        if target.state is LegState.OFFERED:
            stays.state = LegState.RINGING_OUT
        self._show(stays)
        self._show(target)
        if target.state is stays.state is LegState.CONNECTED:
            self._connect_media(stays)

    def _connect_media(self, leg: Leg) -> None:
        peer = leg.peer
        if peer is None:
            return
        for each in (peer, leg):
            each.media_open, each.receive_address = True, None
        for each in (peer, leg):
            self._side(each).open_media(each)

    def _stop_media(self, leg: Leg) -> None:
        for each in (leg, leg.peer):
            if each is not None and each.media_open:
                each.media_open, each.receive_address = False, None
                self._side(each).close_media(each)


def _own(leg: Leg) -> Party:
    return Party(leg.line.number, leg.line.name)


class _Nobody:
    """The side of a device that is gone."""

    def show(self, leg: Leg) -> None: ...

    def open_media(self, leg: Leg) -> None: ...

    def send_media(self, leg: Leg, address: MediaAddress) -> None: ...

    def close_media(self, leg: Leg) -> None: ...

    def digit(self, leg: Leg, digit: str) -> None: ...


_NOBODY: Side = _Nobody()
