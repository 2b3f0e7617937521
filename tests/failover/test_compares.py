"""What each step compares: whatever it rests on may change before it commits, and then it does not.

Each case is a change between the snapshot that a step was planned from and its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Cluster, Identity
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.duties import View
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import Stop

EVERYTHING = CLUSTER.identities("PA1")
LINKS = frozenset(CLUSTER.used_providers)
GRANTED = frozenset({"PA1"})
Change = Callable[[Worlds], object]


def view(worlds: Worlds, me: str, **changes: Any) -> View:
    fields: dict[str, Any] = {
        "free": frozenset(EVERYTHING),
        "lingers": True,
        "beat": Beat(f"instance of {me}", LINKS, LINKS),
    }
    return View(worlds.world(), me, **(fields | changes))


def planned(worlds: Worlds, me: str, kind: StepKind, **changes: Any) -> Step:
    (found,) = (s for s in plan(view(worlds, me, **changes)).steps if s.kind is kind)
    return found


def begins_anew(name: str) -> Change:
    """A server of that name ends its session and has the next one."""

    def change(worlds: Worlds) -> None:
        worlds.die(name)
        worlds.enter(name)

    return change


def owned_anew(identity: Identity, name: str) -> Change:
    return lambda worlds: worlds.own(name, identity)


def refused(worlds: Worlds, step: Step, change: Change) -> bool:
    change(worlds)
    return not worlds.commit(step.transaction)


def alone() -> Worlds:
    worlds = Worlds()
    worlds.enter("PA1")
    return worlds


def orphaned() -> Worlds:
    """PA1 has died, and both that may stand in for it live."""
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.die("PA1")
    worlds.enter("PA2", "PA3")
    return worlds


def returning() -> Worlds:
    """PA1 is back and asks PA2 for its own."""
    worlds = Worlds()
    worlds.enter("PA2", "PA3")
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    worlds.enter("PA1")
    worlds.want("PA1")
    return worlds


@pytest.mark.parametrize("change", [lambda w: w.enter("PA1"), lambda w: w.stop("PA1")])
def test_a_session_begins_only_where_none_is_and_none_shall_not_be(change: Change) -> None:
    worlds = Worlds()
    assert refused(worlds, planned(worlds, "PA1", StepKind.ENTER), change)


def test_only_the_session_that_was_left_is_ended_by_leaving() -> None:
    worlds = alone()
    worlds.stop("PA1")
    assert refused(worlds, planned(worlds, "PA1", StepKind.LEAVE), begins_anew("PA1"))


def test_a_silent_server_that_is_heard_again_is_not_deposed() -> None:
    worlds = orphaned()
    worlds.enter("PA1")
    step = planned(worlds, "PA2", StepKind.DEPOSE, silent=frozenset({"PA1"}))
    assert refused(worlds, step, lambda w: w.enter("PA1"))


@pytest.mark.parametrize(
    "change", [begins_anew("PA1"), *(owned_anew(identity, "PA2") for identity in EVERYTHING)]
)
def test_what_is_acquired_is_still_nobody_s_and_the_session_still_ours(change: Change) -> None:
    worlds = alone()
    worlds.enter("PA2")
    assert refused(worlds, planned(worlds, "PA1", StepKind.ACQUIRE), change)


def test_a_route_point_is_acquired_only_while_the_ports_are_ours() -> None:
    worlds = alone()
    worlds.enter("PA2")
    worlds.own("PA1", *PORTS, INTERCEPTOR)
    step = planned(worlds, "PA1", StepKind.ACQUIRE)
    assert step.identities == (ROUTE_POINT,)
    assert refused(worlds, step, owned_anew(PORTS[0], "PA2"))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(begins_anew("PA2"), id="our session"),
        pytest.param(lambda w: w.stop("PA2"), id="our intent"),
        pytest.param(lambda w: w.enter("PA1"), id="the home's session"),
        pytest.param(lambda w: w.stop("PA1", Stop.ALONE), id="the home's intent"),
        pytest.param(
            lambda w: w.put("conf/PA1", replace(CLUSTER, capacity_aware=True).configured),
            id="the home's file",
        ),
        pytest.param(lambda w: w.put("coming/PA1", "begins"), id="the home's new process"),
        pytest.param(lambda w: w.claim("PA3", "PA1"), id="the claim"),
        *(
            pytest.param(owned_anew(identity, "PA3"), id=f"the owner of {identity}")
            for identity in EVERYTHING
        ),
    ],
)
def test_a_home_is_taken_only_as_it_was_seen(change: Change) -> None:
    worlds = orphaned()
    assert refused(worlds, planned(worlds, "PA2", StepKind.TAKE_HOME), change)


def test_a_home_that_is_taken_has_a_claim_at_once() -> None:
    worlds = orphaned()
    assert worlds.commit(planned(worlds, "PA2", StepKind.TAKE_HOME).transaction)
    assert worlds.world().claimant("PA1") == "PA2"


def test_who_is_skipped_for_its_load_takes_what_it_is_skipped_for_when_that_falls() -> None:
    """PA2 has room for two, and stands in for PA4 with one; PA3 takes PA1's two ports."""
    fourth = replace(
        CLUSTER.server("PA1"),
        server_name="PA4",
        hostname_or_ip_address="127.0.0.14",
        route_address="9000",
        media_port_beginning_address="9001",
        number_of_media_ports=1,
        interceptor_port_provider="",
        interceptor_ports=(),
    )
    cluster = Cluster(
        servers=(*CLUSTER.servers, fourth), providers=CLUSTER.providers, capacity_aware=True
    )
    worlds = Worlds(cluster)
    worlds.enter("PA2", "PA3")
    worlds.claim("PA2", "PA4")
    worlds.own("PA2", *cluster.identities("PA4"))
    step = planned(worlds, "PA3", StepKind.TAKE_HOME)
    assert step.server == "PA1"
    assert refused(worlds, step, lambda w: w.delete("claim/PA4"))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(begins_anew("PA2"), id="our session"),
        pytest.param(begins_anew("PA1"), id="the home's session"),
        pytest.param(lambda w: w.delete("want/PA1"), id="its wish"),
        pytest.param(owned_anew(PORTS[0], "PA3"), id="the owner"),
    ],
)
def test_a_port_is_handed_back_only_as_it_was_asked_for(change: Change) -> None:
    worlds = returning()
    step = planned(
        worlds, "PA2", StepKind.HAND_BACK, granted=GRANTED, released=frozenset({PORTS[0]})
    )
    assert refused(worlds, step, change)


