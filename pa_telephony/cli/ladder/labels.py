"""The text of a message on a ladder: its name, its most important value, and its noise."""

from __future__ import annotations

from pa_telephony.cli.capture import Frame
from pa_telephony.cti import messages as cti
from pa_telephony.sccp import enums, messages as sccp
from pa_telephony.sccp.phrases import english

__all__ = ["codec_name", "label", "noise"]

_COVERED = 0xFFFFFFFF
_DIGITS = "0123456789ABCD*#+"

# RFC 3551, tables 4 and 5: the types that are in use.
_STATIC_TYPES = {
    0: "PCMU",
    3: "GSM",
    4: "G723",
    8: "PCMA",
    9: "G722",
    13: "comfort noise",
    15: "G728",
    18: "G729",
    34: "H263",
}

_NOISE = {
    "keepalives": {"KeepAliveReq", "KeepAliveAck", "Heartbeat"},
    "lamps": {"SetLamp", "SetRinger", "SetSpeakerMode", "SetMicroMode", "SelectSoftKeys"},
    "prompts": {
        "ActivateCallPlane",
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
    },
    "tones": {"StartTone", "StopTone"},
    "set-up": {
        "Alarm",
        "ButtonTemplateReq",
        "ButtonTemplateRes",
        "CapabilitiesReq",
        "CapabilitiesRes",
        "CapabilitiesV2Res",
        "CapabilitiesV3Res",
        "ConfigStatReq",
        "ConfigStatRes",
        "ConfigStatV2Res",
        "FeatureStatReq",
        "FeatureStatRes",
        "FeatureStatV2Res",
        "ForwardStatReq",
        "ForwardStatRes",
        "HeadsetStatus",
        "IpPort",
        "LineStatReq",
        "LineStatRes",
        "LineStatV2Res",
        "MediaResourceNotification",
        "RegisterAvailableLines",
        "ServerReq",
        "ServerRes",
        "ServiceURLStatReq",
        "ServiceURLStatRes",
        "ServiceURLStatV2Res",
        "SetHookFlashDetect",
        "SoftKeySetReq",
        "SoftKeySetRes",
        "SoftKeyTemplateReq",
        "SoftKeyTemplateRes",
        "SpeedDialStatReq",
        "SpeedDialStatRes",
        "SpeedDialStatV2Res",
        "SubscriptionStatReq",
        "SubscriptionStatRes",
        "TimeDateReq",
        "TimeDateRes",
        "UpdateCapabilities",
        "VersionReq",
        "VersionRes",
    },
}
_WHY = {name: why for why, names in _NOISE.items() for name in names}

# Messages of CTI that open or close providers, devices and lines, but for the login itself.
_CTI_SET_UP = ("Device", "Line", "Provider")
_CTI_SHOWN = {"ProviderOpenRequest", "ProviderOpenResponse", "ProviderClosedEvent"}


def noise(frame: Frame) -> str:
    """The kind of noise that a message is (``"lamps"``), "" for a message that readers look for."""
    if frame.protocol == "cti":
        set_up = frame.name.startswith(_CTI_SET_UP) and frame.name not in _CTI_SHOWN
        return "set-up" if set_up else _WHY.get(frame.name, "")
    return _WHY.get(frame.name, "")


def codec_name(payload_type: int, events: set[int]) -> str:
    """The codec of an RTP payload type; ``events`` are those agreed on for digits (RFC 4733)."""
    if payload_type in events:
        return "digits"
    return _STATIC_TYPES.get(payload_type, f"type {payload_type}")


def label(frame: Frame) -> str:
    """The most important value of a message, "" when its name says it all."""
    if frame.message is None:
        return frame.error
    return _cti(frame.message) if frame.protocol == "cti" else _sccp(frame.message)


def _sccp(message: object) -> str:
    match message:
        case sccp.CallState():
            return message.call_state.name
        case sccp.CallInfo() | sccp.CallInfoV2():
            return f"{message.calling_party or '?'} → {message.called_party or '?'}"
        case sccp.KeypadButton():
            key = int(message.kp_button)
            # A key that a trace has covered has no digit.
            return _DIGITS[key] if key < len(_DIGITS) else "•" if key == _COVERED else str(key)
        case sccp.EnblocCall():
            return message.called_party
        case sccp.DialedNumber():
            return message.dialed_number
        case sccp.SoftKeyEvent():
            return message.soft_key_event.name
        case sccp.Stimulus():
            return message.stimulus.name
        case sccp.StartTone():
            return message.tone.name
        case sccp.OpenReceiveChannel():
            return f"{message.compression_type.name} {message.milli_second_packet_size} ms"
        case sccp.OpenReceiveChannelAck():
            if message.media_reception_status != enums.MediaStatus.OK:
                return message.media_reception_status.name
            return f"{message.ip_addr}:{message.port_number}"
        case sccp.StartMediaTransmission():
            return f"to {message.remote_ip_addr}:{message.remote_port_number}"
        case sccp.StartMediaTransmissionAck():
            if message.media_transmission_status != enums.MediaStatus.OK:
                return message.media_transmission_status.name
            return f"{message.transmit_ip_addr}:{message.port_number}"
        case sccp.RegisterReq():
            return message.device_name
        case sccp.RegisterReject():
            return message.text
        case sccp.RegisterTokenReq():
            return message.device_name
        case sccp.UnregisterAck():
            return message.status.name
        case sccp.Reset():
            return message.reset_type.name
        case sccp.SetLamp():
            return f"{message.stimulus.name} {message.lamp_mode.name}"
        case sccp.SetRinger():
            return message.ring_mode.name
        case sccp.DisplayPromptStatus() | sccp.DisplayPromptStatusV2():
            return english(message.prompt_status)
        case sccp.SelectSoftKeys():
            return message.soft_key_set_index.name
        case _:
            return ""


def _cti(message: object) -> str:
    match message:
        case cti.NewCallEvent():
            return f"{message.calling_party or '?'} → {message.called_party or '?'}"
        case cti.CallStateChangedEventV2():
            return message.state.name
        case cti.CallRedirectRequest():
            return f"to {message.redirect_address}"
        case cti.ProviderOpenRequest():
            return message.login
        case cti.LineOpenRequest():
            return message.line_name
        case _:
            result = int(getattr(message, "result", 0))
            return f"result {result}" if result else ""
