"""Requests to devices and their answers."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    DeviceEventFilter,
    DeviceInfo,
    MediaCapability,
    RTPDestinationV6,
)
from pa_telephony.wire.offset.types import (
    NULL,
    Bool,
    Bytes,
    Int,
    Ints,
    Nested,
    String,
    Structs,
    UString,
)

__all__ = [
    "DeviceAllocateMediaResourceRequest",
    "DeviceAllocateMediaResourceResponse",
    "DeviceChangeRTPDefaultRequest",
    "DeviceChangeRTPDefaultResponse",
    "DeviceCloseRequest",
    "DeviceCloseResponse",
    "DeviceDNDSetRequest",
    "DeviceDNDSetResponse",
    "DeviceDataPassThroughRequest",
    "DeviceDataPassThroughResponse",
    "DeviceDeallocateMediaResourceRequest",
    "DeviceDeallocateMediaResourceResponse",
    "DeviceDisplayStringRequest",
    "DeviceDisplayStringResponse",
    "DeviceExistingMediaResourceRequest",
    "DeviceExistingMediaResourceResponse",
    "DeviceGetConfigInfoRequest",
    "DeviceGetConfigInfoResponse",
    "DeviceGetDNDOptionRequest",
    "DeviceGetDNDOptionResponse",
    "DeviceGetDeviceStateRequest",
    "DeviceGetDeviceStateResponse",
    "DeviceGetLineInfoRequest",
    "DeviceGetLineInfoResponse",
    "DeviceGetSnapShotRequest",
    "DeviceGetSnapShotResponse",
    "DeviceOpenRequest",
    "DeviceOpenResponse",
    "DeviceRegisterDeviceRequest",
    "DeviceRegisterDeviceResponse",
    "DeviceRemoveMediaConnectionRequest",
    "DeviceRemoveMediaConnectionResponse",
    "DeviceSetLampModeRequest",
    "DeviceSetLampModeResponse",
    "DeviceSetRTPForCallRequest",
    "DeviceSetRTPForCallResponse",
    "DeviceUpdateHuntLogStatusRequest",
    "DeviceUpdateHuntLogStatusResponse",
    "DeviceUpdateMediaResourceRequest",
    "DeviceUpdateMediaResourceResponse",
]


class DeviceOpenRequest(CtiMessage, id=16, kind=Kind.REQUEST):
    """Request 16, ``DeviceOpenRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    filter: Annotated[DeviceEventFilter, Nested(DeviceEventFilter)] = DeviceEventFilter()
    softkeys_application_id: Annotated[int, Int()] = 0


class DeviceOpenResponse(CtiMessage, id=17, kind=Kind.RESPONSE):
    """Response 17, ``DeviceOpenResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceRegisterDeviceRequest(CtiMessage, id=18, kind=Kind.REQUEST):
    """Request 18, ``DeviceRegisterDeviceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    ip_addr: Annotated[int, Int()] = 0
    rtp_port_number: Annotated[int, Int()] = 0
    media_specification_timeout: Annotated[int, Int()] = 0
    media_caps: Annotated[tuple[MediaCapability, ...], Structs(MediaCapability)] = ()
    filter: Annotated[DeviceEventFilter, Nested(DeviceEventFilter)] = DeviceEventFilter()
    media_registration_type: Annotated[enums.CTIMEDIAREGISTRATION, Int()] = (
        enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE
    )
    failure_close_delay: Annotated[int, Int()] = 0
    algorithm_i_ds: Annotated[tuple[int, ...], Ints()] = ()
    rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()
    active_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = (
        enums.IPADDRESSINGMODE.IPV4
    )


