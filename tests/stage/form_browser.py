"""A browser without scripts: it opens the pages of the administration and sends their forms.

A form is sent as a person would: with what stands in it, what is filled in, and the button that is
pressed. What is not on a page cannot be filled in or pressed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import html
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import trio
from worlds import CLUSTER

from pa_telephony.admin.access import Access
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import make_app
from pa_telephony.admin.live import Live
from pa_telephony.admin.managed import ManagedCluster
from pa_telephony.admin.records import Records
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.stores import MemoryStore, Store
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import Bearer, session

__all__ = ["Browser", "Clock", "Page", "PlainHasher", "administration", "serve", "signed_in"]

BASE = "/PAsystemadmin"
ACCESS = Access(frozenset({"pa.example"}))


class PlainHasher:
    """A hasher that takes no time; no test is about argon2 itself."""

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, hash: str, password: str) -> bool:
        return hash == f"hash of {password}"


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Form:
    action: str
    id: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Text, name and value."""
    texts: set[str] = field(default_factory=set)
    """The names of fields that can be typed into."""
    options: dict[str, set[str]] = field(default_factory=dict)
    """What can be chosen, of lists and boxes."""


class _Forms(HTMLParser):
    """The forms of a page, also what stands outside of its form and names it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: dict[str, str] = {}
        self._inside: _Form | None = None
        self._select: tuple[str, bool] | None = None
        self._option: tuple[bool, str | None] | None = None
        self._words: list[str] = []
        self._button: tuple[_Form, dict[str, str | None]] | None = None
        self._link: str | None = None
        self._fieldsets: list[bool] = []
        self.feed(text)

    def _of(self, form_id: str | None) -> _Form | None:
        if form_id is None:
            return self._inside
        return next(each for each in self.forms if each.id == form_id)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        name, value = known.get("name") or "", known.get("value") or ""
        if tag == "form":
            self._inside = _Form(known.get("action") or "", known.get("id") or "")
            self.forms.append(self._inside)
        form = self._of(known.get("form"))
        if tag == "fieldset":
            self._fieldsets.append("disabled" in known)
        if tag == "a":
            self._link, self._words = known.get("href"), []
        elif form is None:
            return
        elif tag == "input" and known.get("type") == "checkbox":
            form.options.setdefault(name, set()).add(value)
            if "checked" in known:
                form.fields.append((name, value))
        elif tag == "input":
            form.fields.append((name, value))
            if known.get("type") != "hidden":
                form.texts.add(name)
        elif tag == "select":
            self._select = name, "multiple" in known
            form.options[name] = set()
            if "multiple" not in known:
                form.fields.append((name, ""))
        elif tag == "option":
            self._option, self._words = ("selected" in known, known.get("value")), []
        elif tag == "textarea":
            form.texts.add(name)
            self._select, self._words = (name, False), []
        elif tag == "button" and not any(self._fieldsets) and "disabled" not in known:
            self._button, self._words = (form, known), []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._words).split())
        if tag == "form":
            self._inside = None
        elif tag == "fieldset":
            self._fieldsets.pop()
        elif tag == "a" and self._link is not None:
            self.links[text] = self._link
            self._link = None
        elif tag == "option" and self._select is not None and self._option is not None:
            name, multiple = self._select
            chosen, value = self._option
            value = text if value is None else value
            assert self._inside is not None
            self._inside.options[name].add(value)
            if chosen and not multiple:
                self._inside.fields = [each for each in self._inside.fields if each[0] != name]
                self._inside.fields.append((name, value))
        elif tag == "textarea" and self._select is not None and self._inside is not None:
            self._inside.fields.append((self._select[0], "".join(self._words)))
        elif tag == "button" and self._button is not None:
            form, known = self._button
            label = known.get("aria-label") or text
            form.buttons.append((label, known.get("name") or "", known.get("value") or ""))
            self._button = None


@dataclass(frozen=True)
class Page:
    """What was answered."""

    status: int
    text: str
    headers: httpx2.Headers
    url: str

    @property
    def words(self) -> str:
        """The text that is read, on one line."""
        pieces: list[str] = []
        parser = HTMLParser()
        parser.handle_data = pieces.append  # type: ignore[method-assign]
        parser.feed(self.text)
        return " ".join(html.unescape(" ".join(pieces)).split())

    def forms(self) -> _Forms:
        return _Forms(self.text)

    def fields(self) -> dict[str, list[str]]:
        """What stands in the form with the most fields."""
        form = max(self.forms().forms, key=lambda each: len(each.fields))
        found: dict[str, list[str]] = {}
        for name, value in form.fields:
            found.setdefault(name, []).append(value)
        return found


class Browser:
    """Somebody at ``address`` with cookies; follows where pages lead."""

    def __init__(self, all_pages: Administration, address: str = "192.0.2.7") -> None:
        transport = httpx2.ASGITransport(app=make_app(all_pages), client=(address, 1234))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://pa.example")

    async def get(self, path: str) -> Page:
        """Open a page; a path without / is one of the administration's."""
        full = path if path.startswith("/") else f"{BASE}/{path}"
        return await self._follow(await self.client.get(full))

    async def click(self, page: Page, link: str) -> Page:
        """Follow a link by its words."""
        return await self.get(page.forms().links[link])

    async def post(self, path: str, fields: Iterable[tuple[str, str]], **headers: str) -> Page:
        """Send any fields anywhere, as no person would."""
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        full = path if path.startswith("/") else f"{BASE}/{path}"
        return await self._follow(await self.client.post(full, data=data, headers=headers))

    async def press(self, page: Page, button: str, **filled: str | list[str] | None) -> Page:
        """Fill in fields, ``_`` for ``-`` in their names where there is one, and press a button."""
        for form in page.forms().forms:
            for label, name, value in form.buttons:
                if button in (label, value):
                    fields = self._filled(form, filled)
                    if name:
                        fields.append((name, value))
                    return await self.post(form.action, fields)
        raise AssertionError(f"there is no button {button!r}")

    def _filled(
        self, form: _Form, filled: dict[str, str | list[str] | None]
    ) -> list[tuple[str, str]]:
        fields = list(form.fields)
        for given, value in filled.items():
            known = {*form.texts, *form.options}
            name = given if given in known else given.replace("_", "-", 1)
            assert name in known, f"there is no field {given!r}"
            fields = [each for each in fields if each[0] != name]
            values = [] if value is None else [value] if isinstance(value, str) else value
            if name in form.options:
                assert {*values} <= form.options[name], f"{value!r} cannot be chosen of {given!r}"
            fields += [(name, each) for each in values]
        return fields

    async def _follow(self, answer: httpx2.Response) -> Page:
        while answer.is_redirect:
            answer = await self.client.get(answer.headers["location"])
        target = urlsplit(str(answer.url))
        url = target.path + (f"?{target.query}" if target.query else "")
        return Page(answer.status_code, answer.text, answer.headers, url)


