"""What becomes of each message that a station can send, in each state of its registration.

Every message of the catalogue has a row: answered, acted on, relayed, or passed over, and why.
``docs/reference/sccp/decisions.md`` is made of it, and ``pa-telephony explain`` prints one row.
What a registered station says beyond its registration is the business of the server's directory;
the rows say what the call manager of this package does with it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from pa_telephony.sccp import messages as m
from pa_telephony.sccp.connection import OF_REGISTRATIONS
from pa_telephony.sccp.messages import SccpMessage, Sender
from pa_telephony.sccp.server.registrar import State

__all__ = ["Decision", "Verb", "decision", "of_stations"]


class Verb(enum.Enum):
    """What becomes of a message; each is followed by what :attr:`Decision.what` says."""

    ANSWERED = "answered with"
    ACTED_ON = "acted on by"
    RELAYED = "relayed to"
    PASSED_OVER = "passed over because"
    LATER = "read later:"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one message; ``answers`` are the messages that it is answered with."""

    verb: Verb
    what: str
    answers: tuple[type[SccpMessage], ...] = ()

    def __str__(self) -> str:
        return f"{self.verb.value} {self.what}"


def _answered(*answers: type[SccpMessage], by: str = "") -> Decision:
    names = " or ".join(each.__name__ for each in answers)
    return Decision(Verb.ANSWERED, f"{names}{by}", answers)


def _acted_on(what: str) -> Decision:
    return Decision(Verb.ACTED_ON, what)


def _passed_over(what: str) -> Decision:
    return Decision(Verb.PASSED_OVER, what)


_KEYS = _acted_on("the keys of the phone (callmanager.phones.keys)")
_TOKEN = _answered(m.RegisterTokenAck, m.RegisterTokenReject)
_SPA_TOKEN = _answered(m.SPCPRegisterTokenAck, m.SPCPRegisterTokenReject)
_DATA = Decision(Verb.RELAYED, "the applications that have the phone open, as data of the phone")
_ANSWER = Decision(
    Verb.RELAYED,
    "the applications, as data of the phone, unless it answers what the call manager itself asked "
    "of every phone (getDeviceCaps)",
)
_CODECS = _acted_on("the session: these are the codecs of the phone from now on")
_NO_RESOURCES = _passed_over(
    "media resources (bridges, transcoders, MTPs) register here and are ordered to do nothing"
)
_NO_VIDEO = _passed_over("no video is ordered, so that nothing of it can be acknowledged")
_NO_QUESTION = _passed_over("it answers a question that this call manager does not ask")
_STATE_OF_PHONE = _passed_over("it tells of the phone itself, and nothing here depends on it")
_ALARM = _passed_over("it is a report for people, who find it in the trace")