@pytest.mark.parametrize("earlier", [*PORTS, INTERCEPTOR])
def test_a_route_point_is_handed_back_only_while_all_before_it_is_home(earlier: Identity) -> None:
    worlds = returning()
    worlds.own("PA1", *PORTS, INTERCEPTOR)
    step = planned(worlds, "PA2", StepKind.HAND_BACK, granted=GRANTED)
    assert step.identities == (ROUTE_POINT,)
    assert refused(worlds, step, owned_anew(earlier, "PA2"))


@pytest.mark.parametrize(
    "change", [begins_anew("PA2"), lambda w: w.claim("PA3", "PA1")], ids=["session", "claim"]
)
def test_a_claim_is_dropped_only_by_who_has_it(change: Change) -> None:
    worlds = returning()
    worlds.own("PA1", *EVERYTHING)
    assert refused(worlds, planned(worlds, "PA2", StepKind.RELEASE), change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(begins_anew("PA1"), id="session"),
        pytest.param(owned_anew(PORTS[1], "PA2"), id="owner"),
    ],
)
def test_a_home_is_given_up_only_by_who_has_it(change: Change) -> None:
    worlds = alone()
    worlds.enter("PA2")
    worlds.own("PA1", *EVERYTHING)
    beat = Beat("instance of PA1", frozenset(), frozenset())
    step = planned(worlds, "PA1", StepKind.GIVE_UP, beat=beat, cut_off=LINKS)
    assert refused(worlds, step, change)


