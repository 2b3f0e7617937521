"""The registrar: every pair of state and input, and what hostile stations cannot do."""

from __future__ import annotations

import datetime
import itertools
import struct

import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import LocalProtocolError, RemoteProtocolError
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import ButtonType, PhoneFeatures, SoftKeyEvent, SubscribeCause
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import device as directory
from pa_telephony.sccp.server.device import QUESTIONS, Device, LineAppearance
from pa_telephony.sccp.server.registrar import (
    TABLE,
    Effect,
    Input,
    Received,
    Registrar,
    RegistrarConfig,
    RegistrarEvent,
    RegistrationAsked,
    SessionEnded,
    StandbyAsked,
    State,
    TokenAsked,
    UnregistrationAsked,
)

CLOCK = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
DEVICE = Device(
    name="SEP001122334455",
    lines=(LineAppearance(number="1001"), LineAppearance(number="1002")),
    speed_dials=(("2000", "Desk"),),
)


class Bench:
    """A registrar and a scripted station, wired in memory."""

    def __init__(self, version: int = 20) -> None:
        self.registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
        self.station = Connection(Role.STATION)
        self.version = version

    def told(self, *what: SccpMessage) -> list[RegistrarEvent]:
        for message in what:
            self.station.send(message)
        self.registrar.receive_data(self.station.data_to_send(), 0.0)
        return self.events()

    def events(self) -> list[RegistrarEvent]:
        result: list[RegistrarEvent] = []
        while (event := self.registrar.next_event()) is not None:
            result.append(event)
        return result

    def said(self) -> list[SccpMessage]:
        self.station.receive_data(self.registrar.data_to_send())
        result: list[SccpMessage] = []
        while isinstance(message := self.station.next_event(), SccpMessage):
            result.append(message)
        return result

    def register(self) -> messages.RegisterReq:
        return messages.RegisterReq(device_name=DEVICE.name, protocol_ver=self.version)

    def bring_to(self, state: State) -> None:
        if state is State.CONNECTED:
            return
        if state is State.STANDING_BY:
            self.told(messages.KeepAliveReq())
            return
        if state is State.CLOSED:
            self.registrar.end_session("gone")
            self.events()
            return
        self.told(self.register())
        if state is State.ASKING:
            return
        self.registrar.accept(DEVICE)
        self.said()
        if state is State.LEAVING:
            self.told(messages.UnregisterReq())
        assert self.registrar.state is state

    def do(self, step: Input) -> list[RegistrarEvent]:
        match step:
            case Input.ACCEPT:
                self.registrar.accept(DEVICE)
            case Input.REJECT:
                self.registrar.reject("No")
            case Input.DEADLINE:
                self.registrar.handle_deadline(1000.0)
            case Input.LOST:
                self.registrar.end_session("gone")
            case Input.OTHER if self.registrar.state in (State.CONNECTED, State.STANDING_BY):
                return self.told(messages.Alarm(alarm_severity=1, text="a start"))
            case _:
                return self.told(SAID[step] if step is not Input.REGISTER else self.register())
        return self.events()


SAID: dict[Input, SccpMessage] = {
    Input.KEEP_ALIVE: messages.KeepAliveReq(),
    Input.TOKEN: messages.RegisterTokenReq(device_name=DEVICE.name),
    Input.UNREGISTER: messages.UnregisterReq(),
    Input.QUESTION: messages.TimeDateReq(),
    Input.OTHER: messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.NEW_CALL),
}
SENT: dict[Effect, type] = {
    Effect.ACKNOWLEDGE: messages.KeepAliveAck,
    Effect.CONFIRM: messages.RegisterAck,
    Effect.REFUSE: messages.RegisterReject,
    Effect.CONFIRM_LEAVING: messages.UnregisterAck,
    Effect.REFUSE_LEAVING: messages.UnregisterAck,
    Effect.ANSWER: messages.TimeDateRes,
}
TOLD: dict[Effect, type] = {
    Effect.ASK_TO_REGISTER: RegistrationAsked,
    Effect.ASK_TO_STAND_BY: StandbyAsked,
    Effect.ASK_FOR_TOKEN: TokenAsked,
    Effect.ASK_TO_LEAVE: UnregistrationAsked,
    Effect.HAND_ON: Received,
    Effect.END: SessionEnded,
    Effect.REFUSE: SessionEnded,
    Effect.CONFIRM_LEAVING: SessionEnded,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Input)))
def test_each_input_in_each_state_does_what_the_table_says(state: State, step: Input) -> None:
    bench = Bench()
    bench.bring_to(state)
    if (state, step) not in TABLE:
        if step in (Input.ACCEPT, Input.REJECT):
            with pytest.raises(LocalProtocolError):
                bench.do(step)
        elif step is Input.QUESTION and state in (State.CONNECTED, State.STANDING_BY):
            # It is not even decoded, so the table is never asked.
            assert not bench.do(step)
            assert bench.registrar.unknown_messages == 1
        else:
            assert not bench.do(step)
        assert bench.registrar.state is state
        return
    wanted, effect = TABLE[state, step]
    events = bench.do(step)
    assert bench.registrar.state is wanted
    kinds = [type(message) for message in bench.said()]
    if effect in SENT:
        assert SENT[effect] in kinds
    else:
        assert not kinds
    assert [type(event) for event in events] == ([TOLD[effect]] if effect in TOLD else [])


