"""The station's registration: every pair of state and input, and time that is made up."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, Role
from pa_telephony.sccp.enums import (
    ButtonType,
    DCallState,
    DeviceResetType,
    DeviceTone,
    DeviceUnregisterStatus,
    MediaStatus,
    MediaType,
)
from pa_telephony.sccp.messages import SccpMessage, Sender
from pa_telephony.sccp.station.core import (
    CallChanged,
    MayReturn,
    MustWait,
    Registered,
    Rejected,
    ScreenChanged,
    SessionLost,
    StationCore,
    StationEvent,
    Unregistered,
    UnregisterRefused,
    key_of,
)
from pa_telephony.sccp.station.registration import TABLE, Effect, Input, State
from pa_telephony.sccp.station.style import StationConfig
from pa_telephony.testing.strategies import sccp_message

NAME = "SEP001122334455"


class Bench:
    """A station core and a scripted call manager, wired in memory."""

    def __init__(self) -> None:
        self.core = StationCore(NAME, StationConfig())
        self.manager = Connection(Role.CALL_MANAGER)
        self.now = 0.0

    def told(self, *what: SccpMessage) -> list[StationEvent]:
        """Let the call manager say something."""
        for message in what:
            self.manager.send(message)
        self.core.receive_data(self.manager.data_to_send(), self.now)
        return self.events()

    def events(self) -> list[StationEvent]:
        result: list[StationEvent] = []
        while (event := self.core.next_event()) is not None:
            result.append(event)
        return result

    def said(self) -> list[type]:
        """The kinds of messages that the station sent."""
        return [type(message) for message in self.heard()]

    def heard(self) -> list[object]:
        """The messages that the station has sent."""
        self.manager.receive_data(self.core.data_to_send())
        result: list[object] = []
        while (message := self.manager.next_event()) is not None:
            result.append(message)
        return result

    def bring_to(self, state: State) -> None:
        if state is State.OFFLINE:
            return
        if state in (State.STANDBY, State.ASKING):
            self.core.stand_by(self.now, 60.0)
            if state is State.ASKING:
                self.core.come_back(self.now)
            self.said()
            assert self.core.state is state
            return
        self.core.connected(self.now)
        self.said()
        if state is State.REGISTERING:
            return
        self.told(messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
        self.said()
        if state is State.CONFIGURING:
            return
        line = messages.ButtonDefinition(instance_number=1, button_definition=ButtonType.LINE)
        self.told(
            messages.ButtonTemplateRes(button_offset=0, total_button_count=1, definition=(line,))
        )
        self.said()
        if state is State.FINISHING:
            return
        self.told(
            messages.LineStatV2Res(line_number=1, line_dir_number="1001"),
            messages.TimeDateRes(w_year=2026),
        )
        self.said()
        if state is State.LEAVING:
            self.core.leave(self.now)
            self.said()
        if state is State.RESTARTING:
            self.told(messages.Reset(reset_type=DeviceResetType.RESTART))
            self.said()
        assert self.core.state is state

    def ends_in_silence(self) -> bool:
        """Whether the session ends by itself when the call manager says nothing any more."""
        while (deadline := self.core.next_deadline()) is not None:
            self.now = deadline
            self.core.handle_deadline(deadline)
            if any(isinstance(event, ENDS) for event in self.events()):
                return True
        return False

    def do(self, step: Input) -> list[StationEvent]:
        match step:
            case Input.CONNECTED:
                self.core.connected(self.now)
            case Input.STAND_BY:
                self.core.stand_by(self.now, 60.0)
            case Input.COME_BACK:
                self.core.come_back(self.now)
            case Input.TOKEN:
                return self.told(messages.RegisterTokenAck())
            case Input.NO_TOKEN:
                return self.told(messages.RegisterTokenReject(wait_time_before_next_req=7))
            case Input.ACK:
                return self.told(messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
            case Input.REJECT:
                return self.told(messages.RegisterReject(text="No"))
            case Input.BUTTONS:
                return self.told(messages.ButtonTemplateRes(button_offset=0))
            case Input.CONFIGURED:
                return self.told(messages.TimeDateRes(w_year=2026))
            case Input.NO_MORE:
                self.core._step(Input.NO_MORE)
            case Input.LEAVE:
                self.core.leave(self.now)
            case Input.LEFT:
                return self.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
            case Input.REFUSED:
                return self.told(messages.UnregisterAck(status=DeviceUnregisterStatus.NAK))
            case Input.RESET:
                return self.told(messages.Reset(reset_type=DeviceResetType.RESTART))
            case Input.APPLY_CONFIG:
                return self.told(messages.Reset(reset_type=DeviceResetType.APPLY_CONFIG))
            case Input.DEADLINE:
                before = self.core.state
                for _ in range(10):
                    self.now += 1000.0
                    self.core.handle_deadline(self.now)
                    if self.core.state is not before:
                        break
            case Input.LOST:
                self.core.connection_lost("gone", self.now)
        return self.events()


SENT: dict[Effect, type] = {
    Effect.STAND_BY: messages.KeepAliveReq,
    Effect.ASK_TOKEN: messages.RegisterTokenReq,
    Effect.REGISTER: messages.RegisterReq,
    Effect.ASK: messages.ButtonTemplateReq,
    Effect.ASK_AGAIN: messages.ButtonTemplateReq,
    Effect.ASK_LINES: messages.LineStatReq,
    Effect.READY: messages.MediaPathCapability,
    Effect.UNREGISTER: messages.UnregisterReq,
    Effect.RESTART: messages.UnregisterReq,
}
TOLD: dict[Effect, type] = {
    Effect.MAY_COME: MayReturn,
    Effect.MUST_WAIT: MustWait,
    Effect.READY: Registered,
    Effect.GIVE_UP: Rejected,
    Effect.GONE: Unregistered,
    Effect.STAY: UnregisterRefused,
    Effect.FAIL: SessionLost,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Input)))
def test_each_input_in_each_state_does_what_the_table_says(state: State, step: Input) -> None:
    bench = Bench()
    bench.bring_to(state)
    events = bench.do(step)
    wanted, effect = TABLE[state, step]
    assert bench.core.state is wanted
    said = bench.said()
    if effect in SENT:
        assert SENT[effect] in said
    else:
        # Keepalives go on while time passes.
        assert set(said) <= ({messages.KeepAliveReq} if step is Input.DEADLINE else set())
    assert [type(event) for event in events] == ([TOLD[effect]] if effect in TOLD else [])


ENDS = Rejected | Unregistered | SessionLost
NUMBERS = sorted(SccpMessage.registry)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: SccpMessage.registry[n].__name__)
@settings(max_examples=5)
@given(data=st.data())
def test_any_message_in_any_state_is_survived_and_silence_still_ends_the_session(
    number: int, data: st.DataObject
) -> None:
    declaration = SccpMessage.registry[number]
    # Until RegisterReq has said a version, layouts are those of version 0.
    said = {version: data.draw(sccp_message(declaration, version=version)) for version in (0, 20)}
    for state in State:
        bench = Bench()
        bench.bring_to(state)
        version = 0 if state in (State.OFFLINE, State.STANDBY, State.ASKING) else 20
        if declaration.sender is Sender.STATION:
            # It is for the other side to receive.
            bench.core.receive_data(messages.encode(said[version], version), bench.now)
            assert bench.core.next_event() is None
            assert (bench.core.state, bench.core.unknown_messages) == (state, 1)
            assert state is State.OFFLINE or bench.ends_in_silence()
        elif not any(isinstance(event, ENDS) for event in bench.told(said[version])):
            assert state is State.OFFLINE or bench.ends_in_silence()


def test_keepalives_go_on_for_a_day_and_cost_no_time() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    keep_alives = 0
    while bench.now < 86400:
        deadline = bench.core.next_deadline()
        assert deadline is not None
        bench.now = deadline
        bench.core.handle_deadline(bench.now)
        keep_alives += bench.said().count(messages.KeepAliveReq)
        assert not bench.told(messages.KeepAliveAck())
    assert keep_alives == 86400 / 30


def test_three_unanswered_keepalives_mean_that_the_call_manager_is_gone() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    events: list[StationEvent] = []
    while not events:
        bench.now = bench.core.next_deadline() or 0.0
        bench.core.handle_deadline(bench.now)
        events = bench.events()
    assert isinstance(events[0], SessionLost)
    assert bench.now == 120.0


def test_a_call_manager_that_configures_slowly_has_its_time_again_with_each_answer() -> None:
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    for answer in (
        a_template(1, 0),
        messages.LineStatV2Res(line_number=1, line_dir_number="1001"),
        messages.ForwardStatRes(active_forward=0, line_number=1),
    ):
        bench.now += 4.9
        assert not any(isinstance(event, ENDS) for event in bench.told(answer))
        bench.core.handle_deadline(bench.now)
    bench.now += 4.9
    # What no question was about does not count.
    bench.told(messages.KeepAliveAck(), messages.CapabilitiesReq())
    bench.now += 0.2
    bench.core.handle_deadline(bench.now)
    assert bench.events() == [SessionLost("no answer while finishing its configuration")]


def test_the_time_that_is_told_before_it_was_asked_for_ends_no_configuration() -> None:
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    time = messages.TimeDateRes(w_year=2026)
    assert bench.told(time) == []
    assert bench.told(a_template(1, 0), time) == [Registered()]


def test_a_keepalive_interval_of_zero_is_the_usual_one() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERING)
    bench.told(
        messages.RegisterAck(keep_alive_interval=0, max_protocol_ver=20),
        a_template(1, 0),
        messages.TimeDateRes(w_year=2026),
    )
    assert bench.core.next_deadline() == 30.0


@pytest.mark.parametrize(
    ("state", "incoming"), [(DCallState.RING_OUT, False), (DCallState.RING_IN, True)]
)
def test_a_call_whose_type_is_not_told_stays_as_its_states_have_shown_it(
    state: DCallState, incoming: bool
) -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(a_state(state), messages.CallInfoV2(line_instance=1, call_reference=7))
    assert bench.core.calls[7].incoming is incoming


@pytest.mark.parametrize("prompt", ["\x1e\x25", "No Resources"])
def test_a_congestion_is_explained_in_numbers_or_in_words(prompt: str) -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        a_state(DCallState.CONGESTION),
        messages.DisplayPromptStatusV2(call_reference=7, time_out_value=0, prompt_status=prompt),
    )
    assert bench.core.calls[7].cause == 47


def test_keepalives_that_were_not_acknowledged_while_standing_by_do_not_count_afterwards() -> None:
    """wazo acknowledges none before RegisterReq (docs/protocol/sccp.md §10)."""
    bench = Bench()
    bench.core.stand_by(0.0, 60.0)
    for _ in range(2):
        bench.now = bench.core.next_deadline() or 0.0
        bench.core.handle_deadline(bench.now)
    bench.now = 179.9
    bench.core.connected(bench.now)
    bench.said()
    bench.now = 184.0
    bench.core.handle_deadline(bench.now)
    bench.told(messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=20))
    assert bench.said().count(messages.KeepAliveReq) == 0
    assert bench.core.state is State.CONFIGURING
    bench.told(a_template(1, 0), messages.TimeDateRes(w_year=2026))
    bench.now = bench.core.next_deadline() or 0.0
    bench.core.handle_deadline(bench.now)
    assert (bench.now, bench.events()) == (214.0, [])


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        ([DeviceResetType.RESET], DeviceResetType.RESET),
        ([DeviceResetType.RESTART], DeviceResetType.RESTART),
        # The one that does more counts; a number that is not known is a reset (guessed).
        ([DeviceResetType.APPLY_CONFIG, DeviceResetType.RESTART], DeviceResetType.RESTART),
        ([DeviceResetType.RESET, DeviceResetType.APPLY_CONFIG], DeviceResetType.RESET),
        ([DeviceResetType(77)], DeviceResetType.RESET),
    ],
)
def test_a_reset_waits_until_the_call_is_over(
    asked: list[DeviceResetType], done: DeviceResetType
) -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        messages.CallState(call_state=DCallState.OFF_HOOK, line_instance=1, call_reference=7),
        *[messages.Reset(reset_type=kind) for kind in asked],
    )
    assert bench.core.state is State.REGISTERED
    bench.told(messages.CallState(call_state=DCallState.ON_HOOK, line_instance=1, call_reference=7))
    assert bench.core.state is State.RESTARTING
    events = bench.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
    assert events == [Unregistered(reset=done, confirmed=True)]


NAK = messages.UnregisterAck(status=DeviceUnregisterStatus.NAK)
RESTART = messages.Reset(reset_type=DeviceResetType.RESTART)


def a_state(state: DCallState, reference: int = 7) -> messages.CallState:
    return messages.CallState(call_state=state, line_instance=1, call_reference=reference)


def test_a_restart_that_is_refused_for_a_new_call_is_asked_for_again_behind_that_call() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(RESTART)
    assert bench.said() == [messages.UnregisterReq]
    bench.told(a_state(DCallState.RING_IN), NAK)
    assert (bench.core.state, bench.said()) == (State.REGISTERED, [])
    bench.told(a_state(DCallState.ON_HOOK))
    assert (bench.core.state, bench.said()) == (State.RESTARTING, [messages.UnregisterReq])
    events = bench.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
    assert events == [Unregistered(reset=DeviceResetType.RESTART, confirmed=True)]


def test_a_restart_that_is_refused_without_a_call_is_asked_for_with_the_next_keepalive() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(RESTART, NAK)
    assert bench.said() == [messages.UnregisterReq]
    bench.now = bench.core.next_deadline() or 0.0
    assert bench.now == 30.0
    bench.core.handle_deadline(bench.now)
    assert bench.said() == [messages.KeepAliveReq, messages.UnregisterReq]


def test_a_user_who_leaves_after_a_refused_restart_does_not_come_back() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(a_state(DCallState.RING_IN), RESTART)
    bench.core.leave(bench.now)
    events = bench.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
    assert events == [Unregistered(reset=None, confirmed=True)]


def test_a_user_who_leaves_while_the_station_restarts_does_not_come_back() -> None:
    bench = Bench()
    bench.bring_to(State.RESTARTING)
    bench.core.leave(bench.now)
    assert bench.said() == [], "the call manager is asked already"
    events = bench.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
    assert events == [Unregistered(reset=None, confirmed=True)]


def test_a_restart_follows_when_another_phone_takes_the_last_call_over() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(a_state(DCallState.HOLD), RESTART)
    assert bench.core.state is State.REGISTERED
    bench.told(a_state(DCallState.CALL_REMOTE_MULTILINE))
    assert bench.core.state is State.RESTARTING


def test_a_call_that_another_phone_of_its_line_answers_is_elsewhere_at_once_and_ends_so() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(a_state(DCallState.RING_IN))
    (taken,) = bench.told(a_state(DCallState.CALL_REMOTE_MULTILINE))
    assert isinstance(taken, CallChanged)
    assert (taken.call.elsewhere, taken.call.ended, taken.call.cause) == (True, False, 26)
    bench.told(a_state(DCallState.ON_HOOK))
    assert (taken.call.ended, taken.call.cause) == (True, 26)


def test_a_configuration_to_apply_that_came_while_one_was_asked_for_is_asked_for_behind_it() -> (
    None
):
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    bench.told(messages.Reset(reset_type=DeviceResetType.APPLY_CONFIG))
    assert bench.said() == []
    bench.told(a_template(1, 0), messages.TimeDateRes(w_year=2026))
    assert bench.said().count(messages.ButtonTemplateReq) == 1
    assert bench.core.state is State.REGISTERED


def test_a_button_template_in_parts_is_asked_about_once_it_is_whole() -> None:
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    whole = a_template(5, 2)
    for start in (0, 3, 6):
        part = whole.definition[start : start + 3]
        assert bench.said() == []
        bench.told(replace(whole, button_offset=start, definition=part))
    assert bench.heard() == [
        *[
            question(line_number=line)
            for line in range(1, 6)
            for question in (messages.LineStatReq, messages.ForwardStatReq)
        ],
        *[messages.SpeedDialStatReq(speed_dial_number=number) for number in (1, 2)],
        messages.RegisterAvailableLines(max_num_of_avail_lines=5),
        messages.TimeDateReq(),
    ]


def test_a_template_without_end_is_asked_about_when_it_is_longer_than_any_phone() -> None:
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    part = a_template(42, 0)
    for start in range(0, 256, 42):
        bench.told(replace(part, button_offset=start, total_button_count=0xFFFFFFFF))
    said = bench.said()
    assert said.count(messages.TimeDateReq) == 1
    assert said.count(messages.LineStatReq) == 42


def a_template(lines: int, dials: int) -> messages.ButtonTemplateRes:
    buttons = [ButtonType.LINE] * lines + [ButtonType.SPEED_DIAL] * dials
    return messages.ButtonTemplateRes(
        total_button_count=len(buttons),
        definition=tuple(
            messages.ButtonDefinition(instance_number=1, button_definition=kind) for kind in buttons
        ),
        button_offset=0,
    )


def test_a_configuration_to_apply_is_asked_for_after_the_call_and_the_registration_stands() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        a_template(2, 1),
        messages.LineStatV2Res(line_number=1, line_dir_number="1001"),
        messages.LineStatV2Res(line_number=2, line_dir_number="1002"),
        messages.SpeedDialStatV2Res(speed_dial_number=1, speed_dial_dir_number="1009"),
        messages.CallState(call_state=DCallState.OFF_HOOK, line_instance=1, call_reference=7),
    )
    bench.said()
    bench.told(messages.Reset(reset_type=DeviceResetType.APPLY_CONFIG))
    assert bench.said() == []
    # The clock that follows every call is no answer to a question.
    bench.told(
        messages.CallState(call_state=DCallState.ON_HOOK, line_instance=1, call_reference=7),
        messages.TimeDateRes(w_year=2026),
    )
    assert messages.ButtonTemplateReq in bench.said()
    bench.told(a_template(1, 0))
    said = bench.said()
    assert (said.count(messages.LineStatReq), said.count(messages.SpeedDialStatReq)) == (1, 0)
    (changed,) = bench.told(messages.LineStatV2Res(line_number=1, line_dir_number="2001"))
    assert isinstance(changed, ScreenChanged)
    assert (bench.core.lines, bench.core.screen.speed_dials) == ({1: "2001"}, {})
    assert bench.told(messages.TimeDateRes(w_year=2026)) == []
    assert bench.core.state is State.REGISTERED


def test_a_line_that_is_answered_without_a_number_is_none_any_more() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    assert bench.core.lines == {1: "1001"}
    bench.told(messages.LineStatV2Res(line_number=1, line_dir_number=""))
    assert bench.core.lines == {}


def test_a_call_manager_can_not_make_a_station_hold_more_calls_than_its_limit() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    for reference in range(1, 100):
        bench.told(
            messages.CallState(
                call_state=DCallState.RING_IN, line_instance=1, call_reference=reference
            )
        )
    assert len(bench.core.calls) == StationConfig().max_calls


def test_a_line_that_cme_shows_as_on_hook_after_registration_is_no_call() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    assert not bench.told(messages.CallState(call_state=DCallState.ON_HOOK, line_instance=1))
    assert not bench.core.calls


def test_a_stream_before_the_first_call_state_makes_the_call_known() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    events = bench.told(messages.OpenReceiveChannel(conference_id=9, call_reference=9))
    assert [type(event) for event in events] == [CallChanged]
    assert bench.core.calls[9].media.receive is not None


def a_stream(party: int, reference: int = 7, **fields: Any) -> dict[str, Any]:
    return {
        "conference_id": reference,
        "call_reference": reference,
        "pass_through_party_id": party,
        **fields,
    }


def test_a_second_stream_of_a_call_leaves_the_first_alone() -> None:
    """A recorded phone has two (captured, with references of their own)."""
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        a_state(DCallState.CONNECTED),
        messages.OpenReceiveChannel(**a_stream(1)),
        messages.StartMediaTransmission(remote_ip_addr="192.0.2.1", **a_stream(1)),
    )
    call = bench.core.calls[7]
    (begun,) = bench.told(
        messages.StartMediaTransmission(remote_ip_addr="192.0.2.1", **a_stream(2))
    )
    assert isinstance(begun, CallChanged)
    assert begun.call is not call
    assert call.media.parties == {1}
    (ended,) = bench.told(messages.StopMediaTransmission(**a_stream(2)))
    assert isinstance(ended, CallChanged)
    assert (ended.call, ended.call.ended) == (begun.call, True)
    assert call.media.transmit is not None
    assert list(bench.core.calls) == [7]


def test_a_stream_that_is_told_of_again_is_the_same_stream() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        a_state(DCallState.CONNECTED),
        messages.StartMediaTransmission(
            remote_ip_addr="192.0.2.1", **a_stream(1, remote_port_number=4000)
        ),
        messages.StartMediaTransmission(
            remote_ip_addr="192.0.2.1", **a_stream(1, remote_port_number=5000)
        ),
    )
    transmit = bench.core.calls[7].media.transmit
    assert transmit is not None
    assert transmit.remote_port_number == 5000
    assert len(bench.core.calls) == 1


def test_a_call_that_ends_takes_all_its_streams_along() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        a_state(DCallState.CONNECTED),
        messages.OpenReceiveChannel(**a_stream(1)),
        messages.OpenReceiveChannel(**a_stream(2)),
    )
    assert len(bench.told(a_state(DCallState.ON_HOOK))) == 2
    assert bench.core.idle


def test_a_stop_without_a_reference_is_known_by_its_party_and_one_with_it_by_both() -> None:
    """Asterisk says conference 0, pyskinny's simulator has one party for all calls (observed)."""
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    for reference in (7, 8):
        bench.told(
            a_state(DCallState.CONNECTED, reference),
            messages.StartMediaTransmission(remote_ip_addr="192.0.2.1", **a_stream(1, reference)),
        )
    calls = bench.core.calls
    bench.told(messages.StopMediaTransmission(**a_stream(1, 8)))
    assert (calls[7].media.transmit is None, calls[8].media.transmit is None) == (False, True)
    bench.told(messages.StopMediaTransmission(**a_stream(1, 0)))
    assert calls[7].media.transmit is None


