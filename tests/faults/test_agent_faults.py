"""Real agents and servers that are killed in some order; they need no call manager for that."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from faultconfig import Shape

from pa_telephony.failover.stores.locks import process_of

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]

NAMES = ("PA1", "PA2")


class Machine:
    """A directory with a cluster, its agent, and the servers that this has started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        Shape().write(directory)
        self.store = directory / "state" / "cluster.db"
        self.agent: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        where = ("--cluster", "cluster.toml")
        return subprocess.run(
            [sys.executable, "-m", "pa_telephony", words[0], *where, *words[1:]],
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )

    def begin(self) -> None:
        """Start the agent, and wait until it says that it is up."""
        with (self.directory / "agent.log").open("ab") as log:
            command = (sys.executable, "-m", "pa_telephony", "agent", "--cluster", "cluster.toml")
            self.agent = subprocess.Popen(
                [*command, "--log-directory", "logs"],
                cwd=self.directory,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.agent.stdout is not None
        assert self.agent.stdout.readline(), (self.directory / "agent.log").read_text()

    def kill_agent(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.agent is not None
        self.agent.send_signal(how)
        self.agent.wait()
        assert self.agent.stdout is not None
        self.agent.stdout.close()
        self.agent = None

    def process(self, name: str) -> int | None:
        """The process that is the server now."""
        return process_of(self.store.with_name("cluster.db.locks"), name)

    def processes(self) -> list[int | None]:
        return [self.process(name) for name in NAMES]

    def kill(self, name: str) -> None:
        number = self.process(name)
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)

    def logs(self) -> str:
        files = [self.directory / "agent.log", *(self.directory / "logs").glob("*")]
        return "\n".join(each.read_text() for each in files)

    def until(self, condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + 120.0
        while not condition():
            assert time.monotonic() < ends, self.logs()
            time.sleep(0.05)

    def running(self) -> bool:
        return None not in self.processes()


@pytest.fixture
def machine(tmp_path: Path) -> Generator[Machine]:
    found = Machine(tmp_path)
    try:
        yield found
    finally:
        if found.agent is not None:
            found.kill_agent()
        for name in NAMES:
            found.kill(name)


def test_servers_outlive_their_agent_and_the_next_one_takes_them_over(machine: Machine) -> None:
    machine.begin()
    machine.until(machine.running)
    before = machine.processes()
    for how in (signal.SIGKILL, signal.SIGTERM):
        machine.kill_agent(how)
        time.sleep(1.0)
        assert machine.processes() == before
        machine.begin()
    machine.kill("PA1")
    machine.until(lambda: machine.process("PA1") not in (None, before[0]))
    assert machine.process("PA2") == before[1]


def test_stop_and_start_answer_with_what_has_happened(machine: Machine) -> None:
    machine.begin()
    machine.until(machine.running)
    done = machine.command("stop", "PA2", "--within", "60")
    assert (done.returncode, done.stdout) == (0, "PA2 is stopped; no process of it runs\n")
    assert machine.process("PA2") is None
    done = machine.command("start", "PA2", "--within", "60")
    assert (done.returncode, done.stdout) == (0, "PA2 runs, an idle spare\n")
    assert machine.running()


def test_a_server_that_cannot_start_is_told_with_the_reason(machine: Machine) -> None:
    machine.begin()
    machine.until(machine.running)
    machine.command("stop", "PA2", "--within", "60")
    logs = machine.directory / "logs"
    logs.rename(machine.directory / "kept")
    logs.write_text("no directory")
    done = machine.command("start", "PA2", "--within", "5")
    assert done.returncode == 1
    assert "its agent starts it" in done.stdout
    assert "File exists" in done.stdout
    logs.unlink()
    machine.until(machine.running)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_killed_in_whatever_order_ends_as_asked(machine: Machine, seed: int) -> None:
    chance = random.Random(seed)
    machine.begin()
    wanted = set(NAMES)
    for _ in range(12):
        what = chance.choice(["agent", "server", "both", "stop", "start"])
        name = chance.choice(NAMES)
        if what in ("server", "both"):
            machine.kill(name)
        if what in ("agent", "both"):
            machine.kill_agent()
            time.sleep(chance.choice([0.0, 0.5]))
            machine.begin()
        if what in ("stop", "start"):
            (wanted.discard if what == "stop" else wanted.add)(name)
            machine.command(what, name, "--within", str(chance.choice([0, 1, 3])))
        time.sleep(chance.choice([0.0, 0.1, 1.0]))
    machine.until(lambda: {n for n in NAMES if machine.process(n) is not None} == wanted)
    time.sleep(2.0)
    assert {name for name in NAMES if machine.process(name) is not None} == wanted
