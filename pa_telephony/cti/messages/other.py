"""New calls, media, heartbeats, failures, and requests named after neither object."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    DeviceInfo,
    DeviceMultiMediaCapability,
    DNInfo,
    LineInfo,
    MediaEncryptionKeyInfo,
    ParticipantInfo,
    PartyDNInfo,
    RTPDestinationV6,
    VideoStreamInfo,
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
    "DisplayChangedEvent",
    "DtmfEvent",
    "ExistingCallCompletedEvent",
    "ExistingCallEvent",
    "FailureResponse",
    "FeatureButtonPressedEvent",
    "GetDeviceInfoCloseRequest",
    "GetDeviceInfoCloseResponse",
    "GetDeviceInfoFetchRequest",
    "GetDeviceInfoFetchResponse",
    "GetLineInfoCloseRequest",
    "GetLineInfoCloseResponse",
    "GetLineInfoFetchRequest",
    "GetLineInfoFetchResponse",
    "GetMonitorDNCloseRequest",
    "GetMonitorDNCloseResponse",
    "GetMonitorDNFetchRequest",
    "GetMonitorDNFetchResponse",
    "GetSingleDeviceInfoRequest",
    "GetSingleDeviceInfoResponse",
    "GlobalCallHandleChangedEvent",
    "Heartbeat",
    "KeyPressedEvent",
    "LampModeChangedEvent",
    "MultiMediaStreamsInfoEvent",
    "NewCallEvent",
    "ReceptionKeyEvent",
    "RingEvent",
    "RingModeChangedEvent",
    "StartReceptionEvent",
    "StartTransmissionEvent",
    "StopReceptionEvent",
    "StopTransmissionEvent",
    "ToneChangedEvent",
    "TransmissionKeyEvent",
]


class FailureResponse(CtiMessage, id=0, kind=Kind.RESPONSE):
    """Response 0, ``FailureResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    description: Annotated[str, String()] = NULL


class DisplayChangedEvent(CtiMessage, id=32, kind=Kind.EVENT):
    """Event 32, ``DisplayChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    display: Annotated[str, String()] = NULL
    unicode_display: Annotated[str, UString()] = ""


class FeatureButtonPressedEvent(CtiMessage, id=33, kind=Kind.EVENT):
    """Event 33, ``FeatureButtonPressedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    button: Annotated[enums.STIMULUSBUTTON, Int()] = enums.STIMULUSBUTTON(0)
    instance: Annotated[int, Int()] = 0


class KeyPressedEvent(CtiMessage, id=34, kind=Kind.EVENT):
    """Event 34, ``KeyPressedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    key: Annotated[enums.KEYPADBUTTON, Int()] = enums.KEYPADBUTTON.ZERO


class LampModeChangedEvent(CtiMessage, id=35, kind=Kind.EVENT):
    """Event 35, ``LampModeChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    lamp: Annotated[int, Int()] = 0
    instance: Annotated[int, Int()] = 0
    mode: Annotated[enums.LAMPMODE, Int()] = enums.LAMPMODE(0)


