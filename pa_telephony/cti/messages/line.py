"""Requests to lines and their answers."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    CtiCallForwardInformation,
    CtiCallHandle,
    CtiForwardInfo,
    LineEventFilter,
    LineIntercomSpeedDialInfo,
)
from pa_telephony.wire.offset.types import NULL, Bool, Bytes, Int, Nested, String, Structs

__all__ = [
    "LineAutoAcceptChangeRequest",
    "LineAutoAcceptChangeResponse",
    "LineCallInitiateRequest",
    "LineCallInitiateResponse",
    "LineCallMonitorUpdateRequest",
    "LineCallMonitorUpdateResponse",
    "LineCallPickupRequest",
    "LineCallPickupResponse",
    "LineCallStartMonitoringRequest",
    "LineCallStartMonitoringResponse",
    "LineCallUnParkRequest",
    "LineCallUnParkResponse",
    "LineChangeEventFilterRequest",
    "LineChangeEventFilterResponse",
    "LineCloseRequest",
    "LineCloseResponse",
    "LineCreatePersistentConnectionRequest",
    "LineCreatePersistentConnectionResponse",
    "LineDisconnectPersistentConnectionRequest",
    "LineDisconnectPersistentConnectionResponse",
    "LineGetForwardInfoRequest",
    "LineGetForwardInfoResponse",
    "LineGetInfoRequest",
    "LineGetInfoResponse",
    "LineIntercomSpeedDialInfoChangeRequest",
    "LineIntercomSpeedDialInfoChangeResponse",
    "LineOpenRequest",
    "LineOpenResponse",
    "LineSetForwardRequest",
    "LineSetForwardResponse",
    "LineSetMessageWaitingRequest",
    "LineSetMessageWaitingResponse",
    "LineSetRingerStatusRequest",
    "LineSetRingerStatusResponse",
    "LineStartAnnouncementRequest",
    "LineStartAnnouncementResponse",
]


class LineOpenRequest(CtiMessage, id=37, kind=Kind.REQUEST):
    """Request 37, ``LineOpenRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    line_name: Annotated[str, String()] = NULL
    filter: Annotated[LineEventFilter, Nested(LineEventFilter)] = LineEventFilter()
    auto_accept_status: Annotated[enums.LINEAUTOACCEPTSTATUS, Int()] = (
        enums.LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    )
    partition: Annotated[str, String()] = NULL


class LineOpenResponse(CtiMessage, id=38, kind=Kind.RESPONSE):
    """Response 38, ``LineOpenResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    auto_accept_status: Annotated[enums.LINEAUTOACCEPTSTATUS, Int()] = (
        enums.LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    )


class LineChangeEventFilterRequest(CtiMessage, id=39, kind=Kind.REQUEST):
    """Request 39, ``LineChangeEventFilterRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    filter: Annotated[LineEventFilter, Nested(LineEventFilter)] = LineEventFilter()


class LineChangeEventFilterResponse(CtiMessage, id=40, kind=Kind.RESPONSE):
    """Response 40, ``LineChangeEventFilterResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineCloseRequest(CtiMessage, id=41, kind=Kind.REQUEST):
    """Request 41, ``LineCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineCloseResponse(CtiMessage, id=42, kind=Kind.RESPONSE):
    """Response 42, ``LineCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineCallInitiateRequest(CtiMessage, id=43, kind=Kind.REQUEST):
    """Request 43, ``LineCallInitiateRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    dest_address: Annotated[str, String()] = NULL
    user_data: Annotated[bytes, Bytes()] = b""
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    feature_priority: Annotated[enums.FEATUREPRIORITY, Int()] = enums.FEATUREPRIORITY(0)


