"""A real ``pa-telephony callmanager``, two quiet ones beside it, and a row of figures for each act.

What is hostile happens inside :meth:`Stage.act`. Its row says what the quiet phone and the quiet
application felt, the memory and the descriptors of the process before, at the top and after, and
whatever else was noted. Times are printed and never judged, for a busy machine has its own. What
is judged: the process is there, the quiet ones were served all along, and memory and descriptors
came back. conftest.py prints the rows when the tests are over.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self, cast

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from registrar import DEVICE  # bench/registrar.py

__all__ = [
    "APPLICATIONS",
    "DEVICE",
    "FIRST",
    "KEEPS_TIME",
    "PHONES",
    "ROWS",
    "SHARED",
    "SHARED_NUMBER",
    "Row",
    "Stage",
    "device_name",
    "number_of",
    "table",
]

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PHONES = 700
"""Phones of the configuration; the quiet one is the first, the newcomer the second."""
FIRST = 10
"""The first phone that a scenario may take for itself."""
KEEPS_TIME = 3
"""A phone with a keepalive of one second."""
SHARED = range(501, PHONES + 1)
"""The phones that have one line in common."""
SHARED_NUMBER = "9200"
APPLICATIONS = tuple(f"app{number}" for number in range(10))
"""Users besides the quiet one, with the same password."""
PORTS = ("--sccp-port", "0", "--cti-port", "0")
PATIENCE = 60.0
"""Seconds for what must happen; nothing is measured by it."""
ROOM = 48.0
"""MiB that a process may keep: the interpreter's allocator gives back whole arenas only."""


def device_name(index: int) -> str:
    return cast("str", DEVICE.format(index))


def number_of(index: int) -> str:
    return SHARED_NUMBER if index in SHARED else str(6000 + index)


def configuration(extra: str) -> str:
    lines = [extra]
    for index in range(1, PHONES + 1):
        keep_alive = "keep_alive = 1\n" if index == KEEPS_TIME else ""
        many = ", max_calls = 60, busy_trigger = 60" if index in SHARED else ""
        lines.append(
            f'[[device]]\nname = "{device_name(index)}"\n{keep_alive}'
            f'lines = [{{ number = "{number_of(index)}"{many} }}]\n'
        )
    lines += [
        f'[[user]]\nname = "{name}"\npassword = "secret"\n' for name in ("app", *APPLICATIONS)
    ]
    return "\n".join(lines)


@dataclass
class Row:
    """The figures of one act."""

    point: str
    what: str
    waits: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    wrong: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    memory: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """MiB before, at the top and after."""
    descriptors: tuple[int, int, int] = (0, 0, 0)
    notes: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> None:
        self.notes.append(text)

    def felt(self, name: str) -> str:
        """Median and worst wait, in milliseconds."""
        waits = sorted(self.waits.get(name, ()))
        if not waits:
            return "-"
        wrong = f" ({len(self.wrong[name])} lost)" if self.wrong.get(name) else ""
        return f"{waits[len(waits) // 2] * 1000:.1f} / {waits[-1] * 1000:.0f}{wrong}"


QUIET = ("phone", "application", "new phone", "new application")
ROWS: list[Row] = []
"""Every act so far, in order."""


