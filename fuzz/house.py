"""A call manager with phones and an application that say valid things without any sense.

The octets of an input are steps: who says what, which fields are not as they should be, or how much
time passes. Numbers of calls, channels and handles are drawn from those that there are, because
made-up ones lead nowhere. Whatever is raised is a finding, and so is what is left at the end.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
from collections.abc import Iterator
from typing import Any

from fuzzing import instrumented

with instrumented():
    from pa_telephony.callmanager.applications.control import CtiSide
    from pa_telephony.callmanager.calls.verbs import Calls
    from pa_telephony.callmanager.config import (
        CallManagerConfig,
        DeviceConfig,
        DeviceKind,
        LineConfig,
        SpeedDial,
        User,
    )
    from pa_telephony.callmanager.phones.phones import LineSide
    from pa_telephony.cti import messages as cti
    from pa_telephony.cti.connection import Role as CtiRole, WireConnection
    from pa_telephony.cti.login import Certificate
    from pa_telephony.cti.messages.base import CtiMessage, Kind
    from pa_telephony.cti.server.session import CtiManagerConfig, ProviderSession
    from pa_telephony.errors import DecodeError
    from pa_telephony.sccp import messages as sccp
    from pa_telephony.sccp.enums import DeviceType, PhoneFeatures
    from pa_telephony.sccp.messages import SccpMessage, Sender
    from pa_telephony.sccp.server.device import Device
    from pa_telephony.sccp.server.server import local_time

HOUSE = 1
"""The first octet of an input that is one for here."""
PHONES = ("A", "B", "C")
ROUTE_POINT, PORT = "RP", "CP"
CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(
            name="A",
            lines=(LineConfig(number="1", pickup_group="8"), LineConfig(number="5")),
            speed_dials=(SpeedDial(number="2"),),
        ),
        DeviceConfig(name="B", lines=(LineConfig(number="2", pickup_group="8"),)),
        # The second line of A is shared.
        DeviceConfig(
            name="C", lines=(LineConfig(number="3", forward_busy="2"), LineConfig(number="5"))
        ),
        DeviceConfig(
            name=ROUTE_POINT, kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6"),)
        ),
        DeviceConfig(name=PORT, kind=DeviceKind.CTI_PORT, lines=(LineConfig(number="4"),)),
    ),
    users=(User(name="app", password="secret"),),
    park_numbers=("7",),
)
TEXTS = (*"12345678" * 4, "", "A", "B", "C", ROUTE_POINT, PORT, "*", "9" * 24, "é", "127.0.0.1")
HANDLES = (
    "line_id",
    "device_id",
    "call_leg_id",
    "pass_through_party_id",
    "consult_call_leg_id",
    "destination_call_leg_id",
    "drop_party_call_leg_id",
)
EDGES = (0x7F, 0x80, 0xFF, 0x7FFF, 0x7FFFFFFF)


def smallest(kind: type[SccpMessage]) -> SccpMessage | None:
    """A message of zeros, in the newest layout."""
    for size in range(0, 4097, 4):
        try:
            message = sccp.decode(kind.id, bytes(size), 22)
        except DecodeError:
            continue
        assert isinstance(message, kind)
        return message
    return None


def said_by_stations() -> Iterator[SccpMessage]:
    """One of each message that is not the registrar's alone."""
    for _, kind in sorted(SccpMessage.registry.items()):
        if issubclass(kind, SccpMessage) and kind.sender in (Sender.STATION, Sender.EITHER):
            message = smallest(kind)
            if message is not None:
                yield message


FROM_STATION = list(said_by_stations())
KEYS = [
    each
    for each in FROM_STATION
    if isinstance(
        each,
        sccp.OffHook
        | sccp.OnHook
        | sccp.KeypadButton
        | sccp.EnblocCall
        | sccp.SoftKeyEvent
        | sccp.Stimulus
        | sccp.OpenReceiveChannelAck,
    )
]
REQUESTS: list[CtiMessage] = [
    kind()
    for _, kind in sorted(CtiMessage.registry.items())
    if issubclass(kind, CtiMessage)
    and kind.kind is Kind.REQUEST
    and not issubclass(kind, cti.ProviderInitRequest | cti.ProviderOpenRequest)
]


class Phone:
    """A registered station, as the line side sees its session."""

    capabilities: tuple[Any, ...] = ()
    local_address = ("127.0.0.1", 2000)
    address = ("127.0.0.1", 50000)
    features = PhoneFeatures.UTF8
    device_type = DeviceType.CISCO_7970

    def __init__(self, name: str, version: int) -> None:
        self.name = name
        self.version = version
        self.device = Device(name=name)

    def update(self, device: Device) -> None:
        self.device = device

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            sccp.encode(message, self.version)

    def close(self, reason: str) -> None:
        raise AssertionError("nobody removes a phone")