class LineCallInitiateResponse(CtiMessage, id=44, kind=Kind.RESPONSE):
    """Response 44, ``LineCallInitiateResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class LineGetInfoRequest(CtiMessage, id=45, kind=Kind.REQUEST):
    """Request 45, ``LineGetInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineGetInfoResponse(CtiMessage, id=46, kind=Kind.RESPONSE):
    """Response 46, ``LineGetInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    line_dir: Annotated[str, String()] = NULL
    num_active_calls: Annotated[int, Int()] = 0
    max_active_calls: Annotated[int, Int()] = 0
    num_calls_on_hold: Annotated[int, Int()] = 0
    max_calls_on_hold: Annotated[int, Int()] = 0
    num_hold_pending: Annotated[int, Int()] = 0
    max_hold_pending: Annotated[int, Int()] = 0
    calls: Annotated[tuple[CtiCallHandle, ...], Structs(CtiCallHandle)] = ()
    can_transfer: Annotated[bool, Bool()] = False
    can_blind_transfer: Annotated[bool, Bool()] = False
    can_hold: Annotated[bool, Bool()] = False
    can_park: Annotated[bool, Bool()] = False
    can_conference: Annotated[bool, Bool()] = False
    can_complete_call: Annotated[bool, Bool()] = False
    can_forward: Annotated[bool, Bool()] = False
    message_waiting_lamp_mode: Annotated[enums.LAMPMODE, Int()] = enums.LAMPMODE(0)
    fwd_info: Annotated[tuple[CtiForwardInfo, ...], Structs(CtiForwardInfo)] = ()
    line_partition: Annotated[str, String()] = NULL
    num_parked_calls: Annotated[int, Int()] = 0


class LineSetMessageWaitingRequest(CtiMessage, id=102, kind=Kind.REQUEST):
    """Request 102, ``LineSetMessageWaitingRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    line_name: Annotated[str, String()] = NULL
    lamp_mode: Annotated[enums.LAMPMODE, Int()] = enums.LAMPMODE(0)
    voice_counts: Annotated[bool, Bool()] = False
    total_new_voice_msgs: Annotated[int, Int()] = 0
    total_old_voice_msgs: Annotated[int, Int()] = 0
    high_priority_voice_counts: Annotated[bool, Bool()] = False
    new_high_priority_voice_msgs: Annotated[int, Int()] = 0
    old_high_priority_voice_msgs: Annotated[int, Int()] = 0
    fax_counts: Annotated[bool, Bool()] = False
    tota_new_fax_msgs: Annotated[int, Int()] = 0
    total_old_fax_msgs: Annotated[int, Int()] = 0
    high_priority_fax_counts: Annotated[bool, Bool()] = False
    new_high_priority_fax_msgs: Annotated[int, Int()] = 0
    old_high_priority_fax_msgs: Annotated[int, Int()] = 0


class LineSetMessageWaitingResponse(CtiMessage, id=103, kind=Kind.RESPONSE):
    """Response 103, ``LineSetMessageWaitingResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineSetForwardRequest(CtiMessage, id=121, kind=Kind.REQUEST):
    """Request 121, ``LineSetForwardRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    fwd_destn_info: Annotated[
        tuple[CtiCallForwardInformation, ...], Structs(CtiCallForwardInformation)
    ] = ()


class LineSetForwardResponse(CtiMessage, id=122, kind=Kind.RESPONSE):
    """Response 122, ``LineSetForwardResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineGetForwardInfoRequest(CtiMessage, id=124, kind=Kind.REQUEST):
    """Request 124, ``LineGetForwardInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineGetForwardInfoResponse(CtiMessage, id=125, kind=Kind.RESPONSE):
    """Response 125, ``LineGetForwardInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    cti_fwd_array: Annotated[
        tuple[CtiCallForwardInformation, ...], Structs(CtiCallForwardInformation)
    ] = ()


class LineSetRingerStatusRequest(CtiMessage, id=137, kind=Kind.REQUEST):
    """Request 137, ``LineSetRingerStatusRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    ringer_status: Annotated[enums.RINGERSTATUS, Int()] = enums.RINGERSTATUS.DEFAULT


class LineSetRingerStatusResponse(CtiMessage, id=138, kind=Kind.RESPONSE):
    """Response 138, ``LineSetRingerStatusResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineCallUnParkRequest(CtiMessage, id=143, kind=Kind.REQUEST):
    """Request 143, ``LineCallUnParkRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    parked_at_address: Annotated[str, String()] = NULL


