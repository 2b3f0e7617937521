"""The messages of a call in session version 20, by hand: see common.py."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from baseline.common import HEADER, CodecParams, address, packed

from pa_telephony.sccp import enums

CALL_PRIVACY = {int(each): each for each in enums.CallPrivacy}
CALL_SECURITY_STATUS_TYPE = {int(each): each for each in enums.CallSecurityStatusType}
CALL_TYPE = {int(each): each for each in enums.CallType}
DCALL_STATE = {int(each): each for each in enums.DCallState}
DEVICE_STIMULUS = {int(each): each for each in enums.DeviceStimulus}
DEVICE_TONE = {int(each): each for each in enums.DeviceTone}
IP_ADDR_TYPE = {int(each): each for each in enums.IpAddrType}
KEY_PAD_BUTTON = {int(each): each for each in enums.KeyPadButton}
LAMP_MODE = {int(each): each for each in enums.LampMode}
MEDIA_ECHO_CANCELLATION = {int(each): each for each in enums.MediaEchoCancellation}
MEDIA_ENCRYPTION_ALGORITHM_TYPE = {int(each): each for each in enums.MediaEncryptionAlgorithmType}
MEDIA_PAYLOAD_TYPE = {int(each): each for each in enums.MediaPayloadType}
MEDIA_SILENCE_SUPPRESSION = {int(each): each for each in enums.MediaSilenceSuppression}
MEDIA_STATUS = {int(each): each for each in enums.MediaStatus}
PORT_HANDLING = {int(each): each for each in enums.PortHandling}
SOFT_KEY_SET = {int(each): each for each in enums.SoftKeySet}
TONE_OUTPUT_DIRECTION = {int(each): each for each in enums.ToneOutputDirection}

_OFF_HOOK = struct.Struct("<2I")
_OFF_HOOK_FRAME = struct.Struct("<3I2I")


@dataclass(slots=True)
class OffHook:
    line_instance: int
    call_reference: int

    @classmethod
    def read(cls, frame: bytes) -> OffHook:
        return cls(*_OFF_HOOK.unpack_from(frame, 12))

    def write(self) -> bytes:
        return _OFF_HOOK_FRAME.pack(12, 20, 0x0006, self.line_instance, self.call_reference)


_SET_LAMP = struct.Struct("<3I")
_SET_LAMP_FRAME = struct.Struct("<3I3I")


@dataclass(slots=True)
class SetLamp:
    stimulus: int
    stimulus_instance: int
    lamp_mode: int

    @classmethod
    def read(cls, frame: bytes) -> SetLamp:
        stimulus, stimulus_instance, lamp_mode = _SET_LAMP.unpack_from(frame, 12)
        return cls(
            DEVICE_STIMULUS.get(stimulus, stimulus),
            stimulus_instance,
            LAMP_MODE.get(lamp_mode, lamp_mode),
        )

    def write(self) -> bytes:
        return _SET_LAMP_FRAME.pack(
            16, 20, 0x0086, self.stimulus, self.stimulus_instance, self.lamp_mode
        )


_CALL_STATE = struct.Struct("<6I")
_CALL_STATE_FRAME = struct.Struct("<3I6I")


@dataclass(slots=True)
class CallState:
    call_state: int
    line_instance: int
    call_reference: int
    privacy: int
    precedence_level: int
    precedence_domain: int

    @classmethod
    def read(cls, frame: bytes) -> CallState:
        call_state, line_instance, call_reference, privacy, precedence_level, precedence_domain = (
            _CALL_STATE.unpack_from(frame, 12)
        )
        return cls(
            DCALL_STATE.get(call_state, call_state),
            line_instance,
            call_reference,
            CALL_PRIVACY.get(privacy, privacy),
            precedence_level,
            precedence_domain,
        )

    def write(self) -> bytes:
        return _CALL_STATE_FRAME.pack(
            28,
            20,
            0x0111,
            self.call_state,
            self.line_instance,
            self.call_reference,
            self.privacy,
            self.precedence_level,
            self.precedence_domain,
        )


_SELECT_SOFT_KEYS = struct.Struct("<4I")
_SELECT_SOFT_KEYS_FRAME = struct.Struct("<3I4I")


@dataclass(slots=True)
class SelectSoftKeys:
    line_instance: int
    call_reference: int
    soft_key_set_index: int
    valid_key_mask: int

    @classmethod
    def read(cls, frame: bytes) -> SelectSoftKeys:
        line_instance, call_reference, soft_key_set_index, valid_key_mask = (
            _SELECT_SOFT_KEYS.unpack_from(frame, 12)
        )
        return cls(
            line_instance,
            call_reference,
            SOFT_KEY_SET.get(soft_key_set_index, soft_key_set_index),
            valid_key_mask,
        )

    def write(self) -> bytes:
        return _SELECT_SOFT_KEYS_FRAME.pack(
            20,
            20,
            0x0110,
            self.line_instance,
            self.call_reference,
            self.soft_key_set_index,
            self.valid_key_mask,
        )


_START_TONE = struct.Struct("<4I")
_START_TONE_FRAME = struct.Struct("<3I4I")


@dataclass(slots=True)
class StartTone:
    tone: int
    tone_output_direction: int
    line_instance: int
    call_reference: int

    @classmethod
    def read(cls, frame: bytes) -> StartTone:
        tone, tone_output_direction, line_instance, call_reference = _START_TONE.unpack_from(
            frame, 12
        )
        return cls(
            DEVICE_TONE.get(tone, tone),
            TONE_OUTPUT_DIRECTION.get(tone_output_direction, tone_output_direction),
            line_instance,
            call_reference,
        )

    def write(self) -> bytes:
        return _START_TONE_FRAME.pack(
            20,
            20,
            0x0082,
            self.tone,
            self.tone_output_direction,
            self.line_instance,
            self.call_reference,
        )


_KEYPAD_BUTTON = struct.Struct("<3I")
_KEYPAD_BUTTON_FRAME = struct.Struct("<3I3I")


@dataclass(slots=True)
class KeypadButton:
    kp_button: int
    line_instance: int
    call_reference: int

    @classmethod
    def read(cls, frame: bytes) -> KeypadButton:
        kp_button, line_instance, call_reference = _KEYPAD_BUTTON.unpack_from(frame, 12)
        return cls(KEY_PAD_BUTTON.get(kp_button, kp_button), line_instance, call_reference)

    def write(self) -> bytes:
        return _KEYPAD_BUTTON_FRAME.pack(
            16, 20, 0x0003, self.kp_button, self.line_instance, self.call_reference
        )


_CALL_INFO_V2 = struct.Struct("<8I")


@dataclass(slots=True)
class CallInfoV2:
    line_instance: int
    call_reference: int
    call_type: int
    original_cdpn_redirect_reason: int
    last_redirecting_reason: int
    call_instance: int
    call_security_status: int
    party_pi_restriction_bits: int
    calling_party: str
    alternate_calling_party: str
    called_party: str
    original_called_party: str
    last_redirecting_party: str
    cgpn_voice_mailbox: str
    cdpn_voice_mailbox: str
    original_cdpn_voice_mailbox: str
    last_redirecting_voice_mailbox: str
    calling_party_name: str
    called_party_name: str
    original_called_party_name: str
    last_redirecting_party_name: str
    hunt_pilot_number: str
    hunt_pilot_name: str

    @classmethod
    def read(cls, frame: bytes) -> CallInfoV2:
        (
            line_instance,
            call_reference,
            call_type,
            original_cdpn_redirect_reason,
            last_redirecting_reason,
            call_instance,
            call_security_status,
            party_pi_restriction_bits,
        ) = _CALL_INFO_V2.unpack_from(frame, 12)
        texts = frame[44:].decode("latin-1").split("\0")
        return cls(
            line_instance,
            call_reference,
            CALL_TYPE.get(call_type, call_type),
            original_cdpn_redirect_reason,
            last_redirecting_reason,
            call_instance,
            CALL_SECURITY_STATUS_TYPE.get(call_security_status, call_security_status),
            party_pi_restriction_bits,
            *texts[:15],
        )

    def write(self) -> bytes:
        texts = "\0".join(
            (
                self.calling_party,
                self.alternate_calling_party,
                self.called_party,
                self.original_called_party,
                self.last_redirecting_party,
                self.cgpn_voice_mailbox,
                self.cdpn_voice_mailbox,
                self.original_cdpn_voice_mailbox,
                self.last_redirecting_voice_mailbox,
                self.calling_party_name,
                self.called_party_name,
                self.original_called_party_name,
                self.last_redirecting_party_name,
                self.hunt_pilot_number,
                self.hunt_pilot_name,
                "",
            )
        ).encode("latin-1")
        body = (
            _CALL_INFO_V2.pack(
                self.line_instance,
                self.call_reference,
                self.call_type,
                self.original_cdpn_redirect_reason,
                self.last_redirecting_reason,
                self.call_instance,
                self.call_security_status,
                self.party_pi_restriction_bits,
            )
            + texts
        )
        body += bytes(-len(body) % 4)
        return HEADER.pack(len(body) + 4, 20, 0x014A) + body


_OPEN_RECEIVE_CHANNEL = struct.Struct("<5I4B2I2H16s16s8I20s2Ii")
_OPEN_RECEIVE_CHANNEL_FRAME = struct.Struct("<3I5I4B2I2H16s16s8I20s2Ii")


@dataclass(slots=True)
class OpenReceiveChannel:
    conference_id: int
    pass_through_party_id: int
    milli_second_packet_size: int
    compression_type: int
    ec_value: int
    codec_params_union: CodecParams
    call_reference: int
    algorithm_id: int
    key: bytes
    salt: bytes
    is_mki_present: int
    key_derivation_rate: int
    stream_pass_through_id: int
    associated_stream_id: int
    rfc2833_payload_type: int
    dtmf_type: int
    mixing_mode: int
    party_direction: int
    source_ip_addr: str
    source_port_number: int
    requested_ip_addr_type: int
    audio_level_adjustment: int

    @classmethod
    def read(cls, frame: bytes) -> OpenReceiveChannel:
        (
            conference, party, ms, codec, ec, mode, payload, param1, param2, call, algorithm,
            key_size, salt_size, key, salt, mki, rate, stream, associated, rfc2833, dtmf, mixing,
            direction, source, port, requested, audio,
        ) = _OPEN_RECEIVE_CHANNEL.unpack_from(frame, 12)  # fmt: skip
        return cls(
            conference,
            party,
            ms,
            MEDIA_PAYLOAD_TYPE.get(codec, codec),
            MEDIA_ECHO_CANCELLATION.get(ec, ec),
            CodecParams(mode, payload, param1, param2),
            call,
            MEDIA_ENCRYPTION_ALGORITHM_TYPE.get(algorithm, algorithm),
            key[:key_size],
            salt[:salt_size],
            mki,
            rate,
            stream,
            associated,
            rfc2833,
            dtmf,
            mixing,
            direction,
            address(source),
            port,
            IP_ADDR_TYPE.get(requested, requested),
            audio,
        )

    def write(self) -> bytes:
        codec = self.codec_params_union
        return _OPEN_RECEIVE_CHANNEL_FRAME.pack(
            136,
            20,
            0x0105,
            self.conference_id,
            self.pass_through_party_id,
            self.milli_second_packet_size,
            self.compression_type,
            self.ec_value,
            codec.codec_mode,
            codec.dynamic_payload,
            codec.codec_param1,
            codec.codec_param2,
            self.call_reference,
            self.algorithm_id,
            len(self.key),
            len(self.salt),
            self.key,
            self.salt,
            self.is_mki_present,
            self.key_derivation_rate,
            self.stream_pass_through_id,
            self.associated_stream_id,
            self.rfc2833_payload_type,
            self.dtmf_type,
            self.mixing_mode,
            self.party_direction,
            packed(self.source_ip_addr),
            self.source_port_number,
            self.requested_ip_addr_type,
            self.audio_level_adjustment,
        )


_START_MEDIA_TRANSMISSION = struct.Struct("<2I20s5I2H4B2I2H16s16s8I")
_START_MEDIA_TRANSMISSION_FRAME = struct.Struct("<3I2I20s5I2H4B2I2H16s16s8I")


@dataclass(slots=True)
class StartMediaTransmission:
    conference_id: int
    pass_through_party_id: int
    remote_ip_addr: str
    remote_port_number: int
    milli_second_packet_size: int
    compression_type: int
    precedence_value: int
    ss_value: int
    max_frames_per_packet: int
    padding: int
    codec_params_union: CodecParams
    call_reference: int
    algorithm_id: int
    key: bytes
    salt: bytes
    is_mki_present: int
    key_derivation_rate: int
    stream_pass_through_id: int
    associated_stream_id: int
    rfc2833_payload_type: int
    dtmf_type: int
    mixing_mode: int
    party_direction: int

    @classmethod
    def read(cls, frame: bytes) -> StartMediaTransmission:
        (
            conference, party, remote, port, ms, codec, precedence, silence, frames, padding, mode,
            payload, param1, param2, call, algorithm, key_size, salt_size, key, salt, mki, rate,
            stream, associated, rfc2833, dtmf, mixing, direction,
        ) = _START_MEDIA_TRANSMISSION.unpack_from(frame, 12)  # fmt: skip
        return cls(
            conference,
            party,
            address(remote),
            port,
            ms,
            MEDIA_PAYLOAD_TYPE.get(codec, codec),
            precedence,
            MEDIA_SILENCE_SUPPRESSION.get(silence, silence),
            frames,
            padding,
            CodecParams(mode, payload, param1, param2),
            call,
            MEDIA_ENCRYPTION_ALGORITHM_TYPE.get(algorithm, algorithm),
            key[:key_size],
            salt[:salt_size],
            mki,
            rate,
            stream,
            associated,
            rfc2833,
            dtmf,
            mixing,
            direction,
        )

    def write(self) -> bytes:
        codec = self.codec_params_union
        return _START_MEDIA_TRANSMISSION_FRAME.pack(
            136,
            20,
            0x008A,
            self.conference_id,
            self.pass_through_party_id,
            packed(self.remote_ip_addr),
            self.remote_port_number,
            self.milli_second_packet_size,
            self.compression_type,
            self.precedence_value,
            self.ss_value,
            self.max_frames_per_packet,
            self.padding,
            codec.codec_mode,
            codec.dynamic_payload,
            codec.codec_param1,
            codec.codec_param2,
            self.call_reference,
            self.algorithm_id,
            len(self.key),
            len(self.salt),
            self.key,
            self.salt,
            self.is_mki_present,
            self.key_derivation_rate,
            self.stream_pass_through_id,
            self.associated_stream_id,
            self.rfc2833_payload_type,
            self.dtmf_type,
            self.mixing_mode,
            self.party_direction,
        )


_OPEN_RECEIVE_CHANNEL_ACK = struct.Struct("<I20s3I")
_OPEN_RECEIVE_CHANNEL_ACK_FRAME = struct.Struct("<3II20s3I")


@dataclass(slots=True)
class OpenReceiveChannelAck:
    media_reception_status: int
    ip_addr: str
    port_number: int
    pass_through_party_id: int
    call_reference: int

    @classmethod
    def read(cls, frame: bytes) -> OpenReceiveChannelAck:
        media_reception_status, ip_addr, port_number, pass_through_party_id, call_reference = (
            _OPEN_RECEIVE_CHANNEL_ACK.unpack_from(frame, 12)
        )
        return cls(
            MEDIA_STATUS.get(media_reception_status, media_reception_status),
            address(ip_addr),
            port_number,
            pass_through_party_id,
            call_reference,
        )

    def write(self) -> bytes:
        return _OPEN_RECEIVE_CHANNEL_ACK_FRAME.pack(
            40,
            20,
            0x0022,
            self.media_reception_status,
            packed(self.ip_addr),
            self.port_number,
            self.pass_through_party_id,
            self.call_reference,
        )


_CLOSE_RECEIVE_CHANNEL = struct.Struct("<4I")
_CLOSE_RECEIVE_CHANNEL_FRAME = struct.Struct("<3I4I")


@dataclass(slots=True)
class CloseReceiveChannel:
    conference_id: int
    pass_through_party_id: int
    call_reference: int
    port_handling_flag: int

    @classmethod
    def read(cls, frame: bytes) -> CloseReceiveChannel:
        conference_id, pass_through_party_id, call_reference, port_handling_flag = (
            _CLOSE_RECEIVE_CHANNEL.unpack_from(frame, 12)
        )
        return cls(
            conference_id,
            pass_through_party_id,
            call_reference,
            PORT_HANDLING.get(port_handling_flag, port_handling_flag),
        )

    def write(self) -> bytes:
        return _CLOSE_RECEIVE_CHANNEL_FRAME.pack(
            20,
            20,
            0x0106,
            self.conference_id,
            self.pass_through_party_id,
            self.call_reference,
            self.port_handling_flag,
        )


# By message number: how a frame is read.
READERS = {
    0x0003: KeypadButton.read,
    0x0006: OffHook.read,
    0x0022: OpenReceiveChannelAck.read,
    0x0082: StartTone.read,
    0x0086: SetLamp.read,
    0x008A: StartMediaTransmission.read,
    0x0105: OpenReceiveChannel.read,
    0x0106: CloseReceiveChannel.read,
    0x0110: SelectSoftKeys.read,
    0x0111: CallState.read,
    0x014A: CallInfoV2.read,
}
