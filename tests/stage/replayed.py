"""Captured sessions played again: each side of ours is fed what the real peer said.

:func:`compared` puts what ours sends beside what the real one sent, message by message.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from captured import SESSIONS, Deed, Said, read, session

from pa_telephony.callmanager.calls.verbs import Calls, LegState
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.callmanager.phones.phones import LineSide
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceType, MediaPayloadType, MediaStatus, PhoneFeatures
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.registrar import (
    Received,
    Registrar,
    RegistrarConfig,
    RegistrationAsked,
)
from pa_telephony.sccp.station.core import CallChanged, StationCore
from pa_telephony.sccp.station.style import StationConfig, Style

__all__ = ["Manager", "Row", "Station", "compared"]

STYLES = {
    "7970 registers": Style.PHONE,
    "7912 registers and calls": Style.PHONE,
    "phone calls": Style.PHONE,
    "phone is called": Style.PHONE,
    "FXS port registers": Style.ANALOG_PORT,
    "FXS port calls": Style.ANALOG_PORT,
    "gateway registers": Style.GATEWAY,
    "conference bridge registers": Style.MEDIA_RESOURCE,
    "MTP registers": Style.MEDIA_RESOURCE,
    "MTP relays": Style.MEDIA_RESOURCE,
}

KEYS = messages.OffHook | messages.OnHook | messages.KeypadButton | messages.SoftKeyEvent
"""What a user does: the replay does it at the same place."""

REFERENCES = {
    "call_reference": "call",
    "conference_id": "call",
    "pass_through_party_id": "stream",
}
"""Numbers that each call manager gives as it likes, and of what; they have to mean the same."""


@dataclass(frozen=True)
class Row:
    """A message of the real one, of ours, or both, and in what they differ.

    ``differs`` has ``-Kind`` for one that ours did not send, ``+Kind`` for one of ours alone,
    ``~Kind`` for one that ours sent at another place, ``Kind.field``, and ``Kind.length``.
    """

    real: Said | None
    ours: Said | None
    differs: tuple[str, ...]


class Numbers:
    """Which number of ours stands for which of the real one."""

    def __init__(self) -> None:
        self._ours: dict[tuple[str, int], int] = {}
        self._real: dict[tuple[str, int], int] = {}

    def same(self, what: str, real: int, ours: int) -> bool:
        """Whether two numbers mean the same, as far as is known; it is known from now on."""
        if not real or not ours:
            return real == ours
        return (
            self._ours.setdefault((what, real), ours) == ours
            and self._real.setdefault((what, ours), real) == real
        )


def compared(real: Sequence[Said], ours: Sequence[Said]) -> list[Row]:
    """What one side said beside what ours said, in the order of the real one."""
    kinds = [[type(each.message).__name__ for each in side] for side in (real, ours)]
    matcher = difflib.SequenceMatcher(None, *kinds, autojunk=False)
    pairs: list[tuple[int | None, int | None]] = []
    for what, start, end, other_start, other_end in matcher.get_opcodes():
        if what == "equal":
            pairs += zip(range(start, end), range(other_start, other_end), strict=True)
        else:
            pairs += [(at, None) for at in range(start, end)]
            pairs += [(None, at) for at in range(other_start, other_end)]
    numbers = Numbers()
    rows: list[Row] = []
    left = [at for one, at in pairs if one is None and at is not None]
    moved: dict[int, int] = {}
    for one, other in pairs:
        if one is not None and other is None:
            found = next((at for at in left if kinds[1][at] == kinds[0][one]), None)
            if found is not None:
                left.remove(found)
                moved[one] = found
    for one, other in pairs:
        if one is None:
            assert other is not None
            if other in left:
                rows.append(Row(None, ours[other], (f"+{kinds[1][other]}",)))
            continue
        at = moved.get(one) if other is None else other
        if at is None:
            rows.append(Row(real[one], None, (f"-{kinds[0][one]}",)))
            continue
        differs = [f"~{kinds[0][one]}"] if other is None else []
        differs += differences(real[one], ours[at], numbers)
        rows.append(Row(real[one], ours[at], tuple(differs)))
    return rows


def differences(real: Said, ours: Said, numbers: Numbers) -> Iterator[str]:
    """The length and the fields of a message in which ours differs."""
    kind = type(real.message).__name__
    for field in dataclasses.fields(real.message):
        if field.name not in real.known:
            continue
        one, other = (getattr(each.message, field.name) for each in (real, ours))
        what = REFERENCES.get(field.name)
        same = one == other if what is None else numbers.same(what, one, other)
        if not same:
            yield f"{kind}.{field.name}"
    if real.length is not None and real.length != ours.length:
        yield f"{kind}.length"


class Station:
    """Our station, with the media of the captured one."""

    def __init__(self, name: str) -> None:
        self.script = list(session(name))
        self.version: int = SESSIONS[name]["version"]
        said = [each for each in self.script if isinstance(each, Said)]
        self.real = [each for each in said if each.by_station]
        request = next(
            (each.message for each in said if isinstance(each.message, messages.RegisterReq)), None
        )
        style = STYLES[name]
        offered = request.protocol_ver if request else self.version
        config = StationConfig(style=style, protocol_version=offered)
        if request is not None:
            config = dataclasses.replace(config, device_type=request.device_type)
        if request is not None and style is Style.MEDIA_RESOURCE:
            bridge = request.device_type == DeviceType.CONFERENCE_BRIDGE_DIXIE_LAND
            config = dataclasses.replace(
                config,
                streams=request.max_streams,
                streams_per_conference=request.max_streams if bridge else 0,
            )
        if request is None and style is Style.MEDIA_RESOURCE:
            config = dataclasses.replace(config, streams=2)
        self.core = StationCore(
            request.device_name if request else "SEP000000008003",
            config,
            request.station_ip_addr if request else "0.0.0.0",
        )
        self._acks = [
            each.message
            for each in said
            if isinstance(each.message, messages.OpenReceiveChannelAck)
        ]
        # From version 15 on client.py confirms a transmission; the FXS port did not.
        self._confirms = [
            each.message
            for each in said
            if isinstance(each.message, messages.StartMediaTransmissionAck)
        ]
        self.core.connected(0.0)
        if request is None:
            # These captures begin when the station has long been registered.
            ack = messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=self.version)
            done = (
                messages.ButtonTemplateRes(button_offset=0),
                messages.TimeDateRes(w_year=2026),
                messages.VersionRes(version_str=""),
            )
            for message in (ack, *done):
                self.core.receive_data(messages.encode(message, self.version), 0.0)
                self.events()
            self.core.data_to_send()

    def events(self) -> None:
        while (event := self.core.next_event()) is not None:
            if isinstance(event, CallChanged):
                self.answer(event.message)

    def answer(self, order: SccpMessage) -> None:
        """As client.py does, with the address that the captured station had."""
        match order:
            case messages.OpenReceiveChannel():
                there = self._acks.pop(0)
                self.core.send(
                    messages.OpenReceiveChannelAck(
                        media_reception_status=MediaStatus.OK,
                        ip_addr=there.ip_addr,
                        port_number=there.port_number,
                        pass_through_party_id=order.pass_through_party_id,
                        call_reference=order.call_reference,
                    )
                )
            case messages.StartMediaTransmission() if self._confirms:
                there = self._confirms.pop(0)
                self.core.send(
                    messages.StartMediaTransmissionAck(
                        conference_id=order.conference_id,
                        pass_through_party_id=order.pass_through_party_id,
                        call_reference=order.call_reference,
                        transmit_ip_addr=there.transmit_ip_addr,
                        port_number=there.port_number,
                        media_transmission_status=MediaStatus.OK,
                    )
                )
            case _:
                pass

    def play(self) -> list[Row]:
        for said in self.script:
            if isinstance(said, Deed):
                continue
            if not said.by_station:
                self.core.receive_data(said.frame, 0.0)
                self.events()
            elif isinstance(said.message, KEYS):
                self.core.send(said.message)
            elif isinstance(said.message, messages.KeepAliveReq):
                self.core.handle_deadline(self.core.next_deadline() or 0.0)
        sent = read(self.core.data_to_send(), self.version, by_station=True)
        return compared(self.real, sent)


NAME, OTHER = "SEP000000008003", "SEP000000009999"


class Session:
    """A station's session as the line side knows it."""

    capabilities: tuple[messages.Capability, ...] = ()

    def __init__(self, name: str, registrar: Registrar) -> None:
        self.name = name
        self.registrar = registrar
        self.local_address = ("10.0.0.1", 2000)
        self.address = ("10.0.0.1", 50000)

    @property
    def version(self) -> int:
        return self.registrar.version

    @property
    def features(self) -> PhoneFeatures:
        return self.registrar.features

    @property
    def device_type(self) -> DeviceType:
        return self.registrar.device_type

    @property
    def device(self) -> Device:
        assert self.registrar.device is not None
        return self.registrar.device

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            self.registrar.send(message)

    def update(self, device: Device) -> None:
        self.registrar.device = device


