"""What an operator does about a rolling restart: begins it, looks on, and ends it.

The agents of the machines carry it out (:mod:`rolling`); nothing here has to go on for that.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import trio

from pa_telephony.errors import ConnectionLost, LocalProtocolError
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.intent import DRAINS_WITHIN, Command
from pa_telephony.failover.roll_orders import beginning, overruling, progress, undoing
from pa_telephony.failover.rolling import Roll, rolling
from pa_telephony.failover.status import Ages, cluster_status
from pa_telephony.failover.stored import current
from pa_telephony.failover.stores import Store, StoreView, open_store, open_view
from pa_telephony.failover.transaction import Transaction

__all__ = [
    "begin_restart",
    "follow_restart",
    "give_order",
    "read_rolling",
    "restart_and_see",
    "undo_restart",
]

_LOOK = 0.5
_PAUSE = 0.1


async def _opened(stack: AsyncExitStack, cluster: Cluster, store: Store | None) -> Store:
    if store is not None:
        return store
    return await stack.enter_async_context(open_store(cluster, create=False))


async def restart_and_see(
    cluster: Cluster,
    servers: Iterable[str] = (),
    store: Store | None = None,
    *,
    deadline: int = DRAINS_WITHIN,
    told: Callable[[str], None] = lambda _: None,
) -> Roll:
    """Restart ``servers``, or all, one after the other, and look on until that has ended.

    Nobody who calls is turned away, and no call is dropped but those that last longer than
    ``deadline`` seconds. ``told`` hears how far it is. To be cancelled ends the looking alone.
    Raises ConfigurationError for a name that is no server, and LocalProtocolError with the reason
    when it is refused.
    """
    async with AsyncExitStack() as stack:
        opened = await _opened(stack, cluster, store)
        await begin_restart(cluster, servers, opened, deadline=deadline)
        return await follow_restart(cluster, opened, told)


async def begin_restart(
    cluster: Cluster, servers: Iterable[str], store: Store, *, deadline: int
) -> None:
    """Begin it, as :func:`restart_and_see` does, and do not look on."""
    names = tuple(servers)
    while True:
        snapshot = await store.snapshot()
        begin = beginning(
            current(cluster, snapshot), snapshot, names, deadline=deadline, at=time.time()
        )
        if (await store.transact(begin)).committed:
            return


async def follow_restart(cluster: Cluster, store: Store, told: Callable[[str], None]) -> Roll:
    """Look on until the rolling restart has ended; ``told`` hears how far it is.

    Raises LocalProtocolError when there is none.
    """
    ages, before = Ages(), ""

    def tell(words: str) -> None:
        nonlocal before
        if words != before:
            told(words)
        before = words

    while True:
        try:
            snapshot = await store.snapshot()
        except ConnectionLost as lost:
            # The restart waits for the store, however long that is away; so does who looks on.
            tell(str(lost))
            await trio.sleep(_LOOK)
            continue
        cluster = current(cluster, snapshot)
        roll = rolling(snapshot)
        if roll is None:
            raise LocalProtocolError("the store does not have the rolling restart any more")
        if not roll.goes_on:
            return roll
        known = ages.look(cluster, snapshot, boot_clock())
        tell(progress(roll, cluster_status(cluster, snapshot, known), snapshot))
        with trio.move_on_after(_LOOK), contextlib.suppress(ConnectionLost):
            await store.watch(snapshot)
        await trio.sleep(_PAUSE)


async def undo_restart(cluster: Cluster, store: Store | None = None) -> Roll | None:
    """End the rolling restart that goes on, or clear one that was given up; None without any.

    A server that it drains is started again.
    """
    async with AsyncExitStack() as stack:
        opened = await _opened(stack, cluster, store)
        while True:
            snapshot = await opened.snapshot()
            undo = undoing(snapshot, time.time())
            if undo is None:
                return None
            if (await opened.transact(undo)).committed:
                return rolling(await opened.snapshot())


async def read_rolling(cluster: Cluster, store: StoreView | None = None) -> Roll | None:
    """The rolling restart that goes on, or was the last one."""
    return rolling(await (store or open_view(cluster)).snapshot())


async def give_order(
    store: Store, order: Transaction, command: Command, names: Sequence[str]
) -> bool:
    """Commit an order for ``names``; a rolling restart that it is against ends with it.

    Gives whether one did.
    """
    while True:
        ends = overruling(await store.snapshot(), command, names, time.time())
        both = order
        if ends is not None:
            both = replace(
                order,
                compares=(*order.compares, *ends.compares),
                operations=(*order.operations, *ends.operations),
            )
        if (await store.transact(both)).committed:
            return ends is not None
