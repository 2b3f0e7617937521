"""Captured sessions played again: each side of ours is fed what the real peer said.

What ours sends is compared with what the real one sent: the kinds of messages in order, and the
values of each that both sent. Everything that is not the same stands in a table with its reason.
The order of our messages is one that the real peer was seen to accept, but for those differences.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from pa_telephony.callmanager.calls.verbs import Calls, LegState
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.callmanager.phones.phones import LineSide
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceType, MediaStatus, PhoneFeatures
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import (
    Received,
    Registrar,
    RegistrarConfig,
    RegistrationAsked,
)
from pa_telephony.sccp.server.server import local_time
from pa_telephony.sccp.station.core import CallChanged, StationCore
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import StationConfig, Style

VECTORS = Path(__file__).parents[1] / "vectors"
FRAMES = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
SESSIONS = json.loads((VECTORS / "sccp-sessions.json").read_text())["sessions"]

REGISTRATIONS = (
    "7970 registers",
    "FXS port registers",
    "gateway registers",
    "7912 registers and calls",
    "conference bridge registers",
    "MTP registers",
)
CALLS = ("phone calls", "FXS port calls")
RELAYS = ("MTP relays",)

STYLES = {
    "7970 registers": Style.PHONE,
    "7912 registers and calls": Style.PHONE,
    "phone calls": Style.PHONE,
    "FXS port registers": Style.ANALOG_PORT,
    "FXS port calls": Style.ANALOG_PORT,
    "gateway registers": Style.GATEWAY,
    "conference bridge registers": Style.MEDIA_RESOURCE,
    "MTP registers": Style.MEDIA_RESOURCE,
    "MTP relays": Style.MEDIA_RESOURCE,
}

KEYS = messages.OffHook | messages.OnHook | messages.KeypadButton | messages.SoftKeyEvent
"""What a user does: the replay does it at the same place."""


@dataclasses.dataclass(frozen=True)
class Said:
    """One message of a captured session."""

    by_station: bool
    message: SccpMessage
    frame: bytes


def session(name: str) -> Iterator[Said]:
    entry = SESSIONS[name]
    for each in entry["frames"].split():
        frame = bytes.fromhex(FRAMES[int(each[1:])]["hex"])
        number = int.from_bytes(frame[8:12], "little")
        message = messages.decode(number, frame[12:], entry["version"])
        assert isinstance(message, SccpMessage)
        yield Said(each[0] == ">", message, frame)


def differences(real: list[SccpMessage], ours: list[SccpMessage]) -> set[str]:
    """``-Kind`` was not sent by ours, ``+Kind`` by ours alone; ``Kind.field`` has another value."""
    found: set[str] = set()
    kinds = [[type(each).__name__ for each in side] for side in (real, ours)]
    matcher = difflib.SequenceMatcher(None, *kinds, autojunk=False)
    for what, start, end, other_start, other_end in matcher.get_opcodes():
        if what == "equal":
            for one, other in zip(real[start:end], ours[other_start:other_end], strict=True):
                found |= fields(one, other)
        else:
            found |= {f"-{kind}" for kind in kinds[0][start:end]}
            found |= {f"+{kind}" for kind in kinds[1][other_start:other_end]}
    return found


def fields(one: Any, other: Any) -> set[str]:
    return {
        f"{type(one).__name__}.{field.name}"
        for field in dataclasses.fields(one)
        if field.name != "trailing" and getattr(one, field.name) != getattr(other, field.name)
    }


def read(data: bytes, version: int) -> list[SccpMessage]:
    found: list[SccpMessage] = []
    start = 0
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "little")
        number = int.from_bytes(data[start + 8 : start + 12], "little")
        message = messages.decode(number, data[start + 12 : end], version)
        assert isinstance(message, SccpMessage)
        found.append(message)
        start = end
    return found


class Station:
    """Our station, with the media of the captured one."""

    def __init__(self, name: str) -> None:
        self.script = list(session(name))
        self.version: int = SESSIONS[name]["version"]
        request = next(
            (
                each.message
                for each in self.script
                if isinstance(each.message, messages.RegisterReq)
            ),
            None,
        )
        style = STYLES[name]
        offered = request.protocol_ver if request else self.version
        config = StationConfig(style=style, protocol_version=offered)
        if request is not None:
            config = dataclasses.replace(config, device_type=request.device_type)
        if request is not None and style is Style.MEDIA_RESOURCE:
            bridge = request.device_type == DeviceType.CONFERENCE_BRIDGE_DIXIE_LAND
            config = dataclasses.replace(
                config,
                streams=request.max_streams,
                streams_per_conference=request.max_streams if bridge else 0,
            )
        if request is None and style is Style.MEDIA_RESOURCE:
            config = dataclasses.replace(config, streams=2)
        self.core = StationCore(
            request.device_name if request else "SEP000000008003",
            config,
            request.station_ip_addr if request else "0.0.0.0",
        )
        self.sent: list[SccpMessage] = []
        self._acks = [
            each.message
            for each in self.script
            if isinstance(each.message, messages.OpenReceiveChannelAck)
        ]
        # From version 15 on client.py confirms a transmission; the FXS port did not.
        self._confirms = [
            each.message
            for each in self.script
            if isinstance(each.message, messages.StartMediaTransmissionAck)
        ]
        self.core.connected(0.0)
        if request is None:
            # These captures begin when the station has long been registered.
            ack = messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=self.version)
            done = (
                messages.ButtonTemplateRes(button_offset=0),
                messages.TimeDateRes(w_year=2026),
                messages.VersionRes(version_str=""),
            )
            for message in (ack, *done):
                self.core.receive_data(messages.encode(message, self.version), 0.0)
                self.events()
            self.core.data_to_send()

    def events(self) -> None:
        while (event := self.core.next_event()) is not None:
            if isinstance(event, CallChanged):
                self.answer(event.message)

    def answer(self, order: SccpMessage) -> None:
        """As client.py does, with the address that the captured station had."""
        match order:
            case messages.OpenReceiveChannel():
                there = self._acks.pop(0)
                self.core.send(
                    messages.OpenReceiveChannelAck(
                        media_reception_status=MediaStatus.OK,
                        ip_addr=there.ip_addr,
                        port_number=there.port_number,
                        pass_through_party_id=order.pass_through_party_id,
                        call_reference=order.call_reference,
                    )
                )
            case messages.StartMediaTransmission() if self._confirms:
                there = self._confirms.pop(0)
                self.core.send(
                    messages.StartMediaTransmissionAck(
                        conference_id=order.conference_id,
                        pass_through_party_id=order.pass_through_party_id,
                        call_reference=order.call_reference,
                        transmit_ip_addr=there.transmit_ip_addr,
                        port_number=there.port_number,
                        media_transmission_status=MediaStatus.OK,
                    )
                )
            case _:
                pass

    def play(self) -> set[str]:
        for said in self.script:
            if not said.by_station:
                self.core.receive_data(said.frame, 0.0)
                self.events()
            elif isinstance(said.message, KEYS):
                self.core.send(said.message)
            elif isinstance(said.message, messages.KeepAliveReq):
                self.core.handle_deadline(self.core.next_deadline() or 0.0)
        self.sent = read(self.core.data_to_send(), self.version)
        real = [said.message for said in self.script if said.by_station]
        return differences(real, self.sent)


def check(found: set[str], explained: dict[str, str]) -> None:
    """Every difference has a reason, and every reason a difference. Keys may have wildcards.

    ``[-+]Kind`` is a message at another place: missing at one, and too much at the other.
    """
    keys = [
        each
        for key in explained
        for each in ((f"-{key[4:]}", f"+{key[4:]}") if key.startswith("[-+]") else (key,))
    ]
    assert {each for each in found if not any(fnmatchcase(each, key) for key in keys)} == set()
    assert {key for key in keys if not any(fnmatchcase(each, key) for each in found)} == set()


_ITSELF = "what a device says of itself: configuration here, hardware there"

_STALE = "gateways have their MAC and stale memory where phones say how many lines and conferences"
_BETWEEN = "it answers between its own questions, which race with CapabilitiesReq; ours behind them"
_LIKE_7970 = "ours is a 7970 in all but its type and its name"
_GATEWAYS = {
    "RegisterReq.max_conferences": _STALE,
    "RegisterReq.active_conferences": _STALE,
}

STATION_DIFFERENCES: dict[str, dict[str, str]] = {
    "7970 registers": {
        "CapabilitiesRes.caps": "ours offers the codecs that it can do: G.711 and telephone-event",
        "-EnhancedAlarm": "why the phone last went, in 2,000 bytes that some servers refuse",
        "+Alarm": "ours says it as a 7912 does",
        "[-+]DeviceToUserDataResponseVersion1": "ours answers at once",
        "[-+]RegisterAvailableLines": "ours says it once, before TimeDateReq as the 7912 does; "
        "the 7970 twice, behind it",
    },
    "FXS port registers": {
        **_GATEWAYS,
        "[-+]CapabilitiesRes": _BETWEEN,
    },
    "gateway registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "[-+]CapabilitiesRes": _BETWEEN,
    },
    "7912 registers and calls": {
        "RegisterReq.instance": _LIKE_7970,
        "RegisterReq.max_conferences": _LIKE_7970,
        "RegisterReq.max_streams": _LIKE_7970,
        "RegisterReq.phone_features": _LIKE_7970,
        "ButtonTemplateReq.button_capacity": "the 7912 leaves it out",
        "SpeedDialStatReq.speed_dial_number": "the 7912 begins with the last",
        "Alarm.text": _ITSELF,
        "Alarm.parm1": "what the number means is not known; ours says 0",
        "-FeatureStatReq": "ours asks for the features that the buttons show, and here are none",
        "+IpPort": "newer phones send it, and CallManager 4.1 took it from gateways",
        "+ConfigStatReq": "newer phones ask (7970)",
        "+ForwardStatReq": "newer phones ask (7970)",
        "[-+]CapabilitiesRes": "the 7912 waits for one answer before it asks the next question; "
        "ours asks several at once as a 7970 does",
    },
    "conference bridge registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "RegisterReq.unknown": _ITSELF,
        "CapabilitiesRes.caps": _ITSELF,
    },
    "MTP registers": {
        **_GATEWAYS,
        "RegisterReq.max_number_of_lines": _STALE,
        "RegisterReq.unknown": _ITSELF,
        "CapabilitiesRes.caps": _ITSELF,
        "[-+]MediaResourceNotification": "shares a packet: the captured order is not known",
    },
    "phone calls": {
        "MediaPathEvent.*": "that phone's user lifted no handset; ours has none to tell of",
        "-MediaPathEvent": "ours tells of its speaker when it is switched on or off",
        "[-+]OnHook": "as above",
    },
    "FXS port calls": {},
    "MTP relays": {
        "OpenReceiveChannelAck.call_reference": "the relay answers with 0; only the party counts",
    },
}


@pytest.mark.parametrize("name", [*REGISTRATIONS, *CALLS, *RELAYS])
def test_our_station_says_what_the_captured_one_said(name: str) -> None:
    station = Station(name)
    check(station.play(), STATION_DIFFERENCES[name])
    assert station.core.state is State.REGISTERED


NAME, OTHER = "SEP000000008003", "SEP000000009999"
CLOCK = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)


class Session:
    """A station's session as the line side knows it."""

    capabilities: tuple[messages.Capability, ...] = ()

    def __init__(self, name: str, registrar: Registrar) -> None:
        self.name = name
        self.registrar = registrar
        self.local_address = ("10.0.0.1", 2000)

    @property
    def version(self) -> int:
        return self.registrar.version

    @property
    def features(self) -> PhoneFeatures:
        return self.registrar.features

    @property
    def device_type(self) -> DeviceType:
        return self.registrar.device_type

    @property
    def device(self) -> Device:
        assert self.registrar.device is not None
        return self.registrar.device

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            self.registrar.send(message)

    def update(self, device: Device) -> None:
        self.registrar.device = device


