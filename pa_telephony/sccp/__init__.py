"""SCCP (Skinny): stations, the server that stations register with, and every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.sccp.call import Call as Call
    from pa_telephony.sccp.client import (
        Station as Station,
        open_media_port as open_media_port,
        open_station as open_station,
    )
    from pa_telephony.sccp.connection import Connection as Connection, Role as Role
    from pa_telephony.sccp.directory import Device as Device, LineAppearance as LineAppearance
    from pa_telephony.sccp.registrar import RegistrarConfig as RegistrarConfig
    from pa_telephony.sccp.screen import Screen as Screen
    from pa_telephony.sccp.server import (
        Directory as Directory,
        StationSession as StationSession,
        serve_stations as serve_stations,
    )
    from pa_telephony.sccp.style import StationConfig as StationConfig, Style as Style

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
        "Call": ".call",
        "Connection": ".connection",
        "Device": ".directory",
        "Directory": ".server",
        "LineAppearance": ".directory",
        "RegistrarConfig": ".registrar",
        "Role": ".connection",
        "Screen": ".screen",
        "Station": ".client",
        "StationConfig": ".style",
        "StationSession": ".server",
        "Style": ".style",
        "open_media_port": ".client",
        "open_station": ".client",
        "serve_stations": ".server",
    },
)