class RingModeChangedEvent(CtiMessage, id=36, kind=Kind.EVENT):
    """Event 36, ``RingModeChangedEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    mode: Annotated[enums.RINGMODE, Int()] = enums.RINGMODE(0)


class NewCallEvent(CtiMessage, id=48, kind=Kind.EVENT):
    """Event 48, ``NewCallEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    line_handle_specified: Annotated[bool, Bool()] = False
    device_name: Annotated[str, String()] = NULL
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0
    calling_party: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    original_called_party: Annotated[str, String()] = NULL
    state: Annotated[enums.CALLSTATE, Int()] = enums.CALLSTATE.UNKNOWN
    origin: Annotated[enums.CALLORIGIN, Int()] = enums.CALLORIGIN(0)
    user_data: Annotated[bytes, Bytes()] = b""
    auxiliary_data: Annotated[int, Int()] = 0
    far_endpoint_call_manager_id: Annotated[int, Int()] = 0
    far_endpoint_type: Annotated[enums.DESTINATIONTYPE, Int()] = enums.DESTINATIONTYPE.UNKNOWN
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    calling_party_name: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    original_party_name: Annotated[str, String()] = NULL
    last_redirecting_party: Annotated[str, String()] = NULL
    last_redirecting_party_name: Annotated[str, String()] = NULL
    calling_party_device_name: Annotated[str, String()] = NULL
    b_remote_in_use: Annotated[bool, Bool()] = False
    parent_call_manager_id: Annotated[int, Int()] = 0
    parent_call_id: Annotated[int, Int()] = 0
    b_privacy: Annotated[bool, Bool()] = False
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
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
    cti_call_type: Annotated[enums.CTICALLTYPE, Int()] = enums.CTICALLTYPE.REGULARCALL
    calling_party_ip_addr: Annotated[int, Int()] = 0
    far_end_line_id_dn: Annotated[str, String()] = NULL
    far_end_line_id_partition: Annotated[str, String()] = NULL
    call_presentable: Annotated[bool, Bool()] = False
    feature_priority: Annotated[enums.FEATUREPRIORITY, Int()] = enums.FEATUREPRIORITY(0)
    globalized_calling_party: Annotated[str, String()] = NULL
    calling_party_ip_addr_v6: Annotated[bytes, Bytes()] = b""
    calling_party_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = (
        enums.IPADDRESSINGMODE.IPV4
    )
    b_is_rollover_call: Annotated[bool, Bool()] = False
    unique_protocol_call_reference: Annotated[str, String()] = NULL
    cgpn_hunt_member_dn: Annotated[str, String()] = NULL
    cgpn_hunt_member_partition: Annotated[str, String()] = NULL
    cgpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    cdpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    calling_party_multi_media_cap_bit_mask: Annotated[int, Int()] = 0
    called_party_multi_media_cap_bit_mask: Annotated[int, Int()] = 0
    calling_party_multi_media_capability_info: Annotated[
        DeviceMultiMediaCapability, Nested(DeviceMultiMediaCapability)
    ] = DeviceMultiMediaCapability()
    called_party_multi_media_capability_info: Annotated[
        DeviceMultiMediaCapability, Nested(DeviceMultiMediaCapability)
    ] = DeviceMultiMediaCapability()
    device_uuid: Annotated[str, String()] = NULL
    peer_uuid: Annotated[str, String()] = NULL


