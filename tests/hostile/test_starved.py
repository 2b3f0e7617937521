"""A server that is refused descriptors, sockets, files, modules and memory goes on serving."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import IO, cast

import pytest
import trio
from loopback import HOST

from pa_telephony import cti, descriptors, rtp, sccp
from pa_telephony.errors import TelephonyError
from pa_telephony.sccp import messages
from pa_telephony.sccp.server.registrar import RegistrarConfig

ALICE, BOB = "SEP000000001001", "SEP000000001002"
QUICK = sccp.StationConfig(
    first_back_off=0.05, longest_back_off=0.2, rejections=1, rejected_for=0.0, stand_by=False
)
PROGRAM = Path(__file__).parent / "starved.py"
pytestmark = [pytest.mark.makes_bugs, pytest.mark.real_time]


class Server:
    """The call manager of starved.py in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.sccp, self.cti = cast("IO[str]", process.stdout).readline().split()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def sockets(self) -> set[str]:
        """The numbers of its sockets in the tables below /proc."""
        files = f"/proc/{self.process.pid}/fd"
        numbers: set[str] = set()
        for each in os.listdir(files):
            with contextlib.suppress(FileNotFoundError):
                kind, _, number = os.readlink(f"{files}/{each}").partition(":")
                if kind == "socket":
                    numbers.add(number.strip("[]"))
        return numbers

    def end(self) -> list[str]:
        """Let it end by itself; what failed."""
        out, _ = self.process.communicate("", timeout=60)
        first, *failed = out.splitlines()
        assert first == "still there"
        assert self.process.returncode == 0
        return failed


@contextlib.contextmanager
def a_server(tmp_path: Path, kind: str, files: int = 0) -> Generator[Server]:
    def limit() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, str(PROGRAM), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            preexec_fn=limit,
        ) as process,
    ):
        try:
            yield Server(process, log)
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def two_phones(server: Server) -> AsyncGenerator[tuple[sccp.Station, sccp.Station]]:
    """Two phones with sound, of which the second answers."""

    async def answer(call: sccp.Call) -> None:
        async with call.answer():
            await trio.sleep_forever()

    async with (
        rtp.open_engine(address=HOST, first_port=42000) as engine,
        sccp.open_media_port(
            ALICE, server.sccp, engine=engine, port_index=0, config=QUICK
        ) as alice,
        sccp.open_media_port(BOB, server.sccp, engine=engine, port_index=1, config=QUICK) as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(bob.serve, answer)
        yield alice, bob
        nursery.cancel_scope.cancel()


async def everything(server: Server, patience: float = 10.0) -> None:
    """Phones, a call, hold and its tone within ``patience`` s, an application.

    Raises what goes wrong.
    """
    async with two_phones(server) as (alice, _):
        async with alice.call("1002") as call:
            await call.wait_connected()
            silent = server.log.count("no sound")
            await call.hold()
            await trio.sleep(0.05)
            with trio.fail_after(patience):
                while server.log.count("no sound") == silent and not engine_runs(server):  # noqa: ASYNC110
                    await trio.sleep(0.02)
            await call.resume()
            if server.log.count("no sound") > silent:
                raise TelephonyError("there was no tone")
        async with (
            cti.open_provider(server.cti, user="pa", password="secret") as provider,
            provider.open_address("1001"),
        ):
            pass


def engine_runs(server: Server) -> bool:
    """Whether the server has bound the UDP ports of a tone."""
    process = Path(f"/proc/{server.process.pid}")
    its_own = server.sockets()
    for line in (process / "net" / "udp").read_text().splitlines()[1:]:
        fields = line.split()
        number = int(fields[1].rpartition(":")[2], 16)
        if 24576 <= number < 24596 and fields[9] in its_own:
            return True
    return False


@pytest.mark.parametrize("files", [64, 1024])
async def test_strangers_leave_descriptors_for_a_call_and_its_hold_music(
    tmp_path: Path, files: int
) -> None:
    """1,100 connections, one keepalive each, and one Hold once ended the process."""
    with trio.fail_after(60), a_server(tmp_path, "none", files) as server:
        async with two_phones(server) as (alice, _), alice.call("1002") as call:
            await call.wait_connected()
            strangers = [connected(server.sccp) for _ in range(files + 76)]
            strangers += [connected(server.cti) for _ in range(60)]
            await trio.sleep(0.5)
            assert server.descriptors() <= files - files // 8
            await call.hold()
            await call.resume()
            # Somebody else still finds a place.
            async with sccp.open_station("SEP000000001003", server.sccp, config=QUICK):
                pass
            for each in strangers:
                each.close()
        await everything(server)
        assert f"this process may open {files} files only" in server.log
        server.end()


def connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    stream = socket.create_connection((host, int(port)))
    with contextlib.suppress(OSError):
        stream.sendall(messages.encode(messages.KeepAliveReq(), 0))
    return stream


async def outlives(server: Server, rounds: int, *, quiet: int, patience: float = 10.0) -> int:
    """Do everything again and again, until it has worked ``quiet`` times in a row.

    A round that does not work, or not within 1.5 times ``patience`` s, is followed by another.
    """
    worked = done = 0
    while worked < quiet:
        done += 1
        assert done <= rounds, server.log[-3000:]
        try:
            with trio.fail_after(1.5 * patience):
                await everything(server, patience)
            worked += 1
        except* (TelephonyError, trio.TooSlowError):
            worked = 0
        assert server.process.poll() is None, server.log[-3000:]
    return done


async def test_every_open_bind_and_import_of_a_running_server_fails_once(tmp_path: Path) -> None:
    with a_server(tmp_path, "system") as server:
        await outlives(server, 400, quiet=3)
        failed = server.end()
    assert {line.partition(" ")[0] for line in failed} >= {
        "import",
        "socket.__new__",
        "socket.bind",
    }
    assert "no sound of our own: OSError: [Errno 24]" in server.log
    # Half of numpy cannot be loaded again, so that is done before anybody is served.
    assert not any("numpy" in line or "cryptography" in line for line in failed)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_every_function_of_a_running_server_runs_out_of_memory_once(tmp_path: Path) -> None:
    with a_server(tmp_path, "memory") as server:
        await outlives(server, 2000, quiet=10, patience=3.0)
        assert len(server.end()) > 200


def test_limits_that_do_not_fit_are_made_to_in_their_proportions() -> None:
    some = RegistrarConfig().fitted(descriptors.Descriptors(1024, 896))
    assert (some.max_connections, some.max_standing_by, some.max_unregistered) == (896, 448, 224)
    assert some.max_standing_by_of_one_address == 224
    assert some.max_unregistered_of_one_address == 112
    plenty = descriptors.Descriptors(1 << 20, (1 << 20) - 512)
    assert RegistrarConfig().fitted(plenty) == RegistrarConfig()
    assert cti.CtiManagerConfig().fitted(plenty) == cti.CtiManagerConfig()
    assert cti.CtiManagerConfig().fitted(descriptors.Descriptors(64, 48)).max_connections == 12
