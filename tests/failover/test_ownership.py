"""Who shall own what: the table of duties, and the plan in the situations that the rules name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Cluster, Identity
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.duties import DUTIES, Duty, Role, Standing, View, duty, role, standing
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.steps import Plan, StepKind
from pa_telephony.failover.world import Stop, coming, move, stop

EVERYTHING = CLUSTER.identities("PA1")
LINKS = frozenset(CLUSTER.used_providers)


def view(worlds: Worlds, me: str, **changes: Any) -> View:
    fields: dict[str, Any] = {
        "free": frozenset(EVERYTHING),
        "lingers": True,
        "beat": Beat(f"instance of {me}", LINKS, LINKS),
    }
    return View(worlds.world(), me, **(fields | changes))


def kinds(what: Plan) -> list[StepKind]:
    return [step.kind for step in what.steps]


def only(what: Plan, kind: StepKind) -> Any:
    (found,) = (step for step in what.steps if step.kind is kind)
    return found


def standing_in(cluster: Cluster = CLUSTER) -> Worlds:
    """PA1 is dead; PA2 has all of it."""
    worlds = Worlds(cluster)
    worlds.enter("PA2", "PA3")
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    return worlds


def returning() -> Worlds:
    """PA1 is back and asks PA2 for its own."""
    worlds = standing_in()
    worlds.enter("PA1")
    worlds.want("PA1")
    return worlds


# ---------------------------------------------------------------------------- the table


def test_every_role_has_a_duty_for_every_standing() -> None:
    assert set(DUTIES) == set(itertools.product(Role, Standing))


@pytest.mark.parametrize(("role_", "standing_"), DUTIES)
def test_what_is_mine_is_served_and_what_is_others_is_never_touched(
    role_: Role, standing_: Standing
) -> None:
    what = DUTIES[role_, standing_]
    if standing_ in (Standing.MINE, Standing.ASKED):
        assert what in (Duty.HOLD, Duty.GIVE)
    if standing_ is Standing.OTHERS:
        assert what in (Duty.NOTHING, Duty.ASK)


def test_roles_follow_configuration_and_claims() -> None:
    worlds = standing_in()
    assert [role(view(worlds, "PA2"), home) for home in ("PA1", "PA2", "PA3")] == [
        Role.HOLDER,
        Role.HOME,
        Role.BYSTANDER,
    ]
    assert role(view(worlds, "PA3"), "PA1") is Role.CANDIDATE
    assert role(view(worlds, "PA1"), "PA1") is Role.HOME


def test_the_bearer_of_a_session_that_is_gone_owns_nothing() -> None:
    worlds = standing_in()
    worlds.die("PA2")
    worlds.enter("PA2")  # a new life: another token
    assert standing(view(worlds, "PA3"), PORTS[0]) is Standing.ORPHAN


# ------------------------------------------------------------------------ taking (F1..F9)


def test_without_a_session_the_only_thing_to_do_is_to_enter() -> None:
    worlds = Worlds()
    what = plan(view(worlds, "PA1"))
    assert kinds(what) == [StepKind.ENTER]
    assert worlds.commit(what.steps[0].transaction)
    assert worlds.world().session("PA1") is not None


def test_a_stop_all_between_snapshot_and_commit_wins_over_entering() -> None:
    worlds = Worlds()
    step = plan(view(worlds, "PA1")).steps[0]
    worlds.stop("PA1")
    assert not worlds.commit(step.transaction)


def test_nothing_is_taken_without_a_call_manager() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2", link=False)
    for name in ("PA1", "PA2"):
        beat = Beat(f"instance of {name}")
        assert kinds(plan(view(worlds, name, beat=beat))) == []


def test_the_first_usable_of_the_list_takes_the_whole_home_in_one_transaction() -> None:
    worlds = Worlds()
    worlds.enter("PA2", "PA3")
    assert kinds(plan(view(worlds, "PA3"))) == []
    step = only(plan(view(worlds, "PA2")), StepKind.TAKE_HOME)
    assert set(step.identities) == set(EVERYTHING)
    assert worlds.commit(step.transaction)
    assert worlds.world().claimant("PA1") == "PA2"


def test_the_next_of_the_list_takes_when_the_first_is_down_stopped_or_cut_off() -> None:
    for how in ("down", "stopped", "cut off"):
        worlds = Worlds()
        worlds.enter("PA3")
        if how != "down":
            worlds.enter("PA2", link=how != "cut off")
        if how == "stopped":
            worlds.stop("PA2")
        step = only(plan(view(worlds, "PA3")), StepKind.TAKE_HOME)
        # And should the first become usable before the commit, the takeover does not commit.
        if how == "stopped":
            worlds.delete("stop/PA2")
        else:
            worlds.enter("PA2")
        assert not worlds.commit(step.transaction), how


def test_of_two_takeovers_from_one_snapshot_one_commits() -> None:
    worlds = Worlds()
    worlds.enter("PA2")
    first = plan(view(worlds, "PA2"))
    second = plan(view(worlds, "PA2"))
    assert worlds.commit(only(first, StepKind.TAKE_HOME).transaction)
    assert not worlds.commit(only(second, StepKind.TAKE_HOME).transaction)


def test_a_takeover_is_off_when_the_home_comes_back_before_it_commits() -> None:
    worlds = Worlds()
    worlds.enter("PA2")
    step = only(plan(view(worlds, "PA2")), StepKind.TAKE_HOME)
    worlds.enter("PA1")
    assert not worlds.commit(step.transaction)


# ----------------------------------------------------------------- the dead and the silent


@pytest.mark.parametrize("proof", ["dead", "silent"])
def test_a_dead_or_silent_server_is_deposed_by_anybody(proof: str) -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA3")
    if proof == "dead":
        worlds.dead.add("PA1")
    silent = frozenset({"PA1"} if proof == "silent" else ())
    step = only(plan(view(worlds, "PA3", silent=silent)), StepKind.DEPOSE)
    assert step.server == "PA1"
    worlds.enter("PA1")  # it beats once more before the commit
    assert not worlds.commit(step.transaction)


def test_a_session_of_a_predecessor_is_ended_before_entering() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    mine = Beat("another instance", LINKS)
    what = plan(view(worlds, "PA1", beat=mine))
    assert kinds(what) == [StepKind.DEPOSE]
    assert worlds.commit(what.steps[0].transaction)
    assert kinds(plan(view(worlds, "PA1", beat=mine))) == [StepKind.ENTER]


def restarted() -> Worlds:
    """PA1 had everything, and its new process has ended the old session."""
    worlds = Worlds()
    worlds.enter("PA1", "PA2", "PA3")
    worlds.own("PA1", *EVERYTHING)
    (ends,) = plan(view(worlds, "PA1", beat=Beat("another instance", LINKS))).steps
    assert worlds.commit(ends.transaction)
    return worlds


def test_nobody_takes_the_home_of_a_server_whose_new_process_is_about_to_begin() -> None:
    worlds = restarted()
    assert worlds.world().coming("PA1")
    assert kinds(plan(view(worlds, "PA2", coming=frozenset({"PA1"})))) == []
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.TAKE_HOME]
    (enter,) = plan(view(worlds, "PA1", beat=Beat("another instance", LINKS))).steps
    assert worlds.commit(enter.transaction)
    assert not worlds.world().coming("PA1")
    assert coming("PA1") not in worlds.entries


@pytest.mark.parametrize("happens", [lambda w: w.dead.add("PA1"), lambda w: w.stop("PA1")])
def test_a_new_process_that_cannot_begin_is_not_waited_for(
    happens: Callable[[Worlds], object],
) -> None:
    worlds = restarted()
    happens(worlds)
    assert not worlds.world().coming("PA1")


def test_without_proof_of_being_alone_a_predecessor_must_be_silent_first() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    mine = Beat("another instance", LINKS)
    assert kinds(plan(view(worlds, "PA1", beat=mine, alone=False))) == []
    silent = frozenset({"PA1"})
    what = plan(view(worlds, "PA1", beat=mine, alone=False, silent=silent))
    assert kinds(what) == [StepKind.DEPOSE]


# --------------------------------------------------------------------------- stop, cut off


def test_a_stopped_server_gives_everything_up_first_and_leaves_then() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    worlds.own("PA1", *EVERYTHING)
    worlds.stop("PA1")
    busy = plan(view(worlds, "PA1", unquiet=frozenset({"PA1"})))
    assert (busy.steps, busy.hold) == ((), frozenset())
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.LEAVE]


def test_stop_all_marks_everybody_so_that_nobody_takes_over() -> None:
    """Q16: the step of a server that decided before the mark does not commit after it."""
    worlds = Worlds()
    worlds.enter("PA2")
    early = only(plan(view(worlds, "PA2")), StepKind.TAKE_HOME)
    worlds.stop("PA1")
    worlds.stop("PA2")
    assert not worlds.commit(early.transaction)
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.LEAVE]


def lacking(worlds: Worlds, me: str, *lost: str, **changes: Any) -> View:
    """The view of ``me``, which has lost these providers for long."""
    left = LINKS - set(lost)
    worlds.beat(me, left)
    beat = Beat(f"instance of {me}", left, left)
    return view(worlds, me, beat=beat, cut_off=frozenset(lost), **changes)


def serving(*others: str) -> Worlds:
    """PA1 has all that is its own; the others are idle."""
    worlds = Worlds()
    worlds.enter("PA1", *others)
    worlds.own("PA1", *EVERYTHING)
    return worlds


@pytest.mark.parametrize("lost", [("skinny",), ("jtapi",), ("skinny", "jtapi")])
def test_a_server_cut_off_from_a_call_manager_gives_the_home_up_when_it_has_an_heir(
    lost: tuple[str, ...],
) -> None:
    """Q8; and F3: all of the home, not just what needs the provider that is lost."""
    worlds = serving()
    alone = plan(lacking(worlds, "PA1", *lost))
    assert alone.hold == frozenset(EVERYTHING)  # Q9: nobody is better off; it waits
    worlds.enter("PA2")
    first = plan(lacking(worlds, "PA1", *lost, unquiet=frozenset({"PA1"})))
    assert (first.steps, first.hold, first.give) == ((), frozenset(), frozenset())
    step = only(plan(lacking(worlds, "PA1", *lost)), StepKind.GIVE_UP)
    assert worlds.commit(step.transaction)
    # Its home reaches less than the heir: it takes nothing back, and the heir takes it all.
    assert kinds(plan(lacking(worlds, "PA1", *lost))) == []
    take = only(plan(view(worlds, "PA2")), StepKind.TAKE_HOME)
    assert set(take.identities) == set(EVERYTHING)
    assert worlds.commit(take.transaction)
    # While it lacks what its stand-in has, it does not ask.
    assert kinds(plan(lacking(worlds, "PA1", *lost))) == []
    worlds.enter("PA1")
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]


def test_what_was_lost_a_moment_ago_is_not_given_up_yet() -> None:
    worlds = serving("PA2")
    worlds.beat("PA1", frozenset())
    what = plan(view(worlds, "PA1", beat=Beat("instance of PA1")))
    assert (what.steps, what.hold) == ((), frozenset(EVERYTHING))


def test_an_heir_counts_only_when_its_links_are_steady() -> None:
    """Q9: after an outage of the call manager the quicker server is not the better one."""
    worlds = serving("PA2")
    worlds.beat("PA2", LINKS, frozenset({"jtapi"}))
    assert plan(lacking(worlds, "PA1", "skinny", "jtapi")).hold == frozenset()
    assert plan(lacking(worlds, "PA1", "skinny")).hold == frozenset(EVERYTHING)
    worlds.beat("PA2", LINKS, frozenset())
    assert plan(lacking(worlds, "PA1", "skinny", "jtapi")).hold == frozenset(EVERYTHING)


def test_from_a_home_that_lives_without_a_call_manager_only_a_steady_server_takes() -> None:
    worlds = Worlds()
    worlds.enter("PA1", link=False)
    worlds.enter("PA2")
    worlds.beat("PA2", LINKS, frozenset())
    new = view(worlds, "PA2", beat=Beat("instance of PA2", LINKS))
    assert kinds(plan(new)) == []
    worlds.enter("PA3")
    assert kinds(plan(view(worlds, "PA3"))) == [StepKind.TAKE_HOME]
    worlds.enter("PA2")
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.TAKE_HOME]
    # A dead one has no back-off to wait for.
    worlds.die("PA1")
    worlds.beat("PA2", LINKS, frozenset())
    dead = view(worlds, "PA2", beat=Beat("instance of PA2", LINKS))
    assert kinds(plan(dead)) == [StepKind.TAKE_HOME]


def test_a_provider_that_nobody_reaches_moves_nothing_and_is_no_obstacle() -> None:
    worlds = serving("PA2")
    worlds.beat("PA2", frozenset({"jtapi"}))
    assert plan(lacking(worlds, "PA1", "skinny")).hold == frozenset(EVERYTHING)
    worlds.die("PA1")
    beat = Beat("instance of PA2", frozenset({"jtapi"}), frozenset({"jtapi"}))
    step = only(plan(view(worlds, "PA2", beat=beat)), StepKind.TAKE_HOME)
    assert worlds.commit(step.transaction)


def test_who_reaches_more_stands_in_before_who_is_earlier_on_the_list() -> None:
    worlds = Worlds()
    worlds.enter("PA2", "PA3")
    worlds.beat("PA2", frozenset({"jtapi"}))
    beat = Beat("instance of PA2", frozenset({"jtapi"}), frozenset({"jtapi"}))
    assert kinds(plan(view(worlds, "PA2", beat=beat))) == []
    step = only(plan(view(worlds, "PA3")), StepKind.TAKE_HOME)
    worlds.enter("PA2")
    assert not worlds.commit(step.transaction)


def test_who_does_not_reach_all_compares_that_nobody_later_on_the_list_reaches_more() -> None:
    worlds = Worlds()
    worlds.enter("PA2")
    worlds.beat("PA2", frozenset({"jtapi"}))
    beat = Beat("instance of PA2", frozenset({"jtapi"}), frozenset({"jtapi"}))
    step = only(plan(view(worlds, "PA2", beat=beat)), StepKind.TAKE_HOME)
    worlds.enter("PA3")
    assert not worlds.commit(step.transaction)


def test_a_stand_in_that_is_cut_off_gives_up_its_claim_too() -> None:
    """Also when it has given everything back but the claim: no other server could take over."""
    worlds = standing_in()
    step = only(plan(lacking(worlds, "PA2", "skinny")), StepKind.GIVE_UP)
    assert worlds.commit(step.transaction)
    assert worlds.world().claimant("PA1") is None
    assert kinds(plan(view(worlds, "PA3"))) == [StepKind.TAKE_HOME]
    empty = Worlds()
    empty.enter("PA2", "PA3")
    empty.claim("PA2", "PA1")
    assert kinds(plan(view(empty, "PA3"))) == []
    assert empty.commit(only(plan(lacking(empty, "PA2", "skinny")), StepKind.GIVE_UP).transaction)
    assert kinds(plan(view(empty, "PA3"))) == [StepKind.TAKE_HOME]


def test_a_stand_in_that_is_cut_off_keeps_what_it_has_when_nobody_else_may_have_it() -> None:
    worlds = standing_in()
    worlds.stop("PA1", Stop.ALONE)
    assert plan(lacking(worlds, "PA2", "skinny")).hold == frozenset(EVERYTHING)
    worlds.stop("PA1", Stop.FAIL_OVER)
    assert plan(lacking(worlds, "PA2", "skinny")).hold == frozenset()


def test_one_home_is_given_up_and_the_other_is_kept() -> None:
    """Each home is judged by the providers that its own identities need."""
    other = replace(
        CLUSTER.servers[0],
        server_name="PA4",
        route_address="7000",
        interceptor_ports=(),
        media_port_beginning_address="7001",
        media_port_provider="other",
    )
    providers = (*CLUSTER.providers, replace(CLUSTER.providers[1], name="other"))
    servers = (
        replace(other, hostname_or_ip_address="127.0.0.14"),
        *CLUSTER.servers,
    )
    cluster = replace(CLUSTER, servers=servers, providers=_named_apart(providers))
    worlds = Worlds(cluster)
    worlds.enter("PA2", "PA3")
    for home in ("PA1", "PA4"):
        worlds.own("PA2", *cluster.identities(home))
        worlds.claim("PA2", home)
    left = frozenset({"jtapi", "skinny"})
    worlds.beat("PA2", left)
    beat = Beat("instance of PA2", left, left)
    what = plan(view(worlds, "PA2", beat=beat, cut_off=frozenset({"other"})))
    assert what.hold == frozenset(cluster.identities("PA1"))
    assert only(what, StepKind.GIVE_UP).server == "PA4"


def _named_apart(providers: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*providers[:-1], replace(providers[-1], device_name_prefix="OTHER"))


def test_a_home_that_reaches_only_part_acquires_its_own_when_nobody_reaches_more() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    step = only(plan(lacking(worlds, "PA1", "skinny")), StepKind.ACQUIRE)
    assert set(step.identities) == set(EVERYTHING)
    worlds.enter("PA2")
    assert kinds(plan(lacking(worlds, "PA1", "skinny"))) == []


def test_a_home_that_reaches_as_much_as_its_stand_in_asks() -> None:
    worlds = standing_in()
    worlds.enter("PA1")
    worlds.beat("PA2", frozenset({"jtapi"}))
    assert kinds(plan(lacking(worlds, "PA1", "skinny"))) == [StepKind.WANT]
    assert kinds(plan(lacking(worlds, "PA1", "skinny", "jtapi"))) == []
    worlds.enter("PA2")
    assert kinds(plan(lacking(worlds, "PA1", "skinny"))) == []


# ---------------------------------------------------------------------- the return (F25..F28)


def test_free_ports_go_first_busy_ones_and_all_else_stay() -> None:
    worlds = returning()
    free = frozenset(EVERYTHING) - {PORTS[0]}
    what = plan(view(worlds, "PA2", granted=frozenset({"PA1"}), free=free))
    assert what.give == {PORTS[1]}
    assert what.hold == {PORTS[0], INTERCEPTOR, ROUTE_POINT}
    # Nothing is handed back that the call manager has not let go.
    assert what.steps == ()


def test_a_port_is_handed_back_once_the_call_manager_has_let_it_go() -> None:
    worlds = returning()
    granted = frozenset({"PA1"})
    released = frozenset({PORTS[1]})
    what = plan(view(worlds, "PA2", granted=granted, free=frozenset(), released=released))
    step = only(what, StepKind.HAND_BACK)
    assert step.identities == (PORTS[1],)
    assert worlds.commit(step.transaction)
    assert worlds.world().owner(PORTS[1]) == "PA1"
    assert plan(view(worlds, "PA1")).hold == {PORTS[1]}


def test_a_hand_back_fails_when_the_home_died_meanwhile() -> None:
    worlds = returning()
    released = frozenset({PORTS[1]})
    what = plan(view(worlds, "PA2", granted=frozenset({"PA1"}), released=released))
    worlds.die("PA1")
    assert not worlds.commit(only(what, StepKind.HAND_BACK).transaction)


@pytest.mark.parametrize("lingers", [False, True])
def test_stages_go_home_in_order_the_route_point_last(lingers: bool) -> None:
    worlds = returning()
    went: list[Any] = []
    for _ in range(10):
        granted = frozenset({"PA1"} if worlds.world().wants("PA1") else ())
        first = view(worlds, "PA2", granted=granted, lingers=lingers)
        what = plan(replace(first, released=plan(first).give))
        for step in what.steps:
            assert worlds.commit(step.transaction)
            if step.kind is StepKind.HAND_BACK:
                went += step.identities
        for step in plan(view(worlds, "PA1")).steps:
            assert worlds.commit(step.transaction)
    assert went == [*PORTS, INTERCEPTOR, ROUTE_POINT]
    assert worlds.world().claimant("PA1") is None
    assert worlds.world().wants("PA1") is None


def test_interceptors_wait_for_the_last_port_and_then_for_nothing() -> None:
    """Q19: they go after the ports and before the route point; a decision pending lingers."""
    worlds = returning()
    granted, free = frozenset({"PA1"}), frozenset({INTERCEPTOR, ROUTE_POINT})
    what = plan(view(worlds, "PA2", granted=granted, free=free))
    assert (what.steps, what.give) == ((), frozenset())
    worlds.own("PA1", *PORTS)
    busy = plan(view(worlds, "PA2", granted=granted, free=frozenset()))
    assert only(busy, StepKind.HAND_BACK).identities == (INTERCEPTOR,)
    assert busy.give == frozenset()
    without_linger = plan(view(worlds, "PA2", granted=granted, free=free, lingers=False))
    assert without_linger.give == {INTERCEPTOR}


def test_an_interceptor_that_cannot_linger_waits_for_its_decision() -> None:
    worlds = returning()
    worlds.own("PA1", *PORTS)
    granted, free = frozenset({"PA1"}), frozenset({ROUTE_POINT})
    assert plan(view(worlds, "PA2", granted=granted, free=free, lingers=False)).give == frozenset()


def test_the_route_point_waits_for_the_interceptors() -> None:
    worlds = returning()
    worlds.own("PA1", *PORTS)
    step = only(plan(view(worlds, "PA2", granted=frozenset({"PA1"}))), StepKind.HAND_BACK)
    assert step.identities == (INTERCEPTOR,)
    # And it does not commit when a port has left its home meanwhile.
    worlds.own("PA2", PORTS[0])
    assert not worlds.commit(step.transaction)


def test_an_owner_acquires_no_interceptor_while_a_port_is_away() -> None:
    worlds = returning()
    worlds.delete(INTERCEPTOR.key)
    assert StepKind.ACQUIRE not in kinds(plan(view(worlds, "PA1")))


def test_the_route_point_is_not_acquired_while_a_port_is_still_away() -> None:
    worlds = returning()
    worlds.delete(ROUTE_POINT.key)
    step_kinds = kinds(plan(view(worlds, "PA1")))
    assert StepKind.ACQUIRE not in step_kinds


def test_a_server_off_everybody_s_list_still_serves_what_it_owns_until_asked() -> None:
    """A list that was edited while a server stood in must not drop calls."""
    servers = (
        replace(CLUSTER.servers[0], fail_over_server_names=("PA3",)),
        *CLUSTER.servers[1:],
    )
    worlds = Worlds(replace(CLUSTER, servers=servers))
    worlds.enter("PA2")
    worlds.own("PA2", *EVERYTHING)
    assert role(view(worlds, "PA2"), "PA1") is Role.BYSTANDER
    assert duty(view(worlds, "PA2"), PORTS[0]) is Duty.HOLD
    assert plan(view(worlds, "PA2")).hold == frozenset(EVERYTHING)


# ------------------------------------------------------------- configuration that differs


def edited(**changes: Any) -> Cluster:
    """The cluster with another PA1."""
    return replace(CLUSTER, servers=(replace(CLUSTER.servers[0], **changes), *CLUSTER.servers[1:]))


MORE_PORTS = edited(number_of_media_ports=3)


def test_a_session_begins_with_what_the_file_says() -> None:
    worlds = Worlds(MORE_PORTS)
    assert worlds.commit(only(plan(view(worlds, "PA1")), StepKind.ENTER).transaction)
    worlds.cluster = CLUSTER
    assert worlds.commit(only(plan(view(worlds, "PA2")), StepKind.ENTER).transaction)
    assert worlds.world().differs("PA2", "PA1") == ("numbers", "device names", "providers")


def test_a_server_that_differs_in_a_home_does_not_stand_in_for_it() -> None:
    worlds = Worlds()
    worlds.configure("PA1", MORE_PORTS)
    worlds.die("PA1")
    worlds.configure("PA2", CLUSTER)
    assert kinds(plan(view(worlds, "PA2"))) == []
    worlds.configure("PA2", MORE_PORTS)
    worlds.cluster = MORE_PORTS
    step = only(plan(view(worlds, "PA2")), StepKind.TAKE_HOME)
    assert len(step.identities) == 5
    # And should the home say something else before the commit, the takeover does not commit.
    worlds.configure("PA1", CLUSTER)
    worlds.die("PA1")
    assert not worlds.commit(step.transaction)


def test_the_first_of_the_list_who_agrees_stands_in() -> None:
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.die("PA1")
    worlds.configure("PA2", MORE_PORTS)
    worlds.configure("PA3", CLUSTER)
    step = only(plan(view(worlds, "PA3")), StepKind.TAKE_HOME)
    worlds.enter("PA2")  # a heartbeat of PA2 is no obstacle
    assert worlds.commit(step.transaction)


def test_a_takeover_is_off_when_the_first_of_the_list_agrees_after_all() -> None:
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.die("PA1")
    worlds.configure("PA2", MORE_PORTS)
    worlds.configure("PA3", CLUSTER)
    step = only(plan(view(worlds, "PA3")), StepKind.TAKE_HOME)
    worlds.configure("PA2", CLUSTER)
    assert not worlds.commit(step.transaction)


def test_who_differs_is_no_heir() -> None:
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.own("PA1", *EVERYTHING)
    worlds.configure("PA2", MORE_PORTS)
    assert plan(lacking(worlds, "PA1", "skinny")).hold == frozenset(EVERYTHING)
    worlds.configure("PA2", CLUSTER)
    assert plan(lacking(worlds, "PA1", "skinny")).hold == frozenset()


def test_an_owner_takes_its_own_home_when_nobody_holds_it_whatever_others_think_of_it() -> None:
    worlds = Worlds(MORE_PORTS)
    worlds.configure("PA1", MORE_PORTS)
    worlds.configure("PA2", CLUSTER)
    step = only(plan(view(worlds, "PA1")), StepKind.ACQUIRE)
    assert len(step.identities) == 5


def differing_stand_in() -> Worlds:
    """PA2 stands in with the old file; PA1 is back with a new one, and another number range."""
    worlds = standing_in()
    worlds.configure("PA2", CLUSTER)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    worlds.configure("PA1", NEW_NUMBERS)
    return worlds


NEW_NUMBERS = edited(route_address="6100", media_port_beginning_address="6101")


def test_an_owner_gets_everything_from_a_stand_in_that_differs_before_it_takes_anything() -> None:
    """The stand-in may have a device of the owner's under another number."""
    worlds = differing_stand_in()
    for _ in range(10):
        worlds.cluster = NEW_NUMBERS
        for step in plan(view(worlds, "PA1")).steps:
            assert step.kind is not StepKind.ACQUIRE or worlds.world().claimant("PA1") is None
            assert worlds.commit(step.transaction)
        worlds.cluster = CLUSTER
        granted = frozenset({"PA1"} if worlds.world().asks("PA1") else ())
        first = view(worlds, "PA2", granted=granted)
        for step in plan(replace(first, released=plan(first).give)).steps:
            assert worlds.commit(step.transaction)
    assert worlds.world().claimant("PA1") is None
    assert worlds.world().wants("PA1") is None
    worlds.cluster = NEW_NUMBERS
    assert {worlds.world().owner(each) for each in NEW_NUMBERS.identities("PA1")} == {"PA1"}


