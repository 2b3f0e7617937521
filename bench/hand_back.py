"""Who is turned away while ports go home: a caller without a pause, real processes, many returns.

python bench/hand_back.py [RETURNS [DIRECTORY]]

PA2 stands in for PA1 with a call on one of the two ports; PA1 comes back, takes the idle port
home, then the other, then the route point, and is killed again. All the while one phone calls
6000, hangs up as soon as there is sound, and calls again: every moment of the hand-over meets a
call in some of the returns. Nobody may be turned away (F28): of those who are, it is printed what
they were told and what each server tried. The times of the cluster are shorter than by default, so
that a return takes two seconds. Exit 1 when a caller was turned away.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from pa_telephony import failover, rtp, sccp
from pa_telephony.cli.demo.evidence import events
from pa_telephony.cli.demo.probe import Caller, Probe
from pa_telephony.cli.demo.setting import CALL_MANAGER, PHONE_ADDRESS, Stage

TIMING = {"hold": 0.3, "grace": 0.2, "flap_window": 0.0}
PATIENCE = 20.0
AFTERWARDS = 0.3


async def served(stage: Stage, by: str, *numbers: str) -> None:
    """Wait until ``by`` has these of PA1's numbers, by default all."""
    cluster = failover.load(stage.cluster_file)
    with trio.fail_after(PATIENCE):
        while True:
            pages = {page.name: page for page in await failover.read_status(cluster)}
            wanted = [
                each
                for each in pages["PA1"].resources
                if not numbers or each.identity.number in numbers
            ]
            if wanted and all(each.up and each.holder == by for each in wanted):
                return
            await trio.sleep(0.02)


async def one_return(stage: Stage, stays: sccp.Station, calls: sccp.Station) -> list[Caller]:
    """PA1 comes back and is killed; gives everybody who called meanwhile."""
    probe = Probe(calls, talks=0.01, pauses=0.01)
    async with stage.server("PA1") as home:
        async with probe.calling():
            async with stays.call("6000") as held:
                await held.wait_media()
                (idle,) = {"6001", "6002"} - {held.connected_to}
                await home.wait_ready()
                await served(stage, "PA1", idle)
                await trio.sleep(AFTERWARDS)
            await served(stage, "PA1")
            await trio.sleep(AFTERWARDS)
        await home.end(kill=True)
    probe.ask_servers(events(stage.processes))
    return probe.callers


async def main(returns: int, directory: Path) -> bool:
    stage = Stage(directory, TIMING)
    callers: list[Caller] = []
    async with AsyncExitStack() as stack:
        manager = await stack.enter_async_context(stage.call_manager())
        spare = await stack.enter_async_context(stage.server("PA2"))
        for process in (manager, spare):
            await process.wait_ready()
        engine = await stack.enter_async_context(
            rtp.open_engine(address=PHONE_ADDRESS, first_port=40000)
        )
        stations = [
            await stack.enter_async_context(
                sccp.open_station(name, CALL_MANAGER, engine=engine, local_address=PHONE_ADDRESS)
            )
            for name in ("SEP000000001001", "SEP000000001005")
        ]
        for number in range(1, returns + 1):
            await served(stage, "PA2")
            met = await one_return(stage, *stations)
            callers += met
            for caller in met:
                if not caller.answered:
                    print(f"return {number}: {caller}", flush=True)
    waited = [caller.seconds * 1000 for caller in callers if caller.answered]
    turned_away = len(callers) - len(waited)
    print(f"{returns} returns, {len(callers)} calls, {turned_away} turned away")
    if waited:
        print(f"to sound: median {statistics.median(waited):.0f} ms, slowest {max(waited):.0f} ms")
    return not turned_away


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("returns", nargs="?", type=int, default=20, help="how many")
    parser.add_argument("directory", nargs="?", type=Path, help="where what happens is kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(not trio.run(main, asked.returns, asked.directory or Path(temporary)))
