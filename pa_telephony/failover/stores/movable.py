"""A store in a file that goes on in an etcd when the cluster is moved there, as one store.

Whoever has it open notices nothing but a moment in which nothing is written: tokens are the same
(:mod:`etcd_tokens`), revisions grow on, and its ``source`` stays. The file's mark decides
(:mod:`move_mark`). While it says ``copying``, what is to be written waits, and what is read is what
there is; who waits for longer than half the time of the guard takes the move back. Once it says
``done`` the file is not looked at any more.

A process that has a name by its lock beside the file keeps that lock, and takes the name in the
etcd, where the copy has kept it for whoever has the lock.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.extras import need
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.stores.etcd_address import EtcdAddress, state_directory
from pa_telephony.failover.stores.move_mark import MOVED, Mark, mark_in, take_back
from pa_telephony.failover.stores.sqlite import SqliteStore, SqliteView, open_sqlite
from pa_telephony.failover.transaction import (
    Outcome,
    Snapshot,
    StoreMoved,
    StoreReplaced,
    Transaction,
)
from pa_telephony.faults import NEWS
from pa_telephony.tasks import background

if TYPE_CHECKING:
    from pa_telephony.failover.stores.etcd import EtcdStore, EtcdView

__all__ = ["MovableStore", "MovableView", "moved_to", "open_movable"]

_log = logging.getLogger(__name__)

_LOOK = 0.02
"""Seconds between two looks at the mark while something waits to be written."""
_AGAIN = 0.2
"""Seconds until an etcd that cannot be used is tried again."""
_READY_WITHIN = 1.0
"""How many seconds whoever asks waits for the etcd to be open."""


class MovableStore:
    """The store of a cluster that may move, made by :func:`open_movable`; see the module."""

    def __init__(
        self,
        path: Path,
        old: SqliteStore,
        *,
        settle: float,
        own: float,
        clock: Callable[[], float],
    ) -> None:
        self._path = path
        self._old = old
        self._settle = settle
        self._patience = own / 2
        self._clock = clock
        self._copying_since: float | None = None
        self._mark: Mark | None = None
        self._new: EtcdStore | None = None
        self._follows = trio.Event()
        self._ready = trio.Event()
        self._trouble: ConnectionLost | ConfigurationError | None = None
        self._names: set[str] = set()
        self._following = trio.CancelScope(shield=True)
        self._source = ""
        self._new_source = ""

    @property
    def moved_to(self) -> str:
        """The line that names the etcd in which it goes on; "" while it is in its file."""
        return self._mark.to if self._mark is not None else ""

    # -------------------------------------------------------------------------- interface

    async def snapshot(self) -> Snapshot:
        """All entries, from the file or from the etcd."""
        if self._mark is None:
            snapshot = await self._old.snapshot()
            await self._look_at(snapshot)
            if self._mark is None:
                return snapshot
        return self._as_before(await (await self._opened()).snapshot())

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not, after a move that is under way."""
        while self._mark is None:
            try:
                outcome = await self._old.transact(transaction)
            except StoreMoved:
                await self._look_at(await self._old.snapshot())
                if self._copying_since is not None:
                    await trio.sleep(_LOOK)
            else:
                self._copying_since = None
                return outcome
        return await (await self._opened()).transact(transaction)

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """Return once a snapshot would differ from ``seen``."""
        if self._mark is None:
            await self._old.watch(seen)
            return None
        new = await self._opened()
        if seen.source == self._source:
            seen = replace(seen, source=self._new_source)
        found = await new.watch(seen)
        return None if found is None else self._as_before(found)

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Be the process of the server ``name``, also where the cluster goes meanwhile."""
        async with self._old.alive(name):
            self._names.add(name)
            try:
                if self._mark is not None:
                    new = await self._opened()
                    if not new.has(name):
                        await new.take(name, self._mark.heir)
                yield
            finally:
                self._names.discard(name)
                if self._new is not None:
                    await self._new.leave(name)

    # ------------------------------------------------------------------------ the move

    async def _look_at(self, snapshot: Snapshot) -> None:
        """See what the mark says; take a move back that has stopped in its middle."""
        mark = mark_in(snapshot)
        if mark is None:
            self._copying_since = None
        elif mark.done:
            need("etcd", "httpcore2")
            self._copying_since = None
            self._source = snapshot.source
            self._mark = mark
            self._follows.set()
            _log.info("store %s: %s, and goes on there", self._path, mark, extra=NEWS)
        else:
            now = self._clock()
            if self._copying_since is None:
                self._copying_since = now
            if now >= self._copying_since + self._patience:
                await self._take_back(mark, snapshot.modified(MOVED))

    async def _take_back(self, mark: Mark, revision: int) -> None:
        if (await self._old.transact(take_back(revision))).committed:
            _log.warning(
                "store %s: the move to %s stood still for %g s and is taken back",
                self._path,
                mark.to,
                self._patience,
                extra=NEWS,
            )

    async def _opened(self) -> EtcdStore:
        """The etcd, once it is open; raises what keeps it from that."""
        with trio.move_on_after(_READY_WITHIN):
            await self._ready.wait()
        if self._new is not None:
            return self._new
        raise self._trouble or ConnectionLost(f"store {self.moved_to}: not open yet")

    def _as_before(self, snapshot: Snapshot) -> Snapshot:
        if snapshot.source == self._new_source:
            return replace(snapshot, source=self._source)
        return snapshot

    async def follow(self) -> None:
        """Have the etcd open from the move on, without end; its trouble is told to who asks."""
        # What a process says at its end, when all of it is cancelled, is said there, too.
        with self._following:
            await self._follows.wait()
            while self._mark is not None:
                try:
                    await self._go_on(self._mark)
                except (ConfigurationError, ConnectionLost) as error:
                    self._trouble = error
                await trio.sleep(_AGAIN)

    def end(self) -> None:
        """Close the etcd, if it is open."""
        self._following.cancel()

    async def _go_on(self, mark: Mark) -> None:
        from pa_telephony.failover.stores.etcd import open_etcd
        from pa_telephony.failover.stores.etcd_copy import finish
        from pa_telephony.failover.stores.etcd_gateway import open_gateway

        address, directory = EtcdAddress.parse(mark.to), state_directory(mark.to)
        async with open_gateway(address) as gateway:
            await finish(gateway, mark.attempt, self._source.partition("/")[0])
        opening = open_etcd(
            address, directory, create=False, settle=self._settle, clock=self._clock
        )
        async with opening as new:
            self._new_source = (await new.snapshot()).source
            for name in tuple(self._names):
                await new.take(name, mark.heir)
            self._new, self._trouble = new, None
            self._ready.set()
            try:
                await trio.sleep_forever()
            finally:
                self._new, self._ready = None, trio.Event()


@contextlib.asynccontextmanager
async def open_movable(
    path: Path,
    *,
    create: bool,
    settle: float,
    own: float,
    clock: Callable[[], float] = boot_clock,
) -> AsyncGenerator[MovableStore]:
    """The store in a file, or where it was moved to; ``own`` is the length of the guard.

    Raises ConnectionLost when neither can be used.
    """
    async with open_sqlite(path, create=create, settle=settle, clock=clock) as old:
        store = MovableStore(path, old, settle=settle, own=own, clock=clock)
        async with background() as tasks:
            tasks.start_soon(store.follow)
            with contextlib.suppress(StoreReplaced):
                await store.snapshot()
            try:
                yield store
            finally:
                store.end()


class MovableView:
    """The store for mere readers, in its file or where it was moved to."""

    def __init__(self, path: Path) -> None:
        self._old = SqliteView(path)
        self._new: EtcdView | None = None
        self.moved_to = ""
        """The line that names the etcd in which it goes on; "" while it is in its file."""

    async def snapshot(self) -> Snapshot:
        """All entries, from the file or from the etcd."""
        if self._new is None:
            snapshot = await self._old.snapshot()
            mark = mark_in(snapshot)
            if mark is None or not mark.done:
                return snapshot
            self._follow(mark)
        assert self._new is not None
        return await self._new.snapshot()

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """Look five times a second, and return once a snapshot would differ from ``seen``."""
        if self._new is not None:
            return await self._new.watch(seen)
        await self._old.watch(seen)
        return None

    def _follow(self, mark: Mark) -> None:
        need("etcd", "httpcore2")
        from pa_telephony.failover.stores.etcd import EtcdView

        self.moved_to = mark.to
        self._new = EtcdView(EtcdAddress.parse(mark.to), state_directory(mark.to))


def moved_to(store: object) -> str:
    """The line that names the etcd into which the cluster of a store was moved; "" when it was not.

    It is known once the store was read.
    """
    return store.moved_to if isinstance(store, MovableStore | MovableView) else ""
