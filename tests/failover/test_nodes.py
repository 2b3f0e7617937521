"""Several call managers: when the cluster goes to another one, and what servers do then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driver import Driver
from worlds import CLUSTER, PORTS, ROUTE_POINT, Worlds

from pa_telephony.failover import AlarmKind, Cluster, Severity, cluster_status
from pa_telephony.failover.actions import Action, Register
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.duties import View
from pa_telephony.failover.nodes import LOST, STEADY, Reach, best_node
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.world import NODE, session

HOSTS = ("127.0.0.10", "127.0.0.20")
TWO = replace(
    CLUSTER,
    providers=(
        replace(CLUSTER.providers[0], hosts=HOSTS),
        replace(CLUSTER.providers[1], hosts=HOSTS, return_to_preferred=True),
    ),
)
"""The usual cluster with two call managers; it goes back to the first."""
TIMING = TWO.timing
PROVIDERS = {"c": "jtapi", "p": "skinny"}
"""CTI and ports, in the table below."""


def reach(text: str) -> Reach:
    """What a server reaches, node by node: ``cp`` now, ``CP`` steadily."""
    nodes = text.split("/")
    return Reach(
        tuple(frozenset(PROVIDERS[each.lower()] for each in node) for node in nodes),
        tuple(
            frozenset(PROVIDERS[each.lower()] for each in node if each.isupper()) for node in nodes
        ),
    )


@pytest.mark.parametrize(
    ("present", "servers", "goes"),
    [
        pytest.param(0, "CP/CP CP/CP", 0, id="all is well"),
        pytest.param(0, "/CP /CP", 1, id="the first is gone"),
        pytest.param(0, "cp/cp cp/cp", 0, id="all have just started"),
        pytest.param(
            0, "/cp /cp", 0, id="the first is gone, and nobody reaches the second steadily"
        ),
        pytest.param(0, "/CP CP/CP", 0, id="one does not reach the first"),
        pytest.param(0, "/ CP/CP", 0, id="one reaches nothing"),
        pytest.param(0, "/ /CP", 1, id="the first is gone, and one reaches nothing"),
        pytest.param(0, "/ /", 0, id="nobody reaches anything"),
        pytest.param(0, "/cp /CP", 1, id="the first is gone, and one has just started"),
        pytest.param(0, "P/CP P/CP", 1, id="CTI of the first is gone for all"),
        pytest.param(0, "P/CP CP/CP", 0, id="CTI of the first is gone for one"),
        pytest.param(0, "P/C P/C", 0, id="each has what the other has not"),
        pytest.param(1, "CP/CP CP/CP", 0, id="the first is back"),
        pytest.param(1, "cp/CP CP/CP", 1, id="the first is back, one does not reach it steadily"),
        pytest.param(1, "/CP CP/CP", 1, id="the first is back, and one does not reach it"),
        pytest.param(1, "/ CP/CP", 0, id="the first is back, and one reaches nothing"),
        pytest.param(1, "P/CP P/CP", 1, id="the first is back without CTI"),
        pytest.param(1, "P/P P/P", 0, id="the first is as good as the second"),
        pytest.param(1, "/ /", 1, id="both are gone"),
        pytest.param(1, "CP/ CP/", 0, id="the second is gone"),
        pytest.param(1, "cp/ cp/", 1, id="the second is gone, and the first has just come back"),
        pytest.param(0, "//CP //CP", 2, id="the third is left"),
        pytest.param(0, "/CP/CP /CP/CP", 1, id="the next one comes first"),
        pytest.param(0, "/CP/ //CP //CP", 2, id="nobody is left here: where most are"),
        pytest.param(0, "", 0, id="nobody lives"),
    ],
)
def test_the_cluster_goes_where_all_servers_can(present: int, servers: str, goes: int) -> None:
    found = [reach(each) for each in servers.split()]
    assert best_node(present, found, goes_back=True) == goes


def test_a_cluster_that_is_not_to_go_back_stays_at_a_later_node_while_that_is_there() -> None:
    assert best_node(1, [reach("CP/CP")], goes_back=False) == 1
    assert best_node(1, [reach("CP/")], goes_back=False) == 0
    assert TWO.goes_back
    assert not replace(
        TWO, providers=(TWO.providers[0], replace(TWO.providers[1], return_to_preferred=False))
    ).goes_back


def test_a_provider_that_names_fewer_hosts_stays_at_its_last_one() -> None:
    mixed = replace(TWO, providers=(TWO.providers[0], CLUSTER.providers[1]))
    assert (CLUSTER.nodes, TWO.nodes, mixed.nodes) == (1, 2, 2)
    assert [mixed.place(name, 1) for name in ("jtapi", "skinny")] == [1, 0]
    assert mixed.hosts_at(1) == ("127.0.0.20", "127.0.0.10")
    assert TWO.hosts_at(1) == ("127.0.0.20",)


def says(worlds: Worlds, name: str, letters: str) -> None:
    """``name`` tells with its heartbeat what it reaches of both providers at each node."""
    links = frozenset(TWO.used_providers)
    nodes = dict.fromkeys(links, letters)
    beat = Beat(f"instance of {name}", links, links, nodes=nodes, configuration="same")
    worlds.put(session(name), beat.encode())


@pytest.mark.parametrize("trouble", ["dead", "stopped", "cannot read"])
def test_who_is_dead_or_stopped_or_cannot_read_is_not_asked(trouble: str) -> None:
    worlds = Worlds(TWO)
    for name in ("PA1", "PA2"):
        says(worlds, name, "ss")
    assert len(list(worlds.world().reaches())) == 2
    if trouble == "dead":
        worlds.dead.add("PA1")
    elif trouble == "stopped":
        worlds.stop("PA1")
    else:
        worlds.put(session("PA1"), Beat("instance of PA1", reads=False).encode())
    assert list(worlds.world().reaches()) == [reach("CP/CP")]


@pytest.mark.parametrize("said", ["", "x", "7", "-1", "1\n"])
def test_a_node_that_the_hosts_do_not_have_is_the_first_one(said: str) -> None:
    worlds = Worlds(TWO)
    worlds.put(NODE, said)
    assert worlds.world().node == 0


def test_a_release_that_knows_no_nodes_reaches_none_and_is_not_asked() -> None:
    worlds = Worlds(TWO)
    worlds.enter("PA1")
    assert list(worlds.world().reaches()) == [reach("/")]
    assert Beat.decode('{"nodes": {"jtapi": 5}}').nodes == {"jtapi": "5"}
    assert Beat.decode('{"nodes": "what"}').instance == ""


def begun() -> Driver:
    """PA1 serves its own at the first of two call managers and reaches both steadily."""
    driver = Driver("PA1", Worlds(TWO), TWO)
    sees(driver, True, True)
    driver.settle()
    driver.pass_time(TIMING.steady)
    return driver


def sees(driver: Driver, *nodes: bool) -> None:
    """What it reaches of both providers, at the first node and at the second."""
    for provider in TWO.used_providers:
        for node, reachable in enumerate(nodes):
            driver.member.sees(provider, node, reachable, driver.now)


def leave_the_first(driver: Driver) -> None:
    """The first call manager is not reached any more, until the cluster has left it."""
    sees(driver, False, True)
    driver.pass_time(TIMING.back_off)
    assert driver.worlds.world().node == 1


def letters(driver: Driver) -> set[str]:
    found = driver.worlds.world().session("PA1")
    assert found is not None
    return set(found.beat.nodes.values())


def test_a_node_counts_as_reached_for_a_while_after_it_was_lost() -> None:
    driver = begun()
    assert letters(driver) == {"ss"}
    sees(driver, False, True)
    driver.pass_time(TIMING.back_off - 0.1)
    assert letters(driver) == {"rs"}
    driver.pass_time(0.2)
    assert letters(driver) == {"-s"}
    assert driver.worlds.world().node == 1
    assert StepKind.CHOOSE_NODE in driver.steps


def test_where_there_is_one_call_manager_heartbeats_say_nothing_of_nodes() -> None:
    driver = Driver("PA1", Worlds())
    driver.settle()
    assert letters(driver) == set()


def test_what_is_registered_at_a_node_that_is_left_is_given_up_and_held_at_the_other() -> None:
    driver = begun()
    nodes: list[int] = []
    perform = driver.perform

    def note(action: Action) -> None:
        if isinstance(action, Register):
            assert action.identity not in driver.registered
            nodes.append(action.node)
        perform(action)

    driver.perform = note  # type: ignore[method-assign]
    leave_the_first(driver)
    assert nodes == [1] * len(TWO.identities("PA1"))
    assert driver.registered == set(TWO.identities("PA1"))
    assert driver.closed_at_once == set()


def test_a_port_with_a_call_stays_and_says_where_until_the_call_has_ended() -> None:
    driver = begun()
    driver.member.set_busy(PORTS[0], True)
    leave_the_first(driver)
    driver.pass_time(1.0)
    assert driver.member.state(PORTS[0]) is State.REGISTERED
    (page, *_) = cluster_status(TWO, driver.worlds.snapshot())
    (port,) = (each for each in page.resources if each.identity == PORTS[0])
    assert port.up
    assert port.why == (
        "is registered at 127.0.0.10, where the callers are not;"
        " it goes to 127.0.0.20 when its call has ended"
    )
    assert page.severity is Severity.WARNING
    assert page.state == "works, with a warning"
    (alarm,) = (each for each in page.alarms if each.kind is AlarmKind.REGISTERED_ELSEWHERE)
    assert (alarm.identity, alarm.text) == (PORTS[0].label, f"PA1 {port.why}")
    driver.member.set_busy(PORTS[0], False)
    driver.settle()
    driver.pass_time(1.0)
    (page, *_) = cluster_status(TWO, driver.worlds.snapshot())
    assert not any(each.why for each in page.resources)


def test_a_call_that_only_the_call_manager_knows_of_keeps_its_port_too() -> None:
    driver = begun()
    driver.keeps.add(PORTS[0])
    leave_the_first(driver)
    driver.pass_time(3 * TIMING.retry)
    assert driver.member.state(PORTS[0]) is State.REGISTERED
    assert PORTS[0].label in driver.member.reasons()
    driver.keeps.clear()
    driver.pass_time(TIMING.retry)
    assert driver.member.state(PORTS[0]) is State.REGISTERED
    assert driver.member.reasons() == {}


def test_what_was_lost_with_its_node_is_closed_before_it_is_held_at_the_other() -> None:
    driver = begun()
    sees(driver, False, True)
    driver.link(False)
    driver.member.lost(ROUTE_POINT, driver.now, "connection lost")
    driver.pass_time(TIMING.back_off - 0.1)
    assert driver.member.state(ROUTE_POINT) is State.LOST
    driver.pass_time(0.2)
    assert driver.member.state(ROUTE_POINT) is State.IDLE
    driver.link(True)
    driver.settle()
    assert driver.member.state(ROUTE_POINT) is State.REGISTERED


@pytest.mark.parametrize(
    ("said", "goes_back", "text"),
    [
        (
            f"{LOST}{STEADY}",
            True,
            "all is at 127.0.0.20: it does not reach 127.0.0.10 (jtapi, skinny)",
        ),
        ("rs", True, "all is at 127.0.0.20: it reaches 127.0.0.10 for less than 15 s"),
        (
            "ss",
            True,
            "all is at 127.0.0.20: it reaches 127.0.0.10, and waits for the other servers",
        ),
        (
            f"{LOST}{STEADY}",
            False,
            "all is at 127.0.0.20: it does not reach 127.0.0.10 (jtapi, skinny)",
        ),
        ("ss", False, ""),
    ],
)
def test_status_says_why_the_cluster_is_not_at_its_first_call_manager(
    said: str, goes_back: bool, text: str
) -> None:
    skinny = replace(TWO.providers[1], return_to_preferred=goes_back)
    cluster = replace(TWO, providers=(TWO.providers[0], skinny))
    assert isinstance(cluster, Cluster)
    worlds = Worlds(cluster)
    says(worlds, "PA1", said)
    worlds.put(NODE, "1")
    (page, *_) = cluster_status(cluster, worlds.snapshot())
    found = [each.text for each in page.alarms if each.kind is AlarmKind.CALL_MANAGER_LEFT]
    assert found == ([text] if text else [])


@pytest.mark.parametrize("change", ["another chooses", "our session is over"])
def test_a_choice_of_the_node_stands_only_as_long_as_what_it_was_made_of(change: str) -> None:
    worlds = Worlds(TWO)
    for name in ("PA1", "PA2"):
        says(worlds, name, f"{LOST}{STEADY}")
    beat = Beat("instance of PA2", configuration="same")
    choices = [
        each
        for each in plan(View(worlds.world(), "PA2", beat)).steps
        if each.kind is StepKind.CHOOSE_NODE
    ]
    (choice,) = choices
    assert choice.server == "127.0.0.20"
    if change == "another chooses":
        worlds.put(NODE, "0")
    else:
        worlds.die("PA2")
        says(worlds, "PA2", f"{LOST}{STEADY}")
    assert not worlds.commit(choice.transaction)
