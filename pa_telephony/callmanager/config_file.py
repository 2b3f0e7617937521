"""A call manager's configuration read from a TOML file; see :mod:`.config`."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

from pa_telephony import toml
from pa_telephony.callmanager import validation
from pa_telephony.callmanager.config import (
    CallManagerConfig,
    ControlLimits,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    SpeedDial,
    StationLimits,
    Timing,
    TlsFiles,
    User,
)
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.errors import ConfigurationError
from pa_telephony.secrecy import warn_of_readers

__all__ = ["load"]

Part = TypeVar("Part")

_PARTS: dict[str, type] = {
    "timing": Timing,
    "stations": StationLimits,
    "applications": CtiManagerConfig,
    "control": ControlLimits,
}
_TABLES = {"device", "user", "search_spaces", "cti_tls", *_PARTS}
"""What the tables are called in a file: ``[[device]]`` is what fills ``devices``."""
_PLAIN = {each.name for each in dataclasses.fields(CallManagerConfig)} - {
    *("devices", "users", "search_spaces", "cti_tls"),
    *_PARTS,
}


def load(path: str | Path, settings: Iterable[str] = ()) -> CallManagerConfig:
    """Read and check a TOML file. Raises :class:`ConfigurationError` naming file and field.

    Its ``others`` are all further values of another type, or all further rules that are broken.
    ``settings`` are lines of TOML that count instead of the file's: a field with its section
    (``"applications.max_connections = 100"``), no devices and no users.
    """
    raw = toml.read(path)
    for setting in settings:
        _put(setting, raw)
    with toml.error_names_file(path):
        config = _made(raw, Path(path))
        if any(user.password for user in config.users):
            warn_of_readers(str(path), "the passwords of users")
        validation.check(config)
        return config


def _made(raw: dict[str, Any], path: Path) -> CallManagerConfig:
    """The configuration, of which each value is of its type; raises ConfigurationError of all."""
    parts: dict[str, Callable[[], Any]] = {
        "devices": lambda: toml.all_made(_device, toml.tables(raw, "device")),
        "search_spaces": lambda: _search_spaces(toml.table(raw, "search_spaces")),
        "users": lambda: toml.all_made(_user, toml.tables(raw, "user")),
        "cti_tls": lambda: _beside(path, _part("cti_tls", TlsFiles, raw)),
    }
    for name, kind in _PARTS.items():
        parts[name] = functools.partial(_part, name, kind, raw)
    for name, value in raw.items():
        if name not in _TABLES:
            parts[name] = functools.partial(_plain, name, value)
    return CallManagerConfig(**toml.together(parts))


def _part(name: str, kind: type[Part], raw: dict[str, Any]) -> Part:
    return toml.make(kind, toml.table(raw, name), name)


def _plain(name: str, value: object) -> Any:
    if name not in _PLAIN:
        known = sorted(_TABLES | _PLAIN)
        raise ConfigurationError(f"unknown; known are {', '.join(known)}", field=name)
    return toml.value_of(CallManagerConfig, name, value)


def _search_spaces(spaces: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return toml.together(
        {
            name: functools.partial(_texts, parts, "search_spaces", name)
            for name, parts in spaces.items()
        }
    )


def _user(raw: dict[str, Any], place: int) -> User:
    return toml.make(User, raw, f"user {place}")


def _beside(path: str | Path, files: TlsFiles) -> TlsFiles:
    """The same files, with relative paths resolved against the configuration's directory."""
    where = Path(path).parent
    return TlsFiles(
        **{
            each.name: str(where / getattr(files, each.name)) if getattr(files, each.name) else ""
            for each in dataclasses.fields(TlsFiles)
        }
    )


def _put(setting: str, raw: dict[str, Any]) -> None:
    try:
        said = tomllib.loads(setting)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{setting!r} is no line of TOML: {error}") from error
    if not said:
        raise ConfigurationError(f"{setting!r} sets no field")
    for name, value in said.items():
        if name in ("device", "user"):
            raise ConfigurationError("is set in the file only", field=name)
        section = raw.get(name)
        if isinstance(section, dict) and isinstance(value, dict):
            cast("dict[str, Any]", section).update(cast("dict[str, Any]", value))
        else:
            raw[name] = value


def _device(raw: dict[str, Any], place: int) -> DeviceConfig:
    section = f"device {raw.get('name', '?')}"
    return toml.make(DeviceConfig, raw, section, kind=_kind, lines=_lines, speed_dials=_speed_dials)


def _speed_dials(value: Any, section: str, name: str) -> tuple[SpeedDial, ...]:
    def one(raw: dict[str, Any], place: int) -> SpeedDial:
        return toml.make(SpeedDial, raw, section)

    return toml.all_made(one, _tables(value, section, name))


def _lines(value: Any, section: str, name: str) -> tuple[LineConfig, ...]:
    def one(raw: dict[str, Any], place: int) -> LineConfig:
        return toml.make(LineConfig, raw, section)

    return toml.all_made(one, _tables(value, section, name))


def _tables(value: Any, section: str, name: str) -> list[dict[str, Any]]:
    entries = cast("list[object]", value)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in entries):
        raise ConfigurationError("must be a list of tables", section=section, field=name)
    return cast("list[dict[str, Any]]", entries)


def _kind(value: Any, section: str, name: str) -> DeviceKind:
    try:
        return DeviceKind(value)
    except ValueError:
        known = ", ".join(kind.value for kind in DeviceKind)
        raise ConfigurationError(f"must be one of {known}", section=section, field=name) from None


def _texts(value: Any, section: str, name: str) -> tuple[str, ...]:
    entries = cast("list[object]", value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in entries):
        raise ConfigurationError("must be a list of texts", section=section, field=name)
    return tuple(cast("list[str]", entries))
