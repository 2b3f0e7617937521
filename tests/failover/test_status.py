"""The Server Status page in each of the eight states of Cisco's document 44922."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Kind, ServerStatus, Severity, cluster_status
from pa_telephony.failover.agreement import Configured
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.looking import Look
from pa_telephony.failover.status import Ages, seconds
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import Stop, configuration, session

EVERYTHING = CLUSTER.identities("PA1")


def page(worlds: Worlds, name: str = "PA1") -> ServerStatus:
    (found,) = (p for p in cluster_status(CLUSTER, worlds.snapshot()) if p.name == name)
    return found


def arrows(status: ServerStatus) -> dict[str, bool]:
    return {resource.identity.number: resource.up for resource in status.resources}


ALL_UP = {"6000": True, "6001": True, "6002": True, "5XXX": True}
ALL_DOWN = dict.fromkeys(ALL_UP, False)


def test_1_normal() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2")
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    status = page(worlds)
    assert (status.state, status.up, status.fail_over_server) == ("normal", True, "")
    assert arrows(status) == ALL_UP
    assert {resource.holder for resource in status.resources} == {"PA1"}


def test_2_down_and_another_stands_in() -> None:
    worlds = Worlds()
    worlds.enter("PA2", up=EVERYTHING, busy=PORTS[:1])
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    status = page(worlds)
    assert (status.state, status.up) == ("down, PA2 stands in", False)
    assert arrows(status) == ALL_UP
    assert {resource.holder for resource in status.resources} == {"PA2"}
    assert status.media_ports_in_use == 1


def test_3_down_and_the_takeover_runs() -> None:
    worlds = Worlds()
    worlds.enter("PA2", up=PORTS[:1])
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    status = page(worlds)
    assert (status.state, status.up) == ("down, PA2 takes over", False)
    assert arrows(status) == ALL_DOWN | {"6001": True}


def test_4_down_and_nobody_stands_in() -> None:
    status = page(Worlds())
    assert (status.state, status.up) == ("down, nobody stands in", False)
    assert arrows(status) == ALL_DOWN
    assert {resource.holder for resource in status.resources} == {""}


def test_5_back_and_the_return_runs() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=PORTS[:1])
    worlds.enter("PA2", up=[PORTS[1], INTERCEPTOR, ROUTE_POINT], busy=PORTS[1:])
    worlds.own("PA1", PORTS[0])
    worlds.own("PA2", PORTS[1], INTERCEPTOR, ROUTE_POINT)
    worlds.claim("PA2", "PA1")
    status = page(worlds)
    assert (status.state, status.up) == ("back, PA2 gives back", True)
    assert arrows(status) == ALL_UP
    holders = {resource.identity.number: resource.holder for resource in status.resources}
    assert holders == {"6001": "PA1", "6002": "PA2", "5XXX": "PA2", "6000": "PA2"}


def test_a_stand_in_that_does_not_give_back_yet_is_not_said_to() -> None:
    worlds = Worlds()
    worlds.enter("PA1", "PA2", up=EVERYTHING)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    links = frozenset(CLUSTER.used_providers)
    worlds.put(session("PA2"), Beat("PA2", links, links, holds={"PA1": 300.0}).encode())
    assert page(worlds).state == "back, PA2 gives back after a hold of 5 min 0 s"


def test_6_up_without_a_call_manager() -> None:
    worlds = Worlds()
    worlds.enter("PA1", link=False)
    worlds.own("PA1", *EVERYTHING)
    status = page(worlds)
    assert (status.state, status.up) == ("call manager not reachable", True)
    assert arrows(status) == ALL_DOWN


def test_a_server_that_lost_a_provider_is_not_said_to_get_its_own_back() -> None:
    worlds = Worlds()
    worlds.enter("PA2", up=EVERYTHING)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    for links, state in (
        ((), "call manager not reachable, PA2 stands in"),
        (("jtapi",), "does not reach skinny, PA2 stands in"),
        (("jtapi", "skinny"), "back, PA2 gives back"),
    ):
        worlds.beat("PA1", frozenset(links))
        assert page(worlds).state == state


def test_7_one_port_is_refused_and_the_page_says_why() -> None:
    worlds = Worlds()
    worlds.enter("PA1")
    others = [each for each in EVERYTHING if each != PORTS[1]]
    worlds.enter("PA1", up=others, why={PORTS[1].label: "no such device"})
    worlds.own("PA1", *EVERYTHING)
    status = page(worlds)
    assert status.state == "not everything is registered"
    assert arrows(status) == ALL_UP | {"6002": False}
    assert [r.why for r in status.of_kind(Kind.PORT)] == ["", "no such device"]


def test_8_an_idle_spare_has_no_rows() -> None:
    worlds = Worlds()
    worlds.enter("PA2")
    status = page(worlds, "PA2")
    assert (status.state, status.spare, status.resources) == ("idle spare", True, ())
    assert status.media_ports_in_use == 0
    assert page(Worlds(), "PA2").state == "down"


def test_a_process_that_is_proven_dead_is_down_although_its_session_stands() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    worlds.dead.add("PA1")
    status = page(worlds)
    assert not status.up
    assert arrows(status) == ALL_DOWN


def test_an_operator_s_stop_shows() -> None:
    worlds = Worlds()
    worlds.stop("PA1", Stop.ALONE)
    assert page(worlds).stopped


def test_a_route_point_on_its_way_home_is_shown_where_it_is_served() -> None:
    worlds = Worlds()
    worlds.enter("PA1", up=PORTS)
    worlds.enter("PA2", up=[ROUTE_POINT])
    worlds.own("PA1", *EVERYTHING)
    (found,) = page(worlds).of_kind(Kind.ROUTE_POINT)
    assert (found.up, found.holder) == (True, "PA2")


def aged(worlds: Worlds, **ages: float) -> dict[str, ServerStatus]:
    return {p.name: p for p in cluster_status(CLUSTER, worlds.snapshot(), ages)}


def served() -> Worlds:
    worlds = Worlds()
    worlds.enter("PA1", "PA2", "PA3")
    worlds.enter("PA1", up=EVERYTHING)
    worlds.own("PA1", *EVERYTHING)
    return worlds


def test_a_heartbeat_is_believed_only_as_long_as_its_sender_may_act() -> None:
    worlds = served()
    fresh, late, old = (aged(worlds, PA1=age)["PA1"] for age in (0.3, 2.0, 4.1))
    assert (fresh.state, fresh.severity, fresh.notes) == ("normal", Severity.NORMAL, ())
    assert (late.state, late.severity) == ("works, with a warning", Severity.WARNING)
    assert late.notes == ("no heartbeat for 2.0 s",)
    assert arrows(late) == ALL_UP
    assert (old.state, old.severity) == ("down, nobody stands in", Severity.DOWN)
    assert old.notes[0] == "it is silent for 4.1 s"
    assert arrows(old) == ALL_DOWN
    assert {resource.why for resource in old.resources} == {"is silent for 4.1 s"}


def test_who_misses_a_server_is_named() -> None:
    worlds = served()
    beat = Beat("i", suspects=frozenset({"PA1"}))
    worlds.put(session("PA3"), beat.encode())
    assert "not heard by PA3" in page(worlds).notes


def test_a_port_that_two_servers_have_is_never_normal() -> None:
    worlds = served()
    worlds.enter("PA2", up=PORTS[:1])
    found = page(worlds)
    assert found.state == "held by two servers at once"
    assert found.severity is Severity.DOWN
    assert (found.resources[0].holder, found.resources[0].also) == ("PA1", ("PA2",))


def test_a_route_point_may_be_at_two_servers_while_the_return_runs_and_not_afterwards() -> None:
    worlds = served()
    worlds.enter("PA2", up=[ROUTE_POINT])
    worlds.claim("PA2", "PA1")
    (found,) = page(worlds).of_kind(Kind.ROUTE_POINT)
    assert (found.also, found.doubled) == (("PA2",), False)
    worlds.delete("claim/PA1")
    (found,) = page(worlds).of_kind(Kind.ROUTE_POINT)
    assert found.doubled
    assert Look(CLUSTER, worlds.snapshot(), {"PA1": 0.0, "PA2": 0.0, "PA3": 0.0}).questionable


def test_what_a_server_does_not_reach_is_told_with_the_reason() -> None:
    worlds = served()
    up = frozenset(each.label for each in PORTS)
    beat = Beat("i", frozenset({"skinny"}), up=up, unreached={"jtapi": "wrong password"})
    worlds.put(session("PA1"), beat.encode())
    worlds.own("PA1", *EVERYTHING)
    found = page(worlds)
    assert "it does not reach jtapi (wrong password)" in found.notes
    assert [each.why for each in found.resources] == [
        "",
        "",
        "does not reach jtapi (wrong password)",
        "does not reach jtapi (wrong password)",
    ]


def test_a_server_that_cannot_read_the_store_says_so() -> None:
    worlds = served()
    worlds.put(session("PA2"), Beat("i", frozenset({"*"}), reads=False).encode())
    worlds.die("PA3")
    assert page(worlds, "PA2").notes == ("it cannot read the store",)
    assert page(worlds).notes == (
        "nobody could stand in for it: PA2 cannot read the store, PA3 has no session",
    )


def test_a_server_with_another_configuration_says_in_what() -> None:
    servers = (replace(CLUSTER.servers[0], number_of_media_ports=3), *CLUSTER.servers[1:])
    worlds = Worlds()
    worlds.configure("PA1", CLUSTER)
    worlds.configure("PA2", replace(CLUSTER, servers=servers))
    assert page(worlds, "PA2").notes == (
        "its configuration of PA1 is another: numbers, device names, providers",
    )
    assert (
        "PA2 has another configuration of PA1 (numbers, device names, providers)"
        in page(worlds).notes[-1]
    )


def test_more_ports_than_calls_is_a_warning() -> None:
    cluster = replace(
        CLUSTER, servers=(replace(CLUSTER.servers[0], capacity=1), *CLUSTER.servers[1:])
    )
    worlds = served()
    (found, *_) = cluster_status(cluster, worlds.snapshot())
    says = "holds 2 media ports, and may have 1 call at once"
    assert found.notes == (says,)
    worlds.enter("PA1", up=CLUSTER.identities("PA1"), busy=PORTS[:1])
    (found, *_) = cluster_status(cluster, worlds.snapshot())
    assert found.notes == (f"{says}: it has them, so the next caller hears busy",)


def test_why_nobody_serves_a_number_is_told_of_every_candidate() -> None:
    worlds = Worlds()
    worlds.enter("PA3", link=False)
    worlds.stop("PA2")
    (whys,) = {each.why for each in page(worlds).resources}
    assert whys == ("nobody can stand in: PA2 was stopped by an operator, PA3 does not reach jtapi")
    worlds.stop("PA1", Stop.ALONE)
    assert page(worlds).resources[0].why == "stopped without a stand-in"


def test_a_process_that_runs_and_one_that_does_not_are_told_apart() -> None:
    snapshot = Worlds().snapshot()
    for running, words in (
        (frozenset({"PA1"}), "it runs without a session"),
        (frozenset[str](), "it has no process that runs"),
        (None, "it has no session"),
    ):
        (found, *_) = cluster_status(CLUSTER, replace(snapshot, running=running))
        assert found.notes[0].startswith(words)


def test_ages_are_those_of_the_sender_s_clock_until_a_heartbeat_is_seen_to_come() -> None:
    worlds, ages = Worlds(), Ages()
    worlds.put(session("PA1"), Beat("i", at=90.0).encode())
    worlds.put(session("PA2"), Beat("i", at=5000.0).encode())  # another machine's clock
    assert ages.look(CLUSTER, worlds.snapshot(), 100.0) == {"PA1": 10.0}
    assert Look(CLUSTER, worlds.snapshot(), {"PA1": 0.0}).questionable
    worlds.put(session("PA1"), Beat("i", at=90.1).encode())
    assert ages.look(CLUSTER, worlds.snapshot(), 101.5) == {"PA1": 0.0, "PA2": 1.5}
    assert ages.look(CLUSTER, worlds.snapshot(), 102.5) == {"PA1": 1.0, "PA2": 2.5}


def test_a_server_that_stands_in_is_no_idle_spare() -> None:
    worlds = Worlds()
    worlds.enter("PA2", up=EVERYTHING)
    worlds.own("PA2", *EVERYTHING)
    worlds.claim("PA2", "PA1")
    assert page(worlds, "PA2").state == "spare, stands in for PA1"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-0.1, "0 ms"),
        (0.04, "40 ms"),
        (0.9999, "1.0 s"),
        (12.4, "12 s"),
        (200.0, "3 min 20 s"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_durations_are_for_people(value: float, words: str) -> None:
    assert seconds(value) == words


def test_a_server_that_runs_with_another_file_than_the_reader_s_is_told() -> None:
    home, *others = CLUSTER.servers
    other = replace(CLUSTER, servers=(replace(home, number_of_media_ports=1), *others))
    worlds = Worlds()
    beat = Beat("i", frozenset({"*"}), up=frozenset(each.label for each in EVERYTHING))
    begun = (
        Put(session("PA1"), beat.encode()),
        Put(configuration("PA1"), Configured.of(other).encode()),
    )
    assert worlds.commit(Transaction((), begun))
    worlds.own("PA1", *EVERYTHING)
    worlds.enter("PA2")
    assert aged(worlds, PA1=0.0)["PA1"].notes == (
        "it runs with another configuration of PA1 than this file: numbers, device names,"
        " providers",
    )
    assert page(worlds).notes == ()  # a server that looks has no file of its own to compare
