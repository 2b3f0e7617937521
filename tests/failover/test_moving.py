"""A cluster that goes from its file to an etcd while its processes have it open."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from etcd_members import Members, members
from worlds import CLUSTER

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import Cluster, ServerConfig, moving
from pa_telephony.failover.agents import AgentReport, key, process_name
from pa_telephony.failover.beat import PROTOCOL, Beat
from pa_telephony.failover.configuring import read_configuration, save_configuration
from pa_telephony.failover.moving import move_cluster
from pa_telephony.failover.orders import Stop, stop
from pa_telephony.failover.rolling import ROLLING, Roll
from pa_telephony.failover.stores import etcd_copy, open_view
from pa_telephony.failover.stores.etcd import EtcdStore, open_etcd
from pa_telephony.failover.stores.etcd_address import EtcdAddress, state_directory
from pa_telephony.failover.stores.locks import process_of
from pa_telephony.failover.stores.movable import MovableStore, open_movable
from pa_telephony.failover.stores.move_mark import Mark, mark_in, set_mark
from pa_telephony.failover.stores.sqlite import SqliteStore, open_sqlite
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Put,
    StoreMoved,
    StoreReplaced,
    Transaction,
)
from pa_telephony.failover.world import session

pytestmark = [pytest.mark.long, pytest.mark.real_time]

OWN = 4.0


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Generator[Members]:
    with members("3.4", tmp_path_factory.mktemp("etcd"), count=1) as running:
        yield running


@pytest.fixture
def to(etcd: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PA_TELEPHONY_STATE", str(tmp_path / "machine"))
    return etcd.store(re.sub(r"[^\w.-]", "-", tmp_path.name)[-60:])


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return replace(CLUSTER, store=str(tmp_path / "state" / "cluster.db"))


def file_of(cluster: Cluster) -> contextlib.AbstractAsyncContextManager[SqliteStore]:
    return open_sqlite(cluster.store_path)


def opened(
    cluster: Cluster, own: float = OWN
) -> contextlib.AbstractAsyncContextManager[MovableStore]:
    return open_movable(cluster.store_path, create=True, settle=1.0, own=own)


@contextlib.asynccontextmanager
async def in_etcd(to: str, directory: Path | None = None) -> AsyncGenerator[EtcdStore]:
    where = directory or state_directory(to)
    async with open_etcd(EtcdAddress.parse(to), where, create=False, settle=1.0) as store:
        yield store


@contextlib.asynccontextmanager
async def looking(store: MovableStore) -> AsyncGenerator[None]:
    """Follow the store as a server does, until the block is left."""

    async def look() -> None:
        while True:
            await store.watch(await store.snapshot())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        yield
        nursery.cancel_scope.cancel()


def put(name: str, value: str = "x", *compares: Compare) -> Transaction:
    return Transaction(compares, (Put(name, value),))


def beat(protocol: int = PROTOCOL) -> str:
    return Beat("one", protocol=protocol).encode()


async def stopped_in_its_middle(cluster: Cluster, to: str) -> None:
    """Leave what a move leaves whose process is killed while it copies."""
    address = EtcdAddress.parse(to)
    async with file_of(cluster) as file, moving.open_gateway(address) as gateway:
        identity = (await file.snapshot()).source.partition("/")[0]
        await etcd_copy.claim(gateway, "killed", identity)
        assert (await file.transact(set_mark(Mark(to, "killed")))).committed
        entries = (await file.snapshot()).entries
        await etcd_copy.copy(gateway, "killed", identity, entries, 1, {})


# ------------------------------------------------------------------------ what stays the same


async def test_tokens_source_and_the_order_of_revisions_stay(cluster: Cluster, to: str) -> None:
    async with opened(cluster) as store:
        for each in (put("a"), put("b"), put("a", "2")):
            await store.transact(each)
        before = await store.snapshot()
        done = await move_cluster(cluster, to)
        after = await store.snapshot()
        assert after.entries == before.entries
        assert after.source == before.source
        assert after.revision > before.revision
        assert done.entries == 2
        assert not done.behind
        old = before.entries["a"]
        wrong = put("a", "3", Compare("a", modified=old.created))
        assert not (await store.transact(wrong)).committed
        right = put("a", "3", Compare("a", created=old.created, modified=old.modified))
        outcome = await store.transact(right)
        assert outcome.committed
        assert outcome.revision > after.revision
        now = (await store.snapshot()).entries["a"]
        assert (now.created, now.modified) == (old.created, outcome.revision)
        await store.transact(Transaction((), (Delete("a"),)))
        again = await store.transact(put("a", "4", Compare("a", modified=0)))
        assert (await store.snapshot()).entries["a"].created == again.revision


async def test_whoever_opens_it_later_or_only_reads_finds_the_same(
    cluster: Cluster, to: str
) -> None:
    async with opened(cluster) as store:
        await store.transact(put("a"))
        await move_cluster(cluster, to)
        await store.transact(put("b"))
        expected = (await store.snapshot()).entries
    async with opened(cluster) as again:
        assert (await again.snapshot()).entries == expected
        assert again.moved_to == to
    async with in_etcd(to) as direct:
        assert (await direct.snapshot()).entries == expected
    assert (await open_view(cluster).snapshot()).entries == expected


async def test_whoever_watches_hears_of_what_is_written_there(cluster: Cluster, to: str) -> None:
    async with opened(cluster) as store, opened(cluster) as other:
        await store.transact(put("a"))
        seen = await store.snapshot()
        await move_cluster(cluster, to)
        await other.transact(put("b"))
        with trio.fail_after(20):
            while "b" not in seen.entries:
                now = await store.watch(seen) or await store.snapshot()
                assert now.revision >= seen.revision
                seen = now


async def test_the_history_of_the_configuration_keeps_its_numbers(
    cluster: Cluster, to: str
) -> None:
    async with opened(cluster) as store:
        changed = replace(cluster, capacity_aware=True)
        await save_configuration(cluster, store, by="one")
        await save_configuration(changed, store, by="two")
        assert (await move_cluster(cluster, to)).revisions == 2
        found = await read_configuration(store)
        assert [(each.number, each.by) for each in found] == [(2, "two"), (1, "one")]


async def test_a_configuration_that_an_etcd_cannot_take_is_refused_afterwards_too(
    cluster: Cluster, to: str
) -> None:
    first, *others = cluster.servers
    large = replace(cluster, servers=(replace(first, number_of_media_ports=200), *others))
    async with opened(cluster) as store:
        await save_configuration(cluster, store)
        await move_cluster(cluster, to)
        with pytest.raises(ConfigurationError, match="go over at once in an etcd"):
            await save_configuration(large, store)


# ------------------------------------------------------------------------------------- names


async def test_a_name_is_had_by_the_same_process_and_by_no_other(
    cluster: Cluster, to: str, tmp_path: Path
) -> None:
    async with opened(cluster) as store, store.alive("PA1"):
        await store.transact(put(session("PA1"), beat()))
        async with looking(store):
            done = await move_cluster(cluster, to)
        assert done.here == ("PA1",)
        async with in_etcd(to) as direct:
            assert "PA1" in ((await direct.snapshot()).running or ())
            assert not (await direct.snapshot()).dead
            with pytest.raises(ConfigurationError, match="PA1 runs already"):
                async with direct.alive("PA1"):
                    raise AssertionError
        async with opened(cluster) as another:
            with pytest.raises(ConfigurationError, match="PA1 runs already"):
                async with another.alive("PA1"):
                    raise AssertionError
    async with in_etcd(to) as direct, direct.alive("PA1"):
        assert "PA1" not in (await direct.snapshot()).dead


async def test_a_process_is_found_by_its_lock_in_the_file_s_directory_and_in_the_etcd_s(
    cluster: Cluster, to: str
) -> None:
    """An agent finds by it what it has not started, whichever store it was given."""
    async with opened(cluster) as store, store.alive("PA1"):
        async with looking(store):
            await move_cluster(cluster, to)
        for each in (cluster, replace(cluster, store=to)):
            assert process_of(each.locks_path, "PA1") == os.getpid()


async def test_a_name_whose_process_stands_still_is_not_given_away_at_once(
    cluster: Cluster, to: str
) -> None:
    """It may go on after the move, and act for as long as its guard lasts."""
    async with file_of(cluster) as still, still.alive("PA1"):
        await still.transact(put(session("PA1"), beat()))
        done = await move_cluster(cluster, to)
        assert done.behind == ("PA1",)
        async with in_etcd(to) as direct:
            assert "PA1" not in (await direct.snapshot()).dead
            asked = trio.current_time()
            async with direct.alive("PA1"):
                assert trio.current_time() - asked >= 1.0
        with pytest.raises(StoreMoved):
            await still.transact(put("a"))


# ---------------------------------------------------------------------------- in its middle


async def test_a_move_whose_process_died_is_taken_back_by_the_others(
    cluster: Cluster, to: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(cluster, own=1.0) as store:
        await store.transact(put("a"))
        await stopped_in_its_middle(cluster, to)
        with trio.fail_after(20):
            assert (await store.transact(put("b"))).committed
        assert "stood still for 0.5 s and is taken back" in caplog.text
        assert not store.moved_to
        # Nobody begins a cluster beside what is left there, and the same command moves it.
        with pytest.raises(ConnectionLost, match="cluster move again"):
            async with in_etcd(to):
                raise AssertionError
        await move_cluster(cluster, to)
        assert set((await store.snapshot()).entries) == {"a", "b"}
        assert store.moved_to == to


async def test_a_move_that_died_is_begun_anew_by_the_same_command(
    cluster: Cluster, to: str
) -> None:
    await stopped_with_one_entry(cluster, to)
    await move_cluster(cluster, to)
    assert set((await open_view(cluster).snapshot()).entries) == {"a"}


async def test_a_move_that_died_after_its_decision_is_finished_by_whoever_comes(
    cluster: Cluster, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object) -> None:
        raise ConnectionLost("killed")

    async with file_of(cluster) as file:
        await file.transact(put("a"))
    with monkeypatch.context() as patched:
        patched.setattr(etcd_copy, "finish", killed)
        with pytest.raises(ConnectionLost, match="killed"):
            await move_cluster(cluster, to)
    async with opened(cluster) as store:
        assert set((await store.snapshot()).entries) == {"a"}
    done = await move_cluster(cluster, to)
    assert done.to == to
    assert not done.seconds


async def test_a_late_write_of_a_copy_that_was_given_up_does_nothing(
    cluster: Cluster, to: str
) -> None:
    await stopped_with_one_entry(cluster, to)
    await move_cluster(cluster, to)
    identity = await identity_of(cluster)
    async with moving.open_gateway(EtcdAddress.parse(to)) as gateway:
        with pytest.raises(ConfigurationError, match="another move"):
            await etcd_copy.copy(gateway, "killed", identity, {}, 1, {})
        await etcd_copy.empty(gateway, "killed", identity)
    assert set((await open_view(cluster).snapshot()).entries) == {"a"}


async def stopped_with_one_entry(cluster: Cluster, to: str) -> None:
    async with file_of(cluster) as file:
        await file.transact(put("a"))
    await stopped_in_its_middle(cluster, to)


async def identity_of(cluster: Cluster) -> str:
    async with file_of(cluster) as file:
        return (await file.snapshot()).source.partition("/")[0]


async def test_an_etcd_that_is_lost_while_it_is_copied_to_leaves_all_as_it_was(
    cluster: Cluster, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionLost("the etcd is gone")

    async with opened(cluster) as store:
        await store.transact(put("a"))
        with monkeypatch.context() as patched:
            patched.setattr(etcd_copy, "copy", lost)
            with pytest.raises(ConnectionLost, match="the etcd is gone"):
                await move_cluster(cluster, to)
        assert (await store.transact(put("b"))).committed
        assert mark_in(await store.snapshot()) is None
        await move_cluster(cluster, to)
        assert set((await store.snapshot()).entries) == {"a", "b"}


async def test_a_copy_that_takes_too_long_is_given_up(
    cluster: Cluster, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(*_: object) -> None:
        await trio.sleep_forever()

    async with opened(cluster) as store:
        with monkeypatch.context() as patched:
            patched.setattr(etcd_copy, "copy", endless)
            with pytest.raises(ConnectionLost, match="longer than 1 s"):
                await move_cluster(cluster, to)
        assert mark_in(await store.snapshot()) is None
        assert (await store.transact(put("a"))).committed


async def test_a_move_that_was_taken_back_is_not_done(
    cluster: Cluster, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> None:
        async with file_of(cluster) as file:
            mark = (await file.snapshot()).entries["moved"]
            await file.transact(moving.take_back(mark.modified))
            await file.transact(put("b"))

    async with opened(cluster) as store:
        with monkeypatch.context() as patched:
            patched.setattr(etcd_copy, "copy", slow)
            with pytest.raises(ConnectionLost, match="taken back by a server"):
                await move_cluster(cluster, to)
        assert set((await store.snapshot()).entries) == {"b"}
        assert not store.moved_to


# ------------------------------------------------------------------------------- what is refused


async def test_a_cluster_is_moved_once(cluster: Cluster, to: str) -> None:
    async with file_of(cluster) as file:
        await file.transact(put("a"))
    await move_cluster(cluster, to)
    with pytest.raises(ConfigurationError, match=f"was moved to {to} already"):
        await move_cluster(cluster, f"{to}-2")
    with pytest.raises(ConfigurationError, match="only a cluster in a file"):
        await move_cluster(replace(cluster, store=to), f"{to}-2")


async def test_a_prefix_that_has_anything_is_refused(cluster: Cluster, to: str) -> None:
    async with opened(cluster) as store:
        await store.transact(put("a"))
        async with open_etcd(EtcdAddress.parse(to), state_directory(to)):
            pass
        with pytest.raises(ConfigurationError, match="not empty: a cluster's store is there"):
            await move_cluster(cluster, to)
        assert (await store.transact(put("b"))).committed


async def test_an_etcd_that_cannot_be_reached_is_refused_before_anything_waits(
    cluster: Cluster, to: str
) -> None:
    async with opened(cluster) as store:
        await store.transact(put("a"))
        with pytest.raises(ConnectionLost, match="cannot be reached"):
            await move_cluster(cluster, "etcd://127.0.0.1:1/pa")
        assert mark_in(await store.snapshot()) is None


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({session("PA1"): beat(1)}, "PA1 is of a release that cannot follow"),
        ({session("PA1"): beat(), stop("PA1"): Stop.DRAIN.value}, "PA1 is drained"),
        ({ROLLING: Roll(("PA1",), 60).encode()}, "a rolling restart goes on"),
        ({"cluster/01": "x" * (1 << 21)}, "the entry cluster/01 is longer than 1 MiB"),
    ],
)
async def test_what_is_in_the_way_is_named(
    cluster: Cluster, to: str, entries: dict[str, str], why: str
) -> None:
    async with opened(cluster) as store:
        for name, value in entries.items():
            await store.transact(put(name, value))
        with pytest.raises(ConfigurationError, match=why):
            await move_cluster(cluster, to)


async def test_an_agent_of_an_older_release_is_named(cluster: Cluster, to: str) -> None:
    async with opened(cluster) as store, store.alive(process_name("here")):
        await store.transact(put(key("here"), AgentReport("here", protocol=1).encode()))
        with pytest.raises(ConfigurationError, match="agent@here is of a release"):
            await move_cluster(cluster, to)


async def test_homes_that_are_too_large_for_an_etcd_are_refused(cluster: Cluster, to: str) -> None:
    large = ServerConfig(
        server_name="PA4",
        hostname_or_ip_address="127.0.0.14",
        media_port_provider="skinny",
        media_port_beginning_address="7001",
        number_of_media_ports=200,
    )
    too_large = replace(cluster, servers=(*cluster.servers, large))
    async with opened(cluster):
        with pytest.raises(ConfigurationError, match="go over at once in an etcd"):
            await move_cluster(too_large, to)


async def test_who_has_only_the_file_is_told_where_it_has_gone(cluster: Cluster, to: str) -> None:
    async with file_of(cluster) as file:
        await file.transact(put("a"))
        await move_cluster(cluster, to)
        with pytest.raises(StoreMoved, match=f"it was moved to {to}"):
            await file.transact(put("b"))


async def test_a_file_that_is_removed_afterwards_is_not_missed_by_who_runs(
    cluster: Cluster, to: str
) -> None:
    async with opened(cluster) as store, store.alive("PA1"):
        await store.transact(put("a"))
        await move_cluster(cluster, to)
        await store.snapshot()
        cluster.store_path.unlink()
        with contextlib.suppress(StoreReplaced):
            await store.transact(put("b"))
        assert set((await store.snapshot()).entries) == {"a", "b"}