def test_only_the_session_that_asks_has_asked() -> None:
    worlds = returning()
    worlds.delete("want/PA1")
    assert refused(worlds, planned(worlds, "PA1", StepKind.WANT), begins_anew("PA1"))


def test_nothing_is_done_for_a_home_that_has_asked_before_it_began_anew() -> None:
    worlds = returning()
    begins_anew("PA1")(worlds)
    assert plan(view(worlds, "PA2", granted=GRANTED)).give == frozenset()


def test_what_another_asks_for_in_a_home_s_name_is_no_wish() -> None:
    worlds = returning()
    worlds.put("want/PA1", f"PA3:{worlds.entries['srv/PA3'].created}")
    assert plan(view(worlds, "PA2", granted=GRANTED)).give == frozenset()


def test_who_reaches_nothing_asks_for_nothing() -> None:
    worlds = returning()
    worlds.delete("want/PA1")
    worlds.enter("PA1", "PA2", "PA3", link=False)
    assert plan(view(worlds, "PA1", beat=Beat("instance of PA1"))).steps == ()


@pytest.mark.parametrize("how", ["stopped", "deaf"])
def test_who_shall_stop_or_cannot_read_begins_no_session(how: str) -> None:
    worlds = Worlds()
    if how == "stopped":
        worlds.stop("PA1")
    assert plan(view(worlds, "PA1", deaf=how == "deaf")).steps == ()


def test_who_cannot_read_leaves_if_it_has_anything_and_does_nothing_else() -> None:
    worlds = alone()
    worlds.enter("PA2")
    silent = frozenset({"PA2"})
    assert plan(view(worlds, "PA1", deaf=True, silent=silent)).steps == ()
    (step,) = plan(view(worlds, "PA1", deaf=True, known=False, silent=silent)).steps
    assert step.kind is StepKind.LEAVE
    worlds.own("PA1", *PORTS)
    assert planned(worlds, "PA1", StepKind.LEAVE, deaf=True)


def test_a_claim_is_kept_by_who_has_something_of_the_home_even_in_another_file() -> None:
    worlds = orphaned()
    other = replace(CLUSTER.server("PA1"), route_address="6999")
    worlds.configure("PA2", replace(CLUSTER, servers=(other, *CLUSTER.servers[1:])))
    assert worlds.world().differs("PA2", "PA1")
    worlds.own("PA2", *PORTS)
    worlds.claim("PA2", "PA1")
    assert StepKind.RELEASE not in [step.kind for step in plan(view(worlds, "PA2")).steps]


def test_a_home_that_lives_and_has_a_part_is_not_taken() -> None:
    worlds = orphaned()
    worlds.enter("PA1", link=False)
    worlds.own("PA1", PORTS[0])
    assert plan(view(worlds, "PA2")).steps == ()


def test_what_nobody_has_of_a_home_is_taken_although_another_stand_in_has_a_part() -> None:
    worlds = orphaned()
    worlds.own("PA3", PORTS[0])
    step = planned(worlds, "PA2", StepKind.TAKE_HOME)
    assert {*step.identities} == {*EVERYTHING} - {PORTS[0]}
    assert refused(worlds, step, owned_anew(PORTS[0], "PA2"))


@pytest.mark.parametrize("lingers", [False, True])
def test_route_point_and_attendant_s_route_point_go_home_together(lingers: bool) -> None:
    first = replace(CLUSTER.server("PA1"), aa_route_address="6900")
    cluster = replace(CLUSTER, servers=(first, *CLUSTER.servers[1:]))
    attendant, main = (i for i in cluster.identities("PA1") if i.kind.stage == 2)
    worlds = Worlds(cluster)
    worlds.enter("PA1", "PA2")
    worlds.own("PA2", attendant, main)
    worlds.own("PA1", *PORTS, INTERCEPTOR)
    worlds.claim("PA2", "PA1")
    worlds.want("PA1")
    look = {"granted": GRANTED, "lingers": lingers, "free": frozenset({attendant, main})}
    one = plan(view(worlds, "PA2", released=frozenset({main}), **look))
    both = plan(view(worlds, "PA2", released=frozenset({attendant, main}), **look))
    if not lingers:
        assert one.steps == ()
    assert set(both.steps[0].identities) == {attendant, main}


