"""CTIQBE, the wire under JTAPI: route points for applications, and the CTI Manager's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.cti.client import (
        Provider as Provider,
        ProviderConfig as ProviderConfig,
        open_provider as open_provider,
    )
    from pa_telephony.cti.connection import Connection as Connection, Role as Role
    from pa_telephony.cti.control import CallControl as CallControl
    from pa_telephony.cti.provider_session import CtiManagerConfig as CtiManagerConfig
    from pa_telephony.cti.route_point import (
        RouteFailed as RouteFailed,
        RoutePoint as RoutePoint,
        RouteSession as RouteSession,
    )
    from pa_telephony.cti.server import serve_providers as serve_providers

__all__ = [
    "CallControl",
    "Connection",
    "CtiManagerConfig",
    "Provider",
    "ProviderConfig",
    "Role",
    "RouteFailed",
    "RoutePoint",
    "RouteSession",
    "open_provider",
    "serve_providers",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CallControl": ".control",
        "Connection": ".connection",
        "CtiManagerConfig": ".provider_session",
        "Provider": ".client",
        "ProviderConfig": ".client",
        "Role": ".connection",
        "RouteFailed": ".route_point",
        "RoutePoint": ".route_point",
        "RouteSession": ".route_point",
        "open_provider": ".client",
        "serve_providers": ".server",
    },
)
