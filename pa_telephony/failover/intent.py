"""What an operator wants, as transactions of the store, and how far it has been obeyed. Pure.

A server that finds ``stop/<its name>`` gives up what it serves, then its session. Its process is
ended by the agent of its machine; without one it stays and waits for the key to go. Source: Control
Center in Cisco's document 44922; F14, Q15.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import world as keys
from pa_telephony.failover.agents import kept as process_of
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.status import ServerStatus, seconds
from pa_telephony.failover.transaction import Compare, Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import Stop

__all__ = [
    "DRAINS_WITHIN",
    "Answer",
    "Command",
    "answer",
    "intents",
    "keeping_away",
    "kept_away",
    "moved",
    "moving",
    "named",
    "returned",
    "returning",
    "unmovable",
    "unreturnable",
]


class Command(enum.Enum):
    """A command of an operator, as the buttons of the Control Center give it."""

    START = "start"
    STOP = "stop"
    """Stop at once: calls end, others stand in, exactly as after a crash."""
    STOP_ALONE = "stop-alone"
    """Stop at once, and no other server stands in: the number goes out of service."""
    DRAIN = "drain"
    """Take no new calls, hand over what is free, and stop when all calls have ended."""


DRAINS_WITHIN = 3600
"""Seconds that calls have after an order to drain, if none are named."""


def intents(
    cluster: Cluster,
    command: Command,
    servers: Iterable[str] = (),
    *,
    deadline: int = DRAINS_WITHIN,
) -> Transaction:
    """The transaction that gives ``command`` to ``servers``, or to all when none is named.

    One transaction for all of them: Stop All marks every server before any of them acts, so no
    takeover runs in between (Q16). It always commits. Raises ConfigurationError for a name that
    is no server. ``deadline`` is for DRAIN: how many seconds its calls have.
    """
    orders = [keys.stop(name) for name in named(cluster, servers)]
    if command is Command.START:
        return Transaction((), tuple(Delete(key) for key in orders))
    value = _ORDERS[command].value
    if command is Command.DRAIN:
        value = f"{value}:{deadline}"
    return Transaction((), tuple(Put(key, value) for key in orders))


def moving(
    cluster: Cluster, home: str, to: str | None, *, deadline: int | None = None
) -> Transaction:
    """The transaction that has ``to`` serve ``home``, or ``home`` itself again when it is None.

    ``deadline`` is how many seconds calls have that delay it; None for all their time. It always
    commits. Raises ConfigurationError for a server that is not on the home's list.
    """
    name = cluster.server(home).server_name
    if to is None:
        return Transaction((), (Delete(keys.move(name)),))
    target = cluster.server(to).server_name
    if target not in cluster.candidates(name):
        raise ConfigurationError(
            f"{target} may not stand in for {name}",
            file=cluster.file,
            section=f"server {name!r}",
            field="fail_over_server_names",
        )
    value = target if deadline is None else f"{target}:{deadline}"
    return Transaction((), (Put(keys.move(name), value), Delete(keys.returning(name))))


def returning(cluster: Cluster, snapshot: Snapshot, home: str, *, deadline: int = 0) -> Transaction:
    """The transaction that has ``home`` get all of its own back now.

    ``deadline`` is how many seconds calls have that delay it. It takes back what keeps the home
    away, commits only for the session that the home has in ``snapshot``, and is to be planned only
    where :func:`unreturnable` is blank.
    """
    name = cluster.server(home).server_name
    session = snapshot.entries[keys.session(name)]
    bearer = keys.Bearer(name, session.created)
    return Transaction(
        (Compare(keys.session(name), created=session.created),),
        (
            Put(keys.returning(name), f"{bearer}:{deadline}"),
            Delete(keys.held_back(name)),
            Delete(keys.move(name)),
        ),
    )


def unreturnable(cluster: Cluster, snapshot: Snapshot, home: str) -> str:
    """Why nothing can return to ``home`` now; "" when it can."""
    name = cluster.server(home).server_name
    world = keys.World(cluster, snapshot)
    if world.session(name) is None or name in snapshot.dead:
        return f"{name} does not run: there is nobody to return to"
    if world.stopped(name) is not None:
        return f"{name} is to stop: there is nobody to return to"
    return ""


def keeping_away(cluster: Cluster, home: str, keep: bool = True) -> Transaction:
    """The transaction by which nothing of ``home`` comes home, or comes home again.

    It always commits.
    """
    name = cluster.server(home).server_name
    if not keep:
        return Transaction((), (Delete(keys.held_back(name)),))
    return Transaction((), (Put(keys.held_back(name), "held"), Delete(keys.returning(name))))


def returned(page: ServerStatus, snapshot: Snapshot) -> Answer:
    """How far the home of ``page`` has its own back."""
    _, _, words = _started(Command.START, page, snapshot)
    counts = page.orders.returns_within is not None
    away = any(each.holder != page.name for each in page.resources)
    done = page.up and not away and not page.fail_over_server
    if page.up and page.lacks:
        words += f"; it does not reach {', '.join(page.lacks)}"
    # The order goes with the claim; what is home may be registered there a moment later.
    over = not counts and (bool(page.fail_over_server) or not page.up)
    if over:
        words += "; the order to return counts no more"
    return Answer(page.name, done or over, done, f"{page.name} {words}")


def kept_away(page: ServerStatus) -> Answer:
    """What becomes of the home of ``page``, of which nothing comes home."""
    there, total = page.fail_over_server, len(page.resources)
    if there:
        count = sum(each.holder == there for each in page.resources)
        words = f"{there} keeps {count} of its {total} numbers"
    else:
        words = f"whoever stands in for it keeps its {total} numbers; now nobody does"
    return Answer(page.name, True, True, f"{page.name}: {words}")


def unmovable(cluster: Cluster, snapshot: Snapshot, home: str, to: str) -> str:
    """What keeps ``home`` from being handed over to ``to`` now; "" for nothing but its calls."""
    world = keys.World(cluster, snapshot)
    for name in (to, home):
        if world.session(name) is None or name in snapshot.dead:
            return f"{name} does not run"
        if world.stopped(name) is not None:
            return f"{name} is to stop"
    reach = world.reach(to, home)
    if not reach or not world.reach(home, home) <= reach:
        return f"{to} does not reach all that {home} reaches"
    holder = world.claimant(home)
    if holder in (None, to):
        return ""
    if world.orders(home).held_back:
        return f"{holder} has it, held there by an operator"
    return f"{holder} has it, and gives it back first"


def moved(page: ServerStatus, to: str, why: str = "") -> Answer:
    """How far the home of ``page`` is at ``to``; ``why`` is what keeps it away, as is known."""
    total = len(page.resources)
    there = sum(each.up and each.holder == to for each in page.resources)
    calls = sum(each.busy and each.holder != to for each in page.resources)
    words = f"{page.name}: {to} serves {there} of its {total} numbers"
    if there < total:
        words += f"; calls that go on elsewhere: {calls}" + (f"; {why}" if why else "")
    return Answer(page.name, there == total, there == total, words)


_ORDERS = {
    Command.STOP: Stop.FAIL_OVER,
    Command.STOP_ALONE: Stop.ALONE,
    Command.DRAIN: Stop.DRAIN,
}


def named(cluster: Cluster, servers: Iterable[str]) -> tuple[str, ...]:
    """The servers as they spell themselves, each once, or all when none is named.

    Raises ConfigurationError for a name that is no server.
    """
    names = [cluster.server(name).server_name for name in servers]
    return tuple(dict.fromkeys(names or (each.server_name for each in cluster.servers)))


@dataclass(frozen=True)
class Answer:
    """What one server has done about a command, so far."""

    server: str
    final: bool
    """Whether waiting longer would change nothing."""
    obeyed: bool
    """Whether the server runs or has stopped, as it was told, and its identities are served as they
    can be."""
    words: str
    """A sentence for people that begins with the server's name."""


