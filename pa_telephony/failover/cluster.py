"""A cluster whose configuration keeps every rule, and the TOML file that one is read from."""

from __future__ import annotations

import dataclasses
import functools
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_type_hints

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import validation
from pa_telephony.failover.agreement import Configured
from pa_telephony.failover.config import (
    ApplicationConfig,
    ClusterConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
)

__all__ = ["Cluster", "load"]


@dataclass(frozen=True)
class Cluster(ClusterConfig):
    """Every server and provider of one cluster, checked: an impossible one never exists.

    Raises :class:`~pa_telephony.errors.ConfigurationError` naming file, server or provider,
    field and rule.
    """

    def __post_init__(self) -> None:
        validation.check(self)

    @functools.cached_property
    def configured(self) -> str:
        """The text that a server with this configuration writes into the store, for agreement."""
        return Configured.of(self).encode()

    def warnings(self) -> list[str]:
        """Sentences about settings that are allowed but probably not meant, such as idle spares."""
        return validation.warnings(self)


def load(path: str | os.PathLike[str]) -> Cluster:
    """Read and check a cluster's TOML file.

    Tables: ``[[servers]]``, ``[[providers]]`` with ``type = "jtapi"`` or ``"skinny"``,
    ``[timing]``, ``[application]``; keys ``store`` and ``capacity_aware``. Raises
    :class:`~pa_telephony.errors.ConfigurationError` for any error, a file that cannot be read
    included.
    """
    file = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            document = tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(error.strerror or str(error), file=file) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"not TOML: {error}", file=file) from error
    return _Loader(file).cluster(document)


Made = TypeVar("Made")


class _Loader:
    def __init__(self, file: str) -> None:
        self._file = file

    def cluster(self, document: dict[str, Any]) -> Cluster:
        known = {"servers", "providers", "timing", "application", "store", "capacity_aware"}
        for key in document:
            if key not in known:
                raise self._error(f"unknown; known are {', '.join(sorted(known))}", "", key)
        servers = [
            self._make(ServerConfig, table, f"server {table.get('server_name', place)!r}")
            for place, table in enumerate(self._tables(document, "servers"), 1)
        ]
        providers: list[JtapiProvider | SkinnyProvider] = []
        for place, table in enumerate(self._tables(document, "providers"), 1):
            section = f"provider {table.get('name', place)!r}"
            kind = table.get("type")
            if kind == "jtapi":
                providers.append(self._make(JtapiProvider, table, section))
            elif kind == "skinny":
                providers.append(self._make(SkinnyProvider, table, section))
            else:
                raise self._error('must be "jtapi" or "skinny"', section, "type")
        rest: dict[str, Any] = {
            key: document[key] for key in ("store", "capacity_aware") if key in document
        }
        for key, kind, rule in (("store", str, "text"), ("capacity_aware", bool, "true or false")):
            if key in rest and not isinstance(rest[key], kind):
                raise self._error(f"must be {rule}", "", key)
        return Cluster(
            servers=tuple(servers),
            providers=tuple(providers),
            timing=self._make(Timing, self._table(document, "timing"), "timing"),
            application=self._make(
                ApplicationConfig, self._table(document, "application"), "application"
            ),
            file=self._file,
            **rest,
        )

    def _error(self, rule: str, section: str, field: str) -> ConfigurationError:
        return ConfigurationError(rule, file=self._file, section=section, field=field)

    def _table(self, document: dict[str, Any], key: str) -> dict[str, Any]:
        table: object = document.get(key, {})
        if not isinstance(table, dict):
            raise self._error("must be a table", "", key)
        return cast("dict[str, Any]", table)

    def _tables(self, document: dict[str, Any], key: str) -> list[dict[str, Any]]:
        value: object = document.get(key, [])
        if not isinstance(value, list):
            raise self._error(f"must be tables [[{key}]]", "", key)
        tables = cast("list[object]", value)
        if not all(isinstance(each, dict) for each in tables):
            raise self._error(f"must be tables [[{key}]]", "", key)
        return cast("list[dict[str, Any]]", tables)

    def _make(self, kind: type[Made], table: dict[str, Any], section: str) -> Made:
        hints = get_type_hints(kind)
        fields = {each.name: each for each in dataclasses.fields(cast("Any", kind))}
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key not in fields:
                raise self._error(f"unknown; known are {', '.join(fields)}", section, key)
            values[key] = self._convert(hints[key], value, section, key)
        for name, each in fields.items():
            required = (
                each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
            )
            if required and name not in values:
                raise self._error("is mandatory", section, name)
        return kind(**values)

    def _convert(self, hint: object, value: object, section: str, field: str) -> object:
        if hint is str and isinstance(value, str):
            return value
        if hint is bool and isinstance(value, bool):
            return value
        if hint is int and isinstance(value, int) and not isinstance(value, bool):
            return value
        if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if hint == tuple[str, ...] and isinstance(value, list):
            entries = cast("list[object]", value)
            if all(isinstance(each, str) for each in entries):
                return tuple(cast("list[str]", entries))
        if hint == Mapping[str, str] and isinstance(value, dict):
            pairs = cast("dict[str, object]", value)
            if all(isinstance(each, str) for each in pairs.values()):
                return MappingProxyType(cast("dict[str, str]", pairs))
        raise self._error(f"must be {_WORDS.get(hint, hint)}", section, field)


_WORDS: dict[object, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number of seconds",
    tuple[str, ...]: "a list of texts",
    Mapping[str, str]: "a table of texts",
}
