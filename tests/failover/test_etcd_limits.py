"""A cluster of which an etcd cannot take a step at once is refused when it is configured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driver import Driver
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster
from pa_telephony.failover.intent import Command, intents
from pa_telephony.failover.stores.etcd_forms import MOST_OPERATIONS, transaction
from pa_telephony.failover.stores.etcd_limits import BESIDES
from pa_telephony.failover.transaction import Transaction

STORE = "etcd://10.0.0.1,10.0.0.2,10.0.0.3/pa"
OF_THE_STORE = 2
"""Compares that the store adds to each: the name of the server, and the pen."""


def at_the_limit(more: int = 0) -> Cluster:
    """PA1 with as many numbers as go over at once, two of them no media ports."""
    pa1, pa2, pa3 = CLUSTER.servers
    ports = MOST_OPERATIONS - BESIDES - len(pa1.fail_over_server_names) - 2 + more
    grown = replace(pa1, number_of_media_ports=ports, capacity=ports)
    return replace(CLUSTER, servers=(grown, pa2, pa3), store=STORE)


class Measured(Worlds):
    """Notes the largest transaction."""

    largest = 0

    def commit(self, transaction_: Transaction) -> bool:
        body = transaction("pa", transaction_)
        self.largest = max(self.largest, len(body["compare"]), len(body["success"]))
        return super().commit(transaction_)


def test_every_step_of_the_largest_home_fits() -> None:
    cluster = at_the_limit()
    worlds = Measured(cluster)
    drivers = [Driver(name, worlds, cluster) for name in ("PA3", "PA2", "PA1")]

    def go_on(*which: Driver) -> None:
        for _ in range(12):
            for each in which:
                each.pass_time(0.5)

    spare, stand_in, home = drivers
    go_on(*drivers)
    worlds.die("PA1")
    go_on(spare, stand_in)
    assert worlds.world().claimant("PA1") == "PA2"
    worlds.die("PA2")
    go_on(spare)
    assert worlds.world().claimant("PA1") == "PA3"
    back = Driver("PA1", worlds, cluster)
    back.now = spare.now
    for _ in range(20):
        go_on(spare, back)
    assert worlds.world().claimant("PA1") is None
    assert home.steps
    assert worlds.largest <= MOST_OPERATIONS - OF_THE_STORE
    assert worlds.largest > cluster.server("PA1").number_of_media_ports


@pytest.mark.parametrize("command", list(Command))
def test_an_order_to_all_servers_fits(command: Command) -> None:
    most = MOST_OPERATIONS - BESIDES
    spares = tuple(
        replace(CLUSTER.servers[1], server_name=f"SP{number}") for number in range(most - 3)
    )
    cluster = replace(CLUSTER, servers=CLUSTER.servers + spares)
    assert len(intents(cluster, command).operations) <= MOST_OPERATIONS - OF_THE_STORE


def test_a_home_that_is_larger_is_refused_with_the_number() -> None:
    with pytest.raises(ConfigurationError, match="115 numbers are more than the 114") as caught:
        at_the_limit(more=1)
    assert caught.value.field == "number_of_media_ports"
    # In a file nothing limits it.
    assert replace(at_the_limit(), store="state/cluster.db").servers


def test_more_servers_than_stop_at_once_are_refused() -> None:
    spares = tuple(
        replace(CLUSTER.servers[1], server_name=f"SP{number}", hostname_or_ip_address=f"pa{number}")
        for number in range(114)
    )
    with pytest.raises(ConfigurationError, match="117 are more than the 116"):
        replace(CLUSTER, servers=CLUSTER.servers + spares, store=STORE)


def test_an_address_that_cannot_be_read_is_told_of_the_field() -> None:
    with pytest.raises(ConfigurationError, match="store: has a host ''"):
        replace(CLUSTER, store="etcd://,/pa")
