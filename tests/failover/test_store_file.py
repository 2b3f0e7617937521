"""The store's file: lost, replaced, looked at, and out of the reach of strangers."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.stores import database
from pa_telephony.failover.stores.database import Database
from pa_telephony.failover.stores.sqlite import SqliteStore, SqliteView, open_sqlite
from pa_telephony.failover.transaction import Compare, Put, StoreReplaced, Transaction


def put(key: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(key, value),))


# --------------------------------------------------------------- the file is the store


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _delete(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink()


def _delete_everything(path: Path) -> None:
    for found in sorted(path.parent.rglob("*"), reverse=True):
        found.rmdir() if found.is_dir() else found.unlink()
    path.parent.rmdir()


def _move_away(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def _replace(path: Path) -> None:
    other = path.with_name("other.db")
    SqliteStore(other).close()
    _delete(path)
    other.rename(path)


def _restore_a_copy(path: Path) -> None:
    copy_path = path.with_name("copy.db")
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy_path)) as copy,
    ):
        source.backup(copy)
    _delete(path)
    copy_path.rename(path)


def _remove_the_locks(path: Path) -> None:
    for found in path.with_name("cluster.db.locks").iterdir():
        found.unlink()


HURTS = pytest.mark.parametrize(
    "hurt",
    [_delete, _delete_everything, _move_away, _replace, _restore_a_copy, _remove_the_locks],
)


@HURTS
@pytest.mark.parametrize("asks", ["snapshot", "watch", "transact"])
async def test_whoever_uses_a_lost_file_is_told_whatever_it_asks(
    tmp_path: Path, hurt: Callable[[Path], None], asks: str
) -> None:
    path = tmp_path / "state" / "cluster.db"
    async with open_sqlite(path, clock=Clock()) as store, store.alive("PA1"):
        await store.transact(put("a"))
        seen = await store.snapshot()
        hurt(path)
        with pytest.raises(StoreReplaced, match=r"removed|replaced"), trio.fail_after(5):
            if asks == "snapshot":
                await store.snapshot()
            elif asks == "watch":
                await store.watch(seen)
            else:
                await store.transact(put("a"))


@HURTS
async def test_two_files_never_make_two_clusters(
    tmp_path: Path, hurt: Callable[[Path], None]
) -> None:
    path = tmp_path / "state" / "cluster.db"
    clock = Clock()
    async with (
        open_sqlite(path, clock=clock) as one,
        open_sqlite(path, clock=clock) as other,
        one.alive("PA1"),
        other.alive("PA2"),
    ):
        await one.transact(put("a"))
        before = [await store.snapshot() for store in (one, other)]
        hurt(path)
        for store in (one, other):
            with pytest.raises(StoreReplaced):
                await store.snapshot()
            with pytest.raises(StoreReplaced):
                await store.transact(put("b"))
        # A third one, started on what is there now, is told the same; if all traces of the old
        # store are gone with it, it is the beginning of the new one.
        async with open_sqlite(path, clock=clock) as third:
            with contextlib.suppress(StoreReplaced):
                await third.transact(put("c"))
            clock.now += 5.1
            after = [await store.snapshot() for store in (one, other, third)]
            assert len({snapshot.revision for snapshot in after}) == 1
            assert all(new.source != old.source for new, old in zip(after, before, strict=False))
            await one.transact(put("d"))
            assert "d" in (await other.snapshot()).entries
            assert "d" in (await third.snapshot()).entries
            if hurt in (_delete, _replace):
                token = Compare("a", created=before[0].entries["a"].created)
                assert not (await one.transact(put("a", "y", token))).committed
            with pytest.raises(ConfigurationError, match="PA1 runs already"):
                async with third.alive("PA1"):
                    raise AssertionError


async def test_a_lost_file_is_begun_anew_at_once_when_nobody_else_lives(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    clock = Clock()
    async with open_sqlite(path, clock=clock) as store, store.alive("PA1"):
        await store.transact(put("a"))
        _delete(path)
        with pytest.raises(StoreReplaced):
            await store.snapshot()
        assert not (await store.snapshot()).entries
        assert (await store.transact(put("b"))).committed


async def test_a_file_that_others_use_and_is_gone_is_not_made_again_at_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cluster.db"
    clock = Clock()
    async with open_sqlite(path, clock=clock) as store, store.alive("PA1"):
        await store.snapshot()
        _delete(path)
        async with open_sqlite(path, clock=clock) as late:
            with pytest.raises(StoreReplaced, match="while PA1 ran with it"):
                await late.snapshot()
            assert not path.exists()
            clock.now += 5.1
            assert (await late.snapshot()).entries == {}


async def test_what_was_written_into_a_lost_file_was_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        write = Database.write

        def write_late(self: Database, transaction: Transaction) -> object:
            outcome = write(self, transaction)
            _delete(path)
            return outcome

        monkeypatch.setattr(Database, "write", write_late)
        with pytest.raises(StoreReplaced, match="removed"):
            await store.transact(put("a"))


async def test_contents_that_were_replaced_are_another_store(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        before = await store.snapshot()
        with contextlib.closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE store SET identity = 'another', number = number + 1")
        with pytest.raises(StoreReplaced, match="contents were replaced"):
            await store.snapshot()
        assert (await store.snapshot()).source != before.source


async def test_contents_that_were_set_back_are_another_store(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        before = await store.snapshot()
        await store.transact(put("a"))
        await store.snapshot()
        with contextlib.closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE store SET number = ?", (before.revision,))
        with pytest.raises(StoreReplaced, match="set back"):
            await store.snapshot()
        assert (await store.snapshot()).source != before.source


async def test_a_server_starts_although_its_number_cannot_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_sqlite(tmp_path / "cluster.db") as store:

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        async with store.alive("PA1"):
            assert (await SqliteView(tmp_path / "cluster.db").snapshot()).running == {"PA1"}
            with pytest.raises(ConfigurationError, match="process unknown"):
                async with store.alive("PA1"):
                    raise AssertionError


@pytest.mark.parametrize("torn", [False, True], ids=["new", "its making was cut short"])
def test_a_file_that_cannot_grow_has_room_for_all_that_servers_write(
    tmp_path: Path, torn: bool
) -> None:
    """As on a full disk: the history of twenty servers, and all that they own."""
    path = tmp_path / "cluster.db"
    if torn:
        Database(path).close()
        with contextlib.closing(sqlite3.connect(path)) as other, other:
            other.execute("CREATE TABLE room AS SELECT zeroblob(1048576)")
    with contextlib.closing(Database(path)) as database:
        (pages,) = database._writer.execute("PRAGMA page_count").fetchone()
        database._writer.execute(f"PRAGMA max_page_count = {pages}")
        for server in range(20):
            for number in range(32):
                database.write(put(f"log/PA{server}/{number:02d}", "x" * 250))
                database.write(put(f"own/PA{server}/port/{number}", "PA1:1234567890"))
        _, entries = database.read(None)
        assert len(entries) == 20 * 32 * 2


def _overwrite(path: Path) -> None:
    for name in ("cluster.db", "cluster.db-wal"):
        with path.with_name(name).open("r+b") as file:
            file.write(b"\1" * 16384)


async def test_a_broken_file_is_set_aside_once_nobody_acts_on_it_any_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cluster.db"
    clock = Clock()
    async with (
        open_sqlite(path, clock=clock) as store,
        open_sqlite(path, clock=clock) as other,
        store.alive("PA1"),
        other.alive("PA2"),
    ):
        await store.transact(put("a"))
        _overwrite(path)
        with pytest.raises(ConnectionLost, match=r"cluster\.db"):
            await SqliteView(path).snapshot()
        for each in (store, other):
            with pytest.raises(StoreReplaced, match="it is broken"):
                for _ in range(3):
                    await each.snapshot()
                    await each.transact(put("a"))
            with pytest.raises(StoreReplaced, match="it is broken"):
                await each.snapshot()
        clock.now += 5.1
        for each in (store, other):
            assert (await each.snapshot()).entries == {}
        await store.transact(put("b"))
        assert "b" in (await other.snapshot()).entries
    assert path.with_name("cluster.db.broken").read_bytes().startswith(b"\1")


async def test_a_file_that_was_never_the_store_is_not_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    path.write_text("somebody's own words " * 100)
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="not a database"):
            async with open_sqlite(path):
                raise AssertionError
    assert path.read_text().startswith("somebody's own words")


# ------------------------------------------------------------------------ only looking


async def test_who_only_looks_makes_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "state" / "cluster.db"
    with pytest.raises(ConnectionLost, match="there is none; no server"):
        await SqliteView(path).snapshot()
    with pytest.raises(ConnectionLost, match="there is none; no server"):
        async with open_sqlite(path, create=False):
            raise AssertionError
    assert _beneath(tmp_path) == []
    async with open_sqlite(path) as store, store.alive("PA1"):
        await store.transact(put("a"))
    there = _beneath(path.parent)
    snapshot = await SqliteView(path).snapshot()
    assert (set(snapshot.entries), snapshot.dead) == ({"a"}, {"PA1"})
    assert _beneath(path.parent) == there
    path.unlink()
    with pytest.raises(ConnectionLost, match="it was removed"):
        await SqliteView(path).snapshot()


async def test_who_only_looks_sees_what_running_servers_write(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    view = SqliteView(path)
    async with open_sqlite(path) as store, store.alive("PA1"):
        await store.transact(put("a"))
        seen = await view.snapshot()
        assert (set(seen.entries), seen.running) == ({"a"}, {"PA1"})
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(view.watch, seen)
                await store.transact(put("b"))
        path.rename(path.with_name("away.db"))
        SqliteStore(path.with_name("other.db")).close()
        path.with_name("other.db").rename(path)
        with pytest.raises(StoreReplaced, match="not the file"):
            await view.snapshot()


@pytest.mark.parametrize("times", [2, 10_000])
async def test_who_only_looks_waits_while_the_store_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As while a server that ended writes its log to the file; and not without end."""
    path = tmp_path / "store.db"
    async with open_sqlite(path) as store:
        await store.transact(Transaction((), (Put("a", "1"),)))
    read, refusals = Database.read, iter(range(times))

    def busy(database: Database, known: object) -> object:
        if next(refusals, None) is not None:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return read(database, None)

    monkeypatch.setattr(Database, "read", busy)
    monkeypatch.setattr(database, "BUSY", 0.05)
    if times == 2:
        assert (await SqliteView(path).snapshot()).entries["a"].value == "1"
    else:
        with pytest.raises(ConnectionLost, match="database is locked"):
            await SqliteView(path).snapshot()


