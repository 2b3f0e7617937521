"""The pytest plugin: what a failed test leaves behind, and what the plugin costs the others."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import pytest

from pa_telephony.callmanager.calls.verbs import Leg, Watcher
from pa_telephony.errors import InternalError
from pa_telephony.testing import CallManager

FAILING = """
import pytest
from pa_telephony.callmanager import CallManagerConfig, Timing

@pytest.fixture
def call_manager_config():
    return CallManagerConfig(timing=Timing(no_answer=1.5))

def test_that_fails(call_manager):
    call_manager.phone("1002")
    call = call_manager.phone("1001").dial("1002")
    call.wait_for("connected", timeout=0.1)

def test_that_passes(call_manager, tmp_path):
    assert call_manager.phone("1001").registered
"""


def run_pytest(directory: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_it.py").write_text(textwrap.dedent(source))
    plugin = ("-p", "pa_telephony.testing.plugin") if not _installed() else ()
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin),
            *(f"--rootdir={directory}", f"--basetemp={directory / 'tmp'}", *arguments),
        ],
        cwd=directory,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def _installed() -> bool:
    from importlib.metadata import entry_points

    return bool(entry_points(group="pytest11", name="pa_telephony"))


def test_a_failed_test_leaves_a_pcap_and_the_last_messages(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, FAILING)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "WaitFailed: waited 0.1 s for the call 1001 -> 1002 at 1001 to be conn" in done.stdout
    assert "call manager" in done.stdout
    assert "registered: SEP000000001002 (1002), SEP000000001001 (1001)" in done.stdout
    files = list(tmp_path.rglob("call_manager.pcap"))
    assert [file.parent.name for file in files] == ["test_that_fails0"]
    assert f"all traffic: {files[0]}" in done.stdout
    assert files[0].stat().st_size > 1000


def test_the_report_of_a_failed_wait_ends_at_the_line_of_the_test(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, FAILING)
    assert 'call.wait_for("connected", timeout=0.1)\nE ' in done.stdout
    assert "pa_telephony/testing" not in done.stdout


def test_the_fixture_is_found_and_described(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "", "--fixtures")
    assert "call_manager_config" in done.stdout
    assert "a new one for each" in done.stdout


@pytest.mark.parametrize("module", ["pa_telephony.testing.plugin"])
def test_the_plugin_loads_nothing_that_pytest_does_not_load(module: str) -> None:
    """Every pytest run where the package is installed pays for it."""
    code = f"import pytest, sys; before = set(sys.modules); import {module}; " + (
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        "pa_telephony",
        "pa_telephony._lazy",
        "pa_telephony.testing",
        "pa_telephony.testing.plugin",
    }


BUGS = """
from pa_telephony.callmanager.calls.verbs import Watcher

class Faulty(Watcher):
    def leg_changed(self, leg):
        raise ZeroDivisionError("nobody thought of that")

class FaultyAtTheEnd(Watcher):
    def device_changed(self, device):
        raise ZeroDivisionError("nor of that")

def provoke(call_manager, watcher=Faulty):
    call_manager.phone("1001")
    watchers = call_manager._running.calls.watchers
    call_manager._call(lambda: watchers.append(watcher()))

def test_passes_and_had_an_error(call_manager):
    provoke(call_manager)
    call_manager.phone("1001").dial("1002")
    assert call_manager.thread.wait_until(lambda: call_manager.problems, 10)

def test_waits_in_vain(call_manager):
    provoke(call_manager)
    call_manager.phone("1001").dial("1002")
    call_manager.wait_for_message("StartMediaTransmission", timeout=60)

def test_fails_by_itself(call_manager):
    provoke(call_manager)
    call_manager.phone("1001").dial("1002")
    assert call_manager.thread.wait_until(lambda: call_manager.problems, 10)
    assert 1 == 2

def test_has_ended_before(call_manager):
    provoke(call_manager, FaultyAtTheEnd)
"""


def test_an_internal_error_fails_the_test_that_brought_it_out(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, BUGS, "-rA", "--show-capture=no")
    assert done.returncode == 1, done.stdout + done.stderr
    bare = "InternalError: in the call manager, while it served somebody: ZeroDivisionError: no"
    assert "3 failed, 1 passed, 1 error" in done.stdout
    sections = done.stdout.replace("= FAILURES =", "_ test").split("_ test_")
    of = {section.partition(" ")[0]: section for section in sections}
    for name in ("passes_and_had_an_error", "waits_in_vain"):
        assert f"{bare}body thought of that" in of[name]
        assert "def leg_changed" in of[name]
    assert "assert 1 == 2" in of["fails_by_itself"]
    assert "in leg_changed" in of["fails_by_itself"]
    assert f"{bare}r of that" in done.stdout
    assert "ERROR test_it.py::test_has_ended_before" in done.stdout


HANDLERS = """
import threading
import trio
from pa_telephony import sccp

def test_the_handler_fails(call_manager):
    call_manager.add_media_port("5000")
    ready = threading.Event()

    async def application():
        async with sccp.open_station("MP-5000", call_manager.sccp_address) as station:
            async def handle(call):
                scope.cancel()
                raise ZeroDivisionError("nobody thought of that")
            with trio.CancelScope() as scope:
                ready.set()
                await station.serve(handle)

    thread = threading.Thread(target=trio.run, args=(application,))
    thread.start()
    ready.wait()
    call_manager.phone("1001").dial("5000").wait_for("ended")
    thread.join()
"""


SILENT = """
import logging.config
from pa_telephony.sccp.station import client
logging.config.dictConfig({"version": 1})  # This disables every logger that there is.
"""


@pytest.mark.parametrize("logging_of_its_own", ["", SILENT])
def test_the_bug_of_a_handler_in_the_tests_own_process_fails_the_test(
    tmp_path: Path, logging_of_its_own: str
) -> None:
    """The call alone ends of it, which the test may well take for the end of the call."""
    done = run_pytest(tmp_path, logging_of_its_own + HANDLERS, "--show-capture=no")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "InternalError: in a handler of calls: ZeroDivisionError: nobody tho" in done.stdout
    assert "in handle" in done.stdout or "def handle" in done.stdout


@pytest.mark.makes_bugs
def test_without_the_fixture_the_block_raises_the_internal_error() -> None:
    class Faulty(Watcher):
        def leg_changed(self, leg: Leg) -> None:
            raise ZeroDivisionError("nobody thought of that")

    with (
        pytest.raises(InternalError, match="nobody thought of that") as caught,
        CallManager() as call_manager,
    ):
        phone = call_manager.phone("1001")
        watchers = call_manager._running.calls.watchers
        call_manager._call(lambda: watchers.append(Faulty()))
        phone.dial("1002")
        assert call_manager.thread.wait_until(lambda: call_manager.problems, 10)
        assert "internal error" in {problem.kind for problem in call_manager.problems}
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    frames = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert frames[-1].name == "leg_changed"
