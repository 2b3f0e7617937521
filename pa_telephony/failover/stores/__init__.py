"""Stores: where the servers of a cluster agree on which of them owns what.

One interface, :class:`Store`. :class:`MemoryStore` serves the servers of one process (tests);
:class:`SqliteStore` those of one machine (the default: a file, and a lock as proof of death);
:class:`EtcdStore` those of several machines (an etcd, which the extra ``etcd`` can speak to).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pa_telephony._lazy import lazy_names
from pa_telephony.extras import need
from pa_telephony.failover.stores.etcd_address import EtcdAddress, is_etcd, state_directory
from pa_telephony.failover.transaction import Outcome, Snapshot, StoreReplaced, Transaction

if TYPE_CHECKING:
    from pa_telephony.failover.config import ClusterConfig
    from pa_telephony.failover.stores.etcd import EtcdStore
    from pa_telephony.failover.stores.memory import MemoryStore
    from pa_telephony.failover.stores.sqlite import SqliteStore

__all__ = [
    "EtcdStore",
    "MemoryStore",
    "SqliteStore",
    "Store",
    "StoreReplaced",
    "StoreView",
    "open_store",
    "open_view",
    "view_of",
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

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """Return once a snapshot would differ from ``seen``; at once if it does already.

        What it returns is the next snapshot, where the store was told of the changes; None where it
        has to be read.
        """
        ...


class Store(StoreView, Protocol):
    """What every store offers to servers.

    Its methods raise ConnectionLost when the store cannot be used now. When they raise its subclass
    :class:`StoreReplaced`, what was agreed on is lost and no server may act on it any more; the
    next snapshot then has another ``source``.
    """

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not, atomically.

        ConnectionLost means that the outcome is unknown: the same transaction may be repeated, and
        then either the first one's outcome is told, or it is committed now if its compares hold.
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
async def open_store(cluster: ClusterConfig, *, create: bool = True) -> AsyncGenerator[Store]:
    """The store that a cluster's configuration names; closed when the block is left.

    One in a file is followed to the etcd to which it was moved, or is while the block is entered.

    With ``create`` false, for tools, there must be one already.
    """
    settle = cluster.timing.take
    if is_etcd(cluster.store):
        need("etcd", "httpcore2")
        from pa_telephony.failover.stores.etcd import open_etcd

        address, directory = EtcdAddress.parse(cluster.store), state_directory(cluster.store)
        async with open_etcd(address, directory, create=create, settle=settle) as store:
            yield store
    else:
        from pa_telephony.failover.stores.movable import open_movable

        path, own = cluster.store_path, cluster.timing.own
        async with open_movable(path, create=create, settle=settle, own=own) as store:
            yield store


def open_view(cluster: ClusterConfig) -> StoreView:
    """The same store, to be read only; this function makes, opens and keeps nothing."""
    return view_of(cluster.store_name)


def view_of(store: str) -> StoreView:
    """The store at the path of a file, or at the address of an etcd, to be read only.

    That of a file that was moved to an etcd is the one there.
    """
    if is_etcd(store):
        need("etcd", "httpcore2")
        from pa_telephony.failover.stores.etcd import EtcdView

        return EtcdView(EtcdAddress.parse(store), state_directory(store))
    from pa_telephony.failover.stores.movable import MovableView

    return MovableView(Path(store))


__getattr__, __dir__ = lazy_names(
    __name__,
    {"EtcdStore": ".etcd", "MemoryStore": ".memory", "SqliteStore": ".sqlite"},
)
