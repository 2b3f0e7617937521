"""What the explorer explores: production members, a store, a call manager, in one hashable state.

The members are the production ones; nothing of the planner is written down here a second time.
What is abstract is time: each member's clock stands at 0, and instead of seconds passing there
are events ("nothing is heard of B", "the guard of A is over"), each possible whenever it could
be true (:mod:`timeless`). The one assumption about time is the protocol's own: nobody is silent
for ``take`` to others while its guard, ``own``, lasts.

A member plans when it observes, and its transaction is committed by an event of its own, so that
anything may happen between. Revisions are canonical: each key has a pair of numbers for its value
in the store, and another for any that is no longer there but still in a member's snapshot or
flight. That merges situations which differ in their past only, and is exact, since a revision
never comes back.

What else is left out, and why no race between a plan and its commit goes with it:

* *Faults that were* are not part of a situation: what fewer faults lead to has more before it.
* *Processes of the past*: who runs has one instance, who ran another. A server compares nothing but
  whether a session is its own, and tokens tell sessions apart.
* *What a server saw and will not plan by*: between its own commit and its next look only what is of
  itself is kept of a snapshot. Plans are made from snapshots that are kept whole, however old.
* *A transaction that must be refused*, because of a revision that is gone, has no other compares.
* *Time that only delays*: every move may come late anyway. To be without the store, or to be unable
  to read it, is therefore one event, at the end of the guard; so is not to run, but that what is
  registered stays so until the server runs again.
* *Silence of a server that is proven dead*, which adds nothing to the proof.
* *Calls that nothing asks after*: they begin where the home is about to ask, or has asked. Whether
  a call would have been dropped is judged at each closing of a port that could have had one.
* *Closings that are done*, and attempts without a link, are reported at once: no move sees them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from simulation import hands_over
from timeless import FRESH, PAST, RUNS, beat_of, borne, bury, copied, frozen, outdate, settle

from pa_telephony.failover import Cluster, Identity, Kind
from pa_telephony.failover.actions import Close, EndCalls
from pa_telephony.failover.member import Member
from pa_telephony.failover.registration import State
from pa_telephony.failover.stored import CONFIGURATION, offered
from pa_telephony.failover.transaction import (
    Entry,
    Outcome,
    Put,
    Snapshot,
    Transaction,
)
from pa_telephony.failover.world import World, session

__all__ = ["CHANGES", "FAULTS", "Explored", "Node", "Situation", "with_node"]

NEVER = ""
"""Value of a key whose bearer's session is gone; it counts for nobody, like any such value."""


class Node(NamedTuple):
    """A server's surroundings. ``life`` is the number of its member, None while it is dead."""

    life: int | None
    paused: bool = False
    linked: bool = True


class Situation(NamedTuple):
    """Everything. ``store`` is the number of its contents; ``at`` holds who is registered at the
    call manager, for each identity."""

    store: int
    nodes: tuple[Node, ...]
    at: tuple[frozenset[int], ...]
    calls: tuple[int | None, ...]
    late: frozenset[Any] = frozenset()
    """Requests that nobody waits for, and that may still commit (:mod:`lateness`)."""
    mail: tuple[int | None, ...] = ()
    """What each server has read and has not seen yet."""


FAULTS = (
    "crash",
    "pause",
    "cut",
    "deaf",
    "link",
    "outcome",
    "stop stop",
    "stop alone",
    "stop drain",
    "move",
    "move within",
    "return",
    "hold",
)
CHANGES = "configuration"
"""The kind of fault that another configuration is saved, where an exploration has several."""


class _Keys(dict[str, int]):
    """A number for each key, from which those of its revisions are counted."""

    def __missing__(self, key: str) -> int:
        self[key] = 10 * (len(self) + 1)
        return self[key]


class _Commit(NamedTuple):
    store: int
    gone: tuple[frozenset[str], frozenset[str]]
    """Keys that were changed, and those of them that were deleted."""


Done = Close | EndCalls
"""What a member does at once, and to calls."""


