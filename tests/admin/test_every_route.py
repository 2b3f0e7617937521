"""Every route of the pages, asked for as no browser would: methods, paths, cookies of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_browser import BASE, Browser, administration, signed_in
from worlds import CLUSTER

from pa_telephony.admin.app import routes_of
from pa_telephony.admin.gate import COOKIE
from pa_telephony.failover.stores import MemoryStore


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
async def test_a_route_knows_no_other_method(tmp_path: Path, method: str) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        for route in routes_of(all_pages):
            answer = await browser.client.request(method, route.path)
            assert answer.status_code == 405, route.path


@pytest.mark.parametrize(
    "trick", ["/{}", "{}/", "{}/..%2f", "{};x", "{}%00", "{}/%2e%2e/%2e%2e/etc/passwd", "{}.html"]
)
async def test_a_path_that_is_like_a_page_s_is_none(tmp_path: Path, trick: str) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        await all_pages.managed.save(CLUSTER, 0, "import")
        browser, stranger = await signed_in(all_pages, password), Browser(all_pages)
        for route in routes_of(all_pages):
            if route.path in ("/", "/PAsystemadmin", f"{BASE}/") or "events" in route.path:
                continue
            path = "http://pa.example" + trick.format(route.path)
            answer = await browser.client.get(path)
            assert answer.status_code in (404, 405), path
            assert (await stranger.client.get(path)).status_code in (303, 404), path


@pytest.mark.parametrize("cookie", ["", "x", "a" * 4000, '"', "administrator", "..%2f", "\u00e9"])
async def test_a_cookie_that_is_nobody_s_leads_to_the_login(tmp_path: Path, cookie: str) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        stranger = Browser(all_pages)
        headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
        for route in routes_of(all_pages):
            if route.path in ("/", "/PAsystemadmin", f"{BASE}/", f"{BASE}/login"):
                continue
            if "/static/" in route.path:
                continue
            answer = await stranger.client.get(route.path, headers=headers)
            assert answer.status_code in (303, 403), route.path
