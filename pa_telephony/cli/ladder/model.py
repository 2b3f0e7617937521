"""From a capture to a ladder: who stands side by side, what goes between them, which call it is.

What SCCP and CTI do not say is concluded: two legs belong to one call when one sends its sound
to where the other receives, or when they show the same parties within two seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pa_telephony.cli.capture import Capture, Frame, RtpStream
from pa_telephony.cli.ladder.labels import codec_name, label, noise
from pa_telephony.cti.messages.base import CtiMessage, Kind
from pa_telephony.sccp import messages as sccp
from pa_telephony.sccp.enums import DCallState
from pa_telephony.sccp.messages.base import SccpMessage, Sender

__all__ = ["Arrow", "Call", "Column", "Ladder", "Stream", "build"]

Address: TypeAlias = tuple[str, int]
Session: TypeAlias = tuple[Address, Address]
"""The client's address, then the server's."""
Leg: TypeAlias = tuple[str, int]
"""The server's IP address and its number of the leg: SCCP's call reference, CTI's leg id."""

_SAME_CALL_WITHIN = 2.0


@dataclass(slots=True)
class Column:
    """One who takes part: a device, a call manager, an application, an address."""

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
    """RTP from one column to another."""

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
        """When it begins."""
        return self.start

    @property
    def text(self) -> str:
        """Codec, packets, lost, seconds."""
        seconds = self.end - self.start
        return f"{self.codec}  {self.packets} packets, {self.lost} lost, {seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class Call:
    """Legs that belong together; numbered from 1 in the order in which calls begin."""

    number: int
    title: str
    references: tuple[int, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is drawn. ``hidden`` counts the messages left out, by kind of noise."""

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

    def place(self, call: int) -> int | None:
        """Which of the calls here one is, None for no call: neighbours get other colours."""
        return next((n for n, each in enumerate(self.calls) if each.number == call), None)

    def of_call(self, number: int) -> Ladder:
        """One call alone, by its number here or by a call reference. Raises KeyError."""
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
        """What some columns take part in: names, numbers, or addresses. Raises KeyError."""
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
        """Without keepalives, lamps, prompts, tones and set-up; presses in a row are one arrow."""
        hidden = Counter(arrow.noise for arrow in self.arrows if arrow.noise)
        arrows = [arrow for arrow in self.arrows if not arrow.noise]
        return replace(self, arrows=tuple(_folded(arrows)), hidden=dict(hidden)).tidy()

    def tidy(self) -> Ladder:
        """Only columns that take part, phones around what they talk to, in order of appearance."""
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
        self._calls = _Calls()
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
            leg = self._calls.leg(frame, (client, server))
            if isinstance(frame.message, sccp.OpenReceiveChannelAck):
                address = (frame.message.ip_addr, frame.message.port_number)
                self._receives(address, frame.time, columns[client], leg)
            drawn.append((frame, columns[frame.source], columns[frame.destination], leg))
        streams = [self._stream(each) for each in self._capture.streams]
        for _, legs in streams:
            for leg in legs[1:]:
                self._calls.join(legs[0], leg)
        numbers, calls = self._calls.numbered()
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
                    _printable(label(frame)),
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

    # Who is who. Everything is read before anything is drawn, since numbers come late.

    def _meet(self, frame: Frame) -> None:
        client, server = self._session_of(frame)
        self._column(f"server {server[0]}", "server", "call manager", server[0])
        match frame.message:
            case sccp.RegisterReq() | sccp.RegisterTokenReq():
                self._names[client] = _printable(frame.message.device_name)
            case sccp.OpenReceiveChannel() | sccp.StartMediaTransmission():
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
                    column.title = _printable(frame.message.line_dir_number)
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
        """Who used a UDP address at that time; an address of its own when nobody said so."""
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
        if len(alone) == 1:
            return alone[0], None
        key = f"{address[0]}:{address[1]}"
        self._columns.setdefault(key, Column(key, "address", key, [address[0]]))
        return key, None

    def _stream(self, stream: RtpStream) -> tuple[Stream, list[Leg]]:
        # The ack may come after the first packet: look a little later.
        at = (stream.first + stream.last) / 2
        source, one = self._endpoint(stream.source, at)
        target, other = self._endpoint(stream.destination, at)
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


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "·" for each in text)


class _Calls:
    """Legs, and which of them are one call (a union-find over legs)."""

    def __init__(self) -> None:
        self._parent: dict[Leg, Leg] = {}
        self._times: dict[Leg, tuple[float, float]] = {}
        self._titles: dict[Leg, str] = {}
        self._parties: dict[tuple[str, str, str], tuple[float, Leg]] = {}
        self._of_party: dict[tuple[Session, int], Leg] = {}
        self._receivers: dict[Address, Leg] = {}
        self._pressed: dict[Session, Leg] = {}
        self._asked: dict[tuple[Session, int], Leg] = {}
        self._unborn = 0

    def leg(self, frame: Frame, session: Session) -> Leg | None:
        """The leg that a message is about, None for none."""
        message = frame.message
        reference = getattr(message, "call_reference", 0) or getattr(message, "call_leg_id", 0)
        party = getattr(message, "pass_through_party_id", 0)
        sequence = getattr(message, "sequence_number", 0)
        leg: Leg | None = (session[1][0], reference) if reference else None
        if leg is None and party:
            leg = self._of_party.get((session, party))
        if leg is None and sequence:
            # Responses of CTI name the request that they answer, not the leg.
            leg = self._asked.pop((session, sequence), None)
        if leg is None and isinstance(message, sccp.OffHook | sccp.EnblocCall | sccp.SoftKeyEvent):
            # A key that begins a call: the call manager gives it its reference next.
            self._unborn -= 1
            leg = self._pressed[session] = (session[1][0], self._unborn)
        if leg is None:
            return None
        if party:
            self._of_party[session, party] = leg
        if reference and sequence:
            self._asked[session, sequence] = leg
        self._seen(leg, frame.time)
        if reference and isinstance(message, sccp.CallState) and session in self._pressed:
            self.join(leg, self._pressed.pop(session))
        self._tell(leg, frame)
        return leg

    def _seen(self, leg: Leg, time: float) -> None:
        self._parent.setdefault(leg, leg)
        first, last = self._times.get(leg, (time, time))
        self._times[leg] = min(first, time), max(last, time)

    def _tell(self, leg: Leg, frame: Frame) -> None:
        match frame.message:
            case sccp.OpenReceiveChannelAck():
                address = (frame.message.ip_addr, frame.message.port_number)
                self._receivers[address] = leg
            case sccp.StartMediaTransmission():
                remote = (frame.message.remote_ip_addr, frame.message.remote_port_number)
                if remote in self._receivers:
                    self.join(leg, self._receivers[remote])
            case sccp.CallState(call_state=DCallState.ON_HOOK):
                self._over(leg)
            case _:
                calling = getattr(frame.message, "calling_party", "")
                called = getattr(frame.message, "called_party", "")
                if calling and called:
                    self._shows(leg, frame.time, str(calling), str(called))

    def _shows(self, leg: Leg, time: float, calling: str, called: str) -> None:
        self._titles.setdefault(leg, _printable(f"{calling} → {called}"))
        parties = (leg[0], calling, called)
        if parties in self._parties:
            shown_at, other = self._parties[parties]
            if time - shown_at <= _SAME_CALL_WITHIN:
                self.join(leg, other)
        self._parties[parties] = (time, leg)

    def _over(self, leg: Leg) -> None:
        """What comes next between the same parties, or to the same port, is another call."""
        root = self._root(leg)
        self._parties = {k: v for k, v in self._parties.items() if self._root(v[1]) != root}
        self._receivers = {k: v for k, v in self._receivers.items() if v != leg}

    def _root(self, leg: Leg) -> Leg:
        while (parent := self._parent.setdefault(leg, leg)) != leg:
            self._parent[leg] = self._parent[parent]
            leg = parent
        return leg

    def join(self, one: Leg, other: Leg) -> None:
        """These two are one call."""
        self._parent[self._root(one)] = self._root(other)

    def numbered(self) -> tuple[dict[Leg, int], list[Call]]:
        """The number of each leg's call, and the calls."""
        groups: dict[Leg, list[Leg]] = {}
        for leg in sorted(self._times, key=lambda leg: self._times[leg]):
            groups.setdefault(self._root(leg), []).append(leg)
        numbers: dict[Leg, int] = {}
        calls: list[Call] = []
        for legs in groups.values():
            references = tuple(sorted({number for _, number in legs if number > 0}))
            if not references:
                continue
            title = next(
                (self._titles[leg] for leg in legs if leg in self._titles), "a call without parties"
            )
            calls.append(
                Call(
                    len(calls) + 1,
                    title,
                    references,
                    min(self._times[leg][0] for leg in legs),
                    max(self._times[leg][1] for leg in legs),
                )
            )
            numbers |= dict.fromkeys(legs, len(calls))
        return numbers, calls