class DeviceRegisterDeviceResponse(CtiMessage, id=19, kind=Kind.RESPONSE):
    """Response 19, ``DeviceRegisterDeviceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_info: Annotated[DeviceInfo, Nested(DeviceInfo)] = DeviceInfo()


class DeviceCloseRequest(CtiMessage, id=22, kind=Kind.REQUEST):
    """Request 22, ``DeviceCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceCloseResponse(CtiMessage, id=23, kind=Kind.RESPONSE):
    """Response 23, ``DeviceCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetLineInfoRequest(CtiMessage, id=24, kind=Kind.REQUEST):
    """Request 24, ``DeviceGetLineInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class DeviceGetLineInfoResponse(CtiMessage, id=25, kind=Kind.RESPONSE):
    """Response 25, ``DeviceGetLineInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    enumeration_handle: Annotated[int, Int()] = 0


class DeviceDisplayStringRequest(CtiMessage, id=26, kind=Kind.REQUEST):
    """Request 26, ``DeviceDisplayStringRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    display: Annotated[str, String()] = NULL
    display_timeout: Annotated[int, Int()] = 0
    unicode_display: Annotated[str, UString()] = ""


class DeviceDisplayStringResponse(CtiMessage, id=27, kind=Kind.RESPONSE):
    """Response 27, ``DeviceDisplayStringResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceSetLampModeRequest(CtiMessage, id=28, kind=Kind.REQUEST):
    """Request 28, ``DeviceSetLampModeRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    lamp: Annotated[int, Int()] = 0
    instance: Annotated[int, Int()] = 0
    mode: Annotated[enums.LAMPMODE, Int()] = enums.LAMPMODE(0)


class DeviceSetLampModeResponse(CtiMessage, id=29, kind=Kind.RESPONSE):
    """Response 29, ``DeviceSetLampModeResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceDataPassThroughRequest(CtiMessage, id=134, kind=Kind.REQUEST):
    """Request 134, ``DeviceDataPassThroughRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_data_obj: Annotated[bytes, Bytes()] = b""
    media_resource_id: Annotated[int, Int()] = 0
    feature_data_obj: Annotated[bytes, Bytes()] = b""


class DeviceDataPassThroughResponse(CtiMessage, id=135, kind=Kind.RESPONSE):
    """Response 135, ``DeviceDataPassThroughResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_data_obj: Annotated[bytes, Bytes()] = b""


class DeviceChangeRTPDefaultRequest(CtiMessage, id=157, kind=Kind.REQUEST):
    """Request 157, ``DeviceChangeRTPDefaultRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    ip_addr: Annotated[int, Int()] = 0
    rtp_port_number: Annotated[int, Int()] = 0


class DeviceChangeRTPDefaultResponse(CtiMessage, id=158, kind=Kind.RESPONSE):
    """Response 158, ``DeviceChangeRTPDefaultResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceSetRTPForCallRequest(CtiMessage, id=164, kind=Kind.REQUEST):
    """Request 164, ``DeviceSetRTPForCallRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    ip_address: Annotated[int, Int()] = 0
    rtp_port_number: Annotated[int, Int()] = 0
    rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()


class DeviceSetRTPForCallResponse(CtiMessage, id=165, kind=Kind.RESPONSE):
    """Response 165, ``DeviceSetRTPForCallResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceAllocateMediaResourceRequest(CtiMessage, id=180, kind=Kind.REQUEST):
    """Request 180, ``DeviceAllocateMediaResourceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_type: Annotated[enums.MEDIARESOURCETYPE, Int()] = (
        enums.MEDIARESOURCETYPE.CONFERENCE
    )
    media_resource_name: Annotated[str, String()] = NULL
    number_of_ports: Annotated[int, Int()] = 0
    app_data: Annotated[bytes, Bytes()] = b""
    device_data: Annotated[bytes, Bytes()] = b""


class DeviceAllocateMediaResourceResponse(CtiMessage, id=181, kind=Kind.RESPONSE):
    """Response 181, ``DeviceAllocateMediaResourceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    device_data_obj: Annotated[bytes, Bytes()] = b""


class DeviceDeallocateMediaResourceRequest(CtiMessage, id=183, kind=Kind.REQUEST):
    """Request 183, ``DeviceDeallocateMediaResourceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0


