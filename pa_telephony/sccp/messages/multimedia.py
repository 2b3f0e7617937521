"""Video and data channels, and the long capability lists."""

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
    Data,
    IPv4or6,
    Repeat,
    Union,
    When,
)

__all__ = [
    "AudioCapability",
    "AudioParameters",
    "CapabilitiesV2Res",
    "CapabilitiesV2ResVideoCapability",
    "CapabilitiesV3Res",
    "CapabilitiesV3ResDataCapability",
    "CapabilitiesV3ResVideoCapability",
    "CloseMultiMediaReceiveChannel",
    "CodecParams",
    "CustomPictureFormat",
    "DataCapability",
    "DataParameters",
    "FlowControlCommand",
    "FlowControlNotify",
    "G723AudioParameters",
    "G723BitRate",
    "H261Parameters",
    "H261VideoCapability",
    "H263Parameters",
    "H263VideoCapability",
    "H264Parameters",
    "H264VideoCapability",
    "LevelPreference",
    "LostPartialPicture",
    "LostPicture",
    "MiscellaneousCommand",
    "MiscellaneousCommandNoContent",
    "ModemRelay",
    "NoContent",
    "OpenMultiMediaReceiveChannel",
    "OpenMultiMediaReceiveChannelAck",
    "PictureFormat",
    "RecoveryReferencePicture",
    "RecoveryReferencePictureValue",
    "ServiceResource",
    "SprtPayload",
    "Sse",
    "StartMultiMediaTransmission",
    "StartMultiMediaTransmissionAck",
    "StopMultiMediaTransmission",
    "TemporalSpatialTradeOff",
    "UpdateCapabilities",
    "VidParameters",
    "VideoCapability",
    "VideoDisplayCommand",
    "VideoFastUpdateGOB",
    "VideoFastUpdateMB",
    "VideoFastUpdatePicture",
    "VieoParameters",
    "VieoVideoCapability",
]


class CustomPictureFormat(Struct):
    """One of ``customPictureFormat``."""

    picture_width: Annotated[int, U32] = 0
    picture_height: Annotated[int, U32] = 0
    pixel_aspect_ratio: Annotated[int, U32] = 0
    clock_conversion_code: Annotated[int, U32] = 0
    clock_divisor: Annotated[int, U32] = 0


class ServiceResource(Struct):
    """One of ``serviceResource``."""

    layouts: Annotated[tuple[enums.Layout, ...], Array(U32, 5, slots=True)] = ()
    service_num: Annotated[int, U32] = 0
    max_streams: Annotated[int, U32] = 0
    max_conferences: Annotated[int, U32] = 0
    active_conference_on_registration: Annotated[int, U32] = 0


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


class AudioCapability(Struct):
    """One of ``audiocaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    max_frames_per_packet: Annotated[int, U32] = 0
    payloads: Annotated[
        G723BitRate | ModemRelay | SprtPayload | Sse | CodecParams, CODEC_PARAMETERS
    ] = CodecParams()


class LevelPreference(Struct):
    """One of ``levelPreference``."""

    transmit_preference: Annotated[int, U32] = 0
    format: Annotated[int, U32] = 0
    max_bit_rate: Annotated[int, U32] = 0
    min_bit_rate: Annotated[int, U32] = 0
    mpi: Annotated[int, U32] = 0
    service_number: Annotated[int, U32] = 0


class H261VideoCapability(Struct):
    """The content ``h261VideoCapability``."""

    temporal_spatial_trade_off_capability: Annotated[int, U32] = 0
    still_image_transmission: Annotated[int, U32] = 0


class H263VideoCapability(Struct):
    """The content ``h263VideoCapability``."""

    h263_capability_bitfield: Annotated[int, U32] = 0
    annex_nand_w_future_use: Annotated[int, U32] = 0


class VieoVideoCapability(Struct):
    """The content ``vieoVideoCapability``."""

    model_number: Annotated[int, U32] = 0
    bandwidth: Annotated[int, U32] = 0


class NoContent(Struct):
    """No content that is known."""


VIDEO_CAPABILITY = Union(
    "payload_capability",
    8,
    (
        (frozenset({100}), H261VideoCapability),
        (frozenset({101}), H263VideoCapability),
        (frozenset({102}), VieoVideoCapability),
    ),
    NoContent,
)


class VideoCapability(Struct):
    """One of ``vidCaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    video_capability_direction: Annotated[enums.TransmitOrReceive, U32] = (
        enums.TransmitOrReceive.NONE
    )
    level_preference: Annotated[
        tuple[LevelPreference, ...], Array(LevelPreference, 4, slots=True)
    ] = ()
    capability: Annotated[
        H261VideoCapability | H263VideoCapability | VieoVideoCapability | NoContent,
        VIDEO_CAPABILITY,
    ] = NoContent()


