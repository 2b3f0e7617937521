"""Lines, buttons, soft keys and forwards: what a station asks for when it starts."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.sequential.types import (
    U8,
    U16,
    U32,
    Array,
    Chars,
    CString,
    DirectoryNumber,
    Repeat,
)

__all__ = [
    "ButtonDefinition",
    "ButtonTemplateReq",
    "ButtonTemplateRes",
    "ConfigStatReq",
    "ConfigStatRes",
    "ConfigStatV2Res",
    "FeatureStatReq",
    "FeatureStatRes",
    "FeatureStatV2Res",
    "ForwardStatReq",
    "ForwardStatRes",
    "LineStatReq",
    "LineStatRes",
    "LineStatV2Res",
    "ServiceURLStatReq",
    "ServiceURLStatRes",
    "ServiceURLStatV2Res",
    "SoftKeyDefinition",
    "SoftKeySetDefinition",
    "SoftKeySetReq",
    "SoftKeySetRes",
    "SoftKeyTemplateReq",
    "SoftKeyTemplateRes",
    "SpeedDialStatReq",
    "SpeedDialStatRes",
    "SpeedDialStatV2Res",
]


class ButtonDefinition(Struct):
    """One of ``definition``."""

    instance_number: Annotated[int, U8] = 0
    button_definition: Annotated[enums.ButtonType, U8] = enums.ButtonType.UNUSED


class SoftKeyDefinition(Struct):
    """One of ``definition``."""

    soft_key_label: Annotated[str, Chars(16)] = ""
    soft_key_event: Annotated[enums.SoftKeyEvent, U32] = enums.SoftKeyEvent(0)


class SoftKeySetDefinition(Struct):
    """One of ``definition``."""

    soft_key_template_index: Annotated[tuple[int, ...], Repeat(U8, 16)] = (0,) * 16
    soft_key_info_index: Annotated[tuple[int, ...], Repeat(U16, 16)] = (0,) * 16


class ForwardStatReq(SccpMessage, id=0x0009, sender=Sender.STATION):
    """From the station; captured, 37 frames."""

    line_number: Annotated[int, U32]


class SpeedDialStatReq(SccpMessage, id=0x000A, sender=Sender.STATION):
    """From the station; captured, 10 frames."""

    speed_dial_number: Annotated[int, U32]


class LineStatReq(SccpMessage, id=0x000B, sender=Sender.STATION):
    """From the station; captured, 38 frames."""

    line_number: Annotated[int, U32]


class ConfigStatReq(SccpMessage, id=0x000C, sender=Sender.STATION):
    """From the station; captured, 30 frames."""


class ButtonTemplateReq(SccpMessage, id=0x000E, sender=Sender.STATION):
    """From the station; captured, 32 frames."""

    button_capacity: Annotated[int, U32] = 0


class SoftKeySetReq(SccpMessage, id=0x0025, sender=Sender.STATION):
    """From the station; captured, 31 frames."""


class SoftKeyTemplateReq(SccpMessage, id=0x0028, sender=Sender.STATION):
    """From the station; captured, 31 frames."""


class ServiceURLStatReq(SccpMessage, id=0x0033, sender=Sender.STATION):
    """From the station; no capture."""

    service_url_index: Annotated[int, U32]


class FeatureStatReq(SccpMessage, id=0x0034, sender=Sender.STATION):
    """From the station; captured, 1 frame.

    7912 sends it for index 1 during registration.

    Disputed: wireshark shows featureCapabilities only when data_length > 16 (dissector
    fault); chan-sccp: 8-byte body.
    """

    feature_index: Annotated[int, U32]
    feature_capabilities: Annotated[int, U32] = 0


class ForwardStatRes(SccpMessage, id=0x0090, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 9 frames.

    96-byte body from CUCM at version 20/21 = 95 + 1 pad, fields unaligned (25-byte numbers);
    92 at 17 from CME. Unset numbers may be preceded by NUL then stale memory.
    """

    active_forward: Annotated[int, U32]
    line_number: Annotated[int, U32] = 0
    forward_all_active: Annotated[int, U32] = 0
    forward_all_dirnum: Annotated[str, DirectoryNumber()] = ""
    forward_busy_active: Annotated[int, U32] = 0
    forward_busy_dirnum: Annotated[str, DirectoryNumber()] = ""
    forward_no_answer_active: Annotated[int, U32] = 0
    forward_no_answerl_dirnum: Annotated[str, DirectoryNumber()] = ""


