"""Login, enumeration and what concerns the whole provider."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    DeviceConfigChange,
    DeviceConfigInfoV2,
    DeviceInfo,
    PartyDNInfo,
    PartyInfo,
    ProviderCapabilitiesInfo,
    ProviderEventFilter,
    RedirectPartyInfo,
)
from pa_telephony.wire.offset.types import NULL, Bool, Bytes, Int, Nested, String, Structs, UString

__all__ = [
    "ProviderAllocateGlobalCallHandleRequest",
    "ProviderAllocateGlobalCallHandleResponse",
    "ProviderCallParkDNChangedEvent",
    "ProviderCallPickupAlertEvent",
    "ProviderChangeEventFilterRequest",
    "ProviderChangeEventFilterResponse",
    "ProviderCloseRequest",
    "ProviderCloseResponse",
    "ProviderClosedEvent",
    "ProviderDeviceAcquireRequest",
    "ProviderDeviceAcquireResponse",
    "ProviderDeviceAddRemoteDestinationRequest",
    "ProviderDeviceAddRemoteDestinationResponse",
    "ProviderDeviceConfigurationChangedEvent",
    "ProviderDeviceConfigurationChangedEventV2",
    "ProviderDeviceDeAcquireRequest",
    "ProviderDeviceDeAcquireResponse",
    "ProviderDeviceDeAcquiredEvent",
    "ProviderDeviceEMLoginStatusChangedEvent",
    "ProviderDeviceIPAddressChangedEvent",
    "ProviderDeviceLineAssociatedInfoEvent",
    "ProviderDeviceMultiMediaCapabilityChangedEvent",
    "ProviderDeviceRemoveRemoteDestinationRequest",
    "ProviderDeviceRemoveRemoteDestinationResponse",
    "ProviderDeviceUpdateRemoteDestinationRequest",
    "ProviderDeviceUpdateRemoteDestinationResponse",
    "ProviderFeatureActivatedEvent",
    "ProviderFeatureActivationUnRegisteredEvent",
    "ProviderGetAllDevicesAndLinesCompletedEvent",
    "ProviderGetAllDevicesAndLinesRequest",
    "ProviderGetAllDevicesAndLinesResponse",
    "ProviderGetCapabilitiesRequest",
    "ProviderGetCapabilitiesResponse",
    "ProviderGetDeviceInfoRequest",
    "ProviderGetDeviceInfoResponse",
    "ProviderGetMonitorDNInfoRequest",
    "ProviderGetMonitorDNInfoResponse",
    "ProviderGetSingleDeviceAndLinesCompletedEvent",
    "ProviderGetSingleDeviceAndLinesRequest",
    "ProviderGetSingleDeviceAndLinesResponse",
    "ProviderInitRequest",
    "ProviderInitResponse",
    "ProviderOpenCompletedEvent",
    "ProviderOpenRequest",
    "ProviderOpenResponse",
    "ProviderPickupNotificationRegisterRequest",
    "ProviderPickupNotificationRegisterResponse",
    "ProviderPickupNotificationRegistrationClosedEvent",
    "ProviderPickupNotificationUnregisterRequest",
    "ProviderPickupNotificationUnregisterResponse",
    "ProviderRegisterFeatureActivationRequest",
    "ProviderRegisterFeatureActivationResponse",
    "ProviderUserChangedEvent",
]


class ProviderOpenRequest(CtiMessage, id=3, kind=Kind.REQUEST):
    """Request 3, ``ProviderOpenRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    provider: Annotated[str, String()] = NULL
    qbe_client_version: Annotated[str, String()] = NULL
    login: Annotated[str, UString()] = ""
    password: Annotated[bytes, Bytes()] = b""
    filter: Annotated[ProviderEventFilter, Nested(ProviderEventFilter)] = ProviderEventFilter()
    application_id: Annotated[str, String()] = NULL
    desired_server_heartbeat_time: Annotated[int, Int()] = 0
    request_timer: Annotated[int, Int()] = 0
    cm_assigned_application_id: Annotated[int, Int()] = 0
    plugin_name: Annotated[str, String()] = NULL
    application_priority: Annotated[enums.APPLICATIONPRIORITY, Int()] = enums.APPLICATIONPRIORITY(0)
    light_weight_open: Annotated[bool, Bool()] = False
    ssoticket: Annotated[str, String()] = NULL
    authetication_type: Annotated[enums.CTIAUTHENTICATIONTYPE, Int()] = (
        enums.CTIAUTHENTICATIONTYPE.AUTHTYPE_USERNAME
    )
    request_old_device_line_fetch: Annotated[bool, Bool()] = False
    encrypted_key_data: Annotated[bytes, Bytes()] = b""
    encrypted_single_sign_on_data: Annotated[bytes, Bytes()] = b""


