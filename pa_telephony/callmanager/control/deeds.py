"""What a call manager does for a request at its control socket. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import ACTIONS, REMOTE, Action, Forward, Line
from pa_telephony.callmanager.config import DeviceConfig, DeviceKind
from pa_telephony.callmanager.control.look import FORWARDS
from pa_telephony.callmanager.control.requests import (
    Ask,
    Code,
    ControlRefused,
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
    Unwatch,
    Verb,
    Watch,
)
from pa_telephony.digits import plain
from pa_telephony.errors import RequestFailed
from pa_telephony.printable import printable
from pa_telephony.q850 import Cause, described
from pa_telephony.sccp.enums import DeviceResetType

if TYPE_CHECKING:
    from pa_telephony.callmanager.manager import CallManager

__all__ = ["do", "in_words"]


def do(manager: CallManager, verb: Verb) -> None:
    """Do what was asked; raises :class:`ControlRefused`, and nothing has changed then."""
    match verb:
        case Reset(device=name):
            _reset(manager, name, DeviceResetType.RESET)
        case Restart(device=name):
            _reset(manager, name, DeviceResetType.RESTART)
        case MessageWaiting(line=number, on=on, partition=partition):
            manager.calls.set_message_waiting(_line(manager, number, partition), on)
        case SetForward():
            _forward(manager, verb)
        case Drop(call=call):
            _drop(manager, call)
        case Ask() | Watch() | Unwatch():
            raise AssertionError("nothing is done for these")


def in_words(verb: Verb) -> str:
    """A request as a log says it: who asked stands before."""
    match verb:
        case Reset(device=name):
            words = f"resets {name}"
        case Restart(device=name):
            words = f"restarts {name}"
        case MessageWaiting(line=number, on=on):
            words = f"switches message waiting of {number} {'on' if on else 'off'}"
        case SetForward(line=line, kind=kind, number=number):
            to = f"forwards {line} to {number}" if number else f"takes back the forward of {line}"
            words = f"{to} ({kind})"
        case Drop(call=call):
            words = f"drops call {call}"
        case Ask() | Watch() | Unwatch():
            words = "looks"
    return words


def _device(manager: CallManager, name: str) -> DeviceConfig:
    for device in manager.config.devices:
        if device.name == name:
            return device
    raise ControlRefused(Code.UNKNOWN_DEVICE, f"there is no device {printable(name, 40)}")


def _reset(manager: CallManager, name: str, kind: DeviceResetType) -> None:
    device = _device(manager, name)
    if device.kind not in (DeviceKind.PHONE, DeviceKind.MEDIA_PORT):
        raise ControlRefused(
            Code.NOT_POSSIBLE, f"{name} is a {device.kind.value}: only its application can do that"
        )
    station = manager.station(name)
    if station is None:
        raise ControlRefused(Code.NOT_REGISTERED, f"{name} is not registered")
    station.reset(kind)


def _line(manager: CallManager, number: str, partition: str | None) -> Line:
    known = [
        line
        for line in manager.calls.lines()
        if line.number == plain(number) and partition in (None, line.partition)
    ]
    if len(known) == 1:
        return known[0]
    shown = printable(number, 40)
    if not known:
        where = f" in partition {printable(partition, 40)!r}" if partition else ""
        raise ControlRefused(Code.UNKNOWN_LINE, f"there is no line {shown}{where}")
    names = ", ".join(repr(line.partition) for line in known)
    raise ControlRefused(Code.UNKNOWN_LINE, f"{shown} is in several partitions: {names}")


def _forward(manager: CallManager, asked: SetForward) -> None:
    if asked.kind not in FORWARDS:
        words = f"{printable(asked.kind, 40)}: must be one of {', '.join(FORWARDS)}"
        raise ControlRefused(Code.BAD_REQUEST, words)
    line = _line(manager, asked.line, asked.partition)
    try:
        manager.calls.set_forward(line, Forward[FORWARDS[asked.kind]], asked.number)
    except RequestFailed as failed:
        to = printable(asked.number, 40)
        why = described(Cause(failed.code))
        raise ControlRefused(
            Code.NOT_POSSIBLE, f"{line.number} cannot be forwarded to {to}: {why}"
        ) from None


def _drop(manager: CallManager, call: int) -> None:
    calls = manager.calls
    legs = [leg for leg in calls.legs.values() if leg.call_id == call and leg.state not in REMOTE]
    if not legs:
        raise ControlRefused(Code.UNKNOWN_CALL, f"there is no call {call}")
    # Who called first: what rings for it ends with it.
    for leg in sorted(legs, key=lambda each: each.incoming):
        if leg.id in calls.legs and leg.state in ACTIONS[Action.RELEASE]:
            calls.release(leg)
