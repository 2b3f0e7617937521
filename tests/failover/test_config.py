"""The fields of the Server Configuration page load, and each bad one is named in the error."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster, load
from pa_telephony.failover.config import JtapiProvider, ServerConfig, SkinnyProvider
from pa_telephony.failover.identity import Kind

EXAMPLE = Path(__file__).parents[2] / "examples" / "cluster.toml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The example with one line changed, as a file of its own."""
    text = EXAMPLE.read_text()
    assert old in text
    path = tmp_path / "cluster.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.fixture
def cluster() -> Cluster:
    return load(EXAMPLE)


def test_the_seeds_own_example_loads(cluster: Cluster) -> None:
    assert [str(identity) for identity in cluster.identities("PA1")] == [
        "port 6001 of PA1",
        "port 6002 of PA1",
        "interceptor 5XXX of PA1",
        "route 6000 of PA1",
    ]
    assert cluster.identities("PA2") == ()
    assert cluster.server("pa2").spare
    assert not cluster.server("PA1").spare


def test_a_taken_port_keeps_the_device_name_of_its_owner(cluster: Cluster) -> None:
    devices = [identity.device for identity in cluster.identities("PA1")]
    assert devices[:2] == ["PA1-VI1", "PA1-VI2"]


def test_the_fail_over_list_says_who_stands_in_for_whom(cluster: Cluster) -> None:
    assert cluster.candidates("PA1") == ("PA2",)
    assert cluster.stands_in_for("PA2") == ("PA1",)
    assert cluster.largest_takeover("PA2") == 2


def test_a_password_never_shows(cluster: Cluster) -> None:
    assert "secret" not in repr(cluster)


@pytest.mark.parametrize(
    ("old", "new", "section", "field"),
    [
        ('server_name = "PA1"', 'server_name = "PA 1"', "PA 1", "server_name"),
        ('server_name = "PA2"', 'server_name = "pa1"', "pa1", "server_name"),
        ('address = "127.0.0.11"', 'address = "not a host"', "PA1", "hostname_or_ip_address"),
        ('address = "127.0.0.11"', 'address = "fd00::11"', "PA1", "hostname_or_ip_address"),
        ("port = 32000", "port = 32001", "PA1", "media_termination_udp_beginning_port"),
        ("port = 32000", "port = 80", "PA1", "media_termination_udp_beginning_port"),
        ("port = 32000", 'port = "32000"', "PA1", "media_termination_udp_beginning_port"),
        ("port = 32000", "port = 65534", "PA1", "media_termination_udp_beginning_port"),
        ('provider = "PA1jtapi"', 'provider = "nobody"', "PA1", "route_address_provider"),
        ('provider = "PA1jtapi"', 'provider = "pa1skinny"', "PA1", "route_address_provider"),
        ('route_address = "6000"', 'route_address = "abc"', "PA1", "route_address"),
        ('route_address = "6000"', 'route_address = "5123"', "PA1", "interceptor_ports"),
        ('provider = "pa1skinny"', 'provider = "PA1jtapi"', "PA1", "media_port_provider"),
        ('address = "6001"', 'address = "x"', "PA1", "media_port_beginning_address"),
        ("number_of_media_ports = 2", "number_of_media_ports = -1", "PA1", "number_of_media_ports"),
        ('["5XXX"]', '["5XXX", "5XXX"]', "PA1", "interceptor_ports"),
        ('["5XXX"]', '["5!"]', "PA1", "interceptor_ports"),
        ('["5XXX"]', '[".5"]', "PA1", "interceptor_ports"),
        ('["PA2"]', '["PA1"]', "PA1", "fail_over_server_names"),
        ('["PA2"]', '["PA9"]', "PA1", "fail_over_server_names"),
        ('["PA2"]', '["127.0.0.12"]', "PA1", "fail_over_server_names"),
        ('type = "jtapi"', 'type = "sip"', "PA1jtapi", "type"),
        ('route_address = "6000"', 'colour = "red"', "PA1", "colour"),
        ("[[servers]]", 'store = "ETCD://h1,h2/pa"\n[[servers]]', "", "store"),
    ],
)
def test_a_bad_field_is_named_with_its_file_and_server(
    tmp_path: Path, old: str, new: str, section: str, field: str
) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert caught.value.field == field
    assert section in caught.value.section
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("written", ["+4930XXX", r"\\+4930XXX", "3.2XXX", "20[2-9]X"])
def test_an_interceptor_is_named_as_the_call_manager_names_its_line(
    tmp_path: Path, written: str
) -> None:
    found = load(changed(tmp_path, '["5XXX"]', f'["{written}"]'))
    (interceptor,) = [i for i in found.identities("PA1") if i.kind is Kind.INTERCEPTOR]
    assert interceptor.number == written.replace("\\\\", "\\")


