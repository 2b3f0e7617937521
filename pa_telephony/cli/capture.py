"""The contents of a capture, put together again: frames of SCCP and CTI, and RTP streams.

TCP is reassembled, several sessions side by side. The SCCP version of a session is what its
RegisterReq and RegisterAck agreed on, because the layout follows that and not the header word; a
session whose registration was not captured takes the header word.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pa_telephony import pcap
from pa_telephony.cti import messages as cti_messages
from pa_telephony.errors import DecodeError
from pa_telephony.rtp.packet import Packet, looks_like_rtcp
from pa_telephony.sccp import messages as sccp_messages
from pa_telephony.sccp.connection import NEWEST_VERSION, announced_by, negotiate
from pa_telephony.sccp.messages.codec import HEADER
from pa_telephony.wire.declaration import Message, UnknownMessage

__all__ = ["Capture", "Frame", "RtpStream", "decode_frame", "read_capture"]

Address = tuple[str, int]

_CTI_MAGIC = b"\xdd\xdd\xff\xff"
_LONGEST = 1 << 20
_MOST_STRANGE = 20
"""How many segments in a row do not begin like a frame before a connection counts as another
protocol's."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``message`` is None where ``error`` says why it could not be decoded."""

    protocol: str
    data: bytes
    version: int
    message: Message | UnknownMessage | None
    error: str = ""
    time: float = 0.0
    source: Address = ("", 0)
    destination: Address = ("", 0)

    @property
    def name(self) -> str:
        """The message's name, or its number when that has no declaration."""
        if isinstance(self.message, UnknownMessage):
            return f"Unknown(0x{self.message.id:04x})"
        return type(self.message).__name__ if self.message is not None else "undecodable"


@dataclass(slots=True)
class RtpStream:
    """The packets of one SSRC from one address to another."""

    source: Address
    destination: Address
    ssrc: int
    payload_types: set[int] = field(default_factory=set[int])
    packets: int = 0
    lost: int = 0
    first: float = 0.0
    last: float = 0.0
    _highest: int = -1

    def add(self, time: float, packet: Packet) -> None:
        """Count a packet; gaps between sequence numbers count as lost packets."""
        if self._highest < 0:
            self.first = time
        else:
            step = (packet.sequence_number - self._highest) & 0xFFFF
            if 1 < step < 0x8000:
                self.lost += step - 1
            elif step >= 0x8000:
                self.lost = max(0, self.lost - 1)
        if self._highest < 0 or 0 < (packet.sequence_number - self._highest) & 0xFFFF < 0x8000:
            self._highest = packet.sequence_number
        self.packets += 1
        self.payload_types.add(packet.payload_type)
        self.last = time


@dataclass(slots=True)
class Capture:
    """Everything that was found in one capture file."""

    frames: list[Frame] = field(default_factory=list[Frame])
    streams: list[RtpStream] = field(default_factory=list[RtpStream])
    notes: list[str] = field(default_factory=list[str])


def decode_frame(data: bytes, *, version: int | None = None) -> Frame:
    """Decode one frame, of whichever of the two protocols it is.

    ``version`` is that of the SCCP session; without it the header word counts, and the length
    where that says 0. Raises DecodeError for less than a header.
    """
    if data[8:12] == _CTI_MAGIC:
        word = int.from_bytes(data[12:16], "little")
        try:
            return Frame("cti", data, word, cti_messages.decode(data))
        except DecodeError as error:
            return Frame("cti", data, word, None, str(error))
    if len(data) < 12:
        raise DecodeError(f"{len(data)} of the 12 bytes that a frame has at least")
    length, _, message_id = HEADER.unpack_from(data)
    used = version if version is not None else sccp_messages.likely_version(data)
    if length + 8 != len(data):
        cut = f"the length word says {length + 8} bytes, there are {len(data)}"
        return Frame("sccp", data, used, None, cut)
    try:
        return Frame("sccp", data, used, sccp_messages.decode(message_id, data[12:], used))
    except DecodeError as error:
        return Frame("sccp", data, used, None, str(error))


class _Direction:
    """The bytes of one side; ``lost`` until a segment begins as a frame does."""

    def __init__(self) -> None:
        self.stream = pcap.TcpStream()
        self.buffer = bytearray()
        self.lost = True
        self.told = False
        self.newest: pcap.Segment | None = None


