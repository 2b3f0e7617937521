"""All that can happen in a situation of :mod:`explored`, faults and what follows from them.

What only delays a server needs no event, for each of its moves may come late anyway. A fault that
takes a while is therefore one event, at its end: a server that was without the store, or could not
read it, for as long as its guard; one that did not run for so long, and still has not closed
anything. What a shorter one of these does is a late move.
"""

from __future__ import annotations

from collections.abc import Iterator

from explored import CHANGES, Situation, limits_calls, with_node
from lateness import Lateness
from timeless import FRESH, PAST, buried, copied

from pa_telephony.failover import Identity, Kind
from pa_telephony.failover.changes import effect
from pa_telephony.failover.intent import keeping_away, returning as returning_home
from pa_telephony.failover.member import Member
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.stored import CONFIGURATION
from pa_telephony.failover.transaction import Delete, Outcome, Put, Transaction
from pa_telephony.failover.world import Stop, held_back, move, returning, session, stop

__all__ = ["Happening"]

Move = tuple[str, bool, Situation]
"""What happens, whether it is a fault, what is then."""

_ASKING = frozenset({State.REGISTERING, State.UNREGISTERING})


class Happening(Lateness):
    """The rules of one cluster: :meth:`moves` are all that can happen in a situation."""

    def moves(self, situation: Situation, *, faults: bool) -> Iterator[Move]:
        """All that can happen; ``faults``: with faults."""
        if (settled := self._settled(situation)) is not None:
            yield settled
            return
        for place in range(len(self.names)):
            node = situation.nodes[place]
            if node.life is None:
                yield f"{self.names[place]} starts again", False, self._born(situation, place)
                yield from self._of_agent(situation, place)
            else:
                yield from self._of_server(situation, place)
            if faults:
                for what, after in self._faults(situation, place):
                    yield what, True, after
        yield from self._calls(situation)
        for what, late, committed, after in self.comes_late(situation):
            if late.step is not None:
                self._judge_step(situation, late.place, committed, late.step)
            yield what, False, after

    def _of_agent(self, situation: Situation, place: int) -> Iterator[Move]:
        """Where a death is seen on the machine alone, its agent may end the session."""
        where = session(self.names[place])
        if not self.proof and self._value(situation, where) is not None:
            ends = Transaction((), (Delete(where),))
            what = f"its agent ends the session of {self.names[place]}"
            yield what, False, self._transacted(situation, ends, what)[1]

    def _settled(self, situation: Situation) -> Move | None:
        """What only tells a server of what is so already: no other move hinders or sees it."""
        for place, node in enumerate(situation.nodes):
            if node.life is None or node.paused:
                continue
            for identity, found in self.member(node)._ledger.registrations.items():
                gone = place not in situation.at[self._places[identity]]
                closed = found.state is State.CLOSING and gone
                if closed or (not node.linked and found.state in _ASKING):
                    (move,) = self._answers(situation, place, identity, found.state)
                    return move
        return None

    def _of_server(self, situation: Situation, place: int) -> Iterator[Move]:
        name, node = self.names[place], situation.nodes[place]
        member = self.member(node)
        if node.paused:
            # It looks at its clock before anything else.
            awake = with_node(situation, place, node._replace(paused=False))
            yield f"{name} runs again", False, self._after(awake, place, "the guard is over")
            return
        yield from self._at_store(situation, place, member)
        if not node.linked:
            linked = with_node(situation, place, node._replace(linked=True))
            yield (
                f"{name} reaches the call manager",
                False,
                self._after(linked, place, "linked", True),
            )
            if PAST not in member._reached.lost_since.values():
                yield f"{name} is cut off", False, self._after(situation, place, "cut off")
        for identity, found in member._ledger.registrations.items():
            if found.state is State.LINGERING and found.linger_until != PAST:
                yield (
                    f"{name} has lingered on {identity}",
                    False,
                    self._after(situation, place, "lingered", identity),
                )
            yield from self._answers(situation, place, identity, found.state)

    def _at_store(self, situation: Situation, place: int, member: Member) -> Iterator[Move]:
        name, dead = self.names[place], self._dead(situation)
        seen = member.world.snapshot
        news = seen.dead != dead or seen.entries != self._stores[situation.store]
        if news or not member._known or member._read == PAST:
            looked = self._after(situation, place, "observe", situation.store, dead)
            yield f"{name} looks", False, looked
        for what, seen_late in self.reads_late(situation, place):
            yield what, False, seen_late
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
        for other, seen_of in member._others.seen.items():
            there = situation.nodes[self.names.index(other)]
            beats = there.life is not None and self.member(there)._guard > 0.0
            # Who is proven dead need not be silent, too.
            if seen_of.since != PAST and other not in {name, *seen.dead} and not beats:
                yield (
                    f"{name} has not heard of {other} for long",
                    False,
                    self._after(situation, place, "silent", other),
                )
        for other, announced in member._others.announced.items():
            if announced.since != PAST:
                yield (
                    f"{name} waits no longer for {other} to begin",
                    False,
                    self._after(situation, place, "announced", other),
                )
        drained = member.world.stopped(name) is Stop.DRAIN and member.world.session(name)
        if drained and member._deadlines.drained.at != PAST:
            yield f"{name} has drained for long", False, self._after(situation, place, "overdue")
        for home, deadline in member._deadlines.homes.items():
            if deadline.at != PAST and any(each.home == home for each in member._ledger.busy):
                yield (
                    f"the calls of {home} at {name} have had their time",
                    False,
                    self._after(situation, place, "overdue", home),
                )
        if self._value(situation, move(name)) is not None:
            back = Transaction((), (Delete(move(name)),))
            _, after = self._transacted(situation, back, f"back {name}")
            yield f"{name} shall serve itself again", False, after
        for order, what in (
            (held_back, f"{name} is held no more"),
            (returning, f"{name} shall not return any more"),
        ):
            if self._value(situation, order(name)) is not None:
                back = Transaction((), (Delete(order(name)),))
                yield what, False, self._transacted(situation, back, what)[1]
        if self._value(situation, stop(name)) is not None:
            begin = Transaction((), (Delete(stop(name)),))
            _, after = self._transacted(situation, begin, f"start {name}")
            yield f"{name} shall run again", False, after

    def _flown(self, situation: Situation, place: int, member: Member) -> tuple[bool, Situation]:
        assert member._flight is not None
        life = situation.nodes[place].life
        transaction = member._flight.action.transaction
        return self._transacted(situation, transaction, ("flight", life))

    def _judge_step(self, situation: Situation, place: int, committed: bool, step: Step) -> None:
        name, world = self.names[place], self.world(situation)
        if committed and step.kind is StepKind.TAKE_HOME:
            home, others = step.server, {None, name}
            if world.stopped(home) is Stop.ALONE or world.stopped(name) is not None:
                self.broken.append(f"{name} takes {home} although somebody was stopped")
            if {world.claimant(home), *map(world.owner, step.identities)} - others:
                self.broken.append(f"{name} takes from another what is of {home}")
        if committed and step.kind is StepKind.HAND_BACK and world.orders(step.server).held_back:
            self.broken.append(f"{name} gives back to {step.server}, which is held")
        if committed and step.kind is StepKind.LEAVE:
            held = [i for i, at in zip(self.identities, situation.at, strict=True) if place in at]
            if held:
                self.broken.append(f"{name} leaves with {held[0]} registered")

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
            # A number that moves between two homes is one device.
            there = frozenset[int]().union(*(situation.at[twin] for twin in self.twins[number]))
            others = there - {place} if identity.kind is Kind.PORT else frozenset[int]()
            if not others:
                yield f"{name} has {identity}", False, report(at(here | {place}), "registered")
            else:
                yield f"{identity} is refused to {name}", False, report(situation, "refused")
            if others and all(situation.nodes[other].paused for other in others):
                # The call manager has missed its keepalives.
                after = situation
                for other in others:
                    for twin in self.twins[number]:
                        if other in after.at[twin]:
                            after = self._gone(after, other, twin)
                changed = list(after.at)
                changed[number] = frozenset({place})
                after = after._replace(at=tuple(changed))
                yield (
                    f"{name} displaces a mute owner of {identity}",
                    False,
                    report(after, "registered"),
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
                passing = identity in self.passing
                # At home they matter where an order ends them.
                limited = limits_calls(self.world(situation), identity.home)
                at_home = self.names[place] == identity.home and not (passing or limited)
                if node.life is None or node.paused or at_home:
                    continue
                member, world = self.member(node), self.world(situation)
                asked = member.world.wants(identity.home) or world.wants(identity.home)
                if (asked or passing or limited) and member.may_answer(identity, 0.0):
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
            for how in Stop:
                if f"stop {how.value}" in self.kinds:
                    order = f"{how.value}:600" if how is Stop.DRAIN else how.value
                    intent = Transaction((), (Put(stop(name), order),))
                    what = f"{how.value} {name}"
                    yield what, self._transacted(situation, intent, what)[1]
        if place == 0 and CHANGES in self.kinds:
            yield from self._saved(situation)
        there = self._value(situation, move(name))
        for to in self.cluster.candidates(name):
            for kind, order in (("move", to), ("move within", f"{to}:600")):
                if kind in self.kinds and there != order:
                    what = f"{name} is moved to {order}"
                    intent = Transaction((), (Put(move(name), order),))
                    yield what, self._transacted(situation, intent, what)[1]
        yield from self._kept_or_called_home(situation, place)
        if node.life is None:
            return
        member = self.member(node)
        if "crash" in self.kinds:
            yield f"{name} crashes", self._crashed(situation, place)
        if node.paused:
            return
        if member._guard > 0.0 or member._read != PAST:
            held = any(place in there for there in situation.at)
            if "pause" in self.kinds and held:
                yield f"{name} does not run for long", self._paused(situation, place)
            elif "pause" in self.kinds or "cut" in self.kinds:
                yield f"{name} is without the store for long", self._cut(situation, place)
            if "cut" in self.kinds and "pause" in self.kinds and held:
                yield f"{name} is without the store for long", self._cut(situation, place)
        if "deaf" in self.kinds and member._read != PAST:
            yield f"{name} cannot read for long", self._after(situation, place, "deaf")
        yield from self.becomes_late(situation, place)
        if "link" in self.kinds and node.linked:
            yield f"{name} loses the call manager", self._unlinked(situation, place)
        if "outcome" in self.kinds and member._flight is not None:
            committed, after = self._flown(situation, place, member)
            self._judge_step(situation, place, committed, member._flight.step)
            if committed:
                after = self._after(after, place, "finished", None)
                yield f"{name}: {member._flight.step} committed, and the answer is lost", after

    def _kept_or_called_home(
        self, situation: Situation, place: int
    ) -> Iterator[tuple[str, Situation]]:
        name, world = self.names[place], self.world(situation)
        orders = world.orders(name)
        if "hold" in self.kinds and not orders.held_back:
            what = f"{name} is held"
            yield what, self._transacted(situation, keeping_away(self.cluster, name), what)[1]
        home = world.session(name) is not None and orders.returns_within is None
        if "return" in self.kinds and home:
            order = returning_home(self.cluster, world.snapshot, name, deadline=600)
            what = f"{name} shall return"
            yield what, self._transacted(situation, order, what)[1]

    def _saved(self, situation: Situation) -> Iterator[tuple[str, Situation]]:
        """Each configuration that is not there and may be saved now."""
        world = self.world(situation)
        for count, (value, cluster) in enumerate(self.configurations.items()):
            if cluster is world.cluster or effect(cluster, world).refused:
                continue
            litter = [each for each in world.strays if world.owner(each) is None]
            save = Transaction(
                (), (Put(CONFIGURATION, value), *(Delete(each.key) for each in litter))
            )
            what = f"configuration {count} is saved"
            yield what, self._transacted(situation, save, what)[1]

    def _cut(self, situation: Situation, place: int) -> Situation:
        return self._after(situation, place, "the guard is over")

    def _paused(self, situation: Situation, place: int) -> Situation:
        # Nothing is closed by a process that does not run.
        node = situation.nodes[place]
        member = copied(self.member(node))
        member._guard = member._read = PAST
        return with_node(situation, place, node._replace(life=self._kept(member), paused=True))

    def _crashed(self, situation: Situation, place: int) -> Situation:
        name, node = self.names[place], situation.nodes[place]
        dead = node._replace(life=None, paused=False)
        situation = with_node(situation, place, dead)
        for number in range(len(self.identities)):
            situation = self._gone(situation, place, number)
        store = self._stores[situation.store]
        values = {key: entry.value for key, entry in store.items()}
        if session(name) in values:
            values[session(name)] = buried(values[session(name)], name)
        for other, there in enumerate(situation.nodes):
            if there.life is not None:
                life, _ = self._lived(there.life, "buried", name)
                situation = with_node(situation, other, there._replace(life=life))
        return self._bereft(situation._replace(store=self._store(values)), place)

    def _unlinked(self, situation: Situation, place: int) -> Situation:
        node = situation.nodes[place]._replace(linked=False)
        situation = with_node(situation, place, node)
        had = [n for n, there in enumerate(situation.at) if place in there]
        for number in had:
            situation = self._gone(situation, place, number)
        situation = self._after(situation, place, "linked", False)
        for number in had:
            situation = self._after(situation, place, "reported", self.identities[number], "lost")
        return situation
