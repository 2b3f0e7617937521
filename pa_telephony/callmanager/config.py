"""What a call manager is told: devices, lines, partitions, search spaces, users.

Either the dataclasses, or a TOML file of the same names::

    [search_spaces]
    phones = ["", "PA"]

    [[device]]
    name = "SEP000000001001"
    kind = "phone"
    lines = [{ number = "1001", name = "Alice", search_space = "phones" }]
"""

from __future__ import annotations

import dataclasses
import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pa_telephony.callmanager.dialplan import Pattern, PatternError
from pa_telephony.errors import ConfigurationError

__all__ = [
    "CallManagerConfig",
    "DeviceConfig",
    "DeviceKind",
    "LineConfig",
    "Timing",
    "User",
    "load",
    "validate",
]


class DeviceKind(enum.Enum):
    """What a device is, which says how it is reached."""

    PHONE = "phone"
    MEDIA_PORT = "media port"
    ROUTE_POINT = "route point"
    CTI_PORT = "cti port"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineConfig:
    """One line. ``search_space`` names what it may call; forwards name numbers, "" for none.

    A forward's ``X`` keeps the dialled digit at its place (``5XXX``); forwards are looked up in
    ``forward_search_space``, or the line's own.
    """

    number: str
    name: str = ""
    partition: str = ""
    search_space: str = ""
    forward_all: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_failure: str = ""
    forward_search_space: str = ""
    max_calls: int = 2
    """Calls the line takes before it is busy; a route point has no such limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceConfig:
    """One device: a name of 1 to 15 characters, and its lines."""

    name: str
    kind: DeviceKind = DeviceKind.PHONE
    lines: tuple[LineConfig, ...] = ()
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Who may log in over CTI, and which devices are theirs (empty: all)."""

    name: str
    password: str = field(repr=False)
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Times in seconds."""

    no_answer: float = 12.0
    between_digits: float = 4.0
    keep_alive: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class CallManagerConfig:
    """Everything a call manager is told."""

    devices: tuple[DeviceConfig, ...] = ()
    search_spaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    users: tuple[User, ...] = ()
    timing: Timing = field(default_factory=Timing)
    max_calls: int = 10_000
    max_hops: int = 10
    """Forwards and redirects one call may go through."""


def load(path: str | Path) -> CallManagerConfig:
    """Read and check a TOML file. Raises :class:`ConfigurationError` naming file and field."""
    file = str(path)
    try:
        with open(path, "rb") as stream:
            raw = tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(error.strerror or str(error), file=file) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(error), file=file) from error
    try:
        spaces = _table(raw.pop("search_spaces", {}), "search_spaces")
        config = CallManagerConfig(
            devices=tuple(_device(each) for each in _list(raw.pop("device", []), "device")),
            search_spaces={
                name: tuple(_text(part, "search_spaces", name) for part in _list(parts, name))
                for name, parts in spaces.items()
            },
            users=tuple(
                _build(User, each, f"user {index}", devices=_texts)
                for index, each in enumerate(_list(raw.pop("user", []), "user"), 1)
            ),
            timing=_build(Timing, raw.pop("timing", {}), "timing"),
            **{name: raw.pop(name) for name in ("max_calls", "max_hops") if name in raw},
        )
        for name in raw:
            raise ConfigurationError("no such field", field=name)
        return validate(config)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.rule, file=file, section=error.section, field=error.field
        ) from None


def validate(config: CallManagerConfig) -> CallManagerConfig:
    """Check what the parts say of each other. Raises :class:`ConfigurationError`."""
    names: set[str] = set()
    numbers: dict[tuple[str, str], str] = {}
    for limit in ("max_calls", "max_hops"):
        if type(getattr(config, limit)) is not int or getattr(config, limit) < 1:
            raise ConfigurationError("must be a whole number of at least 1", field=limit)
    for each in dataclasses.fields(Timing):
        value = getattr(config.timing, each.name)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ConfigurationError(
                "must be a positive number of seconds", section="timing", field=each.name
            )
    for device in config.devices:
        section = f"device {device.name}"
        if not 1 <= len(device.name) <= 15 or not device.name.isprintable():
            raise ConfigurationError("must have 1 to 15 characters", section=section, field="name")
        if device.name in names:
            raise ConfigurationError("is used twice", section=section, field="name")
        names.add(device.name)
        if not device.lines:
            raise ConfigurationError("must not be empty", section=section, field="lines")
        for line in device.lines:
            _check_line(config, line, section)
            key = (Pattern.parse(line.number).text, line.partition)
            if key in numbers:
                raise ConfigurationError(
                    f"{line.number} is already a line of {numbers[key]}",
                    section=section,
                    field="number",
                )
            numbers[key] = device.name
    users: set[str] = set()
    for user in config.users:
        section = f"user {user.name}"
        if not user.name or user.name in users:
            raise ConfigurationError("must be unique", section=section, field="name")
        users.add(user.name)
        for name in user.devices:
            if name not in names:
                raise ConfigurationError(f"no device {name}", section=section, field="devices")
    return config


def _check_line(config: CallManagerConfig, line: LineConfig, section: str) -> None:
    try:
        Pattern.parse(line.number)
    except PatternError as error:
        raise ConfigurationError(str(error), section=section, field="number") from None
    for name in ("search_space", "forward_search_space"):
        space = getattr(line, name)
        if space and space not in config.search_spaces:
            raise ConfigurationError(f"no search space {space!r}", section=section, field=name)
    for name in ("forward_all", "forward_busy", "forward_no_answer", "forward_failure"):
        target = getattr(line, name)
        try:
            if target:
                Pattern.parse(target)
        except PatternError as error:
            raise ConfigurationError(str(error), section=section, field=name) from None
    if type(line.max_calls) is not int or line.max_calls < 1:
        raise ConfigurationError(
            "must be a whole number of at least 1", section=section, field="max_calls"
        )


def _device(raw: Any) -> DeviceConfig:
    section = f"device {_table(raw, 'device').get('name', '?')}"
    device: DeviceConfig = _build(DeviceConfig, raw, section, kind=_kind, lines=_lines)
    return device


def _lines(value: Any, section: str, name: str) -> tuple[LineConfig, ...]:
    return tuple(_build(LineConfig, each, section) for each in _list(value, name))


def _kind(value: Any, section: str, name: str) -> DeviceKind:
    try:
        return DeviceKind(value)
    except ValueError:
        known = ", ".join(kind.value for kind in DeviceKind)
        raise ConfigurationError(f"must be one of {known}", section=section, field=name) from None


def _build(cls: Any, raw: Any, section: str, **convert: Any) -> Any:
    values = _table(raw, section)
    fields = {each.name: each for each in dataclasses.fields(cls)}
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise ConfigurationError("no such field", section=section, field=name)
        if name in convert:
            result[name] = convert[name](value, section, name)
        elif fields[name].type == "str":
            result[name] = _text(value, section, name)
        else:
            result[name] = value
    for name, each in fields.items():
        missing = each.default is dataclasses.MISSING
        if missing and each.default_factory is dataclasses.MISSING and name not in result:
            raise ConfigurationError("is missing", section=section, field=name)
    return cls(**result)


def _texts(value: Any, section: str, name: str) -> tuple[str, ...]:
    return tuple(_text(each, section, name) for each in _list(value, name))


def _text(value: Any, section: str, name: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError("must be a text", section=section, field=name)
    return value


def _list(value: Any, name: str) -> list[Any]:
    items: list[Any] = _expect(value, list, "must be a list", field=name)
    return items


def _table(value: Any, name: str) -> dict[str, Any]:
    entries: dict[str, Any] = _expect(value, dict, "must be a table", section=name)
    return entries


def _expect(value: Any, kind: type, rule: str, *, section: str = "", field: str = "") -> Any:
    if not isinstance(value, kind):
        raise ConfigurationError(rule, section=section, field=field)
    return value
