"""What a station says of itself and what it asks: one row of a table for each style.

Each row is a captured registration (docs/protocol/sccp.md §3): what is in RegisterReq, the
questions behind RegisterAck, those for each line once the buttons are known, and the answer that
ends it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Limits
from pa_telephony.sccp.enums import (
    DeviceAlarmSeverity,
    DeviceType,
    HeadsetMode,
    MediaPathCapabilities,
    MediaPathEvent,
    MediaPathID,
    MediaPayloadType,
    PhoneFeatures,
    SequenceFlag,
)
from pa_telephony.sccp.messages import SccpMessage

__all__ = [
    "HABITS",
    "PATHS_SINCE",
    "Habits",
    "StationConfig",
    "Style",
    "abilities",
    "alarm",
    "capabilities",
    "length_of_capabilities",
    "length_of_request",
    "most_calls",
    "paths",
    "register_request",
]

PATHS_SINCE = 17
"""The session version from which phones tell of handset, headset and speaker (captured)."""


class Style(enum.Enum):
    """What a station registers as; whatever the style, the call manager shows the calls."""

    PHONE = "phone"
    """Registers as a 7970 does with CUCM 8.6 (docs/protocol/sccp.md §3.1)."""
    PORT = "port"
    """A media port: the questions of an analogue port, and what software can tell besides."""
    ANALOG_PORT = "analogue port"
    """An FXS port of a gateway (§3.3): no soft keys, and transmissions are not confirmed."""
    GATEWAY = "gateway"
    """A gateway as a whole (§3.3): one line whose buttons and forwards it does not ask for,
    the least that CUCM is known to accept."""
    MEDIA_RESOURCE = "media resource"
    """A conference bridge, MTP or transcoder (§3.4): no line, only the version is asked for.

    Streams come as calls without a state and end with their media, each with a port of its own
    also where several are in one call (the two sides of an MTP).
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class StationConfig:
    """What a station says of itself, and how patient it is; times are in seconds."""

    style: Style = Style.PHONE
    device_type: DeviceType = DeviceType.CISCO_7970
    protocol_version: int = 20
    """Offered in RegisterReq, 3 to 22; the session speaks the lower of both sides."""
    firmware: str = "SCCP70.9-2-3S"
    """The load that a phone says it runs, at most 31 characters (captured: a 7970's)."""
    streams: int | None = None
    """How many streams at once RegisterReq claims; None: as many as its style has, which is 1 for a
    media resource. That refuses streams beyond its capacity (captured: bridge 8, MTP 20)."""
    streams_per_conference: int = 0
    """How many streams one conference of a bridge has (captured: 8); 0 for all others."""
    codecs: tuple[MediaPayloadType, ...] = (
        MediaPayloadType.G711_ULAW64K,
        MediaPayloadType.G711_ALAW64K,
    )
    packet_ms: int = 20
    rfc2833: bool = True
    """Offer telephone-event (capability 257, captured)."""
    symmetric_rtp: bool = False
    """Whether sound is taken from, and sent to, wherever the first packets come from: for a peer
    behind a NAT (RFC 4961; docs/security.md)."""
    media_at_signalling_host: bool = False
    """Send sound to the host of the call manager only, and refuse an order to send elsewhere.

    Right for servers that carry all sound themselves; a call manager connects phones directly.
    """
    register_within: float = 5.0
    """Seconds to wait for RegisterAck, and again for each answer to what is asked behind it."""
    missed_keep_alives: int = 3
    unregister_within: float = 1.0
    token_within: float = 4.0
    """A call manager that has not answered RegisterTokenReq by then knows no tokens."""
    stand_by: bool = True
    """Whether to keep a connection to the call manager that comes next."""
    fall_back: bool = True
    """Whether to return to an earlier call manager that is there again, when no call is up."""
    first_back_off: float = 0.1
    longest_back_off: float = 30.0
    rejections: int = 3
    """How often in a row each call manager may refuse while opening, before the error comes out."""
    rejected_for: float = 75.0
    """How long refusals are put up with while opening, unless all say that the name is not to be
    had: a session whose link broke holds it for up to two keepalive intervals
    (docs/protocol/sccp.md §5)."""
    max_calls: int = 24
    """How many calls the call manager may show at once, and handlers may run; a media resource has
    ``streams`` instead."""
    max_unsent: int = 1 << 18
    """How many bytes of answers may wait for a call manager that does not read."""
    limits: Limits = field(default_factory=Limits)


