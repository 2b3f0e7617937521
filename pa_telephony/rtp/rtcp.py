"""RTCP compound packets (RFC 3550 section 6): SR, RR, SDES, BYE; anything else is kept as is.

Every packet begins with::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|  count  |  packet type  |             length            |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

``length`` in 32-bit words minus one. A datagram is a row of them that begins with SR or RR.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from pa_telephony.errors import DecodeError, LocalProtocolError

__all__ = [
    "Bye",
    "PacketType",
    "ReceiverReport",
    "ReportBlock",
    "RtcpPacket",
    "SdesItem",
    "SenderReport",
    "SourceDescription",
    "Unknown",
    "build",
    "description",
    "ntp_from_unix",
    "ntp_middle",
    "parse",
]

_HEADER = struct.Struct(">BBH")
_BLOCK = struct.Struct(">IIIIII")
_SENDER = struct.Struct(">IQIII")
_UNIX_TO_NTP = 2_208_988_800
"""Seconds between 1900 and 1970 (RFC 868)."""


class PacketType(IntEnum):
    """The packet types of RTCP (RFC 3550 section 12.1)."""

    SR = 200
    RR = 201
    SDES = 202
    BYE = 203
    APP = 204


class SdesItem(IntEnum):
    """Kinds of SDES items (section 12.2)."""

    CNAME = 1
    NAME = 2
    EMAIL = 3
    PHONE = 4
    LOC = 5
    TOOL = 6
    NOTE = 7
    PRIV = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBlock:
    """What one receiver says of one source (section 6.4.1)."""

    ssrc: int
    fraction_lost: int = 0
    """The fraction of packets lost since the last report, in 256ths."""
    lost: int = 0
    """How many packets were lost in all: 24 bits, signed."""
    highest: int = 0
    """The extended highest sequence number that was received."""
    jitter: int = 0
    """Interarrival jitter in timestamp units."""
    last_report: int = 0
    """Middle 32 bits of the NTP time of the last SR of that source; 0 when there was none."""
    delay: int = 0
    """The time since that SR, in 65536ths of a second; 0 when there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """Type 200: what a source has sent. ``ntp`` is 32.32 fixed point.

    ``extension`` is what a profile appended.
    """

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()
    extension: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """Type 201: what a receiver that sends nothing has received."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()
    extension: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """Type 202: chunks of ``(ssrc, ((item, text), …))``; texts are UTF-8 octets, at most 255."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """Type 203: these sources end; ``reason`` is UTF-8, at most 255 octets."""

    ssrcs: tuple[int, ...] = ()
    reason: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Any other type, with its five-bit count and its body kept as they came."""

    packet_type: int
    count: int = 0
    body: bytes = b""


RtcpPacket: TypeAlias = SenderReport | ReceiverReport | SourceDescription | Bye | Unknown


def parse(data: bytes | bytearray | memoryview) -> list[RtcpPacket]:
    """Read a compound packet with the checks of RFC 3550 appendix A.2.

    Raises :class:`DecodeError` (its ``message_id`` is the packet type).
    """
    view = memoryview(data)
    packets: list[RtcpPacket] = []
    offset = 0
    while offset < len(view):
        if offset + 4 > len(view):
            raise DecodeError("header cut short", offset=offset)
        first, packet_type, words = _HEADER.unpack_from(view, offset)
        if first >> 6 != 2:
            raise DecodeError(f"version {first >> 6}, not 2", path="version", offset=offset)
        if not packets and packet_type not in (PacketType.SR, PacketType.RR):
            raise DecodeError(
                "a compound begins with SR or RR", message_id=packet_type, offset=offset
            )
        end = offset + 4 * (words + 1)
        if end > len(view):
            raise DecodeError(f"{words} words do not fit", message_id=packet_type, offset=offset)
        body = bytes(view[offset + 4 : end])
        if first & 0x20:
            # Section 6.4.1: padding only in the last packet of a compound.
            padding = body[-1] if body else 0
            if end < len(view):
                raise DecodeError("padding before the end", message_id=packet_type, offset=offset)
            if padding == 0 or padding % 4 or padding > len(body):
                raise DecodeError(
                    f"padding of {padding}", message_id=packet_type, path="padding", offset=end - 1
                )
            body = body[:-padding]
        packets.append(_body(packet_type, first & 0x1F, body, offset + 4))
        offset = end
    if not packets:
        raise DecodeError("empty datagram")
    return packets


def _body(packet_type: int, count: int, body: bytes, offset: int) -> RtcpPacket:
    if packet_type == PacketType.SR:
        if len(body) < _SENDER.size + count * _BLOCK.size:
            raise DecodeError(
                f"{count} reports do not fit", message_id=packet_type, path="reports", offset=offset
            )
        ssrc, ntp, timestamp, sent, octets = _SENDER.unpack_from(body)
        reports, extension = _reports(body[_SENDER.size :], count)
        return SenderReport(
            ssrc=ssrc,
            ntp=ntp,
            timestamp=timestamp,
            packets=sent,
            octets=octets,
            reports=reports,
            extension=extension,
        )
    if packet_type == PacketType.RR:
        if len(body) < 4 + count * _BLOCK.size:
            raise DecodeError(
                f"{count} reports do not fit", message_id=packet_type, path="reports", offset=offset
            )
        reports, extension = _reports(body[4:], count)
        return ReceiverReport(
            ssrc=int.from_bytes(body[:4], "big"), reports=reports, extension=extension
        )
    if packet_type == PacketType.SDES:
        return _sdes(count, body, offset)
    if packet_type == PacketType.BYE:
        if len(body) < 4 * count:
            raise DecodeError(
                f"{count} sources do not fit", message_id=packet_type, path="ssrcs", offset=offset
            )
        rest = body[4 * count :]
        if rest and rest[0] > len(rest) - 1:
            raise DecodeError(
                f"reason of {rest[0]} octets does not fit",
                message_id=packet_type,
                path="reason",
                offset=offset + 4 * count,
            )
        reason = rest[1 : 1 + rest[0]] if rest else b""
        return Bye(ssrcs=struct.unpack_from(f">{count}I", body), reason=reason)
    return Unknown(packet_type=packet_type, count=count, body=body)


