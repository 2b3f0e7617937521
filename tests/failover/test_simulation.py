"""Bad luck for thousands of virtual seconds: what must never happen, what must in the end.

SIMULATION_SEEDS=1000 plays that many schedules instead of 24.
"""

from __future__ import annotations

import functools
import os

import pytest
from simulation import Simulation

from pa_telephony.failover import Cluster, JtapiProvider, ServerConfig, SkinnyProvider

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "24"))

CLUSTER = Cluster(
    servers=(
        ServerConfig(
            server_name="PA1",
            hostname_or_ip_address="127.0.0.11",
            route_address="6000",
            media_port_provider="skinny",
            media_port_beginning_address="6001",
            number_of_media_ports=3,
            interceptor_port_provider="jtapi",
            interceptor_ports=("5XXX",),
            fail_over_server_names=("PA2", "PA3"),
        ),
        ServerConfig(
            server_name="PA2",
            hostname_or_ip_address="127.0.0.12",
            route_address="7000",
            media_port_provider="skinny",
            media_port_beginning_address="7001",
            number_of_media_ports=2,
            fail_over_server_names=("PA3", "PA1"),
        ),
        ServerConfig(server_name="PA3", hostname_or_ip_address="127.0.0.13"),
    ),
    providers=(
        JtapiProvider(name="jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
        SkinnyProvider(name="skinny", hosts=("127.0.0.10",), device_name_prefix="PA-VI"),
    ),
)


@functools.cache
def played(seed: int) -> Simulation:
    simulation = Simulation(CLUSTER, seed)
    simulation.run(60.0, calm=90.0)
    return simulation


@pytest.mark.parametrize("seed", range(SEEDS))
def test_never_two_owners_no_call_dropped_by_a_return_and_all_comes_home(seed: int) -> None:
    simulation = played(seed)
    assert not simulation.violations, "\n".join(simulation.log[-60:])
    world = simulation.world()
    for home in ("PA1", "PA2"):
        for identity in CLUSTER.identities(home):
            holder = simulation.processes[home]
            assert world.owner(identity) == home, "\n".join(simulation.log[-40:])
            assert identity in holder.registered, "\n".join(simulation.log[-40:])


def test_the_schedules_are_worth_something() -> None:
    """Bad luck that never takes anything over, or never interrupts a call, would prove nothing."""
    runs = [played(seed) for seed in range(min(SEEDS, 12))]
    assert sum(each.takeovers for each in runs) > 2 * len(runs)
    assert sum(each.returns for each in runs) > len(runs)
    assert sum(each.answered for each in runs) > 30 * len(runs)


def test_a_schedule_is_played_again_by_its_number() -> None:
    one, two = Simulation(CLUSTER, 7), Simulation(CLUSTER, 7)
    for each in (one, two):
        each.run(30.0, calm=10.0)
    assert one.log == two.log