LineQuestion: TypeAlias = type[messages.LineStatReq] | type[messages.ForwardStatReq]


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """What the stations of one style say and ask."""

    instance: int = 1
    """The instance of the device name: gateways and their ports say 1, phones 0."""
    streams: int = 1
    conferences: int = 0
    lines: int = 1
    features: int
    """The last two of the three bytes behind the version, as one number."""
    questions: Callable[[StationConfig], Iterator[SccpMessage]]
    """The questions that a station asks behind RegisterAck."""
    line_questions: tuple[LineQuestion, ...] = ()
    """The questions for each line that the buttons show; () for a style that does not ask for its
    buttons."""
    configured_by: type[SccpMessage] = messages.TimeDateRes
    """The answer with which the configuration is complete."""
    address_scope: int = 2
    """What the station's address is for, as RegisterReq says: phones 3, all others 2 (captured)."""
    is_phone: bool = False
    """Whether it tells of itself what phones tell: why it comes, what load it runs, its codecs
    without empty places behind them, its speaker, what its display can do."""
    confirms_transmission: bool = True
    """Whether it answers StartMediaTransmission (from version 15 on)."""

    def ask_about(self, lines: int, dials: int) -> Iterator[SccpMessage]:
        """The questions that follow once the buttons are known."""
        if not self.line_questions:
            return
        for line in range(1, lines + 1):
            for question in self.line_questions:
                yield question(line_number=line)
        for number in range(1, dials + 1):
            yield messages.SpeedDialStatReq(speed_dial_number=number)
        yield messages.RegisterAvailableLines(max_num_of_avail_lines=lines)
        yield messages.TimeDateReq()


def _phone(config: StationConfig) -> Iterator[SccpMessage]:
    yield messages.IpPort(rtp_media_port=3500)
    yield messages.ButtonTemplateReq(button_capacity=36)
    yield messages.SoftKeyTemplateReq()
    yield messages.SoftKeySetReq()
    yield messages.ConfigStatReq()


def _resource(config: StationConfig) -> Iterator[SccpMessage]:
    yield messages.IpPort(rtp_media_port=0)
    yield messages.MediaResourceNotification(
        device_type=config.device_type,
        number_of_in_service_streams=_streams(config),
        max_streams_per_conf=config.streams_per_conference,
    )
    yield messages.VersionReq()


def _port(config: StationConfig) -> Iterator[SccpMessage]:
    yield messages.IpPort(rtp_media_port=0)
    yield messages.MediaResourceNotification(device_type=config.device_type)
    yield messages.VersionReq()
    yield messages.HeadsetStatus(headset_status=HeadsetMode.OFF)
    yield messages.ButtonTemplateReq(button_capacity=1)


def _analog_port(config: StationConfig) -> Iterator[SccpMessage]:
    yield from _port(config)
    yield messages.ForwardStatReq(line_number=1)


def _gateway(config: StationConfig) -> Iterator[SccpMessage]:
    yield messages.IpPort(rtp_media_port=0)
    yield messages.MediaResourceNotification(device_type=config.device_type)
    yield messages.VersionReq()
    yield messages.HeadsetStatus(headset_status=HeadsetMode.ON)
    yield messages.LineStatReq(line_number=1)
    yield messages.RegisterAvailableLines(max_num_of_avail_lines=1)
    yield messages.TimeDateReq()


_BOTH = (messages.LineStatReq, messages.ForwardStatReq)

HABITS: dict[Style, Habits] = {
    Style.PHONE: Habits(
        instance=0,
        streams=5,
        conferences=1,
        lines=36,
        features=0x8572,
        address_scope=3,
        is_phone=True,
        questions=_phone,
        line_questions=_BOTH,
    ),
    Style.PORT: Habits(
        instance=0,
        features=0x0201,
        questions=_port,
        line_questions=_BOTH,
    ),
    Style.ANALOG_PORT: Habits(
        lines=0,
        features=0x0201,
        questions=_analog_port,
        line_questions=(messages.LineStatReq,),
        confirms_transmission=False,
    ),
    Style.GATEWAY: Habits(
        streams=0,
        features=0x0001,
        questions=_gateway,
        confirms_transmission=False,
    ),
    Style.MEDIA_RESOURCE: Habits(
        features=0x0001,
        questions=_resource,
        lines=0,
        configured_by=messages.VersionRes,
    ),
}


def _streams(config: StationConfig) -> int:
    return HABITS[config.style].streams if config.streams is None else config.streams


def most_calls(config: StationConfig) -> int:
    """How many calls, or streams of a media resource, there may be at once."""
    return _streams(config) if config.style is Style.MEDIA_RESOURCE else config.max_calls


