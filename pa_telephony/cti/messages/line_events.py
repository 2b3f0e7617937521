"""What happens to lines."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import (
    CtiCallForwardInformation,
    CtiCallHandle,
    CtiGlobalCallHandle,
    LineIntercomSpeedDialInfo,
    PartyDNInfo,
)
from pa_telephony.wire.offset.types import NULL, Bool, Int, Ints, Nested, String, Structs, UString

__all__ = [
    "LineAutoAcceptStatusEvent",
    "LineBargeEndedEvent",
    "LineBargeStartedEvent",
    "LineCBargeEndedEvent",
    "LineCBargeStartedEvent",
    "LineClosedEvent",
    "LineConferenceEndedEvent",
    "LineConferenceStartedEvent",
    "LineForwardEvent",
    "LineHuntCallStatusEvent",
    "LineInServiceEvent",
    "LineIntercomSpeedDialInfoChangedEv",
    "LineIntercomSpeedDialInfoRestorationFailedEv",
    "LineMonitorTerminatedEvent",
    "LineOutOfServiceEvent",
    "LineParkStatusEvent",
    "LineTransferEndedEvent",
    "LineTransferStartedEvent",
]


class LineClosedEvent(CtiMessage, id=47, kind=Kind.EVENT):
    """Event 47, ``LineClosedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.LINECLOSEREASON, Int()] = enums.LINECLOSEREASON.UNKNOWN


class LineOutOfServiceEvent(CtiMessage, id=113, kind=Kind.EVENT):
    """Event 113, ``LineOutOfServiceEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    reason: Annotated[enums.LINEOUTOFSERVICEREASON, Int()] = enums.LINEOUTOFSERVICEREASON.UNKNOWN


class LineInServiceEvent(CtiMessage, id=114, kind=Kind.EVENT):
    """Event 114, ``LineInServiceEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    default_intercom_info: Annotated[
        LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)
    ] = LineIntercomSpeedDialInfo()
    current_intercom_info: Annotated[
        LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)
    ] = LineIntercomSpeedDialInfo()
    is_intercom_target_set: Annotated[bool, Bool()] = False


class LineForwardEvent(CtiMessage, id=123, kind=Kind.EVENT):
    """Event 123, ``LineForwardEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    forward_array: Annotated[
        tuple[CtiCallForwardInformation, ...], Structs(CtiCallForwardInformation)
    ] = ()


class LineTransferStartedEvent(CtiMessage, id=166, kind=Kind.EVENT):
    """Event 166, ``LineTransferStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    controller_number: Annotated[str, String()] = NULL
    controller_name: Annotated[str, String()] = NULL
    surviving_gcmid: Annotated[int, Int()] = 0
    surviving_gccid: Annotated[int, Int()] = 0
    other_gcmid: Annotated[int, Int()] = 0
    other_gccid: Annotated[int, Int()] = 0
    surving_call_type: Annotated[int, Int()] = 0
    other_call_type: Annotated[int, Int()] = 0
    b_remote_in_use: Annotated[bool, Bool()] = False
    unicode_controller_name: Annotated[str, UString()] = ""
    unicode_controller_namelocale: Annotated[int, Int()] = 0
    controller_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    controller_device_name: Annotated[str, String()] = NULL
    final_controller_call_manager_id: Annotated[int, Int()] = 0
    final_controller_call_leg_id: Annotated[int, Int()] = 0
    other_controller_call_manager_id: Annotated[int, Int()] = 0
    other_controller_call_leg_id: Annotated[int, Int()] = 0
    controller_hunt_member_dn: Annotated[str, String()] = NULL
    controller_hunt_member_partition: Annotated[str, String()] = NULL


