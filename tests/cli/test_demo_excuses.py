"""What the demo does not judge is what the machine did, frame by frame, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pa_telephony.cli.demo.excuses import (
    Hole,
    Lateness,
    Missed,
    Stall,
    excuse_holes,
    excuse_refusals,
    excuse_time,
)
from pa_telephony.cli.demo.witness import KIND

QUIET = Lateness("phones")


def late(at: float, seconds: float, kept_waiting: float, process: str = "PA1") -> Lateness:
    """A process that stood still until ``at``, and its engine with it."""
    missed = Missed(at, int(seconds / 0.02), seconds)
    return Lateness(process, [Stall(at, seconds + 0.005, kept_waiting)], [missed])


def hole(at: float, frames: int) -> Hole:
    return Hole(at, at + frames * 0.02, frames)


def test_frames_that_were_not_sent_for_want_of_a_processor_are_not_judged() -> None:
    found = excuse_holes([hole(10.06, 2)], late(10.0, 0.05, 0.05), QUIET)
    assert (found.excused, found.judged) == (2, 0)
    assert found.why == "PA1 stood still for 50 ms"


def test_frames_that_were_lost_beside_are_judged() -> None:
    found = excuse_holes(
        [hole(9.9, 1), hole(10.06, 2), hole(10.2, 3)], late(10.0, 0.045, 0.045), QUIET
    )
    # The two that were missed, and the one that was sent too late.
    assert (found.excused, found.judged) == (3, 3)


def test_frames_that_were_lost_at_another_time_are_judged() -> None:
    found = excuse_holes([hole(11.0, 2)], late(10.0, 0.05, 0.05), QUIET)
    assert (found.excused, found.judged, found.why) == (0, 2, "")


@pytest.mark.parametrize(("kept_waiting", "judged"), [(0.0, 5), (0.05, 2), (0.1, 0)])
def test_a_process_that_keeps_itself_busy_has_no_excuse(kept_waiting: float, judged: int) -> None:
    found = excuse_holes([hole(10.06, 5)], late(10.0, 0.1, kept_waiting), QUIET)
    assert found.judged == judged


def test_own_work_counts_half_where_a_process_mostly_waited_for_a_cpu() -> None:
    """Seen once on a busy machine: 142 ms late, 20 of them by itself, a frame was judged."""
    found = excuse_holes([hole(10.06, 7)], late(10.0, 0.142, 0.12), QUIET)
    assert (found.excused, found.judged) == (7, 0)


def test_the_other_party_s_missed_frames_are_no_excuse_unless_it_listens() -> None:
    elsewhere = late(10.0, 0.1, 0.1, "PA2")
    assert excuse_holes([hole(10.0, 1)], QUIET, QUIET).judged == 1
    assert excuse_holes([hole(10.0, 1)], QUIET, elsewhere).judged == 0
    # So short a stall is made up for by what the listener has in hand.
    assert excuse_holes([hole(10.0, 1)], QUIET, late(10.0, 0.025, 0.025)).judged == 1


def test_one_frame_in_fifty_is_judged_beside_any_number_of_stalls() -> None:
    stalls = Lateness("PA1")
    for number in range(40):
        each = late(number * 0.5, 0.021, 0.021)
        stalls.stalls += each.stalls
        stalls.missed += each.missed
    dropped = [hole(number * 1.0, 1) for number in range(20)]
    missed = [hole(number * 0.5 + 0.06, 1) for number in range(40)]
    everything = sorted([*dropped, *missed], key=lambda each: each.start)
    assert excuse_holes(missed, stalls, QUIET).judged == 0
    assert excuse_holes(everything, stalls, QUIET).judged == 20


def test_time_that_processes_waited_is_taken_off() -> None:
    waits = [late(10.2, 0.1, 0.1, "PA2"), late(10.3, 0.05, 0.05, "callmanager")]
    found = excuse_time(0.6, waits, 10.0)
    assert found.judged == pytest.approx(0.45)
    assert found.why == "PA2 stood still for 100 ms, callmanager stood still for 50 ms"
    assert excuse_time(0.6, waits, 11.0).judged == 0.6


@pytest.mark.parametrize(("stood_still", "judged"), [(0.0, 5), (0.05, 2), (0.1, 0)])
def test_frames_that_were_not_sent_while_the_whole_machine_stood_still_are_not_judged(
    stood_still: float, judged: int
) -> None:
    speaker = late(10.0, 0.1, 0.0)
    speaker.machine = [Stall(10.003, stood_still, stood_still)]
    assert excuse_holes([hole(10.06, 5)], speaker, QUIET).judged == judged


def test_a_machine_that_stood_still_did_so_for_all_processes_at_once() -> None:
    stop = [Stall(10.2, 0.1, 0.1)]
    waits = [Lateness("PA2", machine=stop), Lateness("callmanager", machine=stop)]
    found = excuse_time(0.6, waits, 10.0)
    assert found.judged == pytest.approx(0.5)
    assert found.why == "the machine stood still for 100 ms"


def test_the_process_that_looks_on_writes_lines_that_the_demo_reads(tmp_path: Path) -> None:
    """Whether the machine stands still meanwhile or not."""
    file = tmp_path / "machine.jsonl"
    command = [sys.executable, "-m", "pa_telephony.cli.demo.witness", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as witness:
        assert witness.stdout is not None
        assert witness.stdout.readline() == b"ready\n"
        time.sleep(0.1)
        witness.terminate()
    assert all(json.loads(line)["kind"] == KIND for line in file.read_bytes().splitlines())


def test_a_refusal_is_excused_when_the_call_manager_could_not_hear_of_the_end() -> None:
    refusals = [(10.3, 11.3), (10.4, 10.9)]
    kept = Lateness("callmanager", [Stall(10.25, 0.2, 0.19)])
    assert excuse_refusals(refusals, kept, 10.0) == pytest.approx(1.0)
    assert excuse_refusals(refusals, Lateness("callmanager"), 10.0) == 0.0
    busy = Lateness("callmanager", [Stall(10.25, 0.2, 0.0)])
    assert excuse_refusals(refusals, busy, 10.0) == 0.0
    stopped = Lateness("callmanager", machine=[Stall(10.25, 0.2, 0.2)])
    assert excuse_refusals(refusals, stopped, 10.0) == pytest.approx(1.0)
    assert excuse_refusals([], kept, 10.0) == 0.0
