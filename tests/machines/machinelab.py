"""The lab: a store on three machines, two call managers, four servers on three, and phones.

The machines are 11, 12, 13 (the store), 21 and 22 (call managers), 31, 32 and 33 (servers, each
with an agent; 33 has two servers and two addresses) and 41 (phones, and an operator's terminal).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from faultconfig import Shape
from faultjudge import Call, Fault, Observer, Verdict, read_calls
from machinejudge import BACK, judge_machines
from machines import Machine, Network, address
from members import Members

from pa_telephony import rtp
from pa_telephony.rtp import tones

__all__ = ["CALL_MANAGERS", "HOSTS", "PHONES", "STORE", "MachineLab", "shape"]

STORE = (11, 12, 13)
CALL_MANAGERS = (21, 22)
HOSTS: Mapping[str, int] = {"PA1": 31, "PA2": 32, "PA3": 33, "SP1": 33}
PHONES = 41
_ADDRESSES: Mapping[str, int] = {"PA1": 31, "PA2": 32, "PA3": 33, "SP1": 34}
_PROGRAMS = Path(__file__).parents[1] / "faults" / "programs"
_CLOCK = Path(__file__).parent / "clock"
_PATIENCE = 90.0
_LOOK = 0.01
_GREETING = 600.0
"""Seconds that a caller could listen: longer than anyone talks."""
_SMALL = 200
"""Megabytes of the store's member that can be filled; etcd takes two thirds at its start."""


def shape(
    homes: Iterable[str] = ("PA1", "PA2"),
    ports: int | Mapping[str, int] = 4,
    interceptors: int = 1,
    managers: Iterable[int] = CALL_MANAGERS[:1],
) -> Shape:
    """The four servers, of which these are homes with ports, and the others their spares."""
    homes = tuple(homes)
    return Shape(
        homes=homes,
        spares=tuple(each for each in HOSTS if each not in homes),
        ports=ports,
        interceptors=interceptors,
        managers=[address(each) for each in managers],
        hosts={name: address(number) for name, number in _ADDRESSES.items()},
    )


