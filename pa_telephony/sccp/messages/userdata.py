"""Application data between phone services and applications."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import U32, Data

__all__ = [
    "DeviceToUserData",
    "DeviceToUserDataResponse",
    "DeviceToUserDataResponseVersion1",
    "DeviceToUserDataVersion1",
    "UserToDeviceData",
    "UserToDeviceDataVersion1",
]


class DeviceToUserData(SccpMessage, id=0x002E, sender=Sender.STATION):
    """From the station; no capture."""

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000)] = b""


class DeviceToUserDataResponse(SccpMessage, id=0x002F, sender=Sender.STATION):
    """From the station; no capture."""

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000)] = b""


class DeviceToUserDataVersion1(SccpMessage, id=0x0041, sender=Sender.STATION):
    """From the station; no capture."""

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    sequence_flag: Annotated[enums.SequenceFlag, U32] = enums.SequenceFlag.FIRST
    display_priority: Annotated[int, U32] = 0
    conference_id: Annotated[int, U32] = 0
    app_instance_id: Annotated[int, U32] = 0
    routing_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000, count_before="sequence_flag")] = b""


class DeviceToUserDataResponseVersion1(SccpMessage, id=0x0042, sender=Sender.STATION):
    """From the station; captured, 1 frame.

    Phone answers the CM's getDeviceCaps with application id 27 and the same transaction id;
    xml length in dataLength, no NUL counted.
    """

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    sequence_flag: Annotated[enums.SequenceFlag, U32] = enums.SequenceFlag.FIRST
    display_priority: Annotated[int, U32] = 0
    conference_id: Annotated[int, U32] = 0
    app_instance_id: Annotated[int, U32] = 0
    routing_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000, count_before="sequence_flag")] = b""


class UserToDeviceData(SccpMessage, id=0x011E, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000)] = b""


class UserToDeviceDataVersion1(SccpMessage, id=0x013F, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 3 frames.

    CUCM asks <getDeviceCaps/> right after ButtonTemplateRes time; applicationId =
    transactionId; displayPriority may be stale memory.
    """

    application_id: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transaction_id: Annotated[int, U32] = 0
    sequence_flag: Annotated[enums.SequenceFlag, U32] = enums.SequenceFlag.FIRST
    display_priority: Annotated[int, U32] = 0
    conference_id: Annotated[int, U32] = 0
    app_instance_id: Annotated[int, U32] = 0
    routing_id: Annotated[int, U32] = 0
    xmldata: Annotated[bytes, Data(2000, count_before="sequence_flag")] = b""
