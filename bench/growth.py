"""How a cluster on an etcd grows: what the store is asked, what a server costs, how soon it heals.

python bench/growth.py [--processes 3x1,10x10] [--cores 10x10x100] [--seconds N] [--small]

``10x4`` is ten servers, four of which have a home of 40 numbers, ``10x4x100`` of 100. *Processes*
are real servers at a call manager of this machine. *Cores* are a member with its store each, at a
call manager that answers at once, many to a process: what is left of a server when sound and
signalling are taken away. Three members of an etcd run beside them, on the same machine, and every
server has a state directory of its own, as if it stood on a machine of its own.

While nothing happens: requests and bytes a second, CPU, and the age that each heartbeat has when
the next one arrives at an onlooker. Then some servers are killed, one after the other, and the
session of each is ended as its agent would: the time until its stand-in owns all numbers, as the
store says. The floor is a bare compare-and-swap at the same etcd at the same time.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio
from growing.cores import run_cores
from growing.etcd import Etcd, find_etcd
from growing.shape import CALL_MANAGER, Size, call_manager_file, cluster_file

from pa_telephony import failover
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import world as keys
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.stores.etcd import EtcdStore, open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Snapshot,
    Transaction,
)
from pa_telephony.failover.world import World

ROOT = Path(__file__).parents[1]
IN_A_PROCESS = 25
"""Cores in one process, at most."""
BEGINS = 1.0
"""Seconds that this machine needs to start a server: all at once keep each other from it."""
PATIENCE = 60.0
TAKEN = 20.0
LATE = 1.0
FULL = 0.9
TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count() or 1
FLOOR = 200


# ---------------------------------------------------------------------------------- a cluster


class Servers:
    """The processes of one size; ``where`` says which of them has which server."""

    def __init__(self, folder: Path, size: Size, *, profile: bool) -> None:
        self.folder = folder
        self.size = size
        self.profile = profile
        self.manager: subprocess.Popen[bytes] | None = None
        self.where: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        names, module = self.size.names, [sys.executable, "-m", "pa_telephony"]
        if self.size.real:
            command = [*module, "callmanager", "--config", "manager.toml", "--host", CALL_MANAGER]
            self.manager = self.started(command, self.folder)
            time.sleep(1.5)
            if self.manager.poll() is not None:
                sys.exit((self.folder / "log").read_text())
            for name in names:
                command = [*module, "server", "--cluster", "cluster.toml", "--name", name]
                self.where[name] = self.started(command, self.folder / name)
                time.sleep(BEGINS)
            return
        groups = [names[:1], names[1:]] if self.profile else [names]
        for group in groups:
            count = -(-len(group) // IN_A_PROCESS)
            for at in range(count):
                some, profile = group[at::count], self.profile and group == names[:1]
                command = [sys.executable, __file__, "--run", str(self.folder), *some]
                process = self.started([*command, *(["--profile"] if profile else [])], self.folder)
                self.where |= dict.fromkeys(some, process)

    def started(self, command: list[str], state: Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PA_TELEPHONY_STATE": str(state)}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
            )

    def kill(self, name: str) -> None:
        process = self.where.pop(name)
        if self.size.real:
            process.kill()
            process.wait()
        else:
            assert process.stdin is not None
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        return list(dict.fromkeys(self.where.values()))

    def close(self) -> None:
        everything = [*self.processes, *([self.manager] if self.manager is not None else [])]
        for process in everything:
            assert process.stdin is not None
            process.stdin.close()
            if self.size.real or not self.profile:
                process.kill()
        for process in everything:
            process.wait()


@contextlib.contextmanager
def running(folder: Path, size: Size, store: str, *, profile: bool) -> Generator[Servers]:
    """The servers of one size, until the block is left."""
    files = {"cluster.toml": cluster_file(size, store), "manager.toml": call_manager_file(size)}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    servers = Servers(folder, size, profile=profile)
    try:
        servers.start()
        yield servers
    finally:
        servers.close()


# ------------------------------------------------------------------------------ the onlooker


@dataclass
class Onlooker:
    """Follows the store as a server does, and notes how old each heartbeat is at its end."""

    cluster: failover.Cluster
    names: Sequence[str]
    store: EtcdStore
    ages: list[float] = field(default_factory=list[float])
    seen: Snapshot = field(default_factory=lambda: Snapshot(0, {}))
    changed: trio.Event = field(default_factory=trio.Event)
    _last: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])

    async def follow(self) -> None:
        self.seen = await self.store.snapshot()
        while True:
            told = None
            with contextlib.suppress(ConnectionLost):
                told = await self.store.watch(self.seen) or await self.store.snapshot()
            if told is None:
                await trio.sleep(0.1)
                continue
            self.seen, now = told, boot_clock()
            for name in self.names:
                entry, last = told.entries.get(keys.session(name)), self._last.get(name)
                if entry is not None and (last is None or last[0] != entry.modified):
                    if last is not None:
                        self.ages.append(now - last[1])
                    self._last[name] = entry.modified, Beat.decode(entry.value).at
            self.changed.set()
            self.changed = trio.Event()

    def is_settled(self, homes: Iterable[str]) -> bool:
        """Whether every server is there, and each home has all that is its own, registered."""
        world = World(self.cluster, self.seen)
        if len(world.sessions) < len(world.names):
            return False
        return all(
            world.owner(each) == home and each.label in world.sessions[home].beat.up
            for home in homes
            for each in self.cluster.identities(home)
        )

    async def settled(self, homes: Sequence[str]) -> bool:
        with trio.move_on_after(PATIENCE):
            while not self.is_settled(homes):  # noqa: ASYNC110 - at most twice a second
                await trio.sleep(0.5)
            return True
        return False

    async def taken_over(self, home: str) -> float | None:
        """End the session as an agent does, and wait until others own all; None = too long."""
        begun, key = boot_clock(), keys.session(home)
        token = self.seen.entries[key].created
        await self.store.transact(Transaction((Compare(key, created=token),), (Delete(key),)))
        identities = self.cluster.identities(home)
        with trio.move_on_after(TAKEN):
            while True:
                changed, world = self.changed, World(self.cluster, self.seen)
                if all(world.owner(each) not in (None, home) for each in identities):
                    return boot_clock() - begun
                await changed.wait()
        return None


@contextlib.asynccontextmanager
async def looking_on(folder: Path, cluster: failover.Cluster) -> AsyncGenerator[Onlooker]:
    address = EtcdAddress.parse(cluster.store)
    async with open_etcd(address, folder / "onlooker") as store, trio.open_nursery() as nursery:
        onlooker = Onlooker(cluster, World(cluster, Snapshot(0, {})).names, store)
        nursery.start_soon(onlooker.follow)
        yield onlooker
        nursery.cancel_scope.cancel()


# ----------------------------------------------------------------------------- what it costs


def floor(port: int, count: int) -> list[float]:
    """Seconds of a bare compare-and-swap of one key, one after the other, kept connection."""
    key, took, revision = base64.b64encode(b"floor").decode(), list[float](), ""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
    with contextlib.closing(connection):
        while len(took) <= count:
            put = {"request_put": {"key": key, "value": key}}
            same = {"key": key, "target": "MOD", "mod_revision": revision, "result": "EQUAL"}
            body = {"compare": [same] if revision else [], "success": [put]}
            begun = time.perf_counter()
            connection.request("POST", "/v3/kv/txn", json.dumps(body))
            answer = json.loads(connection.getresponse().read())
            took.append(time.perf_counter() - begun)
            assert answer["succeeded"], "somebody else writes the floor's key"
            revision = answer["header"]["revision"]
    return took[1:]


def cpu(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine() -> tuple[float, float]:
    """Seconds that all processors together were busy, and that they waited for a disk."""
    fields = [int(each) / TICKS for each in Path("/proc/stat").read_text().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], fields[4]


def sockets(ports: Iterable[int], processes: Iterable[int]) -> float:
    """Bytes that these processes have sent to and received from the members, as the kernel says."""
    if not shutil.which("ss"):
        return math.nan
    where = " or ".join(f"dport = {port}" for port in ports)
    said = subprocess.run(["ss", "-Htnpi", f"( {where} )"], capture_output=True, text=True)
    mine, total = {f"pid={process}," for process in processes}, 0
    for line in said.stdout.replace("\n\t", "\t").splitlines():
        if any(each in line for each in mine):
            found = re.findall(r"bytes_(?:sent|received):(\d+)", line)
            total += sum(map(int, found))
    return float(total)


@dataclass(frozen=True)
class Count:
    """Everything that is counted, at one moment."""

    at: float
    told: dict[str, float]
    servers: dict[int, float]
    etcd: dict[int, float]
    sockets: float
    machine: tuple[float, float]

    @classmethod
    def now(cls, etcd: Etcd, servers: Servers) -> Count:
        ours = [each.pid for each in servers.processes]
        return cls(
            time.monotonic(),
            etcd.told(),
            {each: cpu(each) for each in ours},
            {each.pid: cpu(each.pid) for each in etcd.processes},
            sockets(etcd.ports, ours),
            machine(),
        )


@dataclass(frozen=True)
class Cost:
    """What one size costs; per second, and parts of one processor."""

    size: Size
    requests: float
    client: float
    """Bytes between the servers and the members' gateways, both ways, HTTP included."""
    rpc: float
    """Bytes of gRPC that the members say they have received and sent."""
    server: float
    fullest: float
    """Of the process of servers that has the most."""
    etcd: float
    busy: float
    """Of all processors of the machine."""
    disk: float
    grows: float
    ages: list[float]
    floor: list[float]
    takeovers: list[float | None]

    @property
    def late(self) -> int:
        """How many heartbeats were older than a second when the next one came."""
        return sum(age > LATE for age in self.ages)

    @property
    def full(self) -> str:
        """What has no room left."""
        if self.disk >= 0.2:
            return "disk"
        if self.busy >= FULL:
            servers = self.server * self.size.servers
            who = {"the servers'": servers, "etcd's": self.etcd}
            who["others'"] = self.busy * PROCESSORS - servers - self.etcd
            return f"CPU, most of it {max(who, key=lambda each: who[each])}"
        return "a servers' process" if self.fullest >= FULL else "nothing"


