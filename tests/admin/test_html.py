"""Every page that can be reached is valid HTML: as each role, and whatever was pressed on the way.

justhtml parses as browsers do (it passes the tests of html5lib) and tells every parse error of the
standard. What the parser does not judge is looked at here: names and references.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from form_browser import BASE, Browser, Page, administration, serve, signed_in
from justhtml import Element, JustHTML
from worlds import CLUSTER

from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import routes_of
from pa_telephony.admin.demo_faults import DemoFaults
from pa_telephony.admin.roles import Role, act_of_page, why_not
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.stores import MemoryStore

HOSTILE = "<b id=x>\"'&amp;\x00\x7f\x9f</textarea>"
REFERENCES = ("for", "form", "aria-labelledby", "aria-describedby", "aria-controls")
"""Attributes whose words are ids of the same page."""
DUMMY = "<!doctype html><html lang=en><title>x</title><main><h1>x</h1></main>"


def problems(text: str) -> list[str]:
    """What is wrong with a page; with scripts and without, what ``noscript`` has is other HTML."""
    found: list[str] = []
    for scripts in (True, False):
        document = JustHTML(text, collect_errors=True, sanitize=False, scripting_enabled=scripts)
        found += [f"line {each.line}: {each.code}" for each in document.errors]
    found += [f"has {each!r}" for each in re.findall(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]", text)]
    elements = [each for each in document.query("*") if isinstance(each, Element)]
    names = Counter(each.name for each in elements)
    found += [f"{names[each]} {each}" for each in ("h1", "main") if names[each] != 1]
    found += [] if len(document.query("head title")) == 1 else ["no title, or several"]
    attributes = [each.attrs or {} for each in elements]
    ids = Counter(each["id"] for each in attributes if "id" in each)
    found += [f"{count} with id {each!r}" for each, count in ids.items() if count > 1]
    found += [f"no name in id {each!r}" for each in ids if not each or " " in each]
    for each in attributes:
        for name in REFERENCES:
            wanted = (each.get(name) or "").split()
            found += [f"{name}: no id {word!r}" for word in wanted if word not in ids]
    return found


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (DUMMY.replace("<h1>", "<p><div></p><h1>"), "line 1: unexpected-end-tag"),
        (DUMMY.replace("<h1>", "<h1>\x7f"), "has '\\x7f'"),
        (DUMMY.replace("<h1>", "<h1>x</h1><h1>"), "2 h1"),
        (DUMMY.replace("<h1>", "<h1 id=a><i id=a></i>"), "2 with id 'a'"),
        (DUMMY.replace("<h1>", "<h1 aria-labelledby='a'>"), "aria-labelledby: no id 'a'"),
        (DUMMY.replace("<h1>", "<noscript><p></i></noscript><h1>"), "line 1: unexpected-end-tag"),
    ],
)
def test_what_is_wrong_with_a_page_is_found(page: str, problem: str) -> None:
    assert problem in problems(page)
    assert problems(DUMMY) == []


async def reached(browser: Browser) -> AsyncGenerator[Page]:
    """All that links and buttons lead to, each button as it stands and with nonsense filled in."""
    waiting, seen, pressed = [f"{BASE}/server-status"], set[str](), set[tuple[str, ...]]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page = await browser.get(path)
        pages = [page]
        for form in page.forms().forms:
            if form.action.startswith(f"{BASE}/log"):
                continue
            for label, name, value in form.buttons:
                # A button does the same for all servers and revisions; one of them is enough.
                which = (urlsplit(form.action or path).path, name, value.split(" ")[0])
                if which in pressed or "Leave" in label:
                    continue
                pressed.add(which)
                wrong = [
                    (each, HOSTILE if each in form.texts else text) for each, text in form.fields
                ]
                for fields in (wrong, form.fields):
                    button = [(name, value)] if name else []
                    answer = await browser.post(form.action or path, [*fields, *button])
                    pages.append(answer)
        for each in pages:
            if not each.headers["content-type"].startswith("text/html"):
                continue
            yield each
            for link in each.forms().links.values():
                target = urlsplit(urljoin(each.url, link))
                full = target.path + (f"?{target.query}" if target.query else "")
                if target.path.startswith(BASE) and not target.netloc:
                    waiting.append(full)


async def everything(all_pages: Administration, store: MemoryStore) -> Administration:
    """The administration of a cluster with a past, an order, accounts, tokens; of a demo."""
    await all_pages.managed.save(CLUSTER, 0, "import")
    pa1, *others = CLUSTER.servers
    changed = dataclasses.replace(CLUSTER, servers=(dataclasses.replace(pa1, capacity=9), *others))
    await all_pages.managed.save(changed, 1, HOSTILE)
    await serve(store, "PA1", "PA2", busy=True)
    return dataclasses.replace(all_pages, faults=DemoFaults(CLUSTER.store_path))


@pytest.mark.parametrize("role", Role)
async def test_every_page_is_valid_whatever_was_pressed(tmp_path: Path, role: Role) -> None:
    store = MemoryStore()
    async with administration(tmp_path, CLUSTER, store) as (all_pages, _):
        all_pages = await everything(all_pages, store)
        password = Accounts(all_pages.records).add("anna", role)
        found: dict[str, list[str]] = {}
        paths: set[str] = set()
        async for page in reached(await signed_in(all_pages, password, "anna")):
            paths.add(urlsplit(page.url).path)
            if wrong := problems(page.text):
                found[f"{page.url} {page.status}"] = wrong
            assert page.status < 500
        assert found == {}
        pages = {each.path for each in routes_of(all_pages) if "GET" in (each.methods or ())}
        expected = {
            path
            for path in pages - {f"{BASE}/", "/", "/PAsystemadmin", f"{BASE}/login"}
            if "/static/" not in path
            and not path.endswith("/events")
            # Only a call manager has devices; test_call_manager_pages.py has one.
            and not path.endswith("/call-manager/device")
            if not why_not(role, act_of_page("GET", path))
        }
        assert expected <= paths


async def test_the_pages_before_the_login_and_of_an_empty_store_are_valid(tmp_path: Path) -> None:
    async with administration(
        tmp_path, ClusterConfig((), providers=CLUSTER.providers), MemoryStore()
    ) as (
        all_pages,
        password,
    ):
        stranger = Browser(all_pages)
        login = await stranger.get("login?next=%22%3E%3Cb%3E")
        wrong = await stranger.press(login, "Log In", account=HOSTILE, password=HOSTILE)
        browser = await signed_in(all_pages, password)
        for page in (
            login,
            wrong,
            await browser.get("nothing"),
            await browser.get("cluster"),
            await browser.get("alarms"),
            await browser.get("control-center"),
            await browser.get("configuration-history"),
            await browser.get("server-status"),
        ):
            assert problems(page.text) == [], page.url
