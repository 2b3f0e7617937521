"""What a CTI Manager asks of the call manager behind it; no wire messages here.

The call manager implements :class:`CallControl`; each session of an application is an
:class:`Observer`. Requests that fail raise :class:`RequestFailed` with a
:class:`~pa_telephony.cti.enums.CTIFAILURE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pa_telephony.cti.enums import CALLSTATE

__all__ = [
    "CTI_PORT",
    "ROUTE_POINT",
    "CallControl",
    "DeviceInfo",
    "LegInfo",
    "LineInfo",
    "Observer",
    "Party",
]

CTI_PORT = 72
ROUTE_POINT = 73
"""Device types that Cisco's client makes a media terminal and a route terminal of (observed)."""


@dataclass(frozen=True, slots=True)
class Party:
    """A number, its name, and its device where that is known."""

    number: str = ""
    name: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One line of a device; ``number`` may be a pattern."""

    number: str
    name: str = ""
    partition: str = ""
    max_calls: int = 4


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device an application may control."""

    name: str
    device_type: int
    lines: tuple[LineInfo, ...]
    registered: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class LegInfo:
    """One line's part in a call, as it is now. ``line`` counts from 1; ``cause`` is Q.850."""

    leg_id: int
    call_id: int
    device: str
    line: int
    state: CALLSTATE
    incoming: bool
    calling: Party
    called: Party
    original_called: Party
    last_redirecting: Party
    cause: int = 0
    reason: int = 1


class Observer(Protocol):
    """Is told what happens, in order. Must not block, and not call back."""

    def leg_changed(self, leg: LegInfo) -> None:
        """A leg is new, changed, or gone (state IDLE)."""
        ...

    def device_changed(self, device: DeviceInfo) -> None:
        """A device was registered or unregistered."""
        ...

    def devices_changed(self) -> None:
        """There are more devices, or fewer: :meth:`CallControl.devices_of` answers anew."""
        ...


class CallControl(Protocol):
    """The call manager, to its CTI Manager."""

    def authenticate(self, user: str, password: str) -> bool:
        """Whether the password is the user's; compares in constant time."""
        ...

    def devices_of(self, user: str) -> Sequence[DeviceInfo]:
        """What the user may control."""
        ...

    def register(self, device: str, owner: object) -> None:
        """Put a CTI device in service for ``owner``; more than one owner may."""
        ...

    def unregister(self, device: str, owner: object) -> None:
        """One owner less; the last one takes the device out of service."""
        ...

    def legs_of(self, device: str) -> Sequence[LegInfo]:
        """The live legs of a device."""
        ...

    def originate(self, device: str, line: int, number: str) -> LegInfo:
        """Call ``number`` from a line."""
        ...

    def accept(self, leg_id: int) -> None:
        """Let an offered call alert."""
        ...

    def answer(self, leg_id: int) -> None:
        """Answer an offered call."""
        ...

    def disconnect(self, leg_id: int) -> None:
        """Hang up."""
        ...

    def redirect(self, leg_id: int, number: str) -> None:
        """Send the other party to ``number``; nothing changes when that fails."""
        ...

    def watch(self, observer: Observer) -> None:
        """Tell ``observer`` from now on."""
        ...

    def unwatch(self, observer: Observer) -> None:
        """Tell it no more."""
        ...
