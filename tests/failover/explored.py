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
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from timeless import FRESH, PAST, beat_of, frozen, outdate, settle

from pa_telephony.failover import Cluster, Identity, Kind
from pa_telephony.failover.member import Close, Member
from pa_telephony.failover.registration import State
from pa_telephony.failover.transaction import (
    Delete,
    Entry,
    Outcome,
    Put,
    Snapshot,
    Transaction,
)
from pa_telephony.failover.world import Bearer, Stop, World, session, stop

__all__ = ["Explored", "Node", "Situation"]

NEVER = ""
"""Value of a key whose bearer's session is gone; it counts for nobody, like any such value."""


class Node(NamedTuple):
    """A server's surroundings. ``life`` is the number of its member, None while it is dead."""

    life: int | None
    paused: bool = False
    cut: bool = False
    """Without the store."""
    deaf: bool = False
    """It writes to the store and cannot read it."""
    linked: bool = True
    restarted: bool = False
    """Tells a process from its predecessor."""


class Situation(NamedTuple):
    """Everything. ``store`` is the number of its contents; ``at`` holds who is registered at the
    call manager, for each identity."""

    store: int
    nodes: tuple[Node, ...]
    at: tuple[frozenset[int], ...]
    calls: tuple[int | None, ...]
    faults: int


Move = tuple[str, bool, Situation]
"""What happens, whether it is a fault, what is then."""


class _Keys(dict[str, int]):
    """A number for each key, from which those of its revisions are counted."""

    def __missing__(self, key: str) -> int:
        self[key] = 10 * (len(self) + 1)
        return self[key]


class _Commit(NamedTuple):
    store: int
    gone: tuple[frozenset[str], frozenset[str]]
    """Keys that were changed, and those of them that were deleted."""


