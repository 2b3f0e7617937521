"""Whole calls: phones and a media port of ours, our call manager, and what is heard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import numpy as np
import pytest
import trio
from company import ALICE, BOB, MEDIA_PORT
from loopback import HOST, NETWORK
from whole_house import a_manager

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import CallManager
from pa_telephony.errors import CallEnded, RequestFailed
from pa_telephony.rtp import Engine, Tone
from pa_telephony.rtp.g711 import Samples
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState
from pa_telephony.trace import FrameRecord, Record


def hears(samples: Samples, frequency: float) -> bool:
    """Whether the last quarter second holds the tone."""
    tail = samples[-2000:].astype(float)
    wave = np.exp(-2j * np.pi * frequency / 8000 * np.arange(len(tail)))
    return len(tail) == 2000 and float(2 * abs(np.dot(tail, wave)) / len(tail)) > 1000


@contextlib.asynccontextmanager
async def a_house(first_port: int) -> AsyncGenerator[tuple[CallManager, Engine]]:
    async with (
        a_manager() as manager,
        rtp.open_engine(address=HOST, first_port=first_port) as engine,
    ):
        yield manager, engine


async def talk(call: sccp.Call, frequency: float) -> None:
    """Say one tone for as long as the call lasts."""
    with contextlib.suppress(CallEnded):
        media = await call.wait_media()
        await media.play(Tone((frequency,)))


async def pick_up(call: sccp.Call, frequency: float, heard: list[Samples]) -> None:
    """Answer, say a tone, and keep what is heard until the end."""
    async with call.answer() as media:
        with media.record() as recording:
            try:
                await media.play(Tone((frequency,)))
            finally:
                heard.append(recording.samples)


@pytest.mark.parametrize("version", [6, 17, 18, 21, 22])
async def test_two_phones_of_any_version_hear_each_other(version: int) -> None:
    config = sccp.StationConfig(protocol_version=version)
    with trio.fail_after(10):
        async with (
            a_house(43000) as (manager, engine),
            sccp.open_station(ALICE, manager.sccp_address, config=config, engine=engine) as alice,
            sccp.open_station(BOB, manager.sccp_address, config=config, engine=engine) as bob,
            trio.open_nursery() as nursery,
        ):
            heard: list[Samples] = []

            async def answer(call: sccp.Call) -> None:
                await pick_up(call, 600, heard)

            nursery.start_soon(bob.serve, answer)
            async with alice.call("1002") as call:
                nursery.start_soon(talk, call, 400)
                media = await call.wait_media()
                with media.record() as recording:
                    await trio.sleep(0.6)
                assert hears(recording.samples, 600)
                assert not hears(recording.samples, 400)
            await trio.sleep(0.1)
            assert hears(heard[0][:-400], 400)
            nursery.cancel_scope.cancel()


async def test_a_media_port_greets_asks_and_transfers_and_the_call_lives_on_without_it() -> None:
    """The seed's story: 1001 calls the port, hears the greeting, and is handed on to 1002."""
    with trio.fail_after(15):
        async with (
            a_house(43100) as (manager, engine),
            sccp.open_station(ALICE, manager.sccp_address, engine=engine) as alice,
            sccp.open_station(BOB, manager.sccp_address, engine=engine) as bob,
            trio.open_nursery() as nursery,
        ):
            transferred = trio.Event()
            heard: list[Samples] = []

            async def menu(call: sccp.Call) -> None:
                async with call.answer() as media:
                    choice = await media.ask(Tone((440,)), digits=1)
                    await call.transfer("1002" if choice == "1" else "777")
                    transferred.set()

            async def bob_answers(call: sccp.Call) -> None:
                await pick_up(call, 600, heard)

            nursery.start_soon(bob.serve, bob_answers)
            async with (
                rtp.open_engine(address=f"{NETWORK}.11", first_port=32000) as of_pa1,
                sccp.open_media_port(
                    MEDIA_PORT, manager.sccp_address, engine=of_pa1, port_index=0
                ) as port,
            ):
                nursery.start_soon(port.serve, menu)
                call = await nursery.start(hold_call, alice, "6001")
                media = await call.wait_media()
                with media.record() as recording:
                    await trio.sleep(0.6)
                assert hears(recording.samples, 440)
                await call.send_digits("1")
                await transferred.wait()
                assert not port.calls
            nursery.start_soon(talk, call, 400)
            with media.record() as recording:
                await trio.sleep(0.8)
            assert call.connected
            assert call.called == "1002"
            assert hears(recording.samples, 600)
            await call.hang_up()
            await trio.sleep(0.1)
            assert hears(heard[0][:-400], 400)
            nursery.cancel_scope.cancel()


