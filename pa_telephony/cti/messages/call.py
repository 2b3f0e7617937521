"""Requests to calls and their answers."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.cti import enums
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.cti.messages.structs import PartyDNInfo
from pa_telephony.wire.offset.types import (
    NULL,
    Bool,
    Bytes,
    Handle,
    Handles,
    HandleWords,
    Int,
    Ints,
    Nested,
    String,
    UString,
)

__all__ = [
    "CallAcceptRequest",
    "CallAcceptResponse",
    "CallAnswerRequest",
    "CallAnswerResponse",
    "CallBlindConferenceRequest",
    "CallBlindConferenceResponse",
    "CallBlindTransferRequest",
    "CallBlindTransferResponse",
    "CallCloseRequest",
    "CallCloseResponse",
    "CallCompleteConferenceRequest",
    "CallCompleteConferenceResponse",
    "CallCompleteTransferRequest",
    "CallCompleteTransferResponse",
    "CallConferenceDropPartyRequest",
    "CallConferenceDropPartyResponse",
    "CallDialRequest",
    "CallDialResponse",
    "CallDirectTransferRequest",
    "CallDirectTransferResponse",
    "CallDisconnectRequest",
    "CallDisconnectResponse",
    "CallGetInfoRequest",
    "CallGetInfoResponse",
    "CallHoldRequest",
    "CallHoldResponse",
    "CallIntercomTalkbackRequest",
    "CallIntercomTalkbackResponse",
    "CallJoinRequest",
    "CallJoinResponse",
    "CallParkRequest",
    "CallParkResponse",
    "CallPlayDtmfRequest",
    "CallPlayDtmfResponse",
    "CallPlayToneRequest",
    "CallPlayToneResponse",
    "CallRecordingStartRequest",
    "CallRecordingStartResponse",
    "CallRedirectRequest",
    "CallRedirectResponse",
    "CallRetrieveRequest",
    "CallRetrieveResponse",
    "CallSetupConferenceRequest",
    "CallSetupConferenceResponse",
    "CallSetupTransferRequest",
    "CallSetupTransferResponse",
    "CallStartSendMediaToBIBRequest",
    "CallStartSendMediaToBIBResponse",
    "CallStopAnnouncementRequest",
    "CallStopAnnouncementResponse",
    "CallStopRecordingRequest",
    "CallStopRecordingResponse",
    "CallStopSendMediaToBIBRequest",
    "CallStopSendMediaToBIBResponse",
]


class CallAcceptRequest(CtiMessage, id=50, kind=Kind.REQUEST):
    """Request 50, ``CallAcceptRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0


class CallAcceptResponse(CtiMessage, id=51, kind=Kind.RESPONSE):
    """Response 51, ``CallAcceptResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallAnswerRequest(CtiMessage, id=52, kind=Kind.REQUEST):
    """Request 52, ``CallAnswerRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    media_device_name: Annotated[str, String()] = NULL
    media_resource_id: Annotated[int, Int()] = 0


class CallAnswerResponse(CtiMessage, id=53, kind=Kind.RESPONSE):
    """Response 53, ``CallAnswerResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallBlindConferenceRequest(CtiMessage, id=54, kind=Kind.REQUEST):
    """Request 54, ``CallBlindConferenceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    new_global_call_manager_id: Annotated[int, Int()] = 0
    new_global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    dest_address: Annotated[str, String()] = NULL
    user_data: Annotated[bytes, Bytes()] = b""


class CallBlindConferenceResponse(CtiMessage, id=55, kind=Kind.RESPONSE):
    """Response 55, ``CallBlindConferenceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallBlindTransferRequest(CtiMessage, id=56, kind=Kind.REQUEST):
    """Request 56, ``CallBlindTransferRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    new_global_call_manager_id: Annotated[int, Int()] = 0
    new_global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    dest_address: Annotated[str, String()] = NULL
    user_data: Annotated[bytes, Bytes()] = b""


