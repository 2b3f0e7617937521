"""A rolling restart: one server after the other is drained, ended, started and awaited. Pure.

It is an entry of the store, ``rolling``, which the agents of the machines carry out: the agent of
the first server in it is the one to act. Every step is a transaction that compares the entry as it
was read, so that no step is done twice, whoever looks on, and whoever begins anew in the middle.

The order to drain a server is written together with the state, at one revision of the store: an
order of any other revision is an operator's, and ends the roll.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
from pa_telephony.failover.intent import Command, answer
from pa_telephony.failover.status import ServerStatus, patience, seconds
from pa_telephony.failover.stored import CONFIGURATION
from pa_telephony.failover.transaction import Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import Stop, World, claim, stop
from pa_telephony.tables import state_table

__all__ = [
    "BACK_WITHIN",
    "ENDS_WITHIN",
    "ROLLING",
    "SETTLED",
    "STAND_IN_WITHIN",
    "TABLE",
    "Effect",
    "Input",
    "Roll",
    "State",
    "View",
    "Watch",
    "is_own",
    "ordered",
    "rolling",
    "situation",
    "step",
]

ROLLING = "rolling"
"""The key of the rolling restart that goes on, or was the last one."""
SETTLED = 2.0
"""Seconds for which a stand-in must have been there, and a server must have served all of its own,
without a break, before the next step."""
STAND_IN_WITHIN = 30.0
"""Seconds after which a roll is given up for want of somebody who could stand in, or since the next
server stands in itself; those in which calls keep it from giving back do not count."""
ENDS_WITHIN = 60.0
"""Seconds that a drained server has, after its deadline, until its process must have ended."""
BACK_WITHIN = 60.0
"""Seconds after which a started server must serve all of its own; those in which calls at a
stand-in keep its numbers there do not count, up to the deadline."""


class State(enum.Enum):
    """How far a rolling restart is; the values stand in the store."""

    NEXT = "next"
    """The first server is to be drained, as soon as others could stand in for it."""
    DRAINED = "drained"
    """The first server is drained, and its process is to end."""
    STARTED = "started"
    """The first server is started again, and is to serve all of its own."""
    DONE = "done"
    """All servers were restarted."""
    FAILED = "failed"
    """It was given up."""
    UNDONE = "undone"
    """An operator has ended it."""


class Input(enum.Enum):
    """What a look at the cluster says."""

    WAITING = "waiting"
    """What is waited for has not come yet."""
    CLEAR = "clear"
    """Others could stand in for the server, and it stands in for nobody."""
    EXPOSED = "exposed"
    """It is needed, for nobody else could serve some numbers, and it still has a session."""
    ENDED = "ended"
    """Its process has ended."""
    WELL = "well"
    """It serves all of its own again, and others follow."""
    COMPLETE = "complete"
    """It serves all of its own again, and was the last one."""
    LATE = "late"
    """What is waited for has not come in time, or cannot come any more."""
    OVERRULED = "overruled"
    """An operator has given an order for one of the servers."""


class Effect(enum.Enum):
    """What is written besides the state."""

    NOTHING = "nothing"
    NOTE = "note"
    """Only the state."""
    DRAIN = "drain"
    """The order to drain the server."""
    TAKE_BACK = "take back"
    """That order is taken back."""


_S, _I, _E = State, Input, Effect
_OF_NEXT = {_I.WAITING, _I.CLEAR, _I.LATE, _I.OVERRULED}
_OF_DRAINED = {_I.WAITING, _I.EXPOSED, _I.ENDED, _I.LATE, _I.OVERRULED}
_OF_STARTED = {_I.WAITING, _I.WELL, _I.COMPLETE, _I.LATE, _I.OVERRULED}

TABLE = state_table(
    State,
    Input,
    {
        (_S.NEXT, _I.CLEAR): (_S.DRAINED, _E.DRAIN),
        (_S.NEXT, _I.LATE): (_S.FAILED, _E.NOTE),
        (_S.NEXT, _I.OVERRULED): (_S.UNDONE, _E.NOTE),
        (_S.DRAINED, _I.ENDED): (_S.STARTED, _E.TAKE_BACK),
        # Nobody has the numbers that it has given away: it serves them itself again.
        (_S.DRAINED, _I.EXPOSED): (_S.NEXT, _E.TAKE_BACK),
        (_S.DRAINED, _I.LATE): (_S.FAILED, _E.TAKE_BACK),
        (_S.DRAINED, _I.OVERRULED): (_S.UNDONE, _E.TAKE_BACK),
        (_S.STARTED, _I.WELL): (_S.NEXT, _E.NOTE),
        (_S.STARTED, _I.COMPLETE): (_S.DONE, _E.NOTE),
        (_S.STARTED, _I.LATE): (_S.FAILED, _E.NOTE),
        (_S.STARTED, _I.OVERRULED): (_S.UNDONE, _E.NOTE),
    },
    ignored={_S.NEXT: {_I.WAITING}, _S.DRAINED: {_I.WAITING}, _S.STARTED: {_I.WAITING}},
    nothing=Effect.NOTHING,
    impossible={
        _S.NEXT: set(Input) - _OF_NEXT,
        _S.DRAINED: set(Input) - _OF_DRAINED,
        _S.STARTED: set(Input) - _OF_STARTED,
        _S.DONE: set(Input),
        _S.FAILED: set(Input),
        _S.UNDONE: set(Input),
    },
)


# --------------------------------------------------------------------------------- the entry


@dataclass(frozen=True)
class Roll:
    """A rolling restart as it stands in the store."""

    servers: tuple[str, ...]
    """Those still to be restarted, in order; the first is the one at hand."""
    deadline: int
    """Seconds that calls of a server have to end."""
    state: State = State.NEXT
    why: str = ""
    """Why it has ended before all were restarted, or why a server was not drained yet."""
    since: float = 0.0
    """When the state began: seconds since the epoch, of the writer's machine."""
    done: tuple[str, ...] = ()
    """Those that were restarted."""

    @property
    def goes_on(self) -> bool:
        """Whether there is something left to do, for the agents."""
        return self.state in (State.NEXT, State.DRAINED, State.STARTED)

    @property
    def alarm(self) -> Alarm | None:
        """The alarm that it was given up; None otherwise."""
        if self.state is not State.FAILED:
            return None
        return Alarm(AlarmKind.RESTART_GIVEN_UP, "", str(self))

    def __str__(self) -> str:
        if self.goes_on:
            first, *others = self.servers
            then = f", then {', '.join(others)}" if others else ""
            return f"{first} is {_AT_HAND[self.state]}{then}"
        done = f"restarted: {', '.join(self.done) or 'none'}"
        if self.state is State.DONE:
            return done
        by = "given up" if self.state is State.FAILED else "ended by an operator"
        return f"{by}: {self.why}; {done}; not restarted: {', '.join(self.servers)}"

    def encode(self) -> str:
        """Write it as JSON on one line."""
        said = vars(self) | {"state": self.state.value, "since": round(self.since, 3)}
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Roll | None:
        """Read what :meth:`encode` wrote; None for anything else, as of another release."""
        try:
            said = dict(json.loads(text))
            found = cls(
                tuple(map(str, said["servers"])),
                int(said["deadline"]),
                State(said["state"]),
                str(said["why"]),
                float(said["since"]),
                tuple(map(str, said["done"])),
            )
        except (ValueError, TypeError, KeyError):
            return None
        return None if found.goes_on and not found.servers else found