class ExistingCallEvent(CtiMessage, id=49, kind=Kind.EVENT):
    """Event 49, ``ExistingCallEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    line_handle_specified: Annotated[bool, Bool()] = False
    device_name: Annotated[str, String()] = NULL
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0
    calling_party: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    original_called_party: Annotated[str, String()] = NULL
    last_redirecting_party: Annotated[str, String()] = NULL
    state: Annotated[enums.CALLSTATE, Int()] = enums.CALLSTATE.UNKNOWN
    origin: Annotated[enums.CALLORIGIN, Int()] = enums.CALLORIGIN(0)
    user_data: Annotated[bytes, Bytes()] = b""
    auxiliary_data: Annotated[int, Int()] = 0
    far_endpoint_call_manager_id: Annotated[int, Int()] = 0
    far_endpoint_type: Annotated[enums.DESTINATIONTYPE, Int()] = enums.DESTINATIONTYPE.UNKNOWN
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
    participants_info: Annotated[tuple[ParticipantInfo, ...], Structs(ParticipantInfo)] = ()
    calling_party_name: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    original_called_party_name: Annotated[str, String()] = NULL
    last_redirecting_party_name: Annotated[str, String()] = NULL
    calling_party_device_name: Annotated[str, String()] = NULL
    controller_participant: Annotated[ParticipantInfo, Nested(ParticipantInfo)] = ParticipantInfo()
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    media_transmit_active: Annotated[bool, Bool()] = False
    media_receive_active: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False
    parent_call_manager_id: Annotated[int, Int()] = 0
    parent_call_id: Annotated[int, Int()] = 0
    b_privacy: Annotated[bool, Bool()] = False
    call_select_status: Annotated[enums.CALLSELECTSTATUS, Int()] = (
        enums.CALLSELECTSTATUS.SELECTEDNONE
    )
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
    b_hold_reversion_delivered: Annotated[bool, Bool()] = False
    local_conference_bridge_id: Annotated[str, String()] = NULL
    local_conference_bridge_name: Annotated[str, String()] = NULL
    b_advance_adhoc_conference: Annotated[bool, Bool()] = False
    cti_call_type: Annotated[enums.CTICALLTYPE, Int()] = enums.CTICALLTYPE.REGULARCALL
    calling_party_ip_addr: Annotated[int, Int()] = 0
    overall_call_security_status: Annotated[enums.CALLSECURITYSTATUS, Int()] = (
        enums.CALLSECURITYSTATUS.CALLSECURITY_UNKNOWN
    )
    far_end_line_id_dn: Annotated[str, String()] = NULL
    far_end_line_id_partition: Annotated[str, String()] = NULL
    call_presentable: Annotated[bool, Bool()] = False
    feature_priority: Annotated[enums.FEATUREPRIORITY, Int()] = enums.FEATUREPRIORITY(0)
    globalized_calling_party: Annotated[str, String()] = NULL
    calling_party_ip_addr_v6: Annotated[bytes, Bytes()] = b""
    calling_party_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = (
        enums.IPADDRESSINGMODE.IPV4
    )
    consult_setupby_rollover: Annotated[bool, Bool()] = False
    unique_protocol_call_reference: Annotated[str, String()] = NULL
    cgpn_hunt_member_dn: Annotated[str, String()] = NULL
    cgpn_hunt_member_partition: Annotated[str, String()] = NULL
    cdpn_hunt_member_dn: Annotated[str, String()] = NULL
    cdpn_hunt_member_partition: Annotated[str, String()] = NULL
    cgpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    cdpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    called_party_device_name: Annotated[str, String()] = NULL
    local_conference_bridge_partition: Annotated[str, String()] = NULL
    calling_party_multi_media_cap_bit_mask: Annotated[int, Int()] = 0
    called_party_multi_media_cap_bit_mask: Annotated[int, Int()] = 0
    calling_party_multi_media_capability_info: Annotated[
        DeviceMultiMediaCapability, Nested(DeviceMultiMediaCapability)
    ] = DeviceMultiMediaCapability()
    called_party_multi_media_capability_info: Annotated[
        DeviceMultiMediaCapability, Nested(DeviceMultiMediaCapability)
    ] = DeviceMultiMediaCapability()
    device_uuid: Annotated[str, String()] = NULL
    peer_uuid: Annotated[str, String()] = NULL


class DtmfEvent(CtiMessage, id=86, kind=Kind.EVENT):
    """Event 86, ``DtmfEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    digit: Annotated[enums.KEYPADBUTTON, Int()] = enums.KEYPADBUTTON.ZERO


class RingEvent(CtiMessage, id=87, kind=Kind.EVENT):
    """Event 87, ``RingEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class GlobalCallHandleChangedEvent(CtiMessage, id=88, kind=Kind.EVENT):
    """Event 88, ``GlobalCallHandleChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    new_global_call_manager_id: Annotated[int, Int()] = 0
    new_global_call_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    original_party: Annotated[str, String()] = NULL
    original_party_name: Annotated[str, String()] = NULL
    last_redirecting_party: Annotated[str, String()] = NULL
    last_redirecting_party_name: Annotated[str, String()] = NULL
    b_remote_in_use: Annotated[bool, Bool()] = False
    b_privacy: Annotated[bool, Bool()] = False
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
    unique_protocol_call_reference: Annotated[str, String()] = NULL