class ProviderOpenResponse(CtiMessage, id=4, kind=Kind.RESPONSE):
    """Response 4, ``ProviderOpenResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    provider_info_string: Annotated[str, String()] = NULL
    client_heartbeat: Annotated[int, Int()] = 0
    server_heartbeat: Annotated[int, Int()] = 0
    request_timer: Annotated[int, Int()] = 0
    plugin_version: Annotated[str, String()] = NULL
    plugin_location: Annotated[str, String()] = NULL
    provider_id: Annotated[int, Int()] = 0
    fips_compliant: Annotated[bool, Bool()] = False


class ProviderChangeEventFilterRequest(CtiMessage, id=5, kind=Kind.REQUEST):
    """Request 5, ``ProviderChangeEventFilterRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    filter: Annotated[ProviderEventFilter, Nested(ProviderEventFilter)] = ProviderEventFilter()


class ProviderChangeEventFilterResponse(CtiMessage, id=6, kind=Kind.RESPONSE):
    """Response 6, ``ProviderChangeEventFilterResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderCloseRequest(CtiMessage, id=9, kind=Kind.REQUEST):
    """Request 9, ``ProviderCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0


class ProviderCloseResponse(CtiMessage, id=10, kind=Kind.RESPONSE):
    """Response 10, ``ProviderCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderAllocateGlobalCallHandleRequest(CtiMessage, id=11, kind=Kind.REQUEST):
    """Request 11, ``ProviderAllocateGlobalCallHandleRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    call_type: Annotated[enums.CTIFEATURECALLTYPE, Int()] = enums.CTIFEATURECALLTYPE.NoFeatureCall


class ProviderAllocateGlobalCallHandleResponse(CtiMessage, id=12, kind=Kind.RESPONSE):
    """Response 12, ``ProviderAllocateGlobalCallHandleResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0


class ProviderGetDeviceInfoRequest(CtiMessage, id=13, kind=Kind.REQUEST):
    """Request 13, ``ProviderGetDeviceInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_group: Annotated[enums.DEVICEGROUP, Int()] = enums.DEVICEGROUP(0)


class ProviderGetDeviceInfoResponse(CtiMessage, id=14, kind=Kind.RESPONSE):
    """Response 14, ``ProviderGetDeviceInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    enumeration_handle: Annotated[int, Int()] = 0


class ProviderUserChangedEvent(CtiMessage, id=115, kind=Kind.EVENT):
    """Event 115, ``ProviderUserChangedEvent``."""

    type_of_notification: Annotated[enums.PROVIDERUSERNOTIFYTYPE, Int()] = (
        enums.PROVIDERUSERNOTIFYTYPE.NONE
    )
    device_info: Annotated[DeviceInfo, Nested(DeviceInfo)] = DeviceInfo()
    provider_capabilities_info: Annotated[
        ProviderCapabilitiesInfo, Nested(ProviderCapabilitiesInfo)
    ] = ProviderCapabilitiesInfo()
    device_control_flag_bit_mask: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )


class ProviderOpenCompletedEvent(CtiMessage, id=126, kind=Kind.EVENT):
    """Event 126, ``ProviderOpenCompletedEvent``."""

    reason: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    sequence_number: Annotated[int, Int()] = 0
    provider_info_string: Annotated[str, String()] = NULL
    client_heartbeat: Annotated[int, Int()] = 0
    server_heartbeat: Annotated[int, Int()] = 0
    failure_description: Annotated[str, String()] = NULL
    b_monitor_call_park_d_ns: Annotated[bool, Bool()] = False
    provider_id: Annotated[int, Int()] = 0
    precedence_value: Annotated[int, Int()] = 0
    can_support_i_pv6: Annotated[bool, Bool()] = False
    login_user_name: Annotated[str, UString()] = ""
    days_until_password_expiry: Annotated[int, Int()] = 0
    total_controllable_devices: Annotated[int, Int()] = 0
    cluster_id: Annotated[str, String()] = NULL


class ProviderGetCapabilitiesRequest(CtiMessage, id=127, kind=Kind.REQUEST):
    """Request 127, ``ProviderGetCapabilitiesRequest``."""

    sequence_number: Annotated[int, Int()] = 0


class ProviderGetCapabilitiesResponse(CtiMessage, id=128, kind=Kind.RESPONSE):
    """Response 128, ``ProviderGetCapabilitiesResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    provider_capabilities_info: Annotated[
        ProviderCapabilitiesInfo, Nested(ProviderCapabilitiesInfo)
    ] = ProviderCapabilitiesInfo()


