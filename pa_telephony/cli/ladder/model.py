"""From a capture to a ladder: the columns, the messages between them, and the call of each.

Which legs are one call is found out in :mod:`pa_telephony.cli.ladder.legs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from pa_telephony.cli.capture import Capture, Frame, RtpStream
from pa_telephony.cli.ladder.labels import codec_name, label, noise
from pa_telephony.cli.ladder.legs import Address, Call, Leg, Legs, Session
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.printable import printable
from pa_telephony.sccp import messages as sccp
from pa_telephony.sccp.messages.base import SccpMessage, Sender

__all__ = ["Arrow", "Call", "Column", "Ladder", "Stream", "build"]


@dataclass(slots=True)
class Column:
    """A side of the ladder: a device, a call manager, an application, an address."""

    key: str
    kind: str
    title: str
    details: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message from one column to another; ``call`` is a number of :class:`Call` or 0."""

    time: float
    source: str
    target: str
    protocol: str
    name: str
    detail: str = ""
    call: int = 0
    noise: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """An RTP stream from one column to another; times are seconds."""

    start: float
    end: float
    source: str
    target: str
    codec: str
    packets: int
    lost: int
    call: int = 0

    @property
    def time(self) -> float:
        """When the stream begins, in seconds."""
        return self.start

    @property
    def text(self) -> str:
        """The text beside the stream: codec, packets, lost packets, seconds."""
        seconds = self.end - self.start
        return f"{self.codec}  {self.packets} packets, {self.lost} lost, {seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Everything that is drawn; ``hidden`` counts the messages left out, by kind of noise."""

    columns: tuple[Column, ...]
    arrows: tuple[Arrow, ...]
    streams: tuple[Stream, ...]
    calls: tuple[Call, ...]
    start: float
    hidden: dict[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[Arrow | Stream]:
        """Arrows and streams from top to bottom."""
        rows: list[Arrow | Stream] = [*self.arrows, *self.streams]
        return sorted(rows, key=lambda row: row.time)

    @property
    def places(self) -> dict[int, int]:
        """The place of each call in this ladder, by its number: neighbours get other colours."""
        return {call.number: place for place, call in enumerate(self.calls)}

    def of_call(self, number: int) -> Ladder:
        """The ladder of one call, by its number here or by a call reference; raises KeyError."""
        found = [call for call in self.calls if call.number == number]
        found += [call for call in self.calls if number in call.references]
        if not found:
            raise KeyError(number)
        call = found[0]
        return replace(
            self,
            arrows=tuple(arrow for arrow in self.arrows if arrow.call == call.number),
            streams=tuple(stream for stream in self.streams if stream.call == call.number),
            calls=(call,),
        ).tidy()

    def of_devices(self, names: Collection[str]) -> Ladder:
        """The ladder of some columns, by names, numbers or addresses; raises KeyError."""
        wanted: set[str] = set()
        for name in names:
            known = {c.key for c in self.columns if name in (c.key, c.title, *c.details)}
            if not known:
                raise KeyError(name)
            wanted |= known
        arrows = tuple(a for a in self.arrows if {a.source, a.target} & wanted)
        streams = tuple(s for s in self.streams if {s.source, s.target} & wanted)
        numbers = {arrow.call for arrow in arrows} | {stream.call for stream in streams}
        calls = tuple(call for call in self.calls if call.number in numbers)
        return replace(self, arrows=arrows, streams=streams, calls=calls).tidy()

    def without_noise(self) -> Ladder:
        """The ladder without its noise; presses of keys in a row are one arrow."""
        hidden = Counter(arrow.noise for arrow in self.arrows if arrow.noise)
        arrows = [arrow for arrow in self.arrows if not arrow.noise]
        return replace(self, arrows=tuple(_folded(arrows)), hidden=dict(hidden)).tidy()

    def tidy(self) -> Ladder:
        """The ladder with only the columns that take part, phones around their server, in order."""
        seen: dict[str, None] = {}
        for each in self.rows:
            seen |= dict.fromkeys((each.source, each.target))
        order = list(seen)
        taking_part = sorted(
            (column for column in self.columns if column.key in seen),
            key=lambda column: order.index(column.key),
        )
        stations = [column for column in taking_part if column.kind in ("station", "address")]
        middle = [column for column in taking_part if column.kind == "server"]
        middle += [column for column in taking_part if column.kind == "application"]
        half = (len(stations) + 1) // 2
        return replace(self, columns=(*stations[:half], *middle, *stations[half:]))


def _folded(arrows: Iterable[Arrow]) -> list[Arrow]:
    folded: list[Arrow] = []
    for arrow in arrows:
        last = folded[-1] if folded else None
        same = last is not None and (last.name, last.source, last.call) == (
            arrow.name,
            arrow.source,
            arrow.call,
        )
        if last is not None and same and arrow.name == "KeypadButton":
            folded[-1] = replace(last, detail=f"{last.detail} {arrow.detail}")
        else:
            folded.append(arrow)
    return folded


def build(capture: Capture) -> Ladder:
    """The whole capture as a ladder, with its noise."""
    return _Builder(capture).build()


class _Builder:
    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._columns: dict[str, Column] = {}
        self._sessions: dict[frozenset[Address], Session] = {}
        self._legs = Legs()
        self._media: dict[Address, list[tuple[float, str, Leg | None]]] = {}
        self._events: set[int] = set()
        self._names: dict[Address, str] = {}
        self._cti_servers: set[Address] = set()

    def build(self) -> Ladder:
        frames = sorted(self._capture.frames, key=lambda frame: frame.time)
        for frame in frames:
            self._meet(frame)
        drawn: list[tuple[Frame, str, str, Leg | None]] = []
        for frame in frames:
            client, server = self._sessions[_ends(frame)]
            columns = {client: self._client_key(client, server), server: f"server {server[0]}"}
            leg = self._legs.leg(frame, (client, server))
            if isinstance(frame.message, sccp.OpenReceiveChannelAck):
                address = (frame.message.ip_addr, frame.message.port_number)
                self._receives(address, frame.time, columns[client], leg)
            drawn.append((frame, columns[frame.source], columns[frame.destination], leg))
        streams = [self._stream(each) for each in self._capture.streams]
        for _, legs in streams:
            for leg in legs[1:]:
                self._legs.join(legs[0], leg)
        numbers, calls = self._legs.numbered()
        times = [frame.time for frame in frames] + [stream.start for stream, _ in streams]
        return Ladder(
            columns=tuple(self._columns.values()),
            arrows=tuple(
                Arrow(
                    frame.time,
                    source,
                    target,
                    frame.protocol,
                    frame.name,
                    printable(label(frame)),
                    numbers.get(leg, 0) if leg is not None else 0,
                    noise(frame),
                )
                for frame, source, target, leg in drawn
            ),
            streams=tuple(
                replace(stream, call=numbers.get(legs[0], 0) if legs else 0)
                for stream, legs in sorted(streams, key=lambda each: each[0].start)
            ),
            calls=tuple(calls),
            start=min(times, default=0.0),
            notes=tuple(self._capture.notes),
        ).tidy()

    # Which address is which. Everything is read before anything is drawn, since numbers come late.

    def _meet(self, frame: Frame) -> None:
        client, server = self._session_of(frame)
        self._column(f"server {server[0]}", "server", "call manager", server[0])
        match frame.message:
            case sccp.RegisterReq() | sccp.RegisterTokenReq():
                self._names[client] = printable(frame.message.device_name)
            case sccp.OpenReceiveChannel() | sccp.StartMediaTransmission():
                if frame.message.rfc2833_payload_type:
                    self._events.add(frame.message.rfc2833_payload_type)
            case _:
                pass
        key = self._client_key(client, server)
        if frame.protocol == "cti":
            self._column(key, "application", "application", client[0])
        else:
            column = self._column(key, "station", key, client[0])
            match frame.message:
                case sccp.LineStatRes() | sccp.LineStatV2Res() if (
                    frame.message.line_number == 1 and frame.message.line_dir_number
                ):
                    if column.title == key and client in self._names:
                        column.details.insert(0, key)
                    column.title = printable(frame.message.line_dir_number)
                case _:
                    pass

    def _client_key(self, client: Address, server: Address) -> str:
        if server in self._cti_servers:
            return f"application {client[0]}"
        return self._names.get(client, f"{client[0]}:{client[1]}")

    def _column(self, key: str, kind: str, title: str, address: str) -> Column:
        column = self._columns.setdefault(key, Column(key, kind, title))
        if address not in column.details:
            column.details.append(address)
        return column

    def _session_of(self, frame: Frame) -> Session:
        ends = _ends(frame)
        if ends not in self._sessions:
            up = _goes_up(frame)
            client, server = (
                (frame.source, frame.destination) if up else (frame.destination, frame.source)
            )
            self._sessions[ends] = (client, server)
            if frame.protocol == "cti":
                self._cti_servers.add(server)
        return self._sessions[ends]

    # Sound.

    def _receives(self, address: Address, time: float, column: str, leg: Leg | None) -> None:
        self._media.setdefault(address, []).append((time, column, leg))

    def _endpoint(self, address: Address, time: float) -> tuple[str, Leg | None]:
        """The column that used a UDP address at that time; a new one when no message tells."""
        uses = self._media.get(address, [])
        before = [use for use in uses if use[0] <= time]
        if uses:
            _, column, leg = before[-1] if before else uses[0]
            return column, leg
        alone = [
            column.key
            for column in self._columns.values()
            if column.kind == "station" and address[0] in column.details
        ]
        return (alone[0] if len(alone) == 1 else self._stranger(address)), None

    def _stranger(self, address: Address) -> str:
        key = f"{address[0]}:{address[1]}"
        self._columns.setdefault(key, Column(key, "address", key, [address[0]]))
        return key

    def _stream(self, stream: RtpStream) -> tuple[Stream, list[Leg]]:
        # The ack may come after the first packet: look a little later.
        at = (stream.first + stream.last) / 2
        source, one = self._endpoint(stream.source, at)
        target, other = self._endpoint(stream.destination, at)
        if source == target and stream.source != stream.destination:
            # Two programs of one machine, of which only one was captured.
            if stream.source not in self._media:
                source = self._stranger(stream.source)
            if stream.destination not in self._media:
                target = self._stranger(stream.destination)
        codecs = ", ".join(codec_name(t, self._events) for t in sorted(stream.payload_types))
        drawn = Stream(
            stream.first, stream.last, source, target, codecs, stream.packets, stream.lost
        )
        return drawn, [leg for leg in (one, other) if leg is not None]


def _ends(frame: Frame) -> frozenset[Address]:
    return frozenset((frame.source, frame.destination))


def _goes_up(frame: Frame) -> bool:
    """Whether a frame goes from client to server: its declaration says so, else the ports."""
    message = frame.message
    if isinstance(message, SccpMessage) and message.sender is not Sender.EITHER:
        return message.sender is Sender.STATION
    if isinstance(message, CtiMessage) and message.kind is not Kind.BOTH:
        return message.kind is Kind.REQUEST
    return frame.source[1] > frame.destination[1]
