"""A whole cluster in virtual time: pure members, a store, a call manager, calls, and bad luck.

Everything that can go wrong is drawn from one seeded generator, so a schedule that fails can be
played again by its number. Delays are those of a busy machine: a few ms to the store, tens of ms
to the call manager. Each process has a clock of its own, which is up to one in a hundred fast or
slow; snapshots are some ms old when they are seen.
"""

from __future__ import annotations

import heapq
import itertools
import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from limits import Exchanges, Limits

from pa_telephony.failover import Cluster, Command, Identity, Kind, intents
from pa_telephony.failover.actions import Close, EndCalls, Register, Transact, Unregister
from pa_telephony.failover.configuring import Proposal, propose
from pa_telephony.failover.intent import keeping_away, moving, returning, unreturnable
from pa_telephony.failover.member import Member
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import StepKind
from pa_telephony.failover.stored import read
from pa_telephony.failover.transaction import Entry, Outcome, Snapshot, Transaction, apply
from pa_telephony.failover.world import World, stop

__all__ = ["Simulation", "hands_over"]

_KEY = operator.attrgetter("key")
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
    """``run`` plays a schedule; ``violations`` should be empty then."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        *,
        proof: bool = True,
        others: Sequence[Cluster] = (),
    ) -> None:
        self.cluster = cluster
        """What the store has, or what the servers' files say where it has nothing."""
        self.others = (cluster, *others) if others else ()
        """Configurations that are saved, each in place of another; none: the store has none."""
        self.saved = 0
        self.proof = proof
        self.names = [server.server_name for server in cluster.servers]
        self.now = 1000.0
        self.violations: list[str] = []
        self.log: list[str] = []
        self.takeovers = 0
        self.returns = 0
        self.seconds = 0.0
        self.calm = 0.0
        self.calls: dict[Identity, Process] = {}
        self.answered = 0
        self.ended = 0
        """Calls that servers have ended by order."""
        self.limits = Limits()
        self.exchanges = Exchanges()
        self.processes: dict[str, Process] = {}
        self.faults = True
        self.files: dict[str, Cluster] = {}
        """What the file of a server says, where it is another than that of the others."""
        self._random = random.Random(seed)
        self._entries: dict[str, Entry] = {}
        self._revision = 0
        self._started: set[str] = set()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lives = itertools.count()

    # What happens.

    def run(self, seconds: float, within: float) -> None:
        """Faults for ``seconds``, then none until all is home, ``within`` seconds at most."""
        began = self.now
        if self.others:
            self.save(self.cluster)
            self._after(5.0, self._change)
        for name in self.names:
            self._after(self._random.uniform(0, 0.5), lambda name=name: self.start(name))
        self._after(1.0, self._misfortune)
        self._after(1.0, self._caller)
        self._advance(self.now + seconds)
        self.faults = False
        self._submit(intents(self.cluster, Command.START))
        for name in self.names:
            self.order("shall be at home", name, moving(self.cluster, name, None), None)
            self.order("is held no more", name, keeping_away(self.cluster, name, keep=False), None)
        for process in self.processes.values():
            process.paused_until = 0.0
            process.reads = process.writes = True
            self._link(process, True)
            self._look(process)
        for name in self.names:
            if not self.is_alive(name):
                self.start(name)
        healed = self.now
        while (left := self.away()) and self.now < healed + within:
            self._advance(self.now + 1.0)
        self.calm = self.now - healed
        if left:
            self.violated(f"{within:.0f} s without a fault, and {left}")
        self._advance(self.now + 2.0)
        self.seconds = self.now - began

    def away(self) -> str:
        """What is not as it should be in the end; blank when everybody has its own."""
        world = self.world()
        for stray in world.strays:
            if (owner := world.owner(stray)) is not None:
                return f"{owner} still has {stray}, which is no more"
        for home in self.names:
            if claimant := world.claimant(home):
                return f"{claimant} still stands in for {home}"
            if world.orders(home).returns_within is not None:
                return f"{home} is still ordered to return"
            for identity in self.cluster.identities(home):
                if world.owner(identity) != home:
                    return f"{identity} is not home, but of {world.owner(identity)}"
                if identity not in self.processes[home].registered:
                    return f"{identity} is home and not registered"
        return ""

    @property
    def counts(self) -> dict[str, int]:
        """What has happened, by name."""
        return {
            "takeovers": self.takeovers,
            "returns": self.returns,
            "calls answered": self.answered,
            "calls ended by order": self.ended,
            "configurations saved": self.saved,
        }

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

    def start(self, name: str) -> None:
        if self.is_alive(name):
            return
        rate = self._random.uniform(0.99, 1.01)
        instance = f"{name}#{next(self._lives)}"
        file = self.files.get(name, self.cluster)
        member = Member(file, name, instance=instance, now=self.now * rate)
        process = self.processes[name] = Process(name, member, rate=rate)
        self._started.add(name)
        self.log.append(f"{self.now:8.3f} start {name}")
        self._link(process, True)
        self._changed()
        self._pump(process)

    def kill(self, name: str) -> None:
        process = self.processes[name]
        process.alive = False
        self.log.append(f"{self.now:8.3f} kill {name}")
        for identity in sorted(process.registered, key=_KEY):
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

    def _change(self) -> None:
        if self.faults:
            self.save(self._random.choice(self.others))
            self._after(self._random.expovariate(1 / 6.0), self._change)

    def _misfortune(self) -> None:
        if not self.faults:
            return
        name = self._random.choice(self.names)
        what = self._random.random()
        if not self.is_alive(name):
            self.start(name)
        elif what < 0.35:
            self.kill(name)
        elif what < 0.5:
            command = self._random.choice([Command.STOP, Command.DRAIN, Command.START])
            self.log.append(f"{self.now:8.3f} {command.value} {name}")
            deadline = self._random.choice([2, 10, 600])
            self._submit(intents(self.cluster, command, [name], deadline=deadline))
        elif what < 0.55:
            self._submit(intents(self.cluster, Command.START))
        elif what < 0.64:
            self._order_of_a_home(name)
        elif what < 0.75:
            process = self.processes[name]
            pause = self._random.choice([0.3, 1.0, 4.5, 8.0])
            self.log.append(f"{self.now:8.3f} {name} does not run for {pause}")
            process.muted_at, process.paused_until = self.now, self.now + pause
            self._after(pause, lambda: self._pump(process))
        elif what < 0.87:
            process = self.processes[name]
            providers = self.cluster.used_providers
            if process.lost or self._random.random() < 0.5:
                self._link(process, bool(process.lost))
            else:
                self._link(process, False, self._random.choice(providers))
        else:
            self._store_trouble(self.processes[name])
        self._after(self._random.expovariate(1 / 4.0), self._misfortune)

    def _order_of_a_home(self, name: str) -> None:
        what = self._random.choice(["move", "move", "return", "hold", "hold no more"])
        if what == "move":
            to = self._random.choice([None, *self.cluster.candidates(name)])
            seconds = self._random.choice([None, 0, 2, 10]) if to is not None else None
            order = moving(self.cluster, name, to, deadline=seconds)
            self.order(f"shall be at {to or 'home'}, calls have {seconds} s", name, order, seconds)
        elif what == "return":
            snapshot = self.snapshot()
            if not unreturnable(self.cluster, snapshot, name):
                seconds = self._random.choice([0, 0, 2, 10])
                order = returning(self.cluster, snapshot, name, deadline=seconds)
                self.order(f"shall return, calls have {seconds} s", name, order, seconds)
        else:
            keep = what == "hold"
            order = keeping_away(self.cluster, name, keep=keep)
            self.order("is held" if keep else "is held no more", name, order, None)

    def _store_trouble(self, process: Process) -> None:
        how = self._random.choice(["reads", "writes", "either"])
        long = self._random.choice([0.5, 2.5, 6.0, 12.0])
        self.log.append(f"{self.now:8.3f} {process.name}: the store, {how}, is gone for {long}")
        process.reads = process.reads and how == "writes"
        process.writes = process.writes and how == "reads"

        def heal() -> None:
            process.reads = process.writes = True
            self._look(process)

        self._after(long, heal)

    def _link(self, process: Process, up: bool, *providers: str) -> None:
        """All providers are lost or found, or these."""
        some = providers or self.cluster.used_providers
        for provider in some:
            process.member.link(provider, up, process.clock(self.now))
        process.lost = process.lost.difference(some) if up else process.lost.union(some)
        if not up:
            self.log.append(f"{self.now:8.3f} {process.name} loses {', '.join(some)}")
            for identity in sorted(process.registered, key=_KEY):
                if identity.provider in some:
                    self._gone(process, identity)
                    process.member.lost(identity, process.clock(self.now))
        self._pump(process)

    def _caller(self) -> None:
        free = [
            (process, identity)
            for process in self.processes.values()
            for identity in sorted(process.registered, key=_KEY)
            if identity.kind is Kind.PORT and identity not in self.calls
        ]
        if free:
            process, identity = self._random.choice(free)
            runs = process.alive and process.paused_until <= self.now
            if runs and process.member.may_answer(identity, process.clock(self.now)):
                self.answered += 1
                self.calls[identity] = process
                process.member.set_busy(identity, True)
                self._pump(process)
                length = self._random.choice([0.5, 3.0, 20.0])
                self._after(length, lambda: self._hang_up(process, identity))
        self._after(self._random.expovariate(1.0), self._caller)

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
        for process in self.processes.values():
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
            process.member.observe(snapshot, process.clock(self.now), asked=asked)
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
            case Register(identity):
                self._after(soon, lambda: self._register(process, identity))
            case Unregister(identity):
                self._after(soon, lambda: self._unregister(process, identity))
            case Close(identity):
                self._close(process, identity)
            case EndCalls(identity):
                self._end_call(process, identity)
            case _:
                raise AssertionError(action)

    def _register(self, process: Process, identity: Identity) -> None:
        if not process.alive:
            return
        if identity.provider in process.lost:
            process.member.lost(identity, process.clock(self.now))
        elif identity.kind is Kind.PORT and self._is_kept(process, identity):
            process.member.refused(identity, process.clock(self.now))
        else:
            process.registered.add(identity)
            process.member.registered(identity, process.clock(self.now))
        self._pump(process)

    def _is_kept(self, process: Process, identity: Identity) -> bool:
        """Whether another has the port; who has been mute for a while loses it (keepalives)."""
        for other in self.processes.values():
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
        if identity.provider in process.lost:
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
            for process in self.processes.values()
            if process.registered and process.alive and process.paused_until <= self.now
        ]
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
