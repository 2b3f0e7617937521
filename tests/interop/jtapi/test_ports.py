"""CTI ports of Cisco's client, with sound from and to our engine."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trio
from jtapi import Driver
from jtapi_house import CONFIG, open_house, ringing

from pa_telephony import rtp
from pa_telephony.callmanager.config import Timing
from pa_telephony.errors import CallEnded
from pa_telephony.rtp.g711 import Samples
from pa_telephony.sccp.enums import DCallState

pytestmark = pytest.mark.real_time


def hears(samples: Samples, frequency: float) -> bool:
    """Whether the last quarter second holds the tone."""
    tail = samples[-2000:].astype(float)
    wave = np.exp(-2j * np.pi * frequency / 8000 * np.arange(len(tail)))
    return len(tail) == 2000 and float(2 * abs(np.dot(tail, wave)) / len(tail)) > 1000


async def say(media: rtp.Media, frequency: float) -> None:
    """One tone for as long as the call lasts."""
    with contextlib.suppress(CallEnded):
        await media.play(rtp.Tone((frequency,)))


@pytest.mark.parametrize("registration", ["port", "dynamicport"])
async def test_a_port_answers_and_sound_flows_to_and_from_the_address_it_named(
    driver: Driver, tmp_path: Path, registration: str
) -> None:
    """The UDP ports are an engine of ours: what the client announces is what the phone hears."""
    async with (
        open_house() as house,
        driver.run(tmp_path) as client,
        rtp.open_engine(address="127.0.0.1", first_port=40000) as far,
        trio.open_nursery() as nursery,
    ):
        one = await house.phone("P1")
        port = far.open_port(0)
        media = rtp.Media(port)
        await client.log_in()
        await client.say(f"{registration} CTIP1 127.0.0.1 40000 5001")
        async with one.call("5001") as call:
            await client.expect("CallCtlConnOfferedEv", "5001:")
            assert call.state is DCallState.PROCEED
            await client.say("accept 5001")
            await client.expect("CallCtlTermConnRingingEv")
            with trio.fail_after(5):
                await call.wait_for(DCallState.RING_OUT)
            await client.say("answer 5001")
            started = await client.expect("RTPOutput")
            host, number = started.rpartition(" ")[2].split(":")
            port.start_receiving()
            port.start_sending((host, int(number)))
            nursery.start_soon(say, media, 440)
            here = await call.wait_media()
            nursery.start_soon(say, here, 600)
            with here.record() as heard, media.record() as said:
                await trio.sleep(0.7)
            assert hears(heard.samples, 440)
            assert hears(said.samples, 600)
            await client.say("hold 5001")
            await client.expect("CiscoRTPInputStoppedEv")
            await client.say("retrieve 5001")
            await client.expect("RTPInput 127.0.0.1:40000")
            await call.send_digits("5*")
            await client.expect("digit 5")
            await client.expect("digit *")
            await client.say("digits 5001 12*#")
            await client.say("drop 5001")
            nursery.cancel_scope.cancel()
        await client.expect("CallInvalidEv")
        await client.say("unregister CTIP1")
        await client.expect("CiscoAddrOutOfServiceEv", "5001")


async def test_a_port_calls_out_and_an_unknown_number_is_told_at_once(
    driver: Driver, tmp_path: Path
) -> None:
    async with open_house() as house, driver.run(tmp_path, complaints=False) as client:
        await house.phone("P2", answers=True)
        await client.log_in()
        await client.say("port CTIP1 127.0.0.1 40000 5001")
        await client.say("call 5001 1002")
        await client.expect("CallCtlConnEstablishedEv", "1002:")
        await client.say("drop 5001")
        await client.expect("CallInvalidEv")
        assert "8eee0001" in await client.say("call 5001 777", "error ")


async def test_a_call_that_the_application_does_not_accept_is_sent_on(
    driver: Driver, tmp_path: Path
) -> None:
    """Its caller is observed, too, and sees where it rings in the end."""
    devices = tuple(
        replace(each, lines=(replace(each.lines[0], forward_no_answer="1002"),))
        if each.name == "CTIP1"
        else each
        for each in CONFIG.devices
    )
    config = replace(CONFIG, devices=devices, timing=Timing(new_call_accept=1.0))
    async with open_house(config) as house, driver.run(tmp_path) as client:
        await house.phone("P1")
        two = await house.phone("P2")
        await client.log_in()
        await client.say("port CTIP1 127.0.0.1 40000 5001")
        await client.observe("1001")
        await client.say("call 1001 5001")
        await client.expect("CallCtlConnOfferedEv", "5001:")
        await client.expect("ConnDisconnectedEv", "5001:")
        await client.expect("CallCtlConnAlertingEv", "1002:")
        assert (await ringing(two)).last_redirecting == "5001"
