"""One RTP packet (RFC 3550 section 5.1), parsed and built with plain :mod:`struct`.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           timestamp                           |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |           synchronization source (SSRC) identifier            |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    |            contributing source (CSRC) identifiers             |
    |                             ....                              |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

and, when X is set (section 5.3.1)::

    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |      defined by profile       |           length              |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                        header extension                       |
    |                             ....                              |

When P is set, the last octet of the packet counts the padding octets, itself included.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from pa_telephony.errors import DecodeError, LocalProtocolError

__all__ = ["CLOCK_RATE", "HEADER_SIZE", "VERSION", "Codec", "Packet", "looks_like_rtcp"]

VERSION = 2
HEADER_SIZE = 12
"""Octets of the fixed header."""
CLOCK_RATE = 8000
"""Timestamp units (samples) per second of every audio payload type below 96 that we use."""

_FIXED = struct.Struct(">BBHII")
_EXTENSION = struct.Struct(">HH")
_PADDING_BIT = 0x20
_EXTENSION_BIT = 0x10
_CSRC_MASK = 0x0F
_MARKER_BIT = 0x80


class Codec(IntEnum):
    """The audio codecs of the engine; the value is the static payload type (RFC 3551, table 4)."""

    PCMU = 0
    PCMA = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """An RTP packet. ``bytes(packet)`` builds it, :meth:`parse` reads it back.

    ``extension`` is ``(profile, data)`` with ``data`` a multiple of four octets, or None.
    ``padding`` counts the octets after the payload, the counting octet included (0 = P clear).
    """

    payload_type: int = 0
    sequence_number: int = 0
    timestamp: int = 0
    ssrc: int = 0
    payload: bytes = b""
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    padding: int = 0

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview) -> Packet:
        """Read the RTP packet in one datagram.

        Raises :class:`DecodeError` when the version is not 2, or when CSRC list, extension or
        padding claim more octets than there are (the checks of RFC 3550 appendix A.1).
        """
        size = len(data)
        if size < HEADER_SIZE:
            raise DecodeError(f"{size} octets, the fixed header has {HEADER_SIZE}", offset=size)
        first, second, sequence_number, timestamp, ssrc = _FIXED.unpack_from(data)
        if first >> 6 != VERSION:
            raise DecodeError(f"version {first >> 6}, not 2", path="version")
        offset = HEADER_SIZE
        csrc: tuple[int, ...] = ()
        count = first & _CSRC_MASK
        if count:
            if offset + 4 * count > size:
                raise DecodeError(f"{count} CSRCs do not fit", path="csrc", offset=offset)
            csrc = struct.unpack_from(f">{count}I", data, offset)
            offset += 4 * count
        extension = None
        if first & _EXTENSION_BIT:
            if offset + 4 > size:
                raise DecodeError("extension header cut short", path="extension", offset=offset)
            profile, words = _EXTENSION.unpack_from(data, offset)
            offset += 4
            if offset + 4 * words > size:
                raise DecodeError(f"{words} words do not fit", path="extension", offset=offset)
            extension = (profile, bytes(data[offset : offset + 4 * words]))
            offset += 4 * words
        padding = 0
        if first & _PADDING_BIT:
            padding = data[size - 1] if size > offset else 0
            if not 1 <= padding <= size - offset:
                raise DecodeError(f"padding of {padding}", path="padding", offset=size - 1)
        return cls(
            payload_type=second & 0x7F,
            sequence_number=sequence_number,
            timestamp=timestamp,
            ssrc=ssrc,
            payload=bytes(data[offset : size - padding]),
            marker=bool(second & _MARKER_BIT),
            csrc=csrc,
            extension=extension,
            padding=padding,
        )

    def __bytes__(self) -> bytes:
        """The datagram. Raises :class:`LocalProtocolError` when a field is out of range."""
        if len(self.csrc) > _CSRC_MASK:
            raise LocalProtocolError(f"{len(self.csrc)} CSRCs, at most 15")
        first = VERSION << 6 | len(self.csrc)
        tail = b""
        middle = b""
        if self.extension is not None:
            profile, data = self.extension
            if len(data) % 4:
                raise LocalProtocolError(f"extension of {len(data)} octets, not a multiple of 4")
            first |= _EXTENSION_BIT
            try:
                middle = _EXTENSION.pack(profile, len(data) // 4) + data
            except struct.error as error:
                raise LocalProtocolError(f"extension: {error}") from None
        if self.padding:
            if not 1 <= self.padding <= 255:
                raise LocalProtocolError(f"padding of {self.padding} octets, not 1 to 255")
            first |= _PADDING_BIT
            tail = bytes(self.padding - 1) + bytes((self.padding,))
        if not 0 <= self.payload_type <= 0x7F:
            raise LocalProtocolError(f"payload type {self.payload_type}, not 0 to 127")
        second = self.payload_type | (_MARKER_BIT if self.marker else 0)
        try:
            head = _FIXED.pack(first, second, self.sequence_number, self.timestamp, self.ssrc)
            csrc = struct.pack(f">{len(self.csrc)}I", *self.csrc)
        except struct.error as error:
            raise LocalProtocolError(f"header field out of range: {error}") from None
        return b"".join((head, csrc, middle, self.payload, tail))


def looks_like_rtcp(data: bytes | bytearray | memoryview) -> bool:
    """Tell RTCP from RTP on one port: packet types 192 to 223 are RTCP (RFC 5761 section 4)."""
    return len(data) >= 2 and data[0] >> 6 == VERSION and 192 <= data[1] <= 223