def register_request(name: str, address: str, config: StationConfig) -> messages.RegisterReq:
    """The RegisterReq of a station of this style."""
    habits = HABITS[config.style]
    return messages.RegisterReq(
        device_name=name,
        instance=habits.instance,
        station_ip_addr=address,
        device_type=config.device_type,
        max_streams=_streams(config),
        protocol_ver=config.protocol_version,
        phone_features=PhoneFeatures(habits.features),
        max_conferences=habits.conferences,
        mac_address=_mac_of(name),
        ip_v4_address_scope=habits.address_scope,
        max_number_of_lines=habits.lines,
        firmware_load_name=config.firmware if habits.is_phone else "",
    )


def length_of_request(config: StationConfig) -> int:
    """How long the body of RegisterReq is: real stations end it where their version does.

    From version 17 on before the stamp of the configuration (nine devices), at 7 behind the
    conferences (7912), at 5 behind the MAC address (all captured).
    """
    if config.protocol_version >= 17:
        return 124
    return 52 if config.protocol_version >= 7 else 64


def length_of_capabilities(config: StationConfig) -> int | None:
    """How long the body of CapabilitiesRes is; None for all its 18 places.

    Phones leave away the unused ones from version 17 on; a 7912 and gateways send them (captured).
    """
    if not HABITS[config.style].is_phone or config.protocol_version < 17:
        return None
    return 4 + 16 * len(capabilities(config).caps)


def alarm(name: str, address: str, config: StationConfig, last: str) -> messages.Alarm:
    """What a phone says before RegisterReq: who it is, and why its last session ended.

    As a 7912 says it: a 7970 has two thousand bytes of XML instead, which some servers refuse
    (docs/protocol/sccp.md §1). ``last`` is "" for a phone that has just started.
    """
    why = "CM-closed-TCP" if last else "Initialized"
    return messages.Alarm(
        alarm_severity=DeviceAlarmSeverity.INFORMATIONAL,
        text=f"Name={name} Load={config.firmware} Last={why}"[:79],
        parm2=int.from_bytes(bytes(int(each) for each in address.split(".")), "little"),
    )


def paths() -> tuple[SccpMessage, ...]:
    """What a phone says of its handset, headset and speaker when it has registered (captured)."""
    return (
        messages.MediaPathEvent(
            media_path_id=MediaPathID.HEADSET, media_path_event=MediaPathEvent.OFF
        ),
        messages.MediaPathEvent(
            media_path_id=MediaPathID.HANDSET, media_path_event=MediaPathEvent.OFF
        ),
        messages.MediaPathCapability(
            media_path_id=MediaPathID.SPEAKER,
            media_path_capabilities=MediaPathCapabilities.ENABLE,
        ),
    )


def abilities(
    question: messages.UserToDeviceDataVersion1, config: StationConfig
) -> messages.DeviceToUserDataResponseVersion1 | None:
    """The answer to getDeviceCaps: a phone of its model, without a display; None for other data.

    Ports and gateways are asked as well, and do not answer (captured).
    """
    if not HABITS[config.style].is_phone or question.xmldata.rstrip(b"\0") != _CAPABILITIES_ASKED:
        return None
    name = getattr(config.device_type, "name", str(int(config.device_type)))
    model = name.removeprefix("CISCO_").replace("_", "-")
    return messages.DeviceToUserDataResponseVersion1(
        application_id=question.application_id,
        line_instance=question.line_instance,
        call_reference=question.call_reference,
        transaction_id=question.transaction_id,
        sequence_flag=SequenceFlag.LAST,
        display_priority=question.display_priority,
        conference_id=question.conference_id,
        app_instance_id=question.app_instance_id,
        routing_id=question.routing_id,
        xmldata=b"<getDeviceCapsResponse><physical><modelNumber>CP-%b</modelNumber>"
        b'<display width="0" height="0" bitDepth="0" isColor="false"/></physical>'
        b"</getDeviceCapsResponse>" % model.encode(),
    )


_CAPABILITIES_ASKED = b"<getDeviceCaps/>"
_PHONES_NAME = re.compile("SEP([0-9A-F]{12})", re.IGNORECASE)


def _mac_of(name: str) -> str:
    """The MAC address that the name of a phone is made of; zeros for any other name."""
    found = _PHONES_NAME.fullmatch(name)
    return bytes.fromhex(found[1] if found else "00" * 6).hex(":")


def capabilities(config: StationConfig) -> messages.CapabilitiesRes:
    """The codecs that a station can receive and send, as CapabilitiesRes."""
    offered = list(config.codecs)
    if config.rfc2833:
        offered.append(MediaPayloadType.RFC2833_DYN_PAYLOAD)
    return messages.CapabilitiesRes(
        caps=tuple(
            messages.Capability(
                payload_capability=codec, max_frames_per_packet=config.packet_ms * 2
            )
            for codec in offered
        )
    )
