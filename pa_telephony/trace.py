"""What went over the wire and what it meant, as small records to any number of sinks.

A :data:`Trace` is any callable that takes a record. Everything in this package that talks to a
network takes ``trace=``; ``None`` costs nothing. Records carry what was really sent, so a sink is
also a place to assert in tests::

    records: list[Record] = []
    async with sccp.open_station("SEP001122334455", "127.0.0.1", trace=records.append): ...

Passwords never appear: CTI's are sealed before a frame is traced. What a person has keyed, or typed
into a phone's services, is in the records of a program, and left out of files unless they are asked
for it (``keyed=True``): it may be a PIN. ``time`` is wall-clock seconds since the epoch, because
records of several processes are merged by it.

A sink that fails ends nothing: it is left out, and the log (``pa_telephony.trace``) says why.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pa_telephony import pcap

__all__ = [
    "Address",
    "Direction",
    "EventRecord",
    "FrameRecord",
    "FrameTrace",
    "JsonLinesTrace",
    "PcapTrace",
    "Record",
    "RtpRecord",
    "Trace",
    "guarded",
    "only",
    "tee",
]

_LOG = logging.getLogger("pa_telephony.trace")
_CLOSED = frozenset({"sccp.connection_closed", "cti.connection_closed"})

Address: TypeAlias = tuple[str, int]
"""An IP address (no host name) and a port."""

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
    public: bytes | None = field(default=None, repr=False, compare=False)
    """The same frame without what a person has keyed; None where it has nothing of that."""


@dataclass(frozen=True, slots=True)
class RtpRecord:
    """One RTP or RTCP packet (the latter on odd ports), header included.

    ``public`` is as in :class:`FrameRecord`: a packet of RFC 4733 without its key.
    """

    time: float
    direction: Direction
    local: Address
    remote: Address
    data: bytes = field(repr=False)
    public: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened, in words: ``kind`` is dotted (``"failover.takeover.started"``).

    ``sccp.connection_closed`` and ``cti.connection_closed`` say that no more frames come between
    ``local`` and ``remote``, and why.

    ``fields`` holds what JSON can hold. ``error`` is the exception that an internal error is about,
    for sinks in the same process (files have its traceback among the fields).
    """

    time: float
    kind: str
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    error: Exception | None = field(default=None, repr=False, compare=False)


Record: TypeAlias = FrameRecord | RtpRecord | EventRecord
Trace: TypeAlias = Callable[[Record], None]


def guarded(trace: Trace | None) -> Trace | None:
    """The same trace, which raises nothing: once it has failed, it is left out for good.

    The log has the reason. Every function of this package with ``trace=`` guards it.
    """
    return trace if trace is None or isinstance(trace, _Guarded) else _Guarded(trace)


class _Guarded:
    def __init__(self, trace: Trace) -> None:
        self._trace: Trace | None = trace

    def __call__(self, record: Record) -> None:
        if self._trace is None:
            return
        try:
            self._trace(record)
        except Exception:  # noqa: BLE001  # logged, and this sink left out
            failed, self._trace = self._trace, None
            _LOG.exception("a trace failed and gets no more records: %r", failed)


class FrameTrace:
    """Gives the frames of one TCP connection to a trace.

    ``public`` gives a frame without what a person has keyed; None where it has nothing of that.
    ``clock`` tells wall-clock seconds since the epoch.
    """

    def __init__(
        self,
        trace: Trace,
        clock: Callable[[], float],
        protocol: Literal["sccp", "cti"],
        local: Address,
        remote: Address,
        public: Callable[[bytes], bytes | None],
    ) -> None:
        self._trace = trace
        self._clock = clock
        self._protocol: Literal["sccp", "cti"] = protocol
        self._local = local
        self._remote = remote
        self._public = public

    def received(self, frame: bytes) -> None:
        """Note a whole frame that came in."""
        self._note("received", frame)

    def sent(self, frame: bytes) -> None:
        """Note a frame that is queued to go out."""
        self._note("sent", frame)

    def _note(self, direction: Direction, frame: bytes) -> None:
        self._trace(
            FrameRecord(
                self._clock(),
                self._protocol,
                direction,
                self._local,
                self._remote,
                frame,
                self._public(frame),
            )
        )


def tee(*traces: Trace | None) -> Trace | None:
    """One trace that feeds several; ``None`` when nothing is left to feed.

    One that fails is left out, and the others go on.
    """
    sinks = [each for trace in traces if (each := guarded(trace)) is not None]
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


LIMIT = 256 << 20
"""How many bytes one file may have. There may be two: the one that was full is kept."""


