"""How many connections the administration serves at once, and what one too many is told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
from form_browser import BASE
from served_pages import ask, opened

from pa_telephony.admin.gate import COOKIE
from pa_telephony.admin.records import ADMINISTRATOR

pytestmark = pytest.mark.real_time

LOGIN = (f"GET {BASE}/login HTTP/1.1", "Host: localhost")


@contextlib.asynccontextmanager
async def idle(port: int) -> AsyncGenerator[trio.SocketStream]:
    """A connection that has been served, and asks for nothing more."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.fail_after(60):
            await stream.send_all("\r\n".join([*LOGIN, "", ""]).encode())
            heard = b""
            while b"</html>" not in heard:
                part = await stream.receive_some()
                assert part, heard
                heard += part
        yield stream


async def test_a_connection_too_many_is_told_so_and_has_its_place_when_another_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, monkeypatch, most=2) as (_, port), idle(port):
        async with idle(port):
            answer = await ask(port, *LOGIN, until=b"minute.\n")
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"too many connections" in answer
            assert "a connection from 127.0.0.1 is closed: too many connections" in caplog.text
        with trio.fail_after(60):
            # The place is free as soon as the server has seen that its connection has ended.
            while not (await ask(port, *LOGIN)).startswith(b"HTTP/1.1 200"):  # noqa: ASYNC110
                await trio.sleep(0.05)


async def test_who_comes_from_elsewhere_gets_a_place_of_a_crowd_at_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        opened(tmp_path, monkeypatch, most=3) as (_, port),
        idle(port) as oldest,
        idle(port),
        idle(port),
    ):
        elsewhere = await trio.open_tcp_stream("127.0.0.1", port, local_address="127.0.0.2")
        async with elsewhere:
            await elsewhere.send_all("\r\n".join([*LOGIN, "", ""]).encode())
            with trio.fail_after(60):
                assert (await elsewhere.receive_some()).startswith(b"HTTP/1.1 200")
                with contextlib.suppress(trio.BrokenResourceError):
                    assert await oldest.receive_some() == b""
        assert "a connection from 127.0.0.1 that has not ended is closed" in caplog.text


async def test_nobody_who_does_not_read_is_waited_for_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as (all_pages, port):
        cookie = f"Cookie: {COOKIE}={all_pages.records.begin(ADMINISTRATOR).token}"
        page = f"GET {BASE}/server-status HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n\r\n".encode()
        # It asks and asks, until the kernel takes no more: then the answers have no room either.
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        stuck = False
        while not stuck:
            with trio.move_on_after(1.0) as patience:
                await stream.send_all(page * 100)
            stuck = patience.cancelled_caught
    await trio.aclose_forcefully(stream)
