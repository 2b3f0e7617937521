"""A store in one SQLite file, for several processes of one machine; ``flock`` proves death.

Source of the numbers: failover.md §1.9 (a compare-and-swap takes 36 µs, a death is visible in
6 ms). The file is in WAL mode, so that readers never wait for a writer. It must be on a local
disk: neither SQLite's nor flock's locks hold on network file systems.

Beside ``cluster.db`` stands a directory ``cluster.db.locks`` with one file per server. Its
process keeps an exclusive ``flock`` on that file; the kernel releases it at the process's death,
whatever the cause. Who can lock the file has the proof.

Limit: a process that is stopped (SIGSTOP) in the microseconds between the begin of a write and
its commit keeps everybody from writing until it goes on or is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import TypeVar

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.transaction import (
    Delete,
    Entry,
    Outcome,
    Snapshot,
    Transaction,
    apply,
)

__all__ = ["SqliteStore", "open_sqlite"]

T = TypeVar("T")

# Seconds between two looks at revision and locks; both together take some 20 µs.
_POLL = 0.01
# Seconds that SQLite waits for another process's write; one takes well under a millisecond.
_BUSY = 2.0
# An observer holds a shared lock for microseconds; an owner tries this often, _POLL apart.
_LOCK_TRIES = 30

_SCHEMA = """
CREATE TABLE IF NOT EXISTS revision (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                                     number INTEGER NOT NULL);
INSERT OR IGNORE INTO revision VALUES (1, 0);
CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL,
                                  created INTEGER NOT NULL, modified INTEGER NOT NULL)
                                  WITHOUT ROWID;
"""


class SqliteStore:
    """See the module; made by :func:`open_sqlite`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks = path.with_name(f"{path.name}.locks")
        self._observed: dict[str, int] = {}
        self._limiter = trio.CapacityLimiter(1)
        self._closing = contextlib.ExitStack()
        with _translated(path):
            self._locks.mkdir(parents=True, exist_ok=True)
            # One for the worker threads, one at a time; one for the poll in trio's thread.
            self._worker = self._connect()
            self._poller = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        self._closing.callback(connection.close)
        connection.execute("PRAGMA journal_mode = WAL")
        # Enough: what a power cut may take away belongs to servers that it ended too.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("COMMIT")
        return connection

    def close(self) -> None:
        """Close files; locks held by :meth:`alive` stay."""
        for descriptor in self._observed.values():
            os.close(descriptor)
        self._observed.clear()
        self._closing.close()

    # -------------------------------------------------------------------------- interface

    async def snapshot(self) -> Snapshot:
        """All entries, then the locks: that order makes ``dead`` a proof."""

        def read() -> tuple[int, dict[str, Entry]]:
            connection = self._worker
            connection.execute("BEGIN")
            try:
                revision = _revision(connection)
                rows = connection.execute("SELECT key, value, created, modified FROM entry")
                return revision, {key: Entry(*rest) for key, *rest in rows}
            finally:
                connection.execute("COMMIT")

        revision, entries = await self._in_thread(read)
        running, dead = self._proofs()
        return Snapshot(revision, entries, dead, running)

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit it or not; cancelling waits for the outcome."""

        def write() -> Outcome:
            connection = self._worker
            connection.execute("BEGIN IMMEDIATE")
            try:
                outcome = _run(connection, transaction)
                connection.execute("COMMIT" if outcome.committed else "ROLLBACK")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return outcome

        return await self._in_thread(write)

    async def watch(self, seen: Snapshot) -> None:
        """Look every 10 ms whether the revision or a lock is not as in ``seen``."""
        await trio.lowlevel.checkpoint()
        while True:
            with _translated(self._path):
                if _revision(self._poller) != seen.revision:
                    return
            if self._proofs()[1] != seen.dead:
                return
            await trio.sleep(_POLL)

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Hold the lock of ``name``. A child made by a bare fork() would hold it on."""
        await trio.lowlevel.checkpoint()
        with _translated(self._path):
            descriptor = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            for _ in range(_LOCK_TRIES):
                if _try_lock(descriptor, fcntl.LOCK_EX):
                    break
                await trio.sleep(_POLL)
            else:
                process = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
                raise ConfigurationError(
                    f"{name} runs already, as process {process or 'unknown'}",
                    file=str(self._locks / name),
                    field="server_name",
                )
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    # ---------------------------------------------------------------------------- inside

    async def _in_thread(self, function: Callable[[], T]) -> T:
        with _translated(self._path):
            return await trio.to_thread.run_sync(function, limiter=self._limiter)

    def _proofs(self) -> tuple[frozenset[str], frozenset[str]]:
        """Whose lock is held, and whose is not."""
        with _translated(self._path):
            names = frozenset(os.listdir(self._locks))
            running = frozenset(filter(self._is_locked, names))
            return running, names - running

    def _is_locked(self, name: str) -> bool:
        descriptor = self._observed.get(name)
        if descriptor is None:
            flags = os.O_RDWR | os.O_CLOEXEC
            descriptor = self._observed[name] = os.open(self._locks / name, flags)
        if not _try_lock(descriptor, fcntl.LOCK_SH):
            return True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False


@contextlib.asynccontextmanager
async def open_sqlite(path: str | Path) -> AsyncGenerator[SqliteStore]:
    """The store in the file ``path``, made with its directory if there is none.

    Raises :class:`~pa_telephony.errors.ConnectionLost` when the file cannot be used.
    """
    path = Path(path)
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    store = await trio.to_thread.run_sync(SqliteStore, path)
    try:
        yield store
    finally:
        store.close()


def _revision(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("SELECT number FROM revision").fetchone()[0]
    return number


def _run(connection: sqlite3.Connection, transaction: Transaction) -> Outcome:
    keys = {each.key for each in (*transaction.compares, *transaction.operations)}
    entries: dict[str, Entry] = {}
    for key in keys:
        row = connection.execute(
            "SELECT value, created, modified FROM entry WHERE key = ?", (key,)
        ).fetchone()
        if row:
            entries[key] = Entry(*row)
    outcome = apply(entries, transaction, _revision(connection))
    if outcome.committed:
        for operation in transaction.operations:
            if isinstance(operation, Delete):
                connection.execute("DELETE FROM entry WHERE key = ?", (operation.key,))
            else:
                entry = entries[operation.key]
                connection.execute(
                    "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)",
                    (operation.key, entry.value, entry.created, entry.modified),
                )
        connection.execute("UPDATE revision SET number = ?", (outcome.revision,))
    return outcome


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _translated(path: Path) -> Generator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ConnectionLost(f"store {path}: {error}") from error
