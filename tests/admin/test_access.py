"""Who comes in, and who does not: login, sessions, the tokens of forms, headers, sizes, guesses."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
import trio
import trio.testing
from form_browser import BASE, Browser, Clock, administration, signed_in
from worlds import CLUSTER

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import make_app
from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.records import IDLE
from pa_telephony.failover.stores import MemoryStore

PAGES = (
    "server-status",
    "server-configuration",
    "control-center",
    "control-center/orders?server=PA1",
    "cluster",
    "alarms",
    "configuration-history",
    "telephony",
    "speech-services",
    "cluster-settings",
    "help",
    "password",
    "accounts",
    "tokens",
    "audit",
    "log-out",
)


async def test_the_first_page_leads_to_the_login_and_the_login_to_what_was_asked_for(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = Browser(all_pages)
        page = await browser.get("/")
        assert page.url.startswith(f"{BASE}/login")
        page = await browser.get("server-configuration?server=PA2")
        page = await browser.press(page, "Log In", account="administrator", password=password)
        assert page.url == f"{BASE}/server-configuration?server=PA2"
        assert (await browser.get("/")).url == f"{BASE}/server-status"


@pytest.mark.parametrize("next_", ["//evil.example/", "https://evil.example", "/PAsystemadmin/\\x"])
async def test_the_login_leads_to_no_other_site(tmp_path: Path, next_: str) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = Browser(all_pages)
        page = await browser.get(f"login?next={next_}")
        page = await browser.press(page, "Log In", account="administrator", password=password)
        assert page.url == f"{BASE}/server-status"


async def test_nothing_but_the_login_is_shown_without_a_session(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        browser = Browser(all_pages)
        for path in (*PAGES, "nothing"):
            assert (await browser.get(path)).url.startswith(f"{BASE}/login?next="), path
        for path in ("server-status/events?server=PA1", "control-center/events"):
            assert (await browser.get(path)).status == 403
        browser.client.cookies.set(COOKIE, "invented")
        assert (await browser.get("server-status")).url.startswith(f"{BASE}/login")


async def test_a_wrong_password_is_told_without_saying_whether_the_user_exists(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        browser = Browser(all_pages)
        page = await browser.get("login")
        told = []
        for account in ("administrator", "nobody"):
            page = await browser.press(page, "Log In", account=account, password="wrong-wrong")
            assert page.status == 403
            assert "wrong-wrong" not in page.text
            told.append(page.words.replace(account, ""))
        assert told[0] == told[1]
        assert COOKIE not in browser.client.cookies


async def test_who_guesses_is_slowed_and_the_administrator_elsewhere_is_not(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        guesser = Browser(all_pages, "192.0.2.66")
        page = await guesser.get("login")
        began = trio.current_time()
        for number in range(9):
            page = await guesser.press(
                page, "Log In", account="administrator", password=f"guess {number}"
            )
        # Five at once, and then one every three seconds of one account: virtual time.
        assert trio.current_time() - began >= 4 * 3.0
        began = trio.current_time()
        await signed_in(all_pages, password)
        assert trio.current_time() == began
        page = await guesser.press(page, "Log In", account="administrator", password=password)
        assert page.url == f"{BASE}/server-status"


async def test_who_guesses_from_many_addresses_keeps_the_administrator_out_for_no_moment(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        await signed_in(all_pages, password)
        # The password of a guess is being compared, and all other guesses wait for that.
        async with all_pages.strangers, trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(guess, all_pages, f"198.51.100.{number}")
            await trio.testing.wait_all_tasks_blocked()
            assert all_pages.strangers.statistics().tasks_waiting == 40
            began = trio.current_time()
            await signed_in(all_pages, password)
            assert trio.current_time() == began
            nursery.cancel_scope.cancel()


async def guess(all_pages: Administration, address: str) -> None:
    guesser = Browser(all_pages, address)
    page = await guesser.get("login")
    await guesser.press(page, "Log In", account="administrator", password="a guess")


async def test_more_guesses_than_may_wait_are_not_looked_at(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        guesser = Browser(all_pages, "192.0.2.66")
        page = await guesser.get("login")
        answers: list[int] = []

        async def guess(number: int) -> None:
            found = await guesser.press(
                page, "Log In", account="administrator", password=f"guess {number}"
            )
            answers.append(found.status)

        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(guess, number)
        assert answers.count(429) >= 20
        assert {*answers} == {403, 429}


async def test_log_out_ends_the_session_wherever_its_cookie_is_held(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        stolen = browser.client.cookies[COOKIE]
        page = await browser.press(await browser.get("log-out"), "Log Out")
        assert page.url == f"{BASE}/login"
        thief = Browser(all_pages)
        thief.client.cookies.set(COOKIE, stolen)
        assert (await thief.get("server-status")).url.startswith(f"{BASE}/login")


async def test_a_session_that_nobody_uses_ends(tmp_path: Path) -> None:
    clock = Clock()
    async with administration(tmp_path, CLUSTER, MemoryStore(), clock) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        page = await browser.get("server-configuration?server=PA2")
        clock.now += IDLE + 1
        page = await browser.press(page, "save", hostname_or_ip_address="127.0.0.99")
        assert page.url.startswith(f"{BASE}/login")
        assert (await all_pages.managed.present()).number == 0


async def test_the_password_is_changed_by_who_knows_the_present_one(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        other = await signed_in(all_pages, password)
        page = await browser.get("password")
        new = "another long one"
        for filled, why in (
            ({"present": "wrong", "new": new, "again": new}, "is wrong"),
            ({"present": password, "new": new, "again": "x"}, "not the same"),
            ({"present": password, "new": "short", "again": "short"}, "10 to 200"),
        ):
            page = await browser.press(page, "Change", **filled)
            assert (page.status, why in page.words) == (422, True)
            assert new not in page.text
            assert password not in page.text
        page = await browser.press(page, "Change", present=password, new=new, again=new)
        assert "The password is changed" in page.words
        assert (await other.get("server-status")).url.startswith(f"{BASE}/login")
        await signed_in(all_pages, new)


@pytest.mark.parametrize("token", [None, "", "0" * 64, "of another"])
async def test_a_form_without_the_token_of_its_session_does_nothing(
    tmp_path: Path, token: str | None
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        other = await signed_in(all_pages, password)
        page = await browser.get("server-configuration?server=PA2")
        fields = [(name, value) for name, values in page.fields().items() for value in values]
        fields = [(name, value) for name, value in fields if name not in ("csrf", "do")]
        if token == "of another":
            token = (await other.get("server-configuration")).fields()["csrf"][0]
        if token is not None:
            fields.append(("csrf", token))
        for path, do in (
            ("server-configuration?server=PA2", "save"),
            ("server-configuration?server=PA2", "delete-really"),
            ("control-center", "stop"),
            ("telephony?provider=jtapi", "save"),
            ("speech-services", "save"),
            ("log-out", ""),
            ("password", ""),
        ):
            answer = await browser.post(path, [*fields, ("do", do)])
            assert answer.status == 403
            assert "not of your present session" in answer.words
        assert (await all_pages.managed.present()).number == 0
        assert (await browser.get("server-status")).url == f"{BASE}/server-status"


async def test_a_login_without_the_token_of_its_page_begins_no_session(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = Browser(all_pages)
        fields = [("account", "administrator"), ("password", password)]
        assert (await browser.post("login", fields)).status == 403
        await browser.get("login")
        assert (await browser.post("login", [*fields, ("csrf", "x")])).status == 403
        assert COOKIE not in browser.client.cookies


async def test_every_answer_has_the_headers_that_browsers_obey(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        for path in (*PAGES, "nothing", "static/admin.css", "static/../app.py", "login"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            if "static/admin" not in path:
                assert headers["cache-control"] == "no-store"


async def test_the_cookie_is_seen_by_no_script_and_no_other_site(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        transport = httpx2.ASGITransport(app=make_app(all_pages))
        for scheme, secure in (("http", False), ("https", True)):
            client = httpx2.AsyncClient(transport=transport, base_url=f"{scheme}://pa.example")
            browser = Browser(all_pages)
            browser.client = client
            page = await browser.get("login")
            fields = {"account": "administrator", "password": password, **_csrf(page.text)}
            answer = await client.post(f"{BASE}/login", data=fields)
            (cookie,) = [each for each in answer.headers.get_list("set-cookie") if COOKIE in each]
            assert "HttpOnly" in cookie
            # The API stands beside the pages.
            assert "Path=/;" in cookie
            assert "SameSite=strict" in cookie
            assert ("Secure" in cookie) == secure


def _csrf(text: str) -> dict[str, str]:
    return {"csrf": text.partition('name="csrf" value="')[2].partition('"')[0]}


async def test_pages_have_no_script_and_no_style_of_their_own(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        for path in PAGES:
            text = (await browser.get(path)).text
            assert "<style" not in text
            assert " style=" not in text
            assert " onclick" not in text
            assert text.count("<script") == 1
            assert "//" not in text.replace("http://www.w3.org", "")


async def test_what_is_no_form_or_of_another_method_is_refused(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        address = f"{BASE}/control-center"
        csrf = (await browser.get("control-center")).fields()["csrf"][0]
        many = await browser.client.post(address, data={"csrf": csrf, "a": ["b"] * 6000})
        assert many.status_code == 400
        json = await browser.client.post(address, json={"csrf": csrf, "do": "stop"})
        assert json.status_code == 415
        odd = await browser.client.post(
            address,
            content=b"csrf=\xff\xfe&do=%ff",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert odd.status_code == 400
        head = await browser.client.head(f"{BASE}/server-status/events")
        assert (head.status_code, head.content) == (200, b"")
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            assert (await browser.client.request(method, address)).status_code == 405


async def raw(all_pages: Administration, browser: Browser, part: bytes, pause: float = 0.0) -> int:
    """Send a form that never ends, as no client would; gives the status of the answer."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await trio.sleep(pause)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [
        (b"cookie", f"{COOKIE}={browser.client.cookies[COOKIE]}".encode()),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"{BASE}/control-center",
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.7", 1),
        "server": ("pa.example", 80),
        "scheme": "http",
    }
    await make_app(all_pages)(scope, receive, send)  # type: ignore[arg-type]
    status = sent[0]["status"]
    assert isinstance(status, int)
    return status


