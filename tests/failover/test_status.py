"""The Server Status page in each of the eight states (personal-assistant.md §2.6)."""

from __future__ import annotations

from worlds import CLUSTER, INTERCEPTOR, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import Kind, ServerStatus, cluster_status
from pa_telephony.failover.world import Stop

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


def test_6_up_without_a_call_manager() -> None:
    worlds = Worlds()
    worlds.enter("PA1", link=False)
    worlds.own("PA1", *EVERYTHING)
    status = page(worlds)
    assert (status.state, status.up) == ("call manager not reachable", True)
    assert arrows(status) == ALL_DOWN


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
