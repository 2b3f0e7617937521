"""The store's file is deleted, replaced, full, locked, or its process stands still in it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from faultlab import Lab, is_root

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.mark.parametrize("scenario", ["deleted", "removed", "corrupted"])
def test_a_store_that_is_not_there_any_more_ends_everything_and_begins_anew(
    tmp_path: Path, scenario: str
) -> None:
    state = tmp_path / "state"
    hurt: dict[str, Callable[[], object]] = {
        "deleted": lambda: [each.unlink() for each in state.glob("*.db*") if each.is_file()],
        "removed": lambda: shutil.rmtree(state),
        "corrupted": lambda: _overwrite(state),
    }
    with Lab(tmp_path, scenario) as lab:
        devices = lab.begin()
        lab.callers("6000")
        time.sleep(2.0)
        hurt[scenario]()
        began = lab.fault(scenario, *lab.shape.names)
        assert lab.until(lambda: lab.given_up(devices, began), 20.0), lab.have
        lab.say(f"everything is closed after {time.time() - began:.1f} s")
        lab.status()
        lab.took("PA1 has everything again", began, lab.wait(devices, "PA1"))
        assert all("store.lost" in lab.kinds(name, began - 30.0) for name in lab.shape.names)
        lab.status()
        lab.shown()
        assert len(list(state.glob("*.db.broken"))) == (scenario == "corrupted")
        lab.fair()


def _overwrite(state: Path) -> None:
    for file in state.glob("*.db*"):
        if file.is_file() and not file.name.endswith("-shm"):
            with file.open("r+b") as open_file:
                open_file.write(bytes(8192))


@contextlib.contextmanager
def small_file_system(where: Path) -> Generator[None]:
    """A file system of 6 MB."""
    is_root()
    where.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(where)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TRIED, a file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=False)


def test_a_store_without_room_goes_on(tmp_path: Path) -> None:
    with small_file_system(tmp_path / "state"), Lab(tmp_path, "full") as lab:
        devices = lab.begin()
        time.sleep(2.0)
        filler = tmp_path / "state" / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        full = lab.fault("full", *lab.shape.names)
        lab.stays(devices, "PA1", 8.0)
        lab.status()
        filler.unlink()
        lab.took("there is room, everything is served", time.time(), _served(lab, devices))
        assert lab.wait(devices, "PA1"), lab.have
        assert not any(lab.given_up([each], full) for each in devices)
        lab.shown()
        lab.fair()


def _served(lab: Lab, devices: list[str]) -> float:
    one = lab.until(lambda: all(len(lab.have.get(each, ())) == 1 for each in devices))
    return time.time() if one else 0.0


@pytest.mark.long
def test_a_store_that_somebody_locks_is_waited_for(tmp_path: Path) -> None:
    with Lab(tmp_path, "locked") as lab:
        devices = lab.begin()
        database = next((tmp_path / "state").glob("*.db"))
        connection = sqlite3.connect(database, isolation_level=None, timeout=5.0)
        connection.execute("BEGIN IMMEDIATE")
        lab.fault("locked", *lab.shape.names)
        time.sleep(10.0)
        lab.status()
        connection.execute("ROLLBACK")
        connection.close()
        unlocked = time.time()
        lab.took("unlocked, everything is served", unlocked, _served(lab, devices))
        assert lab.wait(devices, "PA1"), lab.have
        lab.shown()
        lab.fair()


def test_a_server_that_stands_still_seldom_keeps_the_store_locked(tmp_path: Path) -> None:
    with Lab(tmp_path, "writer") as lab:
        devices = lab.begin()
        database = next((tmp_path / "state").glob("*.db"))
        hits = 0
        for number in range(60):
            lab.signal("PA1", signal.SIGSTOP)
            hits += _locked(database)
            lab.signal("PA1", signal.SIGCONT)
            time.sleep(0.05 + 0.003 * (number % 17))
        over = time.time()
        lab.say(f"{hits} of 60 stops left the store locked")
        lab.took("everything is at PA1", over, lab.wait(devices, "PA1") and time.time())
        lab.status()
        lab.shown()
        lab.fair()


def _locked(database: Path) -> bool:
    """Whether the store is locked, now and a moment later."""
    for _ in range(2):
        with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=0.0)) as it:
            try:
                it.execute("BEGIN IMMEDIATE")
                it.execute("ROLLBACK")
            except sqlite3.OperationalError:
                time.sleep(0.05)
            else:
                return False
    return True
