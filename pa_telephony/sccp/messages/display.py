"""What a phone shows, rings and lights."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.sequential.types import (
    U32,
    Chars,
    CString,
    When,
)

__all__ = [
    "ActivateCallPlane",
    "BackSpaceRes",
    "ClearDisplay",
    "ClearNotify",
    "ClearPriNotify",
    "ClearPromptStatus",
    "DeactivateCallPlane",
    "DisplayNotify",
    "DisplayNotifyV2",
    "DisplayPriNotify",
    "DisplayPriNotifyV2",
    "DisplayPromptStatus",
    "DisplayPromptStatusV2",
    "DisplayText",
    "SelectSoftKeys",
    "SetLamp",
    "SetMicroMode",
    "SetRinger",
    "SetSpeakerMode",
    "StartTone",
    "StopTone",
]


class StartTone(SccpMessage, id=0x0082, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 27 frames.

    Tone_output_direction 0 (user) in every capture. CM 2.x: tone only.
    """

    tone: Annotated[enums.DeviceTone, U32]
    tone_output_direction: Annotated[enums.ToneOutputDirection, U32] = (
        enums.ToneOutputDirection.USER
    )
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class StopTone(SccpMessage, id=0x0083, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 73 frames.

    Body 0 (CM 2.x), 8 (version 6), 12 (20, 21).
    """

    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    tone: Annotated[enums.DeviceTone, When(U32, since=11)] = enums.DeviceTone.SILENCE


class SetRinger(SccpMessage, id=0x0085, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 34 frames.

    Body 4 (CM 2.x), 12 (unknown old CM), 16. On idle CUCM sends RingOff with line 0 and
    callReference 0.

    Disputed: wazo/Asterisk send 20 bytes.
    """

    ring_mode: Annotated[enums.RingMode, U32]
    ring_duration: Annotated[enums.RingDuration, U32] = enums.RingDuration(0)
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class SetLamp(SccpMessage, id=0x0086, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 48 frames.

    Line lamp: Blink while ringing, On in use, Off idle, Wink on hold (observed by pyskinny),
    Flash held remotely on CM 2.x; VoiceMail lamp (15) carries message waiting.
    """

    stimulus: Annotated[enums.DeviceStimulus, U32]
    stimulus_instance: Annotated[int, U32] = 0
    lamp_mode: Annotated[enums.LampMode, U32] = enums.LampMode(0)


class SetSpeakerMode(SccpMessage, id=0x0088, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 28 frames."""

    speaker_mode: Annotated[enums.SpeakerMode, U32]


class SetMicroMode(SccpMessage, id=0x0089, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    mic_mode: Annotated[enums.MicrophoneMode, U32]


class DisplayText(SccpMessage, id=0x0099, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 12 frames.

    Disputed: text 32 (wireshark, chan-sccp), 33 (Cisco guide, capture 33+3 pad), 40
    (Asterisk).
    """

    text: Annotated[str, Chars(33)]


class ClearDisplay(SccpMessage, id=0x009A, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: chan-sccp and Asterisk send one word.
    """


class SelectSoftKeys(SccpMessage, id=0x0110, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 62 frames.

    ValidKeyMask: bit n enables the (n+1)th key of the set; CUCM 0xffffffff idle, 0xfffffdff
    connected; CME 0xffbe idle. lineInstance/callReference 0 for the idle set.

    Disputed: 16 significant bits on FreeSWITCH/Asterisk, 32 elsewhere.
    """

    line_instance: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    soft_key_set_index: Annotated[enums.SoftKeySet, U32] = enums.SoftKeySet.ON_HOOK
    valid_key_mask: Annotated[int, U32] = 0


class DisplayPromptStatus(SccpMessage, id=0x0112, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 5 frames.

    Fixed form used below version 17 (captured at 6).

    Disputed: Asterisk sends 56 bytes; captures 44.
    """

    time_out_value: Annotated[int, U32]
    prompt_status: Annotated[str, Chars(32)] = ""
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class ClearPromptStatus(SccpMessage, id=0x0113, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 13 frames."""

    line_instance: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0


class DisplayNotify(SccpMessage, id=0x0114, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: text 32 (wireshark) or 100 (wazo, Asterisk).
    """

    time_out_value: Annotated[int, U32]
    notify: Annotated[str, Chars(32)] = ""


class ClearNotify(SccpMessage, id=0x0115, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 4 frames."""


class ActivateCallPlane(SccpMessage, id=0x0116, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 5 frames.

    Sent when a call becomes the active one on a line.
    """

    line_instance: Annotated[int, U32]


class DeactivateCallPlane(SccpMessage, id=0x0117, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""


class BackSpaceRes(SccpMessage, id=0x0119, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    line_instance: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0


class DisplayPriNotify(SccpMessage, id=0x0120, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 1 frame."""

    time_out_value: Annotated[int, U32]
    priority: Annotated[int, U32] = 0
    notify: Annotated[str, Chars(32)] = ""


class ClearPriNotify(SccpMessage, id=0x0121, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 8 frames."""

    priority: Annotated[int, U32]


class DisplayNotifyV2(SccpMessage, id=0x0143, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    time_out_value: Annotated[int, U32]
    notify: Annotated[str, CString()] = ""


class DisplayPriNotifyV2(SccpMessage, id=0x0144, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 5 frames."""

    time_out_value: Annotated[int, U32]
    priority: Annotated[int, U32] = 0
    notify: Annotated[str, CString()] = ""


class DisplayPromptStatusV2(SccpMessage, id=0x0145, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 40 frames."""

    time_out_value: Annotated[int, U32]
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    prompt_status: Annotated[str, CString()] = ""
