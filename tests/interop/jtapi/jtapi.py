"""Cisco's JTAPI client as a process of its own: commands in, events out (``JtapiDriver.java``)."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

__all__ = ["Client", "Driver", "complaints_in"]

_PATIENCE = 30

_INI = """\
UseTraceFile=1
TracePath=trace
FileNameBase=jtapi
FileNameExtension=log
UseSameDirectory=1
NumTraceFiles=1
TraceFileSize=50000000
UseLogFileTraceWriteThread=0
WARNING=1
INFORMATIONAL=1
DEBUG=1
JTAPI_DEBUGGING=1
JTAPIIMPL_DEBUGGING=1
CTI_DEBUGGING=1
CTIIMPL_DEBUGGING=1
PROTOCOL_DEBUGGING=1
MISC_DEBUGGING=1
RouteSelectTimeout=1500
ProviderRetryInterval=1
JtapiPostConditionTimeout=15
DesiredServerHeartbeatInterval=30
"""
"""Everything is traced, and nothing takes as long as it would by default."""

_COMPLAINTS = ("Exception", "UNKNOWN_MESSAGE", "unknown message", "failed to decode")
_SHUTS_DOWN = "interrupted java.lang.InterruptedException"
_TOO_LATE = (
    "InvalidStateExceptionImpl: Did not meet pre-conditions.",
    "ResourceUnavailableException: Illegal handle - clearing connection.",
)
"""What it says of a hang-up before it has asked for it, and after."""
_HANGS_UP = re.compile(r"\[\[(\S+)/\(.*Request: disconnect\(\)")


def complaints_in(lines: Sequence[str], complaints: tuple[str, ...]) -> list[str]:
    """The lines of a trace with one of these complaints, but for the client's own.

    These are how the client ends its own threads at shutdown; and ``Call.drop()``, which hangs up
    at one connection after the other, where its other thread has just taken the end of the next one
    from us (docs/interop.md).
    """
    found: list[str] = []
    hangs_up_at, ended = "", set[str]()
    for line in lines:
        if "Request: drop()" in line:
            hangs_up_at, ended = "", set()
        elif hangs_up := _HANGS_UP.search(line):
            hangs_up_at = hangs_up[1]
        elif "Handling STATE_IDLE for " in line:
            ended.add(line.rpartition(" ")[2])
        elif any(complaint in line for complaint in complaints):
            own = [_SHUTS_DOWN, *(_TOO_LATE if hangs_up_at in ended else ())]
            if not any(each in line for each in own):
                found.append(line)
    return found


class Client:
    """The driver process."""

    def __init__(self, process: trio.Process) -> None:
        self.seen: list[str] = []
        """Every line it has said."""
        self._process = process
        self._lines: list[str] = []
        self._news = trio.Event()

    async def read(self) -> None:
        """Take what it says, until it ends."""
        assert self._process.stdout is not None
        rest = b""
        with contextlib.suppress(trio.ClosedResourceError):
            async for data in self._process.stdout:
                *lines, rest = (rest + data).split(b"\n")
                self._lines += [line.decode() for line in lines]
                self.seen += [line.decode() for line in lines]
                self._news.set()
                self._news = trio.Event()

    async def log_in(self, user: str = "app", managers: str = "127.0.0.1") -> None:
        """Open the provider, and wait until it is in service."""
        await self.say(f"open {managers} {user} secret")
        await self.expect("ProvInServiceEv")

    async def observe(self, number: str) -> None:
        """Watch an address whose terminal is there, and wait until it can make calls."""
        await self.say(f"observe {number}")
        await self.expect("CiscoAddrInServiceEv", f"[{number}:]")

    async def expect(self, *texts: str) -> str:
        """The next line that contains all ``texts``; those before it are dropped."""
        with trio.move_on_after(_PATIENCE):
            while True:
                while self._lines:
                    line = self._lines.pop(0)
                    if all(text in line for text in texts):
                        return line
                await self._news.wait()
        raise AssertionError(f"never said {texts}:\n" + "\n".join(self.seen))

    async def say(self, command: str, answer: str = "ok ") -> str:
        """Give a command; its answer, which must begin with ``answer``. Events stay to be read."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(f"{command}\n".encode())
        with trio.move_on_after(_PATIENCE):
            while True:
                for line in self._lines:
                    if line.startswith(("ok ", "error ")):
                        self._lines.remove(line)
                        if line.startswith(answer):
                            return line
                        raise AssertionError(f"{command}: {line}\n" + "\n".join(self.seen))
                await self._news.wait()
        raise AssertionError(f"no answer to {command!r}:\n" + "\n".join(self.seen))


class Driver:
    """A jar and the driver compiled for it."""

    def __init__(self, jar: str, classes: Path) -> None:
        self.jar = jar
        self._classes = classes
        source = Path(__file__).with_name("JtapiDriver.java")
        subprocess.run(["javac", "-nowarn", "-cp", jar, "-d", classes, source], check=True)

    @asynccontextmanager
    async def run(self, directory: Path, *, complaints: bool = True) -> AsyncGenerator[Client]:
        """Run the client; in the end its trace must hold neither exception nor complaint.

        Where a refusal is what is tested the exception it raises stands there, too:
        ``complaints=False`` looks for those of the decoder only.
        """
        self._prepare(directory)
        async with trio.open_nursery() as nursery:
            process = await trio.lowlevel.open_process(
                ["java", "-cp", f"{self.jar}:{self._classes}:{directory}", "JtapiDriver"],
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
                # A Cancelled out of here would take the place of the test's own error.
                with trio.CancelScope(shield=True):
                    await process.wait()
                    for pipe in (process.stdin, process.stdout):
                        assert pipe is not None
                        await trio.aclose_forcefully(pipe)
                nursery.cancel_scope.cancel()
        self.check_trace(directory, _COMPLAINTS if complaints else _COMPLAINTS[1:])

    @staticmethod
    def _prepare(directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        (directory / "jtapi.ini").write_text(_INI)
        (directory / "trace").mkdir(exist_ok=True)

    @staticmethod
    def check_trace(directory: Path, complaints: tuple[str, ...]) -> None:
        """Look for complaints in everything the client wrote down."""
        logs = list((directory / "trace").rglob("*.log"))
        assert logs, "the client wrote no trace"
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()
            found = complaints_in(lines, complaints)
            assert not found, "the client complains:\n" + "\n".join(found)