class LineTransferEndedEvent(CtiMessage, id=167, kind=Kind.EVENT):
    """Event 167, ``LineTransferEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    success: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False
    idle_calls: Annotated[tuple[CtiCallHandle, ...], Structs(CtiCallHandle)] = ()


class LineConferenceStartedEvent(CtiMessage, id=169, kind=Kind.EVENT):
    """Event 169, ``LineConferenceStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    controller_number: Annotated[str, String()] = NULL
    controller_name: Annotated[str, String()] = NULL
    surviving_gcmid: Annotated[int, Int()] = 0
    surviving_gccid: Annotated[int, Int()] = 0
    other_gci_ds: Annotated[tuple[CtiGlobalCallHandle, ...], Structs(CtiGlobalCallHandle)] = ()
    b_remote_in_use: Annotated[bool, Bool()] = False
    unicode_controller_name: Annotated[str, UString()] = ""
    unicode_controller_namelocale: Annotated[int, Int()] = 0
    controller_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    requestor_number: Annotated[str, String()] = NULL
    requestor_name: Annotated[str, String()] = NULL
    primary_call_type: Annotated[int, Int()] = 0
    secondary_call_types: Annotated[tuple[int, ...], Ints()] = ()
    unicode_requestor_name: Annotated[str, UString()] = ""
    unicode_requestor_name_locale: Annotated[int, Int()] = 0
    requestor_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    controller_device_name: Annotated[str, String()] = NULL
    requestor_device_name: Annotated[str, String()] = NULL
    controller_hunt_member_dn: Annotated[str, String()] = NULL
    controller_hunt_member_partition: Annotated[str, String()] = NULL
    requestor_hunt_member_dn: Annotated[str, String()] = NULL
    requestor_hunt_member_partition: Annotated[str, String()] = NULL


class LineConferenceEndedEvent(CtiMessage, id=170, kind=Kind.EVENT):
    """Event 170, ``LineConferenceEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    success: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False
    idle_calls: Annotated[tuple[CtiCallHandle, ...], Structs(CtiCallHandle)] = ()
    controller_number: Annotated[str, String()] = NULL
    controller_name: Annotated[str, String()] = NULL
    unicode_controller_name: Annotated[str, UString()] = ""
    unicode_controller_namelocale: Annotated[int, Int()] = 0
    controller_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    controller_device_name: Annotated[str, String()] = NULL
    requestor_number: Annotated[str, String()] = NULL
    requestor_name: Annotated[str, String()] = NULL
    unicode_requestor_name: Annotated[str, UString()] = ""
    unicode_requestor_namelocale: Annotated[int, Int()] = 0
    requestor_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    requestor_device_name: Annotated[str, String()] = NULL
    controller_hunt_member_dn: Annotated[str, String()] = NULL
    controller_hunt_member_partition: Annotated[str, String()] = NULL
    requestor_hunt_member_dn: Annotated[str, String()] = NULL
    requestor_hunt_member_partition: Annotated[str, String()] = NULL


class LineBargeStartedEvent(CtiMessage, id=176, kind=Kind.EVENT):
    """Event 176, ``LineBargeStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    controller_number: Annotated[str, String()] = NULL
    controller_name: Annotated[str, String()] = NULL
    surviving_gcmid: Annotated[int, Int()] = 0
    surviving_gccid: Annotated[int, Int()] = 0
    other_gcmid: Annotated[int, Int()] = 0
    other_gccid: Annotated[int, Int()] = 0
    b_remote_in_use: Annotated[bool, Bool()] = False
    unicode_controller_name: Annotated[str, UString()] = ""
    unicode_controller_namelocale: Annotated[int, Int()] = 0
    controller_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()


