"""The pcap format, and IP packets made of what we sent: pure functions over bytes.

Written: classic pcap, microseconds, link type 101 (raw IP). Read: classic pcap of both byte orders
and both resolutions, and pcapng, with the link types that captures of telephony come in.
"""

from __future__ import annotations

import heapq
import ipaddress
import os
import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pa_telephony.errors import DecodeError

__all__ = [
    "Datagram",
    "Packet",
    "PacketMaker",
    "Piece",
    "Segment",
    "TcpStream",
    "datagrams",
    "file_header",
    "merge",
    "read_pcap",
    "record",
]

Address: TypeAlias = tuple[str, int]

LINK_RAW_IP = 101
_LINKS = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276}
"""BSD loopback, Ethernet, raw IP, Linux "any" in both forms."""
_MAGIC_MICRO, _MAGIC_NANO, _MAGIC_PCAPNG = 0xA1B2C3D4, 0xA1B23C4D, 0x0A0D0D0A
# Keeps the IP length field (16 bits) far from its end; Wireshark reassembles.
_SEGMENT = 32768


def file_header() -> bytes:
    """The 24 bytes at the start of a file that this module writes."""
    return struct.pack("<IHHiIII", _MAGIC_MICRO, 2, 4, 0, 0, 0x40000, LINK_RAW_IP)


def record(time: float, packet: bytes) -> bytes:
    """One packet with its header; ``time`` in seconds since the epoch."""
    micros = round(time * 1_000_000)
    return (
        struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(packet), len(packet))
        + packet
    )


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as it stands in a file: ``data`` begins with the header of ``link_type``.

    ``whole`` is False where the capture has kept its beginning only (the snap length).
    """

    time: float
    link_type: int
    data: bytes
    whole: bool = True

    @property
    def known(self) -> bool:
        """Whether IP can be found behind its link layer."""
        return self.link_type in _LINKS


@dataclass(frozen=True, slots=True)
class Segment:
    """The contents of a TCP segment."""

    time: float
    source: Address
    destination: Address
    sequence: int
    syn: bool
    fin: bool
    payload: bytes


Piece: TypeAlias = tuple[Literal["data", "gap"], bytes]
"""Bytes of a TCP stream, or a note that bytes are missing here."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """The contents of a UDP datagram."""

    time: float
    source: Address
    destination: Address
    payload: bytes


class PacketMaker:
    """Makes IP packets with TCP sequence numbers that go on from one call to the next.

    Connections are remembered until :meth:`close`, and at most ``most`` of them: of more, the one
    that was quiet for the longest begins anew.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._sent: OrderedDict[tuple[Address, Address], list[int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sent)

    def tcp(self, source: Address, destination: Address, payload: bytes) -> list[bytes]:
        """The segments that carry ``payload``, the first of a connection after a handshake."""
        key = _in_order(source, destination)
        us, them = (0, 1) if key[0] == source else (1, 0)
        packets: list[bytes] = []
        sent = self._sent.get(key)
        if sent is None:
            sent = self._sent[key] = [1, 1]
            if len(self._sent) > self._most:
                self._sent.popitem(last=False)
            # The caller of a connection is the side with the ephemeral, that is higher, port.
            up = source[1] > destination[1]
            caller, callee = (source, destination) if up else (destination, source)
            packets = [
                _tcp(caller, callee, 0, 0, _SYN, b""),
                _tcp(callee, caller, 0, 1, _SYN | _ACK, b""),
                _tcp(caller, callee, 1, 1, _ACK, b""),
            ]
        else:
            self._sent.move_to_end(key)
        for start in range(0, len(payload), _SEGMENT):
            part = payload[start : start + _SEGMENT]
            packets.append(_tcp(source, destination, sent[us], sent[them], _PSH | _ACK, part))
            sent[us] = (sent[us] + len(part)) & 0xFFFFFFFF
        return packets

    def close(self, source: Address, destination: Address) -> list[bytes]:
        """The FINs of a connection that has ended, which is then forgotten; none if unknown.

        Which side was the first is not known: ``source`` is taken for it here.
        """
        key = _in_order(source, destination)
        sent = self._sent.pop(key, None)
        if sent is None:
            return []
        us, them = (0, 1) if key[0] == source else (1, 0)
        end = (sent[us] + 1) & 0xFFFFFFFF
        return [
            _tcp(source, destination, sent[us], sent[them], _FIN | _ACK, b""),
            _tcp(destination, source, sent[them], end, _FIN | _ACK, b""),
            _tcp(source, destination, end, (sent[them] + 1) & 0xFFFFFFFF, _ACK, b""),
        ]

    def udp(self, source: Address, destination: Address, payload: bytes) -> bytes:
        """One datagram, with UDP's "no checksum" (IPv6 has no such thing: computed there)."""
        payload = payload[:65000]
        header = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0)
        if ":" in source[0]:
            checksum = _checksum(_pseudo(source, destination, 17, header + payload)) or 0xFFFF
            header = header[:6] + struct.pack("!H", checksum)
        return _ip(source[0], destination[0], 17, header + payload)


