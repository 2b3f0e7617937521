"""What an operator does from outside, through the store: look, start, stop.

Nothing here makes a store: where there is none, ConnectionLost says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace

import trio

from pa_telephony.failover import world as keys
from pa_telephony.failover.agents import AgentReport, agents
from pa_telephony.failover.chronicle import Episode, history
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.intent import (
    DRAINS_WITHIN,
    Answer,
    Command,
    answer,
    intents,
    keeping_away,
    kept_away,
    moved,
    moving,
    named,
    returned,
    returning,
    unmovable,
    unreturnable,
)
from pa_telephony.failover.looking import looks, second_look
from pa_telephony.failover.restarting import give_order
from pa_telephony.failover.status import (
    ServerStatus,
)
from pa_telephony.failover.stored import current
from pa_telephony.failover.stores import Store, StoreView, open_store, open_view
from pa_telephony.failover.transaction import Delete, Snapshot, Transaction

__all__ = [
    "control",
    "control_and_see",
    "hold_and_see",
    "move_and_see",
    "read_agents",
    "read_history",
    "read_status",
    "return_and_see",
    "watch_status",
]


@contextlib.asynccontextmanager
async def _opened(cluster: Cluster, store: Store | None) -> AsyncGenerator[Store]:
    if store is not None:
        yield store
        return
    async with open_store(cluster, create=False) as opened:
        yield opened


async def read_status(cluster: Cluster, store: StoreView | None = None) -> tuple[ServerStatus, ...]:
    """The Server Status page of every server, read from the store.

    Takes a second look, a second or two later, when a heartbeat is late or two servers seem to hold
    one identity; trouble that passes by itself is not reported.
    """
    return (await second_look(cluster, store or open_view(cluster))).pages


async def read_history(cluster: Cluster, store: StoreView | None = None) -> tuple[Episode, ...]:
    """The last takeovers, returns and fences of all servers, the oldest first."""
    return history(await (store or open_view(cluster)).snapshot())


async def read_agents(cluster: Cluster, store: StoreView | None = None) -> tuple[AgentReport, ...]:
    """What the agents that live say of their machines and of the servers there."""
    return agents(await (store or open_view(cluster)).snapshot())


async def watch_status(
    cluster: Cluster, store: StoreView | None = None
) -> AsyncGenerator[tuple[ServerStatus, ...]]:
    """The pages again and again: at every change, and twice a second so that ages grow.

    To be closed with :func:`contextlib.aclosing` or left to the end of the program.
    """
    async with contextlib.aclosing(looks(cluster, store or open_view(cluster))) as seen:
        async for look in seen:
            yield look.pages


async def control(
    cluster: Cluster, command: Command, servers: Iterable[str] = (), store: Store | None = None
) -> None:
    """Give an operator's command to ``servers``, or to all; they obey as soon as they see it."""
    async with _opened(cluster, store) as opened:
        cluster = current(cluster, await opened.snapshot())
        names = named(cluster, servers)
        await give_order(opened, intents(cluster, command, names), command, names)


async def control_and_see(
    cluster: Cluster,
    command: Command,
    servers: Iterable[str] = (),
    store: Store | None = None,
    *,
    within: float = 10.0,
    deadline: int = DRAINS_WITHIN,
    told: Callable[[Answer], None] = lambda _: None,
) -> tuple[Answer, ...]:
    """Give the command and wait, at most ``within`` seconds, for what the servers do about it.

    ``deadline`` is how many seconds calls have with DRAIN. ``told`` hears what is so on the way,
    whenever it changes.
    """
    async with _opened(cluster, store) as opened:
        cluster = current(cluster, await opened.snapshot())
        names = named(cluster, servers)
        order = intents(cluster, command, names, deadline=deadline)
        ends_roll = await give_order(opened, order, command, names)

        def judge(page: ServerStatus, snapshot: Snapshot) -> Answer:
            return answer(command, page, snapshot)

        answers = await _see(cluster, names, opened, judge, within, told)
        return _ending_a_roll(answers) if ends_roll else answers


