"""Structs inside messages."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.offset.types import NULL, Bool, Bytes, Int, Nested, String, Structs, UString

__all__ = [
    "CtiCallForwardInformation",
    "CtiCallHandle",
    "CtiForwardInfo",
    "CtiGlobalCallHandle",
    "DNInfo",
    "DeviceConfigChange",
    "DeviceConfigInfo",
    "DeviceConfigInfoV2",
    "DeviceEventFilter",
    "DeviceInfo",
    "DeviceInfoDynamic",
    "DeviceInfoStatic",
    "DeviceMultiMediaCapability",
    "DeviceRegistrationInfo",
    "DeviceSecurityInfo",
    "LineEventFilter",
    "LineInfo",
    "LineIntercomSpeedDialInfo",
    "MediaCapability",
    "MediaEncryptionKeyInfo",
    "MultiForkingRecorderInfo",
    "MultiMediaEncryptionKeyInfo",
    "ParticipantInfo",
    "PartyDNInfo",
    "PartyDNInfoV2",
    "PartyInfo",
    "ProviderCapabilitiesInfo",
    "ProviderEventFilter",
    "RTPDestinationV6",
    "RedirectPartyInfo",
    "RemoteDestinationInfo",
    "SIPUrl",
    "VideoStreamInfo",
]


class CtiCallForwardInformation(Struct):
    """``CtiCallForwardInformation``, 12 bytes in the fixed part."""

    cfwd_type: Annotated[enums.CCNCallForwardInformation, Int()] = (
        enums.CCNCallForwardInformation.FORWARD_ALL_OFF
    )
    call_fwd_destination: Annotated[str, String()] = NULL


class CtiCallHandle(Struct):
    """``CtiCallHandle``, 8 bytes in the fixed part."""

    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CtiForwardInfo(Struct):
    """``CtiForwardInfo``, 12 bytes in the fixed part."""

    fwd_type: Annotated[int, Int()] = 0
    fwd_destination: Annotated[str, String()] = NULL


class CtiGlobalCallHandle(Struct):
    """``CtiGlobalCallHandle``, 8 bytes in the fixed part."""

    call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0


class DNInfo(Struct):
    """``DNInfo``, 20 bytes in the fixed part."""

    name: Annotated[str, String()] = NULL
    permanent_line_id: Annotated[int, Int()] = 0
    partition: Annotated[str, String()] = NULL


class DeviceConfigInfo(Struct):
    """``DeviceConfigInfo``, 4 bytes in the fixed part."""

    ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4


class DeviceConfigChange(Struct):
    """``DeviceConfigChange``, 20 bytes in the fixed part."""

    device_name: Annotated[str, String()] = NULL
    device_config_info: Annotated[DeviceConfigInfo, Nested(DeviceConfigInfo)] = DeviceConfigInfo()


class RemoteDestinationInfo(Struct):
    """``RemoteDestinationInfo``, 28 bytes in the fixed part."""

    remote_destination_name: Annotated[str, UString()] = ""
    remote_destination_number: Annotated[str, String()] = NULL
    is_active_rd: Annotated[bool, Bool()] = False


class DeviceConfigInfoV2(Struct):
    """``DeviceConfigInfo_V2``, 24 bytes in the fixed part."""

    device_config_change_bit_map: Annotated[int, Int()] = 0
    remote_destinations_info: Annotated[
        tuple[RemoteDestinationInfo, ...], Structs(RemoteDestinationInfo)
    ] = ()
    is_my_app_last_to_set_active_rd: Annotated[bool, Bool()] = False


class DeviceEventFilter(Struct):
    """``DeviceEventFilter``, 132 bytes in the fixed part."""

    device_mode_changed: Annotated[bool, Bool()] = False
    key_pressed: Annotated[bool, Bool()] = False
    feature_button_pressed: Annotated[bool, Bool()] = False
    lamp_mode_changed: Annotated[bool, Bool()] = False
    ring_mode_changed: Annotated[bool, Bool()] = False
    display_changed: Annotated[bool, Bool()] = False
    start_transmission: Annotated[bool, Bool()] = False
    stop_transmission: Annotated[bool, Bool()] = False
    start_reception: Annotated[bool, Bool()] = False
    stop_reception: Annotated[bool, Bool()] = False
    soft_key_pressed: Annotated[bool, Bool()] = False
    open_logical_channel: Annotated[bool, Bool()] = False
    device_data: Annotated[bool, Bool()] = False
    media_resource_allocated: Annotated[bool, Bool()] = False
    media_resource_deallocated: Annotated[bool, Bool()] = False
    media_resource_updated: Annotated[bool, Bool()] = False
    media_connection_added: Annotated[bool, Bool()] = False
    media_connection_removed: Annotated[bool, Bool()] = False
    media_resource_existing: Annotated[bool, Bool()] = False
    existing_media_resources_completed: Annotated[bool, Bool()] = False
    snapshot: Annotated[bool, Bool()] = False
    reception_key: Annotated[bool, Bool()] = False
    transmission_key: Annotated[bool, Bool()] = False
    device_idle_state: Annotated[bool, Bool()] = False
    device_active_state: Annotated[bool, Bool()] = False
    device_alerting_state: Annotated[bool, Bool()] = False
    device_hold_state: Annotated[bool, Bool()] = False
    device_whisper_state: Annotated[bool, Bool()] = False
    b_dnd_changed: Annotated[bool, Bool()] = False
    b_dnd_option_changed: Annotated[bool, Bool()] = False
    b_open_media_ip_port_event: Annotated[bool, Bool()] = False
    b_multi_media_streams_info: Annotated[bool, Bool()] = False
    b_hunt_log_status_changed: Annotated[bool, Bool()] = False


class DeviceInfo(Struct):
    """``DeviceInfo``, 72 bytes in the fixed part."""

    name: Annotated[str, String()] = NULL
    type: Annotated[enums.DEVICETYPE, Int()] = enums.DEVICETYPE(0)
    allows_registration: Annotated[bool, Bool()] = False
    device_id: Annotated[int, Int()] = 0
    locale: Annotated[enums.CTIUserLocales, Int()] = enums.CTIUserLocales(0)
    protocol: Annotated[enums.DEVICEPROTOCOL, Int()] = enums.DEVICEPROTOCOL.NONE
    is_restricted: Annotated[bool, Bool()] = False
    alt_script: Annotated[str, String()] = NULL
    dev_type_name: Annotated[str, String()] = NULL
    dnd_option: Annotated[enums.DNDOPTION, Int()] = enums.DNDOPTION.NONE
    role_over_mode: Annotated[enums.DEVICECALLROLEOVERMODE, Int()] = (
        enums.DEVICECALLROLEOVERMODE.NOROLEOVER
    )
    is_bib_enabled: Annotated[bool, Bool()] = False
    ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    supports_feature: Annotated[enums.DEVICESUPPORTSFEATUREBITMASK, Int()] = (
        enums.DEVICESUPPORTSFEATUREBITMASK.NONE
    )
    is_visiting_device: Annotated[bool, Bool()] = False


class DeviceInfoDynamic(Struct):
    """``DeviceInfoDynamic``, 36 bytes in the fixed part."""

    locale: Annotated[enums.CTIUserLocales, Int()] = enums.CTIUserLocales(0)
    alt_script: Annotated[str, String()] = NULL
    dnd_option: Annotated[enums.DNDOPTION, Int()] = enums.DNDOPTION.NONE
    configured_ip_addr_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    em_login_allowed: Annotated[bool, Bool()] = False
    device_restricted: Annotated[bool, Bool()] = False
    outbound_call_roll_over_mode: Annotated[enums.DEVICECALLROLEOVERMODE, Int()] = (
        enums.DEVICECALLROLEOVERMODE.NOROLEOVER
    )
    bib_enabled: Annotated[bool, Bool()] = False


class DeviceInfoStatic(Struct):
    """``DeviceInfoStatic``, 28 bytes in the fixed part."""

    device_type: Annotated[enums.DEVICETYPE, Int()] = enums.DEVICETYPE(0)
    device_type_name: Annotated[str, String()] = NULL
    device_id: Annotated[int, Int()] = 0
    protocol: Annotated[enums.DEVICEPROTOCOL, Int()] = enums.DEVICEPROTOCOL.NONE
    special_device_capabilities: Annotated[enums.DEVICESUPPORTSFEATUREBITMASK, Int()] = (
        enums.DEVICESUPPORTSFEATUREBITMASK.NONE
    )
    visiting_device: Annotated[bool, Bool()] = False


class DeviceMultiMediaCapability(Struct):
    """``DeviceMultiMediaCapability``, 12 bytes in the fixed part."""

    video_capability: Annotated[enums.DEVICEVIDEOCAPABILITYBITMASK, Int()] = (
        enums.DEVICEVIDEOCAPABILITYBITMASK.NONE
    )
    telepresence_info: Annotated[int, Int()] = 0
    screen_count: Annotated[int, Int()] = 0


class DeviceRegistrationInfo(Struct):
    """``DeviceRegistrationInfo``, 72 bytes in the fixed part."""

    media_termination: Annotated[enums.CTIMEDIAREGISTRATION, Int()] = (
        enums.CTIMEDIAREGISTRATION.CTI_MEDIA_REGISTRATION_NONE
    )
    active_ip_addr_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = enums.IPADDRESSINGMODE.IPV4
    ip_v4_addr: Annotated[int, Int()] = 0
    ip_v6_addr: Annotated[bytes, Bytes()] = b""
    unicode_login_user_id: Annotated[str, UString()] = ""
    encoding_type: Annotated[enums.CTIENCODINGTYPES, Int()] = (
        enums.CTIENCODINGTYPES.CTI_UNKNOWN_ENCODING
    )
    cti_controllable: Annotated[enums.DEVICECONTROLTYPE, Int()] = (
        enums.DEVICECONTROLTYPE.CtiControl_UNKNOWN
    )
    device_user_policy: Annotated[int, Int()] = 0
    device_app_policy: Annotated[int, Int()] = 0
    device_multi_media_capability_bit_mask: Annotated[
        enums.DEVICEMULTIMEDIACAPABILITYBITMASK, Int()
    ] = enums.DEVICEMULTIMEDIACAPABILITYBITMASK.NONE
    device_multi_media_capability: Annotated[
        DeviceMultiMediaCapability, Nested(DeviceMultiMediaCapability)
    ] = DeviceMultiMediaCapability()
    hunt_log_status: Annotated[enums.DEVICEHUNTLOGSTATUS, Int()] = (
        enums.DEVICEHUNTLOGSTATUS.NOT_APPLICABLE
    )


class DeviceSecurityInfo(Struct):
    """``DeviceSecurityInfo``, 12 bytes in the fixed part."""

    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    security_indicator: Annotated[enums.SECURITYINDICATORTYPE, Int()] = (
        enums.SECURITYINDICATORTYPE.MEDIA_ENCRYPT_KEYS_AVAILABLE
    )


class LineEventFilter(Struct):
    """``LineEventFilter``, 164 bytes in the fixed part."""

    call_state_changed: Annotated[bool, Bool()] = False
    dtmf: Annotated[bool, Bool()] = False
    ring: Annotated[bool, Bool()] = False
    tone_changed: Annotated[enums.CTITONECHANGEDFILTERBITMASK, Int()] = (
        enums.CTITONECHANGEDFILTERBITMASK.CTITONECHANGEDFILTERBITMASK_NOEVENT
    )
    global_call_handle_changed: Annotated[bool, Bool()] = False
    party_info_changed: Annotated[bool, Bool()] = False
    b_existing_call_event: Annotated[bool, Bool()] = False
    b_new_call_event: Annotated[bool, Bool()] = False
    b_line_cfwd_all_status: Annotated[bool, Bool()] = False
    b_transfer_started: Annotated[bool, Bool()] = False
    b_transfer_ended: Annotated[bool, Bool()] = False
    b_transfer_failed: Annotated[bool, Bool()] = False
    b_conference_started: Annotated[bool, Bool()] = False
    b_conference_ended: Annotated[bool, Bool()] = False
    b_conference_failed: Annotated[bool, Bool()] = False
    b_barge_started: Annotated[bool, Bool()] = False
    b_barge_ended: Annotated[bool, Bool()] = False
    b_c_barge_started: Annotated[bool, Bool()] = False
    b_c_barge_ended: Annotated[bool, Bool()] = False
    b_privacy_changed: Annotated[bool, Bool()] = False
    b_call_select_changed: Annotated[bool, Bool()] = False
    b_existing_call_completed: Annotated[bool, Bool()] = False
    b_hold_reversion: Annotated[bool, Bool()] = False
    b_intercom_info_changed: Annotated[bool, Bool()] = False
    b_intercom_info_restoration_failed: Annotated[bool, Bool()] = False
    b_monitoring_started: Annotated[bool, Bool()] = False
    b_monitoring_ended: Annotated[bool, Bool()] = False
    b_recording_started: Annotated[bool, Bool()] = False
    b_recording_ended: Annotated[bool, Bool()] = False
    b_call_attribute_info: Annotated[bool, Bool()] = False
    b_call_security_status_update: Annotated[bool, Bool()] = False
    b_call_present_event: Annotated[bool, Bool()] = False
    b_call_feature_cancelled: Annotated[bool, Bool()] = False
    b_park_status_event: Annotated[bool, Bool()] = False
    b_line_hunt_call_status_event: Annotated[bool, Bool()] = False
    b_monitoring_terminated_event: Annotated[bool, Bool()] = False
    b_call_orphan_status_event: Annotated[bool, Bool()] = False
    b_monitor_updated_event: Annotated[bool, Bool()] = False
    b_send_media_to_bib_events: Annotated[bool, Bool()] = False
    b_announcement_events: Annotated[bool, Bool()] = False
    b_recording_failed_event: Annotated[bool, Bool()] = False


class LineIntercomSpeedDialInfo(Struct):
    """``LineIntercomSpeedDialInfo``, 32 bytes in the fixed part."""

    number: Annotated[str, String()] = NULL
    label: Annotated[str, String()] = NULL
    unicode_label: Annotated[str, UString()] = ""


class LineInfo(Struct):
    """``LineInfo``, 132 bytes in the fixed part."""

    name: Annotated[str, String()] = NULL
    display_name: Annotated[str, String()] = NULL
    permanent_line_id: Annotated[int, Int()] = 0
    max_number_of_calls: Annotated[int, Int()] = 0
    line_instance: Annotated[int, Int()] = 0
    busy_trigger: Annotated[int, Int()] = 0
    unicode_display_name: Annotated[str, UString()] = ""
    partition: Annotated[str, String()] = NULL
    is_restricted: Annotated[bool, Bool()] = False
    auto_answer_status: Annotated[enums.CTIAUTOANSWERTYPE, Int()] = (
        enums.CTIAUTOANSWERTYPE.CTIAUTOANSWER_OFF
    )
    dn_type: Annotated[enums.CTIDNTYPE, Int()] = enums.CTIDNTYPE.UNKNOWN
    default_intercom_target_info: Annotated[
        LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)
    ] = LineIntercomSpeedDialInfo()
    record_type: Annotated[enums.RECORDCONFIG, Int()] = enums.RECORDCONFIG.NONE
    ascii_label: Annotated[str, String()] = NULL
    unicode_label: Annotated[str, UString()] = ""
    vm_pilot_dn: Annotated[str, String()] = NULL
    pickup_group_number: Annotated[str, String()] = NULL
    pickup_group_partition: Annotated[str, String()] = NULL


class MediaCapability(Struct):
    """``MediaCapability``, 12 bytes in the fixed part."""

    payload_capability: Annotated[enums.MEDIAPAYLOAD, Int()] = enums.MEDIAPAYLOAD(0)
    max_frames_per_packet: Annotated[int, Int()] = 0
    bit_rate: Annotated[enums.MEDIABITRATE, Int()] = enums.MEDIABITRATE(0)


class MediaEncryptionKeyInfo(Struct):
    """``MediaEncryptionKeyInfo``, 40 bytes in the fixed part."""

    algorithm_id: Annotated[enums.MEDIAENCRYPTIONALGORITHMTYPE, Int()] = (
        enums.MEDIAENCRYPTIONALGORITHMTYPE(0)
    )
    key_length: Annotated[int, Int()] = 0
    salt_length: Annotated[int, Int()] = 0
    key: Annotated[bytes, Bytes()] = b""
    salt: Annotated[bytes, Bytes()] = b""
    is_mki_present: Annotated[int, Int()] = 0
    key_derivation_rate: Annotated[int, Int()] = 0
    security_indicator: Annotated[enums.SECURITYINDICATORTYPE, Int()] = (
        enums.SECURITYINDICATORTYPE.MEDIA_ENCRYPT_KEYS_AVAILABLE
    )


class MultiForkingRecorderInfo(Struct):
    """``MultiForkingRecorderInfo``, 24 bytes in the fixed part."""

    recorder_type: Annotated[enums.MULTIFORKINGRECORDERTYPE, Int()] = (
        enums.MULTIFORKINGRECORDERTYPE.UNKNOWN
    )
    recorder_status: Annotated[enums.MULTIFORKINGRECORDERSTATUS, Int()] = (
        enums.MULTIFORKINGRECORDERSTATUS.UNKNOWN
    )
    recorder_uri: Annotated[str, String()] = NULL
    recorder_error_msg: Annotated[str, String()] = NULL


class MultiMediaEncryptionKeyInfo(Struct):
    """``MultiMediaEncryptionKeyInfo``, 48 bytes in the fixed part."""

    algorithm_id: Annotated[enums.MEDIAENCRYPTIONALGORITHMTYPE, Int()] = (
        enums.MEDIAENCRYPTIONALGORITHMTYPE(0)
    )
    key_data_rx: Annotated[bytes, Bytes()] = b""
    salt_data_rx: Annotated[bytes, Bytes()] = b""
    key_data_tx: Annotated[bytes, Bytes()] = b""
    salt_data_tx: Annotated[bytes, Bytes()] = b""
    a_mki_present_rx: Annotated[int, Int()] = 0
    a_mki_present_tx: Annotated[int, Int()] = 0
    security_indicator: Annotated[enums.SECURITYINDICATORTYPE, Int()] = (
        enums.SECURITYINDICATORTYPE.MEDIA_ENCRYPT_KEYS_AVAILABLE
    )


class SIPUrl(Struct):
    """``SIPUrl``, 28 bytes in the fixed part."""

    user: Annotated[str, String()] = NULL
    host: Annotated[str, String()] = NULL
    port: Annotated[int, Int()] = 0
    transport_tye: Annotated[enums.TRANSPORTTYPE, Int()] = (
        enums.TRANSPORTTYPE.TRANSPORT_TYPE_UNKNOWN
    )
    url_type: Annotated[enums.URLTYPE, Int()] = enums.URLTYPE.NO_URL


class PartyDNInfo(Struct):
    """``PartyDNInfo``, 44 bytes in the fixed part."""

    sip_url: Annotated[SIPUrl, Nested(SIPUrl)] = SIPUrl()
    un_modifiedsip_url: Annotated[SIPUrl, Nested(SIPUrl)] = SIPUrl()
    partition: Annotated[str, String()] = NULL
    voice_mailbox: Annotated[str, String()] = NULL
    number_type: Annotated[enums.NUMBERTYPE, Int()] = enums.NUMBERTYPE.UNKNOWN_NUMBER


class ParticipantInfo(Struct):
    """``ParticipantInfo``, 104 bytes in the fixed part."""

    participant_number: Annotated[str, String()] = NULL
    un_modified_participant_number: Annotated[str, String()] = NULL
    participant_name: Annotated[str, String()] = NULL
    number_pi: Annotated[bool, Bool()] = False
    name_pi: Annotated[bool, Bool()] = False
    endpoint_type: Annotated[enums.DESTINATIONTYPE, Int()] = enums.DESTINATIONTYPE.UNKNOWN
    state: Annotated[int, Int()] = 0
    un_modified_paticipant_unicode_display_name: Annotated[str, UString()] = ""
    participant_locale: Annotated[int, Int()] = 0
    participant_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    participant_hunt_member_dn: Annotated[str, String()] = NULL
    participant_hunt_member_partition: Annotated[str, String()] = NULL
    bridge_participant_id: Annotated[str, String()] = NULL


class PartyDNInfoV2(Struct):
    """``PartyDNInfo_V2``, 32 bytes in the fixed part."""

    sip_url: Annotated[SIPUrl, Nested(SIPUrl)] = SIPUrl()
    partition: Annotated[str, String()] = NULL
    voice_mailbox: Annotated[str, String()] = NULL
    number_type: Annotated[enums.NUMBERTYPE, Int()] = enums.NUMBERTYPE.UNKNOWN_NUMBER


class PartyInfo(Struct):
    """``PartyInfo``, 76 bytes in the fixed part."""

    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
    call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    device_type: Annotated[enums.DEVICETYPE, Int()] = enums.DEVICETYPE(0)
    is_holding: Annotated[bool, Bool()] = False
    partition: Annotated[str, String()] = NULL
    pattern: Annotated[str, String()] = NULL
    party_dn: Annotated[str, String()] = NULL
    party_dn_display_name: Annotated[str, String()] = NULL
    unicode_display_name: Annotated[str, UString()] = ""
    party_voice_mailbox: Annotated[str, String()] = NULL


class ProviderCapabilitiesInfo(Struct):
    """``ProviderCapabilitiesInfo``, 36 bytes in the fixed part."""

    control_any_device: Annotated[bool, Bool()] = False
    max_number_of_devices_open: Annotated[int, Int()] = 0
    monitor_park_dn: Annotated[bool, Bool()] = False
    modify_calling_party: Annotated[bool, Bool()] = False
    allow_call_monitoring: Annotated[bool, Bool()] = False
    allow_call_recording: Annotated[bool, Bool()] = False
    can_support_i_pv6: Annotated[bool, Bool()] = False
    provider_capability_mask: Annotated[enums.PROVIDERCAPABILITYBITMASK, Int()] = (
        enums.PROVIDERCAPABILITYBITMASK.NONE
    )
    can_auto_pickup: Annotated[bool, Bool()] = False


class ProviderEventFilter(Struct):
    """``ProviderEventFilter``, 24 bytes in the fixed part."""

    device_registered: Annotated[bool, Bool()] = False
    device_unregistered: Annotated[bool, Bool()] = False
    directory_change_notify: Annotated[bool, Bool()] = False
    device_config_change_notify: Annotated[bool, Bool()] = False
    device_em_login_status_change_notify: Annotated[bool, Bool()] = False
    device_multi_media_capability_changed_notify: Annotated[bool, Bool()] = False


class RTPDestinationV6(Struct):
    """``RTPDestinationV6``, 12 bytes in the fixed part."""

    ip_addr_v6: Annotated[bytes, Bytes()] = b""
    rtp_port_v6: Annotated[int, Int()] = 0


class RedirectPartyInfo(Struct):
    """``RedirectPartyInfo``, 80 bytes in the fixed part."""

    original_cause: Annotated[int, Int()] = 0
    original_called_party_redirect_reason: Annotated[int, Int()] = 0
    original_partition: Annotated[str, String()] = NULL
    original_pattern: Annotated[str, String()] = NULL
    original_called_party: Annotated[str, String()] = NULL
    original_called_party_voice_mailbox: Annotated[str, String()] = NULL
    last_redirecting_cause: Annotated[int, Int()] = 0
    last_redirecting_redirect_reason: Annotated[int, Int()] = 0
    last_redirecting_partition: Annotated[str, String()] = NULL
    last_redirecting_pattern: Annotated[str, String()] = NULL
    last_redirecting_number: Annotated[str, String()] = NULL
    last_redirecting_number_voice_mailbox: Annotated[str, String()] = NULL


class VideoStreamInfo(Struct):
    """``VideoStreamInfo``, 84 bytes in the fixed part."""

    stream_id: Annotated[int, Int()] = 0
    compression_type: Annotated[enums.MEDIAPAYLOAD, Int()] = enums.MEDIAPAYLOAD(0)
    max_bit_rate: Annotated[int, Int()] = 0
    sdp_media_mode: Annotated[int, Int()] = 0
    media_type: Annotated[int, Int()] = 0
    key_info_present: Annotated[bool, Bool()] = False
    rx_rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()
    rx_ip_addr: Annotated[int, Int()] = 0
    rx_rtp_port_number: Annotated[int, Int()] = 0
    rx_active_ip_addressing_mode: Annotated[int, Int()] = 0
    tx_rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()
    tx_ip_addr: Annotated[int, Int()] = 0
    tx_rtp_port_number: Annotated[int, Int()] = 0
    tx_active_ip_addressing_mode: Annotated[int, Int()] = 0
    multi_media_encryption_key_info: Annotated[
        MultiMediaEncryptionKeyInfo, Nested(MultiMediaEncryptionKeyInfo)
    ] = MultiMediaEncryptionKeyInfo()
