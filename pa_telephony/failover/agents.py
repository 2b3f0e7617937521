"""What the agent of a machine says in the store: of its servers' processes, of its health. Pure.

It is for people, and for the answers of Start and Stop; no server decides anything by it. An agent
holds a name in the store as servers do (``agent@MACHINE``), which proves its death like theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pa_telephony.failover.keeping import Keeper, State
from pa_telephony.failover.transaction import Snapshot

__all__ = ["AgentReport", "Health", "Kept", "agents", "kept", "key", "machine_of", "process_name"]

LONG = 40.0
"""Seconds after which an agent is silent; it says something every ten."""
_PREFIX = "agent/"
_PROCESS = "agent@"


def key(machine: str) -> str:
    """The key of what the agent of a machine says."""
    return _PREFIX + machine


def process_name(machine: str) -> str:
    """The name that the agent of a machine holds while it lives."""
    return f"{_PROCESS}{machine}"


def machine_of(name: str) -> str | None:
    """The machine whose agent holds that name; None when it is the name of a server."""
    return name.removeprefix(_PROCESS) if name.startswith(_PROCESS) else None


@dataclass(frozen=True)
class Kept:
    """One server's process, as its agent keeps it."""

    state: State
    crashes: int = 0
    why: str = ""
    """How its last process ended that nobody had asked to; "" when none has."""

    @classmethod
    def of(cls, keeper: Keeper) -> Kept:
        """What there is to say of it now."""
        return cls(keeper.state, keeper.crashes, keeper.why)

    def __str__(self) -> str:
        if not self.crashes:
            return self.state.value
        times = "once" if self.crashes == 1 else f"{self.crashes} times"
        return f"{self.state.value}, ended by itself {times}, last: {self.why}"


@dataclass(frozen=True)
class Health:
    """How the machine is."""

    load: float = 0.0
    """How many processes wanted a processor, on the average of a minute."""
    memory_mib: int = 0
    """Memory that may still be used, in MiB."""
    disk_mib: int = 0
    """Room on the disk of the store, in MiB."""

    def __str__(self) -> str:
        return (
            f"load {self.load:.2f}, {self.memory_mib} MiB of memory"
            f" and {self.disk_mib} MiB of disk free"
        )


@dataclass(frozen=True)
class AgentReport:
    """What an agent says; ``at`` is when, in seconds since its machine was booted.

    ``told`` is the time of day of its machine then, in seconds since the epoch; 0 when not known.
    """

    machine: str
    at: float = 0.0
    servers: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
    health: Health = Health()
    told: float = 0.0
    protocol: int = 0
    """Which :data:`~beat.PROTOCOL` it speaks; 0 of one that did not say."""

    def encode(self) -> str:
        """Write it as JSON on one line."""
        servers = {
            name: {"state": each.state.value, "crashes": each.crashes, "why": each.why}
            for name, each in self.servers.items()
        }
        said = {
            "at": round(self.at, 3),
            "told": round(self.told),
            "servers": servers,
            "health": vars(self.health),
            "protocol": self.protocol,
        }
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def decode(cls, machine: str, text: str) -> AgentReport:
        """Read a report; what another release wrote otherwise says nothing."""
        try:
            said: dict[str, Any] = dict(json.loads(text))
            servers = {
                str(name): Kept(State(each["state"]), int(each["crashes"]), str(each["why"]))
                for name, each in dict(said["servers"]).items()
            }
            at, told = float(said["at"]), float(said.get("told", 0.0))
            protocol = int(said.get("protocol", 0))
            return cls(machine, at, servers, Health(**said["health"]), told, protocol)
        except (ValueError, TypeError, KeyError):
            return cls(machine)

    @property
    def still(self) -> AgentReport:
        """The same without what changes all the time."""
        return replace(self, at=0.0, health=Health(), told=0.0)

    def silence(self, now: float) -> str:
        """What to say of an agent that has said nothing for long; "" otherwise.

        ``now`` is the time of day, which only people go by. A machine that vanished leaves its
        last report, and a store of several machines cannot tell.
        """
        silent = now - self.told
        if not self.told or silent < LONG:
            return ""
        return f"it has said nothing for {silent:.0f} s: is its machine gone?"


def agents(snapshot: Snapshot) -> tuple[AgentReport, ...]:
    """The agents that live, as far as the store can tell, by the names of their machines."""
    found: list[AgentReport] = []
    for entry_key in sorted(snapshot.under(_PREFIX)):
        machine = entry_key.removeprefix(_PREFIX)
        if snapshot.running is None or process_name(machine) in snapshot.running:
            found.append(AgentReport.decode(machine, snapshot.entries[entry_key].value))
    return tuple(found)


def kept(snapshot: Snapshot, server: str) -> Kept | None:
    """The process of a server, as a living agent keeps it; None when none does."""
    for report in agents(snapshot):
        if server in report.servers:
            return report.servers[server]
    return None