class SpeedDialStatRes(SccpMessage, id=0x0091, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 8 frames."""

    speed_dial_number: Annotated[int, U32]
    speed_dial_dir_number: Annotated[str, Chars(24)] = ""
    speed_dial_display_name: Annotated[str, Chars(40)] = ""


class LineStatRes(SccpMessage, id=0x0092, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 29 frames.

    CM 2.x: lineNumber + number only (28). CM 4.1: 112 with lineDisplayOptions 9.

    Disputed: fourth word: wireshark/chan-sccp lineDisplayOptions (bit 1 original dialed, 2
    redirected dialed, 4 calling number, 8 calling name); wazo/FreeSWITCH a 44-byte name.
    """

    line_number: Annotated[int, U32]
    line_dir_number: Annotated[str, Chars(24)] = ""
    line_fully_qualified_display_name: Annotated[str, Chars(40)] = ""
    line_text_label: Annotated[str, Chars(40)] = ""
    line_display_options: Annotated[enums.LineTypeBits, U32] = enums.LineTypeBits(0)


class ConfigStatRes(SccpMessage, id=0x0093, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 28 frames."""

    device_name: Annotated[str, Chars(16)]
    reserved_for_future_use: Annotated[int, U32] = 0
    instance: Annotated[int, U32] = 0
    user_name: Annotated[str, Chars(40)] = ""
    server_name: Annotated[str, Chars(40)] = ""
    number_of_lines: Annotated[int, U32] = 0
    number_of_speed_dials: Annotated[int, U32] = 0


class ButtonTemplateRes(SccpMessage, id=0x0097, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 32 frames.

    Always 42 two-byte slots on CUCM/CME, 96-byte body; unused slots are instance 0, type
    0xff.

    ButtonDefinition 9 Line, 2 SpeedDial; instance counts per type from 1.

    Disputed: chan-sccp has 56 slots.
    """

    button_offset: Annotated[int, U32]
    total_button_count: Annotated[int, U32] = 0
    definition: Annotated[
        tuple[ButtonDefinition, ...],
        Array(ButtonDefinition, 42, count_before="total_button_count", slots=True),
    ] = ()


class SoftKeyTemplateRes(SccpMessage, id=0x0108, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 3 frames.

    32 slots of 20 bytes (652) from CUCM; CME sent 38 slots (772) of which 32 are used, more
    than the nominal maximum: size the array from data_length.

    CUCM labels are two-byte codes (0x80, n); CME sends plain text.
    """

    soft_key_offset: Annotated[int, U32]
    total_soft_key_count: Annotated[int, U32] = 0
    definition: Annotated[
        tuple[SoftKeyDefinition, ...],
        Array(SoftKeyDefinition, 32, count_before="total_soft_key_count", slots=True),
    ] = ()


class SoftKeySetRes(SccpMessage, id=0x0109, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 3 frames.

    16 sets of 48 bytes (780). Set order = SoftKeySet enum; CUCM 4.1 has 11 sets, 8.6 has 12,
    CME 13.

    SoftKeyTemplateIndex is a place in SoftKeyTemplateRes, counted from 1; softKeyInfoIndex is 300
    and the event of that key (113 of 113 keys of three call managers).

    Disputed: wazo, FreeSWITCH and Asterisk append a u32 (784); wireshark has names for the indices
    that captures contradict.
    """

    soft_key_set_offset: Annotated[int, U32]
    total_soft_key_set_count: Annotated[int, U32] = 0
    definition: Annotated[
        tuple[SoftKeySetDefinition, ...],
        Array(SoftKeySetDefinition, 16, count_before="total_soft_key_set_count", slots=True),
    ] = ()


class FeatureStatRes(SccpMessage, id=0x011F, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 1 frame."""

    feature_index: Annotated[int, U32]
    feature_id: Annotated[enums.ButtonType, U32] = enums.ButtonType.UNUSED
    feature_text_label: Annotated[str, Chars(40)] = ""
    feature_status: Annotated[int, U32] = 0


class ServiceURLStatRes(SccpMessage, id=0x012F, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    service_url_index: Annotated[int, U32]
    service_url: Annotated[str, Chars(256)] = ""
    service_url_display_name: Annotated[str, Chars(40)] = ""


class ConfigStatV2Res(SccpMessage, id=0x0142, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 2 frames.

    V2 order: sid, numberOfLines, numberOfSpeedDials, then two strings.

    Only one captured frame has a non-empty string: it is the first and reads "CUCM862".

    Disputed: first string userName, second serverName (wireshark); chan-sccp: userName[121],
    serverName[121], then counts (its structure does not fit the capture). The captured value
    looks like a server name, so the order of the two strings is unsure.
    """

    device_name: Annotated[str, CString()]
    reserved_for_future_use: Annotated[int, U32] = 0
    instance: Annotated[int, U32] = 0
    number_of_lines: Annotated[int, U32] = 0
    number_of_speed_dials: Annotated[int, U32] = 0
    user_name: Annotated[str, CString()] = ""
    server_name: Annotated[str, CString()] = ""


class FeatureStatV2Res(SccpMessage, id=0x0146, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    feature_index: Annotated[int, U32]
    feature_id: Annotated[enums.ButtonType, U32] = enums.ButtonType.UNUSED
    feature_status: Annotated[int, U32] = 0
    feature_text_label: Annotated[str, CString()] = ""


class LineStatV2Res(SccpMessage, id=0x0147, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 10 frames.

    Three packed strings always present; CME adds 4 NULs even when already aligned.

    Disputed: chan-sccp agrees.
    """

    line_number: Annotated[int, U32]
    line_type: Annotated[enums.LineTypeBits, U32] = enums.LineTypeBits(0)
    line_dir_number: Annotated[str, CString()] = ""
    line_fully_qualified_display_name: Annotated[str, CString()] = ""
    line_text_label: Annotated[str, CString()] = ""


class ServiceURLStatV2Res(SccpMessage, id=0x0148, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: wireshark stops after the index; the two strings come from chan-sccp.
    """

    service_url_index: Annotated[int, U32]
    service_url: Annotated[str, CString()] = ""
    service_url_display_name: Annotated[str, CString()] = ""


class SpeedDialStatV2Res(SccpMessage, id=0x0149, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 6 frames.

    Packed: 20-byte frame for an empty entry.

    Disputed: chan-sccp structure is fixed 68 bytes: capture contradicts.
    """

    speed_dial_number: Annotated[int, U32]
    speed_dial_dir_number: Annotated[str, CString()] = ""
    speed_dial_display_name: Annotated[str, CString()] = ""