class LineBargeEndedEvent(CtiMessage, id=177, kind=Kind.EVENT):
    """Event 177, ``LineBargeEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    success: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False


class LineCBargeStartedEvent(CtiMessage, id=196, kind=Kind.EVENT):
    """Event 196, ``LineCBargeStartedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    controller_number: Annotated[str, String()] = NULL
    controller_name: Annotated[str, String()] = NULL
    surviving_gcmid: Annotated[int, Int()] = 0
    surviving_gccid: Annotated[int, Int()] = 0
    other_gcmid: Annotated[int, Int()] = 0
    other_gccid: Annotated[int, Int()] = 0
    b_remote_in_use: Annotated[bool, Bool()] = False
    unicode_controller_name: Annotated[str, UString()] = ""
    unicode_controller_namelocale: Annotated[int, Int()] = 0
    controller_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()
    requestor_number: Annotated[str, String()] = NULL
    requestor_name: Annotated[str, String()] = NULL
    unicode_requestor_name: Annotated[str, UString()] = ""
    unicode_requestor_name_locale: Annotated[int, Int()] = 0
    requestor_party_dn_info: Annotated[PartyDNInfo, Nested(PartyDNInfo)] = PartyDNInfo()


class LineCBargeEndedEvent(CtiMessage, id=197, kind=Kind.EVENT):
    """Event 197, ``LineCBargeEndedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    success: Annotated[bool, Bool()] = False
    b_remote_in_use: Annotated[bool, Bool()] = False


class LineAutoAcceptStatusEvent(CtiMessage, id=203, kind=Kind.EVENT):
    """Event 203, ``LineAutoAcceptStatusEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    auto_accept_status: Annotated[enums.LINEAUTOACCEPTSTATUS, Int()] = (
        enums.LINEAUTOACCEPTSTATUS.AUTOACCEPT_OFF
    )


class LineIntercomSpeedDialInfoChangedEv(CtiMessage, id=226, kind=Kind.EVENT):
    """Event 226, ``LineIntercomSpeedDialInfoChangedEv``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    default_intercom_info: Annotated[
        LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)
    ] = LineIntercomSpeedDialInfo()
    current_intercom_info: Annotated[
        LineIntercomSpeedDialInfo, Nested(LineIntercomSpeedDialInfo)
    ] = LineIntercomSpeedDialInfo()
    is_intercom_target_set: Annotated[bool, Bool()] = False


class LineIntercomSpeedDialInfoRestorationFailedEv(CtiMessage, id=227, kind=Kind.EVENT):
    """Event 227, ``LineIntercomSpeedDialInfoRestorationFailedEv``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    reason: Annotated[int, Int()] = 0


class LineParkStatusEvent(CtiMessage, id=254, kind=Kind.EVENT):
    """Event 254, ``LineParkStatusEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    call_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[str, String()] = NULL
    park_state: Annotated[enums.PARKSTATUS, Int()] = enums.PARKSTATUS(0)
    park_dn: Annotated[str, String()] = NULL
    park_dn_partition: Annotated[str, String()] = NULL
    parked_party: Annotated[str, String()] = NULL
    parked_party_partition: Annotated[str, String()] = NULL
    is_existing: Annotated[bool, Bool()] = False


class LineHuntCallStatusEvent(CtiMessage, id=255, kind=Kind.EVENT):
    """Event 255, ``LineHuntCallStatusEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    global_call_manager_id: Annotated[int, Int()] = 0
    global_call_id: Annotated[int, Int()] = 0
    hunt_call_disposition: Annotated[enums.HuntListCallDispositionType, Int()] = (
        enums.HuntListCallDispositionType(0)
    )
    re_route_dn: Annotated[str, String()] = NULL
    re_route_partition: Annotated[str, String()] = NULL


class LineMonitorTerminatedEvent(CtiMessage, id=265, kind=Kind.EVENT):
    """Event 265, ``LineMonitorTerminatedEvent``."""

    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    transaction_id: Annotated[int, Int()] = 0
    cause: Annotated[int, Int()] = 0
    monitor_target_dn: Annotated[str, String()] = NULL
    monitor_target_partition: Annotated[str, String()] = NULL
    target_call_manager_id: Annotated[int, Int()] = 0
    target_call_leg_id: Annotated[int, Int()] = 0
    monitor_initiator_device_name: Annotated[str, String()] = NULL