class ToneChangedEvent(CtiMessage, id=89, kind=Kind.EVENT):
    """Event 89, ``ToneChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    tone: Annotated[enums.CTITONE, Int()] = enums.CTITONE.SILENCE
    feature_id: Annotated[int, Int()] = 0
    code_required: Annotated[enums.CTICODEREQUIRED, Int()] = enums.CTICODEREQUIRED.FAC_REQUIRED
    tone_direction: Annotated[enums.TONEDIRECTION, Int()] = enums.TONEDIRECTION.LOCALONLY


class StartReceptionEvent(CtiMessage, id=90, kind=Kind.EVENT):
    """Event 90, ``StartReceptionEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    ip_addr: Annotated[int, Int()] = 0
    rtp_port_number: Annotated[int, Int()] = 0
    milli_second_packet_size: Annotated[int, Int()] = 0
    compression_type: Annotated[enums.MEDIAPAYLOAD, Int()] = enums.MEDIAPAYLOAD(0)
    use_echo_cancellation: Annotated[bool, Bool()] = False
    bit_rate: Annotated[enums.MEDIABITRATE, Int()] = enums.MEDIABITRATE(0)
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    media_connection_mode: Annotated[enums.CTIMEDIACONNECTIONMODE, Int()] = (
        enums.CTIMEDIACONNECTIONMODE.NONE
    )
    rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()
    active_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = (
        enums.IPADDRESSINGMODE.IPV4
    )


class StartTransmissionEvent(CtiMessage, id=91, kind=Kind.EVENT):
    """Event 91, ``StartTransmissionEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    ip_addr: Annotated[int, Int()] = 0
    rtp_port_number: Annotated[int, Int()] = 0
    milli_second_packet_size: Annotated[int, Int()] = 0
    compression_type: Annotated[enums.MEDIAPAYLOAD, Int()] = enums.MEDIAPAYLOAD(0)
    precedence_value: Annotated[int, Int()] = 0
    use_silence_suppression: Annotated[bool, Bool()] = False
    max_frames_per_packet: Annotated[int, Int()] = 0
    bit_rate: Annotated[enums.MEDIABITRATE, Int()] = enums.MEDIABITRATE(0)
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    media_connection_mode: Annotated[enums.CTIMEDIACONNECTIONMODE, Int()] = (
        enums.CTIMEDIACONNECTIONMODE.NONE
    )
    rtp_dest_v6: Annotated[RTPDestinationV6, Nested(RTPDestinationV6)] = RTPDestinationV6()
    active_ip_addressing_mode: Annotated[enums.IPADDRESSINGMODE, Int()] = (
        enums.IPADDRESSINGMODE.IPV4
    )


class StopReceptionEvent(CtiMessage, id=92, kind=Kind.EVENT):
    """Event 92, ``StopReceptionEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    media_connection_mode: Annotated[enums.CTIMEDIACONNECTIONMODE, Int()] = (
        enums.CTIMEDIACONNECTIONMODE.NONE
    )


class StopTransmissionEvent(CtiMessage, id=93, kind=Kind.EVENT):
    """Event 93, ``StopTransmissionEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0
    media_connection_mode: Annotated[enums.CTIMEDIACONNECTIONMODE, Int()] = (
        enums.CTIMEDIACONNECTIONMODE.NONE
    )


class GetDeviceInfoFetchRequest(CtiMessage, id=94, kind=Kind.REQUEST):
    """Request 94, ``GetDeviceInfoFetchRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enumeration_handle: Annotated[int, Int()] = 0
    count: Annotated[int, Int()] = 0


class GetDeviceInfoFetchResponse(CtiMessage, id=95, kind=Kind.RESPONSE):
    """Response 95, ``GetDeviceInfoFetchResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    info: Annotated[tuple[DeviceInfo, ...], Structs(DeviceInfo)] = ()
    more: Annotated[bool, Bool()] = False
    device_control_flag_bit_mask: Annotated[tuple[int, ...], Ints()] = ()


class GetDeviceInfoCloseRequest(CtiMessage, id=96, kind=Kind.REQUEST):
    """Request 96, ``GetDeviceInfoCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enumeration_handle: Annotated[int, Int()] = 0