class Manager:
    """Our call manager, with the captured station and one that it may call."""

    def __init__(self, name: str) -> None:
        self.script = list(session(name))
        self.version: int = SESSIONS[name]["version"]
        said = [each.message for each in self.script]
        request = next((each for each in said if isinstance(each, messages.RegisterReq)), None)
        self.name = request.device_name if request else NAME
        lines = [
            LineConfig(number=each.line_dir_number, name=each.line_fully_qualified_display_name)
            for each in said
            if isinstance(each, messages.LineStatRes | messages.LineStatV2Res)
            and each.line_dir_number
        ]
        digits = "".join(
            str(int(each.kp_button)) for each in said if isinstance(each, messages.KeypadButton)
        )
        lines += [
            LineConfig(number=each.calling_party)
            for each in said
            if isinstance(each, messages.CallInfoV2)
        ]
        config = CallManagerConfig(
            devices=(
                DeviceConfig(name=self.name, lines=tuple(lines[:1])),
                DeviceConfig(name=OTHER, lines=(LineConfig(number=digits or "9999"),)),
            )
        )
        self.calls = Calls(config, lambda: 0.0)
        self.side = LineSide(config, self.calls, local_time)
        self.station, self.other = self.connect(self.name), self.connect(OTHER)
        self.hear(self.other, messages.RegisterReq(device_name=OTHER, protocol_ver=20))
        if request is None:
            hello = messages.RegisterReq(device_name=self.name, protocol_ver=self.version)
            self.hear(self.station, hello)
        self.station.registrar.data_to_send()

    def connect(self, name: str) -> Any:
        return Session(name, Registrar(RegistrarConfig(), 0.0, lambda: CLOCK))

    def hear(self, session: Any, said: SccpMessage | bytes) -> None:
        if not isinstance(said, bytes):
            said = messages.encode(said, session.version)
        session.registrar.receive_data(said, 0.0)
        while (event := session.registrar.next_event()) is not None:
            match event:
                case RegistrationAsked():
                    session.registrar.accept(self.side.find_device(session.name))
                    self.side.registered(session)
                case Received(message):
                    if isinstance(message, messages.CapabilitiesRes):
                        session.capabilities = message.caps
                    self.side.received(session, message)
                case _:
                    pass

    def answer(self) -> None:
        """The other phone answers what rings, and opens the channels it is told to."""
        for leg in self.calls.legs_of(OTHER):
            if leg.state is LegState.OFFERED:
                self.calls.answer(leg)
        for order in read(self.other.registrar.data_to_send(), self.other.version):
            if isinstance(order, messages.OpenReceiveChannel):
                self.hear(
                    self.other,
                    messages.OpenReceiveChannelAck(
                        media_reception_status=MediaStatus.OK,
                        ip_addr="10.0.0.2",
                        port_number=4000,
                        pass_through_party_id=order.pass_through_party_id,
                    ),
                )

    def play(self) -> set[str]:
        sent: list[SccpMessage] = []
        party = 0
        for said in self.script:
            if not said.by_station:
                continue
            data = said.frame
            if isinstance(said.message, messages.OpenReceiveChannelAck):
                # Our identifiers are not the captured ones.
                ack = dataclasses.replace(said.message, pass_through_party_id=party)
                data = messages.encode(ack, self.version)
            elif isinstance(said.message, KEYS) and said.message.call_reference:
                (leg,) = self.calls.legs_of(self.name)
                data = messages.encode(
                    dataclasses.replace(said.message, call_reference=leg.id), self.version
                )
            self.hear(self.station, data)
            self.answer()
            for message in read(self.station.registrar.data_to_send(), self.version):
                sent.append(message)
                if isinstance(message, messages.OpenReceiveChannel):
                    party = message.pass_through_party_id
        self.sent = sent
        return differences([said.message for said in self.script if not said.by_station], sent)