class DataCapability(Struct):
    """One of ``dataCaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    data_capability_direction: Annotated[enums.TransmitOrReceive, U32] = (
        enums.TransmitOrReceive.NONE
    )
    protocol_dependent_data: Annotated[int, U32] = 0
    max_bit_rate: Annotated[int, U32] = 0


class H264VideoCapability(Struct):
    """The content ``h264VideoCapability``."""

    profile: Annotated[int, U32] = 0
    level: Annotated[int, U32] = 0
    custom_max_mbps: Annotated[int, U32] = 0
    custom_max_fs: Annotated[int, U32] = 0
    custom_max_dpb: Annotated[int, U32] = 0
    custom_max_b_rand_cpb: Annotated[int, U32] = 0


VIDEO_CAPABILITY_V2 = Union(
    "payload_capability",
    24,
    (
        (frozenset({100}), H261VideoCapability),
        (frozenset({101}), H263VideoCapability),
        (frozenset({103}), H264VideoCapability),
        (frozenset({102}), VieoVideoCapability),
    ),
    NoContent,
)


class CapabilitiesV2ResVideoCapability(Struct):
    """One of ``vidCaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    video_capability_direction: Annotated[enums.TransmitOrReceive, U32] = (
        enums.TransmitOrReceive.NONE
    )
    level_preference: Annotated[
        tuple[LevelPreference, ...], Array(LevelPreference, 4, slots=True)
    ] = ()
    capability: Annotated[
        H261VideoCapability
        | H263VideoCapability
        | H264VideoCapability
        | VieoVideoCapability
        | NoContent,
        VIDEO_CAPABILITY_V2,
    ] = NoContent()


