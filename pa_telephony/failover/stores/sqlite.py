"""A store in one SQLite file, for several processes of one machine; a lock proves death.

The file is in WAL mode, so that readers never wait for a writer. It must be on a local disk:
neither SQLite's locks nor ours hold on network file systems. Beside ``cluster.db`` stands
``cluster.db.locks`` (see :mod:`locks`). All of it is this user's alone (see :mod:`private`).

*The file is the store.* Its inode, and the identity written in it, are looked at with every look
and around every write, and stand in the locks' directory too. When it was deleted, moved, replaced,
overwritten or broken, all that is asked of the store raises
:class:`~pa_telephony.failover.transaction.StoreReplaced`, so that servers stop acting at once. It
is opened, or made, anew when no other process lives that may still act on the old one, and else
when ``settle`` seconds are over: by then a process that did not notice has stopped acting by
itself. A broken file is set aside as ``cluster.db.broken``.

Limit: a process that is stopped (SIGSTOP) in the microseconds between the begin of a write and its
commit keeps all others from writing until it goes on or is killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TypeVar

import trio

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.stores.database import (
    BUSY,
    Database,
    is_broken,
    is_busy,
    patiently,
    set_aside,
    translated,
)
from pa_telephony.failover.stores.locks import Locks, Record, look as look_at
from pa_telephony.failover.stores.private import check_file, make_parent
from pa_telephony.failover.transaction import Outcome, Snapshot, StoreReplaced, Transaction

__all__ = ["SqliteStore", "SqliteView", "open_sqlite"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Seconds between two looks of a watch that can be woken, and of one that cannot.
_POLL = 0.2
_POLL_DEAF = 0.02
# Seconds until a read that met a lock is tried again.
_TRY_AGAIN = 0.005
_SETTLE = 5.0


class SqliteStore:
    """A store in one SQLite file, made by :func:`open_sqlite`; see the module."""

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        settle: float = _SETTLE,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._path = path
        self._name = str(path)
        self._create = create
        self._settle = settle
        self._clock = clock
        self._database: Database | None = None
        self._gone: Database | None = None
        self._last: Snapshot | None = None
        self._generation = 0
        self._why_lost = ""
        self._lost_since: float | None = None
        self._limiter = trio.CapacityLimiter(1)
        self._opening = trio.Lock()
        self._waiting = False
        with translated(path):
            if create:
                make_parent(path)
            elif check_file(path) is None:
                raise ConnectionLost(f"store {path}: {_NONE}")
            self._locks = Locks(_locks_of(path))
        with contextlib.suppress(StoreReplaced):
            self._database = self._open()

    def close(self) -> None:
        """Close the file and give up what :meth:`alive` holds."""
        database, self._database = self._database, None
        self._close(database)
        self._locks.close()

    # -------------------------------------------------------------------------- interface

    async def snapshot(self) -> Snapshot:
        """All entries, then the locks: that order makes ``dead`` a proof.

        After the file was lost, this method opens the new one.
        """
        await trio.lowlevel.checkpoint()
        while self._database is None:
            async with self._opening:
                if self._database is None:
                    # No checkpoint between here and the return: nothing that was planned on the
                    # old file can come before the first snapshot of the new one.
                    opened = await self._in_thread(self._reopen)
                    self._database, self._last = opened, None
                    self._generation += 1
                    break
        until = trio.current_time() + BUSY
        while True:
            with translated(self._path):
                try:
                    return self._read()
                except sqlite3.Error as error:
                    if is_broken(error):
                        raise self._lost(f"it is broken: {error}") from error
                    if not is_busy(error) or trio.current_time() > until:
                        raise
            await trio.sleep(_TRY_AGAIN)

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not; cancelling waits for the outcome."""
        await trio.lowlevel.checkpoint_if_cancelled()
        database = self._verified()

        def write() -> Outcome:
            if self._database is not database:
                raise StoreReplaced(self._why_lost)
            return database.write(transaction)

        try:
            outcome = await self._in_thread(write)
        except ConnectionLost as lost:
            if self._database is database and is_broken(lost.__cause__):
                raise self._lost(f"it is broken: {lost.__cause__}") from lost
            raise
        # What was written into a file that is not the store any more was not written.
        self._verified()
        if outcome.committed and transaction.urgent:
            with translated(self._path):
                self._locks.ring()
        return outcome

    async def watch(self, seen: Snapshot) -> None:
        """Wait for a ring, a death or 0.2 s, until a snapshot would differ from ``seen``."""
        await trio.lowlevel.checkpoint()
        until = trio.current_time() + BUSY
        while True:
            database = self._verified()
            with translated(self._path):
                self._locks.silence()
                try:
                    look = database.look()
                    if self._source(database) != seen.source or look.number != seen.revision:
                        return
                    if look.identity != database.identity:
                        raise self._lost("its contents were replaced")
                    until = trio.current_time() + BUSY
                except sqlite3.Error as error:
                    if is_broken(error):
                        raise self._lost(f"it is broken: {error}") from error
                    if not is_busy(error) or trio.current_time() > until:
                        raise
                if self._locks.dead() != seen.dead:
                    return
            await self._wait(seen.dead)

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Hold the lock of ``name`` until the block is left; ConfigurationError if it is held."""
        await trio.lowlevel.checkpoint()
        with translated(self._path):
            self._locks.take(name)
        try:
            yield
        finally:
            self._locks.release(name)

    # ---------------------------------------------------------------------------- reading

    def _read(self) -> Snapshot:
        database = self._verified()
        look, entries = database.read(self._last)
        if look.identity != database.identity:
            raise self._lost("its contents were replaced")
        if self._last is not None and look.number < self._last.revision:
            raise self._lost("its contents were set back")
        dead, running = self._locks.proofs()
        source = self._source(database)
        self._last = Snapshot(look.number, entries, dead, running, source)
        return self._last

    def _source(self, database: Database) -> str:
        return f"{database.identity}/{self._generation}"

    async def _wait(self, dead: frozenset[str]) -> None:
        with translated(self._path):
            descriptor = self._locks.waits_on(dead)
        if self._waiting or not self._locks.has_bell:
            await trio.sleep(_POLL_DEAF)
            return
        self._waiting = True
        try:
            with trio.move_on_after(_POLL):
                await trio.lowlevel.wait_readable(descriptor)
        finally:
            self._waiting = False

    async def _in_thread(self, function: Callable[[], T]) -> T:
        with translated(self._path):
            return await trio.to_thread.run_sync(function, limiter=self._limiter)

    # ------------------------------------------------------------------- the file itself

    def _verified(self) -> Database:
        """The database, if its file is still the store; raises StoreReplaced."""
        database = self._database
        if database is None:
            raise StoreReplaced(self._why_lost)
        with translated(self._path):
            try:
                found = os.lstat(self._name)
            except (FileNotFoundError, NotADirectoryError):
                raise self._lost("it was removed") from None
            if (found.st_dev, found.st_ino) != database.file:
                raise self._lost("it was replaced by another file")
            if why := self._locks.lost():
                raise self._lost(why)
        return database

    def _lost(self, why: str) -> StoreReplaced:
        """Note that the store is gone for now; gives the error to raise."""
        self._gone = self._database
        self._database = None
        self._lost_since = self._clock()
        self._why_lost = f"store {self._path}: {why}"
        return StoreReplaced(self._why_lost)

    def _reopen(self) -> Database:
        """Close the old file and open the new one, in the worker's thread: no write goes on."""
        gone, self._gone = self._gone, None
        self._close(gone)
        if self._create:
            make_parent(self._path)
        if self._locks.lost():
            renewed = Locks(self._locks.path)
            for name in self._locks.held:
                if not renewed.acquire(name):
                    owner = renewed.owner(name)
                    renewed.close()
                    raise ConnectionLost(f"store {self._path}: {name} is now process {owner}")
            self._locks.close()
            self._locks = renewed
        return self._open()

    def _open(self) -> Database:
        with translated(self._path), self._locks.exclusive(BUSY) as descriptor:
            record = self._locks.read_record(descriptor)
            found = check_file(self._path)
            if record is not None and found is None:
                self._settled("it was removed")
            elif record is not None and found is not None and _file(found) != record[1:]:
                self._settled("it was replaced by another file")
            try:
                database = Database(self._path, create=self._create)
            except ConnectionLost as lost:
                # A file of another program that only has this name is left alone.
                if not is_broken(lost.__cause__) or record is None or found is None:
                    raise
                if not self._create or _file(found) != record[1:]:
                    raise
                self._settled(f"it is broken ({lost.__cause__})")
                aside = set_aside(self._path)
                _log.warning("store %s was broken and is begun anew; see %s", self._path, aside)
                database, record = Database(self._path), None
            try:
                if record is not None and database.identity != record.identity:
                    self._settled("its contents were replaced")
                self._locks.write_record(descriptor, Record(database.identity, *database.file))
            except BaseException:
                database.close()
                raise
        self._lost_since = None
        return database

    def _settled(self, why: str) -> None:
        """Raise StoreReplaced while another process may act on the file that was the store."""
        others = self._locks.others()
        now = self._clock()
        if self._lost_since is None:
            self._lost_since = now
        left = self._lost_since + self._settle - now
        if others and left > 0.0:
            self._why_lost = (
                f"store {self._path}: {why} while {', '.join(others)} ran with it;"
                f" a new beginning no sooner than {self._settle:g} s after that"
            )
            raise StoreReplaced(self._why_lost)

    def _close(self, database: Database | None) -> None:
        if database is None:
            return
        with contextlib.suppress(ConnectionLost, OSError), self._locks.exclusive(BUSY):
            database.close()
            return
        database.close()


