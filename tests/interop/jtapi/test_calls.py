"""Cisco's client controls phones of ours: every feature of a call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from jtapi import Client, Driver
from jtapi_house import CONFIG, House, open_house, ringing

from pa_telephony.callmanager import DeviceConfig, LineConfig

pytestmark = pytest.mark.real_time


async def three_phones(house: House, client: Client) -> None:
    """1001 is ours to control, 1002 and 1003 answer; all are observed."""
    await house.phone("P1")
    await house.phone("P2", answers=True)
    await house.phone("P3", answers=True)
    await client.log_in()
    for number in ("1001", "1002", "1003"):
        await client.observe(number)


async def call_up(client: Client) -> None:
    """1001 talks to 1002."""
    await client.say("call 1001 1002")
    await client.expect("CallCtlConnEstablishedEv", "1002:")
    await client.expect("CallCtlTermConnTalkingEv", "P2")


async def states(client: Client, number: str) -> set[str]:
    """Every connection as address=state, every terminal connection as terminal=state."""
    words = (await client.say(f"states {number}")).split()[1:]
    return {part for word in words for part in word.split("/")}


ESTABLISHED, TALKING, HELD, BRIDGED = "88", "98", "99", "100"


async def test_a_phone_is_told_to_call_and_the_call_is_seen_to_its_end(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        assert await states(client, "1001") == {
            f"1001={ESTABLISHED}",
            f"1002={ESTABLISHED}",
            f"P1={TALKING}",
            f"P2={TALKING}",
        }
        await client.say("drop 1001")
        await client.expect("ConnDisconnectedEv", "1001:")
        await client.expect("CallInvalidEv")


async def test_a_phone_that_rings_is_answered_held_and_retrieved(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one, two = await house.phone("P1"), await house.phone("P2")
        await client.log_in()
        await client.say("observe 1002")
        async with one.call("1002") as call:
            await ringing(two)
            await client.expect("CallCtlTermConnRingingEv", "P2")
            await client.say("answer 1002")
            with trio.fail_after(5):
                await call.wait_connected()
            # The phone may know of it before the client does.
            await client.expect("CallCtlTermConnTalkingEv", "P2")
            await client.say("hold 1002")
            assert f"P2={HELD}" in await states(client, "1002")
            await client.say("retrieve 1002")
            assert f"P2={TALKING}" in await states(client, "1002")
        await client.expect("CallInvalidEv")


async def test_a_connected_call_is_redirected_and_transferred_in_one_step(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        await client.say("redirect 1002 1003")
        await client.expect("CallCtlConnEstablishedEv", "1003:")
        assert {f"1001={ESTABLISHED}", f"P3={TALKING}"} <= await states(client, "1001")
        await client.say("transferto 1001 1002")
        await client.expect("CallCtlConnEstablishedEv", "1002:")
        assert {f"P2={TALKING}", f"P3={TALKING}"} <= await states(client, "1003")
        await client.say("drop 1003")
        await client.expect("CallInvalidEv")


async def test_a_consultation_is_completed_as_a_transfer(driver: Driver, tmp_path: Path) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        await client.say("consult 1001 1003")
        await client.expect("CallCtlTermConnTalkingEv", "P3")
        await client.say("transfer first second")
        await client.expect("CiscoTransferStartEv")
        await client.expect("CiscoTransferEndEv")
        assert await states(client, "1002") == {
            f"1002={ESTABLISHED}",
            f"1003={ESTABLISHED}",
            f"P2={TALKING}",
            f"P3={TALKING}",
        }
        await client.say("drop 1002")
        await client.expect("CallInvalidEv")


async def test_a_call_is_parked_and_got_back_at_another_phone(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        assert "parked at 700" in await client.say("park 1001")
        await client.say("unpark 1003 700")
        # Off hook in a call of its own, then in the one that was parked.
        for _ in range(2):
            await client.expect("CallCtlTermConnTalkingEv", "P3")
        assert {f"P2={TALKING}", f"P3={TALKING}"} <= await states(client, "1002")
        await client.say("drop 1002")
        await client.expect("CallInvalidEv")


async def test_a_line_is_forwarded_and_the_call_says_so(driver: Driver, tmp_path: Path) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await client.say("forward 1002 1003")
        assert "forwarding 1003" in await client.say("forwarding 1002")
        await client.say("call 1001 1002")
        await client.expect("CallCtlConnEstablishedEv", "1003:")
        await client.say("drop 1001")
        await client.say("forward 1002 none")
        assert "forwarding none" in await client.say("forwarding 1002")


async def test_a_call_that_was_there_before_is_found(driver: Driver, tmp_path: Path) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        one = await house.phone("P1")
        await house.phone("P2", answers=True)
        async with one.call("1002") as call:
            with trio.fail_after(5):
                await call.wait_connected()
            await client.log_in()
            await client.say("observe 1001")
            await client.expect("CallCtlTermConnTalkingEv", "P1")
            # Of a call that it finds the client learns the other side a moment later.
            with trio.fail_after(5):
                while f"1002={ESTABLISHED}" not in await states(client, "1001"):  # noqa: ASYNC110 - Java tells nobody
                    await trio.sleep(0.02)
            assert f"1001={ESTABLISHED}" in await states(client, "1001")
        await client.expect("CallInvalidEv")


async def test_a_shared_line_is_one_address_with_two_terminals(
    driver: Driver, tmp_path: Path
) -> None:
    shared = DeviceConfig(name="P4", lines=(LineConfig(number="1002", name="Bob"),))
    config = replace(CONFIG, devices=(*CONFIG.devices, shared))
    async with open_house(config) as house, driver.run(tmp_path) as client:
        one, two = await house.phone("P1"), await house.phone("P2")
        await house.phone("P4")
        await client.log_in()
        await client.say("observe 1002")
        async with one.call("1002") as call:
            await ringing(two)
            await client.expect("CallCtlTermConnRingingEv", "P4")
            await client.say("answer 1002 P4")
            with trio.fail_after(5):
                await call.wait_connected()
            await client.expect("CallCtlTermConnBridgedEv", "P2")
            assert {f"P4={TALKING}", f"P2={BRIDGED}"} <= await states(client, "1002")
        await client.expect("CallInvalidEv")


async def test_a_consultation_becomes_a_conference_that_loses_a_party(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        await client.say("consult 1001 1003")
        await client.expect("CallCtlTermConnTalkingEv", "P3")
        await client.say("conference first second")
        await client.expect("CiscoConferenceStartEv")
        await client.expect("CiscoConferenceEndEv")
        assert await states(client, "first") == {
            f"1001={ESTABLISHED}",
            f"1002={ESTABLISHED}",
            f"1003={ESTABLISHED}",
            f"P1={TALKING}",
            f"P2={TALKING}",
            f"P3={TALKING}",
        }
        await client.say("keep first 1003")
        await client.say("disconnect 1003")
        await client.expect("ConnDisconnectedEv", "1003:")
        assert {f"P1={TALKING}", f"P2={TALKING}"} <= await states(client, "first")
        await client.say("drop first")
        await client.expect("CallInvalidEv")


async def test_several_calls_become_one_conference_at_once(driver: Driver, tmp_path: Path) -> None:
    """The client waits for its post condition when it is told of more than one beginning."""
    fourth = DeviceConfig(name="P4", lines=(LineConfig(number="1004", name="Dave"),))
    config = replace(CONFIG, devices=(*CONFIG.devices, fourth))
    async with open_house(config) as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await house.phone("P4", answers=True)
        await client.observe("1004")
        for number in ("1002", "1003", "1004"):
            await client.say(f"call 1001 {number}")
            await client.expect("CallCtlTermConnTalkingEv", f"P{number[-1]}")
            await client.say(f"keep 1001 to{number}")
        with trio.fail_after(8):
            await client.say("conference to1004 to1002 to1003")
        await client.expect("CiscoConferenceStartEv")
        await client.expect("CiscoConferenceEndEv")
        assert await states(client, "to1004") >= {
            f"100{each}={ESTABLISHED}" for each in (1, 2, 3, 4)
        }
        assert sum("CiscoConferenceStartEv" in line for line in client.seen) == 1
        await client.say("drop to1004")
        await client.expect("CallInvalidEv")


async def test_a_consultation_that_is_given_up_leaves_the_first_call_to_be_retrieved(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path) as client:
        await three_phones(house, client)
        await call_up(client)
        await client.say("consult 1001 1003")
        await client.expect("CallCtlTermConnTalkingEv", "P3")
        assert f"P1={HELD}" in await states(client, "first")
        await client.say("drop second")
        await client.expect("CallInvalidEv")
        await client.say("retrieve 1001 first")
        assert {f"P1={TALKING}", f"P2={TALKING}"} <= await states(client, "first")
        await client.say("drop first")
        await client.expect("CallInvalidEv")


@pytest.mark.parametrize("verb", ["transfer", "conference"])
async def test_calls_at_two_lines_of_a_phone_are_joined(
    driver: Driver, tmp_path: Path, verb: str
) -> None:
    one = next(each for each in CONFIG.devices if each.name == "P1")
    both = replace(one, lines=(*one.lines, LineConfig(number="1009")))
    devices = tuple(both if each is one else each for each in CONFIG.devices)
    async with (
        open_house(replace(CONFIG, devices=devices)) as house,
        driver.run(tmp_path) as client,
    ):
        await three_phones(house, client)
        await client.observe("1009")
        for line, number in (("1001", "1002"), ("1009", "1003")):
            await client.say(f"call {line} {number}")
            await client.expect("CallCtlTermConnTalkingEv", f"P{number[-1]}")
            await client.say(f"keep {line} to{number}")
        with trio.fail_after(8):
            await client.say(f"{verb} to1002 to1003")
        await client.expect(f"Cisco{verb.capitalize()}EndEv")
        known = await states(client, "to1002")
        assert {f"P2={TALKING}", f"P3={TALKING}"} <= known
        assert (f"P1={TALKING}" in known) == (verb == "conference")
        await client.say("drop to1002")
        await client.expect("CallInvalidEv")
