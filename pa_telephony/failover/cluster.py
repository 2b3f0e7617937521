"""A cluster whose configuration keeps every rule, and the TOML text that one is read from."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from pa_telephony import toml
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import caveats, validation
from pa_telephony.failover.agreement import Configured
from pa_telephony.failover.config import (
    ApplicationConfig,
    ClusterConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
)
from pa_telephony.failover.speech import SpeechConfig

__all__ = ["Cluster", "from_document", "load", "parse"]


_PARTS: dict[str, type[Any]] = {
    "timing": Timing,
    "application": ApplicationConfig,
    "speech": SpeechConfig,
}
_PLAIN = ("store", "capacity_aware")


@dataclass(frozen=True)
class Cluster(ClusterConfig):
    """Every server and provider of one cluster, checked: an impossible one never exists.

    Raises :class:`~pa_telephony.errors.ConfigurationError` naming file, server or provider,
    field and rule of the first that is broken; its ``others`` are the further ones.
    """

    def __post_init__(self) -> None:
        validation.check(self)

    @functools.cached_property
    def configured(self) -> str:
        """The text that a server with this configuration writes into the store, for agreement."""
        return Configured.of(self).encode()

    def warnings(self) -> list[str]:
        """Sentences about settings that are allowed but probably not meant, such as idle spares."""
        return caveats.warnings(self)


def load(path: str | os.PathLike[str]) -> Cluster:
    """Read and check a cluster's TOML file.

    Tables: ``[[servers]]``, ``[[providers]]`` with ``type = "jtapi"`` or ``"skinny"``,
    ``[timing]``, ``[application]``, ``[speech]``; keys ``store`` and ``capacity_aware``. Raises
    :class:`~pa_telephony.errors.ConfigurationError` for any error, a file that cannot be read
    included.
    """
    document = toml.read(path)
    with toml.error_names_file(path):
        return from_document(document, os.fspath(path))


def parse(text: str, file: str = "") -> Cluster:
    """Read and check a cluster's TOML text, as :func:`load` does; ``file`` is where it comes from.

    Relative paths in it start at the directory of ``file``.
    """
    document = toml.parse(text, file)
    with toml.error_names_file(file):
        return from_document(document, file)


def from_document(document: dict[str, Any], file: str = "") -> Cluster:
    """The cluster of a document as TOML has it, checked; raises ConfigurationError.

    Its ``others`` are all further values of another type; where there are none, all rules.
    """
    return Cluster(
        file=file,
        **toml.together(
            {
                "servers": lambda: toml.all_made(_server, toml.tables(document, "servers")),
                "providers": lambda: toml.all_made(_provider, toml.tables(document, "providers")),
                **{key: functools.partial(_part, key, document) for key in _PARTS},
                **{
                    key: functools.partial(_plain, key, value)
                    for key, value in document.items()
                    if key not in {"servers", "providers", *_PARTS}
                },
            }
        ),
    )


def _server(table: dict[str, Any], place: int) -> ServerConfig:
    return toml.make(ServerConfig, table, f"server {table.get('server_name', place)!r}")


def _provider(table: dict[str, Any], place: int) -> JtapiProvider | SkinnyProvider:
    section = f"provider {table.get('name', place)!r}"
    kind = table.get("type")
    if kind == "jtapi":
        return toml.make(JtapiProvider, table, section)
    if kind == "skinny":
        return toml.make(SkinnyProvider, table, section)
    raise ConfigurationError('must be "jtapi" or "skinny"', section=section, field="type")


def _part(key: str, document: dict[str, Any]) -> Any:
    return toml.make(_PARTS[key], toml.table(document, key), key)


def _plain(key: str, value: object) -> Any:
    if key not in _PLAIN:
        known = sorted({"servers", "providers", *_PARTS, *_PLAIN})
        raise ConfigurationError(f"unknown; known are {', '.join(known)}", field=key)
    return toml.value_of(ClusterConfig, key, value)
