"""Whatever stations send, in any order: the line side says what it can and raises nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from bare_house import a_config
from company import PHONES
from hypothesis import given, settings, strategies as st
from line_phone import LineHouse

from pa_telephony.callmanager.phones.phones import LineSide
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    DeviceType,
    MediaStatus,
    PhoneFeatures,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.server import StationSession
from pa_telephony.testing.strategies import sccp_messages


class Session:
    """A station session that keeps what it was sent, encoded so that it can be."""

    capabilities: tuple[Any, ...] = ()
    local_address = ("127.0.0.1", 2000)
    address = ("10.0.0.1", 50000)
    features = PhoneFeatures.UTF8
    device_type = DeviceType.CISCO_7970

    def __init__(self, side: LineSide, name: str, version: int) -> None:
        self.name = name
        self.version = version
        self.sent: list[SccpMessage] = []
        found = side.find_device(name)
        assert found is not None
        self.device: Device = found

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            messages.encode(message, self.version)
            self.sent.append(message)

    def update(self, device: Device) -> None:
        self.device = device

    def close(self, reason: str) -> None: ...


lines = st.integers(0, 3)
actions = st.one_of(
    st.builds(
        messages.SoftKeyEvent,
        soft_key_event=st.one_of(st.sampled_from(SoftKeyEvent), st.integers(0, 300)),
        line_instance=lines,
    ),
    st.builds(
        messages.Stimulus,
        stimulus=st.one_of(st.sampled_from(DeviceStimulus), st.integers(0, 300)),
        line_instance=lines,
    ),
    st.builds(messages.OffHook, line_instance=lines),
    st.builds(messages.OnHook),
    st.builds(messages.KeypadButton, kp_button=st.integers(0, 20), line_instance=lines),
    st.builds(
        messages.EnblocCall,
        called_party=st.sampled_from(["1001", "1002", "1003", "2000", "5600", "70", "700", "8"]),
        line_instance=lines,
    ),
    st.just(messages.RegisterAvailableLines(max_num_of_avail_lines=1)),
    sccp_messages().map(lambda each: each[0]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PHONES), actions, st.integers(0, 50)), max_size=40))
def test_anything_that_phones_send_is_answered_or_ignored(
    what: list[tuple[str, SccpMessage, int]],
) -> None:
    house = LineHouse(a_config(forward_no_answer="1003"))
    side = house.side
    sessions = {
        name: Session(side, name, version)
        for name, version in zip(PHONES, (3, 6, 17, 22), strict=True)
    }
    for session in sessions.values():
        side.registered(cast("StationSession", session))
    for name, message, at in what:
        session = sessions[name]
        if at < 40 and hasattr(message, "call_reference"):
            legs = house.calls.legs_of(name)
            reference = legs[at % len(legs)].id if legs and at else 0
            message = _about(message, reference)
        side.received(cast("StationSession", session), message)
        # Every channel is opened, some of them badly.
        for sent in session.sent:
            if isinstance(sent, messages.OpenReceiveChannel):
                ack = messages.OpenReceiveChannelAck(
                    media_reception_status=MediaStatus.OK,
                    ip_addr="10.0.0.1",
                    port_number=4000 if at else 0,
                    pass_through_party_id=sent.pass_through_party_id,
                )
                side.received(cast("StationSession", session), ack)
        house.wait(at / 10)
    for name, session in sessions.items():
        side.unregistered(cast("StationSession", session), "the end")
        assert not house.calls.legs_of(name)
    assert not side._streams


def _about(message: SccpMessage, reference: int) -> SccpMessage:
    return replace(message, call_reference=reference)


@pytest.mark.parametrize(("host", "talks"), [("10.0.0.1", True), ("10.9.9.9", False)])
def test_a_phone_has_sound_sent_only_to_where_it_signals_from_when_that_is_asked_for(
    host: str, talks: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise it could direct the stream of any call at another host."""
    house = LineHouse(replace(a_config(), media_at_signalling_host=True))
    side = house.side
    sessions = {name: Session(side, name, 20) for name in PHONES[:2]}
    for session in sessions.values():
        side.registered(cast("StationSession", session))
    house.call(PHONES[0], "1002")
    house.calls.answer(house.leg(PHONES[1]))
    for session in sessions.values():
        for sent in session.sent:
            if isinstance(sent, messages.OpenReceiveChannel):
                ack = messages.OpenReceiveChannelAck(
                    media_reception_status=MediaStatus.OK,
                    ip_addr=host,
                    port_number=4000,
                    pass_through_party_id=sent.pass_through_party_id,
                )
                side.received(cast("StationSession", session), ack)
    sent = [each for session in sessions.values() for each in session.sent]
    assert any(isinstance(each, messages.StartMediaTransmission) for each in sent) is talks
    assert ("media_at_signalling_host" in caplog.text) is not talks
    assert bool(house.calls.legs_of(PHONES[0])) is talks


