"""A bug that shows at one leg ends that one; the others of its device, and of the house, go on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from bare_house import House
from company import PHONES

from pa_telephony.callmanager.calls.model import REMOTE
from pa_telephony.callmanager.calls.verbs import Forward, Leg, LegState, Watcher


class Faulty(Watcher):
    """A watcher of the calls that fails at some legs."""

    def __init__(self, house: House, fails: Callable[[Leg], bool]) -> None:
        self._fails = fails
        house.calls.watchers.append(self)

    def leg_changed(self, leg: Leg) -> None:
        if self._fails(leg):
            raise ZeroDivisionError(f"nobody thought of {leg.state} at {leg.device}")


def hang_up(house: House) -> None:
    """Whatever is left ends in the ordinary way."""
    house.calls.watchers.pop()
    for leg in list(house.calls.legs.values()):
        if leg.id in house.calls.legs:
            house.calls.release(leg)
    assert not house.calls.legs
    assert not any(device.streams for device in (*house.devices.values(), house.resource))


def three_calls_of_b(house: House) -> list[Leg]:
    """B has one call on hold, one that is up, and one that rings; gives the others' legs."""
    first, _ = house.talk("P1", "1002", "P2")
    second, _ = house.talk("P3", "2000", "P2")
    third = house.call("P4", "1002")
    assert house.states("P2") == [LegState.HELD, LegState.CONNECTED, LegState.OFFERED]
    return [first, second, third]


def test_a_device_that_is_gone_has_no_leg_whichever_fails() -> None:
    house = House()
    three_calls_of_b(house)
    Faulty(house, lambda leg: leg.device == "P2")
    with pytest.raises(ExceptionGroup) as caught:
        house.leave("P2")
    assert len(caught.value.exceptions) == 3
    assert not house.calls.legs_of("P2")
    assert not house.calls.is_registered("P2")
    # Nobody is left in a call with nobody: who still has a leg hears that it failed.
    assert {leg.state for leg in house.calls.legs.values()} <= {LegState.FAILED}
    hang_up(house)


@pytest.mark.parametrize("conference", [False, True])
@pytest.mark.parametrize("leaves", PHONES)
@pytest.mark.parametrize("fails", PHONES)
def test_wherever_it_shows_nobody_is_left_in_a_call_with_nobody(
    fails: str, leaves: str, conference: bool
) -> None:
    house = House()
    three_calls_of_b(house)
    if conference:
        house.calls.join(*house.calls.legs_of("P2")[:2])
    Faulty(house, lambda leg: leg.device == fails)
    with contextlib.suppress(ZeroDivisionError, ExceptionGroup):
        house.leave(leaves)
    assert not house.calls.legs_of(leaves)
    for leg in house.calls.legs.values():
        if leg.state is LegState.FAILED:
            continue
        others = [leg.peer, *(leg.conference.members if leg.conference is not None else ())]
        if leg.state in REMOTE:
            others += leg.appearances
        there = [each for each in others if each not in (None, leg)]
        assert there
        assert all(each.id in house.calls.legs for each in there if each is not None)
    hang_up(house)


def test_one_error_comes_as_it_is_and_the_device_is_told_of() -> None:
    house = House()
    three_calls_of_b(house)
    Faulty(house, lambda leg: leg.device == "P2" and leg.line_index == 2)
    told: list[str] = []
    house.log.device_changed = told.append  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        house.leave("P2")
    assert told == ["P2"]
    assert not house.calls.legs_of("P2")


def test_a_bug_at_the_end_of_a_removed_device_leaves_none_of_its_numbers() -> None:
    house = House()
    three_calls_of_b(house)
    Faulty(house, lambda leg: leg.device == "P2" and leg.line_index == 2)
    with pytest.raises(ZeroDivisionError):
        house.calls.remove_device("P2")
    assert house.calls.line("1002") is None


@pytest.mark.parametrize("state", [LegState.PROCEEDING, LegState.FAILED])
@pytest.mark.parametrize("device", ["P3", "P4"])
def test_a_bug_when_no_more_digits_come_ends_that_leg_and_keeps_no_other_waiting(
    state: LegState, device: str
) -> None:
    house = House()
    talking = house.talk("P1", "1002", "P2")
    for each in ("P3", "P4"):
        leg = house.call(each, "")
        for digit in "100":
            house.calls.digit(leg, digit)
    Faulty(house, lambda leg: leg.device == device and leg.state is state)
    with pytest.raises(ZeroDivisionError):
        house.wait(5.0)
    assert not house.calls.legs_of(device)
    assert house.states("P4" if device == "P3" else "P3") == [LegState.FAILED]
    assert [leg.state for leg in talking] == [LegState.CONNECTED] * 2
    hang_up(house)


@pytest.mark.parametrize("device", ["P2", "P3"])
@pytest.mark.parametrize("forward", ["", "1004"])
def test_a_bug_when_it_has_rung_for_too_long_leaves_nobody_ringing_for_ever(
    device: str, forward: str
) -> None:
    house = House()
    line = house.calls.line("1002")
    assert line is not None
    house.calls.set_forward(line, Forward.NO_ANSWER, forward)
    caller = house.call("P3", "1002")
    Faulty(house, lambda leg: leg.device == device)
    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        house.wait(200.0)
    assert not house.calls.legs_of("P2")
    # It rings at the number it was forwarded to, or he knows that it does not.
    if house.states("P4"):
        assert (caller.state, house.states("P4")) == (LegState.RINGING_OUT, [LegState.OFFERED])
    else:
        assert caller.state in (LegState.IDLE, LegState.FAILED)
    hang_up(house)


def test_a_bug_at_one_reversion_keeps_no_other_waiting() -> None:
    house = House()
    for caller, called in (("P1", "1002"), ("P3", "1004")):
        house.talk(caller, called, "P2" if called == "1002" else "P4")
    for device in ("P2", "P4"):
        house.calls.park(house.leg(device))
    assert len(house.calls.parked) == 2
    Faulty(house, lambda leg: leg.device == "P2")
    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        house.wait(31.0)
    assert not house.calls.parked
    assert not house.calls.legs_of("P2")
    assert not [leg for leg in house.calls.legs_of("P1") if leg.state is not LegState.FAILED]
    # The other caller rings at the one who parked him.
    assert house.states("P4") == [LegState.OFFERED]
    hang_up(house)
