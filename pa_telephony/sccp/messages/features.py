"""Everything else a station and a call manager tell each other."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import (
    U32,
    Chars,
    IPv4or6,
    Repeat,
)

__all__ = [
    "AddOnDeviceCapabilities",
    "ClearConference",
    "EnunciatorCommand",
    "LocationInfo",
    "RecordingStatus",
    "StartSessionTransmission",
    "StopSessionTransmission",
    "UpdateDSCP",
]


class ClearConference(SccpMessage, id=0x0032, sender=Sender.STATION):
    """From the station; no capture."""

    conference_id: Annotated[int, U32]
    service_num: Annotated[int, U32] = 0


class StartSessionTransmission(SccpMessage, id=0x0095, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    remote_ip_addr: Annotated[str, IPv4or6()]
    session_type: Annotated[enums.SessionType, U32] = enums.SessionType(0)


class StopSessionTransmission(SccpMessage, id=0x0096, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    remote_ip_addr: Annotated[str, IPv4or6()]
    session_type: Annotated[enums.SessionType, U32] = enums.SessionType(0)


class EnunciatorCommand(SccpMessage, id=0x009C, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""


class UpdateDSCP(SccpMessage, id=0x0150, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    dscp_value: Annotated[int, U32] = 0


class LocationInfo(SccpMessage, id=0x0157, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: the direction: from phones (7925, says chan-sccp), from the call manager in tables.
    """

    location_info: Annotated[str, Chars(2401)]


class AddOnDeviceCapabilities(SccpMessage, id=0x0159, sender=Sender.STATION):
    """From the station; no capture.

    Not captured here; one public dump of a 79xx with side-car has instance 1, type 1,
    maxAllowed 2 and the text at body offset 36, which fits the chan-sccp layout.
    """

    instance: Annotated[int, U32]
    type: Annotated[int, U32] = 0
    max_allowed: Annotated[int, U32] = 0
    unknown: Annotated[tuple[int, ...], Repeat(U32, 6)] = (0,) * 6
    text: Annotated[str, Chars(128)] = ""


class RecordingStatus(SccpMessage, id=0x0160, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    call_reference: Annotated[int, U32]
    recording_status: Annotated[enums.RecordingStatus, U32] = enums.RecordingStatus.OFF
