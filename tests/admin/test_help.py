"""Help names every page that whoever looks may open, and says what it is for."""

from __future__ import annotations

from pathlib import Path

from form_browser import administration, signed_in
from worlds import CLUSTER

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.help_pages import ABOUT
from pa_telephony.admin.rendering import MENU
from pa_telephony.admin.roles import Role
from pa_telephony.failover.stores import MemoryStore

PAGES = [page for pages in MENU.values() for page in pages]


def test_every_page_of_the_menu_bar_says_what_it_is_for_and_no_other() -> None:
    assert ABOUT.keys() == {*PAGES, "Faults"}
    assert all(each.endswith(".") for each in ABOUT.values())


async def test_help_has_the_pages_that_a_role_may_open(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        words = (await (await signed_in(all_pages, password)).get("help")).words
        for page in PAGES:
            assert f"{page} {ABOUT[page]}" in words
        first = Accounts(all_pages.records).add("anna", Role.READER)
        words = (await (await signed_in(all_pages, first, "anna")).get("help")).words
        assert f"Alarms {ABOUT['Alarms']}" in words
        assert ABOUT["Audit Log"] not in words
