"""What a new configuration changes, what is told of it beforehand, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worlds import CLUSTER, PORTS, Worlds

from pa_telephony.failover import Cluster, ServerConfig, Timing
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.changes import Effect, differences, effect
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.world import World, session

LINKS = frozenset(CLUSTER.used_providers)


def other(name: str = "PA1", **fields: Any) -> Cluster:
    """The cluster with other settings of one server."""
    servers = tuple(
        replace(each, **fields) if each.server_name == name else each for each in CLUSTER.servers
    )
    return replace(CLUSTER, servers=servers)


def provider(place: int, **fields: Any) -> Cluster:
    providers = list(CLUSTER.providers)
    providers[place] = replace(providers[place], **fields)
    return replace(CLUSTER, providers=tuple(providers))


def enter(worlds: Worlds, *names: str, busy: tuple[Identity, ...] = ()) -> None:
    """These have a session, with the configuration of the store."""
    labels = frozenset(each.label for each in busy)
    for name in names:
        beat = Beat(name, LINKS, LINKS, up=labels, busy=labels, configuration="abc")
        worlds.put(session(name), beat.encode())


def running(*busy: Identity) -> Worlds:
    """PA1 serves its own, PA2 and PA3 stand by."""
    worlds = Worlds()
    enter(worlds, "PA2", "PA3")
    enter(worlds, "PA1", busy=busy)
    worlds.own("PA1", *CLUSTER.identities("PA1"))
    return worlds


def found(new: Cluster, worlds: Worlds) -> Effect:
    return effect(new, World(CLUSTER, worlds.snapshot()))


def rules(new: Cluster, worlds: Worlds) -> list[tuple[str, str]]:
    """Section and field of what is refused."""
    return [(each.section, each.field) for each in found(new, worlds).refused]


def test_differences_name_section_field_and_both_values() -> None:
    new = other(number_of_media_ports=3, fail_over_server_names=("PA3",))
    assert [str(each) for each in differences(CLUSTER, new)] == [
        "server 'PA1': number_of_media_ports: 2 → 3",
        "server 'PA1': fail_over_server_names: PA2, PA3 → PA3",
    ]
    assert differences(CLUSTER, CLUSTER) == ()


def test_differences_tell_of_servers_that_come_and_go_and_of_no_password() -> None:
    assert [str(each) for each in differences(CLUSTER, provider(0, password="new"))] == [
        "provider 'jtapi': password: (one) → (another)"
    ]
    more = ServerConfig(server_name="PA4", hostname_or_ip_address="127.0.0.14")
    servers = (*CLUSTER.servers[:1], CLUSTER.servers[2], more)
    first = replace(servers[0], fail_over_server_names=("PA3",))
    new = replace(CLUSTER, servers=(first, *servers[1:]), capacity_aware=True)
    said = [str(each) for each in differences(CLUSTER, new)]
    assert "server 'PA2': goes" in said
    assert "server 'PA4': is new" in said
    assert "capacity_aware: false → true" in said


def test_a_port_that_comes_is_told() -> None:
    assert found(other(number_of_media_ports=3), running()) == Effect(("6003 comes to PA1",))


@pytest.mark.parametrize(("busy", "when"), [((), ""), ((PORTS[1],), " when its call has ended")])
def test_a_port_that_goes_waits_for_its_call(busy: tuple[Identity, ...], when: str) -> None:
    assert found(other(number_of_media_ports=1), running(*busy)).told == (
        f"6002 of PA1 goes{when}",
    )


@pytest.mark.parametrize(
    ("busy", "when"), [((), ", no call is dropped"), ((PORTS[1],), " when its call has ended")]
)
def test_a_port_that_moves_is_told_before_it_does(busy: tuple[Identity, ...], when: str) -> None:
    new = other(number_of_media_ports=1)
    two = replace(
        new.servers[1],
        media_port_provider="skinny",
        media_port_beginning_address="6002",
        number_of_media_ports=1,
    )
    new = replace(new, servers=(new.servers[0], two, new.servers[2]))
    assert found(new, running(*busy)) == Effect((f"6002 moves to PA2{when}",))


@pytest.mark.parametrize(
    "new",
    [
        other(fail_over_server_names=("PA3",)),
        other(trace_package_list=("sccp=off",)),
        other(interceptor_ports=("5XXX", "7XXX")),
        other(capacity=3),
        provider(0, hosts=("127.0.0.99",)),
        provider(0, password="another"),
        provider(1, return_to_preferred=True),
        replace(CLUSTER, capacity_aware=True),
    ],
)
def test_what_touches_no_call_is_not_refused(new: Cluster) -> None:
    assert not rules(new, running(*PORTS))


@pytest.mark.parametrize(
    ("new", "section", "field"),
    [
        (other(hostname_or_ip_address="127.0.0.99"), "server 'PA1'", "hostname_or_ip_address"),
        (
            other(media_termination_udp_beginning_port=40000),
            "server 'PA1'",
            "media_termination_udp_beginning_port",
        ),
        (other(route_point_device="RP"), "server 'PA1'", "route_point_device"),
        (provider(1, device_name_prefix="X"), "server 'PA1'", "number_of_media_ports"),
        (replace(CLUSTER, timing=Timing(own=3.0)), "timing", "own"),
    ],
)
def test_what_a_running_server_cannot_take_up_is_refused(
    new: Cluster, section: str, field: str
) -> None:
    assert (section, field) in rules(new, running())
    assert not rules(new, Worlds())


def test_a_server_that_runs_cannot_go_and_may_not_start_meanwhile() -> None:
    first = replace(CLUSTER.servers[0], fail_over_server_names=("PA2",))
    new = replace(CLUSTER, servers=(first, CLUSTER.servers[1]))
    worlds = running()
    assert rules(new, worlds) == [("server 'PA3'", "server_name")]
    worlds.die("PA3")
    assert session("PA3") in found(new, worlds).relies_on


def test_a_number_that_is_owned_by_nobody_may_change_its_device() -> None:
    worlds = Worlds()
    enter(worlds, "PA2")
    new = provider(1, devices={"6001": "ANOTHER"})
    assert not rules(new, worlds)
    assert PORTS[0].key in found(new, worlds).relies_on
    worlds.own("PA2", PORTS[0])
    assert rules(new, worlds) == [("server 'PA1'", "number_of_media_ports")]


def test_a_device_is_not_given_to_another_number_while_it_is_in_use() -> None:
    new = other(media_port_beginning_address="6101")
    ((section, field), *_) = rules(new, running())
    assert (section, field) == ("server 'PA1'", "number_of_media_ports")


def test_numbers_wait_for_those_of_the_change_before() -> None:
    worlds = running()
    stray = Identity("PA1", Kind.PORT, "6009")
    worlds.own("PA1", stray)
    assert rules(other(number_of_media_ports=3), worlds)
    assert not rules(other(number_of_media_ports=1), worlds)
    worlds.delete(stray.key)
    assert not rules(other(number_of_media_ports=3), worlds)


def test_beside_a_server_that_reads_its_own_file_nothing_changes() -> None:
    worlds = running()
    worlds.put(session("PA2"), Beat("PA2", LINKS, LINKS).encode())
    assert ("server 'PA2'", "") in rules(other(number_of_media_ports=3), worlds)


def test_a_provider_does_not_become_one_of_another_type() -> None:
    one, two = CLUSTER.providers
    swapped = replace(
        CLUSTER,
        servers=(
            replace(
                CLUSTER.servers[0],
                media_port_provider="jtapi",
                interceptor_port_provider="skinny",
            ),
            *CLUSTER.servers[1:],
        ),
        providers=(replace(two, name="jtapi"), replace(one, name="skinny")),
    )
    assert ("provider 'jtapi'", "type") in rules(swapped, running())
