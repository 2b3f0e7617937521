"""Machines reach one another as well as the switch lets them, and can be lost."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machines import Machine, Network, address, needs_machines

pytestmark = [pytest.mark.machines, pytest.mark.long]

_ECHO = Path(__file__).parent / "programs" / "echo.py"


@dataclass
class Echo:
    """What has come back of the datagrams that were sent."""

    sent: int
    copies: int
    seconds: list[float]

    @property
    def lost(self) -> float:
        return 1 - len(self.seconds) / self.sent


def ask(machine: Machine, other: int, count: int = 20, interval: float = 0.005) -> Echo:
    said = machine.do(sys.executable, _ECHO, "ask", address(other), count, interval)
    return Echo(**json.loads(said))


def started(machine: Machine, *words: str) -> subprocess.Popen[bytes]:
    program = machine.start(sys.executable, _ECHO, *words, stdout=subprocess.PIPE)
    assert program.stdout is not None
    assert program.stdout.readline() == b"up\n"
    return program


def echoes(machine: Machine) -> subprocess.Popen[bytes]:
    return started(machine, "serve", address(machine.host))


@pytest.fixture
def network() -> Generator[Network]:
    needs_machines()
    with Network(seed=5) as found:
        yield found


def test_machines_reach_one_another_and_lose_nothing(network: Network) -> None:
    one, two = network.machine(11), network.machine(12)
    echoes(two)
    echo = ask(one, 12, 100)
    assert (echo.lost, echo.copies) == (0.0, 100)
    assert one.do("hostname") == "machine11\n"


def test_delay_loss_and_duplicates_are_those_that_were_asked_for(network: Network) -> None:
    one, two = network.machine(11), network.machine(12)
    echoes(two)
    network.quality(delay=0.02, jitter=0.01, loss=0.05, duplicates=0.02)
    echo = ask(one, 12, 400)
    print(f"\n20 ms ± 10, 5 % loss: {statistics.median(echo.seconds) * 1000:.1f} ms to and fro in")
    print(f"the median, {100 * echo.lost:.1f} % lost, {echo.copies - len(echo.seconds)} twice")
    assert min(echo.seconds) >= 0.02
    assert statistics.median(echo.seconds) >= 0.03
    assert 0.04 < echo.lost < 0.18
    assert echo.copies > len(echo.seconds)
    network.quality()
    assert ask(one, 12).lost == 0.0


def test_a_cut_is_between_two_machines_or_around_one(network: Network) -> None:
    one, two, three = (network.machine(host) for host in (11, 12, 13))
    echoes(two)
    echoes(three)
    network.cut(11, 12)
    assert ask(one, 12).lost == 1.0
    assert ask(one, 13).lost == 0.0
    network.join(11, 12)
    assert ask(one, 12).lost == 0.0
    network.cut(12)
    assert (ask(one, 12).lost, ask(three, 12).lost, ask(one, 13).lost) == (1.0, 1.0, 0.0)


def test_a_lost_machine_says_nothing_more_and_comes_back_with_its_address(
    network: Network,
) -> None:
    one, two = network.machine(11), network.machine(12)
    program = echoes(two)
    holds = started(two, "hold", address(12))
    hears = started(one, "hear", address(12))
    network.lose(12)
    assert program.poll() is not None
    assert holds.poll() is not None
    assert hears.communicate()[0] == b"silence\n"
    assert ask(one, 12).lost == 1.0
    echoes(network.machine(12))
    assert ask(one, 12).lost == 0.0


def test_processes_are_stopped_and_ended_by_words_of_their_command(network: Network) -> None:
    one, two = network.machine(11), network.machine(12)
    program = echoes(two)
    two.signal(signal.SIGSTOP, "serve")
    assert ask(one, 12).lost == 1.0
    two.signal(signal.SIGCONT, "serve")
    assert ask(one, 12).lost == 0.0
    assert one.processes("serve") == []
    two.signal(signal.SIGKILL, "serve")
    assert program.wait(60) != 0
    assert two.processes("serve") == []


def test_further_addresses_of_a_machine_are_reached(network: Network) -> None:
    one, two = network.machine(11), network.machine(12, 13)
    started(two, "serve", address(13))
    assert ask(one, 13).lost == 0.0
