"""The lab: processes on addresses of their own, signals, waiting, and the row that is promised.

Every scenario has a row in ``docs/failover.md``. Its words in `backquotes` must have been read in
``pa-telephony status`` while the fault was there, and its number of seconds must have been kept;
seconds in which one of the processes got no CPU (they note that themselves) are taken off.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from faultconfig import CALL_MANAGER, PHONES, SECOND, Shape
from faultjudge import Call, Fault, Observer, judge, read_calls

__all__ = ["Lab", "Row", "needs", "rows"]

_PROGRAMS = Path(__file__).parent / "programs"
_PAGE = Path(__file__).parents[2] / "docs" / "failover.md"
_PR_SET_PDEATHSIG = 1
_LOOK = 0.01
_PATIENCE = 60.0
_GRACE = 2.3
"""A server that has just started takes nothing from others for 2 s."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the page."""

    scenario: str
    happens: str
    shows: str
    how_long: str
    to_do: str

    @property
    def words(self) -> list[str]:
        """What status has to say."""
        return re.findall(r"`([^`]+)`", self.shows)

    @property
    def within(self) -> float:
        """The seconds that are promised."""
        found = re.search(r"within ([0-9.]+) s", self.how_long)
        assert found, f"docs/failover.md: {self.scenario}: no 'within N s' in {self.how_long!r}"
        return float(found[1])


def _die_with_us() -> None:
    """Have the kernel end a child when the tests are ended (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def rows() -> dict[str, Row]:
    """The rows of the page, by scenario."""
    text = _PAGE.read_text().partition("## Faults, and what to do")[2].partition("\n## ")[0]
    found: dict[str, Row] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            row = Row(cells[0].strip("`"), *cells[1:])
            found[row.scenario] = row
    return found


def needs(command: Sequence[str], what: str) -> None:
    """Skip, and say so loudly, where the machine does not let us make a fault."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        pytest.skip(f"NOT TRIED, {what} cannot be had here: {said}")