def test_a_channel_beyond_all_limits_is_refused_and_not_passed_over() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    for reference in range(1, StationConfig().max_calls + 1):
        bench.told(messages.OpenReceiveChannel(**a_stream(reference, reference)))
    assert bench.said() == []
    assert bench.told(messages.OpenReceiveChannel(**a_stream(99, 99))) == []
    assert bench.heard() == [
        messages.OpenReceiveChannelAck(
            media_reception_status=MediaStatus.NOT_ENOUGH_CHANNELS,
            pass_through_party_id=99,
            call_reference=99,
        )
    ]


def test_streams_of_two_calls_are_two_although_their_parties_have_one_number() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    for reference in (5, 6):
        bench.told(
            a_state(DCallState.CONNECTED, reference),
            messages.OpenReceiveChannel(**a_stream(1, reference)),
            messages.OpenReceiveChannel(**a_stream(9, reference)),
        )
    calls = bench.core.calls.values()
    assert [(call.call_reference, call.party) for call in calls] == [
        (5, None),
        (5, 9),
        (6, None),
        (6, 9),
    ]


def test_a_call_rings_whatever_streams_there_are() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    for party in range(2 * StationConfig().max_calls):
        bench.told(messages.OpenReceiveChannel(**a_stream(party)))
    bench.told(a_state(DCallState.RING_IN, 99))
    assert bench.core.calls[99].state is DCallState.RING_IN