async def hold_call(
    station: sccp.Station, number: str, *, task_status: trio.TaskStatus[sccp.Call]
) -> None:
    """Keep a call up in a task of its own."""
    async with station.call(number) as call:
        await call.wait_connected()
        task_status.started(call)
        await call.wait_ended()


async def test_a_transfer_to_a_wrong_number_gives_the_caller_back() -> None:
    with trio.fail_after(10):
        async with (
            a_house(43200) as (manager, engine),
            sccp.open_station(ALICE, manager.sccp_address, engine=engine) as alice,
            sccp.open_media_port(MEDIA_PORT, manager.sccp_address, engine=engine) as port,
            trio.open_nursery() as nursery,
        ):
            causes: list[int] = []
            refused = trio.Event()

            async def menu(call: sccp.Call) -> None:
                async with call.answer() as media:
                    with pytest.raises(RequestFailed) as failed:
                        await call.transfer("777")
                    causes.append(failed.value.code)
                    refused.set()
                    await media.play(Tone((440,)))

            nursery.start_soon(port.serve, menu)
            async with alice.call("6001") as call:
                media = await call.wait_media()
                await refused.wait()
                with media.record() as recording:
                    await trio.sleep(0.6)
                assert hears(recording.samples, 440)
            assert causes == [1]
            nursery.cancel_scope.cancel()


async def test_hold_stops_the_sound_and_resume_brings_it_back() -> None:
    with trio.fail_after(10):
        async with (
            a_house(43300) as (manager, engine),
            sccp.open_station(ALICE, manager.sccp_address, engine=engine) as alice,
            sccp.open_station(BOB, manager.sccp_address, engine=engine) as bob,
            trio.open_nursery() as nursery,
        ):
            heard: list[Samples] = []

            async def answer(call: sccp.Call) -> None:
                await pick_up(call, 600, heard)

            nursery.start_soon(bob.serve, answer)
            async with alice.call("1002") as call:
                media = await call.wait_media()
                await call.hold()
                assert call.state is DCallState.HOLD
                with media.record() as quiet:
                    await trio.sleep(0.4)
                assert not hears(quiet.samples, 600)
                await call.resume()
                with media.record() as loud:
                    await trio.sleep(0.6)
                assert hears(loud.samples, 600)
            nursery.cancel_scope.cancel()


async def test_a_station_says_how_a_call_sounded_while_it_lasts_and_after_it() -> None:
    """Call managers ask when a call is over (chan-sccp and CUCM do), and get an answer."""
    records: list[Record] = []
    with trio.fail_after(10):
        async with (
            a_house(43900) as (manager, engine),
            sccp.open_station(
                ALICE, manager.sccp_address, engine=engine, trace=records.append
            ) as alice,
            sccp.open_station(BOB, manager.sccp_address, engine=engine) as bob,
            trio.open_nursery() as nursery,
        ):

            def ask(reference: int) -> None:
                session = manager._line_side.sessions[ALICE]
                session.send(
                    messages.ConnectionStatisticsReq(directory_num="1002", call_reference=reference)
                )

            async def answers(count: int) -> list[messages.ConnectionStatisticsRes]:
                while True:
                    found = [
                        message
                        for record in records
                        if isinstance(record, FrameRecord) and record.direction == "sent"
                        for message in [messages.decode(record.data[8], record.data[12:], 21)]
                        if isinstance(message, messages.ConnectionStatisticsRes)
                    ]
                    if len(found) == count:
                        return found
                    await trio.sleep(0.01)

            async def bob_answers(call: sccp.Call) -> None:
                await pick_up(call, 600, [])

            nursery.start_soon(bob.serve, bob_answers)
            async with alice.call("1002") as call:
                await call.wait_media()
                await trio.sleep(0.5)
                ask(call.call_reference)
                await answers(1)
            ask(call.call_reference)
            ask(4711)
            during, after, unknown = await answers(3)
            assert during.call_reference == after.call_reference == call.call_reference
            assert 10 < during.number_packets_received <= after.number_packets_received < 60
            assert after.number_octets_sent == 160 * after.number_packets_sent > 0
            assert after.number_packets_lost == 0
            assert (unknown.call_reference, unknown.number_packets_sent) == (4711, 0)
            nursery.cancel_scope.cancel()
