"""Server Status and Control Center: what they show of a cluster, live, and what buttons do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from form_browser import Browser, administration, serve, signed_in
from worlds import CLUSTER, PORTS

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.live import Live, TooManyFollow, encoded
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.failover import Cluster
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.sight import Sight
from pa_telephony.failover.speech import SpeechConfig
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import Bearer, claim, session, stop

SPEECH = SpeechConfig(
    speech_recognition_server_hosts=("127.0.0.11", "127.0.0.12"),
    speech_recognition_license_manager_hosts=("127.0.0.11",),
)
SEED = replace(CLUSTER, speech=SPEECH)
LINKS = frozenset(CLUSTER.used_providers)


async def stand_in(store: MemoryStore) -> None:
    """PA1 was stopped, and PA2 serves what is its own; 6001 has a call."""
    up = frozenset(each.label for each in CLUSTER.identities("PA1"))
    busy = frozenset({PORTS[0].label})
    beat = Beat("PA2", LINKS, LINKS, up=up, busy=busy, configuration="abc")
    await store.transact(
        Transaction((), (Put(session("PA2"), beat.encode()), Put(stop("PA1"), "stop")))
    )
    bearer = str(Bearer("PA2", (await store.snapshot()).entries[session("PA2")].created))
    owned = [Put(each.key, bearer) for each in CLUSTER.identities("PA1")]
    await store.transact(Transaction((), (*owned, Put(claim("PA1"), bearer))))


@contextlib.asynccontextmanager
async def opened(
    directory: Path, begin: ClusterConfig = SEED
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    """A browser that has logged in, at a cluster whose store has its configuration."""
    store = MemoryStore()
    async with administration(directory, begin, store) as (all_pages, password):
        if isinstance(begin, Cluster):
            await all_pages.managed.save(begin, 0, "import")
        yield await signed_in(all_pages, password), all_pages, store


def in_order(words: str, *parts: str) -> bool:
    """Whether the parts stand in the words one after the other."""
    place = 0
    for part in parts:
        place = words.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


async def test_a_server_that_runs_has_up_arrows_in_the_order_of_the_document(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        await serve(store, "PA1", "PA2")
        words = (await browser.get("server-status?server=PA1")).words
        assert in_order(
            words,
            "Server PA1 ▲ up",
            "Route Point 6000 ▲ up",
            "Media Ports 6001 ▲ up",
            "6002 ▲ up",
            "Interceptor Ports 5XXX ▲ up",
            "Media Ports in Use 0",
        )
        assert "Fail Over Server" not in words


async def test_one_that_was_stopped_is_down_and_the_one_that_stands_in_has_a_row(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        await stand_in(store)
        words = (await browser.get("server-status?server=PA1")).words
        assert in_order(
            words,
            "Server PA1 ▼ down",
            "was stopped by an operator",
            "Fail Over Server PA2 ▲ up",
            "Route Point 6000 ▲ up served by PA2",
            "Media Ports 6001 ▲ up served by PA2, in a call",
            "Media Ports in Use 1",
            "PA1 is unavailable",
        )
        words = (await browser.get("server-status?server=PA2")).words
        assert in_order(words, "Media Ports in Use 0 of 0", "With Those of PA1 1 of 2")


async def test_beside_a_down_arrow_stands_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        why = {PORTS[1].label: "Device <b>Unknown\x1b"}
        up = frozenset(each.label for each in CLUSTER.identities("PA1")[:1])
        beat = Beat("PA1", LINKS, LINKS, up=up, why=why, configuration="abc")
        await store.transact(Transaction((), (Put(session("PA1"), beat.encode()),)))
        bearer = str(Bearer("PA1", (await store.snapshot()).entries[session("PA1")].created))
        owned = tuple(Put(each.key, bearer) for each in CLUSTER.identities("PA1"))
        await store.transact(Transaction((), owned))
        page = await browser.get("server-status?server=PA1")
        assert "6002 ▼ down PA1 Device <b>Unknown\\x1b" in page.words
        assert "<b>Unknown" not in page.text


async def test_a_cluster_without_servers_leads_to_where_they_are_added(tmp_path: Path) -> None:
    async with opened(tmp_path, ClusterConfig(())) as (browser, _, __):
        for path in ("server-status", "control-center"):
            page = await browser.get(path)
            assert page.status == 200
            assert "There is no server yet" in page.words
        page = await browser.get("control-center")
        page = await browser.press(page, "start")
        assert "there is no server yet" in page.words
        assert (await browser.get("server-status?server=PA1")).status == 200


async def test_a_server_that_does_not_exist_has_no_status(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        assert (await browser.get("server-status?server=PA9")).status == 404


async def test_the_control_center_has_three_groups_and_says_what_is_not_installed(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        await serve(store, "PA1", "PA2")
        page = await browser.get("control-center")
        assert in_order(
            page.words,
            "Personal Assistant Server",
            "Start All",
            "Stop All",
            "PA1 ▶ started",
            "PA2 ▶ started",
            "PA3 ■ stopped",
            "Speech License Manager",
            "127.0.0.11",
            "not installed",
            "Personal Assistant Speech Server",
            "127.0.0.11",
            "American English",
            "not installed",
            "127.0.0.12",
            "American English",
        )
        for button, told in (
            ("start-service Speech License Manager", "Speech License Manager 127.0.0.11: not"),
            (
                "stop-service Personal Assistant Speech Server: 127.0.0.12",
                "Personal Assistant Speech Server 127.0.0.12, American English: not installed",
            ),
            ("Start 127.0.0.11 American English", "127.0.0.11, American English: not installed"),
        ):
            answer = await browser.press(page, button)
            assert told in answer.words


@pytest.mark.parametrize(
    ("button", "value"),
    [
        ("stop PA1", "stop"),
        ("Stop PA1", "stop"),
        ("stop-alone PA1", "alone"),
        ("drain PA1", "drain:3600"),
    ],
)
async def test_a_button_puts_the_order_into_the_store_and_start_takes_it_back(
    tmp_path: Path, button: str, value: str
) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        await serve(store, "PA1", "PA2")
        page = await browser.press(await browser.get("control-center"), button)
        assert page.status == 200
        assert "PA1" in page.words
        entries = (await store.snapshot()).entries
        assert entries[stop("PA1")].value == value
        assert stop("PA2") not in entries
        await browser.press(page, "start PA1")
        assert stop("PA1") not in (await store.snapshot()).entries
        deeds = [f"{each.what}: {each.result}" for each in all_pages.records.deeds(2)]
        assert deeds[0].startswith("start PA1: ")


async def test_stop_all_and_start_all_are_for_every_server(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, store):
        page = await browser.press(await browser.get("control-center"), "stop")
        entries = (await store.snapshot()).entries
        assert {stop(name) for name in ("PA1", "PA2", "PA3")} <= entries.keys()
        assert "PA1 is stopped" in page.words
        await browser.press(page, "start")
        assert not any(key.startswith("stop/") for key in (await store.snapshot()).entries)


@pytest.mark.parametrize(
    "button", ["", "drain", "stop-alone", "stop PA9", "explode PA1", "start \x00"]
)
async def test_a_button_that_there_is_not_does_nothing(tmp_path: Path, button: str) -> None:
    async with opened(tmp_path) as (browser, _, store):
        before = (await store.snapshot()).entries
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        page = await browser.post("control-center", [("csrf", csrf), ("do", button)])
        assert page.status == 200
        assert (await store.snapshot()).entries == before


async def test_who_follows_is_told_of_each_change_and_of_nothing_else(tmp_path: Path) -> None:
    store = MemoryStore()
    managed = ManagedCluster(store, SEED)
    await managed.save(SEED, 0, "import")
    live = Live(managed)

    def draw(sight: Sight) -> str:
        return ", ".join(f"{each.name} {'up' if each.up else 'down'}" for each in sight.pages)

    async def goes_on() -> bool:
        return True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        async with contextlib.aclosing(live.follow("status", draw, goes_on)) as told:
            assert await anext(told) == "PA1 down, PA2 down, PA3 down"
            await serve(store, "PA1")
            assert await anext(told) == "PA1 up, PA2 down, PA3 down"
            await store.transact(Transaction((), (Delete(session("PA1")),)))
            assert await anext(told) == "PA1 down, PA2 down, PA3 down"
            assert await anext(told) == ""
        nursery.cancel_scope.cancel()


async def test_nobody_looks_at_the_store_while_nobody_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, looks = MemoryStore(), 0
    managed = ManagedCluster(store, SEED)
    await managed.save(SEED, 0, "import")
    live, snapshot = Live(managed), store.snapshot

    async def counted() -> Snapshot:
        nonlocal looks
        looks += 1
        return await snapshot()

    monkeypatch.setattr(store, "snapshot", counted)

    async def goes_on() -> bool:
        return True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        await trio.sleep(60)
        assert looks == 0
        async with contextlib.aclosing(live.follow("a", lambda _: "a", goes_on)) as told:
            await anext(told)
            many = looks
            assert many > 0
        await trio.sleep(2)
        looks = 0
        await trio.sleep(60)
        assert looks == 0
        nursery.cancel_scope.cancel()


async def test_a_page_is_drawn_once_for_all_who_follow_it() -> None:
    store = MemoryStore()
    managed = ManagedCluster(store, SEED)
    await managed.save(SEED, 0, "import")
    live, drawn = Live(managed), 0

    def draw(_: Sight) -> str:
        nonlocal drawn
        drawn += 1
        return f"drawing {drawn}"

    async def goes_on() -> bool:
        return True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        streams = [live.follow("status", draw, goes_on) for _ in range(50)]
        first = {await anext(each) for each in streams}
        assert len(first) <= drawn < 50
        for each in streams:
            await each.aclose()
        nursery.cancel_scope.cancel()


async def test_more_than_may_follow_are_turned_away() -> None:
    managed = ManagedCluster(MemoryStore(), SEED)
    await managed.save(SEED, 0, "import")
    live = Live(managed, most=2)

    async def goes_on() -> bool:
        return True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        streams = [live.follow("a", lambda _: "a", goes_on) for _ in range(3)]
        for each in streams[:2]:
            await anext(each)
        with pytest.raises(TooManyFollow):
            await anext(streams[2])
        await streams[0].aclose()
        again = live.follow("a", lambda _: "a", goes_on)
        assert await anext(again) == "a"
        await again.aclose()
        await streams[1].aclose()
        nursery.cancel_scope.cancel()


async def test_who_may_not_follow_is_told_so_by_the_stream(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, _):
        all_pages.live.most = 0
        for path in ("server-status/events?server=PA1", "control-center/events"):
            page = await browser.get(path)
            assert page.text.startswith("event: full\n")


async def test_a_stream_ends_with_its_session() -> None:
    managed = ManagedCluster(MemoryStore(), SEED)
    await managed.save(SEED, 0, "import")
    live, asked = Live(managed), 0

    async def goes_on() -> bool:
        nonlocal asked
        asked += 1
        return asked < 3

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live.run)
        told = [each async for each in live.follow("a", lambda _: "a", goes_on)]
        assert told == ["a", "", ""]
        nursery.cancel_scope.cancel()


def test_an_event_is_what_browsers_read() -> None:
    assert encoded("<p>\nPA1</p>") == b"event: update\ndata: <p>\ndata: PA1</p>\n\n"
    assert encoded("") == b": still here\n\n"
