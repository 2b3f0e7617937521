"""One production member without its clock, its revisions canonical: what the explorer compares.

A member's clock stands at 0. Short waits (to try again, to be granted, to be settled) are over as
soon as they begin; what takes long is over when an event of :mod:`explored` says so.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pa_telephony.failover import Identity
from pa_telephony.failover.actions import Transact
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.deadlines import Deadlines
from pa_telephony.failover.ledger import Ledger
from pa_telephony.failover.member import Member
from pa_telephony.failover.others import Others
from pa_telephony.failover.registration import State
from pa_telephony.failover.steps import Plan, Step
from pa_telephony.failover.stored import CONFIGURATION
from pa_telephony.failover.transaction import Compare, Entry, Put
from pa_telephony.failover.world import Bearer, World, held_back, move, session, stop

__all__ = [
    "FRESH",
    "OLD",
    "PAST",
    "RUNS",
    "beat_of",
    "borne",
    "buried",
    "bury",
    "copied",
    "frozen",
    "outdate",
    "outdated",
    "overtaken",
    "settle",
]

RUNS, RAN = "#runs", "#ran"
"""What follows the name in the instance of a process that runs, and of any that ran before."""

PAST = -1000.0
LATER = 1000.0
DOOMED = "doomed"
"""A key that never is."""
FRESH, OLD = 2, 1
"""Revision of a snapshot: of the store as it is now, or of an earlier one."""

# What follows from the rest, is for people, or never changes.
_LEFT_OUT = frozenset(
    {
        *("cluster", "_timing", "_world", "plan", "_viewed", "_told", "_told_about", "news"),
        *("_rests_until", "timing", "retry", "moved", "_summary"),
    }
)


def settle(member: Member) -> None:
    """Time as it is here: short waits are over as soon as they begin, long ones by events."""
    member._guard = member._timing.own if member._guard > 0 else PAST
    member._others.steady_since = member._entered = member._last_beat = PAST
    member._next_beat, member._last_sent, member._sequence = LATER, 0.0, 0
    member._beating = None
    member._floor = 0
    for provider in member._reached.since:
        member._reached.since[provider] = PAST
    member._read = 0.0 if member._read > -member._timing.own else PAST
    if member._committed_at <= member.world.snapshot.revision:
        member._committed_at = 0
    for found in member._ledger.registrations.values():
        found.why, found.retry_at, found.refused_since = "", PAST, PAST
        if found.state is not State.LINGERING:
            found.linger_until = PAST
    for asked in member._others.asked.values():
        asked.since = PAST
    for announced in member._others.announced.values():
        announced.since = PAST if announced.since == PAST else 0.0
    member._others.takeovers.clear()
    if member._flight is not None:
        member._flight.sent = member._flight.first = 0.0
    member.plan, member._viewed = Plan(), None
    member._told_about, member._rests_until = (), 0.0
    deadlines = member._deadlines
    for deadline in (deadlines.drained, *deadlines.homes.values()):
        deadline.at = PAST if deadline.at == PAST and deadline.order else LATER
    if not member._known and member._flight is None:
        _forget(member)


def _forget(member: Member) -> None:
    """Before it looks again it does not plan: of what it saw, only what is of itself counts.

    That is its session (for its heartbeat), an intent that it stop, what it owns or claims, and the
    configuration.
    """
    mine = {
        *(order(member.name) for order in (stop, move, held_back)),
        *(session(member.name), CONFIGURATION),
    }
    seen = member._world.snapshot
    entries = {
        key: entry
        for key, entry in seen.entries.items()
        if key in mine or borne(entry.value)[0].server == member.name
    }
    if seen.dead or len(entries) < len(seen.entries):
        seen = replace(seen, entries=entries, dead=frozenset())
        member._world = World(member.cluster, seen)
    member._others.asked.clear()
    member._others.announced.clear()
    member._deadlines.homes.clear()


_BEARER = re.compile(r"(\w+):(\d+)(:\d+)?")


def borne(text: str) -> tuple[Bearer, str]:
    """The bearer that a value begins with, if it does, and what follows it."""
    found = _BEARER.fullmatch(text)
    if found is None:
        return Bearer("", 0), ""
    return Bearer(found[1], int(found[2])), found[3] or ""


def buried(value: str, name: str) -> str:
    """The beat of that server, now that its process is gone."""
    return value.replace(f'"{name}{RUNS}"', f'"{name}{RAN}"')


def bury(member: Member, name: str) -> None:
    """The process of that server is gone; its session may still be in what the member saw."""
    seen = member._world.snapshot
    entry = seen.entries.get(session(name))
    if entry is not None:
        gone = replace(entry, value=buried(entry.value, name))
        entries = {**seen.entries, session(name): gone}
        member._world = World(member.cluster, replace(seen, entries=entries))


def beat_of(member: Member) -> Transact | None:
    """The heartbeat that the member sends now, without what is for people."""
    member._next_beat = PAST
    member._heartbeat(0.0)
    sent = member._beating
    member._ledger.pending.clear()
    if sent is None:
        return None
    (operation,) = sent.action.transaction.operations
    assert isinstance(operation, Put)
    beat = Beat.decode(operation.value)
    # Nor who has registered what: lingering may end at any moment here, with this word or without.
    plain = Beat(
        beat.instance,
        beat.links,
        beat.steady,
        beat.reads,
        sequence=1,
        configuration=beat.configuration,
    )
    put = Put(operation.key, plain.encode())
    sent.action = Transact(replace(sent.action.transaction, operations=(put,)))
    return sent.action


def overtaken(
    keys: Mapping[str, int], changed: frozenset[str], deleted: frozenset[str]
) -> dict[int, int]:
    """The revisions that are gone, with what stands for each from then on."""
    numbers = {keys[key] + 4: keys[key] + 3 for key in changed}
    return numbers | {keys[key] + 2: keys[key] + 1 for key in deleted}


def _renamed(text: str, numbers: Mapping[int, int]) -> str:
    """The value, its token as it is called from then on."""
    bearer, rest = borne(text)
    if bearer.token in numbers:
        return f"{Bearer(bearer.server, numbers[bearer.token])}{rest}"
    return text


def outdated(entries: Mapping[str, Entry], numbers: Mapping[int, int]) -> dict[str, Entry]:
    """What was read, when these revisions are gone."""
    return {
        key: Entry(
            _renamed(entry.value, numbers),
            numbers.get(entry.created, entry.created),
            numbers.get(entry.modified, entry.modified),
        )
        for key, entry in entries.items()
    }


def outdate(
    member: Member, keys: Mapping[str, int], changed: frozenset[str], deleted: frozenset[str]
) -> None:
    """The store's revisions of these keys are others now, or none: what the member has is stale."""
    numbers = overtaken(keys, changed, deleted)
    seen = member._world.snapshot
    entries = outdated(seen.entries, numbers)
    member._world = World(member.cluster, replace(seen, revision=OLD, entries=entries))
    for found in member._others.seen.values():
        found.modified = numbers.get(found.modified, found.modified)
    for deadline in (member._deadlines.drained, *member._deadlines.homes.values()):
        deadline.order = numbers.get(deadline.order, deadline.order)
    for announced in member._others.announced.values():
        announced.modified = numbers.get(announced.modified, announced.modified)
    for asked in member._others.asked.values():
        asked.token = numbers.get(asked.token, asked.token)
    flight = member._flight
    if flight is None:
        return
    compares = tuple(
        Compare(
            each.key,
            None if each.created is None else numbers.get(each.created, each.created),
            None if each.modified is None else numbers.get(each.modified, each.modified),
        )
        for each in flight.action.transaction.compares
    )
    gone = set(numbers.values())
    if any({each.created, each.modified} & gone for each in compares):
        # It will be refused, whatever else happens.
        compares = (Compare(DOOMED, modified=1),)
    operations = tuple(
        Put(each.key, _renamed(each.value, numbers)) if isinstance(each, Put) else each
        for each in flight.action.transaction.operations
    )
    transaction = replace(flight.step.transaction, compares=compares, operations=operations)
    step = replace(flight.step, transaction=transaction)
    flight.step = step
    flight.action = Transact(step.transaction, step)


