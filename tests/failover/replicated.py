"""The same bad luck with a store that stands on machines of its own, and servers on several.

What its clients may meet, and those of a file never do:

* A member that is stuck, or a leader that is gone, commits a request long after its client has
  given it up: tens of seconds, out of order, a heartbeat twice.
* A member lags: what it says is old, or comes late. No client goes back, but each is elsewhere.
* An election: nothing commits and nothing is read for up to 2.5 s, then everything at once.
* That a process is gone is seen on its own machine alone. An agent there ends its session; a
  machine without power has no agent, and silence decides.
* Clocks differ by five in a hundred, from machine to machine.
* A server may be started on another machine while its first process lives, unseen: the second has
  its name when the first has given no sign of life for ``take`` seconds. From then on the first
  commits nothing, and ends when it hears of the second.

A step is never repeated blindly: before its client writes anything else it *finds out* what has
become of it, and what had not committed by then never will; nor will anything of a process that
another one of its name has followed. A heartbeat may be repeated, and is not found out about.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bad_luck import BadLuck
from simulation import Process

from pa_telephony.failover import Cluster
from pa_telephony.failover.actions import Transact
from pa_telephony.failover.transaction import Delete, Outcome, Snapshot, Transaction
from pa_telephony.failover.world import session

__all__ = ["Replicated"]

_BOUND = 1.0
"""Seconds after which a client gives a request up."""


@dataclass(eq=False)
class Client:
    """How the store is for one process; seconds."""

    stuck: bool = False
    """The member that it writes to answers nothing, and commits what it got some time later."""
    behind: float = 0.0
    """How old what it reads is."""
    late: float = 0.0
    """How much later than asked for it comes."""
    seen: int = 0
    """The newest revision that it has seen: it never goes back."""
    unknown: set[object] = field(default_factory=set[object])
    """Its steps of which it has not found out yet what has become of them."""


class Replicated(BadLuck):
    """``machines`` says where each server runs; ``finds_out`` false: no step is protected."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        *,
        machines: Mapping[str, str],
        finds_out: bool = True,
        others: Sequence[Cluster] = (),
        without: Collection[int] = (),
    ) -> None:
        super().__init__(cluster, seed, others=others, without=without)
        self.machines = dict(machines)
        self.finds_out = finds_out
        self.late_commits = 0
        self.follows = 0
        """How many processes were followed by one on another machine while they lived."""
        self._agents: set[str] = set()
        """The machines on which an agent runs."""
        self._cut_off: set[str] = set()
        """The machines from which nobody reaches the store."""
        self._clients: dict[Process, Client] = {}
        self._rates: dict[str, float] = {}
        self._elects_until = 0.0
        self._followed: list[Process] = []
        """Those that still live although another one has their name now."""

    @property
    def everybody(self) -> list[Process]:
        return [*super().everybody, *self._followed]

    @property
    def counts(self) -> dict[str, int]:
        return {**super().counts, "late commits": self.late_commits, "followed": self.follows}

    def client(self, process: Process) -> Client:
        """How the store is for that process."""
        return self._clients.setdefault(process, Client())

    # Processes and their machines.

    def _begin(self, name: str) -> None:
        machine = self.machines[name]
        self._agents.add(machine)
        self._after(0.5, lambda: self._agent_looks(machine))
        super()._begin(name)

    def _rate(self, name: str) -> float:
        return self._rates.setdefault(self.machines[name], self._random.uniform(0.95, 1.05))

    def _follow(self, first: Process, seen: int) -> None:
        """Begin a second process of a server elsewhere, if nothing was heard of the first since."""
        name = first.name
        silent = self.snapshot().modified(session(name)) == seen
        if self.faults and first.alive and self.processes[name] is first and silent:
            self.follows += 1
            self.log.append(f"{self.now:8.3f} {name} starts on another machine, too")
            self._followed.append(first)
            self.machines[name] = f"machine {self.follows} of {name}"
            self._begin(name)

    def _is_followed(self, process: Process) -> bool:
        return self.processes[process.name] is not process

    def _end(self, process: Process) -> None:
        if not process.alive:
            return
        if process.paused_until > self.now and process in self._followed:
            self._after(process.paused_until - self.now, lambda: self._end(process))
            return
        super()._end(process)
        if process in self._followed:
            self.log.append(f"{self.now:8.3f} the first process of {process.name} ends")
            self._followed.remove(process)
        machine = self.machines[process.name]
        self._after(self._random.uniform(0.005, 0.05), lambda: self._agent_looks(machine))

    def _agent_looks(self, machine: str) -> None:
        """End the sessions of servers of the machine whose processes are gone, until none is."""
        world = self.world()
        gone = [name for name in self._gone_from(machine) if world.session(name) is not None]
        if machine not in self._agents or not gone:
            return
        if machine not in self._cut_off and self.now >= self._elects_until:
            for name in gone:
                where = session(name)
                ends = Transaction((world.unchanged(where),), (Delete(where),))
                self._after(self._random.uniform(0.002, 0.02), lambda ends=ends: self._submit(ends))
        self._after(0.2, lambda: self._agent_looks(machine))

    def _gone_from(self, machine: str) -> frozenset[str]:
        """The servers of a machine whose processes are seen there to be gone."""
        return frozenset(
            name
            for name in self._started
            if self.machines[name] == machine and not self.is_alive(name)
        )

    # What goes wrong.

    def _befalls(self, name: str, chance: random.Random) -> None:
        if self.now < self._elects_until:
            return
        if self.is_alive(name) and chance.random() < 0.3:
            self._store_trouble(self.processes[name], chance)
        else:
            super()._befalls(name, chance)

    def _change(self) -> None:
        if self.now < self._elects_until:
            self._after(self._elects_until - self.now, self._change)
        else:
            super()._change()

    def _store_trouble(self, process: Process, chance: random.Random) -> None:
        client, machine = self.client(process), self.machines[process.name]
        long = chance.choice([0.5, 2.5, 6.0, 12.0])
        how = chance.choice(
            [
                *("as a file's", "stuck", "stuck", "behind", "late"),
                *("election", "cut off", "power", "followed"),
            ]
        )
        if how == "as a file's":
            super()._store_trouble(process, chance)
            return
        if how == "election":
            long = chance.uniform(0.5, 2.5)
            self._elects_until = self.now + long
        elif how == "power":
            self._agents.discard(machine)
            for name in self.names:
                if self.machines[name] == machine and self.is_alive(name):
                    self.kill(name)
        elif how == "cut off":
            self._cut(machine, off=True)
            self._after(long, lambda: self._cut(machine, off=False))
        elif how == "followed":
            process.writes = False
            if chance.random() < 0.5:
                process.muted_at, process.paused_until = self.now, self.now + long
                self._after(long, lambda: self._pump(process))
            self._after(long, lambda: self._heal(process))
            seen = self.snapshot().modified(session(process.name))
            waits = self.cluster.timing.take / chance.uniform(0.95, 1.05)
            self._after(waits, lambda: self._follow(process, seen))
        elif how == "stuck":
            client.stuck = True
        elif how == "behind":
            client.behind = chance.choice([0.05, 0.3, 1.0, 3.0])
        else:
            client.late = chance.choice([0.2, 1.0, 3.0])
        self.log.append(f"{self.now:8.3f} {process.name}: {how} for {long:.1f}: {client}")
        self._after(long, lambda: self._mended(client))

    def _heal(self, process: Process) -> None:
        if not self.faults:
            self._mended(self.client(process))
            self._cut_off.clear()
            self._elects_until = self.now
        super()._heal(process)

    def _mended(self, client: Client) -> None:
        client.stuck, client.behind, client.late = False, 0.0, 0.0

    def _cut(self, machine: str, *, off: bool) -> None:
        (self._cut_off.add if off else self._cut_off.discard)(machine)
        for process in self.everybody:
            if self.machines[process.name] == machine:
                process.reads = process.writes = not off
                self._look(process)

    # What is read.

    def snapshot(self) -> Snapshot:
        return Snapshot(self._revision, dict(self._entries))

    def _asks(self, process: Process, at: float) -> None:
        if process.looks_at != at:
            return
        process.looks_at = float("inf")
        if not process.alive or not process.reads:
            return
        if self.now < self._elects_until:
            self._look(process, self._elects_until - self.now + self._random.uniform(0.0, 0.1))
            return
        entries, client = self.snapshot(), self.client(process)
        self._after(client.behind, lambda: self._answers(process, entries, client.late))

    def _answers(self, process: Process, entries: Snapshot, late: float) -> None:
        dead = self._gone_from(self.machines[process.name])
        snapshot = Snapshot(entries.revision, entries.entries, dead)
        delay = self._random.choice([0.001, 0.004, 0.012, 0.1 if self.faults else 0.012])
        asked = process.clock(self.now)
        self._after(delay + late, lambda: self._sees(process, snapshot, asked))

    def _sees(self, process: Process, snapshot: Snapshot, asked: float) -> None:
        client = self.client(process)
        if snapshot.revision >= client.seen:
            client.seen = snapshot.revision
            super()._sees(process, snapshot, asked)

    # What is written.

    def _commit(self, process: Process, action: Transact) -> None:
        client, chance = self.client(process), self._random
        bad = chance.random() if self.faults else 1.0
        request = object()
        if self._is_followed(process) and process.writes:
            self._after(chance.uniform(0.01, 1.0), lambda: self._end(process))
            refused = Outcome(False, self._revision)
            self._after(0.002, lambda: self._finished(process, action, refused))
            return
        if not process.writes or bad < 0.005:
            # Refused at once, or never heard of.
            delay = chance.choice([0.002, _BOUND])
            self._after(delay, lambda: self._finished(process, action, None))
            return
        if self.finds_out and action.step is not None and client.unknown:
            if self.now < self._elects_until or (client.stuck and chance.random() < 0.5):
                self._after(_BOUND, lambda: self._finished(process, action, None))
                return
            client.unknown.clear()
        if self.now < self._elects_until:
            wait = self._elects_until - self.now + chance.uniform(0.0, 0.05)
            if action.step is not None and wait > _BOUND:
                client.unknown.add(request)
            self._after(wait, lambda: self._reaches(process, action, request, heard=wait < _BOUND))
            if wait >= _BOUND:
                self._after(_BOUND, lambda: self._finished(process, action, None))
        elif client.stuck or bad < 0.015:
            copies = chance.choice([0, 1, 1, 2])
            if action.step is not None:
                client.unknown.add(request)
            for _ in range(copies):
                wait = chance.choice([chance.uniform(_BOUND, 4.0), chance.uniform(_BOUND, 30.0)])
                self._after(wait, lambda: self._reaches(process, action, request, heard=False))
            if action.step is None and chance.random() < 0.5:
                # Sent to the next member, too.
                self._reaches(process, action, request, heard=True)
            else:
                self._after(_BOUND, lambda: self._finished(process, action, None))
        else:
            super()._commit(process, action)

    def _reaches(self, process: Process, action: Transact, request: object, *, heard: bool) -> None:
        """A request commits or is refused long after it was sent, unless it may not any more."""
        followed = self._is_followed(process)
        unprotected = heard or action.step is None
        if self.finds_out and (
            followed or not (unprotected or request in self.client(process).unknown)
        ):
            outcome = Outcome(False, self._revision)
        else:
            outcome = self._submit(action.transaction)
        if outcome.committed:
            self.late_commits += not heard
            if action.step is not None:
                self._noted(process, action)
        if heard:
            self._after(0.002, lambda: self._finished(process, action, outcome))