_NUMBERS = "the numbers of calls and streams are each call manager's own"
_CLOCK = "another day"
_SHOWN = "9 in the capture: the number first dialled and the caller's name are shown"
_FAR = "another phone at the other end"
_NEWER = "ours announces version 22 and the features of CUCM 8.6 to everybody"
_KEYS = "ours has two keys more, and hides those that it does not serve"
_SERVICE = "CUCM counts its questions, and leaves stale memory for a priority; ours has one number"
_MEDIA = "the other side had its channel open before, and ours not"
_IDLE = "at the end ours closes the channels before it clears the display"
_SOURCE = (
    "CUCM names the other side's host before its port is known; ours leaves it to "
    "StartMediaTransmission"
)
_CALL = {
    "*.call_reference": _NUMBERS,
    "CallInfoV2.last_redirecting_party": "CUCM repeats the called number where nobody redirected",
    "SelectSoftKeys.valid_key_mask": _KEYS,
    "TimeDateRes.*": _CLOCK,
    "OpenReceiveChannel.conference_id": _NUMBERS,
    "OpenReceiveChannel.pass_through_party_id": _NUMBERS,
    "OpenReceiveChannel.source_ip_addr": _SOURCE,
    "[-+]CloseReceiveChannel": _IDLE,
    "[-+]StopMediaTransmission": _IDLE,
    "-StopTone": "CUCM stops the ringing tone more than once",
}

