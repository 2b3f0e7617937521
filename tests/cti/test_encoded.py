"""Events of lines that are encoded once and told on many handles."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bare_house import House
from company import COMPANY, phone
from cti_application import Application
from hypothesis import given, strategies as st

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.cti import encoded, messages
from pa_telephony.cti.encoded import Encoded
from pa_telephony.cti.messages.codec import VERSION_11_5, VERSION_15
from pa_telephony.testing.cti_strategies import cti_message

KINDS = (
    messages.NewCallEvent,
    messages.CallStateChangedEventV2,
    messages.CallPartyInfoChangedEvent,
    messages.GlobalCallHandleChangedEvent,
)
SHARED = replace(
    COMPANY, devices=(phone("P1", "1001"), *(phone(f"S{n}", "2000") for n in range(5)))
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
    calls = House(SHARED).calls
    side = CtiSide(SHARED, calls)
    applications = [Application(side, version=each) for each in (VERSION_15, VERSION_11_5)]
    handles = [[each.open_line("S0", "2000") for _ in range(3)] for each in applications]
    for application in applications:
        application.said.clear()
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
    for application, lines in zip(applications, handles, strict=True):
        for line in lines:
            assert [type(each) for each in application.said if each.line_id == line] == encodings