_AT_HAND = {
    State.NEXT: "next",
    State.DRAINED: "drained",
    State.STARTED: "started again",
}


def rolling(snapshot: Snapshot) -> Roll | None:
    """The rolling restart that goes on, or was the last one; None when there was none."""
    entry = snapshot.entries.get(ROLLING)
    return None if entry is None else Roll.decode(entry.value)


def is_own(snapshot: Snapshot, name: str) -> bool:
    """Whether the order for the server is the roll's, which was written together with it."""
    modified = snapshot.modified(stop(name))
    return modified > 0 and modified == snapshot.modified(ROLLING)


# ----------------------------------------------------------------------------------- the view


@dataclass(frozen=True)
class View:
    """What an agent knows when it decides; pages and world are of one snapshot."""

    world: World
    pages: Mapping[str, ServerStatus]
    roll: Roll
    """One that goes on."""
    at: float
    """Seconds since the epoch, for people."""
    runs: bool = True
    """Whether there is a process of the first server."""
    waited: float = 0.0
    """Seconds for which the state lasts."""
    stuck: float = 0.0
    """Seconds since calls last explained that it lasts, or since it began."""
    lasts: float = 0.0
    """Seconds for which what is waited for has been so, without a break."""

    @property
    def name(self) -> str:
        """The first server."""
        return self.roll.servers[0]


