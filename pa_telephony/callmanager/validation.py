"""Every rule that a call manager's configuration must keep, and what is probably not meant."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TypeAlias

from pa_telephony import toml
from pa_telephony.callmanager.calls.dialplan import translate
from pa_telephony.callmanager.calls.model import Forward, Line
from pa_telephony.callmanager.calls.routing import Router
from pa_telephony.callmanager.config import (
    CallManagerConfig,
    ControlLimits,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    StationLimits,
    Timing,
    User,
)
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.digits import KEYS, Pattern, PatternError, plain
from pa_telephony.durations import LONGEST, is_duration
from pa_telephony.errors import ConfigurationError, first_of
from pa_telephony.q850 import Cause, described

__all__ = ["check", "warnings"]

Broken: TypeAlias = Iterator[ConfigurationError]
"""The rules that are broken."""
Limits: TypeAlias = CallManagerConfig | StationLimits | CtiManagerConfig | ControlLimits
Lines: TypeAlias = dict[tuple[str, str], tuple[DeviceConfig, LineConfig]]
"""The first device with each number and partition, and its line."""
Times: TypeAlias = Timing | CtiManagerConfig | LineConfig | ControlLimits

_LIMITS = ("max_calls", "max_hops", "max_conference", "max_media_streams")
_FORWARDS = ("forward_all", "forward_busy", "forward_no_answer", "forward_failure")
_SHARED = (*_FORWARDS, "forward_search_space", "no_answer", "pickup_group")
"""Fields that belong to the number, and so are the same on all devices of a shared line."""
_STATIONS = (DeviceKind.PHONE, DeviceKind.MEDIA_PORT)
"""The kinds that register over SCCP."""
_MOST_BUTTONS = 255
"""Of each kind, as a button's number is one octet."""
_MOST_PARK_NUMBERS = 1000


def check(config: CallManagerConfig) -> None:
    """Raise :class:`~pa_telephony.errors.ConfigurationError` when a rule is broken.

    It is of the first one; its ``others`` are the further ones. Values of a wrong type, which a
    program can give, are told before all else. What two lines of a number have to do with each
    other is told of those that are sound by themselves.
    """
    found = [*toml.misfits(config, _section)] or [*_broken(config)]
    if found:
        raise first_of(found)


def warnings(config: CallManagerConfig) -> list[str]:
    """Sentences about settings that work but are probably not meant; never an error."""
    return [*_of_route_points(config), *_of_partitions(config), *_of_forwards(config)]


def _of_route_points(config: CallManagerConfig) -> Iterator[str]:
    """A route point is served by an application.

    Calls that come while none is there, or that it does not route in time, need forwards: without,
    they fail (docs/failover-design.md, F24).
    """
    missing = {
        "forward_failure": "while no application serves it its callers are turned away",
        "forward_no_answer": "a caller whom its application does not route is turned away",
    }
    for device in config.devices:
        for line in device.lines:
            if device.kind is DeviceKind.ROUTE_POINT and not line.forward_all:
                for name, what in missing.items():
                    if not getattr(line, name):
                        yield f"{_where(device, line)}: no {name}, so {what}"


def _of_partitions(config: CallManagerConfig) -> Iterator[str]:
    """A partition that only lines have, or only search spaces, is written wrongly in one place."""
    seen = {"", *itertools.chain(*config.search_spaces.values())}
    used = {""}
    for device in config.devices:
        for line in device.lines:
            is_new = line.partition not in seen and line.partition not in used
            if config.search_spaces and is_new:
                missing = f"no search space has partition {line.partition!r}"
                yield f"{_where(device, line)}: {missing}, so nobody can call what is in it"
            used.add(line.partition)
    for name, partitions in config.search_spaces.items():
        for partition in partitions:
            if partition not in used:
                yield f"search space {name}: no line is in partition {partition!r}"


def _of_forwards(config: CallManagerConfig) -> Iterator[str]:
    """Forwards that the control socket would refuse, and rings of them, each told once.

    Where a forward keeps digits of a pattern's number, it leads to another number for each.
    """
    router = Router(config, lambda device: True, lambda appearance: 0)
    told: set[frozenset[Line]] = set()
    for kind, line in itertools.product(Forward, router.lines.values()):
        to = line.forwards.get(kind, "")
        if not to or ("X" in to.upper() and Pattern.parse(line.number).breadth > 1):
            continue
        number = translate(to, line.number)
        first = line.appearances[0]
        where = f"{first.kind.value} {first.device}, line {line.number}: {kind.value} to {to}"
        if ring := router.ring_of_forwards(line, number):
            if frozenset(ring) not in told:
                numbers = ", ".join(each.number for each in (*ring, line))
                yield f"{where} leads in a ring: {numbers}"
            told.add(frozenset(ring))
        elif (cause := router.why_not_forwarded(line, number)) is not Cause.NORMAL:
            yield f"{where} leads nowhere: {described(cause)}"


