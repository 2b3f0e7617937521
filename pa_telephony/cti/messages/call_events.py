"""What happens to calls."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    CtiCallHandle,
    DeviceMultiMediaCapability,
    MultiForkingRecorderInfo,
    ParticipantInfo,
    PartyDNInfo,
    PartyDNInfoV2,
)
from pa_telephony.wire.offset.types import NULL, Bool, Int, Nested, String, Structs, UString

__all__ = [
    "CallAnnouncementEndedEvent",
    "CallAnnouncementErrorEvent",
    "CallAnnouncementStartedEvent",
    "CallAttributeInfoEvent",
    "CallClosedEvent",
    "CallConferenceStateChangedEvent",
    "CallFeatureCancelledEvent",
    "CallHoldReversionEvent",
    "CallMonitorUpdatedEvent",
    "CallMonitoringEndedEvent",
    "CallMonitoringStartedEvent",
    "CallOrphanStatusEvent",
    "CallPartyInfoChangedEvent",
    "CallPlayDTMFCompleteEvent",
    "CallPresentEvent",
    "CallPrivacyChangedEvent",
    "CallRecordingEndedEvent",
    "CallRecordingFailedEvent",
    "CallRecordingStartedEvent",
    "CallSecurityStatusUpdateEvent",
    "CallSelectChangedEvent",
    "CallSendMediaToBIBEndedEvent",
    "CallSendMediaToBIBStartedEvent",
    "CallStateChangedEventV2",
]


class CallClosedEvent(CtiMessage, id=84, kind=Kind.EVENT):
    """Event 84, ``CallClosedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.CALLCLOSEREASON, Int()] = enums.CALLCLOSEREASON.UNKNOWN


class CallPlayDTMFCompleteEvent(CtiMessage, id=106, kind=Kind.EVENT):
    """Event 106, ``CallPlayDTMFCompleteEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallConferenceStateChangedEvent(CtiMessage, id=107, kind=Kind.EVENT):
    """Event 107, ``CallConferenceStateChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    conference_state_changed_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    modify_status: Annotated[enums.CALLCONFERENCEMODIFYSTATUS, Int()] = (
        enums.CALLCONFERENCEMODIFYSTATUS(0)
    )
    changed_participant_info: Annotated[ParticipantInfo, Nested(ParticipantInfo)] = (
        ParticipantInfo()
    )
    other_participants_info: Annotated[tuple[ParticipantInfo, ...], Structs(ParticipantInfo)] = ()
    controller_participant_info: Annotated[ParticipantInfo, Nested(ParticipantInfo)] = (
        ParticipantInfo()
    )
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    b_remote_in_use: Annotated[bool, Bool()] = False
    b_privacy: Annotated[bool, Bool()] = False
    controller_device_name: Annotated[str, String()] = NULL
    idle_calls: Annotated[tuple[CtiCallHandle, ...], Structs(CtiCallHandle)] = ()
    requestor_participant_info: Annotated[ParticipantInfo, Nested(ParticipantInfo)] = (
        ParticipantInfo()
    )
    requestor_device_name: Annotated[str, String()] = NULL
    local_conference_bridge_id: Annotated[str, String()] = NULL
    local_conference_bridge_name: Annotated[str, String()] = NULL
    b_advance_adhoc_conference: Annotated[bool, Bool()] = False
    local_conference_bridge_partition: Annotated[str, String()] = NULL