def test_what_nobody_owns_and_the_home_does_not_know_keeps_nothing_from_going_home() -> None:
    worlds = differing_stand_in()
    worlds.want("PA1")
    worlds.delete(PORTS[0].key)
    granted, released = frozenset({"PA1"}), frozenset({PORTS[1]})
    what = plan(view(worlds, "PA2", granted=granted, released=released))
    assert only(what, StepKind.HAND_BACK).identities == (PORTS[1],)
    worlds.own("PA1", PORTS[1], INTERCEPTOR)
    what = plan(view(worlds, "PA2", granted=granted))
    assert only(what, StepKind.HAND_BACK).identities == (ROUTE_POINT,)


def test_who_differs_and_has_nothing_left_drops_its_claim() -> None:
    worlds = Worlds()
    worlds.configure("PA2", CLUSTER)
    worlds.claim("PA2", "PA1")
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.TAKE_HOME]
    worlds.configure("PA1", NEW_NUMBERS)
    worlds.die("PA1")
    assert kinds(plan(view(worlds, "PA2"))) == [StepKind.RELEASE]


@pytest.mark.parametrize("proof", ["dead", "silent"])
def test_a_server_that_our_file_does_not_have_is_deposed_like_any_other(proof: str) -> None:
    """It may own what is ours: its file, or an older one, had it on the list."""
    worlds = Worlds()
    worlds.enter("PA3", "PA9")
    worlds.own("PA9", *EVERYTHING)
    assert kinds(plan(view(worlds, "PA3"))) == []
    if proof == "dead":
        worlds.dead.add("PA9")
    silent = frozenset({"PA9"} if proof == "silent" else ())
    step = only(plan(view(worlds, "PA3", silent=silent)), StepKind.DEPOSE)
    assert worlds.commit(step.transaction)
    assert kinds(plan(view(worlds, "PA3"))) == [StepKind.TAKE_HOME]


