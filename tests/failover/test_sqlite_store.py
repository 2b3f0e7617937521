"""The store in a file: opened by many at once, read bit by bit, written whole, watched."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
import trio.testing

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.stores import MemoryStore, sqlite
from pa_telephony.failover.stores.database import Database
from pa_telephony.failover.stores.locks import Locks
from pa_telephony.failover.stores.sqlite import open_sqlite
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Put,
    Snapshot,
    Transaction,
)


def put(key: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(key, value),))


# --------------------------------------------------------------------------- opening

_MANY = """
import os, sys
from pathlib import Path
from pa_telephony.failover.stores.sqlite import SqliteStore
from pa_telephony.failover.transaction import Put, Transaction
directory, rounds, processes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
failures = 0
for round in range(rounds):
    path = Path(directory) / str(round) / "cluster.db"
    start, go = os.pipe()
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(start, 1)
            try:
                for again in range(3):
                    store = SqliteStore(path)
                    store._database.write(Transaction((), (Put(f"k{number}", "x"),)))
                    store.close()
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(start)
    os.close(go)
    failures += sum(os.waitpid(child, 0)[1] != 0 for child in children)
    store = SqliteStore(path)
    assert len(store._database.read(None)[1]) == processes
    store.close()
print(failures, "failures")
"""


def test_many_processes_open_and_close_a_fresh_store_at_once(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _MANY, str(tmp_path), "5", "10"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.splitlines() == ["0 failures"], run.stdout + run.stderr


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
async def test_opening_waits_for_another_program_that_has_the_fresh_file(
    tmp_path: Path, lock: str
) -> None:
    """SQLite does not do it by itself when it switches to the write-ahead log."""
    path = tmp_path / "cluster.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute(f"BEGIN {lock}")
    letting_go = threading.Timer(0.1, other.execute, ["ROLLBACK"])
    letting_go.start()
    async with open_sqlite(path) as store:
        assert (await store.transact(put("a"))).committed
    letting_go.join()
    other.close()


async def test_a_store_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(ConnectionLost, match="newer release"):
        async with open_sqlite(path):
            raise AssertionError


async def test_a_store_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE revision (only_row INTEGER PRIMARY KEY, number INTEGER)")
        other.execute(
            "CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER"
            " NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID"
        )
        other.execute("INSERT INTO entry VALUES ('stop/PA1', 'stop', 3, 7)")
    async with open_sqlite(path) as store:
        snapshot = await store.snapshot()
        assert snapshot.entries["stop/PA1"].value == "stop"
        assert snapshot.revision > 7


async def test_somebody_s_other_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(ConnectionLost, match="not a store"):
        async with open_sqlite(path):
            raise AssertionError
    with contextlib.closing(sqlite3.connect(path)) as other:
        tables = other.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("theirs",)]


async def test_the_log_has_its_room_before_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        log = path.with_name("cluster.db-wal")
        before = log.stat().st_blocks
        for number in range(3000):
            await store.transact(put("srv/PA1", str(number)))
        assert log.stat().st_blocks == before


# ---------------------------------------------------------------- reading and writing


@pytest.mark.real_time
async def test_a_write_sees_what_was_committed_while_it_waited(tmp_path: Path) -> None:
    """A transaction that began by reading would decide on what is not true any more."""
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        made = (await store.transact(put("a"))).revision
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE entry SET modified = ? WHERE key = 'a'", (made + 1,))
        other.execute("UPDATE store SET number = ?", (made + 1,))
        outcomes = []

        async def attempt() -> None:
            outcomes.append(await store.transact(put("a", "y", Compare("a", modified=made))))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(attempt)
            await trio.sleep(0.1)
            other.execute("COMMIT")
        other.close()
        assert [outcome.committed for outcome in outcomes] == [False]


async def test_a_session_in_a_snapshot_is_older_than_the_proof_that_its_server_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PA1 starts between the two looks of a snapshot: it must not look alive and dead at once."""
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store, open_sqlite(path) as other:
        async with other.alive("PA1"):
            pass
        looks: list[str] = []

        def then_it_starts(look: str) -> None:
            looks.append(look)
            if len(looks) == 1:
                assert other._locks.acquire("PA1")
                assert other._database is not None
                other._database.write(put("srv/PA1"))

        read, proofs = Database.read, Locks.proofs

        def slow_read(self: Database, known: Snapshot | None) -> object:
            found = read(self, known)
            then_it_starts("entries")
            return found

        def slow_proofs(self: Locks) -> object:
            found = proofs(self)
            then_it_starts("locks")
            return found

        monkeypatch.setattr(Database, "read", slow_read)
        monkeypatch.setattr(Locks, "proofs", slow_proofs)
        snapshot = await store.snapshot()
        assert sorted(looks) == ["entries", "locks"]
        assert not ("srv/PA1" in snapshot.entries and "PA1" in snapshot.dead)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_read_bit_by_bit_is_what_is_there(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    memory = MemoryStore()
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as writer, open_sqlite(path) as reader:
        first = (await writer.snapshot()).revision
        for _ in range(150):
            keys = rng.sample("abcdefgh", rng.randint(1, 3))
            operations = tuple(
                Delete(key) if rng.random() < 0.2 else Put(key, str(rng.random())) for key in keys
            )
            absent = tuple(Compare(key, created=0) for key in keys if rng.random() < 0.2)
            transaction = Transaction(absent, operations)
            outcome = await writer.transact(transaction)
            expected = await memory.transact(transaction)
            assert (outcome.committed, outcome.revision - first) == (
                expected.committed,
                expected.revision,
            )
            if rng.random() < 0.4:
                found = await reader.snapshot()
                assert {
                    key: (entry.value, entry.created - first, entry.modified - first)
                    for key, entry in found.entries.items()
                } == {
                    key: (entry.value, entry.created, entry.modified)
                    for key, entry in (await memory.snapshot()).entries.items()
                }


# ------------------------------------------------------------------------------ waking


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_POLL", 3600.0)


@pytest.mark.usefixtures("never_polls")
async def test_a_watch_is_woken_by_news_and_not_by_heartbeats(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as one, open_sqlite(path) as other, other.alive("PA2"):
        for sender in (one, other):
            seen = await other.snapshot()
            with trio.move_on_after(0.1) as waiting:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(other.watch, seen)
                    await trio.testing.wait_all_tasks_blocked()
                    await sender.transact(Transaction((), (Put("a", "x"),), urgent=False))
            assert waiting.cancelled_caught
            seen = await other.snapshot()
            with trio.fail_after(5):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(other.watch, seen)
                    await trio.testing.wait_all_tasks_blocked()
                    await sender.transact(put("a"))


_HOLDS = """
import os, signal, sys, time, trio
from pa_telephony.failover.stores.sqlite import open_sqlite
async def main():
    async with open_sqlite(sys.argv[1]) as store, store.alive("PA1"):
        child = 0
        if sys.argv[2] == "fork":
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(writer, b"1")
                time.sleep(60)
                os._exit(0)
            # By now the child has let go of our lock: the death is ours alone.
            os.read(reader, 1)
        print(child, flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


@contextlib.asynccontextmanager
async def another_process(path: Path, how: str) -> AsyncGenerator[trio.Process]:
    """A process that is PA1, and may have a child that was made by a bare fork()."""
    other = await trio.lowlevel.open_process(
        [sys.executable, "-c", _HOLDS, str(path), how], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    child = 0
    try:
        with trio.fail_after(60):
            child = int(await other.stdout.receive_some())
        yield other
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
        other.kill()
        with trio.CancelScope(shield=True):
            await other.wait()
            await other.stdout.aclose()


@pytest.mark.real_time
@pytest.mark.usefixtures("never_polls")
@pytest.mark.parametrize("how", ["", "fork"])
async def test_a_death_wakes_and_a_forked_child_does_not_hide_it(tmp_path: Path, how: str) -> None:
    path = tmp_path / "cluster.db"
    async with (
        open_sqlite(path) as store,
        store.alive("PA2"),
        another_process(path, how) as other,
    ):
        seen = await store.snapshot()
        assert (seen.dead, seen.running) == (frozenset(), {"PA1", "PA2"})
        other.kill()
        with trio.fail_after(60):
            await store.watch(seen)
        assert (await store.snapshot()).dead == {"PA1"}


_LIVES = """
import sys, trio
from pa_telephony.failover.stores.sqlite import open_sqlite
from pa_telephony.failover.transaction import Put, Transaction
async def main():
    async with open_sqlite(sys.argv[1]) as store, store.alive("PA1"):
        await store.transact(Transaction((), (Put("srv/PA1", "here"),)))
        print("up", flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


@pytest.mark.real_time
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_death_of_another_process_is_proven_at_once(
    tmp_path: Path, how: signal.Signals
) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        other = await trio.lowlevel.open_process(
            [sys.executable, "-c", _LIVES, str(path)], stdout=subprocess.PIPE
        )
        assert other.stdout is not None
        try:
            with trio.fail_after(60):
                await other.stdout.receive_some()
                seen = await store.snapshot()
                assert seen.entries["srv/PA1"].value == "here"
                assert seen.dead == frozenset()
                with pytest.raises(ConfigurationError, match=f"process {other.pid}"):
                    async with store.alive("PA1"):
                        raise AssertionError
                other.send_signal(how)
                await store.watch(seen)
                assert (await store.snapshot()).dead == {"PA1"}
        finally:
            other.kill()
            with trio.CancelScope(shield=True):
                await other.wait()
                await other.stdout.aclose()


async def test_a_file_that_is_no_store_is_a_typed_error_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    path.write_text("this is no database, and quite a bit longer than SQLite's header " * 20)
    with pytest.raises(ConnectionLost, match=r"cluster\.db"):
        async with open_sqlite(path):
            raise AssertionError


async def test_a_directory_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectionLost, match="file"):
        async with open_sqlite(tmp_path / "file" / "cluster.db"):
            raise AssertionError