SUBSCRIBE = messages.SubscribeDtmfPayloadReq(
    payload_dtmf=101, conference_id=7, passthru_party_id=1, dtmf_type=1
)


def test_digits_are_told_to_the_call_manager_while_it_subscribes_to_them() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(a_state(DCallState.CONNECTED), messages.OpenReceiveChannel(**a_stream(1)))
    heard: list[str] = []
    hear = bench.core.calls[7].telling(bench.core.send, heard.append)
    hear("1")
    bench.told(SUBSCRIBE)
    hear("0")
    hear("#")
    # As captured (sccp_hw_gway_tls): the channel is closed first.
    bench.told(
        messages.CloseReceiveChannel(conference_id=7, pass_through_party_id=1),
        messages.UnSubscribeDtmfPayloadReq(
            payload_dtmf=101, conference_id=7, passthru_party_id=1, dtmf_type=1
        ),
    )
    hear("2")
    fields: dict[str, int] = {"conference_id": 7, "passthru_party_id": 1}
    assert bench.heard() == [
        messages.SubscribeDtmfPayloadRes(payload_dtmf=101, **fields),
        messages.NotifyDtmfTone(tone=DeviceTone.DTMF0, **fields),
        messages.NotifyDtmfTone(tone=DeviceTone.DTMF_POUND, **fields),
        messages.UnSubscribeDtmfPayloadRes(payload_dtmf=101, **fields),
    ]
    assert heard == ["1", "0", "#", "2"]