# -------------------------------------------------------------------------------- draining


def drained(*owned: Identity) -> Worlds:
    """PA1 is to be drained; it has these, and PA2, which stands in, has the others."""
    worlds = Worlds()
    worlds.enter("PA1", "PA2", "PA3")
    worlds.own("PA1", *owned)
    others = [each for each in EVERYTHING if each not in owned]
    if others:
        worlds.own("PA2", *others)
        worlds.claim("PA2", "PA1")
    worlds.put(stop("PA1"), "drain:600")
    return worlds


def test_what_is_drained_hands_over_its_route_point_first_to_the_first_of_its_list() -> None:
    worlds = drained(*EVERYTHING)
    what = plan(view(worlds, "PA1", lingers=True))
    step = only(what, StepKind.HAND_OVER)
    assert (step.server, step.identities) == ("PA2", (ROUTE_POINT,))
    assert what.hold == frozenset(EVERYTHING)
    assert worlds.commit(step.transaction)
    assert worlds.world().claimant("PA1") == "PA2"
    assert worlds.world().owner(ROUTE_POINT) == "PA2"
    step = only(plan(view(worlds, "PA1", lingers=True)), StepKind.HAND_OVER)
    assert step.identities == (INTERCEPTOR,)


def test_a_port_is_handed_over_once_the_call_manager_has_let_it_go() -> None:
    worlds = drained(*PORTS)
    what = plan(view(worlds, "PA1", free=frozenset({PORTS[0]})))
    assert not what.steps
    assert (what.hold, what.give) == (frozenset({PORTS[1]}), frozenset({PORTS[0]}))
    released = frozenset({PORTS[0]})
    step = only(plan(view(worlds, "PA1", free=released, released=released)), StepKind.HAND_OVER)
    assert step.identities == (PORTS[0],)