class CallBlindTransferResponse(CtiMessage, id=57, kind=Kind.RESPONSE):
    """Response 57, ``CallBlindTransferResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallCloseRequest(CtiMessage, id=58, kind=Kind.REQUEST):
    """Request 58, ``CallCloseRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallCloseResponse(CtiMessage, id=59, kind=Kind.RESPONSE):
    """Response 59, ``CallCloseResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallCompleteConferenceRequest(CtiMessage, id=60, kind=Kind.REQUEST):
    """Request 60, ``CallCompleteConferenceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    consult_call_manager_id: Annotated[int, Int()] = 0
    consult_call_leg_id: Annotated[int, Int()] = 0


class CallCompleteConferenceResponse(CtiMessage, id=61, kind=Kind.RESPONSE):
    """Response 61, ``CallCompleteConferenceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallCompleteTransferRequest(CtiMessage, id=62, kind=Kind.REQUEST):
    """Request 62, ``CallCompleteTransferRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    consult_call_manager_id: Annotated[int, Int()] = 0
    consult_call_leg_id: Annotated[int, Int()] = 0


class CallCompleteTransferResponse(CtiMessage, id=63, kind=Kind.RESPONSE):
    """Response 63, ``CallCompleteTransferResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallDialRequest(CtiMessage, id=64, kind=Kind.REQUEST):
    """Request 64, ``CallDialRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    dest_address: Annotated[str, String()] = NULL


class CallDialResponse(CtiMessage, id=65, kind=Kind.RESPONSE):
    """Response 65, ``CallDialResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallDisconnectRequest(CtiMessage, id=66, kind=Kind.REQUEST):
    """Request 66, ``CallDisconnectRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallDisconnectResponse(CtiMessage, id=67, kind=Kind.RESPONSE):
    """Response 67, ``CallDisconnectResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallPlayDtmfRequest(CtiMessage, id=68, kind=Kind.REQUEST):
    """Request 68, ``CallPlayDtmfRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    dtmf_digits: Annotated[tuple[int, ...], Ints()] = ()
    rate: Annotated[int, Int()] = 0


class CallPlayDtmfResponse(CtiMessage, id=69, kind=Kind.RESPONSE):
    """Response 69, ``CallPlayDtmfResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallPlayToneRequest(CtiMessage, id=70, kind=Kind.REQUEST):
    """Request 70, ``CallPlayToneRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    tone: Annotated[enums.CTITONE, Int()] = enums.CTITONE.SILENCE
    direction: Annotated[int, Int()] = 0


class CallPlayToneResponse(CtiMessage, id=71, kind=Kind.RESPONSE):
    """Response 71, ``CallPlayToneResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallGetInfoRequest(CtiMessage, id=72, kind=Kind.REQUEST):
    """Request 72, ``CallGetInfoRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallGetInfoResponse(CtiMessage, id=73, kind=Kind.RESPONSE):
    """Response 73, ``CallGetInfoResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    device_name: Annotated[str, String()] = NULL
    line_dir: Annotated[str, String()] = NULL
    original_party: Annotated[str, String()] = NULL
    original_party_name: Annotated[str, String()] = NULL
    calling_party: Annotated[str, String()] = NULL
    calling_party_name: Annotated[str, String()] = NULL
    called_party: Annotated[str, String()] = NULL
    called_party_name: Annotated[str, String()] = NULL
    reason: Annotated[enums.CALLREASON, Int()] = enums.CALLREASON(0)
    origin: Annotated[enums.CALLORIGIN, Int()] = enums.CALLORIGIN(0)
    active_tone: Annotated[int, Int()] = 0
    user_data: Annotated[bytes, Bytes()] = b""
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


class CallHoldRequest(CtiMessage, id=74, kind=Kind.REQUEST):
    """Request 74, ``CallHoldRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    content_id: Annotated[str, String()] = NULL


