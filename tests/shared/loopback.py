"""Loopback addresses that no other process with tests uses at the same time.

Most sockets of the tests have a port that the kernel chose. Where a test chooses its ports, as
those of media engines, it takes them of :data:`NETWORK`, which belongs to its process alone: the
workers of pytest-xdist do not meet there, nor do two whole runs on one machine.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Generator

_GUARD = 19999
"""The UDP port that is bound where somebody is; the kernel gives it to nobody."""


def _occupy(host: str) -> socket.socket | None:
    """Bind the guarding port of an address; None where another process has it."""
    guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        guard.bind((host, _GUARD))
    except OSError:
        guard.close()
        return None
    return guard


def _network() -> str:
    # 127.0 is left to what the documentation names, and to tests/faults.
    for number in itertools.count(os.getpid()):
        network = f"127.{1 + number // 256 % 254}.{number % 256}"
        if (guard := _occupy(f"{network}.1")) is not None:
            guard.detach()  # it stays open for as long as the process lives
            return network
    raise AssertionError("there is always another number")


NETWORK = _network()
"""The first three bytes of 254 addresses, as ``127.18.52``."""
HOST = f"{NETWORK}.1"


@contextlib.contextmanager
def alone_at(host: str) -> Generator[None]:
    """Use an address that the documentation names; whoever else wants to do so waits meanwhile."""
    while (guard := _occupy(host)) is None:
        time.sleep(0.1)
    with guard:
        yield
