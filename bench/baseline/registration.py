"""The messages of a registration in session version 20, by hand: see common.py."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from socket import AF_INET6, inet_aton, inet_ntoa, inet_ntop, inet_pton

from baseline.common import HEADER, CodecParams, text

from pa_telephony.sccp import enums

BUTTON_TYPE = {int(each): each for each in enums.ButtonType}
DEVICE_TYPE = {int(each): each for each in enums.DeviceType}
MEDIA_PAYLOAD_TYPE = {int(each): each for each in enums.MediaPayloadType}
SOFT_KEY_EVENT = {int(each): each for each in enums.SoftKeyEvent}

_COUNT = struct.Struct("<I")
_COUNTED = struct.Struct("<4I")
_TEMPLATE = struct.Struct("<3I")
_TEMPLATE_FRAME = struct.Struct("<6I")


_DISPLAY_PROMPT_STATUS_V2 = struct.Struct("<3I")


@dataclass(slots=True)
class DisplayPromptStatusV2:
    time_out_value: int
    line_instance: int
    call_reference: int
    prompt_status: str

    @classmethod
    def read(cls, frame: bytes) -> DisplayPromptStatusV2:
        time_out_value, line_instance, call_reference = _DISPLAY_PROMPT_STATUS_V2.unpack_from(
            frame, 12
        )
        texts = frame[24:].decode("latin-1").split("\0")
        return cls(time_out_value, line_instance, call_reference, *texts[:1])

    def write(self) -> bytes:
        texts = "\0".join((self.prompt_status, "")).encode("latin-1")
        body = (
            _DISPLAY_PROMPT_STATUS_V2.pack(
                self.time_out_value, self.line_instance, self.call_reference
            )
            + texts
        )
        body += bytes(-len(body) % 4)
        return HEADER.pack(len(body) + 4, 20, 0x0145) + body


_TIME_DATE_RES = struct.Struct("<9I")
_TIME_DATE_RES_FRAME = struct.Struct("<3I9I")


@dataclass(slots=True)
class TimeDateRes:
    w_year: int
    w_month: int
    w_day_of_week: int
    w_day: int
    w_hour: int
    w_minute: int
    w_second: int
    w_milliseconds: int
    system_time: int

    @classmethod
    def read(cls, frame: bytes) -> TimeDateRes:
        return cls(*_TIME_DATE_RES.unpack_from(frame, 12))

    def write(self) -> bytes:
        return _TIME_DATE_RES_FRAME.pack(
            40,
            20,
            0x0094,
            self.w_year,
            self.w_month,
            self.w_day_of_week,
            self.w_day,
            self.w_hour,
            self.w_minute,
            self.w_second,
            self.w_milliseconds,
            self.system_time,
        )


# Real ones end here; the text behind is written empty.
_REGISTER_REQ = struct.Struct("<16s2I4s3I2BH2I12s2I16sI32s")
_REGISTER_REQ_FRAME = struct.Struct("<3I16s2I4s3I2BH2I12s2I16sI32s48x")


@dataclass(slots=True)
class RegisterReq:
    device_name: str
    reserved_for_future_use: int
    instance: int
    station_ip_addr: str
    device_type: int
    max_streams: int
    active_streams: int
    protocol_ver: int
    unknown: int
    phone_features: int
    max_conferences: int
    active_conferences: int
    mac_address: str
    ip_v4_address_scope: int
    max_number_of_lines: int
    station_ip_v6_addr: str
    ip_v6_address_scope: int
    firmware_load_name: str

    @classmethod
    def read(cls, frame: bytes) -> RegisterReq:
        (
            device_name,
            reserved_for_future_use,
            instance,
            station_ip_addr,
            device_type,
            max_streams,
            active_streams,
            protocol_ver,
            unknown,
            phone_features,
            max_conferences,
            active_conferences,
            mac_address,
            ip_v4_address_scope,
            max_number_of_lines,
            station_ip_v6_addr,
            ip_v6_address_scope,
            firmware_load_name,
        ) = _REGISTER_REQ.unpack_from(frame, 12)
        return cls(
            text(device_name),
            reserved_for_future_use,
            instance,
            inet_ntoa(station_ip_addr),
            DEVICE_TYPE.get(device_type, device_type),
            max_streams,
            active_streams,
            protocol_ver,
            unknown,
            phone_features,
            max_conferences,
            active_conferences,
            mac_address[:6].hex(":"),
            ip_v4_address_scope,
            max_number_of_lines,
            inet_ntop(AF_INET6, station_ip_v6_addr),
            ip_v6_address_scope,
            text(firmware_load_name),
        )

    def write(self) -> bytes:
        return _REGISTER_REQ_FRAME.pack(
            176,
            0,
            0x0001,
            self.device_name.encode("latin-1"),
            self.reserved_for_future_use,
            self.instance,
            inet_aton(self.station_ip_addr),
            self.device_type,
            self.max_streams,
            self.active_streams,
            self.protocol_ver,
            self.unknown,
            self.phone_features,
            self.max_conferences,
            self.active_conferences,
            bytes.fromhex(self.mac_address.replace(":", "")),
            self.ip_v4_address_scope,
            self.max_number_of_lines,
            inet_pton(AF_INET6, self.station_ip_v6_addr or "::"),
            self.ip_v6_address_scope,
            self.firmware_load_name.encode("latin-1"),
        )


_REGISTER_ACK = struct.Struct("<I6sHI2BH")
_REGISTER_ACK_FRAME = struct.Struct("<3II6sHI2BH")


@dataclass(slots=True)
class RegisterAck:
    keep_alive_interval: int
    date_template: str
    alignment_padding: int
    secondary_keep_alive_interval: int
    max_protocol_ver: int
    unknown: int
    phone_features: int

    @classmethod
    def read(cls, frame: bytes) -> RegisterAck:
        (
            keep_alive_interval,
            date_template,
            alignment_padding,
            secondary_keep_alive_interval,
            max_protocol_ver,
            unknown,
            phone_features,
        ) = _REGISTER_ACK.unpack_from(frame, 12)
        return cls(
            keep_alive_interval,
            text(date_template),
            alignment_padding,
            secondary_keep_alive_interval,
            max_protocol_ver,
            unknown,
            phone_features,
        )

    def write(self) -> bytes:
        return _REGISTER_ACK_FRAME.pack(
            24,
            0,
            0x0081,
            self.keep_alive_interval,
            self.date_template.encode("latin-1"),
            self.alignment_padding,
            self.secondary_keep_alive_interval,
            self.max_protocol_ver,
            self.unknown,
            self.phone_features,
        )


@dataclass(slots=True)
class CapabilitiesReq:
    @classmethod
    def read(cls, frame: bytes) -> CapabilitiesReq:
        return cls()

    def write(self) -> bytes:
        return HEADER.pack(4, 20, 0x009B)


_CAPABILITY = struct.Struct("<2I4B4x")


@dataclass(slots=True)
class Capability:
    payload_capability: int
    max_frames_per_packet: int
    payloads: CodecParams


@dataclass(slots=True)
class CapabilitiesRes:
    caps: list[Capability]

    @classmethod
    def read(cls, frame: bytes) -> CapabilitiesRes:
        (count,) = _COUNT.unpack_from(frame, 12)
        rows = _CAPABILITY.iter_unpack(frame[16 : 16 + 16 * count])
        return cls(
            [
                Capability(MEDIA_PAYLOAD_TYPE.get(codec, codec), frames, CodecParams(*parameters))
                for codec, frames, *parameters in rows
            ]
        )

    def write(self) -> bytes:
        caps = b"".join(
            [
                _CAPABILITY.pack(
                    each.payload_capability,
                    each.max_frames_per_packet,
                    each.payloads.codec_mode,
                    each.payloads.dynamic_payload,
                    each.payloads.codec_param1,
                    each.payloads.codec_param2,
                )
                for each in self.caps
            ]
        )
        head = _COUNTED.pack(296, 20, 0x0010, len(self.caps))
        return head + caps.ljust(288, b"\0")


_BUTTON = struct.Struct("<2B")


@dataclass(slots=True)
class ButtonDefinition:
    instance_number: int
    button_definition: int


@dataclass(slots=True)
class ButtonTemplateRes:
    button_offset: int
    total_button_count: int
    definition: list[ButtonDefinition]

    @classmethod
    def read(cls, frame: bytes) -> ButtonTemplateRes:
        offset, count, total = _TEMPLATE.unpack_from(frame, 12)
        rows = _BUTTON.iter_unpack(frame[24 : 24 + 2 * count])
        buttons = [ButtonDefinition(number, BUTTON_TYPE.get(kind, kind)) for number, kind in rows]
        return cls(offset, total, buttons)

    def write(self) -> bytes:
        buttons = b"".join(
            [_BUTTON.pack(each.instance_number, each.button_definition) for each in self.definition]
        )
        head = _TEMPLATE_FRAME.pack(
            100, 20, 0x0097, self.button_offset, len(self.definition), self.total_button_count
        )
        return head + buttons.ljust(84, b"\0")


_SOFT_KEY = struct.Struct("<16sI")


@dataclass(slots=True)
class SoftKeyDefinition:
    soft_key_label: str
    soft_key_event: int


@dataclass(slots=True)
class SoftKeyTemplateRes:
    soft_key_offset: int
    total_soft_key_count: int
    definition: list[SoftKeyDefinition]

    @classmethod
    def read(cls, frame: bytes) -> SoftKeyTemplateRes:
        offset, count, total = _TEMPLATE.unpack_from(frame, 12)
        rows = _SOFT_KEY.iter_unpack(frame[24 : 24 + 20 * count])
        keys = [
            SoftKeyDefinition(text(label), SOFT_KEY_EVENT.get(event, event))
            for label, event in rows
        ]
        return cls(offset, total, keys)

    def write(self) -> bytes:
        keys = b"".join(
            [
                _SOFT_KEY.pack(each.soft_key_label.encode("latin-1"), each.soft_key_event)
                for each in self.definition
            ]
        )
        head = _TEMPLATE_FRAME.pack(
            656, 20, 0x0108, self.soft_key_offset, len(self.definition), self.total_soft_key_count
        )
        return head + keys.ljust(640, b"\0")


_SOFT_KEY_SET = struct.Struct("<16B16H")


@dataclass(slots=True)
class SoftKeySetDefinition:
    soft_key_template_index: tuple[int, ...]
    soft_key_info_index: tuple[int, ...]


@dataclass(slots=True)
class SoftKeySetRes:
    soft_key_set_offset: int
    total_soft_key_set_count: int
    definition: list[SoftKeySetDefinition]

    @classmethod
    def read(cls, frame: bytes) -> SoftKeySetRes:
        offset, count, total = _TEMPLATE.unpack_from(frame, 12)
        rows = _SOFT_KEY_SET.iter_unpack(frame[24 : 24 + 48 * count])
        return cls(offset, total, [SoftKeySetDefinition(row[:16], row[16:]) for row in rows])

    def write(self) -> bytes:
        sets = b"".join(
            [
                _SOFT_KEY_SET.pack(*each.soft_key_template_index, *each.soft_key_info_index)
                for each in self.definition
            ]
        )
        head = _TEMPLATE_FRAME.pack(
            784,
            20,
            0x0109,
            self.soft_key_set_offset,
            len(self.definition),
            self.total_soft_key_set_count,
        )
        return head + sets.ljust(768, b"\0")


_LINE_STAT_REQ = struct.Struct("<I")
_LINE_STAT_REQ_FRAME = struct.Struct("<3II")


@dataclass(slots=True)
class LineStatReq:
    line_number: int

    @classmethod
    def read(cls, frame: bytes) -> LineStatReq:
        return cls(*_LINE_STAT_REQ.unpack_from(frame, 12))

    def write(self) -> bytes:
        return _LINE_STAT_REQ_FRAME.pack(8, 20, 0x000B, self.line_number)


_LINE_STAT_V2_RES = struct.Struct("<2I")


@dataclass(slots=True)
class LineStatV2Res:
    line_number: int
    line_type: int
    line_dir_number: str
    line_fully_qualified_display_name: str
    line_text_label: str

    @classmethod
    def read(cls, frame: bytes) -> LineStatV2Res:
        line_number, line_type = _LINE_STAT_V2_RES.unpack_from(frame, 12)
        texts = frame[20:].decode("latin-1").split("\0")
        return cls(line_number, line_type, *texts[:3])

    def write(self) -> bytes:
        texts = "\0".join(
            (self.line_dir_number, self.line_fully_qualified_display_name, self.line_text_label, "")
        ).encode("latin-1")
        body = _LINE_STAT_V2_RES.pack(self.line_number, self.line_type) + texts
        body += bytes(-len(body) % 4)
        return HEADER.pack(len(body) + 4, 20, 0x0147) + body


@dataclass(slots=True)
class KeepAliveReq:
    @classmethod
    def read(cls, frame: bytes) -> KeepAliveReq:
        return cls()

    def write(self) -> bytes:
        return HEADER.pack(4, 20, 0x0000)


# By message number: how a frame is read.
READERS = {
    0x0000: KeepAliveReq.read,
    0x0001: RegisterReq.read,
    0x000B: LineStatReq.read,
    0x0010: CapabilitiesRes.read,
    0x0081: RegisterAck.read,
    0x0094: TimeDateRes.read,
    0x0097: ButtonTemplateRes.read,
    0x009B: CapabilitiesReq.read,
    0x0108: SoftKeyTemplateRes.read,
    0x0109: SoftKeySetRes.read,
    0x0145: DisplayPromptStatusV2.read,
    0x0147: LineStatV2Res.read,
}