class ProviderFeatureActivatedEvent(CtiMessage, id=133, kind=Kind.EVENT):
    """Event 133, ``ProviderFeatureActivatedEvent``."""

    feature_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL
    call_state: Annotated[enums.CALLSTATE, Int()] = enums.CALLSTATE.UNKNOWN
    dialed_digits: Annotated[str, String()] = NULL
    feature_activating_call_manager_id: Annotated[int, Int()] = 0
    feature_activating_call_id: Annotated[int, Int()] = 0
    calling_party_info: Annotated[PartyInfo, Nested(PartyInfo)] = PartyInfo()
    called_party_info: Annotated[PartyInfo, Nested(PartyInfo)] = PartyInfo()
    redirect_party_info: Annotated[RedirectPartyInfo, Nested(RedirectPartyInfo)] = (
        RedirectPartyInfo()
    )
    globalized_calling_party: Annotated[str, String()] = NULL


class ProviderGetMonitorDNInfoRequest(CtiMessage, id=145, kind=Kind.REQUEST):
    """Request 145, ``ProviderGetMonitorDNInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    dn_type: Annotated[int, Int()] = 0


class ProviderGetMonitorDNInfoResponse(CtiMessage, id=146, kind=Kind.RESPONSE):
    """Response 146, ``ProviderGetMonitorDNInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    monitor_d_nenumeration_handle: Annotated[int, Int()] = 0


class ProviderCallParkDNChangedEvent(CtiMessage, id=151, kind=Kind.EVENT):
    """Event 151, ``ProviderCallParkDNChangedEvent``."""


class ProviderRegisterFeatureActivationRequest(CtiMessage, id=152, kind=Kind.REQUEST):
    """Request 152, ``ProviderRegisterFeatureActivationRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    feature_id: Annotated[int, Int()] = 0


class ProviderRegisterFeatureActivationResponse(CtiMessage, id=153, kind=Kind.RESPONSE):
    """Response 153, ``ProviderRegisterFeatureActivationResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderFeatureActivationUnRegisteredEvent(CtiMessage, id=154, kind=Kind.EVENT):
    """Event 154, ``ProviderFeatureActivationUnRegisteredEvent``."""

    feature_id: Annotated[int, Int()] = 0
    reason: Annotated[int, Int()] = 0


class ProviderClosedEvent(CtiMessage, id=155, kind=Kind.EVENT):
    """Event 155, ``ProviderClosedEvent``."""

    reason: Annotated[enums.PROVIDERCLOSEREASON, Int()] = enums.PROVIDERCLOSEREASON.REASON_NONE


class ProviderDeviceAcquireRequest(CtiMessage, id=212, kind=Kind.REQUEST):
    """Request 212, ``ProviderDeviceAcquireRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class ProviderDeviceAcquireResponse(CtiMessage, id=213, kind=Kind.RESPONSE):
    """Response 213, ``ProviderDeviceAcquireResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceDeAcquireRequest(CtiMessage, id=214, kind=Kind.REQUEST):
    """Request 214, ``ProviderDeviceDeAcquireRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class ProviderDeviceDeAcquireResponse(CtiMessage, id=215, kind=Kind.RESPONSE):
    """Response 215, ``ProviderDeviceDeAcquireResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceDeAcquiredEvent(CtiMessage, id=216, kind=Kind.EVENT):
    """Event 216, ``ProviderDeviceDeAcquiredEvent``."""

    device_name: Annotated[str, String()] = NULL
    reason: Annotated[enums.DEVICEDEACQUIREREASON, Int()] = enums.DEVICEDEACQUIREREASON.UNKNOWN