@pytest.mark.parametrize(
    ("announces", "signals_from", "other_from", "sent_to"),
    [
        ("192.168.1.20", "8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("192.168.1.20", "8.8.8.8", "10.0.0.7", "8.8.8.8"),
        ("100.64.0.9", "8.8.8.8", "9.9.9.9", "8.8.8.8"),
        # Both behind the same NAT: only the private address leads from one to the other.
        ("192.168.1.20", "8.8.8.8", "8.8.8.8", "192.168.1.20"),
        ("192.168.1.20", "10.0.0.1", "9.9.9.9", "192.168.1.20"),
        ("9.9.9.1", "8.8.8.8", "9.9.9.9", "9.9.9.1"),
        ("192.168.1.20", "2001:4860::8888", "9.9.9.9", "192.168.1.20"),
    ],
)
@pytest.mark.parametrize("option", [True, False])
def test_a_phone_behind_a_nat_is_sent_its_sound_where_it_signals_from(
    announces: str, signals_from: str, other_from: str, sent_to: str, option: bool
) -> None:
    house = LineHouse(replace(a_config(), media_behind_nat=option))
    phone, other = (Session(house.side, name, 20) for name in PHONES[:2])
    phone.address, other.address = (signals_from, 50000), (other_from, 50000)
    for session in (phone, other):
        house.side.registered(cast("StationSession", session))
    house.call(PHONES[0], "1002")
    house.calls.answer(house.leg(PHONES[1]))
    opened(house, phone, announces)
    (order,) = (each for each in other.sent if isinstance(each, messages.StartMediaTransmission))
    assert (order.remote_ip_addr, order.remote_port_number) == (
        sent_to if option else announces,
        4000,
    )


def test_the_call_manager_s_own_sound_goes_to_a_phone_behind_a_nat(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says so, once."""
    house = LineHouse()
    phone, other = (Session(house.side, name, 20) for name in PHONES[:2])
    phone.address = ("8.8.8.8", 50000)
    for session in (phone, other):
        house.side.registered(cast("StationSession", session))
    caller = house.call(PHONES[0], "1002")
    house.calls.answer(house.leg(PHONES[1]))
    with caplog.at_level("INFO", "pa_telephony.callmanager"):
        opened(house, phone, "192.168.1.20")
        house.calls.hold(house.leg(PHONES[1]))
        opened(house, phone, "192.168.1.20")
    assert house.hears(caller) == "tone"
    assert caller.stream is not None
    assert caller.stream.address == ("8.8.8.8", 4000)
    assert caplog.text.count("announces 192.168.1.20 for its sound and signals from 8.8.8.8") == 1


def opened(house: LineHouse, session: Session, host: str) -> None:
    """Let a station say that it has opened the channel that was ordered last."""
    orders = [each for each in session.sent if isinstance(each, messages.OpenReceiveChannel)]
    house.side.received(
        cast("StationSession", session),
        messages.OpenReceiveChannelAck(
            media_reception_status=MediaStatus.OK,
            ip_addr=host,
            port_number=4000,
            pass_through_party_id=orders[-1].pass_through_party_id,
        ),
    )
