"""Events of lines that are encoded once and told on many handles."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig, User
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls
from pa_telephony.cti import encoded, messages
from pa_telephony.cti.client.line import CALLS
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.encoded import Encoded, LineEvent
from pa_telephony.cti.login import Certificate
from pa_telephony.cti.messages.codec import VERSION_11_5, VERSION_15
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.session import ProviderSession
from pa_telephony.testing.cti_strategies import cti_message

KINDS = (
    messages.NewCallEvent,
    messages.CallStateChangedEventV2,
    messages.CallPartyInfoChangedEvent,
    messages.GlobalCallHandleChangedEvent,
)
SHARED = CallManagerConfig(
    devices=(
        DeviceConfig(name="P1", lines=(LineConfig(number="1001"),)),
        *(DeviceConfig(name=f"S{n}", lines=(LineConfig(number="2000"),)) for n in range(5)),
    ),
    users=(User(name="app", password="secret"),),
)


@given(
    st.sampled_from(KINDS).flatmap(cti_message),
    st.integers(0, 0x7FFFFFFF),
    st.sampled_from([VERSION_15, VERSION_11_5]),
)
def test_a_frame_for_a_handle_is_what_would_be_encoded_for_it(
    event: messages.CtiMessage, line: int, version: int
) -> None:
    own = replace(event, line_id=line)  # type: ignore[call-arg]  # each has one
    made = Encoded(event).frame(line, version)
    assert made == messages.encode(own, to_server=False, version=version)


def test_what_is_of_no_line_is_not_told_on_one() -> None:
    with pytest.raises(TypeError, match="Heartbeat is of no line"):
        Encoded(messages.Heartbeat())


def test_a_call_is_encoded_once_for_all_sessions_and_handles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(SHARED, lambda: 0.0)
    side = CtiSide(SHARED, calls)
    for device in SHARED.devices:
        calls.register(device.name, side)
    heard: list[tuple[WireConnection, list[messages.CtiMessage]]] = []
    for version in (VERSION_15, VERSION_11_5):
        server, said = WireConnection(Role.SERVER), list[messages.CtiMessage]()
        server.version = version

        def hear(
            message: messages.CtiMessage | LineEvent,
            server: WireConnection = server,
            said: list[messages.CtiMessage] = said,
        ) -> None:
            event = messages.decode(server.send(message))
            assert isinstance(event, messages.CtiMessage)
            said.append(event)

        session = ProviderSession(
            side,
            CtiManagerConfig(),
            hear,
            Certificate(b"", None),  # type: ignore[arg-type]
            "nonce",
            itertools.count(1),
        )
        session._session.user = "app"
        for _ in range(3):
            session.handle_request(
                messages.LineOpenRequest(device_name="S0", line_name="2000", filter=CALLS)
            )
        said.clear()
        heard.append((server, said))
    encodings: list[type[messages.CtiMessage]] = []

    def encode(event: messages.CtiMessage, *, to_server: bool) -> bytes:
        encodings.append(type(event))
        return messages.encode(event, to_server=to_server)

    monkeypatch.setattr(encoded, "encode", encode)
    calls.originate("P1", 1, "2000")
    assert encodings == [
        messages.NewCallEvent,
        messages.CallStateChangedEventV2,
        messages.CallStateChangedEventV2,
    ]
    for _, said in heard:
        for handle in (1, 2, 3):
            mine = [type(each) for each in said if each.line_id == handle]  # type: ignore[attr-defined]
            assert mine == encodings