class CapabilitiesV3ResVideoCapability(Struct):
    """One of ``vidCaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    video_capability_direction: Annotated[enums.TransmitOrReceive, U32] = (
        enums.TransmitOrReceive.NONE
    )
    level_preference: Annotated[
        tuple[LevelPreference, ...], Array(LevelPreference, 4, slots=True)
    ] = ()
    encryption_capability: Annotated[enums.MediaEncryptionCapability, U32] = (
        enums.MediaEncryptionCapability.NOT_ENCRYPTION_CAPABLE
    )
    capability: Annotated[
        H261VideoCapability
        | H263VideoCapability
        | H264VideoCapability
        | VieoVideoCapability
        | NoContent,
        VIDEO_CAPABILITY_V2,
    ] = NoContent()
    ip_addressing_mode: Annotated[enums.IpAddrMode, U32] = enums.IpAddrMode.MODE_IPV4


class CapabilitiesV3ResDataCapability(Struct):
    """One of ``dataCaps``."""

    payload_capability: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    data_capability_direction: Annotated[enums.TransmitOrReceive, U32] = (
        enums.TransmitOrReceive.NONE
    )
    protocol_dependent_data: Annotated[int, U32] = 0
    max_bit_rate: Annotated[int, U32] = 0
    encryption_capability: Annotated[enums.MediaEncryptionCapability, U32] = (
        enums.MediaEncryptionCapability.NOT_ENCRYPTION_CAPABLE
    )


class AudioParameters(Struct):
    """The content ``audioParameters``."""

    milli_second_packet_size: Annotated[int, U32] = 0
    ec_value: Annotated[enums.MediaEchoCancellation, U32] = enums.MediaEchoCancellation.OFF
    g723_bit_rate: Annotated[enums.MediaG723BitRate, When(U32, until=10)] = enums.MediaG723BitRate(
        0
    )
    codec_mode: Annotated[int, When(U8, since=11)] = 0
    dynamic_payload: Annotated[int, When(U8, since=11)] = 0
    codec_param1: Annotated[int, When(U8, since=11)] = 0
    codec_param2: Annotated[int, When(U8, since=11)] = 0


class G723AudioParameters(Struct):
    """The content ``audioParameters`` for G.723.1."""

    milli_second_packet_size: Annotated[int, U32] = 0
    ec_value: Annotated[enums.MediaEchoCancellation, U32] = enums.MediaEchoCancellation.OFF
    g723_bit_rate: Annotated[enums.MediaG723BitRate, U32] = enums.MediaG723BitRate(0)


class PictureFormat(Struct):
    """One of ``pictureFormat``."""

    format: Annotated[int, U32] = 0
    mpi: Annotated[int, U32] = 0


class _AnyVideo(Struct):
    bit_rate: Annotated[int, U32] = 0
    picture_format: Annotated[tuple[PictureFormat, ...], Array(PictureFormat, 5, slots=True)] = ()
    conf_service_num: Annotated[int, U32] = 0


class VidParameters(_AnyVideo):
    """The content ``vidParameters`` for video codecs of which no source says more."""

    capability: Annotated[tuple[int, ...], Repeat(U8, 24)] = (0,) * 24


class H261Parameters(_AnyVideo):
    """The content ``vidParameters`` for H.261."""

    temporal_spatial_trade_off_capability: Annotated[int, U32] = 0
    still_image_transmission: Annotated[int, U32] = 0


class H263Parameters(_AnyVideo):
    """The content ``vidParameters`` for H.263."""

    h263_capability_bitfield: Annotated[int, U32] = 0
    annex_nand_w_future_use: Annotated[int, U32] = 0


class VieoParameters(_AnyVideo):
    """The content ``vidParameters`` for Vieo."""

    model_number: Annotated[int, U32] = 0
    bandwidth: Annotated[int, U32] = 0


class H264Parameters(_AnyVideo):
    """The content ``vidParameters`` for H.264."""

    profile: Annotated[int, U32] = 0
    level: Annotated[int, U32] = 0
    custom_max_mbps: Annotated[int, U32] = 0
    custom_max_fs: Annotated[int, U32] = 0
    custom_max_dpb: Annotated[int, U32] = 0
    custom_max_b_rand_cpb: Annotated[int, U32] = 0


class DataParameters(Struct):
    """The content ``dataParameters``."""

    protocol_dependent_data: Annotated[int, U32] = 0
    max_bit_rate: Annotated[int, U32] = 0


class VideoFastUpdatePicture(Struct):
    """The content ``videoFastUpdatePicture``."""

    first_gob: Annotated[int, U32] = 0
    number_of_go_bs: Annotated[int, U32] = 0


class VideoFastUpdateGOB(Struct):
    """The content ``videoFastUpdateGOB``."""

    first_gob: Annotated[int, U32] = 0
    number_of_go_bs: Annotated[int, U32] = 0


class VideoFastUpdateMB(Struct):
    """The content ``videoFastUpdateMB``."""

    first_gob: Annotated[int, U32] = 0
    first_mb: Annotated[int, U32] = 0
    number_of_m_bs: Annotated[int, U32] = 0


class LostPicture(Struct):
    """The content ``lostPicture``."""

    picture_number: Annotated[int, U32] = 0
    long_term_picture_index: Annotated[int, U32] = 0


class LostPartialPicture(Struct):
    """The content ``lostPartialPicture``."""

    picture_number: Annotated[int, U32] = 0
    long_term_picture_index: Annotated[int, U32] = 0
    first_mb: Annotated[int, U32] = 0
    number_of_m_bs: Annotated[int, U32] = 0


class RecoveryReferencePicture(Struct):
    """One of ``recoveryReferencePicture``."""

    picture_number: Annotated[int, U32] = 0
    long_term_picture_index: Annotated[int, U32] = 0


class RecoveryReferencePictureValue(Struct):
    """The content ``recoveryReferencePictureValue``."""

    recovery_reference_picture: Annotated[
        tuple[RecoveryReferencePicture, ...], Array(RecoveryReferencePicture, 4, slots=True)
    ] = ()


class TemporalSpatialTradeOff(Struct):
    """The content ``temporalSpatialTradeOff``."""

    temporal_spatial_trade_off: Annotated[int, U32] = 0


class MiscellaneousCommandNoContent(Struct):
    """The content ``none``."""

    none_: Annotated[int, U32] = 0


CHANNEL_PARAMETERS = Union(
    "compression_type",
    76,
    (
        (frozenset({9}), G723AudioParameters),
        (frozenset(range(99)) - {9}, AudioParameters),
        (frozenset({100}), H261Parameters),
        (frozenset({101}), H263Parameters),
        (frozenset({102}), VieoParameters),
        (frozenset({103}), H264Parameters),
        (frozenset(range(104, 116)), VidParameters),
        (frozenset(range(120, 1000)), DataParameters),
    ),
    NoContent,
)


COMMAND_DATA = Union(
    "command",
    36,
    (
        (frozenset({1}), VideoFastUpdatePicture),
        (frozenset({2}), VideoFastUpdateGOB),
        (frozenset({3}), VideoFastUpdateMB),
        (frozenset({4}), LostPicture),
        (frozenset({5}), LostPartialPicture),
        (frozenset({6}), RecoveryReferencePictureValue),
        (frozenset({7}), TemporalSpatialTradeOff),
    ),
    MiscellaneousCommandNoContent,
)


class UpdateCapabilities(SccpMessage, id=0x0030, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: chan-sccp uses the V2 video entries (132 bytes each) from version 16 under this
    id as well.
    """

    rtp_payload_format: Annotated[int, U32]
    custom_picture_format: Annotated[
        tuple[CustomPictureFormat, ...], Array(CustomPictureFormat, 6, slots=True)
    ] = ()
    active_streams_on_registration: Annotated[int, U32] = 0
    max_bw: Annotated[int, U32] = 0
    service_resource: Annotated[
        tuple[ServiceResource, ...], Array(ServiceResource, 4, slots=True)
    ] = ()
    audiocaps: Annotated[
        tuple[AudioCapability, ...],
        Array(AudioCapability, 18, count_before="rtp_payload_format", slots=True),
    ] = ()
    vid_caps: Annotated[
        tuple[VideoCapability, ...],
        Array(VideoCapability, 10, count_before="rtp_payload_format", slots=True),
    ] = ()
    data_caps: Annotated[
        tuple[DataCapability, ...],
        Array(DataCapability, 5, count_before="rtp_payload_format", slots=True),
    ] = ()


