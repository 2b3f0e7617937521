"""The stage of the demo: two configuration files, a greeting, and the processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import trio

from pa_telephony.cli.demo.excuses import Stall
from pa_telephony.errors import TelephonyError
from pa_telephony.failover.stores.locks import process_of
from pa_telephony.rtp import tones, wav
from pa_telephony.rtp.audio import Audio

__all__ = [
    "CALL_MANAGER",
    "PHONES",
    "PHONE_ADDRESS",
    "SERVERS",
    "Life",
    "Process",
    "Stage",
    "greeting",
]

CALL_MANAGER = "127.0.0.10"
PHONE_ADDRESS = "127.0.0.20"
"""Each process has a loopback address of its own, so that both servers begin at UDP 32000."""

SERVERS = ("PA1", "PA2")
PHONES = {
    f"SEP00000000{number}": number for number in ("1001", "1002", "1003", "1004", "1005", "5123")
}

_CLUSTER = """\
# Two servers as in "Personal Assistant Failover Configuration Example" (Cisco document 44922):
# PA1 owns everything, PA2 is its spare.

[[servers]]
server_name = "PA1"
hostname_or_ip_address = "127.0.0.11"
media_termination_udp_beginning_port = 32000
route_address_provider = "PA1jtapi"
route_address = "6000"
media_port_provider = "pa1skinny"
media_port_beginning_address = "6001"
number_of_media_ports = 2
interceptor_port_provider = "PA1jtapi"
interceptor_ports = ["5XXX"]
fail_over_server_names = ["PA2"]

[[servers]]
server_name = "PA2"
hostname_or_ip_address = "127.0.0.12"
media_termination_udp_beginning_port = 32000

[[providers]]
type = "jtapi"
name = "PA1jtapi"
hosts = ["127.0.0.10"]
user = "pa"
password = "secret"

[[providers]]
type = "skinny"
name = "pa1skinny"
hosts = ["127.0.0.10"]
device_name_prefix = "PA1-VI"

[application]
greeting = "greeting.wav"
digits = { "1" = "1002" }
"""

_CALL_MANAGER = """\
# An exact number wins over a pattern, so callers must not see the numbers that are intercepted:
# 5123 stands in PAManaged, phones see PA, where 5XXX is, and only what is sent on from there sees
# PAManaged. Where nobody serves 5XXX, the call manager sends calls on (forward_failure).

[search_spaces]
phones = ["PA", ""]
extensions = ["PAManaged", ""]

[[user]]
name = "pa"
password = "secret"

[[device]]
name = "PA1-RP-6000"
kind = "route point"
lines = [{ number = "6000" }]

[[device]]
name = "PA1-RP-5XXX"
kind = "route point"

[[device.lines]]
number = "5XXX"
partition = "PA"
search_space = "extensions"
forward_failure = "5XXX"
forward_search_space = "extensions"

[[device]]
name = "PA1-VI1"
kind = "media port"
lines = [{ number = "6001", max_calls = 1 }]