async def test_a_form_that_is_too_large_or_comes_too_slowly_is_refused(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)
        assert await raw(all_pages, browser, b"x" * 100_000) == 413
        assert await raw(all_pages, browser, b"a=b&", pause=3.0) == 408


async def test_only_the_files_of_the_pages_are_given_out(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, _):
        browser = Browser(all_pages)
        page = await browser.get("static/admin.css")
        assert page.status == 200
        again = await browser.client.get(
            f"{BASE}/static/admin.css", headers={"if-none-match": page.headers["etag"]}
        )
        assert again.status_code == 304
        for path in ("static/", "static/..%2fapp.py", "static/%2e%2e/records.py", "static/x.css"):
            answer = await browser.client.get(f"{BASE}/{path}", follow_redirects=False)
            assert answer.status_code in (303, 404), path


async def test_what_was_done_is_noted_with_who_and_from_where(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = Browser(all_pages, "192.0.2.9")
        page = await browser.get("login")
        page = await browser.press(page, "Log In", account="administrator", password="wrong")
        page = await browser.press(page, "Log In", account="administrator", password=password)
        await browser.press(await browser.get("log-out"), "Log Out")
        deeds = all_pages.records.deeds()
        assert [(each.account, each.address, each.what) for each in reversed(deeds)] == [
            ("administrator", "192.0.2.9", "wrong password"),
            ("administrator", "192.0.2.9", "logged in"),
            ("administrator", "192.0.2.9", "logged out"),
        ]


@pytest.mark.makes_bugs
async def test_a_fault_of_a_page_is_logged_and_told_without_its_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (all_pages, password):
        browser = await signed_in(all_pages, password)

        async def fail(_: Administration) -> None:
            raise ZeroDivisionError("secret of the inside")

        monkeypatch.setattr(type(all_pages.managed), "present", fail)
        page = await browser.get("server-configuration")
        assert page.status == 500
        assert "secret of the inside" not in page.text