def answer(command: Command, page: ServerStatus, snapshot: Snapshot) -> Answer:
    """How far the server of ``page`` has obeyed ``command``; both from the same ``snapshot``."""
    judge = _started if command is Command.START else _stopped
    final, obeyed, words = judge(command, page, snapshot)
    return Answer(page.name, final, obeyed, f"{page.name} {words}")


def _started(_: Command, page: ServerStatus, snapshot: Snapshot) -> tuple[bool, bool, str]:
    if not page.up:
        if snapshot.running is not None and page.name not in snapshot.running:
            if (process := process_of(snapshot, page.name)) is not None:
                return False, False, f"may run, and its agent starts it: {process}"
            return True, False, "may run, but no process of it runs: start pa-telephony server"
        if page.age is not None:
            return False, False, f"does not hear it: it is silent for {seconds(page.age)}"
        return False, False, "has not begun: no heartbeat of it has come"
    away = [each for each in page.resources if each.holder not in ("", page.name)]
    down = [each for each in page.resources if not each.up]
    if down:
        lacking = ", ".join(f"{each.identity.number} ({each.why})" for each in down)
        return False, False, f"runs; not served: {lacking}"
    if away:
        busy = sum(each.busy for each in away)
        calls = f", {busy} of them in a call" if busy else ""
        holder = away[0].holder
        if page.orders.held_back:
            words = f"{holder} keeps {len(away)} of its numbers, held there by an operator"
            return True, True, f"runs; {words}{calls}"
        return False, True, f"runs; {holder} still has {len(away)} of its numbers{calls}"
    if page.fail_over_server:
        return False, True, f"serves all of its own; {page.fail_over_server} lets go"
    return True, True, "serves all of its own" if page.resources else "runs, an idle spare"


def _stopped(command: Command, page: ServerStatus, snapshot: Snapshot) -> tuple[bool, bool, str]:
    if page.up:
        if command is not Command.DRAIN:
            return False, False, "has not stopped yet"
        away = sum(each.holder not in ("", page.name) for each in page.resources)
        words = f"takes no new calls; calls that go on: {page.calls}"
        if page.fail_over_server:
            words += f"; {page.fail_over_server} has {away} of its {len(page.resources)} numbers"
        return False, False, words
    runs = snapshot.running is None or page.name in snapshot.running
    if page.age is not None and runs and page.name not in snapshot.dead:
        return False, False, f"does not hear it: it is silent for {seconds(page.age)}"
    words = (
        "is stopped; its process waits for start" if runs else "is stopped; no process of it runs"
    )
    if snapshot.running is None:
        words = "is stopped"
    ends = snapshot.running is not None and runs and process_of(snapshot, page.name) is not None
    if ends:
        words = "is stopped; its agent ends its process"
    total, up = len(page.resources), sum(each.up for each in page.resources)
    if not total:
        return not ends, True, words
    if command is Command.STOP_ALONE:
        return not up and not ends, not up, f"{words}; its {total} numbers are out of service"
    if page.fail_over_server:
        standing = f"{words}; {page.fail_over_server} serves {up} of its {total} numbers"
        return up == total and not ends, up == total, standing
    return False, True, f"{words}; nobody stands in for its {total} numbers"
