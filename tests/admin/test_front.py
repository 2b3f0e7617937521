"""What stands before pages and API: names, TLS, and a proxy that says who asks."""

from __future__ import annotations

import contextlib
import functools
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import trio
from click.testing import CliRunner
from form_browser import BASE, Browser, administration
from worlds import CLUSTER

from pa_telephony.admin.access import Access, SignOn, plain_address
from pa_telephony.admin.accounts import Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.app import make_app
from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.roles import Role
from pa_telephony.admin.serving import open_pages
from pa_telephony.cli.main import cli
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.failover.stores import MemoryStore, open_store

NAMED = Access(frozenset({"pa.example"}))


@pytest.mark.parametrize(
    "host",
    [
        "pa.example",
        "PA.example.:8080",
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:80",
        "10.1.2.3",
        "[::1]:8080",
        "[fe80::1]",
    ],
)
def test_a_name_that_was_given_and_any_address_is_answered(host: str) -> None:
    assert NAMED.host_problem(host) == ""


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "pa.example.evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "pa.example:x",
        "pa.example@evil.example",
        "[::1",
        "[evil.example]",
        "1",
        "0x7f.1",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    assert NAMED.host_problem(host)


async def test_a_page_of_a_stranger_that_calls_our_address_by_its_name_gets_nothing(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, _):
        transport = httpx2.ASGITransport(app=make_app(everything))
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://evil.example"
        ) as client:
            for path in (f"{BASE}/login", f"{BASE}/static/admin.css", "/api/v1/session", "/"):
                answer = await client.get(path)
                assert answer.status_code == 421
                assert "--name" in answer.text
                assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            two = [("host", "pa.example"), ("host", "evil.example")]
            assert (await client.get(f"{BASE}/login", headers=two)).status_code == 400


# ------------------------------------------------------------------------------------ sign-on

PROXY = "192.0.2.80"
SIGN_ON = Access(frozenset({"pa.example"}), SignOn("X-Remote-User", frozenset({PROXY})))


def browser_at(everything: Administration, address: str, **headers: str) -> Browser:
    browser = Browser(everything, address)
    browser.client.headers.update({name.replace("_", "-"): each for name, each in headers.items()})
    return browser


async def test_whom_the_proxy_names_has_a_session_with_the_role_of_that_account(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore(), access=SIGN_ON) as (everything, _):
        await everything.managed.save(CLUSTER, 0, "import")
        Accounts(everything.records).add("anna", Role.OPERATOR)
        browser = browser_at(everything, PROXY, x_remote_user="Anna")
        page = await browser.get("control-center")
        assert page.url == f"{BASE}/control-center"
        assert "anna (operator)" in page.words
        first = browser.client.cookies[COOKIE]
        page = await browser.press(page, "start PA1")
        assert page.status == 200
        assert browser.client.cookies[COOKIE] == first
        assert (await browser.client.get("/api/v1/session")).json()["account"] == "anna"
        deeds = [(each.account, each.what, each.result) for each in everything.records.deeds(2)]
        assert deeds[1] == ("anna", "logged in", "signed on at the proxy")
        # Another one at the same browser does not go on with that session.
        Accounts(everything.records).add("bert", Role.READER)
        browser.client.headers["x-remote-user"] = "bert"
        assert (await browser.client.get("/api/v1/session")).status_code == 401
        assert "bert (reader)" in (await browser.get("server-status")).words
        assert browser.client.cookies[COOKIE] != first


async def test_a_name_that_has_no_account_is_told_so(tmp_path: Path) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore(), access=SIGN_ON) as (everything, _):
        page = await browser_at(everything, PROXY, x_remote_user="carl").get("server-status")
        assert page.status == 403
        assert "carl has no account here" in page.words


@pytest.mark.parametrize("access", [SIGN_ON, NAMED])
async def test_the_header_is_refused_from_elsewhere_and_means_nothing_where_none_is_named(
    tmp_path: Path, access: Access
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore(), access=access) as (everything, _):
        address = "192.0.2.81" if access is SIGN_ON else PROXY
        browser = browser_at(everything, address, x_remote_user="administrator")
        page = await browser.get("server-status")
        assert page.status == 403 if access is SIGN_ON else page.url.startswith(f"{BASE}/login")
        assert COOKIE not in browser.client.cookies
        status = (await browser.client.get("/api/v1/session")).status_code
        assert status == (403 if access is SIGN_ON else 401)


async def test_a_proxy_that_says_nobody_leads_to_the_login_and_one_that_says_two_is_refused(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore(), access=SIGN_ON) as (everything, _):
        browser = browser_at(everything, PROXY, x_remote_user=" ")
        assert (await browser.get("server-status")).url.startswith(f"{BASE}/login")
        two = [("x-remote-user", "administrator"), ("x-remote-user", "anna")]
        browser = browser_at(everything, PROXY)
        assert (await browser.client.get(f"{BASE}/login", headers=two)).status_code == 400