class GetDeviceInfoCloseResponse(CtiMessage, id=97, kind=Kind.RESPONSE):
    """Response 97, ``GetDeviceInfoCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class GetLineInfoFetchRequest(CtiMessage, id=98, kind=Kind.REQUEST):
    """Request 98, ``GetLineInfoFetchRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enumeration_handle: Annotated[int, Int()] = 0
    count: Annotated[int, Int()] = 0


class GetLineInfoFetchResponse(CtiMessage, id=99, kind=Kind.RESPONSE):
    """Response 99, ``GetLineInfoFetchResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    info: Annotated[tuple[LineInfo, ...], Structs(LineInfo)] = ()
    more: Annotated[bool, Bool()] = False


class GetLineInfoCloseRequest(CtiMessage, id=100, kind=Kind.REQUEST):
    """Request 100, ``GetLineInfoCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enumeration_handle: Annotated[int, Int()] = 0


class GetLineInfoCloseResponse(CtiMessage, id=101, kind=Kind.RESPONSE):
    """Response 101, ``GetLineInfoCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class Heartbeat(CtiMessage, id=120):
    """Both ways, 120."""


class GetSingleDeviceInfoRequest(CtiMessage, id=130, kind=Kind.REQUEST):
    """Request 130, ``GetSingleDeviceInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    device_name: Annotated[str, String()] = NULL


class GetSingleDeviceInfoResponse(CtiMessage, id=131, kind=Kind.RESPONSE):
    """Response 131, ``GetSingleDeviceInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    info: Annotated[DeviceInfo, Nested(DeviceInfo)] = DeviceInfo()
    device_control_flag_bit_mask: Annotated[enums.DEVICECONTROLFLAGBITMASK, Int()] = (
        enums.DEVICECONTROLFLAGBITMASK.NONE
    )


class GetMonitorDNFetchRequest(CtiMessage, id=147, kind=Kind.REQUEST):
    """Request 147, ``GetMonitorDNFetchRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enumeration_handle: Annotated[int, Int()] = 0
    count: Annotated[int, Int()] = 0


class GetMonitorDNFetchResponse(CtiMessage, id=148, kind=Kind.RESPONSE):
    """Response 148, ``GetMonitorDNFetchResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    dninfo: Annotated[tuple[DNInfo, ...], Structs(DNInfo)] = ()
    more: Annotated[bool, Bool()] = False


class GetMonitorDNCloseRequest(CtiMessage, id=149, kind=Kind.REQUEST):
    """Request 149, ``GetMonitorDNCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    enum_handle: Annotated[int, Int()] = 0


class GetMonitorDNCloseResponse(CtiMessage, id=150, kind=Kind.RESPONSE):
    """Response 150, ``GetMonitorDNCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    monitor_d_nenumeration_handle: Annotated[int, Int()] = 0


class ExistingCallCompletedEvent(CtiMessage, id=204, kind=Kind.EVENT):
    """Event 204, ``ExistingCallCompletedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0


class ReceptionKeyEvent(CtiMessage, id=221, kind=Kind.EVENT):
    """Event 221, ``ReceptionKeyEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    key_info: Annotated[MediaEncryptionKeyInfo, Nested(MediaEncryptionKeyInfo)] = (
        MediaEncryptionKeyInfo()
    )


class TransmissionKeyEvent(CtiMessage, id=222, kind=Kind.EVENT):
    """Event 222, ``TransmissionKeyEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    key_info: Annotated[MediaEncryptionKeyInfo, Nested(MediaEncryptionKeyInfo)] = (
        MediaEncryptionKeyInfo()
    )


class MultiMediaStreamsInfoEvent(CtiMessage, id=302, kind=Kind.EVENT):
    """Event 302, ``MultiMediaStreamsInfoEvent``."""

    device_call_manager_id: Annotated[int, Int()] = 0
    device_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    video_streams_info: Annotated[tuple[VideoStreamInfo, ...], Structs(VideoStreamInfo)] = ()
