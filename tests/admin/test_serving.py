"""The pages on a TCP port, over a store in a file: what only a socket shows."""

from __future__ import annotations

import contextlib
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner
from form_browser import BASE, PlainHasher
from served_pages import ask, opened
from worlds import CLUSTER

from pa_telephony.admin import serving
from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.records import ADMINISTRATOR
from pa_telephony.admin.serving import open_administration, open_pages
from pa_telephony.cli.main import cli
from pa_telephony.errors import ConnectionLost
from pa_telephony.failover import Command

pytestmark = pytest.mark.real_time


async def test_a_browser_is_answered_and_the_file_becomes_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as (all_pages, port):
        answer = await ask(port, f"GET {BASE}/login HTTP/1.1", "Host: localhost")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"content-security-policy" in answer.lower()
        assert b"server:" not in answer.lower()
        present = await all_pages.managed.present()
        assert (present.number, len(present.cluster.servers)) == (1, 3)
        kept = tmp_path / "state" / "cluster.db.admin"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_the_password_is_told_at_the_first_start_and_never_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "argon2_hasher", PlainHasher)
    here = replace(CLUSTER, file=str(tmp_path / "cluster.toml"))
    async with open_administration(here) as (_, first):
        assert first is not None
    async with open_administration(here) as (all_pages, second):
        assert second is None
        assert all_pages.records.right(ADMINISTRATOR, first)


async def test_what_is_saved_in_one_process_is_seen_and_followed_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        opened(tmp_path, monkeypatch) as (one, port),
        opened(tmp_path, monkeypatch) as (other, _),
    ):
        session = other.records.begin(ADMINISTRATOR)
        stopped: list[bytes] = []

        async def follow() -> None:
            lines = (f"GET {BASE}/control-center/events HTTP/1.1", "Host: localhost")
            cookie = f"Cookie: {COOKIE}={session.token}"
            stopped.append(await ask(port, *lines, cookie, until=b"PA1 is stopped: down"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow)
            await other.managed.order(Command.STOP, ["PA1"], within=0.0)
        assert b"text/event-stream" in stopped[0]
        assert (await one.managed.present()).number == 1


async def test_who_leaves_a_stream_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as (all_pages, port):
        session = all_pages.records.begin(ADMINISTRATOR)
        for _ in range(3):
            await ask(
                port,
                f"GET {BASE}/server-status/events HTTP/1.1",
                "Host: localhost",
                f"Cookie: {COOKIE}={session.token}",
                until=b"event: update",
            )
        with trio.fail_after(20):
            while all_pages.live.followers:  # noqa: ASYNC110 - nothing tells of it
                await trio.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "told"),
    [(f"{BASE}/server-status/events", b"event: full"), ("/api/v1/events", b"retry: 60000")],
)
async def test_the_connection_of_a_stream_that_has_ended_takes_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, told: bytes
) -> None:
    async with opened(tmp_path, monkeypatch) as (all_pages, port):
        all_pages.live.most = 0
        cookie = f"Cookie: {COOKIE}={all_pages.records.begin(ADMINISTRATOR).token}"
        first = ("GET " + path + " HTTP/1.1", "Host: localhost", cookie, "")
        second = (f"GET {BASE}/login HTTP/1.1", "Host: localhost", cookie)
        answer = await ask(port, *first, *second, until=b"</html>")
        assert told in answer
        assert answer.endswith(b"</html>")


@pytest.mark.parametrize(
    "lines",
    [
        (f"GET {BASE}/login HTTP/1.1", "Host: localhost", "X-Long: " + "x" * 400_000),
        ("GET / HTTP/9.9", "Host: localhost"),
        ("\x00\x01\x02",),
        (f"GET {BASE}/{'y' * 20_000} HTTP/1.1", "Host: localhost"),
        (
            f"GET {BASE}/server-status HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
    ],
    ids=["a long header", "another version", "no request", "a long path", "a WebSocket"],
)
async def test_what_is_no_request_ends_its_connection_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...]
) -> None:
    async with opened(tmp_path, monkeypatch) as (_, port):
        with contextlib.suppress(trio.BrokenResourceError):
            answer = await ask(port, *lines)
            assert b" 200" not in answer[:20]
        good = await ask(port, f"GET {BASE}/login HTTP/1.1", "Host: localhost")
        assert good.startswith(b"HTTP/1.1 200")


async def test_an_address_that_somebody_has_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with opened(tmp_path, monkeypatch) as (all_pages, _):
            with pytest.raises(ConnectionLost, match=f"127.0.0.1:{port}: Address already in use"):
                async with open_pages(all_pages, "127.0.0.1", port):
                    raise AssertionError


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--cluster FILE or --store FILE is needed"),
        (("--empty",), "--empty goes with --demo"),
        (("--demo", "--store", "x.db"), "brings a cluster of its own"),
        (("--demo", "--control", "c"), "brings a cluster of its own"),
        (("--store", "nowhere.db"), "nowhere.db"),
        (("--cluster", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_the_command_says_what_it_wants(options: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(cli, ["admin", *options])
    assert result.exit_code != 0
    assert told in result.output