class Watch:
    """What an agent has seen of a roll over time; it begins anew with an agent that does."""

    def __init__(self) -> None:
        self._revision = 0
        self._begun = self._free = self._since = 0.0

    def look(
        self,
        world: World,
        pages: Iterable[ServerStatus],
        *,
        runs: bool,
        now: float,
        at: float,
    ) -> View | None:
        """The view of one snapshot; None when no roll goes on.

        To be given one snapshot after the other. ``now`` is any clock in seconds, ``at`` the time
        of day.
        """
        roll = rolling(world.snapshot)
        if roll is None or not roll.goes_on:
            self._revision = 0
            return None
        revision = world.snapshot.modified(ROLLING)
        if revision != self._revision:
            self._revision = revision
            self._begun = self._free = self._since = now
        view = View(world, {each.name: each for each in pages}, roll, at, runs)
        if _calls_keep(view):
            self._free = now
        if not _is_ready(view):
            self._since = now
        return replace(
            view, waited=now - self._begun, stuck=now - self._free, lasts=now - self._since
        )


def _calls_keep(view: View) -> bool:
    """Whether calls keep numbers where they are: the first server's elsewhere, or others' there."""
    name = view.name
    return any(
        each.busy and each.holder and name in (each.holder, home) and each.holder != home
        for home, page in view.pages.items()
        for each in page.resources
    )


def _is_ready(view: View) -> bool:
    """Whether it is as the state waits for."""
    match view.roll.state:
        case State.NEXT:
            return not _lacking(view)
        case State.STARTED:
            page = view.pages.get(view.name)
            return page is not None and _is_whole(page)
        case _:
            return not view.runs


def _is_whole(page: ServerStatus) -> bool:
    """Whether a server serves all of its own, or the stand-in does that it was moved to."""
    at = page.moved_to or page.name
    return (
        page.up
        and page.fail_over_server in ("", page.moved_to)
        and all(
            each.up and not each.doubled and each.holder in (page.name, at)
            for each in page.resources
        )
    )


def _others(world: World, name: str, home: str) -> list[str]:
    """The servers but ``name`` that may serve ``home``."""
    return [each for each in (home, *world.cluster.candidates(home)) if each != name]


def _lacking(view: View) -> str:
    """Why the first server cannot be away now; "" when it can."""
    world = view.world
    if view.name not in world.names:
        return f"{view.name} is no server of the configuration any more"
    if why := _nobody_else(view, view.name):
        return why
    own = world.cluster.identities(view.name)
    lost = [each.number for each in own if world.owner(each) is None]
    if lost and world.session(view.name) is not None:
        # As when a stand-in that had them is gone: the server takes them only while it is to run.
        return f"nobody has {', '.join(lost)}"
    for home in world.cluster.stands_in_for(view.name):
        holds = world.claimant(home) == view.name or any(
            world.owner(each) == view.name for each in world.cluster.identities(home)
        )
        # Nobody gets these from it without that callers are turned away meanwhile.
        if holds and view.roll.state is State.NEXT:
            return f"{view.name} stands in for {home}"
        orphan = any(world.owner(each) is None for each in world.cluster.identities(home))
        if orphan and world.stopped(home) is not Stop.ALONE and (why := _nobody_else(view, home)):
            return why
    return ""


def _nobody_else(view: View, home: str) -> str:
    """Why nobody but the first server could serve ``home``; "" when somebody could."""
    world = view.world
    others = _others(world, view.name, home)
    needs = world.cluster.needs(home)
    if not needs or any(
        _is_heard(view, each) and world.reach(each, home) == needs for each in others
    ):
        return ""
    reasons = ", ".join(f"{each} ({_state(view, each)})" for each in others)
    return f"nobody could serve the numbers of {home} meanwhile: {reasons or 'nobody is named'}"


