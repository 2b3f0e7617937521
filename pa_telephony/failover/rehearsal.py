"""Loads and makes what a first registration needs, before it is needed.

Modules are imported, and code for messages is made, when they are first used. For a spare that is
the moment of its first takeover, and it would cost the callers some 50 ms.
"""

from __future__ import annotations

import datetime
import importlib

from pa_telephony.cti import messages
from pa_telephony.cti.messages import structs
from pa_telephony.sccp import messages as skinny
from pa_telephony.sccp.enums import DeviceStimulus
from pa_telephony.sccp.server.device import Device, LineAppearance
from pa_telephony.sccp.server.registrar import Registrar, RegistrarConfig, RegistrationAsked
from pa_telephony.sccp.station.core import Registered, StationCore
from pa_telephony.sccp.station.style import StationConfig

__all__ = ["rehearse_media_port", "rehearse_route_points"]

_NAME = "REHEARSAL"
_CLOCK = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_ROUNDS = 8
REQUESTS = (
    messages.DeviceRegisterDeviceRequest(
        media_caps=(structs.MediaCapability(),), algorithm_i_ds=(0,)
    ),
    messages.LineOpenRequest(),
    messages.LineCloseRequest(),
    messages.DeviceCloseRequest(),
)
"""The messages that are sent for a route point, from its registration to its end."""
ANSWERS = (
    messages.DeviceRegisterDeviceResponse(),
    messages.DeviceRegisteredEventWithLineInfo(line_info=(structs.LineInfo(),)),
    messages.DeviceInServiceEvent(),
    messages.LineOpenResponse(),
    messages.LineInServiceEvent(),
    messages.LineCloseResponse(),
    messages.DeviceCloseResponse(),
    messages.DeviceUnregisteredEvent(),
)
"""The messages that are received for a route point."""


def rehearse_media_port(config: StationConfig) -> bool:
    """Register a station at a registrar, in memory; True when the registration succeeded."""
    _load("pa_telephony.sccp.station.client", "pa_telephony.rtp.sound")
    device = Device(name=_NAME, lines=(LineAppearance(number="0"),))
    station = StationCore(_NAME, config)
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: _CLOCK)
    station.connected(0.0)
    registered = False
    for _ in range(_ROUNDS):
        registrar.receive_data(station.data_to_send(), 0.0)
        while (asked := registrar.next_event()) is not None:
            if isinstance(asked, RegistrationAsked):
                registrar.accept(device)
                # Further messages that a call manager sends for each line.
                registrar.send(skinny.SetLamp(stimulus=DeviceStimulus.LINE))
        station.receive_data(registrar.data_to_send(), 0.0)
        while (event := station.next_event()) is not None:
            registered |= isinstance(event, Registered)
    return registered


def rehearse_route_points() -> None:
    """Write and read, in memory, the messages of a route point's registration."""
    _load("pa_telephony.cti.client.provider", "pa_telephony.cti.client.route_point")
    for request in REQUESTS:
        messages.encode(request, to_server=True)
    for answer in ANSWERS:
        messages.decode(messages.encode(answer, to_server=False))


def _load(*modules: str) -> None:
    for module in modules:
        importlib.import_module(module)
