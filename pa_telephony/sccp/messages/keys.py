"""What a person does at a phone: hook, keys, soft keys."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import U32, DirectoryNumber

__all__ = [
    "EnblocCall",
    "HeadsetStatus",
    "HookFlash",
    "KeypadButton",
    "OffHook",
    "OffHookWithCallingPartyNumber",
    "OnHook",
    "SetHookFlashDetect",
    "SoftKeyEvent",
    "Stimulus",
]


class KeypadButton(SccpMessage, id=0x0003, sender=Sender.STATION):
    """From the station; captured, 50 frames.

    KpButton 0..9 digits, 10..13 A..D, 14 star, 15 pound, 16 plus.

    30VIP-class and CM 2.x: body of 4 (button only).

    Disputed: chan-sccp allows two more unknown u32 (20 bytes); captures 12.
    """

    kp_button: Annotated[enums.KeyPadButton, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class EnblocCall(SccpMessage, id=0x0004, sender=Sender.STATION):
    """From the station; no capture.

    Two real version-22 layouts of 32 bytes are recorded in chan-sccp: 7970: char[25] then
    lineInstance at once (offset 25) then pad; 8945: char[25], 3 pad, lineInstance at offset
    28. Reader: try offset 28, if it is 0 use offset 25.

    Disputed: wireshark: lineInstance only when data_length > 28, unaligned; chan-sccp: as in
    the note; versions <= 16 have no lineInstance.
    """

    called_party: Annotated[str, DirectoryNumber()]
    line_instance: Annotated[int, U32] = 0


class Stimulus(SccpMessage, id=0x0005, sender=Sender.STATION):
    """From the station; captured, 14 frames.

    Button phones of CM 2.x: stimulus and instance only (8 bytes).

    For Line and SpeedDial stimuli the second word is the button instance.

    Disputed: field 3/4: wireshark callReference + stimulusStatus; FreeSWITCH/Asterisk
    callReference only; wazo neither.
    """

    stimulus: Annotated[enums.DeviceStimulus, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    stimulus_status: Annotated[int, U32] = 0


class OffHook(SccpMessage, id=0x0006, sender=Sender.STATION):
    """From the station; captured, 20 frames.

    Body 0 (7912, CM 2.x) or 8. 7970: both 0 for a new call; ringing call: line and
    callReference of that call. FXS: lineInstance 1 always.
    """

    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class OnHook(SccpMessage, id=0x0007, sender=Sender.STATION):
    """From the station; captured, 13 frames.

    Body 0 or 8. 7970/7962 (version >= 15): zeros, it is a hook event, not a per-call one; FXS
    gateways fill both.

    Disputed: chan-sccp: first word is a button index below version 15.
    """

    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class HookFlash(SccpMessage, id=0x0008, sender=Sender.STATION):
    """From the station; no capture."""

    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class OffHookWithCallingPartyNumber(SccpMessage, id=0x0024, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: chan-sccp has the number alone, 24 bytes.
    """

    calling_party_number: Annotated[str, DirectoryNumber()]
    cgpn_voice_mailbox: Annotated[str, DirectoryNumber()] = ""
    line_instance: Annotated[int, U32] = 0


class SoftKeyEvent(SccpMessage, id=0x0026, sender=Sender.STATION):
    """From the station; captured, 16 frames.

    LineInstance and callReference 0 when no call is selected. softKeyEvent is the number from
    the CM's SoftKeyTemplateRes.
    """

    soft_key_event: Annotated[enums.SoftKeyEvent, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class HeadsetStatus(SccpMessage, id=0x002B, sender=Sender.STATION):
    """From the station; captured, 2 frames.

    FXS gateways send Off (2) or On (1) during registration.
    """

    headset_status: Annotated[enums.HeadsetMode, U32]


class SetHookFlashDetect(SccpMessage, id=0x0087, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""
