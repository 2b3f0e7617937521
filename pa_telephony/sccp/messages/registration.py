"""Registration, keepalives, tokens and what a station tells of itself."""

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
    IPv4,
    IPv4or6,
    IPv6,
    Mac,
    Repeat,
    Rest,
    Union,
)

__all__ = [
    "Alarm",
    "CapabilitiesReq",
    "CapabilitiesRes",
    "Capability",
    "CodecParams",
    "EnhancedAlarm",
    "G723BitRate",
    "IpPort",
    "KeepAliveAck",
    "KeepAliveReq",
    "ModemRelay",
    "RegisterAck",
    "RegisterAvailableLines",
    "RegisterReject",
    "RegisterReq",
    "RegisterTokenAck",
    "RegisterTokenReject",
    "RegisterTokenReq",
    "Reset",
    "SPCPPlatformInfoGetRej",
    "SPCPPlatformInfoGetReq",
    "SPCPPlatformInfoGetRsp",
    "SPCPRegisterTokenAck",
    "SPCPRegisterTokenReject",
    "SPCPRegisterTokenReq",
    "ServerAddress",
    "ServerName",
    "ServerReq",
    "ServerRes",
    "SprtPayload",
    "Sse",
    "TimeDateReq",
    "TimeDateRes",
    "UnregisterAck",
    "UnregisterReq",
    "VersionReq",
    "VersionRes",
]


class G723BitRate(Struct):
    """The content ``g723BitRate``."""

    g723_bit_rate: Annotated[enums.MediaG723BitRate, U32] = enums.MediaG723BitRate(0)


class ModemRelay(Struct):
    """The content ``modemRelay``."""

    cap_and_ver: Annotated[int, U32] = 0
    mod_and2833: Annotated[int, U32] = 0


class SprtPayload(Struct):
    """The content ``sprtPayload``."""

    chan0_max_payload: Annotated[int, U16] = 0
    chan2_max_payload: Annotated[int, U16] = 0
    chan3_max_payload: Annotated[int, U16] = 0
    chan2_max_window: Annotated[int, U16] = 0


class Sse(Struct):
    """The content ``sse``."""

    standard: Annotated[int, U32] = 0
    vendor: Annotated[int, U32] = 0


class CodecParams(Struct):
    """The content ``codecParams``."""

    codec_mode: Annotated[int, U8] = 0
    dynamic_payload: Annotated[int, U8] = 0
    codec_param1: Annotated[int, U8] = 0
    codec_param2: Annotated[int, U8] = 0


CODEC_PARAMETERS = Union(
    "payload_capability",
    8,
    (
        (frozenset({9}), G723BitRate),
        (frozenset({300}), ModemRelay),
        (frozenset({301}), SprtPayload),
        (frozenset({302}), Sse),
    ),
    CodecParams,
)


