"""Fuzz CTIQBE: any bytes, in any cut, at both roles and at the CTI Manager's session.

``python fuzz/fuzz_cti.py [libFuzzer options] [corpus]``; ``make fuzz`` does it all. An input is
one octet that says how the stream is cut, then the stream. Anything that escapes besides a
ProtocolError of the peer's is a finding, and so is a message that changes its meaning between
decoding and encoding, or with the cut. An input whose first octet is 1 is a conversation in a house
(house.py).
"""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

from fuzzing import events_of, fuzz, instrumented, pieces
from house import HOUSE, drive

with instrumented():
    from pa_telephony.callmanager.applications.control import CtiSide
    from pa_telephony.callmanager.calls.verbs import Calls
    from pa_telephony.callmanager.config import (
        CallManagerConfig,
        DeviceConfig,
        DeviceKind,
        LineConfig,
        User,
    )
    from pa_telephony.cti import messages
    from pa_telephony.cti.connection import Role, WireConnection
    from pa_telephony.cti.login import Certificate
    from pa_telephony.cti.server.core import ApplicationCore, LoginAsked
    from pa_telephony.cti.server.handles import CtiManagerConfig
    from pa_telephony.errors import DecodeError, RemoteProtocolError
    from pa_telephony.wire.declaration import UnknownMessage

CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(name="RP1", kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6000"),)),
        DeviceConfig(name="P1", lines=(LineConfig(number="1001"),)),
    ),
    users=(User(name="app", password="secret"),),
)


class NoKey:
    """A private key that opens nothing: guessing RSA is not what is tested here."""

    def decrypt(self, sealed: bytes, padding: Any) -> bytes:
        raise ValueError("wrong")


CERTIFICATE = Certificate(b"certificate", NoKey())  # type: ignore[arg-type]
LOGIN = messages.ProviderOpenRequest(login="app")


def check_message(message: Any) -> None:
    """What was decoded is encoded again, either way, and means the same."""
    if not isinstance(message, UnknownMessage):
        for to_server in (True, False):
            assert messages.decode(messages.encode(message, to_server=to_server)) == message


def said(role: Role, stream: list[bytes], *, check: bool) -> list[Any]:
    """What comes out of a connection."""
    connection = WireConnection(role)

    def told(event: Any) -> None:
        if check:
            check_message(event)

    return events_of(
        connection,
        lambda piece: connection.receive_data(piece, 0.0),
        lambda: connection.receive_eof(0.0),
        stream,
        told,
    )


def drive_core(stream: list[bytes], *, logged_in: bool) -> None:
    """The CTI Manager takes any bytes, and what it answers is what its client can read."""
    calls = Calls(CONFIG, lambda: 0.0)
    backend = CtiSide(CONFIG, calls)
    handles = itertools.count(1001)
    core = ApplicationCore(backend, CtiManagerConfig(), CERTIFICATE, "nonce", handles, 0.0)
    client = WireConnection(Role.CLIENT)

    def answer() -> None:
        while (event := core.next_event()) is not None:
            if isinstance(event, LoginAsked):
                core.reject(event.request, core.session.check_login(event.request))
            client.receive_data(core.data_to_send(), 0.0)
            while client.next_event() is not None:
                pass

    if logged_in:
        core.receive_data(client.send(LOGIN), 0.0)
        assert core.next_event() == LoginAsked(LOGIN)
        core.accept(LOGIN, 0.0)
        # Something is there to be controlled, under the handles that seeds can name.
        calls.register("P1", backend)
        core.session.handle_request(messages.LineOpenRequest(device_name="P1", line_name="1001"))
        core.session.handle_request(messages.DeviceRegisterDeviceRequest(device_name="RP1"))
    with contextlib.suppress(RemoteProtocolError):
        for piece in stream:
            core.receive_data(piece, 0.0)
            answer()
        core.receive_eof(0.0)
        answer()
        assert core.closed
    core.leave()
    assert backend.owners("RP1") == 0


def one_input(data: bytes) -> None:
    """One run."""
    if not data:
        return
    if data[0] == HOUSE:
        drive(data[1:], application=True)
        return
    stream = pieces(data[1:], data[0] + 1)
    for role in Role:
        events = said(role, stream, check=True)
        assert events == said(role, pieces(data[1:], 1 << 16), check=False)
        if role is Role.SERVER:
            for logged_in in (False, True):
                drive_core(stream, logged_in=logged_in)
    with contextlib.suppress(DecodeError):
        check_message(messages.decode(data[1:]))


if __name__ == "__main__":
    fuzz(one_input)
