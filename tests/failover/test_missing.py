"""What a call manager lacks for a cluster, and that the lines to paste are all that it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pa_telephony import callmanager
from pa_telephony.callmanager.control.look import as_device
from pa_telephony.callmanager.control.rows import Device, Line
from pa_telephony.failover import Cluster, load
from pa_telephony.failover.missing import MissingDevice, missing_devices, toml_lines

EXAMPLES = Path(__file__).parents[2] / "examples"
CLUSTER = load(EXAMPLES / "cluster.toml")
SPACES = """
[search_spaces]
phones = ["PA", ""]
extensions = ["PAManaged", ""]
"""


def shown(config: callmanager.CallManagerConfig) -> list[Device]:
    """The devices of a configuration as a call manager shows them."""
    return [as_device(each) for each in config.devices]


LAB = shown(callmanager.load(EXAMPLES / "lab.toml"))


def without(*names: str) -> list[Device]:
    return [each for each in LAB if each.name not in names]


def changed(device: str, **fields: object) -> list[Device]:
    return [replace(each, **fields) if each.name == device else each for each in LAB]  # type: ignore[arg-type]


def test_the_lab_has_all_that_its_cluster_needs() -> None:
    assert missing_devices(CLUSTER, LAB) == ()


@pytest.mark.parametrize("partition", ["PA", ""])
def test_what_is_pasted_into_an_empty_file_is_all_that_was_missing(
    tmp_path: Path, partition: str
) -> None:
    missing = missing_devices(CLUSTER, (), partition=partition)
    assert [each.name for each in missing] == ["PA1-VI1", "PA1-VI2", "PA1-RP-5XXX", "PA1-RP-6000"]
    file = tmp_path / "house.toml"
    file.write_text(SPACES + toml_lines(missing))
    made = callmanager.load(file)
    assert missing_devices(CLUSTER, shown(made)) == ()
    lines = {device.name: device.lines[0] for device in made.devices}
    assert lines["PA1-VI1"].max_calls == 1
    assert lines["PA1-RP-5XXX"].forward_failure == "5XXX"
    assert lines["PA1-RP-5XXX"].partition == partition
    assert made.devices[0].keep_alive == 1


def only(missing: tuple[MissingDevice, ...]) -> MissingDevice:
    (found,) = missing
    return found


@pytest.mark.parametrize(
    ("devices", "name", "why"),
    [
        (without("PA1-VI2"), "PA1-VI2", "there is no device PA1-VI2"),
        (
            changed("PA1-VI1", kind="phone"),
            "PA1-VI1",
            "PA1-VI1 is a phone, and has to be a media port",
        ),
        (
            changed("PA1-VI1", lines=(Line(number="6009"),)),
            "PA1-VI1",
            "PA1-VI1 has no line 6001, only 6009",
        ),
        (without("PA1-RP-6000"), "PA1-RP-6000", "no route point has the number 6000"),
        (changed("PA1-RP-5XXX", kind="cti port"), "RP-5XXX", "no route point has the number 5XXX"),
    ],
)
def test_each_device_that_is_missing_or_something_else_says_why(
    devices: list[Device], name: str, why: str
) -> None:
    found = only(missing_devices(CLUSTER, devices))
    assert (found.name, found.why) == (name, why)
    assert f'name = "{name}"' in found.toml


def test_a_route_point_has_any_name_unless_the_cluster_says_one() -> None:
    renamed = changed("PA1-RP-6000", name="SALES")
    assert missing_devices(CLUSTER, renamed) == ()
    first = replace(CLUSTER.servers[0], route_point_device="PA-MAIN")
    named = replace(CLUSTER, servers=(first, *CLUSTER.servers[1:]))
    assert only(missing_devices(named, renamed)).why == "there is no device PA-MAIN"


def test_a_pattern_is_the_same_with_the_dot_of_a_trunk() -> None:
    first = replace(CLUSTER.servers[0], interceptor_ports=("5.XXX",))
    dotted = replace(CLUSTER, servers=(first, *CLUSTER.servers[1:]))
    assert missing_devices(dotted, LAB) == ()


def test_an_aa_route_point_and_long_names_get_names_of_their_own() -> None:
    first = replace(
        CLUSTER.servers[0],
        server_name="a-server-with-a-long-name",
        aa_route_address="6100",
        interceptor_ports=("[2-5]XXX", "18005551234"),
    )
    cluster: Cluster = replace(CLUSTER, servers=(first, *CLUSTER.servers[1:]))
    missing = missing_devices(cluster, ())
    names = [each.name for each in missing]
    assert len(set(names)) == len(names) == 6
    assert all(len(name) <= 15 for name in names)
    assert names[2:] == ["RP-[2-5]XXX", "RP-18005551234", "RP-6100", "RP-6000"]
