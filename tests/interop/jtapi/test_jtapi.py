"""Cisco's own JTAPI client, unmodified, against our CTI Manager. Run by ``make interop-jtapi``.

The jar comes from your own CallManager's plugin page, or from Cisco's public repository
CiscoDevNet/jtapi-samples; it is never part of this project. ``JtapiDriver.java`` is ours: it
turns lines of text into calls of the client.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from pa_telephony import sccp
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
    open_call_manager,
)

JAR = os.environ.get("PA_TELEPHONY_JTAPI_JAR", "")
pytestmark = pytest.mark.skipif(
    not JAR,
    reason="set PA_TELEPHONY_JTAPI_JAR to Cisco's jtapi.jar (your CallManager's plugin page, "
    "or github.com/CiscoDevNet/jtapi-samples)",
)

CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(name="RP1", kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6000"),)),
        DeviceConfig(name="P1", lines=(LineConfig(number="1001"),)),
        DeviceConfig(name="P2", lines=(LineConfig(number="1002"),)),
    ),
    users=(User(name="app", password="secret"),),
)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("javac"):
        pytest.skip("javac is not installed: apt install default-jdk-headless")
    target = tmp_path_factory.mktemp("classes")
    source = Path(__file__).with_name("JtapiDriver.java")
    subprocess.run(["javac", "-nowarn", "-cp", JAR, "-d", target, source], check=True)
    return target


class Client:
    """The driver process: commands in, events out."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._lines: list[str] = []
        self._news = trio.Event()

    async def read(self) -> None:
        assert self._process.stdout is not None
        rest = b""
        async for data in self._process.stdout:
            *lines, rest = (rest + data).split(b"\n")
            self._lines += [line.decode() for line in lines]
            self._news.set()
            self._news = trio.Event()

    async def expect(self, text: str) -> str:
        """The next line that contains ``text``; those before it are dropped."""
        with trio.fail_after(20):
            while True:
                while self._lines:
                    line = self._lines.pop(0)
                    if text in line:
                        return line
                await self._news.wait()

    async def say(self, command: str, answer: str = "ok ") -> str:
        assert self._process.stdin is not None
        await self._process.stdin.send_all(f"{command}\n".encode())
        return await self.expect(answer)


@asynccontextmanager
async def jtapi(classes: Path, directory: Path) -> AsyncGenerator[Client]:
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            ["java", "-cp", f"{JAR}:{classes}", "JtapiDriver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
        )
        client = Client(process)
        nursery.start_soon(client.read)
        try:
            yield client
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
            nursery.cancel_scope.cancel()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                await trio.aclose_forcefully(pipe)


async def test_the_provider_comes_in_service_and_lists_what_there_is(
    classes: Path, tmp_path: Path
) -> None:
    async with (
        open_call_manager(CONFIG, sccp_port=0, cti_port=2748),
        jtapi(classes, tmp_path) as client,
    ):
        await client.say("open 127.0.0.1 app secret")
        await client.expect("ProvInServiceEv")
        listed = await client.say("list")
        for name in ("RouteTerminal:RP1", "Terminal:P1", "Address:6000", "Address:1002"):
            assert name in listed
        await client.say("shutdown")


async def test_a_wrong_password_is_told_as_such(classes: Path, tmp_path: Path) -> None:
    async with (
        open_call_manager(CONFIG, sccp_port=0, cti_port=2748),
        jtapi(classes, tmp_path) as client,
    ):
        refused = await client.say("open 127.0.0.1 app wrong", "error ")
        assert "bad login or password" in refused


async def test_a_route_point_routes_past_a_destination_that_refuses(
    classes: Path, tmp_path: Path
) -> None:
    async with (
        open_call_manager(CONFIG, sccp_port=0, cti_port=2748) as manager,
        sccp.open_station("P1", manager.sccp_address) as one,
        sccp.open_station("P2", manager.sccp_address) as two,
        jtapi(classes, tmp_path) as client,
    ):
        await client.say("open 127.0.0.1 app secret")
        await client.say("routes 9999 1002")
        await client.say("register RP1 none 6000")
        async with one.call("6000"):
            assert "calling=1001 current=6000" in await client.expect("routeEvent")
            assert "1002" in await client.expect("routeUsedEvent")
            await client.expect("routeEndEvent")
            assert len(two.calls) == 1


async def test_when_every_destination_refuses_the_client_re_routes_and_the_call_alerts(
    classes: Path, tmp_path: Path
) -> None:
    async with (
        open_call_manager(CONFIG, sccp_port=0, cti_port=2748) as manager,
        sccp.open_station("P1", manager.sccp_address) as one,
        jtapi(classes, tmp_path) as client,
    ):
        await client.say("open 127.0.0.1 app secret")
        await client.say("routes 9999")
        await client.say("register RP1 none 6000")
        async with one.call("6000") as call:
            await client.expect("routeEvent")
            await client.expect("reRouteEvent cause=103")
            await client.expect("routeEndEvent")
            assert not call.ended