def cost(size: Size, before: Count, after: Count, onlooker: Onlooker) -> Cost:
    passed = after.at - before.at

    def more(begins: str) -> float:
        names = [name for name in after.told if name.startswith(begins)]
        return sum(after.told[name] - before.told.get(name, 0.0) for name in names) / passed

    servers = [(after.servers[each] - before.servers[each]) / passed for each in after.servers]
    etcd = sum(after.etcd.values()) - sum(before.etcd.values())
    busy, disk = (
        (new - old) / passed / PROCESSORS
        for old, new in zip(before.machine, after.machine, strict=True)
    )
    return Cost(
        size=size,
        requests=sum(more(f"grpc_server_started_total {what}") for what in ("Txn", "Range")),
        client=(after.sockets - before.sockets) / passed,
        rpc=more("etcd_network_client_grpc"),
        server=sum(servers) / size.servers,
        fullest=max(servers),
        etcd=etcd / passed,
        busy=busy,
        disk=disk,
        grows=more("etcd_mvcc_db_total_size") / 3,
        ages=list(onlooker.ages),
        floor=[],
        takeovers=[],
    )


async def measure(size: Size, folder: Path, etcd: Etcd, options: argparse.Namespace) -> Cost:
    profile = options.profile and not size.real
    with running(folder, size, etcd.store, profile=profile) as servers:
        cluster = failover.load(folder / "cluster.toml")
        async with looking_on(folder, cluster) as onlooker:
            homes = size.names[: size.homes]
            settled = await onlooker.settled(homes)
            if not settled:
                print(etcd.ended(), end="")
                world = World(cluster, onlooker.seen)
                up = sum(len(each.beat.up) for each in world.sessions.values())
                print(
                    f"{size.servers} servers are not settled within {PATIENCE:g} s:"
                    f" {len(world.sessions)} there, {up} of {len(homes) * size.numbers} numbers up,"
                    f" {sum(age > LATE for age in onlooker.ages)} of {len(onlooker.ages)}"
                    f" heartbeats older than {LATE:g} s"
                )
                print((folder / "log").read_text()[-2000:], end="")
            # A server takes nothing from others in its first seconds.
            await trio.sleep(cluster.timing.grace + 1.0)
            onlooker.ages.clear()
            before = await trio.to_thread.run_sync(Count.now, etcd, servers)
            await trio.sleep(options.seconds)
            after = await trio.to_thread.run_sync(Count.now, etcd, servers)
            found = cost(size, before, after, onlooker)
            found.floor.extend(await trio.to_thread.run_sync(floor, etcd.ports[0], FLOOR))
            # The stand-ins of one that was killed live.
            kills = options.kills if settled else 0
            for home in homes[:: max(3, -(-len(homes) // max(1, kills)))][:kills]:
                servers.kill(home)
                found.takeovers.append(await onlooker.taken_over(home))
                await trio.sleep(0.5)
    return found


# --------------------------------------------------------------------------------- the table


HEAD = (
    f"{'servers':>16}{'numbers':>8}{'req/s':>7}{'KiB/s':>8}{'gRPC':>7}{'server':>8}{'etcd':>6}"
    f"{'busy':>6}{'age p50':>9}{'p99':>7}{'> 1 s':>12}{'takeover':>10}{'worst':>7}"
    f"{'floor':>7}{'p99':>6}{'ratio':>7}{'MiB/h':>7}  full up"
)


def row(found: Cost) -> str:
    size, times = found.size, [math.inf if each is None else each for each in found.takeovers]
    ages = sorted(found.ages) or [math.nan]
    times = times or [math.nan]
    middle, bare = statistics.median(times), statistics.median(found.floor)
    kind = "" if size.real else " cores"
    return (
        f"{size.servers:>10}{kind:6}{size.homes * size.numbers:>8}{found.requests:>7.0f}"
        f"{found.client / 1024:>8.0f}{found.rpc / 1024:>7.0f}{found.server:>8.1%}{found.etcd:>6.0%}"
        f"{found.busy:>6.0%}{ms(statistics.median(ages)):>9}{ms(part(ages)):>7}"
        f"{f'{found.late} of {len(ages)}':>12}{ms(middle):>10}{ms(max(times)):>7}"
        f"{ms(bare):>7}{ms(part(sorted(found.floor))):>6}{middle / bare:>7.1f}"
        f"{found.grows * 3600 / 2**20:>7.0f}  {found.full}"
    )


def part(ordered: Sequence[float]) -> float:
    """The 99th percentile."""
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}" if seconds < 0.01 else f"{seconds * 1000:.0f}"


def conclude(costs: Sequence[Cost]) -> None:
    """Say how the costs grow from the first to the last of a kind, and where beats are late."""
    for real, what in ((True, "servers as processes"), (False, "cores")):
        some = [each for each in costs if each.size.real is real]
        if len(some) > 1:
            first, last = some[0], some[-1]
            print(
                f"{what}: {last.size.servers / first.size.servers:.1f} times the servers,"
                f" {last.size.homes / first.size.homes:.1f} times the numbers:"
                f" {last.requests / first.requests:.1f} times the requests,"
                f" {last.client / first.client:.1f} the bytes,"
                f" {last.server / first.server:.1f} the CPU of each server,"
                f" {last.etcd / first.etcd:.1f} that of etcd"
            )
        late = [each for each in some if each.late]
        if late:
            print(f"{what}: heartbeats pass {LATE:g} s from {late[0].size.servers} on")
        elif some:
            print(f"{what}: no heartbeat has passed {LATE:g} s")


def sizes(text: str, *, real: bool) -> list[Size]:
    """Read ``10x4,10x10x100``; an empty text is none."""
    found: list[Size] = []
    for each in filter(None, text.split(",")):
        servers, homes, *numbers = map(int, each.split("x"))
        found.append(Size(servers, homes, real, *numbers))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    sizes_of = "SERVERSxHOMES[xNUMBERS],…"
    parser.add_argument("--processes", default="3x1,3x3,10x10,30x30", metavar=sizes_of)
    cores = "10x10,10x10x100,30x30,100x1,100x100"
    parser.add_argument("--cores", default=cores, metavar=sizes_of)
    parser.add_argument("--seconds", type=float, default=15.0, help="of which costs are counted")
    parser.add_argument("--kills", type=int, default=5, help="takeovers of each size, at most")
    parser.add_argument("--minutes", type=float, default=10.0, help="in all, at most")
    parser.add_argument("--small", action="store_true", help="a minute")
    parser.add_argument("--fsync", action="store_true", help="etcd waits for its disk")
    parser.add_argument("--profile", action="store_true", help="of one core, for each size")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        folder, *names = options.run
        run_cores(Path(folder), names, profile=options.profile)
        return
    if options.small:
        options.processes, options.cores, options.seconds, options.kills = "3x1", "10x10", 5.0, 2
    wanted = [*sizes(options.processes, real=True), *sizes(options.cores, real=False)]
    print(
        f"three members of {version(find_etcd())} on the same {PROCESSORS} processors, fsync"
        f" {'on' if options.fsync else 'off'}; {options.seconds:g} s each; age and times in ms,"
        " CPU in percent of one"
    )
    print(HEAD)
    costs: list[Cost] = []
    until = time.monotonic() + 60 * options.minutes - 2 * PATIENCE
    for size in wanted:
        if time.monotonic() > until:
            print(f"{size.servers} servers are left out: {options.minutes:g} minutes are over")
            continue
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            etcd = Etcd(find_etcd(), folder, fsync=options.fsync)
            stack.callback(etcd.close)
            etcd.wait()
            found = trio.run(measure, size, folder, etcd, options)
            costs.append(found)
            print(row(found), flush=True)
            if (folder / "profile").exists():
                print((folder / "profile").read_text())
    conclude(costs)


def version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return "etcd " + said.stdout.partition("etcd Version: ")[2].partition("\n")[0]


if __name__ == "__main__":
    main()
