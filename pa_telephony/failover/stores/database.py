"""The SQLite file of a store: opened safely, read by what has changed, written atomically.

Two connections: one for reading, which never waits (in WAL mode readers wait for no writer), and
one for writing, for a worker thread. Nothing here knows trio.

One row says what the file is: ``identity`` is drawn when the file is made, ``number`` is the last
revision, ``deleted`` the last one that deleted something. A reader that knows revision *n* reads
the entries modified after *n*, or all of them when something was deleted since. Revisions begin
at a random number, so that no token of one file ever counts in another.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple, TypeVar

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.stores.move_mark import MOVED, Mark
from pa_telephony.failover.stores.private import check_file, make_parent
from pa_telephony.failover.transaction import (
    Delete,
    Entry,
    Outcome,
    Snapshot,
    StoreMoved,
    Transaction,
    apply,
)

__all__ = ["BUSY", "Database", "is_broken", "is_busy", "patiently", "set_aside", "translated"]

T = TypeVar("T")

BUSY = 1.0
"""How many seconds a write, or an opening, waits for another process; one takes a millisecond."""

# "PA", and the layout of the tables.
_APPLICATION = 0x5041
_FORMAT = 1
# The log is made this large at once and written over again and again: a full disk ends nothing.
_LOG_PAGES = 256
_LOG_BYTES = 32 + (_LOG_PAGES + 64) * (24 + 4096)
# So large is the file itself at once, most of it pages that new entries use: a log that cannot be
# written to a file that cannot grow grows itself, until there is no room at all. 1 MiB.
_FILE_PAGES = 256
_TRY_AGAIN = 0.005

_TABLES = {"entry", "store", "revision", "room"}
# The table ``revision`` is that of the first stores, which had no format; ``room`` is there while
# the file is made large.
_SCHEMA = f"""
DROP TABLE IF EXISTS revision;
CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL,
                                  created INTEGER NOT NULL, modified INTEGER NOT NULL)
                                  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_modified ON entry (modified);
CREATE TABLE IF NOT EXISTS store (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                                  identity TEXT NOT NULL, number INTEGER NOT NULL,
                                  deleted INTEGER NOT NULL);