class LineCallUnParkResponse(CtiMessage, id=144, kind=Kind.RESPONSE):
    """Response 144, ``LineCallUnParkResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineAutoAcceptChangeRequest(CtiMessage, id=201, kind=Kind.REQUEST):
    """Request 201, ``LineAutoAcceptChangeRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    auto_accept_status: Annotated[enums.LINEAUTOACCEPTSTATUS, Int()] = (
        enums.LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    )


class LineAutoAcceptChangeResponse(CtiMessage, id=202, kind=Kind.RESPONSE):
    """Response 202, ``LineAutoAcceptChangeResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    auto_accept_status: Annotated[enums.LINEAUTOACCEPTSTATUS, Int()] = (
        enums.LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    )


class LineIntercomSpeedDialInfoChangeRequest(CtiMessage, id=224, kind=Kind.REQUEST):
    """Request 224, ``LineIntercomSpeedDialInfoChangeRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    intercom_info: Annotated[LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)] = (
        LineIntercomSpeedDialInfo()
    )
    b_set_intercom_target: Annotated[bool, Bool()] = False


class LineIntercomSpeedDialInfoChangeResponse(CtiMessage, id=225, kind=Kind.RESPONSE):
    """Response 225, ``LineIntercomSpeedDialInfoChangeResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class LineCallStartMonitoringRequest(CtiMessage, id=231, kind=Kind.REQUEST):
    """Request 231, ``LineCallStartMonitoringRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    target_address: Annotated[str, String()] = NULL
    targetdevice_name: Annotated[str, String()] = NULL
    target_call_id: Annotated[int, Int()] = 0
    monitor_mode: Annotated[enums.MONITORMODE, Int()] = enums.MONITORMODE.NONE
    play_tone_direction: Annotated[int, Int()] = 0


class LineCallStartMonitoringResponse(CtiMessage, id=232, kind=Kind.RESPONSE):
    """Response 232, ``LineCallStartMonitoringResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class LineCallPickupRequest(CtiMessage, id=257, kind=Kind.REQUEST):
    """Request 257, ``LineCallPickupRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    pickup_type: Annotated[enums.PICKUPTYPE, Int()] = enums.PICKUPTYPE.PICKUP_TYPE_NORMAL
    pickup_group_number: Annotated[str, String()] = NULL


class LineCallPickupResponse(CtiMessage, id=258, kind=Kind.RESPONSE):
    """Response 258, ``LineCallPickupResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_handle_call_manager: Annotated[int, Int()] = 0
    global_call_handle_call_id: Annotated[int, Int()] = 0


class LineCallMonitorUpdateRequest(CtiMessage, id=273, kind=Kind.REQUEST):
    """Request 273, ``LineCallMonitorUpdateRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    monitor_mode: Annotated[enums.MONITORMODE, Int()] = enums.MONITORMODE.NONE
    tone_direction: Annotated[enums.TONEDIRECTION, Int()] = enums.TONEDIRECTION.LOCALONLY


class LineCallMonitorUpdateResponse(CtiMessage, id=274, kind=Kind.RESPONSE):
    """Response 274, ``LineCallMonitorUpdateResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class LineCreatePersistentConnectionRequest(CtiMessage, id=297, kind=Kind.REQUEST):
    """Request 297, ``LineCreatePersistentConnectionRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    calling_party_dn: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL


class LineCreatePersistentConnectionResponse(CtiMessage, id=298, kind=Kind.RESPONSE):
    """Response 298, ``LineCreatePersistentConnectionResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class LineDisconnectPersistentConnectionRequest(CtiMessage, id=299, kind=Kind.REQUEST):
    """Request 299, ``LineDisconnectPersistentConnectionRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class LineDisconnectPersistentConnectionResponse(CtiMessage, id=300, kind=Kind.RESPONSE):
    """Response 300, ``LineDisconnectPersistentConnectionResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class LineStartAnnouncementRequest(CtiMessage, id=303, kind=Kind.REQUEST):
    """Request 303, ``LineStartAnnouncementRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    announcement_id: Annotated[str, String()] = NULL


class LineStartAnnouncementResponse(CtiMessage, id=304, kind=Kind.RESPONSE):
    """Response 304, ``LineStartAnnouncementResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
