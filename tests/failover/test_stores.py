"""What every store promises; and that a lock proves a death, whatever its cause."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
import trio.testing

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.stores import MemoryStore, Store
from pa_telephony.failover.stores.sqlite import open_sqlite
from pa_telephony.failover.transaction import Compare, Delete, Entry, Put, Transaction

KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite"])


@contextlib.asynccontextmanager
async def opened(kind: str, directory: Path) -> AsyncGenerator[Store]:
    if kind == "memory":
        yield MemoryStore()
    else:
        async with open_sqlite(directory / "state" / "cluster.db") as store:
            yield store


def put(key: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(key, value),))


@KINDS
async def test_an_entry_knows_when_it_was_created_and_changed(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        for value in ("1", "2"):
            assert (await store.transact(put("a", value))).committed
        outcome = await store.transact(put("b"))
        now = outcome.revision
        assert outcome.committed
        snapshot = await store.snapshot()
        assert snapshot.revision == now
        assert snapshot.entries == {"a": Entry("2", now - 2, now - 1), "b": Entry("x", now, now)}


@KINDS
async def test_a_key_that_was_deleted_comes_back_as_another(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        await store.transact(put("a"))
        await store.transact(Transaction((), (Delete("a"),)))
        again = (await store.transact(put("a"))).revision
        assert (await store.snapshot()).entries["a"].created == again


@KINDS
async def test_a_transaction_commits_whole_or_not_at_all(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        made = (await store.transact(put("a"))).revision
        both = (Put("b", "1"), Delete("a"))
        wrong = (Compare("a", created=made), Compare("b", modified=7))
        assert not (await store.transact(Transaction(wrong, both))).committed
        assert set((await store.snapshot()).entries) == {"a"}
        right = (Compare("a", created=made), Compare("b", modified=0))
        assert (await store.transact(Transaction(right, both))).committed
        assert set((await store.snapshot()).entries) == {"b"}


@KINDS
async def test_of_many_that_want_the_same_key_one_gets_it(kind: str, tmp_path: Path) -> None:
    won: list[int] = []
    async with opened(kind, tmp_path) as store, trio.open_nursery() as nursery:

        async def attempt(number: int) -> None:
            if (await store.transact(put("k", str(number), Compare("k", modified=0)))).committed:
                won.append(number)

        for number in range(20):
            nursery.start_soon(attempt, number)
    assert len(won) == 1


@KINDS
async def test_watch_returns_when_something_has_changed(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        seen = await store.snapshot()
        with trio.move_on_after(0.05) as waiting:
            await store.watch(seen)
        assert waiting.cancelled_caught
        with trio.fail_after(2):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(store.watch, seen)
                await store.transact(put("a"))
            await store.watch(seen)  # at once: it is not as in ``seen`` any more


@KINDS
async def test_a_server_is_alive_once_and_dead_when_it_has_left(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        assert (await store.snapshot()).dead == frozenset()
        async with store.alive("PA1"):
            seen = await store.snapshot()
            assert (seen.dead, seen.running) == (frozenset(), {"PA1"})
            with pytest.raises(ConfigurationError, match="PA1 runs already"):
                async with store.alive("PA1"):
                    raise AssertionError
        with trio.fail_after(2):
            await store.watch(seen)
        seen = await store.snapshot()
        assert (seen.dead, seen.running) == ({"PA1"}, frozenset())
        async with store.alive("PA1"):
            assert (await store.snapshot()).dead == frozenset()


@KINDS
async def test_cancelling_a_transaction_leaves_its_outcome_known(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as store:
        committed = None
        with trio.CancelScope() as scope:
            scope.cancel()
            committed = (await store.transact(put("a"))).committed
        there = "a" in (await store.snapshot()).entries
        assert there == bool(committed)


# ------------------------------------------------------------------------- SQLite alone

_HOLDS = """
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
            [sys.executable, "-c", _HOLDS, str(path)], stdout=subprocess.PIPE
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


async def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    revisions: list[int] = []
    for count in (1, 2, 3):
        async with open_sqlite(tmp_path / "cluster.db") as store:
            revisions.append((await store.transact(put(f"key{count}"))).revision)
            assert len((await store.snapshot()).entries) == count
    assert revisions == [revisions[0], revisions[0] + 1, revisions[0] + 2]


async def test_two_openings_of_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "cluster.db"
    async with open_sqlite(path) as one, open_sqlite(path) as other:
        seen = await other.snapshot()
        await one.transact(put("a"))
        with trio.fail_after(2):
            await other.watch(seen)
        assert (await other.snapshot()).entries["a"].value == "x"


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
