"""What operators order: how it is read from the store, and what servers plan for it.

Draining and moving without a deadline are in test_ownership.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from driver import Driver, started
from test_ownership import EVERYTHING, kinds, moved, only, view
from worlds import CLUSTER, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover.deadlines import Deadlines
from pa_telephony.failover.intent import moving
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.world import Stop, move, stop

PA1 = frozenset({"PA1"})
BUSY = frozenset(EVERYTHING) - {PORTS[0]}
"""What is free where a call is up on the first port."""


# ------------------------------------------------------------------- what stands in the store


@pytest.mark.parametrize(
    ("value", "to", "within"),
    [
        ("PA3", "PA3", None),
        ("PA3:60", "PA3", 60.0),
        ("PA3:0", "PA3", 0.0),
        # A later release may say more; what is known of it counts, and no call ends for the rest.
        ("PA3:60:and more", "PA3", 60.0),
        ("PA3:soon", "PA3", None),
        ("PA9:60", None, None),
    ],
)
def test_an_order_to_move_is_read_with_and_without_a_deadline(
    value: str, to: str | None, within: float | None
) -> None:
    worlds = Worlds()
    worlds.put(move("PA1"), value)
    orders = worlds.world().orders("PA1")
    assert (orders.moved_to, orders.moves_within) == (to, within)


def test_an_order_to_move_is_written_with_and_without_a_deadline() -> None:
    worlds = Worlds()
    worlds.commit(moving(CLUSTER, "PA1", "PA3", deadline=60))
    assert worlds.entries[move("PA1")].value == "PA3:60"
    worlds.commit(moving(CLUSTER, "PA1", "PA3"))
    assert worlds.entries[move("PA1")].value == "PA3"


@pytest.mark.parametrize(
    ("value", "how", "within"),
    [
        ("drain:600", Stop.DRAIN, 600.0),
        ("drain:600:and more", Stop.DRAIN, 600.0),
        ("drain", Stop.DRAIN, 0.0),
        ("alone", Stop.ALONE, 0.0),
        ("of a later release", Stop.FAIL_OVER, 0.0),
    ],
)
def test_an_order_to_stop_is_read(value: str, how: Stop, within: float) -> None:
    worlds = Worlds()
    worlds.put(stop("PA1"), value)
    orders = worlds.world().orders("PA1")
    assert (orders.stop, orders.drains_within) == (how, within)


# -------------------------------------------------------------------- a move with a deadline


def moves_within(*owned: Any) -> Worlds:
    """PA1 is to be moved to PA3, and calls have a minute; it has these, and PA3 the others."""
    worlds = moved(*owned)
    worlds.put(move("PA1"), "PA3:60")
    return worlds


def test_calls_that_delay_a_move_are_ended_when_their_time_is_over() -> None:
    worlds = moves_within(*PORTS)
    before = plan(view(worlds, "PA1", free=BUSY))
    assert before.end == frozenset()
    assert before.hold == {PORTS[0]}
    after = plan(view(worlds, "PA1", free=BUSY, ending=PA1))
    assert after.end == {PORTS[0]}
    # It is served until its call has ended, and handed over then.
    assert after.hold == {PORTS[0]}
    assert plan(view(worlds, "PA1", ending=PA1)).give == {*PORTS}


def test_no_call_is_ended_while_new_ones_still_come() -> None:
    worlds = moves_within(*PORTS, ROUTE_POINT)
    assert plan(view(worlds, "PA1", free=BUSY, ending=PA1)).end == frozenset()


def test_no_call_is_ended_for_a_stand_in_that_cannot_serve() -> None:
    worlds = moves_within(*PORTS)
    worlds.beat("PA3", frozenset({"jtapi"}))
    assert worlds.world().calls_end_within("PA1", "PA1") is None
    assert plan(view(worlds, "PA1", free=BUSY, ending=PA1)).end == frozenset()
    worlds.die("PA3")
    assert worlds.world().calls_end_within("PA1", "PA1") is None


def test_who_has_the_calls_of_a_home_that_moves_to_another_ends_them() -> None:
    worlds = moves_within()
    worlds.put(move("PA1"), "PA2:60")
    worlds.want("PA1")
    assert worlds.world().calls_end_within("PA1", "PA3") is not None
    asked = {"granted": PA1, "free": BUSY, "ending": PA1}
    assert plan(view(worlds, "PA3", **asked)).end == {PORTS[0]}
    assert plan(view(worlds, "PA3", free=BUSY, ending=PA1)).end == frozenset()


def test_who_is_moved_to_ends_no_call_when_it_has_to_give_back() -> None:
    worlds = moves_within()
    assert worlds.world().calls_end_within("PA1", "PA3") is None


# ---------------------------------------------------------------- since when calls have their time


def test_the_time_of_calls_begins_when_the_order_can_be_obeyed_and_anew_after_a_break() -> None:
    worlds, deadlines = moves_within(*PORTS), Deadlines()
    deadlines.observe(worlds.world(), "PA1", 100.0)
    assert 160.0 in deadlines.times()
    deadlines.observe(worlds.world(), "PA1", 130.0)
    assert deadlines.over(159.0) == frozenset()
    assert deadlines.over(160.0) == {"PA1"}
    worlds.die("PA3")
    deadlines.observe(worlds.world(), "PA1", 161.0)
    assert deadlines.over(1000.0) == frozenset()
    worlds.enter("PA3")
    deadlines.observe(worlds.world(), "PA1", 2000.0)
    assert deadlines.over(2059.0) == frozenset()
    assert deadlines.over(2060.0) == {"PA1"}


def test_an_order_that_is_given_again_gives_its_time_again() -> None:
    worlds, deadlines = moves_within(*PORTS), Deadlines()
    deadlines.observe(worlds.world(), "PA1", 100.0)
    worlds.put(move("PA1"), "PA3:60")
    deadlines.observe(worlds.world(), "PA1", 150.0)
    assert deadlines.over(200.0) == frozenset()
    assert deadlines.over(210.0) == {"PA1"}


# ------------------------------------------------------------------------------- the member


def moving_away(driver: Driver) -> None:
    """PA3 is there, and PA1 is ordered to it; calls have a minute."""
    driver.worlds.enter("PA3")
    driver.settle()
    driver.worlds.put(move("PA1"), "PA3:60")
    driver.pass_time(2.0)


def stay_alive(driver: Driver, seconds: float) -> None:
    """PA3 beats all the time."""
    for _ in range(int(seconds)):
        driver.worlds.enter("PA3")
        driver.pass_time(1.0)


def test_a_call_that_delays_a_move_is_ended_once_with_the_reason() -> None:
    driver = started()
    driver.member.set_busy(PORTS[0], True)
    moving_away(driver)
    stay_alive(driver, 50.0)
    assert driver.ended == []
    assert driver.worlds.world().owner(PORTS[0]) == "PA1"
    stay_alive(driver, 10.0)
    assert driver.ended == [(PORTS[0], "an operator moves PA1 to PA3")]
    assert {driver.worlds.world().owner(each) for each in EVERYTHING} == {"PA3"}


def test_a_port_whose_calls_are_ended_takes_no_further_one() -> None:
    driver = started()
    driver.hangs_up = False
    driver.member.set_busy(PORTS[0], True)
    moving_away(driver)
    assert driver.member.may_answer(PORTS[0], driver.now)
    stay_alive(driver, 60.0)
    assert [each for each, _ in driver.ended] == [PORTS[0]]
    why = driver.member.turns_away(PORTS[0], driver.now)
    assert why == "an operator's order ends the calls on it"
    # The call manager says that the call is over, and all goes on.
    driver.member.set_busy(PORTS[0], False)
    driver.settle()
    assert driver.worlds.world().owner(PORTS[0]) == "PA3"


def test_nothing_is_handed_over_once_the_order_is_taken_back() -> None:
    driver = started()
    driver.member.set_busy(PORTS[0], True)
    moving_away(driver)
    driver.worlds.delete(move("PA1"))
    stay_alive(driver, 70.0)
    assert driver.ended == []
    assert StepKind.HAND_OVER not in kinds(plan(view(driver.worlds, "PA1")))


def test_the_hand_over_of_a_port_compares_the_order_with_its_deadline() -> None:
    worlds = moves_within(*PORTS)
    step = only(plan(view(worlds, "PA1", released=frozenset(PORTS))), StepKind.HAND_OVER)
    worlds.put(move("PA1"), "PA3")
    assert not worlds.commit(step.transaction)
