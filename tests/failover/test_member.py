"""A server without its I/O: the guard, the fence, unknown outcomes, retries, holding times."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from driver import Driver, started
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Timing
from pa_telephony.failover.actions import Action, Close, Register, Transact
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.transaction import Delete, Outcome, Put, Transaction
from pa_telephony.failover.world import Stop, coming, session, stop

EVERYTHING = CLUSTER.identities("PA1")
TIMING = CLUSTER.timing


def test_ports_register_first_and_the_route_point_last_even_when_a_port_is_refused() -> None:
    driver = Driver("PA1", Worlds())
    driver.refuses.add(PORTS[0])
    driver.settle()
    assert driver.asked == [[*PORTS], [INTERCEPTOR], [ROUTE_POINT]]


def test_it_acts_only_for_a_while_after_its_last_heartbeat_then_it_fences() -> None:
    driver = started()
    driver.store_answers = False
    driver.pass_time(TIMING.own - TIMING.heartbeat - 0.01)
    assert driver.member.may_act(driver.now)
    assert driver.registered == set(EVERYTHING)
    driver.pass_time(TIMING.heartbeat + 0.02)
    assert not driver.member.may_act(driver.now)
    assert not driver.member.serves(ROUTE_POINT, driver.now)
    assert driver.registered == set()
    assert driver.closed_at_once == set(EVERYTHING)


def test_a_server_that_was_deposed_stops_at_once() -> None:
    driver = started()
    driver.worlds.die("PA1")
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    closes = [a for a in driver.member.actions(driver.now) if isinstance(a, Close)]
    assert {close.identity for close in closes} == set(EVERYTHING)
    assert not driver.member.may_act(driver.now)


def test_a_heartbeat_that_did_not_commit_means_deposed() -> None:
    driver = started()
    driver.worlds.die("PA1")
    driver.now += TIMING.heartbeat  # and no snapshot has said so yet
    for action in driver.member.actions(driver.now):
        driver.perform(action)
    assert not driver.member.may_act(driver.now)


def test_an_unknown_outcome_is_cured_by_repeating_the_same_transaction() -> None:
    driver = Driver("PA1", Worlds())
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    (enter,) = driver.member.actions(driver.now)
    assert isinstance(enter, Transact)
    driver.member.finished(enter, None, driver.now)
    assert driver.member.actions(driver.now) == []
    driver.now = driver.member.next_deadline(driver.now)
    assert driver.member.actions(driver.now) == [enter]


def test_the_late_refusal_of_a_heartbeat_of_the_session_before_ends_nothing() -> None:
    driver = started()
    driver.now += TIMING.heartbeat
    (late,) = (each for each in driver.member.actions(driver.now) if isinstance(each, Transact))
    driver.worlds.die("PA1")
    driver.settle()
    assert driver.registered == set(EVERYTHING)
    driver.closed_at_once.clear()
    driver.member.finished(late, Outcome(False, driver.worlds.revision), driver.now)
    assert driver.member.actions(driver.now) == []
    driver.pass_time(TIMING.own + 1.0)
    assert driver.registered == set(EVERYTHING)
    assert driver.closed_at_once == set()


def test_what_is_refused_is_tried_again_soon_and_later_and_later() -> None:
    driver = Driver("PA1", Worlds())
    driver.refuses.add(PORTS[0])
    driver.settle()

    def tries() -> int:
        return sum(PORTS[0] in each for each in driver.asked)

    came = [driver.now]
    while len(came) < 8:
        before = tries()
        driver.pass_time(0.01)
        if tries() > before:
            came.append(driver.now)
    waits = [then - before for before, then in itertools.pairwise(came)]
    tenth = TIMING.retry / 10
    expected = [tenth, tenth, 2 * tenth, 4 * tenth, 8 * tenth, TIMING.retry, TIMING.retry]
    assert waits == pytest.approx(expected, abs=0.05)
    driver.refuses.clear()
    driver.pass_time(TIMING.retry + 0.01)
    assert PORTS[0] in driver.registered
    # Another time it begins anew.
    driver.member.lost(PORTS[0], driver.now, "")
    driver.settle()
    driver.refuses.add(PORTS[0])
    driver.pass_time(TIMING.retry + 0.01)
    before = tries()
    driver.pass_time(tenth + 0.02)
    assert tries() == before + 1


def test_what_the_call_manager_refuses_is_tried_again_after_a_while_and_shown() -> None:
    driver = Driver("PA1", Worlds())
    driver.call_manager_answers = False
    driver.settle()
    assert driver.member.state(PORTS[0]) is State.IDLE
    driver.pass_time(TIMING.heartbeat)
    found = driver.worlds.world().session("PA1")
    assert found is not None
    assert found.beat.why[PORTS[0].label] == "no such device"
    driver.call_manager_answers = True
    driver.pass_time(TIMING.retry + 0.01)
    assert driver.registered == set(EVERYTHING)
    driver.member.lost(PORTS[0], driver.now, "reset by peer")
    driver.member.closed(PORTS[0], driver.now)
    driver.settle()
    assert driver.member.reasons()[PORTS[0].label] == "reset by peer"
    driver.pass_time(TIMING.retry + 0.01)
    assert driver.member.reasons() == {}


def test_the_call_above_capacity_is_not_answered() -> None:
    """F10. PA2 has a capacity of 2 and stands in for two ports."""
    driver = started("PA2")
    driver.pass_time(TIMING.grace)
    assert driver.registered == set(EVERYTHING)
    assert driver.member.may_answer(PORTS[0], driver.now)
    servers = (CLUSTER.servers[0], replace(CLUSTER.servers[1], capacity=1), CLUSTER.servers[2])
    small = started("PA2", replace(CLUSTER, servers=servers))
    small.pass_time(TIMING.grace)
    small.member.set_busy(PORTS[0], True)
    assert small.member.may_answer(PORTS[0], small.now)
    assert not small.member.may_answer(PORTS[1], small.now)
    assert small.member.serves(PORTS[1], small.now)


@pytest.mark.parametrize("state", State)
def test_a_call_that_has_come_is_served_unless_its_port_is_given_up(state: State) -> None:
    """F28. The call manager may offer a call before it refuses an unregistration (NAK), and after
    a registration of which the report is still on its way."""
    driver = started()
    driver.member._ledger.registrations[PORTS[0]].state = state
    given_up = state in (State.IDLE, State.RELEASED, State.CLOSING)
    assert driver.member.serves(PORTS[0], driver.now) is not given_up
    assert driver.member.may_answer(PORTS[0], driver.now) is not given_up
    assert (state.value in driver.member.turns_away(PORTS[0], driver.now)) is given_up
    driver.member._guard = driver.now
    assert driver.member.turns_away(PORTS[0], driver.now) == "the guard is over"


def test_a_server_takes_nothing_from_others_in_its_first_seconds() -> None:
    driver = started("PA2")
    driver.pass_time(TIMING.grace - 0.01)
    assert driver.registered == set()
    driver.pass_time(0.02)
    assert driver.registered == set(EVERYTHING)


def test_a_silent_server_is_given_up_after_a_while() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.settle()
    driver.pass_time(TIMING.take - 0.01)
    assert driver.registered == set()
    driver.pass_time(0.02)
    assert driver.registered == set(EVERYTHING)
    assert StepKind.DEPOSE in driver.steps


def test_who_does_not_hear_a_server_says_so_before_it_gives_it_up() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.pass_time(3 * TIMING.heartbeat)
    session_of_mine = driver.worlds.world().session("PA2")
    assert session_of_mine is not None
    assert session_of_mine.beat.suspects == {"PA1"}
    driver.worlds.enter("PA1")
    driver.pass_time(2 * TIMING.heartbeat)
    session_of_mine = driver.worlds.world().session("PA2")
    assert session_of_mine is not None
    assert session_of_mine.beat.suspects == frozenset()
    assert driver.now - TIMING.heartbeat < session_of_mine.beat.at <= driver.now


def test_a_provider_that_is_not_reached_stands_in_the_beat_with_its_reason() -> None:
    driver = started()
    driver.member.link("jtapi", False, driver.now, "wrong password")
    driver.pass_time(TIMING.heartbeat)
    found = driver.worlds.world().session("PA1")
    assert found is not None
    assert found.beat.unreached == {"jtapi": "wrong password"}


def test_somebody_who_was_away_himself_blames_nobody_for_silence() -> None:
    """After a pause every session looks old; a new heartbeat must have been missed first."""
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.settle()
    driver.now += TIMING.take + 1.0  # this process did not run
    driver.settle()
    assert StepKind.DEPOSE not in driver.steps


def leaving(driver: Driver) -> Transact:
    """The next transaction of a server that closes everything; not committed yet."""
    for _ in range(10):
        driver.member.observe(driver.worlds.snapshot(), driver.now)
        for action in driver.member.actions(driver.now):
            if isinstance(action, Transact) and action.step is not None:
                return action
            driver.perform(action)
    raise AssertionError("it gives nothing up")


def test_who_asks_to_leave_registers_nothing_before_the_answer_whatever_it_sees_meanwhile() -> None:
    driver = started()
    driver.worlds.stop("PA1", Stop.FAIL_OVER)
    leave = leaving(driver)
    assert leave.step is not None
    assert leave.step.kind is StepKind.LEAVE
    driver.worlds.delete("stop/PA1")
    driver.asked.clear()
    driver.settle()
    assert driver.asked == []
    driver.perform(leave)
    driver.settle()
    assert driver.registered == set(EVERYTHING)


def test_who_gives_a_home_up_registers_nothing_of_it_before_the_answer() -> None:
    driver = started()
    driver.worlds.enter("PA2")
    driver.link(False)
    for identity in EVERYTHING:
        driver.registered.discard(identity)
        driver.member.lost(identity, driver.now)
    driver.now += TIMING.own - 0.1
    driver.settle()
    driver.now += 0.2
    give_up = leaving(driver)
    assert give_up.step is not None
    assert give_up.step.kind is StepKind.GIVE_UP
    driver.link(True)
    driver.asked.clear()
    driver.now += 1.0
    driver.settle()
    assert driver.asked == []
    driver.perform(give_up)
    driver.settle()
    assert driver.registered == set(EVERYTHING)


def test_an_old_snapshot_is_ignored() -> None:
    driver = Driver("PA1", Worlds())
    empty = driver.worlds.snapshot()
    driver.settle()
    driver.member.observe(empty, driver.now)
    assert driver.member.actions(driver.now) == []
    assert driver.registered == set(EVERYTHING)


def test_a_link_is_steady_once_it_has_held_without_a_break() -> None:
    driver = started()
    driver.pass_time(TIMING.steady - TIMING.heartbeat)
    found = driver.worlds.world().session("PA1")
    assert found is not None
    assert (found.beat.links, found.beat.steady) == ({"jtapi", "skinny"}, set())
    driver.link(False, "skinny")
    driver.link(True, "skinny")
    driver.pass_time(2 * TIMING.heartbeat)
    found = driver.worlds.world().session("PA1")
    assert found is not None
    assert found.beat.steady == {"jtapi"}
    driver.pass_time(TIMING.steady)
    found = driver.worlds.world().session("PA1")
    assert found is not None
    assert found.beat.steady == {"jtapi", "skinny"}


# ------------------------------------------------------------------- a server that cannot read


def beat_of(driver: Driver, name: str) -> Beat:
    found = driver.worlds.world().session(name)
    assert found is not None
    return found.beat


def test_a_server_that_cannot_read_says_so_then_closes_everything_and_leaves() -> None:
    """Its heartbeats go on, so that other servers would not find out by themselves."""
    driver = started()
    driver.store_is_read = False
    read = driver.now
    driver.pass_time(TIMING.own / 2 - 0.01)
    assert beat_of(driver, "PA1").reads
    driver.pass_time(TIMING.heartbeat)
    assert not beat_of(driver, "PA1").reads
    assert driver.registered == set(EVERYTHING)
    driver.pass_time(read + TIMING.own - 0.01 - driver.now)
    assert driver.member.may_act(driver.now)
    assert driver.steps == [StepKind.ENTER, StepKind.ACQUIRE]
    driver.pass_time(0.02)
    assert not driver.member.may_act(driver.now)
    assert driver.closed_at_once == set(EVERYTHING)
    assert driver.steps[-1] is StepKind.LEAVE
    assert session("PA1") not in driver.worlds.entries


def test_a_server_that_is_alone_comes_back_with_its_first_look_at_the_store() -> None:
    """Nothing in it changes where no other server lives; the number was dead for 12 s more."""
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    driver.settle()
    driver.store_is_read = False
    for _ in range(60):
        driver.now += 0.1
        driver.settle()
    assert driver.steps[-1] is StepKind.LEAVE
    # It leaves by itself, and sees an answer that was asked for long ago.
    driver.member.observe(worlds.snapshot(), driver.now, asked=driver.now - TIMING.own - 1)
    driver.member.actions(driver.now)
    driver.now += TIMING.own / 4
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.news
    driver.store_is_read = True
    driver.settle()
    assert driver.registered == set(EVERYTHING)


def test_reading_counts_from_when_it_was_asked_for() -> None:
    driver = started()
    driver.store_is_read = False
    asked = driver.now
    driver.pass_time(TIMING.own - 0.5)
    driver.member.observe(driver.worlds.snapshot(), driver.now, asked=asked + 0.25)
    assert driver.member.guard == asked + 0.25 + TIMING.own
    driver.member.observe(driver.worlds.snapshot(), driver.now, asked=asked)
    assert driver.member.guard == asked + 0.25 + TIMING.own


def test_a_snapshot_that_is_too_old_is_no_reading() -> None:
    driver = started()
    old = driver.worlds.snapshot()
    driver.pass_time(TIMING.heartbeat)
    guard = driver.member.guard
    driver.now += 1.0
    driver.member.observe(old, driver.now)
    assert driver.member.guard == guard


def test_a_takeover_planned_from_an_old_look_is_not_begun() -> None:
    """Between half of ``own`` and all of it the server is no heir any more, though it may act."""
    driver = started("PA2")
    driver.store_is_read = False
    driver.pass_time(TIMING.grace + 0.1)
    assert driver.steps == [StepKind.ENTER]


def test_a_stand_in_that_cannot_read_what_it_has_taken_leaves() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA3")
    driver.now += TIMING.grace
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    driver.store_is_read = False
    driver.settle()
    assert driver.steps == [StepKind.ENTER, StepKind.TAKE_HOME]
    driver.pass_time(TIMING.own)
    assert driver.steps[-1] is StepKind.LEAVE


def test_a_server_that_cannot_read_and_was_deposed_comes_to_rest() -> None:
    driver = started()
    driver.store_is_read = False
    driver.worlds.die("PA1")
    driver.pass_time(3 * TIMING.own)
    assert driver.registered == set()
    revision = driver.worlds.revision
    driver.pass_time(10.0)
    assert driver.worlds.revision == revision
    driver.store_is_read = True
    driver.settle()
    assert driver.registered == set(EVERYTHING)


def test_who_cannot_read_blames_nobody_for_silence() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.settle()
    driver.store_is_read = False
    driver.worlds.enter("PA1")
    for _ in range(8):
        driver.pass_time(TIMING.heartbeat)
        beat = beat_of(driver, "PA2")
        assert beat.reads or not beat.suspects
    assert not beat_of(driver, "PA2").reads
    assert StepKind.DEPOSE not in driver.steps


def test_leaving_without_reading_is_asked_for_once() -> None:
    """The store refuses it when another server has ended the session: nothing to be repeated."""
    driver = started()
    driver.store_is_read = False
    driver.now += TIMING.own
    closes = [a for a in driver.member.actions(driver.now) if isinstance(a, Close)]
    driver.worlds.die("PA1")
    for close in closes:
        driver.member.closed(close.identity, driver.now)
    driver.settle()


# --------------------------------------------------------- steps whose answers never came


def lost_hand_back() -> Driver:
    """PA2 has handed everything back, and has not heard that the last step committed."""
    driver = started("PA2")
    driver.pass_time(TIMING.grace)
    driver.worlds.enter("PA1")
    driver.worlds.want("PA1")
    driver.settle()
    driver.now += TIMING.hold
    while driver.worlds.world().owner(ROUTE_POINT) != "PA1":
        driver.member.observe(driver.worlds.snapshot(), driver.now)
        actions = driver.member.actions(driver.now)
        steps = [a.step for a in actions if isinstance(a, Transact) and a.step is not None]
        driver.answers_are_lost = any(ROUTE_POINT in step.identities for step in steps)
        for action in actions:
            driver.perform(action)
    return driver


def test_a_hand_back_whose_answer_is_lost_is_recognised_by_the_token_it_left() -> None:
    """Else the route point would be closed at once, before its owner has it (F28)."""
    driver = lost_hand_back()
    assert driver.member.state(ROUTE_POINT) is State.REGISTERED  # nobody knows yet
    (step,) = driver.member.observe(driver.worlds.snapshot(), driver.now)
    assert step.identities == (ROUTE_POINT,)
    driver.settle()
    assert driver.member.state(ROUTE_POINT) is State.LINGERING
    assert driver.member.serves(ROUTE_POINT, driver.now)
    driver.pass_time(TIMING.linger)
    assert driver.member.state(ROUTE_POINT) is State.IDLE


def test_a_hand_back_that_is_repeated_and_refused_waits_for_a_snapshot_that_shows_it() -> None:
    driver = lost_hand_back()
    driver.store_is_read = False
    driver.pass_time(0.1 * TIMING.heartbeat)
    assert driver.steps.count(StepKind.HAND_BACK) == 3
    assert driver.member.state(ROUTE_POINT) is State.REGISTERED
    (step,) = driver.member.observe(driver.worlds.snapshot(), driver.now)
    assert step.kind is StepKind.HAND_BACK
    assert driver.member.state(ROUTE_POINT) is State.LINGERING


def test_a_repeated_step_that_never_committed_is_planned_again() -> None:
    driver = Driver("PA2", Worlds())
    driver.settle()
    driver.now += TIMING.grace
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    (take,) = (a for a in driver.member.actions(driver.now) if isinstance(a, Transact) and a.step)
    driver.member.finished(take, None, driver.now)
    driver.worlds.enter("PA3")
    driver.worlds.own("PA3", PORTS[0])
    driver.worlds.die("PA3")
    driver.pass_time(0.1 * TIMING.heartbeat)
    assert driver.steps == [StepKind.ENTER, StepKind.TAKE_HOME]
    assert driver.registered == set(EVERYTHING)


def test_a_session_whose_answer_is_lost_begins_its_grace_when_it_was_asked_for() -> None:
    driver = Driver("PA2", Worlds())
    driver.worlds.stop("PA2", Stop.FAIL_OVER)
    driver.settle()
    driver.now += 60.0
    driver.worlds.delete("stop/PA2")
    driver.answers_are_lost = True
    driver.settle()
    driver.pass_time(TIMING.grace - 0.01)
    assert driver.steps == [StepKind.ENTER]
    assert driver.member.may_act(driver.now)
    driver.pass_time(0.1 * TIMING.heartbeat + 0.02)
    assert driver.steps == [StepKind.ENTER, StepKind.TAKE_HOME]


def test_a_session_whose_answer_is_lost_is_good_for_as_long_as_from_its_first_sending() -> None:
    driver = Driver("PA1", Worlds())
    driver.answers_are_lost = True
    sent = driver.now
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    (enter,) = driver.member.actions(driver.now)
    driver.perform(enter)
    driver.now += 0.1 * TIMING.heartbeat
    (again,) = driver.member.actions(driver.now)
    assert again == enter
    driver.now += 0.1
    driver.perform(again)
    (step,) = driver.member.observe(driver.worlds.snapshot(), driver.now)
    assert step.kind is StepKind.ENTER
    assert driver.member.guard == sent + TIMING.own


def test_a_takeover_whose_answer_is_lost_counts_as_one() -> None:
    """Q6: the home that flaps has to ask for longer."""
    cluster = replace(CLUSTER, timing=Timing(hold=1.0, flap_window=600.0))
    driver = started("PA2", cluster)
    driver.answers_are_lost = True
    driver.pass_time(TIMING.grace + TIMING.heartbeat)
    waited = 0.0
    for _ in range(2):
        driver.worlds.enter("PA1")
        driver.worlds.want("PA1")
        driver.settle()
        before = len(driver.steps)
        asked = driver.now
        while StepKind.HAND_BACK not in driver.steps[before:]:
            driver.worlds.enter("PA1")
            driver.pass_time(0.1)
        waited = driver.now - asked
        driver.worlds.die("PA1")
        driver.pass_time(5.0)
    assert round(waited) == 2


def test_a_store_that_is_lost_ends_everything_at_once_and_its_successor_begins_anew() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    driver.settle()
    assert driver.registered == set(EVERYTHING)
    revision = worlds.revision
    driver.member.forget(driver.now)
    assert not driver.member.may_act(driver.now)
    driver.store_answers = False
    driver.settle()
    assert driver.closed_at_once == set(EVERYTHING)
    worlds.entries.clear()
    worlds.revision = 0
    driver.store_answers = True
    driver.settle()
    assert driver.registered == set(EVERYTHING)
    assert worlds.revision < revision + 10
    assert driver.steps.count(StepKind.ENTER) == 2


def test_a_snapshot_of_another_store_ends_everything_though_nobody_was_told() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    driver.settle()
    # The same contents in another file: who wrote into which one is anybody's guess.
    other = replace(worlds.snapshot(), source="another file")
    driver.member.observe(other, driver.now)
    assert driver.member.news
    assert not driver.member.may_act(driver.now)


def test_an_unknown_outcome_of_a_lost_store_is_not_repeated_in_the_next_one() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    driver.member.observe(worlds.snapshot(), driver.now)
    (enter,) = driver.member.actions(driver.now)
    assert isinstance(enter, Transact)
    driver.member.forget(driver.now)
    driver.member.finished(enter, None, driver.now)
    driver.now += TIMING.heartbeat
    assert driver.member.actions(driver.now) == []


def test_mere_heartbeats_of_others_are_nothing_to_plan_for() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    worlds.enter("PA2")
    driver.settle()
    before = worlds.entries[session("PA2")].value
    beat = Beat.decode(before)
    worlds.put(session("PA2"), replace(beat, sequence=7, at=55.0).encode())
    driver.member.observe(worlds.snapshot(), driver.now)
    assert not driver.member.news
    assert driver.member.next_deadline(driver.now) > driver.now
    worlds.put(session("PA2"), replace(beat, links=frozenset()).encode())
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.news
    worlds.stop("PA2")
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.news
    worlds.delete(stop("PA2"))
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.news
    worlds.dead.add("PA2")
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.news


def test_only_a_heartbeat_with_news_is_urgent() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds)
    driver.settle()

    def next_beat() -> Transact:
        driver.now += TIMING.heartbeat
        driver.member.observe(worlds.snapshot(), driver.now)
        (beat,) = driver.member.actions(driver.now)
        assert isinstance(beat, Transact)
        driver.perform(beat)
        return beat

    next_beat()
    assert not next_beat().transaction.urgent
    driver.member.set_busy(PORTS[0], True)
    assert next_beat().transaction.urgent
    assert not next_beat().transaction.urgent


def test_what_waits_for_a_longer_guard_is_registered_as_soon_as_a_heartbeat_has_succeeded() -> None:
    driver = Driver("PA1", Worlds())
    driver.refuses.add(PORTS[0])
    driver.settle()
    driver.pass_time(2 * TIMING.heartbeat)
    member = driver.member

    def a_moment_later() -> list[Action]:
        driver.now += TIMING.heartbeat / 5
        member.observe(driver.worlds.snapshot(), driver.now)
        actions = member.actions(driver.now)
        for action in actions:
            driver.perform(action)
        return actions

    driver.store_answers = False
    while member.guard - driver.now > TIMING.registration:
        a_moment_later()
    member._ledger.registrations[PORTS[0]].retry_at = driver.now
    assert Register(PORTS[0]) not in a_moment_later()
    driver.store_answers = True
    assert Register(PORTS[0]) in [*a_moment_later(), *a_moment_later()]


@pytest.mark.parametrize("news", ["a call that is too long", "another reason"])
def test_news_of_what_changes_no_plan_is_told_before_the_next_heartbeat_is_due(news: str) -> None:
    driver = Driver("PA1", Worlds())
    driver.refuses.add(PORTS[1])
    driver.settle()
    driver.pass_time(1.4 * TIMING.heartbeat)
    member, told = driver.member, beat_of(driver, "PA1")
    assert not member.actions(driver.now)
    if news == "another reason":
        member.lost(PORTS[1], driver.now, "reset by peer")
    else:
        member.set_long(PORTS[0])
    driver.settle()
    beat = beat_of(driver, "PA1")
    assert (beat.why, beat.long) != (told.why, told.long)


def test_a_server_that_may_act_for_longer_than_we_would_is_waited_for() -> None:
    """Its file may say another ``own`` than ours: two servers could act at once."""
    driver = started("PA2")
    patient = replace(CLUSTER, timing=Timing(own=20.0, take=25.0))
    driver.worlds.configure("PA1", patient)
    driver.settle()
    driver.pass_time(20.0)
    assert StepKind.DEPOSE not in driver.steps
    driver.pass_time(2.0)
    assert StepKind.DEPOSE in driver.steps


def test_a_silent_server_that_our_file_does_not_have_is_given_up_too() -> None:
    driver = started("PA3")
    driver.worlds.enter("PA9")
    driver.worlds.own("PA9", *EVERYTHING)
    driver.settle()
    driver.pass_time(TIMING.take - 0.01)
    assert driver.registered == set()
    driver.pass_time(0.02)
    assert driver.registered == set(EVERYTHING)


def test_a_server_that_has_never_read_the_store_begins_no_session() -> None:
    driver = Driver("PA1", Worlds())
    driver.store_is_read = False
    driver.pass_time(3 * TIMING.own)
    assert driver.steps == []
    driver.store_is_read = True
    driver.settle()
    assert driver.registered == set(EVERYTHING)


def test_a_port_that_cannot_be_registered_for_want_of_descriptors_says_so() -> None:
    """Until it is registered, also while it is tried again and after its connection is closed."""
    driver = started()
    why = "127.0.0.10:2000: Too many open files"
    driver.member.lost(PORTS[0], driver.now, why)
    driver.member.closed(PORTS[0], driver.now)
    driver.pass_time(TIMING.heartbeat)
    assert beat_of(driver, "PA1").why == {PORTS[0].label: why}
    assert PORTS[0].label not in beat_of(driver, "PA1").up
    driver.pass_time(TIMING.retry + TIMING.heartbeat)
    assert beat_of(driver, "PA1").why == {}
    assert PORTS[0].label in beat_of(driver, "PA1").up


def test_the_guard_counts_from_the_sending_of_a_heartbeat_not_from_its_answer() -> None:
    driver = started()
    driver.now += TIMING.heartbeat
    (beat,) = driver.member.actions(driver.now)
    assert isinstance(beat, Transact)
    sent = driver.now
    driver.now += 3.0
    driver.perform(beat)
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    assert driver.member.guard == sent + TIMING.own


@pytest.mark.parametrize(("left", "begins"), [(0.1, True), (-0.1, False)])
def test_a_registration_begins_only_when_enough_of_the_guard_is_left(
    left: float, begins: bool
) -> None:
    driver = started()
    driver.store_answers = False
    driver.member.lost(PORTS[0], driver.now)
    driver.asked.clear()
    driver.now = driver.member.guard - TIMING.registration - left
    driver.settle()
    assert driver.asked == ([[PORTS[0]]] if begins else [])


def entered(driver: Driver) -> None:
    """It has a session and has not looked since."""
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    (enter,) = driver.member.actions(driver.now)
    driver.perform(enter)


def test_a_snapshot_from_before_our_own_commit_ends_nothing() -> None:
    driver = Driver("PA1", Worlds())
    before = driver.worlds.snapshot()
    entered(driver)
    driver.member.observe(before, driver.now)
    driver.member.actions(driver.now)
    assert driver.member.may_act(driver.now)


def test_after_a_commit_nothing_is_planned_before_a_new_look() -> None:
    driver = Driver("PA1", Worlds())
    entered(driver)
    assert driver.member.actions(driver.now) == []
    assert driver.member.may_act(driver.now)


def test_after_a_heartbeat_whose_outcome_nobody_knows_silence_counts_anew() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.settle()
    driver.pass_time(4.0)
    driver.now = driver.member.next_deadline(driver.now)
    (beat,) = driver.member.actions(driver.now)
    assert isinstance(beat, Transact)
    driver.member.finished(beat, None, driver.now)
    driver.pass_time(1.0)
    assert StepKind.DEPOSE not in driver.steps
    driver.pass_time(TIMING.take)
    assert StepKind.DEPOSE in driver.steps


def test_who_has_left_does_not_act_though_it_has_not_looked_since() -> None:
    driver = started()
    driver.worlds.stop("PA1", Stop.FAIL_OVER)
    leave = leaving(driver)
    assert driver.member.may_act(driver.now)
    driver.perform(leave)
    assert not driver.member.may_act(driver.now)


def test_beyond_the_guard_no_call_is_served_whatever_is_still_registered() -> None:
    driver = started()
    driver.now = driver.member.guard
    for identity in EVERYTHING:
        assert driver.member.state(identity) is State.REGISTERED
        assert not driver.member.serves(identity, driver.now)
    assert driver.member.turns_away(PORTS[0], driver.now)


def asked(driver: Driver) -> None:
    """PA1 is back and has asked for its own almost long enough."""
    driver.pass_time(TIMING.grace)
    driver.worlds.enter("PA1")
    driver.worlds.want("PA1")
    driver.settle()
    driver.pass_time(TIMING.hold - 0.05)


def test_what_is_on_its_way_home_is_not_registered_though_the_home_takes_its_wish_back() -> None:
    driver = started("PA2")
    asked(driver)
    driver.now += 0.1
    back = None
    while back is None:
        for action in driver.member.actions(driver.now):
            if isinstance(action, Transact) and action.step is not None:
                back = action
            else:
                driver.perform(action)
    assert back.step is not None
    assert back.step.kind is StepKind.HAND_BACK
    driver.worlds.delete("want/PA1")
    driver.asked.clear()
    driver.settle()
    assert driver.asked == []
    driver.perform(back)
    driver.settle()
    assert driver.asked == [[*back.step.identities]]


def test_a_lost_port_that_its_home_wants_is_registered_once_more_to_ask_for_a_call() -> None:
    driver = started("PA2")
    asked(driver)
    driver.member.lost(PORTS[0], driver.now)
    driver.asked.clear()
    driver.pass_time(TIMING.retry + 0.1)
    assert driver.asked[0] == [PORTS[0]]
    assert PORTS[0] not in driver.registered


def test_a_route_point_lingers_while_a_call_at_it_is_undecided_but_not_for_ever() -> None:
    driver = started("PA2")
    asked(driver)
    driver.member.set_busy(ROUTE_POINT, True)
    for _ in range(20):
        driver.pass_time(0.1)
        if driver.member.state(ROUTE_POINT) is State.LINGERING:
            break
    lingers_since = driver.now
    driver.worlds.enter("PA1", up=[ROUTE_POINT])
    driver.settle()
    assert driver.member.state(ROUTE_POINT) is State.LINGERING
    driver.worlds.enter("PA1", up=[ROUTE_POINT])
    driver.pass_time(lingers_since + TIMING.linger - driver.now)
    assert driver.member.state(ROUTE_POINT) is State.IDLE


def test_a_takeover_of_long_ago_does_not_lengthen_the_time_to_ask() -> None:
    timing = Timing(hold=1.0, flap_window=60.0)
    driver = started("PA2", replace(CLUSTER, timing=timing))
    driver.pass_time(timing.grace)
    for pause in (0.0, timing.flap_window):
        driver.worlds.enter("PA1")
        driver.worlds.own("PA1", *EVERYTHING)
        driver.settle()
        driver.worlds.die("PA1")
        driver.settle()
        assert driver.registered == set(EVERYTHING)
        driver.pass_time(pause)
    driver.worlds.enter("PA1")
    driver.worlds.want("PA1")
    driver.settle()
    driver.pass_time(timing.hold + 0.1)
    assert StepKind.HAND_BACK in driver.steps


def test_ten_minutes_of_heartbeats_change_nothing_but_the_session() -> None:
    driver = started()
    driver.pass_time(600.0)
    assert driver.registered == set(EVERYTHING)
    assert driver.steps == [StepKind.ENTER, StepKind.ACQUIRE]
    assert 1160 < driver.worlds.revision < 1240  # two a second


def test_only_what_needs_the_lost_provider_waits_for_it() -> None:
    driver = started()
    driver.link(False, "skinny")
    for identity in EVERYTHING:
        driver.registered.discard(identity)
        driver.member.lost(identity, driver.now)
    driver.pass_time(5 * TIMING.retry)
    assert driver.registered == {INTERCEPTOR, ROUTE_POINT}
    driver.link(True, "skinny")
    driver.pass_time(TIMING.retry)
    assert driver.registered == set(EVERYTHING)


def test_nothing_is_registered_shortly_before_reading_ends_the_guard() -> None:
    driver = started()
    read = driver.now
    driver.store_is_read = False
    driver.pass_time(TIMING.own - TIMING.retry - TIMING.registration / 2)
    driver.member.lost(PORTS[0], driver.now)
    driver.settle()
    begun = len(driver.asked)
    driver.pass_time(TIMING.retry + TIMING.registration / 4)
    assert driver.now < read + TIMING.own
    assert driver.member.may_act(driver.now)
    assert len(driver.asked) == begun


def test_a_home_that_loses_the_call_manager_while_it_asks_begins_anew() -> None:
    driver = started("PA2")
    driver.pass_time(TIMING.grace)
    driver.worlds.enter("PA1")
    driver.worlds.want("PA1")
    driver.settle()
    driver.pass_time(TIMING.hold / 2)
    driver.worlds.enter("PA1", link=False)
    driver.settle()
    driver.worlds.enter("PA1")
    driver.settle()
    driver.pass_time(TIMING.hold - 0.05)
    assert StepKind.HAND_BACK not in driver.steps
    driver.pass_time(0.1)
    assert StepKind.HAND_BACK in driver.steps


def test_a_stand_in_says_in_its_heartbeat_how_long_a_home_has_to_ask() -> None:
    driver = started("PA2")
    asked(driver)
    said = driver.worlds.world().session("PA2")
    assert said is not None
    assert said.beat.holds == {"PA1": TIMING.hold}
    driver.pass_time(0.1 + TIMING.heartbeat)
    said = driver.worlds.world().session("PA2")
    assert said is not None
    assert not said.beat.holds


def test_a_new_process_that_does_not_begin_is_waited_for_as_long_as_a_silent_one() -> None:
    driver = started("PA2")
    driver.worlds.enter("PA1")
    driver.pass_time(TIMING.grace)
    driver.worlds.commit(Transaction((), (Delete(session("PA1")), Put(coming("PA1"), "begins"))))
    driver.settle()
    driver.pass_time(TIMING.take - 0.1)
    assert StepKind.TAKE_HOME not in driver.steps
    driver.pass_time(0.2)
    assert StepKind.TAKE_HOME in driver.steps


def test_a_call_that_was_sent_to_a_port_when_the_order_to_drain_came_is_answered() -> None:
    driver = started()
    for order, is_answered in (("drain:600", True), ("stop", False)):
        driver.worlds.put(stop("PA1"), order)
        driver.member.observe(driver.worlds.snapshot(), driver.now)
        why = driver.member.turns_away(PORTS[0], driver.now, sent=True)
        assert why == ("" if is_answered else "it is to stop, and takes no new calls")


def test_a_server_that_is_drained_answers_no_new_call_and_routes_callers_still() -> None:
    driver = started()
    driver.member.set_busy(PORTS[0], True)
    driver.worlds.put(stop("PA1"), "drain:600")
    driver.settle()
    assert "takes no new calls" in driver.member.turns_away(PORTS[1], driver.now)
    assert driver.member.serves(ROUTE_POINT, driver.now)
    driver.pass_time(599.0)
    assert PORTS[0] in driver.registered
    driver.pass_time(2.0)
    assert not driver.registered
