"""What ten servers on one machine cost while nothing happens, with and without their agent.

python bench/idle.py [--seconds N] [--beside COMMIT]

Each has a route point and a media port at a call manager of its own machine. Counted are the CPU
time of the servers' processes and of the agent, in percent of one core, and the transactions that
the store takes a second. ``--beside`` measures another commit of the repository in turn, without
an agent: the ratios are of this run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import trio

from pa_telephony import failover
from pa_telephony.failover.stores import open_view
from pa_telephony.failover.stores.locks import process_of

ROOT = Path(__file__).parents[1]
CALL_MANAGER = "127.0.0.10"
SERVERS = 10
SETTLE = 8.0
TICKS = os.sysconf("SC_CLK_TCK")
NAMES = [f"PA{number}" for number in range(SERVERS)]


@dataclass(frozen=True)
class Cost:
    """Percent of one core, and transactions a second."""

    servers: float
    agent: float
    writes: float


def write(folder: Path) -> None:
    """The configurations of the cluster and of the call manager."""
    cluster: list[str] = []
    manager = ["[[user]]", 'name = "pa"', 'password = "secret"']
    for at, name in enumerate(NAMES):
        cluster += [
            "[[servers]]",
            f'server_name = "{name}"',
            f'hostname_or_ip_address = "127.0.0.{20 + at}"',
            'route_address_provider = "jtapi"',
            f'route_address = "{6000 + 10 * at}"',
            'media_port_provider = "skinny"',
            f'media_port_beginning_address = "{6001 + 10 * at}"',
            "number_of_media_ports = 1",
            f'fail_over_server_names = ["{NAMES[at - 1]}"]',
        ]
        for kind, device, number in (
            ("route point", f"RP{at}", 6000 + 10 * at),
            ("media port", f"VI{at + 1}", 6001 + 10 * at),
        ):
            manager += ["[[device]]", f'name = "{device}"', f'kind = "{kind}"']
            manager += [f'lines = [{{ number = "{number}" }}]']
    for kind, more in (("jtapi", 'user = "pa"'), ("skinny", 'device_name_prefix = "VI"')):
        cluster += ["[[providers]]", f'type = "{kind}"', f'name = "{kind}"', more]
        cluster += [f'hosts = ["{CALL_MANAGER}"]']
        cluster += ['password = "secret"'] if kind == "jtapi" else []
    for file, lines in (("cluster.toml", cluster), ("manager.toml", manager)):
        (folder / file).write_text("\n".join(lines) + "\n")
        (folder / file).chmod(0o600)


@contextlib.contextmanager
def running(folder: Path, code: Path, *words: str) -> Generator[subprocess.Popen[bytes]]:
    """A command of that code, until the block is left."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pa_telephony", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(code)},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def cpu(process: int) -> int:
    """The clock ticks that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def revision(cluster: failover.Cluster) -> int:
    """How many transactions the store has taken."""
    return trio.run(open_view(cluster).snapshot).revision


def measure(code: Path, seconds: float, *, agent: bool) -> Cost:
    """Let ten servers run for so long, and count."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        write(folder)
        manager = ("callmanager", "--config", "manager.toml", "--host", CALL_MANAGER)
        stack.enter_context(running(folder, code, *manager))
        time.sleep(1.5)
        keeper = None
        if agent:
            words = ("agent", "--cluster", "cluster.toml")
            keeper = stack.enter_context(running(folder, code, *words))
        else:
            for each in NAMES:
                server = ("server", "--cluster", "cluster.toml", "--name", each)
                stack.enter_context(running(folder, code, *server))
        cluster = failover.load(folder / "cluster.toml")
        locks = cluster.store_path.with_name(f"{cluster.store_path.name}.locks")
        deadline = time.monotonic() + 60.0
        while None in (found := [process_of(locks, each) for each in NAMES]):
            if time.monotonic() > deadline:
                sys.exit((folder / "log").read_text())
            time.sleep(0.2)
        servers = [number for number in found if number is not None]
        try:
            time.sleep(SETTLE)
            before = [cpu(each) for each in servers], revision(cluster)
            kept = cpu(keeper.pid) if keeper is not None else 0
            time.sleep(seconds)
            used = sum(cpu(each) for each in servers) - sum(before[0])
            keeps = cpu(keeper.pid) - kept if keeper is not None else 0
            writes = (revision(cluster) - before[1]) / seconds
        finally:
            if keeper is not None:
                keeper.send_signal(signal.SIGTERM)
                keeper.wait()
                for number in servers:
                    os.kill(number, signal.SIGTERM)
                time.sleep(2.0)
        share = 100 / TICKS / seconds
        return Cost(used * share, keeps * share, writes)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--beside", metavar="COMMIT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as other:
        what = [("with an agent", ROOT, True), ("without", ROOT, False)]
        if options.beside:
            command = ["git", "-C", str(ROOT), "archive", options.beside, "pa_telephony"]
            packed = subprocess.run(command, capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x", "-C", other], input=packed, check=True)
            what.append((options.beside[:12], Path(other), False))
        print(f"{SERVERS} idle servers, {options.seconds:.0f} s each; percent of one core")
        print(f"{'':16}{'servers':>9}{'agent':>8}{'writes/s':>10}")
        for name, code, agent in what:
            cost = measure(code, options.seconds, agent=agent)
            row = f"{name:16}{cost.servers:>9.2f}{cost.agent:>8.2f}{cost.writes:>10.1f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
