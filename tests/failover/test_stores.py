"""What every store promises, tested alike: in memory, in a file, in an etcd of three members.

One that was moved from a file to an etcd promises the same.

An etcd is asked in `make test-long`, Debian's and the newer one; see test_etcd_store for the rest.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
import trio
from etcd_members import ETCDS, Members, members
from worlds import CLUSTER

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.moving import move_cluster
from pa_telephony.failover.stores import MemoryStore, Store
from pa_telephony.failover.stores.etcd import open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.stores.movable import open_movable
from pa_telephony.failover.stores.sqlite import open_sqlite
from pa_telephony.failover.transaction import Compare, Delete, Entry, Put, Snapshot, Transaction

Opened: TypeAlias = Callable[[], contextlib.AbstractAsyncContextManager[Store]]
"""Opens the store of a test once more, as another process would."""

_etcd = [
    pytest.param(f"etcd {version}", marks=[pytest.mark.long, pytest.mark.real_time])
    for version in ETCDS
]
_moved = [
    pytest.param(f"moved to etcd {version}", marks=[pytest.mark.long, pytest.mark.real_time])
    for version in ETCDS
]


@pytest.fixture(scope="module")
def etcds(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[str], Members]]:
    with contextlib.ExitStack() as stack:
        running: dict[str, Members] = {}

        def find(version: str) -> Members:
            if version not in running:
                directory = tmp_path_factory.mktemp("etcd")
                running[version] = stack.enter_context(members(version, directory))
            return running[version]

        yield find


@pytest.fixture(params=["memory", "sqlite", *_etcd, *_moved])
def opened(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    etcds: Callable[[str], Members],
    monkeypatch: pytest.MonkeyPatch,
) -> Opened:
    kind: str = request.param
    memory = MemoryStore()

    @contextlib.asynccontextmanager
    async def the_same() -> AsyncGenerator[Store]:
        yield memory

    if kind == "memory":
        return the_same
    if kind == "sqlite":
        return lambda: open_sqlite(tmp_path / "state" / "cluster.db")
    prefix = re.sub(r"[^\w.-]", "-", tmp_path.name)[-60:]
    to = etcds(kind.rpartition("etcd ")[2]).store(prefix)
    if kind.startswith("moved"):
        monkeypatch.setenv("PA_TELEPHONY_STATE", str(tmp_path / "machine"))
        return functools.partial(_opened_moved, tmp_path / "state" / "cluster.db", to, [])
    address = EtcdAddress.parse(to)
    return lambda: open_etcd(address, tmp_path / "machine", settle=0.5)


@contextlib.asynccontextmanager
async def _opened_moved(path: Path, to: str, moves: list[str]) -> AsyncGenerator[Store]:
    """The store of a file that is moved as soon as it is open for the first time."""
    async with open_movable(path, create=True, settle=0.5, own=4.0) as store:
        if not moves:
            moves.append(to)
            await move_cluster(replace(CLUSTER, store=str(path)), to)
        yield store


def put(key: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(key, value),))


async def following(store: Store, seen: Snapshot) -> Snapshot:
    """The next snapshot, as a server has it."""
    with trio.fail_after(20):
        return await store.watch(seen) or await store.snapshot()


async def test_an_entry_knows_when_it_was_created_and_changed(opened: Opened) -> None:
    async with opened() as store:
        for value in ("1", "2"):
            assert (await store.transact(put("a", value))).committed
        first = (await store.snapshot()).entries["a"]
        outcome = await store.transact(put("b"))
        now = outcome.revision
        assert outcome.committed
        snapshot = await store.snapshot()
        assert snapshot.revision == now
        assert first.created < first.modified < now
        assert snapshot.entries == {"a": first, "b": Entry("x", now, now)}


async def test_a_key_that_was_deleted_comes_back_as_another(opened: Opened) -> None:
    async with opened() as store:
        await store.transact(put("a"))
        await store.transact(Transaction((), (Delete("a"),)))
        again = (await store.transact(put("a"))).revision
        assert (await store.snapshot()).entries["a"].created == again


async def test_a_transaction_commits_whole_or_not_at_all(opened: Opened) -> None:
    async with opened() as store:
        made = (await store.transact(put("a"))).revision
        both = (Put("b", "1"), Delete("a"))
        wrong = (Compare("a", created=made), Compare("b", modified=7))
        assert not (await store.transact(Transaction(wrong, both))).committed
        assert set((await store.snapshot()).entries) == {"a"}
        right = (Compare("a", created=made), Compare("b", modified=0))
        assert (await store.transact(Transaction(right, both))).committed
        assert set((await store.snapshot()).entries) == {"b"}


async def test_of_many_that_want_the_same_key_one_gets_it(opened: Opened) -> None:
    won: list[int] = []
    async with opened() as store, trio.open_nursery() as nursery:

        async def attempt(number: int) -> None:
            if (await store.transact(put("k", str(number), Compare("k", modified=0)))).committed:
                won.append(number)

        for number in range(20):
            nursery.start_soon(attempt, number)
    assert len(won) == 1


async def test_watch_returns_when_something_has_changed(opened: Opened) -> None:
    async with opened() as store:
        seen = await store.snapshot()
        with trio.move_on_after(0.05) as waiting:
            await store.watch(seen)
        assert waiting.cancelled_caught
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(store.watch, seen)
                await store.transact(put("a"))
            await store.watch(seen)  # at once: it is not as in ``seen`` any more


async def test_a_name_is_had_by_one_alone_and_by_nobody_who_has_left(opened: Opened) -> None:
    async with opened() as store, opened() as other:
        assert (await store.snapshot()).dead == frozenset()
        async with store.alive("PA1"):
            seen = await store.snapshot()
            assert (seen.dead, seen.running) == (frozenset(), {"PA1"})
            for again in (store, other):
                with pytest.raises(ConfigurationError, match="PA1 runs already"):
                    async with again.alive("PA1"):
                        raise AssertionError
        seen = await store.snapshot()
        assert seen.running == frozenset()
        assert seen.dead <= {"PA1"}
        async with other.alive("PA1"):
            assert (await store.snapshot()).dead == frozenset()


async def test_whoever_has_opened_it_sees_what_others_have_committed(opened: Opened) -> None:
    async with opened() as one, opened() as other:
        seen = await other.snapshot()
        await one.transact(put("a"))
        assert (await following(other, seen)).entries["a"].value == "x"
        assert (await other.snapshot()).entries["a"].value == "x"


async def test_it_can_be_opened_again_and_is_the_same(opened: Opened) -> None:
    revisions: list[int] = []
    for count in (1, 2, 3):
        async with opened() as store:
            revisions.append((await store.transact(put(f"key{count}"))).revision)
            assert len((await store.snapshot()).entries) == count
    assert revisions == sorted(set(revisions))


async def test_who_follows_sees_every_change_in_its_order_and_ends_with_all(
    opened: Opened,
) -> None:
    async with opened() as writer, opened() as reader:
        seen = await reader.snapshot()
        found = [seen]

        async def write() -> None:
            for number in range(40):
                await writer.transact(put("count", str(number)))
                await writer.transact(
                    Transaction((), (Put(f"key{number}", ""), Delete(f"key{number - 1}")))
                )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            while set(found[-1].entries) != {"count", "key39"}:
                found.append(await following(reader, found[-1]))
    for before, after in itertools.pairwise(found):
        assert before.revision < after.revision
        # A transaction is seen whole: one key of those that replace one another, never two.
        assert sum(key.startswith("key") for key in after.entries) <= 1
    counts = [int(each.entries["count"].value) for each in found if "count" in each.entries]
    assert counts == sorted(counts)
    assert counts[-1] == 39


async def test_a_compare_that_has_failed_never_holds_again(opened: Opened) -> None:
    async with opened() as store:
        first = (await store.transact(put("a"))).revision
        await store.transact(put("a"))
        late = put("a", "late", Compare("a", modified=first))
        assert not (await store.transact(late)).committed
        await store.transact(Transaction((), (Delete("a"),)))
        await store.transact(put("a"))
        assert not (await store.transact(late)).committed
        assert (await store.snapshot()).entries["a"].value == "x"


async def test_cancelling_a_transaction_leaves_its_outcome_known(opened: Opened) -> None:
    async with opened() as store:
        committed = None
        with trio.CancelScope() as scope:
            scope.cancel()
            committed = (await store.transact(put("a"))).committed
        there = "a" in (await store.snapshot()).entries
        assert there == bool(committed)
