"""What stands nowhere after a whole session: passwords, tokens, and the cookie of the session."""

from __future__ import annotations

import dataclasses
import logging
import re
from pathlib import Path

import pytest
import trio
from form_browser import ACCESS, CLUSTER, Browser, Page, signed_in

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import routes_of
from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.live import Live
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.admin.records import Records, argon2_hasher
from pa_telephony.failover.stores import MemoryStore

WRONG, NEW = "not-the-password-at-all", "quite-another-password"
OF_PROVIDER = "what-the-provider-is-told"


async def every_page(browser: Browser, everything: Administration) -> list[Page]:
    paths = {each.path for each in routes_of(everything) if "GET" in (each.methods or ())}
    shown = sorted(each for each in paths if not each.endswith("/events") and "log" not in each)
    return [await browser.get(each) for each in shown]


def all_below(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.rglob("*") if each.is_file())


async def test_no_secret_stands_in_a_page_the_log_the_records_or_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = MemoryStore()
    records = Records(tmp_path / "admin", argon2_hasher())
    first = records.first_password()
    assert first is not None
    managed = ManagedCluster(store, dataclasses.replace(CLUSTER))
    await managed.save(CLUSTER, 0, "import")
    everything = Administration(
        managed, records, Live(managed), ACCESS, control=tmp_path / "no-call-manager"
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(everything.live.run)
        stranger = Browser(everything)
        login = await stranger.get("login")
        pages = [await stranger.press(login, "Log In", account="administrator", password=WRONG)]
        browser = await signed_in(everything, first)
        page = await browser.click(await browser.get("telephony"), "Add a JTAPI provider")
        page = await browser.press(page, "add hosts", new_hosts="10.0.0.2", name="second")
        pages.append(await browser.press(page, "save", user="pa", password=OF_PROVIDER))
        page = await browser.get("password")
        pages.append(await browser.press(page, "Change", present=first, new=NEW, again="x" * 12))
        page = await browser.get("password")
        pages.append(await browser.press(page, "Change", present=first, new=NEW, again=NEW))
        # What is made is shown once, on the page that answers.
        made = await browser.press(await browser.get("accounts"), "Add", name="anna", role="reader")
        token = await browser.press(await browser.get("tokens"), "Make", name="ci", role="reader")
        once = [re.search(r'class="secret"[^>]*>([^<]+)<', each.text) for each in (made, token)]
        shown = [found[1].strip() for found in once if found is not None]
        assert len(shown) == 2
        cookie = browser.client.cookies[COOKIE]
        pages += await every_page(browser, everything)
        nursery.cancel_scope.cancel()
    assert "Saved as revision" in " ".join(each.words for each in pages)
    secrets = (first, WRONG, NEW, *shown, cookie)
    kept = "".join(each.value for each in (await store.snapshot()).entries.values())
    # A server logs in at the call manager with the provider's password, so the store has that.
    assert OF_PROVIDER in kept
    written = all_below(tmp_path)
    deeds = "".join(f"{each.what} {each.result}" for each in records.deeds(1000))
    for each in (*secrets, OF_PROVIDER):
        assert each not in "".join(page.text for page in pages)
        assert each not in caplog.text
        assert each not in deeds
        assert each.encode() not in written
    for each in secrets:
        assert each not in kept
