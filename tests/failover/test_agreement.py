"""What servers agree on: which difference shows in which group, and what means nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import CLUSTER

from pa_telephony.failover import Cluster, ServerConfig, Timing
from pa_telephony.failover.agreement import GROUPS, Configured


def edited(**changes: Any) -> Cluster:
    """The cluster with another PA1."""
    return replace(CLUSTER, servers=(replace(CLUSTER.servers[0], **changes), *CLUSTER.servers[1:]))


def with_providers(index: int, **changes: Any) -> Cluster:
    providers = list(CLUSTER.providers)
    providers[index] = replace(providers[index], **changes)
    return replace(CLUSTER, providers=tuple(providers))


def differences(other: Cluster, home: str = "PA1") -> tuple[str, ...]:
    return Configured.of(CLUSTER).differs(home, Configured.of(other))


@pytest.mark.parametrize(
    ("other", "groups"),
    [
        (edited(route_address="6100"), ("numbers", "device names", "providers")),
        (edited(number_of_media_ports=3), ("numbers", "device names", "providers")),
        (edited(route_point_device="RP"), ("device names",)),
        (with_providers(1, device_name_prefix="VI"), ("device names",)),
        (with_providers(1, hosts=("127.0.0.10", "127.0.0.9")), ("providers",)),
        (with_providers(1, return_to_preferred=True), ("providers",)),
        (with_providers(0, user="another"), ("providers",)),
        (edited(fail_over_server_names=("PA3", "PA2")), ("fail-over list",)),
        (replace(CLUSTER, capacity_aware=True), ("fail-over list",)),
        (edited(media_termination_udp_beginning_port=20000), ("UDP",)),
        (edited(hostname_or_ip_address="127.0.0.21"), ("UDP",)),
        (replace(CLUSTER, timing=Timing(own=3.0)), ("timing",)),
    ],
)
def test_what_a_stand_in_needs_to_know_of_a_home_is_compared(
    other: Cluster, groups: tuple[str, ...]
) -> None:
    assert differences(other) == groups


@pytest.mark.parametrize(
    "other",
    [
        CLUSTER,
        replace(CLUSTER, servers=CLUSTER.servers[::-1]),
        replace(CLUSTER, providers=CLUSTER.providers[::-1]),
        replace(CLUSTER, file="another.toml", store="another.db"),
        edited(fail_over_server_names=("pa2", "pa3")),
        edited(trace_package_list=("sccp=off",)),
        with_providers(0, password="another"),
    ],
)
def test_what_means_nothing_to_a_stand_in_is_not_compared(other: Cluster) -> None:
    assert differences(other) == ()


def test_a_home_that_only_one_file_has_differs_in_everything() -> None:
    more = ServerConfig(server_name="PA9", hostname_or_ip_address="127.0.0.19")
    other = replace(CLUSTER, servers=(*CLUSTER.servers, more))
    assert differences(other, "PA9") == GROUPS
    assert differences(other) == ()


def test_it_is_read_as_it_was_written_and_holds_no_password() -> None:
    said = Configured.of(with_providers(0, password="correct horse"))
    assert Configured.decode(said.encode()) == said
    assert said.own == CLUSTER.timing.own
    assert said == Configured.of(CLUSTER)


@pytest.mark.parametrize("text", ["", "[]", "no JSON", '{"own":[]}', '{"homes":{"PA1":3}}'])
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    assert Configured.decode(text) == Configured()
