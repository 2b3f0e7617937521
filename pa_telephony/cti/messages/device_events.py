"""What happens to devices."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    DeviceEventFilter,
    DeviceInfo,
    DeviceInfoDynamic,
    DeviceInfoStatic,
    DeviceRegistrationInfo,
    DeviceSecurityInfo,
    LineInfo,
    PartyDNInfo,
    RemoteDestinationInfo,
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
    "DeviceCallOpenLogicalChannelEvent",
    "DeviceChangeEventFilterRequest",
    "DeviceChangeEventFilterResponse",
    "DeviceClosedEvent",
    "DeviceDNDOptionChangedEvent",
    "DeviceDNDStatusChangedEvent",
    "DeviceDataPassThroughEvent",
    "DeviceExistingMediaResourceEvent",
    "DeviceExistingMediaResourcesCompletedEvent",
    "DeviceHuntLogStatusChangedEvent",
    "DeviceInServiceEvent",
    "DeviceLineInfoEvent",
    "DeviceMediaConnectionAddedEvent",
    "DeviceMediaConnectionRemovedEvent",
    "DeviceMediaResourceAllocatedEvent",
    "DeviceMediaResourceDeallocatedEvent",
    "DeviceMediaResourceUpdatedEvent",
    "DeviceModeChangedEvent",
    "DeviceOpenMediaPortForCallEvent",
    "DeviceOutOfServiceEvent",
    "DeviceRegisteredEvent",
    "DeviceRegisteredEventWithLineInfo",
    "DeviceSnapshotCompletedEvent",
    "DeviceSnapshotEvent",
    "DeviceSoftKeyPressedEvent",
    "DeviceStateActiveEvent",
    "DeviceStateAlertingEvent",
    "DeviceStateHeldEvent",
    "DeviceStateIdleEvent",
    "DeviceStateWhisperEvent",
    "DeviceUnregisteredEvent",
]


class DeviceRegisteredEvent(CtiMessage, id=15, kind=Kind.EVENT):
    """Event 15, ``DeviceRegisteredEvent``."""

    device_info: Annotated[DeviceInfo, Nested(DeviceInfo)] = DeviceInfo()
    login_allowed: Annotated[bool, Bool()] = False
    login_user_id: Annotated[str, UString()] = ""
    controllable: Annotated[bool, Bool()] = False
    reason: Annotated[enums.DEVICEREGISTEREDREASON, Int()] = enums.DEVICEREGISTEREDREASON.UNKNOWN
    registration_type: Annotated[enums.CTIMEDIAREGISTRATION, Int()] = (
        enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE
    )
    unicode_enabled: Annotated[enums.CTIENCODINGTYPES, Int()] = (
        enums.CTIENCODINGTYPES.CTI_UNKNOWN_ENCODING
    )
    cti_control: Annotated[enums.DEVICECONTROLTYPE, Int()] = (
        enums.DEVICECONTROLTYPE.CtiControl_UNKNOWN
    )
    ip_v4addr: Annotated[int, Int()] = 0
    ip_v6addr: Annotated[bytes, Bytes()] = b""
    active_ip_addr_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    device_user_policy: Annotated[int, Int()] = 0
    device_app_policy: Annotated[int, Int()] = 0
    device_control_flag_bit_mask: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )


class DeviceChangeEventFilterRequest(CtiMessage, id=20, kind=Kind.REQUEST):
    """Request 20, ``DeviceChangeEventFilterRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    filter: Annotated[DeviceEventFilter, Nested(DeviceEventFilter)] = DeviceEventFilter()


class DeviceChangeEventFilterResponse(CtiMessage, id=21, kind=Kind.RESPONSE):
    """Response 21, ``DeviceChangeEventFilterResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceClosedEvent(CtiMessage, id=30, kind=Kind.EVENT):
    """Event 30, ``DeviceClosedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.DEVICECLOSEREASON, Int()] = enums.DEVICECLOSEREASON.UNKNOWN


