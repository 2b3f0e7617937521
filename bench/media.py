"""How many G.711 calls one core carries, how late their packets are, and what a packet costs.

python bench/media.py [--calls N ...] [--repeats N] [--ramp]

A meter in C (bench/media.c, built here when a compiler is there) sends a packet to each port every
20 ms from one core and notes by the kernel's receive timestamps when ours come; what is tested has
another core:

* limit: the engine's work as a plain loop in C, cut into phases of 250 calls, as the engine's about
  are; it may have 16 of them, and the engine 8;
* engine: ours, which checks headers, keeps a jitter buffer, plays a sound, stamps. What nobody
  listens to is not decoded, and a sound that lies ready is encoded once; the limit does both for
  each packet;
* one by one: the same with a system call for each packet, as where the kernel has no io_uring;
* engine+101: the same with telephone events negotiated, as calls of real phones are;
* prompts: ours where each call begins another sound once a second;
* echo: ours where each port sends back what it hears, so that all is decoded, and encoded anew;
* task/port: a trio task for each port that receives and sends back: what is usually written first.

How late a packet is, is counted in two ways. By stream: against the earliest packet of its own
stream. Within the tick: against the moment at which the work of its phase was due, which is what
the last of many calls suffers. ``--ramp`` looks for the highest number of calls at which less than
0.1 % of the packets are missing and less than 0.1 % are more than 5 ms late, in one of five runs.

Runs of different ways take turns, and ratios are of medians. Both processes ask for real-time
priority; where that is not permitted, the heading says so, and a busy machine shows in lateness.
With it, ``--ramp`` does not count what was due while the machine itself stood still (the host of a
virtual machine had the core: see media.c), or within 100 ms after that, for either side.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trio

from pa_telephony import rtp
from pa_telephony.rtp import Audio, EngineConfig, Port
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.mixer import Loop

ADDRESS, FIRST, PEERS = "127.0.0.1", 20000, 42000
WARM_UP, SECONDS = 3.0, 3.0
TICK = 0.02
METER, TESTED = (sorted(os.sched_getaffinity(0)) * 2)[:2]
"""The cores of the two sides."""
PACKET_PAIRS = 250
"""About as many calls as the engine puts into one phase; so many the limit has in each."""
MOST_PHASES = 16
"""Of the limit, which more than 2,000 calls need."""
ENOUGH, LATE = 0.999, 0.001
TRIES = 5
"""Runs in which a number of calls may show that it is carried: a machine that is held up makes runs
worse and never better."""


@dataclass(frozen=True)
class Run:
    """Microseconds of CPU for a packet in and one out; shares; milliseconds."""

    cost: float
    arrived: float
    late: float
    late_in_tick: float
    median: float
    high: float
    median_in_tick: float
    high_in_tick: float


@dataclass(frozen=True)
class Bench:
    """The meter, and a folder for what the processes tell each other."""

    program: Path
    folder: Path

    def run(self, way: str, calls: int, *, watched: bool = False) -> Run:
        """Run one way with so many calls, in a process of its own.

        ``watched`` says that it is not counted when the machine stands still. A part of the work
        for packets is put down to who watches then: the cost is too low.
        """
        plan = self.folder / "plan"
        plan.unlink(missing_ok=True)
        phases = min(MOST_PHASES, -(-calls // PACKET_PAIRS))
        command = (
            [str(self.program), "limit", str(calls), str(phases), str(SECONDS), str(plan)]
            if way == "limit"
            else [sys.executable, __file__, "test", way, str(calls), str(plan)]
        )
        with alone(command, TESTED) as tested:
            while not plan.exists():
                if tested.poll() is not None:
                    sys.exit(f"{way} with {calls} calls did not start")
                time.sleep(0.05)
            core = TESTED if watched else -1
            meter = [str(self.program), "meter", str(calls), str(SECONDS), str(core), str(plan)]
            with alone(meter, METER) as other:
                seen = [float(word) for word in other.communicate()[0].split()]
            spent = float(tested.communicate()[0])
        return Run(spent / (calls * SECONDS / TICK), *seen)


def alone(command: list[str], core: int) -> subprocess.Popen[str]:
    """Start a program on a core of its own, with real-time priority where that is permitted."""

    def prepare() -> None:
        os.sched_setaffinity(0, {core})
        ask_for_priority()

    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=prepare)


def ask_for_priority() -> bool:
    """Ask for real-time priority; whether it was given."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(50))
        return True
    return False


