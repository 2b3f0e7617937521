"""Cisco's client where it observes one side of a call only, and the others come and go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from jtapi import Client, Driver
from jtapi_house import CONFIG, House, open_house

from pa_telephony.callmanager import DeviceConfig, LineConfig

ESTABLISHED = "88"

pytestmark = pytest.mark.real_time


async def states(client: Client, number: str = "1001") -> set[str]:
    """Every connection of a call as address=state, every terminal connection likewise."""
    words = (await client.say(f"states {number}")).split()[1:]
    return {part for word in words for part in word.split("/")}


async def only_the_caller(house: House, client: Client) -> None:
    """1001 is observed; 1002 and 1003 answer, and nobody looks at them."""
    await house.phone("P1")
    await house.phone("P2", answers=True)
    await house.phone("P3", answers=True)
    await client.log_in()
    await client.observe("1001")
    await client.say("call 1001 1002")
    await client.expect("CallCtlConnEstablishedEv", "1002:")


@pytest.mark.parametrize("verb", ["redirect", "transferto"])
async def test_what_sends_the_other_party_on_is_done_at_once(
    driver: Driver, tmp_path: Path, verb: str
) -> None:
    """The client waits for ten seconds if the caller's side is not told the reason."""
    async with open_house() as house, driver.run(tmp_path) as client:
        await only_the_caller(house, client)
        await client.say("observe 1002")
        await client.expect("CallCtlTermConnTalkingEv", "P2")
        with trio.fail_after(8):
            await client.say(f"{verb} 1002 1003")
        await client.expect("CallCtlConnEstablishedEv", "1003:")
        assert f"1003={ESTABLISHED}" in await states(client)


async def test_a_forward_that_is_followed_leaves_no_connection_of_the_number_that_was_dialled(
    driver: Driver, tmp_path: Path
) -> None:
    forwarding = DeviceConfig(name="P2", lines=(LineConfig(number="1002", forward_all="1003"),))
    devices = tuple(forwarding if each.name == "P2" else each for each in CONFIG.devices)
    async with (
        open_house(replace(CONFIG, devices=devices)) as house,
        driver.run(tmp_path) as client,
    ):
        await house.phone("P1")
        await house.phone("P2")
        await house.phone("P3")
        await client.log_in()
        await client.observe("1001")
        await client.say("call 1001 1002")
        await client.expect("CallCtlConnAlertingEv", "1003:")
        known = await states(client)
        assert not any(each.startswith("1002=") for each in known), known


async def test_a_conference_that_was_there_before_is_found_with_all_its_parties(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        await house.phone("P3", answers=True)
        async with one.call("1002") as call:
            await call.wait_connected()
            await call.conference("1003")
            await client.log_in()
            await client.say("observe 1002")
            await client.expect("CallCtlTermConnTalkingEv", "P2")
            members = {f"{number}={ESTABLISHED}" for number in ("1001", "1002", "1003")}
            # Of a call that it finds the client learns the other parties a moment later.
            with trio.fail_after(5):
                while not members <= await states(client, "1002"):  # noqa: ASYNC110 - Java tells nobody
                    await trio.sleep(0.02)


async def test_the_members_of_a_conference_that_nobody_looks_at_are_its_connections(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await only_the_caller(house, client)
        await client.say("consult 1001 1003")
        await client.expect("CallCtlConnEstablishedEv", "1003:")
        await client.say("conference first second")
        await client.expect("CiscoConferenceEndEv")
        known = await states(client, "first")
        for number in ("1001", "1002", "1003"):
            assert f"{number}={ESTABLISHED}" in known, known
