"""A whole cluster in virtual time: pure members, a store, a call manager, and calls.

Delays are drawn from one seeded generator and are those of a busy machine: a few ms to the store,
tens of ms to the call manager. Each process has a clock of its own, which is up to one in a hundred
fast or slow; snapshots are some ms old when they are seen, and answers may be lost. What goes wrong
besides is in :mod:`bad_luck`, and the store of several machines in :mod:`replicated`.
"""

from __future__ import annotations

import heapq
import itertools
import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from limits import Exchanges, Limits

from pa_telephony.failover import Cluster, Identity, Kind
from pa_telephony.failover.actions import Close, EndCalls, Register, Transact, Unregister
from pa_telephony.failover.configuring import Proposal, propose
from pa_telephony.failover.member import Member
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.stored import read
from pa_telephony.failover.transaction import Entry, Outcome, Snapshot, Transaction, apply
from pa_telephony.failover.world import World, stop

__all__ = ["KEY", "Process", "Simulation", "hands_over"]

KEY = operator.attrgetter("key")
ROUTES = (Kind.ROUTE_POINT, Kind.AA_ROUTE_POINT)


@dataclass(eq=False)
class Process:
    """One life of a server."""

    name: str
    member: Member
    alive: bool = True
    lost: set[str] = field(default_factory=set[str])
    """Providers that it does not reach."""
    paused_until: float = 0.0
    muted_at: float = 0.0
    registered: set[Identity] = field(default_factory=set[Identity])
    lost_nodes: set[int] = field(default_factory=set[int])
    """Call managers, by their places in the lists of hosts, that it does not reach."""
    at: dict[Identity, int] = field(default_factory=dict[Identity, int])
    """The call manager where each identity was registered last."""
    wake_at: float = float("inf")
    looks_at: float = float("inf")
    rate: float = 1.0
    """Seconds of its clock in a second."""
    reads: bool = True
    writes: bool = True

    def clock(self, now: float) -> float:
        """The time that the server's clock shows."""
        return now * self.rate