class _File:
    """A file whose every record is in the kernel's hands when the call returns.

    So the records of a process that is killed are all there, and the last is whole. The file is its
    owner's alone (0600); a symbolic link, and a file of another user, is refused
    (:class:`OSError`).

    At ``limit`` bytes the file becomes ``NAME.1``, in place of an earlier one, and a new one
    begins. A record that cannot be written (no room on the disk) is left out as a whole, and the
    next ones are tried; the log has the first of them, and how many there were.
    """

    def __init__(
        self, path: str | os.PathLike[str], head: bytes, *, keyed: bool, limit: int
    ) -> None:
        self.path = Path(path)
        self.lost = 0
        """How many records could not be written."""
        self._head = head
        self._keyed = keyed
        self._limit = limit
        self._failing = False
        self._size = 0
        self._descriptor = self._open()
        try:
            self._append(head)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            about = os.fstat(descriptor)
            if stat.S_ISREG(about.st_mode):
                if about.st_uid != os.geteuid():
                    raise PermissionError(errno.EPERM, "belongs to somebody else", str(self.path))
                # Before anything is written: the file may have been there, readable for all users.
                os.fchmod(descriptor, 0o600)
                os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._size = 0
        return descriptor

    def _bytes(self, record: FrameRecord | RtpRecord) -> bytes:
        """The bytes of a frame or packet that may be kept."""
        return record.data if self._keyed or record.public is None else record.public

    def _write(self, data: bytes) -> None:
        """Write one record, or leave it out; raises no OSError."""
        try:
            if self._size + len(data) > self._limit and self._size > len(self._head):
                self._rotate()
            if not self._size:
                self._append(self._head)
            self._append(data)
        except OSError as error:
            self.lost += 1
            if not self._failing:
                self._failing = True
                _LOG.warning("%s: %s; what cannot be written is left out", self.path, error)
        else:
            if self._failing:
                self._failing = False
                _LOG.warning("%s is written again; %d records are missing", self.path, self.lost)

    def _append(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            if written:
                # Half a record would spoil those behind it.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._size)
                    os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += written

    def _rotate(self) -> None:
        # Where no new file could be made the last time, ours has its other name already: a file
        # that has its first name now does not take its place.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(self.path), os.fstat(self._descriptor)):
                os.replace(self.path, f"{self.path}.1")
        before, self._descriptor = self._descriptor, self._open()
        os.close(before)
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget what stands in the file before, as a new file begins."""

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
    """Writes one JSON object a line; bytes are written in hex.

    ``keyed`` keeps what people have keyed; without it such frames have those bytes covered, and
    ``"covered": true``. ``limit`` is as for every file here: bytes until a new one begins.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keyed: bool = False, limit: int = LIMIT
    ) -> None:
        super().__init__(path, b"", keyed=keyed, limit=limit)

    def __call__(self, record: Record) -> None:
        """Write one record as a line."""
        if self._descriptor < 0:
            return
        line: dict[str, object]
        if isinstance(record, EventRecord):
            line = {"time": record.time, "kind": record.kind, **record.fields}
        else:
            data = self._bytes(record)
            line = {
                "time": record.time,
                "protocol": record.protocol if isinstance(record, FrameRecord) else "rtp",
                "direction": record.direction,
                "local": list(record.local),
                "remote": list(record.remote),
                "data": data.hex(),
            }
            if data is not record.data:
                line["covered"] = True
        self._write(json.dumps(line, default=str).encode() + b"\n")


class PcapTrace(_File):
    """Writes a pcap that Wireshark opens: TCP with sequence numbers that reassemble, and UDP.

    Frames become TCP segments of a synthetic but consistent connection between the real
    addresses; checksums are right. Events are left out, for pcap has no place for them; the end of
    a connection becomes its FIN. ``keyed`` keeps what people have keyed; without it those bytes
    are covered.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keyed: bool = False, limit: int = LIMIT
    ) -> None:
        super().__init__(path, pcap.file_header(), keyed=keyed, limit=limit)
        self._packets = pcap.PacketMaker()

    def __call__(self, record: Record) -> None:
        """Write one record as one or more packets."""
        if self._descriptor < 0:
            return
        if isinstance(record, EventRecord):
            if record.kind in _CLOSED:
                packets = self._packets.close(*_ends(record))
            else:
                return
        else:
            source, destination = record.local, record.remote
            if record.direction == "received":
                source, destination = destination, source
            data = self._bytes(record)
            if isinstance(record, FrameRecord):
                packets = self._packets.tcp(source, destination, data)
            else:
                packets = [self._packets.udp(source, destination, data)]
        if packets:
            self._write(b"".join(pcap.record(record.time, packet) for packet in packets))

    def _begin_anew(self) -> None:
        self._packets = pcap.PacketMaker()


def _ends(record: EventRecord) -> tuple[Address, Address]:
    local: Any = record.fields["local"]
    remote: Any = record.fields["remote"]
    return local, remote
