"""A number means the same however it comes, in every state that collects one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from bare_house import a_config
from company import ALICE, BOB, CAROL, DAVE
from line_phone import LineHouse, Phone

from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.model import OFF_HOOK
from pa_telephony.callmanager.calls.verbs import Cause, Forward, Leg, LegState
from pa_telephony.callmanager.config import SpeedDial
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceStimulus, KeyPadButton, SoftKeyEvent
from pa_telephony.sccp.messages import SccpMessage

STRANGE = 0xFFFFFF
"""A line, and a call, that no phone has."""


class Desk:
    """Bob's phone, with the lines 1002 and 2000, among the company's."""

    def __init__(self, number: str = "1003") -> None:
        config = a_config()
        devices = [
            replace(each, speed_dials=(SpeedDial(number=number),)) if each.name == BOB else each
            for each in config.devices
        ]
        self.house = LineHouse(replace(config, devices=tuple(devices)))
        self.calls = self.house.calls
        self.phones = {name: Phone(self.house.side, name) for name in (ALICE, BOB, CAROL, DAVE)}
        self.bob = self.phones[BOB]
        self.application = CtiSide(self.house.config, self.calls)
        self.number = number

    def settle(self) -> None:
        for phone in [*self.phones.values()] * 4:
            phone.acknowledge()

    def key(self, key: SoftKeyEvent, line: int = 1, reference: int = 0) -> None:
        self.says(
            messages.SoftKeyEvent(soft_key_event=key, line_instance=line, call_reference=reference)
        )

    def says(self, *what: SccpMessage) -> None:
        for message in what:
            self.bob.press_message(message)
            self.settle()

    def calls_bob(self, name: str, number: str = "1002", line: int = 1) -> None:
        self.calls.originate(name, line, number)
        self.settle()

    def talks(self, name: str = ALICE) -> Leg:
        """Bob talks to somebody who has called him."""
        self.calls_bob(name)
        leg = self.legs()[-1]
        self.calls.answer(leg)
        self.settle()
        return leg

    def legs(self, name: str = BOB) -> list[Leg]:
        return self.calls.legs_of(name)

    @property
    def leg(self) -> Leg:
        """The call that Bob is in."""
        (leg,) = (each for each in self.legs() if each.state in OFF_HOOK)
        return leg


# The ways a number comes.


def whole(line: int) -> Callable[[Desk], None]:
    return lambda desk: desk.says(messages.EnblocCall(called_party=desk.number, line_instance=line))


def whole_with_its_end(desk: Desk) -> None:
    desk.says(messages.EnblocCall(called_party=desk.number + "#", line_instance=1))


def from_a_speed_dial(desk: Desk) -> None:
    desk.says(messages.Stimulus(stimulus=DeviceStimulus.SPEED_DIAL, line_instance=1))


def by_redial(desk: Desk) -> None:
    desk.key(SoftKeyEvent.REDIAL)


def from_an_application(desk: Desk) -> None:
    desk.application.dial(desk.leg.id, desk.number)


def digits(desk: Desk, reference: int = 0) -> None:
    for digit in desk.number:
        desk.says(messages.KeypadButton(kp_button=int(digit), call_reference=reference))


def digits_with_their_end(desk: Desk) -> None:
    reference = desk.leg.id
    digits(desk, reference)
    desk.says(messages.KeypadButton(kp_button=KeyPadButton.POUND, call_reference=reference))


def digits_about_a_call_that_is_not(desk: Desk) -> None:
    digits(desk, STRANGE)


AT_ONCE: dict[str, Callable[[Desk], None]] = {
    "whole": whole(1),
    "whole, without a line": whole(0),
    "whole, for the second line": whole(2),
    "whole, for no line of the phone": whole(STRANGE),
    "whole, with its end": whole_with_its_end,
    "from a speed dial": from_a_speed_dial,
    "by redial": by_redial,
}
WAYS = AT_ONCE | {
    "from an application": from_an_application,
    "digits": digits,
    "digits, with their end": digits_with_their_end,
    "digits, about a call that is not": digits_about_a_call_that_is_not,
}


# The states that collect a number, and what is to come of it.


def off_hook(desk: Desk) -> Callable[[], None]:
    desk.says(messages.OffHook())
    return lambda: rings_at_carol(desk, "1002")


def off_hook_at_the_second_line(desk: Desk) -> Callable[[], None]:
    desk.says(messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=2))
    return lambda: rings_at_carol(desk, "2000")


def off_hook_with_another_call_on_hold(desk: Desk) -> Callable[[], None]:
    held = desk.talks()
    desk.key(SoftKeyEvent.NEW_CALL)

    def judge() -> None:
        rings_at_carol(desk, "1002")
        assert held.state is LegState.HELD

    return judge


def rings_at_carol(desk: Desk, calling: str) -> None:
    (rings,) = desk.legs(CAROL)
    assert (rings.state, rings.calling.number) == (LegState.OFFERED, calling)
    assert desk.leg.state is LegState.RINGING_OUT


def a_forward(
    kind: Forward, key: SoftKeyEvent | DeviceStimulus, line: int = 1
) -> Callable[[Desk], Callable[[], None]]:
    def begin(desk: Desk) -> Callable[[], None]:
        if isinstance(key, SoftKeyEvent):
            desk.key(key, line)
        else:
            desk.says(messages.Stimulus(stimulus=key, line_instance=line))

        def judge() -> None:
            at = desk.calls.appearance(BOB, line)
            assert at is not None
            assert at.line.forwards == {kind: "1003"}
            assert not desk.calls.legs, "nobody is called"

        return judge

    return begin


def a_transfer(desk: Desk) -> Callable[[], None]:
    desk.talks()
    desk.key(SoftKeyEvent.TRANSFER)

    def judge() -> None:
        rings_at_carol(desk, "1002")
        desk.key(SoftKeyEvent.TRANSFER)
        assert not desk.legs()
        assert [leg.state for leg in desk.legs(ALICE)] == [LegState.RINGING_OUT]
        assert desk.legs(CAROL)[0].calling.number == "1001"

    return judge


def a_conference(desk: Desk) -> Callable[[], None]:
    desk.talks()
    desk.key(SoftKeyEvent.CONFRN)

    def judge() -> None:
        rings_at_carol(desk, "1002")
        desk.calls.answer(desk.legs(CAROL)[0])
        desk.settle()
        desk.key(SoftKeyEvent.CONFRN)
        conference = desk.leg.conference
        assert conference is not None
        assert {leg.device for leg in conference.members} == {ALICE, BOB, CAROL}

    return judge


def a_pickup(desk: Desk) -> Callable[[], None]:
    desk.calls_bob(ALICE, "1003")
    desk.key(SoftKeyEvent.GRP_PICKUP)

    def judge() -> None:
        assert desk.leg.state is LegState.CONNECTED
        assert desk.leg.peer is desk.legs(ALICE)[0]

    return judge


STATES: dict[str, tuple[Callable[[Desk], Callable[[], None]], str]] = {
    "off hook": (off_hook, "1003"),
    "off hook at the second line": (off_hook_at_the_second_line, "1003"),
    "off hook with another call on hold": (off_hook_with_another_call_on_hold, "1003"),
    "CFwdALL": (a_forward(Forward.ALL, SoftKeyEvent.CFWD_ALL), "1003"),
    "CFwdALL of the second line": (a_forward(Forward.ALL, SoftKeyEvent.CFWD_ALL, 2), "1003"),
    "CFwdBusy": (a_forward(Forward.BUSY, SoftKeyEvent.CFWD_BUSY), "1003"),
    "CFwdNoAnswer": (a_forward(Forward.NO_ANSWER, SoftKeyEvent.CFWD_NO_ANSWER), "1003"),
    "the button of CFwdBusy": (a_forward(Forward.BUSY, DeviceStimulus.FORWARD_BUSY), "1003"),
    "Trnsfer": (a_transfer, "1003"),
    "Confrn": (a_conference, "1003"),
    "GPickUp": (a_pickup, "8"),
}


def begun(state: str) -> tuple[Desk, Callable[[], None]]:
    """A desk in a state that collects a number, which is the one dialled last as well."""
    begin, number = STATES[state]
    desk = Desk(number)
    desk.calls.originate(BOB, 1, number)
    desk.settle()
    desk.says(messages.OnHook())
    assert not desk.calls.legs
    return desk, begin(desk)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES)
def test_a_number_goes_to_the_call_that_collects_one(state: str, way: str) -> None:
    desk, judge = begun(state)
    WAYS[way](desk)
    judge()


@pytest.mark.parametrize("way", AT_ONCE)
@pytest.mark.parametrize("state", STATES)
def test_a_whole_number_replaces_the_digits_dialled_before_it(state: str, way: str) -> None:
    desk, judge = begun(state)
    desk.says(messages.KeypadButton(kp_button=KeyPadButton.ONE))
    AT_ONCE[way](desk)
    judge()


@pytest.mark.parametrize("way", AT_ONCE)
def test_a_number_begins_a_call_where_none_collects_one(way: str) -> None:
    desk = Desk()
    desk.calls.originate(BOB, 1, desk.number)
    desk.says(messages.OnHook())
    AT_ONCE[way](desk)
    rings_at_carol(desk, "2000" if "second" in way else "1002")


def test_a_forward_by_digits_reaches_what_forwards_reach() -> None:
    """The line's search space for forwards counts, whole or digit by digit."""
    config = a_config(forward_search_space="far")
    devices = [
        replace(each, lines=tuple(replace(line, partition="F") for line in each.lines))
        if each.name == CAROL
        else each
        for each in config.devices
    ]
    config = replace(config, devices=tuple(devices), search_spaces={"far": ("F",)})
    for digits_only in (True, False):
        house = LineHouse(config)
        bob = Phone(house.side, BOB)
        bob.press(SoftKeyEvent.CFWD_ALL, line=1)
        if digits_only:
            bob.dial("1003")
        else:
            bob.press_message(messages.EnblocCall(called_party="1003"))
        at = house.calls.appearance(BOB, 1)
        assert at is not None
        assert at.line.forwards == {Forward.ALL: "1003"}