def _where(device: DeviceConfig, line: LineConfig) -> str:
    return f"{device.kind.value} {device.name}, line {line.number}"


def _section(part: object) -> str:
    if isinstance(part, DeviceConfig | User):
        return f"{'user' if isinstance(part, User) else 'device'} {part.name}"
    return ""


def _error(rule: str, section: str, field: str) -> ConfigurationError:
    return ConfigurationError(rule, section=section, field=field)


def _broken(config: CallManagerConfig) -> Broken:
    for limit in _LIMITS:
        yield from _limit(config, limit)
    yield from _of_stations(config.stations)
    yield from _of_applications(config)
    yield from _of_control(config.control)
    for each in dataclasses.fields(Timing):
        if each.type == "int":
            yield from _interval(getattr(config.timing, each.name), "timing", each.name, least=1)
        else:
            yield from _seconds(config.timing, each.name, "timing", zero=False)
    lines: Lines = {}
    yield from _of_devices(config, lines)
    port = config.first_media_port
    if port % 2 or not 1024 <= port <= 65534:
        yield _error("must be even, 1024 to 65534", "", "first_media_port")
    if not all(config.nodes) or len(set(config.nodes)) < len(config.nodes):
        yield _error("must be addresses, each once", "", "nodes")
    yield from _of_park_numbers(config, lines)
    yield from _of_users(config)


def _of_stations(stations: StationLimits) -> Broken:
    wrong: list[ConfigurationError] = []
    for each in dataclasses.fields(stations):
        wrong += _limit(stations, each.name, "stations")
    yield from wrong
    if not wrong and stations.max_standing_by >= stations.max_connections:
        yield _error("must be less than max_connections", "stations", "max_standing_by")


def _of_applications(config: CallManagerConfig) -> Broken:
    for each in dataclasses.fields(CtiManagerConfig):
        if each.name == "heartbeat":
            yield from _interval(config.applications.heartbeat, "applications", each.name, least=1)
        elif each.type == "int":
            yield from _limit(config.applications, each.name, "applications")
        elif each.type == "float":
            zero = each.name != "login_within"
            yield from _seconds(config.applications, each.name, "applications", zero=zero)
    if bool(config.cti_tls.certificate) is not bool(config.cti_tls.key):
        lacks = "key" if config.cti_tls.certificate else "certificate"
        yield _error("is missing", "cti_tls", lacks)


def _of_control(control: ControlLimits) -> Broken:
    for each in dataclasses.fields(ControlLimits):
        if each.type == "int":
            yield from _limit(control, each.name, "control")
        else:
            yield from _seconds(control, each.name, "control", zero=False)


def _of_devices(config: CallManagerConfig, lines: Lines) -> Broken:
    """Rules of all devices; ``lines`` is filled with their lines that are sound."""
    names: set[str] = set()
    for device in config.devices:
        section = f"device {device.name}"
        if not 1 <= len(device.name) <= 15 or not device.name.isprintable():
            yield _error("must have 1 to 15 characters", section, "name")
        if device.name in names:
            yield _error("is used twice", section, "name")
        names.add(device.name)
        if not device.lines:
            yield _error("must not be empty", section, "lines")
        yield from _of_buttons(device, section)
        yield from _interval(device.keep_alive, section)
        if device.keep_alive and device.kind not in _STATIONS:
            yield _error("is for phones and media ports", section, "keep_alive")
        for line in device.lines:
            wrong = [*_of_line(config, line, section)]
            yield from wrong
            if wrong:
                continue
            key = plain(line.number), line.partition
            if key in lines:
                yield from _of_shared(*lines[key], device, line, section)
            else:
                lines[key] = device, line
    for device, line in lines.values():
        if other := lines.get((line.pickup_group, "")):
            rule = f"{line.pickup_group} is already a line of {other[0].name}"
            yield _error(rule, f"device {device.name}", "pickup_group")


