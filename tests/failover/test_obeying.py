"""What operators order: how it is read from the store, and what servers plan for it.

Draining and moving without a deadline are in test_ownership.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from driver import Driver, started
from test_ownership import EVERYTHING, kinds, moved, only, view
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Command, cluster_status
from pa_telephony.failover.deadlines import Deadlines
from pa_telephony.failover.intent import (
    Answer,
    answer,
    keeping_away,
    kept_away,
    moved as moved_to,
    moving,
    returned,
    returning as returning_home,
    unmovable,
    unreturnable,
)
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.world import Stop, claim, held_back, move, returning, stop, want

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


def test_a_moved_home_that_has_asked_asks_no_more_once_its_stand_in_can() -> None:
    """Else what it hands over would be given back to it, again and again."""
    worlds = moves_within(*PORTS)
    worlds.beat("PA3", frozenset({"jtapi"}))
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]
    worlds.want("PA1")
    assert kinds(plan(view(worlds, "PA1"))) == []
    worlds.enter("PA3")
    assert StepKind.UNWANT in kinds(plan(view(worlds, "PA1")))


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda worlds: None, ""),
        (lambda worlds: worlds.die("PA3"), "PA3 does not run"),
        (lambda worlds: worlds.dead.add("PA1"), "PA1 does not run"),
        (lambda worlds: worlds.stop("PA3"), "PA3 is to stop"),
        (
            lambda worlds: worlds.beat("PA3", frozenset({"jtapi"})),
            "PA3 does not reach all that PA1 reaches",
        ),
        (lambda worlds: worlds.claim("PA2", "PA1"), "PA2 has it, and gives it back first"),
        (
            lambda worlds: (worlds.claim("PA2", "PA1"), worlds.put(held_back("PA1"), "held")),
            "PA2 has it, held there by an operator",
        ),
    ],
)
def test_what_keeps_a_home_from_being_moved_is_told(happens: Any, why: str) -> None:
    worlds = moves_within(*PORTS)
    happens(worlds)
    assert unmovable(CLUSTER, worlds.snapshot(), "PA1", "PA3") == why
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert moved_to(page, "PA3", why).words.endswith(f": 0; {why}" if why else ": 0")


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
    stay_alive(driver, 65.0)
    driver.member.set_busy(PORTS[1], True)
    stay_alive(driver, 5.0)
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


# ------------------------------------------------------------------ a stand-in that is drained


def draining(*mine: Any, busy: Any = ()) -> Worlds:
    """PA1 is gone, PA2 stands in for it and is to be drained, PA3 could have it."""
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.enter("PA3")
    worlds.enter("PA2", up=EVERYTHING, busy=busy)
    worlds.own("PA2", *(mine or EVERYTHING))
    worlds.claim("PA2", "PA1")
    worlds.put(stop("PA2"), "drain:600")
    return worlds


def test_a_stand_in_that_is_drained_hands_over_what_it_has_and_the_claim() -> None:
    worlds = draining()
    step = only(plan(view(worlds, "PA2", lingers=True)), StepKind.HAND_OVER)
    assert (step.server, step.identities) == ("PA3", (ROUTE_POINT,))
    assert worlds.commit(step.transaction)
    assert worlds.world().claimant("PA1") == "PA3"
    step = only(plan(view(worlds, "PA2", lingers=True)), StepKind.HAND_OVER)
    assert step.identities == (INTERCEPTOR,)


def test_what_a_drained_stand_in_has_in_a_call_follows_when_that_has_ended() -> None:
    worlds = draining(PORTS[0])
    worlds.claim("PA3", "PA1")
    assert plan(view(worlds, "PA2", free=BUSY)).steps == ()
    what = plan(view(worlds, "PA2"))
    assert (what.give, what.steps) == ({PORTS[0]}, ())
    step = only(plan(view(worlds, "PA2", released=PORTS[:1])), StepKind.HAND_OVER)
    assert (step.server, step.identities) == ("PA3", (PORTS[0],))


def test_what_was_left_at_a_stand_in_that_shall_stay_follows_the_claim() -> None:
    worlds = draining(PORTS[0])
    worlds.claim("PA3", "PA1")
    worlds.delete(stop("PA2"))
    step = only(plan(view(worlds, "PA2", released=PORTS[:1])), StepKind.HAND_OVER)
    assert (step.server, step.identities) == ("PA3", (PORTS[0],))


def test_a_drained_stand_in_that_nobody_can_follow_leaves_when_its_calls_have_ended() -> None:
    worlds = draining()
    worlds.die("PA3")
    assert plan(view(worlds, "PA2", free=BUSY)).steps == ()
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.LEAVE]


def test_a_drained_stand_in_keeps_what_was_stopped_alone_from_others() -> None:
    worlds = draining()
    worlds.stop("PA1", Stop.ALONE)
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.LEAVE]


def test_a_home_that_asks_has_its_own_back_at_once_from_a_stand_in_that_is_drained() -> None:
    worlds = draining()
    worlds.enter("PA1")
    worlds.want("PA1")
    what = plan(view(worlds, "PA2", free=BUSY, released=PORTS[1:]))
    step = only(what, StepKind.HAND_BACK)
    assert step.identities == PORTS[1:]
    worlds.delete(stop("PA2"))
    assert not worlds.commit(step.transaction)


def test_a_home_that_is_held_back_is_handed_on_by_a_stand_in_that_is_drained() -> None:
    worlds = draining()
    worlds.enter("PA1")
    worlds.want("PA1")
    worlds.put(held_back("PA1"), "held")
    assert only(plan(view(worlds, "PA2", lingers=True)), StepKind.HAND_OVER).server == "PA3"


def test_a_home_that_begins_is_awaited_by_a_stand_in_that_is_drained() -> None:
    worlds = draining()
    what = plan(view(worlds, "PA2", lingers=True, coming=PA1))
    assert (what.hold, what.steps) == ({*EVERYTHING}, ())


# --------------------------------------------------------------------- a return that is ordered


def away(*busy: Any) -> Worlds:
    """PA1 is back, and PA2 has all of it; there are calls on ``busy``."""
    worlds = Worlds()
    worlds.enter("PA1", "PA3")
    worlds.enter("PA2", up=EVERYTHING, busy=busy)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    return worlds


def ordered_home(*busy: Any, deadline: int = 0) -> Worlds:
    """The same; PA1 asks, and an operator has ordered it home."""
    worlds = away(*busy)
    worlds.want("PA1")
    assert worlds.commit(returning_home(CLUSTER, worlds.snapshot(), "PA1", deadline=deadline))
    return worlds


def test_an_order_to_return_counts_for_the_session_that_it_was_given_to_alone() -> None:
    worlds = ordered_home(deadline=60)
    assert worlds.world().orders("PA1").returns_within == 60.0
    worlds.die("PA1")
    assert worlds.world().orders("PA1").returns_within is None
    worlds.enter("PA1")
    assert worlds.world().orders("PA1").returns_within is None


def test_an_order_to_return_is_not_given_to_a_session_that_has_just_ended() -> None:
    worlds = away()
    order = returning_home(CLUSTER, worlds.snapshot(), "PA1")
    worlds.die("PA1")
    worlds.enter("PA1")
    assert not worlds.commit(order)


def test_a_home_that_is_ordered_to_return_has_not_to_ask_for_long() -> None:
    worlds = away()
    worlds.want("PA1")
    assert plan(view(worlds, "PA2")).give == frozenset()
    assert plan(view(ordered_home(), "PA2")).give == {*PORTS}


def test_a_home_that_does_not_ask_gets_nothing_by_order() -> None:
    worlds = ordered_home()
    worlds.delete(want("PA1"))
    assert plan(view(worlds, "PA2")).give == frozenset()
    assert worlds.world().calls_end_within("PA1", "PA2") is None


def test_calls_that_delay_an_ordered_return_are_ended_when_their_time_is_over() -> None:
    worlds = ordered_home(PORTS[0], deadline=60)
    found = plan(view(worlds, "PA2", free=BUSY))
    assert (found.give, found.end) == ({PORTS[1]}, frozenset())
    found = plan(view(worlds, "PA2", free=BUSY, ending=PA1))
    assert (found.give, found.end) == ({PORTS[1]}, {PORTS[0]})


def test_a_hand_back_compares_the_orders_about_the_home() -> None:
    for key in (returning("PA1"), held_back("PA1")):
        worlds = ordered_home()
        step = only(plan(view(worlds, "PA2", released=frozenset(PORTS))), StepKind.HAND_BACK)
        worlds.put(key, "PA1:7:0")
        assert not worlds.commit(step.transaction)


def test_the_end_of_a_return_takes_its_order_back() -> None:
    worlds = ordered_home()
    worlds.own("PA1", *EVERYTHING)
    step = only(plan(view(worlds, "PA2")), StepKind.RELEASE)
    assert worlds.commit(step.transaction)
    assert returning("PA1") not in worlds.entries


def test_a_home_of_which_nothing_is_away_takes_an_order_to_return_back() -> None:
    worlds = ordered_home()
    assert StepKind.RETURNED not in kinds(plan(view(worlds, "PA1")))
    worlds.own("PA1", *EVERYTHING)
    assert StepKind.RETURNED not in kinds(plan(view(worlds, "PA1")))
    worlds.delete("claim/PA1")
    worlds.own("PA2", PORTS[0])
    assert StepKind.RETURNED not in kinds(plan(view(worlds, "PA1")))
    worlds.own("PA1", PORTS[0])
    step = only(plan(view(worlds, "PA1")), StepKind.RETURNED)
    worlds.commit(returning_home(CLUSTER, worlds.snapshot(), "PA1"))
    assert not worlds.commit(step.transaction)
    step = only(plan(view(worlds, "PA1")), StepKind.RETURNED)
    worlds.claim("PA2", "PA1")
    assert not worlds.commit(step.transaction)
    worlds.delete("claim/PA1")
    step = only(plan(view(worlds, "PA1")), StepKind.RETURNED)
    assert worlds.commit(step.transaction)
    assert returning("PA1") not in worlds.entries


def test_a_home_that_begins_a_session_takes_its_predecessor_s_order_to_return_back() -> None:
    worlds = ordered_home()
    worlds.die("PA1")
    step = only(plan(view(worlds, "PA1")), StepKind.ENTER)
    assert worlds.commit(step.transaction)
    assert returning("PA1") not in worlds.entries


def test_to_return_takes_a_move_and_a_hold_back_and_each_of_them_takes_it_back() -> None:
    worlds = away()
    worlds.commit(moving(CLUSTER, "PA1", "PA2", deadline=60))
    worlds.commit(keeping_away(CLUSTER, "PA1"))
    worlds.commit(returning_home(CLUSTER, worlds.snapshot(), "PA1"))
    orders = worlds.world().orders("PA1")
    assert (orders.moved_to, orders.held_back, orders.returns_within) == (None, False, 0.0)
    worlds.commit(moving(CLUSTER, "PA1", "PA2"))
    assert worlds.world().orders("PA1").returns_within is None
    worlds.commit(returning_home(CLUSTER, worlds.snapshot(), "PA1"))
    worlds.commit(keeping_away(CLUSTER, "PA1"))
    assert worlds.world().orders("PA1").returns_within is None


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda worlds: None, ""),
        (lambda worlds: worlds.die("PA1"), "PA1 does not run: there is nobody to return to"),
        (lambda worlds: worlds.dead.add("PA1"), "PA1 does not run: there is nobody to return to"),
        (lambda worlds: worlds.stop("PA1"), "PA1 is to stop: there is nobody to return to"),
    ],
)
def test_who_does_not_run_cannot_return(happens: Any, why: str) -> None:
    worlds = away()
    happens(worlds)
    assert unreturnable(CLUSTER, worlds.snapshot(), "pa1") == why


def test_how_far_a_return_is_says_what_delays_it() -> None:
    worlds = ordered_home(PORTS[0])
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert page.state == "returns by order, ends calls after 0 ms"
    found = returned(page, worlds.snapshot())
    assert (found.final, found.obeyed) == (False, False)
    assert found.words == "PA1 runs; PA2 still has 4 of its numbers, 1 of them in a call"
    worlds.beat("PA1", frozenset({"jtapi"}))
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert returned(page, worlds.snapshot()).words.endswith("; it does not reach skinny")
    worlds.die("PA1")
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    found = returned(page, worlds.snapshot())
    assert (found.final, found.obeyed) == (True, False)


def test_an_order_that_went_with_the_claim_is_done_when_all_is_registered_at_home() -> None:
    worlds = ordered_home(PORTS[0])

    def found() -> Answer:
        (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
        return returned(page, worlds.snapshot())

    worlds.delete(returning("PA1"))
    assert found().final
    assert found().words.endswith("; the order to return counts no more")
    worlds.delete(claim("PA1"))
    worlds.own("PA1", *EVERYTHING)
    assert not found().final
    assert "counts no more" not in found().words
    worlds.enter("PA2")
    worlds.enter("PA1", up=EVERYTHING)
    assert (found().final, found().obeyed) == (True, True)


# ----------------------------------------------------------------------------- a home that is held


def test_nothing_of_a_home_that_is_held_comes_home_and_it_does_not_ask() -> None:
    worlds = away()
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]
    worlds.commit(keeping_away(CLUSTER, "PA1"))
    assert kinds(plan(view(worlds, "PA1"))) == []
    worlds.want("PA1")
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.UNWANT]
    found = plan(view(worlds, "PA2", granted=PA1))
    assert (found.give, found.hold) == (frozenset(), {*EVERYTHING})
    worlds.commit(keeping_away(CLUSTER, "PA1", keep=False))
    assert plan(view(worlds, "PA2", granted=PA1)).give == {*PORTS}


def test_a_home_that_is_held_is_taken_over_and_takes_what_nobody_has() -> None:
    worlds = away()
    worlds.commit(keeping_away(CLUSTER, "PA1"))
    worlds.die("PA2")
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.ACQUIRE]
    worlds.die("PA1")
    assert kinds(plan(view(worlds, "PA3"))) == [StepKind.TAKE_HOME]


def test_the_answer_to_hold_says_who_keeps_what() -> None:
    worlds = away()
    worlds.commit(keeping_away(CLUSTER, "PA1"))
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert page.state == "held at PA2 by an operator"
    found = kept_away(page)
    assert (found.final, found.obeyed) == (True, True)
    assert found.words == "PA1: PA2 keeps 4 of its 4 numbers"
    found = answer(Command.START, page, worlds.snapshot())
    assert (found.final, found.obeyed) == (True, True)
    assert found.words == "PA1 runs; PA2 keeps 4 of its numbers, held there by an operator"
    worlds.own("PA1", *EVERYTHING)
    worlds.enter("PA1", up=EVERYTHING)
    worlds.enter("PA2")
    worlds.delete("claim/PA1")
    (page, *_) = cluster_status(CLUSTER, worlds.snapshot())
    assert kept_away(page).words == (
        "PA1: whoever stands in for it keeps its 4 numbers; now nobody does"
    )
    assert page.state == "normal; what a stand-in takes is held there"
