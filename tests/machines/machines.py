"""Machines: each a network, process and mount namespace with an address, joined by a switch.

A machine lives as long as its first process; with it the kernel ends all others of the machine at
once, which is what a loss of power looks like. Nothing is left behind when the tests are killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import pytest

__all__ = ["Machine", "Network", "address", "needs_machines"]

_SWITCH = Path(__file__).parent / "programs" / "switch.py"
_NETWORK = "10.9.0"
_PR_SET_PDEATHSIG = 1
_UNSHARE = ["unshare", "--net", "--pid", "--mount", "--uts", "--fork", "--kill-child"]
_UNSHARE += ["--mount-proc"]
# A first process must not keep what others leave behind (SIGCHLD), and says when it is there.
_FIRST = 'hostname "$0" && ip link set lo up && trap "" CHLD && echo up && exec sleep infinity'


def address(host: int) -> str:
    """The IP address of a machine, 1 to 254."""
    return f"{_NETWORK}.{host}"


def needs_machines(*programs: str) -> None:
    """Skip, loudly, where there can be no machines, or one of these programs is missing."""
    for each in ("ip", "unshare", "nsenter", *programs):
        if shutil.which(each) is None:
            pytest.skip(f"NOT TRIED, there is no {each} here")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("NOT TRIED, this kernel lets us make no TAP devices: /dev/net/tun")
    done = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip()
        pytest.skip(f"NOT TRIED, this kernel lets us make no namespaces: {why}")


def die_with_us() -> None:
    """Have the kernel end a child when the tests are ended (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Network:
    """A switch, and the machines at it; leaving the block ends them all."""

    def __init__(self, seed: int = 1) -> None:
        self.machines: dict[int, Machine] = {}
        # In a network of its own, where the names of its devices are free.
        self._switch = subprocess.Popen(
            ["unshare", "--net", sys.executable, str(_SWITCH), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_us,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for each in self.machines.values():
            each.end()
        self._switch.kill()
        self._switch.communicate()

    def order(self, what: str, **more: object) -> dict[str, Any]:
        """Have the switch do something; see ``programs/switch.py``."""
        assert self._switch.stdin is not None
        assert self._switch.stdout is not None
        self._switch.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._switch.stdin.flush()
        answer: dict[str, Any] = json.loads(self._switch.stdout.readline())
        assert "error" not in answer, f"{what} {more}: {answer['error']}"
        return answer

    def machine(self, host: int, *more: int) -> Machine:
        """Switch a machine on; ``more`` are the last bytes of further addresses of it."""
        found = self.machines[host] = Machine(host)
        self.order("plug", host=host, process=found.first)
        found.begin([address(each) for each in (host, *more)])
        return found

    def lose(self, host: int) -> float:
        """Take a machine's power: not a frame leaves it any more; gives the time."""
        now = time.time()
        self.order("unplug", host=host)
        self.machines.pop(host).end()
        return now

    def cut(self, host: int, *others: int) -> float:
        """Cut a machine off from others, or from all; gives the time."""
        self._both_ways("cut", host, others)
        return time.time()

    def join(self, host: int, *others: int) -> float:
        """Take back the same :meth:`cut`; gives the time."""
        self._both_ways("join", host, others)
        return time.time()

    def _both_ways(self, what: str, host: int, others: Sequence[int]) -> None:
        for other in others or (0,):
            self.order(what, source=host, target=other)
            self.order(what, source=other, target=host)

    def quality(self, **quality: float) -> None:
        """Make all links so good: ``delay``, ``jitter``, ``loss``, ``duplicates``."""
        self.order("quality", **quality)


class Machine:
    """The namespaces of one machine, and what runs in them."""

    def __init__(self, host: int) -> None:
        self.host = host
        self.name = f"machine{host}"
        self.programs: list[subprocess.Popen[bytes]] = []
        self._holder = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _FIRST, self.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_us,
        )
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        assert said == b"up\n", (said + self._holder.stdout.read()).decode()
        (self.first,) = _children(self._holder.pid)
        self._namespace = os.readlink(f"/proc/{self.first}/ns/pid")

    def begin(self, addresses: Iterable[str]) -> None:
        """Configure the device that has been plugged in; it speaks no IPv6."""
        self.do("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        for each in addresses:
            self.do("ip", "address", "add", f"{each}/24", "dev", "eth0")
        self.do("ip", "link", "set", "eth0", "up")

    def inside(self, command: Sequence[object]) -> list[str]:
        namespaces = ("--net", "--pid", "--mount", "--uts")
        enter = ["nsenter", "--target", str(self.first), *namespaces, "--wdns=/", "--"]
        return [*enter, *map(str, command)]

    def do(self, *command: object) -> str:
        """Run a command to its end; gives what it printed."""
        done = subprocess.run(self.inside(command), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(
        self,
        *command: object,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        directory: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program, which goes on."""
        where = ["env", "--chdir", str(directory)] if directory else []
        program = subprocess.Popen(
            self.inside([*where, *command]),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(environment or {})},
            preexec_fn=die_with_us,
        )
        self.programs.append(program)
        return program

    def processes(self, *words: str) -> list[int]:
        """The processes of this machine whose command has all of these words, as we number them."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            with contextlib.suppress(OSError):
                if os.readlink(entry / "ns" / "pid") != self._namespace:
                    continue
                command = (entry / "cmdline").read_bytes().decode().split("\0")
                if set(words) <= set(command):
                    found.append(int(entry.name))
        return found

    def signal(self, number: signal.Signals, *words: str) -> float:
        """Send a signal to the processes with these words in their command; gives the time.

        At least one must be there.
        """
        processes = self.processes(*words)
        assert processes, f"{self.name} has no process {' '.join(words)}"
        for each in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
        if number is signal.SIGCONT:
            # What has entered the namespaces stops together with the program that it waits for.
            for program in self.programs:
                if program.poll() is None:
                    program.send_signal(signal.SIGCONT)
        return time.time()

    def end(self) -> None:
        """End all processes at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.first, signal.SIGKILL)
        self._holder.kill()
        self._holder.communicate()
        for program in self.programs:
            program.send_signal(signal.SIGCONT)
            program.kill()
            program.wait()
            if program.stdout is not None:
                program.stdout.close()


def _children(process: int) -> list[int]:
    return [
        int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]