MANAGER_DIFFERENCES: dict[str, dict[str, str]] = {
    "7970 registers": {
        "RegisterAck.max_protocol_ver": _NEWER,
        "TimeDateRes.*": _CLOCK,
        "[-+]UserToDeviceDataVersion1": "CUCM asks before it answers; ours behind",
        "ButtonTemplateRes.*": "the captured phone has speed dials, ours here only its lines",
        "SoftKeyTemplateRes.*": _KEYS,
        "[-+]SoftKeySetRes": "shares a packet with what follows it: the captured order is unknown",
        "[-+]DisplayPromptStatusV2": "as above",
        "ConfigStatV2Res.user_name": "ours knows no owners of phones",
        "LineStatV2Res.line_text_label": "ours labels a line with its number",
        "LineStatV2Res.line_type": _SHOWN,
    },
    "FXS port registers": {
        "RegisterAck.date_template": "M/D/YA there, a 12-hour clock: configuration",
        "TimeDateRes.*": _CLOCK,
        "UserToDeviceDataVersion1.*": _SERVICE,
        "[-+]ButtonTemplateRes": "ours answers in the order of the questions, CUCM did not",
        "DisplayPromptStatusV2.prompt_status": "a port gets words, ours phrase numbers",
        "LineStatV2Res.line_text_label": "ours labels a line with its number",
    },
    "gateway registers": {
        "RegisterAck.date_template": "M/D/YA there, a 12-hour clock: configuration",
        "TimeDateRes.*": _CLOCK,
        "UserToDeviceDataVersion1.*": _SERVICE,
        "DisplayPromptStatusV2.prompt_status": "a gateway gets words, ours phrase numbers",
    },
    "7912 registers and calls": {
        "RegisterAck.*": _NEWER,
        "TimeDateRes.*": _CLOCK,
        "+SetRinger": "ours says at the end of every call that nothing rings, as CUCM 8.6 does",
        "ButtonTemplateRes.*": "the captured phone has speed dials, ours here only its line",
        "FeatureStatRes.*": "the captured phone has a feature button",
        "LineStatRes.line_display_options": _SHOWN,
        "SelectSoftKeys.valid_key_mask": _KEYS,
        "SoftKey*Res.*": _KEYS,
        "*.call_reference": _NUMBERS,
    },
    "conference bridge registers": {
        "RegisterAck.*": _NEWER,
    },
    "MTP registers": {
        "RegisterAck.*": _NEWER,
    },
    "phone calls": {
        **_CALL,
        "[-+]SetRinger": _IDLE,
        "CallInfoV2.*voice_mailbox": "ours knows no mailboxes",
        "StartMediaTransmission.conference_id": _NUMBERS,
        "StartMediaTransmission.pass_through_party_id": _NUMBERS,
        "StartMediaTransmission.remote_ip_addr": _FAR,
        "StartMediaTransmission.remote_port_number": _FAR,
        "*.compression_type": "G.722, which the captured two agreed on; ours has G.711",
    },
    "FXS port calls": {
        **_CALL,
        "-SelectSoftKeys": "CUCM sent the keys of an idle phone before those of dialling",
        "[-+]StartMediaTransmission": _MEDIA,
        "OpenReceiveChannel.source_port_number": _SOURCE,
        "OpenReceiveChannel.rfc2833_payload_type": "the other phone here has no telephone-event",
        "DisplayPromptStatusV2.prompt_status": "a port gets words, ours phrase numbers",
    },
}


@pytest.mark.parametrize("name", [*REGISTRATIONS, *CALLS])
def test_our_call_manager_says_what_the_captured_one_said(name: str) -> None:
    check(Manager(name).play(), MANAGER_DIFFERENCES[name])
