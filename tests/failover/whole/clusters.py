"""Shapes of clusters, and the call manager that knows all their devices."""

from __future__ import annotations

from dataclasses import replace

from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    Timing as CallManagerTiming,
    User,
)
from pa_telephony.failover import (
    Cluster,
    JtapiProvider,
    Kind,
    ServerConfig,
    SkinnyProvider,
    Timing,
)

__all__ = [
    "CALLERS",
    "CALL_MANAGER",
    "SHAPES",
    "call_manager_config",
    "changes_of",
    "device_of",
]

CALL_MANAGER = "10.0.0.1"
CALLERS = "10.0.0.2"
_PHONES = 4
_TIMING = Timing(hold_longest=8.0, flap_window=60.0)
_PROVIDERS = (
    JtapiProvider("jtapi", (f"{CALL_MANAGER}:2748",), "pa", "secret"),
    SkinnyProvider(
        "skinny",
        (f"{CALL_MANAGER}:2000",),
        # Pinned, so that a port that goes is no reason to give another one its name.
        devices={f"{home}00{port}": f"VI{home}{port}" for home in (6, 7) for port in (1, 2, 3)},
    ),
)


def _home(place: int, *heirs: str, ports: int = 3, aa: bool = False, capacity: int = 36):
    """PA1 owns 6000, 6001 …, 50XX and perhaps 6009; PA2 owns 7000 and so on."""
    first = f"{5 + place}00"
    return ServerConfig(
        server_name=f"PA{place}",
        hostname_or_ip_address=f"10.0.0.{10 + place}",
        route_address=f"{first}0",
        aa_route_address=f"{first}9" if aa else "",
        media_port_provider="skinny",
        media_port_beginning_address=f"{first}1",
        number_of_media_ports=ports,
        interceptor_port_provider="jtapi",
        interceptor_ports=(f"5{place}XX",),
        fail_over_server_names=heirs,
        capacity=capacity,
    )


def _spare(place: int, capacity: int = 36) -> ServerConfig:
    return ServerConfig(
        server_name=f"PA{place}",
        hostname_or_ip_address=f"10.0.0.{10 + place}",
        capacity=capacity,
    )


SHAPES = {
    "aa": Cluster(
        servers=(_home(1, "PA2", aa=True), _spare(2)), providers=_PROVIDERS, timing=_TIMING
    ),
    "capacity": Cluster(
        servers=(
            _home(1, "PA2", "PA3", capacity=4),
            _home(2, "PA3", "PA1", ports=2, capacity=4),
            _spare(3, capacity=4),
        ),
        providers=_PROVIDERS,
        timing=_TIMING,
        capacity_aware=True,
    ),
    "mutual": Cluster(
        servers=(_home(1, "PA2"), _home(2, "PA1", ports=2)), providers=_PROVIDERS, timing=_TIMING
    ),
    "two spares": Cluster(
        servers=(_home(1, "PA2", "PA3"), _spare(2), _spare(3)),
        providers=_PROVIDERS,
        timing=replace(_TIMING, linger=0.0),
    ),
}


def changes_of(cluster: Cluster) -> tuple[Cluster, ...]:
    """What may be saved in its place while everything runs, and itself.

    PA1 has a port less, another order of stand-ins, or a home less that is intercepted.
    """
    first, *others = cluster.servers
    changed = (
        first,
        replace(first, number_of_media_ports=first.number_of_media_ports - 1),
        replace(first, fail_over_server_names=first.fail_over_server_names[::-1]),
        replace(first, interceptor_ports=()),
    )
    return tuple(replace(cluster, servers=(each, *others)) for each in changed)


def device_of(cluster: Cluster) -> dict:
    """The device of each identity, by the names that the call manager has."""
    return {
        identity: identity.device or f"CTI-{identity.number}"
        for server in cluster.servers
        for identity in cluster.identities(server.server_name)
    }


def call_manager_config(cluster: Cluster) -> CallManagerConfig:
    """A call manager for a cluster: its devices, four phones that call, one extension a home."""
    devices: list[DeviceConfig] = []
    for identity, name in device_of(cluster).items():
        line = LineConfig(number=identity.number)
        kind = DeviceKind.ROUTE_POINT
        if identity.kind is Kind.PORT:
            kind, line = DeviceKind.MEDIA_PORT, replace(line, max_calls=1)
        elif identity.kind is Kind.INTERCEPTOR:
            line = replace(
                line,
                partition="PA",
                search_space="extensions",
                forward_failure=identity.number,
                forward_search_space="extensions",
            )
            extension = identity.number.replace("XX", "00")
            devices.append(
                DeviceConfig(
                    name=f"SEP{extension}",
                    lines=(
                        LineConfig(number=extension, partition="managed", search_space="phones"),
                    ),
                )
            )
        devices.append(DeviceConfig(name=name, kind=kind, lines=(line,)))
    for number in range(1001, 1001 + _PHONES):
        line = LineConfig(number=str(number), search_space="phones")
        devices.append(DeviceConfig(name=f"SEP{number}", lines=(line,)))
    return CallManagerConfig(
        devices=tuple(devices),
        search_spaces={"phones": ("PA", ""), "extensions": ("managed", "")},
        users=(User(name="pa", password="secret"),),
        timing=CallManagerTiming(keep_alive=5),
    )