class DeviceDeallocateMediaResourceResponse(CtiMessage, id=184, kind=Kind.RESPONSE):
    """Response 184, ``DeviceDeallocateMediaResourceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceUpdateMediaResourceRequest(CtiMessage, id=186, kind=Kind.REQUEST):
    """Request 186, ``DeviceUpdateMediaResourceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    number_of_ports: Annotated[int, Int()] = 0
    app_data: Annotated[bytes, Bytes()] = b""
    device_data: Annotated[bytes, Bytes()] = b""


class DeviceUpdateMediaResourceResponse(CtiMessage, id=187, kind=Kind.RESPONSE):
    """Response 187, ``DeviceUpdateMediaResourceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_data_obj: Annotated[bytes, Bytes()] = b""


class DeviceRemoveMediaConnectionRequest(CtiMessage, id=189, kind=Kind.REQUEST):
    """Request 189, ``DeviceRemoveMediaConnectionRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    connection_ci: Annotated[int, Int()] = 0


class DeviceRemoveMediaConnectionResponse(CtiMessage, id=190, kind=Kind.RESPONSE):
    """Response 190, ``DeviceRemoveMediaConnectionResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetConfigInfoRequest(CtiMessage, id=194, kind=Kind.REQUEST):
    """Request 194, ``DeviceGetConfigInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class DeviceGetConfigInfoResponse(CtiMessage, id=195, kind=Kind.RESPONSE):
    """Response 195, ``DeviceGetConfigInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    device_type: Annotated[enums.DEVICETYPE, Int()] = enums.DEVICETYPE(0)
    configured_ports: Annotated[int, Int()] = 0


class DeviceExistingMediaResourceRequest(CtiMessage, id=198, kind=Kind.REQUEST):
    """Request 198, ``DeviceExistingMediaResourceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    all_resources: Annotated[bool, Bool()] = False
    media_resource_id: Annotated[int, Int()] = 0


class DeviceExistingMediaResourceResponse(CtiMessage, id=199, kind=Kind.RESPONSE):
    """Response 199, ``DeviceExistingMediaResourceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetDeviceStateRequest(CtiMessage, id=210, kind=Kind.REQUEST):
    """Request 210, ``DeviceGetDeviceStateRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetDeviceStateResponse(CtiMessage, id=211, kind=Kind.RESPONSE):
    """Response 211, ``DeviceGetDeviceStateResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_state: Annotated[enums.DEVICESTATE, Int()] = enums.DEVICESTATE.IDLE


class DeviceGetSnapShotRequest(CtiMessage, id=217, kind=Kind.REQUEST):
    """Request 217, ``DeviceGetSnapShotRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetSnapShotResponse(CtiMessage, id=218, kind=Kind.RESPONSE):
    """Response 218, ``DeviceGetSnapShotResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceDNDSetRequest(CtiMessage, id=242, kind=Kind.REQUEST):
    """Request 242, ``DeviceDNDSetRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    dnd_status: Annotated[bool, Bool()] = False


class DeviceDNDSetResponse(CtiMessage, id=243, kind=Kind.RESPONSE):
    """Response 243, ``DeviceDNDSetResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetDNDOptionRequest(CtiMessage, id=247, kind=Kind.REQUEST):
    """Request 247, ``DeviceGetDNDOptionRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceGetDNDOptionResponse(CtiMessage, id=248, kind=Kind.RESPONSE):
    """Response 248, ``DeviceGetDNDOptionResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    dnd_option: Annotated[enums.DNDOPTION, Int()] = enums.DNDOPTION.NONE


class DeviceUpdateHuntLogStatusRequest(CtiMessage, id=314, kind=Kind.REQUEST):
    """Request 314, ``DeviceUpdateHuntLogStatusRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    hunt_log_status: Annotated[enums.DEVICEHUNTLOGSTATUS, Int()] = (
        enums.DEVICEHUNTLOGSTATUS.NOT_APPLICABLE
    )


class DeviceUpdateHuntLogStatusResponse(CtiMessage, id=315, kind=Kind.RESPONSE):
    """Response 315, ``DeviceUpdateHuntLogStatusResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