class Manager:
    """Our call manager, with the captured station and one that it may call.

    It is configured as the real one was: its version, how it writes dates, the lines of the
    station, and what time it is. The other phone is where the real one was.
    """

    def __init__(self, name: str) -> None:
        self.script = list(session(name))
        self.version: int = SESSIONS[name]["version"]
        self.real = [each for each in self.script if isinstance(each, Said) and not each.by_station]
        said = [each.message for each in self.script if isinstance(each, Said)]
        request = next((each for each in said if isinstance(each, messages.RegisterReq)), None)
        ack = next((each for each in said if isinstance(each, messages.RegisterAck)), None)
        self.name = request.device_name if request else NAME
        self.registrar = RegistrarConfig(
            max_protocol_version=ack.max_protocol_ver if ack else self.version,
            date_template=ack.date_template if ack else "M/D/Y",
        )
        self._now = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
        lines = [
            LineConfig(number=each.line_dir_number, name=each.line_fully_qualified_display_name)
            for each in said
            if isinstance(each, messages.LineStatRes | messages.LineStatV2Res)
            and each.line_dir_number
        ]
        digits = "".join(
            str(int(each.kp_button)) for each in said if isinstance(each, messages.KeypadButton)
        )
        caller = next((each.number for each in self.script if isinstance(each, Deed)), "")
        lines += [
            LineConfig(number=each.called_party if caller else each.calling_party)
            for each in said
            if isinstance(each, messages.CallInfoV2)
        ]
        config = CallManagerConfig(
            devices=(
                DeviceConfig(name=self.name, lines=tuple(lines[:1])),
                DeviceConfig(name=OTHER, lines=(LineConfig(number=caller or digits or "9999"),)),
            )
        )
        self._called = lines[0].number if lines else ""
        self._sound = next(
            (each for each in said if isinstance(each, messages.OpenReceiveChannel)), None
        )
        self._far = next(
            (each for each in said if isinstance(each, messages.StartMediaTransmission)), None
        )
        self._waits = any(isinstance(each, Deed) for each in self.script)
        self._orders: list[messages.OpenReceiveChannel] = []
        self.calls = Calls(config, lambda: 0.0)
        self.side = LineSide(config, self.calls, lambda: self._now)
        self.station, self.other = self.connect(self.name), self.connect(OTHER)
        self.hear(self.other, messages.RegisterReq(device_name=OTHER, protocol_ver=20))
        if request is None:
            hello = messages.RegisterReq(device_name=self.name, protocol_ver=self.version)
            self.hear(self.station, hello)
        if self._sound is not None and self._sound.rfc2833_payload_type:
            both = (MediaPayloadType.G711_ULAW64K, MediaPayloadType.RFC2833_DYN_PAYLOAD)
            for each in (self.station, self.other):
                each.capabilities = tuple(
                    messages.Capability(payload_capability=payload, max_frames_per_packet=20)
                    for payload in both
                )
        self.station.registrar.data_to_send()

    def _look_at_the_clock(self, at: int) -> None:
        """Let it be the time that the real one told next."""
        for said in self.script[at:]:
            if isinstance(said, Said) and isinstance(said.message, messages.TimeDateRes):
                if (told := said.message).system_time:
                    shown = datetime.datetime(
                        *(told.w_year, told.w_month, told.w_day),
                        *(told.w_hour, told.w_minute, told.w_second),
                        tzinfo=datetime.UTC,
                    )
                    true = datetime.datetime.fromtimestamp(told.system_time, datetime.UTC)
                    zone = datetime.timezone(shown - true)
                    self._now = true.astimezone(zone)
                return

    def connect(self, name: str) -> Any:
        return Session(name, Registrar(self.registrar, 0.0, lambda: self._now))

    def hear(self, session: Any, said: SccpMessage | bytes) -> None:
        if not isinstance(said, bytes):
            said = messages.encode(said, session.version)
        session.registrar.receive_data(said, 0.0)
        while (event := session.registrar.next_event()) is not None:
            match event:
                case RegistrationAsked():
                    session.registrar.accept(self.side.find_device(session.name))
                    self.side.registered(session)
                case Received(message):
                    if isinstance(message, messages.CapabilitiesRes):
                        session.capabilities = message.caps
                    self.side.received(session, message)
                case _:
                    pass

    def answer(self) -> None:
        """The other phone answers what rings, and opens the channels it is told to."""
        for leg in self.calls.legs_of(OTHER):
            if leg.state is LegState.OFFERED:
                self.calls.answer(leg)
        for said in read(self.other.registrar.data_to_send(), self.other.version, by_station=False):
            if isinstance(said.message, messages.OpenReceiveChannel):
                self._orders.append(said.message)
        if not self._waits:
            self.open()

    def open(self) -> None:
        while self._orders:
            order = self._orders.pop()
            assert self._far is not None
            self.hear(
                self.other,
                messages.OpenReceiveChannelAck(
                    media_reception_status=MediaStatus.OK,
                    ip_addr=self._far.remote_ip_addr,
                    port_number=self._far.remote_port_number or 4000,
                    pass_through_party_id=order.pass_through_party_id,
                ),
            )

    def do(self, deed: Deed) -> None:
        match deed.what:
            case "the other phone calls":
                self.calls.originate(OTHER, 1, self._called)
            case "the other phone opens its channel":
                self.open()
            case "the other phone hangs up":
                (leg,) = self.calls.legs_of(OTHER)
                self.calls.release(leg)
            case _:
                raise AssertionError(deed)

    def play(self) -> list[Row]:
        sent: list[Said] = []
        party = 0
        for at, said in enumerate(self.script):
            self._look_at_the_clock(at)
            if isinstance(said, Deed):
                self.do(said)
            elif not said.by_station:
                continue
            else:
                data = said.frame
                if isinstance(said.message, messages.OpenReceiveChannelAck):
                    # Our identifiers are not the captured ones.
                    ack = dataclasses.replace(said.message, pass_through_party_id=party)
                    data = messages.encode(ack, self.version)
                elif isinstance(said.message, KEYS) and said.message.call_reference:
                    (leg,) = self.calls.legs_of(self.name)
                    key = dataclasses.replace(said.message, call_reference=leg.id)
                    data = messages.encode(key, self.version)
                self.hear(self.station, data)
            self.answer()
            for ours in read(self.station.registrar.data_to_send(), self.version, by_station=False):
                sent.append(ours)
                if isinstance(ours.message, messages.OpenReceiveChannel):
                    party = ours.message.pass_through_party_id
        return compared(self.real, sent)