@pytest.mark.parametrize("asked", [{"passthru_party_id": 2}, {"payload_dtmf": 13}])
def test_digits_of_no_stream_or_of_an_impossible_payload_type_are_refused(
    asked: dict[str, int],
) -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    bench.told(
        messages.OpenReceiveChannel(**a_stream(1)),
        replace(SUBSCRIBE, **asked),  # type: ignore[arg-type]
    )
    assert bench.said() == [messages.SubscribeDtmfPayloadErr]
    assert bench.core.calls[7].media.digits is None


def test_a_port_that_is_asked_for_makes_its_call_known_until_it_is_closed() -> None:
    bench = Bench()
    bench.bring_to(State.REGISTERED)
    asked = messages.PortReq(**a_stream(1))
    (begun,) = bench.told(asked)
    assert isinstance(begun, CallChanged)
    (opened,) = bench.told(messages.OpenReceiveChannel(**a_stream(1)))
    assert isinstance(opened, CallChanged)
    assert opened.call is begun.call
    bench.told(messages.CloseReceiveChannel(conference_id=7, pass_through_party_id=1))
    assert not begun.call.ended
    bench.told(messages.PortClose(conference_id=7, pass_through_party_id=1))
    assert begun.call.ended
    assert bench.said() == []
    # Nobody here has a port for pictures.
    assert bench.told(replace(asked, media_type=MediaType.MAIN_VIDEO)) == []
    (answer,) = bench.heard()
    assert isinstance(answer, messages.PortRes)
    assert (answer.pass_through_party_id, answer.port_number) == (1, 0)


