"""Fuzz SCCP: any bytes, in any cut, at both roles and at what stands behind them.

``python fuzz/fuzz_sccp.py [libFuzzer options] [corpus]``; ``make fuzz`` does it all. An input is
one octet that says how the stream is cut, one for the session version, then the stream. Anything
that escapes besides a ProtocolError of the peer's is a finding, and so is a message that changes
its meaning between decoding and encoding, or with the cut. An input whose first octet is 1 is a
conversation in a house (house.py).
"""

from __future__ import annotations

import contextlib
import datetime
from typing import Any

from fuzzing import events_of, fuzz, instrumented, pieces
from house import HOUSE, drive

with instrumented():
    from pa_telephony.callmanager.calls.verbs import Calls, LegState
    from pa_telephony.callmanager.config import (
        CallManagerConfig,
        DeviceConfig,
        LineConfig,
        SpeedDial,
    )
    from pa_telephony.callmanager.phones.phones import LineSide
    from pa_telephony.errors import DecodeError, RemoteProtocolError, RequestFailed
    from pa_telephony.sccp import messages
    from pa_telephony.sccp.connection import Connection, Role
    from pa_telephony.sccp.enums import DeviceType, PhoneFeatures
    from pa_telephony.sccp.layouts import older_layout
    from pa_telephony.sccp.messages import SccpMessage
    from pa_telephony.sccp.server.device import Device
    from pa_telephony.sccp.server.registrar import (
        Received,
        Registrar,
        RegistrarConfig,
        RegistrationAsked,
        UnregistrationAsked,
    )
    from pa_telephony.sccp.server.server import local_time
    from pa_telephony.sccp.station.core import StationCore
    from pa_telephony.sccp.station.style import StationConfig

NAME, OTHER = "SEP001122334455", "SEP001122334466"
CLOCK = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(
            name=NAME,
            lines=(LineConfig(number="1001", pickup_group="8"), LineConfig(number="2")),
            speed_dials=(SpeedDial(number="1"),),
        ),
        DeviceConfig(name=OTHER, lines=(LineConfig(number="1", pickup_group="8"),)),
    ),
    park_numbers=("7",),
)


def check_message(message: Any, frame: bytes, version: int) -> None:
    """What was decoded is encoded again, in the layout that it was read in, and means the same."""
    if isinstance(message, SccpMessage):
        version = older_layout(type(message), frame[12:], version)
    again = messages.encode(message, version)
    if len(frame) % 4 == 0:
        # The padding that we add would count as text where text goes to the end. A message for the
        # other side to receive is kept as bytes, though its number is known.
        known = isinstance(message, SccpMessage)
        assert not known or messages.decode(message.id, again[12:], version) == message
        assert known or again[12:] == message.body + bytes(-len(message.body) % 4)


def said(role: Role, stream: list[bytes], version: int, *, check: bool) -> list[Any]:
    """What comes out of a connection of that version."""
    connection = Connection(role)
    connection.version = layout = version
    frames: list[bytes] = []
    connection.on_frame = frames.append

    def told(event: Any) -> None:
        nonlocal layout
        if check:
            check_message(event, frames[-1], layout)
        layout = connection.version or connection.offered

    return events_of(connection, connection.receive_data, connection.receive_eof, stream, told)


def drive_station(stream: list[bytes]) -> None:
    """A station answers whatever it understands, with what a call manager can read."""
    core = StationCore(NAME, StationConfig())
    manager = Connection(Role.CALL_MANAGER)
    core.connected(0.0)
    try:
        for piece in stream:
            core.receive_data(piece, 0.0)
            while core.next_event() is not None:
                pass
        core.receive_eof(0.0)
        while core.next_event() is not None:
            pass
    except RemoteProtocolError:
        pass
    assert len(core.calls) <= 2 * core.config.max_calls
    for piece in pieces(core.data_to_send(), 4096):
        manager.receive_data(piece)
        while manager.next_event() is not None:
            pass


class Session:
    """A station session as the line side of the call manager sees it."""

    capabilities: tuple[Any, ...] = ()
    address = ("127.0.0.1", 50000)

    def __init__(self, name: str, registrar: Registrar | None, version: int = 6) -> None:
        self.name = name
        self._registrar = registrar
        self._version = version

    @property
    def device(self) -> Device:
        assert self._registrar is not None
        assert self._registrar.device is not None
        return self._registrar.device

    def update(self, device: Device) -> None:
        if self._registrar is not None:
            self._registrar.device = device

    @property
    def version(self) -> int:
        return self._registrar.version if self._registrar is not None else self._version

    @property
    def features(self) -> PhoneFeatures:
        return PhoneFeatures(0) if self._registrar is None else self._registrar.features

    @property
    def device_type(self) -> DeviceType:
        return DeviceType(0) if self._registrar is None else self._registrar.device_type

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            if self._registrar is not None:
                self._registrar.send(message)
            else:
                messages.encode(message, self._version)


def drive_registrar(stream: list[bytes]) -> None:
    """A registrar and the call manager behind it, with an old phone at the other end."""
    calls = Calls(CONFIG, lambda: 0.0)
    side = LineSide(CONFIG, calls, local_time)
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
    session: Any = Session(NAME, registrar)
    other: Any = Session(OTHER, None)
    side.registered(other)
    device = side.find_device(NAME)
    try:
        for piece in stream:
            registrar.receive_data(piece, 0.0)
            while (event := registrar.next_event()) is not None:
                match event:
                    case RegistrationAsked():
                        registrar.accept(device)
                        side.registered(session)
                    case UnregistrationAsked() if side.may_unregister(session):
                        registrar.accept()
                    case UnregistrationAsked():
                        registrar.reject()
                    case Received(message):
                        if isinstance(message, messages.CapabilitiesRes):
                            session.capabilities = message.caps
                        side.received(session, message)
                        for leg in calls.legs_of(OTHER):
                            # The other phone picks up whatever rings.
                            if leg.state is LegState.OFFERED:
                                with contextlib.suppress(RequestFailed):
                                    calls.answer(leg)
                    case _:
                        pass
    except RemoteProtocolError:
        pass
    side.unregistered(session, "the end")
    assert not calls.legs_of(NAME)


def one_input(data: bytes) -> None:
    """One run."""
    if len(data) < 2:
        return
    if data[0] == HOUSE:
        drive(data[1:], application=False)
        return
    stream = pieces(data[2:], data[0] + 1)
    version = data[1] % 23
    for role in Role:
        events = said(role, stream, version, check=True)
        assert events == said(role, pieces(data[2:], 1 << 16), version, check=False)
    if len(data) >= 14:
        with contextlib.suppress(DecodeError):
            number = int.from_bytes(data[2:6], "little")
            check_message(messages.decode(number, data[6:], version), data[6:], version)
    drive_station(stream)
    drive_registrar(stream)


if __name__ == "__main__":
    fuzz(one_input)
