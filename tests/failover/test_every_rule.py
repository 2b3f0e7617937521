"""Every rule that a configuration breaks is told, not the first one only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st
from worlds import CLUSTER

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster
from pa_telephony.failover.cluster import parse

PA1, PA2, PA3 = CLUSTER.servers
JTAPI, SKINNY = CLUSTER.providers


def broken(**changes: Any) -> list[tuple[str, str]]:
    """Where rules are broken, in their order."""
    with pytest.raises(ConfigurationError) as caught:
        replace(CLUSTER, **changes)
    return [(each.section, each.field) for each in (caught.value, *caught.value.others)]


def test_each_field_of_each_part_is_told_in_the_order_of_the_file() -> None:
    assert broken(
        timing=replace(CLUSTER.timing, heartbeat=0.0, take=1.0),
        application=replace(CLUSTER.application, transfer="x"),
        speech=replace(CLUSTER.speech, refresh_schedule="x", rejection_confidence_level=101),
        providers=(replace(JTAPI, hosts=("?", "a:0")), SKINNY),
        servers=(
            replace(PA1, route_address="x", capacity=0, interceptor_ports=("Q", "R")),
            replace(PA2, fail_over_server_names=("PA2", "PA9")),
            PA3,
        ),
    ) == [
        ("timing", "heartbeat"),
        ("timing", "take"),
        ("application", "transfer"),
        ("speech", "refresh_schedule"),
        ("speech", "rejection_confidence_level"),
        ("speech", "reconfirm_confidence_level"),
        ("provider 'jtapi'", "hosts"),
        ("provider 'jtapi'", "hosts"),
        ("server 'PA1'", "route_address"),
        ("server 'PA1'", "capacity"),
        ("server 'PA1'", "interceptor_ports"),
        ("server 'PA1'", "interceptor_ports"),
        ("server 'PA2'", "fail_over_server_names"),
        ("server 'PA2'", "fail_over_server_names"),
    ]


def test_what_servers_have_to_do_with_each_other_is_told_of_the_sound_ones() -> None:
    more = replace(PA3, route_address="6000", interceptor_ports=("600X",))
    assert broken(servers=(PA1, replace(PA2, capacity=0), more), providers=(JTAPI, SKINNY)) == [
        ("server 'PA2'", "capacity"),
        ("server 'PA3'", "interceptor_port_provider"),
    ]
    more = replace(more, interceptor_port_provider="jtapi")
    assert broken(servers=(PA1, replace(PA2, capacity=0), more)) == [
        ("server 'PA2'", "capacity"),
        ("server 'PA3'", "route_address"),
        ("server 'PA3'", "interceptor_ports"),
    ]


def test_what_is_so_of_many_numbers_is_told_once() -> None:
    same = replace(
        PA3,
        **{
            name: getattr(PA1, name)
            for name in (
                "media_port_provider",
                "media_port_beginning_address",
                "number_of_media_ports",
            )
        },
    )
    assert broken(servers=(PA1, PA2, same)) == [("server 'PA3'", "media_port_beginning_address")]
    nowhere = replace(JTAPI, hosts=(), user="", password="")
    assert broken(providers=(nowhere, SKINNY)) == [
        ("provider 'jtapi'", "hosts"),
        ("provider 'jtapi'", "user"),
    ]


def test_each_says_of_which_file_it_is() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse('store = ""\nservers = []\n', "cluster.toml")
    assert [str(each) for each in (caught.value, *caught.value.others)] == [
        "cluster.toml: store: names no file",
        "cluster.toml: servers: a cluster needs a server",
    ]


_WRONG: dict[str, list[Any]] = {
    "server_name": ["", "PA 1", "1.2.3.4", "pa2"],
    "hostname_or_ip_address": ["", "::1", "10.77.208"],
    "media_termination_udp_beginning_port": [1, 32001, 65534],
    "media_port_beginning_address": ["", "6O01", "6", "\u0661"],
    "number_of_media_ports": [-1, 1001, 10**9],
    "interceptor_ports": [("Q",), ("6XXX",)],
    "fail_over_server_names": [("PA1",), ("PA9", "127.0.0.12")],
    "media_port_provider": ["", "jtapi", "nobody"],
    "capacity": [0, -1],
}


@given(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in _WRONG.items()}))
def test_whatever_is_wrong_at_once_each_field_of_it_is_told(changes: dict[str, Any]) -> None:
    alone: set[str] = set()
    for name, value in changes.items():
        try:
            replace(CLUSTER, servers=(replace(PA1, **{name: value}), PA2, PA3))
        except ConfigurationError as error:
            alone.add(error.field)
    try:
        found = replace(CLUSTER, servers=(replace(PA1, **changes), PA2, PA3))
        assert isinstance(found, Cluster)
        told: set[str] = set()
    except ConfigurationError as error:
        told = {each.field for each in (error, *error.others)}
    field_rules = {*_WRONG} - {"interceptor_ports", "media_port_beginning_address"}
    assert alone & field_rules & {*changes} - {"media_termination_udp_beginning_port"} <= told