class ProviderDeviceConfigurationChangedEvent(CtiMessage, id=250, kind=Kind.EVENT):
    """Event 250, ``ProviderDeviceConfigurationChangedEvent``."""

    device_config_change: Annotated[
        tuple[DeviceConfigChange, ...], Structs(DeviceConfigChange)
    ] = ()


class ProviderDeviceLineAssociatedInfoEvent(CtiMessage, id=256, kind=Kind.EVENT):
    """Event 256, ``ProviderDeviceLineAssociatedInfoEvent``."""

    device_name: Annotated[str, String()] = NULL
    line_dn: Annotated[str, String()] = NULL
    line_d_partition: Annotated[str, String()] = NULL
    voice_mail_pilot: Annotated[str, String()] = NULL


class ProviderPickupNotificationRegisterRequest(CtiMessage, id=259, kind=Kind.REQUEST):
    """Request 259, ``ProviderPickupNotificationRegisterRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    pickup_group_number: Annotated[str, String()] = NULL
    pickup_group_partition: Annotated[str, String()] = NULL


class ProviderPickupNotificationRegisterResponse(CtiMessage, id=260, kind=Kind.RESPONSE):
    """Response 260, ``ProviderPickupNotificationRegisterResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderPickupNotificationUnregisterRequest(CtiMessage, id=261, kind=Kind.REQUEST):
    """Request 261, ``ProviderPickupNotificationUnregisterRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    pickup_group_number: Annotated[str, String()] = NULL
    pickup_group_partition: Annotated[str, String()] = NULL


class ProviderPickupNotificationUnregisterResponse(CtiMessage, id=262, kind=Kind.RESPONSE):
    """Response 262, ``ProviderPickupNotificationUnregisterResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderPickupNotificationRegistrationClosedEvent(CtiMessage, id=263, kind=Kind.EVENT):
    """Event 263, ``ProviderPickupNotificationRegistrationClosedEvent``."""

    reason: Annotated[int, Int()] = 0
    pickup_group_number: Annotated[str, String()] = NULL
    pickup_group_partition: Annotated[str, String()] = NULL


class ProviderCallPickupAlertEvent(CtiMessage, id=264, kind=Kind.EVENT):
    """Event 264, ``ProviderCallPickupAlertEvent``."""

    transaction_id: Annotated[int, Int()] = 0
    pickup_group_number: Annotated[str, String()] = NULL
    pickup_group_partition: Annotated[str, String()] = NULL
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    calling_party: Annotated[str, String()] = NULL
    unmodified_calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    calling_party_unicode_display_name: Annotated[str, UString()] = ""
    calling_party_pi: Annotated[bool, Bool()] = False
    calling_party_name_pi: Annotated[bool, Bool()] = False
    calling_party_locale: Annotated[int, Int()] = 0
    calling_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    called_party: Annotated[str, String()] = NULL
    unmodified_called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    called_party_unicode_display_name: Annotated[str, UString()] = ""
    called_party_pi: Annotated[bool, Bool()] = False
    called_party_name_pi: Annotated[bool, Bool()] = False
    called_party_locale: Annotated[int, Int()] = 0
    called_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    far_endpoint_type: Annotated[enums.DESTINATIONTYPE, Int()] = enums.DESTINATIONTYPE.UNKNOWN


class ProviderGetAllDevicesAndLinesRequest(CtiMessage, id=282, kind=Kind.REQUEST):
    """Request 282, ``ProviderGetAllDevicesAndLinesRequest``."""

    sequence_number: Annotated[int, Int()] = 0


class ProviderGetAllDevicesAndLinesResponse(CtiMessage, id=283, kind=Kind.RESPONSE):
    """Response 283, ``ProviderGetAllDevicesAndLinesResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderGetAllDevicesAndLinesCompletedEvent(CtiMessage, id=284, kind=Kind.EVENT):
    """Event 284, ``ProviderGetAllDevicesAndLinesCompletedEvent``."""

    request_id: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderGetSingleDeviceAndLinesRequest(CtiMessage, id=285, kind=Kind.REQUEST):
    """Request 285, ``ProviderGetSingleDeviceAndLinesRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class ProviderGetSingleDeviceAndLinesResponse(CtiMessage, id=286, kind=Kind.RESPONSE):
    """Response 286, ``ProviderGetSingleDeviceAndLinesResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderGetSingleDeviceAndLinesCompletedEvent(CtiMessage, id=287, kind=Kind.EVENT):
    """Event 287, ``ProviderGetSingleDeviceAndLinesCompletedEvent``."""

    request_id: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceUpdateRemoteDestinationRequest(CtiMessage, id=288, kind=Kind.REQUEST):
    """Request 288, ``ProviderDeviceUpdateRemoteDestinationRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    cti_remote_device_name: Annotated[str, String()] = NULL
    remote_destination_number: Annotated[str, String()] = NULL
    remote_destination_name: Annotated[str, UString()] = ""
    new_remote_destination_number: Annotated[str, String()] = NULL
    is_active_rd: Annotated[bool, Bool()] = False


