"""An embedded call manager: dial plan, calls, and the stations that register with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pa_telephony._lazy import lazy_names

if TYPE_CHECKING:
    from pa_telephony.callmanager.calls.verbs import (
        Calls as Calls,
        Cause as Cause,
        DoNotDisturb as DoNotDisturb,
        Forward as Forward,
    )
    from pa_telephony.callmanager.config import (
        CallManagerConfig as CallManagerConfig,
        ControlLimits as ControlLimits,
        DeviceConfig as DeviceConfig,
        DeviceKind as DeviceKind,
        LineConfig as LineConfig,
        SpeedDial as SpeedDial,
        StationLimits as StationLimits,
        Timing as Timing,
        TlsFiles as TlsFiles,
        User as User,
    )
    from pa_telephony.callmanager.config_file import load as load
    from pa_telephony.callmanager.control.client import (
        Control as Control,
        open_control as open_control,
    )
    from pa_telephony.callmanager.control.requests import ControlRefused as ControlRefused
    from pa_telephony.callmanager.control.server import (
        ControlServer as ControlServer,
        offer_control as offer_control,
    )
    from pa_telephony.callmanager.manager import (
        CallManager as CallManager,
        open_call_manager as open_call_manager,
    )

__all__ = [
    "CallManager",
    "CallManagerConfig",
    "Calls",
    "Cause",
    "Control",
    "ControlLimits",
    "ControlRefused",
    "ControlServer",
    "DeviceConfig",
    "DeviceKind",
    "DoNotDisturb",
    "Forward",
    "LineConfig",
    "SpeedDial",
    "StationLimits",
    "Timing",
    "TlsFiles",
    "User",
    "load",
    "offer_control",
    "open_call_manager",
    "open_control",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CallManager": ".manager",
        "CallManagerConfig": ".config",
        "Calls": ".calls.verbs",
        "Cause": ".calls.verbs",
        "Control": ".control.client",
        "ControlLimits": ".config",
        "ControlRefused": ".control.requests",
        "ControlServer": ".control.server",
        "DeviceConfig": ".config",
        "DeviceKind": ".config",
        "DoNotDisturb": ".calls.verbs",
        "Forward": ".calls.verbs",
        "LineConfig": ".config",
        "SpeedDial": ".config",
        "StationLimits": ".config",
        "Timing": ".config",
        "TlsFiles": ".config",
        "User": ".config",
        "load": ".config_file",
        "offer_control": ".control.server",
        "open_call_manager": ".manager",
        "open_control": ".control.client",
    },
)