async def test_a_proxy_that_has_tls_makes_cookies_secure_and_no_one_else_does(
    tmp_path: Path,
) -> None:
    async with administration(tmp_path, CLUSTER, MemoryStore(), access=SIGN_ON) as (everything, _):
        for address, secure in ((PROXY, True), ("192.0.2.81", False)):
            browser = browser_at(everything, address, x_forwarded_proto="https")
            headers = (await browser.client.get(f"{BASE}/login")).headers
            assert ("Secure" in headers["set-cookie"]) == secure
            assert ("strict-transport-security" in headers) == secure


def test_an_address_has_one_spelling() -> None:
    assert plain_address("::FFFF:192.0.2.80") == PROXY
    assert plain_address("0:0::1") == "::1"
    assert plain_address("pa.example") == ""


# ---------------------------------------------------------------------------------------- TLS


@pytest.mark.real_time
async def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path: Path, pem: Path) -> None:
    async with (
        administration(tmp_path, CLUSTER, MemoryStore()) as (everything, _),
        open_pages(everything, "127.0.0.1", 0, pem) as port,
    ):
        context = ssl.create_default_context(cafile=str(pem))
        async with httpx2.AsyncClient(verify=context) as client:
            answer = await client.get(f"https://127.0.0.1:{port}{BASE}/login")
            assert answer.status_code == 200
            assert "Secure" in answer.headers["set-cookie"]
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(f"GET {BASE}/login HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with trio.move_on_after(10):
            with contextlib.suppress(trio.BrokenResourceError):
                assert b"200" not in await stream.receive_some()
        await stream.aclose()


async def test_a_certificate_that_cannot_be_used_is_told_before_it_listens(
    tmp_path: Path,
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    async with administration(tmp_path, CLUSTER, MemoryStore()) as (everything, _):
        for path in (wrong, tmp_path / "missing.pem"):
            with pytest.raises(ConfigurationError, match=r"\.pem: cannot be used for TLS"):
                async with open_pages(everything, "127.0.0.1", 0, path):
                    pass


# -------------------------------------------------------------------------------- the command


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "cluster.db"

    async def fill() -> None:
        cluster = replace(CLUSTER, store=str(path))
        async with open_store(cluster) as opened:
            await save_configuration(cluster, opened, by="import")

    trio.run(fill)
    return path


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--key", "FILE"], "--key goes with --certificate"),
        (["--sign-on-header", "X-User"], "go together"),
        (["--sign-on-from", "127.0.0.1"], "go together"),
        (["--sign-on-header", "X User", "--sign-on-from", "127.0.0.1"], "no name of a header"),
        (["--sign-on-header", "X-User", "--sign-on-from", "proxy"], "no IP address"),
    ],
)
def test_options_that_mean_nothing_are_refused(store: Path, options: list[str], why: str) -> None:
    given = [str(store) if each == "FILE" else each for each in options]
    done = CliRunner().invoke(cli, ["admin", "--store", str(store), *given])
    assert done.exit_code == 2
    assert why in done.output


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (["--host", "0.0.0.0"], True),
        (["--host", "0.0.0.0", "--certificate", "FILE"], False),
        (["--host", "127.0.0.1"], False),
        (["--host", "::1", "--name", "PA.example."], False),
    ],
)
def test_who_listens_to_other_machines_without_tls_is_told(
    store: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], warned: bool
) -> None:
    pytest.importorskip("argon2")
    begun: list[Access] = []

    def begin(body: functools.partial[object]) -> None:
        begun.append(body.args[1])

    monkeypatch.setattr("pa_telephony.cli.admin.run_until_stopped", begin)
    given = [str(store) if each == "FILE" else each for each in options]
    done = CliRunner().invoke(cli, ["admin", "--store", str(store), *given])
    assert (done.exit_code, "without TLS" in done.output) == (0, warned)
    names = {each.rstrip(".").lower() for each in options[1:4:2] if each != "FILE"}
    assert begun[0].names == names


def test_a_token_is_made_listed_and_revoked_at_a_terminal(store: Path) -> None:
    pytest.importorskip("argon2")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["admin", *words, "--store", str(store)])
        return done.exit_code, done.output

    code, secret = run("token", "backup", "--role", "reader")
    assert code == 0
    assert secret.startswith("pat_")
    code, listed = run("tokens")
    assert "backup: reader, made " in listed
    assert "never used" in listed
    assert secret.strip() not in listed
    assert run("token", "backup", "--role", "reader")[0] == 1
    assert run("token", "backup")[0] == 2
    assert run("token", "backup", "--revoke") == (0, "")
    assert run("token", "backup", "--revoke")[0] == 1
    assert run("tokens") == (0, "")


def test_the_options_of_the_command_do_not_need_the_extra() -> None:
    code = (
        "import sys; import pa_telephony.cli.admin;"
        "assert not {'starlette', 'hypercorn', 'jinja2', 'argon2'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