def _in_order(one: Address, other: Address) -> tuple[Address, Address]:
    return (one, other) if one <= other else (other, one)


_FIN, _SYN, _PSH, _ACK = 0x01, 0x02, 0x08, 0x10


def _tcp(
    source: Address, destination: Address, sequence: int, acknowledged: int, flags: int, data: bytes
) -> bytes:
    def header(checksum: int) -> bytes:
        return struct.pack(
            "!HHIIBBHHH",
            source[1],
            destination[1],
            sequence,
            acknowledged,
            5 << 4,
            flags,
            65535,
            checksum,
            0,
        )

    checksum = _checksum(_pseudo(source, destination, 6, header(0) + data))
    return _ip(source[0], destination[0], 6, header(checksum) + data)


def _packed(host: str) -> bytes:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).packed
    except ValueError:
        return bytes(4)


def _pseudo(source: Address, destination: Address, protocol: int, segment: bytes) -> bytes:
    addresses = _packed(source[0]) + _packed(destination[0])
    if len(addresses) == 8:
        return addresses + struct.pack("!BBH", 0, protocol, len(segment)) + segment
    return addresses + struct.pack("!II", len(segment), protocol) + segment


def _checksum(data: bytes) -> int:
    """RFC 1071, by Python's big integers: the sum of 16-bit words is the number modulo 65535."""
    if len(data) % 2:
        data += b"\0"
    rest = int.from_bytes(data, "big") % 0xFFFF
    return 0xFFFF - rest if rest or not any(data) else 0


def _ip(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    from_, to = _packed(source), _packed(destination)
    if len(from_) == 16 or len(to) == 16:
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
        return head + from_.rjust(16, b"\0") + to.rjust(16, b"\0") + payload
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0, from_, to
    )
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + payload


