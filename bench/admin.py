"""What the administration's pages cost: beside a bare page, with streams open, and unwatched.

python bench/admin.py [--seconds N]

50 servers with 40 identities each, in a store in a file. A process of its own serves the pages, and
on a second port a bare Starlette page of the same size; four connections ask one after the other.
Ratios are of this run. Counted besides: how often the store is read and written a second and what
CPU that takes, in percent of one core, while nobody looks and while 200 follow the Control Center.
The servers' heartbeats come in one transaction each half second, written by the same process: what
that takes is in all rows.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import trio
from hypercorn import trio as hypercorn_trio
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pa_telephony import failover
from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.records import ADMINISTRATOR
from pa_telephony.admin.serving import open_administration, open_pages
from pa_telephony.cli.running import keep_for_good
from pa_telephony.failover.beat import PROTOCOL, Beat
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.stored import offered
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import Bearer, session

SERVERS, PORTS, FOLLOWERS, CONNECTIONS = 50, 38, 200, 4
PAGES = ("control-center", "server-status?server=PA1", "cluster", "server-configuration?server=PA1")
COUNTED = 10.0
FOLLOWED = "control-center/events"
TICKS = os.sysconf("SC_CLK_TCK")


def configuration() -> failover.Cluster:
    """A route point, an interceptor and 38 ports for each server; the next one stands in."""
    servers = tuple(
        failover.ServerConfig(
            server_name=f"PA{at + 1}",
            hostname_or_ip_address=f"127.0.1.{at + 1}",
            route_address=str(60000 + 100 * at),
            media_port_provider="skinny",
            media_port_beginning_address=str(60001 + 100 * at),
            number_of_media_ports=PORTS,
            interceptor_port_provider="jtapi",
            interceptor_ports=(f"7{at:02}XX",),
            fail_over_server_names=(f"PA{(at + 1) % SERVERS + 1}",),
        )
        for at in range(SERVERS)
    )
    providers = (
        failover.JtapiProvider("jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
        failover.SkinnyProvider("skinny", hosts=("127.0.0.10",), device_name_prefix="VI"),
    )
    return failover.Cluster(servers=servers, providers=providers, store="state/cluster.db")


class Counted:
    """A store that counts how often it is read and written."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.reads = self.writes = 0

    async def snapshot(self) -> Any:
        self.reads += 1
        return await self._store.snapshot()

    async def transact(self, transaction: Transaction) -> Any:
        self.writes += 1
        return await self._store.transact(transaction)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def beats(cluster: failover.Cluster, followed: str) -> Transaction:
    """A heartbeat of every server, which serves its own by the configuration with that hash."""
    links = frozenset(cluster.used_providers)
    return Transaction(
        (),
        tuple(
            Put(
                session(name),
                Beat(
                    name,
                    links,
                    links,
                    up=up,
                    at=boot_clock(),
                    configuration=followed,
                    protocol=PROTOCOL,
                ).encode(),
            )
            for name in (each.server_name for each in cluster.servers)
            for up in (frozenset(each.label for each in cluster.identities(name)),)
        ),
    )


async def fill(cluster: failover.Cluster, store: Any) -> None:
    """Every server has a session, and holds its own."""
    await store.transact(beats(cluster, offered(cluster).hash))
    entries = (await store.snapshot()).entries
    for server in cluster.servers:
        name = server.server_name
        bearer = str(Bearer(name, entries[session(name)].created))
        own = cluster.identities(name)
        await store.transact(Transaction((), tuple(Put(each.key, bearer) for each in own)))


async def live(cluster: failover.Cluster, store: Any) -> None:
    """Heartbeats of all servers, as often as they come; those of one moment in one transaction."""
    followed = offered(cluster).hash
    while True:
        await store.transact(beats(cluster, followed))
        await trio.sleep(cluster.timing.heartbeat)


async def serve(folder: Path) -> None:
    """Serve pages and a bare page; tells the ports and a token, then counts for each line read."""
    cluster = dataclasses.replace(configuration(), file=str(folder / "cluster.toml"))
    size = 0

    async def bare(_: Request) -> Response:
        return HTMLResponse("x" * size)

    async with open_administration(cluster) as (all_pages, _), trio.open_nursery() as nursery:
        store = Counted(all_pages.managed.store)
        await fill(cluster, all_pages.managed.store)
        nursery.start_soon(live, cluster, all_pages.managed.store)
        all_pages.managed.store = store
        config = Config()
        config.keep_alive_max_requests = 1_000_000  # else it closes after 1,000 pages
        config.bind, config.accesslog, config.errorlog = ["127.0.0.1:0"], None, None
        app: Any = Starlette(routes=[Route("/", bare)])
        binds = await nursery.start(hypercorn_trio.serve, app, config)
        async with open_pages(all_pages, "127.0.0.1", 0) as port:
            token = all_pages.records.begin(ADMINISTRATOR).token
            await all_pages.alarms.look()
            keep_for_good()
            print(port, str(binds[0]).rpartition(":")[2], token, flush=True)
            lines = trio.wrap_file(sys.stdin)
            async for line in lines:
                word, _, value = line.strip().partition(" ")
                if word == "size":
                    size = int(value)
                print(store.reads, store.writes, flush=True)
        nursery.cancel_scope.cancel()