class Explored:
    """The members, store and call manager of one cluster, and what one input changes of them.

    ``proof``: the store proves deaths, as the one of one machine does. ``kinds`` are the faults.
    ``broken`` collects what no move may do. ``others`` are configurations of the same servers that
    may be saved in place of ``cluster``.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        proof: bool = True,
        kinds: Iterable[str] | None = None,
        others: Iterable[Cluster] = (),
    ) -> None:
        self.cluster = cluster
        clusters = (cluster, *others)
        self.configurations = {offered(each).encode(): each for each in clusters}
        """The configurations by what the store has of them; one alone is in no store."""
        self.names = [server.server_name for server in cluster.servers]
        found = [i for each in clusters for name in self.names for i in each.identities(name)]
        self.identities = list(dict.fromkeys(found))
        self.passing = frozenset(
            i for i in found if any(i not in each.identities(i.home) for each in clusters)
        )
        """The identities that not every configuration has."""
        self.twins = [
            frozenset(
                number
                for number, other in enumerate(self.identities)
                if (other.kind, other.number) == (identity.kind, identity.number)
            )
            for identity in self.identities
        ]
        """The places of the identities that are one device at the call manager."""
        self.proof = proof
        self.kinds = frozenset(FAULTS if kinds is None else kinds)
        self.broken: list[str] = []
        self._places = {identity: place for place, identity in enumerate(self.identities)}
        self._keys = _Keys()
        self._members: list[Member] = []
        self._numbers: dict[Hashable, int] = {}
        self._done: dict[Hashable, tuple[int, tuple[Done, ...]]] = {}
        self._worlds: dict[Hashable, World] = {}
        self._now: dict[int, World] = {}
        self._acting: dict[int, frozenset[int]] = {}
        self.judged: dict[int, str] = {}
        self._world_ids: dict[int, int] = {}
        self._beats: dict[int, Transaction | None] = {}
        self._entries: dict[tuple[str, str], Entry] = {}
        self._stores: list[dict[str, Entry]] = []
        self._store_numbers: dict[tuple[tuple[str, str], ...], int] = {}
        self._commits: dict[tuple[int, Hashable], _Commit | None] = {}

    def start(self) -> Situation:
        """No server runs yet, and the store is empty."""
        nodes = tuple(Node(None) for _ in self.names)
        nothing = tuple(frozenset[int]() for _ in self.identities)
        first = next(iter(self.configurations))
        store = self._store({CONFIGURATION: first} if len(self.configurations) > 1 else {})
        mail = tuple(None for _ in self.names)
        calls = tuple(None for _ in self.identities)
        situation = Situation(store, nodes, nothing, calls, mail=mail)
        for place in range(len(self.names)):
            situation = self._born(situation, place)
        return situation

    # ------------------------------------------------------------------------------- members

    def member(self, node: Node) -> Member:
        """The member of a living server; not to be changed."""
        assert node.life is not None
        return self._members[node.life]

    def acts(self, node: Node) -> frozenset[int]:
        """The identities by number for which it acts: registered, and its guard lasts.

        What lingers it serves beside its home, by design; so does one that has sent the
        transaction by which it will linger, and does not know yet that it has committed.
        """
        if node.life is None:
            return frozenset()
        if node.life not in self._acting:
            member = self.member(node)
            self._acting[node.life] = frozenset(
                number
                for number, identity in enumerate(self.identities)
                if member.may_act(0.0)
                and member.state(identity) is State.REGISTERED
                and not hands_over(member, identity)
            )
        return self._acting[node.life]

    def _kept(self, member: Member) -> int:
        """The number of a member; equal ones have one."""
        key = self._seen_world(member), frozen(member)
        if key not in self._numbers:
            self._numbers[key] = len(self._members)
            self._members.append(member)
        return self._numbers[key]

    def _seen_world(self, member: Member) -> int:
        """The number of what it has seen; equal ones are one object from here on."""
        seen = member._world
        if id(seen) not in self._world_ids:
            snapshot = seen.snapshot
            key = snapshot.revision, snapshot.dead, tuple(sorted(snapshot.entries.items()))
            member._world = seen = self._worlds.setdefault(key, seen)
            self._world_ids.setdefault(id(seen), len(self._world_ids))
        return self._world_ids[id(seen)]

    def _lived(self, life: int, *what: Hashable) -> tuple[int, tuple[Done, ...]]:
        """The member after an input, and what it ends; the same input is computed once."""
        key = (life, what)
        if key not in self._done:
            member = copied(self._members[life])
            ends = self._input(member, what)
            self._done[key] = (self._kept(member), ends)
        return self._done[key]

    def _input(self, member: Member, what: tuple[Any, ...]) -> tuple[Done, ...]:
        match what:
            case ("observe", store, dead):
                member.observe(Snapshot(FRESH, self._stores[store], dead), 0.0)
            case ("finished", outcome):
                flight = member._flight
                assert flight is not None
                member.finished(flight.action, outcome, 0.0)
            case ("beaten", committed):
                beat = beat_of(member)
                assert beat is not None
                member.finished(beat, Outcome(committed, FRESH), 0.0)
            case ("reported", identity, report):
                getattr(member, report)(identity, 0.0)
            case ("linked", up):
                for provider in self.cluster.providers:
                    member.link(provider.name, up, 0.0)
            case ("busy", identity, busy):
                member.set_busy(identity, busy)
            case ("the guard is over",):
                member._guard = member._read = PAST
            case ("deaf",):
                member._read = PAST
            case ("cut off",):
                lost = member._reached.lost_since
                member._reached.lost_since = dict.fromkeys(lost, PAST)
            case ("silent", other):
                member._others.seen[other].since = PAST
            case ("announced", other):
                member._others.announced[other].since = PAST
            case ("overdue",):
                member._deadlines.drained.at = PAST
            case ("overdue", home):
                member._deadlines.homes[home].at = PAST
            case ("lingered", identity):
                member._ledger.registrations[identity].linger_until = PAST
            case ("outdated", changed, deleted):
                outdate(member, self._keys, changed, deleted)
                return ()
            case ("buried", name):
                bury(member, name)
                return ()
            case _:
                raise AssertionError(what)
        return self._act(member)

    def _act(self, member: Member) -> tuple[Done, ...]:
        done: list[Done] = []
        for _ in range(20):
            settle(member)
            actions = member.actions(0.0)
            done += [action for action in actions if isinstance(action, Done)]
            if not actions:
                break
        settle(member)
        return tuple(done)

    def _heartbeat(self, life: int) -> Transaction | None:
        """What the member would beat now; None without a session."""
        if life not in self._beats:
            beat = beat_of(copied(self._members[life]))
            self._beats[life] = None if beat is None else beat.transaction
        return self._beats[life]

    # --------------------------------------------------------------------------------- store

    def _store(self, values: Mapping[str, str]) -> int:
        """The number of a store with these values."""
        key = tuple(sorted(values.items()))
        if key not in self._store_numbers:
            self._store_numbers[key] = len(self._stores)
            for k, v in key:
                self._entries.setdefault((k, v), Entry(v, self._keys[k] + 2, self._keys[k] + 4))
            self._stores.append({each[0]: self._entries[each] for each in key})
        return self._store_numbers[key]

    def _value(self, situation: Situation, key: str) -> str | None:
        entry = self._stores[situation.store].get(key)
        return entry.value if entry else None

    def world(self, situation: Situation) -> World:
        """The store as it is now."""
        if situation.store not in self._now:
            entries = self._stores[situation.store]
            here = entries.get(CONFIGURATION)
            cluster = self.cluster if here is None else self.configurations[here.value]
            self._now[situation.store] = World(cluster, Snapshot(FRESH, entries))
        return self._now[situation.store]

    def _dead(self, situation: Situation) -> frozenset[str]:
        if not self.proof:
            return frozenset()
        pairs = zip(self.names, situation.nodes, strict=True)
        return frozenset(name for name, node in pairs if node.life is None)

    def _transacted(
        self, situation: Situation, transaction: Transaction, name: Hashable
    ) -> tuple[bool, Situation]:
        """Whether it commits, and what is then; ``name`` stands for it in the memory."""
        key = (situation.store, name)
        if key not in self._commits:
            self._commits[key] = self._commit(self._stores[situation.store], transaction)
        found = self._commits[key]
        if found is None:
            return False, situation
        nodes = tuple(
            node
            if node.life is None
            else Node(self._lived(node.life, "outdated", *found.gone)[0], *node[1:])
            for node in situation.nodes
        )
        situation = situation._replace(store=found.store, nodes=nodes)
        return True, self._overtaken(situation, found.gone)

    def _overtaken(
        self, situation: Situation, gone: tuple[frozenset[str], frozenset[str]]
    ) -> Situation:
        """What was on its way when something else committed."""
        return situation

    def _commit(self, entries: dict[str, Entry], transaction: Transaction) -> _Commit | None:
        if not all(compare.holds(entries) for compare in transaction.compares):
            return None
        store = {key: entry.value for key, entry in entries.items()}
        changed, deleted = set[str](), set[str]()
        for operation in transaction.operations:
            if operation.key in store:
                changed.add(operation.key)
            if isinstance(operation, Put):
                store[operation.key] = operation.value
            elif store.pop(operation.key, None) is not None:
                deleted.add(operation.key)
        for name in self.names:
            if session(name) in deleted:
                for key, value in store.items():
                    if borne(value)[0].server == name:
                        store[key] = NEVER
        return _Commit(self._store(store), (frozenset(changed), frozenset(deleted)))

    def _born(self, situation: Situation, place: int) -> Situation:
        name, node = self.names[place], situation.nodes[place]
        member = Member(self.cluster, name, instance=f"{name}{RUNS}", now=0.0)
        for provider in self.cluster.providers:
            member.link(provider.name, node.linked, 0.0)
        self._act(member)
        born = node._replace(life=self._kept(member))
        return with_node(situation, place, born)

    def _after(self, situation: Situation, place: int, *what: Hashable) -> Situation:
        """The situation after an input of one member, its closings begun, its calls ended."""
        node = situation.nodes[place]
        assert node.life is not None
        before = self.member(node)
        life, done = self._lived(node.life, *what)
        situation = with_node(situation, place, node._replace(life=life))
        for close in done:
            number = self._places[close.identity]
            if isinstance(close, EndCalls):
                if situation.calls[number] == place:
                    self._judge_end(situation, place, close.identity)
                    situation = self._over(situation, number)
                continue
            had_call = situation.calls[number] == place
            might = place in situation.at[number] and before.may_answer(close.identity, 0.0)
            if had_call or (might and close.identity.kind is Kind.PORT):
                self._judge_drop(situation, place, close.identity)
            if close.at_once or situation.calls[number] == place:
                situation = self._gone(situation, place, number)
        return situation

    def _judge_drop(self, situation: Situation, place: int, identity: Identity) -> None:
        node, name = situation.nodes[place], self.names[place]
        # The server may not have seen yet that an order was taken back.
        seen = self.member(node).world.stopped(name)
        stopped = seen is not None or self.world(situation).stopped(name) is not None
        if self.member(node).may_act(0.0) and node.linked and not stopped:
            self.broken.append(f"{name} drops a call on {identity}")

    def _judge_end(self, situation: Situation, place: int, identity: Identity) -> None:
        # The server may not have seen yet that an order was taken back.
        worlds = self.member(situation.nodes[place]).world, self.world(situation)
        if not any(limits_calls(world, identity.home) for world in worlds):
            self.broken.append(f"{self.names[place]} ends a call on {identity}")

    def _gone(self, situation: Situation, place: int, number: int) -> Situation:
        """The call manager has it no more from that server; a call on it is over."""
        if place in situation.at[number]:
            at = list(situation.at)
            at[number] = at[number] - {place}
            situation = situation._replace(at=tuple(at))
        if situation.calls[number] == place:
            situation = self._over(situation, number)
        return situation

    def _over(self, situation: Situation, number: int) -> Situation:
        place = situation.calls[number]
        assert place is not None
        calls = list(situation.calls)
        calls[number] = None
        situation = situation._replace(calls=tuple(calls))
        if situation.nodes[place].life is None:
            return situation
        return self._after(situation, place, "busy", self.identities[number], False)


def limits_calls(world: World, home: str) -> bool:
    """Whether an operator's order ends calls on the ports of a home, some time."""
    orders = world.orders(home)
    return orders.moves_within is not None or orders.returns_within is not None


def with_node(situation: Situation, place: int, node: Node) -> Situation:
    """The situation with another node at that place."""
    store, nodes, *rest = situation
    return Situation(store, (*nodes[:place], node, *nodes[place + 1 :]), *rest)