class _Session:
    """A TCP connection: two directions, one protocol, one version.

    A capture may begin in the middle of a connection, and may have holes: frames are looked for
    again where a segment begins with one, which is where senders put them.
    """

    def __init__(self, version: int | None) -> None:
        self._directions: dict[Address, _Direction] = {}
        self._protocol = ""
        self._offered = NEWEST_VERSION
        self._version = version
        self._strange = 0

    @property
    def used(self) -> bool:
        """Whether any bytes were seen on the connection."""
        return bool(self._protocol or self._strange)

    def feed(self, segment: pcap.Segment, capture: Capture) -> None:
        """Take a segment, and give the frames that it completes to ``capture``."""
        if self._strange > _MOST_STRANGE:
            return
        side = self._directions.setdefault(segment.source, _Direction())
        side.newest = segment
        self._take(side, side.stream.add(segment), segment, capture)

    def end(self, capture: Capture) -> None:
        """Read what waits behind a hole, since the file ends."""
        for side in self._directions.values():
            if side.newest is not None and self._strange <= _MOST_STRANGE:
                self._take(side, side.stream.give_up(), side.newest, capture)
                if side.stream.lost:
                    missing = f"{side.stream.lost} bytes are not captured"
                    capture.notes.append(f"{_flow(side.newest)}: {missing}")

    def _take(
        self, side: _Direction, pieces: list[pcap.Piece], segment: pcap.Segment, capture: Capture
    ) -> None:
        for kind, data in pieces:
            if kind == "gap":
                side.buffer.clear()
                side.lost = True
            if side.lost and not self._begins(data, segment, capture):
                continue
            side.lost = False
            side.buffer += data
        while (frame := self._next(side, segment, capture)) is not None:
            self._learn(frame)
            capture.frames.append(frame)

    def _begins(self, data: bytes, segment: pcap.Segment, capture: Capture) -> bool:
        """Whether bytes begin like a frame; too short ones may, and the rest will tell."""
        found = self._protocol if len(data) < 12 else _protocol_of(data[:12])
        if found == "tls":
            capture.notes.append(f"{_flow(segment)}: TLS, not decoded")
            self._protocol, self._strange = found, _MOST_STRANGE + 1
            return False
        if found == "unknown":
            self._strange += 1
            return False
        return True

    def _next(self, side: _Direction, segment: pcap.Segment, capture: Capture) -> Frame | None:
        buffer = side.buffer
        if len(buffer) < 12:
            return None
        found = _protocol_of(bytes(buffer[:12]))
        size = int.from_bytes(buffer[:4], "little") + 8
        if found not in ("sccp", "cti") or not 12 <= size <= _LONGEST:
            if self._protocol and not side.told:
                side.told = True
                capture.notes.append(f"{_flow(segment)}: length {size - 8} is impossible")
            buffer.clear()
            side.lost = True
            self._strange += 1
            return None
        self._protocol = self._protocol or found
        if len(buffer) < size:
            return None
        data = bytes(buffer[:size])
        del buffer[:size]
        self._strange = 0
        return replace(
            decode_frame(data, version=self._version),
            time=segment.time,
            source=segment.source,
            destination=segment.destination,
        )

    def _learn(self, frame: Frame) -> None:
        if frame.protocol != "sccp":
            return
        match frame.message:
            case sccp_messages.RegisterReq():
                self._offered = frame.message.protocol_ver
            case sccp_messages.RegisterAck():
                self._version = negotiate(self._offered, announced_by(frame.data))
            case _:
                pass


def _flow(segment: pcap.Segment) -> str:
    source, destination = segment.source, segment.destination
    return f"{source[0]}:{source[1]} → {destination[0]}:{destination[1]}"


def _protocol_of(head: bytes) -> str:
    if head[8:12] == _CTI_MAGIC:
        return "cti"
    if head[0] == 0x16 and head[1] == 3:
        return "tls"
    length, version, message_id = (
        int.from_bytes(head[start : start + 4], "little") for start in (0, 4, 8)
    )
    plausible = 4 <= length <= 0x10000 and version <= 0xFF and message_id <= 0xFFFF
    return "sccp" if plausible else "unknown"


def read_capture(path: str | os.PathLike[str], *, version: int | None = None) -> Capture:
    """Read a pcap or pcapng file; raises DecodeError for any other.

    ``version`` is that of SCCP sessions whose registration the file does not hold.
    """
    capture = Capture()
    sessions: dict[frozenset[Address], _Session] = {}
    streams: dict[tuple[Address, Address, int], RtpStream] = {}
    for item in pcap.datagrams(_watched(pcap.read_pcap(path), capture)):
        if isinstance(item, pcap.Segment):
            ends = frozenset((item.source, item.destination))
            session = sessions.get(ends)
            if session is None or (item.syn and session.used):
                # The same addresses and ports used again are another connection.
                if session is not None:
                    session.end(capture)
                session = sessions[ends] = _Session(version)
            session.feed(item, capture)
        else:
            for stream in _rtp(item, streams):
                capture.streams.append(stream)
    in_order = len(capture.frames)
    for session in sessions.values():
        session.end(capture)
    if len(capture.frames) > in_order:
        capture.frames.sort(key=lambda frame: frame.time)
    # A lone packet that happens to begin like RTP is no stream.
    capture.streams = [stream for stream in capture.streams if stream.packets > 1]
    return capture


def _watched(packets: Iterable[pcap.Packet], capture: Capture) -> Iterator[pcap.Packet]:
    """The packets that can be read, with a note of why others cannot."""
    cut, strange = 0, Counter[int]()
    for packet in packets:
        cut += not packet.whole
        if packet.known:
            yield packet
        else:
            strange[packet.link_type] += 1
    if cut:
        capture.notes.append(f"{cut} packets are captured in part (snap length)")
    for link_type, count in strange.items():
        capture.notes.append(f"{count} packets of link type {link_type}, not decoded")


def _rtp(
    item: pcap.Datagram, streams: dict[tuple[Address, Address, int], RtpStream]
) -> Iterator[RtpStream]:
    if looks_like_rtcp(item.payload):
        return
    try:
        packet = Packet.parse(item.payload)
    except DecodeError:
        return
    key = (item.source, item.destination, packet.ssrc)
    if key not in streams:
        streams[key] = RtpStream(item.source, item.destination, packet.ssrc)
        yield streams[key]
    streams[key].add(item.time, packet)