class CallPartyInfoChangedEvent(CtiMessage, id=108, kind=Kind.EVENT):
    """Event 108, ``CallPartyInfoChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    calling_party_changed: Annotated[bool, Bool()] = False
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party_changed: Annotated[bool, Bool()] = False
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    original_called_party: Annotated[str, String()] = NULL
    original_called_party_name: Annotated[str, String()] = NULL
    last_redirecting_party: Annotated[str, String()] = NULL
    last_redirecting_party_name: Annotated[str, String()] = NULL
    far_end_point_type: Annotated[enums.DESTINATIONTYPE, Int()] = enums.DESTINATIONTYPE.UNKNOWN
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
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
    far_end_line_id_dn: Annotated[str, String()] = NULL
    far_end_line_id_partition: Annotated[str, String()] = NULL
    globalized_calling_party: Annotated[str, String()] = NULL
    cgpn_hunt_member_dn: Annotated[str, String()] = NULL
    cgpn_hunt_member_partition: Annotated[str, String()] = NULL
    cdpn_hunt_member_dn: Annotated[str, String()] = NULL
    cdpn_hunt_member_partition: Annotated[str, String()] = NULL
    cgpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    cdpn_pattern_usage: Annotated[enums.CTIPATTERNUSAGE, Int()] = enums.CTIPATTERNUSAGE.UNKNOWN
    current_calling_party_device_name: Annotated[str, String()] = NULL
    current_called_party_device_name: Annotated[str, String()] = NULL
    call_attribute_type: Annotated[enums.CALLATTRIBUTETYPE, Int()] = enums.CALLATTRIBUTETYPE.NONE
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


class CallPrivacyChangedEvent(CtiMessage, id=178, kind=Kind.EVENT):
    """Event 178, ``CallPrivacyChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    b_privacy: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False
    un_modified_calling_party: Annotated[str, String()] = NULL
    un_modified_called_party: Annotated[str, String()] = NULL
    calling_party_pi: Annotated[bool, Bool()] = False
    calling_party_name_pi: Annotated[bool, Bool()] = False
    called_party_pi: Annotated[bool, Bool()] = False
    called_party_name_pi: Annotated[bool, Bool()] = False
    unicode_calling_party_name: Annotated[str, UString()] = ""
    unicode_called_party_name: Annotated[str, UString()] = ""
    unicode_calling_party_locale: Annotated[int, Int()] = 0
    unicode_called_party_locale: Annotated[int, Int()] = 0
    calling_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    called_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    globalized_calling_party: Annotated[str, String()] = NULL


class CallSelectChangedEvent(CtiMessage, id=200, kind=Kind.EVENT):
    """Event 200, ``CallSelectChangedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    b_privacy: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False
    call_select_status: Annotated[enums.CALLSELECTSTATUS, Int()] = (
        enums.CALLSELECTSTATUS.SELECTEDNONE
    )
    un_modified_calling_party: Annotated[str, String()] = NULL
    un_modified_called_party: Annotated[str, String()] = NULL
    calling_party_pi: Annotated[bool, Bool()] = False
    calling_party_name_pi: Annotated[bool, Bool()] = False
    called_party_pi: Annotated[bool, Bool()] = False
    called_party_name_pi: Annotated[bool, Bool()] = False
    unicode_calling_party_name: Annotated[str, UString()] = ""
    unicode_called_party_name: Annotated[str, UString()] = ""
    unicode_calling_party_locale: Annotated[int, Int()] = 0
    unicode_called_party_locale: Annotated[int, Int()] = 0
    calling_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    called_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    globalized_calling_party: Annotated[str, String()] = NULL


class CallHoldReversionEvent(CtiMessage, id=223, kind=Kind.EVENT):
    """Event 223, ``CallHoldReversionEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallMonitoringStartedEvent(CtiMessage, id=237, kind=Kind.EVENT):
    """Event 237, ``CallMonitoringStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    monitor_mode: Annotated[enums.MONITORMODE, Int()] = enums.MONITORMODE.NONE
    active_tone_direction: Annotated[int, Int()] = 0


class CallMonitoringEndedEvent(CtiMessage, id=238, kind=Kind.EVENT):
    """Event 238, ``CallMonitoringEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    monitor_mode: Annotated[enums.MONITORMODE, Int()] = enums.MONITORMODE.NONE
    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
    clear_type: Annotated[enums.CLEARTYPE, Int()] = enums.CLEARTYPE.STANDARD_CLEAR
    active_tone_direction: Annotated[int, Int()] = 0


class CallRecordingStartedEvent(CtiMessage, id=239, kind=Kind.EVENT):
    """Event 239, ``CallRecordingStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallRecordingEndedEvent(CtiMessage, id=240, kind=Kind.EVENT):
    """Event 240, ``CallRecordingEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
    clear_type: Annotated[enums.CLEARTYPE, Int()] = enums.CLEARTYPE.STANDARD_CLEAR


