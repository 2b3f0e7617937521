"""What a call manager shows of itself, as rows of six topics. Pure.

Every row has a ``key`` that tells it from the others of its topic, and stays the same while the row
changes. Times are seconds since the epoch. Fields have defaults, so that a newer call manager and
an older program understand each other. What people key is in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = [
    "TOPICS",
    "About",
    "Application",
    "Call",
    "Counter",
    "Device",
    "Line",
    "Media",
    "Notice",
    "Party",
    "Picture",
    "Refusal",
    "RoutePoint",
    "Row",
    "Statistics",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which call manager it is."""

    protocol: int = 1
    """The version of what is spoken over the socket."""
    process: int = 0
    sccp: str = ""
    """The address where phones and media ports register, as ``host:port``."""
    cti: str = ""
    """The address where applications log in; "" where none can."""
    since: float = 0.0
    """When the control socket was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a device, as it is now."""

    number: str
    partition: str = ""
    name: str = ""
    forwards: Mapping[str, str] = field(default_factory=dict[str, str])
    """The number that calls are forwarded to, for each of ``all``, ``busy``, ``no_answer`` and
    ``failure`` that is set."""
    message_waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a device was refused last."""

    at: float
    reason: str
    address: str = ""
    """The IP address that it came from; "" for an application, whose log line has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device of the configuration."""

    name: str
    kind: str = ""
    description: str = ""
    lines: tuple[Line, ...] = ()
    users: tuple[str, ...] = ()
    """The users whose entries name the device."""
    registered: bool = False
    address: str = ""
    """Where it is registered from, as ``host:port``; of several applications, the first."""
    registered_by: tuple[str, ...] = ()
    """The users whose applications have it registered, for a route point or CTI port."""
    since: float | None = None
    """Since when it is registered, or is not any more; None when that has not changed so far."""
    refusal: Refusal | None = None
    """The last refusal since it was registered; None when there was none."""
    calls: int = 0

    @property
    def key(self) -> str:
        """The name of it."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePoint:
    """A number of a route point, and what becomes of its callers."""

    device: str
    number: str
    partition: str = ""
    registered_by: tuple[str, ...] = ()
    """The users whose applications have it registered, first come first."""
    addresses: tuple[str, ...] = ()
    """Where these applications are, as ``host:port``."""
    served: bool = False
    """Whether an application is told of its calls."""
    forward_failure: str = ""
    """Where callers go while nobody has it registered; "": they are turned away."""
    calls: int = 0

    @property
    def key(self) -> str:
        """Number and partition."""
        return f"{self.number}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Packets of a stream that ends at the call manager: a tone on hold, a conference."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    late: int = 0
    jitter: float = 0.0
    """Milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The sound of one party."""

    use: str = ""
    """``talk``, ``hold tone`` or ``conference``."""
    codec: str = ""
    packet_ms: int = 20
    receives_at: str = ""
    """Where the device receives; "" while it has not said so."""
    sends_to: str = ""
    statistics: Statistics | None = None
    """None where sound goes from device to device, which the call manager does not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One end of a call, at one device."""

    leg: int
    device: str = ""
    number: str = ""
    name: str = ""
    other: str = ""
    """The number at the other end; "" as long as nobody is reached."""
    incoming: bool = False
    state: str = ""
    since: float | None = None
    """Since when it is in this state."""
    reason: str = ""
    """What brought it into the call: ``direct``, ``forward busy``, ``transfer``, …"""
    parked_at: str = ""
    cause: str = ""
    """Why the call failed, where it did."""
    media: Media | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, with everybody in it; a line on several devices is there once for each."""

    id: int
    since: float | None = None
    conference: bool = False
    parties: tuple[Party, ...] = ()

    @property
    def key(self) -> str:
        """The number of it."""
        return str(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A session of an application that is logged in."""

    user: str
    address: str = ""
    since: float | None = None
    devices: tuple[str, ...] = ()
    """The devices that it has registered."""
    lines: int = 0
    """How many lines it has open."""

    @property
    def key(self) -> str:
        """Its user and its address."""
        return f"{self.user} {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Something that the call manager counts."""

    name: str
    value: int = 0

    @property
    def key(self) -> str:
        """The name of it."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence about something that is probably not meant, or not well."""

    text: str

    @property
    def key(self) -> str:
        """The sentence itself."""
        return self.text


Row: TypeAlias = Device | RoutePoint | Call | Application | Counter | Notice

TOPICS: Mapping[str, type[Any]] = {
    "devices": Device,
    "route_points": RoutePoint,
    "calls": Call,
    "applications": Application,
    "counters": Counter,
    "warnings": Notice,
}
"""What can be asked for and watched, with the class of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that was asked for, at one moment; a topic that was not is empty."""

    devices: tuple[Device, ...] = ()
    route_points: tuple[RoutePoint, ...] = ()
    calls: tuple[Call, ...] = ()
    applications: tuple[Application, ...] = ()
    counters: tuple[Counter, ...] = ()
    warnings: tuple[Notice, ...] = ()