async def test_a_lock_that_vanishes_during_a_look_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store, store.alive("PA2"):
        there = os.listdir(tmp_path / "cluster.db.locks")
        monkeypatch.setattr(os, "listdir", lambda _: ["PA1.lock", *there])
        assert (await SqliteView(path).snapshot()).running == {"PA2"}


# ---------------------------------------------------------------------------- strangers


def _beneath(path: Path) -> list[Path]:
    return sorted(path.rglob("*"))


async def test_everything_is_this_user_s_alone_also_what_was_open_before(tmp_path: Path) -> None:
    os.umask(old := os.umask(0))
    path = tmp_path / "state" / "cluster.db"
    for _ in range(2):
        async with open_sqlite(path) as store, store.alive("PA1"):
            await store.transact(put("a"))
            modes = {
                each.relative_to(tmp_path).as_posix(): stat.S_IMODE(each.stat().st_mode)
                for each in _beneath(tmp_path)
            }
            assert modes == {
                "state": 0o700,
                "state/cluster.db": 0o600,
                "state/cluster.db-wal": 0o600,
                "state/cluster.db-shm": 0o600,
                "state/cluster.db.locks": 0o700,
                "state/cluster.db.locks/PA1.lock": 0o600,
                "state/cluster.db.locks/PA1.bell": 0o600,
                "state/cluster.db.locks/store.id": 0o600,
            }
        for each in _beneath(tmp_path):
            each.chmod(0o755 if each.is_dir() else 0o644)
        path.parent.chmod(0o700)
    os.umask(old)


