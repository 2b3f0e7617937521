"""A cluster of servers that own a number, its media ports and its interceptors, and stand in.

So far the configuration: :mod:`config` and :mod:`validation` (the fields of the Server
Configuration page), :mod:`patterns`, :mod:`identity`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.failover.config import (
        Cluster,
        JtapiProvider,
        ServerConfig,
        SkinnyProvider,
        Timing,
        load,
    )
    from pa_telephony.failover.identity import Identity, Kind

__all__ = [
    "Cluster",
    "Identity",
    "JtapiProvider",
    "Kind",
    "ServerConfig",
    "SkinnyProvider",
    "Timing",
    "load",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Cluster": ".config",
        "Identity": ".identity",
        "JtapiProvider": ".config",
        "Kind": ".identity",
        "ServerConfig": ".config",
        "SkinnyProvider": ".config",
        "Timing": ".config",
        "load": ".config",
    },
)