def _ending_a_roll(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers to an order that has ended a rolling restart; the last one says so."""
    *others, last = answers
    return (*others, replace(last, words=f"{last.words}; the rolling restart ends with this"))


async def move_and_see(
    cluster: Cluster,
    home: str,
    to: str | None,
    store: Store | None = None,
    *,
    within: float = 10.0,
    deadline: int | None = None,
    told: Callable[[Answer], None] = lambda _: None,
) -> Answer:
    """Have the stand-in ``to`` serve ``home``, or the home itself when it is None.

    No call drops; with a ``deadline`` those that delay it are ended after so many seconds. Waits
    and tells as :func:`control_and_see`. Raises ConfigurationError for a server that is not
    on the home's list.
    """
    async with _opened(cluster, store) as opened:
        cluster = current(cluster, await opened.snapshot())
        await opened.transact(moving(cluster, home, to, deadline=deadline))

        def judge(page: ServerStatus, snapshot: Snapshot) -> Answer:
            if to is None:
                return answer(Command.START, page, snapshot)
            target = cluster.server(to).server_name
            return moved(page, target, unmovable(cluster, snapshot, page.name, target))

        (found,) = await _see(cluster, named(cluster, [home]), opened, judge, within, told)
        return found


async def return_and_see(
    cluster: Cluster,
    home: str,
    store: Store | None = None,
    *,
    undo: bool = False,
    within: float = 10.0,
    deadline: int = 0,
    told: Callable[[Answer], None] = lambda _: None,
) -> Answer:
    """Have ``home`` get all of its own back now; ``undo`` takes that order back.

    The home has not to ask for long; calls that delay it are ended after ``deadline`` seconds. What
    keeps the home away, a move or a hold, is taken back. Waits and tells as
    :func:`control_and_see`.
    """
    async with _opened(cluster, store) as opened:
        cluster = current(cluster, await opened.snapshot())
        name = cluster.server(home).server_name
        if undo:
            await opened.transact(Transaction((), (Delete(keys.returning(name)),)))
            words = f"{name}: no return is ordered; what is away comes home by itself, call by call"
            return Answer(name, True, True, words)
        while True:
            snapshot = await opened.snapshot()
            if why := unreturnable(cluster, snapshot, name):
                return Answer(name, True, False, why)
            order = returning(cluster, snapshot, name, deadline=deadline)
            if (await opened.transact(order)).committed:
                break
        (found,) = await _see(cluster, (name,), opened, returned, within, told)
        return found


async def hold_and_see(
    cluster: Cluster,
    home: str,
    store: Store | None = None,
    *,
    undo: bool = False,
    within: float = 10.0,
    told: Callable[[Answer], None] = lambda _: None,
) -> Answer:
    """Have nothing of ``home`` come home: who stands in keeps it; ``undo`` has the return begin.

    Takeovers go on as ever. Waits and tells as :func:`control_and_see`.
    """
    async with _opened(cluster, store) as opened:
        cluster = current(cluster, await opened.snapshot())
        await opened.transact(keeping_away(cluster, home, keep=not undo))

        def judge(page: ServerStatus, snapshot: Snapshot) -> Answer:
            return answer(Command.START, page, snapshot) if undo else kept_away(page)

        (found,) = await _see(cluster, named(cluster, [home]), opened, judge, within, told)
        return found


async def _see(
    cluster: Cluster,
    names: Sequence[str],
    opened: Store,
    judge: Callable[[ServerStatus, Snapshot], Answer],
    within: float,
    told: Callable[[Answer], None],
) -> tuple[Answer, ...]:
    """Look until the answers for these servers are final, at most ``within`` seconds."""
    answers: tuple[Answer, ...] = ()
    until = trio.current_time() + within
    with trio.CancelScope() as scope:
        async with contextlib.aclosing(looks(cluster, opened)) as seen:
            async for look in seen:
                before, snapshot = answers, look.snapshot
                answers = tuple(judge(page, snapshot) for page in look.pages if page.name in names)
                # One look there is in any case.
                scope.deadline = until
                if all(each.final for each in answers) or trio.current_time() >= until:
                    break
                for each in answers:
                    if each not in before:
                        told(each)
    return answers