class Simulation:
    """Things happen in ``_advance``; ``violations`` says what is wrong, and should be empty."""

    def __init__(self, cluster: Cluster, seed: int, *, proof: bool = True) -> None:
        self.cluster = cluster
        """What the store has, or what the servers' files say where it has nothing."""
        self.saved = 0
        self.proof = proof
        self.names = [server.server_name for server in cluster.servers]
        self.now = 1000.0
        self.violations: list[str] = []
        self.log: list[str] = []
        self.takeovers = 0
        self.returns = 0
        self.calls: dict[Identity, Process] = {}
        self.answered = 0
        self.ended = 0
        """Calls that servers have ended by order."""
        self.limits = Limits()
        self.exchanges = Exchanges()
        self.processes: dict[str, Process] = {}
        self.down: set[int] = set()
        """Call managers that do not run, by their places in the lists of hosts."""
        self.faults = True
        self.files: dict[str, Cluster] = {}
        """What the file of a server says, where it is another than that of the others."""
        self._random = random.Random(seed)
        self._entries: dict[str, Entry] = {}
        self._revision = 0
        self._started: set[str] = set()
        self._judged = self.world()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lives = itertools.count()

    # What happens.

    def _advance(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, action = heapq.heappop(self._queue)
            action()
            self._check()
        self.now = until

    def _after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def is_alive(self, name: str) -> bool:
        return name in self.processes and self.processes[name].alive

    @property
    def everybody(self) -> list[Process]:
        """The newest process of each name."""
        return list(self.processes.values())

    def start(self, name: str) -> None:
        if not self.is_alive(name):
            self._begin(name)

    def _begin(self, name: str) -> None:
        """A new process of the server, which has its name."""
        rate = self._rate(name)
        instance = f"{name}#{next(self._lives)}"
        file = self.files.get(name, self.cluster)
        member = Member(file, name, instance=instance, now=self.now * rate)
        process = self.processes[name] = Process(name, member, rate=rate)
        self._started.add(name)
        self.log.append(f"{self.now:8.3f} start {name}")
        self._link(process, True)
        self._changed()
        self._pump(process)

    def _rate(self, name: str) -> float:
        return self._random.uniform(0.99, 1.01)

    def kill(self, name: str) -> None:
        self.log.append(f"{self.now:8.3f} kill {name}")
        self._end(self.processes[name])

    def _end(self, process: Process) -> None:
        process.alive = False
        for identity in sorted(process.registered, key=KEY):
            self._gone(process, identity)
        self._changed()

    def save(self, cluster: Cluster) -> Proposal:
        """Import another configuration, as an operator does; nothing happens if it is refused."""
        proposal = propose(cluster, self.snapshot())
        if proposal.transaction is not None:
            assert self._submit(proposal.transaction).committed
            self.cluster = read(proposal.revision, cluster)
            self.saved += proposal.present is not None
            what = "; ".join(map(str, proposal.changes))
            self.log.append(f"{self.now:8.3f} revision {proposal.revision.number}: {what}")
        return proposal

    def _heal(self, process: Process) -> None:
        """The store is as it should be for that process."""
        process.reads = process.writes = True
        self._look(process)

    def _link(self, process: Process, up: bool, *providers: str) -> None:
        """All providers are lost or found, or these."""
        some = providers or self.cluster.used_providers
        process.lost = process.lost.difference(some) if up else process.lost.union(some)
        for provider in some:
            reached = self.reaches(process, provider, process.member.world.node)
            process.member.link(provider, reached, process.clock(self.now))
        self._see(process)
        if not up:
            self.log.append(f"{self.now:8.3f} {process.name} loses {', '.join(some)}")
            for identity in sorted(process.registered, key=KEY):
                if identity.provider in some:
                    self._gone(process, identity)
                    process.member.lost(identity, process.clock(self.now))
        self._pump(process)

    def reaches(self, process: Process, provider: str, node: int) -> bool:
        """Whether a server reaches a provider at the ``node``-th of its hosts."""
        return provider not in process.lost and node not in self.down | process.lost_nodes

    def _see(self, process: Process) -> None:
        """Tell a member what it reaches, where there are several call managers."""
        member, now = process.member, process.clock(self.now)
        for provider in self.cluster.used_providers if self.cluster.nodes > 1 else ():
            for node in range(self.cluster.nodes):
                member.sees(provider, node, self.reaches(process, provider, node), now)
            member.link(provider, self.reaches(process, provider, member.world.node), now)

    def _nodes_changed(self) -> None:
        """Call managers or the ways to them have come or gone: what was there is lost."""
        for process in self.processes.values():
            self._see(process)
            for identity in sorted(process.registered, key=KEY):
                if not self.reaches(process, identity.provider, process.at[identity]):
                    self._gone(process, identity)
                    process.member.lost(identity, process.clock(self.now))
            self._pump(process)

    def _hang_up(self, process: Process, identity: Identity) -> None:
        if self.calls.get(identity) is process:
            del self.calls[identity]
            process.member.set_busy(identity, False)
            self._pump(process)

    # The store.

    def snapshot(self) -> Snapshot:
        dead = frozenset(n for n in self._started if self.proof and not self.is_alive(n))
        return Snapshot(self._revision, dict(self._entries), dead)

    def world(self) -> World:
        return World(self.cluster, self.snapshot())

    def _submit(self, transaction: Transaction) -> Outcome:
        outcome = apply(self._entries, transaction, self._revision)
        self._revision = outcome.revision
        if outcome.committed:
            self._changed(transaction.urgent)
        return outcome

    def _changed(self, urgent: bool = True) -> None:
        for process in self.everybody:
            if process.alive:
                self._look(process, 0.001 if urgent else self._random.uniform(0.1, 0.3))

    def _look(self, process: Process, delay: float = 0.0) -> None:
        """Have it look at the store before long; one look on its way is enough for two changes."""
        at = self.now + delay
        if process.looks_at > at:
            process.looks_at = at
            self._after(delay, lambda: self._asks(process, at))

    def _asks(self, process: Process, at: float) -> None:
        if process.looks_at != at:
            return
        process.looks_at = float("inf")
        if process.alive and process.reads:
            snapshot, asked = self.snapshot(), process.clock(self.now)
            delay = self._random.choice([0.001, 0.004, 0.012, 0.012, 0.1 if self.faults else 0.012])
            self._after(delay, lambda: self._sees(process, snapshot, asked))

    def _sees(self, process: Process, snapshot: Snapshot, asked: float) -> None:
        if process.alive and process.paused_until <= self.now:
            node = process.member.world.node
            process.member.observe(snapshot, process.clock(self.now), asked=asked)
            if process.member.world.node != node:
                self._see(process)
            if process.member.news:
                self._pump(process)

    def _commit(self, process: Process, action: Transact) -> None:
        lost_before = not process.writes or (self.faults and self._random.random() < 0.01)
        lost_after = self._loses_answer(process, action)
        slow = self.faults and self._random.random() < 0.01
        outcome = None if lost_before else self._submit(action.transaction)
        if outcome is not None and outcome.committed and action.step is not None:
            self._noted(process, action)
        seen = None if lost_after else outcome
        delay = 1.0 if slow else self._random.uniform(0.001, 0.005)
        self._after(delay, lambda: self._finished(process, action, seen))

    def _loses_answer(self, process: Process, action: Transact) -> bool:
        return self.faults and self._random.random() < 0.01

    def _finished(self, process: Process, action: Transact, outcome: Outcome | None) -> None:
        if not process.alive:
            return
        if process.paused_until > self.now:
            self._after(
                process.paused_until - self.now, lambda: self._finished(process, action, outcome)
            )
            return
        process.member.finished(action, outcome, process.clock(self.now))
        self._pump(process)

    def _noted(self, process: Process, action: Transact) -> None:
        step = action.step
        assert step is not None
        self.log.append(f"{self.now:8.3f} {process.name}: {step}")
        if step.kind is StepKind.TAKE_HOME:
            self.takeovers += 1
        if step.kind in (StepKind.HAND_BACK, StepKind.HAND_OVER):
            home = step.identities[0].home
            if self.exchanges.too_many(home, self.now):
                self.violated(f"what is of {home} goes back and forth")
        if step.kind is StepKind.HAND_BACK and self.world().orders(step.server).held_back:
            self.violated(f"{step} although an operator holds {step.server}")
        if step.kind is StepKind.HAND_BACK and any(i.kind in ROUTES for i in step.identities):
            self.returns += 1
            world = self.world()
            for identity in self.cluster.identities(step.server):
                if identity.kind not in ROUTES and world.owner(identity) != step.server:
                    self.violated(f"route point of {step.server} went home before {identity}")

    # The call manager.

    def _pump(self, process: Process) -> None:
        if not process.alive or process.paused_until > self.now:
            return
        for action in process.member.actions(process.clock(self.now)):
            self._perform(process, action)
        deadline = process.member.next_deadline(process.clock(self.now)) / process.rate + 1e-6
        if deadline != process.wake_at:
            process.wake_at = deadline
            self._after(deadline - self.now, lambda: self._woken(process, deadline))

    def _woken(self, process: Process, deadline: float) -> None:
        if process.wake_at == deadline:
            process.wake_at = float("inf")
            self._pump(process)

    def _perform(self, process: Process, action: object) -> None:
        soon = self._random.uniform(0.005, 0.03)
        match action:
            case Transact():
                self._after(soon / 5, lambda: self._commit(process, action))
            case Register(identity, node):
                self._after(soon, lambda: self._register(process, identity, node))
            case Unregister(identity):
                self._after(soon, lambda: self._unregister(process, identity))
            case Close(identity):
                self._close(process, identity)
            case EndCalls(identity):
                self._end_call(process, identity)
            case _:
                raise AssertionError(action)

    def _register(self, process: Process, identity: Identity, node: int) -> None:
        if not process.alive:
            return
        if identity in process.registered and process.at[identity] != node:
            self.violated(f"{process.name} registers {identity} at two call managers")
        if not self.reaches(process, identity.provider, node):
            process.member.lost(identity, process.clock(self.now))
        elif identity.kind is Kind.PORT and self._is_kept(process, identity):
            process.member.refused(identity, process.clock(self.now))
        else:
            process.registered.add(identity)
            process.at[identity] = node
            process.member.registered(identity, process.clock(self.now))
        self._pump(process)

    def _is_kept(self, process: Process, identity: Identity) -> bool:
        """Whether another has the port; who has been mute for a while loses it (keepalives)."""
        for other in self.everybody:
            # A number that moves from one home to another is one device.
            same = [each for each in other.registered if each.number == identity.number]
            if other is process or not same:
                continue
            if self.now < other.muted_at + 1.5 or other.paused_until <= self.now:
                return True
            (theirs,) = same
            self._gone(other, theirs)
            member, clock = other.member, other.clock
            self._after(
                other.paused_until - self.now,
                lambda member=member, clock=clock, lost=theirs: member.lost(lost, clock(self.now)),
            )
        return False

    def _unregister(self, process: Process, identity: Identity) -> None:
        if not process.alive:
            return
        if not self.reaches(process, identity.provider, process.at.get(identity, 0)):
            process.member.lost(identity, process.clock(self.now))
        elif identity in self.calls:
            process.member.kept(identity, process.clock(self.now))
        else:
            process.registered.discard(identity)
            process.member.unregistered(identity, process.clock(self.now))
        self._pump(process)

    def _close(self, process: Process, identity: Identity) -> None:
        if self.calls.get(identity) is process:
            entitled = process.member.may_act(process.clock(self.now))
            # The server may have seen a Stop that was taken back a moment later.
            stopped = (
                self._entries.get(stop(process.name)) is not None
                or process.member.world.stopped(process.name) is not None
            )
            # Who has lost a provider of two gives the whole home up (F3).
            linked = process.lost.isdisjoint(self.cluster.needs(identity.home))
            if entitled and linked and not stopped:
                self.violated(f"{process.name} dropped a call on {identity}")
        self._gone(process, identity)
        self._after(0.002, lambda: self._closed(process, identity))

    def _end_call(self, process: Process, identity: Identity) -> None:
        if self.calls.get(identity) is not process:
            return
        self.ended += 1
        if not self.limits.allow(identity.home, self.now):
            self.violated(f"{process.name} ended a call on {identity}, and nobody wants it")
        self._after(0.01, lambda: self._hang_up(process, identity))

    def order(self, what: str, home: str, order: Transaction, seconds: float | None) -> None:
        """An operator orders something of a home; ``seconds`` is what its calls have, if so."""
        self.log.append(f"{self.now:8.3f} {home} {what}")
        if self._submit(order).committed:
            self.limits.ordered(order, seconds, self.now)

    def _closed(self, process: Process, identity: Identity) -> None:
        if process.alive:
            process.registered.discard(identity)
            process.member.closed(identity, process.clock(self.now))
            self._pump(process)

    def _gone(self, process: Process, identity: Identity) -> None:
        process.registered.discard(identity)
        if self.calls.get(identity) is process:
            del self.calls[identity]
            process.member.set_busy(identity, False)

    # The judge.

    def _check(self) -> None:
        acting = [
            process
            for process in self.everybody
            if process.registered and process.alive and process.paused_until <= self.now
        ]
        if self._judged.snapshot.revision != self._revision:
            self._judged = self.world()
        for process in acting:
            member = process.member
            for identity in process.registered:
                owner = self._judged.owner(identity)
                if (
                    owner != process.name
                    and member.state(identity) is State.REGISTERED
                    and member.may_act(process.clock(self.now))
                    and not hands_over(member, identity)
                ):
                    self.violated(
                        f"{process.name} serves {identity}, which is of {owner or 'nobody'}"
                    )
        for one, two in itertools.combinations(acting, 2):
            mine = {(each.kind, each.number): each for each in one.registered}
            for identity in two.registered:
                same = mine.get((identity.kind, identity.number))
                if same is not None and all(
                    each.member.state(what) is State.REGISTERED
                    and each.member.may_act(each.clock(self.now))
                    and not hands_over(each.member, what)
                    for each, what in ((one, same), (two, identity))
                ):
                    self.violated(f"{identity} is served by {one.name} and {two.name}")

    def violated(self, what: str) -> None:
        self.violations.append(f"{self.now:.3f} {what}")
        self.log.append(f"{self.now:8.3f} VIOLATION {what}")


def hands_over(member: Member, identity: Identity) -> bool:
    """Whether ``member`` may have handed a number back already and not know it yet.

    What is no port lingers at who gives it (Q19), and is answered by both for a moment.
    """
    flight = member._flight
    return identity.kind is not Kind.PORT and flight is not None and flight.gives(identity)
