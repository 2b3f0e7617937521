"""What is so at a call manager now, as rows; and since when, which has to be watched. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pa_telephony.callmanager.calls.model import COLLECTING, Leg, LegState, Stream, Watcher
from pa_telephony.callmanager.config import DeviceConfig, DeviceKind
from pa_telephony.callmanager.control.core import ControlCounters
from pa_telephony.callmanager.control.rows import (
    Application,
    Call,
    Counter,
    Device,
    Line,
    Media,
    Notice,
    Party,
    Refusal,
    RoutePoint,
    Row,
    Statistics,
)
from pa_telephony.callmanager.validation import warnings
from pa_telephony.q850 import Cause, described

if TYPE_CHECKING:
    from pa_telephony.callmanager.manager import CallManager
    from pa_telephony.cti.server.application import ApplicationSession

__all__ = ["FORWARDS", "Look", "Times", "as_device"]

FORWARDS = {"all": "ALL", "busy": "BUSY", "no_answer": "NO_ANSWER", "failure": "FAILURE"}
"""What a forward is called at the socket, and the name of its :class:`~.model.Forward`."""

_REACHED = (Cause.USER_BUSY, Cause.NO_ANSWER, Cause.OUT_OF_ORDER)
"""Why a call fails at a number that there is."""
_KINDS = {name: short for short, name in FORWARDS.items()}


@dataclass(eq=False, slots=True)
class _Since:
    began: float
    state: LegState
    changed: float


class Times(Watcher):
    """Since when devices are registered, and legs are in their states, on the calls' clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.devices: dict[str, float] = {}
        self._now = now
        self._legs: dict[int, _Since] = {}

    def device_changed(self, device: str) -> None:
        """Note the time of it."""
        self.devices[device] = self._now()

    def leg_changed(self, leg: Leg) -> None:
        """Note the time, where the state is another."""
        if leg.state is LegState.IDLE:
            self._legs.pop(leg.id, None)
            return
        known = self._legs.get(leg.id)
        if known is None:
            now = self._now()
            self._legs[leg.id] = _Since(now, leg.state, now)
        elif known.state is not leg.state:
            known.state, known.changed = leg.state, self._now()

    def began(self, leg: Leg) -> float | None:
        """When a leg began; None when it was there before anybody watched."""
        known = self._legs.get(leg.id)
        return None if known is None else known.began

    def in_state(self, leg: Leg) -> float | None:
        """Since when a leg is in its state; None as above."""
        known = self._legs.get(leg.id)
        return None if known is None else known.changed


def as_device(device: DeviceConfig) -> Device:
    """A device as a call manager would show it that has just begun with this configuration."""
    lines = (
        Line(
            number=line.number,
            partition=line.partition,
            name=line.name,
            forwards={
                short: number for short in FORWARDS if (number := getattr(line, f"forward_{short}"))
            },
        )
        for line in device.lines
    )
    return Device(
        name=device.name,
        kind=device.kind.value,
        description=device.description,
        lines=tuple(lines),
    )


