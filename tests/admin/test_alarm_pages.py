"""Alarms: those that are with what to do, those that came and went, and their count everywhere."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from form_browser import Browser, administration, serve, signed_in
from worlds import CLUSTER, PORTS

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.advice import ADVICE, pieces
from pa_telephony.admin.alarm_log import AlarmLog, counted
from pa_telephony.admin.following import drawing, events_of
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.alarm_kinds import AlarmKind
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.sight import Sight
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Delete, Put, Snapshot, Transaction
from pa_telephony.failover.world import Bearer, session

DOC = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
LINKS = frozenset(CLUSTER.used_providers)
PAGES = ("server-status", "control-center", "telephony", "alarms", "help", "password")


def test_what_the_page_advises_is_what_the_documentation_says() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", DOC, re.MULTILINE)
    table = {name: (means, do) for name, means, do in rows}
    assert ADVICE.keys() == {*AlarmKind}
    for kind, advice in ADVICE.items():
        assert table[kind.value] == (advice.means, advice.do)


def test_names_and_commands_of_the_advice_are_told_apart() -> None:
    assert pieces("start `a b`, then c") == ((False, "start "), (True, "a b"), (False, ", then c"))


def unreadable(at: float) -> Sight:
    return Sight(at, unreadable="the disk is full")


def test_an_alarm_is_known_since_it_was_seen_and_for_how_long_it_was_there() -> None:
    log = AlarmLog()
    assert log.count is None
    log.look(unreadable(100.0))
    log.look(unreadable(130.0))
    (present,) = log.present
    assert (present.since, present.subject, log.count) == (100.0, "", 1)
    log.look(Sight(160.0))
    (past,) = log.past
    assert (past.since, past.seconds, past.alarm.text) == (100.0, 60.0, "the disk is full")
    assert (log.count, log.began) == (0, 100.0)


def test_of_the_alarms_that_are_over_the_last_ones_are_kept_the_newest_first() -> None:
    log = AlarmLog()
    for second in range(0, 1000, 2):
        log.look(unreadable(float(second)))
        log.look(Sight(second + 1.0))
    assert len(log.past) == 200
    assert log.past[0].since == 998.0


@pytest.mark.parametrize(("count", "words"), [(0, "no alarms"), (1, "1 alarm"), (12, "12 alarms")])
def test_alarms_are_counted_in_words(count: int, words: str) -> None:
    assert counted(count) == words


@contextlib.asynccontextmanager
async def opened(
    directory: Path, begin: ClusterConfig = CLUSTER
) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    store = MemoryStore()
    async with administration(directory, begin, store) as (all_pages, password):
        if begin is CLUSTER:
            await all_pages.managed.save(CLUSTER, 0, "import")
        yield await signed_in(all_pages, password), all_pages, store


async def all_is_well(store: MemoryStore) -> None:
    await serve(store, "PA1", "PA2", "PA3")
    for name in ("PA1", "PA2", "PA3"):
        up = frozenset(each.label for each in CLUSTER.identities(name))
        beat = Beat(name, LINKS, LINKS, up=up)
        await store.transact(Transaction((), (Put(session(name), beat.encode()),)))


async def test_an_alarm_stands_under_its_kind_with_what_it_means_and_what_to_do(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, _, store):
        why = {PORTS[1].label: "Device <b>Unknown\x1b"}
        up = frozenset(each.label for each in CLUSTER.identities("PA1") if each != PORTS[1])
        beat = Beat("PA1", LINKS, LINKS, up=up, why=why)
        await store.transact(Transaction((), (Put(session("PA1"), beat.encode()),)))
        bearer = str(Bearer("PA1", (await store.snapshot()).entries[session("PA1")].created))
        owned = tuple(Put(each.key, bearer) for each in CLUSTER.identities("PA1"))
        await store.transact(Transaction((), owned))
        page = await browser.get("alarms")
        assert "number_refused 6002 of PA1 PA1 Device <b>Unknown\\x1b since" in page.words
        assert "A server wants to register the number" in page.words
        assert "<b>Unknown" not in page.text
        assert "redundancy_lost PA1 nobody could stand in for it" in page.words


async def test_what_came_and_went_is_told_and_the_count_stands_in_the_header_of_every_page(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        await all_is_well(store)
        page = await browser.get("alarms")
        assert "No alarms: every number is served" in page.words
        assert "None since" in page.words
        await store.transact(Transaction((), (Delete(session("PA3")),)))
        page = await browser.get("alarms")
        assert "server_down PA3 it has no process that runs since" in page.words
        for path in PAGES:
            assert "1 alarm" in (await browser.get(path)).forms().links, path
        await all_is_well(store)
        page = await browser.get("alarms")
        assert "server_down PA3 it has no process that runs The last ones since" in page.words
        assert "No alarms" in page.forms().links
        assert all_pages.alarms.log.count == 0


async def test_before_anybody_has_looked_no_count_is_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, _, __):
        assert "alarm-count" not in (await browser.get("help")).text


async def test_a_cluster_without_servers_has_no_alarms(tmp_path: Path) -> None:
    async with opened(tmp_path, ClusterConfig(())) as (browser, _, __):
        page = await browser.get("alarms")
        assert page.status == 200
        assert "No alarms" in page.words


async def test_a_store_that_cannot_be_read_is_the_one_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (browser, _, store):

        async def broken() -> Snapshot:
            raise ConnectionLost("the disk <is> full")

        monkeypatch.setattr(store, "snapshot", broken)
        page = await browser.get("alarms")
        assert page.status == 200
        assert "store_unreachable All the disk <is> full since" in page.words


async def test_who_follows_a_page_is_told_the_count_besides(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, all_pages, __):
        draw = drawing(all_pages, lambda sight: f"<p>\n{sight.at}</p>")
        told = events_of(draw(unreadable(5.0)))
        assert told.startswith(b"event: alarms\ndata: 1 alarm\n\nevent: update\ndata: <p ")
        told = events_of(draw(Sight(6.0)))
        assert told == b"event: alarms\ndata: no alarms\n\n" + (
            b"event: update\ndata: <p>\ndata: 6.0</p>\n\n"
        )
        assert events_of("") == b": still here\n\n"


async def test_nothing_of_it_is_shown_without_a_session(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        browser = Browser(all_pages)
        assert "login" in (await browser.get("alarms")).url
        assert (await browser.get("alarms/events")).status == 403