class SqliteView:
    """The store for mere readers: makes and changes nothing, says what is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def snapshot(self) -> Snapshot:
        """All entries, then the locks, so that ``dead`` is a proof."""
        with translated(self._path):
            return await trio.to_thread.run_sync(self._read)

    async def watch(self, seen: Snapshot) -> None:
        """Look five times a second, and return once a snapshot would differ from ``seen``."""
        while True:
            found = await self.snapshot()
            if (found.source, found.revision, found.dead) != (
                seen.source,
                seen.revision,
                seen.dead,
            ):
                return
            await trio.sleep(_POLL)

    def _read(self) -> Snapshot:
        found = check_file(self._path)
        if found is None:
            why = _GONE if look_at(_locks_of(self._path)).record else _NONE
            raise ConnectionLost(f"store {self._path}: {why}")
        database = Database(self._path, create=False, read_only=True)
        try:
            look, entries = patiently(lambda: database.read(None))
        finally:
            database.close()
        dead, running, record = look_at(_locks_of(self._path))
        if record is not None and record != (look.identity, *_file(found)):
            raise StoreReplaced(f"store {self._path}: not the file that its servers last used")
        return Snapshot(look.number, entries, dead, running, look.identity)


_NONE = "there is none; no server of this cluster has run here, or `store` names another file"
_GONE = "it was removed"


@contextlib.asynccontextmanager
async def open_sqlite(
    path: str | Path,
    *,
    create: bool = True,
    settle: float = _SETTLE,
    clock: Callable[[], float] = boot_clock,
) -> AsyncGenerator[SqliteStore]:
    """The store in the file ``path``; made with its directory if there is none, unless told not to.

    Raises :class:`~pa_telephony.errors.ConnectionLost` when the file cannot be used. ``settle``
    is how many seconds servers may act on a file after it was lost, at most.
    """
    store = await trio.to_thread.run_sync(
        lambda: SqliteStore(Path(path), create=create, settle=settle, clock=clock)
    )
    try:
        yield store
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(store.close)


def _locks_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.locks")


def _file(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