@pytest.mark.parametrize("gap", [b"", b"\0\0\0"], ids=["7970", "8945"])
def test_a_line_is_found_where_each_model_of_phone_writes_it(gap: bytes) -> None:
    body = (b"1003".ljust(25, b"\0") + gap + (2).to_bytes(4, "little")).ljust(32, b"\0")
    message = messages.decode(messages.EnblocCall.id, body, 22)
    assert isinstance(message, messages.EnblocCall)
    house = LineHouse()
    bob = Phone(house.side, BOB, version=22)
    bob.press_message(message)
    (leg,) = house.calls.legs_of(BOB)
    assert (leg.line_index, leg.called.number) == (2, "1003")


def test_a_number_that_is_none_fails_however_it_comes() -> None:
    for way in (whole(1), digits):
        desk = Desk("999")
        desk.says(messages.OffHook())
        way(desk)
        assert (desk.leg.state, desk.leg.cause) == (LegState.FAILED, Cause.UNALLOCATED_NUMBER)


# Lines and calls that are stale, or were never.


@pytest.mark.parametrize(
    "message",
    [
        messages.OffHook(line_instance=STRANGE),
        messages.KeypadButton(kp_button=KeyPadButton.ONE, line_instance=STRANGE),
        messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.NEW_CALL, line_instance=STRANGE),
        messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.CFWD_ALL, line_instance=STRANGE),
        messages.Stimulus(stimulus=DeviceStimulus.LINE, line_instance=STRANGE),
        messages.Stimulus(stimulus=DeviceStimulus.NEW_CALL, line_instance=STRANGE),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_line_that_the_phone_does_not_have_is_its_first(message: SccpMessage) -> None:
    desk = Desk()
    desk.says(message)
    assert desk.leg.line_index == 1
    assert not desk.bob.notification


