"""Call state and who calls whom."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.sequential.types import (
    U16,
    U32,
    Array,
    Chars,
    CString,
    DirectoryNumber,
    When,
)

__all__ = [
    "CallCountReq",
    "CallCountResp",
    "CallHistoryInfo",
    "CallInfo",
    "CallInfoV2",
    "CallSelectStatRes",
    "CallState",
    "DialedNumber",
    "LineData",
]


class LineData(Struct):
    """One of ``lineData``."""

    max_num_calls: Annotated[int, U16] = 0
    busy_trigger: Annotated[int, U16] = 0


class CallInfo(SccpMessage, id=0x008F, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 22 frames.

    Body 384 (CM 4.1), 372 (unknown CM: ends after lastRedirectingVoiceMailbox), 128 (CM 2.x:
    two names and numbers, nothing else).

    Disputed: callInstance/callSecurityStatus/partyPIRestrictionBits called unknown space by
    wazo and Asterisk.
    """

    calling_party_name: Annotated[str, Chars(40)]
    calling_party: Annotated[str, Chars(24)] = ""
    called_party_name: Annotated[str, Chars(40)] = ""
    called_party: Annotated[str, Chars(24)] = ""
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    call_type: Annotated[enums.CallType, U32] = enums.CallType(0)
    original_called_party_name: Annotated[str, Chars(40)] = ""
    original_called_party: Annotated[str, Chars(24)] = ""
    last_redirecting_party_name: Annotated[str, Chars(40)] = ""
    last_redirecting_party: Annotated[str, Chars(24)] = ""
    original_cdpn_redirect_reason: Annotated[int, U32] = 0
    last_redirecting_reason: Annotated[int, U32] = 0
    cgpn_voice_mailbox: Annotated[str, Chars(24)] = ""
    cdpn_voice_mailbox: Annotated[str, Chars(24)] = ""
    original_cdpn_voice_mailbox: Annotated[str, Chars(24)] = ""
    last_redirecting_voice_mailbox: Annotated[str, Chars(24)] = ""
    call_instance: Annotated[int, U32] = 0
    call_security_status: Annotated[enums.CallSecurityStatusType, U32] = (
        enums.CallSecurityStatusType.UNKNOWN
    )
    party_pi_restriction_bits: Annotated[enums.RestrictInformationType, U32] = (
        enums.RestrictInformationType(0)
    )


class CallState(SccpMessage, id=0x0111, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 71 frames.

    24-byte body; 16 (no precedence) from an old CM. privacy 0, precedenceLevel 4,
    precedenceDomain 0 always seen.

    Disputed: FreeSWITCH sends 12.
    """

    call_state: Annotated[enums.DCallState, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    privacy: Annotated[enums.CallPrivacy, U32] = enums.CallPrivacy.NONE
    precedence_level: Annotated[int, U32] = 0
    precedence_domain: Annotated[int, U32] = 0


class DialedNumber(SccpMessage, id=0x011D, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 6 frames.

    Version >= 18: char[25] then lineInstance at once (offset 25), 33 bytes + 3 pad.
    """

    dialed_number: Annotated[str, DirectoryNumber()]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class CallSelectStatRes(SccpMessage, id=0x0130, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    call_select_stat: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    line_instance: Annotated[int, U32] = 0


class CallInfoV2(SccpMessage, id=0x014A, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 45 frames.

    15 strings from version 16/17: callingParty, alternate calling, called, original called,
    last redirecting, four voice mailboxes in the same order (calling, called, original,
    last), four names, hunt pilot number, hunt pilot name.

    Disputed: version 7..15: chan-sccp sends 12 strings (no alternate calling, no hunt pilot);
    wireshark always expects the alternate number: no capture.

    Disputed: Asterisk (offered version >= 17) sends 13 strings in the same order, without the
    hunt pilot pair; tolerate fewer strings.
    """

    line_instance: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    call_type: Annotated[enums.CallType, U32] = enums.CallType(0)
    original_cdpn_redirect_reason: Annotated[int, U32] = 0
    last_redirecting_reason: Annotated[int, U32] = 0
    call_instance: Annotated[int, U32] = 0
    call_security_status: Annotated[enums.CallSecurityStatusType, U32] = (
        enums.CallSecurityStatusType.UNKNOWN
    )
    party_pi_restriction_bits: Annotated[enums.RestrictInformationType, U32] = (
        enums.RestrictInformationType(0)
    )
    calling_party: Annotated[str, CString()] = ""
    alternate_calling_party: Annotated[str, CString()] = ""
    called_party: Annotated[str, CString()] = ""
    original_called_party: Annotated[str, CString()] = ""
    last_redirecting_party: Annotated[str, CString()] = ""
    cgpn_voice_mailbox: Annotated[str, CString()] = ""
    cdpn_voice_mailbox: Annotated[str, CString()] = ""
    original_cdpn_voice_mailbox: Annotated[str, CString()] = ""
    last_redirecting_voice_mailbox: Annotated[str, CString()] = ""
    calling_party_name: Annotated[str, CString()] = ""
    called_party_name: Annotated[str, CString()] = ""
    original_called_party_name: Annotated[str, CString()] = ""
    last_redirecting_party_name: Annotated[str, CString()] = ""
    hunt_pilot_number: Annotated[str, When(CString(), since=17)] = ""
    hunt_pilot_name: Annotated[str, When(CString(), since=17)] = ""


class CallHistoryInfo(SccpMessage, id=0x0156, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    call_history_disposition: Annotated[enums.CallHistoryDisposition, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class CallCountReq(SccpMessage, id=0x015E, sender=Sender.EITHER):
    """From either side (media resource); no capture.

    Disputed: chan-sccp has one unknown word.
    """


class CallCountResp(SccpMessage, id=0x015F, sender=Sender.EITHER):
    """From either side (media resource); no capture."""

    total_num_of_configured_lines: Annotated[int, U32]
    starting_line_instance: Annotated[int, U32] = 0
    line_data: Annotated[tuple[LineData, ...], Array(LineData, 42, slots=True)] = ()