class OpenMultiMediaReceiveChannelAck(SccpMessage, id=0x0031, sender=Sender.STATION):
    """From the station; no capture."""

    multimedia_reception_status: Annotated[enums.OpenReceiveChanStatus, U32]
    ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    port_number: Annotated[int, U32] = 0
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0


class CapabilitiesV2Res(SccpMessage, id=0x0043, sender=Sender.STATION):
    """From the station; no capture.

    Id is UpdateCapabilitiesV2 in chan-sccp, CapabilitiesV2Res in wireshark; same layout.
    """

    rtp_payload_format: Annotated[int, U32]
    custom_picture_format: Annotated[
        tuple[CustomPictureFormat, ...], Array(CustomPictureFormat, 6, slots=True)
    ] = ()
    active_streams_on_registration: Annotated[int, U32] = 0
    max_bw: Annotated[int, U32] = 0
    service_resource: Annotated[
        tuple[ServiceResource, ...], Array(ServiceResource, 4, slots=True)
    ] = ()
    audiocaps: Annotated[
        tuple[AudioCapability, ...],
        Array(AudioCapability, 18, count_before="rtp_payload_format", slots=True),
    ] = ()
    vid_caps: Annotated[
        tuple[CapabilitiesV2ResVideoCapability, ...],
        Array(CapabilitiesV2ResVideoCapability, 10, count_before="rtp_payload_format", slots=True),
    ] = ()
    data_caps: Annotated[
        tuple[DataCapability, ...],
        Array(DataCapability, 5, count_before="rtp_payload_format", slots=True),
    ] = ()


