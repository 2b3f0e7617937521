"""A number that two would have: one of them would be dead, so the configuration is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bare_house import House, a_config
from company import ALICE, BOB, CAROL, changed, phone, route_point

from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, validation
from pa_telephony.callmanager.calls.verbs import LegState
from pa_telephony.errors import ConfigurationError


def refused(*devices: DeviceConfig, **config: Any) -> list[str]:
    """What a call manager with these devices is refused for; nothing when it is taken."""
    try:
        validation.check(CallManagerConfig(devices=devices, **config))
    except ConfigurationError as error:
        return [str(each) for each in (error, *error.others)]
    return []


@pytest.mark.parametrize(
    ("line", "parks", "said"),
    [
        ("1002", "1002", "'1002': 1002 is already a line of SEP2"),
        ("1002", "10.02", "'10.02': 1002 is already a line of SEP2"),
        ("1002", "100X", "'100X': 1002 is already a line of SEP2"),
        ("100X", "100X", "'100X': 100X is already a line of SEP2"),
        ("1[0-2]02", "1X02", "'1X02': 1[0-2]02 is already a line of SEP2"),
    ],
)
def test_calls_cannot_be_parked_where_a_line_would_be_called(
    line: str, parks: str, said: str
) -> None:
    assert refused(phone("SEP2", line), park_numbers=(parks,)) == [f"park_numbers: {said}"]


@pytest.mark.parametrize(
    ("line", "parks", "partition"),
    [
        ("1002", "70X", ""),
        ("1002", "10020", ""),
        # Dialling finds the narrower of two patterns, here the park number.
        ("100X", "1002", ""),
        ("1!", "100X", ""),
        # Who sees this partition says so by the order of a search space.
        ("1002", "1002", "PA"),
    ],
)
def test_calls_can_be_parked_wherever_dialling_finds_them(
    line: str, parks: str, partition: str
) -> None:
    assert refused(phone("SEP2", line, partition=partition), park_numbers=(parks,)) == []


def test_a_pickup_group_has_a_number_of_its_own() -> None:
    """Whose number is on several phones of a shared line, is told of once."""
    grouped = (
        phone("SEP1", "1001", pickup_group="1002"),
        phone("SEP3", "1001", pickup_group="1002"),
    )
    said = "device SEP1: pickup_group: 1002 is already a line of SEP2"
    assert refused(*grouped, phone("SEP2", "1002")) == [said]
    assert refused(*grouped, phone("SEP2", "1002", partition="PA")) == []
    assert refused(*grouped, park_numbers=("100[2-4]",)) == [
        "park_numbers: '100[2-4]': 1002 is already a pickup group of SEP1"
    ]


def test_the_number_of_a_group_that_nobody_is_in_any_more_can_be_given_to_a_phone() -> None:
    house = House()
    for name in (ALICE, BOB, CAROL):
        house.calls.remove_device(name)
    assert house.states("P4") == []
    house.call("P4", "8")
    assert house.states("P4") == [LegState.FAILED]
    house.calls.remove_device("P4")
    house.calls.add_device(phone("P5", "8"))
    house.calls.add_device(phone("P6", "1006"))
    house.arrive("P5")
    house.arrive("P6")
    house.call("P6", "8")
    assert house.leg("P5").state is LegState.OFFERED


def test_a_dot_makes_no_other_number() -> None:
    """Two lines of a number were taken, and calls came to the first of them alone."""
    assert refused(phone("SEP1", "10.02"), phone("SEP2", "1002")) == []
    assert refused(phone("SEP1", "10.02"), route_point("RP", "1002")) == [
        "device RP: number: 1002 is already a line of SEP1"
    ]
    assert refused(phone("SEP1", "10.02"), phone("SEP2", "1002", forward_all="1001")) == [
        "device SEP2: forward_all: must be as on SEP1, which shares 1002"
    ]


def test_phones_whose_numbers_differ_by_a_dot_share_a_line() -> None:
    config = changed(a_config(), BOB, number="10.02")
    house = House(replace(config, devices=(*config.devices, phone("P5", "1002", pickup_group="8"))))
    house.call(ALICE, "1002")
    assert [house.leg(name).state for name in (BOB, "P5")] == [LegState.OFFERED] * 2
    assert house.calls.line("10.02") is house.calls.line("1002") is house.leg("P5").line
    assert house.leg("P5").line.number == "1002", "it is a number that can be called back"
