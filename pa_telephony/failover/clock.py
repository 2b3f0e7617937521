"""The clock by which servers act and wait."""

from __future__ import annotations

import time

__all__ = ["boot_clock"]


def boot_clock() -> float:
    """Seconds that also count while the machine sleeps; never a wall clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
