"""SCCP (Skinny): stations, the server that stations register with, and every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.sccp.connection import Connection as Connection, Role as Role
    from pa_telephony.sccp.server.device import Device as Device, LineAppearance as LineAppearance
    from pa_telephony.sccp.server.registrar import RegistrarConfig as RegistrarConfig
    from pa_telephony.sccp.server.server import (
        Directory as Directory,
        StationSession as StationSession,
        serve_stations as serve_stations,
    )
    from pa_telephony.sccp.station.call import Call as Call
    from pa_telephony.sccp.station.client import (
        Station as Station,
        open_media_port as open_media_port,
        open_station as open_station,
    )
    from pa_telephony.sccp.station.screen import Screen as Screen
    from pa_telephony.sccp.station.style import StationConfig as StationConfig, Style as Style

__all__ = [
    "Call",
    "Connection",
    "Device",
    "Directory",
    "LineAppearance",
    "RegistrarConfig",
    "Role",
    "Screen",
    "Station",
    "StationConfig",
    "StationSession",
    "Style",
    "open_media_port",
    "open_station",
    "serve_stations",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Call": ".station.call",
        "Connection": ".connection",
        "Device": ".server.device",
        "Directory": ".server.session",
        "LineAppearance": ".server.device",
        "RegistrarConfig": ".server.registrar",
        "Role": ".connection",
        "Screen": ".station.screen",
        "Station": ".station.client",
        "StationConfig": ".station.style",
        "StationSession": ".server.session",
        "Style": ".station.style",
        "open_media_port": ".station.client",
        "open_station": ".station.client",
        "serve_stations": ".server.server",
    },
)
