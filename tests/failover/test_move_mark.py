"""The mark in a file that its cluster goes elsewhere: who may write, and who decides."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
import trio.testing

from pa_telephony.failover.stores.movable import MovableStore, MovableView, moved_to, open_movable
from pa_telephony.failover.stores.move_mark import (
    MOVED,
    Mark,
    mark_in,
    moved,
    set_mark,
    take_back,
)
from pa_telephony.failover.stores.sqlite import SqliteStore, open_sqlite
from pa_telephony.failover.transaction import Put, StoreMoved, Transaction

MARK = Mark("etcd://10.0.0.1:2379/pa", "one")
OWN = 4.0
PUT = Transaction((), (Put("a", "x"),))


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def both(
    path: Path, clock: Clock | None = None
) -> AsyncGenerator[tuple[SqliteStore, MovableStore]]:
    """The file as the one has it who moves it, and as a server has it."""
    opening = open_movable(path, create=True, settle=5.0, own=OWN, clock=clock or Clock())
    async with opening as store, open_sqlite(path) as file:
        yield file, store


async def test_nothing_is_written_beside_the_mark(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "cluster.db") as file:
        set_at = (await file.transact(set_mark(MARK))).revision
        with pytest.raises(StoreMoved, match="it is being moved to etcd:"):
            await file.transact(PUT)
        await file.transact(moved(MARK, set_at))
        with pytest.raises(StoreMoved, match="it was moved to etcd:"):
            await file.transact(PUT)
        assert set((await file.snapshot()).entries) == {MOVED}


async def test_a_move_is_either_done_or_taken_back(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "cluster.db") as file:
        first = (await file.transact(set_mark(MARK))).revision
        assert not (await file.transact(set_mark(Mark("etcd://10.0.0.2/pa", "two")))).committed
        assert (await file.transact(take_back(first))).committed
        assert not (await file.transact(moved(MARK, first))).committed
        second = (await file.transact(set_mark(MARK))).revision
        assert not (await file.transact(moved(MARK, first))).committed
        assert (await file.transact(moved(MARK, second))).committed
        assert not (await file.transact(take_back(second))).committed
        mark = mark_in(await file.snapshot())
        assert mark is not None
        assert (mark.to, mark.done) == (MARK.to, True)


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"to": "x"}'])
async def test_a_mark_that_cannot_be_read_lets_nobody_write(tmp_path: Path, value: str) -> None:
    async with open_sqlite(tmp_path / "cluster.db") as file:
        await file.transact(Transaction((), (Put(MOVED, value),)))
        with pytest.raises(StoreMoved, match="cannot be read"):
            await file.transact(PUT)


async def test_what_is_to_be_written_waits_and_what_is_read_is_what_there_is(
    tmp_path: Path,
) -> None:
    async with both(tmp_path / "cluster.db") as (file, store):
        await store.transact(PUT)
        revision = (await file.transact(set_mark(MARK))).revision
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.transact, Transaction((), (Put("b", "x"),)))
            for _ in range(5):
                await trio.testing.wait_all_tasks_blocked()
                assert (await store.snapshot()).entries.keys() == {"a", MOVED}
            await file.transact(take_back(revision))
        assert (await store.snapshot()).entries.keys() == {"a", "b"}
        assert not moved_to(store)


async def test_a_move_that_stands_still_is_taken_back_before_a_guard_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with both(tmp_path / "cluster.db", clock) as (file, store):
        revision = (await file.transact(set_mark(MARK))).revision
        await store.snapshot()
        clock.now = OWN / 2 - 0.1
        assert mark_in(await store.snapshot()) == MARK
        await store.snapshot()
        assert mark_in(await file.snapshot()) == MARK
        clock.now = OWN / 2
        with trio.fail_after(20):
            assert (await store.transact(PUT)).committed
        assert "stood still for 2 s and is taken back" in caplog.text
        assert not (await file.transact(moved(MARK, revision))).committed


async def test_each_move_has_its_own_time(tmp_path: Path) -> None:
    clock = Clock()
    async with both(tmp_path / "cluster.db", clock) as (file, store):
        first = (await file.transact(set_mark(MARK))).revision
        await store.snapshot()
        await file.transact(take_back(first))
        await store.transact(PUT)
        clock.now = OWN
        await file.transact(set_mark(MARK))
        assert mark_in(await store.snapshot()) == MARK
        assert mark_in(await file.snapshot()) == MARK


async def test_who_only_reads_goes_on_in_the_file_until_the_move_is_done(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as file:
        await file.transact(PUT)
        revision = (await file.transact(set_mark(MARK))).revision
        view = MovableView(path)
        assert "a" in (await view.snapshot()).entries
        assert not moved_to(view)
        await file.transact(take_back(revision))
        assert (await view.snapshot()).entries.keys() == {"a"}
