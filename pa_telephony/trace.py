"""What went over the wire and what it meant, as small records to any number of sinks.

A :data:`Trace` is any callable that takes a record. Everything in this package that talks to a
network takes ``trace=``; ``None`` costs nothing. Records carry what was really sent, so a sink is
also a place to assert in tests::

    records: list[Record] = []
    async with sccp.open_station("SEP001122334455", "127.0.0.1", trace=records.append): ...

Passwords never appear: CTI's are sealed before a frame is traced. ``time`` is wall-clock seconds
since the epoch, because records of several processes are merged by it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

from pa_telephony import pcap

__all__ = [
    "Address",
    "Direction",
    "EventRecord",
    "FrameRecord",
    "JsonLinesTrace",
    "PcapTrace",
    "Record",
    "RtpRecord",
    "Trace",
    "only",
    "tee",
]

Address: TypeAlias = tuple[str, int]
"""IP address (no host name) and port."""

Direction: TypeAlias = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One whole frame of a TCP protocol, header included."""

    time: float
    protocol: Literal["sccp", "cti"]
    direction: Direction
    local: Address
    remote: Address
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RtpRecord:
    """One RTP or RTCP packet (the latter on odd ports), header included."""

    time: float
    direction: Direction
    local: Address
    remote: Address
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened, in words: ``kind`` is dotted (``"failover.takeover.started"``).

    ``fields`` holds what JSON can hold. ``error`` is the exception that an internal error is about,
    for sinks in the same process (files have its traceback among the fields).
    """

    time: float
    kind: str
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    error: Exception | None = field(default=None, repr=False, compare=False)


Record: TypeAlias = FrameRecord | RtpRecord | EventRecord
Trace: TypeAlias = Callable[[Record], None]


def tee(*traces: Trace | None) -> Trace | None:
    """One trace that feeds several; ``None`` when nothing is left to feed."""
    sinks = [trace for trace in traces if trace is not None]
    if len(sinks) < 2:
        return sinks[0] if sinks else None

    def feed(record: Record) -> None:
        for sink in sinks:
            sink(record)

    return feed


def only(kind: type[Record] | tuple[type[Record], ...], trace: Trace) -> Trace:
    """A trace that passes records of these classes on and drops the others."""

    def feed(record: Record) -> None:
        if isinstance(record, kind):
            trace(record)

    return feed


class _File:
    """A file whose every record is in the kernel's hands when the call returns.

    So the records of a process that is killed are all there, and the last is whole.
    """

    def __init__(self, path: str | os.PathLike[str], head: bytes) -> None:
        self.path = Path(path)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._write(head)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        """Release the file; later records are dropped."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class JsonLinesTrace(_File):
    """Writes one JSON object a line; bytes are written in hex."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, b"")

    def __call__(self, record: Record) -> None:
        """Write one record."""
        if self._descriptor < 0:
            return
        line: dict[str, object]
        if isinstance(record, EventRecord):
            line = {"time": record.time, "kind": record.kind, **record.fields}
        else:
            line = {
                "time": record.time,
                "protocol": record.protocol if isinstance(record, FrameRecord) else "rtp",
                "direction": record.direction,
                "local": list(record.local),
                "remote": list(record.remote),
                "data": record.data.hex(),
            }
        self._write(json.dumps(line, default=str).encode() + b"\n")


class PcapTrace(_File):
    """Writes a pcap that Wireshark opens: TCP with sequence numbers that reassemble, and UDP.

    Frames become TCP segments of a synthetic but consistent connection between the real
    addresses; checksums are right. Events are left out: pcap has no place for them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, pcap.file_header())
        self._packets = pcap.PacketMaker()

    def __call__(self, record: Record) -> None:
        """Write one record as one or more packets."""
        if self._descriptor < 0 or isinstance(record, EventRecord):
            return
        source, destination = record.local, record.remote
        if record.direction == "received":
            source, destination = destination, source
        if isinstance(record, FrameRecord):
            packets = self._packets.tcp(source, destination, record.data)
        else:
            packets = [self._packets.udp(source, destination, record.data)]
        self._write(b"".join(pcap.record(record.time, packet) for packet in packets))
