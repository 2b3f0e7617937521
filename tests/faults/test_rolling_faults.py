"""A rolling restart with real processes: agent and terminal die, and callers are answered."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from faultconfig import CALL_MANAGER, PHONES
from faultjudge import read_calls
from test_agent_faults import NAMES, Machine

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]

_CALLERS = Path(__file__).parent / "programs" / "callers.py"


@pytest.fixture
def company(tmp_path: Path) -> Generator[Machine]:
    """A machine with its agent, PA1 and PA2, a call manager, and a phone that calls 6000."""
    machine = Machine(tmp_path)
    programs: list[subprocess.Popen[bytes]] = []

    def run(*command: object) -> None:
        program = subprocess.Popen(
            [sys.executable, *map(str, command)], cwd=tmp_path, stdout=subprocess.PIPE
        )
        programs.append(program)
        assert program.stdout is not None
        assert program.stdout.readline()

    try:
        run("-m", "pa_telephony", "callmanager", "--config", "cm.toml", "--host", CALL_MANAGER)
        machine.begin()
        machine.until(lambda: machine.command("status").returncode == 0)
        run(_CALLERS, "calls.jsonl", CALL_MANAGER, PHONES, 0, 1, 0, 6000)
        yield machine
    finally:
        for program in programs:
            program.kill()
            program.wait()
            assert program.stdout is not None
            program.stdout.close()
        if machine.agent is not None:
            machine.kill_agent()
        for name in NAMES:
            machine.kill(name)


def was_answered(machine: Machine) -> None:
    """Every call was, and none was dropped."""
    calls = read_calls(machine.directory / "calls.jsonl")
    assert len(calls) > 5
    assert [each for each in calls if each.result != "hung up"] == []


def test_all_servers_are_restarted_and_every_caller_is_answered(company: Machine) -> None:
    before = company.processes()
    done = company.command("restart", "--all", "--deadline", "60")
    assert done.returncode == 0, done.stdout + done.stderr + company.logs()
    said = done.stdout.splitlines()
    assert said[0] == "PA1 is next"
    assert "PA1 serves all of its own" in said
    assert said[-1] == "restarted: PA1, PA2"
    after = company.processes()
    assert None not in after
    assert not set(before) & set(after)
    company.until(lambda: company.command("status").returncode == 0)
    was_answered(company)


def test_it_outlives_its_terminal_and_its_agent(company: Machine) -> None:
    before = company.processes()
    where = ("--cluster", "cluster.toml", "--deadline", "60")
    terminal = subprocess.Popen(
        [sys.executable, "-m", "pa_telephony", "restart", *where, *NAMES],
        cwd=company.directory,
        stdout=subprocess.PIPE,
    )
    company.until(lambda: "rolling restart: PA1" in company.command("status").stdout)
    done = company.command("restart", "PA2")
    assert done.returncode == 1
    assert "a rolling restart goes on: PA1" in done.stderr
    terminal.kill()
    terminal.communicate()
    for name in NAMES:
        company.until(lambda name=name: f"restart: {name}" in company.command("status").stdout)
        company.kill_agent()
        company.begin()
    company.until(lambda: "rolling restart" not in company.command("status").stdout)
    company.until(lambda: company.command("status").returncode == 0)
    assert not set(before) & set(company.processes())
    was_answered(company)


def test_what_is_restarted_is_brought_back_by_undo(company: Machine) -> None:
    done = company.command("restart")
    assert done.returncode == 2
    done = company.command("restart", "--undo")
    assert (done.returncode, done.stdout) == (0, "no rolling restart goes on\n")
    with subprocess.Popen(
        [sys.executable, "-m", "pa_telephony", "restart", "--cluster", "cluster.toml", "--all"],
        cwd=company.directory,
        stdout=subprocess.PIPE,
        text=True,
    ) as terminal:
        assert terminal.stdout is not None
        assert terminal.stdout.readline() == "PA1 is next\n"
        done = company.command("restart", "--undo")
        assert done.stdout.startswith("ended by an operator: undone; restarted: ")
        assert terminal.stdout.read().endswith(done.stdout)
        assert terminal.wait() == 1
    company.until(lambda: company.command("status").returncode == 0)
    was_answered(company)