async def some(stream: trio.SocketStream) -> bytes:
    """What comes next; ends the program at the end of the stream."""
    data = await stream.receive_some(1 << 16)
    return bytes(data) or sys.exit("the connection was closed")


async def read_page(stream: trio.SocketStream, request: bytes, rest: bytearray) -> int:
    """Send a request and read its answer; gives the size of the body."""
    await stream.send_all(request)
    while b"\r\n\r\n" not in rest:
        rest += await some(stream)
    head, _, body = bytes(rest).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(head.decode())
    lengths = [each for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2])
    have = len(body)
    while have < length:
        have += len(await some(stream))
    rest.clear()
    return length


async def pages(port: int, path: str, token: str, seconds: float) -> tuple[float, float, int]:
    """Pages a second, the 99th percentile in milliseconds, and the size."""
    cookie = f"Cookie: {COOKIE}={token}"
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n\r\n".encode()
    times: list[float] = []
    size = 0

    async def ask() -> None:
        nonlocal size
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            end, rest = time.perf_counter() + seconds, bytearray()
            while (begun := time.perf_counter()) < end:
                size = await read_page(stream, request, rest)
                times.append(time.perf_counter() - begun)

    async with trio.open_nursery() as nursery:
        for _ in range(CONNECTIONS):
            nursery.start_soon(ask)
    worst = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
    return len(times) / seconds, 1000 * worst, size


async def follow(port: int, token: str, *, task_status: trio.TaskStatus[None]) -> None:
    """Follow the Control Center; started with the first event."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        path = f"/PAsystemadmin/{FOLLOWED}"
        cookie = f"Cookie: {COOKIE}={token}"
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n\r\n".encode()
        )
        heard = b""
        while b"event: update" not in heard:
            heard += await some(stream)
        task_status.started()
        async for _ in stream:
            pass


async def measure(process: subprocess.Popen[str], seconds: float) -> None:
    """Ask, count and print."""
    assert process.stdin is not None
    assert process.stdout is not None
    port, bare, token = process.stdout.readline().split()

    def said(line: str) -> list[int]:
        assert process.stdin is not None
        assert process.stdout is not None
        print(line, file=process.stdin, flush=True)
        return [int(each) for each in process.stdout.readline().split()]

    def cpu() -> int:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    async def cost(what: str) -> None:
        before, used = said("count"), cpu()
        await trio.sleep(COUNTED)
        after = said("count")
        reads, writes = ((after[each] - before[each]) / COUNTED for each in (0, 1))
        percent = (cpu() - used) * 100 / TICKS / COUNTED
        print(f"{what:34}{percent:>8.1f}{reads:>9.1f}{writes:>9.1f}", flush=True)

    async def table(what: str) -> None:
        columns = f"{'KiB':>8}{'pages/s':>9}{'p99 ms':>9}{'bare/s':>9}{'p99 ms':>9}{'ratio':>8}"
        print(f"\n{what:34}{columns}")
        for page in PAGES:
            rate, worst, size = await pages(int(port), f"/PAsystemadmin/{page}", token, seconds)
            said(f"size {size}")
            other, best, _ = await pages(int(bare), "/", token, seconds)
            row = f"{page:34}{size / 1024:>8.0f}{rate:>9.1f}{worst:>9.0f}{other:>9.0f}{best:>9.0f}"
            print(f"{row}{rate / other:>8.3f}", flush=True)

    print(f"{SERVERS} servers, {SERVERS * (PORTS + 2)} identities; {CONNECTIONS} connections")
    print(f"{'':34}{'CPU %':>8}{'reads/s':>9}{'writes/s':>9}")
    await cost("nobody looks")
    await table("nobody follows")
    async with trio.open_nursery() as nursery:
        for _ in range(FOLLOWERS):
            await nursery.start(follow, int(port), token)
        print(f"\n{'':34}{'CPU %':>8}{'reads/s':>9}{'writes/s':>9}")
        await cost(f"{FOLLOWERS} follow")
        await table(f"{FOLLOWERS} follow")
        nursery.cancel_scope.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        trio.run(serve, options.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, __file__, "--serve", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process, contextlib.closing(process.stdin) as _:  # type: ignore[type-var]
            try:
                trio.run(measure, process, options.seconds)
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
