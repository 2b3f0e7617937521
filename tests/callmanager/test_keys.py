"""What users do with hooks, keys and buttons, and what their phones show, ring and play then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bare_house import a_config
from company import PHONES
from line_phone import LineHouse, Phone

from pa_telephony.callmanager.calls.verbs import DoNotDisturb, Forward, LegState
from pa_telephony.callmanager.config import CallManagerConfig, LineConfig, SpeedDial
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    CallPrivacy,
    DCallState,
    DeviceStimulus,
    DeviceTone,
    LampMode,
    MiscCommandType,
    RingMode,
    SoftKeyEvent,
    SpeakerMode,
)
from pa_telephony.sccp.phrases import english
from pa_telephony.sccp.station.call_view import CallView


class Office:
    """The four phones of the company at the line side."""

    def __init__(self, config: CallManagerConfig | None = None) -> None:
        self.house = LineHouse(config)
        self.calls = self.house.calls
        self.phones = [Phone(self.house.side, name) for name in PHONES]

    def settle(self) -> None:
        for phone in self.phones * 4:
            phone.acknowledge()

    def call(self, phone: Phone, number: str, line: int = 1) -> CallView:
        phone.press_message(messages.EnblocCall(called_party=number, line_instance=line))
        self.settle()
        return list(phone.calls.values())[-1]

    def press(self, phone: Phone, key: SoftKeyEvent, call: CallView | None = None) -> None:
        phone.press(key, 0 if call is None else call.call_reference, 1)
        self.settle()

    def answer(self, phone: Phone) -> CallView:
        call = next(each for each in phone.calls.values() if each.state is DCallState.RING_IN)
        self.press(phone, SoftKeyEvent.ANSWER, call)
        return call

    def talk(self, phone: Phone, number: str, other: Phone) -> tuple[CallView, CallView]:
        return self.call(phone, number), self.answer(other)


def keys(phone: Phone, call: CallView) -> list[str]:
    return [str(key) for key in phone.screen.soft_keys(call.call_reference)]


def test_a_shared_line_stops_ringing_where_it_was_not_answered() -> None:
    office = Office()
    a, b, _, d = office.phones
    office.call(a, "2000")
    assert (b.screen.ringer, d.screen.ringer) == (RingMode.INSIDE_RING, RingMode.INSIDE_RING)
    office.answer(b)
    assert (b.screen.ringer, d.screen.ringer) == (RingMode.RING_OFF, RingMode.RING_OFF)
    assert not d.notification, "'From 1001' is over"
    (seen,) = d.calls.values()
    assert seen.state is DCallState.CALL_REMOTE_MULTILINE


def test_only_one_of_two_who_lift_a_shared_line_at_once_gets_the_call() -> None:
    office = Office()
    a, b, _, d = office.phones
    office.call(a, "2000")
    wanted = [next(iter(phone.calls)) for phone in (b, d)]
    b.press(SoftKeyEvent.ANSWER, wanted[0])
    d.press(SoftKeyEvent.ANSWER, wanted[1])
    office.settle()
    assert b.calls[wanted[0]].state is DCallState.CONNECTED
    assert d.calls[wanted[1]].state is DCallState.CALL_REMOTE_MULTILINE
    assert english(d.notification) == "Key is not active"


def test_a_call_picked_up_by_another_is_no_missed_call() -> None:
    """A hidden "connected" comes before the end, as from chan-sccp-b."""
    office = Office()
    a, b, c, _ = office.phones
    office.call(a, "1002")
    office.press(c, SoftKeyEvent.PICK_UP)
    states = [each for each in b.sent if isinstance(each, messages.CallState)]
    assert [(each.call_state, each.privacy) for each in states] == [
        (DCallState.RING_IN, CallPrivacy.NONE),
        (DCallState.CONNECTED, CallPrivacy.FULL),
        (DCallState.ON_HOOK, CallPrivacy.NONE),
    ]
    assert not b.calls


def test_of_two_who_pick_up_the_second_is_told_that_there_is_nothing() -> None:
    office = Office()
    a, _, c, d = office.phones
    office.call(a, "1002")
    office.press(c, SoftKeyEvent.PICK_UP)
    office.press(d, SoftKeyEvent.PICK_UP)
    assert len(c.calls) == 1
    assert not d.calls
    assert english(d.notification) == "Key is not active"


@pytest.mark.parametrize("named", [False, True])
def test_a_call_on_hold_stays_when_the_handset_is_put_down(named: bool) -> None:
    """Phones below version 15 say which call it was."""
    office = Office()
    a, b, *_ = office.phones
    call, _ = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.HOLD, call)
    a.press_message(messages.OnHook(call_reference=call.call_reference if named else 0))
    assert call.state is DCallState.HOLD
    office.press(a, SoftKeyEvent.RESUME, call)
    a.press_message(messages.OnHook(call_reference=call.call_reference if named else 0))
    assert call.ended


def test_what_waits_is_not_answered_by_a_handset_that_is_lifted_during_a_call() -> None:
    office = Office()
    a, b, c, _ = office.phones
    office.talk(a, "1002", b)
    office.call(c, "1002")
    assert b.call_waiting == 1
    b.press_message(messages.OffHook())
    assert sorted(call.state for call in b.calls.values()) == [
        DCallState.RING_IN,
        DCallState.CONNECTED,
    ]


def test_a_key_about_a_call_that_has_just_ended_begins_no_other() -> None:
    office = Office()
    a, b, *_ = office.phones
    call, other = office.talk(a, "1002", b)
    office.press(b, SoftKeyEvent.END_CALL, other)
    a.dial("1", call.call_reference)
    assert not a.calls
    a.dial("1")
    assert len(a.calls) == 1


def test_the_line_key_of_a_line_that_rings_out_changes_nothing() -> None:
    office = Office()
    a, *_ = office.phones
    call = office.call(a, "1002")
    a.press_message(messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=1))
    assert list(a.calls.values()) == [call]
    assert call.state is DCallState.RING_OUT


def test_what_waits_rings_aloud_once_the_call_before_it_is_on_hold() -> None:
    office = Office()
    a, b, c, _ = office.phones
    _, talking = office.talk(a, "1002", b)
    office.call(c, "1002")
    assert b.screen.ringer is RingMode.RING_OFF
    office.press(b, SoftKeyEvent.HOLD, talking)
    assert b.screen.ringer is RingMode.INSIDE_RING
    office.press(b, SoftKeyEvent.RESUME, talking)
    assert b.screen.ringer is RingMode.RING_OFF


def test_a_phone_that_rings_falls_silent_at_do_not_disturb() -> None:
    office = Office()
    a, b, *_ = office.phones
    office.call(a, "1002")
    office.press(b, SoftKeyEvent.DND)
    assert b.screen.ringer is RingMode.FLASH_ONLY
    assert office.calls.do_not_disturb("P2") is DoNotDisturb.RINGER_OFF


def test_a_consultation_whose_call_hangs_up_is_an_ordinary_call() -> None:
    office = Office()
    a, b, c, _ = office.phones
    first, waiting = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.TRANSFER, first)
    a.dial("1003")
    office.answer(c)
    (consultation,) = (call for call in a.calls.values() if call is not first)
    assert keys(a, consultation) == ["EndCall", "Trnsfer"]
    office.press(b, SoftKeyEvent.END_CALL, waiting)
    assert keys(a, consultation) == ["Hold", "EndCall", "Trnsfer", "Park", "Confrn"]


def test_a_consultation_that_rings_has_no_transfer_key_once_there_is_nobody_to_transfer() -> None:
    office = Office()
    a, b, *_ = office.phones
    first, waiting = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.TRANSFER, first)
    a.dial("1003")
    office.press(b, SoftKeyEvent.END_CALL, waiting)
    (consultation,) = a.calls.values()
    assert keys(a, consultation) == ["EndCall"]


def test_a_consultation_that_fails_can_be_ended_and_the_first_call_resumed() -> None:
    office = Office()
    a, b, *_ = office.phones
    first, other = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.TRANSFER, first)
    a.dial("1009")
    (failed,) = (call for call in a.calls.values() if call is not first)
    assert failed.state is DCallState.INVALID_NUMBER
    assert keys(a, failed) == ["EndCall"]
    office.press(a, SoftKeyEvent.END_CALL, failed)
    assert a.tone is DeviceTone.SILENCE
    office.press(a, SoftKeyEvent.RESUME, first)
    assert (first.state, other.state) == (DCallState.CONNECTED, DCallState.CONNECTED)


def test_who_is_parked_has_no_keys_for_a_party_that_is_not_there() -> None:
    office = Office()
    a, b, *_ = office.phones
    call, other = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.PARK, call)
    assert keys(b, other) == ["Hold", "EndCall"]


def test_a_held_call_resumed_while_it_rings_elsewhere_lights_lamp_and_speaker() -> None:
    """B transfers A, who holds meanwhile, to C, where it rings; then A takes the call back."""
    office = Office()
    a, b, _, _ = office.phones
    call, other = office.talk(a, "1002", b)
    office.press(a, SoftKeyEvent.HOLD, call)
    office.press(b, SoftKeyEvent.TRANSFER, other)
    b.dial("1003")
    office.press(b, SoftKeyEvent.TRANSFER, list(b.calls.values())[-1])
    assert (call.state, call.called) == (DCallState.HOLD, "1003")
    office.press(a, SoftKeyEvent.RESUME, call)
    assert call.state is DCallState.RING_OUT
    assert a.tone is DeviceTone.ALERTING_TONE
    assert a.screen.speaker is SpeakerMode.ON
    assert a.screen.lamp(DeviceStimulus.LINE, 1) is LampMode.ON


def test_a_call_that_rings_elsewhere_can_be_resumed_at_another_phone_of_the_line() -> None:
    """D holds on the shared line, is transferred to C, where it rings, and B takes the call."""
    office = Office()
    a, b, c, d = office.phones
    office.call(a, "2000")
    held = office.answer(d)
    office.press(d, SoftKeyEvent.HOLD, held)
    (at_a,) = a.calls.values()
    office.press(a, SoftKeyEvent.TRANSFER, at_a)
    a.dial("1003")
    office.press(a, SoftKeyEvent.TRANSFER, list(a.calls.values())[-1])
    (seen,) = b.calls.values()
    assert (seen.state, seen.calling) == (DCallState.REMOTE_HOLD, "1003")
    office.press(b, SoftKeyEvent.RESUME, seen)
    assert (seen.state, held.state) == (DCallState.RING_OUT, DCallState.CALL_REMOTE_MULTILINE)
    answered = office.answer(c)
    assert (seen.state, answered.state) == (DCallState.CONNECTED, DCallState.CONNECTED)


def test_the_other_phones_of_a_line_see_who_is_talked_to_after_a_transfer() -> None:
    office = Office()
    a, b, c, d = office.phones
    office.call(a, "2000")
    office.answer(d)
    (at_a,) = a.calls.values()
    office.press(a, SoftKeyEvent.TRANSFER, at_a)
    a.dial("1003")
    office.answer(c)
    office.press(a, SoftKeyEvent.TRANSFER, list(a.calls.values())[-1])
    (seen,) = b.calls.values()
    assert (seen.state, seen.calling) == (DCallState.CALL_REMOTE_MULTILINE, "1003")


def test_a_speed_dial_and_a_redial_are_whole_numbers_whatever_they_begin_with() -> None:
    config = a_config()
    devices = list(config.devices)
    devices[0] = replace(devices[0], speed_dials=(SpeedDial(number="10023"),))
    devices[2] = replace(devices[2], lines=(*devices[2].lines, LineConfig(number="1002X")))
    office = Office(replace(config, devices=tuple(devices)))
    a, _, c, _ = office.phones
    a.press_message(messages.OffHook())
    a.press_message(messages.Stimulus(stimulus=DeviceStimulus.SPEED_DIAL, line_instance=1))
    (call,) = a.calls.values()
    assert (call.state, call.called) == (DCallState.RING_OUT, "10023")
    assert len(c.calls) == 1
    office.press(a, SoftKeyEvent.END_CALL, call)
    a.press_message(messages.OffHook())
    office.press(a, SoftKeyEvent.REDIAL)
    (again,) = a.calls.values()
    assert (again.state, again.called) == (DCallState.RING_OUT, "10023")


def test_redial_takes_the_line_that_it_is_pressed_for() -> None:
    office = Office()
    _, b, *_ = office.phones
    office.press(b, SoftKeyEvent.END_CALL, office.call(b, "1001"))
    b.press(SoftKeyEvent.REDIAL, line=2)
    (call,) = b.calls.values()
    assert (call.line, call.calling) == (2, "2000")


def test_back_space_takes_the_digit_from_the_display() -> None:
    """The phone has put it there itself, and waits to be told."""
    office = Office()
    a, *_ = office.phones
    a.press_message(messages.OffHook())
    a.dial("10")
    (call,) = a.calls.values()
    office.press(a, SoftKeyEvent.BACK_SPACE, call)
    assert a.sent[-1] == messages.BackSpaceRes(line_instance=1, call_reference=call.call_reference)


def test_the_prompt_of_an_idle_phone_says_what_is_still_on() -> None:
    office = Office()
    b = office.phones[1]
    lines = [office.calls.appearance("P2", index) for index in (1, 2)]
    office.press(b, SoftKeyEvent.DND)
    for at in lines:
        assert at is not None
        office.calls.set_forward(at.line, Forward.ALL, "1003")
    assert english(b.screen.prompt) == "Forwarded to  1003"
    for at, text in zip(lines, ("Forwarded to  1003", "Do not disturb is active"), strict=True):
        assert at is not None
        office.calls.set_forward(at.line, Forward.ALL, "")
        assert english(b.screen.prompt) == text
    office.press(b, SoftKeyEvent.DND)
    assert english(b.screen.prompt) == "Your current options"


def test_the_group_pick_up_key_waits_for_the_number_at_a_phone_that_is_off_hook() -> None:
    office = Office()
    a, _, c, _ = office.phones
    office.call(a, "1002")
    c.press_message(messages.OffHook())
    (call,) = c.calls.values()
    office.press(c, SoftKeyEvent.GRP_PICKUP, call)
    c.dial("8")
    office.settle()
    assert list(c.calls.values()) == [call]
    assert call.state is DCallState.CONNECTED


def test_three_calls_on_one_line_are_talked_in_one_after_the_other() -> None:
    office = Office(a_config(busy_trigger=3))
    a, b, c, d = office.phones
    views = []
    for phone in (a, c, d):
        office.call(phone, "1002")
        views.append(office.answer(b))
    assert [view.state for view in views] == [
        DCallState.HOLD,
        DCallState.HOLD,
        DCallState.CONNECTED,
    ]
    for view in views[:2]:
        office.press(b, SoftKeyEvent.RESUME, view)
        assert view.state is DCallState.CONNECTED
        assert [leg.state for leg in office.calls.legs_of("P2")].count(LegState.CONNECTED) == 1
        assert len(b.receiving) == 1
    for phone in office.phones:
        phone.press_message(messages.OnHook())
    office.settle()
    assert [view.ended for view in views] == [True, True, True]
    assert not office.calls.legs


def test_a_hook_flash_holds_calls_another_and_connects_the_two() -> None:
    office = Office()
    a, b, c, _ = office.phones
    office.talk(a, "1002", b)
    a.press_message(messages.HookFlash())
    a.dial("1003")
    answered = office.answer(c)
    a.press_message(messages.HookFlash())
    office.settle()
    assert not a.calls
    assert (answered.state, answered.calling) == (DCallState.CONNECTED, "1002")


def test_a_hook_flash_takes_the_first_call_back_before_another_rings() -> None:
    office = Office()
    a, b, *_ = office.phones
    call, other = office.talk(a, "1002", b)
    a.press_message(messages.HookFlash())
    a.dial("1")
    a.press_message(messages.HookFlash())
    office.settle()
    assert list(a.calls.values()) == [call]
    assert (call.state, other.state) == (DCallState.CONNECTED, DCallState.CONNECTED)


def test_a_hook_flash_answers_what_waits_and_resumes_what_is_held() -> None:
    office = Office()
    a, b, c, _ = office.phones
    _, talking = office.talk(a, "1002", b)
    office.call(c, "1002")
    b.press_message(messages.HookFlash())
    assert talking.state is DCallState.HOLD
    (waiting,) = (call for call in b.calls.values() if call is not talking)
    assert waiting.state is DCallState.CONNECTED
    office.press(b, SoftKeyEvent.END_CALL, waiting)
    b.press_message(messages.HookFlash())
    assert talking.state is DCallState.CONNECTED


def test_a_port_that_goes_off_hook_with_a_number_takes_the_line_of_that_number() -> None:
    office = Office()
    _, b, *_ = office.phones
    for number, line in (("2000", 2), ("1002", 1), ("5551234", 1)):
        b.press_message(messages.OffHookWithCallingPartyNumber(calling_party_number=number))
        (call,) = b.calls.values()
        assert (call.state, call.line) == (DCallState.OFF_HOOK, line)
        b.press_message(messages.OnHook())


@pytest.mark.parametrize(
    ("number", "seen"), [("5551234", "5551234"), ("1002", "1002"), ("2000", "2000"), ("", "1002")]
)
def test_who_is_called_sees_the_number_that_a_port_went_off_hook_with(
    number: str, seen: str
) -> None:
    office = Office()
    a, b, *_ = office.phones
    b.press_message(messages.OffHookWithCallingPartyNumber(calling_party_number=number))
    b.dial("1001")
    (call,) = a.calls.values()
    assert (call.state, call.calling) == (DCallState.RING_IN, seen)
    # The next call is the line's own again.
    b.press_message(messages.OnHook())
    b.press_message(messages.OffHook())
    b.dial("1001")
    (call,) = a.calls.values()
    assert call.calling == "1002"


def test_a_number_that_a_port_answers_with_is_nobody_s() -> None:
    office = Office()
    a, b, *_ = office.phones
    calling = office.call(a, "1002")
    b.press_message(messages.OffHookWithCallingPartyNumber(calling_party_number="5551234"))
    assert (calling.state, calling.called) == (DCallState.CONNECTED, "1002")


def test_a_command_about_pictures_reaches_the_other_phone_as_one_of_its_own_call() -> None:
    office = Office()
    a, b, c, _ = office.phones
    call, other = office.talk(a, "1002", b)
    command = MiscCommandType.VIDEO_FAST_UPDATE_PICTURE
    for phone, there, view in ((a, b, other), (b, a, call)):
        own = call if phone is a else other
        phone.press_message(
            messages.MiscellaneousCommand(
                conference_id=own.call_reference,
                call_reference=own.call_reference,
                command=command,
                u=messages.VideoFastUpdatePicture(),
            )
        )
        told = there.sent[-1]
        assert isinstance(told, messages.MiscellaneousCommand)
        assert (told.call_reference, told.command) == (view.call_reference, command)
        assert told.passthru_party_id in there.receiving
    before = [len(phone.sent) for phone in office.phones]
    c.press_message(
        messages.MiscellaneousCommand(conference_id=1, call_reference=call.call_reference)
    )
    assert [len(phone.sent) for phone in office.phones] == before, "it is no call of C's"
