"""What happens at a call manager in words, as lines of the log ``pa_telephony.callmanager``. Pure.

A line a change: who calls whom, who answers, why nobody is reached, who hung up after how long, and
which route points and CTI ports are in service. What a phone keys is not in it, since that may be a
PIN: a number is named when it reaches somebody. Registrations and logins are told by the servers
that take them (``pa_telephony.sccp``, ``pa_telephony.cti``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from pa_telephony.callmanager.calls.model import Leg, LegState, Reason, Watcher
from pa_telephony.callmanager.calls.verbs import Calls
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind
from pa_telephony.faults import NEWS, Seldom
from pa_telephony.printable import printable_reason
from pa_telephony.q850 import Cause, described

__all__ = ["MOST_LINES", "Journal"]

MOST_LINES = 1000
"""How many lines there are within a minute; phones and applications may call as they like."""

_LOG = logging.getLogger("pa_telephony.callmanager")
_OF_APPLICATIONS = (DeviceKind.ROUTE_POINT, DeviceKind.CTI_PORT)


@dataclass(eq=False, slots=True)
class _Call:
    number: int
    legs: set[int] = field(default_factory=set[int])
    rang: set[str] = field(default_factory=set[str])
    talked: set[int] = field(default_factory=set[int])
    left: list[tuple[str, Cause]] = field(default_factory=list[tuple[str, Cause]])
    """The number of each party that is gone, and why it is."""
    answered: float | None = None
    failed: Cause | None = None


class Journal(Watcher):
    """Tells of the calls and the applications' devices of a call manager."""

    def __init__(self, config: CallManagerConfig, calls: Calls) -> None:
        self._devices = {device.name: device for device in config.devices}
        self._kept = calls
        self._calls: dict[int, _Call] = {}
        self._call_of: dict[int, _Call] = {}
        """The call of each leg, by the leg's id."""
        self._told = Seldom(at_once=MOST_LINES)

    def add_device(self, device: DeviceConfig) -> None:
        """Know a device that was added."""
        self._devices[device.name] = device

    def device_changed(self, device: str) -> None:
        """Tell that a route point or CTI port is in service, or no more."""
        known = self._devices.get(device)
        if known is None or known.kind not in _OF_APPLICATIONS or not self._listened_to():
            return
        numbers = ", ".join(line.number for line in known.lines)
        state = "in" if self._kept.is_registered(device) else "out of"
        self._tell(f"{known.kind.value} {device} ({numbers}) is {state} service")

    def leg_changed(self, leg: Leg) -> None:
        """Tell what became of a leg."""
        if not self._listened_to():
            return
        if leg.state is LegState.IDLE:
            self._gone(leg)
            return
        call = self._joined(leg)
        match leg.state:
            case LegState.OFFERED if leg.called.number not in call.rang:
                call.rang.add(leg.called.number)
                self._tell(f"call {call.number}: {_rings(leg)}")
            case LegState.CONNECTED if leg.incoming and leg.id not in call.talked:
                call.talked.add(leg.id)
                call.answered = call.answered or self._kept.now()
                self._tell(f"call {call.number}: {leg.party.number} answers")
            case LegState.FAILED if call.failed is None:
                call.failed = leg.cause
                reaches = f"does not reach {leg.called.number}"
                if leg.cause is Cause.UNALLOCATED_NUMBER or not leg.called.number:
                    reaches = "reaches nobody"
                why = described(leg.cause)
                self._tell(f"call {call.number}: {leg.party.number} {reaches}: {why}")
            case _:
                pass

    def calls_joined(self, reason: Reason, by: Leg, survivor: int, gone: tuple[int, ...]) -> None:
        """Tell of a transfer, or of a conference."""
        if not self._listened_to():
            return
        who = by.party.number
        for call in gone:
            if call != survivor:
                self._tell(f"call {call} becomes part of call {survivor}: {reason.value} by {who}")

    def _joined(self, leg: Leg) -> _Call:
        """The call that a leg is in now; a transfer or a conference takes legs to another one."""
        before = self._call_of.get(leg.id)
        if before is not None and before.number == leg.call_id:
            return before
        if before is not None:
            before.legs.discard(leg.id)
            if not before.legs:
                self._calls.pop(before.number, None)
        call = self._calls.setdefault(leg.call_id, _Call(leg.call_id))
        if before is not None:
            call.answered = call.answered or before.answered
            call.talked |= before.talked & {leg.id}
        call.legs.add(leg.id)
        self._call_of[leg.id] = call
        return call

    def _gone(self, leg: Leg) -> None:
        call = self._call_of.pop(leg.id, None)
        if call is None:
            return
        call.legs.discard(leg.id)
        call.left.append((leg.party.number, leg.cause))
        if call.legs:
            return
        self._calls.pop(call.number, None)
        # Of two that are left, the first to go is the one that hung up.
        who, cause = call.left[-2:][0]
        why = f"{who} hung up" if cause is Cause.NORMAL else described(cause)
        if call.answered is not None:
            seconds = self._kept.now() - call.answered
            self._tell(f"call {call.number} is over after {seconds:.1f} s: {why}")
        elif call.rang and call.failed is None:
            self._tell(f"call {call.number} is over, not answered: {why}")
        elif call.failed is not None:
            self._tell(f"call {call.number} is over: {described(call.failed)}")

    def _listened_to(self) -> bool:
        if _LOG.isEnabledFor(logging.INFO):
            return True
        self._calls.clear()
        self._call_of.clear()
        return False

    def _tell(self, text: str) -> None:
        if (times := self._told.told(self._kept.now())) is not None:
            _LOG.info("%s%s", printable_reason(text), times, extra=NEWS)


def _rings(leg: Leg) -> str:
    if leg.reason is Reason.DIRECT:
        return f"{leg.calling.number} calls {leg.called.number}"
    return f"{leg.calling.number} goes to {leg.called.number} ({leg.reason.value})"
