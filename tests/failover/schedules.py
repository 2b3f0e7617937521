"""Schedules of bad luck by number: which cluster, how long, and when all must be home after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bad_luck import BadLuck
from replicated import Replicated

from pa_telephony.failover import Cluster, JtapiProvider, ServerConfig, SkinnyProvider

__all__ = ["SHAPES", "WITHIN", "play"]

PROVIDERS = (
    JtapiProvider(name="jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
    JtapiProvider(name="second", hosts=("127.0.0.9",), user="pa", password="x"),
    SkinnyProvider(name="skinny", hosts=("127.0.0.10",), device_name_prefix="PA-VI"),
)

WITHIN = 75.0
"""Seconds without a fault in which all comes home: the longest call (20), the longest time that a
home which falls again and again has to ask (30), and what each look, step and answer takes."""


def _server(number: int, ports: int, *others: int, **more: object) -> ServerConfig:
    fields: dict[str, object] = {
        "server_name": f"PA{number}",
        "hostname_or_ip_address": f"127.0.0.{10 + number}",
        "fail_over_server_names": tuple(f"PA{other}" for other in others),
    }
    if ports:
        fields |= {
            "route_address": f"{5 + number}000",
            "media_port_provider": "skinny",
            "media_port_beginning_address": f"{5 + number}001",
            "number_of_media_ports": ports,
        }
    return ServerConfig(**{**fields, **more})  # type: ignore[arg-type]


_INTERCEPTS = {"interceptor_port_provider": "jtapi", "interceptor_ports": ("5XXX",)}

SHAPES = {
    "three": Cluster(
        servers=(
            _server(1, 3, 2, 3, **_INTERCEPTS),
            _server(2, 2, 3, 1),
            _server(3, 0),
        ),
        providers=PROVIDERS,
    ),
    "mutual": Cluster(servers=(_server(1, 2, 2), _server(2, 2, 1)), providers=PROVIDERS),
    "two spares": Cluster(
        servers=(_server(1, 2, 2, 3), _server(2, 0), _server(3, 0)), providers=PROVIDERS
    ),
    "attendant": Cluster(
        servers=(_server(1, 2, 2, aa_route_address="6900"), _server(2, 0)), providers=PROVIDERS
    ),
    "capacity": Cluster(
        servers=(
            _server(1, 3, 2, 3, capacity=3),
            _server(2, 3, 3, capacity=4),
            _server(3, 0, capacity=4),
        ),
        providers=PROVIDERS,
        capacity_aware=True,
    ),
    "several providers": Cluster(
        servers=(
            _server(1, 2, 2, 3, route_address_provider="second", **_INTERCEPTS),
            _server(2, 1, 1, 3),
            _server(3, 0),
        ),
        providers=PROVIDERS,
    ),
}


def others(cluster: Cluster) -> tuple[Cluster, ...]:
    """The cluster with its device names pinned, and changes of it that servers take up.

    PA1 has one port less or more, or another fail-over list; its last port moves to the last
    server, which has then this one port.
    """
    numbers = [f"{5 + place}{port:03d}" for place in range(1, 4) for port in range(1, 6)]
    providers = tuple(
        replace(each, devices={number: f"VI{number}" for number in numbers})
        if isinstance(each, SkinnyProvider)
        else each
        for each in cluster.providers
    )
    pinned = replace(cluster, providers=providers)
    first, *rest = pinned.servers
    ports = first.number_of_media_ports

    def with_first(**fields: object) -> Cluster:
        return replace(pinned, servers=(replace(first, **fields), *rest))  # type: ignore[arg-type]

    fewer = with_first(number_of_media_ports=ports - 1)
    *middle, last = fewer.servers
    taker = replace(
        last,
        media_port_provider="skinny",
        media_port_beginning_address=f"6{ports:03d}",
        number_of_media_ports=1,
    )
    return (
        pinned,
        fewer,
        with_first(number_of_media_ports=ports + 1),
        with_first(fail_over_server_names=tuple(reversed(first.fail_over_server_names))),
        replace(fewer, servers=(*middle, taker)),
    )


def machines(cluster: Cluster, turn: int) -> dict[str, str]:
    """Where each server of a cluster runs: on one machine, on two, or each on its own."""
    places = [min(place, turn % 3) for place in range(len(cluster.servers))]
    pairs = zip(cluster.servers, places, strict=True)
    return {server.server_name: f"machine {place}" for server, place in pairs}


def play(seed: int, without: Collection[int] = (), *, finds_out: bool = True) -> BadLuck:
    """Bad luck for a while, then none until all is home; ``violations`` says what is wrong.

    The store is that of one machine in one schedule of four, and replicated in the others.
    """
    shape, turn = seed % len(SHAPES), seed // len(SHAPES)
    cluster = list(SHAPES.values())[shape]
    changing: tuple[Cluster, ...] = ()
    if turn % 3 == 2:
        cluster, *more = others(cluster)
        changing = tuple(more)
    if turn % 4 == 0:
        simulation = BadLuck(cluster, seed, proof=turn % 8 == 0, others=changing, without=without)
    else:
        simulation = Replicated(
            cluster,
            seed,
            machines=machines(cluster, turn % 4 - 1),
            finds_out=finds_out,
            others=changing,
            without=without,
        )
    simulation.run(20.0, within=WITHIN)
    return simulation