def write_plan(path: str, due: Iterable[float]) -> None:
    """Tell the meter when each call's packets are due; ``due`` is on trio's clock."""
    offset = time.time() - trio.current_time()
    lines = ["0", *(str(int((each + offset) * 1e9)) for each in due)]
    with tempfile.NamedTemporaryFile("w", dir=Path(path).parent, delete=False) as file:
        file.write("\n".join(lines) + "\n")
    Path(file.name).rename(path)


async def cpu_time() -> float:
    """Microseconds of CPU time of :data:`SECONDS` after the warm-up."""
    await trio.sleep(WARM_UP)
    begun = time.process_time()
    await trio.sleep(SECONDS)
    spent = time.process_time() - begun
    await trio.sleep(1.0)
    return spent * 1e6


class Echo:
    """A source of what was heard 20 ms before."""

    def __init__(self) -> None:
        self._heard = np.zeros(160, np.int16)

    def hear(self, frame: Samples) -> None:
        self._heard = frame

    def read(self, count: int) -> Samples:
        return self._heard[:count]


async def engine(
    calls: int,
    plan: str,
    events: int | None = None,
    *,
    echoes: bool = False,
    prompts: bool = False,
    io_uring: bool = True,
) -> float:
    config = EngineConfig(max_ports=calls, io_uring=io_uring)
    async with rtp.open_engine(address=ADDRESS, first_port=FIRST, config=config) as tested:
        ports = [tested.open_port(index) for index in range(calls)]
        tone = rtp.tones.sine(440.0, 1.0)
        for index, port in enumerate(ports):
            port.start_receiving(dtmf_payload_type=events)
            port.start_sending((ADDRESS, PEERS + 2 * index), dtmf_payload_type=events)
            port.source = Loop(tone)
            if echoes:
                port.source = echo = Echo()
                port.listeners.append(echo.hear)
        write_plan(plan, (port.next_tick for port in ports))
        async with trio.open_nursery() as nursery:
            if prompts:
                nursery.start_soon(change_prompts, ports, tone)
            spent = await cpu_time()
            nursery.cancel_scope.cancel()
        return spent


async def change_prompts(ports: list[Port], sound: Audio) -> None:
    """Let each port begin a sound once a second, a part of them in each tick."""
    for part in itertools.cycle(range(round(1 / TICK))):
        for port in ports[part :: round(1 / TICK)]:
            port.source = Loop(sound)
        await trio.sleep(TICK)


async def path() -> str:
    """How the engine moves its packets on this system."""
    async with rtp.open_engine(address=ADDRESS, first_port=FIRST) as tested:
        why = tested.one_by_one
    return "all of a phase at once (io_uring)" if why is None else f"one by one: {why}"


async def task_a_port(calls: int, plan: str) -> float:
    async def echo(udp: trio.socket.SocketType) -> None:
        while True:
            data, origin = await udp.recvfrom(2048)
            await udp.sendto(data, origin)

    async with trio.open_nursery() as nursery:
        for index in range(calls):
            udp = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            await udp.bind((ADDRESS, FIRST + 2 * index))
            nursery.start_soon(echo, udp)
        # It has no ticks of its own: every packet is due when that of the meter came.
        write_plan(plan, [trio.current_time()] * calls)
        spent = await cpu_time()
        nursery.cancel_scope.cancel()
    return spent


WAYS: dict[str, Callable[[int, str], Awaitable[float]]] = {
    "engine": engine,
    "one by one": lambda calls, plan: engine(calls, plan, io_uring=False),
    "engine+101": lambda calls, plan: engine(calls, plan, 101),
    "prompts": lambda calls, plan: engine(calls, plan, prompts=True),
    "echo": lambda calls, plan: engine(calls, plan, echoes=True),
    "task/port": task_a_port,
}


