"""What can go wrong with a server of the demo, brought about on purpose.

A server's process is found by its lock, and done to what a user may do to processes of their own:

* killed (SIGKILL), as by the kernel when memory is short; its agent starts another one;
* stopped dead (SIGSTOP), as a machine that stands still: it says nothing, and holds its lock;
* cut off from the store: the kernel refuses whatever it writes to a file (its limit for the size of
  files, RLIMIT_FSIZE, is set to 0). It can read the store still, and no heartbeat gets there.
"""

from __future__ import annotations

import contextlib
import enum
import os
import resource
import signal
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from pa_telephony.failover.stores.locks import process_of

__all__ = ["DemoFaults", "Fault", "Injury"]


class Fault(enum.Enum):
    """What a button does; the value is what it sends."""

    KILL = "kill"
    FREEZE = "freeze"
    THAW = "thaw"
    CUT = "cut"
    MEND = "mend"


_SIGNALS = {
    Fault.KILL: signal.SIGKILL,
    Fault.FREEZE: signal.SIGSTOP,
    Fault.THAW: signal.SIGCONT,
}
_WORDS = {
    Fault.KILL: "was killed; its agent starts it again",
    Fault.FREEZE: "stands still",
    Fault.THAW: "goes on",
    Fault.CUT: "is cut off from the store: nothing that it writes gets there",
    Fault.MEND: "can write the store again",
}


@dataclass(frozen=True)
class Injury:
    """What has been done to a server's process."""

    process: int | None
    """Its number; None when there is none."""
    frozen: bool = False
    cut: bool = False


class DemoFaults:
    """Does it to the servers whose store this is."""

    def __init__(self, store: Path) -> None:
        self._locks = store.with_name(f"{store.name}.locks")

    def look(self, name: str) -> Injury:
        """What has been done to a server."""
        with contextlib.suppress(OSError, ValueError), self._process(name) as (number, _):
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
            limit, _hard = resource.prlimit(number, resource.RLIMIT_FSIZE)
            return Injury(number, state in "Tt", limit == 0)
        return Injury(None)

    def do(self, name: str, fault: Fault) -> str:
        """Do it; gives what has become of the server, or why nothing has."""
        try:
            with self._process(name) as (number, descriptor):
                if (sent := _SIGNALS.get(fault)) is not None:
                    signal.pidfd_send_signal(descriptor, sent)
                else:
                    _, most = resource.prlimit(number, resource.RLIMIT_FSIZE)
                    limit = 0 if fault is Fault.CUT else most
                    resource.prlimit(number, resource.RLIMIT_FSIZE, (limit, most))
        except OSError as error:
            return f"{name}: {error.strerror}"
        return f"{name} {_WORDS[fault]}"

    @contextlib.contextmanager
    def _process(self, name: str) -> Generator[tuple[int, int]]:
        """The server's process, and a descriptor that no other process can have; or OSError."""
        number = process_of(self._locks, name)
        if number is None:
            raise ProcessLookupError(0, "no process of it runs")
        descriptor = os.pidfd_open(number)
        try:
            if process_of(self._locks, name) != number:
                raise ProcessLookupError(0, "its process has just ended")
            yield number, descriptor
        finally:
            os.close(descriptor)