class CallHoldResponse(CtiMessage, id=75, kind=Kind.RESPONSE):
    """Response 75, ``CallHoldResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallRedirectRequest(CtiMessage, id=76, kind=Kind.REQUEST):
    """Request 76, ``CallRedirectRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    redirect_address: Annotated[str, String()] = NULL
    unconditional: Annotated[bool, Bool()] = False
    calling_search_space: Annotated[enums.REDIRECTPARAMS, Int()] = (
        enums.REDIRECTPARAMS.REDIRECT_NORMAL
    )
    called_address_option: Annotated[enums.REDIRECTPARAMS, Int()] = (
        enums.REDIRECTPARAMS.REDIRECT_NORMAL
    )
    redirect_reason: Annotated[enums.REDIRECTPARAMS, Int()] = enums.REDIRECTPARAMS.REDIRECT_NORMAL
    preferred_original_called_party: Annotated[str, String()] = NULL
    modified_calling_party: Annotated[str, String()] = NULL
    modified_calling_party_reason: Annotated[enums.REDIRECTPARAMS, Int()] = (
        enums.REDIRECTPARAMS.REDIRECT_NORMAL
    )
    fac_code: Annotated[str, String()] = NULL
    cmc_code: Annotated[str, String()] = NULL
    feature_priority: Annotated[enums.FEATUREPRIORITY, Int()] = enums.FEATUREPRIORITY(0)
    application_xml_data: Annotated[bytes, Bytes()] = b""
    device_name: Annotated[str, String()] = NULL


class CallRedirectResponse(CtiMessage, id=77, kind=Kind.RESPONSE):
    """Response 77, ``CallRedirectResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallRetrieveRequest(CtiMessage, id=78, kind=Kind.REQUEST):
    """Request 78, ``CallRetrieveRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallRetrieveResponse(CtiMessage, id=79, kind=Kind.RESPONSE):
    """Response 79, ``CallRetrieveResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallSetupConferenceRequest(CtiMessage, id=80, kind=Kind.REQUEST):
    """Request 80, ``CallSetupConferenceRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    new_call_manager_id: Annotated[int, Int()] = 0
    new_global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    dest_address: Annotated[str, String()] = NULL
    user_data: Annotated[bytes, Bytes()] = b""


class CallSetupConferenceResponse(CtiMessage, id=81, kind=Kind.RESPONSE):
    """Response 81, ``CallSetupConferenceResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    consult_call_manager_id: Annotated[int, Int()] = 0
    consult_call_id: Annotated[int, Int()] = 0
    consult_line: Annotated[str, String()] = NULL
    consult_line_partition: Annotated[str, String()] = NULL


class CallSetupTransferRequest(CtiMessage, id=82, kind=Kind.REQUEST):
    """Request 82, ``CallSetupTransferRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    new_call_manager_id: Annotated[int, Int()] = 0
    new_global_call_id: Annotated[int, Int()] = 0
    calling_address: Annotated[str, String()] = NULL
    dest_address: Annotated[str, String()] = NULL
    user_data: Annotated[bytes, Bytes()] = b""
    b_never_connect_media_for_consult_call: Annotated[bool, Bool()] = False


class CallSetupTransferResponse(CtiMessage, id=83, kind=Kind.RESPONSE):
    """Response 83, ``CallSetupTransferResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    consult_call_manager_id: Annotated[int, Int()] = 0
    consult_call_id: Annotated[int, Int()] = 0
    consult_line: Annotated[str, String()] = NULL
    consult_line_partition: Annotated[str, String()] = NULL


class CallParkRequest(CtiMessage, id=141, kind=Kind.REQUEST):
    """Request 141, ``CallParkRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    call_park_type: Annotated[int, Int()] = 0
    park_at_address: Annotated[str, String()] = NULL


class CallParkResponse(CtiMessage, id=142, kind=Kind.RESPONSE):
    """Response 142, ``CallParkResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
    parked_at: Annotated[str, String()] = NULL
    parked_at_partition: Annotated[str, String()] = NULL


class CallDirectTransferRequest(CtiMessage, id=172, kind=Kind.REQUEST):
    """Request 172, ``CallDirectTransferRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    other_call_handle: Annotated[Handle, HandleWords()] = Handle()