def middle(runs: list[Run], name: str) -> float:
    return float(statistics.median(getattr(run, name) for run in runs))


def compare(bench: Bench, loads: list[int], repeats: int) -> None:
    """Print what a packet costs and how late it is, at fixed numbers of calls."""
    print("µs of CPU for a packet in and one out; ms after the earliest of the stream, and after")
    print("the moment when its phase was due")
    print(
        f"{'calls':>6} {'way':11}{'µs':>7}{'x limit':>9}{'arrived':>9}"
        f"{'p50':>8}{'p99':>7}{'in tick p50':>13}{'p99':>7}"
    )
    for calls in loads:
        runs: dict[str, list[Run]] = {way: [] for way in ("limit", *WAYS)}
        for _ in range(repeats):
            for way, found in runs.items():
                found.append(bench.run(way, calls))
        for way, found in runs.items():
            cost = middle(found, "cost")
            print(
                f"{calls:>6} {way:11}{cost:>7.2f}{cost / middle(runs['limit'], 'cost'):>9.2f}"
                f"{middle(found, 'arrived'):>9.2%}{middle(found, 'median'):>8.2f}"
                f"{middle(found, 'high'):>7.2f}{middle(found, 'median_in_tick'):>13.2f}"
                f"{middle(found, 'high_in_tick'):>7.2f}",
                flush=True,
            )


class Ramp:
    """The search for the highest number of calls of one way, by stream and within the tick."""

    def __init__(self, bench: Bench, way: str) -> None:
        self._bench = bench
        self._way = way
        self._runs: dict[int, list[Run]] = {}

    def most(self, criterion: Callable[[Run], float]) -> int:
        """The most calls with so few late packets, within 2 %."""
        low, high = 0, 800
        while high <= 10000 and self._holds(high, criterion):
            low, high = high, int(high * 1.3)
        while high - low > 0.02 * high:
            between = (low + high) // 2
            if self._holds(between, criterion):
                low = between
            else:
                high = between
        return low

    def _holds(self, calls: int, criterion: Callable[[Run], float]) -> bool:
        runs = self._runs.setdefault(calls, [])
        while not any(run.arrived >= ENOUGH and criterion(run) < LATE for run in runs):
            if len(runs) == TRIES:
                return False
            runs.append(self._bench.run(self._way, calls, watched=True))
        return True


def ramp(bench: Bench, repeats: int) -> None:
    """Print the highest numbers of calls beside those of the limit."""
    found: dict[str, list[tuple[int, int]]] = {"limit": [], "engine": []}
    print("most calls with < 0.1 % missing and < 0.1 % more than 5 ms late")
    for turn in range(repeats):
        for way, most in found.items():
            search = Ramp(bench, way)
            most.append(
                (search.most(lambda run: run.late), search.most(lambda run: run.late_in_tick))
            )
            by_stream, in_tick = most[-1]
            print(f"  run {turn + 1}: {way:8}{by_stream:>6} by stream{in_tick:>6} within the tick")
            sys.stdout.flush()
    for at, what in enumerate(("by stream", "within the tick")):
        limit, ours = (statistics.median(each[at] for each in found[way]) for way in found)
        print(f"{what:16} limit {limit:.0f}, engine {ours:.0f}: {ours / limit:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", nargs="*", type=int, default=[36, 100, 400])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ramp", action="store_true")
    options = parser.parse_args()
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        print("not measured: there is no C compiler, and the meter is written in C")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "media"
        source = Path(__file__).with_suffix(".c")
        subprocess.run(
            [compiler, "-O2", "-pthread", "-o", str(program), str(source), "-lm"], check=True
        )
        bench = Bench(program, Path(folder))
        priority = "with" if ask_for_priority() else "WITHOUT"
        print(
            f"medians of {options.repeats} runs of {SECONDS:.0f} s, {priority} real-time priority"
        )
        print(f"the engine's packets move {trio.run(path)}")
        compare(bench, options.calls, options.repeats)
        if options.ramp:
            ramp(bench, options.repeats)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["test", way, calls, plan]:
            np.seterr(all="raise")
            print(trio.run(WAYS[way], int(calls), plan))
        case _:
            main()