class DeviceModeChangedEvent(CtiMessage, id=31, kind=Kind.EVENT):
    """Event 31, ``DeviceModeChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    mode: Annotated[enums.DEVICEMODE, Int()] = enums.DEVICEMODE(0)


class DeviceOutOfServiceEvent(CtiMessage, id=111, kind=Kind.EVENT):
    """Event 111, ``DeviceOutOfServiceEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.DEVICEOUTOFSERVICEREASON, Int()] = (
        enums.DEVICEOUTOFSERVICEREASON.UNKNOWN
    )


class DeviceInServiceEvent(CtiMessage, id=112, kind=Kind.EVENT):
    """Event 112, ``DeviceInServiceEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    locale: Annotated[enums.CTIUserLocales, Int()] = enums.CTIUserLocales(0)
    supported_encoding: Annotated[enums.CTIENCODINGTYPES, Int()] = (
        enums.CTIENCODINGTYPES.CTI_UNKNOWN_ENCODING
    )
    alt_script: Annotated[str, String()] = NULL
    dnd_status: Annotated[bool, Bool()] = False
    dnd_option: Annotated[enums.DNDOPTION, Int()] = enums.DNDOPTION.NONE


class DeviceUnregisteredEvent(CtiMessage, id=129, kind=Kind.EVENT):
    """Event 129, ``DeviceUnregisteredEvent``."""

    device_info: Annotated[DeviceInfo, Nested(DeviceInfo)] = DeviceInfo()
    login_user_id: Annotated[str, UString()] = ""
    controllable: Annotated[bool, Bool()] = False
    reason: Annotated[enums.DEVICEUNREGISTEREDREASON, Int()] = (
        enums.DEVICEUNREGISTEREDREASON.UNKNOWN
    )
    device_control_flag_bit_mask: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )


class DeviceSoftKeyPressedEvent(CtiMessage, id=132, kind=Kind.EVENT):
    """Event 132, ``DeviceSoftKeyPressedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    soft_key_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    call_state: Annotated[enums.CALLSTATE, Int()] = enums.CALLSTATE.UNKNOWN
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    original_party: Annotated[str, String()] = NULL
    original_party_name: Annotated[str, String()] = NULL
    last_redirecting_party: Annotated[str, String()] = NULL
    last_redirecting_party_name: Annotated[str, String()] = NULL
    un_modified_calling_party: Annotated[str, String()] = NULL
    un_modified_called_party: Annotated[str, String()] = NULL
    un_modified_original_called_party: Annotated[str, String()] = NULL
    un_modified_last_redirecting_party: Annotated[str, String()] = NULL
    calling_party_pi: Annotated[bool, Bool()] = False
    calling_party_name_pi: Annotated[bool, Bool()] = False
    called_party_pi: Annotated[bool, Bool()] = False
    called_party_name_pi: Annotated[bool, Bool()] = False
    original_called_party_pi: Annotated[bool, Bool()] = False
    original_called_party_name_pi: Annotated[bool, Bool()] = False
    last_redirecting_party_pi: Annotated[bool, Bool()] = False
    last_redirecting_party_name_pi: Annotated[bool, Bool()] = False
    unicode_calling_party_name: Annotated[str, UString()] = ""
    unicode_called_party_name: Annotated[str, UString()] = ""
    unicode_original_called_party_name: Annotated[str, UString()] = ""
    unicodelast_redirecting_party_name: Annotated[str, UString()] = ""
    unicode_calling_party_locale: Annotated[int, Int()] = 0
    unicode_called_party_locale: Annotated[int, Int()] = 0
    unicode_original_called_party_locale: Annotated[int, Int()] = 0
    unicode_last_redirecting_party_locale: Annotated[int, Int()] = 0
    calling_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    called_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    original_called_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    last_redirecting_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    globalized_calling_party: Annotated[str, String()] = NULL