def _is_heard(view: View, name: str) -> bool:
    """Whether a server is up, and, to be relied on from now on, its last heartbeat not late."""
    page, next_one = view.pages[name], view.roll.state is State.NEXT
    late = next_one and page.age is not None and page.age > patience(view.world.cluster)
    return page.up and not late


def _state(view: View, name: str) -> str:
    page = view.pages[name]
    if page.up and page.age is not None and not _is_heard(view, name):
        return f"not heard for {seconds(page.age)}"
    return f"{page.state}, stopped" if page.stopped else page.state


# -------------------------------------------------------------------------------- the decision


def situation(view: View) -> tuple[Input, str]:
    """What the look says, and why, where a reason belongs to it."""
    world, roll, name = view.world, view.roll, view.name
    if name not in world.names:
        return Input.LATE, _lacking(view)
    if why := _overruled(view):
        return Input.OVERRULED, why
    match roll.state:
        case State.NEXT:
            if view.lasts >= SETTLED:
                return Input.CLEAR, ""
            if view.stuck >= STAND_IN_WITHIN or view.waited >= roll.deadline + STAND_IN_WITHIN:
                return Input.LATE, _lacking(view) or "its stand-in comes and goes"
        case State.DRAINED:
            if not view.runs:
                return Input.ENDED, ""
            if world.session(name) is not None and (why := _lacking(view)):
                return Input.EXPOSED, why
            within = roll.deadline + ENDS_WITHIN
            if view.waited >= within:
                return Input.LATE, f"{name} has not ended within {seconds(within)}"
        case _:
            if view.lasts >= SETTLED:
                return (Input.WELL if roll.servers[1:] else Input.COMPLETE), ""
            if view.stuck >= BACK_WITHIN or view.waited >= roll.deadline + BACK_WITHIN:
                so = answer(Command.START, view.pages[name], world.snapshot).words
                return Input.LATE, f"{seconds(view.waited)} after its start {so}"
    return Input.WAITING, ""


def _overruled(view: View) -> str:
    world, roll = view.world, view.roll
    waiting = roll.servers
    if roll.state is State.DRAINED:
        first, waiting = waiting[0], waiting[1:]
        if not is_own(world.snapshot, first):
            what = "started" if world.stopped(first) is None else "stopped"
            return ordered([first], what)
    if stopped := [each for each in waiting if world.stopped(each) is not None]:
        return ordered(stopped, "stopped")
    # What is held does not come home, and a restart waits for that.
    held = [each for each in roll.servers if world.orders(each).held_back]
    return ordered(held, "held") if held else ""


def ordered(names: Sequence[str], what: str) -> str:
    """That an operator has stopped, started or held these servers, for people."""
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} {what}"


def step(view: View) -> Transaction | None:
    """The transaction of the next step; None when there is nothing to do."""
    world, roll, name = view.world, view.roll, view.name
    what, why = situation(view)
    state, effect = TABLE[roll.state, what]
    if effect is Effect.NOTHING:
        return None
    after = replace(roll, state=state, why=why, since=view.at)
    if what in (Input.WELL, Input.COMPLETE):
        after = replace(after, servers=roll.servers[1:], done=(*roll.done, name))
    compares = [world.unchanged(ROLLING)]
    operations: list[Put | Delete] = [Put(ROLLING, after.encode())]
    if effect is Effect.DRAIN:
        keys = (
            CONFIGURATION,
            *map(stop, (name, *_others(world, name, name))),
            *map(claim, world.cluster.stands_in_for(name)),
        )
        compares += map(world.unchanged, dict.fromkeys(keys))
        operations.append(Put(stop(name), f"{Stop.DRAIN.value}:{roll.deadline}"))
    elif effect is Effect.TAKE_BACK and is_own(world.snapshot, name):
        compares.append(world.unchanged(stop(name)))
        operations.append(Delete(stop(name)))
    return Transaction(tuple(compares), tuple(operations))