class CallDirectTransferResponse(CtiMessage, id=173, kind=Kind.RESPONSE):
    """Response 173, ``CallDirectTransferResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallJoinRequest(CtiMessage, id=174, kind=Kind.REQUEST):
    """Request 174, ``CallJoinRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    other_calls: Annotated[tuple[Handle, ...], Handles()] = ()


class CallJoinResponse(CtiMessage, id=175, kind=Kind.RESPONSE):
    """Response 175, ``CallJoinResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallIntercomTalkbackRequest(CtiMessage, id=228, kind=Kind.REQUEST):
    """Request 228, ``CallIntercomTalkbackRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallIntercomTalkbackResponse(CtiMessage, id=229, kind=Kind.RESPONSE):
    """Response 229, ``CallIntercomTalkbackResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallRecordingStartRequest(CtiMessage, id=233, kind=Kind.REQUEST):
    """Request 233, ``CallRecordingStartRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    tone: Annotated[enums.CTITONE, Int()] = enums.CTITONE.SILENCE
    invocation_type: Annotated[enums.RECORDINGINVOCATIONTYPE, Int()] = (
        enums.RECORDINGINVOCATIONTYPE.NOT_APPLICABLE
    )


class CallRecordingStartResponse(CtiMessage, id=234, kind=Kind.RESPONSE):
    """Response 234, ``CallRecordingStartResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallStopRecordingRequest(CtiMessage, id=235, kind=Kind.REQUEST):
    """Request 235, ``CallStopRecordingRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    invocation_type: Annotated[enums.RECORDINGINVOCATIONTYPE, Int()] = (
        enums.RECORDINGINVOCATIONTYPE.NOT_APPLICABLE
    )


class CallStopRecordingResponse(CtiMessage, id=236, kind=Kind.RESPONSE):
    """Response 236, ``CallStopRecordingResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallConferenceDropPartyRequest(CtiMessage, id=252, kind=Kind.REQUEST):
    """Request 252, ``CallConferenceDropPartyRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    drop_party_call_manager_id: Annotated[int, Int()] = 0
    drop_party_call_leg_id: Annotated[int, Int()] = 0


class CallConferenceDropPartyResponse(CtiMessage, id=253, kind=Kind.RESPONSE):
    """Response 253, ``CallConferenceDropPartyResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallStartSendMediaToBIBRequest(CtiMessage, id=267, kind=Kind.REQUEST):
    """Request 267, ``CallStartSendMediaToBIBRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0
    called_party_number: Annotated[str, String()] = NULL
    stream_dn: Annotated[str, String()] = NULL


class CallStartSendMediaToBIBResponse(CtiMessage, id=268, kind=Kind.RESPONSE):
    """Response 268, ``CallStartSendMediaToBIBResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallStopSendMediaToBIBRequest(CtiMessage, id=269, kind=Kind.REQUEST):
    """Request 269, ``CallStopSendMediaToBIBRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallStopSendMediaToBIBResponse(CtiMessage, id=270, kind=Kind.RESPONSE):
    """Response 270, ``CallStopSendMediaToBIBResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)


class CallStopAnnouncementRequest(CtiMessage, id=305, kind=Kind.REQUEST):
    """Request 305, ``CallStopAnnouncementRequest``."""

    sequence_number: Annotated[int, Int()] = 0
    line_call_manager_id: Annotated[int, Int()] = 0
    line_id: Annotated[int, Int()] = 0
    call_leg_call_manager_id: Annotated[int, Int()] = 0
    call_leg_id: Annotated[int, Int()] = 0


class CallStopAnnouncementResponse(CtiMessage, id=306, kind=Kind.RESPONSE):
    """Response 306, ``CallStopAnnouncementResponse``."""

    sequence_number: Annotated[int, Int()] = 0
    result: Annotated[enums.CTIFAILURE, Int()] = enums.CTIFAILURE(0)