_REGISTERED: dict[type[SccpMessage], Decision] = {
    m.KeepAliveReq: _answered(m.KeepAliveAck),
    m.RegisterReq: _answered(
        m.RegisterAck, m.RegisterReject, by=" (a second name is rejected, which ends the session)"
    ),
    m.IpPort: _passed_over("the port of each call's sound comes in OpenReceiveChannelAck"),
    m.KeypadButton: _KEYS,
    m.EnblocCall: _KEYS,
    m.Stimulus: _KEYS,
    m.OffHook: _KEYS,
    m.OnHook: _KEYS,
    m.HookFlash: _KEYS,
    m.OffHookWithCallingPartyNumber: _acted_on(
        "the keys of the phone, as OffHook at the line of that number; where none has it, who is "
        "called sees it as the caller's"
    ),
    m.SoftKeyEvent: _KEYS,
    m.ForwardStatReq: _answered(m.ForwardStatRes),
    m.SpeedDialStatReq: _answered(m.SpeedDialStatRes, m.SpeedDialStatV2Res),
    m.LineStatReq: _answered(m.LineStatRes, m.LineStatV2Res),
    m.ConfigStatReq: _answered(m.ConfigStatRes, m.ConfigStatV2Res),
    m.TimeDateReq: _answered(m.TimeDateRes),
    m.ButtonTemplateReq: _answered(m.ButtonTemplateRes),
    m.VersionReq: _answered(m.VersionRes),
    m.ServerReq: _answered(m.ServerRes),
    m.SoftKeySetReq: _answered(m.SoftKeySetRes),
    m.SoftKeyTemplateReq: _answered(m.SoftKeyTemplateRes),
    m.ServiceURLStatReq: _answered(
        m.ServiceURLStatRes, m.ServiceURLStatV2Res, by=", empty: there are no service buttons"
    ),
    m.FeatureStatReq: _answered(
        m.FeatureStatRes,
        m.FeatureStatV2Res,
        by=": a busy lamp, which is told again at each change, or unused",
    ),
    m.SubscriptionStatReq: _answered(
        m.SubscriptionStatRes,
        by=" and Notification: what a number does now, of those that the phone may call",
    ),
    m.RegisterTokenReq: _TOKEN,
    m.SPCPRegisterTokenReq: _SPA_TOKEN,
    m.UnregisterReq: _answered(m.UnregisterAck, by=" (not while a call is up)"),
    m.CapabilitiesRes: _acted_on(
        "the session: these are the codecs of the phone from now on, and a phone is asked what its "
        "display can do (UserToDeviceDataVersion1)"
    ),
    m.UpdateCapabilities: _CODECS,
    m.CapabilitiesV2Res: _CODECS,
    m.CapabilitiesV3Res: _CODECS,
    m.RegisterAvailableLines: _acted_on(
        "the display: lamps and forwards that are on are told, for the phone has started"
    ),
    m.OpenReceiveChannelAck: _acted_on("the media of the call: the other side sends there"),
    m.MiscellaneousCommand: Decision(Verb.RELAYED, "the phone at the other end of its call"),
    m.DeviceToUserData: _DATA,
    m.DeviceToUserDataResponse: _ANSWER,
    m.DeviceToUserDataVersion1: _DATA,
    m.DeviceToUserDataResponseVersion1: _ANSWER,
    m.Alarm: _ALARM,
    m.EnhancedAlarm: _ALARM,
    m.LocationInfo: _STATE_OF_PHONE,
    m.HeadsetStatus: _STATE_OF_PHONE,
    m.MediaPathEvent: _STATE_OF_PHONE,
    m.MediaPathCapability: _STATE_OF_PHONE,
    m.AddOnDeviceCapabilities: _STATE_OF_PHONE,
    m.MediaPortList: _passed_over("ports of sound come in OpenReceiveChannelAck"),
    m.StartMediaTransmissionAck: _passed_over(
        "the phone sends or does not: what counts is the channel that the other side opened"
    ),
    m.MediaTransmissionFailure: _passed_over(
        "a call goes on in silence until its people end it; the trace has the report"
    ),
    m.ConnectionStatisticsRes: _NO_QUESTION,
    m.PortRes: _NO_QUESTION,
    m.MulticastMediaReceptionAck: _passed_over("no multicast is ordered"),
    m.OpenMultiMediaReceiveChannelAck: _NO_VIDEO,
    m.StartMultiMediaTransmissionAck: _NO_VIDEO,
    m.ClearConference: _passed_over("conferences are mixed by the call manager itself"),
    m.MediaResourceNotification: _NO_RESOURCES,
    m.CreateConferenceRes: _NO_RESOURCES,
    m.DeleteConferenceRes: _NO_RESOURCES,
    m.ModifyConferenceRes: _NO_RESOURCES,
    m.AddParticipantRes: _NO_RESOURCES,
    m.AuditConferenceRes: _NO_RESOURCES,
    m.AuditParticipantRes: _NO_RESOURCES,
    m.QoSResvNotify: _NO_RESOURCES,
    m.QoSErrorNotify: _NO_RESOURCES,
    m.AnnouncementFinish: _NO_RESOURCES,
    m.NotifyDtmfTone: _NO_RESOURCES,
    m.SubscribeDtmfPayloadRes: _NO_RESOURCES,
    m.SubscribeDtmfPayloadErr: _NO_RESOURCES,
    m.UnSubscribeDtmfPayloadRes: _NO_RESOURCES,
    m.UnSubscribeDtmfPayloadErr: _NO_RESOURCES,
    m.MwiNotification: _passed_over("lamps are switched by applications and from Python"),
    m.CallCountReq: _passed_over("its answer's meaning is not known well enough to make one"),
    m.CallCountResp: _NO_QUESTION,
    m.SPCPPlatformInfoGetReq: _passed_over("only its name is known, and nothing of its answer"),
    m.SPCPPlatformInfoGetRsp: _NO_QUESTION,
    m.SPCPPlatformInfoGetRej: _NO_QUESTION,
}

_BEFORE: dict[type[SccpMessage], Decision] = {
    m.KeepAliveReq: _answered(m.KeepAliveAck, by=": it stands by, if there is room for it"),
    m.RegisterReq: _answered(m.RegisterAck, m.RegisterReject),
    m.RegisterTokenReq: _TOKEN,
    m.SPCPRegisterTokenReq: _SPA_TOKEN,
    m.UnregisterReq: _answered(m.UnregisterAck),
    m.Alarm: _ALARM,
    m.EnhancedAlarm: _ALARM,
    m.IpPort: _REGISTERED[m.IpPort],
}

_TOO_EARLY = _passed_over("the station has not registered: it is counted, and not decoded")
_ASKED = Decision(Verb.LATER, "nothing is read while the owner has a question to answer")
_OVER = _passed_over("the session is over")


def of_stations() -> Sequence[type[SccpMessage]]:
    """All messages that a station may send, by number."""
    return [
        kind
        for _, kind in sorted(SccpMessage.registry.items())
        if issubclass(kind, SccpMessage) and kind.sender is not Sender.CALL_MANAGER
    ]


def decision(kind: type[SccpMessage], state: State) -> Decision:
    """What becomes of a message of a station whose session is in ``state``."""
    match state:
        case State.REGISTERED:
            return _REGISTERED[kind]
        case State.CONNECTED | State.STANDING_BY:
            return _BEFORE[kind] if kind.id in OF_REGISTRATIONS else _TOO_EARLY
        case State.ASKING | State.LEAVING:
            return _ASKED
        case State.CLOSED:
            return _OVER