class House:
    """One run."""

    def __init__(self, data: bytes, *, application: bool) -> None:
        self._data = data
        self._at = 0
        self._now = 0.0
        self.calls = Calls(CONFIG, lambda: self._now)
        self.lines = LineSide(CONFIG, self.calls, local_time)
        self.cti = CtiSide(CONFIG, self.calls, self.lines.send_data)
        self.lines.data_received = self.cti.data_received
        self._phones: list[Any] = []
        for version, name in zip((22, 6, 17), PHONES, strict=True):
            phone: Any = Phone(name, version)
            device = self.lines.find_device(name)
            assert device is not None
            phone.update(device)
            self.lines.registered(phone)
            self._phones.append(phone)
        self._server, self._client = WireConnection(CtiRole.SERVER), WireConnection(CtiRole.CLIENT)
        self._handles = itertools.count(1001)
        self.application = self._log_in() if application else None
        served = self.application._requests if self.application is not None else {}
        self._served = [each for each in REQUESTS if type(each) in served]

    def _log_in(self) -> ProviderSession:
        session = ProviderSession(
            self.cti,
            CtiManagerConfig(),
            lambda message: self._client.receive_data(self._server.send(message), 0.0),
            Certificate(b"", None),  # type: ignore[arg-type]
            "nonce",
            self._handles,
        )
        session._session.user = "app"
        session._watching = True
        self.cti.watch(session)
        for name in (ROUTE_POINT, PORT):
            session.handle_request(cti.DeviceRegisterDeviceRequest(device_name=name))
        for name, number in (("A", "1"), ("B", "2"), (ROUTE_POINT, "6"), (PORT, "4")):
            filter_ = cti.structs.LineEventFilter(b_new_call_event=True, call_state_changed=True)
            session.handle_request(
                cti.LineOpenRequest(device_name=name, line_name=number, filter=filter_)
            )
        return session

    def run(self) -> None:
        """All steps, and then everybody goes."""
        while self._at < len(self._data):
            self._step()
            while self._client.next_event() is not None:
                pass
        for phone in self._phones:
            self.lines.unregistered(phone, "the end")
        if self.application is not None:
            self.application.end()
        assert not self.calls.legs
        assert not self.lines.sessions
        assert not self.cti.owners(ROUTE_POINT)

    def _octet(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def _step(self) -> None:
        who = self._octet() % 6
        if who < len(self._phones):
            self._press(self._phones[who])
        elif who == 3:
            self._now += self._octet() / 4
            self.calls.handle_deadline(self._now)
        elif self.application is not None and not self.application.closed:
            what = self._octet()
            kinds = self._served if what < 224 else REQUESTS
            self.application.handle_request(self._varied(kinds[what % len(kinds)]))
            while self.application.go_on():
                pass
        else:
            self._press(self._phones[0])

    def _press(self, phone: Any) -> None:
        what = self._octet()
        kinds = KEYS if what < 192 else FROM_STATION
        message = self._varied(kinds[what % len(kinds)])
        if isinstance(message, sccp.CapabilitiesRes):
            phone.capabilities = message.caps
        self.lines.received(phone, message)

    def _varied(self, message: Any) -> Any:
        """The message with texts, enumerators and handles drawn, and some other fields changed."""
        fields = dataclasses.fields(message)
        changes: dict[str, Any] = {}
        for field in fields:
            if field.name in HANDLES:
                changes[field.name] = self._live(field.name)
            elif isinstance(getattr(message, field.name), str | enum.IntEnum):
                changes[field.name] = self._value(getattr(message, field.name))
        for _ in range(self._octet() % 6 if fields else 0):
            field = fields[self._octet() % len(fields)]
            changes[field.name] = self._value(getattr(message, field.name))
        return dataclasses.replace(message, **changes)

    def _value(self, now: Any) -> Any:
        drawn = self._octet()
        if isinstance(now, bool):
            return bool(drawn % 2)
        if isinstance(now, enum.IntEnum):
            return type(now)(drawn % 32 if drawn < 250 else self._number(drawn))
        if isinstance(now, int):
            return self._number(drawn)
        if isinstance(now, str):
            return TEXTS[drawn % len(TEXTS)]
        if isinstance(now, bytes):
            return bytes([drawn]) * (drawn % 5)
        if dataclasses.is_dataclass(now):
            return self._varied(now)
        return now

    def _live(self, name: str) -> int:
        there = {
            "line_id": range(1003, 1008),
            "device_id": range(1001, 1008),
            "pass_through_party_id": list(self.lines._streams),
        }.get(name, list(self.calls.legs))
        return there[self._octet() % len(there)] if there else 0

    def _number(self, drawn: int) -> int:
        if drawn < 200:
            return drawn % 50
        if drawn < 240:
            return next(iter(self.calls.legs), 0)
        return EDGES[drawn % len(EDGES)]


def drive(data: bytes, *, application: bool) -> None:
    """The steps that the octets say, in a new house."""
    House(data, application=application).run()