@pytest.mark.parametrize("foreign", [False, True], ids=["nobody's", "of another phone"])
def test_a_call_that_the_phone_does_not_have_is_the_only_one_it_has(foreign: bool) -> None:
    desk = Desk()
    desk.calls_bob(ALICE)
    reference = desk.legs(ALICE)[0].id if foreign else STRANGE
    (leg,) = desk.legs()
    for key, state in (
        (SoftKeyEvent.ANSWER, LegState.CONNECTED),
        (SoftKeyEvent.HOLD, LegState.HELD),
        (SoftKeyEvent.RESUME, LegState.CONNECTED),
        (SoftKeyEvent.END_CALL, LegState.IDLE),
    ):
        desk.key(key, STRANGE, reference)
        assert leg.state is state


def test_of_two_calls_neither_is_meant_by_a_key_about_a_third() -> None:
    desk = Desk()
    held = desk.talks()
    desk.key(SoftKeyEvent.HOLD)
    second = desk.talks(CAROL)
    desk.key(SoftKeyEvent.END_CALL, 1, STRANGE)
    assert (held.state, second.state) == (LegState.HELD, LegState.CONNECTED)


def test_a_call_of_another_phone_of_the_line_is_not_meant() -> None:
    """Bob and Dave share 2000: what Dave does there shows on Bob's phone, and is Dave's."""
    desk = Desk()
    desk.calls_bob(ALICE, "2000")
    dave = desk.legs(DAVE)[0]
    desk.calls.answer(dave)
    own = desk.talks(CAROL)
    desk.key(SoftKeyEvent.HOLD, 1, STRANGE)
    assert (own.state, dave.state) == (LegState.HELD, LegState.CONNECTED)


@pytest.mark.parametrize("reference", ["none", "nobody's", "of the call on hold", "of another"])
@pytest.mark.parametrize("line", [0, 1, 2, STRANGE])
def test_a_handset_that_goes_down_ends_what_it_holds(reference: str, line: int) -> None:
    desk = Desk()
    held = desk.talks()
    desk.key(SoftKeyEvent.HOLD)
    holds = desk.talks(CAROL)
    references = {
        "none": 0,
        "nobody's": STRANGE,
        "of the call on hold": held.id,
        "of another": desk.legs(CAROL)[0].id,
    }
    desk.says(messages.OnHook(line_instance=line, call_reference=references[reference]))
    assert (held.state, holds.state) == (LegState.HELD, LegState.IDLE)


@pytest.mark.parametrize("reference", [0, STRANGE])
def test_a_handset_that_is_lifted_about_a_call_that_is_over_takes_what_rings(
    reference: int,
) -> None:
    desk = Desk()
    desk.calls_bob(ALICE)
    desk.says(messages.OffHook(line_instance=STRANGE, call_reference=reference))
    assert desk.leg.state is LegState.CONNECTED
    desk.calls_bob(CAROL)
    desk.says(messages.OffHook(line_instance=STRANGE, call_reference=reference))
    assert [leg.state for leg in desk.legs()] == [LegState.CONNECTED, LegState.OFFERED]