def test_what_is_drained_leaves_when_it_has_nothing_or_its_time_is_over() -> None:
    assert kinds(plan(view(drained(), "PA1"))) == [StepKind.LEAVE]
    worlds = drained(PORTS[0])
    busy = frozenset(EVERYTHING) - {PORTS[0]}
    assert kinds(plan(view(worlds, "PA1", free=busy))) == []
    assert kinds(plan(view(worlds, "PA1", free=busy, overdue=True))) == [StepKind.LEAVE]


def test_without_a_stand_in_calls_are_awaited_and_nothing_else() -> None:
    worlds = drained(*EVERYTHING)
    worlds.die("PA2")
    worlds.die("PA3")
    busy = frozenset(EVERYTHING) - {PORTS[0]}
    what = plan(view(worlds, "PA1", free=busy))
    assert (what.steps, what.hold) == ((), frozenset(EVERYTHING))
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.LEAVE]


def test_what_is_drained_takes_nothing_asks_for_nothing_and_does_not_begin() -> None:
    worlds = drained(PORTS[0])
    worlds.delete(PORTS[1].key)
    busy = frozenset(EVERYTHING) - {PORTS[0]}
    assert kinds(plan(view(worlds, "PA1", free=busy))) == []
    worlds.die("PA1")
    assert kinds(plan(view(worlds, "PA1"))) == []


