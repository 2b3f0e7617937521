"""What an operator may do about a rolling restart, as transactions, and how far it is. Pure.

The decisions of the agents, who carry it out, are in :mod:`rolling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pa_telephony.errors import LocalProtocolError
from pa_telephony.failover.agents import kept
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.intent import Command, answer, named
from pa_telephony.failover.rolling import ROLLING, Roll, State, is_own, ordered, rolling
from pa_telephony.failover.status import ServerStatus
from pa_telephony.failover.transaction import Compare, Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import World, stop

__all__ = ["beginning", "overruling", "progress", "undoing"]


def beginning(
    cluster: Cluster, snapshot: Snapshot, servers: Iterable[str], *, deadline: int, at: float
) -> Transaction:
    """The transaction that begins a roll of ``servers``, or of all when none is named.

    Raises ConfigurationError for a name that is no server, and LocalProtocolError with the reason
    when it cannot be now: another one goes on, a server is stopped or held, has no agent, has
    numbers that nobody else may serve, or has those of another, by an operator's order.
    """
    names = named(cluster, servers)
    world, last = World(cluster, snapshot), rolling(snapshot)
    if last is not None and last.goes_on:
        raise LocalProtocolError(f"a rolling restart goes on: {last}")
    for name in names:
        if kept(snapshot, name) is None:
            raise LocalProtocolError(f"no agent keeps {name}: start pa-telephony agent there")
        if world.stopped(name) is not None:
            raise LocalProtocolError(f"{name} is stopped: start it, or leave it out")
        if world.orders(name).held_back:
            raise LocalProtocolError(
                f"what a stand-in has of {name} is held there by order: undo the hold first"
            )
        if cluster.identities(name) and not cluster.candidates(name):
            raise LocalProtocolError(f"nobody is named to stand in for {name}: leave it out")
        for home in cluster.stands_in_for(name):
            if world.moved(home) == name:
                raise LocalProtocolError(f"{home} was moved to {name}: move it back first")
    keys = (ROLLING, *map(stop, names))
    put = Put(ROLLING, Roll(names, deadline, since=at).encode())
    return Transaction(tuple(map(world.unchanged, keys)), (put,))


def undoing(snapshot: Snapshot, at: float) -> Transaction | None:
    """The transaction that ends a roll, or clears one that was given up; None without any."""
    last = rolling(snapshot)
    if last is None or not (last.goes_on or last.state is State.FAILED):
        return None
    why = "undone" if last.goes_on else last.why
    return _ending(snapshot, last, why, at, lambda _: True)


def overruling(
    snapshot: Snapshot, command: Command, names: Iterable[str], at: float
) -> Transaction | None:
    """What ends a roll together with an order for ``names``; None when the order does not.

    An order to stop any server of it does, and one to start the server that is drained.
    """
    last, named = rolling(snapshot), set(names)
    if last is None or not last.goes_on:
        return None
    concerned = last.servers
    if command is Command.START:
        concerned = concerned[:1] if last.state is State.DRAINED else ()
    hit = [each for each in concerned if each in named]
    if not hit:
        return None
    what = "started" if command is Command.START else "stopped"
    return _ending(snapshot, last, ordered(hit, what), at, lambda name: name not in named)


def _ending(
    snapshot: Snapshot, last: Roll, why: str, at: float, takes_back: Callable[[str], bool]
) -> Transaction:
    compares = [Compare(ROLLING, modified=snapshot.modified(ROLLING))]
    after = replace(last, state=State.UNDONE, why=why, since=at)
    operations: list[Put | Delete] = [Put(ROLLING, after.encode())]
    if last.state is State.DRAINED and is_own(snapshot, last.servers[0]):
        key = stop(last.servers[0])
        if takes_back(last.servers[0]):
            compares.append(Compare(key, modified=snapshot.modified(key)))
            operations.append(Delete(key))
    return Transaction(tuple(compares), tuple(operations))


def progress(roll: Roll, pages: Iterable[ServerStatus], snapshot: Snapshot) -> str:
    """How far a roll is, in a sentence; pages and roll are of ``snapshot``."""
    if not roll.goes_on:
        return str(roll)
    first = roll.servers[0]
    page = {each.name: each for each in pages}.get(first)
    if page is None or kept(snapshot, first) is None:
        return f"{first} waits: no agent keeps it"
    if roll.state is State.NEXT:
        return f"{first} is next" + (f"; {roll.why}" if roll.why else "")
    command = Command.DRAIN if roll.state is State.DRAINED else Command.START
    return answer(command, page, snapshot).words
