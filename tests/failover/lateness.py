"""What comes late in a situation of :mod:`explored`, from a store that stands on other machines.

A request that its client has given up may commit at any time later, or never; what a server reads
may be older than what others have read already. Each is a fault when it begins, and may then come
at any moment.

* ``late beat``: a heartbeat as it would be sent now commits later, also after its server's death.
* ``orphan``: a server crashes, and the step that it has sent is still on its way.
* ``old look``: what a server is about to read is the store as it is now, however late it comes.
* ``late step``: the client has given a step up, and does not find out before it goes on what has
  become of it. No store may do that; it is here to show why.

Of what is late only what may still commit is kept: a request that compares a revision which is gone
is gone itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from explored import Done, Explored, Situation
from timeless import OLD, buried, outdated, overtaken

from pa_telephony.failover.member import Member
from pa_telephony.failover.steps import Step
from pa_telephony.failover.transaction import Entry, Put, Snapshot, Transaction
from pa_telephony.failover.world import session

__all__ = ["LATENESS", "Late", "Lateness"]

LATENESS = ("late beat", "orphan", "old look")
"""The faults of a store on other machines that finds out what has become of a step."""


class Late(NamedTuple):
    """A request of the server at ``place`` that may still commit; ``step`` is None for a beat."""

    place: int
    step: Step | None
    transaction: Transaction


class Lateness(Explored):
    """Keeps what is late true to what has committed, and to who has died."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._letters: list[dict[str, Entry]] = []
        self._letter_numbers: dict[tuple[tuple[str, Entry], ...], int] = {}

    # What may become late.

    def becomes_late(self, situation: Situation, place: int) -> Iterator[tuple[str, Situation]]:
        """Each thing of a living server that may be late from now on."""
        name, node = self.names[place], situation.nodes[place]
        member, life = self.member(node), node.life
        assert life is not None
        beat = self._heartbeat(life) if "late beat" in self.kinds else None
        if beat is not None:
            yield f"a beat of {name} is on its way", self._sent(situation, Late(place, None, beat))
        if "old look" in self.kinds and self._letter(situation, place) != situation.mail[place]:
            mail = list(situation.mail)
            mail[place] = self._letter(situation, place)
            yield f"{name} is about to read", situation._replace(mail=tuple(mail))
        flight = member._flight
        if flight is None:
            return
        late = Late(place, flight.step, flight.action.transaction)
        if "late step" in self.kinds:
            after = self._after(situation, place, "finished", None)
            yield f"{name}: {flight.step} is given up", self._sent(after, late)
        if "orphan" in self.kinds:
            after = self._crashed(self._sent(situation, late), place)
            yield f"{name} crashes, and {flight.step} is on its way", after

    def _crashed(self, situation: Situation, place: int) -> Situation:
        raise NotImplementedError

    def _sent(self, situation: Situation, late: Late) -> Situation:
        return situation._replace(late=situation.late | {late})

    def _letter(self, situation: Situation, place: int) -> int:
        """The number of the store as it is now, as something that may be read later."""
        return self._posted(self._stores[situation.store])

    def _posted(self, entries: Mapping[str, Entry]) -> int:
        key = tuple(sorted(entries.items()))
        if key not in self._letter_numbers:
            self._letter_numbers[key] = len(self._letters)
            self._letters.append(dict(key))
        return self._letter_numbers[key]

    # What comes at last.

    def comes_late(self, situation: Situation) -> Iterator[tuple[str, Late, bool, Situation]]:
        """Each request that commits, or is refused, now."""
        for late in situation.late:
            left = situation._replace(late=situation.late - {late})
            committed, after = self._transacted(left, late.transaction, late.transaction)
            if committed:
                what = late.step or "a beat"
                yield f"{self.names[late.place]}: {what} commits late", late, committed, after

    def reads_late(self, situation: Situation, place: int) -> Iterator[tuple[str, Situation]]:
        """The server sees what it has read some time ago, unless that is the store as it is now."""
        number = situation.mail[place]
        if number is not None and self._letters[number] != self._stores[situation.store]:
            dead = self._dead(situation)
            what = f"{self.names[place]} sees what was"
            yield what, self._after(situation, place, "reads", number, dead)

    # What becomes of it meanwhile.

    def _input(self, member: Member, what: tuple[Any, ...]) -> tuple[Done, ...]:
        match what:
            case ("reads", number, dead):
                member.observe(Snapshot(OLD, self._letters[number], dead), 0.0)
                return self._act(member)
            case _:
                return super()._input(member, what)

    def _after(self, situation: Situation, place: int, *what: Any) -> Situation:
        # Nobody goes back behind what it has read, or has been told of its own requests.
        newer = what[0] in ("observe", "reads", "beaten") or (
            what[0] == "finished" and what[1] is not None
        )
        if newer and situation.mail[place] is not None:
            situation = self._unread(situation, place)
        return super()._after(situation, place, *what)

    def _unread(self, situation: Situation, place: int) -> Situation:
        mail = list(situation.mail)
        mail[place] = None
        return situation._replace(mail=tuple(mail))

    def _overtaken(
        self, situation: Situation, gone: tuple[frozenset[str], frozenset[str]]
    ) -> Situation:
        if _is_in_time(situation):
            return situation
        numbers = overtaken(self._keys, *gone)
        late = frozenset(
            each
            for each in situation.late
            if not any(
                {compare.created, compare.modified} & numbers.keys()
                for compare in each.transaction.compares
            )
        )
        mail = tuple(
            None if number is None else self._posted(outdated(self._letters[number], numbers))
            for number in situation.mail
        )
        return situation._replace(late=late, mail=mail)

    def _born(self, situation: Situation, place: int) -> Situation:
        """Nothing that a process has asked for is done once another one of its name runs."""
        situation = super()._born(situation, place)
        if "late step" in self.kinds or not situation.late:
            return situation
        late = (each for each in situation.late if each.place != place or each.step is None)
        return situation._replace(late=frozenset(late))

    def _bereft(self, situation: Situation, place: int) -> Situation:
        """The process at ``place`` is gone; what is late of it, and tells of it, says so."""
        if _is_in_time(situation):
            return situation
        name = self.names[place]
        situation = self._unread(situation, place)
        late = frozenset(
            each._replace(transaction=_buried(each.transaction, name))
            if each.place == place
            else each
            for each in situation.late
        )
        mail = tuple(
            None if number is None else self._posted(self._without(number, name))
            for number in situation.mail
        )
        return situation._replace(late=late, mail=mail)

    def _without(self, number: int, name: str) -> dict[str, Entry]:
        entries = dict(self._letters[number])
        entry = entries.get(session(name))
        if entry is not None:
            value = buried(entry.value, name)
            entries[session(name)] = Entry(value, entry.created, entry.modified)
        return entries


def _is_in_time(situation: Situation) -> bool:
    """Whether nothing is late."""
    return not situation.late and not any(number is not None for number in situation.mail)


def _buried(transaction: Transaction, name: str) -> Transaction:
    operations = tuple(
        Put(each.key, buried(each.value, name))
        if isinstance(each, Put) and each.key == session(name)
        else each
        for each in transaction.operations
    )
    return Transaction(transaction.compares, operations)