def test_every_key_of_a_telephone_has_its_button_and_nothing_else_has() -> None:
    assert [int(key_of(key)) for key in "0123456789ABCD*#+"] == list(range(17))
    for wrong in ("x", "", "12", " "):
        with pytest.raises(ValueError, match="no key"):
            key_of(wrong)


def test_leaving_is_confirmed_only_by_the_call_manager_s_word() -> None:
    confirmed = []
    for answer in (True, False):
        bench = Bench()
        bench.bring_to(State.REGISTERED)
        bench.core.leave(bench.now)
        if answer:
            events = bench.told(messages.UnregisterAck(status=DeviceUnregisterStatus.OK))
        else:
            bench.core.connection_lost("cable cut", bench.now)
            events = bench.events()
        confirmed += [event.confirmed for event in events if isinstance(event, Unregistered)]
    assert confirmed == [True, False]


def test_speed_dials_with_and_without_a_lamp_are_counted_together() -> None:
    bench = Bench()
    bench.bring_to(State.CONFIGURING)
    kinds = (ButtonType.LINE, ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL, ButtonType.SPEED_DIAL)
    buttons = tuple(
        messages.ButtonDefinition(instance_number=1, button_definition=kind) for kind in kinds
    )
    bench.told(
        messages.ButtonTemplateRes(button_offset=0, total_button_count=3, definition=buttons)
    )
    asked = [each for each in bench.heard() if isinstance(each, messages.SpeedDialStatReq)]
    assert [each.speed_dial_number for each in asked] == [1, 2]