class ProviderDeviceUpdateRemoteDestinationResponse(CtiMessage, id=289, kind=Kind.RESPONSE):
    """Response 289, ``ProviderDeviceUpdateRemoteDestinationResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceAddRemoteDestinationRequest(CtiMessage, id=290, kind=Kind.REQUEST):
    """Request 290, ``ProviderDeviceAddRemoteDestinationRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    cti_remote_device_name: Annotated[str, String()] = NULL
    remote_destination_number: Annotated[str, String()] = NULL
    remote_destination_name: Annotated[str, UString()] = ""
    is_active_rd: Annotated[bool, Bool()] = False


class ProviderDeviceAddRemoteDestinationResponse(CtiMessage, id=291, kind=Kind.RESPONSE):
    """Response 291, ``ProviderDeviceAddRemoteDestinationResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceRemoveRemoteDestinationRequest(CtiMessage, id=292, kind=Kind.REQUEST):
    """Request 292, ``ProviderDeviceRemoveRemoteDestinationRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    cti_remote_device_name: Annotated[str, String()] = NULL
    remote_destination_number: Annotated[str, String()] = NULL


class ProviderDeviceRemoveRemoteDestinationResponse(CtiMessage, id=293, kind=Kind.RESPONSE):
    """Response 293, ``ProviderDeviceRemoveRemoteDestinationResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class ProviderDeviceConfigurationChangedEventV2(CtiMessage, id=294, kind=Kind.EVENT):
    """Event 294, ``ProviderDeviceConfigurationChangedEvent_V2``."""

    device_name: Annotated[str, String()] = NULL
    device_config_info_v2: Annotated[DeviceConfigInfoV2, Nested(DeviceConfigInfoV2)] = (
        DeviceConfigInfoV2()
    )


class ProviderDeviceIPAddressChangedEvent(CtiMessage, id=295, kind=Kind.EVENT):
    """Event 295, ``ProviderDeviceIPAddressChangedEvent``."""

    device_name: Annotated[str, String()] = NULL
    active_ip_addr_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    ip_v4_addr: Annotated[int, Int()] = 0
    ip_v6_addr: Annotated[bytes, Bytes()] = b""


class ProviderDeviceEMLoginStatusChangedEvent(CtiMessage, id=296, kind=Kind.EVENT):
    """Event 296, ``ProviderDeviceEMLoginStatusChangedEvent``."""

    device_name: Annotated[str, String()] = NULL
    em_status: Annotated[enums.EMSTATUS, Int()] = enums.EMSTATUS.UNKNOWN


class ProviderDeviceMultiMediaCapabilityChangedEvent(CtiMessage, id=301, kind=Kind.EVENT):
    """Event 301, ``ProviderDeviceMultiMediaCapabilityChangedEvent``."""

    device_name: Annotated[str, String()] = NULL
    video_capability: Annotated[enums.DEVICEVIDEOCAPABILITYBITMASK, Int()] = (
        enums.DEVICEVIDEOCAPABILITYBITMASK.NONE
    )


class ProviderInitRequest(CtiMessage, id=310, kind=Kind.REQUEST):
    """Request 310, ``ProviderInitRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    provider: Annotated[str, String()] = NULL
    qbe_client_verion: Annotated[str, String()] = NULL
    application_id: Annotated[str, String()] = NULL
    plugin_name: Annotated[str, String()] = NULL


class ProviderInitResponse(CtiMessage, id=311, kind=Kind.RESPONSE):
    """Response 311, ``ProviderInitResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    provider_info: Annotated[str, String()] = NULL
    plugin_version: Annotated[str, String()] = NULL
    plugin_location: Annotated[str, String()] = NULL
    provider_id: Annotated[int, Int()] = 0
    nonce: Annotated[str, String()] = NULL
    certificate: Annotated[bytes, Bytes()] = b""