class Look:
    """Makes the rows of each topic.

    ``epoch`` is what has to be added to the calls' clock for seconds since the epoch.
    """

    def __init__(
        self, manager: CallManager, times: Times, counters: ControlCounters, epoch: float
    ) -> None:
        self._manager = manager
        self._times = times
        self._counters = counters
        self._epoch = epoch
        # Every forward is followed, which takes a second with 10,000 lines: once, at the start.
        self._warnings = warnings(manager.config)

    def rows(self, topic: str) -> Sequence[Row]:
        """The rows of a topic as they are now."""
        of: Mapping[str, Callable[[], Sequence[Row]]] = {
            "devices": self.devices,
            "route_points": self.route_points,
            "calls": self.calls,
            "applications": self.applications,
            "counters": self.counters,
            "warnings": self.warnings,
        }
        return of[topic]()

    def devices(self) -> list[Device]:
        """Every device, in the order of the configuration."""
        manager, users = self._manager, self._users()
        owners = self._owners()
        return [
            self._device(each, users.get(each.name, ()), owners.get(each.name, ()))
            for each in manager.config.devices
        ]

    def route_points(self) -> list[RoutePoint]:
        """Every number of a route point."""
        manager, owners = self._manager, self._owners()
        found: list[RoutePoint] = []
        for device in manager.config.devices:
            if device.kind is not DeviceKind.ROUTE_POINT:
                continue
            sessions = owners.get(device.name, ())
            for line in self._lines(device):
                found.append(
                    RoutePoint(
                        device=device.name,
                        number=line.number,
                        partition=line.partition,
                        registered_by=tuple(each.name for each in sessions),
                        addresses=tuple(_at(each.address) for each in sessions),
                        served=manager.is_served(device.name),
                        forward_failure=line.forwards.get("failure", ""),
                        calls=len(manager.calls.legs_of(device.name)),
                    )
                )
        return found

    def calls(self) -> list[Call]:
        """Every call, the oldest first."""
        legs: dict[int, list[Leg]] = {}
        for leg in self._manager.calls.legs.values():
            if leg.state is not LegState.IDLE:
                legs.setdefault(leg.call_id, []).append(leg)
        return [self._call(call, of_call) for call, of_call in sorted(legs.items())]

    def applications(self) -> list[Application]:
        """Every application that is logged in."""
        return [
            Application(
                user=each.name,
                address=_at(each.address),
                since=self._wall(each.since),
                devices=each.registered_devices,
                lines=each.open_lines,
            )
            for each in self._manager.sessions
        ]

    def counters(self) -> list[Counter]:
        """All that is counted: of calls, phones, applications, and of the control socket."""
        manager = self._manager
        found = {
            "calls.parties": manager.calls.parties,
            "calls.parked": len(manager.calls.parked),
            "calls.refused": manager.calls.refused,
            "calls.internal_errors": manager.internal_errors,
        }
        parts = {"sccp": manager.sccp_counters, "cti": manager.cti_counters}
        for part, counted in (*parts.items(), ("control", self._counters)):
            if counted is not None:
                found.update({f"{part}.{name}": value for name, value in vars(counted).items()})
        return [Counter(name=name, value=value) for name, value in found.items()]

    def warnings(self) -> list[Notice]:
        """What was probably not meant at the start, and who cannot be reached now."""
        found = [Notice(text=text) for text in self._warnings]
        for each in self.route_points():
            if not each.registered_by and not each.forward_failure:
                where = f"{each.number} of {each.device}"
                found.append(Notice(text=f"nobody serves {where}: its callers are turned away"))
        found += [Notice(text=str(change)) for change in self._manager.address_changes]
        # What happened twice in the same words is one row.
        return list(dict.fromkeys(found))

    # Devices.

    def _users(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for user in self._manager.config.users:
            for name in user.devices:
                found[name] = (*found.get(name, ()), user.name)
        return found

    def _owners(self) -> dict[str, list[ApplicationSession]]:
        found: dict[str, list[ApplicationSession]] = {}
        for session in self._manager.sessions:
            for name in session.registered_devices:
                found.setdefault(name, []).append(session)
        return found

    def _device(
        self, device: DeviceConfig, users: tuple[str, ...], owners: Sequence[ApplicationSession]
    ) -> Device:
        manager = self._manager
        station, refused = manager.station(device.name), manager.refusal(device.name)
        address = "" if station is None else _at(station.address)
        if owners:
            address = _at(owners[0].address)
        refusal = None
        if refused is not None:
            at = self._wall(refused.at) or 0.0
            refusal = Refusal(at=at, reason=refused.reason, address=refused.address)
        return Device(
            name=device.name,
            kind=device.kind.value,
            description=device.description,
            lines=tuple(self._lines(device)),
            users=users,
            registered=manager.calls.is_registered(device.name),
            address=address,
            registered_by=tuple(each.name for each in owners),
            since=self._wall(self._times.devices.get(device.name)),
            refusal=refusal,
            calls=len(manager.calls.legs_of(device.name)),
        )

    def _lines(self, device: DeviceConfig) -> list[Line]:
        found: list[Line] = []
        for index, line in enumerate(device.lines, 1):
            appearance = self._manager.calls.appearance(device.name, index)
            now = appearance.line if appearance is not None else None
            forwards = {} if now is None else {_KINDS[k.name]: to for k, to in now.forwards.items()}
            found.append(
                Line(
                    number=line.number,
                    partition=line.partition,
                    name=line.name,
                    forwards=forwards,
                    message_waiting=now is not None and now.message_waiting,
                )
            )
        return found

    # Calls.

    def _call(self, call: int, legs: Sequence[Leg]) -> Call:
        began = [time for leg in legs if (time := self._times.began(leg)) is not None]
        return Call(
            id=call,
            since=self._wall(min(began, default=None)),
            conference=any(leg.conference is not None for leg in legs),
            parties=tuple(self._party(leg) for leg in legs),
        )

    def _party(self, leg: Leg) -> Party:
        return Party(
            leg=leg.id,
            device=leg.device,
            number=leg.party.number,
            name=leg.party.name,
            other=_other(leg),
            incoming=leg.incoming,
            state=leg.state.value,
            since=self._wall(self._times.in_state(leg)),
            reason=leg.reason.value,
            parked_at=leg.parking.number if leg.parking is not None else "",
            cause=described(leg.cause) if leg.state is LegState.FAILED else "",
            media=None if leg.stream is None else self._media(leg.stream),
        )

    def _media(self, stream: Stream) -> Media:
        far = stream.far
        counted = self._manager.statistics(stream)
        statistics = None
        if counted is not None:
            statistics = Statistics(
                sent=counted.sent,
                received=counted.received,
                lost=counted.lost,
                late=counted.late,
                jitter=round(counted.jitter, 1),
            )
        return Media(
            use=stream.use.value,
            codec=stream.format.codec.name,
            packet_ms=stream.format.packet_ms,
            receives_at="" if stream.address is None else _at(stream.address),
            sends_to="" if far is None or far.address is None else _at(far.address),
            statistics=statistics,
        )

    def _wall(self, time: float | None) -> float | None:
        return None if time is None else round(time + self._epoch, 3)


def _other(leg: Leg) -> str:
    """The number at the other end, if it is somebody's: what else was keyed may be a PIN."""
    if leg.state in COLLECTING or (leg.state is LegState.FAILED and leg.cause not in _REACHED):
        return ""
    return leg.other.number


def _at(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
