"""How long 6000 is gone when its server dies: real processes, ten times killed, ten times stopped.

python bench/takeover.py [RUNS]

Each run starts a cluster of its own (call manager, PA1, PA2 as separate processes, SQLite store)
and ends PA1. Time is counted from the signal to the moment at which the call manager has confirmed
the last of PA1's four identities to PA2. The baseline is the orderly stop (SIGTERM), in which PA1
unregisters by itself; a kill has to be noticed first. The goal is a median of 0.5 s.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import trio

from pa_telephony import failover
from pa_telephony.cli.demo.evidence import events
from pa_telephony.cli.demo.setting import Stage

IDENTITIES = {"6000", "6001", "6002", "5XXX"}
GOAL = 0.5
PATIENCE = 15.0


async def served(stage: Stage, by: str) -> None:
    cluster = failover.load(stage.cluster_file)
    while True:
        pages = {page.name: page for page in await failover.read_status(cluster)}
        resources = pages["PA1"].resources
        if resources and all(each.up and each.holder == by for each in resources):
            return
        await trio.sleep(0.02)


async def takeover(*, kill: bool) -> dict[str, float]:
    """Seconds from the signal to each step of the takeover."""
    with tempfile.TemporaryDirectory() as directory, trio.fail_after(PATIENCE):
        stage = Stage(Path(directory))
        async with (
            stage.call_manager() as manager,
            stage.server("PA2") as spare,
            stage.server("PA1") as home,
        ):
            for process in (manager, spare, home):
                await process.wait_ready()
            await served(stage, "PA1")
            # A server takes nothing from others in its first seconds.
            await trio.sleep(failover.load(stage.cluster_file).timing.grace + 0.5)
            fell = await home.end(kill=kill)
            await served(stage, "PA2")
            said = [event for event in events([spare]) if event.time >= fell]
    registered = {each.identity: each.time for each in said if each.kind == "registered"}
    taken = next(each.time for each in said if each.kind == "take_home")
    assert registered.keys() == IDENTITIES
    return {
        "taken over in the store": taken - fell,
        "first identity registered": min(registered.values()) - fell,
        "all four registered": max(registered.values()) - fell,
    }


async def main(runs: int) -> bool:
    found: dict[str, dict[str, list[float]]] = {}
    for kill, how in ((False, "stopped"), (True, "killed")):
        for _ in range(runs):
            for step, seconds in (await takeover(kill=kill)).items():
                found.setdefault(step, {}).setdefault(how, []).append(seconds)
    print(f"{runs} runs each, milliseconds after the signal: median (fastest, slowest)")
    print(f"{'':28}{'stopped, SIGTERM':>24}{'killed, SIGKILL':>24}{'ratio':>8}")
    for step, by_how in found.items():
        cells = [
            f"{_ms(statistics.median(times))} ({_ms(min(times))}, {_ms(max(times))})"
            for times in by_how.values()
        ]
        stopped, killed = (statistics.median(times) for times in by_how.values())
        print(f"{step:28}{cells[0]:>24}{cells[1]:>24}{killed / stopped:>8.2f}")
    median = statistics.median(found["all four registered"]["killed"])
    print(f"goal: all four within {GOAL} s of SIGKILL; median {median:.3f} s")
    return median <= GOAL


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(0 if trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 10) else 1)