def test_a_stand_in_that_reaches_less_gets_nothing() -> None:
    worlds = drained(*EVERYTHING)
    worlds.beat("PA2", frozenset({"jtapi"}))
    assert only(plan(view(worlds, "PA1", lingers=True)), StepKind.HAND_OVER).server == "PA3"
    worlds.beat("PA3", frozenset({"jtapi"}))
    busy = frozenset(EVERYTHING) - {PORTS[0]}
    assert kinds(plan(view(worlds, "PA1", free=busy, lingers=True))) == []


def test_a_stand_in_that_has_a_part_gets_the_rest() -> None:
    worlds = drained(*EVERYTHING)
    worlds.own("PA3", ROUTE_POINT)
    worlds.claim("PA3", "PA1")
    assert only(plan(view(worlds, "PA1", lingers=True)), StepKind.HAND_OVER).server == "PA3"
    worlds.die("PA3")
    assert only(plan(view(worlds, "PA1", lingers=True)), StepKind.HAND_OVER).server == "PA2"


# ---------------------------------------------------------------------------------- moving


def moved(*owned: Identity, to: str = "PA3") -> Worlds:
    """PA1 shall be served by ``to``, which has what PA1 has not."""
    worlds = drained(*EVERYTHING)
    worlds.delete(stop("PA1"))
    others = [each for each in EVERYTHING if each not in owned]
    if others:
        worlds.own(to, *others)
        worlds.claim(to, "PA1")
    worlds.put(move("PA1"), to)
    return worlds