class Stage:
    """A call manager in a process of its own, and the quiet ones in another."""

    device = DEVICE

    def __init__(
        self, directory: Path, *arguments: str, settings: str = "", files: int = 0
    ) -> None:
        config = directory / "callmanager.toml"
        config.write_text(configuration(settings))
        config.chmod(0o600)
        self.log_file = directory / "log"
        self._tasks = directory / "tasks"
        command = [sys.executable, str(HERE / "counted.py"), str(self._tasks), "callmanager"]

        def limit() -> None:
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(config), *PORTS, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=limit,
            )
        # "SCCP 127.0.0.1:2000  CTI 127.0.0.1:2748  CTI over TLS 127.0.0.1:2749"
        said = cast("IO[str]", self.process.stdout).readline().split()
        assert said, self.log
        ports = [int(word.rpartition(":")[2]) for word in said if word.startswith(HOST)]
        self.address, self.cti_address = (HOST, ports[0]), (HOST, ports[1])
        self.tls_address = (HOST, ports[-1])
        self._quiet: subprocess.Popen[str] | None = None
        self.current = Row("", "")

    def __enter__(self) -> Self:
        ports = (str(self.address[1]), str(self.cti_address[1]))
        self._quiet = subprocess.Popen(
            [sys.executable, str(HERE / "quiet_ones.py"), *ports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if cast("IO[str]", self._quiet.stdout).readline() != "ready\n":
            self.__exit__()
            raise AssertionError(self.log)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for process in (self._quiet, self.process):
            if process is not None:
                process.kill()
                process.communicate()

    @property
    def log(self) -> str:
        """What the process has printed as log."""
        return self.log_file.read_text(errors="surrogateescape")

    @property
    def sccp(self) -> str:
        return f"{HOST}:{self.address[1]}"

    @property
    def cti(self) -> str:
        return f"{HOST}:{self.cti_address[1]}"

    def is_there(self) -> bool:
        return self.process.poll() is None

    def memory(self) -> float:
        """The resident memory of the process in MiB."""
        return self._status("VmRSS")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def tasks(self) -> int:
        """How many tasks run in the process."""
        self._tasks.unlink(missing_ok=True)

        def told() -> bool:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(0.05)
            return self._tasks.exists() and bool(self._tasks.read_text())

        self.until(told, "it counts its tasks")
        return int(self._tasks.read_text())

    def allow(self, what: int, soft: int) -> None:
        """Change a limit of the running process: what it asks for beyond that fails."""
        _, hard = resource.prlimit(self.process.pid, what)
        resource.prlimit(self.process.pid, what, (hard if soft < 0 else soft, hard))

    def ask_quiet(self) -> dict[str, Any]:
        """What the quiet ones have felt since the last time."""
        assert self._quiet is not None
        stdin, stdout = cast("IO[str]", self._quiet.stdin), cast("IO[str]", self._quiet.stdout)
        stdin.write("\n")
        stdin.flush()
        ready, _, _ = select.select([stdout], [], [], PATIENCE)
        assert ready, "the quiet ones say nothing"
        return cast("dict[str, Any]", json.loads(stdout.readline()))

    @contextlib.contextmanager
    def act(
        self, point: str, what: str, *, may_lose: bool = False, room: float = ROOM
    ) -> Generator[Row]:
        """Measure while the block runs, wait until it is over, and judge.

        ``may_lose``: the quiet ones may lose a connection, if they are served again at once.
        ``room`` is how many MiB the process may keep.
        """
        row = Row(point, what)
        before = self.memory(), self.descriptors()
        with contextlib.suppress(OSError):
            # Linux: the peak begins anew.
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        self.ask_quiet()
        most, over = [before[1]], threading.Event()

        def count() -> None:
            while not over.wait(0.05):
                with contextlib.suppress(OSError):
                    most.append(self.descriptors())

        counting = threading.Thread(target=count)
        counting.start()
        try:
            yield row
        finally:
            over.set()
            counting.join()
        felt = self.ask_quiet()
        assert self.is_there(), self.log[-3000:]
        peak = self._status("VmHWM")
        # Four of the quiet ones and a file in passing come and go all the time.
        self.until(lambda: self.descriptors() <= before[1] + 6, "its descriptors come back")
        self.until(lambda: self.memory() <= before[0] + room, f"all but {room:.0f} MiB come back")
        self._add(row, felt)
        row.memory = before[0], peak, self.memory()
        row.descriptors = before[1], max(most), self.descriptors()
        ROWS.append(row)
        print("\n" + "\n".join(table([row])))
        for name in ("phone", "application"):
            assert row.waits[name], f"the quiet {name} was not served"
            if not may_lose:
                assert not row.wrong[name], row.wrong[name][:3]
        self.check_served()

    def check_served(self) -> None:
        """Check that every peer is served, and nothing goes wrong any more."""

        def served() -> bool:
            self.ask_quiet()
            time.sleep(0.6)
            told = self.ask_quiet()
            return all(each["waits"] and not each["wrong"] for each in told.values())

        self.until(served, "everybody is served")

    def until(self, condition: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert self.is_there(), self.log[-3000:]
            assert time.monotonic() < end, f"not within {PATIENCE:.0f} s: {what}"
            time.sleep(0.1)

    def stop(self) -> int:
        """Ask it to end, as an administrator does; the exit status."""
        if self._quiet is not None:
            self._quiet.kill()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _add(self, row: Row, felt: dict[str, Any]) -> None:
        for name, told in felt.items():
            row.waits[name], row.wrong[name] = told["waits"], told["wrong"]

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        return 0.0


def table(rows: Sequence[Row]) -> list[str]:
    """The rows, for a terminal."""
    cells = [
        ("point and what happens", "phone", "application", "new phone", "new application"),
        *((f"{row.point} {row.what}", *(row.felt(name) for name in QUIET)) for row in rows),
    ]
    rest = [
        ("MiB", "descriptors", "besides"),
        *(
            (
                " ".join(f"{each:.0f}" for each in row.memory),
                " ".join(map(str, row.descriptors)),
                "; ".join(row.notes),
            )
            for row in rows
        ),
    ]
    lines = ["waits: median / worst in ms; MiB and descriptors: before, top, after"]
    for (what, *waits), (memory, files, besides) in zip(cells, rest, strict=True):
        felt = " ".join(f"{each:>24}" for each in waits)
        lines.append(f"{what:56} {felt} {memory:>12} {files:>13}  {besides}".rstrip())
    return lines
