"""When a phase of the media engine is due: more precisely than ``trio.sleep_until`` tells.

trio waits in whole milliseconds, as epoll does, so a sleeper wakes up to 1 ms late. A timerfd has
no such grain. It knows nothing of a clock that a test moves by hand; trio's sleep is used there.
"""

from __future__ import annotations

import ctypes
import os
import time

import trio

__all__ = ["Pacer"]

_LONGEST = 1.0
"""Seconds. No phase is that far away, so what seems to be belongs to a clock that stands still."""
_LIBC = ctypes.CDLL(None, use_errno=True)
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC


class Pacer:
    """A timer that one task waits on."""

    def __init__(self) -> None:
        self._timer = _timerfd()
        self._setting = (ctypes.c_long * 4)()
        """A ``struct itimerspec``: no interval, then seconds and nanoseconds until it expires."""

    async def until(self, due: float) -> None:
        """Sleep until trio's clock shows ``due``; always a checkpoint."""
        seconds = trio.lowlevel.current_clock().deadline_to_sleep_time(due)
        if self._timer is None or not 0 < seconds < _LONGEST:
            await trio.sleep_until(due)
            return
        # Zero would stop the timer. Setting it again also makes it unreadable again.
        self._setting[3] = max(1, int(seconds * 1e9))
        _LIBC.timerfd_settime(self._timer, 0, self._setting, None)
        await trio.lowlevel.wait_readable(self._timer)

    def close(self) -> None:
        """Give the timer back."""
        if self._timer is not None:
            os.close(self._timer)
            self._timer = None


def _timerfd() -> int | None:
    """A timer of the monotonic clock, which is trio's; None where the system has none."""
    try:
        timer: int = _LIBC.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
    except AttributeError:
        return None
    return None if timer < 0 else timer
