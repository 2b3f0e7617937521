"""When this process stood still, and how much of that was for lack of CPU.

A task sleeps for 10 ms again and again and notes by how much it overslept. That alone would also
excuse a process that blocks its own event loop, so the kernel is asked what the process's threads
did meanwhile: only time in which one of them was ready and got no CPU (Linux, the run-queue delay
of ``/proc/self/task/*/schedstat``), or in which the machine itself was stopped by its host
(``steal`` of ``/proc/stat``), is time that the process was *kept waiting*.
"""

from __future__ import annotations

import contextlib
import os
import time

import trio

from pa_telephony.trace import EventRecord, Trace

__all__ = ["KIND", "WORTH_NOTING", "Machine", "Tally", "watch_stalls"]

KIND = "process.stood_still"
"""The kind of the trace event, whose fields ``seconds`` and ``kept_waiting`` end at its time."""

_NAP = 0.01
WORTH_NOTING = 0.005
"""Seconds."""
_OF_ITS_OWN = 0.02
_FORGOTTEN = 0.06
"""Seconds after which short waits count no more with later ones: three frames."""
_REFRESH = 0.5


async def watch_stalls(trace: Trace, nap: float = _NAP) -> None:
    """Write down each time at which this process stood still for 5 ms or more, until cancelled."""
    machine, tally = Machine(), Tally()
    looked = time.monotonic()
    while True:
        await trio.sleep(nap)
        # From look to look: a process can be stopped while it looks, too.
        before, looked = looked, time.monotonic()
        late = looked - before - nap
        waited = min(max(late, 0.0), machine.queued() + machine.stolen(late >= WORTH_NOTING))
        if (stall := tally.add(late + nap, late, waited)) is not None:
            fields = {"seconds": round(stall[0], 4), "kept_waiting": round(stall[1], 4)}
            trace(EventRecord(time.time(), KIND, fields))


class Tally:
    """Decides what is worth noting: a long wait, and several short ones together.

    On a busy machine a process is kept waiting for a few milliseconds again and again, each time
    too short to be noted, and together long enough for a late frame.
    """

    def __init__(self) -> None:
        self._seconds = self._waited = 0.0

    def add(self, seconds: float, late: float, waited: float) -> tuple[float, float] | None:
        """Add the last ``seconds``, ``late`` of them too many, ``waited`` of these without a CPU.

        Gives the length of the time to be noted, which ends now, and for how much of it the process
        was kept waiting; None while that is too little.
        """
        self._seconds += seconds
        self._waited += waited
        noted = self._seconds, self._waited
        if self._waited < WORTH_NOTING and late < _OF_ITS_OWN and self._seconds < _FORGOTTEN:
            return None
        self._seconds = self._waited = 0.0
        return noted if noted[1] >= WORTH_NOTING or late >= _OF_ITS_OWN else None


class Machine:
    """What the kernel says of this process and of the whole machine, each time since the last."""

    def __init__(self) -> None:
        self._tick = 1.0 / os.sysconf("SC_CLK_TCK")
        self._stolen = _read_stolen()
        self._looked = time.monotonic()
        self._clocks = time.monotonic(), time.process_time()
        self._threads: dict[str, int] = {}
        self.queued()

    def queued(self) -> float:
        """For how many seconds threads of this process were ready to run and did not."""
        threads: dict[str, int] = {}
        try:
            for thread in os.listdir("/proc/self/task"):
                # A thread may end between the two calls.
                with (
                    contextlib.suppress(FileNotFoundError, ProcessLookupError),
                    open(f"/proc/self/task/{thread}/schedstat", "rb") as file,
                ):
                    threads[thread] = int(file.read().split()[1])
        except (OSError, IndexError):
            threads = {}
        known, self._threads = self._threads, threads
        if threads:
            return sum(now - known.get(each, 0) for each, now in threads.items()) * 1e-9
        # Another kernel: all time that was not spent computing counts.
        (wall, cpu), self._clocks = self._clocks, (time.monotonic(), time.process_time())
        return self._clocks[0] - wall - (self._clocks[1] - cpu)

    def stolen(self, wanted: bool) -> float:
        """For how many seconds the host stopped the machine, of the last half second at most.

        The kernel counts in hundredths of a second.
        """
        if not wanted and time.monotonic() - self._looked < _REFRESH:
            return 0.0
        before, self._stolen = self._stolen, _read_stolen()
        self._looked = time.monotonic()
        return (self._stolen - before) * self._tick if wanted else 0.0


def _read_stolen() -> int:
    with contextlib.suppress(OSError, IndexError, ValueError), open("/proc/stat", "rb") as file:
        return int(file.readline().split()[8])
    return 0
