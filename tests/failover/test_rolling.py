"""A rolling restart: every state with every situation, the steps, and what an operator may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.errors import ConfigurationError, LocalProtocolError
from pa_telephony.failover import Cluster, Command, Kind, cluster_status, intents
from pa_telephony.failover.agents import AgentReport, Health, Kept, key
from pa_telephony.failover.alarm_kinds import AlarmKind
from pa_telephony.failover.keeping import State as Process
from pa_telephony.failover.orders import Stop, held_back, move, stop
from pa_telephony.failover.roll_orders import beginning, overruling, progress, undoing
from pa_telephony.failover.rolling import (
    BACK_WITHIN,
    ENDS_WITHIN,
    ROLLING,
    SETTLED,
    STAND_IN_WITHIN,
    TABLE,
    Input,
    Roll,
    State,
    View,
    Watch,
    rolling,
    situation,
    step,
)
from pa_telephony.failover.transaction import Put, Transaction

EVERYTHING = CLUSTER.identities("PA1")
DEADLINE = 600


def at_home(*, cluster: Cluster = CLUSTER) -> Worlds:
    """PA1 serves all of its own; PA2 and PA3 are idle."""
    worlds = Worlds(cluster)
    worlds.enter("PA1", "PA2", "PA3")
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    return worlds


def at_stand_in(*, busy: bool = False) -> Worlds:
    """PA2 serves all of PA1, which has no session; PA2 perhaps with a call."""
    worlds = Worlds()
    worlds.enter("PA2", "PA3")
    worlds.enter("PA2", up=EVERYTHING, busy=PORTS[:1] if busy else ())
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    return worlds


def rolls(worlds: Worlds, state: State, *servers: str, order: str = f"drain:{DEADLINE}") -> None:
    """A roll of these servers is in that state; with the order for the first, if it has one."""
    puts = [Put(ROLLING, Roll(servers or ("PA1", "PA2"), DEADLINE, state).encode())]
    if state is State.DRAINED:
        puts.append(Put(stop(servers[0] if servers else "PA1"), order))
    worlds.commit(Transaction((), tuple(puts)))


def view(worlds: Worlds, **about: float | bool) -> View:
    snapshot, roll = worlds.snapshot(), rolling(worlds.snapshot())
    assert roll is not None
    pages = {page.name: page for page in cluster_status(worlds.cluster, snapshot)}
    return replace(View(worlds.world(), pages, roll, 100.0), **about)


# ----------------------------------------------------------------------- every state, every input


@dataclass
class Case:
    """A look in a state: what it says, and what is written then."""

    state: State
    worlds: Callable[[], Worlds]
    expected: Input
    about: dict[str, float | bool]
    why: str = ""
    servers: tuple[str, ...] = ("PA1", "PA2")

    def arranged(self) -> Worlds:
        worlds = self.worlds()
        rolls(worlds, self.state, *self.servers)
        return worlds


def without(*names: str) -> Callable[[], Worlds]:
    def arrange() -> Worlds:
        worlds = at_home()
        for name in names:
            worlds.die(name)
        return worlds

    return arrange


def stopped(name: str, arrange: Callable[[], Worlds] = at_home) -> Callable[[], Worlds]:
    def arranged() -> Worlds:
        worlds = arrange()
        worlds.stop(name)
        return worlds

    return arranged


NOBODY = "nobody could serve the numbers of PA1 meanwhile: PA2 (down), PA3 (down)"
CASES = [
    Case(State.NEXT, at_home, Input.WAITING, {"lasts": SETTLED - 0.1, "waited": 1.0}),
    Case(State.NEXT, at_home, Input.CLEAR, {"lasts": SETTLED}),
    Case(State.NEXT, without("PA2", "PA3"), Input.WAITING, {"stuck": STAND_IN_WITHIN - 0.1}),
    Case(State.NEXT, without("PA2", "PA3"), Input.LATE, {"stuck": STAND_IN_WITHIN}, NOBODY),
    Case(State.NEXT, at_home, Input.LATE, {"waited": 1.0}, "PA9 is no server", ("PA9",)),
    Case(State.NEXT, stopped("PA2"), Input.OVERRULED, {"lasts": 9.0}, "PA2 was stopped"),
    Case(State.DRAINED, at_home, Input.WAITING, {"waited": DEADLINE + ENDS_WITHIN - 0.1}),
    Case(State.DRAINED, at_stand_in, Input.WAITING, {}),
    Case(State.DRAINED, at_stand_in, Input.ENDED, {"runs": False}),
    Case(State.DRAINED, without("PA2", "PA3"), Input.EXPOSED, {}, NOBODY),
    # A server that has given everything up already comes back all the sooner when it ends.
    Case(State.DRAINED, without("PA1", "PA2", "PA3"), Input.WAITING, {}),
    Case(
        State.DRAINED,
        at_home,
        Input.LATE,
        {"waited": DEADLINE + ENDS_WITHIN},
        "PA1 has not ended within 11 min 0 s",
    ),
    Case(State.DRAINED, stopped("PA2"), Input.OVERRULED, {}, "PA2 was stopped"),
    Case(State.STARTED, at_stand_in, Input.WAITING, {"waited": 59.0, "stuck": 59.0}),
    Case(State.STARTED, at_home, Input.WAITING, {"lasts": SETTLED - 0.1}),
    Case(State.STARTED, at_home, Input.WELL, {"lasts": SETTLED}),
    Case(State.STARTED, at_home, Input.COMPLETE, {"lasts": SETTLED}, servers=("PA1",)),
    Case(
        State.STARTED,
        at_stand_in,
        Input.LATE,
        {"waited": 70.0, "stuck": BACK_WITHIN},
        "70 s after its start PA1 has not begun: no heartbeat of it has come",
    ),
    Case(
        State.STARTED,
        lambda: at_stand_in(busy=True),
        Input.LATE,
        {"waited": DEADLINE + BACK_WITHIN},
        "11 min 0 s after its start PA1",
    ),
    Case(State.STARTED, stopped("PA1"), Input.OVERRULED, {"lasts": 9.0}, "PA1 was stopped"),
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.state.value}-{case.expected.value}"
)
def test_a_look_says_what_is_so_and_why(case: Case) -> None:
    found, why = situation(view(case.arranged(), **case.about))
    assert found is case.expected
    assert why.startswith(case.why)


def test_every_pair_of_the_table_is_reached_by_a_look() -> None:
    assert {(case.state, case.expected) for case in CASES} == set(TABLE)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.state.value}-{case.expected.value}"
)
def test_a_step_writes_the_next_state_once_and_the_order_with_it(case: Case) -> None:
    worlds = case.arranged()
    after, _ = TABLE[case.state, case.expected]
    transaction = step(view(worlds, **case.about))
    if after is case.state:
        assert transaction is None
        return
    assert transaction is not None
    assert worlds.commit(transaction)
    assert not worlds.commit(transaction)
    roll = rolling(worlds.snapshot())
    assert roll is not None
    assert (roll.state, roll.since) == (after, 100.0)
    restarted = case.expected in (Input.WELL, Input.COMPLETE)
    assert roll.done == (case.servers[:1] if restarted else ())
    assert roll.servers == (case.servers[1:] if restarted else case.servers)
    first = case.servers[0]
    if after is State.DRAINED:
        assert worlds.world().drains_within(first) == DEADLINE
    elif case.state is State.DRAINED:
        assert worlds.world().stopped(first) is None


# ------------------------------------------------------------------- what changes between the two


@pytest.mark.parametrize("name", ["PA1", "PA2", "PA3"])
def test_a_server_is_not_drained_when_an_order_for_it_or_a_stand_in_has_come(name: str) -> None:
    worlds = at_home()
    rolls(worlds, State.NEXT)
    transaction = step(view(worlds, lasts=SETTLED))
    worlds.stop(name)
    assert transaction is not None
    assert not worlds.commit(transaction)


def test_an_operator_s_order_is_never_taken_back() -> None:
    worlds = at_stand_in()
    rolls(worlds, State.DRAINED)
    transaction = step(view(worlds, runs=False))
    worlds.stop("PA1")
    assert transaction is not None
    assert not worlds.commit(transaction)
    assert situation(view(worlds, runs=False)) == (Input.OVERRULED, "PA1 was stopped")
    transaction = step(view(worlds, runs=False))
    assert transaction is not None
    assert worlds.commit(transaction)
    assert worlds.world().stopped("PA1") is Stop.FAIL_OVER


def test_a_server_that_is_started_while_it_is_drained_ends_the_roll() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED)
    worlds.delete(stop("PA1"))
    assert situation(view(worlds)) == (Input.OVERRULED, "PA1 was started")


@pytest.mark.parametrize("state", [State.NEXT, State.DRAINED, State.STARTED])
def test_a_server_that_is_held_ends_the_roll(state: State) -> None:
    worlds = at_home()
    rolls(worlds, state)
    worlds.put(held_back("PA1"), "held")
    assert situation(view(worlds)) == (Input.OVERRULED, "PA1 was held")


def test_the_same_order_again_is_an_operator_s() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED)
    worlds.put(stop("PA1"), f"drain:{DEADLINE}")
    assert situation(view(worlds)) == (Input.OVERRULED, "PA1 was stopped")


# ---------------------------------------------------------------------------- who could stand in


def is_clear(worlds: Worlds, name: str) -> bool:
    rolls(worlds, State.NEXT, name)
    seen = Watch()
    for now in (0.0, SETTLED):
        pages = cluster_status(worlds.cluster, worlds.snapshot())
        found = seen.look(worlds.world(), pages, runs=True, now=now, at=0.0)
    assert found is not None
    return situation(found)[0] is Input.CLEAR


def test_one_that_reaches_all_that_the_numbers_need_is_enough() -> None:
    worlds = at_home()
    worlds.die("PA2")
    assert is_clear(worlds, "PA1")
    worlds.beat("PA3", frozenset({"jtapi"}))
    assert not is_clear(worlds, "PA1")
    worlds.beat("PA3", frozenset({"jtapi", "skinny"}))
    assert is_clear(worlds, "PA1")
    worlds.stop("PA3")
    assert not is_clear(worlds, "PA1")


def test_nothing_is_drained_for_one_that_is_not_heard() -> None:
    """Where its death is not proven it may be gone, and what it is handed with it."""

    def lacks(age: float, state: State = State.NEXT) -> tuple[Input, str]:
        worlds = at_home()
        worlds.die("PA3")
        rolls(worlds, state)
        found = view(worlds, stuck=STAND_IN_WITHIN)
        pages = cluster_status(CLUSTER, worlds.snapshot(), {"PA2": age})
        return situation(replace(found, pages={page.name: page for page in pages}))

    assert "comes and goes" in lacks(1.5)[1]
    assert lacks(1.6)[1].endswith("meanwhile: PA2 (not heard for 1.6 s), PA3 (down)")
    # While it is drained it is needed only when they are down.
    assert lacks(1.6, State.DRAINED)[0] is Input.WAITING
    assert lacks(4.1, State.DRAINED)[0] is Input.EXPOSED


def test_numbers_that_nobody_has_any_more_need_their_home() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED)
    worlds.own("PA2", ROUTE_POINT)
    assert situation(view(worlds))[0] is Input.WAITING
    worlds.die("PA2")
    worlds.enter("PA2")
    assert situation(view(worlds)) == (Input.EXPOSED, "nobody has 6000")
    worlds.delete(stop("PA1"))
    rolls(worlds, State.NEXT)
    assert situation(view(worlds, stuck=STAND_IN_WITHIN)) == (Input.LATE, "nobody has 6000")


def test_an_idle_spare_is_restarted_without_anybody() -> None:
    worlds = at_home()
    worlds.die("PA3")
    assert is_clear(worlds, "PA2")


def test_a_server_that_stands_in_is_not_drained_until_all_has_gone_home() -> None:
    worlds = at_stand_in()
    worlds.enter("PA1")
    assert not is_clear(worlds, "PA2")
    worlds = at_home()
    worlds.claim("PA2", "PA1")
    assert not is_clear(worlds, "PA2")
    assert is_clear(worlds, "PA3")


def test_calls_at_a_stand_in_are_waited_for_before_it_is_drained() -> None:
    worlds, watch = at_stand_in(busy=True), Watch()
    rolls(worlds, State.NEXT, "PA2")
    looks(worlds, watch, 0.0)
    assert situation(looks(worlds, watch, 300.0))[0] is Input.WAITING
    worlds.enter("PA2", up=EVERYTHING)
    found = looks(worlds, watch, 300.0 + STAND_IN_WITHIN)
    assert situation(found) == (Input.LATE, "PA2 stands in for PA1")


def test_a_drained_server_that_alone_could_serve_another_s_numbers_is_needed() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED, "PA2", "PA1")
    worlds.die("PA1")
    assert situation(view(worlds))[0] is Input.WAITING
    worlds.die("PA3")
    assert situation(view(worlds))[0] is Input.EXPOSED
    worlds.own("PA2", *EVERYTHING)
    assert situation(view(worlds))[0] is Input.WAITING


def test_a_server_that_begins_to_stand_in_meanwhile_is_not_drained() -> None:
    worlds = at_home()
    rolls(worlds, State.NEXT, "PA2")
    transaction = step(view(worlds, lasts=SETTLED))
    worlds.claim("PA2", "PA1")
    assert transaction is not None
    assert not worlds.commit(transaction)


# ------------------------------------------------------------------------------ what is seen whole


def is_whole(worlds: Worlds, name: str = "PA1") -> bool:
    rolls(worlds, State.STARTED, name)
    seen = Watch()
    for now in (0.0, SETTLED):
        pages = cluster_status(worlds.cluster, worlds.snapshot())
        found = seen.look(worlds.world(), pages, runs=True, now=now, at=0.0)
    assert found is not None
    return situation(found)[0] is Input.COMPLETE


def test_a_server_is_back_when_all_of_its_own_is_home_and_no_claim_is_left() -> None:
    worlds = at_home()
    assert is_whole(worlds)
    worlds.claim("PA2", "PA1")
    assert not is_whole(worlds)
    worlds = at_home()
    worlds.enter("PA1", up=EVERYTHING[1:])
    assert not is_whole(worlds)
    worlds = at_stand_in()
    worlds.enter("PA1")
    assert not is_whole(worlds)


def test_a_server_whose_numbers_were_moved_is_back_when_they_are_there() -> None:
    worlds = at_stand_in()
    worlds.enter("PA1")
    worlds.put(move("PA1"), "PA2")
    assert is_whole(worlds)
    worlds.put(move("PA1"), "PA3")
    assert not is_whole(worlds)


def test_a_spare_is_back_when_it_is_up() -> None:
    worlds = at_home()
    assert is_whole(worlds, "PA3")
    worlds.die("PA3")
    assert not is_whole(worlds, "PA3")


# --------------------------------------------------------------------------------------- the watch


def looks(worlds: Worlds, watch: Watch, now: float) -> View:
    pages = cluster_status(worlds.cluster, worlds.snapshot())
    found = watch.look(worlds.world(), pages, runs=True, now=now, at=0.0)
    assert found is not None
    return found


def test_time_counts_from_the_first_look_at_a_state() -> None:
    worlds, watch = at_home(), Watch()
    rolls(worlds, State.NEXT)
    assert looks(worlds, watch, 5.0).waited == 0.0
    assert looks(worlds, watch, 8.0).waited == 3.0
    assert looks(worlds, watch, 8.0).lasts == 3.0
    rolls(worlds, State.NEXT, "PA2")
    found = looks(worlds, watch, 9.0)
    assert (found.waited, found.stuck, found.lasts) == (0.0, 0.0, 0.0)


def test_a_break_begins_anew() -> None:
    worlds, watch = at_home(), Watch()
    rolls(worlds, State.STARTED)
    looks(worlds, watch, 0.0)
    assert looks(worlds, watch, 1.5).lasts == 1.5
    worlds.enter("PA1", up=EVERYTHING[1:])
    assert looks(worlds, watch, 2.5).lasts == 0.0
    worlds.enter("PA1", up=EVERYTHING)
    assert looks(worlds, watch, 3.0).lasts == 0.5


def test_calls_at_the_stand_in_are_waited_for() -> None:
    worlds, watch = at_stand_in(busy=True), Watch()
    rolls(worlds, State.STARTED)
    looks(worlds, watch, 0.0)
    found = looks(worlds, watch, 300.0)
    assert (found.waited, found.stuck) == (300.0, 0.0)
    assert situation(found)[0] is Input.WAITING
    worlds.enter("PA2", up=EVERYTHING)
    assert looks(worlds, watch, 310.0).stuck == 10.0


def test_what_is_over_is_not_looked_at() -> None:
    worlds, watch = at_home(), Watch()
    for state in (State.DONE, State.FAILED, State.UNDONE):
        rolls(worlds, state)
        pages = cluster_status(CLUSTER, worlds.snapshot())
        assert watch.look(worlds.world(), pages, runs=True, now=0.0, at=0.0) is None


# ------------------------------------------------------------------------------------ the operator

AGENT = AgentReport(
    "here", 1.0, {name: Kept(Process.RUNNING) for name in ("PA1", "PA2", "PA3")}, Health()
)


def kept(worlds: Worlds, report: AgentReport = AGENT) -> Worlds:
    worlds.put(key(report.machine), report.encode())
    return worlds


def begin(worlds: Worlds, *servers: str) -> bool:
    snapshot = worlds.snapshot()
    return worlds.commit(beginning(worlds.cluster, snapshot, servers, deadline=DEADLINE, at=50.0))


def test_a_roll_begins_with_the_servers_in_the_order_in_which_they_are_named() -> None:
    worlds = kept(at_home())
    assert begin(worlds, "pa3", "PA1")
    assert rolling(worlds.snapshot()) == Roll(("PA3", "PA1"), DEADLINE, since=50.0)
    worlds = kept(at_home())
    assert begin(worlds)
    found = rolling(worlds.snapshot())
    assert found is not None
    assert found.servers == ("PA1", "PA2", "PA3")


def test_a_second_roll_is_refused_with_what_goes_on_until_the_first_has_ended() -> None:
    worlds = kept(at_home())
    begin(worlds, "PA1", "PA2")
    with pytest.raises(LocalProtocolError, match="goes on: PA1 is next, then PA2"):
        begin(worlds, "PA3")
    rolls(worlds, State.FAILED)
    assert begin(worlds, "PA3")


def held(name: str) -> Worlds:
    worlds = at_home()
    worlds.put(held_back(name), "held")
    return worlds


def moved(to: str) -> Worlds:
    worlds = at_home()
    worlds.put(move("PA1"), to)
    return worlds


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (at_home, "no agent keeps PA1: start pa-telephony agent there"),
        (
            lambda: kept(
                at_home(), AgentReport("here", 1.0, {"PA1": Kept(Process.RUNNING)}, Health())
            ),
            "no agent keeps PA2",
        ),
        (lambda: kept(stopped("PA2")()), "PA2 is stopped: start it, or leave it out"),
        (
            lambda: kept(held("PA2")),
            "what a stand-in has of PA2 is held there by order: undo the hold first",
        ),
        (lambda: kept(moved("PA2")), "PA1 was moved to PA2: move it back first"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(arrange: Callable[[], Worlds], why: str) -> None:
    with pytest.raises(LocalProtocolError, match=why):
        begin(arrange(), "PA1", "PA2")


def test_a_home_without_stand_ins_is_refused() -> None:
    alone = replace(CLUSTER.servers[0], fail_over_server_names=())
    cluster = replace(CLUSTER, servers=(alone, *CLUSTER.servers[1:]))
    with pytest.raises(LocalProtocolError, match="nobody is named to stand in for PA1"):
        begin(kept(at_home(cluster=cluster)), "PA1")


def test_a_name_that_is_no_server_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no server 'PA9'"):
        begin(kept(at_home()), "PA9")


def test_of_two_that_begin_at_once_the_second_is_refused() -> None:
    worlds = kept(at_home())
    snapshot = worlds.snapshot()
    one, other = (
        beginning(CLUSTER, snapshot, [name], deadline=DEADLINE, at=0.0) for name in ("PA1", "PA2")
    )
    assert worlds.commit(one)
    assert not worlds.commit(other)


def test_undo_takes_the_order_to_drain_back() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED)
    undo = undoing(worlds.snapshot(), 1.0)
    assert undo is not None
    assert worlds.commit(undo)
    assert worlds.world().stopped("PA1") is None
    assert str(rolling(worlds.snapshot())) == (
        "ended by an operator: undone; restarted: none; not restarted: PA1, PA2"
    )
    assert undoing(worlds.snapshot(), 1.0) is None


def test_undo_leaves_an_operator_s_order_alone() -> None:
    worlds = at_home()
    rolls(worlds, State.DRAINED)
    worlds.stop("PA1")
    undo = undoing(worlds.snapshot(), 1.0)
    assert undo is not None
    assert worlds.commit(undo)
    assert worlds.world().stopped("PA1") is Stop.FAIL_OVER


def test_undo_clears_the_alarm_of_one_that_was_given_up() -> None:
    worlds = at_home()
    rolls(worlds, State.FAILED)
    found = rolling(worlds.snapshot())
    assert found is not None
    assert found.alarm is not None
    assert found.alarm.kind is AlarmKind.RESTART_GIVEN_UP
    undo = undoing(worlds.snapshot(), 1.0)
    assert undo is not None
    worlds.commit(undo)
    found = rolling(worlds.snapshot())
    assert found is not None
    assert found.alarm is None


def test_without_a_roll_there_is_nothing_to_undo() -> None:
    assert undoing(at_home().snapshot(), 1.0) is None


@pytest.mark.parametrize(
    ("state", "command", "names", "ends"),
    [
        (State.NEXT, Command.STOP, ("PA2",), "PA2 was stopped"),
        (State.NEXT, Command.STOP, ("PA3",), ""),
        (State.NEXT, Command.START, ("PA1",), ""),
        (State.DRAINED, Command.START, ("PA1",), "PA1 was started"),
        (State.DRAINED, Command.START, ("PA2",), ""),
        (State.DRAINED, Command.DRAIN, ("PA1",), "PA1 was stopped"),
        (State.DRAINED, Command.STOP_ALONE, ("PA2",), "PA2 was stopped"),
        (State.STARTED, Command.STOP, ("PA1", "PA2", "PA3"), "PA1, PA2 were stopped"),
        (State.STARTED, Command.START, ("PA1",), ""),
        (State.DONE, Command.STOP, ("PA1",), ""),
    ],
)
def test_an_operator_s_order_for_a_server_of_the_roll_ends_it(
    state: State, command: Command, names: tuple[str, ...], ends: str
) -> None:
    worlds = at_home()
    rolls(worlds, state)
    order = intents(CLUSTER, command, names)
    found = overruling(worlds.snapshot(), command, names, 1.0)
    assert (found is not None) is bool(ends)
    if found is None:
        return
    both = Transaction(found.compares, (*order.operations, *found.operations))
    assert len({each.key for each in both.operations}) == len(both.operations)
    assert worlds.commit(both)
    roll = rolling(worlds.snapshot())
    assert roll is not None
    assert (roll.state, roll.why) == (State.UNDONE, ends)
    drained = state is State.DRAINED and "PA1" not in names
    assert not drained or worlds.world().stopped("PA1") is None
    for name in names:
        assert (worlds.world().stopped(name) is None) is (command is Command.START)


# ----------------------------------------------------------------------------------- what is told


def test_a_roll_is_read_as_it_was_written_and_anything_else_is_none() -> None:
    roll = Roll(("PA1", "PA2"), 60, State.DRAINED, "why", 12.5, ("PA3",))
    assert Roll.decode(roll.encode()) == roll
    empty = replace(roll, servers=())
    for text in ("", "[]", '{"servers": 1}', empty.encode()):
        assert Roll.decode(text) is None
    done = replace(empty, state=State.DONE)
    assert Roll.decode(done.encode()) == done


@pytest.mark.parametrize(
    ("roll", "words"),
    [
        (Roll(("PA1", "PA2", "PA3"), 1), "PA1 is next, then PA2, PA3"),
        (Roll(("PA1",), 1, State.DRAINED), "PA1 is drained"),
        (Roll(("PA1",), 1, State.STARTED), "PA1 is started again"),
        (Roll((), 1, State.DONE, done=("PA1", "PA2")), "restarted: PA1, PA2"),
        (
            Roll(("PA2",), 1, State.FAILED, "nobody could", done=("PA1",)),
            "given up: nobody could; restarted: PA1; not restarted: PA2",
        ),
    ],
)
def test_a_roll_is_told_in_words(roll: Roll, words: str) -> None:
    assert str(roll) == words


def told(worlds: Worlds) -> str:
    snapshot = replace(worlds.snapshot(), running=frozenset({"PA1", "PA2", "PA3", "agent@here"}))
    roll = rolling(snapshot)
    assert roll is not None
    return progress(roll, cluster_status(CLUSTER, snapshot), snapshot)


def test_progress_says_what_the_server_at_hand_does() -> None:
    worlds = at_home()
    rolls(worlds, State.NEXT)
    assert told(worlds) == "PA1 waits: no agent keeps it"
    kept(worlds)
    assert told(worlds) == "PA1 is next"
    rolls(worlds, State.DRAINED)
    assert told(worlds) == "PA1 takes no new calls; calls that go on: 0"
    worlds = kept(at_home())
    rolls(worlds, State.STARTED)
    assert told(worlds) == "PA1 serves all of its own"
    rolls(worlds, State.DONE)
    assert told(worlds) == "restarted: none"


def test_the_numbers_of_the_tests_are_of_every_kind() -> None:
    kinds = {each.kind for each in (*PORTS, INTERCEPTOR, ROUTE_POINT)}
    assert kinds == {Kind.PORT, Kind.INTERCEPTOR, Kind.ROUTE_POINT}