@pytest.mark.parametrize(
    "name",
    [
        "cluster.db",
        "cluster.db-wal",
        "cluster.db-shm",
        "cluster.db.locks/PA1.lock",
        "cluster.db.locks/store.id",
        "cluster.db.locks",
    ],
)
@pytest.mark.parametrize("how", ["link", "owner"])
async def test_links_and_other_users_files_are_refused(tmp_path: Path, name: str, how: str) -> None:
    if how == "owner" and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store, store.alive("PA1"):
        pass
    hurt = tmp_path / name
    if how == "owner":
        hurt.touch()
        os.chown(hurt, 12345, -1)
    else:
        target = tmp_path / "target"
        if hurt.exists():
            hurt.rename(target)
        else:
            target.touch()
        hurt.symlink_to(target)
    with pytest.raises(ConnectionLost, match="belongs to user 12345" if how == "owner" else "link"):
        async with open_sqlite(path) as store, store.alive("PA1"):
            await store.snapshot()


async def test_a_directory_in_which_everybody_may_write_is_refused(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o777)
    with pytest.raises(ConnectionLost, match="writable by everybody"):
        async with open_sqlite(tmp_path / "cluster.db"):
            raise AssertionError
    os.chmod(tmp_path, 0o1777)  # as /tmp is
    async with open_sqlite(tmp_path / "cluster.db"):
        pass


async def test_a_reader_of_a_lock_file_hides_no_death(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store:
        async with store.alive("PA1"):
            pass
        reader = os.open(path.with_name("cluster.db.locks") / "PA1.lock", os.O_RDONLY)
        try:
            fcntl.flock(reader, fcntl.LOCK_EX)
            request = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            fcntl.fcntl(reader, fcntl.F_OFD_SETLK, request)
            assert (await store.snapshot()).dead == {"PA1"}
        finally:
            os.close(reader)


async def test_a_lock_file_that_was_replaced_is_looked_at_anew(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    lock = path.with_name("cluster.db.locks") / "PA1.lock"
    async with open_sqlite(path) as store, open_sqlite(path) as other:
        async with other.alive("PA1"):
            pass
        assert (await store.snapshot()).dead == {"PA1"}
        lock.unlink()
        async with other.alive("PA1"):
            assert (await store.snapshot()).running == {"PA1"}


@pytest.mark.real_time
async def test_looking_and_writing_take_no_new_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has no descriptor left is not deaf."""
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as store, store.alive("PA1"):
        await store.snapshot()
        await trio.sleep(0.15)  # the directory's time stamp is old enough to be believed
        await store.snapshot()

        def none_left(*_: object, **__: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        for name in ("open", "scandir", "listdir", "pidfd_open"):
            monkeypatch.setattr(os, name, none_left)
        assert (await store.transact(put("a"))).committed
        assert set((await store.snapshot()).entries) == {"a"}