def test_a_home_that_is_moved_hands_over_to_the_one_that_is_named() -> None:
    worlds = moved(*EVERYTHING)
    step = only(plan(view(worlds, "PA1", lingers=True)), StepKind.HAND_OVER)
    assert (step.server, step.identities) == ("PA3", (ROUTE_POINT,))
    worlds.delete(move("PA1"))
    assert not worlds.commit(step.transaction)
    assert kinds(plan(view(worlds, "PA1", lingers=True))) == []


def test_a_moved_home_asks_for_nothing_while_its_stand_in_can() -> None:
    worlds = moved()
    assert kinds(plan(view(worlds, "PA1"))) == []
    worlds.beat("PA3", frozenset({"jtapi"}))
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]
    worlds = moved()
    worlds.delete(move("PA1"))
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]


def test_what_another_than_the_one_that_is_named_has_comes_home_first() -> None:
    worlds = moved(to="PA2")
    worlds.put(move("PA1"), "PA3")
    assert kinds(plan(view(worlds, "PA1"))) == [StepKind.WANT]


def test_a_server_that_is_not_on_the_list_is_no_place_to_move_to() -> None:
    worlds = moved(*EVERYTHING)
    worlds.put(move("PA1"), "PA9")
    assert worlds.world().moved("PA1") is None
    assert kinds(plan(view(worlds, "PA1", lingers=True))) == []