def _of_buttons(device: DeviceConfig, section: str) -> Broken:
    if device.kind in _STATIONS:
        for name in ("lines", "speed_dials"):
            if len(getattr(device, name)) > _MOST_BUTTONS:
                yield _error(f"must be at most {_MOST_BUTTONS}", section, name)
    for speed_dial in device.speed_dials:
        if not speed_dial.number or not set(speed_dial.number) <= KEYS:
            yield _error("must be keys of a phone", section, "speed_dials")
        yield from _printable(speed_dial.name, section)


def _of_line(config: CallManagerConfig, line: LineConfig, section: str) -> Broken:
    try:
        Pattern.parse(line.number)
    except PatternError as error:
        yield _error(str(error), section, "number")
    yield from _printable(line.name, section)
    for name in ("search_space", "forward_search_space"):
        space = getattr(line, name)
        if space and space not in config.search_spaces:
            yield _error(f"no search space {space!r}", section, name)
    for name in _FORWARDS:
        target = getattr(line, name)
        try:
            if target:
                Pattern.parse(target, fixed=True)
        except PatternError as error:
            yield _error(str(error), section, name)
    for name in ("max_calls", "busy_trigger"):
        yield from _limit(line, name, section)
    yield from _seconds(line, "no_answer", section)
    if line.pickup_group and not set(line.pickup_group) <= KEYS:
        yield _error("must be a number", section, "pickup_group")


def _of_shared(
    other: DeviceConfig, same: LineConfig, device: DeviceConfig, line: LineConfig, section: str
) -> Broken:
    if other.name == device.name or DeviceKind.ROUTE_POINT in (other.kind, device.kind):
        yield _error(f"{line.number} is already a line of {other.name}", section, "number")
        return
    for name in _SHARED:
        if getattr(same, name) != getattr(line, name):
            yield _error(f"must be as on {other.name}, which shares {line.number}", section, name)


def _of_park_numbers(config: CallManagerConfig, lines: Lines) -> Broken:
    """A call that is parked at a number which dialling finds elsewhere could not be fetched."""
    taken = {
        number: f"a line of {device.name}"
        for (number, partition), (device, _) in lines.items()
        if not partition
    }
    for device, line in lines.values():
        if line.pickup_group:
            taken.setdefault(line.pickup_group, f"a pickup group of {device.name}")
    others = [Pattern.parse(number) for number in taken] if config.park_numbers else []
    for text in config.park_numbers:
        try:
            pattern = Pattern.parse(text, fixed=True)
            if pattern.breadth > _MOST_PARK_NUMBERS:
                raise PatternError(f"{text!r}: more than {_MOST_PARK_NUMBERS} numbers")
            for other in others:
                # Of a wider pattern, the park numbers are the ones that dialling finds.
                if other.breadth <= pattern.breadth and other.overlaps(pattern):
                    raise PatternError(f"{text!r}: {other.text} is already {taken[other.text]}")
        except PatternError as error:
            yield _error(str(error), "", "park_numbers")


def _of_users(config: CallManagerConfig) -> Broken:
    devices = {device.name for device in config.devices}
    users: set[str] = set()
    for user in config.users:
        section = f"user {user.name}"
        if not user.name or user.name in users:
            yield _error("must be unique", section, "name")
        users.add(user.name)
        for name in user.devices:
            if name not in devices:
                yield _error(f"no device {name}", section, "devices")


def _limit(part: Limits | LineConfig, name: str, section: str = "") -> Broken:
    value: int = getattr(part, name)
    if value < 1:
        yield _error("must be a whole number of at least 1", section, name)


def _seconds(part: Times, name: str, section: str, *, zero: bool = True) -> Broken:
    if not is_duration(getattr(part, name), zero=zero):
        positive = "" if zero else "positive "
        rule = f"must be a {positive}number of seconds, at most {LONGEST:.0f}"
        yield _error(rule, section, name)


def _interval(value: int, section: str, name: str = "keep_alive", *, least: int = 0) -> Broken:
    """A number of seconds that is sent to a peer as a whole number."""
    if not least <= value <= LONGEST:
        rule = f"must be a whole number of seconds, {least} to {LONGEST:.0f}"
        yield _error(rule, section, name)


def _printable(name: str, section: str) -> Broken:
    """A name has no control characters, which mean something else to phones."""
    if not name.isprintable():
        yield _error("must be printable", section, "name")