_PLAIN: frozenset[type] = frozenset({type(None), bool, int, float, str, Identity})
"""What cannot change and is told apart by itself."""
_FIXED: set[type] = {*_PLAIN, frozenset, tuple}
_MUTABLE: dict[type, bool] = {}


def copied(thing: Any) -> Any:
    """A copy of a member; what cannot change is shared."""
    kind = type(thing)
    if kind in _FIXED:
        return thing
    if kind is dict:
        return {k: v if type(v) in _FIXED else copied(v) for k, v in thing.items()}
    if kind is list:
        return [copied(each) for each in thing]
    if kind is set:
        return set(thing)
    if kind not in _MUTABLE:
        declared = getattr(kind, "__dataclass_params__", None)
        _MUTABLE[kind] = kind is Member or (declared is not None and not declared.frozen)
        if not _MUTABLE[kind]:
            _FIXED.add(kind)
            return thing
    one = kind.__new__(kind)
    vars(one).update(copied(vars(thing)))
    return one


_WAYS: dict[type, Callable[[Any], Hashable]] = {}


def frozen(thing: Any) -> Hashable:
    """Everything that tells one member from another, as something hashable."""
    kind = type(thing)
    if kind in _PLAIN:
        return thing
    if kind not in _WAYS:
        _WAYS[kind] = _way_to_freeze(kind)
    return _WAYS[kind](thing)


def _way_to_freeze(kind: type) -> Callable[[Any], Hashable]:
    if issubclass(kind, (enum.Enum, Transact, Step)):
        return lambda thing: thing
    if issubclass(kind, (Member, Ledger, Others, Deadlines)):
        # Each sets all that it has when it is made, so that it comes in one order.
        return lambda thing: tuple(
            v if type(v) in _PLAIN else frozen(v)
            for k, v in vars(thing).items()
            if k not in _LEFT_OUT
        )
    if issubclass(kind, dict):
        return lambda thing: frozenset(
            (k, v if type(v) in _PLAIN else frozen(v)) for k, v in thing.items()
        )
    if issubclass(kind, (list, tuple)):
        return lambda thing: tuple(map(frozen, thing))
    if issubclass(kind, (set, frozenset)):
        return frozenset
    if is_dataclass(kind):
        names = [each.name for each in fields(kind)]
        return lambda thing: (kind, *(frozen(getattr(thing, name)) for name in names))
    raise TypeError(f"{kind} is new in a member: say how it is told apart")