class DeviceDataPassThroughEvent(CtiMessage, id=136, kind=Kind.EVENT):
    """Event 136, ``DeviceDataPassThroughEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    device_data_obj: Annotated[bytes, Bytes()] = b""
    media_resource_id: Annotated[int, Int()] = 0


class DeviceCallOpenLogicalChannelEvent(CtiMessage, id=163, kind=Kind.EVENT):
    """Event 163, ``DeviceCallOpenLogicalChannelEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    milli_second_packet_size: Annotated[int, Int()] = 0
    compression_type: Annotated[enums.MEDIAPAYLOAD, Int()] = enums.MEDIAPAYLOAD(0)
    media_connection_mode: Annotated[enums.CTIMEDIACONNECTIONMODE, Int()] = (
        enums.CTIMEDIACONNECTIONMODE.NONE
    )
    media_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    is_rtp_required: Annotated[bool, Bool()] = False


class DeviceMediaResourceAllocatedEvent(CtiMessage, id=182, kind=Kind.EVENT):
    """Event 182, ``DeviceMediaResourceAllocatedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    media_resource_name: Annotated[str, String()] = NULL
    number_of_ports: Annotated[int, Int()] = 0
    app_data_obj: Annotated[bytes, Bytes()] = b""
    creator_application_id: Annotated[int, Int()] = 0
    creator_provider_id: Annotated[int, Int()] = 0
    media_resource_type: Annotated[enums.MEDIARESOURCETYPE, Int()] = (
        enums.MEDIARESOURCETYPE.CONFERENCE
    )


class DeviceMediaResourceDeallocatedEvent(CtiMessage, id=185, kind=Kind.EVENT):
    """Event 185, ``DeviceMediaResourceDeallocatedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    reason: Annotated[int, Int()] = 0


class DeviceMediaResourceUpdatedEvent(CtiMessage, id=188, kind=Kind.EVENT):
    """Event 188, ``DeviceMediaResourceUpdatedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    number_of_ports: Annotated[int, Int()] = 0
    app_data: Annotated[bytes, Bytes()] = b""
    updater_application_id: Annotated[int, Int()] = 0
    updater_provider_id: Annotated[int, Int()] = 0


class DeviceMediaConnectionAddedEvent(CtiMessage, id=191, kind=Kind.EVENT):
    """Event 191, ``DeviceMediaConnectionAddedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    reason: Annotated[int, Int()] = 0
    connection_ci: Annotated[int, Int()] = 0


class DeviceMediaConnectionRemovedEvent(CtiMessage, id=192, kind=Kind.EVENT):
    """Event 192, ``DeviceMediaConnectionRemovedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    reason: Annotated[int, Int()] = 0
    connection_ci: Annotated[int, Int()] = 0


class DeviceExistingMediaResourceEvent(CtiMessage, id=193, kind=Kind.EVENT):
    """Event 193, ``DeviceExistingMediaResourceEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    media_resource_id: Annotated[int, Int()] = 0
    media_resource_type: Annotated[enums.MEDIARESOURCETYPE, Int()] = (
        enums.MEDIARESOURCETYPE.CONFERENCE
    )
    media_resource_name: Annotated[str, String()] = NULL
    number_of_ports: Annotated[int, Int()] = 0
    app_data: Annotated[bytes, Bytes()] = b""
    creator_application_id: Annotated[int, Int()] = 0
    connection_ci_list: Annotated[tuple[int, ...], Ints()] = ()


class DeviceExistingMediaResourcesCompletedEvent(CtiMessage, id=205, kind=Kind.EVENT):
    """Event 205, ``DeviceExistingMediaResourcesCompletedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceStateIdleEvent(CtiMessage, id=206, kind=Kind.EVENT):
    """Event 206, ``DeviceStateIdleEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceStateHeldEvent(CtiMessage, id=207, kind=Kind.EVENT):
    """Event 207, ``DeviceStateHeldEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceStateAlertingEvent(CtiMessage, id=208, kind=Kind.EVENT):
    """Event 208, ``DeviceStateAlertingEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceStateActiveEvent(CtiMessage, id=209, kind=Kind.EVENT):
    """Event 209, ``DeviceStateActiveEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceSnapshotEvent(CtiMessage, id=219, kind=Kind.EVENT):
    """Event 219, ``DeviceSnapshotEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    security_info: Annotated[tuple[DeviceSecurityInfo, ...], Structs(DeviceSecurityInfo)] = ()