@contextlib.asynccontextmanager
async def administration(
    directory: Path,
    begin: ClusterConfig,
    store: Store,
    clock: Clock | None = None,
    access: Access | None = None,
    control: Path | None = None,
) -> AsyncGenerator[tuple[Administration, str]]:
    """The administration of a cluster, and its first password.

    Without ``control`` it has no call manager, whatever runs on this machine.
    """
    ticking = clock or Clock()
    records = Records(directory / "state" / "admin", PlainHasher(), ticking)
    password = records.first_password()
    assert password is not None
    managed = ManagedCluster(store, dataclasses.replace(begin), ticking)
    found = Administration(
        managed,
        records,
        Live(managed),
        access or ACCESS,
        control=control or directory / "no-call-manager",
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(found.live.run)
        nursery.start_soon(found.live_call_manager.run)
        yield found, password
        nursery.cancel_scope.cancel()


async def serve(store: MemoryStore, *names: str, busy: bool = False) -> None:
    """These servers have a session; the first serves all of PA1."""
    own, links = CLUSTER.identities("PA1"), frozenset(CLUSTER.used_providers)
    up = frozenset(each.label for each in own)
    for place, name in enumerate(names):
        beat = Beat(
            name,
            links,
            links,
            up=frozenset() if place else up,
            busy=up if busy and not place else frozenset(),
            configuration="abc",
        )
        await store.transact(Transaction((), (Put(session(name), beat.encode()),)))
    entries = (await store.snapshot()).entries
    bearer = str(Bearer(names[0], entries[session(names[0])].created))
    await store.transact(Transaction((), tuple(Put(each.key, bearer) for each in own)))


async def signed_in(
    all_pages: Administration, password: str, account: str = "administrator"
) -> Browser:
    """A browser whose user has logged in."""
    browser = Browser(all_pages)
    page = await browser.get("login")
    page = await browser.press(page, "Log In", account=account, password=password)
    assert page.status == 200, page.words
    return browser
