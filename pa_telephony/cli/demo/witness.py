"""A process that does nothing but sleep, and so knows when the whole machine stood still.

A host can stop a virtual machine for some tens of milliseconds and tell nobody: ``steal`` of
``/proc/stat`` says nothing of it (seen). Then all processes are late at the same moment, and none
of them waited for a CPU. None can tell that from a time in which it kept itself busy; one that does
nothing can. It is run as ``python -m pa_telephony.cli.demo.witness FILE``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pa_telephony.cli.stalls import WORTH_NOTING, Machine
from pa_telephony.trace import EventRecord, JsonLinesTrace, Trace

__all__ = ["KIND", "look_on"]

KIND = "machine.stood_still"
"""Of the trace event, whose ``seconds`` end at its time."""
_NAP = 0.005


def look_on(trace: Trace) -> None:
    """Write down, until the process is ended, when nothing ran for 5 ms or more."""
    machine = Machine()
    while True:
        began = time.monotonic()
        time.sleep(_NAP)
        late = time.monotonic() - began - _NAP
        stopped = late - machine.queued()
        if stopped >= WORTH_NOTING:
            trace(EventRecord(time.time(), KIND, {"seconds": round(stopped, 4)}))


if __name__ == "__main__":
    with JsonLinesTrace(Path(sys.argv[1])) as file:
        print("ready", flush=True)
        look_on(file)