INSERT OR IGNORE INTO store VALUES (1, :identity, :number, :number);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
"""
_LOOK = "SELECT identity, number, deleted FROM store"


class Look(NamedTuple):
    """The contents of the row that says what the file is."""

    identity: str
    number: int
    deleted: int


class Database:
    """The file at ``path``, open; made, when ``create`` says so and there is none.

    Opening and closing must be done by one process at a time (see ``locks.Locks.exclusive``).
    Raises :class:`~pa_telephony.errors.ConnectionLost`.
    """

    def __init__(self, path: Path, *, create: bool = True, read_only: bool = False) -> None:
        self.path = path
        self._closing = contextlib.ExitStack()
        with translated(path), contextlib.ExitStack() as opening:
            opening.callback(self.close)
            self._make(create)
            if read_only:
                self._reader = self._connect(_reading(path))
            else:
                self._writer = self._connect(f"{path.absolute().as_uri()}?mode=rw", BUSY)
                patiently(self._prepare)
                with contextlib.suppress(sqlite3.Error):
                    self._make_room()
                self._reader = self._connect(f"{path.absolute().as_uri()}?mode=rw")
            self.identity = patiently(self._identify)
            found = check_file(path)
            assert found is not None
            self.file = found.st_dev, found.st_ino
            opening.pop_all()

    def _make(self, create: bool) -> None:
        if create:
            make_parent(self.path)
        if check_file(self.path) is None:
            if not create:
                raise ConnectionLost(f"store {self.path}: there is no such file")
            # SQLite takes an empty file for a database; its -wal and -shm get this file's mode.
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        for ending in ("-wal", "-shm"):
            check_file(self.path.with_name(self.path.name + ending))

    def _connect(self, uri: str, timeout: float = 0.0) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, timeout=timeout, isolation_level=None, check_same_thread=False, uri=True
        )
        self._closing.callback(connection.close)
        return connection

    def _prepare(self) -> None:
        connection = self._writer
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        foreign = {name for (name,) in tables} - _TABLES
        if version > _FORMAT:
            raise ConnectionLost(f"store {self.path}: written by a newer release, format {version}")
        if application != _APPLICATION and foreign:
            raise ConnectionLost(f"store {self.path}: an SQLite database, but not a store")
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL is enough: a power cut may lose writes only of servers that it ended too.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        if version < _FORMAT:
            number = (1 + secrets.randbits(31)) << 16
            with _transaction(connection):
                for statement in _SCHEMA.split(";"):
                    values = {"identity": secrets.token_hex(8), "number": number}
                    connection.execute(statement, values if ":identity" in statement else {})
        self._reserve()

    def _make_room(self) -> None:
        """Allocate pages in the file, and free them; without room on the disk go on without."""
        connection = self._writer
        connection.execute("DROP TABLE IF EXISTS room")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if pages < _FILE_PAGES:
            # Two transactions: what is written and dropped in one never comes to the disk.
            connection.execute("CREATE TABLE room AS SELECT zeroblob(?)", (_FILE_PAGES * 4096,))
            connection.execute("PRAGMA wal_checkpoint")
            connection.execute("DROP TABLE room")

    def _reserve(self) -> None:
        log = self.path.with_name(f"{self.path.name}-wal")
        # SQLite locks other files than this one, so it may be closed.
        with contextlib.suppress(OSError):
            descriptor = os.open(log, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.posix_fallocate(descriptor, 0, _LOG_BYTES)
            finally:
                os.close(descriptor)

    def _identify(self) -> str:
        return self.look().identity

    def close(self) -> None:
        """Close the connections; the last one of all processes writes the log to the file."""
        self._closing.close()

    # --------------------------------------------------------------------------- reading

    def look(self) -> Look:
        """Read the row that says what the file is; raises sqlite3.Error."""
        return Look(*self._reader.execute(_LOOK).fetchone())

    def read(self, known: Snapshot | None) -> tuple[Look, dict[str, Entry]]:
        """Read that row and all entries, those of ``known`` taken over; raises sqlite3.Error."""
        connection = self._reader
        with _transaction(connection, "BEGIN"):
            look = self.look()
            if known is None or not look.deleted <= known.revision <= look.number:
                after, entries = -1, dict[str, Entry]()
            else:
                after, entries = known.revision, dict(known.entries)
            if after != look.number:
                rows = connection.execute(
                    "SELECT key, value, created, modified FROM entry WHERE modified > ?", (after,)
                )
                entries.update((key, Entry(*rest)) for key, *rest in rows)
        return look, entries

    # --------------------------------------------------------------------------- writing

    def write(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not; raises sqlite3.Error, and nothing is committed then.

        Raises StoreMoved, too: only what names the mark of a move is written beside it.
        """
        connection = self._writer
        keys = {each.key for each in (*transaction.compares, *transaction.operations)}
        # Immediate: no other process writes between the compares and the changes.
        with _transaction(connection):
            look = Look(*connection.execute(_LOOK).fetchone())
            entries: dict[str, Entry] = {}
            for key in keys | {MOVED}:
                row = connection.execute(
                    "SELECT value, created, modified FROM entry WHERE key = ?", (key,)
                ).fetchone()
                if row:
                    entries[key] = Entry(*row)
            if MOVED in entries and MOVED not in keys:
                raise StoreMoved(f"store {self.path}: {Mark.decode(entries[MOVED].value)}")
            before = dict(entries)
            outcome = apply(entries, transaction, look.number)
            if outcome.committed:
                self._store(transaction, before, entries, look, outcome.revision)
        return outcome

    def _store(
        self,
        transaction: Transaction,
        before: dict[str, Entry],
        entries: dict[str, Entry],
        look: Look,
        revision: int,
    ) -> None:
        connection = self._writer
        deleted = look.deleted
        for operation in transaction.operations:
            if isinstance(operation, Delete):
                if operation.key in before:
                    deleted = revision
                    connection.execute("DELETE FROM entry WHERE key = ?", (operation.key,))
            else:
                entry = entries[operation.key]
                connection.execute(
                    "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)",
                    (operation.key, entry.value, entry.created, entry.modified),
                )
        connection.execute("UPDATE store SET number = ?, deleted = ?", (revision, deleted))


def is_busy(error: BaseException) -> bool:
    """Whether another connection is in the way for a moment."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)


def is_broken(error: BaseException | None) -> bool:
    """Whether the file is not one that SQLite wrote, or is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> Path:
    """Give a broken database and its log other names, for people to look at; the newest is kept."""
    for ending in ("-shm", "-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(_broken(path, ending))
    return _broken(path, "")


def _broken(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.broken{ending}")


@contextlib.contextmanager
def translated(path: Path) -> Generator[None]:
    """Turn errors of SQLite and of the operating system into ConnectionLost with the path."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        where = getattr(error, "filename", None)
        place = f"{path}: {where}" if where and str(where) != str(path) else str(path)
        raise ConnectionLost(f"store {place}: {why}") from error


def _reading(path: Path) -> str:
    # Without a log no process has it open, and a reader that relies on that leaves no files.
    log = path.with_name(f"{path.name}-wal")
    still = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro{still}"


def patiently(step: Callable[[], T]) -> T:
    """Do ``step`` again while another connection is in the way; not all of SQLite waits itself.

    For a worker's thread: it sleeps in between, and gives up after :data:`BUSY` seconds.
    """
    until = time.monotonic() + BUSY
    while True:
        try:
            return step()
        except sqlite3.Error as error:
            if not is_busy(error) or time.monotonic() > until:
                raise
        time.sleep(_TRY_AGAIN)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Generator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