[[device]]
name = "PA1-VI2"
kind = "media port"
lines = [{ number = "6002", max_calls = 1 }]
"""

_PHONE = """
[[device]]
name = "{name}"
lines = [{{ number = "{number}", partition = "{partition}", search_space = "phones" }}]
"""


def greeting() -> Audio:
    """Two seconds of a sound that is like no other: a rising scale of pairs of tones."""
    notes = [330, 370, 415, 494, 554, 622, 740, 831, 932, 1047]
    pieces = [tones.Tone((float(note), note * 1.26), -13.0).render(0, 1600) for note in notes]
    return Audio(np.concatenate(pieces))


class Life:
    """One life of a process that traces; ``trace`` is the file of this life alone."""

    def __init__(self, name: str, trace: Path) -> None:
        self.name = name
        self.trace = trace
        self.ended = 0.0
        self.events: list[dict[str, Any]] = []
        """The events of its trace that were read so far, and the byte up to which they were."""
        self.read = 0


class Process(Life):
    """A process that was started here; beside its trace, ``.log`` is its output."""

    def __init__(self, name: str, process: trio.Process, trace: Path) -> None:
        super().__init__(name, trace)
        self._process = process

    async def wait_ready(self) -> None:
        """Wait for the first line that the process prints; RuntimeError if it ends before."""
        assert self._process.stdout is not None
        if not await self._process.stdout.receive_some():
            said = self.trace.with_suffix(".log").read_text(errors="replace").strip()
            raise TelephonyError(f"{self.name} did not start: {said}")

    async def end(self, *, kill: bool) -> float:
        """Send SIGKILL or SIGTERM and wait for the end; gives the time at which it was sent."""
        self.ended = time.time()
        (self._process.kill if kill else self._process.terminate)()
        await self._process.wait()
        return self.ended


class Stage:
    """All files and processes of a demo, in one directory.

    ``timing`` is what ``[timing]`` of the cluster shall have.
    """

    call_manager_address = CALL_MANAGER
    phone_address = PHONE_ADDRESS
    agents_run = "the agent of this machine runs, and starts PA1 and PA2"

    def __init__(self, directory: Path, timing: Mapping[str, float] | None = None) -> None:
        self.directory = directory
        self.cluster_file = directory / "cluster.toml"
        self._lives: list[Life] = []
        self._store = directory / "state" / "cluster.db"
        self.stalls: list[Stall] = []
        """When this process waited for another one to begin."""
        self.witness: Process | None = None
        """It only looks on, and writes down when the whole machine stands still."""
        directory.mkdir(parents=True, exist_ok=True)
        self._end_servers()
        for old in (
            *directory.glob("*.jsonl"),
            *directory.glob("*.log"),
            *directory.glob("state/*.db*"),
        ):
            if old.is_file():
                old.unlink()
        phones = "".join(
            _PHONE.format(
                name=name, number=number, partition="PAManaged" if number[0] == "5" else ""
            )
            for name, number in PHONES.items()
        )
        (directory / "callmanager.toml").write_text(_CALL_MANAGER + phones)
        wav.write(directory / "greeting.wav", greeting())
        lines = [f"{name} = {seconds}" for name, seconds in (timing or {}).items()]
        self.cluster_file.write_text("\n".join([_CLUSTER, "[timing]", *lines]) + "\n")
        self.cluster_file.chmod(0o600)

    @property
    def processes(self) -> list[Life]:
        """Everything that has traced: what was started here, and the servers that the agent has."""
        known = {each.trace for each in self._lives}
        self._lives += [
            Life(trace.name.partition("-")[0], trace)
            for trace in sorted(self.directory.glob("PA?-*.jsonl"))
            if trace not in known
        ]
        return self._lives

    def life(self, name: str) -> Life:
        """The last life of a server."""
        return [each for each in self.processes if each.name == name][-1]

    @asynccontextmanager
    async def agent(self) -> AsyncGenerator[Process]:
        """Run the agent, which starts the servers; afterwards none of them is there."""
        command = ("agent", "--cluster", "cluster.toml", "--log-directory", ".")
        try:
            trace = self.directory / "agent.jsonl"
            module = ("pa_telephony", *command, "--trace-directory", ".")
            async with self._run("agent", trace, *module) as agent:
                yield agent
        finally:
            self._end_servers()

    async def kill(self, name: str) -> float:
        """End a server with SIGKILL; gives when."""
        number = process_of(self._locks, name)
        life = self.life(name)
        life.ended = time.time()
        if number is not None:
            os.kill(number, signal.SIGKILL)
        return life.ended

    @property
    def _locks(self) -> Path:
        return self._store.with_name(f"{self._store.name}.locks")

    def _end_servers(self) -> None:
        """End the servers of this directory: they would outlive their agent."""
        for name in SERVERS:
            number = process_of(self._locks, name)
            if number is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)

    @asynccontextmanager
    async def process(self, name: str, *arguments: str) -> AsyncGenerator[Process]:
        """Run ``pa-telephony arguments``; whatever happens, the process is gone afterwards."""
        lives = sum(each.name == name for each in self.processes)
        trace = self.directory / f"{name}-{lives + 1}.jsonl"
        command = ["pa_telephony", *arguments, "--trace", trace.name, "--trace-stalls"]
        async with self._run(name, trace, *command) as process:
            # The file may have been found before the process was noted.
            self._lives = [*(each for each in self._lives if each.trace != trace), process]
            yield process

    @asynccontextmanager
    async def look_on(self) -> AsyncGenerator[None]:
        """Have it written down when the whole machine stands still."""
        trace = self.directory / "machine.jsonl"
        command = "pa_telephony.cli.demo.witness", trace.name
        async with self._run("machine", trace, *command) as self.witness:
            await self.witness.wait_ready()
            yield

    @asynccontextmanager
    async def _run(self, name: str, trace: Path, *module: str) -> AsyncGenerator[Process]:
        # Until a new process runs what it shall, the kernel keeps the thread that makes it, and
        # with it the interpreter: on a busy machine everything here waits for that.
        began, computed = time.time(), time.process_time()
        with trace.with_suffix(".log").open("wb") as log:
            started = await trio.lowlevel.open_process(
                [*self._where(name), sys.executable, "-m", *module],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.directory,
            )
        now = time.time()
        waited = now - began - (time.process_time() - computed)
        self.stalls.append(Stall(now, now - began, max(waited, 0.0)))
        process = Process(name, started, trace)
        try:
            yield process
        finally:
            if started.returncode is None:
                started.terminate()
                with trio.CancelScope(shield=True):
                    with trio.move_on_after(5):
                        await started.wait()
                    if started.returncode is None:
                        started.kill()
                        await started.wait()
            if not process.ended:
                process.ended = time.time()
            if started.stdout is not None:
                await trio.aclose_forcefully(started.stdout)

    def _where(self, name: str) -> list[str]:
        """The command that runs another one where the process ``name`` belongs: here."""
        return []

    def call_manager(self) -> AbstractAsyncContextManager[Process]:
        """Run the call manager of the demo as a process."""
        where = ("--config", "callmanager.toml", "--host", self.call_manager_address)
        return self.process("callmanager", "callmanager", *where)

    def server(self, name: str) -> AbstractAsyncContextManager[Process]:
        """Run one server of the cluster as a process."""
        return self.process(name, "server", "--cluster", "cluster.toml", "--name", name)
