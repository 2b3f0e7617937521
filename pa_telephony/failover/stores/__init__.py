"""Stores: where the servers of a cluster agree on which of them owns what.

One interface, :class:`Store`. :class:`MemoryStore` serves the servers of one process (tests);
:class:`SqliteStore` those of one machine (the default: a file, and a lock as proof of death).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from pa_telephony._lazy import lazy_names
from pa_telephony.failover.transaction import Outcome, Snapshot, StoreReplaced, Transaction

if TYPE_CHECKING:
    from pa_telephony.failover.cluster import Cluster
    from pa_telephony.failover.stores.memory import MemoryStore
    from pa_telephony.failover.stores.sqlite import SqliteStore

__all__ = [
    "MemoryStore",
    "SqliteStore",
    "Store",
    "StoreReplaced",
    "StoreView",
    "open_store",
    "open_view",
]


class StoreView(Protocol):
    """The part of a store that only reads.

    Its methods raise :class:`~pa_telephony.errors.ConnectionLost` when it cannot be used now.
    """

    async def snapshot(self) -> Snapshot:
        """All entries at one revision, and the servers that are proven dead.

        Never older than what any transaction that has returned before has committed.
        """
        ...

    async def watch(self, seen: Snapshot) -> None:
        """Return once a snapshot would differ from ``seen``; at once if it does already."""
        ...


class Store(StoreView, Protocol):
    """What every store offers to servers.

    Its methods raise ConnectionLost when the store cannot be used now. When they raise its subclass
    :class:`StoreReplaced`, what was agreed on is lost and no server may act on it any more; the
    next snapshot then has another ``source``.
    """

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not, atomically.

        ConnectionLost means that the outcome is unknown: the same transaction may be repeated.
        Cancelling waits for the outcome, so that it is never unknown because of us.
        """
        ...

    def alive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Be the process of the server ``name`` while inside; its end is the proof of death.

        To be held around everything that a server does, its session in the store included.
        Raises ConfigurationError when another process (or block) is that server.
        """
        ...


@contextlib.asynccontextmanager
async def open_store(cluster: Cluster, *, create: bool = True) -> AsyncGenerator[Store]:
    """The store that a cluster's configuration names; closed when the block is left.

    With ``create`` false, for tools, there must be one already.
    """
    from pa_telephony.failover.stores.sqlite import open_sqlite

    settle = cluster.timing.take
    async with open_sqlite(cluster.store_path, create=create, settle=settle) as store:
        yield store


def open_view(cluster: Cluster) -> StoreView:
    """The same store, to be read only; this function makes, opens and keeps nothing."""
    from pa_telephony.failover.stores.sqlite import SqliteView

    return SqliteView(cluster.store_path)


__getattr__, __dir__ = lazy_names(
    __name__,
    {"MemoryStore": ".memory", "SqliteStore": ".sqlite"},
)
