"""What is done for the control socket, at calls in every state, without sockets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from bare_house import House, a_config
from company import ALICE, BOB, CAROL, DAVE

from pa_telephony.callmanager.calls.model import LegState, Purpose
from pa_telephony.callmanager.control.deeds import do, in_words
from pa_telephony.callmanager.control.look import Times
from pa_telephony.callmanager.control.requests import (
    VERBS,
    Ask,
    ControlRefused,
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
    Watch,
)
from pa_telephony.callmanager.manager import CallManager


def manager_of(house: House) -> CallManager:
    return cast("CallManager", SimpleNamespace(calls=house.calls, config=house.config))


def rings(house: House) -> int:
    return house.call(ALICE, "1002").call_id


def rings_at_a_shared_line(house: House) -> int:
    return house.call(ALICE, "2000").call_id


def talks(house: House) -> int:
    return house.talk(ALICE, "1002", BOB)[0].call_id


def talks_at_a_shared_line(house: House) -> int:
    return house.talk(ALICE, "2000", DAVE)[0].call_id


def is_held(house: House) -> int:
    caller, called = house.talk(ALICE, "2000", DAVE)
    house.calls.hold(called)
    return caller.call_id


def is_parked(house: House) -> int:
    caller, called = house.talk(ALICE, "1002", BOB)
    house.calls.park(called)
    return caller.call_id


def is_a_conference(house: House) -> int:
    _, bob = house.talk(ALICE, "1002", BOB)
    consultation = house.calls.consult(bob, Purpose.CONFERENCE, "1003")
    house.calls.answer(house.leg(CAROL, LegState.OFFERED))
    return house.calls.join(bob, consultation).id


def is_dialled(house: House) -> int:
    return house.calls.originate(ALICE, 1).call_id


def has_failed(house: House) -> int:
    return house.call(ALICE, "999").call_id


SITUATIONS = (
    *(rings, rings_at_a_shared_line, talks, talks_at_a_shared_line, is_held, is_parked),
    *(is_a_conference, is_dialled, has_failed),
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.__name__)
def test_a_call_that_is_dropped_leaves_nobody_in_it_and_no_other_call_ends(situation: Any) -> None:
    house = House()
    call = situation(house)
    others = {leg.call_id for leg in house.calls.legs.values()} - {call}
    do(manager_of(house), Drop(call=call))
    assert {leg.call_id for leg in house.calls.legs.values()} == others
    assert house.calls.parked == {}
    with pytest.raises(ControlRefused, match=f"there is no call {call}"):
        do(manager_of(house), Drop(call=call))
    # The phones are free.
    house.talk(ALICE, "1002", BOB)


def test_the_consultation_of_a_dropped_call_goes_on() -> None:
    house = House()
    alice, bob = house.talk(ALICE, "1002", BOB)
    consultation = house.calls.consult(bob, Purpose.TRANSFER, "1003")
    do(manager_of(house), Drop(call=alice.call_id))
    assert house.states(ALICE) == []
    assert consultation.state is LegState.RINGING_OUT


def test_a_second_look_at_the_clock_is_not_needed_for_a_leg_that_only_changed_its_parties() -> None:
    house = House()
    times = Times(house.calls.now)
    house.calls.watchers.append(times)
    house.clock.now = 5.0
    leg = house.call(ALICE, "1002")
    house.clock.now = 7.0
    called = house.leg(BOB, LegState.OFFERED)
    times.leg_changed(called)
    assert (times.began(called), times.in_state(called)) == (5.0, 5.0)
    house.calls.answer(called)
    assert (times.began(leg), times.in_state(leg)) == (5.0, 7.0)
    house.calls.release(leg)
    assert times.began(leg) is times.in_state(leg) is None
    house.leave(BOB)
    assert times.devices == {BOB: 7.0}


@pytest.mark.parametrize("written", ["1002", "10.02"])
def test_a_line_is_found_by_its_number_with_a_dot_or_without(written: str) -> None:
    house = House(a_config(number="10.02"))
    do(manager_of(house), MessageWaiting(line=written, on=True))
    line = house.calls.line("1002")
    assert line is not None
    assert line.message_waiting


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (Reset(device="P1"), "resets P1"),
        (Restart(device="P1"), "restarts P1"),
        (MessageWaiting(line="1001", on=True), "switches message waiting of 1001 on"),
        (MessageWaiting(line="1001", on=False), "switches message waiting of 1001 off"),
        (SetForward(line="1", kind="busy", number="2"), "forwards 1 to 2 (busy)"),
        (SetForward(line="1", kind="all"), "takes back the forward of 1 (all)"),
        (Drop(call=7), "drops call 7"),
        (Ask(), "looks"),
        (Watch(), "looks"),
    ],
)
def test_every_action_has_words_for_the_log(verb: Any, words: str) -> None:
    assert in_words(verb) == words


def test_no_verb_is_without_an_example_of_its_words() -> None:
    (mark,) = test_every_action_has_words_for_the_log.pytestmark  # type: ignore[attr-defined]
    shown = {type(verb) for verb, _ in mark.args[1]}
    assert {kind for name, kind in VERBS.items() if name != "unwatch"} == shown
