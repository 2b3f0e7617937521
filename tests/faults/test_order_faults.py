"""Whatever is killed while an order is obeyed: it ends as asked, or the command says why not.

An agent, two servers and a call manager, all real; phones talk all the time. At some step of an
order, which is a change of what the store says, something is killed or the store is removed; twice.
``ORDER_SEEDS=20`` plays so many of each order, in place of two.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import trio
from faultconfig import CALL_MANAGER, PHONES, Shape
from faultjudge import Observer
from test_agent_faults import NAMES, Machine

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.stores.sqlite import SqliteView

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(900)]

SEEDS = range(int(os.environ.get("ORDER_SEEDS", "2")))
_PROGRAMS = Path(__file__).parent / "programs"
_STEPS = ("own/", "claim/", "want/", "coming/", "stop/", "move/", "return/", "hold/")
_DEADLINE = "3"
_STAYS = 3.0
_NOTHING = "has no configuration yet: pa-telephony cluster import"


class House(Machine):
    """A machine whose servers have a call manager, and phones that call."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.shape = Shape()
        names = {self.shape.address(name): name for name in NAMES}
        self.observer = Observer(names, directory / "observed.jsonl")
        self._others: list[subprocess.Popen[bytes]] = []
        self._program("manager.py", "cm.toml", "observed.jsonl", CALL_MANAGER)

    def _program(self, name: str, *arguments: object) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(_PROGRAMS / name), *map(str, arguments)],
                cwd=self.directory,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._others.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), (self.directory / f"{name}.log").read_text()

    def end(self) -> None:
        if self.agent is not None:
            self.kill_agent()
        for process in self._others:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        for number in [number for number, _ in self._servers()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)

    def call(self) -> None:
        """Two phones talk all the time, so that both ports have a call."""
        what = ("calls.jsonl", CALL_MANAGER, PHONES, 0, 2, 100.0, self.shape.number("PA1"))
        self._program("callers.py", *what)

    def at(self, name: str) -> bool:
        """Whether the call manager has all of PA1 from that server alone."""
        have = self.observer.look()
        return all(have.get(each) == (name,) for each in self.shape.devices("PA1"))

    def entries(self) -> dict[str, str]:
        """What the store has of owners and orders; nothing while it cannot be read."""
        try:
            found = trio.run(SqliteView(self.store).snapshot).entries
        except ConnectionLost:
            return {}
        return {key: each.value for key, each in found.items() if key.startswith(_STEPS)}

    def order(self, *words: str) -> subprocess.Popen[str]:
        """Give an order, and do not wait for what becomes of it."""
        command = [sys.executable, "-m", "pa_telephony", words[0], "--cluster", "cluster.toml"]
        return subprocess.Popen(
            [*command, *words[1:]],
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def await_steps(self, count: int) -> None:
        """Wait until the store has said so many other things, or nothing for two seconds."""
        before, quiet = self.entries(), time.monotonic() + 2.0
        while count and time.monotonic() < quiet:
            now = self.entries()
            if now != before:
                before, quiet, count = now, time.monotonic() + 2.0, count - 1
            self.nothing_runs_twice()

    def lacks_configuration(self) -> bool:
        """Whether servers say that the store has none: nobody lived who could bring it along."""
        logs = [each.read_text().splitlines() for each in self.directory.glob("logs/*.log")]
        return any(lines and _NOTHING in lines[-1] for lines in logs)

    def import_configuration(self) -> None:
        """What the log says that is to be done."""
        command = ["cluster", "import", "--cluster", "cluster.toml"]
        subprocess.run(
            [sys.executable, "-m", "pa_telephony", *command],
            cwd=self.directory,
            capture_output=True,
            check=False,
        )

    def remove_store(self) -> None:
        for file in self.store.parent.glob("cluster.db*"):
            if file.is_file():
                file.unlink()

    def nothing_runs_twice(self) -> None:
        """No server has two processes, and no port two servers."""
        running = [name for _, name in self._servers()]
        assert len(running) == len(set(running)), running
        self.observer.look()
        doubled = [each for each in self.observer.doubles(time.time()) if "VI" in each.device]
        assert not doubled, doubled

    def _servers(self) -> Iterator[tuple[int, str]]:
        """The servers that run here, by process; what one forks, for a moment its double, is none.

        An agent starts each in a session of its own.
        """
        for place in Path("/proc").glob("[0-9]*"):
            try:
                number = int(place.name)
                here = (place / "cwd").resolve() == self.directory
                if not here or os.getsid(number) != number:
                    continue
                words = (place / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if "pa_telephony" in words and "server" in words and "--name" in words:
                yield number, words[words.index("--name") + 1]


@pytest.fixture
def house(tmp_path: Path) -> Generator[House]:
    found = House(tmp_path.resolve())
    try:
        yield found
    finally:
        found.end()


def away(house: House) -> None:
    """PA1 is back, and PA2 keeps what it has of it."""
    assert house.command("hold", "PA1").returncode == 0
    house.kill("PA1")
    house.until(lambda: house.at("PA2"))
    house.until(house.running)


def home(house: House) -> None:
    pass


def drained(house: House) -> bool:
    return house.at("PA2") and house.process("PA1") is None


def moved(house: House) -> bool:
    return house.at("PA2") and house.running()


KEYS = {"drain": "stop", "move": "move", "return": "return", "hold": "hold"}
"""What an order is called in the store."""
REFUSED = "PA1 does not run: there is nobody to return to"
"""The answer to an order that came when PA1 was just dead: all stays as it is."""


def returned(house: House) -> bool:
    return house.at("PA1") and house.running() and "return/PA1" not in house.entries()


def held(house: House) -> bool:
    return (house.at("PA1") or house.at("PA2")) and house.running()


ORDERS: dict[str, tuple[Callable[[House], None], tuple[str, ...], Callable[[House], bool]]] = {
    "drain": (home, ("drain", "PA1", "--deadline", _DEADLINE), drained),
    "move": (home, ("move", "PA1", "PA2", "--deadline", _DEADLINE), moved),
    "return": (away, ("return", "PA1", "--deadline", _DEADLINE), returned),
    "hold": (home, ("hold", "PA1"), held),
}
"""What is so before, what the operator types, and what is so in the end."""


def trouble(house: House, what: str) -> bool:
    """Do it; whether the store, and what was ordered, is gone with it."""
    if what in ("home", "both", "agent and home", "all"):
        house.kill("PA1")
    if what in ("stand-in", "both", "all"):
        house.kill("PA2")
    if what in ("agent", "agent and home", "all"):
        house.kill_agent()
        house.begin()
    if what == "store":
        house.remove_store()
    return what == "store"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("order", ORDERS)
def test_whatever_is_killed_while_an_order_is_obeyed_it_ends_as_asked(
    house: House, order: str, seed: int
) -> None:
    chance = random.Random(f"{order} {seed}")
    before, words, wanted = ORDERS[order]
    house.begin()
    house.until(lambda: house.at("PA1"))
    before(house)
    house.call()
    time.sleep(2.0)
    command = house.order(*words)
    forgotten = False
    if chance.random() < 0.85:
        # Else the first trouble comes perhaps before the order does.
        house.until(lambda: f"{KEYS[order]}/PA1" in house.entries() or command.poll() is not None)
    for _ in range(2):
        house.await_steps(chance.randrange(6))
        kinds = ["agent", "home", "stand-in", "both", "agent and home", "all", "store"]
        what = chance.choice(kinds)
        print(f"{order} {seed}: {what}")
        forgotten |= trouble(house, what)
    said, _ = command.communicate(timeout=120.0)
    print(said)
    assert command.returncode in (0, 1), said
    assert said.strip().splitlines()[-1].startswith(("PA1", "Error: ")), said

    def ends() -> bool:
        house.nothing_runs_twice()
        # Orders are forgotten with the store: all is as without them.
        if forgotten and house.lacks_configuration():
            house.import_configuration()
        return wanted(house) or (forgotten and house.at("PA1") and house.running())

    if REFUSED in said:
        wanted = held
    since = time.monotonic()

    def stays() -> bool:
        nonlocal since
        if not ends():
            since = time.monotonic()
        return time.monotonic() > since + _STAYS

    house.until(stays)