class CapabilitiesV3Res(SccpMessage, id=0x0044, sender=Sender.STATION):
    """From the station; no capture.

    Id is UpdateCapabilitiesV3 in chan-sccp.

    Disputed: wireshark counts ipAddressingMode twice from version 16 (144-byte video
    entries); chan-sccp once (140). Catalogue follows chan-sccp; chan-sccp also has 280
    unknown bytes at the end.
    """

    rtp_payload_format: Annotated[int, U32]
    custom_picture_format: Annotated[
        tuple[CustomPictureFormat, ...], Array(CustomPictureFormat, 6, slots=True)
    ] = ()
    active_streams_on_registration: Annotated[int, U32] = 0
    max_bw: Annotated[int, U32] = 0
    service_resource: Annotated[
        tuple[ServiceResource, ...], Array(ServiceResource, 4, slots=True)
    ] = ()
    audiocaps: Annotated[
        tuple[AudioCapability, ...],
        Array(AudioCapability, 18, count_before="rtp_payload_format", slots=True),
    ] = ()
    vid_caps: Annotated[
        tuple[CapabilitiesV3ResVideoCapability, ...],
        Array(CapabilitiesV3ResVideoCapability, 10, count_before="rtp_payload_format", slots=True),
    ] = ()
    data_caps: Annotated[
        tuple[CapabilitiesV3ResDataCapability, ...],
        Array(CapabilitiesV3ResDataCapability, 5, count_before="rtp_payload_format", slots=True),
    ] = ()


