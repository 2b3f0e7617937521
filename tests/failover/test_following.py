"""A server whose configuration changes in the store: what it takes up at once, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driver import Driver, started
from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.failover import Cluster, ServerConfig
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.duties import View
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.ledger import Ledger, Registration
from pa_telephony.failover.ownership import plan
from pa_telephony.failover.registration import Input, State
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.stored import CONFIGURATION, Revision, offered, saving, stored

THIRD = Identity("PA1", Kind.PORT, "6003")
MOVED = Identity("PA2", Kind.PORT, "6002")


def with_ports(count: int, **fields: object) -> Cluster:
    first, *others = CLUSTER.servers
    return replace(
        CLUSTER, servers=(replace(first, number_of_media_ports=count), *others), **fields
    )


def moved() -> Cluster:
    """6002 is of PA2."""
    first, second, third = with_ports(1).servers
    second = replace(
        second,
        media_port_provider="skinny",
        media_port_beginning_address="6002",
        number_of_media_ports=1,
    )
    return replace(CLUSTER, servers=(first, second, third))


def save(worlds: Worlds, cluster: Cluster) -> None:
    present = stored(worlds.snapshot())
    number = 1 if present is None else present.number + 1
    assert worlds.commit(saving(offered(cluster, number), worlds.snapshot()))


def configured(name: str = "PA1") -> Driver:
    """A server that runs with the configuration of the store."""
    worlds = Worlds()
    save(worlds, CLUSTER)
    driver = Driver(name, worlds)
    driver.settle()
    return driver


def test_the_first_server_of_a_cluster_brings_its_file_along() -> None:
    worlds = Worlds()
    driver = Driver("PA1", worlds, offers=offered(CLUSTER))
    driver.settle()
    present = stored(worlds.snapshot())
    assert present is not None
    assert (present.number, present.hash) == (1, offered(CLUSTER).hash)
    said = worlds.world().session("PA1")
    assert said is not None
    assert said.beat.configuration == present.hash


def test_of_two_that_begin_with_different_files_one_is_followed_by_both() -> None:
    worlds = Worlds()
    other = with_ports(1)
    one = Driver("PA1", worlds, offers=offered(CLUSTER))
    two = Driver("PA2", worlds, other, offers=offered(other))
    two.member.observe(worlds.snapshot(), two.now)
    (late,) = two.member.actions(two.now)
    one.settle()
    two.perform(late)
    two.settle()
    assert two.member.cluster == one.member.cluster == CLUSTER
    assert worlds.world().session("PA2") is not None


def test_a_store_that_is_begun_anew_gets_the_configuration_that_was_followed() -> None:
    driver = configured()
    save(driver.worlds, with_ports(3))
    driver.settle()
    driver.member.forget(driver.now)
    driver.registered.clear()
    driver.worlds.entries.clear()
    driver.pass_time(1.0)
    present = stored(driver.worlds.snapshot())
    assert present is not None
    assert present.number == 2


def test_a_port_that_comes_is_registered_and_the_others_stay() -> None:
    driver = configured()
    before = len(driver.asked)
    save(driver.worlds, with_ports(3))
    driver.settle()
    assert driver.asked[before:] == [[THIRD]]
    assert THIRD in driver.registered
    driver.pass_time(1.0)
    said = driver.worlds.world().sessions["PA1"].beat
    assert said.configuration == offered(with_ports(3)).hash


def test_a_port_that_goes_is_given_up_politely_and_its_owner_with_it() -> None:
    driver = configured()
    save(driver.worlds, with_ports(1))
    driver.settle()
    assert driver.steps[-1] is StepKind.RETIRE
    assert PORTS[1] not in driver.registered | driver.closed_at_once
    assert PORTS[1].key not in driver.worlds.entries
    assert PORTS[0] in driver.registered


def test_a_port_that_goes_keeps_its_call() -> None:
    driver = configured()
    driver.member.set_busy(PORTS[1], True)
    save(driver.worlds, with_ports(1))
    driver.pass_time(30.0)
    assert PORTS[1] in driver.registered
    assert driver.member.state(PORTS[1]) is State.REGISTERED
    assert PORTS[1].key in driver.worlds.entries
    driver.member.set_busy(PORTS[1], False)
    driver.settle()
    assert PORTS[1] not in driver.registered
    assert PORTS[1].key not in driver.worlds.entries


def test_a_port_that_is_configured_again_before_its_call_has_ended_never_goes() -> None:
    driver = configured()
    driver.member.set_busy(PORTS[1], True)
    save(driver.worlds, with_ports(1))
    driver.settle()
    save(driver.worlds, CLUSTER)
    driver.member.set_busy(PORTS[1], False)
    before = len(driver.asked)
    driver.pass_time(2.0)
    assert PORTS[1] in driver.registered
    assert driver.asked[before:] == []


def test_a_port_that_moves_is_registered_only_when_the_other_has_let_it_go() -> None:
    one = configured("PA1")
    two = Driver("PA2", one.worlds)
    two.settle()
    one.member.set_busy(PORTS[1], True)
    save(one.worlds, moved())
    for _ in range(20):
        one.pass_time(0.5)
        two.pass_time(0.5)
    assert PORTS[1] in one.registered
    assert MOVED not in two.registered
    one.member.set_busy(PORTS[1], False)
    one.settle()
    two.settle()
    assert PORTS[1] not in one.registered
    assert MOVED in two.registered


def test_what_is_planned_with_one_configuration_is_not_committed_under_another() -> None:
    driver = configured("PA2")
    driver.worlds.enter("PA1")
    driver.pass_time(3.0)
    driver.worlds.die("PA1")
    driver.member.observe(driver.worlds.snapshot(), driver.now)
    planned = driver.member.actions(driver.now)
    assert driver.member._flight is not None
    assert driver.member._flight.step.kind is StepKind.TAKE_HOME
    save(driver.worlds, with_ports(3))
    for action in planned:
        driver.perform(action)
    assert StepKind.TAKE_HOME not in driver.steps
    driver.settle()
    assert driver.steps[-1] is StepKind.TAKE_HOME
    assert driver.registered == set(with_ports(3).identities("PA1"))


def test_a_stand_in_takes_a_port_that_comes_while_the_home_is_down() -> None:
    driver = configured("PA2")
    driver.pass_time(3.0)
    assert driver.steps[-1] is StepKind.TAKE_HOME
    save(driver.worlds, with_ports(3))
    driver.settle()
    assert THIRD in driver.registered


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Revision(2, "[[servers]]\nserver_name = 7"), "server_name"),
        (Revision(2, offered(CLUSTER).text.replace("capacity = 2", "volume = 11")), "volume"),
        (Revision(2, offered(CLUSTER).text.replace('"PA1"', '"PA7"')), "PA1"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_not_followed_and_nothing_is_taken(
    bad: Revision, why: str
) -> None:
    driver = configured()
    driver.worlds.commit(saving(bad, driver.worlds.snapshot()))
    driver.pass_time(10.0)
    assert why in driver.member.unread
    assert driver.registered == set(CLUSTER.identities("PA1"))
    steps = len(driver.steps)
    driver.worlds.delete(PORTS[0].key)
    driver.pass_time(1.0)
    assert driver.steps[steps:] == []
    save(driver.worlds, CLUSTER)
    driver.settle()
    assert driver.member.unread == ""
    assert PORTS[0] in driver.registered


def test_servers_that_have_the_configuration_of_the_store_agree() -> None:
    worlds = configured().worlds
    two = Driver("PA2", worlds)
    two.settle()
    save(worlds, with_ports(3))
    two.settle()
    world = two.member.world
    assert world.differs("PA2", "PA1") == world.differs("PA3", "PA1") == ()
    assert CONFIGURATION in world.snapshot.entries


def test_a_server_that_is_new_may_stand_in_at_once() -> None:
    more = ServerConfig(server_name="PA4", hostname_or_ip_address="127.0.0.14")
    first, *others = CLUSTER.servers
    first = replace(first, fail_over_server_names=("PA4", "PA2"))
    new = replace(CLUSTER, servers=(first, *others, more))
    driver = started("PA2")
    save(driver.worlds, new)
    driver.settle()
    assert driver.member.world.cluster.candidates("PA1") == ("PA4", "PA2")


def test_a_stand_in_waits_for_a_number_that_still_has_a_call_at_its_old_home() -> None:
    first, second, third = moved().servers
    second = replace(second, fail_over_server_names=("PA3",))
    worlds = Worlds(replace(CLUSTER, servers=(first, second, third)))
    worlds.enter("PA1", "PA3")
    worlds.own("PA1", PORTS[1])
    links = frozenset(CLUSTER.used_providers)
    view = View(worlds.world(), "PA3", Beat("instance of PA3", links, links))
    assert not plan(view).steps
    worlds.die("PA1")
    view = View(worlds.world(), "PA3", Beat("instance of PA3", links, links))
    assert {(step.kind, step.server) for step in plan(view).steps} >= {(StepKind.TAKE_HOME, "PA2")}


def test_a_registration_is_kept_as_long_as_anything_is_of_it_and_known_where_it_is_ours() -> None:
    goes = Registration(State.CLOSING)
    ledger = Ledger(1.0, {PORTS[0]: goes, PORTS[1]: Registration()})
    ledger.follow([THIRD], [MOVED])
    assert ledger.registrations[PORTS[0]] is goes
    assert set(ledger.registrations) == {PORTS[0], THIRD, MOVED}


def test_a_refused_port_that_goes_is_said_no_more_before_there_is_a_new_plan() -> None:
    worlds = Worlds()
    save(worlds, CLUSTER)
    driver = Driver("PA1", worlds)
    driver.refuses.add(PORTS[1])
    driver.settle()
    assert driver.member.reasons() == {PORTS[1].label: "no such device"}
    save(worlds, with_ports(1))
    worlds.delete(PORTS[1].key)
    driver.member.observe(worlds.snapshot(), driver.now)
    assert driver.member.reasons() == {}
    driver.settle()
    assert driver.member.reasons() == {}


def test_a_port_of_a_configuration_that_was_undone_unread_is_given_up() -> None:
    driver = configured("PA2")
    save(driver.worlds, with_ports(3))
    driver.worlds.own("PA2", THIRD)
    save(driver.worlds, CLUSTER)
    driver.refuses.add(THIRD)
    driver.settle()
    driver.pass_time(1.0)
    assert THIRD.key not in driver.worlds.entries
    assert driver.member.reasons() == {}


def test_what_was_given_away_and_is_configured_no_more_does_not_linger() -> None:
    ledger = Ledger(1.0, {PORTS[0]: Registration(State.REGISTERED)})
    ledger.linger(PORTS[1], 5.0)
    assert set(ledger.registrations) == {PORTS[0]}
    ledger.linger(PORTS[0], 5.0)
    assert ledger.registrations[PORTS[0]].state is State.LINGERING


def test_what_is_idle_again_is_looked_at_no_more_and_what_has_a_time_is() -> None:
    one, two = PORTS[0], PORTS[1]
    ledger = Ledger(1.0, {one: Registration(), two: Registration()})
    assert not ledger.summary().there
    for port in (one, two):
        ledger.input(port, Input.HOLD)
    assert ledger.summary().there == {one, two}
    assert not ledger.summary().registered
    ledger.report(one, Input.REGISTERED, 10.0, "")
    assert ledger.summary().registered == {one}
    assert set(ledger.times()) == set()
    ledger.report(two, Input.REFUSED, 10.0, "no such device")
    assert 10.1 in ledger.times(), "a first refusal is tried again soon"
    ledger.linger(one, 15.0)
    assert 15.0 in ledger.times()
    ledger.input(one, Input.DROP)
    ledger.report(one, Input.CLOSED, 16.0, "")
    assert one not in ledger.summary().there
