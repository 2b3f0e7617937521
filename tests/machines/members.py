"""The three machines of the store: members of etcd, their leader, and what a bare swap takes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from machines import Machine, Network, address

__all__ = ["CLIENTS", "Members"]

CLIENTS = 2379
_PEERS = 2380
_SWAP = Path(__file__).parent / "programs" / "swap.py"
_PATIENCE = 60.0


class Members:
    """etcd on several machines, with the settings of ``docs/several-machines.md``.

    ``small`` is a member whose file system has so many megabytes; it must keep its machine.
    """

    def __init__(
        self,
        network: Network,
        directory: Path,
        hosts: tuple[int, ...],
        small: Mapping[int, int] | None = None,
    ) -> None:
        self.network = network
        self.hosts = hosts
        self._directory = directory
        self._small = small or {}
        self._mounted: set[int] = set()

    def url(self, prefix: str) -> str:
        """The store of a cluster in these members."""
        return "etcd://" + ",".join(f"{address(each)}:{CLIENTS}" for each in self.hosts) + prefix

    def data(self, host: int) -> Path:
        """Where a member has its data."""
        return self._directory / f"etcd-{host}"

    def start(self, host: int) -> None:
        """Start a member on its machine, which is there, with the data that it had."""
        machine = self.network.machines[host]
        self.data(host).mkdir(mode=0o700, exist_ok=True)
        if host in self._small and host not in self._mounted:
            size = f"size={self._small[host]}m,mode=700"
            machine.do("mount", "-t", "tmpfs", "-o", size, "none", self.data(host))
            self._mounted.add(host)
        here = f"http://{address(host)}"
        others = ",".join(f"m{each}=http://{address(each)}:{_PEERS}" for each in self.hosts)
        with (self._directory / f"etcd-{host}.log").open("ab") as log:
            machine.start(
                *("etcd", "--name", f"m{host}", "--data-dir", self.data(host)),
                *("--listen-peer-urls", f"{here}:{_PEERS}"),
                *("--initial-advertise-peer-urls", f"{here}:{_PEERS}"),
                *("--listen-client-urls", f"{here}:{CLIENTS}"),
                *("--advertise-client-urls", f"{here}:{CLIENTS}"),
                *("--initial-cluster", others, "--heartbeat-interval", "50"),
                *("--election-timeout", "500", "--pre-vote"),
                *("--logger", "zap", "--log-level", "warn"),
                stdout=log,
                stderr=log,
            )

    def begin(self, machine: Machine) -> None:
        """Start all, and wait until ``machine`` finds a leader."""
        for host in self.hosts:
            self.start(host)
        until = time.monotonic() + _PATIENCE
        while self.leader(machine) is None:
            assert time.monotonic() < until, "etcd has no leader"
            time.sleep(0.1)

    def leader(self, machine: Machine) -> int | None:
        """The machine of the leader, as one of the members says; None where none knows one."""
        identities: dict[str, int] = {}
        leader = ""
        for host in self.hosts:
            said = self._ask(machine, host)
            if "header" in said:
                identities[said["header"]["member_id"]] = host
                leader = said.get("leader", "") or leader
        return identities.get(leader)

    def _ask(self, machine: Machine, host: int) -> dict[str, Any]:
        url = f"http://{address(host)}:{CLIENTS}/v3/maintenance/status"
        program = machine.start(
            *("curl", "--silent", "--max-time", "1", "--data", "{}", url), stdout=subprocess.PIPE
        )
        said = program.communicate()[0]
        machine.programs.remove(program)
        try:
            answer: dict[str, Any] = json.loads(said)
        except ValueError:
            return {}
        return answer

    def signal(self, host: int, number: signal.Signals) -> float:
        """Send a member's process a signal; gives the time."""
        return self.network.machines[host].signal(number, f"m{host}")

    def runs(self, host: int) -> bool:
        """Whether the member has a process."""
        return bool(self.network.machines[host].processes(f"m{host}"))

    def fill(self, host: int) -> None:
        """Leave no room in a small member's file system."""
        where = f"/proc/{self.network.machines[host].first}/root{self.data(host)}/filler"
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={where}", "bs=64k"], capture_output=True, check=False
        )

    def make_room(self, host: int) -> None:
        """Take back :meth:`fill`; a member that has ended is started again."""
        Path(f"/proc/{self.network.machines[host].first}/root{self.data(host)}/filler").unlink()
        if not self.runs(host):
            self.start(host)

    def swap_seconds(self, machine: Machine, count: int = 100) -> list[float]:
        """How long compare-and-swaps of one key take through the member that each comes to."""
        hosts = [address(each) for each in self.hosts]
        found: list[float] = json.loads(machine.do(sys.executable, _SWAP, count, *hosts))
        return found