@pytest.mark.parametrize("version", [6, 17, 20, 22])
@pytest.mark.parametrize("question", sorted(QUESTIONS, key=lambda each: each.__name__))
def test_each_question_is_answered_in_the_layout_of_the_session(
    question: type[SccpMessage], version: int
) -> None:
    bench = Bench(version)
    bench.bring_to(State.REGISTERED)
    numbers = {
        "line_number": 2,
        "speed_dial_number": 1,
        "feature_index": 1,
        "service_url_index": 1,
        "transaction_id": 1,
    }
    fields = {name: numbers[name] for name in question.__annotations__ if name in numbers}
    bench.told(question(**fields))
    said = bench.said()
    assert said
    packed = any(type(each).__name__.endswith(("V2Res", "StatusV2")) for each in said)
    fixed = any(
        type(each).__name__ in ("LineStatRes", "ConfigStatRes", "SpeedDialStatRes") for each in said
    )
    assert not (packed and version < 17)
    assert not (fixed and version >= 17)
    if question is messages.LineStatReq:
        assert getattr(said[0], "line_dir_number", "") == "1002"


@pytest.mark.parametrize(
    ("lines", "speed_dials", "parts"),
    [(1, 41, [42]), (1, 42, [42, 1]), (50, 0, [42, 8]), (255, 255, [42] * 12 + [6]), (0, 0, [0])],
)
def test_a_long_button_template_goes_out_in_parts_of_42(
    lines: int, speed_dials: int, parts: list[int]
) -> None:
    device = Device(
        name="SEP1",
        lines=tuple(LineAppearance(number=str(number)) for number in range(lines)),
        speed_dials=(("2000", ""),) * speed_dials,
    )
    answers = directory.answer(messages.ButtonTemplateReq(), device, 20, lambda: CLOCK)
    wire = [messages.decode(0x97, messages.encode(each, 20)[12:], 20) for each in answers]
    told = [each for each in wire if isinstance(each, messages.ButtonTemplateRes)]
    assert [len(each.definition) for each in told] == parts
    assert [each.button_offset for each in told] == [42 * part for part in range(len(parts))]
    assert {each.total_button_count for each in told} == {lines + speed_dials}
    kinds = [each.button_definition for part in told for each in part.definition]
    assert kinds == [ButtonType.LINE] * lines + [ButtonType.SPEED_DIAL] * speed_dials


@pytest.mark.parametrize("version", [6, 17, 18, 20, 22])
def test_what_is_longer_than_a_phones_field_is_cut(version: int) -> None:
    endless = "0123456789" * 1000
    line = LineAppearance(
        number=endless,
        display_name=endless,
        label=endless,
        forward_all=endless,
        forward_busy=endless,
        forward_no_answer=endless,
    )
    device = Device(name="SEP1", lines=(line,), speed_dials=((endless, endless),))
    device = device.spelt(PhoneFeatures(0), version)
    said = [
        *directory.answer(messages.LineStatReq(line_number=1), device, version, lambda: CLOCK),
        *directory.answer(
            messages.SpeedDialStatReq(speed_dial_number=1), device, version, lambda: CLOCK
        ),
        directory.forwards(device, 1),
    ]
    for message in said:
        frame = messages.encode(message, version)
        assert len(frame) < 512
        assert endless[:24].encode() in frame


def test_whoever_neither_registers_nor_stands_by_is_given_up_whatever_he_says() -> None:
    registrar = Registrar(RegistrarConfig(register_within=30.0), 0.0, lambda: CLOCK)
    station = Connection(Role.STATION)
    for now in (10.0, 20.0, 29.0):
        station.send(messages.Alarm(alarm_severity=1, text="still here"))
        registrar.receive_data(station.data_to_send(), now)
        assert registrar.next_event() is None
        assert registrar.next_deadline() == 30.0
    registrar.handle_deadline(30.0)
    assert registrar.next_event() == SessionEnded("unregistered for 30 s")


def test_a_silent_station_is_given_up_after_three_intervals() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    assert bench.registrar.next_deadline() == 90.0
    bench.registrar.handle_deadline(89.0)
    assert not bench.events()
    bench.registrar.handle_deadline(90.0)
    assert [type(event) for event in bench.events()] == [SessionEnded]


PHONE_OF_THE_SPA_FAMILY = bytes.fromhex(
    "2800000000000000008000005345503030303030303030313030310000000000"
    "000000017f0000018138010000000000"
)
"""Reported: the instance is big endian."""