class OpenMultiMediaReceiveChannel(SccpMessage, id=0x0131, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: union selector: wireshark compares payloadType.payloadType with codec numbers
    (looks like a fault); compressionType is taken here.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    line_instance: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    payload_rfc_number: Annotated[int, U32] = 0
    payload_type: Annotated[int, U32] = 0
    is_conference_creator: Annotated[int, U32] = 0
    capability: Annotated[
        AudioParameters
        | G723AudioParameters
        | H261Parameters
        | H263Parameters
        | VieoParameters
        | H264Parameters
        | VidParameters
        | DataParameters
        | NoContent,
        CHANNEL_PARAMETERS,
    ] = NoContent()
    algorithm_id: Annotated[enums.MediaEncryptionAlgorithmType, U32] = (
        enums.MediaEncryptionAlgorithmType.NO_ENCRYPTION
    )
    key: Annotated[bytes, Data(16, slots=True, count=U16)] = b""
    salt: Annotated[bytes, Data(16, count_before="key", slots=True, count=U16)] = b""
    is_mki_present: Annotated[int, U32] = 0
    key_derivation_rate: Annotated[int, U32] = 0
    stream_pass_through_id: Annotated[int, U32] = 0
    associated_stream_id: Annotated[int, U32] = 0
    source_ip_addr: Annotated[str, When(IPv4or6(), since=11)] = "0.0.0.0"
    source_port_number: Annotated[int, When(U32, since=11)] = 0
    requested_ip_addr_type: Annotated[enums.IpAddrType, When(U32, since=16)] = enums.IpAddrType.IPV4


class StartMultiMediaTransmission(SccpMessage, id=0x0132, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture.

    Disputed: parameter block 76 bytes (wireshark) or 104 (chan-sccp, and no key info in its
    old form): unresolved.
    """

    conference_id: Annotated[int, U32]
    passthru_party_id: Annotated[int, U32] = 0
    compression_type: Annotated[enums.MediaPayloadType, U32] = enums.MediaPayloadType(0)
    remote_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    remote_port_number: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    payload_rfc_number: Annotated[int, U32] = 0
    payload_type: Annotated[int, U32] = 0
    dscp_value: Annotated[int, U32] = 0
    capability: Annotated[
        AudioParameters
        | G723AudioParameters
        | H261Parameters
        | H263Parameters
        | VieoParameters
        | H264Parameters
        | VidParameters
        | DataParameters
        | NoContent,
        CHANNEL_PARAMETERS,
    ] = NoContent()
    algorithm_id: Annotated[enums.MediaEncryptionAlgorithmType, U32] = (
        enums.MediaEncryptionAlgorithmType.NO_ENCRYPTION
    )
    key: Annotated[bytes, Data(16, slots=True, count=U16)] = b""
    salt: Annotated[bytes, Data(16, count_before="key", slots=True, count=U16)] = b""
    is_mki_present: Annotated[int, U32] = 0
    key_derivation_rate: Annotated[int, U32] = 0
    stream_pass_through_id: Annotated[int, U32] = 0
    associated_stream_id: Annotated[int, U32] = 0


class StopMultiMediaTransmission(SccpMessage, id=0x0133, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    port_handling_flag: Annotated[enums.PortHandling, U32] = enums.PortHandling.CLOSE_PORT


class MiscellaneousCommand(SccpMessage, id=0x0134, sender=Sender.EITHER):
    """From either side; no capture.

    Phones send it, and CME hands it on to the other phone (docs/protocol/sccp.md).
    """

    conference_id: Annotated[int, U32]
    passthru_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    command: Annotated[enums.MiscCommandType, U32] = enums.MiscCommandType.VIDEO_FREEZE_PICTURE
    u: Annotated[
        VideoFastUpdatePicture
        | VideoFastUpdateGOB
        | VideoFastUpdateMB
        | LostPicture
        | LostPartialPicture
        | RecoveryReferencePictureValue
        | TemporalSpatialTradeOff
        | MiscellaneousCommandNoContent,
        COMMAND_DATA,
    ] = MiscellaneousCommandNoContent()


class FlowControlCommand(SccpMessage, id=0x0135, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    passthru_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    maximum_bit_rate: Annotated[int, U32] = 0


class CloseMultiMediaReceiveChannel(SccpMessage, id=0x0136, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    port_handling_flag: Annotated[enums.PortHandling, U32] = enums.PortHandling.CLOSE_PORT


class VideoDisplayCommand(SccpMessage, id=0x0140, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    call_reference: Annotated[int, U32] = 0
    layout_id: Annotated[int, U32] = 0


class FlowControlNotify(SccpMessage, id=0x0141, sender=Sender.CALL_MANAGER):
    """From the call manager; no capture."""

    conference_id: Annotated[int, U32]
    passthru_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    maximum_bit_rate: Annotated[int, U32] = 0


class StartMultiMediaTransmissionAck(SccpMessage, id=0x0155, sender=Sender.STATION):
    """From the station; no capture.

    Disputed: chan-sccp has one more u32.
    """

    conference_id: Annotated[int, U32]
    pass_through_party_id: Annotated[int, U32] = 0
    call_reference: Annotated[int, U32] = 0
    transmit_ip_addr: Annotated[str, IPv4or6()] = "0.0.0.0"
    port_number: Annotated[int, U32] = 0
    multimedia_transmission_status: Annotated[enums.MediaStatus, U32] = enums.MediaStatus.OK
