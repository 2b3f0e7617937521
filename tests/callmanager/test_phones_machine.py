"""Phones used by people who press anything that is shown, while channels, links and time misbehave.

Each phone knows only what it is sent. After every step its screen agrees with the calls, and a soft
key that is shown does something, unless it says what is missing.
"""

from __future__ import annotations

import hypothesis.strategies as st
from bare_house import a_config
from company import PHONES
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from line_phone import BOTH_LAWS, LineHouse, Phone

from pa_telephony.callmanager.calls.model import COLLECTING, OFF_HOOK
from pa_telephony.callmanager.calls.verbs import DoNotDisturb, Forward, Leg, LegState
from pa_telephony.callmanager.phones import display
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceStimulus,
    DeviceTone,
    LampMode,
    MediaPayloadType,
    RingMode,
    SoftKeyEvent,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.phrases import english

NUMBERS = ("1001", "1002", "1003", "1004", "2000", "5600", "700", "701", "8", "9")
STATES = {
    LegState.DIAL_TONE: {DCallState.OFF_HOOK},
    LegState.DIALLING: {DCallState.OFF_HOOK},
    LegState.PROCEEDING: {DCallState.PROCEED},
    LegState.RINGING_OUT: {DCallState.RING_OUT},
    LegState.OFFERED: {DCallState.RING_IN},
    LegState.CONNECTED: {DCallState.CONNECTED},
    LegState.HELD: {DCallState.HOLD},
    LegState.REMOTE_IN_USE: {DCallState.CALL_REMOTE_MULTILINE},
    LegState.REMOTE_HELD: {DCallState.REMOTE_HOLD},
    LegState.FAILED: {DCallState.BUSY, DCallState.CONGESTION, DCallState.INVALID_NUMBER},
}
TONES = {
    LegState.DIAL_TONE: {DeviceTone.INSIDE_DIAL_TONE},
    LegState.RINGING_OUT: {DeviceTone.ALERTING_TONE},
    LegState.FAILED: {DeviceTone.LINE_BUSY_TONE, DeviceTone.REORDER_TONE},
}
places = st.integers(0, 50)


