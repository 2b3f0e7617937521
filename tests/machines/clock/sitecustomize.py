"""A wall clock of this machine's own, which somebody may set: Linux has one for all namespaces.

Python loads it at the start of each program whose PYTHONPATH has its directory. The clock is ahead
by the seconds that the file MACHINE_CLOCK has, if there is one. The other clocks go on as they are.
"""

from __future__ import annotations

import os
import time

_LOOK = 0.1
_FILE = os.environ.get("MACHINE_CLOCK", "")
_real = time.time_ns
_ahead = 0
_looks = 0.0


def time_ns() -> int:
    """Nanoseconds since 1970, as this machine has it."""
    global _ahead, _looks
    now = time.monotonic()
    if now >= _looks:
        _looks = now + _LOOK
        try:
            with open(_FILE) as file:
                _ahead = int(float(file.read() or 0) * 1e9)
        except OSError:
            _ahead = 0
    return _real() + _ahead


if _FILE:
    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9