@pytest.mark.parametrize("state", [State.CONNECTED, State.STANDING_BY, State.REGISTERED])
def test_a_phone_of_the_spa_family_is_answered_in_its_own_words(state: State) -> None:
    for wait, answered in (
        (0, messages.SPCPRegisterTokenAck(features=0xFFFF)),
        (10, messages.SPCPRegisterTokenReject(wait_time_before_next_req=10)),
    ):
        bench = Bench()
        bench.bring_to(state)
        bench.said()
        bench.registrar.receive_data(PHONE_OF_THE_SPA_FAMILY, 0.0)
        (asked,) = bench.events()
        assert isinstance(asked, TokenAsked)
        assert asked.request.device_name == "SEP000000001001"
        bench.registrar.answer_token(wait)
        assert bench.said() == [answered]
        assert bench.registrar.state is state


def test_a_list_of_calls_that_asks_for_a_state_is_told_that_there_is_none() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(messages.SubscriptionStatReq(transaction_id=7, subscription_id="1002"))
    (answered,) = bench.said()
    assert answered == messages.SubscriptionStatRes(
        transaction_id=7, cause=SubscribeCause.ROUTE_FAIL
    )


BEFORE = [
    messages.KeepAliveReq(),
    messages.RegisterTokenReq(device_name=DEVICE.name),
    messages.SPCPRegisterTokenReq(device_name=DEVICE.name),
    messages.Alarm(alarm_severity=1, text="a start"),
    messages.EnhancedAlarm(alarm_info=bytes(2000)),
    messages.IpPort(rtp_media_port=16384),
    messages.UnregisterReq(),
    messages.RegisterReq(device_name=DEVICE.name, protocol_ver=20),
]


@pytest.mark.parametrize("stands_by", [False, True])
def test_nothing_but_what_comes_before_a_registration_is_decoded_before_it(
    monkeypatch: pytest.MonkeyPatch, stands_by: bool
) -> None:
    """Every number that there is, and some undeclared ones, is passed over and counted."""
    may_come = {type(each).id for each in BEFORE}
    of_stations = {
        number
        for number, kind in SccpMessage.registry.items()
        if issubclass(kind, SccpMessage) and kind.sender is not messages.Sender.CALL_MANAGER
    }
    for number in sorted({*of_stations, 0x7777, 0xFFFFFFFF} - may_come):
        bench = Bench()
        if stands_by:
            bench.bring_to(State.STANDING_BY)
        monkeypatch.setattr(messages, "decode", lambda *arguments: pytest.fail("decoded"))
        bench.registrar.receive_data(struct.pack("<III", 2000, 0, number) + bytes(1996), 0.0)
        assert not bench.events()
        assert bench.registrar.unknown_messages == 1
        monkeypatch.undo()
    for message in BEFORE:
        bench = Bench()
        if stands_by:
            bench.bring_to(State.STANDING_BY)
        bench.told(message)


def test_a_few_kib_wait_before_a_registration_and_nothing_is_kept_of_a_failure() -> None:
    limits = RegistrarConfig().limits
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
    registrar.receive_data(struct.pack("<III", limits.before_registration + 1, 0, 1), 0.0)
    with pytest.raises(RemoteProtocolError, match="data length"):
        registrar.next_event()
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
    most = bytes(2 * limits.before_registration)
    registrar.receive_data(most, 0.0)
    with pytest.raises(RemoteProtocolError, match="wait to be read"):
        registrar.receive_data(b"x", 0.0)
    assert not registrar._connection._received
    assert registrar._connection._error is not None
    assert registrar._connection._error.__traceback__ is None
    # Whoever is registered may say as much as ever.
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.registrar.receive_data(bytes(limits.buffered), 0.0)


@given(st.binary(max_size=300))
def test_garbage_gives_one_typed_error_or_nothing(data: bytes) -> None:
    registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
    try:
        registrar.receive_data(data, 0.0)
        while (event := registrar.next_event()) is not None:
            if isinstance(event, RegistrationAsked):
                registrar.accept(DEVICE)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            registrar.receive_data(b"", 0.0)


def test_frames_split_at_every_byte_and_coalesced_mean_the_same() -> None:
    station = Connection(Role.STATION)
    station.send(messages.RegisterReq(device_name=DEVICE.name, protocol_ver=20))
    station.send(messages.KeepAliveReq())
    data = station.data_to_send()
    for cut in range(len(data) + 1):
        registrar = Registrar(RegistrarConfig(), 0.0, lambda: CLOCK)
        asked = 0
        for part in (data[:cut], data[cut:]):
            registrar.receive_data(part, 0.0)
            while (event := registrar.next_event()) is not None:
                assert isinstance(event, RegistrationAsked)
                asked += 1
                registrar.accept(DEVICE)
        assert asked == 1
        assert registrar.data_to_send().endswith(messages.encode(messages.KeepAliveAck(), 20))
