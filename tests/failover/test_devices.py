"""A media port that stays keeps its device, whatever numbers come and go beside it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, strategies as st
from worlds import CLUSTER, Worlds

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster, SkinnyProvider
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.changes import effect
from pa_telephony.failover.devices import keeping_devices
from pa_telephony.failover.world import World, session

JTAPI, SKINNY = CLUSTER.providers
assert isinstance(SKINNY, SkinnyProvider)


def with_ports(one: int, two: int, first: str = "6101", base: Cluster = CLUSTER) -> Cluster:
    """PA1 with so many ports from 6001 on, and PA2 with so many from ``first`` on."""
    pa1, pa2, pa3 = base.servers
    pa1 = replace(pa1, number_of_media_ports=one)
    pa2 = replace(
        pa2,
        number_of_media_ports=two,
        media_port_provider="skinny",
        media_port_beginning_address=first,
    )
    return replace(base, servers=(pa1, pa2, pa3))


def kept(old: Cluster, new: Cluster) -> Cluster:
    return replace(new, providers=keeping_devices(old, new))


def devices(cluster: Cluster) -> dict[str, str]:
    return {number: device for (_, number), device in cluster.devices.items()}


def test_a_server_gets_more_ports_and_the_ports_of_the_next_keep_their_devices() -> None:
    old = with_ports(2, 2)
    assert devices(old) == {"6001": "PA-VI1", "6002": "PA-VI2", "6101": "PA-VI3", "6102": "PA-VI4"}
    new = kept(old, with_ports(4, 2))
    assert devices(new) == devices(old) | {"6003": "PA-VI5", "6004": "PA-VI6"}
    again = kept(new, with_ports(5, 2, base=new))
    assert devices(again) == devices(new) | {"6005": "PA-VI7"}


def test_ports_that_go_take_no_device_from_those_that_stay() -> None:
    old = with_ports(2, 2)
    assert devices(kept(old, with_ports(1, 2))) == {
        "6001": "PA-VI1",
        "6101": "PA-VI3",
        "6102": "PA-VI4",
    }


def test_nothing_is_named_where_counting_gives_the_same() -> None:
    old = with_ports(2, 2)
    assert kept(old, with_ports(2, 9)).providers == old.providers


def test_a_provider_that_is_changed_itself_means_what_it_says() -> None:
    old, new = with_ports(2, 2), with_ports(3, 2)
    other = replace(SKINNY, device_name_prefix="X")
    assert kept(old, replace(new, providers=(JTAPI, other))).providers == (JTAPI, other)


def test_a_device_that_is_named_is_given_to_no_other_number() -> None:
    named = replace(SKINNY, devices={"6002": "PA-VI1"})
    cluster = replace(CLUSTER, providers=(JTAPI, named))
    assert devices(cluster) == {"6001": "PA-VI2", "6002": "PA-VI1"}


def test_what_ports_keep_and_get_is_told_and_nothing_is_refused_while_servers_run() -> None:
    old = with_ports(2, 24)
    worlds = Worlds(old)
    for name in ("PA1", "PA2"):
        links = frozenset(old.used_providers)
        worlds.put(session(name), Beat(name, links, links, configuration="abc").encode())
        worlds.own(name, *old.identities(name))
    world = World(old, worlds.snapshot())
    found = effect(kept(old, with_ports(18, 24)), world)
    assert found.refused == ()
    assert found.told[:2] == (
        "6101 … 6124 keep their devices PA-VI3 … PA-VI26",
        "6003 … 6018 get the devices PA-VI27 … PA-VI42",
    )
    # As a file has it, which says nothing of devices, it is still refused.
    refused = effect(with_ports(18, 24), world).refused
    assert "6101 would be PA-VI19 in place of PA-VI3 while PA2 has it" in str(refused[0])


def test_a_port_that_would_lose_its_device_to_one_that_is_named_is_named_too() -> None:
    old = kept(with_ports(1, 1), with_ports(11, 1))
    new = kept(old, with_ports(0, 10, "6010", old))
    assert (devices(old)["6010"], devices(old)["6011"]) == ("PA-VI10", "PA-VI11")
    assert (devices(new)["6010"], devices(new)["6011"]) == ("PA-VI10", "PA-VI11")


_counts = st.integers(0, 30)


@given(st.lists(st.tuples(_counts, _counts, st.sampled_from(["5900", "6010", "6101"])), max_size=5))
def test_whatever_comes_and_goes_every_port_that_stays_keeps_its_device(
    steps: list[tuple[int, int, str]],
) -> None:
    cluster = with_ports(1, 1)
    for one, two, first in steps:
        try:
            wanted = with_ports(one, two, first, cluster)
        except ConfigurationError:
            continue
        new = kept(cluster, wanted)
        assert len({*devices(new).values()}) == len(devices(new)) == one + two
        for number, device in devices(cluster).items():
            assert devices(new).get(number, device) == device
        cluster = new