def _reports(data: bytes, count: int) -> tuple[tuple[ReportBlock, ...], bytes]:
    blocks: list[ReportBlock] = []
    for index in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(data, index * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(
            ReportBlock(
                ssrc=ssrc,
                fraction_lost=loss >> 24,
                lost=lost - 0x1000000 if lost & 0x800000 else lost,
                highest=highest,
                jitter=jitter,
                last_report=last,
                delay=delay,
            )
        )
    return tuple(blocks), data[count * _BLOCK.size :]


def _sdes(count: int, body: bytes, base: int) -> SourceDescription:
    chunks: list[tuple[int, tuple[tuple[int, bytes], ...]]] = []
    offset = 0

    def short() -> DecodeError:
        return DecodeError(
            "chunk cut short", message_id=PacketType.SDES, path="chunks", offset=base + offset
        )

    for _ in range(count):
        if offset + 4 > len(body):
            raise short()
        ssrc = int.from_bytes(body[offset : offset + 4], "big")
        offset += 4
        items: list[tuple[int, bytes]] = []
        while True:
            if offset >= len(body):
                raise short()
            kind = body[offset]
            if kind == 0:
                # The end of the list is padded to the next word boundary.
                offset = (offset + 4) & ~3
                break
            if offset + 2 > len(body) or offset + 2 + body[offset + 1] > len(body):
                raise short()
            size = body[offset + 1]
            items.append((kind, body[offset + 2 : offset + 2 + size]))
            offset += 2 + size
        chunks.append((ssrc, tuple(items)))
    return SourceDescription(chunks=tuple(chunks))


def build(packets: Iterable[RtcpPacket]) -> bytes:
    """Build a datagram; raises :class:`LocalProtocolError` unless SR or RR comes first."""
    parts: list[bytes] = []
    try:
        for packet in packets:
            if not parts and not isinstance(packet, SenderReport | ReceiverReport):
                raise LocalProtocolError("a compound begins with SR or RR")
            packet_type, count, body = _encode(packet)
            if count > 31 or len(body) % 4:
                raise LocalProtocolError(
                    f"{type(packet).__name__} has {count} entries and {len(body)} octets"
                )
            parts.append(_HEADER.pack(0x80 | count, packet_type, len(body) // 4) + body)
    except struct.error as error:
        raise LocalProtocolError(f"field out of range: {error}") from None
    if not parts:
        raise LocalProtocolError("a compound has one packet at least")
    return b"".join(parts)


def _encode(packet: RtcpPacket) -> tuple[int, int, bytes]:
    match packet:
        case SenderReport():
            head = _SENDER.pack(
                packet.ssrc, packet.ntp, packet.timestamp, packet.packets, packet.octets
            )
            body = head + b"".join(map(_encode_block, packet.reports)) + packet.extension
            return PacketType.SR, len(packet.reports), body
        case ReceiverReport():
            head = struct.pack(">I", packet.ssrc)
            body = head + b"".join(map(_encode_block, packet.reports)) + packet.extension
            return PacketType.RR, len(packet.reports), body
        case SourceDescription():
            body = b"".join(_encode_chunk(ssrc, items) for ssrc, items in packet.chunks)
            return PacketType.SDES, len(packet.chunks), body
        case Bye():
            body = struct.pack(f">{len(packet.ssrcs)}I", *packet.ssrcs)
            if packet.reason:
                body += struct.pack(">B", len(packet.reason)) + packet.reason
            return PacketType.BYE, len(packet.ssrcs), body + bytes(-len(body) % 4)
        case Unknown():
            return packet.packet_type, packet.count, packet.body


def _encode_block(block: ReportBlock) -> bytes:
    # Section 6.4.1: 24 bits, signed; A.3 clamps instead of wrapping.
    lost = max(-0x800000, min(block.lost, 0x7FFFFF)) & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc,
        block.fraction_lost << 24 | lost,
        block.highest,
        block.jitter,
        block.last_report,
        block.delay,
    )


def _encode_chunk(ssrc: int, items: tuple[tuple[int, bytes], ...]) -> bytes:
    chunk = struct.pack(">I", ssrc)
    for kind, text in items:
        if not 1 <= kind <= 255:
            raise LocalProtocolError(f"SDES item {kind}, not 1 to 255")
        chunk += struct.pack(">BB", kind, len(text)) + text
    return chunk + bytes(4 - len(chunk) % 4)


def description(ssrc: int, cname: str) -> SourceDescription:
    """The SDES that every compound must carry: one chunk with a CNAME (section 6.5.1)."""
    return SourceDescription(chunks=((ssrc, ((SdesItem.CNAME, cname.encode()[:255]),)),))


def ntp_from_unix(seconds: float) -> int:
    """Turn Unix time into 32.32 fixed point seconds since 1900, modulo 2**64 (section 4)."""
    return round((seconds + _UNIX_TO_NTP) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def ntp_middle(ntp: int) -> int:
    """The middle 32 bits of an NTP time, as LSR carries them: 16.16 fixed point."""
    return ntp >> 16 & 0xFFFFFFFF