class Capability(Struct):
    """One of ``caps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    max_frames_per_packet: Annotated[int, U32] = 0
    payloads: Annotated[
        G723BitRate | ModemRelay | SprtPayload | Sse | CodecParams, CODEC_PARAMETERS
    ] = CodecParams()


class ServerName(Struct):
    """One of ``server``."""

    server_name: Annotated[str, Chars(48)] = ""


class ServerAddress(Struct):
    """One of ``serverIpAddr``."""

    station_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"


class KeepAliveReq(SccpMessage, id=0x0000, sender=Sender.STATION):
    """From the station; captured, 517 frames.

    Empty body. Legal before registration (standby connections, some phones before
    token/register).
    """


class RegisterReq(SccpMessage, id=0x0001, sender=Sender.STATION):
    """From the station; captured, 44 frames.

    Body lengths seen: 52 (7912, protocol 7: ends after maxConferences slot), 64, 124
    (7962/7970/gateways, no configVersionStamp); 172 with configVersionStamp.

    Bytes 40..43 of the body are: protocolVer u8, then three feature bytes (wireshark: u8
    unknown + 16-bit phoneFeatures). Seen: 14 00 72 85 (7970), 16 00 72 85 (7962), 07 00 00 81
    (7912), 15 00 01 02 (IOS FXS), 11 00 01 00 (IOS gateway), 12 02 01 00 (IOS conference
    bridge), 12 11 01 00 (IOS MTP), 12 00 01 00 (IOS transcoder).

    IOS gateways and DSP farms put their MAC at body offset 44 (over
    maxConferences/activeConferences) and leave macAddress zero; the remaining fields may hold
    stale memory. Do not rely on fields after the feature bytes for them.

    Disputed: deviceName: 15 characters + NUL everywhere.

    Disputed: instance: phones send 0 or 1, gateways 1; FreeSWITCH keys devices by (name,
    instance).
    """

    device_name: Annotated[str, Chars(16)]
    reserved_for_future_use: Annotated[int, U32] = 0
    instance: Annotated[int, U32] = 0
    station_ip_addr: Annotated[str, IPv4()] = "0.0.0.0"
    device_type: Annotated[enums.DeviceType, U32] = enums.DeviceType(0)
    max_streams: Annotated[int, U32] = 0
    active_streams: Annotated[int, U32] = 0
    protocol_ver: Annotated[int, U8] = 0
    unknown: Annotated[int, U8] = 0
    phone_features: Annotated[enums.PhoneFeatures, U16] = enums.PhoneFeatures(0)
    max_conferences: Annotated[int, U32] = 0
    active_conferences: Annotated[int, U32] = 0
    mac_address: Annotated[str, Mac()] = "00:00:00:00:00:00"
    ip_v4_address_scope: Annotated[int, U32] = 0
    max_number_of_lines: Annotated[int, U32] = 0
    station_ip_v6_addr: Annotated[str, IPv6()] = "::"
    ip_v6_address_scope: Annotated[int, U32] = 0
    firmware_load_name: Annotated[str, Chars(32)] = ""
    config_version_stamp: Annotated[str, Chars(48)] = ""


class IpPort(SccpMessage, id=0x0002, sender=Sender.STATION):
    """From the station; captured, 42 frames.

    RtpMediaPort: phones 3500, gateways 0. CM takes the RTP port from OpenReceiveChannelAck
    instead.

    Disputed: FreeSWITCH reads a 16-bit port; captures: u32.
    """

    rtp_media_port: Annotated[int, U32]


class TimeDateReq(SccpMessage, id=0x000D, sender=Sender.STATION):
    """From the station; captured, 32 frames."""


class VersionReq(SccpMessage, id=0x000F, sender=Sender.STATION):
    """From the station; captured, 5 frames."""


class CapabilitiesRes(SccpMessage, id=0x0010, sender=Sender.STATION):
    """From the station; captured, 38 frames.

    18-slot form (292) from gateways and 7912, exact form (4+16*capCount) from 7962/7970.

    The 8 payload bytes are meaningful only for G.723.1 and the modem-relay entries; elsewhere
    stale memory (7912 sends text there).

    Disputed: FreeSWITCH allows 50 entries.
    """

    caps: Annotated[tuple[Capability, ...], Array(Capability, 18, slots=True)]


class ServerReq(SccpMessage, id=0x0012, sender=Sender.STATION):
    """From the station; no capture.

    Rarely used; CM answers ServerRes.
    """


class Alarm(SccpMessage, id=0x0020, sender=Sender.STATION):
    """From the station; captured, 2 frames.

    Text examples: "Name=SEP001380AD9E5F Load=CP7912060000SCCP050124A Last=CM-ab..." ;
    alarmSeverity 2, parm1 = reason/size word, parm2 = IPv4 of the station as little-endian
    number.

    Old phones send it first on the connection, before RegisterReq.
    """

    alarm_severity: Annotated[enums.DeviceAlarmSeverity, U32]
    text: Annotated[str, Chars(80)] = ""
    parm1: Annotated[int, U32] = 0
    parm2: Annotated[int, U32] = 0


class UnregisterReq(SccpMessage, id=0x0027, sender=Sender.STATION):
    """From the station; captured, 28 frames.

    Captured without body (pyskinny against CM 2.x); reason word optional.

    Disputed: wireshark shows the reason only when data_length > 12, which a 4-byte body never
    reaches (dissector fault).
    """

    un_reg_reason_code: Annotated[enums.UnRegReasonCode, U32] = enums.UnRegReasonCode.UNKNOWN


class RegisterTokenReq(SccpMessage, id=0x0029, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: wireshark: sid, ip (number), deviceType, then an ipv4or6 (so 4 bytes when header
    is 0); chan-sccp: sid, ip, deviceType, 16-byte IPv6, u32 unknown (52 bytes). chan-sccp was
    run against real phones; prefer it.
    """

    device_name: Annotated[str, Chars(16)]
    reserved_for_future_use: Annotated[int, U32] = 0
    instance: Annotated[int, U32] = 0
    station_ip_addr: Annotated[str, IPv4()] = "0.0.0.0"
    device_type: Annotated[enums.DeviceType, U32] = enums.DeviceType(0)
    station_ip_v6_addr: Annotated[str, IPv6()] = "::"
    unknown: Annotated[int, U32] = 0