class Explored:
    """The rules of one cluster: :meth:`moves` are all that can happen in a situation.

    ``proof``: the store proves deaths, as the one of one machine does. ``kinds`` are the faults.
    ``broken`` collects what no move may do.
    """

    def __init__(
        self, cluster: Cluster, *, proof: bool = True, kinds: Iterable[str] | None = None
    ) -> None:
        self.cluster = cluster
        self.names = [server.server_name for server in cluster.servers]
        self.identities = [i for name in self.names for i in cluster.identities(name)]
        self.proof = proof
        self.kinds = frozenset(FAULTS if kinds is None else kinds)
        self.broken: list[str] = []
        self._places = {identity: place for place, identity in enumerate(self.identities)}
        self._keys = _Keys()
        self._members: list[Member] = []
        self._numbers: dict[Hashable, int] = {}
        self._done: dict[Hashable, tuple[int, tuple[Close, ...]]] = {}
        self._beats: dict[int, Transaction | None] = {}
        self._stores: list[dict[str, Entry]] = []
        self._store_numbers: dict[tuple[tuple[str, str], ...], int] = {}
        self._commits: dict[tuple[int, Hashable], _Commit | None] = {}

    def start(self) -> Situation:
        """Nobody runs yet, and the store is empty."""
        nodes = tuple(Node(None) for _ in self.names)
        nothing = tuple(frozenset[int]() for _ in self.identities)
        situation = Situation(
            self._store({}), nodes, nothing, tuple(None for _ in self.identities), 0
        )
        for place in range(len(self.names)):
            situation = self._born(situation, place)
        return situation

    # ------------------------------------------------------------------------------- members

    def member(self, node: Node) -> Member:
        """The member of a living server; not to be changed."""
        assert node.life is not None
        return self._members[node.life]

    def _kept(self, member: Member) -> int:
        """The number of a member; equal ones have one."""
        key = frozen(member)
        if key not in self._numbers:
            self._numbers[key] = len(self._members)
            self._members.append(member)
        return self._numbers[key]

    def _copied(self, member: Member) -> Member:
        shared: dict[int, Any] = {id(each): each for each in self.identities}
        for each in (self.cluster, member.cluster.timing, member.world):
            shared[id(each)] = each
        return copy.deepcopy(member, shared)

    def _lived(self, life: int, *what: Hashable) -> tuple[int, tuple[Close, ...]]:
        """The member after an input, and what it closes; the same input is computed once."""
        key = (life, what)
        if key not in self._done:
            member = self._copied(self._members[life])
            closes = self._input(member, what)
            self._done[key] = (self._kept(member), closes)
        return self._done[key]

    def _input(self, member: Member, what: tuple[Any, ...]) -> tuple[Close, ...]:
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
                member._lost_since = dict.fromkeys(member._lost_since, PAST)
            case ("silent", other):
                member._memory.seen[other].since = PAST
            case ("lingered", identity):
                member._registrations[identity].linger_until = PAST
            case ("outdated", changed, deleted):
                outdate(member, self._keys, changed, deleted)
                return ()
            case _:
                raise AssertionError(what)
        return self._act(member)

    def _act(self, member: Member) -> tuple[Close, ...]:
        closes: list[Close] = []
        for _ in range(20):
            settle(member)
            actions = member.actions(0.0)
            closes += [action for action in actions if isinstance(action, Close)]
            if not actions:
                break
        settle(member)
        return tuple(closes)

    def _heartbeat(self, life: int) -> Transaction | None:
        """What the member would beat now; None without a session."""
        if life not in self._beats:
            beat = beat_of(self._copied(self._members[life]))
            self._beats[life] = None if beat is None else beat.transaction
        return self._beats[life]

    # --------------------------------------------------------------------------------- store

    def _store(self, values: Mapping[str, str]) -> int:
        """The number of a store with these values."""
        key = tuple(sorted(values.items()))
        if key not in self._store_numbers:
            self._store_numbers[key] = len(self._stores)
            self._stores.append({k: Entry(v, self._keys[k] + 2, self._keys[k] + 4) for k, v in key})
        return self._store_numbers[key]

    def _value(self, situation: Situation, key: str) -> str | None:
        entry = self._stores[situation.store].get(key)
        return entry.value if entry else None

    def world(self, situation: Situation) -> World:
        """The store as it is now."""
        return World(self.cluster, Snapshot(FRESH, self._stores[situation.store]))

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
            else node._replace(life=self._lived(node.life, "outdated", *found.gone)[0])
            for node in situation.nodes
        )
        return True, situation._replace(store=found.store, nodes=nodes)

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
                    if Bearer.parse(value).server == name:
                        store[key] = NEVER
        return _Commit(self._store(store), (frozenset(changed), frozenset(deleted)))

    # --------------------------------------------------------------------------------- moves

    def moves(self, situation: Situation, faults: int) -> Iterator[Move]:
        """All that can happen; faults only while there were fewer than ``faults``."""
        if (settled := self._settled(situation)) is not None:
            yield settled
            return
        for place in range(len(self.names)):
            node = situation.nodes[place]
            if node.life is None:
                yield f"{self.names[place]} starts again", False, self._born(situation, place)
            else:
                yield from self._of_server(situation, place)
            if situation.faults < faults:
                for what, after in self._faults(situation, place):
                    yield what, True, after._replace(faults=situation.faults + 1)
        yield from self._calls(situation)

    def _settled(self, situation: Situation) -> Move | None:
        """What only tells a server of what is so already: no other move hinders or sees it."""
        for place, node in enumerate(situation.nodes):
            if node.life is None or node.paused:
                continue
            for identity, found in self.member(node)._registrations.items():
                gone = place not in situation.at[self._places[identity]]
                closed = found.state is State.CLOSING and gone
                if closed or (not node.linked and found.state in _ASKING):
                    (move,) = self._answers(situation, place, identity, found.state)
                    return move
        return None

    def _born(self, situation: Situation, place: int) -> Situation:
        name, node = self.names[place], situation.nodes[place]
        restarted = not node.restarted
        member = Member(self.cluster, name, instance=f"{name}#{int(restarted)}", now=0.0)
        for provider in self.cluster.providers:
            member.link(provider.name, node.linked, 0.0)
        self._act(member)
        born = node._replace(life=self._kept(member), restarted=restarted)
        return _with(situation, place, born)

    def _after(self, situation: Situation, place: int, *what: Hashable) -> Situation:
        """The situation after an input of one member, its closings begun."""
        node = situation.nodes[place]
        assert node.life is not None
        life, closes = self._lived(node.life, *what)
        situation = _with(situation, place, node._replace(life=life))
        for close in closes:
            number = self._places[close.identity]
            if situation.calls[number] == place:
                self._judge_drop(situation, place, close.identity)
            if close.at_once or situation.calls[number] == place:
                situation = self._gone(situation, place, number)
        return situation

    def _judge_drop(self, situation: Situation, place: int, identity: Identity) -> None:
        node, name = situation.nodes[place], self.names[place]
        stopped = self.world(situation).stopped(name) is not None
        if self.member(node).may_act(0.0) and node.linked and not stopped:
            self.broken.append(f"{name} drops a call on {identity}")

    def _gone(self, situation: Situation, place: int, number: int) -> Situation:
        """The call manager has it no more from that server; a call on it is over."""
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

    def _of_server(self, situation: Situation, place: int) -> Iterator[Move]:
        name, node = self.names[place], situation.nodes[place]
        member = self.member(node)
        acts = member.may_act(0.0)
        if node.paused:
            yield f"{name} runs again", False, self._resumed(situation, place)
            if acts:
                over = self._over_guard(situation, place)
                yield f"the guard of {name} is over while it does not run", False, over
            return
        if node.cut:
            yield (
                f"{name} reaches the store again",
                False,
                _with(situation, place, node._replace(cut=False)),
            )
            if acts:
                yield f"the guard of {name} is over", False, self._over_guard(situation, place)
        else:
            yield from self._at_store(situation, place, member)
        if not node.linked:
            linked = _with(situation, place, node._replace(linked=True))
            yield (
                f"{name} reaches the call manager",
                False,
                self._after(linked, place, "linked", True),
            )
            if PAST not in member._lost_since.values():
                yield f"{name} is cut off", False, self._after(situation, place, "cut off")
        for identity, found in member._registrations.items():
            if found.state is State.LINGERING and found.linger_until != PAST:
                yield (
                    f"{name} has lingered on {identity}",
                    False,
                    self._after(situation, place, "lingered", identity),
                )
            yield from self._answers(situation, place, identity, found.state)

    def _resumed(self, situation: Situation, place: int) -> Situation:
        # It looks at its clock before anything else.
        node = situation.nodes[place]._replace(paused=False)
        situation = _with(situation, place, node)
        if not self.member(node).may_act(0.0):
            return self._after(situation, place, "the guard is over")
        return situation

    def _over_guard(self, situation: Situation, place: int) -> Situation:
        node = situation.nodes[place]
        if not node.paused:
            return self._after(situation, place, "the guard is over")
        # Nothing is closed by a process that does not run.
        member = self._copied(self.member(node))
        member._guard = member._read = PAST
        return _with(situation, place, node._replace(life=self._kept(member)))

    def _at_store(self, situation: Situation, place: int, member: Member) -> Iterator[Move]:
        name, dead = self.names[place], self._dead(situation)
        seen = member.world.snapshot
        if node_deaf := situation.nodes[place].deaf:
            hears = _with(situation, place, situation.nodes[place]._replace(deaf=False))
            yield f"{name} can read again", False, hears
            if member._read != PAST:
                yield f"{name} has not read for long", False, self._after(situation, place, "deaf")
        news = seen.dead != dead or seen.entries != self._stores[situation.store]
        if not node_deaf and (news or not member._known or member._read == PAST):
            looked = self._after(situation, place, "observe", situation.store, dead)
            yield f"{name} looks", False, looked
        if member._flight is not None:
            step = member._flight.step
            committed, after = self._flown(situation, place, member)
            self._judge_step(situation, place, committed, step)
            after = self._after(after, place, "finished", Outcome(committed, FRESH))
            yield f"{name}: {step} {'committed' if committed else 'refused'}", False, after
        life = situation.nodes[place].life
        assert life is not None
        beat = self._heartbeat(life)
        if beat is not None:
            (operation,) = beat.operations
            assert isinstance(operation, Put)
            old = self._value(situation, operation.key)
            if old != operation.value or member._guard <= 0.0:
                committed, after = self._transacted(situation, beat, ("beat", life))
                after = self._after(after, place, "beaten", committed)
                yield f"{name} beats{'' if committed else ', and is deposed'}", False, after
        for other, seen_of in member._memory.seen.items():
            there = situation.nodes[self.names.index(other)]
            beats = there.life is not None and self.member(there)._guard > 0.0
            if seen_of.since != PAST and other != name and not beats:
                yield (
                    f"{name} has not heard of {other} for long",
                    False,
                    self._after(situation, place, "silent", other),
                )
        if self._value(situation, stop(name)) is not None:
            begin = Transaction((), (Delete(stop(name)),))
            _, after = self._transacted(situation, begin, f"start {name}")
            yield f"{name} shall run again", False, after

    def _flown(self, situation: Situation, place: int, member: Member) -> tuple[bool, Situation]:
        assert member._flight is not None
        life = situation.nodes[place].life
        transaction = member._flight.action.transaction
        return self._transacted(situation, transaction, ("flight", life))

    def _judge_step(self, situation: Situation, place: int, committed: bool, step: Any) -> None:
        if committed and step.kind.value == "leave":
            held = [i for i, at in zip(self.identities, situation.at, strict=True) if place in at]
            if held:
                self.broken.append(f"{self.names[place]} leaves with {held[0]} registered")

    def _answers(
        self, situation: Situation, place: int, identity: Identity, state: State
    ) -> Iterator[Move]:
        name, node, number = self.names[place], situation.nodes[place], self._places[identity]

        def report(what: Situation, how: str) -> Situation:
            return self._after(what, place, "reported", identity, how)

        def at(there: frozenset[int]) -> Situation:
            changed = list(situation.at)
            changed[number] = there
            return situation._replace(at=tuple(changed))

        here = situation.at[number]
        if state is State.REGISTERING and not node.linked:
            yield f"{name} does not reach {identity}", False, report(situation, "lost")
        elif state is State.REGISTERING:
            others = here - {place} if identity.kind is Kind.PORT else frozenset[int]()
            if not others:
                yield f"{name} has {identity}", False, report(at(here | {place}), "registered")
            else:
                yield f"{identity} is refused to {name}", False, report(situation, "refused")
            if others and all(situation.nodes[other].paused for other in others):
                # The call manager has missed its keepalives.
                there = situation
                for other in others:
                    there = self._gone(there, other, number)
                changed = list(there.at)
                changed[number] = frozenset({place})
                there = there._replace(at=tuple(changed))
                yield (
                    f"{name} displaces a mute owner of {identity}",
                    False,
                    report(there, "registered"),
                )
        elif state is State.UNREGISTERING and not node.linked:
            yield f"{name} gets no answer on {identity}", False, report(situation, "lost")
        elif state is State.UNREGISTERING and situation.calls[number] == place:
            yield f"{name} keeps {identity}: a call is up", False, report(situation, "kept")
        elif state is State.UNREGISTERING:
            yield f"{name} gives up {identity}", False, report(at(here - {place}), "unregistered")
        elif state is State.CLOSING:
            gone = self._gone(situation, place, number)
            yield f"{name} has closed {identity}", False, report(gone, "closed")

    def _calls(self, situation: Situation) -> Iterator[Move]:
        for number, identity in enumerate(self.identities):
            if identity.kind is not Kind.PORT:
                continue
            if situation.calls[number] is not None:
                yield f"the call on {identity} ends", False, self._over(situation, number)
                continue
            for place in situation.at[number]:
                node = situation.nodes[place]
                runs = node.life is not None and not node.paused
                if runs and self.member(node).may_answer(identity, 0.0):
                    calls = list(situation.calls)
                    calls[number] = place
                    talks = situation._replace(calls=tuple(calls))
                    talks = self._after(talks, place, "busy", identity, True)
                    yield f"a call on {identity} at {self.names[place]}", False, talks

    # -------------------------------------------------------------------------------- faults

    def _faults(self, situation: Situation, place: int) -> Iterator[tuple[str, Situation]]:
        name, node = self.names[place], situation.nodes[place]
        shall_stop = self._value(situation, stop(name))
        if shall_stop is None:
            for how in (Stop.FAIL_OVER, Stop.ALONE):
                if f"stop {how.value}" in self.kinds:
                    intent = Transaction((), (Put(stop(name), how.value),))
                    what = f"{how.value} {name}"
                    yield what, self._transacted(situation, intent, what)[1]
        if node.life is None:
            return
        member = self.member(node)
        if "crash" in self.kinds:
            dead = _with(
                situation, place, node._replace(life=None, paused=False, cut=False, deaf=False)
            )
            for number in range(len(self.identities)):
                dead = self._gone(dead, place, number)
            yield f"{name} crashes", dead
        if node.paused:
            return
        if "pause" in self.kinds:
            yield f"{name} does not run", _with(situation, place, node._replace(paused=True))
        if "cut" in self.kinds and not node.cut:
            yield f"{name} loses the store", _with(situation, place, node._replace(cut=True))
        if "deaf" in self.kinds and not node.deaf:
            yield f"{name} cannot read", _with(situation, place, node._replace(deaf=True))
        if "link" in self.kinds and node.linked:
            yield f"{name} loses the call manager", self._unlinked(situation, place)
        if "outcome" in self.kinds and member._flight is not None and not node.cut:
            committed, after = self._flown(situation, place, member)
            self._judge_step(situation, place, committed, member._flight.step)
            if committed:
                after = self._after(after, place, "finished", None)
                yield f"{name}: {member._flight.step} committed, and the answer is lost", after

    def _unlinked(self, situation: Situation, place: int) -> Situation:
        node = situation.nodes[place]._replace(linked=False)
        situation = _with(situation, place, node)
        had = [n for n, there in enumerate(situation.at) if place in there]
        for number in had:
            situation = self._gone(situation, place, number)
        situation = self._after(situation, place, "linked", False)
        for number in had:
            situation = self._after(situation, place, "reported", self.identities[number], "lost")
        return situation


_ASKING = frozenset({State.REGISTERING, State.UNREGISTERING})
FAULTS = ("crash", "pause", "cut", "deaf", "link", "outcome", "stop stop", "stop alone")


def _with(situation: Situation, place: int, node: Node) -> Situation:
    nodes = situation.nodes
    return situation._replace(nodes=(*nodes[:place], node, *nodes[place + 1 :]))