def test_nobody_takes_itself_for_dead_or_silent() -> None:
    worlds = alone()
    worlds.dead.add("PA1")
    steps = plan(view(worlds, "PA1", silent=frozenset({"PA1"}))).steps
    assert [step.kind for step in steps] == [StepKind.ACQUIRE]


def test_a_server_acquires_its_own_before_it_stands_in_for_others() -> None:
    second = replace(
        CLUSTER.server("PA2"),
        route_address="7000",
        media_port_provider="skinny",
        media_port_beginning_address="7001",
        number_of_media_ports=1,
    )
    first, _, third = CLUSTER.servers
    worlds = Worlds(replace(CLUSTER, servers=(first, second, third)))
    worlds.enter("PA2")
    steps = plan(view(worlds, "PA2")).steps
    assert [step.kind for step in steps] == [StepKind.ACQUIRE, StepKind.TAKE_HOME]


@pytest.mark.parametrize("kind", [StepKind.ENTER, StepKind.LEAVE])
def test_sessions_begin_and_end_only_when_nothing_is_registered(kind: StepKind) -> None:
    worlds = Worlds() if kind is StepKind.ENTER else alone()
    if kind is StepKind.LEAVE:
        worlds.stop("PA1")
    assert planned(worlds, "PA1", kind)
    assert plan(view(worlds, "PA1", unquiet=GRANTED)).steps == ()


def test_a_transaction_commits_only_when_all_that_it_compares_holds() -> None:
    worlds = alone()
    world = worlds.world()
    compares = (world.unchanged("srv/PA1"), replace(world.unchanged("srv/PA1"), modified=99))
    assert not worlds.commit(Transaction(compares, (Put("key", "value"),)))


def draining() -> Worlds:
    """PA1 hands its ports over to PA2, which has the rest."""
    worlds = Worlds()
    worlds.enter("PA1", "PA2", "PA3")
    worlds.own("PA1", *PORTS)
    worlds.own("PA2", INTERCEPTOR, ROUTE_POINT)
    worlds.claim("PA2", "PA1")
    worlds.put("stop/PA1", "drain:600")
    return worlds


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(begins_anew("PA1"), id="our session"),
        pytest.param(begins_anew("PA2"), id="the stand-in's session"),
        pytest.param(lambda w: w.delete("stop/PA1"), id="the order for us"),
        pytest.param(lambda w: w.stop("PA2"), id="the order for the stand-in"),
        pytest.param(lambda w: w.put("move/PA1", "PA3"), id="the place to move to"),
        pytest.param(lambda w: w.claim("PA3", "PA1"), id="the claim"),
        pytest.param(lambda w: w.put("cluster", "another"), id="the configuration"),
        *(
            pytest.param(owned_anew(identity, "PA3"), id=f"the owner of {identity}")
            for identity in EVERYTHING
        ),
    ],
)
def test_a_number_is_handed_over_only_as_it_was_seen(change: Change) -> None:
    worlds = draining()
    step = planned(worlds, "PA1", StepKind.HAND_OVER, released=frozenset(PORTS))
    assert refused(worlds, step, change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda w: w.stop("PA1", Stop.ALONE), id="the order for the home"),
        pytest.param(lambda w: w.put("want/PA1", "PA1:1"), id="that the home does not ask"),
        pytest.param(lambda w: w.put("coming/PA1", "begins"), id="that the home does not begin"),
        pytest.param(lambda w: w.delete("stop/PA2"), id="the order for us"),
        pytest.param(lambda w: w.claim("PA3", "PA1"), id="the claim"),
    ],
)
def test_what_a_stand_in_has_is_handed_over_only_as_it_was_seen(change: Change) -> None:
    worlds = orphaned()
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    worlds.put("stop/PA2", "drain:600")
    step = planned(worlds, "PA2", StepKind.HAND_OVER)
    assert step.identities == (ROUTE_POINT,)
    assert refused(worlds, step, change)
