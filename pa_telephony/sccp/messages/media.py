"""Audio: channels, transmissions, ports, DTMF and announcements."""

from __future__ import annotations

from typing import Annotated

from pa_telephony.sccp import enums
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.wire.declaration import Struct
from pa_telephony.wire.sequential.types import (
    I32,
    U8,
    U16,
    U32,
    Array,
    Data,
    IPv4,
    IPv4or6,
    Repeat,
    Union,
    When,
)

__all__ = [
    "Announcement",
    "AnnouncementFinish",
    "CloseReceiveChannel",
    "CodecParams",
    "G723BitRate",
    "MediaPathCapability",
    "MediaPathEvent",
    "MediaPortList",
    "MediaResourceNotification",
    "MediaTransmissionFailure",
    "MulticastMediaReceptionAck",
    "NotifyDtmfTone",
    "OpenReceiveChannel",
    "OpenReceiveChannelAck",
    "PortClose",
    "PortReq",
    "PortRes",
    "SendDtmfTone",
    "StartAnnouncement",
    "StartMediaFailureDetection",
    "StartMediaReception",
    "StartMediaTransmission",
    "StartMediaTransmissionAck",
    "StartMulticastMediaReception",
    "StartMulticastMediaTransmission",
    "StopAnnouncement",
    "StopMediaReception",
    "StopMediaTransmission",
    "StopMulticastMediaReception",
    "StopMulticastMediaTransmission",
]


class G723BitRate(Struct):
    """The content ``g723BitRate``."""

    g723_bit_rate: Annotated[enums.MediaG723BitRate, U32] = enums.MediaG723BitRate(0)


class CodecParams(Struct):
    """The content ``codecParams``."""

    codec_mode: Annotated[int, U8] = 0
    dynamic_payload: Annotated[int, U8] = 0
    codec_param1: Annotated[int, U8] = 0
    codec_param2: Annotated[int, U8] = 0


class Announcement(Struct):
    """One of ``AnnList``."""

    locale: Annotated[int, U32] = 0
    country: Annotated[int, U32] = 0
    tone_announcement: Annotated[enums.DeviceTone, U32] = enums.DeviceTone.SILENCE


CODEC_QUALIFIER = Union(
    "compression_type",
    4,
    ((frozenset({9}), G723BitRate),),
    CodecParams,
)


class MediaPortList(SccpMessage, id=0x0011, sender=Sender.STATION):
    """From the station; no capture."""

    rtp_media_port: Annotated[tuple[int, ...], Array(U32, 16, slots=True)]


