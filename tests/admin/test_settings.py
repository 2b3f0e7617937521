"""Cluster Settings: the application, who stands in, and the times, each with unit and range."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from filled_forms import posts, refused, say_why
from form_browser import Browser, administration, serve, signed_in
from hypothesis import given, strategies as st
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.fields import FormRefused, Kind, typed
from pa_telephony.admin.settings_form import SETTINGS_FORM, values_of, with_settings
from pa_telephony.failover import Cluster
from pa_telephony.failover.config import ApplicationConfig, Timing
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.failover.transaction import Delete, Transaction
from pa_telephony.failover.world import session

PLAIN = values_of(CLUSTER)
OTHER = replace(
    CLUSTER,
    timing=Timing(hold=0, long_call=3600.0, registration=0.25),
    application=ApplicationConfig("greeting.wav", "2000", {"1": "2001", "#": "2002"}),
    capacity_aware=True,
)


@pytest.mark.parametrize("cluster", [CLUSTER, OTHER])
def test_the_form_means_the_settings_that_it_shows(cluster: Cluster) -> None:
    assert with_settings(CLUSTER, values_of(cluster)) == cluster


def test_every_time_says_its_unit_its_range_and_what_it_is_unless_changed() -> None:
    hints = {each.name: each for each in SETTINGS_FORM.fields if each.kind is Kind.SECONDS}
    assert hints.keys() == {each.name for each in fields(Timing)}
    assert hints["long_call"].label == "Long Call (seconds)"
    assert hints["long_call"].hint.endswith(" 0 to 86400 seconds; 14400 unless changed.")
    assert hints["heartbeat"].hint.endswith(" More than 0 to 86400 seconds; 0.5 unless changed.")


@pytest.mark.parametrize(
    ("field", "typed_in", "rule"),
    [
        ("own", "", "is mandatory"),
        ("own", "4 s", "must be a number of seconds, as 2 or 0.5"),
        ("own", "1e3", "must be a number of seconds, as 2 or 0.5"),
        ("own", "-1", "must be a number of seconds, as 2 or 0.5"),
        ("own", "0.5", "must hold two heartbeats"),
        ("take", "4", "must be above own"),
        ("heartbeat", "0", "must be more than 0"),
        ("long_call", "99999", "must be 0 to 86400 seconds"),
        ("hold_longest", "0.5", "must not be below hold"),
        ("transfer", "nobody", "must be a directory number"),
        ("digits", "12 = 2001", "no key of a telephone"),
        ("digits", "1", "must be NAME = VALUE"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(field: str, typed_in: str, rule: str) -> None:
    found = refused(with_settings, CLUSTER, PLAIN | {field: typed_in})
    assert list(found) == [field]
    assert rule in found[field][0]


@given(posts(SETTINGS_FORM, PLAIN))
def test_any_form_is_a_cluster_or_says_why_not(posted: dict[str, list[str]]) -> None:
    try:
        found = with_settings(CLUSTER, typed(SETTINGS_FORM, posted))
    except FormRefused as error:
        say_why(error)
    else:
        assert isinstance(found, Cluster)
        assert with_settings(CLUSTER, values_of(found)) == found


@given(st.floats(min_value=1e-9, max_value=86_400))
def test_a_time_is_shown_so_that_it_can_be_saved_again(hold: float) -> None:
    cluster = replace(CLUSTER, timing=replace(CLUSTER.timing, hold=hold, hold_longest=86_400))
    assert with_settings(CLUSTER, values_of(cluster)) == cluster


@contextlib.asynccontextmanager
async def opened(directory: Path) -> AsyncGenerator[tuple[Browser, Administration, MemoryStore]]:
    store = MemoryStore()
    async with administration(directory, CLUSTER, store) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        yield await signed_in(all_pages, password), all_pages, store


async def test_what_callers_hear_is_saved_while_servers_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        await serve(store, "PA1", "PA2")
        page = await browser.get("cluster-settings")
        changes: dict[str, Any] = {"transfer": "2000", "digits": "1 = 2001"}
        page = await browser.press(page, "save", **changes, capacity_aware="yes")
        assert "Saved as revision 2" in page.words
        found = (await all_pages.managed.present()).cluster
        assert found.application == ApplicationConfig("", "2000", {"1": "2001"})
        assert found.capacity_aware
        assert found.timing == CLUSTER.timing


async def test_times_are_refused_beside_their_field_until_no_server_runs(tmp_path: Path) -> None:
    async with opened(tmp_path) as (browser, all_pages, store):
        await serve(store, "PA1")
        page = await browser.press(await browser.get("cluster-settings"), "save", hold="3")
        assert page.status == 422
        assert "times change only while no server runs: stop PA1 first" in page.words
        await store.transact(Transaction((), (Delete(session("PA1")),)))
        page = await browser.press(page, "save")
        assert "Saved as revision 2" in page.words
        assert (await all_pages.managed.present()).cluster.timing.hold == 3.0
