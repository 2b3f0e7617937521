"""What a first registration loads and makes, loaded and made before it is needed.

Modules are imported, and code for messages is made, when they are first used. For a spare that is
the moment of its first takeover, and it would cost the callers some 50 ms.
"""

from __future__ import annotations

import datetime
import importlib

from pa_telephony.sccp.directory import Device, LineAppearance
from pa_telephony.sccp.registrar import Registrar, RegistrarConfig, RegistrationAsked
from pa_telephony.sccp.station import Registered, StationCore
from pa_telephony.sccp.style import StationConfig

__all__ = ["rehearse"]

_NAME = "REHEARSAL"
_CLOCK = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_ROUNDS = 8


def rehearse(config: StationConfig) -> bool:
    """Register a station at a registrar, in memory; True when it went through."""
    for module in ("sccp.client", "cti.client", "cti.route_point", "rtp.sound"):
        importlib.import_module(f"pa_telephony.{module}")
    device = Device(name=_NAME, lines=(LineAppearance(number="0"),))
    station, registrar = StationCore(_NAME, config), Registrar(RegistrarConfig(), 0.0)
    station.connected(0.0)
    registered = False
    for _ in range(_ROUNDS):
        registrar.receive_data(station.data_to_send(), 0.0)
        while (asked := registrar.next_event(_CLOCK)) is not None:
            if isinstance(asked, RegistrationAsked):
                registrar.accept(device)
        station.receive_data(registrar.data_to_send(), 0.0)
        while (event := station.next_event()) is not None:
            registered |= isinstance(event, Registered)
    return registered