class RegisterAvailableLines(SccpMessage, id=0x002D, sender=Sender.STATION):
    """From the station; captured, 63 frames.

    Sent near the end of registration: number of lines the station will show; phones send it
    once or twice.
    """

    max_num_of_avail_lines: Annotated[int, U32]


class RegisterAck(SccpMessage, id=0x0081, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 36 frames.

    Version field: maxProtocolVer u8 + three feature bytes. Seen: 15 20 f1 ff (CUCM 8.6 to
    7970), 16 20 f1 ff (CUCM to FXS), 16 00 00 00 (CUCM to MTP/transcoder), 12 00 80 28 (CUCM
    to bridge: looks like stale memory), 11 00 30 01 (CME to 7962), 06 00 00 fe (CM 4.1 to
    7912).

    CM 2.x: 12-byte body ending after dateTemplate (keepAliveInterval 30).

    DateTemplate: M/D/Y or M/D/YA (A = 12-hour), "Unused" to media resources.

    Disputed: dateTemplate 6 + 2 pad (wireshark, FreeSWITCH, Asterisk) / 7 + 1 (chan-sccp) / 8
    (wazo): same bytes.

    Disputed: Asterisk writes the character "0" (0x30) into the version byte and FreeSWITCH 0:
    neither is a usable version; wazo announces at most 11.
    """

    keep_alive_interval: Annotated[int, U32]
    date_template: Annotated[str, Chars(6)] = ""
    alignment_padding: Annotated[int, U16] = 0
    secondary_keep_alive_interval: Annotated[int, U32] = 0
    max_protocol_ver: Annotated[int, U8] = 0
    unknown: Annotated[int, U8] = 0
    phone_features: Annotated[enums.PhoneFeatures, U16] = enums.PhoneFeatures(0)


class TimeDateRes(SccpMessage, id=0x0094, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 64 frames.

    WDayOfWeek 0 = Sunday (CUCM 8.6 phone capture sends 0 then 1 on a Sunday/Monday);
    systemTime = Unix time (UTC); the broken-down fields are local time. CM sends it on
    request and again at the end of every call.
    """

    w_year: Annotated[int, U32]
    w_month: Annotated[int, U32] = 0
    w_day_of_week: Annotated[int, U32] = 0
    w_day: Annotated[int, U32] = 0
    w_hour: Annotated[int, U32] = 0
    w_minute: Annotated[int, U32] = 0
    w_second: Annotated[int, U32] = 0
    w_milliseconds: Annotated[int, U32] = 0
    system_time: Annotated[int, U32] = 0


class VersionRes(SccpMessage, id=0x0098, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 5 frames.

    16-byte version string, empty from CUCM to gateways.
    """

    version_str: Annotated[str, Chars(16)]


class CapabilitiesReq(SccpMessage, id=0x009B, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 35 frames.

    Empty body. Sent by the CM straight after RegisterAck.
    """


class RegisterReject(SccpMessage, id=0x009D, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 7 frames.

    Text up to 32 characters + NUL (Cisco guide: 33 bytes) + 3 pad. Seen from CM 2.x: "Error:
    No License". CM closes the connection after it.

    Disputed: 32 (wireshark, chan-sccp) or 33 (wazo, FreeSWITCH, Asterisk); capture 36-byte
    body supports 33.
    """

    text: Annotated[str, Chars(33)]


class ServerRes(SccpMessage, id=0x009E, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    server: Annotated[tuple[ServerName, ...], Repeat(ServerName, 5)]
    server_tcp_listen_port: Annotated[tuple[int, ...], Repeat(U32, 5)] = (0,) * 5
    server_ip_addr: Annotated[tuple[ServerAddress, ...], Repeat(ServerAddress, 5)] = (
        ServerAddress(),
    ) * 5


class Reset(SccpMessage, id=0x009F, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    ResetType 1 Reset (reboot and re-fetch configuration), 2 Restart (drop and re-register), 3
    ApplyConfig.
    """

    reset_type: Annotated[enums.DeviceResetType, U32]


class KeepAliveAck(SccpMessage, id=0x0100, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 22 frames.

    Empty body; header 0 from CUCM, session version from CME.
    """


class UnregisterAck(SccpMessage, id=0x0118, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: chan-sccp answers status 2 (NAK) when a call is active.
    """

    status: Annotated[enums.DeviceUnregisterStatus, U32]


class RegisterTokenAck(SccpMessage, id=0x011A, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Empty body; station must then send RegisterReq on the same connection.
    """


class RegisterTokenReject(SccpMessage, id=0x011B, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    WaitTimeBeforeNextReq in seconds.
    """

    wait_time_before_next_req: Annotated[int, U32]


class EnhancedAlarm(SccpMessage, id=0x015A, sender=Sender.STATION):
    """From the station; captured, 2 frames.

    XML document LastOutOfServiceInformation in a fixed 2000-byte buffer; first message of
    7962/7970 on a new connection, before RegisterReq.

    Disputed: the direction: wireshark and chan-sccp have it from the call manager; captured from
    phones.
    """

    alarm_info: Annotated[bytes, Rest(2048)]


class SPCPRegisterTokenReq(SccpMessage, id=0x8000, sender=Sender.STATION):
    """From the station; no capture."""

    device_name: Annotated[str, Chars(16)]
    reserved_for_future_use: Annotated[int, U32] = 0
    instance: Annotated[int, U32] = 0
    station_ip_addr: Annotated[int, U32] = 0
    device_type: Annotated[enums.DeviceType, U32] = enums.DeviceType(0)
    max_streams: Annotated[int, U32] = 0


class SPCPRegisterTokenAck(SccpMessage, id=0x8100, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    features: Annotated[int, U32]


class SPCPRegisterTokenReject(SccpMessage, id=0x8101, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    wait_time_before_next_req: Annotated[int, U32]


class SPCPPlatformInfoGetReq(SccpMessage, id=0xFF02, sender=Sender.EITHER):
    """From either side; no capture.

    Id and name only (one source, disabled there).
    """


class SPCPPlatformInfoGetRsp(SccpMessage, id=0xFF03, sender=Sender.EITHER):
    """From either side; no capture.

    Id and name only (one source, disabled there).
    """


class SPCPPlatformInfoGetRej(SccpMessage, id=0xFF04, sender=Sender.EITHER):
    """From either side; no capture.

    Id and name only (one source, disabled there).
    """
