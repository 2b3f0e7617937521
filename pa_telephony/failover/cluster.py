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


_TOP = {"servers", "providers", "timing", "application", "speech", "store", "capacity_aware"}


def from_document(document: dict[str, Any], file: str = "") -> Cluster:
    """The cluster of a document as TOML has it, checked; raises ConfigurationError."""
    for key in document:
        if key not in _TOP:
            raise ConfigurationError(f"unknown; known are {', '.join(sorted(_TOP))}", field=key)
    servers = [
        toml.make(ServerConfig, each, f"server {each.get('server_name', place)!r}")
        for place, each in enumerate(toml.tables(document, "servers"), 1)
    ]
    providers: list[JtapiProvider | SkinnyProvider] = []
    for place, each in enumerate(toml.tables(document, "providers"), 1):
        section = f"provider {each.get('name', place)!r}"
        kind = each.get("type")
        if kind == "jtapi":
            providers.append(toml.make(JtapiProvider, each, section))
        elif kind == "skinny":
            providers.append(toml.make(SkinnyProvider, each, section))
        else:
            raise ConfigurationError('must be "jtapi" or "skinny"', section=section, field="type")
    rest: dict[str, Any] = {
        key: document[key] for key in ("store", "capacity_aware") if key in document
    }
    for key, wanted, rule in (("store", str, "text"), ("capacity_aware", bool, "true or false")):
        if key in rest and not isinstance(rest[key], wanted):
            raise ConfigurationError(f"must be {rule}", field=key)
    return Cluster(
        servers=tuple(servers),
        providers=tuple(providers),
        timing=toml.make(Timing, toml.table(document, "timing"), "timing"),
        application=toml.make(
            ApplicationConfig, toml.table(document, "application"), "application"
        ),
        speech=toml.make(SpeechConfig, toml.table(document, "speech"), "speech"),
        file=file,
        **rest,
    )