@pytest.mark.parametrize("refused", ["5!", "5?", "5@"])
def test_an_interceptor_of_no_fixed_length_is_refused_with_the_reason(
    tmp_path: Path, refused: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"'[{refused[-1]}]'.*(length|supported)"):
        load(changed(tmp_path, '["5XXX"]', f'["{refused}"]'))


def test_two_servers_of_one_machine_share_no_udp_ports_takeover_included(cluster: Cluster) -> None:
    pa1, pa2 = cluster.servers
    together = replace(pa2, hostname_or_ip_address=pa1.hostname_or_ip_address)
    with pytest.raises(ConfigurationError, match=r"32000 to 32003 .* overlaps 32000 to 32003"):
        replace(cluster, servers=(pa1, together))
    apart = replace(together, media_termination_udp_beginning_port=32004)
    replace(cluster, servers=(pa1, apart))


def test_ranges_that_meet_when_a_server_stands_in_for_all_are_a_warning_with_the_numbers() -> None:
    def server(name: str, first: int, ports: int) -> ServerConfig:
        return ServerConfig(
            server_name=name,
            hostname_or_ip_address="127.0.0.11",
            media_termination_udp_beginning_port=first,
            media_port_provider="skinny" if ports else "",
            media_port_beginning_address=f"{name[-1]}001" if ports else "",
            number_of_media_ports=ports,
            fail_over_server_names=("SP9",) if ports else (),
        )

    providers = (SkinnyProvider("skinny", ("127.0.0.10",), "VI"),)
    spare, one, two = server("SP9", 20000, 0), server("PA1", 20004, 2), server("PA2", 20012, 2)
    meets = "UDP 20000 to 20007 overlaps 20004 to 20007"
    (warning,) = Cluster(servers=(spare, one, two), providers=providers).warnings()
    assert meets in warning
    (warning,) = Cluster(servers=(one, spare, two), providers=providers).warnings()
    assert "UDP 20004 to 20007 overlaps 20000 to 20007" in warning
    apart = replace(one, media_termination_udp_beginning_port=20008)
    assert Cluster(servers=(spare, apart, two), providers=providers).warnings() == []


def test_what_is_no_toml_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text("servers = [")
    with pytest.raises(ConfigurationError, match=r"cluster\.toml"):
        load(path)


def test_a_device_s_name_does_not_depend_on_its_server_s_place_in_the_file() -> None:
    def server(name: str, last: int, first: str) -> ServerConfig:
        return ServerConfig(
            server_name=name,
            hostname_or_ip_address=f"127.0.0.{last}",
            media_port_provider="skinny",
            media_port_beginning_address=first,
            number_of_media_ports=2,
        )

    providers = (SkinnyProvider("skinny", ("127.0.0.10",), "VI", {"7001": "PINNED"}),)
    servers = (server("PA1", 11, "6001"), server("PA2", 12, "7001"), server("PA3", 13, "901"))
    expected = {"901": "VI1", "902": "VI2", "6001": "VI3", "6002": "VI4", "7001": "PINNED"}
    for some in itertools.permutations(servers):
        cluster = Cluster(servers=some, providers=providers)
        found = {number: device for (_, number), device in cluster.devices.items()}
        assert found == expected | {"7002": "VI6"}
        assert [i.device for i in cluster.identities("PA1")] == ["VI3", "VI4"]


def test_a_package_that_is_traced_in_two_ways_is_a_warning(cluster: Cluster) -> None:
    before = cluster.warnings()
    first = replace(cluster.servers[0], trace_package_list=("sccp=debug", "cti=off", "sccp=off"))
    told = replace(cluster, servers=(first, *cluster.servers[1:])).warnings()
    assert set(told) - set(before) == {
        f"{first.server_name}: trace_package_list has sccp 2 times, of which the last one counts"
    }


def test_a_provider_that_cannot_log_in_or_names_devices_in_vain_is_a_warning(
    cluster: Cluster,
) -> None:
    before = cluster.warnings()

    def with_devices(**devices: str) -> list[str]:
        providers = tuple(
            replace(each, password="")
            if isinstance(each, JtapiProvider)
            else replace(each, devices=devices)
            for each in cluster.providers
        )
        return replace(cluster, providers=providers).warnings()

    no_password = "provider PA1jtapi: a user, but no password"
    assert with_devices(**{"6001": "SPECIAL"}) == [no_password, *before]
    in_vain = "provider pa1skinny: devices has 60001, 6003, but no such media port"
    devices = {"60001": "SPECIAL", "6001": "OTHER", "6003": "THIRD"}
    assert with_devices(**devices) == [no_password, in_vain, *before]
