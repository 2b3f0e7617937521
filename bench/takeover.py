"""How long a dead server's numbers are gone, beside a plain loop that registers the same ones.

python bench/takeover.py [--sizes 4,40,200] [--runs 5] [--stop] [--idle 10]

Real processes on loopback: a call manager, PA1, its spare PA2, the SQLite store. PA1 is killed;
time counts from the signal to the moment at which PA2 has heard from the call manager that the
last of PA1's identities is registered. The baseline, taken in the same run at the same call
manager: this process registers the same identities one after the other with the same library, in
a loop that knows nothing of failover, and then all of them at once. ``--stop`` measures the
orderly stop (SIGTERM) too, in which PA1 unregisters by itself.

``--idle N`` measures what N idle servers of four identities cost instead, in % of a core each.

Goals: at most 3 times the loop; on a quiet machine 0.1, 0.25, 1 s for 4, 40, 200 identities; an
idle server of ten at most 1 % of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

import trio

from pa_telephony import cti, failover, rtp, sccp
from pa_telephony.failover import Kind
from pa_telephony.failover.holder import PORT_CONFIG

CALL_MANAGER = "127.0.0.10"
GOALS = {4: 0.1, 40: 0.25, 200: 1.0}
RATIO = 3.0
IDLE = 1.0
SHAPES = {4: (2, 1), 40: (35, 4), 200: (180, 19)}
"""Identities → media ports and interceptors; the last one is the route point."""


def cluster_file(homes: Iterable[str], ports: int, interceptors: int, spares: Iterable[str]) -> str:
    lines: list[str] = []
    homes, spares = tuple(homes), tuple(spares)
    for index, name in enumerate((*homes, *spares)):
        lines += [
            "[[servers]]",
            f'server_name = "{name}"',
            f'hostname_or_ip_address = "127.0.0.{11 + index}"',
            "media_termination_udp_beginning_port = 20000",
            # Events only.
            'trace_package_list = ["sccp=off", "cti=off", "rtp=off"]',
        ]
        if name in homes:
            lines += [
                f'route_address = "{60 + index}000"',
                'route_address_provider = "jtapi"',
                'media_port_provider = "skinny"',
                f'media_port_beginning_address = "{60 + index}001"',
                f"number_of_media_ports = {ports}",
                'interceptor_port_provider = "jtapi"',
                f"interceptor_ports = {json.dumps(patterns(index, interceptors))}",
                f"fail_over_server_names = {json.dumps(spares)}",
            ]
    return "\n".join(
        [
            *lines,
            f'[[providers]]\ntype = "jtapi"\nname = "jtapi"\nhosts = ["{CALL_MANAGER}"]',
            'user = "pa"\npassword = "secret"',
            f'[[providers]]\ntype = "skinny"\nname = "skinny"\nhosts = ["{CALL_MANAGER}"]',
            'device_name_prefix = "VI"',
            # Each further takeover would double the time until the return.
            "[timing]\nflap_window = 0.0",
            "",
        ]
    )


def patterns(index: int, count: int) -> list[str]:
    return [f"5{index}{number:02d}X" for number in range(count)]


def call_manager_file(homes: int, ports: int, interceptors: int) -> str:
    device = '[[device]]\nname = "{}"\nkind = "{}"\nlines = [{{ number = "{}"{} }}]'
    lines = ['[[user]]\nname = "pa"\npassword = "secret"']
    port = 0
    for index in range(homes):
        lines.append(device.format(f"RP{index}", "route point", f"{60 + index}000", ""))
        for number, pattern in enumerate(patterns(index, interceptors)):
            lines.append(device.format(f"IC{index}-{number}", "route point", pattern, ""))
        for number in range(ports):
            port += 1
            name = f"VI{port}"
            lines.append(
                device.format(name, "media port", int(f"{60 + index}001") + number, ", max_calls=1")
            )
    return "\n".join([*lines, ""])


class Process:
    """A process of ours; its output is its events."""

    def __init__(self, process: trio.Process, trace: Path) -> None:
        self.process = process
        self.trace = trace

    async def wait_ready(self) -> None:
        assert self.process.stdout is not None
        if not await self.process.stdout.receive_some():
            raise RuntimeError("a process did not start")

    async def end(self, how: signal.Signals) -> float:
        self.process.send_signal(how)
        sent = time.time()
        await self.process.wait()
        return sent

    def events(self) -> list[tuple[float, str, str]]:
        """Time, kind and identity of what it has said so far."""
        if not self.trace.exists():
            return []
        whole = self.trace.read_bytes().rpartition(b"\n")[0]
        records = [json.loads(line) for line in whole.splitlines()]
        return [
            (each["time"], each["kind"], str(each.get("identity", "")))
            for each in records
            if "kind" in each
        ]


class House:
    """A directory with the configuration, and the processes that run in it."""

    def __init__(self, directory: Path, cluster: str, call_manager: str) -> None:
        self.directory = directory
        self.cluster_file = directory / "cluster.toml"
        self.cluster_file.write_text(cluster)
        self.cluster_file.chmod(0o600)
        (directory / "callmanager.toml").write_text(call_manager)
        (directory / "callmanager.toml").chmod(0o600)
        self._lives = 0

    @contextlib.asynccontextmanager
    async def process(self, *arguments: str) -> AsyncGenerator[Process]:
        self._lives += 1
        with (self.directory / f"{self._lives}.err").open("wb") as errors:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-m", "pa_telephony", *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.directory,
            )
        try:
            yield Process(process, self.directory / f"{self._lives}.jsonl")
        finally:
            with trio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.wait()
                if process.stdout is not None:
                    await process.stdout.aclose()

    def call_manager(self) -> contextlib.AbstractAsyncContextManager[Process]:
        return self.process("callmanager", "--config", "callmanager.toml", "--host", CALL_MANAGER)

    def server(
        self, name: str, *, traced: bool = True
    ) -> contextlib.AbstractAsyncContextManager[Process]:
        arguments = ["server", "--cluster", "cluster.toml", "--name", name]
        trace = ["--trace", f"{self._lives + 1}.jsonl"] if traced else []
        return self.process(*arguments, *trace)


async def registered(process: Process, count: int) -> float:
    """When ``process`` had ``count`` identities registered."""
    while True:
        times = {what: when for when, kind, what in process.events() if kind.endswith("registered")}
        if len(times) == count:
            return max(times.values())
        await trio.sleep(0.05)


async def plain_loop(cluster: failover.Cluster, *, at_once: bool) -> float:
    """Seconds to register everything of PA1 without any failover."""
    identities = cluster.identities("PA1")
    jtapi, skinny = cluster.provider("jtapi"), cluster.provider("skinny")
    assert isinstance(jtapi, failover.JtapiProvider)
    async with (
        rtp.open_engine(
            address="127.0.0.9", first_port=20000, config=rtp.EngineConfig(max_ports=256)
        ) as engine,
        cti.open_provider(jtapi.hosts, user=jtapi.user, password=jtapi.password) as provider,
        trio.open_nursery() as nursery,
        contextlib.AsyncExitStack() as stack,
    ):
        await provider.wait_in_service()

        def opened(identity: failover.Identity) -> contextlib.AbstractAsyncContextManager[object]:
            if identity.kind is not Kind.PORT:
                return provider.open_route_point(identity.number, device=identity.device or None)
            return sccp.open_media_port(
                identity.device,
                skinny.hosts,
                engine=engine,
                port_index=identity.index,
                config=PORT_CONFIG,
                local_address="127.0.0.9",
            )

        async def hold(identity: failover.Identity, up: trio.MemorySendChannel[None]) -> None:
            async with opened(identity):
                await up.send(None)
                await trio.sleep_forever()

        begun = time.perf_counter()
        if at_once:
            send, receive = trio.open_memory_channel[None](0)
            for identity in identities:
                nursery.start_soon(hold, identity, send)
            for _ in identities:
                await receive.receive()
        else:
            for identity in identities:
                await stack.enter_async_context(opened(identity))
        took = time.perf_counter() - begun
        nursery.cancel_scope.cancel()
    return took


async def takeovers(size: int, runs: int, hows: Iterable[signal.Signals]) -> bool:
    """Measure one size, print it, and say whether the goals are met."""
    ports, interceptors = SHAPES[size]
    with tempfile.TemporaryDirectory() as directory:
        house = House(
            Path(directory),
            cluster_file(["PA1"], ports, interceptors, ["PA2"]),
            call_manager_file(1, ports, interceptors),
        )
        cluster = failover.load(house.cluster_file)
        took: dict[str, list[float]] = {}
        async with house.call_manager() as manager:
            await manager.wait_ready()
            for _ in range(runs):
                for name, at_once in (("loop, one by one", False), ("loop, all at once", True)):
                    took.setdefault(name, []).append(await plain_loop(cluster, at_once=at_once))
            for how in hows:
                took[how.name] = await _ended(house, size, runs, how)
    print(f"{size} identities: milliseconds, median (fastest, slowest) of {runs}")
    for name, times in took.items():
        print(
            f"  {name:20}{_ms(statistics.median(times)):>8} ({_ms(min(times))}, {_ms(max(times))})"
        )
    killed = statistics.median(took["SIGKILL"])
    ratio = killed / statistics.median(took["loop, one by one"])
    print(f"  SIGKILL beside the loop: {ratio:.2f} (goal {RATIO:g}); goal {GOALS[size]:g} s")
    return ratio <= RATIO and killed <= GOALS[size]


async def _ended(house: House, size: int, runs: int, how: signal.Signals) -> list[float]:
    times: list[float] = []
    grace = failover.load(house.cluster_file).timing.grace
    for _ in range(runs):
        async with house.server("PA2") as spare, house.server("PA1") as home:
            for process in (spare, home):
                await process.wait_ready()
            await registered(home, size)
            # A server takes nothing from others in its first seconds.
            await trio.sleep(grace + 0.5)
            ended = await home.end(how)
            times.append(await registered(spare, size) - ended)
        await trio.sleep(1.0)
    return times


async def idle(count: int, seconds: float = 20.0) -> bool:
    """What ``count`` idle servers cost, the last of which is a spare."""
    names = [f"PA{number}" for number in range(1, count)]
    with tempfile.TemporaryDirectory() as directory:
        house = House(
            Path(directory),
            cluster_file(names, 2, 1, ["SP1"]),
            call_manager_file(count - 1, 2, 1),
        )
        async with contextlib.AsyncExitStack() as stack:
            manager = await stack.enter_async_context(house.call_manager())
            await manager.wait_ready()
            servers = [
                await stack.enter_async_context(house.server(name, traced=False))
                for name in (*names, "SP1")
            ]
            for server in servers:
                await server.wait_ready()
            cluster = failover.load(house.cluster_file)
            while not all(  # noqa: ASYNC110 - many parties, none of which tells us
                each.up and each.holder == page.name
                for page in await failover.read_status(cluster)
                for each in page.resources
            ):
                await trio.sleep(1.0)
            await trio.sleep(5.0)
            before, begun = [_cpu(each) for each in servers], time.monotonic()
            await trio.sleep(seconds)
            passed = time.monotonic() - begun
            shares = [
                (_cpu(each) - old) / passed * 100 for each, old in zip(servers, before, strict=True)
            ]
    print(f"{count} idle servers for {passed:.0f} s: % of a core each (goal {IDLE:g})")
    print(
        "  "
        + " ".join(f"{share:.2f}" for share in shares)
        + f"  median {statistics.median(shares):.2f}"
    )
    return statistics.median(shares) <= IDLE


def _cpu(process: Process) -> float:
    """Seconds of processor time that it has used."""
    text = Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(text[11]) + int(text[12])) / os.sysconf("SC_CLK_TCK")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


async def main(options: argparse.Namespace) -> bool:
    if options.idle:
        return await idle(options.idle)
    hows = [signal.SIGKILL, *([signal.SIGTERM] if options.stop else [])]
    return all([await takeovers(size, options.runs, hows) for size in options.sizes])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--sizes", type=lambda text: [int(each) for each in text.split(",")], default=[4, 40, 200]
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--idle", type=int, default=0)
    sys.exit(0 if trio.run(main, parser.parse_args()) else 1)