class DeviceSnapshotCompletedEvent(CtiMessage, id=220, kind=Kind.EVENT):
    """Event 220, ``DeviceSnapshotCompletedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceStateWhisperEvent(CtiMessage, id=230, kind=Kind.EVENT):
    """Event 230, ``DeviceStateWhisperEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0


class DeviceDNDStatusChangedEvent(CtiMessage, id=244, kind=Kind.EVENT):
    """Event 244, ``DeviceDNDStatusChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    dnd_status: Annotated[bool, Bool()] = False


class DeviceDNDOptionChangedEvent(CtiMessage, id=246, kind=Kind.EVENT):
    """Event 246, ``DeviceDNDOptionChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    dnd_option: Annotated[enums.DNDOPTION, Int()] = enums.DNDOPTION.NONE


class DeviceOpenMediaPortForCallEvent(CtiMessage, id=276, kind=Kind.EVENT):
    """Event 276, ``DeviceOpenMediaPortForCallEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    media_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4


class DeviceLineInfoEvent(CtiMessage, id=279, kind=Kind.EVENT):
    """Event 279, ``DeviceLineInfoEvent``."""

    request_id: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    device_registration_status: Annotated[enums.DEVICEREGISTRATIONSTATUS, Int()] = (
        enums.DEVICEREGISTRATIONSTATUS.UNKNOWN
    )
    control_mode_bit_map: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )
    event_content: Annotated[enums.DEVICELINEINFOCONTENT, Int()] = enums.DEVICELINEINFOCONTENT.NONE
    event_status_code: Annotated[int, Int()] = 0
    device_info_static: Annotated[DeviceInfoStatic, Nested(DeviceInfoStatic)] = DeviceInfoStatic()
    device_info_dynamic: Annotated[DeviceInfoDynamic, Nested(DeviceInfoDynamic)] = (
        DeviceInfoDynamic()
    )
    device_registration_info: Annotated[DeviceRegistrationInfo, Nested(DeviceRegistrationInfo)] = (
        DeviceRegistrationInfo()
    )
    line_info: Annotated[tuple[LineInfo, ...], Structs(LineInfo)] = ()
    total_lines: Annotated[int, Int()] = 0
    more_lines: Annotated[bool, Bool()] = False
    remote_destinations_info: Annotated[
        tuple[RemoteDestinationInfo, ...], Structs(RemoteDestinationInfo)
    ] = ()


class DeviceRegisteredEventWithLineInfo(CtiMessage, id=280, kind=Kind.EVENT):
    """Event 280, ``DeviceRegisteredEventWithLineInfo``."""

    device_name: Annotated[str, String()] = NULL
    control_mode_bit_map: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )
    register_reason: Annotated[enums.DEVICEREGISTEREDREASON, Int()] = (
        enums.DEVICEREGISTEREDREASON.UNKNOWN
    )
    event_content: Annotated[enums.DEVICELINEINFOCONTENT, Int()] = enums.DEVICELINEINFOCONTENT.NONE
    device_info_dynamic: Annotated[DeviceInfoDynamic, Nested(DeviceInfoDynamic)] = (
        DeviceInfoDynamic()
    )
    device_registration_info: Annotated[DeviceRegistrationInfo, Nested(DeviceRegistrationInfo)] = (
        DeviceRegistrationInfo()
    )
    line_info: Annotated[tuple[LineInfo, ...], Structs(LineInfo)] = ()
    total_lines: Annotated[int, Int()] = 0
    more_lines: Annotated[bool, Bool()] = False
    remote_destinations_info: Annotated[
        tuple[RemoteDestinationInfo, ...], Structs(RemoteDestinationInfo)
    ] = ()
    protocol: Annotated[enums.DEVICEPROTOCOL, Int()] = enums.DEVICEPROTOCOL.NONE


class DeviceHuntLogStatusChangedEvent(CtiMessage, id=313, kind=Kind.EVENT):
    """Event 313, ``DeviceHuntLogStatusChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    hunt_log_status: Annotated[enums.DEVICEHUNTLOGSTATUS, Int()] = (
        enums.DEVICEHUNTLOGSTATUS.NOT_APPLICABLE
    )