class CallAttributeInfoEvent(CtiMessage, id=241, kind=Kind.EVENT):
    """Event 241, ``CallAttributeInfoEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    call_attribute_type: Annotated[enums.CALLATTRIBUTETYPE, Int()] = enums.CALLATTRIBUTETYPE.NONE
    call_id: Annotated[int, Int()] = 0
    number: Annotated[str, String()] = NULL
    partition: Annotated[str, String()] = NULL
    device_name: Annotated[str, String()] = NULL
    existing: Annotated[bool, Bool()] = False
    transaction_id: Annotated[int, Int()] = 0
    active_tone_direction: Annotated[int, Int()] = 0
    call_recording_type: Annotated[enums.CALLRECORDINGTYPE, Int()] = enums.CALLRECORDINGTYPE.NONE
    forking_device_type: Annotated[enums.MEDIAFORKINGDEVICETYPE, Int()] = (
        enums.MEDIAFORKINGDEVICETYPE.NONE
    )
    forking_device_name: Annotated[str, String()] = NULL
    protocol_reference_guid: Annotated[str, String()] = NULL
    forking_cluster_id: Annotated[str, String()] = NULL
    multi_forking_recorder_info: Annotated[
        tuple[MultiForkingRecorderInfo, ...], Structs(MultiForkingRecorderInfo)
    ] = ()


class CallSecurityStatusUpdateEvent(CtiMessage, id=245, kind=Kind.EVENT):
    """Event 245, ``CallSecurityStatusUpdateEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    overall_call_security_status: Annotated[enums.CALLSECURITYSTATUS, Int()] = (
        enums.CALLSECURITYSTATUS.CALLSECURITY_UNKNOWN
    )


class CallPresentEvent(CtiMessage, id=249, kind=Kind.EVENT):
    """Event 249, ``CallPresentEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    b_presentable: Annotated[bool, Bool()] = False


class CallFeatureCancelledEvent(CtiMessage, id=251, kind=Kind.EVENT):
    """Event 251, ``CallFeatureCancelledEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    consult_call_manager_id: Annotated[int, Int()] = 0
    consult_call_id: Annotated[int, Int()] = 0


class CallOrphanStatusEvent(CtiMessage, id=266, kind=Kind.EVENT):
    """Event 266, ``CallOrphanStatusEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    call_orphan_status: Annotated[enums.CTICALLORPHANSTATUS, Int()] = (
        enums.CTICALLORPHANSTATUS.CTICALLORPHANSTATUS_RESUMED
    )


class CallSendMediaToBIBStartedEvent(CtiMessage, id=271, kind=Kind.EVENT):
    """Event 271, ``CallSendMediaToBIBStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallSendMediaToBIBEndedEvent(CtiMessage, id=272, kind=Kind.EVENT):
    """Event 272, ``CallSendMediaToBIBEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    successful: Annotated[bool, Bool()] = False


class CallMonitorUpdatedEvent(CtiMessage, id=275, kind=Kind.EVENT):
    """Event 275, ``CallMonitorUpdatedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    active_monitor_mode: Annotated[enums.MONITORMODE, Int()] = enums.MONITORMODE.NONE
    active_tone_direction: Annotated[int, Int()] = 0


class CallStateChangedEventV2(CtiMessage, id=281, kind=Kind.EVENT):
    """Event 281, ``CallStateChangedEvent_V2``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    state: Annotated[enums.CALLSTATE, Int()] = enums.CALLSTATE.UNKNOWN
    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
    fwd_destination_address: Annotated[str, String()] = NULL
    fwd_destination_party_dn_info: Annotated[PartyDNInfoV2, Nested(PartyDNInfoV2)] = PartyDNInfoV2()
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    b_remote_in_use: Annotated[bool, Bool()] = False
    overall_call_security_status: Annotated[enums.CALLSECURITYSTATUS, Int()] = (
        enums.CALLSECURITYSTATUS.CALLSECURITY_UNKNOWN
    )
    b_is_consult_setup_by_rollover: Annotated[bool, Bool()] = False
    b_call_cleared_by_hunt_list: Annotated[bool, Bool()] = False
    cgpn_hunt_member_dn: Annotated[str, String()] = NULL
    cgpn_hunt_member_partition: Annotated[str, String()] = NULL
    cdpn_hunt_member_dn: Annotated[str, String()] = NULL
    cdpn_hunt_member_partition: Annotated[str, String()] = NULL


class CallAnnouncementStartedEvent(CtiMessage, id=307, kind=Kind.EVENT):
    """Event 307, ``CallAnnouncementStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    announcement_id: Annotated[str, String()] = NULL


class CallAnnouncementEndedEvent(CtiMessage, id=308, kind=Kind.EVENT):
    """Event 308, ``CallAnnouncementEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    success: Annotated[bool, Bool()] = False
    error_code: Annotated[int, Int()] = 0


class CallAnnouncementErrorEvent(CtiMessage, id=309, kind=Kind.EVENT):
    """Event 309, ``CallAnnouncementErrorEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    error_code: Annotated[int, Int()] = 0


class CallRecordingFailedEvent(CtiMessage, id=312, kind=Kind.EVENT):
    """Event 312, ``CallRecordingFailedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    cause: Annotated[enums.CALLSTATECAUSE, Int()] = enums.CALLSTATECAUSE.NOERROR