class MulticastMediaReceptionAck(SccpMessage, id=0x0021, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: chan-sccp ends after passThruPartyId.
    """

    multicast_reception_status: Annotated[enums.MulticastMediaReceptionStatus, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class OpenReceiveChannelAck(SccpMessage, id=0x0022, sender=Sender.STATION):
    """From the station; captured, 48 frames.

    CallReference absent from the 7912 (16-byte body) and zero from IOS DSP farms; correlate
    on passThroughPartyId.

    IPv4 slack bytes (12) hold stale memory on gateways.

    Disputed: wazo/FreeSWITCH/Asterisk send and read 16 (or 32) bytes without callReference.
    """

    media_reception_status: Annotated[enums.MediaStatus, U32]
    ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    port_number: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class MediaTransmissionFailure(SccpMessage, id=0x002A, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: ipv4or6 form from version 17 (wireshark) or 16 (chan-sccp).
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class MediaResourceNotification(SccpMessage, id=0x002C, sender=Sender.STATION):
    """From the station; captured, 6 frames.

    Sent by media resources right after RegisterAck: deviceType as registered, in-service
    streams (conference bridge 8, MTP 20, transcoder 4), maxStreamsPerConf (8 for a bridge,
    else 0). FXS ports send zeros.
    """

    device_type: Annotated[enums.DeviceType, U32]
    number_of_in_service_streams: Annotated[int, U32] = 0
    max_streams_per_conf: Annotated[int, U32] = 0
    number_of_out_of_service_streams: Annotated[int, U32] = 0


class PortRes(SccpMessage, id=0x0045, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: address form: ipv4or6 from version 17 (wireshark) or 19 (chan-sccp).
    """

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    port_number: Annotated[int, U32] = 0
    rtcp_port_number: Annotated[int, U32] = 0
    media_type: Annotated[enums.MediaType, When(U32, since=19)] = enums.MediaType.INVALID


class MediaPathEvent(SccpMessage, id=0x0049, sender=Sender.STATION):
    """From the station; captured, 9 frames."""

    media_path_id: Annotated[enums.MediaPathID, U32]
    media_path_event: Annotated[enums.MediaPathEvent, U32] = enums.MediaPathEvent(0)


class MediaPathCapability(SccpMessage, id=0x004A, sender=Sender.STATION):
    """From the station; captured, 2 frames."""

    media_path_id: Annotated[enums.MediaPathID, U32]
    media_path_capabilities: Annotated[enums.MediaPathCapabilities, U32] = (
        enums.MediaPathCapabilities(0)
    )


class StartMediaTransmission(SccpMessage, id=0x008A, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 65 frames.

    Body: 36 (CM 2.x: address, port, packet ms, codec and precedence, then 16 bytes of stale
    memory), 84 (version 6: ends after the 40 key bytes), 132 (18 and 20), 168 (21).

    PrecedenceValue is the IP TOS byte for RTP (184 = EF on CUCM).

    RFC2833PayloadType 101 with dtmfType 10 when the far end negotiated telephone-event; 0
    otherwise.

    Disputed: maxFramesPerPacket u16+u16 pad (wireshark, FreeSWITCH, wazo) or u32 (chan-sccp,
    Asterisk): same bytes.

    Disputed: key info 40 bytes up to version 6, 48 later (isMKIPresent, keyDerivationRate):
    capture of CM 4.1 against the others.

    One call may get several: CUCM opens more streams for recording and monitoring, with other
    passThroughPartyIds and callReferences (captured).

    Disputed: mixingMode and partyDirection always (chan-sccp), partyDirection from version 15 on
    (wireshark, taken here).
    """

    conference_id: Annotated[int, When(U32, since=3)] = 0
    pass_through_party_id: Annotated[int, When(U32, since=3)] = 0
    remote_ip_addr: Annotated[str, IPv4or6()]
    remote_port_number: Annotated[int, U32] = 0
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    precedence_value: Annotated[int, U32] = 0
    ss_value: Annotated[enums.MediaSilenceSuppression, When(U32, since=3)] = (
        enums.MediaSilenceSuppression.OFF
    )
    max_frames_per_packet: Annotated[int, When(U16, since=3)] = 0
    padding: Annotated[int, When(U16, since=3)] = 0
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, since=3, until=10)] = (
        enums.MediaG723BitRate(0)
    )
    codec_params_union: Annotated[G723BitRate | CodecParams, When(CODEC_QUALIFIER, since=11)] = (
        CodecParams()
    )
    call_reference: Annotated[int, When(U32, since=3)] = 0
    algorithm_id: Annotated[enums.MediaEncryptionAlgorithmType, When(U32, since=3)] = (
        enums.MediaEncryptionAlgorithmType.NO_ENCRYPTION
    )
    key: Annotated[bytes, When(Data(16, slots=True, count=U16), since=3)] = b""
    salt: Annotated[bytes, When(Data(16, count_before="key", slots=True, count=U16), since=3)] = b""
    is_mki_present: Annotated[int, When(U32, since=3)] = 0
    key_derivation_rate: Annotated[int, When(U32, since=3)] = 0
    stream_pass_through_id: Annotated[int, When(U32, since=3)] = 0
    associated_stream_id: Annotated[int, When(U32, since=3)] = 0
    rfc2833_payload_type: Annotated[int, When(U32, since=3)] = 0
    dtmf_type: Annotated[int, When(U32, since=3)] = 0
    mixing_mode: Annotated[int, When(U32, since=3)] = 0
    party_direction: Annotated[int, When(U32, since=15)] = 0
    active: Annotated[int, When(U32, since=21)] = 0
    cap_and_ver: Annotated[int, When(U32, since=21)] = 0
    mod_and2833: Annotated[int, When(U32, since=21)] = 0
    chan0_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan2_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan3_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan2_max_window: Annotated[int, When(U16, since=21)] = 0
    standard: Annotated[int, When(U32, since=21)] = 0
    vendor: Annotated[int, When(U32, since=21)] = 0
    nse: Annotated[int, When(U8, since=21)] = 0
    rfc2833: Annotated[int, When(U8, since=21)] = 0
    sse: Annotated[int, When(U8, since=21)] = 0
    v150sprt: Annotated[int, When(U8, since=21)] = 0
    noaudio: Annotated[int, When(U8, since=21)] = 0
    future_use1: Annotated[int, When(U8, since=21)] = 0
    future_use2: Annotated[int, When(U8, since=21)] = 0
    future_use3: Annotated[int, When(U8, since=21)] = 0


class StopMediaTransmission(SccpMessage, id=0x008B, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 53 frames.

    12-byte body (no portHandlingFlag) from CM 4.1; 16 later; from CM 2.x 4 bytes of stale
    memory.

    Disputed: FreeSWITCH sends 12 bytes, Asterisk 20 with zeros at the end.
    """

    conference_id: Annotated[int, When(U32, since=3)] = 0
    pass_through_party_id: Annotated[int, When(U32, since=3)] = 0
    call_reference: Annotated[int, When(U32, since=3)] = 0
    port_handling_flag: Annotated[enums.PortHandling, When(U32, since=3)] = (
        enums.PortHandling.CLOSE_PORT
    )


class StartMediaReception(SccpMessage, id=0x008C, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 13 frames.

    CM 2.x only: sent with StartMediaTransmission. Captured body 24: the station's own IPv4,
    packet ms (30), payload type (4), then 12 bytes of stale memory.

    Disputed: wireshark 4.0 does not know it.
    """

    ip_addr: Annotated[str, IPv4()]
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)


class StopMediaReception(SccpMessage, id=0x008D, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 9 frames.

    CM 2.x only; 4 bytes of stale memory.

    Disputed: chan-sccp: conferenceId, passThruPartyId.
    """


class StartMulticastMediaReception(SccpMessage, id=0x0101, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: chan-sccp has no callReference, and the longer address from version 16 on; 17 is
    wireshark.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    multicast_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    multicast_port_number: Annotated[int, U32] = 0
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    ec_value: Annotated[enums.MediaEchoCancellation, U32] = enums.MediaEchoCancellation.OFF
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, until=10)] = enums.MediaG723BitRate(
        0
    )
    codec_params_union: Annotated[G723BitRate | CodecParams, When(CODEC_QUALIFIER, since=11)] = (
        CodecParams()
    )
    call_reference: Annotated[int, U32] = 0


class StartMulticastMediaTransmission(SccpMessage, id=0x0102, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: chan-sccp has no callReference, and the longer address from version 16 on; 17 is
    wireshark.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    multicast_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    multicast_port_number: Annotated[int, U32] = 0
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    precedence_value: Annotated[int, U32] = 0
    ss_value: Annotated[enums.MediaSilenceSuppression, U32] = enums.MediaSilenceSuppression.OFF
    max_frames_per_packet: Annotated[int, U16] = 0
    padding: Annotated[int, U16] = 0
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, until=10)] = enums.MediaG723BitRate(
        0
    )
    codec_params_union: Annotated[G723BitRate | CodecParams, When(CODEC_QUALIFIER, since=11)] = (
        CodecParams()
    )
    call_reference: Annotated[int, U32] = 0


class StopMulticastMediaReception(SccpMessage, id=0x0103, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class StopMulticastMediaTransmission(SccpMessage, id=0x0104, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class OpenReceiveChannel(SccpMessage, id=0x0105, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 48 frames.

    Body: 68 (version 6), 128 (20, CUCM 8.0-era: no audioLevelAdjustment), 132 (18, 20), 168
    (21).

    SourceIpAddr/sourcePortNumber describe the far end: real address when known, else port
    4000 as a placeholder; requestedIpAddrType 0.

    Key info as in StartMediaTransmission.

    Disputed: ecValue (wireshark, FreeSWITCH) / vadValue (chan-sccp) name the same word.

    Disputed: audioLevelAdjustment: wireshark only if data_length > 132, chan-sccp only in its
    version-22 form; captures: from CUCM 8.6 on at 18 and 20.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    ec_value: Annotated[enums.MediaEchoCancellation, U32] = enums.MediaEchoCancellation.OFF
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, until=10)] = enums.MediaG723BitRate(
        0
    )
    codec_params_union: Annotated[G723BitRate | CodecParams, When(CODEC_QUALIFIER, since=11)] = (
        CodecParams()
    )
    call_reference: Annotated[int, U32] = 0
    algorithm_id: Annotated[enums.MediaEncryptionAlgorithmType, U32] = (
        enums.MediaEncryptionAlgorithmType.NO_ENCRYPTION
    )
    key: Annotated[bytes, Data(16, slots=True, count=U16)] = b""
    salt: Annotated[bytes, Data(16, count_before="key", slots=True, count=U16)] = b""
    is_mki_present: Annotated[int, U32] = 0
    key_derivation_rate: Annotated[int, U32] = 0
    stream_pass_through_id: Annotated[int, U32] = 0
    associated_stream_id: Annotated[int, U32] = 0
    rfc2833_payload_type: Annotated[int, U32] = 0
    dtmf_type: Annotated[int, U32] = 0
    mixing_mode: Annotated[int, When(U32, since=11)] = 0
    party_direction: Annotated[int, When(U32, since=11)] = 0
    source_ip_addr: Annotated[str, When(IPv4or6(), since=11)] = "0.0.0.0"
    source_port_number: Annotated[int, When(U32, since=11)] = 0
    requested_ip_addr_type: Annotated[enums.IpAddrType, When(U32, since=16)] = enums.IpAddrType.IPV4
    audio_level_adjustment: Annotated[int, When(I32, since=17)] = 0
    active: Annotated[int, When(U32, since=21)] = 0
    cap_and_ver: Annotated[int, When(U32, since=21)] = 0
    mod_and2833: Annotated[int, When(U32, since=21)] = 0
    chan0_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan2_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan3_max_payload: Annotated[int, When(U16, since=21)] = 0
    chan2_max_window: Annotated[int, When(U16, since=21)] = 0
    standard: Annotated[int, When(U32, since=21)] = 0
    vendor: Annotated[int, When(U32, since=21)] = 0
    nse: Annotated[int, When(U8, since=21)] = 0
    rfc2833: Annotated[int, When(U8, since=21)] = 0
    sse: Annotated[int, When(U8, since=21)] = 0
    v150sprt: Annotated[int, When(U8, since=21)] = 0
    noaudio: Annotated[int, When(U8, since=21)] = 0
    future_use1: Annotated[int, When(U8, since=21)] = 0
    future_use2: Annotated[int, When(U8, since=21)] = 0
    future_use3: Annotated[int, When(U8, since=21)] = 0


class CloseReceiveChannel(SccpMessage, id=0x0106, sender=Sender.CALL_MANAGER):
    """From the call manager; captured, 44 frames.

    12-byte body from CM 4.1, 16 later.

    Disputed: wazo and FreeSWITCH send 12 bytes.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    port_handling_flag: Annotated[enums.PortHandling, U32] = enums.PortHandling.CLOSE_PORT


class StartMediaFailureDetection(SccpMessage, id=0x011C, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    milli_second_packet_size: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    ec_value: Annotated[enums.MediaEchoCancellation, U32] = enums.MediaEchoCancellation.OFF
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, until=10)] = enums.MediaG723BitRate(
        0
    )
    codec_params_union: Annotated[G723BitRate | CodecParams, When(CODEC_QUALIFIER, since=11)] = (
        CodecParams()
    )
    call_reference: Annotated[int, U32] = 0


class StartAnnouncement(SccpMessage, id=0x0122, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    ann_list: Annotated[tuple[Announcement, ...], Repeat(Announcement, 32)]
    ann_ack_req: Annotated[enums.EndOfAnnAck, U32] = enums.EndOfAnnAck.NO_ANN_ACK_REQUIRED
    conference_id: Annotated[int, U32] = 0
    matrix_conf_party_id: Annotated[tuple[int, ...], Repeat(U32, 16)] = (0,) * 16
    hearing_conf_party_mask: Annotated[int, U32] = 0
    ann_play_mode: Annotated[enums.AnnPlayMode, U32] = enums.AnnPlayMode.XML_CONFIG_MODE


class StopAnnouncement(SccpMessage, id=0x0123, sender=Sender.CALL_MANAGER):
    """From the call manager (media resource); no capture."""

    conference_id: Annotated[int, U32]


class AnnouncementFinish(SccpMessage, id=0x0124, sender=Sender.STATION):
    """From the station (media resource); no capture."""

    conference_id: Annotated[int, U32]
    ann_status: Annotated[enums.PlayAnnStatus, U32] = enums.PlayAnnStatus.OK


class NotifyDtmfTone(SccpMessage, id=0x0127, sender=Sender.STATION):
    """From the station; captured, 3 frames.

    Tone 1..9 digits, 10 zero (see DeviceTone), 14 star, 15 pound; sent by an MTP to the CM
    when a subscribed telephone-event arrives.

    Disputed: the direction: wireshark has it from the call manager; captured from the MTP.
    """

    tone: Annotated[enums.DeviceTone, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class SendDtmfTone(SccpMessage, id=0x0128, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    tone: Annotated[enums.DeviceTone, U32]
    conference_id: Annotated[int, U32] = 0
    passthru_party_id: Annotated[int, U32] = 0


class PortReq(SccpMessage, id=0x014B, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    media_transport_type: Annotated[enums.MediaTransportType, U32] = enums.MediaTransportType(0)
    ip_address_type: Annotated[enums.IpAddrType, U32] = enums.IpAddrType.IPV4
    media_type: Annotated[enums.MediaType, U32] = enums.MediaType.INVALID


class PortClose(SccpMessage, id=0x014C, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    media_type: Annotated[enums.MediaType, U32] = enums.MediaType.INVALID


class StartMediaTransmissionAck(SccpMessage, id=0x0154, sender=Sender.STATION):
    """From the station; captured, 43 frames.

    ConferenceId and callReference differ for media resources (captured), so the first word is
    conferenceId.

    IOS FXS (STCAPP) ports never send it; phones and DSP farms do, with
    mediaTransmissionStatus 0 Ok.

    PortNumber equals the port of OpenReceiveChannelAck for the same party in every capture
    but one, where a station sent 0 with its receive channel open; transmit-only streams have
    a port of their own.

    Disputed: chan-sccp names words 1 and 3 both callReference.

    Disputed: the direction: wireshark and chan-sccp have it from the call manager; captured from
    phones and DSP farms.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transmit_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    port_number: Annotated[int, U32] = 0
    media_transmission_status: Annotated[enums.MediaStatus, U32] = enums.MediaStatus.OK
