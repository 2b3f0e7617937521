"""Schedules of bad luck by number: which cluster, how long, and what must be true after it."""

from __future__ import annotations

from simulation import Simulation

from pa_telephony.failover import Cluster, JtapiProvider, ServerConfig, SkinnyProvider

__all__ = ["CLUSTER", "play"]

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


def play(seed: int) -> Simulation:
    """A minute of bad luck and then none; what is wrong stands in ``violations``."""
    simulation = Simulation(CLUSTER, seed)
    simulation.run(60.0, calm=90.0)
    world = simulation.world()
    for home in simulation.names:
        for identity in CLUSTER.identities(home):
            if world.owner(identity) != home:
                simulation.violated(f"{identity} is not home, but of {world.owner(identity)}")
            elif identity not in simulation.processes[home].registered:
                simulation.violated(f"{identity} is home and not registered")
    return simulation
