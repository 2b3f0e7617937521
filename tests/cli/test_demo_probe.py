"""The caller who dials again and again knows what each call was told, and what servers did."""

from __future__ import annotations

from typing import Any

import trio
from company import ALICE, BOB, COMPANY, changed
from loopback import NETWORK
from whole_house import a_manager

from pa_telephony import rtp, sccp
from pa_telephony.cli.demo.evidence import Event
from pa_telephony.cli.demo.probe import Caller, Probe

CONFIG = changed(changed(COMPANY, ALICE, max_calls=1), BOB, max_calls=1)


async def test_each_call_is_remembered_with_what_it_was_told() -> None:
    async with (
        a_manager(CONFIG) as manager,
        rtp.open_engine(address=f"{NETWORK}.20", first_port=40000) as engine,
        sccp.open_station(ALICE, manager.sccp_address, engine=engine) as caller,
        sccp.open_station(BOB, manager.sccp_address, engine=engine) as other,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(other.serve, answered)
        nobody = Probe(caller, "9999", talks=0.0, pauses=60.0)
        async with nobody.calling():
            while not (nobody.callers and nobody.callers[0].cause):  # noqa: ASYNC110
                await trio.sleep(0.01)
        somebody = Probe(caller, "1002", talks=0.0, pauses=60.0)
        async with somebody.calling():
            while not somebody.answered:  # noqa: ASYNC110
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    (told,) = nobody.turned_away
    assert (told.number, told.answered, told.cause) == ("1001", False, 1)
    assert "cause 1 after" in str(told)
    assert "no server heard of it" in str(told)
    (heard,) = somebody.callers
    assert (heard.answered, heard.reached, heard.cause) == (True, "1002", 0)
    assert somebody.slowest == heard.seconds > 0
    assert not somebody.turned_away


async def answered(call: sccp.Call) -> None:
    await trio.sleep(1.0)
    async with call.answer():
        await call.wait_ended()


def test_what_servers_wrote_down_about_a_caller_is_found() -> None:
    nobody: Any = None
    probe = Probe(nobody)
    probe.callers = [Caller("1005", 100.0, 0.5, cause=16, shown="on hook 'Ring out'")]
    about = {"calling": "1005", "tried": ["6001 busy", "6002 taken"], "why": ""}
    probe.ask_servers(
        [
            Event(99.9, "PA1", "routed", "6000", about),
            Event(100.1, "PA2", "routed", "6000", about),
            Event(100.2, "PA2", "turned_away", "6002", {"calling": "1005", "why": "given up"}),
            Event(100.2, "PA2", "turned_away", "6002", {"calling": "1001", "why": "no"}),
            Event(100.3, "PA2", "busy", "6002", {}),
        ]
    )
    assert str(probe.callers[0]) == (
        "cause 16 after 500 ms, on hook 'Ring out' (PA2 after 100 ms: 6001 busy, 6002 taken; "
        "PA2 after 200 ms: 6002 does not answer, given up)"
    )
