"""Cisco's own JTAPI client, unmodified, against our CTI Manager: login and what there is.

Run by ``make interop-jtapi``. The jar comes from your own CallManager's plugin page, or from
Cisco's public repository CiscoDevNet/jtapi-samples; it is never part of this project.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jtapi import Driver
from jtapi_house import CONFIG, open_house

from pa_telephony.callmanager import DeviceConfig, LineConfig, User

pytestmark = pytest.mark.real_time


async def test_the_provider_comes_in_service_and_lists_what_there_is(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house(), driver.run(tmp_path) as client:
        await client.say("open 127.0.0.1 app secret")
        await client.expect("ProvInServiceEv")
        listed = await client.say("list")
        for name in (
            "RouteTerminal:RP1",
            "MediaTerminal:CTIP1",
            " Terminal:P1",
            "Address:6000",
            "Address:1002",
        ):
            assert name in listed
        await client.say("shutdown")


async def test_a_wrong_password_is_told_as_such(driver: Driver, tmp_path: Path) -> None:
    async with open_house(), driver.run(tmp_path, complaints=False) as client:
        refused = await client.say("open 127.0.0.1 app wrong", "error ")
        assert "bad login or password" in refused


async def test_a_locked_user_and_one_without_cti_are_told_why(
    driver: Driver, tmp_path: Path
) -> None:
    users = (
        User(name="locked", password="secret", locked=True),
        User(name="guest", password="secret", cti=False),
    )
    async with (
        open_house(replace(CONFIG, users=users)),
        driver.run(tmp_path, complaints=False) as client,
    ):
        assert "locked" in await client.say("open 127.0.0.1 locked secret", "error ")
        assert "not authorized" in await client.say("open 127.0.0.1 guest secret", "error ")


async def test_a_super_provider_acquires_a_device_that_is_not_the_users(
    driver: Driver, tmp_path: Path
) -> None:
    users = (User(name="super", password="secret", devices=("P1",), any_device=True),)
    async with open_house(replace(CONFIG, users=users)) as house, driver.run(tmp_path) as client:
        await house.phone("P2")
        await client.log_in("super")
        assert "Terminal:P2" not in await client.say("list")
        assert "created P2" in await client.say("terminal P2")
        assert "Terminal:P2" in await client.say("list")
        await client.say("observeterminal P2")
        await client.expect("CiscoTermInServiceEv", "[P2]")


async def test_a_phone_that_comes_and_goes_is_seen_in_and_out_of_service(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await client.log_in()
        await client.say("observe 1001")
        await client.expect("CiscoAddrOutOfServiceEv", "[1001:]")
        await house.phone("P1")
        await client.expect("CiscoAddrInServiceEv", "[1001:]")
        house.hang_up_on("P1")
        await client.expect("CiscoAddrOutOfServiceEv", "[1001:]")


async def test_device_states_do_not_disturb_message_waiting_and_data(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await house.phone("P1")
        await house.phone("P2", answers=True)
        await client.log_in()
        await client.say("observeterminal P1")
        await client.observe("1001")
        assert "dnd true" in await client.say("dnd P1 on")
        assert "dnd false" in await client.say("dnd P1 off")
        await client.say("mwi 1001 on")
        assert house.manager.calls.lines()[3].message_waiting
        await client.say("data P1 <CiscoIPPhoneText/>")
        await client.say("call 1001 1002")
        await client.expect("CiscoTermDeviceStateActiveEv")
        await client.say("drop 1001")
        await client.expect("CiscoTermDeviceStateIdleEv")


async def test_devices_come_and_go_while_the_provider_is_open(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await client.log_in()
        house.manager.add_device(DeviceConfig(name="P9", lines=(LineConfig(number="1009"),)))
        await client.expect("CiscoTermCreatedEv")
        await client.say("observe 1009")
        await house.phone("P9")
        await client.expect("CiscoAddrInServiceEv", "[1009:]")
        house.manager.remove_device("P9")
        await client.expect("CiscoTermRemovedEv")
        assert "P9" not in await client.say("list")


async def test_a_device_that_the_user_owns_is_removed_and_comes_back(
    driver: Driver, tmp_path: Path
) -> None:
    users = (User(name="owner", password="secret", devices=("P1", "P2")),)
    async with open_house(replace(CONFIG, users=users)) as house, driver.run(tmp_path) as client:
        await client.log_in("owner")
        await client.say("observe 1002")
        owned = next(each for each in CONFIG.devices if each.name == "P2")
        house.manager.remove_device("P2")
        await client.expect("CiscoTermRemovedEv")
        assert "P2" not in await client.say("list")
        house.manager.add_device(owned)
        await client.expect("CiscoTermCreatedEv")
        assert "Terminal:P2" in await client.say("list")
        assert "P3" not in await client.say("list")