class MachineLab:
    """All machines of a cluster, in one directory; leaving the block ends them."""

    def __init__(self, directory: Path, seed: int = 1, of: Shape | None = None) -> None:
        self.directory = directory
        self.shape = of or shape()
        self.network = Network(seed)
        self.members = Members(self.network, directory, STORE, {STORE[-1]: _SMALL})
        self.store = (
            str(directory / "state" / "cluster.db")
            if os.environ.get("LAB_STORE")
            else self.members.url("/pa")
        )
        self.faults: list[Fault] = []
        self.call_managers = [e for e in CALL_MANAGERS if address(e) in self.shape.managers]
        self.observed = {each: directory / f"observed-{each}.jsonl" for each in self.call_managers}
        self._lives: dict[str, int] = {}
        self._phones = 0
        self._closes = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as closes:
            closes.enter_context(self.network)
            self._write()
            self._begin()
            self._closes = closes.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closes.close()

    # Beginning.

    def _write(self) -> None:
        self.shape.write(self.directory)
        names = {self.shape.address(name): name for name in self.shape.names}
        self.observer = Observer(names, *self.observed.values())
        greeting = self.directory / "greeting.wav"
        rtp.wav.write(greeting, tones.sine(440.0, _GREETING))
        file = self.directory / "cluster.toml"
        quiet = '[[servers]]\ntrace_package_list = ["sccp=off", "cti=off", "rtp=off"]'
        text = file.read_text().replace("[[servers]]", quiet)
        text += f'[application]\ngreeting = "{greeting}"\n'
        file.write_text(f'store = "{self.store}"\n{text}')

    def _begin(self) -> None:
        for host in (*STORE, *self.call_managers, PHONES):
            self.network.machine(host)
        self.members.begin(self.phones)
        for host in self.call_managers:
            self.call_manager(host)
        for host in sorted({*HOSTS.values()}):
            self.machine(host)
        for host in sorted({*HOSTS.values()}):
            self.agent(host, wait=False)
        assert self.home(), f"not everything is at home: {self.have}\n{self.logs()}"
        # All agents found a store with nothing in it, and one of them began it with its file.
        revisions = self.command("cluster", "history", "--store", self.store).stdout.splitlines()
        assert len(revisions) == 1, revisions

    def machine(self, host: int) -> Machine:
        """Switch on a machine of servers."""
        more = [each for name, each in _ADDRESSES.items() if HOSTS[name] == host and each != host]
        return self.network.machine(host, *more)

    @property
    def phones(self) -> Machine:
        """The machine from which people call and give orders."""
        return self.network.machines[PHONES]

    def _start(self, host: int, key: str, *command: object, wait: bool = True) -> None:
        life = self._lives[key] = self._lives.get(key, 0) + 1
        with (self.directory / f"{key}-{life}.log").open("wb") as log:
            program = self.network.machines[host].start(
                sys.executable,
                *command,
                environment=self._environment(host),
                stdout=subprocess.PIPE,
                stderr=log,
                directory=self.directory,
            )
        assert program.stdout is not None
        if wait:
            assert program.stdout.readline(), f"{key} did not start: {self.log(key)}"

    def _environment(self, host: int) -> dict[str, str]:
        state = self.directory / f"state-{host}"
        state.mkdir(mode=0o700, exist_ok=True)
        return {
            "PA_TELEPHONY_STATE": str(state),
            "MACHINE_CLOCK": str(self.directory / f"clock-{host}"),
            "PYTHONPATH": os.pathsep.join(
                each for each in (str(_CLOCK), os.environ.get("PYTHONPATH", "")) if each
            ),
        }

    def log(self, key: str) -> str:
        """What the last life of a program wrote to standard error."""
        return (self.directory / f"{key}-{self._lives[key]}.log").read_text(errors="replace")

    def logs(self) -> str:
        """The ends of everything that the servers and agents have said."""
        found: list[str] = []
        for file in sorted(self.directory.glob("*.log")) + sorted(self.directory.glob("log-*/*")):
            lines = file.read_text(errors="replace").splitlines()[-5:]
            found += [f"{file.name}: {line}" for line in lines]
        return "\n".join(found)

    def call_manager(self, host: int) -> None:
        """Start the call manager of a machine."""
        self.faults.append(Fault(time.time(), "start", "cm"))
        command = (_PROGRAMS / "manager.py", "cm.toml", self.observed[host], address(host))
        self._start(host, f"cm-{host}", *command)

    def agent(self, host: int, wait: bool = True) -> None:
        """Start the agent of a machine, which starts its servers.

        The first one of a machine has the cluster's file, later ones know the store alone.
        """
        options = ("--log-directory", f"log-{host}", "--trace-directory", f"trace-{host}")
        first = f"agent-{host}" not in self._lives
        where = ("--cluster", "cluster.toml") if first else ("--store", self.store)
        command = ("-m", "pa_telephony", "agent", *where, *options)
        self._start(host, f"agent-{host}", *command, wait=wait)

    def callers(self, *numbers: str, phones: int = 2, talk: float = 8.0) -> None:
        """Let phones call from now on."""
        first, self._phones = self._phones, self._phones + phones
        where = ",".join(self.shape.managers)
        command = (_PROGRAMS / "callers.py", "calls.jsonl", where, address(PHONES))
        self._start(PHONES, "callers", *command, first, phones, talk, *numbers)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``pa-telephony`` at the operator's terminal."""
        program = self.phones.start(
            *(sys.executable, "-m", "pa_telephony", *words),
            environment=self._environment(PHONES),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            directory=self.directory,
        )
        said = program.communicate()[0].decode(errors="replace")
        self.phones.programs.remove(program)
        return subprocess.CompletedProcess(words, program.returncode, said)

    def order(self, what: str, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Order something of a server as an operator does."""
        self.fault(what, name)
        return self.command(what, "--store", self.store, name, *more)

    def status(self) -> list[dict[str, Any]]:
        """The pages of ``pa-telephony status``."""
        pages: list[dict[str, Any]] = json.loads(
            self.command("status", "--store", self.store, "--json").stdout
        )
        return pages

    # Faults.

    def fault(self, what: str, *names: str) -> float:
        """Note that something is done to these; gives the time."""
        now = time.time()
        self.faults += [Fault(now, what, name) for name in names]
        return now

    def servers_of(self, host: int) -> list[str]:
        """The servers of a machine."""
        return [name for name, each in HOSTS.items() if each == host]

    def signal(self, name: str, number: signal.Signals) -> float:
        """Send a server's process a signal; gives the time."""
        now = self.fault(number.name, name)
        self.network.machines[HOSTS[name]].signal(number, "server", name)
        return now

    def signal_agent(self, host: int, number: signal.Signals) -> float:
        """Send a machine's agent a signal; gives the time."""
        return self.network.machines[host].signal(number, "agent")

    def signal_call_manager(self, host: int, number: signal.Signals) -> float:
        """Send a call manager's process a signal; gives the time."""
        now = self.fault(number.name, "cm")
        self.network.machines[host].signal(number, "cm.toml")
        if number is signal.SIGKILL:
            # Its observer cannot say any more that nobody has anything there.
            with self.observed[host].open("a") as file:
                file.write(json.dumps({"time": time.time(), "up": True}) + "\n")
        return now

    def runs(self, name: str) -> bool:
        """Whether the server has a process."""
        return bool(self.network.machines[HOSTS[name]].processes("server", name))

    def cut(self, host: int, what: str, *others: int) -> float:
        """Cut a machine of servers off; ``what`` is written down of its servers."""
        now = self.fault(what, *self.servers_of(host))
        self.network.cut(host, *others)
        return now

    def join(self, host: int, *others: int) -> float:
        """Take back the same :meth:`cut`."""
        self.network.join(host, *others)
        return self.fault(BACK, *self.servers_of(host))

    def lose(self, host: int) -> float:
        """Take the power of a machine of servers."""
        now = self.fault("lost", *self.servers_of(host))
        self.network.lose(host)
        return now

    def bring_back(self, host: int) -> float:
        """Switch a lost machine of servers on again, with its agent."""
        self.machine(host)
        self.agent(host)
        return self.fault("returned", *self.servers_of(host))

    def set_clock(self, host: int, ahead: float) -> None:
        """Set the wall clock of a machine's programs so many seconds ahead of all others."""
        new = self.directory / f"clock-{host}.new"
        new.write_text(f"{ahead}\n")
        new.rename(self.directory / f"clock-{host}")

    # Waiting, and what was seen.

    @property
    def have(self) -> dict[str, tuple[str, ...]]:
        """Which servers have which device now."""
        return dict(self.observer.look())

    def until(self, condition: Callable[[], bool], within: float = _PATIENCE) -> bool:
        """Wait for something; whether it came."""
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK)
        return True

    def arrivals(self, devices: Iterable[str], by: str, since: float = 0.0) -> dict[str, float]:
        """When each of these devices first came to ``by`` after ``since``."""
        wanted = set(devices)
        found: dict[str, float] = {}
        had: dict[str, bool] = {}
        self.observer.look()
        for each in self.observer.changes:
            if each.device in wanted:
                comes = by in each.by and not had.get(each.device, False)
                had[each.device] = by in each.by
                if comes and each.time >= since:
                    found.setdefault(each.device, each.time)
        return found

    def leavings(self, devices: Iterable[str], by: str, since: float) -> dict[str, float]:
        """When ``by`` was first without each of these devices after ``since``."""
        wanted = set(devices)
        found: dict[str, float] = {}
        self.observer.look()
        for each in self.observer.changes:
            if each.device in wanted and each.time >= since and by not in each.by:
                found.setdefault(each.device, each.time)
        return found

    def home(self, within: float = _PATIENCE) -> bool:
        """Wait until every home alone has all of its own; whether that came."""
        wanted = {each: home for home in self.shape.homes for each in self.shape.devices(home)}
        return self.until(
            lambda: all(self.have.get(device) == (home,) for device, home in wanted.items()),
            within,
        )

    def events(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What a server wrote down, in all of its lives."""
        found: list[dict[str, Any]] = []
        for file in sorted(self.directory.glob(f"trace-*/{name}-*.jsonl")):
            for line in file.read_text().splitlines():
                with contextlib.suppress(ValueError):  # Its process was killed in the middle.
                    found.append(json.loads(line))
        return [each for each in found if each["time"] > since]

    def calls(self) -> list[Call]:
        """Every call that is over."""
        return read_calls(self.directory / "calls.jsonl")

    def answered(self, number: str, since: float, within: float = _PATIENCE) -> float:
        """Wait for a call of this number that is dialled from now on to be answered.

        Gives when that was, or 0.0.
        """

        def found() -> list[float]:
            return [
                each.up
                for each in self.calls()
                if each.number == number and each.dialled >= since and each.up
            ]

        return min(found()) if self.until(lambda: bool(found()), within) else 0.0

    def verdict(self) -> Verdict:
        """Judge everything up to now."""
        numbers = [
            self.shape.number(home, 1 + index)
            for home in self.shape.homes
            for index in range(self.shape.port_count(home))
        ]
        ports = [each for each in self.shape.devices() if each.startswith("VI")]
        by_number = dict(zip(numbers, ports, strict=True))
        return judge_machines(self.observer, self.calls(), self.faults, by_number, time.time())