def read_pcap(path: str | os.PathLike[str]) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file, in its order.

    A file that was cut off in the middle of a record ends before it. Raises
    :class:`~pa_telephony.errors.DecodeError` for what is no capture at all.
    """
    data = Path(path).read_bytes()
    if len(data) >= 4 and int.from_bytes(data[:4], "little") == _MAGIC_PCAPNG:
        return _read_pcapng(data)
    for order in ("<", ">"):
        if len(data) >= 24:
            magic, link_type = struct.unpack_from(f"{order}I16xI", data)
            if magic in (_MAGIC_MICRO, _MAGIC_NANO):
                unit = 1e-6 if magic == _MAGIC_MICRO else 1e-9
                return _read_classic(data, order, unit, link_type & 0xFFFF)
    raise DecodeError(f"{path} is no pcap file")


def _read_classic(data: bytes, order: str, unit: float, link_type: int) -> Iterator[Packet]:
    position = 24
    while position + 16 <= len(data):
        seconds, fraction, length, sent = struct.unpack_from(f"{order}IIII", data, position)
        position += 16
        if position + length > len(data):
            return
        kept = data[position : position + length]
        yield Packet(seconds + fraction * unit, link_type, kept, length >= sent)
        position += length


def _read_pcapng(data: bytes) -> Iterator[Packet]:
    order, position = "<", 0
    interfaces: list[tuple[int, float]] = []
    while position + 12 <= len(data):
        if data[position : position + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[position + 8 : position + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces.clear()
        kind, length = struct.unpack_from(f"{order}II", data, position)
        if length < 12 or position + length > len(data):
            return
        body = data[position + 8 : position + length - 4]
        if kind == 1 and len(body) >= 8:
            (link_type,) = struct.unpack_from(f"{order}H", body)
            interfaces.append((link_type, _resolution(body[8:], order)))
        elif kind == 6 and len(body) >= 20:
            fields: tuple[int, ...] = struct.unpack_from(f"{order}IIIII", body)
            index, high, low, captured, sent = fields
            if index < len(interfaces) and 20 + captured <= len(body):
                link_type, unit = interfaces[index]
                kept = body[20 : 20 + captured]
                yield Packet((high << 32 | low) * unit, link_type, kept, captured >= sent)
        position += length


def _resolution(options: bytes, order: str) -> float:
    """Seconds per tick, from the option if_tsresol; microseconds without it."""
    position = 0
    while position + 4 <= len(options):
        code, length = struct.unpack_from(f"{order}HH", options, position)
        if code == 9 and length == 1 and position + 4 < len(options):
            value = options[position + 4]
            return 2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value
        position += 4 + (length + 3) // 4 * 4
    return 1e-6


def merge(paths: Iterable[str | os.PathLike[str]], to: str | os.PathLike[str]) -> int:
    """Write the packets of several raw-IP files into one, by time; gives their number."""
    count = 0
    streams = [list(read_pcap(path)) for path in paths]
    for stream in streams:
        stream.sort(key=lambda packet: packet.time)
    with open(to, "wb") as out:
        out.write(file_header())
        for packet in heapq.merge(*streams, key=lambda packet: packet.time):
            data = _ip_part(packet)
            if data is not None:
                out.write(record(packet.time, data))
                count += 1
    return count


def _ip_part(packet: Packet) -> bytes | None:
    """The packet from its IP header on, or None when it holds none."""
    data = packet.data
    match packet.link_type:
        case 101 | 12 | 14 | 228 | 229:
            return data
        case 0 | 108:
            return data[4:]
        case 113:
            return data[16:]
        case 276:
            return data[20:]
        case 1:
            position = 12
            while data[position : position + 2] in (b"\x81\x00", b"\x88\xa8"):
                position += 4
            ether_type = data[position : position + 2]
            return data[position + 2 :] if ether_type in (b"\x08\x00", b"\x86\xdd") else None
        case _:
            return None


def datagrams(packets: Iterable[Packet]) -> Iterator[Segment | Datagram]:
    """The TCP segments and UDP datagrams in ``packets``; fragments and the rest are left out."""
    for packet in packets:
        data = _ip_part(packet)
        if not data or len(data) < 20:
            continue
        version = data[0] >> 4
        if version == 4:
            head, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
            fragment = int.from_bytes(data[6:8], "big") & 0x3FFF
            if fragment or head < 20:
                continue
            protocol, source, destination = data[9], data[12:16], data[16:20]
            # Ethernet pads short packets, hence the cut; offloading writes length 0.
            payload = data[head : total or None]
        elif version == 6 and len(data) >= 40:
            protocol, source, destination = data[6], data[8:24], data[24:40]
            payload = data[40 : 40 + int.from_bytes(data[4:6], "big")]
        else:
            continue
        found = _transport(packet.time, protocol, source, destination, payload)
        if found is not None:
            yield found


def _transport(
    time: float, protocol: int, source: bytes, destination: bytes, data: bytes
) -> Segment | Datagram | None:
    if len(data) < 8 or protocol not in (6, 17):
        return None
    from_ = (str(ipaddress.ip_address(source)), int.from_bytes(data[0:2], "big"))
    to = (str(ipaddress.ip_address(destination)), int.from_bytes(data[2:4], "big"))
    if protocol == 17:
        return Datagram(time, from_, to, data[8 : int.from_bytes(data[4:6], "big") or None])
    if len(data) < 20:
        return None
    flags = data[13]
    return Segment(
        time=time,
        source=from_,
        destination=to,
        sequence=int.from_bytes(data[4:8], "big"),
        syn=bool(flags & _SYN),
        fin=bool(flags & (_FIN | 0x04)),
        payload=data[(data[12] >> 4) * 4 :],
    )


class TcpStream:
    """One direction of a connection, put in order: bytes come out as soon as they are contiguous.

    ``limit`` bounds the bytes kept behind a hole, ``patience`` the seconds that a retransmission is
    waited for; when either is passed the hole is given up.
    """

    def __init__(self, limit: int = 1 << 20, patience: float = 10.0) -> None:
        self._limit = limit
        self._patience = patience
        self._waits_since: float | None = None
        self._next: int | None = None
        self._early: dict[int, bytes] = {}
        self.lost: int = 0
        """How many bytes the capture does not hold."""

    def add(self, segment: Segment) -> list[Piece]:
        """The pieces that this segment makes readable; ``gap`` says that bytes are missing."""
        if segment.syn:
            self._next = (segment.sequence + 1) & 0xFFFFFFFF
            self._early.clear()
            return []
        if not segment.payload:
            return []
        if self._next is None:
            self._next = segment.sequence
        if _distance(segment.sequence, self._next) + len(segment.payload) > 0:
            kept = self._early.get(segment.sequence, b"")
            if len(kept) < len(segment.payload):
                self._early[segment.sequence] = segment.payload
        out = self._ready()
        if out or not self._early:
            self._waits_since = None
        if self._early:
            if self._waits_since is None:
                self._waits_since = segment.time
            too_long = segment.time - self._waits_since > self._patience
            if too_long or sum(map(len, self._early.values())) > self._limit:
                out += self._skip()
        return out

    def give_up(self) -> list[Piece]:
        """The pieces that wait behind holes, since no more segments come."""
        out: list[Piece] = []
        while self._early:
            out += self._skip()
        return out

    def _skip(self) -> list[Piece]:
        expected = self._next or 0
        first = min(self._early, key=lambda sequence: _distance(sequence, expected))
        self.lost += _distance(first, expected)
        self._next = first
        self._waits_since = None
        return [("gap", b""), *self._ready()]

    def _ready(self) -> list[Piece]:
        out: list[Piece] = []
        expected = self._next or 0
        progress = True
        while progress:
            progress = False
            for sequence, payload in list(self._early.items()):
                ahead = _distance(sequence, expected)
                if ahead <= 0:
                    del self._early[sequence]
                    fresh = payload[-ahead:] if ahead else payload
                    if fresh:
                        out.append(("data", fresh))
                        expected = (expected + len(fresh)) & 0xFFFFFFFF
                        progress = True
        self._next = expected
        return out


def _distance(sequence: int, base: int) -> int:
    """How far ``sequence`` lies after ``base`` on the 32-bit circle, negative when before."""
    return (sequence - base + 0x80000000) % 0x100000000 - 0x80000000
