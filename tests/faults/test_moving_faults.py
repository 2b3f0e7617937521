"""A cluster with calls is moved from its file to an etcd, also by a command that is killed."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from etcd_members import Members, members
from faultlab import Lab

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.fixture
def etcd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Members]:
    monkeypatch.setenv("PA_TELEPHONY_STATE", str(tmp_path / "machine"))
    directory = tmp_path / "etcd"
    directory.mkdir()
    with members("3.4", directory) as running:
        yield running


def talking(lab: Lab, devices: list[str]) -> None:
    """Wait until two callers talk to ports of PA1."""
    lab.callers("6000", talk=100_000.0)
    assert lab.until(lambda: len(answered(lab)) == 2), answered(lab)
    assert lab.wait(devices, "PA1")


def answered(lab: Lab) -> list[str]:
    """The ports with a call, as PA1 says it."""
    (page,) = [each for each in lab.status() if each["server"] == "PA1"]
    return [each["number"] for each in page["resources"] if each["busy"]]


def test_a_cluster_with_calls_is_moved_and_goes_on(tmp_path: Path, etcd: Members) -> None:
    to = etcd.store("pa")
    with Lab(tmp_path, "moved") as lab:
        devices = lab.begin()
        agent = ("-m", "pa_telephony", "agent", "--cluster", "cluster.toml")
        lab.spawn("agent", *agent, "--log-directory", "logs")
        talking(lab, devices)
        lives, began = list(lab.processes.values()), time.time()
        said = lab.command("cluster", "move", "--cluster", "cluster.toml", "--to", to)
        lab.say(said)
        for name in ("PA1", "PA2", "agent@"):
            assert any(name in line and "goes on there" in line for line in said.splitlines()), said
        # For longer than a silent server may act, and another one waits before it takes over.
        lab.stays(devices, "PA1", 7.0)
        assert not [each for each in lab.observer.changes if each.time >= began]
        assert len(answered(lab)) == 2
        assert not lab.calls()
        assert all(each.poll() is None for each in lives)
        kinds = {kind for name in lab.shape.names for kind in lab.kinds(name, began)}
        assert not kinds & {"lost", "registered", "closed", "took", "entered", "store.lost"}, kinds
        pages = json.loads(lab.command("status", "--store", to, "--json"))
        assert [each["state"] for each in pages] == ["normal", "idle spare"], pages
        assert f"was moved to {to}, which is used" in lab.command(
            "status", "--cluster", "cluster.toml"
        )
        lab.kill("callers0")
        killed = lab.kill("PA1")
        lab.took("PA2 has everything", killed, lab.wait(devices, "PA2"))
        lab.say("the agent starts PA1 again, which finds the etcd by the file")
        assert lab.wait(devices, "PA1"), lab.errors("agent")
        lab.status()
        lab.shown()
        lab.fair()
        lab.order("stop", "PA1")
        assert lab.wait(devices, "PA2"), lab.have


def state_of_move(file: Path) -> str:
    """What the mark in the file says; "" while there is none."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT value FROM entry WHERE key = 'moved'").fetchone()
    if found is None:
        return ""
    return "done" if json.loads(found[0])["done"] else "copying"


def test_a_move_that_is_killed_leaves_the_cluster_as_it_was_and_is_done_later(
    tmp_path: Path, etcd: Members
) -> None:
    to = etcd.store("pa")
    file = tmp_path / "state" / "cluster.db"
    with Lab(tmp_path, "moved_killed") as lab:
        devices = lab.begin()
        talking(lab, devices)
        began = time.time()
        command = (sys.executable, "-m", "pa_telephony", "cluster", "move")
        with subprocess.Popen(
            [*command, "--cluster", "cluster.toml", "--to", to],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
        ) as move:
            lab.until(lambda: bool(state_of_move(file)) or move.poll() is not None)
            move.send_signal(signal.SIGKILL)
        lab.say(f"killed when the move was {state_of_move(file)!r}")
        assert lab.until(lambda: state_of_move(file) != "copying", 20.0)
        lab.stays(devices, "PA1", 7.0)
        assert not [each for each in lab.observer.changes if each.time >= began]
        again = time.time()
        said = lab.command("cluster", "move", "--cluster", "cluster.toml", "--to", to)
        assert f"moved to {to}" in said, said
        lab.took("the same command has moved it", again, time.time())
        lab.stays(devices, "PA1", 7.0)
        assert not [each for each in lab.observer.changes if each.time >= began]
        assert len(answered(lab)) == 2
        lab.status()
        lab.shown()
        lab.fair()
