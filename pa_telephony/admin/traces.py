"""Traces that servers have written as JSON lines: read, shown a row each, and made a pcap. Pure.

A line that is none (its writer was killed, or another program wrote it) is passed over.
"""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pa_telephony import pcap
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.sccp.messages.base import SccpMessage
from pa_telephony.trace import Address, Direction, EventRecord, FrameRecord, Record, RtpRecord

__all__ = ["Only", "TraceRow", "as_pcap", "parse", "rows"]

_NAMED = {"sccp": (8, SccpMessage.registry), "cti": (16, CtiMessage.registry)}
"""Where the number of a message stands in its frame, and the messages by their numbers."""
_CLOSED = ("sccp.connection_closed", "cti.connection_closed")
_LONGEST = 300
_LAST = 4_000_000_000.0
"""Seconds since the epoch that a pcap can hold, about."""


class Only(enum.Enum):
    """What a page of traces shows; the value stands in its address."""

    SIGNALLING = "signalling"
    """All but sound, and but what the process says of itself, as that it stood still."""
    SCCP = "sccp"
    CTI = "cti"
    RTP = "rtp"
    EVENTS = "events"

    def has(self, record: Record) -> bool:
        """Whether it shows this."""
        match self:
            case Only.SIGNALLING:
                own = isinstance(record, EventRecord) and record.kind.startswith("process.")
                return not own and not isinstance(record, RtpRecord)
            case Only.RTP:
                return isinstance(record, RtpRecord)
            case Only.EVENTS:
                return isinstance(record, EventRecord)
            case _:
                return isinstance(record, FrameRecord) and record.protocol == self.value


@dataclass(frozen=True)
class TraceRow:
    """A record for people."""

    time: float
    what: str
    arrow: str
    peer: str
    words: str


def parse(line: bytes) -> Record | None:
    """The record of a line; None when it is none."""
    try:
        said: dict[str, Any] = dict(json.loads(line))
        time = float(said.pop("time"))
        if not 0 <= time < _LAST:
            return None
        if "kind" in said:
            return EventRecord(time, str(said.pop("kind")), said)
        local, remote = _address(said["local"]), _address(said["remote"])
        direction: Direction = "sent" if said["direction"] == "sent" else "received"
        data = bytes.fromhex(said["data"])
        match said["protocol"]:
            case "sccp" | "cti" as protocol:
                return FrameRecord(time, protocol, direction, local, remote, data)
            case "rtp":
                return RtpRecord(time, direction, local, remote, data)
            case _:
                return None
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def _address(said: Any) -> Address:
    host, port = said
    if not 0 <= int(port) <= 0xFFFF:
        raise ValueError("no port")
    return str(host), int(port)


def rows(lines: Iterable[bytes], only: Only, most: int) -> tuple[TraceRow, ...]:
    """The last records that the page shows, the newest first."""
    found = [record for line in lines if (record := parse(line)) is not None and only.has(record)]
    return tuple(_row(each) for each in found[: -most - 1 : -1])


def _row(record: Record) -> TraceRow:
    if isinstance(record, EventRecord):
        words = ", ".join(f"{name} {value}" for name, value in record.fields.items())
        return TraceRow(record.time, record.kind, "", "", words[:_LONGEST])
    arrow = "→" if record.direction == "sent" else "←"
    peer = f"{record.remote[0]}:{record.remote[1]}"
    length = f"{len(record.data)} bytes"
    if isinstance(record, RtpRecord):
        return TraceRow(record.time, "rtp", arrow, peer, length)
    at, kinds = _NAMED[record.protocol]
    number = int.from_bytes(record.data[at : at + 4], "little")
    name = kinds[number].__name__ if number in kinds else f"message 0x{number:04x}"
    return TraceRow(record.time, record.protocol, arrow, peer, f"{name}, {length}")


def as_pcap(lines: Iterable[bytes]) -> bytes:
    """The frames and packets of these lines as a pcap, as the option ``--trace`` writes one."""
    packets = pcap.PacketMaker()
    parts = [pcap.file_header()]
    for line in lines:
        record = parse(line)
        if record is None:
            continue
        try:
            found = _packets(packets, record)
            parts += [pcap.record(record.time, each) for each in found]
        except (ValueError, OSError, OverflowError, struct.error):
            # An address that is none: no packet can have it.
            continue
    return b"".join(parts)


def _packets(packets: pcap.PacketMaker, record: Record) -> list[bytes]:
    if isinstance(record, EventRecord):
        if record.kind not in _CLOSED:
            return []
        try:
            ends = _address(record.fields["local"]), _address(record.fields["remote"])
        except (KeyError, TypeError):
            return []
        return packets.close(*ends)
    source, destination = record.local, record.remote
    if record.direction == "received":
        source, destination = destination, source
    if isinstance(record, FrameRecord):
        return packets.tcp(source, destination, record.data)
    return [packets.udp(source, destination, record.data)]