class Lab:
    """Everything of one scenario, in one directory; leaving the block ends all processes."""

    def __init__(self, directory: Path, scenario: str, shape: Shape | None = None) -> None:
        self.directory = directory
        self.row = rows()[scenario]
        self.shape = shape or Shape()
        self.shape.write(directory)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        """What status said, line by line, whenever it was asked."""
        names = {self.shape.address(name): name for name in self.shape.names}
        self.observer = Observer(names, directory / "observed.jsonl")
        self.second = Observer(names, directory / "second.jsonl")
        """What is seen at the second call manager, where there is one."""
        self._lives: dict[str, int] = {}
        self._said: list[str] = []

    def __enter__(self) -> Self:
        print(f"\n{self.row.scenario}: {self.row.happens}")
        return self

    def __exit__(self, *exc_info: object) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes.values():
            process.wait()
            self._close(process)
        (self.directory / "status.txt").write_text("\n".join(dict.fromkeys(self.seen)) + "\n")
        print(f"  promised: {self.row.shows}; {self.row.how_long}; {self.row.to_do}")
        for line in self._said:
            print(f"  observed: {line}")

    def say(self, text: str) -> None:
        """Note what was observed."""
        self._said.append(text)

    # Processes.

    def spawn(
        self, key: str, *command: object, before: Sequence[str] = (), wait: bool = True
    ) -> subprocess.Popen[bytes]:
        """Start a program of ours; with ``wait`` until it says that it is up."""
        if key in self.processes:
            self._close(self.processes[key])
        life = self._lives[key] = self._lives.get(key, 0) + 1
        self.faults.append(Fault(time.time(), "start", key))
        with (self.directory / f"{key}-{life}.err").open("wb") as errors:
            process = self.processes[key] = subprocess.Popen(
                [*before, sys.executable, *map(str, command)],
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.directory,
                preexec_fn=_die_with_us,
            )
        assert process.stdout is not None
        if wait:
            assert process.stdout.readline(), f"{key} did not start: {self.errors(key)}"
        return process

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is not None:
            process.stdout.close()

    def manager(self) -> None:
        """Start the call manager."""
        self.spawn("cm", _PROGRAMS / "manager.py", "cm.toml", "observed.jsonl", CALL_MANAGER)

    def second_manager(self) -> None:
        """Start the second call manager."""
        self.spawn("cm2", _PROGRAMS / "manager.py", "cm.toml", "second.jsonl", SECOND)

    def server(
        self,
        name: str,
        *,
        wait: bool = True,
        before: Sequence[str] = (),
        cluster: str = "cluster.toml",
        blocks: float = 0.0,
    ) -> subprocess.Popen[bytes]:
        """Start a server."""
        trace = f"{name}-{self._lives.get(name, 0) + 1}.jsonl"
        command = (_PROGRAMS / "server.py", cluster, name, trace, blocks)
        return self.spawn(name, *command, before=before, wait=wait)

    def callers(self, *numbers: str, phones: int = 2, talk: float = 100.0, first: int = 0) -> None:
        """Let phones call."""
        where = ",".join(self.shape.managers)
        command = (_PROGRAMS / "callers.py", "calls.jsonl", where, PHONES)
        self.spawn(f"callers{first}", *command, first, phones, talk, *numbers)

    def proxy(self, listen: int, target: int) -> None:
        """Start a proxy that cuts off the servers that :meth:`cut` names."""
        self.spawn("proxy", _PROGRAMS / "proxy.py", CALL_MANAGER, listen, target, "cut.txt")

    def cut(self, *names: str) -> float:
        """Cut these servers off at the proxy."""
        text = " ".join(self.shape.address(name) for name in names)
        (self.directory / "cut.txt").write_text(text)
        return self.fault("cut", *names)

    def signal(self, name: str, number: signal.Signals) -> float:
        """Send a signal; gives the time."""
        self.faults.append(Fault(time.time(), number.name, name))
        self.processes[name].send_signal(number)
        if number is signal.SIGKILL:
            self.processes[name].wait()
        return time.time()

    def fault(self, what: str, *names: str) -> float:
        """Note that something was done to these; gives the time."""
        now = time.time()
        self.faults += [Fault(now, what, name) for name in names]
        return now

    def kill(self, name: str) -> float:
        """Kill a process with SIGKILL."""
        return self.signal(name, signal.SIGKILL)

    def alive(self, name: str) -> bool:
        """Whether its process runs."""
        return self.processes[name].poll() is None

    def errors(self, key: str) -> str:
        """What its last life wrote to standard error."""
        file = self.directory / f"{key}-{self._lives[key]}.err"
        return file.read_text(errors="replace")

    def command(self, *arguments: str) -> str:
        """Run ``pa-telephony`` as an operator does; gives what it printed.

        A command that does not end in a minute is ended.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "pa_telephony", *arguments],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            return process.communicate(timeout=_PATIENCE)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + f"(it still ran after {_PATIENCE:.0f} s)"

    def order(self, what: str, name: str) -> str:
        """``start`` or ``stop`` of the Control Center."""
        self.faults.append(Fault(time.time(), what, name))
        return self.command(what, "--cluster", "cluster.toml", name)

    # Beginning and waiting.

    def begin(self, *names: str) -> list[str]:
        """Call manager, stand-ins and at last the homes; gives the devices, once all is settled."""
        self.manager()
        for name in names or (*self.shape.spares, *self.shape.homes):
            self.server(name)
        for home in self.shape.homes:
            assert self.wait(self.shape.devices(home), home), f"{home} does not serve: {self.have}"
        time.sleep(_GRACE)
        return self.shape.devices()

    @property
    def have(self) -> dict[str, tuple[str, ...]]:
        """Which addresses have which device now."""
        return dict(self.observer.look())

    def wait(
        self,
        devices: Iterable[str],
        by: str,
        within: float = _PATIENCE,
        at: Observer | None = None,
    ) -> float:
        """Wait until ``by`` and no other has these; gives when the last came, 0.0 for never."""
        wanted, seen = list(devices), at or self.observer
        found = self.until(lambda: all(seen.look().get(each) == (by,) for each in wanted), within)
        return seen.last_change(wanted) if found else 0.0

    def until(self, condition: Callable[[], bool], within: float = _PATIENCE) -> bool:
        """Wait for something; whether it came."""
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK)
        return True

    def given_up(self, devices: Iterable[str], since: float) -> bool:
        """Whether there was a moment since then at which none had a device, for each of them."""
        self.observer.look()
        nobody = {
            each.device for each in self.observer.changes if each.time >= since and not each.by
        }
        return nobody >= set(devices)

    def stays(self, devices: Iterable[str], by: str, seconds: float) -> None:
        """No other server gets any of these for so long."""
        wanted = list(devices)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            have = self.observer.look()
            for each in wanted:
                assert set(have.get(each, ())) <= {by}, f"{each}: {have.get(each)}"
            time.sleep(_LOOK)

    # What was seen.

    def status(self, cluster: str = "cluster.toml") -> list[dict[str, Any]]:
        """The pages of ``pa-telephony status``; what they say is remembered."""
        text = self.command("status", "--cluster", cluster, "--json")
        try:
            # What is said of the store comes before, on standard error.
            pages: list[dict[str, Any]] = json.loads(text[max(text.find("[\n"), 0) :])
        except ValueError:
            self.seen.append(text.strip())
            return []
        for page in pages:
            self.seen += [f"{page['server']}: {page['state']}", *page["notes"]]
            for each in page["resources"]:
                arrow = "up" if each["up"] else "down"
                self.seen.append(f"{each['number']} {arrow} {each['holder']} {each['why']}".strip())
        return pages

    def events(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What a server wrote down, in all of its lives."""
        found: list[dict[str, Any]] = []
        for file in sorted(self.directory.glob(f"{name}-*.jsonl")):
            found += [json.loads(line) for line in file.read_text().splitlines() if line]
        return [each for each in found if each["time"] > since]

    def kinds(self, name: str, since: float) -> list[str]:
        """The kinds of its events, without the prefix."""
        return [each["kind"].removeprefix("failover.") for each in self.events(name, since)]

    def kept_waiting(self, since: float) -> float:
        """For how many seconds the servers got no CPU since then, one after the other."""
        return sum(
            each["kept_waiting"]
            for name in self.shape.names
            for each in self.events(name, since)
            if each["kind"] == "process.stood_still"
        )

    def calls(self) -> list[Call]:
        """Every call that is over."""
        return read_calls(self.directory / "calls.jsonl")

    def calls_since(self, since: float) -> dict[str, int]:
        """How the calls that were dialled since then went."""
        found: dict[str, int] = {}
        for call in self.calls():
            if call.dialled >= since:
                found[call.result] = found.get(call.result, 0) + 1
        return found

    # The verdict.

    def took(self, what: str, since: float, until: float) -> None:
        """Hold the time that something took against the row."""
        assert until, f"{what}: never; {self.have}\n" + "\n".join(self.seen)
        seconds = max(until - since, 0.0)
        waited = self.kept_waiting(since)
        self.say(f"{what} after {seconds:.2f} s (the servers got no CPU for {waited:.2f} s)")
        assert seconds - waited <= self.row.within, f"{what}: {seconds:.2f} s"

    def shown(self) -> None:
        """Hold what status said against the row."""
        for words in self.row.words:
            assert any(words in line for line in self.seen), (
                f"status never said {words!r}, but:\n" + "\n".join(dict.fromkeys(self.seen))
            )
        self.say("status said " + ", ".join(repr(each) for each in self.row.words))

    def fair(self) -> None:
        """Hold what the call manager saw against the rules."""
        ports = dict(zip(self._port_numbers(), self._ports(), strict=True))
        verdict = judge(self.observer, self.calls(), self.faults, ports, time.time())
        verdict.wrong += judge(self.second, (), self.faults, ports, time.time()).wrong
        self.say(str(verdict))
        assert not verdict.wrong, verdict

    def _ports(self) -> list[str]:
        return [each for each in self.shape.devices() if each.startswith("VI")]

    def _port_numbers(self) -> list[str]:
        return [
            self.shape.number(home, 1 + index)
            for home in self.shape.homes
            for index in range(self.shape.port_count(home))
        ]


def few_descriptors(process: subprocess.Popen[bytes], more: int) -> int:
    """Let a process open ``more`` files at most; gives how many it has."""
    import resource

    has = len(os.listdir(f"/proc/{process.pid}/fd"))
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (has + more, 4096))
    return has


def is_root() -> None:
    """Skip where faults of a file system cannot be made."""
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("NOT TRIED, mounting needs root")