class PhonesAtWork(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.house = LineHouse(a_config(forward_no_answer="1003", forward_busy="2000"))
        self.calls, self.side = self.house.calls, self.house.side
        self.versions = dict(zip(PHONES, (6, 17, 20, 22), strict=True))
        self.phones = {name: Phone(self.side, name, at) for name, at in self.versions.items()}
        self.parties: list[int] = []

    def settle(self) -> None:
        """Let every channel be answered for that is to be answered for now."""
        for phone in [*self.phones.values()] * 8:
            phone.acknowledge()

    def phone(self, name: str) -> Phone:
        if name not in self.phones:
            self.come(name)
        return self.phones[name]

    def come(self, name: str) -> None:
        self.phones[name] = Phone(self.side, name, self.versions[name])

    # People.

    @rule(name=st.sampled_from(PHONES), call=places, key=places)
    def a_soft_key_that_is_shown(self, name: str, call: int, key: int) -> None:
        phone = self.phone(name)
        references = [0, *phone.calls]
        reference = references[call % len(references)]
        shown = phone.screen.soft_keys(reference)
        if shown:
            self.press(phone, shown[key % len(shown)].event, reference)

    @rule(
        name=st.sampled_from(PHONES),
        key=st.sampled_from(
            [
                SoftKeyEvent.HOLD,
                SoftKeyEvent.RESUME,
                SoftKeyEvent.PARK,
                SoftKeyEvent.ANSWER,
                SoftKeyEvent.RM_LST_C,
            ]
        ),
    )
    def this_soft_key_where_it_is_shown(self, name: str, key: SoftKeyEvent) -> None:
        self.press_if_shown(self.phone(name), key)

    def press_if_shown(self, phone: Phone, key: SoftKeyEvent) -> bool:
        for reference in list(phone.calls):
            if key in {each.event for each in phone.screen.soft_keys(reference)}:
                self.press(phone, key, reference)
                return True
        return False

    @rule(name=st.sampled_from(PHONES), number=st.sampled_from(NUMBERS[:5]))
    def a_call_that_is_answered(self, name: str, number: str) -> None:
        if not any(leg.state in OFF_HOOK for leg in self.calls.legs_of(name)):
            self.say(name, messages.EnblocCall(called_party=number))
            self.answer_all()

    def answer_all(self) -> None:
        for phone in list(self.phones.values()):
            self.press_if_shown(phone, SoftKeyEvent.ANSWER)

    @rule(
        key=st.sampled_from([SoftKeyEvent.TRANSFER, SoftKeyEvent.CONFRN]),
        number=st.sampled_from(NUMBERS),
        answered=st.booleans(),
        at=places,
    )
    def a_transfer_or_a_conference(
        self, key: SoftKeyEvent, number: str, answered: bool, at: int
    ) -> None:
        """Begun by somebody who can, and completed where the key is shown then."""
        talking = [leg for leg in self.calls.legs.values() if leg.state is LegState.CONNECTED]
        phones = [self.phones[leg.device] for leg in talking if leg.device in self.phones]
        if not phones:
            return
        phone = phones[at % len(phones)]
        if self.press_if_shown(phone, key):
            self.a_number_is_dialled(phone.name, number)
            if answered:
                self.answer_all()
            self.press_if_shown(phone, key)

    def press(self, phone: Phone, key: SoftKeyEvent, reference: int) -> None:
        legs = {leg.id: (leg.state, leg.consult_of) for leg in self.calls.legs_of(phone.name)}
        phone.notification = ""
        refusals = phone.screen.refusals
        phone.press(key, reference, 1)
        if phone.screen.refusals != refusals:
            said = english(phone.notification)
            assert self.may_be_refused(phone, key, said), (key, said, legs)
        self.settle()

    def may_be_refused(self, phone: Phone, key: SoftKeyEvent, said: str) -> bool:
        """Only for what the phone could not have known."""
        match key:
            case SoftKeyEvent.PICK_UP:
                return said == "Key is not active"
            case SoftKeyEvent.NEW_CALL | SoftKeyEvent.REDIAL | SoftKeyEvent.CFWD_ALL:
                return len(self.calls.legs_of(phone.name)) >= 4
            case SoftKeyEvent.PARK:
                return said == "No park number available"
            case SoftKeyEvent.CONFRN | SoftKeyEvent.TRANSFER:
                return said != "Key is not active"
            case _:
                return said == "Incompatible device type"

    @rule(name=st.sampled_from(PHONES), number=st.sampled_from(NUMBERS))
    def a_number_is_dialled(self, name: str, number: str) -> None:
        phone = self.phone(name)
        dialling = [
            leg
            for leg in self.calls.legs_of(name)
            if leg.state in (LegState.DIAL_TONE, LegState.DIALLING)
        ]
        if not dialling:
            phone.press_message(messages.OffHook())
        phone.dial(number, dialling[0].id if dialling else 0)
        self.settle()

    @rule(name=st.sampled_from(PHONES), line=st.integers(1, 2))
    def a_line_key(self, name: str, line: int) -> None:
        self.say(name, messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=line))

    @rule(
        name=st.sampled_from(PHONES),
        button=st.sampled_from(
            [
                DeviceStimulus.HOLD,
                DeviceStimulus.TRANSFER,
                DeviceStimulus.CONFERENCE,
                DeviceStimulus.FORWARD_ALL,
                DeviceStimulus.LAST_NUMBER_REDIAL,
                DeviceStimulus.GROUP_CALL_PICK_UP,
                DeviceStimulus.CALL_PICK_UP,
                DeviceStimulus.CALL_PARK,
            ]
        ),
    )
    def a_button(self, name: str, button: DeviceStimulus) -> None:
        self.say(name, messages.Stimulus(stimulus=button, line_instance=1))

    @rule(name=st.sampled_from(PHONES), up=st.booleans())
    def the_handset(self, name: str, up: bool) -> None:
        self.say(name, messages.OffHook() if up else messages.OnHook())

    @rule(names=st.lists(st.sampled_from(PHONES), min_size=2, max_size=3, unique=True))
    def several_hang_up_at_once(self, names: list[str]) -> None:
        for name in names:
            self.phone(name).press_message(messages.OnHook())
        self.settle()

    # What phones must not be able to break.

    @rule(
        name=st.sampled_from(PHONES),
        key=st.sampled_from(SoftKeyEvent),
        line=st.integers(0, 3),
        whose=st.sampled_from(PHONES),
        at=places,
    )
    def a_key_about_a_call_of_anybody(
        self, name: str, key: SoftKeyEvent, line: int, whose: str, at: int
    ) -> None:
        references = [0, 4711, *(leg.id for leg in self.calls.legs_of(whose))]
        self.say(
            name,
            messages.SoftKeyEvent(
                soft_key_event=key,
                line_instance=line,
                call_reference=references[at % len(references)],
            ),
        )

    @rule(name=st.sampled_from(PHONES), at=places, digit=st.integers(0, 11))
    def a_digit_about_a_call_that_is_over(self, name: str, at: int, digit: int) -> None:
        self.phone(name)
        before = set(self.calls.legs)
        collects = {leg.state for leg in self.calls.legs_of(name)} & COLLECTING
        self.say(name, messages.KeypadButton(kp_button=digit, call_reference=4711 + at))
        assert collects or set(self.calls.legs) == before

    @rule(
        name=st.sampled_from(PHONES),
        opens=st.sampled_from(["at once", "at once", "at once", "late", "badly"]),
    )
    def how_channels_open(self, name: str, opens: str) -> None:
        self.phone(name).opens = opens

    @rule(name=st.sampled_from(PHONES))
    def channels_open_late(self, name: str) -> None:
        self.phone(name).acknowledge(late=True)
        self.settle()

    @rule(
        name=st.sampled_from(PHONES), whose=st.sampled_from(PHONES), at=places, works=st.booleans()
    )
    def a_channel_of_anybody_is_answered_for(
        self, name: str, whose: str, at: int, works: bool
    ) -> None:
        known = [1, *self.parties, *self.phone(whose).receiving]
        party = known[at % len(known)]
        if party not in self.phone(name).receiving:
            before = self.states()
            self.phone(name).say_opened(party, works=works)
            assert self.states() == before

    @rule(
        name=st.sampled_from(PHONES),
        laws=st.sampled_from([BOTH_LAWS, BOTH_LAWS, BOTH_LAWS[:1], BOTH_LAWS[1:]]),
    )
    def codecs(self, name: str, laws: tuple[MediaPayloadType, ...]) -> None:
        self.phone(name).can(*laws)

    @rule(name=st.sampled_from(PHONES))
    def a_link_breaks(self, name: str) -> None:
        phone = self.phones.pop(name, None)
        if phone is None:
            self.come(name)
        else:
            self.parties += list(phone.receiving)
            phone.close("lost")
            assert not self.calls.legs_of(name)
        self.settle()

    @rule(seconds=st.sampled_from([1.0, 5.0, 11.0, 31.0, 200.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.house.wait(seconds)
        self.settle()

    @rule(rings=st.booleans())
    def route_points_ring_at_once_or_when_accepted(self, rings: bool) -> None:
        for device in self.house.devices.values():
            device.rings = rings

    @rule(at=places)
    def an_application_accepts(self, at: int) -> None:
        offered = [leg for leg in self.calls.legs.values() if leg.state is LegState.OFFERED]
        if offered:
            self.calls.accept(offered[at % len(offered)])
            self.settle()

    @rule(name=st.sampled_from(PHONES), mode=st.sampled_from(DoNotDisturb))
    def do_not_disturb(self, name: str, mode: DoNotDisturb) -> None:
        if not self.calls.legs_of(name):
            self.calls.set_do_not_disturb(name, mode)

    @rule(at=places, on=st.booleans())
    def message_waiting(self, at: int, on: bool) -> None:
        lines = self.calls.lines()
        self.calls.set_message_waiting(lines[at % len(lines)], on)

    @rule(at=places)
    def a_forward_is_cancelled(self, at: int) -> None:
        lines = self.calls.lines()
        self.calls.set_forward(lines[at % len(lines)], Forward.ALL, "")

    def say(self, name: str, message: SccpMessage) -> None:
        self.phone(name).press_message(message)
        self.settle()

    def states(self) -> list[tuple[int, LegState]]:
        return [(leg.id, leg.state) for leg in self.calls.legs.values()]

    # What always holds.

    def legs_of(self, phone: Phone) -> dict[int, Leg]:
        return {leg.id: leg for leg in self.calls.legs_of(phone.name)}

    @invariant()
    def every_phone_shows_its_calls_as_they_are(self) -> None:
        for phone in self.phones.values():
            legs = self.legs_of(phone)
            assert phone.calls.keys() == legs.keys()
            for reference, call in phone.calls.items():
                leg = legs[reference]
                assert call.state in STATES[leg.state], (call, leg)
                assert call.line == leg.line_index
                if leg.state not in (LegState.DIAL_TONE, LegState.DIALLING, LegState.FAILED):
                    shown = call.calling, call.calling_name, call.called, call.called_name
                    true = leg.calling.number, leg.calling.name, leg.called.number, leg.called.name
                    assert shown == true
                    assert call.last_redirecting == leg.last_redirecting.number

    @invariant()
    def nothing_is_sent_that_no_phone_would_understand(self) -> None:
        for phone in self.phones.values():
            assert phone.faults == []

    @invariant()
    def lamps_show_what_the_lines_do(self) -> None:
        for phone in self.phones.values():
            for line in (1, 2):
                states = {
                    leg.state for leg in self.legs_of(phone).values() if leg.line_index == line
                }
                lamp = phone.screen.lamp(DeviceStimulus.LINE, line)
                if LegState.OFFERED in states:
                    assert lamp is LampMode.BLINK
                elif states & OFF_HOOK:
                    assert lamp is LampMode.ON
                elif states & {LegState.HELD, LegState.REMOTE_HELD}:
                    assert lamp is LampMode.WINK
                else:
                    assert lamp is (LampMode.ON if states else LampMode.OFF)
                appearance = self.calls.appearance(phone.name, line)
                if appearance is not None:
                    assert phone.screen.message_waiting(line) is appearance.line.message_waiting

    @invariant()
    def a_phone_rings_when_something_rings_and_its_user_does_not_talk(self) -> None:
        for phone in self.phones.values():
            states = {leg.state for leg in self.legs_of(phone).values()}
            if LegState.OFFERED in states and not states & OFF_HOOK:
                silent = self.calls.do_not_disturb(phone.name) is not DoNotDisturb.OFF
                expected = RingMode.FLASH_ONLY if silent else RingMode.INSIDE_RING
            else:
                expected = RingMode.RING_OFF
            assert phone.screen.ringer is expected, states
            if LegState.OFFERED not in states:
                assert not phone.notification.startswith(display.FROM)

    @invariant()
    def the_speaker_is_on_while_its_user_talks(self) -> None:
        for phone in self.phones.values():
            talks = any(leg.state in OFF_HOOK for leg in self.legs_of(phone).values())
            assert phone.screen.speaker is (SpeakerMode.ON if talks else SpeakerMode.OFF)

    @invariant()
    def the_tone_is_that_of_the_call_that_its_user_is_in(self) -> None:
        for phone in self.phones.values():
            for leg in self.legs_of(phone).values():
                if leg.state in TONES:
                    assert phone.tone in TONES[leg.state]
                    assert phone.tone_of == leg.id
                    break
            else:
                assert phone.tone is DeviceTone.SILENCE

    @invariant()
    def channels_are_open_where_legs_have_streams(self) -> None:
        for phone in self.phones.values():
            streams = {
                leg.stream.id: leg.stream
                for leg in self.legs_of(phone).values()
                if leg.stream is not None
            }
            assert phone.receiving.keys() == streams.keys()
            assert phone.sending.keys() <= streams.keys()
            for party, order in phone.sending.items():
                far = streams[party].far
                assert far is not None
                assert far.address == (order.remote_ip_addr, order.remote_port_number)

    @invariant()
    def the_call_plane_is_that_of_the_line_its_user_talks_on(self) -> None:
        for phone in self.phones.values():
            for leg in self.legs_of(phone).values():
                if leg.state in OFF_HOOK:
                    assert phone.screen.active_line == leg.line_index

    def teardown(self) -> None:
        """When all phones have hung up, no call is left."""
        for _ in range(30):
            for phone in list(self.phones.values()):
                for call in list(phone.calls.values()):
                    if call.state is DCallState.RING_IN:
                        phone.press(SoftKeyEvent.ANSWER, call.call_reference)
                    phone.press(SoftKeyEvent.END_CALL, call.call_reference)
                self.settle()
        self.house.wait(200.0)
        assert not self.calls.legs
        assert not self.calls.parked
        assert not self.side._streams
        assert not self.house.resource.streams
        for phone in self.phones.values():
            assert not phone.calls
            assert phone.prompts.keys() <= {0}
            assert phone.screen.lamp(DeviceStimulus.LINE, 1) is LampMode.OFF


PhonesAtWork.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
test_phones_at_work = PhonesAtWork.TestCase
