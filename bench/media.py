"""What a G.711 call costs the media engine, beside plainer ways to move the same packets.

python bench/media.py [CALLS ...]

A generator on one core sends a packet to each of N ports every 20 ms; what is tested has the
other core. Every way moves 50 packets a second each way and call:

* sockets: one loop over non-blocking sockets that sends back what comes: no sound, the floor;
* engine: ours, which checks headers, decodes into a jitter buffer, plays a sound, encodes, stamps;
* engine+101: the same with telephone events negotiated, as calls of real phones are;
* task/port: a trio task for each port that receives and sends back: what is usually written first.

CPU time of the tested process is counted, so that a busy machine does not matter much; lateness is
that of the engine's ticks and does suffer there. Ratios are to the floor of the same run.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import trio

from pa_telephony import rtp
from pa_telephony.rtp import Codec, EngineConfig, Packet

ADDRESS, FIRST, PEERS = "127.0.0.1", 32000, 45000
WARM_UP, SECONDS, REPEATS = 1.0, 4.0, 3
TICK = 0.02


@dataclass(frozen=True)
class Result:
    """CPU microseconds for one packet in and one out; how many of the offered; late ticks."""

    cost: float
    moved: float
    late: float


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def generate(calls: int, seconds: float) -> None:
    """The other side: sends to every port each 20 ms and drops what comes back."""
    pin(0)
    sockets = []
    for index in range(calls):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind((ADDRESS, PEERS + 2 * index))
        udp.connect((ADDRESS, FIRST + 2 * index))
        sockets.append(udp)
    payload = bytes(160)
    number = 0
    due = time.monotonic()
    end = due + seconds
    while due < end:
        for index, udp in enumerate(sockets):
            packet = Packet(
                payload_type=Codec.PCMU,
                sequence_number=number & 0xFFFF,
                timestamp=number * 160,
                ssrc=index + 1,
                payload=payload,
            )
            try:
                udp.send(bytes(packet))
            except OSError:
                continue
        for udp in sockets:
            try:
                while udp.recv(2048):
                    pass
            except OSError:
                continue
        number += 1
        due += TICK
        time.sleep(max(0.0, due - time.monotonic()))


def sockets_loop(calls: int, seconds: float) -> tuple[float, int, float]:
    poll = select.epoll()
    by_number = {}
    for index in range(calls):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.bind((ADDRESS, FIRST + 2 * index))
        udp.connect((ADDRESS, PEERS + 2 * index))
        poll.register(udp.fileno(), select.EPOLLIN)
        by_number[udp.fileno()] = udp
    buffer = bytearray(2048)

    def run(until: float) -> int:
        moved = 0
        due = time.monotonic()
        while due < until:
            for descriptor, _ in poll.poll(0, calls):
                udp = by_number[descriptor]
                try:
                    length = udp.recv_into(buffer)
                    udp.send(memoryview(buffer)[:length])
                    moved += 1
                except OSError:
                    continue
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))
        return moved

    run(time.monotonic() + WARM_UP)
    begun = time.process_time()
    moved = run(time.monotonic() + seconds)
    return time.process_time() - begun, moved, 0.0


class Loop:
    """A sound that never ends."""

    def __init__(self) -> None:
        self._sound = rtp.tones.sine(440.0, 1.0).at_rate(8000).samples
        self._at = 0

    def read(self, count: int) -> rtp.g711.Samples:
        if self._at + count > len(self._sound):
            self._at = 0
        self._at += count
        return self._sound[self._at - count : self._at]


def engine(calls: int, seconds: float, events: int | None = None) -> tuple[float, int, float]:
    async def main() -> tuple[float, int, float]:
        config = EngineConfig(max_ports=calls)
        async with rtp.open_engine(address=ADDRESS, first_port=FIRST, config=config) as tested:
            ports = [tested.open_port(index) for index in range(calls)]
            for index, port in enumerate(ports):
                port.start_receiving(dtmf_payload_type=events)
                port.start_sending((ADDRESS, PEERS + 2 * index), dtmf_payload_type=events)
                port.source = Loop()
            await trio.sleep(WARM_UP)
            before = (tested.statistics.ticks, tested.statistics.late_ticks)
            received = sum(port.stats.received for port in ports)
            begun = time.process_time()
            await trio.sleep(seconds)
            spent = time.process_time() - begun
            ticks = tested.statistics.ticks - before[0]
            moved = sum(port.stats.received for port in ports) - received
            return spent, moved, (tested.statistics.late_ticks - before[1]) / ticks

    return trio.run(main)


def task_a_port(calls: int, seconds: float) -> tuple[float, int, float]:
    moved = 0

    async def echo(udp: trio.socket.SocketType) -> None:
        nonlocal moved
        while True:
            data, origin = await udp.recvfrom(2048)
            await udp.sendto(data, origin)
            moved += 1

    async def main() -> tuple[float, int, float]:
        async with trio.open_nursery() as nursery:
            for index in range(calls):
                udp = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                await udp.bind((ADDRESS, FIRST + 2 * index))
                nursery.start_soon(echo, udp)
            await trio.sleep(WARM_UP)
            before = moved
            begun = time.process_time()
            await trio.sleep(seconds)
            spent = time.process_time() - begun
            nursery.cancel_scope.cancel()
            return spent, moved - before, 0.0

    return trio.run(main)


WAYS: dict[str, Callable[[int, float], tuple[float, int, float]]] = {
    "sockets": sockets_loop,
    "engine": engine,
    "engine+101": lambda calls, seconds: engine(calls, seconds, 101),
    "task/port": task_a_port,
}


def measure(way: str, calls: int) -> Result:
    """One run in a process of its own."""
    me = [sys.executable, __file__]
    tested = subprocess.Popen([*me, "test", way, str(calls)], stdout=subprocess.PIPE, text=True)
    time.sleep(0.6)
    subprocess.run([*me, "generate", str(calls), str(WARM_UP + SECONDS + 1.0)], check=True)
    spent, moved, late = map(float, tested.communicate()[0].split())
    return Result(spent / moved * 1e6, moved / (calls * SECONDS / TICK), late)


def main(loads: list[int]) -> None:
    print(f"median of {REPEATS} runs of {SECONDS:.0f} s; µs of CPU for a packet in and one out")
    print(f"{'calls':>6} {'way':12}{'µs':>8}{'x floor':>9}{'moved':>8}{'late ticks':>12}")
    for calls in loads:
        runs = {way: [measure(way, calls) for _ in range(REPEATS)] for way in WAYS}
        floor = statistics.median(run.cost for run in runs["sockets"])
        for way, results in runs.items():
            cost = statistics.median(run.cost for run in results)
            moved = statistics.median(run.moved for run in results)
            late = statistics.median(run.late for run in results)
            print(
                f"{calls:>6} {way:12}{cost:>8.2f}{cost / floor:>9.2f}{moved:>8.1%}{late:>12.1%}",
                flush=True,
            )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["generate", calls, seconds]:
            generate(int(calls), float(seconds))
        case ["test", way, calls]:
            pin(1)
            np.seterr(all="raise")
            print(*WAYS[way](int(calls), SECONDS))
        case _:
            parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
            parser.add_argument("calls", nargs="*", type=int, default=[36, 200, 500])
            main(parser.parse_args().calls)
